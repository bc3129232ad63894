/* openapi: the whole API as an OpenAPI 3.1 document, for generators of clients, viewers and tests. A table of
 * routes says which operations there are and which key each wants; openapi.tbl.h has the words about them,
 * which assistant/ reads, too.
 *
 * What it is not: it serves nothing and knows no handler. */
#ifndef ONYM_OPENAPI_OPENAPI_H
#define ONYM_OPENAPI_OPENAPI_H

#include "http/http.h"

/* Appends the document and a line feed. The same routes give the same bytes. A route that no row describes is left out.
 * Any thread. */
void openapi_write(RouteTable routes, struct buf *out);

#endif
