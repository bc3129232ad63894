/* collect_import: lines of NDJSON, each a body of its own. A bad line is kept as rejected, with its number;
 * the others are accepted. The arena is taken back after each line. (docs/protocol.md#imports) */
#include "collect_stations.h"

static Status import_line(struct intake *intake, Str line, Err *err)
{
    static const Rule not_json = { "bad_request", "", NULL }, too_large = { "message_too_large", "", NULL };
    struct event_parser *parser = intake->workspace->parser;
    Err line_err;
    if (line.len > LIMIT_BODY_BYTES) {
        collect_reject(intake, intake->source, &too_large, "over 520 KiB", line);
        return OK;
    }
    Status s = event_parse_message(parser, line, intake->arena, &intake->body, &line_err);
    if (s) {
        collect_reject(intake, intake->source, &not_json, line_err.text, line);
        return OK;
    }
    return collect_keep_body(intake, err);
}

Status collect_import_lines(struct intake *intake, Str body, Err *err)
{
    intake->line = intake->request->import_line ? intake->request->import_line : 1;
    for (Str rest = body; rest.len > 0; intake->line++) {
        Str line = str_cut(rest, '\n', &rest);
        Arena line_arena = *intake->arena, *whole = intake->arena;
        if (str_trim(line).len == 0) continue;
        intake->arena = &line_arena;
        Status s = import_line(intake, line, err);
        intake->arena = whole;
        if (s) return s;
    }
    return OK;
}
