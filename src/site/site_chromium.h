/* site_chromium: a browser for one command alone. It is found, started without a window on an empty profile in a
 * temporary directory, spoken to over two pipes (site_devtools.h), and ended with all of its processes. No port is
 * opened, no shell takes part, and nothing of the user's own browser is read.
 */
#ifndef ONYM_SITE_CHROMIUM_H
#define ONYM_SITE_CHROMIUM_H

#include "site_devtools.h"

#include <sys/types.h>

struct chromium {
    pid_t process;                  /* and its group; 0: there is none */
    char profile[128];              /* empty: there is none */
    int in, out;
    bool is_without_sandbox;        /* root: Chromium refuses to start otherwise */
    struct devtools devtools;
};

/* $CHROMIUM if it is set, else the first of the usual names in $PATH. ERR_NOT_FOUND says how to install one. */
Status MUST chromium_find(Arena *arena, Str *ret, Err *err);

/* After a failure no process and no file is left. user_agent NULL: the browser's own. */
Status MUST chromium_start(Str program, const char *user_agent, struct chromium *ret, Err *err);
/* What Chromium said last on standard error, for a message; in the arena. */
Str chromium_last_words(const struct chromium *chromium, Arena *arena);
/* Kills, reaps, removes the profile; may be called twice, and for one that is all zero. */
void chromium_stop(struct chromium *chromium);

#endif
