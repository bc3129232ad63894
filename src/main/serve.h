/* serve: the running server. Opens every store bottom-up, starts the threads, waits for a signal, closes
 * top-down: stop accepting, answer what is in, commit, close. */
#ifndef ONYM_MAIN_SERVE_H
#define ONYM_MAIN_SERVE_H

#include "config.h"

/* What a reload needs: how to load the configuration again (the same file and flags). */
typedef struct ServeReload {
    Status (*load)(void *context, Arena *arena, struct config *ret, Err *err);     /* logs its complaints */
    void *context;
} ServeReload;

/* Runs until SIGTERM or SIGINT. SIGHUP reloads. Logs what happens; err is why it could not start. */
Status MUST serve_run(const struct config *config, const ServeReload *reload, Err *err);

#endif
