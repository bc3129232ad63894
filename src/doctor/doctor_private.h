/* doctor_private: what the files of doctor/ share: rows, names, tallies. */
#ifndef ONYM_DOCTOR_PRIVATE_H
#define ONYM_DOCTOR_PRIVATE_H

#include "doctor.h"

#include <pthread.h>

enum {
    DOCTOR_NAMES_MAX = 1 << 16,             /* texts that are told apart: events, releases, hosts; then they are none */
    DOCTOR_NAME_BYTES = 512,
    DOCTOR_TALLIES_MAX = 1 << 14,           /* a code of a source and an event each */
    DOCTOR_CASES_MAX = 1 << 20,             /* of a tally, whose people are told; all are counted */
    DOCTOR_VIOLATIONS_MAX = 1 << 22,        /* of the tracking plan; 40 bytes each */
    DOCTOR_TROUBLES_MAX = 1 << 20,          /* of pages, as the browser library says; 24 bytes each */
    DOCTOR_TROUBLE_NAMES = 1 << 13,         /* pages and cookies of them; so many names stay for the rest */
    DOCTOR_PLACES = 10,                     /* pages of a finding that are told */
    DOCTOR_VERSIONS = 5,                    /* releases of a finding that are told */
    DOCTOR_PLACE_BYTES = 160,
    DOCTOR_EXAMPLES = 5, DOCTOR_PERSONS = 20,
    DOCTOR_SESSION_MS = 30 * MINUTE_MS,     /* a gap of so long ends a session */
    DOCTOR_YOUNG_MS = 2 * DAY_MS,           /* of a source that is younger only errors are told */
    DOCTOR_TRACKED_MS = 30 * DAY_MS,        /* who has collected for less cannot tell a new user from an old one */
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

/* ---- Rows: a message of the window each ---- */

typedef enum SourceAge { SOURCE_NOT_SEEN, SOURCE_YOUNG, SOURCE_OLD } SourceAge;     /* younger than DOCTOR_YOUNG_MS */

enum {
    ROW_SIGNUP = 1, ROW_LOGIN = 2, ROW_IMPORT = 4,
    ROW_OF_USER = 8,                        /* the alias is of a user */
    ROW_TROUBLE = 16,                       /* the browser library says that something is wrong in the page */
};

typedef struct DoctorRow {
    Millis time_ms, arrival_ms;             /* arrival of an import: its time */
    JournalPos pos;
    uint64_t message;                       /* a hash of the messageId */
    uint64_t payload;                       /* a hash of properties or traits, as they stand */
    IdentityNode user, device;              /* IDENTITY_NONE: none, blocked, or retired since */
    uint32_t person;                        /* or QUERY_NOBODY */
    uint32_t source, release, name;         /* names; release: "library version"; name: of a track, a page, a screen */
    union {
        struct { uint32_t host, referrer; };    /* names of hosts, in lower case */
        IdentityNode previous;              /* aliases */
    };
    uint32_t agent;                         /* of the browser, hashed */
    uint32_t app;                           /* a name: the app's version, or else the release */
    uint8_t type, flags;
} DoctorRow;

/* One way in which a message breaks the tracking plan (doctor_plan.c). */
typedef struct DoctorViolation {
    JournalPos pos;
    size_t row;                             /* its place among the rows, once that is known */
    uint32_t code, source, event, field, value;     /* a DoctorCode; names */
} DoctorViolation;

/* What the browser library says is wrong in the page of a message (doctor_troubles.c). */
typedef struct DoctorTrouble {
    JournalPos pos;
    uint32_t row;                           /* its place among the rows, once that is known */
    uint32_t code, page, value;             /* a DoctorCode; names */
} DoctorTrouble;

/* ---- What is known of people from before the window (doctor_history.c) ---- */

typedef struct DoctorPerson {
    Millis first_ms, first_user_ms, first_anonymous_ms;     /* INT64_MAX: never */
} DoctorPerson;

struct exam {
    const DoctorQuestion *question;
    const QueryPeople *people;
    struct identity *identity;
    Arena *arena;
    Millis now_ms, from_ms;
    JournalPos end;                         /* what lies before it is applied */
    struct doctor_names names;
    DoctorRow *rows;
    size_t row_count, row_capacity, rows_max;
    bool is_cut;                            /* the window is shorter than was asked for: rows_max */
    bool has_signups;                       /* some message ever was a sign-up by its name */
    uint32_t signup;                        /* the name of one that was, for what has no message of it */
    bool has_browser;                       /* some page was seen by a device */
    bool has_visits;                        /* some message has a number in a page's visit: the loss meter is on */
    Millis first_ms;                        /* the first event of all, of these people */
    const uint32_t *others;                 /* people beside those of the rows whose history is asked for, too */
    size_t other_count;
    uint64_t *has_person;                   /* a bit a person of the rows and of the others */
    uint32_t *ranks;
    DoctorPerson *persons;
    uint32_t *by_device;                    /* rows with an anonymous id, by it and time */
    size_t device_row_count;
    DoctorViolation *violations;            /* in the order of the journal, then of what they are about */
    size_t violation_count, violation_capacity;
    Arena plan_scratch;
    DoctorTrouble *troubles;                /* in the order of the journal */
    size_t trouble_count, trouble_capacity;
    uint32_t trouble_names;                 /* that they took of the names: anybody may write them */
    uint8_t *young;                         /* a byte a name: of sources, a SourceAge */
    bool knows_old;                         /* each source that is old is known to be */
    struct tally **tallies;
    uint32_t tally_count, tally_capacity;
    struct slots tally_slots;
};

/* doctor.c. Closed by doctor_close_exam, whatever went wrong between. */
void doctor_open_exam(struct exam *exam, const DoctorQuestion *question, struct region *region, Arena *arena);
void doctor_close_exam(struct exam *exam, struct region *region);
Status MUST doctor_gather(struct exam *exam, Err *err);
Status MUST doctor_find_history(struct exam *exam, Err *err);
const DoctorPerson *doctor_person(const struct exam *exam, uint32_t person);
Status MUST doctor_go_on(const struct exam *exam, Err *err);        /* ERR_CLOSED: who asked has left */

/* The rows that a pass is about, in its order: places of exam->rows. Freed by who asked. */
typedef bool DoctorWants(const DoctorRow *row);
typedef int DoctorOrder(const DoctorRow *a, const DoctorRow *b);
/* One thing's rows of an order: from is where they begin, gives where they end. */
typedef uint32_t DoctorKey(const DoctorRow *row);
size_t doctor_group(const struct exam *exam, const uint32_t *places, size_t count, size_t from, DoctorKey *key);
uint32_t doctor_key_device(const DoctorRow *row);
uint32_t doctor_key_person(const DoctorRow *row);
Status MUST doctor_sort(const struct exam *exam, DoctorWants *wants, DoctorOrder *order, uint32_t **ret,
                        size_t *ret_count, Err *err);
/* By position; the last word of every order. */
static inline int doctor_compare(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }
static inline int doctor_compare_time(const DoctorRow *a, const DoctorRow *b)
{
    if (a->time_ms != b->time_ms) return a->time_ms < b->time_ms ? -1 : 1;
    return doctor_compare(journal_number(a->pos), journal_number(b->pos));
}

bool doctor_is_signup(const DoctorQuestion *question, Str track);
bool doctor_is_server(const struct exam *exam, uint32_t source);
/* Rows with an anonymous id, by it and time: exam->by_device. */
Status MUST doctor_sort_devices(struct exam *exam, Err *err);
/* Why a sign-up has no history: one of ID-1 to ID-1c (doctor_signups.c). After doctor_sort_devices. */
DoctorCode doctor_find_cause(const struct exam *exam, const DoctorRow *signup);
/* The first row of the device in the window that stands on some page; NULL: none. */
const DoctorRow *doctor_first_page_of(const struct exam *exam, IdentityNode device);
/* By the trait of that name the account is older than a day at this time. */
bool doctor_is_old_account(const struct exam *exam, uint32_t person, Millis at_ms);

/* ---- Tallies: a code of a source (and an event), counted (doctor_tally.c) ---- */

typedef struct DoctorCase {
    uint32_t person, release;
    uint64_t weight;                        /* how many cases it stands for; 0: a further person of one */
} DoctorCase;

struct tally {
    DoctorCode code;
    uint32_t source, event, field;          /* names; event 0: of all */
    uint32_t value;                         /* a name: what stood there; of the largest sum */
    uint64_t value_count;
    uint64_t count, of;
    uint64_t all;                           /* of codes that share a threshold: the cases of all of them */
    Millis first_ms, last_ms;               /* arrival of cases */
    JournalPos examples[DOCTOR_EXAMPLES];   /* the newest, newest first */
    uint32_t example_count;
    DoctorCase *cases;                      /* a person of a case each, and its release */
    size_t case_count, case_capacity;
    bool is_more;                           /* than DOCTOR_CASES_MAX */
    struct { uint32_t page; uint64_t count; } places[DOCTOR_PLACES];    /* pages by their cases, most first */
    uint32_t place_count;
    /* once it is judged */
    uint32_t *persons, person_count;        /* each once, in order */
    uint32_t release;                       /* of most of the cases */
    uint64_t release_cases;
    Millis release_first_ms;
};

/* One more of what the share is of. */
void tally_unit(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event);
/* One more case, whose person is the row's; NULL: no room for it. */
struct tally *tally_case(struct exam *exam, DoctorCode code, uint32_t event, const DoctorRow *row);
/* The same of a field of the event; 0: of none. */
struct tally *tally_case_of(struct exam *exam, DoctorCode code, uint32_t event, uint32_t field, const DoctorRow *row);
/* What somebody else counted, added up with what is there of the same code, source, event and field. NULL: no room. */
typedef struct DoctorSum {
    DoctorCode code;
    Str source, event, field, value;        /* value: what stood there, to be told; leave it empty for what is secret */
    Str library, version;
    uint64_t count, of;
    bool is_whole;                          /* of is the whole source's, in each sum: the largest counts */
    Millis first_ms, last_ms;               /* arrival of the first and the last case; looked at where there are some */
    const JournalPos *examples;
    size_t example_count;
    const IdentityNode *subjects;           /* whose the cases are */
    size_t subject_count;
    bool is_more;                           /* there are more of them */
} DoctorSum;
struct tally *tally_add(struct exam *exam, const DoctorSum *sum);
/* A further person of the case before. */
void tally_person(struct tally *tally, uint32_t person, const DoctorRow *row);
/* A page and its cases; each page once. */
void tally_place(const struct exam *exam, struct tally *tally, uint32_t page, uint64_t count);
struct tally *tally_find(struct exam *exam, DoctorCode code, uint32_t source, uint32_t event);   /* NULL: none */
void tally_settle(struct exam *exam, struct tally *tally);
void tally_close(struct exam *exam);
/* The share that it is at least, with 95 % (Wilson's lower bound). */
double tally_bound(uint64_t count, uint64_t of);

/* ---- A message's JSON, looked at without a tree (doctor_peek.c) ---- */

/* Borrowed from it, as it stands: escapes and all. Empty: not there, or no text. */
typedef struct DoctorPeek {
    Str library, version, app, url, referrer, agent, payload, health, visit;
} DoctorPeek;
void doctor_peek(Str json, DoctorPeek *ret);
void doctor_peek_event(const Event *event, DoctorPeek *ret);    /* of one out of a record: without its ids and times */
Str doctor_host(Str url, char room[256]);               /* in lower case; empty: none */
bool doctor_is_same_site(Str a, Str b);                 /* hosts of one registrable domain, as far as can be told */

/* ---- Passes ---- */

typedef Status DoctorPass(struct exam *exam, Err *err);
DoctorPass doctor_pass_devices, doctor_pass_signups, doctor_pass_people, doctor_pass_lost, doctor_pass_twice,
    doctor_pass_symptoms, doctor_pass_spellings, doctor_pass_plan, doctor_pass_troubles, doctor_pass_losses,
    doctor_pass_versions;
/* By doctor_gather, of each message whose record has such a stamp. */
void doctor_note_violations(struct exam *exam, const Event *event, JournalPos pos);

/* By doctor_gather, of a message with such a list. False: nothing in it is known. */
bool doctor_note_troubles(struct exam *exam, const DoctorPeek *peek, JournalPos pos);
/* "shop.de/orders/#": the page without what may be an id, a token or an address. 0: no page. */
uint32_t doctor_name_page(struct exam *exam, Str host, Str path);
const DoctorRow *doctor_find_row(const struct exam *exam, JournalPos pos);      /* NULL: it does not count */

/* ---- Findings as JSON, and what is kept of them ---- */

/* What the server's own examination counted of it last. */
typedef struct DoctorNumbers {
    Millis at_ms;                           /* 0: never since the start */
    uint64_t count, of;
    size_t people;
    bool is_more;                           /* people: or more */
    DoctorSeverity severity;
} DoctorNumbers;

typedef struct DoctorState {
    char fingerprint[DOCTOR_FINGERPRINT_BYTES + 1];
    DoctorCode code;
    char source[64 + 1], event[128 + 1];    /* cut; for findings that have ended */
    Millis found_ms, last_ms, ended_ms;     /* first told; the last case; 0: goes on */
    Millis told_ms;                         /* last told; not kept */
    Millis muted_until_ms;                  /* 0: not muted */
    char reason[DOCTOR_REASON_BYTES + 1];
    bool is_reopened;
    Millis changed_ms;                      /* when it was new, or came back */
    uint8_t alerted;                        /* a bit a receiver that was told of this change */
    DoctorNumbers numbers;                  /* not kept */
} DoctorState;

typedef enum DoctorVerdict { DOCTOR_NOTHING, DOCTOR_TOO_FEW, DOCTOR_FOUND } DoctorVerdict;
DoctorVerdict doctor_judge(const struct exam *exam, const struct tally *tally, DoctorSeverity *ret);
void doctor_fingerprint(const struct exam *exam, const struct tally *tally, char text[DOCTOR_FINGERPRINT_BYTES + 1]);
/* Notes that the finding is told now, and gives what is known of it. false: there are too many to keep. */
bool doctor_note(struct doctor *doctor, const DoctorState *now, DoctorState *ret);
/* Once all that is told now is noted: where somebody was erased since, names of events that are not told now are
 * forgotten. erased: so many ids are. */
void doctor_forget_names(struct doctor *doctor, uint32_t erased, Millis now_ms);
/* What has had no case for a week, and is not told now, has ended. Only a question about all sources and a whole week
 * can tell: another one does not see all that goes on. */
void doctor_end_old(struct doctor *doctor, Millis now_ms);
/* Each that ended not long ago; older ones are forgotten. */
void doctor_visit_ended(struct doctor *doctor, Millis now_ms, void (*visit)(void *context, const DoctorState *state),
                        void *context);
/* When the server examined by itself, to be kept with the rest. */
void doctor_set_examined(struct doctor *doctor, Millis at_ms);
Status MUST doctor_keep(struct doctor *doctor, Err *err);           /* writes the file where something has changed */
void doctor_note_numbers(struct doctor *doctor, Str fingerprint, const DoctorNumbers *numbers);

/* ---- What the server's own examination found (doctor_summary.c) ---- */

struct doctor_summary {
    pthread_mutex_t lock;
    DoctorSummary of;
    uint32_t counts[DOCTOR_CODE_COUNT][DOCTOR_SEVERITIES];
    uint32_t running;                       /* examinations of whomever, now */
};
void doctor_summary_init(struct doctor_summary *summary);
void doctor_summary_done(struct doctor_summary *summary);
struct doctor_summary *doctor_summary_of(struct doctor *doctor);
void doctor_summary_run(struct doctor_summary *summary, int by);        /* 1: one begins, -1: it has ended */
/* counts: of the one that has just ended. */
void doctor_summary_put(struct doctor_summary *summary, const DoctorSummary *now,
                        uint32_t (*counts)[DOCTOR_SEVERITIES]);

void doctor_write(struct exam *exam, struct doctor *doctor, struct buf *out);
void doctor_write_person(const struct exam *exam, uint32_t person, struct buf *out);

/* ---- The last answer (doctor_cache.c) ---- */

struct doctor_cache {
    pthread_mutex_t lock;
    char *text;                             /* NULL: none */
    size_t len;
    uint64_t key, age;                      /* age: how often it was forgotten */
    Millis at_ms;
    JournalPos from, end;
    uint32_t erased;
};
void doctor_cache_init(struct doctor_cache *cache);
void doctor_cache_done(struct doctor_cache *cache);
struct doctor_cache *doctor_cache_of(struct doctor *doctor);
/* Appends it, where it is the answer to this question still. */
bool doctor_cache_find(struct doctor_cache *cache, const DoctorQuestion *question, struct buf *out);
/* Once it is written. age: as it was before it was computed. */
void doctor_cache_put(struct doctor_cache *cache, const DoctorQuestion *question, Str answer, uint64_t age);
uint64_t doctor_cache_age(struct doctor_cache *cache);
void doctor_cache_forget(struct doctor_cache *cache);

/* ---- The file of findings (doctor_states.c), and whom its changes are told (doctor_alerts.c) ---- */

struct doctor {
    pthread_mutex_t lock;
    struct disk *disk;
    char *path;
    DoctorState *states;
    size_t count, capacity;
    bool is_changed;
    uint32_t erased;                        /* ids, when names were last looked through */
    Millis examined_ms;                     /* by the server itself; 0: never */
    uint64_t receivers[DOCTOR_RECEIVERS];   /* of alerts: bit n of a state's `alerted` is of the one at n; 0: none */
    struct doctor_cache cache;
    struct doctor_summary summary;
};

#endif
