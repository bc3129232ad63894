/* warehouse_value: which type a value of JSON has in a warehouse, and how types widen. Pure functions.
 *
 *   boolean   true, false
 *   bigint    a number without fraction and exponent, within 64 bits
 *   numeric   every other number, unless it has over 1,000 digits or an exponent over 1,000 (then text)
 *   timestamp a text that is one instant beyond doubt: 2026-11-23T12:28:40Z, with a fraction of up to 9 digits (of
 *             which PostgreSQL keeps 6), with Z or a zone of +hh:mm (or +hhmm). A date alone stays text
 *   text      every other text; arrays as their JSON
 *
 * The text of a value is the same whatever its column has become: "5" is read by bigint, numeric and text. So a column
 * may widen after its rows were made, and nothing is lost: boolean and timestamp become text, bigint becomes numeric,
 * then text. */
#ifndef ONYM_WAREHOUSE_VALUE_H
#define ONYM_WAREHOUSE_VALUE_H

#include "event/event.h"

typedef enum WarehouseType {
    WAREHOUSE_NULL,                  /* no value was seen */
    WAREHOUSE_BOOLEAN, WAREHOUSE_BIGINT, WAREHOUSE_NUMERIC, WAREHOUSE_TIMESTAMP, WAREHOUSE_TEXT,
    WAREHOUSE_OTHER,                 /* of a column that somebody else gave some other type: it takes nothing */
} WarehouseType;

/* As PostgreSQL spells it: "bigint", "timestamp with time zone". */
const char *warehouse_type_word(WarehouseType type);
/* The other way round, from what format_type() says. */
WarehouseType warehouse_type_from(Str word);

/* The type of a value that is no object; WAREHOUSE_NULL for null. */
WarehouseType warehouse_type_of(const TreeNode *value);
/* The text that every column takes that is wide enough. It is in the node's JSON. */
Str warehouse_value_text(const TreeNode *value);
/* The narrowest type that holds both. */
WarehouseType warehouse_type_join(WarehouseType a, WarehouseType b);
/* Does a column of that type take the value without a change? */
bool warehouse_type_takes(WarehouseType column, WarehouseType value);

/* How much of a row's 8 KiB a value takes at most, when PostgreSQL has stored elsewhere what it can. */
size_t warehouse_value_width(WarehouseType column, Str text);

/* Appends the text as COPY reads it: tabs, line ends and backslashes escaped; NUL and bytes that are no UTF-8, which
 * PostgreSQL refuses, as U+FFFD. */
void warehouse_put_copy(struct buf *out, Str text);

#endif
