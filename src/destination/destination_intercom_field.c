/* destination_intercom_field: traits and properties as Intercom's own fields and custom attributes.
 *
 * A field is taken from the first of its traits that has a fitting value. A trait that is left over becomes a custom
 * attribute; one that can be neither is reported: nothing vanishes in silence. null unsets, if Intercom can do that.
 * Instants are seconds, and an attribute that holds one ends in _at. Names may hold neither "." nor "$".
 */
#include "destination_intercom.h"
#include <math.h>

enum { FLATTEN_DEPTH = 6, TEXT_BYTES = 255, SHOWN = 200 };
typedef enum Nested { NESTED_FLATTEN, NESTED_STRINGIFY, NESTED_DROP } Nested;

/* ---- Values ---- */

struct written {
    Str name;
    const struct written *before;
};

/* Members of one object: attributes, or an event's metadata. */
struct writer {
    struct plan *plan;
    struct buf *out;
    const struct written *names;
    bool sends_null;
};

/* Makes "_" of "." and "$", so that the name stays readable. */
static Str clean_name(struct plan *plan, Str name)
{
    Str copy = arena_copy(plan->arena, name);
    char *at = (char *)copy.bytes;
    for (size_t left = copy.len; left > 0; left--, at++)
        if (*at == '.' || *at == '$') *at = '_';
    return copy;
}

/* Writes the member's key; returns false, and reports it, if another was written under that name already. */
static bool begin_member(struct writer *writer, Str name)
{
    struct written *written = arena_new(writer->plan->arena, struct written, 1);
    *written = (struct written){ clean_name(writer->plan, name), writer->names };
    for (const struct written *at = writer->names; at; at = at->before) {
        if (!str_equal(at->name, written->name)) continue;
        plan_left_out(writer->plan, "%.*s was left out: another is called %.*s at Intercom, too",
                      STR_FORMAT(str_slice(name, 0, SHOWN)), STR_FORMAT(str_slice(at->name, 0, SHOWN)));
        return false;
    }
    writer->names = written;
    json_name(writer->out, written->name);
    return true;
}

static Nested nested_of(struct plan *plan, Str name)
{
    Str own = setting_in_map(plan->settings, INTERCOM_NESTED_OF, name);
    if (str_equal(own, STR("flatten"))) return NESTED_FLATTEN;
    if (str_equal(own, STR("stringify"))) return NESTED_STRINGIFY;
    if (str_equal(own, STR("drop"))) return NESTED_DROP;
    return (Nested)setting_number(plan->settings, INTERCOM_NESTED);
}

/* A text cut to Intercom's length, never within a character. */
static Str cut_text(struct plan *plan, Str name, Str text)
{
    size_t len = TEXT_BYTES;
    if (text.len <= TEXT_BYTES) return text;
    while (len > 0 && ((unsigned char)text.bytes[len] & 0xc0) == 0x80) len--;
    plan_left_out(plan, "%.*s was cut at Intercom's %d bytes", STR_FORMAT(str_slice(name, 0, SHOWN)), TEXT_BYTES);
    return str_of(text.bytes, len);
}

static void put_value(struct writer *writer, Str name, const TreeNode *value, int depth);

static void put_nested(struct writer *writer, Str name, const TreeNode *value, int depth)
{
    struct plan *plan = writer->plan;
    Nested how = depth ? NESTED_FLATTEN : nested_of(plan, name);
    unsigned index = 0;
    if (how == NESTED_DROP) return;                 /* as the settings have it */
    if (depth > FLATTEN_DEPTH) {
        plan_left_out(plan, "%.*s was left out: nested too deep", STR_FORMAT(str_slice(name, 0, SHOWN)));
        return;
    }
    if (how == NESTED_STRINGIFY) {
        if (begin_member(writer, name)) json_string(writer->out, NULL, cut_text(plan, name, value->raw));
        return;
    }
    for (const TreeNode *child = value->first; child; child = child->next, index++) {
        Str part = value->kind == FIELD_ARRAY ? arena_printf(plan->arena, "%u", index) : child->key;
        part = arena_printf(plan->arena, "%.*s_%.*s", STR_FORMAT(name), STR_FORMAT(part));
        put_value(writer, part, child, depth + 1);
    }
}

/* Intercom takes seconds under a name that ends in _at, and nothing else. */
static bool put_marked(struct writer *writer, Str name, const TreeNode *value)
{
    Millis at_ms;
    if (!str_ends(name, STR("_at")) || (value->kind != FIELD_STRING && value->kind != FIELD_NUMBER)) return false;
    if (!instant_of_node(value, &at_ms))
        plan_left_out(writer->plan, "%.*s was left out: it is no time that can be read, which Intercom takes it for",
                      STR_FORMAT(str_slice(name, 0, SHOWN)));
    else if (begin_member(writer, name)) json_int(writer->out, NULL, at_ms / 1000);
    return true;
}

static void put_text(struct writer *writer, Str name, Str text)
{
    Millis at_ms;
    if (!is_date_text(text, &at_ms)) {
        if (begin_member(writer, name)) json_string(writer->out, NULL, cut_text(writer->plan, name, text));
        return;
    }
    name = arena_printf(writer->plan->arena, "%.*s%s", STR_FORMAT(name), str_ends(name, STR("_date")) ? "" : "_at");
    if (begin_member(writer, name)) json_int(writer->out, NULL, at_ms / 1000);
}

static void put_value(struct writer *writer, Str name, const TreeNode *value, int depth)
{
    if (put_marked(writer, name, value)) return;
    switch ((FieldKind)value->kind) {
    case FIELD_STRING: put_text(writer, name, value->text); break;
    case FIELD_NULL:
        if (!writer->sends_null) break;
        /* fall through */
    case FIELD_NUMBER:
    case FIELD_BOOL:
        if (begin_member(writer, name)) json_raw(writer->out, NULL, value->raw);
        break;
    case FIELD_ARRAY:
    case FIELD_OBJECT: put_nested(writer, name, value, depth); break;
    case FIELD_ABSENT: break;
    }
}

/* ---- Fields ---- */

typedef enum Kind { TEXT, WHOLE, INSTANT, TRUTH } Kind;

typedef struct IntercomField {
    const char *name;
    Kind kind;
    bool has_null;                              /* null unsets it */
    const char *traits[8];                      /* the first with a fitting value counts; ends at NULL */
} IntercomField;

static const IntercomField contact_fields[] = {
    { "email", TEXT, false, { "email" } },
    { "phone", TEXT, true, { "phone" } },
    { "avatar", TEXT, true, { "avatar" } },
    { "signed_up_at", INSTANT, false,
      { "createdAt", "created_at", "created", "remoteCreatedAt", "remote_created_at", "signed_up_at" } },
    { "last_seen_at", INSTANT, false, { "lastSeenAt", "last_seen_at", "lastRequestAt", "last_request_at" } },
    { "owner_id", WHOLE, true, { "owner_id", "ownerId" } },
    { "unsubscribed_from_emails", TRUTH, false, { "unsubscribedFromEmails", "unsubscribed_from_emails" } },
    { 0 }
};

static const IntercomField company_fields[] = {
    { "name", TEXT, false, { "name" } },
    { "remote_created_at", INSTANT, false,
      { "createdAt", "created_at", "created", "remoteCreatedAt", "remote_created_at", "signed_up_at" } },
    { "monthly_spend", WHOLE, false, { "monthly_spend", "monthlySpend" } },
    { "plan", TEXT, false, { "plan" } },
    { "size", WHOLE, false, { "size", "employees" } },
    { "website", TEXT, false, { "website" } },
    { "industry", TEXT, false, { "industry" } },
    { 0 }
};

/* The value as Intercom takes it; empty: it does not fit. Numbers must be whole, and of 32 bits. */
static Str read_field(struct plan *plan, Kind kind, const TreeNode *value)
{
    Millis at_ms;
    double number;
    struct buf text;
    Str made = { 0 };
    if (!event_tree_is_given(value) || value->kind > FIELD_BOOL) return made;
    switch (kind) {
    case TEXT:
        if (!value->text.len) return made;
        buf_init(&text, DESTINATION_CALL_BYTES);
        buf_json_string(&text, value->text);
        made = arena_copy(plan->arena, buf_str(&text));
        buf_done(&text);
        return made;
    case WHOLE:
        if (!number_of_node(value, &number) || !(number >= -2147483648.0 && number < 2147483648.0)) return made;
        return arena_printf(plan->arena, "%" PRId64, (int64_t)number);
    case INSTANT:
        return instant_of_node(value, &at_ms) ? arena_printf(plan->arena, "%" PRId64, at_ms / 1000) : made;
    case TRUTH: return value->kind == FIELD_BOOL ? value->raw : made;
    }
    return made;
}

/* What a field was taken from, to know what is left over. */
struct taken {
    const IntercomField *field;
    Str value;                                  /* empty: no trait fits */
};

enum { FIELDS_MOST = 8 };

/* 99.5 of money is 99 at Intercom. */
static bool is_cut(Kind kind, const TreeNode *trait)
{
    double number;
    return kind == WHOLE && number_of_node(trait, &number) && number != trunc(number);
}

static struct taken put_field(struct plan *plan, struct buf *out, const IntercomField *field, const TreeNode *traits)
{
    struct taken taken = { field, { 0 } };
    bool is_null = false, has_cut = false;
    for (size_t at = 0; field->traits[at] && !taken.value.len; at++) {
        const TreeNode *trait = event_tree_get(traits, str_from(field->traits[at]));
        taken.value = read_field(plan, field->kind, trait);
        has_cut = is_cut(field->kind, trait);
        is_null |= trait && trait->kind == FIELD_NULL;
    }
    if (taken.value.len) member_raw(out, str_from(field->name), taken.value);
    if (taken.value.len && has_cut)
        plan_left_out(plan, "%s was cut to %.*s: Intercom takes whole numbers only", field->name,
                      STR_FORMAT(taken.value));
    if (!taken.value.len && is_null && field->has_null) member_raw(out, str_from(field->name), STR("null"));
    else if (is_null) plan_left_out(plan, "%s cannot be unset at Intercom: its null was left out", field->name);
    return taken;
}

static const struct taken *field_of(const struct taken *taken, size_t count, Str trait)
{
    for (size_t at = 0; at < count; at++)
        for (size_t name = 0; taken[at].field->traits[name]; name++)
            if (str_equal(trait, str_from(taken[at].field->traits[name]))) return &taken[at];
    return NULL;
}

/* Is the trait in the field, or does it say the same as the one that is? */
static bool is_in_field(struct plan *plan, const struct taken *taken, const TreeNode *trait)
{
    if (!event_tree_is_given(trait)) return true;                       /* its null was sent, or reported */
    if (trait->kind == FIELD_STRING && trait->text.len == 0) return true;
    return taken->value.len && str_equal(read_field(plan, taken->field->kind, trait), taken->value);
}

static void report_left_out(struct plan *plan, Str trait, const char *why)
{
    plan_left_out(plan, "trait %.*s was left out: %s", STR_FORMAT(str_slice(trait, 0, SHOWN)), why);
}

/* Opens custom_attributes; end_attributes closes it, and removes it if nothing was written. */
static struct writer begin_attributes(struct plan *plan, struct buf *out, size_t *ret_start)
{
    *ret_start = out->len;
    json_object(out, "custom_attributes");
    return (struct writer){ .plan = plan, .out = out, .sends_null = true };
}

static void end_attributes(const struct writer *writer, size_t start)
{
    if (!writer->names) writer->out->len = start;
    else json_object_end(writer->out);
}

static void put_leftover(struct writer *writer, const struct taken *taken, const TreeNode *trait)
{
    bool takes_all = setting_number(writer->plan->settings, INTERCOM_ATTRIBUTES) == 0;
    if (taken && is_in_field(writer->plan, taken, trait)) return;
    Millis at_ms;
    if (taken && taken->field->kind == INSTANT && !instant_of_node(trait, &at_ms))
        report_left_out(writer->plan, trait->key, "it is no time that can be read");
    else if (takes_all) put_value(writer, trait->key, trait, 0);
    else if (taken) report_left_out(writer->plan, trait->key, "it cannot be the field that it names");
}

/* ---- Contacts ---- */

static Str full_name(struct plan *plan, const TreeNode *traits)
{
    Str name = event_tree_text(traits, "name"), first = event_tree_text(traits, "firstName");
    Str last = event_tree_text(traits, "lastName");
    if (!first.len) first = event_tree_text(traits, "first_name");
    if (!last.len) last = event_tree_text(traits, "last_name");
    if (name.len || (!first.len && !last.len)) return name;
    return arena_printf(plan->arena, "%.*s%s%.*s", STR_FORMAT(first), first.len && last.len ? " " : "",
                        STR_FORMAT(last));
}

static Str put_name(struct plan *plan, struct buf *out, const TreeNode *traits)
{
    const TreeNode *own = event_tree_get(traits, STR("name"));
    Str name = full_name(plan, traits);
    member_text(out, STR("name"), name);
    if (!name.len && own && own->kind == FIELD_NULL) json_null(out, "name");
    return name;
}

/* Traits that are no attributes: says for each where it went. */
static bool is_elsewhere(struct plan *plan, const TreeNode *trait, Str user_id, Str role, Str name)
{
    static const char *const names[] = { "name", "firstName", "first_name", "lastName", "last_name" };
    bool is_role = str_equal(trait->text, STR("user")) || str_equal(trait->text, STR("lead"));
    for (size_t at = 0; at < countof(names); at++)
        if (str_equal(trait->key, str_from(names[at])))
            return trait->kind == FIELD_NULL || (trait->kind <= FIELD_BOOL && str_contains(name, trait->text));
    if (str_equal(trait->key, STR("company")) || str_equal(trait->key, STR("companies"))) return true;
    if (str_equal(trait->key, STR("id"))) {
        if (event_tree_is_given(trait) && !str_equal(trait->text, user_id))
            report_left_out(plan, trait->key, "the userId names the contact");
        return true;
    }
    if (!str_equal(trait->key, STR("role")) || !is_role) return false;
    if (!str_equal(trait->text, role))
        report_left_out(plan, trait->key, "whoever has a userId is Intercom's user, whoever has none its lead");
    return true;
}

static void put_device(struct writer *writer, const Outgoing *message)
{
    static const char *const rows[][2] = {
        { "device.type", "device_type" }, { "device.manufacturer", "device_manufacturer" },
        { "device.model", "device_model" }, { "os.name", "os_name" }, { "os.version", "os_version" },
        { "app.name", "app_name" }, { "app.version", "app_version" },
    };
    const TreeNode *context = event_tree_find(message->json, "context");
    if (!setting_is_on(writer->plan->settings, INTERCOM_CONTEXT)) return;
    for (size_t at = 0; at < countof(rows); at++) {
        Str text = event_tree_text(context, rows[at][0]), name = str_from(rows[at][1]);
        if (text.len && begin_member(writer, name)) json_string(writer->out, NULL, cut_text(writer->plan, name, text));
    }
}

bool intercom_is_active(const Outgoing *message)
{
    const TreeNode *active = event_tree_find(message->json, "context.active");
    return !event_tree_is_kind(active, FIELD_BOOL) || active->truth;
}

/* The message's own word for it goes before the trait's. */
static struct taken put_unsubscribed(struct plan *plan, struct buf *out, const IntercomField *field,
                                     const Outgoing *message, const TreeNode *traits)
{
    const TreeNode *given = event_tree_find(message->json, "integrations.Intercom.unsubscribedFromEmails");
    if (!event_tree_is_kind(given, FIELD_BOOL)) return put_field(plan, out, field, traits);
    member_raw(out, str_from(field->name), given->raw);
    return (struct taken){ field, given->raw };
}

static size_t put_contact_fields(struct plan *plan, struct buf *out, const Outgoing *message, const TreeNode *traits,
                                 struct taken taken[FIELDS_MOST])
{
    size_t count = 0;
    for (const IntercomField *field = contact_fields; field->name; field++, count++) {
        bool is_seen = strcmp(field->name, "last_seen_at") == 0;
        taken[count] = field->kind == TRUTH ? put_unsubscribed(plan, out, field, message, traits)
                                            : put_field(plan, out, field, traits);
        if (is_seen && !taken[count].value.len && intercom_is_active(message))
            member_int(out, str_from(field->name), message->event->timestamp_ms / 1000);
    }
    return count;
}

void intercom_put_contact(struct plan *plan, struct buf *out, const Outgoing *message, const TreeNode *traits,
                          Str user_id, const char *role)
{
    struct taken taken[FIELDS_MOST];
    size_t start, count;
    buf_char(out, '{');                                  /* not json_object: a lead's key may stand before */
    member_text(out, STR("role"), str_from(role));
    member_text(out, STR("external_id"), user_id);
    count = put_contact_fields(plan, out, message, traits, taken);
    Str name = put_name(plan, out, traits);
    struct writer writer = begin_attributes(plan, out, &start);
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next)
        if (!is_elsewhere(plan, trait, user_id, str_from(role), name))
            put_leftover(&writer, field_of(taken, count, trait->key), trait);
    put_device(&writer, message);
    end_attributes(&writer, start);
    json_object_end(out);
}

/* ---- Companies ---- */

void intercom_put_company(struct plan *plan, struct buf *out, const TreeNode *traits, Str id)
{
    struct taken taken[FIELDS_MOST];
    size_t start, count = 0;
    json_object(out, NULL);
    member_text(out, STR("company_id"), id);
    for (const IntercomField *field = company_fields; field->name; field++, count++)
        taken[count] = put_field(plan, out, field, traits);
    struct writer writer = begin_attributes(plan, out, &start);
    for (const TreeNode *trait = traits ? traits->first : NULL; trait; trait = trait->next) {
        bool is_id = str_equal(trait->key, STR("id"));
        if (is_id && event_tree_is_given(trait) && !str_equal(trait->text, id))
            report_left_out(plan, trait->key, "the groupId names the company");
        if (!is_id && !str_equal(trait->key, STR("remove")))
            put_leftover(&writer, field_of(taken, count, trait->key), trait);
    }
    end_attributes(&writer, start);
    json_object_end(out);
}

/* ---- Events ---- */

static void put_price(struct writer *writer, const TreeNode *properties, double revenue)
{
    Str currency = event_tree_text(properties, "currency");
    if (!begin_member(writer, STR("price"))) return;
    json_object(writer->out, NULL);
    json_raw(writer->out, "amount", arena_printf(writer->plan->arena, "%.0f", revenue * 100));
    json_string(writer->out, "currency", currency.len ? currency : STR("USD"));
    json_object_end(writer->out);
}

/* The email that names the contact has its own place, and revenue with its currency is the price; all else is metadata.
 * */
void intercom_put_metadata(struct plan *plan, struct buf *out, const TreeNode *properties, Str email)
{
    struct writer writer = { .plan = plan, .out = out };
    double revenue;
    bool has_revenue = number_of_node(event_tree_get(properties, STR("revenue")), &revenue);
    json_object(out, "metadata");
    if (has_revenue) put_price(&writer, properties, revenue);
    for (const TreeNode *child = properties ? properties->first : NULL; child; child = child->next) {
        bool is_currency = str_equal(child->key, STR("currency")) && child->kind <= FIELD_BOOL;
        if (str_equal(child->key, STR("email")) && email.len && str_equal(child->text, email)) continue;
        if (has_revenue && (str_equal(child->key, STR("revenue")) || is_currency)) continue;
        if (!setting_has(plan->settings, INTERCOM_RICH_LINKS, child->key) || child->kind != FIELD_OBJECT)
            put_value(&writer, child->key, child, 0);
        else if (begin_member(&writer, child->key))
            json_raw(out, NULL, child->raw);
    }
    json_object_end(out);
}
