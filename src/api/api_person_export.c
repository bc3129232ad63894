/* api_person_export: all that Onym has about a person, as NDJSON: a line each for the person, the history of traits,
 * groups, links, and every event, oldest first.
 *
 * Who the person is and which events are theirs is read under the guard. The events themselves, which may be many, are
 * read without it, so that nothing waits for them. An answer has a limited size: its last line says how to go on. */
#include "api_people.h"

#include <stdlib.h>

enum { EXPORT_BYTES = LIMIT_ANSWER_BYTES - 4 * LIMIT_RECORD_BYTES, LISTS_BYTES = LIMIT_ANSWER_BYTES / 2 };

typedef Status Section(const People *people, IdentityPerson person, Arena *arena,
                       struct buf *out, Err *err);

static const struct { const char *kind; Section *write; } sections[] = {
    { "person", people_write_person }, { "traits_history", people_write_history }, { "groups", people_write_groups },
    { "links", people_write_links },
};

static Status put_sections(const People *people, IdentityPerson person, Arena *arena,
                           struct buf *out, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < countof(sections); at++) {
        Arena scratch = *arena;
        json_object(out, NULL);
        json_word(out, "kind", sections[at].kind);
        json_name(out, STR("data"));
        s = sections[at].write(people, person, &scratch, out, err);
        json_object_end(out);
        buf_char(out, '\n');
    }
    if (!s && out->len > LISTS_BYTES)
        s = err_set(err, ERR_TOO_LARGE, "traits, groups and links of this person are more than an answer holds");
    return s;
}

/* As many as fit. The cursor is a number of events. A late event that happened earlier shifts the rest: the
 * next page then repeats an event, but none is missing. */
static Status put_events(const People *people, const PersonEvents *events, size_t at, const Arena *arena,
                         struct buf *out, Err *err)
{
    for (; at < events->count && out->len < EXPORT_BYTES; at++) {
        Arena scratch = *arena;
        Event event;
        if (people_is_given_up(people)) return err_set(err, ERR_CLOSED, "the client went away");
        Status s = people_read_event(people, events->items[at].pos, &scratch, &event, err);
        if (s == ERR_NOT_FOUND) continue;                    /* erased, or retired since */
        if (s) return s;
        json_object(out, NULL);
        json_word(out, "kind", "event");
        json_raw(out, "data", event.json);
        json_object_end(out);
        buf_char(out, '\n');
    }
    json_object(out, NULL);
    json_word(out, "kind", "end");
    json_object(out, "data");
    json_uint(out, "events", events->count);
    people_put_offset(out, at < events->count, at);
    json_object_end(out);
    json_object_end(out);
    buf_char(out, '\n');
    return OK;
}

Status api_people_export(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct applier *applier = api_options(exchange)->applier;
    People people = derive_people(applier);
    people.is_cancelled = &exchange->is_cancelled;
    IdentityPerson person;
    PersonEvents events;
    size_t from;
    Status s = people_read_offset(exchange, arena, INT32_MAX, &from, err);
    if (s) return s;
    derive_begin_reading(applier);
    s = people_find_one(exchange, &people, arena, &person, err);
    if (!s && from == 0) s = put_sections(&people, person, arena, out, err);
    if (!s) s = people_list_events(&people, person, arena, &events, err);
    derive_end_reading(applier);
    if (s) return s;
    qsort(events.items, events.count, sizeof *events.items, people_oldest_first);
    return put_events(&people, &events, from, arena, out, err);
}
