/* live_people: the people with the latest messages, for a list of people without a search.
 *
 * The index is sorted by person, and would have to be read whole. The journal has the right
 * order, but is read forwards; so it is read in pieces, the newest first, each from further back, until enough people
 * are known or so much was read that the list ends there. For a person only one number is kept. A message's person
 * may have changed when a page is written: then all are looked up again, at one moment. */
#include "live_private.h"

#include <stdlib.h>

enum {
    GROUP_RECORDS = 256, GROUP_BYTES = 16 * 1024 * 1024 + GROUP_RECORDS * LIMIT_RECORD_BYTES,
    PEOPLE_ENOUGH = 1000,                            /* more than the page that is asked for */
};
static const uint64_t READ_BYTES = 64 * 1024 * 1024;

typedef struct Seen {
    IdentityPerson person;
    uint32_t piece;                                  /* of the journal; a later message of the same piece counts */
    JournalPos pos;                                  /* of the person's last message */
} Seen;

struct list {
    struct live *live;
    const atomic_bool *is_cancelled;
    Seen *seen;
    uint32_t count, capacity, piece;
    struct slots slots;
    struct journal_reader *reader;
    struct event_parser *parser;
    struct region region;
};

static void done(struct list *list)
{
    free(list->seen);
    slots_done(&list->slots);
    event_parser_close(list->parser);
    region_close(&list->region);
}

static uint64_t hash_of(IdentityPerson person) { return hash_64(str_of(&person, sizeof person), 0); }

static Status note(struct list *list, IdentityPerson person, JournalPos pos, Err *err)
{
    uint64_t hash = hash_of(person);
    for (uint32_t at, probe = 0; (at = slots_next(&list->slots, hash, &probe)) != SLOTS_NONE;) {
        if (list->seen[at].person != person) continue;
        if (list->seen[at].piece == list->piece) list->seen[at].pos = pos;
        return OK;
    }
    if (!vector_reserve(list->seen, list->capacity, list->count + 1, SLOTS_MOST)
        || !slots_reserve(&list->slots, list->count + 1))
        return err_set(err, ERR_FULL, "no memory for a list of people");
    slots_put(&list->slots, hash, list->count);
    list->seen[list->count++] = (Seen){ person, list->piece, pos };
    return OK;
}

/* ---- A piece of the journal ---- */

static Status judge(struct list *list, LiveRow *rows, size_t count, Arena scratch, Err *err)
{
    struct applier *applier = list->live->options.applier;
    Status s = OK;
    derive_begin_reading(applier);
    People people = derive_people(applier);
    for (size_t at = 0; at < count; at++) live_row_judge(applier, &people, list->parser, scratch, &rows[at]);
    derive_end_reading(applier);
    for (size_t at = 0; !s && at < count; at++)
        if (rows[at].fate == LIVE_ACCEPTED && !rows[at].is_hidden && rows[at].person != IDENTITY_NONE)
            s = note(list, rows[at].person, rows[at].pos, err);
    return s;
}

/* ERR_NOT_FOUND: there is nothing more before the end. */
static Status read_group(struct list *list, JournalPos end, Err *err)
{
    Arena arena = region_arena(&list->region);
    LiveRow *rows = arena_new(&arena, LiveRow, GROUP_RECORDS);
    size_t count = 0;
    uint64_t skipped;
    Status s = OK;
    while (!s && count < GROUP_RECORDS && arena_left(&arena) > 8 * 1024 * 1024) {
        JournalRecord record;
        bool is_message = false;
        s = journal_reader_position(list->reader) < end ? journal_read(list->reader, &record, err)
                                                        : err_set(err, ERR_NOT_FOUND, "it ends there");
        if (s == ERR_DAMAGED) {
            s = journal_skip_damage(list->reader, &skipped, err);
            continue;
        }
        if (s) break;
        if (live_row_read(arena_copy(&arena, record.bytes), record.pos, &arena, &rows[count], &is_message, NULL))
            continue;
        count += is_message;
    }
    Status judged = judge(list, rows, count, arena, err);
    return judged ? judged : s;
}

static bool is_given_up(const struct list *list)
{
    return list->is_cancelled && atomic_load_explicit(list->is_cancelled, memory_order_relaxed);
}

static Status read_piece(struct list *list, JournalPos from, JournalPos end, Err *err)
{
    list->piece++;
    Status s = journal_reader_open(list->live->options.journal, from, &list->reader, err);
    if (s) return s;
    while (!s) s = is_given_up(list) ? err_set(err, ERR_CLOSED, "the client went away") : read_group(list, end, err);
    journal_reader_close(list->reader);
    return s == ERR_NOT_FOUND ? OK : s;
}

static Status read_back(struct list *list, LivePage *page, Err *err)
{
    static const Millis spans[] = { SECOND_MS, 10 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS,
                                    7 * DAY_MS, 30 * DAY_MS, INT64_C(30) * 366 * DAY_MS };
    struct journal *journal = list->live->options.journal;
    Millis now_ms = clock_now_ms(list->live->options.clock);
    DeriveStats stats;
    derive_read_stats(list->live->options.applier, &stats);
    JournalPos end = stats.applied, from = end;
    Status s = OK;
    page->since_ms = now_ms;
    for (size_t at = 0; !s && at < countof(spans); at++) {
        JournalPos reach = journal_find_time(journal, now_ms - spans[at]);
        size_t found = 0;
        if (journal_distance(reach, end) > READ_BYTES && from < end) break;
        if (reach < from) s = read_piece(list, reach, from, err);
        from = reach < from ? reach : from;
        page->since_ms = at + 1 == countof(spans) ? 0 : now_ms - spans[at];
        for (uint32_t place = 0; place < list->count; place++) found += list->seen[place].pos < page->before;
        if (found >= page->limit + PEOPLE_ENOUGH) break;
    }
    return s;
}

/* ---- A page ---- */

static int compare_latest(const void *a, const void *b)
{
    const Seen *one = a, *other = b;
    return one->pos < other->pos ? 1 : one->pos > other->pos ? -1 : 0;
}

/* Under the guard. The message's person now; IDENTITY_NONE: nobody, or somebody who is on the page already. */
static IdentityPerson find_now(const People *people, const Seen *seen, const IdentityPerson *put, size_t count,
                               Arena scratch)
{
    Event event;
    bool is_erased;
    if (people_read_event(people, seen->pos, &scratch, &event, NULL)) return IDENTITY_NONE;
    IdentityPerson person = people_find_sender(people, &event, &is_erased);
    for (size_t at = 0; at < count; at++)
        if (put[at] == person) return IDENTITY_NONE;
    return is_erased ? IDENTITY_NONE : person;
}

static Status put_page(struct list *list, LivePage *page, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson *put = arena_new(arena, IdentityPerson, page->limit);
    struct applier *applier = list->live->options.applier;
    size_t count = 0;
    Status s = OK;
    derive_begin_reading(applier);
    People people = derive_people(applier);
    people.is_cancelled = page->is_cancelled;
    for (uint32_t at = 0; !s && at < list->count; at++) {
        if (list->seen[at].pos >= page->before) continue;
        if (count == page->limit) {
            page->next = list->seen[at - 1].pos;
            break;
        }
        IdentityPerson person = find_now(&people, &list->seen[at], put, count, *arena);
        if (person == IDENTITY_NONE) continue;
        put[count++] = person;
        Arena scratch = *arena;
        s = people_write_person(&people, person, &scratch, out, err);
    }
    derive_end_reading(applier);
    return s;
}

Status live_write_people(struct live *live, LivePage *page, Arena *arena, struct buf *out, Err *err)
{
    struct list list = { .live = live, .is_cancelled = page->is_cancelled, .parser = event_parser_open() };
    check(list.parser != NULL);
    region_open(&list.region, GROUP_BYTES);
    if (page->before == JOURNAL_OLDEST) page->before = JOURNAL_NEVER;
    page->next = JOURNAL_OLDEST;
    Status s = read_back(&list, page, err);
    if (!s && list.count) qsort(list.seen, list.count, sizeof *list.seen, compare_latest);
    if (!s) s = put_page(&list, page, arena, out, err);
    done(&list);
    return s;
}
