/* warehouse_erase: an erasure, in the transaction of the rows around it. */
#ifndef ONYM_WAREHOUSE_ERASE_H
#define ONYM_WAREHOUSE_ERASE_H

#include "warehouse_load.h"

/* Of what was flushed. ERR_IO and the like: as of any statement. */
Status MUST warehouse_erase(struct load *load, const JournalCommand *command, Err *err);

#endif
