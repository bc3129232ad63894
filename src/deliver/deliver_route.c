/* deliver_route: is a message for this destination?
 *
 * These decide, in this order: the destination's sources, its types and events, the message's own integrations
 * object, the consent that the visitor gave.
 */
#include "deliver_runner.h"

/* "Order *" matches every name that begins with "Order "; a text without "*" matches itself only. */
static bool matches(Str pattern, Str text)
{
    if (str_ends(pattern, STR("*"))) return str_starts(text, str_slice(pattern, 0, pattern.len - 1));
    return str_equal(pattern, text);
}

static bool any_matches(const Str *patterns, size_t count, Str text)
{
    for (size_t at = 0; at < count; at++)
        if (matches(patterns[at], text)) return true;
    return false;
}

/* integrations: {"All": false, "Mixpanel": true}. Other keys are labels or names of types, or names of
 * destinations. */
static bool integrations_let(const struct runner *runner, const TreeNode *json)
{
    const TreeNode *integrations = event_tree_find(json, "integrations"), *all;
    Str names[] = { str_from(runner->destination->label), str_from(runner->destination->name), str_from(runner->name) };
    if (!event_tree_is_kind(integrations, FIELD_OBJECT)) return true;
    all = event_tree_get(integrations, STR("All"));
    for (const TreeNode *child = integrations->first; child; child = child->next)
        for (size_t at = 0; at < countof(names); at++)
            if (str_equal_no_case(child->key, names[at])) return child->kind != FIELD_BOOL || child->truth;
    if (!all) all = event_tree_get(integrations, STR("all"));
    return !event_tree_is_kind(all, FIELD_BOOL) || all->truth;
}

/* The visitor must have agreed to every category that this destination belongs to. A message that says nothing about
 * consent is let through, as the tracking API defines it. */
static bool consent_lets(const struct runner *runner, const TreeNode *json)
{
    const TreeNode *given = event_tree_find(json, "context.consent.categoryPreferences");
    if (!event_tree_is_kind(given, FIELD_OBJECT)) return true;
    for (size_t at = 0; at < runner->rules.consent_count; at++) {
        const TreeNode *category = event_tree_get(given, runner->rules.consent[at]);
        if (!event_tree_is_kind(category, FIELD_BOOL) || !category->truth) return false;
    }
    return true;
}

static bool is_from_its_sources(const struct runner *runner, Str source)
{
    for (size_t at = 0; at < runner->source_count; at++)
        if (str_equal(runner->sources[at], source)) return true;
    return runner->source_count == 0;
}

bool route_wants(const struct runner *runner, const Event *event, const TreeNode *json)
{
    const Rules *rules = &runner->rules;
    if (!is_from_its_sources(runner, event->source)) return false;
    if (rules->types && !(rules->types & 1u << event->type)) return false;
    if (event->type == EVENT_TRACK || event->type == EVENT_PAGE || event->type == EVENT_SCREEN) {
        if (any_matches(rules->events_deny, rules->events_deny_count, event->name)) return false;
        if (rules->events_allow_count && event->type == EVENT_TRACK
            && !any_matches(rules->events_allow, rules->events_allow_count, event->name)) return false;
    }
    return integrations_let(runner, json) && consent_lets(runner, json);
}
