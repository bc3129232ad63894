/* tools_flat: rows that DuckDB, ClickHouse (any version with JSONEachRow) and COPY of most warehouses read as they are.
 * Instants are milliseconds, since engines disagree about how they are written. */
#include "tools_flat.h"

static void put_object(struct buf *out, const char *key, const TreeNode *root)
{
    const TreeNode *node = event_tree_get(root, str_from(key));
    json_string(out, key, event_tree_is_kind(node, FIELD_OBJECT) ? node->raw : STR(""));
}

Status flat_write(const Event *event, Arena scratch, struct buf *out, Err *err)
{
    const TreeNode *root;
    Status s = event_tree_read(event->json, &scratch, &root, err);
    if (s) return s;
    json_object(out, NULL);
    json_int(out, "time_ms", event->timestamp_ms);
    json_int(out, "received_ms", event->received_at_ms);
    json_string(out, "message_id", event->message_id);
    json_string(out, "type", event_tree_text(root, "type"));
    json_string(out, "event", event->name);
    json_string(out, "user_id", event->user_id);
    json_string(out, "anonymous_id", event->anonymous_id);
    json_string(out, "previous_id", event->previous_id);
    json_string(out, "group_id", event->group_id);
    json_string(out, "source", event->source);
    put_object(out, "properties", root);
    put_object(out, "traits", root);
    put_object(out, "context", root);
    json_object_end(out);
    buf_char(out, '\n');
    return buf_ok(out) ? OK : err_set(err, ERR_TOO_LARGE, "a row of over %zu bytes", out->max);
}
