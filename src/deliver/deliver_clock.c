/* deliver_clock: how long something waits, and when it is given up, depends on time that passes, not on a wall clock
 * that somebody sets. Instants are kept as the wall clock tells them, so that they mean something after a restart. If
 * it jumps, instants for which something waits, or from which something counts, move with it: nothing is given up early
 * because it jumped ahead, and nothing waits longer because it was set back. */
#include "deliver_runner.h"

static const Millis TOLERANCE_MS = 5000;

static void move_delivery(struct delivery *delivery, Millis by_ms)
{
    if (delivery->next_ms) delivery->next_ms += by_ms;
    if (delivery->first_tried_ms) delivery->first_tried_ms += by_ms;
}

static void move_runner(struct runner *runner, Millis by_ms)
{
    if (runner->wait_until_ms) runner->wait_until_ms += by_ms;
    if (runner->waiting_next_ms != INT64_MAX) runner->waiting_next_ms += by_ms;
    runner->kept_ms += by_ms;
    runner->tokens_at_ms += by_ms;
    runner->rate_from_ms += by_ms;
    for (size_t at = 0; runner->is_started && at < runner->window; at++)
        if (runner->deliveries[at].stage != DELIVERY_FREE) move_delivery(&runner->deliveries[at], by_ms);
}

void deliver_look_at_clock(struct deliver *deliver)
{
    Millis wall_ms = clock_now_ms(deliver->options.clock);
    int64_t now_ns = clock_elapsed_ns(deliver->options.clock);
    Millis passed_ms = deliver->seen_ns ? (now_ns - deliver->seen_ns) / 1000000 : 0;
    Millis by_ms = deliver->seen_ns ? wall_ms - deliver->now_ms - passed_ms : 0;
    deliver->now_ms = wall_ms;
    deliver->seen_ns = now_ns;
    if (by_ms < TOLERANCE_MS && by_ms > -TOLERANCE_MS) return;
    for (size_t at = 0; at < deliver->runner_count; at++)
        if (deliver->runners[at]) move_runner(deliver->runners[at], by_ms);
}

/* While the process did not run, nothing was tried: a delivery that is loaded has at least an eighth of its time left,
 * and does not wait longer than that. */
void delivery_settle_clock(const struct runner *runner, struct delivery *delivery)
{
    Millis now_ms = runner->deliver->now_ms, retry_ms = runner->rules.retry_ms;
    if (delivery->first_tried_ms > now_ms) delivery->first_tried_ms = now_ms;
    if (delivery->first_tried_ms && delivery->first_tried_ms < now_ms - retry_ms + retry_ms / 8)
        delivery->first_tried_ms = now_ms - retry_ms + retry_ms / 8;
    if (delivery->next_ms > now_ms + retry_ms) delivery->next_ms = now_ms;
}
