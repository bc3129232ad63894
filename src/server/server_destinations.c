/* server_destinations: the deliverer's engine.
 *
 * Retention does not remove what a destination has not read yet, but it does not wait for ever: at
 * most retention.undelivered longer, and, if retention.bytes is given, up to twice that size. A destination that
 * will never come back must not fill the disk that collection needs.
 */
#include "server_destinations.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>


enum { STEP_MS = 1000, LOG_NS = 1000000000, HOLD_NS = 1000000000, CONNECTIONS_A_HOST = 64, CONNECTIONS = 1024 };

struct destinations {
    struct journal *journal;
    struct outbox *store;
    struct fetcher *fetcher;
    struct deliver *deliver;
    char dir[4096];
    _Atomic int64_t undelivered_ms, retention_bytes;
    atomic_bool is_awake;                   /* the deliverer is at work, or was told that something is new */
    atomic_bool is_stopping;
    bool has_hold;
    int64_t held_at_ns;
    int64_t logged_at_ns;
};

/* ---- The journal's patience ---- */

static JournalPos find_hold(struct destinations *destinations)
{
    JournalStats stats;
    Millis undelivered_ms = atomic_load(&destinations->undelivered_ms);
    int64_t retention_bytes = atomic_load(&destinations->retention_bytes);
    JournalPos pos = deliver_position(destinations->deliver);
    JournalPos oldest = journal_find_age(destinations->journal, undelivered_ms);
    journal_read_stats(destinations->journal, &stats);
    if (retention_bytes && stats.disk_bytes > 2 * (uint64_t)retention_bytes) return UINT64_MAX;
    return pos > oldest ? pos : oldest;
}

static void keep_hold(struct destinations *destinations)
{
    int64_t now_ns = clock_monotonic_ns(os_clock());
    if (!destinations->has_hold) return;
    if (destinations->held_at_ns && now_ns - destinations->held_at_ns < HOLD_NS) return;
    destinations->held_at_ns = now_ns;
    journal_set_hold(destinations->journal, "destinations", find_hold(destinations));
}

/* ---- The engine ---- */

static void log_trouble(struct destinations *destinations, const Err *err)
{
    int64_t now_ns = clock_monotonic_ns(os_clock());
    if (destinations->logged_at_ns && now_ns - destinations->logged_at_ns < LOG_NS) return;
    destinations->logged_at_ns = now_ns;
    log_write(LOG_ERROR, "delivery has trouble, trying again", LOG_TEXT("error", err->text));
}

static void step(void *context, bool is_stopping)
{
    struct destinations *destinations = context;
    Err err = { 0 };
    if (is_stopping || atomic_load(&destinations->is_stopping)) deliver_begin_stop(destinations->deliver);
    atomic_store(&destinations->is_awake, false);
    if (deliver_step(destinations->deliver, is_stopping ? 50 : STEP_MS, &err)) log_trouble(destinations, &err);
    atomic_store(&destinations->is_awake, true);
    keep_hold(destinations);
}

static bool is_done(void *context) { return deliver_is_idle(((struct destinations *)context)->deliver); }

static void wake(void *context) { deliver_wake(((struct destinations *)context)->deliver); }

void destinations_wake(struct destinations *destinations)
{
    if (destinations && !atomic_exchange(&destinations->is_awake, true)) deliver_wake(destinations->deliver);
}

void destinations_begin_stop(struct destinations *destinations)
{
    if (!destinations) return;
    atomic_store(&destinations->is_stopping, true);
    deliver_wake(destinations->deliver);
}

Engine destinations_engine(struct destinations *destinations)
{
    return (Engine){ "deliverer", step, is_done, wake, destinations };
}

/* ---- Configuration ---- */

Status destinations_set_config(struct destinations *destinations, const struct config *config, Err *err)
{
    DestinationConfig *configs = calloc(config->destination_count + 1, sizeof *configs);
    check(configs);
    for (size_t at = 0; at < config->destination_count; at++)
        configs[at] = config_destination(&config->destinations[at]);
    Status s = deliver_set_config(destinations->deliver, configs, config->destination_count, err);
    free(configs);
    if (s) return s;
    atomic_store(&destinations->undelivered_ms, config->retention.undelivered_ms + config->retention.age_ms);
    atomic_store(&destinations->retention_bytes, config->retention.bytes);
    return OK;
}

/* ---- Opening ---- */

static Status open_parts(struct destinations *destinations, const struct config *config, bool delivers,
                         struct applier *applier, Err *err)
{
    FetchOptions fetch = { .connections_per_host = CONNECTIONS_A_HOST, .connections_total = CONNECTIONS,
                           .user_agent = "onym/" ONYM_VERSION };
    Status s = outbox_open(destinations->dir, false, &destinations->store, err);
    if (!s) s = os_fetcher_open(&fetch, &destinations->fetcher, err);
    if (s) return s;
    DeliverOptions options = {
        .journal = destinations->journal, .clock = os_clock(), .dice = os_dice(), .fetcher = destinations->fetcher,
        .rows = outbox_rows_of(destinations->store), .people = deliver_people_of(applier),
    };
    s = deliver_open(&options, &destinations->deliver, err);
    if (!s && delivers) s = destinations_set_config(destinations, config, err);
    return s;
}

/* Before anything is accepted, keeps a new destination's place: else it would begin after what came meanwhile if a
 * crash followed a moment later. It also lets states be asked for. */
static void take_places(struct destinations *destinations)
{
    Err err = { 0 };
    if (deliver_step(destinations->deliver, 0, &err)) log_trouble(destinations, &err);
}

Status destinations_open(const struct config *config, bool delivers, struct journal *journal, struct applier *applier,
                         struct destinations **ret, Err *err)
{
    struct destinations *destinations = calloc(1, sizeof *destinations);
    check(destinations);
    destinations->journal = journal;
    bool has_hold = config->retention.age_ms || config->retention.bytes;
    destinations->has_hold = has_hold && delivers;
    snprintf(destinations->dir, sizeof destinations->dir, "%.*s/deliver", STR_FORMAT(config->data));
    if (has_hold) journal_set_hold(journal, "destinations", 0);  /* until they say how far they have read */
    Status s = open_parts(destinations, config, delivers, applier, err);
    if (s) {
        destinations_close(destinations);
        return s;
    }
    take_places(destinations);
    *ret = destinations;
    return OK;
}

void destinations_close(struct destinations *destinations)
{
    if (!destinations) return;
    deliver_close(destinations->deliver);
    if (destinations->fetcher) destinations->fetcher->close(destinations->fetcher);
    outbox_close(destinations->store);
    free(destinations);
}

struct deliver *destinations_deliver(struct destinations *destinations)
{
    return destinations ? destinations->deliver : NULL;
}

struct outbox_rows destinations_rows(struct destinations *destinations)
{
    return destinations ? outbox_rows_of(destinations->store) : (struct outbox_rows){ 0 };
}
