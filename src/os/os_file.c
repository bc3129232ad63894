/* os_file: whole small files over any disk, real or fake. */
#include "os.h"

enum { PATH_BYTES = 4096 };

Status disk_read_file(struct disk *disk, const char *path, size_t max, Arena *arena, Str *ret, Err *err)
{
    DiskFile file;
    uint64_t bytes;
    Status s = disk->open(disk, path, DISK_READ, &file, err);
    if (s) return s;
    s = disk->size(disk, file, &bytes, err);
    if (!s && bytes > max) s = err_set(err, ERR_TOO_LARGE, "%s: %" PRIu64 " bytes, %zu at most", path, bytes, max);
    char *copy = s ? NULL : arena_try(arena, 1, 1, bytes + 1);
    if (!s && !copy) s = err_set(err, ERR_TOO_LARGE, "%s: %" PRIu64 " bytes do not fit the arena", path, bytes);
    size_t got = 0;
    if (!s) s = disk->read(disk, file, 0, copy, bytes, &got, err);
    disk->close(disk, file);
    if (s) return s == ERR_TOO_LARGE ? s : err_wrap(err, s, "%s", path);
    copy[got] = 0;                                      /* a convenience for C; not counted */
    *ret = (Str){ copy, got };
    return OK;
}

static Status write_temporary(struct disk *disk, const char *path, DiskMode mode, Str bytes, Err *err)
{
    DiskFile file;
    Status s = disk->open(disk, path, mode, &file, err);
    if (s) return s;
    s = disk->truncate(disk, file, 0, err);             /* what a crash may have left there */
    if (!s) s = disk->write(disk, file, 0, &bytes, 1, err);
    if (!s) s = disk->sync(disk, file, err);
    disk->close(disk, file);
    return s;
}

static Status write_file(struct disk *disk, const char *path, DiskMode mode, Str bytes, Err *err)
{
    char temporary[PATH_BYTES], dir[PATH_BYTES];
    size_t len = strlen(path);
    if (len + sizeof ".tmp" > sizeof temporary)
        return err_set(err, ERR_TOO_LARGE, "%.100s...: a path of %zu bytes", path, len);
    memcpy(temporary, path, len);
    memcpy(temporary + len, ".tmp", sizeof ".tmp");
    memcpy(dir, path, len + 1);
    char *slash = strrchr(dir, '/');
    if (!slash) memcpy(dir, ".", 2);
    else slash[slash == dir] = 0;                       /* "/file" is in "/" */

    Status s = write_temporary(disk, temporary, mode, bytes, err);
    if (!s) s = disk->rename(disk, temporary, path, err);
    if (!s) return disk->sync_dir(disk, dir, err);
    (void)disk->remove(disk, temporary, NULL);          /* best effort: the next writing cuts it to nothing anyway */
    return err_wrap(err, s, "%s", path);
}

Status disk_write_file(struct disk *disk, const char *path, Str bytes, Err *err)
{
    return write_file(disk, path, DISK_OPEN_OR_CREATE, bytes, err);
}

Status disk_write_secret_file(struct disk *disk, const char *path, Str bytes, Err *err)
{
    return write_file(disk, path, DISK_OPEN_OR_CREATE_SECRET, bytes, err);
}
