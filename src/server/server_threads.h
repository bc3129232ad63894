/* server_threads: the only place where threads are started. An engine is something with a step; its thread calls
 * the step again and again, and to stop it, the loop is told to end and the engine is woken. */
#ifndef ONYM_SERVER_THREADS_H
#define ONYM_SERVER_THREADS_H

#include <stdatomic.h>

#include "base/base.h"

typedef struct Engine {
    const char *name;                                        /* shown by ps and top; 15 characters at most */
    void (*step)(void *context, bool is_stopping);           /* bounded work; may wait for work for a second at most */
    bool (*is_done)(void *context);                          /* asked when stopping; NULL: done at once */
    void (*wake)(void *context);                             /* ends a wait in step; any thread; may be NULL */
    void *context;
} Engine;

enum { THREADS_MAX = 64 };

struct threads {
    struct thread *running[THREADS_MAX];
    size_t count;
    int nice;                                                /* 1 to 19: its threads yield the processor to others */
};

/* Starts one more. Only the main thread gets signals. ERR_IO: the machine cannot start another thread. */
Status MUST threads_start(struct threads *threads, const Engine *engine, Err *err);
/* Stops all and waits for each; if is_done stays false, until the deadline by the monotonic clock. */

void threads_stop(struct threads *threads, int64_t deadline_ns);

#endif
