/* http_listen: an address in words becomes a listening socket. */
#include "http.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

Status http_listen(Str text, int *ret_socket, uint16_t *ret_port, Err *err)
{
    char host[256] = "", port[16];
    const char *colon = text.len ? memrchr(text.bytes, ':', text.len) : NULL;
    Str host_text = colon ? str_of(text.bytes, (size_t)(colon - text.bytes)) : (Str){ 0 };
    Str port_text = colon ? str_slice(text, host_text.len + 1, text.len) : (Str){ 0 };
    if (str_starts(host_text, STR("[")) && str_ends(host_text, STR("]")))
        host_text = str_slice(host_text, 1, host_text.len - 1);
    int64_t port_number;
    if (!colon || host_text.len >= sizeof host || !str_parse_int(port_text, 0, 65535, &port_number))
        return err_set_field(err, "listen", "\"%.*s\" is not host:port; 127.0.0.1:8080 or [::1]:8080 is",
                             STR_FORMAT(text));
    snprintf(host, sizeof host, "%.*s", STR_FORMAT(host_text));
    snprintf(port, sizeof port, "%d", (int)port_number);

    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list = NULL;
    int failed = getaddrinfo(host[0] ? host : NULL, port, &hints, &list);
    if (failed) return err_set(err, ERR_IO, "listen %.*s: %s", STR_FORMAT(text), gai_strerror(failed));
    int saved = EADDRNOTAVAIL, listener = -1, on = 1;
    for (struct addrinfo *at = list; at && listener < 0; at = at->ai_next) {
        listener = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (listener < 0) continue;
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(listener, at->ai_addr, at->ai_addrlen) == 0 && listen(listener, 4096) == 0) break;
        saved = errno;
        close(listener);
        listener = -1;
    }
    freeaddrinfo(list);
    if (listener < 0)
        return err_set_errno(err, saved, "listen %.*s%s", STR_FORMAT(text),
                             saved == EADDRINUSE ? ": another program has this port; choose one with --listen" : "");
    struct sockaddr_storage bound;
    socklen_t bound_bytes = sizeof bound;
    check(getsockname(listener, (struct sockaddr *)&bound, &bound_bytes) == 0);
    *ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                                  : ((struct sockaddr_in *)(void *)&bound)->sin_port);
    *ret_socket = listener;
    return OK;
}
