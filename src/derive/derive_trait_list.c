/* derive_trait_list: which traits there are, and how many people have each.
 *
 * It takes one pass over all rows. If a person has only one subject, it is counted when its row is read; what several
 * subjects wrote about one person is put together first, by the last write. If that does not fit, there is a pass for
 * each part of the people. Traits that are objects are listed by their leaves: "address.city". */
#include "derive_latest.h"
#include "derive_private.h"

#include <stdlib.h>

enum { NAME_BYTES = 256, NAMES_MAX = 5000, DEPTH_MAX = 16, SCRATCH_BYTES = 4 << 20, PARTS_MORE = 4,
       PARTS_MOST = 256 };

struct trait_list_state {
    const DeriveReading *reading;
    uint64_t *joined;                       /* a bit a person: more than one subject may be theirs */
    DeriveTraitName *names;
    struct slots slots;                     /* of the names */
    uint32_t count;
    struct latest_table latest;             /* what several subjects wrote about one person */
    uint32_t part, parts;                   /* of the people of several subjects, those of this pass */
    struct buf last;                        /* the key, then the value of the write at hand */
    bool is_full;
    uint32_t last_subject, last_key_len;
    bool has_last;
    struct region *scratch;
    Arena *arena;
};

/* ---- Counting names ---- */

static void count_name(struct trait_list_state *list, Str name)
{
    uint64_t hash = hash_64(name, 0);
    for (uint32_t at, probe = 0; (at = slots_next(&list->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(list->names[at].name, name)) {
            list->names[at].people++;
            return;
        }
    if (list->count == NAMES_MAX) return;
    if (arena_left(list->arena) < name.len + 64) {
        list->is_full = true;
        return;
    }
    list->names[list->count] = (DeriveTraitName){ arena_copy(list->arena, name), 1 };
    slots_put(&list->slots, hash, list->count++);
}

static void count_leaves(struct trait_list_state *list, const TreeNode *node, char *path, size_t len, int depth)
{
    if (node->kind != FIELD_OBJECT) {
        if (event_tree_is_given(node)) count_name(list, str_of(path, len));
        return;
    }
    for (const TreeNode *member = depth < DEPTH_MAX ? node->first : NULL; member; member = member->next) {
        if (len + 1 + member->key.len > NAME_BYTES) continue;
        path[len] = '.';
        if (member->key.len) memcpy(path + len + 1, member->key.bytes, member->key.len);
        count_leaves(list, member, path, len + 1 + member->key.len, depth + 1);
    }
}

static void count_trait(struct trait_list_state *list, Str key, Str json)
{
    char path[NAME_BYTES + 1];
    Arena scratch = region_arena(list->scratch);
    const TreeNode *node;
    if (key.len > NAME_BYTES || str_equal(json, STR("null"))) return;
    if (!str_starts(json, STR("{"))) {
        count_name(list, key);
        return;
    }
    memcpy(path, key.bytes, key.len);
    if (event_tree_read(json, &scratch, &node, NULL) == OK) count_leaves(list, node, path, key.len, 0);
}

/* ---- The pass ---- */

static void count_last(struct trait_list_state *list)
{
    Str text = buf_str(&list->last);
    if (list->has_last)
        count_trait(list, str_slice(text, 0, list->last_key_len), str_slice(text, list->last_key_len, text.len));
    list->has_last = false;
}

/* If a person has one subject, the last write of a key counts: a row has them in order. */
static bool take_write(void *context, const ProfileValue *value)
{
    struct trait_list_state *list = context;
    const struct identity_view *view = list->reading->view;
    if (derive_is_given_up(list->reading->is_cancelled)) return false;
    uint32_t slot = identity_view_slot(view, value->subject);
    bool is_shared = identity_is_shared(slot);
    uint32_t person = is_shared
        ? identity_view_find_person(view, value->subject, value->time_ms, value->message_id) : slot;
    if (person == IDENTITY_NONE) return true;
    bool is_joined = person < view->node_count && list->joined[person / 64] >> person % 64 & 1;
    if (is_shared || is_joined)
        return person % list->parts != list->part || latest_put(&list->latest, person, value->key, value);
    if (list->part > 0) return true;
    bool is_same = list->has_last && list->last_subject == value->subject
        && str_equal(str_slice(buf_str(&list->last), 0, list->last_key_len), value->key);
    if (!is_same) count_last(list);
    buf_clear(&list->last);
    buf_str_put(&list->last, value->key);
    buf_str_put(&list->last, value->json);
    list->last_subject = value->subject, list->last_key_len = (uint32_t)value->key.len;
    list->has_last = buf_ok(&list->last);
    return true;
}

/* A person whose number is that of its only subject has no other: its bit stays clear. */
static void mark_joined(const struct identity_view *view, uint32_t node, uint64_t *joined)
{
    uint32_t slot = identity_view_slot(view, node);
    if (slot != node) identity_view_mark_owners(view, slot, joined);
}

/* Counts a part of the people with several subjects; the first part also counts all others. */
static Status count_part(struct trait_list_state *list, struct profile_reader *reader, Err *err)
{
    const atomic_bool *is_cancelled = list->reading->is_cancelled;
    if (!latest_open(&list->latest, list->reading->max_bytes)) return OK;          /* it is full */
    list->has_last = false;
    Status s = profile_visit_trait(reader, STR(""), take_write, list, err);
    count_last(list);
    for (size_t at = 0; at < list->latest.count && !s && !derive_is_given_up(is_cancelled); at++) {
        const struct latest *row = &list->latest.rows[at];
        count_trait(list, latest_key(&list->latest, row), latest_json(&list->latest, row));
    }
    if (!s && derive_is_given_up(is_cancelled)) s = err_set(err, ERR_CLOSED, "the question was given up");
    return s;
}

/* All of them, in so many parts that each fits. */
static Status count_all(struct trait_list_state *list, struct profile_reader *reader, Err *err)
{
    Arena empty = *list->arena;
    Status s = OK;
    bool is_full = true;
    for (list->parts = 1; is_full && !s && list->parts <= PARTS_MOST; list->parts *= PARTS_MORE) {
        *list->arena = empty;
        list->count = 0, list->is_full = is_full = false;
        slots_clear(&list->slots);
        for (list->part = 0; !is_full && !s && list->part < list->parts; list->part++) {
            s = count_part(list, reader, err);
            is_full = list->latest.is_full;
            latest_close(&list->latest);
        }
    }
    if (!s && (is_full || list->is_full))
        s = err_set(err, ERR_TOO_LARGE, "the traits of everybody take more memory than a question may use");
    return s;
}

Status derive_list_traits(struct applier *applier, const DeriveReading *reading, Arena *arena, DeriveTraitName **ret,
                          size_t *ret_count, Err *err)
{
    const struct identity_view *view = reading->view;
    struct profile_reader *reader;
    struct region scratch;
    struct trait_list_state list = { .reading = reading, .arena = arena, .scratch = &scratch };
    list.names = arena_try(arena, sizeof *list.names, 8, NAMES_MAX);
    list.joined = calloc(view->node_count / 64 + (size_t)1, sizeof *list.joined);
    check(list.joined && slots_reserve(&list.slots, NAMES_MAX));
    region_open(&scratch, SCRATCH_BYTES);
    buf_init(&list.last, 2 * LIMIT_RECORD_BYTES);
    for (uint32_t node = 0; node < view->node_count; node++)
        mark_joined(view, node, list.joined);
    Status s = list.names ? profile_begin_reading(applier->profile, &reader, err)
        : err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may");
    if (!s) {
        s = count_all(&list, reader, err);
        profile_end_reading(reader);
    }
    *ret = list.names, *ret_count = list.count;
    buf_done(&list.last);
    region_close(&scratch);
    free(list.joined), slots_done(&list.slots);
    return s;
}
