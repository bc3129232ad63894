/* warehouse_load: see the header. */
#include "warehouse_load.h"

#include <stdlib.h>

enum {
    ARENA_BYTES = 256 * 1024 * 1024, ARENA_FULL = ARENA_BYTES / 2,
    LINES_BYTES = 1024 * 1024, LINES_MOST = 64 * 1024 * 1024, STATEMENT_MOST = 8 * 1024 * 1024,
    ROWS_MOST = 1 << 24, VALUES_MOST = 1700,         /* PostgreSQL has 1,600 columns at most */
    ROW_WIDTH = 7500,                        /* of PostgreSQL's 8 KiB: the header and the bits of nulls off */
};

static const Str beside = { "onym_beside", 11 };     /* a temporary table: gone with the transaction, or before */

void warehouse_load_open(struct load *load, struct catalog *catalog, Str schema)
{
    *load = (struct load){ .catalog = catalog, .schema = schema };
    region_open(&load->region, ARENA_BYTES);
    load->arena = region_arena(&load->region);
    buf_init(&load->lines, LINES_MOST);
    buf_init(&load->statement, STATEMENT_MOST);
    buf_init(&load->regrants, STATEMENT_MOST);
    load->values = calloc(VALUES_MOST, sizeof *load->values);
    check(load->values);
}

void warehouse_load_close(struct load *load)
{
    free(load->rows);
    free(load->order);
    free(load->messages);
    free(load->discards);
    free(load->values);
    slots_done(&load->ids);
    buf_done(&load->lines);
    buf_done(&load->statement);
    buf_done(&load->regrants);
    region_close(&load->region);
}

void warehouse_load_drop(struct load *load)
{
    load->row_count = load->message_count = load->discard_count = 0;
    slots_clear(&load->ids);
    load->arena = region_arena(&load->region);
    region_trim(&load->region, 32 * 1024 * 1024);
    buf_clear(&load->lines);
    buf_clear(&load->statement);
}

void warehouse_load_begin(struct load *load, struct sql *sql, Millis now_ms)
{
    warehouse_load_drop(load);
    load->sql = sql;
    load->now_ms = now_ms;
    buf_clear(&load->regrants);
    load->counts = (LoadCounts){ 0 };
    load->trouble[0] = 0;
    load->is_mended = false;
}

bool warehouse_load_is_full(const struct load *load) { return arena_left(&load->arena) < ARENA_FULL; }

/* ---- Adding ---- */

void load_discard(struct load *load, LoadDiscard discard)
{
    check(vector_reserve(load->discards, load->discard_capacity, load->discard_count + 1, ROWS_MOST));
    load->discards[load->discard_count++] = discard;
}

/* What is told again and again (people) is not discarded again and again. */
static void discard_cell(struct load *load, LoadDiscard discard, bool is_whole)
{
    if (!is_whole) load_discard(load, discard);
}

static Str keep(struct load *load, Str text, Str json)
{
    bool is_inside = text.bytes >= json.bytes && text.bytes <= json.bytes + json.len;
    return is_inside || !text.bytes ? text : arena_copy(&load->arena, text);
}

/* A whole message, for onym_discards: not where something of it is to be left out. */
static Str all_of(const struct load *load, Str json) { return load->choice->skip_count ? STR("") : json; }

/* False: the same id came before, in this load. */
static bool is_first_of_id(struct load *load, uint32_t table, Str id)
{
    uint64_t hash = hash_64(id, table);
    for (uint32_t at, probe = 0; (at = slots_next(&load->ids, hash, &probe)) != SLOTS_NONE;)
        if (load->rows[at].table == table && str_equal(load->rows[at].id, id)) return false;
    check(slots_reserve(&load->ids, (uint32_t)load->row_count + 1));
    slots_put(&load->ids, hash, (uint32_t)load->row_count);
    return true;
}

static void want_uuid_ts(struct load *load, uint32_t table)
{
    uint32_t column = warehouse_catalog_column(load->catalog, table, STR("uuid_ts"));
    if (column == WAREHOUSE_NONE) return;
    load->catalog->tables[table].columns[column].is_fixed = true;
    load->catalog->tables[table].columns[column].wanted = WAREHOUSE_TIMESTAMP;
}

static void add_cell(struct load *load, LoadRow *row, const WarehouseValue *value, const LoadDiscard *like, Str json)
{
    if (!value->is_fixed
        && !warehouse_takes_column(load->choice, load->catalog->tables[row->table].name, value->column)) return;
    uint32_t at = warehouse_catalog_column(load->catalog, row->table, value->column);
    WarehouseColumn *column = at == WAREHOUSE_NONE ? NULL : &load->catalog->tables[row->table].columns[at];
    const char *reason = !column ? "columns_full" : column->is_beside ? "taken" : NULL;
    if (reason && value->text.bytes) {
        LoadDiscard discard = *like;
        discard.column = arena_copy(&load->arena, value->column);
        discard.text = keep(load, value->text, json);
        discard.reason = reason;
        discard_cell(load, discard, row->is_whole);
    }
    if (reason) return;
    column->is_fixed |= value->is_fixed;
    column->wanted = warehouse_type_join(column->wanted, value->type);
    if (value->text.bytes)
        row->cells[row->cell_count++] = (LoadCell){ keep(load, value->text, json), at, value->type };
}

static void add_row(struct load *load, const WarehouseRow *row, const LoadDiscard *like, bool is_first, Str json)
{
    uint32_t table = warehouse_catalog_table(load->catalog, row->table);
    if (table == WAREHOUSE_NONE) {
        LoadDiscard discard = *like;
        discard.text = all_of(load, json);
        discard.reason = "tables_full";
        load_discard(load, discard);
        return;
    }
    check(vector_reserve(load->rows, load->row_capacity, load->row_count + 1, ROWS_MOST));
    LoadRow made = { .id = keep(load, row->id, json), .table = table, .message = (uint32_t)load->message_count - 1,
                     .is_first = is_first, .is_upsert = row->is_upsert, .is_whole = row->is_whole,
                     .cells = arena_new(&load->arena, LoadCell, row->count) };
    if (is_first && !is_first_of_id(load, table, made.id)) load->messages[made.message].is_repeated = true;
    if (load->messages[made.message].is_repeated) {
        load->counts.repeated += is_first && !row->is_whole;
        return;
    }
    load->catalog->tables[table].is_wanted = true;
    bool has_uuid_ts = false;
    for (size_t at = 0; at < row->count; at++) {
        if (!row->values[at].is_fixed && !has_uuid_ts) want_uuid_ts(load, table), has_uuid_ts = true;
        add_cell(load, &made, &row->values[at], like, json);
    }
    if (!has_uuid_ts) want_uuid_ts(load, table);
    load->rows[load->row_count++] = made;
}

static void add_message(struct load *load, Str json, Millis received_at_ms)
{
    check(vector_reserve(load->messages, load->message_capacity, load->message_count + 1, ROWS_MOST));
    load->messages[load->message_count++] = (LoadMessage){ json, received_at_ms, false };
}

void warehouse_load_add(struct load *load, const WarehouseMessage *message, Str json)
{
    if (!message->row_count) return;
    LoadDiscard like = { .row = keep(load, message->id, json), .received_at_ms = message->received_at_ms };
    add_message(load, json, message->received_at_ms);
    bool has_first = false;
    for (size_t at = 0; at < message->row_count; at++) {
        const WarehouseRow *row = &message->rows[at];
        if (!warehouse_takes_table(load->choice, row->table)) continue;
        bool is_first = !has_first && (!row->is_upsert || row->is_whole);
        like.table = keep(load, row->table, json);
        add_row(load, row, &like, is_first, json);
        has_first |= is_first;
    }
    if (load->messages[load->message_count - 1].is_repeated) return;
    load->counts.untold += message->untold_count;
    for (size_t at = 0; at < message->discard_count; at++) {
        const WarehouseDiscard *discard = &message->discards[at];
        if (!warehouse_takes_table(load->choice, discard->table)
            || !warehouse_takes_column(load->choice, discard->table, discard->column)) continue;
        like.table = keep(load, discard->table, json);
        like.column = keep(load, discard->column, json);
        bool is_all = !strcmp(discard->reason, "no_event_name") || !strcmp(discard->reason, "no_name");
        like.text = is_all ? all_of(load, keep(load, discard->text, json)) : keep(load, discard->text, json);
        like.reason = discard->reason;
        load_discard(load, like);
    }
}

void warehouse_load_refuse(struct load *load, const WarehouseMessage *message, Str json, Str why)
{
    load_discard(load, (LoadDiscard){
        .table = keep(load, message->row_count ? message->rows[0].table : STR(""), json),
        .row = keep(load, message->id, json), .text = all_of(load, json),
        .received_at_ms = message->received_at_ms,
        .reason = arena_printf(&load->arena, "refused: %.*s", STR_FORMAT(why)).bytes,
    });
}

/* ---- Routing ---- */

static void reject_cell(struct load *load, const LoadRow *row, const LoadCell *cell, const char *reason)
{
    const WarehouseTable *table = &load->catalog->tables[row->table];
    discard_cell(load, (LoadDiscard){ .table = table->name, .row = row->id, .column = table->columns[cell->column].name,
                                      .text = cell->text, .reason = reason, .received_at_ms = load->now_ms },
                 row->is_whole);
}

/* Sends each cell to the column that takes it, or to the discards. */
static void route_row(struct load *load, LoadRow *row)
{
    const WarehouseTable *table = &load->catalog->tables[row->table];
    size_t width = 0, kept = 0;
    for (size_t at = 0; at < row->cell_count; at++) {
        LoadCell cell = row->cells[at];
        const WarehouseColumn *column = &table->columns[cell.column];
        uint32_t to = warehouse_type_takes(column->type, cell.type) ? cell.column : column->beside;
        if (to == WAREHOUSE_NONE) {
            bool is_missing = column->type == WAREHOUSE_NULL && table->why_narrow.bytes;
            reject_cell(load, row, &cell, is_missing ? table->why_narrow.bytes : "type");
            continue;
        }
        width += warehouse_value_width(table->columns[to].type, cell.text);
        if (width > ROW_WIDTH) {
            reject_cell(load, row, &cell, "row_too_wide");
            continue;
        }
        cell.column = to;
        row->cells[kept++] = cell;
    }
    row->cell_count = (uint32_t)kept;
}

/* ---- COPY ---- */

Status load_run(struct load *load, Err *err)
{
    check(buf_ok(&load->statement));
    Status s = sql_run(load->sql, buf_str(&load->statement), err);
    buf_clear(&load->statement);
    return s;
}

void load_stamp(struct load *load, WarehouseTable *table, size_t count)
{
    uint32_t place = 0, uuid_ts = warehouse_catalog_find_column(table, STR("uuid_ts"));
    load->stamp++;
    if (uuid_ts != WAREHOUSE_NONE) table->columns[uuid_ts].stamp = load->stamp;
    for (size_t at = 0; at < count; at++) {
        const LoadRow *row = &load->rows[load->order[at]];
        for (size_t cell = 0; cell < row->cell_count; cell++)
            table->columns[row->cells[cell].column].stamp = load->stamp;
    }
    for (size_t at = 0; at < table->column_count; at++)
        if (table->columns[at].stamp == load->stamp) table->columns[at].place = place++;
}

void load_put_columns(struct load *load, const WarehouseTable *table)
{
    bool is_first = true;
    for (size_t at = 0; at < table->column_count; at++) {
        if (table->columns[at].stamp != load->stamp) continue;
        if (!is_first) buf_str_put(&load->statement, STR(", "));
        is_first = false;
        sql_put_name(&load->statement, table->columns[at].name);
    }
}

static Status send_lines(struct load *load, size_t least, Err *err)
{
    check(buf_ok(&load->lines));
    if (load->lines.len < least) return OK;
    Status s = sql_put(load->sql, buf_str(&load->lines), err);
    buf_clear(&load->lines);
    return s;
}

static Status put_row(struct load *load, const WarehouseTable *table, const LoadRow *row, uint32_t column_count,
                      Err *err)
{
    for (size_t at = 0; at < row->cell_count; at++)
        load->values[table->columns[row->cells[at].column].place] = row->cells[at].text;
    for (uint32_t at = 0; at < column_count; at++) {
        if (at) buf_char(&load->lines, '\t');
        if (load->values[at].bytes) warehouse_put_copy(&load->lines, load->values[at]);
        else buf_str_put(&load->lines, STR("\\N"));
    }
    buf_char(&load->lines, '\n');
    for (size_t at = 0; at < row->cell_count; at++)
        load->values[table->columns[row->cells[at].column].place].bytes = NULL;
    return send_lines(load, LINES_BYTES, err);
}

/* After a failure the end says why. */
static Status end_copy(struct load *load, Status s, Err *err)
{
    uint64_t rows;
    Err end_err;
    if (!s) s = send_lines(load, 1, err);
    buf_clear(&load->lines);
    Status ended = sql_end(load->sql, &rows, &end_err);
    if (ended) *err = end_err;
    return ended ? ended : s;
}

/* COPY of the rows of `order` into the table that `into` names. */
static Status copy_rows(struct load *load, const WarehouseTable *table, Str into, size_t count, Err *err)
{
    char now[INSTANT_TEXT_BYTES];
    uint32_t uuid_ts = warehouse_catalog_find_column(table, STR("uuid_ts")), column_count = 0;
    instant_write(load->now_ms, now);
    buf_printf(&load->statement, "COPY %.*s (", STR_FORMAT(into));
    load_put_columns(load, table);
    buf_str_put(&load->statement, STR(") FROM STDIN"));
    Status s = sql_copy(load->sql, buf_str(&load->statement), err);
    buf_clear(&load->statement);
    if (s) return s;
    for (size_t at = 0; at < table->column_count; at++) column_count += table->columns[at].stamp == load->stamp;
    check(column_count <= VALUES_MOST);
    memset(load->values, 0, column_count * sizeof *load->values);
    if (uuid_ts != WAREHOUSE_NONE) load->values[table->columns[uuid_ts].place] = str_of(now, sizeof now);
    for (size_t at = 0; !s && at < count; at++)
        s = put_row(load, table, &load->rows[load->order[at]], column_count, err);
    return end_copy(load, s, err);
}

Status load_copy_beside(struct load *load, const WarehouseTable *table, size_t count, Err *err)
{
    buf_printf(&load->statement, "CREATE TEMP TABLE %.*s ON COMMIT DROP AS SELECT ", STR_FORMAT(beside));
    load_put_columns(load, table);
    buf_str_put(&load->statement, STR(" FROM "));
    warehouse_put_table_name(&load->statement, load->schema, table->name);
    buf_str_put(&load->statement, STR(" WITH NO DATA"));
    Status s = load_run(load, err);
    return s ? s : copy_rows(load, table, beside, count, err);
}

/* ---- Repetitions ---- */

struct inserted {
    struct load *load;
    size_t count;                            /* rows of order that are new stand first */
    size_t all;
};

/* The server gives the ids that it took, mostly in the order in which they came. */
static void note_inserted(void *context, const Str *cells)
{
    struct inserted *inserted = context;
    struct load *load = inserted->load;
    for (size_t at = inserted->count; at < inserted->all; at++) {
        if (!str_equal(load->rows[load->order[at]].id, cells[0])) continue;
        uint32_t row = load->order[at];
        load->order[at] = load->order[inserted->count];
        load->order[inserted->count++] = row;
        return;
    }
}

static Status copy_new(struct load *load, const WarehouseTable *table, size_t count, size_t *ret_new, Err *err)
{
    struct inserted inserted = { load, 0, count };
    Status s = load_copy_beside(load, table, count, err);
    if (s) return s;
    buf_str_put(&load->statement, STR("INSERT INTO "));
    warehouse_put_table_name(&load->statement, load->schema, table->name);
    buf_str_put(&load->statement, STR(" ("));
    load_put_columns(load, table);
    buf_str_put(&load->statement, STR(") SELECT "));
    load_put_columns(load, table);
    buf_printf(&load->statement, " FROM %.*s ON CONFLICT (id) DO NOTHING RETURNING id", STR_FORMAT(beside));
    s = sql_query(load->sql, buf_str(&load->statement), note_inserted, &inserted, err);
    buf_clear(&load->statement);
    if (!s) s = sql_run(load->sql, STR("DROP TABLE onym_beside"), err);
    *ret_new = inserted.count;
    return s;
}

/* An id that is there already; and COPY does not go with row-level security. */
static bool needs_insert(const struct load *load)
{
    return !strcmp(sql_state(load->sql), "23505") || !strcmp(sql_state(load->sql), "0A000");
}

/* Sends the rows of `order` by COPY; if that meets an id that is already there, through a temporary table. */
static Status send_rows(struct load *load, WarehouseTable *table, size_t count, Err *err)
{
    struct buf into;
    size_t new_count = count;
    buf_init(&into, 1024);
    warehouse_put_table_name(&into, load->schema, table->name);
    load_stamp(load, table, count);
    Status s = sql_run(load->sql, STR("SAVEPOINT onym"), err);
    if (!s) s = copy_rows(load, table, buf_str(&into), count, err);
    buf_done(&into);
    if (s && needs_insert(load)) {
        s = sql_run(load->sql, STR("ROLLBACK TO SAVEPOINT onym"), err);
        if (!s) s = copy_new(load, table, count, &new_count, err);
    }
    if (s && load_is_refusal(load)) {
        s = sql_run(load->sql, STR("ROLLBACK TO SAVEPOINT onym"), err);
        if (!s) s = load_send_singly(load, table, STR(""), count, &new_count, err);
        count = new_count;
    }
    if (!s) s = sql_run(load->sql, STR("RELEASE SAVEPOINT onym"), err);
    for (size_t at = new_count; !s && at < count; at++) {
        const LoadRow *row = &load->rows[load->order[at]];
        load->counts.repeated += row->is_first;
        if (row->is_first) load->messages[row->message].is_repeated = true;
    }
    load->counts.rows_sent += s ? 0 : new_count;
    load->is_mended |= !s && new_count && str_equal(table->name, str_from(load->troubled));
    return s;
}

/* ---- Flushing ---- */

/* Rows of the table that are (not) the first of their messages, in the order in which they came. */
static size_t order_rows(struct load *load, uint32_t table, bool is_first, const uint32_t *next, uint32_t head)
{
    size_t count = 0;
    for (uint32_t at = head; at != WAREHOUSE_NONE; at = next[at]) {
        const LoadRow *row = &load->rows[at];
        if (row->is_first != is_first || load->messages[row->message].is_repeated) continue;
        check(row->table == table);
        load->order[count++] = at;
    }
    return count;
}

/* First come the tables that say what is a repetition, then those that depend on them. */
static Status send_tables(struct load *load, bool is_first, const uint32_t *next, const uint32_t *heads, Err *err)
{
    Status s = OK;
    for (uint32_t at = 0; !s && at < load->catalog->table_count; at++) {
        WarehouseTable *table = &load->catalog->tables[at];
        size_t count = table->is_wanted ? order_rows(load, at, is_first, next, heads[at]) : 0;
        if (!count) continue;
        bool is_upsert = load->rows[load->order[0]].is_upsert;
        s = is_upsert ? load_send_upserts(load, table, count, err) : send_rows(load, table, count, err);
        if (s) s = err_wrap(err, s, "table %.*s", STR_FORMAT(table->name));
    }
    return s;
}

static void put_text_cell(struct buf *out, Str text)
{
    if (text.bytes) warehouse_put_copy(out, text);
    else buf_str_put(out, STR("\\N"));
    buf_char(out, '\t');
}

static Status send_discards(struct load *load, Err *err)
{
    char now[INSTANT_TEXT_BYTES];
    instant_write(load->now_ms, now);
    if (!load->discard_count) return OK;
    buf_str_put(&load->statement, STR("COPY "));
    warehouse_put_table_name(&load->statement, load->schema, STR("onym_discards"));
    buf_str_put(&load->statement, STR(" (table_name, row_id, column_name, column_value, reason, received_at, uuid_ts) "
                                      "FROM STDIN"));
    Status s = sql_copy(load->sql, buf_str(&load->statement), err);
    buf_clear(&load->statement);
    if (s) return s;
    for (size_t at = 0; !s && at < load->discard_count; at++) {
        const LoadDiscard *discard = &load->discards[at];
        put_text_cell(&load->lines, discard->table);
        put_text_cell(&load->lines, discard->row);
        put_text_cell(&load->lines, discard->column);
        put_text_cell(&load->lines, discard->text);
        put_text_cell(&load->lines, str_from(discard->reason));
        buf_instant(&load->lines, discard->received_at_ms);
        buf_char(&load->lines, '\t');
        buf_put(&load->lines, now, sizeof now);
        buf_char(&load->lines, '\n');
        s = send_lines(load, LINES_BYTES, err);
    }
    load->counts.discards_sent += load->discard_count;
    s = end_copy(load, s, err);
    return s ? err_wrap(err, s, "table onym_discards") : OK;
}

Status warehouse_load_flush(struct load *load, Err *err)
{
    size_t tables = load->catalog->table_count;
    uint32_t *heads = malloc((tables + 1) * sizeof *heads), *next = malloc((load->row_count + 1) * sizeof *next);
    check(heads && next);
    check(vector_reserve(load->order, load->order_capacity, load->row_count + 1, ROWS_MOST));
    Status s = load_make_columns(load, err);
    for (size_t at = 0; at < tables; at++) heads[at] = WAREHOUSE_NONE;
    for (size_t at = load->row_count; !s && at-- > 0;) {
        const WarehouseTable *table = &load->catalog->tables[load->rows[at].table];
        if (table->why.bytes) load_refuse_row(load, &load->rows[at], table->why.bytes);
        if (table->why.bytes) continue;
        route_row(load, &load->rows[at]);
        next[at] = heads[load->rows[at].table];
        heads[load->rows[at].table] = (uint32_t)at;
    }
    if (!s) s = send_tables(load, true, next, heads, err);
    if (!s) s = send_tables(load, false, next, heads, err);
    if (!s) s = send_discards(load, err);
    if (!s) warehouse_catalog_settle(load->catalog);
    warehouse_load_drop(load);
    free(heads);
    free(next);
    return s;
}
