/* server_access: who may come in, by the configuration; and the file of sessions. */
#ifndef ONYM_SERVER_ACCESS_H
#define ONYM_SERVER_ACCESS_H

#include "access/access.h"
#include "config/config.h"

/* is_kept: a server that people sign in to; else keys alone, and the file is not its business. Logs damage. */
Status MUST server_open_access(const struct config *config, bool is_kept, struct access **ret, Err *err);
/* The secret key, and those of the configuration: at the start and at a reload. */
void server_set_keys(struct access *access, const struct config *config);
/* Writes what has changed of sessions, now and then; where that fails it logs, and waits a minute. NULL is fine. */
void server_keep_sessions(struct access *access);
/* Judges the file of a stopped server. */
Status MUST server_check_sessions(const struct config *config, Err *err);

#endif
