/* driver: a destination's pure functions for a script to call. One JSON object a line in, one out.
 *
 *   in   {"type":"mixpanel","settings":{…},"events":[canonical message, …],"links":[["anonymous","user"], …],
 *         "answers":[{"status":200,"body":"…"}, …],"now":ms,"memory":{…},"links_last":bool}
 *        (the links go with the first event, or with the last; an event with "previousIsUser":true is an alias whose
 *        previous id identity knows as a user's)
 *   out  {"requests":[{"method","url","headers","body"}],"events":[{"verdict","reason"}],"reports":[…],"error":"…"}
 *
 * Events of one line go through as the framework would send them: their calls in order, calls of one lane in
 * one request up to its limits where there are several events, each answered by the next of the answers (the
 * last one again when they run out).
 */
#include "src/destination/destination.h"
#include "src/destination/destination_text.h"

#include <stdio.h>
#include <stdlib.h>

struct line {
    const TreeNode *root;
    Settings settings;
    const TreeNode *answer;             /* the next */
    Millis now_ms;
    Arena *arena;
    struct buf requests, reports, out;
    StoredState memory[256];
    size_t memory_count;
};

struct item {                           /* one event on its way */
    Event event;
    Outgoing outgoing;
    struct plan plan;
    size_t at;                          /* call */
    Verdict verdict;
    Str reason;
};

static Str read_state(void *context, Str key)
{
    struct line *line = context;
    bool is_last = event_tree_is_given(event_tree_get(line->root, STR("links_last")));      /* not told before */
    const TreeNode *links = is_last ? NULL : event_tree_get(line->root, STR("links"));
    for (const TreeNode *link = links ? links->first : NULL; link; link = link->next)
        if (str_starts(key, STR(DESTINATION_LINK_KEY)) && str_ends(key, link->first->text)
            && key.len == sizeof DESTINATION_LINK_KEY - 1 + link->first->text.len) return link->first->next->text;
    for (size_t at = line->memory_count; at-- > 0;)
        if (str_equal(line->memory[at].key, key)) return line->memory[at].value;
    return event_tree_text(event_tree_get(line->root, STR("memory")), arena_copy(line->arena, key).bytes);
}

static void store_states(struct line *line, const StoredState *stored, size_t count)
{
    for (size_t at = 0; at < count && line->memory_count < countof(line->memory); at++)
        line->memory[line->memory_count++] = stored[at];
}

static Node *node_of(Arena *arena, const TreeNode *tree)
{
    Node *node = arena_new(arena, Node, 1), **next = (Node **)(void *)&node->first;
    node->key = tree->key;
    node->count = tree->count;
    node->kind = tree->kind == FIELD_OBJECT ? NODE_MAP : tree->kind == FIELD_ARRAY ? NODE_LIST
        : tree->kind == FIELD_NULL ? NODE_NULL : NODE_TEXT;
    node->text = tree->kind == FIELD_STRING ? tree->text : tree->raw;
    for (const TreeNode *child = tree->first; child; child = child->next) {
        *next = node_of(arena, child);
        next = (Node **)(void *)&(*next)->next;
    }
    return node;
}

static Millis instant_at(const TreeNode *root, const char *path)
{
    Millis at_ms = 0;
    (void)!instant_parse(event_tree_text(root, path), &at_ms);
    return at_ms;
}

static void read_event(struct item *item, const TreeNode *json)
{
    item->event = (Event){
        .type = event_type_from(event_tree_text(json, "type")), .source = event_tree_text(json, "projectId"),
        .message_id = event_tree_text(json, "messageId"),
        .user_id = event_tree_text(json, "userId"), .anonymous_id = event_tree_text(json, "anonymousId"),
        .previous_id = event_tree_text(json, "previousId"), .group_id = event_tree_text(json, "groupId"),
        .name = event_tree_text(json, "event"), .category = event_tree_text(json, "category"),
        .timestamp_ms = instant_at(json, "timestamp"), .received_at_ms = instant_at(json, "receivedAt"),
        .json = json->raw,
    };
    if (item->event.type != EVENT_TRACK) item->event.name = event_tree_text(json, "name");
    item->outgoing = (Outgoing){
        .event = &item->event, .json = json, .user_id = item->event.user_id,
        .anonymous_id = item->event.anonymous_id, .previous_id = item->event.previous_id,
        .group_id = item->event.group_id,
        .previous_is_user = event_tree_is_kind(event_tree_get(json, STR("previousIsUser")), FIELD_BOOL),
    };
}

static void read_links(struct line *line, struct item *item)
{
    const TreeNode *links = event_tree_get(line->root, STR("links"));
    LinkFact *facts = arena_new(line->arena, LinkFact, links ? links->count + 1 : 1);
    for (const TreeNode *link = links ? links->first : NULL; link; link = link->next)
        facts[item->outgoing.link_count++] =
            (LinkFact){ link->first->text, link->first->next->text, item->event.timestamp_ms, false };
    item->outgoing.links = facts;
}

static void write_request(struct line *line, const FetchRequest *request)
{
    struct buf *out = &line->requests;
    json_object(out, NULL);
    member_text(out, STR("method"), request->method);
    member_text(out, STR("url"), request->url);
    json_object(out, "headers");
    for (size_t at = 0; at < request->header_count; at++)
        member_text(out, request->headers[at].name, request->headers[at].value);
    json_object_end(out);
    json_string(out, "body", request->body);
    json_object_end(out);
}

static FetchAnswer next_answer(struct line *line)
{
    FetchAnswer answer = { .outcome = FETCH_ANSWERED, .status = 200 };
    const TreeNode *given = line->answer;
    int64_t status;
    if (!given) return answer;
    if (str_parse_int(event_tree_text(given, "status"), 0, 999, &status)) answer.status = (int)status;
    answer.body = event_tree_text(given, "body");
    answer.headers = event_tree_text(given, "headers");
    if (given->next) line->answer = given->next;
    return answer;
}

/* One request with the current calls of these items. */
static void send_items(struct line *line, struct item *const *items, size_t count)
{
    const struct destination *destination = line->settings.destination;
    const Call **calls = arena_new(line->arena, const Call *, count);
    char *facts = items[0]->plan.facts;
    FetchRequest request = { 0 };
    Ruling ruling = { .calls = arena_new(line->arena, CallVerdict, count), .call_count = count, .facts = facts };
    FetchAnswer answer;
    Err err = { 0 };
    PackInput input = { &line->settings, calls, count, facts, line->now_ms };
    for (size_t at = 0; at < count; at++) calls[at] = &items[at]->plan.calls[items[at]->at];
    check(destination->pack(&input, line->arena, &request, &err) == OK);
    if (request.method.len == 0) {
        items[0]->at++;
        return;
    }
    write_request(line, &request);
    answer = next_answer(line);
    JudgeInput judge = { &line->settings, calls, count, &answer, line->now_ms, line->arena };
    if (destination->judge) destination->judge(&judge, &ruling);
    else judge_by_status(&judge, &ruling);
    store_states(line, ruling.stored, ruling.stored_count);
    if (ruling.report.len) {
        json_string(&line->reports, NULL, ruling.report);
    }
    for (size_t at = 0; at < count; at++) {
        items[at]->verdict = ruling.calls[at].verdict;
        items[at]->reason = ruling.calls[at].reason;
        if (ruling.calls[at].verdict == VERDICT_DONE) items[at]->at++;
        if (ruling.calls[at].verdict == VERDICT_END) items[at]->at = items[at]->plan.call_count;
    }
}

static bool is_waiting(const struct item *item)
{
    bool may = item->verdict == VERDICT_DONE || item->verdict == VERDICT_AGAIN;
    return may && item->at < item->plan.call_count;
}

static void send_all(struct line *line, struct item *items, size_t count)
{
    struct item *chosen[4096];
    for (int turn = 0; turn < 200; turn++) {
        size_t chosen_count = 0;
        LaneLimits limits = { 1, 0 };
        for (size_t at = 0; at < count && chosen_count < limits.calls_max; at++) {
            const Call *call = &items[at].plan.calls[items[at].at];
            if (!is_waiting(&items[at])) continue;
            if (chosen_count && call->lane != chosen[0]->plan.calls[chosen[0]->at].lane) continue;
            if (!chosen_count) limits = line->settings.destination->limits(&line->settings, call->lane);
            chosen[chosen_count++] = &items[at];
        }
        if (!chosen_count) return;
        send_items(line, chosen, chosen_count);
    }
}

static void write_items(struct line *line, struct item *items, size_t count)
{
    static const char *const words[] = { "done", "retry", "refused", "again", "end" };
    json_array(&line->out, "events");
    for (size_t at = 0; at < count; at++) {
        json_object(&line->out, NULL);
        member_text(&line->out, STR("verdict"), str_from(words[items[at].verdict]));
        member_text(&line->out, STR("reason"), items[at].reason);
        if (items[at].plan.call_count == 0 && items[at].plan.skipped)
            member_text(&line->out, STR("skipped"), str_from(items[at].plan.skipped));
        json_int(&line->out, "calls", (int64_t)items[at].plan.call_count);
        json_object_end(&line->out);
    }
    json_array_end(&line->out);
}

static void build_item(struct line *line, struct item *item, const TreeNode *json)
{
    Err err = { 0 };
    read_event(item, json);
    bool is_last = event_tree_is_given(event_tree_get(line->root, STR("links_last")));
    if (is_last ? !json->next : json == event_tree_get(line->root, STR("events"))->first) read_links(line, item);
    plan_init(&item->plan, &line->settings, line->arena, read_state, line);
    if (line->settings.destination->build(&item->plan, &item->outgoing, &err)) {
        item->verdict = VERDICT_REFUSED;
        item->reason = arena_copy(line->arena, str_from(err.text));
        item->plan.call_count = 0;
    }
    store_states(line, item->plan.stored, item->plan.stored_count);
    for (size_t at = 0; at < item->plan.report_count; at++) {
        json_string(&line->reports, NULL, item->plan.reports[at]);
    }
}

static void run_line(struct line *line)
{
    const TreeNode *events = event_tree_get(line->root, STR("events"));
    const TreeNode *answers = event_tree_get(line->root, STR("answers"));
    const struct destination *destination = destination_find(event_tree_text(line->root, "type"));
    struct item *items = arena_new(line->arena, struct item, events->count + 1);
    size_t count = 0;
    Err err = { 0 };
    check(destination);
    line->answer = answers ? answers->first : NULL;
    (void)!str_parse_int(event_tree_text(line->root, "now"), 0, INT64_MAX, &line->now_ms);
    if (destination_read_settings(destination, node_of(line->arena, event_tree_get(line->root, STR("settings"))),
                                  line->arena, &line->settings, &err)) {
        member_text(&line->out, STR("error"), str_from(err.text));
        return;
    }
    for (const TreeNode *json = events->first; json; json = json->next) build_item(line, &items[count++], json);
    send_all(line, items, count);
    write_items(line, items, count);
    for (size_t at = 0; at < count; at++) plan_done(&items[at].plan);
}

int main(void)
{
    struct region region;
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len;
    region_open(&region, 1 << 30);
    while ((len = getline(&text, &capacity, stdin)) > 0) {
        Arena arena = region_arena(&region);
        struct line line = { .arena = &arena };
        Err err;
        buf_init(&line.requests, 1 << 28);
        buf_init(&line.reports, 1 << 20);
        buf_init(&line.out, 1 << 28);
        json_object(&line.out, NULL);
        json_array(&line.requests, NULL);
        json_array(&line.reports, NULL);
        if (event_tree_read(str_trim(str_of(text, (size_t)len)), &arena, &line.root, &err)) {
            fprintf(stderr, "driver: %s\n", err.text);
            return 1;
        }
        run_line(&line);
        json_array_end(&line.requests);
        json_array_end(&line.reports);
        json_raw(&line.out, "requests", buf_str(&line.requests));
        json_raw(&line.out, "reports", buf_str(&line.reports));
        buf_str_put(&line.out, STR("}\n"));
        check(buf_ok(&line.out) && buf_ok(&line.requests));
        fwrite(line.out.bytes, 1, line.out.len, stdout);
        fflush(stdout);
        buf_done(&line.requests);
        buf_done(&line.reports);
        buf_done(&line.out);
    }
    free(text);
    region_close(&region);
    return 0;
}
