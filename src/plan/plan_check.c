/* plan_check: checks a value by its schema, in one walk over its tokens. Each member of an object is met once, and
 * looked up by name. Keywords that apply several schemas to one value (anyOf, not, if, $ref) go over it again, and
 * report nothing: a branch that does not fit is not yet a violation.
 *
 * There are three answers. FIT_UNSURE means that a limit was reached (steps, depth, memory): it is never reported as a
 * violation, and what depends on it is unsure, too. So if checking a message takes too much, the message passes, and is
 * marked as undecided. */
#include "plan_schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MOST = 600, WANTS_BYTES = 240, TOKEN_PATH_MOST = 128 };

static const char *const kind_words[] = {
    [FIELD_ABSENT] = "", [FIELD_NULL] = "null", [FIELD_STRING] = "text", [FIELD_NUMBER] = "a number",
    [FIELD_BOOL] = "a boolean", [FIELD_OBJECT] = "an object", [FIELD_ARRAY] = "a list",
};

static Fit both(Fit a, Fit b) { return a == FIT_NO || b == FIT_NO ? FIT_NO : a == FIT_UNSURE || b == FIT_UNSURE
                                ? FIT_UNSURE : FIT_YES; }

/* ---- Telling ---- */

static const TrackingStep *copy_path(struct schema_walk *walk, const struct schema_step *step, uint32_t *ret_count)
{
    uint32_t count = 0;
    for (const struct schema_step *at = step; at; at = at->up) count++;
    *ret_count = count;
    TrackingStep *path = arena_try(walk->arena, sizeof *path, _Alignof(TrackingStep), count);
    if (!path) return *ret_count = 0, NULL;
    for (const struct schema_step *at = step; at; at = at->up)
        path[--count] = (TrackingStep){ .name = at->name, .index = at->index, .is_index = at->index != UINT32_MAX };
    return path;
}

Fit schema_tell(struct schema_walk *walk, TrackingCode code, const struct schema_step *step, const char *found,
                Str wants,
                Str near)
{
    if (walk->quiet) return FIT_NO;
    if (walk->found_count == TRACKING_VIOLATIONS) {
        walk->has_more = true;
        return FIT_NO;
    }
    TrackingViolation *violation = &walk->found[walk->found_count++];
    *violation = (TrackingViolation){ .code = code, .found = str_from(found), .wants = wants, .near = near };
    violation->path = copy_path(walk, step, &violation->path_count);
    return FIT_NO;
}

/* Writes a phrase into the arena, but only if somebody will read it. */
static Str phrase(struct schema_walk *walk, const char *format, ...) FORMAT(2, 3);
static Str phrase(struct schema_walk *walk, const char *format, ...)
{
    char text[WANTS_BYTES];
    va_list list;
    if (walk->quiet || arena_left(walk->arena) < sizeof text) return (Str){ 0 };
    va_start(list, format);
    int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    while (kept && kept == sizeof text - 1 && ((unsigned char)text[kept - 1] & 0xC0) == 0x80) kept--;
    return arena_copy(walk->arena, (Str){ text, kept });
}

static Fit tell_value(struct schema_walk *walk, const struct schema_step *step, const uint32_t *token, Str wants)
{
    return schema_tell(walk, TRACKING_VALUE_NOT_ALLOWED, step, kind_words[event_token_kind(walk->text, token)], wants,
                       (Str){ 0 });
}

Str schema_words_of_kinds(const Schema *schema, Arena *arena)
{
    char text[128];
    struct buf buf;
    buf_init_fixed(&buf, text, sizeof text);
    unsigned left = schema->kinds;
    for (int kind = FIELD_NULL; kind <= FIELD_ARRAY; kind++) {
        if (!(schema->kinds >> kind & 1)) continue;
        left &= ~(1u << kind);
        if (buf.len) buf_str_put(&buf, left ? STR(", ") : STR(" or "));
        buf_str_put(&buf, str_from(kind == FIELD_NUMBER && schema->is_whole ? "a whole number" : kind_words[kind]));
    }
    return arena_left(arena) > sizeof text ? arena_copy(arena, buf_str(&buf)) : (Str){ 0 };
}

/* `one of "EUR", "USD"`; a long list is cut, and says how many there are. */
static Str words_of_values(struct schema_walk *walk, const SchemaValues *values)
{
    char text[WANTS_BYTES];
    struct buf buf;
    if (walk->quiet) return (Str){ 0 };
    buf_init_fixed(&buf, text, sizeof text - 40);
    if (values->count > 1) buf_str_put(&buf, STR("one of "));
    for (uint32_t at = 0; at < values->count; at++) {
        size_t before = buf.len;
        if (at) buf_str_put(&buf, STR(", "));
        schema_write_const(&buf, values->items[at]);
        if (buf_ok(&buf) && at < 8) continue;
        buf.len = before, buf.failed = false, buf.capacity = sizeof text;
        buf_printf(&buf, " and %u more", values->count - at);
        break;
    }
    return phrase(walk, "%.*s", STR_FORMAT(buf_str(&buf)));
}

/* ---- Scalars ---- */

static Fit check_number(struct schema_walk *walk, const SchemaNumber *rule, const uint32_t *token,
                        const struct schema_step *step)
{
    Decimal number;
    Str wants = { 0 };
    const Decimal *of = NULL;
    const char *how = "";
    if (!decimal_read(event_token_scalar(walk->text, token), &number)) return FIT_UNSURE;
    if (rule->has_least && decimal_compare(&number, &rule->least) < 0) of = &rule->least, how = "at least";
    else if (rule->has_most && decimal_compare(&number, &rule->most) > 0) of = &rule->most, how = "at most";
    else if (rule->has_more_than && decimal_compare(&number, &rule->more_than) <= 0) of = &rule->more_than, how =
        "more than";
    else if (rule->has_less_than && decimal_compare(&number, &rule->less_than) >= 0) of = &rule->less_than, how =
        "less than";
    else if (rule->has_multiple_of && !decimal_is_multiple(&number, &rule->multiple_of))
        of = &rule->multiple_of, how = "a multiple of";
    if (!of) return FIT_YES;
    double value = of->is_long ? of->value : (double)of->digits;
    for (int32_t power = of->exponent; !of->is_long && power > 0 && power < 400; power--) value *= 10;
    for (int32_t power = of->exponent; !of->is_long && power < 0 && power > -400; power++) value /= 10;
    wants = phrase(walk, "%s %.15g", how, of->is_negative && !of->is_long ? -value : value);
    return tell_value(walk, step, token, wants);
}

static uint64_t count_points(Str text)
{
    uint64_t count = 0;
    for (size_t at = 0; at < text.len; at++) count += ((unsigned char)text.bytes[at] & 0xC0) != 0x80;
    return count;
}

static Fit check_text(struct schema_walk *walk, const SchemaText *rule, const uint32_t *token,
                      const struct schema_step *step)
{
    if (arena_left(walk->arena) < token[1] - token[0]) return FIT_UNSURE;
    Arena scratch = *walk->arena;                           /* the unescaped text is not kept */
    Str text = event_token_text(walk->text, token, &scratch);
    if (rule->least || rule->most != UINT64_MAX) {
        uint64_t count = count_points(text);
        if (count < rule->least)
            return tell_value(walk, step, token, phrase(walk, "at least %" PRIu64 " characters", rule->least));
        if (count > rule->most)
            return tell_value(walk, step, token, phrase(walk, "at most %" PRIu64 " characters", rule->most));
    }
    if (rule->format && !schema_format_fits(rule->format, text))
        return tell_value(walk, step, token, str_from(schema_format_text(rule->format)));
    if (rule->pattern && !pattern_matches(rule->pattern, text))
        return tell_value(walk, step, token, phrase(walk, "text that matches %.*s", STR_FORMAT(rule->pattern_text)));
    return FIT_YES;
}

static Fit check_values(struct schema_walk *walk, const SchemaValues *values, const uint32_t *token,
                        const struct schema_step *step)
{
    Arena scratch = *walk->arena;
    const SchemaConst *value = schema_const_of_token(walk->text, token, &scratch);
    if (!value) return FIT_UNSURE;
    for (uint32_t at = 0; at < values->count; at++)
        if (schema_const_equal(value, values->items[at])) return FIT_YES;
    return tell_value(walk, step, token, words_of_values(walk, values));
}

/* ---- Lists ---- */

static int compare_hashes(const void *left, const void *right)
{
    uint64_t a = (*(const SchemaConst *const *)left)->hash, b = (*(const SchemaConst *const *)right)->hash;
    return a < b ? -1 : a > b;
}

static Fit check_unique(struct schema_walk *walk, const uint32_t *token, const struct schema_step *step)
{
    Arena scratch = *walk->arena;
    const SchemaConst *list = schema_const_of_token(walk->text, token, &scratch);
    const SchemaConst **sorted = list ? arena_try(&scratch, sizeof *sorted, _Alignof(SchemaConst *), list->count + 1)
        : NULL;
    uint32_t count = 0;
    if (!sorted) return FIT_UNSURE;
    for (const SchemaConst *item = list->first; item; item = item->next) sorted[count++] = item;
    qsort(sorted, count, sizeof *sorted, compare_hashes);
    for (uint32_t at = 1; at < count; at++)
        for (uint32_t before = at; before-- > 0 && sorted[before]->hash == sorted[at]->hash;)
            if (schema_const_equal(sorted[before], sorted[at]))
                return tell_value(walk, step, token, STR("no item twice"));
    return FIT_YES;
}

static Fit check_quietly(struct schema_walk *walk, const Schema *schema, const uint32_t *token)
{
    const uint32_t *ignored;
    walk->quiet++;
    Fit fit = schema_check(walk, schema, token, NULL, &ignored);
    walk->quiet--;
    return fit;
}

struct contained {
    uint64_t count, unsure;
};

static Fit judge_contained(struct schema_walk *walk, const SchemaList *rule, struct contained contained,
                           const uint32_t *token, const struct schema_step *step)
{
    if (contained.count > rule->contains_most)
        return tell_value(walk, step, token, phrase(walk, "at most %" PRIu64 " items of a kind", rule->contains_most));
    if (contained.count + contained.unsure < rule->contains_least)
        return tell_value(walk, step, token, phrase(walk, "at least %" PRIu64 " items of a kind",
                                                    rule->contains_least));
    return contained.unsure && (contained.count < rule->contains_least ||
                                contained.count + contained.unsure > rule->contains_most) ? FIT_UNSURE : FIT_YES;
}

static Fit check_list(struct schema_walk *walk, const SchemaList *rule, const uint32_t *token,
                      const struct schema_step *step, const uint32_t **ret_next)
{
    const char *text = walk->text;
    const uint32_t *at = token + 1, *next;
    struct contained contained = { 0 };
    uint32_t count = 0;
    Fit fit = FIT_YES;
    for (; text[*at] != ']'; at = next + (text[*next] == ','), count++) {
        const Schema *schema = count < rule->tuple_count ? rule->tuple[count] : rule->items;
        struct schema_step item = { .up = step, .index = count };
        if (rule->contains) {
            Fit inside = check_quietly(walk, rule->contains, at);
            contained.count += inside == FIT_YES, contained.unsure += inside == FIT_UNSURE;
        }
        fit = both(fit, schema_check(walk, schema, at, &item, &next));
    }
    *ret_next = at + 1;
    if (count < rule->least)
        fit = both(fit, tell_value(walk, step, token, phrase(walk, "at least %" PRIu64 " items", rule->least)));
    if (count > rule->most)
        fit = both(fit, tell_value(walk, step, token, phrase(walk, "at most %" PRIu64 " items", rule->most)));
    if (rule->contains) fit = both(fit, judge_contained(walk, rule, contained, token, step));
    if (rule->is_unique && count > 1) fit = both(fit, check_unique(walk, token, step));
    return fit;
}

/* ---- Objects ---- */

/* Finds the planned name that is probably meant. */
static Str nearest_of(const SchemaObject *rule, Str name)
{
    AlikeName given, other;
    alike_prepare(name, &given);
    for (uint32_t at = 0; at < rule->property_count; at++) {
        if (!rule->properties[at].is_declared) continue;
        alike_prepare(rule->properties[at].name, &other);
        if (alike_compare(&given, &other)) return other.name;
    }
    return (Str){ 0 };
}

static Fit tell_unplanned(struct schema_walk *walk, const SchemaObject *rule, const uint32_t *value,
                          const struct schema_step *step)
{
    if (walk->quiet) return FIT_NO;
    return schema_tell(walk, TRACKING_UNPLANNED_PROPERTY, step, kind_words[event_token_kind(walk->text, value)],
                       (Str){ 0 },
                       nearest_of(rule, step->name));
}

/* The names of members must fit a schema of their own. They are texts, so all that the schema says about strings
 * counts. */
static Fit check_name(struct schema_walk *walk, const Schema *schema, const uint32_t *token,
                      const struct schema_step *step)
{
    Fit fit = check_quietly(walk, schema, token);
    return fit == FIT_NO ? schema_tell(walk, TRACKING_VALUE_NOT_ALLOWED, step, "a name", STR("another name"),
                                       (Str){ 0 })
                         : fit;
}

/* Checks a member that is not among the properties, or whose object has further rules. */
static Fit check_slow_member(struct schema_walk *walk, const SchemaObject *rule, const SchemaProperty *property,
                             const uint32_t *token, const struct schema_step *step)
{
    const uint32_t *value = token + 2, *ignored;
    bool is_known = property && property->is_declared;
    Fit fit = FIT_YES;
    for (uint32_t at = 0; at < rule->pattern_count; at++) {
        if (!pattern_matches(rule->patterns[at].pattern, step->name)) continue;
        fit = both(fit, schema_check(walk, rule->patterns[at].schema, value, step, &ignored));
        is_known = true;
    }
    if (rule->names) fit = both(fit, check_name(walk, rule->names, token, step));
    if (is_known || !rule->additional) return fit;
    if (rule->additional->is_never || rule->additional->is_unplanned)
        return both(fit, tell_unplanned(walk, rule, value, step));
    return both(fit, schema_check(walk, rule->additional, value, step, &ignored));
}

static bool has_member(struct schema_walk *walk, const uint32_t *token, Str name)
{
    const char *text = walk->text;
    for (token++; text[*token] != '}'; token += text[*token] == ',') {
        Arena scratch = *walk->arena;
        if (str_equal(event_token_text(text, token, &scratch), name)) return true;
        token = event_token_skip(text, token + 2);
    }
    return false;
}

static Fit check_dependents(struct schema_walk *walk, const SchemaObject *rule, const uint32_t *token,
                            const struct schema_step *step)
{
    Fit fit = FIT_YES;
    for (uint32_t at = 0; at < rule->dependent_count; at++) {
        const SchemaDependent *dependent = &rule->dependents[at];
        const uint32_t *ignored;
        if (!has_member(walk, token, dependent->name)) continue;
        for (uint32_t need = 0; need < dependent->need_count; need++) {
            struct schema_step missing = { .up = step, .name = dependent->needs[need], .index = UINT32_MAX };
            if (has_member(walk, token, dependent->needs[need])) continue;
            fit = both(fit, schema_tell(walk, TRACKING_MISSING_PROPERTY, &missing, "",
                                        phrase(walk, "it beside %.*s", STR_FORMAT(dependent->name)), (Str){ 0 }));
        }
        if (dependent->schema) fit = both(fit, schema_check(walk, dependent->schema, token, step, &ignored));
    }
    return fit;
}

static Fit tell_missing(struct schema_walk *walk, const SchemaProperty *property, const struct schema_step *step)
{
    struct schema_step missing = { .up = step, .name = property->name, .index = UINT32_MAX };
    Str wants = { 0 };
    if (property->versions.len && !schema_versions_include(property->versions, walk->app_version)) return FIT_YES;
    if (!walk->quiet && property->schema && property->schema->kinds)
        wants = schema_words_of_kinds(property->schema, walk->arena);
    return schema_tell(walk, TRACKING_MISSING_PROPERTY, &missing, "", wants, (Str){ 0 });
}

static Fit check_required(struct schema_walk *walk, const SchemaObject *rule, const uint64_t *seen,
                          const struct schema_step *step)
{
    Fit fit = FIT_YES;
    for (uint32_t at = 0; at < rule->required_count; at++)
        if (!(seen[at / 64] >> at % 64 & 1)) fit = both(fit, tell_missing(walk, rule->required[at], step));
    return fit;
}

Fit schema_check_absent(struct schema_walk *walk, const Schema *schema, const struct schema_step *step)
{
    static const uint64_t nothing[SCHEMA_SEEN_WORDS];
    return schema && schema->object ? check_required(walk, schema->object, nothing, step) : FIT_YES;
}

/* Clients write the members of an event in one order, and plans often have the same order. So the row at the member's
 * own place is tried first. */
static inline const SchemaProperty *find_property(const SchemaObject *rule, Str name, uint32_t at)
{
    if (at < rule->property_count && str_equal_inline(rule->properties[at].name, name)) return &rule->properties[at];
    return schema_find_property(rule, name);
}

/* An object while it is checked: which of the required names were found. */
struct meeting {
    const SchemaObject *rule;
    uint64_t seen[SCHEMA_SEEN_WORDS];
};

static Fit check_member(struct schema_walk *walk, struct meeting *meeting, const SchemaProperty *property,
                        const uint32_t *token, const struct schema_step *step, const uint32_t **ret_next)
{
    const SchemaObject *rule = meeting->rule;
    const uint32_t *value = token + 2;
    const Schema *schema = NULL;
    Fit fit = FIT_YES;
    if (property) {
        bool is_absent = property->null_is_absent && walk->text[*value] == 'n';
        if (property->required != SCHEMA_NOT_REQUIRED && !is_absent)
            meeting->seen[property->required / 64] |= UINT64_C(1) << property->required % 64;
        if (!is_absent) schema = property->schema;
        if (property->versions.len && !schema_versions_include(property->versions, walk->app_version)) schema = NULL;
    }
    if (rule->is_slow || !property || !property->is_declared) fit =
        check_slow_member(walk, rule, property, token, step);
    return both(fit, schema_check(walk, schema, value, step, ret_next));
}

/* True: the value fits at first sight, or is a null that counts as absent. If the name is required and not absent, it
 * is marked as found. */
static inline bool meet_at_sight(struct schema_walk *walk, struct meeting *meeting, const SchemaProperty *property,
                                 const uint32_t *value)
{
    if (!property || !property->sight || walk->steps_left == 0 || walk->depth == DEPTH_MOST) return false;
    if (!schema_value_fits_at_sight(property, walk->text, value)) return false;
    bool is_absent = property->null_is_absent && walk->text[*value] == 'n';
    walk->steps_left--;
    if (!is_absent && property->required != SCHEMA_NOT_REQUIRED)
        meeting->seen[property->required / 64] |= UINT64_C(1) << property->required % 64;
    return true;
}

static Fit check_object(struct schema_walk *walk, const SchemaObject *rule, const uint32_t *token,
                        const struct schema_step *step, const uint32_t **ret_next)
{
    const char *text = walk->text;
    struct meeting meeting;
    const uint32_t *at = token + 1;
    uint32_t count = 0;
    Fit fit = FIT_YES;
    for (uint32_t word = 0; word * 64 < rule->required_count; word++) meeting.seen[word] = 0;
    meeting.rule = rule;
    for (; text[*at] != '}'; at += text[*at] == ',', count++) {
        Str name = event_token_inside(text, at);
        const SchemaProperty *property = rule->has_escapes ? NULL : find_property(rule, name, count);
        if (meet_at_sight(walk, &meeting, property, at + 2)) {
            at += 3;
            continue;
        }
        if (!property && memchr(name.bytes, '\\', name.len)) {
            if (arena_left(walk->arena) < name.len) return *ret_next = event_token_skip(text, token), FIT_UNSURE;
            name = event_token_text(text, at, walk->arena);
        }
        if (!property) property = schema_find_property(rule, name);
        struct schema_step member = { .up = step, .name = name, .index = UINT32_MAX };
        fit = both(fit, check_member(walk, &meeting, property, at, &member, &at));
    }
    *ret_next = at + 1;
    if (rule->required_count) fit = both(fit, check_required(walk, rule, meeting.seen, step));
    if (!rule->is_slow) return fit;
    if (count < rule->least)
        fit = both(fit, tell_value(walk, step, token, phrase(walk, "at least %" PRIu64 " members", rule->least)));
    if (count > rule->most)
        fit = both(fit, tell_value(walk, step, token, phrase(walk, "at most %" PRIu64 " members", rule->most)));
    return rule->dependent_count ? both(fit, check_dependents(walk, rule, token, step)) : fit;
}

/* ---- Several schemas for one value ---- */

static Fit check_any(struct schema_walk *walk, const SchemaSchemas *any, const uint32_t *token,
                     const struct schema_step *step)
{
    bool is_unsure = false;
    for (uint32_t at = 0; at < any->count; at++) {
        Fit fit = check_quietly(walk, any->items[at], token);
        if (fit == FIT_YES) return FIT_YES;
        is_unsure |= fit == FIT_UNSURE;
    }
    if (is_unsure) return FIT_UNSURE;
    return tell_value(walk, step, token, phrase(walk, "what fits one of its %u shapes", any->count));
}

static Fit check_one(struct schema_walk *walk, const SchemaSchemas *one, const uint32_t *token,
                     const struct schema_step *step)
{
    uint32_t fits = 0, unsure = 0;
    for (uint32_t at = 0; at < one->count; at++) {
        Fit fit = check_quietly(walk, one->items[at], token);
        fits += fit == FIT_YES, unsure += fit == FIT_UNSURE;
    }
    if (fits > 1)
        return tell_value(walk, step, token, phrase(walk, "what fits one of its %u shapes alone", one->count));
    if (unsure) return FIT_UNSURE;
    return fits ? FIT_YES : tell_value(walk, step, token, phrase(walk, "what fits one of its %u shapes", one->count));
}

static Fit check_logic(struct schema_walk *walk, const SchemaLogic *logic, const uint32_t *token,
                       const struct schema_step *step)
{
    const uint32_t *ignored;
    Fit fit = FIT_YES;
    if (logic->ref) fit = both(fit, schema_check(walk, logic->ref, token, step, &ignored));
    for (uint32_t at = 0; at < logic->all.count; at++)
        fit = both(fit, schema_check(walk, logic->all.items[at], token, step, &ignored));
    if (logic->any.count) fit = both(fit, check_any(walk, &logic->any, token, step));
    if (logic->one.count) fit = both(fit, check_one(walk, &logic->one, token, step));
    if (logic->negated) {
        Fit inside = check_quietly(walk, logic->negated, token);
        if (inside == FIT_UNSURE) fit = both(fit, FIT_UNSURE);
        if (inside == FIT_YES) fit = both(fit, tell_value(walk, step, token, STR("another value")));
    }
    if (!logic->condition) return fit;
    Fit holds = check_quietly(walk, logic->condition, token);
    const Schema *then = holds == FIT_YES ? logic->then : holds == FIT_NO ? logic->otherwise : NULL;
    if (holds == FIT_UNSURE) return both(fit, FIT_UNSURE);
    return then ? both(fit, schema_check(walk, then, token, step, &ignored)) : fit;
}

/* ---- A value ---- */

static Fit skip(struct schema_walk *walk, const uint32_t *token, const uint32_t **ret_next, Fit fit)
{
    *ret_next = event_token_skip(walk->text, token);
    return fit;
}

static Fit give_up(struct schema_walk *walk, const uint32_t *token, const uint32_t **ret_next)
{
    walk->is_unsure = true;
    return skip(walk, token, ret_next, FIT_UNSURE);
}

static Fit tell_kind(struct schema_walk *walk, const Schema *schema, const uint32_t *token,
                     const struct schema_step *step)
{
    if (walk->quiet) return FIT_NO;
    Decimal number;
    FieldKind kind = event_token_kind(walk->text, token);
    bool is_fraction = kind == FIELD_NUMBER && schema->is_whole && schema->kinds >> FIELD_NUMBER & 1 &&
                       decimal_read(event_token_scalar(walk->text, token), &number);
    return schema_tell(walk, TRACKING_WRONG_TYPE, step, is_fraction ? "a number with a fraction" : kind_words[kind],
                       schema_words_of_kinds(schema, walk->arena), (Str){ 0 });
}

static bool is_of_kind(struct schema_walk *walk, const Schema *schema, const uint32_t *token, FieldKind kind)
{
    Decimal number;
    if (!schema->kinds) return true;
    if (!(schema->kinds >> kind & 1)) return false;
    return kind != FIELD_NUMBER || !schema->is_whole ||
           (decimal_read(event_token_scalar(walk->text, token), &number) && decimal_is_whole(&number));
}

static Fit check_inside(struct schema_walk *walk, const Schema *schema, const uint32_t *token,
                        const struct schema_step *step, const uint32_t **ret_next)
{
    Fit fit = FIT_YES;
    FieldKind kind = event_token_kind(walk->text, token);
    *ret_next = NULL;
    if (kind == FIELD_NUMBER && schema->number) fit = check_number(walk, schema->number, token, step);
    else if (kind == FIELD_STRING && schema->text) fit = check_text(walk, schema->text, token, step);
    else if (kind == FIELD_OBJECT && schema->object) fit = check_object(walk, schema->object, token, step, ret_next);
    else if (kind == FIELD_ARRAY && schema->list) fit = check_list(walk, schema->list, token, step, ret_next);
    if (schema->values) fit = both(fit, check_values(walk, schema->values, token, step));
    if (schema->logic) fit = both(fit, check_logic(walk, schema->logic, token, step));
    if (!*ret_next) *ret_next = kind < FIELD_OBJECT ? token + 1 : event_token_skip(walk->text, token);
    return fit;
}

Fit schema_check(struct schema_walk *walk, const Schema *schema, const uint32_t *token, const struct schema_step *step,
                 const uint32_t **ret_next)
{
    if (!schema) return skip(walk, token, ret_next, FIT_YES);
    if (walk->steps_left == 0 || walk->depth == DEPTH_MOST) return give_up(walk, token, ret_next);
    walk->steps_left--;
    FieldKind kind = event_token_kind(walk->text, token);
    if (schema->is_never)
        return skip(walk, token, ret_next, tell_value(walk, step, token, STR("nothing there")));
    if (!is_of_kind(walk, schema, token, kind)) return skip(walk, token, ret_next,
                                                            tell_kind(walk, schema, token, step));
    if (kind < FIELD_OBJECT && !schema->number && !schema->text && !schema->values && !schema->logic)
        return *ret_next = token + 1, FIT_YES;
    walk->depth++;
    Fit fit = check_inside(walk, schema, token, step, ret_next);
    walk->depth--;
    if (fit == FIT_UNSURE) walk->is_unsure = true;
    return fit;
}

/* ---- Versions ---- */

enum { VERSION_PARTS = 4 };

/* Reads 2.10.1-beta+7 as numbers; what follows the numbers does not count. False: it does not begin with a number. */
static bool read_version(Str text, int64_t parts[VERSION_PARTS])
{
    size_t at = 0, count = 0;
    memset(parts, 0, VERSION_PARTS * sizeof *parts);
    if (str_starts(text, STR("v"))) at++;
    for (; count < VERSION_PARTS; count++) {
        size_t first = at;
        while (at < text.len && text.bytes[at] >= '0' && text.bytes[at] <= '9') at++;
        if (!str_parse_int(str_slice(text, first, at), 0, INT32_MAX, &parts[count])) return count > 0;
        if (at == text.len || text.bytes[at] != '.') return true;
        at++;
    }
    return true;
}

/* One condition: >=2.0. */
static bool read_condition(Str text, Str *ret_how, int64_t parts[VERSION_PARTS])
{
    static const char *const hows[] = { ">=", "<=", ">", "<", "=" };
    *ret_how = STR("=");
    for (size_t at = 0; at < countof(hows); at++) {
        if (!str_starts(text, str_from(hows[at]))) continue;
        *ret_how = str_from(hows[at]);
        text = str_slice(text, ret_how->len, text.len);
        break;
    }
    return read_version(text, parts);
}

bool schema_versions_parse(Str versions)
{
    int64_t parts[VERSION_PARTS];
    Str how, rest = str_trim(versions);
    if (!rest.len) return false;
    while (rest.len)
        if (!read_condition(str_cut(rest, ' ', &rest), &how, parts)) return false;
    return true;
}

/* For a message without a version every rule counts. */
bool schema_versions_include(Str versions, Str version)
{
    int64_t given[VERSION_PARTS], wanted[VERSION_PARTS];
    if (!version.len || !read_version(version, given)) return true;
    for (Str how, rest = str_trim(versions); rest.len;) {
        if (!read_condition(str_cut(rest, ' ', &rest), &how, wanted)) continue;
        int order = 0;
        for (size_t at = 0; !order && at < VERSION_PARTS; at++) order = given[at] < wanted[at] ? -1
            : given[at] > wanted[at];
        bool is_equal = order == 0 && how.bytes[how.len - 1] == '=';
        bool holds = is_equal || (order < 0 && how.bytes[0] == '<') || (order > 0 && how.bytes[0] == '>');
        if (!holds) return false;
    }
    return true;
}
