/* query: derived state becomes answers. A question in JSON and a world to ask, in; an answer in JSON, out.
 *
 * What it is not: it knows no socket, no HTTP, no journal file and no identity rule. It calls index/ for
 * events as columns; who a subject is, what a person's traits are and what a raw event says it asks the
 * world (struct QueryWorld), which whoever calls has filled in.
 *
 * Promises
 *  1. The answer is a function of the set of events and of who is who, never of the order in which events
 *     arrived or lie. docs/funnels.md and docs/queries.md define every number; tests/model/ holds
 *     references that do nothing but follow the definitions.
 *  2. A question that breaks a rule is ERR_INPUT, with the place in err->field: "steps[1].where[0].op".
 *  3. What the index could not hold is said: "warnings" in the answer names the field and what it means.
 *  4. Memory is bounded by QueryWorld.memory_bytes (ERR_TOO_LARGE); is_cancelled is looked at many times a
 *     second (ERR_CLOSED).
 *
 * Threads: query_run from any thread, any number at a time. Work is cut into independent tasks, which the
 * world's pool runs on whatever threads it has; without a pool they run one after the other. The world's
 * functions are called from the pool's threads, several at a time.
 */
#ifndef ONYM_QUERY_H
#define ONYM_QUERY_H

#include "index/index.h"
#include "os/os.h"

#include <stdatomic.h>

/* ---- Who is who ---- */

enum { QUERY_PAGE_SUBJECTS = 1 << 14 };
#define QUERY_SHARED 0x80000000u        /* a slot with this bit: whose an event is depends on its time */
#define QUERY_NOBODY UINT32_MAX

/* One consistent picture, unchanged while it is used. A subject's slot is its person, a number below
 * subject_count (identity/'s views have just this shape), or says that it is shared. A person's number is
 * that of one of its subjects. */
typedef struct QueryPeople {
    uint32_t subject_count;             /* subjects at or above are their own persons */
    const uint32_t *const *pages;       /* slots, QUERY_PAGE_SUBJECTS to a page */
    /* Whose an event of a shared subject is; QUERY_NOBODY where that cannot be told. */
    uint32_t (*find_person)(void *context, Subject subject, Millis time_ms, JournalPos pos);
    /* Sets the bit of every person whose an event of the shared subject may be. */
    void (*mark_owners)(void *context, Subject subject, uint64_t *bits);
    /* Sets the bit of every subject below subject_count that is a user id. NULL: none is known to be one. */
    void (*mark_users)(void *context, uint64_t *bits);
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

typedef struct QueryWorld {
    struct index *index;
    struct index_snapshot *snapshot;    /* NULL: taken when the question begins; else borrowed: of people's moment */
    const QueryPeople *people;
    /* A person's trait by name; false where there is none. Strings live in the arena or longer. NULL: no
     * question may speak of traits. */
    bool (*find_trait)(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret);
    /* Which traits there are, in the arena; NULL: nobody knows. */
    Status (*list_traits)(void *context, Arena *arena, QueryTrait **ret, size_t *ret_count, Err *err);
    /* Appends JSON that says who the person is; NULL: the number. */
    void (*write_person)(void *context, uint32_t person, struct buf *buf);
    /* The canonical JSON of a raw event; NULL: events are told by position only. */
    Status (*read_event)(void *context, JournalPos pos, Arena *arena, Str *ret_json, Err *err);
    void *context;
    const QueryPool *pool;              /* NULL: this thread alone */
    const atomic_bool *is_cancelled;    /* NULL: never */
    /* from one worker; NULL: nobody asks */
    void (*progress)(void *context, uint32_t done, uint32_t all);
    struct disk *disk;                  /* reads time zones */
    const char *zone_dir;               /* NULL: /usr/share/zoneinfo */
    size_t memory_bytes;                /* 0: 1 GiB */
} QueryWorld;

/* ---- Asking ---- */

typedef enum QueryKind {
    QUERY_FUNNEL,                       /* how many get how far, how fast */
    QUERY_FUNNEL_PEOPLE,                /* who they are, and by which events */
    QUERY_TRENDS,                       /* how many, how much, over time */
    QUERY_RETENTION,                    /* who comes back */
    QUERY_PATHS,                        /* what people do before or after */
    QUERY_SIGNUPS,                      /* new users by what they did first */
    QUERY_EVENTS,                       /* which events and fields there are */
    QUERY_KIND_COUNT
} QueryKind;

/* Appends the answer. On failure the buffer holds what it held. */
Status MUST query_run(QueryKind kind, Str question, const QueryWorld *world, struct buf *answer, Err *err);

#endif
