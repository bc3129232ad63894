/* destination_mixpanel_event: track, page and screen as Mixpanel events.
 *
 * What Mixpanel tells two events apart by (name, time, distinct_id, $insert_id) depends on the message
 * alone, so the same message makes the same event whenever it is sent. time and distinct_id come from the
 * message, $insert_id from its source and messageId. The user's own properties win over what is read from the context,
 * but not over these.
 */
#include "destination_mixpanel.h"

static const struct { const char *path, *key; } context_rows[] = {
    { "app.name", "$app_name" }, { "app.namespace", "$app_namespace" }, { "app.version", "$app_version_string" },
    { "app.build", "$app_build_number" }, { "os.name", "$os" }, { "os.version", "$os_version" },
    { "device.name", "$device" }, { "device.manufacturer", "$manufacturer" }, { "device.model", "$model" },
    { "device.type", "$device_type" }, { "device.advertisingId", "advertising_id" },
    { "device.adTrackingEnabled", "ad_tracking_enabled" }, { "network.carrier", "$carrier" },
    { "network.wifi", "$wifi_enabled" }, { "network.bluetooth", "$bluetooth_enabled" },
    { "network.cellular", "$cellular_enabled" }, { "screen.width", "$screen_width" },
    { "screen.height", "$screen_height" }, { "screen.density", "$screen_density" }, { "page.url", "$current_url" },
    { "page.referrer", "$referrer" }, { "locale", "$locale" }, { "location.country", "mp_country_code" },
    { "timezone", "timezone" }, { "library.version", "$lib_version" },
};

/* Properties that say who, when and which: the sender may not set them. */
static bool is_reserved(Str key)
{
    static const char *const reserved[] = {
        "time", "token", "distinct_id", "$device_id", "$user_id", "$insert_id", "$identified_id", "$anon_id",
        "$distinct_ids", "$ignore",
    };
    for (size_t at = 0; at < countof(reserved); at++)
        if (str_equal(key, str_from(reserved[at]))) return true;
    return false;
}

static void put_unless(struct buf *out, const TreeNode *except, const char *key, Str text)
{
    if (!event_tree_is_given(event_tree_get(except, str_from(key)))) member_text(out, str_from(key), text);
}

static bool is_apple(const TreeNode *context)
{
    Str type = event_tree_text(context, "device.type"), os = event_tree_text(context, "os.name");
    return str_equal_no_case(type, STR("ios")) || str_starts(os, STR("i")) || str_equal_no_case(type, STR("apple"));
}

/* Every key of the campaign becomes the utm_ parameter that it came from; its name is utm_campaign. */
static Str campaign_key(struct plan *plan, Str key)
{
    if (str_starts(key, STR("utm_"))) return key;
    if (str_equal(key, STR("name"))) return STR("utm_campaign");
    return arena_printf(plan->arena, "utm_%.*s", STR_FORMAT(key));
}

static bool says_something(const TreeNode *value)
{
    return event_tree_is_given(value) && (value->kind != FIELD_STRING || value->text.len > 0);
}

static void put_campaign(struct plan *plan, struct buf *out, const TreeNode *campaign, const TreeNode *except)
{
    if (!event_tree_is_kind(campaign, FIELD_OBJECT)) return;
    for (const TreeNode *value = campaign->first; value; value = value->next) {
        Str key = campaign_key(plan, value->key);
        const TreeNode *twin = value->next;
        while (twin && !(says_something(twin) && str_equal(campaign_key(plan, twin->key), key))) twin = twin->next;
        if (!says_something(value) || event_tree_is_given(event_tree_get(except, key))) continue;
        if (!twin) member_raw(out, key, value->raw);
        else if (!str_equal(twin->raw, value->raw))
            plan_left_out(plan, "campaign.%.*s was left out: it and campaign.%.*s are both %.*s",
                          STR_FORMAT(str_slice(value->key, 0, 200)), STR_FORMAT(str_slice(twin->key, 0, 200)),
                          STR_FORMAT(str_slice(key, 0, 200)));
    }
}

void mixpanel_put_context(struct plan *plan, struct buf *out, const TreeNode *context, const TreeNode *except)
{
    Browser browser = browser_of(event_tree_text(context, "userAgent"));
    for (size_t at = 0; at < countof(context_rows); at++) {
        const TreeNode *value = event_tree_find(context, context_rows[at].path);
        Str key = str_from(context_rows[at].key);
        if (!event_tree_is_given(value) || value->kind > FIELD_BOOL) continue;
        if (value->kind == FIELD_STRING && value->text.len == 0) continue;
        if (!event_tree_is_given(event_tree_get(except, key))) member_raw(out, key, value->raw);
    }
    put_campaign(plan, out, event_tree_find(context, "campaign"), except);
    put_unless(out, except, "$browser", browser.name);
    put_unless(out, except, "$browser_version", browser.version);
    if (is_apple(context)) put_unless(out, except, "$ios_ifa", event_tree_text(context, "device.advertisingId"));
}

static void put_who(struct buf *out, const MixpanelWho *who, Millis time_ms, Str insert_id)
{
    json_int(out, "time", time_ms);
    json_string(out, "distinct_id", who->distinct_id);    /* present even if empty: else Mixpanel hashes an address */
    member_text(out, STR("$device_id"), who->device_id);
    member_text(out, STR("$user_id"), who->user_id);
    member_text(out, STR("$insert_id"), insert_id);
}

/* "ip" is always sent: without it Mixpanel would place all events at this server's location. */
static void put_ip(struct buf *out, const TreeNode *context, const TreeNode *except)
{
    Str ip = event_tree_text(context, "ip");
    if (event_tree_get(except, STR("ip"))) return;
    if (ip.len) member_text(out, STR("ip"), ip);
    else json_int(out, "ip", 0);
}

static void put_library(struct buf *out, const TreeNode *context, const TreeNode *except)
{
    Str name = event_tree_text(context, "library.name");
    struct buf text;
    char bytes[128];
    buf_init_fixed(&text, bytes, sizeof bytes);
    buf_str_put(&text, STR("Onym"));
    if (name.len && name.len < 100) {
        buf_str_put(&text, STR(": "));
        buf_str_put(&text, name);
    }
    put_unless(out, except, "mp_lib", buf_str(&text));
}

/* The groups of the event: from context.groupId under the configured key, unless the sender set it. */
static void put_group(struct plan *plan, struct buf *out, const TreeNode *context, const TreeNode *except)
{
    Str key = setting_text(plan->settings, MIXPANEL_GROUP_KEY), id = event_tree_text(context, "groupId");
    if (id.len && !mixpanel_is_banned(id) && key.len && !event_tree_get(except, key)) member_text(out, key, id);
}

static void put_base(struct plan *plan, struct buf *out, const Outgoing *message, const TreeNode *except)
{
    const TreeNode *context = event_tree_find(message->json, "context");
    put_ip(out, context, except);
    mixpanel_put_context(plan, out, context, except);
    put_library(out, context, except);
    put_group(plan, out, context, except);
    put_unless(out, except, "segment_source_name", setting_text(plan->settings, MIXPANEL_SOURCE_NAME));
}

static void put_properties(struct plan *plan, struct buf *out, const TreeNode *properties)
{
    for (const TreeNode *child = properties ? properties->first : NULL; child; child = child->next) {
        if (!is_reserved(child->key)) member_node(out, child->key, child);
        else if (event_tree_is_given(child))
            plan_left_out(plan, "property %.*s was left out: Mixpanel has that name for itself",
                          STR_FORMAT(child->key));
    }
}

/* Opens {"event":…,"properties":{ and says who and when. */
static struct buf *begin_event(struct plan *plan, Str name, const MixpanelWho *who, Millis time_ms, Str insert_id)
{
    struct buf *out = plan_call(plan, LANE_IMPORT, KIND_EVENT);
    json_object(out, NULL);
    json_string(out, "event", name);
    json_object(out, "properties");
    put_who(out, who, time_ms, insert_id);
    return out;
}

static Status plan_product(struct plan *plan, const Outgoing *message, const MixpanelWho *who, const TreeNode *product,
                           uint32_t index, Err *err)
{
    const TreeNode *order = event_tree_find(message->json, "properties");
    char number[16];
    struct buf digits, *out;
    Str parts[4] = { message->event->source, message->event->message_id, STR("product"), { 0 } };
    buf_init_fixed(&digits, number, sizeof number);
    buf_int(&digits, index);
    parts[3] = buf_str(&digits);
    out = begin_event(plan, STR("Product Purchased"), who, message->event->timestamp_ms - 1 - index,
                      key_of_parts(plan->arena, parts, countof(parts)));
    if (!event_tree_get(product, STR("order_id")))
        member_node(out, STR("order_id"), event_tree_find(order, "order_id"));
    if (!event_tree_get(product, STR("checkout_id")))
        member_node(out, STR("checkout_id"), event_tree_find(order, "checkout_id"));
    put_properties(plan, out, product);
    put_base(plan, out, message, product);
    json_object_end(out);
    json_object_end(out);
    return plan_end_call(plan, 0, 0, err);
}

static Status plan_products(struct plan *plan, const Outgoing *message, const MixpanelWho *who, Err *err)
{
    const TreeNode *products = event_tree_find(message->json, "properties.products");
    uint32_t index = 0;
    if (!setting_is_on(plan->settings, MIXPANEL_PRODUCT_EVENTS)) return OK;
    if (!event_tree_is_kind(products, FIELD_ARRAY)) return OK;
    if (!is_order_completed(message->event->name)) return OK;
    for (const TreeNode *product = products->first; product && index < 100; product = product->next, index++) {
        Status s = product->kind == FIELD_OBJECT ? plan_product(plan, message, who, product, index, err) : OK;
        if (s) return s;
    }
    if (products->count > 100)
        plan_left_out(plan, "an order of %u products: only the first 100 became events", products->count);
    return OK;
}

/* The event's name for a page or screen; empty: it is not sent. */
static Str view_name(struct plan *plan, const Outgoing *message)
{
    bool is_page = message->event->type == EVENT_PAGE;
    int64_t which = setting_number(plan->settings, MIXPANEL_PAGES);      /* all|named|none */
    Str template = setting_text(plan->settings, is_page ? MIXPANEL_PAGE_EVENT : MIXPANEL_SCREEN_EVENT), name;
    struct buf text;
    bool is_full;
    if (which == 2 || (which == 1 && message->event->name.len == 0)) return (Str){ 0 };
    buf_init(&text, 1024);
    is_full = fill_template(&text, template, message->json);
    name = is_full && buf_ok(&text) && text.len ? arena_copy(plan->arena, buf_str(&text))
        : is_page ? STR("Loaded a Page") : STR("Loaded a Screen");
    buf_done(&text);
    return name;
}

Status mixpanel_plan_event(struct plan *plan, const Outgoing *message, Err *err)
{
    const TreeNode *properties = event_tree_find(message->json, "properties");
    MixpanelWho who = mixpanel_who(plan, message);
    bool is_track = message->event->type == EVENT_TRACK;
    Str name = is_track ? message->event->name : view_name(plan, message);
    struct buf *out;
    Status s;
    if (name.len == 0 && is_track) return err_set(err, ERR_INPUT, "the event has no name");
    if (name.len == 0) {
        plan->skipped = "page or screen";
        return OK;
    }
    out = begin_event(plan, name, &who, message->event->timestamp_ms,
                      key_of_message(plan->arena, message->event));
    put_properties(plan, out, properties);
    if (!is_track) {
        put_unless(out, properties, "name", message->event->name);
        put_unless(out, properties, "category", message->event->category);
    }
    put_base(plan, out, message, properties);
    json_object_end(out);
    json_object_end(out);
    s = plan_end_call(plan, 0, 0, err);
    return s || !is_track ? s : plan_products(plan, message, &who, err);
}
