/* deliver_fixture: the framework by a clock turned by hand, and a vendor that answers as told. For the tests of this
 * folder, one world at a time. */
#ifndef ONYM_TESTS_DELIVER_FIXTURE_H
#define ONYM_TESTS_DELIVER_FIXTURE_H

#include "tests/model/deliver_world.h"

/* What the vendor says to each request, and what it was sent. */
struct vendor {
    int status;                             /* of every answer, unless the next row has one */
    FetchOutcome outcome;
    const char *headers;
    Str body;
    int script[16];                         /* statuses of the first requests; negative: minus an outcome */
    size_t script_at, script_count;
    char urls[256][160];
    char *bodies[256];
    size_t count;
};

static struct vendor vendor;
static struct world *world;

static inline void vendor_answer(void *owner, const FetchRequest *request, FakeAnswer *answer)
{
    (void)owner;
    snprintf(vendor.urls[vendor.count], sizeof vendor.urls[0], "%.*s %.*s", STR_FORMAT(request->method),
             STR_FORMAT(request->url));
    vendor.bodies[vendor.count] = strndup(request->body.bytes ? request->body.bytes : "", request->body.len);
    vendor.count++;
    assert_true(vendor.count < 256);
    answer->outcome = vendor.outcome;
    answer->status = vendor.status;
    answer->headers = vendor.headers ? vendor.headers : "";
    answer->body = vendor.body;
    if (vendor.script_at == vendor.script_count) return;
    if (vendor.script[vendor.script_at] < 0) answer->outcome = (FetchOutcome)-vendor.script[vendor.script_at];
    else answer->status = vendor.script[vendor.script_at];
    vendor.script_at++;
}

static inline int setup(void **state)
{
    (void)state;
    vendor = (struct vendor){ .status = 200 };
    world = malloc(sizeof *world);
    world_open(world, 42);
    fake_fetch_init(&world->fetch, &world->clock, vendor_answer, NULL, NULL);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    world_close(world);
    free(world);
    for (size_t at = 0; at < vendor.count; at++) free(vendor.bodies[at]);
    return 0;
}

static inline void start(const char *name, const char *type, const char *const *pairs)
{
    world_add_destination(world, name, type, pairs);
    world_start(world);
}

static inline struct made *say(EventType type, const char *user, const char *anonymous, Millis at_ms)
{
    struct made *made = &world->made[world->made_count++];
    *made = (struct made){ .type = type, .at_ms = world->clock.now_ms + at_ms, .received_ms = world->clock.now_ms };
    snprintf(made->id, sizeof made->id, "message-%zu", world->made_count);
    snprintf(made->user, sizeof made->user, "%s", user);
    snprintf(made->anonymous, sizeof made->anonymous, "%s", anonymous);
    world_append(world, made);
    world->known = journal_end(world->journal);
    return made;
}

/* A message as JSON, for what struct made does not have. */
static inline void say_json(const char *more)
{
    struct journal_append append;
    struct made made = { 0 };
    struct buf record;
    char text[2048], now[24];
    Event event;
    Err err;
    instant_write(world->clock.now_ms, now);
    snprintf(text, sizeof text, "{\"type\":\"track\",\"event\":\"E\",\"messageId\":\"json-%zu\",\"userId\":\"u\","
             "\"timestamp\":\"%.24s\",\"projectId\":\"website\"%s}", world->made_count++, now, more);
    event = (Event){ .type = EVENT_TRACK, .source = STR("website"), .message_id = STR("json"), .user_id = STR("u"),
                     .name = STR("E"), .timestamp_ms = world->clock.now_ms, .original_timestamp_ms = INSTANT_NONE,
                     .sent_at_ms = INSTANT_NONE, .received_at_ms = world->clock.now_ms, .json = str_from(text) };
    const char *stamp = strstr(text, ",\"planCheck\":");           /* at its end, as collection puts it */
    if (stamp) event.plan_check = str_slice(event.json, (size_t)(stamp - text) + 13, event.json.len - 1);
    buf_init(&record, 8192);
    event_encode(&record, &event);
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = world_noop;
    append.owner = &made;
    journal_put_record(&append, buf_str(&record));
    assert_int_equal(journal_submit(world->journal, &append, &err), OK);
    assert_int_equal(journal_commit(world->journal, NULL, &err), OK);
    journal_append_done(&append);
    buf_done(&record);
    world->known = journal_end(world->journal);
}

static inline void pass(Millis ms, Millis by_ms)
{
    for (Millis passed = 0; passed < ms; passed += by_ms) {
        world_step(world);
        fake_clock_advance(&world->clock, by_ms);
    }
    world_step(world);
    world_step(world);
}

static inline DeliverState state_of(size_t at)
{
    DeliverState states[DESTINATIONS_MOST];
    fake_clock_advance(&world->clock, 300);
    world_step(world);
    assert_true(deliver_read_states(world->deliver, states, DESTINATIONS_MOST) > at);
    return states[at];
}

struct letters {
    char text[4096];
    uint64_t number;
    int count;
};

static inline bool note_letter(void *context, const DeadLetter *letter)
{
    struct letters *letters = context;
    snprintf(letters->text, sizeof letters->text, "%.*s", STR_FORMAT(letter->json));
    letters->number = letter->number;
    letters->count++;
    return true;
}

static inline size_t count_bodies(const char *text)
{
    size_t count = 0;
    for (size_t at = 0; at < vendor.count; at++) count += strstr(vendor.bodies[at], text) != NULL;
    return count;
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
