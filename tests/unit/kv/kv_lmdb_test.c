#include "kv/kv_lmdb.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROWS, OTHER };
static const char *const tables[] = { "rows", "other" };

/* In place of the C library's, for LMDB too: the disk takes it, or says this. */
static int sync_error;

int fdatasync(int file)
{
    if (sync_error) return errno = sync_error, -1;
    return (int)syscall(SYS_fdatasync, file);
}

static const char *make_dir(void)
{
    static char dir[64];
    snprintf(dir, sizeof dir, "/tmp/onym-kv-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void remove_dir(const char *dir)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", dir);
    unlink(path);
    rmdir(dir);
}

static struct kv *open_kv(const char *dir, uint64_t max_bytes)
{
    struct kv *kv;
    Err err;
    KvOptions options = { .dir = dir, .tables = tables, .table_count = 2, .max_bytes = max_bytes };
    assert_int_equal(kv_open(&options, &kv, &err), OK);
    return kv;
}

static void put(struct kv_txn *txn, const char *key, const char *value)
{
    Err err;
    assert_int_equal(kv_put(txn, ROWS, str_from(key), str_from(value), &err), OK);
}

static void a_reader_sees_one_instant_and_a_commit_is_all_or_nothing(void **state)
{
    const char *dir = make_dir();
    struct kv *kv = open_kv(dir, 0);
    struct kv_txn *writer, *reader;
    Str value;
    Err err;
    (void)state;
    assert_int_equal(kv_begin_write(kv, &writer, &err), OK);
    put(writer, "a", "1");
    assert_int_equal(kv_commit(writer, &err), OK);
    assert_int_equal(kv_begin_read(kv, &reader, &err), OK);
    assert_int_equal(kv_begin_write(kv, &writer, &err), OK);
    put(writer, "a", "2");
    put(writer, "b", "3");
    kv_abort(writer);
    assert_int_equal(kv_begin_write(kv, &writer, &err), OK);
    put(writer, "c", "4");
    assert_int_equal(kv_remove(writer, ROWS, STR("a"), &err), OK);
    assert_int_equal(kv_remove(writer, ROWS, STR("never"), &err), OK);
    assert_int_equal(kv_commit(writer, &err), OK);
    assert_int_equal(kv_get(reader, ROWS, STR("a"), &value, &err), OK);
    assert_true(str_equal(value, STR("1")));
    assert_int_equal(kv_get(reader, ROWS, STR("c"), &value, &err), ERR_NOT_FOUND);
    kv_end_read(reader);
    assert_int_equal(kv_begin_read(kv, &reader, &err), OK);
    assert_int_equal(kv_get(reader, ROWS, STR("a"), &value, &err), ERR_NOT_FOUND);
    assert_int_equal(kv_get(reader, ROWS, STR("b"), &value, &err), ERR_NOT_FOUND);
    assert_int_equal(kv_get(reader, OTHER, STR("c"), &value, &err), ERR_NOT_FOUND);
    kv_end_read(reader);
    kv_close(kv);
    kv = open_kv(dir, 0);
    KvStats stats;
    assert_int_equal(kv_read_stats(kv, &stats, &err), OK);
    assert_int_equal(stats.rows[ROWS], 1);
    kv_close(kv);
    remove_dir(dir);
}

static void a_cursor_finds_the_neighbours_of_a_key(void **state)
{
    const char *dir = make_dir();
    struct kv *kv = open_kv(dir, 0);
    struct kv_txn *txn;
    struct kv_cursor *cursor;
    Str key, value;
    Err err;
    char four[4], ten[4];
    (void)state;
    kv_key_u32(four, 4);
    kv_key_u32(ten, 1000);
    assert_true(memcmp(four, ten, 4) < 0);
    assert_int_equal(kv_read_u32(ten), 1000);
    assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
    put(txn, "b", "1");
    put(txn, "d", "2");
    put(txn, "f", "3");
    assert_int_equal(kv_cursor_open(txn, ROWS, &cursor, &err), OK);
    assert_int_equal(kv_find(cursor, STR("c"), &key, &value, &err), OK);
    assert_true(str_equal(key, STR("d")));
    assert_int_equal(kv_next(cursor, &key, &value, &err), OK);
    assert_true(str_equal(value, STR("3")));
    assert_int_equal(kv_next(cursor, &key, &value, &err), ERR_NOT_FOUND);
    assert_int_equal(kv_find_last(cursor, STR("e"), &key, &value, &err), OK);
    assert_true(str_equal(key, STR("d")));
    assert_int_equal(kv_find_last(cursor, STR("d"), &key, &value, &err), OK);
    assert_true(str_equal(key, STR("d")));
    assert_int_equal(kv_find_last(cursor, STR("z"), &key, &value, &err), OK);
    assert_true(str_equal(key, STR("f")));
    assert_int_equal(kv_find_last(cursor, STR("a"), &key, &value, &err), ERR_NOT_FOUND);
    assert_int_equal(kv_find(cursor, STR(""), &key, &value, &err), OK);
    assert_true(str_equal(key, STR("b")));
    kv_cursor_close(cursor);
    assert_int_equal(kv_clear(txn, ROWS, &err), OK);
    assert_int_equal(kv_get(txn, ROWS, STR("b"), &value, &err), ERR_NOT_FOUND);
    void *room = NULL;
    assert_int_equal(kv_reserve(txn, ROWS, STR("r"), 5, &room, &err), OK);
    memcpy(room, "hello", 5);
    assert_int_equal(kv_get(txn, ROWS, STR("r"), &value, &err), OK);
    assert_true(str_equal(value, STR("hello")));
    assert_int_equal(kv_commit(txn, &err), OK);
    kv_close(kv);
    remove_dir(dir);
}

static void what_is_too_large_is_refused_and_harms_nothing(void **state)
{
    const char *dir = make_dir();
    struct kv *kv = open_kv(dir, 1 << 18);
    struct kv_txn *txn;
    char key[KV_KEY_BYTES + 1] = "k", big[10000] = { 0 };
    Str value;
    Err err;
    Status s = OK;
    (void)state;
    assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
    assert_int_equal(kv_put(txn, ROWS, (Str){ key, sizeof key }, STR(""), &err), ERR_TOO_LARGE);
    put(txn, "kept", "yes");
    assert_int_equal(kv_commit(txn, &err), OK);
    assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
    for (int i = 0; !s && i < 100; i++) {
        kv_key_u32(key, (uint32_t)i);
        s = kv_put(txn, ROWS, (Str){ key, 4 }, (Str){ big, sizeof big }, &err);
    }
    assert_int_equal(s, ERR_FULL);
    kv_abort(txn);
    assert_int_equal(kv_begin_read(kv, &txn, &err), OK);
    assert_int_equal(kv_get(txn, ROWS, STR("kept"), &value, &err), OK);
    kv_end_read(txn);
    kv_close(kv);
    remove_dir(dir);
}

/* A child commits pairs that must be equal until it is killed; whatever is found later is a whole transaction. */
static void a_killed_writer_leaves_whole_transactions(void **state)
{
    const char *dir = make_dir();
    (void)state;
    for (int round = 0; round < 3; round++) {
        int ready[2];
        char byte;
        Err err;
        struct kv_txn *txn;
        Str a, b;
        assert_int_equal(pipe(ready), 0);
        pid_t child = fork();
        if (child == 0) {
            struct kv *kv = open_kv(dir, 0);
            for (uint64_t n = 1;; n++) {
                Str number = { (char *)&n, sizeof n };
                if (kv_begin_write(kv, &txn, &err) || kv_put(txn, ROWS, STR("a"), number, &err) ||
                    kv_put(txn, OTHER, STR("b"), number, &err) || kv_commit(txn, &err)) _exit(1);
                if (n == 3 && write(ready[1], "x", 1) != 1) _exit(1);
            }
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ready[0]);
        close(ready[1]);
        struct kv *kv = open_kv(dir, 0);
        assert_int_equal(kv_begin_read(kv, &txn, &err), OK);
        assert_int_equal(kv_get(txn, ROWS, STR("a"), &a, &err), OK);
        assert_int_equal(kv_get(txn, OTHER, STR("b"), &b, &err), OK);
        assert_true(str_equal(a, b));
        kv_end_read(txn);
        kv_close(kv);
    }
    remove_dir(dir);
}

static bool file_holds(const char *dir, const char *text)
{
    char path[128];
    static char bytes[1 << 22];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    assert_true(length < sizeof bytes);
    fclose(file);
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

static void nothing_removed_is_in_the_file_after_a_rewrite(void **state)
{
    const char *dir = make_dir();
    struct kv *kv = open_kv(dir, 0);
    struct kv_txn *txn;
    char key[32], value[3000];
    Str found;
    Err err;
    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
        for (int row = 0; row < 200; row++) {
            snprintf(key, sizeof key, "%s-%03d", row % 7 ? "kept" : "secret", row);
            memset(value, 'v', sizeof value);
            memcpy(value, row % 7 ? "KEPT" : "HIDDEN", row % 7 ? 4 : 6);
            assert_int_equal(kv_put(txn, ROWS, str_from(key), str_of(value, 30 + (size_t)row * 14), &err), OK);
            assert_int_equal(kv_put(txn, OTHER, str_from(key), str_from(key), &err), OK);
        }
        assert_int_equal(kv_commit(txn, &err), OK);
        assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
        for (int row = 0; row < 200; row += 7) {
            snprintf(key, sizeof key, "secret-%03d", row);
            assert_int_equal(kv_remove(txn, ROWS, str_from(key), &err), OK);
            assert_int_equal(kv_remove(txn, OTHER, str_from(key), &err), OK);
        }
        assert_int_equal(kv_commit(txn, &err), OK);
        assert_true(file_holds(dir, "secret") && file_holds(dir, "HIDDEN"));
        assert_int_equal(kv_rewrite(kv, 1000, &err), OK);
        assert_false(file_holds(dir, "secret") || file_holds(dir, "HIDDEN"));
        assert_true(file_holds(dir, "kept-001"));
        assert_int_equal(kv_begin_read(kv, &txn, &err), OK);
        for (int row = 0; row < 200; row++) {
            snprintf(key, sizeof key, "%s-%03d", row % 7 ? "kept" : "secret", row);
            assert_int_equal(kv_get(txn, ROWS, str_from(key), &found, &err), row % 7 ? OK : ERR_NOT_FOUND);
            assert_true(row % 7 == 0 || found.len == 30 + (size_t)row * 14);
        }
        kv_end_read(txn);
    }
    kv_close(kv);
    remove_dir(dir);
}

static void a_rewrite_waits_for_readers_and_changes_nothing_where_they_stay(void **state)
{
    const char *dir = make_dir();
    struct kv *kv = open_kv(dir, 0);
    struct kv_txn *txn, *reader;
    Str value;
    Err err;
    (void)state;
    assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
    put(txn, "a", "1");
    assert_int_equal(kv_commit(txn, &err), OK);
    assert_int_equal(kv_begin_read(kv, &reader, &err), OK);
    assert_int_equal(kv_rewrite(kv, 0, &err), ERR_TIMEOUT);
    assert_int_equal(kv_get(reader, ROWS, STR("a"), &value, &err), OK);
    kv_end_read(reader);
    assert_int_equal(kv_rewrite(kv, 0, &err), OK);
    kv_close(kv);
    remove_dir(dir);
}

static void put_one(struct kv *kv, const char *key, Status expected_begin, Status expected_commit)
{
    struct kv_txn *txn;
    Err err;
    assert_int_equal(kv_begin_write(kv, &txn, &err), expected_begin);
    if (expected_begin) return;
    put(txn, key, "1");
    assert_int_equal(kv_commit(txn, &err), expected_commit);
}

static bool has(struct kv *kv, const char *key)
{
    struct kv_txn *txn;
    Str value;
    Err err;
    assert_int_equal(kv_begin_read(kv, &txn, &err), OK);
    Status s = kv_get(txn, ROWS, str_from(key), &value, &err);
    kv_end_read(txn);
    return s == OK;
}

static void a_full_disk_heals_and_a_failed_sync_is_the_end(void **state)
{
    static const int errors[] = { EIO, EROFS, EBADF };
    (void)state;
    for (size_t at = 0; at < countof(errors); at++) {
        const char *dir = make_dir();
        struct kv *kv = open_kv(dir, 0);
        Err err;
        has_failure = false;
        put_one(kv, "before", OK, OK);
        sync_error = ENOSPC;
        put_one(kv, "full", OK, ERR_FULL);
        assert_null(kv_failure());
        sync_error = 0;
        put_one(kv, "room", OK, OK);
        sync_error = errors[at];
        put_one(kv, "lost", OK, ERR_IO);
        assert_non_null(strstr(kv_failure(), dir));
        sync_error = 0;
        put_one(kv, "later", ERR_CLOSED, OK);                /* it would succeed, and prove nothing */
        assert_int_equal(kv_sync(kv, &err), ERR_CLOSED);
        assert_true(has(kv, "before") && has(kv, "room"));
        kv_close(kv);
        kv = open_kv(dir, 0);                                /* the next process */
        assert_true(has(kv, "before") && has(kv, "room") && !has(kv, "later"));
        put_one(kv, "later", OK, OK);
        kv_close(kv);
        remove_dir(dir);
    }
    has_failure = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_sees_one_instant_and_a_commit_is_all_or_nothing),
        cmocka_unit_test(a_cursor_finds_the_neighbours_of_a_key),
        cmocka_unit_test(what_is_too_large_is_refused_and_harms_nothing),
        cmocka_unit_test(a_killed_writer_leaves_whole_transactions),
        cmocka_unit_test(nothing_removed_is_in_the_file_after_a_rewrite),
        cmocka_unit_test(a_rewrite_waits_for_readers_and_changes_nothing_where_they_stay),
        cmocka_unit_test(a_full_disk_heals_and_a_failed_sync_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
