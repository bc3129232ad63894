/* os_streams: makes sure that standard input, output and error exist, however the process was started. */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/* Opens /dev/null for the wrong direction, so that reading from a closed stream, or writing to it, still fails. */
void streams_hold(void)
{
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
        check(open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY) == stream);      /* the lowest that is free */
    }
    check(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
}
