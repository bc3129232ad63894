/* server_warehouses: the warehouses as a part of the process: a thread each, how long the journal waits for them, and
 * that an erasure keeps its command until each has read it. */
#ifndef ONYM_SERVER_WAREHOUSES_H
#define ONYM_SERVER_WAREHOUSES_H

#include "config/config.h"
#include "derive/derive.h"
#include "warehouse/warehouse.h"

struct warehouses;

/* Those of the configuration that are enabled; *ret is NULL where there is none. loads_always: false in a process that
 * only answers a question: then they load while an erasure waits for them, and not otherwise. Keeps journal and
 * applier. */
Status MUST warehouses_open(const struct config *config, bool loads_always, struct journal *journal,
                            struct applier *applier, struct warehouses **ret, Err *err);
Status MUST warehouses_start(struct warehouses *warehouses, Err *err);       /* accepts NULL */
/* What is under way is undone by their servers. Accepts NULL. */
void warehouses_stop(struct warehouses *warehouses, int64_t deadline_ns);
void warehouses_close(struct warehouses *warehouses);                        /* accepts NULL; they are stopped */
/* For who asks how they are: *ret_count of them, as long as this lives. Accepts NULL. */
struct warehouse *const *warehouses_list(const struct warehouses *warehouses, size_t *ret_count);

#endif
