/* destination_kissmetrics: record (/e), set (/s) and alias (/a), one request each.
 *
 * KISSmetrics answers 200 with a picture to anything, even with a wrong key. So everything that can be judged is
 * judged here: lengths, the oldest date that it stores. Names that it changes are left to it.
 * It counts the same person, event and second once, and believes _t only with _d=1: both are always sent,
 * so a repeat does no harm.
 *
 * A person there is what aliases have joined, for ever and transitively: two users joined to one id are one
 * person. So an anonymous id is joined to its first user only (the framework hands over no other link), and
 * before anything is sent under the user. What a shared device does after its second user signed in is sent
 * under that user by name.
 *
 * A call is the query string without the key, after one letter for its path: "e_p=…&_n=…".
 */
#include "destination.h"
#include "destination_text.h"

#include <stdio.h>

enum {
    KISSMETRICS_KEY, KISSMETRICS_ENDPOINT, KISSMETRICS_PREFIX, KISSMETRICS_PAGES, KISSMETRICS_CONTEXT,
};

enum {
    ID_BYTES = 255, NAME_BYTES = 255, VALUE_BYTES = 8 * 1024,
    GET_BYTES = 2048,                           /* longer queries go as a POST form */
    FLATTEN_DEPTH = 8,
    PRODUCTS = 100,                             /* of an order */
};
static const Millis OLDEST_MS = 1230768000000;  /* 2009-01-01: what is older is not stored */

static const DestinationOption kissmetrics_options[] = {
    [KISSMETRICS_KEY] = { "api_key", OPTION_SECRET, NULL, NULL, "the product's API key" },
    [KISSMETRICS_ENDPOINT] = { "endpoint", OPTION_URL, "https://trk.kissmetrics.io", NULL,
        "where requests go; may be a private address" },
    [KISSMETRICS_PREFIX] = { "prefix_properties", OPTION_BOOL, "false", NULL,
        "name every property \"<event> - <property>\", so that equal names of two events are told apart" },
    [KISSMETRICS_PAGES] = { "pages", OPTION_WORD, "all", "all|named|none",
        "which page and screen calls become events" },
    [KISSMETRICS_CONTEXT] = { "send_context", OPTION_BOOL, "true", NULL, "send the visitor's address and browser" },
    { 0 }
};

static Status kissmetrics_validate(const Settings *settings, Err *err)
{
    if (setting_text(settings, KISSMETRICS_KEY).len == 0) return err_set_field(err, "api_key", "api_key: is empty");
    return OK;
}

static bool kissmetrics_wants_links(const Settings *settings)
{
    (void)settings;
    return true;
}

static LaneLimits kissmetrics_limits(const Settings *settings, uint8_t lane)
{
    (void)settings;
    (void)lane;
    return (LaneLimits){ 1, DESTINATION_CALL_BYTES };
}

/* ---- Fields ---- */

struct written {
    Str key;
    const struct written *before;
};

/* What the fields of one call are written with. */
struct fields {
    struct plan *plan;
    struct buf *out;
    Str prefix;                                 /* "Page": names become "Page - name" */
    const struct written *names;
    bool has_too_long, has_reserved, has_too_deep;
};

static void put_field(struct buf *out, const char *key, Str value)
{
    if (value.len) url_field(out, str_from(key), value);
}

static void put_number(struct buf *out, const char *key, int64_t value)
{
    char digits[24];
    struct buf text;
    buf_init_fixed(&text, digits, sizeof digits);
    buf_int(&text, value);
    url_field(out, str_from(key), buf_str(&text));
}

static bool is_reserved(Str key)
{
    static const char *const reserved[] = { "_k", "_p", "_n", "_t", "_d", "_ip", "_ua", "_p2" };
    for (size_t at = 0; at < countof(reserved); at++)
        if (str_equal(key, str_from(reserved[at]))) return true;
    return false;
}

/* If a name is there twice, KISSmetrics keeps one value: {"a": {"b": 1}, "a.b": 2}. We send the first. */
static bool is_new(struct fields *fields, Str key)
{
    for (const struct written *at = fields->names; at; at = at->before) {
        if (!str_equal(at->key, key)) continue;
        plan_left_out(fields->plan, "%.*s was left out: another is called so, too", STR_FORMAT(str_slice(key, 0, 200)));
        return false;
    }
    struct written *written = arena_new(fields->plan->arena, struct written, 1);
    *written = (struct written){ arena_copy(fields->plan->arena, key), fields->names };
    fields->names = written;
    return true;
}

static void put_property(struct fields *fields, Str name, Str value)
{
    Str key = name;
    if (fields->prefix.len && !str_equal(name, STR("Billing Amount")))
        key = arena_printf(fields->plan->arena, "%.*s - %.*s", STR_FORMAT(fields->prefix), STR_FORMAT(name));
    if (key.len == 0 || is_reserved(key)) {
        fields->has_reserved = true;
        return;
    }
    if (key.len > NAME_BYTES || value.len > VALUE_BYTES) {
        fields->has_too_long = true;
        return;
    }
    if (!is_new(fields, key)) return;
    url_field(fields->out, key, value);
}

static bool is_nested(const TreeNode *list)
{
    for (const TreeNode *item = list->first; item; item = item->next)
        if (item->kind == FIELD_OBJECT || item->kind == FIELD_ARRAY) return true;
    return false;
}

/* Joins a list's values by commas; a list that has objects or lists in it becomes JSON as a whole. */
static void put_list(struct fields *fields, Str name, const TreeNode *list)
{
    struct buf text;
    if (list->count == 0) return;
    if (is_nested(list)) {
        put_property(fields, name, list->raw);
        return;
    }
    buf_init(&text, VALUE_BYTES);
    for (const TreeNode *item = list->first; item; item = item->next) {
        if (item != list->first) buf_char(&text, ',');
        if (event_tree_is_given(item)) buf_str_put(&text, item->kind == FIELD_STRING ? item->text : item->raw);
    }
    if (buf_ok(&text)) put_property(fields, name, buf_str(&text));
    else fields->has_too_long = true;
    buf_done(&text);
}

static void put_value(struct fields *fields, Str name, const TreeNode *value, int depth);

static void put_nested(struct fields *fields, Str name, const TreeNode *object, int depth)
{
    for (const TreeNode *child = object->first; child; child = child->next)
        put_value(fields, arena_printf(fields->plan->arena, "%.*s.%.*s", STR_FORMAT(name), STR_FORMAT(child->key)),
                  child, depth + 1);
}

/* Dates become seconds, objects become dotted names, nulls and empty lists are left out. */
static void put_value(struct fields *fields, Str name, const TreeNode *value, int depth)
{
    Millis at_ms;
    switch ((FieldKind)value->kind) {
    case FIELD_STRING:
        if (is_date_text(value->text, &at_ms))
            put_property(fields, name, arena_printf(fields->plan->arena, "%" PRId64, at_ms / 1000));
        else
            put_property(fields, name, value->text);
        break;
    case FIELD_NUMBER:
    case FIELD_BOOL: put_property(fields, name, value->raw); break;
    case FIELD_ARRAY: put_list(fields, name, value); break;
    case FIELD_OBJECT:
        if (depth < FLATTEN_DEPTH) put_nested(fields, name, value, depth);
        else fields->has_too_deep = true;
        break;
    case FIELD_ABSENT:
    case FIELD_NULL: break;
    }
}

static void put_members(struct fields *fields, const TreeNode *object, const char *except)
{
    for (const TreeNode *child = object ? object->first : NULL; child; child = child->next)
        if (!except || !str_equal(child->key, str_from(except))) put_value(fields, child->key, child, 0);
}

/* ---- Calls ---- */

static void put_context(struct plan *plan, struct buf *out, const Outgoing *message)
{
    if (!setting_is_on(plan->settings, KISSMETRICS_CONTEXT)) return;
    put_field(out, "_ip", event_tree_text(message->json, "context.ip"));
    put_field(out, "_ua", event_tree_text(message->json, "context.userAgent"));
}

static struct fields begin_call(struct plan *plan, char path, Str person, Millis at_ms)
{
    struct fields fields = { .plan = plan, .out = plan_call(plan, 0, (uint8_t)path) };
    put_field(fields.out, "_p", person);
    put_number(fields.out, "_t", at_ms / 1000);
    put_number(fields.out, "_d", 1);
    return fields;
}

static void report_left_out(const struct fields *fields)
{
    if (fields->has_too_long)
        plan_left_out(fields->plan, "properties with names over %d or values over %d bytes were left out", NAME_BYTES,
                      VALUE_BYTES);
    if (fields->has_reserved)
        plan_left_out(fields->plan, "properties without a name, or named like KISSmetrics' own (_k, _p, _n, _t, _d, "
                      "_ip, _ua, _p2), were left out");
    if (fields->has_too_deep)
        plan_left_out(fields->plan, "objects nested over %d deep were left out", FLATTEN_DEPTH);
}

static Status end_call(struct fields *fields, const Outgoing *message, Err *err)
{
    put_context(fields->plan, fields->out, message);
    report_left_out(fields);
    return plan_end_call(fields->plan, 0, 0, err);
}

static Status plan_join(struct plan *plan, const Outgoing *message, Str a, Str b, Err *err)
{
    struct buf *out;
    if (str_equal(a, b)) return OK;
    if (a.len > ID_BYTES || b.len > ID_BYTES)
        return err_set(err, ERR_INPUT, "an identity is longer than KISSmetrics' %d bytes", ID_BYTES);
    out = plan_call(plan, 0, 'a');
    put_field(out, "_p", a);
    put_field(out, "_n", b);
    put_context(plan, out, message);
    return plan_end_call(plan, CALL_LINK, 0, err);
}

static Str person_of(const Outgoing *message)
{
    return message->user_id.len ? message->user_id : message->owner_id.len ? message->owner_id : message->anonymous_id;
}

static Status plan_properties(struct plan *plan, const Outgoing *message, const TreeNode *traits, Err *err)
{
    struct fields fields = begin_call(plan, 's', person_of(message), message->event->timestamp_ms);
    bool is_group = message->event->type == EVENT_GROUP;
    Str id = is_group ? event_tree_text(traits, "id") : (Str){ 0 };
    size_t before = fields.out->len;
    if (is_group) {
        fields.prefix = STR("Group");
        put_property(&fields, STR("id"), message->group_id);
    }
    put_members(&fields, traits, id.len ? "id" : NULL);
    if (id.len && !str_equal(id, message->group_id))
        plan_left_out(plan, "trait id was left out: \"Group - id\" is the groupId");
    if (fields.out->len == before) {            /* nothing to set */
        report_left_out(&fields);
        plan->skipped = "no traits";
        return OK;
    }
    return end_call(&fields, message, err);
}

/* One second apart, or KISSmetrics would keep one value of each property. */
static Status plan_products(struct plan *plan, const Outgoing *message, Str prefix, Err *err)
{
    const TreeNode *products = event_tree_find(message->json, "properties.products");
    Millis at_ms = message->event->timestamp_ms;
    uint32_t count = 0;
    Status s = OK;
    if (!event_tree_is_kind(products, FIELD_ARRAY)) return OK;
    if (products->count > PRODUCTS)
        plan_left_out(plan, "an order of %u products: only the first %d were sent", products->count, PRODUCTS);
    for (const TreeNode *product = products->first; !s && product; product = product->next, at_ms += 1000) {
        struct fields fields;
        if (++count > PRODUCTS) break;
        if (product->kind != FIELD_OBJECT) {
            plan_left_out(plan, "product %u of the order is no object: left out", count);
            continue;
        }
        fields = begin_call(plan, 's', person_of(message), at_ms);
        fields.prefix = prefix;
        put_members(&fields, product, NULL);
        s = end_call(&fields, message, err);
    }
    return s;
}

static Status plan_event(struct plan *plan, const Outgoing *message, Str name, Str prefix, Err *err)
{
    const TreeNode *properties = event_tree_find(message->json, "properties");
    const TreeNode *revenue = event_tree_get(properties, STR("revenue"));
    bool is_sale = message->event->type == EVENT_TRACK && is_order_completed(message->event->name);
    double amount;
    struct fields fields;
    Status s;
    if (name.len == 0 || name.len > NAME_BYTES)
        return err_set(err, ERR_INPUT, "the event's name is empty or longer than KISSmetrics' %d bytes", NAME_BYTES);
    fields = begin_call(plan, 'e', person_of(message), message->event->timestamp_ms);
    put_field(fields.out, "_n", name);
    fields.prefix = prefix;
    is_sale &= event_tree_is_kind(event_tree_get(properties, STR("products")), FIELD_ARRAY);
    put_members(&fields, properties, is_sale ? "products" : NULL);
    if (message->event->type != EVENT_TRACK) {
        if (message->event->name.len && !event_tree_get(properties, STR("name")))
            put_property(&fields, STR("name"), message->event->name);
        if (message->event->category.len && !event_tree_get(properties, STR("category")))
            put_property(&fields, STR("category"), message->event->category);
    } else if (number_of_node(revenue, &amount)) {
        put_property(&fields, STR("Billing Amount"), revenue->text);
    }
    s = end_call(&fields, message, err);
    return s || !is_sale ? s : plan_products(plan, message, prefix, err);
}

static Status plan_track(struct plan *plan, const Outgoing *message, Err *err)
{
    bool has_prefix = setting_is_on(plan->settings, KISSMETRICS_PREFIX);
    Str name = message->event->name;
    return plan_event(plan, message, name, has_prefix ? name : (Str){ 0 }, err);
}

static Status plan_view(struct plan *plan, const Outgoing *message, Err *err)
{
    const char *what = message->event->type == EVENT_PAGE ? "Page" : "Screen";
    int64_t which = setting_number(plan->settings, KISSMETRICS_PAGES);
    Str name = message->event->name.len ? message->event->name : message->event->category;
    if (which == 2 || (which == 1 && message->event->name.len == 0)) {
        plan->skipped = "page or screen";
        return OK;
    }
    name = name.len ? arena_printf(plan->arena, "Viewed %.*s %s", STR_FORMAT(name), what)
                    : arena_printf(plan->arena, "Loaded a %s", what);
    return plan_event(plan, message, name, str_from(what), err);
}

static Status plan_alias(struct plan *plan, const Outgoing *message, Err *err)
{
    if (message->is_merge_told) return OK;
    for (size_t at = 0; at < message->link_count; at++)
        if (str_equal(message->links[at].anonymous_id, message->previous_id)) return OK;     /* just said */
    if (message->previous_id.len == 0 || message->user_id.len == 0) {
        plan->skipped = "alias of nobody";
        return OK;
    }
    return plan_join(plan, message, message->previous_id, message->user_id, err);
}

static Status refuse_unstorable(const Outgoing *message, Err *err)
{
    Str person = person_of(message);
    if (person.len == 0) return err_set(err, ERR_INPUT, "nobody: neither a user nor an anonymous id that names one");
    if (message->event->type == EVENT_GROUP && !message->group_id.len)
        return err_set(err, ERR_INPUT, "the group has no groupId");
    if (person.len > ID_BYTES) return err_set(err, ERR_INPUT, "the id is longer than KISSmetrics' %d bytes", ID_BYTES);
    if (message->event->timestamp_ms < OLDEST_MS && message->event->type != EVENT_ALIAS)
        return err_set(err, ERR_INPUT, "older than 2009, which KISSmetrics does not store");
    return OK;
}

static Status kissmetrics_build(struct plan *plan, const Outgoing *message, Err *err)
{
    Status s = refuse_unstorable(message, err);
    for (size_t at = 0; !s && at < message->link_count; at++)
        s = plan_join(plan, message, message->links[at].user_id, message->links[at].anonymous_id, err);
    if (s) return s;
    switch (message->event->type) {
    case EVENT_TRACK: return plan_track(plan, message, err);
    case EVENT_PAGE:
    case EVENT_SCREEN: return plan_view(plan, message, err);
    case EVENT_IDENTIFY:
    case EVENT_GROUP: return plan_properties(plan, message, event_tree_find(message->json, "traits"), err);
    case EVENT_ALIAS: return plan_alias(plan, message, err);
    case EVENT_NONE:
    case EVENT_TYPE_COUNT: break;
    }
    plan->skipped = "unknown type";
    return OK;
}

/* ---- Requests ---- */

static Status kissmetrics_pack(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err)
{
    const Call *call = input->calls[0];
    Str host = setting_text(input->settings, KISSMETRICS_ENDPOINT), query;
    struct buf text;
    (void)err;
    while (str_ends(host, STR("/"))) host.len--;
    buf_init(&text, call->body.len + 4096);
    put_field(&text, "_k", setting_text(input->settings, KISSMETRICS_KEY));
    buf_char(&text, '&');
    buf_str_put(&text, call->body);
    query = arena_copy(arena, buf_str(&text));
    buf_done(&text);
    ret->allow_private = input->settings->values[KISSMETRICS_ENDPOINT].is_given;
    if (query.len <= GET_BYTES) {
        ret->method = STR("GET");
        ret->url = arena_printf(arena, "%.*s/%c?%.*s", STR_FORMAT(host), call->kind, STR_FORMAT(query));
        return OK;
    }
    ret->method = STR("POST");
    ret->url = arena_printf(arena, "%.*s/%c", STR_FORMAT(host), call->kind);
    ret->body = query;
    request_header(ret, STR("Content-Type"), STR("application/x-www-form-urlencoded"));
    return OK;
}

/* 304 has been seen for a picture that was sent before; it means the same. */
static void kissmetrics_judge(const JudgeInput *input, Ruling *ruling)
{
    judge_by_status(input, ruling);
    if (input->answer->outcome == FETCH_ANSWERED && input->answer->status == 304)
        judge_all(ruling, VERDICT_DONE, (Str){ 0 });
}

const struct destination destination_kissmetrics = {
    .name = "kissmetrics",
    .label = "KISSmetrics",
    .description = "events and properties into a KISSmetrics product, each visitor joined to the user first",
    .options = kissmetrics_options,
    .requests_at_once = 8,
    .validate = kissmetrics_validate,
    .wants_links = kissmetrics_wants_links,
    .wants_grace = kissmetrics_wants_links,
    .limits = kissmetrics_limits,
    .build = kissmetrics_build,
    .pack = kissmetrics_pack,
    .judge = kissmetrics_judge,
};
