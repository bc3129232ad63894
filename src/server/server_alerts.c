/* server_alerts: a message is tried three times within twelve seconds, then with the next examination. It has been told
 * when the receiver says 2xx. A program sees by `Idempotency-Key` and by the ids inside that it has a message already;
 * Slack does not look at keys, so where nobody knows whether it came, it counts as told: rather none than two.
 * Neither the URL nor the secret is ever logged: the log says which entry of alerts it is. */
#include "server_alerts.h"

#include "destination/destination.h"

#include <stdlib.h>
#include <time.h>

enum { TRIES = 3, STEP_MS = 100, TIMEOUT_MS = 10000, MESSAGE_BYTES = 256 * 1024, ARENA_BYTES = 1 << 20 };
static const Millis waits_ms[TRIES] = { 0, 2000, 10000 };

struct receiver {
    DoctorReceiver of;
    Str url, secret;
    bool allow_private;
};

struct alerts {
    struct doctor *doctor;
    struct fetcher *fetcher;
    struct receiver receivers[DOCTOR_RECEIVERS];
    size_t count;
    struct region region, scratch;
};

typedef enum Outcome { NOT_TOLD, TOLD, IN_DOUBT, REFUSED } Outcome;

struct sending {
    struct fetch fetch;
    bool is_done;
    Outcome outcome;
    int status;
    const char *why;
};

/* ---- One request ---- */

static void on_done(struct fetch *fetch, const FetchAnswer *answer)
{
    struct sending *sending = fetch->owner;
    static const char *const words[] = {
        [FETCH_ANSWERED] = "answered", [FETCH_NOT_SENT] = "no connection", [FETCH_IN_DOUBT] = "no answer",
        [FETCH_FORBIDDEN] = "the address is private (allow_private lets it)",
    };
    int status = answer->status;
    sending->is_done = true;
    sending->status = status;
    sending->why = words[answer->outcome];
    sending->outcome = answer->outcome == FETCH_FORBIDDEN ? REFUSED : answer->outcome == FETCH_IN_DOUBT ? IN_DOUBT
        : answer->outcome == FETCH_NOT_SENT || judge_may_pass(status) ? NOT_TOLD : status / 100 == 2 ? TOLD : REFUSED;
}

static bool wait_cancelled(Millis wait_ms, const atomic_bool *is_cancelled)
{
    for (; wait_ms > 0 && !atomic_load(is_cancelled); wait_ms -= STEP_MS)
        nanosleep(&(struct timespec){ 0, STEP_MS * 1000000L }, NULL);
    return atomic_load(is_cancelled);
}

static void try_once(struct alerts *alerts, const FetchRequest *request, struct sending *sending,
                     const atomic_bool *is_cancelled)
{
    *sending = (struct sending){ .fetch = { .on_done = on_done, .owner = sending }, .outcome = NOT_TOLD,
                                 .why = "no request" };
    if (alerts->fetcher->submit(alerts->fetcher, request, &sending->fetch, NULL)) {
        sending->outcome = REFUSED;
        return;
    }
    while (!sending->is_done && !atomic_load(is_cancelled))
        if (alerts->fetcher->step(alerts->fetcher, STEP_MS, NULL)) break;
    if (!sending->is_done) alerts->fetcher->cancel(alerts->fetcher, &sending->fetch);
}

/* ---- One message ---- */

static void build(const struct receiver *receiver, const DoctorAlert *alert, Str body, Arena *arena, FetchRequest *ret)
{
    *ret = (FetchRequest){ .method = STR("POST"), .url = receiver->url, .body = body, .timeout_ms = TIMEOUT_MS,
                           .allow_private = receiver->allow_private, .is_once = true };
    request_header(ret, STR("Content-Type"), STR("application/json"));
    request_header(ret, STR("Idempotency-Key"), str_from(alert->id));
    webhook_sign(receiver->secret, body, clock_now_ms(os_clock()), arena, ret);
}

static void send(struct alerts *alerts, const struct receiver *receiver, const DoctorAlert *alert, Str body,
                 const atomic_bool *is_cancelled)
{
    struct sending sending = { .outcome = NOT_TOLD };
    int64_t entry = receiver - alerts->receivers;
    Err err;
    for (size_t try = 0; try < TRIES && (sending.outcome == NOT_TOLD || sending.outcome == IN_DOUBT); try++) {
        Arena arena = region_arena(&alerts->scratch);
        FetchRequest request;
        if (wait_cancelled(waits_ms[try], is_cancelled)) return;
        build(receiver, alert, body, &arena, &request);
        try_once(alerts, &request, &sending, is_cancelled);
        if (sending.outcome == IN_DOUBT && receiver->of.wants_text) sending.outcome = TOLD;
    }
    if (sending.outcome != TOLD)
        log_write(LOG_WARN, "an alert could not be sent, the next examination tries again", LOG_INT("alert", entry),
                  LOG_INT("status", sending.status), LOG_TEXT("error", sending.why));
    else if (doctor_note_alert(alerts->doctor, receiver->of.key, alert, &err))
        log_write(LOG_WARN, "an alert was sent, but that could not be kept", LOG_TEXT("error", err.text));
}

void alerts_send(struct alerts *alerts, atomic_bool *is_cancelled)
{
    for (size_t at = 0; alerts && at < alerts->count && !atomic_load(is_cancelled); at++) {
        DoctorAlert alert;
        struct buf body;
        buf_init(&body, MESSAGE_BYTES);
        doctor_write_alert(alerts->doctor, &alerts->receivers[at].of, &alert, &body);
        if (alert.count && buf_ok(&body)) send(alerts, &alerts->receivers[at], &alert, buf_str(&body), is_cancelled);
        buf_done(&body);
    }
}

/* ---- Opening ---- */

static void copy_receivers(struct alerts *alerts, const struct config *config)
{
    Arena arena = region_arena(&alerts->region);
    Str url = arena_copy(&arena, config->public_url);
    DoctorReceiver receivers[DOCTOR_RECEIVERS];
    for (size_t at = 0; at < config->alert_count && at < DOCTOR_RECEIVERS; at++) {
        const ConfigAlert *alert = &config->alerts[at];
        uint64_t key = hash_64(alert->url, 0);
        receivers[at] = (DoctorReceiver){ key ? key : 1, alert->severity, alert->format == 1, url };
        alerts->receivers[at] = (struct receiver){ receivers[at], arena_copy(&arena, alert->url),
                                                   arena_copy(&arena, alert->secret), alert->allow_private };
        alerts->count++;
    }
    doctor_set_receivers(alerts->doctor, receivers, alerts->count);
}

Status alerts_open(const struct config *config, struct doctor *doctor, struct alerts **ret, Err *err)
{
    FetchOptions fetch = { .user_agent = "onym/" ONYM_VERSION };
    *ret = NULL;
    if (!config->alert_count) {
        doctor_set_receivers(doctor, NULL, 0);              /* whoever was one is none now */
        return OK;
    }
    struct alerts *alerts = calloc(1, sizeof *alerts);
    if (!alerts) return err_set(err, ERR_FULL, "alerts: no memory");
    alerts->doctor = doctor;
    region_open(&alerts->region, ARENA_BYTES);
    region_open(&alerts->scratch, ARENA_BYTES);
    copy_receivers(alerts, config);
    Status s = os_fetcher_open(&fetch, &alerts->fetcher, err);
    if (s) alerts_close(alerts);
    else *ret = alerts;
    return s;
}

void alerts_close(struct alerts *alerts)
{
    if (!alerts) return;
    if (alerts->fetcher) alerts->fetcher->close(alerts->fetcher);
    region_close(&alerts->scratch);
    region_close(&alerts->region);
    free(alerts);
}
