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

/* One consistent state, which does not change while it is used. A subject's slot is the number of its person, below
 * subject_count, or says that the subject is shared (the views of identity/ have the same shape). A person has the
 * number of one of its subjects. */
typedef struct QueryPeople {
    uint32_t subject_count;             /* subjects from this number on are their own persons */
    const uint32_t *const *pages;       /* slots, QUERY_PAGE_SUBJECTS to a page */
    /* The person whom an event of a shared subject belongs to; QUERY_NOBODY if that cannot be known. */
    uint32_t (*find_person)(void *context, Subject subject, Millis time_ms, JournalPos pos);
    /* Sets the bit of every person whom an event of the shared subject may belong to. */
    void (*mark_owners)(void *context, Subject subject, uint64_t *bits);
    /* Sets the bit of every subject below subject_count that is a user id. NULL: none is known to be one. */
    void (*mark_users)(void *context, uint64_t *bits);
    /* Calls visit for each subject below subject_count that is a user id, with that id. NULL: nobody knows. */
    void (*visit_users)(void *context, void (*visit)(void *visitor, Subject subject, Str user_id), void *visitor);
    /* True: a group with this id is no account (it is one of identity's placeholders). It is asked once for each value.
     * NULL: each group is an account. */
    bool (*is_no_account)(void *context, Str group_id);
    void *context;
} QueryPeople;

/* ---- What else a question may need ---- */

typedef void QueryTask(void *context, uint32_t task, uint32_t worker);

typedef struct QueryPool {
    uint32_t worker_count;              /* at most QUERY_WORKERS_MAX */
    /* Runs task(context, 0 … count-1), each once. The worker is below worker_count, and runs one task at a time.
     * Returns when all are done. */
    void (*run)(void *pool, QueryTask *task, void *context, uint32_t count);
    void *pool;
} QueryPool;
enum { QUERY_WORKERS_MAX = 64 };

typedef struct QueryTrait {
    Str name;
    uint64_t people;                    /* how many have it */
} QueryTrait;

/* How much of the journal on disk the answer includes. */
typedef struct QueryMoment {
    bool is_complete, is_starting;
    double share_applied;
    Millis behind_ms;
} QueryMoment;

typedef struct QueryWorld {
    const struct ScanBackend *backend;  /* where events are found (scan_backend.h); NULL: in the index */
    struct index *index;
    struct index_snapshot *snapshot;    /* borrowed, from the same moment as people; NULL: the question takes one */
    const QueryPeople *people;
    /* A person's trait by name; false if there is none. Strings are in the arena, or are valid longer. NULL: no
     * question may name traits. */
    bool (*find_trait)(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret);
    /* An account's trait by the account's id and the trait's name; otherwise the same. NULL: no question about accounts
     * may name traits. */
    bool (*find_group_trait)(void *context, Str group_id, Str name, Arena *arena, IndexValue *ret);
    /* Lists which traits there are, in the arena; NULL: nobody knows. */
    Status (*list_traits)(void *context, Arena *arena, QueryTrait **ret, size_t *ret_count, Err *err);
    /* Appends JSON that says who the person is; NULL: answers have the person's number. */
    void (*write_person)(void *context, uint32_t person, struct buf *buf);
    /* The canonical JSON of a raw event; NULL: answers have only the positions of events. */
    Status (*read_event)(void *context, JournalPos pos, Arena *arena, Str *ret_json, Err *err);
    void *context;
    const QueryPool *pool;              /* NULL: the calling thread does all the work */
    const atomic_bool *is_cancelled;    /* NULL: never */
    /* only one worker calls it; NULL: nobody wants to know */
    void (*progress)(void *context, uint32_t done, uint32_t all);
    struct disk *disk;                  /* reads time zones */
    const char *zone_dir;               /* NULL: /usr/share/zoneinfo */
    const QueryMoment *moment;          /* NULL: the answer does not say */
    size_t memory_bytes;                /* 0: 1 GiB */
    uint32_t group_max;                 /* the most values of a breakdown that are told apart; 0: GROUPS_MAX */
    uint64_t missing_places, missing_messages;      /* places where the journal cannot be read; the answer warns */
    Millis now_ms;                      /* an event cannot be more than a day later; 0: nobody knows the time */
} QueryWorld;

/* Has the client left? Every loop that is longer with more events, people or values asks this. */
static inline bool query_is_given_up(const QueryWorld *world)
{
    return world->is_cancelled && atomic_load_explicit(world->is_cancelled, memory_order_relaxed);
}

/* Makes a value from the JSON of a trait: a list of scalars is INDEX_LIST, an object INDEX_OTHER. The value borrows
 * from the JSON; texts with escapes are in the arena. */
IndexValue query_value(Str json, Arena *arena);

#endif
