/* dedup: has this (source, messageId) been applied within the window?
 *
 * Exact within the window: two messages are the same if their 96-bit fingerprints are equal and they arrived at
 * most window_ms apart, in whole minutes. Time is measured by receivedAt, and never goes back. If the wall clock
 * was wrong for a while, a jump ahead counts as a 32nd of the window at most, and after a jump
 * back the time goes on from there: so a wrong clock ends no window by more than that, and makes none endless. (If
 * messages come more rarely than that, the window is longer than window_ms.) The answer depends on the journal
 * only, never on when something was written to disk: a rebuild decides the same about every message.
 *
 * Structure: the newest fingerprints are in a hash table in memory; a full table is frozen and written, one
 * piece in each step, as a run: sorted fingerprints with a Bloom filter, mapped read-only. Four runs of similar
 * size are merged into one, so there are few to search. Resident memory is bounded by the table and its
 * frozen predecessor (DEDUP_TABLE_ENTRIES each); runs live in the page cache.
 *
 * Cost: one cache miss for the table and one for each run's filter; dedup_prefetch starts them early.
 *
 * Crash safety: runs and the manifest that lists them are written to temporary files and renamed. What was only in
 * memory is derived again: the applier replays the journal from dedup_position, and messages that the
 * other stores have already seen are only remembered here. A run becomes part of the manifest only when
 * every store has committed past its end (dedup_step's safe_pos).
 *
 * One thread.
 */
#ifndef ONYM_DEDUP_DEDUP_H
#define ONYM_DEDUP_DEDUP_H

#include "journal/journal.h"
#include "os/os.h"

enum { DEDUP_TABLE_ENTRIES = 1024 * 1024 };

typedef struct DedupOptions {
    const char *dir;                       /* borrowed */
    struct disk *disk;
    struct dice *dice;                     /* the seed of the fingerprints, made once and kept in the manifest,
                                              so that nobody can choose ids that collide */
    Millis window_ms;
    size_t table_entries;                  /* 0: DEDUP_TABLE_ENTRIES; tests make it small */
} DedupOptions;

struct dedup;

Status MUST dedup_open(const DedupOptions *options, struct dedup **ret, Err *err);
void dedup_close(struct dedup *dedup);                            /* accepts NULL */

/* Checks every byte of a directory that nobody has open; changes nothing. ERR_NOT_FOUND: there is none. */
Status MUST dedup_verify(const char *dir, struct disk *disk, Err *err);
/* The damage that was found, in words; NULL: none. What dedup_add has answered since may be wrong. */
const char *dedup_damage(struct dedup *dedup);

/* From where the journal must be replayed: what is before it is in runs. */
JournalPos dedup_position(const struct dedup *dedup);

/* The same, but that nothing is needed while there is nothing in memory: then UINT64_MAX. */
JournalPos dedup_needed(const struct dedup *dedup);
/* The next steps write what is in memory, however little it is, so that the journal may be retired. What is being
 * written ends at the position that is returned; 0: that is not known yet. */
JournalPos dedup_make_way(struct dedup *dedup);

Hash128 dedup_fingerprint(const struct dedup *dedup, Str source, Str message_id);
void dedup_prefetch(const struct dedup *dedup, Hash128 fingerprint);
/* A message arrived that dedup_add is not called for: time passed. */
void dedup_pass_time(struct dedup *dedup, Millis received_at_ms);
/* True: it is new, and is remembered from now on; false: a duplicate. pos is the message's position. */
bool dedup_add(struct dedup *dedup, Hash128 fingerprint, Millis received_at_ms, JournalPos pos);

/* Does a bounded piece of writing and merging. safe_pos: every other store has committed up to here. next: the
 * position after the last message added. ret_more: there is more to do now. */
Status MUST dedup_step(struct dedup *dedup, JournalPos safe_pos, JournalPos next, bool *ret_more, Err *err);

typedef struct DedupStats {
    uint64_t in_memory, in_runs, runs, run_bytes;
} DedupStats;
void dedup_read_stats(const struct dedup *dedup, DedupStats *ret);

#endif
