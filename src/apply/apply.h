/* apply: journal records become derived state, one by one. The second corridor.
 *
 * What it is not: it decides nothing about people, columns or traits; it calls who does, in order, and
 * remembers how far each has got. It calls identity/, index/, profile/, journal/ and what is below.
 *
 * Invariants
 *  1. Derived state is a function of the journal: throw the directory away, open again, and the same is made.
 *  2. Identity and traits are saved in one transaction with the position that they have reached; dedup and index
 *     have their own. A start reads the journal from the least of them, ten minutes' worth or a million messages
 *     at most, and shows no store what it has already. apply_state.c tells what is made anew, and when.
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
#include "profile/profile.h"

typedef struct ApplyOptions {
    struct journal *journal;
    struct disk *disk;
    struct dice *dice;
    struct clock *clock;                    /* NULL: saves by the number of messages alone; apply_submit needs one */
    /* Called where apply_submit has handed something to a journal whose committer does not wait on it; or NULL. */
    void (*wake_committer)(void *context);
    void *wake_context;
    const char *dir;                        /* of all derived state; borrowed, made if it is not there */
    const char *state_dir;                  /* of its kv, which is on the real disk always; NULL: dir/state */
    bool makes_anew;                        /* throw away what was derived before, whatever it is */
    bool has_destinations;                  /* their store knows people, too: apply_list_forgets has to be asked */
    Millis dedup_window_ms;
    IdentityRules identity_rules;
    const Str *external_fields;             /* in step with its externals: where a message has each, "traits.email" */
    size_t dedup_table_entries;             /* 0: the default; tests make it small */
    uint64_t save_events;                   /* messages between two saves; 0: the default; tests make it small */
    uint32_t index_chunk_rows, index_seal_rows;          /* 0: the defaults */
} ApplyOptions;

struct applier;

Status MUST apply_open(const ApplyOptions *options, struct applier **ret, Err *err);
void apply_close(struct applier *applier);                   /* accepts NULL; saves what is in memory */
void apply_abandon(struct applier *applier);                 /* closes as a crash would: saves nothing. For tests */

/* Why what was derived before had to be thrown away and is made anew from the journal: worth a line in the log. NULL
 * where it was not. */
const char *apply_remade_why(const struct applier *applier);

/* Applies what is durable, a bounded number of records. *ret_more: there is more at once. An error stops
 * nothing: what was applied is applied, and the next step tries the same record again. */
Status MUST apply_step(struct applier *applier, bool *ret_more, Err *err);
/* Waits for something to apply, at most timeout_ms. */
bool apply_wait(struct applier *applier, Millis timeout_ms);
/* One bounded piece of writing and merging; a thread of its own may do it, beside apply_step. */
Status MUST apply_maintain(struct applier *applier, bool *ret_more, Err *err);

/* ---- Reading ---- */

/* Under the guard. True where the record repeats a message that came before it. Known of the latest million of
 * duplicates; an older one is not told from a first. */
bool apply_is_duplicate(struct applier *applier, JournalPos pos);
struct identity *apply_identity(struct applier *applier);
struct index *apply_index(struct applier *applier);
/* What people/ reads; valid as long as the applier, to be used under the guard. */
People apply_people(struct applier *applier);
void apply_begin_reading(struct applier *applier);
void apply_end_reading(struct applier *applier);

/* ---- Commands ---- */

/* Appends the command to the journal and waits until it is applied: from then on every answer knows of it. For worker
 * threads; never an ingest thread, the committer, or under the guard. *ret_pos: where it stands. Any number of ids.
 * ERR_INPUT: an id is too long. ERR_FULL, ERR_CLOSED: it is not in force. ERR_TIMEOUT: it may come into force later.
 * Repeating a command is harmless. */
Status MUST apply_submit(struct applier *applier, const JournalCommand *command, Millis timeout_ms,
                         JournalPos *ret_pos, Err *err);
/* For unmerge and restore: fills in what the command says of the message at the position (IdentityLink has it).
 * Without the guard. ERR_NOT_FOUND: it is retired, erased, or no message. */
Status MUST apply_find_evidence(struct applier *applier, JournalPos pos, Arena *arena, JournalCommand *ret, Err *err);
/* Under the guard. For erase and suppress: the ids of a person; of those that are shared, the times that were this
 * person's (suppress those that are whole only). */
Status MUST apply_list_person_ids(struct applier *applier, IdentityPerson person, Arena *arena, CommandId **ret,
                                  size_t *ret_count, Err *err);
/* Under the guard. */
bool apply_is_suppressed(struct applier *applier, CommandIdKind kind, Str value);
/* Under the guard. One of the ids that the message names is suppressed. */
bool apply_is_suppressed_event(struct applier *applier, const Event *event);
/* The same of a message that is not accepted yet. Any thread, at any time; one read of memory while none is suppressed.
 * What comes into the journal all the same is left out, and erased there by apply_maintain. */
bool apply_drops(struct applier *applier, EventType type, Str user_id, Str anonymous_id, Str previous_id);
Status MUST apply_list_suppressed(struct applier *applier, Arena *arena, CommandId **ret, size_t *ret_count, Err *err);

/* An erasure under way. People and traits forget where the command is applied; apply_maintain does the rest. */
typedef struct ApplyErasure {
    JournalPos command;                     /* what apply_submit gave (of several records, each is an erasure) */
    JournalPos done;                        /* the journal is erased up to here; it must come to command */
    const char *stage;                      /* "journal", "index", "destinations", "command", "state" */
    uint64_t journal_records, index_rows;   /* erased so far */
} ApplyErasure;
/* Any thread. The oldest first; *ret_done: how many were finished since the start. One that is not listed is done:
 * nothing of it is in the journal or in derived state. */
size_t apply_list_erasures(struct applier *applier, ApplyErasure *erasures, size_t max, uint64_t *ret_done);
/* Whoever submits erasures lets no more than this be under way: each costs memory until it is done. */
enum { APPLY_ERASURES_MOST = 1024 };

/* ---- Forgetting elsewhere ---- */

/* What a store above this folder has to forget. An erasure does not forget whom it is about before it was told that
 * this is done; after a crash it is listed again. */
typedef struct ApplyForget {
    JournalPos before;                      /* an erasure: of records before this; suppressed ids: UINT64_MAX */
    JournalCommand what;                    /* COMMAND_ERASE, or COMMAND_SUPPRESS with all ids that are suppressed */
    uint64_t number;                        /* for apply_end_forget */
} ApplyForget;
/* Any thread, without the guard. None where nothing is to be done; as many as the arena has room for. */
Status MUST apply_list_forgets(struct applier *applier, Arena *arena, ApplyForget **ret, size_t *ret_count, Err *err);
void apply_end_forget(struct applier *applier, const ApplyForget *forget);

/* ---- Other rules ---- */

typedef struct ApplyRules {
    IdentityRules identity;
    const Str *external_fields;             /* as in ApplyOptions */
} ApplyRules;

/* A person of one side, and those of the other side that its ids belong to. Person ids, in the arena. */
typedef struct DryExample {
    Str whole;
    Str parts[8];
    size_t part_count, all_count;           /* shown here; in all */
} DryExample;
enum { DRY_EXAMPLES = 20 };

typedef struct DryRun {
    uint64_t messages, identifiers, people_before, people_after;
    uint64_t merged, merging;               /* people after that several people before become; how many those are */
    uint64_t split, parts;                  /* people before that become several after; how many those are */
    DryExample merges[DRY_EXAMPLES], splits[DRY_EXAMPLES];  /* merges: whole is after. splits: whole is before */
    size_t merge_count, split_count;
} DryRun;

typedef struct DryRunOptions {
    struct journal *journal;                /* read only will do */
    ApplyRules before, after;
    const char *scratch_dir;                /* made, used and emptied; some ten bytes a message */
    void (*progress)(void *context, JournalPos done, JournalPos all);       /* or NULL */
    void *context;
} DryRunOptions;
/* Applies the whole journal, commands included, under both rules, and compares who everybody is now. Touches nothing
 * but scratch_dir. Memory: some 60 bytes an identifier, twice. ERR_INPUT: rules that are no rules. */
Status MUST apply_dry_run(const DryRunOptions *options, Arena *arena, DryRun *ret, Err *err);

/* ---- Reading traits ---- */

/* Under the guard. What profile_read_traits, _groups and _history tell of all of the person's subjects: merged
 * people's traits by the last write, a shared device's by whose it was. */
Status MUST apply_read_traits(struct applier *applier, IdentityPerson person, Arena *arena, ProfileValues *ret,
                              Err *err);
Status MUST apply_read_groups(struct applier *applier, IdentityPerson person, Arena *arena, ProfileValues *ret,
                              Err *err);
Status MUST apply_read_history(struct applier *applier, IdentityPerson person, Arena *arena, ProfileValues *ret,
                               Err *err);
/* Under the guard. People with an email or a name (profile.h, rule 6) that begins with the text, at most max, in
 * order of the names; those who had it once are among them. */
Status MUST apply_find_names(struct applier *applier, Str text, size_t max, IdentityPerson *people, size_t *ret_count,
                             Err *err);
/* For group traits and members: profile_begin_reading and its kin, without the guard, from any thread. */
struct profile *apply_profile(struct applier *applier);

/* One trait of everybody, as questions about all people need it: made in one pass over all traits (about a second for
 * three million people with traits), then asked by any number of threads. Without the guard; of people as the view
 * shows them. ERR_TOO_LARGE over max_bytes. The view must outlive the making, not the asking. */
struct trait_table;
Status MUST apply_open_trait(struct applier *applier, const struct identity_view *view, Str name, size_t max_bytes,
                             struct trait_table **ret, Err *err);
void apply_close_trait(struct trait_table *table);           /* accepts NULL */
/* False where the person has no such trait. The value is JSON and lives as long as the table. */
bool apply_find_trait(const struct trait_table *table, IdentityPerson person, Str *ret_json);

typedef struct ApplyStats {
    JournalPos applied, durable;            /* applied up to; the journal's end when it was asked */
    uint64_t records, events, duplicates, rejected, blocked;
    uint64_t suppressed;                    /* messages that came for a suppressed id all the same, and were left out */
    bool is_caught_up;                      /* less than a second behind */
} ApplyStats;
void apply_read_stats(struct applier *applier, ApplyStats *ret);      /* any thread */

#endif
