/* wire: the network between visitors and Onym: connections that carry requests in pieces, break, stay open or are left.
 * At Onym's end of them is the real server with the real table of routes, stepped by the world. */
#ifndef ONYM_TESTS_SIM_WIRE_H
#define ONYM_TESTS_SIM_WIRE_H

#include "api/api.h"

enum { FLIGHTS_MAX = 16 };

struct wire {
    struct http_server *server;         /* NULL while Onym is down */
    struct http_jobs *jobs;
    struct health health;               /* lives on: what it counts is of the whole world */
    ApiOptions api;
    uint64_t suppressed;                /* messages that were left out of requests that were answered 200 */
};

struct world;
/* Onym listens, and hears nobody any more. While it is down, all its connections are gone. */
void wire_open(struct world *world);
void wire_close(struct world *world);
/* A visitor's request sets out, or a piece of one that has: then Onym takes what came. */
void wire_send(struct world *world);
/* Onym answers what it can, and clients hear it: after a commit. */
void wire_answer(struct world *world);
/* GET, with the secret key: the status; the body in out. By a worker, if it is for one. */
unsigned wire_get(struct world *world, const char *path, struct buf *out);

#endif
