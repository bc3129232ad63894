/* deliver_operator: an operator's request is on the disk before the operator is answered.
 *
 * Any thread may ask: it puts a request on the list and waits. The deliverer accepts it in its next step:
 * the beginning of a replay or a redo goes to the pending changes, as does everything else that the step changes. Once
 * they are committed, the request leaves the list. So an answer is a promise that outlives the process, and only the
 * deliverer writes to the store. A request that cannot be accepted yet (the destination could not read its rows, or its
 * window is full) stays on the list until it can be, or until the thread that waits for it takes it back.
 */
#include "deliver_runner.h"

#include <stdio.h>

void operator_init(struct deliver *deliver)
{
    pthread_condattr_t monotonic;
    check(pthread_mutex_init(&deliver->mutex, NULL) == 0 && pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_cond_init(&deliver->answered, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

void operator_done(struct deliver *deliver)
{
    pthread_cond_destroy(&deliver->answered);
    pthread_mutex_destroy(&deliver->mutex);
}

/* ---- Asking ---- */

static const DestinationConfig *find_config(const struct deliver *deliver, Str name)
{
    for (size_t at = 0; at < deliver->config_count; at++)
        if (str_equal(deliver->configs[at].name, name)) return &deliver->configs[at];
    return NULL;
}

static Status add_request(struct deliver *deliver, Str name, struct operator_request wanted, uint64_t *ret_ticket,
                          Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&deliver->mutex);
    const DestinationConfig *config = find_config(deliver, name);
    if (!config) s = ERR_NOT_FOUND;
    else if (!config->is_enabled) s = ERR_CONFLICT;
    else if (deliver->operator_request_count == countof(deliver->operator_requests)) s = ERR_RATE;
    if (!s) {
        snprintf(wanted.name, sizeof wanted.name, "%.*s", STR_FORMAT(name));
        *ret_ticket = wanted.ticket = ++deliver->last_ticket;
        deliver->operator_requests[deliver->operator_request_count++] = wanted;
    }
    pthread_mutex_unlock(&deliver->mutex);
    if (s == ERR_NOT_FOUND) return err_set(err, s, "there is no destination %.*s", STR_FORMAT(name));
    if (s == ERR_CONFLICT) return err_set(err, s, "%.*s is disabled in the configuration", STR_FORMAT(name));
    if (s) return err_set(err, s, "too many requests are waiting; try again in a moment");
    deliver_wake(deliver);
    return OK;
}

Status deliver_ask_replay(struct deliver *deliver, Str name, Millis from_ms, Millis to_ms, uint64_t *ret_ticket,
                          Err *err)
{
    if (from_ms >= to_ms) return err_set_field(err, "to", "to: is not after from");
    return add_request(deliver, name, (struct operator_request){ .from_ms = from_ms, .to_ms = to_ms }, ret_ticket, err);
}

Status deliver_ask_release(struct deliver *deliver, Str name, Millis from_ms, Millis to_ms, uint64_t *ret_ticket,
                           Err *err)
{
    struct operator_request wanted = { .is_release = true, .from_ms = from_ms, .to_ms = to_ms };
    if (from_ms >= to_ms) return err_set_field(err, "to", "to: is not after from");
    return add_request(deliver, name, wanted, ret_ticket, err);
}

Status deliver_ask_redo(struct deliver *deliver, Str name, uint64_t number, uint64_t *ret_ticket, Err *err)
{
    return add_request(deliver, name, (struct operator_request){ .is_redo = true, .number = number }, ret_ticket, err);
}

/* ---- Waiting ---- */

/* Under the mutex. */
static struct operator_request *find_request(struct deliver *deliver, uint64_t ticket)
{
    for (size_t at = 0; at < deliver->operator_request_count; at++)
        if (deliver->operator_requests[at].ticket == ticket) return &deliver->operator_requests[at];
    return NULL;
}

static void remove_request(struct deliver *deliver, struct operator_request *wanted)
{
    struct operator_request *last = &deliver->operator_requests[--deliver->operator_request_count];
    memmove(wanted, wanted + 1, (size_t)(last - wanted) * sizeof *wanted);
}

Status deliver_wait_asked(struct deliver *deliver, uint64_t ticket, Millis wait_ms, const atomic_bool *is_cancelled,
                          Err *err)
{
    struct clock *clock = deliver->options.clock;
    int64_t until_ns = clock_monotonic_ns(clock) + wait_ms * 1000000;
    struct timespec wake;
    char name[DELIVER_NAME_BYTES] = "";
    bool was_accepted = false;
    struct operator_request *wanted;
    pthread_mutex_lock(&deliver->mutex);
    while ((wanted = find_request(deliver, ticket)) && clock_may_wait(clock, until_ns, is_cancelled, &wake))
        (void)pthread_cond_timedwait(&deliver->answered, &deliver->mutex, &wake);
    if (wanted) {
        memcpy(name, wanted->name, sizeof name);
        was_accepted = wanted->is_accepted;
        if (!was_accepted) remove_request(deliver, wanted);
    }
    pthread_mutex_unlock(&deliver->mutex);
    if (!wanted) return OK;
    if (was_accepted)
        return err_set(err, ERR_TIMEOUT, "%s: it could not be written to the disk in time, and may be done or not; "
                       "look at the destination's state and ask again", name);
    return err_set(err, ERR_TIMEOUT, "%s: it could not be begun in time, and will not be done; the destination's "
                   "last error may say why: ask again later", name);
}

/* ---- Accepting ---- */

static struct runner *find_runner(struct deliver *deliver, const char *name)
{
    for (size_t at = 0; at < deliver->runner_count; at++)
        if (strcmp(deliver->runners[at]->name, name) == 0) return deliver->runners[at];
    return NULL;
}

/* False: not now. If its destination was taken out of the configuration, the request has no meaning any more. */
static bool accept_one(struct runner *runner, const struct operator_request *wanted)
{
    Err err = { 0 };
    if (!runner) return true;
    if (!runner->is_started) return false;
    if (wanted->is_release && runner->streams[STREAM_REPLAY].is_active) return false;       /* once it is over */
    if (!wanted->is_redo) {
        replay_begin(runner, wanted->from_ms, wanted->to_ms, wanted->is_release);
    } else if (!wanted->number) {
        dead_redo_all(runner);
    } else if (dead_redo(runner, wanted->number, &err)) {
        runner_fail(runner, str_from(err.text));
        return false;
    }
    return true;
}

/* We hold no lock while rows are read. A request that is being tried is marked, so that it is not taken back. */
bool operator_accept(struct deliver *deliver)
{
    struct operator_request tried[countof(deliver->operator_requests)], *wanted;
    bool is_accepted[countof(deliver->operator_requests)] = { false }, is_left = false;
    size_t count = 0;
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = 0; at < deliver->operator_request_count; at++) {
        if (deliver->operator_requests[at].is_accepted) continue;
        deliver->operator_requests[at].is_accepted = true;
        tried[count++] = deliver->operator_requests[at];
    }
    pthread_mutex_unlock(&deliver->mutex);
    if (count == 0) return false;
    for (size_t at = 0; at < count; at++)
        is_accepted[at] = accept_one(find_runner(deliver, tried[at].name), &tried[at]);
    deliver->published_ms = 0;                      /* the operator sees the present state with the answer */
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = 0; at < count; at++) {
        if (!is_accepted[at] && (wanted = find_request(deliver, tried[at].ticket))) wanted->is_accepted = false;
        is_left |= !is_accepted[at];
    }
    pthread_mutex_unlock(&deliver->mutex);
    return is_left;
}

void operator_answer(struct deliver *deliver)
{
    bool is_any = false;
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = deliver->operator_request_count; at-- > 0;) {
        if (!deliver->operator_requests[at].is_accepted) continue;
        remove_request(deliver, &deliver->operator_requests[at]);
        is_any = true;
    }
    if (is_any) pthread_cond_broadcast(&deliver->answered);
    pthread_mutex_unlock(&deliver->mutex);
}
