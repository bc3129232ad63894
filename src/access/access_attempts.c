/* access_attempts: how often somebody at an address guessed a key and failed, and who came from it with the right one
 * before. Tables have a fixed size: a new address may use a few places only, and takes the one whose minute began
 * first. Somebody with thousands of addresses can push others out; what stops him is the length of keys. */
#include "access_private.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { PLACES = 8 };

/* Whoever gets one IPv6 address usually gets a whole /64, so that is what counts. */
static uint64_t hash_address(const struct access_attempts *attempts, Str address)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    snprintf(text, sizeof text, "%.*s", (int)(address.len < sizeof text ? address.len : sizeof text - 1),
             address.bytes);
    if (inet_pton(AF_INET6, text, &parsed) == 1) address = str_of(&parsed, 8);
    return hash_64(address, attempts->seed) | 1;
}

static size_t first_place(uint64_t address) { return (size_t)(address >> 32) % ACCESS_ADDRESSES; }

static size_t find_row(struct access_attempts *attempts, uint64_t address, int64_t now_ns)
{
    size_t first = first_place(address), oldest = first;
    for (size_t place = 0; place < PLACES; place++) {
        size_t at = (first + place) % ACCESS_ADDRESSES;
        if (attempts->rows[at].address == address) return at;
        if (attempts->rows[at].began_ns < attempts->rows[oldest].began_ns) oldest = at;
    }
    attempts->rows[oldest].address = address;
    attempts->rows[oldest].began_ns = now_ns;
    attempts->rows[oldest].count = 0;
    return oldest;
}

static bool is_known(const struct access_attempts *attempts, uint64_t address, const AccessHash *key)
{
    bool is_found = false;
    for (size_t at = 0; key && at < ACCESS_KNOWN; at++)
        is_found |= attempts->known[at].address == address && access_hash_equal(&attempts->known[at].key, key);
    return is_found;
}

bool access_attempts_must_wait(const struct access_attempts *attempts, Str address, const AccessHash *key,
                               int64_t now_ns, Millis *ret_wait_ms)
{
    uint64_t hash = hash_address(attempts, address);
    for (size_t place = 0, at = first_place(hash); place < PLACES; place++, at = (at + 1) % ACCESS_ADDRESSES) {
        int64_t until_ns = attempts->rows[at].began_ns + ACCESS_ATTEMPT_MS * INT64_C(1000000);
        if (attempts->rows[at].address != hash) continue;
        if (attempts->rows[at].count < ACCESS_ATTEMPTS || now_ns >= until_ns) return false;
        if (is_known(attempts, hash, key)) return false;
        *ret_wait_ms = (until_ns - now_ns) / 1000000 + 1;
        return true;
    }
    return false;
}

void access_attempts_count(struct access_attempts *attempts, Str address, int64_t now_ns)
{
    size_t at = find_row(attempts, hash_address(attempts, address), now_ns);
    if (now_ns >= attempts->rows[at].began_ns + ACCESS_ATTEMPT_MS * INT64_C(1000000)) {
        attempts->rows[at].began_ns = now_ns;
        attempts->rows[at].count = 0;
    }
    attempts->rows[at].count++;
}

void access_attempts_know(struct access_attempts *attempts, Str address, const AccessHash *key)
{
    uint64_t hash = hash_address(attempts, address);
    size_t place = 0;
    for (size_t at = 0; at < ACCESS_KNOWN; at++) {
        bool is_it = attempts->known[at].address == hash && access_hash_equal(&attempts->known[at].key, key);
        if (is_it || attempts->known[at].used < attempts->known[place].used) place = at;
        if (is_it) break;
    }
    attempts->known[place].address = hash;
    attempts->known[place].key = *key;
    attempts->known[place].used = ++attempts->uses;
}
