/* server_alerts: tells whom the configuration names of what the server's own examination found: at most one message an
 * examination and receiver, signed as webhooks are. */
#ifndef ONYM_SERVER_ALERTS_H
#define ONYM_SERVER_ALERTS_H

#include "config/config.h"
#include "doctor/doctor.h"

#include <stdatomic.h>

struct alerts;

/* *ret is NULL where nobody is to be told. Copies what it needs of the configuration. */
Status MUST alerts_open(const struct config *config, struct doctor *doctor, struct alerts **ret, Err *err);
/* After an examination. What cannot be sent is logged, and goes with the next one. Ends early if is_cancelled is set.
 * Accepts NULL, as the next one does. */
void alerts_send(struct alerts *alerts, atomic_bool *is_cancelled);
void alerts_close(struct alerts *alerts);

#endif
