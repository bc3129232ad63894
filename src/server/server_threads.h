/* server_threads: the only place where a thread begins. An engine is something with a step; its thread is a loop
 * round it, and stopping is asking the loop to end and waking it. */
#ifndef ONYM_SERVER_THREADS_H
#define ONYM_SERVER_THREADS_H

#include <stdatomic.h>

#include "base/base.h"

typedef struct Engine {
    const char *name;                                        /* shown by ps and top; 15 characters at most */
    void (*step)(void *context, bool is_stopping);           /* bounded work; may wait for some for a second at most */
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

/* Starts one more. Signals stay with the main thread. ERR_IO where the machine has no thread to give. */
Status MUST threads_start(struct threads *threads, const Engine *engine, Err *err);
/* Stops all and waits for each; one whose is_done stays false until the deadline of the monotonic clock. */
void threads_stop(struct threads *threads, int64_t deadline_ns);

#endif
