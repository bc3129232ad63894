/* destination_intercom_build: what a message says to Intercom.
 *
 *   identify   the contact, its companies
 *   track      the event; before it, once a session, the contact
 *   group      the company, and the contact's place in it
 *   page, screen, alias   nothing, except that the user is here (once in each session)
 *
 * The framework keeps each user's order: an event never overtakes the identify that makes its contact. _field has how
 * fields and attributes are written.
 */
#include "destination_intercom.h"
#include "identity/identity.h"

enum { COMPANIES = 20 };

/* ---- Contacts ---- */

static Str contact_key(struct plan *plan, Str user_id)
{
    return arena_printf(plan->arena, "contact:%.*s", STR_FORMAT(user_id));
}

/* If the contact is known from earlier, no look-up is needed. */
static void read_contact(struct plan *plan, Str user_id)
{
    Str known = user_id.len ? plan_state(plan, contact_key(plan, user_id)) : (Str){ 0 };
    if (known.len) (void)fact_put(plan->facts, "contact", known);
}

static Str seen_key(struct plan *plan, Str user_id)
{
    return arena_printf(plan->arena, "seen:%.*s", STR_FORMAT(user_id));
}

static void store_seen(struct plan *plan, const Outgoing *message, Str user_id)
{
    plan_store(plan, seen_key(plan, user_id),
               arena_printf(plan->arena, "%" PRId64, message->event->timestamp_ms));
}

/* Says once in each session that the user is here, before anything that the user does. */
static Status plan_session(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    int64_t minutes = setting_number(plan->settings, INTERCOM_SESSION), seen_ms = INT64_MIN / 2;
    if (minutes == 0 || !intercom_is_active(message)) return OK;
    (void)!str_parse_int(plan_state(plan, seen_key(plan, user_id)), 0, INT64_MAX, &seen_ms);
    if (message->event->timestamp_ms < seen_ms + minutes * 60000) return OK;
    store_seen(plan, message, user_id);
    intercom_put_contact(plan, plan_call(plan, 0, KIND_CONTACT), message, NULL, user_id, "user");
    return plan_end_call(plan, 0, 0, err);
}

/* ---- Leads ---- */

static Str lead_key(struct plan *plan, Str anonymous_id)
{
    return arena_printf(plan->arena, "lead:%.*s", STR_FORMAT(anonymous_id));
}

/* The lead that becomes part of the user's contact; empty: none. Only a message that names the anonymous id
 * itself may do that: it comes after everything that went to the lead, which is gone afterwards. */
static Str find_lead(struct plan *plan, const Outgoing *message, Str user_id)
{
    Str own = message->event->type == EVENT_ALIAS ? message->previous_id : message->anonymous_id;
    if (!own.len || !str_equal(plan_linked_user(plan, own), user_id)) return (Str){ 0 };
    return plan_state(plan, lead_key(plan, own));
}

/* At this point the contact exists. */
static Status plan_merge(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    Str own = message->event->type == EVENT_ALIAS ? message->previous_id : message->anonymous_id;
    Str lead = find_lead(plan, message, user_id);
    if (!lead.len) return OK;
    buf_str_put(plan_call(plan, 0, KIND_MERGE), lead);
    plan_store(plan, lead_key(plan, own), (Str){ 0 });
    return plan_end_call(plan, CALL_LINK, 0, err);
}

/* ---- Companies ---- */

/* A company's own id is part of a path and of every call about it. */
static bool is_company_id(struct plan *plan, Str id)
{
    if (id.len > 0 && id.len <= LIMIT_ID_BYTES) return true;
    plan_left_out(plan, "a company was left out: its id is %s", id.len ? "too long" : "missing, and so is its name");
    return false;
}

static Status plan_company(struct plan *plan, const TreeNode *traits, Str id, Err *err)
{
    intercom_put_company(plan, plan_call(plan, 0, KIND_COMPANY), traits, id);
    return plan_end_call(plan, 0, 0, err);
}

static Status plan_plain(struct plan *plan, uint8_t kind, Str body, Err *err)
{
    buf_str_put(plan_call(plan, 0, kind), body);
    return plan_end_call(plan, 0, 0, err);
}

static Status plan_named_company(struct plan *plan, Str name, Err *err)
{
    struct buf *out;
    Status s;
    if (!is_company_id(plan, name)) return OK;
    out = plan_call(plan, 0, KIND_COMPANY);
    json_object(out, NULL);
    member_text(out, STR("company_id"), name);
    member_text(out, STR("name"), name);
    json_object_end(out);
    s = plan_end_call(plan, 0, 0, err);
    return s ? s : plan_plain(plan, KIND_ATTACH, name, err);
}

/* traits.company and traits.companies: a name, or {id, name, …} with "remove": true to leave it. */
static Status plan_membership(struct plan *plan, const TreeNode *company, Err *err)
{
    const TreeNode *remove = event_tree_get(company, STR("remove"));
    Str id = event_tree_text(company, "id");
    Status s;
    if (!event_tree_is_given(company)) return OK;
    if (event_tree_is_kind(company, FIELD_STRING) || event_tree_is_kind(company, FIELD_NUMBER))
        return plan_named_company(plan, company->text, err);
    if (!event_tree_is_kind(company, FIELD_OBJECT)) {
        plan_left_out(plan, "a company was left out: it is neither a name nor an object");
        return OK;
    }
    if (!id.len || identity_is_placeholder(id)) id = event_tree_text(company, "name");
    if (!is_company_id(plan, id)) return OK;
    if (event_tree_is_kind(remove, FIELD_BOOL) && remove->truth) return plan_plain(plan, KIND_DETACH, id, err);
    s = plan_company(plan, company, id, err);
    return s ? s : plan_plain(plan, KIND_ATTACH, id, err);
}

static Status plan_memberships(struct plan *plan, const TreeNode *traits, Err *err)
{
    const TreeNode *list = event_tree_get(traits, STR("companies"));
    Status s = plan_membership(plan, event_tree_get(traits, STR("company")), err);
    int count = 0;
    if (!event_tree_is_given(list)) return s;
    if (!event_tree_is_kind(list, FIELD_ARRAY)) {
        plan_left_out(plan, "trait companies was left out: it is no list");
        return s;
    }
    if (list->count > COMPANIES)
        plan_left_out(plan, "of %u companies only the first %d were sent", list->count, COMPANIES);
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
    intercom_put_contact(plan, plan_call(plan, 0, KIND_CONTACT), message, traits, user_id, "user");
    if (user_id.len) store_seen(plan, message, user_id);
    s = plan_end_call(plan, 0, 0, err);
    if (!s && user_id.len) s = plan_merge(plan, message, user_id, err);
    return s ? s : plan_memberships(plan, traits, err);
}

static Status plan_event(struct plan *plan, const Outgoing *message, Str user_id, Str email, Err *err)
{
    const TreeNode *properties = event_tree_find(message->json, "properties");
    struct buf *out = plan_call(plan, 0, KIND_EVENT);
    if (message->event->name.len == 0) return err_set(err, ERR_INPUT, "the event has no name");
    json_object(out, NULL);
    member_text(out, STR("event_name"), message->event->name);
    json_int(out, "created_at", message->event->timestamp_ms / 1000);
    member_text(out, STR("user_id"), user_id);
    member_text(out, STR("email"), email);
    intercom_put_metadata(plan, out, properties, email);
    json_object_end(out);
    return plan_end_call(plan, 0, 0, err);
}

static Status plan_group_of_contact(struct plan *plan, const Outgoing *message, Err *err)
{
    Status s = plan_company(plan, event_tree_find(message->json, "traits"), message->group_id, err);
    return s ? s : plan_plain(plan, KIND_ATTACH, message->group_id, err);
}

/* The lead of a visitor: it is made once, and named by its id from then on. */
static Status plan_lead(struct plan *plan, const Outgoing *message, Err *err)
{
    const TreeNode *traits = event_tree_find(message->json, "traits");
    Str key = lead_key(plan, message->anonymous_id), lead = plan_state(plan, key);
    struct buf *out;
    if (lead.len) {
        (void)fact_put(plan->facts, "contact", lead);
        if (message->event->type != EVENT_IDENTIFY) return OK;
        intercom_put_contact(plan, plan_call(plan, 0, KIND_CONTACT), message, traits, (Str){ 0 }, "lead");
        return plan_end_call(plan, 0, 0, err);
    }
    out = plan_call(plan, 0, KIND_LEAD);
    field_put(out, key);
    intercom_put_contact(plan, out, message, traits, (Str){ 0 }, "lead");
    return plan_end_call(plan, 0, 0, err);
}

static Status build_anonymous(struct plan *plan, const Outgoing *message, Err *err)
{
    Str email = event_tree_text(message->json, "properties.email");
    Status s;
    if (message->event->type == EVENT_IDENTIFY && event_tree_text(message->json, "traits.email").len
        && setting_number(plan->settings, INTERCOM_ANONYMOUS) == 0)
        return plan_identify(plan, message, (Str){ 0 }, err);
    if (message->event->type == EVENT_GROUP && !message->group_id.len)
        return err_set(err, ERR_INPUT, "the group has no groupId");
    if (setting_number(plan->settings, INTERCOM_ANONYMOUS) == 1 && message->anonymous_id.len) {
        s = plan_lead(plan, message, err);
        if (!s && message->event->type == EVENT_GROUP) return plan_group_of_contact(plan, message, err);
        if (!s && message->event->type == EVENT_IDENTIFY)
            return plan_memberships(plan, event_tree_find(message->json, "traits"), err);
        return s || message->event->type != EVENT_TRACK ? s : plan_event(plan, message, (Str){ 0 }, (Str){ 0 }, err);
    }
    if (message->event->type == EVENT_GROUP)
        return plan_company(plan, event_tree_find(message->json, "traits"), message->group_id, err);
    if (message->event->type == EVENT_TRACK && email.len) return plan_event(plan, message, (Str){ 0 }, email, err);
    plan->skipped = "anonymous";
    return OK;
}

/* If Intercom does not know the contact, this makes it; otherwise the membership would be lost. */
static Status plan_group(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    struct buf *out;
    Status s;
    if (!message->group_id.len) return err_set(err, ERR_INPUT, "the group has no groupId");
    out = plan_call(plan, 0, KIND_LOOK);
    json_object(out, NULL);
    member_text(out, STR("external_id"), user_id);
    json_object_end(out);
    s = plan_end_call(plan, 0, 0, err);
    return s ? s : plan_group_of_contact(plan, message, err);
}

/* A lead becomes part of a contact, so the contact has to be there first. */
static Status plan_links(struct plan *plan, const Outgoing *message, Str user_id, Err *err)
{
    if (message->event->type == EVENT_IDENTIFY || !find_lead(plan, message, user_id).len) return OK;
    if (plan->call_count == 0) {
        Status s;
        intercom_put_contact(plan, plan_call(plan, 0, KIND_CONTACT), message, NULL, user_id, "user");
        s = plan_end_call(plan, 0, 0, err);
        if (s) return s;
    }
    return plan_merge(plan, message, user_id, err);
}

/* At Intercom each user is a contact of its own. */
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
    if (!user_id.len) user_id = plan_linked_user(plan, message->anonymous_id);      /* no lead any more */
    read_contact(plan, user_id);
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
