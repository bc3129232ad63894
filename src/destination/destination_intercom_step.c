/* destination_intercom_step: calls as requests, one after the other.
 *
 * Intercom knows no "create or update": a contact is looked up, then updated or created, and its index of
 * contacts is minutes late. So a call goes through steps, and the facts of the message (contact, company, lead,
 * strip) keep what an answer taught until the next step:
 *
 *   contact   find -> put                           known by its external id
 *             find -> leads -> post -> merge        new; the one lead with the same email is merged in
 *             post -> put, unarchive -> put         409: it is there after all, or archived
 *             put -> find                           404: the stored id is stale
 *   event     event -> create -> event              404: nobody made the contact yet
 *   look      find -> create                        a group's member whom nobody made yet
 *   attach    company -> attach                     if its company's call was refused; it may exist from before
 *   detach    company -> detach
 *
 * An attribute that the workspace does not have fails the whole contact or company: it is left out, and reported
 * (_strip).
 */
#include "destination_intercom.h"

#include <ctype.h>

enum { NAMES_BYTES = 2 * 1024 * 1024 };        /* of the workspace's list of attributes */

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
    case KIND_ATTACH:
        if (fact_get(facts, "company").len) return STR("attach");
        return call->body.len ? STR("company") : STR("none");
    case KIND_MERGE: return contact.len ? STR("merge") : STR("none");
    case KIND_COMPANY: return STR("company");
    case KIND_LEAD:
    case KIND_LEAD_OF_LINES: return STR("lead");
    default: return STR("none");
    }
}

static Str step_of(const Call *call, const char *facts)
{
    Str step = fact_get(facts, "do");
    return step.len ? step : first_step(call, facts);
}

/* ---- Requests ---- */

static Str taken(Arena *arena, struct buf *out)
{
    Str text = arena_copy(arena, buf_str(out));
    check(buf_ok(out));
    buf_done(out);
    return text;
}

static Str escaped(Arena *arena, Str text)
{
    struct buf out;
    buf_init(&out, 3 * DESTINATION_CALL_BYTES);
    buf_percent_encode(&out, text, PERCENT_URL);
    return taken(arena, &out);
}

/* Ids come from the vendor: they are escaped in JSON and paths like any text. */
static Str ids_body(Arena *arena, const char *name, Str id, const char *other_name, Str other_id)
{
    struct buf out;
    buf_init(&out, 8 * DESTINATION_CALL_BYTES);
    json_object(&out, NULL);
    member_text(&out, str_from(name), id);
    member_text(&out, str_from(other_name), other_id);
    json_object_end(&out);
    return taken(arena, &out);
}

static void put_condition(struct buf *out, const char *name, const char *field, Str value)
{
    json_object(out, name);
    json_word(out, "field", field);
    json_word(out, "operator", "=");
    if (value.len) json_string(out, "value", value);
    json_object_end(out);
}

static Str search_body(Arena *arena, const char *field, Str value, bool leads_only)
{
    struct buf out;
    buf_init(&out, 8 * DESTINATION_CALL_BYTES);
    json_object(&out, NULL);
    if (leads_only) {
        json_object(&out, "query");
        json_word(&out, "operator", "AND");
        json_array(&out, "value");
        put_condition(&out, NULL, "role", STR("lead"));
        put_condition(&out, NULL, field, value);
        json_array_end(&out);
        json_object_end(&out);
    } else {
        put_condition(&out, "query", field, value);
    }
    json_object_end(&out);
    return taken(arena, &out);
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

/* A path would lose its end by these: "." and ".." are steps in it. */
static bool is_path_step(Str id) { return str_equal(id, STR(".")) || str_equal(id, STR("..")); }

static struct target pack_find(const Call *call, Arena *arena)
{
    Str external = text_in_body(call->body, arena, "external_id");
    Str email = text_in_body(call->body, arena, "email");
    if (is_path_step(external))
        return (struct target){ STR("POST"), STR("/contacts/search"),
                                search_body(arena, "external_id", external, false) };
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
        return (struct target){ STR("POST"), STR("/contacts"), intercom_strip(arena, call->body, input->facts) };
    if (str_equal(step, STR("unarchive")))
        return (struct target){ STR("POST"), arena_printf(arena, "/contacts/%s/unarchive",
                                                          escaped(arena, contact).bytes), { 0 } };
    if (str_equal(step, STR("merge")))
        return (struct target){ STR("POST"), STR("/contacts/merge"), ids_body(arena, "from", lead, "into", contact) };
    return (struct target){ STR("PUT"), arena_printf(arena, "/contacts/%s", escaped(arena, contact).bytes),
                            intercom_strip(arena, call->body, input->facts) };
}

/* A user of whom nothing is known but the id. */
static struct target pack_create(Str user, Arena *arena)
{
    return (struct target){ STR("POST"), STR("/contacts"), ids_body(arena, "role", STR("user"), "external_id", user) };
}

/* An event names its contact by the id, if the id was learned (leads have no other name). */
static Str event_body(const PackInput *input, Arena *arena)
{
    Str body = input->calls[0]->body, contact = fact_get(input->facts, "contact");
    bool is_named = text_in_body(body, arena, "user_id").len > 0;
    if (is_named || !contact.len) return body;
    Str id = ids_body(arena, "id", contact, "", (Str){ 0 });
    return arena_printf(arena, "%.*s,%.*s", (int)(body.len - 1), body.bytes, (int)(id.len - 1), id.bytes + 1);
}

static struct target pack_event_step(const PackInput *input, Str step, Arena *arena)
{
    const Call *call = input->calls[0];
    Str user = text_in_body(call->body, arena, "user_id"), contact = fact_get(input->facts, "contact"), email;
    if (str_equal(step, STR("create"))) return pack_create(user, arena);
    email = text_in_body(call->body, arena, "email");
    if (!user.len && !contact.len && email.len)
        return (struct target){ STR("POST"), STR("/contacts/search"), search_body(arena, "email", email, false) };
    return (struct target){ STR("POST"), STR("/events"), event_body(input, arena) };
}

static struct target pack_company_look_up(const Call *call, Arena *arena)
{
    return (struct target){ STR("GET"), arena_printf(arena, "/companies?company_id=%s",
                                                     escaped(arena, call->body).bytes), { 0 } };
}

static struct target pack_target(const PackInput *input, Arena *arena)
{
    const Call *call = input->calls[0];
    Str step = step_of(call, input->facts), contact = fact_get(input->facts, "contact");
    Str company = fact_get(input->facts, "company");
    if (str_equal(step, STR("attributes"))) return (struct target){ STR("GET"), intercom_attributes_path(call), { 0 } };
    switch (call->kind) {
    case KIND_CONTACT: return pack_contact_step(input, step, arena);
    case KIND_LOOK:
        if (str_equal(step, STR("none"))) break;
        if (str_equal(step, STR("create"))) return pack_create(text_in_body(call->body, arena, "external_id"), arena);
        return pack_find(call, arena);
    case KIND_EVENT: return pack_event_step(input, step, arena);
    case KIND_LEAD:
    case KIND_LEAD_OF_LINES:
        return (struct target){ STR("POST"), STR("/contacts"),
                                intercom_strip(arena, intercom_json_of(call), input->facts) };
    case KIND_MERGE:
        if (!contact.len) break;
        return (struct target){ STR("POST"), STR("/contacts/merge"),
                                ids_body(arena, "from", call->body, "into", contact) };
    case KIND_COMPANY:
        return (struct target){ STR("POST"), STR("/companies"), intercom_strip(arena, call->body, input->facts) };
    case KIND_ATTACH:
        if (!contact.len || str_equal(step, STR("none"))) break;
        if (str_equal(step, STR("company"))) return pack_company_look_up(call, arena);
        return (struct target){ STR("POST"), arena_printf(arena, "/contacts/%s/companies",
                                                          escaped(arena, contact).bytes),
                                ids_body(arena, "id", company, "", (Str){ 0 }) };
    case KIND_DETACH:
        if (!contact.len) break;
        if (str_equal(step, STR("company"))) return pack_company_look_up(call, arena);
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
    uint8_t kind = input->calls[0]->kind;
    bool needs_contact = kind == KIND_ATTACH || kind == KIND_DETACH || kind == KIND_MERGE;
    if (target.method.len == 0 && needs_contact && !fact_get(input->facts, "contact").len)
        return err_set(err, ERR_INPUT, "the contact is not known to Intercom");
    if (target.method.len == 0) return OK;
    while (str_ends(host, STR("/"))) host.len--;
    if (!host.len) host = str_from(hosts[setting_number(settings, INTERCOM_REGION)]);
    ret->method = target.method;
    ret->url = arena_printf(arena, "%.*s%.*s", STR_FORMAT(host), STR_FORMAT(target.path));
    ret->body = target.body;
    ret->allow_private = settings->values[INTERCOM_ENDPOINT].is_given;
    request_header(ret, STR("Authorization"), arena_printf(arena, "Bearer %.*s", STR_FORMAT(token)));
    request_header(ret, STR("Accept"), STR("application/json"));
    if (str_equal(step_of(input->calls[0], input->facts), STR("attributes"))) ret->answer_bytes_max = NAMES_BYTES;
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
    intercom_forget_strip(ruling->facts);
    judge_all(ruling, VERDICT_DONE, (Str){ 0 });
}

static void learn_contact(const JudgeInput *input, Ruling *ruling, Str id)
{
    Str body = input->calls[0]->body, user = text_in_body(body, input->arena, "external_id"), key;
    if (!user.len) user = text_in_body(body, input->arena, "user_id");
    (void)fact_put(ruling->facts, "contact", id);
    if (!user.len || ruling->stored_count == countof(ruling->stored)) return;
    key = arena_printf(input->arena, "contact:%.*s", STR_FORMAT(user));
    ruling->stored[ruling->stored_count++] = (StoredState){ key, arena_copy(input->arena, id) };
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

/* 409: such a contact exists, though the look-up did not know it. The message has its id. */
static void judge_conflict(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    Str message = intercom_error_message(body), id = id_in_message(message);
    bool is_archived = str_contains(message, STR("rchived"));
    if (!id.len) {
        judge_all(ruling, VERDICT_RETRY, arena_copy(input->arena, message));   /* the index will catch up */
        (void)fact_put(ruling->facts, "do", STR("find"));
    } else if (input->calls[0]->kind == KIND_LOOK) {
        learn_contact(input, ruling, id);
        finish(ruling);
    } else if (is_archived && !setting_is_on(input->settings, INTERCOM_UNARCHIVE)) {
        judge_all(ruling, VERDICT_REFUSED, STR("the contact is archived"));
    } else {
        (void)fact_put(ruling->facts, "contact", id);
        go_on(ruling, is_archived ? "unarchive" : "put");
    }
}

/* Reads the result of a look-up: {"id"} of one contact, or {"total_count", "data": [{"id"}]} of a search. */
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
    if (call->kind == KIND_LOOK && id.len) finish(ruling);
    else if (call->kind == KIND_LOOK) go_on(ruling, "create");
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
        (void)intercom_judge_attributes(input, body, ruling);
    }
}

static void judge_event(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    int status = input->answer->status;
    bool is_good = status >= 200 && status < 300;
    bool is_named = text_in_body(input->calls[0]->body, input->arena, "user_id").len > 0;
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
    bool is_look_up = call->kind != KIND_COMPANY && str_equal(step_of(call, ruling->facts), STR("company"));
    if (call->kind == KIND_COMPANY || is_look_up)   /* of an earlier company of the message nothing stays */
        (void)fact_put(ruling->facts, "company", is_good ? event_tree_text(body, "id") : (Str){ 0 });
    if (call->kind == KIND_COMPANY && is_good) {
        finish(ruling);
    } else if (call->kind == KIND_COMPANY) {
        if (status == 400) (void)intercom_judge_attributes(input, body, ruling);
    } else if (is_look_up && is_good) {
        go_on(ruling, call->kind == KIND_DETACH ? "detach" : "attach");
    } else if (is_look_up && status == 404) {
        if (call->kind == KIND_DETACH) finish(ruling);          /* no such company: nobody is in it */
        else judge_all(ruling, VERDICT_REFUSED, STR("Intercom does not know the company: the contact is not in it"));
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

static void judge_lead(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    Str json = intercom_json_of(input->calls[0]), key = input->calls[0]->body;
    if (input->answer->status == 400) (void)intercom_judge_attributes(input, body, ruling);
    if (input->answer->status != 200 || !event_tree_text(body, "id").len) return;
    if (input->calls[0]->kind == KIND_LEAD) key = field_take(&key);
    else key = str_slice(key, 0, key.len - json.len - 1);
    (void)fact_put(ruling->facts, "contact", event_tree_text(body, "id"));
    ruling->stored[ruling->stored_count++] =
        (StoredState){ key, arena_copy(input->arena, event_tree_text(body, "id")) };
    finish(ruling);
}

static void judge_look(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    int status = input->answer->status;
    bool is_good = status >= 200 && status < 300;
    if (!is_step(ruling->facts, "create")) {
        if (status == 200 || status == 404) judge_look_up(input, body, ruling);
    } else if (is_good) {
        learn_contact(input, ruling, event_tree_text(body, "id"));
        finish(ruling);
    } else if (status == 409) {
        judge_conflict(input, body, ruling);
    }
}

static void judge_kind(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    int status = input->answer->status;
    switch (input->calls[0]->kind) {
    case KIND_CONTACT: judge_contact(input, body, ruling); break;
    case KIND_LOOK: judge_look(input, body, ruling); break;
    case KIND_EVENT: judge_event(input, body, ruling); break;
    case KIND_LEAD:
    case KIND_LEAD_OF_LINES: judge_lead(input, body, ruling); break;
    case KIND_MERGE:
        if (status == 200 || status == 404 || status == 400) finish(ruling);
        break;
    default: judge_company(input, body, ruling);
    }
}

void intercom_judge(const JudgeInput *input, Ruling *ruling)
{
    const FetchAnswer *answer = input->answer;
    const TreeNode *body = NULL;
    judge_by_status(input, ruling);
    if (answer->outcome != FETCH_ANSWERED) return;
    if (event_tree_read(answer->body, input->arena, &body, NULL)) body = NULL;
    bool is_list = is_step(ruling->facts, "attributes");        /* which the token may not be allowed to read */
    if (answer->status == 401 || (answer->status >= 401 && answer->status <= 403 && !is_list)) {
        judge_all(ruling, VERDICT_RETRY, ruling->calls[0].reason);
        ruling->is_everybodys = true;
        return;
    }
    if (is_list) intercom_judge_names(input, body, ruling);
    else judge_kind(input, body, ruling);
    read_rate_limit(input, ruling);
}
