/* Whom an identifier belongs to: first claim and shared device (rules 2, 3 and 7).
 *
 * Almost every identifier has one owner, and then the times of its links do not matter: before the first link
 * it belongs to the owner by first claim, after it by the link. So one owner is one number, and more evidence for it
 * costs one row. Only when a second owner shows up is all of the node's evidence put in order of time (its
 * moments); the owner of an event is then found by a search in them.
 *
 * If moments of one instant have several owners (the instant is *mixed*), they are in order of their messageIds, then
 * of the owners' values. If all of them have the same owner, only the first matters: it is
 * the one with the least messageId, once that has been read. So neither a new moment nor a question looks at all
 * moments of an instant: anybody can send a hundred thousand of them.
 */
#include "identity_state.h"

#include <stdlib.h>

/* How many moments of one instant and owner may have unread messageIds: events that were imported by whole seconds
 * often have the same time, and seldom that of another owner. */
enum { UNREAD_MOST = 64 };

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
    return order ? order : identity_compare_values(identity, a->owner, b->owner);
}

static int compare_for_sort(const void *a, const void *b, void *identity) { return compare_ids(identity, a, b); }

static int compare_times(const void *a, const void *b)
{
    Millis time_a = ((const struct moment *)a)->time_ms, time_b = ((const struct moment *)b)->time_ms;
    return time_a < time_b ? -1 : time_a > time_b;
}

/* Finds the first moment at or after the instant; if the flag is set, the first one after it. */
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
        if (moments[i].owner != moments[from].owner) return false;
    return true;
}

/* Puts the moment with the least messageId first, among those of one instant and owner. If it fails, the first one's
 * messageId stays unread, which says that the order is not known. */
Status identity_settle_instant(struct identity *identity, struct moment *moments, uint32_t from, uint32_t to, Err *err)
{
    char least_text[LIMIT_ID_BYTES], text[LIMIT_ID_BYTES];
    uint32_t least = from;
    Status s = OK;
    for (uint32_t i = from; i < to && !s; i++) {
        s = identity_fetch_id(identity, &moments[i], err);
        if (s || i == from) continue;
        Str before = identity_read_id(identity, &moments[least], least_text);
        if (str_compare(identity_read_id(identity, &moments[i], text), before) < 0) least = i;
    }
    if (s) {
        moments[from].id = 0;
        return s;
    }
    struct moment first = moments[from];
    moments[from] = moments[least];
    moments[least] = first;
    return OK;
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

/* Owners and the times of mixed instants are sorted sets; width: of an item, 4 bytes without a sign or 8 with one. */
static bool set_has(const void *items, size_t width, uint32_t count, int64_t wanted, uint32_t *ret_place)
{
    uint32_t low = 0, high = count;
    const uint32_t *narrow = items;
    const int64_t *wide = items;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t item = width == sizeof *narrow ? narrow[middle] : wide[middle];
        if (item == wanted) return *ret_place = middle, true;
        if (item < wanted) low = middle + 1;
        else high = middle;
    }
    *ret_place = low;
    return false;
}

/* Makes room for one more item at the place; gives the set, which may have moved. */
static void *set_make_room(void *items, size_t width, uint32_t *count, uint32_t *capacity, uint32_t place)
{
    if (*count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 4;
        items = realloc(items, *capacity * width);
        check(items);
    }
    char *at = (char *)items + place * width;
    memmove(at + width, at, (*count - place) * width);
    ++*count;
    return items;
}

static bool shared_has_owner(const struct shared *shared, uint32_t owner, uint32_t *ret_place)
{
    return set_has(shared->owners, sizeof *shared->owners, shared->owner_count, owner, ret_place);
}

/* Adds the owner to the set; true if it is new. */
static bool shared_add_owner(struct shared *shared, uint32_t owner)
{
    uint32_t place;
    if (shared_has_owner(shared, owner, &place)) return false;
    shared->owners = set_make_room(shared->owners, sizeof *shared->owners, &shared->owner_count,
                                   &shared->owner_capacity, place);
    shared->owners[place] = owner;
    return true;
}

static void reserve_moments(struct shared *shared, uint32_t count)
{
    if (count <= shared->moment_capacity) return;
    shared->moment_capacity = count < 8 ? 8 : count + count / 2;
    shared->moments = realloc(shared->moments, shared->moment_capacity * sizeof *shared->moments);
    check(shared->moments);
}

static bool is_mixed(const struct shared *shared, Millis time_ms, uint32_t *ret_place)
{
    return set_has(shared->mixed, sizeof *shared->mixed, shared->mixed_count, time_ms, ret_place);
}

static void note_mixed(struct shared *shared, Millis time_ms, uint32_t place)
{
    shared->mixed = set_make_room(shared->mixed, sizeof *shared->mixed, &shared->mixed_count, &shared->mixed_capacity,
                                  place);
    shared->mixed[place] = time_ms;
}

static uint32_t end_of_instant(const struct moment *moments, uint32_t count, uint32_t from)
{
    uint32_t to = from + 1;
    while (to < count && moments[to].time_ms == moments[from].time_ms) to++;
    return to;
}

/* Finds them all at once, from moments that are in order. Among those of one owner, the first is known only if all
 * messageIds have been read. */
static void read_instants(struct identity *identity, struct shared *shared)
{
    Err err;
    for (uint32_t from = 0, to; from < shared->moment_count; from = to) {
        bool are_read = true;
        to = end_of_instant(shared->moments, shared->moment_count, from);
        if (!has_one_owner(shared->moments, from, to)) {
            note_mixed(shared, shared->moments[from].time_ms, shared->mixed_count);
            continue;
        }
        for (uint32_t i = from; i < to; i++) are_read &= shared->moments[i].id != 0;
        if (to - from > 1 && are_read) IGNORE(identity_settle_instant(identity, shared->moments, from, to, &err));
        else if (to - from > 1) shared->moments[from].id = 0;
    }
}

/* Puts it among those of its own owner: at the last place, so that the least messageId stays first. */
static Status join_instant(struct identity *identity, struct shared *shared, uint32_t from, uint32_t to,
                           struct moment *moment, Err *err)
{
    char text[LIMIT_ID_BYTES], other[LIMIT_ID_BYTES];
    Status s = shared->moments[from].id ? OK : identity_settle_instant(identity, shared->moments, from, to, err);
    if (!s) s = identity_fetch_id(identity, moment, err);
    if (s) return s;
    Str first = identity_read_id(identity, &shared->moments[from], text);
    if (str_compare(identity_read_id(identity, moment, other), first) >= 0) return OK;
    struct moment before = shared->moments[from];
    shared->moments[from] = *moment;
    *moment = before;
    return OK;
}

static Status insert_moment(struct identity *identity, struct shared *shared, struct moment moment, Err *err)
{
    uint32_t from = find_instant(shared, moment.time_ms, false), to = find_instant(shared, moment.time_ms, true);
    uint32_t place = to, number;
    bool was_mixed = is_mixed(shared, moment.time_ms, &number);
    if (from != to && !was_mixed && shared->moments[from].owner == moment.owner) {
        Status s = join_instant(identity, shared, from, to, &moment, err);
        if (s) return s;
    } else if (from != to) {
        Status s = was_mixed ? OK : sort_instant(identity, shared->moments, from, to, err);
        if (!s) s = identity_fetch_id(identity, &moment, err);
        if (s) return s;
        if (!was_mixed) note_mixed(shared, moment.time_ms, number);
        for (uint32_t low = from; low < place;) {              /* after its equals */
            uint32_t middle = low + (place - low) / 2;
            if (compare_ids(identity, &shared->moments[middle], &moment) > 0) place = middle;
            else low = middle + 1;
        }
    }
    reserve_moments(shared, shared->moment_count + 1);
    memmove(shared->moments + place + 1, shared->moments + place,
            (shared->moment_count - place) * sizeof *shared->moments);
    shared->moments[place] = moment;
    shared->moment_count++;
    return OK;
}

/* Finds the last moment before the event in (time, messageId); the first moment if none is before. */
static uint32_t moment_before(const struct identity *identity, const struct shared *shared, Millis time_ms,
                              Str message_id)
{
    uint32_t from = find_instant(shared, time_ms, false), to = find_instant(shared, time_ms, true), before = from;
    uint32_t number;
    char text[LIMIT_ID_BYTES];
    if (from != to && is_mixed(shared, time_ms, &number)) {
        for (uint32_t end = to; before < end;) {
            uint32_t middle = before + (end - before) / 2;
            Str id = identity_read_id(identity, &shared->moments[middle], text);
            if (str_compare(id, message_id) < 0) before = middle + 1;
            else end = middle;
        }
    } else {                                    /* of one owner: whichever of them is before will do */
        uint32_t end = from != to && shared->moments[from].id ? from + 1 : to;
        for (uint32_t i = from; i < end && before == from; i++)
            if (str_compare(identity_read_id(identity, &shared->moments[i], text), message_id) < 0) before = i + 1;
    }
    return before ? before - 1 : 0;
}

/* ---- Owning ---- */

bool identity_row_counts(const struct identity *identity, uint32_t node, const struct row *row)
{
    if (row->flags & (ROW_REMOVED | ROW_ERASED) || identity->nodes[row->owner].flags & NODE_ERASED) return false;
    if (row->flags & ROW_ALIAS && identity->nodes[node].flags & NODE_PROMOTED) return false;
    return identity_is_within_limit(identity, node, row->owner);
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
    for (uint32_t i = 0; i < shared->owner_count; i++)
        if (shared->owners[i] != shared->home) identity_remove_entry(identity, shared->owners[i], index);
    free(shared->owners);
    free(shared->moments);
    free(shared->mixed);
    /* The slot may stand in the lists of dirty slots and of unsaved slots. */
    *shared = (struct shared){ .is_dirty = shared->is_dirty, .is_unsaved = shared->is_unsaved };
    identity_drop_shared(identity, index);
    *(uint32_t *)vector_push(&identity->shared_free, sizeof(uint32_t)) = index;
}

static int compare_owners(const void *a, const void *b)
{
    uint32_t x = ((const struct moment *)a)->owner, y = ((const struct moment *)b)->owner;
    return x < y ? -1 : x > y;
}

/* Are the owners that were gathered too many to be believed (rule 8)? Asked before they are put in order: their order
 * does not matter then, and it may cost a look into the journal for each, of which anybody can make any number. */
static bool is_constant(const struct identity *identity, const struct vector *found)
{
    size_t owners = 0;
    if (found->count <= identity->max_owners) return false;
    struct moment *sorted = malloc(found->count * sizeof *sorted);
    check(sorted);
    memcpy(sorted, found->items, found->count * sizeof *sorted);
    qsort(sorted, found->count, sizeof *sorted, compare_owners);
    for (size_t i = 0; i < found->count; i++) owners += i == 0 || sorted[i].owner != sorted[i - 1].owner;
    free(sorted);
    return owners > identity->max_owners;
}

/* All evidence that counts, of the strongest kind there is, in order of time; in identity->scratch. */
static Status gather(struct identity *identity, uint32_t node, bool *ret_is_constant, Err *err)
{
    unsigned strongest = IDENTITY_KINDS;
    struct vector *found = &identity->scratch;
    found->count = 0;
    struct vector rows = { 0 };
    Status s = identity_list_rows(identity, node, &rows, err);
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *r = &((struct found *)rows.items)[i].row;
        if (!identity_row_counts(identity, node, r)) continue;
        unsigned strength = identity_strength(identity, r->owner);
        if (strength > strongest) continue;
        if (strength < strongest) found->count = 0;
        strongest = strength;
        struct moment *moment = vector_push(found, sizeof *moment);
        *moment = (struct moment){ .time_ms = r->time_ms, .owner = r->owner, .position = r->position };
    }
    vector_done(&rows);
    *ret_is_constant = !s && is_constant(identity, found);
    if (s || *ret_is_constant) return s;
    struct moment *moments = found->items;
    if (found->count == 0 || has_one_owner(moments, 0, (uint32_t)found->count)) return OK;
    qsort(moments, found->count, sizeof *moments, compare_times);
    for (uint32_t from = 0, to; from < found->count; from = to) {
        to = end_of_instant(moments, (uint32_t)found->count, from);
        bool is_alike = has_one_owner(moments, from, to);
        if (is_alike && to - from <= UNREAD_MOST) continue;
        s = is_alike ? identity_settle_instant(identity, moments, from, to, err)
                     : sort_instant(identity, moments, from, to, err);
        if (s) return s;
    }
    return OK;
}

static bool is_gathered(const struct vector *found, uint32_t owner)
{
    const struct moment *moments = found->items;
    for (size_t i = 0; i < found->count; i++)
        if (moments[i].owner == owner) return true;
    return false;
}

Status identity_recompute(struct identity *identity, uint32_t node, Err *err)
{
    struct node *n = &identity->nodes[node];
    bool is_overshared;
    Status s = gather(identity, node, &is_overshared, err);
    if (s) return s;
    struct vector *found = &identity->scratch;
    const struct moment *moments = found->items;
    uint32_t home = n->flags & NODE_SHARED ? identity_shared(identity, n->link)->home : n->link;
    unsigned overshared = is_overshared ? identity_strength(identity, moments[0].owner) + 1 : 0;
    if (overshared) found->count = 0;
    if (n->flags & NODE_OVERSHARED) n->next = NONE;
    n->flags &= (uint8_t)~NODE_OVERSHARED;
    uint32_t count = (uint32_t)found->count;

    if (n->flags & NODE_SHARED) free_shared(identity, n->link);
    if (home != NONE && !is_gathered(found, home)) {
        identity_remove_child(identity, home, node);
        home = NONE;
    }
    if (home == NONE && count) {
        home = moments[0].owner;
        identity_add_child(identity, home, node);
    }
    n->link = home;
    if (overshared) {
        n->flags |= NODE_OVERSHARED;
        n->next = overshared - 1;
    }
    if (count && !has_one_owner(moments, 0, count)) {
        uint32_t index = new_shared(identity, node);
        struct shared *shared = identity_shared(identity, index);
        shared->home = home;
        reserve_moments(shared, count);
        memcpy(shared->moments, moments, count * sizeof *moments);
        shared->moment_count = count;
        read_instants(identity, shared);
        for (uint32_t i = 0; i < count; i++)
            if (shared_add_owner(shared, moments[i].owner) && moments[i].owner != home)
                identity_add_entry(identity, moments[i].owner, index);
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
    read_instants(identity, shared);
    for (uint32_t i = 0; i < shared->moment_count; i++)
        if (shared_add_owner(shared, shared->moments[i].owner) && shared->moments[i].owner != shared->home)
            identity_add_entry(identity, shared->moments[i].owner, index);
    shared->is_unsaved = true;                                /* so that it is not noted as such … */
    identity_mark_shared(identity, index);
    shared->is_unsaved = false;                               /* … since it was loaded just now */
}

Status identity_claim(struct identity *identity, uint32_t node, uint32_t row, Str message_id, Err *err)
{
    struct node *n = &identity->nodes[node];
    uint32_t owner = identity->rows[row].owner;
    bool is_shared = n->flags & NODE_SHARED;

    if (n->flags & NODE_OVERSHARED)
        return identity_strength(identity, owner) >= n->next ? OK : identity_recompute(identity, node, err);
    if (!is_shared && n->link == owner) return OK;
    if (!is_shared && n->link == NONE) {
        n->link = owner;
        identity_add_child(identity, owner, node);
        identity_show_node(identity, node);
        return OK;
    }
    uint32_t holder = is_shared ? identity_shared(identity, n->link)->owners[0] : n->link;
    unsigned strength = identity_strength(identity, owner), held = identity_strength(identity, holder);
    if (strength > held) return OK;
    if (!is_shared || strength < held) return identity_recompute(identity, node, err);

    struct shared *shared = identity_shared(identity, n->link);
    struct moment moment = { .time_ms = identity->rows[row].time_ms, .owner = owner };
    moment.position = identity->rows[row].position;
    /* A messageId is needed if owners change or if instants are equal: keep it now, while it is known, if that may
     * happen here. */
    const struct moment *last = &shared->moments[shared->moment_count - 1];
    if (last->owner != owner || last->time_ms >= moment.time_ms) moment.id = identity_keep_value(identity, message_id);
    Status s = insert_moment(identity, shared, moment, err);
    if (s) return s;
    if (shared_add_owner(shared, owner)) identity_add_entry(identity, owner, n->link);
    if (shared->owner_count > identity->max_owners) return identity_recompute(identity, node, err);
    identity_mark_shared(identity, n->link);
    return OK;
}

/* ---- Asking ---- */

uint32_t identity_owner_at(const struct identity *identity, uint32_t node, Millis time_ms, Str message_id)
{
    const struct node *n = &identity->nodes[node];
    if (n->kind == IDENTITY_USER) return NONE;
    if (!(n->flags & NODE_SHARED)) return n->link;
    const struct shared *shared = identity_shared(identity, n->link);
    return shared->moments[moment_before(identity, shared, time_ms, message_id)].owner;
}

uint32_t identity_owner_now(const struct identity *identity, uint32_t node)
{
    const struct node *n = &identity->nodes[node];
    if (n->kind == IDENTITY_USER) return NONE;
    if (!(n->flags & NODE_SHARED)) return n->link;
    const struct shared *shared = identity_shared(identity, n->link);
    return shared->moments[shared->moment_count - 1].owner;
}

IdentityPerson identity_find_owner(const struct identity *identity, IdentityNode subject, Millis time_ms,
                                   Str message_id)
{
    check(subject < identity->node_count);
    for (uint32_t owner; (owner = identity_owner_at(identity, subject, time_ms, message_id)) != NONE;) subject = owner;
    return identity_slot(identity, subject);
}

IdentityPerson identity_person_now(const struct identity *identity, IdentityNode node)
{
    check(node < identity->node_count);
    for (uint32_t owner; (owner = identity_owner_now(identity, node)) != NONE;) node = owner;
    return identity_slot(identity, node);
}

void identity_claim_done(struct identity *identity)
{
    for (size_t i = 0; i < identity->shared.count; i++) {
        free(identity_shared(identity, (uint32_t)i)->owners);
        free(identity_shared(identity, (uint32_t)i)->moments);
        free(identity_shared(identity, (uint32_t)i)->mixed);
    }
    vector_done(&identity->shared);
    vector_done(&identity->shared_free);
    vector_done(&identity->scratch);
}
