/* os_disk: the real file system. Every call loops over EINTR and over short counts, so that the callers
 * see all or nothing, except after a failure; error texts name the operation, callers add the place.
 *
 * disk->sync is fdatasync: data and whatever metadata is needed to find it (the size, new blocks), but no
 * time stamps. The lock is an OFD lock (fcntl): it belongs to the open file, so that a second open in the
 * same process conflicts too, and it dies with the process. */
#include "os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PARTS_A_CALL = 1024 };      /* Linux's IOV_MAX */

/* An error of a path or file as a Status: it is missing, something else is in its place, the disk is full, the rest. */
static Status os_trouble(int errno_value, Err *err, const char *what, const char *path)
{
    const char *space = *path ? " " : "";
    (void)err_set_errno(err, errno_value, "%s%s%s", what, space, path);
    Status status = errno_value == ENOENT ? ERR_NOT_FOUND : errno_value == EEXIST ? ERR_CONFLICT
                  : errno_value == ENOSPC || errno_value == EDQUOT ? ERR_FULL
                  : errno_value == ENOTDIR || errno_value == EISDIR || errno_value == ELOOP ? ERR_DAMAGED : ERR_IO;
    if (err) err->code = status;
    return status;
}

/* What is in the place where a file must be. */
static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode) ? "directory" : S_ISFIFO(mode) ? "pipe" : S_ISSOCK(mode) ? "socket" : "device";
}

static Status in_the_way(const char *path, mode_t mode, Err *err)
{
    return err_set(err, ERR_DAMAGED, "open %s: there is a %s where a file must be", path, kind_of(mode));
}

static Status real_open(struct disk *disk, const char *path, DiskMode mode, DiskFile *ret, Err *err)
{
    static const int flags[] = {
        [DISK_READ] = O_RDONLY, [DISK_WRITE] = O_RDWR, [DISK_CREATE] = O_RDWR | O_CREAT | O_EXCL,
        [DISK_OPEN_OR_CREATE] = O_RDWR | O_CREAT, [DISK_OPEN_OR_CREATE_SECRET] = O_RDWR | O_CREAT,
    };
    (void)disk;
    int handle;
    struct stat about;
    mode_t rights = mode == DISK_OPEN_OR_CREATE_SECRET ? 0600 : 0640;
    do handle = open(path, flags[mode] | O_CLOEXEC | O_NONBLOCK, rights);    /* O_NONBLOCK: do not wait for a pipe */
    while (handle < 0 && errno == EINTR);
    int why = errno;
    bool is_there = handle < 0 ? stat(path, &about) == 0 : fstat(handle, &about) == 0;
    bool is_file = is_there && (S_ISREG(about.st_mode) || (mode == DISK_READ && S_ISCHR(about.st_mode)));
    if (handle < 0 && (!is_there || is_file || why == EEXIST)) return os_trouble(why, err, "open", path);
    if (!is_file) {
        if (handle >= 0) (void)close(handle);
        return is_there ? in_the_way(path, about.st_mode, err) : err_set(err, ERR_IO, "open %s: fstat", path);
    }
    *ret = (DiskFile){ handle };
    return OK;
}

static void real_close(struct disk *disk, DiskFile file)
{
    (void)disk;
    (void)close(file.handle);       /* what had to be durable was synced; Linux closes even when it complains */
}

static Status real_read(struct disk *disk, DiskFile file, uint64_t offset, void *bytes, size_t count,
                        size_t *ret_count, Err *err)
{
    (void)disk;
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(file.handle, (char *)bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_trouble(errno, err, "read", "");
        if (got == 0) break;
        done += (size_t)got;
    }
    *ret_count = done;
    return OK;
}

/* Fills vector from parts, from byte `skip` of the first part on; gives the number filled. */
static int write_gather(const Str *parts, size_t part_count, size_t skip, struct iovec *vector)
{
    int filled = 0;
    for (size_t at = 0; at < part_count && filled < PARTS_A_CALL; at++, skip = 0)
        if (parts[at].len > skip)
            vector[filled++] = (struct iovec){ (void *)(uintptr_t)(parts[at].bytes + skip), parts[at].len - skip };
    return filled;
}

static Status real_write(struct disk *disk, DiskFile file, uint64_t offset, const Str *parts, size_t part_count,
                         Err *err)
{
    struct iovec vector[PARTS_A_CALL];
    size_t at = 0, skip = 0;                            /* the first part not wholly written, and how far it is */
    (void)disk;
    for (;;) {
        while (at < part_count && skip >= parts[at].len) skip -= parts[at++].len;
        if (at == part_count) return OK;
        int filled = write_gather(parts + at, part_count - at, skip, vector);
        ssize_t put = pwritev(file.handle, vector, filled, (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_trouble(errno, err, "write", "");
        if (put == 0) return err_set(err, ERR_IO, "write: the system took no byte");
        offset += (uint64_t)put;
        skip += (size_t)put;
    }
}

static Status real_sync(struct disk *disk, DiskFile file, Err *err)
{
    (void)disk;
    if (fdatasync(file.handle) == 0) return OK;         /* never tried again: rule 2 */
    return os_trouble(errno, err, "fdatasync", "");
}

static Status real_truncate(struct disk *disk, DiskFile file, uint64_t bytes, Err *err)
{
    int result;
    (void)disk;
    do result = ftruncate(file.handle, (off_t)bytes);
    while (result < 0 && errno == EINTR);
    return result == 0 ? OK : os_trouble(errno, err, "truncate", "");
}

static Status real_size(struct disk *disk, DiskFile file, uint64_t *ret_bytes, Err *err)
{
    struct stat about;
    (void)disk;
    if (fstat(file.handle, &about) != 0) return os_trouble(errno, err, "fstat", "");
    *ret_bytes = (uint64_t)about.st_size;
    return OK;
}

static Status real_reserve(struct disk *disk, DiskFile file, uint64_t bytes, Err *err)
{
    uint64_t have;
    Status s = real_size(disk, file, &have, err);
    if (s || have >= bytes) return s;
    int result;
    do result = fallocate(file.handle, 0, 0, (off_t)bytes);
    while (result < 0 && errno == EINTR);
    if (result < 0 && errno == EOPNOTSUPP) return real_truncate(disk, file, bytes, err);
    return result == 0 ? OK : os_trouble(errno, err, "reserve", "");
}

static Status real_rename(struct disk *disk, const char *from, const char *to, Err *err)
{
    (void)disk;
    return rename(from, to) == 0 ? OK : os_trouble(errno, err, "rename", from);
}

static Status real_remove(struct disk *disk, const char *path, Err *err)
{
    (void)disk;
    if (unlink(path) == 0 || errno == ENOENT) return OK;
    if ((errno == EISDIR || errno == EPERM) && rmdir(path) == 0) return OK;
    return os_trouble(errno, err, "remove", path);
}

static Status real_make_dir(struct disk *disk, const char *path, Err *err)
{
    struct stat about;
    (void)disk;
    if (mkdir(path, 0750) == 0) return OK;
    int why = errno;
    if (why == EEXIST && stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return OK;
    if (why == EEXIST)
        return err_set(err, ERR_DAMAGED, "%s: there is something that is not a directory", path);
    return os_trouble(why, err, "make the directory", path);
}

static Status real_sync_dir(struct disk *disk, const char *path, Err *err)
{
    (void)disk;
    int handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) return os_trouble(errno, err, "open", path);
    int result = fsync(handle), why = errno;
    (void)close(handle);
    return result == 0 ? OK : os_trouble(why, err, "fsync", path);
}

/* ---- Listing ---- */

struct list_name {
    struct list_name *next;
    Str name;
};

static int list_compare(const void *a, const void *b)
{
    return str_compare(((const DiskEntry *)a)->name, ((const DiskEntry *)b)->name);
}

/* One name at a time into the arena, so that no directory size is assumed. */
static Status list_names(DIR *dir, const char *path, Arena *arena, struct list_name **ret, size_t *ret_count, Err *err)
{
    struct list_name *names = NULL;
    size_t count = 0;
    for (struct dirent *found; errno = 0, found = readdir(dir);) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
        size_t len = strlen(found->d_name);
        struct list_name *name = arena_try(arena, sizeof *name, _Alignof(struct list_name), 1);
        char *copy = arena_try(arena, 1, 1, len + 1);
        if (!name || !copy) return err_set(err, ERR_TOO_LARGE, "list %s: more than %zu entries", path, count);
        memcpy(copy, found->d_name, len + 1);
        *name = (struct list_name){ names, { copy, len } };
        names = name;
        count++;
    }
    if (errno) return os_trouble(errno, err, "list", path);
    *ret = names;
    *ret_count = count;
    return OK;
}

static Status list_entries(DIR *dir, const char *path, Arena *arena, DiskEntry **ret, size_t *ret_count, Err *err)
{
    struct list_name *names = NULL;
    size_t count = 0, kept = 0;
    Status s = list_names(dir, path, arena, &names, &count, err);
    if (s) return s;
    DiskEntry *entries = arena_try(arena, sizeof *entries, _Alignof(DiskEntry), count);
    if (!entries) return err_set(err, ERR_TOO_LARGE, "list %s: %zu entries", path, count);
    for (; names; names = names->next) {
        struct stat about;
        bool leads = fstatat(dirfd(dir), names->name.bytes, &about, 0) == 0;         /* a link may lead nowhere */
        if (!leads && fstatat(dirfd(dir), names->name.bytes, &about, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) continue;              /* gone by now: as if it had never been listed */
            return os_trouble(errno, err, "stat", names->name.bytes);
        }
        Millis modified_at_ms = (Millis)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
        entries[kept++] = (DiskEntry){ names->name, S_ISDIR(about.st_mode), S_ISREG(about.st_mode),
                                       (uint64_t)about.st_size, modified_at_ms };
    }
    if (kept > 1) qsort(entries, kept, sizeof *entries, list_compare);
    *ret = entries;
    *ret_count = kept;
    return OK;
}

static Status real_list(struct disk *disk, const char *path, Arena *arena, DiskEntry **ret_entries,
                        size_t *ret_count, Err *err)
{
    (void)disk;
    DIR *dir = opendir(path);
    if (!dir) return os_trouble(errno, err, "list", path);
    Status s = list_entries(dir, path, arena, ret_entries, ret_count, err);
    (void)closedir(dir);
    return s;
}

/* ---- The rest ---- */

static Status real_free_bytes(struct disk *disk, const char *path, uint64_t *ret_bytes, Err *err)
{
    struct statvfs about;
    (void)disk;
    if (statvfs(path, &about) != 0) return os_trouble(errno, err, "statvfs", path);
    *ret_bytes = (uint64_t)about.f_bavail * about.f_frsize;
    return OK;
}

static Status real_lock(struct disk *disk, DiskFile file, Err *err)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    (void)disk;
    if (fcntl(file.handle, F_OFD_SETLK, &whole) == 0) return OK;
    if (errno == EAGAIN || errno == EACCES) return err_set(err, ERR_CONFLICT, "another process has the lock");
    return os_trouble(errno, err, "lock", "");
}

static Status real_is_at(struct disk *disk, DiskFile file, const char *path, bool *ret, Err *err)
{
    struct stat open, named;
    (void)disk;
    if (fstat(file.handle, &open) != 0) return os_trouble(errno, err, "fstat", path);
    if (stat(path, &named) != 0) {
        if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) return os_trouble(errno, err, "stat", path);
        return *ret = false, OK;
    }
    *ret = open.st_ino == named.st_ino && open.st_dev == named.st_dev;
    return OK;
}

static Status real_map(struct disk *disk, DiskFile file, uint64_t bytes, const void **ret, Err *err)
{
    static const char nothing[1];
    (void)disk;
    if (bytes == 0) return *ret = nothing, OK;
    void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file.handle, 0);
    if (at == MAP_FAILED) return os_trouble(errno, err, "map", "");
    guard_add(at, bytes);
    *ret = at;
    return OK;
}

static void real_unmap(struct disk *disk, const void *at, uint64_t bytes)
{
    (void)disk;
    if (!bytes) return;
    guard_remove(at);
    check(munmap((void *)(uintptr_t)at, bytes) == 0);
}

/* O_NONBLOCK: so that a pipe or the like is not waited for. */
static void real_expect(struct disk *disk, const char *path, uint64_t bytes)
{
    struct stat about;
    (void)disk;
    int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (handle < 0) return;
    if (fstat(handle, &about) == 0 && S_ISREG(about.st_mode)) {
        off_t last = about.st_size > (off_t)bytes ? about.st_size - (off_t)bytes : 0;
        (void)posix_fadvise(handle, 0, (off_t)bytes, POSIX_FADV_WILLNEED);
        (void)posix_fadvise(handle, last, (off_t)bytes, POSIX_FADV_WILLNEED);
    }
    (void)close(handle);
}

struct disk *os_disk(void)
{
    static struct disk real = {
        .open = real_open, .close = real_close, .read = real_read, .write = real_write, .sync = real_sync,
        .truncate = real_truncate, .reserve = real_reserve, .size = real_size, .rename = real_rename,
        .remove = real_remove, .make_dir = real_make_dir, .sync_dir = real_sync_dir, .list = real_list,
        .free_bytes = real_free_bytes, .lock = real_lock, .is_at = real_is_at,
        .map = real_map, .unmap = real_unmap, .expect = real_expect,
    };
    return &real;
}
