/* deliver_clock: waits and patience go by time that passes, not by a wall clock that is set. Instants are kept as the
 * wall clock tells them, so that they mean something after a restart; where it jumps, those that wait for it, or count
 * from it, are moved with it: nothing is given up early because it jumped ahead, and nothing waits for the day that it
 * had been before it was set back. */
#include "deliver_outlet.h"

static const Millis TOLERANCE_MS = 5000;

static void move_parcel(struct parcel *parcel, Millis by_ms)
{
    if (parcel->next_ms) parcel->next_ms += by_ms;
    if (parcel->first_tried_ms) parcel->first_tried_ms += by_ms;
}

static void move_outlet(struct outlet *outlet, Millis by_ms)
{
    if (outlet->wait_until_ms) outlet->wait_until_ms += by_ms;
    if (outlet->waiting_next_ms != INT64_MAX) outlet->waiting_next_ms += by_ms;
    outlet->kept_ms += by_ms;
    outlet->tokens_at_ms += by_ms;
    outlet->rate_from_ms += by_ms;
    for (size_t at = 0; outlet->is_started && at < outlet->window; at++)
        if (outlet->parcels[at].state != PARCEL_FREE) move_parcel(&outlet->parcels[at], by_ms);
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
    for (size_t at = 0; at < deliver->outlet_count; at++)
        if (deliver->outlets[at]) move_outlet(deliver->outlets[at], by_ms);
}

/* While nobody ran, nobody was asked: what is loaded has an eighth of its patience left, and waits for no day that is
 * further away than that. */
void parcel_settle_clock(const struct outlet *outlet, struct parcel *parcel)
{
    Millis now_ms = outlet->deliver->now_ms, retry_ms = outlet->rules.retry_ms;
    if (parcel->first_tried_ms > now_ms) parcel->first_tried_ms = now_ms;
    if (parcel->first_tried_ms && parcel->first_tried_ms < now_ms - retry_ms + retry_ms / 8)
        parcel->first_tried_ms = now_ms - retry_ms + retry_ms / 8;
    if (parcel->next_ms > now_ms + retry_ms) parcel->next_ms = now_ms;
}
