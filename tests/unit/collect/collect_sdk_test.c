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

static bool has_heading(Str page, const char *section)
{
    for (Str rest = page; rest.len > 0;) {
        Str line = str_cut(rest, '\n', &rest);
        if (!str_starts(line, STR("## ")) && !str_starts(line, STR("### "))) continue;
        char anchor[64];
        size_t len = 0;
        for (size_t at = str_starts(line, STR("###")) ? 4 : 3; at < line.len && len + 1 < sizeof anchor; at++)
            anchor[len++] = line.bytes[at] == ' ' ? '-' : (char)(line.bytes[at] | 0x20);      /* letters only */
        anchor[len] = 0;
        if (strcmp(anchor, section) == 0) return true;
    }
    return false;
}

/* The page and the tables say the same: every reason is explained, every section that is cited exists. */
static void every_rule_and_field_stands_in_the_protocols_page(void **state)
{
    static const struct { const char *reason, *section; } rows[] = {
#define RULE(reason, field, condition, text, section) { reason, section },
#include "collect/rules.tbl.h"
#undef RULE
#define FIELD(member, name, section) { name, section },
#include "event/fields.tbl.h"
#undef FIELD
        { "project_not_found", "keys" }, { "source_disabled", "keys" }, { "key_rotated", "keys" },
        { "bad_request", "rejections" },
        { "message_too_large", "limits" }, { "`timestamp`", "imports" }, { "`context`", "pixels" },
        { "gzip", "encodings" }, { "NaN", "json" },
    };
    Arena arena = region_arena(&world.region);
    Str page;
    (void)state;
    assert_int_equal(disk_read_file(os_disk(), "docs/protocol.md", FILE_BYTES_MAX, &arena, &page, &world.err), OK);
    for (size_t at = 0; at < countof(rows); at++) {
        if (!str_contains(page, str_from(rows[at].reason))) fail_msg("docs/protocol.md does not say %s",
          rows[at].reason);
        if (!has_heading(page, rows[at].section)) fail_msg("docs/protocol.md has no section %s", rows[at].section);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_sdks_send_is_stored_as_their_files_say),
        cmocka_unit_test(every_rule_and_field_stands_in_the_protocols_page),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
