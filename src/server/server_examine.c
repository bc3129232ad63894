/* server_examine: when, and with which question: that of `onym doctor` without options.
 *
 * Due is one a period after the last one, which the file of findings remembers through restarts; not within the first
 * minute, which belongs to the start. Where it takes long it comes less often: a twentieth of the time at most. */
#include "server_examine.h"

#include "server_alerts.h"
#include "server_threads.h"

#include <stdlib.h>
#include <time.h>

enum { WAIT_MS = 500, START_MS = MINUTE_MS, AGAIN_MS = MINUTE_MS, PART = 20, ANSWER_BYTES = 64 << 20,
       WINDOW_DAYS = 7, NICE = 15 };
#define MS_NS INT64_C(1000000)

struct examiner {
    ExaminerOptions of;
    Millis every_ms;
    size_t memory_bytes;
    Str signups[DOCTOR_SIGNUP_NAMES];
    size_t signup_count;
    struct region region;                   /* texts of the configuration, which a reload replaces */
    DoctorSource sources[LIMIT_SOURCES];    /* of the examination under way */
    int64_t due_ns;                         /* by the monotonic clock */
    atomic_bool is_cancelled;
    struct threads threads;
    struct alerts *alerts;                  /* NULL: nobody is told */
};

static size_t list_sources(struct collector *collector, DoctorSource sources[LIMIT_SOURCES])
{
    const Source *source;
    size_t count = 0;
    for (; count < LIMIT_SOURCES && (source = collector_source_at(collector, count)); count++)
        sources[count] = (DoctorSource){ source->name, source->is_server };
    return count;
}

static Status examine(struct examiner *examiner, struct buf *out, Err *err)
{
    struct derive_world *world;
    DeriveStats stats;
    DeriveAsker asker = {
        .moment = { .is_complete = true, .share_applied = 1 },
        .is_cancelled = &examiner->is_cancelled, .now_ms = clock_now_ms(os_clock()),
        .memory_bytes = examiner->memory_bytes,
    };
    DoctorQuestion question = {
        .applier = examiner->of.applier, .journal = examiner->of.journal, .sources = examiner->sources,
        .source_count = list_sources(examiner->of.collector, examiner->sources), .since_ms = WINDOW_DAYS * DAY_MS,
        .is_periodic = true, .signup_count = examiner->signup_count,
    };
    memcpy(question.signups, examiner->signups, sizeof question.signups);
    derive_read_stats(examiner->of.applier, &stats);
    question.end = stats.applied;
    Status s = derive_open_world(examiner->of.applier, &asker, &world, err);
    if (s) return s;
    question.world = derive_query_world(world);
    s = doctor_examine(examiner->of.doctor, &question, out, err);
    if (!s) s = derive_check_world(world, err);
    derive_close_world(world);
    return s;
}

static bool is_catching_up(struct examiner *examiner)
{
    DeriveLag lag;
    derive_read_lag(examiner->of.applier, &lag);
    return !lag.is_complete;
}

static void examine_now(struct examiner *examiner)
{
    int64_t began_ns = clock_monotonic_ns(os_clock());
    struct buf out;
    Err err;
    buf_init(&out, ANSWER_BYTES);
    Status s = examine(examiner, &out, &err);
    buf_done(&out);
    int64_t now_ns = clock_monotonic_ns(os_clock()), took_ns = now_ns - began_ns;
    if (s && s != ERR_CLOSED)
        log_write(LOG_WARN, "the doctor's own examination failed", LOG_TEXT("error", err.text));
    int64_t pause_ns = examiner->every_ms * MS_NS;
    if (took_ns * PART > pause_ns) pause_ns = took_ns * PART;
    examiner->due_ns = now_ns + pause_ns;
    if (!s) alerts_send(examiner->alerts, &examiner->is_cancelled);
}

static void step(void *context, bool is_stopping)
{
    struct examiner *examiner = context;
    int64_t now_ns = clock_monotonic_ns(os_clock());
    if (is_stopping) return;
    if (now_ns < examiner->due_ns || atomic_load(&examiner->is_cancelled)) {
        struct timespec wait = { 0, WAIT_MS * 1000000L };
        nanosleep(&wait, NULL);
        return;
    }
    bool waits = is_catching_up(examiner) || doctor_is_busy(examiner->of.doctor);
    if (waits) examiner->due_ns = now_ns + AGAIN_MS * MS_NS;
    else examine_now(examiner);
}

static void wake(void *context) { atomic_store(&((struct examiner *)context)->is_cancelled, true); }

/* A clock that was moved brings no more than a period of waiting. */
static Millis first_wait(const struct examiner *examiner)
{
    Millis last_ms = doctor_read_summary(examiner->of.doctor).at_ms, now_ms = clock_now_ms(os_clock());
    Millis wait_ms = examiner->every_ms;
    if (last_ms && last_ms <= now_ms) wait_ms -= now_ms - last_ms;
    Millis least_ms = examiner->every_ms < START_MS ? examiner->every_ms : START_MS;
    return wait_ms > least_ms ? wait_ms : least_ms;
}

Status examiner_start(const ExaminerOptions *options, struct examiner **ret, Err *err)
{
    const struct config *config = options->config;
    *ret = NULL;
    if (!options->doctor || !config->doctor.every_ms) return OK;
    struct examiner *examiner = calloc(1, sizeof *examiner);
    if (!examiner) return err_set(err, ERR_FULL, "the doctor's own examination: no memory");
    examiner->of = *options;
    examiner->of.config = NULL;
    examiner->every_ms = config->doctor.every_ms;
    examiner->memory_bytes = (size_t)config->queries.memory_bytes;
    region_open(&examiner->region, (size_t)1 << 20);
    Arena arena = region_arena(&examiner->region);
    for (size_t at = 0; at < config->doctor.signup_events.count && at < DOCTOR_SIGNUP_NAMES; at++)
        examiner->signups[examiner->signup_count++] = arena_copy(&arena, config->doctor.signup_events.items[at]);
    examiner->due_ns = clock_monotonic_ns(os_clock()) + first_wait(examiner) * MS_NS;
    examiner->threads.nice = NICE;
    *ret = examiner;
    Status s = alerts_open(config, options->doctor, &examiner->alerts, err);
    if (s) return s;
    return threads_start(&examiner->threads, &(Engine){ "examiner", step, NULL, wake, examiner }, err);
}

void examiner_begin_stop(struct examiner *examiner)
{
    if (examiner) wake(examiner);
}

void examiner_stop(struct examiner *examiner, int64_t deadline_ns)
{
    if (examiner) threads_stop(&examiner->threads, deadline_ns);
}

void examiner_close(struct examiner *examiner)
{
    if (!examiner) return;
    alerts_close(examiner->alerts);
    region_close(&examiner->region);
    free(examiner);
}
