/* ask_funnel: each sentence of docs/funnels.md at its edge, with histories that a person can count. Random histories
 * against a model are in tests/model. */
#include "ask/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { MINUTE = 60000 };
#define DAY_ONE INT64_C(1767225600000)           /* 2026-01-01 */

static char dir[64];
static struct index *events;
static JournalPos next_pos;
static struct region region;
static uint32_t slots[QUERY_PAGE_SUBJECTS];
static const uint32_t *pages[1] = { slots };
static QueryPeople people;
static QueryWorld world;

/* "1 0 A; 1 5 B plan=pro": person 1 does A at minute 0, and B at minute 5 with a property. */
static void tell(const char *text)
{
    for (uint32_t subject = 0; subject < QUERY_PAGE_SUBJECTS; subject++) slots[subject] = subject;
    for (Str rest = str_from(text); rest.len;) {
        Str fields = str_trim(str_cut(rest, ';', &rest)), who = str_cut(fields, ' ', &fields);
        Str when = str_cut(fields, ' ', &fields), name = str_cut(fields, ' ', &fields), value, key;
        int64_t subject, minute;
        char json[100] = "{}";
        assert_true(str_parse_int(who, 0, 1000, &subject) && str_parse_int(when, -100000, 100000, &minute));
        key = str_cut(fields, '=', &value);
        if (key.len)
            snprintf(json, sizeof json, "{\"properties\":{\"%.*s\":\"%.*s\"}}", STR_FORMAT(key), STR_FORMAT(value));
        Event event = { .type = EVENT_TRACK, .name = name, .source = STR("web"), .json = str_from(json),
                        .timestamp_ms = DAY_ONE + minute * MINUTE };
        JournalPos pos = next_pos++;
        assert_int_equal(index_append(events, (Subject)subject, &event, pos, pos + 1, NULL), OK);
    }
}

static void open_with(const char *text)
{
    snprintf(dir, sizeof dir, "/tmp/onym-funnel-XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(index_open(&(IndexOptions){ .dir = dir, .disk = os_disk() }, &events, NULL), OK);
    next_pos = 4096;
    tell(text);
    people = (QueryPeople){ .subject_count = QUERY_PAGE_SUBJECTS, .pages = pages };
    world = (QueryWorld){ .index = events, .people = &people, .disk = os_disk(), .memory_bytes = (size_t)64 << 20 };
    region_open(&region, 16 << 20);
}

static void close_it(void)
{
    char command[128];
    index_close(events);
    region_close(&region);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static const TreeNode *ask_of(QueryKind kind, const char *question, Arena *arena)
{
    struct buf answer;
    const TreeNode *tree;
    Err err = { 0 };
    buf_init(&answer, 1 << 20);
    if (query_run(kind, str_from(question), &world, &answer, &err))
        fail_msg("%s: %s %s", question, err.field, err.text);
    assert_int_equal(event_tree_read(arena_copy(arena, buf_str(&answer)), arena, &tree, NULL), OK);
    buf_done(&answer);
    return tree;
}

/* How many people are at each step: "3 2 1". */
static const char *steps_of(const char *question)
{
    static char text[100];
    Arena arena = region_arena(&region);
    const TreeNode *steps = event_tree_get(ask_of(QUERY_FUNNEL, question, &arena), STR("steps"));
    *text = 0;
    for (const TreeNode *step = steps->first; step; step = step->next)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", *text ? " " : "",
                 STR_FORMAT(event_tree_text(step, "people")));
    return text;
}

static void each_history_counts_as_its_sentence_says(void **state)
{
    static const struct { const char *history, *question, *steps; } rows[] = {
        /* order, and that it is one event a step */
        { "1 0 A; 1 1 B", "{\"steps\":[\"A\",\"B\"]}", "1 1" },
        { "1 0 B; 1 1 A", "{\"steps\":[\"A\",\"B\"]}", "1 0" },
        { "1 0 B; 1 1 A; 1 2 B", "{\"steps\":[\"A\",\"B\"]}", "1 1" },
        { "1 0 A", "{\"steps\":[\"A\",\"A\"]}", "1 0" }, { "1 0 A; 1 1 A", "{\"steps\":[\"A\",\"A\"]}", "1 1" },
        { "1 0 A; 1 1 X; 1 2 B", "{\"steps\":[\"A\",\"B\"]}", "1 1" },
        { "1 0 A; 2 1 B", "{\"steps\":[\"A\",\"B\"]}", "1 0" },                       /* two people */
        { "1 0 A; 1 1 A; 1 2 A", "{\"steps\":[\"A\"]}", "1" },                         /* a person counts once */
        { "1 0 a", "{\"steps\":[\"A\"]}", "0" }, { "", "{\"steps\":[\"A\",\"B\"]}", "0 0" },
        /* the window is of the whole way, and its end is in it */
        { "1 0 A; 1 10 B", "{\"steps\":[\"A\",\"B\"],\"window\":\"10m\"}", "1 1" },
        { "1 0 A; 1 11 B", "{\"steps\":[\"A\",\"B\"],\"window\":\"10m\"}", "1 0" },
        { "1 0 A; 1 6 B; 1 12 C", "{\"steps\":[\"A\",\"B\",\"C\"],\"window\":\"10m\"}", "1 1 0" },
        { "1 0 A; 1 9 A; 1 12 B", "{\"steps\":[\"A\",\"B\"],\"window\":\"10m\"}", "1 1" },      /* by a later entry */
        { "1 0 A; 1 5 B; 1 20 A; 1 21 B; 1 22 C", "{\"steps\":[\"A\",\"B\",\"C\"],\"window\":\"10m\"}", "1 1 1" },
        /* a step's own window */
        { "1 0 A; 1 6 B", "{\"steps\":[\"A\",{\"event\":\"B\",\"window\":\"5m\"}]}", "1 0" },
        { "1 0 A; 1 5 B", "{\"steps\":[\"A\",{\"event\":\"B\",\"window\":\"5m\"}]}", "1 1" },
        /* strict and any */
        { "1 0 A; 1 1 X; 1 2 B", "{\"steps\":[\"A\",\"B\"],\"order\":\"strict\"}", "1 0" },
        { "1 0 A; 1 1 B", "{\"steps\":[\"A\",\"B\"],\"order\":\"strict\"}", "1 1" },
        { "1 0 A; 1 1 X; 1 2 A; 1 3 B", "{\"steps\":[\"A\",\"B\"],\"order\":\"strict\"}", "1 1" },
        { "1 0 B; 1 1 A", "{\"steps\":[\"A\",\"B\"],\"order\":\"any\"}", "1 1" },
        { "1 0 B; 2 1 A", "{\"steps\":[\"A\",\"B\"],\"order\":\"any\"}", "2 0" },
        /* exclusions */
        { "1 0 A; 1 1 X; 1 2 B", "{\"steps\":[\"A\",\"B\"],\"exclusions\":[{\"event\":\"X\"}]}", "1 0" },
        { "1 0 X; 1 1 A; 1 2 B; 1 3 X", "{\"steps\":[\"A\",\"B\"],\"exclusions\":[{\"event\":\"X\"}]}", "1 1" },
        { "1 0 A; 1 1 X; 1 2 B; 1 3 C", "{\"steps\":[\"A\",\"B\",\"C\"],"
          "\"exclusions\":[{\"event\":\"X\",\"from\":2,\"to\":3}]}", "1 1 1" },
        /* filters */
        { "1 0 A plan=pro; 1 1 B; 2 0 A plan=free; 2 1 B", "{\"steps\":[{\"event\":\"A\",\"where\":[{\"field\":"
          "\"properties.plan\",\"op\":\"=\",\"value\":\"pro\"}]},\"B\"]}", "1 1" },
        { "1 0 A; 1 1 B", "{\"steps\":[{\"event\":\"A\",\"where\":[{\"field\":\"properties.plan\","
          "\"op\":\"not exists\"}]},\"B\"]}", "1 1" },
        /* the range is of the entries, who may take the window then; or of everything */
        { "1 -1 A; 1 1 B", "{\"steps\":[\"A\",\"B\"],\"from\":\"2026-01-01\"}", "0 0" },
        { "1 0 A; 1 1 B", "{\"steps\":[\"A\",\"B\"],\"from\":\"2026-01-01\"}", "1 1" },
        { "1 -1 A; 1 5 B", "{\"steps\":[\"A\",\"B\"],\"to\":\"2026-01-01\"}", "1 1" },
        { "1 -1 A; 1 5 B", "{\"steps\":[\"A\",\"B\"],\"to\":\"2026-01-01\",\"range\":\"all\"}", "1 0" },
        { "1 0 A", "{\"steps\":[\"A\"],\"to\":\"2026-01-01\"}", "0" },
        { "1 0 A; 1 1 B; 2 0 B", "{\"steps\":[\"*\",\"B\"]}", "2 1" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        open_with(rows[at].history);
        const char *steps = steps_of(rows[at].question);
        if (strcmp(steps, rows[at].steps) != 0)
            fail_msg("%s of %s: %s, not %s", rows[at].question, rows[at].history, steps, rows[at].steps);
        close_it();
    }
}

static void groups_are_of_the_entry_and_add_up(void **state)
{
    (void)state;
    open_with("1 0 A plan=pro; 1 1 B plan=free; 2 0 A plan=free; 3 0 A; 3 1 B; 4 0 A plan=pro");
    Arena arena = region_arena(&region);
    const TreeNode *answer = ask_of(QUERY_FUNNEL, "{\"steps\":[\"A\",\"B\"],\"by\":\"properties.plan\"}", &arena);
    static const struct { const char *value, *people[2]; } groups[] = {
        { "\"pro\"", { "2", "1" } }, { "null", { "1", "1" } }, { "\"free\"", { "1", "0" } },
    };
    size_t count = 0;
    for (const TreeNode *group = event_tree_get(answer, STR("groups"))->first; group; group = group->next, count++) {
        size_t at = 0;
        while (at < countof(groups)
               && !str_equal(event_tree_get(group, STR("value"))->raw, str_from(groups[at].value))) at++;
        assert_true(at < countof(groups));
        const TreeNode *first = event_tree_get(group, STR("steps"))->first;
        assert_true(str_equal(event_tree_text(first, "people"), str_from(groups[at].people[0])));
        assert_true(str_equal(event_tree_text(first->next, "people"), str_from(groups[at].people[1])));
    }
    assert_int_equal(count, countof(groups));
    close_it();
}

/* ---- Its people ---- */

static void pages_tell_each_person_once_and_end(void **state)
{
    char history[4096] = "", question[256], cursor[64] = "";
    bool is_told[40] = { false };
    size_t told = 0, turns = 0;
    (void)state;
    for (int person = 1; person <= 23; person++)                     /* several of them at the same minute */
        snprintf(history + strlen(history), sizeof history - strlen(history), "%s%d %d A", person > 1 ? ";" : "",
                 person, person / 4);
    open_with(history);
    for (bool has_more = true; has_more; turns++) {
        Arena arena = region_arena(&region);
        snprintf(question, sizeof question, "{\"steps\":[\"A\"],\"limit\":5%s%s%s}", *cursor ? ",\"cursor\":\"" : "",
                 cursor, *cursor ? "\"" : "");
        const TreeNode *answer = ask_of(QUERY_FUNNEL_PEOPLE, question, &arena);
        assert_true(str_equal(event_tree_text(answer, "total"), STR("23")));
        for (const TreeNode *item = event_tree_get(answer, STR("people"))->first; item; item = item->next, told++) {
            int64_t person;
            assert_true(str_parse_int(event_tree_get(item, STR("person"))->raw, 1, 23, &person) && !is_told[person]);
            is_told[person] = true;
        }
        has_more = event_tree_find(answer, "cursor.has_more")->truth;
        snprintf(cursor, sizeof cursor, "%.*s", STR_FORMAT(event_tree_text(answer, "cursor.next")));
        assert_int_equal(has_more, *cursor != 0);
    }
    assert_int_equal(told, 23);
    assert_int_equal(turns, 5);
    close_it();
}

#define X_BETWEEN "{\"steps\":[\"A\",\"B\"],\"exclusions\":[{\"event\":\"X\","

static void what_makes_no_funnel_is_refused_by_its_place(void **state)
{
    static const struct { QueryKind kind; const char *question, *field; } rows[] = {
        { QUERY_FUNNEL, "{}", "steps" }, { QUERY_FUNNEL, "{\"steps\":[]}", "steps" },
        { QUERY_FUNNEL, "{\"steps\":\"A\"}", "steps" }, { QUERY_FUNNEL, "{\"steps\":[\"A\",7]}", "steps[1]" },
        { QUERY_FUNNEL, "{\"steps\":[\"A\"],\"window\":\"1y\"}", "window" },
        { QUERY_FUNNEL, "{\"steps\":[\"A\"],\"window\":\"3661d\"}", "window" },
        { QUERY_FUNNEL, "{\"steps\":[\"A\"],\"order\":\"sideways\"}", "order" },
        { QUERY_FUNNEL, X_BETWEEN "\"from\":2,\"to\":2}]}", "exclusions[0]" },
        { QUERY_FUNNEL, X_BETWEEN "\"to\":3}]}", "exclusions[0].to" },
        { QUERY_FUNNEL, X_BETWEEN "\"from\":1.5}]}", "exclusions[0].from" },
        { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\"],\"step\":2}", "step" },
        { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\"],\"cursor\":\"\"}", "cursor" },
        { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\"],\"cursor\":\"5\"}", "cursor" },
        { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\"],\"cursor\":\"5.4294967296\"}", "cursor" },
        { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\"],\"cursor\":5}", "cursor" },
        { QUERY_FUNNEL_PEOPLE, "{\"steps\":[\"A\"],\"events\":1}", "events" },
    };
    (void)state;
    open_with("1 0 A");
    for (size_t at = 0; at < countof(rows); at++) {
        struct buf answer;
        Err err = { 0 };
        buf_init(&answer, 1 << 20);
        if (query_run(rows[at].kind, str_from(rows[at].question), &world, &answer, &err) != ERR_INPUT)
            fail_msg("%s", rows[at].question);
        assert_string_equal(err.field, rows[at].field);
        buf_done(&answer);
    }
    close_it();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_history_counts_as_its_sentence_says),
        cmocka_unit_test(groups_are_of_the_entry_and_add_up),
        cmocka_unit_test(pages_tell_each_person_once_and_end),
        cmocka_unit_test(what_makes_no_funnel_is_refused_by_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
