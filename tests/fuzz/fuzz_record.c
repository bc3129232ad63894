/* fuzz_record: any bytes as a record. What can be decoded is the same after encoding and decoding it again,
 * and all that it gives lies within the bytes. */
#include "event/event.h"

#include <stdlib.h>

static void check_within(Str part, Str whole)
{
    check(part.len == 0 || (part.bytes >= whole.bytes && part.bytes + part.len <= whole.bytes + whole.len));
}

static void check_event(Str record)
{
    Event event, again;
    struct buf buf;
    Err err;
    if (event_decode(record, &event, &err)) return;
    const Str parts[] = { event.json, event.message_id, event.user_id, event.anonymous_id, event.previous_id,
                          event.group_id, event.name, event.category, event.source };
    for (size_t at = 0; at < countof(parts); at++) check_within(parts[at], record);
    buf_init(&buf, 4 << 20);
    event_encode(&buf, &event);
    check(buf_ok(&buf) && event_decode(buf_str(&buf), &again, &err) == OK);
    const Str same[] = { again.json, again.message_id, again.user_id, again.anonymous_id, again.previous_id,
                         again.group_id, again.name, again.category, again.source };
    for (size_t at = 0; at < countof(parts); at++) check(str_equal(parts[at], same[at]));
    check(event.type == again.type && event.from_import == again.from_import);
    check(event.timestamp_ms == again.timestamp_ms && event.received_at_ms == again.received_at_ms);
    check(event.sent_at_ms == again.sent_at_ms && event.original_timestamp_ms == again.original_timestamp_ms);
    buf_done(&buf);
}

static void check_rejected(Str record)
{
    Rejected rejected;
    Err err;
    if (rejected_decode(record, &rejected, &err)) return;
    check_within(rejected.source, record);
    check_within(rejected.reason, record);
    check_within(rejected.field, record);
    check_within(rejected.text, record);
    check_within(rejected.json, record);
}

static void check_command(Str record)
{
    static char room[1 << 22];
    JournalCommand command, again;
    struct buf buf;
    Err err;
    Arena arena = { room, room + sizeof room };
    if (command_decode(record, &arena, &command, &err)) return;
    const Str parts[] = { command.author, command.message_id, command.user_id, command.anonymous_id,
                          command.previous_id };
    for (size_t at = 0; at < countof(parts); at++) check_within(parts[at], record);
    for (size_t at = 0; at < command.id_count; at++) check_within(command.ids[at].value, record);
    buf_init(&buf, 4 << 20);
    command_encode(&buf, &command);
    check(buf_ok(&buf) && command_decode(buf_str(&buf), &arena, &again, &err) == OK);
    check(again.kind == command.kind && again.id_count == command.id_count && again.at_ms == command.at_ms);
    for (size_t at = 0; at < command.id_count; at++)
        check(again.ids[at].kind == command.ids[at].kind && str_equal(again.ids[at].value, command.ids[at].value));
    check(str_equal(again.message_id, command.message_id) && again.position == command.position);
    buf_done(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char *exact = malloc(count + 1);
    memcpy(exact, bytes, count);
    Str record = { exact, count };
    (void)record_kind(record);
    check_event(record);
    check_rejected(record);
    check_command(record);
    free(exact);
    return 0;
}
