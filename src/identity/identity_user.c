/* User ids that aliases made one person. The joined ones are a ring through `link`; the number of the person is
 * the slot of any of them. Joining rewrites the smaller side (so a node is rewritten at most log n times).
 * Parting takes the ring apart, and then joins again those that the remaining aliases join. */
#include "identity_state.h"

static uint32_t next_of(const struct identity *identity, uint32_t user) { return identity->nodes[user].link; }

/* Is a's ring not longer than b's? Walks no further than the shorter one. */
static bool is_smaller(const struct identity *identity, uint32_t a, uint32_t b)
{
    uint32_t in_a = next_of(identity, a), in_b = next_of(identity, b);
    while (in_a != a && in_b != b) {
        in_a = next_of(identity, in_a);
        in_b = next_of(identity, in_b);
    }
    return in_a == a;
}

void identity_join(struct identity *identity, uint32_t a, uint32_t b)
{
    uint32_t person_a = identity_slot(identity, a), person_b = identity_slot(identity, b);
    if (person_a == person_b) return;
    uint32_t small = is_smaller(identity, a, b) ? a : b, person = small == a ? person_b : person_a;
    uint32_t user = small;
    do {
        identity_set_slot(identity, user, person);
        identity_show_node(identity, user);
        user = next_of(identity, user);
    } while (user != small);

    uint32_t after_a = next_of(identity, a);                 /* crossing two links makes two rings one */
    identity->nodes[a].link = next_of(identity, b);
    identity->nodes[b].link = after_a;
}

/* ---- The aliases as a graph ---- */

static struct alias_end *alias_end_at(const struct identity *identity, uint32_t index)
{
    return &((struct alias_end *)identity->alias_ends.items)[index];
}

uint32_t identity_first_alias(const struct identity *identity, uint32_t user)
{
    const uint32_t *head = map32_find(&identity->alias_heads, user);
    return head ? *head : 0;
}

static void add_alias_end(struct identity *identity, struct alias_end end)
{
    if (identity->alias_ends.count == 0) vector_push(&identity->alias_ends, sizeof(struct alias_end));   /* 0 is none */
    uint32_t index = identity->alias_free;
    if (index) {
        identity->alias_free = alias_end_at(identity, index)->next;
    } else {
        index = (uint32_t)identity->alias_ends.count;
        vector_push(&identity->alias_ends, sizeof(struct alias_end));
    }
    end.next = identity_first_alias(identity, end.user);
    *alias_end_at(identity, index) = end;
    map32_put(&identity->alias_heads, end.user, index);
}

static void remove_alias_end(struct identity *identity, uint32_t user, uint32_t other, bool is_from,
                             const struct row *row)
{
    uint32_t *at = map32_find(&identity->alias_heads, user);
    for (;; at = &alias_end_at(identity, *at)->next) {
        check(at && *at);
        const struct alias_end *end = alias_end_at(identity, *at);
        if (end->other == other && end->is_from == is_from && end->row.position == row->position) break;
    }
    uint32_t index = *at;
    *at = alias_end_at(identity, index)->next;
    *alias_end_at(identity, index) = (struct alias_end){ .user = NONE, .next = identity->alias_free };
    identity->alias_free = index;
}

void identity_add_alias(struct identity *identity, uint32_t from, const struct row *row)
{
    add_alias_end(identity, (struct alias_end){ .user = from, .other = row->owner, .is_from = true, .row = *row });
    add_alias_end(identity, (struct alias_end){ .user = row->owner, .other = from, .is_from = false, .row = *row });
    identity_join(identity, from, row->owner);
}

void identity_remove_alias(struct identity *identity, uint32_t from, const struct row *row)
{
    remove_alias_end(identity, from, row->owner, true, row);
    remove_alias_end(identity, row->owner, from, false, row);
    identity_rejoin(identity, from);
}

void identity_rejoin(struct identity *identity, uint32_t user)
{
    struct vector ring = { 0 };
    uint32_t at = user;
    do {
        *(uint32_t *)vector_push(&ring, sizeof(uint32_t)) = at;
        at = next_of(identity, at);
    } while (at != user);

    const uint32_t *users = ring.items;
    for (size_t i = 0; i < ring.count; i++) {
        identity->nodes[users[i]].link = users[i];
        identity_set_slot(identity, users[i], users[i]);
    }
    for (size_t i = 0; i < ring.count; i++)
        for (uint32_t end = identity_first_alias(identity, users[i]); end; end = alias_end_at(identity, end)->next)
            identity_join(identity, users[i], alias_end_at(identity, end)->other);
    for (size_t i = 0; i < ring.count; i++) identity_show_node(identity, users[i]);
    vector_done(&ring);
}
