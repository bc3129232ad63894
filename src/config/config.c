/* The configuration, by going through its table: every key of the file finds its row, or a complaint that
 * names the nearest row. Then come the flags, then what only the whole configuration shows (config_judge.c).
 */
#include "config_private.h"
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DESTINATIONS_MOST = 256, KEYS_MOST = 63, ALERTS_MOST = 8, KEY_SHOWN = 80 };

#define ROW(base, path, field, type, fallback, least, most, unit, when, why) \
    { path, offsetof(base, field), type, fallback, least, most, unit, when, why },

const ConfigRule config_rules[] = {
#define CONFIG(...) ROW(struct config, __VA_ARGS__)
#include "config.tbl.h"
};
static const ConfigRule source_rules[] = {
#define SOURCE(...) ROW(struct config_source, __VA_ARGS__)
#include "config.tbl.h"
};
static const ConfigRule key_rules[] = {
#define KEY(...) ROW(ConfigKey, __VA_ARGS__)
#include "config.tbl.h"
};
static const ConfigRule destination_rules[] = {
#define DESTINATION(...) ROW(ConfigDestination, __VA_ARGS__)
#include "config.tbl.h"
};
static const ConfigRule warehouse_rules[] = {
#define WAREHOUSE(...) ROW(ConfigWarehouse, __VA_ARGS__)
#include "config.tbl.h"
};
static const ConfigRule alert_rules[] = {
#define ALERT(...) ROW(ConfigAlert, __VA_ARGS__)
#include "config.tbl.h"
};
const size_t config_rule_count = countof(config_rules);

static const ConfigEntries sources_entries = {
    "sources", source_rules, countof(source_rules), LIMIT_SOURCES, sizeof(struct config_source),
    offsetof(struct config_source, node), NULL,
};
static const ConfigEntries keys_entries = {
    "keys", key_rules, countof(key_rules), KEYS_MOST, sizeof(ConfigKey), offsetof(ConfigKey, node),
    NULL,
};
static const ConfigEntries destinations_entries = {
    "destinations", destination_rules, countof(destination_rules), DESTINATIONS_MOST, sizeof(ConfigDestination),
    offsetof(ConfigDestination, node), "{token: \"${TOKEN}\"}",
};
static const ConfigEntries warehouses_entries = {
    "warehouses", warehouse_rules, countof(warehouse_rules), WAREHOUSES_MOST, sizeof(ConfigWarehouse),
    offsetof(ConfigWarehouse, node), "{url: \"${WAREHOUSE_URL}\"}",
};
static const ConfigEntries alerts_entries = {
    "alerts", alert_rules, countof(alert_rules), ALERTS_MOST, sizeof(ConfigAlert), offsetof(ConfigAlert, node), NULL,
};

const ConfigEntries *config_entries_of(const ConfigRule *rule)
{
    static const ConfigEntries *const all[] = { &sources_entries, &keys_entries, &destinations_entries,
                                               &warehouses_entries, &alerts_entries };
    for (size_t at = 0; rule->type == ENTRIES && at < countof(all); at++)
        if (!strcmp(all[at]->name, rule->path)) return all[at];
    return NULL;
}

/* ---- Complaints ---- */

/* Writes the problem's text and keeps it, with a copy of its key. */
static void keep_problem(struct config_walk *walk, ConfigProblem problem, const char *format, va_list list)
{
    struct config_problems *problems = walk->problems;
    if (!problem.is_warning) problems->error_count++;
    if (problems->count == CONFIG_PROBLEMS) {
        problems->dropped_count++;
        return;
    }
    char text[ERR_TEXT_BYTES];
    vsnprintf(text, sizeof text, format, list);
    problem.key = arena_copy(walk->arena, str_slice(problem.key, 0, KEY_SHOWN));
    problem.text = arena_copy(walk->arena, str_from(text));
    size_t at = problems->count++;
    for (; at > 0; at--) {                 /* those without a place come first, in the order in which they were found */
        const ConfigProblem *other = &problems->items[at - 1];
        if (other->line < problem.line || (other->line == problem.line && other->column <= problem.column)) break;
        problems->items[at] = *other;
    }
    problems->items[at] = problem;
}

void config_complain(struct config_walk *walk, const Node *place, Str key, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    ConfigProblem problem = { place ? place->line : 0, place ? place->column : 0, false, key, STR("") };
    keep_problem(walk, problem, format, list);
    va_end(list);
}

void config_complain_at(struct config_walk *walk, uint32_t line, uint32_t column, Str key, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    keep_problem(walk, (ConfigProblem){ line, column, false, key, STR("") }, format, list);
    va_end(list);
}

void config_warn(struct config_walk *walk, const Node *place, Str key, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    ConfigProblem problem = { place ? place->line : 0, place ? place->column : 0, true, key, STR("") };
    keep_problem(walk, problem, format, list);
    va_end(list);
}

static void put_printable(struct buf *buf, Str s)
{
    for (size_t at = 0; at < s.len; at++) {
        unsigned char c = (unsigned char)s.bytes[at];
        buf_char(buf, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}

void config_write_problem(struct buf *buf, const struct config_problems *problems, const ConfigProblem *problem)
{
    if (problems->file.len) {
        put_printable(buf, problems->file);
        if (problem->line) buf_printf(buf, ":%u:%u", problem->line, problem->column);
        buf_str_put(buf, STR(": "));
    }
    buf_printf(buf, "%s: ", problem->is_warning ? "warning" : "error");
    put_printable(buf, problem->key);
    if (problem->key.len) buf_str_put(buf, STR(": "));
    put_printable(buf, problem->text);
    buf_char(buf, '\n');
}

/* ---- Maps ---- */

/* Where in the file we are: "sources[2]." for people, "log." for the table. */
typedef struct Place {
    Str shown, path;
} Place;

static void complain_unknown(struct config_walk *walk, const Node *child, const Place *place, Str shown,
                             const ConfigRule *rules, size_t count)
{
    Str candidates[64] = { 0 };
    size_t candidate_count = 0;
    const ConfigRule *elsewhere = NULL;
    for (size_t at = 0; at < count && candidate_count < countof(candidates); at++) {
        Str path = str_from(rules[at].path), rest;
        if (str_ends(path, child->key) && path.len > child->key.len
            && path.bytes[path.len - child->key.len - 1] == '.') elsewhere = &rules[at];
        if (!str_starts(path, place->path)) continue;
        candidates[candidate_count++] = str_cut(str_slice(path, place->path.len, path.len), '.', &rest);
    }
    Str near = nearest_word(child->key, candidates, candidate_count);
    if (near.len)
        config_complain_at(walk, child->key_line, child->key_column, shown, "unknown key; did you mean %.*s?",
                           STR_FORMAT(near));
    else if (elsewhere)
        config_complain_at(walk, child->key_line, child->key_column, shown, "unknown key here; did you mean %s?",
                           elsewhere->path);
    else
        config_complain_at(walk, child->key_line, child->key_column, shown, "unknown key");
}

static bool is_section(Str path, const ConfigRule *rules, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        Str rule = str_from(rules[at].path);
        if (rule.len > path.len && rule.bytes[path.len] == '.' && str_starts(rule, path)) return true;
    }
    return false;
}

static const ConfigRule *find_rule(Str path, const ConfigRule *rules, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (str_equal(path, str_from(rules[at].path))) return &rules[at];
    return NULL;
}

static void walk_map(struct config_walk *walk, const Node *map, const Place *place, const ConfigRule *rules,
                     size_t count, void *base)
{
    node_each(child, map) {
        Str key = str_slice(child->key, 0, KEY_SHOWN);
        Str path = arena_printf(walk->arena, "%.*s%.*s", STR_FORMAT(place->path), STR_FORMAT(key));
        Str shown = arena_printf(walk->arena, "%.*s%.*s", STR_FORMAT(place->shown), STR_FORMAT(key));
        const ConfigRule *rule = find_rule(path, rules, count);
        if (rule) {
            if (rule->when == NOT_YET && child->kind != NODE_NULL && !(child->kind == NODE_LIST && child->count == 0))
                config_warn(walk, child, shown, "is read, but this version does nothing with it yet");
            if (rule->type == ENTRIES || child->kind == NODE_NULL) continue;
            (void)config_read_value(walk, rule, child, shown, (char *)base + rule->offset);
        } else if (is_section(path, rules, count)) {
            Place inner = { arena_printf(walk->arena, "%.*s.", STR_FORMAT(shown)),
                            arena_printf(walk->arena, "%.*s.", STR_FORMAT(path)) };
            if (child->kind == NODE_MAP) walk_map(walk, child, &inner, rules, count, base);
            else if (child->kind != NODE_NULL) config_complain(walk, child, shown, "wanted a map");
        } else {
            complain_unknown(walk, child, place, shown, rules, count);
        }
    }
}

/* One entry of a list: sets defaults, reads its keys, and checks that the required ones are there. */
static void walk_entry(struct config_walk *walk, const Node *entry, Str shown, const ConfigEntries *entries, void *base)
{
    const ConfigRule *rules = entries->rules;
    size_t count = entries->count;
    config_set_defaults(walk, rules, count, base);
    if (entry->kind != NODE_MAP) {
        config_complain(walk, entry, shown, "wanted a map with %s and %s", rules[0].path, rules[1].path);
        return;
    }
    Place place = { arena_printf(walk->arena, "%.*s.", STR_FORMAT(shown)), STR("") };
    walk_map(walk, entry, &place, rules, count, base);
    for (size_t at = 0; at < count; at++) {
        if (rules[at].fallback) continue;
        const Node *value = node_find(entry, str_from(rules[at].path));
        if (!value) config_complain(walk, entry, shown, "has no %s", rules[at].path);
        else if (value->kind == NODE_TEXT && !value->text.len)       /* "${KEY:-}", say */
            config_complain(walk, value, shown, "%s is empty", rules[at].path);
    }
}

/* The list under a key; NULL (with a complaint) if it is not a list or is too long. */
static const Node *find_list(struct config_walk *walk, const Node *root, Str key, size_t most)
{
    const Node *list = node_find(root, key);
    if (!list) return NULL;
    if (list->kind != NODE_LIST) {
        config_complain(walk, list, key, "wanted a list: each entry begins with \"- name: ...\"");
        return NULL;
    }
    if (list->count > most) {
        config_complain(walk, list, key, "%zu entries; at most %zu", list->count, most);
        return NULL;
    }
    return list;
}

/* Gives an array of the entries' structs. */
static void *walk_entries(struct config_walk *walk, const Node *root, const ConfigEntries *entries, size_t *ret_count)
{
    const Node *list = find_list(walk, root, str_from(entries->name), entries->most);
    char *made = arena_take(walk->arena, entries->size, _Alignof(max_align_t), list ? list->count : 0);
    size_t at = 0;
    node_each(entry, list) {
        Str shown = arena_printf(walk->arena, "%s[%zu]", entries->name, at);
        char *base = made + entries->size * at++;
        memcpy(base + entries->node_offset, &entry, sizeof entry);
        walk_entry(walk, entry, shown, entries, base);
    }
    *ret_count = at;
    return made;
}

/* ---- Flags ---- */

/* Applies all flags of one path at once: several make a list. Flags are not YAML, so nothing is expanded. */
static void apply_flags(struct config_walk *walk, const ConfigOptions *request, struct config *config)
{
    for (size_t at = 0; at < request->flag_count; at++) {
        const ConfigFlag *flag = &request->flags[at];
        const ConfigRule *rule = find_rule(str_from(flag->path), config_rules, config_rule_count);
        check(rule != NULL);
        bool is_list = rule->type == TEXTS || rule->type == LISTEN, is_first = true;
        for (size_t before = 0; before < at; before++)
            if (!strcmp(request->flags[before].path, flag->path)) is_first = false;
        if (is_list && !is_first) continue;
        Node *list = arena_new(walk->arena, Node, 1);
        *list = (Node){ .kind = NODE_LIST };
        const Node **tail = &list->first;
        for (size_t same = at; same < (is_list ? request->flag_count : at + 1); same++) {
            if (strcmp(request->flags[same].path, flag->path)) continue;
            Node *item = arena_new(walk->arena, Node, 1);
            *item = (Node){ .kind = NODE_TEXT, .text = str_from(request->flags[same].text) };
            *tail = item, tail = &item->next;
            list->count++;
        }
        (void)config_read_value(walk, rule, is_list ? list : list->first, str_from(flag->flag),
                                (char *)config + rule->offset);
    }
}

/* ---- Loading ---- */

static const char *get_environment(const char *name) { return getenv(name); }

Status config_sum_up(const struct config_problems *problems, Err *err)
{
    if (problems->error_count == 0) return OK;
    for (size_t at = 0; at < problems->count; at++) {
        if (problems->items[at].is_warning) continue;
        char text[ERR_TEXT_BYTES];
        struct buf buf;
        buf_init_fixed(&buf, text, sizeof text);
        config_write_problem(&buf, problems, &problems->items[at]);
        if (buf.len && text[buf.len - 1] == '\n') buf.len--;
        return err_set(err, ERR_INPUT, "%.*s", (int)buf.len, text);
    }
    return err_set(err, ERR_INPUT, "%zu problems", problems->error_count);
}

Status config_parse(ConfigText file, const ConfigOptions *request, Arena *arena, struct config *ret,
                    struct config_problems *problems, Err *err)
{
    Str text = file.text, name = file.name;
    struct config_walk walk = { arena, problems, request->get_variable ? request->get_variable : get_environment,
                                false };
    *problems = (struct config_problems){ .file = name };
    *ret = (struct config){ .file = name };
    config_set_defaults(&walk, config_rules, config_rule_count, ret);
    if (text.len > CONFIG_FILE_BYTES) {
        config_complain(&walk, NULL, STR(""), "%zu bytes; at most %d", text.len, CONFIG_FILE_BYTES);
        return config_sum_up(problems, err);
    }
    const Node *root = config_read_yaml(&walk, text);
    if (root && root->kind != NODE_MAP) {
        config_complain(&walk, root, STR(""), "wanted a map of options, such as \"listen: 127.0.0.1:8080\"");
        root = NULL;
    }
    Place top = { STR(""), STR("") };
    walk_map(&walk, root, &top, config_rules, config_rule_count, ret);
    size_t source_count;
    struct config_source *sources = walk_entries(&walk, root, &sources_entries, &source_count);
    ret->keys = walk_entries(&walk, root, &keys_entries, &ret->key_count);
    ret->destinations = walk_entries(&walk, root, &destinations_entries, &ret->destination_count);
    ret->warehouses = walk_entries(&walk, root, &warehouses_entries, &ret->warehouse_count);
    ret->alerts = walk_entries(&walk, root, &alerts_entries, &ret->alert_count);
    apply_flags(&walk, request, ret);
    config_judge(&walk, root, ret, sources, source_count);
    return config_sum_up(problems, err);
}

static bool nodes_equal(const Node *a, const Node *b)
{
    if (!a || !b) return a == b;
    if (a->kind != b->kind || a->count != b->count || !str_equal(a->key, b->key) || !str_equal(a->text, b->text))
        return false;
    const Node *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next)
        if (!nodes_equal(x, y)) return false;
    return x == y;
}

static bool warehouses_equal(const struct config *a, const struct config *b)
{
    if (a->warehouse_count != b->warehouse_count) return false;
    for (size_t at = 0; at < a->warehouse_count; at++)
        if (!nodes_equal(a->warehouses[at].node, b->warehouses[at].node)) return false;
    return true;
}

static bool alerts_equal(const struct config *a, const struct config *b)
{
    if (a->alert_count != b->alert_count) return false;
    for (size_t at = 0; at < a->alert_count; at++)
        if (!nodes_equal(a->alerts[at].node, b->alerts[at].node)) return false;
    return true;
}

Str config_list_restarts(const struct config *before, const struct config *after, Arena *arena)
{
    Str list = STR("");
    for (size_t at = 0; at < config_rule_count; at++) {
        const ConfigRule *rule = &config_rules[at];
        if (rule->when != RESTART) continue;
        const char *a = (const char *)before + rule->offset, *b = (const char *)after + rule->offset;
        if (config_value_equal(rule, a, b)) continue;
        list = arena_printf(arena, "%.*s%s%s", STR_FORMAT(list), list.len ? ", " : "", rule->path);
    }
    if (!warehouses_equal(before, after))
        list = arena_printf(arena, "%.*s%swarehouses", STR_FORMAT(list), list.len ? ", " : "");
    if (!alerts_equal(before, after))
        list = arena_printf(arena, "%.*s%salerts", STR_FORMAT(list), list.len ? ", " : "");
    return list;
}
