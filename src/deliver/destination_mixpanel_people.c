/* destination_mixpanel_people: profiles. One update is one operator on one profile.
 *
 * $time is the message's: of two updates of a key the later message wins at Mixpanel, whichever comes first.
 * $add and $append have no idempotency key at /engage: they are sent once, and where the answer is lost the
 * operator hears of it instead of a number that may be doubled.
 */
#include "destination_mixpanel.h"

static const struct { const char *trait, *key; } trait_rows[] = {
    { "email", "$email" }, { "firstName", "$first_name" }, { "first_name", "$first_name" },
    { "lastName", "$last_name" }, { "last_name", "$last_name" }, { "name", "$name" }, { "username", "$username" },
    { "phone", "$phone" }, { "avatar", "$avatar" }, { "createdAt", "$created" }, { "created", "$created" },
    { "created_at", "$created" }, { "city", "$city" }, { "region", "$region" }, { "country", "$country_code" },
};

static Str key_of_trait(Str trait)
{
    for (size_t at = 0; at < countof(trait_rows); at++)
        if (str_equal(trait, str_from(trait_rows[at].trait))) return str_from(trait_rows[at].key);
    return trait;
}

/* Opens {"$distinct_id":…,"$ip":…,"$time":…,"<operator>": for a person. */
static struct buf *begin_update(struct plan *plan, Str distinct_id, const TreeNode *json, Millis at_ms,
                                const char *operator)
{
    struct buf *out = plan_call(plan, LANE_ENGAGE, KIND_UPDATE);
    const TreeNode *active = event_tree_find(json, "context.active");
    Str ip = event_tree_text(json, "context.ip");
    buf_char(out, '{');
    json_text(out, STR("$distinct_id"), distinct_id);
    if (ip.len) json_text(out, STR("$ip"), ip);
    else json_int(out, STR("$ip"), 0);
    json_int(out, STR("$time"), at_ms);
    if (event_tree_is_kind(active, FIELD_BOOL) && !active->truth) json_raw(out, STR("$ignore_time"), STR("true"));
    json_key(out, str_from(operator));
    return out;
}

static Status end_update(struct plan *plan, struct buf *out, uint8_t flags, Err *err)
{
    buf_char(out, '}');
    return plan_end_call(plan, flags, 0, err);
}

/* Whose profile a message is about. Simplified: a device that has its user by now has the user's. */
static MixpanelWho profile_of(struct plan *plan, const Outgoing *message)
{
    MixpanelWho who = mixpanel_who(plan, message);
    if (who.user_id.len || mixpanel_mode(plan) != MIXPANEL_SIMPLIFIED) return who;
    who.user_id = plan_recall_owner(plan, who.device_id);
    if (who.user_id.len) who.distinct_id = who.user_id;
    return who;
}

/* Simplified: Mixpanel forgets the profile of a device at the moment when the device gets its user. */
static bool has_profile(struct plan *plan, const MixpanelWho *who)
{
    if (who->user_id.len || mixpanel_mode(plan) != MIXPANEL_SIMPLIFIED) return who->distinct_id.len > 0;
    return who->device_id.len > 0 && setting_is_on(plan->settings, MIXPANEL_ANONYMOUS_PROFILES);
}

/* ---- Traits ---- */

typedef enum Operator { SET, SET_ONCE, UNION, APPEND, UNSET } Operator;

static Operator operator_of(struct plan *plan, const TreeNode *trait)
{
    if (!event_tree_is_given(trait)) return UNSET;
    if (setting_has(plan->settings, MIXPANEL_SET_ONCE, trait->key)) return SET_ONCE;
    if (setting_has(plan->settings, MIXPANEL_UNION, trait->key)) return UNION;
    if (setting_has(plan->settings, MIXPANEL_APPEND, trait->key)) return APPEND;
    return SET;
}

/* $created must be a date: numbers of seconds or milliseconds become one, texts stay. */
static void put_trait(struct buf *out, const TreeNode *trait, Operator operator)
{
    Str key = key_of_trait(trait->key);
    Millis at_ms;
    json_key(out, key);
    if (operator == UNION && trait->kind != FIELD_ARRAY) {
        buf_char(out, '[');
        buf_str_put(out, trait->raw);
        buf_char(out, ']');
    } else if (str_equal(key, STR("$created")) && trait->kind == FIELD_NUMBER && instant_of_node(trait, &at_ms)) {
        buf_char(out, '"');
        buf_instant(out, at_ms);
        buf_char(out, '"');
    } else {
        buf_str_put(out, trait->raw);
    }
}

static void put_full_name(struct plan *plan, struct buf *out, const TreeNode *traits)
{
    Str first = event_tree_text(traits, "firstName"), last = event_tree_text(traits, "lastName");
    if (!first.len) first = event_tree_text(traits, "first_name");
    if (!last.len) last = event_tree_text(traits, "last_name");
    if (event_tree_is_given(event_tree_get(traits, STR("name"))) || !first.len || !last.len) return;
    json_text(out, STR("$name"), arena_printf(plan->arena, "%.*s %.*s", STR_FORMAT(first), STR_FORMAT(last)));
}

/* "address": {"city": …} fills $city and its like, unless traits say them themselves. */
static void put_address(struct buf *out, const TreeNode *traits)
{
    static const char *const rows[][2] = {
        { "city", "$city" }, { "state", "$region" }, { "country", "$country_code" },
    };
    const TreeNode *address = event_tree_get(traits, STR("address"));
    for (size_t at = 0; at < countof(rows); at++) {
        Str value = event_tree_text(address, rows[at][0]);
        if (value.len && !event_tree_get(traits, str_from(rows[at][0]))) json_text(out, str_from(rows[at][1]), value);
    }
}

static bool any_with(struct plan *plan, const TreeNode *traits, Operator operator)
{
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next)
        if (operator_of(plan, trait) == operator) return true;
    return false;
}

static bool comes_later(const TreeNode *trait)
{
    Str key = key_of_trait(trait->key);
    for (const TreeNode *later = trait->next; later; later = later->next)
        if (str_equal(key_of_trait(later->key), key)) return true;
    return false;
}

/* One update with all traits of that operator. created and createdAt are one key: the last of them stays. */
static Status plan_operator(struct plan *plan, Str distinct_id, const TreeNode *json, const TreeNode *traits,
                            Millis at_ms, Operator operator, Err *err)
{
    static const char *const words[] = { "$set", "$set_once", "$union", "$append", "$unset" };
    bool has_context = operator == SET && setting_is_on(plan->settings, MIXPANEL_PROFILE_CONTEXT) && json;
    struct buf *out;
    if (!any_with(plan, traits, operator) && !has_context) return OK;
    out = begin_update(plan, distinct_id, json, at_ms, words[operator]);
    buf_char(out, operator == UNSET ? '[' : '{');
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next) {
        if (operator_of(plan, trait) != operator || comes_later(trait)) continue;
        if (operator == UNSET) {
            json_comma(out);
            buf_json_string(out, key_of_trait(trait->key));
        } else {
            put_trait(out, trait, operator);
        }
    }
    if (operator == SET) {
        put_full_name(plan, out, traits);
        put_address(out, traits);
    }
    if (has_context) mixpanel_put_context(out, event_tree_find(json, "context"), traits);
    buf_char(out, operator == UNSET ? ']' : '}');
    return end_update(plan, out, operator == APPEND ? CALL_ONCE : 0, err);
}

static Status plan_device_token(struct plan *plan, Str distinct_id, const Outgoing *message, Err *err)
{
    const TreeNode *json = message->json;
    Str token = event_tree_text(json, "context.device.token"), type = event_tree_text(json, "context.device.type");
    bool is_android = str_equal_no_case(type, STR("android"))
        || str_equal_no_case(event_tree_text(json, "context.os.name"), STR("android"));
    struct buf *out;
    if (token.len == 0) return OK;
    out = begin_update(plan, distinct_id, json, message->event->timestamp_ms, "$union");
    buf_char(out, '{');
    json_key(out, is_android ? STR("$android_devices") : STR("$ios_devices"));
    buf_char(out, '[');
    buf_json_string(out, token);
    buf_str_put(out, STR("]}"));
    return end_update(plan, out, 0, err);
}

static Status plan_all_operators(struct plan *plan, Str distinct_id, const TreeNode *json, const TreeNode *traits,
                                 Millis at_ms, Err *err)
{
    static const Operator order[] = { SET_ONCE, UNION, APPEND, SET, UNSET };
    Status s = OK;
    for (size_t at = 0; !s && at < countof(order); at++)
        s = plan_operator(plan, distinct_id, json, traits, at_ms, order[at], err);
    return s;
}

/* ---- Visitors without a user ---- */

static Str kept_key(struct plan *plan, Str anonymous_id)
{
    return arena_printf(plan->arena, "traits:%.*s", STR_FORMAT(anonymous_id));
}

/* In simplified mode a profile of "$device:…" is forgotten when the device gets its user. So the traits are
 * kept here, the newer over the older, and written to the user when the link is made. */
static void keep_traits(struct plan *plan, Str anonymous_id, const TreeNode *traits, Millis at_ms)
{
    Str key = kept_key(plan, anonymous_id), before = plan_recall(plan, key);
    const TreeNode *old = NULL;
    struct buf out;
    if (before.len && event_tree_read(before, plan->arena, &old, NULL)) old = NULL;
    buf_init(&out, DESTINATION_MEMORY_BYTES);
    buf_char(&out, '{');
    json_int(&out, STR("time"), at_ms);
    json_key(&out, STR("traits"));
    buf_char(&out, '{');
    for (const TreeNode *trait = traits->first; trait; trait = trait->next) json_raw(&out, trait->key, trait->raw);
    old = event_tree_find(old, "traits");
    for (const TreeNode *trait = old ? old->first : NULL; trait; trait = trait->next)
        if (!event_tree_get(traits, trait->key)) json_raw(&out, trait->key, trait->raw);
    buf_str_put(&out, STR("}}"));
    if (buf_ok(&out)) plan_remember(plan, key, buf_str(&out));
    else plan_report(plan, "traits of the visitor %.*s are over %d bytes and were not kept", STR_FORMAT(anonymous_id),
                     DESTINATION_MEMORY_BYTES);
    buf_done(&out);
}

Status mixpanel_plan_kept_traits(struct plan *plan, Str anonymous_id, Str user_id, Err *err)
{
    Str key = kept_key(plan, anonymous_id), kept = plan_recall(plan, key);
    const TreeNode *root = NULL;
    int64_t at_ms = 0;
    if (kept.len == 0 || event_tree_read(kept, plan->arena, &root, NULL)) return OK;
    (void)!str_parse_int(event_tree_text(root, "time"), 0, INT64_MAX, &at_ms);
    plan_remember(plan, key, (Str){ 0 });
    return plan_all_operators(plan, user_id, NULL, event_tree_find(root, "traits"), at_ms, err);
}

Status mixpanel_plan_traits(struct plan *plan, const Outgoing *message, Err *err)
{
    const TreeNode *traits = event_tree_find(message->json, "traits");
    MixpanelWho who = profile_of(plan, message);
    Status s;
    if (!setting_is_on(plan->settings, MIXPANEL_PEOPLE) || who.distinct_id.len == 0) {
        if (plan->call_count == 0) plan->skipped = "no profile";
        return OK;
    }
    if (!event_tree_is_kind(traits, FIELD_OBJECT)) traits = NULL;
    if (!has_profile(plan, &who)) {
        if (traits && traits->count) keep_traits(plan, who.device_id, traits, message->event->timestamp_ms);
        plan->skipped = "kept until the visitor has a user";
        return OK;
    }
    s = plan_all_operators(plan, who.distinct_id, message->json, traits, message->event->timestamp_ms, err);
    return s ? s : plan_device_token(plan, who.distinct_id, message, err);
}

/* ---- Counts of events ---- */

static Status plan_increment_event(struct plan *plan, const Outgoing *message, Str distinct_id, Err *err)
{
    Str name = message->event->name;
    struct buf *out = begin_update(plan, distinct_id, message->json, message->event->timestamp_ms, "$add");
    Status s;
    buf_char(out, '{');
    json_int(out, name, 1);
    buf_char(out, '}');
    s = end_update(plan, out, CALL_ONCE, err);
    if (s) return s;
    out = begin_update(plan, distinct_id, message->json, message->event->timestamp_ms, "$set");
    buf_char(out, '{');
    json_key(out, arena_printf(plan->arena, "Last %.*s", STR_FORMAT(name)));
    buf_char(out, '"');
    buf_instant(out, message->event->timestamp_ms);
    buf_str_put(out, STR("\"}"));
    return end_update(plan, out, 0, err);
}

static Status plan_increment_properties(struct plan *plan, const Outgoing *message, Str distinct_id, Err *err)
{
    Str from = setting_text(plan->settings, MIXPANEL_INCREMENT_FROM);
    const TreeNode *amounts = event_tree_get(event_tree_find(message->json, "properties"), from);
    struct buf *out;
    bool any = false;
    if (!from.len || !event_tree_is_kind(amounts, FIELD_OBJECT)) return OK;
    out = begin_update(plan, distinct_id, message->json, message->event->timestamp_ms, "$add");
    buf_char(out, '{');
    for (const TreeNode *amount = amounts->first; amount; amount = amount->next) {
        if (amount->kind != FIELD_NUMBER) continue;
        json_node(out, amount->key, amount);
        any = true;
    }
    buf_char(out, '}');
    return any ? end_update(plan, out, CALL_ONCE, err) : OK;
}

static Status plan_transaction(struct plan *plan, const Outgoing *message, Str distinct_id, Err *err)
{
    double revenue;
    struct buf *out;
    if (!setting_is_on(plan->settings, MIXPANEL_TRANSACTIONS)) return OK;
    if (!number_of_node(event_tree_find(message->json, "properties.revenue"), &revenue)) return OK;
    out = begin_update(plan, distinct_id, message->json, message->event->timestamp_ms, "$append");
    buf_str_put(out, STR("{\"$transactions\":{\"$time\":\""));
    buf_instant(out, message->event->timestamp_ms);
    buf_str_put(out, STR("\",\"$amount\":"));
    buf_json_double(out, revenue);
    buf_str_put(out, STR("}}"));
    return end_update(plan, out, CALL_ONCE, err);
}

Status mixpanel_plan_counts(struct plan *plan, const Outgoing *message, Err *err)
{
    MixpanelWho who = profile_of(plan, message);
    Status s = OK;
    if (!has_profile(plan, &who) || !setting_is_on(plan->settings, MIXPANEL_PEOPLE)) return OK;
    if (setting_has(plan->settings, MIXPANEL_INCREMENTS, message->event->name))
        s = plan_increment_event(plan, message, who.distinct_id, err);
    if (!s) s = plan_increment_properties(plan, message, who.distinct_id, err);
    if (!s) s = plan_transaction(plan, message, who.distinct_id, err);
    return s;
}

/* ---- Groups ---- */

static void put_group_trait(struct buf *out, const TreeNode *trait)
{
    Str key = trait->key;
    if (str_equal(key, STR("name"))) key = STR("$name");
    else if (str_equal(key, STR("createdAt")) || str_equal(key, STR("created")) || str_equal(key, STR("created_at")))
        key = STR("$created");
    json_node(out, key, trait);
}

static Status plan_member(struct plan *plan, const Outgoing *message, Str distinct_id, Str key, Str id, Err *err)
{
    struct buf *out = begin_update(plan, distinct_id, message->json, message->event->timestamp_ms, "$union");
    buf_char(out, '{');
    json_key(out, key);
    buf_char(out, '[');
    buf_json_string(out, id);
    buf_str_put(out, STR("]}"));
    return end_update(plan, out, 0, err);
}

Status mixpanel_plan_group(struct plan *plan, const Outgoing *message, Err *err)
{
    const TreeNode *traits = event_tree_find(message->json, "traits");
    Str key = setting_text(plan->settings, MIXPANEL_GROUP_KEY), id = { 0 };
    const TreeNode *own = event_tree_get(traits, key);
    MixpanelWho who = profile_of(plan, message);
    struct buf *out;
    Status s;
    if (own) id = own->text;
    if (!id.len) id = message->group_id;
    if (!id.len || !setting_is_on(plan->settings, MIXPANEL_PEOPLE)) {
        plan->skipped = "no group";
        return OK;
    }
    out = plan_call(plan, LANE_GROUPS, KIND_UPDATE);
    buf_char(out, '{');
    json_text(out, STR("$group_key"), key);
    json_text(out, STR("$group_id"), id);
    json_int(out, STR("$time"), message->event->timestamp_ms);
    json_key(out, STR("$set"));
    buf_char(out, '{');
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next) put_group_trait(out, trait);
    buf_char(out, '}');
    s = end_update(plan, out, 0, err);
    if (s || !who.user_id.len || !setting_is_on(plan->settings, MIXPANEL_GROUP_PROFILES)) return s;
    return plan_member(plan, message, who.distinct_id, key, id, err);
}
