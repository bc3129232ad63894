/* journal_read: readers. One has a segment open and walks its frames; only where the walk comes to its
 * limit does it look at the journal again (for what became durable since, for the next segment, for a file
 * that was replaced under it), so that reading a record takes no lock. */
#include "journal_private.h"

#include <errno.h>
#include <stdatomic.h>

enum { PLACE_TRIES = 16, FOLLOW_GAP_MS = 2 };

struct journal_reader {
    struct region self;
    struct journal *journal;
    struct journal_source source;
    struct journal_walk walk;
    Segment segment;                /* as it was when placed */
    JournalPos pos;                 /* of the next frame */
    bool is_placed;                 /* the source has `segment` open and the walk is at pos */
    bool is_damaged;                /* the last read stopped at damage at pos */
    uint64_t cut_count;
    uint32_t erase_count;
};

/* ---- Where ---- */

JournalPos journal_end(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    JournalPos end = journal->end;
    pthread_mutex_unlock(&journal->lock);
    return end;
}

JournalPos journal_first(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    JournalPos first = journal->segments.count ? journal->segments.rows[0].base : journal->end;
    pthread_mutex_unlock(&journal->lock);
    return first;
}

bool journal_find_segment(struct journal *journal, JournalPos pos, Segment *ret, bool *ret_is_first)
{
    pthread_mutex_lock(&journal->lock);
    size_t at = segment_table_find(&journal->segments, pos);
    bool is_found = at < journal->segments.count;
    if (is_found) *ret = journal->segments.rows[at];
    if (ret_is_first) *ret_is_first = at == 0;
    pthread_mutex_unlock(&journal->lock);
    return is_found;
}

static Status reader_damaged(struct journal_reader *reader, const char *why, Err *err)
{
    char name[JOURNAL_PATH_BYTES];
    reader->is_damaged = true;
    Str file = segment_name(name, reader->segment.base, reader->segment.is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
    return err_set(err, ERR_DAMAGED, "journal %s: position %" PRIu64 " in %.*s: %s", reader->journal->dir, reader->pos,
                   STR_FORMAT(file), why);
}

/* Read-only journals: the writer may have taken its last commit back, and written another there. */
static void follow_cut(struct journal_reader *reader)
{
    struct journal *journal = reader->journal;
    pthread_mutex_lock(&journal->lock);
    if (reader->cut_count != journal->cut_count) {
        reader->cut_count = journal->cut_count;
        if (reader->pos > journal->cut_to) {
            reader->pos = journal->cut_to;
            reader->is_placed = false;
        }
        journal_source_forget(&reader->source);
    }
    pthread_mutex_unlock(&journal->lock);
}

/* Puts the walk at reader->pos of the opened source. In a sealed block a frame cannot be told from any other
 * bytes, so the walk starts at the block's beginning and must come by. */
static Status place_walk(struct journal_reader *reader, Err *err)
{
    struct journal_source *source = &reader->source;
    uint64_t offset = reader->pos - reader->segment.base, limit = reader->segment.end - reader->segment.base;
    journal_walk_start(&reader->walk, source, offset, limit);
    if (!source->is_sealed || offset < SEGMENT_HEAD_BYTES) return OK;
    Status s = journal_source_load(source, offset, FRAME_HEAD_BYTES, limit, err);
    if (s == ERR_DAMAGED) return OK;                     /* reading comes to it, and reports it */
    if (s) return s;
    journal_walk_start(&reader->walk, source, source->window_at, limit);
    while (reader->walk.offset < offset) {
        JournalFrame frame;
        WalkFound found = WALK_LIMIT;
        s = journal_walk_next(&reader->walk, &frame, &found, err);
        if (s) return s;
        if (found != WALK_FRAME) break;
    }
    if (reader->walk.offset == offset) return OK;
    return err_set(err, ERR_NOT_FOUND, "journal %s: no record begins at %" PRIu64, reader->journal->dir, reader->pos);
}

static Status place_segment(struct journal_reader *reader, const Segment *segment, Err *err)
{
    struct journal *journal = reader->journal;
    bool is_same = reader->is_placed && reader->segment.base == segment->base &&
                   reader->segment.version == segment->version && reader->segment.is_sealed == segment->is_sealed;
    reader->segment = *segment;
    if (is_same) {
        reader->walk.limit = segment->end - segment->base;
        return OK;
    }
    reader->is_placed = false;
    Err why;
    Status s = journal_source_open(&reader->source, journal->dir, segment->base, segment->is_sealed, &why);
    if (s == ERR_DAMAGED) return reader_damaged(reader, why.text, err);
    if (s) {
        if (err) *err = why;
        return s;
    }
    if (segment->is_sealed && reader->source.raw_bytes != segment->end - segment->base)
        return reader_damaged(reader, "the sealed segment has not the length that it must have", err);
    s = place_walk(reader, err);
    reader->is_placed = s == OK;
    return s;
}

/* Finds what reader->pos is in. ERR_NOT_FOUND: at the end. */
static Status reader_place(struct journal_reader *reader, Err *err)
{
    struct journal *journal = reader->journal;
    Status s = OK;
    for (int turn = 0; turn < PLACE_TRIES; turn++) {
        Segment segment;
        bool is_first;
        if (journal->is_read_only) follow_cut(reader);
        if (!journal_find_segment(journal, reader->pos, &segment, &is_first))
            return err_set(err, ERR_NOT_FOUND, "journal %s: nothing yet at %" PRIu64, journal->dir, reader->pos);
        if (segment.base > reader->pos && is_first)
            return err_set(err, ERR_CONFLICT, "journal %s: what stood at %" PRIu64 " was retired; the oldest kept is %"
                           PRIu64, journal->dir, reader->pos, segment.base);
        if (segment.base > reader->pos) {
            reader->segment = segment;
            return reader_damaged(reader, "a segment is missing in front of this one", err);
        }
        s = place_segment(reader, &segment, err);
        if (s != ERR_NOT_FOUND || reader->source.is_open) return s;
        if (journal->is_read_only) {                     /* sealed or retired since we looked */
            s = journal_refresh(journal, err);
            if (s) return s;
        }
    }
    return reader_damaged(reader, "the segment's file is missing", err);
}

/* ---- Opening ---- */

Status journal_reader_open(struct journal *journal, JournalPos from, struct journal_reader **ret, Err *err)
{
    JournalPos first = journal_first(journal), end = journal_end(journal);
    if (from == 0) from = first;
    if (from < first || from > end)
        return err_set(err, ERR_NOT_FOUND, "journal %s: %" PRIu64 " is not between %" PRIu64 " and %" PRIu64,
                       journal->dir, from, first, end);
    struct region self;
    region_open(&self, sizeof(struct journal_reader));
    struct journal_reader *reader = (struct journal_reader *)(void *)self.start;
    *reader = (struct journal_reader){ .self = self, .journal = journal, .pos = from };
    journal_source_init(&reader->source, journal->disk);
    pthread_mutex_lock(&journal->lock);
    reader->cut_count = journal->cut_count;
    pthread_mutex_unlock(&journal->lock);
    Status s = from == end ? OK : reader_place(reader, err);
    if (s && s != ERR_DAMAGED) {                         /* damage is for journal_read to say */
        journal_reader_close(reader);
        return s;
    }
    *ret = reader;
    return OK;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (!reader) return;
    journal_source_done(&reader->source);
    struct region self = reader->self;
    region_close(&self);
}

/* ---- Reading ---- */

Status journal_read(struct journal_reader *reader, JournalRecord *ret, Err *err)
{
    struct journal_walk *walk = &reader->walk;
    uint32_t erase_count = atomic_load_explicit(&reader->journal->erase_count, memory_order_acquire);
    if (reader->erase_count != erase_count) {            /* what the window holds may be erased by now */
        reader->erase_count = erase_count;
        reader->is_placed = false;
    }
    for (;;) {
        JournalFrame frame;
        WalkFound found;
        if (!reader->is_placed || walk->offset >= walk->limit) {
            reader->is_damaged = false;
            Status s = reader_place(reader, err);
            if (s) return s;
        }
        Status s = journal_walk_next(walk, &frame, &found, err);
        if (s) return err_wrap(err, s, "journal %s: reading at %" PRIu64, reader->journal->dir, reader->pos);
        if (found == WALK_LIMIT) {
            if (walk->offset != walk->limit) return reader_damaged(reader, "the segment ends elsewhere", err);
            reader->pos = reader->segment.base + walk->limit;       /* a segment may hold its head and no frame */
            continue;
        }
        if (found != WALK_FRAME) return reader_damaged(reader, walk->why, err);
        JournalPos pos = reader->segment.base + walk->offset - frame.bytes;
        reader->pos = pos + frame.bytes;
        reader->is_damaged = false;
        if (frame.is_commit) continue;
        *ret = (JournalRecord){ pos, reader->pos, frame.payload };
        return OK;
    }
}

/* Behind the broken place in the segment at hand; its end where nothing whole follows. */
static Status skip_in_segment(struct journal_reader *reader, JournalPos *ret_to, Err *err)
{
    struct journal_source *source = &reader->source;
    uint64_t limit = reader->segment.end - reader->segment.base;
    bool is_found = false;
    *ret_to = reader->segment.end;
    if (!source->is_open || (source->is_sealed && source->raw_bytes != limit)) return OK;
    if (!reader->is_placed)                              /* the head is damaged */
        reader->walk = (struct journal_walk){ .source = source, .offset = reader->pos - reader->segment.base,
                                              .limit = limit };
    Status s = journal_walk_resume(&reader->walk, true, &is_found, err);
    if (s) return s;
    if (is_found) *ret_to = reader->segment.base + reader->walk.offset;
    reader->is_placed = is_found;
    return OK;
}

Status journal_skip_damage(struct journal_reader *reader, uint64_t *ret_skipped_bytes, Err *err)
{
    JournalPos to = reader->pos, first = journal_first(reader->journal);
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

/* On `resting`, which no commit signals, until the instant. With lock held. False where waiting is over. */
static bool rest_until(struct journal *journal, int64_t at_ns)
{
    struct timespec deadline = timespec_from(at_ns);
    while (!journal->is_closing && !journal->has_no_waits)
        if (pthread_cond_timedwait(&journal->resting, &journal->lock, &deadline) == ETIMEDOUT) return true;
    return false;
}

/* First the rest of the gap since followers were last woken, then whatever is missing. */
bool journal_wait_durable(struct journal *journal, JournalPos pos, Millis timeout_ms)
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

void journal_end_waits(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->has_no_waits = true;
    pthread_cond_broadcast(&journal->durable);
    pthread_cond_broadcast(&journal->resting);
    pthread_mutex_unlock(&journal->lock);
}

/* ---- Finding by time ---- */

Status journal_begun_at(struct journal *journal, const Segment *segment, Millis *ret_at_ms, Err *err)
{
    struct journal_source source;
    if (segment->created_at_ms) return *ret_at_ms = segment->created_at_ms, OK;
    journal_source_init(&source, journal->disk);
    Status s = journal_source_open(&source, journal->dir, segment->base, segment->is_sealed, err);
    Millis begun_at_ms = source.head.created_at_ms;
    journal_source_done(&source);
    if (s) return s;
    pthread_mutex_lock(&journal->lock);                  /* once read, known */
    size_t at = segment_table_find(&journal->segments, segment->base);
    if (at < journal->segments.count && journal->segments.rows[at].base == segment->base)
        journal->segments.rows[at].created_at_ms = begun_at_ms;
    pthread_mutex_unlock(&journal->lock);
    *ret_at_ms = begun_at_ms;
    return OK;
}

/* The first commit of the segment that is not older than the instant; its beginning where in doubt. */
static JournalPos find_commit(struct journal *journal, const Segment *segment, Millis at_ms)
{
    struct journal_source source;
    struct journal_walk walk;
    JournalPos pos = segment->base;
    WalkFound found = WALK_FRAME;
    journal_source_init(&source, journal->disk);
    if (journal_source_open(&source, journal->dir, segment->base, segment->is_sealed, NULL)) found = WALK_BROKEN;
    journal_walk_start(&walk, &source, 0, segment->end - segment->base);
    while (found == WALK_FRAME) {
        JournalFrame frame;
        if (journal_walk_next(&walk, &frame, &found, NULL)) break;
        if (found == WALK_LIMIT) pos = segment->end;
        if (found != WALK_FRAME || !frame.is_commit) continue;
        if (journal_decode_commit(frame.payload).committed_at_ms < at_ms) continue;
        pos = segment->base + walk.offset - frame.bytes;
        break;
    }
    journal_source_done(&source);
    return pos;
}

JournalPos journal_find_time(struct journal *journal, Millis received_at_ms)
{
    Segment segment, next;
    JournalPos found = journal_first(journal);
    while (journal_find_segment(journal, found, &segment, NULL)) {
        Millis begun_at_ms;
        bool has_next = journal_find_segment(journal, segment.end, &next, NULL) && next.base != segment.base;
        if (!has_next || journal_begun_at(journal, &next, &begun_at_ms, NULL) || begun_at_ms >= received_at_ms)
            return find_commit(journal, &segment, received_at_ms);
        found = next.base;
    }
    return found;
}
