/* Applies what one message says, or takes it back.
 *
 * A message becomes pairs (weaker identifier, stronger one), and each pair a row. The meaning of an alias may change
 * later: its previousId names an anonymous id until the same value is seen as a user id. So the rows of an alias
 * always hang at the anonymous node of that value. When the user id shows up they are promoted: then they join
 * users, and no longer count as a claim.
 */
#include "identity_state.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_FROM = 16 << 20, MAX_OWNERS = 10000 };

enum { REGION_VALUES = 48 };           /* bytes of address space per node; only touched pages cost */

/* Gives the value if it may be an identifier; empty if there is none or the value is blocked. */
static Str usable(const struct identity *identity, Str value)
{
    if (value.len == 0 || value.len > LIMIT_ID_BYTES || identity_is_blocked(identity, value)) return (Str){ "", 0 };
    return value;
}

/* ---- Opening ---- */

static Status read_rules(struct identity *identity, const IdentityRules *rules, Err *err)
{
    identity->max_owners = rules->max_owners ? rules->max_owners : MAX_OWNERS;
    Status s = identity_block(identity, rules, err);
    if (s) return s;
    if (rules->external_count > IDENTITY_KINDS - IDENTITY_EXTERNAL)
        return err_set_field(err, "externals", "at most %d kinds of external ids", IDENTITY_KINDS - IDENTITY_EXTERNAL);
    for (size_t i = 0; i < rules->external_count; i++) {
        Str name = rules->externals[i].name;
        bool is_word = name.len >= 2 && name.len <= sizeof identity->externals[0].name;
        for (size_t k = 0; is_word && k < name.len; k++)
            is_word = memchr("abcdefghijklmnopqrstuvwxyz0123456789._-", name.bytes[k], 39) != NULL;
        for (size_t k = 0; is_word && k < i; k++) is_word = !str_equal(name, rules->externals[k].name);
        if (!is_word)
            return err_set_field(err, "externals", "\"%.*s\" is there twice or is no name of an external id, "
                                 "2 to 32 of a-z 0-9 . _ -", STR_FORMAT(name));
        memcpy(identity->externals[IDENTITY_EXTERNAL + i].name, name.bytes, name.len);
        identity->externals[IDENTITY_EXTERNAL + i].name_bytes = (uint8_t)name.len;
        identity->externals[IDENTITY_EXTERNAL + i].limit = rules->externals[i].limit;
        identity->externals[IDENTITY_EXTERNAL + i].folds = rules->externals[i].folds;
    }
    identity->external_count = (uint32_t)rules->external_count;
    return OK;
}

Status identity_open(const IdentityOptions *options, struct identity **ret, Err *err)
{
    struct identity *identity = calloc(1, sizeof *identity);
    check(identity);
    identity->archive = options->archive;
    identity->store = options->store;
    identity->seed = options->seed;
    Status s = read_rules(identity, &options->rules, err);
    if (s) {
        set128_done(&identity->blocked);
        free(identity);
        return s;
    }
    region_open(&identity->node_region, (size_t)IDENTITY_NODES_MAX * sizeof(struct node));
    region_open(&identity->head_region, (size_t)IDENTITY_NODES_MAX * sizeof(uint32_t));
    region_open(&identity->value_region, (size_t)IDENTITY_NODES_MAX * REGION_VALUES);
    region_open(&identity->row_region, (size_t)ROWS_MAX * sizeof(struct row));
    identity_intern_init(identity);
    const struct region *regions[] = { &identity->node_region, &identity->head_region, &identity->value_region,
                                       &identity->row_region, &identity->table_region };
    for (size_t i = 0; i < countof(regions); i++)
        madvise(regions[i]->start + HUGE_FROM, regions[i]->bytes - HUGE_FROM, MADV_HUGEPAGE);
    identity->nodes = (struct node *)(void *)identity->node_region.start;
    identity->heads = (uint32_t *)(void *)identity->head_region.start;
    identity->values = identity->value_region.start;
    identity->rows = (struct row *)(void *)identity->row_region.start;
    identity->row_count = 1;                                  /* row 0 and value 0 are none */
    identity->value_end = 1;
    identity_view_init(identity);
    if (options->store.kv) s = identity_load(identity, err);
    if (s) {
        identity_close(identity);
        return s;
    }
    *ret = identity;
    return OK;
}

void identity_close(struct identity *identity)
{
    if (!identity) return;
    identity_view_done(identity);
    identity_claim_done(identity);
    identity_limit_done(identity);
    identity_intern_done(identity);
    identity_save_done(identity);
    set128_done(&identity->blocked);
    set128_done(&identity->removed);
    map32_done(&identity->entry_heads);
    map32_done(&identity->alias_heads);
    map32_done(&identity->child_heads);
    vector_done(&identity->entries);
    vector_done(&identity->alias_ends);
    vector_done(&identity->changes);
    map32_done(&identity->change_heads);
    region_close(&identity->node_region);
    region_close(&identity->head_region);
    region_close(&identity->value_region);
    region_close(&identity->row_region);
    free(identity);
}

/* ---- What a message says ---- */

struct pair { uint32_t from; bool is_alias; };
struct claims {
    uint32_t user, anonymous, owner;                            /* owner: the strongest identifier of the message */
    struct pair pairs[IDENTITY_MESSAGE_EXTERNALS + 2];        /* what is linked to the owner */
    size_t pair_count;
    Status status;
};

bool identity_is_seen(const struct identity *identity, uint32_t node)
{
    unsigned flags = identity->nodes[node].flags;
    return flags & NODE_SEEN || (flags & (NODE_ALIASED | NODE_PROMOTED)) == NODE_ALIASED;
}

/* The value has now been seen as a user id, so the aliases that name it join users. */
static Status promote(struct identity *identity, uint32_t anonymous, uint32_t user, Err *err)
{
    struct vector found = { 0 };
    identity->nodes[anonymous].flags |= NODE_PROMOTED;
    Status s = identity_list_rows(identity, anonymous, &found, err);
    for (size_t i = 0; !s && i < found.count; i++) {
        const struct row *row = &((struct found *)found.items)[i].row;
        if (row->flags & ROW_ALIAS && !(row->flags & (ROW_REMOVED | ROW_ERASED)) &&
            !(identity->nodes[row->owner].flags & NODE_ERASED))
            identity_add_alias(identity, user, row);
    }
    vector_done(&found);
    return s ? s : identity_recompute(identity, anonymous, err);
}

/* Finds the node of the value; with make, interns it and marks it as seen. */
static uint32_t see(struct identity *identity, IdentityKind kind, Str value, bool make, struct claims *claims,
                    Err *err)
{
    bool is_new;
    if (value.len == 0) return NONE;
    if (!make) return identity_lookup(identity, kind, value);
    uint32_t node = identity_intern(identity, kind, value, &is_new);
    if (identity->nodes[node].flags & NODE_SEEN) return node;
    identity->nodes[node].flags |= NODE_SEEN;
    identity->seen_count[kind]++;
    if (kind != IDENTITY_USER || !identity->aliased_count) return node;
    uint32_t aliased = identity_lookup(identity, IDENTITY_ANONYMOUS, value);
    if (aliased != NONE && identity->nodes[aliased].flags & NODE_ALIASED && !claims->status)
        claims->status = promote(identity, aliased, node, err);
    return node;
}

/* Finds the anonymous node of an alias's previousId, at which its rows hang. */
static uint32_t see_previous(struct identity *identity, Str value, bool make)
{
    bool is_new;
    if (!make) return identity_lookup(identity, IDENTITY_ANONYMOUS, value);
    uint32_t node = identity_intern(identity, IDENTITY_ANONYMOUS, value, &is_new);
    if (identity->nodes[node].flags & NODE_ALIASED) return node;
    identity->nodes[node].flags |= NODE_ALIASED;
    identity->aliased_count++;
    if (identity_lookup(identity, IDENTITY_USER, value) != NONE) identity->nodes[node].flags |= NODE_PROMOTED;
    return node;
}

/* No row will tell of these that the message had them: erasing a person takes no message that names nobody. */
static void note_alone(struct identity *identity, const uint32_t *externals, size_t count, const struct claims *claims)
{
    uint8_t kind = identity->nodes[claims->owner].kind;
    bool is_linked = claims->anonymous != NONE;              /* then the strongest one is */
    for (size_t i = 0; i < count; i++)
        is_linked |= externals[i] != NONE && identity->nodes[externals[i]].kind != kind;
    for (size_t i = 0; i < count; i++) {
        if (externals[i] == NONE || identity->nodes[externals[i]].kind != kind) continue;
        if (externals[i] != claims->owner || !is_linked) identity->nodes[externals[i]].flags |= NODE_ALONE;
    }
}

static void read_claims(struct identity *identity, const IdentityMessage *m, bool make, struct claims *claims, Err *err)
{
    uint32_t externals[IDENTITY_MESSAGE_EXTERNALS];
    char room[LIMIT_ID_BYTES];
    Str user_id = usable(identity, m->user_id), anonymous_id = usable(identity, m->anonymous_id);
    *claims = (struct claims){ .owner = NONE };
    check(m->external_count <= IDENTITY_MESSAGE_EXTERNALS);
    claims->user = see(identity, IDENTITY_USER, user_id, make, claims, err);
    claims->anonymous = see(identity, IDENTITY_ANONYMOUS, anonymous_id, make, claims, err);
    claims->owner = claims->user;
    for (size_t i = 0; i < m->external_count; i++) {
        IdentityKind kind = m->externals[i].kind;
        check(kind >= IDENTITY_EXTERNAL && kind < IDENTITY_EXTERNAL + identity->external_count);
        Str value = identity_fold(identity, kind, m->externals[i].value, room);
        externals[i] = see(identity, kind, usable(identity, value), make, claims, err);
        if (externals[i] == NONE || claims->user != NONE) continue;
        int order = claims->owner == NONE ? -1 : (int)kind - identity->nodes[claims->owner].kind;
        if (order < 0 || (order == 0 && identity_compare_values(identity, externals[i], claims->owner) < 0))
            claims->owner = externals[i];
    }
    if (claims->owner == NONE) return;
    if (make && claims->user == NONE) note_alone(identity, externals, m->external_count, claims);
    if (claims->anonymous != NONE) claims->pairs[claims->pair_count++] = (struct pair){ claims->anonymous, false };
    for (size_t i = 0; i < m->external_count; i++)
        if (externals[i] != NONE && identity->nodes[externals[i]].kind != identity->nodes[claims->owner].kind)
            claims->pairs[claims->pair_count++] = (struct pair){ externals[i], false };
    Str previous_id = m->is_alias && claims->user != NONE ? usable(identity, m->previous_id) : (Str){ "", 0 };
    if (previous_id.len == 0 || str_equal(previous_id, user_id)) return;
    uint32_t previous = see_previous(identity, previous_id, make);
    if (previous != NONE) claims->pairs[claims->pair_count++] = (struct pair){ previous, true };
}

/* ---- Applying ---- */

uint64_t identity_source(Str name)
{
    uint64_t source = hash_64(name, 0);
    return source == IDENTITY_ANY_SOURCE ? 0 : source;
}

static Hash128 message_key(const IdentityMessage *m, uint64_t source) { return hash_128(m->message_id, source); }

static bool is_taken_back(const struct identity *identity, const IdentityMessage *m)
{
    if (!identity->removed.count) return false;
    return set128_has(&identity->removed, message_key(m, m->source))
        || set128_has(&identity->removed, message_key(m, IDENTITY_ANY_SOURCE));
}

static uint32_t user_of_promoted(const struct identity *identity, uint32_t node)
{
    char text[LIMIT_ID_BYTES];
    uint32_t user = identity_lookup(identity, IDENTITY_USER, identity_read_value(identity, node, text));
    check(user != NONE);
    return user;
}

static Status add_link(struct identity *identity, struct pair pair, uint32_t owner, const IdentityMessage *m,
                       bool is_removed, Err *err)
{
    uint32_t row = identity->row_count++;
    check(row < ROWS_MAX && m->position <= JOURNAL_NUMBER_MOST);
    unsigned flags = (pair.is_alias ? ROW_ALIAS : 0) | (is_removed ? ROW_REMOVED : 0);
    identity->rows[row] = (struct row){
        .owner = owner, .previous = identity->heads[pair.from], .time_ms = m->time_ms,
        .position = m->position, .source = m->source & 0xfff, .flags = flags & 0xf,
    };
    if (!identity->heads[pair.from] && identity->store.kv)
        *(uint32_t *)vector_push(&identity->touched, sizeof(uint32_t)) = pair.from;
    identity->heads[pair.from] = row;
    if (identity->nodes[owner].kind >= IDENTITY_EXTERNAL) identity->nodes[owner].flags |= NODE_LED_TO;
    identity->alias_count += pair.is_alias;
    if (is_removed) return OK;
    if (pair.is_alias && identity->nodes[pair.from].flags & NODE_PROMOTED) {
        identity_add_alias(identity, user_of_promoted(identity, pair.from), &identity->rows[row]);
        return OK;
    }
    Status s = identity_note_candidate(identity, pair.from, row, m->message_id, err);
    if (s || !identity_row_counts(identity, pair.from, &identity->rows[row])) return s;
    return identity_claim(identity, pair.from, row, m->message_id, err);
}

Status identity_apply(struct identity *identity, const IdentityMessage *message, IdentityNode *ret_subject, Err *err)
{
    struct claims claims;
    read_claims(identity, message, true, &claims, err);
    if (claims.status) return claims.status;
    *ret_subject = claims.user != NONE ? claims.user : claims.anonymous;
    identity->blocked_count += (message->user_id.len && claims.user == NONE) ||
                               (message->anonymous_id.len && claims.anonymous == NONE);
    if (claims.pair_count == 0) return OK;
    bool is_removed = is_taken_back(identity, message);
    for (size_t i = 0; i < claims.pair_count; i++) {
        Status s = add_link(identity, claims.pairs[i], claims.owner, message, is_removed, err);
        if (s) return s;
    }
    return OK;
}

/* ---- Taking back ---- */

static Status is_row_of(const struct identity *identity, const struct row *row, const IdentityMessage *m, bool *ret,
                        Err *err)
{
    char text[LIMIT_MESSAGE_ID_BYTES];
    size_t len;
    uint64_t source = m->source;
    *ret = row->position == m->position;
    if (*ret || (m->source != IDENTITY_ANY_SOURCE && row->source != (m->source & 0xfff))) return OK;
    Status s = identity_message_id_at(identity, row->position, text, &len, err);     /* a repetition of it? */
    *ret = !s && len && str_equal((Str){ text, len }, m->message_id);
    if (!*ret || m->source == IDENTITY_ANY_SOURCE || !identity->archive.read_source) return s;
    s = identity->archive.read_source(identity->archive.context, row->position, &source, err);
    *ret = !s && source == m->source;
    return s;
}

static Status set_removed(struct identity *identity, const IdentityMessage *m, struct pair pair, uint32_t owner,
                          bool is_removed, Err *err)
{
    struct vector rows = { 0 };
    bool is_changed = false;
    Status s = identity_list_rows(identity, pair.from, &rows, err);
    for (size_t i = 0; !s && i < rows.count; i++) {
        struct found *found = &((struct found *)rows.items)[i];
        struct row *row = &found->row;
        bool is_of;
        if (row->owner != owner || row->time_ms != m->time_ms || !(row->flags & ROW_ALIAS) != !pair.is_alias) continue;
        if (!(row->flags & ROW_REMOVED) != is_removed || row->flags & ROW_ERASED) continue;
        s = is_row_of(identity, row, m, &is_of, err);
        if (s || !is_of) continue;
        identity_flag_row(identity, pair.from, found, row->flags ^ ROW_REMOVED);
        is_changed = true;
        if (!pair.is_alias || !(identity->nodes[pair.from].flags & NODE_PROMOTED)) continue;
        uint32_t user = user_of_promoted(identity, pair.from);
        if (is_removed) identity_remove_alias(identity, user, row);
        else identity_add_alias(identity, user, row);
    }
    vector_done(&rows);
    if (s || !is_changed) return s;
    s = identity_review_candidate(identity, pair.from, owner, err);
    return s ? s : identity_recompute(identity, pair.from, err);
}

static Status set_message_removed(struct identity *identity, const IdentityMessage *m, bool is_removed, Err *err)
{
    struct claims claims;
    identity->has_new_removed = true;
    if (is_removed) set128_put(&identity->removed, message_key(m, m->source));
    else set128_remove(&identity->removed, message_key(m, m->source));
    if (!is_removed) set128_remove(&identity->removed, message_key(m, IDENTITY_ANY_SOURCE));
    read_claims(identity, m, false, &claims, err);
    for (size_t i = 0; i < claims.pair_count; i++) {
        Status s = set_removed(identity, m, claims.pairs[i], claims.owner, is_removed, err);
        if (s) return s;
    }
    return OK;
}

Status identity_unmerge(struct identity *identity, const IdentityMessage *message, Err *err)
{
    return set_message_removed(identity, message, true, err);
}

Status identity_restore(struct identity *identity, const IdentityMessage *message, Err *err)
{
    return set_message_removed(identity, message, false, err);
}

/* ---- Erasing ---- */

size_t identity_read_pairs(struct identity *identity, const IdentityMessage *message,
                           IdentityPair pairs[IDENTITY_MESSAGE_EXTERNALS + 2])
{
    struct claims claims;
    read_claims(identity, message, false, &claims, NULL);
    for (size_t i = 0; i < claims.pair_count; i++)
        pairs[i] = (IdentityPair){ claims.pairs[i].from, claims.owner, message->position };
    return claims.pair_count;
}

static int compare_pairs(const void *a, const void *b)
{
    const IdentityPair *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->owner != y->owner) return x->owner < y->owner ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* Pairs of one node. */
static Status erase_pairs_of(struct identity *identity, const IdentityPair *pairs, size_t count, Err *err)
{
    struct vector rows = { 0 };
    uint32_t node = pairs[0].from;
    Status s = identity_list_rows(identity, node, &rows, err);
    for (size_t i = 0; !s && i < rows.count; i++) {
        struct found *found = &((struct found *)rows.items)[i];
        unsigned flags = found->row.flags;
        IdentityPair pair = { node, found->row.owner, found->row.position };
        if (flags & ROW_ERASED || !bsearch(&pair, pairs, count, sizeof pair, compare_pairs)) continue;
        identity_flag_row(identity, node, found, flags | ROW_ERASED);
        if (!(flags & ROW_ALIAS) || flags & ROW_REMOVED || !(identity->nodes[node].flags & NODE_PROMOTED)) continue;
        identity_remove_alias(identity, user_of_promoted(identity, node), &found->row);
    }
    vector_done(&rows);
    for (size_t i = 0; !s && i < count; i++)
        if (i == 0 || pairs[i].owner != pairs[i - 1].owner)
            s = identity_review_candidate(identity, node, pairs[i].owner, err);
    return s ? s : identity_recompute(identity, node, err);
}

Status identity_erase_pairs(struct identity *identity, IdentityPair *pairs, size_t count, Err *err)
{
    Status s = OK;
    if (!count) return OK;
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t from = 0, to; !s && from < count; from = to) {
        for (to = from + 1; to < count && pairs[to].from == pairs[from].from;) to++;
        s = erase_pairs_of(identity, pairs + from, to - from, err);
    }
    return s;
}
