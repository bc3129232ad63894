/* scan_json: a small strict JSON reader for questions (RFC 8259, nothing more), into a tree in an arena.
 * Collected messages never come here: theirs is event/'s parser. */
#ifndef ONYM_SCAN_JSON_H
#define ONYM_SCAN_JSON_H

#include "base/base.h"

enum { JSON_DEPTH_MAX = 16, JSON_BYTES_MAX = 256 * 1024, JSON_MEMBERS_MAX = 64 };

typedef enum JsonKind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonKind;

typedef struct Json Json;
struct Json {
    JsonKind kind;
    bool truth;
    double number;
    Str text;                       /* strings, unescaped; numbers and lists as they are written, borrowed */
    Str key;                        /* a member's name */
    const Json *first, *next;       /* items or members; the next one beside this */
    uint32_t count;
};

/* ERR_INPUT with the byte at which it goes wrong; also for a name twice in one object. */
Status MUST json_parse(Str text, Arena *arena, const Json **ret, Err *err);
/* The next item of a list; rest begins with the list, and is what follows the item. False behind the last one, where
 * rest is empty, and where it is no list. The arena is the item's. */
bool json_next(Str *rest, Arena scratch, Json *ret);
/* One value that is no list and no object. */
bool json_scalar(Str text, Arena *arena, Json *ret);
const Json *json_find(const Json *object, Str key);      /* NULL where it is none, or has no such member */

#endif
