/* destination_intercom: the plug and its options. _build decides what is said, _step how it is said. */
#include "destination_intercom.h"

static const DestinationOption intercom_options[] = {
    [INTERCOM_TOKEN] = { "access_token", OPTION_SECRET, NULL, NULL, "of a private app or by OAuth" },
    [INTERCOM_REGION] = { "region", OPTION_WORD, "us", "us|eu|au", "where the workspace lives" },
    [INTERCOM_ENDPOINT] = { "endpoint", OPTION_URL, "", NULL,
        "another host than the region's; may be a private address" },
    [INTERCOM_VERSION] = { "api_version", OPTION_TEXT, "2.13", NULL,
        "sent as Intercom-Version; without one the answers change with the app's own setting" },
    [INTERCOM_ANONYMOUS] = { "anonymous", OPTION_WORD, "skip", "skip|lead",
        "visitors without a user: not sent, or kept as a lead that becomes part of the user's contact" },
    [INTERCOM_SESSION] = { "session_minutes", OPTION_INT, "30", "0..100000",
        "a user who was not seen for so long is told of before anything else, so that the chat knows who is there; "
        "0: identify calls only" },
    [INTERCOM_MERGE_LEADS] = { "merge_leads", OPTION_BOOL, "true", NULL,
        "when a user is new to Intercom, make the one lead with the same email part of the contact" },
    [INTERCOM_ATTRIBUTES] = { "custom_attributes", OPTION_WORD, "all", "all|none",
        "send traits that Intercom has no field for; they must exist there as data attributes" },
    [INTERCOM_NESTED] = { "nested", OPTION_WORD, "flatten", "flatten|stringify|drop",
        "what becomes of lists and objects in traits and properties" },
    [INTERCOM_NESTED_OF] = { "nested_of", OPTION_MAP, "", NULL, "the same for single ones, by name" },
    [INTERCOM_RICH_LINKS] = { "rich_links", OPTION_TEXTS, "", NULL,
        "properties that are Intercom's rich links, {url, value}, and are sent as they are" },
    [INTERCOM_CONTEXT] = { "collect_context", OPTION_BOOL, "false", NULL,
        "device, system and app of the context as custom attributes" },
    [INTERCOM_UNARCHIVE] = { "unarchive", OPTION_BOOL, "true", NULL,
        "take an archived contact back when its user returns" },
    [INTERCOM_IDENTITY_SECRET] = { "identity_secret", OPTION_SECRET, "", NULL,
        "signs user ids for the messenger in the browser (identity verification)" },
    { 0 }
};

static Status intercom_validate(const Settings *settings, Err *err)
{
    if (setting_text(settings, INTERCOM_TOKEN).len == 0)
        return err_set_field(err, "access_token", "access_token: is empty");
    if (!fetch_is_visible(setting_text(settings, INTERCOM_TOKEN)))
        return err_set_field(err, "access_token", "access_token: has a line end or a character that is not ASCII, "
                             "which no token has");
    if (!fetch_is_visible(setting_text(settings, INTERCOM_VERSION)))
        return err_set_field(err, "api_version", "api_version: has a character that no header can have");
    node_each(child, settings->values[INTERCOM_NESTED_OF].map) {
        if (!str_equal(child->text, STR("flatten")) && !str_equal(child->text, STR("stringify"))
            && !str_equal(child->text, STR("drop")))
            return err_set_field(err, "nested_of", "nested_of: \"%.*s\" is none of flatten|stringify|drop",
                                 STR_FORMAT(child->text));
    }
    return OK;
}

/* A name must be that of a whole trait or property, not a path into one. */
static void intercom_advise(const Settings *settings, Advise *advise, void *context)
{
    static const char text[] = "has a name with a \".\": names are of whole traits and properties; what is within one "
                               "cannot be named, and is done with it";
    const OptionValue *links = &settings->values[INTERCOM_RICH_LINKS];
    bool has_dot = false;
    node_each(child, settings->values[INTERCOM_NESTED_OF].map) has_dot |= str_contains(child->key, STR("."));
    if (has_dot) advise(context, "nested_of", text);
    has_dot = false;
    for (size_t at = 0; at < links->count; at++) has_dot |= str_contains(links->texts[at], STR("."));
    if (has_dot) advise(context, "rich_links", text);
}

/* Only leads are ever joined to users at Intercom, and only those that this destination made. */
/* It wants merges so that it can report that it cannot make them. */
static bool intercom_wants_merges(const Settings *settings)
{
    (void)settings;
    return true;
}

static bool intercom_wants_links(const Settings *settings) { return setting_number(settings, INTERCOM_ANONYMOUS) == 1; }

static LaneLimits intercom_limits(const Settings *settings, uint8_t lane)
{
    (void)settings;
    (void)lane;
    return (LaneLimits){ 1, DESTINATION_CALL_BYTES };
}

const struct destination destination_intercom = {
    .name = "intercom",
    .label = "Intercom",
    .description = "contacts, events and companies into an Intercom workspace",
    .options = intercom_options,
    .requests_per_second = 160,                 /* 10,000 a minute, counted in windows of ten seconds */
    .requests_at_once = 8,
    .validate = intercom_validate,
    .advise = intercom_advise,
    .wants_links = intercom_wants_links,
    .wants_merges = intercom_wants_merges,
    .limits = intercom_limits,
    .build = intercom_build,
    .pack = intercom_pack,
    .judge = intercom_judge,
};
