/* http_tls: TLS over a socket that does not block. Read and write answer as recv and send do: -1 with EAGAIN if the
 * peer must do something first. Private to http/; the only file that knows GnuTLS' sessions. */
#ifndef ONYM_HTTP_TLS_H
#define ONYM_HTTP_TLS_H

#include <sys/types.h>

#include "base/base.h"

struct tls;                          /* certificate and key of a server */
struct tls_session;                  /* one connection */

/* ERR_INPUT: the two do not belong together, or are damaged. */
Status MUST tls_open(const char *certificate_pem, const char *key_pem, struct tls **ret, Err *err);
void tls_close(struct tls *tls);                         /* accepts NULL */

struct tls_session *tls_begin(struct tls *tls, int socket);         /* NULL: no memory */
void tls_end(struct tls_session *session);               /* sends a goodbye if it need not wait; accepts NULL */
/* The first calls do the handshake. */
ssize_t tls_read(struct tls_session *session, void *bytes, size_t count);
ssize_t tls_write(struct tls_session *session, const void *bytes, size_t count);

#endif
