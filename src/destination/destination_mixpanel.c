/* destination_mixpanel: options, requests and answers. The messages themselves are mapped in _event,
 * _people and _link; this file is the plug.
 *
 * Every event, fresh or old, goes to /import: it takes any age, authenticates, names the events that it
 * refuses and stores the others. /track, which takes the last five days only and says "1" to anything, is
 * not needed. Updates of people and groups go to /engage and /groups, which answer 200 even
 * if they refuse something, so the body of their answer is read.
 */
#include "destination_mixpanel.h"

#include "identity/identity.h"

#include <stdio.h>

static const DestinationOption mixpanel_options[] = {
    [MIXPANEL_TOKEN] = { "token", OPTION_SECRET, NULL, NULL, "the project's token (Settings, Access Keys)" },
    [MIXPANEL_IDENTITY] = { "identity", OPTION_WORD, NULL, "simplified|original|legacy",
        "how the project joins ids: Settings, Identity Merge; projects since April 2024 are simplified, since "
        "March 2020 original. It cannot be seen from outside, and the wrong one loses history" },
    [MIXPANEL_REGION] = { "region", OPTION_WORD, "us", "us|eu|in", "where the project's data lives" },
    [MIXPANEL_ENDPOINT] = { "endpoint", OPTION_URL, "", NULL,
        "another host than the region's; may be a private address" },
    [MIXPANEL_SECRET] = { "secret", OPTION_SECRET, "", NULL,
        "the project's old API secret, if imports are to use it instead of the token" },
    [MIXPANEL_ACCOUNT] = { "service_account", OPTION_TEXT, "", NULL,
        "user name of a service account; wants project_id" },
    [MIXPANEL_ACCOUNT_SECRET] = { "service_secret", OPTION_SECRET, "", NULL, "its secret" },
    [MIXPANEL_PROJECT] = { "project_id", OPTION_TEXT, "", NULL, "the project's number, with a service account" },
    [MIXPANEL_STRICT] = { "strict", OPTION_BOOL, "true", NULL,
        "let Mixpanel validate each event and name what it refuses" },
    [MIXPANEL_GZIP] = { "gzip", OPTION_BOOL, "true", NULL,
        "events go compressed, as Mixpanel advises; off for an endpoint of your own that cannot read it" },
    [MIXPANEL_BATCH] = { "batch_size", OPTION_INT, "1000", "1..2000", "most events in one request" },
    [MIXPANEL_PAGES] = { "pages", OPTION_WORD, "all", "all|named|none", "which page and screen calls become events" },
    [MIXPANEL_PAGE_EVENT] = { "page_event", OPTION_TEXT, "Viewed {{name}}", NULL,
        "name of a page's event; {{name}}, {{category}}, {{properties.title}} are filled in; \"Loaded a Page\" "
        "where one of them is empty" },
    [MIXPANEL_SCREEN_EVENT] = { "screen_event", OPTION_TEXT, "Viewed {{name}}", NULL,
        "the same for screens; \"Loaded a Screen\"" },
    [MIXPANEL_PRODUCT_EVENTS] = { "product_events", OPTION_BOOL, "true", NULL,
        "one \"Product Purchased\" for each product of an \"Order Completed\"" },
    [MIXPANEL_PEOPLE] = { "people", OPTION_BOOL, "true", NULL, "write profiles: traits, counts, groups" },
    [MIXPANEL_ANONYMOUS_PROFILES] = { "anonymous_profiles", OPTION_BOOL, "false", NULL,
        "simplified only: write profiles of visitors without a user, too. Off, their traits are kept here and "
        "written to the user they become; Mixpanel itself would forget them at that moment" },
    [MIXPANEL_PROFILE_CONTEXT] = { "profile_context", OPTION_BOOL, "false", NULL,
        "write browser, system and device of the last identify to the profile, too" },
    [MIXPANEL_SET_ONCE] = { "set_once_traits", OPTION_TEXTS, "", NULL, "traits whose first value stays" },
    [MIXPANEL_UNION] = { "union_traits", OPTION_TEXTS, "", NULL, "list traits that collect every value once" },
    [MIXPANEL_APPEND] = { "append_traits", OPTION_TEXTS, "", NULL, "list traits that collect every value" },
    [MIXPANEL_INCREMENTS] = { "increments", OPTION_TEXTS, "", NULL,
        "events that are counted on the profile, with \"Last <event>\" as its date" },
    [MIXPANEL_INCREMENT_FROM] = { "increment_from", OPTION_TEXT, "", NULL,
        "a property that holds {name: number, ...}: each is added to the profile's" },
    [MIXPANEL_TRANSACTIONS] = { "transactions", OPTION_BOOL, "false", NULL,
        "append properties.revenue to the profile's $transactions, Mixpanel's older revenue report" },
    [MIXPANEL_GROUP_KEY] = { "group_key", OPTION_TEXT, "$group_id", NULL,
        "the group key defined in the project; a group's id is the trait of that name, or the groupId" },
    [MIXPANEL_GROUP_PROFILES] = { "group_members", OPTION_BOOL, "true", NULL,
        "note the groups of a user on the user's profile" },
    [MIXPANEL_SOURCE_NAME] = { "source_name", OPTION_TEXT, "", NULL, "put on every event as segment_source_name" },
    { 0 }
};

static Status mixpanel_validate(const Settings *settings, Err *err)
{
    if (setting_text(settings, MIXPANEL_TOKEN).len == 0) return err_set_field(err, "token", "token: is empty");
    if (setting_text(settings, MIXPANEL_ACCOUNT).len > 0 && setting_text(settings, MIXPANEL_PROJECT).len == 0)
        return err_set_field(err, "project_id", "project_id: a service account needs it");
    return OK;
}

/* A profile has whole traits, and one operator writes each. */
static void advise_traits(const Settings *settings, int option, const char *name, Advise *advise, void *context)
{
    static const struct { int option; const char *name; } lists[] = {
        { MIXPANEL_SET_ONCE, "set_once_traits" }, { MIXPANEL_UNION, "union_traits" },
        { MIXPANEL_APPEND, "append_traits" },
    };
    const OptionValue *value = &settings->values[option];
    char text[600];
    for (size_t at = 0; at < value->count; at++) {
        Str trait = str_slice(value->texts[at], 0, 200), rest, whole = str_cut(trait, '.', &rest);
        if (rest.len) {
            snprintf(text, sizeof text, "\"%.*s\" is taken as a trait of just that name; what is within \"%.*s\" "
                     "cannot be written by an operator of its own, since Mixpanel keeps whole traits: name \"%.*s\"",
                     STR_FORMAT(trait), STR_FORMAT(whole), STR_FORMAT(whole));
            advise(context, name, text);
        }
        for (size_t list = 0; list < countof(lists) && lists[list].option != option; list++) {
            if (!setting_has(settings, lists[list].option, value->texts[at])) continue;
            snprintf(text, sizeof text, "\"%.*s\" is in %s, too, which goes before", STR_FORMAT(trait),
                     lists[list].name);
            advise(context, name, text);
        }
    }
}

static void mixpanel_advise(const Settings *settings, Advise *advise, void *context)
{
    bool has_mode = setting_number(settings, MIXPANEL_IDENTITY) == MIXPANEL_SIMPLIFIED;
    advise_traits(settings, MIXPANEL_SET_ONCE, "set_once_traits", advise, context);
    advise_traits(settings, MIXPANEL_UNION, "union_traits", advise, context);
    advise_traits(settings, MIXPANEL_APPEND, "append_traits", advise, context);
    if (setting_is_on(settings, MIXPANEL_ANONYMOUS_PROFILES) && !has_mode)
        advise(context, "anonymous_profiles", "does nothing: it is of the simplified identity; in the other modes "
               "visitors always have profiles");
}

/* Every mode wants its links first: original and legacy because a later alias comes too late or splits the
 * person, simplified so that an event under the user is never there while its device is still another person. */
static bool mixpanel_wants_links(const Settings *settings)
{
    (void)settings;
    return true;
}

/* In simplified mode a link also works for earlier events. */
static bool mixpanel_wants_grace(const Settings *settings)
{
    return setting_number(settings, MIXPANEL_IDENTITY) != MIXPANEL_SIMPLIFIED;
}

static LaneLimits mixpanel_limits(const Settings *settings, uint8_t lane)
{
    uint32_t batch = (uint32_t)setting_number(settings, MIXPANEL_BATCH);
    if (lane == LANE_GROUPS && batch > 200) batch = 200;
    /* Documented: 10 MB, older text and the 413 say 2; counted before compression, here as there. */
    return (LaneLimits){ batch, 2 * 1024 * 1024 };
}

/* ---- Messages ---- */

/* Those that Mixpanel documents are in Onym's own list. */
bool mixpanel_is_banned(Str id) { return identity_is_placeholder(id); }

MixpanelWho mixpanel_who(struct plan *plan, const Outgoing *message)
{
    MixpanelWho who = { 0 };
    Str user_id = message->user_id.len ? message->user_id : message->owner_id;
    if (!mixpanel_is_banned(user_id)) who.user_id = user_id;
    if (!mixpanel_is_banned(message->anonymous_id)) who.device_id = message->anonymous_id;
    if (who.user_id.len)
        who.distinct_id = who.user_id;
    else if (who.device_id.len && mixpanel_mode(plan) == MIXPANEL_SIMPLIFIED)
        who.distinct_id = arena_printf(plan->arena, "$device:%.*s", STR_FORMAT(who.device_id));
    else
        who.distinct_id = who.device_id;
    return who;
}

static Status mixpanel_build(struct plan *plan, const Outgoing *message, Err *err)
{
    Status s = mixpanel_plan_links(plan, message, err);
    if (s) return s;
    switch (message->event->type) {
    case EVENT_TRACK:
        s = mixpanel_plan_counts(plan, message, err);
        return s ? s : mixpanel_plan_event(plan, message, err);
    case EVENT_PAGE:
    case EVENT_SCREEN: return mixpanel_plan_event(plan, message, err);
    case EVENT_IDENTIFY: return mixpanel_plan_traits(plan, message, err);
    case EVENT_GROUP: return mixpanel_plan_group(plan, message, err);
    case EVENT_ALIAS: return mixpanel_plan_alias(plan, message, err);
    case EVENT_NONE:
    case EVENT_TYPE_COUNT: break;
    }
    plan->skipped = "unknown type";
    return OK;
}

/* ---- Requests ---- */

static Str mixpanel_host(const Settings *settings)
{
    static const char *const hosts[] = {
        "https://api.mixpanel.com", "https://api-eu.mixpanel.com", "https://api-in.mixpanel.com",
    };
    Str endpoint = setting_text(settings, MIXPANEL_ENDPOINT);
    while (str_ends(endpoint, STR("/"))) endpoint.len--;
    return endpoint.len ? endpoint : str_from(hosts[setting_number(settings, MIXPANEL_REGION)]);
}

static Str import_authorization(const Settings *settings, Arena *arena)
{
    Str account = setting_text(settings, MIXPANEL_ACCOUNT), secret = setting_text(settings, MIXPANEL_SECRET);
    if (account.len) return basic_authorization(arena, account, setting_text(settings, MIXPANEL_ACCOUNT_SECRET));
    return basic_authorization(arena, secret.len ? secret : setting_text(settings, MIXPANEL_TOKEN), (Str){ 0 });
}

/* Updates carry the project's token. It is put in here, not when they were frozen: tokens are changed. */
static void put_call(struct buf *body, const PackInput *input, const Call *call)
{
    if (call->lane == LANE_IMPORT) {
        json_raw(body, NULL, call->body);
        return;
    }
    json_object(body, NULL);
    member_text(body, STR("$token"), setting_text(input->settings, MIXPANEL_TOKEN));
    json_raw(body, NULL, str_slice(call->body, 1, call->body.len));      /* the other members and the closing bracket */
}

static Status mixpanel_pack(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err)
{
    static const char *const paths[] = { "/import", "/engage?verbose=1&ip=0", "/groups?verbose=1&ip=0" };
    const Settings *settings = input->settings;
    uint8_t lane = input->calls[0]->lane;
    Str host = mixpanel_host(settings), project = setting_text(settings, MIXPANEL_PROJECT);
    struct buf body;
    (void)err;
    ret->method = STR("POST");
    ret->url = arena_printf(arena, "%.*s%s", STR_FORMAT(host), paths[lane]);
    if (lane == LANE_IMPORT) {
        ret->url = arena_printf(arena, "%.*s/import?strict=%d%s%.*s", STR_FORMAT(host),
                                setting_is_on(settings, MIXPANEL_STRICT), project.len ? "&project_id=" : "",
                                STR_FORMAT(project));
        request_header(ret, STR("Authorization"), import_authorization(settings, arena));
        ret->wants_gzip = setting_is_on(settings, MIXPANEL_GZIP);           /* /engage and /groups do not take it */
    }
    request_header(ret, STR("Content-Type"), STR("application/json"));
    request_header(ret, STR("Accept"), STR("application/json"));
    ret->allow_private = settings->values[MIXPANEL_ENDPOINT].is_given;
    buf_init(&body, 2 * DESTINATION_CALL_BYTES + 4 * 1024 * 1024);
    json_array(&body, NULL);
    for (size_t at = 0; at < input->call_count; at++) put_call(&body, input, input->calls[at]);
    json_array_end(&body);
    ret->body = arena_copy(arena, buf_str(&body));
    buf_done(&body);
    return OK;
}

/* ---- Answers ---- */

/* 400 with failed_records: those were refused, the others are stored. */
static bool judge_failed_records(const JudgeInput *input, const TreeNode *answer, Ruling *ruling)
{
    const TreeNode *failed = event_tree_find(answer, "failed_records");
    if (!event_tree_is_kind(failed, FIELD_ARRAY) || failed->count == 0) return false;
    judge_all(ruling, VERDICT_DONE, (Str){ 0 });
    for (const TreeNode *record = failed->first; record; record = record->next) {
        Str field = event_tree_text(record, "field"), message = event_tree_text(record, "message");
        int64_t index;
        if (!str_parse_int(event_tree_text(record, "index"), 0, (int64_t)ruling->call_count - 1, &index)) return false;
        ruling->calls[index] = (CallVerdict){ VERDICT_REFUSED,
            arena_printf(input->arena, "%.*s: %.*s", STR_FORMAT(field), STR_FORMAT(message)) };
    }
    return true;
}

static void judge_whole_batch_refused(Ruling *ruling, Str reason)
{
    judge_all(ruling, ruling->call_count == 1 ? VERDICT_REFUSED : VERDICT_RETRY, reason);
    ruling->halve = ruling->call_count > 1;         /* to find the one that is at fault */
}

/* /engage and /groups: "1", "0", or {"status":1,"error":null}; with 200 whatever happened. */
static bool update_is_refused(const JudgeInput *input, const TreeNode *answer, Str *ret_reason)
{
    const TreeNode *error = event_tree_find(answer, "error");
    if (answer && answer->kind == FIELD_NUMBER) {
        *ret_reason = STR("Mixpanel answered 0");
        return str_equal(answer->text, STR("0"));
    }
    if (event_tree_is_kind(error, FIELD_STRING) && error->text.len) {
        *ret_reason = arena_copy(input->arena, error->text);
        return true;
    }
    *ret_reason = STR("Mixpanel answered status 0");
    return str_equal(event_tree_text(answer, "status"), STR("0"));
}

static void mixpanel_judge(const JudgeInput *input, Ruling *ruling)
{
    const FetchAnswer *answer = input->answer;
    const TreeNode *body = NULL;
    Str reason;
    judge_by_status(input, ruling);
    if (answer->outcome != FETCH_ANSWERED) return;
    if (event_tree_read(answer->body, input->arena, &body, NULL)) body = NULL;
    reason = ruling->calls[0].reason;
    if (answer->status == 401 || answer->status == 403) {
        judge_all(ruling, VERDICT_RETRY, reason);
        ruling->is_everybodys = true;               /* the credentials: nothing is thrown away for them */
    } else if (answer->status == 400) {
        if (input->calls[0]->lane != LANE_IMPORT || !judge_failed_records(input, body, ruling))
            judge_whole_batch_refused(ruling, reason);
    } else if (answer->status == 200 && input->calls[0]->lane != LANE_IMPORT
               && update_is_refused(input, body, &reason)) {
        judge_whole_batch_refused(ruling, reason);
    }
}

const struct destination destination_mixpanel = {
    .name = "mixpanel",
    .label = "Mixpanel",
    .description = "events, people and groups into a Mixpanel project, each visitor's history joined in its mode",
    .options = mixpanel_options,
    .requests_at_once = 10,
    .validate = mixpanel_validate,
    .advise = mixpanel_advise,
    .wants_links = mixpanel_wants_links,
    .wants_grace = mixpanel_wants_grace,
    .limits = mixpanel_limits,
    .build = mixpanel_build,
    .pack = mixpanel_pack,
    .judge = mixpanel_judge,
};
