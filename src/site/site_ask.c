/* site_ask: the server is asked from here, beside the page: whether it knows the write key and takes calls from
 * the page's origin (its settings document), and whether the path of calls leads to an Onym at all (a batch without
 * messages, which counts nowhere). */
#include "site.h"

enum { LEAST_MS = 500, ANSWER_BYTES = 64 * 1024, MEGA_NS = 1000000 };

struct question {
    struct fetch fetch;
    bool is_done;
    FetchAnswer answer;
    Str body, location, type;
    Arena *arena;
};

static void on_done(struct fetch *fetch, const FetchAnswer *answer)
{
    struct question *question = fetch->owner;
    question->is_done = true;
    question->answer = *answer;
    question->body = arena_copy(question->arena, str_slice(answer->body, 0, ANSWER_BYTES));
    question->location = arena_copy(question->arena, str_slice(fetch_header(answer->headers, STR("location")), 0,
                                                               1024));
    question->type = arena_copy(question->arena, str_slice(fetch_header(answer->headers, STR("content-type")), 0, 128));
}

static Str says(const struct question *question, Arena *arena)
{
    const TreeNode *root;
    Arena scratch = *arena;
    if (!question->is_done) return STR("no answer in time");
    if (question->answer.outcome != FETCH_ANSWERED) return arena_copy(arena, str_from(question->answer.error));
    if (event_tree_read(question->body, &scratch, &root, NULL) == OK) {
        Str message = event_tree_text(root, "error.message");
        if (message.len) return arena_copy(arena, str_slice(message, 0, 300));
    }
    return arena_printf(arena, "HTTP %d%s%.*s", question->answer.status, question->type.len ? ", " : "",
                        STR_FORMAT(str_slice(question->type, 0, 60)));
}

static SiteKey judge_key(const struct question *question, Arena scratch)
{
    const TreeNode *root;
    if (!question->is_done || question->answer.outcome != FETCH_ANSWERED) return KEY_NO_ANSWER;
    if (event_tree_read(question->body, &scratch, &root, NULL)) return KEY_NO_ONYM;
    Str code = event_tree_text(root, "error.code"), message = event_tree_text(root, "error.message");
    if (question->answer.status == 200 && event_tree_find(root, "integrations")) return KEY_KNOWN;
    if (str_equal(code, STR("unauthorized"))) return KEY_ORIGIN;
    if (!str_equal(code, STR("not_found"))) return KEY_NO_ONYM;
    if (str_ends(message, STR("is disabled"))) return KEY_DISABLED;
    return str_contains(message, STR("write key")) ? KEY_UNKNOWN : KEY_NO_ONYM;
}

static SiteCollect judge_collect(const struct question *question, Arena scratch)
{
    const TreeNode *root;
    if (!question->is_done || question->answer.outcome != FETCH_ANSWERED) return COLLECT_NO_ANSWER;
    int status = question->answer.status;
    if (status >= 300 && status < 400) return COLLECT_REDIRECT;
    if (status != 200) return COLLECT_REFUSED;
    if (str_contains(question->type, STR("html"))) return COLLECT_HTML;
    if (event_tree_read(question->body, &scratch, &root, NULL)) return COLLECT_OTHER;
    const TreeNode *success = event_tree_get(root, STR("success"));
    return event_tree_is_kind(success, FIELD_BOOL) && success->truth ? COLLECT_FINE : COLLECT_OTHER;
}

/* Where the settings are, beside the path of calls: below a path of the source's own they are called s. */
static Str settings_url(const struct site_facts *facts, Arena *arena)
{
    Str base = facts->collect_url;
    Str own = facts->probe.own_path, key = percent_encode(arena, facts->write_key, PERCENT_URL);
    if (facts->server.len)
        return arena_printf(arena, "%.*s/v1/projects/%.*s/settings", STR_FORMAT(site_url_origin(facts->server, arena)),
                            STR_FORMAT(key));
    while (base.len && base.bytes[base.len - 1] != '/') base.len--;
    Str own_end = own.len ? arena_printf(arena, "/%.*s/", STR_FORMAT(own)) : (Str){ 0 };
    if (own_end.len && str_ends(base, own_end)) return arena_printf(arena, "%.*ss", STR_FORMAT(base));
    return arena_printf(arena, "%.*sprojects/%.*s/settings", STR_FORMAT(base), STR_FORMAT(key));
}

struct asking { Str method, url, body, origin; Millis timeout_ms; };

static bool submit(struct fetcher *fetcher, struct question *question, const struct asking *asking, Arena *arena)
{
    Err err;
    FetchRequest request = {
        .method = asking->method, .url = asking->url, .body = asking->body,
        .connect_timeout_ms = asking->timeout_ms, .timeout_ms = asking->timeout_ms,
        .answer_bytes_max = ANSWER_BYTES, .allow_private = true, .is_once = true,
    };
    if (asking->origin.len) request.headers[request.header_count++] = (FetchHeader){ STR("Origin"), asking->origin };
    if (asking->body.len)
        request.headers[request.header_count++] = (FetchHeader){ STR("Content-Type"), STR("text/plain") };
    *question = (struct question){ .fetch = { .on_done = on_done, .owner = question }, .arena = arena };
    return fetcher->submit(fetcher, &request, &question->fetch, &err) == OK;
}

static Str empty_batch(Str key, Arena *arena)
{
    struct buf body;
    char *room = arena_bytes(arena, 8 * 1024);
    buf_init_fixed(&body, room, 8 * 1024);
    json_object(&body, NULL);
    json_string(&body, "writeKey", key);
    json_array(&body, "batch");
    json_array_end(&body);
    json_object_end(&body);
    return buf_ok(&body) ? buf_str(&body) : (Str){ 0 };
}

void site_ask(struct site_facts *facts, int64_t until_ns, Arena *arena)
{
    Err err;
    struct fetcher *fetcher;
    struct question key, collect;
    if (!facts->collect_url.len) return;
    if (os_fetcher_open(&(FetchOptions){ 0 }, &fetcher, &err)) return;
    int64_t left_ms = (until_ns - clock_monotonic_ns(os_clock())) / MEGA_NS;
    if (left_ms < LEAST_MS) left_ms = LEAST_MS;
    int64_t end_ns = clock_monotonic_ns(os_clock()) + left_ms * MEGA_NS;
    Str origin = site_url_origin(site_final_url(facts), arena);
    struct asking for_key = { STR("GET"), settings_url(facts, arena), { 0 }, origin, left_ms };
    struct asking for_collect = { STR("POST"), facts->collect_url, empty_batch(facts->write_key, arena), origin,
                                  left_ms };
    bool is_key = facts->write_key.len && submit(fetcher, &key, &for_key, arena);
    bool is_collect = submit(fetcher, &collect, &for_collect, arena);
    while (((is_key && !key.is_done) || (is_collect && !collect.is_done)) && clock_monotonic_ns(os_clock()) < end_ns)
        if (fetcher->step(fetcher, 100, &err)) break;
    if (is_key) {
        facts->key = judge_key(&key, *arena);
        facts->key_says = says(&key, arena);
        if (!key.is_done) fetcher->cancel(fetcher, &key.fetch);
    }
    if (is_collect) {
        facts->collect = judge_collect(&collect, *arena);
        facts->collect_status = collect.answer.status;
        facts->collect_says = facts->collect == COLLECT_REDIRECT ? collect.location : says(&collect, arena);
        if (!collect.is_done) fetcher->cancel(fetcher, &collect.fetch);
    }
    fetcher->close(fetcher);
}
