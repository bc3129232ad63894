/* roles: what a process does: a row for each role, with the engines that it runs. The command that starts the process
 * chooses its role (serve_run, serve_start); all other code asks only which engines it has.
 *
 * ENGINE(name, what it does), in the order in which they open and start; they stop in the opposite order.
 * ROLE(name, what it is, engines). Define what you need before including this. */
#ifdef ENGINE
ENGINE(WORKERS,     "questions and look-ups, at a lower priority")
ENGINE(COMMITTER,   "writes and syncs the journal; left out if the process has one ingest thread, which then commits itself")
ENGINE(INGEST,      "connections: collection and the API")
ENGINE(SITE,        "the example site, on an address of its own")
ENGINE(APPLIER,     "what is derived from the journal")
ENGINE(MAINTENANCE, "sealing, retention, merging, looking for damage")
ENGINE(FORGETTING,  "removes from the destinations' store the people that an erasure is about")
ENGINE(DELIVERY,    "the destinations themselves; retention waits for them. Needs FORGETTING")
ENGINE(WAREHOUSES,  "loads every event into a database of the operator; without DELIVERY only while an erasure waits for it")
ENGINE(EXAMINER,    "examines every so often what is wrong with the tracking, by itself")
ENGINE(LINKS,       "lets each link to another domain be used once")
ENGINE(PRINTER,     "one line for each event, if standard output is a terminal")
ENGINE(STORY,       "one line for each event in any case, and the tour of the example site. Needs PRINTER")
ENGINE(PROCESS,     "the process belongs to this server: it warns how it can be reached, and ends and starts again by itself")
#endif

#ifdef ROLE
ROLE(SERVER,    "onym serve: collects, answers, delivers",
     WORKERS | COMMITTER | INGEST | APPLIER | MAINTENANCE | FORGETTING | DELIVERY |
     WAREHOUSES | EXAMINER | LINKS | PRINTER | PROCESS)
ROLE(DEMO,      "onym demo: the same with the example site",
     WORKERS | COMMITTER | INGEST | SITE | APPLIER | MAINTENANCE | FORGETTING | DELIVERY | LINKS | PRINTER | STORY |
     PROCESS)
ROLE(QUESTIONS, "a command that asks and finds no server: it starts one of its own, which ends with it",
     WORKERS | COMMITTER | INGEST | APPLIER | MAINTENANCE | FORGETTING | WAREHOUSES)
#endif

#undef ENGINE
#undef ROLE
