/* Reads values of the configuration by type: text to number, word, list; each complaint says what was expected. */
#include "config_private.h"

#include <stdio.h>

bool config_parse_size(Str text, int64_t *ret_bytes)
{
    static const struct { const char *unit; int64_t bytes; } units[] = {
        { "", 1 }, { "B", 1 },
        { "kB", 1000 }, { "KB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 }, { "TB", 1000000000000 },
        { "KiB", 1LL << 10 }, { "kiB", 1LL << 10 }, { "MiB", 1LL << 20 }, { "GiB", 1LL << 30 }, { "TiB", 1LL << 40 },
    };
    size_t digits = 0;
    while (digits < text.len && text.bytes[digits] >= '0' && text.bytes[digits] <= '9') digits++;
    int64_t count;
    if (!str_parse_int(str_slice(text, 0, digits), 0, INT64_MAX, &count)) return false;
    Str unit = str_trim(str_slice(text, digits, text.len));
    for (size_t at = 0; at < countof(units); at++)
        if (str_equal(unit, str_from(units[at].unit)))
            return !__builtin_mul_overflow(count, units[at].bytes, ret_bytes);
    return false;
}

bool config_parse_listen(Str text, ConfigListen *ret)
{
    size_t colon = text.len;
    while (colon > 0 && text.bytes[colon - 1] != ':') colon--;
    int64_t port;
    if (colon == 0 || !str_parse_int(str_slice(text, colon, text.len), 0, 65535, &port)) return false;
    Str host = str_slice(text, 0, colon - 1);
    bool has_brackets = host.len >= 2 && host.bytes[0] == '[' && host.bytes[host.len - 1] == ']';
    if (has_brackets) host = str_slice(host, 1, host.len - 1);
    if (has_brackets && host.len == 0) return false;
    for (size_t at = 0; at < host.len; at++) {
        char c = host.bytes[at];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_name = is_letter || (c >= '0' && c <= '9') || c == '.' || c == '-';
        if (!(is_name || (has_brackets && (c == ':' || c == '%')))) return false;
    }
    *ret = (ConfigListen){ .text = text, .host = host, .port = (uint16_t)port };
    return true;
}

/* The text as a complaint shows it: cut, without control characters; a secret is not shown at all. */
static const char *quote(const Node *node, char *out, size_t size)
{
    size_t len = node->text.len < 40 ? node->text.len : 40;
    if (node->is_secret) return snprintf(out, size, "what it holds"), out;
    snprintf(out, size, "\"%.*s%s\"", (int)len, len ? node->text.bytes : "", node->text.len > len ? "..." : "");
    return out;
}

static bool parse_number(ConfigType type, Str text, int64_t *ret)
{
    switch (type) {
    case INT:      return str_parse_int(text, INT64_MIN, INT64_MAX, ret);
    case DURATION: return duration_parse(text, ret);
    case SIZE:     return config_parse_size(text, ret);
    case TEXT: case SECRET: case TEXTS: case BOOL: case WORD: case LISTEN: case NODE: case ENTRIES: break;
    }
    return false;
}

static bool read_number(struct config_walk *walk, const ConfigRule *rule, const Node *node, Str key, int64_t *ret)
{
    static const char *const wanted[] = {
        [INT] = "a whole number", [DURATION] = "a duration like 90s, 15m, 36h, 30d",
        [SIZE] = "a size like 512MiB, 10GB",
    };
    char shown[64];
    int64_t value, least, most;
    check(parse_number(rule->type, str_from(rule->least), &least));
    check(parse_number(rule->type, str_from(rule->most), &most));
    if (!parse_number(rule->type, node->text, &value)) {
        config_complain(walk, node, key, "%s is not %s", quote(node, shown, sizeof shown), wanted[rule->type]);
        return false;
    }
    if (value < least || value > most) {
        config_complain(walk, node, key, "%s is outside %s to %s", quote(node, shown, sizeof shown), rule->least,
                        rule->most);
        return false;
    }
    *ret = value;
    return true;
}

static bool read_bool(struct config_walk *walk, const Node *node, Str key, bool *ret)
{
    static const struct { Str word; bool value; } words[] = {
        { STR("true"), true }, { STR("yes"), true }, { STR("on"), true },
        { STR("false"), false }, { STR("no"), false }, { STR("off"), false },
    };
    char shown[64];
    for (size_t at = 0; at < countof(words); at++)
        if (str_equal_no_case(node->text, words[at].word)) return *ret = words[at].value, true;
    config_complain(walk, node, key, "%s is neither true nor false", quote(node, shown, sizeof shown));
    return false;
}

static bool read_word(struct config_walk *walk, const ConfigRule *rule, const Node *node, Str key, int *ret)
{
    char shown[64];
    Str rest = str_from(rule->unit);
    for (int at = 0; rest.len; at++)
        if (str_equal(str_cut(rest, '|', &rest), node->text)) return *ret = at, true;
    config_complain(walk, node, key, "%s is none of %s", quote(node, shown, sizeof shown), rule->unit);
    return false;
}

/* A list of texts, or one text alone. */
static bool read_texts(struct config_walk *walk, const Node *node, Str key, ConfigTexts *ret)
{
    Node alone = *node;
    alone.next = NULL;
    const Node *first = node->kind == NODE_LIST ? node->first : &alone;
    size_t count = node->kind == NODE_LIST ? node->count : 1, at = 0;
    Str *items = arena_new(walk->arena, Str, count);
    for (const Node *item = first; item; item = item->next) {
        if (item->kind != NODE_TEXT || item->text.len == 0) {
            config_complain(walk, item, key, "wanted a list of texts");
            return false;
        }
        items[at++] = item->text;
    }
    *ret = (ConfigTexts){ items, at };
    return true;
}

static bool read_listens(struct config_walk *walk, const Node *node, Str key, ConfigListens *ret)
{
    ConfigTexts texts;
    char shown[64];
    if (!read_texts(walk, node, key, &texts)) return false;
    if (texts.count == 0) {
        config_complain(walk, node, key, "no address to listen on");
        return false;
    }
    ConfigListen *items = arena_new(walk->arena, ConfigListen, texts.count);
    const Node *item = node->kind == NODE_LIST ? node->first : node;
    for (size_t at = 0; at < texts.count; at++, item = item->next) {
        if (config_parse_listen(texts.items[at], &items[at])) continue;
        config_complain(walk, item, key, "%s is no address like 127.0.0.1:8080, [::1]:8080 or :8080",
                        quote(item, shown, sizeof shown));
        return false;
    }
    *ret = (ConfigListens){ items, texts.count };
    return true;
}

bool config_read_value(struct config_walk *walk, const ConfigRule *rule, const Node *node, Str key, void *field)
{
    bool is_list = rule->type == TEXTS || rule->type == LISTEN;
    if (rule->type == NODE) {
        if (node->kind != NODE_MAP) {
            config_complain(walk, node, key, "wanted a map of settings");
            return false;
        }
        *(const Node **)field = node;
        return true;
    }
    if (node->kind == NODE_MAP || (node->kind == NODE_LIST && !is_list)) {
        config_complain(walk, node, key, "wanted %s, not a %s", is_list ? "a list" : "one value",
                        node->kind == NODE_MAP ? "map" : "list");
        return false;
    }
    switch (rule->type) {
    case TEXT:
    case SECRET:   *(Str *)field = node->text; return true;
    case TEXTS:    return read_texts(walk, node, key, field);
    case INT:
    case DURATION:
    case SIZE:     return read_number(walk, rule, node, key, field);
    case BOOL:     return read_bool(walk, node, key, field);
    case WORD:     return read_word(walk, rule, node, key, field);
    case LISTEN:   return read_listens(walk, node, key, field);
    case NODE: case ENTRIES: break;
    }
    check(!"a simple type");
    return false;
}

void config_set_defaults(struct config_walk *walk, const ConfigRule *rules, size_t count, void *base)
{
    for (size_t at = 0; at < count; at++) {
        const ConfigRule *rule = &rules[at];
        if (!rule->fallback || !rule->fallback[0] || !strcmp(rule->fallback, "[]")) continue; /* it is zero already */
        Node *node = arena_new(walk->arena, Node, 1);
        *node = (Node){ .kind = NODE_TEXT, .text = str_from(rule->fallback) };
        check(config_read_value(walk, rule, node, str_from(rule->path), (char *)base + rule->offset));
    }
}

static bool texts_equal(const ConfigTexts *a, const ConfigTexts *b)
{
    if (a->count != b->count) return false;
    for (size_t at = 0; at < a->count; at++)
        if (!str_equal(a->items[at], b->items[at])) return false;
    return true;
}

static bool listens_equal(const ConfigListens *a, const ConfigListens *b)
{
    if (a->count != b->count) return false;
    for (size_t at = 0; at < a->count; at++)
        if (!str_equal(a->items[at].text, b->items[at].text)) return false;
    return true;
}

bool config_value_equal(const ConfigRule *rule, const void *a, const void *b)
{
    switch (rule->type) {
    case TEXT:
    case SECRET:   return str_equal(*(const Str *)a, *(const Str *)b);
    case TEXTS:    return texts_equal(a, b);
    case INT:
    case DURATION:
    case SIZE:     return *(const int64_t *)a == *(const int64_t *)b;
    case BOOL:     return *(const bool *)a == *(const bool *)b;
    case WORD:     return *(const int *)a == *(const int *)b;
    case LISTEN:   return listens_equal(a, b);
    case NODE: case ENTRIES: break;
    }
    return true;
}
