/* plan check: is the plan itself right, and what of a file of messages breaks it. For a website's CI: its end-to-end
 * tests write what they sent, and this exits 1 where something of it is not as planned. */
#include "tools_plan.h"
#include "tools_import.h"

#include <stdio.h>

struct checking {
    const struct tracking_plan *plan;
    struct event_parser *parser;
    Str source;                             /* of --source; empty: each message's own projectId */
    bool is_json;
    struct buf *out;
    uint64_t messages, broken, undecided, unread;
};

static void put_json(struct checking *checking, const char *file, uint64_t number, Str event,
                     const TrackingVerdict *verdict,
                     Arena *arena)
{
    json_object(checking->out, NULL);
    json_word(checking->out, "file", file);
    json_uint(checking->out, "line", number);
    json_string(checking->out, "event", event);
    json_raw(checking->out, "plan", tracking_stamp_write(verdict, arena));
    json_object_end(checking->out);
    buf_char(checking->out, '\n');
}

static void check_message(struct checking *checking, const char *file, uint64_t number, const Message *message,
                          Arena arena)
{
    TrackingVerdict verdict;
    EventType type = event_type_from(message->type.text);
    Str source = checking->source.len ? checking->source : message->project_id.text;
    Str event = type == EVENT_TRACK ? message->event.text : type == EVENT_PAGE || type == EVENT_SCREEN
        ? message->name.text
                                                          : str_from(event_type_word(type));
    checking->messages++;
    if (type == EVENT_NONE || message->broken) {
        checking->unread++;
        buf_printf(checking->out, "%s:%" PRIu64 ": %s\n", file, number,
                   message->broken ? message->broken : "no type, or none that there is");
        return;
    }
    TrackingMessage given = { checking->parser, message, type, source };
    bool is_broken = tracking_plan_judge(checking->plan, &given, &arena, &verdict);
    checking->undecided += verdict.is_undecided;
    if (!is_broken) return;
    checking->broken++;
    if (checking->is_json) {
        put_json(checking, file, number, event, &verdict, &arena);
        return;
    }
    for (uint32_t at = 0; at < verdict.count; at++) {
        buf_printf(checking->out, "%s:%" PRIu64 ": ", file, number);
        tools_plan_write_violation(checking->out, event, &verdict.items[at], message->raw, arena);
        buf_char(checking->out, '\n');
    }
    if (verdict.has_more) buf_printf(checking->out, "%s:%" PRIu64 ": and more\n", file, number);
}

static void check_line(struct checking *checking, const char *file, uint64_t number, const ImportLine *line,
                       Arena arena)
{
    Body body;
    Err err;
    if (!str_trim(line->text).len) return;
    if (line->is_too_long || event_parse_body(checking->parser, line->text, LIMIT_BATCH_EVENTS, &arena, &body, &err)) {
        checking->unread++;
        buf_printf(checking->out, "%s:%" PRIu64 ": %s\n", file, number, line->is_too_long ? "the line is too long"
                   : err.text);
        return;
    }
    for (size_t at = 0; at < body.message_count; at++) check_message(checking, file, number, &body.messages[at], arena);
}

static Status check_file(struct checking *checking, const char *file, Arena *arena, Err *err)
{
    struct import_lines *lines;
    ImportLine line;
    Status s = import_lines_open(file, &lines, err);
    if (s) return s;
    for (uint64_t number = 1; !(s = import_lines_read(lines, &line, err)); number++)
        check_line(checking, file, number, &line, *arena);
    import_lines_close(lines);
    return s == ERR_NOT_FOUND ? OK : s;
}

static void sum_up(struct checking *checking)
{
    Str version = tracking_plan_version(checking->plan);
    if (checking->is_json) return;
    buf_printf(checking->out, "%" PRIu64 " of %" PRIu64 " message%s break%s the plan (version %.*s, %zu events)",
               checking->broken, checking->messages, checking->messages == 1 ? "" : "s", checking->broken == 1 ? "s"
                   : "",
               STR_FORMAT(version), tracking_plan_rule_count(checking->plan));
    if (checking->unread) buf_printf(checking->out, "; %" PRIu64 " could not be read", checking->unread);
    if (checking->undecided) buf_printf(checking->out, "; %" PRIu64 " undecided", checking->undecided);
    buf_char(checking->out, '\n');
}

int tools_plan_check(const struct command_line *line, Arena *arena, struct buf *out)
{
    Err err;
    struct tracking_plan *plan = NULL;
    const char *source = command_option(line, "source");
    int code = tools_plan_open(line, arena, &plan);
    struct checking checking = { .plan = plan, .out = out, .is_json = command_has(line, "json"), .source =
                                 str_from(source) };
    if (code) return code == EXIT_USAGE && line->operand_count == 1 && command_option(line, "plan") ? EXIT_WRONG : code;
    checking.parser = event_parser_open();
    for (size_t at = 1; !code && at < line->operand_count; at++) {
        if (!checking.parser || check_file(&checking, line->operands[at], arena, &err)) {
            command_complain("%s", checking.parser ? err.text : "no memory");
            code = EXIT_USAGE;
        }
    }
    if (line->operand_count > 1) sum_up(&checking);
    else buf_printf(out, "the plan is fine (version %.*s, %zu events)\n", STR_FORMAT(tracking_plan_version(plan)),
                    tracking_plan_rule_count(plan));
    event_parser_close(checking.parser);
    tracking_plan_close(plan);
    return code ? code : checking.broken || checking.unread ? EXIT_WRONG : EXIT_FINE;
}
