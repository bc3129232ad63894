/* server_stop: the signals, and how long a stop may take: limits.stop_timeout from the signal to the end of the
 * process, whatever hangs.
 *
 *   0           the signal: nothing new is accepted, asked or delivered
 *   1/3         who has begun (a request, a question, a call of a destination) has had his time, all at once
 *   5/6         whatever still hangs (a resolver, a disk, a terminal that takes no text): the process ends itself
 *   1           the kernel has taken it down
 *
 * Ending at any moment is safe, as kill -9 is: what was acknowledged is on the disk. So the alarm is set by the signal
 * itself, before anything else is done, and a process that is still starting ends at once. */
#ifndef ONYM_SERVER_STOP_H
#define ONYM_SERVER_STOP_H

#include "base/base.h"

typedef struct StopTimes {
    Millis answer_ms;                    /* for who has begun */
    Millis end_ms;                       /* then the process ends itself */
} StopTimes;

StopTimes stop_times(Millis stop_ms);

/* From now on signals come here, and SIGTERM ends the process at once. Before any thread is started. */
void stop_listen(void);
/* It has started: SIGTERM begins a stop. */
void stop_is_started(Millis stop_ms);
/* Waits for a signal. True: stop (also where one was wanted already); false: SIGHUP, read the configuration again. */
bool stop_wait(void);
const char *stop_signal_name(void);      /* what stop_wait has returned for */
/* As the signal does, for reasons of our own; status is what the process ends with where it ends itself. Any thread. */
void stop_begin(int status);
/* When who has begun has had his time; without a signal: from now on. */
int64_t stop_answer_deadline_ns(Millis stop_ms);

#endif
