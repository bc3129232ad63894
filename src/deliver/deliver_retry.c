/* deliver_retry: when to try again.
 *
 * A call that fails waits 1, 2, 4 … seconds, at most five minutes, a quarter more or less by chance, so that
 * calls that failed together do not come back together. What the vendor asks for (Retry-After) comes before the
 * table. After a failure that is not the fault of one call (credentials, a rate limit, three requests in a row without
 * an answer) the whole destination waits; then it tries one request, and the others follow if that works.
 *
 * A 500 may be about its message alone: the receiver crashes on something that anybody can send. After many of them in
 * a row the destination waits for seconds only, and then tries a few calls, drawn by chance. So a sender of unreadable
 * messages delays others by seconds only, and a vendor that is down does not get too many requests.
 */
#include "deliver_runner.h"

#include <stdio.h>

enum {
    DELAY_FIRST_MS = 1000, DELAY_MOST_MS = 300000, DOUBLINGS = 9,
    FAILURES_MOST = 3,
    OWN_FAILURES_MOST = 16, OWN_AT_ONCE = 8, OWN_WAIT_MS = 5000,
};

Millis retry_delay(struct dice *dice, uint32_t attempts)
{
    uint32_t doublings = attempts > 1 ? attempts - 1 : 0;
    Millis delay_ms = (Millis)DELAY_FIRST_MS << (doublings < DOUBLINGS ? doublings : DOUBLINGS);
    if (delay_ms > DELAY_MOST_MS) delay_ms = DELAY_MOST_MS;
    return delay_ms * 3 / 4 + (Millis)(dice_u64(dice) % (uint64_t)(delay_ms / 2));
}

void runner_fail(struct runner *runner, Str reason)
{
    struct buf text;
    buf_init(&text, 64 * 1024);
    secret_hide_into(&runner->settings, str_slice(reason, 0, 16 * 1024), &text);
    runner->state.last_error_ms = runner->deliver->now_ms;
    snprintf(runner->state.last_error, sizeof runner->state.last_error, "%.*s", STR_FORMAT(buf_str(&text)));
    buf_done(&text);
}

static uint32_t rate_of(const struct runner *runner)
{
    uint32_t own = runner->rules.requests_per_second;
    return own ? own : runner->destination->requests_per_second;
}

static uint32_t at_once_of(const struct runner *runner)
{
    uint32_t most = runner->rules.requests_at_once;
    if (!most) most = runner->destination->requests_at_once;
    if (most > REQUESTS_AT_ONCE) most = REQUESTS_AT_ONCE;
    if (runner->failures >= FAILURES_MOST) return 1;
    return runner->own_failures >= OWN_FAILURES_MOST && most > OWN_AT_ONCE ? OWN_AT_ONCE : most;
}

bool runner_is_failing(const struct runner *runner)
{
    return runner->failures >= FAILURES_MOST || runner->own_failures >= FAILURES_MOST;
}

/* A request failed: all of the destination may be in trouble, or one message only. Returns how long the
 * destination waits. */
Millis runner_note_trouble(struct runner *runner, bool is_everybodys, bool is_own, Millis asked_ms)
{
    struct dice *dice = runner->deliver->options.dice;
    Millis wait_ms = asked_ms;
    if (is_own && !is_everybodys) {
        if (++runner->own_failures < OWN_FAILURES_MOST) return 0;
        wait_ms = retry_delay(dice, (runner->own_failures - OWN_FAILURES_MOST) / OWN_AT_ONCE + 1);
        return wait_ms < OWN_WAIT_MS ? wait_ms : OWN_WAIT_MS;
    }
    runner->failures++;
    if (!is_everybodys && runner->failures < FAILURES_MOST) return 0;
    return wait_ms ? wait_ms : retry_delay(dice, runner->failures);
}

bool runner_may_send(struct runner *runner)
{
    Millis now_ms = runner->deliver->now_ms;
    uint32_t rate = rate_of(runner);
    if (now_ms < runner->wait_until_ms || runner->under_way_count >= at_once_of(runner)) return false;
    if (!rate) return true;
    runner->tokens += (double)(now_ms - runner->tokens_at_ms) * rate / 1000;
    runner->tokens_at_ms = now_ms;
    if (runner->tokens > rate) runner->tokens = rate;
    return runner->tokens >= 1;
}

void runner_spend(struct runner *runner)
{
    runner->under_way_count++;
    runner->tokens -= 1;
}

void runner_give_back(struct runner *runner)
{
    runner->under_way_count--;
    runner->tokens += 1;
}
