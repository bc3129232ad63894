/* access: who comes in. Keys with their roles; sessions, which browsers have as a cookie; links that sign in once; who
 * tries too often.
 *
 * What it is not: it knows no HTTP and no route. What a role may do is said by the table of routes, and whether a page
 * may make a browser ask is http/'s to judge.
 *
 * Rules
 *  1. Of keys, session tokens and links only SHA-256 hashes are held, in memory and on disk.
 *  2. A session ends 12 h after it was last used and 30 d after it began; when it is ended; and when the key that it
 *     was begun with, its role, or the secret key is not what it was.
 *  3. There are at most ACCESS_SESSIONS sessions and ACCESS_LINKS links; a new one takes the place of the one that was
 *     not used for longest.
 *  4. Ten guesses a minute may fail from an address (of IPv6: from its /64), by sign-ins and by keys together. Then
 *     who comes from there with a key waits, the right one, too: else a guess would still be told from a key. A key
 *     that was right from this address before is let in all the same (behind a proxy that is not trusted all strangers
 *     have the address of whoever works there, and must not lock him out), and so are a link and a session: nobody
 *     guesses 256 random bits.
 *  5. A session that was ended stays ended after a crash, once access_write has said so.
 *  6. A file of sessions that is damaged is no file: everybody signs in again.
 * Threads: any, but open and close.
 */
#ifndef ONYM_ACCESS_ACCESS_H
#define ONYM_ACCESS_ACCESS_H

#include "os/os.h"

enum {
    ACCESS_SESSIONS = 256,
    ACCESS_LINKS = 64,
    ACCESS_KEYS = 64,
    ACCESS_TOKEN_CHARS = 64,             /* 256 random bits in hex: of a session, of a link */
    ACCESS_ID_CHARS = 16,
    ACCESS_NAME_BYTES = 64,
    ACCESS_AGENT_BYTES = 120,            /* of a User-Agent; longer ones are cut */
};

/* Each may what the one before may. */
typedef enum AccessRole {
    ACCESS_NOBODY,
    ACCESS_READER,                       /* numbers */
    ACCESS_ANALYST,                      /* people, too */
    ACCESS_ADMIN,                        /* everything */
} AccessRole;

const char *access_role_word(AccessRole role);          /* "reader", …; "nobody" */

/* The first of them is the secret key: others come and go, sessions of all end with it. */
typedef struct AccessKey {
    Str name, key;
    AccessRole role;
} AccessKey;

typedef struct AccessSession {
    char id[ACCESS_ID_CHARS + 1];        /* what it is called; not what it is recognized by */
    AccessRole role;
    char key_name[ACCESS_NAME_BYTES + 1];                 /* with which it was begun */
    Millis created_at_ms, seen_at_ms, expires_at_ms;      /* expires: if it is not used again */
    char agent[ACCESS_AGENT_BYTES + 1];                   /* as the browser called itself; hostile text */
} AccessSession;

typedef struct AccessOptions {
    const char *path;                    /* the file of sessions; NULL: they live in memory alone */
    bool has_sessions;                   /* false: keys alone; the file is left as it is */
    struct disk *disk;
    struct clock *clock;
    struct dice *dice;
} AccessOptions;

struct access;
/* damage: why the file was not believed, or empty. It is made anew with the next write. */
Status MUST access_open(const AccessOptions *options, struct access **ret, char damage[ERR_TEXT_BYTES], Err *err);
void access_close(struct access *access);               /* accepts NULL; writes nothing */

/* Takes copies. Sessions of keys that are not among them end. More than ACCESS_KEYS, or a name that is too long: the
 * caller's bug. A key that is empty is nobody's. */
void access_set_keys(struct access *access, const AccessKey *keys, size_t count);
/* Whose key it is: in time that does not depend on it. name: ACCESS_NAME_BYTES + 1. Nothing is counted: for a key that
 * was let in already. */
AccessRole access_judge_key(struct access *access, Str key, char *name);
typedef struct AccessFound {
    AccessRole role;                     /* ACCESS_NOBODY where it is nobody's key */
    char name[ACCESS_NAME_BYTES + 1];
    Millis wait_ms;                      /* where there were too many */
} AccessFound;
/* The same for who comes with a key from this address (as text). ERR_DENIED: it is nobody's key, and was a guess,
 * unless it is empty; ERR_RATE: there were too many (rule 4). */
Status MUST access_find_key(struct access *access, Str key, Str address, AccessFound *ret, Err *err);

/* Who wants to come in: with a key or with a link (the other is empty), from an address (as text), by a browser. */
typedef struct AccessVisitor {
    Str key, link, address, agent;
} AccessVisitor;
/* token: ACCESS_TOKEN_CHARS, no NUL, to be given to the browser and to nobody else. ERR_DENIED; ERR_RATE with
 * *ret_wait_ms; ERR_CLOSED: there are no sessions. */
Status MUST access_sign_in(struct access *access, const AccessVisitor *visitor, char *token, AccessSession *ret,
                           Millis *ret_wait_ms, Err *err);
/* A link for whoever has this key or session (its id): token as above; it is good for ACCESS_LINK_MS. */
enum { ACCESS_LINK_MS = 60000 };
Status MUST access_make_link(struct access *access, Str key, Str session_id, char *token, Err *err);

/* The session of a token, which is used now; false where there is none. */
bool access_find(struct access *access, Str token, AccessSession *ret);
/* Whether the session of this id lives; no use of it. */
bool access_is_alive(struct access *access, Str id);
/* False where there is none of this id. */
bool access_end(struct access *access, Str id);
/* Newest first; gives how many. sessions: ACCESS_SESSIONS of them. */
size_t access_list(struct access *access, AccessSession *sessions);

/* Writes the file if something has changed; is_lazy: when a session was last used is not reason enough, unless it was
 * ten minutes ago that it was written, and after a failure it waits for a minute. Blocks. */
Status MUST access_write(struct access *access, bool is_lazy, Err *err);
/* Judges the file of a stopped server; one that is not there is fine. */
Status MUST access_verify(struct disk *disk, const char *path, Err *err);

/* A word that stands for a value that may not be shown: the same for the same value and secret key, and worth nothing
 * to whoever has neither the value nor the key. */
enum { ACCESS_MASK_CHARS = 12 };
void access_mask(struct access *access, Str value, char word[ACCESS_MASK_CHARS + 1]);

/* The value of one cookie of a Cookie header (RFC 6265, 5.4). False where it is not there, or twice: who can set a
 * second one for a host could give a browser his own session. */
bool access_read_cookie(Str header, Str name, Str *ret);

#endif
