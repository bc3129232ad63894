/* plan_tree: makes a tree of settings from JSON, so that a schema or a plan in JSON is compiled like one in YAML. A
 * tree of settings shows a value's kind by quotes: a string of JSON is a text with quotes, a number or a bool is a text
 * without quotes. */
#include "plan.h"

struct place {
    Str json;
    size_t at;                      /* lines are counted up to here */
    uint32_t line, line_at;
};

/* The values come in the order of the text, so each byte is looked at only once. */
static void set_place(struct place *place, const char *to, Node *node)
{
    size_t end = (size_t)(to - place->json.bytes);
    for (; place->at < end; place->at++)
        if (place->json.bytes[place->at] == '\n') place->line++, place->line_at = (uint32_t)place->at + 1;
    node->line = node->key_line = place->line;
    node->column = node->key_column = (uint32_t)end - place->line_at + 1;
}

static const Node *convert(struct place *place, const TreeNode *value, Arena *arena)
{
    Node *node = arena_try(arena, sizeof *node, _Alignof(Node), 1);
    if (!node) return NULL;
    const Node **tail = &node->first;
    *node = (Node){ .key = value->key, .text = value->kind == FIELD_STRING ? value->text : value->raw };
    set_place(place, value->raw.bytes, node);
    switch (value->kind) {
    case FIELD_OBJECT: node->kind = NODE_MAP; break;
    case FIELD_ARRAY:  node->kind = NODE_LIST; break;
    case FIELD_NULL:   node->kind = NODE_NULL; break;
    default:           node->kind = NODE_TEXT; break;
    }
    node->is_quoted = value->kind == FIELD_STRING;
    if (node->kind != NODE_TEXT) node->text = (Str){ 0 };
    for (const TreeNode *child = value->first; child; child = child->next) {
        const Node *made = convert(place, child, arena);
        if (!made) return NULL;
        *tail = made, tail = &((Node *)(uintptr_t)made)->next;
        node->count++;
    }
    return node;
}

Status tracking_tree_of_json(Str json, Arena *arena, const Node **ret, Err *err)
{
    const TreeNode *root;
    struct place place = { .json = json, .line = 1 };
    if (json.len > TRACKING_FILE_BYTES) return err_set(err, ERR_TOO_LARGE, "over %d bytes", TRACKING_FILE_BYTES);
    Status s = event_tree_read(json, arena, &root, err);
    if (s) return s;
    *ret = convert(&place, root, arena);
    return *ret ? OK : err_set(err, ERR_TOO_LARGE, "too large to be read");
}
