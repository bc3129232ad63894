/* http_erase: DELETE of a person, and how far it has come.
 *
 * An erasure is named by the position of its command in the journal: "8178", or "8178-9000" where the person has so
 * many ids that they took several records. It is done when the applier lists none of these any more; what stands at
 * the position then is a record of zeros, which tells it after a restart, too. */
#include "http_people.h"

enum { ERASURES_MAX = 2 * APPLY_ERASURES_MOST,                /* look-ups that were under way may go over it by some */
       FRAME_SPARE_BYTES = 4096, BUSY_MS = 10000 };

struct erasure_name { JournalPos first, last; };

static void put_name(struct buf *out, struct erasure_name name)
{
    if (name.last == name.first) buf_printf(out, "\"%llu\"", (unsigned long long)name.first);
    else buf_printf(out, "\"%llu-%llu\"", (unsigned long long)name.first, (unsigned long long)name.last);
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

/* progress: how much of the journal before the command has been looked through. */
static void put_erasure(struct buf *out, struct erasure_name name, const ApplyErasure *erasures, size_t count,
                        JournalPos first)
{
    const ApplyErasure *at_work = NULL;
    uint64_t records = 0, rows = 0;
    for (size_t at = 0; at < count; at++) {
        if (!holds(name, erasures[at].command)) continue;
        if (!at_work) at_work = &erasures[at];
        records += erasures[at].journal_records;
        rows += erasures[at].index_rows;
    }
    buf_str_put(out, STR("{\"id\":"));
    put_name(out, name);
    if (!at_work) {
        buf_str_put(out, STR(",\"status\":\"done\",\"stage\":null,\"progress\":1}"));
        return;
    }
    double all = at_work->command > first ? (double)(at_work->command - first) : 1;
    double done = at_work->done > first ? (double)(at_work->done - first) : 0;
    buf_printf(out, ",\"status\":\"running\",\"stage\":\"%s\",\"progress\":%.3f,\"journal_records\":%llu,"
               "\"index_rows\":%llu}", at_work->stage, done / all < 1 ? done / all : 1, (unsigned long long)records,
               (unsigned long long)rows);
}

/* ---- Erasing ---- */

static Status list_ids(struct exchange *exchange, Arena *arena, CommandId **ret, size_t *ret_count, Err *err)
{
    struct applier *applier = exchange_options(exchange)->applier;
    People people = apply_people(applier);
    IdentityPerson person;
    apply_begin_reading(applier);
    Status s = people_find_one(exchange, &people, arena, &person, err);
    if (!s) s = apply_list_person_ids(applier, person, arena, ret, ret_count, err);
    apply_end_reading(applier);
    return s;
}

static Status suppress_whole(struct exchange *exchange, const CommandId *ids, size_t count, Arena *arena, Err *err)
{
    CommandId *whole = arena_new(arena, CommandId, count + 1);
    JournalPos pos;
    size_t kept = 0;
    for (size_t at = 0; at < count; at++)
        if (ids[at].from_ms == INT64_MIN && ids[at].to_ms == INT64_MAX) whole[kept++] = ids[at];
    JournalCommand command = { .kind = COMMAND_SUPPRESS, .ids = whole, .id_count = kept };
    return kept ? people_submit(exchange, &command, &pos, err) : OK;
}

/* The ids of one append lie close behind its first record: no other erasure's command can begin between them. */
static struct erasure_name name_of(JournalPos first, const CommandId *ids, size_t count)
{
    size_t bytes = 0;
    for (size_t at = 0; at < count; at++) bytes += command_id_bytes(&ids[at]);
    if (bytes <= COMMAND_IDS_BYTES && count <= COMMAND_IDS_MAX) return (struct erasure_name){ first, first };
    return (struct erasure_name){ first, first + bytes + (bytes / COMMAND_IDS_BYTES + 2) * FRAME_SPARE_BYTES };
}

/* Each costs memory until it is done, so there is an end to how many may be under way. */
static Status check_room(struct exchange *exchange, Arena arena, Err *err)
{
    ApplyErasure *erasures = arena_new(&arena, ApplyErasure, ERASURES_MAX);
    uint64_t done;
    size_t running = apply_list_erasures(exchange_options(exchange)->applier, erasures, ERASURES_MAX, &done);
    if (running < APPLY_ERASURES_MOST) return OK;
    exchange->reply.retry_after_ms = BUSY_MS;
    return err_set(err, ERR_RATE, "%zu erasures are under way; ask again when some of them are done", running);
}

/* Suppressed first: what arrives between the two would be a new person. */
static Status erase(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    const HttpOptions *options = exchange_options(exchange);
    Str wish = query_parameter(exchange->query, STR("suppress"), arena);
    bool suppresses = str_equal(wish, STR("true"));
    ApplyErasure *erasures = arena_new(arena, ApplyErasure, ERASURES_MAX);
    CommandId *ids = NULL;
    size_t count = 0;
    uint64_t done;
    JournalPos pos;
    if (wish.len && !suppresses && !str_equal(wish, STR("false")))
        return err_set_field(err, "suppress", "must be true or false");
    Status s = check_room(exchange, *arena, err);
    if (!s) s = list_ids(exchange, arena, &ids, &count, err);
    if (!s && count == 0) s = err_set(err, ERR_NOT_FOUND, "there is no id to erase");
    if (!s && suppresses) s = suppress_whole(exchange, ids, count, arena, err);
    JournalCommand command = { .kind = COMMAND_ERASE, .ids = ids, .id_count = count };
    if (!s) s = people_submit(exchange, &command, &pos, err);
    if (s) return s;
    size_t running = apply_list_erasures(options->applier, erasures, ERASURES_MAX, &done);
    buf_str_put(out, STR("{\"erasure\":"));
    put_erasure(out, name_of(pos, ids, count), erasures, running, journal_first(options->journal));
    buf_str_put(out, STR(",\"ids\":["));
    for (size_t at = 0; at < count; at++) {
        if (at) buf_char(out, ',');
        people_put_command_id(out, &ids[at]);
    }
    buf_printf(out, "],\"suppressed\":%s}", suppresses ? "true" : "false");
    return OK;
}

static void work_erase(struct exchange *exchange, Arena *arena)
{
    Err err = { 0 };
    buf_clear(&exchange->answer);
    Status s = erase(exchange, arena, &exchange->answer, &err);
    if (s) reply_error(exchange, s, &err);
    else reply_text(exchange, 202, NULL, buf_str(&exchange->answer));
}

/* ---- How erasures are ---- */

static Status write_erasures(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    const HttpOptions *options = exchange_options(exchange);
    ApplyErasure *erasures = arena_new(arena, ApplyErasure, ERASURES_MAX);
    uint64_t done;
    size_t count = apply_list_erasures(options->applier, erasures, ERASURES_MAX, &done);
    (void)people;
    (void)err;
    buf_str_put(out, STR("{\"erasures\":["));
    for (size_t at = 0; at < count; at++) {
        if (at) buf_char(out, ',');
        put_erasure(out, (struct erasure_name){ erasures[at].command, erasures[at].command }, &erasures[at], 1,
                    journal_first(options->journal));
    }
    buf_printf(out, "],\"done_since_start\":%llu}", (unsigned long long)done);
    return OK;
}

/* What stands at the position: a command that was erased itself was an erasure that is done. */
static Status check_name(struct exchange *exchange, struct erasure_name name, Err *err)
{
    struct journal_reader *reader = NULL;
    JournalRecord record;
    Status s = journal_reader_open(exchange_options(exchange)->journal, name.first, &reader, err);
    if (!s) s = journal_read(reader, &record, err);
    bool is_erased = !s && record.pos == name.first && record_kind(record.bytes) == RECORD_ERASED;
    journal_reader_close(reader);
    return is_erased ? OK : err_set(err, ERR_NOT_FOUND, "there is no such erasure");
}

static Status write_erasure(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    const HttpOptions *options = exchange_options(exchange);
    ApplyErasure *erasures = arena_new(arena, ApplyErasure, ERASURES_MAX);
    struct erasure_name name;
    uint64_t done;
    bool is_running = false;
    (void)people;
    if (!read_name(percent_decode(exchange->parameter, false, arena), &name))
        return err_set(err, ERR_NOT_FOUND, "there is no such erasure");
    size_t count = apply_list_erasures(options->applier, erasures, ERASURES_MAX, &done);
    for (size_t at = 0; at < count; at++) is_running |= holds(name, erasures[at].command);
    Status s = is_running ? OK : check_name(exchange, name, err);
    if (!s) put_erasure(out, name, erasures, count, journal_first(options->journal));
    return s;
}

static void work_erasures(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_erasures); }
static void work_erasure(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_erasure); }

void http_people_erase(struct exchange *exchange) { exchange_defer(exchange, work_erase); }
void http_erasures(struct exchange *exchange) { exchange_defer(exchange, work_erasures); }
void http_erasure(struct exchange *exchange) { exchange_defer(exchange, work_erasure); }
