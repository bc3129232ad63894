/* api_erase: DELETE of a person, and how far it has come.
 *
 * The name of an erasure is the position of its command in the journal: "8178", or "8178-9000" if the person has so
 * many ids that they took several records. It is done when the applier lists none of these any more; then the record at
 * the position is zeros, which shows it after a restart, too. */
#include "api_people.h"

#include "warehouse/warehouse.h"

enum { ERASURES_MAX = 2 * CONTROL_ERASURES_MOST,              /* look-ups that were under way may go over it by some */
       BUSY_MS = 10000 };

struct erasure_name { JournalPos first, last; };

static void put_name(struct buf *out, const char *key, struct erasure_name name)
{
    if (name.last == name.first) json_printf(out, key, "%" PRIu64, journal_number(name.first));
    else json_printf(out, key, "%" PRIu64 "-%" PRIu64, journal_number(name.first), journal_number(name.last));
}

static bool read_name(Str text, struct erasure_name *ret)
{
    Str rest, first_text = str_cut(text, '-', &rest);
    int64_t first, last;
    if (!str_parse_int(first_text, 0, INT64_MAX, &first)) return false;
    if (first_text.len == text.len) last = first;
    else if (!str_parse_int(rest, first, INT64_MAX, &last)) return false;
    *ret = (struct erasure_name){ (JournalPos)first, (JournalPos)last };
    return true;
}

static bool holds(struct erasure_name name, JournalPos pos) { return pos >= name.first && pos <= name.last; }

/* Of the erasure, if there are any. */
static void put_unread(struct buf *out, struct erasure_name name, struct applier *applier, Arena arena)
{
    ControlUnread *places = arena_new(&arena, ControlUnread, CONTROL_UNREAD_MOST);
    size_t count = control_list_unread(derive_control(applier), name.first, name.last, places, CONTROL_UNREAD_MOST);
    if (count) json_array(out, "not_looked_into");
    for (size_t at = 0; at < count; at++) {
        json_object(out, NULL);
        json_uint(out, "from", journal_number(places[at].from));
        json_uint(out, "to", journal_number(places[at].to));
        json_word(out, "reason", places[at].why);
        json_object_end(out);
    }
    if (count) json_array_end(out);
}

/* Warehouses that have not read its command yet. */
static void put_waits(struct buf *out, const ApiOptions *options, const ControlErasure *erasure)
{
    bool has_any = false;
    for (size_t at = 0; at < options->warehouse_count; at++) {
        WarehouseStatus status;
        if (warehouse_position(options->warehouses[at]) > erasure->command) continue;
        warehouse_read_status(options->warehouses[at], &status);
        if (!has_any) json_array(out, "waits_for");
        has_any = true;
        json_string(out, NULL, status.name);
    }
    if (has_any) json_array_end(out);
}

/* progress: how much of the journal before the command has been looked through. */
static void put_erasure(struct buf *out, const ApiOptions *options, struct erasure_name name,
                        const ControlErasure *erasures, size_t count, Arena arena)
{
    JournalPos first = journal_first(options->journal);
    const ControlErasure *at_work = NULL;
    uint64_t records = 0, rows = 0;
    for (size_t at = 0; at < count; at++) {
        if (!holds(name, erasures[at].command)) continue;
        if (!at_work) at_work = &erasures[at];
        records += erasures[at].journal_records;
        rows += erasures[at].index_rows;
    }
    json_object(out, NULL);
    put_name(out, "id", name);
    if (!at_work) {
        json_word(out, "status", "done");
        json_null(out, "stage");
        json_int(out, "progress", 1);
        put_unread(out, name, options->applier, arena);
        json_object_end(out);
        return;
    }
    double all = at_work->command > first ? (double)journal_distance(first, at_work->command) : 1;
    double done = (double)journal_distance(first, at_work->done);
    json_word(out, "status", "running");
    json_word(out, "stage", at_work->stage);
    json_raw(out, "progress", arena_printf(&arena, "%.3f", done / all < 1 ? done / all : 1));
    json_uint(out, "journal_records", records);
    json_uint(out, "index_rows", rows);
    put_waits(out, options, at_work);
    put_unread(out, name, options->applier, arena);
    json_object_end(out);
}

/* ---- Erasing ---- */

/* Also erases the external id that the request named. Where others had it, too, it stays known from their messages. */
static Status add_asked(CommandId asked, Arena *arena, CommandId **ids, size_t *count, Err *err)
{
    for (size_t at = 0; at < *count; at++)
        if ((*ids)[at].kind == asked.kind && str_equal((*ids)[at].value, asked.value)) return OK;
    CommandId *more = arena_try(arena, sizeof *more, _Alignof(CommandId), *count + 1);
    if (!more) return err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
    if (*count) memcpy(more, *ids, *count * sizeof *more);
    more[(*count)++] = asked;
    *ids = more;
    return OK;
}

static Status list_ids(struct exchange *exchange, Arena *arena, CommandId **ret, size_t *ret_count, Err *err)
{
    struct applier *applier = api_options(exchange)->applier;
    People people = derive_people(applier);
    IdentityPerson person;
    Str external;
    derive_begin_reading(applier);
    Str words = percent_decode(exchange->parameter, false, arena);
    bool is_external = people_read_external(&people, words, arena, &external, &person)
                    && person != IDENTITY_NONE;
    Status s = OK;
    if (!is_external) s = people_find_one(exchange, &people, arena, &person, err);
    if (!s) s = control_list_person_ids(derive_control(applier), person, arena, ret, ret_count, err);
    derive_end_reading(applier);
    CommandId asked = { COMMAND_EXTERNAL_ID, external, INT64_MIN, INT64_MAX, false };
    if (!s && is_external) s = add_asked(asked, arena, ret, ret_count, err);
    return s;
}

static Status suppress_whole(struct exchange *exchange, const CommandId *ids, size_t count, Arena *arena, Err *err)
{
    CommandId *whole = arena_new(arena, CommandId, count + 1);
    JournalPos pos, last;
    size_t kept = 0;
    for (size_t at = 0; at < count; at++)
        if (command_id_is_whole(&ids[at])) whole[kept++] = ids[at];
    JournalCommand command = { .kind = COMMAND_SUPPRESS, .ids = whole, .id_count = kept };
    return kept ? people_submit(exchange, &command, &pos, &last, err) : OK;
}

/* Each costs memory until it is done, so there is an end to how many may be under way. */
static Status check_room(struct exchange *exchange, Arena arena, Err *err)
{
    ControlErasure *erasures = arena_new(&arena, ControlErasure, ERASURES_MAX);
    uint64_t done;
    struct control *control = derive_control(api_options(exchange)->applier);
    size_t running = control_list_erasures(control, erasures, ERASURES_MAX, &done);
    if (running < CONTROL_ERASURES_MOST) return OK;
    exchange->reply.retry_after_ms = BUSY_MS;
    return err_set(err, ERR_RATE, "%zu erasures are under way; ask again when some of them are done", running);
}

/* Suppressed first: what arrives between the two would be a new person. */
Status api_people_erase(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    const ApiOptions *options = api_options(exchange);
    Str wanted = http_parameter(exchange->query, STR("suppress"), arena);
    bool suppresses = str_equal(wanted, STR("true"));
    ControlErasure *erasures = arena_new(arena, ControlErasure, ERASURES_MAX);
    CommandId *ids = NULL;
    size_t count = 0;
    uint64_t done;
    struct erasure_name name;
    if (wanted.len && !suppresses && !str_equal(wanted, STR("false")))
        return err_set_field(err, "suppress", "must be true or false");
    Status s = check_room(exchange, *arena, err);
    if (!s) s = list_ids(exchange, arena, &ids, &count, err);
    if (!s && count == 0) s = err_set(err, ERR_NOT_FOUND, "there is no id to erase");
    if (!s && suppresses) s = suppress_whole(exchange, ids, count, arena, err);
    JournalCommand command = { .kind = COMMAND_ERASE, .ids = ids, .id_count = count };
    if (!s) s = people_submit(exchange, &command, &name.first, &name.last, err);
    if (s) return s;
    size_t running = control_list_erasures(derive_control(options->applier), erasures, ERASURES_MAX, &done);
    json_object(out, NULL);
    json_name(out, STR("erasure"));
    put_erasure(out, options, name, erasures, running, *arena);
    json_array(out, "ids");
    for (size_t at = 0; at < count; at++) people_put_command_id(out, &ids[at]);
    json_array_end(out);
    json_bool(out, "suppressed", suppresses);
    json_object_end(out);
    return OK;
}

/* ---- How erasures are ---- */

Status api_erasures(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    const ApiOptions *options = api_options(exchange);
    ControlErasure *erasures = arena_new(arena, ControlErasure, ERASURES_MAX);
    uint64_t done;
    size_t count = control_list_erasures(derive_control(options->applier), erasures, ERASURES_MAX, &done);
    (void)people;
    (void)err;
    json_object(out, NULL);
    json_array(out, "erasures");
    for (size_t at = 0; at < count; at++) {
        put_erasure(out, options, (struct erasure_name){ erasures[at].command, erasures[at].command }, &erasures[at], 1,
                    *arena);
    }
    json_array_end(out);
    json_uint(out, "done_since_start", done);
    json_object_end(out);
    return OK;
}

/* Looks at the record at the position: a command that was itself erased was an erasure that is done. */
static Status check_name(struct exchange *exchange, struct erasure_name name, Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    Status s = journal_read_at(api_options(exchange)->journal, name.first, &reader, &record, err);
    bool is_erased = !s && record_kind(record.bytes) == RECORD_ERASED;
    journal_reader_close(reader);
    return is_erased ? OK : err_set(err, ERR_NOT_FOUND, "there is no such erasure");
}

Status api_erasure(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    const ApiOptions *options = api_options(exchange);
    ControlErasure *erasures = arena_new(arena, ControlErasure, ERASURES_MAX);
    struct erasure_name name;
    uint64_t done;
    bool is_running = false;
    (void)people;
    if (!read_name(percent_decode(exchange->parameter, false, arena), &name))
        return err_set(err, ERR_NOT_FOUND, "there is no such erasure");
    size_t count = control_list_erasures(derive_control(options->applier), erasures, ERASURES_MAX, &done);
    for (size_t at = 0; at < count; at++) is_running |= holds(name, erasures[at].command);
    Status s = is_running ? OK : check_name(exchange, name, err);
    if (!s) put_erasure(out, options, name, erasures, count, *arena);
    return s;
}
