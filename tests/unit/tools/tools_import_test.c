/* tools_import_lines, tools_import: lines however they are packed and cut, and batches that lose none. */
#include "tools/tools_import_lines.c"

#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static Err err;
static char path[64];

static void write_file(Str bytes, bool is_gzip)
{
    snprintf(path, sizeof path, "/tmp/onym-lines-XXXXXX");
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    if (is_gzip) {
        gzFile file = gzdopen(handle, "wb1");
        assert_int_equal(gzwrite(file, bytes.len ? bytes.bytes : "", (unsigned)bytes.len), bytes.len);
        assert_int_equal(gzclose(file), Z_OK);
    } else {
        FILE *file = fdopen(handle, "wb");
        assert_int_equal(fwrite(bytes.len ? bytes.bytes : "", 1, bytes.len, file), bytes.len);
        fclose(file);
    }
}

/* Reads all lines from an offset and compares them with the text cut by hand. */
static void compare_lines(Str text, uint64_t offset)
{
    struct import_lines *lines;
    ImportLine line;
    assert_int_equal(import_lines_open(path, &lines, &err), OK);
    assert_int_equal(import_lines_skip(lines, offset, &err), OK);
    Str rest = str_slice(text, offset, text.len);
    while (rest.len) {
        Str wanted = str_cut(rest, '\n', &rest);
        assert_int_equal(import_lines_read(lines, &line, &err), OK);
        assert_int_equal(line.offset, (uint64_t)(wanted.bytes - text.bytes));
        assert_int_equal(line.next, rest.len ? (uint64_t)(rest.bytes - text.bytes) : text.len);
        assert_int_equal(line.is_too_long, wanted.len > IMPORT_LINE_BYTES);
        if (line.is_too_long) assert_true(str_starts(wanted, line.text));
        else assert_true(str_equal(wanted, line.text));
    }
    assert_int_equal(import_lines_read(lines, &line, &err), ERR_NOT_FOUND);
    assert_int_equal(import_lines_read(lines, &line, &err), ERR_NOT_FOUND);
    import_lines_close(lines);
}

static void lines_come_whole_whatever_their_lengths_and_packing(void **state)
{
    (void)state;
    struct fake_dice dice;
    fake_dice_init(&dice, fake_seed("lines"));
    static const uint64_t lengths[] = { 0, 1, 100, 2000, 70000, IMPORT_LINE_BYTES - 1, IMPORT_LINE_BYTES,
                                        IMPORT_LINE_BYTES + 1, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES * 2 };
    for (int round = 0; round < 24; round++) {
        struct buf text;
        uint64_t begins[64], line_count = fake_dice_below(&dice, 40);
        buf_init(&text, 64 * 1024 * 1024);
        for (uint64_t at = 0; at < line_count; at++) {
            uint64_t len = lengths[fake_dice_below(&dice, round < 12 ? 4 : countof(lengths))];
            begins[at] = text.len;
            assert_true(buf_reserve(&text, len));
            if (len) memset(text.bytes + text.len, (int)('a' + at % 26), len);
            text.len += len;
            if (at + 1 < line_count || fake_dice_chance(&dice, 500)) buf_char(&text, '\n');
        }
        write_file(buf_str(&text), round % 2);
        compare_lines(buf_str(&text), 0);
        if (line_count) compare_lines(buf_str(&text), begins[fake_dice_below(&dice, line_count)]);
        unlink(path);
        buf_done(&text);
    }
}

/* What of an array is read from a place on: each item after a blank, and how it ended. */
static Status read_from(Str text, uint64_t offset, uint64_t *nexts, size_t *ret_count, struct buf *out)
{
    struct import_lines *lines;
    ImportLine line;
    Status s;
    write_file(text, false);
    *ret_count = 0;
    assert_int_equal(import_lines_open(path, &lines, &err), OK);
    s = import_lines_skip(lines, offset, &err);
    while (!s && !(s = import_lines_read(lines, &line, &err))) {
        if (nexts) nexts[*ret_count] = line.next;
        ++*ret_count;
        buf_str_put(out, line.text);
        buf_char(out, ' ');
    }
    import_lines_close(lines);
    unlink(path);
    return s;
}

/* However broken it is: going on after any item gives just what comes after it, and the same end. */
static void going_on_behind_any_item_of_an_array_gives_the_rest(void **state)
{
    static const char *const texts[] = {
        "[]", "[1,2,3]", " [ {\"a\":[1,2]} , {\"b\":\"]\"} ]", "[1][2][3]", "[1] [2] x [3], [4]", "[[1],[2]] [3] [[4]]",
        "[1]]]2,[3]", "[1,2", "[{\"a\":1},{\"b\":[2",
        "[\"unended, 1, 2]", "[}{,}1,{]", "[1,,,2]]],,[3", "[1] {\"a\":2} [3]",
        "[1]\n[2,\n3]\n4\n[5]", "\xEF\xBB\xBF[1,2][3]", "[[[[1],2],3],4][5]", "[1]x[2]y[[3]]", "[\"a\\\"]\",2][3]",
    };
    (void)state;
    for (size_t at = 0; at < countof(texts); at++) {
        struct buf whole, rest;
        uint64_t nexts[64];
        size_t count, rest_count;
        buf_init(&whole, 1 << 20);
        Status s = read_from(str_from(texts[at]), 0, nexts, &count, &whole);
        for (size_t item = 0, skipped; item < count; item++) {
            buf_init(&rest, 1 << 20);
            Status rest_s = read_from(str_from(texts[at]), nexts[item], NULL, &rest_count, &rest);
            skipped = rest.len < whole.len ? whole.len - rest.len : 0;
            if (rest_s != s || rest_count != count - item - 1
                || !str_equal(buf_str(&rest), str_slice(buf_str(&whole), skipped, whole.len)))
                fail_msg("%s: behind item %zu: %.*s", texts[at], item, STR_FORMAT(buf_str(&rest)));
            buf_done(&rest);
        }
        buf_done(&whole);
    }
}

static void a_place_that_is_no_items_end_is_told(void **state)
{
    struct buf none;
    size_t count;
    (void)state;
    buf_init(&none, 4096);
    assert_int_equal(read_from(STR("[{\"a\":1},{\"b\":2}]"), 5, NULL, &count, &none), ERR_INPUT);
    assert_non_null(strstr(err.text, "--restart"));
    assert_int_equal(read_from(STR("[1]"), 100, NULL, &count, &none), ERR_INPUT);
    assert_non_null(strstr(err.text, "--restart"));
    buf_done(&none);
}

static void a_file_that_shrank_is_told(void **state)
{
    (void)state;
    struct import_lines *lines;
    write_file(STR("a\nb\n"), false);
    assert_int_equal(import_lines_open(path, &lines, &err), OK);
    assert_int_equal(import_lines_skip(lines, 5, &err), ERR_INPUT);
    assert_non_null(strstr(err.text, "--restart"));
    import_lines_close(lines);
    unlink(path);
}

static void gzip_cut_off_anywhere_is_damage_behind_what_was_whole(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1024 * 1024);
    for (int at = 0; at < 3000; at++) buf_printf(&text, "{\"line\":%d,\"noise\":%d}\n", at, at * 7919 % 1000);
    write_file(buf_str(&text), true);
    FILE *file = fopen(path, "rb");
    static char packed[256 * 1024];
    size_t count = fread(packed, 1, sizeof packed, file);
    fclose(file);
    for (size_t cut = 20; cut < count; cut += count / 50) {
        struct import_lines *lines;
        ImportLine line;
        Status s;
        uint64_t next = 0;
        unlink(path);
        write_file(str_of(packed, cut), false);
        assert_int_equal(import_lines_open(path, &lines, &err), OK);
        while ((s = import_lines_read(lines, &line, &err)) == OK) {
            assert_int_equal(line.offset, next);
            assert_true(str_equal(line.text, str_slice(buf_str(&text), line.offset, line.offset + line.text.len)));
            next = line.next;
        }
        assert_int_equal(s, ERR_DAMAGED);
        import_lines_close(lines);
    }
    unlink(path);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_whatever_their_lengths_and_packing),
        cmocka_unit_test(going_on_behind_any_item_of_an_array_gives_the_rest),
        cmocka_unit_test(a_place_that_is_no_items_end_is_told),
        cmocka_unit_test(a_file_that_shrank_is_told),
        cmocka_unit_test(gzip_cut_off_anywhere_is_damage_behind_what_was_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
