/* server_stop: signal handlers that do only what signal-safety(7) allows, and a loop that sleeps between signals. */
#include "server_stop.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/os.h"

static volatile sig_atomic_t is_started, wanted_signal, wants_reload, late_status, end_s, end_us;
static _Atomic int64_t began_ns;                         /* 0: no stop has begun */

StopTimes stop_times(Millis stop_ms)
{
    return (StopTimes){ .answer_ms = stop_ms / 3, .end_ms = stop_ms * 5 / 6 };
}

/* Skips the text if nobody takes it (a full pipe, a halted terminal): the process must not wait for its last words. */
static void say(const char *text)
{
    struct pollfd place = { .fd = STDERR_FILENO, .events = POLLOUT };
    if (poll(&place, 1, 0) == 1 && place.revents & POLLOUT && write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

static void on_late(int number)
{
    (void)number;
    say("onym: stopped without waiting longer for something that hangs (limits.stop_timeout); "
        "what was acknowledged is on the disk\n");
    _exit(late_status);
}

static void on_stop(int number)
{
    if (!is_started) {
        say("onym: stopped while it was starting\n");
        _exit(0);
    }
    if (wanted_signal) return;
    wanted_signal = number;
    began_ns = clock_monotonic_ns(os_clock());
    struct itimerval timer = { .it_value = { end_s, end_us } };
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_reload(int number)
{
    (void)number;
    wants_reload = 1;
}

static void answer(int number, void (*handler)(int number))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    check(sigaction(number, &action, NULL) == 0);
}

static void fill(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
    sigaddset(ret, SIGALRM);
}

void stop_listen(void)
{
    sigset_t ours;
    is_started = wanted_signal = wants_reload = late_status = 0;
    began_ns = 0;
    answer(SIGTERM, on_stop);
    answer(SIGINT, on_stop);
    answer(SIGHUP, on_reload);
    answer(SIGALRM, on_late);
    fill(&ours);
    check(sigprocmask(SIG_UNBLOCK, &ours, NULL) == 0);   /* after a restart by execv they are blocked */
}

void stop_is_started(Millis stop_ms)
{
    Millis end_ms = stop_times(stop_ms).end_ms;
    end_s = (sig_atomic_t)(end_ms / 1000);
    end_us = (sig_atomic_t)(end_ms % 1000 * 1000);
    is_started = 1;
}

bool stop_wait(void)
{
    sigset_t ours, before;
    fill(&ours);
    check(sigprocmask(SIG_BLOCK, &ours, &before) == 0);
    while (!wanted_signal && !wants_reload) (void)sigsuspend(&before);
    wants_reload = 0;
    check(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
    return wanted_signal != 0;
}

const char *stop_signal_name(void) { return strsignal(wanted_signal); }

void stop_begin(int status)
{
    if (status) late_status = status;
    check(kill(getpid(), SIGTERM) == 0);
}

int64_t stop_answer_deadline_ns(Millis stop_ms)
{
    int64_t from_ns = began_ns ? began_ns : clock_monotonic_ns(os_clock());
    return from_ns + stop_times(stop_ms).answer_ms * 1000000;
}
