/* segments_follow: a journal opened for reading only, while another process writes it or later.
 *
 * Each refresh lists the directory again and walks the last segment's frames from its last commit frame on.
 * What is before that frame is sure (it was synced before the frame was written); the last commit
 * itself may not be durable yet, and if its write fails the writer takes it back. Then the end goes back
 * to that frame, and by cut_count readers that were after it learn to start there again. */
#include "segments_private.h"

Status segments_open_read_only(const SegmentsOptions *options, struct journal **ret, Err *err)
{
    struct segments *journal;
    Status s = segments_create(options, &journal, err);
    if (s) return s;
    journal->is_read_only = true;
    segments_source_init(&journal->follow.source, journal->disk);
    s = segments_refresh(journal, err);
    if (s) {
        segments_close(journal);
        return s;
    }
    *ret = &journal->base;
    return OK;
}

/* Begins at the last commit frame that the last refresh saw, with its chain. */
static void start_at_settled(struct segments *journal, struct segments_walk *walk)
{
    segments_walk_start(walk, &journal->follow.source, journal->follow.settled, journal->follow.source.raw_bytes);
    walk->chain = journal->follow.settled_chain;
    walk->has_chain = true;
}

/* Is what the last refresh ended with still there? If a file is gone it was sealed or retired, and so was
 * closed. */
static Status is_still_there(struct segments *journal, bool *ret, Err *err)
{
    struct segments_walk walk;
    struct segments_source *source = &journal->follow.source;
    *ret = true;
    if (!journal->follow.is_begun || journal->follow.end == journal->follow.settled) return OK;
    Err why;
    Status s = segments_source_open(source, journal->dir, journal->follow.base, false, &why);
    if (s == ERR_NOT_FOUND || s == ERR_DAMAGED) return OK;
    if (s) {
        if (err) *err = why;
        return s;
    }
    *ret = source->head.checksum == journal->follow.head;
    if (!*ret) return OK;
    start_at_settled(journal, &walk);
    while (walk.offset < journal->follow.end) {
        SegmentFrame frame;
        WalkFound found = WALK_LIMIT;
        s = segments_walk_next(&walk, &frame, &found, err);
        if (s) return s;
        if (found != WALK_FRAME) break;
    }
    *ret = walk.offset == journal->follow.end && walk.chain == journal->follow.end_chain;
    return OK;
}

/* Walks whole frames; goes on after a broken place only if later commits prove that it is damage, not the end. */
static Status follow_frames(struct segments *journal, struct segments_walk *walk, Err *err)
{
    for (;;) {
        SegmentFrame frame;
        WalkFound found = WALK_LIMIT;
        uint64_t offset = walk->offset;
        Status s = segments_walk_next(walk, &frame, &found, err);
        if (s) return s;
        if (found == WALK_FRAME) {
            if (frame.is_commit) {
                journal->follow.settled = offset;
                journal->follow.settled_chain = frame.previous;
            }
            journal->follow.end = walk->offset;
            journal->follow.end_chain = walk->chain;
            continue;
        }
        bool is_found = false;
        if (found != WALK_LIMIT) s = segments_walk_resume(walk, false, &is_found, err);
        if (s || !is_found) return s;
    }
}

/* How far does the last segment go? It is raw. The row ends at its base if it has no whole head yet. */
static Status follow_tail(struct segments *journal, Segment *row, Err *err)
{
    struct segments_source *source = &journal->follow.source;
    struct segments_walk walk;
    Err why;
    Status s = segments_source_open(source, journal->dir, row->base, false, &why);
    row->end = row->base;
    if (s && !source->is_head_damaged) {
        if (err) *err = why;
        return s;
    }
    bool is_same = journal->follow.is_begun && journal->follow.base == row->base && !source->is_head_damaged &&
                   journal->follow.head == source->head.checksum;
    if (is_same) {
        start_at_settled(journal, &walk);
    } else {
        segments_walk_start(&walk, source, 0, source->raw_bytes);
        journal->follow.is_begun = !source->is_head_damaged;
        journal->follow.base = row->base;
        journal->follow.head = source->head.checksum;
        journal->follow.settled = journal->follow.end = SEGMENT_HEAD_BYTES;
        journal->follow.settled_chain = journal->follow.end_chain = source->head.checksum;
    }
    if (source->is_head_damaged) {                       /* begun just now; or damage, if commits follow */
        bool is_found = false;
        walk.offset = 0;                                 /* from the first frame on, not after it */
        s = segments_walk_resume(&walk, false, &is_found, err);
        if (s || !is_found) return s;
    }
    s = follow_frames(journal, &walk, err);
    row->end = row->base + (journal->follow.end > SEGMENT_HEAD_BYTES ? journal->follow.end : 0);
    return s;
}

static Status follow_last(struct segments *journal, struct segment_table *table, Err *err)
{
    if (table->count == 0) return OK;
    Segment *row = &table->rows[table->count - 1];
    if (!row->is_sealed) return follow_tail(journal, row, err);
    struct segments_source *source = &journal->follow.source;
    Status s = segments_source_open(source, journal->dir, row->base, true, err);
    if (s == ERR_DAMAGED && source->is_head_damaged) s = OK;
    if (!s) row->end = row->base + source->raw_bytes;
    if (s == ERR_DAMAGED) {                              /* its length is unknown: reading reports it */
        row->end = row->base + 1;
        s = OK;
    }
    return s;
}

static void follow_publish(struct segments *journal, const struct segment_table *table, bool was_cut, JournalPos cut_to)
{
    JournalPos end = table->count ? table->rows[table->count - 1].end : 0;
    pthread_mutex_lock(&journal->lock);
    memcpy(journal->segments.rows, table->rows, table->count * sizeof *table->rows);
    journal->segments.count = table->count;
    if (was_cut) {
        journal->cut_count++;
        journal->cut_to = cut_to;
    }
    journal->end = end;
    if (journal->durable_waiters) pthread_cond_broadcast(&journal->durable);
    pthread_mutex_unlock(&journal->lock);
}

Status segments_refresh(struct segments *journal, Err *err)
{
    struct segment_table table;
    if (!journal->is_read_only) return OK;
    pthread_mutex_lock(&journal->maintaining);
    segment_table_open(&table);
    bool is_there = true;
    JournalPos settled = journal->follow.base + journal->follow.settled;
    Status s = is_still_there(journal, &is_there, err);
    for (int turn = 0; !s && turn < 3; turn++) {         /* a file may be sealed between listing and opening */
        table.count = 0;
        s = segment_table_read(&table, journal->disk, journal->dir, NULL, NULL, err);
        if (!s && table.count != journal->segments.count) s = segments_set_aside(journal, &table, false, err);
        if (!s) s = follow_last(journal, &table, err);
        if (s != ERR_NOT_FOUND || turn == 2) break;
        s = OK;
    }
    if (!s) follow_publish(journal, &table, !is_there, settled);
    segment_table_close(&table);
    pthread_mutex_unlock(&journal->maintaining);
    return s ? err_wrap(err, s, "journal %s", journal->dir) : OK;
}
