/* os: all that can surprise us, as four tables of functions: the disk, the clock, the dice and (in
 * fetch.h) outgoing HTTP. Production plugs in os_disk.c, os_clock.c and os_dice.c; tests plug in the
 * fakes of tests/fakes/, so that the whole program runs on a disk that lies and a clock turned by hand.
 *
 * Nothing above this folder calls open, write, fsync, time, rand or socket.
 *
 * Disk rules, which the real and the fake both keep:
 *  1. What was written is durable only after disk_sync of the file; a new, renamed or removed name is
 *     durable only after disk_sync_dir of its directory.
 *  2. After a failed disk_sync nobody knows what the disk holds, and a second sync that succeeds proves
 *     nothing (PostgreSQL's fsync story of 2018). The caller must stop trusting the file.
 *  3. disk_write writes all or fails; after a failure any part of it may be there.
 *  4. ERR_FULL is its own status: it heals by itself.
 *  5. A file is a regular one. What else stands under a name (a directory, a pipe, a socket, a device, links in a
 *     ring) is ERR_DAMAGED, says what it is, and is never waited for. To read, a device like /dev/null will do.
 * Threads: disk, clock and dice may be used from any thread; one DiskFile by one writer at a time.
 */
#ifndef ONYM_OS_OS_H
#define ONYM_OS_OS_H

#include <stdatomic.h>
#include <time.h>

#include "base/base.h"

/* ---- Disk ---- */

typedef struct DiskFile {
    int handle;                     /* a descriptor, or whatever the fake counts by */
} DiskFile;

typedef enum DiskMode {
    DISK_READ,                      /* must exist */
    DISK_WRITE,                     /* must exist; read and write */
    DISK_CREATE,                    /* must not exist; read and write */
    DISK_OPEN_OR_CREATE,            /* read and write */
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
    /* Takes an exclusive lock for as long as the file stays open; ERR_CONFLICT where another process has it. */
    Status (*lock)(struct disk *disk, DiskFile file, Err *err);
    /* Does the name still lead to this open file? */
    Status (*is_at)(struct disk *disk, DiskFile file, const char *path, bool *ret, Err *err);
    /* A read-only view of the first bytes of the file; valid until unmap, whatever happens to the name. */
    Status (*map)(struct disk *disk, DiskFile file, uint64_t bytes, const void **ret, Err *err);
    void (*unmap)(struct disk *disk, const void *at, uint64_t bytes);
    /* That the first and the last so many bytes of a file will be read soon, so that the disk fetches them meanwhile.
     * Waits for none of them, changes nothing and never fails. NULL: it makes no difference. */
    void (*expect)(struct disk *disk, const char *path, uint64_t bytes);
};

/* The real file system. One for the process; never closed. */
struct disk *os_disk(void);

/* A mapped file that is made shorter, or whose disk fails, would end the process that reads it (SIGBUS). Between add
 * and remove such a place reads as zeros instead, and was_cut tells from then on: whoever reads a map asks it before he
 * believes what he has read. The real disk's maps are guarded by themselves. */
void guard_add(const void *at, uint64_t bytes);
void guard_remove(const void *at);                      /* before the memory is unmapped */
bool guard_was_cut(const void *at);                     /* at: as it was added; of a fake disk's map: false */
bool guard_any_cut(void);                               /* was any, ever? Cheap */

/* Whole small files, by any disk. Reading gives a copy in the arena; ERR_TOO_LARGE over max. Writing is
 * atomic and durable: a temporary beside it, sync, rename, sync of the directory. */
Status MUST disk_read_file(struct disk *disk, const char *path, size_t max, Arena *arena, Str *ret, Err *err);
Status MUST disk_write_file(struct disk *disk, const char *path, Str bytes, Err *err);

/* ---- Clock ---- */

struct clock {
    Millis (*now_ms)(struct clock *clock);              /* wall clock, may jump */
    int64_t (*monotonic_ns)(struct clock *clock);       /* never goes back; for durations and deadlines */
    int64_t (*elapsed_ns)(struct clock *clock);         /* the same, and goes on while the machine sleeps; or NULL */
};

struct clock *os_clock(void);
static inline Millis clock_now_ms(struct clock *clock) { return clock->now_ms(clock); }
static inline int64_t clock_monotonic_ns(struct clock *clock) { return clock->monotonic_ns(clock); }

/* For who waits at a condition of CLOCK_MONOTONIC until until_ns: when to look again, soon enough that whoever is not
 * waited for any more (is_cancelled, may be NULL) does not keep a stop waiting. False: it is time to give up. */
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

/* Before anything is opened. A standard stream that is closed (`2>&-`) leaves its number to the next file, and what is
 * logged would be written into that: so its place is taken. And a file that grows over the limit of its size
 * (ulimit -f) is a write that failed, not the end. */
void streams_hold(void);

/* ---- Outgoing HTTP ---- */

#include "fetch.h"

#endif
