/* event_cursor: going over a value that was parsed already, token by token, without building anything. For who checks
 * every message as it comes (plan/), while the parser's tokens are still there.
 *
 * A token is the offset of a value, a name, or one of { } [ ] : , in the text; the next one stands behind it. A member
 * is: the name's token, the colon's, the value's first, and then "," or "}". The grammar was checked by who parsed:
 * this is for tokens of a text that event_parse_body or event_parse_message took, and until the parser's next call. */
#ifndef ONYM_EVENT_EVENT_CURSOR_H
#define ONYM_EVENT_EVENT_CURSOR_H

/* Where the value of a field of a message stands; text is what the tokens are offsets of. */
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

/* Of a string, what is between its quotes, escapes and all. */
static inline Str event_token_inside(const char *text, const uint32_t *token)
{
    return (Str){ text + token[0] + 1, token[1] - token[0] - 2 };
}

/* Of a number, true, false, null or string as it stands. */
static inline Str event_token_scalar(const char *text, const uint32_t *token)
{
    return (Str){ text + token[0], token[1] - token[0] };
}

/* Of a string, unescaped: where it stands, or in the arena where it has escapes. */
Str event_token_text(const char *text, const uint32_t *token, Arena *arena);
/* The token behind the value. */
const uint32_t *event_token_skip(const char *text, const uint32_t *token);

#endif
