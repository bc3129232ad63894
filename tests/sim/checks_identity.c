/* checks_identity: who is one person. What the applier derived, through power cuts, failed writes and starts that
 * replay, against the reference model (tests/model/identity_model.c) on the messages that count:
 *   6. every identifier of them is known, none else, and its person has the model's name and members;
 *   7. every message is the person's whose it is by the model, in the engine and in the view that questions read;
 *   8. a person's trait is what the person's last message said of it. */
#include "world.h"

#define MODEL_SIZES MODEL_VALUE_BYTES = ID_BYTES, MODEL_EXTERNALS = EXTERNALS, MODEL_MESSAGES = SENT_MAX, \
                    MODEL_IDS = 8192
#include "tests/model/identity_model.c"
#include "tests/model/identity_compare.c"

enum { MAX_OWNERS = 10000 };          /* as the engine's default */

/* Complaints are put into words first: the guard and the view are given back before the world fails, and a canary's
 * goes on. */

/* What counts, in the model's words; which message each is in at. */
static int read_history(struct world *world, Said *said, int *at)
{
    int count = 0;
    for (size_t sent = 0; sent < world->visitors.sent_count; sent++) {
        const Sent *of = &world->sent[sent];
        world->sent[sent].person = -1;
        if (!of->is_counted) continue;
        Said *one = &said[count];
        *one = (Said){ .time = (int)(of->time_ms - WORLD_START_MS), .is_alias = of->type == EVENT_ALIAS,
                       .is_removed = of->is_removed };
        check(of->time_ms - WORLD_START_MS == one->time && count < MODEL_MESSAGES);
        snprintf(one->id, sizeof one->id, "%s", of->message_id);
        snprintf(one->user, sizeof one->user, "%s", of->user_id);
        snprintf(one->anonymous, sizeof one->anonymous, "%s", of->anonymous_id);
        snprintf(one->previous, sizeof one->previous, "%s", of->previous_id);
        for (int external = 0; external < EXTERNALS && world->has_externals; external++)
            snprintf(one->externals[external], ID_BYTES, "%s", of->externals[external]);
        if (world->canary == CANARY_EXTERNAL) one->externals[EXTERNAL_EMAIL][0] = 0;      /* the fault to be found */
        at[count++] = (int)sent;
    }
    return count;
}

static bool check_person(const struct identity *identity, IdentityPerson person, const Id *is, const char *of,
                         char *complaint)
{
    char text[IDENTITY_PERSON_ID_BYTES];
    struct buf named;
    if (name_is(identity, person, is)) return true;
    if (person == IDENTITY_NONE) FAIL("%s belongs to nobody", of);
    buf_init_fixed(&named, text, sizeof text);
    identity_write_person_id(identity, person, &named);
    FAIL("%s is %.*s; by the model it is %d:%s", of, STR_FORMAT(buf_str(&named)), NAME(*is));
}

/* The engine's numbers count what stood in a field of its own, not what was a previousId alone. */
static bool is_counted(const Model *model, const Id *id)
{
    for (int at = 0; at < model->count; at++) {
        const Said *said = model->said[at];
        const char *value = id->kind == IDENTITY_USER ? said->user : said->anonymous;
        if (id->kind >= IDENTITY_EXTERNAL) value = said->externals[id->kind - IDENTITY_EXTERNAL];
        if (!strcmp(value, id->value)) return true;
    }
    return false;
}

static bool check_ids(struct identity *identity, const struct identity_view *view, const Model *model, Arena scratch,
                      char *complaint)
{
    uint32_t seen[3] = { 0 };                                /* anonymous, users, externals */
    for (int at = 0; at < model->id_count; at++) {
        const Id *id = &model->ids[at];
        IdentityNode node = identity_find(identity, (IdentityKind)id->kind, str_from(id->value));
        if ((node != IDENTITY_NONE) != id->is_seen)
            FAIL("%s is %s", id->value, id->is_seen ? "not known" : "known and was never sent");
        if (!id->is_seen) continue;
        seen[id->kind >= IDENTITY_EXTERNAL ? 2 : id->kind == IDENTITY_USER] += is_counted(model, id);
        int now = owner_at(model, at, 0, NULL);
        IdentityPerson person = identity_person_now(identity, node);
        if (!check_person(identity, person, &model->ids[now], id->value, complaint)) return false;
        if (identity_view_person_now(view, node) != person) FAIL("the view's %s is another", id->value);
        if (now == at && !check_members(identity, model, now, person, scratch, complaint)) return false;
    }
    IdentityStats stats;
    identity_read_stats(identity, &stats);
    if (stats.anonymous != seen[0] || stats.users != seen[1] || stats.externals != seen[2])
        FAIL("%u anonymous ids, %u users and %u externals are known, the journal has %u, %u and %u", stats.anonymous,
             stats.users, stats.externals, seen[0], seen[1], seen[2]);
    return true;
}

/* Each message's person, at its time: a shared device's is another before and after. */
static bool check_messages(struct world *world, const struct identity_view *view, Model *model, const int *sent_at,
                           char *complaint)
{
    struct identity *identity = derive_identity(world->applier);
    for (int at = 0; at < model->count; at++) {
        const Said *said = model->said[at];
        IdentityKind kind = said->user[0] ? IDENTITY_USER : IDENTITY_ANONYMOUS;
        const char *value = said->user[0] ? said->user : said->anonymous;
        IdentityNode subject = identity_find(identity, kind, str_from(value));
        Millis time_ms = said->time + WORLD_START_MS;
        int whose = owner_at(model, id_of(model, (int)kind, value), said->time, said->id);
        world->sent[sent_at[at]].person = whose;
        if (subject == IDENTITY_NONE) FAIL("the subject of %s is not known", said->id);
        IdentityPerson person = identity_find_owner(identity, subject, time_ms, str_from(said->id));
        if (!check_person(identity, person, &model->ids[whose], said->id, complaint)) return false;
        if (identity_view_find_person(view, subject, time_ms, str_from(said->id)) != person)
            FAIL("the view gives %s to another", said->id);
    }
    return true;
}

static const char *trait_of(const Sent *sent, const char *name)
{
    return !strcmp(name, "plan") ? visitors_plans[sent->plan] : sent->externals[EXTERNAL_EMAIL];
}

/* The trait that the person's last message with one told; of two at one instant the larger messageId's. */
static const char *find_trait(const struct world *world, int person, const char *name)
{
    const Sent *last = NULL;
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *sent = &world->sent[at];
        if (!sent->is_counted || !trait_of(sent, name)[0] || sent->person != person) continue;
        if (!last || sent->time_ms > last->time_ms ||
            (sent->time_ms == last->time_ms && strcmp(sent->message_id, last->message_id) > 0)) last = sent;
    }
    return last ? trait_of(last, name) : "";
}

static bool check_traits(struct world *world, Model *model, Arena arena, char *complaint)
{
    struct identity *identity = derive_identity(world->applier);
    for (int at = 0; at < model->id_count; at++) {
        const Id *id = &model->ids[at];
        ProfileValues values;
        Arena scratch = arena;
        Err err;
        if (!id->is_seen || owner_at(model, at, 0, NULL) != at) continue;          /* one identifier names the person */
        IdentityNode node = identity_find(identity, (IdentityKind)id->kind, str_from(id->value));
        People people = derive_people(world->applier);
        if (people_read_traits(&people, identity_person_now(identity, node), &scratch, &values, &err))
            FAIL("traits of %s: %s", id->value, err.text);
        static const char *const names[] = { "email", "plan" };
        size_t count = 0;
        for (size_t name = 0; name < countof(names); name++) {
            const char *last = find_trait(world, at, names[name]);
            Str have = STR("\"\"");
            for (size_t value = 0; value < values.count; value++)
                if (str_equal(values.items[value].key, str_from(names[name]))) have = values.items[value].json;
            count += last[0] != 0;
            if (!str_equal(str_slice(have, 1, have.len - 1), str_from(last)))
                FAIL("the %s of %s is %.*s; it was last told to be \"%s\"", names[name], id->value,
                     STR_FORMAT(have), last);
        }
        if (count != values.count) FAIL("%s has %zu traits, not %zu", id->value, values.count, count);
    }
    return true;
}

void checks_identity(struct world *world)
{
    static Model model;
    static Said said[MODEL_MESSAGES];
    static int sent_at[MODEL_MESSAGES];
    struct region region;
    char complaint[COMPLAINT_BYTES];
    unsigned faults = world->disk.fault_per_million;
    checks_catch_up(world, world->applier);
    world->disk.fault_per_million = 0;
    model.count = read_history(world, said, sent_at);
    model.max_owners = MAX_OWNERS;
    for (int at = 0; at < EXTERNALS; at++) model.limits[at] = (int)world->externals[at].limit;
    for (int at = 0; at < model.count; at++) model.said[at] = &said[at];
    if (world->canary == CANARY_MODEL && model.count)        /* the model is not told of one message */
        model.count--;
    model_settle(&model);
    region_open(&region, 64 << 20);
    Arena arena = region_arena(&region);
    struct identity *identity = derive_identity(world->applier);
    derive_begin_reading(world->applier);
    const struct identity_view *view = identity_take_view(identity);
    bool is_right = check_ids(identity, view, &model, arena, complaint)
                 && check_messages(world, view, &model, sent_at, complaint);
    identity_give_view(identity, view);
    is_right = is_right && check_traits(world, &model, arena, complaint);
    derive_end_reading(world->applier);
    region_close(&region);
    if (!is_right) world_fail(world, "who is who: %s", complaint);
    world->disk.fault_per_million = faults;
}
