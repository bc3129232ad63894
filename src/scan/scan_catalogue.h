/* scan_catalogue: which events, fields and values there are, for lists and completion (ask/ask_events.c).
 * Each back end of questions has one (ScanBackend.list); docs/queries.md defines every number.
 */
#ifndef ONYM_SCAN_CATALOGUE_H
#define ONYM_SCAN_CATALOGUE_H

enum { CATALOGUE_NUMBERS = 2, CATALOGUE_TEXTS = 3 };

/* What is asked for: all events and fields; or a field by its name, with its values. */
typedef struct CatalogueSpec {
    Str field;                          /* empty: all events and fields */
    Str search;                         /* without field: fields whose name has this in it, in any case; empty: all */
    uint32_t field_max;                 /* for how many fields, the most frequent, times and examples are found */
} CatalogueSpec;

/* A value of the field; or an event: a text of its type's digit and its name. INDEX_OTHER: the rarest of too many, and
 * values that are not indexed. */
typedef struct CatalogueValue {
    IndexValue value;
    uint64_t count;                     /* rows; at least 1 */
    Millis last_ms;                     /* of events: when the last one was */
} CatalogueValue;

typedef struct CatalogueField {
    Str name;
    uint64_t count, other;              /* rows that have it; those of them whose value is not indexed */
    Millis last_ms;                     /* INT64_MIN: no row has it */
    IndexValue numbers[CATALOGUE_NUMBERS], texts[CATALOGUE_TEXTS];      /* least and greatest; the first in order */
    uint32_t number_count, text_count;
    bool has_list;
} CatalogueField;

/* Valid until it is closed, and no longer than the query; the same holds for its texts. */
struct catalogue {
    void (*close)(struct catalogue *catalogue);
    CatalogueValue *values;             /* most frequent first */
    CatalogueField *fields;             /* most frequent first; at most field_max */
    uint32_t value_count, field_count;
    uint32_t rest_types;                /* of events that are not told apart: a bit a type */
};

static inline bool catalogue_matches(Str search, Str text)
{
    if (!search.len) return true;
    for (size_t at = 0; at + search.len <= text.len; at++)
        if (str_equal_no_case(str_slice(text, at, at + search.len), search)) return true;
    return false;
}

/* Of the index (scan_catalogue.c). */
Status MUST catalogue_columns(const Query *query, const CatalogueSpec *spec, struct catalogue **ret, Err *err);

#endif
