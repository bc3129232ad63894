/* deliver_wish: what operators ask for is on the disk before they are answered.
 *
 * Whoever asks puts a wish on the list, from any thread, and waits. The deliverer grants it in its next step: the
 * beginning of a replay or a redo goes into the ledger, like everything else that the step changes, and when that
 * is committed the wish leaves the list. So an answer is a promise that outlives the process, and only the
 * deliverer writes to the store. A wish that cannot be granted yet (the destination could not read its rows, its
 * window is full) stays on the list until it can be, or whoever waits takes it back.
 */
#include "deliver_outlet.h"

#include <stdio.h>

void wishes_init(struct deliver *deliver)
{
    pthread_condattr_t monotonic;
    check(pthread_mutex_init(&deliver->mutex, NULL) == 0 && pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_cond_init(&deliver->answered, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

void wishes_done(struct deliver *deliver)
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

static Status add_wish(struct deliver *deliver, Str name, struct wish wish, uint64_t *ret_ticket, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&deliver->mutex);
    const DestinationConfig *config = find_config(deliver, name);
    if (!config) s = ERR_NOT_FOUND;
    else if (!config->is_enabled) s = ERR_CONFLICT;
    else if (deliver->wish_count == countof(deliver->wishes)) s = ERR_RATE;
    if (!s) {
        snprintf(wish.name, sizeof wish.name, "%.*s", STR_FORMAT(name));
        *ret_ticket = wish.ticket = ++deliver->last_ticket;
        deliver->wishes[deliver->wish_count++] = wish;
    }
    pthread_mutex_unlock(&deliver->mutex);
    if (s == ERR_NOT_FOUND) return err_set(err, s, "there is no destination %.*s", STR_FORMAT(name));
    if (s == ERR_CONFLICT) return err_set(err, s, "%.*s is disabled in the configuration", STR_FORMAT(name));
    if (s) return err_set(err, s, "too many are waiting; again in a moment");
    deliver_wake(deliver);
    return OK;
}

Status deliver_ask_replay(struct deliver *deliver, Str name, Millis from_ms, Millis to_ms, uint64_t *ret_ticket,
                          Err *err)
{
    if (from_ms >= to_ms) return err_set_field(err, "to", "to: is not after from");
    return add_wish(deliver, name, (struct wish){ .from_ms = from_ms, .to_ms = to_ms }, ret_ticket, err);
}

Status deliver_ask_redo(struct deliver *deliver, Str name, uint64_t number, uint64_t *ret_ticket, Err *err)
{
    return add_wish(deliver, name, (struct wish){ .is_redo = true, .number = number }, ret_ticket, err);
}

/* ---- Waiting ---- */

/* Under the mutex. */
static struct wish *find_wish(struct deliver *deliver, uint64_t ticket)
{
    for (size_t at = 0; at < deliver->wish_count; at++)
        if (deliver->wishes[at].ticket == ticket) return &deliver->wishes[at];
    return NULL;
}

static void remove_wish(struct deliver *deliver, struct wish *wish)
{
    struct wish *last = &deliver->wishes[--deliver->wish_count];
    memmove(wish, wish + 1, (size_t)(last - wish) * sizeof *wish);
}

Status deliver_wait_asked(struct deliver *deliver, uint64_t ticket, Millis wait_ms, const atomic_bool *is_cancelled,
                          Err *err)
{
    struct clock *clock = deliver->options.clock;
    int64_t until_ns = clock_monotonic_ns(clock) + wait_ms * 1000000;
    struct timespec wake;
    char name[DELIVER_NAME_BYTES] = "";
    bool was_granted = false;
    struct wish *wish;
    pthread_mutex_lock(&deliver->mutex);
    while ((wish = find_wish(deliver, ticket)) && clock_may_wait(clock, until_ns, is_cancelled, &wake))
        (void)pthread_cond_timedwait(&deliver->answered, &deliver->mutex, &wake);
    if (wish) {
        memcpy(name, wish->name, sizeof name);
        was_granted = wish->is_granted;
        if (!was_granted) remove_wish(deliver, wish);
    }
    pthread_mutex_unlock(&deliver->mutex);
    if (!wish) return OK;
    if (was_granted)
        return err_set(err, ERR_TIMEOUT, "%s: it could not be written to the disk in time, and may be done or not; "
                       "look at the destination's state and ask again", name);
    return err_set(err, ERR_TIMEOUT, "%s: it could not be begun in time, and will not be done; the destination's "
                   "last error may say why: ask again later", name);
}

/* ---- Granting ---- */

static struct outlet *find_outlet(struct deliver *deliver, const char *name)
{
    for (size_t at = 0; at < deliver->outlet_count; at++)
        if (strcmp(deliver->outlets[at]->name, name) == 0) return deliver->outlets[at];
    return NULL;
}

/* False: not now. One whose destination was taken out of the configuration means nothing any more. */
static bool grant(struct outlet *outlet, const struct wish *wish)
{
    Err err = { 0 };
    if (!outlet) return true;
    if (!outlet->is_started) return false;
    if (!wish->is_redo) {
        replay_begin(outlet, wish->from_ms, wish->to_ms);
    } else if (!wish->number) {
        dead_redo_all(outlet);
    } else if (dead_redo(outlet, wish->number, &err)) {
        outlet_fail(outlet, str_from(err.text));
        return false;
    }
    return true;
}

/* Nobody waits for a lock of ours while rows are read: what is tried is marked, so that it is not taken back. */
bool wishes_grant(struct deliver *deliver)
{
    struct wish tried[countof(deliver->wishes)], *wish;
    bool is_granted[countof(deliver->wishes)] = { false }, is_left = false;
    size_t count = 0;
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = 0; at < deliver->wish_count; at++) {
        if (deliver->wishes[at].is_granted) continue;
        deliver->wishes[at].is_granted = true;
        tried[count++] = deliver->wishes[at];
    }
    pthread_mutex_unlock(&deliver->mutex);
    if (count == 0) return false;
    for (size_t at = 0; at < count; at++) is_granted[at] = grant(find_outlet(deliver, tried[at].name), &tried[at]);
    deliver->published_ms = 0;                      /* whoever is answered sees the state as of now */
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = 0; at < count; at++) {
        if (!is_granted[at] && (wish = find_wish(deliver, tried[at].ticket))) wish->is_granted = false;
        is_left |= !is_granted[at];
    }
    pthread_mutex_unlock(&deliver->mutex);
    return is_left;
}

void wishes_answer(struct deliver *deliver)
{
    bool is_any = false;
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = deliver->wish_count; at-- > 0;) {
        if (!deliver->wishes[at].is_granted) continue;
        remove_wish(deliver, &deliver->wishes[at]);
        is_any = true;
    }
    if (is_any) pthread_cond_broadcast(&deliver->answered);
    pthread_mutex_unlock(&deliver->mutex);
}
