/* ask: derived state becomes answers. It takes a question in JSON and the world that it is about, and gives an answer
 * in JSON.
 *
 * What it does not do: it knows no socket, no HTTP, no journal file and no identity rule. It calls scan/ for
 * events. Who a subject is, what a person's traits are and what a raw event says it asks the
 * world (struct QueryWorld), which the caller has filled in.
 *
 * Promises
 *  1. The answer is a function of the set of events and of who is who, never of the order in which events
 *     arrived or are stored. docs/funnels.md and docs/queries.md define every number; tests/model/ has
 *     references that only follow the definitions.
 *  2. A question that breaks a rule is ERR_INPUT, with the place in err->field: "steps[1].where[0].op".
 *  3. If the index could not hold something, "warnings" in the answer names the field and what it means.
 *  4. Memory is bounded by QueryWorld.memory_bytes (ERR_TOO_LARGE); is_cancelled is looked at many times in a
 *     second (ERR_CLOSED).
 *
 * Threads: any thread may call query_run, any number at a time. Work is cut into independent tasks, which the
 * world's pool runs on whatever threads it has; without a pool they run one after the other. The world's
 * functions are called from the pool's threads, several at a time.
 */
#ifndef ONYM_ASK_ASK_H
#define ONYM_ASK_ASK_H

#include "scan/scan.h"

/* ---- Asking ---- */

/* QUERY_FUNNEL and so on: a row of questions.tbl.h each. */
typedef enum QueryKind {
#define QUESTION(KIND, ...) QUERY_##KIND,
#include "questions.tbl.h"
    QUERY_KIND_COUNT
} QueryKind;

/* Appends the answer. On failure the buffer is unchanged. */
Status MUST query_run(QueryKind kind, Str question, const QueryWorld *world, struct buf *answer, Err *err);

#endif
