/* derive: journal records become derived state, one by one. The second corridor.
 *
 * What it does not do: it decides nothing about people, columns or traits. It calls the folders that do, in order, and
 * remembers how far each has got. It calls control/, identity/, index/, profile/, journal/ and what is below.
 *
 * Invariants
 *  1. Derived state is a function of the journal: throw the directory away, open again, and you get the same state.
 *  2. Identity and traits are saved in one transaction with the position that they have reached; dedup and index
 *     have their own positions. A start reads the journal from the smallest of them, at most what came in ten minutes
 *     or a million messages, and gives no store what it has already. derive_state.c says what is made anew, and when.
 *     Damaged state is made anew, too: the start finds it, or a reader has found it before (derive_find_damage).
 *  3. A message counts once: duplicates by (source, messageId) within the window reach dedup and stop there.
 *
 * Threads: one thread, the applier, calls derive_step. Readers of identity call derive_begin_reading first and
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
    /* Called when control_submit has given something to a journal whose committer does not wait on it; or NULL. */
    void (*wake_committer)(void *context);
    void *wake_context;
    /* Called when a part of the journal cannot be read and was passed over, so that everything else goes on: on the
     * thread of derive_step or derive_maintain. NULL: nobody wants to know. */
    void (*passed)(void *context, const char *why, uint64_t bytes);
    void *passed_context;
    bool stops_at_damage;                   /* derive_step returns ERR_DAMAGED there until the segment is back */
    bool passes_newer;                      /* passes over records of a newer Onym; false: ERR_UNSUPPORTED there */
    const char *dir;                        /* of all derived state; borrowed, made if it is not there */
    uint64_t state_bytes;                   /* address space of its kv; 0: the default (kv.h). valgrind knows less */
    const char *state_dir;                  /* of its kv, which is always on the real disk; NULL: dir/state */
    bool makes_anew;                        /* throws away everything that was derived before */
    bool may_append;                        /* to the journal, which somebody commits: see control_say_again */
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

/* The position up to which the directory's derived state was saved last. Somebody may have it open meanwhile.
 * ERR_NOT_FOUND: there is no derived state. */
Status MUST derive_read_reached(const char *dir, JournalPos *ret, Err *err);

/* Why the former derived state had to be thrown away and is made anew from the journal: worth a line in the log. NULL
 * if it was not. */
const char *derive_remade_why(const struct applier *applier);

/* The damage that was found since the last call, in words that name the file; NULL: nothing new. The applier's
 * thread calls it often. Answers that need the damaged part fail; the next start makes everything anew. */
const char *derive_find_damage(struct applier *applier);

/* Checks every byte of a directory of derived state that nobody has open; changes nothing. Reports each damaged part; a
 * missing part is not damage. */
typedef struct DeriveVerdict {
    uint64_t rows, files, damaged;          /* of keyed state; of the index; parts that are not what was written */
} DeriveVerdict;
typedef void DeriveFinding(void *context, const char *part, const char *text);
Status MUST derive_verify(const char *dir, struct disk *disk, DeriveFinding *found, void *context, DeriveVerdict *ret,
                          Err *err);

/* Applies durable records, a bounded number of them. *ret_more: there are more right now. After an error, what was
 * applied stays applied, and the next step tries the same record again. */
Status MUST derive_step(struct applier *applier, bool *ret_more, Err *err);
/* Waits for something to apply, at most timeout_ms. */
bool derive_wait(struct applier *applier, Millis timeout_ms);
/* Does one bounded piece of writing and merging; a thread of its own may call it while another is in derive_step. */
Status MUST derive_maintain(struct applier *applier, bool *ret_more, Err *err);

/* ---- Reading ---- */

/* Does the record repeat a message that came before it? The caller holds the guard. Only the latest million duplicates
 * are known; an older one looks like a first message. */
bool derive_is_duplicate(struct applier *applier, JournalPos pos);
struct identity *derive_identity(struct applier *applier);
struct index *derive_index(struct applier *applier);
/* What operators ordered; valid as long as the applier. */
struct control *derive_control(struct applier *applier);
/* What people/ reads; valid as long as the applier; use it under the guard. */
People derive_people(struct applier *applier);
void derive_begin_reading(struct applier *applier);
void derive_end_reading(struct applier *applier);

/* What single messages showed on the days (UTC, of arrival) from first_day to before end_day, 90 at most. Any thread,
 * without the guard; symptoms_close_view ends it. The applier waits only while what is in memory is copied. */
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
    uint64_t wholes, parts;                 /* how many people these are, on the one side and on the other */
    DryExample examples[DRY_EXAMPLES];
    size_t example_count;
} DryParting;

typedef struct DryRun {
    uint64_t messages, identifiers, people_before, people_after;
    DryParting merged;                      /* people after that several people before become */
    DryParting split;                       /* people before that become several after */
} DryRun;

typedef struct DryRunOptions {
    struct journal *journal;                /* may be open for reading only */
    PeopleRules before, after;
    const char *scratch_dir;                /* made, used and emptied; some ten bytes for each message */
    void (*progress)(void *context, JournalPos done, JournalPos all);       /* or NULL */
    void *context;
} DryRunOptions;
/* Applies the whole journal, commands included, under both rules, and compares who everybody is now. Changes nothing
 * except scratch_dir. Memory: twice some 60 bytes for each identifier. ERR_INPUT: the rules are not valid. */
Status MUST derive_dry_run(const DryRunOptions *options, Arena *arena, DryRun *ret, Err *err);

/* ---- Reading traits ---- */

/* How the traits of all people are read: without the guard. */
typedef struct DeriveReading {
    const struct identity_view *view;       /* of people as it shows them; it must outlive the call */
    size_t max_bytes;                       /* ERR_TOO_LARGE if it needs more */
    const atomic_bool *is_cancelled;        /* ERR_CLOSED soon after; NULL: never */
} DeriveReading;

/* One trait of all people, for questions about everybody. It is made in one pass over all traits (about a second for
 * three million people with traits); then any number of threads may ask it. If the values of all people do not fit,
 * values over 510 bytes, then the rarest ones, read as "{}", which answers show as "(not indexed)". */
struct trait_table;
Status MUST derive_open_trait(struct applier *applier, const DeriveReading *reading, Str name, struct trait_table **ret,
                              Err *err);
void derive_close_trait(struct trait_table *table);          /* accepts NULL */
/* *ret_json is empty if the person has no such trait. "a.b" is the trait of that name, or if there is none the
 * "b" of the trait "a", at any depth. The value is JSON and valid as long as the table; the arena is for the call.
 * ERR_TOO_LARGE: an object does not fit into it. */
Status MUST derive_find_trait(const struct trait_table *table, IdentityPerson person, Arena scratch, Str *ret_json,
                              Err *err);

/* Which traits there are, those in objects by their path, and how many people have each; names are in the arena. At
 * most 5,000 of them. */
typedef struct DeriveTraitName {
    Str name;
    uint64_t people;
} DeriveTraitName;
Status MUST derive_list_traits(struct applier *applier, const DeriveReading *reading, Arena *arena,
                               DeriveTraitName **ret, size_t *ret_count, Err *err);

/* ---- Questions ---- */

/* What the caller brings for a question. */
typedef struct DeriveAsker {
    QueryPool pool;                         /* run NULL: the calling thread alone */
    QueryMoment moment;                     /* what is on disk: read before the world is taken */
    void (*progress)(void *context, uint32_t done, uint32_t all);       /* or NULL */
    void *context;
    const atomic_bool *is_cancelled;        /* or NULL: never */
    Millis now_ms;
    size_t memory_bytes;                    /* 0: a gigabyte */
} DeriveAsker;
/* The world that a question is about: who everybody is, traits and events, all at one moment. Without the guard. */
struct derive_world;
Status MUST derive_open_world(struct applier *applier, const DeriveAsker *asker, struct derive_world **ret, Err *err);
const QueryWorld *derive_query_world(const struct derive_world *world);
/* Call it when the question is answered: could everything be read? If not, there is no answer. */
Status MUST derive_check_world(const struct derive_world *world, Err *err);
void derive_close_world(struct derive_world *world);         /* accepts NULL */

typedef struct DeriveStats {
    JournalPos applied, durable;            /* up to where records are applied; where the journal ends at that moment */
    uint64_t records, events, duplicates, rejected, blocked;
    uint64_t suppressed;                    /* messages of suppressed ids that reached the journal all the same */
    uint64_t missing_places, missing_bytes; /* of the journal that the applier could not read, and passed over */
    uint64_t missing_messages;              /* records in them, as far as the records after them tell */
} DeriveStats;
void derive_read_stats(struct applier *applier, DeriveStats *ret);    /* any thread */
/* How much the stores hold. Any thread, without the guard. */
typedef struct DeriveSizes {
    IdentityStats identity;
    IndexStats index;
} DeriveSizes;
void derive_read_sizes(struct applier *applier, DeriveSizes *ret);

/* How far derived state is behind what is durable. docs/operating.md promises that this is less than a second
 * unless the server is starting, and that collection is slowed down before it is more than two. */
enum { DERIVE_COMPLETE_MS = 1000 };
typedef struct DeriveLag {
    JournalPos applied, durable;            /* everything before applied is in every answer */
    Millis behind_ms;                       /* the oldest message that is not applied has waited at least so long */
    Millis drain_ms;                        /* how long until a message that comes now is applied; never < behind_ms */
    bool is_starting;                       /* some of what was on disk at the start is not applied yet */
    bool is_complete;                       /* not starting, and the lag is below DERIVE_COMPLETE_MS */
} DeriveLag;
/* Any thread, as often as it likes: it reads memory, and measures every 25 ms. Without a clock (DeriveOptions) times
 * are 0. */
void derive_read_lag(struct applier *applier, DeriveLag *ret);
/* Its drain_ms, at most 25 ms old, without a lock: for code that asks with each request. */
Millis derive_noted_drain(struct applier *applier);
/* Waits until everything before the position is in every answer; false if that did not happen in time, or if
 * *is_cancelled (or NULL) was set meanwhile. For worker threads. */
bool derive_wait_known(struct applier *applier, JournalPos pos, Millis timeout_ms, const atomic_bool *is_cancelled);

#endif
