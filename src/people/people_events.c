/* people_events: a person's events lie under several subjects, in every run. Runs are sorted by subject, so each
 * member costs one search in each run, whatever the number of events in it. */
#include "people.h"

enum { EVENTS_MAX = 20 * 1000 * 1000, ROWS_A_LOOK = 1024, LOOKS_MOST = 1000 };

struct gathering {
    const People *people;
    const struct identity_view *view;
    IdentityPerson person;
    IndexCodes codes;
    Arena *arena;
    PersonEvents found;
    size_t capacity;
    uint32_t looks;                          /* at messages, for their ids */
};

int people_oldest_first(const void *a, const void *b)
{
    const PersonEvent *left = a, *right = b;
    if (left->time_ms != right->time_ms) return left->time_ms < right->time_ms ? -1 : 1;
    return left->pos < right->pos ? -1 : left->pos > right->pos;
}

int people_newest_first(const void *a, const void *b) { return people_oldest_first(b, a); }

Status people_read_event(const People *people, JournalPos pos, Arena *arena, Event *ret, Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    Status s = journal_read_at(people->journal, pos, &reader, &record, err);
    if (!s) {
        Str copy = arena_copy(arena, record.bytes);
        s = record_kind(copy) == RECORD_EVENT ? event_decode(copy, ret, err)
                                              : err_set(err, ERR_NOT_FOUND, "the event was erased");
    }
    journal_reader_close(reader);
    return s;
}

/* The rest of the arena is the room for events: nothing else is taken from it while events are gathered. */
static Status put_event(struct gathering *gathering, Millis time_ms, JournalPos pos, Err *err)
{
    if (gathering->found.count == EVENTS_MAX || !arena_try(gathering->arena, sizeof(PersonEvent), 1, 1))
        return err_set(err, ERR_TOO_LARGE, "the person has more events than one answer can hold");
    gathering->found.items[gathering->found.count++] = (PersonEvent){ time_ms, pos };
    return OK;
}

/* Does a row of a shared identifier belong to the person? The messageId, which has to be read, decides between equal
 * times. */
static Status is_of_person(struct gathering *gathering, IdentityNode node, Millis time_ms, JournalPos pos, bool *ret,
                           Err *err)
{
    Str message_id = { 0 };
    struct region region = { 0 };
    Status s = OK;
    if (identity_view_needs_id(gathering->view, node, time_ms)) {
        Event event;
        region_open(&region, 4 * LIMIT_RECORD_BYTES);
        Arena scratch = region_arena(&region);
        s = people_read_event(gathering->people, pos, &scratch, &event, err);
        if (!s) message_id = event.message_id;
    }
    if (!s) *ret = identity_view_find_person(gathering->view, node, time_ms, message_id) == gathering->person;
    region_close(&region);
    return s;
}

static Status gather_run(struct gathering *gathering, const IndexRun *run, IdentityNode node, Err *err)
{
    uint32_t ordinal, row = index_run_row_of(run, node, 0, &ordinal);
    if (ordinal == run->subject_count || run->subjects[ordinal] != node) return OK;
    bool is_shared = identity_is_shared(identity_view_slot(gathering->view, node));
    do {
        bool is_ours = true;
        Millis time_ms = run->times.base + (Millis)index_packed_get(&run->times, row);
        Status s = index_codes_has(&gathering->codes, row) ? OK : index_codes_load(&gathering->codes, row, err);
        if (s) return s;
        JournalPos pos = index_codes_get(&gathering->codes, row);
        if ((is_shared || row % ROWS_A_LOOK == 0) && people_is_given_up(gathering->people))
            return err_set(err, ERR_CLOSED, "the client went away");
        if (is_shared) s = is_of_person(gathering, node, time_ms, pos, &is_ours, err);
        if (!s && is_ours) s = put_event(gathering, time_ms, pos, err);
        if (s) return s;
        row++;
    } while (row < run->row_count && !(run->starts[row / 64] >> (row % 64) & 1));
    return OK;
}

static Status gather(struct gathering *gathering, const IdentityMember *members, size_t member_count, Err *err)
{
    struct index_snapshot *snapshot;
    unsigned char *bytes = arena_new(gathering->arena, unsigned char, INDEX_CODES_BYTES);
    Status s = index_snapshot_open(gathering->people->index, &snapshot, err);
    if (s) return s;
    gathering->found.items = arena_new(gathering->arena, PersonEvent, 1);
    for (uint32_t at = 0; !s && at < index_snapshot_run_count(snapshot); at++) {
        const IndexRun *run = index_snapshot_run(snapshot, at);
        index_codes_init(&gathering->codes, run, INDEX_POSITIONS, 0, bytes, NULL);
        for (size_t member = 0; !s && member < member_count; member++) {
            IdentityNode node = members[member].node;
            uint32_t slot = identity_view_slot(gathering->view, node);
            if (slot == gathering->person || identity_is_shared(slot)) s = gather_run(gathering, run, node, err);
        }
    }
    if (!s) s = index_snapshot_check(snapshot, err);
    index_snapshot_close(snapshot);
    return s;
}

Status people_list_events(const People *people, IdentityPerson person, Arena *arena, PersonEvents *ret, Err *err)
{
    IdentityMember *members;
    size_t member_count;
    Status s = identity_list_members(people->identity, person, arena, &members, &member_count, err);
    if (s) return s;
    struct gathering gathering = { .people = people, .person = person, .arena = arena,
                                   .view = identity_take_view(people->identity) };
    s = gather(&gathering, members, member_count, err);
    identity_give_view(people->identity, gathering.view);
    *ret = gathering.found;
    return s;
}

/* ---- First and last seen ---- */

/* A row of a shared identifier is looked at by its messageId only where times are equal. */
static Status owns_row(struct gathering *gathering, IdentityNode node, uint32_t row, bool *ret, Millis *ret_ms,
                       Err *err)
{
    const IndexRun *run = gathering->codes.run;
    *ret_ms = run->times.base + (Millis)index_packed_get(&run->times, row);
    *ret = true;
    if (!identity_is_shared(identity_view_slot(gathering->view, node))) return OK;
    if (!identity_view_needs_id(gathering->view, node, *ret_ms)) {
        *ret = identity_view_find_person(gathering->view, node, *ret_ms, (Str){ 0 }) == gathering->person;
        return OK;
    }
    *ret = false;
    if (gathering->looks++ >= LOOKS_MOST) return OK;         /* anybody may send a million of one moment */
    Status s = index_codes_has(&gathering->codes, row) ? OK : index_codes_load(&gathering->codes, row, err);
    if (!s) s = is_of_person(gathering, node, *ret_ms, index_codes_get(&gathering->codes, row), ret, err);
    if (s != ERR_NOT_FOUND) return s;
    *ret = false;                                            /* erased, or retired since */
    return OK;
}

static Millis time_of(const IndexRun *run, uint32_t row)
{
    return run->times.base + (Millis)index_packed_get(&run->times, row);
}

static uint32_t first_row_from(const IndexRun *run, uint32_t from, uint32_t to, Millis at_ms)
{
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (time_of(run, middle) < at_ms) from = middle + 1;
        else to = middle;
    }
    return from;
}

struct stretch { uint32_t from, to; };

/* The rows around this one that have the same owner, among these; of a moment that ids decide, and where the owner is
 * itself shared, this one alone. A device has any number of rows, and few spans. */
static struct stretch find_stretch(const struct gathering *gathering, IdentityNode node, uint32_t row,
                                   struct stretch all)
{
    const IndexRun *run = gathering->codes.run;
    uint32_t slot = identity_view_slot(gathering->view, node), at = 0;
    Millis at_ms = time_of(run, row);
    struct stretch alone = { row, row + 1 };
    if (!identity_is_shared(slot) || identity_view_needs_id(gathering->view, node, at_ms)) return alone;
    const struct identity_spans *spans = identity_view_spans(gathering->view, slot);
    for (uint32_t end = spans->count; end - at > 1;) {
        uint32_t middle = at + (end - at) / 2;
        if (spans->spans[middle].from_ms <= at_ms) at = middle;
        else end = middle;
    }
    if (identity_is_shared(identity_view_slot(gathering->view, spans->spans[at].owner))) return alone;
    if (at > 0) all.from = first_row_from(run, all.from, row, spans->spans[at].from_ms + 1);
    if (at + 1 < spans->count) all.to = first_row_from(run, row + 1, all.to, spans->spans[at + 1].from_ms);
    return all;
}

/* Rows of one subject lie together, in order of time: only the ends are looked at. */
static Status look_at_run(struct gathering *gathering, IdentityNode node, Millis *first_ms, Millis *last_ms, Err *err)
{
    const IndexRun *run = gathering->codes.run;
    uint32_t ordinal, next, from = index_run_row_of(run, node, 0, &ordinal);
    Millis at_ms = 0;
    bool is_ours = false;
    Status s = OK;
    if (ordinal == run->subject_count || run->subjects[ordinal] != node) return OK;
    uint32_t to = index_run_row_of(run, (uint64_t)node + 1, ordinal, &next);
    struct stretch all = { from, to };
    for (uint32_t row = from; !s && !is_ours && row < to; row = find_stretch(gathering, node, row, all).to) {
        s = owns_row(gathering, node, row, &is_ours, &at_ms, err);
        if (!s && is_ours && (*first_ms == INSTANT_NONE || at_ms < *first_ms)) *first_ms = at_ms;
    }
    if (s || !is_ours) return s;
    is_ours = false;
    for (uint32_t end = to, row; !s && !is_ours && end > from; end = find_stretch(gathering, node, row, all).from) {
        row = end - 1;
        s = owns_row(gathering, node, row, &is_ours, &at_ms, err);
        if (!s && is_ours && (*last_ms == INSTANT_NONE || at_ms > *last_ms)) *last_ms = at_ms;
    }
    return s;
}

Status people_read_seen(const People *people, IdentityPerson person, Arena scratch, Millis *ret_first_ms,
                        Millis *ret_last_ms, Err *err)
{
    IdentityMember *members;
    struct index_snapshot *snapshot;
    size_t count;
    *ret_first_ms = *ret_last_ms = INSTANT_NONE;
    Status s = identity_list_members(people->identity, person, &scratch, &members, &count, err);
    if (!s) s = index_snapshot_open(people->index, &snapshot, err);
    if (s) return s;
    struct gathering gathering = { .people = people, .person = person, .arena = &scratch,
                                   .view = identity_take_view(people->identity) };
    unsigned char *bytes = arena_new(&scratch, unsigned char, INDEX_CODES_BYTES);
    for (uint32_t run = 0; !s && run < index_snapshot_run_count(snapshot); run++) {
        index_codes_init(&gathering.codes, index_snapshot_run(snapshot, run), INDEX_POSITIONS, 0, bytes, NULL);
        for (size_t at = 0; !s && at < count; at++) {
            uint32_t slot = identity_view_slot(gathering.view, members[at].node);
            if (slot == person || identity_is_shared(slot))
                s = look_at_run(&gathering, members[at].node, ret_first_ms, ret_last_ms, err);
        }
    }
    if (!s) s = index_snapshot_check(snapshot, err);
    identity_give_view(people->identity, gathering.view);
    index_snapshot_close(snapshot);
    return s;
}
