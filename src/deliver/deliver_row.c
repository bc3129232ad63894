/* deliver_row: what the store keeps of a destination.
 *
 *   name 0 'c'              the cursor: kept position and the next order
 *   name 0 'p' order        a parcel that is not finished; or, behind the cursor, that one is
 *   name 0 'm' key          what a destination remembers
 *   name 0 'l' anonymous    the user that the anonymous id was joined to there
 *   name 0 'j' line line    two users were told to be one person; hashes as of their lines (key_of_id)
 *   name 0 'u' user         something was sent under that user
 *   name 0 'd' number       a dead letter
 *   name 0 'r'              the replay under way: from, to, kept position, end
 *   name 0 'a'              dead letters below this number are tried again
 *
 * Numbers in keys are eight bytes, the highest first, so that rows lie in their order. Numbers in values are
 * eight bytes little-endian. A parcel's row:
 *
 *   version(1) state(1) stream(1) redo(1) pos order event received first_tried next attempts
 *   turn_count turns… facts_length facts call_count { lane kind flags 0 rest length body }…
 *
 * A parcel without calls was not built yet: its record is read again from the journal. State: 1 waits, 2 is
 * done, 3 waits too, but its first call must not be repeated and may have been sent.
 */
#include "deliver_outlet.h"

#include <stdlib.h>

enum { ROW_VERSION = 1, ROW_WAITS = 1, ROW_IS_DONE = 2, ROW_IS_SENT = 3 };

/* ---- Keys ---- */

Str row_key(const struct outlet *outlet, char kind, Str rest, char bytes[ROW_KEY_BYTES])
{
    struct buf key;
    buf_init_fixed(&key, bytes, ROW_KEY_BYTES);
    buf_str_put(&key, str_from(outlet->name));
    buf_char(&key, 0);
    buf_char(&key, kind);
    if (rest.len <= ROW_REST_BYTES) {
        buf_str_put(&key, rest);
    } else {
        Hash128 hash = hash_128(rest, 0);
        buf_str_put(&key, str_slice(rest, 0, ROW_REST_BYTES));
        buf_put(&key, &hash, sizeof hash);
    }
    check(buf_ok(&key));
    return buf_str(&key);
}

Str row_key_number(const struct outlet *outlet, char kind, uint64_t number, char bytes[ROW_KEY_BYTES])
{
    uint64_t big = __builtin_bswap64(number);
    return row_key(outlet, kind, str_of(&big, sizeof big), bytes);
}

/* ---- Values ---- */

static void put_u64(struct buf *buf, uint64_t value) { buf_put(buf, &value, sizeof value); }

struct row_reader {
    const char *at, *end;
    bool is_short;
};

static Str take_bytes(struct row_reader *reader, uint64_t count)
{
    Str taken = { reader->at, (size_t)count };
    if (reader->is_short || count > (uint64_t)(reader->end - reader->at)) {
        reader->is_short = true;
        return (Str){ 0 };
    }
    reader->at += count;
    return taken;
}

static uint64_t take_u64(struct row_reader *reader)
{
    uint64_t value = 0;
    Str bytes = take_bytes(reader, sizeof value);
    if (bytes.len) memcpy(&value, bytes.bytes, sizeof value);
    return value;
}

void parcel_encode(struct buf *buf, const struct parcel *parcel, uint32_t first_call, uint32_t call_count)
{
    Str facts = str_from(parcel->facts);
    char state = parcel->is_once_sent ? ROW_IS_SENT : ROW_WAITS;
    buf_put(buf, (char[]){ ROW_VERSION, state, (char)parcel->stream, (char)parcel->is_redo }, 4);
    put_u64(buf, parcel->pos);
    put_u64(buf, parcel->order);
    put_u64(buf, (uint64_t)parcel->event_ms);
    put_u64(buf, (uint64_t)parcel->received_ms);
    put_u64(buf, (uint64_t)parcel->first_tried_ms);
    put_u64(buf, (uint64_t)parcel->next_ms);
    put_u64(buf, parcel->attempts);
    put_u64(buf, parcel->turn_count);
    for (uint32_t at = 0; at < parcel->turn_count; at++) put_u64(buf, parcel->turns[at].key);
    put_u64(buf, facts.len);
    buf_str_put(buf, facts);
    put_u64(buf, parcel->is_frozen ? call_count : 0);
    if (!parcel->is_frozen) return;
    for (uint32_t at = first_call; at < first_call + call_count; at++) {
        const Call *call = &parcel->calls[at];
        buf_put(buf, (char[]){ (char)call->lane, (char)call->kind, (char)call->flags, 0 }, 4);
        put_u64(buf, call->rest_ms);
        put_u64(buf, call->body.len);
        buf_str_put(buf, call->body);
    }
}

static bool decode_calls(struct row_reader *reader, struct parcel *parcel, uint64_t count)
{
    size_t bytes = count * sizeof(Call) + (size_t)(reader->end - reader->at);
    char *bodies;
    buf_init(&parcel->frozen, bytes + 16);
    if (count > DESTINATION_CALLS || !buf_reserve(&parcel->frozen, bytes)) return false;
    parcel->calls = (Call *)(void *)parcel->frozen.bytes;
    bodies = parcel->frozen.bytes + count * sizeof(Call);
    for (uint64_t at = 0; at < count; at++) {
        Str head = take_bytes(reader, 4), body;
        uint64_t rest_ms = take_u64(reader);
        body = take_bytes(reader, take_u64(reader));
        if (reader->is_short) return false;
        parcel->calls[at] = (Call){ (uint8_t)head.bytes[0], (uint8_t)head.bytes[1], (uint8_t)head.bytes[2],
                                    (uint32_t)rest_ms, { bodies, body.len } };
        if (body.len) memcpy(bodies, body.bytes, body.len);
        bodies += body.len;
    }
    parcel->call_count = (uint32_t)count;
    parcel->is_frozen = count > 0;
    return true;
}

bool parcel_decode(Str row, struct parcel *parcel)
{
    struct row_reader reader = { row.bytes, row.bytes + row.len, false };
    Str head = take_bytes(&reader, 4), facts;
    if (reader.is_short || head.bytes[0] != ROW_VERSION || head.bytes[2] >= STREAMS) return false;
    parcel->stream = (StreamKind)head.bytes[2];
    parcel->is_redo = head.bytes[3] != 0;
    parcel->pos = take_u64(&reader);
    parcel->order = take_u64(&reader);
    parcel->is_in_doubt = head.bytes[1] == ROW_IS_SENT;
    if (head.bytes[1] == ROW_IS_DONE) return !reader.is_short;
    parcel->event_ms = (Millis)take_u64(&reader);
    parcel->received_ms = (Millis)take_u64(&reader);
    parcel->first_tried_ms = (Millis)take_u64(&reader);
    parcel->next_ms = (Millis)take_u64(&reader);
    parcel->attempts = (uint32_t)take_u64(&reader);
    parcel->turn_count = (uint32_t)take_u64(&reader);
    if (parcel->turn_count > PARCEL_KEYS) return false;
    for (uint32_t at = 0; at < parcel->turn_count; at++) parcel->turns[at].key = take_u64(&reader);
    facts = take_bytes(&reader, take_u64(&reader));
    if (reader.is_short || facts.len >= DESTINATION_FACT_BYTES) return false;
    if (facts.len) memcpy(parcel->facts, facts.bytes, facts.len);
    parcel->facts[facts.len] = 0;
    return decode_calls(&reader, parcel, take_u64(&reader)) && !reader.is_short;
}

/* ---- Parcels ---- */

void parcel_save(struct outlet *outlet, struct parcel *parcel)
{
    char bytes[ROW_KEY_BYTES];
    struct buf row;
    buf_init(&row, PENDING_BYTES);
    parcel_encode(&row, parcel, parcel->call_at, parcel->call_count - parcel->call_at);
    parcel->has_row = outlet->has_new_rows = true;
    ledger_put(outlet->deliver->ledger, row_key_number(outlet, ROW_PARCEL, parcel->order, bytes), buf_str(&row));
    buf_done(&row);
}

static bool overtaker_is_before(const struct overtaker *one, StreamKind stream, JournalPos pos)
{
    return one->pos < pos || (one->pos == pos && one->stream < stream);
}

static size_t overtaker_place(const struct outlet *outlet, StreamKind stream, JournalPos pos)
{
    size_t low = 0, high = outlet->overtaker_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (overtaker_is_before(&outlet->overtakers[middle], stream, pos)) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Whether it stands at its place. */
static bool overtaker_is_at(const struct outlet *outlet, size_t at, StreamKind stream, JournalPos pos)
{
    const struct overtaker *one = &outlet->overtakers[at];
    return at < outlet->overtaker_count && one->pos == pos && one->stream == stream;
}

bool overtakers_have(const struct outlet *outlet, StreamKind stream, JournalPos pos)
{
    return overtaker_is_at(outlet, overtaker_place(outlet, stream, pos), stream, pos);
}

void overtakers_add(struct outlet *outlet, const struct parcel *parcel, bool is_done)
{
    size_t at = overtaker_place(outlet, parcel->stream, parcel->pos);
    if (overtaker_is_at(outlet, at, parcel->stream, parcel->pos)) {
        outlet->overtakers[at].is_done = is_done;
        return;
    }
    check(vector_reserve(outlet->overtakers, outlet->overtaker_capacity, outlet->overtaker_count + 1, UINT32_MAX));
    memmove(outlet->overtakers + at + 1, outlet->overtakers + at,
            (outlet->overtaker_count - at) * sizeof *outlet->overtakers);
    outlet->overtakers[at] = (struct overtaker){ parcel->pos, parcel->order, parcel->stream, is_done };
    outlet->overtaker_count++;
}

/* Behind the kept cursor the row stays, as done: after a crash the record is read again, and passed over. */
void parcel_forget(struct outlet *outlet, struct parcel *parcel)
{
    struct ledger *ledger = outlet->deliver->ledger;
    char bytes[ROW_KEY_BYTES];
    Str key = row_key_number(outlet, ROW_PARCEL, parcel->order, bytes);
    parcel->has_row = false;
    if (parcel->is_redo || parcel->pos < outlet->streams[parcel->stream].kept) {
        ledger_remove(ledger, key);
    } else {
        char row[32];
        struct buf value;
        buf_init_fixed(&value, row, sizeof row);
        buf_put(&value, (char[]){ ROW_VERSION, ROW_IS_DONE, (char)parcel->stream, 0 }, 4);
        put_u64(&value, parcel->pos);
        put_u64(&value, parcel->order);
        ledger_put(ledger, key, buf_str(&value));
        overtakers_add(outlet, parcel, true);
    }
}

/* ---- Cursors ---- */

static void forget_overtaken(struct outlet *outlet)
{
    struct ledger *ledger = outlet->deliver->ledger;
    char bytes[ROW_KEY_BYTES];
    size_t kept = 0;
    for (size_t at = 0; at < outlet->overtaker_count; at++) {
        struct overtaker *one = &outlet->overtakers[at];
        if (one->pos >= outlet->streams[one->stream].kept) outlet->overtakers[kept++] = *one;
        else if (one->is_done) ledger_remove(ledger, row_key_number(outlet, ROW_PARCEL, one->order, bytes));
    }
    outlet->overtaker_count = kept;
}

enum { OVERTAKERS_MOST = 4096, CURSOR_MS = 1000 };

/* Down to where every record is finished or has a row. Parcels that wait behind others for long are given a
 * row, so that one person's trouble does not keep the cursor. */
static JournalPos lowest_without_row(struct outlet *outlet, struct parcel_list *list, StreamKind kind, JournalPos pos)
{
    bool must_save = outlet->overtaker_count > OVERTAKERS_MOST && !ledger_is_full(outlet->deliver->ledger);
    for (struct parcel *parcel = list->first; parcel; parcel = parcel->next) {
        if (parcel->has_row || parcel->stream != kind) continue;
        if (must_save) parcel_save(outlet, parcel);
        else if (parcel->pos < pos) pos = parcel->pos;
    }
    return pos;
}

static JournalPos stream_position(struct outlet *outlet, StreamKind kind)
{
    struct stream *stream = &outlet->streams[kind];
    JournalPos pos = stream->pos;
    for (struct parcel *parcel = stream->settling.first; parcel; parcel = parcel->next)
        if (parcel->pos < pos) pos = parcel->pos;
    pos = lowest_without_row(outlet, &outlet->ready, kind, pos);
    pos = lowest_without_row(outlet, &outlet->lined, kind, pos);
    return lowest_without_row(outlet, &outlet->waiting, kind, pos);
}

enum { LOOK_THROUGH = 256 };

/* What the cursor knows; or else a look, where there is little to look through. */
bool replay_is_kept(struct outlet *outlet)
{
    const struct stream *replay = &outlet->streams[STREAM_REPLAY];
    if (replay->kept == replay->pos) return true;
    if (outlet->ready.count + outlet->lined.count + outlet->waiting.count > LOOK_THROUGH) return false;
    return stream_position(outlet, STREAM_REPLAY) == replay->pos;
}

void replay_save(struct outlet *outlet)
{
    const struct stream *replay = &outlet->streams[STREAM_REPLAY];
    char bytes[ROW_KEY_BYTES], row[64];
    struct buf value;
    buf_init_fixed(&value, row, sizeof row);
    put_u64(&value, (uint64_t)replay->from_ms);
    put_u64(&value, (uint64_t)replay->to_ms);
    put_u64(&value, replay->kept);
    put_u64(&value, replay->end);
    ledger_put(outlet->deliver->ledger, row_key(outlet, ROW_REPLAY, (Str){ 0 }, bytes), buf_str(&value));
}

void replay_forget(struct outlet *outlet)
{
    char bytes[ROW_KEY_BYTES];
    outlet->streams[STREAM_REPLAY] = (struct stream){ .kept = UINT64_MAX };
    ledger_remove(outlet->deliver->ledger, row_key(outlet, ROW_REPLAY, (Str){ 0 }, bytes));
    forget_overtaken(outlet);
}

/* Where no parcel got a row, the cursor may lag: read again after a crash, the same is passed over. It alone is no
 * reason for a commit, nor are other destinations' to look through the lines of one that is dead. */
static bool may_wait(const struct outlet *outlet)
{
    const struct deliver *deliver = outlet->deliver;
    bool is_kept = outlet->streams[STREAM_LIVE].kept != UINT64_MAX;
    return is_kept && !outlet->has_new_rows && deliver->now_ms >= outlet->kept_ms
        && deliver->now_ms - outlet->kept_ms < CURSOR_MS;
}

void cursor_save(struct outlet *outlet)
{
    struct ledger *ledger = outlet->deliver->ledger;
    struct stream *live = &outlet->streams[STREAM_LIVE], *replay = &outlet->streams[STREAM_REPLAY];
    if (may_wait(outlet)) return;
    outlet->kept_ms = outlet->deliver->now_ms;
    outlet->has_new_rows = false;
    JournalPos live_pos = stream_position(outlet, STREAM_LIVE);
    JournalPos replay_pos = replay->is_active ? stream_position(outlet, STREAM_REPLAY) : replay->pos;
    char bytes[ROW_KEY_BYTES], row[64];
    struct buf value;
    if (live_pos != live->kept || outlet->order != outlet->kept_order) {
        live->kept = live_pos;
        outlet->kept_order = outlet->order;
        buf_init_fixed(&value, row, sizeof row);
        put_u64(&value, live_pos);
        put_u64(&value, outlet->order);
        ledger_put(ledger, row_key(outlet, ROW_CURSOR, (Str){ 0 }, bytes), buf_str(&value));
        forget_overtaken(outlet);
    }
    if (replay->is_active && replay_pos != replay->kept) {
        replay->kept = replay_pos;
        replay_save(outlet);
        forget_overtaken(outlet);
    }
}

Status cursor_load(struct outlet *outlet, Err *err)
{
    Arena scratch = region_arena(&outlet->deliver->region);
    struct ledger *ledger = outlet->deliver->ledger;
    struct stream *live = &outlet->streams[STREAM_LIVE], *replay = &outlet->streams[STREAM_REPLAY];
    char bytes[ROW_KEY_BYTES];
    struct row_reader reader;
    Str row;
    Status s = ledger_get(ledger, row_key(outlet, ROW_CURSOR, (Str){ 0 }, bytes), &scratch, &row, err);
    if (s && s != ERR_NOT_FOUND) return s;
    if (!s) {
        reader = (struct row_reader){ row.bytes, row.bytes + row.len, false };
        live->pos = live->kept = take_u64(&reader);
        outlet->order = outlet->kept_order = take_u64(&reader);
    } else {
        live->pos = outlet->begin;
        live->kept = UINT64_MAX;                /* never kept: the first step writes it down */
    }
    live->is_active = outlet->is_placed = true;
    s = ledger_get(ledger, row_key(outlet, ROW_REPLAY, (Str){ 0 }, bytes), &scratch, &row, err);
    if (s) return s == ERR_NOT_FOUND ? OK : s;
    reader = (struct row_reader){ row.bytes, row.bytes + row.len, false };
    replay->from_ms = (Millis)take_u64(&reader);
    replay->to_ms = (Millis)take_u64(&reader);
    replay->pos = replay->kept = take_u64(&reader);
    replay->end = take_u64(&reader);
    replay->is_active = true;
    return OK;
}

struct loading {
    struct outlet *outlet;
    const char *problem;
};

/* Rows come in the order in which their parcels lined up, so the lines are as they were. */
static bool load_parcel(void *context, Str key, Str row)
{
    struct loading *loading = context;
    struct outlet *outlet = loading->outlet;
    struct parcel *parcel = parcel_take(outlet);
    if (!parcel) {
        loading->problem = "more unfinished messages than the window holds";
        return false;
    }
    if (!parcel_decode(row, parcel)) {
        loading->problem = "a row that is none";
        parcel_give_back(outlet, parcel);
        return false;
    }
    if (parcel->order >= outlet->order) outlet->order = parcel->order + 1;
    if (!parcel->is_redo && parcel->pos >= outlet->streams[parcel->stream].kept)
        overtakers_add(outlet, parcel, row.bytes[1] == ROW_IS_DONE);
    if (row.bytes[1] == ROW_IS_DONE) {
        if (parcel->pos < outlet->streams[parcel->stream].kept) ledger_remove(outlet->deliver->ledger, key);
        parcel_give_back(outlet, parcel);
        return true;
    }
    parcel->has_row = true;
    parcel_settle_clock(outlet, parcel);
    order_line_up(outlet, parcel);
    parcel->state = order_is_first(parcel) ? PARCEL_READY : PARCEL_LINED;
    list_append(parcel->state == PARCEL_READY ? &outlet->ready : &outlet->lined, parcel);
    return true;
}

static bool count_row(void *context, Str key, Str row)
{
    (void)key;
    (void)row;
    ++*(size_t *)context;
    return true;
}

Status outlet_count_rows(struct outlet *outlet, size_t *ret, Err *err)
{
    const struct deliver_rows *rows = &outlet->deliver->options.rows;
    char bytes[ROW_KEY_BYTES];
    Str prefix = row_key(outlet, ROW_PARCEL, (Str){ 0 }, bytes);
    *ret = 0;
    return rows->walk(rows->context, prefix, prefix, count_row, ret, err);
}

Status outlet_load(struct outlet *outlet, Err *err)
{
    const struct deliver_rows *rows = &outlet->deliver->options.rows;
    struct loading loading = { outlet, NULL };
    char bytes[ROW_KEY_BYTES];
    Str prefix = row_key(outlet, ROW_PARCEL, (Str){ 0 }, bytes);
    Status s = cursor_load(outlet, err);
    if (!s) s = rows->walk(rows->context, prefix, prefix, load_parcel, &loading, err);
    if (!s && loading.problem) s = err_set(err, ERR_DAMAGED, "%s", loading.problem);
    return s ? err_wrap(err, s, "destination %s: reading its state", outlet->name) : OK;
}

/* ---- From outside ---- */

static bool see_row(void *context, Str key, Str row)
{
    JournalPos *furthest = context, pos = 0;
    Str rest;
    (void)str_cut(key, 0, &rest);
    struct row_reader reader = { row.bytes, row.bytes + row.len, false };
    char kind = rest.len ? rest.bytes[0] : 0;
    if (kind == ROW_CURSOR) {
        pos = take_u64(&reader);
    } else if (kind == ROW_REPLAY) {
        (void)take_bytes(&reader, 24);
        pos = take_u64(&reader);
    } else if (kind == ROW_PARCEL) {
        (void)take_bytes(&reader, 4);
        pos = take_u64(&reader);
    }
    if (!reader.is_short && pos > *furthest) *furthest = pos;
    return true;
}

Status deliver_read_reached(const struct deliver_rows *rows, JournalPos *ret, Err *err)
{
    *ret = 0;
    return rows->walk(rows->context, (Str){ 0 }, STR("\1"), see_row, ret, err);
}
