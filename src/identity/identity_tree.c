/* What an owner owns. A node with one owner hangs in that owner's list by its own `next`, which costs nothing;
 * a node of several owners hangs so in its home's list and by a cell in each other owner's. */
#include "identity_state.h"

static uint32_t *child_head(struct identity *identity, uint32_t hub, bool make)
{
    if (identity->nodes[hub].kind == IDENTITY_USER) return &identity->nodes[hub].next;
    uint32_t *head = map32_find(&identity->child_heads, hub);
    if (head || !make) return head;
    map32_put(&identity->child_heads, hub, NONE);
    return map32_find(&identity->child_heads, hub);
}

static uint32_t first_child(const struct identity *identity, uint32_t hub)
{
    if (identity->nodes[hub].kind == IDENTITY_USER) return identity->nodes[hub].next;
    const uint32_t *head = map32_find(&identity->child_heads, hub);
    return head ? *head : NONE;
}

void identity_add_child(struct identity *identity, uint32_t hub, uint32_t node)
{
    uint32_t *head = child_head(identity, hub, true);
    identity->nodes[node].next = *head;
    *head = node;
}

void identity_remove_child(struct identity *identity, uint32_t hub, uint32_t node)
{
    uint32_t *at = child_head(identity, hub, true);
    while (*at != node) {
        check(*at != NONE);
        at = &identity->nodes[*at].next;
    }
    *at = identity->nodes[node].next;
    identity->nodes[node].next = NONE;
}

static struct cell *cell_at(const struct identity *identity, uint32_t index)
{
    return &((struct cell *)identity->cells.items)[index];
}

void identity_add_cell(struct identity *identity, uint32_t hub, uint32_t shared)
{
    if (identity->cells.count == 0) vector_push(&identity->cells, sizeof(struct cell));      /* cell 0 is none */
    uint32_t index = identity->cell_free;
    if (index) {
        identity->cell_free = cell_at(identity, index)->next;
    } else {
        index = (uint32_t)identity->cells.count;
        vector_push(&identity->cells, sizeof(struct cell));
    }
    const uint32_t *head = map32_find(&identity->cell_heads, hub);
    *cell_at(identity, index) = (struct cell){ shared, head ? *head : 0 };
    map32_put(&identity->cell_heads, hub, index);
}

void identity_remove_cell(struct identity *identity, uint32_t hub, uint32_t shared)
{
    uint32_t *at = map32_find(&identity->cell_heads, hub);
    while (check(at && *at), cell_at(identity, *at)->shared != shared) at = &cell_at(identity, *at)->next;
    uint32_t index = *at;
    *at = cell_at(identity, index)->next;
    cell_at(identity, index)->next = identity->cell_free;
    identity->cell_free = index;
}

void identity_visit_owned(const struct identity *identity, uint32_t hub, IdentityVisitNode *visit, void *context)
{
    for (uint32_t node = first_child(identity, hub); node != NONE; node = identity->nodes[node].next)
        visit(context, node);
    const uint32_t *head = map32_find(&identity->cell_heads, hub);
    for (uint32_t index = head ? *head : 0; index; index = cell_at(identity, index)->next)
        visit(context, identity_shared(identity, cell_at(identity, index)->shared)->node);
}

/* A user's slot is set by who joins users; everybody else's follows from the owner. */
void identity_show_node(struct identity *identity, uint32_t node)
{
    const struct node *n = &identity->nodes[node];
    if (n->kind != IDENTITY_USER) {
        uint32_t slot = n->flags & NODE_SHARED ? IDENTITY_SHARED | n->link
                        : n->link == NONE      ? node
                                               : identity_slot(identity, n->link);
        if (slot == identity_slot(identity, node)) return;
        identity_set_slot(identity, node, slot);
        if (n->kind == IDENTITY_ANONYMOUS) return;           /* it owns nothing */
    }
    for (uint32_t child = first_child(identity, node); child != NONE; child = identity->nodes[child].next)
        if (!(identity->nodes[child].flags & NODE_SHARED)) identity_show_node(identity, child);
}
