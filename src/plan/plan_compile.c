/* plan_compile: makes a Schema of a JSON Schema. Each keyword is a row. An unknown keyword is a
 * warning, since schemas carry notes of all kinds (a plan that is refused for "$comment" helps nobody). A keyword that
 * would change the meaning, but that we do not support ($dynamicRef, unevaluated..., a $ref to another file), is an
 * error.
 *
 * What a $ref points to is compiled once, after the document that has the $ref. So the depth is bounded by the nesting
 * of the document, and a schema may refer to itself. A ring of references that never goes deeper into the value is
 * refused: it would say nothing, and checking it would never end. */
#include "plan_schema.h"

#include <stdarg.h>
#include <stdio.h>

enum { STORE_BYTES = 256 * 1024 * 1024, PATTERNS_MOST = 20000, REFS_MOST = 2000 };

void schema_store_open(struct schema_store *store)
{
    *store = (struct schema_store){ 0 };
    region_open(&store->region, STORE_BYTES);
    store->arena = region_arena(&store->region);
    store->patterns = arena_new(&store->arena, struct pattern *, PATTERNS_MOST);
}

void schema_store_close(struct schema_store *store)
{
    for (uint32_t at = 0; at < store->pattern_count; at++) pattern_close(store->patterns[at]);
    region_close(&store->region);
}

/* ---- Complaints ---- */

static void tell(struct schema_compiler *compiler, const Node *at, bool is_warning, const char *format, va_list list)
{
    char text[TRACKING_TEXT_BYTES], field[256];
    vsnprintf(text, sizeof text, format, list);
    const Node *named = at && at->key.len ? at : NULL;
    snprintf(field, sizeof field, "%.*s%s%.*s", STR_FORMAT(compiler->place), compiler->place.len && named ? "." : "",
             named ? (int)named->key.len : 0, named ? named->key.bytes : "");
    if (!is_warning) compiler->has_failed = true;
    compiler->source->complain(compiler->source->context, at, is_warning, str_from(field), text);
}

void schema_complain(struct schema_compiler *compiler, const Node *at, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    tell(compiler, at, false, format, list);
    va_end(list);
}

void schema_warn(struct schema_compiler *compiler, const Node *at, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    tell(compiler, at, true, format, list);
    va_end(list);
}

/* ---- Values of keywords ---- */

bool schema_read_count(struct schema_compiler *compiler, const Node *node, uint64_t *ret)
{
    Decimal number;
    bool is_count = schema_kind_of_node(node) == FIELD_NUMBER && decimal_read(node->text, &number)
        && !number.is_negative &&
                    decimal_is_whole(&number) && !number.is_long && number.exponent < 10;
    if (!is_count) {
        schema_complain(compiler, node, "wanted a whole number from 0");
        return false;
    }
    *ret = number.digits;
    for (int32_t power = 0; power < number.exponent; power++)
        *ret = *ret > UINT64_MAX / 10 ? UINT64_MAX : *ret * 10;
    return true;
}

bool schema_read_number(struct schema_compiler *compiler, const Node *node, Decimal *ret)
{
    if (schema_kind_of_node(node) == FIELD_NUMBER && decimal_read(node->text, ret)) return true;
    schema_complain(compiler, node, "wanted a number");
    return false;
}

bool schema_read_bool(struct schema_compiler *compiler, const Node *node, bool *ret)
{
    if (schema_kind_of_node(node) == FIELD_BOOL) return *ret = str_equal(node->text, STR("true")), true;
    schema_complain(compiler, node, "wanted true or false");
    return false;
}

struct pattern *schema_compile_pattern(struct schema_compiler *compiler, const Node *at, Str text)
{
    char why[PATTERN_WHY_BYTES];
    struct schema_store *store = compiler->store;
    if (store->pattern_count == PATTERNS_MOST) {
        schema_complain(compiler, at, "more than %d patterns", PATTERNS_MOST);
        return NULL;
    }
    struct pattern *pattern = pattern_open(text, why);
    if (!pattern) schema_complain(compiler, at, "no pattern that can be used: %s", why);
    else store->patterns[store->pattern_count++] = pattern;
    return pattern;
}

Schema *schema_new(struct schema_compiler *compiler, const Node *at)
{
    if (compiler->store->schema_count == TRACKING_SCHEMAS) {
        if (!compiler->has_failed) schema_complain(compiler, at, "more than %d schemas in a plan", TRACKING_SCHEMAS);
        return &compiler->store->spare;                     /* the plan will not be opened */
    }
    compiler->store->schema_count++;
    Schema *schema = arena_new(compiler->arena, Schema, 1);
    schema->line = at ? at->line : 0;
    return schema;
}

/* ---- Keywords ---- */

/* A schema while it is compiled, with the parts that it has so far. */
struct parts {
    struct schema_compiler *compiler;
    Schema *schema;
    SchemaNumber *number;
    SchemaText *text;
    SchemaList *list;
    SchemaLogic *logic;
    unsigned depth;
    const Node *extra_items;        /* additionalItems, which counts only if there is a tuple */
    bool has_contains;
};

static SchemaNumber *number_of(struct parts *parts)
{
    if (!parts->number) parts->schema->number = parts->number = arena_new(parts->compiler->arena, SchemaNumber, 1);
    return parts->number;
}

static SchemaText *text_of(struct parts *parts)
{
    if (parts->text) return parts->text;
    parts->schema->text = parts->text = arena_new(parts->compiler->arena, SchemaText, 1);
    parts->text->most = UINT64_MAX;
    return parts->text;
}

static SchemaList *list_of(struct parts *parts)
{
    if (parts->list) return parts->list;
    parts->schema->list = parts->list = arena_new(parts->compiler->arena, SchemaList, 1);
    parts->list->most = parts->list->contains_most = UINT64_MAX;
    parts->list->contains_least = 1;
    return parts->list;
}

static SchemaLogic *logic_of(struct parts *parts)
{
    if (!parts->logic) parts->schema->logic = parts->logic = arena_new(parts->compiler->arena, SchemaLogic, 1);
    return parts->logic;
}

static void take_kind(struct parts *parts, const Node *node)
{
    static const struct { Str word; FieldKind kind; bool is_whole; } kinds[] = {
        { STR("string"), FIELD_STRING, false }, { STR("number"), FIELD_NUMBER, false },
        { STR("integer"), FIELD_NUMBER, true }, { STR("boolean"), FIELD_BOOL, false },
        { STR("array"), FIELD_ARRAY, false }, { STR("object"), FIELD_OBJECT, false },
            { STR("null"), FIELD_NULL, false },
    };
    Schema *schema = parts->schema;
    for (size_t at = 0; at < countof(kinds); at++) {
        if (node->kind != NODE_TEXT || !str_equal(node->text, kinds[at].word)) continue;
        bool had_number = schema->kinds >> FIELD_NUMBER & 1;
        if (kinds[at].kind == FIELD_NUMBER) schema->is_whole = kinds[at].is_whole && (!had_number || schema->is_whole);
        schema->kinds = (uint16_t)(schema->kinds | 1u << kinds[at].kind);
        return;
    }
    if (node->kind == NODE_NULL) schema->kinds |= 1u << FIELD_NULL;         /* here YAML's null means the type null */
    else schema_complain(parts->compiler, node, "wanted string, number, integer, boolean, array, object or null");
}

static void take_type(struct parts *parts, const Node *node)
{
    if (node->kind == NODE_LIST) node_each(item, node) take_kind(parts, item);
    else take_kind(parts, node);
}

static void take_values(struct parts *parts, const Node *node, bool is_list)
{
    struct schema_compiler *compiler = parts->compiler;
    if (is_list && node->kind != NODE_LIST) {
        schema_complain(compiler, node, "wanted a list of values");
        return;
    }
    if (parts->schema->values) {                            /* both enum and const are given: both must hold */
        Schema *other = schema_new(compiler, node);
        other->values = parts->schema->values;
        const Schema **more = arena_new(compiler->arena, const Schema *, logic_of(parts)->all.count + 1);
        for (uint32_t at = 0; at < parts->logic->all.count; at++) more[at] = parts->logic->all.items[at];
        more[parts->logic->all.count] = other;
        parts->logic->all = (SchemaSchemas){ more, parts->logic->all.count + 1 };
    }
    size_t count = is_list ? node->count : 1, at = 0;
    const SchemaConst **items = arena_new(compiler->arena, const SchemaConst *, count);
    if (is_list) node_each(item, node) items[at++] = schema_const_of_node(compiler, item);
    else items[at++] = schema_const_of_node(compiler, node);
    SchemaValues *values = arena_new(compiler->arena, SchemaValues, 1);
    *values = (SchemaValues){ items, (uint32_t)at };
    parts->schema->values = values;
}

static void take_enum(struct parts *parts, const Node *node) { take_values(parts, node, true); }
static void take_const(struct parts *parts, const Node *node) { take_values(parts, node, false); }

#define TAKE_NUMBER(name, member, has)                                                          \
    static void name(struct parts *parts, const Node *node)                                     \
    {                                                                                           \
        number_of(parts)->has = schema_read_number(parts->compiler, node, &number_of(parts)->member); \
    }
TAKE_NUMBER(take_minimum, least, has_least)
TAKE_NUMBER(take_maximum, most, has_most)
TAKE_NUMBER(take_more_than, more_than, has_more_than)
TAKE_NUMBER(take_less_than, less_than, has_less_than)

static void take_multiple_of(struct parts *parts, const Node *node)
{
    SchemaNumber *number = number_of(parts);
    if (!schema_read_number(parts->compiler, node, &number->multiple_of)) return;
    number->has_multiple_of = number->multiple_of.digits && !number->multiple_of.is_negative;
    if (!number->has_multiple_of) schema_complain(parts->compiler, node, "wanted a number above 0");
}

static void count_into(struct parts *parts, const Node *node, uint64_t *count)
{
    (void)schema_read_count(parts->compiler, node, count);          /* if it is false, it has complained */
}

static void take_min_length(struct parts *parts, const Node *node) { count_into(parts, node, &text_of(parts)->least); }
static void take_max_length(struct parts *parts, const Node *node) { count_into(parts, node, &text_of(parts)->most); }
static void take_min_items(struct parts *parts, const Node *node) { count_into(parts, node, &list_of(parts)->least); }
static void take_max_items(struct parts *parts, const Node *node) { count_into(parts, node, &list_of(parts)->most); }

static void take_min_contains(struct parts *parts, const Node *node)
{
    count_into(parts, node, &list_of(parts)->contains_least);
}

static void take_max_contains(struct parts *parts, const Node *node)
{
    count_into(parts, node, &list_of(parts)->contains_most);
}

static void take_pattern(struct parts *parts, const Node *node)
{
    SchemaText *text = text_of(parts);
    if (node->kind != NODE_TEXT) {
        schema_complain(parts->compiler, node, "wanted a pattern as text");
        return;
    }
    text->pattern = schema_compile_pattern(parts->compiler, node, node->text);
    text->pattern_text = arena_copy(parts->compiler->arena, node->text);
}

static void take_format(struct parts *parts, const Node *node)
{
    SchemaFormat format = node->kind == NODE_TEXT ? schema_format_from(node->text) : FORMAT_NONE;
    if (format) text_of(parts)->format = format;
    else schema_warn(parts->compiler, node, "is not checked; the formats that are: date-time, date, email, uuid, uri");
}

static void take_unique(struct parts *parts, const Node *node)
{
    (void)schema_read_bool(parts->compiler, node, &list_of(parts)->is_unique);
}

/* ---- Schemas inside of schemas ---- */

static SchemaSchemas compile_each(struct parts *parts, const Node *node)
{
    struct schema_compiler *compiler = parts->compiler;
    size_t at = 0;
    if (node->kind != NODE_LIST || !node->count) {
        schema_complain(compiler, node, "wanted a list of schemas, and one at least");
        return (SchemaSchemas){ 0 };
    }
    const Schema **items = arena_new(compiler->arena, const Schema *, node->count);
    node_each(item, node) items[at++] = schema_compile(compiler, item, parts->depth + 1);
    return (SchemaSchemas){ items, (uint32_t)at };
}

static void take_all_of(struct parts *parts, const Node *node)
{
    SchemaSchemas more = compile_each(parts, node), *all = &logic_of(parts)->all;
    const Schema **items = arena_new(parts->compiler->arena, const Schema *, all->count + more.count);
    for (uint32_t at = 0; at < all->count; at++) items[at] = all->items[at];
    for (uint32_t at = 0; at < more.count; at++) items[all->count + at] = more.items[at];
    *all = (SchemaSchemas){ items, all->count + more.count };
}

static void take_any_of(struct parts *parts, const Node *node) { logic_of(parts)->any = compile_each(parts, node); }
static void take_one_of(struct parts *parts, const Node *node) { logic_of(parts)->one = compile_each(parts, node); }

/* A part that allows anything compiles to NULL, which would look like a part that is absent. So it gets an empty
 * schema. */
static const Schema *compile_given(struct parts *parts, const Node *node)
{
    const Schema *schema = schema_compile(parts->compiler, node, parts->depth + 1);
    return schema ? schema : schema_new(parts->compiler, node);
}

static void take_not(struct parts *parts, const Node *node) { logic_of(parts)->negated = compile_given(parts, node); }
static void take_if(struct parts *parts, const Node *node) { logic_of(parts)->condition = compile_given(parts, node); }
static void take_then(struct parts *parts, const Node *node) { logic_of(parts)->then = compile_given(parts, node); }
static void take_else(struct parts *parts, const Node *node) { logic_of(parts)->otherwise =
                                                               compile_given(parts, node); }

static void take_tuple(struct parts *parts, const Node *node)
{
    SchemaSchemas tuple = compile_each(parts, node);
    list_of(parts)->tuple = tuple.items;
    parts->list->tuple_count = tuple.count;
}

/* Reads one schema for all items, or draft 7's list of schemas, after which additionalItems counts. */
static void take_items(struct parts *parts, const Node *node)
{
    if (node->kind != NODE_LIST) {
        list_of(parts)->items = schema_compile(parts->compiler, node, parts->depth + 1);
        return;
    }
    if (node->count) take_tuple(parts, node);
    if (parts->extra_items) list_of(parts)->items = schema_compile(parts->compiler, parts->extra_items, parts->depth
                                                                   + 1);
}

static void take_contains(struct parts *parts, const Node *node) { list_of(parts)->contains =
                                                                   compile_given(parts, node); }

/* ---- References ---- */

/* One name of a pointer: "a~1b%25" is a/b%. */
static Str unescape_name(Arena *arena, Str name)
{
    char *to = arena_bytes(arena, name.len);
    size_t len = 0;
    Str plain = percent_decode(name, false, arena);
    for (size_t at = 0; at < plain.len; at++) {
        char c = plain.bytes[at];
        if (c == '~' && at + 1 < plain.len && (plain.bytes[at + 1] == '0' || plain.bytes[at + 1] == '1'))
            c = plain.bytes[++at] == '0' ? '~' : '/';
        to[len++] = c;
    }
    return (Str){ to, len };
}

static const Node *find_child(const Node *node, Str name)
{
    int64_t index, at = 0;
    if (node->kind == NODE_LIST && !str_parse_int(name, 0, INT32_MAX, &index)) return NULL;
    node_each(child, node) {
        if (node->kind == NODE_LIST ? at++ == index : str_equal(child->key, name)) return child;
    }
    return NULL;
}

static const Node *find_target(struct schema_compiler *compiler, Str pointer)
{
    const Node *node = compiler->root;
    while (node && pointer.len) {
        Str rest = str_slice(pointer, 1, pointer.len), name = str_cut(rest, '/', &rest);
        bool has_more = name.len + 1 < pointer.len;
        node = find_child(node, unescape_name(compiler->arena, name));
        pointer = has_more ? str_slice(pointer, name.len + 1, pointer.len) : STR("");
    }
    return node;
}

static Schema *add_ref(struct schema_compiler *compiler, const Node *target, const Node *at)
{
    for (uint32_t ref = 0; ref < compiler->ref_count; ref++)
        if (compiler->refs[ref].node == target) return compiler->refs[ref].schema;
    if (compiler->ref_count == REFS_MOST) {
        schema_complain(compiler, at, "more than %d schemas are referred to", REFS_MOST);
        return schema_new(compiler, at);
    }
    Schema *schema = schema_new(compiler, target);
    compiler->refs[compiler->ref_count++] = (SchemaRef){ target, schema, false };
    return schema;
}

static void take_ref(struct parts *parts, const Node *node)
{
    struct schema_compiler *compiler = parts->compiler;
    bool is_local = node->kind == NODE_TEXT && (str_equal(node->text, STR("#")) || str_starts(node->text, STR("#/")));
    if (!is_local) {
        schema_complain(compiler, node,
                        "refers to another place than this document; write \"#/definitions/NAME\" and put it there");
        return;
    }
    const Node *target = find_target(compiler, str_slice(node->text, 1, node->text.len));
    if (target) logic_of(parts)->ref = add_ref(compiler, target, node);
    else schema_complain(compiler, node, "there is no %.*s in this document", STR_FORMAT(node->text));
}

/* ---- A schema ---- */

static void take_nothing(struct parts *parts, const Node *node) { (void)parts, (void)node; }

static void refuse_keyword(struct parts *parts, const Node *node)
{
    schema_complain(parts->compiler, node, "is not read here, and leaving it out would change what the schema says");
}

/* An $id inside a document would make it a document within a document, where "#/..." means another place than it
 * seems. */
static void take_id(struct parts *parts, const Node *node)
{
    if (parts->depth > 0 && node->kind == NODE_TEXT && !str_starts(node->text, STR("#"))) refuse_keyword(parts, node);
}

static const struct { Str word; void (*take)(struct parts *parts, const Node *node); } keywords[] = {
    { STR("type"), take_type }, { STR("enum"), take_enum }, { STR("const"), take_const },
    { STR("minimum"), take_minimum }, { STR("maximum"), take_maximum }, { STR("exclusiveMinimum"), take_more_than },
    { STR("exclusiveMaximum"), take_less_than }, { STR("multipleOf"), take_multiple_of },
    { STR("minLength"), take_min_length }, { STR("maxLength"), take_max_length }, { STR("pattern"), take_pattern },
    { STR("format"), take_format }, { STR("minItems"), take_min_items }, { STR("maxItems"), take_max_items },
    { STR("uniqueItems"), take_unique }, { STR("items"), take_items }, { STR("prefixItems"), take_tuple },
    { STR("contains"), take_contains }, { STR("minContains"), take_min_contains },
    { STR("maxContains"), take_max_contains }, { STR("allOf"), take_all_of }, { STR("anyOf"), take_any_of },
    { STR("oneOf"), take_one_of }, { STR("not"), take_not }, { STR("if"), take_if }, { STR("then"), take_then },
    { STR("else"), take_else }, { STR("$ref"), take_ref }, { STR("$id"), take_id },
    /* plan_object.c reads all of these together */
    { STR("properties"), take_nothing }, { STR("required"), take_nothing },
        { STR("additionalProperties"), take_nothing },
    { STR("patternProperties"), take_nothing }, { STR("propertyNames"), take_nothing },
    { STR("minProperties"), take_nothing }, { STR("maxProperties"), take_nothing },
    { STR("dependencies"), take_nothing }, { STR("dependentRequired"), take_nothing },
    { STR("dependentSchemas"), take_nothing }, { STR("additionalItems"), take_nothing },
    /* these say nothing about values */
    { STR("$schema"), take_nothing }, { STR("$comment"), take_nothing }, { STR("$anchor"), take_nothing },
    { STR("$vocabulary"), take_nothing }, { STR("definitions"), take_nothing }, { STR("$defs"), take_nothing },
    { STR("title"), take_nothing }, { STR("description"), take_nothing }, { STR("default"), take_nothing },
    { STR("examples"), take_nothing }, { STR("deprecated"), take_nothing }, { STR("readOnly"), take_nothing },
    { STR("writeOnly"), take_nothing }, { STR("contentEncoding"), take_nothing },
        { STR("contentMediaType"), take_nothing },
    { STR("contentSchema"), take_nothing }, { STR("labels"), take_nothing }, { STR("id"), take_nothing },
    { STR("$dynamicRef"), refuse_keyword }, { STR("$recursiveRef"), refuse_keyword },
    { STR("unevaluatedProperties"), refuse_keyword }, { STR("unevaluatedItems"), refuse_keyword },
    { STR("extends"), refuse_keyword }, { STR("disallow"), refuse_keyword },
};

static void take_keyword(struct parts *parts, const Node *node)
{
    Str words[countof(keywords)];
    for (size_t at = 0; at < countof(keywords); at++) {
        words[at] = keywords[at].word;
        if (!str_equal(node->key, keywords[at].word)) continue;
        keywords[at].take(parts, node);
        return;
    }
    Str near = nearest_word(node->key, words, countof(words));
    if (near.len) schema_warn(parts->compiler, node, "no keyword of JSON Schema, and not checked; did you mean %.*s?",
                              STR_FORMAT(near));
    else schema_warn(parts->compiler, node, "no keyword of JSON Schema, and not checked");
}

static void compile_into(struct schema_compiler *compiler, const Node *node, unsigned depth, Schema *schema)
{
    struct parts parts = { .compiler = compiler, .schema = schema, .depth = depth };
    const Node *ref = node_find(node, STR("$ref"));
    if (ref && compiler->is_draft_7) {                      /* draft 7 ignores all keywords beside it */
        take_ref(&parts, ref);
        return;
    }
    parts.extra_items = node_find(node, STR("additionalItems"));
    node_each(child, node) take_keyword(&parts, child);
    schema->object = schema_compile_object(compiler, node, depth);
}

/* The schemas true and false are such words. */
static bool is_word(const Node *node, const char *word)
{
    return node->kind == NODE_TEXT && !node->is_quoted && str_equal(node->text, str_from(word));
}

const Schema *schema_compile(struct schema_compiler *compiler, const Node *node, unsigned depth)
{
    if (is_word(node, "true")) return NULL;
    if (depth > TRACKING_DEPTH) {
        schema_complain(compiler, node, "nested more than %d deep", TRACKING_DEPTH);
        return NULL;
    }
    Schema *schema = schema_new(compiler, node);
    if (is_word(node, "false")) schema->is_never = true;
    else if (node->kind == NODE_MAP) compile_into(compiler, node, depth, schema);
    else schema_complain(compiler, node, "wanted a schema: a map, true or false");
    return schema;
}

/* ---- Rings ---- */

static bool has_ring(const Schema *schema);

static bool any_has_ring(const SchemaSchemas *schemas)
{
    for (uint32_t at = 0; at < schemas->count; at++)
        if (has_ring(schemas->items[at])) return true;
    return false;
}

/* Does a path of schemas lead back to this schema, at the same value? loop_state 1: it is on the path; 2: it is
 * done. */
static bool has_ring(const Schema *schema)
{
    const SchemaLogic *logic = schema ? schema->logic : NULL;
    Schema *marked = (Schema *)(uintptr_t)schema;
    if (!logic || schema->loop_state == 2) return false;
    if (schema->loop_state == 1) return true;
    marked->loop_state = 1;
    bool found = has_ring(logic->ref) || has_ring(logic->negated) || has_ring(logic->condition)
        || has_ring(logic->then) ||
                 has_ring(logic->otherwise) || any_has_ring(&logic->all) || any_has_ring(&logic->any) ||
                 any_has_ring(&logic->one);
    for (uint32_t at = 0; schema->object && !found && at < schema->object->dependent_count; at++)
        found = has_ring(schema->object->dependents[at].schema);
    marked->loop_state = 2;
    return found;
}

const Schema *schema_compile_document(struct schema_compiler *compiler, const Node *root)
{
    Str dialect = node_text(root, STR("$schema"), STR(""));
    compiler->root = root;
    compiler->is_draft_7 = str_contains(dialect, STR("draft-0"));
    compiler->refs = arena_new(compiler->arena, SchemaRef, REFS_MOST);
    compiler->ref_count = 0;
    const Schema *schema = schema_compile(compiler, root, 0);
    for (uint32_t at = 0; at < compiler->ref_count; at++) {
        const Node *node = compiler->refs[at].node;
        Schema *target = compiler->refs[at].schema;
        if (is_word(node, "false")) target->is_never = true;
        else if (node->kind == NODE_MAP) compile_into(compiler, node, node == root ? 0 : 1, target);
        else if (!is_word(node, "true")) schema_complain(compiler, node, "is referred to, and no schema");
    }
    for (uint32_t at = 0; at < compiler->ref_count && !compiler->has_failed; at++)
        if (has_ring(compiler->refs[at].schema))
            schema_complain(compiler, compiler->refs[at].node, "refers to itself at the same value, which never ends");
    return schema;
}
