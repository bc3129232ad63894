/* server_tls: certificate and key of the configuration, as PEM. */
#ifndef ONYM_SERVER_TLS_H
#define ONYM_SERVER_TLS_H

#include "config/config.h"
#include "http/http.h"

/* Into the options; the texts live in the region, which this opens. Without tls in the configuration nothing
 * happens. */
Status MUST server_read_tls(const struct config *config, struct region *region, HttpOptions *options, Err *err);

#endif
