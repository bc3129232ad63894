/* Persons by name, and what belongs to them. */
#include "identity_state.h"

#include <stdlib.h>

IdentityNode identity_find(const struct identity *identity, IdentityKind kind, Str value)
{
    char room[LIMIT_ID_BYTES];
    value = identity_fold(identity, kind, value, room);
    uint32_t node = value.len ? identity_lookup(identity, kind, value) : NONE;
    return node != NONE && identity_is_seen(identity, node) ? node : NONE;
}

Hash128 identity_lasting_number(const struct identity *identity, IdentityNode node)
{
    char text[LIMIT_ID_BYTES];
    return hash_128(identity_read_value(identity, node, text), identity_kind_of(identity, node));
}

IdentityKind identity_kind_of(const struct identity *identity, IdentityNode node)
{
    check(node < identity->node_count);
    return identity->nodes[node].kind;
}

Str identity_kind_name(const struct identity *identity, IdentityKind kind)
{
    if (kind == IDENTITY_USER) return STR("user_id");
    if (kind == IDENTITY_ANONYMOUS) return STR("anonymous_id");
    check(kind < IDENTITY_EXTERNAL + identity->external_count);
    return (Str){ identity->externals[kind].name, identity->externals[kind].name_bytes };
}

bool identity_find_kind(const struct identity *identity, Str name, IdentityKind *ret)
{
    for (IdentityKind kind = 0; kind < IDENTITY_EXTERNAL + identity->external_count; kind++) {
        if (!str_equal(identity_kind_name(identity, kind), name)) continue;
        *ret = kind;
        return true;
    }
    return false;
}

/* ---- Person ids: kind, then the value; what is not a letter, a digit, '.', '_' or '-' as ~XX ---- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

static uint32_t canonical_node(const struct identity *identity, uint32_t person)
{
    uint32_t least = person;
    if (identity->nodes[person].kind != IDENTITY_USER) return person;
    for (uint32_t user = identity->nodes[person].link; user != person; user = identity->nodes[user].link)
        if (identity_compare_values(identity, user, least) < 0) least = user;
    return least;
}

void identity_write_person_id(const struct identity *identity, IdentityPerson person, struct buf *buf)
{
    char text[LIMIT_ID_BYTES];
    check(person < identity->node_count);
    uint32_t node = canonical_node(identity, person);
    IdentityKind kind = identity->nodes[node].kind;
    if (kind == IDENTITY_USER) buf_str_put(buf, STR("u_"));
    else if (kind == IDENTITY_ANONYMOUS) buf_str_put(buf, STR("a_"));
    else buf_printf(buf, "x_%.*s:", STR_FORMAT(identity_kind_name(identity, kind)));
    Str value = identity_read_value(identity, node, text);
    for (size_t i = 0; i < value.len; i++) {
        if (is_plain(value.bytes[i])) buf_char(buf, value.bytes[i]);
        else buf_printf(buf, "~%02X", (unsigned char)value.bytes[i]);
    }
}

/* Of an id that Onym wrote: upper case alone, so that each has one spelling. */
static int upper_hex_value(char c) { return c >= 'a' ? -1 : hex_value(c); }

IdentityPerson identity_find_person(const struct identity *identity, Str person_id)
{
    char text[LIMIT_ID_BYTES];
    size_t len = 0;
    IdentityKind kind;
    if (str_starts(person_id, STR("u_"))) kind = IDENTITY_USER;
    else if (str_starts(person_id, STR("a_"))) kind = IDENTITY_ANONYMOUS;
    else if (str_starts(person_id, STR("x_"))) kind = IDENTITY_EXTERNAL;
    else return NONE;
    Str rest = str_slice(person_id, 2, person_id.len);
    if (kind == IDENTITY_EXTERNAL) {
        Str name = str_cut(rest, ':', &rest);
        uint32_t end = IDENTITY_EXTERNAL + identity->external_count;
        while (kind < end && !str_equal(identity_kind_name(identity, kind), name)) kind++;
        if (kind == end) return NONE;
    }
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.bytes[i];
        if (c == '~') {
            int high = i + 2 < rest.len ? upper_hex_value(rest.bytes[i + 1]) : -1;
            int low = high >= 0 ? upper_hex_value(rest.bytes[i + 2]) : -1;
            if (low < 0) return NONE;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (!is_plain(c)) {
            return NONE;
        }
        if (len == sizeof text) return NONE;
        text[len++] = c;
    }
    uint32_t node = identity_find(identity, kind, (Str){ text, len });
    return node == NONE ? NONE : identity_person_now(identity, node);
}

/* ---- Members ---- */

struct members {
    const struct identity *identity;
    struct vector found;                                      /* uint32_t */
};

static void collect_member(void *context, uint32_t node)
{
    struct members *members = context;
    *(uint32_t *)vector_push(&members->found, sizeof(uint32_t)) = node;
    if (members->identity->nodes[node].kind >= IDENTITY_EXTERNAL)
        identity_visit_owned(members->identity, node, collect_member, members);
}

static int compare_members(const void *a, const void *b, void *identity)
{
    const IdentityMember *x = a, *y = b;
    if (x->kind != y->kind) return (int)x->kind - (int)y->kind;
    return identity_compare_values(identity, x->node, y->node);
}

Status identity_list_members(const struct identity *identity, IdentityPerson person, Arena *arena,
                             IdentityMember **ret_members, size_t *ret_count, Err *err)
{
    struct members members = { identity, { 0 } };
    check(person < identity->node_count);
    uint32_t node = person;
    do {
        collect_member(&members, node);
        if (identity->nodes[node].kind != IDENTITY_USER) break;
        identity_visit_owned(identity, node, collect_member, &members);
        node = identity->nodes[node].link;
    } while (node != person);

    uint32_t *nodes = members.found.items;
    size_t count = 0;
    qsort(nodes, members.found.count, sizeof *nodes, compare_u32);
    IdentityMember *list = arena_try(arena, sizeof *list, _Alignof(IdentityMember), members.found.count);
    if (list) {
        for (size_t i = 0; i < members.found.count; i++) {
            if (i > 0 && nodes[i] == nodes[i - 1]) continue;
            list[count++] = (IdentityMember){ nodes[i], identity->nodes[nodes[i]].kind,
                                              identity_person_now(identity, nodes[i]) == person };
        }
        qsort_r(list, count, sizeof *list, compare_members, (void *)(uintptr_t)identity);
    }
    vector_done(&members.found);
    *ret_members = list;
    *ret_count = count;
    return list ? OK : err_set(err, ERR_TOO_LARGE, "the person has %zu identifiers: more than an answer holds", count);
}

/* ---- Numbers ---- */

void identity_read_stats(const struct identity *identity, IdentityStats *ret)
{
    *ret = (IdentityStats){
        .users = identity->seen_count[IDENTITY_USER], .anonymous = identity->seen_count[IDENTITY_ANONYMOUS],
        .erased = identity->erased_count, .shared = (uint32_t)(identity->shared.count - identity->shared_free.count),
        .links = identity->saved_rows + identity->row_count - 1, .aliases = identity->alias_count,
        .removed = identity->removed.count,
        .blocked = identity->blocked_count,
    };
    for (uint32_t kind = IDENTITY_EXTERNAL; kind < IDENTITY_KINDS; kind++)
        ret->externals += identity->seen_count[kind];
    ret->resident_bytes = (uint64_t)identity->node_count * (sizeof(struct node) + sizeof(uint32_t)) +
                          (uint64_t)identity->value_end * VALUE_UNIT + identity->row_count * sizeof(struct row) +
                          (uint64_t)identity->segment_count * SEGMENT_BUCKETS * BUCKET_BYTES +
                          identity->slots.count * IDENTITY_PAGE_NODES * sizeof(uint32_t) +
                          identity->shared.capacity * sizeof(struct shared);
    for (uint32_t i = 0; i < identity->shared.count; i++)
        ret->resident_bytes += identity_shared(identity, i)->moment_capacity * sizeof(struct moment) +
                               identity_shared(identity, i)->owner_capacity * sizeof(uint32_t);
}
