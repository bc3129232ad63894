/* node: settings as a tree of maps, lists and texts, each with its place in the file. A layer below main/ gets such
 * a tree of the part of the configuration that only it understands (a destination's
 * settings): it can look things up and complain with a place, and needs to know nothing about YAML.
 * Nodes are values in an arena and never change once made.
 */
#ifndef ONYM_BASE_NODE_H
#define ONYM_BASE_NODE_H

#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum NodeKind { NODE_NULL, NODE_TEXT, NODE_LIST, NODE_MAP } NodeKind;

typedef struct Node Node;
struct Node {
    NodeKind kind;
    bool is_quoted;                 /* a text in quotes: "true" is then a text, not a bool, and "" is not null */
    bool is_secret;                 /* came from the environment or has a secret's key: never printed */
    Str key;                        /* its key, if the parent is a map */
    Str text;                       /* NODE_TEXT: unescaped, ${...} expanded */
    uint32_t line, column;          /* of the value, from 1; 0: not from a file */
    uint32_t key_line, key_column;  /* of the key */
    size_t count;                   /* children */
    const Node *first, *next;       /* first child; next sibling */
};

/* The value of a key; NULL: there is none, it is null, or node is not a map (or NULL). */
const Node *node_find(const Node *node, Str key);
/* The text of a key; if it is absent or not a text, use the fallback. */
Str node_text(const Node *node, Str key, Str fallback);

#define node_each(child, parent) \
    for (const Node *child = (parent) ? (parent)->first : NULL; child; child = child->next)

#ifdef __cplusplus
}
#endif
#endif
