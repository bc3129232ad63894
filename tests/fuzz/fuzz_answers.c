/* fuzz_answers: any bytes as what vendors answer. Whatever they say, a call gets a verdict, a wait is at most a day,
 * what is stored is bounded, and the next request goes to the same host with legal URL, headers and body: ids that
 * a vendor gave stand in its path.
 *
 * First byte: the destination; second: the message; then answers, each ended by 0xff: a byte for the status, headers,
 * an empty line, the body. */
#include "destination/destination.h"
#include "destination/destination_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWERS_BYTES_MAX = 64 * 1024, SENDS_MAX = 40, TOGETHER = 3, WAIT_MS_MAX = 86400 * 1000 };

#define HOST "http://vendor.test"
static const char *const configs[][9] = {
    { "webhook", "url=" HOST "/hook", "secret=s3cret", NULL },
    { "webhook", "url=" HOST "/hook", "batch_size=10", NULL },
    { "mixpanel", "token=T", "identity=simplified", "endpoint=" HOST, "increments=E", NULL },
    { "mixpanel", "token=T", "identity=original", "endpoint=" HOST, "transactions=true", NULL },
    { "mixpanel", "token=T", "identity=legacy", "endpoint=" HOST, NULL },
    { "kissmetrics", "api_key=K", "endpoint=" HOST, NULL },
    { "intercom", "access_token=T", "endpoint=" HOST, NULL },
    { "intercom", "access_token=T", "endpoint=" HOST, "anonymous=lead", "collect_context=true", NULL },
};

static const char *const messages[] = {
    "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"anonymousId\":\"a\",\"properties\":{\"revenue\":9.5}}",
    ("{\"type\":\"identify\",\"userId\":\"u\",\"anonymousId\":\"a\",\"traits\":{\"email\":\"a@b.example\","
     "\"plan\":\"p\",\"company\":{\"id\":\"c\",\"name\":\"C\"},\"companies\":[{\"id\":\"d\",\"remove\":true}]}}"),
    "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"email\":\"a@b.example\"}}",
    "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"g\",\"traits\":{\"name\":\"G\",\"employees\":7}}",
    "{\"type\":\"track\",\"event\":\"Order Completed\",\"anonymousId\":\"a\",\"properties\":{\"products\":[{}]}}",
    "{\"type\":\"page\",\"name\":\"Home\",\"userId\":\"u\"}",
    "{\"type\":\"alias\",\"previousId\":\"a\",\"userId\":\"u\"}",
    "{\"type\":\"identify\",\"anonymousId\":\"a\",\"traits\":{\"seen\":1}}",
};

static struct region region, scratch;
static Settings settings[countof(configs)];
static struct memory { char key[600], value[DESTINATION_STATE_BYTES + 1]; size_t key_len, value_len; } memory[32];
static size_t memory_count;

static void read_settings(const char *const *row, Arena *arena, Settings *ret)
{
    Node *map = arena_new(arena, Node, 1);
    const Node **next = &map->first;
    Err err;
    *map = (Node){ .kind = NODE_MAP };
    for (; *row; row++, map->count++) {
        Str value, key = str_cut(str_from(*row), '=', &value);
        Node *node = arena_new(arena, Node, 1);
        *node = (Node){ .kind = NODE_TEXT, .key = key, .text = value };
        *next = node;
        next = &node->next;
    }
    check(destination_read_settings(ret->destination, map, arena, ret, &err) == OK);
}

static void open_all(void)
{
    region_open(&region, 16 << 20);
    region_open(&scratch, 256 << 20);
    Arena arena = region_arena(&region);
    for (size_t at = 0; at < countof(configs); at++) {
        settings[at].destination = destination_find(str_from(configs[at][0]));
        check(settings[at].destination != NULL);
        read_settings(configs[at] + 1, &arena, &settings[at]);
    }
}

/* ---- Memory, as the framework keeps it ---- */

static Str read_state(void *context, Str key)
{
    (void)context;
    for (size_t at = memory_count; at-- > 0;)
        if (str_equal(str_of(memory[at].key, memory[at].key_len), key))
            return str_of(memory[at].value, memory[at].value_len);
    return str_equal(key, STR(DESTINATION_LINK_KEY "a")) ? STR("u") : (Str){ 0 };
}

static void keep(const StoredState *stored, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        struct memory *one = &memory[memory_count % countof(memory)];
        check(stored[at].value.len <= DESTINATION_STATE_BYTES && stored[at].key.len > 0);
        if (stored[at].key.len > sizeof one->key || memory_count >= countof(memory)) continue;
        memcpy(one->key, stored[at].key.bytes, one->key_len = stored[at].key.len);
        one->value_len = stored[at].value.len;
        if (one->value_len) memcpy(one->value, stored[at].value.bytes, one->value_len);
        memory_count++;
    }
}

/* ---- The message ---- */

static Status build(struct plan *plan, const Settings *chosen, const char *text, Arena *arena)
{
    static const LinkFact link = { STR("a"), STR("u"), 1700000000000, false };
    const TreeNode *json;
    Event event;
    Err err;
    check(event_tree_read(str_from(text), arena, &json, &err) == OK);
    event = (Event){
        .type = event_type_from(event_tree_text(json, "type")), .message_id = STR("m-1"),
        .user_id = event_tree_text(json, "userId"), .anonymous_id = event_tree_text(json, "anonymousId"),
        .previous_id = event_tree_text(json, "previousId"), .group_id = event_tree_text(json, "groupId"),
        .name = event_tree_text(json, "event"), .timestamp_ms = 1700000000000, .received_at_ms = 1700000000000,
        .json = json->raw,
    };
    Outgoing outgoing = { .event = &event, .json = json, .user_id = event.user_id, .anonymous_id = event.anonymous_id,
                          .previous_id = event.previous_id, .group_id = event.group_id };
    if (event.user_id.len && event.type != EVENT_GROUP) outgoing.links = &link, outgoing.link_count = 1;
    plan_init(plan, chosen, arena, read_state, NULL);
    return chosen->destination->build(plan, &outgoing, &err);
}

/* ---- Answers ---- */

static FetchAnswer next_answer(Str *rest)
{
    static const int statuses[] = { 200, 201, 202, 204, 302, 400, 401, 402, 403, 404, 406, 408, 409, 413, 415, 422,
                                    423, 425, 429, 500, 501, 502, 503, 504, 100, 999 };
    FetchAnswer answer = { .outcome = FETCH_ANSWERED, .status = 200 };
    Str text = str_cut(*rest, (char)0xff, rest);
    if (text.len == 0) return answer;
    unsigned what = (unsigned char)text.bytes[0];
    text = str_slice(text, 1, text.len);
    if (what >= 250) {
        answer = (FetchAnswer){ .outcome = what & 1 ? FETCH_NOT_SENT : FETCH_IN_DOUBT, .error = "no answer" };
        return answer;
    }
    answer.status = statuses[what % countof(statuses)];
    const char *end = text.len ? memmem(text.bytes, text.len, "\n\n", 2) : NULL;
    answer.headers = end ? str_of(text.bytes, (size_t)(end - text.bytes) + 1) : (Str){ 0 };
    answer.body = end ? str_of(end + 2, (size_t)(text.bytes + text.len - end) - 2) : text;
    return answer;
}

static bool is_visible(Str text, char least)
{
    for (size_t at = 0; at < text.len; at++)
        if (text.bytes[at] < least || text.bytes[at] == 0x7f) return false;
    return true;
}

/* What os/ would refuse, and what would lead the credentials elsewhere. */
static void check_request(const FetchRequest *request, Arena arena)
{
    bool is_json = false;
    const TreeNode *json;
    check(str_starts(request->url, STR(HOST "/")) && is_visible(request->url, '!'));
    check(!str_starts(str_slice(request->url, sizeof HOST - 1, request->url.len), STR("//")));
    check(is_visible(request->method, 'A') && request->method.len < 16 && request->header_count <= FETCH_HEADERS);
    for (size_t at = 0; at < request->header_count; at++) {
        check(is_visible(request->headers[at].name, '!') && is_visible(request->headers[at].value, ' '));
        is_json |= str_starts(request->headers[at].value, STR("application/json"))
            && str_equal(request->headers[at].name, STR("Content-Type"));
    }
    if (is_json && request->body.len) check(event_tree_read(request->body, &arena, &json, NULL) == OK);
}

static void check_ruling(const Ruling *ruling)
{
    size_t bytes = 0;
    for (size_t at = 0; at < ruling->call_count; at++) {
        check(ruling->calls[at].verdict <= VERDICT_END);
        Str reason = ruling->calls[at].reason;
        for (size_t byte = 0; byte < reason.len; byte++) bytes += reason.bytes[byte] != 0;
    }
    check(bytes < 10 * ANSWERS_BYTES_MAX);
    check(ruling->retry_after_ms >= 0 && ruling->retry_after_ms <= WAIT_MS_MAX);
    check(ruling->stored_count <= countof(ruling->stored));
    check(strnlen(ruling->facts, DESTINATION_FACT_BYTES) < DESTINATION_FACT_BYTES);
}

/* One request with the message's next call, several times over where calls go together. The first one's verdict. */
static Verdict send(const Settings *chosen, struct plan *plan, size_t at, Str *answers, Arena *arena)
{
    const struct destination *destination = chosen->destination;
    const Call *calls[TOGETHER] = { &plan->calls[at], &plan->calls[at], &plan->calls[at] };
    size_t count = destination->limits && destination->limits(chosen, calls[0]->lane).calls_max > 1 ? TOGETHER : 1;
    char others[DESTINATION_FACT_BYTES] = "";
    char *facts = count == 1 ? plan->facts : others;
    FetchRequest request = { 0 };
    PackInput pack = { chosen, calls, count, facts, 1700000000000 };
    Err err = { 0 };
    if (destination->pack(&pack, arena, &request, &err)) {
        check(err.text[0]);
        return VERDICT_REFUSED;
    }
    if (request.method.len == 0) return VERDICT_DONE;           /* nothing needs to be said */
    check_request(&request, *arena);
    FetchAnswer answer = next_answer(answers);
    Ruling ruling = { .calls = arena_new(arena, CallVerdict, count), .call_count = count, .facts = facts };
    JudgeInput judge = { chosen, calls, count, &answer, 1700000000000, arena };
    if (destination->judge) destination->judge(&judge, &ruling);
    else judge_by_status(&judge, &ruling);
    check_ruling(&ruling);
    keep(ruling.stored, ruling.stored_count);
    return ruling.calls[0].verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!region.start) open_all();
    if (size < 2 || size > ANSWERS_BYTES_MAX) return 0;
    Arena arena = region_arena(&scratch);
    const Settings *chosen = &settings[data[0] % countof(settings)];
    char *exact = malloc(size);
    check(exact != NULL);
    memcpy(exact, data + 2, size - 2);
    Str answers = { exact, size - 2 };
    struct plan *plan = arena_new(&arena, struct plan, 1);
    memory_count = 0;
    for (int round = 0; round < 2 && answers.len > 0; round++) {        /* the second with what the first one learned */
        if (build(plan, chosen, messages[(data[1] + round) % countof(messages)], &arena) == OK) {
            keep(plan->stored, plan->stored_count);
            for (size_t at = 0, sends = 0; at < plan->call_count && sends < SENDS_MAX && answers.len > 0; sends++) {
                Verdict verdict = send(chosen, plan, at, &answers, &arena);
                if (verdict == VERDICT_END) break;
                at += verdict == VERDICT_DONE || verdict == VERDICT_REFUSED;
            }
        }
        plan_done(plan);
    }
    free(exact);
    return 0;
}
