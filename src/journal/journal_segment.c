/* journal_segment: the names of segments, and the table of them that a directory makes. */
#include "journal_private.h"

#include <stdio.h>

static const char *const form_ends[] = {
    [SEGMENT_RAW] = ".journal", [SEGMENT_SEALED] = ".journal.zst",
    [SEGMENT_BEGUN] = ".journal.tmp", [SEGMENT_TEMPORARY] = ".journal.zst.tmp",
};

enum { LIST_ARENA_BYTES = 256 << 20 };          /* address space for the listing of SEGMENTS_MAX names */

Str segment_name(char *text, JournalPos base, SegmentForm form)
{
    int len = snprintf(text, JOURNAL_PATH_BYTES, "%020" PRIu64 "%s", base, form_ends[form]);
    return str_of(text, (size_t)len);
}

const char *segment_path(char *text, const char *dir, JournalPos base, SegmentForm form)
{
    int len = snprintf(text, JOURNAL_PATH_BYTES, "%s/%020" PRIu64 "%s", dir, base, form_ends[form]);
    check(len > 0 && len < JOURNAL_PATH_BYTES);         /* journal_open measured dir */
    return text;
}

bool segment_parse_name(Str name, JournalPos *ret_base, SegmentForm *ret_form)
{
    JournalPos base = 0;
    if (name.len < NAME_BYTES) return false;
    for (size_t at = 0; at < NAME_BYTES; at++) {
        char c = name.bytes[at];
        if (c < '0' || c > '9') return false;
        if (__builtin_mul_overflow(base, 10, &base)) return false;
        if (__builtin_add_overflow(base, (JournalPos)(c - '0'), &base)) return false;
    }
    for (size_t form = 0; form < countof(form_ends); form++)
        if (str_equal(str_slice(name, NAME_BYTES, name.len), str_from(form_ends[form]))) {
            *ret_base = base;
            *ret_form = (SegmentForm)form;
            return base <= UINT64_MAX - 2 * (uint64_t)LIMIT_SEGMENT_BYTES;      /* so that ends do not overflow */
        }
    return false;
}

/* ---- The table ---- */

void segment_table_open(struct segment_table *table)
{
    region_open(&table->region, SEGMENTS_MAX * sizeof *table->rows);
    table->rows = (Segment *)(void *)table->region.start;
    table->count = 0;
}

void segment_table_close(struct segment_table *table)
{
    region_close(&table->region);
    *table = (struct segment_table){ 0 };
}

size_t segment_table_find(const struct segment_table *table, JournalPos pos)
{
    size_t low = 0, high = table->count;                /* the first row whose end is behind pos */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->rows[middle].end > pos) high = middle;
        else low = middle + 1;
    }
    return low;
}

void segment_table_insert(struct segment_table *table, Segment row)
{
    size_t at = table->count;
    check(table->count < SEGMENTS_MAX);
    while (at > 0 && table->rows[at - 1].base > row.base) at--;
    memmove(table->rows + at + 1, table->rows + at, (table->count - at) * sizeof *table->rows);
    table->rows[at] = row;
    table->count++;
}

void segment_table_remove(struct segment_table *table, size_t row_index)
{
    check(row_index < table->count);
    table->count--;
    memmove(table->rows + row_index, table->rows + row_index + 1, (table->count - row_index) * sizeof *table->rows);
}

/* ---- What was retired ---- */

/* The file says it in 20 digits and a line feed, so that `cat` does, too. Without one nothing was retired. */
static Status read_oldest(struct disk *disk, const char *dir, JournalPos *ret, Err *err)
{
    char path[JOURNAL_PATH_BYTES], memory[64];
    Arena arena = { memory, memory + sizeof memory };
    Str text;
    int64_t pos;
    snprintf(path, sizeof path, "%s/oldest", dir);
    Status s = disk_read_file(disk, path, sizeof memory - 1, &arena, &text, err);
    if (s == ERR_NOT_FOUND) return *ret = 0, OK;
    if (s && s != ERR_TOO_LARGE) return s;
    if (s || !str_parse_int(str_trim(text), 0, INT64_MAX, &pos))
        return err_set(err, ERR_DAMAGED, "%s: no position", path);
    *ret = (JournalPos)pos;
    return OK;
}

Status segment_put_oldest(struct disk *disk, const char *dir, JournalPos pos, Err *err)
{
    char path[JOURNAL_PATH_BYTES], text[32];
    snprintf(path, sizeof path, "%s/oldest", dir);
    int len = snprintf(text, sizeof text, "%020" PRIu64 "\n", pos);
    return disk_write_file(disk, path, str_of(text, (size_t)len), err);
}

/* ---- Reading a directory ---- */

static Status read_entry(struct segment_table *table, const char *dir, const DiskEntry *entry,
                         SegmentLeftover *leftover, void *context, Err *err)
{
    char path[JOURNAL_PATH_BYTES];
    JournalPos base;
    SegmentForm form;
    if (entry->is_dir || !segment_parse_name(entry->name, &base, &form)) return OK;     /* not ours */
    Segment *last = table->count ? &table->rows[table->count - 1] : NULL;
    bool is_twin = last && last->base == base;          /* sorted: the raw one came first */
    bool is_temporary = form == SEGMENT_BEGUN || form == SEGMENT_TEMPORARY, is_retired = base < table->oldest;
    if (is_temporary || is_twin || is_retired)
        return leftover ? leftover(context, segment_path(path, dir, base, form), is_retired, err) : OK;
    if (table->count == SEGMENTS_MAX) return err_set(err, ERR_TOO_LARGE, "more than %d segments", SEGMENTS_MAX);
    if (last) last->end = base;
    table->rows[table->count++] = (Segment){
        .base = base, .end = form == SEGMENT_RAW ? base + entry->bytes : 0,
        .disk_bytes = entry->bytes, .is_sealed = form == SEGMENT_SEALED,
    };
    return OK;
}

Status segment_table_read(struct segment_table *table, struct disk *disk, const char *dir, SegmentLeftover *leftover,
                          void *context, Err *err)
{
    struct region region;
    DiskEntry *entries;
    size_t count = 0;
    check(table->count == 0);
    region_open(&region, LIST_ARENA_BYTES);
    Arena arena = region_arena(&region);
    Status s = disk->list(disk, dir, &arena, &entries, &count, err);
    if (!s) s = read_oldest(disk, dir, &table->oldest, err);        /* after: what was retired meanwhile is below it */
    for (size_t at = 0; !s && at < count; at++) s = read_entry(table, dir, &entries[at], leftover, context, err);
    region_close(&region);
    return s;
}

Status segment_table_check(const struct segment_table *table, const char *dir, Err *err)
{
    char name[JOURNAL_PATH_BYTES];
    JournalPos first = table->count ? table->rows[0].base : 0;
    if (first != table->oldest)
        return err_set(err, ERR_DAMAGED, "%s: position %" PRIu64 ": the oldest segment is missing; the first that is "
                       "there begins at %" PRIu64, dir, table->oldest, first);
    for (size_t at = 0; at + 1 < table->count; at++) {
        const Segment *row = &table->rows[at];
        uint64_t bytes = row->end - row->base;
        (void)segment_name(name, row->base, row->is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
        if (!row->is_sealed && row->disk_bytes != bytes)
            return err_set(err, ERR_DAMAGED, "%s/%s: position %" PRIu64 ": %" PRIu64 " bytes, but the next segment "
                           "begins at %" PRIu64, dir, name, row->base + row->disk_bytes, row->disk_bytes, row->end);
    }
    return OK;
}
