/* A plan from JSON or YAML, and messages held against it, for the tests of plan/. */
#include "config/config.h"
#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct region plan_region, message_region;
static struct tracking_plan *plan;
static struct event_parser *parser;
static TrackingVerdict verdict;
static char complaints[16384];

static void note(void *context, const Node *at, bool is_warning, Str field, const char *text)
{
    size_t len = strlen(complaints);
    (void)context;
    snprintf(complaints + len, sizeof complaints - len, "%u %s %.*s: %s\n", at ? at->line : 0,
             is_warning ? "warning" : "error", STR_FORMAT(field), text);
}

static int open_all(void **state)
{
    (void)state;
    parser = event_parser_open();
    region_open(&plan_region, CONFIG_ARENA_BYTES);
    region_open(&message_region, 64 * 1024 * 1024);
    return parser == NULL;
}

static int close_all(void **state)
{
    (void)state;
    tracking_plan_close(plan);
    plan = NULL;
    event_parser_close(parser);
    region_close(&plan_region);
    region_close(&message_region);
    return 0;
}

/* yaml: the plan. */
static Status open_plan(const char *yaml)
{
    static struct config_problems problems;
    Arena arena = region_arena(&plan_region);
    struct config_walk walk = { &arena, &problems, NULL, true };
    TrackingSource source = { .text = str_from(yaml), .complain = note };
    Err err;
    problems = (struct config_problems){ 0 };
    complaints[0] = 0;
    tracking_plan_close(plan);
    plan = NULL;
    const Node *root = config_read_yaml(&walk, str_from(yaml));
    assert_int_equal(problems.error_count, 0);
    return tracking_plan_open(root, &source, &plan, &err);
}

/* What is wrong with the message, a line each: "wrong_type properties.revenue report: ...". json: with ' for ". */
static const char *judge_from(const char *json, const char *source)
{
    static char told[8192], message[8192];
    struct buf out;
    Body body;
    Err err;
    Arena arena = region_arena(&message_region);
    size_t len = strlen(json);
    assert_true(len < sizeof message);
    for (size_t at = 0; at <= len; at++) message[at] = json[at] == '\'' ? '"' : json[at];
    assert_int_equal(event_parse_message(parser, (Str){ message, len }, &arena, &body, &err), OK);
    EventType type = event_type_from(body.messages[0].type.text);
    buf_init_fixed(&out, told, sizeof told - 1);
    TrackingMessage given = { parser, &body.messages[0], type, str_from(source) };
    bool is_broken = tracking_plan_judge(plan, &given, &arena, &verdict);
    assert_int_equal(is_broken, verdict.count > 0);
    for (uint32_t at = 0; at < verdict.count; at++) {
        buf_printf(&out, "%s%s %s: ", at ? "\n" : "", tracking_code_word(verdict.items[at].code),
                   tracking_rung_word(verdict.items[at].rung));
        tracking_write_text(&out, &verdict.items[at], (Str){ 0 });
    }
    if (verdict.has_more) buf_str_put(&out, STR("\nmore"));
    if (verdict.is_undecided) buf_str_put(&out, STR("\nundecided"));
    told[out.len] = 0;
    return told;
}

static const char *judge(const char *json) { return judge_from(json, "website"); }
