/* segments_table: the names of segments, and the table of them that a directory makes. */
#include "segments_private.h"

#include <stdio.h>

static const char *const form_ends[] = {
    [SEGMENT_RAW] = ".journal", [SEGMENT_SEALED] = ".journal.zst",
    [SEGMENT_BEGUN] = ".journal.tmp", [SEGMENT_TEMPORARY] = ".journal.zst.tmp",
};

enum { LIST_ARENA_BYTES = 256 << 20 };          /* address space for the listing of SEGMENTS_MAX names */

Str segment_name(char *text, JournalPos base, SegmentForm form)
{
    int len = snprintf(text, SEGMENTS_PATH_BYTES, "%020" PRIu64 "%s", base, form_ends[form]);
    return str_of(text, (size_t)len);
}

const char *segment_path(char *text, const char *dir, JournalPos base, SegmentForm form)
{
    int len = snprintf(text, SEGMENTS_PATH_BYTES, "%s/%020" PRIu64 "%s", dir, base, form_ends[form]);
    check(len > 0 && len < SEGMENTS_PATH_BYTES);         /* segments_open measured dir */
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
    size_t low = 0, high = table->count;                /* the first row whose end is after pos */
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

/* The file has the position as 20 digits and a line feed, so that `cat` shows it. No file: nothing was retired. */
static Status read_oldest(struct disk *disk, const char *dir, JournalPos *ret, Err *err)
{
    char path[SEGMENTS_PATH_BYTES], memory[64];
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
    char path[SEGMENTS_PATH_BYTES], text[32];
    snprintf(path, sizeof path, "%s/oldest", dir);
    int len = snprintf(text, sizeof text, "%020" PRIu64 "\n", pos);
    return disk_write_file(disk, path, str_of(text, (size_t)len), err);
}

/* ---- What was given up ---- */

/* One line for each range: two positions of 20 digits and a space between. */
enum { LOST_LINE_BYTES = 42 };

static Status read_lost(struct segment_table *table, struct disk *disk, const char *dir, Err *err)
{
    char path[SEGMENTS_PATH_BYTES], memory[LOST_MOST * LOST_LINE_BYTES + 64];
    Arena arena = { memory, memory + sizeof memory };
    Str text, line;
    snprintf(path, sizeof path, "%s/lost", dir);
    table->lost_count = 0;
    Status s = disk_read_file(disk, path, sizeof memory - 1, &arena, &text, err);
    if (s == ERR_NOT_FOUND) return OK;
    if (s && s != ERR_TOO_LARGE) return s;
    for (text = str_trim(text); !s && text.len;) {
        int64_t from, to;
        Str rest;
        line = str_cut(text, '\n', &rest);
        text = rest;
        Str first = str_cut(line, ' ', &rest);
        bool is_range = str_parse_int(first, 0, INT64_MAX, &from) && str_parse_int(rest, 0, INT64_MAX, &to) &&
                        from < to && table->lost_count < LOST_MOST &&
                        (JournalPos)from >= segment_lost_end(table);
        if (!is_range) s = ERR_DAMAGED;
        else table->lost[table->lost_count++] = (LostRange){ (JournalPos)from, (JournalPos)to };
    }
    return s ? err_set(err, ERR_DAMAGED, "%s: no list of positions that were given up", path) : OK;
}

JournalPos segment_lost_end(const struct segment_table *table)
{
    return table->lost_count ? table->lost[table->lost_count - 1].to : 0;
}

Status segment_put_lost(struct disk *disk, const char *dir, const struct segment_table *table, Err *err)
{
    char path[SEGMENTS_PATH_BYTES], text[LOST_MOST * LOST_LINE_BYTES + 64];
    size_t len = 0;
    snprintf(path, sizeof path, "%s/lost", dir);
    for (size_t at = 0; at < table->lost_count; at++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%020" PRIu64 " %020" PRIu64 "\n",
                                table->lost[at].from, table->lost[at].to);
    return disk_write_file(disk, path, str_of(text, len), err);
}

/* A segment before a range that was given up ends where the range begins, not where the next segment does. */
static void end_before_lost(struct segment_table *table)
{
    for (size_t at = 0; at + 1 < table->count; at++)
        for (size_t lost = 0; lost < table->lost_count; lost++)
            if (table->lost[lost].to == table->rows[at + 1].base && table->lost[lost].from > table->rows[at].base)
                table->rows[at].end = table->lost[lost].from;
}

/* ---- Reading a directory ---- */

static Status read_entry(struct segment_table *table, const char *dir, const DiskEntry *entry,
                         SegmentLeftover *leftover, void *context, Err *err)
{
    char path[SEGMENTS_PATH_BYTES];
    JournalPos base;
    SegmentForm form;
    if (!segment_parse_name(entry->name, &base, &form)) return OK;                      /* not ours */
    Segment *last = table->count ? &table->rows[table->count - 1] : NULL;
    bool is_twin = last && last->base == base;          /* sorted: the raw one came first */
    bool is_temporary = form == SEGMENT_BEGUN || form == SEGMENT_TEMPORARY, is_retired = base < table->oldest;
    if (is_temporary || is_retired)
        return leftover ? leftover(context, segment_path(path, dir, base, form), is_retired, err) : OK;
    if (!entry->is_file)
        return err_set(err, ERR_DAMAGED, "%s: a %s stands in the place of a segment: move it away, and bring the "
                       "segment back if it is gone", segment_path(path, dir, base, form), entry->is_dir ? "directory"
                       : "pipe, a socket, a device or a link that leads nowhere");
    if (is_twin) return last->has_twin = true, OK;
    if (table->count == SEGMENTS_MAX) return err_set(err, ERR_TOO_LARGE, "more than %d segments", SEGMENTS_MAX);
    if (last) last->end = base;
    table->rows[table->count++] = (Segment){
        .base = base, .end = form == SEGMENT_RAW ? base + entry->bytes : 0,
        .disk_bytes = entry->bytes, .is_sealed = form == SEGMENT_SEALED,
    };
    return OK;
}

void segment_table_drop(struct segment_table *table, size_t row_index)
{
    segment_table_remove(table, row_index);
    if (row_index > 0) {
        Segment *before = &table->rows[row_index - 1];
        before->end = row_index < table->count ? table->rows[row_index].base
                    : before->is_sealed ? 0 : before->base + before->disk_bytes;
    }
    end_before_lost(table);
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
    if (!s) s = read_oldest(disk, dir, &table->oldest, err);  /* read it last: what was retired meanwhile is below it */
    if (!s) s = read_lost(table, disk, dir, err);
    for (size_t at = 0; !s && at < count; at++) s = read_entry(table, dir, &entries[at], leftover, context, err);
    if (!s) end_before_lost(table);
    region_close(&region);
    return s;
}

Status segment_table_check(const struct segment_table *table, const char *dir, Err *err)
{
    char name[SEGMENTS_PATH_BYTES];
    bool is_given_up = table->count == 0 && segment_lost_end(table) == table->oldest;
    JournalPos first = table->count ? table->rows[0].base : is_given_up ? table->oldest : 0;
    if (first != table->oldest)
        return err_set(err, ERR_DAMAGED, "%s: position %" PRIu64 ": the oldest segment is missing; the first that is "
                       "there begins at %" PRIu64 ". Bring it back from a backup; or `onym recover` shows what would "
                       "be given up", dir, table->oldest, first);
    for (size_t at = 0; at + 1 < table->count; at++) {
        const Segment *row = &table->rows[at];
        uint64_t bytes = row->end - row->base;
        (void)segment_name(name, row->base, row->is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
        if (!row->is_sealed && row->disk_bytes != bytes)
            return err_set(err, ERR_DAMAGED, "%s/%s: position %" PRIu64 ": %" PRIu64 " bytes, but the next segment "
                           "begins at %" PRIu64 ". Bring back what is missing; or `onym recover` shows what would be "
                           "given up", dir, name, row->base + row->disk_bytes, row->disk_bytes, row->end);
    }
    return OK;
}
