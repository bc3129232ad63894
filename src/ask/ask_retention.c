/* ask_retention: who comes back; docs/queries.md defines every number.
 *
 * Each person is looked at once, all events in order: the birth, and a bit for every period with a return. Workers
 * count by (group, cohort, period); sorted by that key, a line of the answer is a stretch of cells.
 */
#include "ask_answer.h"
#include "ask_counter_map.h"
#include "ask_timeline.h"

enum { BIRTH_BIT = 1, RETURN_BIT = 2, PERIODS_MAX = 366, COHORTS_MAX = 100000 };
enum { PERIOD_PEOPLE = (1 << 12) - 1, GROUP_ALL = GROUPS_MAX };    /* cells that count a cohort's people */

struct counter {
    struct counter_map map;
    uint32_t unit;                      /* where the last event was */
    Millis observed_ms;
    uint64_t early, late;               /* events at times that no event can have */
};

struct retention {
    Query query;                        /* to: when the last period of the last cohort ends */
    Millis births_to_ms;
    Selector selectors[2];
    Breakdown by;
    ZoneUnit unit;
    uint32_t periods, mode, first, group_limit;
    Millis births_from_ms;              /* "first ever": events before the range are looked at, too */
    Timeline timeline;
    struct counter counters[QUERY_WORKERS_MAX];
    uint32_t worker_count;
    struct counter_map all;
    Millis observed_ms;
};

enum { MODE_EXACT, MODE_UNBOUNDED };
static const char *const modes[] = { "n_day", "unbounded", NULL };
enum { FIRST_IN_RANGE, FIRST_EVER };
static const char *const firsts[] = { "in_range", "ever", NULL };

static uint64_t key_of(uint32_t group, uint32_t cohort, uint32_t period)
{
    return (uint64_t)group << 40 | (uint64_t)cohort << 12 | period;
}
static uint32_t key_group(uint64_t key) { return (uint32_t)(key >> 40); }
static uint32_t key_cohort(uint64_t key) { return (uint32_t)(key >> 12) & ((1 << 28) - 1); }
static uint32_t key_period(uint64_t key) { return (uint32_t)key & PERIOD_PEOPLE; }

/* ---- Parsing ---- */

static Status retention_parse(struct retention *retention, Str question, const QueryWorld *world, Arena *arena,
                              Err *err)
{
    static const char *const allowed[]
        = { "birth", "return", "of", "unit", "week_start", "periods", "mode", "first", "from", "to", "timezone",
            "where", "by", "limit", NULL };
    Query *query = &retention->query;
    Status s = query_open(query, question, world, arena, allowed, err);
    if (!s) s = query_event(query, "birth", NULL, &retention->selectors[0]);
    if (!s && event_tree_get(query->root, STR("return")))
        s = query_event(query, "return", NULL, &retention->selectors[1]);
    else retention->selectors[1] = retention->selectors[0];
    if (!s) s = query_unit(query, ZONE_DAY, &retention->unit);
    if (!s) s = query_count(query, "periods", 12, 1, PERIODS_MAX, &retention->periods);
    if (!s) s = query_word(query, "mode", MODE_EXACT, modes, &retention->mode);
    if (!s) s = query_word(query, "first", FIRST_IN_RANGE, firsts, &retention->first);
    if (!s) s = query_breakdown(query, "by", false, &retention->by);
    if (!s) s = query_count(query, "limit", 50, 1, 1000, &retention->group_limit);
    if (s) return s;
    retention->births_from_ms = query->first_ms;
    retention->births_to_ms = query->end_ms;
    if (retention->first == FIRST_EVER) {
        query->from_ms = INT64_MIN;
        if (query->first_ms > PLAUSIBLE_FROM_MS) query->first_ms = PLAUSIBLE_FROM_MS;
    }
    if (!query->has_to) return OK;
    Millis end = zone_floor(&query->zone, retention->unit, query->to_ms - 1);
    for (uint32_t period = 0; period <= retention->periods; period++)
        end = zone_next(&query->zone, retention->unit, end);
    query->to_ms = query->end_ms = end;
    return OK;
}

/* ---- Counting ---- */

/* Of the births at the first instant with any: one that is no return if there is such, then the smallest group's. */
static uint32_t find_birth(const struct retention *retention, const Hits *all)
{
    const Hit *hits = all->hits;
    uint32_t at = 0, best;
    while (at < all->count && !(hits[at].steps & BIRTH_BIT)) at++;
    if (at == all->count || hits[at].time_ms >= retention->births_to_ms) return UINT32_MAX;
    if (hits[at].time_ms < retention->births_from_ms) return UINT32_MAX;            /* first ever: it was before */
    for (best = at; at < all->count && hits[at].time_ms == hits[best].time_ms; at++) {
        bool returns = hits[at].steps & RETURN_BIT, best_returns = hits[best].steps & RETURN_BIT;
        if (!(hits[at].steps & BIRTH_BIT) || (returns && !best_returns)) continue;
        if (returns != best_returns || hits[at].group < hits[best].group) best = at;
    }
    return best;
}

static void count_cells(const struct retention *retention, struct counter_map *map, uint32_t group, uint32_t cohort,
                        const uint64_t *returned)
{
    uint32_t last = 0;
    bool has_returned = false;
    counter_map_count(map, key_of(group, cohort, PERIOD_PEOPLE), 1);
    for (uint32_t period = 0; period <= retention->periods; period++)
        if (returned[period / 64] >> period % 64 & 1) last = period, has_returned = true;
    for (uint32_t period = 0; has_returned && period <= last; period++)
        if (retention->mode == MODE_UNBOUNDED || returned[period / 64] >> period % 64 & 1)
            counter_map_count(map, key_of(group, cohort, period), 1);
}

/* Leaves only hits at times that an event can have. */
static Hits plausible(const Query *query, struct counter *counter, const Hits *all)
{
    Hits kept = *all;
    while (kept.count && kept.hits[0].time_ms < query->first_ms) kept.hits++, kept.count--, counter->early++;
    while (kept.count && kept.hits[kept.count - 1].time_ms >= query->end_ms) kept.count--, counter->late++;
    return kept;
}

static void count_person(void *context, uint32_t worker, uint32_t person, const Hits *found, Arena scratch)
{
    struct retention *retention = context;
    struct counter *counter = &retention->counters[worker];
    Hits kept = plausible(&retention->query, counter, found), *all = &kept;
    const Hit *hits = all->hits;
    uint64_t returned[PERIODS_MAX / 64 + 1] = { 0 };
    uint32_t birth = find_birth(retention, all), first;
    (void)person, (void)scratch;
    if (birth == UINT32_MAX) return;
    uint32_t cohort = counter->unit = timeline_find(&retention->timeline, hits[birth].time_ms, counter->unit);
    for (first = birth; first > 0 && hits[first - 1].time_ms == hits[birth].time_ms;) first--;
    for (uint32_t at = first; at < all->count; at++) {
        if (at == birth || !(hits[at].steps & RETURN_BIT)) continue;
        counter->unit = timeline_find(&retention->timeline, hits[at].time_ms, counter->unit);
        uint32_t period = counter->unit - cohort;
        if (period > retention->periods) break;
        returned[period / 64] |= UINT64_C(1) << period % 64;
    }
    if (hits[all->count - 1].time_ms > counter->observed_ms) counter->observed_ms = hits[all->count - 1].time_ms;
    count_cells(retention, &counter->map, GROUP_ALL, cohort, returned);
    if (retention->by.is_given) count_cells(retention, &counter->map, hits[birth].group, cohort, returned);
}

static Status run_scan(struct retention *retention, struct scan *scan, Err *err)
{
    Millis first, last;
    size_t memory = retention->query.world->memory_bytes ? retention->query.world->memory_bytes : (size_t)1 << 30;
    Status s = OK;
    retention->observed_ms = scan_last_event_ms(scan);
    if (scan_time_range(scan, &first, &last)) {
        Millis end_ms = retention->query.end_ms, observed_ms = retention->observed_ms;
        if (observed_ms >= end_ms) observed_ms = end_ms - 1;
        if (first < retention->query.first_ms) first = retention->query.first_ms;
        if (last >= end_ms) last = end_ms - 1;
        if (last < observed_ms) last = observed_ms;
        if (last < first) last = first;
        s = timeline_make(&retention->query, retention->unit, first, last, COHORTS_MAX, &retention->timeline);
    }
    if (s) return s;
    retention->worker_count = scan_worker_count(scan);
    for (uint32_t at = 0; at < retention->worker_count; at++) {
        counter_map_open(&retention->counters[at].map, memory / 8 / retention->worker_count, sizeof(CounterCell));
        retention->counters[at].observed_ms = INT64_MIN;
    }
    counter_map_open(&retention->all, memory / 8, sizeof(CounterCell));
    s = scan_run(scan, err);
    if (s) return s;
    uint64_t early = 0, late = 0;
    for (uint32_t at = 0; at < retention->worker_count; at++) {
        counter_map_add(&retention->all, &retention->counters[at].map);
        if (retention->counters[at].observed_ms > retention->observed_ms)
            retention->observed_ms = retention->counters[at].observed_ms;
        early += retention->counters[at].early, late += retention->counters[at].late;
    }
    query_note_times(&retention->query, early, late);
    if (!s && retention->all.is_full)
        s = err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may; narrow its range or filters");
    counter_map_sort(&retention->all);
    return s;
}

/* ---- Writing ---- */

/* Writes one line: how many returned in each period, and out of how many who could have been seen then. */
struct line {
    uint64_t people, returned[PERIODS_MAX + 1], eligible[PERIODS_MAX + 1];
};

static bool is_seen(const struct retention *retention, uint32_t cohort, uint32_t period)
{
    return cohort + period < retention->timeline.count
        && retention->timeline.starts[cohort + period] <= retention->observed_ms;
}

/* Adds up a stretch of cells, and gives its end. one_cohort: stops where the next one begins. */
static uint32_t add_up(const struct retention *retention, uint32_t from, bool one_cohort, struct line *ret)
{
    uint64_t first = counter_map_cell(&retention->all, from)->key;
    *ret = (struct line){ 0 };
    for (; from < retention->all.count; from++) {
        const CounterCell *cell = counter_map_cell(&retention->all, from);
        uint32_t cohort = key_cohort(cell->key), period = key_period(cell->key);
        if (key_group(cell->key) != key_group(first) || (one_cohort && cohort != key_cohort(first))) break;
        if (period != PERIOD_PEOPLE) {
            ret->returned[period] += cell->count;
            continue;
        }
        ret->people += cell->count;
        for (uint32_t at = 0; at <= retention->periods && is_seen(retention, cohort, at); at++)
            ret->eligible[at] += cell->count;
    }
    return from;
}

static void write_numbers(const struct retention *retention, const char *name, const uint64_t *numbers,
                          const uint64_t *of, bool are_shares, struct buf *answer)
{
    json_array(answer, name);
    for (uint32_t at = 0; at <= retention->periods; at++) {
        if (of && !of[at]) json_null(answer, NULL);
        else if (are_shares) answer_share(answer, NULL, numbers[at], of[at]);
        else json_uint(answer, NULL, numbers[at]);
    }
    json_array_end(answer);
}

static void write_line(const struct retention *retention, const struct line *line, struct buf *answer)
{
    json_uint(answer, "people", line->people);
    write_numbers(retention, "returned", line->returned, NULL, false, answer);
    write_numbers(retention, "eligible", line->eligible, NULL, false, answer);
    write_numbers(retention, "shares", line->returned, line->eligible, true, answer);
}

/* Where the cells of the whole begin: its number is larger than any group's. */
static uint32_t whole_begin(const struct retention *retention)
{
    uint32_t at = retention->all.count;
    while (at > 0 && key_group(counter_map_cell(&retention->all, at - 1)->key) == GROUP_ALL) at--;
    return at;
}

static void write_whole(const struct retention *retention, uint32_t from, struct buf *answer)
{
    struct line line = { 0 };
    json_object(answer, NULL);
    query_write_unit(&retention->query, retention->unit, answer);
    json_word(answer, "mode", modes[retention->mode]);
    json_word(answer, "first", firsts[retention->first]);
    json_uint(answer, "periods", retention->periods);
    answer_instant(answer, "observed_to", retention->observed_ms);
    json_array(answer, "cohorts");
    for (uint32_t at = from; at < retention->all.count;) {
        uint32_t cohort = key_cohort(counter_map_cell(&retention->all, at)->key);
        at = add_up(retention, at, true, &line);
        json_object(answer, NULL);
        answer_instant(answer, "start", retention->timeline.starts[cohort]);
        json_uint(answer, "people", line.people);
        write_numbers(retention, "returned", line.returned, line.eligible, false, answer);
        json_object_end(answer);
    }
    json_array_end(answer);
    json_object(answer, "total");
    if (from < retention->all.count) (void)add_up(retention, from, false, &line);
    else line = (struct line){ 0 };
    write_line(retention, &line, answer);
    json_object_end(answer);
}

static Status write_groups(const struct retention *retention, uint32_t end, const Groups *groups, struct buf *answer,
                           Err *err)
{
    Status s = OK;
    struct line line;
    uint32_t count = 0;
    Arena *arena = retention->query.arena;
    RankedGroup *ranked = answer_take(arena, sizeof *ranked, end, &s, err);
    uint32_t *begins = answer_take(arena, sizeof *begins, groups->count + (size_t)1, &s, err);
    if (s) return s;
    for (uint32_t at = 0; at < end; count++) {
        uint32_t group = key_group(counter_map_cell(&retention->all, at)->key);
        begins[group] = at;
        at = add_up(retention, at, false, &line);
        ranked[count] = (RankedGroup){ line.people, group };
    }
    answer_rank(ranked, count, groups);
    uint32_t told = count < retention->group_limit ? count : retention->group_limit;
    json_array(answer, "groups");
    for (uint32_t at = 0; at < told; at++) {
        if ((s = answer_go_on(retention->query.world, err))) return s;
        (void)add_up(retention, begins[ranked[at].group], false, &line);
        json_object(answer, NULL);
        json_name(answer, STR("value"));
        group_write(groups, ranked[at].group, answer);
        write_line(retention, &line, answer);
        json_object_end(answer);
    }
    json_array_end(answer);
    json_uint(answer, "groups_left_out", count - told);
    if (retention->by.is_given) json_string(answer, "by", retention->by.label);
    else json_null(answer, "by");
    return OK;
}

static void close_counters(struct retention *retention)
{
    for (uint32_t at = 0; at < retention->worker_count; at++) {
        counter_map_close(&retention->counters[at].map);
        retention->counters[at] = (struct counter){ 0 };
    }
    counter_map_close(&retention->all);
    retention->all = (struct counter_map){ 0 };
    retention->worker_count = 0;
}

/* As in ask_trends: where there is no room for the cells of all values of the breakdown, fewer are told apart. */
static Status count_until_it_fits(struct retention *retention, ScanSpec *spec, struct scan **ret, Err *err)
{
    for (;;) {
        Arena arena = *retention->query.arena;
        Query query = retention->query;
        Status s = scan_open(&retention->query, spec, ret, err);
        if (!s) s = run_scan(retention, *ret, err);
        uint32_t fewer = scan_fewer_groups(retention->query.world, spec);
        if (!retention->all.is_full || !retention->by.is_given || !fewer) return s;
        close_counters(retention);
        scan_close(*ret);
        *ret = NULL;
        retention->query = query;
        *retention->query.arena = arena;
        spec->group_max = fewer;
    }
}

Status answer_retention(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    Status s = OK;
    struct scan *scan = NULL;
    struct retention *retention = answer_take(arena, sizeof *retention, 1, &s, err);
    if (!s) s = retention_parse(retention, question, world, arena, err);
    if (s) return s;
    ScanSpec spec = { .selectors = retention->selectors, .selector_count = 2, .needed_bits = BIRTH_BIT,
                      .group_bits = retention->by.is_given ? BIRTH_BIT : 0, .by = retention->by,
                      .on_person = count_person, .context = retention };
    s = count_until_it_fits(retention, &spec, &scan, err);
    if (!s) {
        uint32_t whole = whole_begin(retention);
        write_whole(retention, whole, answer);
        s = write_groups(retention, whole, scan_groups(scan), answer, err);
        retention->query.to_ms = retention->query.has_to ? retention->births_to_ms : INT64_MAX;
        if (retention->query.has_from) retention->query.from_ms = retention->births_from_ms;
        if (!s) answer_close(&retention->query, scan, answer);
    }
    close_counters(retention);
    scan_close(scan);
    return s;
}
