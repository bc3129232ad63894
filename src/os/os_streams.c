/* os_streams: standard input, output and error are there, whoever started the process without them. */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/* Opened the wrong way round: who reads from what was closed, or writes into it, is told as before. */
void streams_hold(void)
{
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
        check(open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY) == stream);      /* the lowest that is free */
    }
    check(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
}
