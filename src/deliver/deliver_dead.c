/* deliver_dead: keeps what could not be delivered, with the reason, what was sent and what came back.
 *
 * A dead letter is a row: a JSON object for people, after it the frozen calls, so that a second try sends the
 * same under the same keys. Secrets in headers are stars. The oldest go when there are too many.
 */
#include "deliver_runner.h"

enum { DEAD_MOST = 100000, BODY_KEPT_BYTES = 32 * 1024, LETTER_BYTES = 8 * 1024 * 1024,
       REDO_SPARE = 32, QUOTE_BYTES = 32 };

static void put_request(const struct runner *runner, struct buf *out, const FetchRequest *request, Arena scratch)
{
    const Settings *settings = &runner->settings;
    json_object(out, "request");
    member_text(out, STR("method"), request->method);
    member_text(out, STR("url"), secret_hide(settings, request->url, &scratch));
    json_object(out, "headers");
    for (size_t at = 0; at < request->header_count; at++)
        member_text(out, request->headers[at].name,
                    secret_is_header(request->headers[at].name) ? STR("***") : request->headers[at].value);
    json_object_end(out);
    member_text(out, STR("body"), secret_hide(settings, str_slice(request->body, 0, BODY_KEPT_BYTES), &scratch));
    json_object_end(out);
}

/* If a request carried several people's calls, the letter shows only this message's, as if they had gone alone. */
static const FetchRequest *own_request(const struct runner *runner, const struct delivery *delivery,
                                       const FetchRequest *request, Arena *arena, FetchRequest *own)
{
    const struct request *shared = delivery->request;
    if (!request || !shared || request_is_alone(shared)) return request;
    const Call **calls = arena_new(arena, const Call *, shared->slot_count);
    PackInput input = { &runner->settings, calls, 0, "", runner->deliver->now_ms };
    for (size_t at = 0; at < shared->slot_count; at++) {
        const struct request_slot *slot = &shared->slots[at];
        if (slot->delivery == delivery) calls[input.call_count++] = &delivery->calls[slot->call];
    }
    *own = (FetchRequest){ 0 };
    return runner->destination->pack(&input, arena, own, NULL) == OK && own->method.len ? own : NULL;
}

/* An answer to the calls of several people at once may quote any of them, so no letter shows it. To see one, try a
 * letter again; last_error shows it, too. */
static Str own_reason(const struct delivery *delivery, Str reason, const FetchAnswer *answer, Arena *arena)
{
    Str beginning = answer ? str_slice(answer->body, 0, QUOTE_BYTES) : (Str){ 0 };
    if (!delivery->request || request_is_alone(delivery->request)) return reason;
    if (!beginning.len || !str_contains(reason, beginning)) return reason;
    return arena_printf(arena, "HTTP %d to %zu calls together; redo sends one again, and keeps what is said to it",
                        answer->status, delivery->request->slot_count);
}

static void put_answer(const Settings *settings, struct buf *out, const FetchAnswer *answer, bool is_shared,
                       Arena scratch)
{
    json_object(out, "answer");
    if (answer->status) json_int(out, "status", answer->status);
    member_text(out, STR("error"), secret_hide(settings, str_from(answer->error), &scratch));
    if (!is_shared)
        member_text(out, STR("body"), secret_hide(settings, str_slice(answer->body, 0, BODY_KEPT_BYTES), &scratch));
    json_object_end(out);
}

static void put_event(struct buf *out, Str record)
{
    Event event;
    if (record_kind(record) != RECORD_EVENT || event_decode(record, &event, NULL)) return;
    member_text(out, STR("message_id"), event.message_id);
    member_text(out, STR("type"), str_from(event_type_word(event.type)));
    member_text(out, STR("user_id"), event.user_id);
    member_text(out, STR("anonymous_id"), event.anonymous_id);
}

/* Says whom the message was about: from the record in memory, or from the journal. */
static void put_message(struct runner *runner, struct buf *out, const struct delivery *delivery)
{
    struct journal_reader *reader;
    JournalRecord record;
    if (delivery->record.len) {
        put_event(out, buf_str(&delivery->record));
        return;
    }
    if (journal_read_at(runner->deliver->options.journal, delivery->pos, &reader, &record, NULL)) return;
    put_event(out, record.bytes);
    journal_reader_close(reader);
}

static void put_letter(struct runner *runner, const struct delivery *delivery, const char *kind,
                       const struct death *death, struct buf *out)
{
    const FetchAnswer *answer = death->answer;
    Arena arena = region_arena(&runner->deliver->region);
    bool is_shared = delivery->request && !request_is_alone(delivery->request);
    FetchRequest own;
    Str reason = own_reason(delivery, death->reason, answer, &arena);
    const FetchRequest *request = own_request(runner, delivery, death->request, &arena, &own);
    json_object(out, NULL);
    json_int(out, "number", (int64_t)runner->dead_number);
    member_text(out, STR("kind"), str_from(kind));
    put_message(runner, out, delivery);
    member_text(out, STR("reason"), secret_hide(&runner->settings, reason, &arena));
    json_int(out, "position", (int64_t)delivery->pos);
    json_instant(out, "happened_at", delivery->event_ms);
    if (delivery->first_tried_ms) json_instant(out, "first_tried_at", delivery->first_tried_ms);
    json_instant(out, "died_at", runner->deliver->now_ms);
    json_int(out, "attempts", delivery->tries);
    if (request) put_request(runner, out, request, arena);
    if (answer) put_answer(&runner->settings, out, answer, is_shared, arena);
    json_object_end(out);
}

/* length of the JSON (8 bytes), the JSON, the row of the calls. */
static void save_letter(struct runner *runner, struct buf *json, const struct delivery *delivery, uint32_t first_call,
                        uint32_t call_count)
{
    struct pending *pending = runner->deliver->pending;
    char bytes[ROW_KEY_BYTES];
    struct buf row;
    uint64_t len = json->len;
    buf_init(&row, LETTER_BYTES * 2);
    buf_put(&row, &len, sizeof len);
    buf_str_put(&row, buf_str(json));
    if (delivery) delivery_encode(&row, delivery, first_call, call_count);
    if (buf_ok(&row)) pending_put(pending, row_key_number(runner, ROW_DEAD, runner->dead_number, bytes), buf_str(&row));
    if (runner->dead_number > DEAD_MOST)
        pending_remove(pending, row_key_number(runner, ROW_DEAD, runner->dead_number - DEAD_MOST, bytes));
    runner->dead_number++;
    buf_done(&row);
}

void dead_put(struct runner *runner, const struct delivery *delivery, const struct death *death)
{
    struct buf json;
    buf_init(&json, LETTER_BYTES);
    put_letter(runner, delivery, "message", death, &json);
    save_letter(runner, &json, delivery, death->first_call, death->call_count);
    runner->state.dead_letters++;
    runner_fail(runner, death->reason);
    buf_done(&json);
}

void dead_report(struct runner *runner, const struct delivery *delivery, Str text)
{
    struct buf json;
    buf_init(&json, LETTER_BYTES);
    put_letter(runner, delivery, "report", &(struct death){ .reason = text }, &json);
    save_letter(runner, &json, NULL, 0, 0);
    runner->state.reports++;
    buf_done(&json);
}

/* ---- Reading ---- */

Str dead_json(Str row, Str *ret_calls)
{
    uint64_t len = 0;
    *ret_calls = (Str){ 0 };
    if (row.len < sizeof len) return (Str){ 0 };
    memcpy(&len, row.bytes, sizeof len);
    if (len > row.len - sizeof len) return (Str){ 0 };
    *ret_calls = str_slice(row, sizeof len + len, row.len);
    return str_slice(row, sizeof len, sizeof len + len);
}

static uint64_t number_of_key(Str key)
{
    uint64_t big = 0;
    if (key.len < sizeof big) return 0;
    memcpy(&big, key.bytes + key.len - sizeof big, sizeof big);
    return __builtin_bswap64(big);
}

struct listing {
    DeadVisit *visit;
    void *context;
};

static bool visit_letter(void *context, Str key, Str row)
{
    struct listing *listing = context;
    struct buf hidden;
    Str rest;
    DeadLetter letter = { number_of_key(key), dead_json(row, &rest) };
    bool goes_on;
    buf_init(&hidden, 2 * LETTER_BYTES);
    if (secret_hide_in_letter(letter.json, &hidden)) letter.json = buf_str(&hidden);
    goes_on = listing->visit(listing->context, &letter);
    buf_done(&hidden);
    return goes_on;
}

Status deliver_list_dead(const struct outbox_rows *rows, Str name, uint64_t after, DeadVisit *visit, void *context,
                         Err *err)
{
    struct runner runner = { 0 };
    struct listing listing = { visit, context };
    char prefix[ROW_KEY_BYTES], from[ROW_KEY_BYTES];
    if (name.len >= DELIVER_NAME_BYTES) return err_set(err, ERR_NOT_FOUND, "there is no such destination");
    memcpy(runner.name, name.bytes, name.len);
    return rows->walk(rows->context, row_key(&runner, ROW_DEAD, (Str){ 0 }, prefix),
                      row_key_number(&runner, ROW_DEAD, after + 1, from), visit_letter, &listing, err);
}

static bool note_number(void *context, Str key, Str row)
{
    struct runner *runner = context;
    (void)row;
    runner->dead_number = number_of_key(key) + 1;
    runner->state.dead_letters++;
    return true;
}

/* Finds the next number, and up to which number an unfinished redo was to go. */
Status dead_load(struct runner *runner, Err *err)
{
    const struct outbox_rows *rows = &runner->deliver->options.rows;
    Arena scratch = region_arena(&runner->deliver->region);
    char bytes[ROW_KEY_BYTES];
    Str prefix = row_key(runner, ROW_DEAD, (Str){ 0 }, bytes), until;
    runner->dead_number = 1;
    Status s = rows->walk(rows->context, prefix, prefix, note_number, runner, err);
    if (s) return s;
    s = pending_get(runner->deliver->pending, row_key(runner, ROW_REDO, (Str){ 0 }, bytes), &scratch, &until, err);
    if (!s && until.len == sizeof runner->redo_until) memcpy(&runner->redo_until, until.bytes, until.len);
    return s == ERR_NOT_FOUND ? OK : s;
}

/* ---- Again ---- */

struct redoing {
    struct runner *runner;
    uint64_t from, until;                           /* numbers */
    bool is_full;
};

/* The letter's calls line up again as a delivery of their own. If it has none, they are built anew from its record. */
static void redo_delivery(struct runner *runner, struct delivery *delivery, uint64_t number)
{
    char bytes[ROW_KEY_BYTES];
    delivery->is_redo = true;                       /* whoever asks for it accepts that it may come twice */
    delivery->is_in_doubt = false;
    delivery->order = runner->order++;
    delivery->attempts = delivery->tries = 0;
    delivery->next_ms = 0;
    delivery->first_tried_ms = runner->deliver->now_ms;
    order_line_up(runner, delivery);
    delivery->stage = order_is_first(delivery) ? DELIVERY_READY : DELIVERY_LINED;
    list_append(delivery->stage == DELIVERY_READY ? &runner->ready : &runner->lined, delivery);
    delivery_save(runner, delivery);
    forget_begin_again(runner->deliver);
    pending_remove(runner->deliver->pending, row_key_number(runner, ROW_DEAD, number, bytes));
    if (runner->state.dead_letters) runner->state.dead_letters--;
}

static bool redo_letter(void *context, Str key, Str row)
{
    struct redoing *redoing = context;
    struct runner *runner = redoing->runner;
    uint64_t number = number_of_key(key);
    struct delivery *delivery;
    Str rest;
    if (number >= redoing->until) return false;
    if (pending_removes(runner->deliver->pending, key)) return true;        /* this step has taken it already */
    if (dead_json(row, &rest).len == 0 || rest.len == 0) return true;
    if (runner->free.count <= REDO_SPARE || pending_is_full(runner->deliver->pending)) {
        redoing->is_full = true;                    /* a later step does the rest */
        return false;
    }
    delivery = delivery_take(runner);
    if (!delivery_decode(rest, delivery)) delivery_give_back(runner, delivery);
    else redo_delivery(runner, delivery, number);
    return true;
}

static Status redo_letters(struct redoing *redoing, Err *err)
{
    struct runner *runner = redoing->runner;
    const struct outbox_rows *rows = &runner->deliver->options.rows;
    char prefix[ROW_KEY_BYTES], from[ROW_KEY_BYTES];
    return rows->walk(rows->context, row_key(runner, ROW_DEAD, (Str){ 0 }, prefix),
                      row_key_number(runner, ROW_DEAD, redoing->from, from), redo_letter, redoing, err);
}

Status dead_redo(struct runner *runner, uint64_t number, Err *err)
{
    struct redoing redoing = { runner, number, number + 1, false };
    Status s = redo_letters(&redoing, err);
    return s || !redoing.is_full ? s : err_set(err, ERR_RATE, "the window is full; ask again in a moment");
}

void dead_redo_all(struct runner *runner)
{
    char bytes[ROW_KEY_BYTES];
    uint64_t until = runner->redo_until = runner->dead_number;
    pending_put(runner->deliver->pending, row_key(runner, ROW_REDO, (Str){ 0 }, bytes), str_of(&until, sizeof until));
}

/* A message that fails again meanwhile gets a new number, so this loop ends. */
Status dead_redo_more(struct runner *runner, Err *err)
{
    struct redoing redoing = { runner, 0, runner->redo_until, false };
    char bytes[ROW_KEY_BYTES];
    Status s = redo_letters(&redoing, err);
    runner->has_more = true;
    if (s || redoing.is_full) return s;
    runner->redo_until = 0;
    pending_remove(runner->deliver->pending, row_key(runner, ROW_REDO, (Str){ 0 }, bytes));
    return OK;
}
