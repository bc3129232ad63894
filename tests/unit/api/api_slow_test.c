/* api_slow: who is told to come back while derived state is behind: imports first, then batches, single events last. */
#include "api/api_slow.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/fakes/fakes.h"

/* What a request meets, as this test has it. */
static struct health health;
static struct fake_clock fake;
static ApiShares shares;
static ApiOptions options;
static DeriveLag lag;
static Source known;

const void *exchange_context(const struct exchange *exchange) { (void)exchange; return &options; }
Millis derive_noted_drain(struct applier *applier) { (void)applier; return lag.drain_ms; }
void derive_read_lag(struct applier *applier, DeriveLag *ret) { (void)applier; *ret = lag; }
void reply_error(struct exchange *exchange, Status status, const Err *err)
{
    (void)err;
    exchange->reply.status = status == ERR_RATE ? 429 : 500;
}
const Source *collector_find_source(struct collector *collector, Str write_key)
{
    (void)collector, (void)write_key;
    return &known;
}

static void begin(const char *source)
{
    memset(&health, 0, sizeof health);
    memset(&shares, 0, sizeof shares);
    fake_clock_init(&fake, 1795000000000);
    fake_clock_advance(&fake, 60000);
    known = (Source){ .name = str_from(source) };
    options = (ApiOptions){ .health = &health, .applier = (struct applier *)&health, .clock = &fake.clock,
                            .shares = &shares };
}

typedef struct Asked {
    const char *name, *path, *import_header, *encoding;
    size_t body_bytes;
    EventType implied;
    Counter counter;
} Asked;

enum { LARGE = 100000, SMALL = 2000 };
static const Asked of_import[] = {
    { "onym import", "/v1/batch", "1", "", LARGE, EVENT_NONE, COUNT_SLOWED_IMPORTS },
    { "a short last piece of it", "/v1/batch", "1001", "", SMALL, EVENT_NONE, COUNT_SLOWED_IMPORTS },
    { "an SDK's import", "/v1/import", "", "", SMALL, EVENT_NONE, COUNT_SLOWED_IMPORTS },
};
static const Asked of_batch[] = {
    { "a batch", "/v1/batch", "", "", LARGE, EVENT_NONE, COUNT_SLOWED_BATCHES },
    { "a batch that may be large, unpacked", "/v1/batch", "", "gzip", SMALL, EVENT_NONE, COUNT_SLOWED_BATCHES },
};
static const Asked of_single[] = {
    { "a track", "/v1/track", "", "", SMALL, EVENT_TRACK, COUNT_SLOWED_SINGLE },
    { "a large page", "/v1/page", "", "", LARGE, EVENT_PAGE, COUNT_SLOWED_SINGLE },
    { "a server's single event, in a batch", "/v1/batch", "", "", SMALL, EVENT_NONE, COUNT_SLOWED_SINGLE },
};

/* 429 with a time to come back at; what is behind the limits is asked at both doors. */
static bool is_refused(const Asked *asked, Millis drain_ms, bool by_header)
{
    const Route route = { .implied_type = asked->implied };
    struct exchange exchange = { .route = &route, .path = str_from(asked->path),
                                 .import_header = str_from(asked->import_header),
                                 .content_encoding = str_from(asked->encoding), .body = { .len = asked->body_bytes } };
    struct journal_append append = { 0 };
    Slow slow;
    uint64_t before = health.counts[asked->counter];
    exchange.append = &append;
    exchange.collected.source = &known;
    append.frames.len = asked->body_bytes;
    lag = (DeriveLag){ .drain_ms = drain_ms };
    bool refused = slow_begin(&exchange, by_header ? STR("wk") : STR(""), &slow) || slow_end(&exchange, &slow);
    assert_int_equal(exchange.reply.status, refused ? 429 : 0);
    assert_int_equal(health.counts[asked->counter] - before, refused);
    if (refused) assert_in_range(exchange.reply.retry_after_ms, 1, drain_ms);
    return refused;
}

static void expect(const Asked *asked, size_t count, Millis drain_ms, bool refused)
{
    for (size_t at = 0; at < count; at++)
        for (int by_header = 0; by_header < 2; by_header++)
            if (is_refused(&asked[at], drain_ms, by_header) != refused)
                fail_msg("%s at %d ms is %s", asked[at].name, (int)drain_ms, refused ? "taken" : "refused");
}

static void imports_wait_first_then_batches_and_single_events_last(void **state)
{
    static const struct { Millis drain_ms; bool import, batch, single; } waits[] = {
        { 0, false, false, false }, { 500, false, false, false }, { 501, true, false, false },
        { 1000, true, false, false }, { 1001, true, true, false }, { 1500, true, true, false },
        { 1501, true, true, true }, { 1999, true, true, true }, { 3600 * 1000, true, true, true },
    };
    (void)state;
    begin("shop");
    for (size_t at = 0; at < countof(waits); at++) {
        expect(of_import, countof(of_import), waits[at].drain_ms, waits[at].import);
        expect(of_batch, countof(of_batch), waits[at].drain_ms, waits[at].batch);
        expect(of_single, countof(of_single), waits[at].drain_ms, waits[at].single);
    }
}

/* Beside another's flood, who sends little is refused later; below two seconds all are. */
static void one_sources_flood_makes_others_wait_later(void **state)
{
    (void)state;
    begin("quiet");
    share_note(&shares, STR("flood"), 100000000, clock_monotonic_ns(&fake.clock));
    expect(of_import, countof(of_import), 1000, false);
    expect(of_import, countof(of_import), 1001, true);
    expect(of_batch, countof(of_batch), 1700, false);
    expect(of_batch, countof(of_batch), 1701, true);
    expect(of_single, countof(of_single), 1900, false);
    expect(of_single, countof(of_single), 1901, true);
    known.name = STR("flood");
    expect(of_batch, countof(of_batch), 1001, true);
}

/* What was on disk at the start may be all of the journal: collecting comes first. */
static void a_start_slows_nobody(void **state)
{
    const Route route = { .implied_type = EVENT_TRACK };
    struct exchange exchange = { .route = &route, .path = STR("/v1/track") };
    Slow slow;
    (void)state;
    begin("shop");
    lag = (DeriveLag){ .drain_ms = 3600 * 1000, .is_starting = true };
    assert_false(slow_begin(&exchange, STR("wk"), &slow));
    assert_false(slow_end(&exchange, &slow));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imports_wait_first_then_batches_and_single_events_last),
        cmocka_unit_test(one_sources_flood_makes_others_wait_later),
        cmocka_unit_test(a_start_slows_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
