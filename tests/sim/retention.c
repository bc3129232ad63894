/* retention: a second opinion on what the journal forgets, and the clock that misleads it. */
#include "world.h"

enum { ON_PER_THOUSAND = 300, SEGMENT_BYTES = 8 * 1024, JUMPS_MOST_IN_WORLD = 6 };

void retention_init(struct world *world)
{
    struct retention *retention = &world->retention;
    struct fake_dice *dice = &world->dice;
    retention->is_on = world->canary == CANARY_RETENTION || fake_dice_chance(dice, ON_PER_THOUSAND);
    if (!retention->is_on) return;
    bool has_age = world->canary == CANARY_RETENTION || fake_dice_chance(dice, 700);
    if (has_age) retention->age_ms = (2 + (Millis)fake_dice_below(dice, 10)) * MINUTE_MS;
    bool has_size = !has_age || fake_dice_chance(dice, 200);
    if (has_size) retention->bytes = 2 * SEGMENT_BYTES + fake_dice_below(dice, 32 * 1024);
    if (fake_dice_chance(dice, 300)) retention->undelivered_ms = retention->age_ms + MINUTE_MS;
}

/* ---- What goes ---- */

/* Called for each segment that was removed: by size, if there was too much. */
static void on_notice(void *context, const SegmentsNotice *notice)
{
    struct world *world = context;
    JournalStats stats;
    world_tell(world, "the journal tells: %d at %llu, %lld ms, %s", (int)notice->kind,
               (unsigned long long)notice->pos, (long long)notice->by_ms,
               notice->reason ? notice->reason : "-");
    if (notice->kind != SEGMENTS_RETIRED) return;
    world->retention.retired++;
    if (!str_equal(str_from(notice->reason), STR("retention.bytes"))) return;
    journal_read_stats(world->journal, &stats);
    if (stats.disk_bytes + notice->disk_bytes <= world->retention.bytes)
        world_fail(world, "the segment at %llu is removed, though there is room", (unsigned long long)notice->pos);
}

static void check_age(struct world *world, const Entry *entry)
{
    Millis age_ms = (world->clock.monotonic_ns - entry->came_ns) / 1000000;
    if (!world->retention.bytes && age_ms < world->retention.age_ms)
        world_fail(world, "the record at %llu is gone after %lld ms", (unsigned long long)entry->pos,
                   (long long)age_ms);
}

void retention_look(struct world *world)
{
    struct retention *retention = &world->retention;
    JournalPos first = journal_first(world->journal);
    DeriveStats derived;
    size_t gone = 0;
    for (; gone < world->history.count && world->history.entries[gone].pos < first; gone++)
        if (world->history.entries[gone].pos >= retention->first) check_age(world, &world->history.entries[gone]);
    if (gone == world->history.gone) return;
    if (!retention->is_on || gone < world->history.gone)
        world_fail(world, "the journal begins at %llu", (unsigned long long)first);
    if (first > retention->hold)
        world_fail(world, "all up to %llu is gone, and the destinations need it from %llu on",
                   (unsigned long long)first, (unsigned long long)retention->hold);
    if (world->applier) {
        derive_read_stats(world->applier, &derived);
        if (derived.applied < first)
            world_fail(world, "all up to %llu is gone, applied is up to %llu", (unsigned long long)first,
                       (unsigned long long)derived.applied);
    }
    retention->first = first;
    world->history.gone = gone;
}

void retention_options(struct world *world, SegmentsOptions *options)
{
    const struct retention *retention = &world->retention;
    if (!retention->is_on) return;
    options->segment_bytes = SEGMENT_BYTES;
    options->retention_ms = retention->age_ms;
    options->retention_bytes = retention->bytes;
    options->notice = on_notice;
    options->notice_context = world;
}

void retention_hold(struct world *world, bool is_start)
{
    struct retention *retention = &world->retention;
    JournalStats stats;
    if (!retention->is_on) return;
    JournalPos pos = is_start ? JOURNAL_OLDEST : deliver_position(world->deliver);
    if (!is_start && retention->undelivered_ms) {
        JournalPos oldest = journal_find_age(world->journal, retention->undelivered_ms);
        if (oldest > pos) pos = oldest;
        journal_read_stats(world->journal, &stats);
        if (retention->bytes && stats.disk_bytes > 2 * retention->bytes) pos = UINT64_MAX;
    }
    retention->hold = pos;
    if (world->canary == CANARY_RETENTION) return;        /* the fault to be found */
    journal_set_hold(world->journal, "destinations", pos);
}

/* ---- The clock ---- */

/* Seen by whoever keeps the journal before the power can go: nobody could tell it from time that passed. */
void retention_jump(struct world *world)
{
    struct retention *retention = &world->retention;
    bool more, has_faults = world->disk.fault_per_million != 0;
    Millis by_ms = (Millis)fake_dice_below(&world->dice, 6 * HOUR_MS) - 3 * HOUR_MS;
    Err err;
    if (!retention->is_on || world->may_erase || world->disk.capacity_bytes) return;
    if (retention->jumps == JUMPS_MOST_IN_WORLD) return;
    if (by_ms > -2 * MINUTE_MS && by_ms < 2 * MINUTE_MS) return;
    Millis off_ms = retention->clock_off_ms + by_ms;
    if (off_ms > 4 * HOUR_MS || off_ms < -4 * HOUR_MS) return;
    unsigned faults = world->disk.fault_per_million;
    if (has_faults) world->disk.fault_per_million = 0;
    if (!journal_maintain(world->journal, &more, &err)) {
        fake_clock_jump(&world->clock, by_ms);
        retention->clock_off_ms = off_ms;
        retention->jumps++;
        world_tell(world, "the clock jumps by %lld s", (long long)by_ms / 1000);
        if (journal_maintain(world->journal, &more, &err)) world_fail(world, "after a jump: %s", err.text);
    }
    world->disk.fault_per_million = faults;
}

void retention_stay_off(struct world *world)
{
    struct retention *retention = &world->retention;
    if (!retention->is_on || !fake_dice_chance(&world->dice, 150)) return;
    Millis off_ms = (Millis)fake_dice_below(&world->dice, 10 * MINUTE_MS);
    world_tell(world, "off for %lld s", (long long)off_ms / 1000);
    world_pass(world, off_ms);
    if (retention->jumps == 0 && fake_dice_chance(&world->dice, 500))        /* the operator says that it is right */
        fake_disk_poke(&world->disk, "/data/journal/clock-confirmed", 0, STR("1"));
}

/* ---- The end ---- */

static void pass_on(struct world *world)
{
    bool more = true;
    Err err;
    world_pass(world, MINUTE_MS / 2);
    world_step(world);
    for (int at = 0; at < 4; at++)
        if (journal_maintain(world->journal, &more, &err)) world_fail(world, "forgetting: %s", err.text);
    retention_look(world);
}

void retention_end(struct world *world)
{
    struct retention *retention = &world->retention;
    JournalStats stats;
    if (!retention->is_on) return;
    Millis passes_ms = 2 * retention->age_ms + 2 * HOUR_MS;   /* after a gap it waits for an hour */
    if (retention->jumps) passes_ms += 8 * HOUR_MS;           /* and, set back, until it is as late as before */
    for (Millis at = 0; at < passes_ms; at += MINUTE_MS / 2) pass_on(world);
    journal_read_stats(world->journal, &stats);
    size_t kept = 0;                                          /* what is in force is said again, and again */
    for (size_t at = world->history.gone; at < world->history.count; at++)
        kept += !world->history.entries[at].is_again;
    if (retention->age_ms && kept)
        world_fail(world, "after hours, %zu records are kept that should be gone", kept);
    if (retention->bytes && stats.segments > 2 && stats.disk_bytes > retention->bytes)
        world_fail(world, "%llu bytes are kept, and there is room for %llu", (unsigned long long)stats.disk_bytes,
                   (unsigned long long)retention->bytes);
}
