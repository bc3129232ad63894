/* warehouse_views: see the header. A view of Onym's is known by its comment; any other of such a name is left alone. */
#include "warehouse_views.h"

#define COMMENT "onym: each row and whose it is now"
#define PERSON "person_id"

static bool has(const WarehouseTable *table, const char *column)
{
    uint32_t at = warehouse_catalog_find_column(table, str_from(column));
    return at != WAREHOUSE_NONE && table->columns[at].type != WAREHOUSE_NULL;
}

/* users and accounts have no time, and onym_discards no ids. */
static bool is_of_events(const WarehouseTable *table)
{
    return table->exists && !str_starts(table->name, STR("onym_")) && has(table, "id") && has(table, "user_id")
        && has(table, "anonymous_id") && has(table, "timestamp");
}

static Str view_name(const WarehouseTable *table, Arena *arena) { return warehouse_name_view(table->name, arena); }

static size_t count_columns(const WarehouseTable *table)
{
    size_t count = 1;
    for (size_t at = 0; at < table->column_count; at++) count += table->columns[at].type != WAREHOUSE_NULL;
    return count;
}

/* ---- Reading ---- */

static void note_view(void *context, const Str *cells)
{
    struct load *load = context;
    int64_t count = 0;
    if (!str_parse_int(cells[1], 0, 10000, &count)) return;
    Str name = str_slice(cells[0], 0, cells[0].len - (sizeof WAREHOUSE_RESOLVED - 1));
    for (size_t at = 0; at < load->catalog->table_count; at++) {
        WarehouseTable *table = &load->catalog->tables[at];
        Arena scratch = load->arena;
        bool is_long = table->name.len + sizeof WAREHOUSE_RESOLVED - 1 > WAREHOUSE_NAME_BYTES;
        if (is_long ? str_equal(view_name(table, &scratch), cells[0]) : str_equal(table->name, name))
            table->view_columns = (size_t)count;
    }
}

Status warehouse_views_read(struct load *load, Err *err)
{
    buf_str_put(&load->statement, STR(
        "SELECT c.relname, c.relnatts FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
        "c.relkind = 'v' AND right(c.relname, 9) = '" WAREHOUSE_RESOLVED "' "
        "AND obj_description(c.oid, 'pg_class') = '" COMMENT "' AND n.nspname = "));
    sql_put_text(&load->statement, load->schema);
    Status s = sql_query(load->sql, buf_str(&load->statement), note_view, load, err);
    buf_clear(&load->statement);
    return s;
}

/* ---- Making ---- */

static void put_view(struct load *load, const WarehouseTable *table)
{
    struct buf *out = &load->statement;
    Arena scratch = load->arena;
    Str name = view_name(table, &scratch);
    warehouse_put_table_name(out, load->schema, name);
    buf_str_put(out, STR(" AS SELECT i." PERSON));
    for (size_t at = 0; at < table->column_count; at++) {
        if (table->columns[at].type == WAREHOUSE_NULL) continue;
        buf_str_put(out, STR(", t."));
        sql_put_name(out, table->columns[at].name);
        if (str_equal(table->columns[at].name, STR(PERSON))) buf_str_put(out, STR(" AS " PERSON "_"));
    }
    buf_str_put(out, STR(" FROM "));
    warehouse_put_table_name(out, load->schema, table->name);
    buf_str_put(out, STR(" t LEFT JOIN "));
    warehouse_put_table_name(out, load->schema, STR("onym_identifiers"));
    buf_str_put(out, STR(
        " i ON i.kind = CASE WHEN t.user_id IS NULL THEN 'anonymous_id' ELSE 'user_id' END "
        "AND i.value = coalesce(t.user_id, t.anonymous_id) "
        "AND (i.valid_from, i.valid_from_id) < (t.\"timestamp\", t.id COLLATE \"C\") "
        "AND (t.\"timestamp\", t.id COLLATE \"C\") <= (i.valid_to, i.valid_to_id); COMMENT ON VIEW "));
    warehouse_put_table_name(out, load->schema, name);
    buf_str_put(out, STR(" IS '" COMMENT "'"));
}

/* *ret_done is false where the server does not do it as things are. */
static Status try(struct load *load, bool *ret_done, Err *err)
{
    Str statement = buf_str(&load->statement);
    Arena scratch = load->arena;
    statement = arena_copy(&scratch, statement);
    buf_clear(&load->statement);
    Status s = sql_run(load->sql, STR("SAVEPOINT onym"), err);
    if (s) return s;
    s = sql_run(load->sql, statement, err);
    *ret_done = !s;
    if (s && !sql_is_open(load->sql)) return s;
    if (s) s = sql_run(load->sql, STR("ROLLBACK TO SAVEPOINT onym"), err);
    return s ? s : sql_run(load->sql, STR("RELEASE SAVEPOINT onym"), err);
}

/* Is something of that name there that is not ours? */
static void note_foreign(void *context, const Str *cells)
{
    (void)cells;
    *(bool *)context = true;
}

static Status find_foreign(struct load *load, const WarehouseTable *table, bool *ret, Err *err)
{
    Arena scratch = load->arena;
    buf_str_put(&load->statement, STR("SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                                      "coalesce(obj_description(c.oid, 'pg_class'), '') <> '" COMMENT "' "
                                      "AND n.nspname = "));
    sql_put_text(&load->statement, load->schema);
    buf_str_put(&load->statement, STR(" AND c.relname = "));
    sql_put_text(&load->statement, view_name(table, &scratch));
    *ret = false;
    Status s = sql_query(load->sql, buf_str(&load->statement), note_foreign, ret, err);
    buf_clear(&load->statement);
    return s;
}

/* ---- Grants ---- */

/* A statement each, with a zero after it. */
static void note_grant(void *context, const Str *cells)
{
    struct buf *out = context;
    buf_str_put(out, cells[0]);
    buf_char(out, 0);
}

#define PUT_GRANT "format('GRANT %s%s ON %s TO %s%s', p.privilege_type, "
#define PUT_TO ", c.oid::regclass, CASE WHEN p.grantee = 0 THEN 'PUBLIC' ELSE p.grantee::regrole::text END, " \
               "CASE WHEN p.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)"

/* What others may do with the view and with columns of it, before it is dropped. */
static Status keep_grants(struct load *load, Str view, Err *err)
{
    struct buf *out = &load->statement;
    buf_str_put(out, STR(
        "WITH c AS (SELECT c.oid, c.relacl, c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'v' AND n.nspname = "));
    sql_put_text(out, load->schema);
    buf_str_put(out, STR(" AND c.relname = "));
    sql_put_text(out, view);
    buf_str_put(out, STR(
        ") SELECT " PUT_GRANT "''" PUT_TO " FROM c, aclexplode(c.relacl) p WHERE p.grantee <> c.relowner "
        "UNION ALL SELECT " PUT_GRANT "format(' (%I)', a.attname)" PUT_TO " FROM c JOIN pg_attribute a ON "
        "a.attrelid = c.oid AND NOT a.attisdropped, aclexplode(a.attacl) p WHERE p.grantee <> c.relowner"));
    Status s = sql_query(load->sql, buf_str(out), note_grant, &load->regrants, err);
    buf_clear(out);
    return s;
}

/* One that is no more possible (its column or its role is gone) costs no other. */
static Status put_grants(struct load *load, Err *err)
{
    Status s = OK;
    bool is_done;
    Str left = buf_str(&load->regrants);
    while (!s && left.len) {
        Str rest, grant = str_cut(left, 0, &rest);
        buf_str_put(&load->statement, grant);
        s = try(load, &is_done, err);
        left = rest;
    }
    buf_clear(&load->regrants);
    return s;
}

static Status make_view(struct load *load, WarehouseTable *table, Err *err)
{
    bool is_done = false, is_foreign;
    size_t wanted = count_columns(table);
    Status s = find_foreign(load, table, &is_foreign, err);
    if (!s && !is_foreign) {
        buf_str_put(&load->statement, STR("CREATE OR REPLACE VIEW "));
        put_view(load, table);
        s = try(load, &is_done, err);
    }
    if (!s && !is_foreign && !is_done) {                     /* its columns are others, not only more */
        Arena scratch = load->arena;
        Str name = view_name(table, &scratch);
        size_t kept = load->regrants.len;
        s = keep_grants(load, name, err);
        buf_str_put(&load->statement, STR("DROP VIEW IF EXISTS "));
        warehouse_put_table_name(&load->statement, load->schema, name);
        buf_str_put(&load->statement, STR("; CREATE VIEW "));
        put_view(load, table);
        if (!s) s = try(load, &is_done, err);
        if (!is_done) load->regrants.len = kept;
    }
    if (!s) table->view_columns = wanted;                    /* or not: until the catalogue is read again */
    return s;
}

static Status make_views(struct load *load, bool are_dropped, Err *err)
{
    Status s = OK;
    bool has_any = false;
    for (size_t at = 0; !s && at < load->catalog->table_count; at++) {
        WarehouseTable *table = &load->catalog->tables[at];
        if (!is_of_events(table) || (are_dropped && !table->is_view_dropped)) continue;
        if (table->view_columns == count_columns(table)) continue;
        if (!has_any) s = sql_run(load->sql, STR("SET LOCAL lock_timeout = '5s'"), err);
        has_any = true;
        if (!s) s = make_view(load, table, err);
        table->is_view_dropped = false;
        if (s) s = err_wrap(err, s, "the view on table %.*s", STR_FORMAT(table->name));
    }
    if (!s && has_any) s = sql_run(load->sql, STR("SET LOCAL lock_timeout = '" LOAD_LOCK_TIMEOUT "'"), err);
    return s;
}

Status warehouse_views_make(struct load *load, Err *err)
{
    Status s = make_views(load, false, err);
    return s ? s : put_grants(load, err);
}

Status warehouse_views_put_back(struct load *load, Err *err)
{
    Status s = make_views(load, true, err);
    return s ? s : put_grants(load, err);
}

/* ---- Out of the way ---- */

Status load_drop_view(struct load *load, WarehouseTable *table, Err *err)
{
    Arena scratch = load->arena;
    Str name = view_name(table, &scratch);
    if (!table->view_columns) return OK;
    Status s = keep_grants(load, name, err);
    if (s) return s;
    buf_str_put(&load->statement, STR("DROP VIEW IF EXISTS "));
    warehouse_put_table_name(&load->statement, load->schema, name);
    s = load_run(load, err);
    if (!s) table->view_columns = 0, table->is_view_dropped = true;
    return s;
}
