/* event_path: values inside canonical JSON, by name. The whole text's grammar is checked first (a record
 * could be damaged in a way that its checksum does not show), so that a value can then be skipped by
 * counting braces.
 */
#include "event_parser.h"

/* Finds the tokens and checks the grammar of all of it. */
static Status begin(struct event_parser *parser, Str json, Arena *arena, const uint32_t **ret_token, Err *err)
{
    uint32_t keys;
    Status s = parser_begin(parser, json, arena, err);
    if (s) return s;
    const uint32_t *next = walk_object(&parser->walk, parser->walk.tokens, 1, &keys);
    if (!next || next != parser->walk.end || parser->walk.gap)
        return err_set(err, ERR_DAMAGED, "json: not a strict object");
    *ret_token = parser->walk.tokens;
    return OK;
}

/* The value of a name in the object at the token (the last if it is there twice), or NULL. */
static const uint32_t *find_member(struct event_parser *parser, const uint32_t *token, Str name)
{
    const char *text = parser->walk.text;
    const uint32_t *found = NULL;
    for (token++; text[*token] != '}'; token += text[*token] == ',') {
        Arena scratch = *parser->arena;
        if (str_equal(parser_read_string(parser, token, &scratch), name)) found = token + 2;
        token = walk_skip(text, token + 2);
    }
    return found;
}

static uint32_t count_members(const char *text, const uint32_t *token)
{
    uint32_t count = 0;
    char open = text[*token++];
    if (text[*token] == '}' || text[*token] == ']') return 0;
    for (;;) {
        token = walk_skip(text, open == '{' ? token + 2 : token);
        count++;
        if (text[*token] != ',') return count;
        token++;
    }
}

static void read_value(struct event_parser *parser, const uint32_t *token, Field *ret)
{
    parser_read_value(parser, token, walk_skip(parser->walk.text, token), true, ret);
    if (ret->kind == FIELD_OBJECT || ret->kind == FIELD_ARRAY)
        ret->key_count = count_members(parser->walk.text, token) & 0xFFFFFF;
}

/* A name may have dots of its own ("properties.utm.source" for {"utm.source":…}): at each level the
 * longest name that is there wins. */
static const uint32_t *find_path(struct event_parser *parser, const uint32_t *token, Str path)
{
    if (parser->walk.text[*token] != '{') return NULL;
    const uint32_t *found = find_member(parser, token, path);
    for (size_t dot = path.len; !found && dot-- > 0;) {
        if (path.bytes[dot] != '.') continue;
        const uint32_t *inner = find_member(parser, token, str_slice(path, 0, dot));
        if (inner) found = find_path(parser, inner, str_slice(path, dot + 1, path.len));
    }
    return found;
}

Status event_find_field(struct event_parser *parser, Str json, Str path, Arena *arena, Field *ret, Err *err)
{
    const uint32_t *token = NULL;
    Status s = begin(parser, json, arena, &token, err);
    if (s) return s;
    const uint32_t *found = path.len <= 1024 ? find_path(parser, token, path) : NULL;
    *ret = (Field){ 0 };
    if (found) read_value(parser, found, ret);
    return OK;
}

Status event_visit_object(struct event_parser *parser, Str object_json, Arena *arena, EventVisit *visit,
                          void *context, Err *err)
{
    const uint32_t *token = NULL;
    Status s = begin(parser, object_json, arena, &token, err);
    if (s) return s;
    const char *text = parser->walk.text;
    for (token++; text[*token] != '}'; token += text[*token] == ',') {
        Field value = { 0 };
        Str name = parser_read_string(parser, token, arena);
        read_value(parser, token + 2, &value);
        token = walk_skip(text, token + 2);
        visit(context, name, &value);
    }
    return OK;
}
