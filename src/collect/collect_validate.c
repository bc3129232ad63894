/* collect_validate: checks the rules of rules.tbl.h, one after the other. Ids may be numbers (official clients send
 * them), any object may be null, absent or PHP's empty array, and an empty name is as good as none: what
 * SDKs send by themselves is never rejected. (docs/protocol.md#rejections) */
#include "collect_stations.h"

static bool is_empty(const Field *field)
{
    return field->kind == FIELD_ABSENT || field->kind == FIELD_NULL ||
           (field->kind == FIELD_STRING && field->text.len == 0);
}

static bool has_id(const Field *id) { return id->text.len > 0; }

static bool is_bad_id(const Field *id)
{
    return id->kind == FIELD_BOOL || id->kind == FIELD_OBJECT || id->kind == FIELD_ARRAY;
}

static bool is_object(const Field *field)
{
    return field->kind <= FIELD_NULL || field->kind == FIELD_OBJECT ||
           (field->kind == FIELD_ARRAY && field->key_count == 0);
}

static bool is_text(const Field *field) { return field->kind <= FIELD_NULL || field->kind == FIELD_STRING; }
static bool has_properties(EventType type) { return type == EVENT_TRACK || type == EVENT_PAGE || type == EVENT_SCREEN; }
static bool has_traits(EventType type) { return type == EVENT_IDENTIFY || type == EVENT_GROUP; }
static bool has_name(EventType type) { return type == EVENT_PAGE || type == EVENT_SCREEN; }

const Rule *collect_validate(const Message *m, EventType type)
{
    static const Rule rules[] = {
#define RULE(reason, field, condition, text, section) { reason, field, text },
#include "rules.tbl.h"
#undef RULE
    };
    const Rule *rule = rules;
#define RULE(reason, field, condition, text, section) if (condition) return rule; rule++;
#include "rules.tbl.h"
#undef RULE
    return NULL;
}
