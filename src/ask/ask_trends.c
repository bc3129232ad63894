/* ask_trends: how many, how much, over time; docs/queries.md defines every number.
 *
 * Series that need the same property are counted in one scan, by rows; those that count people in one, by person.
 * Every worker counts by (series, group, bucket). Sums are whole numbers of tiny units, so they come out the
 * same in whatever order rows lie. Values for percentiles are kept, each with its key, and laid out by cell at the end.
 */
#include "ask_answer.h"
#include "ask_rank.h"
#include "ask_counter_map.h"
#include "ask_timeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SERIES_MAX = 16, BUCKETS_OF_TRENDS = 10000, SCANS_MAX = SERIES_MAX + 1, VALUES_A_LOOK = 1 << 16 };
enum { KEY_BUCKET_BITS = 20, KEY_GROUP_BITS = 21, BUCKET_TOTAL = (1 << KEY_BUCKET_BITS) - 1, GROUP_ALL = GROUPS_MAX };

typedef enum Measure { COUNT, PEOPLE, SUM, AVERAGE, LEAST, MOST, PERCENTILE } Measure;

struct cell {
    CounterCell counter;                /* count: rows, or people */
    uint64_t number_count, reserved;
    __int128 small, large;              /* the sum, in 2^-64 and in 2^-21 */
    double huge, least, most, reserved_too;
};

struct series {
    Measure measure;
    char word[16];                      /* the measure as it was asked for */
    Str property;
    double share;
    uint32_t scan;
};

struct counter {
    struct counter_map map;
    struct number_vector values;        /* pairs: key, the double's bits */
    uint32_t bucket;                    /* where the last row was */
    uint64_t early, late;               /* rows at times that no event can have */
    Millis first_ms, last_ms;           /* looking for the range: of the others */
};

struct trends;
/* One pass over the events: the series of one property, or those that count people. */
struct pass {
    struct trends *trends;
    ScanSpec spec;
    Selector selectors[SERIES_MAX];
    uint32_t series[SERIES_MAX], count;
    Str property;
    bool is_people;
    struct scan *scan;
};

struct trends {
    Query query;
    Selector selectors[SERIES_MAX];
    struct series series[SERIES_MAX];
    uint32_t series_count;
    Breakdown by;
    ZoneUnit unit;
    uint32_t group_limit;
    Timeline timeline;
    bool is_clipped;                    /* to the last of too many units */
    bool has_lost_values;               /* there was no room for all of the percentiles' */
    uint32_t first_bucket, end_bucket;  /* those that are told */
    struct pass passes[SCANS_MAX];
    uint32_t pass_count, worker_count, group_max;
    struct counter counters[QUERY_WORKERS_MAX];
    struct counter_map all;
    double *values[2];                  /* percentiles: by cell; and by series and bucket alone */
    size_t *ends[2];                    /* where each cell's begin: number of the cell, in order */
};

static uint64_t key_of(uint32_t series, uint32_t group, uint32_t bucket)
{
    return (uint64_t)series << (KEY_BUCKET_BITS + KEY_GROUP_BITS) | (uint64_t)group << KEY_BUCKET_BITS | bucket;
}
static uint32_t key_series(uint64_t key) { return (uint32_t)(key >> (KEY_BUCKET_BITS + KEY_GROUP_BITS)); }
static uint32_t key_group(uint64_t key) { return (uint32_t)(key >> KEY_BUCKET_BITS) & ((1 << KEY_GROUP_BITS) - 1); }
static uint32_t key_bucket(uint64_t key) { return (uint32_t)key & BUCKET_TOTAL; }

/* ---- Parsing ---- */

static bool parse_percentile(Str word, double *ret_share)
{
    double percent;
    if (str_equal(word, STR("median"))) return *ret_share = 0.5, true;
    if (word.len < 2 || word.len > 8 || word.bytes[0] != 'p') return false;
    for (size_t at = 1; at < word.len; at++)
        if ((word.bytes[at] < '0' || word.bytes[at] > '9') && word.bytes[at] != '.') return false;
    if (!str_parse_double(str_slice(word, 1, word.len), &percent) || percent <= 0 || percent > 100) return false;
    return *ret_share = percent / 100, true;
}

static Status parse_measure(struct trends *trends, const TreeNode *json, const char *place, struct series *ret)
{
    static const char *const words[] = { "count", "people", "sum", "avg", "min", "max" };
    char where[64];
    const TreeNode *measure = event_tree_get(json, STR("measure")), *property = event_tree_get(json, STR("property"));
    Str word = measure && measure->kind == FIELD_STRING ? measure->text : STR("count");
    uint32_t at = 0;
    snprintf(where, sizeof where, "%s.measure", place);
    while (at < countof(words) && !str_equal(word, str_from(words[at]))) at++;
    ret->measure = (Measure)at;
    if ((measure && measure->kind != FIELD_STRING) || (at == PERCENTILE && !parse_percentile(word, &ret->share)))
        return err_set_field(trends->query.err, where,
                             "one of count, people, sum, avg, min, max, median, p90 (any percentile) was expected");
    snprintf(ret->word, sizeof ret->word, "%.*s", STR_FORMAT(word));
    snprintf(where, sizeof where, "%s.property", place);
    Status s = query_field(&trends->query, property, where, &ret->property);
    if (!s && at >= SUM && !ret->property.len)
        s = err_set_field(trends->query.err, where, "%s needs a numeric property: properties.revenue", ret->word);
    if (!s && at < SUM && ret->property.len)
        s = err_set_field(trends->query.err, where, "%s needs no property", ret->word);
    return s;
}

static Status parse_series(struct trends *trends)
{
    static const char *const own[] = { "measure", "property", NULL };
    const TreeNode *list = event_tree_get(trends->query.root, STR("series"));
    char place[32];
    Status s = OK;
    if (!list || list->kind != FIELD_ARRAY || list->count == 0 || list->count > SERIES_MAX)
        return err_set_field(trends->query.err, "series", "a list of 1 to %d events was expected", SERIES_MAX);
    for (const TreeNode *item = list->first; item && !s; item = item->next) {
        uint32_t at = trends->series_count++;
        snprintf(place, sizeof place, "series[%u]", at);
        s = query_selector(&trends->query, item, place, own, &trends->selectors[at]);
        if (!s) s = parse_measure(trends, item, place, &trends->series[at]);
    }
    return s;
}

static Status trends_parse(struct trends *trends, Str question, const QueryWorld *world, Arena *arena, Err *err)
{
    static const char *const allowed[]
        = { "series", "of", "unit", "week_start", "from", "to", "timezone", "where", "by", "limit", NULL };
    Status s = query_open(&trends->query, question, world, arena, allowed, err);
    if (!s) s = parse_series(trends);
    if (!s) s = query_unit(&trends->query, ZONE_HOUR, &trends->unit);
    if (!s) s = query_breakdown(&trends->query, "by", true, &trends->by);
    if (!s) s = query_count(&trends->query, "limit", 50, 1, 1000, &trends->group_limit);
    return s;
}

/* ---- Counting ---- */

static void add_number(struct cell *cell, double number)
{
    double size = fabs(number);
    if (cell->number_count == 0 || number < cell->least) cell->least = number;
    if (cell->number_count == 0 || number > cell->most) cell->most = number;
    cell->number_count++;
    if (size < 0x1p32) cell->small += (__int128)(nearbyint(ldexp(number - trunc(number), 64)))
            + ((__int128)trunc(number) * ((__int128)1 << 64));
    else if (size < 0x1p64) cell->large += (__int128)ldexp(number, 21);
    else cell->huge += number;
}

static double cell_sum(const struct cell *cell)
{
    return ldexp((double)cell->small, -64) + ldexp((double)cell->large, -21) + cell->huge;
}

static void add_cell(struct cell *to, const struct cell *from)
{
    to->counter.count += from->counter.count;
    if (from->number_count && (!to->number_count || from->least < to->least)) to->least = from->least;
    if (from->number_count && (!to->number_count || from->most > to->most)) to->most = from->most;
    to->number_count += from->number_count;
    to->small += from->small, to->large += from->large, to->huge += from->huge;
}

/* Where no question says so, times that an event can have are all there is. */
static bool is_counted(const struct trends *trends, struct counter *counter, Millis time_ms)
{
    if (time_ms < trends->query.first_ms) return counter->early++, false;
    if (time_ms >= trends->query.end_ms) return counter->late++, false;
    return true;
}

static void count_row(void *context, uint32_t worker, const ScanRow *row)
{
    struct pass *pass = context;
    struct trends *trends = pass->trends;
    struct counter *counter = &trends->counters[worker];
    if (!is_counted(trends, counter, row->time_ms)) return;
    if (row->number_kind > NUMBER_PLAIN) scan_count_text(pass->scan, pass->property, row->number_kind);
    uint32_t group = trends->by.is_given ? row->group : (uint32_t)GROUP_ALL;
    counter->bucket = timeline_find(&trends->timeline, row->time_ms, counter->bucket);
    for (uint32_t bits = row->steps; bits; bits &= bits - 1) {
        uint32_t number = pass->series[__builtin_ctz(bits)];
        const struct series *series = &trends->series[number];
        uint64_t key = key_of(number, group, counter->bucket), value;
        struct cell *cell = counter_map_at(&counter->map, key);
        if (!cell) return;
        cell->counter.count++;
        if (isnan(row->number)) continue;
        add_number(cell, row->number);
        if (series->measure != PERCENTILE) continue;
        memcpy(&value, &row->number, sizeof value);
        (void)(number_vector_put(&counter->values, key) && number_vector_put(&counter->values, value));
    }
}

/* One person counts once in each bucket, in each group of it, and in each total. One who has very many events takes
 * seconds: it is looked for each series whether somebody still waits. */
static void count_person(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    struct pass *pass = context;
    struct trends *trends = pass->trends;
    struct counter *counter = &trends->counters[worker];
    (void)person;
    for (uint32_t bits = hits->steps; bits && !query_is_given_up(trends->query.world); bits &= bits - 1) {
        uint32_t bit = (uint32_t)__builtin_ctz(bits), number = pass->series[bit], last = UINT32_MAX, count = 0;
        Arena arena = scratch;
        uint64_t *keys = trends->by.is_given ? arena_new(&arena, uint64_t, (size_t)hits->count * 2) : NULL;
        for (uint32_t at = 0; at < hits->count; at++) {
            const Hit *hit = &hits->hits[at];
            if (!(hit->steps >> bit & 1) || !is_counted(trends, counter, hit->time_ms)) continue;
            counter->bucket = timeline_find(&trends->timeline, hit->time_ms, counter->bucket);
            if (counter->bucket != last)
                counter_map_count(&counter->map, key_of(number, GROUP_ALL, counter->bucket), 1);
            last = counter->bucket;
            if (!keys) continue;
            keys[count++] = key_of(number, hit->group, last);
            keys[count++] = key_of(number, hit->group, BUCKET_TOTAL);
        }
        if (last == UINT32_MAX) continue;
        counter_map_count(&counter->map, key_of(number, GROUP_ALL, BUCKET_TOTAL), 1);
        if (count) qsort(keys, count, sizeof *keys, compare_u64);
        for (uint32_t at = 0; at < count; at++)
            if (at == 0 || keys[at] != keys[at - 1]) counter_map_count(&counter->map, keys[at], 1);
    }
}

/* ---- The passes ---- */

static void plan_passes(struct trends *trends)
{
    for (uint32_t at = 0; at < trends->series_count; at++) {
        struct series *series = &trends->series[at];
        bool is_people = series->measure == PEOPLE;
        uint32_t number = 0;
        while (number < trends->pass_count && (trends->passes[number].is_people != is_people
                                               || !str_equal(trends->passes[number].property, series->property)))
            number++;
        struct pass *pass = &trends->passes[number];
        if (number == trends->pass_count)
            trends->pass_count++, pass->is_people = is_people, pass->property = series->property;
        series->scan = number;
        pass->selectors[pass->count] = trends->selectors[at];
        pass->series[pass->count++] = at;
    }
}

static Status open_passes(struct trends *trends, Err *err)
{
    Status s = OK;
    for (uint32_t at = 0; at < trends->pass_count && !s; at++) {
        struct pass *pass = &trends->passes[at];
        pass->trends = trends;
        pass->spec = (ScanSpec){ .selectors = pass->selectors, .selector_count = pass->count,
                                 .needed_bits = UINT32_MAX, .number_field = pass->property, .context = pass,
                                 .group_max = trends->group_max,
                                 .like = at ? trends->passes[0].scan : NULL };
        if (trends->by.is_event) pass->spec.by_event = true;
        else pass->spec.by = trends->by;
        if (trends->by.is_given) pass->spec.group_bits = UINT32_MAX;
        if (pass->is_people) pass->spec.on_person = count_person;
        else pass->spec.on_row = count_row;
        s = scan_open(&trends->query, &pass->spec, &pass->scan, err);
    }
    return s;
}

/* The whole range that may be told; false where there is nothing. */
static bool find_range(const struct trends *trends, Millis *ret_first, Millis *ret_last)
{
    Millis first, last;
    *ret_first = INT64_MAX, *ret_last = INT64_MIN;
    for (uint32_t at = 0; at < trends->pass_count; at++) {
        if (!scan_time_range(trends->passes[at].scan, &first, &last)) continue;
        if (first < *ret_first) *ret_first = first;
        if (last > *ret_last) *ret_last = last;
    }
    if (*ret_first < trends->query.first_ms || trends->query.has_from) *ret_first = trends->query.first_ms;
    if (*ret_last >= trends->query.end_ms || trends->query.has_to) *ret_last = trends->query.end_ms - 1;
    return *ret_first != INT64_MAX && *ret_last != INT64_MIN && *ret_first <= *ret_last;
}

static void note_time(void *context, uint32_t worker, const ScanRow *row)
{
    struct pass *pass = context;
    struct counter *counter = &pass->trends->counters[worker];
    if (row->time_ms < pass->trends->query.first_ms || row->time_ms >= pass->trends->query.end_ms) return;
    if (row->time_ms < counter->first_ms) counter->first_ms = row->time_ms;
    if (row->time_ms > counter->last_ms) counter->last_ms = row->time_ms;
}

/* find_range knows the times of whole runs. Where these take too many units, it is looked for which times there are;
 * where these do, too, and nobody asked for them by from, the last ones are told. */
static Status narrow_range(struct trends *trends, Millis *first, Millis *last, Err *err)
{
    Query *query = &trends->query;
    Status s = OK;
    if (query->has_from) return OK;
    if (timeline_clip(query, trends->unit, *first, *last, BUCKETS_OF_TRENDS) == *first) return OK;
    for (uint32_t worker = 0; worker < scan_worker_count(trends->passes[0].scan); worker++)
        trends->counters[worker].first_ms = INT64_MAX, trends->counters[worker].last_ms = INT64_MIN;
    for (uint32_t at = 0; at < trends->pass_count && !s; at++) {
        struct pass *pass = &trends->passes[at];
        struct scan *scan = NULL;
        ScanSpec spec = { .selectors = pass->selectors, .selector_count = pass->count, .needed_bits = UINT32_MAX,
                          .on_row = note_time, .context = pass, .like = trends->passes[0].scan };
        s = scan_open(query, &spec, &scan, err);
        if (!s) s = scan_run(scan, err);
        scan_close(scan);
    }
    Millis begins = INT64_MAX, ends = INT64_MIN;
    for (uint32_t worker = 0; worker < scan_worker_count(trends->passes[0].scan); worker++) {
        if (trends->counters[worker].first_ms < begins) begins = trends->counters[worker].first_ms;
        if (trends->counters[worker].last_ms > ends) ends = trends->counters[worker].last_ms;
    }
    if (s) return s;
    if (begins > ends) {                                     /* no event is told of: any units, but not too many */
        *first = timeline_clip(query, trends->unit, *first, *last, BUCKETS_OF_TRENDS);
        return OK;
    }
    if (!query->has_to) *last = ends;
    *first = timeline_clip(query, trends->unit, begins, *last, BUCKETS_OF_TRENDS);
    if (*first <= begins) return OK;
    char text[40];
    struct buf instant;
    buf_init_fixed(&instant, text, sizeof text);
    buf_instant(&instant, *first);
    query_note(query, "from", "more than %d units: told from %.*s on; a larger unit, or from and to, tell the "
               "others", BUCKETS_OF_TRENDS, STR_FORMAT(buf_str(&instant)));
    query->first_ms = *first;
    trends->is_clipped = true;
    return OK;
}

static Status run_passes(struct trends *trends, Err *err)
{
    Status s = OK;
    size_t memory = trends->query.world->memory_bytes ? trends->query.world->memory_bytes : (size_t)1 << 30;
    trends->worker_count = scan_worker_count(trends->passes[0].scan);
    for (uint32_t at = 0; at < trends->worker_count; at++) {
        counter_map_open(&trends->counters[at].map, memory / 8 / trends->worker_count, sizeof(struct cell));
        number_vector_open(&trends->counters[at].values, memory / 4 / trends->worker_count);
    }
    counter_map_open(&trends->all, memory / 8, sizeof(struct cell));
    for (uint32_t at = 0; at < trends->pass_count && !s; at++) s = scan_run(trends->passes[at].scan, err);
    if (!s) s = answer_go_on(trends->query.world, err);
    uint64_t early = 0, late = 0;
    for (uint32_t at = 0; at < trends->worker_count && !s; at++) {
        struct counter *counter = &trends->counters[at];
        early += counter->early, late += counter->late;
        trends->all.is_full |= counter->map.is_full;
        trends->has_lost_values |= counter->values.is_full;
        for (uint32_t number = 0; number < counter->map.count; number++) {
            const struct cell *from = (const struct cell *)counter_map_cell(&counter->map, number);
            struct cell *to = counter_map_at(&trends->all, from->counter.key);
            if (to) add_cell(to, from);
        }
    }
    if (!s && (trends->all.is_full || trends->has_lost_values))
        s = err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may; narrow its range or filters");
    query_note_times(&trends->query, trends->is_clipped ? 0 : early, late);
    return s;
}

/* ---- Percentiles: the values of each cell, side by side ---- */

/* Lays the values out by the cells of a counter map whose counts say how many; whole: groups do not matter. */
static Status lay_out(struct trends *trends, bool is_whole, const struct counter_map *cells, double **ret_values,
                      size_t **ret_ends, Err *err)
{
    Arena *arena = trends->query.arena;
    size_t all = 0;
    Status s = OK;
    size_t *ends = answer_take(arena, sizeof *ends, (size_t)cells->count + 1, &s, err);
    for (uint32_t at = 0; !s && at < cells->count; at++) {
        ends[at] = all;
        all += ((const struct cell *)counter_map_cell(cells, at))->number_count;
    }
    double *values = answer_take(arena, sizeof *values, all, &s, err);
    for (uint32_t worker = 0; !s && worker < trends->worker_count; worker++) {
        const struct number_vector *vector = &trends->counters[worker].values;
        for (size_t at = 0; at < vector->count; at += 2) {
            if (at % VALUES_A_LOOK == 0 && (s = answer_go_on(trends->query.world, err))) break;
            uint64_t key = vector->items[at];
            if (is_whole) key = key_of(key_series(key), GROUP_ALL, key_bucket(key));
            const unsigned char *cell = counter_map_find(cells, key);
            check(cell != NULL);
            memcpy(&values[ends[(size_t)(cell - cells->cells) / cells->stride]++], &vector->items[at + 1], 8);
        }
    }
    *ret_values = values, *ret_ends = ends;            /* now each cell's end */
    return s;
}

/* ---- Lines ---- */

/* One line of the answer: a series, and a group or all. Its cells are those of the buckets. */
struct line {
    uint32_t series, group;
    struct cell total;
    struct cell *cells;                 /* by bucket, from first_bucket on */
    double total_percentile, *percentiles;
};

static void put_value(const struct trends *trends, const struct line *line, const struct cell *cell, double percentile,
                      struct buf *answer)
{
    const struct series *series = &trends->series[line->series];
    double number = 0;
    if (series->measure <= PEOPLE) {
        json_uint(answer, NULL, cell->counter.count);
        return;
    }
    switch (series->measure) {
    case COUNT:
    case PEOPLE: break;
    case SUM: number = cell_sum(cell); break;
    case AVERAGE: number = cell->number_count ? cell_sum(cell) / (double)cell->number_count : NAN; break;
    case LEAST: number = cell->number_count ? cell->least : NAN; break;
    case MOST: number = cell->number_count ? cell->most : NAN; break;
    case PERCENTILE: number = cell->number_count ? percentile : NAN; break;
    }
    json_double(answer, NULL, number);                   /* NaN is null */
}

static void write_line(const struct trends *trends, const struct line *line, struct buf *answer)
{
    json_name(answer, STR("total"));
    put_value(trends, line, &line->total, line->total_percentile, answer);
    json_array(answer, "values");
    for (uint32_t bucket = trends->first_bucket; bucket < trends->end_bucket; bucket++) {
        uint32_t at = bucket - trends->first_bucket;
        put_value(trends, line, &line->cells[at], line->percentiles ? line->percentiles[at] : 0, answer);
    }
    json_array_end(answer);
}

/* The percentiles of a line: of each bucket, whose values lie together; then of all of them. */
static Status rank_line(struct trends *trends, struct line *line, Arena scratch, Err *err)
{
    const struct series *series = &trends->series[line->series];
    uint32_t buckets = trends->end_bucket - trends->first_bucket;
    size_t count = 0;
    Status s = OK;
    bool is_whole = line->group == GROUP_ALL && trends->by.is_given;
    double *all = answer_take(&scratch, sizeof *all, line->total.number_count, &s, err);
    if (s) return s;
    for (uint32_t at = 0; at < buckets; at++) {
        size_t here = line->cells[at].number_count;
        if (!here) continue;
        uint64_t key = key_of(line->series, line->group, at + trends->first_bucket);
        const struct counter_map *cells = &trends->all;
        const unsigned char *cell = counter_map_find(cells, key);
        double *values
            = trends->values[is_whole] + trends->ends[is_whole][(size_t)(cell - cells->cells) / cells->stride] - here;
        memcpy(all + count, values, here * sizeof *values);
        count += here;
        line->percentiles[at] = rank_of_doubles(values, here, series->share);
    }
    if (count) line->total_percentile = rank_of_doubles(all, count, series->share);
    return OK;
}

static Status fill_line(struct trends *trends, uint32_t series, uint32_t group, Arena *arena, struct line *ret,
                        Err *err)
{
    Status s = OK;
    uint32_t buckets = trends->end_bucket - trends->first_bucket;
    *ret = (struct line){ .series = series, .group = group };
    ret->cells = answer_take(arena, sizeof *ret->cells, buckets, &s, err);
    ret->percentiles = answer_take(arena, sizeof *ret->percentiles, buckets, &s, err);
    if (s) return s;
    for (uint32_t at = 0; at < buckets; at++) {
        const struct cell *cell = counter_map_find(&trends->all, key_of(series, group, at + trends->first_bucket));
        if (!cell) continue;
        ret->cells[at] = *cell;
        add_cell(&ret->total, cell);
    }
    if (trends->series[series].measure == PEOPLE) {
        const struct cell *cell = counter_map_find(&trends->all, key_of(series, group, BUCKET_TOTAL));
        ret->total.counter.count = cell ? cell->counter.count : 0;
    }
    return trends->series[series].measure == PERCENTILE ? rank_line(trends, ret, *arena, err) : OK;
}

/* The whole of a series that is counted by groups: for each bucket the sum of its groups. */
static void add_wholes(struct trends *trends)
{
    uint32_t count = trends->all.count;
    for (uint32_t at = 0; trends->by.is_given && at < count; at++) {
        const struct cell *cell = (const struct cell *)counter_map_cell(&trends->all, at);
        uint64_t key = cell->counter.key;
        if (trends->series[key_series(key)].measure == PEOPLE || key_group(key) == GROUP_ALL) continue;
        struct cell *whole = counter_map_at(&trends->all, key_of(key_series(key), GROUP_ALL, key_bucket(key)));
        if (whole) add_cell(whole, cell);
    }
}

/* The buckets that are told: from the first to the last with an event, or as far as the question says. */
static void find_buckets(struct trends *trends)
{
    uint32_t first = UINT32_MAX, end = 0;
    for (uint32_t at = 0; at < trends->all.count; at++) {
        uint32_t bucket = key_bucket(counter_map_cell(&trends->all, at)->key);
        if (bucket == BUCKET_TOTAL) continue;
        if (bucket < first) first = bucket;
        if (bucket >= end) end = bucket + 1;
    }
    if (trends->query.has_from) first = 0;
    if (trends->query.has_to) end = trends->timeline.count;
    trends->first_bucket = first < end ? first : 0, trends->end_bucket = first < end ? end : 0;
}

/* ---- Writing ---- */

/* Lists the groups of a series, the largest first. */
static Status list_groups(struct trends *trends, uint32_t series, RankedGroup **ret, uint32_t *ret_count, Err *err)
{
    Status s = OK;
    struct counter_map sums;
    counter_map_open(&sums, (size_t)64 << 20, sizeof(CounterCell));
    bool is_people = trends->series[series].measure == PEOPLE;
    for (uint32_t at = 0; at < trends->all.count; at++) {
        const CounterCell *cell = counter_map_cell(&trends->all, at);
        if (key_series(cell->key) != series || key_group(cell->key) == GROUP_ALL
            || (key_bucket(cell->key) == BUCKET_TOTAL) != is_people) continue;
        counter_map_count(&sums, key_group(cell->key), cell->count);
    }
    *ret = answer_take(trends->query.arena, sizeof **ret, sums.count, &s, err);
    for (uint32_t at = 0; !s && at < sums.count; at++)
        (*ret)[at] = (RankedGroup){ counter_map_cell(&sums, at)->count, (uint32_t)counter_map_cell(&sums, at)->key };
    *ret_count = sums.count;
    if (!s) answer_rank(*ret, sums.count, scan_groups(trends->passes[trends->series[series].scan].scan));
    counter_map_close(&sums);
    return s;
}

static Status write_series(struct trends *trends, uint32_t number, struct buf *answer, Err *err)
{
    const struct series *series = &trends->series[number];
    Arena arena = *trends->query.arena;
    RankedGroup *groups = NULL;
    struct line line;
    uint32_t count = 0;
    Status s = fill_line(trends, number, GROUP_ALL, &arena, &line, err);
    if (s) return s;
    json_object(answer, NULL);
    json_string(answer, "event", trends->selectors[number].label);
    json_word(answer, "measure", series->word);
    json_string_or_null(answer, "property", series->property);
    write_line(trends, &line, answer);
    if (trends->by.is_given) s = list_groups(trends, number, &groups, &count, err);
    uint32_t told = count < trends->group_limit ? count : trends->group_limit;
    json_array(answer, "groups");
    for (uint32_t at = 0; !s && at < told; at++) {
        arena = *trends->query.arena;
        s = answer_go_on(trends->query.world, err);
        if (!s) s = fill_line(trends, number, groups[at].group, &arena, &line, err);
        if (s) return s;
        json_object(answer, NULL);
        json_name(answer, STR("value"));
        group_write(scan_groups(trends->passes[series->scan].scan), groups[at].group, answer);
        write_line(trends, &line, answer);
        json_object_end(answer);
    }
    json_array_end(answer);
    json_uint(answer, "groups_left_out", count - told);
    json_object_end(answer);
    return s;
}

static Status write_trends(struct trends *trends, struct buf *answer, Err *err)
{
    Status s = OK;
    bool has_percentiles = false;
    for (uint32_t at = 0; at < trends->series_count; at++) has_percentiles |= trends->series[at].measure == PERCENTILE;
    add_wholes(trends);
    find_buckets(trends);
    if (has_percentiles) s = lay_out(trends, false, &trends->all, &trends->values[0], &trends->ends[0], err);
    if (!s && has_percentiles && trends->by.is_given)
        s = lay_out(trends, true, &trends->all, &trends->values[1], &trends->ends[1], err);
    json_object(answer, NULL);
    query_write_unit(&trends->query, trends->unit, answer);
    json_array(answer, "buckets");
    for (uint32_t bucket = trends->first_bucket; bucket < trends->end_bucket; bucket++) {
        answer_instant(answer, NULL, trends->timeline.starts[bucket]);
    }
    json_array_end(answer);
    json_array(answer, "series");
    for (uint32_t at = 0; at < trends->series_count && !s; at++) s = write_series(trends, at, answer, err);
    json_array_end(answer);
    if (trends->by.is_given) json_string(answer, "by", trends->by.label);
    else json_null(answer, "by");
    for (uint32_t at = 1; at < trends->pass_count; at++)
        scan_join(trends->passes[0].scan, trends->passes[at].scan);
    if (!s) answer_close(&trends->query, trends->passes[0].scan, answer);
    return s;
}

/* What the last try has opened. */
static void close_passes(struct trends *trends)
{
    for (uint32_t at = trends->pass_count; at-- > 0;) {
        scan_close(trends->passes[at].scan);
        trends->passes[at].scan = NULL;
    }
    for (uint32_t at = 0; at < trends->worker_count; at++) {
        counter_map_close(&trends->counters[at].map);
        number_vector_close(&trends->counters[at].values);
        trends->counters[at] = (struct counter){ 0 };
    }
    counter_map_close(&trends->all);
    trends->all = (struct counter_map){ 0 };
    trends->worker_count = 0;
}

static Status count_all(struct trends *trends, Err *err)
{
    Millis first, last;
    Status s = open_passes(trends, err);
    bool has_range = !s && find_range(trends, &first, &last);
    if (has_range) s = narrow_range(trends, &first, &last, err);
    if (!s && has_range)
        s = timeline_make(&trends->query, trends->unit, first, last, BUCKETS_OF_TRENDS, &trends->timeline);
    return s ? s : run_passes(trends, err);
}

/* Anybody can make up values of the breakdown: where there is no room for the cells of all, fewer are told apart. */
static Status count_until_it_fits(struct trends *trends, Err *err)
{
    for (;;) {
        Arena arena = *trends->query.arena;
        Query query = trends->query;
        bool was_clipped = trends->is_clipped;
        Status s = count_all(trends, err);
        uint32_t fewer = scan_fewer_groups(trends->query.world, &trends->passes[0].spec);
        if (!trends->all.is_full || trends->has_lost_values || !trends->by.is_given || !fewer) return s;
        close_passes(trends);
        trends->query = query;
        *trends->query.arena = arena;
        trends->is_clipped = was_clipped;
        trends->group_max = fewer;
    }
}

Status answer_trends(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    Status s = OK;
    struct trends *trends = answer_take(arena, sizeof *trends, 1, &s, err);
    if (!s) s = trends_parse(trends, question, world, arena, err);
    if (s) return s;
    plan_passes(trends);
    s = count_until_it_fits(trends, err);
    if (!s) s = write_trends(trends, answer, err);
    close_passes(trends);
    return s;
}
