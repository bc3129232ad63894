/* event_record: the payload of a journal frame. Integers are little-endian.
 *
 * Every record
 *   0   1  high nibble EVENT_RECORD_VERSION, low nibble RecordKind
 *
 * RECORD_EVENT
 *   1   1  low nibble EventType; bit 7: from an import; bit 6: the JSON's last member is our planCheck
 *   2   2  length of the extras
 *   4  48  twelve parts, in this order: messageId, anonymousId, userId, previousId, groupId, timestamp,
 *          originalTimestamp, sentAt, receivedAt, name, category, source. Each: u16 gap, u16 length. The part
 *          is in the JSON, gap bytes after the end of the one before it (the first: after the JSON's
 *          start). Length 0: there is none. Gap 0xFFFF: it is not in the JSON in this form, but next among
 *          the extras.
 *  52      the JSON, up to the extras
 *          the extras, one after the other, up to the record's end
 *   The four times are instants as text, of a shape that instant_read reads; among the extras they are
 *   8 bytes of milliseconds.
 *
 * Why so: canonical JSON has its fields in one order, so gaps hardly ever change from record to record where
 * offsets do; and what is in the JSON need not be written twice. A head with binary times and offsets cost
 * 13 of 72 bytes an event in sealed segments, this one 3 (measured on tracks of 544 bytes).
 *
 * RECORD_REJECTED
 *   1   1  bit 7: from an import (records of older versions of Onym have zero here)
 *   2   2  length of source     4   2  of reason      6   2  of field      8   2  of text
 *  10   2  zero                12   4  of json       16   8  received_at_ms
 *  24      the five, one after the other, up to the record's end
 */
#include "event_record.h"

/* Versions of Onym from before tracking plans ignore the second bit: to them the member is just an unknown one. */
enum { IS_IMPORT = 0x80, HAS_PLAN_CHECK = 0x40 };
enum { GAP_EXTRA = 0xFFFF, PARTS_AT = 4, REJECTED_HEAD_BYTES = 24 };

static_assert(RECORD_HEAD_BYTES == PARTS_AT + 4 * PART_COUNT, "the layout above");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "integers are written as they are in memory");

static void put_u16(char *at, size_t value)
{
    check(value <= UINT16_MAX);
    uint16_t small = (uint16_t)value;
    memcpy(at, &small, sizeof small);
}
static void put_u32(char *at, size_t value)
{
    check(value <= UINT32_MAX);
    uint32_t small = (uint32_t)value;
    memcpy(at, &small, sizeof small);
}
static void put_i64(char *at, int64_t value) { memcpy(at, &value, sizeof value); }
static size_t get_u16(const char *at) { uint16_t value; memcpy(&value, at, sizeof value); return value; }
static size_t get_u32(const char *at) { uint32_t value; memcpy(&value, at, sizeof value); return value; }
static int64_t get_i64(const char *at) { int64_t value; memcpy(&value, at, sizeof value); return value; }

static char first_byte(RecordKind kind) { return (char)(EVENT_RECORD_VERSION << 4 | kind); }

RecordKind record_kind(Str record)
{
    unsigned kind = record.len ? (unsigned char)record.bytes[0] & 15 : 0;
    return kind <= RECORD_ERASED ? (RecordKind)kind : (RecordKind)0;
}

/* ---- Events ---- */

void record_finish(struct buf *buf, size_t start, const Event *event, const RecordTimes *times)
{
    if (!buf_ok(buf)) return;
    char instants[4][8];
    Str parts[PART_COUNT] = {
        event->message_id, event->anonymous_id, event->user_id, event->previous_id, event->group_id,
        times->timestamp, times->original_timestamp, times->sent_at, times->received_at,
        event->name, event->category, event->source,
    };
    const Millis instants_ms[4] = { event->timestamp_ms, event->original_timestamp_ms, event->sent_at_ms,
                                    event->received_at_ms };
    for (size_t at = 0; at < 4; at++) {
        if (parts[PART_TIMES + at].len > 0 || instants_ms[at] == INSTANT_NONE) continue;
        put_i64(instants[at], instants_ms[at]);
        parts[PART_TIMES + at] = (Str){ instants[at], sizeof instants[at] };
    }
    char head[RECORD_HEAD_BYTES] = { first_byte(RECORD_EVENT) };
    head[1] = (char)((int)event->type | (event->from_import ? IS_IMPORT : 0) |
                     (event->plan_check.len ? HAS_PLAN_CHECK : 0));
    Str extras[PART_COUNT];
    size_t extra_count = 0, extra_bytes = 0, behind = 0;
    for (size_t at = 0; at < PART_COUNT; at++) {
        Str part = parts[at];
        char *place = head + PARTS_AT + 4 * at;
        if (part.len == 0) continue;
        size_t offset = (uintptr_t)part.bytes - (uintptr_t)event->json.bytes;    /* huge if it is not in the JSON */
        bool is_inside = offset < event->json.len && part.len <= event->json.len - offset;
        if (is_inside && offset >= behind && offset - behind < GAP_EXTRA) {
            put_u16(place, offset - behind);
            behind = offset + part.len;
        } else {
            put_u16(place, GAP_EXTRA);
            extras[extra_count++] = part;
            extra_bytes += part.len;
        }
        put_u16(place + 2, part.len);
    }
    put_u16(head + 2, extra_bytes);
    memcpy(buf->bytes + start, head, sizeof head);
    for (size_t at = 0; at < extra_count; at++) buf_str_put(buf, extras[at]);
}

void event_encode(struct buf *buf, const Event *event)
{
    static const char blank[RECORD_HEAD_BYTES];
    static const RecordTimes elsewhere;
    size_t start = buf->len;
    check(event->type > EVENT_NONE && event->type < EVENT_TYPE_COUNT);
    check(event->json.len >= 2 && event->json.bytes[0] == '{' && event->json.bytes[event->json.len - 1] == '}');
    buf_put(buf, blank, sizeof blank);
    buf_str_put(buf, event->json);
    record_finish(buf, start, event, &elsewhere);
}

static Status damaged(Err *err, const char *what) { return err_set(err, ERR_DAMAGED, "record: %s", what); }

static Status decode_first(Str record, RecordKind kind, size_t head_bytes, Err *err)
{
    if (record_kind(record) != kind) return damaged(err, "not of the kind that was asked for");
    if ((unsigned char)record.bytes[0] >> 4 != EVENT_RECORD_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "record: version %d; this program reads version %d",
                       (unsigned char)record.bytes[0] >> 4, EVENT_RECORD_VERSION);
    return record.len < head_bytes ? damaged(err, "shorter than its head") : OK;
}

static bool decode_instant(Str part, bool is_text, Millis *ret_ms)
{
    *ret_ms = INSTANT_NONE;
    if (part.len == 0) return true;
    if (is_text) return instant_read(part, ret_ms) == INSTANT_READ;
    if (part.len != sizeof(int64_t)) return false;
    *ret_ms = get_i64(part.bytes);
    return *ret_ms >= -62135596800000 && *ret_ms <= 253402300799999;      /* the years 1 to 9999 */
}

/* The value of the JSON's last member, which is planCheck. No text inside of it has such a quote without a
 * backslash. */
static bool find_plan_check(Str json, Str *ret)
{
    static const Str name = STR(",\"planCheck\":{");
    for (size_t at = json.len - name.len; json.len > name.len && at > 0; at--) {
        if (memcmp(json.bytes + at, name.bytes, name.len)) continue;
        *ret = str_slice(json, at + name.len - 1, json.len - 1);
        return true;
    }
    return false;
}

Status event_decode(Str record, Event *ret, Err *err)
{
    Status s = decode_first(record, RECORD_EVENT, RECORD_HEAD_BYTES, err);
    if (s) return s;
    const char *head = record.bytes;
    unsigned type = (unsigned char)head[1] & 15;
    if (type >= EVENT_TYPE_COUNT)
        return err_set(err, ERR_UNSUPPORTED, "record: a message of type %u, which this Onym does not know", type);
    if (type == EVENT_NONE) return damaged(err, "no type");
    size_t extras = get_u16(head + 2);
    if (extras > record.len - RECORD_HEAD_BYTES) return damaged(err, "extras longer than the record");
    Str json = { head + RECORD_HEAD_BYTES, record.len - RECORD_HEAD_BYTES - extras };
    if (json.len < 2 || json.bytes[0] != '{' || json.bytes[json.len - 1] != '}') return damaged(err, "no JSON in it");

    Str parts[PART_COUNT];
    Millis times_ms[4];
    size_t behind = 0, extra_at = RECORD_HEAD_BYTES + json.len;
    for (size_t at = 0; at < PART_COUNT; at++) {
        size_t gap = get_u16(head + PARTS_AT + 4 * at), len = get_u16(head + PARTS_AT + 4 * at + 2);
        parts[at] = (Str){ 0 };
        if (len == 0) continue;
        if (gap == GAP_EXTRA) {
            if (len > record.len - extra_at) return damaged(err, "a part beyond the record's end");
            parts[at] = (Str){ head + extra_at, len };
            extra_at += len;
        } else {
            behind += gap;
            if (behind > json.len || len > json.len - behind) return damaged(err, "a part beyond the JSON's end");
            parts[at] = (Str){ json.bytes + behind, len };
            behind += len;
        }
        bool is_time = at >= PART_TIMES && at < PART_TIMES + 4;
        if (is_time && !decode_instant(parts[at], gap != GAP_EXTRA, &times_ms[at - PART_TIMES]))
            return damaged(err, "no instant where one should be");
    }
    if (extra_at != record.len) return damaged(err, "extras of another length");
    Str plan_check = { 0 };
    if ((unsigned char)head[1] & HAS_PLAN_CHECK && !find_plan_check(json, &plan_check))
        return damaged(err, "no planCheck where one should be");
    for (size_t at = 0; at < 4; at++)
        if (parts[PART_TIMES + at].len == 0) times_ms[at] = INSTANT_NONE;
    *ret = (Event){
        .type = (EventType)type, .from_import = ((unsigned char)head[1] & IS_IMPORT) != 0,
        .message_id = parts[0], .anonymous_id = parts[1], .user_id = parts[2], .previous_id = parts[3],
        .group_id = parts[4], .timestamp_ms = times_ms[0], .original_timestamp_ms = times_ms[1],
        .sent_at_ms = times_ms[2], .received_at_ms = times_ms[3], .name = parts[9], .category = parts[10],
        .source = parts[11], .json = json, .plan_check = plan_check,
    };
    return OK;
}

/* ---- Rejected messages ---- */

/* s, cut to at most max bytes, not within a UTF-8 sequence. */
static Str cut(Str s, size_t max)
{
    if (s.len <= max) return s;
    s.len = max;
    while (s.len && ((unsigned char)s.bytes[s.len] & 0xC0) == 0x80) s.len--;
    return s;
}

void rejected_encode(struct buf *buf, const Rejected *rejected)
{
    const Str parts[] = {
        cut(rejected->source, 512), cut(rejected->reason, 64), cut(rejected->field, 64), cut(rejected->text, 1024),
        cut(rejected->json, rejected->is_whole ? LIMIT_MESSAGE_BYTES : LIMIT_REJECTED_BYTES),
    };
    char head[REJECTED_HEAD_BYTES] = { first_byte(RECORD_REJECTED), (char)(rejected->from_import ? IS_IMPORT : 0) };
    for (size_t at = 0; at < 4; at++) put_u16(head + 2 + 2 * at, parts[at].len);
    put_u32(head + 12, parts[4].len);
    put_i64(head + 16, rejected->received_at_ms);
    buf_put(buf, head, sizeof head);
    for (size_t at = 0; at < countof(parts); at++) buf_str_put(buf, parts[at]);
}

Status rejected_decode(Str record, Rejected *ret, Err *err)
{
    Status s = decode_first(record, RECORD_REJECTED, REJECTED_HEAD_BYTES, err);
    if (s) return s;
    const char *head = record.bytes;
    Str parts[5];
    size_t at = REJECTED_HEAD_BYTES;
    for (size_t part = 0; part < countof(parts); part++) {
        size_t len = part < 4 ? get_u16(head + 2 + 2 * part) : get_u32(head + 12);
        if (len > record.len - at) return damaged(err, "lengths beyond its end");
        parts[part] = (Str){ head + at, len };
        at += len;
    }
    if (at != record.len) return damaged(err, "bytes after its end");
    *ret = (Rejected){ .source = parts[0], .reason = parts[1], .field = parts[2], .text = parts[3], .json = parts[4],
                       .received_at_ms = get_i64(head + 16), .from_import = head[1] & IS_IMPORT };
    return OK;
}
