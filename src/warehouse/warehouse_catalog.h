/* warehouse_catalog: the tables and columns of a schema as the server has them, and those that a load needs.
 *
 * A column may not take a value (it may not become wider, or somebody gave it another type). Then there is a column
 * beside it, NAME_text, which takes everything. Its comment shows that it is not a property that is really called so.
 * */
#ifndef ONYM_WAREHOUSE_CATALOG_H
#define ONYM_WAREHOUSE_CATALOG_H

#include "warehouse_row.h"

enum {
    WAREHOUSE_COLUMNS_MOST = 1500,           /* of a table; PostgreSQL stops at 1,600, dropped ones included */
    WAREHOUSE_TABLES_MOST = 5000,
    WAREHOUSE_ALL_COLUMNS_MOST = 400000,
};
#define WAREHOUSE_NONE UINT32_MAX

typedef struct WarehouseColumn {
    Str name;
    WarehouseType type;                      /* the server's; WAREHOUSE_NULL: it is not there yet */
    WarehouseType wanted;                    /* of this load's values */
    bool is_fixed;
    bool is_beside;                          /* it takes what another column does not */
    uint32_t beside;                         /* the column that takes what this one does not; WAREHOUSE_NONE: none */
    uint32_t stamp, place;                   /* the last COPY that had a value for it, and where in its list */
} WarehouseColumn;

typedef struct WarehouseTable {
    Str name;
    bool exists;
    bool is_wanted;                          /* this load has rows for it */
    uint32_t width;                          /* columns, with those that were dropped */
    WarehouseColumn *columns;
    size_t column_count, column_capacity;
    struct slots slots;
    size_t view_columns;                     /* that the view on it showed last, or could not; 0: there is none */
    bool is_view_dropped;                    /* by this transaction, which puts it back */
    Str why;                                 /* it takes no rows, as a reason for onym_discards; bytes NULL: it does */
    Str why_narrow;                          /* it gets no more columns; bytes NULL: it does */
} WarehouseTable;

struct catalog {
    WarehouseTable *tables;
    size_t table_count, table_capacity, all_columns;
    bool has_trouble;                        /* some table has a why */
    struct slots slots;
    struct region region;                    /* of names */
    Arena arena;
};

void warehouse_catalog_open(struct catalog *catalog);
void warehouse_catalog_close(struct catalog *catalog);
void warehouse_catalog_clear(struct catalog *catalog);
/* What the server says of one column; column.bytes NULL: the table has none. width: pg_class.relnatts; comment: the
 * column's. */
void warehouse_catalog_learn(struct catalog *catalog, Str table, Str column, Str type, uint32_t width, Str comment);

/* Finds the table, or makes it; WAREHOUSE_NONE: there are too many. */
uint32_t warehouse_catalog_table(struct catalog *catalog, Str name);
/* Finds the column, or makes it; WAREHOUSE_NONE: there are too many. */
uint32_t warehouse_catalog_column(struct catalog *catalog, uint32_t table, Str name);
uint32_t warehouse_catalog_find_column(const WarehouseTable *table, Str name);
/* Makes the column beside this one. WAREHOUSE_NONE: there is no room, or another property has its name. */
uint32_t warehouse_catalog_put_beside(struct catalog *catalog, uint32_t table, uint32_t column);
/* The server now has what was wanted. */
void warehouse_catalog_settle(struct catalog *catalog);

/* ---- Statements ---- */

/* The comment of a column beside another: how both are known again. */
#define WAREHOUSE_BESIDE_COMMENT "onym: what does not fit "

/* All of it: the columns (relname, attname, type, relnatts, comment) of the schema's tables. */
void warehouse_put_catalog_query(struct buf *out, Str schema);
/* CREATE TABLE with the columns that it has from the beginning. */
void warehouse_put_create(struct buf *out, Str schema, const WarehouseTable *table);
void warehouse_put_add(struct buf *out, Str schema, const WarehouseTable *table, const WarehouseColumn *column);
void warehouse_put_widen(struct buf *out, Str schema, const WarehouseTable *table, const WarehouseColumn *column,
                         WarehouseType type);
void warehouse_put_comment(struct buf *out, Str schema, const WarehouseTable *table, const WarehouseColumn *column,
                           Str of);
/* The tables of Onym's own: onym_sync, onym_discards. */
void warehouse_put_own_tables(struct buf *out, Str schema);
/* onym_identifiers; onym_people is made as other tables are. */
void warehouse_put_people_tables(struct buf *out, Str schema);
void warehouse_put_table_name(struct buf *out, Str schema, Str table);

#endif
