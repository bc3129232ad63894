/* main_flat: rows that DuckDB, ClickHouse (any version with JSONEachRow) and COPY of most warehouses read as they are.
 * Instants are milliseconds, since engines disagree about how they are written. */
#include "flat.h"

static void put_text(struct buf *out, const char *key, Str text)
{
    buf_printf(out, ",\"%s\":", key);
    buf_json_string(out, text);
}

static void put_object(struct buf *out, const char *key, const TreeNode *root)
{
    const TreeNode *node = event_tree_get(root, str_from(key));
    put_text(out, key, event_tree_is_kind(node, FIELD_OBJECT) ? node->raw : STR(""));
}

Status flat_write(const Event *event, Arena scratch, struct buf *out, Err *err)
{
    const TreeNode *root;
    Status s = event_tree_read(event->json, &scratch, &root, err);
    if (s) return s;
    buf_printf(out, "{\"time_ms\":%lld,\"received_ms\":%lld", (long long)event->timestamp_ms,
               (long long)event->received_at_ms);
    put_text(out, "message_id", event->message_id);
    put_text(out, "type", event_tree_text(root, "type"));
    put_text(out, "event", event->name);
    put_text(out, "user_id", event->user_id);
    put_text(out, "anonymous_id", event->anonymous_id);
    put_text(out, "previous_id", event->previous_id);
    put_text(out, "group_id", event->group_id);
    put_text(out, "source", event->source);
    put_object(out, "properties", root);
    put_object(out, "traits", root);
    put_object(out, "context", root);
    buf_str_put(out, STR("}\n"));
    return buf_ok(out) ? OK : err_set(err, ERR_TOO_LARGE, "a row of over %zu bytes", out->max);
}
