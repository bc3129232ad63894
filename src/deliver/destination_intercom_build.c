/* destination_intercom_build: what a message says to Intercom.
 *
 *   identify   the contact, its companies
 *   track      the event; before it, once a session, the contact
 *   group      the company, and the contact's place in it
 *   page, screen, alias   nothing, but that the user is here (once a session)
 *
 * Order per user is the framework's: an event never overtakes the identify that makes its contact.
 * Instants are seconds, and an attribute that holds one ends in _at. Names may hold neither "." nor "$".
 */
#include "destination_intercom.h"

enum { FLATTEN_DEPTH = 6, TEXT_BYTES = 255, COMPANIES = 20 };
typedef enum Nested { NESTED_FLATTEN, NESTED_STRINGIFY, NESTED_DROP } Nested;

/* ---- Values ---- */

static bool is_one_of(Str key, const char *const *keys)
{
    for (; *keys; keys++)
        if (str_equal(key, str_from(*keys))) return true;
    return false;
}

/* "." and "$" become "_"; a name that held either stays readable. */
static Str clean_name(struct plan *plan, Str name)
{
    Str copy = arena_copy(plan->arena, name);
    char *at = (char *)copy.bytes;
    for (size_t left = copy.len; left > 0; left--, at++)
        if (*at == '.' || *at == '$') *at = '_';
    return copy;
}

static Nested nested_of(struct plan *plan, Str name)
{
    Str own = setting_in_map(plan->settings, INTERCOM_NESTED_OF, name);
    if (str_equal(own, STR("flatten"))) return NESTED_FLATTEN;
    if (str_equal(own, STR("stringify"))) return NESTED_STRINGIFY;
    if (str_equal(own, STR("drop"))) return NESTED_DROP;
    return (Nested)setting_number(plan->settings, INTERCOM_NESTED);
}

/* A text cut to Intercom's length, never within a character. */
static Str cut_text(Str text)
{
    size_t len = TEXT_BYTES;
    if (text.len <= TEXT_BYTES) return text;
    while (len > 0 && ((unsigned char)text.bytes[len] & 0xc0) == 0x80) len--;
    return str_of(text.bytes, len);
}

static void put_value(struct plan *plan, struct buf *out, Str name, const TreeNode *value, int depth);

static void put_nested(struct plan *plan, struct buf *out, Str name, const TreeNode *value, int depth)
{
    Nested how = depth ? NESTED_FLATTEN : nested_of(plan, name);
    unsigned index = 0;
    if (how == NESTED_DROP || depth > FLATTEN_DEPTH) return;
    if (how == NESTED_STRINGIFY) {
        json_text(out, clean_name(plan, name), cut_text(value->raw));
        return;
    }
    for (const TreeNode *child = value->first; child; child = child->next, index++) {
        Str part = value->kind == FIELD_ARRAY ? arena_printf(plan->arena, "%u", index) : child->key;
        part = arena_printf(plan->arena, "%.*s_%.*s", STR_FORMAT(name), STR_FORMAT(part));
        put_value(plan, out, part, child, depth + 1);
    }
}

static void put_value(struct plan *plan, struct buf *out, Str name, const TreeNode *value, int depth)
{
    Millis at_ms;
    switch ((FieldKind)value->kind) {
    case FIELD_STRING:
        if (!is_date_text(value->text, &at_ms)) {
            json_key(out, clean_name(plan, name));
            buf_json_string(out, cut_text(value->text));
        } else {
            bool is_marked = str_ends(name, STR("_at")) || str_ends(name, STR("_date"));
            name = arena_printf(plan->arena, "%.*s%s", STR_FORMAT(name), is_marked ? "" : "_at");
            json_int(out, clean_name(plan, name), at_ms / 1000);
        }
        break;
    case FIELD_NUMBER:
    case FIELD_BOOL: json_raw(out, clean_name(plan, name), value->raw); break;
    case FIELD_ARRAY:
    case FIELD_OBJECT: put_nested(plan, out, name, value, depth); break;
    case FIELD_ABSENT:
    case FIELD_NULL: break;
    }
}

static void put_seconds(struct buf *out, const char *key, const TreeNode *object, const char *const *names)
{
    Millis at_ms;
    for (; *names; names++) {
        if (!instant_of_node(event_tree_get(object, str_from(*names)), &at_ms)) continue;
        json_int(out, str_from(key), at_ms / 1000);
        return;
    }
}

/* Intercom takes whole numbers only. */
static void put_whole(struct buf *out, const char *key, const TreeNode *value)
{
    double number;
    if (number_of_node(value, &number) && number >= -2147483648.0 && number < 2147483648.0)
        json_int(out, str_from(key), (int64_t)number);
}

/* ---- Contacts ---- */

static const char *const contact_fields[] = {
    "id", "email", "phone", "name", "firstName", "first_name", "lastName", "last_name", "avatar", "role",
    "createdAt", "created_at", "created", "signed_up_at", "lastRequestAt", "last_request_at", "lastSeenAt",
    "last_seen_at", "owner_id", "ownerId", "unsubscribedFromEmails", "unsubscribed_from_emails",
    "company", "companies", "remoteCreatedAt", "remote_created_at", NULL
};
static const char *const created_names[] = {
    "createdAt", "created_at", "created", "remoteCreatedAt", "remote_created_at", "signed_up_at", NULL
};
static const char *const seen_names[] = { "lastSeenAt", "last_seen_at", "lastRequestAt", "last_request_at", NULL };

static void put_name(struct plan *plan, struct buf *out, const TreeNode *traits)
{
    Str name = event_tree_text(traits, "name"), first = event_tree_text(traits, "firstName");
    Str last = event_tree_text(traits, "lastName");
    if (!first.len) first = event_tree_text(traits, "first_name");
    if (!last.len) last = event_tree_text(traits, "last_name");
    if (!name.len && (first.len || last.len))
        name = arena_printf(plan->arena, "%.*s%s%.*s", STR_FORMAT(first), first.len && last.len ? " " : "",
                            STR_FORMAT(last));
    json_text(out, STR("name"), name);
}

static void put_unsubscribed(struct buf *out, const Outgoing *message, const TreeNode *traits)
{
    static const char *const paths[] = { "unsubscribedFromEmails", "unsubscribed_from_emails" };
    const TreeNode *given = event_tree_find(message->json, "integrations.Intercom.unsubscribedFromEmails");
    for (size_t at = 0; !given && at < countof(paths); at++) given = event_tree_get(traits, str_from(paths[at]));
    if (event_tree_is_kind(given, FIELD_BOOL)) json_raw(out, STR("unsubscribed_from_emails"), given->raw);
}

static void put_device(struct plan *plan, struct buf *out, const Outgoing *message)
{
    static const char *const rows[][2] = {
        { "device.type", "device_type" }, { "device.manufacturer", "device_manufacturer" },
        { "device.model", "device_model" }, { "os.name", "os_name" }, { "os.version", "os_version" },
        { "app.name", "app_name" }, { "app.version", "app_version" },
    };
    const TreeNode *context = event_tree_find(message->json, "context");
    if (!setting_is_on(plan->settings, INTERCOM_CONTEXT)) return;
    for (size_t at = 0; at < countof(rows); at++)
        json_text(out, str_from(rows[at][1]), event_tree_text(context, rows[at][0]));
}

static void put_attributes(struct plan *plan, struct buf *out, const Outgoing *message, const TreeNode *traits)
{
    size_t start = out->len, empty;
    json_key(out, STR("custom_attributes"));
    buf_char(out, '{');
    empty = out->len;
    if (setting_number(plan->settings, INTERCOM_ATTRIBUTES) == 0)
        for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next)
            if (!is_one_of(trait->key, contact_fields)) put_value(plan, out, trait->key, trait, 0);
    put_device(plan, out, message);
    if (out->len == empty) out->len = start;        /* none: leave the member out */
    else buf_char(out, '}');
}

static bool is_active(const Outgoing *message)
{
    const TreeNode *active = event_tree_find(message->json, "context.active");
    return !event_tree_is_kind(active, FIELD_BOOL) || active->truth;
}

/* The contact of a message: everything for an identify, who and when for the others. */
static void put_contact(struct plan *plan, struct buf *out, const Outgoing *message, const TreeNode *traits,
                        Str user_id, const char *role)
{
    size_t before;
    buf_char(out, '{');
    json_text(out, STR("role"), str_from(role));
    json_text(out, STR("external_id"), user_id);
    json_text(out, STR("email"), event_tree_text(traits, "email"));
    json_text(out, STR("phone"), event_tree_text(traits, "phone"));
    put_name(plan, out, traits);
    json_text(out, STR("avatar"), event_tree_text(traits, "avatar"));
    put_seconds(out, "signed_up_at", traits, created_names);
    before = out->len;
    put_seconds(out, "last_seen_at", traits, seen_names);
    if (out->len == before && is_active(message))
        json_int(out, STR("last_seen_at"), message->event->timestamp_ms / 1000);
    put_whole(out, "owner_id", event_tree_get(traits, STR("owner_id")));
    put_unsubscribed(out, message, traits);
    put_attributes(plan, out, message, traits);
    buf_char(out, '}');
}

static Str contact_key(struct plan *plan, Str user_id)
{
    return arena_printf(plan->arena, "contact:%.*s", STR_FORMAT(user_id));
}

/* What is known of the contact from earlier spares the look-up. */
static void recall_contact(struct plan *plan, Str user_id)
{
    Str known = user_id.len ? plan_recall(plan, contact_key(plan, user_id)) : (Str){ 0 };
    if (known.len) (void)fact_put(plan->facts, "contact", known);
    if (user_id.len) (void)fact_put(plan->facts, "user", user_id);
}

static Str seen_key(struct plan *plan, Str user_id)
{
    return arena_printf(plan->arena, "seen:%.*s", STR_FORMAT(user_id));
}

static void remember_seen(struct plan *plan, const Outgoing *message, Str user_id)
{
    plan_remember(plan, seen_key(plan, user_id),
                  arena_printf(plan->arena, "%" PRId64, message->event->timestamp_ms));
}

/* Once a session: the user is here, before whatever they do. */
static Status plan_session(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    int64_t minutes = setting_number(plan->settings, INTERCOM_SESSION), seen_ms = INT64_MIN / 2;
    if (minutes == 0 || !is_active(message)) return OK;
    (void)!str_parse_int(plan_recall(plan, seen_key(plan, user_id)), 0, INT64_MAX, &seen_ms);
    if (message->event->timestamp_ms < seen_ms + minutes * 60000) return OK;
    remember_seen(plan, message, user_id);
    put_contact(plan, plan_call(plan, 0, KIND_CONTACT), message, NULL, user_id, "user");
    return plan_end_call(plan, 0, 0, err);
}

/* ---- Leads ---- */

static Str lead_key(struct plan *plan, Str anonymous_id)
{
    return arena_printf(plan->arena, "lead:%.*s", STR_FORMAT(anonymous_id));
}

/* The lead that becomes part of the user's contact; empty: none. Only a message that names the anonymous id
 * itself may do that: it stands behind all that went to the lead, which is gone afterwards. */
static Str find_lead(struct plan *plan, const Outgoing *message, Str user_id)
{
    Str own = message->event->type == EVENT_ALIAS ? message->previous_id : message->anonymous_id;
    if (!own.len || !str_equal(plan_recall_owner(plan, own), user_id)) return (Str){ 0 };
    return plan_recall(plan, lead_key(plan, own));
}

/* The contact is there by now. */
static Status plan_merge(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    Str own = message->event->type == EVENT_ALIAS ? message->previous_id : message->anonymous_id;
    Str lead = find_lead(plan, message, user_id);
    if (!lead.len) return OK;
    buf_str_put(plan_call(plan, 0, KIND_MERGE), lead);
    plan_remember(plan, lead_key(plan, own), (Str){ 0 });
    return plan_end_call(plan, CALL_LINK, 0, err);
}

/* ---- Companies ---- */

static const char *const company_fields[] = {
    "id", "name", "plan", "size", "employees", "website", "industry", "monthlySpend", "monthly_spend", "createdAt",
    "created_at", "created", "remove", "remote_created_at", NULL
};

static Status plan_company(struct plan *plan, const TreeNode *traits, Str id, Err *err)
{
    struct buf *out = plan_call(plan, 0, KIND_COMPANY);
    const TreeNode *spend = event_tree_get(traits, STR("monthly_spend")), *size = event_tree_get(traits, STR("size"));
    size_t start, empty;
    buf_char(out, '{');
    json_text(out, STR("company_id"), id);
    json_text(out, STR("name"), event_tree_text(traits, "name"));
    put_seconds(out, "remote_created_at", traits, created_names);
    put_whole(out, "monthly_spend", spend ? spend : event_tree_get(traits, STR("monthlySpend")));
    json_text(out, STR("plan"), event_tree_text(traits, "plan"));
    put_whole(out, "size", size ? size : event_tree_get(traits, STR("employees")));
    json_text(out, STR("website"), event_tree_text(traits, "website"));
    json_text(out, STR("industry"), event_tree_text(traits, "industry"));
    start = out->len;
    json_key(out, STR("custom_attributes"));
    buf_char(out, '{');
    empty = out->len;
    if (setting_number(plan->settings, INTERCOM_ATTRIBUTES) == 0)
        for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next)
            if (!is_one_of(trait->key, company_fields)) put_value(plan, out, trait->key, trait, 0);
    if (out->len == empty) out->len = start;
    else buf_char(out, '}');
    buf_char(out, '}');
    return plan_end_call(plan, 0, 0, err);
}

static Status plan_plain(struct plan *plan, uint8_t kind, Str body, Err *err)
{
    buf_str_put(plan_call(plan, 0, kind), body);
    return plan_end_call(plan, 0, 0, err);
}

static Status plan_named_company(struct plan *plan, Str name, Err *err)
{
    struct buf *out = plan_call(plan, 0, KIND_COMPANY);
    Status s;
    buf_char(out, '{');
    json_text(out, STR("company_id"), name);
    json_text(out, STR("name"), name);
    buf_char(out, '}');
    s = plan_end_call(plan, 0, 0, err);
    return s ? s : plan_plain(plan, KIND_ATTACH, (Str){ 0 }, err);
}

/* traits.company and traits.companies: a name, or {id, name, …} with "remove": true to leave it. */
static Status plan_membership(struct plan *plan, const TreeNode *company, Err *err)
{
    const TreeNode *remove = event_tree_get(company, STR("remove"));
    Str id = event_tree_text(company, "id");
    Status s;
    if (event_tree_is_kind(company, FIELD_STRING) && company->text.len)
        return plan_named_company(plan, company->text, err);
    if (!id.len) id = event_tree_text(company, "name");
    if (!event_tree_is_kind(company, FIELD_OBJECT) || !id.len) return OK;
    if (event_tree_is_kind(remove, FIELD_BOOL) && remove->truth) return plan_plain(plan, KIND_DETACH, id, err);
    s = plan_company(plan, company, id, err);
    return s ? s : plan_plain(plan, KIND_ATTACH, (Str){ 0 }, err);
}

static Status plan_memberships(struct plan *plan, const TreeNode *traits, Err *err)
{
    const TreeNode *list = event_tree_get(traits, STR("companies"));
    Status s = plan_membership(plan, event_tree_get(traits, STR("company")), err);
    int count = 0;
    if (!event_tree_is_kind(list, FIELD_ARRAY)) return s;
    for (const TreeNode *company = list->first; !s && company && count < COMPANIES; company = company->next, count++)
        s = plan_membership(plan, company, err);
    return s;
}

/* ---- Messages ---- */

static Status plan_identify(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    const TreeNode *traits = event_tree_find(message->json, "traits");
    Status s;
    if (!user_id.len && !event_tree_text(traits, "email").len) {
        plan->skipped = "anonymous";
        return OK;
    }
    put_contact(plan, plan_call(plan, 0, KIND_CONTACT), message, traits, user_id, "user");
    if (user_id.len) remember_seen(plan, message, user_id);
    s = plan_end_call(plan, 0, 0, err);
    if (!s && user_id.len) s = plan_merge(plan, message, user_id, err);
    return s ? s : plan_memberships(plan, traits, err);
}

static void put_price(struct plan *plan, struct buf *out, const TreeNode *properties, double revenue)
{
    Str currency = event_tree_text(properties, "currency");
    double cents = revenue * 100;
    json_raw(out, STR("price"), arena_printf(plan->arena, "{\"amount\":%.0f,\"currency\":", cents));
    buf_json_string(out, currency.len ? currency : STR("USD"));
    buf_char(out, '}');
}

static void put_metadata(struct plan *plan, struct buf *out, const TreeNode *properties)
{
    double revenue;
    bool has_revenue = number_of_node(event_tree_get(properties, STR("revenue")), &revenue);
    json_key(out, STR("metadata"));
    buf_char(out, '{');
    for (const TreeNode *child = properties ? properties->first : NULL; child; child = child->next) {
        bool is_price = str_equal(child->key, STR("price")) && has_revenue;
        if (str_equal(child->key, STR("email")) || is_price) continue;
        if (has_revenue && (str_equal(child->key, STR("revenue")) || str_equal(child->key, STR("currency")))) continue;
        if (setting_has(plan->settings, INTERCOM_RICH_LINKS, child->key) && child->kind == FIELD_OBJECT)
            json_raw(out, clean_name(plan, child->key), child->raw);
        else
            put_value(plan, out, child->key, child, 0);
    }
    if (has_revenue) put_price(plan, out, properties, revenue);
    buf_char(out, '}');
}

static Status plan_event(struct plan *plan, const Outgoing *message, Str user_id, Str email, Err *err)
{
    const TreeNode *properties = event_tree_find(message->json, "properties");
    struct buf *out = plan_call(plan, 0, KIND_EVENT);
    if (message->event->name.len == 0) return err_set(err, ERR_INPUT, "the event has no name");
    buf_char(out, '{');
    json_text(out, STR("event_name"), message->event->name);
    json_int(out, STR("created_at"), message->event->timestamp_ms / 1000);
    json_text(out, STR("user_id"), user_id);
    json_text(out, STR("email"), email);
    put_metadata(plan, out, properties);
    buf_char(out, '}');
    return plan_end_call(plan, 0, 0, err);
}

/* The lead of a visitor: made once, told by its id from then on. */
static Status plan_lead(struct plan *plan, const Outgoing *message, Err *err)
{
    const TreeNode *traits = event_tree_find(message->json, "traits");
    Str key = lead_key(plan, message->anonymous_id), lead = plan_recall(plan, key);
    struct buf *out;
    if (lead.len) {
        (void)fact_put(plan->facts, "contact", lead);
        if (message->event->type != EVENT_IDENTIFY) return OK;
        put_contact(plan, plan_call(plan, 0, KIND_CONTACT), message, traits, (Str){ 0 }, "lead");
        return plan_end_call(plan, 0, 0, err);
    }
    out = plan_call(plan, 0, KIND_LEAD);
    buf_str_put(out, key);
    buf_char(out, '\n');
    put_contact(plan, out, message, traits, (Str){ 0 }, "lead");
    return plan_end_call(plan, 0, 0, err);
}

static Status build_anonymous(struct plan *plan, const Outgoing *message, Err *err)
{
    Str email = event_tree_text(message->json, "properties.email");
    Status s;
    if (message->event->type == EVENT_IDENTIFY && event_tree_text(message->json, "traits.email").len
        && setting_number(plan->settings, INTERCOM_ANONYMOUS) == 0)
        return plan_identify(plan, message, (Str){ 0 }, err);
    if (message->event->type == EVENT_GROUP) return plan_company(plan, event_tree_find(message->json, "traits"),
                                                                 message->group_id, err);
    if (setting_number(plan->settings, INTERCOM_ANONYMOUS) == 1 && message->anonymous_id.len) {
        s = plan_lead(plan, message, err);
        return s || message->event->type != EVENT_TRACK ? s : plan_event(plan, message, (Str){ 0 }, (Str){ 0 }, err);
    }
    if (message->event->type == EVENT_TRACK && email.len) return plan_event(plan, message, (Str){ 0 }, email, err);
    plan->skipped = "anonymous";
    return OK;
}

static Status plan_group(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    struct buf *out;
    Status s;
    if (!message->group_id.len) return err_set(err, ERR_INPUT, "the group has no groupId");
    out = plan_call(plan, 0, KIND_LOOK);
    buf_char(out, '{');
    json_text(out, STR("external_id"), user_id);
    buf_char(out, '}');
    s = plan_end_call(plan, 0, 0, err);
    if (!s) s = plan_company(plan, event_tree_find(message->json, "traits"), message->group_id, err);
    return s ? s : plan_plain(plan, KIND_ATTACH, (Str){ 0 }, err);
}

/* A lead becomes part of a contact, so the contact has to be there first. */
static Status plan_links(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    if (message->event->type == EVENT_IDENTIFY || !find_lead(plan, message, user_id).len) return OK;
    if (plan->call_count == 0) {
        Status s;
        put_contact(plan, plan_call(plan, 0, KIND_CONTACT), message, NULL, user_id, "user");
        s = plan_end_call(plan, 0, 0, err);
        if (s) return s;
    }
    return plan_merge(plan, message, user_id, err);
}

/* Each user is a contact of its own there. */
static void report_merges(struct plan *plan, const Outgoing *message)
{
    for (size_t at = 0; at < message->link_count; at++)
        if (message->links[at].is_merge)
            plan_report(plan, "users %.*s and %.*s cannot be merged: Intercom merges a lead into a user, never two "
                        "users", STR_FORMAT(message->links[at].anonymous_id), STR_FORMAT(message->links[at].user_id));
}

Status intercom_build(struct plan *plan, const Outgoing *message, Err *err)
{
    Str user_id = message->user_id.len ? message->user_id : message->owner_id;
    Status s = OK;
    report_merges(plan, message);
    if (!user_id.len) user_id = plan_recall_owner(plan, message->anonymous_id);     /* no lead any more */
    recall_contact(plan, user_id);
    if (user_id.len == 0) return build_anonymous(plan, message, err);
    if (message->event->type != EVENT_IDENTIFY) s = plan_session(plan, message, user_id, err);
    if (!s) s = plan_links(plan, message, user_id, err);
    if (s) return s;
    switch (message->event->type) {
    case EVENT_IDENTIFY: return plan_identify(plan, message, user_id, err);
    case EVENT_TRACK:
        return plan_event(plan, message, user_id, event_tree_text(message->json, "properties.email"), err);
    case EVENT_GROUP: return plan_group(plan, message, user_id, err);
    case EVENT_PAGE:
    case EVENT_SCREEN:
    case EVENT_ALIAS:
    case EVENT_NONE:
    case EVENT_TYPE_COUNT: break;
    }
    plan->skipped = "Intercom takes no such calls";
    return OK;
}
