/* scan_work: the inside of a scan: what its tasks share and what each worker keeps. */
#ifndef ONYM_SCAN_WORK_H
#define ONYM_SCAN_WORK_H

#include "scan.h"

enum {
    SAMPLE_ROWS = 16384, SLICE_SAMPLES = 4, BUCKETS_MAX = 1024, SPILL_HITS = 127, REFS_MAX = 1 << 20,
    TASKS_A_WORKER = 16, READERS = SCAN_READERS_MAX + 1,          /* the last reader is for positions */
};

struct spill {
    struct spill *next;
    uint32_t count;
    Hit hits[SPILL_HITS];
};

struct worker {
    struct region hits_region, spare_region, spill_region, scratch_region;
    Hit *hits, *spare;
    uint32_t hit_count, hit_max;
    Arena spill_arena;
    struct spill **buckets, *free_spills;
    IndexCodes *readers;            /* those of run r begin at r * READERS */
    Arena reader_arena;
    void *zstd;
    uint64_t row_count, matched;
    uint32_t trait_person;          /* on_row: whose traits were looked up last, */
    uint32_t trait_steps;           /* the selectors that its traits allow, */
    uint32_t trait_group;           /* and its group */
    Arena scratch_rows;             /* for a task's place in each run */
};

struct columns {
    struct scan base;               /* every back end's scan begins with this */
    const Query *query;
    const ScanSpec *spec;
    const QueryWorld *world;
    struct index_snapshot *snapshot;    /* with like: that of the other scan */
    struct region region, groups_region;
    Arena arena, groups_arena;      /* groups_arena: values of traits, under groups' is_busy */
    Plan plan;
    QueryPool pool;
    struct worker *workers;
    uint64_t *slices;               /* the first subject of each slice, and the end; slice_count + 1 */
    uint32_t slice_count, slices_a_task, task_count;
    uint64_t *joined;               /* a bit for each person: it has more than one subject */
    uint64_t *shared;               /* a bit for each subject: the person of its events depends on their time */
    uint64_t *wanted;               /* only_people: a bit for each subject that may be theirs; NULL: all are wanted */
    uint64_t *users;                /* anonymous_bit: a bit for each subject that is a user id */
    uint32_t people_max;
    size_t memory_bytes;
    uint32_t bucket_shift, bucket_count, bucket_from;
    atomic_uint bucket_to;
    bool asks_traits, is_plain, has_avx2, has_shared;
    uint64_t *refs;
    atomic_uint ref_count, done_count;
    atomic_bool is_failed;
    atomic_flag is_told, is_noting;
    Err *err;
    Status status;
};

/* Where a task is at the moment. */
struct place {
    struct columns *scan;
    struct worker *worker;
    uint32_t worker_index, run;
};

static inline struct columns *columns_of(const struct scan *scan) { return (struct columns *)(uintptr_t)scan; }

/* They do what scan.h says about the functions of the same names. */
Str columns_account(const struct columns *scan, uint32_t person);
void columns_count_text(struct columns *scan, Str field, uint32_t number_kind);
/* Notes a field with values that could not be read; any thread may call it. */
void columns_warn(struct columns *scan, Str field);

void scan_fail(struct columns *scan, Status status, const Err *err);      /* the first failure counts */
void scan_fail_memory(struct columns *scan);
bool scan_is_over(struct columns *scan);                                  /* it failed, or was given up */

static inline uint32_t slot_of(const QueryPeople *people, Subject subject)
{
    if (subject >= people->subject_count) return subject;
    return people->pages[subject / QUERY_PAGE_SUBJECTS][subject % QUERY_PAGE_SUBJECTS];
}

static inline bool is_shared(uint32_t slot) { return slot & QUERY_SHARED && slot != QUERY_NOBODY; }

/* Goes over the rows from the first of one subject to the first of another one (scan_rows.c). */
void scan_stretch(const struct place *place, uint32_t from_row, uint32_t to_row, uint32_t from_ordinal);

/* A person's trait, or an account's (scan_people.c). */
IndexValue scan_ask_trait(struct columns *scan, uint32_t person, Str name, Arena *arena);

/* Handing over (scan_people.c). spare has room for as many hits. */
void scan_spill(struct columns *scan, struct worker *worker, uint32_t person, const Hit *hits, uint32_t count);
void scan_hand_over_persons(struct columns *scan, uint32_t worker_index, Hit *hits, uint32_t count, Hit *spare);
void scan_hand_over_subjects(struct columns *scan, uint32_t worker_index, Hit *hits, uint32_t count, Hit *spare);
void scan_hand_over_row(struct columns *scan, uint32_t worker_index, const ScanRow *row);

#endif
