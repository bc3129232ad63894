/* sim: many worlds, one a seed. usage: sim [--runs N] [--from S | --seed S] [--turns T]
 *
 * A turn is one thing that the dice pick: a visitor acts, a request is made, submitted, answered or its
 * answer lost, the committer commits, housekeeping runs, the clock moves, the disk fails, the power goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

enum { FAULTS_PER_MILLION = 3000 };

static jmp_buf failed;

void world_tell(struct world *world, const char *format, ...)
{
    char *line = world->tale[world->tale_count++ % TALE_LINES];
    int len = snprintf(line, TALE_BYTES, "%6u  %-13lld ", world->turn, (long long)world->clock.now_ms);
    va_list list;
    va_start(list, format);
    vsnprintf(line + len, TALE_BYTES - (size_t)len, format, list);
    va_end(list);
    if (world->is_verbose) printf("%s\n", line);
}

void world_fail(struct world *world, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (world->canary) longjmp(failed, 1);
    printf("\nSEED=%llu failed at turn %u: %s\n", (unsigned long long)world->seed, world->turn, text);
    unsigned from = world->tale_count > TALE_LINES ? world->tale_count - TALE_LINES : 0;
    for (unsigned at = from; at < world->tale_count; at++) printf("%s\n", world->tale[at % TALE_LINES]);
    printf("again: make sim SEED=%llu\n", (unsigned long long)world->seed);
    fflush(stdout);
    longjmp(failed, 2);
}

/* ---- Onym starts, stops and loses power ---- */

ApplyOptions world_apply_options(struct world *world, const char *dir, const char *name)
{
    static char path[2][96];
    char *at = path[name[0] == 'l'];                     /* live or again: both may be open at once */
    snprintf(at, sizeof path[0], "%s/%s", world->state_dir, name);
    return (ApplyOptions){ .journal = world->journal, .disk = &world->disk.disk, .dice = &world->dice.dice, .dir = dir,
                           .state_dir = at, .clock = &world->clock.clock, .save_events = 100,
                           .dedup_window_ms = 30 * 86400000LL, .dedup_table_entries = 200, .index_chunk_rows = 64,
                           .index_seal_rows = 256 };
}

static void onym_open(struct world *world)
{
    Err err;
    JournalRecovery recovery;
    JournalOptions options = {
        .dir = "/data/journal", .disk = &world->disk.disk, .clock = &world->clock.clock,
        .dice = &world->dice.dice, .segment_bytes = 64 * 1024, .seal_level = 1, .reserve_bytes = 1,
    };
    world->disk.fault_per_million = 0;                   /* a start that fails is a start again: tried without */
    world->disk.capacity_bytes = 0;                      /* and the operator has made room */
    if (options.disk->make_dir(options.disk, "/data", &err) || journal_open(&options, &world->journal, &recovery, &err))
        world_fail(world, "opening: %s", err.text);
    world_tell(world, "opened, end %llu, torn %llu", (unsigned long long)recovery.end,
               (unsigned long long)recovery.torn_bytes);
    ApplyOptions apply = world_apply_options(world, "/data/derived", "live");
    if (apply_open(&apply, &world->applier, &err)) world_fail(world, "opening the applier: %s", err.text);
    CollectOptions collect = { .clock = &world->clock.clock, .dice = &world->dice.dice };
    Source source = { .name = STR("sim"), .write_key = STR("wk_sim"), .is_enabled = true };
    if (collector_open(&collect, &world->collector, &err) ||
        collector_set_sources(world->collector, &source, 1, &err) ||
        collect_worker_open(world->collector, &world->worker, &err))
        world_fail(world, "opening the collector: %s", err.text);
    world->disk.fault_per_million = world->has_faults ? FAULTS_PER_MILLION : 0;
    checks_run(world);
}

static void flight_end(struct flight *flight)
{
    journal_append_clear(&flight->append);
    flight->is_used = flight->is_submitted = false;
}

static void onym_close(struct world *world, bool is_crash)
{
    if (is_crash) apply_abandon(world->applier);
    else apply_close(world->applier);
    world->applier = NULL;
    journal_close(world->journal);                       /* appends that wait hear of it */
    collect_worker_close(world->worker);
    collector_close(world->collector);
    world->journal = NULL;
    for (size_t at = 0; at < FLIGHTS_MAX; at++)
        if (world->flights[at].is_used) flight_end(&world->flights[at]);
}

static void power_off(struct world *world)
{
    world->crashes++;
    world_tell(world, "power off");
    world->disk.fault_per_million = 0;
    fake_disk_die(&world->disk);                         /* from here nothing reaches the disk */
    onym_close(world, true);
    fake_disk_restart(&world->disk, !fake_dice_chance(&world->dice, 300));      /* else the process died alone */
    onym_open(world);
    if (fake_dice_chance(&world->dice, 200)) checks_identity(world);     /* before what follows could mend it */
}

/* ---- Requests ---- */

static void on_durable(struct journal_append *append, Status status, JournalPos first)
{
    struct flight *flight = append->owner;
    struct world *world = flight->world;
    (void)first;
    /* The answer goes out; it may be lost on the way, and then the client sends the same again. */
    bool is_lost = fake_dice_chance(&world->dice, 100);
    if (world->canary == CANARY_LOSS && status == ERR_CLOSED) status = OK;       /* the bug that must be found */
    world_tell(world, "answer to %zu messages: %s%s", flight->count, status_word(status), is_lost ? ", lost" : "");
    if (status == OK && !is_lost)
        visitors_acknowledge(&world->visitors, flight->visitor, flight->indices, flight->count);
    flight_end(flight);
}

static void submit_request(struct world *world)
{
    struct flight *flight = NULL;
    Err err;
    for (size_t at = 0; at < FLIGHTS_MAX && !flight; at++)
        if (!world->flights[at].is_used) flight = &world->flights[at];
    if (!flight) return;
    flight->count = visitors_make_request(&world->visitors, &flight->body, flight->indices, &flight->visitor);
    if (flight->count == 0) return;
    size_t body_bytes = flight->body.len;
    check(buf_reserve(&flight->body, EVENT_PADDING_BYTES));
    memset(flight->body.bytes + body_bytes, 0, EVENT_PADDING_BYTES);
    CollectRequest request = { .body = str_of(flight->body.bytes, body_bytes), .ip = STR("192.0.2.7") };
    CollectResult result;
    journal_append_clear(&flight->append);
    Status s = collect_request(world->worker, &request, &flight->append, &result, &err);
    if (s) world_fail(world, "a good request was refused: %s", err.text);
    if (result.rejected) world_fail(world, "a good message was rejected");
    flight->append.on_durable = on_durable;
    flight->append.owner = flight;
    s = journal_submit(world->journal, &flight->append, &err);
    world_tell(world, "request of %zu messages: %s", flight->count, s ? err.text : "submitted");
    if (s) return;
    flight->is_used = flight->is_submitted = true;
    for (size_t at = 0; at < flight->count; at++) world->sent[flight->indices[at]].is_submitted = true;
}

/* ---- Turns ---- */

static void commit(struct world *world)
{
    Err err;
    uint64_t records = 0;
    Status s = journal_commit(world->journal, &records, &err);
    if (s) world_tell(world, "commit: %s", err.text);
    else if (records) world_tell(world, "commit of %llu records", (unsigned long long)records);
    JournalStats stats;
    journal_read_stats(world->journal, &stats);
    if (!stats.is_poisoned) return;
    world->restarts++;
    world_tell(world, "poisoned: restart");              /* what an operator does */
    onym_close(world, false);
    onym_open(world);
}

static void apply(struct world *world)
{
    Err err;
    bool more;
    if (apply_step(world->applier, &more, &err)) world_tell(world, "applier: %s", err.text);
    if (apply_maintain(world->applier, &more, &err)) world_tell(world, "derived maintenance: %s", err.text);
}

static void maintain(struct world *world)
{
    Err err;
    bool more;
    if (journal_maintain(world->journal, &more, &err)) world_tell(world, "maintenance: %s", err.text);
}

/* Full for a while: the size of what is there plus a little. */
static void fill_disk(struct world *world)
{
    JournalStats stats;
    journal_read_stats(world->journal, &stats);
    bool is_full = world->disk.capacity_bytes != 0;
    world->disk.capacity_bytes = is_full ? 0 : stats.disk_bytes + fake_dice_below(&world->dice, 8192);
    world_tell(world, is_full ? "the disk has room again" : "the disk is nearly full");
}

static void take_turn(struct world *world)
{
    uint64_t choice = fake_dice_below(&world->dice, 1000);
    world->turn++;
    if (choice < 300) visitors_act(&world->visitors);
    else if (choice < 550) submit_request(world);
    else if (choice < 750) commit(world);
    else if (choice < 800) maintain(world);
    else if (choice < 850) apply(world);
    else if (choice < 985) fake_clock_advance(&world->clock, (Millis)fake_dice_below(&world->dice, 20000));
    else if (choice < 990 && world->has_faults) power_off(world);
    else if (choice < 992 && world->has_faults) fill_disk(world);
    else if (choice < 994) checks_run(world);
}

/* Faults end; within a bounded number of turns every client has its answer. */
static void drain(struct world *world)
{
    world->has_faults = false;
    world->disk.fault_per_million = 0;
    world->disk.capacity_bytes = 0;
    for (unsigned turn = 0; turn < 20000; turn++) {
        bool is_empty = true;
        for (size_t at = 0; at < world->visitors.count; at++) is_empty &= world->visitors.all[at].outbox_count == 0;
        if (is_empty) return;
        world->turn++;
        submit_request(world);
        fake_clock_advance(&world->clock, 100);
        commit(world);
    }
    world_fail(world, "without faults, outboxes do not drain");
}

static void world_open(struct world *world, uint64_t seed, bool is_verbose, enum canary canary)
{
    *world = (struct world){ .seed = seed, .is_verbose = is_verbose, .canary = canary };
    fake_dice_init(&world->dice, seed);
    fake_clock_init(&world->clock, WORLD_START_MS);
    world->sent = calloc(SENT_MAX, sizeof *world->sent);
    fake_disk_init(&world->disk, seed ^ 0xd15c);
    world->has_faults = canary == CANARY_LOSS || !fake_dice_chance(&world->dice, 100);
    visitors_init(&world->visitors, &world->dice, &world->clock, world->sent);
    snprintf(world->state_dir, sizeof world->state_dir, "%s/onym-sim-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(world->state_dir)) world_fail(world, "no directory for the store");
    for (size_t at = 0; at < FLIGHTS_MAX; at++) {
        world->flights[at].world = world;
        buf_init(&world->flights[at].body, LIMIT_BODY_BYTES);
        journal_append_init(&world->flights[at].append, LIMIT_APPEND_BYTES);
    }
}

static void remove_stores(struct world *world)
{
    static const char *const names[] = { "live", "again" };
    for (size_t at = 0; at < countof(names); at++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s", world->state_dir, names[at]);
        IGNORE(kv_destroy(path, NULL));
        (void)rmdir(path);
    }
    (void)rmdir(world->state_dir);
}

static void world_close(struct world *world)
{
    world->disk.fault_per_million = 0;
    if (world->journal) onym_close(world, false);
    for (size_t at = 0; at < FLIGHTS_MAX; at++) {
        buf_done(&world->flights[at].body);
        journal_append_done(&world->flights[at].append);
    }
    fake_disk_done(&world->disk);
    remove_stores(world);
    free(world->sent);
}

/* 0: all promises held; else what setjmp says. */
static int run_world(uint64_t seed, unsigned turns, bool is_verbose, enum canary canary, struct world *world)
{
    world_open(world, seed, is_verbose, canary);
    int outcome = setjmp(failed);
    if (outcome == 1) world_close(world);                 /* the canary sang; a real failure ends the process */
    if (outcome) return outcome;
    onym_open(world);
    while (world->turn < turns) take_turn(world);
    drain(world);
    checks_run(world);
    checks_derived(world);
    onym_close(world, false);
    onym_open(world);
    checks_derived(world);
    world_close(world);
    return 0;
}

int main(int argc, char **argv)
{
    static struct world world;
    uint64_t seed = (uint64_t)time(NULL) * 1000003u;
    unsigned runs = 200, turns = 1500;
    bool has_seed = false;
    for (int at = 1; at + 1 < argc; at += 2) {
        if (strcmp(argv[at], "--runs") == 0) runs = (unsigned)strtoul(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--from") == 0) seed = strtoull(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--turns") == 0) turns = (unsigned)strtoul(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--seed") == 0) seed = strtoull(argv[at + 1], NULL, 10), has_seed = true, runs = 1;
    }
    for (enum canary canary = CANARY_LOSS; canary <= CANARY_MODEL; canary++) {
        bool is_found = false;
        for (uint64_t at = 0; at < 20 && !is_found; at++) is_found = run_world(at, turns, false, canary, &world) == 1;
        if (is_found) continue;
        printf("a canary lives: %s was not noticed, so the simulator is broken\n",
               canary == CANARY_LOSS ? "a lost message" : "a model that lacks a message");
        return 1;
    }
    printf("sim: SEED=%llu and the %u after it, %u turns each\n", (unsigned long long)seed, runs - 1, turns);
    unsigned long messages = 0, crashes = 0, restarts = 0;
    for (unsigned run = 0; run < runs; run++) {
        if (run_world(seed + run, turns, has_seed, CANARY_NONE, &world)) return 1;
        messages += world.visitors.sent_count, crashes += world.crashes, restarts += world.restarts;
    }
    printf("%u worlds, %lu messages, %lu power cuts, %lu failed syncs: every promise held\n", runs, messages, crashes,
           restarts);
    return 0;
}
