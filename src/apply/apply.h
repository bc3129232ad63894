/* apply: journal records become derived state, one by one. The second corridor.
 *
 * What it is not: it decides nothing about people, columns or traits; it calls who does, in order, and
 * remembers how far each has got. It calls identity/, index/, profile/, journal/ and what is below.
 *
 * Invariants
 *  1. Derived state is a function of the journal: throw the directory away, open again, and the same is made.
 *  2. Each store says which position it has on disk, and is not shown again what it has already. Identity has
 *     nothing on disk yet: every start reads the whole journal once (docs/identity.md).
 *  3. A message counts once: duplicates by (source, messageId) within the window reach dedup and stop there.
 *
 * Threads: apply_step by one thread, the applier. Readers of identity call apply_begin_reading first and
 * apply_end_reading soon after; the applier waits for them. Views and index snapshots need no such guard.
 */
#ifndef ONYM_APPLY_APPLY_H
#define ONYM_APPLY_APPLY_H

#include "identity/identity.h"
#include "index/index.h"
#include "journal/journal.h"
#include "os/os.h"
#include "people/people.h"

typedef struct ApplyOptions {
    struct journal *journal;
    struct disk *disk;
    struct dice *dice;
    const char *dir;                        /* of all derived state; borrowed, made if it is not there */
    Millis dedup_window_ms;
    IdentityRules identity_rules;
    size_t dedup_table_entries;             /* 0: the default; tests make it small */
    uint32_t index_chunk_rows, index_seal_rows;          /* 0: the defaults */
} ApplyOptions;

struct applier;

Status MUST apply_open(const ApplyOptions *options, struct applier **ret, Err *err);
void apply_close(struct applier *applier);                   /* accepts NULL; seals what is in memory */

/* Applies what is durable, a bounded number of records. *ret_more: there is more at once. An error stops
 * nothing: what was applied is applied, and the next step tries the same record again. */
Status MUST apply_step(struct applier *applier, bool *ret_more, Err *err);
/* Waits for something to apply, at most timeout_ms. */
bool apply_wait(struct applier *applier, Millis timeout_ms);
/* One bounded piece of writing and merging; a thread of its own may do it, beside apply_step. */
Status MUST apply_maintain(struct applier *applier, bool *ret_more, Err *err);

/* ---- Reading ---- */

/* Under the guard. True where the record repeats a message that came before it. Known of the latest million of
 * duplicates since the position that the start replayed from; an older one is not told from a first. */
bool apply_is_duplicate(struct applier *applier, JournalPos pos);
struct identity *apply_identity(struct applier *applier);
struct index *apply_index(struct applier *applier);
/* What people/ reads; valid as long as the applier, to be used under the guard. */
People apply_people(struct applier *applier);
void apply_begin_reading(struct applier *applier);
void apply_end_reading(struct applier *applier);

typedef struct ApplyStats {
    JournalPos applied, durable;            /* applied up to; the journal's end when it was asked */
    uint64_t records, events, duplicates, rejected, blocked;
    bool is_caught_up;                      /* less than a second behind */
} ApplyStats;
void apply_read_stats(struct applier *applier, ApplyStats *ret);      /* any thread */

#endif
