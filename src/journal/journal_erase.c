/* journal_erase: records become zeros of the same length, so that no position changes. A segment in which
 * something is to be erased is rewritten by journal_seal on the way to its compressed form, and replaced
 * atomically; whatever a crash interrupts is done by calling again. */
#include "journal_private.h"

#include <stdatomic.h>

/* Is there anything to erase in it? Most segments are read once and left alone. */
static Status has_hit(struct journal *journal, const Segment *segment, const SealChange *change, bool *ret, Err *err)
{
    struct journal_source source;
    struct journal_walk walk;
    *ret = false;
    journal_source_init(&source, journal->disk);
    Status s = journal_source_open(&source, journal->dir, segment->base, segment->is_sealed, err);
    if (!s) journal_walk_start(&walk, &source, 0, segment->end - segment->base);
    while (!s && !*ret) {
        JournalFrame frame;
        WalkFound found = WALK_LIMIT;
        s = journal_walk_next(&walk, &frame, &found, err);
        if (s || found == WALK_LIMIT) break;
        JournalPos pos = segment->base + walk.offset;
        if (found != WALK_FRAME) {
            s = err_set(err, ERR_DAMAGED, "position %" PRIu64 ": %s; this segment's records are not erased", pos,
                        walk.why);
            break;
        }
        pos -= frame.bytes;
        if (frame.is_commit || pos < change->from || pos >= change->to) continue;
        *ret = change->should_erase(change->context, frame.payload, pos);
    }
    journal_source_done(&source);
    return s;
}

static Status erase_segment(struct journal *journal, const Segment *segment, SealChange *change, Err *err)
{
    bool is_hit = false, is_more = true;
    uint64_t before = change->erased;
    Status s = has_hit(journal, segment, change, &is_hit, err);
    if (s || !is_hit) return s;
    s = journal_seal_begin(journal, segment, change, err);
    while (!s && is_more) s = journal_seal_step(journal, &is_more, err);
    atomic_fetch_add_explicit(&journal->erase_count, 1, memory_order_release);
    if (s) change->erased = before;
    return s;
}

/* The open segment is closed where the range reaches into it. Gives the end of what is closed. */
static Status close_for_erasing(struct journal *journal, JournalPos to, JournalPos *ret_closed, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&journal->writing);
    struct journal_tail *tail = &journal->tail;
    bool is_within = tail->is_open && to > tail->base + SEGMENT_HEAD_BYTES && tail->used > SEGMENT_HEAD_BYTES;
    if (is_within) s = journal->is_poisoned ? err_set(err, ERR_CLOSED, "a sync failed; start again to recover")
                                            : journal_roll(journal, err);
    *ret_closed = tail->is_open ? tail->base : journal->end;
    pthread_mutex_unlock(&journal->writing);
    return s;
}

Status journal_erase(struct journal *journal, JournalPos from, JournalPos to, JournalShouldErase *should_erase,
                     void *context, unsigned char erased_first_byte, uint64_t *ret_erased, Err *err)
{
    SealChange change = { should_erase, context, from, to, erased_first_byte, 0 };
    JournalPos closed = 0, first = journal_first(journal);
    Segment segment;
    Status trouble = OK;
    check(!journal->is_read_only);
    pthread_mutex_lock(&journal->maintaining);
    Status s = OK;
    if (journal->is_maintenance_stopped)
        s = err_set(err, ERR_CLOSED, "a sync of the directory failed; start again, then erase again");
    journal_seal_abort(journal);                         /* a sealing under way would bring the old records back */
    if (!s) s = close_for_erasing(journal, to, &closed, err);
    for (JournalPos pos = from > first ? from : first; !s && journal_find_segment(journal, pos, &segment, NULL);) {
        if (segment.base >= closed || segment.base >= to) break;
        s = erase_segment(journal, &segment, &change, err);
        if (s == ERR_DAMAGED) {                          /* the others can still be erased; then it is said */
            trouble = s;
            s = OK;
        }
        pos = segment.end;
    }
    pthread_mutex_unlock(&journal->maintaining);
    *ret_erased = change.erased;
    if (!s) s = trouble;
    return s ? err_wrap(err, s, "journal %s: erasing", journal->dir) : OK;
}
