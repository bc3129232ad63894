/* event_command: what an operator did, as a record. Integers are little-endian.
 *
 *   0   1  high nibble EVENT_RECORD_VERSION, low nibble RECORD_COMMAND
 *   1   1  CommandKind
 *   2   2  number of ids
 *   4   8  at_ms
 *  12   8  position              of the message that is meant; zero: none is
 *  20   8  timestamp_ms          its event time
 *  28   1  bit 0: it is an alias     bit 1: has_source
 *  29   1  zero
 *  30   2  length of author     32   2  of message_id     34   2  of user_id     36   2  of anonymous_id
 *  38   2  of previous_id       40      the five, one after the other
 *          has_source: 2 bytes, the length of the source's name, and the name
 *          the ids, one after the other, up to the record's end, each
 *            0   1  CommandIdKind       1   1  bit 0: keeps_aliases       2   2  length of the value
 *            4   8  from_ms            12   8  to_ms      20      the value
 */
#include "event_record.h"

enum { COMMAND_HEAD_BYTES = 40, COMMAND_ID_BYTES = 20 };

static void put_u16(char *at, size_t value)
{
    check(value <= UINT16_MAX);
    memcpy(at, &(uint16_t){ (uint16_t)value }, 2);
}

static size_t get_u16(const char *at) { uint16_t value; memcpy(&value, at, sizeof value); return value; }
static int64_t get_i64(const char *at) { int64_t value; memcpy(&value, at, sizeof value); return value; }

void command_encode(struct buf *buf, const JournalCommand *command)
{
    const Str parts[] = { command->author, command->message_id, command->user_id, command->anonymous_id,
                          command->previous_id };
    char head[COMMAND_HEAD_BYTES] = { (char)(EVENT_RECORD_VERSION << 4 | RECORD_COMMAND), (char)command->kind };
    put_u16(head + 2, command->id_count);
    memcpy(head + 4, &command->at_ms, 8);
    memcpy(head + 12, &command->position, 8);
    memcpy(head + 20, &command->timestamp_ms, 8);
    head[28] = (char)(command->is_alias | command->has_source << 1);
    for (size_t at = 0; at < countof(parts); at++) put_u16(head + 30 + 2 * at, parts[at].len);
    buf_put(buf, head, sizeof head);
    for (size_t at = 0; at < countof(parts); at++) buf_str_put(buf, parts[at]);
    if (command->has_source) {
        char len[2];
        put_u16(len, command->source.len);
        buf_put(buf, len, sizeof len);
        buf_str_put(buf, command->source);
    }
    for (size_t at = 0; at < command->id_count; at++) {
        const CommandId *id = &command->ids[at];
        char id_head[COMMAND_ID_BYTES] = { (char)id->kind, id->keeps_aliases };
        put_u16(id_head + 2, id->value.len);
        memcpy(id_head + 4, &id->from_ms, 8);
        memcpy(id_head + 12, &id->to_ms, 8);
        buf_put(buf, id_head, sizeof id_head);
        buf_str_put(buf, id->value);
    }
}

size_t command_id_bytes(const CommandId *id) { return COMMAND_ID_BYTES + id->value.len; }

static Status damaged(Err *err, const char *what) { return err_set(err, ERR_DAMAGED, "a command's record: %s", what); }

static Status decode_ids(Str rest, Arena *arena, JournalCommand *ret, size_t count, Err *err)
{
    if (count > rest.len / COMMAND_ID_BYTES) return damaged(err, "more ids than it has room for");
    CommandId *ids = arena_try(arena, sizeof *ids, _Alignof(CommandId), count + 1);
    if (!ids) return err_set(err, ERR_TOO_LARGE, "a command of %zu ids", count);
    for (size_t at = 0; at < count; at++) {
        if (rest.len < COMMAND_ID_BYTES) return damaged(err, "an id beyond its end");
        unsigned kind = (unsigned char)rest.bytes[0];
        size_t len = get_u16(rest.bytes + 2);
        if (len > rest.len - COMMAND_ID_BYTES) return damaged(err, "an id beyond its end");
        if (kind < COMMAND_USER_ID || kind > COMMAND_EXTERNAL_ID) return damaged(err, "an id of no known kind");
        ids[at] = (CommandId){ (CommandIdKind)kind, { rest.bytes + COMMAND_ID_BYTES, len }, get_i64(rest.bytes + 4),
                               get_i64(rest.bytes + 12), rest.bytes[1] & 1 };
        rest = str_slice(rest, COMMAND_ID_BYTES + len, rest.len);
    }
    if (rest.len) return damaged(err, "bytes after its end");
    ret->ids = ids;
    ret->id_count = count;
    return OK;
}

Status command_decode(Str record, Arena *arena, JournalCommand *ret, Err *err)
{
    Str parts[5];
    size_t at = COMMAND_HEAD_BYTES;
    if (record_kind(record) != RECORD_COMMAND || record.len < COMMAND_HEAD_BYTES) return damaged(err, "it is none");
    if ((unsigned char)record.bytes[0] >> 4 != EVENT_RECORD_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "a command of version %u; this Onym reads version %d",
                       (unsigned char)record.bytes[0] >> 4, EVENT_RECORD_VERSION);
    unsigned kind = (unsigned char)record.bytes[1];
    if (kind == 0 || kind >= COMMAND_KIND_COUNT)
        return err_set(err, ERR_UNSUPPORTED, "a command of kind %u, which this Onym does not know", kind);
    for (size_t part = 0; part < countof(parts); part++) {
        size_t len = get_u16(record.bytes + 30 + 2 * part);
        if (len > record.len - at) return damaged(err, "lengths beyond its end");
        parts[part] = (Str){ record.bytes + at, len };
        at += len;
    }
    JournalCommand command = {
        .kind = (CommandKind)kind, .at_ms = get_i64(record.bytes + 4),
        .position = (uint64_t)get_i64(record.bytes + 12), .timestamp_ms = get_i64(record.bytes + 20),
        .is_alias = record.bytes[28] & 1, .has_source = record.bytes[28] & 2,
        .author = parts[0], .message_id = parts[1], .user_id = parts[2], .anonymous_id = parts[3],
        .previous_id = parts[4],
    };
    if (command.has_source) {
        size_t left = record.len - at, len = left < 2 ? 0 : get_u16(record.bytes + at);
        if (left < 2 || len > left - 2) return damaged(err, "lengths beyond its end");
        command.source = (Str){ record.bytes + at + 2, len };
        at += 2 + len;
    }
    Status s = decode_ids(str_slice(record, at, record.len), arena, &command, get_u16(record.bytes + 2), err);
    if (!s) *ret = command;
    return s;
}

/* ---- What an erasure takes ---- */

/* is_previous: the value is the id that an alias speaks of, which has no time. */
static bool is_named(const JournalCommand *command, CommandIdKind kind, Str value, Millis time_ms, bool is_previous)
{
    for (size_t at = 0; value.len && at < command->id_count; at++) {
        const CommandId *id = &command->ids[at];
        if (id->kind != kind || !str_equal(id->value, value)) continue;
        if (is_previous ? command_id_is_whole(id) && !id->keeps_aliases
                        : time_ms >= id->from_ms && time_ms < id->to_ms) return true;
    }
    return false;
}

bool command_names_event(const JournalCommand *command, const Event *event)
{
    Str previous = event->type == EVENT_ALIAS && event->user_id.len ? event->previous_id : (Str){ 0 };
    if (is_named(command, COMMAND_USER_ID, event->user_id, event->timestamp_ms, false)) return true;
    if (is_named(command, COMMAND_USER_ID, previous, event->timestamp_ms, true)) return true;
    if (is_named(command, COMMAND_ANONYMOUS_ID, previous, event->timestamp_ms, true)) return true;
    return event->user_id.len == 0 && is_named(command, COMMAND_ANONYMOUS_ID, event->anonymous_id,
                                               event->timestamp_ms, false);
}

Status record_check(Str record, Arena scratch, Err *err)
{
    JournalCommand command;
    Rejected rejected;
    Event event;
    switch (record_kind(record)) {
    case RECORD_EVENT: return event_decode(record, &event, err);
    case RECORD_REJECTED: return rejected_decode(record, &rejected, err);
    case RECORD_COMMAND: return command_decode(record, &scratch, &command, err);
    case RECORD_ERASED: return OK;
    default: return err_set(err, ERR_UNSUPPORTED, "no kind of record that this Onym knows");
    }
}
