/* kv_life: a store that is whole, and not the one that was here last. */
#include "kv/kv_life.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const tables[] = { "rows" };
static char room[64];

/* room/NAME is a store, room/NAME.life stands beside it, room/NAME-part/LIFE in a part of it. */
static Status open_one(const char *name, Err *err)
{
    char dir[128], beside[128], part[128];
    KvLife lives[] = { { beside, false }, { part, true } };
    struct kv *kv;
    struct kv_txn *txn;
    snprintf(dir, sizeof dir, "%s/%s", room, name);
    snprintf(beside, sizeof beside, "%s/%s.life", room, name);
    snprintf(part, sizeof part, "%s/%s-part", room, name);
    mkdir(part, 0700);
    snprintf(part, sizeof part, "%s/%s-part/LIFE", room, name);
    KvOptions options = { .dir = dir, .tables = tables, .table_count = 1, .lives = lives, .life_count = 2 };
    Status s = kv_open(&options, &kv, err);
    if (s) return s;
    assert_int_equal(kv_begin_write(kv, &txn, err), OK);
    assert_int_equal(kv_put(txn, 0, STR("row"), str_from(name), err), OK);
    assert_int_equal(kv_commit(txn, err), OK);
    kv_close(kv);
    return OK;
}

static void in_room(const char *command)
{
    char text[512];
    snprintf(text, sizeof text, "cd %s && (%s)", room, command);
    assert_int_equal(system(text), 0);
}

static void begin_room(void)
{
    Err err;
    strcpy(room, "/tmp/onym-life-XXXXXX");
    assert_non_null(mkdtemp(room));
    assert_int_equal(open_one("a", &err), OK);
    assert_int_equal(open_one("b", &err), OK);
    in_room("cp -a a a-old; cp -a a-part a-part-old; cp -a a.life a.life-old");
    assert_int_equal(open_one("a", &err), OK);
}

static void end_room(void) { in_room("rm -rf $PWD"); }

static const struct { const char *what, *does; bool is_noticed; } rows[] = {
    { "nothing", "true", false },
    { "an older copy of the store", "rm -r a; cp -a a-old a", true },
    { "an older copy of a part", "rm -r a-part; cp -a a-part-old a-part", true },
    { "an older copy of store and part", "rm -r a a-part; cp -a a-old a; cp -a a-part-old a-part", true },
    { "an older copy of all: a backup",
      "rm -r a a-part; cp -a a-old a; cp -a a-part-old a-part; cp a.life-old a.life", false },
    { "another's store", "rm -r a; cp -a b a", true },
    { "another's part", "rm -r a-part; cp -a b-part a-part", true },
    { "another's store and part", "rm -r a a-part; cp -a b a; cp -a b-part a-part", true },
    { "all of another's", "rm -r a a-part; cp -a b a; cp -a b-part a-part; cp b.life a.life", false },
    { "two exchanged", "mv a x; mv b a; mv x b", true },
    { "a part that is gone", "rm -r a-part", true },
    { "a part without its file", "rm a-part/LIFE", true },
    { "a part with an empty file", ": >a-part/LIFE", true },
    { "a part with something else", "echo something else >a-part/LIFE", true },
    { "a part with a directory there", "rm a-part/LIFE; mkdir a-part/LIFE", true },
    { "the file beside is gone: the way out",
      "rm -r a a-part; cp -a a-old a; cp -a a-part-old a-part; rm a.life", false },
    { "the file beside is empty", ": >a.life", false },
    { "the file beside is something else", "head -c 9999 /dev/zero >a.life", false },
    { "the store is gone: it is made anew", "rm -r a", false },
    { "the store is moved away", "mv a away; rm -r a-part", false },
};

static void another_store_is_noticed(void **state)
{
    (void)state;
    for (size_t row = 0; row < countof(rows); row++) {
        Err err = { 0 };
        begin_room();
        in_room(rows[row].does);
        Status s = open_one("a", &err);
        if (s != (rows[row].is_noticed ? ERR_CONFLICT : OK)) fail_msg("%s: %s", rows[row].what, err.text);
        if (s) assert_non_null(strstr(err.text, room));
        if (!s) assert_int_equal(open_one("a", &err), OK);   /* and again */
        end_room();
    }
}

/* A directory of before has none of these files, and takes them; one that is of before cannot pass for one of now. */
static void a_store_of_before_takes_a_life(void **state)
{
    char dir[128];
    struct kv *kv;
    Err err = { 0 };
    (void)state;
    begin_room();
    snprintf(dir, sizeof dir, "%s/c", room);
    KvOptions options = { .dir = dir, .tables = tables, .table_count = 1 };
    assert_int_equal(kv_open(&options, &kv, &err), OK);
    kv_close(kv);
    in_room("cp -a c c-old");
    assert_int_equal(open_one("c", &err), OK);
    in_room("test -s c.life && test -s c-part/LIFE && rm -r c && cp -a c-old c");
    assert_int_equal(open_one("c", &err), ERR_CONFLICT);
    end_room();
}

/* Whatever of the three steps a crash leaves, the next opening goes on. */
static void a_crash_while_a_life_is_taken_is_harmless(void **state)
{
    struct { uint64_t now, before, store; bool is_fine; } lives[] = {
        { 7, 5, 5, true }, { 7, 5, 7, true }, { 7, 0, 7, true }, { 7, 5, 6, false }, { 7, 0, 5, false },
        { 5, 0, 7, false }, { 7, 0, 0, false }, { 7, 5, 0, false },
    };
    char path[128];
    (void)state;
    begin_room();
    snprintf(path, sizeof path, "%s/life", room);
    KvLife life = { path, false };
    for (size_t row = 0; row < countof(lives); row++) {
        assert_int_equal(write_file(path, (struct lives){ lives[row].now, lives[row].before }), OK);
        assert_int_equal(kv_life_judge(&life, 1, lives[row].store, false, NULL),
                         lives[row].is_fine ? OK : ERR_DAMAGED);
    }
    in_room("rm a.life && mkdir -p a.life/x");               /* where it cannot be written, the old one goes on */
    end_room();
}

/* A file that cannot be written changes nothing: the store opens, now and later. */
static void a_disk_that_does_not_take_it_changes_nothing(void **state)
{
    Err err = { 0 };
    (void)state;
    begin_room();
    in_room("mkdir a-part/LIFE.tmp a-part/LIFE.tmp/x a.life.tmp a.life.tmp/x");
    assert_int_equal(open_one("a", &err), OK);
    assert_int_equal(open_one("a", &err), OK);
    in_room("rm -r a-part/LIFE.tmp a.life.tmp");
    assert_int_equal(open_one("a", &err), OK);
    in_room("rm -r a; cp -a a-old a");
    assert_int_equal(open_one("a", &err), ERR_CONFLICT);
    end_room();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_store_is_noticed),
        cmocka_unit_test(a_store_of_before_takes_a_life),
        cmocka_unit_test(a_crash_while_a_life_is_taken_is_harmless),
        cmocka_unit_test(a_disk_that_does_not_take_it_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
