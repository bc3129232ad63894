/* warehouse_load: sends the rows of some messages to the server, within one transaction that the caller
 * begins and commits.
 *
 * Messages are added until the load is flushed. A flush makes tables and columns, and sends the rows by COPY, and the
 * discarded values with their reasons. It may be flushed any number of times in a transaction: an erasure is carried
 * out between two flushes.
 *
 * A message is a repetition if its first table (tracks, identifies, ...) has its id; then none of its rows
 * counts. COPY cannot leave rows out. So COPY is tried first, and if it fails because of a repetition the rows go
 * through a temporary table.
 *
 * A column that has to become wider is altered, which rewrites its table. It is not altered if the table has over
 * `widen_bytes` or if a view uses the column: then values that do not fit go into NAME_text beside it, and
 * onym_discards says so once. */
#ifndef ONYM_WAREHOUSE_LOAD_H
#define ONYM_WAREHOUSE_LOAD_H

#include "warehouse_catalog.h"
#include "warehouse_choice.h"

#include "os/os.h"

typedef struct LoadCell {
    Str text;
    uint32_t column;
    WarehouseType type;
} LoadCell;

typedef struct LoadRow {
    Str id;
    LoadCell *cells;
    uint32_t cell_count, table, message;
    bool is_first, is_upsert, is_whole;
} LoadRow;

typedef struct LoadDiscard {
    Str table, row, column, text;
    const char *reason;
    Millis received_at_ms;
} LoadDiscard;

/* What a message came as: where the server refuses a row, onym_discards gets all of it. */
typedef struct LoadMessage {
    Str json;
    Millis received_at_ms;
    bool is_repeated;
} LoadMessage;

typedef struct LoadCounts { uint64_t rows_sent, discards_sent, repeated, refused, untold; } LoadCounts;

/* A lock of somebody's that is held for longer makes the load fail, so that the status tells it. */
#define LOAD_LOCK_TIMEOUT "30s"

struct load {
    struct sql *sql;
    struct catalog *catalog;
    Str schema;
    int64_t widen_bytes;
    const WarehouseChoice *choice;
    Millis now_ms;                           /* uuid_ts of all of it */
    LoadRow *rows;
    size_t row_count, row_capacity;
    uint32_t *order;                         /* rows of one table */
    size_t order_capacity;
    LoadMessage *messages;
    size_t message_count, message_capacity;
    LoadDiscard *discards;
    size_t discard_count, discard_capacity;
    struct slots ids;                        /* of first rows: table and id -> row */
    struct region region;
    Arena arena;
    struct buf lines, statement;
    struct buf regrants;                     /* what was granted on views that were dropped: statements, a zero each */
    Str *values;                             /* of the row that is being sent, by the places of its columns */
    uint32_t stamp;
    LoadCounts counts;                       /* of the transaction */
    bool is_sure;                            /* tried more than once: the catalogue is not merely old */
    char trouble[ERR_TEXT_BYTES];            /* what a table refused in this transaction, for people; empty: nothing */
    char troubled[WAREHOUSE_NAME_BYTES + 1]; /* which table; or the one that did before, which may take rows now */
    bool is_mended;                          /* it did, in this transaction */
};

void warehouse_load_open(struct load *load, struct catalog *catalog, Str schema);
void warehouse_load_close(struct load *load);
/* A transaction has begun. */
void warehouse_load_begin(struct load *load, struct sql *sql, Millis now_ms);
/* Texts that are not in json (the event's) are copied. json must live until the flush. */
void warehouse_load_add(struct load *load, const WarehouseMessage *message, Str json);
/* Writes a message that the server refuses into onym_discards, whole. */
void warehouse_load_refuse(struct load *load, const WarehouseMessage *message, Str json, Str why);
bool warehouse_load_is_full(const struct load *load);        /* flush it before the next message */
Status MUST warehouse_load_flush(struct load *load, Err *err);
/* Forgets what was added and not flushed. */
void warehouse_load_drop(struct load *load);

/* ---- What the files of the load share ---- */

void load_discard(struct load *load, LoadDiscard discard);
/* Makes what is wanted and not there, and widens what has to (warehouse_columns.c). */
Status MUST load_make_columns(struct load *load, Err *err);
/* The rows of `order`, all of one table: users or accounts (warehouse_upsert.c). */
Status MUST load_send_upserts(struct load *load, WarehouseTable *table, size_t count, Err *err);
/* Marks the columns that the rows of `order` have values for. */
void load_stamp(struct load *load, WarehouseTable *table, size_t count);
/* The marked columns, each with a text before and after it ("EXCLUDED." ...), with commas between them. */
void load_put_columns(struct load *load, const WarehouseTable *table);
/* Makes a temporary table with the table's columns and the rows of `order`. */
Status MUST load_copy_beside(struct load *load, const WarehouseTable *table, size_t count, Err *err);
/* ---- What the server refuses (warehouse_refuse.c) ---- */

/* Did the last statement fail for the table or its rows? Not for the server, the connection, a lock or a full disk,
 * which another try may find better. */
bool load_is_refusal(const struct load *load);
bool load_is_own(const WarehouseTable *table);               /* onym_...: never set aside */
/* "refused: ..." for onym_discards; it lives as long as the catalogue. */
Str load_reason(struct load *load, const char *why);
/* Tells it by the status; it stops nothing. */
void load_tell(struct load *load, const WarehouseTable *table, const char *why);
/* The table takes no rows until the catalogue is read again: they go to onym_discards. */
void load_set_aside(struct load *load, WarehouseTable *table, const char *why);
/* CREATE TABLE found the name taken: says by what. */
Status MUST load_set_aside_foreign(struct load *load, WarehouseTable *table, Err *err);
void load_refuse_row(struct load *load, const LoadRow *row, const char *reason);
/* The rows of `order` one after the other, each in a savepoint: those that the server takes stand first in it
 * afterwards, *ret_new. update: of an upsert, what stands after the SELECT. */
Status MUST load_send_singly(struct load *load, WarehouseTable *table, Str update, size_t count, size_t *ret_new,
                             Err *err);

/* The view on the table, which keeps its columns from being altered, until warehouse_views_make (warehouse_views.c). */
Status MUST load_drop_view(struct load *load, WarehouseTable *table, Err *err);
Status MUST load_run(struct load *load, Err *err);           /* load->statement, which is empty afterwards */

#endif
