/* segments_recover: makes a journal that can go on from what a crash left.
 *
 * Only the last segment is read; those before it were whole and synced before it was begun. Its head was
 * synced before it got its name, so a broken one is damage. Its frames are followed while each is whole and
 * names its predecessor. At the first place where that fails: a whole commit frame (of its own position and
 * this segment's salt) after it proves that a later commit was begun, so this place had been synced:
 * ERR_DAMAGED. With none after it, it is the torn end of the last write, and is cut off. The README numbers
 * the argument for why no such frame can be left over from a failed write.
 *
 * Then the last commit is written once more, as it is, and synced. Reading shows what the kernel holds in
 * memory, and after a failed fsync that may be pages that are marked clean and are not on the disk: only
 * writing them again makes a later sync mean something. Earlier commits were synced before this one began.
 * For the same reason a segment without commits is begun anew: its name may be in memory only. */
#include "segments_private.h"

#include <stdio.h>

struct recovery {
    struct segments *journal;
    SegmentsRecovery *report;
    Segment *row;
    struct segments_source source;
    struct segments_walk walk;
    DiskFile file;
    bool is_open;
    uint64_t last_commit;           /* offset; 0: none */
    SegmentCommit commit;
    uint64_t records_behind;        /* records since that commit frame */
};

static Status damaged(struct recovery *recovery, uint64_t offset, const char *why, Err *err)
{
    return err_set(err, ERR_DAMAGED, "%020" PRIu64 ".journal: position %" PRIu64 ": %s, and later commits stand "
                   "after it, so it had been on disk. Bring the segment back from a backup; or `onym "
                   "recover` shows what would be given up (onym verify lists all damage)", recovery->row->base,
                   recovery->row->base + offset, why);
}

/* Does the journal go as far as somebody has seen it go? Checked before anything is changed. */
static Status check_known(const struct segments *journal, JournalPos end, uint64_t records, Err *err)
{
    const SegmentsOptions *options = &journal->options;
    char count[64] = "";
    if (segment_lost_end(&journal->segments) > end) end = segment_lost_end(&journal->segments);
    if (end >= options->known_end) return OK;
    if (options->known_records > records)
        snprintf(count, sizeof count, ", %" PRIu64 " messages", options->known_records - records);
    return err_set(err, ERR_DAMAGED, "it ends at position %" PRIu64 ", but %s has seen it come to %" PRIu64 ": what "
                   "stood between is missing (%" PRIu64 " bytes%s). Is a disk not mounted, or is this an older copy? "
                   "Bring its files back; or `onym recover` shows what would be given up, and `onym recover "
                   "--accept-loss` goes on without it", end, options->known_by ? options->known_by : "somebody",
                   options->known_end, options->known_end - end, count);
}

static Status open_newest(struct recovery *recovery, bool is_sealed, Err *err)
{
    Err why;
    Status s = segments_source_open(&recovery->source, recovery->journal->dir, recovery->row->base, is_sealed, &why);
    if (s == ERR_DAMAGED)
        return err_set(err, s, "%s. Bring the newest segment back from a backup; or `onym recover` shows what would be "
                       "given up", why.text);
    if (s && err) *err = why;
    return s;
}

/* Is there a whole commit frame after walk->offset? */
static Status has_commit_behind(struct recovery *recovery, bool *ret, Err *err)
{
    struct segments_walk ahead = recovery->walk;
    return segments_walk_resume(&ahead, false, ret, err);
}

static Status follow_frames(struct recovery *recovery, WalkFound *ret_found, Err *err)
{
    struct segments_walk *walk = &recovery->walk;
    for (;;) {
        SegmentFrame frame;
        uint64_t offset = walk->offset;
        Status s = segments_walk_next(walk, &frame, ret_found, err);
        if (s || *ret_found != WALK_FRAME) return s;
        recovery->records_behind++;
        if (!frame.is_commit) continue;
        recovery->last_commit = offset;
        recovery->commit = segments_decode_commit(frame.payload);
        recovery->records_behind = 0;
    }
}

/* Copies [from, to) of the file onto itself, window by window, so that its pages are written again. */
static Status write_again(struct recovery *recovery, uint64_t from, uint64_t to, Err *err)
{
    struct segments_source *source = &recovery->source;
    struct disk *disk = source->disk;
    while (from < to) {
        Status s = segments_source_load(source, from, 1, to, err);
        if (s) return s;
        Str bytes = segments_source_bytes(source, from, to);
        s = disk->write(disk, recovery->file, from, &bytes, 1, err);
        if (s) return s;
        from += bytes.len;
    }
    return OK;
}

static Status settle(struct recovery *recovery, uint64_t end, Err *err)
{
    struct disk *disk = recovery->source.disk;
    Status s = write_again(recovery, recovery->last_commit, end, err);
    if (!s) s = disk->truncate(disk, recovery->file, end, err);
    if (!s) s = disk->sync(disk, recovery->file, err);
    return s;
}

/* Makes the segment the open one. */
static void adopt(struct recovery *recovery)
{
    struct segments *journal = recovery->journal;
    const struct segments_walk *walk = &recovery->walk;
    const SegmentHead *head = &recovery->source.head;
    journal->tail = (struct segments_tail){
        .file = recovery->file, .is_open = true, .base = head->base, .used = walk->offset, .ahead = walk->offset,
        .chain = walk->chain, .salt = head->salt, .created_at_ms = head->created_at_ms,
        .has_commits = recovery->last_commit && (recovery->commit.record_count || recovery->records_behind),
    };
    recovery->is_open = false;                          /* the tail owns it now */
    recovery->row->created_at_ms = head->created_at_ms;
    recovery->row->end = head->base + walk->offset;
    recovery->row->disk_bytes = walk->offset;
    journal->committed_at_ms = recovery->last_commit ? recovery->commit.committed_at_ms : head->created_at_ms;
    journal->records = recovery->last_commit ? recovery->commit.records_before + recovery->records_behind
                                             : head->records_before;
    journal->end = recovery->row->end;
}

/* There is no commit in it: the next commit begins it again. Only its place and the count of records before it are
 * kept. */
static void forget(struct recovery *recovery)
{
    struct segments *journal = recovery->journal;
    const SegmentHead *head = &recovery->source.head;
    journal->committed_at_ms = head->created_at_ms;
    journal->records = head->records_before;
    journal->end = head->base;
    segment_table_remove(&journal->segments, journal->segments.count - 1);
}

static Status recover_raw(struct recovery *recovery, Err *err)
{
    struct segments *journal = recovery->journal;
    struct segments_walk *walk = &recovery->walk;
    char path[SEGMENTS_PATH_BYTES];
    WalkFound found = WALK_LIMIT;
    uint64_t torn_bytes;
    bool is_behind = false;
    Status s = open_newest(recovery, false, err);
    if (s) return s;
    segments_walk_start(walk, &recovery->source, 0, recovery->source.raw_bytes);
    s = follow_frames(recovery, &found, err);
    if (!s && found != WALK_LIMIT) s = has_commit_behind(recovery, &is_behind, err);
    if (s) return s;
    if (is_behind) return damaged(recovery, walk->offset, walk->why, err);
    s = segments_walk_measure(walk, &torn_bytes, err);
    if (s) return s;
    s = check_known(journal, recovery->row->base + (recovery->last_commit ? walk->offset : 0),
                    recovery->last_commit ? recovery->commit.records_before + recovery->records_behind
                                          : recovery->source.head.records_before, err);
    if (s) return s;
    recovery->report->torn_bytes = torn_bytes;
    if (torn_bytes) recovery->report->torn_at = recovery->row->base + walk->offset;
    if (!recovery->last_commit) return forget(recovery), OK;
    segment_path(path, journal->dir, recovery->row->base, SEGMENT_RAW);
    s = journal->disk->open(journal->disk, path, DISK_WRITE, &recovery->file, err);
    if (s) return s;
    recovery->is_open = true;
    s = settle(recovery, walk->offset, err);
    if (!s) adopt(recovery);
    return s;
}

/* The last segment is sealed: the journal goes on after it. Its last commit frame and the frames after that, in its
 * last blocks, say how many records it holds. */
static Status recover_sealed(struct recovery *recovery, Err *err)
{
    struct segments *journal = recovery->journal;
    struct segments_source *source = &recovery->source;
    Status s = open_newest(recovery, true, err);
    if (s) return s;
    recovery->row->end = recovery->row->base + source->raw_bytes;
    recovery->row->created_at_ms = journal->committed_at_ms = source->head.created_at_ms;
    journal->records = source->head.records_before;
    journal->end = recovery->row->end;
    for (size_t at = source->block_count; at-- > 1 && !recovery->last_commit;) {
        const SealedBlock *block = &source->blocks[at];
        WalkFound found = WALK_LIMIT;
        uint64_t until = recovery->records_behind;       /* in the blocks after this one */
        recovery->records_behind = 0;
        segments_walk_start(&recovery->walk, source, block->raw_at, block->raw_at + block->raw_bytes);
        s = follow_frames(recovery, &found, err);
        if (s) return s;
        if (found != WALK_LIMIT) return OK;             /* damaged: readers and onym verify say so */
        recovery->records_behind += until;
    }
    if (!recovery->last_commit) return OK;
    journal->committed_at_ms = recovery->commit.committed_at_ms;
    journal->records = recovery->commit.records_before + recovery->records_behind;
    return OK;
}

struct leftovers {
    struct segments *journal;
    bool has_noted_oldest;
};

/* A retired file that came back: perhaps the file that says it is retired is not on disk, so that is written first. */
static Status remove_leftover(void *context, const char *path, bool is_retired, Err *err)
{
    struct leftovers *leftovers = context;
    struct segments *journal = leftovers->journal;
    if (is_retired && !leftovers->has_noted_oldest) {
        Status s = segment_put_oldest(journal->disk, journal->dir, journal->segments.oldest, err);
        if (s) return s == ERR_FULL ? OK : s;            /* a full disk must not prevent a start: next time */
        leftovers->has_noted_oldest = true;
    }
    return journal->disk->remove(journal->disk, path, err);
}

/* Only a sealed segment itself knows its length; segment_table_check has checked raw ones. If one is damaged, readers
 * and onym verify report it. */
static Status check_sealed(struct segments *journal, Err *err)
{
    const struct segment_table *table = &journal->segments;
    char name[SEGMENTS_PATH_BYTES];
    for (size_t at = 0; at + 1 < table->count; at++) {
        const Segment *row = &table->rows[at];
        if (row->is_sealed && row->raw_bytes && row->raw_bytes < row->end - row->base)
            return err_set(err, ERR_DAMAGED, "%.*s: a segment is missing after it: position %" PRIu64 " to %" PRIu64
                           ". Bring it back from a backup; or `onym recover` shows what would be given up",
                           STR_FORMAT(segment_name(name, row->base, SEGMENT_SEALED)), row->base + row->raw_bytes,
                           row->end);
    }
    return OK;
}

/* Can the newest segment not be read, and was its end given up? Then it is closed as it is. */
static bool is_given_up(struct segments *journal, Segment *row)
{
    const struct segment_table *table = &journal->segments;
    for (size_t at = table->lost_count; at-- > 0;) {
        if (table->lost[at].from <= row->base) return false;
        if (at > 0 && table->lost[at - 1].from > row->base) continue;
        row->end = journal->end = table->lost[at].from;
        return row->is_unsealable = true;
    }
    return false;
}

/* If the end was given up, the journal goes on after it. */
static Status pass_lost(struct segments *journal, Err *err)
{
    JournalPos to = segment_lost_end(&journal->segments);
    if (to <= journal->end) return OK;
    Status s = segments_roll(journal, err);
    if (s) return s;
    journal->end = to;
    if (journal->records < journal->options.known_records) journal->records = journal->options.known_records;
    return OK;
}

Status segments_recover(struct segments *journal, SegmentsRecovery *report, Err *err)
{
    struct disk *disk = journal->disk;
    struct segment_table *table = &journal->segments;
    struct leftovers leftovers = { .journal = journal };
    Status s = segment_table_read(table, disk, journal->dir, remove_leftover, &leftovers, err);
    if (!s) s = segments_set_aside(journal, table, true, err);
    if (!s) s = disk->sync_dir(disk, journal->dir, err);
    if (!s) s = segment_table_check(table, journal->dir, err);
    if (!s) s = check_sealed(journal, err);
    if (s) return s;
    if (table->count) {
        struct recovery recovery = { .journal = journal, .report = report, .row = &table->rows[table->count - 1] };
        segments_source_init(&recovery.source, disk);
        s = recovery.row->is_sealed ? recover_sealed(&recovery, err) : recover_raw(&recovery, err);
        if (s == ERR_DAMAGED && is_given_up(journal, recovery.row)) s = OK;
        if (recovery.is_open) disk->close(disk, recovery.file);
        segments_source_done(&recovery.source);
    }
    if (!s) s = check_known(journal, journal->end, journal->records, err);
    if (!s) s = pass_lost(journal, err);
    if (s) return s;
    report->segments = table->count;
    report->first = table->count ? table->rows[0].base : journal->end;
    report->end = journal->end;
    return OK;
}
