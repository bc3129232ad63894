/* server_roles: the table of roles as values, and what a process runs by its role. */
#ifndef ONYM_SERVER_ROLES_H
#define ONYM_SERVER_ROLES_H

#include "base/base.h"

#define ENGINE(name, what) ENGINE_AT_##name,
enum {
#include "roles.tbl.h"
    ENGINE_COUNT
};

/* A set of engines: one bit for each. */
typedef uint32_t Engines;
#define ENGINE(name, what) ENGINE_##name = 1u << ENGINE_AT_##name,
enum {
#include "roles.tbl.h"
};

typedef enum Role {
#define ROLE(name, what, engines) ROLE_##name,
#include "roles.tbl.h"
    ROLE_COUNT
} Role;

/* The engines of the role, in a process with so many threads that listen. */
Engines role_engines(Role role, size_t ingest_threads);

#endif
