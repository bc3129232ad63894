/* query_scan: finds the events that a question is about, and brings together those of each person.
 *
 * The way, for a hundred million rows: the column of event codes is compared with the few codes that matter,
 * which leaves a bit a row; only rows with their bit set are looked at further. Rows lie sorted by subject, so
 * a *slice* of subjects is a stretch of rows in every run. Most subjects are alone (their person has no other):
 * their events are complete within the slice, and are handed over from a buffer that fits the cache. The others'
 * events are *spilled* into buckets by person, which are handed over when all slices are done.
 */
#ifndef ONYM_QUERY_SCAN_H
#define ONYM_QUERY_SCAN_H

#include "query_chain.h"
#include "query_request.h"

/* ---- The values of a breakdown ---- */

/* Values in order: nothing, not indexed, false, true, numbers, strings; so groups compare as values do.
 * Groups of traits are numbered as they come. */
typedef struct Groups {
    IndexValue *values;
    uint32_t count, max;
    bool is_events;                 /* values are events: type digit, then name */
    uint32_t *slots, slot_count;    /* traits: by hash */
    bool is_full;                   /* traits: some values were taken for nothing */
    atomic_flag is_busy;            /* traits: one at a time */
} Groups;

enum { GROUPS_MAX = 1 << 20, GROUP_NOTHING = 0 };

/* ---- What to look for ---- */

/* A row that some selector matches. */
typedef struct ScanRow {
    uint32_t person;                /* or QUERY_NOBODY */
    Millis time_ms;
    uint32_t steps, group;
    double number;                  /* NaN where there is none */
} ScanRow;

typedef struct ScanSpec {
    const Selector *selectors;      /* selector k gives bit k */
    uint32_t selector_count;
    uint32_t needed_bits;           /* a person without a hit of one of these need not be handed over */
    uint32_t group_bits;            /* the breakdown's value matters on these selectors' rows only */
    Breakdown by;
    bool by_event;                  /* group is what the event is */
    Str number_field;               /* empty: none */
    const uint64_t *only_people;    /* NULL, or a bit a person */
    uint32_t anonymous_bit;         /* set on rows whose subject is no user id; 0: nobody asks */
    bool users_only;                /* rows whose subject is no user id are passed over */
    const struct scan *like;        /* NULL, or one that is open as long: see the same events as it does */
    bool wants_refs;                /* give each hit a reference to its row */
    /* One of the two: for every row, in no order; or for every person all hits, sorted by time, then steps. */
    void (*on_row)(void *context, uint32_t worker, const ScanRow *row);
    void (*on_person)(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch);
    void *context;
} ScanSpec;

struct scan;

/* Takes a snapshot and prepares; gives the groups and the range of times that there are before anything runs. */
Status MUST scan_open(const Request *request, const ScanSpec *spec, struct scan **ret, Err *err);
/* Once. What the workers kept is gone when it returns. */
Status MUST scan_run(struct scan *scan, Err *err);
void scan_close(struct scan *scan);             /* accepts NULL */
Groups *scan_groups(struct scan *scan);
uint32_t scan_worker_count(const struct scan *scan);
/* Persons are below this; the same for scans of the same events. */
uint32_t scan_people_max(const struct scan *scan);
/* The first and the last time of rows within the question's range (of runs that overlap it: a bound). */
bool scan_time_range(const struct scan *scan, Millis *ret_first_ms, Millis *ret_last_ms);
/* Rows that were looked at, and rows that matched. */
uint64_t scan_row_count(const struct scan *scan);
uint64_t scan_hit_count(const struct scan *scan);
/* Where the raw event of a hit's reference lies. */
Status MUST scan_position(struct scan *scan, uint32_t ref, Arena scratch, JournalPos *ret, Err *err);
/* Tells what the other one warns of, and its rows, as this one's, too. */
void scan_join(struct scan *scan, const struct scan *other);
/* "warnings":[…] for the answer: fields whose values were not all indexed. */
void scan_write_warnings(const struct scan *scan, struct buf *answer);

/* Groups by their values, as qsort compares. */
int group_compare(const Groups *groups, uint32_t a, uint32_t b);
int group_compare_values(const void *a, const void *b);     /* IndexValue */
/* A trait's value as a group; by any thread. */
uint32_t groups_intern(Groups *groups, const IndexValue *value, Arena *arena);
void event_write(Str event, struct buf *answer);            /* of a type digit and a name: "page:/pricing" */
void value_write(const IndexValue *value, struct buf *answer);
void group_write(const Groups *groups, uint32_t group, struct buf *answer);     /* as JSON */

/* ---- Inside: prepared runs (query_plan.c) ---- */

enum { SCAN_READERS_MAX = 48, SCAN_HOT_MAX = 6, READER_NONE = UINT32_MAX };

typedef struct PlanFilter {
    uint32_t reader;                /* READER_NONE: the run has no such column */
    const uint64_t *passes;         /* a bit a code */
    bool passes_nothing;            /* without the column */
} PlanFilter;

typedef struct PlanSelector {
    PlanFilter *filters;
    uint32_t filter_count;
    PlanFilter paths[2];            /* pages: properties.path, and context.page.path where that is absent */
} PlanSelector;

typedef struct PlanRun {
    const IndexRun *run;
    uint32_t run_index;
    uint32_t code_count;            /* of events */
    uint64_t from_offset, range;    /* times in the question's range: offset - from_offset < range */
    /* by event code: selectors that match, and that match if their filters pass */
    uint32_t *sure, *asks;
    uint32_t *by_path;              /* by event code: of those that ask: they match by their path only */
    unsigned char hot[SCAN_HOT_MAX];/* the codes that matter, if they are few and one byte wide */
    bool has_asks;                  /* some event code asks */
    uint32_t hot_count;             /* 0: look them up in is_hot */
    unsigned char *is_hot;          /* by event code */
    PlanSelector *selectors;
    uint32_t reader_count;
    uint32_t reader_columns[SCAN_READERS_MAX], reader_codes[SCAN_READERS_MAX];
    uint32_t by_reader, number_reader;
    uint32_t *groups;               /* by code of the breakdown's column (or of the event) */
    /* by event: pages without a name are called by their path: properties.path, else context.page.path */
    uint32_t nameless_page, path_readers[2], *path_groups[2];
    double *numbers;                /* by code of the number's column */
} PlanRun;

typedef struct Plan {
    PlanRun *runs;
    uint32_t run_count;
    Groups groups;
    uint64_t unindexed[2];          /* rows of the breakdown and of the number whose value was not kept */
    Str warnings[FILTERS_MAX];      /* fields of which some values were not kept */
    uint32_t warning_count;
    bool has_lost_columns;          /* some run had too many columns */
} Plan;

/* Runs without a code or a time that matters are left out. */
Status MUST plan_open(const Request *request, const ScanSpec *spec, struct index_snapshot *snapshot,
                      Arena *arena,
                      Plan *ret, Err *err);

void plan_write_warnings(const Plan *plan, struct buf *answer);

/* ---- Inside: sorting (query_sort.c) ---- */

/* By key; stable. spare has room for count. Returns where the result is: hits or spare. */
Hit *hits_sort_by_key(Hit *hits, Hit *spare, uint32_t count, uint32_t key_min, uint32_t key_max);
/* Returns whether two are at the same time. */
bool hits_sort_by_time(Hit *hits, uint32_t count, Hit *spare);

#endif
