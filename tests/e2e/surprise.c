/* surprise: what a machine may do to a program, by LD_PRELOAD. The file $SURPRISE is mapped, and says at any moment:
 *   bytes 0..7    added to the wall clock, in milliseconds; the monotonic clocks go on as they are
 *   byte  8       fdatasync and fsync fail with EIO: 1 of a file of the journal, 2 of derived/state, 4 of deliver
 * Built by tests/e2e/disk_and_clock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile struct surprise { int64_t wall_ms; unsigned char fails_sync; } *surprise;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SURPRISE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) surprise = at;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(clock, at);
    if (!answer && surprise && clock == CLOCK_REALTIME) {
        int64_t ns = at->tv_nsec + surprise->wall_ms % 1000 * 1000000;
        at->tv_sec += surprise->wall_ms / 1000 + (ns >= 1000000000) - (ns < 0);
        at->tv_nsec = ns >= 1000000000 ? ns - 1000000000 : ns < 0 ? ns + 1000000000 : ns;
    }
    return answer;
}

static int is_to_fail(int file)
{
    char link[64], path[4096];
    if (!surprise || !surprise->fails_sync) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0) return 0;
    path[len] = 0;
    return (surprise->fails_sync & 1 && strstr(path, "/journal/")) ||
           (surprise->fails_sync & 2 && strstr(path, "/derived/state/")) ||
           (surprise->fails_sync & 4 && strstr(path, "/deliver/"));
}

int fdatasync(int file)
{
    static int (*real)(int);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    if (is_to_fail(file)) return errno = EIO, -1;
    return real(file);
}

int fsync(int file)
{
    static int (*real)(int);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    if (is_to_fail(file)) return errno = EIO, -1;
    return real(file);
}
