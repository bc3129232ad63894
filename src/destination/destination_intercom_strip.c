/* destination_intercom_strip: leaves out custom attributes that the workspace does not have, or has as another type.
 *
 * Intercom refuses a whole contact, lead or company because of one of them, and names one at a time. So the first ones
 * are left out by their names in the answers. If there are more, we ask for the workspace's own list, and leave out all
 * that it does not have together. What is left out is reported, and the rest of the call is kept.
 *
 * In the facts an attribute is known by its place in the frozen call, since its name is a client's text:
 *   left     hex digits, the first four attributes in the first; what lies after BITS goes with the first that does
 *   named    how many went by their names
 *   listed   the workspace's list was asked for
 *   back     the step to go on with after the step "attributes"
 */
#include "destination_intercom.h"

enum { BITS = 1600, BY_NAME_FIRST = 2, BY_NAME_MOST = 40, NAMES_BYTES = 400 };

struct left { uint8_t bits[BITS]; };

static unsigned digit_value(char digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a' + 10);
}

static void load(const char *facts, struct left *left)
{
    Str digits = fact_get(facts, "left");
    memset(left, 0, sizeof *left);
    for (size_t at = 0; at < digits.len * 4 && at < BITS; at++)
        left->bits[at] = digit_value(digits.bytes[at / 4]) >> at % 4 & 1;
}

static bool save(char *facts, const struct left *left)
{
    char digits[BITS / 4];
    size_t len = 0;
    for (size_t at = 0; at < BITS / 4; at++) {
        const uint8_t *bits = left->bits + at * 4;
        digits[at] = "0123456789abcdef"[bits[0] | bits[1] << 1 | bits[2] << 2 | bits[3] << 3];
        if (digits[at] != '0') len = at + 1;
    }
    return fact_put(facts, "left", str_of(digits, len));
}

static bool is_left(const struct left *left, size_t index) { return index >= BITS || left->bits[index]; }

Str intercom_json_of(const Call *call)
{
    Str rest = call->body;
    size_t end = rest.len;
    switch (call->kind) {
    case KIND_CONTACT:
    case KIND_COMPANY: return rest;
    case KIND_LEAD: (void)field_take(&rest); return rest;
    case KIND_LEAD_OF_LINES:                        /* JSON holds no line end; the key before it may */
        while (end > 0 && rest.bytes[end - 1] != '\n') end--;
        return str_slice(rest, end, rest.len);
    default: return (Str){ 0 };
    }
}

static const TreeNode *attributes_of(Str json, Arena *arena)
{
    const TreeNode *root;
    if (!json.len || event_tree_read(json, arena, &root, NULL)) return NULL;
    return event_tree_find(root, "custom_attributes");
}

Str intercom_strip(Arena *arena, Str json, const char *facts)
{
    const TreeNode *root;
    struct left left;
    struct buf out;
    Str text;
    if (fact_get(facts, "left").len == 0 || event_tree_read(json, arena, &root, NULL)) return json;
    load(facts, &left);
    buf_init(&out, DESTINATION_CALL_BYTES);
    json_object(&out, NULL);
    for (const TreeNode *child = root->first; child; child = child->next) {
        size_t index = 0;
        if (!str_equal(child->key, STR("custom_attributes"))) {
            member_raw(&out, child->key, child->raw);
            continue;
        }
        json_name(&out, child->key);
        json_object(&out, NULL);
        for (const TreeNode *attribute = child->first; attribute; attribute = attribute->next)
            if (!is_left(&left, index++)) member_raw(&out, attribute->key, attribute->raw);
        json_object_end(&out);
    }
    json_object_end(&out);
    text = arena_copy(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

Str intercom_error_message(const TreeNode *body)
{
    const TreeNode *errors = event_tree_find(body, "errors");
    return errors && errors->first ? event_tree_text(errors->first, "message") : (Str){ 0 };
}

void intercom_forget_strip(char *facts)
{
    static const char *const keys[] = { "left", "named", "listed", "back", "strip" };
    for (size_t at = 0; at < countof(keys); at++) (void)fact_put(facts, keys[at], (Str){ 0 });
}

/* ---- What the answers say ---- */

/* "Custom attribute 'plan' does not exist": the place of the one that it names and that is still there. */
static bool find_named(Arena *arena, const TreeNode *attributes, const struct left *left, Str message, size_t *ret)
{
    size_t index = 0;
    for (const TreeNode *child = attributes->first; child; child = child->next, index++) {
        Str quoted = arena_printf(arena, "'%.*s'", STR_FORMAT(child->key));
        Str plain = arena_printf(arena, "%.*s ", STR_FORMAT(child->key));
        if (is_left(left, index) || !(str_contains(message, quoted) || str_starts(message, plain))) continue;
        *ret = index;
        return true;
    }
    return false;
}

static bool again(Ruling *ruling)
{
    judge_all(ruling, VERDICT_AGAIN, (Str){ 0 });
    return true;
}

static int64_t named_count(const char *facts)
{
    int64_t count = 0;
    (void)!str_parse_int(fact_get(facts, "named"), 0, BITS, &count);
    return count;
}

static bool leave_out_named(const JudgeInput *input, Ruling *ruling, const TreeNode *attributes, size_t index,
                            struct left *left, Str message)
{
    const TreeNode *attribute = attributes->first;
    Str count = arena_printf(input->arena, "%" PRId64, named_count(ruling->facts) + 1);
    for (size_t at = 0; at < index; at++) attribute = attribute->next;
    left->bits[index] = 1;
    if (!save(ruling->facts, left) || !fact_put(ruling->facts, "named", count)) return false;
    ruling->report = str_contains(message, STR("does not exist"))
        ? arena_printf(input->arena, "Intercom has no attribute %.*s: left out", STR_FORMAT(attribute->key))
        : arena_printf(input->arena, "Intercom refuses attribute %.*s (%.*s): left out", STR_FORMAT(attribute->key),
                       STR_FORMAT(str_slice(message, 0, NAMES_BYTES)));
    return again(ruling);
}

/* The answer does not say which one: a call without attributes is better than no call. */
static bool leave_out_all(const JudgeInput *input, Ruling *ruling, struct left *left, Str message)
{
    memset(left->bits, 1, sizeof left->bits);
    if (!save(ruling->facts, left)) return false;
    ruling->report = arena_printf(input->arena, "Intercom refuses custom attributes (%.*s): all were left out",
                                  STR_FORMAT(str_slice(message, 0, NAMES_BYTES)));
    return again(ruling);
}

static bool is_any_left_in(const TreeNode *attributes, const struct left *left)
{
    size_t index = 0;
    for (const TreeNode *child = attributes ? attributes->first : NULL; child; child = child->next)
        if (!is_left(left, index++)) return true;
    return false;
}

bool intercom_judge_attributes(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    const TreeNode *attributes = attributes_of(intercom_json_of(input->calls[0]), input->arena);
    Str message = intercom_error_message(body);
    bool is_listed = fact_get(ruling->facts, "listed").len > 0;
    int64_t most = is_listed ? BY_NAME_MOST : BY_NAME_FIRST;
    struct left left;
    size_t index;
    load(ruling->facts, &left);
    if (!is_any_left_in(attributes, &left) || !str_contains(message, STR("ttribute"))) return false;
    if (named_count(ruling->facts) < most && find_named(input->arena, attributes, &left, message, &index))
        return leave_out_named(input, ruling, attributes, index, &left, message);
    if (is_listed) return leave_out_all(input, ruling, &left, message);
    if (!fact_put(ruling->facts, "back", fact_get(ruling->facts, "do"))) return false;
    return fact_put(ruling->facts, "do", STR("attributes")) && again(ruling);
}

/* ---- The workspace's own list ---- */

Str intercom_attributes_path(const Call *call)
{
    return call->kind == KIND_COMPANY ? STR("/data_attributes?model=company") : STR("/data_attributes?model=contact");
}

static bool has_name(const TreeNode *names, Str name)
{
    for (const TreeNode *one = names->first; one; one = one->next) {
        const TreeNode *archived = event_tree_find(one, "archived"), *custom = event_tree_find(one, "custom");
        bool is_gone = event_tree_is_kind(archived, FIELD_BOOL) && archived->truth;
        bool is_own = !event_tree_is_kind(custom, FIELD_BOOL) || custom->truth;
        if (is_own && !is_gone && str_equal(event_tree_text(one, "name"), name)) return true;
    }
    return false;
}

static void leave_out_unlisted(const JudgeInput *input, Ruling *ruling, const TreeNode *attributes,
                               const TreeNode *names)
{
    char bytes[NAMES_BYTES];
    struct buf text;
    struct left left;
    size_t index = 0, count = 0;
    buf_init_fixed(&text, bytes, sizeof bytes);
    load(ruling->facts, &left);
    for (const TreeNode *child = attributes->first; child && index < BITS; child = child->next, index++) {
        if (is_left(&left, index) || has_name(names, child->key)) continue;
        left.bits[index] = 1;
        buf_printf(&text, "%s%.*s", count++ ? ", " : "", STR_FORMAT(child->key));
        text.failed = false;                        /* a name that does not fit is counted */
    }
    if (!count || !save(ruling->facts, &left)) return;
    ruling->report = arena_printf(input->arena, "Intercom has no attributes %.*s (%zu in all): left out",
                                  STR_FORMAT(buf_str(&text)), count);
}

/* If we cannot get the list, the attributes are left out one after the other by their names. */
void intercom_judge_names(const JudgeInput *input, const TreeNode *body, Ruling *ruling)
{
    const TreeNode *attributes = attributes_of(intercom_json_of(input->calls[0]), input->arena);
    const TreeNode *names = event_tree_find(body, "data");
    if (ruling->calls[0].verdict == VERDICT_RETRY) return;
    if (input->answer->status == 200 && attributes && event_tree_is_kind(names, FIELD_ARRAY) && names->count)
        leave_out_unlisted(input, ruling, attributes, names);
    (void)fact_put(ruling->facts, "listed", STR("1"));
    (void)fact_put(ruling->facts, "do", fact_get(ruling->facts, "back"));
    (void)again(ruling);
}
