/* Limits (rule 7): how many identifiers of an external kind one stronger identifier may hold.
 *
 * For each (owner, kind) that has a limit, every identifier that was ever linked to the owner is a candidate
 * with the (event time, messageId) of its first link. The earliest candidates count, as many as the limit says. So the
 * answer depends on the set of messages only: a late message may push a later candidate out again, and then both are
 * recomputed. Candidates of one message are in order of value.
 */
#include "identity_state.h"

#include <stdlib.h>

static uint32_t limit_of(const struct identity *identity, uint32_t node)
{
    unsigned kind = identity->nodes[node].kind;
    return kind < IDENTITY_EXTERNAL ? 0 : identity->externals[kind].limit;
}

static uint32_t holding_key(const struct identity *identity, uint32_t node, uint32_t owner)
{
    return owner * IDENTITY_KINDS + identity->nodes[node].kind;
}
_Static_assert((uint64_t)IDENTITY_NODES_MAX * IDENTITY_KINDS <= UINT64_C(1) << 32, "(owner, kind) fits 32 bits");

static struct vector *find_candidates(const struct identity *identity, uint32_t node, uint32_t owner)
{
    const uint32_t *index = map32_find(&identity->holding_heads, holding_key(identity, node, owner));
    return index ? &((struct vector *)identity->holdings.items)[*index] : NULL;
}

static size_t find_candidate(const struct vector *candidates, uint32_t node)
{
    const struct candidate *items = candidates->items;
    size_t i = 0;
    while (i < candidates->count && items[i].node != node) i++;
    return i;
}

bool identity_is_within_limit(const struct identity *identity, uint32_t node, uint32_t owner)
{
    uint32_t limit = limit_of(identity, node);
    if (!limit) return true;
    const struct vector *candidates = find_candidates(identity, node, owner);
    return candidates && find_candidate(candidates, node) < (limit < candidates->count ? limit : candidates->count);
}

static int compare_candidates(const struct identity *identity, const struct candidate *a, const struct candidate *b)
{
    char text_a[LIMIT_ID_BYTES], text_b[LIMIT_ID_BYTES];
    if (a->time_ms != b->time_ms) return a->time_ms < b->time_ms ? -1 : 1;
    int order = str_compare(identity_unpack(identity->values + (size_t)a->id * VALUE_UNIT, text_a),
                            identity_unpack(identity->values + (size_t)b->id * VALUE_UNIT, text_b));
    return order ? order : identity_compare_values(identity, a->node, b->node);
}

/* Puts the candidate at its place, or takes it out (is_gone); recomputes the one that crosses the limit by this. */
static Status place_candidate(struct identity *identity, uint32_t owner, struct candidate candidate, bool is_gone,
                              Err *err)
{
    struct vector *candidates = find_candidates(identity, candidate.node, owner);
    identity->has_new_candidates = true;
    struct candidate *items = candidates->items;
    size_t limit = limit_of(identity, candidate.node), old = find_candidate(candidates, candidate.node), place;
    uint32_t last_in = candidates->count >= limit ? items[limit - 1].node : NONE;
    uint32_t first_out = candidates->count > limit ? items[limit].node : NONE;

    if (old < candidates->count) {
        memmove(items + old, items + old + 1, (candidates->count - old - 1) * sizeof *items);
        candidates->count--;
    }
    if (!is_gone) {
        vector_push(candidates, sizeof *items);
        items = candidates->items;
        place = candidates->count - 1;
        for (; place > 0 && compare_candidates(identity, &items[place - 1], &candidate) > 0; place--)
            items[place] = items[place - 1];
        items[place] = candidate;
    }
    /* One candidate moved, so at most the two at the border changed sides; the mover's own rows are its caller's. */
    uint32_t touched[2] = { last_in, first_out };
    for (size_t i = 0; i < countof(touched); i++) {
        if (touched[i] == NONE || touched[i] == candidate.node) continue;
        Status s = identity_recompute(identity, touched[i], err);
        if (s) return s;
    }
    return OK;
}

Status identity_note_candidate(struct identity *identity, uint32_t node, uint32_t row, Str message_id, Err *err)
{
    const struct row *r = &identity->rows[row];
    if (!limit_of(identity, node)) return OK;
    struct vector *candidates = find_candidates(identity, node, r->owner);
    if (!candidates) {
        map32_put(&identity->holding_heads, holding_key(identity, node, r->owner), (uint32_t)identity->holdings.count);
        candidates = vector_push(&identity->holdings, sizeof *candidates);
    }
    struct candidate candidate = { node, r->time_ms, 0 };
    size_t old = find_candidate(candidates, node);
    if (old < candidates->count && ((struct candidate *)candidates->items)[old].time_ms < r->time_ms) return OK;
    candidate.id = identity_keep_value(identity, message_id);
    if (old < candidates->count &&
        compare_candidates(identity, &((struct candidate *)candidates->items)[old], &candidate) <= 0)
        return OK;
    bool was_in = identity_is_within_limit(identity, node, r->owner);
    Status s = place_candidate(identity, r->owner, candidate, false, err);
    if (s || was_in == identity_is_within_limit(identity, node, r->owner)) return s;
    return identity_recompute(identity, node, err);
}

Status identity_review_candidate(struct identity *identity, uint32_t node, uint32_t owner, Err *err)
{
    if (!limit_of(identity, node) || !find_candidates(identity, node, owner)) return OK;
    struct candidate least = { node, 0, 0 };
    bool is_gone = true;
    struct vector rows = { 0 };
    Status s = identity_list_rows(identity, node, &rows, err);
    for (size_t i = 0; !s && i < rows.count; i++) {
        const struct row *r = &((struct found *)rows.items)[i].row;
        char text[LIMIT_MESSAGE_ID_BYTES];
        size_t len;
        if (r->owner != owner || r->flags & (ROW_REMOVED | ROW_ERASED)) continue;
        if (!is_gone && r->time_ms > least.time_ms) continue;
        s = identity_message_id_at(identity, r->position, text, &len, err);
        if (s) break;
        struct candidate candidate = { node, r->time_ms, identity_keep_value(identity, (Str){ text, len }) };
        if (is_gone || compare_candidates(identity, &candidate, &least) < 0) least = candidate;
        is_gone = false;
    }
    vector_done(&rows);
    return s ? s : place_candidate(identity, owner, least, is_gone, err);
}

void identity_visit_held(const struct identity *identity, IdentityNode owner,
                         void (*visit)(void *context, IdentityNode external), void *context)
{
    for (uint32_t kind = IDENTITY_EXTERNAL; kind < IDENTITY_EXTERNAL + identity->external_count; kind++) {
        const uint32_t *index = map32_find(&identity->holding_heads, owner * IDENTITY_KINDS + kind);
        const struct vector *held = index ? &((struct vector *)identity->holdings.items)[*index] : NULL;
        for (size_t i = 0; held && i < held->count; i++) visit(context, ((struct candidate *)held->items)[i].node);
    }
}

void identity_limit_done(struct identity *identity)
{
    for (size_t i = 0; i < identity->holdings.count; i++)
        vector_done(&((struct vector *)identity->holdings.items)[i]);
    vector_done(&identity->holdings);
    map32_done(&identity->holding_heads);
}
