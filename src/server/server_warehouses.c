/* server_warehouses: see the header. The journal keeps what a warehouse has not read as it does for a destination:
 * at most retention.undelivered longer, and, where retention.bytes is given, up to twice that. */
#include "server_warehouses.h"

#include <stdio.h>
#include <stdlib.h>

#include "server_threads.h"

enum { STEP_MS = 100, NICE = 10, LOOKUP_BYTES = 64 * 1024 * 1024 };
static const int64_t HOLD_NS = 1000000000, LOG_NS = INT64_C(60) * 1000000000;

struct loader {
    struct warehouses *all;
    struct warehouse *warehouse;
    struct event_parser *parser;            /* this and the region: to look for suppressed external ids */
    struct region region;
    int64_t held_at_ns, logged_at_ns;
    char logged[ERR_TEXT_BYTES];             /* empty: it loads */
};

struct warehouses {
    struct journal *journal;
    struct applier *applier;
    struct loader loaders[WAREHOUSES_MOST];
    struct warehouse *list[WAREHOUSES_MOST];
    size_t count;
    bool loads_always, has_hold;
    int64_t undelivered_ms, retention_bytes;
    struct threads threads;
};

/* ---- Who knows ---- */

static struct applier *applier_of(void *context) { return ((struct loader *)context)->all->applier; }

static bool wait_known(void *context, JournalPos pos, Millis timeout_ms)
{
    return derive_wait_known(applier_of(context), pos, timeout_ms, NULL);
}

static void begin_reading(void *context) { derive_begin_reading(applier_of(context)); }

static void end_reading(void *context) { derive_end_reading(applier_of(context)); }

static bool skips(void *context, JournalPos pos, const Event *event)
{
    struct loader *loader = context;
    struct applier *applier = loader->all->applier;
    Arena scratch = region_arena(&loader->region);
    return derive_is_duplicate(applier, pos)
        || control_suppresses_message(derive_control(applier), loader->parser, event, scratch);
}

static bool is_blocked(void *context, Str id)
{
    People people = derive_people(applier_of(context));
    return people_is_blocked(&people, id);
}

static bool is_erasing(void *context)
{
    ControlErasure erasure;
    uint64_t done;
    return control_list_erasures(derive_control(applier_of(context)), &erasure, 1, &done) > 0;
}

/* ---- What waits for them ---- */

static JournalPos least_position(const struct warehouses *warehouses)
{
    JournalPos least = UINT64_MAX;
    for (size_t at = 0; at < warehouses->count; at++) {
        JournalPos position = warehouse_position(warehouses->list[at]);
        if (position < least) least = position;
    }
    return least;
}

static void keep_hold(struct loader *loader)
{
    struct warehouses *all = loader->all;
    int64_t now_ns = clock_monotonic_ns(os_clock());
    if (loader->held_at_ns && now_ns - loader->held_at_ns < HOLD_NS) return;
    loader->held_at_ns = now_ns;
    JournalPos position = least_position(all);
    control_hold_commands(derive_control(all->applier), position);
    if (!all->has_hold) return;
    JournalStats stats;
    journal_read_stats(all->journal, &stats);
    JournalPos oldest = journal_find_age(all->journal, all->undelivered_ms);
    if (all->retention_bytes && stats.disk_bytes > 2 * (uint64_t)all->retention_bytes) position = UINT64_MAX;
    else if (position < oldest) position = oldest;
    journal_set_hold(all->journal, "warehouses", position);
}

/* ---- The engine ---- */

static void log_outcome(struct loader *loader, Status s, const Err *err)
{
    int64_t now_ns = clock_monotonic_ns(os_clock());
    WarehouseStatus status;
    if (!s && !loader->logged[0]) return;
    warehouse_read_status(loader->warehouse, &status);
    if (!s && !status.has_failed) {
        loader->logged[0] = 0;
        log_write(LOG_INFO, "a warehouse loads again", LOG_STR("warehouse", status.name));
    }
    if (!s) return;
    if (!strcmp(loader->logged, err->text) && now_ns - loader->logged_at_ns < LOG_NS) return;
    loader->logged_at_ns = now_ns;
    snprintf(loader->logged, sizeof loader->logged, "%s", err->text);
    log_write(LOG_ERROR, "a warehouse is not loaded, trying again", LOG_STR("warehouse", status.name),
              LOG_TEXT("error", err->text));
}

static bool may_load(const struct warehouses *all)
{
    return all->loads_always || is_erasing(all->applier);
}

static void step(void *context, bool is_stopping)
{
    struct loader *loader = context;
    Err err = { 0 };
    if (is_stopping) return;
    if (!may_load(loader->all)) {
        (void)journal_wait_durable(loader->all->journal, JOURNAL_NEVER, STEP_MS);
        return;
    }
    Status s = warehouse_step(loader->warehouse, STEP_MS, &err);
    log_outcome(loader, s, &err);
    keep_hold(loader);
}

static void wake(void *context) { warehouse_stop(((struct loader *)context)->warehouse); }

Status warehouses_start(struct warehouses *warehouses, Err *err)
{
    Status s = OK;
    for (size_t at = 0; warehouses && !s && at < warehouses->count; at++) {
        Engine engine = { "warehouse", step, NULL, wake, &warehouses->loaders[at] };
        s = threads_start(&warehouses->threads, &engine, err);
    }
    return s;
}

void warehouses_stop(struct warehouses *warehouses, int64_t deadline_ns)
{
    if (warehouses) threads_stop(&warehouses->threads, deadline_ns);
}

/* ---- Opening ---- */

static Status open_all(struct warehouses *warehouses, const struct config *config, Err *err)
{
    People people = derive_people(warehouses->applier);
    WarehouseOptions options = {
        .journal = warehouses->journal, .clock = os_clock(),
        .hooks = { NULL, wait_known, begin_reading, end_reading, skips, is_blocked, is_erasing,
                   &people },
    };
    Status s = OK;
    for (size_t at = 0; !s && at < config->warehouse_count; at++) {
        WarehouseConfig wanted = config_warehouse(&config->warehouses[at]);
        if (!config->warehouses[at].is_enabled) continue;
        struct loader *loader = &warehouses->loaders[warehouses->count];
        loader->all = warehouses;
        loader->parser = event_parser_open();
        check(loader->parser);
        region_open(&loader->region, LOOKUP_BYTES);
        options.hooks.context = loader;
        s = warehouse_open(&wanted, &options, &loader->warehouse, err);
        if (s) return err_wrap(err, s, "warehouse %.*s", STR_FORMAT(wanted.name));
        warehouses->list[warehouses->count++] = loader->warehouse;
    }
    return s;
}

Status warehouses_open(const struct config *config, bool loads_always, struct journal *journal, struct applier *applier,
                       struct warehouses **ret, Err *err)
{
    struct warehouses *warehouses = calloc(1, sizeof *warehouses);
    check(warehouses);
    warehouses->journal = journal;
    warehouses->applier = applier;
    warehouses->loads_always = loads_always;
    warehouses->undelivered_ms = config->retention.undelivered_ms + config->retention.age_ms;
    warehouses->retention_bytes = config->retention.bytes;
    warehouses->threads.nice = NICE;
    Status s = open_all(warehouses, config, err);
    if (s || !warehouses->count) {
        warehouses_close(warehouses);
        return s;
    }
    warehouses->has_hold = loads_always && (config->retention.age_ms || config->retention.bytes);
    if (warehouses->has_hold) journal_set_hold(journal, "warehouses", 0);    /* until they say where they stand */
    control_hold_commands(derive_control(applier), 0);
    *ret = warehouses;
    return OK;
}

void warehouses_close(struct warehouses *warehouses)
{
    if (!warehouses) return;
    for (size_t at = 0; at < warehouses->count; at++) warehouse_close(warehouses->list[at]);
    for (size_t at = 0; at < WAREHOUSES_MOST; at++) {
        event_parser_close(warehouses->loaders[at].parser);
        region_close(&warehouses->loaders[at].region);
    }
    free(warehouses);
}

struct warehouse *const *warehouses_list(const struct warehouses *warehouses, size_t *ret_count)
{
    *ret_count = warehouses ? warehouses->count : 0;
    return warehouses ? warehouses->list : NULL;
}
