/* driver: JSON Schema's questions, answered by plan/. Each line of standard input is {"schema":S,"tests":[V,...]};
 * each line of the answer is {"fits":[true,false,null,...]} (null: undecided) or {"refused":"why"}. */
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 4 * 1024 * 1024, ARENA_BYTES = 256 * 1024 * 1024 };

static char why[TRACKING_TEXT_BYTES];

static void complain(void *context, const Node *at, bool is_warning, Str field, const char *text)
{
    (void)context, (void)field;
    if (!is_warning && !why[0]) snprintf(why, sizeof why, "%u: %.*s: %s", at ? at->line : 0,
                                         at ? (int)at->key.len : 0, at ? at->key.bytes : "", text);
}

static void check_one(struct event_parser *parser, const struct tracking_schema *schema, Str value, Arena arena,
                      struct buf *out)
{
    Body body;
    Err err;
    TrackingVerdict verdict;
    Str message = arena_printf(&arena, "{\"properties\":%.*s}", STR_FORMAT(value));
    if (event_parse_message(parser, message, &arena, &body, &err)) {
        json_string(out, NULL, str_from(err.text));
        return;
    }
    TrackingFit fit = tracking_schema_check(schema, parser, &body.messages[0].properties, &arena, &verdict);
    if (fit == TRACKING_UNDECIDED) json_null(out, NULL);
    else json_bool(out, NULL, fit == TRACKING_FITS);
}

static void answer(struct event_parser *parser, Str line, Arena arena, struct buf *out)
{
    static const TrackingSource source = { .complain = complain };
    const TreeNode *question;
    const Node *root = NULL;
    struct tracking_schema *schema = NULL;
    Err err = { 0 };
    why[0] = 0;
    check(!event_tree_read(line, &arena, &question, &err));
    Status s = tracking_tree_of_json(event_tree_get(question, STR("schema"))->raw, &arena, &root, &err);
    if (!s) s = tracking_schema_open(root, &source, &schema, &err);
    json_object(out, NULL);
    if (s) {
        json_string(out, "refused", str_from(why[0] ? why : err.text));
    } else {
        json_array(out, "fits");
        for (const TreeNode *test = event_tree_get(question, STR("tests"))->first; test; test = test->next)
            check_one(parser, schema, test->raw, arena, out);
        json_array_end(out);
    }
    json_object_end(out);
    tracking_schema_close(schema);
}

int main(void)
{
    char *line = malloc(LINE_BYTES);
    struct region region;
    struct event_parser *parser = event_parser_open();
    check(line && parser);
    region_open(&region, ARENA_BYTES);
    while (fgets(line, LINE_BYTES, stdin)) {
        struct buf out;
        buf_init(&out, LINE_BYTES);
        answer(parser, str_from(line), region_arena(&region), &out);
        printf("%.*s\n", STR_FORMAT(buf_str(&out)));
        buf_done(&out);
    }
    event_parser_close(parser);
    region_close(&region);
    free(line);
    return 0;
}
