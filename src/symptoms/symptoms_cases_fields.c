/* symptoms_cases_fields: the fields of a view's events, by event, source and version: which types they have, which
 * versions lost one, how large their numbers are.
 *
 * Events are sorted by type, name and source. So all versions of one source are next to each other, and so are all
 * sources of one event. Within such a group the fields are sorted by name. */
#include "symptoms_judge.h"

#include <stdio.h>
#include <stdlib.h>

enum { VANISHED_FROM = 200, VANISHED_OF = 50, VANISHED_PERCENT = 99, LEFT_PERCENT = 95, KEYS_LEAST = 10,
    SCALE_LEAST = 20,
       DETAIL_BYTES = 400 };

/* A field of one event of one origin. */
struct place { const SymptomEvent *event; const SymptomField *field; };

struct typed_list;
struct group {
    const struct judging *judging;
    const SymptomEvent **events;            /* of one type and name; where the source matters, of one source */
    uint32_t event_count;
    struct place *fields;                   /* of these events, by name; there is room for all fields of a view */
    uint32_t field_count;
    struct typed_list *types;               /* PR-2 */
};

static Str path_of(const struct group *group, const SymptomField *field)
{
    EventType type = group->events[0]->type;
    bool is_trait = type == EVENT_IDENTIFY || type == EVENT_GROUP;
    return arena_printf(group->judging->arena, "%s%.*s", is_trait ? "traits." : "properties.", STR_FORMAT(field->name));
}

/* What an event without a name is called: its type. */
static Str name_of(const SymptomEvent *event)
{
    return event->name.len ? event->name : str_from(event_type_word(event->type));
}

static void tell(const struct group *group, const char *code, const struct place *place, Str detail, uint64_t count,
                 uint64_t of)
{
    SymptomCase found = judge_begin(group->judging, code, place->event->origin);
    const SymptomField *field = place->field;
    found.event = name_of(place->event);
    if (field) found.field = path_of(group, field);
    found.detail = detail;
    found.count = count, found.of = of;
    found.first_ms = field ? field->first_ms : place->event->first_ms;
    found.last_ms = field ? field->last_ms : place->event->last_ms;
    group->judging->visit(group->judging->context, &found);
}

/* ---- Types ---- */

/* How types are compared: every text counts as text, whatever it looks like, unless the field usually has numbers or
 * booleans. */
enum kind { KIND_BOOLEAN, KIND_NUMBER, KIND_TEXT, KIND_LIST, KIND_OBJECT, KINDS };
static const char *const kind_words[KINDS] = { "boolean", "number", "text", "list", "object" };

static void add_kinds(const SymptomField *field, uint64_t kinds[KINDS])
{
    kinds[KIND_BOOLEAN] += field->types[TYPE_BOOLEAN];
    kinds[KIND_NUMBER] += field->types[TYPE_NUMBER];
    kinds[KIND_TEXT] += field->types[TYPE_TEXT] + field->types[TYPE_TEXT_NUMBER] + field->types[TYPE_TEXT_BOOLEAN]
                      + field->types[TYPE_TEXT_DATE];
    kinds[KIND_LIST] += field->types[TYPE_LIST];
    kinds[KIND_OBJECT] += field->types[TYPE_OBJECT];
}

static int usual_kind(const uint64_t kinds[KINDS])
{
    int usual = 0;
    for (int kind = 1; kind < KINDS; kind++)
        if (kinds[kind] > kinds[usual]) usual = kind;
    return usual;
}

static Str drift_of(const struct group *group, const SymptomField *field, int kind, int usual)
{
    uint64_t text = field->types[TYPE_TEXT];
    if (kind == KIND_TEXT && usual == KIND_NUMBER
        && field->types[TYPE_TEXT_NUMBER] > text) return STR("number as text");
    if (kind == KIND_TEXT && usual == KIND_BOOLEAN && field->types[TYPE_TEXT_BOOLEAN] > text)
        return STR("boolean as text");
    return arena_printf(group->judging->arena, "%s where %s is usual", kind_words[kind], kind_words[usual]);
}

/* PR-1 */
static void tell_drift(const struct group *group, const struct place *places, uint32_t count)
{
    uint64_t kinds[KINDS] = { 0 }, all = 0;
    for (uint32_t at = 0; at < count; at++) add_kinds(places[at].field, kinds);
    int usual = usual_kind(kinds);
    for (int kind = 0; kind < KINDS; kind++) all += kinds[kind];
    if (kinds[usual] == all) return;
    for (uint32_t at = 0; at < count; at++) {
        uint64_t own[KINDS] = { 0 };
        add_kinds(places[at].field, own);
        for (int kind = 0; kind < KINDS; kind++)
            if (kind != usual && own[kind])
                tell(group, "PR-1", &places[at], drift_of(group, places[at].field, kind, usual), own[kind], all);
    }
}

/* PR-4 */
static void tell_junk(const struct group *group, const struct place *places, uint32_t count)
{
    uint64_t all = 0;
    for (uint32_t at = 0; at < count; at++)
        for (int type = 0; type < SYMPTOM_TYPES; type++) all += places[at].field->types[type];
    for (uint32_t at = 0; at < count; at++) {
        uint64_t junk = places[at].field->types[TYPE_TEXT_JUNK], empty = places[at].field->types[TYPE_EMPTY];
        if (junk) tell(group, "PR-4", &places[at], STR("junk"), junk, all);
        if (empty) tell(group, "PR-4", &places[at], STR("empty text"), empty, all);
    }
}

/* ---- PR-3: a field that a version lost ---- */

static uint64_t given(const SymptomField *field)
{
    uint64_t count = 0;
    for (int type = 0; type < SYMPTOM_TYPES; type++) count += type == TYPE_NULL ? 0 : field->types[type];
    return count;
}

static uint64_t given_in(const struct place *places, uint32_t count, const SymptomEvent *event)
{
    for (uint32_t at = 0; at < count; at++)
        if (places[at].event == event) return given(places[at].field);
    return 0;
}

static bool is_same_library(const struct group *group, const SymptomEvent *a, const SymptomEvent *b)
{
    const SymptomOrigin *origins = group->judging->day->origins;
    return str_equal(origins[a->origin].library, origins[b->origin].library);
}

static void tell_vanished(const struct group *group, const struct place *places, uint32_t count)
{
    for (uint32_t at = 0; at < group->event_count; at++) {
        const SymptomEvent *event = group->events[at];
        uint64_t has = given_in(places, count, event), had = 0, of = 0;
        if (event->count < VANISHED_OF || has * 100 >= event->count * LEFT_PERCENT) continue;
        for (uint32_t other = 0; other < count; other++) {
            const SymptomEvent *before = places[other].event;
            if (before == event || before->first_ms >= event->first_ms || !is_same_library(group, before,
                event)) continue;
            had += given(places[other].field);
            of += before->count;
        }
        if (of < VANISHED_FROM || had * 100 < of * VANISHED_PERCENT) continue;
        struct place place = { event, places[0].field };
        SymptomCase found = judge_begin(group->judging, "PR-3", event->origin);
        found.event = name_of(event), found.field = path_of(group, place.field);
        found.detail = arena_printf(group->judging->arena, "had by %llu of %llu before", (unsigned long long)had,
                                    (unsigned long long)of);
        found.count = event->count - has, found.of = event->count;
        found.first_ms = event->first_ms, found.last_ms = event->last_ms;
        group->judging->visit(group->judging->context, &found);
    }
}

/* ---- PR-5: keys that are values ---- */

static bool is_counted_key(Str name)
{
    char room[SYMPTOM_FOLD_BYTES];
    Str template = symptoms_name_template(name, room);
    size_t digits = 0;
    for (size_t at = 0; at < name.len; at++) digits += name.bytes[at] >= '0' && name.bytes[at] <= '9';
    return digits >= 1 && template.len && memchr(template.bytes, '#', template.len);
}

static void tell_explosion(const struct group *group)
{
    const SymptomEvent *worst = group->events[0];
    uint64_t over = 0, counted = 0, names = 0;
    Str example = { 0 }, before = { 0 };
    for (uint32_t at = 0; at < group->field_count; at++) {
        Str name = group->fields[at].field->name;
        if (at && str_equal(name, before)) continue;
        before = name;
        names++;
        if (!is_counted_key(name)) continue;
        counted++;
        example = name;
    }
    for (uint32_t at = 0; at < group->event_count; at++) {
        over += group->events[at]->over_fields;
        if (group->events[at]->over_fields > worst->over_fields) worst = group->events[at];
    }
    if (!over && counted < KEYS_LEAST) return;
    struct place place = { worst, NULL };
    tell(group, "PR-5", &place, over ? STR("over the ceiling") : example, over ? names + 1 : counted,
        names + (over > 0));
}

/* ---- PR-6: cents or dollars ---- */

/* The amount that percent of the numbers are below. */
static double quantile(const SymptomNumbers *numbers, unsigned percent)
{
    uint64_t all = symptoms_number_count(numbers), before = 0;
    for (int at = 0; at < SYMPTOM_BUCKETS; at++) {
        before += numbers->buckets[at];
        if (before * 100 > all * percent)
            return at == 0 ? 0 : __builtin_ldexp(1.125 + (at - 1) % 4 / 4.0, (at - 1) / 4 + SYMPTOM_BUCKET_LEAST);
    }
    return 0;
}

static bool is_about(double ratio, int scale, double slack) { return ratio > scale / slack && ratio < scale * slack; }

/* 10, 100 or 1,000 if the median and both quartiles of the larger numbers are about so many times those of the smaller
 * ones; otherwise 0. The median may be off by 20 percent and by what the width of a bucket adds; quartiles by more. */
static int scale_of(const SymptomNumbers *small, const SymptomNumbers *large)
{
    static const int scales[] = { 10, 100, 1000 };
    double middle = quantile(small, 50);
    if (middle <= 0 || quantile(small, 25) <= 0) return 0;
    for (size_t at = 0; at < countof(scales); at++)
        if (is_about(quantile(large, 50) / middle, scales[at], 1.3)
            && is_about(quantile(large, 25) / quantile(small, 25), scales[at], 1.6)
            && is_about(quantile(large, 75) / quantile(small, 75), scales[at], 1.6)) return scales[at];
    return 0;
}

static bool has_one_currency(const SymptomEvent *a, const SymptomEvent *b)
{
    return !memcmp(a->currencies, b->currencies, sizeof a->currencies) && !a->currencies[1][0];
}

static Str version_words(const struct group *group, const SymptomEvent *event)
{
    const SymptomOrigin *origin = &group->judging->day->origins[event->origin];
    return arena_printf(group->judging->arena, "%.*s %.*s %.*s %.*s", STR_FORMAT(origin->source),
                        STR_FORMAT(origin->library), STR_FORMAT(origin->version), STR_FORMAT(origin->app_version));
}

/* Compares each origin with the one that has most numbers. A factor of ten is believed only if the event has a
 * currency, so that the field is about money. */
static void tell_scale(const struct group *group, const struct place *places, uint32_t count)
{
    const struct place *usual = NULL;
    uint64_t most = 0;
    for (uint32_t at = 0; at < count; at++) {
        uint64_t numbers = symptoms_number_count(places[at].field->numbers);
        if (numbers > most) most = numbers, usual = &places[at];
    }
    for (uint32_t at = 0; usual && at < count; at++) {
        const SymptomNumbers *numbers = places[at].field->numbers;
        uint64_t own = symptoms_number_count(numbers);
        if (&places[at] == usual || own < SCALE_LEAST || !has_one_currency(usual->event, places[at].event)) continue;
        int larger = scale_of(usual->field->numbers, numbers), smaller = scale_of(numbers, usual->field->numbers);
        int scale = larger ? larger : smaller;
        if (!scale || (scale == 10 && !usual->event->currencies[0][0])) continue;
        Str detail = arena_printf(group->judging->arena, "%s%d of %.*s", larger ? "x" : "1/", scale,
                                  STR_FORMAT(str_trim(version_words(group, usual->event))));
        tell(group, "PR-6", &places[at], detail, own, own + most);
    }
}

/* ---- PR-2: one name, two types ---- */

/* A field of an event: all versions of it together. */
struct typed { Str field,
    event; const SymptomEvent *of; const SymptomField *in; uint64_t count; uint32_t source; int kind; };
struct typed_list { struct typed *items; size_t count, capacity; };

static void note_type(const struct group *group, const struct place *places, uint32_t count)
{
    uint64_t kinds[KINDS] = { 0 }, all = 0;
    for (uint32_t at = 0; at < count; at++) add_kinds(places[at].field, kinds);
    for (int kind = 0; kind < KINDS; kind++) all += kinds[kind];
    int usual = usual_kind(kinds);
    struct typed_list *list = group->types;
    if (all < 10 || kinds[usual] * 100 < all * 95) return;   /* this is a case of PR-1 */
    check(vector_reserve(list->items, list->capacity, list->count + 1, UINT32_MAX));
    list->items[list->count++] = (struct typed){
        .field = places[0].field->name, .event = name_of(places[0].event), .of = places[0].event,
        .in = places[0].field, .count = all, .kind = usual,
        .source = group->judging->source_of[places[0].event->origin],
    };
}

static int compare_typed(const void *a, const void *b)
{
    const struct typed *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    int by_field = str_compare(x->field, y->field);
    if (by_field) return by_field;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return str_compare(x->event, y->event);
}

/* The first event of each field is the most frequent one; the others are compared with it. */
static void tell_types(const struct judging *judging, struct typed_list *list)
{
    size_t first = 0;
    if (list->count) qsort(list->items, list->count, sizeof *list->items, compare_typed);
    for (size_t at = 1; at < list->count; at++) {
        const struct typed *usual = &list->items[first], *other = &list->items[at];
        if (usual->source != other->source || !str_equal(usual->field, other->field)) {
            first = at;
            continue;
        }
        if (usual->kind == other->kind || usual->of->type != other->of->type) continue;
        const SymptomEvent *events[] = { other->of };
        struct group group = { .judging = judging, .events = events, .event_count = 1 };
        struct place place = { other->of, other->in };
        Str detail = arena_printf(judging->arena, "%s; %s in %.*s", kind_words[other->kind], kind_words[usual->kind],
                                  STR_FORMAT(usual->event));
        tell(&group, "PR-2", &place, detail, other->count, other->count + usual->count);
    }
    free(list->items);
}

/* ---- Groups ---- */

static int compare_events(const void *a, const void *b, void *context)
{
    const struct judging *judging = context;
    const SymptomEvent *x = *(const SymptomEvent *const *)a, *y = *(const SymptomEvent *const *)b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    int by_name = str_compare(x->name, y->name);
    if (by_name) return by_name;
    uint32_t source_x = judging->source_of[x->origin], source_y = judging->source_of[y->origin];
    if (source_x != source_y) return source_x < source_y ? -1 : 1;
    return x->origin < y->origin ? -1 : x->origin > y->origin;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int by_name = str_compare(x->field->name, y->field->name);
    if (by_name) return by_name;
    return x->event->origin < y->event->origin ? -1 : x->event->origin > y->event->origin;
}

static void list_fields(struct group *group)
{
    group->field_count = 0;
    for (uint32_t at = 0; at < group->event_count; at++) {
        const SymptomEvent *event = group->events[at];
        for (uint32_t field = 0; field < event->field_count; field++)
            group->fields[group->field_count++] = (struct place){ event, &event->fields[field] };
    }
    qsort(group->fields, group->field_count, sizeof *group->fields, compare_places);
}

/* Calls judge once for each field of the group, with all its places. */
static void each_field(const struct group *group, void (*judge)(const struct group *, const struct place *, uint32_t))
{
    for (uint32_t first = 0, at = 1; at <= group->field_count; at++) {
        if (at < group->field_count && str_equal(group->fields[at].field->name,
            group->fields[first].field->name)) continue;
        judge(group, group->fields + first, at - first);
        first = at;
    }
}

static void judge_source(struct group group)
{
    list_fields(&group);
    each_field(&group, tell_drift);
    each_field(&group, tell_junk);
    each_field(&group, tell_vanished);
    each_field(&group, note_type);
    tell_explosion(&group);
}

static bool is_same_event(const SymptomEvent *a, const SymptomEvent *b)
{
    return a->type == b->type && str_equal(a->name, b->name);
}

static void judge_event(struct group group)
{
    const struct judging *judging = group.judging;
    list_fields(&group);
    each_field(&group, tell_scale);
    for (uint32_t first = 0, at = 1; at <= group.event_count; at++) {
        bool is_same = at < group.event_count && judging->source_of[group.events[at]->origin]
                                              == judging->source_of[group.events[first]->origin];
        if (is_same) continue;
        struct group part = group;
        part.events = group.events + first, part.event_count = at - first;
        judge_source(part);
        first = at;
    }
}

void judge_fields(struct judging *judging)
{
    const SymptomDay *day = judging->day;
    const SymptomEvent **events = calloc(day->event_count + 1, sizeof *events);
    struct typed_list list = { 0 };
    size_t fields = 0;
    uint32_t count = 0;
    check(events);
    for (uint32_t at = 0; at < day->event_count; at++) {
        if (day->events[at].is_over || judging->source_of[day->events[at].origin] == JUDGING_NONE) continue;
        events[count++] = &day->events[at];
        fields += day->events[at].field_count;
    }
    struct place *places = calloc(fields + 1, sizeof *places);
    check(places);
    qsort_r(events, count, sizeof(SymptomEvent *), compare_events, judging);
    for (uint32_t first = 0, at = 1; at <= count; at++) {
        if (at < count && is_same_event(events[at], events[first])) continue;
        judge_event((struct group){ .judging = judging, .events = events + first, .event_count = at - first,
                                    .fields = places, .types = &list });
        first = at;
    }
    tell_types(judging, &list);
    free(places);
    free(events);
}
