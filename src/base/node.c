/* node: look-ups in a tree of settings. Maps are small, so a look-up is a walk. */
#include "base.h"

const Node *node_find(const Node *node, Str key)
{
    if (!node || node->kind != NODE_MAP) return NULL;
    node_each(child, node)
        if (str_equal(child->key, key)) return child->kind == NODE_NULL ? NULL : child;
    return NULL;
}

Str node_text(const Node *node, Str key, Str fallback)
{
    const Node *child = node_find(node, key);
    return child && child->kind == NODE_TEXT ? child->text : fallback;
}
