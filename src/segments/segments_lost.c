/* segments_lost: writes down what is missing for good, so that the journal can go on after it.
 *
 * A journal whose end, middle or beginning is missing does not open: its operator may still have the files, and
 * positions that were given once would be given again. If nothing can be restored, this notes in the file
 * `lost` which positions no segment has any more. To readers such a range is like damage, and they skip it in the
 * same way; so it is not forgotten that something is missing there. Whole frames stay where they are. The journal goes
 * on at a round position well after all that anybody knows: what was acknowledged and then lost may have been seen
 * by others than those who can be asked. */
#include "segments_private.h"

#include <stdio.h>

static const JournalPos ROUND_BYTES = (JournalPos)1 << 30;

struct giving {
    struct segments *journal;
    bool does_it, is_changed;
    SegmentsTellLoss *tell;
    void *context;
    JournalPos end;                 /* the end of what can be read */
    JournalPos new_end;             /* where it goes on, if the end is given up */
    struct segments_source source;
};

static Status give_up(struct giving *giving, JournalPos from, JournalPos to, const char *what, Err *err)
{
    struct segment_table *table = &giving->journal->segments;
    size_t at = table->lost_count;
    SegmentsLoss loss = { from, to, what };
    if (giving->tell) giving->tell(giving->context, &loss);
    while (at > 0 && table->lost[at - 1].from >= from) at--;
    if (at > 0 && table->lost[at - 1].to == from) {
        table->lost[at - 1].to = to;                     /* it was given up before, and nothing came since */
    } else {
        if (table->lost_count == LOST_MOST)
            return err_set(err, ERR_TOO_LARGE, "more than %d places were given up already", LOST_MOST);
        memmove(table->lost + at + 1, table->lost + at, (table->lost_count - at) * sizeof *table->lost);
        table->lost[at] = (LostRange){ from, to };
        table->lost_count++;
    }
    giving->is_changed = true;
    return OK;
}

/* Looks whether something is missing between a segment and the next. */
static Status look_between(struct giving *giving, const Segment *row, Err *err)
{
    struct segments *journal = giving->journal;
    uint64_t bytes = row->disk_bytes, must_bytes = row->end - row->base;
    char name[SEGMENTS_PATH_BYTES];
    if (row->is_sealed) {
        Status s = segments_source_open(&giving->source, journal->dir, row->base, true, err);
        if (s == ERR_DAMAGED) return OK;                 /* it is there, but damaged: readers skip it */
        if (s) return s;
        bytes = giving->source.raw_bytes;
    }
    if (bytes == must_bytes) return OK;
    if (bytes < must_bytes)
        return give_up(giving, row->base + bytes, row->end, "a segment, or its end, is missing", err);
    Str file = segment_name(name, row->base, row->is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
    return err_set(err, ERR_DAMAGED, "%.*s goes on after %" PRIu64 ", where the next segment begins: one of the two "
                   "is not of this journal. Move that one away, then try again", STR_FORMAT(file), row->end);
}

/* Finds the end of the last whole frame of the newest segment; *ret_is_damaged: there is a broken place before it. */
static Status find_last_frame(struct giving *giving, uint64_t *ret_offset, bool *ret_has_commits,
                              bool *ret_is_damaged, Err *err)
{
    struct segments_source *source = &giving->source;
    struct segments_walk walk;
    bool is_broken = source->is_head_damaged, is_found = true;
    Status s = OK;
    segments_walk_start(&walk, source, 0, source->raw_bytes);
    *ret_offset = SEGMENT_HEAD_BYTES;
    *ret_is_damaged = *ret_has_commits = false;
    if (is_broken) {
        walk.offset = 0;
        s = segments_walk_resume(&walk, false, &is_found, err);
    }
    while (!s && is_found) {
        SegmentFrame frame;
        WalkFound found = WALK_LIMIT;
        s = segments_walk_next(&walk, &frame, &found, err);
        if (s || found == WALK_LIMIT) break;
        if (found != WALK_FRAME) {
            is_broken = true;
            s = segments_walk_resume(&walk, false, &is_found, err);
            continue;
        }
        *ret_offset = walk.offset;
        *ret_is_damaged = is_broken;
        *ret_has_commits |= frame.is_commit;
    }
    return s;
}

static Status cut_segment(struct giving *giving, JournalPos base, uint64_t bytes, Err *err)
{
    struct disk *disk = giving->journal->disk;
    char path[SEGMENTS_PATH_BYTES];
    DiskFile file;
    if (!giving->does_it) return OK;
    segment_path(path, giving->journal->dir, base, SEGMENT_RAW);
    Status s = disk->open(disk, path, DISK_WRITE, &file, err);
    if (s) return s;
    s = disk->truncate(disk, file, bytes, err);
    if (!s) s = disk->sync(disk, file, err);
    disk->close(disk, file);
    return s;
}

/* The newest segment, raw: it must be whole up to its end, and go as far as somebody has seen it go. */
static Status look_at_last_raw(struct giving *giving, const Segment *row, Err *err)
{
    struct segment_table *table = &giving->journal->segments;
    uint64_t bytes;
    bool has_commits, is_damaged;
    char path[SEGMENTS_PATH_BYTES];
    Err why;
    Status s = segments_source_open(&giving->source, giving->journal->dir, row->base, false, &why);
    if (s && !giving->source.is_head_damaged) {
        if (err) *err = why;
        return s;
    }
    s = find_last_frame(giving, &bytes, &has_commits, &is_damaged, err);
    if (s) return s;
    giving->end = row->base + (has_commits ? bytes : 0);
    if (giving->end < segment_lost_end(table)) giving->end = segment_lost_end(table);
    if (!is_damaged && !giving->source.is_head_damaged && giving->end >= giving->journal->options.known_end) return OK;
    if (has_commits) {
        s = cut_segment(giving, row->base, bytes, err);
        return s ? s : give_up(giving, giving->end, giving->new_end,
                               is_damaged ? "the newest segment is damaged; it is closed after its last whole message"
                                          : "the journal's end is missing", err);
    }
    segment_path(path, giving->journal->dir, row->base, SEGMENT_RAW);
    if (giving->does_it) s = giving->journal->disk->remove(giving->journal->disk, path, err);
    segment_table_remove(table, table->count - 1);
    return s ? s : give_up(giving, giving->end, giving->new_end, "the newest segment holds no whole message", err);
}

static Status look_at_last(struct giving *giving, Err *err)
{
    struct segments *journal = giving->journal;
    struct segment_table *table = &journal->segments;
    const SegmentsOptions *options = &journal->options;
    const Segment *row = table->count ? &table->rows[table->count - 1] : NULL;
    Status s = OK;
    giving->end = table->oldest > segment_lost_end(table) ? table->oldest : segment_lost_end(table);
    if (row && row->base < segment_lost_end(table) && giving->end >= options->known_end) return OK;
    if (row && !row->is_sealed) return look_at_last_raw(giving, row, err);
    if (row) {
        s = segments_source_open(&giving->source, journal->dir, row->base, true, err);
        giving->end = row->base + (s ? SEGMENT_HEAD_BYTES : giving->source.raw_bytes);
        if (s == ERR_DAMAGED)
            return give_up(giving, giving->end, giving->new_end, "the newest segment cannot be read", err);
        if (s) return s;
    }
    if (giving->end >= options->known_end) return OK;
    return give_up(giving, giving->end, giving->new_end, row ? "the journal's end is missing"
                                                             : "the whole journal is missing", err);
}

static Status look_at_oldest(struct giving *giving, Err *err)
{
    struct segment_table *table = &giving->journal->segments;
    JournalPos first = table->count ? table->rows[0].base : segment_lost_end(table);
    if (first == table->oldest) return OK;
    SegmentsLoss loss = { table->oldest, first, "the oldest segment is missing" };
    if (table->count && giving->tell) giving->tell(giving->context, &loss);
    if (giving->does_it) {
        Status s = segment_put_oldest(giving->journal->disk, giving->journal->dir, first, err);
        if (s) return s;
    }
    table->oldest = first;
    return OK;
}

static JournalPos find_new_end(const struct segments *journal)
{
    const struct segment_table *table = &journal->segments;
    JournalPos end = journal->options.known_end;
    if (segment_lost_end(table) > end) end = segment_lost_end(table);
    if (table->oldest > end) end = table->oldest;
    if (table->count) {
        const Segment *last = &table->rows[table->count - 1];
        JournalPos behind = last->base + (last->is_sealed ? LIMIT_SEGMENT_BYTES : last->disk_bytes);
        if (behind > end) end = behind;
    }
    return (end / ROUND_BYTES + 1) * ROUND_BYTES;
}

static Status look_at_all(struct giving *giving, Err *err)
{
    struct segments *journal = giving->journal;
    struct segment_table *table = &journal->segments;
    Status s = segment_table_read(table, journal->disk, journal->dir, NULL, NULL, err);
    if (!s) s = segments_set_aside(journal, table, giving->does_it, err);
    if (s) return s;
    giving->new_end = find_new_end(journal);
    for (size_t at = 0; !s && at + 1 < table->count; at++) s = look_between(giving, &table->rows[at], err);
    if (!s) s = look_at_last(giving, err);
    if (!s && giving->does_it && giving->is_changed) s = segment_put_lost(journal->disk, journal->dir, table, err);
    return s ? s : look_at_oldest(giving, err);
}

Status segments_give_up(const SegmentsOptions *options, bool does_it, SegmentsTellLoss *tell, void *context, Err *err)
{
    struct giving giving = { .does_it = does_it, .tell = tell, .context = context };
    Status s = segments_create(options, &giving.journal, err);
    if (s) return s;
    segments_source_init(&giving.source, options->disk);
    s = segments_take_lock(giving.journal, err);
    if (!s) s = look_at_all(&giving, err);
    segments_source_done(&giving.source);
    segments_close(giving.journal);
    return s ? err_wrap(err, s, "journal %s", options->dir) : OK;
}
