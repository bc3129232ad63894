/* What the engine holds; private to this folder. The rules are in identity.h.
 *
 *   values    every value once, packed (a UUID takes 17 bytes), found through `segments`, a hash table that
 *             grows piece by piece, so that no single insert ever waits for a great rehash
 *   nodes     16 bytes each: the value, who owns it, the next one that the same owner owns
 *   rows      the evidence, 24 bytes each, chained per weaker node by `heads`
 *   shared    identifiers of several owners: all their evidence in order of time
 *   rings     user ids that aliases joined are a circular list; `alias_ends` are the aliases as a graph
 *   slots     what views show: for each node the person, or that it is shared (a page is copied before it is written)
 *
 * Rows are the evidence, and the only truth; owners, rings and slots follow from them, and
 * identity_recompute and identity_rejoin make them anew from the rows for whatever evidence was removed.
 */
#ifndef ONYM_IDENTITY_STATE_H
#define ONYM_IDENTITY_STATE_H

#include "identity.h"

#include <pthread.h>

#define NONE IDENTITY_NONE

enum {
    SEGMENTS_MAX = 1 << 15, SEGMENT_BUCKETS = 4096, BUCKET_NODES = 12, BUCKET_BYTES = 64,
    ROWS_MAX = INT32_MAX,
    VALUE_UNIT = 4,                    /* values begin at multiples of this */
    VALUE_PACKED_BYTES = LIMIT_ID_BYTES + 4,
};

enum {
    NODE_SEEN = 1,                     /* a message had it in its own field */
    NODE_ALIASED = 2,                  /* was an alias's previousId */
    NODE_PROMOTED = 4,                 /* aliased, and the value is a user id, too: its aliases join users (rule 1) */
    NODE_ERASED = 8, NODE_SHARED = 16,
    NODE_OVERSHARED = 32,              /* too many owners (rule 8): unowned; next: the strength of what counted */
    NODE_ALONE = 64,                   /* an external id that a message had without an id that it could be linked to */
    NODE_LED_TO = 128,                 /* an external id that other ids were linked to: rows have it as their owner */
};

struct node {
    uint32_t value;                    /* in units of VALUE_UNIT */
    uint32_t link;                     /* user: next of its ring. others: owner, NONE, or index of shared */
    uint32_t next;                     /* user: first of what it owns. others: the next of the same owner */
    uint16_t hash;
    uint8_t kind, flags;
};
_Static_assert(sizeof(struct node) == 16, "sixteen bytes a node");

enum { ROW_ALIAS = 1, ROW_REMOVED = 2, ROW_ERASED = 4 };

struct row {                           /* one piece of evidence: heads[node] -> row -> row.previous … */
    uint32_t owner, previous;          /* the stronger id; the row before it, 0 for none */
    Millis time_ms;
    uint64_t position : JOURNAL_NUMBER_BITS, source : 12, flags : 4;
};
_Static_assert(sizeof(struct row) == 24, "twenty-four bytes a row");

struct moment {                        /* evidence of a shared node, in order of time */
    Millis time_ms;
    uint64_t position;
    uint32_t owner;
    uint32_t id;                       /* messageId as a packed value; 0: not read yet */
};
_Static_assert(sizeof(struct moment) == 24, "moments are stored as they are");

struct shared {
    uint32_t node, home;               /* home: the owner in whose list the node hangs by node.next */
    uint32_t *owners;                  /* sorted by number */
    uint32_t owner_count, owner_capacity;
    struct moment *moments;
    uint32_t moment_count, moment_capacity;
    Millis *mixed;                     /* ascending: instants whose moments have several owners */
    uint32_t mixed_count, mixed_capacity;
    bool is_dirty, is_unsaved;         /* since the last publish, the last save */
};

struct segment { uint32_t node_count; uint8_t bits; };     /* bits: of the hash, that lead to it */
struct map32 { uint64_t *entries; uint32_t count, capacity; };         /* u32 -> u32 */
struct set128 { Hash128 *entries; uint32_t count, capacity; };
struct vector { void *items; size_t count, capacity; };
struct alias_end { uint32_t user, other, next; bool is_from; struct row row; };      /* an alias as seen from one end */
struct found { struct row row; uint32_t index; };                      /* index: of the row in memory; 0: archived */
struct change { struct row row; uint32_t node, next; };                /* of an archived row: its flags now */
struct entry { uint32_t shared, next; };                                /* a shared node in a list of an owner */
struct candidate { uint32_t node; Millis time_ms; uint32_t id; };      /* for a limit: when it was first linked */

struct page_table { void **pages; uint64_t *born; size_t count, capacity; };
struct garbage { void *memory; uint64_t version; };                    /* views up to this version see it */

struct identity {
    /* the rules */
    struct set128 blocked;
    size_t blocked_longest;
    uint64_t blocked_firsts[4];        /* a bit for each first byte of one, | 0x20 */
    struct {
        char name[LIMIT_KIND_NAME_BYTES];
        uint8_t name_bytes;
        bool folds;
        uint32_t limit;
    } externals[IDENTITY_KINDS];
    uint32_t external_count, max_owners, placeholders;
    IdentityArchive archive;
    IdentityStore store;
    uint64_t seed;

    /* what the store has: identity_save.c */
    struct vector saved_slices[4];     /* uint64_t: hash of each slice as it was saved last */
    struct vector unsaved_shared;      /* uint32_t: indexes */
    uint32_t saved_value_end;
    bool has_wiped_values, has_new_candidates, has_new_removed;
    uint64_t position;

    /* identifiers */
    struct region node_region, value_region, row_region, head_region;
    struct node *nodes;
    char *values;
    uint32_t node_count, value_end;
    struct region table_region;
    struct segment *segments;
    uint32_t *directory, directory_bits, segment_count;
    uint32_t seen_count[IDENTITY_KINDS], erased_count;

    /* evidence */
    struct row *rows;                  /* row 0 is none */
    uint32_t *heads, row_count;
    struct set128 removed;             /* messages whose evidence was taken back */
    struct vector touched;             /* uint32_t: nodes with rows in memory, if there is a store */
    uint32_t run_count, saves_run, saved_nodes;
    uint64_t saved_rows;
    struct vector changes;             /* struct change: what archived rows have become since they were saved */
    struct map32 change_heads;         /* node -> change */
    uint32_t aliased_count;
    uint64_t alias_count, blocked_count;

    /* owners */
    struct vector shared;              /* struct shared */
    struct vector shared_free;         /* uint32_t: indexes to use again */
    struct vector dirty;               /* uint32_t: shared ones whose spans changed since the last publish */
    struct map32 entry_heads, alias_heads, child_heads;       /* by owner; by user; by external id */
    struct vector entries, alias_ends;
    uint32_t entry_free, alias_free;
    struct map32 holding_heads;        /* by owner * IDENTITY_KINDS + kind */
    struct vector holdings;            /* struct vector of struct candidate: the first ones count */
    struct vector scratch;             /* struct moment */

    /* views */
    struct page_table slots, spans;
    uint64_t version;                  /* of the newest published view */
    uint32_t published_nodes;
    bool is_changed;
    pthread_mutex_t lock;              /* views, readers */
    struct identity_view *newest, *oldest;
    struct vector garbage;             /* struct garbage, versions growing */
    size_t garbage_start;
};

/* identity_containers.c: the small containers */
void *vector_push(struct vector *vector, size_t item_bytes);
void vector_done(struct vector *vector);
uint32_t *map32_find(const struct map32 *map, uint32_t key);           /* NULL where absent */
void map32_put(struct map32 *map, uint32_t key, uint32_t value);
void map32_done(struct map32 *map);
bool set128_has(const struct set128 *set, Hash128 key);
void set128_put(struct set128 *set, Hash128 key);
void set128_remove(struct set128 *set, Hash128 key);
void set128_done(struct set128 *set);

/* identity_intern.c */
size_t identity_pack(Str value, unsigned char *packed);                /* room for VALUE_PACKED_BYTES */
Str identity_unpack(const char *packed, char *text);                   /* room for LIMIT_ID_BYTES */
bool identity_is_packed(const struct identity *identity, uint32_t value);          /* one lies there, as a whole */
uint32_t identity_keep_value(struct identity *identity, Str value);    /* not interned: message ids */
uint32_t identity_lookup(const struct identity *identity, IdentityKind kind, Str value);
uint32_t identity_intern(struct identity *identity, IdentityKind kind, Str value, bool *ret_is_new);
void identity_rebuild_table(struct identity *identity);
void identity_forget(struct identity *identity, uint32_t node);        /* out of the table, value wiped */
int identity_compare_values(const struct identity *identity, uint32_t a, uint32_t b);
void identity_intern_init(struct identity *identity);
void identity_intern_done(struct identity *identity);

/* identity_evidence.c */
Status identity_save_evidence(struct identity *identity, struct kv_txn *txn, Err *err);
void identity_end_evidence(struct identity *identity);
Status identity_list_rows(const struct identity *identity, uint32_t node, struct vector *found, Err *err);
void identity_flag_row(struct identity *identity, uint32_t node, struct found *found, unsigned flags);
/* Takes out of nodes those of the owners that any row leads to, by reading all rows. All ascending. */
Status identity_drop_led_to(const struct identity *identity, const uint32_t *owners, size_t owner_count,
                            uint32_t *nodes, size_t *count, Err *err);

/* identity_apply.c */
bool identity_is_seen(const struct identity *identity, uint32_t node);
static inline unsigned identity_strength(const struct identity *identity, uint32_t node)      /* 0 is strongest */
{
    unsigned kind = identity->nodes[node].kind;
    return kind == IDENTITY_ANONYMOUS ? IDENTITY_KINDS : kind;
}

/* identity_claim.c: whom a weaker node belongs to */
bool identity_row_counts(const struct identity *identity, uint32_t node, const struct row *row);
Status identity_claim(struct identity *identity, uint32_t node, uint32_t row, Str message_id, Err *err);
void identity_restore_shared(struct identity *identity, uint32_t index, const void *moments, size_t count);
Status identity_recompute(struct identity *identity, uint32_t node, Err *err);
Status identity_fetch_id(struct identity *identity, struct moment *moment, Err *err);
Status identity_settle_instant(struct identity *identity, struct moment *moments, uint32_t from, uint32_t to, Err *err);
Str identity_read_id(const struct identity *identity, const struct moment *moment, char *text);
uint32_t identity_owner_at(const struct identity *identity, uint32_t node, Millis time_ms, Str message_id);
uint32_t identity_owner_now(const struct identity *identity, uint32_t node);      /* NONE where unowned */
void identity_claim_done(struct identity *identity);

/* identity_tree.c: what an owner owns, as lists */
void identity_add_child(struct identity *identity, uint32_t owner, uint32_t node);
void identity_remove_child(struct identity *identity, uint32_t owner, uint32_t node);
void identity_add_entry(struct identity *identity, uint32_t owner, uint32_t shared);
void identity_remove_entry(struct identity *identity, uint32_t owner, uint32_t shared);
/* Every node that was ever linked to owner, once; visit may change nothing. */
typedef void IdentityVisitNode(void *context, uint32_t node);
void identity_visit_owned(const struct identity *identity, uint32_t owner, IdentityVisitNode *visit, void *context);
void identity_show_node(struct identity *identity, uint32_t node);     /* its slot, and those of what it owns */

/* identity_user.c: user ids that are one person */
void identity_join(struct identity *identity, uint32_t a, uint32_t b);
void identity_add_alias(struct identity *identity, uint32_t from, const struct row *row);      /* to row->owner */
void identity_remove_alias(struct identity *identity, uint32_t from, const struct row *row);
void identity_rejoin(struct identity *identity, uint32_t user);        /* after an alias was removed */
uint32_t identity_first_alias(const struct identity *identity, uint32_t user);   /* 0 for none */

/* identity_limit.c: how many of a kind one owner may hold */
bool identity_is_within_limit(const struct identity *identity, uint32_t node, uint32_t owner);
Status identity_note_candidate(struct identity *identity, uint32_t node, uint32_t row, Str message_id, Err *err);
Status identity_review_candidate(struct identity *identity, uint32_t node, uint32_t owner, Err *err);
void identity_limit_done(struct identity *identity);

/* identity_judge.c: what was loaded, part by part in the order of loading */
bool identity_nodes_are_sound(const struct identity *identity);
bool identity_aliases_are_sound(const struct identity *identity);
bool identity_moments_are_sound(const struct identity *identity, uint32_t node, const void *moments, size_t count);
bool identity_shared_are_sound(const struct identity *identity);

/* identity_save.c */
Status identity_load(struct identity *identity, Err *err);
/* identity_blocked.c. room: LIMIT_ID_BYTES. */
Status identity_block(struct identity *identity, const IdentityRules *rules, Err *err);
Str identity_fold(const struct identity *identity, IdentityKind kind, Str value, char *room);
void identity_save_done(struct identity *identity);
void identity_note_unsaved(struct identity *identity, uint32_t shared);

/* identity_view.c */
uint32_t identity_slot(const struct identity *identity, uint32_t node);
void identity_set_slot(struct identity *identity, uint32_t node, uint32_t slot);
void identity_mark_shared(struct identity *identity, uint32_t shared);
void identity_drop_shared(struct identity *identity, uint32_t shared);
void identity_view_init(struct identity *identity);
void identity_view_done(struct identity *identity);

static inline struct shared *identity_shared(const struct identity *identity, uint32_t index)
{
    return &((struct shared *)identity->shared.items)[index];
}
static inline Status identity_message_id_at(const struct identity *identity, uint64_t position,
                                            char text[LIMIT_MESSAGE_ID_BYTES], size_t *ret_len, Err *err)
{
    *ret_len = 0;
    if (!identity->archive.read_message_id) return OK;
    return identity->archive.read_message_id(identity->archive.context, position, text, ret_len, err);
}

#endif
