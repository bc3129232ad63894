/* plan_object: reads all that JSON Schema says about objects in one place, since these keywords depend on each other:
 * "required" names members of "properties", "additionalProperties" is about all members that "properties" does not
 * have. */
#include "plan_schema.h"

enum { NAMES_MOST = 10000 };

/* ---- Tables ---- */

static uint64_t hash_name(Str name) { return hash_64(name, 0x706c616e); }

void schema_finish_object(struct schema_store *store, SchemaObject *object, SchemaProperty *properties,
                          uint32_t count)
{
    Arena *arena = &store->arena;
    const SchemaProperty **required = arena_new(arena, const SchemaProperty *, object->required_count);
    object->properties = properties;
    object->property_count = count;
    slots_lay(&object->slots, arena, count);
    object->required = required;
    object->before = store->objects;
    store->objects = object;
    for (uint32_t at = 0; at < count; at++) {
        slots_put(&object->slots, hash_name(properties[at].name), at);
        if (memchr(properties[at].name.bytes, '\\', properties[at].name.len)) object->has_escapes = true;
        if (properties[at].required != SCHEMA_NOT_REQUIRED) required[properties[at].required] = &properties[at];
    }
}

const SchemaProperty *schema_find_property(const SchemaObject *object, Str name)
{
    if (!object->slots.count) return NULL;
    uint64_t hash = hash_name(name);
    for (uint32_t at, probe = 0; (at = slots_next(&object->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(object->properties[at].name, name)) return &object->properties[at];
    return NULL;
}

/* ---- Keywords ---- */

struct names {
    struct schema_compiler *compiler;
    SchemaObject *object;
    SchemaProperty *items;
    uint32_t count, most;
    unsigned depth;
};

/* Finds the row of a name, or adds one. It looks at one row after the other: this happens once for each plan, and there
 * are few rows. */
static SchemaProperty *name_row(struct names *names, Str name)
{
    for (uint32_t at = 0; at < names->count; at++)
        if (str_equal(names->items[at].name, name)) return &names->items[at];
    check(names->count < names->most);
    SchemaProperty *row = &names->items[names->count++];
    *row = (SchemaProperty){ .name = arena_copy(names->compiler->arena, name), .required = SCHEMA_NOT_REQUIRED };
    return row;
}

static bool is_map(struct names *names, const Node *node)
{
    if (node && node->kind != NODE_MAP) schema_complain(names->compiler, node, "wanted a map");
    return node && node->kind == NODE_MAP;
}

static void read_properties(struct names *names, const Node *node)
{
    if (!is_map(names, node)) return;
    node_each(child, node) {
        SchemaProperty *row = name_row(names, child->key);
        row->is_declared = true;
        row->schema = schema_compile(names->compiler, child, names->depth + 1);
    }
}

/* Is the node a list of names? */
static bool is_name_list(struct names *names, const Node *node)
{
    bool is_list = node && node->kind == NODE_LIST;
    node_each(item, is_list ? node : NULL) is_list &= item->kind == NODE_TEXT;
    if (node && !is_list) schema_complain(names->compiler, node, "wanted a list of names");
    return is_list;
}

static void read_required(struct names *names, const Node *node)
{
    SchemaObject *object = names->object;
    if (!node || !is_name_list(names, node)) return;
    node_each(item, node) {
        SchemaProperty *row = name_row(names, item->text);
        if (row->required != SCHEMA_NOT_REQUIRED) continue;
        if (object->required_count == SCHEMA_REQUIRED) {
            schema_complain(names->compiler, node, "more than %d required names", SCHEMA_REQUIRED);
            return;
        }
        row->required = (uint16_t)object->required_count++;
    }
}

static void read_patterns(struct names *names, const Node *node)
{
    struct schema_compiler *compiler = names->compiler;
    if (!is_map(names, node)) return;
    SchemaPattern *patterns = arena_new(compiler->arena, SchemaPattern, node->count);
    uint32_t count = 0;
    node_each(child, node) {
        patterns[count].pattern = schema_compile_pattern(compiler, child, child->key);
        patterns[count].schema = schema_compile(compiler, child, names->depth + 1);
        count += patterns[count].pattern != NULL;
    }
    names->object->patterns = patterns;
    names->object->pattern_count = count;
}

/* dependencies (draft 7) has lists of names or schemas; dependentRequired has lists, dependentSchemas has schemas. */
static void read_dependents(struct names *names, const Node *node, SchemaDependent *dependents)
{
    struct schema_compiler *compiler = names->compiler;
    if (!is_map(names, node)) return;
    node_each(child, node) {
        SchemaDependent *dependent = &dependents[names->object->dependent_count++];
        dependent->name = arena_copy(compiler->arena, child->key);
        name_row(names, child->key)->has_dependents = true;
        if (child->kind != NODE_LIST) {
            dependent->schema = schema_compile(compiler, child, names->depth + 1);
            continue;
        }
        if (!is_name_list(names, child)) continue;
        Str *needs = arena_new(compiler->arena, Str, child->count);
        node_each(item, child) needs[dependent->need_count++] = arena_copy(compiler->arena, item->text);
        dependent->needs = needs;
    }
}

static size_t count_of(const Node *node) { return node ? node->count : 0; }

const SchemaObject *schema_compile_object(struct schema_compiler *compiler, const Node *node, unsigned depth)
{
    const Node *properties = node_find(node, STR("properties")), *required = node_find(node, STR("required"));
    const Node *additional = node_find(node, STR("additionalProperties"));
    const Node *patterns = node_find(node, STR("patternProperties"));
    const Node *propertyNames = node_find(node, STR("propertyNames"));
    const Node *least = node_find(node, STR("minProperties")), *most = node_find(node, STR("maxProperties"));
    const Node *dependents[] = { node_find(node, STR("dependencies")), node_find(node, STR("dependentRequired")),
                                 node_find(node, STR("dependentSchemas")) };
    size_t dependent_count = count_of(dependents[0]) + count_of(dependents[1]) + count_of(dependents[2]);
    if (!properties && !required && !additional && !patterns && !propertyNames && !least && !most && !dependent_count)
        return NULL;
    SchemaObject *object = arena_new(compiler->arena, SchemaObject, 1);
    struct names names = { compiler, object, NULL, 0, 0, depth };
    size_t room = count_of(properties) + count_of(required) + dependent_count;
    if (room > NAMES_MOST) {
        schema_complain(compiler, node, "more than %d names in one object", NAMES_MOST);
        return NULL;
    }
    names.most = (uint32_t)room;
    names.items = arena_new(compiler->arena, SchemaProperty, room);
    object->most = UINT64_MAX;
    read_properties(&names, properties);
    read_required(&names, required);
    read_patterns(&names, patterns);
    SchemaDependent *rows = arena_new(compiler->arena, SchemaDependent, dependent_count);
    for (size_t at = 0; at < countof(dependents); at++) read_dependents(&names, dependents[at], rows);
    object->dependents = rows;
    if (additional) object->additional = schema_compile(compiler, additional, depth + 1);
    if (propertyNames) object->names = schema_compile(compiler, propertyNames, depth + 1);
    if (least) (void)schema_read_count(compiler, least, &object->least);        /* if it is false, it has complained */
    if (most) (void)schema_read_count(compiler, most, &object->most);
    object->is_slow = object->pattern_count || object->names || least || most || object->dependent_count;
    schema_finish_object(compiler->store, object, names.items, names.count);
    return object;
}
