/* server_notify: twenty lines instead of a library. */
#include "server_notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/os.h"

void notify_service(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path) return;
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@') address.sun_path[0] = 0;                      /* an abstract socket */
    char message[128];
    int len = snprintf(message, sizeof message, strcmp(state, "RELOADING=1") == 0 ? "%s\nMONOTONIC_USEC=%lld" : "%s",
                       state, (long long)(clock_monotonic_ns(os_clock()) / 1000));
    int channel = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (channel < 0) return;
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(channel, message, (size_t)len, MSG_NOSIGNAL, (struct sockaddr *)&address, bytes) < 0)
        log_write(LOG_WARN, "could not tell the service manager our state", LOG_TEXT("socket", path));
    close(channel);
}
