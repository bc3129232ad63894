/* warehouse_catalog: names found by their hash; nothing is taken out but all at once. */
#include "warehouse_catalog.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/os.h"

/* Names of 400,000 columns and 5,000 tables, 64 bytes each, and some of before the last clear. */
enum { NAMES_BYTES = 512 * 1024 * 1024 };

void warehouse_catalog_open(struct catalog *catalog)
{
    *catalog = (struct catalog){ 0 };
    region_open(&catalog->region, NAMES_BYTES);
    catalog->arena = region_arena(&catalog->region);
}

void warehouse_catalog_clear(struct catalog *catalog)
{
    for (size_t at = 0; at < catalog->table_count; at++) {
        free(catalog->tables[at].columns);
        slots_done(&catalog->tables[at].slots);
    }
    catalog->table_count = catalog->all_columns = 0;
    catalog->has_trouble = false;
    slots_clear(&catalog->slots);
    catalog->arena = region_arena(&catalog->region);
    region_trim(&catalog->region, 1024 * 1024);
}

void warehouse_catalog_close(struct catalog *catalog)
{
    warehouse_catalog_clear(catalog);
    free(catalog->tables);
    slots_done(&catalog->slots);
    region_close(&catalog->region);
}

/* ---- Finding ---- */

static uint32_t find_table(const struct catalog *catalog, Str name, uint64_t hash)
{
    for (uint32_t at, probe = 0; (at = slots_next(&catalog->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(catalog->tables[at].name, name)) return at;
    return WAREHOUSE_NONE;
}

static uint32_t add_table(struct catalog *catalog, Str name, uint64_t hash)
{
    uint32_t at = (uint32_t)catalog->table_count;
    check(slots_reserve(&catalog->slots, at + 1));
    check(vector_reserve(catalog->tables, catalog->table_capacity, at + 1u, UINT32_MAX));
    catalog->tables[catalog->table_count++] = (WarehouseTable){ .name = arena_copy(&catalog->arena, name) };
    slots_put(&catalog->slots, hash, at);
    return at;
}

uint32_t warehouse_catalog_table(struct catalog *catalog, Str name)
{
    uint64_t hash = hash_64(name, 0);
    uint32_t at = find_table(catalog, name, hash);
    if (at == WAREHOUSE_NONE && catalog->table_count >= WAREHOUSE_TABLES_MOST) return WAREHOUSE_NONE;
    return at == WAREHOUSE_NONE ? add_table(catalog, name, hash) : at;
}

uint32_t warehouse_catalog_find_column(const WarehouseTable *table, Str name)
{
    uint64_t hash = hash_64(name, 0);
    for (uint32_t at, probe = 0; (at = slots_next(&table->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(table->columns[at].name, name)) return at;
    return WAREHOUSE_NONE;
}

static uint32_t add_column(struct catalog *catalog, WarehouseTable *table, Str name)
{
    uint32_t at = (uint32_t)table->column_count;
    check(slots_reserve(&table->slots, at + 1));
    check(vector_reserve(table->columns, table->column_capacity, at + 1u, UINT32_MAX));
    table->columns[table->column_count++] =
        (WarehouseColumn){ .name = arena_copy(&catalog->arena, name), .beside = WAREHOUSE_NONE };
    slots_put(&table->slots, hash_64(name, 0), at);
    catalog->all_columns++;
    return at;
}

static bool has_room(const struct catalog *catalog, const WarehouseTable *table)
{
    return table->width < WAREHOUSE_COLUMNS_MOST && catalog->all_columns < WAREHOUSE_ALL_COLUMNS_MOST;
}

uint32_t warehouse_catalog_column(struct catalog *catalog, uint32_t table_at, Str name)
{
    WarehouseTable *table = &catalog->tables[table_at];
    uint32_t at = warehouse_catalog_find_column(table, name);
    if (at != WAREHOUSE_NONE || !has_room(catalog, table)) return at;
    table->width++;
    return add_column(catalog, table, name);
}

/* Into text, which is all that stays of the arena. */
static Str beside_name(Str name, Arena scratch, char text[WAREHOUSE_NAME_BYTES])
{
    Str made = warehouse_name_fit(arena_printf(&scratch, "%.*s_text", STR_FORMAT(name)), &scratch);
    memcpy(text, made.bytes, made.len);
    return str_of(text, made.len);
}

uint32_t warehouse_catalog_put_beside(struct catalog *catalog, uint32_t table_at, uint32_t column_at)
{
    WarehouseTable *table = &catalog->tables[table_at];
    char text[WAREHOUSE_NAME_BYTES];
    Str name = beside_name(table->columns[column_at].name, catalog->arena, text);
    if (warehouse_catalog_find_column(table, name) != WAREHOUSE_NONE || !has_room(catalog, table))
        return WAREHOUSE_NONE;
    uint32_t at = add_column(catalog, table, name);
    table->width++;
    table->columns[at].is_beside = true;
    table->columns[at].wanted = WAREHOUSE_TEXT;
    table->columns[column_at].beside = at;
    return at;
}

/* ---- Learning ---- */

/* Whichever of both is told first. */
static void tie_beside(struct catalog *catalog, WarehouseTable *table, uint32_t at)
{
    char text[WAREHOUSE_NAME_BYTES];
    if (!table->columns[at].is_beside) {
        Str name = beside_name(table->columns[at].name, catalog->arena, text);
        uint32_t beside = warehouse_catalog_find_column(table, name);
        if (beside != WAREHOUSE_NONE && table->columns[beside].is_beside) table->columns[at].beside = beside;
        return;
    }
    for (uint32_t other = 0; other < table->column_count; other++)
        if (str_equal(beside_name(table->columns[other].name, catalog->arena, text), table->columns[at].name))
            table->columns[other].beside = at;
}

void warehouse_catalog_learn(struct catalog *catalog, Str table_name, Str column, Str type, uint32_t width, Str comment)
{
    uint64_t hash = hash_64(table_name, 0);
    uint32_t at = find_table(catalog, table_name, hash);
    if (at == WAREHOUSE_NONE) at = add_table(catalog, table_name, hash);
    WarehouseTable *table = &catalog->tables[at];
    table->exists = true;
    table->width = width;
    if (!column.bytes) return;
    uint32_t place = add_column(catalog, table, column);
    table->columns[place].type = warehouse_type_from(type);
    table->columns[place].is_beside = str_starts(comment, STR(WAREHOUSE_BESIDE_COMMENT));
    tie_beside(catalog, table, place);
}

void warehouse_catalog_settle(struct catalog *catalog)
{
    for (size_t at = 0; at < catalog->table_count; at++) {
        WarehouseTable *table = &catalog->tables[at];
        if (!table->is_wanted) continue;
        table->is_wanted = false;
        if (!table->why.bytes) table->exists = true;
        for (size_t column = 0; column < table->column_count; column++)
            table->columns[column].wanted = WAREHOUSE_NULL;
    }
}

/* ---- Statements ---- */

void warehouse_put_table_name(struct buf *out, Str schema, Str table)
{
    sql_put_name(out, schema);
    buf_char(out, '.');
    sql_put_name(out, table);
}

void warehouse_put_catalog_query(struct buf *out, Str schema)
{
    buf_str_put(out, STR("SELECT c.relname, a.attname, CASE WHEN a.attgenerated <> '' OR a.attidentity = 'a' "
                         "THEN 'generated' ELSE format_type(a.atttypid, a.atttypmod) END, c.relnatts, "
                         "coalesce(col_description(c.oid, a.attnum), '') "
                         "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                         "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
                         "WHERE c.relkind IN ('r', 'p') AND n.nspname = "));
    sql_put_text(out, schema);
    buf_str_put(out, STR(" ORDER BY c.relname, a.attnum"));
}

void warehouse_put_create(struct buf *out, Str schema, const WarehouseTable *table)
{
    buf_str_put(out, STR("CREATE TABLE "));
    warehouse_put_table_name(out, schema, table->name);
    buf_str_put(out, STR(" ("));
    for (size_t at = 0; at < table->column_count; at++) {
        const WarehouseColumn *column = &table->columns[at];
        if (!column->is_fixed) continue;
        if (at) buf_str_put(out, STR(", "));
        sql_put_name(out, column->name);
        buf_printf(out, " %s", warehouse_type_word(column->wanted));
        if (!at) buf_str_put(out, STR(" PRIMARY KEY"));
    }
    buf_str_put(out, STR(")"));
}

static void put_alter(struct buf *out, Str schema, const WarehouseTable *table, const char *what,
                      const WarehouseColumn *column)
{
    buf_str_put(out, STR("ALTER TABLE "));
    warehouse_put_table_name(out, schema, table->name);
    buf_printf(out, " %s ", what);
    sql_put_name(out, column->name);
}

void warehouse_put_add(struct buf *out, Str schema, const WarehouseTable *table, const WarehouseColumn *column)
{
    put_alter(out, schema, table, "ADD COLUMN", column);
    buf_printf(out, " %s", warehouse_type_word(column->wanted));
}

/* Times become texts of the same shape as they come in. */
void warehouse_put_widen(struct buf *out, Str schema, const WarehouseTable *table, const WarehouseColumn *column,
                         WarehouseType type)
{
    put_alter(out, schema, table, "ALTER COLUMN", column);
    buf_printf(out, " TYPE %s", warehouse_type_word(type));
    if (column->type != WAREHOUSE_TIMESTAMP) {
        buf_str_put(out, STR(" USING "));
        sql_put_name(out, column->name);
        buf_printf(out, "::%s", warehouse_type_word(type));
        return;
    }
    buf_str_put(out, STR(" USING to_char("));
    sql_put_name(out, column->name);
    buf_str_put(out, STR(" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"));
}

void warehouse_put_comment(struct buf *out, Str schema, const WarehouseTable *table, const WarehouseColumn *column,
                           Str of)
{
    char text[128];
    snprintf(text, sizeof text, WAREHOUSE_BESIDE_COMMENT "%.*s", STR_FORMAT(of));
    buf_str_put(out, STR("COMMENT ON COLUMN "));
    warehouse_put_table_name(out, schema, table->name);
    buf_char(out, '.');
    sql_put_name(out, column->name);
    buf_str_put(out, STR(" IS "));
    sql_put_text(out, str_from(text));
}

void warehouse_put_own_tables(struct buf *out, Str schema)
{
    buf_str_put(out, STR("CREATE TABLE IF NOT EXISTS "));
    warehouse_put_table_name(out, schema, STR("onym_sync"));
    buf_str_put(out, STR(" (destination text, partition integer, position bigint NOT NULL, journal text NOT NULL, "
                         "at timestamp with time zone NOT NULL, PRIMARY KEY (destination, partition));\n"
                         "CREATE TABLE IF NOT EXISTS "));
    warehouse_put_table_name(out, schema, STR("onym_discards"));
    buf_str_put(out, STR(" (table_name text, row_id text, column_name text, column_value text, reason text, "
                         "received_at timestamp with time zone, uuid_ts timestamp with time zone)"));
}

/* Instants of events come to the millisecond; two of one millisecond are told apart by their messageId, bytewise. */
void warehouse_put_people_tables(struct buf *out, Str schema)
{
    buf_str_put(out, STR("CREATE TABLE IF NOT EXISTS "));
    warehouse_put_table_name(out, schema, STR("onym_identifiers"));
    buf_str_put(out, STR(" (kind text, value text, person_id text NOT NULL, valid_from timestamp with time zone, "
                         "valid_from_id text COLLATE \"C\", valid_to timestamp with time zone NOT NULL, "
                         "valid_to_id text COLLATE \"C\" NOT NULL, "
                         "PRIMARY KEY (value, kind, valid_from, valid_from_id));\n"
                         "CREATE INDEX IF NOT EXISTS onym_identifiers_person_id ON "));
    warehouse_put_table_name(out, schema, STR("onym_identifiers"));
    buf_str_put(out, STR(" (person_id)"));
}
