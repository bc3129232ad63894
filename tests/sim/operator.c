/* operator: what somebody with the secret key orders, drawn by the dice. Orders that change who is who are records in
 * the journal, made as api/ makes them: from what the applier knows at that moment. */
#include "world.h"

enum { ORDER_ERASE, ORDER_SUPPRESS, ORDER_UNSUPPRESS, ORDER_UNMERGE, ORDER_RESTORE, ORDER_REPLAY, ORDER_REDO,
       ORDER_SWITCH, ORDER_KINDS };

/* ---- Handing in ---- */

static void on_order(struct journal_append *append, Status status, JournalPos first)
{
    struct world *world = append->owner;
    control_order_over(world->order_token, status);
    world_tell(world, "the order at %llu: %s", (unsigned long long)first, status_word(status));
    world->has_order = false;
}

static void submit(struct world *world, const JournalCommand *command)
{
    Err err;
    journal_append_clear(&world->order);
    size_t begun = journal_begin_record(&world->order);
    command_encode(&world->order.frames, command);
    journal_end_record(&world->order, begun);
    world->order.on_durable = on_order;
    world->order.owner = world;
    world->has_order = true;                             /* until it is answered, by whatever thread commits */
    if (control_order(derive_control(world->applier), &world->order, &world->order_token, &err)) {
        world_tell(world, "the order is not taken: %s", err.text);
        world->has_order = false;
    }
    world->orders++;
}

void operator_forget(struct world *world)
{
    if (world->has_order) world_fail(world, "an order that was submitted was never answered");
}

/* ---- Orders ---- */

/* A message that counts, or -1. */
static int draw_message(struct world *world)
{
    if (!world->visitors.sent_count) return -1;
    int sent = (int)fake_dice_below(&world->dice, world->visitors.sent_count);
    return world->sent[sent].is_counted ? sent : -1;
}

/* While no request is under way: what an erased message becomes that is sent once more is up to dedup's memory. */
/* By which of its ids an order names whom the message is of: one of the externals where the dice say so. */
static IdentityNode draw_node(struct world *world, const Sent *of, CommandId *ret_asked, Arena *arena)
{
    struct identity *identity = derive_identity(world->applier);
    int external = (int)fake_dice_below(&world->dice, 2 * EXTERNALS);
    Str spelt = external < EXTERNALS ? world_spell_external(world, of, external, arena) : (Str){ 0 };
    *ret_asked = (CommandId){ .kind = COMMAND_EXTERNAL_ID, .from_ms = INT64_MIN, .to_ms = INT64_MAX, .value = spelt };
    if (spelt.len)
        return identity_find(identity, (IdentityKind)(IDENTITY_EXTERNAL + external),
                             str_from(of->externals[external]));
    return of->user_id[0] ? identity_find(identity, IDENTITY_USER, str_from(of->user_id))
                          : identity_find(identity, IDENTITY_ANONYMOUS, str_from(of->anonymous_id));
}

/* An order takes the person's messages and nobody else's. At the very instant where a shared id passes from one to
 * another either may be right; aliases go with any id that they name. */
static void check_whose(struct world *world, const JournalCommand *command, IdentityPerson person)
{
    struct identity *identity = derive_identity(world->applier);
    DeriveStats stats;
    derive_read_stats(world->applier, &stats);
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *of = &world->sent[at];
        if (!of->is_counted || of->type == EVENT_ALIAS || of->pos >= stats.applied) continue;
        Event event = history_event(world, (int)at), before = event, after = event;
        before.timestamp_ms--, after.timestamp_ms++;
        bool is_named = command_names_event(command, &event);
        if (is_named != command_names_event(command, &before) || is_named != command_names_event(command, &after))
            continue;
        IdentityNode subject = of->user_id[0] ? identity_find(identity, IDENTITY_USER, event.user_id)
                                              : identity_find(identity, IDENTITY_ANONYMOUS, event.anonymous_id);
        if (subject == IDENTITY_NONE) continue;              /* it is not applied yet */
        IdentityPerson owner = identity_find_owner(identity, subject, of->time_ms, event.message_id);
        if (owner != identity_find_owner(identity, subject, before.timestamp_ms, event.message_id)
            || owner != identity_find_owner(identity, subject, after.timestamp_ms, event.message_id)) continue;
        bool is_theirs = owner == person;
        if (is_named != is_theirs)
            world_fail(world, "an order to erase takes %s%s, which is %s", of->message_id, is_named ? "" : " not",
                       is_theirs ? "the person's" : "another's");
    }
}

static void erase(struct world *world, int sent)
{
    Arena arena = region_arena(&world->scratch);
    JournalCommand command = { .kind = COMMAND_ERASE, .at_ms = world->clock.now_ms };
    struct identity *identity = derive_identity(world->applier);
    const Sent *of = &world->sent[sent];
    CommandId *ids, asked;
    IdentityPerson person = IDENTITY_NONE;
    Err err;
    for (size_t at = 0; at < FLIGHTS_MAX; at++)
        if (world->flights[at].is_used) return;
    derive_begin_reading(world->applier);
    IdentityNode node = draw_node(world, of, &asked, &arena);
    if (node != IDENTITY_NONE) person = identity_person_now(identity, node);
    Status s = node == IDENTITY_NONE ? ERR_NOT_FOUND
             : control_list_person_ids(derive_control(world->applier), person, &arena, &ids, &command.id_count, &err);
    if (!s) check_whose(world, &(JournalCommand){ .ids = ids, .id_count = command.id_count }, person);
    derive_end_reading(world->applier);
    if (s == ERR_NOT_FOUND || command.id_count == 0) return;
    if (s) {
        world_tell(world, "whom to erase: %s", err.text);
        return;
    }
    CommandId *all = arena_new(&arena, CommandId, command.id_count + 1);
    memcpy(all, ids, command.id_count * sizeof *ids);
    command.ids = all;
    if (asked.value.len) all[command.id_count++] = asked;    /* named twice does no harm */
    world_tell(world, "erase whom %s is of, %zu ids%s%.*s", of->message_id, command.id_count,
               asked.value.len ? ", by " : "", STR_FORMAT(asked.value));
    submit(world, &command);
    world_commit(world);
}

static void suppress(struct world *world, int sent)
{
    const Sent *of = &world->sent[sent];
    Arena arena = region_arena(&world->scratch);
    bool is_user = of->user_id[0] != 0;
    CommandId id;
    (void)draw_node(world, of, &id, &arena);
    if (!id.value.len)
        id = (CommandId){ .kind = is_user ? COMMAND_USER_ID : COMMAND_ANONYMOUS_ID, .from_ms = INT64_MIN,
                          .to_ms = INT64_MAX, .value = str_from(is_user ? of->user_id : of->anonymous_id) };
    JournalCommand command = { .kind = COMMAND_SUPPRESS, .at_ms = world->clock.now_ms, .ids = &id, .id_count = 1 };
    if (world->history.suppressed_count == SUPPRESSED_MAX) return;
    world_tell(world, "suppress %.*s", STR_FORMAT(id.value));
    submit(world, &command);
}

static void unsuppress(struct world *world)
{
    const struct history *history = &world->history;
    if (!history->suppressed_count) return;
    size_t at = fake_dice_below(&world->dice, history->suppressed_count);
    if (history->suppressed[at].has_ended) return;
    CommandId id = { .kind = history->suppressed[at].kind, .from_ms = INT64_MIN, .to_ms = INT64_MAX,
                     .value = str_from(history->suppressed[at].value) };
    JournalCommand command = { .kind = COMMAND_UNSUPPRESS, .at_ms = world->clock.now_ms, .ids = &id, .id_count = 1 };
    world_tell(world, "allow %.*s again", STR_FORMAT(id.value));
    submit(world, &command);
}

static void take_back(struct world *world, int sent, CommandKind kind)
{
    Arena arena = region_arena(&world->scratch);
    JournalCommand command = { .kind = kind, .at_ms = world->clock.now_ms };
    Err err;
    bool is_gone = world->sent[sent].pos < journal_first(world->journal);            /* nobody can tell its ids */
    Status s = control_find_evidence(derive_control(world->applier), world->sent[sent].pos, &arena, &command, &err);
    if (s && !world->has_faults && !(is_gone && s == ERR_NOT_FOUND)) world_fail(world, "evidence: %s", err.text);
    if (s) return;
    world_tell(world, "%s %s", kind == COMMAND_UNMERGE ? "unmerge" : "restore", world->sent[sent].message_id);
    submit(world, &command);
}

/* ---- Orders to destinations ---- */

static void ask_destination(struct world *world, bool is_replay)
{
    int vendor = (int)fake_dice_below(&world->dice, VENDORS);
    Str name = str_from(vendors_names[vendor]);
    uint64_t ticket;
    Err err;
    world->vendors.is_replayed[vendor] |= is_replay;
    Status s = is_replay ? deliver_ask_replay(world->deliver, name, 0, INT64_MAX, &ticket, &err)
                         : deliver_ask_redo(world->deliver, name, 0, &ticket, &err);
    world_tell(world, "%s of %.*s: %s", is_replay ? "replay" : "redo", STR_FORMAT(name), status_word(s));
    if (s && s != ERR_CONFLICT && s != ERR_NOT_FOUND) world_fail(world, "asking a destination: %s", err.text);
}

static void switch_destination(struct world *world)
{
    DestinationConfig *config = &world->vendors.configs[fake_dice_below(&world->dice, VENDORS)];
    Err err;
    config->is_enabled = !config->is_enabled;
    world_tell(world, "%.*s is switched %s", STR_FORMAT(config->name), config->is_enabled ? "on" : "off");
    if (deliver_set_config(world->deliver, world->vendors.configs, VENDORS, &err))
        world_fail(world, "a configuration that was right: %s", err.text);
}

void operator_act(struct world *world)
{
    int sent = draw_message(world);
    if (sent < 0 || world->has_order) return;
    switch (fake_dice_below(&world->dice, ORDER_KINDS)) {
    case ORDER_ERASE: if (world->may_erase) erase(world, sent); break;
    case ORDER_SUPPRESS: suppress(world, sent); break;
    case ORDER_UNSUPPRESS: unsuppress(world); break;
    case ORDER_UNMERGE: if (world->may_unmerge) take_back(world, sent, COMMAND_UNMERGE); break;
    case ORDER_RESTORE: if (world->may_unmerge) take_back(world, sent, COMMAND_RESTORE); break;
    case ORDER_REPLAY: ask_destination(world, true); break;
    case ORDER_REDO: ask_destination(world, false); break;
    default: switch_destination(world); break;
    }
}
