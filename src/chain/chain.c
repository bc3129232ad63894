/* chain: two ways to the same answer.
 *
 * The plain way serves persons without exclusions and without an event that could be two steps at once at
 * the same millisecond as another: nearly everybody. One forward pass keeps, for each step, the latest entry
 * from which it can be reached (a later entry leaves more of the window, so it is never worse); one backward
 * pass over those who converted finds their earliest entry; one more forward pass its times.
 *
 * The careful way takes all events of a millisecond as one *group*. Within a group the steps a..b of a chain
 * need different events: a bipartite matching, which grows with b, so far[a] says how far it gets. Going
 * backwards, done[d][a] is the earliest time at which a chain of length d can be completed whose steps from a
 * on lie in the groups seen so far. If a chain took step a-1 before a group and takes a..b from the group, an
 * exclusion (i, j) in that group forbids it to go on afterwards if i < a and b < j.
 */
#include "chain_instant.h"

/* ---- The plain way ---- */

static bool is_plain(const ChainRules *rules, const Hits *all)
{
    const Hit *hits = all->hits;
    if (all->steps >> rules->step_count || rules->order != ORDER_LOOSE || rules->has_within) return false;
    for (uint32_t at = 1; all->has_ties && at < all->count; at++) {
        if (hits[at].time_ms != hits[at - 1].time_ms) continue;
        if (hits[at].steps & (hits[at].steps - 1) || hits[at - 1].steps & (hits[at - 1].steps - 1))
            return false;
    }
    return true;
}

/* Follows the chain from one entry as deep as it goes, and takes for each step the first event that can be it. */
static uint32_t plain_follow(const ChainRules *rules, const Hit *hits, uint32_t count, uint32_t entry,
                             Chain *ret)
{
    uint32_t depth = 1;
    ret->entry = ret->events[0] = entry;
    ret->times_ms[0] = hits[entry].time_ms;
    for (uint32_t at = entry + 1; at < count && depth < rules->step_count; at++) {
        if (!is_within(rules, hits[entry].time_ms, hits[at].time_ms)) break;
        if (!(hits[at].steps >> depth & 1)) continue;
        ret->events[depth] = at;
        ret->times_ms[depth++] = hits[at].time_ms;
    }
    return depth;
}

/* The deepest step that any entry reaches. */
static uint32_t plain_depth(const ChainRules *rules, const Hit *hits, uint32_t count)
{
    /* the latest entry of a chain that reached the step */
    Millis entry_ms[CHAIN_STEPS_MAX];
    uint32_t depth = 0;
    for (uint32_t at = 0; at < count; at++) {
        Millis time_ms = hits[at].time_ms;
        for (uint32_t step = depth < rules->step_count ? depth : depth - 1; step > 0; step--) {
            if (!(hits[at].steps >> step & 1) || !is_within(rules, entry_ms[step - 1], time_ms)) continue;
            if (step == depth) depth++;
            entry_ms[step] = entry_ms[step - 1];
        }
        if (!(hits[at].steps & 1)) continue;
        entry_ms[0] = time_ms;
        if (depth == 0) depth = 1;
    }
    return depth;
}

/* The earliest entry from which the depth is reached, from the back. */
static uint32_t plain_entry(const ChainRules *rules, const Hit *hits, uint32_t count, uint32_t depth)
{
    Millis done_ms[CHAIN_STEPS_MAX + 1];                /* when the chain is complete if this step is next */
    uint32_t entry = UINT32_MAX;
    for (uint32_t step = 0; step < depth; step++) done_ms[step] = NEVER;
    for (uint32_t at = count; at-- > 0;) {
        if (hits[at].steps & 1
            && (depth == 1 || (done_ms[1] != NEVER && is_within(rules, hits[at].time_ms, done_ms[1]))))
            entry = at;
        for (uint32_t step = 1; step < depth; step++)
            if (hits[at].steps >> step & 1)
                done_ms[step] = step + 1 == depth ? hits[at].time_ms : done_ms[step + 1];
    }
    return entry;
}

/* Among entries at the same time, the one of the smallest group. */
static uint32_t plain_tie(const Hit *hits, uint32_t count, uint32_t entry)
{
    uint32_t best = entry;
    for (uint32_t at = entry; at < count && hits[at].time_ms == hits[entry].time_ms; at++)
        if (hits[at].steps & 1 && hits[at].group < hits[best].group) best = at;
    return best;
}

/* ---- The careful way ---- */

/* done[d][a]: see the top; d is the chain's length, a the step that comes next, 1 <= a < d. */
typedef Millis Done[CHAIN_STEPS_MAX + 1][CHAIN_STEPS_MAX + 1];

/* How deep a chain gets that begins with this event of the group; far: one past what the group itself gives. */
static uint32_t careful_depth(const ChainRules *rules, const struct group *group, uint32_t far, Done done)
{
    for (uint32_t depth = rules->step_count; depth > far; depth--)
        for (uint32_t next = 1; next <= far; next++)
            if (done[depth][next] != NEVER && is_within(rules, group->time_ms, done[depth][next]))
                return depth;
    return far;
}

static void careful_pass(const ChainRules *rules, struct group *group, Done done)
{
    for (uint32_t step = 1; step < rules->step_count; step++) {
        uint32_t far = group_far(rules, group, step, UINT32_MAX);
        for (uint32_t depth = step + 1; depth <= rules->step_count; depth++) {
            Millis best = done[depth][step];
            if (is_excluded(rules, group, step - 1, step)) best = NEVER;
            for (uint32_t next = step + 1; next <= far && next < depth; next++)
                if (done[depth][next] < best && !is_excluded(rules, group, step - 1, next))
                    best = done[depth][next];
            done[depth][step] = far >= depth ? group->time_ms : best;
        }
    }
}

static void careful_reach(const ChainRules *rules, const Hit *hits, uint32_t count, Arena scratch,
                          uint8_t *ret_depths)
{
    Done done;
    struct group group = group_new(count, &scratch);
    for (uint32_t depth = 0; depth <= rules->step_count; depth++)
        for (uint32_t step = 0; step <= rules->step_count; step++) done[depth][step] = NEVER;
    for (uint32_t end = count, first; end > 0; end = first) {
        for (first = end - 1; first > 0 && hits[first - 1].time_ms == hits[end - 1].time_ms;) first--;
        group_read(rules, hits, first, end, &group);
        for (uint32_t at = first; at < end; at++) {
            ret_depths[at] = 0;
            if (!is_entry(rules, &hits[at])) continue;
            uint32_t same = group_place(rules, &group, &hits[at]);
            if (!group.known[same])
                group.known[same] = (uint8_t)careful_depth(rules, &group, group_far(rules, &group, 1, same), done);
            ret_depths[at] = group.known[same];
        }
        careful_pass(rules, &group, done);
    }
}

static void chain_set(Chain *chain, const Hit *hits, const struct group *group, uint32_t step)
{
    uint32_t at = group->first;
    while (at == chain->entry || !(hits[at].steps >> step & 1)) at++;
    chain->events[step] = at;
    chain->times_ms[step] = group->time_ms;
}

/* The chain's entry becomes the one of its millisecond and group that gets farthest within the millisecond. */
static uint32_t careful_begin(const ChainRules *rules, const Hit *hits, struct group *group, Chain *chain)
{
    uint32_t best = 0, of = hits[chain->entry].group;
    for (uint32_t at = group->first; at < group->end; at++) {
        if (!(hits[at].steps & 1) || hits[at].group != of) continue;
        uint32_t same = group_place(rules, group, &hits[at]);
        if (!group->known[same]) group->known[same] = (uint8_t)group_far(rules, group, 1, same);
        if (group->known[same] > best) best = group->known[same], chain->entry = at;
    }
    chain->events[0] = chain->entry;
    chain->times_ms[0] = group->time_ms;
    return best;
}

/* When the chains from one entry first reach each step. */
static void careful_follow(const ChainRules *rules, const Hit *hits, uint32_t count, Arena scratch,
                           Chain *chain)
{
    chain->depth = 0;
    bool is_alive[CHAIN_STEPS_MAX + 1] = { false }, is_reached[CHAIN_STEPS_MAX + 1] = { false };
    Millis alive_ms[CHAIN_STEPS_MAX + 1];               /* the last time: it leaves most of the next step's window */
    struct group group = group_new(count, &scratch);
    uint32_t entry = chain->entry, first = entry, end;
    while (first > 0 && hits[first - 1].time_ms == hits[entry].time_ms) first--;
    for (; first < count && is_within(rules, hits[entry].time_ms, hits[first].time_ms); first = end) {
        for (end = first + 1; end < count && hits[end].time_ms == hits[first].time_ms;) end++;
        group_read(rules, hits, first, end, &group);
        if (entry >= first && entry < end) {
            uint32_t far = careful_begin(rules, hits, &group, chain);
            for (uint32_t step = 0; step < far; step++) {
                is_alive[step] = is_reached[step] = true;
                alive_ms[step] = group.time_ms;
                if (step) chain_set(chain, hits, &group, step);
            }
            continue;
        }
        bool was_alive[CHAIN_STEPS_MAX + 1];
        memcpy(was_alive, is_alive, sizeof was_alive);
        for (uint32_t step = 1; rules->has_within && step < rules->step_count; step++)
            was_alive[step - 1] &= group.time_ms - alive_ms[step - 1] <= rules->within_ms[step];
        for (uint32_t step = 0; step < rules->step_count; step++)
            is_alive[step] = is_alive[step] && !is_excluded(rules, &group, step, step + 1);
        for (uint32_t step = 1; step < rules->step_count; step++) {
            uint32_t far = was_alive[step - 1] ? group_far(rules, &group, step, UINT32_MAX) : step;
            for (uint32_t to = step; to < far; to++) {
                if (!is_reached[to]) chain_set(chain, hits, &group, to);
                is_reached[to] = true;
                if (is_excluded(rules, &group, step - 1, to + 1)) continue;
                is_alive[to] = true;
                alive_ms[to] = group.time_ms;
            }
        }
    }
    while (chain->depth < rules->step_count && is_reached[chain->depth]) chain->depth++;
}

/* ---- Both ---- */

void chain_reach(const ChainRules *rules, const Hits *hits, Arena scratch, uint8_t *ret_depths)
{
    if (rules->order == ORDER_STRICT) strict_reach(rules, hits, scratch, ret_depths);
    else if (rules->order == ORDER_ANY) any_reach(rules, hits, scratch, ret_depths);
    else if (rules->has_within) spaced_reach(rules, hits, scratch, ret_depths);
    else careful_reach(rules, hits->hits, hits->count, scratch, ret_depths);
}

static void follow(const ChainRules *rules, const Hits *hits, Arena scratch, Chain *ret)
{
    if (rules->order == ORDER_STRICT) strict_follow(rules, hits, ret->entry, scratch, ret);
    else if (rules->order == ORDER_ANY) any_follow(rules, hits, ret->entry, scratch, ret);
    else careful_follow(rules, hits->hits, hits->count, scratch, ret);
}

/* No entry gets beyond the first step of which there is no event at all. */
static uint32_t depth_bound(const ChainRules *rules, const Hits *hits)
{
    uint32_t missing = (uint32_t)__builtin_ctz(~hits->steps);
    return missing < rules->step_count ? missing : rules->step_count;
}

static void plain_find(const ChainRules *rules, const Hits *all, uint32_t entry, Chain *ret)
{
    const Hit *hits = all->hits;
    uint32_t bound = depth_bound(rules, all);
    if (all->has_ties) entry = plain_tie(hits, all->count, entry);
    ret->depth = plain_follow(rules, hits, all->count, entry, ret);
    /* the first entry, as deep as anything goes */
    if (ret->depth == bound) return;
    uint32_t depth = plain_depth(rules, hits, all->count);
    if (depth == ret->depth) return;
    entry = plain_entry(rules, hits, all->count, depth);
    if (all->has_ties) entry = plain_tie(hits, all->count, entry);
    ret->depth = plain_follow(rules, hits, all->count, entry, ret);
    check(ret->depth == depth);
}

void chain_find(const ChainRules *rules, const Hits *all, Arena scratch, Chain *ret)
{
    const Hit *hits = all->hits;
    uint32_t entry = 0, count = all->count;
    ret->depth = 0;
    if (rules->order != ORDER_ANY && !(all->steps & 1)) return;
    while (entry < count && !is_entry(rules, &hits[entry])) entry++;
    if (entry == count) return;
    if (is_plain(rules, all)) {
        plain_find(rules, all, entry, ret);
        return;
    }
    uint8_t *depths = arena_new(&scratch, uint8_t, count);
    chain_reach(rules, all, scratch, depths);
    ret->entry = entry;
    for (uint32_t at = entry; at < count; at++) {
        bool is_tie = depths[at] == depths[ret->entry] && hits[at].time_ms == hits[ret->entry].time_ms;
        if (depths[at] > depths[ret->entry] || (is_tie && hits[at].group < hits[ret->entry].group))
            ret->entry = at;
    }
    uint32_t depth = depths[ret->entry];
    if (depth == 0) return;                             /* no memory to tell */
    follow(rules, all, scratch, ret);
    check(ret->depth == depth);
}

void chain_follow(const ChainRules *rules, const Hits *hits, uint32_t entry, Arena scratch, Chain *ret)
{
    ret->entry = entry;
    if (is_plain(rules, hits)) ret->depth = plain_follow(rules, hits->hits, hits->count, entry, ret);
    else follow(rules, hits, scratch, ret);
}
