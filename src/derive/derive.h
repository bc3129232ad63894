/* derive: journal records become derived state, one by one. The second corridor.
 *
 * What it is not: it decides nothing about people, columns or traits; it calls who does, in order, and
 * remembers how far each has got. It calls control/, identity/, index/, profile/, journal/ and what is below.
 *
 * Invariants
 *  1. Derived state is a function of the journal: throw the directory away, open again, and the same is made.
 *  2. Identity and traits are saved in one transaction with the position that they have reached; dedup and index
 *     have their own. A start reads the journal from the least of them, ten minutes' worth or a million messages
 *     at most, and shows no store what it has already. derive_state.c tells what is made anew, and when.
 *     What is damaged is made anew, too: found at the start, or, by what reads it, before (derive_find_damage).
 *  3. A message counts once: duplicates by (source, messageId) within the window reach dedup and stop there.
 *
 * Threads: derive_step by one thread, the applier. Readers of identity call derive_begin_reading first and
 * derive_end_reading soon after; the applier waits for them. Views and index snapshots need no such guard.
 */
#ifndef ONYM_DERIVE_DERIVE_H
#define ONYM_DERIVE_DERIVE_H

#include "control/control.h"
#include "identity/identity.h"
#include "index/index.h"
#include "journal/journal.h"
#include "os/os.h"
#include "people/people.h"
#include "profile/profile.h"
#include "scan/scan.h"
#include "symptoms/symptoms.h"

#include <stdatomic.h>

typedef struct DeriveOptions {
    struct journal *journal;
    struct disk *disk;
    struct dice *dice;
    struct clock *clock;                    /* NULL: saves by the number of messages alone; control_submit needs one */
    /* Called where control_submit has handed something to a journal whose committer does not wait on it; or NULL. */
    void (*wake_committer)(void *context);
    void *wake_context;
    /* Called where a part of the journal cannot be read and was passed over, so that everything else goes on: on the
     * thread of derive_step or derive_maintain. NULL: nobody wants to know. */
    void (*passed)(void *context, const char *why, uint64_t bytes);
    void *passed_context;
    bool stops_at_damage;                   /* does not pass: derive_step says ERR_DAMAGED until the segment is back */
    bool passes_newer;                      /* records that a newer Onym wrote, too; false: ERR_UNSUPPORTED there */
    const char *dir;                        /* of all derived state; borrowed, made if it is not there */
    uint64_t state_bytes;                   /* address space of its kv; 0: the default (kv.h). valgrind knows less */
    const char *state_dir;                  /* of its kv, which is on the real disk always; NULL: dir/state */
    bool makes_anew;                        /* throws away everything that was derived before */
    bool has_destinations;                  /* their store has people in it, too: ask control_list_forgets */
    Millis dedup_window_ms;
    PeopleRules rules;
    size_t dedup_table_entries;             /* 0: the default; tests make it small */
    uint64_t save_events;                   /* messages between two saves; 0: the default; tests make it small */
    uint32_t index_chunk_rows, index_seal_rows;          /* 0: the defaults */
} DeriveOptions;

struct applier;

Status MUST derive_open(const DeriveOptions *options, struct applier **ret, Err *err);
void derive_close(struct applier *applier);                  /* accepts NULL; saves what is in memory */
void derive_abandon(struct applier *applier);                /* closes as a crash would: saves nothing. For tests */

/* How far into the journal what was derived in the directory has come, as it was saved last; beside whoever has it
 * open, or nobody. ERR_NOT_FOUND: nothing was. */
Status MUST derive_read_reached(const char *dir, JournalPos *ret, Err *err);

/* Why what was derived before had to be thrown away and is made anew from the journal: worth a line in the log. NULL
 * where it was not. */
const char *derive_remade_why(const struct applier *applier);

/* What of it was found damaged since the last call, in words that name the file; NULL: nothing new. By the applier's
 * thread, often. Answers that need the damaged part fail; the next start makes everything anew. */
const char *derive_find_damage(struct applier *applier);

/* Judges every byte of a directory of derived state that nobody has open; changes nothing. Each damaged part is told; a
 * part that is not there is none. */
typedef struct DeriveVerdict {
    uint64_t rows, files, damaged;          /* of keyed state; of the index; parts that are not what was written */
} DeriveVerdict;
typedef void DeriveFinding(void *context, const char *part, const char *text);
Status MUST derive_verify(const char *dir, struct disk *disk, DeriveFinding *found, void *context, DeriveVerdict *ret,
                          Err *err);

/* Applies what is durable, a bounded number of records. *ret_more: there is more at once. An error stops
 * nothing: what was applied is applied, and the next step tries the same record again. */
Status MUST derive_step(struct applier *applier, bool *ret_more, Err *err);
/* Waits for something to apply, at most timeout_ms. */
bool derive_wait(struct applier *applier, Millis timeout_ms);
/* One bounded piece of writing and merging; a thread of its own may do it, beside derive_step. */
Status MUST derive_maintain(struct applier *applier, bool *ret_more, Err *err);

/* ---- Reading ---- */

/* Under the guard. True where the record repeats a message that came before it. Known of the latest million of
 * duplicates; an older one is not told from a first. */
bool derive_is_duplicate(struct applier *applier, JournalPos pos);
struct identity *derive_identity(struct applier *applier);
struct index *derive_index(struct applier *applier);
/* What operators ordered; valid as long as the applier. */
struct control *derive_control(struct applier *applier);
/* What people/ reads; valid as long as the applier, to be used under the guard. */
People derive_people(struct applier *applier);
void derive_begin_reading(struct applier *applier);
void derive_end_reading(struct applier *applier);

/* What single messages showed on the days (UTC, of arrival) from first_day to before end_day, 90 at most. Any thread,
 * without the guard; symptoms_close_view ends it. The applier stands still only while what is in memory is copied. */
Status MUST derive_open_symptoms(struct applier *applier, int32_t first_day, int32_t end_day,
                                 struct symptoms_view **ret, Err *err);

/* ---- Other rules ---- */

/* A person of one side, and those of the other side that its ids belong to. Person ids, in the arena. */
typedef struct DryExample {
    Str whole;
    Str parts[8];
    size_t part_count, all_count;           /* shown here; in all */
} DryExample;
enum { DRY_EXAMPLES = 20 };

/* People of one side that are several on the other. */
typedef struct DryParting {
    uint64_t wholes, parts;                 /* how many they are, on the one side and on the other */
    DryExample examples[DRY_EXAMPLES];
    size_t example_count;
} DryParting;

typedef struct DryRun {
    uint64_t messages, identifiers, people_before, people_after;
    DryParting merged;                      /* people after that several people before become */
    DryParting split;                       /* people before that become several after */
} DryRun;

typedef struct DryRunOptions {
    struct journal *journal;                /* read only will do */
    PeopleRules before, after;
    const char *scratch_dir;                /* made, used and emptied; some ten bytes a message */
    void (*progress)(void *context, JournalPos done, JournalPos all);       /* or NULL */
    void *context;
} DryRunOptions;
/* Applies the whole journal, commands included, under both rules, and compares who everybody is now. Touches nothing
 * but scratch_dir. Memory: some 60 bytes an identifier, twice. ERR_INPUT: rules that are no rules. */
Status MUST derive_dry_run(const DryRunOptions *options, Arena *arena, DryRun *ret, Err *err);

/* ---- Reading traits ---- */

/* How traits of everybody are read: without the guard. */
typedef struct DeriveReading {
    const struct identity_view *view;       /* of people as it shows them; it must outlive the call */
    size_t max_bytes;                       /* ERR_TOO_LARGE where it cannot be done within it */
    const atomic_bool *is_cancelled;        /* ERR_CLOSED soon after; NULL: never */
} DeriveReading;

/* One trait of everybody, as questions about all people need it: made in one pass over all traits (about a second for
 * three million people with traits), then asked by any number of threads. Where what all of them wrote does not fit,
 * values over 510 bytes, then the rarest, read as "{}", which answers tell as "(not indexed)". */
struct trait_table;
Status MUST derive_open_trait(struct applier *applier, const DeriveReading *reading, Str name, struct trait_table **ret,
                              Err *err);
void derive_close_trait(struct trait_table *table);          /* accepts NULL */
/* *ret_json is empty where the person has no such trait. "a.b" is the trait of that name, or where there is none the
 * "b" of the trait "a", at any depth. The value is JSON and lives as long as the table; the arena is for the call.
 * ERR_TOO_LARGE: an object does not fit it. */
Status MUST derive_find_trait(const struct trait_table *table, IdentityPerson person, Arena scratch, Str *ret_json,
                              Err *err);

/* Which traits there are, those in objects by their path, and how many people have each; names live in the arena. At
 * most 5,000 of them. */
typedef struct DeriveTraitName {
    Str name;
    uint64_t people;
} DeriveTraitName;
Status MUST derive_list_traits(struct applier *applier, const DeriveReading *reading, Arena *arena,
                               DeriveTraitName **ret, size_t *ret_count, Err *err);

/* ---- Questions ---- */

/* Who asks, and what he brings. */
typedef struct DeriveAsker {
    QueryPool pool;
    QueryMoment moment;                     /* of what is on disk: looked at before the picture is taken */
    void (*progress)(void *context, uint32_t done, uint32_t all);       /* or NULL */
    void *context;
    const atomic_bool *is_cancelled;        /* or NULL: never */
    Millis now_ms;
    size_t memory_bytes;                    /* 0: a gigabyte */
} DeriveAsker;
/* The world that a question is asked of: one moment of who everybody is, of traits and of events. Without the guard. */
struct derive_world;
Status MUST derive_open_world(struct applier *applier, const DeriveAsker *asker, struct derive_world **ret, Err *err);
const QueryWorld *derive_query_world(const struct derive_world *world);
/* Once the question is answered: was all of it there to be read? The answer is none where not. */
Status MUST derive_check_world(const struct derive_world *world, Err *err);
void derive_close_world(struct derive_world *world);         /* accepts NULL */

typedef struct DeriveStats {
    JournalPos applied, durable;            /* up to where records are applied; where the journal ends at that moment */
    uint64_t records, events, duplicates, rejected, blocked;
    uint64_t suppressed;                    /* messages of suppressed ids that reached the journal all the same */
    uint64_t missing_places, missing_bytes; /* of the journal that the applier could not read, and passed over */
    uint64_t missing_messages;              /* records in them, as far as what stands behind them tells */
} DeriveStats;
void derive_read_stats(struct applier *applier, DeriveStats *ret);    /* any thread */
/* How much the stores hold. Any thread, without the guard. */
typedef struct DeriveSizes {
    IdentityStats identity;
    IndexStats index;
} DeriveSizes;
void derive_read_sizes(struct applier *applier, DeriveSizes *ret);

/* How far derived state is behind what is durable. It is a promise of docs/operating.md that this is less than a second
 * while the server is not starting, and collection is slowed down before it is more than two. */
enum { DERIVE_COMPLETE_MS = 1000 };
typedef struct DeriveLag {
    JournalPos applied, durable;            /* everything before applied is in every answer */
    Millis behind_ms;                       /* the oldest message that is not applied waits at least so long */
    Millis drain_ms;                        /* what comes now is applied in about so long; never below behind_ms */
    bool is_starting;                       /* some of what was on disk at the start is not applied yet */
    bool is_complete;                       /* not starting, and less than DERIVE_COMPLETE_MS behind */
} DeriveLag;
/* Any thread, at any rate: it reads memory, and measures every 25 ms. Without a clock (DeriveOptions) times are 0. */
void derive_read_lag(struct applier *applier, DeriveLag *ret);
/* Its drain_ms as of at most 25 ms ago, without a lock: for who asks with each request whether all is well. */
Millis derive_noted_drain(struct applier *applier);
/* Waits until everything before the position is in every answer; false where that did not come about in time, or
 * *is_cancelled (or NULL) was set meanwhile. For worker threads. */
bool derive_wait_known(struct applier *applier, JournalPos pos, Millis timeout_ms, const atomic_bool *is_cancelled);

#endif
