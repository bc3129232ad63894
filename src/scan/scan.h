/* scan: finds the events that a question is about, and brings together those of each person.
 *
 * How it works for a hundred million rows: the column of event codes is compared with the few codes that matter,
 * which gives a bit for each row; only rows with their bit set are looked at further. Rows are sorted by subject, so
 * the rows of a *slice* of subjects are next to each other in every run. Most subjects are alone (their person has no
 * other): their events are complete within the slice, and are handed over from a buffer that fits the cache. The events
 * of other subjects are *spilled* into buckets by person, which are handed over when all slices are done.
 */
#ifndef ONYM_SCAN_SCAN_H
#define ONYM_SCAN_SCAN_H

#include "scan_hit.h"
#include "scan_query.h"
#include "scan_union.h"

/* ---- The values of a breakdown ---- */

/* Values in order: nothing, not indexed, false, true, numbers, strings; so groups compare as values do.
 * Groups of traits get their numbers in the order in which they come. */
typedef struct Groups {
    IndexValue *values;
    uint32_t count, max;
    bool is_folded;                 /* there were too many: the rarest are GROUP_OTHER */
    size_t text_len;
    bool is_events;                 /* values are events: type digit, then name */
    bool *told_other;               /* events: where it is noted that one was told as (not indexed) */
    const uint64_t *is_ambiguous;   /* events: a bit a group: its plain label would say more than it; NULL: none is */
    uint32_t *slots, slot_count;    /* traits: by hash */
    atomic_flag is_busy;            /* traits: one at a time */
} Groups;

/* GROUP_OTHER: of those that are folded, and of traits. GROUP_NO_MEMORY: groups_intern has no number for the value. */
enum { GROUPS_MAX = 1 << 20, GROUPS_LEAST = 512, GROUP_NOTHING = 0, GROUP_OTHER = 1, GROUP_NO_MEMORY = GROUPS_MAX + 1 };

/* ---- What to look for ---- */

/* A row that some selector matches. */
typedef struct ScanRow {
    uint32_t person;                /* or QUERY_NOBODY */
    Millis time_ms;
    uint32_t steps, group;
    double number;                  /* NaN if there is none */
    uint32_t number_kind;           /* NUMBER_… */
} ScanRow;

/* Where a number comes from: it is one; a text; an integer over 2^53; there is a value that is no number. */
enum { NUMBER_NONE, NUMBER_PLAIN, NUMBER_OF_TEXT, NUMBER_BIG, NUMBER_UNREAD };

typedef struct ScanSpec {
    const Selector *selectors;      /* selector k gives bit k */
    uint32_t selector_count;
    uint32_t needed_bits;           /* a person without a hit of one of these need not be handed over */
    uint32_t group_bits;            /* the breakdown's value matters only on these selectors' rows */
    Breakdown by;
    bool by_event;                  /* group is what the event is */
    uint32_t group_max;             /* how many values are told apart, the most frequent; 0: as the world says */
    Str number_field;               /* empty: none */
    const uint64_t *only_people;    /* NULL, or a bit a person */
    /* With only_people: their rows for which it says no are left out before they take memory. NULL: none are. */
    bool (*wants)(void *context, uint32_t person, Millis time_ms);
    uint32_t anonymous_bit;         /* set on rows whose subject is no user id; 0: nobody asks */
    bool users_only;                /* rows whose subject is no user id are left out */
    const struct scan *like;        /* NULL, or a scan that stays open as long: this one sees the same events */
    bool wants_refs;                /* give each hit a reference to its row */
    /* One of the two: for every row, in no order; or for every person all hits, sorted by time, then steps. */
    void (*on_row)(void *context, uint32_t worker, const ScanRow *row);
    void (*on_person)(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch);
    void *context;
} ScanSpec;

struct scan;
#include "scan_backend.h"

static inline uint32_t scan_group_max(const QueryWorld *world, const ScanSpec *spec)
{
    uint32_t max = spec->group_max ? spec->group_max : world->group_max;
    return max && max < GROUPS_MAX ? max : (uint32_t)GROUPS_MAX;
}
/* If there is no room for what is measured of so many: how many to ask for next; 0: it cannot work. */
static inline uint32_t scan_fewer_groups(const QueryWorld *world, const ScanSpec *spec)
{
    uint32_t max = scan_group_max(world, spec);
    return max > GROUPS_LEAST ? max / 8 : 0;
}

/* No scan: which events, fields and values there are (scan_catalogue.h). ret is closed by its own close. */
Status MUST scan_list(const Query *query, const CatalogueSpec *spec, struct catalogue **ret, Err *err);
/* Takes a snapshot and prepares; gives the groups and the range of times that there are before anything runs. */
Status MUST scan_open(const Query *query, const ScanSpec *spec, struct scan **ret, Err *err);
/* Call it once. What the workers kept is gone when it returns. */
Status MUST scan_run(struct scan *scan, Err *err);
void scan_close(struct scan *scan);             /* accepts NULL */
Groups *scan_groups(struct scan *scan);
uint32_t scan_worker_count(const struct scan *scan);
/* Persons are below this; the same for scans of the same events. */
uint32_t scan_people_max(const struct scan *scan);
/* The first and the last time of rows within the question's range (of runs that overlap it: a bound). */
bool scan_time_range(const struct scan *scan, Millis *ret_first_ms, Millis *ret_last_ms);
/* When the last event of anybody was, of whatever kind and range, not later than now; INT64_MIN: there is none. */
Millis scan_last_event_ms(const struct scan *scan);
/* Of groups: the account's id. */
Str scan_account(const struct scan *scan, uint32_t person);
/* Rows that were looked at, and rows that matched. */
uint64_t scan_row_count(const struct scan *scan);
uint64_t scan_hit_count(const struct scan *scan);
/* Where the raw event of a hit's reference lies. */
Status MUST scan_position(struct scan *scan, uint32_t ref, Arena scratch, JournalPos *ret, Err *err);
/* Adds the other scan's warnings and rows to this one's. */
void scan_join(struct scan *scan, const struct scan *other);
/* "warnings":[…] for the answer: fields whose values were not all indexed. */
void scan_write_warnings(const struct scan *scan, const Query *query, struct buf *answer);

/* Rows of a field whose numbers were not plain ones; by any thread. */
void scan_count_text(struct scan *scan, Str field, uint32_t number_kind);
/* Compares groups by their values, as qsort wants it. */
int group_compare(const Groups *groups, uint32_t a, uint32_t b);
int group_compare_values(const void *a, const void *b);     /* IndexValue */
uint64_t group_value_hash(const IndexValue *value);         /* equal for values that compare as equal */
/* A trait's value as a group; by any thread. */
uint32_t groups_intern(Groups *groups, const IndexValue *value, Arena *arena);
/* Of a type digit and a name: "page:/pricing"; ambiguous: exactly, "page=/pricing". */
void event_write(Str event, bool is_ambiguous, struct buf *answer);
void value_write(const IndexValue *value, struct buf *answer);
void group_write(const Groups *groups, uint32_t group, struct buf *answer);     /* as JSON */

/* ---- Inside: prepared runs (scan_plan.c) ---- */

enum { SCAN_READERS_MAX = 48, SCAN_HOT_MAX = 6, TEXTS_MAX = 32 };
#define READER_NONE UINT32_MAX
#define READER_SUBJECT (UINT32_MAX - 1)     /* passes: a bit a subject */

typedef struct PlanFilter {
    uint32_t reader;                /* READER_NONE: the run has no such column */
    const uint64_t *passes;         /* a bit a code */
    bool passes_nothing;            /* without the column */
    const uint64_t *texts;          /* NULL, or a bit a code: a text that is read as a number */
    Str field;
} PlanFilter;

typedef struct PlanSelector {
    PlanFilter *filters;
    uint32_t filter_count;
    PlanFilter paths[2];            /* pages: properties.path, and context.page.path where that is absent */
} PlanSelector;

/* What an event's code says: selectors that match, that match if their filters pass, and of these those that match by
 * their path only. */
typedef struct PlanKind { uint32_t sure, asks, by_path; } PlanKind;

typedef struct PlanRun {
    const IndexRun *run;
    uint32_t run_index;
    uint32_t code_count;            /* of events */
    uint64_t from_offset, range;    /* times in the question's range: offset - from_offset < range */
    uint16_t *kinds;                /* by event code: which of event_kinds; 0: it does not matter */
    PlanKind *event_kinds;
    uint32_t kind_count;
    uint32_t *sure;                 /* by event code, where that is one byte wide: event_kinds[kinds[code]].sure */
    unsigned char hot[SCAN_HOT_MAX];/* the codes that matter, if they are few and one byte wide */
    bool has_asks;                  /* some event code asks */
    uint32_t hot_count;             /* 0: look them up in kinds */
    PlanSelector *selectors;
    uint32_t reader_count;
    uint32_t reader_columns[SCAN_READERS_MAX], reader_codes[SCAN_READERS_MAX];
    uint32_t by_reader, number_reader;
    uint32_t *groups;               /* by code of the breakdown's column (or of the event) */
    /* by event: pages without a name are called by their path: properties.path, else context.page.path */
    uint32_t nameless_page, path_readers[2], *path_groups[2];
    double *numbers;                /* by code of the number's column */
    unsigned char *number_kinds;
    bool by_code;                   /* groups is by code of the event */
    uint32_t account_reader, *accounts;     /* of groups: by code of groupId; QUERY_NOBODY: none */
} PlanRun;

/* How often a field's values were no plain numbers though numbers were asked for. */
typedef struct PlanTexts {
    Str field;
    uint64_t read, unread, big;
} PlanTexts;

/* Fields that a warning is about, each once. */
typedef struct PlanFields {
    Str names[FILTERS_MAX];
    uint32_t count;
} PlanFields;

typedef struct Plan {
    PlanRun *runs;
    uint32_t run_count;
    Groups groups;
    Str by_label;
    struct groups_union named, named_accounts;      /* what groups and accounts lie in */
    uint64_t unindexed[2];          /* rows of the breakdown and of the number whose value was not kept */
    PlanFields unkept, objects;     /* fields with values that were not kept; fields that are objects in some events */
    PlanFields folded;              /* breakdowns whose rarest values are one; noted when warnings are written */
    bool has_lost_columns;          /* some run had too many columns */
    bool has_unindexed_events;      /* names of events */
    bool has_old_groups;            /* groupId is asked for, and some run does not know it */
    PlanTexts texts[TEXTS_MAX];
    uint32_t text_count;
    IndexValue *accounts;           /* of groups: their ids, in order; an account's number is its place */
    uint32_t account_count;
    uint32_t *subject_groups;       /* by userId: of each subject */
    uint32_t subject_count;
} Plan;

/* Runs without a code or a time that matters are left out. */
Status MUST plan_open(const Query *query, const ScanSpec *spec, struct index_snapshot *snapshot,
                      Arena *arena,
                      Plan *ret, Err *err);
void plan_close(Plan *plan);                /* accepts one that failed, or is all zero */

void plan_note_field(PlanFields *fields, Str name);
void plan_note_folded(Plan *plan, const Plan *of);
void plan_write_warnings(const Plan *plan, const Query *query, struct buf *answer);

/* ---- Inside: sorting (scan_sort.c) ---- */

/* By key; stable. spare has room for count. Returns where the result is: hits or spare. */
Hit *hits_sort_by_key(Hit *hits, Hit *spare, uint32_t count, uint32_t key_min, uint32_t key_max);
/* Returns true if two are at the same time. */
bool hits_sort_by_time(Hit *hits, uint32_t count, Hit *spare);

#endif
