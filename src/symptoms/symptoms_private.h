/* What symptoms/ holds; private to this folder. */
#ifndef ONYM_SYMPTOMS_PRIVATE_H
#define ONYM_SYMPTOMS_PRIVATE_H

#include "symptoms.h"

enum {
    DAY_TEXT_BYTES = 32 * 1024 * 1024,      /* names of one day; reserved, not used */
    VIEW_TEXT_BYTES = 1024 * 1024 * 1024,
    DAY_EVENTS_MOST = 4 * SYMPTOMS_EVENTS, DAY_FIELDS_MOST = 100000, DAY_NUMBERS_MOST = 8192,
    ROWS_OF_CODE_MOST = 200,                /* of one origin and code */
    SUBJECTS_OF_DAY_MOST = 2000000,         /* in all sets of a day */
    VALUE_BYTES = 64,
};

/* How much one day, or a view, may hold. */
typedef struct DayLimits {
    uint32_t origins, events, rows;
    uint64_t fields, numbers, subjects;
    size_t text_bytes;
} DayLimits;
extern const DayLimits symptoms_day_limits, symptoms_view_limits;

/* What was judged before, by its hash: symptoms_count.c. A page may stand in two places, the newer one first. */
enum { MEMO_PAGES = 4096, MEMO_AGENTS = 256, MEMO_USERS = 4096, MEMO_EVENTS = 256,
       MEMO_ORIGIN_BYTES = 512 };
struct day_memo { uint64_t hash; uint32_t verdict, subject; };
struct day_memos {
    struct day_memo pages[MEMO_PAGES][2], agents[MEMO_AGENTS], users[MEMO_USERS];
    /* the last message's origin, and what it was read from: source, library, app, one after the other */
    char origin_text[MEMO_ORIGIN_BYTES];
    size_t origin_lens[3];
    bool has_origin, is_import;
    uint32_t origin;
    uint32_t events[MEMO_EVENTS];           /* places of events, + 1, by their names' first and last bytes */
};

/* A day while it is counted. */
struct day_table {
    SymptomDay of;
    const DayLimits *limits;
    struct region text;
    Arena arena;
    struct slots origin_slots, event_slots, row_slots;
    uint64_t fields, numbers, subjects;     /* in all */
    uint32_t *origin_events;                /* by origin: how many events it has */
    uint16_t (*origin_rows)[SYMPTOM_CODES]; /* by origin and code: how many rows */
    uint32_t origin_room;                   /* of the two */
    bool is_dirty;
    uint32_t last_origin, last_event;       /* what the last message was of, often the next one's, too */
    struct day_memos *memos;                /* NULL: nothing was counted since it was loaded */
};

/* ---- symptoms_day.c: finding and adding ---- */

struct day_table *day_open(int32_t day, const DayLimits *limits);
void day_close(struct day_table *table);                    /* accepts NULL */
/* The place of it, made where it is new. SYMPTOM_NOBODY: over the ceiling. */
uint32_t day_find_origin(struct day_table *table, const SymptomOrigin *wanted);
/* Over the ceiling: the one of the origin that is_over. */
SymptomEvent *day_find_event(struct day_table *table, uint32_t origin, EventType type, Str name);
SymptomEvent *day_put_event(struct day_table *table, uint32_t origin, EventType type, Str name, bool is_over);
/* guess: its place, where the last message of the event had the field there. NULL: over the ceiling. */
SymptomField *day_find_field(struct day_table *table, SymptomEvent *event, uint32_t *guess, Str name);
SymptomRow *day_find_row(struct day_table *table, uint32_t origin, SymptomCode code, Str event, Str field, Str value);
void day_add_example(SymptomRow *row, SymptomExample example);
void day_add_subject(struct day_table *table, SymptomRow *row, uint32_t subject);
/* How many there are: all that are kept, or, of a set that has more, as its smallest hashes tell. */
uint64_t day_count_subjects(const SymptomRow *row);
SymptomNumbers *day_find_numbers(struct day_table *table, SymptomField *field);     /* NULL: over the ceiling */
void day_add_currency(SymptomEvent *event, const char currency[4]);
void day_add_sender(SymptomSenders *senders, uint32_t subject);
/* Adds everything of the other one; bit: its day in the view. */
void day_merge(struct day_table *table, const SymptomDay *other, unsigned bit);
/* For who reads: origins, events, fields and rows in order of their names, whatever came first. Nothing is found or
 * added any more after it. */
void day_sort(struct day_table *table);
/* Examples, sets and names lose the subjects, which are ascending. True where there were any. */
bool day_forget(struct day_table *table, const uint32_t *subjects, size_t count);

static inline void day_see(Millis *first_ms, Millis *last_ms, Millis at_ms, bool is_first)
{
    if (is_first || at_ms < *first_ms) *first_ms = at_ms;
    if (is_first || at_ms > *last_ms) *last_ms = at_ms;
}

/* ---- symptoms_store.c: a day as bytes ---- */

void day_encode(const SymptomDay *day, struct buf *buf);
/* ERR_DAMAGED: it is not what day_encode wrote. */
Status MUST day_decode(Str bytes, struct day_table *table, Err *err);

/* ---- symptoms_count.c: one message into a day ---- */

/* outline: of the event. */
typedef struct SymptomMessage {
    const Event *event;
    const struct event_outline *outline;
    uint64_t position;
    uint32_t subject;
} SymptomMessage;
void day_count(struct day_table *table, const SymptomMessage *message, Arena scratch);
void day_count_repeat(struct day_table *table, const SymptomMessage *message, Arena scratch);
void day_count_rejected(struct day_table *table, const Rejected *rejected, uint64_t position);

/* ---- symptoms_values.c ---- */
enum { TRAIT_SECRET_KEY = 1, TRAIT_EMAIL_KEY = 2, TRAIT_PHONE_KEY = 4, TRAIT_NAME_KEY = 8, TRAIT_MONEY_KEY = 16,
       TRAIT_CURRENCY_KEY = 32, TRAIT_KNOWN = 128 };
uint8_t symptoms_key_traits(Str key);
bool symptoms_is_id_key(Str key);                           /* its numbers are no cards: order_id, sku, ean … */
bool symptoms_is_number(Str text);
bool symptoms_read_number(Str raw, double *ret);            /* of JSON */
uint32_t symptoms_bucket(double value);

#endif
