/* event_json: the only file that knows simdjson. It finds where JSON's tokens begin (its "stage 1": 64 bytes at
 * a time, UTF-8 checked on the way) and drops white space; the grammar is event_walk's.
 *
 * Tokens are the offsets of { } [ ] : , outside of strings, of each string's opening quote and of each
 * other scalar's first byte, in order. Between two tokens there is only the rest of the first, and white space.
 */
#ifndef ONYM_EVENT_EVENT_JSON_H
#define ONYM_EVENT_EVENT_JSON_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum JsonVerdict {
    JSON_FINE,
    JSON_BAD_UTF8,              /* somewhere a byte is not UTF-8 */
    JSON_BROKEN,                /* a string without end, a control character in a string, nothing at all */
    JSON_NO_MEMORY,
} JsonVerdict;

struct event_json;
struct event_json *event_json_open(void);                /* NULL: no memory */
void event_json_close(struct event_json *json);          /* accepts NULL */

/* Finds the tokens. They belong to json, valid until its next call; after the last one comes text.len.
 * Reads no byte after the text's end. */
JsonVerdict event_json_index(struct event_json *json, Str text, const uint32_t **ret_tokens, size_t *ret_count);

/* Writes text without the white space between tokens; to has room for text.len + EVENT_PADDING_BYTES.
 * The length, or SIZE_MAX where a string has no end. */
size_t event_json_minify(Str text, char *to);

#ifdef __cplusplus
}
#endif
#endif
