/* destination_text: what every destination writes: JSON members, form fields, keys, signatures, instants. */
#ifndef ONYM_DELIVER_DESTINATION_TEXT_H
#define ONYM_DELIVER_DESTINATION_TEXT_H

#include "event/event.h"

/* A comma where one is due (not after an opening bracket), then the key and its colon. */
void json_key(struct buf *buf, Str key);
void json_comma(struct buf *buf);
void json_raw(struct buf *buf, Str key, Str raw);               /* raw: a JSON text */
void json_text(struct buf *buf, Str key, Str text);             /* left out where the text is empty */
void json_int(struct buf *buf, Str key, int64_t value);
void json_node(struct buf *buf, Str key, const TreeNode *node); /* left out where it is missing or null */

/* "%41" for everything but letters, digits and "-._~". */
void url_escape(struct buf *buf, Str text);
/* "&key=value", escaped. */
void url_field(struct buf *buf, Str key, Str value);

/* The last 36 characters where they are a UUID, the whole where it is a fit key of at most 36 characters of
 * [A-Za-z0-9-], else 36 hex digits of its SHA-256. Arena-owned. */
Str key_of_message(Arena *arena, Str message_id);
/* 36 hex digits of the SHA-256 of the parts, each behind its length: the same parts, the same key. */
Str key_of_parts(Arena *arena, const Str *parts, size_t count);

typedef enum HmacKind { HMAC_SHA1, HMAC_SHA256 } HmacKind;
/* Hex of the HMAC, in the arena. */
Str hmac_hex(Arena *arena, HmacKind kind, Str secret, const Str *parts, size_t count);
Str base64_of(Arena *arena, Str bytes);
Str basic_authorization(Arena *arena, Str user, Str password);

bool is_uuid(Str text, int version);                            /* version 0: any */
/* A value that means an instant: ISO text, or a number of seconds or milliseconds. */
bool instant_of_node(const TreeNode *node, Millis *ret_ms);
/* A text that is a date and nothing else: "2014-01-01", "2014-01-01T10:00:00Z". */
bool is_date_text(Str text, Millis *ret_ms);
/* "{{name}}", "{{properties.plan}}" replaced from the message; false where one of them was empty. */
bool fill_template(struct buf *buf, Str text, const TreeNode *json);
bool number_of_node(const TreeNode *node, double *ret);         /* numbers, and texts that are one */

typedef struct Browser { Str name, version; } Browser;
Browser browser_of(Str user_agent);                             /* borrows; empty where it is none we know */

#endif
