/* event_tree: a JSON text as a tree whose nodes borrow their own text.
 *
 * For readers that want many fields of one message, of a vendor's answer or of a question: a destination copies
 * most values into its request byte for byte, so every node keeps the JSON that it was read from (raw), and nothing
 * is converted unless somebody asks for it ("1.10" stays "1.10"; a 20-digit id loses no digit).
 *
 * The hot path of collection does not use it: simdjson serves that (event_json.cc). It needs no padding
 * after the text. Safe on any bytes: depth is bounded by LIMIT_JSON_DEPTH, memory by the arena.
 */
#ifndef ONYM_EVENT_EVENT_TREE_H
#define ONYM_EVENT_EVENT_TREE_H

#include "base/base.h"

typedef struct TreeNode {
    uint8_t kind;                           /* a FieldKind */
    bool truth;                             /* of a bool */
    uint32_t count;                         /* children */
    Str key;                                /* unescaped; empty for elements of an array and the root */
    Str raw;                                /* the JSON text of the value */
    Str text;                               /* strings: unescaped; numbers: as written; else empty */
    const struct TreeNode *first, *next;    /* children in order; the next sibling */
} TreeNode;

/* Nodes live in the arena and borrow from json. ERR_INPUT: it is not one JSON value; err says at which byte, and why.
 * ERR_TOO_LARGE: nested too deep, or the arena is full. An object may have a name twice. */
Status MUST event_tree_read(Str json, Arena *arena, const TreeNode **ret, Err *err);

/* The next item of a list, without a tree of the whole: *rest is the list at first, and then what follows the item.
 * False after the last item (then rest->bytes becomes NULL), and if it is not a list (then *rest stays). If the item's
 * text has escapes it lies in the scratch, which the next call may use again. */
bool event_tree_next(Str *rest, Arena scratch, TreeNode *ret);
/* One value that is neither object nor array, and nothing after it. Unescaped text lies in the arena. */
bool event_tree_scalar(Str json, Arena *arena, TreeNode *ret);
/* A number as a double, -0 as 0; false: NULL, another kind, or more than a double holds (1e999). */
bool event_tree_number(const TreeNode *node, double *ret);

/* The member of that name, the first if there are two; NULL: it is absent, or object is NULL or not an object. */
const TreeNode *event_tree_get(const TreeNode *object, Str key);
/* By a dotted path: "context.app.name". NULL if any part is missing. */
const TreeNode *event_tree_find(const TreeNode *object, const char *path);
/* By a dotted path whose names may have dots themselves: {"a.b":{"c":1}} and {"a":{"b.c":1}} both have "a.b.c". */
const TreeNode *event_tree_reach(const TreeNode *object, Str path);
/* The text of a string or number at the path; empty if there is none. */
Str event_tree_text(const TreeNode *object, const char *path);
/* A member that is a whole number of milliseconds since 1970, as our own files keep instants; 0 if it is none. */
Millis event_tree_millis(const TreeNode *object, const char *name);
/* Is it neither missing nor null? */
bool event_tree_is_given(const TreeNode *node);
bool event_tree_is_kind(const TreeNode *node, int kind);        /* false for NULL */

#endif
