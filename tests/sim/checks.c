/* checks: the promises, asked of the journal from outside.
 *   1. every acknowledged messageId is there, as it was sent;
 *   2. nothing is there that nobody sent;
 *   3. positions grow, and reading finds no damage;
 *   4. a rejected message of a well-formed client is a bug. */
#include "world.h"

#include <stdlib.h>

static int compare_sent(const void *a, const void *b)
{
    return strcmp((*(Sent *const *)a)->message_id, (*(Sent *const *)b)->message_id);
}

static Sent *find_sent(Sent **sorted, size_t count, Str message_id)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(str_from(sorted[middle]->message_id), message_id);
        if (order == 0) return sorted[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

static void check_event(struct world *world, const Sent *sent, const Event *event)
{
    const struct { const char *field; Str have; const char *want; } rows[] = {
        { "userId", event->user_id, sent->user_id },
        { "anonymousId", event->anonymous_id, sent->anonymous_id },
        { "previousId", event->previous_id, sent->previous_id },
        { "name", event->name, sent->name },
        { "source", event->source, "sim" },
    };
    if (event->type != sent->type) world_fail(world, "%s came back as another type", sent->message_id);
    for (size_t at = 0; at < countof(rows); at++)
        if (!str_equal(rows[at].have, str_from(rows[at].want)))
            world_fail(world, "%s: %s is \"%.*s\", was sent as \"%s\"", sent->message_id, rows[at].field,
                       STR_FORMAT(rows[at].have), rows[at].want);
    if (event->original_timestamp_ms != sent->happened_at_ms)
        world_fail(world, "%s: its time is not the one that was sent", sent->message_id);
    if (event->timestamp_ms > event->received_at_ms)
        world_fail(world, "%s: corrected by a clock that agrees, it still comes from the future", sent->message_id);
}

static void check_record(struct world *world, Sent **sorted, const JournalRecord *record, bool *found)
{
    Event event;
    Err err;
    if (record_kind(record->bytes) != RECORD_EVENT)
        world_fail(world, "a record at %llu is no event", (unsigned long long)record->pos);
    if (event_decode(record->bytes, &event, &err)) world_fail(world, "decode: %s", err.text);
    Sent *sent = find_sent(sorted, world->visitors.sent_count, event.message_id);
    if (!sent) world_fail(world, "\"%.*s\" was sent by nobody", STR_FORMAT(event.message_id));
    if (!sent->is_submitted) world_fail(world, "%s is there and was never submitted", sent->message_id);
    check_event(world, sent, &event);
    found[sent - world->sent] = true;
}

void checks_run(struct world *world)
{
    size_t count = world->visitors.sent_count;
    unsigned faults = world->disk.fault_per_million;
    world->disk.fault_per_million = 0;                    /* the questions are asked of what is there */
    Sent **sorted = calloc(count + 1, sizeof *sorted);
    bool *found = calloc(count + 1, sizeof *found);
    check(sorted && found);
    for (size_t at = 0; at < count; at++) sorted[at] = &world->sent[at];
    qsort(sorted, count, sizeof *sorted, compare_sent);

    struct journal_reader *reader;
    JournalRecord record;
    JournalPos last = 0;
    Err err;
    if (journal_reader_open(world->journal, 0, &reader, &err)) world_fail(world, "reader: %s", err.text);
    Status s;
    while (!(s = journal_read(reader, &record, &err))) {
        if (record.pos < last) world_fail(world, "positions went back");
        last = record.next;
        check_record(world, sorted, &record, found);
    }
    if (s != ERR_NOT_FOUND) world_fail(world, "reading the journal: %s", err.text);
    journal_reader_close(reader);
    for (size_t at = 0; at < count; at++)
        if (world->sent[at].is_acknowledged && !found[at])
            world_fail(world, "%s was acknowledged and is lost", world->sent[at].message_id);
    free(sorted);
    free(found);
    world->disk.fault_per_million = faults;
}
