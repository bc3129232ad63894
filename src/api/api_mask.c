/* api_mask: what a reader is shown of people: that there is something, and where it is the same, but not what.
 *
 * It works on the answer, not on what made it, so that one list says it for all routes: a value is shown if its path
 * stands in `shown`, and masked if not; what nobody thought of is masked. Names of members are shown: they are those of
 * the API, or names of properties, which readers know from their questions. A masked value is "masked-" and a word that
 * is the same for the same value, as long as the secret key is (access_mask). */
#include "api_routes.h"

enum { PATH_BYTES = 256 };

/* Paths through objects; lists do not count. */
static const char *const shown[] = {
    /* lists and pages */
    "cursor.next", "cursor.has_more", "complete", "behind.share_applied", "behind.ms",
    "behind.is_starting", "warnings",
    /* people */
    "people.first_seen", "people.last_seen", "people.events", "person.first_seen", "person.last_seen", "person.events",
    /* messages: live/ */
    "position", "fate", "reason", "field", "source", "received_at", "count", "from", "to", "why",
    "message.type", "message.event", "message.name", "message.category", "message.channel", "message.version",
    "message.projectId", "message.messageId", "message.timestamp", "message.receivedAt", "message.sentAt",
    "message.originalTimestamp", "message.timeProblem", "message.context.library.name",
    "message.context.library.version", "message.planCheck.version", "message.planCheck.rung",
    "stamped.path", "stamped.change", "links.rule", "links.time", "links.source", "links.position", "links.removed",
    /* events, and their fields */
    "events.event", "events.type", "events.name", "events.count", "events.last_seen", "events_left_out",
    "properties.field", "properties.count", "properties.last_seen", "properties.types", "properties_left_out",
    "traits.field", "traits.people", "traits_left_out", "last_seen", "types", "values.count", "values_left_out",
    /* destinations, whole but for what a vendor said */
    "destinations.name", "destinations.type", "destinations.state", "destinations.position", "destinations.lag_bytes",
    "destinations.lag_ms", "destinations.unfinished", "destinations.delivered", "destinations.dead_letters",
    "name", "type", "state", "lag_bytes", "lag_ms", "unfinished", "delivered", "dead_letters",
};

static bool is_shown(Str path)
{
    for (size_t at = 0; at < countof(shown); at++)
        if (str_equal(path, str_from(shown[at]))) return true;
    return false;
}

static void put_masked(struct access *access, Str value, struct buf *out)
{
    char word[ACCESS_MASK_CHARS + 1];
    access_mask(access, value, word);
    json_printf(out, NULL, "masked-%s", word);
}

/* A path that is too long is none that is shown. */
static void put_value(struct access *access, const TreeNode *node, Str path, struct buf *out)
{
    char room[PATH_BYTES];
    if (event_tree_is_kind(node, FIELD_ARRAY)) {
        json_array(out, NULL);
        for (const TreeNode *item = node->first; item; item = item->next) put_value(access, item, path, out);
        json_array_end(out);
    } else if (event_tree_is_kind(node, FIELD_OBJECT)) {
        json_object(out, NULL);
        for (const TreeNode *member = node->first; member; member = member->next) {
            struct buf below;
            buf_init_fixed(&below, room, sizeof room);
            buf_str_put(&below, path);
            if (path.len) buf_char(&below, '.');
            buf_str_put(&below, member->key);
            json_name(out, member->key);
            put_value(access, member, buf_ok(&below) ? buf_str(&below) : STR("?"), out);
        }
        json_object_end(out);
    } else if (event_tree_is_kind(node, FIELD_NULL) || is_shown(path)) {
        json_raw(out, NULL, node->raw);
    } else {
        put_masked(access, event_tree_is_kind(node, FIELD_STRING) ? node->text : node->raw, out);
    }
}

Status api_mask(struct access *access, Arena arena, Str json, struct buf *out, Err *err)
{
    const TreeNode *root;
    Status s = event_tree_read(json, &arena, &root, err);
    if (s) return s;
    put_value(access, root, STR(""), out);
    return OK;
}

/* Of server-sent events, what stands behind "data: "; what is none of ours is left out. */
void api_mask_lines(struct access *access, Arena arena, Str text, struct buf *out)
{
    static const Str data = { "data: ", 6 };
    while (text.len) {
        Str line = str_cut(text, '\n', &text);
        if (!str_starts(line, data)) {
            buf_str_put(out, line);
        } else {
            buf_str_put(out, data);
            if (api_mask(access, arena, str_slice(line, data.len, line.len), out, NULL)) buf_str_put(out, STR("{}"));
        }
        buf_char(out, '\n');
    }
}

Status api_mask_answer(struct exchange *exchange, Arena arena, struct buf *out, Err *err)
{
    struct buf masked;
    buf_init(&masked, LIMIT_ANSWER_BYTES);
    Status s = api_mask(exchange_options(exchange)->access, arena, buf_str(out), &masked, err);
    buf_clear(out);
    if (!s) buf_str_put(out, buf_str(&masked));
    if (!s && !buf_ok(&masked)) s = err_set(err, ERR_TOO_LARGE, "the answer is too large; ask for less");
    buf_done(&masked);
    return s;
}

/* Whoever may not see an id may not ask for one either: it would be told by what comes. */
Status api_refuse_reader(const struct exchange *exchange, const char *field, Err *err)
{
    if (exchange->role != ACCESS_READER) return OK;
    return err_set(err, ERR_DENIED, "not for the role reader: %s finds people; this wants analyst or admin", field);
}
