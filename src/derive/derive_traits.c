/* derive_traits: the station of traits, and what readers ask of it. */
#include "derive_many.h"
#include "derive_private.h"

#include <stdlib.h>

/* ---- The station ---- */

struct trait_list { ProfileTrait *items; size_t count, max; };

static void take_trait(void *context, Str key, const Field *value)
{
    struct trait_list *list = context;
    if (list->count < list->max) list->items[list->count++] = (ProfileTrait){ key, value->raw };
}

/* Finds the traits of an identify or a group. Keys and values are in the arena and the record. */
static Status list_traits(struct applier *applier, const Event *event, Arena *arena, struct trait_list *list, Err *err)
{
    Field traits;
    *list = (struct trait_list){ 0 };
    Status s = event_find_field(applier->parser, event->json, STR("traits"), arena, &traits, err);
    if (s || traits.kind != FIELD_OBJECT || traits.key_count == 0) return s;
    list->max = traits.key_count;
    list->items = arena_new(arena, ProfileTrait, list->max);
    return event_visit_object(applier->parser, traits.raw, arena, take_trait, list, err);
}

Status derive_write_profile(struct applier *applier, const Event *event, JournalPos pos, IdentityNode subject, Err *err)
{
    struct trait_list list;
    bool is_group = event->type == EVENT_GROUP && event->group_id.len
        && !identity_is_blocked(applier->identity, event->group_id);
    if ((event->type != EVENT_IDENTIFY && !is_group) || subject == IDENTITY_NONE) return OK;
    Arena arena = region_arena(&applier->traits_region);
    Status s = list_traits(applier, event, &arena, &list, err);
    if (s) return err_wrap(err, s, "the traits of the record at %llu", (unsigned long long)pos);
    ProfileWrite write = { event->timestamp_ms, event->message_id, pos, 0 };
    bool keeps_all = identity_kind_of(applier->identity, subject) != IDENTITY_USER;
    ProfileWriter writer = { .subject = subject, .keeps_all = keeps_all };
    if (!is_group) return profile_set_traits(applier->profile, &writer, &write, list.items, list.count, err);
    writer.member = identity_lasting_number(applier->identity, subject);
    s = profile_join_group(applier->profile, &writer, &write, event->group_id, err);
    if (s) return s;
    return profile_set_group_traits(applier->profile, event->group_id, &write, list.items, list.count, err);
}

/* ---- For who reads ---- */

People derive_people(struct applier *applier)
{
    return (People){ .identity = applier->identity, .index = applier->index, .profile = applier->profile,
                     .journal = applier->options.journal, .rules = &applier->options.rules };
}

/* ---- One trait of everybody ---- */

/* What properties are kept to, with their quotes. */
enum { TRAIT_BYTES_KEPT = 510 };

/* For "a.b" there is a table of that name, and after it one of "a", which may hold a "b". */
struct trait_table {
    Str name;
    struct trait_table *shorter;
    const DeriveReading *reading;       /* while it is made */
    struct latest_table latest;
    struct many many;                   /* in place of latest, if that does not fit; without a region: it fits */
    size_t value_most;                  /* longer values of that name read as not indexed */
};

bool derive_is_given_up(const atomic_bool *is_cancelled)
{
    return is_cancelled && atomic_load_explicit(is_cancelled, memory_order_relaxed);
}

static bool hold_value(void *context, const ProfileValue *value)
{
    struct trait_table *table = context;
    const struct identity_view *view = table->reading->view;
    if (derive_is_given_up(table->reading->is_cancelled)) return false;
    while (table && table->name.len != value->key.len) table = table->shorter;
    if (!table) return true;
    uint32_t slot = identity_view_slot(view, value->subject);
    uint32_t person = identity_is_shared(slot)
                    ? identity_view_find_person(view, value->subject, value->time_ms, value->message_id) : slot;
    if (person == IDENTITY_NONE) return true;
    ProfileValue kept = *value;
    if (kept.json.len > table->value_most) kept.json = STR("{}");      /* an object has no value of its own */
    if (!table->many.region.start) return latest_put(&table->latest, person, STR(""), &kept);
    many_put(&table->many, person, &kept);
    return true;
}

/* for_many: use the way that needs less memory. *ret_is_full: not even its beginning fits. */
static struct trait_table *make_tables(const DeriveReading *reading, Str name, bool for_many, bool *ret_is_full)
{
    struct trait_table *table = calloc(1, sizeof *table);
    size_t dot = name.len;
    check(table);
    table->name = name;
    table->reading = reading;
    table->value_most = SIZE_MAX;
    *ret_is_full |= for_many ? !many_open(&table->many, reading->view->node_count, reading->max_bytes)
                             : !latest_open(&table->latest, reading->max_bytes);
    while (dot > 0 && name.bytes[dot - 1] != '.') dot--;
    if (dot > 1) table->shorter = make_tables(reading, str_slice(name, 0, dot - 1), for_many, ret_is_full);
    return table;
}

static bool is_any_full(const struct trait_table *table)
{
    bool is_full = false;
    for (; table; table = table->shorter) is_full |= table->latest.is_full;
    return is_full;
}

/* All tables of the name go through their passes together: a table that is ready sooner gets the same writes again. */
static bool has_next_pass(struct trait_table *table)
{
    bool has_more = false;
    for (; table; table = table->shorter)
        if (table->many.region.start) has_more |= many_next_pass(&table->many);
    return has_more;
}

static Status fill_tables(struct applier *applier, struct trait_table *table, Err *err)
{
    const atomic_bool *is_cancelled = table->reading->is_cancelled;
    struct profile_reader *reader;
    Status s = profile_begin_reading(applier->profile, &reader, err);
    if (s) return s;
    do s = profile_visit_trait(reader, table->name, hold_value, table, err);
    while (!s && !derive_is_given_up(is_cancelled) && has_next_pass(table));
    profile_end_reading(reader);
    if (!s && derive_is_given_up(is_cancelled)) s = err_set(err, ERR_CLOSED, "the question was given up");
    return s;
}

/* Anybody can make up people and values until not all of them fit. Then we give up the long values and the rarest, and
 * not the question. */
Status derive_open_trait(struct applier *applier, const DeriveReading *reading, Str name, struct trait_table **ret,
                         Err *err)
{
    for (int for_many = 0; for_many < 2; for_many++) {
        bool is_full = false;
        struct trait_table *table = make_tables(reading, name, for_many, &is_full);
        if (for_many) table->value_most = TRAIT_BYTES_KEPT;
        Status s = is_full ? OK : fill_tables(applier, table, err);
        if (!s && !is_full && !is_any_full(table)) return *ret = table, OK;
        derive_close_trait(table);
        if (s) return s;
    }
    return err_set(err, ERR_TOO_LARGE, "the trait %.*s of everybody takes more than %zu bytes", STR_FORMAT(name),
                   reading->max_bytes);
}

static Str held_json(const struct trait_table *table, IdentityPerson person)
{
    if (table->many.region.start) return many_find(&table->many, person);
    const struct latest *held = latest_find(&table->latest, person, STR(""));
    return held ? latest_json(&table->latest, held) : (Str){ 0 };
}

Status derive_find_trait(const struct trait_table *table, IdentityPerson person, Arena scratch, Str *ret_json, Err *err)
{
    Str name = table->name;
    *ret_json = (Str){ 0 };
    for (; table; table = table->shorter) {
        const TreeNode *object;
        Arena arena = scratch;
        Str json = held_json(table, person);
        if (!json.len) continue;
        if (many_is_unkept(json)) return *ret_json = json, OK;          /* nobody knows what is in it, either */
        bool is_whole = table->name.len == name.len;
        if (is_whole && !str_equal(json, STR("null"))) return *ret_json = json, OK;
        if (is_whole || !str_starts(json, STR("{"))) continue;
        Status s = event_tree_read(json, &arena, &object, err);
        if (s == ERR_TOO_LARGE) return s;
        if (s) continue;
        const TreeNode *found = event_tree_reach(object, str_slice(name, table->name.len + 1, name.len));
        if (!event_tree_is_given(found)) continue;
        *ret_json = found->raw;
        return OK;
    }
    return OK;
}

void derive_close_trait(struct trait_table *table)
{
    if (!table) return;
    derive_close_trait(table->shorter);
    latest_close(&table->latest);
    many_close(&table->many);
    free(table);
}
