/* symptoms_cases_names: the names of a view's track events, compared with each other. A name that several sources send
 * is one name.
 *
 * Comparing each name with every other one would take too long. Equal folds and equal bags are found by sorting. So are
 * names that are one edit apart: if one byte is left out of both, or of one of them, the rest is the same text. */
#include "symptoms_judge.h"
#include "symptoms_names.h"

#include <stdlib.h>

enum { TEMPLATE_LEAST = 10, CASE_LEAST = 5, CASE_PERCENT = 80, EDITS_MOST = 1 << 21, ONE_DAY_WINDOW = 7 };

struct name {
    Str text;
    uint64_t count, most;                   /* messages; those of the origin with most */
    uint32_t origin;
    Millis first_ms, last_ms;
    uint64_t days[2];
    bool is_paired;                         /* a case has named it already as the rarer one of two */
    bool is_templated;
};

struct names { struct name *items; uint32_t count; uint64_t all; };

static int compare_names(const void *a, const void *b)
{
    return str_compare(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static void join(struct name *name, const struct name *other)
{
    name->count += other->count;
    if (other->most > name->most) name->most = other->most, name->origin = other->origin;
    day_see(&name->first_ms, &name->last_ms, other->first_ms, false);
    day_see(&name->first_ms, &name->last_ms, other->last_ms, false);
    name->days[0] |= other->days[0], name->days[1] |= other->days[1];
}

static struct names gather(const struct judging *judging)
{
    const SymptomDay *day = judging->day;
    struct names names = { calloc(day->event_count + 1, sizeof *names.items), 0, 0 };
    uint32_t kept = 0;
    check(names.items);
    for (uint32_t at = 0; at < day->event_count; at++) {
        const SymptomEvent *event = &day->events[at];
        if (event->is_over || event->type != EVENT_TRACK || judging->source_of[event->origin] == JUDGING_NONE) continue;
        names.items[names.count++] = (struct name){ .text = event->name, .count = event->count, .most = event->count,
            .origin = event->origin, .first_ms = event->first_ms, .last_ms = event->last_ms,
            .days = { event->days[0], event->days[1] } };
        names.all += event->count;
    }
    qsort(names.items, names.count, sizeof *names.items, compare_names);
    for (uint32_t at = 0; at < names.count; at++) {
        if (kept && str_equal(names.items[kept - 1].text, names.items[at].text))
            join(&names.items[kept - 1], &names.items[at]);
        else names.items[kept++] = names.items[at];
    }
    names.count = kept;
    return names;
}

static void tell(const struct judging *judging, const char *code, const struct name *name, Str detail, uint64_t count,
                 uint64_t of)
{
    SymptomCase found = judge_begin(judging, code, name->origin);
    found.event = name->text, found.detail = detail;
    found.count = count, found.of = of;
    found.first_ms = name->first_ms, found.last_ms = name->last_ms;
    judging->visit(judging->context, &found);
}

/* ---- NM-1 ---- */

/* The hash of a text that is made from a name: its fold, its bag, or its fold without one byte. */
struct trace { uint64_t hash; uint32_t name; };

static int compare_traces(const void *a, const void *b)
{
    const struct trace *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->name < y->name ? -1 : x->name > y->name;
}

static void tell_pair(const struct judging *judging, struct name *a, struct name *b)
{
    bool is_rarer = a->count != b->count ? a->count < b->count : str_compare(a->text, b->text) > 0;
    struct name *rare = is_rarer ? a : b, *usual = is_rarer ? b : a;
    if (rare->is_paired || rare->is_templated || usual->is_templated || !symptoms_is_near_name(a->text,
        b->text)) return;
    rare->is_paired = true;
    tell(judging, "NM-1", rare, usual->text, rare->count, rare->count + usual->count);
}

static size_t add_traces(struct trace *traces, size_t count, Str name, uint32_t place)
{
    char room[SYMPTOM_FOLD_BYTES], bag[2 * SYMPTOM_FOLD_BYTES], without[SYMPTOM_FOLD_BYTES];
    Str fold = symptoms_fold_name(name, room);
    if (!fold.len) return count;
    traces[count++] = (struct trace){ hash_64(fold, 1), place };
    traces[count++] = (struct trace){ hash_64(names_bag(name, bag), 2), place };
    for (size_t at = 0; fold.len >= NAMES_EDIT_LEAST && at < fold.len && count < EDITS_MOST - 2; at++) {
        memcpy(without, fold.bytes, at);
        memcpy(without + at, fold.bytes + at + 1, fold.len - at - 1);
        traces[count++] = (struct trace){ hash_64(str_of(without, fold.len - 1), 1), place };
    }
    return count;
}

/* Compares names that share a trace; few do. If more than a hundred share one (a template), a name is compared only
 * with the hundred after it. */
static void tell_pairs(const struct judging *judging, struct names *names)
{
    struct trace *traces = malloc(EDITS_MOST * sizeof *traces);
    size_t count = 0;
    check(traces);
    for (uint32_t at = 0; at < names->count && count < EDITS_MOST - 2; at++)
        count = add_traces(traces, count, names->items[at].text, at);
    qsort(traces, count, sizeof *traces, compare_traces);
    for (size_t at = 0; at < count; at++)
        for (size_t other = at + 1; other < count && other < at + 100 && traces[other].hash == traces[at].hash; other++)
            if (traces[other].name != traces[at].name)
                tell_pair(judging, &names->items[traces[at].name], &names->items[traces[other].name]);
    free(traces);
}

/* ---- NM-2 ---- */

static int compare_by_template(const void *a, const void *b)
{
    char room_a[SYMPTOM_FOLD_BYTES], room_b[SYMPTOM_FOLD_BYTES];
    const struct name *const *x = a, *const *y = b;
    int by_template = str_compare(symptoms_name_template((*x)->text, room_a), symptoms_name_template((*y)->text,
        room_b));
    return by_template ? by_template : str_compare((*x)->text, (*y)->text);
}

static void tell_template(const struct judging *judging, const struct names *names, struct name **group, uint32_t count)
{
    char room[SYMPTOM_FOLD_BYTES];
    struct name sum = *group[0];
    Str template = symptoms_name_template(sum.text, room);
    if (count < TEMPLATE_LEAST || !memchr(template.bytes, '#', template.len)) return;
    for (uint32_t at = 0; at < count; at++) {
        if (at) join(&sum, group[at]);
        group[at]->is_templated = true;
    }
    tell(judging, "NM-2", &sum, arena_copy(judging->arena, template), sum.count, names->all);
}

static void tell_templates(const struct judging *judging, struct names *names)
{
    struct name **order = calloc(names->count + 1, sizeof *order);
    char room_a[SYMPTOM_FOLD_BYTES], room_b[SYMPTOM_FOLD_BYTES];
    uint32_t count = 0, first = 0;
    check(order);
    for (uint32_t at = 0; at < names->count; at++) order[count++] = &names->items[at];
    qsort(order, count, sizeof(struct name *), compare_by_template);
    for (uint32_t at = 1; at <= count; at++) {
        if (at < count && str_equal(symptoms_name_template(order[first]->text, room_a),
                                    symptoms_name_template(order[at]->text, room_b))) continue;
        tell_template(judging, names, order + first, at - first);
        first = at;
    }
    free(order);
}

/* Names over the ceiling: an origin that has thousands of names has a template, too. */
static void tell_over(const struct judging *judging, const struct names *names)
{
    for (uint32_t at = 0; at < judging->day->event_count; at++) {
        const SymptomEvent *event = &judging->day->events[at];
        if (!event->is_over || judging->source_of[event->origin] == JUDGING_NONE) continue;
        struct name name = { .origin = event->origin, .first_ms = event->first_ms, .last_ms = event->last_ms };
        tell(judging, "NM-2", &name, STR("over the ceiling"), event->count, names->all + event->count);
    }
}

/* ---- NM-4 ---- */

static void tell_cases(const struct judging *judging, const struct names *names)
{
    static const char *const cases[] = { "Title Case", "Sentence case", "snake_case", "SNAKE_CASE", "kebab-case",
                                         "camelCase", "PascalCase", "lower case" };
    uint32_t best = 0, most = 0, with_case = 0;
    for (uint32_t at = 0; at < countof(cases); at++) {
        uint32_t fits = 0;
        with_case = 0;
        for (uint32_t name = 0; name < names->count; name++) {
            const char *one = symptoms_name_case(names->items[name].text);
            with_case++;
            fits += one && names_fits_case(one, cases[at]);
        }
        if (fits > most) most = fits, best = at;
    }
    if (names->count < CASE_LEAST || most * 100 < with_case * CASE_PERCENT) return;
    for (uint32_t at = 0; at < names->count; at++) {
        const struct name *name = &names->items[at];
        const char *one = symptoms_name_case(name->text);
        bool is_outlier = !one || !names_fits_case(one, cases[best]);
        if (is_outlier && !name->is_paired && !name->is_templated && !symptoms_odd_name(name->text))
            tell(judging, "NM-4", name, str_from(cases[best]), 1, names->count);
    }
}

/* ---- One name by itself ---- */

static int days_of(const struct name *name)
{
    return __builtin_popcountll(name->days[0]) + __builtin_popcountll(name->days[1]);
}

/* Was it seen on one day only, which is not one of the last two, in a window of a week or more? */
static bool is_of_one_day(const struct name *name, const uint64_t window[2])
{
    int length = __builtin_popcountll(window[0]) + __builtin_popcountll(window[1]);
    if (days_of(name) != 1 || length < ONE_DAY_WINDOW) return false;
    uint64_t high = name->days[1] ? name->days[1] : name->days[0], last = window[1] ? window[1] : window[0];
    if ((window[1] != 0) != (name->days[1] != 0)) return true;
    return (last >> 1) / 2 >= high;
}

static void tell_single(const struct judging *judging, const struct names *names)
{
    uint64_t window[2] = { 0 };
    for (uint32_t at = 0; at < names->count; at++)
        window[0] |= names->items[at].days[0], window[1] |= names->items[at].days[1];
    for (uint32_t at = 0; at < names->count; at++) {
        const struct name *name = &names->items[at];
        const char *odd = symptoms_odd_name(name->text);
        Str near = name->is_paired || name->is_templated ? (Str){ 0 } : symptoms_near_spec(name->text);
        if (odd) tell(judging, "NM-3", name, str_from(odd), name->count, names->all);
        if (near.len && !odd) tell(judging, "NM-5", name, near, name->count, name->count);
        if (symptoms_is_test_name(name->text)) tell(judging, "NM-7", name, (Str){ 0 }, name->count, names->all);
        if (!name->is_templated && is_of_one_day(name, window))
            tell(judging, "NM-8", name, (Str){ 0 }, name->count, names->all);
    }
}

void judge_names(struct judging *judging)
{
    struct names names = gather(judging);
    if (names.count) tell_templates(judging, &names);
    if (names.count) tell_pairs(judging, &names);
    tell_over(judging, &names);
    tell_cases(judging, &names);
    tell_single(judging, &names);
    free(names.items);
}
