/* checks: the promises, asked of the journal and of derived state from outside.
 *   1. every acknowledged messageId is there, as it was sent; or is of an id that was suppressed, or was erased;
 *   2. nothing is there that nobody sent, and nothing changes: every record is what it was, or zeros by an order;
 *   3. positions grow, and reading finds no damage;
 *   4. a rejected message of a well-formed client is a bug;
 *   5. derived state has every message once, and is the same when it is made again from the journal;
 *   and who is one person: checks_identity.c; what questions answer: checks_questions.c; what vendors were told:
 *   checks_deliveries.c and vendors.c. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

void checks_event(struct world *world, const Sent *sent, const Event *event)
{
    const struct { const char *field; Str have; const char *want; } rows[] = {
        { "userId", event->user_id, sent->user_id },
        { "anonymousId", event->anonymous_id, sent->anonymous_id },
        { "previousId", event->previous_id, sent->previous_id },
        { "name", event->name, sent->name },
        { "source", event->source, visitors_sources[sent->source] },
    };
    for (int at = 0; at < EXTERNALS; at++)
        if (sent->externals[at][0] && !str_contains(event->json, str_from(sent->externals[at])))
            world_fail(world, "%s came back without its %s", sent->message_id, visitors_externals[at]);
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

/* ---- The journal ---- */

/* An erasure is done: the applier came past it, and lists it no more. */
static bool is_done(struct world *world, JournalPos command)
{
    ControlErasure erasures[64];
    DeriveStats stats;
    uint64_t done;
    if (!world->applier) return false;
    derive_read_stats(world->applier, &stats);
    if (stats.applied <= command) return false;
    size_t count = control_list_erasures(derive_control(world->applier), erasures, countof(erasures), &done);
    for (size_t at = 0; at < count; at++)
        if (erasures[at].command == command) return false;
    return count < countof(erasures);
}

static void check_record(struct world *world, const Entry *entry, const JournalRecord *record)
{
    RecordKind kind = record_kind(record->bytes);
    Event event;
    Err err;
    if (record->pos != entry->pos)
        world_fail(world, "there is a record at %llu; after what came before it should be at %llu",
                   (unsigned long long)record->pos, (unsigned long long)entry->pos);
    if (kind == RECORD_ERASED) {
        if (world->canary == CANARY_ERASURE || (!entry->erased_by && !entry->is_late))
            world_fail(world, "the record at %llu is erased, and nobody ordered it", (unsigned long long)entry->pos);
        return;
    }
    if (entry->erased_by && is_done(world, entry->erased_by))
        world_fail(world, "the erasure at %llu is done, and the record at %llu is there",
                   (unsigned long long)entry->erased_by, (unsigned long long)entry->pos);
    if (kind != (entry->sent == HISTORY_COMMAND ? RECORD_COMMAND : RECORD_EVENT))
        world_fail(world, "the record at %llu is of another kind", (unsigned long long)entry->pos);
    if (kind != RECORD_EVENT) return;
    if (event_decode(record->bytes, &event, &err)) world_fail(world, "decode: %s", err.text);
    if (!str_equal(event.message_id, str_from(world->sent[entry->sent].message_id)))
        world_fail(world, "the record at %llu is of another message", (unsigned long long)entry->pos);
    checks_event(world, &world->sent[entry->sent], &event);
}

void checks_run(struct world *world)
{
    unsigned faults = world->disk.fault_per_million;
    world->disk.fault_per_million = 0;                    /* the questions are asked of what is there */
    history_follow(world);
    struct journal_reader *reader;
    JournalRecord record;
    retention_look(world);
    size_t count = world->history.gone;
    Status s;
    Err err;
    if (journal_reader_open(world->journal, JOURNAL_OLDEST, &reader, &err)) world_fail(world, "reader: %s", err.text);
    while (!(s = journal_read(reader, &record, &err))) {
        if (count == world->history.count) world_fail(world, "there are more records than before");
        check_record(world, &world->history.entries[count++], &record);
    }
    if (s != ERR_NOT_FOUND) world_fail(world, "reading the journal: %s", err.text);
    journal_reader_close(reader);
    if (count < world->history.count) world_fail(world, "records at the end of the journal are gone");
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *sent = &world->sent[at];
        bool was_suppressed = history_was_suppressed(world, (int)at);
        if (sent->was_dropped && !was_suppressed)
            world_fail(world, "%s was left out, though none of its ids was suppressed", sent->message_id);
        if (sent->is_acknowledged && !sent->is_known && !was_suppressed)
            world_fail(world, "%s was acknowledged and is lost", sent->message_id);
    }
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
        if (derive_step(applier, &more, &err)) world_fail(world, "applying without faults: %s", err.text);
    world->disk.fault_per_million = faults;
}

static const char *const kind_names[] = { "user_id", "anonymous_id", "email", "phone" };       /* as IdentityKind */

static void tell_person(struct world *world, struct applier *applier, IdentityKind kind, const char *id, bool is_long,
                        Arena arena, struct buf *out)
{
    People people = derive_people(applier);
    IdentityPerson person;
    Err err;
    buf_clear(out);
    derive_begin_reading(applier);
    bool is_unknown = !people_find_kind(&people, str_from(kind_names[kind]), str_from(id), &person);
    Status s = is_unknown ? ERR_NOT_FOUND : OK;
    if (!s) s = people_write_person(&people, person, &arena, out, &err);
    if (!s && is_long) s = people_write_events(&people, person, &(PeoplePage){ .limit = 20 }, &arena, out, &err);
    if (!s && is_long) s = people_write_links(&people, person, &arena, out, &err);
    derive_end_reading(applier);
    if (s && !is_unknown) world_fail(world, "telling %s: %s", id, err.text);
}

/* The same by HTTP: route, key, worker and all. */
static void ask_person(struct world *world, IdentityKind kind, const char *id, const struct buf *said,
                       struct buf *answer)
{
    char path[128];
    if (kind >= IDENTITY_EXTERNAL)
        snprintf(path, sizeof path, "/api/v1/people/resolve?id=%s:%s", kind_names[kind], id);
    else
        snprintf(path, sizeof path, "/api/v1/people/resolve?%s=%s", kind_names[kind], id);
    unsigned status = wire_get(world, path, answer);
    world->questions++;
    if (status != (said->len ? 200 : 404))
        world_fail(world, "GET %s: %u %.*s", path, status, STR_FORMAT(buf_str(answer)));
    if (said->len && !str_equal(buf_str(said), buf_str(answer)))
        world_fail(world, "GET %s: %.*s, but it is %.*s", path, STR_FORMAT(buf_str(answer)), STR_FORMAT(buf_str(said)));
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
    if (!is_long) ask_person(world, kind, id, &live, &anew);
    tell_person(world, again, kind, id, is_long, arena, &anew);
    size_t same = 0;
    while (same < live.len && same < anew.len && live.bytes[same] == anew.bytes[same]) same++;
    if (same < live.len || same < anew.len) {
        same = same > 60 ? same - 60 : 0;
        world_fail(world, "%s is another after a rebuild:\n...%.*s\n...%.*s", id,
                   STR_FORMAT(str_slice(buf_str(&live), same, same + 400)),
                   STR_FORMAT(str_slice(buf_str(&anew), same, same + 400)));
    }
    buf_done(&live);
    buf_done(&anew);
}

/* Messages that were ever taken; of them, those that still count. */
static uint64_t count_messages(const struct world *world, bool is_ever)
{
    uint64_t count = 0;
    for (size_t at = 0; at < world->visitors.sent_count; at++)
        count += is_ever ? world->sent[at].is_known : world->sent[at].is_counted;
    return count;
}

void checks_derived(struct world *world)
{
    struct applier *again;
    struct region region;
    DeriveStats live, anew;
    Err err;
    unsigned faults = world->disk.fault_per_million;
    checks_identity(world);
    checks_questions(world);
    world->disk.fault_per_million = 0;
    if (world->history.gone) {                            /* what is gone is known until all is derived anew */
        world_remake(world);
        world->disk.fault_per_million = 0;
        checks_identity(world);
        checks_questions(world);
    }
    DeriveOptions options = world_apply_options(world, "/data/again", "again");
    if (kv_destroy(options.state_dir, &err)) world_fail(world, "removing a store: %s", err.text);
    if (derive_open(&options, &again, &err)) world_fail(world, "opening a second applier: %s", err.text);
    checks_catch_up(world, again);
    derive_read_stats(world->applier, &live);
    derive_read_stats(again, &anew);
    uint64_t ever = count_messages(world, true), now = count_messages(world, false);
    if (anew.events != now || (live.events != ever && !world->rebuilds))
        world_fail(world, "%llu messages came, of which %llu count; %llu were applied, %llu by a rebuild",
                   (unsigned long long)ever, (unsigned long long)now, (unsigned long long)live.events,
                   (unsigned long long)anew.events);
    region_open(&region, (size_t)1 << 30);
    for (size_t at = 0; at < world->visitors.sent_count; at += 1 + fake_dice_below(&world->dice, 40)) {
        compare_person(world, again, IDENTITY_USER, world->sent[at].user_id, region_arena(&region));
        compare_person(world, again, IDENTITY_ANONYMOUS, world->sent[at].anonymous_id, region_arena(&region));
        for (int external = 0; external < EXTERNALS && world->has_externals; external++)
            compare_person(world, again, (IdentityKind)(IDENTITY_EXTERNAL + external),
                           world->sent[at].externals[external], region_arena(&region));
    }
    region_close(&region);
    checks_findings(world, again);
    derive_close(again);
    world->disk.fault_per_million = faults;
}
