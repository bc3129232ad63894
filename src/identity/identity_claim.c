/* Whose an identifier is: first claim and shared device (rules 2, 3 and 7).
 *
 * Almost every identifier has one owner, and then the times of its links do not matter: before the first link
 * it is the owner's by first claim, behind it by the link. So one owner is one number, and more evidence for it
 * costs one row. Only where a second owner shows up is all of the node's evidence laid out in order of time (its
 * moments), and whose an event is becomes a search in them.
 *
 * Moments of one instant and several owners stand in the order of their messageIds, then of the owners' values.
 * Where all of an instant's moments have the same owner their order does not matter, so their messageIds are not
 * even read: a second's worth of imported events ties often, but seldom with a stranger.
 */
#include "identity_state.h"

#include <stdlib.h>

/* ---- messageIds of moments ---- */

Str identity_read_id(const struct identity *identity, const struct moment *moment, char *text)
{
    size_t len = 0;
    Err err;
    if (moment->id) return identity_unpack(identity->values + (size_t)moment->id * VALUE_UNIT, text);
    if (identity_message_id_at(identity, moment->position, text, &len, &err)) len = 0;
    return (Str){ text, len };
}

Status identity_fetch_id(struct identity *identity, struct moment *moment, Err *err)
{
    char text[LIMIT_MESSAGE_ID_BYTES];
    size_t len;
    if (moment->id) return OK;
    Status s = identity_message_id_at(identity, moment->position, text, &len, err);
    if (s) return s;
    moment->id = identity_keep_value(identity, (Str){ text, len });
    return OK;
}

static int compare_ids(const struct identity *identity, const struct moment *a, const struct moment *b)
{
    char text_a[LIMIT_ID_BYTES], text_b[LIMIT_ID_BYTES];
    int order = str_compare(identity_read_id(identity, a, text_a), identity_read_id(identity, b, text_b));
    return order ? order : identity_compare_values(identity, a->hub, b->hub);
}

static int compare_for_sort(const void *a, const void *b, void *identity) { return compare_ids(identity, a, b); }

static int compare_times(const void *a, const void *b)
{
    Millis time_a = ((const struct moment *)a)->time_ms, time_b = ((const struct moment *)b)->time_ms;
    return time_a < time_b ? -1 : time_a > time_b;
}

/* The first moment at or behind (is_behind: behind) the instant. */
static uint32_t find_instant(const struct shared *shared, Millis time_ms, bool is_behind)
{
    uint32_t low = 0, high = shared->moment_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        Millis there = shared->moments[middle].time_ms;
        if (there < time_ms || (is_behind && there == time_ms)) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool has_one_owner(const struct moment *moments, uint32_t from, uint32_t to)
{
    for (uint32_t i = from + 1; i < to; i++)
        if (moments[i].hub != moments[from].hub) return false;
    return true;
}

static Status sort_instant(struct identity *identity, struct moment *moments, uint32_t from, uint32_t to, Err *err)
{
    for (uint32_t i = from; i < to; i++) {
        Status s = identity_fetch_id(identity, &moments[i], err);
        if (s) return s;
    }
    qsort_r(moments + from, to - from, sizeof *moments, compare_for_sort, identity);
    return OK;
}

/* ---- One shared identifier ---- */

static bool shared_has_hub(const struct shared *shared, uint32_t hub, uint32_t *ret_place)
{
    uint32_t low = 0, high = shared->hub_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (shared->hubs[middle] < hub) low = middle + 1;
        else high = middle;
    }
    *ret_place = low;
    return low < shared->hub_count && shared->hubs[low] == hub;
}

/* Adds the owner to the set; true where it is new. */
static bool shared_add_hub(struct shared *shared, uint32_t hub)
{
    uint32_t place;
    if (shared_has_hub(shared, hub, &place)) return false;
    if (shared->hub_count == shared->hub_capacity) {
        shared->hub_capacity = shared->hub_capacity ? shared->hub_capacity * 2 : 4;
        shared->hubs = realloc(shared->hubs, shared->hub_capacity * sizeof *shared->hubs);
        check(shared->hubs);
    }
    memmove(shared->hubs + place + 1, shared->hubs + place, (shared->hub_count - place) * sizeof *shared->hubs);
    shared->hubs[place] = hub;
    shared->hub_count++;
    return true;
}

static void reserve_moments(struct shared *shared, uint32_t count)
{
    if (count <= shared->moment_capacity) return;
    shared->moment_capacity = count < 8 ? 8 : count + count / 2;
    shared->moments = realloc(shared->moments, shared->moment_capacity * sizeof *shared->moments);
    check(shared->moments);
}

static Status insert_moment(struct identity *identity, struct shared *shared, struct moment moment, Err *err)
{
    uint32_t from = find_instant(shared, moment.time_ms, false), to = find_instant(shared, moment.time_ms, true);
    uint32_t place = to;
    bool is_alike = from == to || has_one_owner(shared->moments, from, to);
    if (from != to && !(is_alike && shared->moments[from].hub == moment.hub)) {
        Status s = is_alike ? sort_instant(identity, shared->moments, from, to, err) : OK;
        if (!s) s = identity_fetch_id(identity, &moment, err);
        if (s) return s;
        while (place > from && compare_ids(identity, &shared->moments[place - 1], &moment) > 0) place--;
    }
    reserve_moments(shared, shared->moment_count + 1);
    memmove(shared->moments + place + 1, shared->moments + place,
            (shared->moment_count - place) * sizeof *shared->moments);
    shared->moments[place] = moment;
    shared->moment_count++;
    return OK;
}

/* The last moment before the event in (time, messageId); the first one where none is before. */
static uint32_t moment_before(const struct identity *identity, const struct shared *shared, Millis time_ms,
                              Str message_id)
{
    uint32_t from = find_instant(shared, time_ms, false), to = find_instant(shared, time_ms, true), before = from;
    char text[LIMIT_ID_BYTES];
    for (uint32_t i = from; i < to; i++)
        if (str_compare(identity_read_id(identity, &shared->moments[i], text), message_id) < 0) before = i + 1;
    return before ? before - 1 : 0;
}

/* ---- Owning ---- */

bool identity_row_counts(const struct identity *identity, uint32_t node, const struct row *row)
{
    if (row->flags & (ROW_REMOVED | ROW_ERASED) || identity->nodes[row->hub].flags & NODE_ERASED) return false;
    if (row->flags & ROW_ALIAS && identity->nodes[node].flags & NODE_PROMOTED) return false;
    return identity_is_within_limit(identity, node, row->hub);
}

static uint32_t new_shared(struct identity *identity, uint32_t node)
{
    uint32_t index;
    if (identity->shared_free.count) {
        index = ((uint32_t *)identity->shared_free.items)[--identity->shared_free.count];
    } else {
        index = (uint32_t)identity->shared.count;
        vector_push(&identity->shared, sizeof(struct shared));
    }
    identity_shared(identity, index)->node = node;
    identity_shared(identity, index)->home = NONE;
    identity->nodes[node].flags |= NODE_SHARED;
    identity->nodes[node].link = index;
    return index;
}

static void free_shared(struct identity *identity, uint32_t index)
{
    struct shared *shared = identity_shared(identity, index);
    identity->nodes[shared->node].flags &= (uint8_t)~NODE_SHARED;
    identity->nodes[shared->node].link = NONE;
    for (uint32_t i = 0; i < shared->hub_count; i++)
        if (shared->hubs[i] != shared->home) identity_remove_cell(identity, shared->hubs[i], index);
    free(shared->hubs);
    free(shared->moments);
    /* It may stand in the lists of dirty and of unsaved ones. */
    *shared = (struct shared){ .is_dirty = shared->is_dirty, .is_unsaved = shared->is_unsaved };
    identity_drop_shared(identity, index);
    *(uint32_t *)vector_push(&identity->shared_free, sizeof(uint32_t)) = index;
}

/* All evidence that counts, of the strongest kind there is, in order of time; in identity->scratch. */
static Status gather(struct identity *identity, uint32_t node, Err *err)
{
    unsigned strongest = IDENTITY_KINDS;
    struct vector *found = &identity->scratch;
    found->count = 0;
    struct vector rows = { 0 };
    Status s = identity_list_rows(identity, node, &rows, err);
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *r = &((struct found *)rows.items)[i].row;
        if (!identity_row_counts(identity, node, r)) continue;
        unsigned strength = identity_strength(identity, r->hub);
        if (strength > strongest) continue;
        if (strength < strongest) found->count = 0;
        strongest = strength;
        struct moment *moment = vector_push(found, sizeof *moment);
        *moment = (struct moment){ .time_ms = r->time_ms, .hub = r->hub, .position = r->position };
    }
    vector_done(&rows);
    if (s) return s;
    struct moment *moments = found->items;
    if (found->count == 0 || has_one_owner(moments, 0, (uint32_t)found->count)) return OK;
    qsort(moments, found->count, sizeof *moments, compare_times);
    for (uint32_t from = 0, to; from < found->count; from = to) {
        for (to = from + 1; to < found->count && moments[to].time_ms == moments[from].time_ms;) to++;
        if (has_one_owner(moments, from, to)) continue;
        s = sort_instant(identity, moments, from, to, err);
        if (s) return s;
    }
    return OK;
}

static int compare_hubs(const void *a, const void *b)
{
    uint32_t x = ((const struct moment *)a)->hub, y = ((const struct moment *)b)->hub;
    return x < y ? -1 : x > y;
}

/* Are the owners that were gathered too many to be believed (rule 8)? */
static bool is_constant(const struct identity *identity, const struct vector *found)
{
    size_t owners = 0;
    if (found->count <= identity->max_owners) return false;
    struct moment *sorted = malloc(found->count * sizeof *sorted);
    check(sorted);
    memcpy(sorted, found->items, found->count * sizeof *sorted);
    qsort(sorted, found->count, sizeof *sorted, compare_hubs);
    for (size_t i = 0; i < found->count; i++) owners += i == 0 || sorted[i].hub != sorted[i - 1].hub;
    free(sorted);
    return owners > identity->max_owners;
}

static bool is_gathered(const struct vector *found, uint32_t hub)
{
    const struct moment *moments = found->items;
    for (size_t i = 0; i < found->count; i++)
        if (moments[i].hub == hub) return true;
    return false;
}

Status identity_recompute(struct identity *identity, uint32_t node, Err *err)
{
    struct node *n = &identity->nodes[node];
    Status s = gather(identity, node, err);
    if (s) return s;
    struct vector *found = &identity->scratch;
    const struct moment *moments = found->items;
    uint32_t home = n->flags & NODE_SHARED ? identity_shared(identity, n->link)->home : n->link;
    unsigned worn = is_constant(identity, found) ? identity_strength(identity, moments[0].hub) + 1 : 0;
    if (worn) found->count = 0;
    if (n->flags & NODE_WORN) n->next = NONE;
    n->flags &= (uint8_t)~NODE_WORN;
    uint32_t count = (uint32_t)found->count;

    if (n->flags & NODE_SHARED) free_shared(identity, n->link);
    if (home != NONE && !is_gathered(found, home)) {
        identity_remove_child(identity, home, node);
        home = NONE;
    }
    if (home == NONE && count) {
        home = moments[0].hub;
        identity_add_child(identity, home, node);
    }
    n->link = home;
    if (worn) {
        n->flags |= NODE_WORN;
        n->next = worn - 1;
    }
    if (count && !has_one_owner(moments, 0, count)) {
        uint32_t index = new_shared(identity, node);
        struct shared *shared = identity_shared(identity, index);
        shared->home = home;
        reserve_moments(shared, count);
        memcpy(shared->moments, moments, count * sizeof *moments);
        shared->moment_count = count;
        for (uint32_t i = 0; i < count; i++)
            if (shared_add_hub(shared, moments[i].hub) && moments[i].hub != home)
                identity_add_cell(identity, moments[i].hub, index);
        identity_mark_shared(identity, index);
    }
    identity_show_node(identity, node);
    return OK;
}

void identity_restore_shared(struct identity *identity, uint32_t index, const void *moments, size_t count)
{
    struct shared *shared = identity_shared(identity, index);
    reserve_moments(shared, (uint32_t)count);
    memcpy(shared->moments, moments, count * sizeof *shared->moments);
    shared->moment_count = (uint32_t)count;
    for (uint32_t i = 0; i < shared->moment_count; i++)
        if (shared_add_hub(shared, shared->moments[i].hub) && shared->moments[i].hub != shared->home)
            identity_add_cell(identity, shared->moments[i].hub, index);
    shared->is_unsaved = true;                                /* so that it is not noted as such … */
    identity_mark_shared(identity, index);
    shared->is_unsaved = false;                               /* … since it was loaded just now */
}

Status identity_claim(struct identity *identity, uint32_t node, uint32_t row, Str message_id, Err *err)
{
    struct node *n = &identity->nodes[node];
    uint32_t hub = identity->rows[row].hub;
    bool is_shared = n->flags & NODE_SHARED;

    if (n->flags & NODE_WORN)
        return identity_strength(identity, hub) >= n->next ? OK : identity_recompute(identity, node, err);
    if (!is_shared && n->link == hub) return OK;
    if (!is_shared && n->link == NONE) {
        n->link = hub;
        identity_add_child(identity, hub, node);
        identity_show_node(identity, node);
        return OK;
    }
    uint32_t owner = is_shared ? identity_shared(identity, n->link)->hubs[0] : n->link;
    unsigned strength = identity_strength(identity, hub), held = identity_strength(identity, owner);
    if (strength > held) return OK;
    if (!is_shared || strength < held) return identity_recompute(identity, node, err);

    struct shared *shared = identity_shared(identity, n->link);
    struct moment moment = { .time_ms = identity->rows[row].time_ms, .hub = hub };
    moment.position = identity->rows[row].position;
    /* A messageId is needed where owners change or instants tie: keep it while it is at hand, if that may be here. */
    const struct moment *last = &shared->moments[shared->moment_count - 1];
    if (last->hub != hub || last->time_ms >= moment.time_ms) moment.id = identity_keep_value(identity, message_id);
    Status s = insert_moment(identity, shared, moment, err);
    if (s) return s;
    if (shared_add_hub(shared, hub)) identity_add_cell(identity, hub, n->link);
    if (shared->hub_count > identity->max_owners) return identity_recompute(identity, node, err);
    identity_mark_shared(identity, n->link);
    return OK;
}

/* ---- Asking ---- */

uint32_t identity_hub_at(const struct identity *identity, uint32_t node, Millis time_ms, Str message_id)
{
    const struct node *n = &identity->nodes[node];
    if (n->kind == IDENTITY_USER) return NONE;
    if (!(n->flags & NODE_SHARED)) return n->link;
    const struct shared *shared = identity_shared(identity, n->link);
    return shared->moments[moment_before(identity, shared, time_ms, message_id)].hub;
}

uint32_t identity_hub_now(const struct identity *identity, uint32_t node)
{
    const struct node *n = &identity->nodes[node];
    if (n->kind == IDENTITY_USER) return NONE;
    if (!(n->flags & NODE_SHARED)) return n->link;
    const struct shared *shared = identity_shared(identity, n->link);
    return shared->moments[shared->moment_count - 1].hub;
}

IdentityPerson identity_find_owner(const struct identity *identity, IdentityNode subject, Millis time_ms,
                                   Str message_id)
{
    check(subject < identity->node_count);
    for (uint32_t hub; (hub = identity_hub_at(identity, subject, time_ms, message_id)) != NONE;) subject = hub;
    return identity_slot(identity, subject);
}

IdentityPerson identity_person_now(const struct identity *identity, IdentityNode node)
{
    check(node < identity->node_count);
    for (uint32_t hub; (hub = identity_hub_now(identity, node)) != NONE;) node = hub;
    return identity_slot(identity, node);
}

void identity_claim_done(struct identity *identity)
{
    for (size_t i = 0; i < identity->shared.count; i++) {
        free(identity_shared(identity, (uint32_t)i)->hubs);
        free(identity_shared(identity, (uint32_t)i)->moments);
    }
    vector_done(&identity->shared);
    vector_done(&identity->shared_free);
    vector_done(&identity->scratch);
}
