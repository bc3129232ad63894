
/* ---- weekdays ---- */
QUESTION(WEEKDAYS, weekdays, "weekdays", "weekdays", Weekdays, "weekdays.md", "On which days of the week an event happens")
SHAPE(WeekdaysQuestion, {"type": "object", "properties": {"event": {"$ref": "#/components/schemas/EventName"}, "where": {"$ref": "#/components/schemas/Filters"},
    "from": {"$ref": "#/components/schemas/Time"}, "to": {"$ref": "#/components/schemas/Time"}, "timezone": {"type": "string"}}})
SHAPE(Weekdays, {"type": "object", "required": ["days"], "properties": {"days": {"type": "array", "items": {"type": "object", "required": ["day", "events"], "properties": {
    "day": {"type": "string"}, "events": {"type": "integer"}}}}}})
ASKED(WEEKDAYS, "weekdays", "[EVENT]", "event", "one event at most: onym weekdays 'Account Created'",
    "on which days of the week an event happens", "By UTC. docs/weekdays.md defines every number.")
MEMBERS_OF_MOST("weekdays")
