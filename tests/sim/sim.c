/* sim: many worlds, one a seed. usage: sim [--runs N] [--from S | --seed S] [--turns T] [--jobs J]
 *
 * A turn is one thing that the dice pick: a visitor acts, a request is made, submitted, answered or its
 * answer lost, the committer commits, the applier applies, the deliverer delivers, an operator gives an order,
 * housekeeping runs, the clock moves, a disk fails, the power goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

enum { FAULTS_PER_MILLION = 3000, FULL_PER_THOUSAND = 30, TROUBLE_PER_THOUSAND = 150, JOBS_MAX = 64 };

static jmp_buf failed;

static void put_line(struct world *world, char *line, const char *format, va_list list)
{
    int len = snprintf(line, TALE_BYTES, "%6u  %-13lld ", world->turn, (long long)world->clock.now_ms);
    vsnprintf(line + len, TALE_BYTES - (size_t)len, format, list);
    world->digest = hash_64(str_from(line), world->digest);
    if (world->is_verbose) printf("%s\n", line);
}

void world_tell(struct world *world, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    put_line(world, world->tale[world->tale_count++ % TALE_LINES], format, list);
    va_end(list);
}

void world_trace(struct world *world, const char *format, ...)
{
    char line[TALE_BYTES];
    va_list list;
    va_start(list, format);
    put_line(world, line, format, list);
    va_end(list);
}

void world_fail(struct world *world, const char *format, ...)
{
    char text[1024];
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

static PeopleRules world_rules(struct world *world)
{
    static const Str fields[EXTERNALS] = { STR("traits.email"), STR("context.phone") };
    size_t count = world->has_externals ? EXTERNALS : 0;
    return (PeopleRules){ { .externals = world->externals, .external_count = count }, fields };
}

Str world_spell_external(const struct world *world, const Sent *sent, int external, Arena *arena)
{
    const char *value = sent->externals[external];
    if (!world->has_externals || !value[0]) return (Str){ 0 };
    return arena_printf(arena, "%s:%s", visitors_externals[external], value);
}

DeriveOptions world_apply_options(struct world *world, const char *dir, const char *name)
{
    static char path[2][96];
    char *at = path[name[0] == 'l'];                     /* live or again: both may be open at once */
    snprintf(at, sizeof path[0], "%s/%s", world->state_dir, name);
    return (DeriveOptions){ .journal = world->journal, .disk = &world->disk.disk, .dice = &world->dice.dice, .dir = dir,
                           .state_dir = at, .clock = &world->clock.clock, .save_events = 100,
                           .rules = world_rules(world), .has_destinations = name[0] == 'l',
                           .may_append = name[0] == 'l', .dedup_window_ms = 30 * 86400000LL,
                           .dedup_table_entries = 200, .index_chunk_rows = 64, .index_seal_rows = 256 };
}

static bool is_suppressed(void *context, EventType type, Str user_id, Str anonymous_id, Str previous_id)
{
    struct control *control = derive_control(((struct world *)context)->applier);
    return control_suppresses(control, type, user_id, anonymous_id, previous_id);
}

static bool has_suppressed_external(void *context)
{
    return control_suppresses_some_external(derive_control(((struct world *)context)->applier));
}

static bool carries_suppressed(void *context, struct event_parser *parser, Str json, Arena scratch)
{
    return control_suppresses_carrier(derive_control(((struct world *)context)->applier), parser, json, scratch);
}

static void open_collector(struct world *world)
{
    Err err;
    CollectOptions collect = { .clock = &world->clock.clock, .dice = &world->dice.dice, .is_suppressed = is_suppressed,
                               .has_suppressed_external = has_suppressed_external,
                               .carries_suppressed = carries_suppressed, .suppressed_context = world };
    Source sources[SOURCES] = { { .write_key = STR("wk_site") }, { .write_key = STR("wk_app") },
                                { .write_key = STR("wk_backend"), .is_server = true } };
    for (size_t at = 0; at < SOURCES; at++) {
        sources[at].name = str_from(visitors_sources[at]);
        sources[at].is_enabled = true;
    }
    if (collector_open(&collect, &world->collector, &err) ||
        collector_set_sources(world->collector, sources, SOURCES, &err))
        world_fail(world, "opening the collector: %s", err.text);
}

static void open_destinations(struct world *world)
{
    Err err;
    DeliverOptions options = { .journal = world->journal, .clock = &world->clock.clock, .dice = &world->dice.dice,
                               .fetcher = &world->fetch.fetcher, .rows = world->rows.rows,
                               .people = deliver_people_of(world->applier) };
    if (deliver_open(&options, &world->deliver, &err) ||
        deliver_set_config(world->deliver, world->vendors.configs, VENDORS, &err))
        world_fail(world, "opening the destinations: %s", err.text);
}

/* A start that fails is a start again: tried without faults; and the operator has made room. */
static void set_faults(struct world *world, bool has_faults)
{
    world->disk.fault_per_million = has_faults ? FAULTS_PER_MILLION : 0;
    world->rows.fail_per_thousand = has_faults ? FULL_PER_THOUSAND : 0;
    world->vendors.trouble_per_thousand = world->has_faults ? TROUBLE_PER_THOUSAND : 0;
    if (!has_faults) world->disk.capacity_bytes = 0;
}

static void onym_open(struct world *world)
{
    Err err;
    SegmentsRecovery recovery;
    SegmentsOptions options = {
        .dir = "/data/journal", .disk = &world->disk.disk, .clock = &world->clock.clock,
        .dice = &world->dice.dice, .segment_bytes = 64 * 1024, .seal_level = 1, .reserve_bytes = 1,
        .known_by = "the destinations",
    };
    retention_options(world, &options);
    set_faults(world, false);
    if (deliver_read_reached(&world->rows.rows, &options.known_end, &err))
        world_fail(world, "how far the destinations are: %s", err.text);
    if (options.disk->make_dir(options.disk, "/data", &err) ||
        segments_open(&options, &world->journal, &recovery, &err))
        world_fail(world, "opening: %s", err.text);
    world_tell(world, "opened, end %llu, torn %llu", (unsigned long long)recovery.end,
               (unsigned long long)recovery.torn_bytes);
    retention_look(world);                               /* a removal that was begun goes on */
    retention_hold(world, true);
    history_follow(world);
    DeriveOptions apply = world_apply_options(world, "/data/derived", "live");
    if (derive_open(&apply, &world->applier, &err)) world_fail(world, "opening the applier: %s", err.text);
    if (derive_remade_why(world->applier)) {
        world->rebuilds++;
        history_remake(world);
    }
    open_collector(world);
    open_destinations(world);
    wire_open(world);
    small_files_open(world);
    checks_run(world);
    set_faults(world, world->has_faults);
}

static void onym_close(struct world *world, bool is_crash)
{
    fake_fetch_crash(&world->fetch, &world->dice, 500);  /* nobody hears the answers */
    small_files_close(world);
    world->rows.is_dead = is_crash;
    deliver_close(world->deliver);
    world->rows.is_dead = false;
    if (is_crash) derive_abandon(world->applier);
    else derive_close(world->applier);
    world->deliver = NULL;
    world->applier = NULL;
    journal_close(world->journal);                       /* appends that wait hear of it */
    wire_close(world);
    collector_close(world->collector);
    world->journal = NULL;
    operator_forget(world);
}

static void throw_away(struct world *world)
{
    world_tell(world, "rebuild");
    IGNORE(kv_destroy(world_apply_options(world, "/data/derived", "live").state_dir, NULL));
}

void world_remake(struct world *world)
{
    onym_close(world, false);
    throw_away(world);
    onym_open(world);
}

static void power_off(struct world *world)
{
    world->crashes++;
    world_tell(world, "power off");
    set_faults(world, false);
    fake_disk_die(&world->disk);                         /* from here nothing reaches the disk */
    onym_close(world, true);
    world->has_lost_power = !fake_dice_chance(&world->dice, 300);               /* else the process died alone */
    fake_disk_restart(&world->disk, world->has_lost_power);
    retention_stay_off(world);
    bool is_rebuilt = fake_dice_chance(&world->dice, 50);
    if (is_rebuilt) throw_away(world);                   /* the operator has everything derived anew */
    onym_open(world);
    if (!fake_dice_chance(&world->dice, 200)) return;
    checks_identity(world);                              /* before what follows could mend it */
    checks_questions(world);
}

/* ---- Turns ---- */

void world_commit(struct world *world)
{
    Err err;
    uint64_t records = 0;
    Status s = journal_commit(world->journal, &records, &err);
    if (s) world_tell(world, "commit: %s", err.text);
    else if (records) world_tell(world, "commit of %llu records", (unsigned long long)records);
    history_follow(world);
    wire_answer(world);
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
    if (derive_step(world->applier, &more, &err)) world_tell(world, "applier: %s", err.text);
    if (derive_maintain(world->applier, &more, &err)) world_tell(world, "derived maintenance: %s", err.text);
}

/* Erasures of which the destinations know nobody any more: from here on nothing is sent of whom they are about. */
static void note_forgotten(struct world *world)
{
    ControlErasure erasures[64];
    DeriveStats stats;
    uint64_t done;
    derive_read_stats(world->applier, &stats);
    size_t count = control_list_erasures(derive_control(world->applier), erasures, countof(erasures), &done);
    for (size_t at = 0; at < world->history.count; at++) {
        Entry *entry = &world->history.entries[at];
        bool is_erasure = entry->sent == HISTORY_COMMAND && entry->kind == COMMAND_ERASE;
        if (!is_erasure || entry->is_forgotten || stats.applied <= entry->pos) continue;
        size_t of = 0;
        while (of < count && erasures[of].command != entry->pos) of++;
        entry->is_forgotten = of == count || strcmp(erasures[of].stage, "command") == 0
                           || strcmp(erasures[of].stage, "state") == 0;
        if (entry->is_forgotten)
            world_trace(world, "the destinations know nobody of the erasure at %llu", (unsigned long long)entry->pos);
    }
}

static void deliver(struct world *world)
{
    Err err;
    vendors_step(world);
    Status s = deliver_step(world->deliver, 0, &err);
    if (s) world_tell(world, "deliverer: %s", err.text);
    if (s && !world->has_faults) world_fail(world, "delivering without faults: %s", err.text);
    note_forgotten(world);
    retention_hold(world, false);
    if (fake_dice_chance(&world->dice, 5) && world->has_faults)
        world->vendors.dead = (int)fake_dice_below(&world->dice, VENDORS + 1) - 1;
}

static void maintain(struct world *world)
{
    Err err;
    bool more = true;
    for (int at = 0; more && at < (world->retention.is_on ? 4 : 1); at++) {
        if (!journal_maintain(world->journal, &more, &err)) continue;
        world_tell(world, "maintenance: %s", err.text);
        more = false;
    }
    retention_look(world);
}

void world_pass(struct world *world, Millis by_ms)
{
    fake_clock_advance(&world->clock, by_ms);
    fake_clock_advance(&world->outside, by_ms);
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
    if (world->retention.is_on) world_pass(world, 1);    /* of two at one instant a messageId decides, if it is kept */
    if (choice < 250) visitors_act(&world->visitors);
    else if (choice < 450) wire_send(world);
    else if (choice < 620) world_commit(world);
    else if (choice < 660) maintain(world);
    else if (choice < 740) apply(world);
    else if (choice < 860) deliver(world);
    else if (choice < 961) world_pass(world, (Millis)fake_dice_below(&world->dice, 20000));
    else if (choice < 967) small_files_act(world);
    else if (choice < 982) operator_act(world);
    else if (choice < 990 && world->has_faults) power_off(world);
    else if (choice < (world->disk.capacity_bytes ? 999 : 993) && world->has_faults) fill_disk(world);
    else if (choice < 995) checks_run(world);
    else if (choice < 997) retention_jump(world);
    if (world->disk.is_dead) power_off(world);               /* it went in the midst of a write */
}

void world_step(struct world *world)
{
    world_commit(world);
    apply(world);
    deliver(world);
}

/* Faults end; within a bounded number of turns every client has its answer, everything is applied, every order is
 * carried out, and every destination has everything, refused messages at the second try. */
static bool is_drained(struct world *world)
{
    DeliverState states[VENDORS];
    ControlErasure erasure;
    uint64_t done;
    if (world->has_order || control_list_erasures(derive_control(world->applier), &erasure, 1, &done)) return false;
    for (size_t at = 0; at < world->visitors.count; at++)
        if (world->visitors.all[at].outbox_count) return false;
    size_t count = deliver_read_states(world->deliver, states, VENDORS);
    for (size_t at = 0; at < count; at++)
        if (states[at].unfinished || states[at].lag_bytes || states[at].is_busy || states[at].is_replaying)
            return false;
    return count == VENDORS;
}

static void tell_unfinished(struct world *world)
{
    DeriveStats derived;
    DeliverState states[VENDORS];
    ControlErasure erasures[4];
    uint64_t done;
    derive_read_stats(world->applier, &derived);
    world_tell(world, "applied %llu of %llu, the journal begins at %llu", (unsigned long long)derived.applied,
               (unsigned long long)derived.durable, (unsigned long long)journal_first(world->journal));
    size_t count = control_list_erasures(derive_control(world->applier), erasures, countof(erasures), &done);
    for (size_t at = 0; at < count; at++)
        world_tell(world, "the erasure at %llu: %s, up to %llu", (unsigned long long)erasures[at].command,
                   erasures[at].stage, (unsigned long long)erasures[at].done);
    count = deliver_read_states(world->deliver, states, VENDORS);
    for (size_t at = 0; at < count; at++)
        world_tell(world, "%s: %d, until %lld, %llu unfinished, %llu under way, at %llu%s%s, %s", vendors_names[at],
                   (int)states[at].condition, (long long)states[at].until_ms, (unsigned long long)states[at].unfinished,
                   (unsigned long long)states[at].under_way, (unsigned long long)states[at].position,
                   states[at].is_busy ? ", busy" : "", states[at].is_replaying ? ", replaying" : "",
                   states[at].last_error);
}

static void drain_turns(struct world *world)
{
    for (unsigned turn = 0; turn < 20000; turn++) {
        if (turn > 10 && is_drained(world)) return;
        world->turn++;
        wire_send(world);
        world_pass(world, turn < 2000 ? 200 : 5000);
        world_step(world);
    }
    tell_unfinished(world);
    world_fail(world, "without faults, not everything that was begun ends");
}

static void drain(struct world *world)
{
    uint64_t ticket;
    char why[ERR_TEXT_BYTES];
    Err err;
    world->has_faults = false;
    set_faults(world, false);
    if (journal_is_poisoned(world->journal, why, sizeof why)) {          /* only a new start mends it */
        onym_close(world, false);
        onym_open(world);
    }
    world->vendors.dead = -1;
    for (size_t at = 0; at < VENDORS; at++) world->vendors.configs[at].is_enabled = true;
    if (deliver_set_config(world->deliver, world->vendors.configs, VENDORS, &err))
        world_fail(world, "configuring: %s", err.text);
    drain_turns(world);
    for (size_t at = 0; at < VENDORS; at++)
        if (deliver_ask_redo(world->deliver, str_from(vendors_names[at]), 0, &ticket, &err))
            world_fail(world, "a redo: %s", err.text);
    drain_turns(world);
}

static void world_open(struct world *world, uint64_t seed, bool is_verbose, enum canary canary)
{
    *world = (struct world){ .seed = seed, .is_verbose = is_verbose, .canary = canary };
    fake_dice_init(&world->dice, seed);
    fake_clock_init(&world->clock, WORLD_START_MS);
    fake_clock_init(&world->outside, WORLD_START_MS);
    world->sent = calloc(SENT_MAX, sizeof *world->sent);
    fake_disk_init(&world->disk, seed ^ 0xd15c);
    world->has_faults = canary == CANARY_LOSS || !fake_dice_chance(&world->dice, 100);
    world->may_erase = canary == CANARY_ERASURE || fake_dice_chance(&world->dice, 500);
    world->may_unmerge = !world->may_erase;
    retention_init(world);
    world->has_externals = canary == CANARY_EXTERNAL || fake_dice_chance(&world->dice, 600);
    for (int at = 0; at < EXTERNALS; at++)
        world->externals[at] = (IdentityExternal){ .name = str_from(visitors_externals[at]), .limit = (uint32_t)
                                                   fake_dice_below(&world->dice, 4) };      /* 0: any number */
    visitors_init(&world->visitors, &world->dice, &world->outside, world->sent);
    vendors_init(world);
    fake_rows_init(&world->rows);
    world->rows.dice = &world->dice;
    region_open(&world->scratch, 64 << 20);
    journal_append_init(&world->order, LIMIT_APPEND_BYTES);
    snprintf(world->state_dir, sizeof world->state_dir, "%s/onym-sim-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(world->state_dir)) world_fail(world, "no directory for the store");
    for (size_t at = 0; at < FLIGHTS_MAX; at++) {
        world->flights[at].socket = -1;
        buf_init(&world->flights[at].body, LIMIT_BODY_BYTES);
        buf_init(&world->flights[at].out, 2 * LIMIT_BODY_BYTES);
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
    char path[96];
    snprintf(path, sizeof path, "%s/http", world->state_dir);
    (void)unlink(path);
    (void)rmdir(world->state_dir);
}

static void world_close(struct world *world)
{
    set_faults(world, false);
    if (world->journal) onym_close(world, false);
    journal_append_done(&world->order);
    fake_fetch_done(&world->fetch);
    fake_rows_done(&world->rows);
    vendors_done(&world->vendors);
    visitors_done(&world->visitors);
    history_done(&world->history);
    region_close(&world->scratch);
    for (size_t at = 0; at < FLIGHTS_MAX; at++) {
        buf_done(&world->flights[at].body);
        buf_done(&world->flights[at].out);
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
    checks_deliveries(world);
    onym_close(world, false);
    onym_open(world);
    checks_derived(world);
    if (world->retention.is_on) {
        onym_close(world, false);                         /* what was made again has told the journal what it needs */
        onym_open(world);
        retention_end(world);
        checks_run(world);
        checks_derived(world);
    }
    world_close(world);
    return 0;
}

/* ---- Many worlds ---- */

struct totals { unsigned long messages, crashes, restarts, orders, questions, deliveries; };

static bool find_canaries(struct world *world, unsigned turns)
{
    static const char *const names[CANARY_COUNT] = {
        [CANARY_LOSS] = "a lost message", [CANARY_MODEL] = "a model that lacks a message",
        [CANARY_VENDOR] = "a vendor that loses what it took", [CANARY_QUESTION] = "a number that lacks a message",
        [CANARY_ERASURE] = "a record that was erased for no reason",
        [CANARY_RETENTION] = "a journal that waits for no destination",
        [CANARY_EXTERNAL] = "a model that knows no emails",
        [CANARY_FINDING] = "a finding that lacks its cases",
        [CANARY_SMALL_FILE] = "a small file that was thrown away",
    };
    for (enum canary canary = CANARY_LOSS; canary < CANARY_COUNT; canary++) {
        bool is_found = false;
        for (uint64_t at = 0; at < 20 && !is_found; at++) is_found = run_world(at, turns, false, canary, world) == 1;
        if (is_found) continue;
        printf("a canary lives: %s was not noticed, so the simulator is broken\n", names[canary]);
        return false;
    }
    return true;
}

/* One seed, the same world: what is printed when it fails can be lived through again. */
static bool repeats(struct world *world, uint64_t seed, unsigned turns)
{
    if (run_world(seed, turns, false, CANARY_NONE, world)) return false;
    uint64_t digest = world->digest;
    if (run_world(seed, turns, false, CANARY_NONE, world)) return false;
    if (world->digest == digest) return true;
    printf("SEED=%llu gives another world the second time, so the simulator is broken\n", (unsigned long long)seed);
    return false;
}

/* Every jobs-th world from the first on. */
static bool run_worlds(struct world *world, uint64_t seed, unsigned runs, unsigned turns, unsigned jobs,
                       bool is_verbose, struct totals *totals)
{
    for (unsigned run = 0; run < runs; run += jobs) {
        if (run_world(seed + run, turns, is_verbose, CANARY_NONE, world)) return false;
        totals->messages += world->visitors.sent_count, totals->crashes += world->crashes;
        totals->restarts += world->restarts, totals->orders += world->orders, totals->questions += world->questions;
        totals->deliveries += world->vendors.taken;
    }
    return true;
}

/* Worlds know nothing of each other: as many processes as there are cores. */
static bool share(struct world *world, uint64_t seed, unsigned runs, unsigned turns, unsigned jobs,
                  struct totals *totals)
{
    int pipes[JOBS_MAX][2];
    pid_t children[JOBS_MAX];
    bool is_right = true;
    fflush(stdout);
    for (unsigned job = 0; job < jobs; job++) {
        check(pipe(pipes[job]) == 0 && (children[job] = fork()) >= 0);
        if (children[job]) continue;
        struct totals own = { 0 };
        bool is_good = run_worlds(world, seed + job, runs > job ? runs - job : 0, turns, jobs, false, &own);
        check(write(pipes[job][1], &own, sizeof own) == (ssize_t)sizeof own);
        fflush(stdout);
        _exit(is_good ? 0 : 1);
    }
    for (unsigned job = 0; job < jobs; job++) {
        struct totals own = { 0 };
        int status;
        close(pipes[job][1]);
        is_right &= read(pipes[job][0], &own, sizeof own) == (ssize_t)sizeof own;
        is_right &= waitpid(children[job], &status, 0) == children[job] && status == 0;
        close(pipes[job][0]);
        totals->messages += own.messages, totals->crashes += own.crashes, totals->restarts += own.restarts;
        totals->orders += own.orders, totals->questions += own.questions, totals->deliveries += own.deliveries;
    }
    return is_right;
}

int main(int argc, char **argv)
{
    static struct world world;
    uint64_t seed = (uint64_t)time(NULL) * 1000003u;
    unsigned runs = 200, turns = 1500, jobs = 1;
    bool has_seed = false;
    struct totals totals = { 0 };
    for (int at = 1; at + 1 < argc; at += 2) {
        if (strcmp(argv[at], "--runs") == 0) runs = (unsigned)strtoul(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--from") == 0) seed = strtoull(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--turns") == 0) turns = (unsigned)strtoul(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--jobs") == 0) jobs = (unsigned)strtoul(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--seed") == 0) seed = strtoull(argv[at + 1], NULL, 10), has_seed = true, runs = 1;
    }
    if (jobs < 1 || jobs > JOBS_MAX) jobs = 1;
    if (!has_seed && !find_canaries(&world, turns)) return 1;
    printf("sim: SEED=%llu and the %u after it, %u turns each\n", (unsigned long long)seed, runs - 1, turns);
    if (!has_seed && !repeats(&world, seed, turns)) return 1;
    bool is_right = jobs == 1 ? run_worlds(&world, seed, runs, turns, 1, has_seed, &totals)
                              : share(&world, seed, runs, turns, jobs, &totals);
    if (!is_right) return 1;
    printf("%u worlds, %lu messages, %lu deliveries, %lu orders, %lu questions, %lu power cuts, %lu failed syncs: "
           "every promise held\n", runs, totals.messages, totals.deliveries, totals.orders, totals.questions,
           totals.crashes, totals.restarts);
    return 0;
}
