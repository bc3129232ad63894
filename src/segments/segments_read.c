/* segments_read: readers. A reader has a segment open and walks its frames; only when the walk comes to its
 * limit does it look at the journal again (for what became durable since, for the next segment, for a file
 * that was replaced meanwhile), so that reading a record takes no lock. */
#include "segments_private.h"

#include <errno.h>
#include <stdatomic.h>

enum { AHEAD_RECORDS = 64, PLACE_TRIES = 16, FOLLOW_GAP_MS = 2, BAD_BLOCK_TRIES = 3, BAD_BLOCK_MS = 30000 };

struct segments_reader {
    struct journal_reader base;     /* what every back end's reader begins with */
    struct region self;
    struct segments *journal;
    JournalRecord ahead[AHEAD_RECORDS];
    uint32_t ahead_most;            /* for the next batch: 1, 2, 4, …: a single record costs one */
    struct segments_source source;
    struct segments_walk walk;
    Segment segment;                /* as it was when placed */
    JournalPos pos;                 /* of the next frame */
    JournalPos commit_at;           /* where the commit begins that the last frame was of */
    bool is_placed;                 /* the source has `segment` open and the walk is at pos */
    bool is_damaged;                /* the last read stopped at damage at pos */
    uint64_t cut_count;
    bool has_expected;              /* how many records are before pos, as the journal counts them */
    uint64_t expected, missed;
    JournalPos trouble_pos;         /* where the disk could not read, how often in a row, and since when */
    unsigned trouble_count;
    int64_t trouble_ns;
};

/* ---- Finding the place ---- */

JournalPos segments_end(struct segments *journal)
{
    pthread_mutex_lock(&journal->lock);
    JournalPos end = journal->end;
    pthread_mutex_unlock(&journal->lock);
    return end;
}

JournalPos segments_first(struct segments *journal)
{
    pthread_mutex_lock(&journal->lock);
    JournalPos first = journal->segments.count ? journal->segments.rows[0].base : journal->end;
    pthread_mutex_unlock(&journal->lock);
    return first;
}

bool segments_find_segment(struct segments *journal, JournalPos pos, Segment *ret, bool *ret_is_first)
{
    pthread_mutex_lock(&journal->lock);
    size_t at = segment_table_find(&journal->segments, pos);
    bool is_found = at < journal->segments.count;
    if (is_found) *ret = journal->segments.rows[at];
    if (ret_is_first) *ret_is_first = at == 0;
    pthread_mutex_unlock(&journal->lock);
    return is_found;
}

static Status reader_damaged(struct segments_reader *reader, const char *why, Err *err)
{
    char name[SEGMENTS_PATH_BYTES];
    reader->is_damaged = true;
    Str file = segment_name(name, reader->segment.base, reader->segment.is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
    return err_set(err, ERR_DAMAGED, "journal %s: position %" PRIu64 " in %.*s: %s", reader->journal->dir, reader->pos,
                   STR_FORMAT(file), why);
}

/* Read-only journals: the writer may have taken its last commit back, and written another there. */
static void follow_cut(struct segments_reader *reader)
{
    struct segments *journal = reader->journal;
    pthread_mutex_lock(&journal->lock);
    if (reader->cut_count != journal->cut_count) {
        reader->cut_count = journal->cut_count;
        if (reader->pos > journal->cut_to) {
            reader->pos = journal->cut_to;
            reader->is_placed = false;
        }
        segments_source_forget(&reader->source);
    }
    pthread_mutex_unlock(&journal->lock);
}

/* Puts the walk at reader->pos of the opened source. In a sealed block a frame looks like any other
 * bytes, so the walk starts at the block's beginning and must arrive there. */
static Status place_walk(struct segments_reader *reader, Err *err)
{
    struct segments_source *source = &reader->source;
    uint64_t offset = reader->pos - reader->segment.base, limit = reader->segment.end - reader->segment.base;
    segments_walk_start(&reader->walk, source, offset, limit);
    if (!source->is_sealed || offset < SEGMENT_HEAD_BYTES) return OK;
    Status s = segments_source_load(source, offset, FRAME_HEAD_BYTES, limit, err);
    if (s == ERR_DAMAGED) return OK;                     /* reading will come to it and report it */
    if (s) return s;
    segments_walk_start(&reader->walk, source, source->window_at, limit);
    while (reader->walk.offset < offset) {
        SegmentFrame frame;
        WalkFound found = WALK_LIMIT;
        s = segments_walk_next(&reader->walk, &frame, &found, err);
        if (s) return s;
        if (found != WALK_FRAME) break;
    }
    if (reader->walk.offset == offset) return OK;
    return err_set(err, ERR_NOT_FOUND, "journal %s: no record begins at %" PRIu64, reader->journal->dir, reader->pos);
}

/* Compares the count in heads and commit frames, of all records before them, with what was read. */
static void expect(struct segments_reader *reader, uint64_t records_before)
{
    if (reader->has_expected && records_before > reader->expected) reader->missed += records_before - reader->expected;
    reader->expected = records_before;
    reader->has_expected = true;
}

static Status place_segment(struct segments_reader *reader, const Segment *segment, Err *err)
{
    struct segments *journal = reader->journal;
    bool is_same = reader->is_placed && reader->segment.base == segment->base &&
                   reader->segment.version == segment->version && reader->segment.is_sealed == segment->is_sealed;
    reader->segment = *segment;
    if (is_same) {
        reader->walk.limit = segment->end - segment->base;
        return OK;
    }
    reader->is_placed = false;
    if (reader->source.base != segment->base) reader->source.passes_bad_blocks = false;
    Err why;
    Status s = segments_source_open(&reader->source, journal->dir, segment->base, segment->is_sealed, &why);
    if (s == ERR_DAMAGED) return reader_damaged(reader, why.text, err);
    if (s) {
        if (err) *err = why;
        return s;
    }
    if (segment->is_sealed && reader->source.raw_bytes != segment->end - segment->base)
        return reader_damaged(reader, "the sealed segment has not the length that it must have", err);
    s = place_walk(reader, err);
    reader->is_placed = s == OK;
    if (!s && reader->pos <= segment->base + SEGMENT_HEAD_BYTES) expect(reader, reader->source.head.records_before);
    return s;
}

/* Finds the segment of reader->pos. ERR_NOT_FOUND: it is the end. */
static Status reader_place(struct segments_reader *reader, Err *err)
{
    struct segments *journal = reader->journal;
    Status s = OK;
    for (int turn = 0; turn < PLACE_TRIES; turn++) {
        Segment segment;
        bool is_first;
        if (journal->is_read_only) follow_cut(reader);
        if (!segments_find_segment(journal, reader->pos, &segment, &is_first))
            return err_set(err, ERR_NOT_FOUND, "journal %s: nothing yet at %" PRIu64, journal->dir, reader->pos);
        if (segment.base > reader->pos && is_first)
            return err_set(err, ERR_CONFLICT, "journal %s: what stood at %" PRIu64 " was retired; the oldest kept is %"
                           PRIu64, journal->dir, reader->pos, segment.base);
        if (segment.base > reader->pos) {
            reader->segment = segment;
            reader->is_placed = false;
            return reader_damaged(reader, "what stood in front of this segment is missing", err);
        }
        s = place_segment(reader, &segment, err);
        if (s == ERR_NOT_FOUND && reader->source.is_open && journal->is_read_only && reader->commit_at < reader->pos) {
            /* The writer took its last commit back, wrote another there, and sealed the segment before that was seen:
             * where that commit begins is where they part. */
            reader->pos = reader->commit_at;
            continue;
        }
        if (s != ERR_NOT_FOUND || reader->source.is_open) return s;
        if (journal->is_read_only) {                     /* it was sealed or retired since the last look */
            s = segments_refresh(journal, err);
            if (s) return s;
        }
    }
    return reader_damaged(reader, "the segment's file is missing", err);
}

/* ---- Opening ---- */

Status segments_reader_open(struct segments *journal, JournalPos from, struct journal_reader **ret, Err *err)
{
    JournalPos first = segments_first(journal), end = segments_end(journal);
    if (from == 0) from = first;
    if (from < first || from > end)
        return err_set(err, ERR_NOT_FOUND, "journal %s: %" PRIu64 " is not between %" PRIu64 " and %" PRIu64,
                       journal->dir, from, first, end);
    struct region self;
    region_open(&self, sizeof(struct segments_reader));
    struct segments_reader *reader = (struct segments_reader *)(void *)self.start;
    *reader = (struct segments_reader){ .base.journal = &journal->base, .self = self, .journal = journal, .pos = from,
                                        .commit_at = from, .ahead_most = 1 };
    reader->base.records = reader->ahead;
    segments_source_init(&reader->source, journal->disk);
    pthread_mutex_lock(&journal->lock);
    reader->cut_count = journal->cut_count;
    pthread_mutex_unlock(&journal->lock);
    Status s = from == end ? OK : reader_place(reader, err);
    if (s && s != ERR_DAMAGED) {                         /* segments_read reports damage */
        segments_reader_close(reader);
        return s;
    }
    *ret = &reader->base;
    return OK;
}

void segments_reader_close(struct segments_reader *reader)
{
    segments_source_done(&reader->source);
    struct region self = reader->self;
    region_close(&self);
}

/* ---- Reading ---- */

/* A disk that answers with an error may work again in a moment. If the same place cannot be read for some time there
 * is a bad block: that is damage, and reading goes on after it. In the open segment it waits, since that is being
 * written. */
static bool is_bad_block(struct segments_reader *reader, Status s)
{
    struct segments *journal = reader->journal;
    int64_t now_ns = clock_monotonic_ns(journal->options.clock);
    if (s != ERR_IO || reader->source.passes_bad_blocks || reader->segment.end >= segments_end(journal)) return false;
    if (reader->trouble_count == 0 || reader->trouble_pos != reader->pos) {
        reader->trouble_pos = reader->pos;
        reader->trouble_count = 0;
        reader->trouble_ns = now_ns;
    }
    if (++reader->trouble_count < BAD_BLOCK_TRIES) return false;
    if (now_ns - reader->trouble_ns < BAD_BLOCK_MS * 1000000LL) return false;
    reader->source.passes_bad_blocks = true;
    reader->is_placed = false;
    return true;
}

uint64_t segments_reader_missed(const struct segments_reader *reader) { return reader->missed; }

JournalPos segments_reader_position(const struct segments_reader *reader) { return reader->pos; }

/* Takes the frame that the walk has just given: a record is read, a commit frame is noted. */
static void take_frame(struct segments_reader *reader, const SegmentFrame *frame)
{
    JournalPos pos = reader->segment.base + reader->walk.offset - frame->bytes;
    reader->pos = pos + frame->bytes;
    reader->is_damaged = false;
    if (frame->is_commit) {
        reader->commit_at = pos;
        expect(reader, segments_decode_commit(frame->payload).records_before);
        return;
    }
    reader->expected++;
    reader->ahead[reader->base.count++] = (JournalRecord){ pos, reader->pos, frame->payload };
}

/* Reads until there is one record, and then what the window holds anyway. */
Status segments_read(struct segments_reader *reader, Err *err)
{
    struct segments_walk *walk = &reader->walk;
    SegmentFrame frame;
    while (reader->base.count == 0) {
        WalkFound found;
        if (!reader->is_placed || walk->offset >= walk->limit) {
            reader->is_damaged = false;
            Status s = reader_place(reader, err);
            if (s && is_bad_block(reader, s)) continue;
            if (s) return s;
        }
        Status s = segments_walk_next(walk, &frame, &found, err);
        if (s && is_bad_block(reader, s)) continue;
        if (s) return err_wrap(err, s, "journal %s: reading at %" PRIu64, reader->journal->dir, reader->pos);
        if (found == WALK_LIMIT) {
            if (walk->offset != walk->limit) return reader_damaged(reader, "the segment ends elsewhere", err);
            reader->pos = reader->segment.base + walk->limit;       /* a segment may hold its head and no frame */
            continue;
        }
        if (found != WALK_FRAME) return reader_damaged(reader, walk->why, err);
        take_frame(reader, &frame);
    }
    while (reader->base.count < reader->ahead_most && segments_walk_next_loaded(walk, &frame))
        take_frame(reader, &frame);
    if (reader->ahead_most < AHEAD_RECORDS) reader->ahead_most *= 2;
    return OK;
}

void segments_unread(struct segments_reader *reader)
{
    uint32_t left = reader->base.count - reader->base.at;
    if (left) reader->pos = reader->ahead[reader->base.at].pos;
    reader->expected -= left;
    reader->is_placed = false;
}

/* Finds the next whole frame after the broken place in this segment; its end if there is none. */
static Status skip_in_segment(struct segments_reader *reader, JournalPos *ret_to, Err *err)
{
    struct segments_source *source = &reader->source;
    uint64_t limit = reader->segment.end - reader->segment.base;
    bool is_found = false;
    *ret_to = reader->segment.end;
    if (!source->is_open || (source->is_sealed && source->raw_bytes != limit)) return OK;
    if (!reader->is_placed)                              /* the head is damaged */
        reader->walk = (struct segments_walk){ .source = source, .offset = reader->pos - reader->segment.base,
                                              .limit = limit };
    Status s = segments_walk_resume(&reader->walk, true, &is_found, err);
    if (s) return s;
    if (is_found) *ret_to = reader->segment.base + reader->walk.offset;
    reader->is_placed = is_found;
    return OK;
}

Status segments_skip_damage(struct segments_reader *reader, uint64_t *ret_skipped_bytes, Err *err)
{
    JournalPos to = reader->pos, first = segments_first(reader->journal);
    Status s = OK;
    if (reader->pos < first) {
        to = first;
        reader->is_placed = false;
    } else if (reader->is_damaged && reader->segment.base > reader->pos) {
        to = reader->segment.base;
    } else if (reader->is_damaged) {
        s = skip_in_segment(reader, &to, err);
    }
    if (s) return s;
    *ret_skipped_bytes = to - reader->pos;
    reader->pos = to;
    reader->is_damaged = false;
    return OK;
}

static struct timespec timespec_from(int64_t at_ns)
{
    return (struct timespec){ at_ns / 1000000000, at_ns % 1000000000 };
}

/* Waits on `resting`, which no commit signals, until the instant. With lock held. False: waiting is over. */
static bool rest_until(struct segments *journal, int64_t at_ns)
{
    struct timespec deadline = timespec_from(at_ns);
    while (!journal->is_closing && !journal->has_no_waits)
        if (pthread_cond_timedwait(&journal->resting, &journal->lock, &deadline) == ETIMEDOUT) return true;
    return false;
}

/* First waits for the rest of the gap since readers were last woken, then for what is missing. */
bool segments_wait_durable(struct segments *journal, JournalPos pos, Millis timeout_ms)
{
    int64_t end_ns = timeout_ms > 0 ? clock_monotonic_ns(journal->options.clock) + timeout_ms * 1000000 : 0;
    struct timespec deadline = timespec_from(end_ns);
    pthread_mutex_lock(&journal->lock);
    int64_t rested_ns = pos == UINT64_MAX ? end_ns : journal->followers_woken_ns + FOLLOW_GAP_MS * 1000000LL;
    bool is_waiting = timeout_ms > 0 && rest_until(journal, rested_ns < end_ns ? rested_ns : end_ns);
    journal->durable_waiters++;
    while (is_waiting && journal->end <= pos && !journal->is_closing && !journal->has_no_waits)
        if (pthread_cond_timedwait(&journal->durable, &journal->lock, &deadline) == ETIMEDOUT) break;
    journal->durable_waiters--;
    bool is_there = journal->end > pos;
    if (is_there && timeout_ms > 0) journal->followers_woken_ns = clock_monotonic_ns(journal->options.clock);
    pthread_mutex_unlock(&journal->lock);
    return is_there;
}

void segments_end_waits(struct segments *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->has_no_waits = true;
    pthread_cond_broadcast(&journal->durable);
    pthread_cond_broadcast(&journal->resting);
    pthread_mutex_unlock(&journal->lock);
}

/* ---- Finding by time ---- */

Status segments_begun_at(struct segments *journal, const Segment *segment, Millis *ret_at_ms, Err *err)
{
    struct segments_source source;
    if (segment->created_at_ms) return *ret_at_ms = segment->created_at_ms, OK;
    segments_source_init(&source, journal->disk);
    Status s = segments_source_open(&source, journal->dir, segment->base, segment->is_sealed, err);
    Millis begun_at_ms = source.head.created_at_ms;
    segments_source_done(&source);
    if (s) return s;
    pthread_mutex_lock(&journal->lock);                  /* it need be read only once */
    size_t at = segment_table_find(&journal->segments, segment->base);
    if (at < journal->segments.count && journal->segments.rows[at].base == segment->base)
        journal->segments.rows[at].created_at_ms = begun_at_ms;
    pthread_mutex_unlock(&journal->lock);
    *ret_at_ms = begun_at_ms;
    return OK;
}

/* The first commit of the segment that is not older than the instant; its beginning if that is not sure. */
static JournalPos find_commit(struct segments *journal, const Segment *segment, Millis at_ms)
{
    struct segments_source source;
    struct segments_walk walk;
    JournalPos pos = segment->base;
    WalkFound found = WALK_FRAME;
    segments_source_init(&source, journal->disk);
    if (segments_source_open(&source, journal->dir, segment->base, segment->is_sealed, NULL)) found = WALK_BROKEN;
    segments_walk_start(&walk, &source, 0, segment->end - segment->base);
    while (found == WALK_FRAME) {
        SegmentFrame frame;
        if (segments_walk_next(&walk, &frame, &found, NULL)) break;
        if (found == WALK_LIMIT) pos = segment->end;
        if (found != WALK_FRAME || !frame.is_commit) continue;
        if (segments_decode_commit(frame.payload).committed_at_ms < at_ms) continue;
        pos = segment->base + walk.offset - frame.bytes;
        break;
    }
    segments_source_done(&source);
    return pos;
}

JournalPos segments_find_time(struct segments *journal, Millis received_at_ms)
{
    Segment segment, next;
    JournalPos found = segments_first(journal);
    while (segments_find_segment(journal, found, &segment, NULL)) {
        Millis begun_at_ms;
        bool has_next = segments_find_segment(journal, segment.end, &next, NULL) && next.base != segment.base;
        if (!has_next || segments_begun_at(journal, &next, &begun_at_ms, NULL) || begun_at_ms >= received_at_ms)
            return find_commit(journal, &segment, received_at_ms);
        found = next.base;
    }
    return found;
}

Status segments_find_birth(struct segments *journal, JournalPos pos, JournalPos *ret_base, Millis *ret_at_ms, Err *err)
{
    Segment segment;
    if (!segments_find_segment(journal, pos, &segment, NULL) || segment.base > pos)
        return err_set(err, ERR_NOT_FOUND, "no segment holds position %llu", (unsigned long long)pos);
    *ret_base = segment.base;
    return segments_begun_at(journal, &segment, ret_at_ms, err);
}
