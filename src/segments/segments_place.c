/* segments_place: is the file that is being written still the one that the next start will find?
 *
 * A descriptor goes on working when its file is removed, when another takes its name, or when the directory is moved
 * away; what is written would be synced and acknowledged, and nobody would find it again. So after every sync, before
 * anybody is told, this checks that the name still leads to the open file; and each second if nothing is written. If
 * the file is gone and nothing else has its name, in a directory that is still ours (its lock is), all of it is written
 * out again. Else nothing more is accepted until the file is back; this looks for it each second. */
#include "segments_private.h"

#include <stdio.h>

enum { LOOK_MS = 1000, COPY_BYTES = 1 << 20 };

static void tell(struct segments *journal, SegmentsNoticeKind kind, const char *reason)
{
    SegmentsNotice notice = { .kind = kind, .pos = journal->tail.base, .end = journal->end, .reason = reason };
    if (journal->options.notice) journal->options.notice(journal->options.notice_context, &notice);
}

/* If this cannot be found out, the file counts as being there. */
static bool is_at(struct segments *journal, DiskFile file, const char *path)
{
    bool is_there = true;
    Status s = journal->disk->is_at(journal->disk, file, path, &is_there, NULL);
    return s || is_there;
}

static const char *lock_path(const struct segments *journal, char path[SEGMENTS_PATH_BYTES])
{
    snprintf(path, SEGMENTS_PATH_BYTES, "%s/lock", journal->dir);
    return path;
}

/* ---- Putting it back ---- */

static bool is_free(struct segments *journal, const char *path)
{
    DiskFile file;
    Status s = journal->disk->open(journal->disk, path, DISK_READ, &file, NULL);
    if (!s) journal->disk->close(journal->disk, file);
    return s == ERR_NOT_FOUND;
}

static Status copy(struct segments *journal, DiskFile from, DiskFile to, uint64_t bytes, Err *err)
{
    struct disk *disk = journal->disk;
    struct region region;
    Status s = OK;
    region_open(&region, COPY_BYTES);
    for (uint64_t at = 0; !s && at < bytes;) {
        size_t want = bytes - at < COPY_BYTES ? (size_t)(bytes - at) : COPY_BYTES, got = 0;
        s = disk->read(disk, from, at, region.start, want, &got, err);
        if (!s && got != want) s = err_set(err, ERR_DAMAGED, "the file ends at %" PRIu64, at + got);
        Str part = str_of(region.start, want);
        if (!s) s = disk->write(disk, to, at, &part, 1, err);
        at += want;
    }
    region_close(&region);
    return s;
}

/* Writes the first `bytes` of the open file under its name once more. */
static Status put_back(struct segments *journal, const char *path, uint64_t bytes, Err *err)
{
    struct disk *disk = journal->disk;
    struct segments_tail *tail = &journal->tail;
    char begun[SEGMENTS_PATH_BYTES];
    DiskFile file;
    segment_path(begun, journal->dir, tail->base, SEGMENT_BEGUN);
    Status s = disk->open(disk, begun, DISK_OPEN_OR_CREATE, &file, err);
    if (s) return s;
    s = disk->truncate(disk, file, 0, err);
    if (!s) s = copy(journal, tail->file, file, bytes, err);
    if (!s) s = disk->sync(disk, file, err);
    if (!s) s = disk->rename(disk, begun, path, err);
    if (s) {
        disk->close(disk, file);
        (void)disk->remove(disk, begun, NULL);
        return s;
    }
    disk->close(disk, tail->file);
    tail->file = file;
    tail->ahead = bytes;
    pthread_mutex_lock(&journal->lock);
    Segment *row = &journal->segments.rows[journal->segments.count - 1];
    row->version++;                                      /* readers have the old file open */
    row->disk_bytes = bytes;
    pthread_mutex_unlock(&journal->lock);
    Err why = { 0 };
    s = disk->sync_dir(disk, journal->dir, &why);
    if (s && err) *err = why;
    if (s) segments_poison(journal, &why);
    else tell(journal, SEGMENTS_PUT_BACK, NULL);
    return s;
}

/* ---- Looking ---- */

static void note(struct segments *journal, bool is_astray, const char *why)
{
    pthread_mutex_lock(&journal->lock);
    bool was_astray = journal->is_astray;
    journal->is_astray = is_astray;
    journal->astray_until_ns = clock_monotonic_ns(journal->options.clock) + LOOK_MS * 1000000LL;
    pthread_mutex_unlock(&journal->lock);
    if (is_astray && !was_astray) tell(journal, SEGMENTS_ASTRAY, why);
    if (was_astray && !is_astray) tell(journal, SEGMENTS_FOUND_AGAIN, NULL);
}

/* Without its lock file a second process could take the directory: so it is made again, if the directory is ours. */
static bool has_lock(struct segments *journal)
{
    struct disk *disk = journal->disk;
    char path[SEGMENTS_PATH_BYTES];
    DiskFile file;
    if (is_at(journal, journal->lock_file, lock_path(journal, path))) return true;
    if (disk->open(disk, path, DISK_OPEN_OR_CREATE, &file, NULL)) return false;
    if (disk->lock(disk, file, NULL)) return disk->close(disk, file), false;
    disk->close(disk, journal->lock_file);
    journal->lock_file = file;
    return true;
}

Status segments_look_at_place(struct segments *journal, uint64_t bytes, Err *err)
{
    struct segments_tail *tail = &journal->tail;
    char path[SEGMENTS_PATH_BYTES], lock[SEGMENTS_PATH_BYTES], why[SEGMENTS_PATH_BYTES + 512];
    Err trouble = { 0 };
    int64_t now_ns = clock_monotonic_ns(journal->options.clock);
    if (!tail->is_open) return OK;
    segment_path(path, journal->dir, tail->base, SEGMENT_RAW);
    bool is_there = is_at(journal, tail->file, path), is_ours = true;
    if (is_there && now_ns - journal->lock_looked_ns >= LOOK_MS * 1000000LL) {
        journal->lock_looked_ns = now_ns;
        is_ours = has_lock(journal);
    }
    if (!is_there && is_at(journal, journal->lock_file, lock_path(journal, lock)) && is_free(journal, path))
        is_there = put_back(journal, path, bytes, &trouble) == OK;
    if (is_there && is_ours) {
        if (journal->is_astray) note(journal, false, NULL);
        return OK;
    }
    if (!is_there)
        snprintf(why, sizeof why, "%s, which is being written, was moved, removed or replaced, or its directory was%s%s"
                 ". Way out: bring it back where it was, and it goes on by itself. If it is lost, this process still "
                 "has it: copy /proc/PID/fd/%d to that name in the directory of before, then start again", path,
                 trouble.text[0] ? "; it could not be put back: " : "", trouble.text, tail->file.handle);
    else
        snprintf(why, sizeof why, "%s/lock was removed, and another process has taken the directory. Way out: end that "
                 "one; of two that write, only one is found again", journal->dir);
    note(journal, true, why);
    return err_set(err, ERR_CLOSED, "%s", why);
}
