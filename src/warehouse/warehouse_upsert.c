/* warehouse_upsert: users and accounts: one row for each id, in which each column has the last value that came for it;
 * people: one row for each person, in which each column has what was said last of it, null if that was nothing.
 * All that a load says of one id becomes one row first, since a statement may change a row only once. */
#include "warehouse_load.h"

#include <stdlib.h>

struct sorting { const LoadRow *rows; };

static int compare_ids(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = str_compare(sorting->rows[x].id, sorting->rows[y].id);
    return order ? order : x < y ? -1 : x > y;
}

/* The rows of order from..to are one id's, the oldest first: the first of them gets all values, the newest of each. */
static void fold(struct load *load, WarehouseTable *table, size_t from, size_t to)
{
    size_t most = 0, count = 0;
    for (size_t at = from; at < to; at++) most += load->rows[load->order[at]].cell_count;
    LoadCell *cells = arena_new(&load->arena, LoadCell, most);
    load->stamp++;
    for (size_t at = to; at-- > from;) {
        const LoadRow *row = &load->rows[load->order[at]];
        for (size_t cell = 0; cell < row->cell_count; cell++) {
            WarehouseColumn *column = &table->columns[row->cells[cell].column];
            if (column->stamp == load->stamp) continue;
            column->stamp = load->stamp;
            cells[count++] = row->cells[cell];
        }
    }
    load->rows[load->order[from]].cells = cells;
    load->rows[load->order[from]].cell_count = (uint32_t)count;
    load->rows[load->order[from]].message = load->rows[load->order[to - 1]].message;
}

/* All columns but the key and uuid_ts, each with what stands before it: two such lists say whether a row changed. */
static void put_all(struct load *load, const WarehouseTable *table, const char *before)
{
    bool is_first = true;
    for (size_t at = 1; at < table->column_count; at++) {
        const WarehouseColumn *column = &table->columns[at];
        if (column->type == WAREHOUSE_NULL || str_equal(column->name, STR("uuid_ts"))) continue;
        if (!is_first) buf_str_put(&load->statement, STR(", "));
        is_first = false;
        buf_str_put(&load->statement, str_from(before));
        sql_put_name(&load->statement, column->name);
    }
}

/* The whole row is said: what it does not say becomes null. What is the same is not written again. */
static void put_replacement(struct load *load, const WarehouseTable *table)
{
    struct buf *out = &load->statement;
    buf_str_put(out, STR(" FROM onym_beside b WHERE EXISTS (SELECT FROM "));
    warehouse_put_table_name(out, load->schema, STR("onym_identifiers"));
    buf_str_put(out, STR(" i WHERE i.person_id = b.person_id) ON CONFLICT (person_id) DO UPDATE SET ("));
    put_all(load, table, "");
    buf_str_put(out, STR(", uuid_ts) = ROW ("));
    put_all(load, table, "EXCLUDED.");
    buf_str_put(out, STR(", EXCLUDED.uuid_ts) WHERE ("));
    put_all(load, table, "t.");
    buf_str_put(out, STR(") IS DISTINCT FROM ("));
    put_all(load, table, "EXCLUDED.");
    buf_str_put(out, STR(")"));
}

static void put_update(struct load *load, const WarehouseTable *table)
{
    bool is_first = true;
    buf_str_put(&load->statement, STR(" ON CONFLICT (id) DO UPDATE SET "));
    for (size_t at = 0; at < table->column_count; at++) {
        const WarehouseColumn *column = &table->columns[at];
        if (column->stamp != load->stamp || str_equal(column->name, STR("id"))) continue;
        if (!is_first) buf_str_put(&load->statement, STR(", "));
        is_first = false;
        sql_put_name(&load->statement, column->name);
        buf_str_put(&load->statement, STR(" = coalesce(EXCLUDED."));
        sql_put_name(&load->statement, column->name);
        buf_str_put(&load->statement, STR(", t."));
        sql_put_name(&load->statement, column->name);
        buf_char(&load->statement, ')');
    }
}

static Status send_all(struct load *load, const WarehouseTable *table, size_t count, Err *err)
{
    Status s = load_copy_beside(load, table, count, err);
    if (s) return s;
    buf_str_put(&load->statement, STR("INSERT INTO "));
    warehouse_put_table_name(&load->statement, load->schema, table->name);
    buf_str_put(&load->statement, STR(" AS t ("));
    load_put_columns(load, table);
    buf_str_put(&load->statement, STR(") SELECT "));
    load_put_columns(load, table);
    if (load->rows[load->order[0]].is_whole) {
        put_replacement(load, table);
    } else {
        buf_str_put(&load->statement, STR(" FROM onym_beside"));
        put_update(load, table);
    }
    s = load_run(load, err);
    return s ? s : sql_run(load->sql, STR("DROP TABLE onym_beside"), err);
}

static Status send_singly(struct load *load, WarehouseTable *table, size_t *count, Err *err)
{
    put_update(load, table);
    Str update = arena_copy(&load->arena, buf_str(&load->statement));
    buf_clear(&load->statement);
    Status s = sql_run(load->sql, STR("ROLLBACK TO SAVEPOINT onym"), err);
    return s ? s : load_send_singly(load, table, update, *count, count, err);
}

Status load_send_upserts(struct load *load, WarehouseTable *table, size_t count, Err *err)
{
    struct sorting sorting = { load->rows };
    size_t ids = 0;
    qsort_r(load->order, count, sizeof *load->order, compare_ids, &sorting);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count; to++)
            if (!str_equal(load->rows[load->order[to]].id, load->rows[load->order[from]].id)) break;
        if (to > from + 1) fold(load, table, from, to);
        load->order[ids++] = load->order[from];
    }
    load_stamp(load, table, ids);
    Status s = sql_run(load->sql, STR("SAVEPOINT onym"), err);
    if (!s) s = send_all(load, table, ids, err);
    if (s && !load_is_own(table) && load_is_refusal(load)) s = send_singly(load, table, &ids, err);
    if (!s) s = sql_run(load->sql, STR("RELEASE SAVEPOINT onym"), err);
    load->counts.rows_sent += s ? 0 : ids;
    load->is_mended |= !s && ids && str_equal(table->name, str_from(load->troubled));
    return s;
}
