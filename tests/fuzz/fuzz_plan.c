/* Any bytes as a tracking plan, and any as a message held against it: no crash, no leak, an answer in bounded time,
 * and a stamp that is read back as it was written. The plan ends at a line "%%"; what follows is the message. */
#include "config/config.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void ignore(void *context, const Node *at, bool is_warning, Str field, const char *text)
{
    (void)context, (void)at, (void)is_warning;
    check(field.len < 4096 && text[0]);
}

static void check_verdict(const TrackingVerdict *verdict, Arena arena)
{
    TrackingVerdict again;
    char text[TRACKING_TEXT_BYTES * 4];
    Str stamp = tracking_stamp_write(verdict, &arena);
    check(verdict->count <= TRACKING_VIOLATIONS && stamp.len > 0 && stamp.len <= TRACKING_STAMP_BYTES);
    check(tracking_stamp_read(stamp, &arena, &again) && again.count <= verdict->count);
    check(again.rung >= TRACKING_REPORT && (again.rung == verdict->rung || again.has_more));
    check(tracking_stamp_holds(stamp) == (again.rung == TRACKING_HOLD));
    for (uint32_t at = 0; at < verdict->count; at++) {
        struct buf out;
        buf_init_fixed(&out, text, sizeof text);
        tracking_write_text(&out, &verdict->items[at], (Str){ 0 });
        check(out.len > 0);
    }
}

static void judge(const struct tracking_plan *plan, Str text, Arena arena)
{
    struct event_parser *parser = event_parser_open();
    TrackingVerdict verdict;
    Body body;
    Err err;
    if (event_parse_message(parser, text, &arena, &body, &err) == OK && !body.messages[0].broken) {
        for (int type = EVENT_IDENTIFY; type < EVENT_TYPE_COUNT; type++) {
            TrackingMessage given = { parser, &body.messages[0], (EventType)type, STR("website") };
            bool is_broken = tracking_plan_judge(plan, &given, &arena, &verdict);
            check(is_broken == (verdict.count > 0));
            if (is_broken) check_verdict(&verdict, arena);
        }
    }
    event_parser_close(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct config_problems problems;
    Str text = str_of(bytes, count), message = STR("");
    struct region region;
    struct tracking_plan *plan = NULL;
    struct buf types;
    Err err;
    for (size_t at = 0; at + 4 <= count; at++) {
        if (memcmp(bytes + at, "\n%%\n", 4)) continue;
        text = str_of(bytes, at + 1), message = str_of(bytes + at + 4, count - at - 4);
        break;
    }
    region_open(&region, 2 * (size_t)CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    struct config_walk walk = { &arena, &problems, NULL, true };
    TrackingSource source = { .text = text, .complain = ignore };
    problems = (struct config_problems){ 0 };
    const Node *root = config_read_yaml(&walk, text);
    if (root && !problems.error_count && tracking_plan_open(root, &source, &plan, &err) == OK) {
        judge(plan, message, arena);
        buf_init(&types, 1024 * 1024);
        tracking_write_types(plan, &types);
        buf_done(&types);
    }
    tracking_plan_close(plan);
    region_close(&region);
    return 0;
}
