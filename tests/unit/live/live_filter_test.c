/* live_filter: which rows a stream was asked for: of events, of what was rejected (which may be no whole JSON), and of
 * notes about suppressed messages, of which nothing but type and source may be looked at. */
#include "live/live_filter.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static LiveValues one(const char *value) { return (LiveValues){ .items = { str_from(value) }, .count = 1 }; }

static LiveRow accepted(void)
{
    return (LiveRow){ .fate = LIVE_ACCEPTED, .event = {
        .type = EVENT_TRACK, .name = STR("Song Played"), .source = STR("web"), .user_id = STR("kim"),
        .anonymous_id = STR("a-1"), .group_id = STR("acme"),
        .json = STR("{\"event\":\"Song Played\",\"properties\":{\"title\":\"Fl\\u00f6te\",\"n\":\"\\ud83d\\ude00\"}}"),
    } };
}

static void each_kind_of_condition_must_hold(void **state)
{
    static const struct { const char *event, *source, *id; unsigned types, fates; bool matches; } rows[] = {
        { NULL, NULL, NULL, 0, 0, true },
        { "Song Played", NULL, NULL, 0, 0, true }, { "song played", NULL, NULL, 0, 0, false },
        { NULL, "web", NULL, 0, 0, true }, { NULL, "app", NULL, 0, 0, false },
        { NULL, NULL, "kim", 0, 0, true }, { NULL, NULL, "a-1", 0, 0, true }, { NULL, NULL, "acme", 0, 0, true },
        { NULL, NULL, "ki", 0, 0, false }, { NULL, NULL, "", 0, 0, true },      /* it has no previousId */
        { NULL, NULL, NULL, 1u << EVENT_TRACK, 0, true }, { NULL, NULL, NULL, 1u << EVENT_PAGE, 0, false },
        { NULL, NULL, NULL, 1u << EVENT_PAGE | 1u << EVENT_TRACK, 0, true },
        { NULL, NULL, NULL, 0, 1u << LIVE_ACCEPTED, true }, { NULL, NULL, NULL, 0, 1u << LIVE_REJECTED, false },
        { "Song Played", "app", "kim", 0, 0, false }, { "Song Played", "web", "kim", 1u << EVENT_TRACK, 0, true },
    };
    (void)state;
    LiveRow row = accepted();
    for (size_t at = 0; at < countof(rows); at++) {
        LiveFilter filter = { .types = rows[at].types, .fates = rows[at].fates };
        if (rows[at].event) filter.events = one(rows[at].event);
        if (rows[at].source) filter.sources = one(rows[at].source);
        if (rows[at].id) filter.ids = one(rows[at].id);
        if (live_filter_matches(&filter, &row) != rows[at].matches) fail_msg("row %zu", at);
    }
}

static void of_several_values_any_will_do(void **state)
{
    (void)state;
    LiveRow row = accepted();
    LiveFilter filter = { .events = { .items = { STR("A"), STR("Song Played") }, .count = 2 } };
    assert_true(live_filter_matches(&filter, &row));
    filter.events.items[1] = STR("B");
    assert_false(live_filter_matches(&filter, &row));
}

static void text_is_found_however_it_is_escaped(void **state)
{
    static const struct { const char *text; bool is_found; } rows[] = {
        { "Fl\xc3\xb6te", true }, { "fL\xc3\xb6TE", true }, { "Fl\xc3\x96te", false }, /* ASCII alone folds */
        { "\xf0\x9f\x98\x80", true }, { "song played", true }, { "Flote", false },
    };
    (void)state;
    LiveRow row = accepted();
    for (size_t at = 0; at < countof(rows); at++) {
        LiveFilter filter = { .texts = one(rows[at].text) };
        if (live_filter_matches(&filter, &row) != rows[at].is_found) fail_msg("%s", rows[at].text);
    }
}

/* Escapes that are cut short, half a pair, unknown letters: each is read as something, and nothing after the end. */
static void odd_escapes_are_read_within_the_text(void **state)
{
    static const char *const odd[] = {
        "\\", "a\\", "\\u", "\\u1", "\\u12", "\\u123", "\\uzzzz", "\\ud83d", "\\ud83d\\", "\\ud83d\\u", "\\ud83d\\ude0",
        "\\ud83d\\u0041", "\\ude00", "\\x41", "\\\\u0041", "\\\"",
    };
    (void)state;
    for (size_t at = 0; at < countof(odd); at++) {
        size_t len = strlen(odd[at]), place = 0, pieces = 0;
        char *exact = malloc(len);                           /* a byte too far is seen by the sanitizer */
        check(exact);
        memcpy(exact, odd[at], len);
        while (place < len) {
            char piece[4];
            size_t bytes;
            place += read_piece((Str){ exact, len }, place, piece, &bytes);
            assert_in_range(bytes, 1, 4);
            assert_true(++pieces <= len);
        }
        assert_int_equal(place, len);
        assert_false(contains_folded((Str){ exact, len }, STR("nothing of that")));
        free(exact);
    }
}

static void what_was_rejected_is_looked_into_as_far_as_it_can_be_read(void **state)
{
    static const struct { const char *json, *event, *id; unsigned types; bool matches; } rows[] = {
        { "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"kim\"}", "A", NULL, 0, true },
        { "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"kim\"}", NULL, "kim", 0, true },
        { "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"kim\"}", NULL, "A", 0, false },       /* that is no id */
        { "{\"type\":\"track\",\"event\":\"A\"}", NULL, NULL, 1u << EVENT_TRACK, true },
        { "{\"type\":\"track\",\"event\":\"page\"}", NULL, NULL, 1u << EVENT_PAGE, false },
        /* cut: any string of it may be the one that is meant */
        { "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"k", "A", NULL, 0, true },
        { "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"k", NULL, "A", 0, true },
        { "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"k", NULL, "kim", 0, false },
        { "{\"type\":\"track\",\"ev", NULL, NULL, 1u << EVENT_TRACK, true },
        { "{\"type\":\"track\",\"ev", NULL, NULL, 1u << EVENT_PAGE, false },
    };
    struct region region;
    (void)state;
    region_open(&region, 1 << 20);
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&region);
        LiveFilter filter = { .types = rows[at].types };
        LiveRow row = { .fate = LIVE_REJECTED, .rejected = { .source = STR("web"), .json = str_from(rows[at].json) } };
        if (event_tree_read(row.rejected.json, &arena, &row.tree, NULL)) row.tree = NULL;
        if (rows[at].event) filter.events = one(rows[at].event);
        if (rows[at].id) filter.ids = one(rows[at].id);
        if (live_filter_matches(&filter, &row) != rows[at].matches) fail_msg("row %zu", at);
    }
    region_close(&region);
}

static void nothing_of_a_suppressed_message_is_found_by_what_it_said(void **state)
{
    (void)state;
    LiveRow row = accepted();
    LiveNote note = { .source = STR("web"), .type = EVENT_TRACK };
    row.fate = LIVE_SUPPRESSED;
    LiveFilter by_kind = { .types = 1u << EVENT_TRACK, .sources = one("web"), .fates = 1u << LIVE_SUPPRESSED };
    assert_true(live_filter_matches(&by_kind, &row) && live_filter_matches_note(&by_kind, &note));
    LiveFilter inside[] = { { .events = one("Song Played") }, { .ids = one("kim") }, { .texts = one("song") },
                            { .breaks_plan = true } };
    for (size_t at = 0; at < countof(inside); at++)
        assert_false(live_filter_matches(&inside[at], &row) || live_filter_matches_note(&inside[at], &note));
    LiveFilter others[] = { { .types = 1u << EVENT_PAGE }, { .sources = one("app") },
                            { .fates = 1u << LIVE_ACCEPTED } };
    for (size_t at = 0; at < countof(others); at++)
        assert_false(live_filter_matches(&others[at], &row) || live_filter_matches_note(&others[at], &note));
}

static void a_copy_outlives_what_was_asked(void **state)
{
    char room[512], text[] = "kim";
    Arena arena = { room, room + sizeof room };
    (void)state;
    LiveRow row = accepted();
    LiveFilter copy, filter = { .types = 1u << EVENT_TRACK, .fates = 1u << LIVE_ACCEPTED, .ids = one(text),
                                .events = one("Song Played"), .sources = one("web"), .texts = one("song") };
    live_filter_copy(&filter, &arena, &copy);
    memset(text, 'x', 3);
    memset(&filter, 0, sizeof filter);
    assert_true(live_filter_matches(&copy, &row));
    assert_true(live_filter_wants_claim(&copy, &row.event));
    row.event.user_id = STR("lee");
    assert_false(live_filter_matches(&copy, &row) || live_filter_wants_claim(&copy, &row.event));
}

static void what_breaks_the_plan_is_found_by_what_was_judged_or_why_it_was_rejected(void **state)
{
    LiveFilter filter = { .breaks_plan = true };
    Event plain = { .type = EVENT_TRACK, .json = STR("{\"planCheck\":{}}") };
    Event broken = plain;
    broken.plan_check = STR("{\"rung\":\"report\"}");
    const struct { LiveRow row; bool matches; } rows[] = {
        { { .fate = LIVE_ACCEPTED, .event = plain }, false },
        { { .fate = LIVE_ACCEPTED, .event = broken }, true },
        { { .fate = LIVE_REPEATED, .event = broken }, true },
        { { .fate = LIVE_SUPPRESSED, .event = broken }, false },
        { { .fate = LIVE_REJECTED, .rejected = { .reason = STR("plan_wrong_type") } }, true },
        { { .fate = LIVE_REJECTED, .rejected = { .reason = STR("invalid_json") } }, false },
        { { .fate = LIVE_REJECTED, .rejected = { .reason = STR("plan") } }, false },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        if (live_filter_matches(&filter, &rows[at].row) != rows[at].matches) fail_msg("row %zu", at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_condition_must_hold),
        cmocka_unit_test(of_several_values_any_will_do),
        cmocka_unit_test(text_is_found_however_it_is_escaped),
        cmocka_unit_test(odd_escapes_are_read_within_the_text),
        cmocka_unit_test(what_was_rejected_is_looked_into_as_far_as_it_can_be_read),
        cmocka_unit_test(nothing_of_a_suppressed_message_is_found_by_what_it_said),
        cmocka_unit_test(what_breaks_the_plan_is_found_by_what_was_judged_or_why_it_was_rejected),
        cmocka_unit_test(a_copy_outlives_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
