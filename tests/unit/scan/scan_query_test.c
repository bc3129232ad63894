/* scan_query: what a question may say, and how each thing that it may not say is told, with its place. */
#include "scan/scan_query.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct region region;
static QueryPeople people;
static QueryWorld world;

static bool find_trait(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret)
{
    (void)context, (void)person, (void)name, (void)arena, (void)ret;
    return false;
}

static int setup(void **state)
{
    (void)state;
    region_open(&region, 64 << 20);
    world = (QueryWorld){ .disk = os_disk(), .people = &people, .find_trait = find_trait, .now_ms = 1767225600000 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    region_close(&region);
    return 0;
}

static const char *const usual[] = { "event", "where", "from", "to", "timezone", "of", "limit", "unit", "week_start",
                                     "by", "mode", "window", NULL };
static Err err;

/* The query and what it borrows last until the next one. */
static Status open_text(const char *text, Query *ret, Arena *arena)
{
    *arena = region_arena(&region);
    memset(arena->at, 0xa5, 64 << 10);
    err = (Err){ 0 };
    return query_open(ret, str_from(text), &world, arena, usual, &err);
}

/* ---- The text ---- */

static void what_json_allows_and_a_question_does_not_is_refused_with_its_byte(void **state)
{
    static const struct { const char *text, *told; } rows[] = {
        { "", "not JSON at byte 0: it ends too early" },
        { "{\"from\":1,}", "not JSON at byte 10: a member's name was expected" },
        { "{} x", "not JSON at byte 3: something stands after the end" },
        { "{\"from\":1,\"from\":1}", "not JSON at byte 17: a name that is there twice" },
        { "{\"from\":1,\"fr\\u006fm\":2}", "not JSON at byte 22: a name that is there twice" },
        { "{\"where\":[{\"a\":1},{\"b\":1,\"c\":2,\"b\":3}]}", "not JSON at byte 35: a name that is there twice" },
        { "{\"from\":1e999}", "not JSON at byte 8: a number out of range" },
        { "{\"where\":[-1e400]}", "not JSON at byte 10: a number out of range" },
        { "[]", "a JSON object was expected" }, { "null", "a JSON object was expected" },
        { "\"from\"", "a JSON object was expected" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Query query;
        Arena arena;
        assert_int_equal(open_text(rows[at].text, &query, &arena), ERR_INPUT);
        assert_string_equal(err.text, rows[at].told);
    }
}

static void ceilings_hold_at_their_last_value(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        char text[4096] = "{\"where\":";
        size_t deep = QUESTION_DEPTH_MAX - 1 + (size_t)over;         /* the question itself is the first level */
        for (size_t at = 0; at < deep; at++) strcat(text, "[");
        for (size_t at = 0; at < deep; at++) strcat(text, "]");
        strcat(text, "}");
        Query query;
        Arena arena;
        assert_int_equal(open_text(text, &query, &arena), ERR_INPUT);
        if (over) assert_string_equal(err.text, "not JSON at byte 24: nested too deep");
        else assert_string_equal(err.field, "where[0]");             /* it is JSON, and no filter */

        strcpy(text, "{\"where\":[{");
        for (int member = 0; member < QUESTION_MEMBERS_MAX + over; member++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s\"m%d\":1", member ? "," : "", member);
        strcat(text, "}]}");
        assert_int_equal(open_text(text, &query, &arena), ERR_INPUT);
        if (over) assert_string_equal(err.text, "not JSON at byte 10: too many members");
        else assert_string_equal(err.field, "where[0].m0");
    }
    char *long_text = malloc(QUESTION_BYTES_MAX + 2);
    memset(long_text, ' ', QUESTION_BYTES_MAX + 1);
    long_text[QUESTION_BYTES_MAX + 1] = 0;
    memcpy(long_text, "{}", 2);
    Query query;
    Arena arena;
    assert_int_equal(open_text(long_text, &query, &arena), ERR_TOO_LARGE);
    long_text[QUESTION_BYTES_MAX] = 0;
    assert_int_equal(open_text(long_text, &query, &arena), OK);
    free(long_text);
}

static void a_member_that_there_is_not_is_told_by_its_place(void **state)
{
    static const struct { const char *text, *field; } rows[] = {
        { "{\"form\":1}", "form" }, { "{\"\":1}", "" },
        { "{\"where\":[{\"field\":\"name\",\"op\":\"=\",\"value\":1,\"x\":1}]}", "where[0].x" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Query query;
        Arena arena;
        assert_int_equal(open_text(rows[at].text, &query, &arena), ERR_INPUT);
        assert_string_equal(err.field, rows[at].field);
    }
}

/* ---- Times ---- */

static void times_are_of_the_questions_zone_unless_they_name_their_own(void **state)
{
    static const struct { const char *text; Millis from_ms; } rows[] = {
        { "{\"from\":\"2026-01-31\"}", 1769817600000 },
        { "{\"from\":\"2026-01-31\",\"timezone\":\"Europe/Berlin\"}", 1769817600000 - HOUR_MS },
        { "{\"from\":\"2026-07-31\",\"timezone\":\"Europe/Berlin\"}", 1785456000000 - 2 * HOUR_MS },
        { "{\"from\":\"2026-01-31T00:00:00Z\",\"timezone\":\"Europe/Berlin\"}", 1769817600000 },
        { "{\"from\":\"2026-01-31T00:00:00-05:00\",\"timezone\":\"Europe/Berlin\"}", 1769817600000 + 5 * HOUR_MS },
        { "{\"from\":1769817600000,\"timezone\":\"Asia/Kolkata\"}", 1769817600000 },
        { "{\"from\":-1}", -1 }, { "{\"from\":1.9}", 1 }, { "{\"from\":null}", INT64_MIN }, { "{}", INT64_MIN },
        { "{\"timezone\":\"\",\"from\":\"2026-01-31\"}", 1769817600000 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Query query;
        Arena arena;
        if (open_text(rows[at].text, &query, &arena)) fail_msg("%s: %s", rows[at].text, err.text);
        assert_int_equal(query.from_ms, rows[at].from_ms);
    }
    static const char *const wrong[][2] = {
        { "{\"from\":\"yesterday\"}", "from" }, { "{\"from\":true}", "from" }, { "{\"from\":[]}", "from" },
        { "{\"to\":253402300800000}", "to" }, { "{\"to\":-62135596800001}", "to" }, { "{\"to\":\"\"}", "to" },
        { "{\"from\":5,\"to\":5}", "to" }, { "{\"from\":6,\"to\":5}", "to" }, { "{\"timezone\":1}", "timezone" },
        { "{\"timezone\":\"Mars/Olympus\"}", "timezone" }, { "{\"timezone\":\"../../etc/passwd\"}", "timezone" },
    };
    for (size_t at = 0; at < countof(wrong); at++) {
        Query query;
        Arena arena;
        if (open_text(wrong[at][0], &query, &arena) != ERR_INPUT) fail_msg("%s", wrong[at][0]);
        assert_string_equal(err.field, wrong[at][1]);
    }
}

/* Clocks that were never set, and clocks that are ahead, stretch no question that does not ask for them. */
static void times_that_no_event_can_have_are_left_out_unless_asked_for(void **state)
{
    Query query;
    Arena arena;
    (void)state;
    assert_int_equal(open_text("{}", &query, &arena), OK);
    assert_int_equal(query.first_ms, PLAUSIBLE_FROM_MS);
    assert_int_equal(query.end_ms, world.now_ms + DAY_MS);
    assert_int_equal(open_text("{\"from\":0}", &query, &arena), OK);
    assert_int_equal(query.first_ms, 0);
    assert_int_equal(open_text("{\"to\":1000}", &query, &arena), OK);
    assert_true(query.first_ms == INT64_MIN && query.end_ms == 1000);           /* all of it lies before 2000 */
    assert_int_equal(open_text("{\"from\":\"2999-01-01\"}", &query, &arena), OK);
    assert_int_equal(query.end_ms, INT64_MAX);                                  /* all of it lies after tomorrow */
    world.now_ms = 0;
    assert_int_equal(open_text("{}", &query, &arena), OK);
    assert_int_equal(query.end_ms, INT64_MAX);
    world.now_ms = 1767225600000;
}

/* ---- Numbers, words, durations ---- */

static void a_count_is_whole_and_within_its_bounds(void **state)
{
    static const struct { const char *text; uint32_t count; bool is_one; } rows[] = {
        { "{}", 7, true }, { "{\"limit\":null}", 7, true }, { "{\"limit\":1}", 1, true },
        { "{\"limit\":1e1}", 10, true },
        { "{\"limit\":10}", 10, true }, { "{\"limit\":11}", 0, false }, { "{\"limit\":0}", 0, false },
        { "{\"limit\":-0}", 0, false }, { "{\"limit\":1.5}", 0, false }, { "{\"limit\":\"1\"}", 0, false },
        { "{\"limit\":4294967297}", 0, false }, { "{\"limit\":true}", 0, false }, { "{\"limit\":[1]}", 0, false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Query query;
        Arena arena;
        uint32_t count;
        assert_int_equal(open_text(rows[at].text, &query, &arena), OK);
        Status s = query_count(&query, "limit", 7, 1, 10, &count);
        if ((s == OK) != rows[at].is_one) fail_msg("%s", rows[at].text);
        if (s) assert_string_equal(err.field, "limit");
        else assert_int_equal(count, rows[at].count);
    }
}

static void a_word_is_one_of_those_that_the_refusal_lists(void **state)
{
    static const char *const words[] = { "n_day", "unbounded", NULL };
    Query query;
    Arena arena;
    uint32_t word;
    (void)state;
    assert_int_equal(open_text("{\"mode\":\"unbounded\"}", &query, &arena), OK);
    assert_int_equal(query_word(&query, "mode", 0, words, &word), OK);
    assert_int_equal(word, 1);
    assert_int_equal(open_text("{\"mode\":\"Unbounded\"}", &query, &arena), OK);
    assert_int_equal(query_word(&query, "mode", 0, words, &word), ERR_INPUT);
    assert_string_equal(err.text, "one of n_day, unbounded was expected");
    assert_int_equal(open_text("{\"mode\":1}", &query, &arena), OK);
    assert_int_equal(query_word(&query, "mode", 0, words, &word), ERR_INPUT);
}

static void a_duration_has_a_unit_and_is_not_negative(void **state)
{
    static const struct { const char *text; Millis ms; bool is_one; } rows[] = {
        { "{}", 5, true }, { "{\"window\":\"7d\"}", 7 * DAY_MS, true }, { "{\"window\":\"0\"}", 0, true },
        { "{\"window\":\"90\"}", 0, false }, { "{\"window\":\"-1d\"}", 0, false }, { "{\"window\":90}", 0, false },
        { "{\"window\":\"1y\"}", 0, false }, { "{\"window\":\"9223372036854775807w\"}", 0, false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Query query;
        Arena arena;
        Millis ms;
        assert_int_equal(open_text(rows[at].text, &query, &arena), OK);
        Status s = query_duration(&query, "window", 5, &ms);
        if ((s == OK) != rows[at].is_one) fail_msg("%s", rows[at].text);
        if (!s) assert_int_equal(ms, rows[at].ms);
    }
}

static void units_begin_where_the_question_allows_and_weeks_where_it_says(void **state)
{
    Query query;
    Arena arena;
    ZoneUnit unit;
    (void)state;
    assert_int_equal(open_text("{}", &query, &arena), OK);
    assert_int_equal(query_unit(&query, ZONE_HOUR, &unit), OK);
    assert_int_equal(unit, ZONE_DAY);
    assert_int_equal(open_text("{\"unit\":\"week\",\"week_start\":\"sunday\"}", &query, &arena), OK);
    assert_int_equal(query_unit(&query, ZONE_DAY, &unit), OK);
    assert_int_equal(unit, ZONE_WEEK);
    assert_int_equal(query.zone.week_start, 6);
    assert_int_equal(open_text("{\"unit\":\"hour\"}", &query, &arena), OK);
    assert_int_equal(query_unit(&query, ZONE_DAY, &unit), ERR_INPUT);
    assert_string_equal(err.field, "unit");
    assert_int_equal(open_text("{\"week_start\":\"someday\"}", &query, &arena), OK);
    assert_int_equal(query_unit(&query, ZONE_HOUR, &unit), ERR_INPUT);
    assert_string_equal(err.field, "week_start");
}

/* ---- Events and filters ---- */

static void an_event_is_a_text_or_an_object(void **state)
{
    static const struct { const char *text; EventType type; const char *name; bool is_any, is_path; } rows[] = {
        { "{\"event\":\"Signed Up\"}", EVENT_TRACK, "Signed Up", false, false },
        { "{\"event\":\"page:/pricing\"}", EVENT_PAGE, "/pricing", false, true },
        { "{\"event\":\"screen:Home\"}", EVENT_SCREEN, "Home", false, true },
        { "{\"event\":{\"event\":\"Signed Up\",\"type\":\"track\"}}", EVENT_TRACK, "Signed Up", false, false },
        { "{\"event\":{\"type\":\"identify\"}}", EVENT_IDENTIFY, "", true, false },
    };
    static const struct { const char *text, *field; } wrong[] = {
        { "{\"event\":\"\"}", "event" }, { "{\"event\":1}", "event" }, { "{\"event\":[]}", "event" },
        { "{\"event\":{}}", "event.event" }, { "{\"event\":{\"event\":\"\"}}", "event.event" },
        { "{\"event\":{\"event\":1}}", "event.event" },
        { "{\"event\":{\"event\":\"A\",\"type\":\"tracked\"}}", "event.type" },
        { "{\"event\":{\"event\":\"A\",\"name\":\"B\"}}", "event.name" }, { "{}", "event" },
        { "{\"event\":{\"event\":\"A\",\"where\":{}}}", "event.where" },
    };
    Query query;
    Arena arena;
    Selector selector;
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(open_text(rows[at].text, &query, &arena), OK);
        if (query_event(&query, "event", NULL, &selector)) fail_msg("%s: %s", rows[at].text, err.text);
        assert_int_equal(selector.type, rows[at].type);
        assert_int_equal(selector.is_any_name, rows[at].is_any);
        assert_int_equal(selector.is_path, rows[at].is_path);
        if (!rows[at].is_any) assert_true(str_equal(selector.name, str_from(rows[at].name)));
    }
    for (size_t at = 0; at < countof(wrong); at++) {
        assert_int_equal(open_text(wrong[at].text, &query, &arena), OK);
        if (query_event(&query, "event", NULL, &selector) != ERR_INPUT) fail_msg("%s", wrong[at].text);
        assert_string_equal(err.field, wrong[at].field);
    }
    assert_int_equal(open_text("{\"event\":null}", &query, &arena), OK);
    assert_int_equal(query_event(&query, "event", "*", &selector), OK);
    assert_true(selector.is_any_name);
}

static void the_questions_filters_stand_behind_the_events_own(void **state)
{
    Query query;
    Arena arena;
    Selector selector;
    (void)state;
    assert_int_equal(open_text("{\"where\":[{\"field\":\"source\",\"op\":\"=\",\"value\":\"web\"},"
                               "{\"field\":\"traits.plan\",\"op\":\"exists\"}],\"event\":{\"event\":\"A\",\"where\":"
                               "[{\"field\":\"properties.n\",\"op\":\">\",\"value\":1}]}}", &query, &arena), OK);
    assert_int_equal(query_event(&query, "event", NULL, &selector), OK);
    assert_int_equal(selector.filters.count, 2);
    assert_true(str_equal(selector.filters.items[0].field, STR("properties.n")));
    assert_true(str_equal(selector.filters.items[1].field, STR("source")));
    assert_int_equal(selector.traits.count, 1);
    assert_true(str_equal(selector.traits.items[0].field, STR("plan")) && selector.traits.items[0].is_trait);
}

static void a_filter_that_makes_no_sense_is_told_where(void **state)
{
    static const struct { const char *filter, *field; } rows[] = {
        { "1", "where[0]" }, { "{}", "where[0].field" },
        { "{\"field\":\"plan\",\"op\":\"=\",\"value\":1}", "where[0].field" },
        { "{\"field\":\"properties.\",\"op\":\"=\",\"value\":1}", "where[0].field" },
        { "{\"field\":\"traits.\",\"op\":\"=\",\"value\":1}", "where[0].field" },
        { "{\"field\":\"properties.a\",\"value\":1}", "where[0].op" },
        { "{\"field\":\"properties.a\",\"op\":\"==\",\"value\":1}", "where[0].op" },
        { "{\"field\":\"properties.a\",\"op\":\"=\"}", "where[0].value" },
        { "{\"field\":\"properties.a\",\"op\":\"=\",\"value\":{}}", "where[0].value" },
        { "{\"field\":\"properties.a\",\"op\":\"=\",\"value\":[[1]]}", "where[0].value" },
        { "{\"field\":\"properties.a\",\"op\":\"in\",\"value\":1}", "where[0].value" },
        { "{\"field\":\"properties.a\",\"op\":\"in\",\"value\":[]}", "where[0].value" },
        { "{\"field\":\"properties.a\",\"op\":\"<\",\"value\":true}", "where[0].value" },
        { "{\"field\":\"properties.a\",\"op\":\"<\",\"value\":null}", "where[0].value" },
        { "{\"field\":\"properties.a\",\"op\":\"<\",\"value\":[1]}", "where[0].value" },
        { "{\"field\":\"properties.a\",\"op\":\"exists\",\"value\":1}", "where[0].value" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Query query;
        Arena arena;
        char text[200];
        snprintf(text, sizeof text, "{\"where\":[%s]}", rows[at].filter);
        if (open_text(text, &query, &arena) != ERR_INPUT) fail_msg("%s", text);
        assert_string_equal(err.field, rows[at].field);
    }
    Query query;
    Arena arena;
    char many[8192] = "{\"where\":[";
    for (int at = 0; at <= FILTERS_MAX; at++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%s{\"field\":\"name\",\"op\":\"exists\"}",
                 at ? "," : "");
    strcat(many, "]}");
    assert_int_equal(open_text(many, &query, &arena), ERR_INPUT);
    assert_string_equal(err.field, "where");
}

static void a_breakdown_is_a_field_of_events_or_people(void **state)
{
    static const struct { const char *by, *field; FieldOf of; bool is_one; } rows[] = {
        { "properties.plan", "properties.plan", OF_COLUMN, true }, { "traits.a.b", "a.b", OF_TRAIT, true },
        { "library", "context.library.name", OF_COLUMN, true }, { "type", "type", OF_TYPE, true },
        { "name", "name", OF_NAME, true }, { "userId", "", OF_USER, false }, { "plan", "", OF_COLUMN, false },
        { "event", "", OF_COLUMN, false }, { "", "", OF_COLUMN, false },
    };
    Query query;
    Arena arena;
    Breakdown by;
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char text[80];
        snprintf(text, sizeof text, "{\"by\":\"%s\"}", rows[at].by);
        assert_int_equal(open_text(text, &query, &arena), OK);
        Status s = query_breakdown(&query, "by", false, &by);          /* nobody here knows user ids */
        if ((s == OK) != rows[at].is_one) fail_msg("%s", text);
        if (s) continue;
        assert_int_equal(by.of, rows[at].of);
        assert_true(by.is_given && str_equal(by.field, str_from(rows[at].field)));
    }
    assert_int_equal(open_text("{\"by\":\"event\"}", &query, &arena), OK);
    assert_int_equal(query_breakdown(&query, "by", true, &by), OK);
    assert_true(by.is_event);
    assert_int_equal(open_text("{\"by\":\"traits.plan\",\"of\":\"groups\"}", &query, &arena), OK);
    assert_int_equal(query_breakdown(&query, "by", true, &by), ERR_INPUT);         /* no account has traits here */
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_json_allows_and_a_question_does_not_is_refused_with_its_byte),
        TEST(ceilings_hold_at_their_last_value), TEST(a_member_that_there_is_not_is_told_by_its_place),
        TEST(times_are_of_the_questions_zone_unless_they_name_their_own),
        TEST(times_that_no_event_can_have_are_left_out_unless_asked_for),
        TEST(a_count_is_whole_and_within_its_bounds), TEST(a_word_is_one_of_those_that_the_refusal_lists),
        TEST(a_duration_has_a_unit_and_is_not_negative),
        TEST(units_begin_where_the_question_allows_and_weeks_where_it_says),
        TEST(an_event_is_a_text_or_an_object), TEST(the_questions_filters_stand_behind_the_events_own),
        TEST(a_filter_that_makes_no_sense_is_told_where), TEST(a_breakdown_is_a_field_of_events_or_people),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
