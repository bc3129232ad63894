/* destination_mixpanel_people: profiles. Each update is one operator on one profile.
 *
 * $time is the message's: of two updates of a key the later message wins at Mixpanel, whichever comes first.
 * $add and $append have no idempotency key at /engage: they are sent once. If the answer is lost, the
 * operator hears of it; to send them again might double a number.
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

/* Whose profile changes, and by which message. */
struct profile {
    Str distinct_id;
    const TreeNode *json;                   /* NULL: by a message that was kept */
    Millis at_ms;
};

static struct profile profile_by(Str distinct_id, const Outgoing *message)
{
    return (struct profile){ distinct_id, message->json, message->event->timestamp_ms };
}

/* Opens {"$distinct_id":…,"$ip":…,"$time":…,"<operator>": for a person. */
static struct buf *begin_update(struct plan *plan, struct profile profile, const char *operator)
{
    struct buf *out = plan_call(plan, LANE_ENGAGE, KIND_UPDATE);
    const TreeNode *active = event_tree_find(profile.json, "context.active");
    Str ip = event_tree_text(profile.json, "context.ip");
    json_object(out, NULL);
    member_text(out, STR("$distinct_id"), profile.distinct_id);
    if (ip.len) member_text(out, STR("$ip"), ip);
    else json_int(out, "$ip", 0);
    json_int(out, "$time", profile.at_ms);
    if (event_tree_is_kind(active, FIELD_BOOL) && !active->truth) json_bool(out, "$ignore_time", true);
    json_name(out, str_from(operator));
    return out;
}

static Status end_update(struct plan *plan, struct buf *out, uint8_t flags, Err *err)
{
    json_object_end(out);
    return plan_end_call(plan, flags, 0, err);
}

/* Whose profile a message is about. Simplified: a device that has its user by now has the user's. */
static MixpanelWho profile_of(struct plan *plan, const Outgoing *message)
{
    MixpanelWho who = mixpanel_who(plan, message);
    if (who.user_id.len || mixpanel_mode(plan) != MIXPANEL_SIMPLIFIED) return who;
    who.user_id = plan_linked_user(plan, who.device_id);
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

/* The list that has group calls and devices: a trait of the same name adds to it and does not overwrite it. */
static bool is_our_list(struct plan *plan, Str key)
{
    return str_equal(key, STR("$ios_devices")) || str_equal(key, STR("$android_devices"))
        || (setting_is_on(plan->settings, MIXPANEL_GROUP_PROFILES)
            && str_equal(key, setting_text(plan->settings, MIXPANEL_GROUP_KEY)));
}

static Operator operator_of(struct plan *plan, const TreeNode *trait)
{
    if (!event_tree_is_given(trait)) return UNSET;
    if (is_our_list(plan, key_of_trait(trait->key))) return UNION;
    if (setting_has(plan->settings, MIXPANEL_SET_ONCE, trait->key)) return SET_ONCE;
    if (setting_has(plan->settings, MIXPANEL_UNION, trait->key)) return UNION;
    if (setting_has(plan->settings, MIXPANEL_APPEND, trait->key)) return APPEND;
    return SET;
}

/* $created must be a date: a date that Mixpanel can read stays; every other time becomes one. */
static bool is_plain_date(const TreeNode *trait)
{
    Millis at_ms;
    Str text = trait->text;
    return trait->kind == FIELD_STRING && is_date_text(text, &at_ms) && instant_parse(text, &at_ms)
        && !memchr(text.bytes, ',', text.len) && (text.len == sizeof "2024-05-01" - 1 || str_ends(text, STR("Z")));
}

static bool is_no_date(Str key, const TreeNode *trait)
{
    Millis at_ms;
    return str_equal(key, STR("$created")) && event_tree_is_given(trait) && !instant_of_node(trait, &at_ms);
}

static void put_trait(struct buf *out, Str key, const TreeNode *trait, Operator operator)
{
    Millis at_ms;
    json_name(out, key);
    if (operator == UNION && trait->kind != FIELD_ARRAY) {
        json_array(out, NULL);
        buf_str_put(out, trait->raw);
        json_array_end(out);
    } else if (str_equal(key, STR("$created")) && !is_plain_date(trait) && instant_of_node(trait, &at_ms)) {
        json_instant(out, NULL, at_ms);
    } else {
        json_raw(out, NULL, trait->raw);
    }
}

/* Do the traits have Mixpanel's key themselves, by whatever name? An object has each key once. */
static bool any_of_key(const TreeNode *traits, Str key)
{
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next)
        if (str_equal(key_of_trait(trait->key), key)) return true;
    return false;
}

static void put_full_name(struct plan *plan, struct buf *out, const TreeNode *traits)
{
    Str first = event_tree_text(traits, "firstName"), last = event_tree_text(traits, "lastName");
    if (!first.len) first = event_tree_text(traits, "first_name");
    if (!last.len) last = event_tree_text(traits, "last_name");
    if (!first.len || !last.len || any_of_key(traits, STR("$name"))) return;
    member_text(out, STR("$name"), arena_printf(plan->arena, "%.*s %.*s", STR_FORMAT(first), STR_FORMAT(last)));
}

/* "address": {"city": …} fills $city and the like, unless the traits have them themselves. */
static void put_address(struct buf *out, const TreeNode *traits)
{
    static const char *const rows[][2] = {
        { "city", "$city" }, { "state", "$region" }, { "country", "$country_code" },
    };
    const TreeNode *address = event_tree_get(traits, STR("address"));
    for (size_t at = 0; at < countof(rows); at++) {
        Str value = event_tree_text(address, rows[at][0]);
        if (value.len && !event_tree_get(traits, str_from(rows[at][0])) && !any_of_key(traits, str_from(rows[at][1])))
            member_text(out, str_from(rows[at][1]), value);
    }
}

/* Groups know no $email or $city. */
static Str key_of_group_trait(Str trait)
{
    Str key = key_of_trait(trait);
    return str_equal(key, STR("$name")) || str_equal(key, STR("$created")) ? key : trait;
}

typedef Str KeyOfTrait(Str trait);

/* The trait after this one that is the same key; NULL: none. The last of them is what is sent. */
static const TreeNode *comes_later(const TreeNode *trait, KeyOfTrait *key_of)
{
    Str key = key_of(trait->key);
    for (const TreeNode *later = trait->next; later; later = later->next)
        if (str_equal(key_of(later->key), key) && !is_no_date(key, later)) return later;
    return NULL;
}

static bool is_left_out(const TreeNode *trait, KeyOfTrait *key_of)
{
    return comes_later(trait, key_of) || is_no_date(key_of(trait->key), trait);
}

static bool any_with(struct plan *plan, const TreeNode *traits, Operator operator)
{
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next)
        if (operator_of(plan, trait) == operator && !is_left_out(trait, key_of_trait)) return true;
    return false;
}

/* Two traits of one key with two values, and a value that cannot be a date: reports what is not sent. */
static void report_left_out(struct plan *plan, const TreeNode *traits, KeyOfTrait *key_of)
{
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next) {
        const TreeNode *later = comes_later(trait, key_of);
        if (is_no_date(key_of(trait->key), trait)) {
            plan_left_out(plan, "trait %.*s was left out: it is no time that can be read",
                          STR_FORMAT(str_slice(trait->key, 0, 200)));
            continue;
        }
        if (later && !str_equal(later->raw, trait->raw))
            plan_left_out(plan, "trait %.*s was left out: it and %.*s are both Mixpanel's %.*s",
                          STR_FORMAT(str_slice(trait->key, 0, 200)), STR_FORMAT(str_slice(later->key, 0, 200)),
                          STR_FORMAT(str_slice(key_of(trait->key), 0, 200)));
    }
}

/* One update with all traits of that operator. created and createdAt are one key: the last of them stays. */
static Status plan_operator(struct plan *plan, struct profile profile, const TreeNode *traits, Operator operator,
                            Err *err)
{
    static const char *const words[] = { "$set", "$set_once", "$union", "$append", "$unset" };
    bool has_context = operator == SET && setting_is_on(plan->settings, MIXPANEL_PROFILE_CONTEXT) && profile.json;
    struct buf *out;
    if (!any_with(plan, traits, operator) && !has_context) return OK;
    out = begin_update(plan, profile, words[operator]);
    if (operator == UNSET) json_array(out, NULL);
    else json_object(out, NULL);
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next) {
        if (operator_of(plan, trait) != operator || is_left_out(trait, key_of_trait)) continue;
        if (operator == UNSET) {
            json_string(out, NULL, key_of_trait(trait->key));
        } else {
            put_trait(out, key_of_trait(trait->key), trait, operator);
        }
    }
    if (operator == SET) {
        put_full_name(plan, out, traits);
        put_address(out, traits);
    }
    if (has_context) mixpanel_put_context(plan, out, event_tree_find(profile.json, "context"), traits);
    if (operator == UNSET) json_array_end(out);
    else json_object_end(out);
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
    out = begin_update(plan, profile_by(distinct_id, message), "$union");
    json_object(out, NULL);
    json_array(out, is_android ? "$android_devices" : "$ios_devices");
    json_string(out, NULL, token);
    json_array_end(out);
    json_object_end(out);
    return end_update(plan, out, 0, err);
}

static Status plan_all_operators(struct plan *plan, struct profile profile, const TreeNode *traits, Err *err)
{
    static const Operator order[] = { SET_ONCE, UNION, APPEND, SET, UNSET };
    Status s = OK;
    report_left_out(plan, traits, key_of_trait);
    for (size_t at = 0; !s && at < countof(order); at++)
        s = plan_operator(plan, profile, traits, order[at], err);
    return s;
}

/* ---- Visitors without a user ---- */

static Str kept_key(struct plan *plan, Str anonymous_id)
{
    return arena_printf(plan->arena, "traits:%.*s", STR_FORMAT(anonymous_id));
}

static void put_kept_traits(struct buf *out, const TreeNode *traits, const TreeNode *old)
{
    json_object(out, "traits");
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next)
        member_raw(out, trait->key, trait->raw);
    for (const TreeNode *trait = old ? old->first : NULL; trait; trait = trait->next)
        if (!event_tree_get(traits, trait->key)) member_raw(out, trait->key, trait->raw);
    json_object_end(out);
}

/* Pairs of a group's key and id, each once. */
static void put_kept_groups(struct buf *out, const TreeNode *old, Str key, Str id)
{
    json_array(out, "groups");
    for (const TreeNode *pair = old ? old->first : NULL; pair; pair = pair->next) {
        bool is_pair = pair->kind == FIELD_ARRAY && pair->count == 2;
        if (!is_pair || (str_equal(pair->first->text, key) && str_equal(pair->first->next->text, id))) continue;
        json_raw(out, NULL, pair->raw);
    }
    if (id.len) {
        json_array(out, NULL);
        json_string(out, NULL, key);
        json_string(out, NULL, id);
        json_array_end(out);
    }
    json_array_end(out);
}

/* In simplified mode a profile of "$device:…" is forgotten when the device gets its user. So the traits and the
 * groups are kept here, the newer over the older, and written to the user when the link is made. */
static void keep(struct plan *plan, Str anonymous_id, const TreeNode *traits, Str group_key, Str group_id,
                 Millis at_ms)
{
    Str key = kept_key(plan, anonymous_id), before = plan_state(plan, key);
    const TreeNode *old = NULL, *old_groups;
    struct buf out;
    if (before.len && event_tree_read(before, plan->arena, &old, NULL)) old = NULL;
    old_groups = event_tree_find(old, "groups");
    buf_init(&out, DESTINATION_STATE_BYTES);
    json_object(&out, NULL);
    json_int(&out, "time", at_ms);
    put_kept_traits(&out, traits, event_tree_find(old, "traits"));
    if (group_id.len || old_groups) put_kept_groups(&out, old_groups, group_key, group_id);
    json_object_end(&out);
    if (buf_ok(&out)) plan_store(plan, key, buf_str(&out));
    else plan_left_out(plan, "traits and groups of the visitor %.*s are over %d bytes and were not kept",
                       STR_FORMAT(anonymous_id), DESTINATION_STATE_BYTES);
    buf_done(&out);
}

struct membership { Str key, id; };        /* of the group */

static Status plan_member(struct plan *plan, struct profile profile, struct membership group, Err *err);

static Status plan_kept_groups(struct plan *plan, struct profile profile, const TreeNode *groups, Err *err)
{
    Status s = OK;
    for (const TreeNode *pair = groups ? groups->first : NULL; !s && pair; pair = pair->next)
        if (pair->kind == FIELD_ARRAY && pair->count == 2)
            s = plan_member(plan, profile, (struct membership){ pair->first->text, pair->first->next->text }, err);
    return s;
}

Status mixpanel_plan_kept_traits(struct plan *plan, Str anonymous_id, Str user_id, Err *err)
{
    Str key = kept_key(plan, anonymous_id), kept = plan_state(plan, key);
    const TreeNode *root = NULL;
    struct profile profile = { .distinct_id = user_id };
    if (kept.len == 0 || event_tree_read(kept, plan->arena, &root, NULL)) return OK;
    (void)!str_parse_int(event_tree_text(root, "time"), 0, INT64_MAX, &profile.at_ms);
    plan_store(plan, key, (Str){ 0 });
    Status s = plan_all_operators(plan, profile, event_tree_find(root, "traits"), err);
    return s ? s : plan_kept_groups(plan, profile, event_tree_find(root, "groups"), err);
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
        if (traits && traits->count)
            keep(plan, who.device_id, traits, (Str){ 0 }, (Str){ 0 }, message->event->timestamp_ms);
        plan->skipped = "kept until the visitor has a user";
        return OK;
    }
    s = plan_all_operators(plan, profile_by(who.distinct_id, message), traits, err);
    return s ? s : plan_device_token(plan, who.distinct_id, message, err);
}

/* ---- Counts of events ---- */

static Status plan_increment_event(struct plan *plan, const Outgoing *message, Str distinct_id, Err *err)
{
    Str name = message->event->name;
    struct buf *out = begin_update(plan, profile_by(distinct_id, message), "$add");
    Status s;
    json_object(out, NULL);
    member_int(out, name, 1);
    json_object_end(out);
    s = end_update(plan, out, CALL_ONCE, err);
    if (s) return s;
    out = begin_update(plan, profile_by(distinct_id, message), "$set");
    json_object(out, NULL);
    json_name(out, arena_printf(plan->arena, "Last %.*s", STR_FORMAT(name)));
    json_instant(out, NULL, message->event->timestamp_ms);
    json_object_end(out);
    return end_update(plan, out, 0, err);
}

static Status plan_increment_properties(struct plan *plan, const Outgoing *message, Str distinct_id, Err *err)
{
    Str from = setting_text(plan->settings, MIXPANEL_INCREMENT_FROM);
    const TreeNode *properties = event_tree_find(message->json, "properties");
    const TreeNode *amounts = event_tree_get(properties, from);
    struct buf *out;
    bool any = false;
    if (!from.len) return OK;
    if (!amounts) amounts = event_tree_find(properties, arena_copy(plan->arena, from).bytes);       /* "cart.counts" */
    if (!event_tree_is_given(amounts)) return OK;
    if (!event_tree_is_kind(amounts, FIELD_OBJECT)) {
        plan_left_out(plan, "%.*s is no object of numbers: nothing was added", STR_FORMAT(str_slice(from, 0, 200)));
        return OK;
    }
    out = begin_update(plan, profile_by(distinct_id, message), "$add");
    json_object(out, NULL);
    for (const TreeNode *amount = amounts->first; amount; amount = amount->next) {
        if (amount->kind != FIELD_NUMBER) {
            plan_left_out(plan, "%.*s.%.*s is no number: not added", STR_FORMAT(str_slice(from, 0, 200)),
                          STR_FORMAT(str_slice(amount->key, 0, 200)));
            continue;
        }
        member_node(out, amount->key, amount);
        any = true;
    }
    json_object_end(out);
    return any ? end_update(plan, out, CALL_ONCE, err) : OK;
}

static Status plan_transaction(struct plan *plan, const Outgoing *message, Str distinct_id, Err *err)
{
    double revenue;
    struct buf *out;
    if (!setting_is_on(plan->settings, MIXPANEL_TRANSACTIONS)) return OK;
    if (!number_of_node(event_tree_find(message->json, "properties.revenue"), &revenue)) return OK;
    out = begin_update(plan, profile_by(distinct_id, message), "$append");
    json_object(out, NULL);
    json_object(out, "$transactions");
    json_instant(out, "$time", message->event->timestamp_ms);
    json_double(out, "$amount", revenue);
    json_object_end(out);
    json_object_end(out);
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

static Status plan_member(struct plan *plan, struct profile profile, struct membership group, Err *err)
{
    struct buf *out = begin_update(plan, profile, "$union");
    json_object(out, NULL);
    json_name(out, group.key);
    json_array(out, NULL);
    json_string(out, NULL, group.id);
    json_array_end(out);
    json_object_end(out);
    return end_update(plan, out, 0, err);
}

static bool any_group_trait(const TreeNode *traits, bool is_given)
{
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next)
        if (event_tree_is_given(trait) == is_given && !is_left_out(trait, key_of_group_trait)) return true;
    return false;
}

/* What traits say, or with "$unset" the names of those that are null. A group without any is made all the same. */
static Status plan_group_traits(struct plan *plan, const Outgoing *message, struct membership group,
                                const TreeNode *traits, bool is_given, Err *err)
{
    struct buf *out;
    bool any = any_group_trait(traits, is_given);
    if (!any && (!is_given || any_group_trait(traits, false))) return OK;
    out = plan_call(plan, LANE_GROUPS, KIND_UPDATE);
    json_object(out, NULL);
    member_text(out, STR("$group_key"), group.key);
    member_text(out, STR("$group_id"), group.id);
    json_int(out, "$time", message->event->timestamp_ms);
    if (is_given) json_object(out, "$set");
    else json_array(out, "$unset");
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next) {
        Str name = key_of_group_trait(trait->key);
        if (event_tree_is_given(trait) != is_given || is_left_out(trait, key_of_group_trait)) continue;
        if (is_given) {
            put_trait(out, name, trait, SET);
        } else {
            json_string(out, NULL, name);
        }
    }
    if (is_given) json_object_end(out);
    else json_array_end(out);
    return end_update(plan, out, 0, err);
}

/* Writes whose group it is to the profile; for a visitor without a profile it is kept until the user is known. */
static Status plan_membership(struct plan *plan, const Outgoing *message, struct membership group, Err *err)
{
    MixpanelWho who = profile_of(plan, message);
    if (!setting_is_on(plan->settings, MIXPANEL_GROUP_PROFILES)) return OK;
    if (has_profile(plan, &who)) return plan_member(plan, profile_by(who.distinct_id, message), group, err);
    if (who.device_id.len) keep(plan, who.device_id, NULL, group.key, group.id, message->event->timestamp_ms);
    return OK;
}

Status mixpanel_plan_group(struct plan *plan, const Outgoing *message, Err *err)
{
    const TreeNode *traits = event_tree_find(message->json, "traits");
    Str key = setting_text(plan->settings, MIXPANEL_GROUP_KEY), id = { 0 };
    const TreeNode *own = event_tree_get(traits, key);
    Status s;
    if (own) id = own->text;
    if (!id.len) id = message->group_id;
    if (!setting_is_on(plan->settings, MIXPANEL_PEOPLE)) {
        plan->skipped = "no group";
        return OK;
    }
    if (!id.len) return err_set(err, ERR_INPUT, "the group has no groupId");
    report_left_out(plan, traits, key_of_group_trait);
    struct membership group = { key, id };
    s = plan_group_traits(plan, message, group, traits, true, err);
    if (!s) s = plan_group_traits(plan, message, group, traits, false, err);
    return s ? s : plan_membership(plan, message, group, err);
}
