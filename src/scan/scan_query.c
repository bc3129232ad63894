/* scan_query: see the header. The text of a place ("steps[1].where[0].op") is only made when a complaint needs it. */
#include "scan_query.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLACE_BYTES = 64 };

static Status refuse(Err *err, const char *place,
                     const char *what) { return err_set_field(err, place, "%s", what); }

Status query_refuse_others(const TreeNode *object, const char *place, const char *const *allowed, Err *err)
{
    char where[PLACE_BYTES];
    for (const TreeNode *member = object->first; member; member = member->next) {
        size_t at = 0;
        while (allowed[at] && !str_equal(member->key, str_from(allowed[at]))) at++;
        if (allowed[at]) continue;
        snprintf(where, sizeof where, "%s%s%.*s", place, *place ? "." : "",
                 STR_FORMAT(str_slice(member->key, 0, 40)));
        return refuse(err, where, "there is no such member");
    }
    return OK;
}

/* ---- When ---- */

/* A time that names no zone ("2026-01-31", "2026-01-31T12:00:00") is local time in the question's zone. */
static bool has_zone(Str text)
{
    for (size_t at = 10; at < text.len; at++)
        if (text.bytes[at] == 'Z' || text.bytes[at] == 'z' || text.bytes[at] == '+' || text.bytes[at] == '-')
            return true;
    return false;
}

static Status query_instant(Query *query, const char *member, Millis missing_ms, Millis *ret_ms)
{
    const TreeNode *json = event_tree_get(query->root, str_from(member));
    *ret_ms = missing_ms;
    if (!json || json->kind == FIELD_NULL) return OK;
    double number;
    if (event_tree_number(json, &number) && number >= -62135596800000.0 && number <= 253402300799999.0) {
        *ret_ms = (Millis)number;
        return OK;
    }
    if (json->kind != FIELD_STRING || !instant_parse(json->text, ret_ms))
        return refuse(query->err, member,
                      "a date (2026-01-31), an instant (2026-01-31T12:00:00Z) or milliseconds");
    if (!has_zone(json->text)) *ret_ms = zone_from_local(&query->zone, *ret_ms);
    return OK;
}

/* A client whose clock was never set must not make a question's range half a century long. */
static void set_plausible(Query *query)
{
    Millis now_ms = query->world->now_ms, end_ms = now_ms ? now_ms + DAY_MS : INT64_MAX;
    query->has_from = query->from_ms != INT64_MIN, query->has_to = query->to_ms != INT64_MAX;
    query->first_ms = query->from_ms, query->end_ms = query->to_ms;
    if (!query->has_from && query->to_ms > PLAUSIBLE_FROM_MS) query->first_ms = PLAUSIBLE_FROM_MS;
    if (!query->has_to && query->from_ms < end_ms) query->end_ms = end_ms;
}

void query_note(Query *query, const char *field, const char *format, ...)
{
    char text[240];
    va_list arguments;
    if (query->note_count == NOTES_MAX) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    query->notes[query->note_count].field = field;
    query->notes[query->note_count++].text = arena_copy(query->arena, str_from(text));
}

/* If parts of the journal cannot be read, every number may be too small, whatever the question is. */
static void note_missing(Query *query)
{
    const QueryWorld *world = query->world;
    if (world->missing_messages)
        query_note(query, NULL, "%" PRIu64 " message%s left out: the journal cannot be read there (%" PRIu64
                   " place%s; onym verify tells where)", world->missing_messages,
                   world->missing_messages == 1 ? " is" : "s are", world->missing_places,
                   world->missing_places == 1 ? "" : "s");
    else if (world->missing_places)
        query_note(query, NULL, "messages are left out: the journal cannot be read in %" PRIu64 " place%s (onym "
                   "verify tells where)", world->missing_places, world->missing_places == 1 ? "" : "s");
}

void query_note_times(Query *query, uint64_t early, uint64_t late)
{
    if (early)
        query_note(query, "from", "%" PRIu64 " event%s before 2000 left out: a clock that was never set says so; "
                   "with from they are counted", early, early == 1 ? "" : "s");
    if (late)
        query_note(query, "to", "%" PRIu64 " event%s later than tomorrow left out: no clock that is right says so; "
                   "with to they are counted", late, late == 1 ? "" : "s");
}

/* Finds a value that JSON allows but a question does not, and says why; NULL: there is none. */
static const TreeNode *find_excess(const TreeNode *node, int depth, const char **ret_what)
{
    double number;
    const char *wrong = NULL;
    if (node->kind == FIELD_NUMBER && !event_tree_number(node, &number)) wrong = "a number out of range";
    if (node->kind == FIELD_OBJECT && node->count > QUESTION_MEMBERS_MAX) wrong = "too many members";
    if (node->kind >= FIELD_OBJECT && depth == QUESTION_DEPTH_MAX) wrong = "nested too deep";
    if (wrong) return *ret_what = wrong, node;
    for (const TreeNode *child = node->first; child; child = child->next) {
        bool is_twice = node->kind == FIELD_OBJECT && event_tree_get(node, child->key) != child;
        if (is_twice) return *ret_what = "a name that is there twice", child;
        const TreeNode *found = find_excess(child, depth + 1, ret_what);
        if (found) return found;
    }
    return NULL;
}

static Status read_question(Str text, Arena *arena, const TreeNode **ret, Err *err)
{
    const char *what;
    if (text.len > QUESTION_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "a question of over %d bytes", QUESTION_BYTES_MAX);
    Status s = event_tree_read(text, arena, ret, err);
    if (s == ERR_TOO_LARGE) return err_set(err, ERR_INPUT, "a question nested over %d deep", QUESTION_DEPTH_MAX);
    if (s) return s;
    const TreeNode *where = find_excess(*ret, 0, &what);
    return where ? err_set(err, ERR_INPUT, "not JSON at byte %zu: %s", (size_t)(where->raw.bytes - text.bytes), what)
                 : OK;
}

Status query_open(Query *query, Str question, const QueryWorld *world, Arena *arena,
                  const char *const *allowed, Err *err)
{
    *query = (Query){ .world = world, .arena = arena, .err = err };
    Status s = read_question(question, arena, &query->root, err);
    if (s) return s;
    if (query->root->kind != FIELD_OBJECT) return err_set(err, ERR_INPUT, "a JSON object was expected");
    s = query_refuse_others(query->root, "", allowed, err);
    if (s) return s;
    static const char *const ofs[] = { "people", "groups", NULL };
    uint32_t of = 0;
    const TreeNode *zone = event_tree_get(query->root, STR("timezone"));
    if (zone && zone->kind != FIELD_STRING)
        return refuse(err, "timezone", "a name like Europe/Berlin was expected");
    query->zone_name = zone && zone->text.len ? zone->text : STR("UTC");
    s = zone_open(world->disk, world->zone_dir, query->zone_name, arena, &query->zone, err);
    if (!s) s = query_instant(query, "from", INT64_MIN, &query->from_ms);
    if (!s) s = query_instant(query, "to", INT64_MAX, &query->to_ms);
    if (!s && query->from_ms >= query->to_ms) s = refuse(err, "to", "must be later than from");
    if (!s) set_plausible(query);
    if (!s) note_missing(query);
    if (!s) s = query_word(query, "of", 0, ofs, &of);
    query->is_of_groups = of == 1;
    if (!s)
        s = query_filters(query, event_tree_get(query->root, STR("where")), "where", &query->filters,
                          &query->traits);
    return s;
}

Status query_duration(Query *query, const char *member, Millis missing_ms, Millis *ret_ms)
{
    const TreeNode *json = event_tree_get(query->root, str_from(member));
    *ret_ms = missing_ms;
    if (!json || json->kind == FIELD_NULL) return OK;
    if (json->kind != FIELD_STRING || !duration_parse(json->text, ret_ms) || *ret_ms < 0)
        return refuse(query->err, member, "a duration like 30m, 24h or 7d was expected");
    return OK;
}

bool query_is_whole(const TreeNode *json, uint32_t min, uint32_t max, uint32_t *ret)
{
    double number;
    if (!event_tree_number(json, &number) || number < min || number > max || number != (uint32_t)number) return false;
    *ret = (uint32_t)number;
    return true;
}

Status query_count(Query *query, const char *member, uint32_t missing, uint32_t min, uint32_t max,
                   uint32_t *ret)
{
    const TreeNode *json = event_tree_get(query->root, str_from(member));
    *ret = missing;
    if (!json || json->kind == FIELD_NULL) return OK;
    if (query_is_whole(json, min, max, ret)) return OK;
    return err_set_field(query->err, member, "a whole number from %u to %u was expected", min, max);
}

Status query_word(Query *query, const char *member, uint32_t missing, const char *const *words,
                  uint32_t *ret)
{
    const TreeNode *json = event_tree_get(query->root, str_from(member));
    char all[160] = "";
    *ret = missing;
    if (!json || json->kind == FIELD_NULL) return OK;
    for (uint32_t at = 0; words[at]; at++) {
        if (json->kind == FIELD_STRING && str_equal(json->text, str_from(words[at]))) return *ret = at, OK;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", at ? ", " : "", words[at]);
    }
    return err_set_field(query->err, member, "one of %s was expected", all);
}

/* ---- Which events ---- */

/* A value for "=" may be anything that answers show; a value for "<" and the like or for "contains" must be a
 * scalar. */
static Status query_filter_value(Query *query, const Filter *filter, const TreeNode *json, const char *place,
                                 IndexValue *ret)
{
    if (filter->op == OP_EQUAL) {
        if (value_of_question(json, query->arena, ret)) return OK;
        return refuse(query->err, place, "a string, a number, a boolean, null or a list of such was expected");
    }
    if (value_of_scalar(json, ret)) return OK;
    return refuse(query->err, place, "a string, a number or a boolean was expected");
}

/* The name of the field's column or trait; false: it is no field. */
static bool split_field(Str text, FieldOf *ret_of, Str *ret_field)
{
    static const struct { const char *word, *column; FieldOf of; } words[] = {
        { "source", "source", OF_COLUMN }, { "category", "category", OF_COLUMN }, { "groupId", "groupId", OF_COLUMN },
        { "library", "context.library.name", OF_COLUMN }, { "name", "name", OF_NAME }, { "type", "type", OF_TYPE },
        { "userId", "userId", OF_USER },
    };
    *ret_of = str_starts(text, STR("traits.")) ? OF_TRAIT : OF_COLUMN;
    *ret_field = *ret_of == OF_TRAIT ? str_slice(text, 7, text.len) : text;
    if (*ret_of == OF_TRAIT) return ret_field->len > 0;
    for (size_t at = 0; at < countof(words); at++) {
        if (!str_equal(text, str_from(words[at].word))) continue;
        *ret_of = words[at].of, *ret_field = str_from(words[at].column);
        return true;
    }
    return (str_starts(text, STR("properties.")) && text.len > 11)
        || (str_starts(text, STR("context.")) && text.len > 8);
}

static const char FIELD_SHAPES[] = "properties.NAME, context.NAME, traits.NAME, userId, groupId, name, type, library, "
                                   "source or category was expected";

/* The operation that the word of {"op": …} means, and whether it is negated; false: there is no such word. */
static bool find_op(Str word, Filter *filter, bool *ret_is_list)
{
    static const struct { const char *word; FilterOp op; bool is_negated, is_list; } ops[] = {
        { "=", OP_EQUAL, false, false }, { "!=", OP_EQUAL, true, false },
        { "in", OP_EQUAL, false, true }, { "not in", OP_EQUAL, true, true },
        { "<", OP_LESS, false, false }, { "<=", OP_LESS_OR_EQUAL, false, false },
        { ">", OP_GREATER, false, false }, { ">=", OP_GREATER_OR_EQUAL, false, false },
        { "contains", OP_CONTAINS, false, false }, { "not contains", OP_CONTAINS, true, false },
        { "exists", OP_EXISTS, false, false }, { "not exists", OP_EXISTS, true, false },
    };
    for (size_t at = 0; at < countof(ops); at++) {
        if (!str_equal(word, str_from(ops[at].word))) continue;
        filter->op = ops[at].op, filter->is_negated = ops[at].is_negated;
        *ret_is_list = ops[at].is_list;
        return true;
    }
    return false;
}

static Status filter_values(Query *query, const TreeNode *value, const char *place, bool is_list,
                            Filter *filter)
{
    Status s = OK;
    if (filter->op == OP_EXISTS) {
        if (value && value->kind != FIELD_BOOL)
            return refuse(query->err, place, "true or false was expected");
        if (value && !value->truth) filter->is_negated = !filter->is_negated;
        return OK;
    }
    if (!value) return refuse(query->err, place, "is missing");
    is_list |= filter->op == OP_CONTAINS && value->kind == FIELD_ARRAY;
    if (is_list && (value->kind != FIELD_ARRAY || value->count == 0 || value->count > FILTER_VALUES_MAX))
        return err_set_field(query->err, place, "a list of 1 to %d values was expected", FILTER_VALUES_MAX);
    filter->value_count = is_list ? value->count : 1;
    IndexValue *values = arena_try(query->arena, sizeof *values, _Alignof(IndexValue), filter->value_count);
    if (!values) return err_set(query->err, ERR_TOO_LARGE, "the question is too large");
    filter->values = values;
    if (!is_list) s = query_filter_value(query, filter, value, place, values);
    else {
        for (const TreeNode *item = value->first; item && !s; item = item->next)
            s = query_filter_value(query, filter, item, place, values++);
        if (!s) qsort((void *)(uintptr_t)filter->values, filter->value_count, sizeof *values, value_order);
    }
    if (!s && filter->op != OP_EQUAL && filter->op != OP_CONTAINS && filter->values[0].kind == INDEX_BOOL)
        s = refuse(query->err, place, "a number or a string was expected");
    return s;
}

static bool has_traits(const Query *query)
{
    return query->is_of_groups ? query->world->find_group_trait != NULL : query->world->find_trait != NULL;
}

static Status query_filter(Query *query, const TreeNode *json, const char *place, Filter *ret)
{
    static const char *const allowed[] = { "field", "op", "value", NULL };
    char where[PLACE_BYTES];
    bool is_list = false;
    *ret = (Filter){ 0 };
    if (json->kind != FIELD_OBJECT)
        return refuse(query->err, place, "an object {field, op, value} was expected");
    Status s = query_refuse_others(json, place, allowed, query->err);
    if (s) return s;
    const TreeNode *field = event_tree_get(json, STR("field")), *op = event_tree_get(json, STR("op"));
    snprintf(where, sizeof where, "%s.field", place);
    if (!field || field->kind != FIELD_STRING || !split_field(field->text, &ret->of, &ret->field))
        return refuse(query->err, where, FIELD_SHAPES);
    ret->is_trait = ret->of == OF_TRAIT;
    ret->label = field->text;
    if (ret->of == OF_USER && !query->world->people->visit_users)
        return refuse(query->err, where, "there are no user ids here");
    if (ret->is_trait && !has_traits(query))
        return refuse(query->err, where, "there are no traits here");
    snprintf(where, sizeof where, "%s.op", place);
    if (!op || op->kind != FIELD_STRING || !find_op(op->text, ret, &is_list))
        return refuse(query->err, where,
                      "one of =, !=, in, not in, <, <=, >, >=, contains, not contains, exists, "
                                           "not exists was expected");
    snprintf(where, sizeof where, "%s.value", place);
    return filter_values(query, event_tree_get(json, STR("value")), where, is_list, ret);
}

Status query_filters(Query *query, const TreeNode *json, const char *place, FilterList *ret_events,
                     FilterList *ret_traits)
{
    char where[PLACE_BYTES];
    uint32_t number = 0;
    *ret_events = *ret_traits = (FilterList){ 0 };
    if (!json || json->kind == FIELD_NULL) return OK;
    if (json->kind != FIELD_ARRAY || json->count > FILTERS_MAX)
        return err_set_field(query->err, place, "a list of at most %d filters was expected", FILTERS_MAX);
    Filter *events = arena_new(query->arena, Filter, FILTERS_MAX);
    Filter *traits = arena_new(query->arena, Filter, FILTERS_MAX);
    *ret_events = (FilterList){ events, 0 };
    *ret_traits = (FilterList){ traits, 0 };
    for (const TreeNode *item = json->first; item; item = item->next, number++) {
        Filter filter;
        snprintf(where, sizeof where, "%s[%u]", place, number);
        Status s = query_filter(query, item, where, &filter);
        if (s) return s;
        if (filter.is_trait) traits[ret_traits->count++] = filter;
        else events[ret_events->count++] = filter;
    }
    return OK;
}

/* "page=Home": exactly the events that an answer calls Home; "page=": those without a name. */
static bool read_exact(Str text, Selector *ret)
{
    Str name, word = str_cut(text, '=', &name);
    if (word.len == text.len || event_type_from(word) == EVENT_NONE) return false;
    ret->type = event_type_from(word);
    ret->name = name;
    ret->is_called = ret->type == EVENT_PAGE && name.len;
    return true;
}

/* "page:/pricing", "screen:Home", "*", "identify", or the name of a tracked event. */
void selector_read_text(Str text, Selector *ret)
{
    bool is_page = str_starts(text, STR("page:")), is_screen = str_starts(text, STR("screen:"));
    ret->label = ret->name = text;
    ret->type = EVENT_TRACK;
    if (str_equal(text, STR("*"))) ret->type = EVENT_NONE, ret->is_any_name = true;
    else if (str_equal(text, STR("(not indexed)"))) ret->type = EVENT_NONE, ret->is_unindexed = true;
    else if (str_equal(text, STR("identify")) || str_equal(text, STR("group")) || str_equal(text, STR("alias")))
        ret->type = event_type_from(text), ret->is_any_name = true;
    else if (is_page || is_screen) {
        ret->type = is_page ? EVENT_PAGE : EVENT_SCREEN;
        ret->name = str_slice(text, is_page ? 5 : 7, text.len);
        ret->is_any_name = str_equal(ret->name, STR("*"));
        ret->is_path = ret->name.len > 0;
        ret->is_called = is_page && !ret->name.len;
    } else (void)read_exact(text, ret);
}

/* {"event": "…", "type": "page"}: if there is a type, the event's text is only a name. */
static Status selector_type(Query *query, const TreeNode *type, const char *place, Selector *ret)
{
    if (!type) return OK;
    EventType found = type->kind == FIELD_STRING ? event_type_from(type->text) : EVENT_NONE;
    if (found == EVENT_NONE)
        return refuse(query->err, place, "one of track, page, screen, identify, group, alias was expected");
    ret->name = ret->label;
    ret->type = found;
    ret->is_any_name = ret->label.len == 0 || str_equal(ret->label, STR("*"));
    ret->is_path = found == EVENT_PAGE || found == EVENT_SCREEN;
    ret->is_called = ret->is_unindexed = false;
    if (!ret->label.len) ret->label = type->text;
    return OK;
}

static Status selector_object(Query *query, const TreeNode *json, const char *place, const char *const *others,
                              Selector *ret)
{
    const char *allowed[16] = { "event", "type", "where", NULL };
    char where[PLACE_BYTES];
    for (size_t at = 0; others && others[at]; at++) allowed[3 + at] = others[at], allowed[4 + at] = NULL;
    Status s = query_refuse_others(json, place, allowed, query->err);
    if (s) return s;
    const TreeNode *event = event_tree_get(json, STR("event")), *type = event_tree_get(json, STR("type"));
    snprintf(where, sizeof where, "%s.event", place);
    if ((!event && !type) || (event && (event->kind != FIELD_STRING || (event->text.len == 0 && !type))))
        return refuse(query->err, where, "an event's name was expected");
    selector_read_text(event ? event->text : STR(""), ret);
    snprintf(where, sizeof where, "%s.type", place);
    s = selector_type(query, type, where, ret);
    if (s) return s;
    snprintf(where, sizeof where, "%s.where", place);
    return query_filters(query, event_tree_get(json, STR("where")), where, &ret->filters, &ret->traits);
}

static FilterList join_filters(Query *query, FilterList own, FilterList common)
{
    Filter *all = arena_new(query->arena, Filter, own.count + common.count);
    if (own.count) memcpy(all, own.items, own.count * sizeof *all);
    if (common.count) memcpy(all + own.count, common.items, common.count * sizeof *all);
    return (FilterList){ all, own.count + common.count };
}

Status query_selector(Query *query, const TreeNode *json, const char *place, const char *const *others,
                      Selector *ret)
{
    Status s = OK;
    *ret = (Selector){ 0 };
    if (!json) return refuse(query->err, place, "is missing");
    if (json->kind == FIELD_STRING && json->text.len) selector_read_text(json->text, ret);
    else if (json->kind != FIELD_OBJECT)
        return refuse(query->err, place, "an event's name or an object {event, where} was expected");
    else s = selector_object(query, json, place, others, ret);
    if (s || query->filters.count + query->traits.count == 0) return s;
    ret->filters = join_filters(query, ret->filters, query->filters);
    ret->traits = join_filters(query, ret->traits, query->traits);
    return OK;
}

Status query_event(Query *query, const char *member, const char *missing, Selector *ret)
{
    const TreeNode *json = event_tree_get(query->root, str_from(member));
    TreeNode fallback = { .kind = FIELD_STRING, .text = str_from(missing) };
    if (missing && (!json || json->kind == FIELD_NULL)) json = &fallback;
    return query_selector(query, json, member, NULL, ret);
}

static const char *const units[] = { "hour", "day", "week", "month", "quarter", NULL };
static const char *const weekdays[]
    = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", NULL };

Status query_unit(Query *query, ZoneUnit least, ZoneUnit *ret)
{
    uint32_t unit, week_start = 0;
    Status s = query_word(query, "unit", ZONE_DAY - least, units + least, &unit);
    if (!s) s = query_word(query, "week_start", 0, weekdays, &week_start);
    if (s) return s;
    *ret = (ZoneUnit)(unit + least);
    query->zone.week_start = (int)week_start;
    return OK;
}

void query_write_unit(const Query *query, ZoneUnit unit, struct buf *answer)
{
    json_word(answer, "unit", units[unit]);
    if (unit == ZONE_WEEK) json_word(answer, "week_start", weekdays[query->zone.week_start]);
}

Status query_field(Query *query, const TreeNode *json, const char *place, Str *ret)
{
    FieldOf of;
    *ret = (Str){ 0 };
    if (!json || json->kind == FIELD_NULL) return OK;
    if (json->kind != FIELD_STRING || !split_field(json->text, &of, ret) || of != OF_COLUMN)
        return refuse(query->err, place,
                      "properties.NAME, context.NAME, groupId, library, source or category was expected");
    return OK;
}

Status query_breakdown(Query *query, const char *member, bool may_be_event, Breakdown *ret)
{
    const TreeNode *json = event_tree_get(query->root, str_from(member));
    *ret = (Breakdown){ 0 };
    if (!json || json->kind == FIELD_NULL) return OK;
    if (may_be_event && json->kind == FIELD_STRING && str_equal(json->text, STR("event"))) {
        *ret = (Breakdown){ .is_given = true, .is_event = true, .label = json->text };
        return OK;
    }
    if (json->kind != FIELD_STRING || !split_field(json->text, &ret->of, &ret->field))
        return refuse(query->err, member, FIELD_SHAPES);
    ret->is_trait = ret->of == OF_TRAIT;
    if (ret->of == OF_USER && !query->world->people->visit_users)
        return refuse(query->err, member, "there are no user ids here");
    if (ret->is_trait && !has_traits(query))
        return refuse(query->err, member, "there are no traits here");
    ret->is_given = true;
    ret->label = json->text;
    return OK;
}
