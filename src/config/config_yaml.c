/* YAML -> Node tree, by libyaml's events. It reads the subset that settings need: one document of maps, lists and
 * scalars. Anchors, aliases and tags are refused: what is not read cannot surprise anybody (a "billion
 * laughs" is made of aliases). Loops over events with a stack of its own, so depth costs no C stack.
 *
 * Every scalar that is a value is expanded: ${NAME}, ${NAME:-otherwise}; $${ is a literal ${.
 */
#include "config_private.h"

#include <stdio.h>
#include <yaml.h>

enum { MAP_KEYS = 2000, EXPANDED_BYTES = 4 * 1024 * 1024 };

struct level {
    Node *node;
    const Node **tail;                     /* where the next child is hung */
    bool has_key;                          /* in a map: the key was read, its value is next */
    Str key;
    uint32_t key_line, key_column;
};

struct reader {
    struct config_walk *walk;
    Str text;
    struct level levels[CONFIG_DEPTH_MOST];
    size_t depth, node_count, expanded_bytes;
    Node *root;
    bool is_broken;                        /* there was a complaint that ends the reading */
};

static bool is_name_char(char c, bool is_first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (!is_first && c >= '0' && c <= '9');
}

static size_t find_bytes(Str s, const char *what, size_t from)
{
    Str needle = str_from(what);
    for (size_t at = from; at + needle.len <= s.len; at++)
        if (memcmp(s.bytes + at, needle.bytes, needle.len) == 0) return at;
    return SIZE_MAX;
}

/* The value of one "NAME" or "NAME:-otherwise". */
static bool expand_variable(struct reader *reader, Str inside, const Node *node, Str *ret)
{
    struct config_walk *walk = reader->walk;
    char name[128];
    size_t len = 0;
    while (len < inside.len && is_name_char(inside.bytes[len], len == 0)) len++;
    Str rest = str_slice(inside, len, inside.len);
    bool has_otherwise = str_starts(rest, STR(":-"));
    if (len == 0 || len >= sizeof name || (rest.len && !has_otherwise)) {
        config_complain(walk, node, node->key,
                        "\"${%.*s}\": wanted ${NAME} or ${NAME:-otherwise}; $${ is a literal ${",
                        (int)(inside.len < 60 ? inside.len : 60), inside.bytes);
        return false;
    }
    memcpy(name, inside.bytes, len);
    name[len] = 0;
    const char *value = walk->get_variable(name);
    if (has_otherwise && (!value || !value[0])) return *ret = str_slice(rest, 2, rest.len), true;
    if (value) return *ret = str_from(value), true;
    config_complain(walk, node, node->key, "the environment has no %s; set it, or write ${%s:-otherwise}", name, name);
    return false;
}

/* Expands into the arena. If a variable cannot be expanded there is a complaint, and it becomes the empty text. */
static Str expand(struct reader *reader, Str raw, Node *node)
{
    size_t at = find_bytes(raw, "${", 0), from = 0;
    if (at == SIZE_MAX || !reader->walk->get_variable) return arena_copy(reader->walk->arena, raw);
    struct buf out;
    buf_init(&out, EXPANDED_BYTES - reader->expanded_bytes);
    bool is_good = true;
    for (; at != SIZE_MAX && is_good; at = find_bytes(raw, "${", from)) {
        if (at > from && raw.bytes[at - 1] == '$') {
            buf_str_put(&out, str_slice(raw, from, at - 1));
            buf_str_put(&out, STR("${"));
            from = at + 2;
            continue;
        }
        buf_str_put(&out, str_slice(raw, from, at));
        size_t end = find_bytes(raw, "}", at);
        Str value = STR("");
        if (end == SIZE_MAX) {
            config_complain(reader->walk, node, node->key, "\"${\" without its \"}\"; $${ is a literal ${");
            is_good = false;
        } else {
            is_good = expand_variable(reader, str_slice(raw, at + 2, end), node, &value);
            buf_str_put(&out, value);
            node->is_secret = true;
            from = end + 1;
        }
    }
    buf_str_put(&out, str_slice(raw, from, raw.len));
    if (is_good && !buf_ok(&out)) {
        config_complain(reader->walk, node, node->key, "too much text from the environment");
        is_good = false, reader->is_broken = true;
    }
    Str text = is_good ? arena_copy(reader->walk->arena, buf_str(&out)) : STR("");
    reader->expanded_bytes += text.len;
    buf_done(&out);
    return text;
}

static bool is_null_word(Str s)
{
    return s.len == 0 || str_equal(s, STR("~")) || str_equal(s, STR("null")) || str_equal(s, STR("Null"))
           || str_equal(s, STR("NULL"));
}

/* Keys whose values are never shown, whatever the destination. */
static bool is_secret_key(Str key)
{
    static const char *const words[] = { "secret", "token", "password", "apikey", "private", "credential" };
    for (size_t at = 0; at < countof(words); at++)
        for (size_t from = 0; from + strlen(words[at]) <= key.len; from++)
            if (str_equal_no_case(str_slice(key, from, from + strlen(words[at])), str_from(words[at]))) return true;
    return str_equal(key, STR("key")) || (str_ends(key, STR("_key")) && !str_equal(key, STR("write_key")));
}

static Node *add_node(struct reader *reader, NodeKind kind, const yaml_mark_t *mark)
{
    if (++reader->node_count > CONFIG_NODES) {
        config_complain_at(reader->walk, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, STR(""),
                           "more than %d values", CONFIG_NODES);
        reader->is_broken = true;
        return NULL;
    }
    Node *node = arena_new(reader->walk->arena, Node, 1);
    node->kind = kind;
    node->line = (uint32_t)mark->line + 1, node->column = (uint32_t)mark->column + 1;
    if (reader->depth == 0) return reader->root = node;
    struct level *level = &reader->levels[reader->depth - 1];
    node->key = level->key, node->key_line = level->key_line, node->key_column = level->key_column;
    level->has_key = false;
    level->key = (Str){ 0 };
    *level->tail = node;
    level->tail = &node->next;
    level->node->count++;
    return node;
}

static void read_key(struct reader *reader, const yaml_event_t *event)
{
    struct level *level = &reader->levels[reader->depth - 1];
    Str key = str_of(event->data.scalar.value, event->data.scalar.length);
    uint32_t line = (uint32_t)event->start_mark.line + 1, column = (uint32_t)event->start_mark.column + 1;
    level->key = arena_copy(reader->walk->arena, key);
    level->has_key = true, level->key_line = line, level->key_column = column;
    node_each(other, level->node) {
        if (!str_equal(other->key, key)) continue;
        config_complain_at(reader->walk, line, column, level->key, "given twice; it is already on line %u",
                           other->key_line);
        break;
    }
    if (level->node->count < MAP_KEYS) return;
    config_complain_at(reader->walk, line, column, STR(""), "more than %d keys in one map", MAP_KEYS);
    reader->is_broken = true;
}

static void read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct level *level = reader->depth ? &reader->levels[reader->depth - 1] : NULL;
    if (level && level->node->kind == NODE_MAP && !level->has_key) {
        read_key(reader, event);
        return;
    }
    Node *node = add_node(reader, NODE_TEXT, &event->start_mark);
    if (!node) return;
    Str raw = str_of(event->data.scalar.value, event->data.scalar.length);
    node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->is_secret = is_secret_key(node->key);
    if (!node->is_quoted && is_null_word(raw)) {
        node->kind = NODE_NULL;
        return;
    }
    node->text = expand(reader, raw, node);
    if (memchr(node->text.bytes, 0, node->text.len)) {
        config_complain(reader->walk, node, node->key, "has a zero byte in it");
        node->text = STR("");
    }
}

static void open_level(struct reader *reader, NodeKind kind, const yaml_event_t *event)
{
    struct level *level = reader->depth ? &reader->levels[reader->depth - 1] : NULL;
    const yaml_mark_t *mark = &event->start_mark;
    if (level && level->node->kind == NODE_MAP && !level->has_key) {
        config_complain_at(reader->walk, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, STR(""),
                           "a key must be a word; a ${NAME} inside [ ] or { } wants quotes: \"${NAME}\"");
        reader->is_broken = true;
        return;
    }
    if (reader->depth == (reader->walk->is_deep ? CONFIG_DEPTH_MOST : CONFIG_DEPTH)) {
        config_complain_at(reader->walk, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, STR(""),
                           "nested more than %zu deep", reader->depth);
        reader->is_broken = true;
        return;
    }
    Node *node = add_node(reader, kind, mark);
    if (node) reader->levels[reader->depth++] = (struct level){ .node = node, .tail = &node->first };
}

static void refuse(struct reader *reader, const yaml_event_t *event, const char *what)
{
    config_complain_at(reader->walk, (uint32_t)event->start_mark.line + 1, (uint32_t)event->start_mark.column + 1,
                       STR(""), "%s", what);
    reader->is_broken = true;
}

static void take_event(struct reader *reader, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
    if (event->type == YAML_MAPPING_START_EVENT)
        anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
    if (anchor || event->type == YAML_ALIAS_EVENT) {
        refuse(reader, event, "anchors and aliases (& and *) are not read here; write it out, or put it in quotes");
        return;
    }
    if (tag) {
        refuse(reader, event, "tags (!) are not read here; put the text in quotes");
        return;
    }
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->root) refuse(reader, event, "a second document; a configuration is one");
        return;
    case YAML_SCALAR_EVENT:         read_scalar(reader, event); return;
    case YAML_SEQUENCE_START_EVENT: open_level(reader, NODE_LIST, event); return;
    case YAML_MAPPING_START_EVENT:  open_level(reader, NODE_MAP, event); return;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:    reader->depth--; return;
    case YAML_ALIAS_EVENT:
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:   return;
    }
}

/* Tells what libyaml says, with a hint if a usual mistake explains it. */
static void complain_syntax(struct reader *reader, const yaml_parser_t *parser)
{
    uint32_t line = (uint32_t)parser->problem_mark.line + 1, column = (uint32_t)parser->problem_mark.column + 1;
    if (parser->error == YAML_READER_ERROR) {              /* the bytes are not text: only an offset is known */
        line = column = 1;
        for (size_t at = 0; at < parser->problem_offset && at < reader->text.len; at++) {
            if (reader->text.bytes[at] == '\n') line++, column = 1;
            else column++;
        }
    }
    Str rest = reader->text, row = STR("");
    for (uint32_t at = 0; at < line && rest.len; at++) row = str_cut(rest, '\n', &rest);
    const char *hint = "";
    if (memchr(row.bytes ? row.bytes : "", '\t', row.len)) hint = " (YAML indents by spaces, not tabs)";
    if (find_bytes(row, "${", 0) != SIZE_MAX) hint = " (a ${NAME} inside [ ] or { } wants quotes: \"${NAME}\")";
    config_complain_at(reader->walk, line, column, STR(""), "not YAML: %s%s%s%s",
                       parser->problem ? parser->problem : "out of memory", parser->context ? ", " : "",
                       parser->context ? parser->context : "", hint);
}

const Node *config_read_yaml(struct config_walk *walk, Str text)
{
    struct reader *reader = arena_new(walk->arena, struct reader, 1);
    *reader = (struct reader){ .walk = walk, .text = text };
    yaml_parser_t parser;
    check(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len ? text.bytes : ""), text.len);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    bool has_more = true;
    while (has_more && !reader->is_broken) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            complain_syntax(reader, &parser);
            reader->is_broken = true;
            break;
        }
        has_more = event.type != YAML_STREAM_END_EVENT;
        take_event(reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return reader->is_broken || !reader->root || reader->root->kind == NODE_NULL ? NULL : reader->root;
}
