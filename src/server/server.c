/* server: the stations in the order in which they open: journal, collector, listeners, threads. */
#include "server.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/config.h"
#include "api/api.h"
#include "demo/demo.h"
#include "server_access.h"
#include "server_derived.h"
#include "server_destinations.h"
#include "server_examine.h"
#include "server_journal.h"
#include "kv/kv.h"
#include "server_mend.h"
#include "server_notify.h"
#include "server_plan.h"
#include "server_print.h"
#include "server_roles.h"
#include "server_stop.h"
#include "server_threads.h"
#include "server_tls.h"
#include "server_warehouses.h"

enum { SERVERS_MAX = 32, STEP_MS = 1000, OTHER_FILES = 1024, CONFIG_GENERATIONS = 2,
       WORKERS_MAX = 17, QUESTIONS_AT_ONCE = 2, WORKER_NICE = 10, APPLY_WAIT_MS = 200,
       WORKER_KEEP_BYTES = 1024 * 1024,
       BODIES_BYTES = 256 * 1024 * 1024, BODIES_BYTES_LEAST = 32 * 1024 * 1024 }; /* in flight */
static const int64_t POISON_GRACE_NS = 5 * INT64_C(1000000000), STUCK_LOG_NS = 10 * INT64_C(1000000000);
static const size_t WORKER_ARENA_BYTES = (size_t)8 << 30;       /* address space: only touched pages cost memory */

struct ingest {
    struct http_server *server;
    bool is_quiesced;
};

struct worker {
    struct http_jobs *jobs;
    struct region region;
};

struct serve {
    const struct config *config;
    Engines engines;                     /* what runs here: its role's row says it */
    struct journal *journal;
    struct applier *applier;
    struct destinations *destinations;
    struct warehouses *warehouses;
    struct collector *collector;
    struct health health;
    struct ingest ingests[SERVERS_MAX];
    size_t ingest_count;
    uint16_t first_port, ui_port, site_port;
    struct demo *demo;
    ApiOptions api, collecting;          /* live as long as the servers */
    struct http_jobs *jobs;
    struct api_links *links;
    struct doctor *doctor;
    struct examiner *examiner;
    struct access *access;
    struct desk *desk;
    struct live *live;
    struct worker workers[WORKERS_MAX];
    size_t worker_count;
    struct threads worker_threads, ingest_threads, committer_threads, deliver_threads,
        background_threads;
    struct region generations[CONFIG_GENERATIONS];  /* the configuration that was loaded last, and room for the next */
    size_t generation;                                   /* the place of the next one */
    struct config reloaded;
    struct reached *reached;
    char failure[ERR_TEXT_BYTES]; /* what the disk said when a sync failed; maintenance writes it and the next member */
    int64_t failed_at_ns;                /* 0: none did */
    _Atomic bool is_ending;
    struct region journal_region, pem_region, derived_region, site_region;
    struct printer *printer;
    HttpCrowd crowd;
    ApiShares shares;
    JournalPos first, end;               /* of the journal when it was opened */
    _Atomic bool restarts;               /* because something was found damaged */
    char destinations_trouble[ERR_TEXT_BYTES];       /* why there are none */
};

/* ---- Engines ---- */

static void ingest_step(void *context, bool is_stopping)
{
    struct ingest *ingest = context;
    if (is_stopping && !ingest->is_quiesced) {
        ingest->is_quiesced = true;
        http_server_quiesce(ingest->server);
    }
    http_server_step(ingest->server, is_stopping ? 10 : STEP_MS);
}

static bool ingest_is_done(void *context) { return http_server_busy_count(((struct ingest *)context)->server) == 0; }

static void ingest_wake(void *context) { http_server_wake(((struct ingest *)context)->server); }

/* A failed commit was told to every request of it; here it is logged, at most once a second. */
static void committer_step(void *context, bool is_stopping)
{
    static _Thread_local int64_t logged_at_ns;
    struct serve *serve = context;
    Err err;
    if (!journal_wait_submitted(serve->journal, is_stopping ? 0 : STEP_MS)) return;
    if (journal_commit(serve->journal, NULL, &err) == OK) return;
    int64_t now_ns = clock_monotonic_ns(os_clock());
    if (now_ns - logged_at_ns < 1000000000) return;
    logged_at_ns = now_ns;
    log_write(LOG_ERROR, "commit failed", LOG_TEXT("error", err.text));
}

static void committer_wake(void *context) { journal_wake(((struct serve *)context)->journal); }

/* Derived state was found damaged. A start makes it again, so the process starts again at once, if it may. */
static void mend(struct serve *serve)
{
    const char *damage = derive_find_damage(serve->applier);
    if (!damage) return;
    bool restarts = serve->engines & ENGINE_PROCESS && mend_may_restart(serve->config);
    log_write(LOG_ERROR, restarts ? "derived state is damaged; starting again, to make it from the journal"
                                  : "derived state is damaged: what needs it fails until a start makes it again",
              LOG_TEXT("damage", damage));
    if (!restarts) return;
    serve->restarts = true;
    stop_begin(1);
}

/* If a record cannot be applied it is tried again: there may be room on the disk by then. */
static void applier_step(void *context, bool is_stopping)
{
    struct serve *serve = context;
    Err err;
    bool more = false;
    if (is_stopping) return;
    static _Thread_local int64_t logged_at_ns;
    Status s = derive_step(serve->applier, &more, &err);
    destinations_wake(serve->destinations);
    mend(serve);
    if (s) {
        int64_t now_ns = clock_monotonic_ns(os_clock());
        bool is_to_log = !logged_at_ns || now_ns - logged_at_ns >= STUCK_LOG_NS;
        if (is_to_log) log_write(LOG_ERROR, "the applier is stuck, trying again", LOG_TEXT("error", err.text));
        if (is_to_log) logged_at_ns = now_ns;
        (void)journal_wait_durable(serve->journal, JOURNAL_NEVER, STEP_MS);
    } else if (!more) {
        (void)derive_wait(serve->applier, APPLY_WAIT_MS);
    }
}

static void worker_step(void *context, bool is_stopping)
{
    struct worker *worker = context;
    http_jobs_step(worker->jobs, region_arena(&worker->region), is_stopping ? 0 : STEP_MS);
    region_trim(&worker->region, WORKER_KEEP_BYTES);
}

static void worker_wake(void *context) { http_jobs_stop(((struct worker *)context)->jobs); }

/* Has a sync failed: of the journal, of derived state, or of the destinations' store? */
static bool has_failed_sync(struct serve *serve)
{
    if (journal_is_poisoned(serve->journal, serve->failure, sizeof serve->failure)) return true;
    if (kv_failure()) snprintf(serve->failure, sizeof serve->failure, "%s", kv_failure());
    return kv_failure() != NULL;
}

/* After a failed sync nobody knows what the disk holds, until a new start has read it. For a moment whoever asks is
 * told so (503); then the process ends on purpose, whatever its threads do. */
static void look_for_poison(struct serve *serve)
{
    int64_t now_ns = clock_monotonic_ns(os_clock());
    if (serve->is_ending || !has_failed_sync(serve)) return;
    if (!serve->failed_at_ns) {
        serve->failed_at_ns = now_ns;
        log_write(LOG_ERROR, "a sync failed: nothing more is written there, and the process ends; the next start reads "
                  "what the disk holds. Look at dmesg and the disk first", LOG_TEXT("error", serve->failure));
    }
    if (now_ns - serve->failed_at_ns < POISON_GRACE_NS) return;
    serve->is_ending = true;
    if (serve->engines & ENGINE_PROCESS) stop_begin(1);
}

static void maintenance_step(void *context, bool is_stopping)
{
    struct serve *serve = context;
    look_for_poison(serve);
    Err err;
    bool more = true;
    if (is_stopping) return;
    server_keep_sessions(serve->access);
    server_keep_notes(serve->desk, false);
    Status s = journal_maintain(serve->journal, &more, &err);
    bool more_derived = false;
    if (!s) s = derive_maintain(serve->applier, &more_derived, &err);
    more |= more_derived;
    bool more_counts = false;
    if (!s) s = live_count(serve->live, &more_counts, &err);
    more |= more_counts;
    Status kept = reached_keep(serve->reached, serve->journal, false, s ? NULL : &err);
    if (!s) s = kept;
    if (more_derived) destinations_wake(serve->destinations);    /* an erasure may have come to their store */
    if (s) {
        log_write(LOG_ERROR, "maintenance failed, trying again", LOG_TEXT("error", err.text));
        more = false;
    }
    /* Nothing to do until a segment is full: wait until so much was written, or for a second. */
    if (!more) (void)journal_wait_durable(serve->journal, JOURNAL_NEVER, STEP_MS);
}

/* ---- Opening ---- */

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        log_write(LOG_WARN, "could not raise the limit of open files", LOG_INT("limit", limit.rlim_cur));
}

static Status open_journal(struct serve *serve, Err *err)
{
    const struct config *config = serve->config;
    char data[4096];
    if (config->data.len >= sizeof data) return err_set_field(err, "data", "the path is too long");
    snprintf(data, sizeof data, "%.*s", STR_FORMAT(config->data));
    Status s = os_disk()->make_dir(os_disk(), data, err);
    if (s) return err_wrap(err, s, "data directory %s", data);
    region_open(&serve->journal_region, 64 * 1024);          /* the journal borrows it until it is closed */
    Arena arena = region_arena(&serve->journal_region);
    SegmentsOptions options = journal_options(config, &arena);
    options.retention_ms = config->retention.age_ms;
    options.retention_bytes = (uint64_t)config->retention.bytes;
    SegmentsRecovery recovery;
    s = segments_open(&options, &serve->journal, &recovery, err);
    if (!s) s = reached_open(config, &serve->reached, err);
    if (s) return s;
    serve->first = recovery.first;
    serve->end = recovery.end;
    if (recovery.torn_bytes)
        log_write(LOG_WARN, "cut off an incomplete end, which a crash leaves between writing and answering",
                  LOG_INT("position", recovery.torn_at), LOG_INT("bytes", recovery.torn_bytes));
    log_write(LOG_INFO, "journal opened", LOG_TEXT("dir", options.dir), LOG_INT("segments", recovery.segments),
              LOG_INT("first", recovery.first), LOG_INT("end", recovery.end));
    return OK;
}

/* If the one ingest thread commits by itself, it waits in its own loop, not on the journal. */
static void wake_committer(void *context)
{
    struct serve *serve = context;
    if (serve->ingest_count) http_server_wake(serve->ingests[0].server);
}

/* journal.on_damage has decided: everything else goes on. */
static void log_passed(void *context, const char *why, uint64_t bytes)
{
    (void)context;
    log_write(LOG_ERROR, "a part of the journal cannot be read and is skipped (journal.on_damage, on_newer); it is "
              "in no answer until its segment is restored and onym rebuild has run", LOG_TEXT("error", why),
              LOG_INT("bytes", bytes));
}

static Status open_applier(struct serve *serve, Err *err)
{
    region_open(&serve->derived_region, 1024 * 1024);        /* the stores borrow it until they are closed */
    Arena arena = region_arena(&serve->derived_region);
    DeriveOptions options = derived_options(serve->config, serve->journal, &arena);
    options.wake_committer = wake_committer, options.wake_context = serve;
    options.passed = log_passed, options.may_append = true;
    Status s = derive_open(&options, &serve->applier, err);
    if (!s && derive_remade_why(serve->applier))
        log_write(LOG_WARN, "derived state is made from the journal again", LOG_TEXT("dir", options.dir),
                  LOG_TEXT("reason", derive_remade_why(serve->applier)));
    return s;
}

/* Without delivery they are opened only to erase people from their store. A damaged store cannot be made
 * from the journal again; collection and questions go on without it, and whoever asks for a destination is told. */
static Status open_destinations(struct serve *serve, Err *err)
{
    bool delivers = serve->engines & ENGINE_DELIVERY;
    Status s = destinations_open(serve->config, delivers, serve->journal, serve->applier, &serve->destinations, err);
    if (!s || (delivers && s != ERR_DAMAGED)) return s;
    snprintf(serve->destinations_trouble, sizeof serve->destinations_trouble, "%s", err->text);
    if (!delivers)
        log_write(LOG_WARN, "the destinations' store cannot be opened; erasures wait for it",
                  LOG_TEXT("error", err->text));
    else
        log_write(LOG_ERROR, "nothing is delivered: the destinations' store is damaged", LOG_TEXT("error", err->text));
    return OK;
}

/* Without their store no link can be used, and whoever tries is told so; all else goes on. */
static void open_links(struct serve *serve)
{
    char dir[4096];
    bool is_anew;
    Err err;
    if (!(serve->engines & ENGINE_LINKS) || !serve->config->secret_key.len) return;
    snprintf(dir, sizeof dir, "%.*s/links", STR_FORMAT(serve->config->data));
    if (api_links_open(dir, &serve->links, &is_anew, &err)) {
        log_write(LOG_ERROR, "no link to another domain can be used", LOG_TEXT("dir", dir),
                  LOG_TEXT("error", err.text));
        return;
    }
    if (is_anew)
        log_write(LOG_WARN, "the list of links that were used was damaged and is empty now: a link that was used "
                  "before can be used once more until it expires", LOG_TEXT("dir", dir));
}

/* Little is kept of findings, and nobody waits for it. */
static void open_doctor(struct serve *serve)
{
    char path[4096], damage[ERR_TEXT_BYTES];
    Err err;
    snprintf(path, sizeof path, "%.*s/findings", STR_FORMAT(serve->config->data));
    if (doctor_open(os_disk(), path, &serve->doctor, damage, &err)) {
        log_write(LOG_ERROR, "no findings: what is kept of them cannot be opened", LOG_TEXT("error", err.text));
        return;
    }
    if (damage[0])
        log_write(LOG_WARN, "the file of findings is damaged and is empty now: mutes are lost",
                  LOG_TEXT("error", damage));
}

static bool is_suppressed(void *context, EventType type, Str user_id, Str anonymous_id, Str previous_id)
{
    struct control *control = derive_control(((struct serve *)context)->applier);
    return control_suppresses(control, type, user_id, anonymous_id, previous_id);
}

static bool has_suppressed_external(void *context)
{
    return control_suppresses_some_external(derive_control(((struct serve *)context)->applier));
}

static bool carries_suppressed(void *context, struct event_parser *parser, Str json, Arena scratch)
{
    return control_suppresses_carrier(derive_control(((struct serve *)context)->applier), parser, json, scratch);
}

static Status open_collector(struct serve *serve, Err *err)
{
    const struct config *config = serve->config;
    CollectOptions options = {
        .clock = os_clock(), .dice = os_dice(),
        .refuse_unknown_keys = config->unknown_write_keys == UNKNOWN_KEYS_REFUSE,
        .skew_least_ms = config->clock_skew_least_ms,
        .is_suppressed = is_suppressed,
        .has_suppressed_external = has_suppressed_external,
        .carries_suppressed = carries_suppressed,
        .suppressed_context = serve,
        .is_reading_key = server_is_reading_key,
        .reading_key_context = serve->access,
    };
    Status s = collector_open(&options, &serve->collector, err);
    if (!s) s = server_open_desk(config, serve->collector, &serve->desk, err);
    if (!s) s = server_set_sources(serve->desk, config, err);
    return s || !(serve->engines & ENGINE_INGEST) ? s : server_load_plan(config, serve->collector, err);
}

static size_t body_memory(size_t server_count)
{
    size_t each = BODIES_BYTES / server_count;
    return each < BODIES_BYTES_LEAST ? BODIES_BYTES_LEAST : each;
}

/* The example site of `onym demo`: a server of its own, without TLS, which never commits. */
static Status open_site(struct serve *serve, HttpOptions options, Err *err)
{
    int listener;
    Status s = http_listen(serve->config->site, &listener, &serve->site_port, err);
    if (s) return s;
    region_open(&serve->site_region, 64 * 1024);
    Arena arena = region_arena(&serve->site_region);
    DemoOptions site = {
        .onym_url = address_url(serve->config, serve->first_port, &arena),
        .write_key = serve->config->sources[0].write_key,
        .own_path = serve->config->sources[0].own_path,
        .health = &serve->health,
        .applier = serve->applier,
        .clock = os_clock(),
        .dice = os_dice(),
    };
    options.app = &demo_app;
    options.context = serve->demo = demo_open(&site);
    options.commits_inline = false;
    options.tls_certificate_pem = options.tls_key_pem = NULL;
    check(serve->ingest_count < SERVERS_MAX);
    s = serve->demo ? http_server_open(&options, listener, &serve->ingests[serve->ingest_count].server, err)
                    : err_set(err, ERR_IO, "no memory for the example site");
    if (!s) serve->ingest_count++;
    return s;
}

/* How many connections may be open: at most one for each descriptor that files and destinations do not need. */
static size_t connections_most(const struct serve *serve)
{
    struct rlimit limit;
    int64_t most = serve->config->limits.connections;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        int64_t files = limit.rlim_cur / 4 < OTHER_FILES ? (int64_t)limit.rlim_cur / 4 : OTHER_FILES;
        int64_t room = (int64_t)limit.rlim_cur - files;
        if (most > room && serve->engines & ENGINE_PROCESS)
            log_write(room < most / 2 ? LOG_WARN : LOG_INFO,
                      "fewer connections than limits.connections: raise LimitNOFILE (ulimit -n)",
                      LOG_INT("configured", most), LOG_INT("possible", room), LOG_INT("descriptors", limit.rlim_cur));
        if (most > room) most = room;
    }
    return most > 1 ? (size_t)most : 1;
}

/* Logged at each start, since the configuration may have come from a command or an image. */
static void warn_of_public(const struct serve *serve)
{
    const struct config *config = serve->config;
    if (!(serve->engines & ENGINE_PROCESS) || config->tls.certificate.len) return;
    for (size_t at = 0; at < config->listen.count; at++)
        if (address_is_public(&config->listen.items[at]))
            log_write(LOG_WARN,
                      "this address can be reached from other machines, without TLS: keys and events go in the clear; "
                      "put a proxy with TLS in front, or set tls",
                      LOG_STR("listen", config->listen.items[at].text));
}

/* Opens a server on one address, with so many threads. */
static Status open_listener(struct serve *serve, const HttpOptions *options, Str text, size_t thread_count,
                            uint16_t *ret_port, Err *err)
{
    const struct config *config = serve->config;
    int listener;
    Status s = http_listen(text, &listener, ret_port, err);
    for (size_t thread = 0; !s && thread < thread_count && serve->ingest_count < SERVERS_MAX; thread++) {
        int shared = thread + 1 < thread_count ? dup(listener) : listener;
        if (shared < 0) return err_set_errno(err, errno, "listen %.*s", STR_FORMAT(text));
        s = http_server_open(options, shared, &serve->ingests[serve->ingest_count].server, err);
        if (s == ERR_INPUT)
            return err_wrap(err, s, "tls.certificate %.*s, tls.key %.*s", STR_FORMAT(config->tls.certificate),
                            STR_FORMAT(config->tls.key));
        serve->ingest_count += !s;
    }
    return s;
}

static Status open_servers(struct serve *serve, size_t thread_count, Err *err)
{
    const struct config *config = serve->config;
    serve->live = live_open(&(LiveOptions){ serve->journal, serve->applier, os_clock() });
    size_t warehouse_count;
    struct warehouse *const *warehouses = warehouses_list(serve->warehouses, &warehouse_count);
    serve->api = (ApiOptions){
        .warehouses = warehouses,
        .warehouse_count = warehouse_count,
        .shares = &serve->shares,
        .has_page = config->has_ui,
        .collector = serve->collector,
        .journal = serve->journal,
        .health = &serve->health,
        .jobs = serve->jobs,
        .links = serve->links,
        .desk = serve->desk,
        .doctor = serve->doctor,
        .signups = config->doctor.signup_events.items,
        .signup_count = config->doctor.signup_events.count,
        .live = serve->live,
        .applier = serve->applier,
        .deliver = serve->engines & ENGINE_DELIVERY ? destinations_deliver(serve->destinations) : NULL,
        .outbox_rows = destinations_rows(serve->destinations),
        .deliver_trouble = serve->engines & ENGINE_DELIVERY ? serve->destinations_trouble : "",
        .query_memory_bytes = (size_t)config->queries.memory_bytes,
        .disk = os_disk(),
        .data_dir = serve->engines & ENGINE_PROCESS ? config->data : STR(""),
        .retention_ms = config->retention.age_ms,
        .retention_bytes = (uint64_t)config->retention.bytes,
        .clock = os_clock(),
        .secret_key = config->secret_key,
    };
    HttpOptions options = {
        .app = &api_app,
        .context = &serve->api,
        .collector = serve->collector,
        .journal = serve->journal,
        .health = &serve->health,
        .jobs = serve->jobs,
        .clock = os_clock(),
        .secret_key = config->secret_key,
        .access = serve->access,
        .commits_inline = !(serve->engines & ENGINE_COMMITTER),
        .trusted_proxies = config->trusted_proxies.items,
        .trusted_proxy_count = config->trusted_proxies.count,
        .drops_ip = !config->keep_ip,
        .crowd = &serve->crowd,
        .body_memory_bytes = body_memory(thread_count * config->listen.count),
        .idle_timeout_ms = config->limits.idle_ms,
        .request_timeout_ms = config->limits.request_ms,
    };
    Status s = server_read_tls(config, &serve->pem_region, &options, err);
    if (s) return s;
    serve->crowd.limit = connections_most(serve);
    warn_of_public(serve);
    if (config->ui_listen.len) {
        s = open_listener(serve, &options, config->ui_listen, 1, &serve->ui_port, err);
        if (s) return s;
        serve->collecting = serve->api;
        serve->collecting.has_page = false;
        options.app = &api_app_collecting;
        options.context = &serve->collecting;
    }
    for (size_t at = 0; !s && at < config->listen.count; at++) {
        uint16_t port;
        s = open_listener(serve, &options, config->listen.items[at].text, thread_count, &port, err);
        if (!s && at == 0) serve->first_port = port;
    }
    if (s) return s;
    if (!config->ui_listen.len) serve->ui_port = serve->first_port;
    return serve->engines & ENGINE_SITE ? open_site(serve, options, err) : OK;
}

static Status start_workers(struct serve *serve, Err *err)
{
    Status s = OK;
    serve->worker_threads.nice = WORKER_NICE;
    for (size_t at = 0; !s && at < serve->worker_count; at++) {
        serve->workers[at].jobs = serve->jobs;
        region_open(&serve->workers[at].region, WORKER_ARENA_BYTES);
        s = threads_start(&serve->worker_threads,
                          &(Engine){ "worker", worker_step, NULL, worker_wake, &serve->workers[at] }, err);
    }
    return s;
}

static Status start_committer(struct serve *serve, Err *err)
{
    return threads_start(&serve->committer_threads,
                         &(Engine){ "committer", committer_step, NULL, committer_wake, serve }, err);
}

/* Starts the ingest threads of all servers, the example site's too. */
static Status start_ingest(struct serve *serve, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < serve->ingest_count; at++)
        s = threads_start(&serve->ingest_threads,
                          &(Engine){ "ingest", ingest_step, ingest_is_done, ingest_wake, &serve->ingests[at] }, err);
    return s;
}

static Status start_applier(struct serve *serve, Err *err)
{
    return threads_start(&serve->background_threads, &(Engine){ "applier", applier_step, NULL, NULL, serve }, err);
}

static Status start_maintenance(struct serve *serve, Err *err)
{
    return threads_start(&serve->background_threads, &(Engine){ "maintenance", maintenance_step, NULL, NULL, serve },
                         err);
}

static Status start_deliverer(struct serve *serve, Err *err)
{
    if (!serve->destinations) return OK;                     /* their store is damaged */
    Engine engine = destinations_engine(serve->destinations);
    return threads_start(&serve->deliver_threads, &engine, err);
}

static Status start_warehouses(struct serve *serve, Err *err) { return warehouses_start(serve->warehouses, err); }

static Status start_examiner(struct serve *serve, Err *err)
{
    ExaminerOptions options = { serve->config, serve->applier, serve->journal, serve->doctor, serve->collector };
    return examiner_start(&options, &serve->examiner, err);
}

/* The engines that have threads. */
static Status start_threads(struct serve *serve, Err *err)
{
    static const struct { Engines engine; Status (*start)(struct serve *serve, Err *err); } starts[] = {
        { ENGINE_WORKERS, start_workers }, { ENGINE_COMMITTER, start_committer }, { ENGINE_INGEST, start_ingest },
        { ENGINE_APPLIER, start_applier }, { ENGINE_MAINTENANCE, start_maintenance },
        { ENGINE_FORGETTING, start_deliverer }, { ENGINE_WAREHOUSES, start_warehouses },
        { ENGINE_EXAMINER, start_examiner },
    };
    Status s = OK;
    for (size_t at = 0; !s && at < countof(starts); at++)
        if (serve->engines & starts[at].engine) s = starts[at].start(serve, err);
    return s;
}

/* ---- Running ---- */

/* Sources, origins, destinations and log level change without a restart; requests in flight finish as they began. */
static void reload(struct serve *serve, const ServeReload *how)
{
    Err err;
    notify_service("RELOADING=1");
    struct region *region = &serve->generations[serve->generation];
    region_open(region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(region);
    struct config config;
    Status s = how->load(how->context, &arena, &config, &err);
    if (!s && serve->destinations) s = destinations_set_config(serve->destinations, &config, &err);
    if (!s) s = server_set_sources(serve->desk, &config, &err);
    if (s) {
        log_write(LOG_ERROR, "configuration not reloaded, the old one stays", LOG_TEXT("error", err.text));
        region_close(region);
        return;
    }
    server_set_keys(serve->access, serve->config->secret_key, &config);
    if (serve->engines & ENGINE_INGEST && server_load_plan(&config, serve->collector, &err))
        log_write(LOG_ERROR, "tracking plan not reloaded, the old one stays", LOG_TEXT("error", err.text));
    Str restarts = config_list_restarts(serve->config, &config, &arena);
    if (restarts.len) log_write(LOG_WARN, "these changes wait for a restart", LOG_STR("options", restarts));
    log_configure((LogLevel)config.log.level, (LogFormat)config.log.format);
    serve->reloaded = config;
    serve->config = &serve->reloaded;
    serve->generation = !serve->generation;              /* sources and destinations have copies of the old one */
    region_close(&serve->generations[serve->generation]);
    log_write(LOG_INFO, "configuration reloaded", LOG_INT("sources", config.source_count),
              LOG_INT("destinations", config.destination_count));
}

static void wait_for_signals(struct serve *serve, const ServeReload *how)
{
    while (!stop_wait()) {
        reload(serve, how);
        notify_service("READY=1");
    }
    if (!serve->restarts) log_write(LOG_INFO, "stopping", LOG_TEXT("signal", stop_signal_name()));
}

/* Top-down: nobody new is accepted, requests that are in are answered, what is submitted is committed. Requests,
 * questions and destinations wait for what they have begun, all at the same time (server_stop.h). */
void serve_stop(struct serve *serve)
{
    if (!serve) return;
    int64_t until_ns = stop_answer_deadline_ns(serve->config->limits.stop_ms);
    destinations_begin_stop(serve->destinations);
    examiner_begin_stop(serve->examiner);
    threads_stop(&serve->ingest_threads, until_ns);
    examiner_stop(serve->examiner, until_ns);
    threads_stop(&serve->worker_threads, until_ns);
    threads_stop(&serve->committer_threads, until_ns);
    while (serve->journal && journal_wait_submitted(serve->journal, 0))
        if (journal_commit(serve->journal, NULL, NULL)) break;
    threads_stop(&serve->deliver_threads, until_ns);
    warehouses_stop(serve->warehouses, until_ns);
    if (serve->journal) journal_end_waits(serve->journal);
    threads_stop(&serve->background_threads, until_ns);
    printer_close(serve->printer);
    for (size_t at = 0; at < serve->ingest_count; at++) http_server_close(serve->ingests[at].server);
    live_close(serve->live);
    http_jobs_close(serve->jobs);
    api_links_close(serve->links);
    server_keep_notes(serve->desk, true);
    desk_close(serve->desk);
    examiner_close(serve->examiner);
    doctor_close(serve->doctor);
    server_keep_sessions(serve->access);
    access_close(serve->access);
    for (size_t at = 0; at < WORKERS_MAX; at++) region_close(&serve->workers[at].region);
    collector_close(serve->collector);
    destinations_close(serve->destinations);
    warehouses_close(serve->warehouses);
    derive_close(serve->applier);
    if (serve->journal) IGNORE(reached_keep(serve->reached, serve->journal, true, NULL));
    reached_close(serve->reached);
    journal_close(serve->journal);
    region_close(&serve->journal_region);
    demo_close(serve->demo);
    region_close(&serve->site_region);
    region_close(&serve->pem_region);
    region_close(&serve->derived_region);
    for (size_t at = 0; at < CONFIG_GENERATIONS; at++) region_close(&serve->generations[at]);
}

/* Questions may use every core, at a priority that leaves the cores to collection. There is one worker more than
 * questions that run at once, for look-ups. */
static void open_jobs(struct serve *serve, size_t cores)
{
    size_t most = serve->config->queries.threads ? (size_t)serve->config->queries.threads : cores;
    if (most > WORKERS_MAX - 1) most = WORKERS_MAX - 1;
    serve->worker_count = (most > QUESTIONS_AT_ONCE ? most : QUESTIONS_AT_ONCE) + 1;
    serve->jobs = http_jobs_open((uint32_t)most, QUESTIONS_AT_ONCE);
}

/* The cores that this process may use: taskset, systemd's AllowedCPUs and a container's cpuset give fewer than there
 * are. One thread too many costs every request a suspension, since only a single ingest thread commits for itself. */
static size_t count_cores(void)
{
    cpu_set_t ours;
    if (sched_getaffinity(0, sizeof ours, &ours) == 0 && CPU_COUNT(&ours) > 0) return (size_t)CPU_COUNT(&ours);
    long online = sysconf(_SC_NPROCESSORS_ONLN);             /* there are over 1,024 cores */
    return online > 1 ? (size_t)online : 1;
}

static Status open_all(struct serve *serve, Role role, Err *err)
{
    size_t cores = count_cores(), thread_count = serve->config->threads ? (size_t)serve->config->threads : cores;
    size_t most = (SERVERS_MAX - 2) / serve->config->listen.count;      /* two more: ui_listen, the example site */
    if (thread_count > most) thread_count = most;
    size_t server_count = thread_count * serve->config->listen.count + (serve->config->ui_listen.len > 0);
    serve->engines = role_engines(role, server_count);
    open_jobs(serve, cores);
    Status s = open_journal(serve, err);
    if (!s) s = open_applier(serve, err);
    if (!s) s = open_destinations(serve, err);
    if (!s && serve->engines & ENGINE_WAREHOUSES)
        s = warehouses_open(serve->config, serve->engines & ENGINE_DELIVERY, serve->journal, serve->applier,
                            &serve->warehouses, err);
    if (!s) open_links(serve);
    if (!s) open_doctor(serve);
    if (!s) s = server_open_access(serve->config, serve->engines & ENGINE_PROCESS, &serve->access, err);
    if (!s) s = open_collector(serve, err);
    if (!s) s = open_servers(serve, thread_count, err);
    if (!s) s = start_threads(serve, err);
    return s;
}

Status serve_start(const struct config *config, Role role, struct serve **ret, Err *err)
{
    static struct serve serve;                               /* large, and one a process */
    memset(&serve, 0, sizeof serve);
    serve.config = config;
    serve.health.started_at_ms = clock_now_ms(os_clock());
    check(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    check(signal(SIGUSR1, SIG_IGN) != SIG_ERR && signal(SIGUSR2, SIG_IGN) != SIG_ERR);    /* log rotators send these */
    raise_file_limit();
    Status s = open_all(&serve, role, err);
    if (s) {
        serve_stop(&serve);
        return s;
    }
    *ret = &serve;
    return OK;
}

uint16_t serve_port(const struct serve *serve) { return serve->first_port; }

bool serve_wait_applied(struct serve *serve, Millis timeout_ms, uint64_t *ret_done, uint64_t *ret_all)
{
    DeriveLag lag;
    if (timeout_ms) (void)derive_wait_known(serve->applier, serve->end, timeout_ms, NULL);
    derive_read_lag(serve->applier, &lag);
    *ret_all = journal_distance(serve->first, serve->end);
    *ret_done = journal_distance(serve->first, lag.applied);
    if (*ret_done > *ret_all) *ret_done = *ret_all;
    return lag.applied >= serve->end;
}

static Status run_until_signal(struct serve *serve, const ServeReload *how, Err *err)
{
    Err hint_err;
    if (address_keep(serve->config, serve->ui_port, &hint_err))
        log_write(LOG_WARN, "commands will not find this server by themselves", LOG_TEXT("error", hint_err.text));
    bool is_story = serve->engines & ENGINE_STORY;
    char token[ACCESS_TOKEN_CHARS];
    Str link = { token, sizeof token };
    if (access_make_link(serve->access, serve->config->secret_key, STR(""), token, &hint_err)) link.len = 0;
    if (is_story) print_demo_welcome(serve->config, serve->first_port, serve->site_port, link);
    else print_welcome(serve->config, serve->first_port, serve->ui_port, link);
    Status s = OK;
    if (serve->engines & ENGINE_PRINTER) s = printer_open(serve->journal, is_story, &serve->printer, err);
    if (!s && serve->printer) s = threads_start(&serve->background_threads, printer_engine(serve->printer), err);
    if (s) return s;
    notify_service("READY=1");
    wait_for_signals(serve, how);
    notify_service(serve->restarts ? "RELOADING=1" : "STOPPING=1");
    address_forget(serve->config);
    return serve->is_ending ? err_set(err, ERR_IO, "ended after a failed sync: %s", serve->failure) : OK;
}

Status serve_run(const struct config *config, Role role, const ServeReload *how, Err *err)
{
    struct serve *serve = NULL;
    stop_listen();
    Status s = serve_start(config, role, &serve, err);
    if (!s) {
        stop_is_started(config->limits.stop_ms);
        s = run_until_signal(serve, how, err);
        if (s) stop_begin(1);
    }
    bool restarts = !s && serve->restarts, is_story = serve && serve->engines & ENGINE_STORY;
    serve_stop(serve);
    if (restarts) mend_restart();
    if (!s) print_farewell(config, health_get(&serve->health, COUNT_ACCEPTED), is_story);
    return s;
}

Status server_check_links(const char *dir, uint64_t *ret_rows, Err *err)
{
    return api_links_verify(dir, ret_rows, err);
}
