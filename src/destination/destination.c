/* destination: what all destinations share: settings by table, plans, facts, and answers by status. */
#include "destination.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#define DESTINATION(name) extern const struct destination destination_##name;
#include "destinations.tbl.h"
#undef DESTINATION

const struct destination *const destinations[] = {
#define DESTINATION(name) &destination_##name,
#include "destinations.tbl.h"
#undef DESTINATION
    NULL
};

const struct destination *destination_find(Str name)
{
    for (size_t at = 0; destinations[at]; at++)
        if (str_equal_no_case(str_from(destinations[at]->name), name)) return destinations[at];
    return NULL;
}

Str destination_names(Arena *arena)
{
    Str names = STR("");
    for (size_t at = 0; destinations[at]; at++)
        names = arena_printf(arena, "%.*s%s%s", STR_FORMAT(names), at ? ", " : "", destinations[at]->name);
    return names;
}

/* ---- Settings ---- */

static Status read_word(const DestinationOption *option, Str text, OptionValue *ret, Err *err)
{
    Str word, rest = str_from(option->choices);
    ret->text = text;
    for (ret->number = 0; rest.len > 0; ret->number++) {
        word = str_cut(rest, '|', &rest);
        if (str_equal(word, text)) return OK;
    }
    return err_set_field(err, option->name, "%s: \"%.*s\" is none of %s", option->name, STR_FORMAT(text),
                         option->choices);
}

static Status read_int(const DestinationOption *option, Str text, OptionValue *ret, Err *err)
{
    int64_t least = 0, most = INT64_MAX;
    if (option->choices) {
        Str high, low = str_cut(str_from(option->choices), '.', &high);
        (void)!str_parse_int(low, INT64_MIN, INT64_MAX, &least);
        (void)!str_parse_int(str_slice(high, 1, high.len), INT64_MIN, INT64_MAX, &most);
    }
    if (str_parse_int(text, least, most, &ret->number)) return OK;
    return err_set_field(err, option->name, "%s: \"%.*s\" is no number within %s", option->name, STR_FORMAT(text),
                         option->choices ? option->choices : "range");
}

static Status read_bool(const DestinationOption *option, Str text, OptionValue *ret, Err *err)
{
    ret->number = str_equal(text, STR("true"));
    if (ret->number || str_equal(text, STR("false"))) return OK;
    return err_set_field(err, option->name, "%s: \"%.*s\" is neither true nor false", option->name, STR_FORMAT(text));
}

/* Checks that there is a host and a possible port: without them no request can ever be made, and nobody would notice
 * until messages wait. */
static bool has_place(Str url)
{
    Str host = url_host(url);
    int64_t port;
    size_t end = (size_t)(host.bytes - url.bytes) + host.len, from = end + 1;
    if (!host.len) return false;
    if (end == url.len || url.bytes[end] != ':') return true;
    for (end = from; end < url.len && !strchr("/?#\\", url.bytes[end]);) end++;
    return str_parse_int(str_slice(url, from, end), 1, 65535, &port);
}

static Status read_url(const DestinationOption *option, Str text, OptionValue *ret, Err *err)
{
    FetchRequest request = { .method = STR("POST"), .url = text };
    ret->text = text;
    if (text.len == 0) return OK;
    if (!str_starts(text, STR("https://")) && !str_starts(text, STR("http://")))
        return err_set_field(err, option->name, "%s: begins with neither https:// nor http://", option->name);
    if (fetch_check_request(&request, NULL))
        return err_set_field(err, option->name, "%s: has a blank or a character that is not ASCII; write those "
                             "percent-encoded (of a host's name: as xn--…)", option->name);
    if (!has_place(text))
        return err_set_field(err, option->name, "%s: has no host, or a port that is none of 1 to 65535", option->name);
    return OK;
}

static Status read_texts(const DestinationOption *option, const Node *node, Arena *arena, OptionValue *ret, Err *err)
{
    Str *texts;
    if (node->kind == NODE_TEXT) {                  /* one alone may be written without the brackets */
        texts = arena_new(arena, Str, 1);
        texts[0] = arena_copy(arena, node->text);
        ret->count = 1;
    } else if (node->kind == NODE_LIST) {
        texts = arena_new(arena, Str, node->count ? node->count : 1);
        node_each(child, node) {
            if (child->kind != NODE_TEXT)
                return err_set_field(err, option->name, "%s: wants a list of texts", option->name);
            texts[ret->count++] = arena_copy(arena, child->text);
        }
    } else {
        return err_set_field(err, option->name, "%s: wants a list of texts", option->name);
    }
    ret->texts = texts;
    return OK;
}

static Status read_scalar(const DestinationOption *option, Str text, OptionValue *ret, Err *err)
{
    switch (option->kind) {
    case OPTION_WORD: return read_word(option, text, ret, err);
    case OPTION_INT: return read_int(option, text, ret, err);
    case OPTION_BOOL: return read_bool(option, text, ret, err);
    case OPTION_URL: return read_url(option, text, ret, err);
    case OPTION_TEXT: case OPTION_SECRET: ret->text = text; return OK;
    case OPTION_TEXTS: case OPTION_MAP: break;
    }
    return OK;
}

static Status read_option(const DestinationOption *option, const Node *node, Arena *arena, OptionValue *ret, Err *err)
{
    *ret = (OptionValue){ .is_given = node != NULL };
    if (!node) {
        if (!option->fallback)
            return err_set_field(err, option->name, "%s: must be given: %s", option->name, option->help);
        return read_scalar(option, str_from(option->fallback), ret, err);
    }
    if (option->kind == OPTION_TEXTS) return read_texts(option, node, arena, ret, err);
    if (option->kind == OPTION_MAP) {
        ret->map = node;
        return node->kind == NODE_MAP ? OK : err_set_field(err, option->name, "%s: wants a map", option->name);
    }
    if (node->kind != NODE_TEXT) return err_set_field(err, option->name, "%s: wants one value", option->name);
    return read_scalar(option, arena_copy(arena, node->text), ret, err);
}

static Status refuse_unknown(const struct destination *destination, const Node *node, Err *err)
{
    node_each(child, node) {
        const DestinationOption *option = destination->options;
        char name[64];
        while (option->name && !str_equal(str_from(option->name), child->key)) option++;
        if (option->name) continue;
        snprintf(name, sizeof name, "%.*s", STR_FORMAT(child->key));
        return err_set_field(err, name, "%s: %s has no such setting", name, destination->name);
    }
    return OK;
}

Status destination_read_settings(const struct destination *destination, const Node *node, Arena *arena,
                                 Settings *ret, Err *err)
{
    Status s = OK;
    *ret = (Settings){ .destination = destination };
    if (node && node->kind != NODE_MAP && node->kind != NODE_NULL)
        return err_set_field(err, "settings", "settings: wants a map");
    s = refuse_unknown(destination, node, err);
    for (size_t at = 0; !s && destination->options[at].name; at++) {
        check(at < DESTINATION_OPTIONS);
        s = read_option(&destination->options[at], node_find(node, str_from(destination->options[at].name)), arena,
                        &ret->values[at], err);
    }
    if (!s && destination->validate) s = destination->validate(ret, err);
    return s;
}

bool setting_has(const Settings *settings, int option, Str text)
{
    const OptionValue *value = &settings->values[option];
    for (size_t at = 0; at < value->count; at++)
        if (str_equal(value->texts[at], text)) return true;
    return false;
}

Str setting_in_map(const Settings *settings, int option, Str name)
{
    return node_text(settings->values[option].map, name, (Str){ 0 });
}

/* ---- Plans ---- */

void plan_init(struct plan *plan, const Settings *settings, Arena *arena, Str (*read_state)(void *, Str),
               void *context)
{
    plan->arena = arena;
    plan->settings = settings;
    plan->read_state = read_state;
    plan->context = context;
    plan->call_count = plan->stored_count = plan->report_count = plan->left_out = 0;
    plan->skipped = NULL;
    plan->facts[0] = 0;
    buf_init(&plan->text, DESTINATION_CALL_BYTES);
}

void plan_done(struct plan *plan) { buf_done(&plan->text); }

struct buf *plan_call(struct plan *plan, uint8_t lane, uint8_t kind)
{
    buf_clear(&plan->text);
    if (plan->call_count < DESTINATION_CALLS)
        plan->calls[plan->call_count] = (Call){ .lane = lane, .kind = kind };
    return &plan->text;
}

Status plan_end_call(struct plan *plan, uint8_t flags, uint32_t rest_ms, Err *err)
{
    Call *call;
    if (plan->call_count == DESTINATION_CALLS)
        return err_set(err, ERR_TOO_LARGE, "message needs more than %d calls", DESTINATION_CALLS);
    if (!buf_ok(&plan->text))
        return err_set(err, ERR_TOO_LARGE, "message makes a call of over %d bytes", DESTINATION_CALL_BYTES);
    call = &plan->calls[plan->call_count++];
    call->flags = flags;
    call->rest_ms = rest_ms;
    call->body = arena_copy(plan->arena, buf_str(&plan->text));
    return OK;
}

Str plan_state(struct plan *plan, Str key)
{
    for (size_t at = plan->stored_count; at-- > 0;)
        if (str_equal(plan->stored[at].key, key)) return plan->stored[at].value;
    return plan->read_state ? plan->read_state(plan->context, key) : (Str){ 0 };
}

Str plan_linked_user(struct plan *plan, Str anonymous_id)
{
    Str key = arena_printf(plan->arena, DESTINATION_LINK_KEY "%.*s", STR_FORMAT(anonymous_id));
    return anonymous_id.len ? plan_state(plan, key) : (Str){ 0 };
}

bool plan_knows_user(struct plan *plan, Str user_id)
{
    return plan_state(plan, arena_printf(plan->arena, DESTINATION_USER_KEY "%.*s", STR_FORMAT(user_id))).len > 0;
}

void plan_store(struct plan *plan, Str key, Str value)
{
    if (plan->stored_count == DESTINATION_STATES || value.len > DESTINATION_STATE_BYTES) return;
    plan->stored[plan->stored_count++] =
        (StoredState){ arena_copy(plan->arena, key), arena_copy(plan->arena, value) };
}

void plan_report(struct plan *plan, const char *format, ...)
{
    char text[2 * LIMIT_ID_BYTES + 400];
    va_list arguments;
    if (plan->report_count == DESTINATION_REPORTS) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (plan->report_count == DESTINATION_REPORTS - 1)
        snprintf(text, sizeof text, "and more, which were not written down");
    plan->reports[plan->report_count++] = arena_copy(plan->arena, str_from(text));
}

void plan_left_out(struct plan *plan, const char *format, ...)
{
    enum { MOST = 1500 };
    char text[2 * LIMIT_ID_BYTES + 400];
    Str more, *all = &plan->reports[plan->left_out ? plan->left_out - 1 : 0];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    more = str_from(text);
    if (!plan->left_out) {
        plan_report(plan, "%s", text);
        plan->left_out = plan->report_count;
    } else if (!str_contains(*all, more) && !str_ends(*all, STR("; and more"))) {
        *all = arena_printf(plan->arena, "%.*s; %s", STR_FORMAT(*all), all->len + more.len < MOST ? text : "and more");
    }
}

Str fact_get(const char *facts, const char *key)
{
    Str rest = str_from(facts);
    while (rest.len > 0) {
        Str value, line = str_cut(rest, '\n', &rest);
        Str name = str_cut(line, '=', &value);
        if (str_equal(name, str_from(key))) return value;
    }
    return (Str){ 0 };
}

bool fact_put(char facts[DESTINATION_FACT_BYTES], const char *key, Str value)
{
    char kept[DESTINATION_FACT_BYTES];
    size_t len = 0;
    Str rest = str_from(facts);
    if (memchr(value.bytes ? value.bytes : "", '\n', value.len)) return false;
    while (rest.len > 0) {
        Str unused, line = str_cut(rest, '\n', &rest);
        if (line.len == 0 || str_equal(str_cut(line, '=', &unused), str_from(key))) continue;
        memcpy(kept + len, line.bytes, line.len);
        len += line.len;
        kept[len++] = '\n';
    }
    if (value.len > 0) {
        int more = snprintf(kept + len, sizeof kept - len, "%s=%.*s\n", key, STR_FORMAT(value));
        if (more < 0 || (size_t)more >= sizeof kept - len) return false;
        len += (size_t)more;
    }
    memcpy(facts, kept, len);
    facts[len] = 0;
    return true;
}

void request_header(FetchRequest *request, Str name, Str value)
{
    if (value.len == 0) return;
    check(request->header_count < FETCH_HEADERS);
    request->headers[request->header_count++] = (FetchHeader){ name, value };
}

/* ---- Answers ---- */

void judge_all(Ruling *ruling, Verdict verdict, Str reason)
{
    for (size_t at = 0; at < ruling->call_count; at++) ruling->calls[at] = (CallVerdict){ verdict, reason };
}

/* A wait of a day or more is a mistake, of a clock or of a unit: we ignore it. */
static Millis read_retry_after(const JudgeInput *input)
{
    Str text = fetch_header(input->answer->headers, STR("Retry-After"));
    double seconds = 0;
    Millis at_ms;
    if (!str_parse_double(text, &seconds) && instant_read(text, &at_ms) == INSTANT_READ)
        seconds = (double)(at_ms - input->now_ms) / SECOND_MS;
    return seconds > 0 && seconds < DAY_MS / SECOND_MS ? (Millis)(seconds * SECOND_MS) : 0;
}

bool judge_may_pass(int status)
{
    return status == 408 || status == 423 || status == 425 || status == 429 || (status >= 500 && status != 501);
}

void judge_by_status(const JudgeInput *input, Ruling *ruling)
{
    const FetchAnswer *answer = input->answer;
    int status = answer->status;
    Str reason;
    if (answer->outcome == FETCH_FORBIDDEN) {
        judge_all(ruling, VERDICT_RETRY, arena_copy(input->arena, str_from(answer->error)));
        ruling->is_everybodys = true;               /* only the operator can change that */
        return;
    }
    if (answer->outcome != FETCH_ANSWERED) {
        judge_all(ruling, VERDICT_RETRY, arena_copy(input->arena, str_from(answer->error)));
        return;
    }
    reason = arena_printf(input->arena, "HTTP %d: %.*s", status, (int)(answer->body.len < 300 ? answer->body.len : 300),
                          answer->body.bytes ? answer->body.bytes : "");
    if (status >= 200 && status < 300) {
        judge_all(ruling, VERDICT_DONE, (Str){ 0 });
    } else if (judge_may_pass(status)) {
        judge_all(ruling, VERDICT_RETRY, reason);
        ruling->retry_after_ms = read_retry_after(input);
        ruling->is_everybodys = status == 429 || (status == 503 && ruling->retry_after_ms > 0);
    } else if (ruling->call_count > 1) {                /* one of them is at fault: halve until it is alone */
        judge_all(ruling, VERDICT_RETRY, reason);
        ruling->halve = true;
    } else {
        judge_all(ruling, VERDICT_REFUSED, reason);
    }
}
