/* destination_rules: reads the rules of a destination, and applies them to a message: properties and
 * traits that are denied (or not allowed) are removed, and those to be hashed are hashed.
 */
#include "destination.h"

#include <stdio.h>

/* ---- Reading ---- */

static Status read_list(const Node *node, Str key, Arena *arena, const Str **ret, size_t *ret_count, Err *err)
{
    const Node *list = node_find(node, key);
    Str *texts;
    char name[64];
    snprintf(name, sizeof name, "%.*s", STR_FORMAT(key));
    *ret_count = 0;
    if (!list) return OK;
    if (list->kind == NODE_TEXT) {
        texts = arena_new(arena, Str, 1);
        texts[(*ret_count)++] = arena_copy(arena, list->text);
    } else if (list->kind == NODE_LIST) {
        texts = arena_new(arena, Str, list->count + 1);
        node_each(child, list) {
            if (child->kind != NODE_TEXT) return err_set_field(err, name, "%s: wants a list of texts", name);
            texts[(*ret_count)++] = arena_copy(arena, child->text);
        }
    } else {
        return err_set_field(err, name, "%s: wants a list of texts", name);
    }
    *ret = texts;
    return OK;
}

static Status read_number(const Node *node, const char *name, int64_t least, int64_t most, int64_t *number, Err *err)
{
    Str text = node_text(node, str_from(name), (Str){ 0 });
    if (!node_find(node, str_from(name)) || str_parse_int(text, least, most, number)) return OK;
    return err_set_field(err, name, "%s: \"%.*s\" is no number from %" PRId64 " to %" PRId64, name, STR_FORMAT(text),
                         least, most);
}

static Status read_types(const Node *node, Arena *arena, Rules *rules, Err *err)
{
    const Str *words = NULL;
    size_t count;
    Status s = read_list(node, STR("types"), arena, &words, &count, err);
    for (size_t at = 0; !s && at < count; at++) {
        EventType type = event_type_from(words[at]);
        if (type == EVENT_NONE) return err_set_field(err, "types", "types: \"%.*s\" is none", STR_FORMAT(words[at]));
        rules->types |= 1u << type;
    }
    return s;
}

static Status read_lists(const Node *node, Arena *arena, Rules *rules, Err *err)
{
    const Node *events = node_find(node, STR("events")), *properties = node_find(node, STR("properties"));
    Status s = read_types(node, arena, rules, err);
    if (!s) s = read_list(events, STR("allow"), arena, &rules->events_allow, &rules->events_allow_count, err);
    if (!s) s = read_list(events, STR("deny"), arena, &rules->events_deny, &rules->events_deny_count, err);
    if (!s) s = read_list(properties, STR("allow"), arena, &rules->properties_allow, &rules->properties_allow_count,
                          err);
    if (!s) s = read_list(properties, STR("deny"), arena, &rules->properties_deny, &rules->properties_deny_count, err);
    if (!s) s = read_list(properties, STR("hash"), arena, &rules->properties_hash, &rules->properties_hash_count, err);
    if (!s) s = read_list(node, STR("consent"), arena, &rules->consent, &rules->consent_count, err);
    return s;
}

static Status refuse_unknown(const Node *node, Err *err)
{
    static const char *const known[] = {
        "types", "events", "properties", "consent", "hash_salt", "retry_hours", "grace_seconds", "settle_ms", "start",
        "window", "requests_at_once", "requests_per_second",
    };
    node_each(child, node) {
        char name[64];
        size_t at = 0;
        while (at < countof(known) && !str_equal(child->key, str_from(known[at]))) at++;
        if (at < countof(known)) continue;
        snprintf(name, sizeof name, "%.*s", STR_FORMAT(child->key));
        return err_set_field(err, name, "%s: there is no such rule", name);
    }
    return OK;
}

Status rules_read(const Node *node, Arena *arena, Rules *ret, Err *err)
{
    int64_t hours = 4, grace_s = 10, settle_ms = 500, window = 10000, at_once = 0, per_second = 0;
    Str start = node_text(node, STR("start"), STR("now"));
    Status s;
    *ret = (Rules){ 0 };
    s = refuse_unknown(node, err);
    if (!s) s = read_lists(node, arena, ret, err);
    if (!s) s = read_number(node, "retry_hours", 0, 24 * 365, &hours, err);
    if (!s) s = read_number(node, "grace_seconds", 0, DAY_MS / SECOND_MS, &grace_s, err);
    if (!s) s = read_number(node, "settle_ms", 0, 60000, &settle_ms, err);
    if (!s) s = read_number(node, "window", 64, 1000000, &window, err);
    if (!s) s = read_number(node, "requests_at_once", 0, REQUESTS_AT_ONCE, &at_once, err);
    if (!s) s = read_number(node, "requests_per_second", 0, 1000000, &per_second, err);
    if (!s && !str_equal(start, STR("now")) && !str_equal(start, STR("beginning")))
        s = err_set_field(err, "start", "start: \"%.*s\" is neither now nor beginning", STR_FORMAT(start));
    ret->hash_salt = arena_copy(arena, node_text(node, STR("hash_salt"), (Str){ 0 }));
    ret->retry_ms = hours * HOUR_MS;
    ret->grace_ms = grace_s * 1000;
    ret->settle_ms = settle_ms;
    ret->start = str_equal(start, STR("beginning")) ? DESTINATION_FROM_BEGINNING : DESTINATION_FROM_NOW;
    ret->window = (uint32_t)window;
    ret->requests_at_once = (uint32_t)at_once;
    ret->requests_per_second = (uint32_t)per_second;
    return s;
}

/* ---- Privacy ---- */

/* Where a walk through the message stands. */
struct redaction {
    const Rules *rules;
    struct buf *out;
    char path[512];
};

/* Rules name a key of properties and traits, or a whole path: "email", "traits.address.city", "context.ip". */
static bool is_named(const Str *names, size_t count, Str path, Str key, bool is_member)
{
    for (size_t at = 0; at < count; at++)
        if (str_equal(names[at], path) || (is_member && str_equal(names[at], key))) return true;
    return false;
}

static void put_hash(struct redaction *redaction, const TreeNode *node)
{
    char bytes[256];
    Arena arena = { bytes, bytes + sizeof bytes };
    Str value = node->kind == FIELD_STRING ? node->text : node->raw;
    json_string(redaction->out, NULL, hmac_hex(&arena, HMAC_SHA256, redaction->rules->hash_salt, &value, 1));
}

static void redact(struct redaction *redaction, const TreeNode *node, size_t path_len, int depth);

static void redact_member(struct redaction *redaction, const TreeNode *child, size_t path_len, int depth,
                          bool is_member)
{
    const Rules *rules = redaction->rules;
    size_t room = sizeof redaction->path - path_len, len;
    Str path;
    len = (size_t)snprintf(redaction->path + path_len, room, "%s%.*s", path_len ? "." : "", STR_FORMAT(child->key));
    if (len >= room) len = room - 1;
    path = str_of(redaction->path, path_len + len);
    if (is_named(rules->properties_deny, rules->properties_deny_count, path, child->key, is_member)) return;
    if (is_member && rules->properties_allow_count
        && !is_named(rules->properties_allow, rules->properties_allow_count, path, child->key, true)) return;
    json_name(redaction->out, child->key);
    if (is_named(rules->properties_hash, rules->properties_hash_count, path, child->key, is_member)
        && event_tree_is_given(child)) put_hash(redaction, child);
    else redact(redaction, child, path.len, depth + 1);
}

static void redact(struct redaction *redaction, const TreeNode *node, size_t path_len, int depth)
{
    Str path = str_of(redaction->path, path_len);
    bool has_members = depth == 1 && (str_equal(path, STR("properties")) || str_equal(path, STR("traits")));
    if (node->kind != FIELD_OBJECT) {
        json_raw(redaction->out, NULL, node->raw);
        return;
    }
    has_members |= depth == 2 && str_equal(path, STR("context.traits"));
    json_object(redaction->out, NULL);
    for (const TreeNode *child = node->first; child; child = child->next)
        redact_member(redaction, child, path_len, depth, has_members);
    json_object_end(redaction->out);
}

bool rules_have_privacy(const Rules *rules)
{
    return rules->properties_deny_count || rules->properties_allow_count || rules->properties_hash_count;
}

Status rules_redact(const Rules *rules, const TreeNode *json, Arena *arena, const TreeNode **ret, Err *err)
{
    struct redaction redaction = { .rules = rules };
    struct buf out;
    Str text;
    *ret = json;
    if (!rules_have_privacy(rules)) return OK;
    buf_init(&out, LIMIT_RECORD_BYTES * 4);
    redaction.out = &out;
    redact(&redaction, json, 0, 0);
    text = arena_copy(arena, buf_str(&out));
    if (!buf_ok(&out)) {
        buf_done(&out);
        return err_set(err, ERR_TOO_LARGE, "the message is too large for the privacy rules");
    }
    buf_done(&out);
    return event_tree_read(text, arena, ret, err);
}
