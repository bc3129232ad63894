/* What each SDK sends, and what is stored of it: tests/data/sdk, one file an SDK and call. In a file: from
 * (who sends it, and how), path_type (of the path; empty: a batch), key (by header; empty: it is in the body),
 * body (as it is sent, byte for byte), stored (canonical JSON; white space for the reader's sake).
 * UPDATE=1 in the environment writes what is stored now; read the difference before committing it. */
#include "event/event_tree.h"
#include "event/event_json.h"
#include "os/os.h"
#include "tests/unit/collect/collect_world.h"

#include <stdlib.h>

enum { FILE_BYTES_MAX = 256 * 1024 };

static void update_file(const char *path, Str text, const TreeNode *root)
{
    struct buf out;
    Err err;
    buf_init(&out, FILE_BYTES_MAX);
    Str stored = event_tree_get(root, STR("stored"))->raw;
    buf_put(&out, text.bytes, (size_t)(stored.bytes - text.bytes));
    buf_printf(&out, "[\n");
    for (uint32_t at = 0; at < world.append.record_count; at++)
        buf_printf(&out, "%s%.*s", at ? ",\n" : "", STR_FORMAT(world_event(at).json));
    buf_printf(&out, "\n]\n}\n");
    assert_int_equal(disk_write_file(os_disk(), path, buf_str(&out), &err), OK);
    buf_done(&out);
}

static Str minified(Str json, Arena *arena)
{
    char *to = arena_bytes(arena, json.len + EVENT_PADDING_BYTES);
    return (Str){ to, event_json_minify(json, to) };
}

static void check_file(const char *path)
{
    Arena arena = region_arena(&world.region);
    const TreeNode *root;
    Str text;
    assert_int_equal(disk_read_file(os_disk(), path, FILE_BYTES_MAX, &arena, &text, &world.err), OK);
    assert_int_equal(event_tree_read(text, &arena, &root, &world.err), OK);
    CollectRequest request = {
        .implied_type = event_type_from(event_tree_text(root, "path_type")), .header_key = event_tree_text(root, "key"),
        .ip = event_tree_text(root, "ip"), .body = event_tree_get(root, STR("body"))->raw,
    };
    if (world_send(request)) fail_msg("%s: %s", path, world.err.text);
    assert_int_equal(world.result.rejected, 0);
    if (getenv("UPDATE")) update_file(path, text, root);
    else {
        const TreeNode *stored = event_tree_get(root, STR("stored"));
        assert_int_equal(stored->count, world.append.record_count);
        uint32_t index = 0;
        for (const TreeNode *node = stored->first; node; node = node->next, index++) {
            Str expected = minified(node->raw, &arena), json = world_event(index).json;
            if (!str_equal(json, expected))
                fail_msg("%s: message %u is stored as\n%.*s\nnot\n%.*s", path, index, STR_FORMAT(json),
                  STR_FORMAT(expected));
        }
    }
}

static void what_sdks_send_is_stored_as_their_files_say(void **state)
{
    DiskEntry *entries;
    size_t count;
    char path[256];
    (void)state;
    Arena arena = { world.region.start + (32 << 20), world.region.start + (33 << 20) };
    assert_int_equal(os_disk()->list(os_disk(), "tests/data/sdk", &arena, &entries, &count, &world.err), OK);
    assert_true(count >= 12);
    for (size_t at = 0; at < count; at++) {
        snprintf(path, sizeof path, "tests/data/sdk/%.*s", STR_FORMAT(entries[at].name));
        check_file(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_sdks_send_is_stored_as_their_files_say) };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
