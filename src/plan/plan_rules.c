/* plan_rules: makes a table of rules from plan.yaml. docs/plan.md says what its keys mean; here each key is a row. */
#include "plan_rules.h"

#include <stdio.h>
#include <stdlib.h>

enum { PLACE_BYTES = 160, SOURCES_MOST = 1024 };

struct opening {
    struct tracking_plan *plan;
    struct schema_compiler compiler;
    const Node *common;
    const char *section;            /* the section that is being read: "events" */
};

/* ---- Ladders ---- */

static bool read_rung(struct opening *opening, const Node *node, bool may_omit, TrackingRung *ret)
{
    if (node->kind == NODE_TEXT && tracking_rung_from(node->text, ret)
        && (may_omit || *ret != TRACKING_OMIT)) return true;
    schema_complain(&opening->compiler, node, may_omit ? "wanted allow, report, omit, hold or reject"
                                                       : "wanted allow, report, hold or reject");
    return false;
}

static void read_source_rungs(struct opening *opening, const Node *node, TrackingLadder *ladder)
{
    Arena *arena = opening->compiler.arena;
    if (node->kind != NODE_MAP || node->count > SOURCES_MOST) {
        schema_complain(&opening->compiler, node, "wanted a map: a source's name, and report, omit, hold or reject");
        return;
    }
    Str *names = arena_new(arena, Str, node->count);
    TrackingRung *rungs = arena_new(arena, TrackingRung, node->count);
    node_each(child, node) {
        if (!read_rung(opening, child, true, &rungs[ladder->count])) continue;
        names[ladder->count++] = arena_copy(arena, child->key);
    }
    ladder->sources = names;
    ladder->rungs = rungs;
}

/* Reads enforcement: hold, or {default: report, sources: {website: hold}}. */
static void read_ladder(struct opening *opening, const Node *node, TrackingLadder *ladder)
{
    *ladder = (TrackingLadder){ .usual = TRACKING_RUNGS };
    if (!node) return;
    ladder->is_given = true;
    if (node->kind == NODE_TEXT) {
        (void)read_rung(opening, node, true, &ladder->usual);           /* if it is false, it has complained */
        return;
    }
    if (node->kind != NODE_MAP) {
        schema_complain(&opening->compiler, node,
                        "wanted report, omit, hold or reject, or {default: ..., sources: {...}}");
        return;
    }
    node_each(child, node) {
        if (str_equal(child->key, STR("default"))) (void)read_rung(opening, child, true, &ladder->usual);
        else if (str_equal(child->key, STR("sources"))) read_source_rungs(opening, child, ladder);
        else schema_complain(&opening->compiler, child, "unknown key; there are default and sources");
    }
}

TrackingRung tracking_rung_for(const TrackingLadder *ladder, Str source, TrackingRung otherwise)
{
    if (!ladder->is_given) return otherwise;
    for (uint32_t at = 0; at < ladder->count; at++)
        if (str_equal(ladder->sources[at], source)) return ladder->rungs[at];
    return ladder->usual == TRACKING_RUNGS ? otherwise : ladder->usual;
}

/* ---- Rules ---- */

static uint64_t hash_of(EventType type, Str name) { return hash_64(name, (uint64_t)type); }

const TrackingRule *tracking_find_rule(const struct tracking_plan *plan, EventType type, Str name)
{
    uint64_t hash = hash_of(type, name);
    for (uint32_t at, probe = 0; (at = slots_next(&plan->slots, hash, &probe)) != SLOTS_NONE;) {
        const TrackingRule *rule = &plan->rules[at];
        if (rule->hash == hash && rule->type == type && str_equal_inline(rule->name, name)) return rule;
    }
    return NULL;
}

Str tracking_near_event(const struct tracking_plan *plan, EventType type, Str name)
{
    AlikeName given, other;
    alike_prepare(name, &given);
    for (uint32_t at = 0; at < plan->rule_count; at++) {
        if (plan->rules[at].type != type) continue;
        alike_prepare(plan->rules[at].name, &other);
        if (alike_compare(&given, &other)) return other.name;
    }
    return (Str){ 0 };
}

static TrackingRule *add_rule(struct opening *opening, EventType type, Str name, const Node *node)
{
    struct tracking_plan *plan = opening->plan;
    if (plan->rule_count == TRACKING_RULES + EVENT_TYPE_COUNT) {
        if (!opening->compiler.has_failed) schema_complain(&opening->compiler, node, "more than %d events",
                                                           TRACKING_RULES);
        return NULL;
    }
    if (name.len > LIMIT_EVENT_NAME_BYTES)
        schema_complain(&opening->compiler, node, "a name of more than %d bytes", LIMIT_EVENT_NAME_BYTES);
    TrackingRule *rule = &plan->rules[plan->rule_count];
    *rule = (TrackingRule){ .type = type, .name = arena_copy(opening->compiler.arena, name), .hash =
                            hash_of(type, name),
                            .unplanned = TRACKING_RUNGS, .line = node->line };
    slots_put(&plan->slots, rule->hash, plan->rule_count++);
    return rule;
}

static void read_sources(struct opening *opening, const Node *node, TrackingRule *rule)
{
    Str *names = arena_new(opening->compiler.arena, Str, node->kind == NODE_LIST ? node->count : 1);
    bool is_fine = node->kind == NODE_TEXT;
    if (is_fine) names[rule->source_count++] = arena_copy(opening->compiler.arena, node->text);
    if (node->kind == NODE_LIST) {
        is_fine = true;
        node_each(item, node) {
            is_fine &= item->kind == NODE_TEXT;
            names[rule->source_count++] = arena_copy(opening->compiler.arena, item->text);
        }
    }
    rule->sources = names;
    if (!is_fine) schema_complain(&opening->compiler, node, "wanted names of sources");
}

/* Reads a JSON Schema: a map, or the name of a file beside the plan. */
static const Schema *read_schema(struct opening *opening, const Node *node)
{
    struct schema_compiler *compiler = &opening->compiler;
    const TrackingSource *source = compiler->source;
    if (node->kind == NODE_TEXT && !node->is_secret && source->read) {
        const Node *read = source->read(source->context, node, node->text, compiler->arena);
        if (!read) {
            compiler->has_failed = true;
            return NULL;
        }
        const Schema *schema = schema_compile_document(compiler, read);
        source->leave(source->context);
        opening->plan->has_files = true;
        return schema;
    }
    return schema_compile_document(compiler, node);
}

static void read_status(struct opening *opening, const Node *node, TrackingRule *rule)
{
    rule->is_deprecated = node->kind == NODE_TEXT && str_equal(node->text, STR("deprecated"));
    if (rule->is_deprecated || (node->kind == NODE_TEXT && str_equal(node->text, STR("live")))) return;
    schema_complain(&opening->compiler, node, "wanted live or deprecated");
}

static void read_versions(struct opening *opening, const Node *node, TrackingRule *rule)
{
    opening->plan->store.has_versions = true;
    if (node->kind == NODE_TEXT && schema_versions_parse(node->text))
        rule->versions = arena_copy(opening->compiler.arena, node->text);
    else schema_complain(&opening->compiler, node, "wanted a range of app versions such as \">=2.0 <3\"");
}

static void complain_key(struct opening *opening, const Node *node, const Str *words, size_t count)
{
    Str near = nearest_word(node->key, words, count);
    schema_complain(&opening->compiler, node, "unknown key%s%.*s%s", near.len ? "; did you mean " : "",
                    STR_FORMAT(near),
                    near.len ? "?" : "");
}

static void read_rule(struct opening *opening, const Node *node, TrackingRule *rule)
{
    static const Str words[] = {
        STR("description"), STR("owner"), STR("since"), STR("status"), STR("sources"), STR("enforcement"),
            STR("versions"),
        STR("unplanned_properties"), STR("properties"), STR("schema"), STR("examples"),
    };
    struct tracking_plan *plan = opening->plan;
    const Node *properties = NULL, *schema = NULL;
    if (node->kind != NODE_MAP && node->kind != NODE_NULL) {
        schema_complain(&opening->compiler, node, "wanted a map with properties, or nothing after the colon");
        return;
    }
    node_each(child, node->kind == NODE_MAP ? node : NULL) {
        size_t at = 0;
        while (at < countof(words) && !str_equal(child->key, words[at])) at++;
        if (at == countof(words)) complain_key(opening, child, words, countof(words));
        else if (child->kind == NODE_NULL) continue;
        else if (at == 3) read_status(opening, child, rule);
        else if (at == 4) read_sources(opening, child, rule);
        else if (at == 5) read_ladder(opening, child, &rule->ladder);
        else if (at == 6) read_versions(opening, child, rule);
        else if (at == 7) (void)read_rung(opening, child, true, &rule->unplanned);
        else if (at == 8) properties = child;
        else if (at == 9) schema = child;
    }
    if (schema && properties) schema_complain(&opening->compiler, schema, "has properties and a schema; give one");
    TrackingRung unplanned = rule->unplanned == TRACKING_RUNGS ? plan->unplanned_properties : rule->unplanned;
    SchemaShort how = { .tells_unplanned = unplanned != TRACKING_ALLOW };
    if (schema) rule->schema = read_schema(opening, schema);
    else rule->schema = schema_compile_short(&opening->compiler, properties, opening->common, how, 1);
}

static void set_place(struct opening *opening, const char *section, Str name)
{
    opening->compiler.place = name.len ? arena_printf(opening->compiler.arena, "%s.%.*s", section,
                                                      STR_FORMAT(str_slice(name, 0, PLACE_BYTES)))
                                       : str_from(section);
}

static void read_rules(struct opening *opening, const Node *map, const char *section, EventType type)
{
    set_place(opening, section, (Str){ 0 });
    if (map->kind != NODE_MAP) {
        schema_complain(&opening->compiler, map, "wanted a map: a name, and what belongs to it");
        return;
    }
    node_each(child, map) {
        TrackingRule *rule = add_rule(opening, type, child->key, child);
        if (!rule) return;
        set_place(opening, section, child->key);
        read_rule(opening, child, rule);
    }
    opening->compiler.place = STR("");
}

/* An identify has only the traits that changed, so no trait is ever required; the same holds for a group. */
static void read_traits(struct opening *opening, const Node *map, const char *section, EventType type)
{
    set_place(opening, section, (Str){ 0 });
    TrackingRule *rule = add_rule(opening, type, STR(""), map);
    if (!rule) return;
    SchemaShort how = { .never_requires = true, .tells_unplanned = opening->plan->unplanned_traits != TRACKING_ALLOW };
    rule->unplanned = opening->plan->unplanned_traits;
    rule->schema = schema_compile_short(&opening->compiler, map, NULL, how, 1);
    opening->compiler.place = STR("");
}

/* ---- Names ---- */

static const struct { Str word; const char *pattern; } cases[] = {
    { STR("Title Case"), "^[A-Z0-9][A-Za-z0-9]*( [A-Z0-9][A-Za-z0-9]*)*$" },
    { STR("Sentence case"), "^[A-Z0-9][A-Za-z0-9]*( [a-z0-9][a-z0-9]*)*$" },
    { STR("lower case"), "^[a-z0-9]+( [a-z0-9]+)*$" },
    { STR("snake_case"), "^[a-z0-9]+(_[a-z0-9]+)*$" },
    { STR("kebab-case"), "^[a-z0-9]+(-[a-z0-9]+)*$" },
    { STR("camelCase"), "^[a-z][a-z0-9]*([A-Z0-9][a-z0-9]*)*$" },
    { STR("PascalCase"), "^([A-Z0-9][a-z0-9]*)+$" },
};

static void read_case(struct opening *opening, const Node *node)
{
    Str words[countof(cases)];
    for (size_t at = 0; at < countof(cases); at++) {
        words[at] = cases[at].word;
        if (node->kind != NODE_TEXT || !str_equal(node->text, cases[at].word)) continue;
        opening->plan->name_pattern = schema_compile_pattern(&opening->compiler, node, str_from(cases[at].pattern));
        opening->plan->name_wants = arena_printf(opening->compiler.arena, "a name in %.*s", STR_FORMAT(cases[at].word));
        return;
    }
    Str near = node->kind == NODE_TEXT ? nearest_word(node->text, words, countof(words)) : (Str){ 0 };
    schema_complain(&opening->compiler, node,
                    "wanted Title Case, Sentence case, lower case, snake_case, kebab-case, camelCase or "
                    "PascalCase%s%.*s%s", near.len ? "; did you mean " : "", STR_FORMAT(near), near.len ? "?" : "");
}

static void read_names(struct opening *opening, const Node *map)
{
    const Node *pattern = node_find(map, STR("pattern")), *word = node_find(map, STR("case"));
    if (map->kind != NODE_MAP) {
        schema_complain(&opening->compiler, map, "wanted a map with case or pattern");
        return;
    }
    node_each(child, map)
        if (!str_equal(child->key, STR("pattern")) && !str_equal(child->key, STR("case")))
            schema_complain(&opening->compiler, child, "unknown key; there are case and pattern");
    if (pattern && word) schema_complain(&opening->compiler, pattern, "is given beside case; give one");
    else if (word) read_case(opening, word);
    else if (pattern && pattern->kind == NODE_TEXT) {
        opening->plan->name_pattern = schema_compile_pattern(&opening->compiler, pattern, pattern->text);
        opening->plan->name_wants = arena_printf(opening->compiler.arena, "a name that matches %.*s",
                                                 STR_FORMAT(str_slice(pattern->text, 0, PLACE_BYTES)));
    }
}

/* An event with a planned name is always right. But if the plan has names that break its own rule for names, we say
 * so. */
static void check_planned_names(struct opening *opening, const Node *events)
{
    struct tracking_plan *plan = opening->plan;
    if (!plan->name_pattern) return;
    node_each(child, events)
        if (!pattern_matches(plan->name_pattern, child->key))
            schema_warn(&opening->compiler, child, "the plan's own names want %.*s", STR_FORMAT(plan->name_wants));
}

/* ---- A plan ---- */

static void read_version(struct opening *opening, const Node *node)
{
    Arena *arena = opening->compiler.arena;
    struct tracking_plan *plan = opening->plan;
    if (!node) {
        plan->version = arena_printf(arena, "%08" PRIx64, hash_64(opening->compiler.source->text, 0) >> 32);
        return;
    }
    plan->version = arena_copy(arena, node->text);
    bool is_fine = node->kind == NODE_TEXT && node->text.len && node->text.len <= TRACKING_VERSION_BYTES;
    for (size_t at = 0; at < node->text.len; at++)
        is_fine &= node->text.bytes[at] > ' ' && node->text.bytes[at] < 0x7f && !strchr("\"\\", node->text.bytes[at]);
    if (!is_fine) schema_complain(&opening->compiler, node, "wanted a word of %d bytes at most",
                                  TRACKING_VERSION_BYTES);
}

static const Str sections[] = {
    STR("version"), STR("enforcement"), STR("unplanned_events"), STR("unplanned_properties"), STR("unplanned_pages"),
    STR("unplanned_traits"), STR("names"), STR("common"), STR("events"), STR("pages"), STR("screens"), STR("traits"),
    STR("groups"), STR("description"), STR("owner"),
};

static void read_choices(struct opening *opening, const Node *root)
{
    struct tracking_plan *plan = opening->plan;
    const struct { const char *key; TrackingRung *rung, otherwise; bool may_omit; } choices[] = {
        { "unplanned_events", &plan->unplanned_events, TRACKING_RUNGS, false },
        { "unplanned_properties", &plan->unplanned_properties, TRACKING_RUNGS, true },
        { "unplanned_pages", &plan->unplanned_pages, TRACKING_ALLOW, false },
        { "unplanned_traits", &plan->unplanned_traits, TRACKING_ALLOW, true },
    };
    for (size_t at = 0; at < countof(choices); at++) {
        const Node *node = node_find(root, str_from(choices[at].key));
        *choices[at].rung = choices[at].otherwise;
        if (node) (void)read_rung(opening, node, choices[at].may_omit, choices[at].rung);
    }
}

static void read_plan(struct opening *opening, const Node *root)
{
    static const struct { const char *section; EventType type; } rows[] = {
        { "events", EVENT_TRACK }, { "pages", EVENT_PAGE }, { "screens", EVENT_SCREEN },
    };
    const Node *found;
    node_each(child, root) {
        size_t at = 0;
        while (at < countof(sections) && !str_equal(child->key, sections[at])) at++;
        if (at == countof(sections)) complain_key(opening, child, sections, countof(sections));
    }
    read_version(opening, node_find(root, STR("version")));
    read_ladder(opening, node_find(root, STR("enforcement")), &opening->plan->ladder);
    read_choices(opening, root);
    if ((found = node_find(root, STR("names")))) read_names(opening, found);
    opening->common = node_find(root, STR("common"));
    for (size_t at = 0; at < countof(rows); at++)
        if ((found = node_find(root, str_from(rows[at].section)))) read_rules(opening, found, rows[at].section,
                                                                              rows[at].type);
    if ((found = node_find(root, STR("traits")))) read_traits(opening, found, "traits", EVENT_IDENTIFY);
    if ((found = node_find(root, STR("groups")))) read_traits(opening, found, "groups", EVENT_GROUP);
    if ((found = node_find(root, STR("events")))) check_planned_names(opening, found);
}

Status tracking_plan_open(const Node *root, const TrackingSource *source, struct tracking_plan **ret, Err *err)
{
    struct tracking_plan *plan = calloc(1, sizeof *plan);
    if (!plan) return err_set(err, ERR_FULL, "no memory for a plan");
    schema_store_open(&plan->store);
    plan->rules = arena_new(&plan->store.arena, TrackingRule, TRACKING_RULES + EVENT_TYPE_COUNT);
    slots_lay(&plan->slots, &plan->store.arena, TRACKING_RULES + EVENT_TYPE_COUNT);
    plan->text_hash = hash_128(source->text, 0);
    struct opening opening = { .plan = plan, .compiler = { .store = &plan->store, .arena = &plan->store.arena,
                                                           .source = source, .place = STR("") } };
    if (root && root->kind == NODE_MAP) read_plan(&opening, root);
    else schema_complain(&opening.compiler, root, "wanted a map with events");
    if (!opening.compiler.has_failed) {
        schema_set_sights(&plan->store);
        *ret = plan;
        return OK;
    }
    tracking_plan_close(plan);
    return err_set(err, ERR_INPUT, "the plan has errors");
}

void tracking_plan_close(struct tracking_plan *plan)
{
    if (!plan) return;
    schema_store_close(&plan->store);
    free(plan);
}

bool tracking_plan_is_same(const struct tracking_plan *a, const struct tracking_plan *b)
{
    return !a->has_files && !b->has_files && hash_128_equal(a->text_hash, b->text_hash);
}

Str tracking_plan_version(const struct tracking_plan *plan) { return plan->version; }
size_t tracking_plan_rule_count(const struct tracking_plan *plan) { return plan->rule_count; }
