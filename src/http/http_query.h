/* http_query: the world that a question is asked of: one moment of who everybody is and of which events there
 * are, both of the same moment, so that no event lies in it whose link does not. Private to http/. */
#ifndef ONYM_HTTP_QUERY_H
#define ONYM_HTTP_QUERY_H

#include "http_exchange.h"

struct question {
    struct exchange *exchange;
    struct applier *applier;
    People people;
    const struct identity_view *view;
    struct index_snapshot *snapshot;
    QueryPeople resolved;
    QueryPool pool;
    QueryWorld world;
};

/* Fills the world from the applier. The question must not move until question_close. */
Status MUST question_open(struct question *question, struct exchange *exchange, Err *err);
void question_close(struct question *question);

#endif
