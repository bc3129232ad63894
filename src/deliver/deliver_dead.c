/* deliver_dead: what could not be delivered, kept with its reason, what was sent and what came back.
 *
 * A dead letter is a row: a JSON object for people, behind it the frozen calls, so that a second try sends the
 * same under the same keys. Secrets in headers are stars. The oldest go when there are too many.
 */
#include "deliver_outlet.h"

enum { DEAD_MOST = 100000, BODY_KEPT_BYTES = 32 * 1024, LETTER_BYTES = 8 * 1024 * 1024,
       REDO_SPARE = 32, QUOTE_BYTES = 32 };

static void put_request(const struct outlet *outlet, struct buf *out, const FetchRequest *request, Arena scratch)
{
    const Settings *settings = &outlet->settings;
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

/* Of a request that carried several people's calls a letter has this message's alone, as if it had gone so. */
static const FetchRequest *own_request(const struct outlet *outlet, const struct parcel *parcel,
                                       const FetchRequest *request, Arena *arena, FetchRequest *own)
{
    const struct request *shared = parcel->request;
    if (!request || !shared || request_is_alone(shared)) return request;
    const Call **calls = arena_new(arena, const Call *, shared->ride_count);
    PackInput input = { &outlet->settings, calls, 0, "", outlet->deliver->now_ms };
    for (size_t at = 0; at < shared->ride_count; at++)
        if (shared->rides[at].parcel == parcel) calls[input.call_count++] = &parcel->calls[shared->rides[at].call];
    *own = (FetchRequest){ 0 };
    return outlet->destination->pack(&input, arena, own, NULL) == OK && own->method.len ? own : NULL;
}

/* What a vendor said to the calls of several people at once may quote any of them, so it is in nobody's letter: who
 * wants to see it tries one again. It stands as last_error, too. */
static Str own_reason(const struct parcel *parcel, Str reason, const FetchAnswer *answer, Arena *arena)
{
    Str beginning = answer ? str_slice(answer->body, 0, QUOTE_BYTES) : (Str){ 0 };
    if (!parcel->request || request_is_alone(parcel->request)) return reason;
    if (!beginning.len || !str_contains(reason, beginning)) return reason;
    return arena_printf(arena, "HTTP %d to %zu calls together; redo sends one again, and keeps what is said to it",
                        answer->status, parcel->request->ride_count);
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

/* Who it was about: from the record at hand, or the journal's. */
static void put_message(struct outlet *outlet, struct buf *out, const struct parcel *parcel)
{
    struct journal_reader *reader;
    JournalRecord record;
    if (parcel->record.len) {
        put_event(out, buf_str(&parcel->record));
        return;
    }
    if (journal_read_at(outlet->deliver->options.journal, parcel->pos, &reader, &record, NULL)) return;
    put_event(out, record.bytes);
    journal_reader_close(reader);
}

static void put_letter(struct outlet *outlet, const struct parcel *parcel, const char *kind, Str reason,
                       const FetchRequest *request, const FetchAnswer *answer, struct buf *out)
{
    Arena arena = region_arena(&outlet->deliver->region);
    bool is_shared = parcel->request && !request_is_alone(parcel->request);
    FetchRequest own;
    reason = own_reason(parcel, reason, answer, &arena);
    request = own_request(outlet, parcel, request, &arena, &own);
    json_object(out, NULL);
    json_int(out, "number", (int64_t)outlet->dead_number);
    member_text(out, STR("kind"), str_from(kind));
    put_message(outlet, out, parcel);
    member_text(out, STR("reason"), secret_hide(&outlet->settings, reason, &arena));
    json_int(out, "position", (int64_t)parcel->pos);
    json_instant(out, "happened_at", parcel->event_ms);
    if (parcel->first_tried_ms) json_instant(out, "first_tried_at", parcel->first_tried_ms);
    json_instant(out, "died_at", outlet->deliver->now_ms);
    json_int(out, "attempts", parcel->attempts);
    if (request) put_request(outlet, out, request, arena);
    if (answer) put_answer(&outlet->settings, out, answer, is_shared, arena);
    json_object_end(out);
}

/* length of the JSON (8 bytes), the JSON, the row of the calls. */
static void save_letter(struct outlet *outlet, struct buf *json, const struct parcel *parcel, uint32_t first_call,
                        uint32_t call_count)
{
    struct ledger *ledger = outlet->deliver->ledger;
    char bytes[ROW_KEY_BYTES];
    struct buf row;
    uint64_t len = json->len;
    buf_init(&row, LETTER_BYTES * 2);
    buf_put(&row, &len, sizeof len);
    buf_str_put(&row, buf_str(json));
    if (parcel) parcel_encode(&row, parcel, first_call, call_count);
    if (buf_ok(&row)) ledger_put(ledger, row_key_number(outlet, ROW_DEAD, outlet->dead_number, bytes), buf_str(&row));
    if (outlet->dead_number > DEAD_MOST)
        ledger_remove(ledger, row_key_number(outlet, ROW_DEAD, outlet->dead_number - DEAD_MOST, bytes));
    outlet->dead_number++;
    buf_done(&row);
}

void dead_put(struct outlet *outlet, const struct parcel *parcel, uint32_t first_call, uint32_t call_count, Str reason,
              const FetchRequest *request, const FetchAnswer *answer)
{
    struct buf json;
    buf_init(&json, LETTER_BYTES);
    put_letter(outlet, parcel, "message", reason, request, answer, &json);
    save_letter(outlet, &json, parcel, first_call, call_count);
    outlet->state.dead_letters++;
    outlet_fail(outlet, reason);
    buf_done(&json);
}

void dead_report(struct outlet *outlet, const struct parcel *parcel, Str text)
{
    struct buf json;
    buf_init(&json, LETTER_BYTES);
    put_letter(outlet, parcel, "report", text, NULL, NULL, &json);
    save_letter(outlet, &json, NULL, 0, 0);
    outlet->state.reports++;
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

Status deliver_list_dead(const struct deliver_rows *rows, Str name, uint64_t after, DeadVisit *visit, void *context,
                         Err *err)
{
    struct outlet outlet = { 0 };
    struct listing listing = { visit, context };
    char prefix[ROW_KEY_BYTES], from[ROW_KEY_BYTES];
    if (name.len >= DELIVER_NAME_BYTES) return err_set(err, ERR_NOT_FOUND, "there is no such destination");
    memcpy(outlet.name, name.bytes, name.len);
    return rows->walk(rows->context, row_key(&outlet, ROW_DEAD, (Str){ 0 }, prefix),
                      row_key_number(&outlet, ROW_DEAD, after + 1, from), visit_letter, &listing, err);
}

static bool note_number(void *context, Str key, Str row)
{
    struct outlet *outlet = context;
    (void)row;
    outlet->dead_number = number_of_key(key) + 1;
    outlet->state.dead_letters++;
    return true;
}

/* Finds where numbering goes on, and how far a redo was to go. */
Status dead_load(struct outlet *outlet, Err *err)
{
    const struct deliver_rows *rows = &outlet->deliver->options.rows;
    Arena scratch = region_arena(&outlet->deliver->region);
    char bytes[ROW_KEY_BYTES];
    Str prefix = row_key(outlet, ROW_DEAD, (Str){ 0 }, bytes), until;
    outlet->dead_number = 1;
    Status s = rows->walk(rows->context, prefix, prefix, note_number, outlet, err);
    if (s) return s;
    s = ledger_get(outlet->deliver->ledger, row_key(outlet, ROW_REDO, (Str){ 0 }, bytes), &scratch, &until, err);
    if (!s && until.len == sizeof outlet->redo_until) memcpy(&outlet->redo_until, until.bytes, until.len);
    return s == ERR_NOT_FOUND ? OK : s;
}

/* ---- Again ---- */

struct redoing {
    struct outlet *outlet;
    uint64_t from, until;                           /* numbers */
    bool is_full;
};

/* The calls line up again as a parcel of their own. A letter without calls is built anew from its record. */
static void redo_parcel(struct outlet *outlet, struct parcel *parcel, uint64_t number)
{
    char bytes[ROW_KEY_BYTES];
    parcel->is_redo = true;                         /* whoever asks for it has settled the doubt */
    parcel->is_in_doubt = false;
    parcel->order = outlet->order++;
    parcel->attempts = 0;
    parcel->next_ms = 0;
    parcel->first_tried_ms = outlet->deliver->now_ms;
    order_line_up(outlet, parcel);
    parcel->state = order_is_first(parcel) ? PARCEL_READY : PARCEL_LINED;
    list_append(parcel->state == PARCEL_READY ? &outlet->ready : &outlet->lined, parcel);
    parcel_save(outlet, parcel);
    forget_begin_again(outlet->deliver);
    ledger_remove(outlet->deliver->ledger, row_key_number(outlet, ROW_DEAD, number, bytes));
    if (outlet->state.dead_letters) outlet->state.dead_letters--;
}

static bool redo_letter(void *context, Str key, Str row)
{
    struct redoing *redoing = context;
    struct outlet *outlet = redoing->outlet;
    uint64_t number = number_of_key(key);
    struct parcel *parcel;
    Str rest;
    if (number >= redoing->until) return false;
    if (ledger_removes(outlet->deliver->ledger, key)) return true;          /* went already, in this step */
    if (dead_json(row, &rest).len == 0 || rest.len == 0) return true;
    if (outlet->free.count <= REDO_SPARE || ledger_is_full(outlet->deliver->ledger)) {
        redoing->is_full = true;                    /* the rest with a later step */
        return false;
    }
    parcel = parcel_take(outlet);
    if (!parcel_decode(rest, parcel)) parcel_give_back(outlet, parcel);
    else redo_parcel(outlet, parcel, number);
    return true;
}

static Status redo_letters(struct redoing *redoing, Err *err)
{
    struct outlet *outlet = redoing->outlet;
    const struct deliver_rows *rows = &outlet->deliver->options.rows;
    char prefix[ROW_KEY_BYTES], from[ROW_KEY_BYTES];
    return rows->walk(rows->context, row_key(outlet, ROW_DEAD, (Str){ 0 }, prefix),
                      row_key_number(outlet, ROW_DEAD, redoing->from, from), redo_letter, redoing, err);
}

Status dead_redo(struct outlet *outlet, uint64_t number, Err *err)
{
    struct redoing redoing = { outlet, number, number + 1, false };
    Status s = redo_letters(&redoing, err);
    return s || !redoing.is_full ? s : err_set(err, ERR_RATE, "the window is full; ask again in a moment");
}

void dead_redo_all(struct outlet *outlet)
{
    char bytes[ROW_KEY_BYTES];
    uint64_t until = outlet->redo_until = outlet->dead_number;
    ledger_put(outlet->deliver->ledger, row_key(outlet, ROW_REDO, (Str){ 0 }, bytes), str_of(&until, sizeof until));
}

/* What dies again meanwhile gets a new number, so this ends. */
Status dead_redo_more(struct outlet *outlet, Err *err)
{
    struct redoing redoing = { outlet, 0, outlet->redo_until, false };
    char bytes[ROW_KEY_BYTES];
    Status s = redo_letters(&redoing, err);
    outlet->has_more = true;
    if (s || redoing.is_full) return s;
    outlet->redo_until = 0;
    ledger_remove(outlet->deliver->ledger, row_key(outlet, ROW_REDO, (Str){ 0 }, bytes));
    return OK;
}
