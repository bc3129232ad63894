/* server_examine: the doctor's examination, by the server itself: every so often, one at a time, and never while the
 * machine is catching up. Its numbers are for /metrics, and what is new of findings is noted without anybody asking. */
#ifndef ONYM_SERVER_EXAMINE_H
#define ONYM_SERVER_EXAMINE_H

#include "collect/collect.h"
#include "config/config.h"
#include "doctor/doctor.h"

struct examiner;

typedef struct ExaminerOptions {
    const struct config *config;            /* read while it is opened */
    struct applier *applier;
    struct journal *journal;
    struct doctor *doctor;
    struct collector *collector;
} ExaminerOptions;
/* With a thread of its own, which yields to all others. *ret is NULL where there is nothing to do: doctor.every is 0,
 * or there is no doctor. Keeps all but the configuration. */
Status MUST examiner_start(const ExaminerOptions *options, struct examiner **ret, Err *err);
/* An examination that is under way is given up, and soon over; does not wait for it. Accepts NULL, as the next do. */
void examiner_begin_stop(struct examiner *examiner);
void examiner_stop(struct examiner *examiner, int64_t deadline_ns);
void examiner_close(struct examiner *examiner);

#endif
