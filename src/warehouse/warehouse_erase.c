/* warehouse_erase: carries out an erasure of the journal at its place between the rows: rows that came before it
 * go, rows that come after it stay. It removes what command_names_event names:
 *
 *   rows of the user ids; of the anonymous ids where the row has no user id; at the times that were this person's
 *   aliases that speak of one of the ids
 *   users of the user ids
 *   the ids themselves in onym_identifiers, and whom no id names any more in onym_people; those of it that are still
 *   somebody's are told again (warehouse_people.h)
 *   and what onym_discards kept of these rows, and of messages that were refused and name one of the ids
 *
 * Rows are found by a scan of each table: there is no index on ids unless somebody makes one. */
#include "warehouse_load.h"

#include "warehouse_erase.h"

/* "(column IN ('a', 'b') AND ...)", or nothing where no id is of the kind. */
struct ids {
    const JournalCommand *command;
    bool is_user, is_alias;
};

static bool is_meant(const struct ids *ids, const CommandId *id)
{
    if (ids->is_alias)
        return id->kind != COMMAND_EXTERNAL_ID && command_id_is_whole(id) && !id->keeps_aliases;
    return id->kind == (ids->is_user ? COMMAND_USER_ID : COMMAND_ANONYMOUS_ID) && command_id_is_whole(id);
}

static size_t put_list(struct buf *out, const struct ids *ids)
{
    size_t count = 0;
    for (size_t at = 0; at < ids->command->id_count; at++) {
        if (!is_meant(ids, &ids->command->ids[at])) continue;
        buf_str_put(out, count++ ? STR(", ") : STR("("));
        sql_put_text(out, ids->command->ids[at].value);
    }
    buf_str_put(out, count ? STR(")") : STR("(NULL)"));
    return count;
}

static void put_instant(struct buf *out, const char *comparison, Millis at_ms)
{
    if (at_ms == INT64_MIN || at_ms == INT64_MAX) return;
    buf_printf(out, " AND timestamp %s '", comparison);
    buf_instant(out, at_ms);
    buf_char(out, '\'');
}

static void put_spans(struct buf *out, const JournalCommand *command)
{
    for (size_t at = 0; at < command->id_count; at++) {
        const CommandId *id = &command->ids[at];
        if (command_id_is_whole(id) || id->kind == COMMAND_EXTERNAL_ID) continue;
        bool is_user = id->kind == COMMAND_USER_ID;
        buf_str_put(out, is_user ? STR(" OR (user_id = ") : STR(" OR (user_id IS NULL AND anonymous_id = "));
        sql_put_text(out, id->value);
        put_instant(out, ">=", id->from_ms);
        put_instant(out, "<", id->to_ms);
        buf_char(out, ')');
    }
}

static void put_condition(struct buf *out, const JournalCommand *command, bool is_aliases)
{
    buf_str_put(out, STR("user_id IN "));
    (void)put_list(out, &(struct ids){ command, true, false });
    buf_str_put(out, STR(" OR (user_id IS NULL AND anonymous_id IN "));
    (void)put_list(out, &(struct ids){ command, false, false });
    buf_char(out, ')');
    if (is_aliases) {
        buf_str_put(out, STR(" OR (user_id IS NOT NULL AND previous_id IN "));
        (void)put_list(out, &(struct ids){ command, false, true });
        buf_char(out, ')');
    }
    put_spans(out, command);
}

static bool has(const WarehouseTable *table, const char *column, WarehouseType type)
{
    uint32_t at = warehouse_catalog_find_column(table, str_from(column));
    return at != WAREHOUSE_NONE && (table->columns[at].type == type || table->columns[at].type == WAREHOUSE_OTHER);
}

static void put_delete(struct load *load, const WarehouseTable *table, const JournalCommand *command)
{
    struct buf *out = &load->statement;
    bool is_users = str_equal(table->name, STR("users"));
    buf_str_put(out, STR("WITH gone AS (DELETE FROM "));
    warehouse_put_table_name(out, load->schema, table->name);
    buf_str_put(out, STR(" WHERE "));
    if (is_users) {
        buf_str_put(out, STR("id IN "));
        (void)put_list(out, &(struct ids){ command, true, false });
        buf_str_put(out, STR(" RETURNING id::text AS id) DELETE FROM "));
        warehouse_put_table_name(out, load->schema, STR("onym_discards"));
        buf_str_put(out, STR(" WHERE table_name = 'users' AND row_id IN "));
        (void)put_list(out, &(struct ids){ command, true, false });
        return;
    }
    put_condition(out, command, str_equal(table->name, STR("aliases")));
    buf_str_put(out, STR(" RETURNING id::text AS id) DELETE FROM "));
    warehouse_put_table_name(out, load->schema, STR("onym_discards"));
    buf_str_put(out, STR(" WHERE row_id IN (SELECT id FROM gone)"));
}

/* A message that the server refused has no row: its JSON, whose ids Onym wrote, is all that there is of it. Whichever
 * names one of the ids goes. */
static Status erase_refused(struct load *load, const JournalCommand *command, Err *err)
{
    static const char *const names[] = { "userId", "anonymousId", "previousId" };
    struct buf *out = &load->statement, member;
    buf_init(&member, 8 * LIMIT_ID_BYTES);
    buf_str_put(out, STR("DELETE FROM "));
    warehouse_put_table_name(out, load->schema, STR("onym_discards"));
    buf_str_put(out, STR(" WHERE (table_name = 'users' AND row_id IN "));
    (void)put_list(out, &(struct ids){ command, true, false });
    buf_str_put(out, STR(") OR reason LIKE 'refused: %' AND (false"));
    for (size_t at = 0; at < command->id_count; at++) {
        const CommandId *id = &command->ids[at];
        for (size_t name = 0; name < countof(names) && id->kind != COMMAND_EXTERNAL_ID; name++) {
            if (name < 2 && (name == 0) != (id->kind == COMMAND_USER_ID)) continue;
            buf_clear(&member);
            json_string(&member, names[name], id->value);
            buf_str_put(out, STR(" OR strpos(column_value, "));
            sql_put_text(out, buf_str(&member));
            buf_str_put(out, STR(") > 0"));
        }
    }
    buf_char(out, ')');
    buf_done(&member);
    if (!buf_ok(out)) return err_set(err, ERR_TOO_LARGE, "an erasure of too many ids");
    Status s = load_run(load, err);
    return s ? err_wrap(err, s, "erasing from table onym_discards") : OK;
}

/* ---- Who is who ---- */

Str warehouse_split_id(const CommandId *id, Str *ret_value)
{
    *ret_value = id->value;
    if (id->kind == COMMAND_USER_ID) return STR("user_id");
    if (id->kind == COMMAND_ANONYMOUS_ID) return STR("anonymous_id");
    return str_cut(id->value, ':', ret_value);
}

static bool has_table(const struct load *load, const char *name)
{
    for (size_t at = 0; at < load->catalog->table_count; at++)
        if (str_equal(load->catalog->tables[at].name, str_from(name))) return load->catalog->tables[at].exists;
    return false;
}

static Status erase_ids(struct load *load, const JournalCommand *command, Err *err)
{
    struct buf *out = &load->statement;
    if (!command->id_count || !has_table(load, "onym_identifiers")) return OK;
    buf_str_put(out, STR("CREATE TEMP TABLE onym_gone (person_id text) ON COMMIT DROP; WITH gone AS (DELETE FROM "));
    warehouse_put_table_name(out, load->schema, STR("onym_identifiers"));
    buf_str_put(out, STR(" WHERE (kind, value) IN ("));
    for (size_t at = 0; at < command->id_count; at++) {
        Str value, kind = warehouse_split_id(&command->ids[at], &value);
        buf_str_put(out, at ? STR(", (") : STR("("));
        sql_put_text(out, kind);
        buf_str_put(out, STR(", "));
        sql_put_text(out, value);
        buf_char(out, ')');
    }
    buf_str_put(out, STR(") RETURNING person_id) INSERT INTO onym_gone SELECT person_id FROM gone"));
    if (has_table(load, "onym_people")) {
        buf_str_put(out, STR("; DELETE FROM "));
        warehouse_put_table_name(out, load->schema, STR("onym_people"));
        buf_str_put(out, STR(" p WHERE person_id IN (SELECT person_id FROM onym_gone) AND NOT EXISTS (SELECT FROM "));
        warehouse_put_table_name(out, load->schema, STR("onym_identifiers"));
        buf_str_put(out, STR(" i WHERE i.person_id = p.person_id)"));
    }
    buf_str_put(out, STR("; DROP TABLE onym_gone"));
    if (!buf_ok(out)) return err_set(err, ERR_TOO_LARGE, "an erasure of too many ids");
    Status s = load_run(load, err);
    return s ? err_wrap(err, s, "erasing from table onym_identifiers") : OK;
}

/* A table of somebody's own that stands in the schema is not looked at. */
static bool is_loaded(const WarehouseTable *table)
{
    if (!has(table, "id", WAREHOUSE_TEXT) || !has(table, "uuid_ts", WAREHOUSE_TIMESTAMP)) return false;
    return str_equal(table->name, STR("users"))
        || (has(table, "user_id", WAREHOUSE_TEXT) && has(table, "anonymous_id", WAREHOUSE_TEXT)
            && has(table, "timestamp", WAREHOUSE_TIMESTAMP));
}

Status warehouse_erase(struct load *load, const JournalCommand *command, Err *err)
{
    /* A policy that hides rows from us must not make us think that they are gone. */
    Status s = sql_run(load->sql, STR("SET LOCAL row_security = off"), err);
    for (size_t at = 0; !s && at < load->catalog->table_count; at++) {
        const WarehouseTable *table = &load->catalog->tables[at];
        if (!table->exists || str_starts(table->name, STR("onym_"))) continue;
        if (!is_loaded(table)) continue;
        put_delete(load, table, command);
        if (!buf_ok(&load->statement)) return err_set(err, ERR_TOO_LARGE, "an erasure of too many ids");
        s = load_run(load, err);
        if (s) s = err_wrap(err, s, "erasing from table %.*s", STR_FORMAT(table->name));
    }
    if (!s) s = erase_refused(load, command, err);
    if (!s) s = erase_ids(load, command, err);
    return s ? s : sql_run(load->sql, STR("SET LOCAL row_security TO DEFAULT"), err);
}
