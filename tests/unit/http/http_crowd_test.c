/* http_crowd: who is closed where there are too many, who is told to come again, and who must never notice. Two
 * servers share a listener, as ingest threads do; the test steps them one by one, so it decides who accepts. */
#include "http/http_crowd.c"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <cmocka.h>

#include "demo/demo.h"
#include "tests/fakes/fakes.h"

enum { LIMIT = 32, CROWDED = LIMIT - LIMIT / 16, CLIENTS_MAX = 64, PATIENCE_MS = 3000, LONG_MS = 60000 };

struct world {
    struct fake_clock clock;
    struct fake_dice dice;
    struct health health;
    struct demo *demo;
    HttpCrowd crowd;
    struct http_server *a, *b;
    uint16_t port;
    int clients[CLIENTS_MAX];
    size_t client_count;
};

static void open_world(struct world *world)
{
    int listener, second;
    Err err;
    *world = (struct world){ .crowd = { .limit = LIMIT } };
    fake_clock_init(&world->clock, 1700000000000);
    fake_dice_init(&world->dice, 1);
    DemoOptions demo = { .onym_url = STR("http://x"), .write_key = STR("k"), .health = &world->health,
                         .clock = &world->clock.clock, .dice = &world->dice.dice };
    world->demo = demo_open(&demo);
    assert_non_null(world->demo);
    HttpOptions options = { .health = &world->health, .clock = &world->clock.clock, .app = &demo_app,
                            .context = world->demo, .crowd = &world->crowd };
    assert_int_equal(http_listen(STR("127.0.0.1:0"), &listener, &world->port, &err), OK);
    assert_true((second = dup(listener)) >= 0);
    assert_int_equal(http_server_open(&options, listener, &world->a, &err), OK);
    assert_int_equal(http_server_open(&options, second, &world->b, &err), OK);
}

static void close_world(struct world *world)
{
    for (size_t at = 0; at < world->client_count; at++) close(world->clients[at]);
    http_server_close(world->a);
    http_server_close(world->b);
    demo_close(world->demo);
}

static size_t connect_one(struct world *world)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(world->port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(client >= 0 && world->client_count < CLIENTS_MAX);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    world->clients[world->client_count] = client;
    return world->client_count++;
}

/* All of them are the server's afterwards. The kernel may take its time on a busy machine. */
static void connect_many(struct world *world, struct http_server *server, size_t count)
{
    uint64_t want = health_get(&world->health, COUNT_CONNECTIONS) + count;
    for (size_t at = 0; at < count; at++) connect_one(world);
    while (health_get(&world->health, COUNT_CONNECTIONS) < want) http_server_step(server, 1);
}

/* It stands in the server's socket afterwards. */
static void say(const struct world *world, size_t client, const char *text)
{
    int left = 1;
    assert_int_equal(send(world->clients[client], text, strlen(text), MSG_NOSIGNAL), strlen(text));
    while (left && ioctl(world->clients[client], SIOCOUTQ, &left) == 0) sched_yield();
}

static void ask(const struct world *world, size_t client)
{
    say(world, client, "GET /assets/none HTTP/1.1\r\nHost: x\r\n\r\n");
}

static void step(struct http_server *server)
{
    for (int rounds = 0; rounds < 8; rounds++) http_server_step(server, 0);
}

/* The status that this client was given; 0: nothing yet; -1: closed without a word. */
static int hear(const struct world *world, size_t client)
{
    char text[4096];
    ssize_t got = recv(world->clients[client], text, sizeof text - 1, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) return -1;
    text[got] = 0;
    int status = atoi(text + strlen("HTTP/1.1 "));
    if (status == 503) assert_non_null(strstr(text, "\r\nRetry-After: "));
    return status;
}

/* Each of them, from..to-1. */
static void assert_heard(const struct world *world, size_t from, size_t to, int status)
{
    for (size_t at = from; at < to; at++) {
        struct pollfd client = { .fd = world->clients[at], .events = POLLIN };
        if (status) (void)poll(&client, 1, LONG_MS);
        int heard = hear(world, at);
        if (heard != status) fail_msg("client %zu heard %d, not %d", at, heard, status);
    }
}

static void nobody_is_closed_while_there_is_room_in_all(void **state)
{
    struct world world;
    (void)state;
    open_world(&world);
    connect_many(&world, world.a, CROWDED - 1);              /* far more than its half */
    fake_clock_advance(&world.clock, PATIENCE_MS);
    connect_many(&world, world.a, 1);
    for (size_t at = 0; at < world.client_count; at++) ask(&world, at);
    step(world.a);
    assert_heard(&world, 0, world.client_count, 404);
    close_world(&world);
}

static void the_oldest_that_said_nothing_makes_room_and_hears_why(void **state)
{
    struct world world;
    (void)state;
    open_world(&world);
    connect_many(&world, world.a, CROWDED);
    fake_clock_advance(&world.clock, PATIENCE_MS);
    for (size_t at = 0; at < 5; at++) ask(&world, at);       /* in their sockets, and not looked at yet */
    for (size_t at = 0; at < 5; at++) ask(&world, connect_one(&world));
    step(world.a);
    assert_heard(&world, 0, 5, 404);
    assert_heard(&world, CROWDED, CROWDED + 5, 404);
    assert_heard(&world, 5, 10, 503);
    assert_heard(&world, 10, CROWDED, 0);
    assert_int_equal(atomic_load(&world.crowd.count), CROWDED);
    close_world(&world);
}

static void one_that_had_its_answer_is_closed_without_another(void **state)
{
    struct world world;
    (void)state;
    open_world(&world);
    connect_many(&world, world.a, CROWDED);
    for (size_t at = 0; at < CROWDED; at++) ask(&world, at);
    step(world.a);
    assert_heard(&world, 0, CROWDED, 404);
    fake_clock_advance(&world.clock, PATIENCE_MS);
    connect_many(&world, world.a, 1);
    assert_heard(&world, 0, 1, -1);
    assert_heard(&world, 1, CROWDED + 1, 0);
    close_world(&world);
}

static void who_finds_no_room_is_told_when_to_come_again(void **state)
{
    struct world world;
    (void)state;
    open_world(&world);
    connect_many(&world, world.a, LIMIT);                    /* all of them have just come */
    for (size_t at = 0; at < 6; at++) ask(&world, connect_one(&world));
    step(world.a);
    assert_heard(&world, LIMIT, LIMIT + 6, 503);
    assert_heard(&world, 0, LIMIT, 0);
    close_world(&world);
}

static void a_server_that_has_none_to_close_is_helped_by_the_one_beside(void **state)
{
    struct world world;
    (void)state;
    open_world(&world);
    connect_many(&world, world.a, CROWDED);
    fake_clock_advance(&world.clock, PATIENCE_MS);
    for (size_t round = 0; round < 10; round++) {
        size_t honest = connect_one(&world);
        ask(&world, honest);
        step(world.b);
        assert_heard(&world, honest, honest + 1, 404);
        step(world.a);
    }
    assert_heard(&world, 0, 10, 503);
    assert_int_equal(atomic_load(&world.crowd.count), CROWDED);
    close_world(&world);
}

static void a_request_that_takes_long_makes_room_and_hears_why(void **state)
{
    struct world world;
    (void)state;
    open_world(&world);
    connect_many(&world, world.a, CROWDED);
    for (size_t at = 0; at < CROWDED; at++) say(&world, at, "GET /assets/none HTTP/1.1\r\nHo");
    step(world.a);
    fake_clock_advance(&world.clock, SLOW_PATIENCE_MS + 1000);
    say(&world, 0, "st: x\r\n\r\n"); /* whole just in time */
    ask(&world, connect_one(&world));
    step(world.a);
    assert_heard(&world, 0, 1, 404);
    assert_heard(&world, 1, 2, 503);
    assert_heard(&world, 2, CROWDED, 0);
    assert_heard(&world, CROWDED, CROWDED + 1, 404);
    close_world(&world);
}

static void what_was_asked_before_a_stop_is_answered(void **state)
{
    struct world world;
    (void)state;
    open_world(&world);
    connect_many(&world, world.a, 4);
    ask(&world, 1);
    ask(&world, 3);
    http_server_quiesce(world.a);
    step(world.a);
    assert_heard(&world, 0, 1, -1);
    assert_heard(&world, 1, 2, 404);
    assert_heard(&world, 2, 3, -1);
    assert_heard(&world, 3, 4, 404);
    assert_int_equal(http_server_busy_count(world.a), 0);
    close_world(&world);
}

static void what_is_wanted_is_bounded(void **state)
{
    struct world world;
    (void)state;
    open_world(&world);
    connect_many(&world, world.a, LIMIT);
    for (size_t at = 0; at < 4 * WANTED_MAX; at++) (void)crowd_has_room(world.b);
    assert_true(atomic_load(&world.crowd.wanted) <= WANTED_MAX);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_closed_while_there_is_room_in_all),
        cmocka_unit_test(the_oldest_that_said_nothing_makes_room_and_hears_why),
        cmocka_unit_test(one_that_had_its_answer_is_closed_without_another),
        cmocka_unit_test(who_finds_no_room_is_told_when_to_come_again),
        cmocka_unit_test(a_server_that_has_none_to_close_is_helped_by_the_one_beside),
        cmocka_unit_test(a_request_that_takes_long_makes_room_and_hears_why),
        cmocka_unit_test(what_was_asked_before_a_stop_is_answered),
        cmocka_unit_test(what_is_wanted_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
