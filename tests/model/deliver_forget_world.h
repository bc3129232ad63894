/* deliver_forget_world: deliver's world with a person who is to be forgotten. One world a program. */
#ifndef ONYM_TESTS_DELIVER_FORGET_WORLD_H
#define ONYM_TESTS_DELIVER_FORGET_WORLD_H

#include "deliver_world.h"

static struct world *world;

/* Who is to be forgotten: user-2 with visitor-2, by a command like the applier's. */
static struct wanted {
    bool is_wanted, is_ended, is_suppression;
    CommandId ids[2];
    JournalCommand what;
    JournalPos before;
} wanted;

static inline Status list_wanted(void *context, Arena *arena, DeliverForget **ret, size_t *ret_count, Err *err)
{
    (void)context;
    (void)err;
    *ret_count = wanted.is_wanted && !wanted.is_ended;
    *ret = arena_new(arena, DeliverForget, 1);
    **ret = (DeliverForget){ wanted.before, wanted.what, 7 };
    return OK;
}

static inline void end_wanted(void *context, const DeliverForget *forget)
{
    (void)context;
    assert_int_equal(forget->number, 7);
    wanted.is_ended = true;
}

static inline bool is_suppressed_now(void *context, struct event_parser *parser, const Event *event, Arena scratch)
{
    (void)parser, (void)scratch;
    (void)context;
    if (!wanted.is_wanted || !wanted.is_suppression) return false;
    return str_equal(event->user_id, wanted.ids[0].value) || str_equal(event->anonymous_id, wanted.ids[1].value);
}

static inline bool should_erase(void *context, Str record, JournalPos pos)
{
    Event event;
    (void)context;
    (void)pos;
    return record_kind(record) == RECORD_EVENT && event_decode(record, &event, NULL) == OK
        && command_names_event(&wanted.what, &event);
}

static inline void want(bool is_suppression)
{
    uint64_t erased;
    Err err;
    wanted.ids[0] = (CommandId){ COMMAND_USER_ID, STR("user-2"), INT64_MIN, INT64_MAX, false };
    wanted.ids[1] = (CommandId){ COMMAND_ANONYMOUS_ID, STR("visitor-2"), INT64_MIN, INT64_MAX, false };
    wanted.what = (JournalCommand){ .kind = is_suppression ? COMMAND_SUPPRESS : COMMAND_ERASE, .ids = wanted.ids,
                                    .id_count = 2 };
    wanted.before = is_suppression ? UINT64_MAX : journal_end(world->journal);
    wanted.is_suppression = is_suppression;
    JournalErase erase = { .to = wanted.before, .should_erase = should_erase,
                           .erased_first_byte = EVENT_RECORD_VERSION << 4 | RECORD_ERASED };
    if (!is_suppression)
        assert_int_equal(journal_erase(world->journal, &erase, &erased, &err), OK);
    wanted.is_wanted = true;
}

static inline void say(int person, EventType type, bool has_user, bool has_visitor, Millis at_ms)
{
    struct made *made = &world->made[world->made_count++];
    *made = (struct made){ .type = type, .at_ms = world->clock.now_ms + at_ms, .received_ms = world->clock.now_ms };
    snprintf(made->id, sizeof made->id, "message-%d-%zu", person, world->made_count);
    if (has_user) snprintf(made->user, sizeof made->user, "user-%d", person);
    if (has_visitor) snprintf(made->anonymous, sizeof made->anonymous, "visitor-%d", person);
    world_append(world, made);
    world->known = journal_end(world->journal);
}

static inline void open_world(uint64_t seed)
{
    static const char *const batch[] = { "url=http://0.test/", "allow_private=true", "batch_size=50",
                                         "rule.start=beginning", "rule.retry_hours=0", NULL };
    static const char *const alone[] = { "url=http://1.test/", "allow_private=true", "rule.start=beginning", NULL };
    static const char *const simple[] = { "token=T", "identity=simplified", "endpoint=http://2.test",
                                          "rule.start=beginning", NULL };
    static const char *const legacy[] = { "token=T", "identity=legacy", "endpoint=http://3.test",
                                          "rule.start=beginning", "rule.grace_seconds=60", NULL };
    wanted = (struct wanted){ 0 };
    world = malloc(sizeof *world);
    world_open(world, seed);
    world->forgets = (struct deliver_people){ .is_suppressed = is_suppressed_now, .list_forgets = list_wanted,
                                              .end_forget = end_wanted };
    world_add_destination(world, "batch", "webhook", batch);
    world_add_destination(world, "alone", "webhook", alone);
    world_add_destination(world, "simple", "mixpanel", simple);
    world_add_destination(world, "legacy", "mixpanel", legacy);
    world_start(world);
}

static inline void close_world(void)
{
    world_close(world);
    free(world);
}

static inline size_t count_rows_with(const char *text)
{
    size_t count = 0;
    for (size_t at = 0; at < world->rows.count; at++) {
        const struct fake_row *row = &world->rows.list[at];
        count += str_contains(str_of(row->bytes, row->key_len + row->value_len), str_from(text));
    }
    return count;
}

static inline bool has_come(int destination, const struct made *made)
{
    for (size_t at = 0; at < world->seen_count; at++)
        if (world->seen[at].destination == destination && strcmp(world->seen[at].key, made->id) == 0) return true;
    return false;
}

static inline bool is_in_letter(const struct made *made)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"message_id\":\"%s\"", made->id);
    return count_rows_with(quoted) > 0;
}

static inline void pass(Millis ms, Millis by_ms)
{
    for (Millis passed = 0; passed < ms; passed += by_ms) {
        world_step(world);
        fake_clock_advance(&world->clock, by_ms);
    }
}

#endif
