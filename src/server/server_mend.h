/* server_mend: for when derived state is found damaged while the server runs. The server stops in order, and the same
 * process runs the program again, whose start makes that state from the journal. It does so only once in a while: a
 * disk or a memory that keeps failing must not make a server that restarts for ever. */
#ifndef ONYM_SERVER_MEND_H
#define ONYM_SERVER_MEND_H

#include "config/config.h"

/* May this process start again because of damage? No if the next start would listen elsewhere, or if the last was
 * just now. */
bool mend_may_restart(const struct config *config);
/* Runs the program in the place of this one, with the same arguments. Returns only if that fails. */
void mend_restart(void);

#endif
