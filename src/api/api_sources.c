/* api_sources: the sources with their write keys, for a person who pastes a snippet. Keys only write, but anybody who
 * has one can pretend to be that source, so only administrators see them. Administrators also make sources here, switch
 * them off and on, and give them another key; sources of the configuration are changed there (desk/ keeps the others).
 * */
#include "api_routes.h"

static void put_source(struct buf *out, const Source *source)
{
    json_object(out, NULL);
    json_string(out, "name", source->name);
    json_string(out, "write_key", source->write_key);
    json_bool(out, "enabled", source->is_enabled);
    json_bool(out, "server", source->is_server);
    json_string_or_null(out, "own_path", source->own_path);
    json_word(out, "kept", source->is_of_page ? "page" : "file");
    json_string_or_null(out, "old_key", source->old_key);
    if (source->old_key.len) json_instant(out, "old_key_until", source->old_key_until_ms);
    else json_null(out, "old_key_until");
    json_object_end(out);
}

void api_sources(struct exchange *exchange)
{
    struct collector *collector = api_options(exchange)->collector;
    struct buf *out = &exchange->answer;
    const Source *source;
    buf_clear(out);
    json_object(out, NULL);
    json_array(out, "sources");
    for (size_t at = 0; (source = collector_source_at(collector, at)); at++) put_source(out, source);
    json_array_end(out);
    json_object_end(out);
    reply_text(exchange, 200, NULL, buf_str(out));
}

/* ---- Changes ---- */

static Status put_named(struct exchange *exchange, Str name, struct buf *out, Err *err)
{
    const Source *source;
    for (size_t at = 0; (source = collector_source_at(api_options(exchange)->collector, at)); at++) {
        if (!str_equal(source->name, name)) continue;
        put_source(out, source);
        return OK;
    }
    return err_set(err, ERR_CONFLICT, "source %.*s is kept, but is not in use: another has its write key",
                   STR_FORMAT(name));
}

Status api_sources_add(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct desk *desk;
    const TreeNode *body;
    Status s = api_desk(exchange, &desk, err);
    if (!s) s = api_read_object(exchange, arena, &body, err);
    if (s) return s;
    const TreeNode *server = event_tree_get(body, STR("server"));
    Str name = event_tree_text(body, "name");
    if (event_tree_is_given(server) && !event_tree_is_kind(server, FIELD_BOOL))
        return err_set_field(err, "server", "must be true or false");
    api_note_about(exchange, name);
    s = desk_add_source(desk, name, server && server->truth, api_who(exchange), err);
    return s ? s : put_named(exchange, name, out, err);
}

static Status read_grace(struct exchange *exchange, Arena *arena, Millis *ret_ms, Err *err)
{
    const TreeNode *body;
    int64_t hours = DESK_GRACE_HOURS;
    Status s = api_read_object(exchange, arena, &body, err);
    if (s) return s;
    const TreeNode *given = event_tree_get(body, STR("grace_hours"));
    if (event_tree_is_given(given) && (!event_tree_is_kind(given, FIELD_NUMBER)
                                       || !str_parse_int(given->text, 0, DESK_GRACE_HOURS_MOST, &hours)))
        return err_set_field(err, "grace_hours", "must be a number of hours from 0 to %d", DESK_GRACE_HOURS_MOST);
    *ret_ms = hours * HOUR_MS;
    return OK;
}

static Status change(struct exchange *exchange, DeskChange change, Arena *arena, struct buf *out, Err *err)
{
    struct desk *desk;
    Millis grace_ms = 0;
    Str name = percent_decode(exchange->parameter, false, arena);
    Status s = api_desk(exchange, &desk, err);
    if (!s && change == DESK_ROTATE) s = read_grace(exchange, arena, &grace_ms, err);
    if (!s) s = desk_change_source(desk, name, change, grace_ms, err);
    return s ? s : put_named(exchange, name, out, err);
}

Status api_sources_disable(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return change(exchange, DESK_DISABLE, arena, out, err);
}

Status api_sources_enable(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return change(exchange, DESK_ENABLE, arena, out, err);
}

Status api_sources_rotate(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return change(exchange, DESK_ROTATE, arena, out, err);
}
