/* server_print: what `onym serve` shows in its terminal: the welcome with key, snippet and curl, and then one
 * tidy line for each event as it becomes durable. */
#ifndef ONYM_SERVER_PRINT_H
#define ONYM_SERVER_PRINT_H

#include "config/config.h"
#include "journal/journal.h"
#include "server_threads.h"

/* Prints "listening on http://127.0.0.1:8080" in any case, the rest only if standard output is a terminal. ui_port: where
 * the dashboard is, if it has an address of its own. link: signs in to the dashboard; empty: there is none. */
void print_welcome(const struct config *config, uint16_t port, uint16_t ui_port, Str link);

/* The script element that a site pastes into its pages, for the first source. port 0: the configuration's. */
void print_snippet(const struct config *config, uint16_t port);

/* The same for `onym demo`: where the site is, and what to do there. */
void print_demo_welcome(const struct config *config, uint16_t port, uint16_t site_port, Str link);

/* What was kept, and where; after a demo also how to look at it again and how to remove it. */
void print_farewell(const struct config *config, uint64_t accepted, bool is_demo);

struct printer;
/* Follows the journal from its end, leaves out repetitions of a recent messageId, and says when
 * a visitor becomes known (visitors.h). Unless `always`, *ret is NULL if standard output is not a terminal. */
Status MUST printer_open(struct journal *journal, bool always, struct printer **ret, Err *err);
void printer_close(struct printer *printer);                 /* accepts NULL */
const Engine *printer_engine(struct printer *printer);

#endif
