/* http_person_export: all that is held about a person, as NDJSON: a line each for the person, the history of traits,
 * groups, links, and every event, oldest first.
 *
 * Who the person is and which events are theirs is read under the guard; the events themselves, which may be many,
 * without it, so that nothing waits for them. An answer has a size: the last line of each says how to go on. */
#include "http_people.h"

#include <stdlib.h>

enum { EXPORT_BYTES = LIMIT_ANSWER_BYTES - 4 * LIMIT_RECORD_BYTES, LISTS_BYTES = LIMIT_ANSWER_BYTES / 2 };

typedef Status Section(struct exchange *exchange, const People *people, IdentityPerson person, Arena *arena,
                       struct buf *out, Err *err);

static Status write_person(struct exchange *exchange, const People *people, IdentityPerson person, Arena *arena,
                           struct buf *out, Err *err)
{
    (void)exchange;
    return people_write_person(people, person, arena, out, err);
}

static Status write_links(struct exchange *exchange, const People *people, IdentityPerson person, Arena *arena,
                          struct buf *out, Err *err)
{
    (void)exchange;
    return people_write_links(people, person, arena, out, err);
}

static const struct { const char *kind; Section *write; } sections[] = {
    { "person", write_person }, { "traits_history", people_write_history }, { "groups", people_write_groups },
    { "links", write_links },
};

static Status put_sections(struct exchange *exchange, const People *people, IdentityPerson person, Arena *arena,
                           struct buf *out, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < countof(sections); at++) {
        Arena scratch = *arena;
        buf_printf(out, "{\"kind\":\"%s\",\"data\":", sections[at].kind);
        s = sections[at].write(exchange, people, person, &scratch, out, err);
        buf_str_put(out, STR("}\n"));
    }
    if (!s && out->len > LISTS_BYTES)
        s = err_set(err, ERR_TOO_LARGE, "traits, groups and links of this person are more than an answer holds");
    return s;
}

static int oldest_first(const void *a, const void *b)
{
    const PersonEvent *left = a, *right = b;
    if (left->time_ms != right->time_ms) return left->time_ms < right->time_ms ? -1 : 1;
    return left->pos < right->pos ? -1 : left->pos > right->pos;
}

/* As many as fit. The cursor is a number of events: one that is told late but happened earlier shifts the rest, so
 * that the next page repeats an event rather than lacks one. */
static Status put_events(const People *people, const PersonEvent *events, size_t count, size_t at, const Arena *arena,
                         struct buf *out, Err *err)
{
    for (; at < count && out->len < EXPORT_BYTES; at++) {
        Arena scratch = *arena;
        Event event;
        Status s = people_read_event(people, events[at].pos, &scratch, &event, err);
        if (s == ERR_NOT_FOUND) continue;                    /* erased, or retired since */
        if (s) return s;
        buf_str_put(out, STR("{\"kind\":\"event\",\"data\":"));
        buf_str_put(out, event.json);
        buf_str_put(out, STR("}\n"));
    }
    buf_printf(out, "{\"kind\":\"end\",\"data\":{\"events\":%zu", count);
    people_put_offset(out, at < count, at);
    buf_str_put(out, STR("}}\n"));
    return OK;
}

static Status write_export(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct applier *applier = exchange_options(exchange)->applier;
    People people = apply_people(applier);
    IdentityPerson person;
    PersonEvent *events;
    size_t count, from;
    Status s = people_read_offset(exchange, arena, INT32_MAX, &from, err);
    if (s) return s;
    apply_begin_reading(applier);
    s = people_find_one(exchange, &people, arena, &person, err);
    if (!s && from == 0) s = put_sections(exchange, &people, person, arena, out, err);
    if (!s) s = people_list_events(&people, person, arena, &events, &count, err);
    apply_end_reading(applier);
    if (s) return s;
    qsort(events, count, sizeof *events, oldest_first);
    return put_events(&people, events, count, from, arena, out, err);
}

static void work_export(struct exchange *exchange, Arena *arena)
{
    Err err = { 0 };
    buf_clear(&exchange->answer);
    Status s = write_export(exchange, arena, &exchange->answer, &err);
    if (!s && !buf_ok(&exchange->answer)) s = err_set(&err, ERR_TOO_LARGE, "the answer is too large");
    if (s) reply_error(exchange, s, &err);
    else reply_text(exchange, 200, "application/x-ndjson", buf_str(&exchange->answer));
}

void http_people_export(struct exchange *exchange) { exchange_defer(exchange, work_export); }
