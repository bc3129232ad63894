/* derived: how the applier is opened, the same for whoever opens it. */
#ifndef ONYM_MAIN_DERIVED_H
#define ONYM_MAIN_DERIVED_H

#include "apply/apply.h"
#include "config.h"

/* What who is who depends on. Borrows from the configuration and the arena. */
ApplyRules derived_rules(const struct config *config, Arena *arena);
/* NAME=FIELD[:LIMIT], as identity.externals has them. False where it is none. */
bool derived_parse_external(Str text, IdentityExternal *ret, Str *ret_field);
/* The directory's name lives in the arena. */
ApplyOptions derived_options(const struct config *config, struct journal *journal, Arena *arena);

#endif
