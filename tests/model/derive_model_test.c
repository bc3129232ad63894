/* Who is who and what they said, through the whole path: records in a real journal on the fake disk, applied in
 * random batches, saved, crashed, taken back, suppressed, erased, rebuilt. What the API says of every id must be
 * what the reference says of the set of messages. ROUNDS=n histories (300 by default), SEED=n. */
#include "identity_model.c"
#include "derive/derive.h"
#include "segments/segments.h"
#include "tests/fakes/fake_journal.h"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

enum { OPS_MAX = 4 * MODEL_MESSAGES, TRAITS = 2, START_MS = 1000 };

typedef enum OpKind { SEND, STEP, MAINTAIN, CRASH, POWER_CUT, RESTART, UNMERGE, RESTORE, SUPPRESS, UNSUPPRESS, ERASE,
                      REBUILD } OpKind;
static const char *const op_names[] = { "send", "step", "maintain", "crash", "power-cut", "restart", "unmerge",
                                        "restore", "suppress", "unsuppress", "erase", "rebuild" };

struct op { OpKind kind; int which; };

struct message {                        /* Said, and what it said of itself */
    Said said;
    int traits[TRAITS];                 /* which value; -1: not given */
    bool is_identify;
    JournalPos pos;                     /* of its first record; 0: not sent */
    bool is_in_set, is_erased_once;
};

struct world {
    struct fake_disk disk;
    struct fake_clock clock;
    struct fake_dice dice;
    struct journal *journal;
    bool is_in_memory;                  /* the journal */
    struct fake_journal memory;
    struct applier *applier;
    struct region region;
    char state_dir[64];
    struct message messages[MODEL_MESSAGES];
    int message_count;
    struct op ops[OPS_MAX];
    int op_count;
    bool suppressed[16];                /* of users */
    Model model;
    char complaint[1200];
};

static const char *const users[] = { "u1", "u2", "u3", "10", "9", "x", "GUEST", "null", "4c55-9a0e-1c2d3e" };
static const char *const anonymous[] = { "a1", "a2", "a3", "x", "u1", " none ", "9f86d081884c7d65" };
static const char *const trait_names[TRAITS] = { "email", "plan" };
static const char *const trait_values[] = { "null", "\"Ann@x.y\"", "\"b\"", "{\"c\":[1]}" };

/* ---- Chance ---- */

static void pick(struct fake_dice *dice, char *value, const char *const *from, size_t count, unsigned per_thousand)
{
    const char *one = from[fake_dice_below(dice, count)];
    value[0] = 0;
    if (fake_dice_chance(dice, per_thousand)) snprintf(value, MODEL_VALUE_BYTES, "%s", one);
}

static void add_op(struct world *world, OpKind kind, int which)
{
    if (world->op_count < OPS_MAX) world->ops[world->op_count++] = (struct op){ kind, which };
}

static void make_messages(struct world *world, struct fake_dice *dice)
{
    int instants = 1 + (int)fake_dice_below(dice, 12);
    size_t user_count = 2 + fake_dice_below(dice, countof(users) - 2);
    size_t anonymous_count = 1 + fake_dice_below(dice, countof(anonymous));
    world->message_count = 1 + (int)fake_dice_below(dice, fake_dice_chance(dice, 200) ? MODEL_MESSAGES : 14);
    for (int i = 0; i < world->message_count; i++) {
        struct message *message = &world->messages[i];
        Said *said = &message->said;
        *message = (struct message){ .traits = { -1, -1 } };
        snprintf(said->id, sizeof said->id, "%c%d", "abz"[fake_dice_below(dice, 3)], i);
        said->time = (int)fake_dice_below(dice, (uint64_t)instants);
        said->source = 0;
        if (i % 2 && fake_dice_chance(dice, 300)) {          /* another source's, which counts its messages alike */
            const Said *other = &world->messages[i - 1].said;
            memcpy(said->id, other->id, sizeof said->id);
            said->time = other->time + 1;
            said->source = 1;
        }
        said->is_alias = fake_dice_chance(dice, 150);
        pick(dice, said->user, users, user_count, said->is_alias ? 950 : 550);
        pick(dice, said->anonymous, anonymous, anonymous_count, said->is_alias ? 300 : 800);
        if (said->is_alias && fake_dice_chance(dice, 500)) pick(dice, said->previous, users, countof(users), 1000);
        else if (said->is_alias) pick(dice, said->previous, anonymous, countof(anonymous), 1000);
        message->is_identify = !said->is_alias && fake_dice_chance(dice, 500);
        for (int k = 0; k < TRAITS && message->is_identify; k++)
            message->traits[k] = (int)fake_dice_below(dice, countof(trait_values) + 1) - 1;
    }
}

/* Unmerge and erase do not stand in one history: what was taken back and then erased with its other half is told by
 * a rebuild alone (docs/identity.md). */
static void make_history(struct world *world, struct fake_dice *dice)
{
    make_messages(world, dice);
    world->op_count = 0;
    bool has_erase = fake_dice_chance(dice, 300), has_unmerge = !has_erase && fake_dice_chance(dice, 400);
    for (int i = 0; i < world->message_count; i++) {
        add_op(world, SEND, i);
        if (fake_dice_chance(dice, 150)) add_op(world, SEND, i);
        if (has_unmerge && fake_dice_chance(dice, 150))
            add_op(world, fake_dice_chance(dice, 700) ? UNMERGE : RESTORE, i);
    }
    int rest = 2 + (int)fake_dice_below(dice, 10);
    for (int i = 0; i < rest; i++) {
        OpKind kind = (OpKind)(STEP + fake_dice_below(dice, RESTART));
        add_op(world, kind, (int)fake_dice_below(dice, 3));
    }
    if (fake_dice_chance(dice, 200)) add_op(world, SUPPRESS, (int)fake_dice_below(dice, 3));
    if (fake_dice_chance(dice, 100)) add_op(world, UNSUPPRESS, (int)fake_dice_below(dice, 3));
    for (int i = 0; has_erase && i < 2; i++) add_op(world, ERASE, (int)fake_dice_below(dice, 3));
    for (int i = world->op_count - 1; i > 0; i--) {
        int k = (int)fake_dice_below(dice, (uint64_t)i + 1);
        struct op op = world->ops[i];
        world->ops[i] = world->ops[k];
        world->ops[k] = op;
    }
    if (fake_dice_chance(dice, 300)) add_op(world, REBUILD, 0);
}

/* ---- Onym ---- */

#define COMPLAIN(...) return snprintf(world->complaint, sizeof world->complaint, __VA_ARGS__), false

static bool onym_open(struct world *world)
{
    Err err;
    SegmentsRecovery recovery;
    SegmentsOptions options = { .dir = "journal", .disk = &world->disk.disk, .clock = &world->clock.clock,
                               .dice = &world->dice.dice, .segment_bytes = 4096, .seal_level = 1, .reserve_bytes = 1 };
    DeriveOptions apply = { .disk = &world->disk.disk, .dice = &world->dice.dice, .dir = "derived",
                           .clock = &world->clock.clock, .state_dir = world->state_dir, .save_events = 5,
                           .dedup_window_ms = 30 * 86400000LL, .dedup_table_entries = 16, .index_chunk_rows = 8,
                           .index_seal_rows = 16 };
    if (world->is_in_memory) world->journal = fake_journal_open(&world->memory);
    else if (segments_open(&options, &world->journal, &recovery, &err)) COMPLAIN("journal: %s", err.text);
    apply.journal = world->journal;
    if (derive_open(&apply, &world->applier, &err)) COMPLAIN("applier: %s", err.text);
    return true;
}

static void onym_close(struct world *world, bool is_crash)
{
    if (is_crash) derive_abandon(world->applier);
    else derive_close(world->applier);
    journal_close(world->journal);
    world->applier = NULL;
    world->journal = NULL;
}

static bool restart(struct world *world, OpKind kind)
{
    if (kind != RESTART) fake_disk_die(&world->disk);
    onym_close(world, kind != RESTART);
    if (kind != RESTART) fake_disk_restart(&world->disk, kind == POWER_CUT);
    if (!onym_open(world)) return false;
    /* A power cut may take a directory that was just made; nothing else may take what is whole for damaged. */
    const char *why = derive_remade_why(world->applier);
    if (kind != POWER_CUT && why) COMPLAIN("made anew: %s", why);
    return true;
}

static void note_first(struct journal_append *append, Status status, JournalPos first)
{
    *(JournalPos *)append->owner = status ? 0 : first;
}

static bool append_record(struct world *world, Str record, JournalPos *ret_pos)
{
    struct journal_append append;
    Err err;
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = note_first;
    append.owner = ret_pos;
    journal_put_record(&append, record);
    Status s = journal_submit(world->journal, &append, &err);
    if (!s) s = journal_commit(world->journal, NULL, &err);
    journal_append_done(&append);
    if (s) COMPLAIN("append: %s", err.text);
    return true;
}

static Event event_of(const struct message *message, char *json, size_t room)
{
    const Said *said = &message->said;
    int len = snprintf(json, room, "{\"traits\":{");
    for (int k = 0, put = 0; k < TRAITS; k++) {
        if (message->traits[k] < 0) continue;
        len += snprintf(json + len, room - (size_t)len, "%s\"%s\":%s", put++ ? "," : "", trait_names[k],
                        trait_values[message->traits[k]]);
    }
    len += snprintf(json + len, room - (size_t)len, "}}");
    return (Event){
        .type = said->is_alias ? EVENT_ALIAS : message->is_identify ? EVENT_IDENTIFY : EVENT_TRACK,
        .source = said->source ? STR("other") : STR("s"), .message_id = str_from(said->id),
        .user_id = str_from(said->user),
        .anonymous_id = str_from(said->anonymous), .previous_id = str_from(said->previous),
        .name = message->is_identify || said->is_alias ? (Str){ 0 } : STR("Done"),
        .timestamp_ms = START_MS + said->time, .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE,
        .received_at_ms = 1700000000000, .json = { json, (size_t)len },
    };
}

static bool is_suppressed(const struct world *world, const Said *said)
{
    for (size_t i = 0; i < 3; i++)
        if (world->suppressed[i] &&
            (!strcmp(said->user, users[i]) || (said->is_alias && !strcmp(said->previous, users[i])))) return true;
    return false;
}

static bool send_message(struct world *world, int which)
{
    struct message *message = &world->messages[which];
    char json[400];
    struct buf buf;
    JournalPos pos = 0;
    if (message->is_erased_once) return true;                /* new or known? that depends on dedup's table */
    buf_init(&buf, LIMIT_RECORD_BYTES);
    Event event = event_of(message, json, sizeof json);
    event_encode(&buf, &event);
    bool ok = append_record(world, buf_str(&buf), &pos);
    buf_done(&buf);
    if (!message->pos) message->pos = pos;
    if (!is_suppressed(world, &message->said)) message->is_in_set = true;
    return ok;
}

static bool send_command(struct world *world, const JournalCommand *command, JournalPos *ret_pos)
{
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    command_encode(&buf, command);
    bool ok = append_record(world, buf_str(&buf), ret_pos);
    buf_done(&buf);
    return ok;
}

static bool catch_up(struct world *world)
{
    bool more = true;
    Err err;
    while (more)
        if (derive_step(world->applier, &more, &err)) COMPLAIN("apply: %s", err.text);
    return true;
}

static bool maintain(struct world *world)
{
    bool more = true;
    Err err;
    while (more)
        if (derive_maintain(world->applier, &more, &err)) COMPLAIN("maintain: %s", err.text);
    return true;
}

/* ---- Commands ---- */

static bool take_back(struct world *world, int which, bool is_removed)
{
    struct message *message = &world->messages[which];
    Said *said = &message->said;
    JournalPos pos;
    JournalCommand command = {
        .kind = is_removed ? COMMAND_UNMERGE : COMMAND_RESTORE, .position = message->pos,
        .message_id = str_from(said->id), .user_id = str_from(said->user), .anonymous_id = str_from(said->anonymous),
        .previous_id = str_from(said->previous), .timestamp_ms = START_MS + said->time, .is_alias = said->is_alias,
        .has_source = true, .source = said->source ? STR("other") : STR("s"),
    };
    said->is_removed = is_removed;
    return send_command(world, &command, &pos);
}

static bool suppress(struct world *world, int which, bool is_suppressed_now)
{
    CommandId id = { COMMAND_USER_ID, str_from(users[which]), INT64_MIN, INT64_MAX, false };
    JournalCommand command = { .kind = is_suppressed_now ? COMMAND_SUPPRESS : COMMAND_UNSUPPRESS, .ids = &id,
                               .id_count = 1 };
    JournalPos pos;
    world->suppressed[which] = is_suppressed_now;
    return send_command(world, &command, &pos);
}

/* Is any byte of the journal's records still one of these ids'? */
static bool check_journal(struct world *world, const JournalCommand *command)
{
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    Err err;
    Status s = journal_reader_open(world->journal, 0, &reader, &err);
    if (s) COMPLAIN("reader: %s", err.text);
    bool is_left = false;
    while (!journal_read(reader, &record, &err)) {
        if (record_kind(record.bytes) == RECORD_EVENT && event_decode(record.bytes, &event, &err) == OK) {
            if (identity_is_blocked(derive_identity(world->applier), event.user_id)) event.user_id = (Str){ 0 };
            is_left |= command_names_event(command, &event);
        }
        if (record_kind(record.bytes) == RECORD_COMMAND)
            is_left |= (unsigned char)record.bytes.bytes[1] == COMMAND_ERASE;
    }
    journal_reader_close(reader);
    if (is_left) COMPLAIN("something of who was erased is in the journal");
    return true;
}

static bool erase(struct world *world, int which, bool is_cut_off)
{
    Arena arena = region_arena(&world->region);
    JournalCommand command = { .kind = COMMAND_ERASE };
    CommandId *ids;
    JournalPos pos;
    uint64_t done;
    ControlErasure erasure;
    Err err;
    if (!catch_up(world)) return false;
    IdentityNode node = identity_find(derive_identity(world->applier), IDENTITY_USER, str_from(users[which]));
    if (node == IDENTITY_NONE) return true;
    IdentityPerson person = identity_person_now(derive_identity(world->applier), node);
    if (control_list_person_ids(derive_control(world->applier), person, &arena, &ids, &command.id_count, &err))
        COMPLAIN("ids: %s", err.text);
    command.ids = ids;
    for (int i = 0; i < world->message_count; i++) {
        char json[400];
        Event event = event_of(&world->messages[i], json, sizeof json);
        if (is_blocked(world->messages[i].said.user)) event.user_id = (Str){ 0 };
        if (!world->messages[i].pos || !command_names_event(&command, &event)) continue;
        world->messages[i].is_in_set = false;
        world->messages[i].is_erased_once = true;
    }
    if (!send_command(world, &command, &pos)) return false;
    if (is_cut_off) {                                        /* between any two of its steps */
        bool more;
        if (fake_dice_chance(&world->dice, 700) && !catch_up(world)) return false;
        for (uint64_t steps = fake_dice_below(&world->dice, 4); steps > 0; steps--)
            if (derive_maintain(world->applier, &more, &err)) COMPLAIN("erasing: %s", err.text);
        if (!restart(world, CRASH)) return false;
    }
    for (int i = 0; i < 10; i++)
        if (!catch_up(world) || !maintain(world)) return false;
    if (control_list_erasures(derive_control(world->applier), &erasure, 1, &done)) COMPLAIN("the erasure does not end");
    return check_journal(world, &command);
}

static bool rebuild(struct world *world)
{
    Err err;
    onym_close(world, false);
    if (kv_destroy(world->state_dir, &err)) COMPLAIN("%s", err.text);
    return onym_open(world);
}

/* ---- Comparing ---- */

#include "derive_expected.h"

static bool check_person(struct world *world, int id, struct buf *expected, struct buf *got)
{
    const Id *of = &world->model.ids[id];
    People people = derive_people(world->applier);
    Arena arena = region_arena(&world->region);
    IdentityPerson person;
    Err err;
    buf_clear(got);
    Status s = of->kind == IDENTITY_USER ? people_find_user(&people, str_from(of->value), &person, &err)
                                         : people_find_anonymous(&people, str_from(of->value), &person, &err);
    if (s == ERR_NOT_FOUND && !of->is_seen) return true;
    if (!s && !of->is_seen) COMPLAIN("%s was never seen, and is known", of->value);
    if (!s) s = people_write_person(&people, person, &arena, got, &err);
    if (s) COMPLAIN("telling %s: %s", of->value, err.text);
    write_expected(world, owner_at(&world->model, id, 0, NULL), expected);
    if (!str_equal(buf_str(got), buf_str(expected)))
        COMPLAIN("%s %s\n  is       %.*s\n  expected %.*s", of->kind ? "anonymous" : "user", of->value,
                 STR_FORMAT(buf_str(got)), STR_FORMAT(buf_str(expected)));
    return true;
}

/* The one trait of everybody says what each person's traits say. */
static bool check_trait_table(struct world *world)
{
    DeriveReading reading = { identity_take_view(derive_identity(world->applier)), 1 << 20, NULL };
    struct trait_table *table;
    Err err;
    bool ok = true;
    Status s = derive_open_trait(world->applier, &reading, str_from(trait_names[1]), &table, &err);
    identity_give_view(derive_identity(world->applier), reading.view);
    if (s) COMPLAIN("trait table: %s", err.text);
    for (int i = 0; ok && i < world->model.id_count; i++) {
        const Id *id = &world->model.ids[i];
        char text[200] = "";
        struct buf expected;
        Str json = { 0 };
        IdentityNode node = identity_find(derive_identity(world->applier), (IdentityKind)id->kind, str_from(id->value));
        if (!id->is_seen || node == IDENTITY_NONE) continue;
        buf_init_fixed(&expected, text, sizeof text);
        put_traits(world, owner_at(&world->model, i, 0, NULL), &expected);
        IdentityPerson person = identity_person_now(derive_identity(world->applier), node);
        check(derive_find_trait(table, person, (Arena){ 0 }, &json, &err) == OK);
        bool has = json.len > 0;
        Str at = buf_str(&expected);
        while (at.len && !str_starts(at, STR("\"plan\":"))) at = str_slice(at, 1, at.len);
        ok = has ? str_equal(str_slice(at, 7, at.len), json) : at.len == 0;
        if (!ok) snprintf(world->complaint, sizeof world->complaint, "the plan of %s is %.*s, of %s", id->value,
                          STR_FORMAT(json), text);
    }
    derive_close_trait(table);
    return ok;
}

static bool check_all(struct world *world)
{
    Model *model = &world->model;
    struct buf expected, got;
    bool ok = catch_up(world);
    model->count = 0;
    model->max_owners = 100;
    for (int i = 0; i < world->message_count; i++)
        if (world->messages[i].is_in_set) model->said[model->count++] = &world->messages[i].said;
    model_settle(model);
    buf_init(&expected, 1 << 16);
    buf_init(&got, 1 << 16);
    for (size_t i = 0; i < countof(users); i++) id_of(model, IDENTITY_USER, users[i]);
    for (size_t i = 0; i < countof(anonymous); i++) id_of(model, IDENTITY_ANONYMOUS, anonymous[i]);
    for (int i = 0; ok && i < model->id_count; i++) ok = check_person(world, i, &expected, &got);
    if (ok) ok = check_trait_table(world);
    buf_done(&expected);
    buf_done(&got);
    return ok;
}

/* ---- Running ---- */

static bool run_op(struct world *world, struct op op)
{
    bool more;
    Err err;
    switch (op.kind) {
    case SEND: return send_message(world, op.which);
    case STEP:
        if (derive_step(world->applier, &more, &err)) COMPLAIN("apply: %s", err.text);
        return true;
    case MAINTAIN: return maintain(world);
    case CRASH: case POWER_CUT: case RESTART: return restart(world, op.kind);
    case UNMERGE: case RESTORE: return take_back(world, op.which, op.kind == UNMERGE);
    case SUPPRESS: case UNSUPPRESS: return suppress(world, op.which, op.kind == SUPPRESS);
    case ERASE: return erase(world, op.which, fake_dice_chance(&world->dice, 500)) && check_all(world);
    case REBUILD: return rebuild(world);
    default: return false;
    }
}

static bool run_history(struct world *world, uint64_t seed)
{
    Err err;
    fake_disk_init(&world->disk, seed);
    fake_clock_init(&world->clock, 1700000000000);
    fake_dice_init(&world->dice, seed ^ 0xa991);
    memset(world->suppressed, 0, sizeof world->suppressed);
    for (int i = 0; i < world->message_count; i++) {
        world->messages[i].is_in_set = world->messages[i].is_erased_once = world->messages[i].said.is_removed = false;
        world->messages[i].pos = 0;
    }
    if (kv_destroy(world->state_dir, &err)) COMPLAIN("%s", err.text);
    fake_journal_init(&world->memory, &world->clock.clock);
    bool ok = onym_open(world);
    for (int i = 0; ok && i < world->op_count; i++) {
        ok = run_op(world, world->ops[i]);
        if (ok && i == world->op_count / 2) ok = check_all(world);
    }
    if (ok) ok = check_all(world);
    if (world->applier) onym_close(world, true);
    fake_journal_done(&world->memory);
    fake_disk_done(&world->disk);
    return ok;
}

static void shrink(struct world *world, uint64_t seed)
{
    for (bool is_smaller = true; is_smaller;) {
        is_smaller = false;
        for (int i = 0; i < world->op_count; i++) {
            struct op ops[OPS_MAX];
            int count = world->op_count;
            memcpy(ops, world->ops, sizeof ops);
            memmove(world->ops + i, world->ops + i + 1, (size_t)(count - i - 1) * sizeof *ops);
            world->op_count--;
            if (!run_history(world, seed)) {
                is_smaller = true;
                i--;
                continue;
            }
            memcpy(world->ops, ops, sizeof ops);
            world->op_count = count;
        }
    }
    (void)run_history(world, seed);
}

static void print_history(const struct world *world)
{
    printf("%s\n", world->complaint);
    for (int i = 0; i < world->op_count; i++) {
        const struct message *message = &world->messages[world->ops[i].which];
        const Said *said = &message->said;
        printf("  %-10s", op_names[world->ops[i].kind]);
        if (world->ops[i].kind == SUPPRESS || world->ops[i].kind == UNSUPPRESS || world->ops[i].kind == ERASE)
            printf(" %s\n", users[world->ops[i].which]);
        else if (world->ops[i].kind == SEND || world->ops[i].kind == UNMERGE || world->ops[i].kind == RESTORE)
            printf(" %-4s at %2d  %s user=%-6s anonymous=%-6s previous=%-6s traits %d %d\n", said->id, said->time,
                   said->is_alias ? "alias   " : message->is_identify ? "identify" : "track   ", said->user,
                   said->anonymous, said->previous, message->traits[0], message->traits[1]);
        else printf("\n");
    }
}

static void what_the_api_says_equals_the_model_whatever_happens(void **state)
{
    const char *rounds_text = getenv("ROUNDS");
    long rounds = rounds_text ? strtol(rounds_text, NULL, 10) : 300;
    uint64_t seed = fake_seed("derive_model");
    static struct world world;
    (void)state;
    snprintf(world.state_dir, sizeof world.state_dir, "%s/onym-apply-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(world.state_dir));
    region_open(&world.region, 16 << 20);
    for (long round = 0; round < rounds; round++) {
        struct fake_dice dice;
        uint64_t one = seed + (uint64_t)round;
        fake_dice_init(&dice, one);
        make_history(&world, &dice);
        world.is_in_memory = one % 2;                    /* whatever its back end */
        if (run_history(&world, one)) continue;
        printf("SEED=%" PRIu64 " (round %ld)\n", one, round);
        shrink(&world, one);
        print_history(&world);
        fail();
    }
    region_close(&world.region);
    assert_int_equal(kv_destroy(world.state_dir, NULL), OK);
    rmdir(world.state_dir);
}

/* ---- Stories ---- */

struct told { EventType type; int time; const char *id, *user, *anonymous, *previous, *traits; };

static JournalPos tell(struct world *world, const struct told *told)
{
    char json[400];
    struct buf buf;
    JournalPos pos = JOURNAL_OLDEST;
    int len = snprintf(json, sizeof json, "{\"traits\":%s}", told->traits ? told->traits : "{}");
    Event event = {
        .type = told->type, .source = STR("s"), .message_id = str_from(told->id), .user_id = str_from(told->user),
        .anonymous_id = str_from(told->anonymous), .previous_id = str_from(told->previous),
        .name = told->type == EVENT_TRACK ? STR("Done") : (Str){ 0 }, .timestamp_ms = START_MS + told->time,
        .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE, .received_at_ms = 1700000000000,
        .json = { json, (size_t)len },
    };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    event_encode(&buf, &event);
    assert_true(append_record(world, buf_str(&buf), &pos));
    buf_done(&buf);
    return pos;
}

static void expect(struct world *world, IdentityKind kind, const char *id, const char *expected)
{
    People people = derive_people(world->applier);
    Arena arena = region_arena(&world->region);
    struct buf buf;
    IdentityPerson person;
    Err err;
    Status s = kind == IDENTITY_USER ? people_find_user(&people, str_from(id), &person, &err)
                                     : people_find_anonymous(&people, str_from(id), &person, &err);
    assert_int_equal(s, OK);
    buf_init(&buf, 1 << 16);
    assert_int_equal(people_write_person(&people, person, &arena, &buf, &err), OK);
    buf_char(&buf, 0);
    assert_non_null(strstr(buf.bytes, "\"first_seen\""));
    *strstr(buf.bytes, ",\"first_seen\"") = ' ';              /* instants are the model's to check */
    const char *events = strstr(buf.bytes, ",\"events\"");
    memmove(strstr(buf.bytes, " \"first_seen\""), events, strlen(events) + 1);
    assert_string_equal(buf.bytes, expected);
    buf_done(&buf);
}

struct expected { IdentityKind kind; const char *id, *json; };

static void story_open(struct world *world, uint64_t seed)
{
    *world = (struct world){ 0 };
    fake_disk_init(&world->disk, seed);
    fake_clock_init(&world->clock, 1700000000000);
    fake_dice_init(&world->dice, seed);
    snprintf(world->state_dir, sizeof world->state_dir, "/tmp/onym-story-XXXXXX");
    assert_non_null(mkdtemp(world->state_dir));
    region_open(&world->region, 16 << 20);
    assert_true(onym_open(world));
}

static void story_close(struct world *world)
{
    onym_close(world, true);
    assert_int_equal(kv_destroy(world->state_dir, NULL), OK);
    rmdir(world->state_dir);
    fake_disk_done(&world->disk);
    region_close(&world->region);
}

/* The same people in whatever order the messages arrive. */
static void run_story(const struct told *told, size_t count, const struct expected *expected, size_t expected_count)
{
    static struct world world;
    for (uint64_t round = 0; round < 20; round++) {
        size_t order[16];
        story_open(&world, round);
        for (size_t at = 0; at < count; at++) {
            size_t other = round ? fake_dice_below(&world.dice, at + 1) : at;
            order[at] = order[other];
            order[other] = at;
        }
        for (size_t at = 0; at < count; at++) tell(&world, &told[order[at]]);
        assert_true(catch_up(&world));
        for (size_t at = 0; at < expected_count; at++)
            expect(&world, expected[at].kind, expected[at].id, expected[at].json);
        story_close(&world);
    }
}

#define RUN_STORY(told, expected) run_story((told), countof(told), (expected), countof(expected))
#define SIGNED_UP(events) "{\"person_id\":\"u_12345\",\"user_ids\":[\"12345\"],\"anonymous_ids\":[\"A\"]," \
    "\"external_ids\":[],\"traits\":{\"email\":\"p@example.com\",\"name\":\"Peter\"},\"events\":" events "}"
static const char peter[] = "{\"name\":\"Peter\",\"email\":\"p@example.com\"}";

static void a_visitor_signs_up(void **state)
{
    static const struct told told[] = {
        { EVENT_PAGE, 0, "m0", "", "A", "", NULL }, { EVENT_TRACK, 1, "m1", "", "A", "", NULL },
        { EVENT_IDENTIFY, 2, "m2", "12345", "A", "", peter }, { EVENT_TRACK, 3, "m3", "12345", "A", "", NULL } };
    static const struct expected expected[] = { { IDENTITY_USER, "12345", SIGNED_UP("4") },
                                                { IDENTITY_ANONYMOUS, "A", SIGNED_UP("4") } };
    (void)state;
    RUN_STORY(told, expected);
}

static void a_visitor_signs_up_and_the_server_sends_the_traits_later(void **state)
{
    static const struct told told[] = {
        { EVENT_PAGE, 0, "m0", "", "A", "", NULL }, { EVENT_IDENTIFY, 1, "m1", "12345", "A", "", NULL },
        { EVENT_TRACK, 2, "m2", "12345", "A", "", NULL }, { EVENT_IDENTIFY, 3, "m3", "12345", "", "", peter } };
    static const struct expected expected[] = { { IDENTITY_USER, "12345", SIGNED_UP("4") },
                                                { IDENTITY_ANONYMOUS, "A", SIGNED_UP("4") } };
    (void)state;
    RUN_STORY(told, expected);
}

static void the_server_identifies_before_the_browser_says_alias(void **state)
{
    static const struct told told[] = {
        { EVENT_IDENTIFY, 2, "m0", "12345", "", "", peter }, { EVENT_PAGE, 0, "m1", "", "A", "", NULL },
        { EVENT_TRACK, 1, "m2", "", "A", "", NULL }, { EVENT_ALIAS, 3, "m3", "12345", "", "A", NULL } };
    static const struct expected expected[] = { { IDENTITY_USER, "12345", SIGNED_UP("4") },
                                                { IDENTITY_ANONYMOUS, "A", SIGNED_UP("4") } };
    (void)state;
    RUN_STORY(told, expected);
}

static const struct told log_out[] = {
    { EVENT_PAGE, 0, "m0", "", "A", "", NULL }, { EVENT_IDENTIFY, 1, "m1", "12345", "A", "", peter },
    { EVENT_TRACK, 2, "m2", "", "A", "", NULL }, { EVENT_IDENTIFY, 3, "m3", "67890", "A", "", "{\"name\":\"Ann\"}" },
    { EVENT_TRACK, 4, "m4", "", "A", "", NULL }, { EVENT_TRACK, 5, "m5", "12345", "A", "", NULL },
    { EVENT_TRACK, 6, "m6", "67890", "A", "", NULL }, { EVENT_IDENTIFY, 7, "m7", "", "A", "", "{\"plan\":\"pro\"}" } };

static void somebody_logs_out_without_reset_and_another_logs_in(void **state)
{
    static const char ann[] = "{\"person_id\":\"u_67890\",\"user_ids\":[\"67890\"],\"anonymous_ids\":[\"A\"],"
        "\"external_ids\":[],\"traits\":{\"name\":\"Ann\",\"plan\":\"pro\"},\"events\":4}";
    static const struct expected expected[] = { { IDENTITY_USER, "12345", SIGNED_UP("4") },
                                                { IDENTITY_USER, "67890", ann }, { IDENTITY_ANONYMOUS, "A", ann } };
    (void)state;
    RUN_STORY(log_out, expected);
}

static void a_user_returns_on_a_second_device(void **state)
{
    static const struct told told[] = {
        { EVENT_PAGE, 0, "m0", "", "A", "", NULL }, { EVENT_IDENTIFY, 1, "m1", "12345", "A", "", peter },
        { EVENT_PAGE, 5, "m2", "", "B", "", NULL }, { EVENT_IDENTIFY, 6, "m3", "12345", "B", "", "{\"name\":null}" },
        { EVENT_TRACK, 7, "m4", "", "B", "", NULL } };
    static const char both[] = "{\"person_id\":\"u_12345\",\"user_ids\":[\"12345\"],"
        "\"anonymous_ids\":[\"A\",\"B\"],\"external_ids\":[],\"traits\":{\"email\":\"p@example.com\"},\"events\":5}";
    static const struct expected expected[] = { { IDENTITY_USER, "12345", both }, { IDENTITY_ANONYMOUS, "B", both } };
    (void)state;
    RUN_STORY(told, expected);
}

/* ---- Other rules ---- */

static void a_dry_run_says_who_would_merge_and_split(void **state)
{
    static struct world world;
    static const Str blocked[] = { { "67890", 5 } }, fields[] = { { "traits.email", 12 } };
    static const IdentityExternal email = { { "email", 5 }, 0, false };
    static const struct told visitors[] = { { EVENT_IDENTIFY, 0, "v0", "", "V", "", "{\"email\":\"v@x.y\"}" },
                                            { EVENT_IDENTIFY, 1, "v1", "", "W", "", "{\"email\":\"v@x.y\"}" } };
    char scratch[80];
    DryRun dry;
    Err err;
    (void)state;
    story_open(&world, 1);
    for (size_t at = 0; at < countof(log_out); at++) tell(&world, &log_out[at]);
    for (size_t at = 0; at < countof(visitors); at++) tell(&world, &visitors[at]);
    snprintf(scratch, sizeof scratch, "%s/dry", world.state_dir);
    DryRunOptions options = { .journal = world.journal, .scratch_dir = scratch };
    Arena arena = region_arena(&world.region);
    assert_int_equal(derive_dry_run(&options, &arena, &dry, &err), OK);
    assert_true(dry.messages == 10 && dry.people_before == 4 && dry.people_after == 4);
    assert_true(dry.merged.wholes == 0 && dry.split.wholes == 0);
    options.after = (PeopleRules){ { .blocked = blocked, .blocked_count = 1 }, NULL };
    assert_int_equal(derive_dry_run(&options, &arena, &dry, &err), OK);
    assert_true(dry.people_before == 4 && dry.people_after == 3 && dry.merged.wholes == 1 && dry.merged.parts == 2);
    assert_true(str_equal(dry.merged.examples[0].whole, STR("u_12345")) && dry.merged.examples[0].part_count == 2);
    options.after = (PeopleRules){ { .externals = &email, .external_count = 1 }, fields };
    assert_int_equal(derive_dry_run(&options, &arena, &dry, &err), OK);
    assert_true(dry.people_before == 4 && dry.people_after == 3 && dry.merged.wholes == 1 && dry.split.wholes == 0);
    assert_true(str_equal(dry.merged.examples[0].whole, STR("x_email:v~40x.y")));
    options.before = options.after;
    options.after = (PeopleRules){ 0 };
    assert_int_equal(derive_dry_run(&options, &arena, &dry, &err), OK);
    assert_true(dry.people_after == 4 && dry.split.wholes == 1 && dry.split.parts == 2 && dry.split.example_count == 1);
    rmdir(scratch);
    story_close(&world);
}

/* What operators ordered counts under either rules, the external ids of a message that was taken back included. */
static void a_dry_run_obeys_what_operators_ordered(void **state)
{
    static struct world world;
    static const Str fields[] = { { "traits.email", 12 } };
    static const IdentityExternal email = { { "email", 5 }, 0, false };
    static const struct told visitors[] = {
        { EVENT_IDENTIFY, 0, "v0", "", "V", "", "{\"email\":\"v@x.y\"}" },
        { EVENT_IDENTIFY, 1, "v1", "", "W", "", "{\"email\":\"v@x.y\"}" },
        { EVENT_IDENTIFY, 2, "v2", "12345", "X", "", NULL }, { EVENT_ALIAS, 3, "v3", "9", "", "12345", NULL },
        { EVENT_IDENTIFY, 4, "v4", "", "Y", "", "{\"email\":\"gone@x.y\"}" } };
    CommandId ids[] = { { COMMAND_USER_ID, { "12345", 5 }, INT64_MIN, INT64_MAX, false },
                        { COMMAND_EXTERNAL_ID, { "email:gone@x.y", 14 }, INT64_MIN, INT64_MAX, false } };
    JournalCommand order = { .kind = COMMAND_SUPPRESS, .ids = ids, .id_count = countof(ids) };
    char scratch[80];
    JournalPos pos;
    DryRun dry;
    Err err;
    (void)state, story_open(&world, 1);
    snprintf(scratch, sizeof scratch, "%s/dry", world.state_dir);
    PeopleRules rules = { { .externals = &email, .external_count = 1 }, fields };
    DryRunOptions options = { .journal = world.journal, .scratch_dir = scratch, .before = rules, .after = rules };
    Arena arena = region_arena(&world.region);
    tell(&world, &visitors[0]);
    JournalCommand unmerge = { .kind = COMMAND_UNMERGE, .position = tell(&world, &visitors[1]), .has_source = true,
                               .source = STR("s"), .message_id = STR("v1"), .anonymous_id = STR("W"),
                               .timestamp_ms = START_MS + 1 };
    assert_true(!derive_dry_run(&options, &arena, &dry, &err) && dry.messages == 2 && dry.people_before == 1);
    assert_true(send_command(&world, &unmerge, &pos));
    assert_true(!derive_dry_run(&options, &arena, &dry, &err) && dry.people_before == 2 && dry.people_after == 2);
    assert_true(send_command(&world, &order, &pos));
    for (size_t at = 2; at < countof(visitors); at++) tell(&world, &visitors[at]);     /* each names one of the two */
    assert_true(!derive_dry_run(&options, &arena, &dry, &err) && dry.messages == 2 && dry.people_before == 2);
    order.kind = COMMAND_UNSUPPRESS, order.id_count = 1;       /* of the user */
    assert_true(send_command(&world, &order, &pos));
    for (size_t at = 2; at < countof(visitors); at += 2) tell(&world, &visitors[at]);      /* the user is back */
    assert_true(!derive_dry_run(&options, &arena, &dry, &err) && dry.messages == 3 && dry.people_before == 3);
    rmdir(scratch);
    story_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_api_says_equals_the_model_whatever_happens),
        cmocka_unit_test(a_visitor_signs_up),
        cmocka_unit_test(a_visitor_signs_up_and_the_server_sends_the_traits_later),
        cmocka_unit_test(the_server_identifies_before_the_browser_says_alias),
        cmocka_unit_test(somebody_logs_out_without_reset_and_another_logs_in),
        cmocka_unit_test(a_user_returns_on_a_second_device),
        cmocka_unit_test(a_dry_run_says_who_would_merge_and_split),
        cmocka_unit_test(a_dry_run_obeys_what_operators_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
