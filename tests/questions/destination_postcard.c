/* destination_postcard: a type of destination that is one file and one row (tests/questions/run adds it). It writes a
 * line for each track event, and sends nothing: a call without a method is done. */
#include "destination.h"
#include "destination_text.h"

enum { POSTCARD_STREET };

static const DestinationOption postcard_options[] = {
    [POSTCARD_STREET] = { "street", OPTION_TEXT, NULL, NULL, "where the postman goes" },
    { 0 }
};

static Status postcard_build(struct plan *plan, const Outgoing *message, Err *err)
{
    if (message->event->type != EVENT_TRACK) {
        plan->skipped = "no track event";
        return OK;
    }
    struct buf *out = plan_call(plan, 0, 0);
    buf_str_put(out, setting_text(plan->settings, POSTCARD_STREET));
    return plan_end_call(plan, 0, 0, err);
}

static LaneLimits postcard_limits(const Settings *settings, uint8_t lane)
{
    (void)settings, (void)lane;
    return (LaneLimits){ 1, 4096 };
}

static Status postcard_pack(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err)
{
    (void)input, (void)arena, (void)ret, (void)err;
    return OK;
}

const struct destination destination_postcard = {
    .name = "postcard", .label = "Postcard", .description = "a line for each event, and no stamp",
    .options = postcard_options, .requests_at_once = 1,
    .limits = postcard_limits, .build = postcard_build, .pack = postcard_pack,
};
