/* device_mode of a source: the vendors' tools that the browser library loads into the page. Judges the settings, and
 * writes them as the JSON that pages get. Everything here becomes public: what looks like a secret is refused. */
#include "config_private.h"

enum { TEXT_BYTES = 200, ITEMS_MOST = 100 };

typedef enum DeviceType { DEVICE_TEXT, DEVICE_TEXTS, DEVICE_BOOL, DEVICE_MAP } DeviceType;

/* One setting of a tool. is_right judges each of its texts; wanted says what was expected. */
typedef struct DeviceField {
    const char *name;
    DeviceType type;
    bool is_needed;
    bool (*is_right)(Str text);
    const char *wanted;
    bool (*is_right_key)(Str key);         /* DEVICE_MAP */
    const char *wanted_key;
} DeviceField;

/* ---- Which texts are right ---- */

static bool is_word(Str text, const char *others)
{
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && !(c && strchr(others, c))) return false;
    }
    return text.len > 0;
}

static bool is_text(Str text)
{
    for (size_t at = 0; at < text.len; at++)
        if ((unsigned char)text.bytes[at] < ' ' || text.bytes[at] == 0x7f) return false;
    return text.len > 0;
}

static bool is_app_id(Str text) { return is_word(text, "") && text.len >= 4 && text.len <= 20; }

static bool is_host(Str text)
{
    Str rest = str_slice(text, 8, text.len);
    return str_starts(text, STR("https://")) && is_word(rest, ".-:") && rest.bytes[0] != '.';
}

static bool is_tag_id(Str text)
{
    static const Str kinds[] = { STR("G-"), STR("AW-"), STR("GT-"), STR("DC-") };
    for (size_t at = 0; at < countof(kinds); at++)
        if (str_starts(text, kinds[at])) return is_word(str_slice(text, kinds[at].len, text.len), "");
    return false;
}

static bool is_conversion(Str text)
{
    Str label, id = str_cut(text, '/', &label);
    return str_starts(id, STR("AW-")) && is_tag_id(id) && is_word(label, "-_");
}

static bool is_storage(Str key)
{
    static const Str types[] = { STR("analytics_storage"), STR("ad_storage"), STR("ad_user_data"),
                                 STR("ad_personalization"), STR("functionality_storage"),
                                 STR("personalization_storage"), STR("security_storage") };
    for (size_t at = 0; at < countof(types); at++)
        if (str_equal(key, types[at])) return true;
    return false;
}

static bool is_pixel_id(Str text)
{
    for (size_t at = 0; at < text.len; at++)
        if (text.bytes[at] < '0' || text.bytes[at] > '9') return false;
    return text.len >= 5 && text.len <= 20;
}

static bool is_project_key(Str text) { return str_starts(text, STR("phc_")) && text.len > 4 && is_word(text, "_-"); }

/* ---- The tools ---- */

#define CONSENT { "consent", DEVICE_TEXTS, false, is_text, "names of consent categories", NULL, NULL }

static const DeviceField intercom_fields[] = {
    { "app_id", DEVICE_TEXT, true, is_app_id, "the workspace's id, 4 to 20 letters and digits", NULL, NULL },
    { "api_base", DEVICE_TEXT, false, is_host, "https://api-iam.eu.intercom.io, or another https:// host", NULL, NULL },
    { "events", DEVICE_BOOL, false, NULL, NULL, NULL, NULL },
    { "identity_verification", DEVICE_BOOL, false, NULL, NULL, NULL, NULL },
    CONSENT,
};
static const DeviceField google_tag_fields[] = {
    { "ids", DEVICE_TEXTS, true, is_tag_id,
      "ids like G-ABC123 or AW-123 (UA- ids have ended, GTM- is a container, not a tag)", NULL, NULL },
    { "user_properties", DEVICE_TEXTS, false, is_text, "names of traits", NULL, NULL },
    { "conversions", DEVICE_MAP, false, is_conversion, "a conversion like AW-123/AbC-label", is_text,
      "an event's name" },
    { "consent_mode", DEVICE_MAP, false, is_text, "the name of a consent category", is_storage,
      "analytics_storage, ad_storage, ad_user_data, ad_personalization, ..." },
    CONSENT,
};
static const DeviceField meta_pixel_fields[] = {
    { "pixel_id", DEVICE_TEXT, true, is_pixel_id, "5 to 20 digits", NULL, NULL },
    CONSENT,
};
static const DeviceField posthog_fields[] = {
    { "api_key", DEVICE_TEXT, true, is_project_key, "the project's key, phc_...; phx_... are personal and secret", NULL,
      NULL },
    { "api_host", DEVICE_TEXT, false, is_host, "https://eu.i.posthog.com, or another https:// host", NULL, NULL },
    { "group_type", DEVICE_TEXT, false, is_text, "a text", NULL, NULL },
    { "session_recording", DEVICE_BOOL, false, NULL, NULL, NULL, NULL },
    CONSENT,
};

typedef struct DeviceTool { const char *name; const DeviceField *fields; size_t count; } DeviceTool;
static const DeviceTool tools[] = {
    { "intercom", intercom_fields, countof(intercom_fields) },
    { "google_tag", google_tag_fields, countof(google_tag_fields) },
    { "meta_pixel", meta_pixel_fields, countof(meta_pixel_fields) },
    { "posthog", posthog_fields, countof(posthog_fields) },
};
/* Other names that people use for them. */
static const struct { const char *said, *meant; } also[] = {
    { "gtag", "google_tag" }, { "ga4", "google_tag" }, { "google_analytics", "google_tag" },
    { "google_ads", "google_tag" }, { "facebook_pixel", "meta_pixel" }, { "facebook", "meta_pixel" },
    { "meta", "meta_pixel" }, { "fbq", "meta_pixel" },
};

/* ---- Judging and writing ---- */

typedef struct Judge { struct config_walk *walk; struct buf *out; const Node *ids; } Judge;

static void put_key(struct buf *out, Str key)
{
    if (out->len && out->bytes[out->len - 1] != '{') buf_char(out, ',');
    buf_json_string(out, key);
    buf_char(out, ':');
}

static void judge_text(Judge *judge, const DeviceField *field, const Node *node, Str shown)
{
    if (node->kind != NODE_TEXT || node->text.len > TEXT_BYTES || !field->is_right(node->text))
        config_complain(judge->walk, node, shown, "wanted %s", field->wanted);
    buf_json_string(judge->out, node->kind == NODE_TEXT ? str_slice(node->text, 0, TEXT_BYTES) : STR(""));
}

static void judge_bool(Judge *judge, const Node *node, Str shown)
{
    static const ConfigRule rule = { .type = BOOL };
    bool is_true = false;
    (void)config_read_value(judge->walk, &rule, node, shown, &is_true);
    buf_str_put(judge->out, is_true ? STR("true") : STR("false"));
}

static void judge_texts(Judge *judge, const DeviceField *field, const Node *node, Str shown)
{
    Node alone = *node;
    alone.next = NULL;
    bool is_list = node->kind == NODE_LIST, is_count = !is_list || (node->count > 0 && node->count <= ITEMS_MOST);
    if (!is_count) config_complain(judge->walk, node, shown, "wanted 1 to %d: %s", ITEMS_MOST, field->wanted);
    buf_char(judge->out, '[');
    for (const Node *item = is_list ? node->first : &alone; item && is_count; item = item->next) {
        judge_text(judge, field, item, shown);
        if (item->next) buf_char(judge->out, ',');
    }
    buf_char(judge->out, ']');
}

/* A conversion counts only if the tag of its account is there, too. */
static void judge_account(Judge *judge, const Node *node, Str shown)
{
    Str label, id = str_cut(node->text, '/', &label);
    if (!is_conversion(node->text)) return;
    if (judge->ids && judge->ids->kind == NODE_TEXT && str_equal(judge->ids->text, id)) return;
    node_each(item, judge->ids) if (str_equal(item->text, id)) return;
    config_complain(judge->walk, node, shown, "ids has no %.*s", STR_FORMAT(str_slice(id, 0, 40)));
}

static void judge_map(Judge *judge, const DeviceField *field, const Node *node, Str shown)
{
    bool is_map = node->kind == NODE_MAP && node->count <= ITEMS_MOST;
    buf_char(judge->out, '{');
    if (!is_map)
        config_complain(judge->walk, node, shown, "wanted a map of at most %d: %s to %s", ITEMS_MOST,
                        field->wanted_key, field->wanted);
    node_each(child, is_map ? node : NULL) {
        if (child->key.len > TEXT_BYTES || !field->is_right_key(child->key))
            config_complain_at(judge->walk, child->key_line, child->key_column, shown, "wanted %s", field->wanted_key);
        put_key(judge->out, str_slice(child->key, 0, TEXT_BYTES));
        judge_text(judge, field, child, shown);
        if (field->is_right == is_conversion && child->kind == NODE_TEXT) judge_account(judge, child, shown);
    }
    buf_char(judge->out, '}');
}

static void judge_field(Judge *judge, const DeviceField *field, const Node *node, Str shown)
{
    put_key(judge->out, str_from(field->name));
    switch (field->type) {
    case DEVICE_TEXT:  judge_text(judge, field, node, shown); break;
    case DEVICE_TEXTS: judge_texts(judge, field, node, shown); break;
    case DEVICE_BOOL:  judge_bool(judge, node, shown); break;
    case DEVICE_MAP:   judge_map(judge, field, node, shown); break;
    }
}

static bool sounds_secret(Str key)
{
    static const char *const words[] = { "secret", "token", "password", "private", "hmac" };
    for (size_t at = 0; at < countof(words); at++)
        if (str_contains(key, str_from(words[at]))) return true;
    return false;
}

static void complain_field(struct config_walk *walk, const DeviceTool *tool, const Node *child, Str shown)
{
    Str names[8] = { 0 };
    for (size_t at = 0; at < tool->count && at < countof(names); at++) names[at] = str_from(tool->fields[at].name);
    Str near = nearest_word(child->key, names, tool->count);
    if (sounds_secret(child->key))
        config_complain_at(walk, child->key_line, child->key_column, shown,
                           "everything here is public; a secret belongs in the settings of a destination");
    else if (near.len)
        config_complain_at(walk, child->key_line, child->key_column, shown, "unknown key; did you mean %.*s?",
                           STR_FORMAT(near));
    else config_complain_at(walk, child->key_line, child->key_column, shown, "unknown key");
}

static void judge_tool(Judge *judge, const DeviceTool *tool, const Node *settings, Str shown)
{
    put_key(judge->out, str_from(tool->name));
    buf_char(judge->out, '{');
    if (settings->kind != NODE_MAP) config_complain(judge->walk, settings, shown, "wanted a map of settings");
    judge->ids = node_find(settings, STR("ids"));
    node_each(child, settings->kind == NODE_MAP ? settings : NULL) {
        Str place = arena_printf(judge->walk->arena, "%.*s.%.*s", STR_FORMAT(shown),
                                 STR_FORMAT(str_slice(child->key, 0, 40)));
        size_t at = 0;
        while (at < tool->count && !str_equal(child->key, str_from(tool->fields[at].name))) at++;
        if (at == tool->count) complain_field(judge->walk, tool, child, place);
        else if (child->kind != NODE_NULL) judge_field(judge, &tool->fields[at], child, place);
    }
    for (size_t at = 0; at < tool->count && settings->kind == NODE_MAP; at++)
        if (tool->fields[at].is_needed && !node_find(settings, str_from(tool->fields[at].name)))
            config_complain(judge->walk, settings, shown, "has no %s: %s", tool->fields[at].name,
                            tool->fields[at].wanted);
    buf_char(judge->out, '}');
}

static void complain_tool(struct config_walk *walk, const Node *child, Str shown)
{
    Str names[countof(tools)];
    const char *meant = NULL;
    for (size_t at = 0; at < countof(tools); at++) names[at] = str_from(tools[at].name);
    for (size_t at = 0; at < countof(also); at++)
        if (str_equal_no_case(child->key, str_from(also[at].said))) meant = also[at].meant;
    Str near = meant ? str_from(meant) : nearest_word(child->key, names, countof(names));
    if (near.len)
        config_complain_at(walk, child->key_line, child->key_column, shown, "unknown tool; did you mean %.*s?",
                           STR_FORMAT(near));
    else
        config_complain_at(walk, child->key_line, child->key_column, shown,
                           "unknown tool; there are intercom, google_tag, meta_pixel and posthog");
}

Str config_read_device_mode(struct config_walk *walk, const Node *map, Str shown)
{
    struct buf out;
    buf_init(&out, CONFIG_FILE_BYTES);
    Judge judge = { walk, &out, NULL };
    buf_char(&out, '{');
    node_each(child, map) {
        Str place = arena_printf(walk->arena, "%.*s.device_mode.%.*s", STR_FORMAT(shown),
                                 STR_FORMAT(str_slice(child->key, 0, 40)));
        size_t at = 0;
        while (at < countof(tools) && !str_equal(child->key, str_from(tools[at].name))) at++;
        if (at == countof(tools)) complain_tool(walk, child, place);
        else judge_tool(&judge, &tools[at], child, place);
    }
    buf_char(&out, '}');
    bool is_short = buf_ok(&out) && out.len <= LIMIT_DEVICE_MODE_BYTES;
    Str text = is_short && out.len > 2 ? arena_copy(walk->arena, buf_str(&out)) : STR("");
    if (!is_short)
        config_complain(walk, map, shown, "device_mode is too long: at most %d bytes as JSON", LIMIT_DEVICE_MODE_BYTES);
    buf_done(&out);
    return text;
}
