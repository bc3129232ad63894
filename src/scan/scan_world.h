/* scan_world: the world in which a question is asked: events as columns, who is who, what else is known of people,
 * threads, memory. The caller fills it in; its functions are called from the pool's threads, several at a time.
 */
#ifndef ONYM_SCAN_WORLD_H
#define ONYM_SCAN_WORLD_H

#include "index/index.h"
#include "os/os.h"

#include <stdatomic.h>

/* ---- Who is who ---- */

enum { QUERY_PAGE_SUBJECTS = 1 << 14 };
#define QUERY_SHARED 0x80000000u        /* a slot with this bit: the person of an event depends on its time */
#define QUERY_NOBODY UINT32_MAX

/* One consistent state, unchanged while it is used. A subject's slot is its person, a number below
 * subject_count (identity/'s views have just this shape), or says that it is shared. A person's number is
 * that of one of its subjects. */
typedef struct QueryPeople {
    uint32_t subject_count;             /* subjects from this number on are their own persons */
    const uint32_t *const *pages;       /* slots, QUERY_PAGE_SUBJECTS to a page */
    /* The person whom an event of a shared subject belongs to; QUERY_NOBODY if that cannot be known. */
    uint32_t (*find_person)(void *context, Subject subject, Millis time_ms, JournalPos pos);
    /* Sets the bit of every person whom an event of the shared subject may belong to. */
    void (*mark_owners)(void *context, Subject subject, uint64_t *bits);
    /* Sets the bit of every subject below subject_count that is a user id. NULL: none is known to be one. */
    void (*mark_users)(void *context, uint64_t *bits);
    /* Each subject below subject_count that is a user id, with it. NULL: nobody knows. */
    void (*visit_users)(void *context, void (*visit)(void *visitor, Subject subject, Str user_id), void *visitor);
    /* Is a group of this id no account (identity's placeholders)? Asked once for each value. NULL: each is one. */
    bool (*is_no_account)(void *context, Str group_id);
    void *context;
} QueryPeople;

/* ---- What else a question may need ---- */

typedef void QueryTask(void *context, uint32_t task, uint32_t worker);

typedef struct QueryPool {
    uint32_t worker_count;              /* at most QUERY_WORKERS_MAX */
    /* Runs task(context, 0 … count-1), each once, worker below worker_count and never two at a time on one
     * worker; returns when all are done. */
    void (*run)(void *pool, QueryTask *task, void *context, uint32_t count);
    void *pool;
} QueryPool;
enum { QUERY_WORKERS_MAX = 64 };

typedef struct QueryTrait {
    Str name;
    uint64_t people;                    /* how many have it */
} QueryTrait;

/* How much of what is on disk the answer has. */
typedef struct QueryMoment {
    bool is_complete, is_starting;
    double share_applied;
    Millis behind_ms;
} QueryMoment;

typedef struct QueryWorld {
    const struct ScanBackend *backend;  /* where events are found (scan_backend.h); NULL: in the index */
    struct index *index;
    struct index_snapshot *snapshot;    /* NULL: taken when the question begins; else borrowed: of people's moment */
    const QueryPeople *people;
    /* A person's trait by name; false if there is none. Strings are in the arena, or are valid longer. NULL: no
     * question may name traits. */
    bool (*find_trait)(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret);
    /* An account's trait by its id and name, likewise. NULL: no question of groups may name traits. */
    bool (*find_group_trait)(void *context, Str group_id, Str name, Arena *arena, IndexValue *ret);
    /* Which traits there are, in the arena; NULL: nobody knows. */
    Status (*list_traits)(void *context, Arena *arena, QueryTrait **ret, size_t *ret_count, Err *err);
    /* Appends JSON that says who the person is; NULL: the number. */
    void (*write_person)(void *context, uint32_t person, struct buf *buf);
    /* The canonical JSON of a raw event; NULL: answers have only the positions of events. */
    Status (*read_event)(void *context, JournalPos pos, Arena *arena, Str *ret_json, Err *err);
    void *context;
    const QueryPool *pool;              /* NULL: this thread alone */
    const atomic_bool *is_cancelled;    /* NULL: never */
    /* from one worker; NULL: nobody asks */
    void (*progress)(void *context, uint32_t done, uint32_t all);
    struct disk *disk;                  /* reads time zones */
    const char *zone_dir;               /* NULL: /usr/share/zoneinfo */
    const QueryMoment *moment;          /* NULL: the answer does not say */
    size_t memory_bytes;                /* 0: 1 GiB */
    uint32_t group_max;                 /* values of a breakdown that are told apart; 0: GROUPS_MAX */
    uint64_t missing_places, missing_messages;      /* of the journal, which cannot be read there; a warning */
    Millis now_ms;                      /* an event cannot be more than a day later; 0: nobody knows the time */
} QueryWorld;

/* Has the client left? Every loop whose length grows with events, people or values asks this. */
static inline bool query_is_given_up(const QueryWorld *world)
{
    return world->is_cancelled && atomic_load_explicit(world->is_cancelled, memory_order_relaxed);
}

/* Makes a value of a trait's JSON: lists of scalars are INDEX_LIST, objects INDEX_OTHER. Borrows from the JSON; texts
 * with escapes are in the arena. */
IndexValue query_value(Str json, Arena *arena);

#endif
