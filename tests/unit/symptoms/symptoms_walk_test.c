/* symptoms_walk: the same members that the tree finds, at every length and offset; and any bytes do no harm. */
#include "symptoms/symptoms_walk.h"

#include "event/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static struct symptoms_map map;
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

static void hold(const TreeNode *tree)
{
    struct symptoms_walk walk;
    SymptomMember member;
    if (tree->raw.bytes[0] != '{' && tree->raw.bytes[0] != '[') return;
    assert_true(walk_enter(&walk, &map, tree->raw));
    for (const TreeNode *node = tree->first; node; node = node->next) {
        assert_true(tree->raw.bytes[0] == '{' ? walk_next(&walk, &member) : walk_item(&walk, &member));
        assert_true(member.raw.bytes == node->raw.bytes && member.raw.len == node->raw.len);
        hold(node);
    }
    assert_false(tree->raw.bytes[0] == '{' ? walk_next(&walk, &member) : walk_item(&walk, &member));
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
        map_text(&map, tree->raw);
        hold(tree);
        free(exact);
    }
    buf_done(&buf);
}

static void walk_all(Str text, int depth)
{
    struct symptoms_walk walk;
    SymptomMember member;
    if (!walk_enter(&walk, &map, text) || depth > 8) return;
    for (int left = 50; left > 0 && (text.bytes[0] == '{' ? walk_next(&walk, &member) : walk_item(&walk,
        &member)); left--) {
        assert_true(member.raw.len > 0 && member.raw.bytes + member.raw.len <= map.bytes + map.len);
        assert_true(member.key.len <= map.len);
        walk_all(member.raw, depth + 1);
    }
}

static void any_bytes_do_no_harm(void **state)
{
    static const char letters[] = "{}[]\"\\:,a1 t\0\xff";
    uint64_t seed = 11;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = 2 + next(&seed) % 200;
        char *bytes = malloc(len);
        assert_non_null(bytes);
        for (size_t at = 0; at < len; at++) bytes[at] = letters[next(&seed) % (sizeof letters - 1)];
        bytes[0] = next(&seed) % 2 ? '{' : '[';
        map_text(&map, str_of(bytes, len));
        walk_all(str_of(bytes, len), 0);
        free(bytes);
    }
}

static int begin(void **state) { (void)state; region_open(&region, 64 << 20); return 0; }
static int end(void **state) { (void)state; region_close(&region); return 0; }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_objects_have_the_trees_members), cmocka_unit_test(any_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
