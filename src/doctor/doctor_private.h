/* doctor_private: types and functions that the files of doctor/ share: rows, names, tallies. */
#ifndef ONYM_DOCTOR_PRIVATE_H
#define ONYM_DOCTOR_PRIVATE_H

#include "doctor.h"

#include <pthread.h>

enum {
    DOCTOR_NAMES_MAX = 1 << 16,             /* different texts: events, releases, hosts; later ones count as no text */
    DOCTOR_NAME_BYTES = 512,
    DOCTOR_TALLIES_MAX = 1 << 14,           /* each of a code, a source and an event */
    DOCTOR_CASES_MAX = 1 << 20,             /* cases of a tally whose people are kept; all cases are counted */
    DOCTOR_VIOLATIONS_MAX = 1 << 22,        /* of the tracking plan; 40 bytes each */
    DOCTOR_TROUBLES_MAX = 1 << 20,          /* of pages, which the browser library reports; 24 bytes each */
    DOCTOR_TROUBLE_NAMES = 1 << 13,         /* names that troubles may take, so that enough stay for the rest */
    DOCTOR_PLACES = 10,                     /* pages of a finding that are shown */
    DOCTOR_VERSIONS = 5,                    /* releases of a finding that are shown */
    DOCTOR_PLACE_BYTES = 160,
    DOCTOR_EXAMPLES = 5, DOCTOR_PERSONS = 20,
    DOCTOR_SESSION_MS = 30 * MINUTE_MS,     /* a gap of this length ends a session */
    DOCTOR_YOUNG_MS = 2 * DAY_MS,           /* of a younger source only errors and breaks of the plan are findings */
    DOCTOR_TRACKED_MS = 30 * DAY_MS,        /* with less history a new user and an old one look the same */
};

typedef enum DoctorCode {
#define FINDING(NAME, ...) DOCTOR_##NAME,
#include "findings.tbl.h"
    DOCTOR_CODE_COUNT
} DoctorCode;

typedef enum DoctorSeverity { DOCTOR_INFO, DOCTOR_WARNING, DOCTOR_ERROR, DOCTOR_SEVERITIES } DoctorSeverity;
extern const char *const doctor_severities[DOCTOR_SEVERITIES];
typedef enum DoctorBy { DOCTOR_PASS, DOCTOR_SYMPTOM, DOCTOR_LATER } DoctorBy;

typedef struct DoctorFinding {
    const char *code;
    DoctorBy by;
    DoctorSeverity least;
    uint32_t ppm, error_ppm, floor, base;
    const char *title, *of, *why, *effect;
} DoctorFinding;
extern const DoctorFinding doctor_findings[DOCTOR_CODE_COUNT];

/* ---- Names: texts as numbers; 0 is none (doctor_texts.c) ---- */

struct doctor_names {
    Arena *arena;
    Str *texts;
    uint32_t count, capacity;
    struct slots slots;
};
uint32_t doctor_name(struct doctor_names *names, Str text);
struct exam;
uint32_t doctor_release(struct exam *exam, Str library, Str version);       /* "library version" */

/* ---- Rows: one for each message of the window ---- */

typedef enum SourceAge { SOURCE_NOT_SEEN, SOURCE_YOUNG, SOURCE_OLD } SourceAge;     /* younger than DOCTOR_YOUNG_MS */

enum {
    ROW_SIGNUP = 1, ROW_LOGIN = 2, ROW_IMPORT = 4,
    ROW_OF_USER = 8,                        /* the alias's previous id is a user id */
    ROW_TROUBLE = 16,                       /* the browser library reports a fault of the page */
};

typedef struct DoctorRow {
    Millis time_ms, arrival_ms;             /* an import arrives when its event happened */
    JournalPos pos;
    uint64_t message;                       /* a hash of the messageId */
    uint64_t payload;                       /* a hash of the JSON of properties or traits */
    IdentityNode user, device;              /* IDENTITY_NONE: no id, a blocked one, or one that is gone */
    uint32_t person;                        /* or QUERY_NOBODY */
    uint32_t source, release, name;         /* names; release: "library version"; name: of a track, a page, a screen */
    union {
        struct { uint32_t host, referrer; };    /* names of hosts, in lower case */
        IdentityNode previous;              /* aliases */
    };
    uint32_t agent;                         /* of the browser, hashed */
    uint32_t app;                           /* a name: the app's version; if it has none, the release */
    uint8_t type, flags;
} DoctorRow;

/* One way in which a message breaks the tracking plan (doctor_plan.c). */
typedef struct DoctorViolation {
    JournalPos pos;
    size_t row;                             /* its message's place among the rows, once known */
    uint32_t code, source, event, field, value;     /* a DoctorCode; names */
} DoctorViolation;

/* A fault that the browser library reports of a message's page (doctor_troubles.c). */
typedef struct DoctorTrouble {
    JournalPos pos;
    uint32_t row;                           /* its message's place among the rows, once known */
    uint32_t code, page, value;             /* a DoctorCode; names */
} DoctorTrouble;

/* ---- When people were first seen, also before the window (doctor_history.c) ---- */

typedef struct DoctorPerson {
    Millis first_ms, first_user_ms, first_anonymous_ms;     /* INT64_MAX: never */
} DoctorPerson;

struct exam {
    const DoctorQuestion *question;
    const QueryPeople *people;
    struct identity *identity;
    Arena *arena;
    Millis now_ms, from_ms;
    JournalPos end;                         /* records before it are applied */
    struct doctor_names names;
    DoctorRow *rows;
    size_t row_count, row_capacity, rows_max;
    bool is_cut;                            /* something was left out: a shorter window (rows_max), or over a cap */
    bool has_signups;                       /* some event, ever, has the name of a sign-up */
    uint32_t signup;                        /* the name of such an event, if the window has none */
    bool has_browser;                       /* some page call has an anonymous id */
    bool has_visits;                        /* some message has a visit's number: the loss meter is on */
    Millis first_ms;                        /* the first event of all */
    const uint32_t *others;                 /* more people whose history is wanted, beside those of the rows */
    size_t other_count;
    uint64_t *has_person;                   /* a bit for each person, set for those of the rows and the others */
    uint32_t *ranks;
    DoctorPerson *persons;
    uint32_t *by_device;                    /* rows with an anonymous id, sorted by it, then by time */
    size_t device_row_count;
    DoctorViolation *violations;            /* in the order of the journal; the pass sorts them anew */
    size_t violation_count, violation_capacity;
    Arena plan_scratch;
    DoctorTrouble *troubles;                /* in the order of the journal */
    size_t trouble_count, trouble_capacity;
    uint32_t trouble_names;                 /* how many names troubles took; anybody may send such texts */
    uint8_t *young;                         /* a byte for each name; for a source's, a SourceAge */
    bool knows_old;                         /* the index was asked: a source that is not marked old is young */
    struct tally **tallies;
    uint32_t tally_count, tally_capacity;
    struct slots tally_slots;
};

/* doctor.c. Call doctor_close_exam afterwards, also after a failure. */
void doctor_open_exam(struct exam *exam, const DoctorQuestion *question, struct region *region, Arena *arena);
void doctor_close_exam(struct exam *exam, struct region *region);
Status MUST doctor_gather(struct exam *exam, Err *err);
Status MUST doctor_find_history(struct exam *exam, Err *err);
const DoctorPerson *doctor_person(const struct exam *exam, uint32_t person);
Status MUST doctor_go_on(const struct exam *exam, Err *err);        /* ERR_CLOSED: the question was given up */

/* doctor_sort lists the rows that a pass wants, in its order, as places in exam->rows; the caller frees the list. */
typedef bool DoctorWants(const DoctorRow *row);
typedef int DoctorOrder(const DoctorRow *a, const DoctorRow *b);
/* In a sorted list, rows with the same key follow each other. Returns where the group that begins at `from` ends. */
typedef uint32_t DoctorKey(const DoctorRow *row);
size_t doctor_group(const struct exam *exam, const uint32_t *places, size_t count, size_t from, DoctorKey *key);
uint32_t doctor_key_device(const DoctorRow *row);
uint32_t doctor_key_person(const DoctorRow *row);
Status MUST doctor_sort(const struct exam *exam, DoctorWants *wants, DoctorOrder *order, uint32_t **ret,
                        size_t *ret_count, Err *err);
/* doctor_compare_time: by time, then by position. Every order of rows ends with it, so no two rows are equal. */
static inline int doctor_compare(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }
static inline int doctor_compare_time(const DoctorRow *a, const DoctorRow *b)
{
    if (a->time_ms != b->time_ms) return a->time_ms < b->time_ms ? -1 : 1;
    return doctor_compare(journal_number(a->pos), journal_number(b->pos));
}

bool doctor_is_signup(const DoctorQuestion *question, Str track);
bool doctor_is_server(const struct exam *exam, uint32_t source);
/* Fills exam->by_device. */
Status MUST doctor_sort_devices(struct exam *exam, Err *err);
/* Why a sign-up has no history: one of ID-1 to ID-1c (doctor_signups.c). After doctor_sort_devices. */
DoctorCode doctor_find_cause(const struct exam *exam, const DoctorRow *signup);
/* The device's first row in the window that has a page's host; NULL: none. */
const DoctorRow *doctor_first_page_of(const struct exam *exam, IdentityNode device);
/* True if the trait created_at or createdAt says that the account was older than a day at this time. */
bool doctor_is_old_account(const struct exam *exam, uint32_t person, Millis at_ms);

/* ---- Tallies: the cases of a code, of a source (and an event) (doctor_tally.c) ---- */

typedef struct DoctorCase {
    uint32_t person, release;
    uint64_t weight;                        /* how many cases it stands for; 0: one more person of a case */
} DoctorCase;

struct tally {
    DoctorCode code;
    uint32_t source, event, field;          /* names; event 0: of all events */
    uint32_t value;                         /* a name: the value that was found; of several sums, the largest one's */
    uint64_t value_count;
    uint64_t count, of;
    uint64_t all;                           /* not used */
    Millis first_ms, last_ms;               /* arrival of cases */
    JournalPos examples[DOCTOR_EXAMPLES];   /* the newest, newest first */
    uint32_t example_count;
    DoctorCase *cases;                      /* each with a person and a release */
    size_t case_count, case_capacity;
    bool is_more;                           /* there were more than DOCTOR_CASES_MAX */
    struct { uint32_t page; uint64_t count; } places[DOCTOR_PLACES];    /* pages by their cases, most first */
    uint32_t place_count;
    /* once it is judged */
    uint32_t *persons, person_count;        /* each once, the one seen first in front */
    uint32_t release;                       /* the release of most cases */
    uint64_t release_cases;
    Millis release_first_ms;
};

/* Counts one more of the things of which cases are a share. */
void tally_unit(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event);
/* Counts one more case, with the row's person. NULL: there is no room for the tally. */
struct tally *tally_case(struct exam *exam, DoctorCode code, uint32_t event, const DoctorRow *row);
/* The same for a field of the event; 0: for none. */
struct tally *tally_case_of(struct exam *exam, DoctorCode code, uint32_t event, uint32_t field, const DoctorRow *row);
/* Adds cases that another module has counted to the tally of this code, source, event and field. NULL: no room. */
typedef struct DoctorSum {
    DoctorCode code;
    Str source, event, field, value;        /* value: what was found, to be shown; leave it empty for secrets */
    Str library, version;
    uint64_t count, of;
    bool is_whole;                          /* each sum's `of` is of the whole source, so the largest one counts */
    Millis first_ms, last_ms;               /* arrival of the first and the last case, if there are cases */
    const JournalPos *examples;
    size_t example_count;
    const IdentityNode *subjects;           /* the people of the cases */
    size_t subject_count;
    bool is_more;                           /* there are more people than these */
} DoctorSum;
struct tally *tally_add(struct exam *exam, const DoctorSum *sum);
/* Adds one more person to the case before. */
void tally_person(struct tally *tally, uint32_t person, const DoctorRow *row);
/* Adds a page with its cases; call it once for each page. */
void tally_place(const struct exam *exam, struct tally *tally, uint32_t page, uint64_t count);
struct tally *tally_find(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event);   /* NULL: none */
void tally_settle(struct exam *exam, struct tally *tally);
void tally_close(struct exam *exam);
/* The lower bound of the share, with 95 % confidence (Wilson). */
double tally_bound(uint64_t count, uint64_t of);

/* ---- A message's JSON, read without building a tree (doctor_peek.c) ---- */

/* Slices of the JSON, with their escapes. Empty: it is not there, or not a text. */
typedef struct DoctorPeek {
    Str library, version, app, url, referrer, agent, payload, health, visit;
} DoctorPeek;
void doctor_peek(Str json, DoctorPeek *ret);
void doctor_peek_event(const Event *event, DoctorPeek *ret);    /* an event of a record: passes over ids and times */
Str doctor_host(Str url, char room[256]);               /* in lower case; empty: none */
bool doctor_is_same_site(Str a, Str b);                 /* both hosts probably belong to one registrable domain */

/* ---- Passes ---- */

typedef Status DoctorPass(struct exam *exam, Err *err);
DoctorPass doctor_pass_devices, doctor_pass_signups, doctor_pass_people, doctor_pass_lost, doctor_pass_twice,
    doctor_pass_symptoms, doctor_pass_spellings, doctor_pass_plan, doctor_pass_troubles, doctor_pass_losses,
    doctor_pass_versions;
/* doctor_gather calls it for each message whose record has a stamp of the tracking plan. */
void doctor_note_violations(struct exam *exam, const Event *event, JournalPos pos);

/* doctor_gather calls it for a message with a list of faults. False: it has no word that we know. */
bool doctor_note_troubles(struct exam *exam, const DoctorPeek *peek, JournalPos pos);
/* "shop.de/orders/#": the page without what may be an id, a token or an address. 0: no page. */
uint32_t doctor_name_page(struct exam *exam, Str host, Str path);
const DoctorRow *doctor_find_row(const struct exam *exam, JournalPos pos);      /* NULL: the message has no row */

/* ---- Findings as JSON, and their kept states ---- */

/* What the server's own examination last counted for this finding. */
typedef struct DoctorNumbers {
    Millis at_ms;                           /* 0: never since the start */
    uint64_t count, of;
    size_t people;
    bool is_more;                           /* there may be more people */
    DoctorSeverity severity;
} DoctorNumbers;

typedef struct DoctorState {
    char fingerprint[DOCTOR_FINGERPRINT_BYTES + 1];
    DoctorCode code;
    char source[64 + 1], event[128 + 1];    /* cut to length; shown for findings that have ended */
    Millis found_ms, last_ms, ended_ms;     /* first reported; the last case; 0: it has not ended */
    Millis told_ms;                         /* last reported; not in the file */
    Millis muted_until_ms;                  /* 0: not muted */
    char reason[DOCTOR_REASON_BYTES + 1];
    bool is_reopened;
    Millis changed_ms;                      /* when it was first found, or came back */
    uint8_t alerted;                        /* a bit for each receiver that knows of this change */
    DoctorNumbers numbers;                  /* not in the file */
} DoctorState;

typedef enum DoctorVerdict { DOCTOR_NOTHING, DOCTOR_TOO_FEW, DOCTOR_FOUND } DoctorVerdict;
DoctorVerdict doctor_judge(const struct exam *exam, const struct tally *tally, DoctorSeverity *ret);
void doctor_fingerprint(const struct exam *exam, const struct tally *tally, char text[DOCTOR_FINGERPRINT_BYTES + 1]);
/* Notes that the finding is reported now, and gives its kept state. False: there are too many findings to keep it. */
bool doctor_note(struct doctor *doctor, const DoctorState *now, DoctorState *ret);
/* Call it once all findings of now are noted. If ids were erased since the last call, it forgets the names of events of
 * all other findings. erased: how many ids are erased by now. */
void doctor_forget_names(struct doctor *doctor, uint32_t erased, Millis now_ms);
/* Ends each finding that is not reported now and has had no case for a week. Call it only for a question about all
 * sources and at least a week: another question does not see every finding. */
void doctor_end_old(struct doctor *doctor, Millis now_ms);
/* Visits each finding that ended in the last 30 days; forgets older ones. */
void doctor_visit_ended(struct doctor *doctor, Millis now_ms, void (*visit)(void *context, const DoctorState *state),
                        void *context);
/* Notes when the server's own examination was. */
void doctor_set_examined(struct doctor *doctor, Millis at_ms);
Status MUST doctor_keep(struct doctor *doctor, Err *err);           /* writes the file if something has changed */
void doctor_note_numbers(struct doctor *doctor, Str fingerprint, const DoctorNumbers *numbers);

/* ---- What the server's own examination found (doctor_summary.c) ---- */

struct doctor_summary {
    pthread_mutex_t lock;
    DoctorSummary of;
    uint32_t counts[DOCTOR_CODE_COUNT][DOCTOR_SEVERITIES];
    uint32_t running;                       /* examinations that run now, whoever asked */
};
void doctor_summary_init(struct doctor_summary *summary);
void doctor_summary_done(struct doctor_summary *summary);
struct doctor_summary *doctor_summary_of(struct doctor *doctor);
void doctor_summary_run(struct doctor_summary *summary, int by);        /* 1: one begins, -1: it has ended */
/* counts: of the examination that has just ended; NULL: leaves the counts as they are. */
void doctor_summary_put(struct doctor_summary *summary, const DoctorSummary *now,
                        uint32_t (*counts)[DOCTOR_SEVERITIES]);

void doctor_write(struct exam *exam, struct doctor *doctor, struct buf *out);
void doctor_write_person(const struct exam *exam, uint32_t person, struct buf *out);

/* ---- The last answer (doctor_cache.c) ---- */

struct doctor_cache {
    pthread_mutex_t lock;
    char *text;                             /* NULL: none */
    size_t len;
    uint64_t key, age;                      /* age: how often the answer was forgotten */
    Millis at_ms;
    JournalPos from, end;
    uint32_t erased;
};
void doctor_cache_init(struct doctor_cache *cache);
void doctor_cache_done(struct doctor_cache *cache);
struct doctor_cache *doctor_cache_of(struct doctor *doctor);
/* Appends the kept answer if it still answers this question. Returns whether it did. */
bool doctor_cache_find(struct doctor_cache *cache, const DoctorQuestion *question, struct buf *out);
/* Keeps an answer. age: doctor_cache_age before the answer was computed. */
void doctor_cache_put(struct doctor_cache *cache, const DoctorQuestion *question, Str answer, uint64_t age);
uint64_t doctor_cache_age(struct doctor_cache *cache);
void doctor_cache_forget(struct doctor_cache *cache);

/* ---- The file of findings (doctor_states.c), and who gets alerts about its changes (doctor_alerts.c) ---- */

struct doctor {
    pthread_mutex_t lock;
    struct disk *disk;
    char *path;
    DoctorState *states;
    size_t count, capacity;
    bool is_changed;
    uint32_t erased;                        /* erased ids when doctor_forget_names was called last */
    Millis examined_ms;                     /* when the server examined by itself; 0: never */
    uint64_t receivers[DOCTOR_RECEIVERS];   /* keys; bit n of a state's `alerted` is for receivers[n]; 0: none */
    struct doctor_cache cache;
    struct doctor_summary summary;
};

#endif
