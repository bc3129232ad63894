/* Every kind of question that can be asked. All that lists them comes from here: the route, the OpenAPI document, the
 * command with its help, its completion and its part of the manual page, the word in the log. A new kind is a file
 * ask_<answer>.c, its rows here, and its definition on a page of docs/; tests/unit/ask/ask_questions_test.c says what
 * is missing, and tests/questions/ adds one.
 *
 * QUESTION(KIND, answer, path, word, schema, page, summary)
 *     answer      answer_<answer>() answers it (ask_answer.h)
 *     path        POST /api/v1/<path> asks it
 *     word        what log lines call it
 *     schema      SHAPE of the answer; that of the question is <schema>Question
 *     page        of docs/, where every number is defined
 * SHAPE(name, schema)
 *     a JSON Schema, as it stands
 * ASKED(KIND, command, operands, members, wants, summary, details)
 *     the command that asks it, as main/commands.tbl.h has commands. members: which members of the question the operands
 *     are, in order: "birth return"; "steps..." takes all that are left, as a list; "search=text" is a text, the others
 *     are events. wants: what is said if there are too few operands, or too many
 * MEMBER(command, letter, option, value, how, member, help)
 *     an option of it, as main/commands.tbl.h has options, and the member that it gives. how:
 *     VALUE       a number where it is one, else a text
 *     TEXT        always a text
 *     TIME        an instant, or a duration ago
 *     EVENTS      repeatable: a list of events
 *     FILTERS     repeatable: properties.plan=Free
 *     FLAG        true, or with "direction=before" that text
 *     OWN         nothing: the command's own file makes something of it
 *
 * The command line decides how an answer is drawn (cli/cli_question.c). An answer without a drawing of its own is shown
 * as tables, one for each of its lists.
 */
#ifndef QUESTION
#define QUESTION(...)
#endif
#ifndef SHAPE
#define SHAPE(...)
#endif
#ifndef ASKED
#define ASKED(...)
#endif
#ifndef MEMBER
#define MEMBER(...)
#endif

#define MEMBERS_OF_PRINTING(command) \
    MEMBER(command, 0, "json", NULL, OWN, "", "print the API's answer") \
    MEMBER(command, 0, "csv", NULL, OWN, "", "print CSV")
#define MEMBERS_OF_MOST(command) \
    MEMBER(command, 0, "from", "TIME", TIME, "from", "events at this time or later: 2026-01-31, 2026-01-31T12:00:00Z, 30d (ago)") \
    MEMBER(command, 0, "to", "TIME", TIME, "to", "events before this time") \
    MEMBER(command, 0, "timezone", "ZONE", VALUE, "timezone", "whose days and dates are meant: Europe/Berlin (UTC)") \
    MEMBER(command, 'w', "where", "FILTER", FILTERS, "where", "only events with properties.plan=Free; also != < <= > >= ~ (contains), a,b " \
        "(any of them), a field alone (there is one), !field; repeatable, all must hold") \
    MEMBERS_OF_PRINTING(command)
#define MEMBERS_OF_GROUPS(command) \
    MEMBER(command, 'b', "by", "FIELD", VALUE, "by", "break down by properties.plan, context.campaign.source, traits.company.plan, userId, groupId, name, type, library, source") \
    MEMBER(command, 0, "limit", "N", VALUE, "limit", "show the N largest groups") \
    MEMBER(command, 0, "of", "WHAT", VALUE, "of", "people, or groups: accounts, by groupId or context.groupId (people)")
#define MEMBERS_OF_UNITS(command, units) \
    MEMBER(command, 'u', "unit", "UNIT", VALUE, "unit", units " (day)") \
    MEMBER(command, 0, "week-start", "DAY", VALUE, "week_start", "which day weeks begin on: sunday (monday)")

/* ---- funnel ---- */
QUESTION(FUNNEL, funnel, "funnels", "funnel", Funnel, "funnels.md",
    "How many people get how far, how fast")
SHAPE(FunnelQuestion, {"type": "object", "required": ["steps"], "properties": {
    "steps": {"type": "array", "minItems": 1, "maxItems": 20, "items": {"$ref": "#/components/schemas/Step"}}, "window": {"$ref": "#/components/schemas/Duration"},
    "order": {"enum": ["in_order", "strict", "any"], "default": "in_order"}, "range": {"enum": ["entries", "all"], "default": "entries"},
    "exclusions": {"type": "array", "maxItems": 8, "items": {"type": "object", "required": ["event"], "properties": {"event": {"type": "string"},
        "where": {"$ref": "#/components/schemas/Filters"}, "from": {"type": "integer"}, "to": {"type": "integer"}}}},
    "by": {"type": "string"}, "attribution": {"enum": ["first", "any"], "default": "first"}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
    "of": {"$ref": "#/components/schemas/Of"}, "where": {"$ref": "#/components/schemas/Filters"}, "from": {"$ref": "#/components/schemas/Time"},
    "to": {"$ref": "#/components/schemas/Time"}, "timezone": {"type": "string"}}})
SHAPE(FunnelSteps, {"type": "array", "items": {"type": "object", "required": ["event", "people", "from_previous", "from_first"], "properties": {
    "event": {"type": ["string", "null"]}, "people": {"type": "integer"}, "from_previous": {"type": "number"}, "from_first": {"type": "number"},
    "median_ms": {"type": ["integer", "null"]}, "p90_ms": {"type": ["integer", "null"]},
    "median_from_previous_ms": {"type": ["integer", "null"]}, "p90_from_previous_ms": {"type": ["integer", "null"]}}}})
SHAPE(Funnel, {"type": "object", "required": ["steps", "groups", "groups_left_out", "window_ms", "by", "range", "order", "from", "to", "timezone", "warnings", "rows", "matched", "complete"], "properties": {
    "steps": {"$ref": "#/components/schemas/FunnelSteps"},
    "groups": {"type": "array", "items": {"type": "object", "required": ["value", "steps"], "properties": {"value": {"$ref": "#/components/schemas/Value"}, "steps": {"$ref": "#/components/schemas/FunnelSteps"}}}},
    "groups_left_out": {"type": "integer"}, "window_ms": {"type": "integer"}, "by": {"type": ["string", "null"]}, "range": {"type": "string"}, "order": {"type": "string"},
    "attribution": {"type": "string"}, "of": {"type": "string"}, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}, "timezone": {"type": "string"},
    "warnings": {"$ref": "#/components/schemas/Warnings"}, "rows": {"type": "integer"}, "matched": {"type": "integer"}, "complete": {"type": "boolean"},
    "behind": {"$ref": "#/components/schemas/Behind"}}})
ASKED(FUNNEL, "funnel", "STEP...", "steps...", "steps: onym funnel page:/signup 'Account Created'",
    "how many people get how far, and how fast",
    "A step is an event's name, page:/path, screen:Name, or an object of the API: "
    "'{\"event\":\"Account Created\",\"where\":[...]}'. A person counts once, at the deepest step that any of their "
    "entries reaches within the window. --people and --dropped show who they are. docs/funnels.md defines every number.")
MEMBERS_OF_MOST("funnel")
MEMBERS_OF_GROUPS("funnel")
MEMBER("funnel", 0, "window", "DURATION", VALUE, "window", "how long the way from the first step may take: 30m, 24h (7d)")
MEMBER("funnel", 0, "step-window", "STEP=DURATION", OWN, "", "how long after the step before: 3=1h; repeatable")
MEMBER("funnel", 0, "order", "ORDER", VALUE, "order", "in_order (others may lie between), strict (none may), or any (in_order)")
MEMBER("funnel", 0, "range", "WHAT", VALUE, "range", "what --from and --to limit: entries, which then have the window to go on; or all events (entries)")
MEMBER("funnel", 0, "attribution", "WHICH", VALUE, "attribution", "the group of a person: first (of their entry), or any entry's")
MEMBER("funnel", 'x', "exclude", "EVENT", OWN, "", "leave out who did this between the first and the last step; repeatable")
MEMBER("funnel", 0, "people", "STEP", OWN, "", "show the people of this step (a number), and by which events they got there")
MEMBER("funnel", 0, "dropped", "STEP", OWN, "", "show the people who got to this step and no further")
MEMBER("funnel", 0, "group", "VALUE", OWN, "", "with --people or --dropped: only people of this group")
MEMBER("funnel", 0, "cursor", "CURSOR", OWN, "", "with --people or --dropped: the next page")

/* ---- funnel people ---- */
QUESTION(FUNNEL_PEOPLE, funnel_people, "funnels/people", "funnel people", FunnelPeople, "funnels.md#who-they-are",
    "Who the people of a step of a funnel are")
SHAPE(FunnelPeopleQuestion, {"type": "object", "required": ["steps"], "properties": {
    "step": {"type": "integer", "minimum": 1, "default": 1}, "outcome": {"enum": ["converted", "dropped"], "default": "converted"},
    "group": {"$ref": "#/components/schemas/Value"}, "cursor": {"type": "string"}, "events": {"type": "boolean", "default": true},
    "steps": {"type": "array", "minItems": 1, "maxItems": 20, "items": {"$ref": "#/components/schemas/Step"}}, "window": {"$ref": "#/components/schemas/Duration"},
    "order": {"enum": ["in_order", "strict", "any"], "default": "in_order"}, "range": {"enum": ["entries", "all"], "default": "entries"},
    "exclusions": {"type": "array", "maxItems": 8, "items": {"type": "object", "required": ["event"], "properties": {"event": {"type": "string"},
        "where": {"$ref": "#/components/schemas/Filters"}, "from": {"type": "integer"}, "to": {"type": "integer"}}}},
    "by": {"type": "string"}, "attribution": {"enum": ["first", "any"], "default": "first"}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
    "of": {"$ref": "#/components/schemas/Of"}, "where": {"$ref": "#/components/schemas/Filters"}, "from": {"$ref": "#/components/schemas/Time"},
    "to": {"$ref": "#/components/schemas/Time"}, "timezone": {"type": "string"}}})
SHAPE(FunnelPeople, {"type": "object", "required": ["step", "outcome", "total", "people", "cursor", "complete"], "properties": {
    "step": {"type": "integer"}, "outcome": {"enum": ["converted", "dropped"]}, "total": {"type": "integer"},
    "people": {"type": "array", "items": {"type": "object", "required": ["person", "depth", "steps"], "properties": {"person": {"type": "object", "additionalProperties": true}, "depth": {"type": "integer"},
        "reason": {"type": ["object", "null"], "description": "of who dropped: why the next step was not reached", "required": ["code", "step", "time", "late_ms"], "properties": {"code": {"enum": ["never", "before", "too_late", "step_too_late", "between", "excluded"]},
            "step": {"type": "integer"}, "time": {"type": ["string", "null"]}, "late_ms": {"type": ["integer", "null"]}}},
        "group": {"$ref": "#/components/schemas/Value"}, "steps": {"type": "array", "items": {"type": "object", "required": ["event", "time", "position"], "properties": {
            "event": {"type": ["string", "null"]}, "time": {"$ref": "#/components/schemas/Instant"}, "position": {"type": "integer"}, "message": {"type": ["object", "null"], "additionalProperties": true}}}}}}},
    "cursor": {"$ref": "#/components/schemas/Cursor"}, "groups": {"type": "array"}, "window_ms": {"type": "integer"}, "by": {"type": ["string", "null"]}, "range": {"type": "string"},
    "order": {"type": "string"}, "attribution": {"type": "string"}, "of": {"type": "string"}, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}, "timezone": {"type": "string"},
    "warnings": {"$ref": "#/components/schemas/Warnings"}, "rows": {"type": "integer"}, "matched": {"type": "integer"}, "complete": {"type": "boolean"}, "behind": {"$ref": "#/components/schemas/Behind"}}})

/* ---- trends ---- */
QUESTION(TRENDS, trends, "trends", "trends", Trends, "queries.md#trends",
    "How many, how much, over time")
SHAPE(Measure, {"type": "string", "pattern": "^(count|people|sum|avg|min|max|median|p[0-9]+([.][0-9]+)?)$", "default": "count"})
SHAPE(TrendsQuestion, {"type": "object", "required": ["series"], "properties": {
    "series": {"type": "array", "minItems": 1, "maxItems": 16, "items": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"event": {"type": "string"}, "type": {"type": "string"},
        "where": {"$ref": "#/components/schemas/Filters"}, "measure": {"$ref": "#/components/schemas/Measure"}, "property": {"type": "string"}}}]}},
    "unit": {"$ref": "#/components/schemas/Unit"}, "week_start": {"$ref": "#/components/schemas/WeekStart"}, "by": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
    "of": {"$ref": "#/components/schemas/Of"}, "where": {"$ref": "#/components/schemas/Filters"}, "from": {"$ref": "#/components/schemas/Time"}, "to": {"$ref": "#/components/schemas/Time"}, "timezone": {"type": "string"}}})
SHAPE(Trends, {"type": "object", "required": ["unit", "buckets", "series", "by", "from", "to", "timezone", "warnings", "rows", "matched", "complete"], "properties": {
    "unit": {"type": "string"}, "week_start": {"type": "string"}, "buckets": {"type": "array", "items": {"$ref": "#/components/schemas/Instant"}},
    "series": {"type": "array", "items": {"type": "object", "required": ["event", "measure", "property", "total", "values", "groups", "groups_left_out"], "properties": {
        "event": {"type": ["string", "null"]}, "measure": {"type": "string"}, "property": {"type": ["string", "null"]}, "total": {"type": ["number", "null"]},
        "values": {"type": "array", "items": {"type": ["number", "null"]}}, "groups": {"type": "array", "items": {"type": "object", "required": ["value", "total", "values"], "properties": {
            "value": {"$ref": "#/components/schemas/Value"}, "total": {"type": ["number", "null"]}, "values": {"type": "array", "items": {"type": ["number", "null"]}}}}}, "groups_left_out": {"type": "integer"}}}},
    "by": {"type": ["string", "null"]}, "of": {"type": "string"}, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}, "timezone": {"type": "string"},
    "warnings": {"$ref": "#/components/schemas/Warnings"}, "rows": {"type": "integer"}, "matched": {"type": "integer"}, "complete": {"type": "boolean"}, "behind": {"$ref": "#/components/schemas/Behind"}}})
ASKED(TRENDS, "trends", "EVENT...", "series...", "events: onym trends 'Account Created' --unit week",
    "how many, how much, over time",
    "Counts events, people (--measure people), or takes sum, avg, min, max, median or p90 of a --property, by hour, day, "
    "week, month or quarter of a time zone. docs/queries.md defines every number.")
MEMBERS_OF_MOST("trends")
MEMBERS_OF_GROUPS("trends")
MEMBERS_OF_UNITS("trends", "hour, day, week, month or quarter")
MEMBER("trends", 'm', "measure", "MEASURE", OWN, "", "count, people, sum, avg, min, max, median, p90, p99.9 (count)")
MEMBER("trends", 'p', "property", "FIELD", OWN, "", "the number to take it of: properties.revenue")

/* ---- retention ---- */
QUESTION(RETENTION, retention, "retention", "retention", Retention, "queries.md#retention",
    "Who comes back")
SHAPE(RetentionQuestion, {"type": "object", "required": ["birth"], "properties": {"birth": {"$ref": "#/components/schemas/EventName"}, "return": {"$ref": "#/components/schemas/EventName"},
    "unit": {"enum": ["day", "week", "month", "quarter"], "default": "day"}, "week_start": {"$ref": "#/components/schemas/WeekStart"}, "periods": {"type": "integer", "minimum": 1, "maximum": 366, "default": 12},
    "mode": {"enum": ["n_day", "unbounded"], "default": "n_day"}, "first": {"enum": ["in_range", "ever"], "default": "in_range"}, "by": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
    "of": {"$ref": "#/components/schemas/Of"}, "where": {"$ref": "#/components/schemas/Filters"}, "from": {"$ref": "#/components/schemas/Time"}, "to": {"$ref": "#/components/schemas/Time"}, "timezone": {"type": "string"}}})
SHAPE(Retention, {"type": "object", "required": ["unit", "mode", "first", "periods", "observed_to", "cohorts", "total", "groups", "groups_left_out", "by", "from", "to", "timezone", "warnings", "rows", "matched", "complete"], "properties": {
    "unit": {"type": "string"}, "week_start": {"type": "string"}, "mode": {"type": "string"}, "first": {"type": "string"}, "periods": {"type": "integer"}, "observed_to": {"type": ["string", "null"]},
    "cohorts": {"type": "array", "items": {"type": "object", "required": ["start", "people", "returned"], "properties": {"start": {"$ref": "#/components/schemas/Instant"}, "people": {"type": "integer"},
        "returned": {"type": "array", "items": {"type": ["integer", "null"]}}}}}, "total": {"$ref": "#/components/schemas/Returned"},
    "groups": {"type": "array", "items": {"type": "object", "required": ["value", "people", "returned", "eligible", "shares"], "properties": {"value": {"$ref": "#/components/schemas/Value"}, "people": {"type": "integer"},
        "returned": {"type": "array"}, "eligible": {"type": "array"}, "shares": {"type": "array"}}}}, "groups_left_out": {"type": "integer"}, "by": {"type": ["string", "null"]}, "of": {"type": "string"},
    "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}, "timezone": {"type": "string"}, "warnings": {"$ref": "#/components/schemas/Warnings"}, "rows": {"type": "integer"},
    "matched": {"type": "integer"}, "complete": {"type": "boolean"}, "behind": {"$ref": "#/components/schemas/Behind"}}})
SHAPE(Returned, {"type": "object", "required": ["people", "returned", "eligible", "shares"], "properties": {"people": {"type": "integer"}, "returned": {"type": "array", "items": {"type": ["integer", "null"]}},
    "eligible": {"type": "array", "items": {"type": "integer"}}, "shares": {"type": "array", "items": {"type": ["number", "null"]}}}})
ASKED(RETENTION, "retention", "BIRTH [RETURN]", "birth return", "a first event, and perhaps the one to come back to: onym retention 'Account Created' '*'",
    "who comes back",
    "People by the day, week, month or quarter of their first BIRTH event, and how many of them did RETURN (without: BIRTH "
    "again; '*': anything) in each period after it. docs/queries.md defines every number.")
MEMBERS_OF_MOST("retention")
MEMBERS_OF_GROUPS("retention")
MEMBERS_OF_UNITS("retention", "day, week, month or quarter")
MEMBER("retention", 0, "first", "WHICH", VALUE, "first", "a person's first BIRTH in_range, or first ever, that lies in the range (in_range)")
MEMBER("retention", 0, "periods", "N", VALUE, "periods", "how many periods after the first (12)")
MEMBER("retention", 0, "mode", "MODE", VALUE, "mode", "n_day: in that period; unbounded: in that one or a later one (n_day)")

/* ---- paths ---- */
QUESTION(PATHS, paths, "paths", "paths", Paths, "queries.md#paths",
    "What people do before or after an event")
SHAPE(PathsQuestion, {"type": "object", "required": ["event"], "properties": {"event": {"$ref": "#/components/schemas/EventName"}, "direction": {"enum": ["after", "before"], "default": "after"},
    "depth": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3}, "within": {"$ref": "#/components/schemas/Duration"}, "events": {"type": "array", "items": {"$ref": "#/components/schemas/EventName"}},
    "collapse": {"type": "boolean"}, "limit": {"type": "integer", "minimum": 1, "maximum": 100}, "where": {"$ref": "#/components/schemas/Filters"}, "from": {"$ref": "#/components/schemas/Time"},
    "to": {"$ref": "#/components/schemas/Time"}, "timezone": {"type": "string"}}})
SHAPE(Paths, {"type": "object", "required": ["event", "direction", "people", "depths", "links", "within_ms", "warnings", "rows", "matched", "complete"], "properties": {
    "event": {"type": ["string", "null"]}, "direction": {"type": "string"}, "people": {"type": "integer"}, "collapse": {"type": "boolean"},
    "depths": {"type": "array", "items": {"type": "object", "required": ["depth", "people", "ended", "events", "others"], "properties": {"depth": {"type": "integer"}, "people": {"type": "integer"}, "ended": {"type": "integer"},
        "events": {"type": "array", "items": {"type": "object", "required": ["event", "people", "share"], "properties": {"event": {"type": "string"}, "people": {"type": "integer"}, "share": {"type": "number"}}}},
        "others": {"type": "object", "properties": {"events": {"type": "integer"}, "people": {"type": "integer"}}}}}},
    "links": {"type": "array", "items": {"type": "object", "required": ["depth", "from", "to", "people"], "properties": {"depth": {"type": "integer"}, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]},
        "people": {"type": "integer"}}}}, "within_ms": {"type": "integer"}, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}, "timezone": {"type": "string"},
    "warnings": {"$ref": "#/components/schemas/Warnings"}, "rows": {"type": "integer"}, "matched": {"type": "integer"}, "complete": {"type": "boolean"}, "behind": {"$ref": "#/components/schemas/Behind"}}})
ASKED(PATHS, "paths", "EVENT", "event", "one event: onym paths 'Account Created' --before",
    "what people do after an event, or before it",
    "From each person's first EVENT on (with --before: from the last one back), the events that follow, step by step. "
    "docs/queries.md defines every number.")
MEMBERS_OF_MOST("paths")
MEMBER("paths", 0, "before", NULL, FLAG, "direction=before", "what they did before it")
MEMBER("paths", 0, "depth", "N", VALUE, "depth", "how many steps, 1 to 10 (3)")
MEMBER("paths", 0, "within", "DURATION", VALUE, "within", "how far away an event may be: 1h, 1d (1d)")
MEMBER("paths", 0, "limit", "N", VALUE, "limit", "show the N most frequent events of a step (10)")
MEMBER("paths", 'e', "event", "EVENT", EVENTS, "events", "look at these events only; repeatable")
MEMBER("paths", 0, "collapse", NULL, FLAG, "collapse", "take the same event several times in a row as once")

/* ---- paths people ---- */
QUESTION(PATHS_PEOPLE, paths_people, "paths/people", "paths people", PathsPeople, "queries.md#who-took-a-path",
    "Who the people of a step of paths are")
SHAPE(PathsPeopleQuestion, {"type": "object", "required": ["event"], "properties": {"step": {"type": "integer", "minimum": 0, "maximum": 10, "default": 0}, "came_from": {"type": ["string", "null"]},
    "went_to": {"type": ["string", "null"]}, "ended": {"type": "boolean", "default": false}, "page": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}, "cursor": {"type": "string"},
    "messages": {"type": "boolean", "default": false}, "event": {"$ref": "#/components/schemas/EventName"}, "direction": {"enum": ["after", "before"], "default": "after"},
    "depth": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3}, "within": {"$ref": "#/components/schemas/Duration"}, "events": {"type": "array", "items": {"$ref": "#/components/schemas/EventName"}},
    "collapse": {"type": "boolean"}, "limit": {"type": "integer", "minimum": 1, "maximum": 100}, "where": {"$ref": "#/components/schemas/Filters"}, "from": {"$ref": "#/components/schemas/Time"},
    "to": {"$ref": "#/components/schemas/Time"}, "timezone": {"type": "string"}}})
SHAPE(PathsPeople, {"type": "object", "required": ["step", "total", "people", "cursor", "warnings", "rows", "matched", "complete"], "properties": {"step": {"type": "integer"}, "total": {"type": "integer"},
    "people": {"type": "array", "items": {"type": "object", "required": ["person", "depth", "steps"], "properties": {"person": {"type": "object", "additionalProperties": true}, "depth": {"type": "integer"},
        "steps": {"type": "array", "items": {"type": "object", "required": ["event", "time", "position"], "properties": {"event": {"type": ["string", "null"]}, "time": {"$ref": "#/components/schemas/Instant"},
            "position": {"type": ["integer", "null"]}, "message": {"type": ["object", "null"], "additionalProperties": true}}}}}}},
    "cursor": {"$ref": "#/components/schemas/Cursor"}, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}, "timezone": {"type": "string"},
    "warnings": {"$ref": "#/components/schemas/Warnings"}, "rows": {"type": "integer"}, "matched": {"type": "integer"}, "complete": {"type": "boolean"}, "behind": {"$ref": "#/components/schemas/Behind"}}})

/* ---- sign-ups ---- */
QUESTION(SIGNUPS, signups, "signups", "sign-ups", Signups, "queries.md#sign-ups",
    "New users by what they did first, and what brought them")
SHAPE(SignupsQuestion, {"type": "object", "properties": {"event": {"$ref": "#/components/schemas/EventName"}, "unit": {"$ref": "#/components/schemas/Unit"}, "week_start": {"$ref": "#/components/schemas/WeekStart"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 1000}, "where": {"$ref": "#/components/schemas/Filters"}, "from": {"$ref": "#/components/schemas/Time"}, "to": {"$ref": "#/components/schemas/Time"}, "timezone": {"type": "string"}}})
SHAPE(SignupList, {"type": "array", "items": {"type": "object", "required": ["value", "people", "values"], "properties": {"value": {"$ref": "#/components/schemas/Value"}, "people": {"type": "integer"},
    "values": {"type": "array", "items": {"type": "integer"}}}}})
SHAPE(Signups, {"type": "object", "required": ["event", "unit", "buckets", "people", "values", "with_history", "with_history_share", "with_history_values", "first_events", "referrers", "campaigns", "warnings", "rows", "matched", "complete"], "properties": {
    "event": {"type": ["string", "null"]}, "unit": {"type": "string"}, "week_start": {"type": "string"}, "buckets": {"type": "array", "items": {"$ref": "#/components/schemas/Instant"}}, "people": {"type": "integer"},
    "values": {"type": "array", "items": {"type": "integer"}}, "with_history": {"type": "integer"}, "with_history_share": {"type": "number"}, "with_history_values": {"type": "array", "items": {"type": "integer"}},
    "first_events": {"$ref": "#/components/schemas/SignupList"}, "first_events_left_out": {"type": "integer"}, "referrers": {"$ref": "#/components/schemas/SignupList"}, "referrers_left_out": {"type": "integer"},
    "campaigns": {"$ref": "#/components/schemas/SignupList"}, "campaigns_left_out": {"type": "integer"}, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}, "timezone": {"type": "string"},
    "warnings": {"$ref": "#/components/schemas/Warnings"}, "rows": {"type": "integer"}, "matched": {"type": "integer"}, "complete": {"type": "boolean"}, "behind": {"$ref": "#/components/schemas/Behind"}}})
ASKED(SIGNUPS, "signups", "[EVENT]", "event", "one event at most: onym signups 'Account Created'",
    "new users, and what they did before",
    "Without EVENT a sign-up is a person's first event with a user id. Shows how many there were, the share whose "
    "anonymous visits are linked to them, and what they did first, from which referrer and campaign.")
MEMBERS_OF_MOST("signups")
MEMBERS_OF_UNITS("signups", "hour, day, week, month or quarter")
MEMBER("signups", 0, "limit", "N", VALUE, "limit", "show the N largest of each list")

/* ---- events ---- */
QUESTION(EVENTS, events, "events", "events", Events, "queries.md#events-and-fields",
    "Which events, fields and values there are")
SHAPE(EventsQuestion, {"type": "object", "properties": {"search": {"type": "string"}, "field": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000}}})
SHAPE(Events, {"type": "object", "required": ["complete"], "properties": {
    "events": {"type": "array", "items": {"type": "object", "required": ["event", "type", "name", "count", "last_seen"], "properties": {"event": {"type": "string"}, "type": {"type": "string"}, "name": {"type": ["string", "null"]},
        "count": {"type": "integer"}, "last_seen": {"$ref": "#/components/schemas/Instant"}}}}, "events_left_out": {"type": "integer"},
    "properties": {"type": "array", "items": {"type": "object", "required": ["field", "count", "last_seen", "types", "examples"], "properties": {"field": {"type": "string"}, "count": {"type": "integer"},
        "last_seen": {"type": ["string", "null"]}, "types": {"type": "array", "items": {"type": "string"}}, "examples": {"type": "array", "items": {"$ref": "#/components/schemas/Value"}}}}}, "properties_left_out": {"type": "integer"},
    "traits": {"type": "array", "items": {"type": "object", "required": ["field", "people"], "properties": {"field": {"type": "string"}, "people": {"type": "integer"}}}}, "traits_left_out": {"type": "integer"},
    "field": {"type": "string"}, "count": {"type": "integer"}, "last_seen": {"type": ["string", "null"]}, "types": {"type": "array", "items": {"type": "string"}},
    "values": {"type": "array", "items": {"type": "object", "required": ["value", "count"], "properties": {"value": {"$ref": "#/components/schemas/Value"}, "count": {"type": "integer"}}}}, "values_left_out": {"type": "integer"},
    "complete": {"type": "boolean"}, "behind": {"$ref": "#/components/schemas/Behind"}, "warnings": {"$ref": "#/components/schemas/Warnings"}}})
ASKED(EVENTS, "events", "[PART]", "search=text", "a part of a name at most: onym events sign",
    "which events and fields there are",
    "With PART only those with this part in their name.")
MEMBER("events", 'f', "field", "FIELD", TEXT, "field", "the values of this field: properties.plan")
MEMBER("events", 0, "limit", "N", VALUE, "limit", "show the N most frequent")
MEMBERS_OF_PRINTING("events")

#undef QUESTION
#undef SHAPE
#undef ASKED
#undef MEMBER
#undef MEMBERS_OF_PRINTING
#undef MEMBERS_OF_MOST
#undef MEMBERS_OF_GROUPS
#undef MEMBERS_OF_UNITS
