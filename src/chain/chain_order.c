/* chain_order: how deep one person got if the order is strict, if any order counts, or if steps have windows of their
 * own.
 *
 * Strict: from an entry the way is forced: every instant between the first and the last event of a chain gives all of
 * its events to it. So the steps that may come next are a small set, carried from instant to instant.
 *
 * Any: the number of steps that different events can be is the size of a matching. It grows by one event at a time
 * (sets of events that can be matched at once are a matroid), so the entry can be part of it, and a greedy search is
 * right. Of events that can be the same steps, no more are looked at than there are such steps.
 *
 * Spaced: for one length, going backwards, each step has a queue with the earliest end of a chain that goes on from
 * there; the step before takes the best one within its window. An exclusion in between clears a queue. */
#include "chain_instant.h"

/* ---- Strict ---- */

struct walk {
    uint32_t depth;
    Millis times_ms[CHAIN_STEPS_MAX];
    uint32_t events[CHAIN_STEPS_MAX];
};

static void walk_reach(struct walk *walk, const Hit *hits, const struct group *group, uint32_t entry, uint32_t step)
{
    uint32_t at = group->first;
    if (step < walk->depth) return;
    while (at == entry || !(hits[at].steps >> step & 1)) at++;
    walk->times_ms[step] = group->time_ms;
    walk->events[step] = at;
    walk->depth = step + 1;
}

/* The instant as the last one of chains that go on with the steps of can, and what may come after it. */
static bool walk_instant(const ChainRules *rules, const Hit *hits, struct group *group, Millis before_ms, bool *can,
                         struct walk *walk)
{
    bool next[CHAIN_STEPS_MAX + 1] = { false }, goes_on = false;
    uint32_t events = group->end - group->first;
    for (uint32_t step = 1; step < rules->step_count; step++) {
        if (!can[step] || (rules->has_within && group->time_ms - before_ms > rules->within_ms[step])) continue;
        uint32_t far = group_far(rules, group, step, UINT32_MAX);
        for (uint32_t to = step; to < far; to++) walk_reach(walk, hits, group, walk->events[0], to);
        if (group->count != events || step + events > far || step + events >= rules->step_count) continue;
        next[step + events] = goes_on = true;
    }
    memcpy(can, next, sizeof next);
    return goes_on;
}

static void walk_from(const ChainRules *rules, const Hits *all, uint32_t entry, struct group *group, struct walk *walk)
{
    const Hit *hits = all->hits;
    bool can[CHAIN_STEPS_MAX + 1] = { false };
    uint32_t first = entry, end;
    while (first > 0 && hits[first - 1].time_ms == hits[entry].time_ms) first--;
    end = group_end(hits, all->count, first);
    group_read(rules, hits, first, end, group);
    uint32_t far = group_far(rules, group, 1, group_place(rules, group, &hits[entry]));
    *walk = (struct walk){ .depth = 1, .times_ms = { hits[entry].time_ms }, .events = { entry } };
    for (uint32_t step = 1; step < far; step++) walk_reach(walk, hits, group, entry, step);
    for (uint32_t step = 1; step <= far; step++) can[step] = true;
    for (Millis before_ms = hits[entry].time_ms; end < all->count; before_ms = hits[first].time_ms) {
        first = end;
        if (!is_within(rules, hits[entry].time_ms, hits[first].time_ms)) break;
        end = group_end(hits, all->count, first);
        group_read(rules, hits, first, end, group);
        if (!walk_instant(rules, hits, group, before_ms, can, walk)) break;
    }
}

/* Entries of an instant that can be the same steps lead to the same result: only one of them is followed. */
struct alike {
    uint32_t count, masks[GROUP_KINDS];
    uint8_t depths[GROUP_KINDS];
};

/* False if the kind is new; then it is noted, if there is room. */
static bool alike_find(struct alike *alike, uint32_t mask, uint32_t *ret_kind)
{
    uint32_t kind = 0;
    while (kind < alike->count && alike->masks[kind] != mask) kind++;
    *ret_kind = kind;
    if (kind < alike->count) return true;
    if (kind < GROUP_KINDS) alike->masks[alike->count++] = mask;
    return false;
}

void strict_reach(const ChainRules *rules, const Hits *all, Arena scratch, uint8_t *ret_depths)
{
    struct group group = group_new(all->count, &scratch);
    struct walk walk;
    for (uint32_t first = 0, end; first < all->count; first = end) {
        struct alike alike = { 0 };
        end = group_end(all->hits, all->count, first);
        for (uint32_t at = first; at < end; at++) {
            uint32_t kind;
            ret_depths[at] = 0;
            if (!is_entry(rules, &all->hits[at])) continue;
            if (!alike_find(&alike, all->hits[at].steps & step_bits_of(rules), &kind)) {
                walk_from(rules, all, at, &group, &walk);
                if (kind < GROUP_KINDS) alike.depths[kind] = (uint8_t)walk.depth;
                ret_depths[at] = (uint8_t)walk.depth;
                continue;
            }
            ret_depths[at] = alike.depths[kind];
        }
    }
}

/* Of all entries of the millisecond and group, each step as early as any of them reaches it. */
void strict_follow(const ChainRules *rules, const Hits *all, uint32_t entry, Arena scratch, Chain *ret)
{
    const Hit *hits = all->hits;
    struct group group = group_new(all->count, &scratch);
    struct walk walk;
    struct alike alike = { 0 };
    uint32_t first = entry, kind;
    ret->entry = entry, ret->depth = 0;
    while (first > 0 && hits[first - 1].time_ms == hits[entry].time_ms) first--;
    for (uint32_t at = first, end = group_end(hits, all->count, first); at < end; at++) {
        if (!is_entry(rules, &hits[at]) || hits[at].group != hits[entry].group) continue;
        if (alike_find(&alike, hits[at].steps & step_bits_of(rules), &kind)) continue;
        walk_from(rules, all, at, &group, &walk);
        if (walk.depth > ret->depth) ret->entry = at;
        for (uint32_t step = 0; step < walk.depth; step++) {
            if (step < ret->depth && walk.times_ms[step] >= ret->times_ms[step]) continue;
            ret->times_ms[step] = walk.times_ms[step];
            ret->events[step] = walk.events[step];
        }
        if (walk.depth > ret->depth) ret->depth = walk.depth;
    }
    ret->events[0] = ret->entry;
}

/* ---- Any order ---- */

enum { KINDS_MAX = 64, CANDIDATES_MAX = KINDS_MAX * CHAIN_STEPS_MAX };

/* Lists of hits that can be the same steps; if there are over KINDS_MAX different kinds, all are one list. */
struct kinds {
    uint32_t count, masks[KINDS_MAX], heads[KINDS_MAX];
    uint32_t *next;
    bool are_mixed;
};

struct matching {
    uint32_t masks[CHAIN_STEPS_MAX], hits[CHAIN_STEPS_MAX], count;      /* the events that are taken */
    uint32_t owner[CHAIN_STEPS_MAX];                                    /* by step: which of them; UINT32_MAX: none */
    uint32_t seen, stuck;               /* steps: looked at for this event; of which no more is to be had */
};

static bool matching_augment(struct matching *matching, uint32_t event)
{
    uint32_t mask = matching->masks[event];
    for (uint32_t left = mask & ~matching->seen; left; left = mask & ~matching->seen) {
        uint32_t step = (uint32_t)__builtin_ctz(left);
        matching->seen |= 1u << step;
        if (matching->owner[step] != UINT32_MAX && !matching_augment(matching, matching->owner[step])) continue;
        matching->owner[step] = event;
        return true;
    }
    return false;
}

static bool matching_take(struct matching *matching, uint32_t mask, uint32_t hit)
{
    if (!(mask & ~matching->stuck)) return false;
    matching->masks[matching->count] = mask, matching->hits[matching->count] = hit;
    matching->seen = 0;
    if (matching_augment(matching, matching->count)) return matching->count++, true;
    matching->stuck |= matching->seen;          /* a further event for one of these finds them all taken, too */
    return false;
}

static void kinds_read(const ChainRules *rules, const Hits *all, struct kinds *kinds, Arena *scratch)
{
    uint32_t tails[KINDS_MAX], bits = step_bits_of(rules);
    *kinds = (struct kinds){ .next = arena_new(scratch, uint32_t, all->count + 1) };
    for (uint32_t at = 0; at < all->count; at++) {
        uint32_t mask = all->hits[at].steps & bits, kind = 0;
        kinds->next[at] = all->count;
        if (!mask) continue;
        while (kind < kinds->count && kinds->masks[kind] != mask) kind++;
        if (kind == KINDS_MAX) {
            kinds->are_mixed = true;
            return;
        }
        if (kind < kinds->count) kinds->next[tails[kind]] = at;
        else kinds->masks[kinds->count] = mask, kinds->heads[kinds->count++] = at;
        tails[kind] = at;
    }
}

/* Lists the hits from first on that can matter, in order: of each kind as many as it has steps. */
static uint32_t kinds_gather(struct kinds *kinds, uint32_t first, uint32_t count, uint32_t *ret)
{
    uint32_t found = 0;
    for (uint32_t kind = 0; kind < kinds->count; kind++) {
        while (kinds->heads[kind] < first) kinds->heads[kind] = kinds->next[kinds->heads[kind]];
        uint32_t wanted = (uint32_t)__builtin_popcount(kinds->masks[kind]);
        for (uint32_t at = kinds->heads[kind]; at < count && wanted; at = kinds->next[at], wanted--) {
            uint32_t to = found++;
            for (; to > 0 && ret[to - 1] > at; to--) ret[to] = ret[to - 1];
            ret[to] = at;
        }
    }
    return found;
}

/* From an instant on, with one of its hits first: how many steps there are within the window, and when each comes. */
static void match_from(const ChainRules *rules, const Hits *all, struct kinds *kinds, uint32_t first, uint32_t entry,
                       struct matching *ret)
{
    uint32_t candidates[CANDIDATES_MAX], bits = step_bits_of(rules);
    uint32_t found = kinds->are_mixed ? all->count - first : kinds_gather(kinds, first, all->count, candidates);
    *ret = (struct matching){ 0 };
    memset(ret->owner, 0xff, sizeof ret->owner);
    (void)matching_take(ret, all->hits[entry].steps & bits, entry);
    for (uint32_t number = 0; number < found && ret->count < rules->step_count; number++) {
        uint32_t at = kinds->are_mixed ? first + number : candidates[number];
        if (!is_within(rules, all->hits[entry].time_ms, all->hits[at].time_ms)) break;
        if (at != entry) (void)matching_take(ret, all->hits[at].steps & bits, at);
    }
}

void any_reach(const ChainRules *rules, const Hits *all, Arena scratch, uint8_t *ret_depths)
{
    struct kinds kinds;
    struct matching matching;
    kinds_read(rules, all, &kinds, &scratch);
    for (uint32_t first = 0, end; first < all->count; first = end) {
        bool is_known = false;                          /* it is the same for all entries of the instant */
        end = group_end(all->hits, all->count, first);
        for (uint32_t at = first; at < end; at++) {
            ret_depths[at] = 0;
            if (!is_entry(rules, &all->hits[at])) continue;
            if (!is_known) match_from(rules, all, &kinds, first, at, &matching);
            is_known = true;
            ret_depths[at] = (uint8_t)matching.count;
        }
    }
}

void any_follow(const ChainRules *rules, const Hits *all, uint32_t entry, Arena scratch, Chain *ret)
{
    struct kinds kinds;
    struct matching matching;
    uint32_t first = entry;
    while (first > 0 && all->hits[first - 1].time_ms == all->hits[entry].time_ms) first--;
    kinds_read(rules, all, &kinds, &scratch);
    match_from(rules, all, &kinds, first, entry, &matching);
    ret->entry = entry, ret->depth = matching.count;
    for (uint32_t at = 0; at < matching.count; at++) {
        ret->events[at] = matching.hits[at];
        ret->times_ms[at] = all->hits[matching.hits[at]].time_ms;
    }
    for (uint32_t step = 0; step < rules->step_count; step++)
        if (matching.owner[step] != UINT32_MAX) ret->steps[matching.owner[step]] = (uint8_t)step;
}

/* ---- Steps with windows of their own ---- */

/* The places where a step may be taken, the nearest last, and when a chain from there is complete at the earliest.
 * These times grow towards the end, since a place that is farther away and not earlier is of no use. */
struct queue {
    struct place { Millis time_ms, done_ms; } *places;
    uint32_t first, end;
};

static Millis queue_best(struct queue *queue, Millis from_ms, Millis within_ms)
{
    while (queue->first < queue->end
           && (uint64_t)queue->places[queue->first].time_ms - (uint64_t)from_ms > (uint64_t)within_ms) queue->first++;
    return queue->first < queue->end ? queue->places[queue->first].done_ms : NEVER;
}

static void queue_put(struct queue *queue, Millis time_ms, Millis done_ms)
{
    while (queue->end > queue->first && queue->places[queue->end - 1].done_ms >= done_ms) queue->end--;
    queue->places[queue->end++] = (struct place){ time_ms, done_ms };
}

/* The earliest end of a chain of that length that takes steps from..far-1, or fewer of them, from an instant. */
static Millis spaced_best(const ChainRules *rules, struct queue *queues, const struct group *group, uint32_t from,
                          uint32_t far, uint32_t depth)
{
    Millis best = NEVER;
    if (far >= depth) return group->time_ms;
    for (uint32_t next = from + 1; next <= far; next++) {
        Millis done_ms = queue_best(&queues[next], group->time_ms, rules->within_ms[next]);
        if (from && is_excluded(rules, group, from - 1, next)) continue;
        if (done_ms < best) best = done_ms;
    }
    return best;
}

static void spaced_pass(const ChainRules *rules, const Hits *all, uint32_t depth, struct group *group,
                        struct queue *queues, uint8_t *depths)
{
    const Hit *hits = all->hits;
    for (uint32_t step = 0; step < depth; step++) queues[step].first = queues[step].end = 0;
    for (uint32_t end = all->count, first; end > 0; end = first) {
        Millis done_ms[CHAIN_STEPS_MAX];
        for (first = end - 1; first > 0 && hits[first - 1].time_ms == hits[end - 1].time_ms;) first--;
        group_read(rules, hits, first, end, group);
        for (uint32_t at = first; at < end; at++) {
            if (depths[at] || !is_entry(rules, &hits[at])) continue;
            uint32_t same = group_place(rules, group, &hits[at]);
            if (!group->known[same]) {
                uint32_t far = group_far(rules, group, 1, same);
                Millis best = spaced_best(rules, queues, group, 0, far, depth);
                group->known[same] = best != NEVER && is_within(rules, group->time_ms, best) ? 2 : 1;
            }
            if (group->known[same] == 2) depths[at] = (uint8_t)depth;
        }
        for (uint32_t step = 1; step < depth; step++) {
            uint32_t far = group_far(rules, group, step, UINT32_MAX);
            done_ms[step] = far > step ? spaced_best(rules, queues, group, step, far, depth) : NEVER;
        }
        for (uint32_t step = 1; step < depth; step++) {
            if (is_excluded(rules, group, step - 1, step)) queues[step].first = queues[step].end = 0;
            if (done_ms[step] != NEVER) queue_put(&queues[step], group->time_ms, done_ms[step]);
        }
    }
}

void spaced_reach(const ChainRules *rules, const Hits *all, Arena scratch, uint8_t *ret_depths)
{
    struct queue queues[CHAIN_STEPS_MAX] = { 0 };
    struct group group = group_new(all->count, &scratch);
    uint32_t counts[CHAIN_STEPS_MAX] = { 0 };
    memset(ret_depths, 0, all->count);
    for (uint32_t at = 0; at < all->count; at++)
        for (uint32_t bits = all->hits[at].steps & step_bits_of(rules); bits; bits &= bits - 1)
            counts[__builtin_ctz(bits)]++;
    for (uint32_t step = 1; step < rules->step_count; step++) {
        queues[step].places = arena_try(&scratch, sizeof(struct place), 8, counts[step] + (size_t)1);
        if (queues[step].places) continue;
        check(rules->lacks_memory);
        atomic_store(rules->lacks_memory, true);
        return;
    }
    for (uint32_t depth = rules->step_count; depth > 1; depth--)
        if (counts[depth - 1]) spaced_pass(rules, all, depth, &group, queues, ret_depths);
    for (uint32_t at = 0; at < all->count; at++)
        if (!ret_depths[at] && is_entry(rules, &all->hits[at])) ret_depths[at] = 1;
}
