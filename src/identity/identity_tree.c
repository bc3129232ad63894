/* What an owner owns. A node with one owner hangs in that owner's list by its own `next`, which costs nothing;
 * a node of several owners hangs so in its home's list and by an entry in each other owner's. */
#include "identity_state.h"

static uint32_t *child_head(struct identity *identity, uint32_t owner, bool make)
{
    if (identity->nodes[owner].kind == IDENTITY_USER) return &identity->nodes[owner].next;
    uint32_t *head = map32_find(&identity->child_heads, owner);
    if (head || !make) return head;
    map32_put(&identity->child_heads, owner, NONE);
    return map32_find(&identity->child_heads, owner);
}

static uint32_t first_child(const struct identity *identity, uint32_t owner)
{
    if (identity->nodes[owner].kind == IDENTITY_USER) return identity->nodes[owner].next;
    const uint32_t *head = map32_find(&identity->child_heads, owner);
    return head ? *head : NONE;
}

void identity_add_child(struct identity *identity, uint32_t owner, uint32_t node)
{
    uint32_t *head = child_head(identity, owner, true);
    identity->nodes[node].next = *head;
    *head = node;
}

void identity_remove_child(struct identity *identity, uint32_t owner, uint32_t node)
{
    uint32_t *at = child_head(identity, owner, true);
    while (*at != node) {
        check(*at != NONE);
        at = &identity->nodes[*at].next;
    }
    *at = identity->nodes[node].next;
    identity->nodes[node].next = NONE;
}

static struct entry *entry_at(const struct identity *identity, uint32_t index)
{
    return &((struct entry *)identity->entries.items)[index];
}

void identity_add_entry(struct identity *identity, uint32_t owner, uint32_t shared)
{
    if (identity->entries.count == 0) vector_push(&identity->entries, sizeof(struct entry));      /* entry 0 is none */
    uint32_t index = identity->entry_free;
    if (index) {
        identity->entry_free = entry_at(identity, index)->next;
    } else {
        index = (uint32_t)identity->entries.count;
        vector_push(&identity->entries, sizeof(struct entry));
    }
    const uint32_t *head = map32_find(&identity->entry_heads, owner);
    *entry_at(identity, index) = (struct entry){ shared, head ? *head : 0 };
    map32_put(&identity->entry_heads, owner, index);
}

void identity_remove_entry(struct identity *identity, uint32_t owner, uint32_t shared)
{
    uint32_t *at = map32_find(&identity->entry_heads, owner);
    while (check(at && *at), entry_at(identity, *at)->shared != shared) at = &entry_at(identity, *at)->next;
    uint32_t index = *at;
    *at = entry_at(identity, index)->next;
    entry_at(identity, index)->next = identity->entry_free;
    identity->entry_free = index;
}

void identity_visit_owned(const struct identity *identity, uint32_t owner, IdentityVisitNode *visit, void *context)
{
    for (uint32_t node = first_child(identity, owner); node != NONE; node = identity->nodes[node].next)
        visit(context, node);
    const uint32_t *head = map32_find(&identity->entry_heads, owner);
    for (uint32_t index = head ? *head : 0; index; index = entry_at(identity, index)->next)
        visit(context, identity_shared(identity, entry_at(identity, index)->shared)->node);
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
