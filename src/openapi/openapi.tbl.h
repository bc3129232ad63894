/* What the OpenAPI document says about each route. openapi.c writes the document, from the table of routes
 * (api/api_routes.c) and these rows. If a route has no row here, tests/unit/openapi/openapi_test.c fails.
 *
 * What the document says about questions is in ask/questions.tbl.h.
 *
 * TAG(name, description)
 * OPERATION(method, path, tag, summary, parameters, request, status, answer, errors)
 *     path        as in the table of routes, with a name for each star: {person_id}
 *     parameters  names of PARAMETER rows: the parameters of the query, with blanks between
 *     request     the SCHEMA of the body, or ""
 *     answer      the SCHEMA of the answer; or "type/subtype" of an answer that is no JSON, or "type/subtype Schema"
 *     errors      further statuses, with blanks between; those that every operation of its kind has are not listed
 * SAME(method, path, as)
 *     a second path of an operation, whose own path is as
 * PARAMETER(name, description, schema)      the schema is JSON, and is copied as it is
 * SCHEMA(name, schema)                      the same; tests/api checks real answers by these schemas
 */
#ifndef TAG
#define TAG(...)
#endif
#ifndef OPERATION
#define OPERATION(...)
#endif
#ifndef SAME
#define SAME(...)
#endif
#ifndef PARAMETER
#define PARAMETER(...)
#endif
#ifndef SCHEMA
#define SCHEMA(...)
#endif

TAG("questions", "Funnels, trends, retention, paths, sign-ups: docs/queries.md and docs/funnels.md define every number")
TAG("people", "Who somebody is, what they did, and why: docs/people.md")
TAG("live", "Messages as they come, and what becomes of them: docs/live.md")
TAG("doctor", "What a tracking set-up does wrong, for whom, and how it is mended: docs/doctor.md")
TAG("privacy", "Erasing, suppressing, exporting: docs/privacy.md")
TAG("destinations", "Where events go, and what could not be delivered: docs/delivery.md")
TAG("collection", "The Segment Tracking API: docs/protocol.md. An answer of 200 means that the events are on disk")
TAG("profiles", "Segment's Profile API, as far as Onym knows what it asks for: docs/people.md")
TAG("pages", "What SDKs and websites load")
TAG("sessions", "Who is signed in to the dashboard: docs/access.md")
TAG("service", "Health, metrics, this document")

/* ---- Questions ---- */
#define QUESTION(KIND, answer, path, word, schema, page, summary) \
    OPERATION(POST, "/api/v1/" path, "questions", summary, "wait question_id", #schema "Question", 200, #schema, "413 429")
#include "ask/questions.tbl.h"
OPERATION(GET, "/api/v1/questions", "questions", "What is being asked right now, and how far it is", "", "", 200, "Questions", "")
OPERATION(POST, "/mcp", "questions", "An assistant asks: the Model Context Protocol over HTTP, docs/mcp.md", "", "McpMessage", 200, "McpMessage", "400 413")
OPERATION(GET, "/api/v1/losses", "questions", "Calls of browsers that were made and never came", "since", "", 200, "Losses", "400")

/* ---- Live ---- */
OPERATION(GET, "/api/v1/live", "live", "Every message as it comes, with its fate and its person: server-sent events", "from to type fate plan event message_ids source text behind last_id", "", 200, "text/event-stream LiveRow", "400 503")
OPERATION(GET, "/api/v1/live/counts", "live", "How many messages came a minute, by source, type, fate and reason, over the last day", "minutes", "", 200, "LiveCounts", "400")
OPERATION(GET, "/api/v1/messages/{position}", "live", "One message as it is kept, what Onym stamped on it, its links, its person", "", "", 200, "KeptMessage", "400 404 503")
OPERATION(GET, "/api/v1/messages/{position}/deliveries", "live", "What became of a message at each destination", "", "", 200, "MessageDeliveries", "400 404 409 503")

/* ---- Doctor ---- */
OPERATION(GET, "/api/v1/findings", "doctor", "What is wrong with the tracking, for whom, what it costs, and how it is mended", "since source imports signup wait", "", 200, "Findings", "400 409")
OPERATION(POST, "/api/v1/findings/accounts", "doctor", "Which accounts of your own table never arrived, late, without a history, twice, and why", "imports signup wait", "FindingAccountsRequest", 200, "FindingAccounts", "400 409")
OPERATION(POST, "/api/v1/findings/{fingerprint}/people", "doctor", "Who the people of a finding are", "since source imports signup wait", "FindingPeopleRequest", 200, "FindingPeople", "400 404 409")
OPERATION(POST, "/api/v1/findings/{fingerprint}/mute", "doctor", "Mutes a finding for some time", "", "FindingMuteRequest", 200, "FindingMuted", "400 404 409")
OPERATION(POST, "/api/v1/findings/{fingerprint}/unmute", "doctor", "Ends a mute", "", "FindingUnmuteRequest", 200, "FindingMuted", "400 404 409")

/* ---- People ---- */
OPERATION(GET, "/api/v1/people/resolve", "people", "Who an id is", "user_id anonymous_id id", "", 200, "Person", "400 404")
OPERATION(GET, "/api/v1/people/why", "people", "Why two ids are one person, or two", "ids", "", 200, "Why", "400 404")
OPERATION(GET, "/api/v1/people/foresee", "people", "What would be another person's, were links taken back or given again", "a b positions restore", "", 200, "Foresight", "400 404 413")
OPERATION(GET, "/api/v1/people", "people", "People by an id, email or name; without search those heard of last", "search limit cursor", "", 200, "PeoplePage", "400 409")
OPERATION(GET, "/api/v1/people/{person_id}", "people", "A person; the id of one since merged leads to the merged one", "", "", 200, "Person", "404")
OPERATION(GET, "/api/v1/people/{person_id}/events", "people", "A person's events, newest first", "limit cursor", "", 200, "MessagesPage", "400 404")
OPERATION(GET, "/api/v1/people/{person_id}/links", "people", "The evidence: each link with the message that made it", "", "", 200, "Links", "404")
OPERATION(GET, "/api/v1/people/{person_id}/traits/history", "people", "Who set which trait to what, newest first", "trait limit cursor", "", 200, "TraitHistory", "400 404")
OPERATION(GET, "/api/v1/people/{person_id}/groups", "people", "A person's groups, each with the call that first said so", "", "", 200, "Groups", "404")
OPERATION(GET, "/api/v1/groups/{group_id}", "people", "A group's traits", "", "", 200, "Group", "404")
OPERATION(GET, "/api/v1/groups/{group_id}/people", "people", "A group's people", "limit cursor", "", 200, "PeoplePage", "400 404")
OPERATION(POST, "/api/v1/people/unmerge", "people", "The links of a message count no more", "", "Evidence", 200, "EvidenceChanged", "400 404")
OPERATION(POST, "/api/v1/people/restore", "people", "The links of a message count again", "", "Evidence", 200, "EvidenceChanged", "400 404")
OPERATION(POST, "/api/v1/links", "people", "A signed link that carries a visitor to another domain", "", "LinkRequest", 200, "LinkToken", "400")

/* ---- Privacy ---- */
OPERATION(DELETE, "/api/v1/people/{person_id}", "privacy", "Erases a person from everything that is on the disk", "suppress", "", 202, "ErasureBegun", "400 404 429")
OPERATION(GET, "/api/v1/people/{person_id}/export", "privacy", "All that is held about a person, a line of JSON each", "cursor", "", 200, "application/x-ndjson ExportLine", "404")
OPERATION(GET, "/api/v1/erasures", "privacy", "Erasures at work", "", "", 200, "Erasures", "")
OPERATION(GET, "/api/v1/erasures/{erasure_id}", "privacy", "How far an erasure is", "", "", 200, "Erasure", "404")
OPERATION(GET, "/api/v1/suppressions", "privacy", "Ids whose messages are kept out", "limit cursor", "", 200, "Suppressions", "400")
OPERATION(POST, "/api/v1/suppressions", "privacy", "Keeps messages with these ids out from now on", "", "SuppressedIds", 200, "SuppressionChanged", "400 404")
OPERATION(DELETE, "/api/v1/suppressions", "privacy", "Ends that; what came meanwhile stays left out", "user_id anonymous_id", "SuppressedIds", 200, "SuppressionChanged", "400 404")

/* ---- Destinations ---- */
OPERATION(GET, "/api/v1/destinations", "destinations", "State, lag, rate and last error of each", "", "", 200, "Destinations", "409")
OPERATION(GET, "/api/v1/destinations/{destination}", "destinations", "State, lag, rate and last error of one", "", "", 200, "Destination", "404 409")
OPERATION(GET, "/api/v1/destinations/{destination}/dead", "destinations", "Dead letters: what could not be delivered, with request and answer", "limit after", "", 200, "DeadLetters", "400 409")
OPERATION(GET, "/api/v1/destinations/{destination}/series", "destinations", "What became of messages there, a minute, and the lag, over the last day", "minutes", "", 200, "DestinationSeries", "400 404 409")
OPERATION(GET, "/api/v1/destinations/{destination}/errors", "destinations", "Dead letters by reason and status, each with what it means and the newest one as a sample", "", "", 200, "DestinationErrors", "409")
OPERATION(GET, "/api/v1/destinations/{destination}/user_hash", "destinations", "Signs a user id for Intercom's messenger in the browser", "user_id", "", 200, "UserHash", "400 404 409")
OPERATION(POST, "/api/v1/destinations/{destination}/redo", "destinations", "Tries dead letters again: one by its number, or all", "", "RedoRequest", 202, "Destination", "400 404 409")
OPERATION(POST, "/api/v1/destinations/{destination}/replay", "destinations", "Sends a time range of the journal", "", "ReplayRequest", 202, "Destination", "400 404 409")
OPERATION(POST, "/api/v1/destinations/{destination}/test", "destinations", "Sends one message, and tells every request and answer", "", "TestRequest", 200, "TestOutcome", "400 404 409")

/* ---- Collection ---- */
OPERATION(POST, "/v1/batch", "collection", "Messages of any type", "writeKey", "Batch", 200, "Accepted", "")
OPERATION(POST, "/v1/import", "collection", "The same, with original times; with the secret key it answers how many were accepted", "writeKey", "Batch", 200, "Accepted", "")
OPERATION(POST, "/v1/identify", "collection", "Who somebody is, and their traits", "writeKey", "Message", 200, "Accepted", "")
OPERATION(POST, "/v1/track", "collection", "What somebody did", "writeKey", "Message", 200, "Accepted", "")
OPERATION(POST, "/v1/page", "collection", "A page that was looked at", "writeKey", "Message", 200, "Accepted", "")
OPERATION(POST, "/v1/screen", "collection", "A screen of an app that was looked at", "writeKey", "Message", 200, "Accepted", "")
OPERATION(POST, "/v1/group", "collection", "Which group somebody belongs to, and its traits", "writeKey", "Message", 200, "Accepted", "")
OPERATION(POST, "/v1/alias", "collection", "Two ids of one person", "writeKey", "Message", 200, "Accepted", "")
OPERATION(GET, "/v1/pixel/identify", "collection", "An identify call as the address of a picture, for e-mail", "writeKey data", "", 200, "image/gif", "")
OPERATION(GET, "/v1/pixel/track", "collection", "A track call likewise", "writeKey data", "", 200, "image/gif", "")
OPERATION(GET, "/v1/pixel/page", "collection", "A page call likewise", "writeKey data", "", 200, "image/gif", "")
OPERATION(GET, "/v1/pixel/screen", "collection", "A screen call likewise", "writeKey data", "", 200, "image/gif", "")
OPERATION(GET, "/v1/pixel/group", "collection", "A group call likewise", "writeKey data", "", 200, "image/gif", "")
OPERATION(GET, "/v1/pixel/alias", "collection", "An alias call likewise", "writeKey data", "", 200, "image/gif", "")
OPERATION(POST, "/v1/m", "collection", "Client metrics of SDKs: read and forgotten", "", "Anything", 200, "Accepted", "")
OPERATION(POST, "/v1/cookie", "collection", "Sets the visitor's cookie by the server, so that it lives longer", "writeKey", "Anything", 200, "Accepted", "")
OPERATION(POST, "/v1/link", "collection", "Redeems a signed link, once", "", "LinkRedeemed", 200, "LinkVisitor", "409")

SAME(POST, "/v1/b", "/v1/batch") SAME(POST, "/batch", "/v1/batch") SAME(POST, "/b", "/v1/batch")
SAME(POST, "/beacon/v1/batch", "/v1/batch") SAME(POST, "/import", "/v1/import") SAME(POST, "/m", "/v1/m")
SAME(POST, "/rsaMetrics", "/v1/m") SAME(POST, "/cookie", "/v1/cookie") SAME(POST, "/link", "/v1/link")
#define SPELLINGS(word, letter) \
    SAME(POST, "/v1/" letter, "/v1/" word) SAME(POST, "/" word, "/v1/" word) SAME(POST, "/" letter, "/v1/" word) \
    SAME(GET, "/v1/" letter, "/v1/pixel/" word) SAME(GET, "/pixel/v1/" word, "/v1/pixel/" word)
SPELLINGS("identify", "i") SPELLINGS("track", "t") SPELLINGS("page", "p")
SPELLINGS("screen", "s") SPELLINGS("group", "g") SPELLINGS("alias", "a")
#undef SPELLINGS

/* ---- Segment's Profile API ---- */
OPERATION(GET, "/v1/spaces/{space}/collections/users/profiles/{external_id}/traits", "profiles", "A user's traits", "limit include verbose next", "", 200, "ProfileTraits", "404")
OPERATION(GET, "/v1/spaces/{space}/collections/users/profiles/{external_id}/external_ids", "profiles", "A user's ids", "limit include next", "", 200, "ProfileList", "404")
OPERATION(GET, "/v1/spaces/{space}/collections/users/profiles/{external_id}/events", "profiles", "A user's events", "limit include exclude start end sort next", "", 200, "ProfileList", "404")
OPERATION(GET, "/v1/spaces/{space}/collections/users/profiles/{external_id}/metadata", "profiles", "When a user was first and last seen", "", "", 200, "ProfileMetadata", "404")
OPERATION(GET, "/v1/spaces/{space}/collections/users/profiles/{external_id}/links", "profiles", "A user's accounts", "limit next", "", 200, "ProfileList", "404")
OPERATION(GET, "/v1/spaces/{space}/collections/accounts/profiles/{external_id}/traits", "profiles", "An account's traits", "limit include verbose next", "", 200, "ProfileTraits", "404")
OPERATION(GET, "/v1/spaces/{space}/collections/accounts/profiles/{external_id}/external_ids", "profiles", "An account's id", "limit include next", "", 200, "ProfileList", "404")
OPERATION(GET, "/v1/spaces/{space}/collections/accounts/profiles/{external_id}/metadata", "profiles", "When an account was first and last heard of", "", "", 200, "ProfileMetadata", "404")
OPERATION(GET, "/v1/spaces/{space}/collections/accounts/profiles/{external_id}/links", "profiles", "An account's users", "limit next", "", 200, "ProfileList", "404")

/* ---- What SDKs and websites load ---- */
OPERATION(GET, "/v1/projects/{write_key}/settings", "pages", "What analytics-next and mobile SDKs load first", "", "", 200, "Anything", "404")
OPERATION(GET, "/v1/sourceConfig", "pages", "What RudderStack's browser SDKs load first", "writeKey", "", 200, "Anything", "404")
OPERATION(GET, "/analytics.js/v1/{write_key}/analytics.min.js", "pages", "The browser library", "", "", 200, "text/javascript", "")
OPERATION(GET, "/analytics.js/v1/{write_key}/analytics.plus.min.js", "pages", "The browser library with receipts, attribution and loss numbers", "", "", 200, "text/javascript", "")
OPERATION(GET, "/analytics.js/v1/{write_key}/more.min.js", "pages", "Its second part, loaded when a page first needs it", "", "", 200, "text/javascript", "")
OPERATION(GET, "/analytics.js/v1/{write_key}/tools.js", "pages", "Begins the tools of a source with device_mode", "", "", 200, "text/javascript", "")
OPERATION(GET, "/analytics.js/v1/{write_key}/x/{file}", "pages", "The small files beside the library", "", "", 200, "text/javascript", "404")
SAME(GET, "/projects/{write_key}/settings", "/v1/projects/{write_key}/settings")
SAME(GET, "/sourceConfig", "/v1/sourceConfig")
SAME(GET, "/analytics.js/v1/{write_key}/platform/tools.js", "/analytics.js/v1/{write_key}/tools.js")
SAME(GET, "/analytics.js/v1/{write_key}/platform/more.min.js", "/analytics.js/v1/{write_key}/more.min.js")
SAME(GET, "/analytics.js/v1/{write_key}/platform/analytics.min.js", "/analytics.js/v1/{write_key}/analytics.min.js")
SAME(GET, "/analytics.js/v1/{write_key}/platform/x/{file}", "/analytics.js/v1/{write_key}/x/{file}")

/* ---- Service ---- */
OPERATION(POST, "/api/v1/session", "sessions", "Signs in to the dashboard: the answer sets a cookie", "", "SignIn", 200, "Session", "401 403 404 429")
OPERATION(GET, "/api/v1/session", "sessions", "Who is signed in", "", "", 200, "Session", "")
OPERATION(DELETE, "/api/v1/session", "sessions", "Signs out", "", "", 200, "SessionEnded", "400 404")
OPERATION(POST, "/api/v1/session/link", "sessions", "A link that signs in once, within a minute: /#link=...", "", "", 200, "SignInLink", "404")
OPERATION(GET, "/api/v1/sessions", "sessions", "All sessions, newest first", "", "", 200, "Sessions", "")
OPERATION(DELETE, "/api/v1/sessions/{session_id}", "sessions", "Ends a session", "", "", 200, "SessionEnded", "404")
OPERATION(GET, "/api/v1/sources", "service", "Where events may come from, with the write keys", "", "", 200, "Sources", "")
OPERATION(POST, "/api/v1/sources", "service", "Makes a source with a write key of its own, kept beside the configuration", "", "SourceRequest", 201, "Source", "400 409 413")
OPERATION(POST, "/api/v1/sources/{source_name}/disable", "service", "What comes by its key is kept as rejected from now on", "", "", 200, "Source", "404 409")
OPERATION(POST, "/api/v1/sources/{source_name}/enable", "service", "Ends that", "", "", 200, "Source", "404 409")
OPERATION(POST, "/api/v1/sources/{source_name}/rotate", "service", "Gives it another write key; the old one goes on for a time of grace", "", "RotateRequest", 200, "Source", "400 404 409")
OPERATION(GET, "/api/v1/saved", "questions", "Questions that were saved, newest first", "", "", 200, "SavedQuestions", "409")
OPERATION(GET, "/api/v1/saved/{saved_id}", "questions", "A question that was saved", "", "", 200, "SavedQuestion", "404 409")
OPERATION(POST, "/api/v1/saved", "questions", "Saves a question under a name; with the id of another, in its place", "", "SaveRequest", 201, "SavedQuestion", "400 404 409 413")
OPERATION(DELETE, "/api/v1/saved/{saved_id}", "questions", "Forgets a saved question", "", "", 200, "SavedDeleted", "404 409")
OPERATION(GET, "/api/v1/audit", "sessions", "Who ordered what, newest first", "limit before", "", 200, "Audit", "400 409")
OPERATION(GET, "/api/v1/storage", "service", "What the data directory holds, how fast it grows, and in how many days the disk is full", "", "", 200, "Storage", "409")
OPERATION(GET, "/healthz", "service", "200 while the process lives", "", "", 200, "Health", "")
OPERATION(GET, "/readyz", "service", "200 when it accepts events and answers are up to date", "", "", 200, "Health", "503")
OPERATION(GET, "/readyz/collect", "service", "200 when it accepts events", "", "", 200, "Health", "503")
OPERATION(GET, "/readyz/answer", "service", "200 when answers are up to date", "", "", 200, "Health", "503")
OPERATION(GET, "/metrics", "service", "Counters for Prometheus", "", "", 200, "text/plain", "")
OPERATION(GET, "/api/v1/openapi.json", "service", "This document", "", "", 200, "Anything", "")
OPERATION(GET, "/", "service", "A greeting; Onym's page where Accept names text/html", "", "", 200, "text/plain", "")
OPERATION(GET, "/ui/{file}", "service", "A part of the dashboard, named with its hash", "", "", 200, "text/javascript", "404")

/* ---- Parameters ---- */
PARAMETER("wait", "How long the question waits until everything is applied that was on disk when it was asked: 10s, at most 60s", {"type": "string", "examples": ["10s"]})
PARAMETER("question_id", "A name for the question, to find it in /api/v1/questions", {"type": "string", "maxLength": 64})
PARAMETER("since", "How far back: 7d, at most 90d", {"type": "string", "default": "7d"})
PARAMETER("user_id", "A user id", {"type": "string"})
PARAMETER("anonymous_id", "An anonymous id", {"type": "string"})
PARAMETER("id", "An id of any kind; kind:value for one kind (user_id:, anonymous_id:, person_id:, email:)", {"type": "string"})
PARAMETER("from", "now, or the position of the first message that is told; Last-Event-ID goes before it", {"type": "string", "default": "now", "examples": ["now", "123456"]})
PARAMETER("minutes", "The last so many minutes, the one under way included", {"type": "integer", "minimum": 1, "maximum": 1440, "default": 1440})
PARAMETER("position", "The position of a message in the journal, as rows have it", {"type": "integer", "minimum": 0})
PARAMETER("last_id", "The id of the last event that was got, where no header Last-Event-ID can be sent; goes before from", {"type": "string"})
PARAMETER("to", "Ends before this position, and leaves nothing out on the way", {"type": "integer", "minimum": 0})
PARAMETER("type", "Of these types only, with commas between", {"type": "string", "examples": ["track,page"]})
PARAMETER("fate", "Of these fates only, with commas between", {"type": "string", "examples": ["rejected,repeated"]})
PARAMETER("event", "Of this event, page or screen only; may stand there several times", {"type": "string"})
PARAMETER("message_ids", "With this userId, anonymousId, previousId or groupId only; may stand there several times", {"type": "string"})
PARAMETER("source", "Of this source only; may stand there several times", {"type": "string"})
PARAMETER("text", "With this text anywhere in the message; letters from a to z of either case", {"type": "string"})
PARAMETER("behind", "How many bytes of the journal the client may be behind before it jumps to now", {"type": "integer", "minimum": 65536, "maximum": 67108864, "default": 67108864})
PARAMETER("a", "An id in words (user_id:12345) whose links with b are meant", {"type": "string"})
PARAMETER("b", "The other id", {"type": "string"})
PARAMETER("positions", "Or positions of messages whose links are meant, with commas between, 100 at most", {"type": "string", "examples": ["8178,8200"]})
PARAMETER("restore", "true: were they given again, not taken back", {"type": "boolean"})
PARAMETER("plan", "broken: only what breaks the tracking plan, or was rejected because of it", {"enum": ["broken"]})
PARAMETER("ids", "Two ids with a comma between", {"type": "string", "examples": ["12345,a-1"]})
PARAMETER("search", "An id, or how an email or a name begins; none: everybody, whoever was heard of last first", {"type": "string"})
PARAMETER("limit", "How many at most", {"type": "integer", "minimum": 1, "maximum": 1000})
PARAMETER("cursor", "The cursor.next of the page before", {"type": "string"})
PARAMETER("next", "The cursor's next of the page before", {"type": "string"})
PARAMETER("after", "The next of the page before", {"type": "integer"})
PARAMETER("trait", "This trait only", {"type": "string"})
PARAMETER("suppress", "true: messages that come later under these ids are kept out, too", {"type": "string", "enum": ["true", "false"]})
PARAMETER("writeKey", "The source's write key, where no header and no body says it", {"type": "string"})
PARAMETER("data", "The message: its JSON in Base64", {"type": "string"})
PARAMETER("include", "These only, with commas between", {"type": "string"})
PARAMETER("exclude", "All but these, with commas between", {"type": "string"})
PARAMETER("verbose", "true: with when and by which source it was set", {"type": "string", "enum": ["true", "false"]})
PARAMETER("start", "Events at this time or later", {"type": "string"})
PARAMETER("end", "Events before this time", {"type": "string"})
PARAMETER("sort", "Newest or oldest first", {"type": "string", "enum": ["asc", "desc"]})
PARAMETER("person_id", "A person id, as answers tell it: u_12345", {"type": "string"})
PARAMETER("group_id", "A group id", {"type": "string"})
PARAMETER("source_name", "A source's name", {"type": "string"})
PARAMETER("saved_id", "The id of a saved question", {"type": "string"})
PARAMETER("before", "The next of the page before", {"type": "integer"})
PARAMETER("imports", "true: imported messages, too, by the times of their events", {"type": "string", "enum": ["true", "false"], "default": "false"})
PARAMETER("signup", "The event that is a sign-up, where neither its name nor the configuration tells", {"type": "string"})
PARAMETER("fingerprint", "What the list of findings calls it", {"type": "string", "pattern": "^[0-9a-f]{16}$"})
PARAMETER("session_id", "What the list of sessions calls it", {"type": "string"})
PARAMETER("erasure_id", "The id of an erasure", {"type": "string"})
PARAMETER("destination", "A destination's name", {"type": "string"})
PARAMETER("space", "Any word", {"type": "string"})
PARAMETER("external_id", "kind:value, such as user_id:12345 or email:kim@example.com", {"type": "string"})
PARAMETER("write_key", "A source's write key", {"type": "string"})
PARAMETER("file", "A file's name, such as follow.js", {"type": "string"})

/* ---- Schemas that many others use ---- */
SCHEMA(McpMessage, {"type": "object", "description": "A message of JSON-RPC 2.0", "required": ["jsonrpc"], "properties": {"jsonrpc": {"const": "2.0"}, "id": {"type": ["string", "number", "null"]}, "method": {"type": "string"}, "params": {"type": "object"}, "result": {"type": "object"}, "error": {"type": "object"}}})
SCHEMA(Anything, {"description": "Any JSON"})
SCHEMA(Value, {"type": ["null", "boolean", "number", "string", "array"], "description": "A value of a property; \"(not indexed)\" where it was not kept for questions"})
SCHEMA(Instant, {"type": "string", "format": "date-time"})
SCHEMA(Time, {"type": ["string", "integer"], "description": "2026-01-31, 2026-01-31T12:00:00Z, or milliseconds since 1970", "examples": ["2026-01-31"]})
SCHEMA(Duration, {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d|w)$", "examples": ["7d"]})
SCHEMA(Error, {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["code", "message"], "properties": {
    "code": {"type": "string"}, "message": {"type": "string"}, "field": {"type": "string", "description": "Where in the question: steps[1].where[0].op"}}}}})
SCHEMA(Problem, {"type": "object", "required": ["success", "code", "message", "error"], "properties": {"success": {"const": false},
    "code": {"type": "string"}, "message": {"type": "string"}, "error": {"type": "string"}}})
SCHEMA(Cursor, {"type": "object", "required": ["has_more", "next"], "properties": {"has_more": {"type": "boolean"}, "next": {"type": ["string", "null"]}}})
SCHEMA(Traits, {"type": "object", "additionalProperties": true})
SCHEMA(Id, {"type": "object", "required": ["type", "id"], "properties": {"type": {"type": "string"}, "id": {"type": "string"}}})
SCHEMA(Message, {"type": "object", "description": "One message of the Tracking API: docs/protocol.md", "additionalProperties": true, "properties": {
    "type": {"enum": ["identify", "track", "page", "screen", "group", "alias"]}, "messageId": {"type": "string"}, "userId": {"type": ["string", "number", "null"]},
    "anonymousId": {"type": ["string", "number", "null"]}, "event": {"type": "string"}, "properties": {"type": "object"}, "traits": {"type": "object"},
    "groupId": {"type": ["string", "number"]}, "previousId": {"type": ["string", "number"]}, "context": {"type": "object"}, "timestamp": {"type": "string"}}})
SCHEMA(Batch, {"type": "object", "additionalProperties": true, "properties": {"batch": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}},
    "writeKey": {"type": "string"}, "sentAt": {"type": "string"}, "context": {"type": "object"}}})
SCHEMA(Accepted, {"type": "object", "required": ["success"], "properties": {"success": {"const": true}, "accepted": {"type": "integer"}, "rejected": {"type": "integer"}}})
SCHEMA(Health, {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}, "behind_ms": {"type": "integer"}}})

/* ---- Questions ---- */
SCHEMA(Filter, {"type": "object", "required": ["field"], "additionalProperties": false, "properties": {"field": {"type": "string", "examples": ["properties.plan"]},
    "op": {"enum": ["=", "!=", "in", "not in", "<", "<=", ">", ">=", "contains", "not contains", "exists", "not exists"]}, "value": {}}})
SCHEMA(Filters, {"type": "array", "items": {"$ref": "#/components/schemas/Filter"}})
SCHEMA(EventName, {"anyOf": [{"type": "string", "examples": ["Account Created", "page:/signup", "*"]}, {"type": "object", "properties": {
    "event": {"type": "string"}, "type": {"enum": ["track", "page", "screen", "identify", "group", "alias"]}, "where": {"$ref": "#/components/schemas/Filters"}}}]})
SCHEMA(Step, {"anyOf": [{"type": "string"}, {"type": "object", "properties": {
    "event": {"type": "string"}, "type": {"enum": ["track", "page", "screen", "identify", "group", "alias"]}, "where": {"$ref": "#/components/schemas/Filters"},
    "window": {"$ref": "#/components/schemas/Duration"}}}]})
SCHEMA(Of, {"enum": ["people", "groups"], "default": "people"})
SCHEMA(Unit, {"enum": ["hour", "day", "week", "month", "quarter"], "default": "day"})
SCHEMA(WeekStart, {"enum": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], "default": "monday"})
SCHEMA(Warnings, {"type": "array", "items": {"type": "object", "required": ["field", "message"], "properties": {"field": {"type": ["string", "null"]}, "message": {"type": "string"}}}})
SCHEMA(Behind, {"type": "object", "properties": {"share_applied": {"type": "number"}, "ms": {"type": "integer"}, "is_starting": {"type": "boolean"}}})
#define SHAPE SCHEMA
#include "ask/questions.tbl.h"
SCHEMA(Questions, {"type": "object", "required": ["questions"], "properties": {"questions": {"type": "array", "items": {"type": "object", "required": ["id", "path", "state", "ms", "done", "all"], "properties": {
    "id": {"type": ["string", "null"]}, "path": {"type": "string"}, "state": {"enum": ["running", "waiting"]}, "ms": {"type": "integer"}, "done": {"type": "integer"}, "all": {"type": "integer"}}}}}})
SCHEMA(Losses, {"type": "object", "required": ["from", "to", "visits", "visits_with_gaps", "calls", "missing", "visits_under_way", "messages_left_out", "by"], "properties": {
    "from": {"$ref": "#/components/schemas/Instant"}, "to": {"$ref": "#/components/schemas/Instant"}, "visits": {"type": "integer"}, "visits_with_gaps": {"type": "integer"}, "calls": {"type": "integer"}, "missing": {"type": "integer"},
    "visits_under_way": {"type": "integer"}, "messages_left_out": {"type": "integer"}, "by": {"type": "array", "items": {"type": "object", "required": ["source", "library", "browser", "page", "visits", "visits_with_gaps", "calls", "missing"], "properties": {
        "source": {"type": ["string", "null"]}, "library": {"type": ["string", "null"]}, "browser": {"type": ["string", "null"]}, "page": {"type": ["string", "null"]}, "visits": {"type": "integer"}, "visits_with_gaps": {"type": "integer"}, "calls": {"type": "integer"}, "missing": {"type": "integer"}}}}}})

/* ---- People ---- */
SCHEMA(Person, {"type": "object", "required": ["person_id", "user_ids", "anonymous_ids", "external_ids", "traits", "first_seen", "last_seen", "events"], "properties": {
    "person_id": {"type": "string"}, "user_ids": {"type": "array", "items": {"type": "string"}}, "anonymous_ids": {"type": "array", "items": {"type": "string"}},
    "external_ids": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}}, "traits": {"$ref": "#/components/schemas/Traits"},
    "first_seen": {"type": ["string", "null"]}, "last_seen": {"type": ["string", "null"]}, "events": {"type": "integer"}}})
SCHEMA(PeoplePage, {"type": "object", "required": ["people", "cursor"], "properties": {"since": {"type": ["string", "null"], "description": "without search: who was not heard of since then is not listed; null: everybody is"}, "people": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}}, "cursor": {"$ref": "#/components/schemas/Cursor"}}})
SCHEMA(MessagesPage, {"type": "object", "required": ["events", "cursor"], "properties": {"events": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}}, "cursor": {"$ref": "#/components/schemas/Cursor"}}})
SCHEMA(Link, {"type": "object", "required": ["from", "to", "rule", "time", "message_id", "message_type", "source", "position", "removed"], "properties": {"from": {"$ref": "#/components/schemas/Id"}, "to": {"$ref": "#/components/schemas/Id"},
    "rule": {"enum": ["message", "alias", "alias_of_user"]}, "time": {"$ref": "#/components/schemas/Instant"}, "message_id": {"type": ["string", "null"]}, "message_type": {"type": ["string", "null"]},
    "source": {"type": ["string", "null"]}, "position": {"type": "integer"}, "removed": {"type": "boolean"}}})
SCHEMA(Links, {"type": "object", "required": ["links"], "properties": {"links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}}, "more": {"type": "integer"}}})
SCHEMA(Why, {"type": "object", "required": ["same", "reason", "text", "links"], "properties": {"same": {"type": "boolean"}, "reason": {"enum": ["same", "shared", "no_evidence", "removed", "limit", "blocked", "unseen"]},
    "text": {"type": "string"}, "at": {"type": ["string", "null", "object"], "additionalProperties": true}, "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}}}})
SCHEMA(Foresight, {"type": "object", "required": ["messages", "events", "moves", "moves_left_out"], "properties": {"messages": {"type": "integer"}, "events": {"type": "integer"}, "moves_left_out": {"type": "integer"},
    "moves": {"type": "array", "items": {"type": "object", "required": ["id", "from", "to", "events"], "properties": {"id": {"$ref": "#/components/schemas/Id"}, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}, "events": {"type": "integer"}}}}}})
SCHEMA(TraitHistory, {"type": "object", "required": ["history", "cursor"], "properties": {"history": {"type": "array", "items": {"type": "object", "required": ["trait", "value", "time", "set_by", "message_id", "message_type", "source", "position"], "properties": {
    "trait": {"type": "string"}, "value": {}, "time": {"$ref": "#/components/schemas/Instant"}, "set_by": {"$ref": "#/components/schemas/Id"}, "message_id": {"type": ["string", "null"]}, "message_type": {"type": ["string", "null"]},
    "source": {"type": ["string", "null"]}, "position": {"type": "integer"}}}}, "cursor": {"$ref": "#/components/schemas/Cursor"}}})
SCHEMA(Groups, {"type": "object", "required": ["groups"], "properties": {"groups": {"type": "array", "items": {"type": "object", "required": ["group_id", "traits", "time", "set_by", "message_id"], "properties": {"group_id": {"type": "string"},
    "traits": {"$ref": "#/components/schemas/Traits"}, "time": {"$ref": "#/components/schemas/Instant"}, "set_by": {"$ref": "#/components/schemas/Id"}, "message_id": {"type": ["string", "null"]}, "message_type": {"type": ["string", "null"]},
    "source": {"type": ["string", "null"]}, "position": {"type": "integer"}}}}}})
SCHEMA(Group, {"type": "object", "required": ["group_id", "traits"], "properties": {"group_id": {"type": "string"}, "traits": {"$ref": "#/components/schemas/Traits"}}})
SCHEMA(Evidence, {"type": "object", "description": "Either position, or message_id and id", "properties": {"position": {"type": "integer"}, "message_id": {"type": "string"}, "id": {"type": "string"}, "source": {"type": "string"}}})
SCHEMA(EvidenceChanged, {"type": "object", "required": ["position", "message_id", "removed", "changed", "people"], "properties": {"position": {"type": "integer"}, "message_id": {"type": "string"}, "removed": {"type": "boolean"}, "changed": {"type": "boolean"},
    "people": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}}}})
SCHEMA(SignIn, {"type": "object", "properties": {"key": {"type": "string", "description": "the secret key, or one of keys"}, "link": {"type": "string", "description": "what onym ui printed behind #link="}}})
SCHEMA(Session, {"type": "object", "required": ["id", "role", "key", "created_at", "last_seen_at", "expires_at", "agent", "current"], "properties": {"id": {"type": ["string", "null"]}, "role": {"enum": ["reader", "analyst", "admin"]}, "key": {"type": ["string", "null"]},
    "created_at": {"type": ["string", "null"]}, "last_seen_at": {"type": ["string", "null"]}, "expires_at": {"type": ["string", "null"]}, "agent": {"type": ["string", "null"]}, "current": {"type": "boolean"}}})
SCHEMA(Source, {"type": "object", "required": ["name", "write_key", "enabled", "server", "own_path", "kept", "old_key", "old_key_until"], "properties": {"name": {"type": "string"}, "write_key": {"type": "string"}, "enabled": {"type": "boolean"}, "server": {"type": "boolean"}, "own_path": {"type": ["string", "null"]}, "kept": {"enum": ["file", "page"], "description": "who has it: the configuration, or the page"}, "old_key": {"type": ["string", "null"]}, "old_key_until": {"type": ["string", "null"], "description": "what comes by old_key afterwards is rejected with key_rotated"}}})
SCHEMA(Sources, {"type": "object", "required": ["sources"], "properties": {"sources": {"type": "array", "items": {"$ref": "#/components/schemas/Source"}}}})
SCHEMA(Storage, {"type": "object", "required": ["parts", "bytes", "free_bytes", "retention_days", "retention_bytes", "bytes_a_day", "measured_over_days", "bytes_at_retention", "full_in_days"], "properties": {"parts": {"type": "array", "items": {"type": "object", "required": ["name", "bytes"], "properties": {"name": {"type": "string"}, "bytes": {"type": "integer"}}}}, "bytes": {"type": "integer"}, "free_bytes": {"type": "integer"}, "retention_days": {"type": ["number", "null"]}, "retention_bytes": {"type": ["integer", "null"]}, "bytes_a_day": {"type": ["number", "null"], "description": "null: the journal reaches back over less than an hour"}, "measured_over_days": {"type": ["number", "null"]}, "bytes_at_retention": {"type": ["number", "null"], "description": "what it comes to when as much goes as comes; null: nothing ever goes, or not known"}, "full_in_days": {"type": ["number", "null"], "description": "null: retention is sooner, or not known"}}})
SCHEMA(SourceRequest, {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 64, "description": "letters, digits, dots, underscores, hyphens"}, "server": {"type": "boolean"}}})
SCHEMA(RotateRequest, {"type": "object", "properties": {"grace_hours": {"type": "integer", "minimum": 0, "maximum": 720, "description": "how long the old key goes on; usual: 24"}}})
SCHEMA(SavedQuestion, {"type": "object", "required": ["id", "name", "kind", "question", "view", "saved_by", "saved_at"], "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "kind": {"type": "string"}, "question": {"type": "object"}, "view": {"type": ["object", "null"]}, "saved_by": {"type": "string"}, "saved_at": {"type": "string"}}})
SCHEMA(SavedQuestions, {"type": "object", "required": ["saved"], "properties": {"saved": {"type": "array", "items": {"$ref": "#/components/schemas/SavedQuestion"}}}})
SCHEMA(SaveRequest, {"type": "object", "required": ["name", "kind", "question"], "properties": {"id": {"type": "string", "description": "of one that it takes the place of"}, "name": {"type": "string"}, "kind": {"type": "string", "description": "the end of its path: funnels, trends, ..."}, "question": {"type": "object"}, "view": {"type": ["object", "null"], "description": "how it is shown; the page's own"}}})
SCHEMA(SavedDeleted, {"type": "object", "required": ["deleted"], "properties": {"deleted": {"type": "string"}}})
SCHEMA(Audit, {"type": "object", "required": ["entries", "next"], "properties": {"entries": {"type": "array", "items": {"type": "object", "required": ["number", "at", "who", "role", "method", "path", "status", "about"], "properties": {"number": {"type": "integer"}, "at": {"type": "string"}, "who": {"type": "string"}, "role": {"type": "string"}, "method": {"type": "string"}, "path": {"type": "string"}, "status": {"type": "integer"}, "about": {"type": ["string", "null"]}}}}, "next": {"type": ["integer", "null"], "description": "before of the next page"}}})
SCHEMA(Sessions, {"type": "object", "required": ["sessions"], "properties": {"sessions": {"type": "array", "items": {"$ref": "#/components/schemas/Session"}}}})
SCHEMA(SessionEnded, {"type": "object", "required": ["ended"], "properties": {"ended": {"type": "string"}}})
SCHEMA(SignInLink, {"type": "object", "required": ["link", "expires_at"], "properties": {"link": {"type": "string"}, "expires_at": {"$ref": "#/components/schemas/Instant"}}})
SCHEMA(LinkRequest, {"type": "object", "required": ["anonymous_id"], "properties": {"anonymous_id": {"type": "string"}, "expires_in": {"type": "integer", "minimum": 1, "maximum": 604800, "default": 600}}})
SCHEMA(LinkToken, {"type": "object", "required": ["token", "parameter", "expires_at"], "properties": {"token": {"type": "string"}, "parameter": {"type": "string"}, "expires_at": {"$ref": "#/components/schemas/Instant"}}})
SCHEMA(LinkRedeemed, {"type": "object", "required": ["token"], "properties": {"writeKey": {"type": "string"}, "token": {"type": "string"}}})
SCHEMA(LinkVisitor, {"type": "object", "required": ["success", "anonymousId"], "properties": {"success": {"const": true}, "anonymousId": {"type": "string"}}})

/* ---- Live ---- */
SCHEMA(LiveRow, {"type": "object", "description": "What one data line holds; events of the names claimed, gap, end and trouble hold other objects (docs/live.md)", "required": ["position", "fate", "message", "source", "received_at", "person"], "properties": {
    "position": {"type": "integer"}, "fate": {"enum": ["accepted", "rejected", "repeated", "suppressed"]}, "reason": {"type": "string"}, "field": {"type": "string"}, "text": {"type": "string"}, "count": {"type": "integer"},
    "message": {"type": ["object", "string"], "additionalProperties": true}, "plan": {"type": "object", "additionalProperties": true, "description": "What of it breaks the tracking plan: the message's planCheck (docs/plan.md)"}, "source": {"type": ["string", "null"]}, "received_at": {"$ref": "#/components/schemas/Instant"}, "person": {"anyOf": [{"$ref": "#/components/schemas/Person"}, {"type": "null"}]}}})
SCHEMA(LiveCounts, {"type": "object", "required": ["from", "counted_from", "complete", "rows"], "properties": {"from": {"$ref": "#/components/schemas/Instant"}, "counted_from": {"$ref": "#/components/schemas/Instant"}, "complete": {"type": "boolean"},
    "rows": {"type": "array", "items": {"type": "object", "required": ["source", "type", "fate", "counts"], "properties": {"source": {"type": ["string", "null"]}, "type": {"type": ["string", "null"]}, "fate": {"type": ["string", "null"]}, "reason": {"type": "string"}, "counts": {"type": "array", "items": {"type": "integer"}}}}}}})
SCHEMA(MessageDeliveries, {"type": "object", "required": ["position", "deliveries"], "properties": {"position": {"type": "integer"}, "deliveries": {"type": "array", "items": {"type": "object", "required": ["destination", "type", "state", "text"], "properties": {
    "destination": {"type": "string"}, "type": {"type": "string"}, "state": {"enum": ["waiting", "delivered", "dead", "filtered"]}, "text": {"type": "string"}, "time": {"$ref": "#/components/schemas/Instant"},
    "last_error": {"type": ["string", "null"]}, "letter": {"type": "object", "additionalProperties": true}}}}}})
SCHEMA(KeptMessage, {"type": "object", "required": ["position", "fate", "message", "source", "received_at", "person", "stamped", "links"], "properties": {
    "position": {"type": "integer"}, "fate": {"enum": ["accepted", "rejected", "repeated", "suppressed"]}, "reason": {"type": "string"}, "field": {"type": "string"}, "text": {"type": "string"}, "count": {"type": "integer"},
    "message": {"type": ["object", "string"], "additionalProperties": true}, "source": {"type": ["string", "null"]}, "received_at": {"$ref": "#/components/schemas/Instant"}, "person": {"anyOf": [{"$ref": "#/components/schemas/Person"}, {"type": "null"}]},
    "stamped": {"type": "array", "items": {"type": "object", "required": ["path", "change", "value"], "properties": {"path": {"type": "string"}, "change": {"enum": ["added", "changed", "maybe_added"]}, "value": {}, "was": {}}}},
    "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}}}})

/* ---- Doctor ---- */
SCHEMA(FindingScope, {"type": ["string", "null"]})
SCHEMA(Finding, {"type": "object", "required": ["code", "severity", "title", "count", "of", "of_what", "share", "share_at_least", "threshold", "people", "source", "library", "version", "event", "field", "first_seen", "last_seen", "examples", "persons", "why", "effect", "mend", "data_mend", "docs", "fingerprint", "state"], "properties": {
    "code": {"type": "string", "examples": ["ID-4"]}, "severity": {"enum": ["error", "warning", "info"]}, "title": {"type": "string"}, "count": {"type": "integer"}, "of": {"type": "integer"}, "of_what": {"type": "string"},
    "share": {"type": "number"}, "share_at_least": {"type": "number"}, "threshold": {"type": "number"}, "people": {"type": "integer"}, "people_at_least": {"type": "boolean"}, "source": {"$ref": "#/components/schemas/FindingScope"}, "library": {"$ref": "#/components/schemas/FindingScope"},
    "version": {"$ref": "#/components/schemas/FindingScope"}, "event": {"$ref": "#/components/schemas/FindingScope"}, "field": {"$ref": "#/components/schemas/FindingScope"}, "cases_of_version": {"type": "integer"},
    "versions": {"type": "array", "items": {"type": "object", "required": ["library", "version", "count"], "properties": {"library": {"$ref": "#/components/schemas/FindingScope"}, "version": {"$ref": "#/components/schemas/FindingScope"}, "count": {"type": "integer"}}}},
    "pages": {"type": "array", "items": {"type": "object", "required": ["page", "count"], "properties": {"page": {"type": "string"}, "count": {"type": "integer"}}}}, "numbers": {"type": "object", "additionalProperties": true},
    "first_seen": {"$ref": "#/components/schemas/Instant"}, "last_seen": {"$ref": "#/components/schemas/Instant"},
    "examples": {"type": "array", "maxItems": 5, "items": {"type": "object", "required": ["position", "message_id"], "properties": {"position": {"type": "integer"}, "message_id": {"type": "string"}}}},
    "persons": {"type": "array", "maxItems": 20, "items": {"type": "string"}}, "why": {"type": "string"}, "effect": {"type": "string"},
    "mend": {"type": "array", "items": {"type": "object", "required": ["sdk", "code"], "properties": {"sdk": {"type": "string"}, "code": {"type": "string"}}}}, "data_mend": {"type": ["string", "null"]}, "docs": {"type": "string"},
    "fingerprint": {"type": "string"}, "state": {"enum": ["new", "open", "muted", "resolved"]}, "found": {"$ref": "#/components/schemas/Instant"}, "reopened": {"type": "boolean"},
    "muted": {"type": ["object", "null"], "properties": {"reason": {"type": "string"}, "until": {"$ref": "#/components/schemas/Instant"}}}}})
SCHEMA(Findings, {"type": "object", "required": ["findings", "too_few", "resolved", "from", "to", "is_cut", "messages", "with_imports", "young_sources"], "properties": {
    "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
    "too_few": {"type": "array", "items": {"type": "object", "required": ["code", "title", "count", "of", "of_what", "share", "share_at_least", "threshold", "source", "event"], "properties": {"code": {"type": "string"}, "title": {"type": "string"}, "count": {"type": "integer"}, "of": {"type": "integer"},
        "of_what": {"type": "string"}, "share": {"type": "number"}, "share_at_least": {"type": "number"}, "threshold": {"type": "number"}, "source": {"$ref": "#/components/schemas/FindingScope"}, "event": {"$ref": "#/components/schemas/FindingScope"}}}},
    "resolved": {"type": "array", "items": {"type": "object", "required": ["code", "title", "source", "event", "fingerprint", "state", "found", "last_seen", "resolved"], "properties": {"code": {"type": "string"}, "title": {"type": "string"}, "source": {"$ref": "#/components/schemas/FindingScope"},
        "event": {"$ref": "#/components/schemas/FindingScope"}, "fingerprint": {"type": "string"}, "state": {"const": "resolved"}, "found": {"$ref": "#/components/schemas/Instant"}, "last_seen": {"$ref": "#/components/schemas/Instant"}, "resolved": {"$ref": "#/components/schemas/Instant"}}}},
    "from": {"$ref": "#/components/schemas/Instant"}, "to": {"$ref": "#/components/schemas/Instant"}, "is_cut": {"type": "boolean"}, "messages": {"type": "integer"}, "with_imports": {"type": "boolean"}, "examined": {"type": ["string", "null"]}, "young_sources": {"type": "array", "items": {"type": "string"}}}})
SCHEMA(FindingAccountsRequest, {"type": "object", "required": ["accounts"], "properties": {"accounts": {"type": "array", "maxItems": 5000, "items": {"type": "object", "required": ["id"], "properties": {
    "id": {"type": "string", "description": "The user id that it should have"}, "email": {"type": ["string", "null"]}, "created": {"type": ["string", "number", "null"], "description": "An instant, or seconds or milliseconds since 1970; without it the account is never late"}}}}}})
SCHEMA(FindingAccounts, {"type": "object", "required": ["problems", "accounts", "fine", "never", "late", "no_history", "twice", "joined", "messages", "moved_minutes", "moved_by", "from", "is_cut"], "properties": {
    "problems": {"type": "array", "items": {"type": "object", "required": ["id", "state", "cause", "code", "created", "text", "person_id", "seen", "position"], "properties": {
        "id": {"type": "string"}, "state": {"enum": ["never", "late", "no_history", "twice"]}, "cause": {"type": "string"}, "code": {"type": ["string", "null"], "description": "The finding that tells of the same cause"}, "created": {"type": ["string", "null"]}, "text": {"type": "string"},
        "person_id": {"type": ["string", "null"]}, "seen": {"type": ["string", "null"]}, "position": {"type": ["integer", "null"]}}}},
    "accounts": {"type": "integer"}, "fine": {"type": "integer"}, "never": {"type": "integer"}, "late": {"type": "integer"}, "no_history": {"type": "integer"}, "twice": {"type": "integer"}, "messages": {"type": "integer", "description": "Looked at"},
    "joined": {"type": "array", "description": "Accounts that are one person with another user id", "items": {"type": "object", "required": ["id", "person_id"], "properties": {"id": {"type": "string"}, "person_id": {"type": ["string", "null"]}}}},
    "moved_minutes": {"type": "integer", "description": "The times of the accounts were judged as if they were moved by this: most are off by it"}, "moved_by": {"type": "integer", "description": "So many accounts say that"}, "from": {"$ref": "#/components/schemas/Instant"}, "is_cut": {"type": "boolean"}}})
SCHEMA(FindingPeopleRequest, {"type": "object", "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "cursor": {"type": "string"}}})
SCHEMA(FindingPeople, {"type": "object", "required": ["people", "total", "cursor"], "properties": {"people": {"type": "array", "items": {"type": ["object", "null"], "additionalProperties": true}}, "total": {"type": "integer"}, "cursor": {"$ref": "#/components/schemas/Cursor"}}})
SCHEMA(FindingMuteRequest, {"type": "object", "properties": {"reason": {"type": "string", "maxLength": 200}, "until": {"type": "string", "examples": ["30d", "2027-01-31"]}}})
SCHEMA(FindingUnmuteRequest, {"type": "object"})
SCHEMA(FindingMuted, {"type": "object", "required": ["fingerprint", "code", "muted", "reason"], "properties": {"fingerprint": {"type": "string"}, "code": {"type": "string"}, "muted": {"type": "boolean"}, "until": {"$ref": "#/components/schemas/Instant"}, "reason": {"type": "string"}}})

/* ---- Privacy ---- */
SCHEMA(Erasure, {"type": "object", "required": ["id", "status", "stage", "progress"], "properties": {"id": {"type": "string"}, "status": {"enum": ["running", "done"]}, "stage": {"type": ["string", "null"]}, "progress": {"type": "number"},
    "journal_records": {"type": "integer"}, "index_rows": {"type": "integer"}, "waits_for": {"type": "array", "items": {"type": "string"}}, "not_looked_into": {"type": "array", "items": {"type": "object", "properties": {"from": {"type": "integer"}, "to": {"type": "integer"}, "reason": {"type": "string"}}}}}})
SCHEMA(ErasureBegun, {"type": "object", "required": ["erasure", "ids", "suppressed"], "properties": {"erasure": {"$ref": "#/components/schemas/Erasure"}, "ids": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}}, "suppressed": {"type": "boolean"}}})
SCHEMA(Erasures, {"type": "object", "required": ["erasures", "done_since_start"], "properties": {"erasures": {"type": "array", "items": {"$ref": "#/components/schemas/Erasure"}}, "done_since_start": {"type": "integer"}}})
SCHEMA(SuppressedIds, {"type": "object", "properties": {"user_id": {"type": "string"}, "anonymous_id": {"type": "string"}, "user_ids": {"type": "array", "items": {"type": "string"}}, "anonymous_ids": {"type": "array", "items": {"type": "string"}},
    "ids": {"type": "array", "items": {"type": "string"}, "examples": [["12345", "anonymous_id:a-1", "email:kim@example.com"]]}}})
SCHEMA(SuppressionChanged, {"type": "object", "required": ["suppressed", "ids", "changed", "unchanged"], "properties": {"suppressed": {"type": "boolean"}, "ids": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}}, "changed": {"type": "boolean"}, "unchanged": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}}}})
SCHEMA(Suppressions, {"type": "object", "required": ["count", "ids", "cursor"], "properties": {"count": {"type": "integer"}, "ids": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}}, "cursor": {"$ref": "#/components/schemas/Cursor"}}})
SCHEMA(ExportLine, {"type": "object", "required": ["kind", "data"], "properties": {"kind": {"enum": ["person", "traits_history", "groups", "links", "event", "end"]}, "data": {"type": "object", "additionalProperties": true}}})

/* ---- Destinations ---- */
SCHEMA(Destination, {"type": "object", "required": ["name", "type", "state", "position", "lag_bytes", "lag_ms", "unfinished", "delivered", "dead_letters", "last_error"], "properties": {"name": {"type": "string"}, "type": {"type": "string"},
    "state": {"enum": ["running", "disabled", "waiting"]}, "waits_until": {"type": ["string", "null"]}, "position": {"type": "integer"}, "lag_bytes": {"type": "integer"}, "lag_ms": {"type": "integer"}, "unfinished": {"type": "integer"},
    "under_way": {"type": "integer"}, "taken": {"type": "integer"}, "delivered": {"type": "integer"}, "skipped": {"type": "integer"}, "refused": {"type": "integer"}, "retried": {"type": "integer"}, "requests": {"type": "integer"}, "links": {"type": "integer"},
    "reports": {"type": "integer"}, "dead_letters": {"type": "integer"}, "messages_per_second": {"type": "number"}, "last_success_at": {"type": ["string", "null"]}, "last_error_at": {"type": ["string", "null"]}, "last_error": {"type": ["string", "null"]},
    "replay": {"type": "object", "properties": {"is_under_way": {"type": "boolean"}, "left_bytes": {"type": "integer"}, "unfinished": {"type": "integer"}, "taken": {"type": "integer"}, "delivered": {"type": "integer"}}}}})
SCHEMA(DestinationMinutes, {"type": "array", "items": {"type": "integer"}})
SCHEMA(DestinationSeries, {"type": "object", "required": ["from", "counted_from", "series"], "properties": {"from": {"$ref": "#/components/schemas/Instant"}, "counted_from": {"$ref": "#/components/schemas/Instant"},
    "series": {"type": "object", "required": ["received", "delivered", "retried", "dead", "filtered", "lag_ms"], "properties": {"received": {"$ref": "#/components/schemas/DestinationMinutes"}, "delivered": {"$ref": "#/components/schemas/DestinationMinutes"},
        "retried": {"$ref": "#/components/schemas/DestinationMinutes"}, "dead": {"$ref": "#/components/schemas/DestinationMinutes"}, "filtered": {"$ref": "#/components/schemas/DestinationMinutes"}, "lag_ms": {"$ref": "#/components/schemas/DestinationMinutes"}}}}})
SCHEMA(DestinationErrors, {"type": "object", "required": ["destination", "errors", "others", "is_whole"], "properties": {"destination": {"type": "string"}, "errors": {"type": "array", "items": {"type": "object", "required": ["reason", "status", "description", "count", "first_at", "last_at"], "properties": {"reason": {"type": "string"}, "status": {"type": ["integer", "null"]}, "description": {"type": "string"}, "count": {"type": "integer"},
    "first_at": {"type": "string"}, "last_at": {"type": "string"}, "sample": {"type": "object", "additionalProperties": true}}}}, "others": {"type": "integer"}, "is_whole": {"type": "boolean"}}})
SCHEMA(Warehouse, {"type": "object", "required": ["name", "type", "schema", "state", "position", "lag_bytes", "lag_ms", "rows", "discards", "last_error"], "properties": {"name": {"type": "string"}, "type": {"type": "string"}, "schema": {"type": "string"}, "state": {"type": "string", "enum": ["running", "waiting"]}, "position": {"type": "integer"}, "lag_bytes": {"type": "integer"}, "lag_ms": {"type": "integer"}, "loads": {"type": "integer"}, "rows": {"type": "integer"}, "discards": {"type": "integer"}, "refused": {"type": "integer"}, "repeated": {"type": "integer"}, "last_success_at": {"type": ["string", "null"]}, "last_error": {"type": ["string", "null"]}}})
SCHEMA(Destinations, {"type": "object", "required": ["destinations", "warehouses"], "properties": {"destinations": {"type": "array", "items": {"$ref": "#/components/schemas/Destination"}}, "warehouses": {"type": "array", "items": {"$ref": "#/components/schemas/Warehouse"}}}})
SCHEMA(DeadLetters, {"type": "object", "required": ["dead", "next"], "properties": {"dead": {"type": "array", "items": {"type": "object", "required": ["number"], "additionalProperties": true, "properties": {"number": {"type": "integer"}}}}, "next": {"type": ["integer", "null"]}}})
SCHEMA(UserHash, {"type": "object", "required": ["user_id", "user_hash"], "properties": {"user_id": {"type": "string"}, "user_hash": {"type": "string"}}})
SCHEMA(RedoRequest, {"type": "object", "properties": {"number": {"type": "integer"}}})
SCHEMA(ReplayRequest, {"type": "object", "required": ["from"], "properties": {"from": {"type": "string"}, "to": {"type": "string"}, "held": {"type": "boolean", "description": "true: what the tracking plan held, and nothing else"}}})
SCHEMA(TestRequest, {"type": "object", "properties": {"message": {"$ref": "#/components/schemas/Message"}}})
SCHEMA(TestOutcome, {"type": "object", "required": ["exchanges", "is_delivered", "error"], "properties": {"exchanges": {"type": "array", "items": {"type": "object", "required": ["request", "answer"], "properties": {
    "request": {"type": "object", "required": ["method", "url", "headers", "body"], "properties": {"method": {"type": "string"}, "url": {"type": "string"}, "headers": {"type": "object", "additionalProperties": true}, "body": {"type": "string"}}},
    "answer": {"type": "object", "properties": {"status": {"type": "integer"}, "body": {"type": "string"}, "error": {"type": "string"}, "took_ms": {"type": "integer"}}}}}}, "is_delivered": {"type": "boolean"}, "error": {"type": ["string", "null"]}}})

/* ---- Segment's Profile API ---- */
SCHEMA(ProfileCursor, {"type": "object", "required": ["url", "has_more", "next", "limit"], "properties": {"url": {"type": "string"}, "has_more": {"type": "boolean"}, "next": {"type": "string"}, "limit": {"type": "integer"}}})
SCHEMA(ProfileTraits, {"type": "object", "required": ["traits", "cursor"], "properties": {"traits": {"$ref": "#/components/schemas/Traits"}, "cursor": {"$ref": "#/components/schemas/ProfileCursor"}}})
SCHEMA(ProfileList, {"type": "object", "required": ["data", "cursor"], "properties": {"data": {"type": "array", "items": {"type": "object", "additionalProperties": true}}, "cursor": {"$ref": "#/components/schemas/ProfileCursor"}}})
SCHEMA(ProfileMetadata, {"type": "object", "required": ["metadata"], "properties": {"metadata": {"type": "object", "additionalProperties": true}}})

#undef TAG
#undef OPERATION
#undef SAME
#undef PARAMETER
#undef SCHEMA
