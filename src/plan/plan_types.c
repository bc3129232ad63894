/* plan_types: writes a plan as TypeScript, for the code of a website: what the compiler checks costs the page nothing.
 * The team that wrote the plan chose its names and texts; they are escaped all the same. */
#include "plan_rules.h"

enum { TYPES_DEPTH = 16 };

static void put_type(struct buf *out, const Schema *schema, unsigned depth);

static void put_indent(struct buf *out, unsigned depth)
{
    for (unsigned at = 0; at < depth; at++) buf_str_put(out, STR("  "));
}

static void put_object(struct buf *out, const SchemaObject *object, unsigned depth)
{
    bool is_open = !object->additional || (!object->additional->is_never && !object->additional->is_unplanned);
    buf_str_put(out, STR("{\n"));
    for (uint32_t at = 0; at < object->property_count; at++) {
        const SchemaProperty *property = &object->properties[at];
        put_indent(out, depth + 1);
        buf_json_string(out, property->name);
        if (property->required == SCHEMA_NOT_REQUIRED) buf_char(out, '?');
        buf_str_put(out, STR(": "));
        put_type(out, property->schema, depth + 1);
        if (property->null_is_absent && property->required == SCHEMA_NOT_REQUIRED) buf_str_put(out, STR(" | null"));
        buf_str_put(out, STR(";\n"));
    }
    if (is_open) {
        put_indent(out, depth + 1);
        buf_str_put(out, STR("[other: string]: unknown;\n"));
    }
    put_indent(out, depth);
    buf_char(out, '}');
}

static void put_values(struct buf *out, const SchemaValues *values)
{
    for (uint32_t at = 0; at < values->count; at++) {
        const SchemaConst *value = values->items[at];
        if (at) buf_str_put(out, STR(" | "));
        if (value->kind == FIELD_STRING) buf_json_string(out, value->text);
        else if (value->kind == FIELD_NULL) buf_str_put(out, STR("null"));
        else if (value->kind < FIELD_OBJECT) buf_str_put(out, value->text);
        else buf_str_put(out, STR("unknown"));
    }
}

static void put_kind(struct buf *out, const Schema *schema, FieldKind kind, unsigned depth)
{
    switch (kind) {
    case FIELD_STRING: buf_str_put(out, STR("string")); return;
    case FIELD_NUMBER: buf_str_put(out, STR("number")); return;
    case FIELD_BOOL:   buf_str_put(out, STR("boolean")); return;
    case FIELD_NULL:   buf_str_put(out, STR("null")); return;
    case FIELD_ARRAY:
        buf_str_put(out, STR("Array<"));
        put_type(out, schema->list ? schema->list->items : NULL, depth);
        buf_char(out, '>');
        return;
    case FIELD_OBJECT:
        if (schema->object) put_object(out, schema->object, depth);
        else buf_str_put(out, STR("Record<string, unknown>"));
        return;
    case FIELD_ABSENT: return;
    }
}

static void put_type(struct buf *out, const Schema *schema, unsigned depth)
{
    if (!schema || depth > TYPES_DEPTH || (!schema->kinds && !schema->values && !schema->object)) {
        buf_str_put(out, schema && schema->is_never ? STR("never") : STR("unknown"));
        return;
    }
    if (schema->values) {
        put_values(out, schema->values);
        return;
    }
    unsigned kinds = schema->kinds ? schema->kinds : 1u << FIELD_OBJECT;
    bool is_first = true;
    for (int kind = FIELD_NULL; kind <= FIELD_ARRAY; kind++) {
        if (!(kinds >> kind & 1)) continue;
        if (!is_first) buf_str_put(out, STR(" | "));
        is_first = false;
        put_kind(out, schema, (FieldKind)kind, depth);
    }
}

static void put_section(const struct tracking_plan *plan, struct buf *out, EventType type, const char *name)
{
    buf_printf(out, "export interface %s {\n", name);
    for (uint32_t at = 0; at < plan->rule_count; at++) {
        const TrackingRule *rule = &plan->rules[at];
        if (rule->type != type) continue;
        if (rule->is_deprecated) buf_str_put(out, STR("  /** @deprecated by the tracking plan */\n"));
        buf_str_put(out, STR("  "));
        buf_json_string(out, rule->name);
        buf_str_put(out, STR(": "));
        put_type(out, rule->schema, 1);
        buf_str_put(out, STR(";\n"));
    }
    buf_str_put(out, STR("}\n\n"));
}

static void put_alone(const struct tracking_plan *plan, struct buf *out, EventType type, const char *name)
{
    const TrackingRule *rule = tracking_find_rule(plan, type, (Str){ 0 });
    buf_printf(out, "export type %s = ", name);
    if (rule) put_type(out, rule->schema, 0);
    else buf_str_put(out, STR("Record<string, unknown>"));
    buf_str_put(out, STR(";\n\n"));
}

void tracking_write_types(const struct tracking_plan *plan, struct buf *out)
{
    buf_printf(out, "// Made by `onym plan types` from the tracking plan, version %.*s. Do not edit: make it "
                    "again.\n\n",
               STR_FORMAT(plan->version));
    put_section(plan, out, EVENT_TRACK, "PlannedEvents");
    put_section(plan, out, EVENT_PAGE, "PlannedPages");
    put_alone(plan, out, EVENT_IDENTIFY, "PlannedTraits");
    put_alone(plan, out, EVENT_GROUP, "PlannedGroupTraits");
    buf_str_put(out, STR(
        "/** The browser library, or any SDK of Segment's shape, held to the plan by the compiler: costs nothing at "
        "run time.\n"
        " *  const planned = window.analytics as unknown as PlannedAnalytics; planned.track(\"Order Completed\", "
        "{...}) */\n"
        "export interface PlannedAnalytics {\n"
        "  track<E extends keyof PlannedEvents>(event: E, properties: PlannedEvents[E], ...rest: unknown[]): unknown;\n"
        "  identify(id: string, traits?: PlannedTraits, ...rest: unknown[]): unknown;\n"
        "  identify(traits: PlannedTraits): unknown;\n"
        "  group(id: string, traits?: PlannedGroupTraits, ...rest: unknown[]): unknown;\n"
        "  page<P extends keyof PlannedPages>(name: P, properties?: PlannedPages[P], ...rest: unknown[]): unknown;\n"
        "  page(): unknown;\n"
        "}\n"));
}
