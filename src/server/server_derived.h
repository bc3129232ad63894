/* server_derived: how the applier is opened, the same for whoever opens it. */
#ifndef ONYM_SERVER_DERIVED_H
#define ONYM_SERVER_DERIVED_H

#include "derive/derive.h"
#include "config/config.h"

/* The rules by which people are told apart and joined. Borrows from the configuration and the arena. */
PeopleRules derived_rules(const struct config *config, Arena *arena);
/* The directory's name lives in the arena. */
DeriveOptions derived_options(const struct config *config, struct journal *journal, Arena *arena);

#endif
