/* collect_world: a collector with four sources, a clock that stands still, and what came out of a request. */
#ifndef ONYM_TESTS_COLLECT_WORLD_H
#define ONYM_TESTS_COLLECT_WORLD_H

#include "collect/collect.h"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define NOW_MS 1700000000000                     /* 2023-11-14T22:13:20.000Z */
#define NOW_TEXT "2023-11-14T22:13:20.000Z"

struct world {
    struct fake_clock time;
    struct fake_dice chance;
    struct collector *collector;
    struct collect_workspace *workspace;
    struct event_parser *parser;                 /* the test's own, for reading records */
    struct journal_append append;
    struct region region;
    CollectResult result;
    Err err;
};

static struct world world;

static int world_open(void **state)
{
    static const Str origins[] = { STR("https://www.example.com"), STR("https://example.com") };
    static const Source sources[] = {
        { .name = STR("website"), .write_key = STR("wk_web"), .is_enabled = true },
        { .name = STR("server"), .write_key = STR("wk_server"), .is_enabled = true, .is_server = true },
        { .name = STR("off"), .write_key = STR("wk_off") },
        { .name = STR("slow"), .write_key = STR("wk_slow"), .is_enabled = true, .events_per_second = 10,
          .burst_events = 20 },
        { .name = STR("shop"), .write_key = STR("wk_shop"), .is_enabled = true, .allowed_origins = origins,
          .allowed_origin_count = countof(origins) },
        { .name = STR("sp\"oilt"), .write_key = STR("wk_spoilt"), .is_enabled = true },
    };
    (void)state;
    fake_clock_init(&world.time, NOW_MS);
    fake_dice_init(&world.chance, 1);
    CollectOptions options = { .clock = &world.time.clock, .dice = &world.chance.dice };
    assert_int_equal(collector_open(&options, &world.collector, &world.err), OK);
    assert_int_equal(collector_set_sources(world.collector, sources, countof(sources), &world.err), OK);
    assert_int_equal(collect_workspace_open(world.collector, &world.workspace, &world.err), OK);
    world.parser = event_parser_open();
    assert_non_null(world.parser);
    journal_append_init(&world.append, LIMIT_APPEND_BYTES);
    region_open(&world.region, 64 << 20);
    return 0;
}

static int world_close(void **state)
{
    (void)state;
    region_close(&world.region);
    journal_append_done(&world.append);
    event_parser_close(world.parser);
    collect_workspace_close(world.workspace);
    collector_close(world.collector);
    return 0;
}

static inline Status world_send(CollectRequest request)
{
    /* a copy of its exact size, so that a read beyond its end is seen */
    char *copy = test_malloc(request.body.len + 1);
    memcpy(copy, request.body.bytes, request.body.len);
    request.body.bytes = copy;
    journal_append_clear(&world.append);
    Status s = collect_request(world.workspace, &request, &world.append, &world.result, &world.err);
    test_free(copy);
    if (s) assert_int_equal(world.append.frames.len, 0);
    if (s) assert_int_equal(world.append.record_count, 0);
    return s;
}

static inline Status world_send_body(const char *key, EventType type, const char *body)
{
    return world_send((CollectRequest){ .implied_type = type, .body = str_from(body), .header_key = str_from(key) });
}

/* The index-th record of the append; frames as segments_format.h has them. */
static inline Str world_record(uint32_t index)
{
    Str rest = buf_str(&world.append.frames);
    for (;; index--) {
        uint32_t length;
        assert_true(rest.len > 12);
        memcpy(&length, rest.bytes, sizeof length);
        if (index == 0) return str_slice(rest, 12, 12 + length);
        rest = str_slice(rest, (12 + length + 3) & ~3u, rest.len);
    }
}

static inline Event world_event(uint32_t index)
{
    Event event;
    assert_int_equal(event_decode(world_record(index), &event, &world.err), OK);
    return event;
}

static inline Rejected world_rejected(uint32_t index)
{
    Rejected rejected;
    assert_int_equal(rejected_decode(world_record(index), &rejected, &world.err), OK);
    return rejected;
}

static inline void assert_text(Str text, const char *expected)
{
    if (!str_equal(text, str_from(expected))) fail_msg("\"%.*s\" is not \"%s\"", STR_FORMAT(text), expected);
}

#endif
