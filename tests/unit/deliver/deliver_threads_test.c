/* All who may ask the deliverer at once do, while it delivers and is reconfigured: states, configurations, dead
 * letters, replays, redos. On a real store; for the thread sanitizer (make tsan T=deliver) and for us. */
#include "tests/model/deliver_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { ASKERS = 3, TURNS = 100, WAIT_MS = 60000 };

static struct world *world;
static atomic_bool is_over;
static atomic_uint asked, ended;

/* Every third request is refused, so that there are dead letters. */
static void answer(void *owner, const FetchRequest *request, FakeAnswer *ret)
{
    static unsigned count;
    (void)owner;
    (void)request;
    ret->status = ++count % 3 == 0 ? 400 : 200;
}

static bool count_letter(void *context, const DeadLetter *letter)
{
    ++*(size_t *)context;
    return letter->json.len > 0;
}

static void ask_all(const struct outbox_rows *rows, unsigned turn, Arena arena)
{
    static const Str names[] = { { "single", 6 }, { "chat", 4 } };
    Str name = names[turn % 2], hash;
    DeliverState *states = arena_new(&arena, DeliverState, DELIVER_STATES);
    DestinationConfig config;
    size_t letters = 0;
    uint64_t ticket;
    Err err;
    (void)deliver_read_states(world->deliver, states, DELIVER_STATES);
    IGNORE(deliver_find_config(world->deliver, name, &arena, &config, &err));
    IGNORE(deliver_user_hash(world->deliver, name, STR("12345"), &arena, &hash, &err));
    IGNORE(deliver_list_dead(rows, name, 0, count_letter, &letters, &err));
    Status s = ERR_NOT_FOUND;
    if (turn % 16 == 0) s = deliver_ask_redo(world->deliver, name, 0, &ticket, &err);
    if (turn % 32 == 8) s = deliver_ask_replay(world->deliver, name, 0, INT64_MAX, &ticket, &err);
    if (!s) IGNORE(deliver_wait_asked(world->deliver, ticket, turn % 3 ? 0 : WAIT_MS, NULL, &err));
    if (turn % 8 == 0)
        check(deliver_set_config(world->deliver, world->configs, 1 + turn / 8 % 2, &err) == OK);
    deliver_wake(world->deliver);
}

static void *ask(void *context)
{
    struct region region;
    region_open(&region, 16 << 20);
    for (unsigned turn = 0; !atomic_load(&is_over); turn++) {
        ask_all(context, turn, region_arena(&region));
        atomic_fetch_add(&asked, 1);
    }
    region_close(&region);
    atomic_fetch_add(&ended, 1);
    return NULL;
}

static void say(Millis at_ms)
{
    struct made *made = &world->made[world->made_count++];
    *made = (struct made){ .type = EVENT_TRACK, .at_ms = at_ms, .received_ms = at_ms };
    snprintf(made->id, sizeof made->id, "message-%zu", world->made_count);
    snprintf(made->user, sizeof made->user, "user-%zu", world->made_count % 7);
    world_append(world, made);
    world->known = journal_end(world->journal);
}

static void asking_from_many_threads_disturbs_nothing(void **state)
{
    static const char *const single[] = { "url=http://0.test/", "allow_private=true", "rule.settle_ms=0", NULL };
    static const char *const chat[] = { "access_token=T", "identity_secret=secret", "endpoint=http://1.test",
                                        "rule.settle_ms=0", NULL };
    char dir[] = "/tmp/onym-deliver-XXXXXX";
    struct outbox *store;
    struct outbox_rows rows;
    pthread_t threads[ASKERS];
    Err err;
    (void)state;
    assert_non_null(mkdtemp(dir));
    world = malloc(sizeof *world);
    world_open(world, 7);
    world->clock.monotonic_ns = clock_monotonic_ns(os_clock());     /* waits are real */
    fake_fetch_init(&world->fetch, &world->clock, answer, NULL, NULL);
    world_add_destination(world, "single", "webhook", single);
    world_add_destination(world, "chat", "intercom", chat);
    assert_int_equal(outbox_open(dir, false, &store, &err), OK);
    rows = outbox_rows_of(store);
    DeliverOptions options = world_options(world);
    options.rows = rows;
    assert_int_equal(deliver_open(&options, &world->deliver, &err), OK);
    assert_int_equal(deliver_set_config(world->deliver, world->configs, world->config_count, &err), OK);
    world_step(world);
    Millis now_ms = world->clock.now_ms;
    for (size_t at = 0; at < ASKERS; at++) check(pthread_create(&threads[at], NULL, ask, &rows) == 0);
    for (int turn = 0; turn < TURNS || atomic_load(&asked) < TURNS; turn++) {
        if (turn < TURNS) say(now_ms);
        world_step(world);
    }
    atomic_store(&is_over, true);
    while (atomic_load(&ended) < ASKERS) world_step(world);         /* they wait for what they asked */
    for (size_t at = 0; at < ASKERS; at++) pthread_join(threads[at], NULL);
    world_close(world);
    free(world);
    outbox_close(store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asking_from_many_threads_disturbs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
