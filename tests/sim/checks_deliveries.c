/* checks_deliveries: when the faults have ended and every destination has caught up:
 *   9. every message that counts and was never touched by an order came to every vendor that wants it; as often as it
 *      came it was the same bytes (vendors.c);
 *  10. of one person's messages, those that came in another order than they stand in the journal stand there against
 *      the order of their times. */
#include "world.h"

static void check_all_came(struct world *world, int vendor)
{
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *sent = &world->sent[at];
        if (!sent->is_counted || history_was_suppressed(world, (int)at) || !vendors_want(vendor, sent)) continue;
        bool was_gone = sent->pos < world->retention.first || sent->has_moved;
        if (was_gone && world->retention.undelivered_ms) continue;                   /* nobody waited for it */
        if (!world->vendors.received[vendor][at].order)
            world_fail(world, "%s never heard of %s, which lies at %llu", vendors_names[vendor], sent->message_id,
                       (unsigned long long)sent->pos);
    }
}

/* What was passed over while an id of it was suppressed may come by a replay, long after. */
static bool has_turn(const struct world *world, int vendor, size_t sent)
{
    const struct received *received = &world->vendors.received[vendor][sent];
    return received->order && !received->is_out_of_turn && !history_was_suppressed(world, (int)sent);
}

/* Both ids are the same: whoever they are, and whatever was learnt of them meanwhile, they stand in one line. */
static bool is_same_line(const Sent *a, const Sent *b)
{
    return !strcmp(a->user_id, b->user_id) && !strcmp(a->anonymous_id, b->anonymous_id);
}

static void check_order(struct world *world, int vendor)
{
    const struct received *received = world->vendors.received[vendor];
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *sent = &world->sent[at];
        if (!has_turn(world, vendor, at) || !vendors_want(vendor, sent)) continue;
        for (size_t other = 0; other < world->visitors.sent_count; other++) {
            const Sent *later = &world->sent[other];
            if (later->pos <= sent->pos || later->time_ms <= sent->time_ms || !is_same_line(sent, later)) continue;
            if (!has_turn(world, vendor, other) || received[other].order > received[at].order) continue;
            world_fail(world, "%s heard of %s before %s, which happened before it and came before it",
                       vendors_names[vendor], later->message_id, sent->message_id);
        }
    }
}

void checks_deliveries(struct world *world)
{
    for (int vendor = 0; vendor < VENDORS; vendor++) {
        check_all_came(world, vendor);
        check_order(world, vendor);
    }
}
