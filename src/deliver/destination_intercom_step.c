/* destination_intercom_step: calls as requests, one after the other.
 *
 * Intercom knows no "create or update": a contact is looked up, then updated or created, and its index of
 * contacts lags behind by minutes. So a call walks through steps, and what an answer taught stands in the
 * facts of the message (contact, company, lead, strip) until the next step:
 *
 *   contact   find -> put                           known by its external id
 *             find -> leads -> post -> merge        new; the one lead with the same email is merged in
 *             post -> put, unarchive -> put         409: it is there after all, or archived
 *             put -> find                           404: the remembered id is stale
 *   event     event -> create -> event              404: nobody made the contact yet
 *   detach    company -> detach
 *
 * An attribute that the workspace does not have fails the whole contact: it is left out, and reported.
 */
#include "destination_intercom.h"

#include <ctype.h>

/* ---- Facts ---- */

static bool is_step(const char *facts, const char *step) { return str_equal(fact_get(facts, "do"), str_from(step)); }

/* The step that a call begins with. */
static Str first_step(const Call *call, const char *facts)
{
    Str contact = fact_get(facts, "contact");
    switch (call->kind) {
    case KIND_CONTACT: return contact.len ? STR("put") : STR("find");
    case KIND_LOOK: return contact.len ? STR("none") : STR("find");
    case KIND_EVENT: return STR("event");
    case KIND_DETACH: return STR("company");
    case KIND_ATTACH: return contact.len && fact_get(facts, "company").len ? STR("attach") : STR("none");
    case KIND_MERGE: return contact.len ? STR("merge") : STR("none");
    case KIND_COMPANY: return STR("company");
    case KIND_LEAD: return STR("lead");
    default: return STR("none");
    }
}

static Str step_of(const Call *call, const char *facts)
{
    Str step = fact_get(facts, "do");
    return step.len ? step : first_step(call, facts);
}

/* ---- Requests ---- */

static Str escaped(Arena *arena, Str text)
{
    char bytes[LIMIT_ID_BYTES * 3 + 8];
    struct buf out;
    buf_init_fixed(&out, bytes, sizeof bytes);
    url_escape(&out, text);
    return arena_copy(arena, buf_str(&out));
}

/* Ids are the vendor's words: they stand in JSON and paths as texts do. */
static Str ids_body(Arena *arena, const char *name, Str id, const char *other_name, Str other_id)
{
    char bytes[8 * DESTINATION_FACT_BYTES + LIMIT_ID_BYTES];
    struct buf out;
    buf_init_fixed(&out, bytes, sizeof bytes);
    buf_char(&out, '{');
    json_text(&out, str_from(name), id);
    json_text(&out, str_from(other_name), other_id);
    buf_char(&out, '}');
    return arena_copy(arena, buf_str(&out));
}

static Str search_body(Arena *arena, const char *field, Str value, bool leads_only)
{
    char bytes[4096];
    struct buf out;
    buf_init_fixed(&out, bytes, sizeof bytes);
    if (leads_only)
        buf_str_put(&out, STR("{\"query\":{\"operator\":\"AND\",\"value\":[{\"field\":\"role\",\"operator\":\"=\","
                              "\"value\":\"lead\"},"));
    else
        buf_str_put(&out, STR("{\"query\":"));
    buf_char(&out, '{');
    json_text(&out, STR("field"), str_from(field));
    json_text(&out, STR("operator"), STR("="));
    json_text(&out, STR("value"), value);
    buf_str_put(&out, leads_only ? STR("}]}}") : STR("}}"));
    return arena_copy(arena, buf_str(&out));
}

static bool is_stripped(const char *facts, Str name)
{
    Str rest = fact_get(facts, "strip");
    while (rest.len > 0)
        if (str_equal(str_cut(rest, ',', &rest), name)) return true;
    return false;
}

/* The contact without the attributes that the workspace turned out not to have. */
static Str strip_attributes(Arena *arena, Str body, const char *facts)
{
    const TreeNode *root;
    struct buf out;
    Str text;
    if (fact_get(facts, "strip").len == 0 || event_tree_read(body, arena, &root, NULL)) return body;
    buf_init(&out, DESTINATION_CALL_BYTES);
    buf_char(&out, '{');
    for (const TreeNode *child = root->first; child; child = child->next) {
        if (!str_equal(child->key, STR("custom_attributes"))) {
            json_raw(&out, child->key, child->raw);
            continue;
        }
        json_key(&out, child->key);
        buf_char(&out, '{');
        for (const TreeNode *attribute = child->first; attribute; attribute = attribute->next)
            if (!is_stripped(facts, attribute->key)) json_raw(&out, attribute->key, attribute->raw);
        buf_char(&out, '}');
    }
    buf_char(&out, '}');
    text = arena_copy(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static Str text_in_body(Str body, Arena *arena, const char *key)
{
    const TreeNode *root;
    if (event_tree_read(body, arena, &root, NULL)) return (Str){ 0 };
    return event_tree_text(root, key);
}

struct target {
    Str method, path, body;
};

static struct target pack_find(const Call *call, Arena *arena)
{
    Str external = text_in_body(call->body, arena, "external_id");
    Str email = text_in_body(call->body, arena, "email");
    if (external.len)
        return (struct target){ STR("GET"), arena_printf(arena, "/contacts/find_by_external_id/%s",
                                                         escaped(arena, external).bytes), { 0 } };
    return (struct target){ STR("POST"), STR("/contacts/search"), search_body(arena, "email", email, false) };
}

static struct target pack_contact_step(const PackInput *input, Str step, Arena *arena)
{
    const Call *call = input->calls[0];
    Str contact = fact_get(input->facts, "contact"), lead = fact_get(input->facts, "lead");
    if (str_equal(step, STR("find"))) return pack_find(call, arena);
    if (str_equal(step, STR("leads")))
        return (struct target){ STR("POST"), STR("/contacts/search"),
                                search_body(arena, "email", text_in_body(call->body, arena, "email"), true) };
    if (str_equal(step, STR("post")))
        return (struct target){ STR("POST"), STR("/contacts"), strip_attributes(arena, call->body, input->facts) };
    if (str_equal(step, STR("unarchive")))
        return (struct target){ STR("POST"), arena_printf(arena, "/contacts/%s/unarchive",
                                                          escaped(arena, contact).bytes), { 0 } };
    if (str_equal(step, STR("merge")))
        return (struct target){ STR("POST"), STR("/contacts/merge"), ids_body(arena, "from", lead, "into", contact) };
    return (struct target){ STR("PUT"), arena_printf(arena, "/contacts/%s", escaped(arena, contact).bytes),
                            strip_attributes(arena, call->body, input->facts) };
}

/* An event names its contact by id where the id was learned (leads have no other name). */
static Str event_body(const PackInput *input, Arena *arena)
{
    Str body = input->calls[0]->body, contact = fact_get(input->facts, "contact");
    bool is_named = fact_get(input->facts, "user").len > 0;
    if (is_named || !contact.len) return body;
    Str id = ids_body(arena, "id", contact, "", (Str){ 0 });
    return arena_printf(arena, "%.*s,%.*s", (int)(body.len - 1), body.bytes, (int)(id.len - 1), id.bytes + 1);
}

static struct target pack_event_step(const PackInput *input, Str step, Arena *arena)
{
    const Call *call = input->calls[0];
    Str user = fact_get(input->facts, "user"), contact = fact_get(input->facts, "contact"), email;
    char bytes[2048];
    struct buf out;
    if (str_equal(step, STR("create"))) {
        buf_init_fixed(&out, bytes, sizeof bytes);
        buf_str_put(&out, STR("{\"role\":\"user\""));
        json_text(&out, STR("external_id"), user);
        buf_char(&out, '}');
        return (struct target){ STR("POST"), STR("/contacts"), arena_copy(arena, buf_str(&out)) };
    }
    email = text_in_body(call->body, arena, "email");
    if (!user.len && !contact.len && email.len)
        return (struct target){ STR("POST"), STR("/contacts/search"), search_body(arena, "email", email, false) };
    return (struct target){ STR("POST"), STR("/events"), event_body(input, arena) };
}

static struct target pack_target(const PackInput *input, Arena *arena)
{
    const Call *call = input->calls[0];
    Str step = step_of(call, input->facts), contact = fact_get(input->facts, "contact"), json;
    Str company = fact_get(input->facts, "company");
    switch (call->kind) {
    case KIND_CONTACT: return pack_contact_step(input, step, arena);
    case KIND_LOOK:
        if (str_equal(step, STR("none"))) break;
        return pack_find(call, arena);
    case KIND_EVENT: return pack_event_step(input, step, arena);
    case KIND_LEAD:
        (void)str_cut(call->body, '\n', &json);
        return (struct target){ STR("POST"), STR("/contacts"), json };
    case KIND_MERGE:
        if (!contact.len) break;
        return (struct target){ STR("POST"), STR("/contacts/merge"),
                                ids_body(arena, "from", call->body, "into", contact) };
    case KIND_COMPANY: return (struct target){ STR("POST"), STR("/companies"), call->body };
    case KIND_ATTACH:
        if (!contact.len || !company.len) break;
        return (struct target){ STR("POST"), arena_printf(arena, "/contacts/%s/companies",
                                                          escaped(arena, contact).bytes),
                                ids_body(arena, "id", company, "", (Str){ 0 }) };
    case KIND_DETACH:
        if (!contact.len) break;
        if (str_equal(step, STR("company")))
            return (struct target){ STR("GET"), arena_printf(arena, "/companies?company_id=%s",
                                                             escaped(arena, call->body).bytes), { 0 } };
        return (struct target){ STR("DELETE"), arena_printf(arena, "/contacts/%s/companies/%s",
                                                            escaped(arena, contact).bytes,
                                                            escaped(arena, company).bytes), { 0 } };
    default: break;
    }
    return (struct target){ 0 };                    /* nothing to send: the call is done */
}

Status intercom_pack(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err)
{
    static const char *const hosts[] = {
        "https://api.intercom.io", "https://api.eu.intercom.io", "https://api.au.intercom.io",
    };
    const Settings *settings = input->settings;
    Str host = setting_text(settings, INTERCOM_ENDPOINT), token = setting_text(settings, INTERCOM_TOKEN);
    struct target target = pack_target(input, arena);
    (void)err;
    if (target.method.len == 0) return OK;
    while (str_ends(host, STR("/"))) host.len--;
    if (!host.len) host = str_from(hosts[setting_number(settings, INTERCOM_REGION)]);
    ret->method = target.method;
    ret->url = arena_printf(arena, "%.*s%.*s", STR_FORMAT(host), STR_FORMAT(target.path));
    ret->body = target.body;
    ret->allow_private = settings->values[INTERCOM_ENDPOINT].is_given;
    request_header(ret, STR("Authorization"), arena_printf(arena, "Bearer %.*s", STR_FORMAT(token)));
    request_header(ret, STR("Accept"), STR("application/json"));
    if (target.body.len) request_header(ret, STR("Content-Type"), STR("application/json"));
    request_header(ret, STR("Intercom-Version"), setting_text(settings, INTERCOM_VERSION));
    return OK;
}

/* ---- Answers ---- */

static void go_on(Ruling *ruling, const char *step)
{
    bool is_kept = fact_put(ruling->facts, "do", str_from(step));
    judge_all(ruling, is_kept ? VERDICT_AGAIN : VERDICT_REFUSED, is_kept ? (Str){ 0 } : STR("facts are full"));
}

static void finish(Ruling *ruling)
{
    (void)fact_put(ruling->facts, "do", (Str){ 0 });
    (void)fact_put(ruling->facts, "strip", (Str){ 0 });
    judge_all(ruling, VERDICT_DONE, (Str){ 0 });
}

static void learn_contact(const JudgeInput *input, Ruling *ruling, Str id)
{
    Str user = fact_get(ruling->facts, "user"), key;
    (void)fact_put(ruling->facts, "contact", id);
    if (!user.len || ruling->remembered_count == countof(ruling->remembered)) return;
    key = arena_printf(input->arena, "contact:%.*s", STR_FORMAT(user));
    ruling->remembered[ruling->remembered_count++] = (Remembered){ key, arena_copy(input->arena, id) };
}

/* "… already exists with id=5f3…" */
static Str id_in_message(Str message)
{
    const char *hit = message.len ? memmem(message.bytes, message.len, "id=", 3) : NULL, *end;
    if (!hit) return (Str){ 0 };
    hit += 3;
    end = hit;
    while (end < message.bytes + message.len && (isalnum((unsigned char)*end) || *end == '-')) end++;
    return str_of(hit, (size_t)(end - hit));
}

static Str error_message(const TreeNode *body)
{
    const TreeNode *errors = event_tree_find(body, "errors");
    return errors && errors->first ? event_tree_text(errors->first, "message") : (Str){ 0 };
}

/* "Custom attribute 'plan' does not exist": the name between the quotes, if it is an attribute of the call. */
static Str unknown_attribute(const JudgeInput *input, Str message)
{
    const TreeNode *root, *attributes;
    if (event_tree_read(input->calls[0]->body, input->arena, &root, NULL)) return (Str){ 0 };
    attributes = event_tree_find(root, "custom_attributes");
    if (!str_contains(message, STR("ttribute"))) return (Str){ 0 };
    for (const TreeNode *child = attributes ? attributes->first : NULL; child; child = child->next) {
        Str quoted = arena_printf(input->arena, "'%.*s'", STR_FORMAT(child->key));
        Str plain = arena_printf(input->arena, "%.*s ", STR_FORMAT(child->key));
        if (str_contains(message, quoted) || str_starts(message, plain)) return child->key;
    }
    return (Str){ 0 };
}

static bool judge_unknown_attribute(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    Str message = error_message(body), name = unknown_attribute(input, message);
    Str before = fact_get(ruling->facts, "strip"), list;
    if (!name.len || is_stripped(ruling->facts, name)) return false;
    list = arena_printf(input->arena, "%.*s%s%.*s", STR_FORMAT(before), before.len ? "," : "", STR_FORMAT(name));
    if (!fact_put(ruling->facts, "strip", list)) return false;
    ruling->report = arena_printf(input->arena, "Intercom has no attribute %.*s: left out", STR_FORMAT(name));
    judge_all(ruling, VERDICT_AGAIN, (Str){ 0 });
    return true;
}

/* 409: a contact like that exists, though the look-up did not know it. The id in the message is it. */
static void judge_conflict(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    Str message = error_message(body), id = id_in_message(message);
    bool is_archived = str_contains(message, STR("rchived"));
    if (!id.len) {
        judge_all(ruling, VERDICT_RETRY, arena_copy(input->arena, message));   /* the index will catch up */
        (void)fact_put(ruling->facts, "do", STR("find"));
    } else if (is_archived && !setting_is_on(input->settings, INTERCOM_UNARCHIVE)) {
        judge_all(ruling, VERDICT_REFUSED, STR("the contact is archived"));
    } else {
        (void)fact_put(ruling->facts, "contact", id);
        go_on(ruling, is_archived ? "unarchive" : "put");
    }
}

/* Where a look-up leads: {"id"} of one contact, or {"total_count", "data": [{"id"}]} of a search. */
static Str found_contact(const TreeNode *body)
{
    const TreeNode *data = event_tree_find(body, "data");
    if (!data) return event_tree_text(body, "id");
    if (!event_tree_is_kind(data, FIELD_ARRAY) || data->count != 1) return (Str){ 0 };
    return event_tree_text(data->first, "id");
}

static void judge_look_up(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    const Call *call = input->calls[0];
    Str id = input->answer->status == 200 ? found_contact(body) : (Str){ 0 };
    bool has_both = text_in_body(call->body, input->arena, "external_id").len
        && text_in_body(call->body, input->arena, "email").len;
    if (id.len) learn_contact(input, ruling, id);
    if (call->kind == KIND_LOOK) finish(ruling);
    else if (id.len) go_on(ruling, "put");
    else go_on(ruling, has_both && setting_is_on(input->settings, INTERCOM_MERGE_LEADS) ? "leads" : "post");
}

static void judge_contact(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    int status = input->answer->status;
    Str step = step_of(input->calls[0], ruling->facts), lead;
    bool is_good = status >= 200 && status < 300;
    if (str_equal(step, STR("find"))) {
        if (is_good || status == 404) judge_look_up(input, body, ruling);
    } else if (str_equal(step, STR("leads"))) {
        lead = is_good ? found_contact(body) : (Str){ 0 };
        if (lead.len) (void)fact_put(ruling->facts, "lead", lead);
        if (is_good) go_on(ruling, "post");
    } else if (str_equal(step, STR("merge"))) {
        (void)fact_put(ruling->facts, "lead", (Str){ 0 });
        if (is_good || status == 404 || status == 400) finish(ruling);        /* gone or no lead any more */
    } else if (str_equal(step, STR("unarchive"))) {
        if (is_good) go_on(ruling, "put");
    } else if (is_good) {
        if (event_tree_text(body, "id").len) learn_contact(input, ruling, event_tree_text(body, "id"));
        if (fact_get(ruling->facts, "lead").len && fact_get(ruling->facts, "contact").len) go_on(ruling, "merge");
        else finish(ruling);
    } else if (status == 409) {
        judge_conflict(input, body, ruling);
    } else if (status == 404 && str_equal(step, STR("put"))) {
        (void)fact_put(ruling->facts, "contact", (Str){ 0 });
        go_on(ruling, "find");
    } else if (status == 400) {
        (void)judge_unknown_attribute(input, body, ruling);
    }
}

static void judge_event(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    int status = input->answer->status;
    bool is_good = status >= 200 && status < 300, is_named = fact_get(ruling->facts, "user").len > 0;
    Str contact = fact_get(ruling->facts, "contact"), found;
    if (is_step(ruling->facts, "create")) {
        if (is_good || status == 409) go_on(ruling, "event");
        if (is_good) learn_contact(input, ruling, event_tree_text(body, "id"));
        if (is_good || status == 409) (void)fact_put(ruling->facts, "made", STR("1"));
        return;
    }
    if (!is_named && !contact.len) {                /* that was the search by email */
        found = is_good ? found_contact(body) : (Str){ 0 };
        if (found.len) {
            (void)fact_put(ruling->facts, "contact", found);
            go_on(ruling, "event");
        } else if (is_good) {
            judge_all(ruling, VERDICT_REFUSED, STR("no unique contact with this email"));
        }
        return;
    }
    if (is_good) finish(ruling);
    else if (status == 404 && is_named && !fact_get(ruling->facts, "made").len) go_on(ruling, "create");
    else if (status == 404 && is_named)
        judge_all(ruling, VERDICT_RETRY, STR("Intercom does not know the contact yet"));
}

static void judge_company(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    const Call *call = input->calls[0];
    int status = input->answer->status;
    bool is_good = status >= 200 && status < 300;
    if (call->kind == KIND_COMPANY && is_good) {
        (void)fact_put(ruling->facts, "company", event_tree_text(body, "id"));
        finish(ruling);
    } else if (call->kind == KIND_DETACH && str_equal(step_of(call, ruling->facts), STR("company"))) {
        if (status == 404) finish(ruling);          /* no such company: nobody is in it */
        if (!is_good) return;
        (void)fact_put(ruling->facts, "company", event_tree_text(body, "id"));
        go_on(ruling, "detach");
    } else if (is_good || (status == 404 && call->kind == KIND_DETACH)) {
        finish(ruling);
    }
}

/* Every answer says how much of the window's allowance is left, and when the next window begins. */
static void read_rate_limit(const JudgeInput *input, Ruling *ruling)
{
    Str headers = input->answer->headers;
    int64_t remaining, reset_s;
    if (!str_parse_int(fetch_header(headers, STR("X-RateLimit-Remaining")), 0, INT64_MAX / 2, &remaining)) return;
    if (!str_parse_int(fetch_header(headers, STR("X-RateLimit-Reset")), 0, INT64_MAX / 2000, &reset_s)) return;
    if (remaining > 0 && input->answer->status != 429) return;
    if (reset_s * 1000 <= input->now_ms || reset_s * 1000 > input->now_ms + 120000) return;
    ruling->retry_after_ms = reset_s * 1000 - input->now_ms;
    ruling->is_everybodys = true;
}

void intercom_judge(const JudgeInput *input, Ruling *ruling)
{
    const FetchAnswer *answer = input->answer;
    const TreeNode *body = NULL;
    judge_by_status(input, ruling);
    if (answer->outcome != FETCH_ANSWERED) return;
    if (event_tree_read(answer->body, input->arena, &body, NULL)) body = NULL;
    if (answer->status >= 401 && answer->status <= 403) {
        judge_all(ruling, VERDICT_RETRY, ruling->calls[0].reason);
        ruling->is_everybodys = true;
        return;
    }
    switch (input->calls[0]->kind) {
    case KIND_CONTACT: judge_contact(input, body, ruling); break;
    case KIND_LOOK:
        if (answer->status == 200 || answer->status == 404) judge_look_up(input, body, ruling);
        break;
    case KIND_EVENT: judge_event(input, body, ruling); break;
    case KIND_LEAD:
        if (answer->status == 200 && event_tree_text(body, "id").len) {
            Str unused, key = str_cut(input->calls[0]->body, '\n', &unused);
            (void)fact_put(ruling->facts, "contact", event_tree_text(body, "id"));
            ruling->remembered[ruling->remembered_count++] =
                (Remembered){ key, arena_copy(input->arena, event_tree_text(body, "id")) };
            finish(ruling);
        }
        break;
    case KIND_MERGE:
        if (answer->status == 200 || answer->status == 404 || answer->status == 400) finish(ruling);
        break;
    default: judge_company(input, body, ruling);
    }
    read_rate_limit(input, ruling);
}
