/* seeds: what the fuzzers begin with, made by what writes the formats, so that it is of today's: build/fuzz/seeds DIR
 * puts DIR/fuzz_record/…, DIR/fuzz_frame/… and so on. Inputs that people wrote, or that found something, are in
 * corpus/. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

#include "journal/journal_private.h"
#include "event/event.h"
#include "tests/fakes/fakes.h"

static const char *dir;

/* The last byte, or the first one, is what the fuzzer makes of it. */
static void put(const char *fuzzer, const char *name, Str first, Str bytes, Str last)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, fuzzer);
    (void)mkdir(dir, 0777);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/seed-%s", dir, fuzzer, name);
    FILE *file = fopen(path, "wb");
    check(file != NULL);
    check(fwrite(first.bytes ? first.bytes : "", 1, first.len, file) == first.len);
    check(fwrite(bytes.bytes ? bytes.bytes : "", 1, bytes.len, file) == bytes.len);
    check(fwrite(last.bytes ? last.bytes : "", 1, last.len, file) == last.len);
    check(fclose(file) == 0);
}

/* ---- Records ---- */

enum { RECORDS = 7 };

static void make_record(struct buf *buf, size_t number)
{
    static const CommandId ids[] = {
        { COMMAND_USER_ID, STR("12345"), INT64_MIN, INT64_MAX, false },
        { COMMAND_ANONYMOUS_ID, STR("a-1"), 1700000000000, 1700000001000, false },
    };
    Event event = {
        .type = EVENT_TRACK, .source = STR("website"), .message_id = STR("m-1"), .user_id = STR("12345"),
        .anonymous_id = STR("a-1"), .name = STR("Song Played"), .timestamp_ms = 1700000000000,
        .original_timestamp_ms = 1700000000500, .sent_at_ms = 1700000001000, .received_at_ms = 1700000002000,
        .json = STR("{\"type\":\"track\",\"event\":\"Song Played\",\"properties\":{\"song\":\"Vale\",\"n\":1.5}}"),
    };
    buf_clear(buf);
    switch (number) {
    case 0: event_encode(buf, &event); return;
    case 1:
        event.type = EVENT_ALIAS;
        event.previous_id = STR("a-1");
        event.from_import = true;
        event.original_timestamp_ms = event.sent_at_ms = INSTANT_NONE;
        event_encode(buf, &event);
        return;
    case 2:
        event.type = EVENT_GROUP;
        event.group_id = STR("g-1");
        event.category = STR("c");
        event_encode(buf, &event);
        return;
    case 3:
        rejected_encode(buf, &(Rejected){ STR("website"), STR("no_user_anon_id"), STR("userId"), STR("has no id"),
                                          1700000000000, STR("{\"type\":\"track\"}") });
        return;
    case 4:
        command_encode(buf, &(JournalCommand){ .kind = COMMAND_ERASE, .at_ms = 1, .author = STR("kim"), .ids = ids,
                                               .id_count = countof(ids) });
        return;
    case 5:
        command_encode(buf, &(JournalCommand){ .kind = COMMAND_UNMERGE, .at_ms = 1, .position = 64,
                                               .message_id = STR("m"), .user_id = STR("12345"),
                                               .anonymous_id = STR("a-1"), .timestamp_ms = 2 });
        return;
    default:
        command_encode(buf, &(JournalCommand){ .kind = COMMAND_SUPPRESS, .at_ms = 1, .ids = ids, .id_count = 1 });
    }
}

static void make_records(void)
{
    struct buf buf;
    buf_init(&buf, 1 << 20);
    for (size_t at = 0; at < RECORDS; at++) {
        char name[32];
        make_record(&buf, at);
        snprintf(name, sizeof name, "%zu", at);
        put("fuzz_record", name, (Str){ 0 }, buf_str(&buf), (Str){ 0 });
    }
    buf_done(&buf);
}

/* ---- Segments ---- */

static void hear(struct journal_append *append, Status status, JournalPos first)
{
    (void)append, (void)first;
    check(status == OK);
}

static void commit_records(struct journal *journal, size_t count)
{
    struct journal_append append;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    journal_append_init(&append, 1 << 20);
    append.on_durable = hear;
    for (size_t at = 0; at < count; at++) {
        make_record(&buf, at % RECORDS);
        journal_put_record(&append, buf_str(&buf));
    }
    check(journal_submit(journal, &append, NULL) == OK && journal_commit(journal, NULL, NULL) == OK);
    journal_append_done(&append);
    buf_done(&buf);
}

/* What the writer leaves in the first segment: as it is, and compressed. */
static void make_segments(void)
{
    static const char raw[] = "data/00000000000000000000.journal", sealed[] = "data/00000000000000000000.journal.zst";
    struct fake_disk disk;
    struct fake_clock clock;
    struct fake_dice dice;
    struct journal *journal;
    bool has_more = true;
    fake_disk_init(&disk, 1);
    fake_clock_init(&clock, 1700000000000);
    fake_dice_init(&dice, 1);
    JournalOptions options = { .dir = "data", .disk = &disk.disk, .clock = &clock.clock, .dice = &dice.dice,
                               .segment_bytes = 16 * 1024, .reserve_bytes = 1 };
    check(journal_open(&options, &journal, NULL, NULL) == OK);
    for (size_t at = 0; at < 3; at++) commit_records(journal, 1 + at * 2);
    JournalPos end = journal_end(journal);
    Str bytes = str_slice(fake_disk_peek(&disk, raw), 0, end);
    put("fuzz_frame", "whole", (Str){ 0 }, bytes, STR("\2"));
    put("fuzz_frame", "mended", (Str){ 0 }, bytes, STR("\1"));
    put("fuzz_segment", "raw", (Str){ 0 }, bytes, str_of("\0", 1));
    put("fuzz_segment", "mended", (Str){ 0 }, bytes, STR("\2"));
    put("fuzz_segment", "torn", (Str){ 0 }, str_slice(bytes, 0, bytes.len - 10), STR("\2"));
    for (size_t at = 0; at < 20; at++) commit_records(journal, RECORDS);
    while (has_more) check(journal_maintain(journal, &has_more, NULL) == OK);
    bytes = fake_disk_peek(&disk, sealed);
    check(bytes.len > 0);
    put("fuzz_segment", "sealed", (Str){ 0 }, bytes, STR("\1"));
    put("fuzz_segment", "followed", (Str){ 0 }, bytes, STR("\5"));
    journal_close(journal);
    fake_disk_done(&disk);
}

/* ---- Imports ---- */

static void make_imports(void)
{
    static const char text[] = "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"1\"}\n\n{\"no\":1}\r\nlast";
    Str lines = str_of(text, sizeof text - 1);
    unsigned char packed[1024];
    uLong len = 0;
    for (int member = 0; member < 2; member++) {
        z_stream stream = { .next_in = (Bytef *)(uintptr_t)text, .avail_in = sizeof text - 1, .next_out = packed + len,
                            .avail_out = (uInt)(sizeof packed - len) };
        check(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
        check(deflate(&stream, Z_FINISH) == Z_STREAM_END);
        len += stream.total_out;
        deflateEnd(&stream);
        if (member == 0) put("fuzz_import", "member", str_of("\0", 1), str_of(packed, len), (Str){ 0 });
    }
    put("fuzz_import", "members", str_of("\0", 1), str_of(packed, len), (Str){ 0 });
    put("fuzz_import", "cut-off", str_of("\0", 1), str_of(packed, len - 12), (Str){ 0 });
    put("fuzz_import", "plain", STR("\x20"), lines, (Str){ 0 });
    put("fuzz_import", "packed", STR("\x21"), lines, (Str){ 0 });
    put("fuzz_import", "cut", STR("\x23"), lines, (Str){ 0 });
    put("fuzz_import", "long", STR("\x15"), STR("\xff\xff\xff\xff\xff\n\x01\xff\xff\xff\xff\n\x01"), (Str){ 0 });
}

/* ---- Answers ---- */

/* A byte for the status, by its place in fuzz_answers' list; headers, an empty line, the body; 0xff. */
static void make_answers(void)
{
    static const struct { const char *name, *bytes; } rows[] = {
        { "webhook", ("\x40\x40\x12Retry-After: 7\n\n\xff"
                      "\x16Retry-After: Wed, 21 Oct 2999 07:28:00 GMT\n\n\xff\x34\n\nok\xff") },
        { "mixpanel", ("\x42\x40" "\x05\n\n{\"code\":400,\"failed_records\":[{\"index\":1,\"$insert_id\":\"m\","
                       "\"field\":\"properties.time\",\"message\":\"old\"}]}\xff"
                       "\x34\n\n{\"status\":0,\"error\":\"no\"}\xff\x0d\n\nlarge\xff") },
        { "mixpanel-original", "\x43\x41\x34\n\n0\xff\x34\n\n{\"status\":1,\"error\":null}\xff\x07\n\n\xff" },
        { "mixpanel-legacy", "\x44\x46\x34\n\n{\"code\":200}\xff" },
        { "kissmetrics", "\x45\x41\x34\n\nGIF89a\xff\x34\n\n\xff" },
        { "intercom", ("\x46\x41\x0c\n\n{\"type\":\"error.list\",\"errors\":[{\"code\":\"conflict\",\"message\":"
                       "\"A contact matching those details already exists with id=5f\"}]}\xff"
                       "\x34\n\n{\"type\":\"contact\",\"id\":\"5f\",\"external_id\":\"u\"}\xff"
                       "\x34\n\n{\"type\":\"company\",\"id\":\"6a\"}\xff") },
        { "intercom-found", ("\x46\x42\x34\n\n{\"type\":\"contact\",\"id\":\"5f/../\\\"\xc3\xa4\"}\xff"
                             "\x05\n\n{\"errors\":[{\"code\":\"parameter_invalid\",\"message\":"
                             "\"Custom attribute 'plan' does not exist\"}]}\xff") },
        { "intercom-limit", ("\x46\x40\x12X-RateLimit-Reset: 99999999999\n\n\xff"
                             "\x09\n\n{\"errors\":[{\"code\":\"not_found\"}]}\xff") },
        { "intercom-search", ("\x47\x42\x09\n\n{}\xff\x34\n\n{\"type\":\"list\",\"total_count\":1,\"data\":[{\"id\":"
                              "\"7\",\"role\":\"lead\",\"email\":\"a@b.example\"}]}\xff"
                              "\x34\n\n{\"id\":\"8\"}\xff\x34\n\n{\"id\":\"8\"}\xff") },
        { "intercom-lead", "\x47\x44\x34\n\n{\"id\":\"9\",\"role\":\"lead\"}\xff\x26\n\n\xff" },
        { "lost", "\x47\x41\xfb\xff\xfa\xff\x34\n\n[]\xff" },
    };
    for (size_t at = 0; at < countof(rows); at++)
        put("fuzz_answers", rows[at].name, (Str){ 0 }, str_from(rows[at].bytes), (Str){ 0 });
}

int main(int count, char **arguments)
{
    if (count != 2) return 2;
    dir = arguments[1];
    make_records();
    make_segments();
    make_imports();
    make_answers();
    return 0;
}
