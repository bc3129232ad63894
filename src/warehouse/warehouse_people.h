/* warehouse_people: who is who, as tables of the schema, within the transaction of the rows:
 *
 *   onym_identifiers   whose an identifier is, and of one that several people share, from when to when
 *   onym_people        a row a person: first and last seen, traits
 *
 * They follow what is derived, which may be ahead of the rows: an event's person is looked up when it is asked, by the
 * views (warehouse_views.h), so it makes no difference once both have come to the end.
 *
 * While an erasure is under way (it waits for the warehouse, among others) when a person was seen may still count what
 * goes: whom it touched is told once more when it has ended.
 *
 * A round tells what changed since the last one that was committed; the first one, and the first after a failure, all
 * of it. The people of messages that were loaded are told, too, for their traits and when they were seen last. */
#ifndef ONYM_WAREHOUSE_PEOPLE_H
#define ONYM_WAREHOUSE_PEOPLE_H

#include "batch/batch.h"
#include "people/people.h"
#include "warehouse_load.h"

/* Around every reading of people: short, since what comes in waits for it. */
typedef struct WarehouseGuard {
    void *context;
    void (*begin)(void *context);
    void (*end)(void *context);
    bool (*is_erasing)(void *context);       /* an erasure is under way: events may be counted that are no more */
} WarehouseGuard;

struct warehouse_people;
/* Copies both. */
struct warehouse_people *warehouse_people_open(const People *people, const WarehouseGuard *guard);
void warehouse_people_close(struct warehouse_people *people);        /* accepts NULL */
/* What is told next is all of it: the server may not have what it was told. */
void warehouse_people_forget(struct warehouse_people *people);

typedef struct PeopleRange {
    const BatchRecord *records;
    const bool *skips;
    size_t count;
    JournalPos next;
} PeopleRange;
/* After the range's rows, before the commit. */
Status MUST warehouse_people_tell(struct warehouse_people *people, struct load *load, struct warehouse_maker *maker,
                                  const PeopleRange *range, Err *err);
/* There is something to tell without any message: nothing was told yet, or an erasure has ended. */
bool warehouse_people_wants(const struct warehouse_people *people);
/* The transaction was committed, or not. */
void warehouse_people_end(struct warehouse_people *people, bool is_kept);

#endif
