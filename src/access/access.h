/* access: who comes in. Keys with their roles; sessions, which browsers have as a cookie; links that sign in once; and
 * addresses that try too often.
 *
 * What it is not: it knows no HTTP and no route. The table of routes says what a role may do, and http/ judges
 * whether a page may make a browser ask.
 *
 * Rules
 *  1. Of keys, session tokens and links only SHA-256 hashes are held, in memory and on disk.
 *  2. A session ends 12 h after it was last used and 30 d after it began; when somebody ends it; and when the key that
 *     it was begun with, that key's role, or the secret key changes.
 *  3. There are at most ACCESS_SESSIONS sessions and ACCESS_LINKS links; a new one takes the place of the one that was
 *     not used for the longest time.
 *  4. Ten guesses a minute may fail from an address (for IPv6: from its /64), by sign-ins and by keys together. After
 *     that everybody who comes from there with a key must wait, with the right key, too: otherwise the answer would
 *     still tell whether a guess is right. A key that was right from this address before is let in all the
 *     same: behind a proxy that is not trusted, strangers have the same address as the people who work there, and must
 *     not lock them out. Links and sessions are let in, too: nobody guesses 256 random bits.
 *  5. A session that was ended stays ended after a crash, once access_write has returned OK.
 *  6. If the file of sessions is damaged nothing of it counts: everybody must sign in again.
 * Threads: any, except for open and close.
 */
#ifndef ONYM_ACCESS_ACCESS_H
#define ONYM_ACCESS_ACCESS_H

#include "os/os.h"

enum {
    ACCESS_SESSIONS = 256,
    ACCESS_LINKS = 64,
    ACCESS_KEYS = 64,
    ACCESS_TOKEN_CHARS = 64,             /* 256 random bits in hex: the token of a session or a link */
    ACCESS_ID_CHARS = 16,
    ACCESS_NAME_BYTES = 64,
    ACCESS_AGENT_BYTES = 120,            /* of a User-Agent; longer ones are cut */
};

/* Each role may do what the one before it may do. */
typedef enum AccessRole {
    ACCESS_NOBODY,
    ACCESS_READER,                       /* numbers */
    ACCESS_ANALYST,                      /* people, too */
    ACCESS_ADMIN,                        /* everything */
} AccessRole;

const char *access_role_word(AccessRole role);          /* "reader", …; "nobody" */

/* The first key is the secret key: the others come and go; when it changes, all sessions end. */
typedef struct AccessKey {
    Str name, key;
    AccessRole role;
} AccessKey;

typedef struct AccessSession {
    char id[ACCESS_ID_CHARS + 1];        /* its name for people; its token is what counts */
    AccessRole role;
    char key_name[ACCESS_NAME_BYTES + 1];                 /* the key that it was begun with */
    Millis created_at_ms, seen_at_ms, expires_at_ms;      /* expires: if it is not used again */
    char agent[ACCESS_AGENT_BYTES + 1];                   /* as the browser called itself; hostile text */
} AccessSession;

typedef struct AccessOptions {
    const char *path;                    /* the file of sessions; NULL: they live in memory only */
    bool has_sessions;                   /* false: keys only; the file is left as it is */
    struct disk *disk;
    struct clock *clock;
    struct dice *dice;
} AccessOptions;

struct access;
/* damage: why the file's contents do not count, or empty. The next write replaces the file. */
Status MUST access_open(const AccessOptions *options, struct access **ret, char damage[ERR_TEXT_BYTES], Err *err);
void access_close(struct access *access);               /* accepts NULL; writes nothing */

/* Takes copies. Sessions of keys that are not in the list end. It is a bug of the caller to give more than ACCESS_KEYS,
 * or a name that is too long. An empty key matches nothing. */
void access_set_keys(struct access *access, const AccessKey *keys, size_t count);
/* The role of a key; takes the same time for each key. name: ACCESS_NAME_BYTES + 1. Counts no attempts: use it for a
 * key that was let in already. */
AccessRole access_judge_key(struct access *access, Str key, char *name);
typedef struct AccessFound {
    AccessRole role;                     /* ACCESS_NOBODY: it is nobody's key */
    char name[ACCESS_NAME_BYTES + 1];
    Millis wait_ms;                      /* with ERR_RATE: how long to wait */
} AccessFound;
/* The same for a request with a key from this address (as text). ERR_DENIED: it is nobody's key, and was counted as a
 * guess unless it is empty; ERR_RATE: there were too many (rule 4). */
Status MUST access_find_key(struct access *access, Str key, Str address, AccessFound *ret, Err *err);

/* Somebody who signs in: with a key or with a link (the other is empty), from an address (as text), with a browser. */
typedef struct AccessVisitor {
    Str key, link, address, agent;
} AccessVisitor;
/* token: ACCESS_TOKEN_CHARS, no NUL, to be given to the browser and to nobody else. ERR_DENIED: key or link is wrong;
 * ERR_RATE, with *ret_wait_ms: too many were; ERR_CLOSED: there are no sessions. */
Status MUST access_sign_in(struct access *access, const AccessVisitor *visitor, char *token, AccessSession *ret,
                           Millis *ret_wait_ms, Err *err);
/* A link for the holder of this key or session (its id). token as above; it is valid for ACCESS_LINK_MS. */
enum { ACCESS_LINK_MS = 60000 };
Status MUST access_make_link(struct access *access, Str key, Str session_id, char *token, Err *err);

/* The session of a token; notes that it was used now. False: there is none. */
bool access_find(struct access *access, Str token, AccessSession *ret);
/* Does the session of this id live? Does not count as a use. */
bool access_is_alive(struct access *access, Str id);
/* False: there is no session of this id. */
bool access_end(struct access *access, Str id);
/* Newest first; gives how many. sessions: ACCESS_SESSIONS of them. */
size_t access_list(struct access *access, AccessSession *sessions);

/* Writes the file if something has changed. With is_lazy it does not write only because sessions were used, unless the
 * last write was ten minutes ago, and after a failure it waits for a minute. Blocks. */
Status MUST access_write(struct access *access, bool is_lazy, Err *err);
/* Checks the file of a stopped server; it is fine if there is none. */
Status MUST access_verify(struct disk *disk, const char *path, Err *err);

/* A word that stands for a value that may not be shown: the same for the same value and secret key, and useless
 * to everybody who has neither the value nor the key. */
enum { ACCESS_MASK_CHARS = 12 };
void access_mask(struct access *access, Str value, char word[ACCESS_MASK_CHARS + 1]);

/* The value of one cookie of a Cookie header (RFC 6265, 5.4). False if it is absent, or there twice: somebody who can
 * set a second one for the host could give a browser his own session. */
bool access_read_cookie(Str header, Str name, Str *ret);

#endif
