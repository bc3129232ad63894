/* people_changes: what changed of who is who. Two views are compared, the one that was told last and the newest: an
 * identifier's row changed where its slot did, or the spans that it names. Two more things make a row another: the name
 * of its person (a person's id is that of the smallest user id) and, of ids of an external id, the spans of that id. So
 * where a user id or an external id changed, all ids of its people are told. Whether an id was ever seen shows in no
 * view: who reads messages tells of theirs.
 *
 * A view that is held keeps the pages that the writer replaced: at most as much memory again as the newest takes. */
#include <stdlib.h>

#include "people.h"

struct people_changes {
    People people;
    const struct identity_view *before, *now;                /* what was told; what is told now */
    uint64_t *nodes, *persons;                               /* bits: to be told */
    uint32_t node_count, node_at, person_at;
};

struct people_changes *people_open_changes(const People *people)
{
    struct people_changes *changes = calloc(1, sizeof *changes);
    check(changes);
    changes->people = *people;
    changes->people.is_cancelled = NULL;
    return changes;
}

static void drop_round(struct people_changes *changes)
{
    free(changes->nodes);
    free(changes->persons);
    changes->nodes = changes->persons = NULL;
    changes->now = NULL;
}

void people_end_round(struct people_changes *changes, bool is_kept)
{
    if (!changes->now) return;
    const struct identity_view *over = is_kept ? changes->before : changes->now;
    if (is_kept) changes->before = changes->now;
    identity_give_view(changes->people.identity, over);
    drop_round(changes);
}

void people_close_changes(struct people_changes *changes)
{
    if (!changes) return;
    people_end_round(changes, false);
    identity_give_view(changes->people.identity, changes->before);
    free(changes);
}

/* ---- Comparing ---- */

static void mark(uint64_t *bits, uint32_t at) { bits[at / 64] |= UINT64_C(1) << at % 64; }

/* Whom the owners of then are now. */
static void mark_former(struct people_changes *changes, uint32_t slot)
{
    if (slot == IDENTITY_NONE) return;
    if (!identity_is_shared(slot)) {
        identity_view_mark_owners(changes->now, identity_view_slot(changes->now, slot), changes->persons);
        return;
    }
    const struct identity_spans *spans = identity_view_spans(changes->before, slot);
    for (uint32_t at = 0; at < spans->count; at++)
        mark_former(changes, identity_view_slot(changes->before, spans->spans[at].owner));
}

static bool is_same(const struct people_changes *changes, uint32_t node)
{
    uint32_t before = identity_view_slot(changes->before, node), now = identity_view_slot(changes->now, node);
    if (before != now || node >= changes->before->node_count) return false;
    return !identity_is_shared(now)
        || identity_view_spans(changes->before, now) == identity_view_spans(changes->now, now);
}

static Status mark_members(struct people_changes *changes, Arena scratch, Err *err)
{
    struct identity *identity = changes->people.identity;
    for (uint32_t person = 0; person < changes->node_count; person++) {
        if (!changes->persons[person / 64]) person |= 63;                    /* none of these */
        if (person >= changes->node_count || !(changes->persons[person / 64] >> person % 64 & 1)) continue;
        Arena room = scratch;
        IdentityMember *members;
        size_t count;
        Status s = identity_list_members(identity, person, &room, &members, &count, err);
        if (s) return s;
        for (size_t at = 0; at < count; at++)
            if (members[at].node < changes->node_count) mark(changes->nodes, members[at].node);
    }
    return OK;
}

static Status compare(struct people_changes *changes, Err *err)
{
    struct region region;
    size_t words = changes->node_count / 64 + 1;
    uint64_t *others = calloc(words, sizeof *others), *persons = changes->persons;
    check(others);
    /* First those whose change may be one of their people's other ids, too. */
    for (uint32_t node = 0; node < changes->node_count; node++) {
        if (is_same(changes, node)) continue;
        mark(changes->nodes, node);
        bool is_alone = identity_kind_of(changes->people.identity, node) == IDENTITY_ANONYMOUS;
        changes->persons = is_alone ? others : persons;
        identity_view_mark_owners(changes->now, identity_view_slot(changes->now, node), changes->persons);
        if (node < changes->before->node_count) mark_former(changes, identity_view_slot(changes->before, node));
    }
    changes->persons = persons;
    region_open(&region, PEOPLE_PIECE_BYTES);
    Status s = mark_members(changes, region_arena(&region), err);
    region_close(&region);
    for (size_t at = 0; at < words; at++) persons[at] |= others[at];
    free(others);
    return s;
}

Status people_begin_round(struct people_changes *changes, bool *ret_all, Err *err)
{
    check(!changes->now);
    changes->now = identity_take_view(changes->people.identity);
    changes->node_count = changes->now->node_count;
    changes->node_at = changes->person_at = 0;
    changes->nodes = calloc(changes->node_count / 64 + 1, sizeof *changes->nodes);
    changes->persons = calloc(changes->node_count / 64 + 1, sizeof *changes->persons);
    check(changes->nodes && changes->persons);
    *ret_all = !changes->before;
    if (changes->before) return compare(changes, err);
    for (uint32_t node = 0; node < changes->node_count; node++) {
        mark(changes->nodes, node);
        identity_view_mark_owners(changes->now, identity_view_slot(changes->now, node), changes->persons);
    }
    return OK;
}

void people_tell_id(struct people_changes *changes, Str kind_name, Str value)
{
    IdentityKind kind;
    if (!value.len || !identity_find_kind(changes->people.identity, kind_name, &kind)) return;
    IdentityNode node = identity_find(changes->people.identity, kind, value);
    if (node >= changes->node_count) return;                 /* IDENTITY_NONE, too */
    mark(changes->nodes, node);
    identity_view_mark_owners(changes->now, identity_view_slot(changes->now, node), changes->persons);
}

void people_tell_event(struct people_changes *changes, const Event *event)
{
    const struct identity *identity = changes->people.identity;
    IdentityNode ids[] = { identity_find(identity, IDENTITY_USER, event->user_id),
                           identity_find(identity, IDENTITY_ANONYMOUS, event->anonymous_id),
                           identity_find(identity, IDENTITY_ANONYMOUS, event->previous_id),
                           identity_find(identity, IDENTITY_USER, event->previous_id) };
    IdentityNode subject = ids[0] == IDENTITY_NONE ? ids[1] : ids[0];
    for (size_t at = 0; at < countof(ids); at++)
        if (ids[at] < changes->node_count) mark(changes->nodes, ids[at]);
    if (subject >= changes->node_count) return;
    IdentityPerson person = identity_view_find_person(changes->now, subject, event->timestamp_ms, event->message_id);
    if (person != IDENTITY_NONE) mark(changes->persons, person);
}

/* ---- Telling ---- */

/* The next bit from *at on; false: there is none. */
static bool next_bit(const uint64_t *bits, uint32_t count, uint32_t *at)
{
    for (; *at < count; ++*at) {
        uint64_t word = bits[*at / 64] >> *at % 64;
        if (word & 1) return true;
        if (!word) *at |= 63;
    }
    return false;
}

struct telling {
    const struct people_changes *changes;
    Arena *arena;
    PeopleSpan *spans;
    size_t count;
    bool is_full;
};

static Str person_name(const struct people_changes *changes, IdentityPerson person, Arena *arena)
{
    char room[IDENTITY_PERSON_ID_BYTES], text[LIMIT_ID_BYTES];
    const struct identity *identity = changes->people.identity;
    if (!identity_read_value(identity, person, text).len) return STR("");            /* erased since */
    return arena_copy(arena, identity_person_id(identity, person, room));
}

static bool is_before(Millis a_ms, Str a_id, Millis b_ms, Str b_id)
{
    return a_ms < b_ms || (a_ms == b_ms && str_compare(a_id, b_id) < 0);
}

/* The spans of a slot, within those of who has it: an external id may itself be shared. */
static void put_spans(struct telling *telling, uint32_t slot, PeopleSpan within)
{
    const struct people_changes *changes = telling->changes;
    if (!identity_is_shared(slot)) {
        PeopleSpan *last = telling->count ? &telling->spans[telling->count - 1] : NULL;
        within.person_id = slot == IDENTITY_NONE ? STR("") : person_name(changes, slot, telling->arena);
        if (last && str_equal(last->person_id, within.person_id)) {
            last->to_ms = within.to_ms, last->to_id = within.to_id;
            return;
        }
        telling->is_full |= telling->count == PEOPLE_SPANS_MOST;
        if (!telling->is_full) telling->spans[telling->count++] = within;
        return;
    }
    const struct identity_spans *spans = identity_view_spans(changes->now, slot);
    for (uint32_t at = 0; at < spans->count && !telling->is_full; at++) {
        const IdentitySpan *span = &spans->spans[at];
        PeopleSpan part = within;
        if (at && is_before(within.from_ms, within.from_id, span->from_ms, span->from_id))
            part.from_ms = span->from_ms, part.from_id = span->from_id;
        if (at + 1 < spans->count && is_before(span[1].from_ms, span[1].from_id, within.to_ms, within.to_id))
            part.to_ms = span[1].from_ms, part.to_id = span[1].from_id;
        if (is_before(part.from_ms, part.from_id, part.to_ms, part.to_id))
            put_spans(telling, identity_view_slot(changes->now, span->owner), part);
    }
}

static void tell_spans(struct people_changes *changes, uint32_t node, Arena *arena, PeopleSpan *room,
                       PeopleIdentifier *ret)
{
    struct telling telling = { changes, arena, room, 0, false };
    put_spans(&telling, identity_view_slot(changes->now, node),
              (PeopleSpan){ INT64_MIN, INT64_MAX, STR(""), STR(""), STR("") });
    size_t count = telling.is_full ? 0 : telling.count, kept = 0;
    PeopleSpan *spans = arena_new(arena, PeopleSpan, count);
    for (size_t at = 0; at < count; at++) {
        if (!room[at].person_id.len) continue;               /* nobody's at that time */
        spans[kept] = room[at];
        spans[kept].from_id = arena_copy(arena, room[at].from_id);
        spans[kept++].to_id = arena_copy(arena, room[at].to_id);
    }
    ret->spans = spans;
    ret->span_count = kept;
}

/* What one identifier or person may take; a piece ends where less is left. */
static bool has_room(const Arena *arena) { return arena_left(arena) > PEOPLE_PIECE_BYTES / 2; }

Status people_next_identifiers(struct people_changes *changes, Arena *arena, PeopleIdentifier *items, size_t max,
                               size_t *ret_count, Err *err)
{
    const struct identity *identity = changes->people.identity;
    PeopleSpan *room = malloc(PEOPLE_SPANS_MOST * sizeof *room);
    size_t count = 0;
    (void)err;
    check(room);
    for (; count < max && has_room(arena) && next_bit(changes->nodes, changes->node_count, &changes->node_at);
         changes->node_at++) {
        char text[LIMIT_ID_BYTES];
        uint32_t node = changes->node_at;
        Str value = identity_read_value(identity, node, text);
        IdentityKind kind = identity_kind_of(identity, node);
        if (!value.len || memchr(value.bytes, 0, value.len)) continue;
        items[count] = (PeopleIdentifier){ .kind = arena_copy(arena, identity_kind_name(identity, kind)),
                                           .value = arena_copy(arena, value) };
        /* It may be seen no more: what only aliases named, and turned out to be a user's. */
        if (identity_find(identity, kind, value) == node) tell_spans(changes, node, arena, room, &items[count]);
        count++;
    }
    free(room);
    *ret_count = count;
    return OK;
}

static Status tell_person(struct people_changes *changes, IdentityPerson person, Arena *arena, PeopleTold *ret,
                          Err *err)
{
    People *people = &changes->people;
    char text[LIMIT_ID_BYTES];
    struct buf out;
    ProfileValues traits = { 0 };
    *ret = (PeopleTold){ .person_id = person_name(changes, person, arena), .user_id = STR("") };
    if (!ret->person_id.len) return OK;
    if (str_starts(ret->person_id, STR("u_"))) {
        IdentityMember *members;
        size_t count;
        Arena scratch = *arena;
        Status s = identity_list_members(people->identity, person, &scratch, &members, &count, err);
        if (s) return s;                                     /* the smallest user id is the first */
        Str user = count ? identity_read_value(people->identity, members[0].node, text) : STR("");
        ret->user_id = arena_copy(arena, user);
    }
    Status s = people_read_seen(people, person, *arena, &ret->first_ms, &ret->last_ms, err);
    Arena scratch = *arena;
    buf_init(&out, LIMIT_RECORD_BYTES * 4);
    if (!s && people->profile) s = people_read_traits(people, person, &scratch, &traits, err);
    if (s == ERR_TOO_LARGE) s = OK, traits.count = 0;
    json_object(&out, NULL);
    for (size_t at = 0; !s && at < traits.count; at++) {
        json_name(&out, traits.items[at].key);
        json_raw(&out, NULL, traits.items[at].json);
    }
    json_object_end(&out);
    ret->traits = buf_ok(&out) ? arena_copy(arena, buf_str(&out)) : STR("{}");
    buf_done(&out);
    return s;
}

Status people_next_people(struct people_changes *changes, Arena *arena, PeopleTold *items, size_t max,
                          size_t *ret_count, Err *err)
{
    size_t count = 0;
    Status s = OK;
    for (; !s && count < max && has_room(arena) && next_bit(changes->persons, changes->node_count, &changes->person_at);
         changes->person_at++) {
        IdentityPerson person = identity_person_now(changes->people.identity, changes->person_at);
        if (person == IDENTITY_NONE) continue;
        s = tell_person(changes, person, arena, &items[count], err);
        count += !s && items[count].person_id.len;
    }
    *ret_count = count;
    return s;
}
