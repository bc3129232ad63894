/* checks: the promises, asked of the journal from outside.
 *   1. every acknowledged messageId is there, as it was sent;
 *   2. nothing is there that nobody sent;
 *   3. positions grow, and reading finds no damage;
 *   4. a rejected message of a well-formed client is a bug;
 *   5. derived state has every message once, and is the same when it is made again from the journal;
 *   and who is one person: checks_identity.c. */
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

/* ---- Derived state ---- */

void checks_catch_up(struct world *world, struct applier *applier)
{
    unsigned faults = world->disk.fault_per_million;
    bool more = true;
    Err err;
    world->disk.fault_per_million = 0;
    while (more)
        if (apply_step(applier, &more, &err)) world_fail(world, "applying without faults: %s", err.text);
    world->disk.fault_per_million = faults;
}

static void tell_person(struct world *world, struct applier *applier, IdentityKind kind, const char *id, bool is_long,
                        Arena arena, struct buf *out)
{
    People people = apply_people(applier);
    IdentityPerson person;
    Err err;
    buf_clear(out);
    apply_begin_reading(applier);
    Status s = kind == IDENTITY_USER ? people_find_user(&people, str_from(id), &person, &err)
                                     : people_find_anonymous(&people, str_from(id), &person, &err);
    bool is_unknown = s == ERR_NOT_FOUND;
    if (!s) s = people_write_person(&people, person, &arena, out, &err);
    if (!s && is_long) s = people_write_events(&people, person, 20, (Str){ 0 }, &arena, out, &err);
    if (!s && is_long) s = people_write_links(&people, person, &arena, out, &err);
    apply_end_reading(applier);
    if (s && !is_unknown) world_fail(world, "telling %s: %s", id, err.text);
}

static void compare_person(struct world *world, struct applier *again, IdentityKind kind, const char *id,
                           Arena arena)
{
    struct buf live, anew;
    if (!id[0]) return;
    bool is_long = fake_dice_chance(&world->dice, 50);    /* with timeline and evidence: a read of the disk each */
    buf_init(&live, 64 * 1024 * 1024);
    buf_init(&anew, 64 * 1024 * 1024);
    tell_person(world, world->applier, kind, id, is_long, arena, &live);
    tell_person(world, again, kind, id, is_long, arena, &anew);
    size_t same = 0;
    while (same < live.len && same < anew.len && live.bytes[same] == anew.bytes[same]) same++;
    if (same < live.len || same < anew.len) {
        same = same > 60 ? same - 60 : 0;
        world_fail(world, "%s is another after a rebuild:\n...%.*s\n...%.*s", id,
                   STR_FORMAT(str_slice(buf_str(&live), same, same + 200)),
                   STR_FORMAT(str_slice(buf_str(&anew), same, same + 200)));
    }
    buf_done(&live);
    buf_done(&anew);
}

static uint64_t count_distinct(struct world *world)
{
    bool *found = calloc(world->visitors.sent_count + 1, sizeof *found);
    uint64_t count = 0;
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    Err err;
    check(found != NULL);
    if (journal_reader_open(world->journal, 0, &reader, &err)) world_fail(world, "reader: %s", err.text);
    while (!journal_read(reader, &record, &err)) {
        if (event_decode(record.bytes, &event, &err)) world_fail(world, "decode: %s", err.text);
        for (size_t at = 0; at < world->visitors.sent_count; at++) {
            if (found[at] || !str_equal(event.message_id, str_from(world->sent[at].message_id))) continue;
            found[at] = true;
            count++;
            break;
        }
    }
    journal_reader_close(reader);
    free(found);
    return count;
}

void checks_derived(struct world *world)
{
    struct applier *again;
    struct region region;
    ApplyStats live, anew;
    Err err;
    unsigned faults = world->disk.fault_per_million;
    world->disk.fault_per_million = 0;
    checks_identity(world);
    ApplyOptions options = world_apply_options(world, "/data/again", "again");
    if (kv_destroy(options.state_dir, &err)) world_fail(world, "removing a store: %s", err.text);
    if (apply_open(&options, &again, &err)) world_fail(world, "opening a second applier: %s", err.text);
    checks_catch_up(world, again);
    apply_read_stats(world->applier, &live);
    apply_read_stats(again, &anew);
    uint64_t distinct = count_distinct(world);
    if (anew.events != distinct || live.events != distinct)
        world_fail(world, "%llu messages are in the journal, %llu were applied, %llu by a rebuild",
                   (unsigned long long)distinct, (unsigned long long)live.events, (unsigned long long)anew.events);
    region_open(&region, (size_t)1 << 30);
    for (size_t at = 0; at < world->visitors.sent_count; at += 1 + fake_dice_below(&world->dice, 40)) {
        compare_person(world, again, IDENTITY_USER, world->sent[at].user_id, region_arena(&region));
        compare_person(world, again, IDENTITY_ANONYMOUS, world->sent[at].anonymous_id, region_arena(&region));
    }
    region_close(&region);
    apply_close(again);
    world->disk.fault_per_million = faults;
}
