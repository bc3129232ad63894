/* scan_backend: what a back end of questions must have: a struct of functions, and a common beginning of its scans.
 *
 * A question (a Query, and a ScanSpec for each pass over its events) goes to the back end that its world names. The
 * back end finds the events and their persons, and hands them over, person by person or row by row. ask/ computes the
 * answer from them, in the same way for every back end. So a back end only finds events, and knows no funnel.
 *
 * The functions do what scan.h says about those with the same names. None may be NULL. Events are handed over by
 * the question's callbacks; the functions of this table are not called for each event.
 *
 * A second back end is another table like this one, which QueryWorld.backend names. The models of tests/model/ test the
 * back end of the index and a naive one (tests/model/ask_naive.h) by the same definitions.
 */
#ifndef ONYM_SCAN_BACKEND_H
#define ONYM_SCAN_BACKEND_H

#include "scan_catalogue.h"

typedef struct ScanBackend {
    const char *name;
    Status (*open)(const Query *query, const ScanSpec *spec, struct scan **ret, Err *err);
    Status (*run)(struct scan *scan, Err *err);
    void (*close)(struct scan *scan);
    /* before it runs */
    Groups *(*groups)(struct scan *scan);
    uint32_t (*worker_count)(const struct scan *scan);
    uint32_t (*people_max)(const struct scan *scan);
    bool (*time_range)(const struct scan *scan, Millis *ret_first_ms, Millis *ret_last_ms);
    Millis (*last_event_ms)(const struct scan *scan);
    /* afterwards */
    Str (*account)(const struct scan *scan, uint32_t person);
    uint64_t (*row_count)(const struct scan *scan);
    uint64_t (*hit_count)(const struct scan *scan);
    Status (*position)(struct scan *scan, uint32_t ref, Arena scratch, JournalPos *ret, Err *err);
    void (*join)(struct scan *scan, const struct scan *other);
    void (*write_warnings)(const struct scan *scan, const Query *query, struct buf *answer);
    void (*count_text)(struct scan *scan, Str field, uint32_t number_kind);
    /* this is no scan: it lists which events, fields and values there are */
    Status (*list)(const Query *query, const CatalogueSpec *spec, struct catalogue **ret, Err *err);
} ScanBackend;

/* Each back end's scan begins with this. */
struct scan {
    const ScanBackend *backend;
};

extern const ScanBackend scan_columns;      /* the index (scan_columns.c) */

#endif
