/* config_address: where a server is found from this machine. `onym serve` writes the URL into <data>/address when it
 * listens, because --listen may have overruled the configuration; commands that find the data directory in use
 * read it there. The file is a hint and no lock: it counts only while a server holds the journal. */
#ifndef ONYM_CONFIG_ADDRESS_H
#define ONYM_CONFIG_ADDRESS_H

#include "config.h"

/* "http://127.0.0.1:8080", "https://[::1]:8443": the first address of the configuration; one that stands for
 * all addresses becomes 127.0.0.1. port: what the socket got, or 0: the configuration's. */
Str address_url(const struct config *config, uint16_t port, Arena *arena);
/* The same of where the dashboard and the API answer: ui_listen, or the first address. */
Str address_ui_url(const struct config *config, uint16_t port, Arena *arena);
/* False: they have no address of their own; then *ret is the first one. */
bool address_read_ui(const struct config *config, ConfigListen *ret);
/* url where it is given (without its last slashes), else what <data>/address says, else the configuration's.
 * Empty: nobody can know (a configuration with port 0 and no server that wrote its own). */
Str address_find(const struct config *config, const char *url, Arena *arena);
/* Of where the API answers. Failures are told and harm nothing else: commands then ask at the configuration's
 * address. */
Status MUST address_keep(const struct config *config, uint16_t port, Err *err);
void address_forget(const struct config *config);

/* Can others than this machine reach it? Names count as they read: only "localhost" is this machine for sure. */
bool address_is_public(const ConfigListen *listen);

#endif
