/* os_disk: the real file system keeps the rules that os.h states. */
#include "os/os_disk.c"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

struct place {
    char dir[64];
    struct region region;
    struct disk *disk;
};

static int place_make(void **state)
{
    static struct place place;
    place.disk = os_disk();
    region_open(&place.region, 1 << 20);
    snprintf(place.dir, sizeof place.dir, "/tmp/onym-disk-XXXXXX");
    assert_non_null(mkdtemp(place.dir));
    *state = &place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *place = *state;
    Arena arena = region_arena(&place->region);
    DiskEntry *entries;
    size_t count;
    assert_int_equal(place->disk->list(place->disk, place->dir, &arena, &entries, &count, NULL), OK);
    for (size_t at = 0; at < count; at++) {
        Str path = arena_printf(&arena, "%s/%.*s", place->dir, STR_FORMAT(entries[at].name));
        assert_int_equal(place->disk->remove(place->disk, path.bytes, NULL), OK);
    }
    assert_int_equal(place->disk->remove(place->disk, place->dir, NULL), OK);
    region_close(&place->region);
    return 0;
}

static const char *path_in(struct place *place, const char *name)
{
    static char paths[4][128];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", place->dir, name);
    return path;
}

static void many_parts_become_one_run_of_bytes(void **state)
{
    struct place *place = *state;
    struct disk *disk = place->disk;
    enum { PARTS = 3000 };                               /* more than one system call takes */
    static Str parts[PARTS];
    static char all[PARTS * 2], back[PARTS * 2];
    size_t len = 0;
    for (size_t at = 0; at < PARTS; at++) {              /* every third part is empty */
        all[at * 2] = (char)at;
        all[at * 2 + 1] = (char)(at >> 8);
    }
    for (size_t at = 0; at < PARTS; at++) {
        size_t part = at % 3 == 0 ? 0 : at % 3;
        parts[at] = (Str){ all + len, part };
        len += part;
    }
    DiskFile file;
    size_t got;
    assert_int_equal(disk->open(disk, path_in(place, "parts"), DISK_CREATE, &file, NULL), OK);
    assert_int_equal(disk->write(disk, file, 7, parts, PARTS, NULL), OK);
    assert_int_equal(disk->sync(disk, file, NULL), OK);
    assert_int_equal(disk->read(disk, file, 7, back, sizeof back, &got, NULL), OK);
    assert_int_equal(got, len);
    assert_memory_equal(back, all, len);
    assert_int_equal(disk->read(disk, file, 0, back, 7, &got, NULL), OK);
    assert_memory_equal(back, "\0\0\0\0\0\0\0", 7);
    assert_int_equal(disk->read(disk, file, 7 + len, back, 10, &got, NULL), OK);
    assert_int_equal(got, 0);
    disk->close(disk, file);
}

static void opening_says_what_is_missing_and_what_is_in_the_way(void **state)
{
    struct place *place = *state;
    struct disk *disk = place->disk;
    DiskFile file;
    Err err;
    assert_int_equal(disk->open(disk, path_in(place, "none"), DISK_READ, &file, &err), ERR_NOT_FOUND);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none"));
    assert_int_equal(disk->open(disk, path_in(place, "one"), DISK_CREATE, &file, &err), OK);
    disk->close(disk, file);
    assert_int_equal(disk->open(disk, path_in(place, "one"), DISK_CREATE, &file, &err), ERR_CONFLICT);
    assert_int_equal(disk->remove(disk, path_in(place, "one"), &err), OK);
    assert_int_equal(disk->remove(disk, path_in(place, "one"), &err), OK);
    assert_int_equal(disk->make_dir(disk, path_in(place, "dir"), &err), OK);
    assert_int_equal(disk->make_dir(disk, path_in(place, "dir"), &err), OK);
    assert_int_equal(disk->sync_dir(disk, path_in(place, "dir"), &err), OK);
    assert_int_equal(disk->list(disk, path_in(place, "none"), NULL, NULL, NULL, &err), ERR_NOT_FOUND);
}

static void sizes_grow_by_reserving_and_shrink_by_truncating(void **state)
{
    struct place *place = *state;
    struct disk *disk = place->disk;
    DiskFile file;
    uint64_t bytes;
    assert_int_equal(disk->open(disk, path_in(place, "sized"), DISK_OPEN_OR_CREATE, &file, NULL), OK);
    assert_int_equal(disk->write(disk, file, 0, &STR("hello"), 1, NULL), OK);
    assert_int_equal(disk->reserve(disk, file, 10000, NULL), OK);
    assert_int_equal(disk->reserve(disk, file, 100, NULL), OK);              /* never shrinks */
    assert_int_equal(disk->size(disk, file, &bytes, NULL), OK);
    assert_int_equal(bytes, 10000);
    const void *view;
    assert_int_equal(disk->map(disk, file, 10000, &view, NULL), OK);
    assert_memory_equal(view, "hello\0\0\0", 8);
    assert_int_equal(disk->remove(disk, path_in(place, "sized"), NULL), OK);
    assert_memory_equal(view, "hello", 5);                                   /* outlives its name */
    disk->unmap(disk, view, 10000);
    assert_int_equal(disk->truncate(disk, file, 3, NULL), OK);
    assert_int_equal(disk->size(disk, file, &bytes, NULL), OK);
    assert_int_equal(bytes, 3);
    disk->close(disk, file);
    assert_int_equal(disk->free_bytes(disk, place->dir, &bytes, NULL), OK);
    assert_true(bytes > 0);
}

static void a_lock_is_held_once_and_goes_with_its_file(void **state)
{
    struct place *place = *state;
    struct disk *disk = place->disk;
    DiskFile first, second;
    assert_int_equal(disk->open(disk, path_in(place, "lock"), DISK_OPEN_OR_CREATE, &first, NULL), OK);
    assert_int_equal(disk->open(disk, path_in(place, "lock"), DISK_OPEN_OR_CREATE, &second, NULL), OK);
    assert_int_equal(disk->lock(disk, first, NULL), OK);
    assert_int_equal(disk->lock(disk, second, NULL), ERR_CONFLICT);
    disk->close(disk, first);
    assert_int_equal(disk->lock(disk, second, NULL), OK);
    disk->close(disk, second);
}

static void a_list_is_sorted_and_whole(void **state)
{
    struct place *place = *state;
    struct disk *disk = place->disk;
    static const char *const names[] = { "b", "a", "c.tmp", "00" };
    for (size_t at = 0; at < countof(names); at++)
        assert_int_equal(disk_write_file(disk, path_in(place, names[at]), STR("abc"), NULL), OK);
    assert_int_equal(disk->make_dir(disk, path_in(place, "aa"), NULL), OK);
    Arena arena = region_arena(&place->region), small = { arena.at, arena.at + 64 };
    DiskEntry *entries;
    size_t count;
    assert_int_equal(disk->list(disk, place->dir, &small, &entries, &count, NULL), ERR_TOO_LARGE);
    assert_int_equal(disk->list(disk, place->dir, &arena, &entries, &count, NULL), OK);
    assert_int_equal(count, 5);
    static const char *const sorted[] = { "00", "a", "aa", "b", "c.tmp" };
    for (size_t at = 0; at < count; at++) {
        assert_true(str_equal(entries[at].name, str_from(sorted[at])));
        assert_int_equal(entries[at].is_dir, at == 2);
        if (at != 2) assert_int_equal(entries[at].bytes, 3);
        assert_true(entries[at].modified_at_ms > 1500000000000);
    }
}

static void small_files_are_replaced_whole(void **state)
{
    struct place *place = *state;
    struct disk *disk = place->disk;
    Arena arena = region_arena(&place->region);
    Str text;
    Err err;
    assert_int_equal(disk_read_file(disk, path_in(place, "f"), 100, &arena, &text, &err), ERR_NOT_FOUND);
    assert_int_equal(disk_write_file(disk, path_in(place, "f"), STR("first, longer"), &err), OK);
    assert_int_equal(disk_write_file(disk, path_in(place, "f"), STR("second"), &err), OK);
    assert_int_equal(disk_read_file(disk, path_in(place, "f"), 6, &arena, &text, &err), OK);
    assert_true(str_equal(text, STR("second")));
    assert_int_equal(disk_read_file(disk, path_in(place, "f"), 5, &arena, &text, &err), ERR_TOO_LARGE);
    assert_int_equal(disk_write_file(disk, path_in(place, "no/where"), STR("x"), &err), ERR_NOT_FOUND);
    assert_int_equal(disk_write_file(disk, path_in(place, "empty"), STR(""), &err), OK);
    assert_int_equal(disk_read_file(disk, path_in(place, "empty"), 5, &arena, &text, &err), OK);
    assert_int_equal(text.len, 0);
}

/* Every kind of thing in a file's place, in every mode, without waiting for anybody. */
static void what_is_no_file_is_named_and_never_waited_for(void **state)
{
    struct place *place = *state;
    struct disk *disk = place->disk;
    Arena arena = region_arena(&place->region);
    struct sockaddr_un door = { .sun_family = AF_UNIX };
    DiskEntry *entries;
    size_t count;
    DiskFile file;
    Str text;
    Err err;
    int door_handle = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(disk_write_file(disk, path_in(place, "file"), STR("text"), &err), OK);
    assert_int_equal(symlink("file", path_in(place, "link")), 0);
    assert_int_equal(mkfifo(path_in(place, "pipe"), 0600), 0);
    assert_int_equal(mkdir(path_in(place, "directory"), 0700), 0);
    snprintf(door.sun_path, sizeof door.sun_path, "%s", path_in(place, "socket"));
    assert_int_equal(bind(door_handle, (struct sockaddr *)&door, sizeof door), 0);
    assert_int_equal(symlink("/dev/zero", path_in(place, "device")), 0);
    assert_int_equal(symlink("pipe", path_in(place, "link to a pipe")), 0);
    assert_int_equal(symlink("ring", path_in(place, "ring")), 0);
    assert_int_equal(symlink("no/where", path_in(place, "nowhere")), 0);
    static const struct { const char *name, *word; Status read, write; bool is_file; } rows[] = {
        { "file", "", OK, OK, true }, { "link", "", OK, OK, true }, { "pipe", "pipe", ERR_DAMAGED, ERR_DAMAGED, false },
        { "directory", "directory", ERR_DAMAGED, ERR_DAMAGED, false },
        { "socket", "socket", ERR_DAMAGED, ERR_DAMAGED, false }, { "device", "device", OK, ERR_DAMAGED, false },
        { "link to a pipe", "pipe", ERR_DAMAGED, ERR_DAMAGED, false },
        { "ring", "ring", ERR_DAMAGED, ERR_DAMAGED, false },
        { "nowhere", "nowhere", ERR_NOT_FOUND, ERR_NOT_FOUND, false },
    };
    static const DiskMode modes[] = { DISK_READ, DISK_WRITE, DISK_OPEN_OR_CREATE };
    assert_int_equal(disk->list(disk, place->dir, &arena, &entries, &count, &err), OK);
    assert_int_equal(count, countof(rows));
    for (size_t at = 0; at < countof(rows); at++) {
        const char *path = path_in(place, rows[at].name);
        disk->expect(disk, path, 4096);                  /* a pipe that nobody writes into is not waited for */
        for (size_t mode = 0; mode < countof(modes); mode++) {
            Status s = disk->open(disk, path, modes[mode], &file, &err);
            assert_int_equal(s, modes[mode] == DISK_READ ? rows[at].read : rows[at].write);
            if (s) assert_non_null(strstr(err.text, rows[at].word));
            if (!s) disk->close(disk, file);
        }
        assert_int_equal(disk->open(disk, path, DISK_CREATE, &file, &err), ERR_CONFLICT);
        for (size_t entry = 0; entry < count; entry++)
            if (str_equal(entries[entry].name, str_from(rows[at].name)))
                assert_int_equal(entries[entry].is_file, rows[at].is_file);
    }
    assert_int_equal(disk_read_file(disk, path_in(place, "pipe"), 100, &arena, &text, &err), ERR_DAMAGED);
    assert_int_equal(rmdir(path_in(place, "directory")), 0);
    close(door_handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_parts_become_one_run_of_bytes, place_make, place_remove),
        cmocka_unit_test_setup_teardown(opening_says_what_is_missing_and_what_is_in_the_way, place_make, place_remove),
        cmocka_unit_test_setup_teardown(sizes_grow_by_reserving_and_shrink_by_truncating, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_lock_is_held_once_and_goes_with_its_file, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_list_is_sorted_and_whole, place_make, place_remove),
        cmocka_unit_test_setup_teardown(small_files_are_replaced_whole, place_make, place_remove),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_named_and_never_waited_for, place_make, place_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
