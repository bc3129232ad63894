/* checks_identity: who is one person. What the applier derived, through power cuts, failed writes and starts that
 * replay, against the reference model (tests/model/identity_model.c) on the messages that the journal holds:
 *   6. every identifier of the journal is known, none else, and its person has the model's name and members;
 *   7. every message is the person's whose it is by the model, in the engine and in the view that questions read. */
#include "world.h"

#define MODEL_SIZES MODEL_VALUE_BYTES = ID_BYTES, MODEL_EXTERNALS = 1, MODEL_MESSAGES = SENT_MAX, MODEL_IDS = 8192
#include "tests/model/identity_model.c"
#include "tests/model/identity_compare.c"

enum { MAX_OWNERS = 10000 };          /* as the engine's default */

/* Complaints are put into words first: the guard and the view are given back before the world fails, and a canary's
 * goes on. */

/* What the journal holds, each message once, as dedup leaves it: the first of its kind. */
static int read_journal(struct world *world, Said *said)
{
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    Err err;
    int count = 0;
    if (journal_reader_open(world->journal, 0, &reader, &err)) world_fail(world, "reader: %s", err.text);
    while (!journal_read(reader, &record, &err)) {
        if (event_decode(record.bytes, &event, &err)) world_fail(world, "decode: %s", err.text);
        Said one = { .time = (int)(event.timestamp_ms - WORLD_START_MS), .is_alias = event.type == EVENT_ALIAS };
        const struct { char *to; Str from; } fields[] = { { one.id, event.message_id }, { one.user, event.user_id },
            { one.anonymous, event.anonymous_id }, { one.previous, event.previous_id } };
        check(event.timestamp_ms - WORLD_START_MS == one.time && count < MODEL_MESSAGES);
        for (size_t at = 0; at < countof(fields); at++)
            snprintf(fields[at].to, MODEL_VALUE_BYTES, "%.*s", STR_FORMAT(fields[at].from));
        int at = 0;
        while (at < count && strcmp(said[at].id, one.id) != 0) at++;
        if (at == count) said[count++] = one;
    }
    journal_reader_close(reader);
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
    for (int at = 0; at < model->count; at++)
        if (!strcmp(id->kind == IDENTITY_USER ? model->said[at]->user : model->said[at]->anonymous, id->value))
            return true;
    return false;
}

static bool check_ids(struct identity *identity, const struct identity_view *view, const Model *model, Arena scratch,
                      char *complaint)
{
    uint32_t seen[2] = { 0 };                                /* anonymous, users */
    for (int at = 0; at < model->id_count; at++) {
        const Id *id = &model->ids[at];
        IdentityNode node = identity_find(identity, (IdentityKind)id->kind, str_from(id->value));
        if ((node != IDENTITY_NONE) != id->is_seen)
            FAIL("%s is %s", id->value, id->is_seen ? "not known" : "known and was never sent");
        if (!id->is_seen) continue;
        seen[id->kind == IDENTITY_USER] += is_counted(model, id);
        int now = owner(model, at, 0, NULL);
        IdentityPerson person = identity_person_now(identity, node);
        if (!check_person(identity, person, &model->ids[now], id->value, complaint)) return false;
        if (identity_view_person_now(view, node) != person) FAIL("the view's %s is another", id->value);
        if (now == at && !check_members(identity, model, now, person, scratch, complaint)) return false;
    }
    IdentityStats stats;
    identity_read_stats(identity, &stats);
    if (stats.anonymous != seen[0] || stats.users != seen[1])
        FAIL("%u anonymous ids and %u users are known, the journal has %u and %u", stats.anonymous,
             stats.users, seen[0], seen[1]);
    return true;
}

/* Each message's person, at its time: a shared device's is another before and after. */
static bool check_messages(struct identity *identity, const struct identity_view *view, Model *model, char *complaint)
{
    for (int at = 0; at < model->count; at++) {
        const Said *said = model->said[at];
        IdentityKind kind = said->user[0] ? IDENTITY_USER : IDENTITY_ANONYMOUS;
        const char *value = said->user[0] ? said->user : said->anonymous;
        IdentityNode subject = identity_find(identity, kind, str_from(value));
        Millis time_ms = said->time + WORLD_START_MS;
        int whose = owner(model, id_of(model, (int)kind, value), said->time, said->id);
        if (subject == IDENTITY_NONE) FAIL("the subject of %s is not known", said->id);
        IdentityPerson person = identity_find_owner(identity, subject, time_ms, str_from(said->id));
        if (!check_person(identity, person, &model->ids[whose], said->id, complaint)) return false;
        if (identity_view_find_person(view, subject, time_ms, str_from(said->id)) != person)
            FAIL("the view gives %s to another", said->id);
    }
    return true;
}

void checks_identity(struct world *world)
{
    static Model model;
    struct region region;
    char complaint[COMPLAINT_BYTES];
    unsigned faults = world->disk.fault_per_million;
    Said *said = calloc(MODEL_MESSAGES, sizeof *said);
    check(said);
    checks_catch_up(world, world->applier);
    world->disk.fault_per_million = 0;
    model.count = read_journal(world, said);
    model.max_owners = MAX_OWNERS;
    for (int at = 0; at < model.count; at++) model.said[at] = &said[at];
    if (world->canary == CANARY_MODEL && model.count)        /* the model is not told of one message */
        model.said[fake_dice_below(&world->dice, (uint64_t)model.count)] = model.said[model.count - 1], model.count--;
    model_settle(&model);
    region_open(&region, (size_t)1 << 26);
    apply_begin_reading(world->applier);
    struct identity *identity = apply_identity(world->applier);
    const struct identity_view *view = identity_take_view(identity);
    bool is_same = check_ids(identity, view, &model, region_arena(&region), complaint) &&
                   check_messages(identity, view, &model, complaint);
    identity_give_view(identity, view);
    apply_end_reading(world->applier);
    region_close(&region);
    free(said);
    if (!is_same) world_fail(world, "%s", complaint);
    world->disk.fault_per_million = faults;
}
