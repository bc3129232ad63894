/* What the applier holds; private to this folder. apply.c is the corridor; apply_state.c opens, saves and makes
 * anew; apply_traits.c is the station of traits; apply_command.c, apply_suppress.c and apply_erase.c do what operators
 * asked for. */
#ifndef ONYM_APPLY_PRIVATE_H
#define ONYM_APPLY_PRIVATE_H

#include "apply.h"

#include <pthread.h>
#include <stdatomic.h>

#include "dedup.h"

enum {
    GROUP_RECORDS = 64,
    STEP_GROUPS = 64,                       /* 4,096 records at one step: some milliseconds */
    GROUP_BYTES = GROUP_RECORDS * LIMIT_RECORD_BYTES,
    TRAITS_BYTES = 32 * LIMIT_RECORD_BYTES,  /* of one message, as a list */
    PATH_BYTES = 4096,
};

/* The tables of the store of keyed state. */
enum { TABLE_IDENTITY, TABLE_EVIDENCE, TABLE_TRAITS, TABLE_GROUPS, TABLE_MEMBERS, TABLE_NAMES, TABLE_META, TABLES };

/* An erasure that is under way: what was derived for people is gone, the journal and the index are not yet. */
struct erasure {
    JournalPos pos;                         /* of its command */
    Str record;                             /* the command; on the heap */
    uint32_t *nodes;                        /* whole subjects to take out of the index, ascending */
    struct erased_span *spans;
    size_t node_count, span_count;
    JournalPos *taken;                      /* positions of records that the journal has erased */
    size_t taken_count, taken_capacity;
    JournalPos done;                        /* the journal is erased up to here */
    enum { ERASING_JOURNAL, ERASING_INDEX, ERASING_DESTINATIONS, ERASING_COMMAND, ERASING_STATE, ERASED } stage;
    uint64_t journal_records, index_rows;
};
struct erased_span { uint32_t node; Millis from_ms, to_ms; };

struct change { char key[20]; size_t key_len; Str value; bool is_removed; };    /* of the table of meta; value: heap */
struct suppressed { Hash128 key; Str id; };                                     /* id: its kind and its value; heap */

/* A record that waits for its turn in the group. */
struct waiting_record {
    Event event;
    Hash128 fingerprint;
    IdentityAhead ahead;
    JournalPos pos, next;
    bool is_event, is_rejected;
    Str command;                            /* the record, where it is one */
    bool is_judged;                         /* dedup has it already: a later station failed, and it is tried again */
};

struct applier {
    ApplyOptions options;
    char dedup_dir[PATH_BYTES], index_dir[PATH_BYTES], state_dir[PATH_BYTES];
    char remade_why[512];                   /* empty: it was not */
    struct kv *kv;
    struct dedup *dedup;
    struct identity *identity;
    struct profile *profile;
    struct index *index;
    struct journal_reader *reader;
    struct event_parser *parser;
    struct region region, traits_region;
    struct waiting_record group[GROUP_RECORDS];
    size_t group_count, group_at;           /* decoded, and applied so far */

    /* saving */
    _Atomic JournalPos saved;               /* kv has what lies before; read by maintenance */
    uint64_t unsaved_events;
    int64_t saved_at_ns;

    /* commands: apply_command.c. By the applier, but what maintenance and readers see is under the lock */
    pthread_mutex_t lock;
    pthread_cond_t was_applied;
    unsigned waiting_count;
    struct erasure **erasures;              /* whoever submits commands bounds them: APPLY_ERASURES_MOST */
    size_t erasure_count, erasure_capacity;
    uint64_t erasures_done;
    struct change *changes;                 /* of meta, since the last save */
    size_t change_count, change_capacity, changes_saving;
    _Atomic bool wants_save;
    struct suppressed *suppressed;          /* by key; under the guard */
    size_t suppressed_count, suppressed_capacity;
    uint64_t clearing_wanted, clearings;    /* of the destinations' store, by number; 0: it is clear. Under the lock */

    _Atomic(struct drop_table *) drop_table;        /* apply_suppress.c: for other threads; NULL: none yet */
    struct drop_table *all_drop_tables;
    JournalPos *leaks;                      /* of records to be erased; under the lock, like what follows */
    size_t leak_count, leak_capacity;
    uint64_t leaks_version, leaks_saving, leaks_saved;

    JournalPos *repeats;                    /* positions of duplicates, ascending; under the guard */
    size_t repeat_count, repeat_capacity, repeats_saved;        /* repeats_saved: the first so many are in kv */
    pthread_rwlock_t guard;
    _Atomic uint64_t records, events, duplicates, rejected, blocked, suppressed_events;    /* saved, too */
    _Atomic JournalPos applied;
    _Atomic bool is_caught_up;
};

/* apply_state.c */
Status apply_open_state(struct applier *applier, Err *err);
void apply_close_state(struct applier *applier);
bool apply_wants_save(const struct applier *applier);
Status apply_save(struct applier *applier, Err *err);       /* by the applier's thread, without the guard */
void apply_note_repeat(struct applier *applier, JournalPos pos);

/* apply_command.c */
void apply_open_commands(struct applier *applier);
void apply_close_commands(struct applier *applier);
Status apply_run_command(struct applier *applier, Str record, JournalPos pos, Err *err);
void apply_tell_applied(struct applier *applier);
Status apply_save_changes(struct applier *applier, struct kv_txn *txn, Err *err);
void apply_end_save_changes(struct applier *applier);
Status apply_load_commands(struct applier *applier, struct kv_txn *txn, Err *err);
void apply_forget_commands(struct applier *applier);
void apply_note_change(struct applier *applier, Str key, const Str *value);
void apply_note_change_locked(struct applier *applier, Str key, const Str *value);         /* under applier->lock */

/* apply_suppress.c */
Hash128 apply_suppressed_key(CommandIdKind kind, Str value);
void apply_put_drop(struct applier *applier, CommandIdKind kind, Str value);
void apply_remove_drop(struct applier *applier, CommandIdKind kind, Str value);
void apply_forget_drops(struct applier *applier);
void apply_close_drops(struct applier *applier);
void apply_note_leak(struct applier *applier, JournalPos pos);
Status apply_save_leaks(struct applier *applier, struct kv_txn *txn, Err *err);     /* these two under the lock */
void apply_end_save_leaks(struct applier *applier);
Status apply_load_leaks(struct applier *applier, struct kv_txn *txn, Err *err);
Status apply_step_leaks(struct applier *applier, Err *err);                         /* by maintenance */

/* apply_erase.c */
Status apply_begin_erasure(struct applier *applier, Str record, JournalPos pos, const JournalCommand *command,
                           Err *err);
Status apply_load_erasure(struct applier *applier, JournalPos pos, Str value, Err *err);
bool apply_has_erasures(struct applier *applier);
Status apply_step_erasure(struct applier *applier, bool *ret_more, Err *err);       /* by maintenance */
void apply_forget_erasures(struct applier *applier);
Status apply_rewrite_state(struct applier *applier, Err *err);      /* by the applier, behind a save */

/* apply_external.c. Fills in the external ids that the message has; values is room for IDENTITY_MESSAGE_EXTERNALS, and
 * what it points to lives in the arena and the event. */
Status apply_find_externals(struct event_parser *parser, const Event *event, const Str *fields, size_t count,
                            Arena *arena, IdentityValue *values, IdentityMessage *message, Err *err);

/* apply_traits.c */
Status apply_write_profile(struct applier *applier, const Event *event, JournalPos pos, IdentityNode subject, Err *err);

#endif
