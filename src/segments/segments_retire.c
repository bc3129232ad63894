/* segments_retire: removes what is too old or too much, oldest first, one segment in each call. Before anything is
 * removed, the file `oldest` says up to where: so a file that comes back after a crash is known to be retired,
 * and one that is missing is known to be missing. The newest segment always stays: its name keeps positions
 * from beginning at 0 again. A segment is removed when its last event is older than the retention. So
 * that its first event is not much older, it is closed after a thirty-second part of the retention, and so that an
 * idle journal does not keep its last events, it begins another segment, and the old one can be removed. */
#include "segments_private.h"

static const int64_t PASS_NS = 60 * INT64_C(1000000000);
enum { SLICES = 32 };               /* an open segment is closed when it is older than retention / SLICES */

void segments_set_hold(struct segments *journal, const char *name, JournalPos pos)
{
    pthread_mutex_lock(&journal->lock);
    size_t at = 0;
    while (at < journal->hold_count && strcmp(journal->holds[at].name, name) != 0) at++;
    if (at == journal->hold_count) {
        size_t len = strlen(name);
        check(len < HOLD_NAME_BYTES && at < HOLDS_MAX);
        memcpy(journal->holds[at].name, name, len + 1);
        journal->hold_count++;
    }
    journal->holds[at].pos = pos;
    pthread_mutex_unlock(&journal->lock);
}

JournalPos segments_due(struct segments *journal)
{
    pthread_mutex_lock(&journal->lock);
    JournalPos due = journal->due;
    pthread_mutex_unlock(&journal->lock);
    return due;
}

static JournalPos smallest_hold(const struct segments *journal)
{
    JournalPos smallest = UINT64_MAX;
    for (size_t at = 0; at < journal->hold_count; at++)
        if (journal->holds[at].pos < smallest) smallest = journal->holds[at].pos;
    return smallest;
}

/* With maintaining and writing held. Closes the open segment if it holds events for longer than it should. */
static Status retire_make_way(struct segments *journal, Err *err)
{
    struct segments_tail *tail = &journal->tail;
    Millis retention_ms = journal->options.retention_ms;
    if (retention_ms == 0 || journal->is_poisoned) return OK;
    if (tail->is_open && tail->used > SEGMENT_HEAD_BYTES &&
        segments_clock_age(journal, tail->base, tail->created_at_ms) > retention_ms / SLICES) {
        Status s = segments_roll(journal, err);
        if (s) return s;
    }
    bool is_last_old = !tail->is_open && journal->segments.count && segments_clock_is_trusted(journal) &&
                       segments_clock_age(journal, journal->end, journal->committed_at_ms) > retention_ms;
    return is_last_old ? segments_begin_segment(journal, err) : OK;
}

/* Why the oldest may be removed; NULL: it may not. */
static const char *find_reason(const struct segments *journal, Millis over_for_ms)
{
    const SegmentsOptions *options = &journal->options;
    uint64_t disk_bytes = 0;
    if (options->retention_ms && over_for_ms > options->retention_ms) return "retention.age";
    if (options->retention_bytes == 0) return NULL;
    for (size_t at = 0; at < journal->segments.count; at++) disk_bytes += journal->segments.rows[at].disk_bytes;
    return disk_bytes > options->retention_bytes ? "retention.bytes" : NULL;
}

/* Even if all this is wrong, so much is left for some time that somebody can notice: by age it removes at most a
 * 32nd, or eight; by size, which must keep up with what comes in, a 16th. */
static bool has_room_in_pass(struct segments *journal, bool is_by_age)
{
    int64_t now_ns = clock_monotonic_ns(journal->options.clock);
    size_t count = journal->segments.count, most = is_by_age ? count / 32 : count / 16;
    size_t least = is_by_age ? 8 : 64;
    if (most < least) most = least;
    if (journal->pass_began_ns == 0 || now_ns - journal->pass_began_ns >= PASS_NS) {
        journal->pass_began_ns = now_ns;
        journal->pass_count = 0;
    }
    return journal->pass_count < most;
}

/* May the oldest be removed? Gives its row, and why. */
static bool find_due(struct segments *journal, Millis over_for_ms, Segment *ret, const char **ret_reason)
{
    struct segment_table *table = &journal->segments;
    pthread_mutex_lock(&journal->lock);
    bool is_due = table->count > 1 && (*ret_reason = find_reason(journal, over_for_ms)) != NULL;
    bool is_held = is_due && table->rows[1].base > smallest_hold(journal);
    bool is_found = is_due && !is_held && has_room_in_pass(journal, !strcmp(*ret_reason, "retention.age"));
    journal->due = is_held ? table->rows[1].base : 0;  /* who holds it may make way */
    if (is_found) *ret = table->rows[0];
    if (is_found) ret->end = table->rows[1].base;        /* after it something may have been given up */
    pthread_mutex_unlock(&journal->lock);
    return is_found;
}

/* Notes it, takes it out of the table (so that no reader begins with it), removes it, syncs; in this order. */
static Status retire(struct segments *journal, const Segment *segment, Err *err)
{
    char path[SEGMENTS_PATH_BYTES];
    struct disk *disk = journal->disk;
    Status s = segment_put_oldest(disk, journal->dir, segment->end, err);
    journal->is_maintenance_stopped = s && s != ERR_FULL;            /* a sync may have failed */
    if (s) return s;
    pthread_mutex_lock(&journal->lock);
    segment_table_remove(&journal->segments, 0);
    journal->segments.oldest = segment->end;
    journal->stats.retired_segments++;
    pthread_mutex_unlock(&journal->lock);
    segment_path(path, journal->dir, segment->base, segment->is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
    s = disk->remove(disk, path, err);                               /* if this fails, the next start removes it */
    if (!s) s = disk->sync_dir(disk, journal->dir, err);
    return s;
}

/* For how long it has been sure that a segment has ended: since the next one was begun whose head can be read, or since
 * the last commit of all, if the open segment has none. Below 0: not sure yet. With writing held. */
static Millis over_for(struct segments *journal, JournalPos pos)
{
    const struct segments_tail *tail = &journal->tail;
    Segment segment;
    Millis over_for_ms = -1, at_ms;
    bool is_empty = tail->is_open && tail->used == SEGMENT_HEAD_BYTES && journal->committed_at_ms;
    if (!segments_clock_is_trusted(journal)) return -1;
    if (is_empty) over_for_ms = segments_clock_age(journal, journal->end, journal->committed_at_ms);
    for (bool is_first = true; segments_find_segment(journal, pos, &segment, NULL); is_first = false) {
        if (!is_first && segments_begun_at(journal, &segment, &at_ms, NULL) == OK) {
            Millis age_ms = segments_clock_age(journal, segment.base, at_ms);
            return age_ms > over_for_ms ? age_ms : over_for_ms;
        }
        if (segment.end <= pos) break;
        pos = segment.end;
    }
    return over_for_ms;
}

JournalPos segments_find_age(struct segments *journal, Millis age_ms)
{
    Segment segment;
    JournalPos pos = segments_first(journal);
    while (segments_find_segment(journal, pos, &segment, NULL) && segment.end > pos) {
        Segment next;
        Millis at_ms;                                    /* a head is read while commits go on */
        if (segments_find_segment(journal, segment.end, &next, NULL))
            IGNORE(segments_begun_at(journal, &next, &at_ms, NULL));
        pthread_mutex_lock(&journal->writing);
        Millis over_for_ms = over_for(journal, pos);
        pthread_mutex_unlock(&journal->writing);
        if (over_for_ms <= age_ms) break;
        pos = segment.end;
    }
    return pos;
}

static void tell_retired(const struct segments *journal, const Segment *segment, Millis over_for_ms, const char *reason)
{
    SegmentsNotice notice = { SEGMENTS_RETIRED, segment->base, segment->end, over_for_ms, segment->disk_bytes, reason };
    if (journal->options.notice) journal->options.notice(journal->options.notice_context, &notice);
}

Status segments_retire_one(struct segments *journal, bool *ret_did, Err *err)
{
    Segment segment;
    const char *reason = NULL;
    *ret_did = false;
    pthread_mutex_lock(&journal->writing);
    Status s = segments_clock_keep(journal, false, err), made = OK;
    bool has_retention = journal->options.retention_ms || journal->options.retention_bytes;
    if (!s && has_retention) made = retire_make_way(journal, err);
    Millis over_for_ms = !s && has_retention ? over_for(journal, segments_first(journal)) : -1;
    pthread_mutex_unlock(&journal->writing);
    if (s == ERR_FULL) s = OK;                           /* a full disk is one more reason to retire */
    if (made && made != ERR_FULL) s = made;
    if (s || !has_retention || !find_due(journal, over_for_ms, &segment, &reason)) return s;
    if (journal->seal) segments_seal_abort(journal);      /* it may be sealing this very segment */
    s = retire(journal, &segment, err);
    *ret_did = s == OK;
    if (!s) journal->pass_count++;
    if (!s) tell_retired(journal, &segment, over_for_ms, reason);
    return s;
}
