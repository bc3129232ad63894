/* warehouse: reads the journal batch by batch, and decides when it is time for one. See the header.
 *
 * A batch is one transaction. If the server refuses it for its values (SQLSTATE 22, 23, 54), it is halved until the
 * message at fault is alone, and onym_discards gets that one; every half has its own transaction and position. After
 * any other failure the batch is undone and tried again: then the catalogue is read anew, since somebody may have
 * changed it. */
#include "warehouse.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "warehouse_erase.h"
#include "warehouse_load.h"
#include "warehouse_people.h"
#include "warehouse_settings.h"
#include "warehouse_views.h"

enum {
    RECORDS_USUAL = 5000, BYTES_USUAL = 4 * 1024 * 1024, EVERY_MS = 10000, BACK_OFF_MS = 1000, BACK_OFF_MOST_MS = 15000,
    PEOPLE_AGAIN_MS = 60000, CATALOG_AGAIN_MS = 60000, SURE_AFTER = 2, KNOWN_TRIES = 60, KNOWN_MS = 1000,
    ARENA_BYTES = 1024 * 1024, COMMAND_ARENA_BYTES = 4 * 1024 * 1024,
};
static const int64_t WIDEN_BYTES = INT64_C(1) << 30;

struct warehouse {
    WarehouseOptions options;
    WarehouseSettings settings;
    WarehouseConfig config;
    struct region region;                    /* of the configuration */
    struct batch *batch;
    struct warehouse_maker *maker;
    struct catalog catalog;
    struct load load;
    struct warehouse_people *people;         /* NULL: the schema has none */
    int64_t people_due_ns;                   /* after a failure */
    Err people_err;                          /* of it, until it is told; no text: none */
    struct region scratch;                   /* of one message */
    bool *skips;
    size_t skips_capacity;
    bool is_catalog_stale;
    int64_t catalog_due_ns;                  /* where a table is set aside */
    bool was_full;                           /* the last batch was as large as one may be */
    int64_t due_ns;                          /* of the monotonic clock */
    unsigned failures;                       /* one after the other */
    Millis newest_at_ms;                     /* of the transaction */
    pthread_mutex_t lock;                    /* of what follows */
    struct sql *sql;
    WarehouseStatus status;
    atomic_bool is_stopping;
};

/* Some consecutive records, and where the next stands. */
struct range {
    const BatchRecord *records;
    const bool *skips;
    size_t count;
    JournalPos next;
    bool is_refused;                         /* one message that the server does not take as rows */
    Str why;
};

/* ---- The connection ---- */

static void set_sql(struct warehouse *warehouse, struct sql *sql)
{
    pthread_mutex_lock(&warehouse->lock);
    struct sql *before = warehouse->sql;
    warehouse->sql = sql;
    warehouse->status.is_connected = sql != NULL;
    pthread_mutex_unlock(&warehouse->lock);
    sql_close(before);
}

static void note_seen(void *context, const Str *cells)
{
    (void)cells;
    *(bool *)context = true;
}

/* A schema that is there needs no right to make one. */
static Status make_schema(struct warehouse *warehouse, Err *err)
{
    struct buf *out = &warehouse->load.statement;
    bool is_there = false;
    buf_clear(out);
    buf_str_put(out, STR("SELECT 1 FROM pg_namespace WHERE nspname = "));
    sql_put_text(out, warehouse->settings.schema);
    Status s = sql_query(warehouse->sql, buf_str(out), note_seen, &is_there, err);
    buf_clear(out);
    if (s) return s;
    if (!is_there) {
        buf_str_put(out, STR("CREATE SCHEMA IF NOT EXISTS "));
        sql_put_name(out, warehouse->settings.schema);
        buf_str_put(out, STR(";\n"));
    }
    warehouse_put_own_tables(out, warehouse->settings.schema);
    s = sql_run(warehouse->sql, buf_str(out), err);
    buf_clear(out);
    return s;
}

static Status connect_server(struct warehouse *warehouse, Err *err)
{
    if (warehouse->sql && sql_is_open(warehouse->sql)) return OK;
    struct sql *sql = NULL;
    set_sql(warehouse, NULL);
    Status s = sql_open(warehouse->settings.url, &warehouse->is_stopping, &sql, err);
    if (s) return s;
    set_sql(warehouse, sql);
    warehouse->is_catalog_stale = true;
    s = make_schema(warehouse, err);
    if (s) set_sql(warehouse, NULL);
    return s;
}

static void learn(void *context, const Str *cells)
{
    int64_t width = 0;
    if (!str_parse_int(cells[3], 0, 10000, &width)) width = WAREHOUSE_COLUMNS_MOST;
    warehouse_catalog_learn(context, cells[0], cells[1], cells[2], (uint32_t)width, cells[4]);
}

static Status read_catalog(struct warehouse *warehouse, Err *err)
{
    struct buf *out = &warehouse->load.statement;
    int64_t now_ns = clock_monotonic_ns(warehouse->options.clock);
    warehouse->is_catalog_stale |= warehouse->catalog.has_trouble && now_ns >= warehouse->catalog_due_ns;
    if (!warehouse->is_catalog_stale) return OK;
    warehouse->catalog_due_ns = now_ns + INT64_C(1000000) * CATALOG_AGAIN_MS;
    warehouse_catalog_clear(&warehouse->catalog);
    buf_clear(out);
    warehouse_put_catalog_query(out, warehouse->settings.schema);
    Status s = sql_query(warehouse->sql, buf_str(out), learn, &warehouse->catalog, err);
    buf_clear(out);
    if (!s) s = warehouse_views_read(&warehouse->load, err);
    warehouse->is_catalog_stale = s != OK;
    return s ? err_wrap(err, s, "the catalogue") : OK;
}

/* ---- The position ---- */

struct kept {
    JournalPos position;
    int64_t base, at_ms;
    bool is_there, is_readable;
};

/* position, "base:at" */
static void note_kept(void *context, const Str *cells)
{
    struct kept *kept = context;
    int64_t position = 0;
    Str at, base = str_cut(cells[1], ':', &at);
    kept->is_there = true;
    kept->is_readable = str_parse_int(cells[0], 0, INT64_MAX, &position)
        && str_parse_int(base, 0, INT64_MAX, &kept->base) && str_parse_int(at, INT64_MIN, INT64_MAX, &kept->at_ms);
    kept->position = (JournalPos)position;
}

static Status read_kept(struct warehouse *warehouse, const char *suffix, struct kept *ret, Err *err)
{
    struct buf *out = &warehouse->load.statement;
    *ret = (struct kept){ 0 };
    buf_clear(out);
    buf_str_put(out, STR("SELECT position, journal FROM "));
    warehouse_put_table_name(out, warehouse->settings.schema, STR("onym_sync"));
    buf_str_put(out, STR(" WHERE partition = 0 AND destination = "));
    sql_put_text(out, warehouse->config.name);
    buf_str_put(out, str_from(suffix));
    Status s = sql_query(warehouse->sql, buf_str(out), note_kept, ret, err);
    buf_clear(out);
    return s;
}

/* A mark of the journal at the position says whether it is the journal that was read before. */
static bool is_of_another(const struct warehouse *warehouse, const struct kept *kept)
{
    JournalPos base;
    Millis at_ms;
    if (!kept->is_readable || kept->position > journal_end(warehouse->options.journal)) return true;
    return !journal_find_birth(warehouse->options.journal, (JournalPos)kept->base, &base, &at_ms, NULL)
        && (at_ms != kept->at_ms || base != (JournalPos)kept->base);
}

static Status check_journal(struct warehouse *warehouse, const struct kept *kept, Err *err)
{
    if (!is_of_another(warehouse, kept)) return OK;
    return err_set(err, ERR_CONFLICT, "schema %.*s was filled from another journal, or from a later one than this: its "
                   "row of %.*s in onym_sync says position %llu. Remove that row to load all of this journal (rows "
                   "that are there stay as they are), or name another schema", STR_FORMAT(warehouse->settings.schema),
                   STR_FORMAT(warehouse->config.name), (unsigned long long)kept->position);
}

static void set_position(struct warehouse *warehouse, JournalPos position)
{
    pthread_mutex_lock(&warehouse->lock);
    warehouse->status.position = position;
    pthread_mutex_unlock(&warehouse->lock);
}

static Status find_position(void *context, JournalPos *ret, Err *err)
{
    struct warehouse *warehouse = context;
    struct kept kept;
    Status s = connect_server(warehouse, err);
    if (!s) s = read_kept(warehouse, "", &kept, err);
    if (!s && kept.is_there) s = check_journal(warehouse, &kept, err);
    if (s) return s;
    *ret = kept.position;
    if (warehouse->people && kept.position != warehouse->status.position) warehouse_people_forget(warehouse->people);
    set_position(warehouse, kept.position);
    return OK;
}

/* ---- A transaction ---- */

static Status begin(struct warehouse *warehouse, Err *err)
{
    struct buf *out = &warehouse->load.statement;
    struct kept kept;
    buf_clear(out);
    buf_str_put(out, STR("BEGIN; SELECT pg_advisory_xact_lock(hashtext('onym '), hashtext("));
    sql_put_text(out, warehouse->settings.schema);
    buf_str_put(out, STR(")); SET LOCAL lock_timeout = '" LOAD_LOCK_TIMEOUT "'"));
    Status s = sql_run(warehouse->sql, buf_str(out), err);
    buf_clear(out);
    if (!s) s = read_kept(warehouse, " FOR UPDATE", &kept, err);
    if (!s && kept.position != warehouse->status.position)
        s = err_set(err, ERR_CONFLICT, "another process moved the row of %.*s in onym_sync; looking again",
                    STR_FORMAT(warehouse->config.name));
    return s ? s : read_catalog(warehouse, err);
}

/* partition 0: the rows; 1: who is who. */
static Status keep_position(struct warehouse *warehouse, int partition, JournalPos next, Err *err)
{
    struct buf *out = &warehouse->load.statement;
    JournalPos base = 0;
    Millis at_ms = 0;
    IGNORE(journal_find_birth(warehouse->options.journal, journal_before(next), &base, &at_ms, NULL));
    buf_clear(out);
    buf_str_put(out, STR("INSERT INTO "));
    warehouse_put_table_name(out, warehouse->settings.schema, STR("onym_sync"));
    buf_str_put(out, STR(" (destination, partition, position, journal, at) VALUES ("));
    sql_put_text(out, warehouse->config.name);
    buf_printf(out, ", %d, %llu, '%llu:%lld', '", partition, (unsigned long long)next, (unsigned long long)base,
               (long long)at_ms);
    buf_instant(out, warehouse->load.now_ms);
    buf_str_put(out, STR("') ON CONFLICT (destination, partition) DO UPDATE SET position = EXCLUDED.position, "
                         "journal = EXCLUDED.journal, at = EXCLUDED.at"));
    Status s = sql_run(warehouse->sql, buf_str(out), err);
    buf_clear(out);
    return s;
}

/* ---- People ---- */

/* Whatever is wrong with it (somebody changed its tables, say): the rows are loaded. */
static Status give_up_people(struct warehouse *warehouse, LoadCounts before, const Err *why, Err *err)
{
    warehouse->people_err = *why;
    warehouse->load.counts = before;
    warehouse->people_due_ns = clock_monotonic_ns(warehouse->options.clock) + INT64_C(1000000) * PEOPLE_AGAIN_MS;
    warehouse->is_catalog_stale = true;
    warehouse_people_forget(warehouse->people);
    warehouse_load_drop(&warehouse->load);
    return sql_run(warehouse->sql, STR("ROLLBACK TO SAVEPOINT onym_people"), err);
}

struct others {
    const struct warehouse *warehouse;
    bool is_other;
};

/* position, journal */
static void note_other(void *context, const Str *cells)
{
    struct others *others = context;
    struct kept kept = { 0 };
    note_kept(&kept, cells);
    others->is_other |= is_of_another(others->warehouse, &kept);
}

/* Each of two journals would take out whom only the other one knows. */
static Status check_others(struct warehouse *warehouse, Err *err)
{
    struct buf *out = &warehouse->load.statement;
    struct others others = { warehouse, false };
    buf_str_put(out, STR("SELECT position, journal FROM "));
    warehouse_put_table_name(out, warehouse->settings.schema, STR("onym_sync"));
    buf_str_put(out, STR(" WHERE partition = 1 AND destination <> "));
    sql_put_text(out, warehouse->config.name);
    Status s = sql_query(warehouse->sql, buf_str(out), note_other, &others, err);
    buf_clear(out);
    if (s || !others.is_other) return s;
    return err_set(err, ERR_CONFLICT, "people of schema %.*s are told from another journal, by another name in "
                   "onym_sync: say people: false here, or remove its row of partition 1",
                   STR_FORMAT(warehouse->settings.schema));
}

static Status tell_people(struct warehouse *warehouse, const struct range *range, Err *err)
{
    PeopleRange told = { range->records, range->skips, range->count, range->next };
    if (!warehouse->people || clock_monotonic_ns(warehouse->options.clock) < warehouse->people_due_ns) return OK;
    Err why;
    LoadCounts before = warehouse->load.counts;
    Status s = sql_run(warehouse->sql, STR("SAVEPOINT onym_people"), err);
    if (s) return s;
    s = check_others(warehouse, &why);
    if (!s) s = warehouse_people_tell(warehouse->people, &warehouse->load, warehouse->maker, &told, &why);
    if (!s) s = warehouse_views_make(&warehouse->load, &why);
    if (!s) s = keep_position(warehouse, 1, range->next, &why);
    if (s && sql_is_open(warehouse->sql) && !atomic_load(&warehouse->is_stopping))
        return give_up_people(warehouse, before, &why, err);
    if (s) *err = why;
    return s;
}

/* ---- Records ---- */

static bool wants(const struct warehouse *warehouse, Str source)
{
    for (size_t at = 0; at < warehouse->config.source_count; at++)
        if (str_equal(warehouse->config.sources[at], source)) return true;
    return warehouse->config.source_count == 0;
}

static Status add_event(struct warehouse *warehouse, const struct range *range, const BatchRecord *record, Err *err)
{
    const WarehouseHooks *hooks = &warehouse->options.hooks;
    Arena arena = region_arena(&warehouse->scratch);
    WarehouseMessage message;
    Event event;
    Err why;
    Status s = event_decode(record->bytes, &event, err);
    if (s) return s;
    if (!wants(warehouse, event.source)) return OK;
    bool is_nobody = hooks->is_blocked && event.user_id.len && hooks->is_blocked(hooks->context, event.user_id);
    if (is_nobody) event.user_id = STR("");
    if (warehouse_load_is_full(&warehouse->load)) s = warehouse_load_flush(&warehouse->load, err);
    if (s) return s;
    if (warehouse_make_rows(warehouse->maker, &event, &arena, &message, &why))
        warehouse_load_refuse(&warehouse->load, &message, event.json, str_from(why.text));
    else if (range->is_refused)
        warehouse_load_refuse(&warehouse->load, &message, event.json, range->why);
    else
        warehouse_load_add(&warehouse->load, &message, event.json);
    if (message.received_at_ms > warehouse->newest_at_ms) warehouse->newest_at_ms = message.received_at_ms;
    return OK;
}

/* An erasure takes rows that came before it: these must be there first. */
static Status run_command(struct warehouse *warehouse, const BatchRecord *record, Err *err)
{
    struct region region;
    JournalCommand command;
    region_open(&region, COMMAND_ARENA_BYTES);
    Arena arena = region_arena(&region);
    Status s = command_decode(record->bytes, &arena, &command, err);
    if (!s && command.kind == COMMAND_ERASE) {
        s = warehouse_load_flush(&warehouse->load, err);
        if (!s) s = warehouse_erase(&warehouse->load, &command, err);
    }
    region_close(&region);
    return s;
}

static Status add_records(struct warehouse *warehouse, const struct range *range, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < range->count; at++) {
        const BatchRecord *record = &range->records[at];
        if (atomic_load(&warehouse->is_stopping)) return err_set(err, ERR_CLOSED, "stopping");
        switch (record_kind(record->bytes)) {
        case RECORD_EVENT: s = range->skips[at] ? OK : add_event(warehouse, range, record, err); break;
        case RECORD_COMMAND: s = run_command(warehouse, record, err); break;
        case RECORD_REJECTED: case RECORD_ERASED: default: break;
        }
        if (s) s = err_wrap(err, s, "position %llu", (unsigned long long)record->pos);
    }
    return s ? s : warehouse_load_flush(&warehouse->load, err);
}

static void note_loaded(struct warehouse *warehouse, const struct range *range)
{
    pthread_mutex_lock(&warehouse->lock);
    WarehouseStatus *status = &warehouse->status;
    status->position = range->next;
    status->loads++;
    status->rows += warehouse->load.counts.rows_sent;
    status->discards += warehouse->load.counts.discards_sent + warehouse->load.counts.untold;
    status->repeated += warehouse->load.counts.repeated;
    status->refused += warehouse->load.counts.refused + range->is_refused;
    if (warehouse->load.trouble[0] || warehouse->load.is_mended)
        snprintf(status->trouble, sizeof status->trouble, "%s", warehouse->load.trouble);
    status->loaded_at_ms = warehouse->load.now_ms;
    status->newest_at_ms = warehouse->newest_at_ms;
    pthread_mutex_unlock(&warehouse->lock);
}

static Status load_once(struct warehouse *warehouse, const struct range *range, Err *err)
{
    Status s = connect_server(warehouse, err);
    if (s) return s;
    warehouse->newest_at_ms = warehouse->status.newest_at_ms;
    warehouse_load_begin(&warehouse->load, warehouse->sql, clock_now_ms(warehouse->options.clock));
    warehouse->load.is_sure = warehouse->failures >= SURE_AFTER;
    s = begin(warehouse, err);
    if (!s) s = add_records(warehouse, range, err);
    if (!s) s = warehouse_views_put_back(&warehouse->load, err);
    if (!s) s = tell_people(warehouse, range, err);
    if (!s) s = keep_position(warehouse, 0, range->next, err);
    if (!s) s = sql_run(warehouse->sql, STR("COMMIT"), err);
    if (warehouse->people) warehouse_people_end(warehouse->people, !s);
    if (!s) note_loaded(warehouse, range);
    return s;
}

/* Are the values at fault, as only the commit has found out (deferred constraints)? Then another message may do. */
static bool undo(struct warehouse *warehouse, char state[SQL_STATE_BYTES])
{
    warehouse_load_drop(&warehouse->load);
    warehouse->is_catalog_stale = true;
    if (!warehouse->sql) return false;
    memcpy(state, sql_state(warehouse->sql), SQL_STATE_BYTES);
    if (!sql_is_open(warehouse->sql) || sql_run(warehouse->sql, STR("ROLLBACK"), NULL)) {
        set_sql(warehouse, NULL);
        return false;
    }
    return !strncmp(state, "22", 2) || !strncmp(state, "23", 2) || !strncmp(state, "54", 2)
        || !strncmp(state, "44", 2) || !strncmp(state, "P0", 2);
}

static Status load_range(struct warehouse *warehouse, struct range range, Err *err)
{
    char state[SQL_STATE_BYTES];
    Status s = load_once(warehouse, &range, err);
    if (!s) return OK;
    if (!undo(warehouse, state) || range.is_refused) return s;
    if (range.count == 1) {
        Err why = *err;
        if (warehouse->load.choice->skip_count)              /* as in warehouse_refuse.c: it may quote somebody */
            IGNORE(err_set(&why, s, "the server does not take it (%s)", state));
        range.is_refused = record_kind(range.records[0].bytes) == RECORD_EVENT;
        range.why = str_from(why.text);
        return range.is_refused ? load_range(warehouse, range, err) : s;
    }
    size_t half = range.count / 2;
    struct range first = { range.records, range.skips, half, range.records[half].pos, false, STR("") };
    struct range second = { range.records + half, range.skips + half, range.count - half, range.next, false, STR("") };
    s = load_range(warehouse, first, err);
    return s ? s : load_range(warehouse, second, err);
}

/* Told once; the rows are there. */
static Status tell_people_error(struct warehouse *warehouse, Err *err)
{
    if (!warehouse->people_err.text[0]) return OK;
    *err = warehouse->people_err;
    warehouse->people_err.text[0] = 0;
    return ERR_IO;
}

/* ---- The consumer ---- */

/* Only of applied records is it known which are repetitions, and who is suppressed. */
static Status find_skips(struct warehouse *warehouse, const BatchRecord *records, size_t count, JournalPos next,
                         Err *err)
{
    const WarehouseHooks *hooks = &warehouse->options.hooks;
    check(vector_reserve(warehouse->skips, warehouse->skips_capacity, count, UINT32_MAX));
    memset(warehouse->skips, 0, count * sizeof *warehouse->skips);
    for (int tries = 0; hooks->wait_known && !hooks->wait_known(hooks->context, next, KNOWN_MS); tries++) {
        if (atomic_load(&warehouse->is_stopping)) return err_set(err, ERR_CLOSED, "stopping");
        if (tries >= KNOWN_TRIES) return err_set(err, ERR_TIMEOUT, "what is derived is not that far yet");
    }
    if (!hooks->skips) return OK;
    hooks->begin_reading(hooks->context);
    for (size_t at = 0; at < count; at++) {
        Event event;
        if (record_kind(records[at].bytes) != RECORD_EVENT || event_decode(records[at].bytes, &event, NULL)) continue;
        warehouse->skips[at] = hooks->skips(hooks->context, records[at].pos, &event);
    }
    hooks->end_reading(hooks->context);
    return OK;
}

static Status keep(void *context, const BatchRecord *records, size_t count, JournalPos next, Err *err)
{
    struct warehouse *warehouse = context;
    size_t bytes = 0;
    for (size_t at = 0; at < count; at++) bytes += records[at].bytes.len;
    BatchLimits limits = warehouse->options.limits;
    warehouse->was_full = count >= limits.records_max || bytes >= limits.bytes_max;
    Status s = find_skips(warehouse, records, count, next, err);
    if (s) return s;
    struct range range = { records, warehouse->skips, count, next, false, STR("") };
    s = load_range(warehouse, range, err);
    return s ? s : tell_people_error(warehouse, err);
}

/* Where there is something to tell of people, and no message comes. */
static Status tell_people_alone(struct warehouse *warehouse, Err *err)
{
    struct range none = { .next = warehouse->status.position };
    if (!warehouse->people || !none.next || !warehouse_people_wants(warehouse->people)
        || clock_monotonic_ns(warehouse->options.clock) < warehouse->people_due_ns) return OK;
    Status s = load_once(warehouse, &none, err);
    char state[SQL_STATE_BYTES];
    if (s) (void)undo(warehouse, state);
    return s ? s : tell_people_error(warehouse, err);
}

static const BatchConsumer consumer = { "warehouse", find_position, keep };

/* ---- The engine ---- */

static void note_outcome(struct warehouse *warehouse, Status s, const Err *err)
{
    pthread_mutex_lock(&warehouse->lock);
    warehouse->status.has_failed = s != OK;
    snprintf(warehouse->status.error, sizeof warehouse->status.error, "%s", s ? err->text : "");
    warehouse->status.skipped_bytes = batch_skipped_bytes(warehouse->batch);
    pthread_mutex_unlock(&warehouse->lock);
}

static Millis back_off_ms(unsigned failures)
{
    Millis wait_ms = BACK_OFF_MS;
    for (unsigned at = 1; at < failures && wait_ms < BACK_OFF_MOST_MS; at++) wait_ms *= 2;
    return wait_ms < BACK_OFF_MOST_MS ? wait_ms : BACK_OFF_MOST_MS;
}

Status warehouse_step(struct warehouse *warehouse, Millis timeout_ms, Err *err)
{
    bool more = false;
    int64_t now_ns = clock_monotonic_ns(warehouse->options.clock), left_ms = (warehouse->due_ns - now_ns) / 1000000;
    if (atomic_load(&warehouse->is_stopping)) return OK;
    if (warehouse->due_ns > now_ns) {
        (void)journal_wait_durable(warehouse->options.journal, JOURNAL_NEVER,
                                   left_ms < timeout_ms ? left_ms + 1 : timeout_ms);
        return OK;
    }
    warehouse->was_full = false;
    Status s = batch_step(warehouse->batch, &more, err);
    if (!s && !warehouse->was_full) s = tell_people_alone(warehouse, err);
    if (s && atomic_load(&warehouse->is_stopping)) return OK;
    warehouse->failures = s ? warehouse->failures + 1 : 0;
    Millis wait_ms = s ? back_off_ms(warehouse->failures) : warehouse->was_full ? 0 : warehouse->settings.every_ms;
    warehouse->due_ns = clock_monotonic_ns(warehouse->options.clock) + wait_ms * 1000000;
    note_outcome(warehouse, s, err);
    return s;
}

void warehouse_stop(struct warehouse *warehouse)
{
    atomic_store(&warehouse->is_stopping, true);
    pthread_mutex_lock(&warehouse->lock);
    if (warehouse->sql) sql_interrupt(warehouse->sql);
    pthread_mutex_unlock(&warehouse->lock);
}

void warehouse_read_status(struct warehouse *warehouse, WarehouseStatus *ret)
{
    pthread_mutex_lock(&warehouse->lock);
    *ret = warehouse->status;
    pthread_mutex_unlock(&warehouse->lock);
}

JournalPos warehouse_position(struct warehouse *warehouse)
{
    pthread_mutex_lock(&warehouse->lock);
    JournalPos position = warehouse->status.position;
    pthread_mutex_unlock(&warehouse->lock);
    return position;
}

/* ---- Opening ---- */

static Status copy_config(struct warehouse *warehouse, const WarehouseConfig *config, Err *err)
{
    region_open(&warehouse->region, ARENA_BYTES + 64 * config->source_count);
    Arena arena = region_arena(&warehouse->region);
    Status s = warehouse_read_settings(config, &arena, &warehouse->settings, err);
    if (s) return s;
    Str *sources = arena_new(&arena, Str, config->source_count);
    for (size_t at = 0; at < config->source_count; at++) sources[at] = arena_copy(&arena, config->sources[at]);
    warehouse->config = (WarehouseConfig){ arena_copy(&arena, config->name), arena_copy(&arena, config->type), sources,
                                           config->source_count, NULL };
    warehouse->settings.url = arena_copy(&arena, warehouse->settings.url);
    warehouse->settings.schema = arena_copy(&arena, warehouse->settings.schema);
    if (!warehouse->settings.every_ms) warehouse->settings.every_ms = warehouse->options.every_ms;
    warehouse->status.name = warehouse->config.name;
    warehouse->status.type = warehouse->config.type;
    warehouse->status.schema = warehouse->settings.schema;
    warehouse->status.address = sql_describe(warehouse->settings.url, &arena);
    return OK;
}

Status warehouse_open(const WarehouseConfig *config, const WarehouseOptions *options, struct warehouse **ret, Err *err)
{
    struct warehouse *warehouse = calloc(1, sizeof *warehouse);
    check(warehouse);
    pthread_mutex_init(&warehouse->lock, NULL);
    warehouse->options = *options;
    if (!warehouse->options.limits.records_max) warehouse->options.limits.records_max = RECORDS_USUAL;
    if (!warehouse->options.limits.bytes_max) warehouse->options.limits.bytes_max = BYTES_USUAL;
    if (!warehouse->options.every_ms) warehouse->options.every_ms = EVERY_MS;
    Status s = copy_config(warehouse, config, err);
    if (!s) {
        warehouse_catalog_open(&warehouse->catalog);
        warehouse_load_open(&warehouse->load, &warehouse->catalog, warehouse->settings.schema);
        warehouse->load.choice = &warehouse->settings.choice;
        warehouse->load.widen_bytes = options->widen_bytes ? options->widen_bytes : WIDEN_BYTES;
        region_open(&warehouse->scratch, WAREHOUSE_SCRATCH_BYTES);
        warehouse->maker = warehouse_maker_open(warehouse->settings.naming);
        WarehouseGuard guard = { options->hooks.context, options->hooks.begin_reading, options->hooks.end_reading,
                                 options->hooks.is_erasing };
        if (options->hooks.people && warehouse->settings.has_people)
            warehouse->people = warehouse_people_open(options->hooks.people, &guard);
        s = batch_open(options->journal, &consumer, warehouse, warehouse->options.limits, &warehouse->batch, err);
    }
    if (s) warehouse_close(warehouse);
    else *ret = warehouse;
    return s;
}

void warehouse_close(struct warehouse *warehouse)
{
    if (!warehouse) return;
    batch_close(warehouse->batch);
    set_sql(warehouse, NULL);
    warehouse_people_close(warehouse->people);
    warehouse_maker_close(warehouse->maker);
    if (warehouse->load.schema.len) warehouse_load_close(&warehouse->load);
    if (warehouse->catalog.region.bytes) warehouse_catalog_close(&warehouse->catalog);
    region_close(&warehouse->scratch);
    region_close(&warehouse->region);
    free(warehouse->skips);
    pthread_mutex_destroy(&warehouse->lock);
    free(warehouse);
}
