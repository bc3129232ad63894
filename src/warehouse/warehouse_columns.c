/* warehouse_columns: makes the tables and columns that rows need, in the transaction of the rows. */
#include "warehouse_load.h"

#include <stdio.h>

static const char WAITS[] = "SET LOCAL lock_timeout = '5s'",
                  WAITS_NO_MORE[] = "SET LOCAL lock_timeout = '" LOAD_LOCK_TIMEOUT "'";

struct refusal {
    Err why;                                 /* no text: it was done */
    char state[SQL_STATE_BYTES];
};

/* load->statement, which may be refused without harm to the transaction. */
static Status try(struct load *load, const WarehouseTable *table, struct refusal *ret, Err *err)
{
    Arena scratch = load->arena;
    Str statement = arena_copy(&scratch, buf_str(&load->statement));
    check(buf_ok(&load->statement));
    buf_clear(&load->statement);
    *ret = (struct refusal){ 0 };
    Status s = sql_run(load->sql, STR("SAVEPOINT onym"), err);
    if (s) return s;
    s = sql_run(load->sql, statement, err);
    if (s && (!load_is_refusal(load) || load_is_own(table))) return s;
    if (s) {
        ret->why = *err;
        snprintf(ret->state, sizeof ret->state, "%s", sql_state(load->sql));
        s = sql_run(load->sql, STR("ROLLBACK TO SAVEPOINT onym"), err);
    }
    return s ? s : sql_run(load->sql, STR("RELEASE SAVEPOINT onym"), err);
}

/* Without the right to make tables the load waits until it is given: nothing of the schema is in the way. */
static Status make_table(struct load *load, WarehouseTable *table, Err *err)
{
    struct refusal refusal;
    warehouse_put_create(&load->statement, load->schema, table);
    Status s = try(load, table, &refusal, err);
    if (!s && refusal.why.text[0]) {
        bool is_taken = !strcmp(refusal.state, "42P07") || !strcmp(refusal.state, "42710");
        if (is_taken) return load_set_aside_foreign(load, table, err);
        *err = refusal.why;
        return ERR_IO;
    }
    for (size_t at = 0; !s && at < table->column_count; at++)
        if (table->columns[at].is_fixed) table->columns[at].type = table->columns[at].wanted;
    return s;
}

static bool lacks_fixed(const WarehouseTable *table)
{
    for (size_t at = 0; at < table->column_count; at++)
        if (table->columns[at].is_fixed && table->columns[at].type == WAREHOUSE_NULL) return true;
    return false;
}

/* Somebody else's table, or a part of one: it takes what it has columns for. */
static void make_narrow(struct load *load, WarehouseTable *table, const Err *why)
{
    table->why_narrow = load_reason(load, why->text);
    load_tell(load, table, why->text);
    if (lacks_fixed(table)) load_set_aside(load, table, why->text);
}

static Status add_columns(struct load *load, WarehouseTable *table, Err *err)
{
    bool has_any = false;
    struct refusal refusal = { 0 };
    if (table->why_narrow.bytes) return OK;
    for (size_t at = 0; at < table->column_count; at++) {
        WarehouseColumn *column = &table->columns[at];
        if (column->type != WAREHOUSE_NULL || column->wanted == WAREHOUSE_NULL) continue;
        if (has_any) buf_str_put(&load->statement, STR("; "));
        has_any = true;
        warehouse_put_add(&load->statement, load->schema, table, column);
    }
    Status s = has_any ? try(load, table, &refusal, err) : OK;
    if (!s && refusal.why.text[0]) {
        make_narrow(load, table, &refusal.why);
        return OK;
    }
    for (size_t at = 0; !s && at < table->column_count; at++)
        if (table->columns[at].type == WAREHOUSE_NULL) table->columns[at].type = table->columns[at].wanted;
    return s;
}

/* ---- Widening ---- */

static void note_number(void *context, const Str *cells)
{
    if (!cells[0].bytes || !str_parse_int(cells[0], 0, INT64_MAX, context)) *(int64_t *)context = 0;
}

static Status find_size(struct load *load, const WarehouseTable *table, int64_t *ret_bytes, Err *err)
{
    struct buf name;
    buf_init(&name, 1024);
    warehouse_put_table_name(&name, load->schema, table->name);
    buf_str_put(&load->statement, STR("SELECT pg_total_relation_size(to_regclass("));
    sql_put_text(&load->statement, buf_str(&name));
    buf_str_put(&load->statement, STR("))"));
    buf_done(&name);
    Status s = sql_query(load->sql, buf_str(&load->statement), note_number, ret_bytes, err);
    buf_clear(&load->statement);
    return s;
}

/* *ret_done is false if the server cannot do it because a view, a policy or a generated column uses it.
 * If only somebody else's lock is in the way, it fails, and is tried again later. */
static Status alter(struct load *load, WarehouseTable *table, WarehouseColumn *column, WarehouseType type,
                    bool *ret_done, Err *err)
{
    size_t view_columns = table->view_columns, grants = load->regrants.len;
    bool is_dropped = table->is_view_dropped;
    *ret_done = false;
    Status s = sql_run(load->sql, STR("SAVEPOINT onym"), err);
    if (s) return s;
    s = load_drop_view(load, table, err);
    if (!s) {
        warehouse_put_widen(&load->statement, load->schema, table, column, type);
        s = load_run(load, err);
    }
    *ret_done = !s;
    if (s) table->view_columns = view_columns, table->is_view_dropped = is_dropped, load->regrants.len = grants;
    const char *state = sql_state(load->sql);
    if (s && strncmp(state, "0A", 2) && strncmp(state, "2B", 2) && strncmp(state, "42", 2)) return s;
    if (s) s = sql_run(load->sql, STR("ROLLBACK TO SAVEPOINT onym"), err);
    if (!s && *ret_done) column->type = type;
    return s ? s : sql_run(load->sql, STR("RELEASE SAVEPOINT onym"), err);
}

/* Makes a column that takes what this one does not, and reports it once, by a row without a message. */
static Status put_beside(struct load *load, uint32_t table_at, uint32_t column_at, const char *reason, Err *err)
{
    WarehouseTable *table = &load->catalog->tables[table_at];
    if (table->why_narrow.bytes) return OK;                  /* then each value is discarded */
    uint32_t at = warehouse_catalog_put_beside(load->catalog, table_at, column_at);
    if (at == WAREHOUSE_NONE) return OK;
    struct refusal refusal;
    warehouse_put_add(&load->statement, load->schema, table, &table->columns[at]);
    buf_str_put(&load->statement, STR("; "));
    warehouse_put_comment(&load->statement, load->schema, table, &table->columns[at], table->columns[column_at].name);
    Status s = try(load, table, &refusal, err);
    if (s) return s;
    if (refusal.why.text[0]) {
        table->columns[column_at].beside = WAREHOUSE_NONE;
        make_narrow(load, table, &refusal.why);
        return OK;
    }
    table->columns[at].type = WAREHOUSE_TEXT;
    load_discard(load, (LoadDiscard){ .table = table->name, .column = table->columns[column_at].name, .reason = reason,
                                      .received_at_ms = load->now_ms });
    return OK;
}

static Status widen(struct load *load, uint32_t table_at, uint32_t column_at, Err *err)
{
    WarehouseTable *table = &load->catalog->tables[table_at];
    WarehouseColumn *column = &table->columns[column_at];
    if (column->wanted == WAREHOUSE_NULL || warehouse_type_takes(column->type, column->wanted)) return OK;
    if (column->beside != WAREHOUSE_NONE) return OK;
    if (column->is_fixed) {
        Status wrong = err_set(err, ERR_INPUT, "column %.*s is not %s, as it has to be; give it that type, or rename "
                               "the table", STR_FORMAT(column->name), warehouse_type_word(column->wanted));
        if (load_is_own(table)) return wrong;
        load_set_aside(load, table, err->text);
        return OK;
    }
    if (column->type == WAREHOUSE_OTHER) return put_beside(load, table_at, column_at, "type_not_ours", err);
    WarehouseType type = warehouse_type_join(column->type, column->wanted);
    int64_t bytes = 0;
    bool is_done = false;
    Status s = find_size(load, table, &bytes, err);
    if (!s && bytes > load->widen_bytes) return put_beside(load, table_at, column_at, "table_too_large_to_widen", err);
    if (!s) s = sql_run(load->sql, str_from(WAITS), err);
    if (!s) s = alter(load, table, column, type, &is_done, err);
    if (!s) s = sql_run(load->sql, str_from(WAITS_NO_MORE), err);
    return s || is_done ? s : put_beside(load, table_at, column_at, "column_in_use", err);
}

Status load_make_columns(struct load *load, Err *err)
{
    Status s = OK;
    for (uint32_t at = 0; !s && at < load->catalog->table_count; at++) {
        WarehouseTable *table = &load->catalog->tables[at];
        if (!table->is_wanted || table->why.bytes) continue;
        if (!table->exists) s = make_table(load, table, err);
        if (!s && !table->why.bytes) s = add_columns(load, table, err);
        size_t count = table->column_count;                  /* what is put beside needs no widening */
        for (uint32_t column = 0; !s && !table->why.bytes && column < count; column++) s = widen(load, at, column, err);
        if (s) s = err_wrap(err, s, "table %.*s", STR_FORMAT(load->catalog->tables[at].name));
    }
    return s;
}
