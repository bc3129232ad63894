/* Every option of onym.yaml.
 *
 * CONFIG(path, field, type, default, least, most, unit, when, why)       one option of the file
 * SOURCE(key, field, type, default, least, most, unit, when, why)        one key of an entry of sources
 * KEY(...)                                                               one key of an entry of keys
 * DESTINATION(...)                                                       one key of an entry of destinations
 * WAREHOUSE(...)                                                         one key of an entry of warehouses
 * ALERT(...)                                                             one key of an entry of alerts
 *
 * type     TEXT SECRET TEXTS INT BOOL WORD DURATION SIZE LISTEN NODE ENTRIES, see config_private.h
 * default  as it would be written in the file; NULL: the option must be given; "" or "[]": nothing
 * least, most  for INT, DURATION, SIZE: as it would be written in the file; else ""
 * unit     what a number counts; for WORD the words, in the order of their enum: "keep|refuse"
 * when     LIVE: a reload (SIGHUP) changes it; RESTART: it needs a new process; NOT_YET: read and judged, but
 *          nothing uses it yet, and whoever gives it is told so
 * why      what it does and what it trades: this is the documentation, conf/onym.yaml is printed from it
 */
#ifndef CONFIG
#define CONFIG(...)
#endif
#ifndef SOURCE
#define SOURCE(...)
#endif
#ifndef KEY
#define KEY(...)
#endif
#ifndef DESTINATION
#define DESTINATION(...)
#endif
#ifndef WAREHOUSE
#define WAREHOUSE(...)
#endif
#ifndef ALERT
#define ALERT(...)
#endif

CONFIG("listen", listen, LISTEN, "127.0.0.1:8080", "", "", "host:port, or a list of them", RESTART,
    "Where Onym answers. The default is reachable from this machine only, which is right behind a reverse proxy. "
    "\"0.0.0.0:8080\" is every IPv4 address, \"[::]:8080\" every address, \"[::1]:8080\" IPv6 on this machine. "
    "Without tls below, keys and events travel in the clear: put a proxy or tls in front before you open it to a "
    "network.")
CONFIG("data", data, TEXT, "./onym-data", "", "", "a directory", RESTART,
    "Everything that Onym keeps: the journal, and what is derived from it. The directory is made if it does not "
    "exist. One process at a time owns it, by a lock. It must be on a local disk whose fdatasync can be trusted; on "
    "a network file system you may lose data.")
CONFIG("secret_key", secret_key, SECRET, "", "", "", "text", RESTART,
    "The key that reads and administers: people, funnels, exports, imports. Never give it to a browser. If you "
    "leave it out, Onym makes one at the first start and keeps it in keys.yaml in the data directory (mode 0600). "
    "Take it from the environment rather than writing it here: ${ONYM_SECRET_KEY}.")
CONFIG("public_url", public_url, TEXT, "", "", "", "a URL", RESTART,
    "The URL by which others reach this Onym: \"https://events.example.com\". It is part of the snippets that Onym "
    "prints for copying. If you leave it out, it is made from listen, which is right unless there is a proxy in "
    "front.")
CONFIG("threads", threads, INT, "0", "0", "256", "threads", RESTART,
    "How many threads take requests. 0 is one for each core. More threads than cores bring nothing: a thread never "
    "waits for the disk, it hands its events to the shared commit and goes on.")
CONFIG("unknown_write_keys", unknown_write_keys, WORD, "keep", "", "", "keep|refuse", RESTART,
    "What happens to events whose write key belongs to no source. keep: they are answered 200, as Segment does, and "
    "kept as rejected with the reason project_not_found, where `onym tail --rejected` shows them: so you see a "
    "mistyped key, and no SDK goes into a loop of retries. refuse: they are answered 401 and not kept: strangers "
    "cannot fill the disk, but some SDKs (Go's) send a refused batch ten times.")
CONFIG("clock_skew_least", clock_skew_least_ms, DURATION, "0", "0", "1d", "duration", RESTART,
    "A client's clock is measured by its sentAt against our own at arrival, and its timestamps are moved by the "
    "difference. Differences smaller than this are left alone. 0 corrects all, as Segment does; a few seconds keep "
    "times exactly as a well-synchronised client wrote them, but then times may be wrong by that much.")
CONFIG("keep_ip", keep_ip, BOOL, "true", "", "", "true or false", RESTART,
    "Whether the address of a browser goes into context.ip of its events. Destinations use it to guess a city; "
    "privacy rules may want it never to be stored. What a client writes into context.ip itself is kept in any case.")
CONFIG("plan", plan, TEXT, "", "", "", "a file", LIVE,
    "The tracking plan: which events there are, with which properties, and what happens to a message that breaks "
    "that (docs/plan.md). If you leave it out, Onym reads plan.yaml in the directory of this file, if it exists. A "
    "path that does not begin with / starts at this file's directory.")
CONFIG("ui", has_ui, BOOL, "true", "", "", "true or false", RESTART,
    "Whether the dashboard is served at / to browsers, and people can sign in to it (docs/access.md). false: there "
    "are neither pages nor sessions, and the API answers requests with a key only.")
CONFIG("ui_listen", ui_listen, TEXT, "", "", "", "host:port", RESTART,
    "An address of its own for the dashboard and the API, with their sessions: \"127.0.0.1:8081\". This address "
    "answers everything; the addresses of listen then answer only what websites and SDKs need: collection, the "
    "browser library, health and metrics. So whoever can reach only collection cannot reach the data, whatever key "
    "he has, and no page on the collecting host has the dashboard's origin. If you leave it out, listen answers "
    "everything.")
CONFIG("trusted_proxies", trusted_proxies, TEXTS, "[]", "", "", "addresses or networks", RESTART,
    "Reverse proxies whose X-Forwarded-For is believed: [\"127.0.0.1\", \"10.0.0.0/8\"]. From anybody else that "
    "header is only a claim, and is ignored. If Onym is behind a proxy and you do not name it here, every visitor "
    "has the proxy's address.")

CONFIG("log.level", log.level, WORD, "info", "", "", "debug|info|warn|error|none", LIVE,
    "The lowest level that is logged. info says what an operator wants to know the next day; debug adds a line for "
    "each request: use it to find a cause, and do not leave it on.")
CONFIG("log.format", log.format, WORD, "logfmt", "", "", "logfmt|json", LIVE,
    "logfmt (key=value) reads well in a terminal and in journald; json is for log collectors. Logs go to standard "
    "error, one line for each event; secrets are never in them.")

CONFIG("tls.certificate", tls.certificate, TEXT, "", "", "", "a file", RESTART,
    "PEM file with the server's certificate and those between it and the root. With tls.key it turns every listen "
    "address into https. Restart Onym after the certificate was renewed.")
CONFIG("tls.key", tls.key, TEXT, "", "", "", "a file", RESTART,
    "PEM file with the certificate's private key; only Onym's user should be able to read it.")

CONFIG("limits.connections", limits.connections, INT, "20000", "16", "1000000", "connections", RESTART,
    "How many connections may be open at once. When fifteen sixteenths of them are open, each new one closes the "
    "one that was idle longest (or has been arriving, or not reading its answer, for over 5 s); if there is none to "
    "close and no room, the new one is answered 503 with Retry-After. Each idle connection costs about 2 KiB and a "
    "file descriptor: raise the process's limit (LimitNOFILE) together with this.")
CONFIG("limits.idle_timeout", limits.idle_ms, DURATION, "75s", "1s", "1h", "duration", RESTART,
    "How long a connection may be idle between requests before it is closed. A longer time saves handshakes for "
    "SDKs that keep their connections, and costs memory for those that never come back. It should be longer than a "
    "proxy's own.")
CONFIG("limits.request_timeout", limits.request_ms, DURATION, "30s", "1s", "10m", "duration", RESTART,
    "How long one request may take to arrive, from its first byte to its last; then it is answered 408. The time "
    "that an answer takes is not limited by this. It stops a client that sends one byte a second from holding its "
    "place for ever; slow mobile connections need some seconds for a full batch.")

CONFIG("limits.stop_timeout", limits.stop_ms, DURATION, "3s", "1s", "10m", "duration", RESTART,
    "How long a stop (SIGTERM) may take, whatever hangs. For a third of it, Onym and destinations may still answer "
    "requests that have begun; then they are cut off. Nothing is lost by that: a client that got no answer sends "
    "again, and what a destination has not confirmed is sent again under the same key.")

CONFIG("retention.age", retention.age_ms, DURATION, "0", "0", "36500d", "duration", RESTART,
    "Journal segments that are wholly older than this (by arrival) are removed. 0 keeps them for ever, at a cost of "
    "about 60 bytes an event once they are sealed. What is removed cannot be rebuilt, exported or delivered again.")
CONFIG("retention.bytes", retention.bytes, SIZE, "0", "0", "1024TB", "bytes", RESTART,
    "While the journal is larger than this, its oldest sealed segments are removed. 0 is no limit. This protects a "
    "disk that is shared; without it Onym answers 503 on a full disk until there is room, and loses nothing that "
    "was acknowledged.")

CONFIG("retention.undelivered", retention.undelivered_ms, DURATION, "7d", "0", "3650d", "duration", LIVE,
    "Segments that a destination has not read yet are kept this much longer than retention.age says, as long as the "
    "journal is not twice retention.bytes. Choose enough time to repair a destination over a holiday; what it has "
    "not read by then is not delivered, and its last error says so.")

CONFIG("journal.on_damage", journal.on_damage, WORD, "skip", "", "", "skip|stop", RESTART,
    "What counting does if a part of the journal cannot be read (a bad block, a bit that flipped). skip: it is "
    "logged, skipped and counted (onym_missing_messages, `onym verify`, the warnings of every answer), and "
    "everything else goes on; destinations always do so. stop: counting and delivery wait at that place until you "
    "have restored the segment from a backup; collection goes on.")

CONFIG("journal.on_newer", journal.on_newer, WORD, "stop", "", "", "stop|skip", RESTART,
    "What counting and delivery do at a record that a newer Onym wrote and this one cannot read, for instance after "
    "you went back to an older version. stop: they wait there; collection goes on. skip: it is skipped, logged and "
    "counted like damage; `onym rebuild` with the newer version counts it.")
CONFIG("journal.segment_bytes", journal.segment_bytes, SIZE, "128MiB", "1MiB", "1GiB", "bytes", RESTART,
    "Size of one journal file. Retention, sealing and recovery work segment by segment: smaller ones free the disk "
    "in finer steps, larger ones make fewer files.")
CONFIG("journal.seal_level", journal.seal_level, INT, "3", "1", "19", "zstd level", RESTART,
    "How strongly full segments are compressed, in the background, once. 3 is about 400 MB/s a core; 9 saves about "
    "a tenth more and takes five times as long; above 15 only for archives.")
CONFIG("journal.reserve_bytes", journal.reserve_bytes, SIZE, "64MiB", "0", "1TB", "bytes", RESTART,
    "Onym stops accepting (503, Retry-After) while less than this is free on the disk, and resumes by itself. 0 "
    "goes on to the last byte. Leave room for other things on that disk.")

CONFIG("dedup.window", dedup.window_ms, DURATION, "28d", "1h", "3650d", "duration", RESTART,
    "How long a messageId is remembered, so that a message sent twice is counted once. SDKs retry for minutes, "
    "phones for days. A longer window costs about 24 bytes of memory for each event in it. The time is that of "
    "arrival; if the clock jumps, the window ends early by a 32nd at most.")

CONFIG("identity.blocked_values", identity.blocked_values, TEXTS, "[]", "", "", "texts", RESTART,
    "Ids that never identify anyone, besides the built-in ones (null, undefined, NaN, 0, -1, guest, anonymous, "
    "unknown, true, N/A, {{user.id}}, ...): add what your own code sends for \"nobody\", such as \"test-user\". "
    "Otherwise one wrong id that thousands share would make one person of them. After a change everything is "
    "derived again at the next start.")
CONFIG("identity.placeholders", identity.placeholders, INT, "3", "1", "3", "list", RESTART,
    "Which of the built-in lists of such ids counts: 1 is the nine ids of the first release, 2 has NaN, nil, true, "
    "false, N/A, quoted ones, leftover templates and more, 3 all that nobody can see (fillers, tags). Run onym identity --dry-run FILE, with the other number "
    "in FILE, to see whom a change would split; after a change everything is derived again at the next start.")
CONFIG("identity.externals", identity.externals, TEXTS, "[]", "", "", "texts", RESTART,
    "Further ids that link, strongest first: NAME=FIELD, NAME=FIELD:LIMIT or NAME=FIELD:LIMIT:fold, such as "
    "\"email=traits.email:5:fold\" or \"device=context.device.id\". LIMIT: how many ids of that kind one stronger "
    "id may have. fold: upper and lower case, and spaces, do not matter (Kim@Example.com is kim@example.com). An id "
    "that several people share moves in time between them and merges nobody. After a change everything is derived "
    "again at the next start. docs/identity.md")

CONFIG("queries.threads", queries.threads, INT, "0", "0", "16", "threads", RESTART,
    "Threads that one question (a funnel, a retention) may use; 0 is one for each core. They run at a lower "
    "priority than collection, which gets the processor whenever it needs it.")
CONFIG("queries.memory", queries.memory_bytes, SIZE, "1GiB", "64MiB", "1TB", "bytes", RESTART,
    "Memory that one question may use, besides the index itself; two questions run at once. One that needs more is "
    "refused with too_large. A funnel over 100 million events in which most people merged takes some hundred MB.")

CONFIG("doctor.signup_events", doctor.signup_events, TEXTS, "[]", "", "", "names of events", RESTART,
    "The events that are a sign-up, for onym doctor: [\"Account Created\"]. If you leave it out, the usual names "
    "count (Signed Up, Account Created, Registered, ...), and if no event has one of them, the first event of a "
    "user counts.")

CONFIG("doctor.every", doctor.every_ms, DURATION, "1h", "0", "30d", "duration", RESTART,
    "How often the server examines by itself what onym doctor tells; 0 is never. The numbers are in /metrics "
    "(onym_findings), so that an alert can stand on them. It takes about 2.6 seconds of one core for a million "
    "messages of the last seven days, at the lowest priority and one at a time; it waits while answers are not "
    "complete, and takes a twentieth of the time at most.")

CONFIG("sources", sources, ENTRIES, "[]", "", "", "a list", LIVE,
    "Where events come from: one entry for each website, app or server, with its own write key. If you leave it "
    "out, there is one source named default; its key is made at the first start and kept in keys.yaml.")
CONFIG("keys", keys, ENTRIES, "[]", "", "", "a list", LIVE,
    "Further keys for reading, one entry for each person or program that should not have the secret key: its role "
    "says what it may do. They are used in requests as the secret key is, and sign in to the dashboard. When you "
    "remove a key its sessions end. docs/access.md")
CONFIG("destinations", destinations, ENTRIES, "[]", "", "", "a list", LIVE,
    "Where events go: one entry for each receiving service. Each has its own place in the journal; a slow or dead "
    "one does not delay the others.")
CONFIG("warehouses", warehouses, ENTRIES, "[]", "", "", "a list", RESTART,
    "Databases of your own that every event is loaded into, exactly once, in Segment's tables: one entry a schema. "
    "docs/warehouses.md")
CONFIG("alerts", alerts, ENTRIES, "[]", "", "", "a list", RESTART,
    "Who is told of findings of the doctor: after each examination by the server itself (doctor.every) a message with "
    "what is new or came back, if there is any. Numbers only: no ids, no values. docs/doctor.md")

SOURCE("name", name, TEXT, NULL, "", "", "letters, digits, . _ -", LIVE,
    "It is in every event (projectId), in filters and in metrics. A new name is a new source.")
SOURCE("write_key", write_key, TEXT, NULL, "", "", "text", LIVE,
    "You give it to the SDK. It can only write, so it may be public; still, a long random one keeps strangers from "
    "inventing events.")
SOURCE("own_path", own_path, TEXT, "", "", "", "letters, digits, - _", LIVE,
    "A word for a script and a path of the source's own, say m4p: the library is then at /m4p.js, and its calls go "
    "below /m4p/. Ad blockers know /analytics.js/ and /v1/. Empty: only those. onym keys --snippet prints it.")
SOURCE("enabled", enabled, BOOL, "true", "", "", "true or false", LIVE,
    "false: its events are answered 200 and kept as rejected with the reason source_disabled.")
SOURCE("kind", kind, WORD, "browser", "", "", "browser|server", LIVE,
    "browser (and phones): context.ip is filled from the connection. server: it is not, since the connection is a "
    "data centre's and says nothing about the person.")
SOURCE("events_per_second", events_per_second, INT, "0", "0", "10000000", "events a second", LIVE,
    "Above this rate, requests of the source are answered 429 with Retry-After, and SDKs come back later. 0 is no "
    "limit. It protects the other sources from one page that sends in a loop.")
SOURCE("burst_events", burst_events, INT, "0", "0", "100000000", "events", LIVE,
    "How many may come at once before the rate counts; 0 is as many as the rate gives in ten seconds.")
SOURCE("allowed_origins", allowed_origins, TEXTS, "[]", "", "", "origins", LIVE,
    "Web pages that may send with this key: [\"https://www.example.com\"]. Empty is any. Browsers enforce it; a "
    "program that is not a browser can claim any origin.")
SOURCE("device_mode", device_mode, NODE, "", "", "", "a map", LIVE,
    "Vendors' tools that the browser library loads into the source's pages, once the visitor's consent has let a "
    "call through: intercom {app_id}, google_tag {ids}, meta_pixel {pixel_id}, posthog {api_key}; docs/browser.md "
    "has the settings of each. All of it is public: pages read it.")

KEY("name", name, TEXT, NULL, "", "", "letters, digits, . _ -", LIVE,
    "The log names it with what was done with the key, and so does the list of sessions.")
KEY("key", key, SECRET, NULL, "", "", "text", LIVE,
    "A long random text. Take it from the environment rather than writing it here: ${GRAFANA_KEY}.")
KEY("role", role, WORD, "reader", "", "", "reader|analyst|admin", LIVE,
    "reader: numbers, broken down by what events say, not by people's traits or ids. analyst: people as well, but "
    "changes nothing. admin: everything that the secret key may do.")

DESTINATION("name", name, TEXT, NULL, "", "", "letters, digits, . _ -", LIVE,
    "Its name in metrics, commands and the dashboard; its place in the journal is kept under this name.")
DESTINATION("type", type, TEXT, NULL, "", "", "text", LIVE,
    "What it is: mixpanel, kissmetrics, intercom or webhook; onym destinations types shows each one's settings.")
DESTINATION("enabled", is_enabled, BOOL, "true", "", "", "true or false", LIVE,
    "false: it keeps its place and gets nothing; what came in the meantime is delivered when it is enabled again.")
DESTINATION("sources", sources, TEXTS, "[]", "", "", "names of sources", LIVE,
    "Only events of these sources go there. Empty: all sources.")
DESTINATION("settings", settings, NODE, "", "", "", "a map", LIVE,
    "The settings of this type: tokens, endpoint, identity mode; docs/destinations.md has each type's list.")
DESTINATION("rules", rules, NODE, "", "", "", "a map", LIVE,
    "What goes there, and how long it is tried: types, events {allow, deny}, properties {allow, deny, hash}, "
    "hash_salt, consent, retry_hours, grace_seconds, settle_ms, start (now or beginning), window, requests_at_once, "
    "requests_per_second; docs/delivery.md has each with its default.")

WAREHOUSE("name", name, TEXT, NULL, "", "", "letters, digits, . _ -", RESTART,
    "Its name in metrics and commands. Where it stands is kept in the database under it: another name begins anew.")
WAREHOUSE("type", type, TEXT, NULL, "", "", "postgres", RESTART,
    "What it is: postgres.")
WAREHOUSE("enabled", is_enabled, BOOL, "true", "", "", "true or false", RESTART,
    "false: it keeps its place and gets nothing; what came meanwhile is loaded once it is enabled again, if retention has "
    "kept it: the journal waits for enabled ones only, and so do erasures.")
WAREHOUSE("sources", sources, TEXTS, "[]", "", "", "names of sources", RESTART,
    "Only events of these go there. Empty is all. Segment has one schema a source: that is an entry for each.")
WAREHOUSE("settings", settings, NODE, "", "", "", "a map", RESTART,
    "url (postgres://user:password@host:port/database; take it from the environment: ${WAREHOUSE_URL}), schema (the "
    "warehouse's name if left out), naming (segment or rudderstack), every (10s: how long after a load the next begins), "
    "people (true, or false where sources are named: onym_people and the views ..._resolved), "
    "tables (only these: [order_*, identifies]), skip (not these tables and columns: [pages, users.email, '*.context_ip']).")

ALERT("url", url, SECRET, NULL, "", "", "an http:// or https:// URL", RESTART,
    "Where the message is sent. It is kept like a secret; take it from the environment: ${ALERT_URL}.")
ALERT("format", format, WORD, "json", "", "", "json|slack", RESTART,
    "json: an object for a program. slack: a text for an incoming webhook of Slack, Mattermost or Rocket.Chat.")
ALERT("secret", secret, SECRET, "", "", "", "text", RESTART,
    "Signs the message as destinations of type webhook are signed: X-Signature and X-Onym-Signature.")
ALERT("min_severity", severity, WORD, "warning", "", "", "info|warning|error", RESTART,
    "Findings that weigh less are not told.")
ALERT("allow_private", allow_private, BOOL, "false", "", "", "true or false", RESTART,
    "Let the URL lead to loopback, private and link-local addresses.")

#undef CONFIG
#undef SOURCE
#undef KEY
#undef DESTINATION
#undef WAREHOUSE
#undef ALERT
