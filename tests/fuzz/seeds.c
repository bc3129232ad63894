/* seeds: what the fuzzers begin with, made by what writes the formats, so that it is of today's: build/fuzz/seeds DIR
 * puts DIR/fuzz_record/…, DIR/fuzz_frame/… and so on. Inputs that people wrote, or that found something, are in
 * corpus/. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "segments/segments_private.h"
#include "event/event.h"
#include "identity/identity.h"
#include "profile/profile.h"
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
        rejected_encode(buf, &(Rejected){ .source = STR("website"), .reason = STR("no_user_anon_id"),
                                          .field = STR("userId"), .text = STR("has no id"),
                                          .received_at_ms = 1700000000000, .json = STR("{\"type\":\"track\"}") });
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
    SegmentsOptions options = { .dir = "data", .disk = &disk.disk, .clock = &clock.clock, .dice = &dice.dice,
                               .segment_bytes = 16 * 1024, .reserve_bytes = 1 };
    check(segments_open(&options, &journal, NULL, NULL) == OK);
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

/* ---- A store ---- */

static void put_rows(struct kv *kv, size_t tables)
{
    struct buf rows;
    struct kv_txn *txn;
    Str key, value;
    buf_init(&rows, 1 << 20);
    check(kv_begin_read(kv, &txn, NULL) == OK);
    for (size_t table = 0; table < tables; table++) {
        struct kv_cursor *cursor;
        check(kv_cursor_open(txn, table, &cursor, NULL) == OK);
        Status s = kv_find(cursor, STR(""), &key, &value, NULL);
        for (; !s; s = kv_next(cursor, &key, &value, NULL)) {
            const unsigned char head[4] = { (unsigned char)table, (unsigned char)key.len, value.len & 0xff,
                                            (unsigned char)(value.len >> 8) };
            buf_put(&rows, head, sizeof head);
            buf_str_put(&rows, key);
            buf_str_put(&rows, value);
        }
        kv_cursor_close(cursor);
    }
    kv_end_read(txn);
    put("fuzz_state", "rows", str_of("\0", 1), buf_str(&rows), (Str){ 0 });
    buf_done(&rows);
}

static void make_state(void)
{
    static const char *const tables[] = { "state", "evidence", "traits", "groups", "members", "names" };
    static const IdentityExternal email = { .name = STR("email"), .limit = 2 };
    static const char *const users[] = { "u1", "u2", "u3", "x" };
    char store[] = "/tmp/onym-seeds-XXXXXX", path[64];
    struct kv *kv;
    struct kv_txn *txn;
    struct identity *identity;
    check(mkdtemp(store) != NULL);
    check(kv_open(&(KvOptions){ .dir = store, .tables = tables, .table_count = countof(tables) }, &kv, NULL) == OK);
    IdentityOptions options = { .rules = { .externals = &email, .external_count = 1 }, .store = { kv, 0, 1 } };
    struct profile *profile = profile_open(&(ProfileOptions){ kv, 2, 3, 4, 5 });
    check(identity_open(&options, &identity, NULL) == OK);
    for (uint64_t at = 0; at < 16; at++) {
        IdentityValue value = { IDENTITY_EXTERNAL, at % 2 ? STR("a@x.y") : STR("b@x.y") };
        IdentityMessage message = {
            .message_id = STR("m"), .time_ms = (Millis)at, .position = at, .is_alias = at % 5 == 0,
            .user_id = str_from(users[at % 4]), .anonymous_id = at % 3 ? STR("a1") : STR("a2"),
            .previous_id = STR("x"), .externals = &value, .external_count = at % 4 == 1,
        };
        ProfileWrite write = { (Millis)at, STR("m"), at, 0 };
        ProfileTrait traits[] = { { STR("email"), STR("\"a@x.y\"") }, { STR("plan"), STR("1") } };
        IdentityNode node;
        check(identity_apply(identity, &message, &node, NULL) == OK);
        ProfileWriter writer = { .subject = node, .member = { at, at } };
        check(profile_set_traits(profile, &writer, &write, traits, countof(traits), NULL) == OK);
        check(profile_join_group(profile, &writer, &write, STR("g"), NULL) == OK);
        check(profile_set_group_traits(profile, STR("g"), &write, traits, countof(traits), NULL) == OK);
    }
    check(kv_begin_write(kv, &txn, NULL) == OK);
    check(identity_save(identity, txn, 16, NULL) == OK && profile_save(profile, txn, NULL) == OK);
    check(kv_commit(txn, NULL) == OK);
    identity_end_save(identity, 16, true);
    profile_end_save(profile, true);
    put_rows(kv, countof(tables));
    profile_close(profile);
    identity_close(identity);
    kv_close(kv);
    struct region region;
    Str file;
    region_open(&region, 16 << 20);
    Arena arena = region_arena(&region);
    snprintf(path, sizeof path, "%s/data.mdb", store);
    check(disk_read_file(os_disk(), path, 4 << 20, &arena, &file, NULL) == OK);
    put("fuzz_state", "file", STR("\x80"), file, (Str){ 0 });
    region_close(&region);
    check(kv_destroy(store, NULL) == OK);
    check(rmdir(store) == 0);
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

/* One of each kind, with all that it may have; the first byte is the kind. */
static void make_questions(void)
{
    static const struct { const char *name, *bytes; } rows[] = {
        { "funnel", ("0{\"steps\":[\"A\",{\"event\":\"B\",\"window\":\"1h\"},{\"type\":\"page\"}],\"window\":\"7d\","
                     "\"order\":\"strict\",\"range\":\"entries\",\"to\":\"2026-02-01\",\"by\":\"userId\","
                     "\"attribution\":\"any\"}") },
        { "funnel-any", ("0{\"steps\":[\"A\",\"B\",\"C\"],\"order\":\"any\",\"by\":\"properties.tags\","
                         "\"where\":[{\"field\":\"userId\",\"op\":\"!=\",\"value\":\"u3\"}]}") },
        { "funnel-excluded", ("0{\"steps\":[\"A\",{\"event\":\"B\",\"window\":\"20ms\"},\"C\"],"
                              "\"exclusions\":[{\"event\":\"D\",\"from\":1,\"to\":3}],"
                              "\"by\":\"traits.plan\",\"timezone\":\"Europe/Berlin\"}") },
        { "people", ("1{\"steps\":[\"A\",\"B\"],\"step\":1,\"outcome\":\"dropped\",\"by\":\"properties.n\",\"group\":"
                     "9007199254740993,\"limit\":5,\"cursor\":\"1767225600000.3\",\"events\":false}") },
        { "trends", ("2{\"series\":[\"*\",{\"event\":\"A\",\"measure\":\"p90\",\"property\":\"properties.price\"},"
                     "{\"event\":\"B\",\"measure\":\"people\"}],\"unit\":\"week\",\"week_start\":\"sunday\","
                     "\"by\":\"event\",\"limit\":3}") },
        { "funnel-accounts", ("0{\"steps\":[\"A\",{\"event\":\"group\",\"window\":\"2h\"},\"*\"],\"of\":\"groups\","
                              "\"order\":\"strict\",\"range\":\"all\",\"from\":\"2026-01-01\",\"to\":\"2026-03-01\","
                              "\"by\":\"groupId\",\"where\":[{\"field\":\"traits.plan\",\"op\":\"exists\"}]}") },
        { "people-accounts", ("1{\"steps\":[\"A\",\"*\"],\"of\":\"groups\",\"order\":\"any\",\"step\":2,"
                              "\"by\":\"traits.plan\",\"group\":null,\"events\":true}") },
        { "trends-accounts", ("2{\"series\":[{\"event\":\"*\",\"measure\":\"people\"},{\"event\":\"A\",\"measure\":"
                              "\"avg\",\"property\":\"properties.n\"}],\"of\":\"groups\",\"unit\":\"week\","
                              "\"week_start\":\"friday\",\"timezone\":\"Pacific/Apia\",\"by\":\"traits.plan\"}") },
        { "retention-accounts", ("3{\"birth\":\"group\",\"of\":\"groups\",\"unit\":\"week\",\"week_start\":\"sunday\","
                                 "\"first\":\"ever\",\"from\":\"2026-01-02\",\"by\":\"type\"}") },
        { "trends-filters", ("2{\"series\":[{\"event\":\"page=/\",\"where\":[{\"field\":\"properties.tags\",\"op\":"
                             "\"contains\",\"value\":[\"a\",1,true]},"
                             "{\"field\":\"name\",\"op\":\"in\",\"value\":[\"A\"]},"
                             "{\"field\":\"properties.n\",\"op\":\">\",\"value\":9007199254740992}]}],\"from\":0}") },
        { "retention", ("3{\"birth\":\"A\",\"return\":\"*\",\"unit\":\"quarter\",\"periods\":8,\"mode\":\"unbounded\","
                        "\"first\":\"ever\",\"by\":\"groupId\"}") },
        { "paths", ("4{\"event\":\"A\",\"direction\":\"before\",\"depth\":3,\"within\":\"1d\",\"limit\":2,"
                    "\"events\":[\"page:*\",\"(not indexed)\",\"identify\"],\"collapse\":true}") },
        { "signups", "5{\"event\":\"A\",\"unit\":\"hour\",\"from\":\"2026-01-01\",\"to\":\"2026-02-01\",\"limit\":2}" },
        { "events", "6{\"field\":\"properties.plan\",\"search\":\"p\",\"limit\":3}" },
    };
    for (size_t at = 0; at < countof(rows); at++)
        put("fuzz_question", rows[at].name, (Str){ 0 }, str_from(rows[at].bytes), (Str){ 0 });
}

/* ---- Requests ---- */

static void make_requests(void)
{
#define HEAD "POST /v1/batch?writeKey=k HTTP/1.1\r\nHost: events.example.com:8080\r\nAuthorization: Basic azo=\r\n"
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n",
        HEAD "Content-Length: 12\r\n\r\n{\"batch\":[]}" HEAD "Connection: close\r\nContent-Length: 0\r\n\r\n",
        HEAD "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        "5;a=b\r\n{\"bat\r\n7\r\nch\":[]}\r\n0\r\nT: x\r\n\r\n",
        "GET http://[::1]:8080/v1/pixel/track?data=e30%3D HTTP/1.1\r\nhost: [::1]:8080\r\nX: a\tb \r\n\r\n\r\n",
    };
#undef HEAD
    static const char cookie[] =
        "events.shop.example.com\0https://shop.example.com\0https://shop.example.com/a\0x=1; ajs_anonymous_id=a%201\0"
        "{\"writeKey\":\"s\",\"anonymousId\":\"a 1\",\"userId\":\"k\xc3\xa4;=\",\"domain\":\"shop.example.com\"}";
    for (size_t at = 0; at < countof(requests); at++) {
        char name[16];
        snprintf(name, sizeof name, "%zu", at);
        put("fuzz_server", name, STR("\3"), str_from(requests[at]), (Str){ 0 });
    }
    put("fuzz_cookie", "domain", (Str){ 0 }, str_of(cookie, sizeof cookie - 1), (Str){ 0 });
}

int main(int count, char **arguments)
{
    if (count != 2) return 2;
    dir = arguments[1];
    make_records();
    make_segments();
    make_imports();
    make_state();
    make_answers();
    make_questions();
    make_requests();
    return 0;
}
