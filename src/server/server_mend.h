/* server_mend: what is derived was found damaged while the server runs. The server stops in order and begins anew in
 * the same process, whose start makes it from the journal again. Once in a while only: a disk or a memory that goes
 * on failing must not make a server that goes on restarting. */
#ifndef ONYM_SERVER_MEND_H
#define ONYM_SERVER_MEND_H

#include "config/config.h"

/* May this process begin anew for damage? Not where another start would listen elsewhere, nor soon after it did. */
bool mend_may_restart(const struct config *config);
/* The program in the place of this one, with the arguments that it was given. Returns only where that fails. */
void mend_restart(void);

#endif
