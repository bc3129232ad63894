/* json_out: writes JSON into a buf; commas and escapes are its business, not the caller's.
 *
 *   json_object(out, NULL);                         {
 *   json_string(out, "id", id);                     "id":"…",
 *   json_array(out, "steps");                       "steps":[
 *   for (...) json_uint(out, NULL, steps[at]);      3,2,1
 *   json_array_end(out);                            ]
 *   json_object_end(out);                           }
 *
 * Each call takes the member's name, and NULL where there is none: in an array, at the top, and after json_name.
 * Nothing is remembered between calls: whether a comma is due is seen from the byte before. One is due after
 * what can end a value: a closing bracket, a quote, a letter or a digit. So a function that writes one value needs no
 * more than the buf; a buf that is cut back to an earlier length, or given on in parts, stays right (whoever empties it
 * between two items writes that comma himself); and JSON can stand after other text, such as "callback(" or a line's
 * end (text that itself ends in a letter, a digit or a bracket is not told from a value: begin with buf_char(out, '{')
 * there). There is no space between tokens. Errors are the buf's: append freely, ask buf_ok at the end.
 *
 * What is given as a name or a string is escaped (buf_json_string); json_raw alone takes what is JSON already.
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
void json_name(struct buf *out, Str name);                  /* a member's name that is no literal; its value follows */

void json_string(struct buf *out, const char *name, Str value);
void json_string_or_null(struct buf *out, const char *name, Str value);             /* null where it is empty */
void json_word(struct buf *out, const char *name, const char *value);               /* null where it is NULL */
/* A string made as by printf; what comes of it is escaped. */
void json_printf(struct buf *out, const char *name, const char *format, ...) FORMAT(3, 4);
void json_instant(struct buf *out, const char *name, Millis at_ms);                 /* "2026-11-23T12:28:40.123Z" */
void json_int(struct buf *out, const char *name, int64_t value);
void json_uint(struct buf *out, const char *name, uint64_t value);
void json_double(struct buf *out, const char *name, double value);                  /* null where it is not finite */
void json_bool(struct buf *out, const char *name, bool value);
void json_null(struct buf *out, const char *name);
void json_raw(struct buf *out, const char *name, Str json);                         /* one value, as it stands */

#ifdef __cplusplus
}
#endif
#endif
