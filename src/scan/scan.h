/* scan: finds the events that a question is about, and brings together those of each person.
 *
 * How it works for a hundred million rows: the column of event codes is compared with the few codes that matter,
 * which gives a bit for each row; only rows with their bit set are looked at further. Rows are sorted by subject, so
 * the rows of a *slice* of subjects are next to each other in every run. Most subjects are alone (their person has no
 * other subject): the slice has all their events, which are handed over from a buffer that fits the cache. The events
 * of other subjects are *spilled* into buckets by person, which are handed over when all slices are done.
 */
#ifndef ONYM_SCAN_SCAN_H
#define ONYM_SCAN_SCAN_H

#include "scan_hit.h"
#include "scan_query.h"
#include "scan_union.h"

/* ---- The values of a breakdown ---- */

/* A group is the number of a value. Values are sorted: nothing, not indexed, false, true, numbers, strings; so groups
 * compare as their values do. Only values of traits get their numbers in the order in which they come. */
typedef struct Groups {
    IndexValue *values;
    uint32_t count, max;
    bool is_folded;                 /* there were too many: the rarest are GROUP_OTHER */
    size_t text_len;
    bool is_events;                 /* values are events: type digit, then name */
    bool *told_other;               /* events: set when an answer says (not indexed) for one */
    const uint64_t *is_ambiguous;   /* events: a bit for each group whose plain label means other events, too */
    uint32_t *slots, slot_count;    /* traits: the table by hash */
    atomic_flag is_busy;            /* traits: a lock */
} Groups;

/* GROUP_OTHER: the rarest values, if there are too many; also for traits. GROUP_NO_MEMORY: groups_intern has no room
 * for the value. */
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

/* Where a number comes from. PLAIN: the value is a number; OF_TEXT: a text that is read as one; BIG: an integer over
 * 2^53; UNREAD: there is a value, but it is no number. */
enum { NUMBER_NONE, NUMBER_PLAIN, NUMBER_OF_TEXT, NUMBER_BIG, NUMBER_UNREAD };

typedef struct ScanSpec {
    const Selector *selectors;      /* selector k gives bit k */
    uint32_t selector_count;
    uint32_t needed_bits;           /* a person without a hit of one of these need not be handed over */
    uint32_t group_bits;            /* the breakdown's value matters only on these selectors' rows */
    Breakdown by;
    bool by_event;                  /* the breakdown is by what the event is */
    uint32_t group_max;             /* so many of the most frequent values get groups; 0: as the world says */
    Str number_field;               /* empty: none */
    const uint64_t *only_people;    /* NULL, or a bit for each person who is wanted */
    /* With only_people: rows of these people for which it says no are left out before they take memory. NULL: no row
     * is. */
    bool (*wants)(void *context, uint32_t person, Millis time_ms);
    uint32_t anonymous_bit;         /* set on rows whose subject is no user id; 0: nobody asks */
    bool users_only;                /* rows whose subject is no user id are left out */
    const struct scan *like;        /* NULL, or a scan that is not closed before this one, which sees the same events */
    bool wants_refs;                /* give each hit a reference to its row */
    /* One of these two: on_row is called for every row, in no order; on_person for every person with all hits, sorted
     * by time, then by steps. */
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
/* If there is no room for the counters of so many groups: how many to try next; 0: it cannot work with fewer either. */
static inline uint32_t scan_fewer_groups(const QueryWorld *world, const ScanSpec *spec)
{
    uint32_t max = scan_group_max(world, spec);
    return max > GROUPS_LEAST ? max / 8 : 0;
}

/* Lists which events, fields and values there are (scan_catalogue.h); this is no scan. ret has a function of its own
 * that closes it. */
Status MUST scan_list(const Query *query, const CatalogueSpec *spec, struct catalogue **ret, Err *err);
/* Takes a snapshot and prepares the scan. From then on, before it runs, its groups and its range of times are known. */
Status MUST scan_open(const Query *query, const ScanSpec *spec, struct scan **ret, Err *err);
/* Call it once. When it returns, the memory of its workers is free again. */
Status MUST scan_run(struct scan *scan, Err *err);
void scan_close(struct scan *scan);             /* accepts NULL */
Groups *scan_groups(struct scan *scan);
uint32_t scan_worker_count(const struct scan *scan);
/* The numbers of persons are below this. It is the same for all scans of the same events. */
uint32_t scan_people_max(const struct scan *scan);
/* The times between which all rows in the question's range lie. They may lie closer together, since whole runs
 * count. */
bool scan_time_range(const struct scan *scan, Millis *ret_first_ms, Millis *ret_last_ms);
/* The time of the very last event that is not later than now, whatever the question asks for; INT64_MIN: there is
 * none. */
Millis scan_last_event_ms(const struct scan *scan);
/* For a question about accounts: the account's id. */
Str scan_account(const struct scan *scan, uint32_t person);
/* How many rows were looked at, and how many matched. */
uint64_t scan_row_count(const struct scan *scan);
uint64_t scan_hit_count(const struct scan *scan);
/* Where the raw event of a hit's reference lies. */
Status MUST scan_position(struct scan *scan, uint32_t ref, Arena scratch, JournalPos *ret, Err *err);
/* Adds the other scan's warnings and rows to this one's. */
void scan_join(struct scan *scan, const struct scan *other);
/* Writes "warnings":[…] for the answer: for example, fields whose values are not all in the index. */
void scan_write_warnings(const struct scan *scan, const Query *query, struct buf *answer);

/* Counts rows of a field whose numbers are not NUMBER_PLAIN; any thread may call it. */
void scan_count_text(struct scan *scan, Str field, uint32_t number_kind);
/* Compares groups by their values, as qsort wants it. */
int group_compare(const Groups *groups, uint32_t a, uint32_t b);
int group_compare_values(const void *a, const void *b);     /* IndexValue */
uint64_t group_value_hash(const IndexValue *value);         /* equal for values that compare as equal */
/* The group of a trait's value; any thread may call it. */
uint32_t groups_intern(Groups *groups, const IndexValue *value, Arena *arena);
/* Writes the label of an event (a type digit and a name): "page:/pricing"; if that is ambiguous, "page=/pricing". */
void event_write(Str event, bool is_ambiguous, struct buf *answer);
void value_write(const IndexValue *value, struct buf *answer);
void group_write(const Groups *groups, uint32_t group, struct buf *answer);     /* as JSON */

/* ---- Inside: prepared runs (scan_plan.c) ---- */

enum { SCAN_READERS_MAX = 48, SCAN_HOT_MAX = 6, TEXTS_MAX = 32 };
#define READER_NONE UINT32_MAX
#define READER_SUBJECT (UINT32_MAX - 1)     /* passes: a bit for each subject */

typedef struct PlanFilter {
    uint32_t reader;                /* READER_NONE: the run has no such column */
    const uint64_t *passes;         /* a bit for each code */
    bool passes_nothing;            /* does it hold for rows that have no value? */
    const uint64_t *texts;          /* NULL, or a bit for each code that is a text, read as a number */
    Str field;
} PlanFilter;

typedef struct PlanSelector {
    PlanFilter *filters;
    uint32_t filter_count;
    PlanFilter paths[2];            /* pages: properties.path, and context.page.path where that is absent */
} PlanSelector;

/* What an event's code says, as bits for selectors. sure: they match. asks: they match if the row's other columns pass;
 * by_path: those of asks for which the page's path must fit. */
typedef struct PlanKind { uint32_t sure, asks, by_path; } PlanKind;

typedef struct PlanRun {
    const IndexRun *run;
    uint32_t run_index;
    uint32_t code_count;            /* of events */
    uint64_t from_offset, range;    /* times in the question's range: offset - from_offset < range */
    uint16_t *kinds;                /* by event code: its place in event_kinds; 0: it does not matter */
    PlanKind *event_kinds;
    uint32_t kind_count;
    uint32_t *sure;                 /* by event code, if codes have one byte: event_kinds[kinds[code]].sure */
    unsigned char hot[SCAN_HOT_MAX];/* the codes that matter, if they are few and one byte wide */
    bool has_asks;                  /* some event code has bits in asks */
    uint32_t hot_count;             /* 0: look them up in kinds */
    PlanSelector *selectors;
    uint32_t reader_count;
    uint32_t reader_columns[SCAN_READERS_MAX], reader_codes[SCAN_READERS_MAX];
    uint32_t by_reader, number_reader;
    uint32_t *groups;               /* by code of the breakdown's column (or of the event) */
    /* by event: a page without a name is called by its path: properties.path, or else context.page.path */
    uint32_t nameless_page, path_readers[2], *path_groups[2];
    double *numbers;                /* by code of the number's column */
    unsigned char *number_kinds;
    bool by_code;                   /* groups is indexed by the event's code */
    uint32_t account_reader, *accounts;     /* about accounts: by code of groupId; QUERY_NOBODY: none */
} PlanRun;

/* How often a question asked for numbers and a field's values were not plain numbers. */
typedef struct PlanTexts {
    Str field;
    uint64_t read, unread, big;
} PlanTexts;

/* The fields that a warning names, each once. */
typedef struct PlanFields {
    Str names[FILTERS_MAX];
    uint32_t count;
} PlanFields;

typedef struct Plan {
    PlanRun *runs;
    uint32_t run_count;
    Groups groups;
    Str by_label;
    struct groups_union named, named_accounts;      /* these own the values of groups and accounts */
    uint64_t unindexed[2];          /* rows whose value is not in the index: breakdown, number */
    PlanFields unkept, objects;     /* fields with values not in the index; that some events have as objects */
    PlanFields folded;              /* breakdowns whose rarest values are one group; noted when warnings are written */
    bool has_lost_columns;          /* some run had too many columns */
    bool has_unindexed_events;      /* some names of events are not in the index */
    bool has_old_groups;            /* groupId is asked for, and some run has no such column */
    PlanTexts texts[TEXTS_MAX];
    uint32_t text_count;
    IndexValue *accounts;           /* about accounts: their ids, sorted; an account's number is its place */
    uint32_t account_count;
    uint32_t *subject_groups;       /* broken down by userId: the group of each subject */
    uint32_t subject_count;
} Plan;

/* Plans a question for each run. Runs that have no code and no time that matters are left out. */
Status MUST plan_open(const Query *query, const ScanSpec *spec, struct index_snapshot *snapshot,
                      Arena *arena,
                      Plan *ret, Err *err);
void plan_close(Plan *plan);                /* accepts one that failed, or is all zero */

void plan_note_field(PlanFields *fields, Str name);
void plan_note_folded(Plan *plan, const Plan *of);
void plan_write_warnings(const Plan *plan, const Query *query, struct buf *answer);

/* ---- Inside: sorting (scan_sort.c) ---- */

/* Sorts by key; stable. spare has room for count. Returns where the result is: hits or spare. */
Hit *hits_sort_by_key(Hit *hits, Hit *spare, uint32_t count, uint32_t key_min, uint32_t key_max);
/* True: two hits are at the same time. */
bool hits_sort_by_time(Hit *hits, uint32_t count, Hit *spare);

#endif
