/* plan_judge: checks a message by the plan: is it planned, may it come from that source, is its name right, do its
 * properties fit; and which rung does each violation lead to. */
#include "plan_rules.h"

#include <stdlib.h>

static const struct { const char *word, *reason; } code_words[TRACKING_CODES] = {
    [TRACKING_UNPLANNED_EVENT] = { "unplanned_event", "plan_unplanned_event" },
    [TRACKING_WRONG_SOURCE] = { "wrong_source", "plan_wrong_source" },
    [TRACKING_MISSING_PROPERTY] = { "missing_property", "plan_missing_property" },
    [TRACKING_WRONG_TYPE] = { "wrong_type", "plan_wrong_type" },
    [TRACKING_UNPLANNED_PROPERTY] = { "unplanned_property", "plan_unplanned_property" },
    [TRACKING_VALUE_NOT_ALLOWED] = { "value_not_allowed", "plan_value_not_allowed" },
    [TRACKING_DEPRECATED_EVENT] = { "deprecated_event", "plan_deprecated_event" },
    [TRACKING_NAME_PATTERN] = { "name_pattern", "plan_name_pattern" },
};
static const char *const rungs[TRACKING_RUNGS] = { "allow", "report", "omit", "hold", "reject" };

const char *tracking_code_word(TrackingCode code) { return code_words[code].word; }
const char *tracking_code_reason(TrackingCode code) { return code_words[code].reason; }
const char *tracking_rung_word(TrackingRung rung) { return rungs[rung]; }

bool tracking_code_from(Str word, TrackingCode *ret)
{
    for (int code = 0; code < TRACKING_CODES; code++)
        if (str_equal(word, str_from(code_words[code].word))) return *ret = (TrackingCode)code, true;
    return false;
}

bool tracking_rung_from(Str word, TrackingRung *ret)
{
    for (int rung = 0; rung < TRACKING_RUNGS; rung++)
        if (str_equal(word, str_from(rungs[rung]))) return *ret = (TrackingRung)rung, true;
    return false;
}

/* ---- Rungs ---- */

/* To omit means to leave out a member of an object. So the path to it must end with a name inside of properties or
 * traits. */
static bool can_omit(const TrackingViolation *violation)
{
    if (violation->code == TRACKING_MISSING_PROPERTY || violation->path_count < 2) return false;
    return true;
}

static TrackingRung choose(TrackingRung asked, TrackingRung otherwise) { return asked == TRACKING_RUNGS ? otherwise
                                                                         : asked; }

static void set_rungs(const struct tracking_plan *plan, const TrackingRule *rule, Str source, TrackingVerdict *verdict)
{
    TrackingRung usual = tracking_rung_for(&plan->ladder, source, TRACKING_REPORT), rung = usual;
    TrackingRung unplanned = plan->unplanned_properties;
    if (rule) rung = tracking_rung_for(&rule->ladder, source, usual);
    if (rule && rule->unplanned != TRACKING_RUNGS) unplanned = rule->unplanned;
    for (uint32_t at = 0; at < verdict->count; at++) {
        TrackingViolation *violation = &verdict->items[at];
        violation->rung = rung;
        if (violation->code == TRACKING_UNPLANNED_PROPERTY) violation->rung = choose(unplanned, rung);
        if (violation->code == TRACKING_DEPRECATED_EVENT || violation->code == TRACKING_NAME_PATTERN)
            violation->rung = TRACKING_REPORT;
        if (violation->rung == TRACKING_OMIT && !can_omit(violation)) violation->rung = TRACKING_REPORT;
        if (violation->rung > verdict->rung) verdict->rung = violation->rung;
    }
    /* A part that is not in the stamp cannot be left out for destinations, so the message waits until somebody
     * looks. */
    if (verdict->has_more && verdict->rung == TRACKING_OMIT) verdict->rung = TRACKING_HOLD;
}

/* ---- A message ---- */

static Str member_text(EventCursor cursor, const char *name, Arena *arena, const uint32_t **ret_value)
{
    *ret_value = NULL;
    if (cursor.text[*cursor.token] != '{') return (Str){ 0 };
    for (const uint32_t *at = cursor.token + 1; cursor.text[*at] != '}'; at += cursor.text[*at] == ',') {
        bool is_it = str_equal(event_token_inside(cursor.text, at), str_from(name));
        if (is_it) *ret_value = at + 2;
        at = event_token_skip(cursor.text, at + 2);
    }
    if (!*ret_value || cursor.text[**ret_value] != '"' || arena_left(arena) < LIMIT_RECORD_BYTES) return (Str){ 0 };
    return event_token_text(cursor.text, *ret_value, arena);
}

/* context.app.version */
static Str app_version(const struct event_parser *parser, const Message *message, Arena *arena)
{
    const uint32_t *value;
    if (message->context.kind != FIELD_OBJECT) return (Str){ 0 };
    EventCursor cursor = event_cursor(parser, &message->context);
    member_text(cursor, "app", arena, &value);
    if (!value) return (Str){ 0 };
    cursor.token = value;
    return member_text(cursor, "version", arena, &value);
}

static Str name_of(const Message *message, EventType type)
{
    if (type == EVENT_TRACK) return message->event.text;
    return type == EVENT_PAGE || type == EVENT_SCREEN ? message->name.text : (Str){ 0 };
}

static void tell_event(TrackingVerdict *verdict, TrackingCode code, Str wants, Str near)
{
    if (verdict->count == TRACKING_VIOLATIONS) verdict->has_more = true;
    else verdict->items[verdict->count++] = (TrackingViolation){ .code = code, .wants = wants, .near = near };
}

/* An event that the plan does not have. */
static void judge_stranger(const struct tracking_plan *plan, EventType type, Str source, Str name,
                           TrackingVerdict *verdict)
{
    bool is_track = type == EVENT_TRACK;
    TrackingRung usual = tracking_rung_for(&plan->ladder, source, TRACKING_REPORT);
    TrackingRung rung = is_track ? choose(plan->unplanned_events, usual) : plan->unplanned_pages;
    if (rung == TRACKING_OMIT) rung = TRACKING_REPORT;
    if (rung != TRACKING_ALLOW) {
        tell_event(verdict, TRACKING_UNPLANNED_EVENT, (Str){ 0 }, tracking_near_event(plan, type, name));
        verdict->items[0].rung = verdict->rung = rung;
    }
    if (!is_track || !plan->name_pattern || pattern_matches(plan->name_pattern, name)) return;
    tell_event(verdict, TRACKING_NAME_PATTERN, plan->name_wants, (Str){ 0 });
    verdict->items[verdict->count - 1].rung = TRACKING_REPORT;
    if (verdict->rung == TRACKING_ALLOW) verdict->rung = TRACKING_REPORT;
}

static bool comes_from(const TrackingRule *rule, Str source)
{
    for (uint32_t at = 0; at < rule->source_count; at++)
        if (str_equal(rule->sources[at], source)) return true;
    return rule->source_count == 0;
}

/* The part of the message that the rule is about: properties or traits. */
static const Field *field_of(const TrackingRule *rule, const Message *message)
{
    bool has_traits = rule->type == EVENT_IDENTIFY || rule->type == EVENT_GROUP;
    const Field *field = has_traits ? &message->traits : &message->properties;
    bool is_in_context = rule->type == EVENT_IDENTIFY && field->kind <= FIELD_NULL
                      && message->context_traits.kind == FIELD_OBJECT;
    return is_in_context ? &message->context_traits : field;
}

static Fit check_properties(const TrackingRule *rule, const Field *field, EventCursor cursor, struct schema_walk *walk)
{
    bool has_traits = rule->type == EVENT_IDENTIFY || rule->type == EVENT_GROUP;
    struct schema_step top = { .name = has_traits ? STR("traits") : STR("properties"), .index = UINT32_MAX };
    const uint32_t *ignored;
    if (field->kind != FIELD_OBJECT) return schema_check_absent(walk, rule->schema, &top);
    walk->text = cursor.text;
    return schema_check(walk, rule->schema, cursor.token, &top, &ignored);
}

/* This is true for nearly all messages of nearly all events. */
static bool fits_at_sight(const TrackingRule *rule, const Field *field, EventCursor cursor)
{
    if (rule->versions.len || rule->source_count || rule->is_deprecated) return false;
    if (!rule->schema) return true;
    return rule->schema->object && schema_is_object_alone(rule->schema) && field->kind == FIELD_OBJECT
        && schema_object_fits_at_sight(rule->schema->object, cursor.text, cursor.token);
}

static bool judge_by_rule(const struct tracking_plan *plan, const TrackingRule *rule, const TrackingMessage *given,
                          Arena *arena, TrackingVerdict *ret)
{
    const Field *field = field_of(rule, given->message);
    EventCursor cursor = event_cursor(given->parser, field);
    if (fits_at_sight(rule, field, cursor)) return false;
    struct schema_walk walk = { .arena = arena, .steps_left = TRACKING_STEPS, .found = ret->items };
    if (plan->store.has_versions) walk.app_version = app_version(given->parser, given->message, arena);
    if (rule->versions.len && !schema_versions_include(rule->versions, walk.app_version)) return false;
    if (!comes_from(rule, given->source)) tell_event(ret, TRACKING_WRONG_SOURCE, (Str){ 0 }, (Str){ 0 });
    if (rule->is_deprecated) tell_event(ret, TRACKING_DEPRECATED_EVENT, (Str){ 0 }, (Str){ 0 });
    walk.found_count = ret->count;
    if (rule->schema) (void)check_properties(rule, field, cursor, &walk);
    ret->count = walk.found_count;
    ret->has_more |= walk.has_more;
    ret->is_undecided = walk.is_unsure;
    if (ret->count) set_rungs(plan, rule, given->source, ret);
    return ret->count > 0;
}

bool tracking_plan_judge(const struct tracking_plan *plan, const TrackingMessage *given, Arena *arena,
                         TrackingVerdict *ret)
{
    EventType type = given->type;
    Str name = name_of(given->message, type);
    const TrackingRule *rule = tracking_find_rule(plan, type, name);
    ret->version = plan->version;
    ret->rung = TRACKING_ALLOW;
    ret->count = 0;
    ret->has_more = ret->is_undecided = false;
    if (rule) return judge_by_rule(plan, rule, given, arena, ret);
    if (type == EVENT_TRACK || type == EVENT_PAGE || type == EVENT_SCREEN)
        judge_stranger(plan, type, given->source, name, ret);
    return ret->count > 0;
}

/* ---- A schema alone ---- */

struct tracking_schema {
    struct schema_store store;
    const Schema *schema;
};

Status tracking_schema_open(const Node *root, const TrackingSource *source, struct tracking_schema **ret, Err *err)
{
    struct tracking_schema *made = calloc(1, sizeof *made);
    if (!made) return err_set(err, ERR_FULL, "no memory for a schema");
    schema_store_open(&made->store);
    struct schema_compiler compiler = { .store = &made->store, .arena = &made->store.arena, .source = source,
                                        .place = STR("") };
    made->schema = schema_compile_document(&compiler, root);
    if (!compiler.has_failed) {
        schema_set_sights(&made->store);
        *ret = made;
        return OK;
    }
    tracking_schema_close(made);
    return err_set(err, ERR_INPUT, "the schema has errors");
}

void tracking_schema_close(struct tracking_schema *schema)
{
    if (!schema) return;
    schema_store_close(&schema->store);
    free(schema);
}

TrackingFit tracking_schema_check(const struct tracking_schema *schema, const struct event_parser *parser,
                                  const Field *value, Arena *arena, TrackingVerdict *ret)
{
    static const TrackingFit fits[] = { [FIT_YES] = TRACKING_FITS, [FIT_NO] = TRACKING_FAILS, [FIT_UNSURE] =
                                        TRACKING_UNDECIDED };
    const uint32_t *ignored;
    EventCursor cursor = event_cursor(parser, value);
    struct schema_walk walk = { .text = cursor.text, .arena = arena, .steps_left = TRACKING_STEPS, .found =
                                ret->items };
    Fit fit = schema_check(&walk, schema->schema, cursor.token, NULL, &ignored);
    ret->version = (Str){ 0 };
    ret->count = walk.found_count;
    ret->has_more = walk.has_more;
    ret->is_undecided = walk.is_unsure;
    ret->rung = ret->count ? TRACKING_REPORT : TRACKING_ALLOW;
    return fits[fit];
}
