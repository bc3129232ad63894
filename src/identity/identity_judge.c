/* Judges what was loaded before the engine uses it. Checksums say that it is what was written; this says that nothing
 * in it leads outside or round in a circle, so the engine's loops may trust it. Each node, alias end and
 * moment is looked at once or twice, a few nanoseconds each. */
#include "identity_state.h"

#include <stdlib.h>

/* Bits: which have been led to. */
static bool mark(unsigned char *seen, uint32_t at)
{
    bool is_again = seen[at / 8] >> at % 8 & 1;
    seen[at / 8] |= (unsigned char)(1 << at % 8);
    return !is_again;
}

static bool is_user(const struct identity *identity, uint32_t node)
{
    return node < identity->node_count && identity->nodes[node].kind == IDENTITY_USER;
}

/* May owner own node? Stronger kinds own weaker ones, so there is no circle. */
static bool may_own(const struct identity *identity, uint32_t owner, uint32_t node)
{
    return owner < identity->node_count && identity_strength(identity, owner) < identity_strength(identity, node);
}

static bool is_node_sound(const struct identity *identity, uint32_t at, unsigned char *rings, unsigned char *lists)
{
    enum { OF_EXTERNALS = NODE_ALONE | NODE_LED_TO };
    const struct node *node = &identity->nodes[at];
    uint32_t count = identity->node_count;
    bool is_shared = node->flags & NODE_SHARED, is_overshared = node->flags & NODE_OVERSHARED;
    if (node->flags & OF_EXTERNALS && node->kind < IDENTITY_EXTERNAL) return false;
    if (node->kind >= IDENTITY_EXTERNAL + identity->external_count) return false;
    if (!(node->flags & NODE_ERASED) && !identity_is_packed(identity, node->value)) return false;
    if (node->kind == IDENTITY_USER) {                       /* rings: each user is led to once */
        if (is_shared || is_overshared || !is_user(identity, node->link) || !mark(rings, node->link)) return false;
        return node->next == NONE || (node->next < count && !is_user(identity, node->next) && mark(lists, node->next));
    }
    if (!is_shared && node->link != NONE && !may_own(identity, node->link, at)) return false;
    if (is_shared && is_overshared) return false;
    if (is_overshared) return node->next <= IDENTITY_KINDS;
    return node->next == NONE || (node->next < count && !is_user(identity, node->next) && mark(lists, node->next));
}

bool identity_nodes_are_sound(const struct identity *identity)
{
    size_t bytes = identity->node_count / 8 + 1;
    unsigned char *rings = calloc(bytes, 1), *lists = calloc(bytes, 1);
    bool is_sound = true;
    check(rings && lists);
    for (uint32_t at = 0; at < identity->node_count && is_sound; at++)
        is_sound = is_node_sound(identity, at, rings, lists);
    free(rings);
    free(lists);
    return is_sound;
}

static bool is_bool(const void *at) { return *(const unsigned char *)at <= 1; }

/* Alias end 0 is none; free alias ends are a chain. */
bool identity_aliases_are_sound(const struct identity *identity)
{
    const struct alias_end *alias_ends = identity->alias_ends.items;
    size_t count = identity->alias_ends.count;
    unsigned char *seen = calloc(count / 8 + 1, 1);
    bool is_sound = identity->alias_free < (count ? count : 1);
    check(seen);
    for (uint32_t at = 1; at < count && is_sound; at++)
        if (alias_ends[at].user != NONE)
            is_sound = is_bool(&alias_ends[at].is_from) && is_user(identity, alias_ends[at].user)
                    && is_user(identity, alias_ends[at].other)
                    && alias_ends[at].row.owner < identity->node_count;
    for (uint32_t at = identity->alias_free; at && is_sound; at = alias_ends[at].next)
        is_sound = alias_ends[at].user == NONE && alias_ends[at].next < count && mark(seen, at);
    free(seen);
    return is_sound;
}

bool identity_moments_are_sound(const struct identity *identity, uint32_t node, const void *moments, size_t count)
{
    Millis before = INT64_MIN;
    for (size_t at = 0; at < count; at++) {
        struct moment moment;
        memcpy(&moment, (const char *)moments + at * sizeof moment, sizeof moment);
        if (!may_own(identity, moment.owner, node) || moment.time_ms < before) return false;
        if (moment.id && !identity_is_packed(identity, moment.id)) return false;
        before = moment.time_ms;
    }
    return true;
}

bool identity_shared_are_sound(const struct identity *identity)
{
    for (uint32_t at = 0; at < identity->node_count; at++) {
        const struct node *node = &identity->nodes[at];
        if (!(node->flags & NODE_SHARED)) continue;
        if (node->link >= identity->shared.count) return false;
        const struct shared *shared = identity_shared(identity, node->link);
        if (shared->node != at || !shared->moment_count || !may_own(identity, shared->home, at)) return false;
    }
    return true;
}
