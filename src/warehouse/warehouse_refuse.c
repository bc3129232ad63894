/* warehouse_refuse: what the server, or a rule of somebody's there, does not let in. Nothing of one table stops the
 * others: rows that a table does not take go to onym_discards with what the server said.
 *
 *   the name is something else's (a view, a sequence, a type ...)     the table is set aside
 *   a fixed column has another type, or is missing and cannot be made the table is set aside
 *   no other column can be made (somebody else's table, a partition)  the values without a column are discarded
 *   some rows are refused (constraints, triggers, policies, rights)   each row is tried by itself
 *
 * The catalogue is read again a minute later: what was mended by then takes rows again. */
#include "warehouse_load.h"

#include <stdio.h>

static bool is_one_of(const char *state, const char *const *words, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (!strncmp(state, words[at], strlen(words[at]))) return true;
    return false;
}

bool load_is_refusal(const struct load *load)
{
    static const char *const others[] = { "08", "25", "28", "3D", "40", "53", "55P03", "57", "58", "F0", "XX" };
    static const char *const stale[] = { "42P01", "42703", "42701" };
    const char *state = sql_state(load->sql);
    if (!sql_is_open(load->sql) || !state[0] || is_one_of(state, others, countof(others))) return false;
    return load->is_sure || !is_one_of(state, stale, countof(stale));
}

bool load_is_own(const WarehouseTable *table) { return str_starts(table->name, STR("onym_")); }

Str load_reason(struct load *load, const char *why)
{
    return arena_printf(&load->catalog->arena, "refused: %s", why);
}

void load_tell(struct load *load, const WarehouseTable *table, const char *why)
{
    load->catalog->has_trouble = true;
    if (load->trouble[0]) return;
    snprintf(load->troubled, sizeof load->troubled, "%.*s", STR_FORMAT(table->name));
    snprintf(load->trouble, sizeof load->trouble, "table %.*s: %s; what it does not take is in onym_discards",
             STR_FORMAT(table->name), why);
}

void load_set_aside(struct load *load, WarehouseTable *table, const char *why)
{
    table->why = load_reason(load, why);
    load_tell(load, table, why);
}

/* The last one wins: a table of the name comes after the type of its rows. */
static void note_kind(void *context, const Str *cells)
{
    snprintf(context, 32, "%.*s", STR_FORMAT(cells[0]));
}

Status load_set_aside_foreign(struct load *load, WarehouseTable *table, Err *err)
{
    struct buf *out = &load->statement;
    char kind[32] = "", why[128];
    buf_str_put(out, STR(
        "SELECT 'a type' FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = "));
    sql_put_text(out, table->name);
    buf_str_put(out, STR(" AND n.nspname = "));
    sql_put_text(out, load->schema);
    buf_str_put(out, STR(
        " UNION ALL SELECT CASE c.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'S' THEN "
        "'a sequence' WHEN 'f' THEN 'a foreign table' WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' WHEN 'c' THEN "
        "'a type' ELSE '' END FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = "));
    sql_put_text(out, table->name);
    buf_str_put(out, STR(" AND n.nspname = "));
    sql_put_text(out, load->schema);
    Status s = sql_query(load->sql, buf_str(out), note_kind, kind, err);
    buf_clear(out);
    if (s) return s;
    if (!kind[0]) return err_set(err, ERR_CONFLICT, "it was made by somebody else just now; looking again");
    snprintf(why, sizeof why, "%s of this name stands in the schema; rename it or drop it", kind);
    load_set_aside(load, table, why);
    return OK;
}

void load_refuse_row(struct load *load, const LoadRow *row, const char *reason)
{
    const LoadMessage *message = &load->messages[row->message];
    load->counts.refused++;
    load_discard(load, (LoadDiscard){
        .table = load->catalog->tables[row->table].name, .row = row->id,
        .text = load->choice->skip_count ? STR("") : message->json,
        .received_at_ms = message->received_at_ms, .reason = reason,
    });
}

/* ---- One row after the other ---- */

struct telling {
    struct load *load;
    WarehouseTable *table;
    size_t left;                             /* rows of order that are not told of stand first */
};

/* What a constraint or a right is called says nothing of anybody; what a trigger says may. */
static void say_plainly(Str state, Str why, char text[256])
{
    static const char *const plain[] = { "0A", "23", "42", "44", "55" };
    char code[SQL_STATE_BYTES];
    snprintf(code, sizeof code, "%.*s", STR_FORMAT(state));
    if (is_one_of(code, plain, countof(plain))) snprintf(text, 256, "%.*s (%s)", STR_FORMAT(why), code);
    else snprintf(text, 256, "it refuses rows (%s)", code);
}

/* id, SQLSTATE (null: it is there already), what the server said */
static void note_told(void *context, const Str *cells)
{
    struct telling *telling = context;
    struct load *load = telling->load;
    for (size_t at = 0; at < telling->left; at++) {
        uint32_t place = load->order[at];
        const LoadRow *row = &load->rows[place];
        if (!str_equal(row->id, cells[0])) continue;
        load->order[at] = load->order[--telling->left];
        load->order[telling->left] = place;
        if (cells[1].bytes) {
            char plain[256];
            say_plainly(cells[1], cells[2], plain);
            /* Without its message an erasure does not find the row, so it must not quote anybody. */
            Str reason = load->choice->skip_count
                ? arena_printf(&load->arena, "refused: %s", plain)
                : arena_printf(&load->arena, "refused: %.*s (%.*s)", STR_FORMAT(cells[2]), STR_FORMAT(cells[1]));
            load_refuse_row(load, row, reason.bytes);
            load_tell(load, telling->table, plain);
        } else if (row->is_first) {
            load->messages[row->message].is_repeated = true;
            load->counts.repeated++;
        }
        return;
    }
}

/* As a block of the server's own language: 5,000 rows take a second. What another try may find better ends it. */
static void put_block(struct load *load, const WarehouseTable *table, Str update)
{
    struct buf *out = &load->statement, body;
    buf_str_put(out, STR("#variable_conflict use_column\nDECLARE onym_row record; onym_count bigint; BEGIN "
                         "FOR onym_row IN SELECT ctid, id FROM onym_beside LOOP BEGIN INSERT INTO "));
    warehouse_put_table_name(out, load->schema, table->name);
    buf_str_put(out, STR(" AS t ("));
    load_put_columns(load, table);
    buf_str_put(out, STR(") SELECT "));
    load_put_columns(load, table);
    buf_str_put(out, STR(" FROM onym_beside b WHERE b.ctid = onym_row.ctid"));
    if (update.len) {
        buf_str_put(out, update);
    } else {
        buf_str_put(out, STR(" AND NOT EXISTS (SELECT FROM "));
        warehouse_put_table_name(out, load->schema, table->name);
        buf_str_put(out, STR(" x WHERE x.id = b.id)"));
    }
    buf_str_put(out, STR(
        "; GET DIAGNOSTICS onym_count = ROW_COUNT; "
        "IF onym_count = 0 THEN INSERT INTO onym_told VALUES (onym_row.id, NULL, NULL); END IF; "
        "EXCEPTION WHEN others THEN IF left(SQLSTATE, 2) IN ('08', '25', '40', '53', '57', '58', 'XX') "
        "OR SQLSTATE = '55P03' THEN RAISE; END IF; "
        "INSERT INTO onym_told VALUES (onym_row.id, SQLSTATE, left(SQLERRM, 250)); END; END LOOP; END"));
    buf_init(&body, 8 * 1024 * 1024);
    buf_str_put(&body, buf_str(out));
    buf_clear(out);
    buf_str_put(out, STR("CREATE TEMP TABLE onym_told (id text, state text, why text) ON COMMIT DROP; DO "));
    sql_put_text(out, buf_str(&body));
    buf_done(&body);
}

static Status run_singly(struct load *load, WarehouseTable *table, Str update, size_t count, Err *err)
{
    Status s = load_copy_beside(load, table, count, err);
    if (s) return s;
    put_block(load, table, update);
    return load_run(load, err);
}

/* Not even by themselves: nothing is known of single rows. */
static Status refuse_all(struct load *load, WarehouseTable *table, size_t count, Err *err)
{
    load_set_aside(load, table, err->text);
    for (size_t at = 0; at < count; at++) load_refuse_row(load, &load->rows[load->order[at]], table->why.bytes);
    return sql_run(load->sql, STR("ROLLBACK TO SAVEPOINT onym"), err);
}

Status load_send_singly(struct load *load, WarehouseTable *table, Str update, size_t count, size_t *ret_new, Err *err)
{
    struct telling telling = { load, table, count };
    *ret_new = 0;
    Status s = run_singly(load, table, update, count, err);
    if (s && load_is_refusal(load) && strncmp(sql_state(load->sql), "22", 2))
        return refuse_all(load, table, count, err);
    if (!s) s = sql_query(load->sql, STR("SELECT id, state, why FROM onym_told"), note_told, &telling, err);
    if (!s) s = sql_run(load->sql, STR("DROP TABLE onym_beside; DROP TABLE onym_told"), err);
    *ret_new = telling.left;
    return s;
}
