/* deliver_row: what the store keeps of a destination.
 *
 *   name 0 'c'              the cursor: kept position and the next order
 *   name 0 'p' order        a delivery that is not finished; if its record is after the cursor, also a finished one
 *   name 0 'm' key          state that a destination stores
 *   name 0 'l' anonymous    the user that the vendor was told this anonymous id belongs to
 *   name 0 'j' line line    two users were told to be one person; hashes as of their lines (key_of_id)
 *   name 0 'u' user         something was sent under that user
 *   name 0 'd' number       a dead letter
 *   name 0 'r'              the replay under way: from, to, kept position, end; for a release a 1 after them
 *   name 0 'a'              dead letters below this number are tried again
 *
 * Numbers in keys are eight bytes, the highest first, so that rows are in their order. Numbers in values are
 * eight bytes little-endian. A delivery's row:
 *
 *   version(1) state(1) stream(1) redo(1) pos order event received first-tried next attempts(low half; high: tries)
 *   turn-count turns… facts-length facts call-count { lane kind flags 0 rest length body }…
 *
 * A delivery without calls was not built yet: its record is read again from the journal. State: 1 waits, 2 is
 * done, 3 waits too, but its first call must not be repeated and may have been sent.
 */
#include "deliver_runner.h"

#include <stdlib.h>

enum { ROW_VERSION = 1, ROW_WAITS = 1, ROW_IS_DONE = 2, ROW_IS_SENT = 3 };

/* ---- Keys ---- */

Str row_key(const struct runner *runner, char kind, Str rest, char bytes[ROW_KEY_BYTES])
{
    struct buf key;
    buf_init_fixed(&key, bytes, ROW_KEY_BYTES);
    buf_str_put(&key, str_from(runner->name));
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

Str row_key_number(const struct runner *runner, char kind, uint64_t number, char bytes[ROW_KEY_BYTES])
{
    uint64_t big = __builtin_bswap64(number);
    return row_key(runner, kind, str_of(&big, sizeof big), bytes);
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

void delivery_encode(struct buf *buf, const struct delivery *delivery, uint32_t first_call, uint32_t call_count)
{
    Str facts = str_from(delivery->facts);
    char state = delivery->is_once_sent ? ROW_IS_SENT : ROW_WAITS;
    buf_put(buf, (char[]){ ROW_VERSION, state, (char)delivery->stream, (char)delivery->is_redo }, 4);
    put_u64(buf, delivery->pos);
    put_u64(buf, delivery->order);
    put_u64(buf, (uint64_t)delivery->event_ms);
    put_u64(buf, (uint64_t)delivery->received_ms);
    put_u64(buf, (uint64_t)delivery->first_tried_ms);
    put_u64(buf, (uint64_t)delivery->next_ms);
    put_u64(buf, delivery->attempts | (uint64_t)delivery->tries << 32);
    put_u64(buf, delivery->turn_count);
    for (uint32_t at = 0; at < delivery->turn_count; at++) put_u64(buf, delivery->turns[at].key);
    put_u64(buf, facts.len);
    buf_str_put(buf, facts);
    put_u64(buf, delivery->is_frozen ? call_count : 0);
    if (!delivery->is_frozen) return;
    for (uint32_t at = first_call; at < first_call + call_count; at++) {
        const Call *call = &delivery->calls[at];
        buf_put(buf, (char[]){ (char)call->lane, (char)call->kind, (char)call->flags, 0 }, 4);
        put_u64(buf, call->rest_ms);
        put_u64(buf, call->body.len);
        buf_str_put(buf, call->body);
    }
}

static bool decode_calls(struct row_reader *reader, struct delivery *delivery, uint64_t count)
{
    size_t bytes = count * sizeof(Call) + (size_t)(reader->end - reader->at);
    char *bodies;
    buf_init(&delivery->frozen, bytes + 16);
    delivery->calls = NULL, delivery->call_count = 0, delivery->is_frozen = false;
    if (!count) return true;
    if (count > DESTINATION_CALLS || !buf_reserve(&delivery->frozen, bytes)) return false;
    delivery->calls = (Call *)(void *)delivery->frozen.bytes;
    bodies = delivery->frozen.bytes + count * sizeof(Call);
    for (uint64_t at = 0; at < count; at++) {
        Str head = take_bytes(reader, 4), body;
        uint64_t rest_ms = take_u64(reader);
        body = take_bytes(reader, take_u64(reader));
        if (reader->is_short) return false;
        delivery->calls[at] = (Call){ (uint8_t)head.bytes[0], (uint8_t)head.bytes[1], (uint8_t)head.bytes[2],
                                    (uint32_t)rest_ms, { bodies, body.len } };
        if (body.len) memcpy(bodies, body.bytes, body.len);
        bodies += body.len;
    }
    delivery->call_count = (uint32_t)count;
    delivery->is_frozen = true;
    return true;
}

bool delivery_glimpse(Str row, DeliveryGlimpse *ret)
{
    struct row_reader reader = { row.bytes, row.bytes + row.len, false };
    Str head = take_bytes(&reader, 4);
    if (reader.is_short || head.bytes[0] != ROW_VERSION) return false;
    *ret = (DeliveryGlimpse){ .pos = take_u64(&reader), .is_done = head.bytes[1] == ROW_IS_DONE };
    return !reader.is_short;
}

bool delivery_decode(Str row, struct delivery *delivery)
{
    struct row_reader reader = { row.bytes, row.bytes + row.len, false };
    Str head = take_bytes(&reader, 4), facts;
    if (reader.is_short || head.bytes[0] != ROW_VERSION || head.bytes[2] >= STREAMS) return false;
    delivery->stream = (StreamKind)head.bytes[2];
    delivery->is_redo = head.bytes[3] != 0;
    delivery->pos = take_u64(&reader);
    delivery->order = take_u64(&reader);
    delivery->is_in_doubt = head.bytes[1] == ROW_IS_SENT;
    if (head.bytes[1] == ROW_IS_DONE) return !reader.is_short;
    delivery->event_ms = (Millis)take_u64(&reader);
    delivery->received_ms = (Millis)take_u64(&reader);
    delivery->first_tried_ms = (Millis)take_u64(&reader);
    delivery->next_ms = (Millis)take_u64(&reader);
    uint64_t attempts = take_u64(&reader);
    delivery->attempts = (uint32_t)attempts;
    delivery->tries = (uint32_t)(attempts >> 32);
    delivery->turn_count = (uint32_t)take_u64(&reader);
    if (delivery->turn_count > DELIVERY_KEYS) return false;
    for (uint32_t at = 0; at < delivery->turn_count; at++) delivery->turns[at].key = take_u64(&reader);
    facts = take_bytes(&reader, take_u64(&reader));
    if (reader.is_short || facts.len >= DESTINATION_FACT_BYTES) return false;
    if (facts.len) memcpy(delivery->facts, facts.bytes, facts.len);
    delivery->facts[facts.len] = 0;
    return decode_calls(&reader, delivery, take_u64(&reader)) && !reader.is_short;
}

/* ---- Deliveries ---- */

void delivery_save(struct runner *runner, struct delivery *delivery)
{
    char bytes[ROW_KEY_BYTES];
    struct buf row;
    buf_init(&row, PENDING_BYTES);
    delivery_encode(&row, delivery, delivery->call_at, delivery->call_count - delivery->call_at);
    delivery->has_row = runner->has_new_rows = true;
    pending_put(runner->deliver->pending, row_key_number(runner, ROW_DELIVERY, delivery->order, bytes), buf_str(&row));
    buf_done(&row);
}

static bool overtaker_is_before(const struct overtaker *one, StreamKind stream, JournalPos pos)
{
    return one->pos < pos || (one->pos == pos && one->stream < stream);
}

static size_t overtaker_place(const struct runner *runner, StreamKind stream, JournalPos pos)
{
    size_t low = 0, high = runner->overtaker_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (overtaker_is_before(&runner->overtakers[middle], stream, pos)) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Is the overtaker at this place the one of that stream and position? */
static bool overtaker_is_at(const struct runner *runner, size_t at, StreamKind stream, JournalPos pos)
{
    const struct overtaker *one = &runner->overtakers[at];
    return at < runner->overtaker_count && one->pos == pos && one->stream == stream;
}

bool overtakers_have(const struct runner *runner, StreamKind stream, JournalPos pos)
{
    return overtaker_is_at(runner, overtaker_place(runner, stream, pos), stream, pos);
}

void overtakers_add(struct runner *runner, const struct delivery *delivery, bool is_done)
{
    size_t at = overtaker_place(runner, delivery->stream, delivery->pos);
    if (overtaker_is_at(runner, at, delivery->stream, delivery->pos)) {
        runner->overtakers[at].is_done = is_done;
        return;
    }
    check(vector_reserve(runner->overtakers, runner->overtaker_capacity, runner->overtaker_count + 1, UINT32_MAX));
    memmove(runner->overtakers + at + 1, runner->overtakers + at,
            (runner->overtaker_count - at) * sizeof *runner->overtakers);
    runner->overtakers[at] = (struct overtaker){ delivery->pos, delivery->order, delivery->stream, is_done };
    runner->overtaker_count++;
}

/* If the record is after the kept cursor, its row stays, marked as done: a crash makes us read the record again, and
 * the row says to pass over it. */
void delivery_forget(struct runner *runner, struct delivery *delivery)
{
    struct pending *pending = runner->deliver->pending;
    char bytes[ROW_KEY_BYTES];
    Str key = row_key_number(runner, ROW_DELIVERY, delivery->order, bytes);
    delivery->has_row = false;
    if (delivery->is_redo || delivery->pos < runner->streams[delivery->stream].kept) {
        pending_remove(pending, key);
    } else {
        char row[32];
        struct buf value;
        buf_init_fixed(&value, row, sizeof row);
        buf_put(&value, (char[]){ ROW_VERSION, ROW_IS_DONE, (char)delivery->stream, 0 }, 4);
        put_u64(&value, delivery->pos);
        put_u64(&value, delivery->order);
        pending_put(pending, key, buf_str(&value));
        overtakers_add(runner, delivery, true);
    }
}

/* ---- Cursors ---- */

static void forget_overtaken(struct runner *runner)
{
    struct pending *pending = runner->deliver->pending;
    char bytes[ROW_KEY_BYTES];
    size_t kept = 0;
    for (size_t at = 0; at < runner->overtaker_count; at++) {
        struct overtaker *one = &runner->overtakers[at];
        if (one->pos >= runner->streams[one->stream].kept) runner->overtakers[kept++] = *one;
        else if (one->is_done) pending_remove(pending, row_key_number(runner, ROW_DELIVERY, one->order, bytes));
    }
    runner->overtaker_count = kept;
}

enum { OVERTAKERS_MOST = 4096, CURSOR_MS = 1000 };

/* The position before which every record is finished or has a row. A delivery that waits for others for a long time
 * gets a row, so that one person's trouble does not hold the cursor back. */
static JournalPos lowest_without_row(struct runner *runner, struct delivery_list *list, StreamKind kind, JournalPos pos)
{
    bool must_save = runner->overtaker_count > OVERTAKERS_MOST && !pending_is_full(runner->deliver->pending);
    for (struct delivery *delivery = list->first; delivery; delivery = delivery->next) {
        if (delivery->has_row || delivery->stream != kind) continue;
        if (must_save) delivery_save(runner, delivery);
        else if (delivery->pos < pos) pos = delivery->pos;
    }
    return pos;
}

static JournalPos stream_position(struct runner *runner, StreamKind kind)
{
    struct stream *stream = &runner->streams[kind];
    JournalPos pos = stream->pos;
    for (struct delivery *delivery = stream->settling.first; delivery; delivery = delivery->next)
        if (delivery->pos < pos) pos = delivery->pos;
    pos = lowest_without_row(runner, &runner->ready, kind, pos);
    pos = lowest_without_row(runner, &runner->lined, kind, pos);
    return lowest_without_row(runner, &runner->waiting, kind, pos);
}

enum { LOOK_THROUGH = 256 };

/* Is all that the replay has read finished or in a row? The cursor may say so already. If it does not, this looks
 * through the deliveries in memory, if they are few. */
bool replay_is_kept(struct runner *runner)
{
    const struct stream *replay = &runner->streams[STREAM_REPLAY];
    if (replay->kept == replay->pos) return true;
    if (runner->ready.count + runner->lined.count + runner->waiting.count > LOOK_THROUGH) return false;
    return stream_position(runner, STREAM_REPLAY) == replay->pos;
}

void replay_save(struct runner *runner)
{
    const struct stream *replay = &runner->streams[STREAM_REPLAY];
    char bytes[ROW_KEY_BYTES], row[64];
    struct buf value;
    buf_init_fixed(&value, row, sizeof row);
    put_u64(&value, (uint64_t)replay->from_ms);
    put_u64(&value, (uint64_t)replay->to_ms);
    put_u64(&value, replay->kept);
    put_u64(&value, replay->end);
    if (replay->is_release) put_u64(&value, 1);
    pending_put(runner->deliver->pending, row_key(runner, ROW_REPLAY, (Str){ 0 }, bytes), buf_str(&value));
}

void replay_forget(struct runner *runner)
{
    char bytes[ROW_KEY_BYTES];
    runner->streams[STREAM_REPLAY] = (struct stream){ .kept = UINT64_MAX };
    pending_remove(runner->deliver->pending, row_key(runner, ROW_REPLAY, (Str){ 0 }, bytes));
    forget_overtaken(runner);
}

/* If no delivery got a row, the cursor in the store may be old: records that a crash makes us read again are passed
 * over again. So the cursor alone is no reason for a commit; and if other destinations commit, that is no reason to
 * look through the lines of one that does not get on. */
static bool may_wait(const struct runner *runner)
{
    const struct deliver *deliver = runner->deliver;
    bool is_kept = runner->streams[STREAM_LIVE].kept != UINT64_MAX;
    return is_kept && !runner->has_new_rows && deliver->now_ms >= runner->kept_ms
        && deliver->now_ms - runner->kept_ms < CURSOR_MS;
}

void cursor_save(struct runner *runner)
{
    struct pending *pending = runner->deliver->pending;
    struct stream *live = &runner->streams[STREAM_LIVE], *replay = &runner->streams[STREAM_REPLAY];
    if (may_wait(runner)) return;
    runner->kept_ms = runner->deliver->now_ms;
    runner->has_new_rows = false;
    JournalPos live_pos = stream_position(runner, STREAM_LIVE);
    /* The journal may remove what is after the last record (the head of a segment, a mark): then no message is lost. */
    if (live_pos == live->pos && live->read_until > live_pos) live_pos = live->read_until;
    JournalPos replay_pos = replay->is_active ? stream_position(runner, STREAM_REPLAY) : replay->pos;
    char bytes[ROW_KEY_BYTES], row[64];
    struct buf value;
    if (live_pos != live->kept || runner->order != runner->kept_order) {
        live->kept = live_pos;
        runner->kept_order = runner->order;
        buf_init_fixed(&value, row, sizeof row);
        put_u64(&value, live_pos);
        put_u64(&value, runner->order);
        pending_put(pending, row_key(runner, ROW_CURSOR, (Str){ 0 }, bytes), buf_str(&value));
        forget_overtaken(runner);
    }
    if (replay->is_active && replay_pos != replay->kept) {
        replay->kept = replay_pos;
        replay_save(runner);
        forget_overtaken(runner);
    }
}

Status cursor_load(struct runner *runner, Err *err)
{
    Arena scratch = region_arena(&runner->deliver->region);
    struct pending *pending = runner->deliver->pending;
    struct stream *live = &runner->streams[STREAM_LIVE], *replay = &runner->streams[STREAM_REPLAY];
    char bytes[ROW_KEY_BYTES];
    struct row_reader reader;
    Str row;
    Status s = pending_get(pending, row_key(runner, ROW_CURSOR, (Str){ 0 }, bytes), &scratch, &row, err);
    if (s && s != ERR_NOT_FOUND) return s;
    if (!s) {
        reader = (struct row_reader){ row.bytes, row.bytes + row.len, false };
        live->pos = live->kept = take_u64(&reader);
        runner->order = runner->kept_order = take_u64(&reader);
    } else {
        live->pos = runner->begin;
        live->kept = UINT64_MAX;                /* never kept: the first step writes it */
    }
    live->is_active = runner->is_placed = true;
    s = pending_get(pending, row_key(runner, ROW_REPLAY, (Str){ 0 }, bytes), &scratch, &row, err);
    if (s) return s == ERR_NOT_FOUND ? OK : s;
    reader = (struct row_reader){ row.bytes, row.bytes + row.len, false };
    replay->from_ms = (Millis)take_u64(&reader);
    replay->to_ms = (Millis)take_u64(&reader);
    replay->pos = replay->kept = take_u64(&reader);
    replay->end = take_u64(&reader);
    replay->is_release = reader.at < reader.end && take_u64(&reader) == 1;
    replay->is_active = true;
    return OK;
}

struct loading {
    struct runner *runner;
    const char *problem;
};

/* Rows come in the order in which their deliveries lined up, so the lines are as they were. */
static bool load_delivery(void *context, Str key, Str row)
{
    struct loading *loading = context;
    struct runner *runner = loading->runner;
    struct delivery *delivery = delivery_take(runner);
    if (!delivery) {
        loading->problem = "more unfinished messages than the window holds";
        return false;
    }
    if (!delivery_decode(row, delivery)) {
        loading->problem = "a row that is none";
        delivery_give_back(runner, delivery);
        return false;
    }
    if (delivery->order >= runner->order) runner->order = delivery->order + 1;
    if (!delivery->is_redo && delivery->pos >= runner->streams[delivery->stream].kept)
        overtakers_add(runner, delivery, row.bytes[1] == ROW_IS_DONE);
    if (row.bytes[1] == ROW_IS_DONE) {
        if (delivery->pos < runner->streams[delivery->stream].kept) pending_remove(runner->deliver->pending, key);
        delivery_give_back(runner, delivery);
        return true;
    }
    delivery->has_row = true;
    delivery_settle_clock(runner, delivery);
    order_line_up(runner, delivery);
    delivery->stage = order_is_first(delivery) ? DELIVERY_READY : DELIVERY_LINED;
    list_append(delivery->stage == DELIVERY_READY ? &runner->ready : &runner->lined, delivery);
    return true;
}

static bool count_row(void *context, Str key, Str row)
{
    (void)key;
    (void)row;
    ++*(size_t *)context;
    return true;
}

Status runner_count_rows(struct runner *runner, size_t *ret, Err *err)
{
    const struct outbox_rows *rows = &runner->deliver->options.rows;
    char bytes[ROW_KEY_BYTES];
    Str prefix = row_key(runner, ROW_DELIVERY, (Str){ 0 }, bytes);
    *ret = 0;
    return rows->walk(rows->context, prefix, prefix, count_row, ret, err);
}

Status runner_load(struct runner *runner, Err *err)
{
    const struct outbox_rows *rows = &runner->deliver->options.rows;
    struct loading loading = { runner, NULL };
    char bytes[ROW_KEY_BYTES];
    Str prefix = row_key(runner, ROW_DELIVERY, (Str){ 0 }, bytes);
    Status s = cursor_load(runner, err);
    if (!s) s = rows->walk(rows->context, prefix, prefix, load_delivery, &loading, err);
    if (!s && loading.problem) s = err_set(err, ERR_DAMAGED, "%s", loading.problem);
    return s ? err_wrap(err, s, "destination %s: reading its state", runner->name) : OK;
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
    } else if (kind == ROW_DELIVERY) {
        (void)take_bytes(&reader, 4);
        pos = take_u64(&reader);
    }
    if (!reader.is_short && pos > *furthest) *furthest = pos;
    return true;
}

Status deliver_read_reached(const struct outbox_rows *rows, JournalPos *ret, Err *err)
{
    *ret = 0;
    return rows->walk(rows->context, (Str){ 0 }, STR("\1"), see_row, ret, err);
}
