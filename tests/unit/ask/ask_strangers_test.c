/* ask: whoever has a write key can make up names, values, paths, users, groups and traits without end. Questions go on:
 * what is in many events is told as ever, all that strangers made up together as one, and the answer says so. Each kind
 * of question that tells values apart, with a small limit of how many. */
#include "ask/ask.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

enum { OURS = 5, TIMES = 40, STRANGERS = 3000, LIMIT = 64, DAYS = 4, ANSWER_BYTES = 16 << 20 };
static const Millis start_ms = INT64_C(1767225600000), day_ms = 86400000;

struct world {
    char dir[64];
    struct index *index;
    uint32_t slots[QUERY_PAGE_SUBJECTS];
    const uint32_t *pages[1];
    QueryPeople people;
    QueryWorld query;
};

/* Subjects below are ours; of each, events of all our values. The others are strangers, with a value each. */
static bool is_ours(Subject subject) { return subject < OURS * TIMES; }

static void value_of(Subject subject, char text[32])
{
    if (is_ours(subject)) snprintf(text, 32, "ours-%u", subject % OURS);
    else snprintf(text, 32, "a-stranger-%u", subject);
}

static void append(struct world *world, Subject subject, EventType type, const char *name, Millis time_ms,
                   JournalPos pos)
{
    char json[256], value[32];
    value_of(subject, value);
    snprintf(json, sizeof json, "{\"properties\":{\"plan\":\"%s\",\"path\":\"/%s\",\"n\":1},"
             "\"context\":{\"page\":{\"referrer\":\"https://%s/\"},\"campaign\":{\"source\":\"%s\"}}}",
             value, value, value, value);
    Event event = { .type = type, .name = str_from(name), .source = STR("web"), .timestamp_ms = time_ms,
                    .group_id = str_from(value), .json = str_from(json) };
    assert_int_equal(index_append(world->index, subject, &event, pos, pos + 1, NULL), OK);
}

static bool find_trait(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret)
{
    char text[32];
    (void)context, (void)name;
    value_of(person, text);
    *ret = (IndexValue){ .kind = INDEX_STRING, .text = arena_copy(arena, str_from(text)) };
    return true;
}

static void visit_users(void *context, void (*visit)(void *visitor, Subject subject, Str user_id), void *visitor)
{
    (void)context;
    for (Subject subject = 0; subject < OURS * TIMES + STRANGERS; subject++) {
        char text[32];
        value_of(subject, text);
        visit(visitor, subject, str_from(text));
    }
}

static void open_world(struct world *world)
{
    JournalPos pos = 4096;
    memset(world, 0, sizeof *world);
    snprintf(world->dir, sizeof world->dir, "/tmp/onym-ask-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    IndexOptions options = { .dir = world->dir, .disk = os_disk(), .chunk_rows = 2048 };     /* several runs */
    assert_int_equal(index_open(&options, &world->index, NULL), OK);
    /* strangers first and between: whoever comes first is not who stays */
    for (uint32_t at = 0; at < OURS * TIMES + STRANGERS; at++) {
        Subject subject = (at + OURS * TIMES) % (OURS * TIMES + STRANGERS);
        char name[32];
        value_of(subject, name);
        Millis time_ms = start_ms + subject % DAYS * day_ms;
        append(world, subject, EVENT_TRACK, "A", time_ms, pos++);
        append(world, subject, EVENT_TRACK, name, time_ms + 1, pos++);
        append(world, subject, EVENT_PAGE, "", time_ms + 2, pos++);
        append(world, subject, EVENT_TRACK, "A", time_ms + day_ms, pos++);
        world->slots[subject] = subject;
    }
    world->pages[0] = world->slots;
    world->people = (QueryPeople){ .subject_count = OURS * TIMES + STRANGERS, .pages = world->pages,
                                   .visit_users = visit_users, .context = world };
    world->query = (QueryWorld){ .index = world->index, .people = &world->people, .find_trait = find_trait,
                                 .context = world, .disk = os_disk(), .memory_bytes = (size_t)256 << 20 };
}

static void close_world(struct world *world)
{
    char command[128];
    index_close(world->index);
    snprintf(command, sizeof command, "rm -rf %s", world->dir);
    assert_int_equal(system(command), 0);
}

#define TRENDS(by) { QUERY_TRENDS, "{\"series\":[{\"event\":\"*\"}],\"limit\":8,\"by\":\"" by "\"}", by }
static const struct { QueryKind kind; const char *text, *warns_of; } questions[] = {
    { QUERY_TRENDS, "{\"series\":[{\"type\":\"track\",\"where\":[{\"field\":\"name\",\"op\":\"!=\",\"value\":\"A\"}]}],"
                    "\"limit\":8,\"by\":\"event\"}", "event" },
    { QUERY_TRENDS, "{\"series\":[{\"type\":\"page\"}],\"limit\":8,\"by\":\"event\"}", "event" },
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"*\",\"measure\":\"people\"}],\"limit\":8,\"by\":\"properties.plan\"}",
      "properties.plan" },
    TRENDS("properties.plan"), TRENDS("groupId"), TRENDS("userId"), TRENDS("traits.plan"),
    { QUERY_TRENDS, "{\"series\":[{\"event\":\"*\",\"where\":[{\"field\":\"name\",\"op\":\"!=\",\"value\":\"A\"}]}],"
                    "\"limit\":8,\"by\":\"name\"}", "name" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"A\"],\"limit\":8,\"by\":\"properties.plan\"}", "properties.plan" },
    { QUERY_FUNNEL, "{\"steps\":[\"A\",\"A\"],\"limit\":8,\"by\":\"traits.plan\"}", "traits.plan" },
    { QUERY_RETENTION, "{\"birth\":\"A\",\"limit\":8,\"periods\":2,\"by\":\"properties.plan\"}", "properties.plan" },
    { QUERY_RETENTION, "{\"birth\":\"A\",\"limit\":8,\"periods\":2,\"by\":\"traits.plan\"}", "traits.plan" },
    { QUERY_PATHS, "{\"event\":\"A\",\"limit\":8,\"depth\":2}", "event" },
    { QUERY_SIGNUPS, "{\"event\":\"A\",\"limit\":8}", "context.page.referrer" },
    { QUERY_EVENTS, "{\"limit\":10}", NULL },
    { QUERY_EVENTS, "{\"field\":\"properties.plan\",\"limit\":10}", NULL },
};

/* The part of an answer in which a value of ours stands: to the end of its line. */
static Str line_of(Str answer, const char *value, size_t from)
{
    char quoted[64];
    int len = snprintf(quoted, sizeof quoted, "%s\",", value);
    for (size_t at = from; at + (size_t)len <= answer.len; at++) {
        if (memcmp(answer.bytes + at, quoted, (size_t)len) != 0) continue;
        size_t end = at, depth = 0;
        for (; end < answer.len && !(answer.bytes[end] == '}' && depth == 0); end++) {
            depth += answer.bytes[end] == '{';
            depth -= answer.bytes[end] == '}';
        }
        return str_slice(answer, at, end);
    }
    return (Str){ 0 };
}

static void ask(struct world *world, size_t number, uint32_t max, struct buf *answer)
{
    Err err = { 0 };
    world->query.group_max = max;
    buf_clear(answer);
    if (query_run(questions[number].kind, str_from(questions[number].text), &world->query, answer, &err))
        fail_msg("%s: %s", questions[number].text, err.text);
}

static void strangers_values_take_ours_from_no_answer(void **state)
{
    struct world world;
    struct buf right, answer;
    (void)state;
    open_world(&world);
    buf_init(&right, ANSWER_BYTES);
    buf_init(&answer, ANSWER_BYTES);
    for (size_t at = 0; at < countof(questions); at++) {
        ask(&world, at, 0, &right);
        ask(&world, at, LIMIT, &answer);
        for (uint32_t ours = 0; ours < OURS; ours++) {
            char value[32];
            snprintf(value, sizeof value, "ours-%u", ours);
            Str told = line_of(buf_str(&right), value, 0), again = line_of(buf_str(&answer), value, 0);
            if (!told.len || !str_equal(told, again))
                fail_msg("%s: %s\n%.*s\n%.*s", questions[at].text, value, STR_FORMAT(told), STR_FORMAT(again));
        }
        if (!str_contains(buf_str(&answer), STR("\"(not indexed)\"")) && questions[at].kind != QUERY_PATHS
            && questions[at].kind != QUERY_SIGNUPS)
            fail_msg("%s does not tell the others: %.*s", questions[at].text, STR_FORMAT(buf_str(&answer)));
        char warning[128];
        if (!questions[at].warns_of) continue;
        snprintf(warning, sizeof warning, "{\"field\":\"%s\",\"message\":\"it has very many", questions[at].warns_of);
        if (!str_contains(buf_str(&answer), str_from(warning)))
            fail_msg("%s does not say so: %.*s", questions[at].text, STR_FORMAT(buf_str(&answer)));
        assert_false(str_contains(buf_str(&right), str_from("it has very many")));
    }
    buf_done(&right);
    buf_done(&answer);
    close_world(&world);
}

static void strangers_groups_take_ours_from_no_answer(void **state)
{
    static const char question[] = "{\"series\":[{\"event\":\"A\",\"measure\":\"people\"}],\"of\":\"groups\","
        "\"where\":[{\"field\":\"properties.plan\",\"op\":\"contains\",\"value\":\"ours\"}]}";
    struct world world;
    struct buf answer;
    Err err = { 0 };
    (void)state;
    open_world(&world);
    buf_init(&answer, ANSWER_BYTES);
    world.query.group_max = LIMIT;
    assert_int_equal(query_run(QUERY_TRENDS, str_from(question), &world.query, &answer, &err), OK);
    assert_true(str_contains(buf_str(&answer), STR("\"total\":5,")));
    assert_true(str_contains(buf_str(&answer), STR("those of the fewest events are left out")));
    buf_done(&answer);
    close_world(&world);
}

/* Texts that are too many together, though they are few; and values that come again after they were left out. */
static void the_union_keeps_the_frequent_ones_in_bounded_memory(void **state)
{
    enum { LONG = 65536, ROUNDS = 3 };
    struct groups_union all;
    char *text = malloc(LONG);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', LONG);
    groups_union_open(&all, 4096);
    for (int pass = 0; pass < 3; pass++) {
        for (uint32_t round = 0; round < ROUNDS; round++)
            for (uint32_t at = 0; at < 1000; at++) {
                memcpy(text, &at, sizeof at);
                IndexValue value = { .kind = INDEX_STRING, .text = { text, LONG } };
                if (pass == 1) groups_union_count(&all, &value, at % 10 ? 1 : 50);
                else groups_union_put(&all, &value);
            }
        if (pass == 0) assert_true(all.is_full);
        if (pass == 1) groups_union_fold(&all);
    }
    assert_true(all.text_len <= GROUPS_TEXT_BYTES);
    groups_union_sort(&all);
    for (uint32_t at = 0; at < 1000; at += 10) {
        memcpy(text, &at, sizeof at);
        IndexValue value = { .kind = INDEX_STRING, .text = { text, LONG } };
        assert_true(groups_union_find(&all, &value) > GROUP_OTHER);
    }
    IndexValue never = { .kind = INDEX_STRING, .text = STR("never") };
    assert_int_equal(groups_union_find(&all, &never), GROUP_OTHER);
    groups_union_close(&all);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_values_take_ours_from_no_answer),
        cmocka_unit_test(strangers_groups_take_ours_from_no_answer),
        cmocka_unit_test(the_union_keeps_the_frequent_ones_in_bounded_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
