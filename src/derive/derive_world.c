/* derive_world: the world that a question is about: the applier's stores answer what ask/ wants to know. Who everybody
 * is and which events there are are both from the same moment, so that no event is in it without its link. */
#include "derive_private.h"

#include <stdlib.h>

enum { WORLD_TRAITS = 64 };              /* of different names in one question */

struct derive_world {
    struct applier *applier;
    People people;
    const struct identity_view *view;
    struct index_snapshot *snapshot;
    QueryPeople resolved;
    /* Traits that were asked for, each of everybody; made when first asked, by one thread at a time. */
    pthread_mutex_t traits_lock;
    struct { Str name; struct trait_table *table; } traits[WORLD_TRAITS];
    atomic_size_t trait_count;
    Status trait_status;                 /* why a trait could not be read: then there is no answer */
    Err trait_err;
    DeriveAsker asker;
    QueryWorld world;
};

/* ---- Who is who ---- */

/* The messageId decides between links and events of the same millisecond, and only the journal has it. */
static uint32_t find_person(void *context, Subject subject, Millis time_ms, JournalPos pos)
{
    struct derive_world *world = context;
    const struct identity_view *view = world->view;
    IdentityPerson person;
    if (!identity_view_needs_id(view, subject, time_ms)) {
        person = identity_view_find_person(view, subject, time_ms, STR(""));
    } else {
        struct region region;
        Event event;
        region_open(&region, 4 * LIMIT_RECORD_BYTES);
        Arena arena = region_arena(&region);
        Status s = people_read_event(&world->people, pos, &arena, &event, NULL);
        /* a message that is erased or retired is taken as the first of its millisecond */
        person = identity_view_find_person(view, subject, time_ms, s ? STR("") : event.message_id);
        region_close(&region);
    }
    return person == IDENTITY_NONE ? QUERY_NOBODY : person;
}

static void mark_owners(void *context, Subject subject, uint64_t *bits)
{
    const struct derive_world *world = context;
    identity_view_mark_owners(world->view, identity_view_slot(world->view, subject), bits);
}

static void mark_users(void *context, uint64_t *bits)
{
    const struct derive_world *world = context;
    derive_begin_reading(world->applier);
    for (IdentityNode node = 0; node < world->view->node_count; node++)
        bits[node / 64] |= (uint64_t)(identity_kind_of(world->people.identity, node) == IDENTITY_USER) << node % 64;
    derive_end_reading(world->applier);
}

static void visit_users(void *context, void (*visit)(void *visitor, Subject subject, Str user_id), void *visitor)
{
    const struct derive_world *world = context;
    const struct identity *identity = world->people.identity;
    char text[LIMIT_ID_BYTES + 1];
    derive_begin_reading(world->applier);
    for (IdentityNode node = 0; node < world->view->node_count; node++) {
        if (identity_kind_of(identity, node) != IDENTITY_USER) continue;
        Str user_id = identity_read_value(identity, node, text);
        if (user_id.len) visit(visitor, node, user_id);
    }
    derive_end_reading(world->applier);
}

/* The list of blocked values is fixed when the identity is opened, so no lock is needed. */
static bool is_no_account(void *context, Str group_id)
{
    const struct derive_world *world = context;
    return identity_is_blocked(world->people.identity, group_id);
}

/* ---- What answers say of people ---- */

/* Persons are those of the question's moment; if one has merged with another since, the answer has the other. */
static void write_person(void *context, uint32_t person, struct buf *buf)
{
    struct derive_world *world = context;
    struct region region;
    region_open(&region, (size_t)1 << 30);
    Arena arena = region_arena(&region);
    size_t before = buf->len;
    derive_begin_reading(world->applier);
    IdentityPerson now = identity_person_now(world->people.identity, person);
    Status s = now == IDENTITY_NONE ? ERR_NOT_FOUND : people_write_person(&world->people, now, &arena, buf, NULL);
    derive_end_reading(world->applier);
    if (s) {
        buf->len = before;
        buf_str_put(buf, STR("null"));
    }
    region_close(&region);
}

/* ---- Traits ---- */

/* A quarter of the question's memory is for each trait. */
static DeriveReading trait_reading(const struct derive_world *world)
{
    return (DeriveReading){ world->view, world->world.memory_bytes / 4, world->world.is_cancelled };
}

static const struct trait_table *trait_of(struct derive_world *world, Str name)
{
    size_t count = atomic_load_explicit(&world->trait_count, memory_order_acquire);
    for (size_t at = 0; at < count; at++)
        if (str_equal(world->traits[at].name, name)) return world->traits[at].table;
    return NULL;
}

/* Another thread may have made it meanwhile. A failure is kept, and ends the question when it is done. */
static const struct trait_table *make_trait(struct derive_world *world, Str name)
{
    pthread_mutex_lock(&world->traits_lock);
    const struct trait_table *known = trait_of(world, name);
    size_t count = atomic_load_explicit(&world->trait_count, memory_order_relaxed);
    if (!known && !world->trait_status && count == WORLD_TRAITS)
        world->trait_status = err_set(&world->trait_err, ERR_TOO_LARGE, "more than %d traits in one question",
                                         WORLD_TRAITS);
    if (!known && !world->trait_status) {
        struct trait_table *table;
        DeriveReading reading = trait_reading(world);
        world->trait_status = derive_open_trait(world->applier, &reading, name, &table, &world->trait_err);
        if (!world->trait_status) {
            world->traits[count].name = name;
            world->traits[count].table = table;
            known = table;
            atomic_store_explicit(&world->trait_count, count + 1, memory_order_release);
        }
    }
    pthread_mutex_unlock(&world->traits_lock);
    return known;
}

/* A failure is kept, and ends the question when it is done: a trait that could not be read is not absent. */
static void fail_trait(struct derive_world *world, Status status, const Err *err)
{
    pthread_mutex_lock(&world->traits_lock);
    if (!world->trait_status) world->trait_status = status, world->trait_err = *err;
    pthread_mutex_unlock(&world->traits_lock);
}

static bool find_trait(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret)
{
    struct derive_world *world = context;
    Str json;
    Err err;
    const struct trait_table *table = trait_of(world, name);
    if (!table && !(table = make_trait(world, name))) return false;
    if (person >= world->view->node_count) return false;
    Status s = derive_find_trait(table, person, *arena, &json, &err);
    if (s) fail_trait(world, s, &err);
    if (s || !json.len) return false;
    *ret = query_value(json, arena);
    return true;
}

/* An account's trait, or what lies in one: "plan.name". */
static bool find_group_trait(void *context, Str group_id, Str name, Arena *arena, IndexValue *ret)
{
    struct derive_world *world = context;
    struct profile_reader *reader;
    ProfileValues values;
    const ProfileValue *best = NULL;
    const TreeNode *object, *found;
    Err err;
    Status s = profile_begin_reading(world->applier->profile, &reader, &err);
    if (!s) {
        s = profile_read_group(reader, group_id, arena, &values, &err);
        profile_end_reading(reader);
    }
    if (s == ERR_NOT_FOUND) return false;
    if (s) return fail_trait(world, s, &err), false;
    for (size_t at = 0; at < values.count; at++) {
        Str key = values.items[at].key;
        bool is_in = str_starts(name, key) && (name.len == key.len || name.bytes[key.len] == '.');
        if (is_in && (!best || key.len > best->key.len)) best = &values.items[at];
    }
    if (!best) return false;
    *ret = query_value(best->json, arena);
    if (best->key.len == name.len) return true;
    s = event_tree_read(best->json, arena, &object, &err);
    if (s == ERR_TOO_LARGE) fail_trait(world, s, &err);
    if (s) return false;
    found = event_tree_reach(object, str_slice(name, best->key.len + 1, name.len));
    if (!event_tree_is_given(found)) return false;
    *ret = query_value(found->raw, arena);
    return true;
}

static Status list_traits(void *context, Arena *arena, QueryTrait **ret, size_t *ret_count, Err *err)
{
    struct derive_world *world = context;
    DeriveTraitName *names;
    size_t count = 0;
    DeriveReading reading = trait_reading(world);
    Status s = derive_list_traits(world->applier, &reading, arena, &names, &count, err);
    QueryTrait *traits = s ? NULL : arena_try(arena, sizeof *traits, _Alignof(QueryTrait), count);
    if (!s && !traits) s = err_set(err, ERR_TOO_LARGE, "too many traits for the memory of a question");
    for (size_t at = 0; !s && at < count; at++) traits[at] = (QueryTrait){ names[at].name, names[at].people };
    *ret = traits, *ret_count = s ? 0 : count;
    return s;
}

/* ---- Events ---- */

static Status read_event(void *context, JournalPos pos, Arena *arena, Str *ret_json, Err *err)
{
    const struct derive_world *world = context;
    Event event;
    Status s = people_read_event(&world->people, pos, arena, &event, err);
    if (!s) *ret_json = event.json;
    return s;
}

static void progress(void *context, uint32_t done, uint32_t all)
{
    const DeriveAsker *asker = &((struct derive_world *)context)->asker;
    if (asker->progress) asker->progress(asker->context, done, all);
}

/* ---- The moment ---- */

/* The first snapshot, outside the guard, checks what was never read before, which may take a while; for the second
 * one all of it is checked. */
static Status take_moment(struct derive_world *world, Err *err)
{
    struct index *index = world->applier->index;
    struct index_snapshot *warm;
    Status s = index_snapshot_open(index, &warm, err);
    if (s) return s;
    derive_begin_reading(world->applier);
    s = index_snapshot_open(index, &world->snapshot, err);
    if (!s) world->view = identity_take_view(world->applier->identity);
    derive_end_reading(world->applier);
    index_snapshot_close(warm);
    return s;
}

Status derive_open_world(struct applier *applier, const DeriveAsker *asker, struct derive_world **ret, Err *err)
{
    struct derive_world *world = calloc(1, sizeof *world);
    check(world && pthread_mutex_init(&world->traits_lock, NULL) == 0);
    world->applier = applier;
    world->people = derive_people(applier);
    world->asker = *asker;
    DeriveStats stats;
    Status s = take_moment(world, err);
    if (s) {
        derive_close_world(world);
        return s;
    }
    derive_read_stats(applier, &stats);
    world->resolved = (QueryPeople){
        .subject_count = world->view->node_count, .pages = world->view->pages,
        .find_person = find_person, .mark_owners = mark_owners, .mark_users = mark_users, .visit_users = visit_users,
        .is_no_account = is_no_account,
        .context = world,
    };
    world->world = (QueryWorld){
        .index = applier->index, .snapshot = world->snapshot, .people = &world->resolved,
        .find_trait = find_trait, .find_group_trait = find_group_trait, .list_traits = list_traits,
        .write_person = write_person, .read_event = read_event, .progress = progress,
        .context = world,
        .moment = &world->asker.moment,
        .pool = asker->pool.run ? &world->asker.pool : NULL, .is_cancelled = asker->is_cancelled, .disk = os_disk(),
        .now_ms = asker->now_ms,
        .missing_places = stats.missing_places, .missing_messages = stats.missing_messages,
        .memory_bytes = asker->memory_bytes ? asker->memory_bytes : (size_t)1 << 30,
    };
    *ret = world;
    return OK;
}

const QueryWorld *derive_query_world(const struct derive_world *world) { return &world->world; }

Status derive_check_world(const struct derive_world *world, Err *err)
{
    Status s = index_snapshot_check(world->snapshot, err);
    if (s || !world->trait_status) return s;
    *err = world->trait_err;
    return world->trait_status;
}

void derive_close_world(struct derive_world *world)
{
    if (!world) return;
    size_t count = atomic_load_explicit(&world->trait_count, memory_order_relaxed);
    for (size_t at = 0; at < count; at++) derive_close_trait(world->traits[at].table);
    pthread_mutex_destroy(&world->traits_lock);
    if (world->view) identity_give_view(world->applier->identity, world->view);
    index_snapshot_close(world->snapshot);
    free(world);
}
