/* fuzz_question: any bytes as a question, put to a small world with odd values. Whatever is asked, the answer is JSON,
 * or there is none and the error says why.
 *
 * First byte: the kind of question; the rest is its JSON. */
#include "event/event.h"
#include "tests/model/ask_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { ANSWER_BYTES_MAX = 4 << 20, FIRST_ODD_SUBJECT = 100 };

static struct world world;
static struct region region;
static struct buf answer;

static bool find_trait(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret)
{
    static const char *const values[] = { "\"12.5\"", "[1,\"a\"]", "{\"a\":1}", "9007199254740993", "true", "\"pro\"" };
    (void)context;
    if (name.len % 3 == 2 || person % 7 == 6) return false;
    *ret = query_value(str_from(values[(person + name.len) % countof(values)]), arena);
    return true;
}

static void visit_users(void *context, void (*visit)(void *visitor, Subject subject, Str user_id), void *visitor)
{
    char text[16];
    for (Subject subject = 0; subject < world.subject_count; subject++) {
        if (!world_is_user(context, subject)) continue;
        snprintf(text, sizeof text, "u%u", subject);
        visit(visitor, subject, str_from(text));
    }
}

static Status list_traits(void *context, Arena *arena, QueryTrait **ret, size_t *ret_count, Err *err)
{
    (void)context, (void)err;
    *ret = arena_new(arena, QueryTrait, 1);
    **ret = (QueryTrait){ STR("address.city"), 3 };
    *ret_count = 1;
    return OK;
}

static void open_all(void)
{
    static const struct { EventType type; const char *name, *json; } odd[] = {
        { EVENT_TRACK, "page:/", "{\"properties\":{\"n\":9007199254740993,\"tags\":[\"a\",1,true,\"\\u00e9\\\"\"]}}" },
        { EVENT_TRACK, "*", "{\"properties\":{\"n\":\"12.50\",\"tags\":[]},\"context\":{\"groupId\":\"g\"}}" },
        { EVENT_PAGE, "", "{\"properties\":{\"path\":7,\"price\":\"nan\"}}" },
        { EVENT_SCREEN, "", "{\"context\":{\"library\":{\"name\":\"x\"},\"groupId\":12}}" },
        { EVENT_GROUP, "", "{\"properties\":{\"tags\":[[1]],\"n\":-99999999999999999999}}" },
        { EVENT_TRACK, "identify", "{\"properties\":{\"text\":\"\\u0000[\"}}" },
    };
    world_open(&world, 3, 4000000000);
    for (size_t at = 0; at < countof(odd); at++) {
        JournalPos pos = (world.event_count + at) * 100 + 4096;
        Event event = { .type = odd[at].type, .name = str_from(odd[at].name), .source = STR("web"),
                        .timestamp_ms = at == 1 ? 1000 : WORLD_START_MS + (Millis)at * 1000,
                        .json = str_from(odd[at].json),
                        .group_id = odd[at].type == EVENT_GROUP ? STR("acme") : (Str){ 0 } };
        check(index_append(world.index, FIRST_ODD_SUBJECT + (Subject)at % 4, &event, pos, pos + 100, NULL) == OK);
    }
    world.people.visit_users = visit_users;
    world.query.find_trait = find_trait;
    world.query.list_traits = list_traits;
    world.query.memory_bytes = 8 << 20;
    world.query.now_ms = WORLD_START_MS + 4000000000;
    region_open(&region, 256 << 20);
    buf_init(&answer, ANSWER_BYTES_MAX);
}

static void ask(QueryKind kind, Str question)
{
    const TreeNode *tree;
    Err err = { 0 };
    Arena arena = region_arena(&region);
    buf_clear(&answer);
    Status s = query_run(kind, question, &world.query, &answer, &err);
    if (s) {
        check((s == ERR_INPUT || s == ERR_TOO_LARGE) && err.text[0] && answer.len == 0);
        return;
    }
    check(event_tree_read(buf_str(&answer), &arena, &tree, NULL) == OK);
    check(event_tree_is_kind(tree, FIELD_OBJECT));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (!region.start) open_all();
    if (count < 1) return 0;
    char *exact = malloc(count);                        /* on the heap, so that one byte too far is seen */
    memcpy(exact, bytes + 1, count - 1);
    ask((QueryKind)((bytes[0] - '0' + 40 * QUERY_KIND_COUNT) % QUERY_KIND_COUNT), str_of(exact, count - 1));
    free(exact);
    return 0;
}
