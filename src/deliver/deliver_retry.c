/* deliver_retry: when again.
 *
 * A call that fails waits 1, 2, 4 … seconds, at most five minutes, a quarter more or less by chance, so that
 * many that failed together do not come back together. What the vendor asks for (Retry-After) goes before the
 * table. A failure that is nobody's in particular (credentials, a rate limit, three requests in a row without
 * an answer) makes the whole destination wait; then one request goes ahead to see, and the rest follows it.
 *
 * A 500 may be about its message alone: a receiver that falls over something that anybody can send. Many of them in a
 * row make the destination wait for seconds only, and a few go ahead, drawn by chance: so whoever sends what nobody can
 * read keeps others by seconds, too, and a vendor that is down is not pestered.
 */
#include "deliver_outlet.h"

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

void outlet_fail(struct outlet *outlet, Str reason)
{
    struct buf text;
    buf_init(&text, 64 * 1024);
    secret_hide_into(&outlet->settings, str_slice(reason, 0, 16 * 1024), &text);
    outlet->state.last_error_ms = outlet->deliver->now_ms;
    snprintf(outlet->state.last_error, sizeof outlet->state.last_error, "%.*s", STR_FORMAT(buf_str(&text)));
    buf_done(&text);
}

static uint32_t rate_of(const struct outlet *outlet)
{
    uint32_t own = outlet->rules.requests_per_second;
    return own ? own : outlet->destination->requests_per_second;
}

static uint32_t at_once_of(const struct outlet *outlet)
{
    uint32_t most = outlet->rules.requests_at_once;
    if (!most) most = outlet->destination->requests_at_once;
    if (most > REQUESTS_AT_ONCE) most = REQUESTS_AT_ONCE;
    if (outlet->failures >= FAILURES_MOST) return 1;
    return outlet->own_failures >= OWN_FAILURES_MOST && most > OWN_AT_ONCE ? OWN_AT_ONCE : most;
}

bool outlet_is_failing(const struct outlet *outlet)
{
    return outlet->failures >= FAILURES_MOST || outlet->own_failures >= FAILURES_MOST;
}

/* Trouble, of the whole destination or perhaps of one message only: how long all of it waits. */
Millis outlet_note_trouble(struct outlet *outlet, bool is_everybodys, bool is_own, Millis asked_ms)
{
    struct dice *dice = outlet->deliver->options.dice;
    Millis wait_ms = asked_ms;
    if (is_own && !is_everybodys) {
        if (++outlet->own_failures < OWN_FAILURES_MOST) return 0;
        wait_ms = retry_delay(dice, (outlet->own_failures - OWN_FAILURES_MOST) / OWN_AT_ONCE + 1);
        return wait_ms < OWN_WAIT_MS ? wait_ms : OWN_WAIT_MS;
    }
    outlet->failures++;
    if (!is_everybodys && outlet->failures < FAILURES_MOST) return 0;
    return wait_ms ? wait_ms : retry_delay(dice, outlet->failures);
}

bool outlet_may_send(struct outlet *outlet)
{
    Millis now_ms = outlet->deliver->now_ms;
    uint32_t rate = rate_of(outlet);
    if (now_ms < outlet->wait_until_ms || outlet->under_way_count >= at_once_of(outlet)) return false;
    if (!rate) return true;
    outlet->tokens += (double)(now_ms - outlet->tokens_at_ms) * rate / 1000;
    outlet->tokens_at_ms = now_ms;
    if (outlet->tokens > rate) outlet->tokens = rate;
    return outlet->tokens >= 1;
}

void outlet_spend(struct outlet *outlet)
{
    outlet->under_way_count++;
    outlet->tokens -= 1;
}

void outlet_give_back(struct outlet *outlet)
{
    outlet->under_way_count--;
    outlet->tokens += 1;
}
