/* os_guard: reading a mapped file that has become shorter, or whose disk fails, raises SIGBUS, which
 * ends a process. For memory that is registered here the handler puts a page of zeros in the place, and notes it: the
 * reader goes on, finds nonsense, and calls guard_was_cut before it uses what it read. For memory that is not
 * registered the signal ends the process, as usual.
 *
 * The handler may only read atomics and make system calls: so places are in a fixed table, and one store takes a
 * place or gives it back. */
#include "os.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PLACES = 8192 };                 /* more maps than a process has files; further ones are not guarded */

static struct { _Atomic uintptr_t from, to; _Atomic bool is_cut; } places[PLACES];
static _Atomic uint32_t places_used;    /* all places in use are below this */
static _Atomic uint64_t cuts;           /* that ever happened */
static uintptr_t page_bytes;

static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;
    (void)context;
    for (uint32_t place = 0; place < atomic_load(&places_used); place++) {
        uintptr_t from = atomic_load(&places[place].from), to = atomic_load(&places[place].to);
        if (!from || at < from || at >= to) continue;
        atomic_store(&places[place].is_cut, true);
        atomic_fetch_add(&cuts, 1);
        void *page = (void *)(at & ~(page_bytes - 1));
        if (mmap(page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page) return;
        break;
    }
    (void)signal(signal_number, SIG_DFL);                    /* the same access again, and the usual end */
}

static void install(void)
{
    struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGBUS, &action, NULL) == 0);
}

void guard_add(const void *at, uint64_t bytes)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    install();                                               /* each time: something may have taken the signal since */
    uint32_t place = 0, used = atomic_load(&places_used);
    while (place < used && atomic_load(&places[place].from)) place++;
    if (place < PLACES) {
        atomic_store(&places[place].is_cut, false);
        atomic_store(&places[place].to, (uintptr_t)at + bytes);
        if (place == used) atomic_store(&places_used, used + 1);
        atomic_store(&places[place].from, (uintptr_t)at);
    }
    pthread_mutex_unlock(&lock);
}

static uint32_t find(const void *at)
{
    uint32_t place = 0, used = atomic_load(&places_used);
    while (place < used && atomic_load(&places[place].from) != (uintptr_t)at) place++;
    return place < used ? place : PLACES;
}

void guard_remove(const void *at)
{
    uint32_t place = find(at);
    if (place < PLACES) atomic_store(&places[place].from, 0);
}

bool guard_any_cut(void) { return atomic_load_explicit(&cuts, memory_order_acquire) > 0; }

bool guard_was_cut(const void *at)
{
    if (!guard_any_cut()) return false;
    uint32_t place = find(at);
    return place < PLACES && atomic_load(&places[place].is_cut);
}
