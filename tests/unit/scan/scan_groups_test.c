/* scan_groups: each value is one group, whoever brings it; an answer calls an event as a question may call it. */
#include "scan/scan_groups.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MOST = 40, SLOTS = 128 };

static struct region region;
static struct { IndexValue values[MOST + 2]; uint32_t slots[SLOTS]; } room;

static int setup(void **state)
{
    (void)state;
    region_open(&region, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    region_close(&region);
    return 0;
}

/* As scan_columns begins: what is told together is the first group. max: with it and that of nothing. */
static Groups begin(uint32_t max)
{
    memset(&room, 0, sizeof room);
    Groups groups = { .values = room.values, .slots = room.slots, .slot_count = SLOTS, .count = 1, .max = max,
                      .is_busy = ATOMIC_FLAG_INIT };
    Arena none = { 0 };
    assert_int_equal(groups_intern(&groups, &(IndexValue){ .kind = INDEX_OTHER }, &none), GROUP_OTHER);
    return groups;
}

static IndexValue of_text(IndexKind kind, const char *text)
{
    return (IndexValue){ .kind = kind, .text = str_from(text) };
}

static IndexValue of_number(double number) { return (IndexValue){ .kind = INDEX_NUMBER, .number = number }; }

static void a_value_has_one_group_and_another_kind_another(void **state)
{
    IndexValue big = { .kind = INDEX_NUMBER, .number = 9007199254740992.0, .text = STR("9007199254740993") };
    const IndexValue values[] = {
        of_text(INDEX_STRING, "1"), of_number(1), { .kind = INDEX_BOOL, .number = 1 }, { .kind = INDEX_BOOL },
        of_text(INDEX_LIST, "[1]"), of_text(INDEX_STRING, "[1]"), of_text(INDEX_STRING, ""), of_number(0),
        of_number(-1.5), of_number(9007199254740992.0), big, of_text(INDEX_STRING, "(not indexed)"),
    };
    Groups groups = begin(MOST);
    Arena arena = region_arena(&region);
    (void)state;
    for (int round = 0; round < 3; round++)
        for (uint32_t at = 0; at < countof(values); at++)
            assert_int_equal(groups_intern(&groups, &values[at], &arena), at + 2);
    assert_int_equal(groups_intern(&groups, &(IndexValue){ .kind = INDEX_OTHER }, &arena), GROUP_OTHER);
    assert_int_equal(groups_intern(&groups, &(IndexValue){ .kind = INDEX_NOTHING }, &arena), GROUP_NOTHING);
    assert_int_equal(groups.count, countof(values) + 2);
}

/* The text that a value came with may be gone by the time an answer is written. */
static void a_group_keeps_its_own_text(void **state)
{
    Groups groups = begin(MOST);
    Arena arena = region_arena(&region);
    char text[] = "pro";
    (void)state;
    IndexValue value = { .kind = INDEX_STRING, .text = { text, 3 } };
    uint32_t group = groups_intern(&groups, &value, &arena);
    memcpy(text, "xxx", 3);
    assert_true(str_equal(groups.values[group].text, STR("pro")));
    assert_int_not_equal(groups_intern(&groups, &value, &arena), group);
}

static void too_many_values_are_told_together_and_too_little_memory_is_told(void **state)
{
    Groups groups = begin(4);
    Arena arena = region_arena(&region);
    (void)state;
    const IndexValue numbers[] = { of_number(1), of_number(2), of_number(3) };
    assert_int_equal(groups_intern(&groups, &numbers[0], &arena), 2);
    assert_int_equal(groups_intern(&groups, &numbers[1], &arena), 3);
    assert_false(groups.is_folded);
    assert_int_equal(groups_intern(&groups, &numbers[2], &arena), GROUP_OTHER);
    assert_true(groups.is_folded);
    assert_int_equal(groups_intern(&groups, &numbers[0], &arena), 2);
    groups = begin(MOST);
    char small[4];
    Arena none = { small, small + 2 };
    IndexValue text = of_text(INDEX_STRING, "abc");
    assert_int_equal(groups_intern(&groups, &text, &none), GROUP_NO_MEMORY);
    assert_int_equal(groups_intern(&groups, &text, &arena), 2);                 /* the failure left no trace */
}

static void groups_order_by_kind_and_then_by_value(void **state)
{
    const IndexValue ascending[] = {
        { .kind = INDEX_NOTHING }, { .kind = INDEX_OTHER }, { .kind = INDEX_BOOL }, { .kind = INDEX_BOOL, .number = 1 },
        of_number(-3), of_number(0), of_number(0.5), of_number(1e300), of_text(INDEX_STRING, ""),
        of_text(INDEX_STRING, "A"), of_text(INDEX_STRING, "a"), of_text(INDEX_STRING, "\xc3\xa9"),
        of_text(INDEX_LIST, "[1]"), of_text(INDEX_LIST, "[2]"),
    };
    (void)state;
    for (size_t a = 0; a < countof(ascending); a++)
        for (size_t b = 0; b < countof(ascending); b++) {
            int order = group_compare_values(&ascending[a], &ascending[b]);
            assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
        }
}

static Str write_label(Str event, bool is_ambiguous, char *text, size_t bytes)
{
    struct buf out;
    buf_init_fixed(&out, text, bytes);
    event_write(event, is_ambiguous, &out);
    assert_true(buf_ok(&out));
    return buf_str(&out);
}

static void an_event_is_told_by_the_words_that_ask_for_it(void **state)
{
    static const struct { const char *event; bool is_ambiguous; const char *label; } rows[] = {
        { "Signed Up", false, "\"Signed Up\"" }, { "a\"b", false, "\"a\\\"b\"" },
        { "page:/x", false, "\"track=page:/x\"" },
        { "*", false, "\"track=*\"" }, { "identify", false, "\"track=identify\"" }, { "", false, "\"track=\"" },
        { "(not indexed)", false, "\"track=(not indexed)\"" }, { "track=x", false, "\"track=track=x\"" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char event[64], label[128];
        snprintf(event, sizeof event, "%c%s", '0' + EVENT_TRACK, rows[at].event);
        Str told = write_label(str_from(event), rows[at].is_ambiguous, label, sizeof label);
        if (!str_equal(told, str_from(rows[at].label))) fail_msg("%s: %.*s", rows[at].event, STR_FORMAT(told));
    }
    char label[128];
    char page[] = { (char)('0' + EVENT_PAGE), '/', 'x', 0 }, screen[] = { (char)('0' + EVENT_SCREEN), '*', 0 };
    char identify[] = { (char)('0' + EVENT_IDENTIFY), 0 };
    assert_true(str_equal(write_label(str_from(page), false, label, sizeof label), STR("\"page:/x\"")));
    assert_true(str_equal(write_label(str_from(page), true, label, sizeof label), STR("\"page=/x\"")));
    assert_true(str_equal(write_label(str_from(screen), false, label, sizeof label), STR("\"screen=*\"")));
    assert_true(str_equal(write_label(str_from(identify), false, label, sizeof label), STR("\"identify\"")));
}

/* Any name: the label, read as a question reads it, means the events of that type and name, and no more. */
static void every_label_asks_for_its_own_event(void **state)
{
    static const char *const pieces[] = { "page", "screen", "track", ":", "=", "*", "/", "a", " ", "identify", "group",
                                          "alias", "(not indexed)", "\xc3\xa9" };
    static const EventType types[] = { EVENT_TRACK, EVENT_PAGE, EVENT_SCREEN };
    (void)state;
    srand(17);
    for (int round = 0; round < 20000; round++) {
        char event[128] = { 0 }, label[256];
        EventType type = types[rand() % 3];
        event[0] = (char)('0' + type);
        for (int count = rand() % 4; count > 0; count--) strcat(event, pieces[(size_t)rand() % countof(pieces)]);
        Str told = write_label(str_from(event), true, label, sizeof label);
        Selector selector = { 0 };
        selector_read_text(str_slice(told, 1, told.len - 1), &selector);
        bool is_it = selector.type == type && !selector.is_any_name && !selector.is_unindexed
                  && str_equal(selector.name, str_from(event + 1));
        if (!is_it) fail_msg("%s: %.*s", event, STR_FORMAT(told));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_has_one_group_and_another_kind_another), cmocka_unit_test(a_group_keeps_its_own_text),
        cmocka_unit_test(too_many_values_are_told_together_and_too_little_memory_is_told),
        cmocka_unit_test(groups_order_by_kind_and_then_by_value),
        cmocka_unit_test(an_event_is_told_by_the_words_that_ask_for_it),
        cmocka_unit_test(every_label_asks_for_its_own_event),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
