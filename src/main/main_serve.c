/* main_serve: the stations in the order in which they open: journal, collector, listeners, threads. */
#include "serve.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "address.h"
#include "derived.h"
#include "destinations.h"
#include "http/http.h"
#include "notify.h"
#include "print.h"
#include "threads.h"

enum { SERVERS_MAX = 32, STEP_MS = 1000, GRACE_MS = 10000, CONFIG_GENERATIONS = 64,
       WORKERS_MAX = 17, QUESTIONS_AT_ONCE = 2, WORKER_NICE = 10, APPLY_WAIT_MS = 200,
       WORKER_KEEP_BYTES = 1024 * 1024,
       BODIES_BYTES = 256 * 1024 * 1024, BODIES_BYTES_LEAST = 32 * 1024 * 1024 };  /* in flight: of all, of a server */
static const size_t WORKER_ARENA_BYTES = (size_t)8 << 30;       /* of address space; pages cost when touched */

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
    struct journal *journal;
    struct applier *applier;
    struct destinations *destinations;
    struct collector *collector;
    struct health health;
    struct ingest ingests[SERVERS_MAX];
    size_t ingest_count;
    uint16_t first_port, site_port;
    struct http_site *site;
    struct http_jobs *jobs;
    struct worker workers[WORKERS_MAX];
    size_t worker_count;
    struct threads worker_threads, ingest_threads, committer_threads, deliver_threads,
        background_threads;
    struct region generations[CONFIG_GENERATIONS];       /* reloaded configurations; sources borrow from them */
    size_t generation_count;
    struct config reloaded;
    struct region pem_region, derived_region, site_region;
    struct printer *printer;
    JournalPos first, end;               /* of the journal when it was opened */
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

/* A failed commit has been told to every request of it; here it is logged, at most once a second. */
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

/* A record that cannot be applied is tried again: what it waits for (room on the disk) may come. */
static void applier_step(void *context, bool is_stopping)
{
    struct serve *serve = context;
    Err err;
    bool more = false;
    if (is_stopping) return;
    Status s = apply_step(serve->applier, &more, &err);
    destinations_wake(serve->destinations);
    if (s) {
        log_write(LOG_ERROR, "the applier is stuck, trying again", LOG_TEXT("error", err.text));
        (void)journal_wait_durable(serve->journal, UINT64_MAX, STEP_MS);
    } else if (!more) {
        (void)apply_wait(serve->applier, APPLY_WAIT_MS);
    }
}

static bool is_ready(void *context)
{
    ApplyStats stats;
    apply_read_stats(((struct serve *)context)->applier, &stats);
    return stats.is_caught_up;
}

static void worker_step(void *context, bool is_stopping)
{
    struct worker *worker = context;
    http_jobs_step(worker->jobs, region_arena(&worker->region), is_stopping ? 0 : STEP_MS);
    region_trim(&worker->region, WORKER_KEEP_BYTES);
}

static void worker_wake(void *context) { http_jobs_stop(((struct worker *)context)->jobs); }

static void maintenance_step(void *context, bool is_stopping)
{
    struct serve *serve = context;
    Err err;
    bool more = true;
    if (is_stopping) return;
    Status s = journal_maintain(serve->journal, &more, &err);
    bool more_derived = false;
    if (!s) s = apply_maintain(serve->applier, &more_derived, &err);
    more |= more_derived;
    if (more_derived) destinations_wake(serve->destinations);    /* an erasure may have come to their store */
    if (s) {
        log_write(LOG_ERROR, "maintenance failed, trying again", LOG_TEXT("error", err.text));
        more = false;
    }
    /* Nothing to do until a segment is full: wait for that much to be written, or a second. */
    if (!more) (void)journal_wait_durable(serve->journal, UINT64_MAX, STEP_MS);
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
    static char dir[4096];                                    /* borrowed by the journal for its life */
    if ((size_t)snprintf(dir, sizeof dir, "%.*s/journal", STR_FORMAT(config->data)) >= sizeof dir)
        return err_set_field(err, "data", "the path is too long");
    char data[4096];
    snprintf(data, sizeof data, "%.*s", STR_FORMAT(config->data));
    Status s = os_disk()->make_dir(os_disk(), data, err);
    if (s) return err_wrap(err, s, "data directory %s", data);
    JournalOptions options = {
        .dir = dir,
        .disk = os_disk(),
        .clock = os_clock(),
        .dice = os_dice(),
        .segment_bytes = (uint64_t)config->journal.segment_bytes,
        .seal_level = (int)config->journal.seal_level,
        .retention_ms = config->retention.age_ms,
        .retention_bytes = (uint64_t)config->retention.bytes,
        .reserve_bytes = (uint64_t)config->journal.reserve_bytes,
    };
    JournalRecovery recovery;
    s = journal_open(&options, &serve->journal, &recovery, err);
    if (s) return s;
    serve->first = recovery.first;
    serve->end = recovery.end;
    if (recovery.torn_bytes)
        log_write(LOG_WARN, "cut a torn tail that a crash left; nothing acknowledged was in it",
                  LOG_INT("position", recovery.torn_at), LOG_INT("bytes", recovery.torn_bytes));
    log_write(LOG_INFO, "journal opened", LOG_TEXT("dir", dir), LOG_INT("segments", recovery.segments),
              LOG_INT("first", recovery.first), LOG_INT("end", recovery.end));
    return OK;
}

/* Where the one ingest thread commits by itself, it sleeps in its own loop, not on the journal. */
static void wake_committer(void *context)
{
    struct serve *serve = context;
    if (serve->ingest_count) http_server_wake(serve->ingests[0].server);
}

static Status open_applier(struct serve *serve, Err *err)
{
    region_open(&serve->derived_region, 1024 * 1024);        /* borrowed by the stores for their lives */
    Arena arena = region_arena(&serve->derived_region);
    ApplyOptions options = derived_options(serve->config, serve->journal, &arena);
    options.wake_committer = wake_committer;
    options.wake_context = serve;
    Status s = apply_open(&options, &serve->applier, err);
    if (!s && apply_remade_why(serve->applier))
        log_write(LOG_WARN, "what was derived is made anew from the journal", LOG_TEXT("dir", options.dir),
                  LOG_TEXT("reason", apply_remade_why(serve->applier)));
    return s;
}

/* For questions they are not needed, but to erase somebody from their store. */
static Status open_destinations(struct serve *serve, Err *err)
{
    Status s = destinations_open(serve->config, serve->journal, serve->applier, &serve->destinations, err);
    if (!s || !serve->config->is_for_questions) return s;
    log_write(LOG_WARN, "the destinations' store cannot be opened; erasures wait for it", LOG_TEXT("error", err->text));
    return OK;
}

static bool is_suppressed(void *context, EventType type, Str user_id, Str anonymous_id, Str previous_id)
{
    return apply_drops(((struct serve *)context)->applier, type, user_id, anonymous_id, previous_id);
}

static Status open_collector(struct serve *serve, Err *err)
{
    const struct config *config = serve->config;
    CollectOptions options = {
        .clock = os_clock(),
        .dice = os_dice(),
        .refuse_unknown_keys = config->unknown_write_keys == UNKNOWN_KEYS_REFUSE,
        .skew_least_ms = config->clock_skew_least_ms,
        .is_suppressed = is_suppressed,
        .suppressed_context = serve,
    };
    Status s = collector_open(&options, &serve->collector, err);
    return s ? s : collector_set_sources(serve->collector, config->sources, config->source_count, err);
}

static Status read_pem(Arena *arena, const char *option, const char *label, Str path, const char **ret, Err *err)
{
    char text[4096];
    Str pem;
    snprintf(text, sizeof text, "%.*s", STR_FORMAT(path));
    Status s = disk_read_file(os_disk(), text, 1024 * 1024, arena, &pem, err);
    if (s) return err_wrap(err, s, "%s", option);
    *ret = arena_copy(arena, pem).bytes;
    if (strstr(*ret, label)) return OK;
    return err_set(err, ERR_INPUT, "%s %s: holds no \"%s-----\"; wanted a PEM file, see docs/operating.md",
                   option, text, label);
}

static Status read_pems(struct serve *serve, HttpOptions *options, Err *err)
{
    const struct config *config = serve->config;
    if (!config->tls.certificate.len) return OK;
    region_open(&serve->pem_region, 8 * 1024 * 1024);
    Arena arena = region_arena(&serve->pem_region);
    Status s = read_pem(&arena, "tls.certificate", "BEGIN CERTIFICATE", config->tls.certificate,
                        &options->tls_certificate_pem, err);
    if (s) return s;
    return read_pem(&arena, "tls.key", "PRIVATE KEY", config->tls.key, &options->tls_key_pem, err);
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
    HttpSiteOptions site = {
        .onym_url = address_url(serve->config, serve->first_port, &arena),
        .write_key = serve->config->sources[0].write_key,
        .clock = os_clock(),
        .dice = os_dice(),
    };
    options.site = serve->site = http_site_open(&site);
    options.commits_inline = false;
    options.tls_certificate_pem = options.tls_key_pem = NULL;
    check(serve->ingest_count < SERVERS_MAX);
    s = serve->site ? http_server_open(&options, listener, &serve->ingests[serve->ingest_count].server, err)
                    : err_set(err, ERR_IO, "no memory for the example site");
    if (!s) serve->ingest_count++;
    return s;
}

/* One thread serves best where it commits by itself; a second one needs a committer. */
static bool commits_inline(const struct serve *serve, size_t thread_count)
{
    return thread_count == 1 && serve->config->listen.count == 1 && !serve->config->site.len;
}

static Status open_servers(struct serve *serve, size_t thread_count, Err *err)
{
    const struct config *config = serve->config;
    HttpOptions options = {
        .collector = serve->collector,
        .journal = serve->journal,
        .health = &serve->health,
        .jobs = serve->jobs,
        .applier = serve->applier,
        .deliver = config->is_for_questions ? NULL : destinations_deliver(serve->destinations),
        .deliver_rows = destinations_rows(serve->destinations),
        .query_memory_bytes = (size_t)config->queries.memory_bytes,
        .is_ready = is_ready,
        .is_ready_context = serve,
        .clock = os_clock(),
        .secret_key = config->secret_key,
        .commits_inline = commits_inline(serve, thread_count),
        .trusted_proxies = config->trusted_proxies.items,
        .trusted_proxy_count = config->trusted_proxies.count,
        .drops_ip = !config->keep_ip,
        .connection_limit = (unsigned)(config->limits.connections / (int64_t)thread_count),
        .body_memory_bytes = body_memory(thread_count * config->listen.count),
        .idle_timeout_ms = config->limits.idle_ms,
        .request_timeout_ms = config->limits.request_ms,
    };
    Status s = read_pems(serve, &options, err);
    if (s) return s;
    for (size_t at = 0; at < config->listen.count; at++) {
        int listener;
        uint16_t port;
        s = http_listen(config->listen.items[at].text, &listener, &port, err);
        if (s) return s;
        if (at == 0) serve->first_port = port;
        for (size_t thread = 0; thread < thread_count && serve->ingest_count < SERVERS_MAX; thread++) {
            int shared = thread + 1 < thread_count ? dup(listener) : listener;
            if (shared < 0) return err_set_errno(err, errno, "listen %.*s", STR_FORMAT(config->listen.items[at].text));
            s = http_server_open(&options, shared, &serve->ingests[serve->ingest_count].server, err);
            if (s == ERR_INPUT)
                return err_wrap(err, s, "tls.certificate %.*s, tls.key %.*s", STR_FORMAT(config->tls.certificate),
                                STR_FORMAT(config->tls.key));
            if (s) return s;
            serve->ingest_count++;
        }
    }
    return serve->config->site.len ? open_site(serve, options, err) : OK;
}

static Status start_threads(struct serve *serve, bool has_committer, Err *err)
{
    Status s = OK;
    serve->worker_threads.nice = WORKER_NICE;
    for (size_t at = 0; !s && at < serve->worker_count; at++) {
        serve->workers[at].jobs = serve->jobs;
        region_open(&serve->workers[at].region, WORKER_ARENA_BYTES);
        s = threads_start(&serve->worker_threads,
                          &(Engine){ "worker", worker_step, NULL, worker_wake, &serve->workers[at] }, err);
    }
    if (!s && has_committer)
        s = threads_start(&serve->committer_threads,
                          &(Engine){ "committer", committer_step, NULL, committer_wake, serve }, err);
    for (size_t at = 0; !s && at < serve->ingest_count; at++)
        s = threads_start(&serve->ingest_threads,
                          &(Engine){ "ingest", ingest_step, ingest_is_done, ingest_wake, &serve->ingests[at] }, err);
    if (!s)
        s = threads_start(&serve->background_threads, &(Engine){ "applier", applier_step, NULL, NULL, serve }, err);
    if (!s)
        s = threads_start(&serve->background_threads,
                          &(Engine){ "maintenance", maintenance_step, NULL, NULL, serve }, err);
    if (!s && serve->destinations) {
        Engine engine = destinations_engine(serve->destinations);
        s = threads_start(&serve->deliver_threads, &engine, err);
    }
    return s;
}

/* ---- Running ---- */

/* Sources, origins, destinations and log level change without a restart; requests in flight finish as they began. */
static void reload(struct serve *serve, const ServeReload *how)
{
    Err err;
    notify_service("RELOADING=1");
    if (serve->generation_count >= CONFIG_GENERATIONS) {
        log_write(LOG_ERROR, "reloaded too often for one process; restart to load the configuration");
        return;
    }
    struct region *region = &serve->generations[serve->generation_count];
    region_open(region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(region);
    struct config config;
    Status s = how->load(how->context, &arena, &config, &err);
    if (!s) s = destinations_set_config(serve->destinations, &config, &err);
    if (!s) s = collector_set_sources(serve->collector, config.sources, config.source_count, &err);
    if (s) {
        log_write(LOG_ERROR, "configuration not reloaded, the old one stays", LOG_TEXT("error", err.text));
        region_close(region);
        return;
    }
    Str restarts = config_list_restarts(serve->config, &config, &arena);
    if (restarts.len) log_write(LOG_WARN, "these changes wait for a restart", LOG_STR("options", restarts));
    log_configure((LogLevel)config.log.level, (LogFormat)config.log.format);
    serve->generation_count++;
    serve->reloaded = config;
    serve->config = &serve->reloaded;
    log_write(LOG_INFO, "configuration reloaded", LOG_INT("sources", config.source_count),
              LOG_INT("destinations", config.destination_count));
}

static void wait_for_signals(struct serve *serve, const ServeReload *how)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    for (;;) {
        int signal_number = 0;
        if (sigwait(&wanted, &signal_number)) continue;
        if (signal_number != SIGHUP) {
            log_write(LOG_INFO, "stopping", LOG_TEXT("signal", strsignal(signal_number)));
            return;
        }
        reload(serve, how);
        notify_service("READY=1");
    }
}

static void block_signals(void)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    check(sigprocmask(SIG_BLOCK, &wanted, NULL) == 0);
}

/* Top-down: nobody is accepted, what is in is answered, what is submitted is committed. */
void serve_stop(struct serve *serve)
{
    if (!serve) return;
    threads_stop(&serve->ingest_threads, GRACE_MS);
    threads_stop(&serve->worker_threads, GRACE_MS);
    threads_stop(&serve->committer_threads, GRACE_MS);
    while (serve->journal && journal_wait_submitted(serve->journal, 0))
        if (journal_commit(serve->journal, NULL, NULL)) break;
    threads_stop(&serve->deliver_threads, GRACE_MS);
    if (serve->journal) journal_end_waits(serve->journal);
    threads_stop(&serve->background_threads, GRACE_MS);
    printer_close(serve->printer);
    for (size_t at = 0; at < serve->ingest_count; at++) http_server_close(serve->ingests[at].server);
    http_jobs_close(serve->jobs);
    for (size_t at = 0; at < WORKERS_MAX; at++) region_close(&serve->workers[at].region);
    collector_close(serve->collector);
    destinations_close(serve->destinations);
    apply_close(serve->applier);
    journal_close(serve->journal);
    http_site_close(serve->site);
    region_close(&serve->site_region);
    region_close(&serve->pem_region);
    region_close(&serve->derived_region);
    for (size_t at = 0; at < serve->generation_count; at++) region_close(&serve->generations[at]);
}

/* Questions may use every core, at a priority that leaves them to collection; one worker more than questions run
 * at once is there for look-ups. */
static void open_jobs(struct serve *serve, size_t cores)
{
    size_t most = serve->config->queries.threads ? (size_t)serve->config->queries.threads : cores;
    if (most > WORKERS_MAX - 1) most = WORKERS_MAX - 1;
    serve->worker_count = (most > QUESTIONS_AT_ONCE ? most : QUESTIONS_AT_ONCE) + 1;
    serve->jobs = http_jobs_open((uint32_t)most, QUESTIONS_AT_ONCE);
}

/* Those that we may run on: taskset, systemd's AllowedCPUs and a container's cpuset give fewer than there are. A
 * thread too many costs every request a suspension, since only a single ingest thread commits for itself. */
static size_t count_cores(void)
{
    cpu_set_t ours;
    if (sched_getaffinity(0, sizeof ours, &ours) == 0 && CPU_COUNT(&ours) > 0) return (size_t)CPU_COUNT(&ours);
    long online = sysconf(_SC_NPROCESSORS_ONLN);             /* over 1,024 of them */
    return online > 1 ? (size_t)online : 1;
}

static Status open_all(struct serve *serve, Err *err)
{
    size_t cores = count_cores(), thread_count = serve->config->threads ? (size_t)serve->config->threads : cores;
    size_t most = SERVERS_MAX / serve->config->listen.count;
    if (thread_count > most) thread_count = most;
    open_jobs(serve, cores);
    Status s = open_journal(serve, err);
    if (!s) s = open_applier(serve, err);
    if (!s) s = open_destinations(serve, err);
    if (!s) s = open_collector(serve, err);
    if (!s) s = open_servers(serve, thread_count, err);
    if (!s) s = start_threads(serve, !commits_inline(serve, thread_count), err);
    return s;
}

Status serve_start(const struct config *config, struct serve **ret, Err *err)
{
    static struct serve serve;                               /* large, and one a process */
    memset(&serve, 0, sizeof serve);
    serve.config = config;
    serve.health.started_at_ms = clock_now_ms(os_clock());
    check(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    raise_file_limit();
    Status s = open_all(&serve, err);
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
    ApplyStats stats;
    apply_read_stats(serve->applier, &stats);
    if (!stats.is_caught_up && timeout_ms) {
        (void)journal_wait_durable(serve->journal, UINT64_MAX, timeout_ms);
        apply_read_stats(serve->applier, &stats);
    }
    *ret_all = serve->end - serve->first;
    *ret_done = stats.applied > serve->first ? stats.applied - serve->first : 0;
    if (*ret_done > *ret_all) *ret_done = *ret_all;
    return stats.is_caught_up;
}

static Status run_until_signal(struct serve *serve, const ServeReload *how, Err *err)
{
    Err hint_err;
    if (address_keep(serve->config, serve->first_port, &hint_err))
        log_write(LOG_WARN, "commands will not find this server by themselves", LOG_TEXT("error", hint_err.text));
    bool is_demo = serve->config->site.len > 0;
    if (is_demo) print_demo_welcome(serve->config, serve->first_port, serve->site_port);
    else print_welcome(serve->config, serve->first_port);
    Status s = printer_open(serve->journal, is_demo, &serve->printer, err);
    if (!s && serve->printer) s = threads_start(&serve->background_threads, printer_engine(serve->printer), err);
    if (s) return s;
    notify_service("READY=1");
    wait_for_signals(serve, how);
    notify_service("STOPPING=1");
    address_forget(serve->config);
    return OK;
}

Status serve_run(const struct config *config, const ServeReload *how, Err *err)
{
    struct serve *serve = NULL;
    block_signals();
    Status s = serve_start(config, &serve, err);
    if (!s) s = run_until_signal(serve, how, err);
    serve_stop(serve);
    return s;
}
