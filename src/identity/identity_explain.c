/* Explains why: the evidence of a node, and the path of evidence between two nodes.
 *
 * Evidence is a graph: identifiers, and rows between them. Three widths of it are searched in turn:
 *   HOLDS     what makes persons now: each identifier with its present owner, and the aliases of users
 *   COUNTS    all evidence that counts: a shared device now connects its users, though it merges nobody
 *   GIVEN     all that was ever said: also what was taken back, is over a limit, or is outranked
 * The first width in which the two meet gives the path and the reason. The search is breadth first, so it finds a
 * shortest path. Outside HOLDS a weaker node's rows are found from the node only when they no longer count, so the
 * search runs from both ends.
 */
#include "identity_state.h"

#include <stdlib.h>

enum { LOOK_AT_MOST = 100000 };        /* nodes of one search beyond one person: a longer path explains nothing */

enum width { HOLDS, COUNTS, GIVEN };

static uint32_t node_of_value(const struct identity *identity, uint32_t node, IdentityKind kind)
{
    char text[LIMIT_ID_BYTES];
    if (identity->nodes[node].kind == kind) return node;
    return identity_lookup(identity, kind, identity_read_value(identity, node, text));
}

static bool is_forgotten(const struct identity *identity, const struct row *row)
{
    return row->flags & ROW_ERASED || identity->nodes[row->owner].flags & NODE_ERASED;
}

/* Makes a link of the row; an alias of a value that turned out to be a user's is one between users. */
static IdentityLink link_of(const struct identity *identity, uint32_t node, const struct row *row)
{
    bool joins_users = row->flags & ROW_ALIAS && identity->nodes[node].flags & NODE_PROMOTED;
    return (IdentityLink){
        .from = joins_users ? node_of_value(identity, node, IDENTITY_USER) : node, .to = row->owner,
        .time_ms = row->time_ms, .position = row->position, .source = row->source,
        .rule = joins_users               ? IDENTITY_BY_ALIAS_OF_USER
                : row->flags & ROW_ALIAS ? IDENTITY_BY_ALIAS
                                         : IDENTITY_BY_MESSAGE,
        .is_removed = row->flags & ROW_REMOVED,
    };
}

/* ---- The evidence of a node ---- */

struct collector {
    const struct identity *identity;
    uint32_t owner;                      /* whose incoming rows are wanted */
    struct vector links;               /* IdentityLink */
    Status status;
    Err *err;
};

static void collect_rows(struct collector *collector, uint32_t node, bool only_to_owner, bool only_of_users)
{
    const struct identity *identity = collector->identity;
    struct vector rows = { 0 };
    if (!collector->status) collector->status = identity_list_rows(identity, node, &rows, collector->err);
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *row = &((struct found *)rows.items)[i].row;
        if (is_forgotten(identity, row) || (only_to_owner && row->owner != collector->owner)) continue;
        IdentityLink link = link_of(identity, node, row);
        if (only_to_owner ? link.rule == IDENTITY_BY_ALIAS_OF_USER
                        : only_of_users != (link.rule == IDENTITY_BY_ALIAS_OF_USER)) continue;
        *(IdentityLink *)vector_push(&collector->links, sizeof link) = link;
    }
    vector_done(&rows);
}

static void collect_owned(void *context, uint32_t node)
{
    collect_rows(context, node, true, false);
}

static int compare_links(const void *a, const void *b)
{
    const IdentityLink *x = a, *y = b;
    if (x->time_ms != y->time_ms) return x->time_ms < y->time_ms ? -1 : 1;
    if (x->position != y->position) return x->position < y->position ? -1 : 1;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return (int)x->rule - (int)y->rule;         /* an alias may link the same two twice; rows come in any order */
}

static void collect_links(struct collector *collector, uint32_t node)
{
    const struct identity *identity = collector->identity;
    collector->owner = node;
    if (identity->nodes[node].kind != IDENTITY_USER) {
        collect_rows(collector, node, false, false);
    } else {
        uint32_t aliased = node_of_value(identity, node, IDENTITY_ANONYMOUS);
        if (aliased != NONE) collect_rows(collector, aliased, false, true);
        for (uint32_t end = identity_first_alias(identity, node); end;) {
            const struct alias_end *h = &((struct alias_end *)identity->alias_ends.items)[end];
            const struct row *row = &h->row;
            if (!h->is_from) {
                IdentityLink *link = vector_push(&collector->links, sizeof *link);
                *link = (IdentityLink){ h->other, node, row->time_ms, row->position, row->source,
                                        IDENTITY_BY_ALIAS_OF_USER, false };
            }
            end = h->next;
        }
    }
    if (identity->nodes[node].kind != IDENTITY_ANONYMOUS)
        identity_visit_owned(identity, node, collect_owned, collector);
}

Status identity_list_links(const struct identity *identity, IdentityNode node, size_t max, Arena *arena,
                           IdentityLinks *ret, Err *err)
{
    struct collector collector = { .identity = identity, .err = err };
    check(node < identity->node_count && max > 0);
    collect_links(&collector, node);
    size_t all = collector.links.count, kept = all < max ? all : max, oldest = kept - kept / 2;
    IdentityLink *found = collector.links.items, *links = arena_try(arena, sizeof *links, _Alignof(IdentityLink), kept);
    if (links && all) {
        qsort(found, all, sizeof *found, compare_links);
        memcpy(links, found, oldest * sizeof *links);
        memcpy(links + oldest, found + all - (kept - oldest), (kept - oldest) * sizeof *links);
    }
    vector_done(&collector.links);
    if (collector.status) return collector.status;
    *ret = (IdentityLinks){ links, kept, all - kept };
    return links ? OK : err_set(err, ERR_TOO_LARGE, "%zu links are more than an answer holds", kept);
}

/* ---- Paths ---- */

struct path { uint32_t from, to; enum width width; };           /* from which node to which, along which rows */
struct step { uint32_t node, before; IdentityLink link; };      /* before: index of the step that led here */

struct search {
    const struct identity *identity;
    enum width width;
    struct vector steps;
    struct map32 reached;              /* node -> step */
    uint32_t at;                       /* the step whose neighbours are being added */
    Status status;
    Err *err;
};

static void reach(struct search *search, uint32_t node, IdentityLink link)
{
    if (map32_find(&search->reached, node) || (search->width != HOLDS && search->steps.count >= LOOK_AT_MOST)) return;
    map32_put(&search->reached, node, (uint32_t)search->steps.count);
    *(struct step *)vector_push(&search->steps, sizeof(struct step)) = (struct step){ node, search->at, link };
}

/* Does the row connect its ends in a search of this width? */
static bool is_followed(const struct search *search, uint32_t node, const struct row *row)
{
    const struct identity *identity = search->identity;
    if (is_forgotten(identity, row)) return false;
    if (search->width == GIVEN) return true;
    if (row->flags & ROW_ALIAS && identity->nodes[node].flags & NODE_PROMOTED) return !(row->flags & ROW_REMOVED);
    if (!identity_row_counts(identity, node, row)) return false;
    return search->width == COUNTS || row->owner == identity_owner_now(identity, node);
}

/* Follows a weaker node's rows to their owners; if several lead to one owner, the oldest is the reason. */
static void reach_owners(struct search *search, uint32_t node, uint32_t only_owner)
{
    const struct identity *identity = search->identity;
    bool is_user = identity->nodes[node].kind == IDENTITY_USER;
    uint32_t from = is_user ? node_of_value(identity, node, IDENTITY_ANONYMOUS) : node;
    if (from == NONE) return;
    struct vector found = { 0 }, rows = { 0 };
    if (!search->status) search->status = identity_list_rows(identity, from, &rows, search->err);
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *row = &((struct found *)rows.items)[i].row;
        bool is_of_users = row->flags & ROW_ALIAS && identity->nodes[from].flags & NODE_PROMOTED;
        if (is_of_users != is_user) continue;
        if ((only_owner != NONE && row->owner != only_owner) || !is_followed(search, from, row)) continue;
        *(IdentityLink *)vector_push(&found, sizeof(IdentityLink)) = link_of(identity, from, row);
    }
    IdentityLink *links = found.items;
    if (found.count) qsort(links, found.count, sizeof *links, compare_links);
    for (size_t i = 0; i < found.count; i++) reach(search, only_owner == NONE ? links[i].to : node, links[i]);
    vector_done(&found);
    vector_done(&rows);
}

static void reach_owned(void *context, uint32_t node)
{
    struct search *search = context;
    reach_owners(search, node, ((struct step *)search->steps.items)[search->at].node);
}

static void reach_neighbours(struct search *search, uint32_t node)
{
    const struct identity *identity = search->identity;
    reach_owners(search, node, NONE);
    if (identity->nodes[node].kind != IDENTITY_ANONYMOUS) identity_visit_owned(identity, node, reach_owned, search);
    if (identity->nodes[node].kind != IDENTITY_USER) return;
    for (uint32_t end = identity_first_alias(identity, node); end;) {
        const struct alias_end *h = &((struct alias_end *)identity->alias_ends.items)[end];
        const struct row *row = &h->row;
        uint32_t from = h->is_from ? node : h->other;
        reach(search, h->other, (IdentityLink){ from, row->owner, row->time_ms, row->position, row->source,
                                                IDENTITY_BY_ALIAS_OF_USER, false });
        end = h->next;
    }
}

/* Finds a shortest path between two ends; *ret_found is false if there is none. */
static Status find_path(const struct identity *identity, struct path path, Arena *arena, IdentityWhy *ret,
                        bool *ret_found, Err *err)
{
    struct search search = { .identity = identity, .width = path.width, .err = err };
    bool is_found = false;
    reach(&search, path.from, (IdentityLink){ 0 });
    for (search.at = 0; search.at < search.steps.count && !is_found && !search.status; search.at++) {
        reach_neighbours(&search, ((struct step *)search.steps.items)[search.at].node);
        is_found = map32_find(&search.reached, path.to) != NULL;
    }
    if (is_found) {
        const struct step *steps = search.steps.items;
        uint32_t end = *map32_find(&search.reached, path.to);
        for (uint32_t at = end; at; at = steps[at].before) ret->link_count++;
        ret->links = arena_new(arena, IdentityLink, ret->link_count);
        for (uint32_t at = end, place = (uint32_t)ret->link_count; at; at = steps[at].before)
            ret->links[--place] = steps[at].link;
    }
    vector_done(&search.steps);
    map32_done(&search.reached);
    *ret_found = is_found;
    return search.status;
}

static void reverse_path(IdentityWhy *why)
{
    for (size_t i = 0, k = why->link_count; i + 1 < k--; i++) {
        IdentityLink link = why->links[i];
        why->links[i] = why->links[k];
        why->links[k] = link;
    }
}

/* Finds what keeps the ends of a path apart: the first node that leads on to two owners, or the first link that does
 * not count. */
static void find_obstacle(const struct identity *identity, enum width width, IdentityWhy *why)
{
    why->reason = IDENTITY_APART_SHARED;
    for (size_t i = 0; i < why->link_count; i++) {
        const IdentityLink *link = &why->links[i];
        bool is_over_limit = link->rule == IDENTITY_BY_MESSAGE &&
                             !identity_is_within_limit(identity, link->from, link->to);
        if (width == GIVEN && (link->is_removed || is_over_limit)) {
            why->reason = link->is_removed ? IDENTITY_APART_REMOVED : IDENTITY_APART_LIMIT;
            why->at = link->from;
            return;
        }
        if (i > 0 && why->links[i - 1].from == link->from && link->rule != IDENTITY_BY_ALIAS_OF_USER)
            why->at = link->from;
    }
    if (why->at == NONE && why->link_count) why->at = why->links[0].from;
}

Status identity_explain(const struct identity *identity, IdentityNode a, IdentityNode b, Arena *arena,
                        IdentityWhy *ret, Err *err)
{
    bool is_found = false;
    *ret = (IdentityWhy){ .reason = IDENTITY_APART_UNSEEN, .at = NONE };
    if (a == NONE || b == NONE) return OK;
    check(a < identity->node_count && b < identity->node_count);
    if (identity_person_now(identity, a) == identity_person_now(identity, b)) {
        ret->reason = IDENTITY_SAME;
        return find_path(identity, (struct path){ a, b, HOLDS }, arena, ret, &is_found, err);
    }
    for (enum width width = COUNTS; width <= GIVEN; width++) {
        Status s = find_path(identity, (struct path){ a, b, width }, arena, ret, &is_found, err);
        if (!s && !is_found) {
            s = find_path(identity, (struct path){ b, a, width }, arena, ret, &is_found, err);
            if (is_found) reverse_path(ret);
        }
        if (s) return s;
        if (!is_found) continue;
        find_obstacle(identity, width, ret);
        return OK;
    }
    ret->reason = IDENTITY_APART_NO_EVIDENCE;
    return OK;
}
