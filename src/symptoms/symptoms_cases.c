/* symptoms_cases: makes cases from a view. A row becomes a case, with the total that it is a share of. Rows with shapes
 * of ids are compared first; names and fields have files of their own. */
#include "symptoms_judge.h"

#include <stdlib.h>

SymptomCase judge_begin(const struct judging *judging, const char *code, uint32_t origin)
{
    const SymptomOrigin *from = &judging->day->origins[origin];
    return (SymptomCase){ .code = code, .source = from->source, .library = from->library, .version = from->version,
                          .app_version = from->app_version };
}

/* ---- Totals ---- */

static uint32_t find_source(struct judging *judging, Str name)
{
    for (uint32_t at = judging->source_count; at > 0; at--)
        if (str_equal(judging->sources[at - 1], name)) return at - 1;
    judging->sources[judging->source_count] = name;
    return judging->source_count++;
}

static void add_sources(struct judging *judging)
{
    const SymptomDay *day = judging->day;
    size_t room = day->origin_count + 1;
    judging->source_of = calloc(room, sizeof *judging->source_of);
    judging->sources = calloc(room, sizeof *judging->sources);
    judging->tallies = calloc(room, sizeof *judging->tallies);
    check(judging->source_of && judging->sources && judging->tallies);
    for (uint32_t at = 0; at < day->origin_count; at++) {
        const SymptomOrigin *origin = &day->origins[at];
        bool is_asked_for = judging->with_imports || !origin->is_import;
        uint32_t source = is_asked_for ? find_source(judging, origin->source) : JUDGING_NONE;
        judging->source_of[at] = source;
        for (int tally = 0; source != JUDGING_NONE && tally < SYMPTOM_TALLIES; tally++)
            judging->tallies[source][tally] += origin->tallies[tally];
    }
}

/* Which tallies make the total for a code's cases; FROM_EVENT: the messages with the row's event make it. */
enum { FROM_EVENT = SYMPTOM_TALLIES, NOTHING };
static const uint8_t counted_of[SYMPTOM_CODES][2] = {
    [SYMPTOM_PLACEHOLDER_ID] = { TALLY_MESSAGES, NOTHING }, [SYMPTOM_ID_SHAPE] = { TALLY_USER, NOTHING },
    [SYMPTOM_ID_SPELLING] = { TALLY_USER, NOTHING }, [SYMPTOM_SKEW] = { TALLY_SENT_AT, NOTHING },
    [SYMPTOM_LOCAL_TIME] = { TALLY_SENT_AT, NOTHING }, [SYMPTOM_REPLACED_TIME] = { TALLY_MESSAGES, NOTHING },
    [SYMPTOM_OLD_AS_NEW] = { TALLY_SENT_AT, NOTHING }, [SYMPTOM_LATE] = { TALLY_MESSAGES, NOTHING },
    [SYMPTOM_DEV_TRAFFIC] = { TALLY_URLS, NOTHING }, [SYMPTOM_BOT] = { TALLY_MESSAGES, NOTHING },
    [SYMPTOM_REJECTED] = { TALLY_MESSAGES, TALLY_REJECTED }, [SYMPTOM_REPEAT] = { TALLY_MESSAGES, TALLY_REPEATS },
    [SYMPTOM_MONEY] = { FROM_EVENT, NOTHING }, [SYMPTOM_SECRET] = { FROM_EVENT, NOTHING },
    [SYMPTOM_PERSONAL_URL] = { TALLY_URLS, NOTHING }, [SYMPTOM_PERSONAL_FIELD] = { FROM_EVENT, NOTHING },
    [SYMPTOM_PERSONAL_TEXT] = { FROM_EVENT, NOTHING }, [SYMPTOM_PAGE_NAMELESS] = { TALLY_PAGES, NOTHING },
    [SYMPTOM_LONG_TEXT] = { FROM_EVENT, NOTHING }, [SYMPTOM_NO_MESSAGE_ID] = { TALLY_MESSAGES, NOTHING },
};

/* How many messages there are by the hash of source and name. If two hashes are equal, which happens once in a few
 * billion, both are counted together. */
struct event_total { uint64_t hash, count; };

static int compare_totals(const void *a, const void *b)
{
    uint64_t x = ((const struct event_total *)a)->hash, y = ((const struct event_total *)b)->hash;
    return x < y ? -1 : x > y;
}

static struct event_total *add_totals(const struct judging *judging, uint32_t *ret_count)
{
    const SymptomDay *day = judging->day;
    struct event_total *totals = calloc(day->event_count + 1, sizeof *totals);
    uint32_t count = 0, kept = 0;
    check(totals);
    for (uint32_t at = 0; at < day->event_count; at++) {
        uint32_t source = judging->source_of[day->events[at].origin];
        if (source == JUDGING_NONE) continue;
        totals[count++] = (struct event_total){ hash_64(day->events[at].name, source), day->events[at].count };
    }
    qsort(totals, count, sizeof *totals, compare_totals);
    for (uint32_t at = 0; at < count; at++) {
        if (kept && totals[kept - 1].hash == totals[at].hash) totals[kept - 1].count += totals[at].count;
        else totals[kept++] = totals[at];
    }
    *ret_count = kept;
    return totals;
}

static uint64_t count_of(const struct judging *judging, const SymptomRow *row, const struct event_total *totals,
                         uint32_t total_count)
{
    uint32_t source = judging->source_of[row->origin];
    uint64_t of = 0;
    for (int at = 0; at < 2; at++) {
        uint8_t what = counted_of[row->code][at];
        if (what < SYMPTOM_TALLIES) of += judging->tallies[source][what];
        if (what != FROM_EVENT) continue;
        struct event_total wanted = { hash_64(row->event, source), 0 };
        const struct event_total *found = bsearch(&wanted, totals, total_count, sizeof *totals, compare_totals);
        of += found ? found->count : 0;
    }
    return of;
}

/* ---- Rows ---- */

/* For each source: is more than half of its skew a time zone (CL-2)? Then the skew (CL-1) is no case of its own. */
static bool *find_local_sources(const struct judging *judging)
{
    uint64_t *local = calloc(judging->source_count + 1, sizeof *local), *skewed = calloc(judging->source_count + 1, 8);
    bool *is_local = calloc(judging->source_count + 1, sizeof *is_local);
    check(local && skewed && is_local);
    for (uint32_t at = 0; at < judging->day->row_count; at++) {
        const SymptomRow *row = &judging->day->rows[at];
        uint32_t source = judging->source_of[row->origin];
        if (source == JUDGING_NONE) continue;
        if (row->code == SYMPTOM_LOCAL_TIME) local[source] += row->count;
        if (row->code == SYMPTOM_SKEW) skewed[source] += row->count;
    }
    for (uint32_t at = 0; at < judging->source_count; at++) is_local[at] = local[at] * 2 > skewed[at];
    free(local);
    free(skewed);
    return is_local;
}

/* Messages that were rejected because nobody knows their write key have a code of their own. */
static const char *code_of(const SymptomRow *row)
{
    bool is_unknown = row->code == SYMPTOM_REJECTED && str_equal(row->value, STR("project_not_found"));
    return is_unknown ? "LO-2" : symptoms_code(row->code);
}

static void tell_row(const struct judging *judging, const SymptomRow *row, uint64_t of)
{
    SymptomCase found = judge_begin(judging, code_of(row), row->origin);
    found.event = row->event, found.field = row->field, found.detail = row->value;
    found.count = row->count, found.of = of;
    found.first_ms = row->first_ms, found.last_ms = row->last_ms;
    found.examples = row->examples, found.example_count = row->example_count;
    found.subjects = row->subjects, found.subject_count = row->subject_count;
    found.has_more_subjects = row->has_more_subjects;
    judging->visit(judging->context, &found);
}

static void tell_rows(const struct judging *judging)
{
    uint32_t total_count;
    struct event_total *totals = add_totals(judging, &total_count);
    bool *is_local = find_local_sources(judging);
    for (uint32_t at = 0; at < judging->day->row_count; at++) {
        const SymptomRow *row = &judging->day->rows[at];
        uint32_t source = judging->source_of[row->origin];
        if (source == JUDGING_NONE || row->code == SYMPTOM_ID_SHAPE) continue;
        if (row->code == SYMPTOM_SKEW && is_local[source]) continue;
        tell_row(judging, row, count_of(judging, row, totals, total_count));
    }
    free(totals);
    free(is_local);
}

/* ---- Shapes of ids ---- */

static bool is_address(Str shape) { return str_equal(shape, STR("email")) || str_equal(shape, STR("phone")); }

/* Adds up the shapes of all versions of a source: an origin of the result is a whole source. guilty gets, for each of
 * its rows, the origin with most of these messages. */
static struct day_table *add_shapes(const struct judging *judging, uint32_t *guilty)
{
    struct day_table *shapes = day_open(0, &symptoms_view_limits);
    uint64_t *most = calloc(judging->day->row_count + 1, sizeof *most);
    check(most);
    for (uint32_t at = 0; at < judging->day->row_count; at++) {
        const SymptomRow *row = &judging->day->rows[at];
        if (row->code != SYMPTOM_ID_SHAPE || judging->source_of[row->origin] == JUDGING_NONE) continue;
        SymptomOrigin wanted = { .source = judging->day->origins[row->origin].source };
        uint32_t source = day_find_origin(shapes, &wanted);
        SymptomRow *sum = source == SYMPTOM_NOBODY ? NULL
                        : day_find_row(shapes, source, SYMPTOM_ID_SHAPE, (Str){ 0 }, (Str){ 0 }, row->value);
        if (!sum) continue;
        uint32_t place = (uint32_t)(sum - shapes->of.rows);
        if (row->count > most[place]) most[place] = row->count, guilty[place] = row->origin;
        day_see(&sum->first_ms, &sum->last_ms, row->first_ms, sum->count == 0);
        day_see(&sum->first_ms, &sum->last_ms, row->last_ms, false);
        sum->count += row->count;
        for (uint32_t one = 0; one < row->example_count; one++) day_add_example(sum, row->examples[one]);
        for (uint32_t one = 0; one < row->subject_count; one++) day_add_subject(shapes, sum, row->subjects[one]);
        sum->has_more_subjects |= row->has_more_subjects;
    }
    free(most);
    return shapes;
}

/* The shape that most users have, over all sources. If two are equal, the one whose word comes first. */
static Str commonest(const SymptomDay *shapes)
{
    Str best = { 0 };
    uint64_t most = 0;
    for (uint32_t at = 0; at < shapes->row_count; at++) {
        uint64_t users = 0;
        for (uint32_t other = 0; other < shapes->row_count; other++)
            if (str_equal(shapes->rows[at].value, shapes->rows[other].value))
                users += day_count_subjects(&shapes->rows[other]);
        bool is_more = users > most || (users == most && str_compare(shapes->rows[at].value, best) < 0);
        if (is_more) most = users, best = shapes->rows[at].value;
    }
    return best;
}

static void tell_shape(const struct judging *judging, const SymptomRow *row, const char *code, uint32_t guilty,
                       uint64_t of)
{
    SymptomCase found = judge_begin(judging, code, guilty);
    uint32_t *subjects = arena_new(judging->arena, uint32_t, row->subject_count + 1);
    if (row->subject_count) memcpy(subjects, row->subjects, row->subject_count * sizeof *subjects);
    SymptomExample *examples = arena_new(judging->arena, SymptomExample, SYMPTOMS_EXAMPLES);
    memcpy(examples, row->examples, sizeof row->examples);
    found.field = STR("userId");
    found.detail = arena_copy(judging->arena, row->value);
    found.count = day_count_subjects(row), found.of = of;
    found.first_ms = row->first_ms, found.last_ms = row->last_ms;
    found.examples = examples, found.example_count = row->example_count;
    found.subjects = subjects, found.subject_count = row->subject_count;
    found.has_more_subjects = row->has_more_subjects;
    judging->visit(judging->context, &found);
}

static void tell_shapes(const struct judging *judging)
{
    uint32_t *guilty = calloc(judging->day->row_count + 1, sizeof *guilty);
    check(guilty);
    struct day_table *table = add_shapes(judging, guilty);
    const SymptomDay *shapes = &table->of;
    Str usual = commonest(shapes);
    for (uint32_t at = 0; at < shapes->row_count; at++) {
        const SymptomRow *row = &shapes->rows[at];
        uint64_t users = 0;
        for (uint32_t other = 0; other < shapes->row_count; other++)
            if (shapes->rows[other].origin == row->origin) users += day_count_subjects(&shapes->rows[other]);
        if (is_address(row->value)) tell_shape(judging, row, "ID-7", guilty[at], users);
        else if (!str_equal(row->value, usual) && !is_address(usual))
            tell_shape(judging, row, "ID-8", guilty[at], users);
    }
    day_close(table);
    free(guilty);
}

void symptoms_list_cases(const SymptomDay *day, bool with_imports, Arena *arena, SymptomVisit *visit, void *context)
{
    struct judging judging = { .day = day, .with_imports = with_imports, .arena = arena, .visit = visit,
                               .context = context };
    add_sources(&judging);
    tell_rows(&judging);
    tell_shapes(&judging);
    judge_names(&judging);
    judge_fields(&judging);
    free(judging.source_of);
    free(judging.sources);
    free(judging.tallies);
}
