/* roles: what a process does: a row a role, and the engines that it runs. A role is chosen by the command that starts
 * the process (serve_run, serve_start); nothing else asks what kind of process this is, but which engines it has.
 *
 * ENGINE(name, what it does), in the order in which they open and start; they stop the other way round.
 * ROLE(name, what it is, engines). Define what you need before including this. */
#ifdef ENGINE
ENGINE(WORKERS,     "questions and look-ups, at a lower priority")
ENGINE(COMMITTER,   "the journal's tail; dropped where the process has a single ingest thread, which then commits itself")
ENGINE(INGEST,      "connections: collection and the API")
ENGINE(SITE,        "the example site, on an address of its own")
ENGINE(APPLIER,     "what is derived from the journal")
ENGINE(MAINTENANCE, "sealing, retention, merging, looking for damage")
ENGINE(FORGETTING,  "the destinations' store alone: whom an erasure is about is forgotten there")
ENGINE(DELIVERY,    "the destinations themselves; retention waits for them. With FORGETTING")
ENGINE(LINKS,       "links to another domain are redeemed, once each")
ENGINE(PRINTER,     "one line an event, where standard output is a terminal")
ENGINE(STORY,       "one line an event in any case, and the tour of the example site. With PRINTER")
ENGINE(PROCESS,     "the process is this server's own: it warns of how it can be reached, ends and begins anew by itself")
#endif

#ifdef ROLE
ROLE(SERVER,    "onym serve: collects, answers, delivers",
     WORKERS | COMMITTER | INGEST | APPLIER | MAINTENANCE | FORGETTING | DELIVERY | LINKS | PRINTER | PROCESS)
ROLE(DEMO,      "onym demo: the same with the example site",
     WORKERS | COMMITTER | INGEST | SITE | APPLIER | MAINTENANCE | FORGETTING | DELIVERY | LINKS | PRINTER | STORY |
     PROCESS)
ROLE(QUESTIONS, "a command that asks and finds no server: answers it, and ends with it",
     WORKERS | COMMITTER | INGEST | APPLIER | MAINTENANCE | FORGETTING)
#endif

#undef ENGINE
#undef ROLE
