/* destination_mixpanel_link: tells Mixpanel who is who, in the words of the project's mode.
 *
 * simplified  An event that carries both $device_id and $user_id joins them, once and for all time, back and
 *             forward. $identify, $create_alias and $merge do nothing there, and a plain identify carries no
 *             event at all: so the linking event is sent for itself. Users cannot be merged: each merge is reported.
 * original    $identify joins an anonymous id that is a UUID v4 (Mixpanel's rule) to a user; other ids are
 *             joined by $merge. Neither can be undone, so an id goes to its first user only: the framework
 *             hands over no other link. Users are merged by $merge.
 * legacy      $create_alias makes the user id another name of the anonymous one: once per user, and only
 *             what comes after it. It must be in before anything is sent under the user, and Mixpanel takes
 *             a moment to know it: the person rests for that long. A user's later devices cannot be joined, nor
 *             two users, unless nothing came under the second one yet (an id that was changed).
 */
#include "destination_mixpanel.h"

enum { LEGACY_REST_MS = 1500 };             /* Segment's advice: more than a second */

/* The same pair makes the same key, whichever message names it. */
static Str link_key(struct plan *plan, const char *what, Str a, Str b)
{
    Str parts[3] = { str_from(what), a, b };
    return key_of_parts(plan->arena, parts, 3);
}

static struct buf *begin_link(struct plan *plan, const char *event, Millis at_ms, Str distinct_id)
{
    struct buf *out = plan_call(plan, LANE_IMPORT, KIND_LINK);
    json_object(out, NULL);
    member_text(out, STR("event"), str_from(event));
    json_object(out, "properties");
    json_int(out, "time", at_ms);
    member_text(out, STR("distinct_id"), distinct_id);
    json_int(out, "ip", 0);
    return out;
}

static Status end_link(struct plan *plan, struct buf *out, Str insert_id, uint32_t rest_ms, Err *err)
{
    member_text(out, STR("$insert_id"), insert_id);
    json_object_end(out);
    json_object_end(out);
    return plan_end_call(plan, CALL_LINK, rest_ms, err);
}

static Status link_simplified(struct plan *plan, Str device_id, Str user_id, Millis at_ms, Err *err)
{
    struct buf *out = begin_link(plan, "$identify", at_ms, user_id);
    member_text(out, STR("$device_id"), device_id);
    member_text(out, STR("$user_id"), user_id);
    return end_link(plan, out, link_key(plan, "link", device_id, user_id), 0, err);
}

static Status link_by_merge(struct plan *plan, Str a, Str b, Millis at_ms, Err *err)
{
    struct buf *out = begin_link(plan, "$merge", at_ms, a);
    json_array(out, "$distinct_ids");
    json_string(out, NULL, a);
    json_string(out, NULL, b);
    json_array_end(out);
    return end_link(plan, out, link_key(plan, "merge", a, b), 0, err);
}

static Status link_original(struct plan *plan, Str anonymous_id, Str user_id, Millis at_ms, Err *err)
{
    struct buf *out;
    if (!is_uuid(anonymous_id, 4)) return link_by_merge(plan, user_id, anonymous_id, at_ms, err);
    out = begin_link(plan, "$identify", at_ms, user_id);
    member_text(out, STR("$identified_id"), user_id);
    member_text(out, STR("$anon_id"), anonymous_id);
    return end_link(plan, out, link_key(plan, "identify", anonymous_id, user_id), 0, err);
}

static Status link_by_alias(struct plan *plan, Str known_id, Str alias, Millis at_ms, uint32_t rest_ms, Err *err)
{
    struct buf *out = begin_link(plan, "$create_alias", at_ms, known_id);
    member_text(out, STR("alias"), alias);
    return end_link(plan, out, link_key(plan, "alias", known_id, alias), rest_ms, err);
}

/* Sent once for each alias: Mixpanel refuses a second $create_alias for it without saying so. */
static Status link_legacy(struct plan *plan, Str anonymous_id, Str user_id, Millis at_ms, Err *err)
{
    Str key = arena_printf(plan->arena, "alias:%.*s", STR_FORMAT(user_id));
    Str taken = plan_state(plan, key);
    if (str_equal(taken, anonymous_id)) return OK;
    if (taken.len) {
        plan_report(plan, "%.*s cannot be joined to user %.*s: in legacy mode a user has one alias, and it is %.*s",
                    STR_FORMAT(anonymous_id), STR_FORMAT(user_id), STR_FORMAT(taken));
        return OK;
    }
    plan_store(plan, key, anonymous_id);
    return link_by_alias(plan, anonymous_id, user_id, at_ms, LEGACY_REST_MS, err);
}

static Status link_pair(struct plan *plan, Str anonymous_id, Str user_id, Millis at_ms, Err *err)
{
    if (mixpanel_is_banned(anonymous_id) || mixpanel_is_banned(user_id) || str_equal(anonymous_id, user_id)) return OK;
    switch (mixpanel_mode(plan)) {
    case MIXPANEL_SIMPLIFIED: return link_simplified(plan, anonymous_id, user_id, at_ms, err);
    case MIXPANEL_ORIGINAL: return link_original(plan, anonymous_id, user_id, at_ms, err);
    case MIXPANEL_LEGACY: return link_legacy(plan, anonymous_id, user_id, at_ms, err);
    }
    return OK;
}

/* Two users are one. In legacy mode a user can become another name of the first one's name, while nothing was sent
 * under it. */
static Status link_users(struct plan *plan, Str previous, Str user_id, Millis at_ms, Err *err)
{
    Str alias_key = arena_printf(plan->arena, "alias:%.*s", STR_FORMAT(user_id)), root;
    if (mixpanel_is_banned(previous) || mixpanel_is_banned(user_id)) return OK;
    switch (mixpanel_mode(plan)) {
    case MIXPANEL_SIMPLIFIED:
        plan_report(plan, "users %.*s and %.*s cannot be merged: Mixpanel's simplified identity has no merge of two "
                    "users", STR_FORMAT(previous), STR_FORMAT(user_id));
        return OK;
    case MIXPANEL_ORIGINAL: return link_by_merge(plan, user_id, previous, at_ms, err);
    case MIXPANEL_LEGACY: break;
    }
    root = plan_state(plan, arena_printf(plan->arena, "alias:%.*s", STR_FORMAT(previous)));
    if (!root.len || str_equal(root, STR(DESTINATION_ERASED))) root = previous;
    if (str_equal(plan_state(plan, alias_key), root)) return OK;
    if (!plan_knows_user(plan, user_id) && !plan_state(plan, alias_key).len)
        return link_legacy(plan, root, user_id, at_ms, err);
    plan_report(plan, "users %.*s and %.*s cannot be merged: in legacy mode an id becomes another's name only before "
                "anything was sent under it", STR_FORMAT(previous), STR_FORMAT(user_id));
    return OK;
}

Status mixpanel_plan_links(struct plan *plan, const Outgoing *message, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < message->link_count; at++) {
        const LinkFact *link = &message->links[at];
        s = link->is_merge ? link_users(plan, link->anonymous_id, link->user_id, link->at_ms, err)
                           : link_pair(plan, link->anonymous_id, link->user_id, link->at_ms, err);
    }
    for (size_t at = 0; !s && at < message->link_count; at++)
        if (!message->links[at].is_merge)
            s = mixpanel_plan_kept_traits(plan, message->links[at].anonymous_id, message->links[at].user_id, err);
    return s;
}

/* Only the alias says it, if nobody lists links. */
static Status plan_user_merge(struct plan *plan, const Outgoing *message, Err *err)
{
    Str previous = message->previous_id, user_id = message->user_id;
    Millis at_ms = message->event->timestamp_ms;
    switch (mixpanel_mode(plan)) {
    case MIXPANEL_SIMPLIFIED:
        return err_set(err, ERR_INPUT, "users %.*s and %.*s cannot be merged: Mixpanel's simplified identity has no "
                       "merge of two users", STR_FORMAT(previous), STR_FORMAT(user_id));
    case MIXPANEL_ORIGINAL: return link_by_merge(plan, user_id, previous, at_ms, err);
    case MIXPANEL_LEGACY: return link_legacy(plan, previous, user_id, at_ms, err);
    }
    return OK;
}

/* In original mode an id may become an alias once; an id that is one already is merged. */
static Status plan_create_alias(struct plan *plan, const Outgoing *message, Err *err)
{
    Str user_id = message->user_id, key = arena_printf(plan->arena, "alias:%.*s", STR_FORMAT(user_id));
    Str taken = plan_state(plan, key);
    Millis at_ms = message->event->timestamp_ms;
    if (str_equal(taken, message->previous_id)) return OK;
    if (taken.len) return link_by_merge(plan, user_id, message->previous_id, at_ms, err);
    plan_store(plan, key, message->previous_id);
    return link_by_alias(plan, message->previous_id, user_id, at_ms, 0, err);
}

/* The link of an alias whose previous id is anonymous comes with the message's links where identity knows it;
 * then nothing is left to say. */
static bool is_said(const Outgoing *message)
{
    for (size_t at = 0; at < message->link_count; at++)
        if (str_equal(message->links[at].anonymous_id, message->previous_id)) return true;
    return false;
}

Status mixpanel_plan_alias(struct plan *plan, const Outgoing *message, Err *err)
{
    if (mixpanel_is_banned(message->previous_id) || mixpanel_is_banned(message->user_id)
        || str_equal(message->previous_id, message->user_id)) {
        plan->skipped = "alias of nobody";
        return OK;
    }
    if (message->is_merge_told) {
        plan->skipped = "a merge that was told";
        return OK;
    }
    if (message->previous_is_user) return plan_user_merge(plan, message, err);
    if (is_said(message)) return OK;
    if (mixpanel_mode(plan) == MIXPANEL_ORIGINAL) return plan_create_alias(plan, message, err);
    return link_pair(plan, message->previous_id, message->user_id, message->event->timestamp_ms, err);
}
