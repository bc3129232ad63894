/* os: all that can surprise us, as four tables of functions: the disk, the clock, the dice and (in
 * fetch.h) outgoing HTTP; beside them, in sql.h, PostgreSQL, of which tests have a real one. Production uses
 * os_disk.c, os_clock.c and os_dice.c; tests use the fakes of tests/fakes/, so that the whole program runs on a disk
 * that lies and a clock that the test sets.
 *
 * Nothing above this folder calls open, write, fsync, time, rand or socket.
 *
 * Disk rules, which both the real and the fake disk keep:
 *  1. What was written is durable only after disk->sync of the file; a new, renamed or removed name is
 *     durable only after disk->sync_dir of its directory.
 *  2. After a failed disk->sync nobody knows what the disk holds, and a second sync that succeeds proves
 *     nothing (PostgreSQL's fsync story of 2018). The caller must stop trusting the file.
 *  3. disk->write writes all or fails; after a failure any part of it may be there.
 *  4. ERR_FULL is a status of its own: it ends by itself when there is room.
 *  5. A file is a regular file. If something else has its name (a directory, a pipe, a socket, a device, links in a
 *     ring) that is ERR_DAMAGED, which says what it is, and is never waited for. A device like /dev/null may be read.
 * Threads: disk, clock and dice may be used from any thread; a DiskFile has one writer at a time.
 */
#ifndef ONYM_OS_OS_H
#define ONYM_OS_OS_H

#include <stdatomic.h>
#include <time.h>

#include "base/base.h"

/* ---- Disk ---- */

typedef struct DiskFile {
    int handle;                     /* a descriptor, or the fake disk's own number */
} DiskFile;

typedef enum DiskMode {
    DISK_READ,                      /* must exist */
    DISK_WRITE,                     /* must exist; read and write */
    DISK_CREATE,                    /* must not exist; read and write */
    DISK_OPEN_OR_CREATE,            /* read and write */
    DISK_OPEN_OR_CREATE_SECRET,     /* the same; what it makes is for its owner alone (0600, else 0640) */
} DiskMode;

typedef struct DiskEntry {
    Str name;                       /* without the directory */
    bool is_dir, is_file;           /* neither: a pipe, a socket, a device, or a link that leads nowhere */
    uint64_t bytes;
    Millis modified_at_ms;
} DiskEntry;

struct disk {
    Status (*open)(struct disk *disk, const char *path, DiskMode mode, DiskFile *ret, Err *err);
    void (*close)(struct disk *disk, DiskFile file);
    Status (*read)(struct disk *disk, DiskFile file, uint64_t offset, void *bytes, size_t count, size_t *ret_count,
                   Err *err);                             /* short only at the end of the file */
    Status (*write)(struct disk *disk, DiskFile file, uint64_t offset, const Str *parts, size_t part_count, Err *err);
    Status (*sync)(struct disk *disk, DiskFile file, Err *err);                     /* fdatasync */
    Status (*truncate)(struct disk *disk, DiskFile file, uint64_t bytes, Err *err);
    Status (*reserve)(struct disk *disk, DiskFile file, uint64_t bytes, Err *err);  /* size grows; reads as zeros */
    Status (*size)(struct disk *disk, DiskFile file, uint64_t *ret_bytes, Err *err);
    Status (*rename)(struct disk *disk, const char *from, const char *to, Err *err);
    Status (*remove)(struct disk *disk, const char *path, Err *err);                /* missing is OK */
    Status (*make_dir)(struct disk *disk, const char *path, Err *err);              /* existing is OK */
    Status (*sync_dir)(struct disk *disk, const char *path, Err *err);
    Status (*list)(struct disk *disk, const char *path, Arena *arena, DiskEntry **ret_entries, size_t *ret_count,
                   Err *err);                             /* sorted by name; "." and ".." left out */
    Status (*free_bytes)(struct disk *disk, const char *path, uint64_t *ret_bytes, Err *err);
    /* Takes an exclusive lock for as long as the file stays open; ERR_CONFLICT: another process has it. */
    Status (*lock)(struct disk *disk, DiskFile file, Err *err);
    /* Does the name still lead to this open file? */
    Status (*is_at)(struct disk *disk, DiskFile file, const char *path, bool *ret, Err *err);
    /* A read-only view of the first bytes of the file; valid until unmap, whatever happens to the name. */
    Status (*map)(struct disk *disk, DiskFile file, uint64_t bytes, const void **ret, Err *err);
    void (*unmap)(struct disk *disk, const void *at, uint64_t bytes);
    /* Says that the first and the last so many bytes of a file will be read soon, so that the disk can fetch them. Does
     * not wait, changes nothing and never fails. NULL: the disk does not support it. */
    void (*expect)(struct disk *disk, const char *path, uint64_t bytes);
};

/* The real file system. There is one in the process; it is never closed. */
struct disk *os_disk(void);

/* If a mapped file is made shorter, or its disk fails, the process that reads it would end (SIGBUS). Between add
 * and remove such a place reads as zeros instead, and from then on was_cut is true: whoever reads a map calls it before
 * he uses what he has read. The real disk guards its maps by itself. */
void guard_add(const void *at, uint64_t bytes);
void guard_remove(const void *at);                      /* before the memory is unmapped */
bool guard_was_cut(const void *at);                     /* at: as it was added; false for a fake disk's map */
bool guard_any_cut(void);                               /* was any, ever? Costs little */

/* Whole small files, on any disk. Reading gives a copy in the arena; ERR_TOO_LARGE: over max. Writing is
 * atomic and durable: a temporary file in the same directory, sync, rename, sync of the directory. */
Status MUST disk_read_file(struct disk *disk, const char *path, size_t max, Arena *arena, Str *ret, Err *err);
Status MUST disk_write_file(struct disk *disk, const char *path, Str bytes, Err *err);
Status MUST disk_write_secret_file(struct disk *disk, const char *path, Str bytes, Err *err);  /* for its owner alone */

/* ---- Clock ---- */

struct clock {
    Millis (*now_ms)(struct clock *clock);              /* wall clock, may jump */
    int64_t (*monotonic_ns)(struct clock *clock);       /* never goes back; for durations and deadlines */
    int64_t (*elapsed_ns)(struct clock *clock);         /* the same, and goes on while the machine sleeps; or NULL */
};

struct clock *os_clock(void);
static inline Millis clock_now_ms(struct clock *clock) { return clock->now_ms(clock); }
static inline int64_t clock_monotonic_ns(struct clock *clock) { return clock->monotonic_ns(clock); }

/* For code that waits at a condition of CLOCK_MONOTONIC until until_ns: *ret_wake says when to look again, soon enough
 * that a wait that was cancelled (is_cancelled, may be NULL) does not delay a stop. False: the time is over. */
bool clock_may_wait(struct clock *clock, int64_t until_ns, const atomic_bool *is_cancelled, struct timespec *ret_wake);

static inline int64_t clock_elapsed_ns(struct clock *clock)
{
    return clock->elapsed_ns ? clock->elapsed_ns(clock) : clock->monotonic_ns(clock);
}

/* ---- Dice ---- */

struct dice {
    void (*fill)(struct dice *dice, void *bytes, size_t count);     /* unpredictable bytes; cannot fail */
};

struct dice *os_dice(void);
uint64_t dice_u64(struct dice *dice);
/* Writes 36 bytes, no NUL: a random UUID, version 4. */
void dice_uuid(struct dice *dice, char *text);
/* Writes count characters of [0-9A-Za-z], no NUL: for keys. */
void dice_key(struct dice *dice, char *text, size_t count);

/* ---- The process ---- */

/* Call it before anything is opened. A standard stream that is closed (`2>&-`) leaves its number to the next file, and
 * log lines would be written into that: so this takes its place. And if a file grows over the limit of its size
 * (ulimit -f) the write fails, but the process does not end. */
void streams_hold(void);

/* ---- Outgoing HTTP ---- */

#include "fetch.h"
#include "sql.h"

#endif
