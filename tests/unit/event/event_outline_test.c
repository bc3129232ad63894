/* event_outline, event_members: the same members that the tree finds, at every length and offset; and any bytes do no
 * harm. */
#include "event/event_outline.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct event_outline outline;
static struct region region;

static uint64_t next(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u;
    uint64_t z = (*seed ^ *seed >> 30) * 0xbf58476d1ce4e5b9u;
    return z ^ z >> 31;
}

static void put_value(struct buf *buf, uint64_t *seed, int depth)
{
    static const char *const texts[] = { "\"\"", "\"a\"", "\"\\\"\"", "\"\\\\\"", "\"a{b}[c],:\"", "\"\\\\\\\"}\"",
                                         "\"a text that is longer than one block of sixty-four bytes, so that it goes "
        "on\"",
                                         "1", "-2.5e3", "true", "false", "null", "\"\\u0041y_Y\"" };
    uint64_t what = next(seed) % (depth > 4 ? countof(texts) : countof(texts) + 4);
    if (what < countof(texts)) {
        buf_str_put(buf, str_from(texts[what]));
        return;
    }
    bool is_object = what % 2;
    buf_char(buf, is_object ? '{' : '[');
    for (uint64_t count = next(seed) % 5, at = 0; at < count; at++) {
        if (at) buf_char(buf, ',');
        if (is_object) buf_printf(buf, "\"k%u\":", (unsigned)(next(seed) % 9));
        put_value(buf, seed, depth + 1);
    }
    buf_char(buf, is_object ? '}' : ']');
}

static bool is_place(Str found, Str wanted) { return found.bytes == wanted.bytes && found.len == wanted.len; }

/* The members of the tree's node one after the other. */
static void hold_members(const TreeNode *tree)
{
    EventMembers members;
    EventMember member;
    if (tree->kind != FIELD_OBJECT && tree->kind != FIELD_ARRAY) return;
    bool is_object = tree->kind == FIELD_OBJECT;
    assert_true(event_members_open(&members, tree->raw));
    for (const TreeNode *node = tree->first; node; node = node->next) {
        assert_true(is_object ? event_members_next(&members, &member) : event_members_item(&members, &member));
        assert_true(is_place(member.raw, node->raw));
        if (is_object) assert_true(str_equal(member.key, node->key));
        if (node->kind == FIELD_STRING)
            assert_int_equal(member.has_escape, memchr(node->raw.bytes, '\\', node->raw.len) != NULL);
        hold_members(node);
    }
    assert_false(is_object ? event_members_next(&members, &member) : event_members_item(&members, &member));
}

/* The members of the node in the outline, from the place on. */
static void hold_outline(const TreeNode *tree, uint32_t at)
{
    static const OutlineKind kinds[] = { [FIELD_NULL] = OUTLINE_NULL, [FIELD_STRING] = OUTLINE_TEXT,
        [FIELD_NUMBER] = OUTLINE_NUMBER, [FIELD_BOOL] = OUTLINE_BOOL, [FIELD_OBJECT] = OUTLINE_OBJECT,
        [FIELD_ARRAY] = OUTLINE_LIST };
    for (const TreeNode *node = tree->first; node; node = node->next) {
        const OutlineMember *member = &outline.members[at];
        bool is_nested = false;
        assert_true(at < outline.count && is_place(member->raw, node->raw) && member->kind == kinds[node->kind]);
        assert_true(str_equal(member->key, node->key) && !member->has_key_escape);
        if (node->kind == FIELD_STRING)
            assert_int_equal(member->has_escape, memchr(node->raw.bytes, '\\', node->raw.len) != NULL);
        for (const TreeNode *child = node->first; child; child = child->next)
            is_nested |= child->kind == FIELD_OBJECT || child->kind == FIELD_ARRAY;
        assert_int_equal(member->is_nested, is_nested);
        hold_outline(node, at + 1);
        at = member->next;
    }
}

static void random_objects_have_the_trees_members(void **state)
{
    uint64_t seed = 7;
    struct buf buf;
    Err err;
    (void)state;
    buf_init(&buf, 60000);
    for (int round = 0; round < 3000; round++) {
        const TreeNode *tree;
        Arena arena = region_arena(&region);
        buf_clear(&buf);
        buf_char(&buf, '{');
        for (int at = 0; at < 6; at++) {
            buf_printf(&buf, "%s\"key%d\":", at ? "," : "", at);
            put_value(&buf, &seed, 0);
        }
        buf_char(&buf, '}');
        if (!buf_ok(&buf)) continue;
        char *exact = malloc(buf.len);                       /* so that the sanitizer sees a byte too far */
        assert_non_null(exact);
        memcpy(exact, buf.bytes, buf.len);
        if (event_tree_read(str_of(exact, buf.len), &arena, &tree, &err)) fail_msg("%s", err.text);
        hold_members(tree);
        event_outline_read(&outline, tree->raw);
        assert_false(outline.is_cut);
        hold_outline(tree, 0);
        assert_int_equal(outline.members[0].next <= outline.count, true);
        free(exact);
    }
    buf_done(&buf);
}

static void walk_all(Str text, int depth)
{
    EventMembers members;
    EventMember member;
    if (!event_members_open(&members, text) || depth > 8) return;
    for (int left = 50; left > 0; left--) {
        if (!(text.bytes[0] == '{' ? event_members_next(&members, &member) : event_members_item(&members, &member)))
            return;
        assert_true(member.raw.len > 0 && member.raw.bytes >= text.bytes
                    && member.raw.bytes + member.raw.len <= text.bytes + text.len);
        assert_true(member.key.len <= text.len);
        walk_all(member.raw, depth + 1);
    }
}

/* Each member lies within the text, and its end after its beginning. */
static void check_outline(Str text)
{
    for (uint32_t at = 0; at < outline.count; at++) {
        const OutlineMember *member = &outline.members[at];
        assert_true(member->next > at && member->next <= outline.count);
        assert_true(member->raw.len > 0 && member->raw.bytes > text.bytes
                    && member->raw.bytes + member->raw.len <= text.bytes + text.len);
        assert_true(member->key.len <= text.len);
    }
}

static void any_bytes_do_no_harm(void **state)
{
    static const char letters[] = "{}[]\"\\:,a1 t\0\xff";
    uint64_t seed = 11;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = next(&seed) % 200;
        char *bytes = malloc(len + 1);
        assert_non_null(bytes);
        for (size_t at = 0; at < len; at++) bytes[at] = letters[next(&seed) % (sizeof letters - 1)];
        if (len) bytes[0] = next(&seed) % 8 ? '{' : '[';
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        walk_all(str_of(exact, len), 0);
        event_outline_read(&outline, str_of(exact, len));
        check_outline(str_of(exact, len));
        free(exact);
        free(bytes);
    }
}

static void malformed_text_keeps_what_stood_before(void **state)
{
    static const struct { const char *json; uint32_t count; const char *last; } rows[] = {
        { "", 0, "" }, { "{", 0, "" }, { "[1]", 0, "" }, { "{}", 0, "" }, { "nonsense", 0, "" },
        { "{\"a\":1", 1, "1" }, { "{\"a\":1,\"b\":\"open", 1, "1" }, { "{\"a\":{\"b\":2", 2, "2" },
        { "{\"a\":[1,2}", 3, "2" }, { "{\"a\":1,7:8}", 1, "1" }, { "{\"a\":1}{\"b\":2}", 1, "1" },
        { " { \"a\" : [ 1 , \"x\" ] } ", 3, "\"x\"" }, { "{\"a\":\"\\", 0, "" }, { "{\"a\"", 0, "" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        event_outline_read(&outline, str_from(rows[at].json));
        assert_int_equal(outline.count, rows[at].count);
        if (outline.count) assert_true(str_equal(outline.members[outline.count - 1].raw, str_from(rows[at].last)));
        check_outline(str_from(rows[at].json));
    }
}

/* Deeper than OUTLINE_DEPTH is one member; more than there is room for is cut, and said. */
static void bounds_are_told(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 1 << 20);
    buf_printf(&buf, "{");
    for (int depth = 0; depth < 100; depth++) buf_printf(&buf, "\"d\":{");
    for (int depth = 0; depth < 100; depth++) buf_printf(&buf, "}");
    buf_printf(&buf, ",\"z\":1}");
    event_outline_read(&outline, buf_str(&buf));
    assert_int_equal(outline.count, OUTLINE_DEPTH + 2);
    assert_true(str_equal(outline.members[OUTLINE_DEPTH + 1].key, STR("z")) && outline.members[0].is_nested);
    assert_int_equal(outline.members[0].next, OUTLINE_DEPTH + 1);
    buf_clear(&buf);
    buf_printf(&buf, "{\"a\":[");
    for (int item = 0; item < OUTLINE_MEMBERS + 5; item++) buf_printf(&buf, "1,");
    buf_printf(&buf, "1]}");
    event_outline_read(&outline, buf_str(&buf));
    assert_true(outline.is_cut && outline.count == OUTLINE_MEMBERS && outline.members[0].next == OUTLINE_MEMBERS);
    buf_done(&buf);
}

static void what_stands_before_the_source_is_passed_over(void **state)
{
    char json[] = "{\"messageId\":\"m\",\"projectId\":\"web\",\"properties\":{\"a\":1},\"context\":{}}";
    Event event = { .json = str_from(json), .source = { strstr(json, "web"), 3 } };
    (void)state;
    assert_ptr_equal(event_outline_of(&event, &outline), &outline);
    assert_true(outline.count == 3 && str_equal(outline.members[0].key, STR("properties")));
    event.source = STR("web");                               /* it stands elsewhere, as with escapes */
    (void)event_outline_of(&event, &outline);
    assert_true(outline.count == 5 && str_equal(outline.members[0].key, STR("messageId")));
    event.outline = &outline;
    assert_ptr_equal(event_outline_of(&event, NULL), &outline);
}

static int begin(void **state) { (void)state; region_open(&region, 64 << 20); return 0; }
static int end(void **state) { (void)state; region_close(&region); return 0; }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_objects_have_the_trees_members), cmocka_unit_test(any_bytes_do_no_harm),
        cmocka_unit_test(malformed_text_keeps_what_stood_before), cmocka_unit_test(bounds_are_told),
        cmocka_unit_test(what_stands_before_the_source_is_passed_over),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
