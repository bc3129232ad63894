/* json_out: writes JSON into a buf, with commas and escapes, so that callers need not.
 *
 *   json_object(out, NULL);                         {
 *   json_string(out, "id", id);                     "id":"…",
 *   json_array(out, "steps");                       "steps":[
 *   for (...) json_uint(out, NULL, steps[at]);      3,2,1
 *   json_array_end(out);                            ]
 *   json_object_end(out);                           }
 *
 * Each call takes the member's name, or NULL if there is none: in an array, at the top, and after json_name.
 * Nothing is remembered between calls: the byte before shows whether a comma is needed. It is needed after
 * the end of a value: a closing bracket, a quote, a letter or a digit. So a function that writes one value needs only
 * the buf; a buf that is cut back to an earlier length, or sent in parts, stays right (whoever empties it
 * between two items writes that comma himself); and JSON can come after other text, such as "callback(" or a line's
 * end. (But text that ends in a letter, a digit or a bracket looks like a value: begin with buf_char(out, '{')
 * then.) There is no space between tokens. Errors are the buf's: append freely, ask buf_ok at the end.
 *
 * Names and strings are escaped (buf_json_string); only json_raw takes what is JSON already.
 */
#ifndef ONYM_BASE_JSON_OUT_H
#define ONYM_BASE_JSON_OUT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

void json_object(struct buf *out, const char *name);
void json_object_end(struct buf *out);
void json_array(struct buf *out, const char *name);
void json_array_end(struct buf *out);
void json_name(struct buf *out, Str name);  /* a member's name that is not a literal; write its value next */

void json_string(struct buf *out, const char *name, Str value);
void json_string_or_null(struct buf *out, const char *name, Str value);             /* null if it is empty */
void json_word(struct buf *out, const char *name, const char *value);               /* null if it is NULL */
/* A string, formatted as by printf, and escaped. */
void json_printf(struct buf *out, const char *name, const char *format, ...) FORMAT(3, 4);
void json_instant(struct buf *out, const char *name, Millis at_ms);                 /* "2026-11-23T12:28:40.123Z" */
void json_int(struct buf *out, const char *name, int64_t value);
void json_uint(struct buf *out, const char *name, uint64_t value);
void json_double(struct buf *out, const char *name, double value);                  /* null if it is not finite */
void json_bool(struct buf *out, const char *name, bool value);
void json_null(struct buf *out, const char *name);
void json_raw(struct buf *out, const char *name, Str json);                         /* one value, as it is */

#ifdef __cplusplus
}
#endif
#endif
