/* segments_erase: records become zeros of the same length, so that no position changes. A segment in which
 * something is to be erased is rewritten by segments_seal on the way to its compressed form, and replaced
 * atomically; whatever a crash interrupts is done by calling again. */
#include "segments_private.h"

#include <stdatomic.h>

/* Was the record here erased before? */
static bool is_blank_at(struct segments_source *source, uint64_t offset, uint64_t limit)
{
    if (segments_source_load(source, offset, FRAME_HEAD_BYTES, limit, NULL)) return false;
    Str bytes = segments_source_bytes(source, offset, limit);
    return bytes.len >= sizeof(uint32_t) && get_u32(bytes.bytes) == 0;
}

/* Is there anything to erase in it? Most segments are read once and left alone. */
static Status has_hit(struct segments *journal, const Segment *segment, const SealChange *change, bool *ret, Err *err)
{
    struct segments_source source;
    struct segments_walk walk;
    *ret = false;
    segments_source_init(&source, journal->disk);
    source.passes_bad_blocks = change->passes_bad_blocks;
    Status s = segments_source_open(&source, journal->dir, segment->base, segment->is_sealed, err);
    if (!s) segments_walk_start(&walk, &source, 0, segment->end - segment->base);
    while (!s && !*ret) {
        SegmentFrame frame;
        WalkFound found = WALK_LIMIT;
        s = segments_walk_next(&walk, &frame, &found, err);
        if (s || found == WALK_LIMIT) break;
        JournalPos pos = segment->base + walk.offset;
        if (found != WALK_FRAME) {                       /* what cannot be read may be what is to be erased */
            uint64_t from = walk.offset;
            bool is_found = false;
            s = segments_walk_resume(&walk, true, &is_found, err);
            JournalPos behind = is_found ? segment->base + walk.offset : segment->end;
            bool is_wiped = source.is_sealed && is_blank_at(&source, from, walk.limit);
            *ret = !is_wiped && pos < change->to && behind > change->from;
            if (s || !is_found) break;
            continue;
        }
        pos -= frame.bytes;
        if (frame.is_commit || pos < change->from || pos >= change->to) continue;
        *ret = change->should_erase(change->context, frame.payload, pos);
    }
    segments_source_done(&source);
    return s;
}

static Status erase_segment(struct segments *journal, const Segment *segment, SealChange *change, Err *err)
{
    bool is_hit = false, is_more = true;
    uint64_t before = change->erased;
    Status s = has_hit(journal, segment, change, &is_hit, err);
    if (s && s != ERR_DAMAGED && change->passes_bad_blocks)
        s = err_wrap(err, ERR_DAMAGED, "%s", "it cannot be looked into");
    if (s == ERR_NOT_FOUND) s = err_wrap(err, ERR_DAMAGED, "a segment's file is missing");
    if (s || !is_hit) return s;
    s = segments_seal_begin(journal, segment, change, err);
    while (!s && is_more) s = segments_seal_step(journal, &is_more, err);
    atomic_fetch_add_explicit(&journal->base.erase_count, 1, memory_order_release);
    if (s) change->erased = before;
    return s;
}

/* Closes the open segment if the range reaches into it. Gives the end of what is closed. */
static Status close_for_erasing(struct segments *journal, JournalPos to, JournalPos *ret_closed, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&journal->writing);
    struct segments_tail *tail = &journal->tail;
    bool is_within = tail->is_open && to > tail->base + SEGMENT_HEAD_BYTES && tail->used > SEGMENT_HEAD_BYTES;
    if (is_within && journal->is_poisoned)
        s = err_set(err, ERR_CLOSED, "the journal: a sync failed; start again to recover");
    else if (is_within) s = segments_roll(journal, err);
    *ret_closed = tail->is_open ? tail->base : journal->end;
    pthread_mutex_unlock(&journal->writing);
    return s;
}

/* A segment that cannot be read does not stop the others from being erased; afterwards it is told. */
static Status tell_unread(const JournalErase *erase, const Segment *segment, const Err *why, Err *err)
{
    if (erase->unread) erase->unread(erase->context, segment->base, segment->end, why->text);
    if (err) *err = *why;
    return ERR_DAMAGED;
}

Status segments_erase(struct segments *journal, const JournalErase *erase, uint64_t *ret_erased, Err *err)
{
    SealChange change = { erase->should_erase, erase->context, erase->from, erase->to, erase->erased_first_byte,
                          erase->is_last_try, 0 };
    JournalPos closed = 0, first = segments_first(journal), pos = erase->from > first ? erase->from : first;
    Segment segment;
    Status trouble = OK;
    check(!journal->is_read_only);
    pthread_mutex_lock(&journal->maintaining);
    Status s = OK;
    if (journal->is_maintenance_stopped)
        s = err_set(err, ERR_CLOSED, "the journal: a sync of its directory failed; start again, then erase again");
    segments_seal_abort(journal);                         /* a sealing that goes on would bring the old records back */
    if (!s) s = close_for_erasing(journal, erase->to, &closed, err);
    for (; !s && segments_find_segment(journal, pos, &segment, NULL); pos = segment.end) {
        Err why;
        if (segment.base >= closed || segment.base >= erase->to) break;
        s = erase_segment(journal, &segment, &change, &why);
        if (s == ERR_DAMAGED) {
            trouble = tell_unread(erase, &segment, &why, err);
            s = OK;
        } else if (s && err) {
            *err = why;
        }
    }
    pthread_mutex_unlock(&journal->maintaining);
    *ret_erased = change.erased;
    if (!s) s = trouble;
    return s ? err_wrap(err, s, "journal %s: erasing", journal->dir) : OK;
}
