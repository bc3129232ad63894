/* What control holds; private to this folder. control.c is the door and carries commands out; control_submit.c puts
 * them into the journal; control_forget.c, control_erase.c, control_suppress.c, control_again.c and control_unread.c do
 * the work that commands leave. */
#ifndef ONYM_CONTROL_PRIVATE_H
#define ONYM_CONTROL_PRIVATE_H

#include "control.h"

#include <pthread.h>
#include <stdatomic.h>

/* An erasure under way: identity and traits have forgotten; the journal and the index may still have what is erased. */
struct erasure {
    JournalPos pos;                         /* the place of its command */
    Str record;                             /* the command; on the heap */
    uint32_t *nodes;                        /* subjects to remove from the index as a whole, ascending */
    struct erased_span *spans;
    size_t node_count, span_count;
    JournalPos *taken;                      /* positions of records that the journal has erased */
    size_t taken_count, taken_capacity;
    JournalPos done;                        /* the journal is erased up to here */
    enum { ERASING_JOURNAL, ERASING_INDEX, ERASING_DESTINATIONS, ERASING_COMMAND, ERASING_STATE, ERASED } stage;
    uint64_t journal_records, index_rows;
    uint32_t *beside;                       /* only while it begins: other ids that its messages had */
    size_t beside_count, beside_capacity;
    uint64_t *aliases;                      /* ascending: positions of others' aliases that name one of its ids */
    size_t alias_count, alias_capacity;
};
struct erased_span { uint32_t node; Millis from_ms, to_ms; };

/* For qsort and bsearch: they compare uint32_t, and JournalPos. */
int control_compare_nodes(const void *a, const void *b);
int control_compare_positions(const void *a, const void *b);

static inline bool control_is_in_span(const struct erased_span *span, Millis time_ms)
{
    return time_ms >= span->from_ms && (time_ms < span->to_ms || span->to_ms == INT64_MAX);
}

struct change { char key[20]; size_t key_len; Str value; bool is_removed; };    /* of a row of the table; value: heap */
struct suppressed { Hash128 key; Str id; };                                     /* id: its kind and its value; heap */

/* control_again.c: the round that is under way */
struct again {
    struct again_part *part;                /* its record on the way into the journal; NULL: none */
    bool is_round, is_all_said;
    bool is_last;                           /* part is the last one of the round */
    bool has_next;
    Hash128 next, part_next;                /* the key to go on from; the one after part */
    JournalPos from, end;                   /* what was applied when it began; the end of its last record */
    int64_t rests_until_ns;
};

struct control {
    ControlOptions options;
    ControlStores stores;
    struct event_parser *parser;            /* only the follower's thread uses these two */
    struct region region;
    _Atomic JournalPos commands_until;      /* commands of erasures from here on stay for now */
    _Atomic JournalPos saved;               /* all before it is on disk; maintenance reads it */
    _Atomic bool wants_save;
    struct control_orders *orders;
    struct again again;                     /* only the follower's thread uses this and the next two */
    JournalPos said, said_end;

    pthread_mutex_t lock;                   /* protects all below, unless a comment says otherwise */
    struct erasure **erasures;              /* the code that submits commands bounds them: CONTROL_ERASURES_MOST */
    size_t erasure_count, erasure_capacity;
    uint64_t erasures_done;
    struct erasure *half;                   /* begun when a disk failed; NULL: none. Only for the follower's thread */
    ControlUnread *unread;                  /* control_unread.c */
    size_t unread_count;
    unsigned erase_failures;                /* of the journal, in a row; only maintenance uses it */
    struct change *changes;                 /* of the table's rows, since the last save */
    size_t change_count, change_capacity, changes_saving;
    struct suppressed *suppressed;          /* by key; under the guard */
    size_t suppressed_count, suppressed_capacity;
    uint64_t clearing_wanted, clearings;    /* destinations' store: number of the wanted clearing; of the last */
    JournalPos *late;                       /* messages of suppressed ids that came late: records to be erased */
    size_t late_count, late_capacity;
    uint64_t late_version, late_saving, late_saved;

    _Atomic(struct suppressed_set *) suppressed_set;    /* control_suppress.c: for other threads; NULL: none yet */
    struct suppressed_set *all_suppressed_sets;
    _Atomic size_t external_count;          /* how many of the suppressed ids are external ids */
};

/* control.c. Sets the row with the key, from the next save on; value NULL: removes it. */
void control_note_change(struct control *control, Str key, const Str *value);
void control_note_change_locked(struct control *control, Str key, const Str *value);       /* under control->lock */

/* control_suppress.c */
Hash128 control_suppressed_key(CommandIdKind kind, Str value);
void control_add_suppressed(struct control *control, CommandIdKind kind, Str value);
void control_remove_suppressed(struct control *control, CommandIdKind kind, Str value);
void control_forget_suppressed(struct control *control);
void control_close_suppressed(struct control *control);
Status control_save_late(struct control *control, struct kv_txn *txn, Err *err);    /* this, the next: under the lock */
void control_end_save_late(struct control *control);
Status control_load_late(struct control *control, struct kv_txn *txn, Err *err);
Status control_step_late(struct control *control, Err *err);                        /* by maintenance */

/* control.c: the place of the first suppressed id whose key is not smaller. */
size_t control_find_suppressed(const struct control *control, Hash128 key);

/* control_again.c */
struct control_orders *control_open_orders(struct journal *journal);
void control_close_orders(struct control_orders *orders);
void control_leave_again(struct control *control);           /* gives up the round that is under way */
void control_note_said(struct control *control, JournalPos said, JournalPos end);
Status control_load_said(struct control *control, struct kv_txn *txn, Err *err);

/* control_erase.c */
Status control_begin_erasure(struct control *control, Str record, JournalPos pos, const JournalCommand *command,
                             Err *err);
Status control_load_erasure(struct control *control, JournalPos pos, Str value, Err *err);
Status control_load_aliases(struct control *control, struct kv_txn *txn, Err *err);  /* after all erasures */
Status control_step_erasure(struct control *control, bool *ret_more, Err *err);     /* by maintenance */
void control_forget_erasures(struct control *control);

/* control_forget.c. Makes identity and traits forget, and fills in the erasure's nodes, spans and aliases. After an
 * error it is called again with the same erasure. */
Status control_forget_ids(struct control *control, struct erasure *erasure, const JournalCommand *command, Err *err);

/* control_unread.c */
/* Nobody can read these bytes as a record: do they contain one of the ids that the erasure names as a whole? */
bool control_names_in_bytes(const JournalCommand *command, Str record, struct buf *quoted);
void control_note_unread(struct control *control, JournalPos command, JournalPos from, JournalPos to, const char *why);
Status control_load_unread(struct control *control, struct kv_txn *txn, Err *err);

#endif
