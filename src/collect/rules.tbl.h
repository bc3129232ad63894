/* RULE(reason, field, condition, text, section): why a message is rejected. The condition is C over m
 * (the Message) and type; the first that holds gives the reason. The words are those of Segment's delivery
 * overview, if it has one. docs/protocol.md#rejections explains each; section is the section that the rule enforces. */
RULE("type_not_known", "type", type == EVENT_NONE,
     "type is none of identify, track, page, screen, group, alias", "calls")
RULE("id_not_string", "userId", is_bad_id(&m->user_id), "userId is neither string nor number", "ids")
RULE("id_not_string", "anonymousId", is_bad_id(&m->anonymous_id), "anonymousId is neither string nor number", "ids")
RULE("id_not_string", "previousId", is_bad_id(&m->previous_id), "previousId is neither string nor number", "ids")
RULE("id_not_string", "groupId", is_bad_id(&m->group_id), "groupId is neither string nor number", "ids")
RULE("id_too_long", "userId", m->user_id.text.len > LIMIT_ID_BYTES, "userId is over 512 bytes", "limits")
RULE("id_too_long", "anonymousId", m->anonymous_id.text.len > LIMIT_ID_BYTES, "anonymousId is over 512 bytes", "limits")
RULE("id_too_long", "previousId", m->previous_id.text.len > LIMIT_ID_BYTES, "previousId is over 512 bytes", "limits")
RULE("id_too_long", "groupId", m->group_id.text.len > LIMIT_ID_BYTES, "groupId is over 512 bytes", "limits")
RULE("no_user_anon_id", "userId",
     !has_id(&m->user_id) && !has_id(&m->anonymous_id) && !(type == EVENT_GROUP && has_id(&m->group_id)),
     "neither userId nor anonymousId", "ids")
RULE("id_required", "groupId", type == EVENT_GROUP && !has_id(&m->group_id), "group without groupId", "calls")
RULE("id_required", "previousId", type == EVENT_ALIAS && !has_id(&m->previous_id), "alias without previousId", "calls")
RULE("event_not_defined", "event", type == EVENT_TRACK && is_empty(&m->event), "track without an event name", "calls")
RULE("event_not_string", "event", type == EVENT_TRACK && m->event.kind != FIELD_STRING, "event is no string", "calls")
RULE("event_too_long", "event", m->event.text.len > LIMIT_EVENT_NAME_BYTES, "event is over 512 bytes", "limits")
RULE("properties_not_object", "properties", has_properties(type) && !is_object(&m->properties),
     "properties is no object", "calls")
RULE("traits_not_object", "traits", has_traits(type) && !is_object(&m->traits), "traits is no object", "calls")
RULE("name_not_string", "name", has_name(type) && !is_text(&m->name), "name is no string", "calls")
RULE("category_not_string", "category", has_name(type) && !is_text(&m->category), "category is no string", "calls")
RULE("name_too_long", "name", m->name.text.len > LIMIT_EVENT_NAME_BYTES, "name is over 512 bytes", "limits")
RULE("category_too_long", "category", m->category.text.len > LIMIT_EVENT_NAME_BYTES, "category is over 512 bytes",
     "limits")
RULE("context_not_object", "context", !is_object(&m->context), "context is no object", "context")
RULE("integrations_not_object", "integrations", !is_object(&m->integrations), "integrations is no object", "context")
