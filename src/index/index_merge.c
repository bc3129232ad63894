/* index_merge: several runs become one.
 *
 * First come the keys: the merge walks all runs in step by (subject, time), and notes for every row of the
 * result which run it comes from: one byte for each row, the *take*. With it every column is merged separately, in
 * one sequential pass over its sources, so the merge needs memory for the take, one block of each source and one
 * column's dictionaries. Rows with equal (subject, time) keep the order of the journal.
 *
 * Dictionaries are sorted, so they merge like the keys, which gives each source a table from its codes to
 * the new ones. If the union is over its limit, the rarest values lose their code (INDEX_UNINDEXED).
 */
#include "index_leaves.h"
#include "index_merge.h"

#include <stdlib.h>
#include <zstd.h>

struct source {
    struct run *run;
    uint32_t row, ordinal;              /* the next row; keys: the next subject */
    bool is_open;                       /* keys: the subject at hand has rows left here */
    uint32_t column;                    /* of the column at hand; UINT32_MAX: it has none */
    IndexValues values;
    uint32_t *codes;                    /* from its codes to the merged ones */
    IndexCodes reader;
    unsigned char *block;
};

typedef enum MergeStage {
    MERGE_KEYS, MERGE_SUBJECTS, MERGE_TIMES, MERGE_KNOTS, MERGE_POSITIONS, MERGE_EVENTS, MERGE_NAMES, MERGE_COLUMNS,
        MERGE_FINISH,
    MERGE_DONE,
} MergeStage;

struct merge {
    struct source *sources;
    uint32_t source_count;
    struct run_writer writer;
    const IndexErase *erase;
    MergeStage stage;
    bool is_begun;                      /* the stage's section */
    struct region region;
    Arena arena;
    uint8_t *take;
    uint64_t *starts;
    uint32_t *ranks;
    uint64_t *is_kept;                  /* erasing: a bit for each subject of the sources that has a row left */
    uint32_t take_count;                /* rows of all sources; some are dropped */
    uint32_t seen_count;                /* subjects of the sources */
    uint32_t row_count, subject_count;  /* of the result */
    uint32_t at;                        /* in the take: where the stage is */
    Millis time_min_ms, time_max_ms;
    struct position_curve curve;
    uint64_t *knot_positions;
    struct curve_sums sums;
    Str *column_names;
    uint32_t column_count, column;
};

enum { TAKE_DROPPED = 128 };            /* with this bit the result does not get the row */

static uint64_t rows_of(struct run *const *runs, uint32_t run_count)
{
    uint64_t rows = 0;
    for (uint32_t at = 0; at < run_count; at++) rows += runs[at]->view.row_count;
    return rows;
}

static void read_positions(struct merge *merge)
{
    for (uint32_t at = 0; at < merge->source_count; at++)
        index_codes_init(&merge->sources[at].reader, &merge->sources[at].run->view, INDEX_POSITIONS, 0,
                         merge->sources[at].block, NULL);
}

Status merge_open(const MergeOptions *options, struct merge **ret, Err *err)
{
    struct run *const *runs = options->runs;
    uint32_t run_count = options->run_count;
    uint64_t rows = rows_of(runs, run_count);
    check(run_count > 0 && run_count <= MERGE_RUNS_MAX && rows <= RUN_ROWS_MAX);
    struct merge *merge = calloc(1, sizeof *merge);
    struct source *sources = calloc(run_count, sizeof *sources);
    if (!merge || !sources) {
        free(merge);
        free(sources);
        return err_set(err, ERR_TOO_LARGE, "index: no memory to merge");
    }
    *merge = (struct merge){ .sources = sources, .source_count = run_count,
                             .erase = options->erase };
    size_t dictionary = RUN_VALUE_BYTES_MAX + (size_t)RUN_VALUES_MAX * 16 + 4096;
    region_open(&merge->region, rows * 2 + rows / 8 + (run_count + 4) * (dictionary * 2 + INDEX_CODES_BYTES)
                                    + (size_t)run_count * RUN_COLUMNS_MAX * sizeof(Str) + (1 << 20));
    merge->arena = region_arena(&merge->region);
    run_writer_init(&merge->writer, options->image, options->disk, options->file, options->level);
    for (uint32_t at = 0; at < run_count; at++) {
        run_hold(runs[at]);
        sources[at].run = runs[at];
        sources[at].block = arena_new(&merge->arena, unsigned char, INDEX_CODES_BYTES);
    }
    merge->take = (uint8_t *)arena_bytes(&merge->arena, rows);
    merge->starts = arena_new(&merge->arena, uint64_t, (rows + 63) / 64);
    merge->ranks = arena_new(&merge->arena, uint32_t, (rows + RUN_RANK_ROWS - 1) / RUN_RANK_ROWS);
    if (merge->erase) merge->is_kept = arena_new(&merge->arena, uint64_t, (rows + 63) / 64);
    merge->time_min_ms = INT64_MAX, merge->time_max_ms = INT64_MIN;
    if (merge->erase) read_positions(merge);
    *ret = merge;
    for (uint32_t at = 0; at < run_count; at++) {
        Status s = run_check(runs[at], err);
        if (!s) continue;
        merge_close(merge);
        return s;
    }
    return OK;
}

void merge_close(struct merge *merge)
{
    if (!merge) return;
    for (uint32_t at = 0; at < merge->source_count; at++) run_release(merge->sources[at].run);
    run_writer_done(&merge->writer);
    region_close(&merge->region);
    free(merge->sources);
    free(merge);
}

uint64_t merge_row_count(const struct merge *merge) { return merge->row_count; }

/* ---- Erasing ---- */

bool merge_erases_subject(const IndexErase *erase, Subject subject)
{
    size_t low = 0, high = erase->subject_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (erase->subjects[middle] < subject) low = middle + 1;
        else high = middle;
    }
    return low < erase->subject_count && erase->subjects[low] == subject;
}

bool merge_erases_position(const IndexErase *erase, JournalPos pos)
{
    size_t low = 0, high = erase->position_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (erase->positions[middle] < pos) low = middle + 1;
        else high = middle;
    }
    return low < erase->position_count && erase->positions[low] == pos;
}

/* Is the source's next row one of those to erase by its position? */
static bool drops_row(struct merge *merge, struct source *source)
{
    if (!merge->erase || !merge->erase->position_count || merge->writer.status) return false;
    if (!index_codes_has(&source->reader, source->row)) {
        merge->writer.status = index_codes_load(&source->reader, source->row, &merge->writer.err);
        if (merge->writer.status) return false;
    }
    return merge_erases_position(merge->erase, index_codes_get(&source->reader, source->row));
}

/* ---- Keys ---- */

static Millis time_at(const IndexRun *run, uint32_t row)
{
    return (Millis)((uint64_t)run->times.base + index_packed_get(&run->times, row));
}

static bool is_start(const IndexRun *run, uint32_t row) { return run->starts[row / 64] >> row % 64 & 1; }

/* The next subject over all sources, and which sources have it. 0 at the end. */
static uint32_t least_subject(const struct merge *merge, uint32_t *ret_from, Subject *ret)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < merge->source_count; at++) {
        const struct source *source = &merge->sources[at];
        if (source->ordinal == source->run->view.subject_count) continue;
        Subject subject = source->run->view.subjects[source->ordinal];
        if (count == 0 || subject < *ret) count = 0, *ret = subject;
        if (subject == *ret) ret_from[count++] = at;
    }
    return count;
}

/* Of the sources that have rows of the subject left, finds the one with the earliest row; among equals the first. */
static uint32_t earliest_source(const struct merge *merge, const uint32_t *from, uint32_t from_count,
                                Millis *ret_ms)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t at = 0; at < from_count; at++) {
        const struct source *source = &merge->sources[from[at]];
        if (!source->is_open) continue;
        Millis time_ms = time_at(&source->run->view, source->row);
        if (best == UINT32_MAX || time_ms < *ret_ms) best = from[at], *ret_ms = time_ms;
    }
    return best;
}

static void keep_row(struct merge *merge, Millis time_ms, bool is_first)
{
    uint32_t row = merge->row_count++;
    if (row % RUN_RANK_ROWS == 0) merge->ranks[row / RUN_RANK_ROWS] = merge->subject_count;
    if (is_first) merge->starts[row / 64] |= UINT64_C(1) << row % 64, merge->subject_count++;
    if (time_ms < merge->time_min_ms) merge->time_min_ms = time_ms;
    if (time_ms > merge->time_max_ms) merge->time_max_ms = time_ms;
}

/* All rows of one subject, by time. */
static void take_subject(struct merge *merge, const uint32_t *from, uint32_t from_count, bool is_dropped)
{
    uint32_t open_count = from_count;
    bool is_first = true;
    for (uint32_t at = 0; at < from_count; at++) merge->sources[from[at]].is_open = true;
    while (open_count > 0) {
        Millis time_ms = 0;
        uint32_t best = earliest_source(merge, from, from_count, &time_ms);
        struct source *source = &merge->sources[best];
        const IndexRun *run = &source->run->view;
        bool goes = is_dropped || drops_row(merge, source);
        merge->take[merge->take_count++] = (uint8_t)(best | (goes ? TAKE_DROPPED : 0));
        if (!goes) keep_row(merge, time_ms, is_first), is_first = false;
        source->row++;
        if (source->row < run->row_count && !is_start(run, source->row)) continue;
        source->is_open = false;
        source->ordinal++;
        open_count--;
    }
    if (merge->is_kept && !is_first) merge->is_kept[merge->seen_count / 64] |= UINT64_C(1) << merge->seen_count % 64;
    merge->seen_count++;
}

static void rewind_sources(struct merge *merge)
{
    for (uint32_t at = 0; at < merge->source_count; at++)
        merge->sources[at].row = merge->sources[at].ordinal = 0;
    merge->at = 0;
    merge->is_begun = false;
}

static void next_stage(struct merge *merge)
{
    merge->stage++;
    rewind_sources(merge);
}

static void step_keys(struct merge *merge)
{
    uint32_t from[MERGE_RUNS_MAX], from_count = 0, until = merge->take_count + MERGE_STEP_ROWS;
    Subject subject = 0;
    while (merge->take_count < until && (from_count = least_subject(merge, from, &subject)) > 0)
        take_subject(merge, from, from_count, merge->erase && merge_erases_subject(merge->erase, subject));
    if (merge->take_count < until) {
        next_stage(merge);
        if (merge->row_count == 0) merge->stage = MERGE_DONE;
    }
}

static void step_subjects(struct merge *merge)
{
    struct run_writer *writer = &merge->writer;
    uint32_t from[MERGE_RUNS_MAX], from_count;
    Subject subject = 0;
    run_writer_begin(writer, SECTION_STARTS, 0);
    run_writer_put(writer, merge->starts, (merge->row_count + 63) / 64 * sizeof *merge->starts);
    run_writer_end(writer);
    run_writer_begin(writer, SECTION_RANKS, 0);
    run_writer_put(writer, merge->ranks,
                   (merge->row_count + RUN_RANK_ROWS - 1) / RUN_RANK_ROWS * sizeof *merge->ranks);
    run_writer_end(writer);
    run_writer_begin(writer, SECTION_SUBJECTS, 0);
    for (uint32_t seen = 0; (from_count = least_subject(merge, from, &subject)) > 0; seen++) {
        for (uint32_t at = 0; at < from_count; at++) merge->sources[from[at]].ordinal++;
        if (!merge->is_kept || merge->is_kept[seen / 64] >> seen % 64 & 1)
            run_writer_put(writer, &subject, sizeof subject);
    }
    run_writer_end(writer);
    next_stage(merge);
}

/* ---- Columns of integers ---- */

static void step_times(struct merge *merge)
{
    struct run_writer *writer = &merge->writer;
    Millis base = merge->time_min_ms;
    if (!merge->is_begun)
        run_writer_begin_packed(writer, SECTION_TIMES, 0,
                                run_width_of((uint64_t)merge->time_max_ms - (uint64_t)base), base, false);
    merge->is_begun = true;
    for (uint32_t until = merge->at + MERGE_STEP_ROWS; merge->at < merge->take_count && merge->at < until;
         merge->at++) {
        uint8_t take = merge->take[merge->at];
        struct source *source = &merge->sources[take & ~TAKE_DROPPED];
        Millis time_ms = time_at(&source->run->view, source->row++);
        if (!(take & TAKE_DROPPED)) run_writer_row(writer, (uint64_t)time_ms - (uint64_t)base);
    }
    if (merge->at < merge->take_count) return;
    run_writer_end(writer);
    next_stage(merge);
}

/* Goes through some positions: adds them to the sums of the line, or writes their distances from it. */
static Status walk_positions(struct merge *merge, bool is_line, Err *err)
{
    for (uint32_t until = merge->at + MERGE_STEP_ROWS; merge->at < merge->take_count && merge->at < until;
         merge->at++) {
        uint8_t take = merge->take[merge->at];
        struct source *source = &merge->sources[take & ~TAKE_DROPPED];
        IndexCodes *reader = &source->reader;
        Status s = index_codes_has(reader, source->row) ? OK : index_codes_load(reader, source->row, err);
        if (s) return s;
        uint64_t position = index_codes_get(reader, source->row);
        Millis time_ms = time_at(&source->run->view, source->row++);
        if (take & TAKE_DROPPED) continue;
        if (is_line) curve_add(&merge->curve, &merge->sums, time_ms, position);
        else run_writer_row(&merge->writer, curve_encode(&merge->curve, time_ms, position));
    }
    return OK;
}

static Status step_knots(struct merge *merge, Err *err)
{
    if (!merge->is_begun) {
        merge->knot_positions = arena_new(&merge->arena, uint64_t, CURVE_KNOTS_MAX + 2);
        merge->sums = (struct curve_sums){ merge->sources[0].run->view.from_pos,
                                           arena_new(&merge->arena, double, CURVE_KNOTS_MAX + 2),
                                           arena_new(&merge->arena, uint64_t, CURVE_KNOTS_MAX + 2) };
        curve_init(&merge->curve, merge->time_min_ms, merge->time_max_ms, merge->knot_positions);
        read_positions(merge);
        merge->is_begun = true;
    }
    Status s = walk_positions(merge, true, err);
    if (s || merge->at < merge->take_count) return s;
    curve_draw(&merge->curve, &merge->sums, merge->knot_positions);
    next_stage(merge);
    return OK;
}

static Status step_positions(struct merge *merge, Err *err)
{
    if (!merge->is_begun) {
        run_writer_begin_distances(&merge->writer, &merge->curve);
        read_positions(merge);
        merge->is_begun = true;
    }
    Status s = walk_positions(merge, false, err);
    if (s || merge->at < merge->take_count) return s;
    run_writer_end(&merge->writer);
    next_stage(merge);
    return OK;
}

/* ---- Dictionaries ---- */

/* The union of the sources' dictionaries, and each source's codes in it. */
struct merged_values {
    double *numbers;
    uint32_t number_count;
    Str *strings;
    uint32_t string_count;
    uint64_t text_bytes;
    uint32_t first;                     /* the first code that is a value */
};

static Str string_at(const IndexValues *values, uint32_t at)
{
    uint32_t start = at ? values->ends[at - 1] : 0;
    return str_of(values->bytes + start, values->ends[at] - start);
}

static void unite_numbers(struct merge *merge, struct merged_values *merged)
{
    uint32_t next[MERGE_RUNS_MAX] = { 0 };
    for (;;) {
        const double *least = NULL;
        for (uint32_t at = 0; at < merge->source_count; at++) {
            const IndexValues *values = &merge->sources[at].values;
            if (next[at] < values->number_count && (!least || values->numbers[next[at]] < *least))
                least = &values->numbers[next[at]];
        }
        if (!least) return;
        double number = *least;
        for (uint32_t at = 0; at < merge->source_count; at++) {
            struct source *source = &merge->sources[at];
            if (next[at] < source->values.number_count && source->values.numbers[next[at]] == number)
                source->codes[merged->first + next[at]++] = merged->first + merged->number_count;
        }
        merged->numbers[merged->number_count++] = number;
    }
}

static void unite_strings(struct merge *merge, struct merged_values *merged)
{
    uint32_t next[MERGE_RUNS_MAX] = { 0 };
    for (;;) {
        bool found = false;
        Str least = { 0 };
        for (uint32_t at = 0; at < merge->source_count; at++) {
            const IndexValues *values = &merge->sources[at].values;
            if (next[at] == values->string_count) continue;
            Str text = string_at(values, next[at]);
            if (!found || str_compare(text, least) < 0) least = text, found = true;
        }
        if (!found) return;
        for (uint32_t at = 0; at < merge->source_count; at++) {
            struct source *source = &merge->sources[at];
            const IndexValues *values = &source->values;
            if (next[at] < values->string_count && str_equal(string_at(values, next[at]), least))
                source->codes[merged->first + values->number_count + next[at]++]
                    = merged->first + merged->number_count + merged->string_count;
        }
        merged->strings[merged->string_count++] = least;
        merged->text_bytes += least.len;
    }
}

/* How often each merged code occurs in the rows that are kept. */
static Status count_codes(struct merge *merge, uint32_t *counts, Err *err)
{
    uint32_t rows[MERGE_RUNS_MAX] = { 0 };
    for (uint32_t at = 0; at < merge->take_count; at++) {
        uint8_t take = merge->take[at];
        struct source *source = &merge->sources[take & ~TAKE_DROPPED];
        uint32_t row = rows[take & ~TAKE_DROPPED]++;
        if (take & TAKE_DROPPED) continue;
        if (source->values.is_events) {
            counts[source->codes[index_packed_get(&source->run->view.events, row)]]++;
            continue;
        }
        if (source->column == UINT32_MAX) continue;
        Status s = index_codes_has(&source->reader, row) ? OK : index_codes_load(&source->reader, row, err);
        if (s) return s;
        counts[source->codes[index_codes_get(&source->reader, row)]]++;
    }
    return OK;
}

static int compare_counts(const void *a, const void *b, void *context)
{
    const uint32_t *counts = context, left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    if (counts[left] != counts[right]) return counts[left] > counts[right] ? -1 : 1;
    return left < right ? -1 : 1;
}

/* Over a limit, the most frequent values keep a code, as many as fit; the others become INDEX_UNINDEXED:
 * then only the type of an event is known. When erasing, values that no row has any more go, too. */
static Status cut_rarest(struct merge *merge, struct merged_values *merged, Arena scratch, Err *err)
{
    uint32_t first = merged->first, count = merged->number_count + merged->string_count;
    bool is_events = first == INDEX_FIRST_EVENT;
    if (!merge->erase && count <= RUN_VALUES_MAX && merged->text_bytes <= RUN_VALUE_BYTES_MAX) return OK;
    uint32_t *counts = arena_new(&scratch, uint32_t, first + count), *order
        = arena_new(&scratch, uint32_t, count);
    uint32_t *codes = arena_new(&scratch, uint32_t, first + count);
    Status s = count_codes(merge, counts, err);
    if (s) return s;
    for (uint32_t at = 0; at < count; at++) order[at] = first + at;
    qsort_r(order, count, sizeof *order, compare_counts, counts);
    uint64_t text_bytes = 0;
    for (uint32_t at = 0; at < count && at < RUN_VALUES_MAX && counts[order[at]]; at++) {
        uint32_t value = order[at] - first;
        if (value >= merged->number_count) text_bytes += merged->strings[value - merged->number_count].len;
        if (text_bytes > RUN_VALUE_BYTES_MAX) break;
        codes[order[at]] = 1;                                      /* kept; numbered below */
    }
    uint32_t next = first, numbers = 0, strings = 0;
    for (uint32_t at = 0; at < count; at++) {
        bool is_kept = codes[first + at];
        codes[first + at] = is_kept ? next++
                          : is_events ? (uint32_t)(merged->strings[at].bytes[0] - '0')
                              : (uint32_t)INDEX_UNINDEXED;
        if (!is_kept) continue;
        if (at < merged->number_count) merged->numbers[numbers++] = merged->numbers[at];
        else merged->strings[strings++] = merged->strings[at - merged->number_count];
    }
    merged->number_count = numbers, merged->string_count = strings;
    for (uint32_t at = 0; at < merge->source_count; at++) {
        struct source *source = &merge->sources[at];
        for (uint32_t code = first; code < source->values.code_count; code++)
            source->codes[code] = codes[source->codes[code]];
    }
    return OK;
}

static void write_values(struct merge *merge, uint32_t column, const struct merged_values *merged,
                         Arena scratch)
{
    uint32_t *ends = arena_new(&scratch, uint32_t, merged->string_count + 1);
    char *text = scratch.at;
    uint32_t len = 0;
    for (uint32_t at = 0; at < merged->string_count; at++) {
        Str string = merged->strings[at];
        arena_bytes(&scratch, string.len);
        memcpy(text + len, string.bytes, string.len);
        ends[at] = len += (uint32_t)string.len;
    }
    struct run_strings strings = { ends, text, merged->string_count };
    run_writer_values(&merge->writer, column, merged->numbers, merged->number_count, &strings);
}

/* Reads the sources' dictionaries of one column, unites them, writes the union. On return each source
 * has its codes, which are in the arena. */
static Status unite_values(struct merge *merge, uint32_t column, Arena *arena, uint32_t *ret_code_max,
                           Err *err)
{
    struct merged_values merged
        = { .first = column == EVENT_COLUMN ? (uint32_t)INDEX_FIRST_EVENT : (uint32_t)INDEX_FIRST_VALUE };
    size_t numbers = 0, strings = 0;
    for (uint32_t at = 0; at < merge->source_count; at++) {
        struct source *source = &merge->sources[at];
        source->values = (IndexValues){ .code_count = merged.first };
        if (source->column != UINT32_MAX || column == EVENT_COLUMN) {
            Status s
                = index_values_read(&source->run->view, column == EVENT_COLUMN ? EVENT_COLUMN
                                    : source->column, arena,
                                         &source->values, err);
            if (s) return s;
        }
        source->codes = arena_new(arena, uint32_t, source->values.code_count);
        for (uint32_t code = 0; code < merged.first; code++) source->codes[code] = code;
        numbers += source->values.number_count, strings += source->values.string_count;
        if (column != EVENT_COLUMN && source->column != UINT32_MAX)
            index_codes_init(&source->reader, &source->run->view, source->column, source->values.code_count,
                             source->block, NULL);
    }
    merged.numbers = arena_new(arena, double, numbers);
    merged.strings = arena_new(arena, Str, strings);
    unite_numbers(merge, &merged);
    unite_strings(merge, &merged);
    Status s = cut_rarest(merge, &merged, *arena, err);
    if (!s) write_values(merge, column, &merged, *arena);
    *ret_code_max = merged.first + merged.number_count + merged.string_count - 1;
    return s;
}

/* ---- Columns of codes ---- */

static Status step_events(struct merge *merge, Err *err)
{
    struct run_writer *writer = &merge->writer;
    if (!merge->is_begun) {
        uint32_t code_max;
        /* what is taken lives until the stage ends: nobody else takes */
        Arena arena = merge->arena;
        Status s = unite_values(merge, EVENT_COLUMN, &arena, &code_max, err);
        if (s) return s;
        run_writer_begin_packed(writer, SECTION_EVENTS, 0, run_width_of(code_max), 0, false);
        merge->is_begun = true;
    }
    for (uint32_t until = merge->at + MERGE_STEP_ROWS; merge->at < merge->take_count && merge->at < until;
         merge->at++) {
        uint8_t take = merge->take[merge->at];
        struct source *source = &merge->sources[take & ~TAKE_DROPPED];
        uint64_t code = index_packed_get(&source->run->view.events, source->row++);
        if (!(take & TAKE_DROPPED)) run_writer_row(writer, source->codes[code]);
    }
    if (merge->at < merge->take_count) return OK;
    run_writer_end(writer);
    next_stage(merge);
    return OK;
}

static bool is_kept(Str name)
{
    for (uint32_t at = 0; at < countof(LEAVES_KEPT); at++)
        if (str_equal(name, str_from(LEAVES_KEPT[at]))) return true;
    return false;
}

/* The union of the column names; over the limit the columns that the fewest rows have are left out. */
static void step_names(struct merge *merge)
{
    struct run_writer *writer = &merge->writer;
    Str *names = arena_new(&merge->arena, Str, (size_t)merge->source_count * RUN_COLUMNS_MAX);
    Arena scratch = merge->arena;
    uint64_t *rows = arena_new(&scratch, uint64_t, (size_t)merge->source_count * RUN_COLUMNS_MAX);
    uint32_t next[MERGE_RUNS_MAX] = { 0 }, count = 0;
    for (bool found = true; found;) {
        Str least = { 0 };
        found = false;
        for (uint32_t at = 0; at < merge->source_count; at++) {
            const IndexRun *run = &merge->sources[at].run->view;
            if (next[at] == run->column_count) continue;
            Str name = index_run_column_name(run, next[at]);
            if (!found || str_compare(name, least) < 0) least = name, found = true;
        }
        for (uint32_t at = 0; found && at < merge->source_count; at++) {
            const IndexRun *run = &merge->sources[at].run->view;
            if (next[at] < run->column_count && str_equal(index_run_column_name(run, next[at]), least))
                rows[count] += index_run_column_rows(run, next[at]++);
        }
        if (found) names[count++] = least;
    }
    for (; count > RUN_COLUMNS_MAX; count--) {
        uint32_t rarest = 0;
        for (uint32_t at = 1; at < count; at++)
            if (is_kept(names[rarest]) || (rows[at] <= rows[rarest] && !is_kept(names[at]))) rarest = at;
        writer->head.unindexed_count += rows[rarest];
        memmove(names + rarest, names + rarest + 1, (count - rarest - 1) * sizeof *names);
        memmove(rows + rarest, rows + rarest + 1, (count - rarest - 1) * sizeof *rows);
    }
    run_writer_begin(writer, SECTION_NAMES, 0);
    for (uint32_t at = 0; at < count; at++) {
        uint16_t len = (uint16_t)names[at].len;
        run_writer_put(writer, &len, sizeof len);
        run_writer_put(writer, names[at].bytes, names[at].len);
    }
    run_writer_end(writer);
    merge->column_names = names;
    merge->column_count = count;
    next_stage(merge);
}

static Status merge_codes(struct merge *merge, uint32_t until, Err *err)
{
    struct run_writer *writer = &merge->writer;
    for (; merge->at < until; merge->at++) {
        uint8_t take = merge->take[merge->at];
        struct source *source = &merge->sources[take & ~TAKE_DROPPED];
        uint32_t code = INDEX_ABSENT, row = source->row++;
        if (source->column != UINT32_MAX) {
            IndexCodes *reader = &source->reader;
            Status s = index_codes_has(reader, row) ? OK : index_codes_load(reader, row, err);
            if (s) return s;
            code = source->codes[index_codes_get(reader, row)];
        }
        if (take & TAKE_DROPPED) continue;
        writer->section.raw_bytes += code != INDEX_ABSENT;
        writer->section.base += code == INDEX_UNINDEXED;
        run_writer_row(writer, code);
    }
    return OK;
}

static Status step_column(struct merge *merge, Err *err)
{
    if (merge->column == merge->column_count) {
        next_stage(merge);
        return OK;
    }
    if (!merge->is_begun) {
        uint32_t code_max;
        Arena arena = merge->arena;
        for (uint32_t at = 0; at < merge->source_count; at++)
            merge->sources[at].column
                = index_run_find_column(&merge->sources[at].run->view, merge->column_names[merge->column]);
        Status s = unite_values(merge, merge->column, &arena, &code_max, err);
        if (s) return s;
        run_writer_begin_packed(&merge->writer, SECTION_CODES, merge->column, run_width_of(code_max), 0,
                                true);
        merge->is_begun = true;
    }
    uint32_t left = merge->take_count - merge->at;
    Status s
        = merge_codes(merge, merge->at + (left < MERGE_STEP_ROWS ? left : (uint32_t)MERGE_STEP_ROWS), err);
    if (s || merge->at < merge->take_count) return s;
    run_writer_end(&merge->writer);
    merge->column++;
    rewind_sources(merge);
    return OK;
}

static Status step_finish(struct merge *merge, Err *err)
{
    struct run_head *head = &merge->writer.head;
    head->from_pos = merge->sources[0].run->view.from_pos;
    head->to_pos = merge->sources[merge->source_count - 1].run->view.to_pos;
    head->time_min_ms = merge->time_min_ms, head->time_max_ms = merge->time_max_ms;
    head->row_count = merge->row_count, head->subject_count = merge->subject_count;
    head->column_count = merge->column_count;
    head->features = RUN_HAS_LISTS;
    for (uint32_t at = 0; at < merge->source_count; at++) {
        head->unindexed_count += merge->sources[at].run->view.unindexed_count;
        if (!merge->sources[at].run->view.has_groups) head->features = 0;
    }
    next_stage(merge);
    return run_writer_finish(&merge->writer, err);
}

Status merge_step(struct merge *merge, bool *ret_done, Err *err)
{
    Status s = OK;
    switch (merge->stage) {
    case MERGE_KEYS: step_keys(merge); break;
    case MERGE_SUBJECTS: step_subjects(merge); break;
    case MERGE_TIMES: step_times(merge); break;
    case MERGE_KNOTS: s = step_knots(merge, err); break;
    case MERGE_POSITIONS: s = step_positions(merge, err); break;
    case MERGE_EVENTS: s = step_events(merge, err); break;
    case MERGE_NAMES: step_names(merge); break;
    case MERGE_COLUMNS: s = step_column(merge, err); break;
    case MERGE_FINISH: s = step_finish(merge, err); break;
    case MERGE_DONE: break;
    }
    if (!s && merge->writer.status) {
        if (err) *err = merge->writer.err;
        s = merge->writer.status;
    }
    *ret_done = !s && merge->stage == MERGE_DONE;
    return s;
}
