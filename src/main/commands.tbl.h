/* Every command and every option of it.
 *
 * COMMAND(name, function, group, operands, summary, details)
 * OPTION(command, letter, name, value, path, help)     value NULL: a switch; path: the configuration's
 *                                                      option that it overrides
 */
#ifndef COMMAND
#define COMMAND(...)
#endif
#ifndef OPTION
#define OPTION(...)
#endif

#define OPTIONS_OF_DATA(command) \
    OPTION(command, 'c', "config", "FILE", NULL, "the configuration; without it $ONYM_CONFIG, or the defaults") \
    OPTION(command, 'd', "data", "DIR", "data", "the data directory, instead of the configuration's")
#define OPTIONS_OF_ASKING(command) \
    OPTIONS_OF_DATA(command) \
    OPTION(command, 0, "url", "URL", NULL, "the server to ask, where it is not at the configuration's address")
#define OPTIONS_OF_FILTER(command) \
    OPTION(command, 't', "type", "TYPE", NULL, "only identify, track, page, screen, group or alias; repeatable") \
    OPTION(command, 'e', "event", "NAME", NULL, "only this event (or page, screen) name; repeatable") \
    OPTION(command, 'u', "user", "ID", NULL, "only this userId or anonymousId; repeatable") \
    OPTION(command, 's', "source", "NAME", NULL, "only this source; repeatable")

COMMAND("serve", command_serve, "Run", "", "collects events and answers questions",
    "Without a configuration it listens on 127.0.0.1:8080, makes ./onym-data, and makes keys that it shows "
    "and keeps. SIGHUP reloads the configuration, SIGTERM ends it cleanly: what was accepted is on disk.")
OPTIONS_OF_DATA("serve")
OPTION("serve", 'l', "listen", "HOST:PORT", "listen", "where to listen, instead of the configuration's; repeatable")
OPTION("serve", 0, "threads", "N", "threads", "threads that take requests; 0: as many as there are cores")
OPTION("serve", 0, "log-level", "LEVEL", "log.level", "debug, info, warn, error or none")
OPTION("serve", 0, "log-format", "FORMAT", "log.format", "logfmt or json")

COMMAND("demo", command_demo, "Run", "", "serves an example site, and shows a visitor become user 12345",
    "A small music site on http://localhost:8090 and Onym on http://127.0.0.1:8080, on new data in a directory of their "
    "own. Open the site, play a song, sign up: the terminal shows each call, and who the visitor turns out to be. With "
    "--data nothing is served: the configuration's instance, which must be empty, is filled with a month of such a site, "
    "2,000 sign-ups and the mistakes of real tracking among them, and the true numbers are written beside it. "
    "docs/demo.md says what is in it.")
OPTION("demo", 'l', "listen", "HOST:PORT", NULL, "where Onym listens (127.0.0.1:8080)")
OPTION("demo", 0, "site", "HOST:PORT", NULL, "where the site listens (127.0.0.1:8090)")
OPTION("demo", 0, "data", NULL, NULL, "fill an instance instead: a stopped one itself, a running one through its server")
OPTION("demo", 0, "seed", "N", NULL, "with --data: each number gives another history (1)")
OPTION("demo", 0, "users", "N", NULL, "with --data: how many sign up, 1 to 10000 (2000)")
OPTION("demo", 0, "days", "N", NULL, "with --data: how many days it has, 14 to 90 (30)")
OPTION("demo", 0, "to", "DAY", NULL, "with --data: it ends as this day begins, in UTC (today)")
OPTION("demo", 0, "truth", "FILE", NULL, "with --data: where the true numbers are written (DIR.truth.json beside the data directory)")
OPTION("demo", 'c', "config", "FILE", NULL, "with --data: the configuration of the instance; without it $ONYM_CONFIG, or the defaults")
OPTION("demo", 0, "into", "DIR", "data", "with --data: the data directory, instead of the configuration's")
OPTION("demo", 0, "url", "URL", NULL, "with --data: the running server, where it is not at the configuration's address")
OPTION("demo", 's', "source", "NAME", NULL, "with --data: the source of the site (the configuration's first)")
OPTION("demo", 0, "server-source", "NAME", NULL, "with --data: the source of the site's server (the same)")
OPTION("demo", 0, "add", NULL, NULL, "with --data: fill it even if it has events; nothing can take the made-up ones out again")
OPTION("demo", 0, "json", NULL, NULL, "with --data: print the counts as JSON")

COMMAND("ui", command_ui, "Run", "", "prints a link that opens the dashboard, signed in",
    "Asks the running server: http://127.0.0.1:8080/#link=..., good once, within a minute, with the rights of the secret "
    "key. onym serve prints one in its terminal, too. docs/access.md is about sessions, and about keys with fewer rights.")
OPTIONS_OF_ASKING("ui")

COMMAND("check-config", command_check_config, "Run", "[FILE]", "reads a configuration and says what is wrong with it",
    "Shows everything that is wrong, with its line. Exits 1 if there is an error; warnings alone exit 0. "
    "Opens nothing and changes nothing.")
OPTION("check-config", 'c', "config", "FILE", NULL, "the same as FILE")
OPTION("check-config", 0, "template", NULL, NULL,
    "print every option with its default and its reason, as a file to start from")
OPTION("check-config", 0, "markdown", NULL, NULL, "print the same as a page to read, docs/configuration.md")
OPTION("check-config", 0, "json", NULL, NULL, "print the findings as JSON")

COMMAND("keys", command_keys, "Run", "", "shows the write keys, and the secret key if asked",
    "Write keys go into websites, apps and servers, and can only write. The secret key reads and administers.")
OPTIONS_OF_DATA("keys")
OPTION("keys", 0, "secret", NULL, NULL, "print the secret key too")
OPTION("keys", 0, "snippet", NULL, NULL, "print the snippet for the <head> of a website, with the first source's key")
OPTION("keys", 0, "json", NULL, NULL, "print JSON")

COMMAND("check-site", command_check_site, "Look", "URL", "loads a page of your site and says what stands between it and a counted sign-up",
    "Loads the page in the Chromium or Chrome of this machine ($CHROMIUM, else the usual names), without a window and with an "
    "empty profile, and says within ten seconds how they are: snippet, script, write key, Content-Security-Policy, calls, "
    "redirects, consent, cookies; each with what to do. Works for pages with analytics.js, analytics-next and RudderStack's "
    "SDK, too. Exits 0 if no finding is an error, 1 if one is, 2 if the page could not be checked. The visit counts like "
    "any other. docs/check-site.md explains each finding.")
OPTION("check-site", 'c', "config", "FILE", NULL, "the configuration whose write keys are expected; without it $ONYM_CONFIG")
OPTION("check-site", 'd', "data", "DIR", "data", "the data directory, instead of the configuration's")
OPTION("check-site", 0, "write-key", "KEY", NULL, "the write key that the page should have")
OPTION("check-site", 0, "server", "URL", NULL, "the server to ask about the write key, instead of the one that the page names")
OPTION("check-site", 0, "timeout", "SECONDS", NULL, "how long all of it may take (10)")
OPTION("check-site", 0, "wait", "SECONDS", NULL, "how long to go on looking after the page has loaded (2)")
OPTION("check-site", 0, "user-agent", "TEXT", NULL, "what the browser calls itself, for sites that refuse one without a window")
OPTION("check-site", 0, "json", NULL, NULL, "print JSON, with the name of each finding and every call that was seen")

COMMAND("tail", command_tail, "Look", "", "shows events as they arrive",
    "Reads the journal itself, beside a running server or a stopped one. Begins with the last ten, and follows. "
    "WHERE is start, end, an instant (2026-11-23T12:00:00Z), a duration ago (15m), or a journal position. Times are of "
    "arrival: in a terminal this machine's, which the first line says; elsewhere UTC.")
OPTIONS_OF_DATA("tail")
OPTIONS_OF_FILTER("tail")
OPTION("tail", 'n', "lines", "N", NULL, "begin with the last N that match (10)")
OPTION("tail", 0, "from", "WHERE", NULL, "begin there instead")
OPTION("tail", 0, "rejected", NULL, NULL, "show rejected messages, with why, instead of accepted ones")
OPTION("tail", 0, "all", NULL, NULL, "show accepted and rejected ones")
OPTION("tail", 0, "no-follow", NULL, NULL, "stop at the end, do not wait for more")
OPTION("tail", 0, "json", NULL, NULL, "print each as one line of JSON")

COMMAND("plan", command_plan, "Look", "check|dry-run|init|diff|import|types|release [FILE...|DESTINATION]",
    "compares messages with the tracking plan",
    "check: reads the plan and says what is wrong with it; with files of messages (NDJSON, as onym export writes them; - is "
    "standard input), what in them breaks it, a line each, and exits 1 if anything does: for a website's CI. dry-run: what "
    "the plan would have done with what came. init: writes a plan from what came. diff FILE FILE: what differs between two "
    "plans. import FILE: a plan of Segment or RudderStack as JSON. types: the plan as TypeScript. release: what the plan held (the rung hold) goes to the "
    "destination, or to all of them. docs/plan.md says what a plan holds.")
OPTIONS_OF_ASKING("plan")
OPTION("plan", 'p', "plan", "FILE", NULL, "the plan, instead of the configuration's (plan:, or plan.yaml beside it)")
OPTION("plan", 's', "source", "NAME", NULL, "check: the source that all messages count for, instead of each one's projectId")
OPTION("plan", 0, "from", "TIME", NULL, "dry-run, init: what arrived since (30d); release: what happened since (all that is kept)")
OPTION("plan", 0, "to", "TIME", NULL, "release: what happened before this time; without it up to now")
OPTION("plan", 0, "imports", NULL, NULL, "dry-run, init: imported messages, too")
OPTION("plan", 0, "json", NULL, NULL, "print JSON")

#define ASKED(KIND, command, operands, members, wants, summary, details) \
    COMMAND(command, command_question, "Answer", operands, summary, details) OPTIONS_OF_ASKING(command)
#define MEMBER(command, letter, option, value, how, member, help) OPTION(command, letter, option, value, NULL, help)
#include "ask/questions.tbl.h"

COMMAND("doctor", command_doctor, "Answer", "[mute|unmute] [FINGERPRINT]", "says what is wrong with the tracking, for whom, and how to mend it",
    "Looks at what came in the last days and at who is who: sign-ups without a history, one device with several users, calls "
    "that come twice. Each finding says how many of how many, whom it concerns, what it does to a number, and the code that "
    "mends it. mute: do not count this finding, for a reason. With --fail-on the exit status is 1 if a finding is that bad, "
    "for tests of a website. docs/doctor.md defines each of them.")
OPTIONS_OF_ASKING("doctor")
OPTION("doctor", 0, "since", "DURATION", NULL, "what arrived in the last 1h, 7d, at most 90d (7d)")
OPTION("doctor", 's', "source", "NAME", NULL, "only findings of this source")
OPTION("doctor", 0, "signup", "EVENT", NULL, "the event that is a sign-up, if neither its name nor doctor.signup_events says so")
OPTION("doctor", 0, "imports", NULL, NULL, "imported messages, too, by the times of their events")
OPTION("doctor", 0, "accounts", "FILE", NULL, "instead: which accounts of this CSV never arrived, late, without a history, twice")
OPTION("doctor", 0, "id", "COLUMN", NULL, "accounts: the column of the user id, if the guess is wrong")
OPTION("doctor", 0, "email", "COLUMN", NULL, "accounts: the column of the e-mail address")
OPTION("doctor", 0, "created", "COLUMN", NULL, "accounts: the column of the time when the account was made")
OPTION("doctor", 0, "all", NULL, NULL, "accounts: list each account, not only ten of each cause")
OPTION("doctor", 0, "csv", NULL, NULL, "accounts: print them as CSV")
OPTION("doctor", 0, "fail-on", "SEVERITY", NULL, "exit with 1 if a finding that is not muted is an error, a warning or an info, or worse")
OPTION("doctor", 0, "reason", "TEXT", NULL, "mute: why")
OPTION("doctor", 0, "until", "TIME", NULL, "mute: until then, or for so long (30d)")
OPTION("doctor", 0, "json", NULL, NULL, "print the API's answer")

COMMAND("ask", command_ask, "Answer", "PATH [BODY | -]", "asks the API, and prints its JSON",
    "What /api/v1 answers, with the secret key put in: onym ask /api/v1/people/resolve?user_id=12345. With a BODY "
    "it is a POST; - reads it from standard input. Works beside a running server, and on a stopped data directory, "
    "for which it reads what the journal holds first.")
OPTIONS_OF_ASKING("ask")
OPTION("ask", 'X', "method", "METHOD", NULL, "GET, POST, PUT or DELETE, instead of GET, or POST with a body")

COMMAND("mcp", command_mcp, "Answer", "", "lets an assistant ask: the Model Context Protocol on standard input and output",
    "An assistant starts it and asks what the API answers: funnels, trends, retention, paths, sign-ups, events, people, "
    "destinations. It only reads. Each question goes to the running server, or to a stopped data directory. Standard "
    "output carries the protocol and nothing else. docs/mcp.md says how to set it up.")
OPTIONS_OF_ASKING("mcp")

COMMAND("person", command_person, "People", "ID", "shows who somebody is",
    "ID is a user id, an anonymous id or a person id; user_id:ID, anonymous_id:ID and person_id:ID say which. Shows "
    "ids, traits and the last events. --json prints the object of people/resolve. docs/people.md says what each field means.")
OPTIONS_OF_ASKING("person")
OPTION("person", 'n', "events", "N", NULL, "show the last N events (20)")
OPTION("person", 0, "history", NULL, NULL, "show who set which trait, when and from where, instead")
OPTION("person", 0, "export", NULL, NULL, "print everything that Onym keeps about the person as NDJSON, instead")
OPTION("person", 0, "json", NULL, NULL, "print the API's answer")

COMMAND("links", command_links, "People", "ID", "shows which messages made somebody one person",
    "Each link of the person's ids, with the message that made it.")
OPTIONS_OF_ASKING("links")
OPTION("links", 0, "json", NULL, NULL, "print the API's answer")

COMMAND("why", command_why, "People", "ID ID", "explains why two ids are one person, or two",
    "The chain of messages that joins them, or the nearest evidence and the rule that keeps them apart.")
OPTIONS_OF_ASKING("why")
OPTION("why", 0, "json", NULL, NULL, "print the API's answer")

COMMAND("unmerge", command_unmerge, "People", "ID MESSAGE-ID | POSITION | --between ID ID",
    "takes the links of a message back",
    "The message stays, but its evidence no longer counts; what other messages say still holds. onym links ID shows the "
    "messages and their positions.")
OPTIONS_OF_ASKING("unmerge")
OPTION("unmerge", 0, "between", NULL, NULL, "of all messages that link the two ids, such as every call of a browser that sends both")
OPTION("unmerge", 0, "restore", NULL, NULL, "let them count again")
OPTION("unmerge", 0, "json", NULL, NULL, "print the API's answer")

COMMAND("delete", command_delete, "People", "ID", "erases a person, from the disk as well",
    "Ids, links, traits, groups and events, from derived state and from the journal. Asks first, then waits until nothing "
    "of it is on the disk; if it is interrupted, the server goes on by itself. docs/privacy.md says what is erased and what is "
    "not.")
OPTIONS_OF_ASKING("delete")
OPTION("delete", 'y', "yes", NULL, NULL, "do not ask")
OPTION("delete", 0, "suppress", NULL, NULL, "also keep out what arrives under these ids from now on")
OPTION("delete", 0, "no-follow", NULL, NULL, "do not wait for the end")
OPTION("delete", 0, "json", NULL, NULL, "print the API's answer")

COMMAND("suppress", command_suppress, "People", "ID...", "keeps out what arrives under an id from now on",
    "ID is a user id; anonymous_id:ID is an anonymous one; email:ID, or another external kind, stands for all ids of the "
    "person who has it now. Messages that name it are answered and not kept, and what waits "
    "for delivery is removed. What is already known of it stays: onym delete erases that, with --suppress in one go.")
OPTIONS_OF_ASKING("suppress")
OPTION("suppress", 0, "person", NULL, NULL, "all ids of the person who has this id (as onym person finds them)")
OPTION("suppress", 0, "json", NULL, NULL, "print the API's answer")

COMMAND("unsuppress", command_unsuppress, "People", "ID...", "lets an id in again",
    "What came meanwhile was not kept. ID as in onym suppress.")
OPTIONS_OF_ASKING("unsuppress")
OPTION("unsuppress", 0, "person", NULL, NULL, "all ids of the person who has this id")
OPTION("unsuppress", 0, "json", NULL, NULL, "print the API's answer")

COMMAND("suppressions", command_suppressions, "People", "", "lists the suppressed ids",
    "One id on each line, as onym unsuppress takes it.")
OPTIONS_OF_ASKING("suppressions")
OPTION("suppressions", 0, "json", NULL, NULL, "print a JSON object on each line")

COMMAND("identity", command_identity, "People", "", "who would merge or split under other rules",
    "Applies the whole stored history under the rules of the configuration and under those of FILE (identity.blocked_values, "
    "identity.placeholders and identity.externals of a configuration; the rest of it is ignored), and compares who everybody is. Touches nothing; "
    "works beside a running server. Needs some 120 bytes of memory for each id.")
OPTIONS_OF_DATA("identity")
OPTION("identity", 0, "dry-run", "FILE", NULL, "the rules to try; must be given")
OPTION("identity", 0, "json", NULL, NULL, "print JSON, with up to 20 examples of each")

COMMAND("destinations", command_destinations, "Look", "[NAME | dead NAME | redo NAME [N] | test NAME | types [TYPE]]",
    "shows the state of each destination, and what could not be delivered",
    "Alone: a line each, with its state, its lag, its rate, its dead letters and its last error. dead "
    "NAME: what could not be delivered, with request and answer; redo NAME tries all of it again, or one by its "
    "number. test NAME sends one event and shows every request and answer; it reads the configuration itself and "
    "needs no server. types: what a destination can be; types TYPE: its settings.")
OPTIONS_OF_ASKING("destinations")
OPTION("destinations", 0, "message", "FILE", NULL, "test: send this message (JSON; - is standard input) instead")
OPTION("destinations", 'n', "limit", "N", NULL, "dead: at most this many (20)")
OPTION("destinations", 0, "after", "N", NULL, "dead: those after this number")
OPTION("destinations", 0, "json", NULL, NULL, "print JSON")

COMMAND("replay", command_replay, "Move", "DESTINATION", "sends what happened once more, or to a new destination",
    "What happened in that time goes to the destination again, beside what is new, with the keys by which the vendor "
    "knows a repeat. Waits until it is done; if it is interrupted, the server goes on by itself. A destination has "
    "one replay at a time: a new one takes the place of the old. TIME is an instant (2026-11-23, 2026-11-23T12:00:00Z) or a "
    "duration ago (30d).")
OPTIONS_OF_ASKING("replay")
OPTION("replay", 0, "from", "TIME", NULL, "what happened at this time or later; must be given")
OPTION("replay", 0, "to", "TIME", NULL, "what happened before this time; without it up to now")
OPTION("replay", 0, "no-follow", NULL, NULL, "ask for it and do not wait")
OPTION("replay", 0, "json", NULL, NULL, "print the destination's state at the end as JSON")

COMMAND("export", command_export, "Look", "", "writes accepted messages as NDJSON, in journal order",
    "One message a line. A message that arrived twice (the same source and messageId) is written once; "
    "--raw writes all. Deduplication is exact; it needs at most 512 MiB of memory, and one bit for each message; "
    "from about 23 million messages on it reads the journal more than once. TIME is an instant "
    "(2026-11-23, 2026-11-23T12:00:00Z) or a duration ago (30d).")
OPTIONS_OF_DATA("export")
OPTIONS_OF_FILTER("export")
OPTION("export", 0, "from", "TIME", NULL, "only what happened at this time or later (timestamp)")
OPTION("export", 0, "to", "TIME", NULL, "only what happened before this time")
OPTION("export", 0, "received-from", "TIME", NULL, "only what arrived at this time or later")
OPTION("export", 0, "flat", NULL, NULL, "rows for DuckDB and ClickHouse: objects as JSON texts, times in ms (docs/export.md)")
OPTION("export", 0, "raw", NULL, NULL, "keep duplicates")
OPTION("export", 'o', "output", "FILE", NULL, "write there; compressed if the name ends in .gz")

COMMAND("verify", command_verify, "Look", "", "reads every byte that is kept and says what is damaged",
    "Checks the journal's names, heads, checksums and their chain, sealed blocks, and that each record says something; "
    "and, if no server has them open, what is derived from it, the destinations' store and that of redeemed links. "
    "Exits 1 if something is damaged. A torn tail is what a crash leaves: harmless, and cut at the next start.")
OPTIONS_OF_DATA("verify")
OPTION("verify", 0, "json", NULL, NULL, "print JSON")

COMMAND("recover", command_recover, "Move", "", "says which part of the journal is missing, and goes on without it",
    "If the end, a segment in the middle or the whole of the journal is missing (a disk that is not mounted, an older "
    "copy beside newer state, a file that was removed), nothing starts: positions would be given twice, and destinations "
    "would take new events for old ones. Bring the files back if you have them. This shows what is missing and changes "
    "nothing; exits 1 if anything is. With --accept-loss it is given up for good, and the next start goes on after "
    "every position that anybody knows; what is derived is made anew from what is left. The server must be stopped.")
OPTIONS_OF_DATA("recover")
OPTION("recover", 0, "accept-loss", NULL, NULL, "give up what is missing, so that Onym starts again")
OPTION("recover", 0, "confirm-clock", NULL, NULL, "the machine's clock is right: retention may trust it (also while a server runs)")
OPTION("recover", 0, "json", NULL, NULL, "print JSON")

COMMAND("rebuild", command_rebuild, "Move", "", "makes everything anew that is derived from the journal",
    "Throws away who is who, traits, and the index of events, and makes them again from the journal; the answers are "
    "the same as before, unless rules of the configuration changed. The server must be stopped. If it is interrupted, "
    "the next start of the server goes on with it. Destinations are not touched: nothing is sent again.")
OPTIONS_OF_DATA("rebuild")
OPTION("rebuild", 0, "json", NULL, NULL, "print the counts as JSON")

COMMAND("import", command_import, "Move", "FILE... | -", "reads messages from NDJSON files, plain or .gz",
    "One message a line, as Segment's archives and `onym export` have them, or a JSON array of messages; they keep their "
    "own times, and one without any is rejected. Accepted, repeated (in the file or within dedup.window) and rejected "
    "are counted separately; if any is rejected the exit code is 1. An import "
    "that was interrupted goes on where it was, and a file that was imported is not imported again, unless "
    "--restart says so. Lines that are no message are counted and kept as rejected, with their number. Works on "
    "a stopped data directory, and through the server if one is running. Without --source the lines count "
    "for the only source there is; if there are several, each for the one that its projectId names.")
OPTIONS_OF_DATA("import")
OPTION("import", 's', "source", "NAME", NULL, "the source that all lines count for")
OPTION("import", 0, "restart", NULL, NULL, "forget how far an earlier import of the file came")
OPTION("import", 0, "url", "URL", NULL, "the running server, where it is not at the configuration's address")
OPTION("import", 0, "json", NULL, NULL, "print the counts as JSON")

COMMAND("completion", command_completion, "Other", "bash | zsh | fish", "prints the completions for a shell",
    "For bash: onym completion bash > /etc/bash_completion.d/onym")
COMMAND("version", command_version, "Other", "", "prints the version", "")
COMMAND("help", command_help, "Other", "[COMMAND]", "explains a command", "")
OPTION("help", 0, "man", NULL, NULL, "print the manual page: onym help --man | man -l -")
OPTION("help", 0, "openapi", NULL, NULL, "print the API as an OpenAPI document, /api/v1/openapi.json")

#undef COMMAND
#undef OPTION
#undef OPTIONS_OF_DATA
#undef OPTIONS_OF_ASKING
#undef OPTIONS_OF_GROUPS
#undef OPTIONS_OF_FILTER
