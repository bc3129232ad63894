/* server_access: who may come in, by the configuration; the file of sessions, and what people keep in the dashboard. */
#ifndef ONYM_SERVER_ACCESS_H
#define ONYM_SERVER_ACCESS_H

#include "access/access.h"
#include "config/config.h"
#include "desk/desk.h"

/* is_kept: people sign in to this server; else it knows keys only, and leaves the file alone. Logs damage. */
Status MUST server_open_access(const struct config *config, bool is_kept, struct access **ret, Err *err);
/* The secret key (that of the start: another one waits for a restart) and the keys of a configuration. */
void server_set_keys(struct access *access, Str secret_key, const struct config *config);
/* For CollectOptions: is this the secret key or one of `keys`, as they are now? */
bool server_is_reading_key(void *access, Str key);
/* Writes what has changed of sessions, from time to time; if that fails it logs, and waits a minute. NULL is fine. */
void server_keep_sessions(struct access *access);
/* Opens what people keep in the dashboard; logs damage. */
Status MUST server_open_desk(const struct config *config, struct collector *collector, struct desk **ret, Err *err);
/* Sets the configuration's sources and the dashboard's, at the start and at a reload. The configuration must live as
 * long as the desk, or until the next call. */
Status MUST server_set_sources(struct desk *desk, const struct config *config, Err *err);
/* Writes who ordered what, when sessions are written. NULL is fine. */
void server_keep_notes(struct desk *desk, bool is_last);
Status MUST server_check_desk(const struct config *config, Err *err);
/* Checks the file of sessions of a stopped server. */
Status MUST server_check_sessions(const struct config *config, Err *err);

#endif
