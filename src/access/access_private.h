/* What the files of access/ share; access.h is what others see. */
#ifndef ONYM_ACCESS_PRIVATE_H
#define ONYM_ACCESS_PRIVATE_H

#include <pthread.h>

#include "access.h"

enum {
    ACCESS_HASH_BYTES = 32,
    ACCESS_IDLE_MS = 12 * HOUR_MS,
    ACCESS_ATTEMPTS = 10, ACCESS_ATTEMPT_MS = 60000, ACCESS_ADDRESSES = 512,
};
#define ACCESS_LIFE_MS (30 * DAY_MS)

typedef struct AccessHash { unsigned char bytes[ACCESS_HASH_BYTES]; } AccessHash;

/* A session as it is kept. origin: of the secret key, the key that it was begun with, and the role: it ends when there
 * is no such key any more. */
struct access_row {
    AccessHash token, origin;
    uint64_t id;                         /* 0: the place is free */
    AccessRole role;
    Millis created_at_ms, seen_at_ms, kept_seen_at_ms;    /* kept: as it stands in the file */
    char agent[ACCESS_AGENT_BYTES + 1];
};

struct access_link {
    AccessHash token, origin;
    AccessRole role;
    int64_t until_ns;                    /* 0: the place is free */
};

struct access_key {
    AccessHash key, origin;
    AccessRole role;
    char name[ACCESS_NAME_BYTES + 1];
};

struct access_attempts {
    struct { uint64_t address; int64_t began_ns; uint32_t count; } rows[ACCESS_ADDRESSES];
    uint64_t seed;
};

struct access {
    AccessOptions options;
    pthread_mutex_t lock;                /* what follows; never held during a write */
    struct access_row rows[ACCESS_SESSIONS];
    struct access_link links[ACCESS_LINKS];
    struct access_key keys[ACCESS_KEYS];
    size_t key_count;
    struct access_attempts attempts;
    uint64_t changes;                    /* that matter */
    pthread_mutex_t write_lock;          /* one writes at a time; taken first */
    uint64_t written;                    /* changes that are on disk */
    int64_t failed_at_ns;                /* of the last write; 0: it went well */
};

/* ---- access_store.c ---- */
enum { ACCESS_FILE_BYTES = 128 * 1024 };
Status MUST access_store_read(struct disk *disk, const char *path, struct access_row rows[ACCESS_SESSIONS], Err *err);
Status MUST access_store_write(struct disk *disk, const char *path, const struct access_row rows[ACCESS_SESSIONS],
                               Err *err);

/* ---- access_attempts.c ---- */
/* Counts one more attempt from there; false, with the time to wait, where there were too many. */
bool access_attempts_take(struct access_attempts *attempts, Str address, int64_t now_ns, Millis *ret_wait_ms);
/* It went well: it does not count. */
void access_attempts_forgive(struct access_attempts *attempts, Str address);

#endif
