/* server_destinations: the deliverer as a part of the process: its store, its network, its thread's engine, and how
 * long the journal waits for it. */
#ifndef ONYM_SERVER_DESTINATIONS_H
#define ONYM_SERVER_DESTINATIONS_H

#include "derive/derive.h"
#include "config/config.h"
#include "deliver/deliver.h"
#include "server_threads.h"

struct destinations;

/* Opens <data>/deliver and takes over the configured destinations. If delivers is false it takes none of them, and
 * only forgets the people that an erasure is about. Keeps journal and applier. */
Status MUST destinations_open(const struct config *config, bool delivers, struct journal *journal,
                              struct applier *applier, struct destinations **ret, Err *err);
void destinations_close(struct destinations *destinations);  /* accepts NULL; call it after its thread has stopped */
/* From now on no new call is sent; open calls go on. Any thread. Accepts NULL. */
void destinations_begin_stop(struct destinations *destinations);
Engine destinations_engine(struct destinations *destinations);
/* Something was applied. Any thread; costs nothing while the deliverer is at work. Accepts NULL. */
void destinations_wake(struct destinations *destinations);
/* Takes the destinations of a new configuration, from the deliverer's next step on. ERR_INPUT: nothing is changed. */
Status MUST destinations_set_config(struct destinations *destinations, const struct config *config, Err *err);

struct deliver *destinations_deliver(struct destinations *destinations);
struct outbox_rows destinations_rows(struct destinations *destinations);

#endif
