/* plan_short: the plan's own way to say what a property is, for people: "revenue: {type: number, required: true,
 * min: 0}", or "currency: text". It is compiled to the same struct Schema as JSON Schema. Each key is a row. An unknown
 * key is an error here: the form is our own, and because of a typing mistake something would not be checked. */
#include "plan_schema.h"

struct short_form {
    struct schema_compiler *compiler;
    Schema *schema;
    SchemaNumber *number;
    SchemaText *text;
    SchemaList *list;
    SchemaProperty *property;
    unsigned depth;
    bool is_required, is_nullable, tells_unplanned;
    const Node *properties;
};

typedef void TakeShort(struct short_form *form, const Node *node);

static SchemaNumber *number_of(struct short_form *form)
{
    if (!form->number) form->schema->number = form->number = arena_new(form->compiler->arena, SchemaNumber, 1);
    return form->number;
}

static SchemaText *text_of(struct short_form *form)
{
    if (form->text) return form->text;
    form->schema->text = form->text = arena_new(form->compiler->arena, SchemaText, 1);
    form->text->most = UINT64_MAX;
    return form->text;
}

static SchemaList *list_of(struct short_form *form)
{
    if (form->list) return form->list;
    form->schema->list = form->list = arena_new(form->compiler->arena, SchemaList, 1);
    form->list->most = form->list->contains_most = UINT64_MAX;
    form->list->contains_least = 1;
    return form->list;
}

/* ---- Keys ---- */

static void take_kind(struct short_form *form, const Node *node)
{
    static const struct { Str word; FieldKind kind; bool is_whole; SchemaFormat format; } kinds[] = {
        { STR("text"), FIELD_STRING, false, FORMAT_NONE }, { STR("string"), FIELD_STRING, false, FORMAT_NONE },
        { STR("number"), FIELD_NUMBER, false, FORMAT_NONE }, { STR("integer"), FIELD_NUMBER, true, FORMAT_NONE },
        { STR("boolean"), FIELD_BOOL, false, FORMAT_NONE }, { STR("list"), FIELD_ARRAY, false, FORMAT_NONE },
        { STR("array"), FIELD_ARRAY, false, FORMAT_NONE }, { STR("object"), FIELD_OBJECT, false, FORMAT_NONE },
        { STR("date"), FIELD_STRING, false, FORMAT_DATE }, { STR("instant"), FIELD_STRING, false, FORMAT_DATE_TIME },
        { STR("any"), FIELD_ABSENT, false, FORMAT_NONE },
    };
    Str words[countof(kinds)];
    for (size_t at = 0; at < countof(kinds); at++) {
        words[at] = kinds[at].word;
        if (node->kind != NODE_TEXT || !str_equal(node->text, kinds[at].word)) continue;
        if (kinds[at].kind == FIELD_ABSENT) return;
        form->schema->kinds = (uint16_t)(form->schema->kinds | 1u << kinds[at].kind);
        if (kinds[at].kind == FIELD_NUMBER) form->schema->is_whole = kinds[at].is_whole;
        if (kinds[at].format) text_of(form)->format = kinds[at].format;
        return;
    }
    Str near = node->kind == NODE_TEXT ? nearest_word(node->text, words, countof(words)) : (Str){ 0 };
    schema_complain(form->compiler, node,
                    "no type: wanted text, number, integer, boolean, list, object, date, instant or any%s"
                    "%.*s%s", near.len ? "; did you mean " : "", STR_FORMAT(near), near.len ? "?" : "");
}

static void take_type(struct short_form *form, const Node *node)
{
    if (node->kind == NODE_LIST) node_each(item, node) take_kind(form, item);
    else take_kind(form, node);
}

static void take_required(struct short_form *form, const Node *node)
{
    (void)schema_read_bool(form->compiler, node, &form->is_required);
}

static void take_nullable(struct short_form *form, const Node *node)
{
    (void)schema_read_bool(form->compiler, node, &form->is_nullable);
}

static void take_enum(struct short_form *form, const Node *node)
{
    struct schema_compiler *compiler = form->compiler;
    SchemaValues *values = arena_new(compiler->arena, SchemaValues, 1);
    size_t at = 0, count = node->kind == NODE_LIST ? node->count : 1;
    const SchemaConst **items = arena_new(compiler->arena, const SchemaConst *, count);
    if (node->kind == NODE_LIST) node_each(item, node) items[at++] = schema_const_of_node(compiler, item);
    else items[at++] = schema_const_of_node(compiler, node);
    *values = (SchemaValues){ items, (uint32_t)at };
    form->schema->values = values;
    if (!at) schema_complain(compiler, node, "wanted one value at least");
}

static void take_min(struct short_form *form, const Node *node)
{
    number_of(form)->has_least = schema_read_number(form->compiler, node, &number_of(form)->least);
}

static void take_max(struct short_form *form, const Node *node)
{
    number_of(form)->has_most = schema_read_number(form->compiler, node, &number_of(form)->most);
}

static void take_pattern(struct short_form *form, const Node *node)
{
    SchemaText *text = text_of(form);
    if (node->kind != NODE_TEXT) {
        schema_complain(form->compiler, node, "wanted a pattern as text");
        return;
    }
    text->pattern = schema_compile_pattern(form->compiler, node, node->text);
    text->pattern_text = arena_copy(form->compiler->arena, node->text);
}

static void take_format(struct short_form *form, const Node *node)
{
    SchemaFormat format = node->kind == NODE_TEXT ? schema_format_from(node->text) : FORMAT_NONE;
    text_of(form)->format = format;
    if (!format) schema_complain(form->compiler, node, "wanted date-time, date, email, uuid or uri");
}

static void take_min_length(struct short_form *form, const Node *node)
{
    (void)schema_read_count(form->compiler, node, &text_of(form)->least);
}

static void take_max_length(struct short_form *form, const Node *node)
{
    (void)schema_read_count(form->compiler, node, &text_of(form)->most);
}

static void take_min_items(struct short_form *form, const Node *node)
{
    (void)schema_read_count(form->compiler, node, &list_of(form)->least);
}

static void take_max_items(struct short_form *form, const Node *node)
{
    (void)schema_read_count(form->compiler, node, &list_of(form)->most);
}

static void take_versions(struct short_form *form, const Node *node)
{
    form->compiler->store->has_versions = true;
    if (node->kind == NODE_TEXT && schema_versions_parse(node->text))
        form->property->versions = arena_copy(form->compiler->arena, node->text);
    else schema_complain(form->compiler, node, "wanted a range of app versions such as \">=2.0 <3\"");
}

static void take_schema(struct short_form *form, const Node *node)
{
    SchemaLogic *logic = arena_new(form->compiler->arena, SchemaLogic, 1);
    const Schema **all = arena_new(form->compiler->arena, const Schema *, 1);
    struct schema_compiler inner = *form->compiler;
    all[0] = schema_compile_document(&inner, node);
    form->compiler->has_failed |= inner.has_failed;
    logic->all = (SchemaSchemas){ all, 1 };
    form->schema->logic = logic;
}

static const Schema *compile_property(struct schema_compiler *compiler, const Node *node, SchemaProperty *property,
                                      SchemaShort how, unsigned depth, bool *ret_required);

static void take_items(struct short_form *form, const Node *node)
{
    SchemaProperty item = { 0 };
    SchemaShort how = { .tells_unplanned = form->tells_unplanned };
    bool ignored;
    list_of(form)->items = compile_property(form->compiler, node, &item, how, form->depth + 1, &ignored);
    form->schema->kinds |= 1u << FIELD_ARRAY;
}

static void take_properties(struct short_form *form, const Node *node) { form->properties = node; }
static void take_nothing(struct short_form *form, const Node *node) { (void)form, (void)node; }

static const struct { Str word; TakeShort *take; } keys[] = {
    { STR("type"), take_type }, { STR("required"), take_required }, { STR("nullable"), take_nullable },
    { STR("enum"), take_enum }, { STR("min"), take_min }, { STR("max"), take_max }, { STR("pattern"), take_pattern },
    { STR("format"), take_format }, { STR("min_length"), take_min_length }, { STR("max_length"), take_max_length },
    { STR("items"), take_items }, { STR("min_items"), take_min_items }, { STR("max_items"), take_max_items },
    { STR("properties"), take_properties }, { STR("versions"), take_versions }, { STR("schema"), take_schema },
    { STR("description"), take_nothing }, { STR("owner"), take_nothing }, { STR("since"), take_nothing },
    { STR("examples"), take_nothing },
};

static void take_key(struct short_form *form, const Node *node)
{
    Str words[countof(keys)];
    for (size_t at = 0; at < countof(keys); at++) {
        words[at] = keys[at].word;
        if (!str_equal(node->key, keys[at].word)) continue;
        keys[at].take(form, node);
        return;
    }
    Str near = nearest_word(node->key, words, countof(words));
    schema_complain(form->compiler, node, "unknown key%s%.*s%s", near.len ? "; did you mean " : "", STR_FORMAT(near),
                    near.len ? "?" : "");
}

/* ---- A property ---- */

/* A rule that fits no kind of the property is a mistake: a number that has a length, for example. */
static void check_sense(struct short_form *form, const Node *node)
{
    unsigned kinds = form->schema->kinds;
    if (form->number && kinds && !(kinds >> FIELD_NUMBER & 1))
        schema_complain(form->compiler, node, "has min or max, and is no number");
    if (form->text && kinds && !(kinds >> FIELD_STRING & 1))
        schema_complain(form->compiler, node, "has a pattern, a format or a length, and is no text");
    if (form->properties && kinds && !(kinds >> FIELD_OBJECT & 1))
        schema_complain(form->compiler, node, "has properties, and is no object");
}

static const Schema *compile_property(struct schema_compiler *compiler, const Node *node, SchemaProperty *property,
                                      SchemaShort how, unsigned depth, bool *ret_required)
{
    struct short_form form = { .compiler = compiler, .schema = schema_new(compiler, node), .property = property,
                               .depth = depth, .tells_unplanned = how.tells_unplanned };
    struct schema_compiler *inner = compiler;
    Str place = compiler->place;
    *ret_required = false;
    if (depth > TRACKING_DEPTH) {
        schema_complain(compiler, node, "nested more than %d deep", TRACKING_DEPTH);
        return form.schema;
    }
    if (node->kind == NODE_TEXT) {
        take_kind(&form, node);
    } else if (node->kind == NODE_MAP) {
        if (node->key.len && depth < 4)
            inner->place = arena_printf(compiler->arena, "%.*s.%.*s", STR_FORMAT(place),
                                        STR_FORMAT(str_slice(node->key, 0, 80)));
        node_each(child, node) take_key(&form, child);
        check_sense(&form, node);
        SchemaShort nested = { .tells_unplanned = how.tells_unplanned };
        if (form.properties) {
            const Schema *inside = schema_compile_short(compiler, form.properties, NULL, nested, depth + 1);
            form.schema->object = inside->object;
            form.schema->kinds |= 1u << FIELD_OBJECT;
        }
        inner->place = place;
    } else if (node->kind != NODE_NULL) {
        schema_complain(compiler, node, "wanted a type, or a map such as {type: number, required: true}");
    }
    if (form.is_nullable && form.schema->kinds) form.schema->kinds |= 1u << FIELD_NULL;
    if (form.is_nullable && form.schema->values) form.schema->kinds |= 1u << FIELD_NULL;
    property->null_is_absent = !form.is_nullable;
    *ret_required = form.is_required && !how.never_requires;
    return form.schema;
}

/* The rows of an object while they are added. */
struct rows {
    struct schema_compiler *compiler;
    SchemaObject *object;
    SchemaProperty *items;
    uint32_t count;
    SchemaShort how;
    unsigned depth;
};

/* Adds a row for each property of the map. Those that unless has, too, are left out. */
static void add_rows(struct rows *rows, const Node *map, const Node *unless)
{
    struct schema_compiler *compiler = rows->compiler;
    node_each(child, map) {
        if (unless && unless->kind == NODE_MAP && node_find(unless, child->key)) continue;
        SchemaProperty *row = &rows->items[rows->count++];
        bool is_required;
        *row = (SchemaProperty){ .name = arena_copy(compiler->arena, child->key), .required = SCHEMA_NOT_REQUIRED,
                                 .is_declared = true };
        row->schema = compile_property(compiler, child, row, rows->how, rows->depth, &is_required);
        if (!is_required) continue;
        if (rows->object->required_count == SCHEMA_REQUIRED)
            schema_complain(compiler, child, "more than %d required properties", SCHEMA_REQUIRED);
        else row->required = (uint16_t)rows->object->required_count++;
    }
}

const Schema *schema_compile_short(struct schema_compiler *compiler, const Node *map, const Node *common,
                                   SchemaShort how,
                                   unsigned depth)
{
    Schema *schema = schema_new(compiler, map), *rest = schema_new(compiler, map);
    SchemaObject *object = arena_new(compiler->arena, SchemaObject, 1);
    size_t room = (map ? map->count : 0) + (common ? common->count : 0);
    if ((map && map->kind != NODE_MAP) || (common && common->kind != NODE_MAP)) {
        schema_complain(compiler, map && map->kind != NODE_MAP ? map : common,
                        "wanted a map: a name, and what it must be");
        map = common = NULL;
    }
    struct rows rows = { compiler, object, arena_new(compiler->arena, SchemaProperty, room), 0, how, depth };
    object->most = UINT64_MAX;
    add_rows(&rows, map, NULL);
    add_rows(&rows, common, map);
    rest->is_unplanned = true;
    if (how.tells_unplanned) object->additional = rest;
    schema_finish_object(compiler->store, object, rows.items, rows.count);
    schema->object = object;
    return schema;
}
