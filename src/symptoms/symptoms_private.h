/* What the files of symptoms/ share; private to this folder. */
#ifndef ONYM_SYMPTOMS_PRIVATE_H
#define ONYM_SYMPTOMS_PRIVATE_H

#include "symptoms.h"

enum {
    DAY_TEXT_BYTES = 32 * 1024 * 1024,      /* names of one day: address space that is reserved, not memory in use */
    VIEW_TEXT_BYTES = 1024 * 1024 * 1024,
    DAY_EVENTS_MOST = 4 * SYMPTOMS_EVENTS, DAY_FIELDS_MOST = 100000, DAY_NUMBERS_MOST = 8192,
    ROWS_OF_CODE_MOST = 200,                /* rows of one origin and code */
    SUBJECTS_OF_DAY_MOST = 2000000,         /* in all sets of a day together */
    VALUE_BYTES = 64,
};

/* How much one day, or a view, may hold. */
typedef struct DayLimits {
    uint32_t origins, events, rows;
    uint64_t fields, numbers, subjects;
    size_t text_bytes;
} DayLimits;
extern const DayLimits symptoms_day_limits, symptoms_view_limits;

/* Earlier verdicts of symptoms_count.c, by the hash of what was judged. A page can be in either of two places; the
 * newer page is in the first. */
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
    uint32_t events[MEMO_EVENTS];           /* an event's place + 1, by its name's length, first and last byte */
};

/* A day in memory, while its messages are counted. */
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
    uint32_t last_origin, last_event;       /* those of the last message; the next one often has the same */
    struct day_memos *memos;                /* NULL: nothing was counted since it was loaded */
};

/* ---- symptoms_day.c: finding and adding ---- */

struct day_table *day_open(int32_t day, const DayLimits *limits);
void day_close(struct day_table *table);                    /* accepts NULL */
/* The place of the origin; a new one is added. SYMPTOM_NOBODY: it is over the ceiling. */
uint32_t day_find_origin(struct day_table *table, const SymptomOrigin *wanted);
/* If the event is over the ceiling, it gives the event of the origin that is_over. */
SymptomEvent *day_find_event(struct day_table *table, uint32_t origin, EventType type, Str name);
SymptomEvent *day_put_event(struct day_table *table, uint32_t origin, EventType type, Str name, bool is_over);
/* guess: the place where it probably is, since the last message of the event had it there. NULL: over the ceiling. */
SymptomField *day_find_field(struct day_table *table, SymptomEvent *event, uint32_t *guess, Str name);
SymptomRow *day_find_row(struct day_table *table, uint32_t origin, SymptomCode code, Str event, Str field, Str value);
void day_add_example(SymptomRow *row, SymptomExample example);
void day_add_subject(struct day_table *table, SymptomRow *row, uint32_t subject);
/* How many subjects there are. If there are more than are kept, this is an estimate from the smallest hashes. */
uint64_t day_count_subjects(const SymptomRow *row);
SymptomNumbers *day_find_numbers(struct day_table *table, SymptomField *field);     /* NULL: over the ceiling */
void day_add_currency(SymptomEvent *event, const char currency[4]);
void day_add_sender(SymptomSenders *senders, uint32_t subject);
/* Adds everything of the other one; bit: its day in the view. */
void day_merge(struct day_table *table, const SymptomDay *other, unsigned bit);
/* For whoever reads the day: sorts origins, events, fields and rows by name, whatever came first. After this nothing
 * may be looked up or added any more. */
void day_sort(struct day_table *table);
/* Takes the subjects (ascending) out of examples, sets and names. True: there were some. */
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

/* outline: that of the event. */
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
bool symptoms_is_id_key(Str key);                           /* no card numbers in it: order_id, sku, ean … */
bool symptoms_is_number(Str text);
bool symptoms_read_number(Str raw, double *ret);            /* of JSON */
uint32_t symptoms_bucket(double value);

#endif
