/* FIELD(member, name, section): the top-level fields that a message may have, by their names on the wire,
 * and the section of docs/protocol.md about each. Others are kept as they are. A struct Message

 * has a Field for each. To add one: a row here, a member there, a place in event_compose.c. */
FIELD(type,               "type",              "common-fields")
FIELD(message_id,         "messageId",         "message-ids")
FIELD(user_id,            "userId",            "ids")
FIELD(anonymous_id,       "anonymousId",       "ids")
FIELD(previous_id,        "previousId",        "ids")
FIELD(group_id,           "groupId",           "ids")
FIELD(event,              "event",             "calls")
FIELD(name,               "name",              "calls")
FIELD(category,           "category",          "calls")
FIELD(timestamp,          "timestamp",         "times")
FIELD(original_timestamp, "originalTimestamp", "times")
FIELD(sent_at,            "sentAt",            "times")
FIELD(received_at,        "receivedAt",        "times")
FIELD(context,            "context",           "context")
FIELD(integrations,       "integrations",      "context")
FIELD(properties,         "properties",        "calls")
FIELD(traits,             "traits",            "calls")
FIELD(write_key,          "writeKey",          "keys")
FIELD(project_id,         "projectId",         "stored-form")
