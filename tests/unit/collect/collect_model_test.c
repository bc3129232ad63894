/* Random batches against a reference that knows only the words of docs/protocol.md: it reads each message as
 * a tree (a JSON reader of its own) and says what should be stored. SEED repeats a run. */
#include "event/event_tree.h"
#include "tests/unit/collect/collect_world.h"

enum { ROUNDS = 3000, MESSAGES_MAX = 8 };

static struct fake_dice dice;

static const char *pick(const char *const *from, size_t count) { return from[fake_dice_below(&dice, count)]; }
#define PICK(list) pick(list, countof(list))

/* ---- Making ---- */

static void put_member(struct buf *out, bool *is_first, const char *name, const char *raw)
{
    static const char *const spaces[] = { "", "", "", " ", "\n\t" };
    if (!*is_first) buf_char(out, ',');
    *is_first = false;
    buf_printf(out, "%s\"%s\"%s:%s%s%s", PICK(spaces), name, PICK(spaces), PICK(spaces), raw, PICK(spaces));
}

static void put_message(struct buf *out)
{
    static const char *const types[] = { "\"track\"", "\"identify\"", "\"page\"", "\"screen\"", "\"group\"",
      "\"alias\"",
                                         "\"Track\"", "null", "1" };
    static const char *const ids[] = { "\"u\"", "\"u2\"", "\"\"", "null", "7", "1.0e1", "true", "{}", "\"\\u00e9\\\"\"",
                                       "\"a b\"", "-0.5" };
    static const char *const texts[] = { "\"A\"", "\"\"", "null", "3", "\"B\\n\"", "[]", "\"\xC3\xA9\"" };
    static const char *const objects[] = { "{}", "{\"a\":1}", "[]", "[1]", "null", "\"x\"", "{\"a\":{\"b\":[1.0,"
      "\"c\"]},\"d\":null}",
                                           "{\"ip\":\"9.9.9.9\",\"x\":1}", "{\"library\":0}" };
    static const char *const times[] = { "\"2023-11-14T22:13:00.000Z\"", "\"2023-11-14T23:13:00+01:00\"",
      "\"x\"", "null",
                                         "1700000000", "\"1969-01-01\"", "\"2093-01-01\"", "{}",
      "\"1970-01-01T00:00:00Z\"" };
    static const struct { const char *name; const char *const *values; size_t count; } fields[] = {
        { "type", types, countof(types) }, { "type", types, 6 }, { "userId", ids, countof(ids) }, { "userId", ids, 2 },
        { "anonymousId", ids, countof(ids) }, { "groupId", ids, countof(ids) }, { "previousId", ids, countof(ids) },
        { "messageId", ids, countof(ids) }, { "event", texts, countof(texts) }, { "name", texts, countof(texts) },
        { "category", texts, countof(texts) }, { "properties", objects, countof(objects) },
        { "traits", objects, countof(objects) }, { "context", objects, countof(objects) },
        { "integrations", objects, countof(objects) }, { "timestamp", times, countof(times) },
        { "sentAt", times, countof(times) }, { "extra", objects, countof(objects) }, { "projectId", texts,
          countof(texts) },
        { "writeKey", texts, countof(texts) }, { "receivedAt", times, countof(times) },
        { "originalTimestamp", times, countof(times) },
    };
    bool is_first = true;
    buf_char(out, '{');
    for (uint64_t count = 3 + fake_dice_below(&dice, 16); count > 0; count--) {
        size_t at = fake_dice_below(&dice, countof(fields));
        put_member(out, &is_first, fields[at].name, pick(fields[at].values, fields[at].count));
    }
    buf_char(out, '}');
}

/* ---- The reference ---- */

static const TreeNode *last(const TreeNode *object, const char *name)
{
    const TreeNode *found = NULL;
    for (const TreeNode *node = object->first; node; node = node->next)
        if (str_equal(node->key, str_from(name))) found = node;
    return found;
}

static FieldKind kind_of(const TreeNode *node) { return node ? (FieldKind)node->kind : FIELD_ABSENT; }

static Str id_text(const TreeNode *node)
{
    if (kind_of(node) == FIELD_STRING) return node->text;
    if (kind_of(node) != FIELD_NUMBER) return (Str){ 0 };
    return str_equal(node->text, STR("1.0e1")) ? STR("10") : node->text;
}

static bool is_bad_id(const TreeNode *node)
{
    return kind_of(node) == FIELD_BOOL || kind_of(node) == FIELD_OBJECT || kind_of(node) == FIELD_ARRAY;
}

static bool is_no_object(const TreeNode *node)
{
    FieldKind kind = kind_of(node);
    return kind == FIELD_STRING || kind == FIELD_NUMBER || kind == FIELD_BOOL || (kind == FIELD_ARRAY && node->first);
}

static bool is_no_text(const TreeNode *node) { return kind_of(node) > FIELD_STRING; }

static const char *expected_reason(const TreeNode *m, EventType type)
{
    static const char *const ids[] = { "userId", "anonymousId", "previousId", "groupId" };
    bool has_name = type == EVENT_PAGE || type == EVENT_SCREEN;
    const TreeNode *event = last(m, "event");
    if (type == EVENT_NONE) return "type_not_known";
    for (size_t at = 0; at < countof(ids); at++)
        if (is_bad_id(last(m, ids[at]))) return "id_not_string";
    if (!id_text(last(m, "userId")).len && !id_text(last(m, "anonymousId")).len &&
        !(type == EVENT_GROUP && id_text(last(m, "groupId")).len))
        return "no_user_anon_id";
    if (type == EVENT_GROUP && !id_text(last(m, "groupId")).len) return "id_required";
    if (type == EVENT_ALIAS && !id_text(last(m, "previousId")).len) return "id_required";
    if (type == EVENT_TRACK && (kind_of(event) <= FIELD_NULL || (event->kind == FIELD_STRING && !event->text.len)))
        return "event_not_defined";
    if (type == EVENT_TRACK && event->kind != FIELD_STRING) return "event_not_string";
    if ((type == EVENT_TRACK || has_name) && is_no_object(last(m, "properties"))) return "properties_not_object";
    if ((type == EVENT_IDENTIFY || type == EVENT_GROUP) && is_no_object(last(m, "traits"))) return "traits_not_object";
    if (has_name && is_no_text(last(m, "name"))) return "name_not_string";
    if (has_name && is_no_text(last(m, "category"))) return "category_not_string";
    if (is_no_object(last(m, "context"))) return "context_not_object";
    if (is_no_object(last(m, "integrations"))) return "integrations_not_object";
    return NULL;
}

static bool time_of(const TreeNode *node, Millis *ret_ms)
{
    if (kind_of(node) == FIELD_NUMBER) return *ret_ms = 1700000000000, true;       /* the only one that is made */
    return kind_of(node) == FIELD_STRING && instant_parse(node->text, ret_ms);
}

static bool is_plausible(Millis at_ms) { return at_ms >= 0 && at_ms <= NOW_MS + 86400000; }

/* A sentAt counts where it is not before the time, and not so far ahead that a good time would be spoilt. */
static bool corrects(const TreeNode *node, Millis happened_ms, Millis *ret_ms)
{
    Millis sent_ms;
    if (!time_of(node, &sent_ms) || sent_ms < happened_ms - 300000) return false;
    *ret_ms = happened_ms + NOW_MS - sent_ms;
    return !is_plausible(happened_ms) || (is_plausible(*ret_ms) && sent_ms - NOW_MS <= 365 * 86400000LL);
}

static Millis expected_timestamp(const TreeNode *m, const TreeNode *envelope)
{
    const TreeNode *told[] = { last(m, "timestamp"), last(m, "originalTimestamp") };
    for (size_t at = 0; at < countof(told); at++) {
        Millis happened_ms, corrected_ms, other_ms;
        if (!time_of(told[at], &happened_ms) || happened_ms < 0) continue;
        if (!at && !happened_ms && time_of(told[1], &other_ms) && other_ms > 0) continue;         /* it was never set */
        if (!corrects(last(m, "sentAt"), happened_ms, &corrected_ms) &&
            !corrects(last(envelope, "sentAt"), happened_ms, &corrected_ms))
            corrected_ms = happened_ms;
        if (is_plausible(corrected_ms)) return corrected_ms;
    }
    return NOW_MS;
}

static Str raw_of(const TreeNode *node) { return node ? node->raw : (Str){ 0 }; }

/* The stored context or integrations: the message's members, then what the envelope's has besides. */
static void check_merged(const TreeNode *own, const TreeNode *defaults, const TreeNode *stored, bool has_ip)
{
    size_t expected = has_ip;
    for (const TreeNode *node = own ? own->first : NULL; node && own->kind == FIELD_OBJECT; node = node->next) {
        assert_true(str_equal(raw_of(event_tree_get(stored, node->key)), node->raw));
        expected++;
    }
    for (const TreeNode *node = defaults ? defaults->first : NULL; node; node = node->next) {
        if (own && own->kind == FIELD_OBJECT && event_tree_get(own, node->key)) continue;
        assert_true(str_equal(raw_of(event_tree_get(stored, node->key)), node->raw));
        expected++;
    }
    if ((stored ? stored->count : 0) != expected)
        fail_msg("%.*s and %.*s became %.*s", STR_FORMAT(raw_of(own)), STR_FORMAT(raw_of(defaults)),
                 STR_FORMAT(raw_of(stored)));
}

static void check_event(const TreeNode *m, const TreeNode *envelope, EventType type, const Event *event, Arena *arena)
{
    const TreeNode *stored;
    assert_int_equal(event_tree_read(event->json, arena, &stored, &world.err), OK);
    assert_int_equal(event->type, type);
    assert_true(str_equal(event->user_id, id_text(last(m, "userId"))));
    assert_true(str_equal(event->anonymous_id, id_text(last(m, "anonymousId"))));
    assert_true(str_equal(event->previous_id, id_text(last(m, "previousId"))));
    assert_true(str_equal(event->group_id, id_text(last(m, "groupId"))));
    assert_text(event->source, "website");
    Str id = id_text(last(m, "messageId"));
    if (id.len) assert_true(str_equal(event->message_id, id));
    else assert_int_equal(event->message_id.len, 36);
    if (type == EVENT_TRACK) assert_true(str_equal(event->name, last(m, "event")->text));
    if (type == EVENT_PAGE && kind_of(last(m, "name")) == FIELD_STRING)
        assert_true(str_equal(event->name, last(m, "name")->text));
    Millis expected_ms = expected_timestamp(m, envelope);
    assert_int_equal(event->timestamp_ms, expected_ms);

    static const char *const kept[] = { "properties", "traits", "extra" };
    for (size_t at = 0; at < countof(kept); at++) {
        Str was = raw_of(last(m, kept[at])), is = raw_of(event_tree_get(stored, str_from(kept[at])));
        if (str_equal(was, STR("[]")) && at < 2) assert_text(is, "{}");
        else assert_true(str_equal(was, is));
    }
    const TreeNode *context = last(m, "context"), *defaults = last(envelope, "context");
    bool has_ip = !(kind_of(context) == FIELD_OBJECT && event_tree_get(context, STR("ip"))) &&
                  !(defaults && event_tree_get(defaults, STR("ip")));
    check_merged(context, defaults, event_tree_get(stored, STR("context")), has_ip);
    check_merged(last(m, "integrations"), last(envelope, "integrations"), event_tree_get(stored,
      STR("integrations")), false);
    assert_null(event_tree_get(stored, STR("writeKey")));
    assert_text(event_tree_get(stored, STR("projectId"))->text, "website");
    for (const TreeNode *node = stored->first; node; node = node->next)
        assert_ptr_equal(last(stored, arena_copy(arena, node->key).bytes), node);      /* no name twice */
}

static void put_batch(struct buf *out, uint64_t count)
{
    static const char *const contexts[] = { "{\"library\":{\"name\":\"x\"},\"ip\":\"8.8.8.8\"}",
      "{\"library\":{\"name\":\"x\"},\"a\":2}" };
    bool is_first = true, is_late = fake_dice_chance(&dice, 500);
    buf_char(out, '{');
    for (int turn = 0; turn < 2; turn++) {
        if (turn == (int)is_late) {
            if (fake_dice_chance(&dice, 500)) put_member(out, &is_first, "context", PICK(contexts));
            if (fake_dice_chance(&dice, 500)) put_member(out, &is_first, "integrations", "{\"All\":true,\"a\":{}}");
            if (fake_dice_chance(&dice, 500)) put_member(out, &is_first, "sentAt", "\"2023-11-14T22:13:10.000Z\"");
        }
        if (turn) continue;
        buf_printf(out, "%s\"batch\":[", is_first ? "" : ",");
        is_first = false;
        for (uint64_t at = 0; at < count; at++) {
            if (at) buf_char(out, ',');
            put_message(out);
        }
        buf_char(out, ']');
    }
    buf_char(out, '}');
}

/* The values of the reference are compared byte for byte, so none that is made has white space inside. */
static void random_batches_are_stored_as_the_reference_says(void **state)
{
    struct buf body;
    (void)state;
    fake_dice_init(&dice, fake_seed("collect_model"));
    buf_init(&body, 1 << 20);
    for (int round = 0; round < ROUNDS; round++) {
        Arena arena = region_arena(&world.region);
        const TreeNode *root;
        uint64_t count = 1 + fake_dice_below(&dice, MESSAGES_MAX);
        buf_clear(&body);
        put_batch(&body, count);
        assert_int_equal(event_tree_read(buf_str(&body), &arena, &root, &world.err), OK);
        CollectRequest request = { .header_key = STR("wk_web"), .body = buf_str(&body), .ip = STR("203.0.113.9") };
        if (world_send(request)) fail_msg("%.*s: %s", STR_FORMAT(request.body), world.err.text);
        assert_int_equal(world.append.record_count, count);
        uint32_t index = 0;
        for (const TreeNode *m = last(root, "batch")->first; m; m = m->next, index++) {
            EventType type = event_type_from(event_tree_is_kind(last(m, "type"), FIELD_STRING) ? last(m,
              "type")->text : (Str){ 0 });
            const char *reason = expected_reason(m, type);
            if (reason) {
                assert_text(world_rejected(index).reason, reason);
            } else {
                Event event = world_event(index);
                check_event(m, root, type, &event, &arena);
            }
        }
    }
    buf_done(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_batches_are_stored_as_the_reference_says) };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
