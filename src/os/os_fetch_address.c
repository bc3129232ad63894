/* os_fetch_address: which addresses are on the public internet.
 *
 * Uses the registries of RFC 6890 and its successors (IANA "special-purpose address registry"): an address that is
 * not globally reachable there is not public here. An address that carries an IPv4 address inside is judged
 * by that one, since that is where the packets go.
 */
#include "os.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct network {
    uint32_t address;
    int bits;
    const char *why;
};

static const struct network networks[] = {
    { 0x00000000, 8, "this network" },              /* 0.0.0.0/8: Linux takes it for itself */
    { 0x0a000000, 8, "private" },                   /* 10/8 */
    { 0x64400000, 10, "carrier-grade NAT" },        /* 100.64/10 */
    { 0x7f000000, 8, "loopback" },                  /* 127/8 */
    { 0xa9fe0000, 16, "link-local" },               /* 169.254/16, where clouds keep their metadata */
    { 0xac100000, 12, "private" },                  /* 172.16/12 */
    { 0xc0000000, 24, "protocol assignments" },     /* 192.0.0/24 */
    { 0xc0000200, 24, "documentation" },            /* 192.0.2/24 */
    { 0xc0586300, 24, "6to4 relay" },               /* 192.88.99/24 */
    { 0xc0a80000, 16, "private" },                  /* 192.168/16 */
    { 0xc6120000, 15, "benchmarking" },             /* 198.18/15 */
    { 0xc6336400, 24, "documentation" },            /* 198.51.100/24 */
    { 0xcb007100, 24, "documentation" },            /* 203.0.113/24 */
    { 0xe0000000, 4, "multicast" },                 /* 224/4 */
    { 0xf0000000, 4, "reserved" },                  /* 240/4, broadcast in it */
};

static bool is_public_4(uint32_t address, const char **ret_why)
{
    for (size_t at = 0; at < countof(networks); at++) {
        uint32_t mask = ~(uint32_t)0 << (32 - networks[at].bits);
        if ((address & mask) == networks[at].address) {
            *ret_why = networks[at].why;
            return false;
        }
    }
    return true;
}

static uint32_t four_bytes(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool begins(const uint8_t *address, const uint8_t *prefix, int bits)
{
    for (; bits >= 8; bits -= 8)
        if (*address++ != *prefix++) return false;
    return bits == 0 || (*address ^ *prefix) >> (8 - bits) == 0;
}

static bool is_public_6(const uint8_t address[16], const char **ret_why)
{
    static const uint8_t global[] = { 0x20 }, documentation[] = { 0x20, 0x01, 0x0d, 0xb8 },
        documentation_new[] = { 0x3f, 0xff, 0x00 }, assignments[] = { 0x20, 0x01, 0x00 },
        six_to_four[] = { 0x20, 0x02 }, zeros[12] = { 0 },
        mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff },
        nat64[12] = { 0, 0x64, 0xff, 0x9b };
    if (begins(address, mapped, 96) || begins(address, nat64, 96))
        return is_public_4(four_bytes(address + 12), ret_why);
    if (begins(address, six_to_four, 16)) return is_public_4(four_bytes(address + 2), ret_why);
    *ret_why = address[0] == 0xff ? "multicast"
        : (address[0] & 0xfe) == 0xfc ? "unique local"
        : address[0] == 0xfe && (address[1] & 0xc0) == 0x80 ? "link-local"
        : begins(address, zeros, 96) ? "loopback or IPv4-compatible"
        : begins(address, documentation, 32) || begins(address, documentation_new, 20) ? "documentation"
        : begins(address, assignments, 23) ? "protocol assignments"        /* Teredo and ORCHID in it */
        : begins(address, global, 3) ? NULL : "reserved";                  /* 2000::/3 is all there is */
    return *ret_why == NULL;
}

bool fetch_address_is_public(const struct sockaddr *address, const char **ret_why)
{
    const char *why = NULL;
    bool is_public = false;
    if (address->sa_family == AF_INET) {
        is_public = is_public_4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr), &why);
    } else if (address->sa_family == AF_INET6) {
        is_public = is_public_6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr, &why);
    } else {
        why = "no internet address";
    }
    if (ret_why) *ret_why = why ? why : "public";
    return is_public;
}

Str fetch_header(Str headers, Str name)
{
    while (headers.len > 0) {
        Str value, line = str_cut(headers, '\n', &headers);
        Str found = str_cut(line, ':', &value);
        if (value.bytes && str_equal_no_case(found, name)) return str_trim(value);
    }
    return (Str){ 0 };
}
