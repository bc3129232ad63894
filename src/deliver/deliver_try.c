/* deliver_try: sends one message through one destination, without the store, and reports each request and answer. */
#include "deliver_runner.h"

enum { TRY_BYTES = 64 * 1024 * 1024, STEP_MS = 200, TURNS_MOST = 40, TRY_MS = 30000 };

struct trying {
    struct fetch fetch;                     /* first */
    const DeliverOptions *options;
    struct runner *runner;
    DeliverTell *tell;
    void *context;
    struct region region;
    Arena arena;
    struct plan plan;
    size_t call_at;
    Millis until_ms;
    const atomic_bool *is_cancelled;
    bool is_answered;
    CallVerdict verdict;
    FetchOutcome outcome;
    FetchRequest request;
    StoredState memory[DESTINATION_STATES];
    size_t memory_count;
};

static Str read_tried_state(void *context, Str key)
{
    struct trying *trying = context;
    for (size_t at = trying->memory_count; at-- > 0;)
        if (str_equal(trying->memory[at].key, key)) return trying->memory[at].value;
    return (Str){ 0 };
}

static Str headers_text(const FetchRequest *request, Arena *arena)
{
    Str text = { 0 };
    for (size_t at = 0; at < request->header_count; at++) {
        const FetchHeader *header = &request->headers[at];
        text = arena_printf(arena, "%.*s%.*s: %.*s\n", STR_FORMAT(text), STR_FORMAT(header->name),
                            STR_FORMAT(secret_is_header(header->name) ? STR("***") : header->value));
    }
    return text;
}

static void on_tried(struct fetch *fetch, const FetchAnswer *answer)
{
    struct trying *trying = (struct trying *)(void *)fetch;
    const struct destination *destination = trying->runner->destination;
    const Call *call = &trying->plan.calls[trying->call_at];
    Ruling ruling = { .calls = &trying->verdict, .call_count = 1, .facts = trying->plan.facts };
    Millis now_ms = clock_now_ms(trying->options->clock);
    JudgeInput input = { &trying->runner->settings, &call, 1, answer, now_ms, &trying->arena };
    DeliverExchange exchange = {
        trying->request.method, secret_hide(input.settings, trying->request.url, &trying->arena),
        headers_text(&trying->request, &trying->arena),
        secret_hide(input.settings, trying->request.body, &trying->arena), answer->status,
        secret_hide(input.settings, answer->body, &trying->arena),
        arena_copy(&trying->arena, secret_hide(input.settings, str_from(answer->error), &trying->arena)).bytes,
        answer->took_ms,
    };
    trying->tell(trying->context, &exchange);
    if (destination->judge) destination->judge(&input, &ruling);
    else judge_by_status(&input, &ruling);
    for (size_t at = 0; at < ruling.stored_count && trying->memory_count < countof(trying->memory); at++)
        trying->memory[trying->memory_count++] = ruling.stored[at];
    trying->outcome = answer->outcome;
    trying->is_answered = true;
}

/* Sends one call and waits for its verdict. */
static Status try_call(struct trying *trying, Err *err)
{
    struct fetcher *fetcher = trying->options->fetcher;
    const Call *call = &trying->plan.calls[trying->call_at];
    PackInput input = { &trying->runner->settings, &call, 1, trying->plan.facts, clock_now_ms(trying->options->clock) };
    Status s;
    trying->request = (FetchRequest){ 0 };
    trying->is_answered = false;
    s = trying->runner->destination->pack(&input, &trying->arena, &trying->request, err);
    if (s) return s;
    if (trying->request.method.len == 0) {
        trying->verdict = (CallVerdict){ VERDICT_DONE, { 0 } };
        return OK;
    }
    trying->fetch = (struct fetch){ .on_done = on_tried, .owner = trying };
    s = fetcher->submit(fetcher, &trying->request, &trying->fetch, err);
    while (!s && !trying->is_answered) {
        s = fetcher->step(fetcher, STEP_MS, err);
        bool is_left = trying->is_cancelled && atomic_load_explicit(trying->is_cancelled, memory_order_relaxed);
        bool is_late = clock_now_ms(trying->options->clock) >= trying->until_ms;
        if (s || trying->is_answered || (!is_late && !is_left)) continue;
        fetcher->cancel(fetcher, &trying->fetch);
        s = is_left ? err_set(err, ERR_CLOSED, "nobody waits for the answer any more")
                    : err_set(err, ERR_TIMEOUT, "no answer within %d s", TRY_MS / 1000);
    }
    return s;
}

static Str reason_of(struct trying *trying)
{
    return secret_hide(&trying->runner->settings, trying->verdict.reason, &trying->arena);
}

static Status try_calls(struct trying *trying, Err *err)
{
    for (int turn = 0; turn < TURNS_MOST && trying->call_at < trying->plan.call_count; turn++) {
        Status s = try_call(trying, err);
        if (s) return s;
        switch (trying->verdict.verdict) {
        case VERDICT_DONE: trying->call_at++; break;
        case VERDICT_END: trying->call_at = trying->plan.call_count; break;
        case VERDICT_AGAIN: break;
        case VERDICT_RETRY:
            return err_set(err, trying->outcome == FETCH_ANSWERED ? ERR_RATE : ERR_IO, "%.*s",
                           STR_FORMAT(reason_of(trying)));
        case VERDICT_REFUSED: return err_set(err, ERR_DENIED, "%.*s", STR_FORMAT(reason_of(trying)));
        }
    }
    return OK;
}

static Str default_message(const DeliverOptions *options, Arena *arena)
{
    enum { ROOM = 512 };
    char id[36];
    struct buf out;
    buf_init_fixed(&out, arena_bytes(arena, ROOM), ROOM);
    dice_uuid(options->dice, id);
    json_object(&out, NULL);
    json_word(&out, "type", "track");
    json_word(&out, "event", "Onym Test");
    json_word(&out, "userId", "onym-test");
    json_string(&out, "messageId", str_of(id, sizeof id));
    json_instant(&out, "timestamp", clock_now_ms(options->clock));
    json_object(&out, "properties");
    json_bool(&out, "test", true);
    json_object_end(&out);
    json_object(&out, "context");
    json_object_end(&out);
    json_object_end(&out);
    check(buf_ok(&out));
    return buf_str(&out);
}

static void read_message(const TreeNode *json, Event *event, Outgoing *outgoing)
{
    Millis at_ms = 0;
    (void)!instant_parse(event_tree_text(json, "timestamp"), &at_ms);
    *event = (Event){
        .type = event_type_from(event_tree_text(json, "type")), .source = event_tree_text(json, "projectId"),
        .message_id = event_tree_text(json, "messageId"),
        .user_id = event_tree_text(json, "userId"), .anonymous_id = event_tree_text(json, "anonymousId"),
        .previous_id = event_tree_text(json, "previousId"), .group_id = event_tree_text(json, "groupId"),
        .name = event_tree_text(json, "event"), .timestamp_ms = at_ms, .received_at_ms = at_ms, .json = json->raw,
    };
    if (event->type != EVENT_TRACK) event->name = event_tree_text(json, "name");
    *outgoing = (Outgoing){ .event = event, .json = json, .user_id = event->user_id,
                            .anonymous_id = event->anonymous_id, .previous_id = event->previous_id,
                            .group_id = event->group_id };
}

static bool wants_links(const struct runner *runner)
{
    return runner->destination->wants_links && runner->destination->wants_links(&runner->settings);
}

static Status try_message(struct trying *trying, Str message, Err *err)
{
    const TreeNode *json;
    Event event;
    Outgoing outgoing;
    LinkFact link;
    Status s = event_tree_read(message, &trying->arena, &json, err);
    if (!s && event_type_from(event_tree_text(json, "type")) == EVENT_NONE)
        s = err_set_field(err, "message.type", "message.type: is none of identify, track, page, screen, group, alias");
    if (!s) s = rules_redact(&trying->runner->rules, json, &trying->arena, &json, err);
    if (s) return s;
    read_message(json, &event, &outgoing);
    if (outgoing.user_id.len && outgoing.anonymous_id.len && wants_links(trying->runner)) {
        link = (LinkFact){ outgoing.anonymous_id, outgoing.user_id, event.timestamp_ms, false };
        outgoing.links = &link;
        outgoing.link_count = 1;
    }
    plan_init(&trying->plan, &trying->runner->settings, &trying->arena, read_tried_state, trying);
    s = trying->runner->destination->build(&trying->plan, &outgoing, err);
    if (!s && trying->plan.call_count == 0)
        s = err_set(err, ERR_INPUT, "nothing to send: %s", trying->plan.skipped ? trying->plan.skipped : "no calls");
    if (!s) s = try_calls(trying, err);
    plan_done(&trying->plan);
    return s;
}

Status deliver_try(const DeliverOptions *options, const DestinationConfig *config, const DeliverTrial *trial, Err *err)
{
    struct region region = { 0 };
    struct trying *trying;
    Arena arena;
    Status s;
    region_open(&region, TRY_BYTES);
    arena = region_arena(&region);
    trying = arena_new(&arena, struct trying, 1);
    trying->options = options;
    trying->tell = trial->tell;
    trying->context = trial->context;
    trying->is_cancelled = trial->is_cancelled;
    trying->until_ms = clock_now_ms(options->clock) + TRY_MS;
    trying->arena = arena;
    s = runner_open(NULL, config, &trying->runner, err);
    Str message = trial->message.len ? trial->message : default_message(options, &trying->arena);
    if (!s) s = try_message(trying, message, err);
    runner_close(trying->runner);
    region_close(&region);
    return s;
}
