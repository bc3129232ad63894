/* config_address: the URL at which this machine finds a server. `onym serve` writes it into <data>/address when it
 * listens, because --listen may have overruled the configuration; commands that find the data directory in use
 * read it there. The file is a hint, not a lock: it counts only while a server holds the journal. */
#ifndef ONYM_CONFIG_ADDRESS_H
#define ONYM_CONFIG_ADDRESS_H

#include "config.h"

/* "http://127.0.0.1:8080", "https://[::1]:8443": the first address of the configuration; one that stands for
 * all addresses becomes 127.0.0.1. port: what the socket got; 0: the configuration's. */
Str address_url(const struct config *config, uint16_t port, Arena *arena);
/* The same for the address of dashboard and API: ui_listen, or the first address. */
Str address_ui_url(const struct config *config, uint16_t port, Arena *arena);
/* The address of dashboard and API. False: they have none of their own, and *ret is the first of listen. */
bool address_read_ui(const struct config *config, ConfigListen *ret);
/* url if it is given (without its last slashes), else what <data>/address says, else the configuration's.
 * Empty: it cannot be known (the configuration has port 0, and no server wrote its own). */
Str address_find(const struct config *config, const char *url, Arena *arena);
/* Keeps the URL of the API. If it fails, err says so and nothing else is harmed: commands then ask at the
 * configuration's address. */
Status MUST address_keep(const struct config *config, uint16_t port, Err *err);
void address_forget(const struct config *config);

/* Can other machines reach it? A name counts as it is written: only "localhost" is this machine for sure. */
bool address_is_public(const ConfigListen *listen);

#endif
