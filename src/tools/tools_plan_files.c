/* plan init, types, diff, import: plans that are made of something, and made into something. */
#include "tools_plan.h"

#include <stdio.h>

/* ---- init ---- */

static void learn_one(void *context, struct event_parser *parser, const Event *event, const Message *message,
                      Arena *arena)
{
    TrackingMessage given = { parser, message, event->type, event->source };
    tracking_learn(context, &given, arena);
}

int tools_plan_init(const struct command_line *line, Arena *arena, struct buf *out)
{
    struct plan_reader reader = { .visit = learn_one, .context = tracking_learn_open() };
    if (!reader.context) {
        command_complain("no memory");
        return EXIT_WRONG;
    }
    int code = tools_plan_read(line, &reader, arena);
    if (!code) tracking_learn_write(reader.context, out);
    tracking_learn_close(reader.context);
    return code;
}

/* ---- types ---- */

int tools_plan_types(const struct command_line *line, Arena *arena, struct buf *out)
{
    struct tracking_plan *plan = NULL;
    int code = tools_plan_open(line, arena, &plan);
    if (!code) tracking_write_types(plan, out);
    tracking_plan_close(plan);
    return code;
}

/* ---- diff ---- */

static bool is_leaf(const Node *node) { return node->kind != NODE_MAP && node->kind != NODE_LIST; }

static void put_value(struct buf *out, const Node *node)
{
    bool is_first = true;
    if (node->kind == NODE_NULL) buf_str_put(out, STR("nothing"));
    else if (node->kind == NODE_TEXT) buf_str_put(out, node->text);
    else if (node->kind == NODE_LIST) {
        buf_char(out, '[');
        node_each(child, node) {
            if (!is_first) buf_str_put(out, STR(", "));
            is_first = false;
            put_value(out, child);
        }
        buf_char(out, ']');
    } else {
        buf_char(out, '{');
        node_each(child, node) {
            buf_printf(out, "%s%.*s: ", is_first ? "" : ", ", STR_FORMAT(child->key));
            is_first = false;
            put_value(out, child);
        }
        buf_char(out, '}');
    }
}

static bool is_same(const Node *a, const Node *b)
{
    if (a->kind != b->kind || a->count != b->count) return false;
    if (is_leaf(a)) return str_equal(a->text, b->text);
    const Node *other = b->first;
    for (const Node *child = a->first; child; child = child->next) {
        if (a->kind == NODE_MAP) other = node_find(b, child->key);
        if (!other || !is_same(child, other)) return false;
        if (a->kind == NODE_LIST) other = other->next;
    }
    return true;
}

/* The member even where it is null, which node_find takes for absent. */
static const Node *find_key(const Node *map, Str key)
{
    node_each(child, map) if (str_equal(child->key, key)) return child;
    return NULL;
}

static uint64_t put_differences(struct buf *out, const Node *before, const Node *after, Str place, Arena *arena)
{
    uint64_t count = 0;
    node_each(old, before) {
        const Node *now = find_key(after, old->key);
        Str path = arena_printf(arena, "%.*s%s%.*s", STR_FORMAT(place), place.len ? "." : "", STR_FORMAT(old->key));
        if (now && now->kind == NODE_MAP && old->kind == NODE_MAP) {
            count += put_differences(out, old, now, path, arena);
            continue;
        }
        if (now && is_same(old, now)) continue;
        buf_printf(out, "%c %.*s: ", now ? '~' : '-', STR_FORMAT(path));
        put_value(out, old);
        if (now) buf_str_put(out, STR(" -> "));
        if (now) put_value(out, now);
        buf_char(out, '\n');
        count++;
    }
    node_each(now, after) {
        if (find_key(before, now->key)) continue;
        buf_printf(out, "+ %.*s%s%.*s: ", STR_FORMAT(place), place.len ? "." : "", STR_FORMAT(now->key));
        put_value(out, now);
        buf_char(out, '\n');
        count++;
    }
    return count;
}

static int read_tree(const char *file, Arena *arena, const Node **ret)
{
    struct config_problems *problems = arena_new(arena, struct config_problems, 1);
    Err err;
    if (!config_read_plan_tree(file, os_disk(), arena, ret, problems, &err)) return EXIT_FINE;
    command_complain("%s", err.text);
    return EXIT_USAGE;
}

/* Of two files. Exits 1 where they differ, as diff does. */
int tools_plan_diff(const struct command_line *line, Arena *arena, struct buf *out)
{
    const Node *before = NULL, *after = NULL;
    int code = read_tree(line->operands[1], arena, &before);
    if (!code) code = read_tree(line->operands[2], arena, &after);
    if (code) return code;
    return put_differences(out, before, after, (Str){ 0 }, arena) ? EXIT_WRONG : EXIT_FINE;
}

/* ---- import ---- */

/* As JSON, which is YAML, too. */
static void put_tree(struct buf *out, const TreeNode *node)
{
    if (node->kind == FIELD_OBJECT) {
        json_object(out, NULL);
        for (const TreeNode *child = node->first; child; child = child->next) {
            json_name(out, child->key);
            put_tree(out, child);
        }
        json_object_end(out);
    } else if (node->kind == FIELD_ARRAY) {
        json_array(out, NULL);
        for (const TreeNode *child = node->first; child; child = child->next) put_tree(out, child);
        json_array_end(out);
    } else if (node->kind == FIELD_STRING) {
        json_string(out, NULL, node->text);
    } else {
        json_raw(out, NULL, node->raw);
    }
}

static const TreeNode *find_list(const TreeNode *root)
{
    static const char *const paths[] = { "rules.events", "data.rules", "rules", "events", "data" };
    if (event_tree_is_kind(root, FIELD_ARRAY)) return root;
    for (size_t at = 0; at < countof(paths); at++) {
        const TreeNode *found = event_tree_find(root, paths[at]);
        if (event_tree_is_kind(found, FIELD_ARRAY)) return found;
    }
    return NULL;
}

/* What a rule is about, in our words; NULL: what is not checked here (Segment's COMMON is of context). */
static const char *section_of(const TreeNode *rule)
{
    static const struct { const char *word, *section; } words[] = {
        { "track", "events" }, { "page", "pages" }, { "screen", "screens" }, { "identify", "traits" },
            { "group", "groups" },
    };
    Str type = event_tree_text(rule, "type");
    if (!type.len) type = event_tree_text(rule, "eventType");
    if (!type.len) return "events";
    for (size_t at = 0; at < countof(words); at++)
        if (str_equal_no_case(type, str_from(words[at].word))) return words[at].section;
    return NULL;
}

static const TreeNode *schema_of(const TreeNode *rule, bool has_traits)
{
    const TreeNode *schema = event_tree_get(rule, STR("rules"));
    if (!schema) schema = event_tree_get(rule, STR("jsonSchema"));
    const TreeNode *inner = event_tree_find(schema, has_traits ? "properties.traits" : "properties.properties");
    return inner ? inner : schema;
}

struct importing {
    const TreeNode *list;
    struct buf *out;
    uint64_t events, left_out;
};

/* Of one name the last version counts; Segment lists each. */
static bool is_again(const TreeNode *rule, Str name)
{
    for (const TreeNode *later = rule->next; later; later = later->next) {
        Str other = event_tree_text(later, "name");
        if (!other.len) other = event_tree_text(later, "key");
        if (str_equal(other, name) && section_of(later) == section_of(rule)) return true;
    }
    return false;
}

static void import_section(struct importing *importing, const char *section)
{
    bool is_begun = false;
    for (const TreeNode *rule = importing->list->first; rule; rule = rule->next) {
        Str name = event_tree_text(rule, "name"), description = event_tree_text(rule, "description");
        const char *its = section_of(rule);
        if (!name.len) name = event_tree_text(rule, "key");
        if (!its || strcmp(its, section) || !name.len || is_again(rule, name)) continue;
        const TreeNode *schema = schema_of(rule, false);
        if (!is_begun) buf_printf(importing->out, "%s:\n", section);
        is_begun = true;
        importing->events++;
        buf_str_put(importing->out, STR("  "));
        buf_json_string(importing->out, name);
        buf_str_put(importing->out, STR(":\n"));
        if (description.len) {
            buf_str_put(importing->out, STR("    description: "));
            buf_json_string(importing->out, description);
            buf_char(importing->out, '\n');
        }
        if (!event_tree_is_kind(schema, FIELD_OBJECT)) continue;
        buf_str_put(importing->out, STR("    schema: "));
        put_tree(importing->out, schema);
        buf_char(importing->out, '\n');
    }
}

/* Traits are in our own form: a schema each. */
static void import_traits(struct importing *importing, const char *section)
{
    for (const TreeNode *rule = importing->list->first; rule; rule = rule->next) {
        const char *its = section_of(rule);
        const TreeNode *schema = schema_of(rule, true), *traits = event_tree_find(schema, "properties");
        if (!its || strcmp(its, section) || !event_tree_is_kind(traits, FIELD_OBJECT) || !traits->first) continue;
        buf_printf(importing->out, "%s:\n", section);
        for (const TreeNode *trait = traits->first; trait; trait = trait->next) {
            buf_str_put(importing->out, STR("  "));
            buf_json_string(importing->out, trait->key);
            buf_str_put(importing->out, STR(":\n    schema: "));
            put_tree(importing->out, trait);
            buf_char(importing->out, '\n');
        }
        return;
    }
}

/* Of Segment (Public API, Config API, Typewriter's plan.json) and of RudderStack: JSON whose rules are JSON Schema
 * of the whole message; what they say of properties and traits is taken. */
int tools_plan_import(const struct command_line *line, Arena *arena, struct buf *out)
{
    Err err;
    Str text;
    const TreeNode *root = NULL;
    struct importing importing = { .out = out };
    Status s = disk_read_file(os_disk(), line->operands[1], TRACKING_FILE_BYTES, arena, &text, &err);
    if (!s) s = event_tree_read(text, arena, &root, &err);
    if (!s && !(importing.list = find_list(root)))
        s = err_set(&err, ERR_INPUT, "no list of rules in it: wanted Segment's or RudderStack's plan as JSON");
    if (s) {
        command_complain("%s: %s", line->operands[1], err.text);
        return EXIT_USAGE;
    }
    buf_printf(out, "# Made by onym plan import. Check it with onym plan check (docs/plan.md).\nenforcement: report\n");
    import_section(&importing, "events");
    import_section(&importing, "pages");
    import_section(&importing, "screens");
    import_traits(&importing, "traits");
    import_traits(&importing, "groups");
    for (const TreeNode *rule = importing.list->first; rule; rule = rule->next) importing.left_out += !section_of(rule);
    if (!importing.events) buf_str_put(out, STR("events: {}\n"));
    if (importing.left_out)
        buf_printf(out, "# %" PRIu64 " rules are of a kind that is not checked here\n", importing.left_out);
    return EXIT_FINE;
}
