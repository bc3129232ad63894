/* site_ask: what the server itself says of a page's write key and of the path that its calls take. */
#ifndef ONYM_SITE_SITE_ASK_H
#define ONYM_SITE_SITE_ASK_H

/* Fills facts->key and facts->collect, from write_key, collect_url and server; until the instant at the
 * latest, but with half a second at least. If no address is known, it asks nothing. */
void site_ask(struct site_facts *facts, int64_t until_ns, Arena *arena);

#endif
