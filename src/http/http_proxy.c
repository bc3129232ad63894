/* http_proxy: which peers may speak for others. Networks are kept as 128-bit prefixes, IPv4 mapped into
 * ::ffff:0:0/96, so that one comparison serves both. */
#include "http_exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { IPV4_PREFIX_BITS = 96 };

bool proxy_parse_address(Str text, unsigned char address[16])
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr four;
    if (text.len == 0 || text.len >= sizeof copy) return false;
    memcpy(copy, text.bytes, text.len);
    copy[text.len] = 0;
    if (inet_pton(AF_INET6, copy, address) == 1) return true;
    if (inet_pton(AF_INET, copy, &four) != 1) return false;
    memset(address, 0, 10);
    memset(address + 10, 0xff, 2);
    memcpy(address + 12, &four, 4);
    return true;
}

/* "10.0.0.0/8", "::1", "192.168.1.7". */
static bool parse_network(Str text, unsigned char address[16], int64_t *ret_bits)
{
    Str bits, base = str_cut(text, '/', &bits);
    bool is_four = memchr(base.bytes, ':', base.len) == NULL;
    if (!proxy_parse_address(base, address)) return false;
    *ret_bits = 128;
    if (bits.len == 0) return base.len == text.len;
    if (!str_parse_int(bits, 0, is_four ? 32 : 128, ret_bits)) return false;
    if (is_four) *ret_bits += IPV4_PREFIX_BITS;
    return true;
}

static bool has_prefix(const unsigned char *address, const unsigned char *network, int64_t bits)
{
    size_t whole = (size_t)(bits / 8);
    unsigned mask = 0xff00u >> (bits % 8) & 0xff;
    if (memcmp(address, network, whole) != 0) return false;
    return mask == 0 || (address[whole] & mask) == (network[whole] & mask);
}

bool proxy_is_trusted(const Str *networks, size_t count, Str peer)
{
    unsigned char address[16], network[16];
    int64_t bits;
    if (count == 0 || !proxy_parse_address(peer, address)) return false;
    for (size_t at = 0; at < count; at++)
        if (parse_network(networks[at], network, &bits) && has_prefix(address, network, bits)) return true;
    return false;
}

/* Reads from the right: each of our own proxies appended the peer that it saw, so the first address from the
 * right that is not one of our proxies is the client as the outermost proxy saw it. */
Str proxy_find_client(const Str *networks, size_t count, Str peer, const Str *lines, size_t line_count)
{
    unsigned char address[16];
    Str client = peer;
    while (line_count > 0) {
        for (Str line = lines[--line_count]; line.len;) {
            if (!proxy_is_trusted(networks, count, client)) return client;
            const char *comma = memrchr(line.bytes, ',', line.len);
            size_t from = comma ? (size_t)(comma - line.bytes) + 1 : 0;
            Str last = str_trim(str_slice(line, from, line.len));
            line.len = comma ? from - 1 : 0;
            if (!proxy_parse_address(last, address)) return client;
            client = last;
        }
    }
    return client;
}

void proxy_format_address(const struct sockaddr *address, char *text)
{
    text[0] = 0;
    if (address && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text, INET6_ADDRSTRLEN);
    else if (address && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text, INET6_ADDRSTRLEN);
    if (str_starts(str_from(text), STR("::ffff:"))) memmove(text, text + 7, strlen(text + 7) + 1);
}
