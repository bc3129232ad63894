/* symptoms: what one message shows by itself, counted as it is applied. Food for the doctor.
 *
 * What it is not: it judges nothing. Whether 12 of 200 is worth a word, to whom it happened and what to do about it is
 * the doctor's business; what needs two messages or more (a sign-up without history, the same event twice) is found by
 * passes over the index. It may call event/, kv/ and base/.
 *
 * Counters stand in days: UTC days by arrival, 90 of them (SYMPTOMS_DAYS). A day has
 *   origins   who sent: source, library and its version, the app's version, live or imported. With tallies, which are
 *             what shares are shares of
 *   events    of an origin, by type and name, with the fields that they had under properties (identify and group:
 *             traits), each with how often it was of which type, and numbers with how large they were
 *   rows      of an origin and a code of symptoms.tbl.h, about an event, a field and a value: how often, first and last
 *             seen, at most five examples and a bounded set of whom it happened to
 *
 * What is in a row's field and value (an empty one means nothing):
 *   ID-5   field: userId, anonymousId, previousId, groupId. value: the placeholder, in lower case, or what kind of
 *          odd value it is: "template", "jwt", "url", "json", "long", "quoted"
 *   ID-8   each message with a userId. value: its shape (symptoms_id_shape), of a prefix with it: "prefix user_"
 *   ID-16  a userId with white space around it. value: "blanks"
 *   CL-1   receivedAt and sentAt are over five minutes apart. value: "ahead" (the client's clock is) or "behind"
 *   CL-2   ... by a multiple of half an hour, within two minutes. value: what the clock is ahead, as "+05:30", "-08:00"
 *   CL-3   value: collection's word for the time problem, "timestamp_unreadable"
 *   CL-4   sentAt equals the time it happened, both over an hour before it arrived
 *   CL-5   it arrived over 24 hours after it happened
 *   EN-1   value: the kind of host, "localhost", "private address", "file", "staging", "preview", "test"
 *   EN-2   value: the robot's name as its agent gives it (symptoms_find_bot), "webdriver"
 *   LO-1   value: the reason, field: the field at fault
 *   TW-4   the same messageId again
 *   PR-7   field: the money's. value: "text", "negative", "no currency", "odd currency"
 *   PD-1   field: where, with properties. or traits. in front. value: "key", "jwt", "pem", "card". Never the secret
 *   PD-2   field: context.page.url, .search, .referrer, .path. value: "email", "secret", "token path"
 *   PD-3   field: where. value: "email", "phone", "name"
 *   PD-5   field: where. value: "email"
 *   NM-6   a page or screen with neither name nor path
 *   TW-3   the client gave no messageId; whoever sends it
 *   PR-8   field: where. value: "text over 508 bytes", which the index does not hold
 *
 * Invariants
 *  1. What is counted is a function of the set of messages of a day: a rebuild and any order of arrival give the same,
 *     examples included (those of the smallest hashes of messageId), as long as no ceiling is met. Of what is over a
 *     ceiling the number is told (SymptomDay.over_*), never hidden.
 *  2. Saved in the same transaction as the position it has reached; what is loaded is checked byte by byte and bounded,
 *     and anything else is ERR_DAMAGED.
 *  3. No secret, address or id is kept: rows hold kinds of values, events' names with e-mail addresses and long
 *     numbers are kept without them. Examples are positions: their messages are erased where they lie. Whoever is
 *     erased or suppressed leaves examples and sets (symptoms_forget).
 *
 * Threads: the writing functions by one thread, the applier. Reading is for any thread while the applier stands still
 * (derive/ guards it); a view is its reader's own.
 */
#ifndef ONYM_SYMPTOMS_SYMPTOMS_H
#define ONYM_SYMPTOMS_SYMPTOMS_H

#include "event/event.h"
#include "kv/kv.h"

enum {
    SYMPTOMS_DAYS = 90,                     /* kept, the newest day included */
    SYMPTOMS_EXAMPLES = 5,                  /* of a row */
    SYMPTOMS_SUBJECTS = 1024,               /* of a row: all of them up to here, then those of the smallest hashes */
    SYMPTOMS_ORIGINS = 2000,                /* of a day */
    SYMPTOMS_EVENTS = 4000,                 /* of an origin, and four times as many of a day */
    SYMPTOMS_FIELDS = 300,                  /* of an event, and 100,000 of a day */
    SYMPTOMS_ROWS = 20000,                  /* of a day; of an origin and code 200 */
    SYMPTOMS_NAME_BYTES = 200,              /* names of events and fields are cut here */
};
#define SYMPTOM_NOBODY UINT32_MAX           /* no subject: every id is blocked, or it was rejected */

typedef enum SymptomCode {
#define SYMPTOM(name, code, word) name,
#include "symptoms.tbl.h"
#undef SYMPTOM
    SYMPTOM_CODES
} SymptomCode;
const char *symptoms_code(SymptomCode code);                /* "ID-5" */
const char *symptoms_word(SymptomCode code);                /* "placeholder_id" */

/* What an origin is counted by: the denominators. */
typedef enum SymptomTally {
    TALLY_MESSAGES,                         /* accepted, first of their messageId */
    TALLY_USER, TALLY_ANONYMOUS,            /* ... with such an id, blocked or not */
    TALLY_SENT_AT,                          /* ... with a sentAt that can be read */
    TALLY_PAGES,                            /* page and screen */
    TALLY_URLS,                             /* ... with a context.page.url */
    TALLY_IDENTIFY, TALLY_TRACK,
    TALLY_REPEATS, TALLY_REJECTED,          /* not among the messages */
    SYMPTOM_TALLIES
} SymptomTally;

typedef struct SymptomOrigin {
    Str source, library, version, app_version;              /* empty: the message did not say */
    bool is_import;
    uint64_t tallies[SYMPTOM_TALLIES];
    Millis first_ms, last_ms;               /* arrival */
} SymptomOrigin;

/* What a field's value was. The TEXT_ ones are no TEXT. */
typedef enum SymptomType {
    TYPE_BOOLEAN, TYPE_NUMBER, TYPE_TEXT, TYPE_LIST, TYPE_OBJECT, TYPE_NULL,
    TYPE_EMPTY,                             /* "" */
    TYPE_TEXT_NUMBER, TYPE_TEXT_BOOLEAN, TYPE_TEXT_DATE,    /* "29.90", "true", "2026-11-30…" */
    TYPE_TEXT_JUNK,                         /* "undefined", "null", "NaN", "[object Object]", "Invalid Date" */
    SYMPTOM_TYPES
} SymptomType;
const char *symptoms_type_word(SymptomType type);           /* "boolean", "number as text" */

/* How large numbers were, by quarters of an octave of their amount: bucket 0 is zero and below 2^-16. */
enum { SYMPTOM_BUCKETS = 257, SYMPTOM_BUCKET_LEAST = -16 };
typedef struct SymptomNumbers { uint32_t buckets[SYMPTOM_BUCKETS]; } SymptomNumbers;

/* Who sent a name, while they are so few that the name may be theirs alone: it goes when all of them are forgotten. */
enum { SYMPTOM_SENDERS = 4 };
typedef struct SymptomSenders {
    uint32_t subjects[SYMPTOM_SENDERS], count;              /* ascending */
    bool are_many;                          /* more, or somebody who is nobody: the name stays. Then count is 0 */
} SymptomSenders;

typedef struct SymptomField {
    Str name;                               /* without properties. or traits. */
    uint64_t types[SYMPTOM_TYPES];
    Millis first_ms, last_ms;
    SymptomSenders senders;
    uint8_t traits;                         /* private */
    SymptomNumbers *numbers;                /* NULL: none was a number */
} SymptomField;

enum { SYMPTOM_CURRENCIES = 4 };
typedef struct SymptomEvent {
    uint32_t origin;                        /* its place among the origins */
    EventType type;
    Str name;                               /* empty: the message has none, or (is_over) it is over the ceiling */
    bool is_over;                           /* all events of the origin that are over a ceiling, together */
    uint64_t count, over_fields;            /* over_fields: values of fields over the ceiling */
    Millis first_ms, last_ms;
    SymptomSenders senders;
    SymptomField *fields;
    uint32_t field_count, field_capacity;
    char currencies[SYMPTOM_CURRENCIES][4]; /* properties.currency in capitals, the smallest four; "" from the end */
    uint64_t days[2];                       /* of a view: bit n is its first day + n; of a day: not used */
    struct slots *slots;                    /* private */
} SymptomEvent;

typedef struct SymptomExample { uint64_t hash; uint64_t position; uint32_t subject; } SymptomExample;
/* Subjects are numbers of identity/; the reader finds out which people they are now. */
typedef struct SymptomRow {
    uint32_t origin;
    SymptomCode code;
    Str event, field, value;
    uint64_t count;
    Millis first_ms, last_ms;               /* arrival */
    SymptomExample examples[SYMPTOMS_EXAMPLES];
    uint32_t example_count;
    uint32_t *subjects;                     /* in no order */
    uint32_t subject_count, subject_capacity;
    bool has_more_subjects;                 /* there were more than SYMPTOMS_SUBJECTS: "at least" */
    uint64_t days[2];                       /* as SymptomEvent's */
} SymptomRow;

/* One day, or all days of a view added up: then in order of names, the same whatever came first. */
typedef struct SymptomDay {
    int32_t day;                            /* days since 1970; of a view: the first */
    SymptomOrigin *origins;
    SymptomEvent *events;
    SymptomRow *rows;
    uint32_t origin_count, event_count, row_count;
    uint32_t origin_capacity, event_capacity, row_capacity;
    uint64_t over_origins, over_events, over_fields, over_rows;     /* messages, messages, values, symptoms */
} SymptomDay;

struct symptoms;

typedef struct SymptomsOptions {
    struct kv *kv;                          /* kept; NULL: all stays in memory */
    size_t table;                           /* of it, by its number */
} SymptomsOptions;

/* ERR_DAMAGED: what lies in the table is not what was written. */
Status MUST symptoms_open(const SymptomsOptions *options, struct symptoms **ret, Err *err);
void symptoms_close(struct symptoms *symptoms);             /* accepts NULL; what was not saved is forgotten */

/* ---- Writing ---- */

/* A message that is no repetition. subject: identity's number for it, or SYMPTOM_NOBODY. Errors are the store's: the
 * message is not counted then, and may be given again. */
Status MUST symptoms_add(struct symptoms *symptoms, const Event *event, uint64_t position, uint32_t subject, Err *err);
Status MUST symptoms_add_repeat(struct symptoms *symptoms, const Event *event, uint64_t position, Err *err);
Status MUST symptoms_add_rejected(struct symptoms *symptoms, const Rejected *rejected, uint64_t position, Err *err);
/* These subjects are in no example and in no set from now on; names of events and fields that only they sent, and what
 * only they showed, are gone; counts of what others sent, too, stay. On disk with the next save. Ascending. */
void symptoms_forget(struct symptoms *symptoms, const uint32_t *subjects, size_t count);

/* Much waits in memory, or somebody is to be forgotten: save soon. */
bool symptoms_wants_save(const struct symptoms *symptoms);
/* Writes what waits into the transaction. Then commit, and say by symptoms_end_save whether that worked, while nobody
 * reads. */
Status MUST symptoms_save(struct symptoms *symptoms, struct kv_txn *txn, Err *err);
void symptoms_end_save(struct symptoms *symptoms, bool is_committed);

/* ---- Reading ---- */

/* All days from first_day to before end_day, added up; at most SYMPTOMS_DAYS. In two halves, so that the applier stands
 * still for the first only: begin takes the moment, read does the work. The view lives until symptoms_close_view. */
struct symptoms_view;
Status MUST symptoms_begin_view(struct symptoms *symptoms, int32_t first_day, int32_t end_day,
                                struct symptoms_view **ret, Err *err);
Status MUST symptoms_read_view(struct symptoms_view *view, Err *err);
const SymptomDay *symptoms_view_day(const struct symptoms_view *view);
void symptoms_close_view(struct symptoms_view *view);       /* accepts NULL */

/* ---- Numbers ---- */

uint64_t symptoms_number_count(const SymptomNumbers *numbers);      /* NULL: 0 */
/* The middle amount, within an eighth of it. 0 where there is none. */
double symptoms_median(const SymptomNumbers *numbers);

/* ---- What a text is: pure functions, any thread ---- */

/* The shape of an id: "integer", "uuid", "ulid", "24 hex", "32 hex", "40 hex", "64 hex", "email", "phone", "jwt",
 * "url", "prefix" (letters and "_" or "|" before the rest; *ret_prefix_len tells how long), else "other". */
const char *symptoms_id_shape(Str id, size_t *ret_prefix_len);
/* Of ids that differ in case and surrounding white space only it is the same. */
uint64_t symptoms_fold_id(Str id, uint64_t seed);
/* A value that names nobody, those that identity blocks among them: its word or kind as ID-5 has it; NULL where it may
 * be an id. The word lives for ever. */
const char *symptoms_odd_id(Str id);
bool symptoms_is_made_id(Str message_id);                   /* collection made it, as the client gave none */
/* "jwt", "pem", "card"; NULL: none. */
const char *symptoms_secret(Str text);
bool symptoms_is_secret_key(Str key);                       /* password, token, api_key, authorization, ssn … */
/* The whole text is an address of a person: no support@ and no example.com. */
bool symptoms_is_email(Str text);
bool symptoms_has_email(Str text);                          /* ... or holds one */
bool symptoms_is_phone(Str text);                           /* with + or separators: order numbers are none */
/* What a URL, a path or a query shows that it should not: "email", "secret", "token path"; NULL: nothing. Sees through
 * two rounds of percent-encoding. */
const char *symptoms_url_leak(Str url);
/* What kind of host of developers a URL or host is of; NULL: none that we know. */
const char *symptoms_dev_host(Str url);
/* The robot's name out of an agent; empty: none that we know. Borrows. */
Str symptoms_find_bot(Str agent);
SymptomType symptoms_text_type(Str text);                   /* TYPE_EMPTY, TYPE_TEXT or one of TYPE_TEXT_ */

/* ---- What it adds up to ---- */

#include "symptoms_cases.h"

#endif
