/* Identifiers: values packed into one long region, found through a hash table in segments.
 *
 * A packed value is a prefix code, so equal bytes are equal values and no length is stored twice:
 *   0..239   that many raw bytes follow
 *   240      16-bit length, raw bytes
 *   241      a UUID in lower case, 8-4-4-4-12, as 16 bytes
 *   242      lower-case hexadecimal of even length 16..128: length / 2, then the bytes (ObjectIds, MD5, …)
 *
 * The table is made of buckets, one cache line each: twelve tags of 8 bits, then twelve nodes. A look-up reads one
 * line, and goes on to the identifier itself only if a tag matches. So one miss of the cache is enough to know that an
 * identifier is new. A full bucket overflows into the next one and says so.
 *
 * 4,096 buckets are a segment (256 KiB); the leading bits of what a node keeps of its hash choose it through a
 * directory. A segment that is 80 % full is split in two by the next bit (extendible hashing), which takes a
 * millisecond: there is never a moment when the whole table is rehashed, and never a second copy of it. A split reads
 * the nodes, not the values: a node's bucket is the one that it is in, unless that bucket says that the node is a
 * guest.
 */
#include "identity_state.h"

#include <stdlib.h>

enum {
    TAG_RAW_MAX = 239, TAG_LONG = 240, TAG_UUID = 241, TAG_HEX = 242,
    HEX_LEAST = 16, HEX_MOST = 128,
    NODE_HASH_BITS = 16, SEGMENT_NODES_MOST = SEGMENT_BUCKETS * BUCKET_NODES * 4 / 5,
};

struct bucket {
    uint8_t tags[BUCKET_NODES];
    uint8_t count, is_overflown;
    uint16_t guests;                   /* a bit for every slot whose node overflowed from a bucket before */
    uint32_t nodes[BUCKET_NODES];
};
_Static_assert(sizeof(struct bucket) == BUCKET_BYTES, "a bucket is a cache line");

/* ---- Packing ---- */

#define NO_HEX 0x80
#define NO_8 NO_HEX, NO_HEX, NO_HEX, NO_HEX, NO_HEX, NO_HEX, NO_HEX, NO_HEX
#define NO_32 NO_8, NO_8, NO_8, NO_8
static const uint8_t hex_digits[256] = {
    NO_32, NO_8, NO_8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, NO_HEX, NO_HEX, NO_HEX, NO_HEX, NO_HEX, NO_HEX, NO_32,
    NO_HEX, 10, 11, 12, 13, 14, 15, NO_HEX, NO_8, NO_8, NO_8, NO_32, NO_32, NO_32, NO_32,
};

static bool pack_hex(const char *text, size_t count, unsigned char *bytes)
{
    unsigned all = 0;
    for (size_t i = 0; i < count; i += 2) {
        unsigned high = hex_digits[(unsigned char)text[i]], low = hex_digits[(unsigned char)text[i + 1]];
        all |= high | low;
        bytes[i / 2] = (unsigned char)(high << 4 | low);
    }
    return !(all & NO_HEX);
}

static bool pack_uuid(Str value, unsigned char *bytes)
{
    const char *v = value.bytes;
    if (value.len != 36 || v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-') return false;
    return pack_hex(v, 8, bytes) && pack_hex(v + 9, 4, bytes + 4) && pack_hex(v + 14, 4, bytes + 6) &&
           pack_hex(v + 19, 4, bytes + 8) && pack_hex(v + 24, 12, bytes + 10);
}

size_t identity_pack(Str value, unsigned char *packed)
{
    check(value.len <= LIMIT_ID_BYTES);
    if (pack_uuid(value, packed + 1)) {
        packed[0] = TAG_UUID;
        return 17;
    }
    if (value.len >= HEX_LEAST && value.len <= HEX_MOST && value.len % 2 == 0 &&
        pack_hex(value.bytes, value.len, packed + 2)) {
        packed[0] = TAG_HEX;
        packed[1] = (unsigned char)(value.len / 2);
        return 2 + value.len / 2;
    }
    size_t head = value.len <= TAG_RAW_MAX ? 1 : 3;
    packed[0] = head == 1 ? (unsigned char)value.len : TAG_LONG;
    if (head == 3) memcpy(packed + 1, &(uint16_t){ (uint16_t)value.len }, 2);
    if (value.len) memcpy(packed + head, value.bytes, value.len);
    return head + value.len;
}

static char *write_hex(char *at, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *at++ = "0123456789abcdef"[bytes[i] >> 4];
        *at++ = "0123456789abcdef"[bytes[i] & 15];
    }
    return at;
}

Str identity_unpack(const char *packed, char *text)
{
    const unsigned char *p = (const unsigned char *)packed;
    uint16_t len = p[0];
    char *at = text;
    switch (p[0]) {
    case TAG_UUID:
        at = write_hex(at, p + 1, 4), *at++ = '-';
        at = write_hex(at, p + 5, 2), *at++ = '-';
        at = write_hex(at, p + 7, 2), *at++ = '-';
        at = write_hex(at, p + 9, 2), *at++ = '-';
        at = write_hex(at, p + 11, 6);
        return (Str){ text, 36 };
    case TAG_HEX:
        write_hex(at, p + 2, p[1]);
        return (Str){ text, p[1] * (size_t)2 };
    case TAG_LONG:
        memcpy(&len, p + 1, 2);
        memcpy(text, p + 3, len);
        return (Str){ text, len };
    default:
        memcpy(text, p + 1, len);
        return (Str){ text, len };
    }
}

/* Reads from its first bytes how many bytes a packed value has. */
static size_t packed_bytes(const char *packed)
{
    const unsigned char *p = (const unsigned char *)packed;
    uint16_t len;
    if (p[0] == TAG_UUID) return 17;
    if (p[0] == TAG_HEX) return 2 + (size_t)p[1];
    if (p[0] != TAG_LONG) return 1 + (size_t)p[0];
    memcpy(&len, p + 1, 2);
    return 3 + (size_t)len;
}

bool identity_is_packed(const struct identity *identity, uint32_t value)
{
    if (value == 0 || value >= identity->value_end) return false;
    size_t left = (size_t)(identity->value_end - value) * VALUE_UNIT;       /* at least four: they include a length */
    const char *packed = identity->values + (size_t)value * VALUE_UNIT;
    size_t bytes = packed_bytes(packed), text = (unsigned char)packed[0] == TAG_HEX ? (bytes - 2) * 2 : bytes - 1;
    return bytes <= left && text <= LIMIT_ID_BYTES + 2;
}

static uint32_t keep_packed(struct identity *identity, const unsigned char *packed, size_t count)
{
    uint32_t at = identity->value_end;
    uint32_t units = (uint32_t)((count + VALUE_UNIT - 1) / VALUE_UNIT);
    check(((uint64_t)at + units) * VALUE_UNIT + VALUE_PACKED_BYTES <= identity->value_region.bytes);
    memcpy(identity->values + (size_t)at * VALUE_UNIT, packed, count);
    identity->value_end = at + units;
    return at;
}

uint32_t identity_keep_value(struct identity *identity, Str value)
{
    unsigned char packed[VALUE_PACKED_BYTES];
    return keep_packed(identity, packed, identity_pack(value, packed));
}

/* ---- The table ---- */

static const char *value_of(const struct identity *identity, uint32_t node)
{
    return identity->values + (size_t)identity->nodes[node].value * VALUE_UNIT;
}

/* 64 bits: 12 choose the bucket, 8 are the tag, 16 are what the node keeps, and their leading ones the segment. */
static uint64_t hash_of(const struct identity *identity, IdentityKind kind, const unsigned char *packed, size_t count)
{
    return hash_64(str_of(packed, count), identity->seed + kind);
}
static uint16_t node_hash(uint64_t hash) { return (uint16_t)(hash >> 8); }
static uint32_t segment_of(const struct identity *identity, uint16_t hash)
{
    return identity->directory[hash >> (NODE_HASH_BITS - identity->directory_bits)];
}
static uint32_t bucket_of(uint64_t hash) { return hash >> 24 & (SEGMENT_BUCKETS - 1); }
static uint8_t tag_of(uint64_t hash) { return (uint8_t)hash; }

static struct bucket *bucket_at(const struct identity *identity, uint32_t segment, uint32_t at)
{
    struct bucket *buckets = (struct bucket *)(void *)identity->table_region.start;
    return &buckets[(size_t)segment * SEGMENT_BUCKETS + at];
}

/* A bit for every slot of the bucket whose tag may be this one (it is, or the one before it was). */
static uint32_t match_tags(const struct bucket *bucket, uint8_t tag)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t low, high = 0;
    uint32_t found = 0;
    memcpy(&low, bucket->tags, 8);
    memcpy(&high, bucket->tags + 8, 4);
    low ^= ones * tag;
    high ^= ones * tag;
    low = (low - ones) & ~low & highs;
    high = (high - ones) & ~high & highs & UINT32_MAX;
    for (; low; low &= low - 1) found |= 1u << (__builtin_ctzll(low) / 8);
    for (; high; high &= high - 1) found |= 256u << (__builtin_ctzll(high) / 8);
    return found & ((1u << bucket->count) - 1);
}

struct packed_id {
    IdentityKind kind;
    uint64_t hash;
    const unsigned char *bytes;
    size_t count;
};

/* Finds the identifier's place: its bucket and the index in it; false if it is not there. */
static bool find_place(const struct identity *identity, const struct packed_id *id, struct bucket **ret_bucket,
                       uint32_t *ret_index)
{
    uint64_t hash = id->hash;
    uint32_t segment = segment_of(identity, node_hash(hash)), at = bucket_of(hash);
    for (uint32_t looked = 0; looked < SEGMENT_BUCKETS; looked++) {
        struct bucket *bucket = bucket_at(identity, segment, at);
        for (uint32_t found = match_tags(bucket, tag_of(hash)); found; found &= found - 1) {
            uint32_t index = (uint32_t)__builtin_ctz(found);
            const struct node *node = &identity->nodes[bucket->nodes[index]];
            if (node->hash != node_hash(hash) || node->kind != id->kind) continue;
            if (memcmp(identity->values + (size_t)node->value * VALUE_UNIT, id->bytes, id->count)) continue;
            *ret_bucket = bucket;
            *ret_index = index;
            return true;
        }
        if (!bucket->is_overflown) return false;
        at = (at + 1) & (SEGMENT_BUCKETS - 1);
    }
    return false;
}

static void put_node(struct identity *identity, uint32_t segment, uint32_t node, uint32_t home, uint8_t tag)
{
    uint32_t at = home;
    struct bucket *bucket = bucket_at(identity, segment, at);
    while (bucket->count == BUCKET_NODES) {
        bucket->is_overflown = true;
        at = (at + 1) & (SEGMENT_BUCKETS - 1);
        bucket = bucket_at(identity, segment, at);
    }
    if (at != home) bucket->guests |= (uint16_t)(1u << bucket->count);
    bucket->tags[bucket->count] = tag;
    bucket->nodes[bucket->count++] = node;
    identity->segments[segment].node_count++;
}

static void double_directory(struct identity *identity)
{
    size_t count = (size_t)1 << identity->directory_bits;
    identity->directory = realloc(identity->directory, 2 * count * sizeof *identity->directory);
    check(identity->directory);
    for (size_t i = count; i-- > 0;)
        identity->directory[2 * i] = identity->directory[2 * i + 1] = identity->directory[i];
    identity->directory_bits++;
}

static uint64_t hash_of_node(const struct identity *identity, uint32_t node)
{
    const char *packed = value_of(identity, node);
    return hash_of(identity, identity->nodes[node].kind, (const unsigned char *)packed, packed_bytes(packed));
}

/* Moves half of the segment's identifiers, those with a one as the next bit of the hash, to a new segment. */
static void split_segment(struct identity *identity, uint32_t segment)
{
    enum { AHEAD = 8 };
    struct region copy;
    size_t bytes = SEGMENT_BUCKETS * sizeof(struct bucket);
    uint32_t bits = ++identity->segments[segment].bits, twin = identity->segment_count++;
    check(twin < SEGMENTS_MAX && bits <= NODE_HASH_BITS);
    if (bits > identity->directory_bits) double_directory(identity);
    for (size_t i = 0; i < (size_t)1 << identity->directory_bits; i++)
        if (identity->directory[i] == segment && i >> (identity->directory_bits - bits) & 1)
            identity->directory[i] = twin;
    identity->segments[twin] = (struct segment){ 0, (uint8_t)bits };
    identity->segments[segment].node_count = 0;

    region_open(&copy, bytes);
    const struct bucket *old = memcpy(copy.start, bucket_at(identity, segment, 0), bytes);
    memset(bucket_at(identity, segment, 0), 0, bytes);
    for (uint32_t i = 0; i < SEGMENT_BUCKETS; i++) {
        const struct bucket *bucket = &old[i], *ahead = &old[(i + AHEAD) & (SEGMENT_BUCKETS - 1)];
        for (uint32_t k = 0; k < ahead->count; k++) __builtin_prefetch(&identity->nodes[ahead->nodes[k]]);
        for (uint32_t k = 0; k < bucket->count; k++) {
            uint32_t node = bucket->nodes[k];
            uint32_t home = bucket->guests >> k & 1 ? bucket_of(hash_of_node(identity, node)) : i;
            put_node(identity, segment_of(identity, identity->nodes[node].hash), node, home, bucket->tags[k]);
        }
    }
    region_close(&copy);
}

uint32_t identity_lookup(const struct identity *identity, IdentityKind kind, Str value)
{
    unsigned char packed[VALUE_PACKED_BYTES];
    struct bucket *bucket;
    uint32_t index;
    if (value.len > LIMIT_ID_BYTES) return NONE;
    size_t count = identity_pack(value, packed);
    struct packed_id id = { kind, hash_of(identity, kind, packed, count), packed, count };
    return find_place(identity, &id, &bucket, &index) ? bucket->nodes[index] : NONE;
}

static struct bucket *home_of(const struct identity *identity, uint64_t hash)
{
    return bucket_at(identity, segment_of(identity, node_hash(hash)), bucket_of(hash));
}

void identity_prefetch(const struct identity *identity, const IdentityMessage *message, IdentityAhead *ret)
{
    const Str values[] = { message->user_id, message->anonymous_id };
    const IdentityKind kinds[] = { IDENTITY_USER, IDENTITY_ANONYMOUS };
    *ret = (IdentityAhead){ 0 };
    for (size_t i = 0; i < countof(values); i++) {
        unsigned char packed[VALUE_PACKED_BYTES];
        if (values[i].len == 0 || values[i].len > LIMIT_ID_BYTES) continue;
        ret->hashes[i] = hash_of(identity, kinds[i], packed, identity_pack(values[i], packed));
        __builtin_prefetch(home_of(identity, ret->hashes[i]));
    }
}

void identity_prefetch_nodes(const struct identity *identity, const IdentityAhead *ahead)
{
    for (size_t i = 0; i < countof(ahead->hashes); i++) {
        if (!ahead->hashes[i]) continue;
        const struct bucket *bucket = home_of(identity, ahead->hashes[i]);
        for (uint32_t found = match_tags(bucket, tag_of(ahead->hashes[i])); found; found &= found - 1) {
            uint32_t node = bucket->nodes[__builtin_ctz(found)];
            __builtin_prefetch(&identity->nodes[node], 1);
            __builtin_prefetch(&identity->heads[node], 1);
        }
    }
}

void identity_prefetch_rest(const struct identity *identity, const IdentityAhead *ahead)
{
    for (size_t i = 0; i < countof(ahead->hashes); i++) {
        if (!ahead->hashes[i]) continue;
        const struct bucket *bucket = home_of(identity, ahead->hashes[i]);
        for (uint32_t found = match_tags(bucket, tag_of(ahead->hashes[i])); found; found &= found - 1)
            __builtin_prefetch(value_of(identity, bucket->nodes[__builtin_ctz(found)]));
    }
}

uint32_t identity_intern(struct identity *identity, IdentityKind kind, Str value, bool *ret_is_new)
{
    unsigned char packed[VALUE_PACKED_BYTES];
    struct bucket *bucket;
    uint32_t index;
    size_t count = identity_pack(value, packed);
    uint64_t hash = hash_of(identity, kind, packed, count);
    struct packed_id id = { kind, hash, packed, count };
    *ret_is_new = !find_place(identity, &id, &bucket, &index);
    if (!*ret_is_new) return bucket->nodes[index];
    while (identity->segments[segment_of(identity, node_hash(hash))].node_count >= SEGMENT_NODES_MOST)
        split_segment(identity, segment_of(identity, node_hash(hash)));
    uint32_t node = identity->node_count++;
    check(node < IDENTITY_NODES_MAX - 1);
    put_node(identity, segment_of(identity, node_hash(hash)), node, bucket_of(hash), tag_of(hash));
    identity->nodes[node] = (struct node){
        .value = keep_packed(identity, packed, count), .hash = node_hash(hash), .kind = kind,
        .link = kind == IDENTITY_USER ? node : NONE, .next = NONE,
    };
    identity_set_slot(identity, node, node);
    return node;
}

void identity_forget(struct identity *identity, uint32_t node)
{
    struct node *n = &identity->nodes[node];
    struct bucket *bucket;
    uint32_t index;
    const unsigned char *packed = (const unsigned char *)value_of(identity, node);
    size_t count = packed_bytes((const char *)packed);
    uint64_t hash = hash_of(identity, n->kind, packed, count);
    check(find_place(identity, &(struct packed_id){ n->kind, hash, packed, count }, &bucket, &index));
    uint32_t last = --bucket->count;   /* the last entry takes its place; nodes that overflowed can still be found */
    uint16_t is_guest = bucket->guests >> last & 1;
    bucket->tags[index] = bucket->tags[last];
    bucket->nodes[index] = bucket->nodes[last];
    bucket->guests = (uint16_t)((bucket->guests & ~(1u << index) & ~(1u << last)) | (index < last) * is_guest << index);
    identity->segments[segment_of(identity, node_hash(hash))].node_count--;
    memset(identity->values + (size_t)n->value * VALUE_UNIT, 0, count);
    identity->has_wiped_values = true;
    n->flags = NODE_ERASED | (n->flags & NODE_SHARED);
}

int identity_compare_values(const struct identity *identity, uint32_t a, uint32_t b)
{
    char text_a[LIMIT_ID_BYTES], text_b[LIMIT_ID_BYTES];
    if (a == b) return 0;
    int order = str_compare(identity_unpack(value_of(identity, a), text_a),
                            identity_unpack(value_of(identity, b), text_b));
    return order ? order : (int)identity->nodes[a].kind - identity->nodes[b].kind;
}

Str identity_read_value(const struct identity *identity, IdentityNode node, char *text)
{
    check(node < identity->node_count);
    if (identity->nodes[node].flags & NODE_ERASED) return (Str){ text, 0 };
    return identity_unpack(value_of(identity, node), text);
}

/* Makes the whole table anew from the nodes, so large that nothing is split on the way. */
void identity_rebuild_table(struct identity *identity)
{
    enum { AHEAD = 16 };
    uint64_t hashes[AHEAD] = { 0 };
    uint32_t bits = 0;
    while (identity->node_count > ((uint64_t)SEGMENT_BUCKETS * BUCKET_NODES * 6 / 10) << bits) bits++;
    identity->directory_bits = bits;
    identity->segment_count = 1u << bits;
    check(identity->segment_count <= SEGMENTS_MAX);
    identity->directory = realloc(identity->directory, sizeof *identity->directory << bits);
    check(identity->directory);
    for (uint32_t i = 0; i < identity->segment_count; i++) {
        identity->directory[i] = i;
        identity->segments[i] = (struct segment){ 0, (uint8_t)bits };
    }
    for (uint32_t i = 0; i < identity->node_count + AHEAD; i++) {
        uint32_t behind = i - AHEAD;
        uint64_t hash = hashes[i % AHEAD];
        if (i >= AHEAD && !(identity->nodes[behind].flags & NODE_ERASED))
            put_node(identity, segment_of(identity, node_hash(hash)), behind, bucket_of(hash), tag_of(hash));
        if (i >= identity->node_count || identity->nodes[i].flags & NODE_ERASED) continue;
        hashes[i % AHEAD] = hash = hash_of_node(identity, i);
        __builtin_prefetch(bucket_at(identity, segment_of(identity, node_hash(hash)), bucket_of(hash)), 1);
    }
}

void identity_intern_init(struct identity *identity)
{
    region_open(&identity->table_region, (size_t)SEGMENTS_MAX * SEGMENT_BUCKETS * sizeof(struct bucket));
    identity->directory = calloc(1, sizeof *identity->directory);
    identity->segments = calloc(SEGMENTS_MAX, sizeof *identity->segments);
    check(identity->directory && identity->segments);
    identity->segment_count = 1;
}

void identity_intern_done(struct identity *identity)
{
    free(identity->directory);
    free(identity->segments);
    region_close(&identity->table_region);
}
