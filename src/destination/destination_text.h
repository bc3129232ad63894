/* destination_text: what every destination writes: JSON members, form fields, keys, signatures, instants. */
#ifndef ONYM_DESTINATION_TEXT_H
#define ONYM_DESTINATION_TEXT_H

#include "event/event.h"

/* Members by names that need not be literals; base/json_out.h has the rest. */
void member_raw(struct buf *buf, Str key, Str raw);               /* raw: a JSON text */
void member_text(struct buf *buf, Str key, Str text);             /* left out if the text is empty */
void member_int(struct buf *buf, Str key, int64_t value);
void member_node(struct buf *buf, Str key, const TreeNode *node); /* left out if it is missing or null */

/* "&key=value", escaped. */
void url_field(struct buf *buf, Str key, Str value);

/* Fields of a frozen call, each after its length ("5:hello"), so that no text of a client can end a field early.
 * field_take gives the first field and moves rest after it; it is empty, and rest is empty, if there is none. */
void field_put(struct buf *buf, Str field);
Str field_take(Str *rest);

/* 36 hex digits that no other message has. They are made of its source and messageId, since a messageId is unique
 * within its source only (a visitor of one source must not use up the keys of another). In the arena. */
Str key_of_message(Arena *arena, const Event *event);
/* 36 hex digits of the SHA-256 of the parts, each after its length: the same parts, the same key. */
Str key_of_parts(Arena *arena, const Str *parts, size_t count);

typedef enum HmacKind { HMAC_SHA1, HMAC_SHA256 } HmacKind;
/* Hex of the HMAC, in the arena. */
Str hmac_hex(Arena *arena, HmacKind kind, Str secret, const Str *parts, size_t count);
Str base64_of(Arena *arena, Str bytes);
Str basic_authorization(Arena *arena, Str user, Str password);

bool is_uuid(Str text, int version);                            /* version 0: any */
/* Reads a value as an instant, in every form that collection reads (base/instant.h). */
bool instant_of_node(const TreeNode *node, Millis *ret_ms);
/* Is the text a date and nothing else, whatever its name is: "2014-01-01", "2014-01-01T10:00:00Z"? */
bool is_date_text(Str text, Millis *ret_ms);
/* Replaces "{{name}}", "{{properties.plan}}" from the message; false if one of them was empty. */
bool fill_template(struct buf *buf, Str text, const TreeNode *json);
bool number_of_node(const TreeNode *node, double *ret);         /* numbers, and texts that are one */

/* "Order Completed", and how older and other libraries spell it: "Completed Order", "order_completed". */
bool is_order_completed(Str event);

typedef struct Browser { Str name, version; } Browser;
Browser browser_of(Str user_agent);                             /* borrows; empty if we do not know it */

#endif
