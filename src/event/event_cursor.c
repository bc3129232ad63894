/* event_cursor: see its header. In strict text without white space a scalar ends where the next token begins. */
#include "event_parser.h"

EventCursor event_cursor(const struct event_parser *parser, const Field *field)
{
    return (EventCursor){ parser->walk.text, parser->walk.tokens + field->token };
}

Str event_token_text(const char *text, const uint32_t *token, Arena *arena)
{
    Str inside = event_token_inside(text, token);
    if (!inside.len || !memchr(inside.bytes, '\\', inside.len)) return inside;
    char *to = arena_bytes(arena, inside.len);
    return (Str){ to, walk_unescape(inside, to) };
}

const uint32_t *event_token_skip(const char *text, const uint32_t *token) { return walk_skip(text, token); }
