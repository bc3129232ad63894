/* access_attempts: how often somebody tried to sign in and failed. A table of fixed size: an address that is new takes,
 * of the few places that it may have, the one whose minute began first. Who has thousands of addresses can push others
 * out of it; what stops him is the length of keys. */
#include "access_private.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { PLACES = 8 };

/* Who is given one address of IPv6 is given a /64 of them. */
static uint64_t hash_address(const struct access_attempts *attempts, Str address)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    snprintf(text, sizeof text, "%.*s", (int)(address.len < sizeof text ? address.len : sizeof text - 1),
             address.bytes);
    if (inet_pton(AF_INET6, text, &parsed) == 1) address = str_of(&parsed, 8);
    return hash_64(address, attempts->seed) | 1;
}

static size_t find_row(struct access_attempts *attempts, uint64_t address, int64_t now_ns)
{
    size_t first = (size_t)(address >> 32) % ACCESS_ADDRESSES, oldest = first;
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

bool access_attempts_take(struct access_attempts *attempts, Str address, int64_t now_ns, Millis *ret_wait_ms)
{
    size_t at = find_row(attempts, hash_address(attempts, address), now_ns);
    int64_t until_ns = attempts->rows[at].began_ns + ACCESS_ATTEMPT_MS * INT64_C(1000000);
    if (now_ns >= until_ns) {
        attempts->rows[at].began_ns = now_ns;
        attempts->rows[at].count = 0;
    }
    if (attempts->rows[at].count >= ACCESS_ATTEMPTS) {
        *ret_wait_ms = (until_ns - now_ns) / 1000000 + 1;
        return false;
    }
    attempts->rows[at].count++;
    return true;
}

void access_attempts_forgive(struct access_attempts *attempts, Str address)
{
    uint64_t hash = hash_address(attempts, address);
    for (size_t at = 0; at < ACCESS_ADDRESSES; at++)
        if (attempts->rows[at].address == hash && attempts->rows[at].count > 0) attempts->rows[at].count--;
}
