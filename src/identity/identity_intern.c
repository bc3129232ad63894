/* Identifiers: values packed into one long region, found through a hash table in 1,024 segments.
 *
 * A packed value is a prefix code, so equal bytes are equal values and no length is stored twice:
 *   0..239   that many raw bytes follow
 *   240      16-bit length, raw bytes
 *   241      a UUID in lower case, 8-4-4-4-12, as 16 bytes
 *   242      lower-case hexadecimal of even length 16..128: length / 2, then the bytes (ObjectIds, MD5, …)
 *
 * A slot of the table is 28 bits of node and 4 bits of fingerprint; the node holds 16 more bits of the hash.
 * The three together are enough to place the slot again when its segment grows (by a half, at 80 % full),
 * without touching the value. A segment of 50 million identifiers has 50,000: growing it takes a millisecond,
 * and there is never a moment when the whole table is rehashed.
 */
#include "identity_state.h"

#include <stdlib.h>

enum {
    TAG_RAW_MAX = 239, TAG_LONG = 240, TAG_UUID = 241, TAG_HEX = 242,
    HEX_LEAST = 16, HEX_MOST = 128,
    NODE_BITS = 28, FINGER_BITS = 4,
    EMPTY = UINT32_MAX,
};

/* ---- Packing ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static bool pack_hex(const char *text, size_t count, unsigned char *bytes)
{
    for (size_t i = 0; i < count; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if ((high | low) < 0) return false;
        bytes[i / 2] = (unsigned char)(high << 4 | low);
    }
    return true;
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

/* How many bytes a packed value has, from its first ones. */
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

/* 64 bits: 10 choose the segment, 16 go to the node, 4 to the slot. */
static uint64_t hash_of(const struct identity *identity, IdentityKind kind, const unsigned char *packed, size_t count)
{
    return hash_64(str_of(packed, count), identity->seed + kind);
}
static uint32_t segment_of(uint64_t hash) { return (uint32_t)(hash >> 54); }
static uint16_t node_hash(uint64_t hash) { return (uint16_t)(hash >> 32); }
static uint32_t finger_of(uint64_t hash) { return (uint32_t)hash & ((1u << FINGER_BITS) - 1); }

static uint32_t first_slot(uint16_t hash, uint32_t finger, uint32_t capacity)
{
    return (uint32_t)(((uint64_t)((uint32_t)hash << FINGER_BITS | finger) * capacity) >> (16 + FINGER_BITS));
}

static uint32_t find_slot(const struct identity *identity, IdentityKind kind, uint64_t hash,
                          const unsigned char *packed, size_t count)
{
    const uint32_t *slots = identity->segments[segment_of(hash)].slots;
    uint32_t capacity = identity->segments[segment_of(hash)].capacity, finger = finger_of(hash);
    uint32_t at = first_slot(node_hash(hash), finger, capacity);

    for (; slots[at] != EMPTY; at = at + 1 == capacity ? 0 : at + 1) {
        if (slots[at] >> NODE_BITS != finger) continue;
        const struct node *node = &identity->nodes[slots[at] & (IDENTITY_NODES_MAX - 1)];
        if (node->hash != node_hash(hash) || node->kind != kind) continue;
        if (memcmp(identity->values + (size_t)node->value * VALUE_UNIT, packed, count) == 0) break;
    }
    return at;
}

static void grow_segment(struct identity *identity, uint32_t segment)
{
    uint32_t old_capacity = identity->segments[segment].capacity, *old = identity->segments[segment].slots;
    uint32_t capacity = old_capacity < 8 ? 8 : old_capacity + old_capacity / 2;
    uint32_t *slots = malloc(capacity * sizeof *slots);
    check(slots);
    memset(slots, 0xff, capacity * sizeof *slots);
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i] == EMPTY) continue;
        uint16_t hash = identity->nodes[old[i] & (IDENTITY_NODES_MAX - 1)].hash;
        uint32_t at = first_slot(hash, old[i] >> NODE_BITS, capacity);
        while (slots[at] != EMPTY) at = at + 1 == capacity ? 0 : at + 1;
        slots[at] = old[i];
    }
    free(old);
    identity->segments[segment].slots = slots;
    identity->segments[segment].capacity = capacity;
}

uint32_t identity_lookup(const struct identity *identity, IdentityKind kind, Str value)
{
    unsigned char packed[VALUE_PACKED_BYTES];
    if (value.len > LIMIT_ID_BYTES) return NONE;
    size_t count = identity_pack(value, packed);
    uint64_t hash = hash_of(identity, kind, packed, count);
    if (!identity->segments[segment_of(hash)].count) return NONE;
    uint32_t slot = identity->segments[segment_of(hash)].slots[find_slot(identity, kind, hash, packed, count)];
    return slot == EMPTY ? NONE : slot & (IDENTITY_NODES_MAX - 1);
}

uint32_t identity_intern(struct identity *identity, IdentityKind kind, Str value, bool *ret_is_new)
{
    unsigned char packed[VALUE_PACKED_BYTES];
    size_t count = identity_pack(value, packed);
    uint64_t hash = hash_of(identity, kind, packed, count);
    uint32_t segment = segment_of(hash);

    if ((identity->segments[segment].count + 1) * 5 > identity->segments[segment].capacity * 4)
        grow_segment(identity, segment);
    uint32_t at = find_slot(identity, kind, hash, packed, count);
    uint32_t *slot = &identity->segments[segment].slots[at];
    *ret_is_new = *slot == EMPTY;
    if (*slot != EMPTY) return *slot & (IDENTITY_NODES_MAX - 1);

    uint32_t node = identity->node_count++;
    check(node < IDENTITY_NODES_MAX - 1);
    *slot = finger_of(hash) << NODE_BITS | node;
    identity->segments[segment].count++;
    identity->nodes[node] = (struct node){
        .value = keep_packed(identity, packed, count), .hash = node_hash(hash), .kind = kind,
        .link = kind == IDENTITY_USER ? node : NONE, .next = NONE,
    };
    identity_set_slot(identity, node, node);
    return node;
}

void identity_forget(struct identity *identity, uint32_t node)
{
    const char *packed = value_of(identity, node);
    size_t count = packed_bytes(packed);
    unsigned char copy[VALUE_PACKED_BYTES];
    memcpy(copy, packed, count);
    uint64_t hash = hash_of(identity, identity->nodes[node].kind, copy, count);
    uint32_t segment = segment_of(hash), capacity = identity->segments[segment].capacity;
    uint32_t *slots = identity->segments[segment].slots;
    uint32_t hole = find_slot(identity, identity->nodes[node].kind, hash, copy, count);
    check(slots[hole] != EMPTY);

    for (uint32_t at = hole + 1 == capacity ? 0 : hole + 1; slots[at] != EMPTY; at = at + 1 == capacity ? 0 : at + 1) {
        uint16_t its_hash = identity->nodes[slots[at] & (IDENTITY_NODES_MAX - 1)].hash;
        uint32_t home = first_slot(its_hash, slots[at] >> NODE_BITS, capacity);
        uint32_t from_home = (at + capacity - home) % capacity, from_hole = (at + capacity - hole) % capacity;
        if (from_home < from_hole) continue;
        slots[hole] = slots[at];
        hole = at;
    }
    slots[hole] = EMPTY;
    identity->segments[segment].count--;
    memset(identity->values + (size_t)identity->nodes[node].value * VALUE_UNIT, 0, count);
    identity->nodes[node].flags = NODE_ERASED | (identity->nodes[node].flags & NODE_SHARED);
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

void identity_intern_done(struct identity *identity)
{
    for (uint32_t i = 0; i < SEGMENTS; i++) free(identity->segments[i].slots);
}
