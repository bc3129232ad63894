/* scan_columns: the back end that finds events in the index: the tasks of a scan, and what each worker keeps.
 *
 * Passes. The buckets of spilled hits may need more memory than there is. Then the worker that has no memory left
 * halves the range of buckets that this pass keeps, for all workers, and frees its own buckets outside of it. The next
 * pass scans again for those buckets. Events of subjects that are alone are handed over in the first pass only.
 */
#include "scan_work.h"

#include <stdlib.h>
#include <zstd.h>

enum { TRAIT_SAMPLE = 1 << 16 };

static void serial_run(void *pool, QueryTask *task, void *context, uint32_t count)
{
    (void)pool;
    for (uint32_t at = 0; at < count; at++) task(context, at, 0);
}

void scan_fail(struct columns *scan, Status status, const Err *err)
{
    if (!atomic_flag_test_and_set(&scan->is_told)) {
        scan->status = status;
        if (scan->err) *scan->err = *err;
    }
    atomic_store(&scan->is_failed, true);
}

bool scan_is_over(struct columns *scan)
{
    Err err = { 0 };
    if (query_is_given_up(scan->world))
        scan_fail(scan, err_set(&err, ERR_CLOSED, "the question was given up"), &err);
    return atomic_load_explicit(&scan->is_failed, memory_order_relaxed);
}

void scan_fail_memory(struct columns *scan)
{
    Err err = { 0 };
    scan_fail(scan,
              err_set(&err, ERR_TOO_LARGE,
                      "the question needs more memory than it may; narrow its range or filters"), &err);
}

static void columns_close(struct columns *scan);
static uint64_t columns_row_count(const struct columns *scan);
static uint64_t columns_hit_count(const struct columns *scan);

/* ---- People ---- */

/* Sets the bit of each person that has more than one subject. A person has the number of one of its subjects; so each
 * subject with another number sets the bit, and the bit of a person with a single subject stays clear. */
static void mark_joined(void *context, uint32_t task, uint32_t worker)
{
    struct columns *scan = context;
    const QueryPeople *people = scan->world->people;
    uint32_t first = task * QUERY_PAGE_SUBJECTS, left = people->subject_count - first;
    const uint32_t *slots = people->pages[task];
    (void)worker;
    if (scan_is_over(scan)) return;
    for (uint32_t at = 0; at < left && at < QUERY_PAGE_SUBJECTS; at++) {
        uint32_t slot = slots[at];
        if (slot == first + at || slot == QUERY_NOBODY) continue;
        if (is_shared(slot)) {
            /* only one task has this page, so nobody else writes here */
            scan->shared[(first + at) / 64] |= UINT64_C(1) << at % 64;
            __atomic_store_n(&scan->has_shared, true, __ATOMIC_RELAXED);
            people->mark_owners(people->context, first + at, scan->joined);
        }
        else if (slot < scan->people_max)
            __atomic_fetch_or(&scan->joined[slot / 64], UINT64_C(1) << slot % 64, __ATOMIC_RELAXED);
    }
}

/* Marks the subjects that may have events of the people who are asked for. */
static void mark_wanted(void *context, uint32_t task, uint32_t worker)
{
    struct columns *scan = context;
    const QueryPeople *people = scan->world->people;
    const uint64_t *only = scan->spec->only_people;
    uint32_t first = task * QUERY_PAGE_SUBJECTS;
    (void)worker;
    if (scan_is_over(scan)) return;
    for (uint32_t subject = first; subject < scan->people_max && subject < first + QUERY_PAGE_SUBJECTS; subject++) {
        uint32_t slot = slot_of(people, subject);
        bool is_wanted = is_shared(slot) || (slot < scan->people_max && only[slot / 64] >> slot % 64 & 1);
        scan->wanted[subject / 64] |= (uint64_t)is_wanted << subject % 64;
    }
}

/* ---- Preparing ---- */

/* Cuts the subjects into slices with about the same number of rows. It takes a sample of the rows of all runs. */
static bool cut_slices(struct columns *scan)
{
    size_t all = 1, count = 0;
    for (uint32_t at = 0; at < scan->plan.run_count; at++)
        all += scan->plan.runs[at].run->row_count / SAMPLE_ROWS + 1;
    uint32_t *samples = arena_try(&scan->arena, sizeof *samples, 8, all);
    scan->slices = arena_try(&scan->arena, sizeof *scan->slices, 8, all + 2);
    if (!samples || !scan->slices) return false;
    for (uint32_t at = 0; at < scan->plan.run_count; at++) {
        const IndexRun *run = scan->plan.runs[at].run;
        for (uint32_t row = SAMPLE_ROWS; row < run->row_count; row += SAMPLE_ROWS)
            samples[count++] = run->subjects[index_run_ordinal(run, row)];
    }
    qsort(samples, count, sizeof *samples, compare_u32);
    scan->slices[0] = 0;
    for (size_t at = SLICE_SAMPLES; at < count; at += SLICE_SAMPLES)
        if (samples[at] > scan->slices[scan->slice_count]) scan->slices[++scan->slice_count] = samples[at];
    scan->slices[++scan->slice_count] = UINT64_C(1) << 32;
    scan->slices_a_task = scan->slice_count / (scan->pool.worker_count * TASKS_A_WORKER) + 1;
    scan->task_count = (scan->slice_count + scan->slices_a_task - 1) / scan->slices_a_task;
    return true;
}

static void open_workers(struct columns *scan, size_t memory_bytes)
{
    size_t share = memory_bytes / 2 / scan->pool.worker_count;
    for (uint32_t at = 0; at < scan->pool.worker_count; at++) {
        struct worker *worker = &scan->workers[at];
        region_open_large(&worker->hits_region, share / 4);
        region_open_large(&worker->spare_region, share / 4);
        region_open_large(&worker->spill_region, share / 2);
        region_open(&worker->scratch_region,
                    share / 2 + (size_t)scan->plan.run_count * READERS * (INDEX_CODES_BYTES + 128));
        worker->hits = (Hit *)worker->hits_region.start;
        worker->spare = (Hit *)worker->spare_region.start;
        worker->hit_max = (uint32_t)(share / 4 / sizeof(Hit));
        worker->spill_arena = region_arena(&worker->spill_region);
        worker->reader_arena = region_arena(&worker->scratch_region);
        worker->buckets = arena_new(&worker->reader_arena, struct spill *, BUCKETS_MAX);
        worker->readers
            = arena_new(&worker->reader_arena, IndexCodes, (size_t)scan->plan.run_count * READERS);
        worker->scratch_rows = worker->reader_arena;
        arena_bytes(&worker->reader_arena, (size_t)scan->plan.run_count * 2 * sizeof(uint32_t) + 64);
        worker->zstd = ZSTD_createDCtx();
        worker->trait_person = QUERY_NOBODY;
    }
}

/* During the scan any worker gives values of traits their numbers as they come. Before it, values that many people have
 * get theirs, so that nobody can use up all numbers with made-up values. */
static void number_frequent_traits(struct columns *scan)
{
    Groups *groups = &scan->plan.groups;
    uint32_t people = scan->people_max, step = people / TRAIT_SAMPLE + 1;
    Arena arena = scan->arena;
    uint8_t *counts = arena_try(&arena, 1, 1, TRAIT_SAMPLE);
    if (people < groups->max || !counts) return;
    memset(counts, 0, TRAIT_SAMPLE);
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t person = 0; person < people && people - person > step; person += step) {
            Arena scratch = arena;
            if (query_is_given_up(scan->world)) return;
            IndexValue value = scan_ask_trait(scan, person, scan->spec->by.field, &scratch);
            value = value_settle(value, &scratch);
            uint8_t *count = &counts[group_value_hash(&value) % TRAIT_SAMPLE];
            if (pass == 0) *count += *count < 2;
            else if (*count == 2) (void)groups_intern(groups, &value, &scan->groups_arena);
        }
}

static Status scan_prepare(struct columns *scan, Err *err)
{
    const QueryPeople *people = scan->world->people;
    scan->snapshot = scan->spec->like ? columns_of(scan->spec->like)->snapshot : scan->world->snapshot;
    Status s = scan->snapshot ? OK : index_snapshot_open(scan->world->index, &scan->snapshot, err);
    if (!s) s = plan_open(scan->query, scan->spec, scan->snapshot, &scan->arena, &scan->plan, err);
    if (s) return s;
    scan->people_max = people->subject_count;
    /* all runs count, so that all scans of the same events get the same maximum */
    for (uint32_t at = 0; at < index_snapshot_run_count(scan->snapshot); at++) {
        const IndexRun *run = index_snapshot_run(scan->snapshot, at);
        Subject last = run->subjects[run->subject_count - 1];
        if (last == SUBJECT_NONE) last = run->subject_count > 1 ? run->subjects[run->subject_count - 2] : 0;
        if (last >= scan->people_max) scan->people_max = last + 1;
    }
    if (scan->query->is_of_groups) scan->people_max = scan->plan.account_count + 1;
    while (scan->people_max >> scan->bucket_shift >= BUCKETS_MAX) scan->bucket_shift++;
    scan->bucket_count = (scan->people_max >> scan->bucket_shift) + 1;
    size_t words = (size_t)scan->people_max / 64 + 1;
    scan->joined = arena_try(&scan->arena, sizeof *scan->joined, 64, words * 4);
    if (!scan->joined || !cut_slices(scan))
        return err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may");
    memset(scan->joined, 0, words * 4 * sizeof *scan->joined);
    scan->shared = scan->joined + words;
    if (scan->spec->only_people && !scan->query->is_of_groups) scan->wanted = scan->joined + 2 * words;
    scan->users = scan->joined + 3 * words;
    if ((scan->spec->anonymous_bit || scan->spec->users_only) && people->mark_users)
        people->mark_users(people->context, scan->users);
    if (scan->spec->wants_refs) scan->refs = arena_try(&scan->arena, sizeof *scan->refs, 8, REFS_MAX);
    if (scan->spec->by.is_given && scan->spec->by.is_trait) {
        Groups *groups = &scan->plan.groups;
        groups->max = scan_group_max(scan->world, scan->spec);
        groups->slot_count = GROUPS_MAX * 2;
        region_open(&scan->groups_region,
                    GROUPS_MAX * sizeof *groups->values + groups->slot_count * sizeof *groups->slots
                    + GROUPS_TEXT_BYTES);
        groups->values = (IndexValue *)scan->groups_region.start;
        groups->slots = (uint32_t *)(groups->values + GROUPS_MAX);
        scan->groups_arena = region_arena(&scan->groups_region);
        scan->groups_arena.at = (char *)(groups->slots + groups->slot_count);
        groups->values[groups->count++] = (IndexValue){ 0 };
        IndexValue other = { .kind = INDEX_OTHER };
        check(groups_intern(groups, &other, &scan->groups_arena) == GROUP_OTHER);
        number_frequent_traits(scan);
    }
    return OK;
}

static bool spec_asks_traits(const ScanSpec *spec)
{
    bool asks = spec->by.is_given && spec->by.is_trait;
    for (uint32_t at = 0; at < spec->selector_count; at++) asks |= spec->selectors[at].traits.count > 0;
    return asks;
}

static Status columns_open(const Query *query, const ScanSpec *spec, struct scan **ret, Err *err)
{
    static const QueryPool serial = { 1, serial_run, NULL };
    const QueryWorld *world = query->world;
    size_t memory_bytes = world->memory_bytes ? world->memory_bytes : (size_t)1 << 30;
    struct columns *scan = calloc(1, sizeof *scan);
    if (!scan) return err_set(err, ERR_TOO_LARGE, "no memory");
    scan->base.backend = &scan_columns;
    scan->query = query, scan->spec = spec, scan->world = world;
    scan->pool = world->pool ? *world->pool : serial;
    scan->asks_traits = spec_asks_traits(spec);
    scan->is_plain = spec->on_person && !spec->by_event && !spec->only_people && !spec->wants_refs
        && !spec->anonymous_bit && !spec->users_only && spec->by.of != OF_USER
        && !query->is_of_groups;
#if defined(__x86_64__)
    scan->has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")
        && __builtin_cpu_supports("popcnt");
#endif
    check(scan->pool.worker_count > 0 && scan->pool.worker_count <= QUERY_WORKERS_MAX);
    check(spec->selector_count <= SELECTORS_MAX && (!spec->on_row || !spec->on_person));
    region_open(&scan->region, memory_bytes / 4 + (8 << 20));
    scan->arena = region_arena(&scan->region);
    atomic_flag_clear(&scan->is_told);
    atomic_flag_clear(&scan->is_noting);
    atomic_flag_clear(&scan->plan.groups.is_busy);
    scan->workers = arena_new(&scan->arena, struct worker, scan->pool.worker_count);
    Status s = scan_prepare(scan, err);
    if (s) {
        columns_close(scan);
        return s;
    }
    scan->memory_bytes = memory_bytes;
    *ret = &scan->base;
    return OK;
}

static void close_workers(struct columns *scan)
{
    for (uint32_t at = 0; at < scan->pool.worker_count; at++) {
        struct worker *worker = &scan->workers[at];
        region_close(&worker->hits_region);
        region_close(&worker->spare_region);
        region_close(&worker->spill_region);
        region_close(&worker->scratch_region);
        ZSTD_freeDCtx(worker->zstd);
        worker->zstd = NULL;
    }
}

static void columns_close(struct columns *scan)
{
    if (!scan) return;
    close_workers(scan);
    if (!scan->spec->like && scan->snapshot != scan->world->snapshot) index_snapshot_close(scan->snapshot);
    plan_close(&scan->plan);
    region_close(&scan->groups_region);
    region_close(&scan->region);
    free(scan);
}

static void scan_slice(struct columns *scan, uint32_t worker_index, uint32_t slice, uint32_t *rows,
                       uint32_t *ordinals)
{
    struct worker *worker = &scan->workers[worker_index];
    uint32_t run_with_hits = UINT32_MAX, key_min = UINT32_MAX, key_max = 0;
    bool is_mixed = false;
    worker->hit_count = 0;
    for (uint32_t run = 0; run < scan->plan.run_count && !scan_is_over(scan); run++) {
        struct place place = { scan, worker, worker_index, run };
        uint32_t ordinal, count = worker->hit_count;
        uint32_t end
            = index_run_row_of(scan->plan.runs[run].run, scan->slices[slice + 1], ordinals[run], &ordinal);
        scan_stretch(&place, rows[run], end, ordinals[run]);
        rows[run] = end, ordinals[run] = ordinal;
        if (worker->hit_count == count) continue;
        is_mixed |= run_with_hits != UINT32_MAX;
        run_with_hits = run;
        if (worker->hits[count].key < key_min) key_min = worker->hits[count].key;
        if (worker->hits[worker->hit_count - 1].key > key_max)
            key_max = worker->hits[worker->hit_count - 1].key;
    }
    if (worker->hit_count == 0 || atomic_load(&scan->is_failed)) return;
    Hit *hits = worker->hits;
    if (is_mixed) hits = hits_sort_by_key(worker->hits, worker->spare, worker->hit_count, key_min, key_max);
    scan_hand_over_subjects(scan, worker_index, hits, worker->hit_count, hits == worker->hits ? worker->spare
                       : worker->hits);
}

static void tell_progress(struct columns *scan, uint32_t worker_index)
{
    uint32_t done = atomic_fetch_add(&scan->done_count, 1) + 1;
    if (worker_index == 0 && scan->world->progress)
        scan->world->progress(scan->world->context, done, scan->task_count + scan->bucket_count);
}

static void task_slices(void *context, uint32_t task, uint32_t worker_index)
{
    struct columns *scan = context;
    uint32_t first = task * scan->slices_a_task, end = first + scan->slices_a_task, run_count
        = scan->plan.run_count;
    Arena scratch = scan->workers[worker_index].scratch_rows;
    uint32_t *rows = arena_new(&scratch, uint32_t, run_count), *ordinals
        = arena_new(&scratch, uint32_t, run_count);
    if (end > scan->slice_count) end = scan->slice_count;
    for (uint32_t run = 0; run < run_count; run++)
        rows[run] = index_run_row_of(scan->plan.runs[run].run, scan->slices[first], 0, &ordinals[run]);
    for (uint32_t slice = first; slice < end && !scan_is_over(scan); slice++)
        scan_slice(scan, worker_index, slice, rows, ordinals);
    tell_progress(scan, worker_index);
}

/* ---- Buckets ---- */

static void task_bucket(void *context, uint32_t task, uint32_t worker_index)
{
    struct columns *scan = context;
    struct worker *worker = &scan->workers[worker_index];
    uint32_t bucket = scan->bucket_from + task, count = 0, key_min = bucket << scan->bucket_shift;
    for (uint32_t from = 0; from < scan->pool.worker_count && !scan_is_over(scan); from++)
        for (const struct spill *spill = scan->workers[from].buckets[bucket]; spill; spill = spill->next) {
            if (spill->count > worker->hit_max - count) return scan_fail_memory(scan);
            memcpy(worker->hits + count, spill->hits, spill->count * sizeof(Hit));
            count += spill->count;
        }
    if (count == 0 || atomic_load(&scan->is_failed)) return;
    Hit *hits
        = hits_sort_by_key(worker->hits, worker->spare, count, key_min,
                           key_min + ((1u << scan->bucket_shift) - 1));
    scan_hand_over_persons(scan, worker_index, hits, count, hits == worker->hits ? worker->spare : worker->hits);
    tell_progress(scan, worker_index);
}

/* ---- The whole ---- */

static Status columns_run(struct columns *scan, Err *err)
{
    const QueryPool *pool = &scan->pool;
    uint32_t pages = (scan->world->people->subject_count + QUERY_PAGE_SUBJECTS - 1) / QUERY_PAGE_SUBJECTS;
    scan->err = err;
    if (scan->plan.run_count == 0) return OK;
    open_workers(scan, scan->memory_bytes);
    if (scan->wanted) pool->run(pool->pool, mark_wanted, scan, scan->people_max / QUERY_PAGE_SUBJECTS + 1);
    if (scan->spec->on_person && !scan->query->is_of_groups) pool->run(pool->pool, mark_joined, scan, pages);
    uint64_t row_count = 0, matched = 0;
    for (uint32_t from = 0; from < scan->bucket_count && !scan->status;
         from = atomic_load(&scan->bucket_to)) {
        scan->bucket_from = from;
        atomic_store(&scan->bucket_to, scan->bucket_count);
        pool->run(pool->pool, task_slices, scan, scan->task_count);
        if (from == 0) row_count = columns_row_count(scan), matched = columns_hit_count(scan);
        if (scan->status || scan->spec->on_row) break;
        pool->run(pool->pool, task_bucket, scan, atomic_load(&scan->bucket_to) - from);
        for (uint32_t at = 0; at < pool->worker_count; at++) {
            struct worker *worker = &scan->workers[at];
            memset(worker->buckets, 0, BUCKETS_MAX * sizeof *worker->buckets);
            worker->spill_arena = region_arena(&worker->spill_region);
            worker->free_spills = NULL;
        }
    }
    for (uint32_t at = 0; at < pool->worker_count; at++) scan->workers[at].row_count = scan->workers[at].matched = 0;
    scan->workers[0].row_count = row_count, scan->workers[0].matched = matched;     /* later passes see them too */
    close_workers(scan);
    return scan->status;
}

void columns_count_text(struct columns *scan, Str field, uint32_t number_kind)
{
    Plan *plan = &scan->plan;
    uint32_t at = 0;
    while (atomic_flag_test_and_set_explicit(&scan->is_noting, memory_order_acquire)) continue;
    while (at < plan->text_count && !str_equal(plan->texts[at].field, field)) at++;
    if (at < TEXTS_MAX) {
        if (at == plan->text_count) plan->texts[plan->text_count++] = (PlanTexts){ .field = field };
        plan->texts[at].read += number_kind == NUMBER_OF_TEXT;
        plan->texts[at].unread += number_kind == NUMBER_UNREAD;
        plan->texts[at].big += number_kind == NUMBER_BIG;
    }
    atomic_flag_clear_explicit(&scan->is_noting, memory_order_release);
}

void columns_warn(struct columns *scan, Str field)
{
    while (atomic_flag_test_and_set_explicit(&scan->is_noting, memory_order_acquire)) continue;
    plan_note_field(&scan->plan.unkept, field);
    atomic_flag_clear_explicit(&scan->is_noting, memory_order_release);
}

Str columns_account(const struct columns *scan, uint32_t person)
{
    return person < scan->plan.account_count ? scan->plan.accounts[person].text : (Str){ 0 };
}

static Groups *columns_groups(struct columns *scan) { return &scan->plan.groups; }

static uint32_t columns_worker_count(const struct columns *scan) { return scan->pool.worker_count; }

static uint32_t columns_people_max(const struct columns *scan) { return scan->people_max; }

static bool columns_time_range(const struct columns *scan, Millis *ret_first_ms, Millis *ret_last_ms)
{
    Millis first = INT64_MAX, last = INT64_MIN;
    for (uint32_t at = 0; at < scan->plan.run_count; at++) {
        const IndexRun *run = scan->plan.runs[at].run;
        if (run->time_min_ms < first) first = run->time_min_ms;
        if (run->time_max_ms > last) last = run->time_max_ms;
    }
    if (first < scan->query->from_ms) first = scan->query->from_ms;
    if (last >= scan->query->to_ms) last = scan->query->to_ms - 1;
    *ret_first_ms = first, *ret_last_ms = last;
    return scan->plan.run_count > 0 && first <= last;
}

static uint64_t columns_row_count(const struct columns *scan)
{
    uint64_t count = 0;
    for (uint32_t at = 0; at < scan->pool.worker_count; at++) count += scan->workers[at].row_count;
    return count;
}

static uint64_t columns_hit_count(const struct columns *scan)
{
    uint64_t count = 0;
    for (uint32_t at = 0; at < scan->pool.worker_count; at++) count += scan->workers[at].matched;
    return count;
}

static Status columns_position(struct columns *scan, uint32_t ref, Arena scratch, JournalPos *ret, Err *err)
{
    IndexCodes codes;
    check(ref > 0 && ref < REFS_MAX);
    uint32_t run = (uint32_t)(scan->refs[ref] >> 32), row = (uint32_t)scan->refs[ref];
    unsigned char *bytes = arena_try(&scratch, 1, 8, INDEX_CODES_BYTES);
    if (!bytes) return err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may");
    index_codes_init(&codes, scan->plan.runs[run].run, INDEX_POSITIONS, 0, bytes, NULL);
    Status s = index_codes_load(&codes, row, err);
    if (!s) *ret = index_codes_get(&codes, row);
    return s;
}

static void columns_join(struct columns *scan, const struct columns *other)
{
    Plan *plan = &scan->plan;
    for (uint32_t at = 0; at < other->plan.unkept.count; at++)
        plan_note_field(&plan->unkept, other->plan.unkept.names[at]);
    for (uint32_t at = 0; at < other->plan.objects.count; at++)
        plan_note_field(&plan->objects, other->plan.objects.names[at]);
    plan_note_folded(plan, &other->plan);
    plan->has_lost_columns |= other->plan.has_lost_columns;
    plan->has_old_groups |= other->plan.has_old_groups;
    plan->has_unindexed_events |= other->plan.has_unindexed_events;
    for (uint32_t at = 0; at < other->plan.text_count; at++) {
        const PlanTexts *from = &other->plan.texts[at];
        uint32_t to = 0;
        while (to < plan->text_count && !str_equal(plan->texts[to].field, from->field)) to++;
        if (to == TEXTS_MAX) continue;
        if (to == plan->text_count) plan->texts[plan->text_count++] = (PlanTexts){ .field = from->field };
        plan->texts[to].read += from->read, plan->texts[to].unread += from->unread, plan->texts[to].big += from->big;
    }
    scan->workers[0].row_count += columns_row_count(other);
    scan->workers[0].matched += columns_hit_count(other);
}

static void columns_write_warnings(struct columns *scan, const Query *query, struct buf *answer)
{
    plan_note_folded(&scan->plan, &scan->plan);
    plan_write_warnings(&scan->plan, query, answer);
}

/* If a run has times in the future, it looks at each of the run's rows; there are few such runs. */
static Millis columns_last_event_ms(const struct columns *scan)
{
    Millis last_ms = INT64_MIN, now_ms = scan->world->now_ms ? scan->world->now_ms : INT64_MAX;
    for (uint32_t at = 0; at < index_snapshot_run_count(scan->snapshot); at++) {
        const IndexRun *run = index_snapshot_run(scan->snapshot, at);
        if (run->time_max_ms <= last_ms || run->time_min_ms > now_ms) continue;
        if (run->time_max_ms <= now_ms) {
            last_ms = run->time_max_ms;
            continue;
        }
        for (uint32_t row = 0; row < run->row_count && !query_is_given_up(scan->world); row++) {
            Millis time_ms = (Millis)((uint64_t)run->times.base + index_packed_get(&run->times, row));
            if (time_ms > last_ms && time_ms <= now_ms) last_ms = time_ms;
        }
    }
    return last_ms;
}

/* ---- As a back end ---- */

static Status door_run(struct scan *scan, Err *err) { return columns_run(columns_of(scan), err); }

static void door_close(struct scan *scan) { columns_close(columns_of(scan)); }

static Groups *door_groups(struct scan *scan) { return columns_groups(columns_of(scan)); }

static uint32_t door_worker_count(const struct scan *scan) { return columns_worker_count(columns_of(scan)); }

static uint32_t door_people_max(const struct scan *scan) { return columns_people_max(columns_of(scan)); }

static bool door_time_range(const struct scan *scan, Millis *ret_first_ms, Millis *ret_last_ms)
{
    return columns_time_range(columns_of(scan), ret_first_ms, ret_last_ms);
}

static Millis door_last_event_ms(const struct scan *scan) { return columns_last_event_ms(columns_of(scan)); }

static Str door_account(const struct scan *scan, uint32_t person) { return columns_account(columns_of(scan), person); }

static uint64_t door_row_count(const struct scan *scan) { return columns_row_count(columns_of(scan)); }

static uint64_t door_hit_count(const struct scan *scan) { return columns_hit_count(columns_of(scan)); }

static Status door_position(struct scan *scan, uint32_t ref, Arena scratch, JournalPos *ret, Err *err)
{
    return columns_position(columns_of(scan), ref, scratch, ret, err);
}

static void door_join(struct scan *scan, const struct scan *other)
{
    columns_join(columns_of(scan), columns_of(other));
}

static void door_write_warnings(const struct scan *scan, const Query *query, struct buf *answer)
{
    columns_write_warnings(columns_of(scan), query, answer);
}

static void door_count_text(struct scan *scan, Str field, uint32_t number_kind)
{
    columns_count_text(columns_of(scan), field, number_kind);
}

const ScanBackend scan_columns = {
    .name = "columns", .open = columns_open, .run = door_run, .close = door_close, .groups = door_groups,
    .worker_count = door_worker_count, .people_max = door_people_max, .time_range = door_time_range,
    .last_event_ms = door_last_event_ms, .account = door_account, .row_count = door_row_count,
    .hit_count = door_hit_count, .position = door_position, .join = door_join,
    .write_warnings = door_write_warnings, .count_text = door_count_text,
    .list = catalogue_columns,
};
