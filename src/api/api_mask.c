/* api_mask: what a reader sees of people: that there is a value, and whether two values are the same, but not which.
 *
 * It works on the answer, not on the code that made it, so one rule holds for all routes. What people, or programs on
 * their behalf, have said is in members of certain names (`said`): messages, traits, ids, values. All of that is
 * masked, except what `shown` lists by its path. Everything else is what Onym itself says. Numbers, true and false, and
 * instants name nobody, and are shown; texts are shown only if `shown` lists them, since many quote what somebody said.
 * So a member that nobody thought of is masked if it can name somebody at all. Names of members are shown: they are
 * those of the API, or names of properties, which readers know from their questions. A masked value is "masked-" and a
 * word that is the same for the same value, as long as the secret key stays the same (access_mask). */
#include "api_routes.h"

enum { PATH_BYTES = 256 };

/* Members in which everything is what somebody said, wherever they are. */
static const char *const said[] = {
    "message", "traits", "value", "was", "examples", "id", "ids", "user_id", "user_ids",
    "anonymous_id", "anonymous_ids", "external_ids", "previous_id", "group_id", "person_id", "message_id", "letter",
    "request", "answer", "response", "headers", "body", "last_error", "text", "set_by",
};

/* Texts that are shown, and members inside `said` that name nobody. Paths through objects; lists do not count. */
static const char *const shown[] = {
    /* pages, and what an answer says of itself */
    "cursor.next", "warnings.field", "warnings.message", "timezone",
    /* messages: live/ */
    "fate", "reason", "field", "source", "why",
    "message.type", "message.event", "message.name", "message.category", "message.channel", "message.version",
    "message.projectId", "message.messageId", "message.timestamp", "message.receivedAt", "message.sentAt",
    "message.originalTimestamp", "message.timeProblem", "message.context.library.name",
    "message.context.library.version", "message.planCheck.version", "message.planCheck.rung",
    "plan.version", "plan.rung", "plan.violations.code", "plan.violations.path", "plan.violations.found",
    "plan.violations.wants", "plan.violations.rung",
    "stamped.path", "stamped.change", "links.rule", "links.source",
    /* events, and their fields */
    "events.event", "events.type", "events.name", "properties.field", "properties.types", "traits.field",
    "traits.people", "types",
    /* destinations, whole but for what a vendor said */
    "destinations.name", "destinations.type", "destinations.state", "name", "type", "state",
};

static bool is_among(const char *const *texts, size_t count, Str text)
{
    for (size_t at = 0; at < count; at++)
        if (str_equal(text, str_from(texts[at]))) return true;
    return false;
}

static bool is_said(Str path)
{
    while (path.len)
        if (is_among(said, countof(said), str_cut(path, '.', &path))) return true;
    return false;
}

/* As Onym writes them: 2026-11-29T21:15:00.000Z. */
static bool is_instant(Str text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (text.len != sizeof form - 1) return false;
    for (size_t at = 0; at < text.len; at++)
        if (form[at] == 'd' ? text.bytes[at] < '0' || text.bytes[at] > '9' : text.bytes[at] != form[at]) return false;
    return true;
}

static bool is_shown(const TreeNode *node, Str path)
{
    if (is_among(shown, countof(shown), path)) return true;
    return path.len && !is_said(path) && (!event_tree_is_kind(node, FIELD_STRING) || is_instant(node->text));
}
static void put_masked(struct access *access, Str value, struct buf *out)
{
    char word[ACCESS_MASK_CHARS + 1];
    access_mask(access, value, word);
    json_printf(out, NULL, "masked-%s", word);
}

/* A path that is too long, or whose parts cannot be told apart, counts as what somebody said. */
static const Str somewhere = { "value", 5 };

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
            bool is_clear = buf_ok(&below) && !str_contains(member->key, STR("."));
            put_value(access, member, is_clear ? buf_str(&below) : somewhere, out);
        }
        json_object_end(out);
    } else if (event_tree_is_kind(node, FIELD_NULL) || is_shown(node, path)) {
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

/* Masks what comes after "data: " in server-sent events; leaves out lines that we did not write. */
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

/* A role that may not see ids may not ask for one either: the answer would give it away. */
Status api_refuse_reader(const struct exchange *exchange, const char *field, Err *err)
{
    if (exchange->role != ACCESS_READER) return OK;
    return err_set(err, ERR_DENIED, "not for the role reader: %s finds people; this wants analyst or admin", field);
}
