/* What the files of access/ share; access.h is what others see. */
#ifndef ONYM_ACCESS_PRIVATE_H
#define ONYM_ACCESS_PRIVATE_H

#include <pthread.h>

#include "access.h"

enum {
    ACCESS_HASH_BYTES = 32,
    ACCESS_IDLE_MS = 12 * HOUR_MS,
    ACCESS_ATTEMPTS = 10, ACCESS_ATTEMPT_MS = 60000, ACCESS_ADDRESSES = 512, ACCESS_KNOWN = 128,
};
#define ACCESS_LIFE_MS (30 * DAY_MS)

typedef struct AccessHash { unsigned char bytes[ACCESS_HASH_BYTES]; } AccessHash;

/* A session as it is kept. origin: a hash of the secret key, the key that it was begun with, and the role: it ends when
 * no key has this origin any more. */
struct access_row {
    AccessHash token, origin;
    uint64_t id;                         /* 0: the place is free */
    AccessRole role;
    Millis created_at_ms, seen_at_ms, kept_seen_at_ms;    /* kept: as the file has it */
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

/* Addresses are hashes. rows: addresses whose guesses failed. known: keys that were right, with their address; a wrong
 * guess never gets a place there, so no stranger pushes anybody out. */
struct access_attempts {
    struct { uint64_t address; int64_t began_ns; uint32_t count; } rows[ACCESS_ADDRESSES];
    struct { uint64_t address; AccessHash key; uint64_t used; } known[ACCESS_KNOWN];
    uint64_t seed, uses;                 /* uses: how many right keys came; the oldest use makes room */
};

struct access {
    AccessOptions options;
    pthread_mutex_t lock;                /* over what follows; never held during a write */
    struct access_row rows[ACCESS_SESSIONS];
    struct access_link links[ACCESS_LINKS];
    struct access_key keys[ACCESS_KEYS];
    size_t key_count;
    AccessHash mask;                     /* made of the secret key: what values are masked with */
    struct access_attempts attempts;
    uint64_t changes;                    /* changes that must be written */
    pthread_mutex_t write_lock;          /* one writes at a time; taken first */
    uint64_t written;                    /* changes that are on disk */
    int64_t failed_at_ns;                /* of the last write; 0: it went well */
};

/* Takes the same time for all values. */
bool access_hash_equal(const AccessHash *a, const AccessHash *b);

/* ---- access_store.c ---- */
enum { ACCESS_FILE_BYTES = 128 * 1024 };
Status MUST access_store_read(struct disk *disk, const char *path, struct access_row rows[ACCESS_SESSIONS], Err *err);
Status MUST access_store_write(struct disk *disk, const char *path, const struct access_row rows[ACCESS_SESSIONS],
                               Err *err);

/* ---- access_attempts.c ---- */
/* Must somebody at this address wait, and how long? key: the hash of his key, or NULL: if it was right from there
 * before he need not wait. */
bool access_attempts_must_wait(const struct access_attempts *attempts, Str address, const AccessHash *key,
                               int64_t now_ns, Millis *ret_wait_ms);
/* One more guess from there was wrong. */
void access_attempts_count(struct access_attempts *attempts, Str address, int64_t now_ns);
/* Notes that this key was right, from there. */
void access_attempts_know(struct access_attempts *attempts, Str address, const AccessHash *key);

#endif
