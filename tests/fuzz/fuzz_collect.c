/* fuzz_collect: any bytes as a request. First byte: what kind of request; the rest: its body or query. Every
 * record that comes out can be read, their number is what the result says, and nothing is left in the append
 * of a request that was refused. */
#include "collect/collect.h"
#include "tests/fakes/fakes.h"

#include <stdlib.h>

static struct collector *collector;
static struct collect_workspace *workspace;
static struct journal_append append;
static struct fake_clock time_now;
static struct fake_dice chance;
static struct region region;

static void open_all(void)
{
    static const Source sources[] = {
        { .name = STR("web"), .write_key = STR("k"), .is_enabled = true },
        { .name = STR("server"), .write_key = STR("s"), .is_enabled = true, .is_server = true },
        { .name = STR("off"), .write_key = STR("o") },
    };
    Err err;
    fake_clock_init(&time_now, 1700000000000);
    fake_dice_init(&chance, 1);
    CollectOptions options = { .clock = &time_now.clock, .dice = &chance.dice };
    check(!collector_open(&options, &collector, &err) && !collect_workspace_open(collector, &workspace, &err));
    check(!collector_set_sources(collector, sources, countof(sources), &err));
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    region_open(&region, 16 << 20);
}

static void check_records(const CollectResult *result)
{
    uint32_t accepted = 0, rejected = 0;
    Err err;
    for (Str rest = buf_str(&append.frames); rest.len > 0;) {
        uint32_t length;
        memcpy(&length, rest.bytes, sizeof length);
        Str record = str_slice(rest, 12, 12 + length);
        check(record.len == length && length <= LIMIT_RECORD_BYTES);
        Event event;
        Rejected bad;
        if (record_kind(record) == RECORD_EVENT) {
            check(event_decode(record, &event, &err) == OK);
            check(event.message_id.len > 0 && event.message_id.len <= LIMIT_MESSAGE_ID_BYTES && event.source.len);
            check(event.user_id.len || event.anonymous_id.len || event.group_id.len);
            check(event.timestamp_ms >= 0 && event.timestamp_ms <= event.received_at_ms + 86400000);
            accepted++;
        } else {
            check(rejected_decode(record, &bad, &err) == OK && bad.reason.len && bad.text.len);
            rejected++;
        }
        rest = str_slice(rest, (12 + length + 3) & ~3u, rest.len);
    }
    check(accepted == result->accepted && rejected <= result->rejected);
    check(accepted + rejected == append.record_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static const char *const keys[] = { "k", "s", "", "o", "nobody", "k", "", "s" };
    if (!workspace) open_all();
    if (count < 1) return 0;
    char *exact = malloc(count);
    memcpy(exact, bytes + 1, count - 1);
    Str body = { exact, count - 1 }, callback;
    Arena arena = region_arena(&region);
    CollectResult result;
    Err err;
    if (bytes[0] & 0x80 && collect_decode_query(body, &arena, &body, &callback, &err)) body.len = 0;
    CollectRequest request = {
        .implied_type = (EventType)(bytes[0] % EVENT_TYPE_COUNT), .is_import = (bytes[0] & 0x40) != 0,
        .is_gzip = (bytes[0] & 0x20) != 0, .header_key = str_from(keys[bytes[0] >> 2 & 7]), .body = body,
        .ip = STR("192.0.2.1"), .user_agent = bytes[0] & 1 ? body : (Str){ 0 },
    };
    journal_append_clear(&append);
    Status s = collect_request(workspace, &request, &append, &result, &err);
    if (s) check(append.frames.len == 0 && append.record_count == 0 && err.text[0]);
    else check_records(&result);
    (void)collect_key_of_authorization(body, &arena);
    free(exact);
    return 0;
}
