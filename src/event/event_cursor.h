/* event_cursor: goes over a value that was parsed already, token by token, without building anything. It is for code
 * that checks every message as it arrives (plan/), while the parser's tokens are still there.
 *
 * A token is the offset in the text of a value, a name, or one of { } [ ] : , and the next token is after it in the
 * array. A member is: the name's token, the colon's, the value's first, and then "," or "}". The parser has checked the
 * grammar: use this only for a text that event_parse_body or event_parse_message took, until the parser's next call. */
#ifndef ONYM_EVENT_EVENT_CURSOR_H
#define ONYM_EVENT_EVENT_CURSOR_H

/* Where the value of a message's field is; tokens are offsets in text. */
typedef struct EventCursor {
    const char *text;
    const uint32_t *token;
} EventCursor;
EventCursor event_cursor(const struct event_parser *parser, const Field *field);

static inline FieldKind event_token_kind(const char *text, const uint32_t *token)
{
    switch (text[*token]) {
    case '"': return FIELD_STRING;
    case '{': return FIELD_OBJECT;
    case '[': return FIELD_ARRAY;
    case 'n': return FIELD_NULL;
    case 't':
    case 'f': return FIELD_BOOL;
    default:  return FIELD_NUMBER;
    }
}

/* A string: what is between its quotes, escapes and all. */
static inline Str event_token_inside(const char *text, const uint32_t *token)
{
    return (Str){ text + token[0] + 1, token[1] - token[0] - 2 };
}

/* A number, true, false, null or string, as it is in the text. */
static inline Str event_token_scalar(const char *text, const uint32_t *token)
{
    return (Str){ text + token[0], token[1] - token[0] };
}

/* A string, unescaped: borrowed from the text, or in the arena if it has escapes. */
Str event_token_text(const char *text, const uint32_t *token, Arena *arena);
/* The token after the value. */
const uint32_t *event_token_skip(const char *text, const uint32_t *token);

#endif
