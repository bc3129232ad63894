/* symptoms: what one message shows by itself, counted as the message is applied. The doctor reads these counts.
 *
 * What it does not do: it judges nothing. The doctor decides whether 12 of 200 is worth a word, finds out whom it
 * happened to, and says what to do about it. What can only be seen in two or more messages (a sign-up without history,
 * the same event twice) is found by passes over the index. It may call event/, kv/ and base/.
 *
 * There are counters for each day: UTC days by arrival, 90 of them (SYMPTOMS_DAYS). A day has
 *   origins   where messages came from: source, library and its version, the app's version, live or imported. An origin
 *             has tallies: the totals that shares are computed from
 *   events    of an origin, by type and name, with the fields that they had under properties (identify and group:
 *             traits). A field has how often its value was of each type, and how large its numbers were
 *   rows      of an origin and a code of symptoms.tbl.h, about an event, a field and a value: how often, first and last
 *             seen, at most five examples, and a bounded set of the subjects that it happened to
 *
 * What is in a row's field and value (an empty one means nothing):
 *   ID-5   field: userId, anonymousId, previousId, groupId. value: the placeholder, in lower case, or what kind of
 *          odd value it is: "template", "jwt", "url", "json", "long", "quoted"
 *   ID-8   each message with a userId. value: the id's shape (symptoms_id_shape); for "prefix" also what the prefix is,
 *          "prefix user_"
 *   ID-16  a userId with white space around it. value: "blanks"
 *   CL-1   receivedAt and sentAt are over five minutes apart. value: "ahead" (the client's clock is) or "behind"
 *   CL-2   ... by a multiple of half an hour, give or take two minutes. value: how far the client's clock is ahead, as
 *          "+05:30", "-08:00"
 *   CL-3   value: collection's word for the time problem, "timestamp_unreadable"
 *   CL-4   sentAt equals the event's own time, and both are over an hour before the message arrived
 *   CL-5   the message arrived over 24 hours after the event happened
 *   EN-1   value: the kind of host, "localhost", "private address", "file", "staging", "preview", "test"
 *   EN-2   value: the robot's name as its user agent gives it (symptoms_find_bot), or "webdriver"
 *   LO-1   a rejected message. value: the reason, field: the field at fault
 *   TW-4   a message with a messageId that came before
 *   PR-7   field: the one with the amount of money. value: "text", "negative", "no currency", "odd currency"
 *   PD-1   field: where, with properties. or traits. in front. value: "key", "jwt", "pem", "card". Never the secret
 *   PD-2   field: context.page.url, .search, .referrer, .path. value: "email", "secret", "token path"
 *   PD-3   field: where. value: "email", "phone", "name"
 *   PD-5   field: where. value: "email"
 *   NM-6   a page or screen with neither name nor path
 *   TW-3   the client gave no messageId
 *   PR-8   field: where. value: "text over 508 bytes", which the index does not hold
 *
 * Invariants
 *  1. The counts depend only on the set of messages of a day. So a rebuild and any order of arrival give the same
 *     counts and the same examples (the messages whose messageId has the smallest hash), as long as no ceiling is
 *     reached. What is over a ceiling is counted (SymptomDay.over_*), never hidden.
 *  2. The counts are saved in the same transaction as the position up to which they count. What is loaded is checked
 *     byte by byte and bounded; if anything is wrong, that is ERR_DAMAGED.
 *  3. No secret, address or id is kept: rows hold kinds of values, and e-mail addresses are taken out of the names of
 *     events. Examples are positions of messages: an erasure erases the messages in the journal. People who are erased
 *     or suppressed are taken out of examples and sets (symptoms_forget).
 *
 * Threads: only one thread, the applier, calls the writing functions. Any thread may read while the applier stands
 * still (derive/ guards it); a view is used only by the thread that opened it.
 */
#ifndef ONYM_SYMPTOMS_SYMPTOMS_H
#define ONYM_SYMPTOMS_SYMPTOMS_H

#include "event/event.h"
#include "kv/kv.h"

enum {
    SYMPTOMS_DAYS = 90,                     /* how many are kept, the newest included */
    SYMPTOMS_EXAMPLES = 5,                  /* of a row */
    SYMPTOMS_SUBJECTS = 1024,               /* of a row; if there are more, those with the smallest hashes */
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

/* The totals of an origin: shares are shares of these. */
typedef enum SymptomTally {
    TALLY_MESSAGES,                         /* accepted, and no repetitions */
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

/* How large numbers were. The sign does not count. A bucket is a quarter of an octave (four buckets from 2^n to
 * 2^(n+1)); bucket 0 has zero and all below 2^-16. */
enum { SYMPTOM_BUCKETS = 257, SYMPTOM_BUCKET_LEAST = -16 };
typedef struct SymptomNumbers { uint32_t buckets[SYMPTOM_BUCKETS]; } SymptomNumbers;

/* Who sent a name, as long as they are so few that the name may be theirs alone. When all of them are forgotten, the
 * name is removed. */
enum { SYMPTOM_SENDERS = 4 };
typedef struct SymptomSenders {
    uint32_t subjects[SYMPTOM_SENDERS], count;              /* ascending */
    bool are_many;                          /* there were more, or one was SYMPTOM_NOBODY: the name stays, count is 0 */
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
    char currencies[SYMPTOM_CURRENCIES][4]; /* properties.currency in capitals, the first four by name; the rest "" */
    uint64_t days[2];                       /* of a view: bit n stands for its first day + n; of a day: not used */
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
    uint32_t *subjects;                     /* in no order that means anything */
    uint32_t subject_count, subject_capacity;
    bool has_more_subjects;                 /* there were more than are kept: say "at least" */
    uint64_t days[2];                       /* as SymptomEvent's */
} SymptomRow;

/* One day; or all days of a view added up, and then sorted by name, so that it does not matter what came first. */
typedef struct SymptomDay {
    int32_t day;                            /* days since 1970; of a view: the first */
    SymptomOrigin *origins;
    SymptomEvent *events;
    SymptomRow *rows;
    uint32_t origin_count, event_count, row_count;
    uint32_t origin_capacity, event_capacity, row_capacity;
    uint64_t over_origins, over_events, over_fields, over_rows;     /* in messages, messages, values, symptoms */
} SymptomDay;

struct symptoms;

typedef struct SymptomsOptions {
    struct kv *kv;                          /* where days are kept; NULL: all stays in memory */
    size_t table;                           /* the number of the table there */
} SymptomsOptions;

/* ERR_DAMAGED: the table holds something that we did not write. */
Status MUST symptoms_open(const SymptomsOptions *options, struct symptoms **ret, Err *err);
void symptoms_close(struct symptoms *symptoms);             /* accepts NULL; what was not saved is forgotten */

/* ---- Writing ---- */

/* Counts a message that is no repetition. subject: identity's number for the message's subject, or SYMPTOM_NOBODY.
 * Errors come from the store: then the message is not counted, and may be given again. */
Status MUST symptoms_add(struct symptoms *symptoms, const Event *event, uint64_t position, uint32_t subject, Err *err);
Status MUST symptoms_add_repeat(struct symptoms *symptoms, const Event *event, uint64_t position, Err *err);
Status MUST symptoms_add_rejected(struct symptoms *symptoms, const Rejected *rejected, uint64_t position, Err *err);
/* From now on these subjects (ascending) are in no example and in no set. The names of events and fields that only they
 * sent, and the rows of what only happened to them, are removed. Counts of what others sent, too, stay as they are. The
 * next save writes this to the disk. */
void symptoms_forget(struct symptoms *symptoms, const uint32_t *subjects, size_t count);

/* True: save soon, since much waits in memory, or somebody is to be forgotten. */
bool symptoms_wants_save(const struct symptoms *symptoms);
/* Writes what waits into the transaction. Then commit, and tell symptoms_end_save whether that worked. Nobody may read
 * meanwhile. */
Status MUST symptoms_save(struct symptoms *symptoms, struct kv_txn *txn, Err *err);
void symptoms_end_save(struct symptoms *symptoms, bool is_committed);

/* ---- Reading ---- */

/* Adds up all days from first_day to the one before end_day; at most SYMPTOMS_DAYS. There are two calls, so that the
 * applier stands still for the first one only: begin notes what there is at this moment, read does the work. The view
 * lives until symptoms_close_view. */
struct symptoms_view;
Status MUST symptoms_begin_view(struct symptoms *symptoms, int32_t first_day, int32_t end_day,
                                struct symptoms_view **ret, Err *err);
Status MUST symptoms_read_view(struct symptoms_view *view, Err *err);
const SymptomDay *symptoms_view_day(const struct symptoms_view *view);
void symptoms_close_view(struct symptoms_view *view);       /* accepts NULL */

/* ---- Numbers ---- */

uint64_t symptoms_number_count(const SymptomNumbers *numbers);      /* NULL: 0 */
/* The median of the amounts; it is off by an eighth at most. 0: there are no numbers. */
double symptoms_median(const SymptomNumbers *numbers);

/* ---- What a text is: pure functions, any thread ---- */

/* The shape of an id: "integer", "uuid", "ulid", "24 hex", "32 hex", "40 hex", "64 hex", "email", "phone", "jwt",
 * "url", "prefix" (letters and "_" or "|" before the rest; *ret_prefix_len tells how long), else "other". */
const char *symptoms_id_shape(Str id, size_t *ret_prefix_len);
/* A hash that is the same for ids that differ only in case and surrounding white space. */
uint64_t symptoms_fold_id(Str id, uint64_t seed);
/* Does the value name nobody? All ids that identity blocks are among such values. Gives its word or kind, as ID-5 above
 * has them; NULL: it may be an id. The word lives for ever. */
const char *symptoms_odd_id(Str id);
/* "jwt", "pem", "card"; NULL: none. */
const char *symptoms_secret(Str text);
bool symptoms_is_secret_key(Str key);                       /* password, token, api_key, authorization, ssn … */
/* Is the whole text the e-mail address of a person? Neither support@ nor example.com counts. */
bool symptoms_is_email(Str text);
bool symptoms_has_email(Str text);                          /* does the text have one in it? */
bool symptoms_is_phone(Str text);                           /* only with + or separators: an order number is none */
/* What a URL, a path or a query shows that it should not: "email", "secret", "token path"; NULL: nothing. Sees through
 * two rounds of percent-encoding. */
const char *symptoms_url_leak(Str url);
/* Which kind of developers' host a URL or host is: "localhost", "staging"; NULL: none that we know. */
const char *symptoms_dev_host(Str url);
/* The robot's name in a user agent; empty: none that we know. Borrows. */
Str symptoms_find_bot(Str agent);
SymptomType symptoms_text_type(Str text);                   /* TYPE_EMPTY, TYPE_TEXT or one of TYPE_TEXT_ */

/* ---- The cases that follow from the counts ---- */

#include "symptoms_cases.h"

#endif
