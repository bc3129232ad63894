/* ask_funnel: how many people get how far, how fast; docs/funnels.md defines every number.
 *
 * Workers count into arrays of their own, added up at the end. A person that got past the first step leaves a
 * *conversion* for every step: group, step, time from the entry and from the step before. Medians are found
 * among them by selection.
 */
#include "ask_funnel.h"
#include "ask_rank.h"

#include <stdio.h>
#include <stdlib.h>

#define WINDOW_MAX_MS (3660 * DAY_MS)       /* ten years */

/* any attribution: conversions of the whole, besides those of groups */
enum { GROUP_ALL = GROUPS_MAX };

/* What is kept of each: a tag (group << 8 | step), the time from the entry, the time from the step before. Times take
 * four bytes if the window allows it: there are tens of millions of them. */
struct conversions {
    struct region region;
    size_t count, max, stride;
    bool is_full;
};

struct counter {
    uint64_t people[CHAIN_STEPS_MAX];       /* in all: reached exactly that step */
    uint32_t *grouped;                      /* likewise: [group * steps + step] */
    struct region region, histogram_region;
    struct conversions conversions;
    uint32_t (*histograms)[2][RANK_BUCKETS];/* of the whole: by step and measure */
    uint32_t group_end;                     /* no group from here on was counted */
};

struct funnel {
    FunnelQuestion question;
    struct counter counters[QUERY_WORKERS_MAX];
    uint32_t worker_count;
    bool is_grouped, is_any;
};

/* ---- Parsing ---- */

static Status parse_exclusion(FunnelQuestion *funnel, const TreeNode *json, uint32_t number)
{
    static const char *const allowed[] = { "event", "type", "where", "from", "to", NULL };
    static const char *const own[] = { "from", "to", NULL };
    ChainRules *rules = &funnel->rules;
    char place[64], where[80];
    uint32_t range[2] = { 1, rules->step_count };
    static const char *const ends[] = { "from", "to" };
    snprintf(place, sizeof place, "exclusions[%u]", number);
    if (json->kind != FIELD_OBJECT)
        return err_set_field(funnel->query.err, place, "an object {event, from, to} was expected");
    Status s = query_refuse_others(json, place, allowed, funnel->query.err);
    for (int end = 0; end < 2 && !s; end++) {
        const TreeNode *value = event_tree_get(json, str_from(ends[end]));
        snprintf(where, sizeof where, "%s.%s", place, ends[end]);
        if (!value) continue;
        if (!query_is_whole(value, 1, rules->step_count, &range[end]))
            s = err_set_field(funnel->query.err, where, "the number of a step, 1 to %u, was expected",
                              rules->step_count);
    }
    if (!s && range[0] >= range[1])
        s = err_set_field(funnel->query.err, place, "from must be an earlier step than to");
    if (s) return s;
    rules->exclusions[number].from = range[0] - 1;
    rules->exclusions[number].to = range[1] - 1;
    return query_selector(&funnel->query, json, place, own, &funnel->selectors[rules->step_count + number]);
}

static const char *const orders[] = { "in_order", "strict", "any", NULL };
static const char *const ranges[] = { "entries", "all", NULL };

/* {"event", …, "window": "1h"}: how long after the step before. */
static Status parse_step(FunnelQuestion *funnel, const TreeNode *json, const char *place, uint32_t number)
{
    static const char *const own[] = { "window", NULL };
    ChainRules *rules = &funnel->rules;
    char where[80];
    const TreeNode *window = event_tree_get(json, STR("window"));
    snprintf(where, sizeof where, "%s.window", place);
    rules->within_ms[number] = INT64_MAX;
    if (window && number == 0)
        return err_set_field(funnel->query.err, where, "there is no step before the first one");
    if (window && (window->kind != FIELD_STRING || !duration_parse(window->text, &rules->within_ms[number])
                   || rules->within_ms[number] < 0))
        return err_set_field(funnel->query.err, where, "a duration like 30m, 24h or 7d was expected");
    rules->has_within |= window != NULL;
    return query_selector(&funnel->query, json, place, own, &funnel->selectors[number]);
}

/* Which order, and what goes with it; strict: one more selector, of what must not lie between. */
static Status parse_order(FunnelQuestion *funnel)
{
    ChainRules *rules = &funnel->rules;
    TreeNode all = { .kind = FIELD_STRING, .text = STR("*") };
    uint32_t order;
    Status s = query_word(&funnel->query, "order", ORDER_LOOSE, orders, &order);
    if (s) return s;
    rules->order = (ChainOrder)order;
    if (order != ORDER_LOOSE && rules->exclusion_count)
        return err_set_field(funnel->query.err, "exclusions", "are for steps in_order: %s", order == ORDER_STRICT
                             ? "in strict order nothing lies between" : "in any order nothing is between");
    if (order == ORDER_ANY && rules->has_within)
        return err_set_field(funnel->query.err, "order", "any, and a step's own window, which needs a step before");
    if (order != ORDER_STRICT) return OK;
    funnel->selectors[rules->step_count].is_done = true;
    s = query_selector(&funnel->query, &all, "order", NULL, &funnel->selectors[rules->step_count]);
    funnel->selectors[rules->step_count].is_done = true;
    return s;
}

/* The range is for entries: a person who entered within it has the whole window to go on. */
static Status parse_range(FunnelQuestion *funnel)
{
    Query *query = &funnel->query;
    Status s = query_word(query, "range", RANGE_ENTRIES, ranges, &funnel->range);
    funnel->to_ms = query->to_ms;
    if (s || funnel->range == RANGE_ALL || !query->has_to) return s;
    funnel->rules.has_entries_to = true;
    funnel->rules.entries_to_ms = query->to_ms;
    query->to_ms += funnel->rules.window_ms + 1;
    return OK;
}

static Status parse_steps(FunnelQuestion *funnel)
{
    Query *query = &funnel->query;
    ChainRules *rules = &funnel->rules;
    const TreeNode *steps = event_tree_get(query->root, STR("steps")), *exclusions
        = event_tree_get(query->root, STR("exclusions"));
    char place[64];
    uint32_t number = 0;
    Status s = OK;
    if (!steps || steps->kind != FIELD_ARRAY || steps->count == 0 || steps->count > CHAIN_STEPS_MAX)
        return err_set_field(query->err, "steps", "a list of 1 to %d steps was expected", CHAIN_STEPS_MAX);
    rules->step_count = steps->count;
    for (const TreeNode *step = steps->first; step && !s; step = step->next, number++) {
        snprintf(place, sizeof place, "steps[%u]", number);
        s = parse_step(funnel, step, place, number);
    }
    if (s || !exclusions || exclusions->kind == FIELD_NULL) return s;
    if (exclusions->kind != FIELD_ARRAY || exclusions->count > CHAIN_EXCLUSIONS_MAX)
        return err_set_field(query->err, "exclusions", "a list of at most %d was expected",
                             CHAIN_EXCLUSIONS_MAX);
    if (exclusions->count && rules->step_count < 2)
        return err_set_field(query->err, "exclusions", "need two steps to lie between");
    rules->exclusion_count = exclusions->count;
    number = 0;
    for (const TreeNode *exclusion = exclusions->first; exclusion && !s; exclusion = exclusion->next)
        s = parse_exclusion(funnel, exclusion, number++);
    return s;
}

Status funnel_parse(FunnelQuestion *funnel, Str question, const QueryWorld *world, Arena *arena,
                    const char *const *allowed, Err *err)
{
    static const char *const attributions[] = { "first", "any", NULL };
    memset(funnel, 0, sizeof *funnel);
    Status s = query_open(&funnel->query, question, world, arena, allowed, err);
    if (!s) s = parse_steps(funnel);
    if (!s)
        s = query_duration(&funnel->query, "window", 7 * DAY_MS,
                           &funnel->rules.window_ms);
    if (!s && funnel->rules.window_ms > WINDOW_MAX_MS) s = err_set_field(err, "window", "ten years at most");
    if (!s) s = parse_order(funnel);
    if (!s) s = parse_range(funnel);
    funnel->rules.lacks_memory = &funnel->lacks_memory;
    if (!s) s = query_breakdown(&funnel->query, "by", false, &funnel->by);
    if (!s)
        s = query_word(&funnel->query, "attribution", ATTRIBUTION_FIRST, attributions,
                       &funnel->attribution);
    if (!s) s = query_count(&funnel->query, "limit", 50, 1, 1000, &funnel->group_limit);
    return s;
}

/* If the order matters, the bit of the first step makes a hit an entry: hits that come too late lose it. */
const Hits *funnel_trim(const FunnelQuestion *funnel, const Hits *all, Arena *scratch, Hits *ret)
{
    const ChainRules *rules = &funnel->rules;
    if (!rules->has_entries_to || rules->order != ORDER_LOOSE
        || all->hits[all->count - 1].time_ms < rules->entries_to_ms) return all;
    Hit *hits = arena_try(scratch, sizeof *hits, 8, all->count);
    *ret = (Hits){ hits, all->count, 0, all->has_ties };
    if (!hits) {
        atomic_store(rules->lacks_memory, true);
        ret->count = 0;
        return ret;
    }
    for (uint32_t at = 0; at < all->count; at++) {
        hits[at] = all->hits[at];
        if (hits[at].time_ms >= rules->entries_to_ms) hits[at].steps &= ~1u;
        ret->steps |= hits[at].steps;
    }
    return ret;
}

void funnel_find(const FunnelQuestion *funnel, const Groups *groups, const IndexValue *value, const Hits *found,
                 Arena scratch, Chain *ret)
{
    Hits trimmed;
    const Hits *all = funnel_trim(funnel, found, &scratch, &trimmed);
    const Hit *hits = all->hits;
    bool is_any = value && funnel->attribution == ATTRIBUTION_ANY && !funnel->by.is_trait;
    if (!is_any) {
        chain_find(&funnel->rules, all, scratch, ret);
        if (value && ret->depth && group_compare_values(&groups->values[hits[ret->entry].group], value) != 0)
            ret->depth = 0;
        return;
    }
    uint8_t *depths = arena_new(&scratch, uint8_t, all->count);
    uint32_t best = UINT32_MAX;
    chain_reach(&funnel->rules, all, scratch, depths);
    for (uint32_t at = 0; at < all->count; at++)
        if (depths[at] && group_compare_values(&groups->values[hits[at].group], value) == 0
            && (best == UINT32_MAX || depths[at] > depths[best])) best = at;
    ret->depth = 0;
    if (best != UINT32_MAX) chain_follow(&funnel->rules, all, best, scratch, ret);
}

ScanSpec funnel_spec(const FunnelQuestion *funnel)
{
    const ChainRules *rules = &funnel->rules;
    uint32_t entries = rules->order == ORDER_ANY ? (1u << rules->step_count) - 1 : 1;
    return (ScanSpec){ .selectors = funnel->selectors,
                       .selector_count = rules->step_count + rules->exclusion_count + (rules->order == ORDER_STRICT),
                       .needed_bits = entries, .group_bits = funnel->by.is_given ? entries : 0, .by = funnel->by };
}

void funnel_write_rules(FunnelQuestion *funnel, struct buf *answer)
{
    json_word(answer, "range", ranges[funnel->range]);
    json_word(answer, "order", orders[funnel->rules.order]);
    funnel->query.to_ms = funnel->to_ms;
}

/* ---- Counting ---- */

static void conversions_open(struct conversions *kept, size_t bytes, Millis window_ms)
{
    *kept = (struct conversions){ .stride = window_ms <= UINT32_MAX ? 12 : 20 };
    kept->max = bytes / kept->stride;
    region_open_large(&kept->region, bytes + kept->stride);
}

static inline void conversions_put(struct conversions *kept, uint32_t tag, uint64_t from_first, uint64_t from_previous)
{
    char *at = kept->region.start + kept->count * kept->stride;
    uint32_t narrow[3] = { tag, (uint32_t)from_first, (uint32_t)from_previous };
    if (kept->count == kept->max) {
        kept->is_full = true;
        return;
    }
    kept->count++;
    memcpy(at, narrow, sizeof narrow);
    if (kept->stride == sizeof narrow) return;
    memcpy(at + 4, &from_first, sizeof from_first);
    memcpy(at + 12, &from_previous, sizeof from_previous);
}

static inline uint32_t conversions_tag(const struct conversions *kept, size_t number)
{
    uint32_t tag;
    memcpy(&tag, kept->region.start + number * kept->stride, sizeof tag);
    return tag;
}

/* measure 0: from the entry; 1: from the step before. */
static inline int64_t conversions_time(const struct conversions *kept, size_t number, uint32_t measure)
{
    const char *at = kept->region.start + number * kept->stride + 4;
    uint32_t narrow;
    int64_t wide;
    memcpy(&narrow, at + measure * sizeof narrow, sizeof narrow);
    if (kept->stride == 12) return narrow;
    memcpy(&wide, at + measure * sizeof wide, sizeof wide);
    return wide;
}

static void put_conversions(struct counter *counter, const Chain *chain, uint32_t group, bool is_whole)
{
    for (uint32_t step = 1; step < chain->depth; step++) {
        uint64_t from_first = (uint64_t)(chain->times_ms[step] - chain->times_ms[0]);
        uint64_t from_previous = (uint64_t)(chain->times_ms[step] - chain->times_ms[step - 1]);
        if (is_whole) {
            counter->histograms[step][0][rank_bucket_of(from_first)]++;
            counter->histograms[step][1][rank_bucket_of(from_previous)]++;
        }
        conversions_put(&counter->conversions, group << 8 | step, from_first, from_previous);
    }
}

static void count_group(const struct funnel *funnel, struct counter *counter, const Chain *chain,
                        uint32_t group)
{
    counter->grouped[(size_t)group * funnel->question.rules.step_count + chain->depth - 1]++;
    if (group >= counter->group_end) counter->group_end = group + 1;
    put_conversions(counter, chain, group, !funnel->is_any);
}

/* Any attribution: each value that an entry has is a funnel of its own, over the entries that have it. */
static void count_any(const struct funnel *funnel, struct counter *counter, const Hits *all, Arena scratch)
{
    const ChainRules *rules = &funnel->question.rules;
    const Hit *hits = all->hits;
    uint32_t count = all->count;
    uint8_t *depths = arena_new(&scratch, uint8_t, count);
    uint64_t *entries = arena_new(&scratch, uint64_t, count);
    uint32_t entry_count = 0;
    chain_reach(rules, all, scratch, depths);
    for (uint32_t at = 0; at < count; at++)
        if (depths[at]) entries[entry_count++] = (uint64_t)hits[at].group << 32 | at;
    qsort(entries, entry_count, sizeof *entries, compare_u64);
    for (uint32_t first = 0, end; first < entry_count && !query_is_given_up(funnel->question.query.world);
         first = end) {
        uint32_t best = (uint32_t)entries[first];
        for (end = first + 1; end < entry_count && entries[end] >> 32 == entries[first] >> 32; end++)
            if (depths[(uint32_t)entries[end]] > depths[best]) best = (uint32_t)entries[end];
        Chain chain;
        chain_follow(rules, all, best, scratch, &chain);
        count_group(funnel, counter, &chain, hits[best].group);
    }
}

static void count_person(void *context, uint32_t worker, uint32_t person, const Hits *found, Arena scratch)
{
    struct funnel *funnel = context;
    struct counter *counter = &funnel->counters[worker];
    Chain chain;
    Hits trimmed;
    const Hits *hits = funnel_trim(&funnel->question, found, &scratch, &trimmed);
    (void)person;
    chain_find(&funnel->question.rules, hits, scratch, &chain);
    if (chain.depth == 0) return;
    counter->people[chain.depth - 1]++;
    if (!funnel->is_any) {
        if (funnel->is_grouped) count_group(funnel, counter, &chain, hits->hits[chain.entry].group);
        else put_conversions(counter, &chain, 0, true);
        return;
    }
    put_conversions(counter, &chain, GROUP_ALL, true);
    count_any(funnel, counter, hits, scratch);
}

/* ---- Adding up ---- */

/* What one line of the answer says: reached[k] people got at least to step k. */
struct line {
    uint64_t reached[CHAIN_STEPS_MAX];
    Millis times_ms[CHAIN_STEPS_MAX][4];    /* from the entry: median, p90; from the step before: likewise */
    uint32_t group;
};

/* A percentile of the whole: of which step and measure, in which bucket it is, at which place there, and the values of
 * that bucket. */
struct wanted {
    uint32_t step, measure, bucket;
    size_t place, count, max;
    int64_t *values;
};

static uint64_t bucket_count(const struct funnel *funnel, uint32_t step, uint32_t measure, uint32_t bucket)
{
    uint64_t count = 0;
    for (uint32_t worker = 0; worker < funnel->worker_count; worker++)
        count += funnel->counters[worker].histograms[step][measure][bucket];
    return count;
}

/* Finds the bucket of a step and measure that have been set, and the place in it of the value at that place of all. */
static Status want(struct funnel *funnel, struct wanted *wanted, uint64_t place, Arena *arena, Err *err)
{
    uint32_t step = wanted->step, measure = wanted->measure, bucket = 0;
    Status s = OK;
    for (uint64_t here; place >= (here = bucket_count(funnel, step, measure, bucket)); bucket++)
        place -= here;
    wanted->bucket = bucket;
    wanted->place = place;
    wanted->max = bucket_count(funnel, step, measure, bucket);
    wanted->values = answer_take(arena, sizeof *wanted->values, wanted->max, &s, err);
    return s;
}

/* One task for each worker's conversions. */
static void run_by_source(const struct funnel *funnel, QueryTask *task, void *context)
{
    const QueryPool *pool = funnel->question.query.world->pool;
    if (pool) pool->run(pool->pool, task, context, funnel->worker_count);
    for (uint32_t at = 0; !pool && at < funnel->worker_count; at++) task(context, at, 0);
}

/* The percentiles of the whole, by step, measure, and median or p90. The second step has one measure only: the step
 * before it is the entry. */
struct whole {
    const struct funnel *funnel;
    struct wanted wanted[CHAIN_STEPS_MAX][2][2];
};

static void want_values(void *context, uint32_t source, uint32_t worker)
{
    struct whole *whole = context;
    const struct conversions *kept = &whole->funnel->counters[source].conversions;
    (void)worker;
    for (size_t at = 0; at < kept->count; at++) {
        uint32_t tag = conversions_tag(kept, at), step = tag & 255;
        if (whole->funnel->is_any && tag >> 8 != GROUP_ALL) continue;
        for (uint32_t measure = 0; measure < (step == 1 ? 1 : 2); measure++) {
            int64_t value = conversions_time(kept, at, measure);
            struct wanted *wanted = whole->wanted[step][measure];
            uint32_t bucket = rank_bucket_of((uint64_t)value);
            for (int which = 0; which < 2; which++)
                if (wanted[which].bucket == bucket)
                    wanted[which].values[__atomic_fetch_add(&wanted[which].count, 1, __ATOMIC_RELAXED)] = value;
        }
    }
}

/* Fills the times of the line that is the whole, by the histograms. */
static Status rank_whole(struct funnel *funnel, struct line *line, Err *err)
{
    static const double shares[] = { 0.5, 0.9 };
    Arena scratch = *funnel->question.query.arena;
    uint32_t step_count = funnel->question.rules.step_count;
    Status s = OK;
    struct whole *whole = answer_take(&scratch, sizeof *whole, 1, &s, err);
    if (s) return s;
    whole->funnel = funnel;
    for (uint32_t step = 1; step < step_count && line->reached[step]; step++)
        for (uint32_t which = 0; which < 4 && !s; which++) {
            struct wanted *one = &whole->wanted[step][which / 2][which % 2];
            *one = (struct wanted){ .step = step, .measure = which / 2 };
            s = want(funnel, one, rank_place(line->reached[step], shares[which % 2]), &scratch, err);
        }
    if (s) return s;
    run_by_source(funnel, want_values, whole);
    s = answer_go_on(funnel->question.query.world, err);
    if (s) return s;
    for (uint32_t step = 1; step < step_count && line->reached[step]; step++)
        for (uint32_t which = 0; which < 4; which++) {
            struct wanted *one = &whole->wanted[step][which / 2][which % 2];
            line->times_ms[step][which] = step == 1 && which >= 2 ? line->times_ms[1][which - 2]
                : rank_select(one->values, one->count, one->place);
        }
    return OK;
}

/* The groups' times: each line's and step's conversions lie together. */
struct ranking {
    struct funnel *funnel;
    struct line *lines;
    const uint32_t *line_of;                /* by group: its line + 1 */
    uint32_t step_count, bucket_count;      /* bucket: line and step */
    size_t *first;                          /* by bucket: where its times begin */
    size_t *places, *next;                  /* by worker and bucket: where that worker's begin; where one goes next */
    int64_t *times;                         /* of one measure */
    uint32_t measure;
};

static void rank_bucket(void *context, uint32_t task, uint32_t worker)
{
    struct ranking *ranking = context;
    size_t first = ranking->first[task], count = ranking->first[task + 1] - first;
    Millis *times_ms = ranking->lines[task / ranking->step_count].times_ms[task % ranking->step_count];
    Millis *to = times_ms + ranking->measure * 2;
    (void)worker;
    if (count == 0) return;
    if (ranking->measure && task % ranking->step_count == 1) {         /* the step before is the entry */
        memcpy(to, times_ms, 2 * sizeof *to);
        return;
    }
    to[0] = rank_of_integers(ranking->times + first, count, 0.5);
    to[1] = rank_of_integers(ranking->times + first, count, 0.9);
}

/* Which bucket a conversion belongs to, or SIZE_MAX. */
static size_t bucket_of(const struct ranking *ranking, uint32_t tag)
{
    uint32_t group = tag >> 8, line = group == GROUP_ALL ? 0 : ranking->line_of[group];
    return line ? (size_t)(line - 1) * ranking->step_count + (tag & 255) : SIZE_MAX;
}

static void count_buckets(void *context, uint32_t source, uint32_t worker)
{
    struct ranking *ranking = context;
    const struct conversions *kept = &ranking->funnel->counters[source].conversions;
    size_t *counts = ranking->places + (size_t)source * ranking->bucket_count;
    (void)worker;
    for (size_t at = 0; at < kept->count; at++) {
        size_t bucket = bucket_of(ranking, conversions_tag(kept, at));
        if (bucket != SIZE_MAX) counts[bucket]++;
    }
}

static void gather_times(void *context, uint32_t source, uint32_t worker)
{
    struct ranking *ranking = context;
    const struct conversions *kept = &ranking->funnel->counters[source].conversions;
    size_t *next = ranking->next + (size_t)source * ranking->bucket_count;
    (void)worker;
    for (size_t at = 0; at < kept->count; at++) {
        uint32_t tag = conversions_tag(kept, at);
        size_t bucket = ranking->measure && (tag & 255) == 1 ? SIZE_MAX : bucket_of(ranking, tag);
        if (bucket != SIZE_MAX) ranking->times[next[bucket]++] = conversions_time(kept, at, ranking->measure);
    }
}

/* Fills the groups' times. */
static Status rank_lines(struct funnel *funnel, struct line *lines, uint32_t line_count,
                         const uint32_t *line_of, Err *err)
{
    Arena scratch = *funnel->question.query.arena;
    const QueryPool *pool = funnel->question.query.world->pool;
    struct ranking ranking = { .funnel = funnel, .lines = lines, .line_of = line_of,
                               .step_count = funnel->question.rules.step_count };
    size_t all = 0, cells = (size_t)line_count * ranking.step_count * funnel->worker_count;
    Status s = OK;
    ranking.bucket_count = line_count * ranking.step_count;
    ranking.first = answer_take(&scratch, sizeof(size_t), ranking.bucket_count + (size_t)1, &s, err);
    ranking.places = answer_take(&scratch, sizeof(size_t), cells, &s, err);
    ranking.next = answer_take(&scratch, sizeof(size_t), cells, &s, err);
    if (s) return s;
    run_by_source(funnel, count_buckets, &ranking);
    if ((s = answer_go_on(funnel->question.query.world, err))) return s;
    for (uint32_t bucket = 0; bucket < ranking.bucket_count; bucket++) {
        ranking.first[bucket] = all;
        for (uint32_t source = 0; source < funnel->worker_count; source++) {
            size_t *place = &ranking.places[(size_t)source * ranking.bucket_count + bucket], count = *place;
            *place = all;
            all += count;
        }
    }
    ranking.first[ranking.bucket_count] = all;
    ranking.times = arena_try(&scratch, sizeof(int64_t), 16, all + 1);
    if (!ranking.times) return err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may; narrow it");
    for (ranking.measure = 0; ranking.measure < 2; ranking.measure++) {
        memcpy(ranking.next, ranking.places, cells * sizeof *ranking.next);
        run_by_source(funnel, gather_times, &ranking);
        if ((s = answer_go_on(funnel->question.query.world, err))) return s;
        if (pool) pool->run(pool->pool, rank_bucket, &ranking, ranking.bucket_count);
        for (uint32_t bucket = 0; !pool && bucket < ranking.bucket_count; bucket++) rank_bucket(&ranking, bucket, 0);
    }
    return OK;
}

/* From "reached exactly" to "reached at least". */
static void accumulate(struct line *line, uint32_t step_count)
{
    for (uint32_t step = step_count - 1; step > 0; step--) line->reached[step - 1] += line->reached[step];
}

static uint32_t group_end_of(const struct funnel *funnel)
{
    uint32_t group_end = 0;
    for (uint32_t worker = 0; worker < funnel->worker_count; worker++)
        if (funnel->counters[worker].group_end > group_end) group_end = funnel->counters[worker].group_end;
    return group_end;
}

static void add_up_group(const struct funnel *funnel, uint32_t group, struct line *ret)
{
    uint32_t steps = funnel->question.rules.step_count;
    *ret = (struct line){ .group = group };
    for (uint32_t worker = 0; worker < funnel->worker_count; worker++) {
        const struct counter *counter = &funnel->counters[worker];
        for (uint32_t step = 0; group < counter->group_end && step < steps; step++)
            ret->reached[step] += counter->grouped[(size_t)group * steps + step];
    }
    accumulate(ret, steps);
}

/* The largest groups, as many as the question's limit; values in order among equals. *ret_all: how many
 * groups anybody is in. */
static Status list_groups(struct funnel *funnel, const Groups *groups, struct line **ret_lines, uint32_t *ret_count,
                          uint32_t *ret_all, Err *err)
{
    Arena *arena = funnel->question.query.arena;
    uint32_t group_end = group_end_of(funnel), count = 0;
    struct line line;
    Status s = OK;
    RankedGroup *seen = answer_take(arena, sizeof *seen, group_end, &s, err);
    for (uint32_t group = 0; !s && group < group_end; group++) {
        add_up_group(funnel, group, &line);
        if (line.reached[0]) seen[count++] = (RankedGroup){ line.reached[0], group };
    }
    if (!s) answer_rank(seen, count, groups);
    *ret_all = count;
    if (count > funnel->question.group_limit) count = funnel->question.group_limit;
    *ret_lines = answer_take(arena, sizeof line, count, &s, err);
    for (uint32_t at = 0; !s && at < count; at++) add_up_group(funnel, seen[at].group, &(*ret_lines)[at]);
    *ret_count = count;
    return s;
}

/* ---- Writing ---- */

static void write_time(struct buf *answer, const char *name, const struct line *line, uint32_t step,
                       int which)
{
    if (step == 0 || line->reached[step] == 0) json_null(answer, name);
    else json_int(answer, name, line->times_ms[step][which]);
}

static void write_steps(const struct funnel *funnel, const struct line *line, struct buf *answer)
{
    json_array(answer, "steps");
    for (uint32_t step = 0; step < funnel->question.rules.step_count; step++) {
        json_object(answer, NULL);
        if (funnel->question.rules.order == ORDER_ANY) json_null(answer, "event");       /* whichever it was */
        else json_string(answer, "event", funnel->question.selectors[step].label);
        json_uint(answer, "people", line->reached[step]);
        answer_share(answer, "from_previous", line->reached[step], line->reached[step ? step - 1 : 0]);
        answer_share(answer, "from_first", line->reached[step], line->reached[0]);
        write_time(answer, "median_ms", line, step, 0);
        write_time(answer, "p90_ms", line, step, 1);
        write_time(answer, "median_from_previous_ms", line, step, 2);
        write_time(answer, "p90_from_previous_ms", line, step, 3);
        json_object_end(answer);
    }
    json_array_end(answer);
}

static Status write_answer(struct funnel *funnel, struct scan *scan, struct buf *answer, Err *err)
{
    Query *query = &funnel->question.query;
    uint32_t steps = funnel->question.rules.step_count, count = 0, group_count = 0;
    struct line all = { 0 }, *lines = NULL;
    uint32_t *line_of = NULL;
    Status s = OK;
    for (uint32_t worker = 0; worker < funnel->worker_count; worker++) {
        const struct counter *counter = &funnel->counters[worker];
        for (uint32_t step = 0; step < steps; step++) all.reached[step] += counter->people[step];
        if (counter->conversions.is_full)
            return err_set(err, ERR_TOO_LARGE,
                           "too many conversions for the memory that the question may use; narrow it");
    }
    if (atomic_load(&funnel->question.lacks_memory))
        return err_set(err, ERR_TOO_LARGE, "somebody has more events than the question has memory for; narrow it");
    accumulate(&all, steps);
    s = rank_whole(funnel, &all, err);
    if (!s && funnel->is_grouped) s = list_groups(funnel, scan_groups(scan), &lines, &count, &group_count, err);
    if (!s && count) line_of = answer_take(query->arena, sizeof *line_of, group_end_of(funnel), &s, err);
    for (uint32_t at = 0; !s && at < count; at++) line_of[lines[at].group] = at + 1;
    if (!s && count) s = rank_lines(funnel, lines, count, line_of, err);
    if (s) return s;
    json_object(answer, NULL);
    write_steps(funnel, &all, answer);
    json_array(answer, "groups");
    for (uint32_t at = 0; at < count; at++) {
        json_object(answer, NULL);
        json_name(answer, STR("value"));
        group_write(scan_groups(scan), lines[at].group, answer);
        write_steps(funnel, &lines[at], answer);
        json_object_end(answer);
    }
    json_array_end(answer);
    json_uint(answer, "groups_left_out", group_count - count);
    json_int(answer, "window_ms", funnel->question.rules.window_ms);
    if (funnel->question.by.is_given) json_string(answer, "by", funnel->question.by.label);
    else json_null(answer, "by");
    funnel_write_rules(&funnel->question, answer);
    answer_close(query, scan, answer);
    return OK;
}

static void open_counters(struct funnel *funnel, const QueryWorld *world, uint32_t worker_count)
{
    size_t share = (world->memory_bytes ? world->memory_bytes : (size_t)1 << 30) / worker_count / 6;
    for (uint32_t worker = 0; worker < worker_count; worker++) {
        struct counter *counter = &funnel->counters[worker];
        conversions_open(&counter->conversions, share + share / 2, funnel->question.rules.window_ms);
        region_open(&counter->histogram_region, sizeof *counter->histograms * CHAIN_STEPS_MAX);
        counter->histograms = (void *)counter->histogram_region.start;
        if (!funnel->is_grouped) continue;
        region_open(&counter->region, (size_t)GROUPS_MAX * CHAIN_STEPS_MAX * sizeof(uint32_t));
        counter->grouped = (uint32_t *)counter->region.start;
    }
}

Status answer_funnel(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    static const char *const allowed[]
        = { "steps", "exclusions", "of", "window", "order", "range", "from", "to", "timezone", "where", "by",
            "attribution", "limit", NULL };
    struct scan *scan = NULL;
    Status s = OK;
    struct funnel *funnel = answer_take(arena, sizeof *funnel, 1, &s, err);
    if (!s) s = funnel_parse(&funnel->question, question, world, arena, allowed, err);
    if (s) return s;
    funnel->is_grouped = funnel->question.by.is_given;
    funnel->is_any = funnel->is_grouped && !funnel->question.by.is_trait
        && funnel->question.attribution == ATTRIBUTION_ANY;
    ScanSpec spec = funnel_spec(&funnel->question);
    spec.on_person = count_person;
    spec.context = funnel;
    s = scan_open(&funnel->question.query, &spec, &scan, err);
    if (s) return s;
    funnel->worker_count = scan_worker_count(scan);
    open_counters(funnel, world, funnel->worker_count);
    s = scan_run(scan, err);
    if (!s) s = write_answer(funnel, scan, answer, err);
    scan_close(scan);
    for (uint32_t worker = 0; worker < funnel->worker_count; worker++) {
        region_close(&funnel->counters[worker].conversions.region);
        region_close(&funnel->counters[worker].region);
        region_close(&funnel->counters[worker].histogram_region);
    }
    return s;
}
