/* What the applier holds; private to this folder. apply.c is the corridor; apply_state.c opens, saves and makes
 * anew; apply_traits.c is the station of traits. */
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

/* A record that waits for its turn in the group. */
struct waiting_record {
    Event event;
    Hash128 fingerprint;
    JournalPos pos, next;
    bool is_event, is_rejected;
    bool is_judged;                         /* dedup has it already: a later station failed, and it is tried again */
};

struct applier {
    ApplyOptions options;
    char dedup_dir[PATH_BYTES], index_dir[PATH_BYTES], state_dir[PATH_BYTES];
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
    JournalPos saved;                       /* kv has what lies before */
    uint64_t unsaved_events;
    int64_t saved_at_ns;

    JournalPos *repeats;                    /* positions of duplicates, ascending; under the guard */
    size_t repeat_count, repeat_capacity, repeats_saved;        /* repeats_saved: the first so many are in kv */
    pthread_rwlock_t guard;
    _Atomic uint64_t records, events, duplicates, rejected, blocked;       /* since the journal's beginning: saved */
    _Atomic JournalPos applied;
    _Atomic bool is_caught_up;
};

/* apply_state.c */
Status apply_open_state(struct applier *applier, Err *err);
void apply_close_state(struct applier *applier);
bool apply_wants_save(const struct applier *applier);
Status apply_save(struct applier *applier, Err *err);       /* by the applier's thread, without the guard */
void apply_note_repeat(struct applier *applier, JournalPos pos);

/* apply_traits.c */
Status apply_write_profile(struct applier *applier, const Event *event, JournalPos pos, IdentityNode subject, Err *err);

#endif
