/* index_run: an open run. Head and directory are checked when it is opened, so that nothing can point
 * outside; the hot sections, which loops read without checks, are checked once before the first
 * snapshot shows the run; a block or a dictionary is checked when it is read.
 */
#include "index_run.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

_Static_assert((uint32_t)INDEX_RANK_ROWS == (uint32_t)RUN_RANK_ROWS, "the door says what the format says");
_Static_assert((uint32_t)INDEX_BLOCK_ROWS == (uint32_t)RUN_BLOCK_ROWS, "the door says what the format says");

/* ---- Opening ---- */

static const char *run_label(const struct run *run) { return run_is_file(run) ? run->name : "(in memory)"; }

static Status damaged(const struct run *run, const char *what, Err *err)
{
    struct index_trouble *trouble = run->trouble;
    if (run_is_file(run) && guard_was_cut(run->bytes)) what = "the file was cut while it was in use";
    if (trouble) {
        pthread_mutex_lock(&trouble->lock);
        if (!atomic_load(&trouble->is_damaged))
            snprintf(trouble->text, sizeof trouble->text, "index file %s: %s", run_label(run), what);
        atomic_store(&trouble->is_damaged, true);
        pthread_mutex_unlock(&trouble->lock);
    }
    return err_set(err, ERR_DAMAGED, "index file %s: %s; the next start makes it anew", run_label(run), what);
}

Status run_refuse_cut(const struct run *run, Err *err)
{
    return run_is_file(run) && guard_was_cut(run->bytes) ? damaged(run, "", err) : OK;
}

static Status run_read_head(struct run *run, struct run_head *head, Err *err)
{
    if (run->size < RUN_HEAD_BYTES) return damaged(run, "too short", err);
    memcpy(head, run->bytes, sizeof *head);
    if (memcmp(head->magic, RUN_MAGIC, sizeof head->magic - 1) != 0
        || (head->magic[7] != '1' && head->magic[7] != RUN_MAGIC[7])) return damaged(run, "not a run", err);
    if (crc32c_of(0, str_of(head, offsetof(struct run_head, head_crc))) != head->head_crc)
        return damaged(run, "wrong checksum of the head", err);
    uint64_t directory_bytes = (uint64_t)head->section_count * sizeof(struct run_section);
    if (head->directory_offset % RUN_ALIGN != 0 || head->directory_offset > run->size
        || directory_bytes + RUN_SLACK_BYTES > run->size - head->directory_offset)
        return damaged(run, "the directory is outside of it", err);
    run->sections = (const struct run_section *)(run->bytes + head->directory_offset);
    run->section_count = head->section_count;
    if (crc32c_of(0, str_of(run->sections, directory_bytes)) != head->directory_crc)
        return damaged(run, "wrong checksum of the directory", err);
    if (head->row_count == 0 || head->row_count > RUN_ROWS_MAX || head->subject_count == 0
        || head->subject_count > head->row_count || head->column_count > RUN_COLUMNS_MAX)
        return damaged(run, "impossible counts", err);
    run->view = (IndexRun){
        .row_count = head->row_count, .subject_count = head->subject_count, .column_count
            = head->column_count,
        .time_min_ms = head->time_min_ms, .time_max_ms = head->time_max_ms,
        .from_pos = head->from_pos, .to_pos = head->to_pos, .unindexed_count = head->unindexed_count,
        .has_groups = head->features & RUN_HAS_LISTS,
    };
    return OK;
}

static Str section_str(const struct run *run, const struct run_section *section)
{
    return str_of(run->bytes + section->offset, section->bytes);
}

static IndexPacked section_packed(const struct run *run, const struct run_section *section)
{
    return (IndexPacked){ run->bytes + section->offset, section->width,
                          section->width == 8 ? UINT64_MAX : (UINT64_C(1) << section->width * 8) - 1,
                              section->base };
}

/* Everything that loops and readers take for granted about a section's place and size. */
static bool section_is_sound(const struct run *run, const struct run_section *section)
{
    uint64_t rows = run->view.row_count, blocks = (rows + RUN_BLOCK_ROWS - 1) / RUN_BLOCK_ROWS;
    if (section->offset % RUN_ALIGN != 0 || section->offset > run->size
        || section->bytes > run->size - section->offset
        || run->size - section->offset - section->bytes < RUN_SLACK_BYTES)
        return false;
    switch (section->kind) {
    case SECTION_STARTS: return section->bytes == (rows + 63) / 64 * 8;
    case SECTION_RANKS: return section->bytes == (rows + RUN_RANK_ROWS - 1) / RUN_RANK_ROWS * 4;
    case SECTION_SUBJECTS: return section->bytes == (uint64_t)run->view.subject_count * 4;
    case SECTION_TIMES:
    case SECTION_EVENTS: return section->width >= 1 && section->width <= 8
        && section->bytes == rows * section->width;
    case SECTION_POSITIONS:
    case SECTION_CODES:
        return section->width >= 1 && section->width <= 8 && section->table_offset <= section->bytes
            && section->bytes - section->table_offset == blocks * sizeof(struct run_block)
            && section->bytes <= UINT32_MAX
            && (section->kind == SECTION_POSITIONS || section->column < run->view.column_count);
    case SECTION_VALUES:
        return section->raw_bytes >= 8
            && section->raw_bytes <= RUN_VALUE_BYTES_MAX + RUN_VALUES_MAX * 12u + 64
            && (section->width == 1 || section->raw_bytes == section->bytes)
            && (section->column == EVENT_COLUMN || section->column < run->view.column_count);
    case SECTION_NAMES: return true;
    case SECTION_KNOTS: return section->column >= 2 && section->column <= CURVE_KNOTS_MAX + 1 && section->width < 63
        && section->bytes == section->column * sizeof(uint64_t);
    default: return false;
    }
}

static Status run_read_names(struct run *run, Str names, Err *err)
{
    for (uint32_t column = 0; column < run->view.column_count; column++) {
        uint16_t len;
        if (names.len < sizeof len) return damaged(run, "column names too short", err);
        memcpy(&len, names.bytes, sizeof len);
        if (names.len - sizeof len < len) return damaged(run, "column names too short", err);
        run->column_names[column] = str_of(names.bytes + sizeof len, len);
        if (column && str_compare(run->column_names[column - 1], run->column_names[column]) >= 0)
            return damaged(run, "column names out of order", err);
        names = str_slice(names, sizeof len + len, names.len);
    }
    return OK;
}

/* Finds each section's place in the view; refuses what is missing. */
static Status run_read_directory(struct run *run, Err *err)
{
    IndexRun *view = &run->view;
    uint32_t columns = view->column_count;
    const struct run_section *names = NULL;
    run->column_names = calloc(columns + 1, sizeof *run->column_names);
    run->codes = calloc(columns + 1, sizeof *run->codes);
    run->values = calloc(columns + 1, sizeof *run->values);
    if (!run->column_names || !run->codes || !run->values)
        return err_set(err, ERR_TOO_LARGE, "index: no memory");
    for (uint32_t at = 0; at < run->section_count; at++) {
        const struct run_section *section = &run->sections[at];
        if (!section_is_sound(run, section)) return damaged(run, "a section of impossible size", err);
        const void *bytes = run->bytes + section->offset;
        switch ((RunSectionKind)section->kind) {
        case SECTION_STARTS: view->starts = bytes; break;
        case SECTION_RANKS: view->ranks = bytes; break;
        case SECTION_SUBJECTS: view->subjects = bytes; break;
        case SECTION_TIMES: view->times = section_packed(run, section); break;
        case SECTION_EVENTS: view->events = section_packed(run, section); break;
        case SECTION_POSITIONS: run->positions = section; break;
        case SECTION_NAMES: names = section; break;
        case SECTION_KNOTS:
            if (crc32c_of(0, section_str(run, section)) != section->crc)
                return damaged(run, "wrong checksum of the position curve", err);
            run->curve = (struct position_curve){ section->base, section->width, section->column, bytes };
            break;
        case SECTION_CODES: run->codes[section->column] = section; break;
        case SECTION_VALUES:
            if (section->column == EVENT_COLUMN) run->event_values = section;
            else run->values[section->column] = section;
            break;
        }
    }
    if (!view->starts || !view->ranks || !view->subjects || !view->times.bytes || !view->events.bytes
        || !run->positions || !names || !run->event_values)
        return damaged(run, "a section is missing", err);
    if (run->curve.count && run->positions->width != 8) return damaged(run, "positions of another width", err);
    for (uint32_t column = 0; column < columns; column++)
        if (!run->codes[column] || !run->values[column]) return damaged(run, "a column is missing", err);
    if (crc32c_of(0, section_str(run, names)) != names->crc)
        return damaged(run, "wrong checksum of the names", err);
    return run_read_names(run, section_str(run, names), err);
}

static Status run_open(struct run *run, struct run **ret, Err *err)
{
    struct run_head head;
    atomic_init(&run->holders, 1);
    Status s = run_read_head(run, &head, err);
    if (!s) s = run_read_directory(run, err);
    if (s) run_release(run);
    else *ret = run;
    return s;
}

Status run_open_memory(struct buf *image, struct run **ret, Err *err)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run) {
        buf_done(image);
        return err_set(err, ERR_TOO_LARGE, "index: no memory");
    }
    run->image = *image;
    *image = (struct buf){ 0 };
    run->bytes = (const unsigned char *)run->image.bytes;
    run->size = run->image.len;
    return run_open(run, ret, err);
}

Status run_open_file(struct disk *disk, const char *dir, const char *name, struct run **ret, Err *err)
{
    char path[PATH_MAX];
    const void *bytes;
    struct run *run = calloc(1, sizeof *run);
    if (!run) return err_set(err, ERR_TOO_LARGE, "index: no memory");
    snprintf(run->name, sizeof run->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    Status s = disk->open(disk, path, DISK_READ, &run->file, err);
    if (s) {
        free(run);
        return s;
    }
    run->disk = disk;
    s = disk->size(disk, run->file, &run->size, err);
    if (!s && run->size < RUN_HEAD_BYTES) s = damaged(run, "too short", err);
    if (!s) s = disk->map(disk, run->file, run->size, &bytes, err);
    if (s) {
        disk->close(disk, run->file);
        free(run);
        return s;
    }
    run->bytes = bytes;
    return run_open(run, ret, err);
}

void run_hold(struct run *run) { atomic_fetch_add(&run->holders, 1); }

void run_release(struct run *run)
{
    if (!run || atomic_fetch_sub(&run->holders, 1) > 1) return;
    if (run->disk) {
        run->disk->unmap(run->disk, run->bytes, run->size);
        run->disk->close(run->disk, run->file);
    }
    buf_done(&run->image);
    free(run->column_names);
    free(run->codes);
    free(run->values);
    free(run);
}

/* ---- Checking the hot sections ---- */

static bool section_crc_is_right(const struct run *run, RunSectionKind kind)
{
    for (uint32_t at = 0; at < run->section_count; at++)
        if (run->sections[at].kind == kind
            && crc32c_of(0, section_str(run, &run->sections[at])) != run->sections[at].crc)
            return false;
    return true;
}

/* Do STARTS, RANKS and SUBJECTS agree? Row 0 is a start, and there are as many starts as subjects. */
static bool starts_are_sound(const IndexRun *view)
{
    uint32_t ordinal = 0, words = (view->row_count + 63) / 64;
    if (!(view->starts[0] & 1)) return false;
    for (uint32_t word = 0; word < words; word++) {
        if (word % (RUN_RANK_ROWS / 64) == 0 && view->ranks[word / (RUN_RANK_ROWS / 64)] != ordinal)
            return false;
        ordinal += (uint32_t)__builtin_popcountll(view->starts[word]);
    }
    if (view->row_count % 64 && view->starts[words - 1] >> view->row_count % 64) return false;
    if (ordinal != view->subject_count) return false;
    for (uint32_t at = 1; at < view->subject_count; at++)
        if (view->subjects[at - 1] >= view->subjects[at]) return false;
    return true;
}

static uint64_t packed_max(const IndexPacked *packed, uint32_t row_count)
{
    uint64_t max = 0;
    for (uint32_t row = 0; row < row_count; row++) {
        uint64_t value = index_packed_get(packed, row);
        max = value > max ? value : max;
    }
    return max;
}

static Str values_string(const IndexValues *values, uint32_t at)
{
    uint32_t start = at ? values->ends[at - 1] : 0;
    return str_of(values->bytes + start, values->ends[at] - start);
}

/* Do numbers and strings ascend, none twice (so no number is a NaN)? Do events begin with their type? */
static bool values_are_sound(const IndexValues *values)
{
    for (uint32_t at = 1; at < values->number_count; at++)
        if (!(values->numbers[at - 1] < values->numbers[at])) return false;
    if (values->number_count && !(values->numbers[0] == values->numbers[0])) return false;
    for (uint32_t at = 1; at < values->string_count; at++)
        if (str_compare(values_string(values, at - 1), values_string(values, at)) >= 0) return false;
    for (uint32_t at = 0; values->is_events && at < values->string_count; at++) {
        Str event = values_string(values, at);
        if (event.len == 0 || event.bytes[0] < '0' || event.bytes[0] >= '0' + EVENT_TYPE_COUNT) return false;
    }
    return true;
}

/* Reads the counts at the start of a dictionary; a compressed one is decompressed into the arena. */
static Status values_read(const struct run *run, const struct run_section *section, Arena *arena,
                          IndexValues *ret,
                          Err *err)
{
    Str stored = section_str(run, section);
    if (crc32c_of(0, stored) != section->crc) return damaged(run, "wrong checksum of a dictionary", err);
    char *raw = arena_try(arena, 1, 8, section->raw_bytes);
    if (!raw) return err_set(err, ERR_TOO_LARGE,
                             "a dictionary of %" PRIu64 " bytes does not fit the query's memory",
                             section->raw_bytes);
    if (section->width == 0) memcpy(raw, stored.bytes, stored.len);
    else if (ZSTD_decompress(raw, section->raw_bytes, stored.bytes, stored.len) != section->raw_bytes)
        return damaged(run, "a dictionary that does not decompress", err);
    uint32_t counts[2];
    memcpy(counts, raw, sizeof counts);
    uint64_t fixed = sizeof counts + (uint64_t)counts[0] * 8 + (uint64_t)counts[1] * 4;
    bool is_events = section == run->event_values;
    if (fixed > section->raw_bytes || (is_events && counts[0]))
        return damaged(run, "an impossible dictionary", err);
    *ret = (IndexValues){
        .is_events = is_events, .number_count = counts[0], .string_count = counts[1],
        .code_count
            = (is_events ? (uint32_t)INDEX_FIRST_EVENT : (uint32_t)INDEX_FIRST_VALUE) + counts[0] + counts[1],
        .numbers = (const double *)(raw + sizeof counts),
        .ends = (const uint32_t *)(raw + sizeof counts + (size_t)counts[0] * 8),
        .bytes = raw + fixed,
    };
    for (uint32_t at = 0; at < counts[1]; at++)
        if (ret->ends[at] < (at ? ret->ends[at - 1] : 0))
            return damaged(run, "an impossible dictionary", err);
    if (counts[1] && ret->ends[counts[1] - 1] != section->raw_bytes - fixed)
        return damaged(run, "an impossible dictionary", err);
    return values_are_sound(ret) ? OK : damaged(run, "a dictionary out of order", err);
}

Status run_check(struct run *run, Err *err)
{
    static const RunSectionKind hot[]
        = { SECTION_STARTS, SECTION_RANKS, SECTION_SUBJECTS, SECTION_TIMES, SECTION_EVENTS };
    if (atomic_load(&run->is_checked)) return OK;
    for (size_t at = 0; at < countof(hot); at++)
        if (!section_crc_is_right(run, hot[at])) return damaged(run, "wrong checksum of a section", err);
    if (!starts_are_sound(&run->view)) return damaged(run, "its subjects do not add up", err);
    struct region region;
    region_open(&region, run->event_values->raw_bytes + 64);
    Arena arena = region_arena(&region);
    IndexValues values;
    Status s = values_read(run, run->event_values, &arena, &values, err);
    if (!s && packed_max(&run->view.events, run->view.row_count) >= values.code_count)
        s = damaged(run, "an event that is not in the dictionary", err);
    if (!s && (run->view.times.base < run->view.time_min_ms
               || packed_max(&run->view.times, run->view.row_count)
                      > (uint64_t)run->view.time_max_ms - (uint64_t)run->view.times.base
               || run->view.time_max_ms < run->view.times.base))
        s = damaged(run, "a time outside of its range", err);
    region_close(&region);
    if (!s) s = run_refuse_cut(run, err);
    if (!s) atomic_store(&run->is_checked, true);
    return s;
}

/* ---- Rows and subjects ---- */

uint32_t index_run_ordinal(const IndexRun *run, uint32_t row)
{
    uint32_t ordinal = run->ranks[row / RUN_RANK_ROWS];
    for (uint32_t word = row / RUN_RANK_ROWS * (RUN_RANK_ROWS / 64); word < row / 64; word++)
        ordinal += (uint32_t)__builtin_popcountll(run->starts[word]);
    uint64_t upto = row % 64 == 63 ? UINT64_MAX : (UINT64_C(2) << row % 64) - 1;
    return ordinal + (uint32_t)__builtin_popcountll(run->starts[row / 64] & upto) - 1;
}

/* Finds the row of the (ordinal)th start: the rank before it by bisection, then word by word. */
static uint32_t select_start(const IndexRun *run, uint32_t ordinal)
{
    uint32_t low = 0, high = (run->row_count + RUN_RANK_ROWS - 1) / RUN_RANK_ROWS;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (run->ranks[middle] <= ordinal) low = middle;
        else high = middle;
    }
    uint32_t left = ordinal - run->ranks[low], word = low * (RUN_RANK_ROWS / 64);
    for (;; word++) {
        uint32_t here = (uint32_t)__builtin_popcountll(run->starts[word]);
        if (left < here) break;
        left -= here;
    }
    uint64_t bits = run->starts[word];
    while (left--) bits &= bits - 1;
    return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

/* Gallops from the hint, then bisects. */
uint32_t index_run_row_of(const IndexRun *run, uint64_t subject, uint32_t from_ordinal, uint32_t *ret_ordinal)
{
    uint32_t low = from_ordinal, high = from_ordinal, stride = 1;
    while (high < run->subject_count && run->subjects[high] < subject) {
        low = high + 1;
        high = stride < run->subject_count - high ? high + stride : run->subject_count;
        stride *= 2;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run->subjects[middle] < subject) low = middle + 1;
        else high = middle;
    }
    if (ret_ordinal) *ret_ordinal = low;
    return low == run->subject_count ? run->row_count : select_start(run, low);
}

/* ---- Columns ---- */

uint32_t index_run_find_column(const IndexRun *view, Str name)
{
    const struct run *run = run_of(view);
    uint32_t low = 0, high = view->column_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(run->column_names[middle], name);
        if (order == 0) return middle;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return UINT32_MAX;
}

Str index_run_column_name(const IndexRun *run, uint32_t column)
{
    check(column < run->column_count);
    return run_of(run)->column_names[column];
}

uint64_t index_run_column_rows(const IndexRun *run, uint32_t column)
{
    check(column < run->column_count);
    return run_of(run)->codes[column]->raw_bytes;
}

uint64_t index_run_column_unindexed(const IndexRun *run, uint32_t column)
{
    check(column < run->column_count);
    return (uint64_t)run_of(run)->codes[column]->base;
}

Status index_values_read(const IndexRun *view, uint32_t column, Arena *arena, IndexValues *ret, Err *err)
{
    const struct run *run = run_of(view);
    check(column == INDEX_EVENTS || column < view->column_count);
    return values_read(run, column == INDEX_EVENTS ? run->event_values : run->values[column], arena, ret,
                       err);
}

IndexValue index_values_get(const IndexValues *values, uint32_t code)
{
    check(code < values->code_count && !values->is_events);
    if (code == INDEX_ABSENT) return (IndexValue){ .kind = INDEX_NOTHING };
    if (code == INDEX_UNINDEXED) return (IndexValue){ .kind = INDEX_OTHER };
    if (code < INDEX_FIRST_VALUE) return (IndexValue){ .kind = INDEX_BOOL, .number = code == INDEX_TRUE };
    code -= INDEX_FIRST_VALUE;
    if (code < values->number_count)
        return (IndexValue){ .kind = INDEX_NUMBER, .number = values->numbers[code] };
    Str text = values_string(values, code - values->number_count);
    if (text.len < 2 || text.bytes[0] != 0) return (IndexValue){ .kind = INDEX_STRING, .text = text };
    IndexValue value = { .kind = text.bytes[1] == '[' ? INDEX_LIST : INDEX_NUMBER,
                         .text = str_slice(text, 1, text.len) };
    if (value.kind == INDEX_LIST) return value;
    value.text = str_slice(text, 2, text.len);
    return str_parse_double(value.text, &value.number) ? value : (IndexValue){ .kind = INDEX_OTHER };
}

EventType index_values_event(const IndexValues *values, uint32_t code, Str *ret_name)
{
    check(code < values->code_count && values->is_events);
    *ret_name = (Str){ 0 };
    if (code < INDEX_FIRST_EVENT) return code < EVENT_TYPE_COUNT ? (EventType)code : EVENT_NONE;
    Str event = values_string(values, code - INDEX_FIRST_EVENT);
    *ret_name = str_slice(event, 1, event.len);
    return (EventType)(event.bytes[0] - '0');
}

void index_codes_init(IndexCodes *codes, const IndexRun *view, uint32_t column, uint32_t code_count,
                      unsigned char *bytes, void *zstd)
{
    const struct run *run = run_of(view);
    check(column == INDEX_POSITIONS || column < view->column_count);
    const struct run_section *section = column == INDEX_POSITIONS ? run->positions : run->codes[column];
    *codes = (IndexCodes){ .run = view, .section = section, .block = UINT32_MAX, .code_count = code_count,
                           .packed = section_packed(run, section), .bytes = bytes, .zstd = zstd };
    if (column != INDEX_POSITIONS) codes->packed.base = 0;
}

static Status codes_decompress(IndexCodes *codes, Str stored, unsigned char *to, size_t raw_bytes, Err *err)
{
    const struct run *run = run_of(codes->run);
    codes->packed.bytes = codes->bytes;
    if (stored.len == 0) memset(to, 0, raw_bytes);
    else if (stored.len == raw_bytes) memcpy(to, stored.bytes, raw_bytes);
    else {
        size_t len = codes->zstd ? ZSTD_decompressDCtx(codes->zstd, to, raw_bytes, stored.bytes, stored.len)
                                 : ZSTD_decompress(to, raw_bytes, stored.bytes, stored.len);
        if (len != raw_bytes) return damaged(run, "a block that does not decompress", err);
    }
    return OK;
}

/* Planes of distances become positions. */
static void undo_planes(IndexCodes *codes, const unsigned char *planes, uint32_t first_row, uint32_t rows)
{
    const struct run *run = run_of(codes->run);
    for (uint32_t row = 0; row < rows; row++) {
        uint64_t code = 0;
        for (uint32_t byte = 0; byte < 8; byte++) code |= (uint64_t)planes[(size_t)byte * rows + row] << byte * 8;
        Millis time_ms
            = (Millis)((uint64_t)run->view.times.base + index_packed_get(&run->view.times, first_row + row));
        uint64_t position = curve_decode(&run->curve, time_ms, code);
        memcpy(codes->bytes + (size_t)row * 8, &position, sizeof position);
    }
}

Status index_codes_load(IndexCodes *codes, uint32_t row, Err *err)
{
    uint32_t block = row / RUN_BLOCK_ROWS;
    if (block == codes->block) return OK;
    const struct run *run = run_of(codes->run);
    const struct run_section *section = codes->section;
    const unsigned char *at = run->bytes + section->offset;
    struct run_block entry, before = { 0 };
    memcpy(&entry, at + section->table_offset + (size_t)block * sizeof entry, sizeof entry);
    if (block)
        memcpy(&before, at + section->table_offset + (size_t)(block - 1) * sizeof entry, sizeof before);
    if (before.end > entry.end || entry.end > section->table_offset)
        return damaged(run, "an impossible block", err);
    Str stored = str_of(at + before.end, entry.end - before.end);
    if (crc32c_of(0, stored) != entry.crc) return damaged(run, "wrong checksum of a block", err);
    uint32_t rows = codes->run->row_count - block * RUN_BLOCK_ROWS;
    if (rows > RUN_BLOCK_ROWS) rows = RUN_BLOCK_ROWS;
    codes->block = UINT32_MAX;
    bool in_planes = section == run->positions && run->curve.count;
    unsigned char *to = in_planes ? codes->bytes + INDEX_CODES_BYTES / 2 : codes->bytes;
    Status s = codes_decompress(codes, stored, to, (size_t)rows * section->width, err);
    if (s) return s;
    if (in_planes) undo_planes(codes, to, block * RUN_BLOCK_ROWS, rows);
    if (codes->code_count && packed_max(&codes->packed, rows) >= codes->code_count)
        return damaged(run, "a code that is not in its dictionary", err);
    codes->block = block;
    codes->first_row = block * RUN_BLOCK_ROWS;
    return OK;
}
