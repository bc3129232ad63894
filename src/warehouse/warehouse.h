/* warehouse: every event in a team's own database, exactly once: the journal's messages as rows of Segment's schema in
 * PostgreSQL, by COPY.
 *
 * What it does not do: it decides nothing about people; WarehouseHooks say who is who, and what is a repetition,
 * suppressed or blocked.
 *
 * Invariants
 *  1. One transaction holds the rows, the discards, the erasures and the position after them (onym_sync). A crash on
 *     either side leaves all of it or nothing; the next load goes on from what the server says.
 *  2. Every value of a message is in a column, or in onym_discards with the reason. No message stops a load: if the
 *     server refuses one for its values, the batch is halved until it is alone, and onym_discards gets it whole.
 *  3. Memory is that of a batch. While a server is away, only the journal's disk is needed.
 *  4. An erasure is carried out after the rows that came before it, and before the rows that came after it.
 *  5. The transaction of the rows also says who is who. If that part fails, only that part fails: rows go on, and all
 *     of it is written again a minute later.
 *  6. A schema is filled from one journal: a position that another journal wrote is refused.
 *
 * Threads: one thread calls warehouse_step, and waits there for the server; any thread may call the others.
 */
#ifndef ONYM_WAREHOUSE_WAREHOUSE_H
#define ONYM_WAREHOUSE_WAREHOUSE_H

#include "batch/batch.h"
#include "event/event.h"
#include "os/os.h"
#include "people/people.h"

/* An entry of the configuration; settings: url, schema, naming, every, people, tables, skip. */
typedef struct WarehouseConfig {
    Str name, type;
    const Str *sources;                      /* names of sources; none: all of them */
    size_t source_count;
    const Node *settings;
} WarehouseConfig;

enum { WAREHOUSES_MOST = 16 };

/* Checks an entry. ERR_INPUT: err->field names the setting ("settings.url"). */
Status MUST warehouse_check(const WarehouseConfig *config, Arena scratch, Err *err);

/* What the warehouse asks others. Any may be NULL. */
typedef struct WarehouseHooks {
    void *context;
    /* Waits until everything before the position is applied; false: not in time. */
    bool (*wait_known)(void *context, JournalPos pos, Millis timeout_ms);
    void (*begin_reading)(void *context);    /* around calls of skips */
    void (*end_reading)(void *context);
    bool (*skips)(void *context, JournalPos pos, const Event *event);   /* a repetition, or of a suppressed id */
    bool (*is_blocked)(void *context, Str id);                          /* a value that names nobody */
    bool (*is_erasing)(void *context);                                  /* an erasure is under way */
    const People *people;                    /* who is who, for the tables of people; copied */
} WarehouseHooks;

typedef struct WarehouseOptions {
    struct journal *journal;
    struct clock *clock;
    WarehouseHooks hooks;
    BatchLimits limits;                      /* 0: 5,000 records, 4 MiB; tests make them small */
    int64_t widen_bytes;                     /* tables over this are not rewritten; 0: 1 GiB */
    int64_t every_ms;                        /* the setting's stand-in where it is not given; 0: 10 s */
} WarehouseOptions;

struct warehouse;
/* Copies the configuration, keeps the rest. Connects at the first step. */
Status MUST warehouse_open(const WarehouseConfig *config, const WarehouseOptions *options, struct warehouse **ret,
                           Err *err);
void warehouse_close(struct warehouse *warehouse);           /* accepts NULL */
/* Loads one batch if it is time for one; otherwise waits, at most timeout_ms. A failure is reported once; then it tries
 * again after longer and longer waits, at most 15 seconds. */
Status MUST warehouse_step(struct warehouse *warehouse, Millis timeout_ms, Err *err);
/* Ends the load that is under way: the server undoes it. Any thread. */
void warehouse_stop(struct warehouse *warehouse);

typedef struct WarehouseStatus {
    Str name, type;
    Str schema, address;                     /* user, host and database: the URL without its secrets */
    JournalPos position;                     /* everything before it is loaded; 0: not known yet */
    Millis loaded_at_ms;                     /* when the last batch was committed; 0: none was since the start */
    Millis newest_at_ms;                     /* when the last message that was loaded came in; 0: none was */
    uint64_t loads, rows, discards, repeated, refused;       /* since the start */
    uint64_t skipped_bytes;                  /* of the journal that cannot be read */
    bool is_connected, has_failed;           /* has_failed: the last try did, and error says why */
    char error[ERR_TEXT_BYTES];
    char trouble[ERR_TEXT_BYTES];            /* what a table refused last, while all else is loaded; empty: nothing */
} WarehouseStatus;
/* Texts live as long as the warehouse. */
void warehouse_read_status(struct warehouse *warehouse, WarehouseStatus *ret);
/* Records from here on must still be read: the journal has to keep them, and erasures must keep their commands. */
JournalPos warehouse_position(struct warehouse *warehouse);

#endif
