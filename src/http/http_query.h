/* http_query: the world that a question is asked of: one moment of who everybody is and of which events there
 * are, both of the same moment, so that no event lies in it whose link does not. Private to http/. */
#ifndef ONYM_HTTP_QUERY_H
#define ONYM_HTTP_QUERY_H

#include <pthread.h>

#include "http_exchange.h"

enum { QUESTION_TRAITS = 64 };           /* of different names in one question */

struct question {
    struct exchange *exchange;
    struct applier *applier;
    People people;
    const struct identity_view *view;
    struct index_snapshot *snapshot;
    QueryPeople resolved;
    QueryPool pool;
    /* Traits that were asked for, each of everybody; made when first asked, by one thread at a time. */
    pthread_mutex_t traits_lock;
    struct { Str name; struct trait_table *table; } traits[QUESTION_TRAITS];
    atomic_size_t trait_count;
    Status trait_status;                 /* why a trait could not be told: the answer is none */
    Err trait_err;
    QueryWorld world;
};

/* Fills the world from the applier. The question must not move until question_close. */
Status MUST question_open(struct question *question, struct exchange *exchange, Err *err);
/* Asks, and appends the answer. */
Status MUST question_run(struct question *question, QueryKind kind, Str text, struct buf *answer, Err *err);
void question_close(struct question *question);

#endif
