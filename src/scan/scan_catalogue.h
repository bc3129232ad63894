/* scan_catalogue: which events, fields and values there are, for lists and completion (ask/ask_events.c).
 * Each back end of questions has one (ScanBackend.list); docs/queries.md defines every number.
 */
#ifndef ONYM_SCAN_CATALOGUE_H
#define ONYM_SCAN_CATALOGUE_H

enum { CATALOGUE_NUMBERS = 2, CATALOGUE_TEXTS = 3 };

/* What is asked for: all events and fields; or one field by its name, with its values. */
typedef struct CatalogueSpec {
    Str field;                          /* empty: all events and fields */
    Str search;                         /* if field is empty: only fields with this in their name, in any case */
    uint32_t field_max;                 /* times and examples are found only for so many of the most frequent fields */
} CatalogueSpec;

/* A value of the field, or an event: a text that is the digit of its type and its name. INDEX_OTHER: all values that
 * are not indexed, and the rarest ones if there are too many. */
typedef struct CatalogueValue {
    IndexValue value;
    uint64_t count;                     /* rows; at least 1 */
    Millis last_ms;                     /* of events: when the last one was */
} CatalogueValue;

typedef struct CatalogueField {
    Str name;
    uint64_t count, other;              /* rows that have the field; those with a value that is not indexed */
    Millis last_ms;                     /* INT64_MIN: no row has it */
    IndexValue numbers[CATALOGUE_NUMBERS], texts[CATALOGUE_TEXTS];      /* least and greatest; the first ones */
    uint32_t number_count, text_count;
    bool has_list;
} CatalogueField;

/* It is valid until it is closed, and no longer than the query; the same holds for its texts. */
struct catalogue {
    void (*close)(struct catalogue *catalogue);
    CatalogueValue *values;             /* most frequent first */
    CatalogueField *fields;             /* most frequent first; at most field_max */
    uint32_t value_count, field_count;
    uint32_t rest_types;                /* a bit for each type of event whose names are not told apart */
};

static inline bool catalogue_matches(Str search, Str text)
{
    if (!search.len) return true;
    for (size_t at = 0; at + search.len <= text.len; at++)
        if (str_equal_no_case(str_slice(text, at, at + search.len), search)) return true;
    return false;
}

/* The catalogue of the index (scan_catalogue.c). */
Status MUST catalogue_columns(const Query *query, const CatalogueSpec *spec, struct catalogue **ret, Err *err);

#endif
