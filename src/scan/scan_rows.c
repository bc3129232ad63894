/* scan_rows: goes over the rows of a slice, run by run, and finds which rows match and whom they belong to. */
#include "scan_work.h"

#include <math.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WORDS_A_LOOK = 256 };             /* 16,384 rows: one subject may have any number of rows */

/* ---- One row ---- */

/* The code of a row in a reader's column; false: it failed. */
static bool read_code(struct columns *scan, struct worker *worker, uint32_t run, uint32_t reader, uint32_t row,
                      uint64_t *ret)
{
    IndexCodes *codes = &worker->readers[run * READERS + reader];
    const PlanRun *plan = &scan->plan.runs[run];
    Err err = { 0 };
    if (!codes->run) {
        unsigned char *bytes = (unsigned char *)arena_bytes(&worker->reader_arena, INDEX_CODES_BYTES);
        bool is_position = reader == SCAN_READERS_MAX;
        index_codes_init(codes, plan->run, is_position ? INDEX_POSITIONS : plan->reader_columns[reader],
                         is_position ? 0 : plan->reader_codes[reader], bytes, worker->zstd);
    }
    if (!index_codes_has(codes, row)) {
        Status s = index_codes_load(codes, row, &err);
        if (s) return scan_fail(scan, s, &err), false;
    }
    *ret = index_codes_get(codes, row);
    return true;
}

static bool filter_holds(struct columns *scan, struct worker *worker, uint32_t run, const PlanFilter *filter,
                         uint32_t row, Subject subject)
{
    uint64_t code = subject;
    if (filter->reader == READER_NONE) return filter->passes_nothing;
    if (filter->reader == READER_SUBJECT) {
        if (subject >= scan->world->people->subject_count) return filter->passes_nothing;
    } else if (!read_code(scan, worker, run, filter->reader, row, &code)) return false;
    if (scan->bucket_from == 0 && filter->texts && filter->texts[code / 64] >> code % 64 & 1)
        columns_count_text(scan, filter->field, NUMBER_OF_TEXT);
    return filter->passes[code / 64] >> code % 64 & 1;
}

/* Is the page's path the name that the selector asks for? */
static bool path_holds(struct columns *scan, struct worker *worker, uint32_t run, const PlanSelector *selector,
                       uint32_t row)
{
    uint64_t code = INDEX_ABSENT;
    if (selector->paths[0].reader != READER_NONE
        && !read_code(scan, worker, run, selector->paths[0].reader, row, &code)) return false;
    return filter_holds(scan, worker, run, &selector->paths[code == INDEX_ABSENT], row, SUBJECT_NONE);
}

/* Looks at the row's other columns for the selectors that need them, and gives those that match. */
static uint32_t ask_row(struct columns *scan, struct worker *worker, uint32_t run, uint32_t code, uint32_t row,
                        Subject subject)
{
    const PlanRun *plan = &scan->plan.runs[run];
    uint32_t steps = 0;
    const PlanKind *kind = &plan->event_kinds[plan->kinds[code]];
    for (uint32_t asks = kind->asks; asks; asks &= asks - 1) {
        uint32_t at = (uint32_t)__builtin_ctz(asks), filter = 0;
        const PlanSelector *selector = &plan->selectors[at];
        if (kind->by_path >> at & 1 && !path_holds(scan, worker, run, selector, row)) continue;
        while (filter < selector->filter_count
               && filter_holds(scan, worker, run, &selector->filters[filter], row, subject)) filter++;
        if (filter == selector->filter_count) steps |= 1u << at;
    }
    return steps;
}

/* ---- Rows of a slice ---- */

/* A bit for each of 64 rows: its event code matters. Bits of rows after the last one are garbage. */
static inline __attribute__((always_inline)) uint64_t hot_rows(const PlanRun *plan, uint32_t word)
{
    const IndexPacked *events = &plan->run->events;
    uint64_t bits = 0;
#ifdef __SSE2__
    if (plan->hot_count) {
        const unsigned char *at = events->bytes + (size_t)word * 64;
        for (int part = 0; part < 4; part++) {
            __m128i codes = _mm_load_si128((const __m128i *)(const void *)(at + part * 16)), any
                = _mm_setzero_si128();
            for (uint32_t hot = 0; hot < plan->hot_count; hot++)
                any = _mm_or_si128(any, _mm_cmpeq_epi8(codes, _mm_set1_epi8((char)plan->hot[hot])));
            bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(any) << part * 16;
        }
        return bits;
    }
#endif
    uint32_t first = word * 64, left = plan->run->row_count - first;
    for (uint32_t at = 0; at < 64 && at < left; at++)
        bits |= (uint64_t)(plan->kinds[index_packed_get(events, first + at)] != 0) << at;
    return bits;
}

static bool row_group(const struct place *place, uint32_t code, uint32_t row, uint32_t *ret)
{
    const PlanRun *plan = &place->scan->plan.runs[place->run];
    uint64_t value;
    *ret = GROUP_NOTHING;
    if (plan->by_code) {
        *ret = plan->groups[code];
        for (int path = 0; path < 2 && code == plan->nameless_page; path++) {
            if (plan->path_readers[path] == READER_NONE) continue;
            if (!read_code(place->scan, place->worker, place->run, plan->path_readers[path], row, &value)) return false;
            if (value == INDEX_ABSENT) continue;
            *ret = plan->path_groups[path][value];
            break;
        }
        return true;
    }
    if (plan->by_reader == READER_NONE) return true;
    if (!read_code(place->scan, place->worker, place->run, plan->by_reader, row, &value)) return false;
    *ret = plan->groups[value];
    return true;
}

/* Finds the person whom the row belongs to; QUERY_NOBODY if that cannot be known. */
static uint32_t row_person(const struct place *place, Subject subject, Millis time_ms, uint32_t row)
{
    struct columns *scan = place->scan;
    const QueryPeople *people = scan->world->people;
    uint32_t slot = slot_of(people, subject);
    if (!is_shared(slot)) return slot < scan->people_max ? slot : QUERY_NOBODY;
    uint64_t pos;
    if (!read_code(scan, place->worker, place->run, SCAN_READERS_MAX, row, &pos)) return QUERY_NOBODY;
    uint32_t person = people->find_person(people->context, subject, time_ms, pos);
    return person < scan->people_max ? person : QUERY_NOBODY;
}

static uint32_t row_ref(const struct place *place, uint32_t row)
{
    struct columns *scan = place->scan;
    uint32_t at = atomic_fetch_add(&scan->ref_count, 1) + 1;
    if (at >= REFS_MAX) return 0;
    scan->refs[at] = (uint64_t)place->run << 32 | row;
    return at;
}

/* Finds the account of the row; false: it failed. */
static bool row_account(const struct place *place, uint32_t row, uint32_t *ret)
{
    const PlanRun *plan = &place->scan->plan.runs[place->run];
    uint64_t code;
    *ret = QUERY_NOBODY;
    if (plan->account_reader == READER_NONE) return true;
    if (!read_code(place->scan, place->worker, place->run, plan->account_reader, row, &code)) return false;
    *ret = plan->accounts[code];
    return true;
}

static bool is_wanted(const ScanSpec *spec, uint32_t person, Millis time_ms)
{
    if (person == QUERY_NOBODY) return false;
    if (!spec->only_people) return true;
    if (!(spec->only_people[person / 64] >> person % 64 & 1)) return false;
    return !spec->wants || spec->wants(spec->context, person, time_ms);
}

/* Takes a row that may match, whatever the question needs: filters, breakdown, references, on_row. */
static __attribute__((noinline)) void take_row(const struct place *place, uint32_t code, uint32_t row,
                                               Subject subject)
{
    struct columns *scan = place->scan;
    struct worker *worker = place->worker;
    const ScanSpec *spec = scan->spec;
    const PlanRun *plan = &scan->plan.runs[place->run];
    Millis time_ms = (Millis)((uint64_t)plan->run->times.base + index_packed_get(&plan->run->times, row));
    const PlanKind *kind = &plan->event_kinds[plan->kinds[code]];
    uint32_t steps = kind->sure, group = GROUP_NOTHING, person = QUERY_NOBODY;
    if (time_ms < scan->query->from_ms || time_ms >= scan->query->to_ms) return;
    if (kind->asks) steps |= ask_row(scan, worker, place->run, code, row, subject);
    if (!steps) return;
    if (scan->plan.subject_groups)
        group = subject < scan->plan.subject_count ? scan->plan.subject_groups[subject] : (uint32_t)GROUP_NOTHING;
    else if (steps & spec->group_bits && !row_group(place, code, row, &group)) return;
    if (subject < scan->people_max && !(scan->users[subject / 64] >> subject % 64 & 1)) {
        if (spec->users_only) return;
        steps |= spec->anonymous_bit;
    }
    bool is_of_groups = scan->query->is_of_groups;
    if (is_of_groups && !row_account(place, row, &person)) return;
    if (is_of_groups && !spec->on_row) {
        if (!is_wanted(spec, person, time_ms)) return;
        worker->matched++;
        Hit hit = { .time_ms = time_ms, .key = person, .steps = steps, .group = group,
                    .ref = spec->wants_refs ? row_ref(place, row) : 0 };
        scan_spill(scan, worker, person, &hit, 1);
        return;
    }
    bool is_shared_subject = !is_of_groups && subject < scan->people_max
        && scan->shared[subject / 64] >> subject % 64 & 1;
    if (!is_of_groups && (spec->on_row || spec->only_people || is_shared_subject)) {
        person = row_person(place, subject, time_ms, row);
        if (person == QUERY_NOBODY && !spec->on_row) return;
        if (spec->only_people && !is_wanted(spec, person, time_ms)) return;
    }
    worker->matched++;
    if (spec->on_row) {
        ScanRow found
            = { .person = person, .time_ms = time_ms, .steps = steps, .group = group, .number = NAN };
        uint64_t value;
        if (plan->number_reader != READER_NONE) {
            if (!read_code(scan, worker, place->run, plan->number_reader, row, &value)) return;
            found.number = plan->numbers[value];
            found.number_kind = plan->number_kinds[value];
        }
        scan_hand_over_row(scan, place->worker_index, &found);
        return;
    }
    Hit hit = { .time_ms = time_ms, .key = subject, .steps = steps, .group = group,
                .ref = spec->wants_refs ? row_ref(place, row) : 0 };
    if (is_shared_subject) scan_spill(scan, worker, person, &hit, 1);
    else if (worker->hit_count == worker->hit_max) scan_fail_memory(scan);
    else worker->hits[worker->hit_count++] = hit;
}

/* Goes from the first row of one subject to the first row of another one. is_plain: the event code of a row, which has
 * one byte, and the row's time say all that is needed; then only the hit itself is written, and no branch depends on
 * the data. has_group: they say all but the value of the breakdown, which some of the rows have. */
static inline __attribute__((always_inline)) void scan_rows(const struct place *place, uint32_t from_row,
                                                            uint32_t to_row,
                                                            uint32_t from_ordinal, bool is_plain,
                                                            bool has_group)
{
    const PlanRun *plan = &place->scan->plan.runs[place->run];
    const IndexRun *run = plan->run;
    const uint32_t *sure = plan->sure, *subjects = run->subjects;
    const uint64_t *shared = place->scan->shared, *wanted = place->scan->wanted;
    IndexPacked times = run->times, events = run->events;
    uint64_t from_offset = plan->from_offset, range = plan->range;
    uint32_t group_bits = place->scan->spec->group_bits;
    uint32_t word = from_row / 64, last = (to_row - 1) / 64, wanted_max = place->scan->people_max;
    uint32_t shared_max = place->scan->has_shared ? wanted_max : 0;
    uint64_t before_first = (UINT64_C(1) << from_row % 64) - 1;
    uint32_t before = from_ordinal - (uint32_t)__builtin_popcountll(run->starts[word] & before_first);
    Hit *hit = place->worker->hits + place->worker->hit_count;
    for (; word <= last; word++) {
        if (word % WORDS_A_LOOK == 0 && __builtin_expect(scan_is_over(place->scan), 0)) break;
        uint64_t starts = run->starts[word], bits = hot_rows(plan, word);
        if (word == from_row / 64) bits &= ~before_first;
        if (word == last && to_row % 64) bits &= (UINT64_C(1) << to_row % 64) - 1;
        for (; bits; bits &= bits - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(bits), row = word * 64 + bit;
            uint32_t ordinal
                = before + (uint32_t)__builtin_popcountll(starts & ((UINT64_C(2) << bit) - 1)) - 1;
            uint32_t code = is_plain ? events.bytes[row] : (uint32_t)index_packed_get(&events, row);
            Subject subject = subjects[ordinal];
            if (!is_plain && wanted
                && (subject >= wanted_max || !(wanted[subject / 64] >> subject % 64 & 1))) continue;
            if (!is_plain
                || __builtin_expect(subject < shared_max && shared[subject / 64] >> subject % 64 & 1, 0)) {
                if (is_plain) place->worker->hit_count = (uint32_t)(hit - place->worker->hits);
                take_row(place, code, row, subject);
                continue;
            }
            uint64_t offset = index_packed_get(&times, row);
            *hit = (Hit){ .time_ms = (Millis)((uint64_t)times.base + offset), .key = subject, .steps = sure[code] };
            if (has_group && sure[code] & group_bits && offset - from_offset < range
                && !row_group(place, code, row, &hit->group)) return;
            hit += offset - from_offset < range;
        }
        before += (uint32_t)__builtin_popcountll(starts);
    }
    if (!is_plain) return;
    place->worker->matched += (uint64_t)(hit - place->worker->hits) - place->worker->hit_count;
    place->worker->hit_count = (uint32_t)(hit - place->worker->hits);
}

#if defined(__x86_64__)
#define ROWS_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))
static ROWS_TARGET void scan_rows_plain_avx2(const struct place *place, uint32_t from_row, uint32_t to_row,
                                             uint32_t from_ordinal)
{
    scan_rows(place, from_row, to_row, from_ordinal, true, false);
}

static ROWS_TARGET void scan_rows_grouped_avx2(const struct place *place, uint32_t from_row, uint32_t to_row,
                                               uint32_t from_ordinal)
{
    scan_rows(place, from_row, to_row, from_ordinal, true, true);
}

static ROWS_TARGET void scan_rows_full_avx2(const struct place *place, uint32_t from_row, uint32_t to_row,
                                            uint32_t from_ordinal)
{
    scan_rows(place, from_row, to_row, from_ordinal, false, false);
}
#endif

static void scan_rows_plain(const struct place *place, uint32_t from_row, uint32_t to_row,
                            uint32_t from_ordinal)
{
    scan_rows(place, from_row, to_row, from_ordinal, true, true);
}

static void scan_rows_full(const struct place *place, uint32_t from_row, uint32_t to_row,
                           uint32_t from_ordinal)
{
    scan_rows(place, from_row, to_row, from_ordinal, false, false);
}

void scan_stretch(const struct place *place, uint32_t from_row, uint32_t to_row, uint32_t from_ordinal)
{
    const PlanRun *plan = &place->scan->plan.runs[place->run];
    if (from_row == to_row) return;
    place->worker->row_count += to_row - from_row;
    bool has_room = to_row - from_row < place->worker->hit_max - place->worker->hit_count;
    bool is_full = !place->scan->is_plain || plan->has_asks || plan->run->events.width > 1 || !has_room;
#if defined(__x86_64__)
    bool has_groups = place->scan->spec->group_bits;
    if (place->scan->has_avx2) {
        if (is_full) scan_rows_full_avx2(place, from_row, to_row, from_ordinal);
        else if (has_groups) scan_rows_grouped_avx2(place, from_row, to_row, from_ordinal);
        else scan_rows_plain_avx2(place, from_row, to_row, from_ordinal);
        return;
    }
#endif
    if (is_full) scan_rows_full(place, from_row, to_row, from_ordinal);
    else scan_rows_plain(place, from_row, to_row, from_ordinal);
}
