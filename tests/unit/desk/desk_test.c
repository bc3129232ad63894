/* desk: what is changed is on disk before it counts, whatever the disk does; what cannot be read is left alone. */
#include "desk/desk.c"
#include "desk/desk_notes.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct fake_clock time_now;
static struct fake_dice chance;
static struct fake_disk disk;
static struct collector *collector;
static struct desk *desk;
static char trouble[ERR_TEXT_BYTES];
static const Source configured[] = { { .name = STR("web"), .write_key = STR("wk_web"), .is_enabled = true } };

static void start(void)
{
    Err err;
    DeskOptions options = { .dir = "data", .disk = &disk.disk, .clock = &time_now.clock, .dice = &chance.dice,
                            .collector = collector };
    size_t left_out;
    assert_int_equal(desk_open(&options, &desk, trouble, &err), OK);
    assert_int_equal(desk_set_sources(desk, configured, countof(configured), &left_out, &err), OK);
}

static int set_up(void **state)
{
    Err err;
    (void)state;
    fake_clock_init(&time_now, 1700000000000);
    fake_dice_init(&chance, 1);
    fake_disk_init(&disk, 1);
    CollectOptions options = { .clock = &time_now.clock, .dice = &chance.dice };
    assert_int_equal(collector_open(&options, &collector, &err), OK);
    assert_int_equal(disk.disk.make_dir(&disk.disk, "data", &err), OK);
    assert_int_equal(disk.disk.sync_dir(&disk.disk, ".", &err), OK);
    start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    desk_close(desk);
    collector_close(collector);
    fake_disk_done(&disk);
    return 0;
}

static void again(void)
{
    desk_close(desk);
    start();
}

static const Source *source_named(const char *name)
{
    const Source *source;
    for (size_t at = 0; (source = collector_source_at(collector, at)); at++)
        if (str_equal(source->name, str_from(name))) return source;
    return NULL;
}

static Status add(const char *name)
{
    Err err;
    return desk_add_source(desk, str_from(name), false, "ann", &err);
}

static Status change(const char *name, DeskChange change, Millis grace_ms)
{
    Err err;
    return desk_change_source(desk, str_from(name), change, grace_ms, &err);
}

static void put_file(const char *path, Str text)
{
    Err err;
    assert_int_equal(disk_write_file(&disk.disk, path, text, &err), OK);
}

/* ---- Sources ---- */

static void a_source_that_was_made_collects_and_is_there_after_a_start(void **state)
{
    char key[64];
    (void)state;
    assert_int_equal(add("shop"), OK);
    const Source *made = source_named("shop");
    assert_true(made && made->is_enabled && made->is_of_page && !source_named("web")->is_of_page);
    snprintf(key, sizeof key, "%.*s", STR_FORMAT(made->write_key));
    assert_int_equal(strlen(key), DESK_KEY_CHARS);
    again();
    assert_true(str_equal(source_named("shop")->write_key, str_from(key)));
    assert_ptr_equal(collector_find_source(collector, str_from(key)), source_named("shop"));
}

static void names_are_words_and_nobodys_yet(void **state)
{
    static const struct { const char *name; Status status; } rows[] = {
        { "", ERR_INPUT }, { "a b", ERR_INPUT }, { "../x", ERR_INPUT }, { "\x1b[31m", ERR_INPUT },
        { "web", ERR_CONFLICT }, { "shop", OK }, { "shop", ERR_CONFLICT }, { "A.b_c-9", OK },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ERR_INPUT },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) assert_int_equal(add(rows[at].name), rows[at].status);
}

static void an_old_key_is_known_until_the_next_rotation(void **state)
{
    char old[64];
    (void)state;
    assert_int_equal(add("shop"), OK);
    snprintf(old, sizeof old, "%.*s", STR_FORMAT(source_named("shop")->write_key));
    assert_int_equal(change("shop", DESK_ROTATE, HOUR_MS), OK);
    const Source *source = source_named("shop");
    assert_false(str_equal(source->write_key, str_from(old)));
    assert_true(str_equal(source->old_key, str_from(old)));
    assert_int_equal(source->old_key_until_ms, time_now.now_ms + HOUR_MS);
    again();
    assert_true(str_equal(source_named("shop")->old_key, str_from(old)));
    assert_true(str_equal(collector_find_source(collector, str_from(old))->name, STR("shop")));
    assert_int_equal(change("shop", DESK_ROTATE, 0), OK);
    assert_null(collector_find_source(collector, str_from(old)));
}

static void what_the_configuration_has_is_not_changed_here(void **state)
{
    (void)state;
    assert_int_equal(change("web", DESK_DISABLE, 0), ERR_CONFLICT);
    assert_int_equal(change("web", DESK_ROTATE, 0), ERR_CONFLICT);
    assert_int_equal(change("nobody", DESK_ENABLE, 0), ERR_NOT_FOUND);
    assert_true(source_named("web")->is_enabled);
}

static void a_source_of_the_page_gives_way_to_one_of_the_configuration(void **state)
{
    static const Source more[] = { { .name = STR("shop"), .write_key = STR("wk_file"), .is_enabled = true } };
    size_t left_out;
    Err err;
    (void)state;
    assert_int_equal(add("shop"), OK);
    assert_int_equal(desk_set_sources(desk, more, countof(more), &left_out, &err), OK);
    assert_int_equal(left_out, 1);
    assert_true(str_equal(source_named("shop")->write_key, STR("wk_file")));
    assert_null(source_named("web"));
}

static void a_file_that_cannot_be_read_stays_as_it_is(void **state)
{
    static const char *const texts[] = {
        "", "x", "[]", "{}", "{\"sources\":{}}", "{\"sources\":[{}]}",
        "{\"sources\":[{\"name\":\"\",\"write_key\":\"k\"}]}",
        "{\"sources\":[{\"name\":\"a\\u0000\",\"write_key\":\"k\"}]}", "{\"sources\":[1]}",
    };
    (void)state;
    for (size_t at = 0; at < countof(texts); at++) {
        char text[256];
        struct region region;
        Str now;
        Err err;
        put_file("data/sources.json", str_from(texts[at]));
        again();
        assert_non_null(strstr(trouble, "data/sources.json"));
        assert_int_equal(add("shop"), ERR_DAMAGED);
        assert_int_equal(desk_verify(&disk.disk, "data", &err), ERR_DAMAGED);
        assert_non_null(source_named("web"));
        region_open(&region, 1024 * 1024);
        Arena arena = region_arena(&region);
        assert_int_equal(disk_read_file(&disk.disk, "data/sources.json", sizeof text, &arena, &now, &err), OK);
        assert_true(str_equal(now, str_from(texts[at])));
        region_close(&region);
    }
}

static void where_the_disk_fails_nothing_has_changed(void **state)
{
    (void)state;
    assert_int_equal(add("shop"), OK);
    for (unsigned call = 1; call < 40; call++) {
        char name[16];
        snprintf(name, sizeof name, "more-%u", call);
        disk.fail_at_call = disk.calls + call;
        Status s = add(name);
        disk.fail_at_call = 0;
        if (!s) return;                                       /* no call was left to fail */
        assert_null(source_named(name));                      /* a new start may find it: the last sync was in doubt */
        again();
        assert_non_null(source_named("shop"));
    }
    fail_msg("it never ended");
}

/* ---- Saved questions ---- */

static Status save(const char *id, const char *name, char *ret_id)
{
    struct buf out;
    Err err;
    buf_init(&out, 1024 * 1024);
    DeskQuestion question = { .id = str_from(id), .name = str_from(name), .kind = STR("funnels"),
                              .question = STR("{\"steps\":[]}"), .by = "ann" };
    Status s = desk_save(desk, &question, &out, &err);
    if (!s && ret_id) snprintf(ret_id, DESK_ID_CHARS + 1, "%.*s", DESK_ID_CHARS, out.bytes + strlen("{\"id\":\""));
    buf_done(&out);
    return s;
}

static void check_saved(const char *wanted)
{
    char bytes[4096];
    struct buf out;
    Err err;
    buf_init_fixed(&out, bytes, sizeof bytes);
    assert_int_equal(desk_write_saved(desk, STR(""), &out, &err), OK);
    char *at = bytes;
    bytes[out.len] = 0;
    for (Str rest = str_from(wanted), name; rest.len;) {
        char text[64];
        name = str_cut(rest, ' ', &rest);
        snprintf(text, sizeof text, "\"name\":\"%.*s\"", STR_FORMAT(name));
        at = strstr(at, text);
        assert_non_null(at);
        at++;
    }
    assert_null(strstr(at, "\"name\""));
}

static void questions_are_kept_replaced_and_forgotten(void **state)
{
    char one[DESK_ID_CHARS + 1], two[DESK_ID_CHARS + 1];
    Err err;
    (void)state;
    assert_int_equal(save("", "one", one), OK);
    assert_int_equal(save("", "two", two), OK);
    check_saved("two one");
    again();
    check_saved("two one");
    assert_int_equal(save(one, "anew", NULL), OK);
    check_saved("anew two");
    assert_int_equal(save("nobodyxx", "x", NULL), ERR_NOT_FOUND);
    assert_int_equal(desk_forget_saved(desk, str_from(two), &err), OK);
    assert_int_equal(desk_forget_saved(desk, str_from(two), &err), ERR_NOT_FOUND);
    again();
    check_saved("anew");
}

static void there_is_an_end_of_saving(void **state)
{
    char one[DESK_ID_CHARS + 1];
    (void)state;
    assert_int_equal(save("", "", NULL), ERR_INPUT);
    for (size_t at = 0; at < DESK_SAVED; at++) assert_int_equal(save("", "q", one), OK);
    assert_int_equal(save("", "q", NULL), ERR_TOO_LARGE);
    assert_int_equal(save(one, "q", NULL), OK);
}

/* ---- Orders ---- */

static uint64_t list(uint64_t before, size_t limit, char *bytes, size_t room)
{
    struct buf out;
    uint64_t next;
    buf_init_fixed(&out, bytes, room - 1);
    desk_write_notes(desk, before, limit, &out, &next);
    assert_true(buf_ok(&out));
    bytes[out.len] = 0;
    return next;
}

static void note(const char *who)
{
    DeskNote one = { .at_ms = time_now.now_ms, .status = 200, .role = "admin", .method = "POST", .path = "/x" };
    snprintf(one.who, sizeof one.who, "%s", who);
    desk_note(desk, &one);
}

static void orders_are_kept_in_their_order_and_told_by_page(void **state)
{
    char text[4096];
    Err err;
    (void)state;
    note("a"), note("b");
    assert_int_equal(desk_keep(desk, false, &err), OK);
    note("c");
    assert_int_equal(desk_keep(desk, false, &err), OK);
    again();
    note("d");
    uint64_t next = list(0, 3, text, sizeof text);
    assert_true(strstr(text, "\"who\":\"d\"") < strstr(text, "\"who\":\"c\""));
    assert_non_null(strstr(text, "\"who\":\"b\""));
    assert_int_equal(list(next, 3, text, sizeof text), 0);
    assert_non_null(strstr(text, "\"number\":1"));
    assert_null(strstr(text, "\"number\":2"));
}

static void a_line_that_was_cut_is_left_out_and_the_next_write_heals(void **state)
{
    char text[4096];
    Err err;
    (void)state;
    put_file("data/audit.ndjson", STR("{\"number\":1,\"status\":200,\"who\":\"a\"}\nrubbish\n{\"number\":3,\"stat"));
    again();
    assert_string_equal(trouble, "");
    note("new");
    assert_int_equal(desk_keep(desk, false, &err), OK);
    again();
    assert_int_equal(list(0, 10, text, sizeof text), 0);
    assert_non_null(strstr(text, "\"who\":\"new\""));
    assert_non_null(strstr(text, "\"who\":\"a\""));
    assert_false(desk->is_rewritten);
}

static void the_ring_and_the_file_are_bounded(void **state)
{
    char *text = malloc(4 * 1024 * 1024);
    Err err;
    (void)state;
    for (int round = 0; round < 5; round++) {
        for (int at = 0; at < DESK_NOTES; at++) note("somebody with quite a name");
        assert_int_equal(desk_keep(desk, false, &err), OK);
        assert_true(desk->file_bytes <= FILE_MOST_BYTES);
    }
    again();
    assert_int_equal(list(0, DESK_NOTES + 9, text, 4 * 1024 * 1024), 0);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"number\":%d,", 4 * DESK_NOTES + 1);
    assert_non_null(strstr(text, wanted));
    free(text);
}

static void after_a_failure_it_waits_for_a_minute_and_loses_nothing(void **state)
{
    char text[4096];
    Err err;
    (void)state;
    note("a");
    disk.fault = DISK_FAULT_FULL;
    disk.fail_at_call = disk.calls + 1;
    assert_int_not_equal(desk_keep(desk, false, &err), OK);
    disk.fail_at_call = 0;
    assert_int_equal(desk_keep(desk, false, &err), OK);
    assert_int_equal(desk->written, 0);
    fake_clock_advance(&time_now, 61000);
    assert_int_equal(desk_keep(desk, false, &err), OK);
    again();
    list(0, 10, text, sizeof text);
    assert_non_null(strstr(text, "\"who\":\"a\""));
}

/* A directory in a file's place, a bad block: the server starts, says it, and leaves the file alone. */
static void a_file_that_the_disk_does_not_give_keeps_nothing_from_starting(void **state)
{
    unsigned told = 0;
    Err err;
    (void)state;
    assert_int_equal(add("shop"), OK);
    note("a");
    assert_int_equal(desk_keep(desk, true, &err), OK);
    for (unsigned call = 1; call < 32; call++) {
        desk_close(desk);
        disk.fault = DISK_FAULT_IO;
        disk.fail_at_call = disk.calls + call;
        start();
        bool is_over = disk.calls < disk.fail_at_call;
        disk.fail_at_call = 0;
        if (is_over) break;
        told += trouble[0] != 0;
        assert_non_null(source_named("web"));
        note("b");
        if (desk->notes_trouble[0]) assert_int_equal(desk_keep(desk, true, &err), OK);
        if (desk->sources_trouble[0]) assert_int_equal(add("other"), ERR_DAMAGED);
    }
    assert_true(told >= 5);
    again();
    char text[4096];
    list(0, 10, text, sizeof text);
    assert_non_null(strstr(text, "\"who\":\"a\""));
    assert_non_null(source_named("shop"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_source_that_was_made_collects_and_is_there_after_a_start),
        T(names_are_words_and_nobodys_yet),
        T(a_file_that_the_disk_does_not_give_keeps_nothing_from_starting),
        T(an_old_key_is_known_until_the_next_rotation),
        T(what_the_configuration_has_is_not_changed_here),
        T(a_source_of_the_page_gives_way_to_one_of_the_configuration),
        T(a_file_that_cannot_be_read_stays_as_it_is),
        T(where_the_disk_fails_nothing_has_changed),
        T(questions_are_kept_replaced_and_forgotten),
        T(there_is_an_end_of_saving),
        T(orders_are_kept_in_their_order_and_told_by_page),
        T(a_line_that_was_cut_is_left_out_and_the_next_write_heals),
        T(the_ring_and_the_file_are_bounded),
        T(after_a_failure_it_waits_for_a_minute_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
