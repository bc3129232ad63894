/* Forgets an identifier: its value, its evidence, and what others had only through it. */
#include "identity_state.h"

struct nodes { struct vector found; };

static void collect(void *context, uint32_t node)
{
    *(uint32_t *)vector_push(&((struct nodes *)context)->found, sizeof(uint32_t)) = node;
}

/* Rows that lead to an erased owner do not count any more, so it is enough to recompute. */
static Status release_owned(struct identity *identity, uint32_t owner, Err *err)
{
    struct nodes owned = { 0 };
    Status s = OK;
    identity_visit_owned(identity, owner, collect, &owned);
    identity->nodes[owner].flags |= NODE_ERASED;
    for (size_t i = 0; !s && i < owned.found.count; i++)
        s = identity_recompute(identity, ((uint32_t *)owned.found.items)[i], err);
    if (s) identity->nodes[owner].flags &= (uint8_t)~NODE_ERASED;      /* a second try finds the rows that are left */
    vector_done(&owned.found);
    return s;
}

/* Drops rows of a node: either the rows of aliases or all others. */
static Status drop_rows(struct identity *identity, uint32_t node, bool of_aliases, Err *err)
{
    struct nodes owners = { 0 };
    struct vector rows = { 0 };
    Status s = identity_list_rows(identity, node, &rows, err);
    for (size_t i = 0; !s && i < rows.count; i++) {
        struct found *found = &((struct found *)rows.items)[i];
        if (!(found->row.flags & ROW_ALIAS) == of_aliases) continue;
        if (!(found->row.flags & ROW_ERASED))                /* set: by a try that failed halfway */
            identity_flag_row(identity, node, found, found->row.flags | ROW_ERASED);
        collect(&owners, found->row.owner);
    }
    vector_done(&rows);
    for (size_t i = 0; !s && i < owners.found.count; i++)
        s = identity_review_candidate(identity, node, ((uint32_t *)owners.found.items)[i], err);
    vector_done(&owners.found);
    return s ? s : identity_recompute(identity, node, err);
}

static void stop_aliasing(struct identity *identity, uint32_t node)
{
    if (!(identity->nodes[node].flags & NODE_ALIASED)) return;
    identity->nodes[node].flags &= (uint8_t)~(NODE_ALIASED | NODE_PROMOTED);
    identity->aliased_count--;
}

/* A user's aliases: those to it end with it; those from it hang at the anonymous node of its value. */
static Status erase_aliases(struct identity *identity, uint32_t user, Err *err)
{
    char text[LIMIT_ID_BYTES];
    for (uint32_t end; (end = identity_first_alias(identity, user));) {
        struct alias_end h = ((struct alias_end *)identity->alias_ends.items)[end];
        identity_remove_alias(identity, h.is_from ? user : h.other, &h.row);
    }
    uint32_t previous = identity_lookup(identity, IDENTITY_ANONYMOUS, identity_read_value(identity, user, text));
    if (previous == NONE || !(identity->nodes[previous].flags & NODE_ALIASED)) return OK;
    Status s = drop_rows(identity, previous, true, err);
    if (s) return s;
    stop_aliasing(identity, previous);
    if (!(identity->nodes[previous].flags & NODE_SEEN)) identity_forget(identity, previous);
    return OK;
}

static void unsee(struct identity *identity, uint32_t node)
{
    struct node *n = &identity->nodes[node];
    if (n->flags & NODE_SEEN) identity->seen_count[n->kind]--;
    n->flags &= (uint8_t)~NODE_SEEN;
}

/* Forgets the value, and what others had only through it. */
static Status forget_known(struct identity *identity, uint32_t node, Err *err)
{
    Status s = identity->nodes[node].kind == IDENTITY_ANONYMOUS ? OK : release_owned(identity, node, err);
    if (s) return s;                                         /* the caller tries again, so nothing is counted yet */
    unsee(identity, node);
    identity_forget(identity, node);
    identity->heads[node] = 0;
    identity->erased_count++;
    return OK;
}

Status identity_erase(struct identity *identity, IdentityNode node, Err *err)
{
    struct node *n = &identity->nodes[node];
    check(node < identity->node_count);
    if (n->flags & NODE_ERASED) return OK;
    Status s = n->kind == IDENTITY_USER ? erase_aliases(identity, node, err) : drop_rows(identity, node, false, err);
    if (s) return s;
    if (n->flags & NODE_PROMOTED) {                          /* the value is still somebody's user id */
        unsee(identity, node);
        return OK;
    }
    if (n->kind != IDENTITY_USER) {
        s = drop_rows(identity, node, true, err);
        if (s) return s;
        stop_aliasing(identity, node);
    }
    return forget_known(identity, node, err);
}

/* ---- Of an identifier, some times only ---- */

Status identity_erase_alone(struct identity *identity, IdentityNode node, Err *err)
{
    struct node *n = &identity->nodes[node];
    check(node < identity->node_count && n->kind == IDENTITY_ANONYMOUS);
    if (n->flags & NODE_PROMOTED) return OK;                 /* its aliases mean the user of that value */
    Status s = drop_rows(identity, node, true, err);
    if (!s) stop_aliasing(identity, node);
    return s;
}

Status identity_has_user_beside(const struct identity *identity, IdentityNode node, bool *ret, Err *err)
{
    struct vector rows = { 0 };
    Status s = identity_list_rows(identity, node, &rows, err);
    *ret = false;
    for (size_t i = 0; !s && i < rows.count && !*ret; i++) {
        const struct row *row = &((struct found *)rows.items)[i].row;
        const struct node *owner = &identity->nodes[row->owner];
        *ret = !(row->flags & (ROW_ALIAS | ROW_ERASED)) && owner->kind == IDENTITY_USER &&
               !(owner->flags & NODE_ERASED);
    }
    vector_done(&rows);
    return s;
}

static void note_owned(void *context, uint32_t node)
{
    (void)node;
    *(bool *)context = true;
}

/* Is a message known to have it, whoever may be owned? rows_lead: only all rows together can tell. */
static Status is_evident(const struct identity *identity, uint32_t external, bool *ret, bool *ret_rows_lead, Err *err)
{
    const struct node *n = &identity->nodes[external];
    struct vector rows = { 0 };
    check(external < identity->node_count && n->kind >= IDENTITY_EXTERNAL);
    *ret = n->flags & (NODE_ALONE | NODE_ERASED);            /* or there is nothing to forget */
    *ret_rows_lead = false;
    if (*ret) return OK;
    Status s = identity_list_rows(identity, external, &rows, err);
    for (size_t i = 0; !s && i < rows.count && !*ret; i++) {
        const struct row *row = &((struct found *)rows.items)[i].row;
        *ret = !(row->flags & ROW_ERASED) && !(identity->nodes[row->owner].flags & NODE_ERASED);
    }
    vector_done(&rows);
    if (!s && !*ret) identity_visit_owned(identity, external, note_owned, ret);
    *ret_rows_lead = !s && !*ret && n->flags & NODE_LED_TO;
    return s;
}

Status identity_drop_evident(const struct identity *identity, IdentityNode *externals, size_t *count, Err *err)
{
    struct nodes led_to = { 0 };
    size_t kept = 0;
    Status s = OK;
    for (size_t i = 0; !s && i < *count; i++) {
        bool is_known, rows_lead;
        s = is_evident(identity, externals[i], &is_known, &rows_lead, err);
        if (s || is_known) continue;
        if (rows_lead) collect(&led_to, externals[i]);
        externals[kept++] = externals[i];
    }
    if (!s && led_to.found.count) s = identity_drop_led_to(identity, led_to.found.items, led_to.found.count, externals,
                                                           &kept, err);
    vector_done(&led_to.found);
    *count = kept;
    return s;
}

/* Aliases that name the user's value are claims of an anonymous id again. */
static Status stop_promoting(struct identity *identity, uint32_t user, Err *err)
{
    char text[LIMIT_ID_BYTES];
    uint32_t previous = identity_lookup(identity, IDENTITY_ANONYMOUS, identity_read_value(identity, user, text));
    for (uint32_t end; (end = identity_first_alias(identity, user));) {
        struct alias_end h = ((struct alias_end *)identity->alias_ends.items)[end];
        identity_remove_alias(identity, h.is_from ? user : h.other, &h.row);
    }
    if (previous == NONE || !(identity->nodes[previous].flags & NODE_ALIASED)) return OK;
    identity->nodes[previous].flags &= (uint8_t)~NODE_PROMOTED;
    return identity_recompute(identity, previous, err);
}

Status identity_unsee(struct identity *identity, IdentityNode node, Err *err)
{
    struct node *n = &identity->nodes[node];
    check(node < identity->node_count);
    if (n->flags & NODE_ERASED) return OK;
    if (n->kind >= IDENTITY_EXTERNAL) return identity_erase(identity, node, err);
    if (n->kind == IDENTITY_USER) {
        Status s = stop_promoting(identity, node, err);
        return s ? s : forget_known(identity, node, err);
    }
    if (!(n->flags & NODE_SEEN)) return OK;
    if (!(n->flags & NODE_ALIASED)) return identity_erase(identity, node, err);
    unsee(identity, node);
    return OK;
}

/* ---- Aliases by what they name ---- */

Status identity_visit_aliases(const struct identity *identity, Str value,
                              void (*visit)(void *context, IdentityNode user, uint64_t position), void *context,
                              Err *err)
{
    struct vector rows = { 0 };
    uint32_t node = identity_lookup(identity, IDENTITY_ANONYMOUS, value);
    if (node == NONE || !(identity->nodes[node].flags & NODE_ALIASED)) return OK;
    Status s = identity_list_rows(identity, node, &rows, err);
    for (size_t i = 0; !s && i < rows.count; i++) {
        const struct row *row = &((struct found *)rows.items)[i].row;
        bool is_erased = row->flags & ROW_ERASED || identity->nodes[row->owner].flags & NODE_ERASED;
        if (row->flags & ROW_ALIAS && !is_erased) visit(context, row->owner, row->position);
    }
    vector_done(&rows);
    return s;
}

/* ---- External ids beside an anonymous one ---- */

Status identity_visit_externals(const struct identity *identity, IdentityNode anonymous,
                                void (*visit)(void *context, const IdentityPair *pair, Millis time_ms), void *context,
                                Err *err)
{
    struct vector rows = { 0 };
    if (!identity->external_count) return OK;
    Status s = identity_list_rows(identity, anonymous, &rows, err);
    for (size_t i = 0; !s && i < rows.count; i++) {
        const struct row *row = &((struct found *)rows.items)[i].row;
        if (identity->nodes[row->owner].kind < IDENTITY_EXTERNAL) continue;
        visit(context, &(IdentityPair){ anonymous, row->owner, row->position }, row->time_ms);
    }
    vector_done(&rows);
    return s;
}
