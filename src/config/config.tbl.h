/* Every option of onym.yaml.
 *
 * CONFIG(path, field, type, default, least, most, unit, when, why)       one option of the file
 * SOURCE(key, field, type, default, least, most, unit, when, why)        one key of an entry of sources
 * KEY(...)                                                               one key of an entry of keys
 * DESTINATION(...)                                                       one key of an entry of destinations
 *
 * type     TEXT SECRET TEXTS INT BOOL WORD DURATION SIZE LISTEN NODE ENTRIES, see config_private.h
 * default  as it would be written in the file; NULL: must be given; "" or "[]": nothing
 * least, most  for INT, DURATION, SIZE: in the file's own spelling; else ""
 * unit     what a number counts; for WORD the words, in the order of their enum: "keep|refuse"
 * when     LIVE: a reload (SIGHUP) changes it; RESTART: it needs a new process; NOT_YET: read and judged, but
 *          nothing uses it yet, which is said where it is given
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

CONFIG("listen", listen, LISTEN, "127.0.0.1:8080", "", "", "host:port, or a list of them", RESTART,
    "Where Onym answers. The default is reachable from this machine only, which is right behind a reverse "
    "proxy. \"0.0.0.0:8080\" is every IPv4 address, \"[::]:8080\" every address, \"[::1]:8080\" IPv6 on this "
    "machine. Without tls below, keys and events travel in the clear: put a proxy or tls in front before you "
    "open it to a network.")
CONFIG("data", data, TEXT, "./onym-data", "", "", "a directory", RESTART,
    "Everything that Onym keeps: the journal, and what is derived from it. Made if it is not there. One "
    "process at a time owns it, a lock says so. It wants a local disk whose fdatasync can be believed; "
    "network file systems are a way to lose data slowly.")
CONFIG("secret_key", secret_key, SECRET, "", "", "", "text", RESTART,
    "The key that reads and administers: people, funnels, exports, imports. Never give it to a browser. "
    "Left out, one is made at the first start and kept in keys.yaml in the data directory (mode 0600). "
    "Take it from the environment rather than writing it here: ${ONYM_SECRET_KEY}.")
CONFIG("public_url", public_url, TEXT, "", "", "", "a URL", RESTART,
    "How the world reaches this Onym: \"https://events.example.com\". It stands in the snippets that are "
    "printed for copying. Left out, it is made from listen, which is right until there is a proxy in front.")
CONFIG("threads", threads, INT, "0", "0", "256", "threads", RESTART,
    "How many threads take requests. 0 is one a core. More than cores buys nothing: a thread never waits for "
    "the disk, it hands its events to the shared commit and goes on.")
CONFIG("unknown_write_keys", unknown_write_keys, WORD, "keep", "", "", "keep|refuse", RESTART,
    "What happens to events whose write key no source has. keep: answered 200, as Segment does, and kept as "
    "rejected with the reason project_not_found, where `onym tail --rejected` shows them: a mistyped key "
    "is seen, and no SDK goes into a loop of retries. refuse: answered 401 and not kept: costs strangers' "
    "noise no disk, but some SDKs (Go's) send a refused batch ten times.")
CONFIG("clock_skew_least", clock_skew_least_ms, DURATION, "0", "0", "1d", "duration", RESTART,
    "A client's clock is measured by its sentAt against our own at arrival, and its timestamps are moved by "
    "the difference. Differences smaller than this are left alone. 0 corrects all, as Segment does; a few "
    "seconds keep times exactly as a well-synchronised client wrote them, at the price of that much error.")
CONFIG("keep_ip", keep_ip, BOOL, "true", "", "", "true or false", RESTART,
    "Whether the address of a browser goes into context.ip of its events. Destinations use it to guess a "
    "city; privacy rules may want it never to be stored. What a client writes into context.ip itself is kept "
    "in any case.")
CONFIG("plan", plan, TEXT, "", "", "", "a file", LIVE,
    "The tracking plan: which events there are, with which properties, and what happens to a message that breaks that "
    "(docs/plan.md). Left out, it is plan.yaml beside this file, where there is one. A path that does not begin with / is "
    "meant from this file's directory.")
CONFIG("ui", has_ui, BOOL, "true", "", "", "true or false", RESTART,
    "Whether the dashboard is served at / to browsers, and people can sign in to it (docs/access.md). false: neither "
    "page nor sessions; the API answers to keys alone, as before.")
CONFIG("ui_listen", ui_listen, TEXT, "", "", "", "host:port", RESTART,
    "An address of its own for the dashboard and the API, with their sessions: \"127.0.0.1:8081\". There everything is "
    "answered; at the addresses of listen then only what websites and SDKs need: collection, the browser library, "
    "health and metrics. So nobody who can reach collection reaches the data, whatever key he has, and no page on the "
    "collecting host is of one origin with the dashboard. Left out, listen answers everything.")
CONFIG("trusted_proxies", trusted_proxies, TEXTS, "[]", "", "", "addresses or networks", RESTART,
    "Reverse proxies whose X-Forwarded-For is believed: [\"127.0.0.1\", \"10.0.0.0/8\"]. From anybody else that "
    "header is only a claim, and is ignored. Forgotten behind a proxy, every visitor has the proxy's address.")

CONFIG("log.level", log.level, WORD, "info", "", "", "debug|info|warn|error|none", LIVE,
    "The least level that is logged. info says what an operator wants to know next day; debug adds a line a "
    "request and is for finding out, not for leaving on.")
CONFIG("log.format", log.format, WORD, "logfmt", "", "", "logfmt|json", LIVE,
    "logfmt (key=value) reads well in a terminal and in journald; json is for log collectors. Logs go to "
    "standard error, one line an event; secrets are never in them.")

CONFIG("tls.certificate", tls.certificate, TEXT, "", "", "", "a file", RESTART,
    "PEM file with the server's certificate and those between it and the root. With tls.key it turns every "
    "listen address into https. Restart Onym when the certificate was renewed.")
CONFIG("tls.key", tls.key, TEXT, "", "", "", "a file", RESTART,
    "PEM file with the certificate's private key; readable by Onym's user only.")

CONFIG("limits.connections", limits.connections, INT, "20000", "16", "1000000", "connections", RESTART,
    "Connections open at once. From fifteen sixteenths on each new one closes the one that was idle longest (or has been "
    "arriving, or not reading its answer, for over 5 s); where there is none to close and no room, the new one is told 503 "
    "with Retry-After. Each idle one costs about 2 KiB and a file descriptor: raise the process's limit (LimitNOFILE) "
    "along with it.")
CONFIG("limits.idle_timeout", limits.idle_ms, DURATION, "75s", "1s", "1h", "duration", RESTART,
    "How long a connection may be idle between requests before it is closed. Longer saves SDKs that keep connections the "
    "handshakes, and costs the memory of those that never come back. Should be longer than a proxy's own.")
CONFIG("limits.request_timeout", limits.request_ms, DURATION, "30s", "1s", "10m", "duration", RESTART,
    "How long one request may take to arrive, first byte to last; over it, it is answered 408. How long an answer "
    "takes is not limited by this. What stops a client that sends a byte a "
    "second from holding its place for ever; slow mobile uplinks need some seconds for a full batch.")

CONFIG("limits.stop_timeout", limits.stop_ms, DURATION, "3s", "1s", "10m", "duration", RESTART,
    "How long a stop (SIGTERM) may take, whatever hangs. For a third of it requests that have begun may still be answered, "
    "by Onym and by destinations; then they are cut off. Nothing is lost by that: who was not answered sends "
    "again, and what a destination has not confirmed is sent again under the same key.")

CONFIG("retention.age", retention.age_ms, DURATION, "0", "0", "36500d", "duration", RESTART,
    "Journal segments wholly older than this (by arrival) are removed. 0 keeps for ever, which sealed costs "
    "about 60 bytes an event. What is removed cannot be rebuilt, exported or delivered again.")
CONFIG("retention.bytes", retention.bytes, SIZE, "0", "0", "1024TB", "bytes", RESTART,
    "While the journal is larger than this, its oldest sealed segments are removed. 0 is no limit. A guard "
    "for a disk that is shared; without it a full disk answers 503 until there is room, and loses nothing "
    "that was acknowledged.")

CONFIG("retention.undelivered", retention.undelivered_ms, DURATION, "7d", "0", "3650d", "duration", LIVE,
    "Segments that a destination has not read yet are kept this much longer than retention.age says, and while "
    "the journal is not twice retention.bytes. Long enough to mend a destination over a holiday; what it then "
    "still has not read goes undelivered, which its last error says.")

CONFIG("journal.on_damage", journal.on_damage, WORD, "skip", "", "", "skip|stop", RESTART,
    "What counting does where a part of the journal cannot be read (a bad block, a bit that flipped). skip: it is logged, "
    "passed over and counted (onym_missing_messages, `onym verify`, the warnings of every answer), and everything else "
    "goes on; destinations do so in any case. stop: counting and delivery wait at that place until you have brought the "
    "segment back from a backup; collection goes on.")

CONFIG("journal.on_newer", journal.on_newer, WORD, "stop", "", "", "stop|skip", RESTART,
    "What counting and delivery do at a record that a newer Onym wrote and this one cannot read, as after going back to an "
    "older version. stop: they wait there; collection goes on. skip: it is passed over, logged and counted like damage; "
    "`onym rebuild` with the newer version counts it.")
CONFIG("journal.segment_bytes", journal.segment_bytes, SIZE, "128MiB", "1MiB", "1GiB", "bytes", RESTART,
    "Size of one journal file. Retention, sealing and recovery work a segment at a time: smaller ones free "
    "the disk in finer steps, larger ones are fewer files.")
CONFIG("journal.seal_level", journal.seal_level, INT, "3", "1", "19", "zstd level", RESTART,
    "How hard full segments are compressed, in the background, once. 3 is about 400 MB/s a core; 9 saves "
    "roughly a tenth more and costs five times the time; above 15 only for archives.")
CONFIG("journal.reserve_bytes", journal.reserve_bytes, SIZE, "64MiB", "0", "1TB", "bytes", RESTART,
    "Onym stops accepting (503, Retry-After) while less than this is free on the disk, and resumes by itself. "
    "0 goes on to the last byte. Leave room for whatever else lives there.")

CONFIG("dedup.window", dedup.window_ms, DURATION, "28d", "1h", "3650d", "duration", RESTART,
    "How far back a messageId is remembered, so that a message sent twice is counted once. SDKs retry for "
    "minutes, phones for days. A longer window costs about 24 bytes of memory an event in it. Time goes by arrival; "
    "a clock that jumps ends it by a 32nd early at most.")

CONFIG("identity.blocked_values", identity.blocked_values, TEXTS, "[]", "", "", "texts", RESTART,
    "Ids that never identify anyone, besides the built-in ones (null, undefined, NaN, 0, -1, guest, anonymous, "
    "unknown, true, N/A, {{user.id}}, ...): add what your own code sends for \"nobody\", "
    "such as \"test-user\". One wrong "
    "id shared by thousands would otherwise make one person of them. A change makes everything derived anew at the next start.")
CONFIG("identity.placeholders", identity.placeholders, INT, "2", "1", "2", "list", RESTART,
    "Which of the built-in lists of such ids counts: 1 is the nine of the first release, 2 has NaN, nil, true, false, "
    "N/A, quoted ones, template rests and more. onym identity --dry-run FILE, with the other number in FILE, tells "
    "before whom a change would part; it makes everything derived anew at the next start.")
CONFIG("identity.externals", identity.externals, TEXTS, "[]", "", "", "texts", RESTART,
    "Further ids that link, strongest first: NAME=FIELD, NAME=FIELD:LIMIT or NAME=FIELD:LIMIT:fold, such as "
    "\"email=traits.email:5:fold\" or \"device=context.device.id\". LIMIT: how many of that kind one stronger id may hold. "
    "fold: case and blanks do not matter (Kim@Example.com is kim@example.com). A shared one moves in time "
    "between people and merges nobody. A change makes everything derived anew at the next start. docs/identity.md")

CONFIG("queries.threads", queries.threads, INT, "0", "0", "16", "threads", RESTART,
    "Threads that one question (a funnel, a retention) may use; 0 is one a core. They run at a lower priority "
    "than collection, which takes the processor from them whenever it needs it.")
CONFIG("queries.memory", queries.memory_bytes, SIZE, "1GiB", "64MiB", "1TB", "bytes", RESTART,
    "Memory that one question may use, beside the index itself; two run at once. One that needs more is refused "
    "with too_large. A funnel over 100 million events in which most people merged takes some hundred MB.")

CONFIG("doctor.signup_events", doctor.signup_events, TEXTS, "[]", "", "", "names of events", RESTART,
    "The events that are a sign-up, for onym doctor: [\"Account Created\"]. Left out, it is told by the usual names (Signed "
    "Up, Account Created, Registered, ...), and where no event has one, the first event of a user counts.")

CONFIG("sources", sources, ENTRIES, "[]", "", "", "a list", LIVE,
    "Where events come from: one entry a website, app or server, each with its own write key. Left out, there "
    "is one source named default, whose key is made at the first start and kept in keys.yaml.")
CONFIG("keys", keys, ENTRIES, "[]", "", "", "a list", LIVE,
    "Further keys that read, one entry for each person or program that should not have the secret key: what each may is "
    "its role. They are brought as the secret key is, and sign in to Onym's page. A key that is taken out ends its "
    "sessions. docs/access.md")
CONFIG("destinations", destinations, ENTRIES, "[]", "", "", "a list", LIVE,
    "Where events go: one entry a receiving service. Each has its own place in the journal; a slow or dead one "
    "holds up no other.")

SOURCE("name", name, TEXT, NULL, "", "", "letters, digits, . _ -", LIVE,
    "Stands in every event (projectId), in filters and in metrics. Renaming it starts a new source.")
SOURCE("write_key", write_key, TEXT, NULL, "", "", "text", LIVE,
    "What the SDK is given. It can only write, so it may be public; still, a long random one keeps strangers "
    "from inventing events.")
SOURCE("own_path", own_path, TEXT, "", "", "", "letters, digits, - _", LIVE,
    "A word for a script and a path of the source's own, say m4p: the library at /m4p.js, its calls below /m4p/. Ad "
    "blockers know /analytics.js/ and /v1/ by heart. Empty: those alone. onym keys --snippet prints it.")
SOURCE("enabled", enabled, BOOL, "true", "", "", "true or false", LIVE,
    "false: its events are answered 200 and kept as rejected with the reason source_disabled.")
SOURCE("kind", kind, WORD, "browser", "", "", "browser|server", LIVE,
    "browser (and phones): context.ip is filled from the connection. server: the connection is a data "
    "centre's and says nothing about the person, so it is not.")
SOURCE("events_per_second", events_per_second, INT, "0", "0", "10000000", "events a second", LIVE,
    "Above this rate requests of the source are answered 429 with Retry-After, and SDKs come back later. 0 "
    "is no limit. Protects the others from one page that sends in a loop.")
SOURCE("burst_events", burst_events, INT, "0", "0", "100000000", "events", LIVE,
    "How many may come at once before the rate counts; 0 is ten seconds' worth.")
SOURCE("allowed_origins", allowed_origins, TEXTS, "[]", "", "", "origins", LIVE,
    "Web pages that may send with this key: [\"https://www.example.com\"]. Empty is any. Browsers enforce "
    "it; a program that is no browser can claim any origin.")
SOURCE("device_mode", device_mode, NODE, "", "", "", "a map", LIVE,
    "Vendors' tools that the browser library loads into the source's pages, once consent has let a call through: "
    "intercom {app_id}, google_tag {ids}, meta_pixel {pixel_id}, posthog {api_key}; docs/browser.md has each one's "
    "settings. All of it is public: pages read it.")

KEY("name", name, TEXT, NULL, "", "", "letters, digits, . _ -", LIVE,
    "Stands in the log beside what was done with it, and in the list of sessions.")
KEY("key", key, SECRET, NULL, "", "", "text", LIVE,
    "A long random text. Take it from the environment rather than writing it here: ${GRAFANA_KEY}.")
KEY("role", role, WORD, "reader", "", "", "reader|analyst|admin", LIVE,
    "reader: numbers, broken down by what events say, not by people's traits or ids. analyst: people, too, and changes "
    "nothing. admin: everything that the secret key may.")

DESTINATION("name", name, TEXT, NULL, "", "", "letters, digits, . _ -", LIVE,
    "Its name in metrics, commands and the dashboard; its cursor is kept under it.")
DESTINATION("type", type, TEXT, NULL, "", "", "text", LIVE,
    "What it is: mixpanel, kissmetrics, intercom or webhook; onym destinations types shows each one's settings.")
DESTINATION("enabled", is_enabled, BOOL, "true", "", "", "true or false", LIVE,
    "false: it keeps its place and gets nothing; what came meanwhile is delivered once it is enabled again.")
DESTINATION("sources", sources, TEXTS, "[]", "", "", "names of sources", LIVE,
    "Only events of these go there. Empty is all.")
DESTINATION("settings", settings, NODE, "", "", "", "a map", LIVE,
    "What this type wants: tokens, endpoint, identity mode; docs/destinations.md has each type's list.")
DESTINATION("rules", rules, NODE, "", "", "", "a map", LIVE,
    "What goes there, and how hard it is tried: types, events {allow, deny}, properties {allow, deny, hash}, "
    "hash_salt, consent, retry_hours, grace_seconds, settle_ms, start (now or beginning), window, "
    "requests_at_once, requests_per_second; docs/delivery.md has each with its default.")

#undef CONFIG
#undef SOURCE
#undef KEY
#undef DESTINATION
