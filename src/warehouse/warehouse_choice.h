/* warehouse_choice: which tables and columns a warehouse gets. Pure functions.
 *
 * A pattern is a table ("pages", "order_*"), or a table and a column ("users.email", "*.context_ip"), as in SQL;
 * a star stands for any text. The columns that a table has from the beginning (id, user_id, ...) always come. */
#ifndef ONYM_WAREHOUSE_CHOICE_H
#define ONYM_WAREHOUSE_CHOICE_H

#include "base/base.h"

enum { WAREHOUSE_PATTERNS_MOST = 1000, WAREHOUSE_PATTERN_BYTES = 200 };

typedef struct WarehouseChoice {
    const Str *only;                         /* tables; none: all of them */
    const Str *skip;                         /* tables, and columns of tables */
    size_t only_count, skip_count;
} WarehouseChoice;

bool warehouse_takes_table(const WarehouseChoice *choice, Str table);
/* Of a table that is taken. */
bool warehouse_takes_column(const WarehouseChoice *choice, Str table, Str column);
/* a-z, 0-9, _ and *, and one full stop at the most, with something on both sides. */
bool warehouse_is_pattern(Str text);

#endif
