/* server: the running server. Opens every store bottom-up, starts the threads, waits for a signal, closes
 * top-down: stops accepting, answers the requests that are in, commits, closes.
 *
 * serve_start and serve_stop are the same without the signals: a command that has a question and finds no
 * server starts one for itself (cli_ask.h). There may be one in a process. */
#ifndef ONYM_SERVER_SERVER_H
#define ONYM_SERVER_SERVER_H

#include "config/config.h"
#include "server_roles.h"

/* What a reload needs: how to load the configuration again (the same file and flags). */
typedef struct ServeReload {
    Status (*load)(void *context, Arena *arena, struct config *ret, Err *err);     /* logs its complaints */
    void *context;
} ServeReload;

/* role: which engines run (roles.tbl.h). Runs until SIGTERM or SIGINT. SIGHUP reloads. Logs what happens; err says
 * why it could not start. */
Status MUST serve_run(const struct config *config, Role role, const ServeReload *reload, Err *err);

/* server_check.c: what check-config says of the files that the configuration names: certificate and key, keys.yaml, the
 * tracking plan. Changes nothing. Adds to problems; those of the plan have places in its own file. ERR_INPUT: there are
 * some that are more than warnings. A start judges by the same functions. */
Status MUST server_check_files(const struct config *config, Arena *arena, struct config_problems *problems,
                               struct config_problems *plan_problems, Err *err);
Status MUST server_check_tls(const struct config *config, Err *err);

struct serve;
/* Opens and starts everything but the terminal and the signals. ERR_CONFLICT: another process has the data
 * directory. Keeps the configuration until serve_stop. */
Status MUST serve_start(const struct config *config, Role role, struct serve **ret, Err *err);
uint16_t serve_port(const struct serve *serve);              /* of the first address */
/* Waits until everything that was in the journal at the start is applied, at most timeout_ms; true once it is.
 * ret_done of ret_all bytes are applied. */
bool serve_wait_applied(struct serve *serve, Millis timeout_ms, uint64_t *ret_done, uint64_t *ret_all);
void serve_stop(struct serve *serve);                        /* accepts NULL */
/* Checks the store of used links of a stopped server. */
Status MUST server_check_links(const char *dir, uint64_t *ret_rows, Err *err);

#include "server_access.h"
#include "server_derived.h"
#include "server_destinations.h"
#include "server_journal.h"
#include "server_print.h"

#endif
