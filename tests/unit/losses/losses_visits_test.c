/* What is counted of numbered calls, and what anybody with a public key can say without harm. */
#include "losses/losses_visits.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct losses *losses;
static char *texts, *scratch_bytes;

static void begin(void)
{
    losses = calloc(1, sizeof *losses);
    losses->visits = calloc(LOSSES_VISITS_MAX, sizeof *losses->visits);
    check(slots_reserve(&losses->slots, LOSSES_VISITS_MAX));
    texts = malloc(LOSSES_TEXT_BYTES);
    scratch_bytes = malloc(1 << 20);
    losses->arena = (Arena){ texts, texts + LOSSES_TEXT_BYTES };
    losses->group_count = 1;
    losses->from_ms = 100 * HOUR_MS;
}

static void end(void)
{
    free(losses->visits);
    slots_done(&losses->slots);
    free(losses);
    free(texts);
    free(scratch_bytes);
}

static void note(const char *onym, Millis at_ms)
{
    char json[8192];
    snprintf(json, sizeof json, "{\"context\":{\"page\":{\"path\":\"/a\"},\"library\":{\"version\":\"1\"},"
             "\"userAgent\":\"Mozilla/5.0 Chrome/120.0 Safari/5\",\"onym\":%s}}", onym);
    LossesMessage message = { str_from(json), STR("web"), at_ms, false };
    losses_note(losses, &message, (Arena){ scratch_bytes, scratch_bytes + (1 << 20) });
}

typedef struct Row {
    const char *name, *notes[6];
    uint64_t visits, calls, missing;
} Row;

static const Row rows[] = {
    { "all came", { "{\"visit\":\"a\",\"n\":1}", "{\"visit\":\"a\",\"n\":2}" }, 1, 2, 0 },
    { "out of order, and twice", { "{\"visit\":\"a\",\"n\":2}", "{\"visit\":\"a\",\"n\":1}",
      "{\"visit\":\"a\",\"n\":2}" }, 1, 2, 0 },
    { "one is missing", { "{\"visit\":\"a\",\"n\":1}", "{\"visit\":\"a\",\"n\":3}" }, 1, 3, 1 },
    { "the first is missing", { "{\"visit\":\"a\",\"n\":2}" }, 1, 2, 1 },
    { "two visits", { "{\"visit\":\"a\",\"n\":1}", "{\"visit\":\"b\",\"n\":2}" }, 2, 3, 1 },
    { "the last are missing", { "{\"visit\":\"a\",\"n\":1}",
      "{\"visit\":\"b\",\"n\":1,\"left\":[[\"a\",3,\"/x\",5]]}" }, 2, 4, 2 },
    { "a whole visit is missing", { "{\"visit\":\"b\",\"n\":1,\"left\":[[\"a\",3,\"/x\",5]]}" }, 2, 4, 3 },
    { "left says less than came", { "{\"visit\":\"a\",\"n\":2}", "{\"visit\":\"a\",\"n\":1}",
      "{\"left\":[[\"a\",1,\"/x\",5]]}" }, 1, 2, 0 },
    { "left before the range", { "{\"left\":[[\"a\",3,\"/x\",999999999999]]}" }, 0, 0, 0 },
    { "no numbers", { "{\"visit\":\"a\",\"n\":0}", "{\"visit\":\"a\",\"n\":-1}", "{\"visit\":\"a\",\"n\":1.5}",
                      "{\"visit\":\"a\",\"n\":257}", "{\"visit\":\"a\",\"n\":1e99}",
      "{\"visit\":\"a\",\"n\":\"1\"}" }, 0, 0, 0 },
    { "no names", { "{\"visit\":\"\",\"n\":1}", "{\"visit\":5,\"n\":1}", "{\"visit\":null,\"n\":1}", "{\"n\":1}",
                    "{\"visit\":[\"a\"],\"n\":1}", "{\"visit\":\"a\"}" }, 0, 0, 0 },
    { "no objects", { "null", "5", "[]", "\"x\"", "{}", "{\"health\":[\"storage_full\"]}" }, 0, 0, 0 },
    { "odd lists", { "{\"left\":5}", "{\"left\":[5,null,[],[\"a\"],[\"a\",1,\"/\"]]}", "{\"left\":[[1,1,1,1]]}",
                     "{\"left\":[[\"a\",1,\"/\",-5],[\"a\",1,\"/\",1e300],[\"a\",\"1\",\"/\",1]]}" }, 0, 0, 0 },
    { "a path that is none", { "{\"left\":[[\"a\",1,null,1]]}" }, 1, 1, 1 },
    { "more left than counts", { "{\"left\":[[\"1\",1,\"\",1],[\"2\",1,\"\",1],[\"3\",1,\"\",1],[\"4\",1,\"\",1],"
                                 "[\"5\",1,\"\",1],[\"6\",1,\"\",1],[\"7\",1,\"\",1],[\"8\",1,\"\",1],[\"9\",1,\"\",1],"
                                 "[\"10\",1,\"\",1],[\"11\",1,\"\",1]]}" }, 10, 10, 10 },
};

static void gaps_are_counted_by_visit(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        uint64_t visits = 0, calls = 0, missing = 0;
        begin();
        for (size_t n = 0; n < countof(rows[at].notes) && rows[at].notes[n]; n++)
            note(rows[at].notes[n], 101 * HOUR_MS);
        losses_sum_up(losses, 200 * HOUR_MS);
        for (uint32_t group = 0; group < losses->group_count; group++) {
            visits += losses->groups[group].of.visits;
            calls += losses->groups[group].of.calls;
            missing += losses->groups[group].of.missing;
        }
        if (visits != rows[at].visits || calls != rows[at].calls || missing != rows[at].missing)
            fail_msg("%s: %d visits, %d calls, %d missing", rows[at].name, (int)visits, (int)calls, (int)missing);
        end();
    }
}

static void a_visit_that_may_go_on_or_began_before_is_not_counted(void **state)
{
    (void)state;
    begin();
    note("{\"visit\":\"early\",\"n\":5}", 99 * HOUR_MS);
    note("{\"visit\":\"early\",\"n\":9}", 101 * HOUR_MS);
    note("{\"visit\":\"late\",\"n\":5}", 150 * HOUR_MS);
    losses_sum_up(losses, 149 * HOUR_MS);
    assert_int_equal(losses->open, 1);
    for (uint32_t group = 0; group < losses->group_count; group++) assert_int_equal(losses->groups[group].of.visits, 0);
    end();
}

/* What was imported later fills a gap; a part of another Onym's history is none of its own. */
static void an_import_fills_gaps_and_makes_none(void **state)
{
    static const char *const messages[] = { "{\"context\":{\"onym\":{\"visit\":\"a\",\"n\":3}}}",
        "{\"context\":{\"onym\":{\"visit\":\"b\",\"n\":2}}}", "{\"context\":{\"onym\":{\"visit\":\"b\",\"n\":1}}}" };
    (void)state;
    begin();
    Arena scratch = { scratch_bytes, scratch_bytes + (1 << 20) };
    for (int at = 0; at < 3; at++)
        losses_note(losses, &(LossesMessage){ str_from(messages[at]), STR("web"), 101 * HOUR_MS, at != 1 }, scratch);
    losses_sum_up(losses, 200 * HOUR_MS);
    assert_int_equal(losses->groups[1].of.visits, 1);
    assert_int_equal(losses->groups[1].of.missing, 0);
    end();
}

static void sources_are_apart_and_groups_have_a_ceiling(void **state)
{
    char json[256];
    (void)state;
    begin();
    Arena scratch = { scratch_bytes, scratch_bytes + (1 << 20) };
    Str text = STR("{\"context\":{\"onym\":{\"visit\":\"a\",\"n\":1}}}");
    losses_note(losses, &(LossesMessage){ text, STR("web"), 101 * HOUR_MS, false }, scratch);
    losses_note(losses, &(LossesMessage){ text, STR("app"), 101 * HOUR_MS, false }, scratch);
    assert_int_equal(losses->visit_count, 2);
    assert_int_equal(losses->group_count, 3);
    for (int at = 0; at < LOSSES_GROUPS_MAX + 10; at++) {
        snprintf(json, sizeof json,
             "{\"context\":{\"page\":{\"path\":\"/%d\"},\"onym\":{\"visit\":\"v%d\",\"n\":2}}}", at, at);
        losses_note(losses, &(LossesMessage){ str_from(json), STR("web"), 101 * HOUR_MS, false }, scratch);
    }
    losses_sum_up(losses, 200 * HOUR_MS);
    assert_int_equal(losses->group_count, LOSSES_GROUPS_MAX);
    assert_int_equal(losses->groups[LOSSES_OTHER_GROUP].of.visits, 13);
    assert_int_equal(losses->groups[LOSSES_OTHER_GROUP].of.missing, 13);
    end();
}

static void browsers_are_told_by_family_and_number(void **state)
{
    static const struct { const char *agent, *name; } agents[] = {
        { "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Chrome 120" },
        { "Mozilla/5.0 Chrome/120.0 Safari/537.36 Edg/121.0", "Edge 121" },
      { "Gecko/2010 Firefox/115.0", "Firefox 115" },
        { "AppleWebKit/605 Version/17.1 Mobile Safari/604", "Safari 17" }, { "", "other" }, { "curl/8", "other" },
        { "Chrome/", "Chrome" }, { "Chrome/99999999999999999999999", "Chrome 9999" },
    };
    (void)state;
    for (size_t at = 0; at < countof(agents); at++) {
        char room[LOSSES_BROWSER_BYTES];
        write_browser(str_from(agents[at].agent), room);
        assert_string_equal(room, agents[at].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_counted_by_visit),
        cmocka_unit_test(a_visit_that_may_go_on_or_began_before_is_not_counted),
        cmocka_unit_test(an_import_fills_gaps_and_makes_none),
        cmocka_unit_test(sources_are_apart_and_groups_have_a_ceiling),
        cmocka_unit_test(browsers_are_told_by_family_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
