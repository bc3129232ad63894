/* warehouse_erase: an erasure, in the transaction of the rows around it. */
#ifndef ONYM_WAREHOUSE_ERASE_H
#define ONYM_WAREHOUSE_ERASE_H

#include "warehouse_load.h"

/* The id as onym_identifiers has it: its kind, and *ret_value. */
Str warehouse_split_id(const CommandId *id, Str *ret_value);

/* Of what was flushed. ERR_IO and the like: as of any statement. */
Status MUST warehouse_erase(struct load *load, const JournalCommand *command, Err *err);

#endif
