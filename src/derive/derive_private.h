/* What the applier holds; private to this folder. derive.c is the corridor; derive_state.c opens, saves and makes
 * anew; derive_traits.c is the station of traits; commands go to control/. */
#ifndef ONYM_DERIVE_PRIVATE_H
#define ONYM_DERIVE_PRIVATE_H

#include "derive.h"

#include <pthread.h>
#include <stdatomic.h>

#include "dedup/dedup.h"

enum {
    GROUP_RECORDS = 64,
    STEP_GROUPS = 64,                       /* 4,096 records at one step: some milliseconds */
    GROUP_BYTES = GROUP_RECORDS * LIMIT_RECORD_BYTES,
    TRAITS_BYTES = 32 * LIMIT_RECORD_BYTES,  /* of one message, as a list */
    PATH_BYTES = 4096,
};

/* The tables of the store of keyed state. */
enum { TABLE_IDENTITY, TABLE_EVIDENCE, TABLE_TRAITS, TABLE_GROUPS, TABLE_MEMBERS, TABLE_NAMES, TABLE_META,
       TABLE_SYMPTOMS, TABLES };

/* A record that waits for its turn in the group. */
struct waiting_record {
    Event event;
    Hash128 fingerprint;
    IdentityAhead ahead;
    JournalPos pos, next;
    bool is_event, is_rejected;
    Str command, rejected;                  /* the record, where it is one */
    Status unreadable;                      /* its checksum is right, but we do not know what it is: the reason */
    Str unreadable_why;
    bool is_judged;                         /* dedup has it already: a later station failed, and this is another try */
};

/* derive_lag.c */
struct lag_note { JournalPos end; int64_t at_ns; };         /* the journal's end at that time */
struct lag {
    pthread_mutex_t lock;
    struct lag_note notes[256];             /* ascending, past what is applied; under the lock, like what follows */
    size_t count;
    int64_t every_ns;                       /* between two notes */
    JournalPos rate_from, rate_end;         /* applied, and the journal's end, when the measuring began */
    int64_t rate_from_ns;
    JournalPos start_end, known_at_start;   /* never change */
    _Atomic int64_t next_ns;                /* of the next note */
    _Atomic Millis behind_ms;               /* as of the last */
    _Atomic Millis noted_drain_ms;          /* likewise: what came then waits for so long */
    _Atomic double bytes_a_ns;              /* that the applier does; 0: not known yet */
};

struct applier {
    DeriveOptions options;
    struct lag lag;
    char dedup_dir[PATH_BYTES], index_dir[PATH_BYTES], state_dir[PATH_BYTES];
    char remade_why[512];                   /* empty: it was not */
    struct kv *kv;
    struct dedup *dedup;
    struct identity *identity;
    struct profile *profile;
    struct index *index;
    struct symptoms *symptoms;
    struct journal_reader *reader;
    struct event_parser *parser;
    struct event_outline *outline;          /* of the message at hand, for all stations */
    struct region region, traits_region;
    struct waiting_record group[GROUP_RECORDS];
    size_t group_count, group_at;           /* decoded, and applied so far */

    /* saving */
    _Atomic JournalPos saved;               /* kv has everything before it; maintenance reads it */
    uint64_t unsaved_events;
    int64_t saved_at_ns;

    struct control *control;                /* commands */
    pthread_mutex_t lock;                   /* derive_lag.c: who waits until something is applied */
    pthread_cond_t was_applied;
    unsigned waiting_count;

    JournalPos *repeats;                    /* positions of duplicates, ascending; under the guard */
    size_t repeat_count, repeat_capacity, repeats_saved;        /* repeats_saved: the first so many are in kv */
    pthread_rwlock_t guard;
    _Atomic uint64_t records, events, duplicates, rejected, blocked, suppressed_events;    /* saved, too */
    _Atomic JournalPos applied;
    bool is_damage_told;                    /* by the applier's thread */

    JournalPos read_until;                  /* after the last record that was read */
    bool counts_missing;                    /* the last damage that was passed over was not counted before */
    uint64_t missed;                        /* how much of the reader's count was taken over so far */
    _Atomic uint64_t missing_places, missing_bytes, missing_messages;   /* saved, too */

    JournalPos held;                        /* the journal keeps all from here on, once is_holding */
    bool is_holding;
    _Atomic JournalPos way_to;              /* retention waits until the index has reached this on disk */
};

/* derive_lag.c */
void derive_open_lag(struct applier *applier);              /* once state is open */
void derive_close_lag(struct applier *applier);
bool derive_is_given_up(const atomic_bool *is_cancelled);     /* NULL: never */
JournalPos derive_known(const struct applier *applier);     /* any thread: everything before it is in every answer */
void derive_tell_applied(struct applier *applier);
void derive_note_lag(struct applier *applier);              /* any thread; the applier at each step */

/* derive_missing.c: reads the next record, whatever damage is in between. */
Status derive_read(struct applier *applier, JournalRecord *ret, Err *err);
void derive_tell_passed(const struct applier *applier, const char *why, uint64_t bytes);
void derive_judge_record(struct applier *applier, Str record, struct waiting_record *waiting, Arena *arena);
Status derive_pass_record(struct applier *applier, const struct waiting_record *waiting, Err *err);
Status derive_save_missing(const struct applier *applier, struct kv_txn *txn, Err *err);
Status derive_load_missing(struct applier *applier, struct kv_txn *txn, Err *err);

/* derive_state.c */
Status derive_open_state(struct applier *applier, Err *err);
void derive_close_state(struct applier *applier);
Status derive_check_state(const char *state_dir, uint64_t *ret_rows, Err *err);
bool derive_wants_save(const struct applier *applier);
Status derive_save(struct applier *applier, Err *err);      /* by the applier's thread, without the guard */
void derive_note_repeat(struct applier *applier, JournalPos pos);

/* derive_hold.c: these by the applier's thread, without the guard; the last one by maintenance. */
void derive_hold(struct applier *applier);                  /* keeps what a start may need */
Status derive_make_way(struct applier *applier, Err *err);  /* where retention waits for the stores, has them write */
Status derive_seal_way(struct applier *applier, Err *err);

/* derive_symptoms.c */
Status derive_count_symptoms(struct applier *applier, const struct waiting_record *waiting, IdentityNode subject,
                             Err *err);
Status derive_count_repeat(struct applier *applier, const struct waiting_record *waiting, Err *err);
Status derive_count_rejected(struct applier *applier, const struct waiting_record *waiting, Err *err);
void derive_forget_symptoms(struct applier *applier, Str record);

/* derive_damage.c */
Status derive_refuse_damage(const struct applier *applier, Err *err);       /* ERR_DAMAGED: something is */
Status derive_load_damage(struct applier *applier, Err *err);       /* into remade_why, where it was noted */
Status derive_forget_damage(struct applier *applier, Err *err);

/* derive_archive.c */
IdentityArchive derive_archive(struct journal *journal);

/* derive_traits.c */
Status derive_write_profile(struct applier *applier, const Event *event, JournalPos pos, IdentityNode subject,
                            Err *err);

#endif
