/* server_roles: the table of roles as values. */
#include "server_roles.h"

/* In the table, an engine is its name alone. */
enum {
#define ENGINE(name, what) name = ENGINE_##name,
#include "roles.tbl.h"
};

#define ROLE(name, what, engines) [ROLE_##name] = engines,
static const Engines roles[ROLE_COUNT] = {
#include "roles.tbl.h"
};

Engines role_engines(Role role, size_t ingest_threads)
{
    check(role < ROLE_COUNT);
    Engines engines = roles[role];
    if (ingest_threads == 1 && !(engines & SITE)) engines &= ~(Engines)COMMITTER;     /* it commits by itself */
    return engines;
}
