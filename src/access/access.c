/* access: keys, sessions and links in memory, under one lock that is held only while a table is read or changed. */
#include "access_private.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>

static const Millis LAZY_MS = 10 * 60 * 1000;
static const int64_t AGAIN_NS = 60 * INT64_C(1000000000);

const char *access_role_word(AccessRole role)
{
    static const char *const words[] = { "nobody", "reader", "analyst", "admin" };
    return words[role];
}

/* ---- Hashes ---- */

static AccessHash hash_of(Str text)
{
    AccessHash hash;
    check(gnutls_hash_fast(GNUTLS_DIG_SHA256, text.bytes, text.len, hash.bytes) == 0);
    return hash;
}

bool access_hash_equal(const AccessHash *a, const AccessHash *b)
{
    return str_equal_constant_time(str_of(a->bytes, ACCESS_HASH_BYTES), str_of(b->bytes, ACCESS_HASH_BYTES));
}

/* Stands for what a session was begun with. It hashes hashes, so that no two keys can be joined to look like others. */
static AccessHash origin_of(const AccessHash *secret, const AccessHash *key, AccessRole role)
{
    unsigned char bytes[2 * ACCESS_HASH_BYTES + 1];
    memcpy(bytes, secret->bytes, ACCESS_HASH_BYTES);
    memcpy(bytes + ACCESS_HASH_BYTES, key->bytes, ACCESS_HASH_BYTES);
    bytes[2 * ACCESS_HASH_BYTES] = (unsigned char)role;
    return hash_of(str_of(bytes, sizeof bytes));
}

static void put_hex(const unsigned char *bytes, size_t count, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t at = 0; at < count; at++) {
        text[2 * at] = digits[bytes[at] >> 4];
        text[2 * at + 1] = digits[bytes[at] & 15];
    }
}

static AccessHash make_token(struct access *access, char *token)
{
    unsigned char bytes[ACCESS_TOKEN_CHARS / 2];
    access->options.dice->fill(access->options.dice, bytes, sizeof bytes);
    put_hex(bytes, sizeof bytes, token);
    return hash_of(str_of(token, ACCESS_TOKEN_CHARS));
}

/* ---- Opening ---- */

Status access_open(const AccessOptions *options, struct access **ret, char damage[ERR_TEXT_BYTES], Err *err)
{
    struct access *access = calloc(1, sizeof *access);
    Err why = { 0 };
    damage[0] = 0;
    if (!access) return err_set(err, ERR_FULL, "access: no memory");
    access->options = *options;
    if (options->path && !(access->options.path = strdup(options->path))) {
        free(access);
        return err_set(err, ERR_FULL, "access: no memory");
    }
    access->attempts.seed = dice_u64(options->dice);
    check(pthread_mutex_init(&access->lock, NULL) == 0 && pthread_mutex_init(&access->write_lock, NULL) == 0);
    Status s = OK;
    if (options->path && options->has_sessions) s = access_store_read(options->disk, options->path, access->rows, &why);
    if (s == ERR_DAMAGED) {
        snprintf(damage, ERR_TEXT_BYTES, "%s", why.text);
        access->changes++;                                /* so that the next start does not find it again */
        s = OK;
    }
    if (s) {
        access_close(access);
        return err_set(err, s, "%s", why.text);
    }
    *ret = access;
    return OK;
}

void access_close(struct access *access)
{
    if (!access) return;
    pthread_mutex_destroy(&access->lock);
    pthread_mutex_destroy(&access->write_lock);
    free((char *)(uintptr_t)access->options.path);
    free(access);
}

/* ---- Keys ---- */

static const struct access_key *find_origin(const struct access *access, const AccessHash *origin)
{
    for (size_t at = 0; at < access->key_count; at++)
        if (access_hash_equal(&access->keys[at].origin, origin)) return &access->keys[at];
    return NULL;
}

/* All are compared, whichever it is, so that the time tells nothing. An empty key is none of them. */
static const struct access_key *find_hash(const struct access *access, const AccessHash *hash)
{
    const struct access_key *found = NULL;
    for (size_t at = 0; at < access->key_count; at++)
        if (access_hash_equal(&access->keys[at].key, hash)) found = &access->keys[at];
    return found;
}

static const struct access_key *find_key(const struct access *access, Str key)
{
    AccessHash hash = hash_of(key);
    return find_hash(access, &hash);
}

/* Judges a key that comes from an address, by rule 4. Under the lock. */
static Status let_in(struct access *access, Str key, Str address, const struct access_key **ret, Millis *ret_wait_ms,
                     Err *err)
{
    int64_t now_ns = clock_elapsed_ns(access->options.clock);
    AccessHash hash = hash_of(key);
    *ret = find_hash(access, &hash);
    if (key.len && access_attempts_must_wait(&access->attempts, address, &hash, now_ns, ret_wait_ms))
        return err_set(err, ERR_RATE, "%d keys from this address were wrong within a minute; wait for %lld s",
                       ACCESS_ATTEMPTS, (long long)(*ret_wait_ms + 999) / 1000);
    if (*ret) access_attempts_know(&access->attempts, address, &hash);
    else if (key.len) access_attempts_count(&access->attempts, address, now_ns);
    return *ret ? OK : err_set(err, ERR_DENIED, "this key cannot read; onym keys --secret shows the secret key");
}

void access_set_keys(struct access *access, const AccessKey *keys, size_t count)
{
    AccessHash secret = hash_of(count ? keys[0].key : (Str){ 0 });
    check(count <= ACCESS_KEYS);
    pthread_mutex_lock(&access->lock);
    access->key_count = 0;
    access->mask = origin_of(&secret, &secret, ACCESS_NOBODY);
    for (size_t at = 0; at < count; at++) {
        if (!keys[at].key.len) continue;
        struct access_key *key = &access->keys[access->key_count++];
        check(keys[at].name.len <= ACCESS_NAME_BYTES);
        *key = (struct access_key){ .key = hash_of(keys[at].key), .role = keys[at].role };
        key->origin = origin_of(&secret, &key->key, key->role);
        memcpy(key->name, keys[at].name.bytes, keys[at].name.len);
    }
    for (size_t at = 0; at < ACCESS_SESSIONS; at++) {
        if (!access->rows[at].id || find_origin(access, &access->rows[at].origin)) continue;
        access->rows[at] = (struct access_row){ 0 };
        access->changes++;
    }
    for (size_t at = 0; at < ACCESS_LINKS; at++)
        if (!find_origin(access, &access->links[at].origin)) access->links[at] = (struct access_link){ 0 };
    pthread_mutex_unlock(&access->lock);
}

/* name gets its NUL even if the key is nobody's. */
static AccessRole role_of(const struct access_key *key, char *name)
{
    name[0] = 0;
    if (!key) return ACCESS_NOBODY;
    memcpy(name, key->name, sizeof key->name);
    return key->role;
}

AccessRole access_judge_key(struct access *access, Str key, char *name)
{
    pthread_mutex_lock(&access->lock);
    AccessRole role = role_of(find_key(access, key), name);
    pthread_mutex_unlock(&access->lock);
    return role;
}

Status access_find_key(struct access *access, Str key, Str address, AccessFound *ret, Err *err)
{
    const struct access_key *found;
    *ret = (AccessFound){ 0 };
    pthread_mutex_lock(&access->lock);
    Status s = let_in(access, key, address, &found, &ret->wait_ms, err);
    ret->role = role_of(s ? NULL : found, ret->name);
    pthread_mutex_unlock(&access->lock);
    return s;
}

void access_mask(struct access *access, Str value, char word[ACCESS_MASK_CHARS + 1])
{
    unsigned char bytes[ACCESS_HASH_BYTES];
    pthread_mutex_lock(&access->lock);
    AccessHash key = access->mask;
    pthread_mutex_unlock(&access->lock);
    check(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.bytes, sizeof key.bytes, value.bytes, value.len, bytes) == 0);
    put_hex(bytes, ACCESS_MASK_CHARS / 2, word);
    word[ACCESS_MASK_CHARS] = 0;
}

/* ---- Sessions, under the lock ---- */

static Millis expiry_of(const struct access_row *row)
{
    Millis idle = row->seen_at_ms + ACCESS_IDLE_MS, life = row->created_at_ms + ACCESS_LIFE_MS;
    return idle < life ? idle : life;
}

/* Brings a session's times up to date. If the clock was set back, no session lives longer. */
static void bring_up(struct access *access, struct access_row *row, Millis now_ms)
{
    if (!row->id) return;
    if (row->seen_at_ms > now_ms) row->seen_at_ms = now_ms;
    if (row->created_at_ms > now_ms) row->created_at_ms = now_ms;
    if (expiry_of(row) > now_ms) return;
    *row = (struct access_row){ 0 };
    access->changes++;
}

static void write_id(const struct access_row *row, char text[ACCESS_ID_CHARS + 1])
{
    snprintf(text, ACCESS_ID_CHARS + 1, "%016llx", (unsigned long long)row->id);
}

static void tell(const struct access *access, const struct access_row *row, AccessSession *ret)
{
    const struct access_key *key = find_origin(access, &row->origin);
    *ret = (AccessSession){ .role = row->role, .created_at_ms = row->created_at_ms, .seen_at_ms = row->seen_at_ms,
                            .expires_at_ms = expiry_of(row) };
    write_id(row, ret->id);
    if (key) memcpy(ret->key_name, key->name, sizeof ret->key_name);
    memcpy(ret->agent, row->agent, sizeof ret->agent);
}

static struct access_row *find_id(struct access *access, Str id)
{
    for (size_t at = 0; at < ACCESS_SESSIONS; at++) {
        char text[ACCESS_ID_CHARS + 1];
        if (!access->rows[at].id) continue;
        write_id(&access->rows[at], text);
        if (str_equal(str_from(text), id)) return &access->rows[at];
    }
    return NULL;
}

static struct access_row *find_place(struct access *access)
{
    struct access_row *place = &access->rows[0];
    for (size_t at = 0; at < ACCESS_SESSIONS && place->id; at++)
        if (!access->rows[at].id || access->rows[at].seen_at_ms < place->seen_at_ms) place = &access->rows[at];
    return place;
}

/* Leaves out what a terminal, a log or a page might take for something else. */
static void copy_agent(Str agent, char text[ACCESS_AGENT_BYTES + 1])
{
    size_t len = 0;
    for (size_t at = 0; at < agent.len && len < ACCESS_AGENT_BYTES; at++)
        if (agent.bytes[at] >= ' ' && agent.bytes[at] < 0x7f) text[len++] = agent.bytes[at];
    text[len] = 0;
}

static void begin(struct access *access, const AccessHash *origin, AccessRole role, Str agent, char *token,
                  AccessSession *ret)
{
    Millis now_ms = clock_now_ms(access->options.clock);
    for (size_t at = 0; at < ACCESS_SESSIONS; at++) bring_up(access, &access->rows[at], now_ms);
    struct access_row *row = find_place(access);
    *row = (struct access_row){ .origin = *origin, .role = role, .id = dice_u64(access->options.dice) | 1,
                                .created_at_ms = now_ms, .seen_at_ms = now_ms, .kept_seen_at_ms = now_ms };
    row->token = make_token(access, token);
    copy_agent(agent, row->agent);
    access->changes++;
    tell(access, row, ret);
}

static struct access_link *find_link(struct access *access, Str token)
{
    AccessHash hash = hash_of(token);
    int64_t now_ns = clock_elapsed_ns(access->options.clock);
    for (size_t at = 0; at < ACCESS_LINKS; at++)
        if (access->links[at].until_ns > now_ns && access_hash_equal(&access->links[at].token, &hash))
            return &access->links[at];
    return NULL;
}

static Status sign_in_by_link(struct access *access, const AccessVisitor *visitor, char *token, AccessSession *ret,
                              Millis *ret_wait_ms, Err *err)
{
    int64_t now_ns = clock_elapsed_ns(access->options.clock);
    struct access_link *found = find_link(access, visitor->link);
    if (found) {
        begin(access, &found->origin, found->role, visitor->agent, token, ret);
        *found = (struct access_link){ 0 };
        return OK;
    }
    if (access_attempts_must_wait(&access->attempts, visitor->address, NULL, now_ns, ret_wait_ms))
        return err_set(err, ERR_RATE, "%d sign-ins from this address failed within a minute; wait for %lld s",
                       ACCESS_ATTEMPTS, (long long)(*ret_wait_ms + 999) / 1000);
    access_attempts_count(&access->attempts, visitor->address, now_ns);
    return err_set(err, ERR_DENIED, "the link was used, or is older than a minute; make another: onym ui");
}

/* ---- The door ---- */

Status access_sign_in(struct access *access, const AccessVisitor *visitor, char *token, AccessSession *ret,
                      Millis *ret_wait_ms, Err *err)
{
    const struct access_key *found;
    if (!access->options.has_sessions) return err_set(err, ERR_CLOSED, "nobody signs in here: ui: false");
    pthread_mutex_lock(&access->lock);
    Status s = visitor->link.len ? sign_in_by_link(access, visitor, token, ret, ret_wait_ms, err)
                                 : let_in(access, visitor->key, visitor->address, &found, ret_wait_ms, err);
    if (!s && !visitor->link.len) begin(access, &found->origin, found->role, visitor->agent, token, ret);
    pthread_mutex_unlock(&access->lock);
    return s;
}

Status access_make_link(struct access *access, Str key, Str session_id, char *token, Err *err)
{
    struct access_link *place = &access->links[0];
    const AccessHash *origin = NULL;
    if (!access->options.has_sessions) return err_set(err, ERR_CLOSED, "nobody signs in here: ui: false");
    pthread_mutex_lock(&access->lock);
    const struct access_key *found = find_key(access, key);
    AccessRole role = found ? found->role : ACCESS_NOBODY;
    if (found) origin = &found->origin;
    const struct access_row *row = found ? NULL : find_id(access, session_id);
    if (row) origin = &row->origin, role = row->role;
    Status s = origin ? OK : err_set(err, ERR_DENIED, "a link is made with a key or a session");
    for (size_t at = 0; at < ACCESS_LINKS; at++)
        if (access->links[at].until_ns < place->until_ns) place = &access->links[at];
    if (!s) {
        *place = (struct access_link){ .origin = *origin, .role = role };
        place->token = make_token(access, token);
        place->until_ns = clock_elapsed_ns(access->options.clock) + ACCESS_LINK_MS * INT64_C(1000000);
    }
    pthread_mutex_unlock(&access->lock);
    return s;
}

bool access_find(struct access *access, Str token, AccessSession *ret)
{
    bool is_found = false;
    if (token.len != ACCESS_TOKEN_CHARS) return false;
    AccessHash hash = hash_of(token);
    Millis now_ms = clock_now_ms(access->options.clock);
    pthread_mutex_lock(&access->lock);
    for (size_t at = 0; !is_found && at < ACCESS_SESSIONS; at++) {
        struct access_row *row = &access->rows[at];
        bring_up(access, row, now_ms);
        if (!row->id || !access_hash_equal(&row->token, &hash)) continue;
        row->seen_at_ms = now_ms;
        tell(access, row, ret);
        is_found = true;
    }
    pthread_mutex_unlock(&access->lock);
    return is_found;
}

bool access_is_alive(struct access *access, Str id)
{
    pthread_mutex_lock(&access->lock);
    struct access_row *row = find_id(access, id);
    if (row) bring_up(access, row, clock_now_ms(access->options.clock));
    bool is_alive = row && row->id;
    pthread_mutex_unlock(&access->lock);
    return is_alive;
}

bool access_end(struct access *access, Str id)
{
    pthread_mutex_lock(&access->lock);
    struct access_row *row = find_id(access, id);
    if (row) *row = (struct access_row){ 0 };
    access->changes += row != NULL;
    pthread_mutex_unlock(&access->lock);
    return row != NULL;
}

static int compare_newest(const void *a, const void *b)
{
    const AccessSession *one = a, *other = b;
    return one->created_at_ms < other->created_at_ms ? 1 : one->created_at_ms > other->created_at_ms ? -1 : 0;
}

size_t access_list(struct access *access, AccessSession *sessions)
{
    size_t count = 0;
    Millis now_ms = clock_now_ms(access->options.clock);
    pthread_mutex_lock(&access->lock);
    for (size_t at = 0; at < ACCESS_SESSIONS; at++) {
        bring_up(access, &access->rows[at], now_ms);
        if (access->rows[at].id) tell(access, &access->rows[at], &sessions[count++]);
    }
    pthread_mutex_unlock(&access->lock);
    qsort(sessions, count, sizeof *sessions, compare_newest);
    return count;
}

/* ---- Keeping them ---- */

static void note_change(struct access *access)
{
    pthread_mutex_lock(&access->lock);
    access->changes++;
    pthread_mutex_unlock(&access->lock);
}

static bool is_stale(const struct access *access, bool is_lazy)
{
    for (size_t at = 0; at < ACCESS_SESSIONS; at++) {
        const struct access_row *row = &access->rows[at];
        if (row->id && row->seen_at_ms - row->kept_seen_at_ms > (is_lazy ? LAZY_MS : 0)) return true;
    }
    return false;
}

Status access_write(struct access *access, bool is_lazy, Err *err)
{
    struct access_row *rows = NULL;
    Status s = OK;
    if (!access->options.path || !access->options.has_sessions) return OK;
    pthread_mutex_lock(&access->write_lock);
    int64_t now_ns = clock_elapsed_ns(access->options.clock);
    bool is_early = is_lazy && access->failed_at_ns && now_ns - access->failed_at_ns < AGAIN_NS;
    pthread_mutex_lock(&access->lock);
    uint64_t changes = access->changes;
    bool is_needed = !is_early && (changes != access->written || is_stale(access, is_lazy));
    if (is_needed && (rows = malloc(sizeof access->rows))) {
        memcpy(rows, access->rows, sizeof access->rows);
        for (size_t at = 0; at < ACCESS_SESSIONS; at++)
            access->rows[at].kept_seen_at_ms = access->rows[at].seen_at_ms;
    }
    pthread_mutex_unlock(&access->lock);
    if (is_needed && !rows) s = err_set(err, ERR_FULL, "%s: no memory", access->options.path);
    if (rows) s = access_store_write(access->options.disk, access->options.path, rows, err);
    if (rows && !s) access->written = changes;
    if (rows && s) note_change(access);                     /* the times of their last use are not on disk, either */
    if (is_needed) access->failed_at_ns = s ? now_ns : 0;
    free(rows);
    pthread_mutex_unlock(&access->write_lock);
    return s;
}
