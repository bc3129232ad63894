/* bench/collect: what a message costs between the socket and the journal, in ns, by stage: batches of 100
 * tracks of 540 bytes, one thread, everything in cache as it is in a busy server.
 * usage: build/release/bench/collect [rounds [runs]]   prints the best of 400 runs of 10 batches for each
 * stage: short runs, so that some are not interrupted on a busy machine.
 *        build/release/bench/collect rounds 1 alone|plan   collects so many batches and nothing else, without a plan or
 * with one of 200 events: `valgrind --tool=callgrind` counts the instructions of each (bench/plan). */
#include "collect/collect_stations.h"
#include "event/event_json.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 100 };

/* As analytics.js writes them; id, time and event name differ from message to message. */
static void put_track(struct buf *body, unsigned at)
{
    static const char *const names[] = { "Product Viewed", "Signed Up", "Order Completed", "Plan Chosen" };
    buf_printf(body,
        "{\"timestamp\":\"2026-11-23T12:28:40.%03uZ\",\"integrations\":{},\"type\":\"track\",\"userId\":\"user-%u\","
        "\"properties\":{\"plan\":\"Free\",\"price\":49.95,\"quantity\":%u,\"category\":\"tools\",\"coupon\":null},"
        "\"event\":\"%s\",\"context\":{\"page\":{\"path\":\"/product/%u\",\"referrer\":\"\",\"search\":\"\","
        "\"title\":\"Product\",\"url\":\"https://www.example.com/product/%u\"},\"library\":{\"name\":\"analytics.js\","
        "\"version\":\"npm:next-1.84.3\"},\"locale\":\"en-US\"},"
          "\"messageId\":\"ajs-next-1700000000000-dff082d2-a1af-%04x"
        "-a16e-bffd3c539e4c\",\"anonymousId\":\"82d2a1af-c786-416e-bffd-3c539e%06u\"}",
        at % 1000, 10000 + at % 500, at % 9, names[at % 4], at % 77, at % 77, at & 0xFFFF, at % 500);
}

static void make_body(struct buf *body)
{
    buf_printf(body, "{\"batch\":[");
    for (unsigned at = 0; at < BATCH; at++) {
        if (at) buf_char(body, ',');
        put_track(body, at * 7919);
    }
    buf_printf(body, "],\"sentAt\":\"2026-11-23T12:28:41.000Z\",\"writeKey\":\"wk_bench\"}");
}

/* The same with a space after every colon and comma, as Python's json.dumps writes it. */
static void make_spaced(struct buf *spaced, Str body)
{
    bool in_string = false;
    for (size_t at = 0; at < body.len; at++) {
        char c = body.bytes[at];
        buf_char(spaced, c);
        if (c == '"') in_string = !in_string;
        if (!in_string && (c == ':' || c == ',')) buf_char(spaced, ' ');
    }
}

static double best_ns[8];

#define MEASURE(stage, rounds, work)                                                        \
    for (unsigned run = 0; run < runs; run++) {                                                  \
        int64_t start_ns = clock_monotonic_ns(os_clock());                                  \
        for (unsigned round = 0; round < (rounds); round++) { work; }                       \
        double ns = (double)(clock_monotonic_ns(os_clock()) - start_ns) / (rounds) / BATCH; \
        if (run == 0 || ns < best_ns[stage]) best_ns[stage] = ns;                           \
    }

/* Every record of an append's frames: u32 length, 8 bytes, the record, up to the next multiple of 4. */
static void decode_all(Str frames)
{
    while (frames.len > 0) {
        uint32_t length;
        Event event;
        Err err;
        memcpy(&length, frames.bytes, sizeof length);
        check(!event_decode(str_slice(frames, 12, 12 + length), &event, &err));
        frames = str_slice(frames, (12 + length + 3) & ~3u, frames.len);
    }
}

/* A plan of 200 events of nine properties, four of which are sent. */
static struct tracking_plan *make_plan(Arena *arena)
{
    static const char *const names[] = { "Product Viewed", "Signed Up", "Order Completed", "Plan Chosen" };
    static const TrackingSource nobody = { .complain = NULL };
    struct tracking_plan *plan;
    const Node *root;
    struct buf text;
    Err err;
    buf_init(&text, 1 << 20);
    buf_printf(&text, "{\"version\":\"bench\",\"events\":{");
    for (unsigned at = 0; at < 200; at++) {
        if (at < 196) buf_printf(&text, "%s\"Event Number %u\":", at ? "," : "", at);
        else buf_printf(&text, ",\"%s\":", names[at - 196]);
        buf_printf(&text, "{\"properties\":{\"plan\":{\"type\":\"text\",\"required\":true},"
                          "\"price\":{\"type\":\"number\","
                   "\"min\":0},\"quantity\":{\"type\":\"integer\",\"required\":true},\"category\":\"text\",\"coupon\":"
                   "\"text\",\"other\":\"text\",\"size\":\"number\",\"list\":{\"type\":\"list\"},\"color\":\"text\"}}");
    }
    buf_printf(&text, "}}");
    check(!tracking_tree_of_json(arena_copy(arena, buf_str(&text)), arena, &root, &err));
    check(!tracking_plan_open(root, &nobody, &plan, &err));
    buf_done(&text);
    return plan;
}

/* For callgrind. */
static void collect_alone(struct collect_workspace *workspace, struct journal_append *append, Str body, unsigned rounds)
{
    CollectRequest request = { .body = body, .ip = STR("192.0.2.1") };
    CollectResult result;
    Err err;
    for (unsigned round = 0; round < rounds; round++) {
        journal_append_clear(append);
        check(!collect_request(workspace, &request, append, &result, &err) && result.accepted == BATCH);
        check(result.plan_rungs[TRACKING_REPORT] == 0);
    }
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10;
    unsigned runs = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 400;
    static const Source source = { .name = STR("bench"), .write_key = STR("wk_bench"), .is_enabled = true };
    CollectOptions options = { .clock = os_clock(), .dice = os_dice() };
    struct collector *collector;
    struct collect_workspace *workspace;
    struct journal_append append;
    struct buf body, spaced;
    Err err;
    check(!collector_open(&options, &collector, &err) && !collector_set_sources(collector, &source, 1, &err));
    check(!collect_workspace_open(collector, &workspace, &err));
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    buf_init(&body, 1 << 20);
    buf_init(&spaced, 1 << 20);
    make_body(&body);
    make_spaced(&spaced, buf_str(&body));

    if (argc > 3) {
        struct region region;
        region_open(&region, 64 << 20);
        Arena arena = region_arena(&region);
        if (!strcmp(argv[3], "plan")) collector_set_plan(collector, make_plan(&arena));
        collect_alone(workspace, &append, buf_str(&body), rounds);
        return 0;
    }
    CollectRequest request = { .body = buf_str(&body), .ip = STR("192.0.2.1") }, python = request;
    python.body = buf_str(&spaced);
    CollectResult result;
    struct event_json *json = event_json_open();
    const uint32_t *tokens;
    size_t token_count;
    Body parsed;
    MEASURE(0, rounds, check(!event_json_index(json, request.body, &tokens, &token_count)));
    MEASURE(1, rounds, Arena arena = region_arena(&workspace->region);
            check(!event_parse_body(workspace->parser, request.body, 2500, &arena, &parsed, &err)));
    MEASURE(2, rounds, journal_append_clear(&append);
            check(!collect_request(workspace, &request, &append, &result, &err) && result.accepted == BATCH));
    double record_bytes = (double)append.frames.len / BATCH;
    MEASURE(3, rounds, journal_append_clear(&append);
            check(!collect_request(workspace, &python, &append, &result, &err) && result.accepted == BATCH));
    MEASURE(4, rounds, decode_all(buf_str(&append.frames)));
    printf("message %.0f bytes, record and frame %.0f bytes, %.0f tokens\n", (double)body.len / BATCH, record_bytes,
           (double)token_count / BATCH);
    printf("ns a message: tokens %.0f, parsed %.0f, all %.0f (%.0f messages/s); with spaces %.0f; decoded %.0f\n",
           best_ns[0], best_ns[1], best_ns[2], 1e9 / best_ns[2], best_ns[3], best_ns[4]);
    event_json_close(json);
    buf_done(&body);
    buf_done(&spaced);
    journal_append_done(&append);
    collect_workspace_close(workspace);
    collector_close(collector);
    return 0;
}
