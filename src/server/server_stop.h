/* server_stop: the signals, and how long a stop may take: limits.stop_timeout from the signal to the end of the
 * process, whatever hangs.
 *
 *   0           the signal: nothing new is accepted, asked or delivered
 *   0           the signal: nothing new is accepted, asked or delivered
 *   1/3         everything that had begun (a request, a question, a call to a destination) has had its time, in
 *   parallel 5/6         if something still hangs (a resolver, a disk, a terminal that takes no text) the process
 *   ends itself 1           the kernel has removed the process
 *
 * Ending at any moment is safe, as kill -9 is: what was acknowledged is on the disk. So the signal's handler sets the
 * alarm first, before anything else is done, and a process that is still starting ends at once. */
#ifndef ONYM_SERVER_STOP_H
#define ONYM_SERVER_STOP_H

#include "base/base.h"

typedef struct StopTimes {
    Millis answer_ms;                    /* time for what has begun */
    Millis end_ms;                       /* after this the process ends itself */
} StopTimes;

StopTimes stop_times(Millis stop_ms);

/* From now on signals come here, and SIGTERM ends the process at once. Call it before any thread is started. */
void stop_listen(void);
/* It has started: SIGTERM begins a stop. */
void stop_is_started(Millis stop_ms);
/* Waits for a signal. True: stop (also if one was wanted before the call); false: SIGHUP, read the configuration
 * again. */
bool stop_wait(void);
const char *stop_signal_name(void);      /* the signal for which stop_wait has returned */
/* Begins a stop as the signal does, for reasons of our own; status is the exit status if the process ends itself. Any
 * thread. */
void stop_begin(int status);
/* Until when what has begun may go on; without a signal the time counts from now. */
int64_t stop_answer_deadline_ns(Millis stop_ms);

#endif
