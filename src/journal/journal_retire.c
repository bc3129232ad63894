/* journal_retire: what is too old or too much goes, oldest first, one segment a call. The file `oldest` says up
 * to where before anything is removed, so that a file that comes back after a crash is known for what it is,
 * and one that is missing for what that is. The newest segment always stays: its name keeps the positions
 * from beginning anew. A segment goes when its last event is older than the retention. So
 * that its first one is not much older, it is closed after a thirty-second part of the retention, and so that an
 * idle journal does not keep its last events, another is begun for them to go. */
#include "journal_private.h"

enum { SLICES = 32 };               /* an open segment is closed when it is older than retention / SLICES */

void journal_set_hold(struct journal *journal, const char *name, JournalPos pos)
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

static JournalPos smallest_hold(const struct journal *journal)
{
    JournalPos smallest = UINT64_MAX;
    for (size_t at = 0; at < journal->hold_count; at++)
        if (journal->holds[at].pos < smallest) smallest = journal->holds[at].pos;
    return smallest;
}

/* With maintaining and writing held: the open segment holds events for longer than it should. */
static Status retire_make_way(struct journal *journal, Err *err)
{
    struct journal_tail *tail = &journal->tail;
    Millis now_ms = clock_now_ms(journal->options.clock), retention_ms = journal->options.retention_ms;
    if (retention_ms == 0 || journal->is_poisoned) return OK;
    if (tail->is_open && tail->used > SEGMENT_HEAD_BYTES &&
        tail->created_at_ms + retention_ms / SLICES < now_ms) {
        Status s = journal_roll(journal, err);
        if (s) return s;
    }
    bool is_last_old = !tail->is_open && journal->segments.count && journal->committed_at_ms + retention_ms < now_ms;
    return is_last_old ? journal_begin_segment(journal, err) : OK;
}

static bool is_due(const struct journal *journal, Millis over_at_ms)
{
    const JournalOptions *options = &journal->options;
    uint64_t disk_bytes = 0;
    if (options->retention_ms && over_at_ms + options->retention_ms < clock_now_ms(options->clock)) return true;
    if (options->retention_bytes == 0) return false;
    for (size_t at = 0; at < journal->segments.count; at++) disk_bytes += journal->segments.rows[at].disk_bytes;
    return disk_bytes > options->retention_bytes;
}

/* Whether the oldest may go; gives its row. */
static bool find_due(struct journal *journal, Millis over_at_ms, Segment *ret)
{
    struct segment_table *table = &journal->segments;
    pthread_mutex_lock(&journal->lock);
    bool is_found = table->count > 1 && table->rows[0].end <= smallest_hold(journal) &&
                    is_due(journal, over_at_ms);
    if (is_found) *ret = table->rows[0];
    pthread_mutex_unlock(&journal->lock);
    return is_found;
}

/* Noted, out of the table (so that no reader begins with it), removed, synced; in this order. */
static Status retire(struct journal *journal, const Segment *segment, Err *err)
{
    char path[JOURNAL_PATH_BYTES];
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
    s = disk->remove(disk, path, err);                               /* what stays behind, the next start removes */
    if (!s) s = disk->sync_dir(disk, journal->dir, err);
    return s;
}

/* When the last commit was made, where it is sure that the open segment has none; else not yet. */
static Millis idle_since(struct journal *journal)
{
    const struct journal_tail *tail = &journal->tail;
    pthread_mutex_lock(&journal->writing);
    bool is_empty = tail->is_open && tail->used == SEGMENT_HEAD_BYTES && journal->committed_at_ms;
    Millis since_ms = is_empty ? journal->committed_at_ms : INT64_MAX / 2;
    pthread_mutex_unlock(&journal->writing);
    return since_ms;
}

/* When the oldest segment was surely over: when the next one was begun whose head can be read, or at the last
 * commit of all. Not yet, as far as we know, where there is neither. */
static Millis oldest_over_at(struct journal *journal)
{
    Segment segment;
    Millis over_at_ms = idle_since(journal);
    JournalPos pos = journal_first(journal);
    for (bool is_oldest = true; journal_find_segment(journal, pos, &segment, NULL); is_oldest = false) {
        Millis at_ms;
        if (!is_oldest && journal_begun_at(journal, &segment, &at_ms, NULL) == OK) {
            if (at_ms < over_at_ms) over_at_ms = at_ms;
            break;
        }
        if (segment.end <= pos) break;
        pos = segment.end;
    }
    return over_at_ms;
}

Status journal_retire_one(struct journal *journal, bool *ret_did, Err *err)
{
    Segment segment;
    *ret_did = false;
    if (journal->options.retention_ms == 0 && journal->options.retention_bytes == 0) return OK;
    pthread_mutex_lock(&journal->writing);
    Status s = retire_make_way(journal, err);
    pthread_mutex_unlock(&journal->writing);
    if (s && s != ERR_FULL) return s;                    /* a full disk is a reason more to retire */
    if (!find_due(journal, oldest_over_at(journal), &segment)) return OK;
    if (journal->seal) journal_seal_abort(journal);      /* it may be of this very segment */
    s = retire(journal, &segment, err);
    *ret_did = s == OK;
    return s;
}
