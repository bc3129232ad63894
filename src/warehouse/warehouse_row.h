/* warehouse_row: the rows that a message becomes: Segment's schema as a pure function.
 *
 *   track     tracks (without properties), and a table of the event's name (with them)
 *   identify  identifies, and users: one row for each user, in which each trait is the last that came
 *   page      pages          screen    screens        alias   aliases
 *   group     groups, and accounts: one row for each group, as for users
 *
 * Columns of every row: id (the messageId), received_at, sent_at, timestamp, original_timestamp, anonymous_id, user_id,
 * what its table has of its own (event and event_text; name and category; group_id; previous_id), context_*, then
 * properties or traits. users and accounts: id (the user's, the group's), received_at, context_*, traits. uuid_ts, when
 * a row was loaded, is added by who loads. An object's members are columns of their own, joined by an underscore
 * (address.street: address_street), at every depth; an array is its JSON. null and an empty object are no value.
 *
 * A value without a place is reported, with a reason: a column of that name is the table's own (reserved), two members
 * of one message have the same name (same_column; the last one counts), no letter or digit in a name (no_name), a path
 * of over 1,024 bytes (name_too_long), an event whose name gives no table (no_event_name: its properties as one JSON).
 *
 * If an event's table would have the name of a fixed table (tracks, users, onym_*), it gets an underscore in
 * front; a name that ends in _resolved, as views do, gets an underscore at its end. */
#ifndef ONYM_WAREHOUSE_ROW_H
#define ONYM_WAREHOUSE_ROW_H

#include "warehouse_name.h"
#include "warehouse_value.h"

enum { WAREHOUSE_PATH_BYTES = 1024, WAREHOUSE_DISCARDS_A_MESSAGE = 100, WAREHOUSE_ROWS_A_MESSAGE = 2,
       WAREHOUSE_SCRATCH_BYTES = 64 * 1024 * 1024 };

typedef struct WarehouseValue {
    Str column;
    WarehouseType type;
    Str text;                        /* of an absent fixed value: bytes is NULL */
    bool is_fixed;                   /* a column that the table has from the beginning, with or without a value */
} WarehouseValue;

typedef struct WarehouseRow {
    Str table, id;
    bool is_upsert;                  /* one row an id, kept current; else a second one of the same id is a repetition */
    bool is_whole;                   /* an upsert that says all of the row: what it does not say is null then */
    const WarehouseValue *values;
    size_t count;
} WarehouseRow;

typedef struct WarehouseDiscard {
    Str table, column, text;         /* column: the path as it came where it gives no name */
    const char *reason;
} WarehouseDiscard;

typedef struct WarehouseMessage {
    Str id;
    Millis received_at_ms;
    WarehouseRow rows[WAREHOUSE_ROWS_A_MESSAGE];       /* the first says whether the message is a repetition */
    size_t row_count;
    const WarehouseDiscard *discards;
    size_t discard_count;
    size_t untold_count;             /* discards over WAREHOUSE_DISCARDS_A_MESSAGE */
} WarehouseMessage;

/* A person as a row of onym_people. */
typedef struct WarehousePerson {
    Str person_id, user_id;
    Millis first_seen_ms, last_seen_ms;
    Str traits;                      /* a JSON object */
} WarehousePerson;

/* Room that is used for message after message. One thread. */
struct warehouse_maker;
struct warehouse_maker *warehouse_maker_open(WarehouseNaming naming);
void warehouse_maker_close(struct warehouse_maker *maker);           /* accepts NULL */
/* Everything lives in the arena, of which WAREHOUSE_SCRATCH_BYTES are enough, in the event and in the maker until its
 * next call. ERR_INPUT: its JSON cannot be read. */
Status MUST warehouse_make_rows(struct warehouse_maker *maker, const Event *event, Arena *arena, WarehouseMessage *ret,
                                Err *err);
/* The row of a person, which is no message: one row, nothing discarded. */
Status MUST warehouse_make_person(struct warehouse_maker *maker, const WarehousePerson *person, Arena *arena,
                                  WarehouseMessage *ret, Err *err);

#endif
