/* access: who comes in, for how long, and what the disk is told of it. */
#include "access/access.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct fake_clock time_now;
static struct fake_dice chance;
static struct fake_disk disk;
static struct access *access_;
static char damage[ERR_TEXT_BYTES];
static AccessSession told;

static const AccessKey keys[] = {
    { STR("secret_key"), STR("sk_1"), ACCESS_ADMIN },
    { STR("ann"), STR("an_1"), ACCESS_ANALYST },
    { STR("grafana"), STR("rd_1"), ACCESS_READER },
};

static void start(void)
{
    Err err;
    char path[] = "data/sessions";
    AccessOptions options = { .path = path, .has_sessions = true, .disk = &disk.disk,
                              .clock = &time_now.clock, .dice = &chance.dice };
    assert_int_equal(access_open(&options, &access_, damage, &err), OK);
    memset(path, 'x', sizeof path);                         /* it is borrowed for the call */
    access_set_keys(access_, keys, countof(keys));
}

static int set_up(void **state)
{
    Err err;
    (void)state;
    fake_clock_init(&time_now, 1700000000000);
    fake_dice_init(&chance, 1);
    fake_disk_init(&disk, 1);
    assert_int_equal(disk.disk.make_dir(&disk.disk, "data", &err), OK);
    assert_int_equal(disk.disk.sync_dir(&disk.disk, ".", &err), OK);
    start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    access_close(access_);
    fake_disk_done(&disk);
    return 0;
}

static Str sign_in_by(Str key, char token[ACCESS_TOKEN_CHARS])
{
    Millis wait_ms;
    Err err;
    AccessVisitor visitor = { .key = key, .address = STR("203.0.113.1"), .agent = STR("Firefox") };
    assert_int_equal(access_sign_in(access_, &visitor, token, &told, &wait_ms, &err), OK);
    return str_of(token, ACCESS_TOKEN_CHARS);
}

static Status try_key(Str key, Str address)
{
    char token[ACCESS_TOKEN_CHARS];
    Millis wait_ms;
    Err err;
    return access_sign_in(access_, &(AccessVisitor){ .key = key, .address = address }, token, &told, &wait_ms, &err);
}

static Status ask_by(Str key, Str address)
{
    AccessFound found;
    Err err;
    Status s = access_find_key(access_, key, address, &found, &err);
    assert_int_equal(s == OK, found.role != ACCESS_NOBODY);
    assert_int_equal(s == OK, found.name[0] != 0);
    assert_int_equal(s == ERR_RATE, found.wait_ms > 0);
    return s;
}

static void again(void)
{
    access_close(access_);
    start();
}

static void write_now(void)
{
    Err err;
    assert_int_equal(access_write(access_, false, &err), OK);
}

static void a_session_ends_twelve_hours_after_it_was_used_and_thirty_days_after_it_began(void **state)
{
    char token[ACCESS_TOKEN_CHARS];
    (void)state;
    Str own = sign_in_by(STR("sk_1"), token);
    Millis began = time_now.now_ms;
    assert_int_equal(told.expires_at_ms, began + ACCESS_IDLE_MS);
    while (time_now.now_ms + ACCESS_IDLE_MS / 2 < began + ACCESS_LIFE_MS) {
        fake_clock_advance(&time_now, ACCESS_IDLE_MS / 2);
        assert_true(access_find(access_, own, &told));
    }
    assert_int_equal(told.expires_at_ms, began + ACCESS_LIFE_MS);
    fake_clock_advance(&time_now, ACCESS_IDLE_MS / 2);
    assert_false(access_find(access_, own, &told));
    own = sign_in_by(STR("sk_1"), token);
    fake_clock_advance(&time_now, ACCESS_IDLE_MS - 1);
    assert_true(access_find(access_, own, &told));
    fake_clock_advance(&time_now, ACCESS_IDLE_MS);
    assert_false(access_find(access_, own, &told));
}

static void a_clock_that_is_set_back_lengthens_no_life(void **state)
{
    char token[ACCESS_TOKEN_CHARS];
    (void)state;
    Str own = sign_in_by(STR("sk_1"), token);
    fake_clock_jump(&time_now, -ACCESS_LIFE_MS);
    assert_true(access_find(access_, own, &told));
    assert_int_equal(told.expires_at_ms, time_now.now_ms + ACCESS_IDLE_MS);
    fake_clock_advance(&time_now, ACCESS_IDLE_MS);
    assert_false(access_find(access_, own, &told));
}

static void a_session_ends_with_its_key_its_role_or_the_secret_key(void **state)
{
    char tokens[3][ACCESS_TOKEN_CHARS];
    AccessKey changed[countof(keys)];
    (void)state;
    Str admin = sign_in_by(STR("sk_1"), tokens[0]), ann = sign_in_by(STR("an_1"), tokens[1]),
        reader = sign_in_by(STR("rd_1"), tokens[2]);
    access_set_keys(access_, keys, 2);
    assert_false(access_find(access_, reader, &told));
    memcpy(changed, keys, sizeof keys);
    changed[1].role = ACCESS_ADMIN;
    access_set_keys(access_, changed, 2);
    assert_false(access_find(access_, ann, &told));
    assert_true(access_find(access_, admin, &told));
    assert_int_equal(told.role, ACCESS_ADMIN);
    ann = sign_in_by(STR("an_1"), tokens[1]);
    changed[0].key = STR("sk_2");
    access_set_keys(access_, changed, 2);
    assert_false(access_find(access_, admin, &told));
    assert_false(access_find(access_, ann, &told));
}

static void a_link_is_good_once_and_for_a_minute(void **state)
{
    char link[ACCESS_TOKEN_CHARS], token[ACCESS_TOKEN_CHARS];
    AccessVisitor visitor = { .link = { link, sizeof link }, .address = STR("::1") };
    Millis wait_ms;
    Err err;
    (void)state;
    assert_int_equal(access_make_link(access_, STR("nobody"), STR(""), link, &err), ERR_DENIED);
    for (int late = 0; late < 2; late++) {
        assert_int_equal(access_make_link(access_, STR("an_1"), STR(""), link, &err), OK);
        fake_clock_advance(&time_now, late ? ACCESS_LINK_MS : ACCESS_LINK_MS - 1);
        for (int use = 0; use < 2; use++)
            assert_int_equal(access_sign_in(access_, &visitor, token, &told, &wait_ms, &err),
                             late || use ? ERR_DENIED : OK);
        assert_int_equal(told.role, ACCESS_ANALYST);
    }
    assert_int_equal(access_make_link(access_, STR("an_1"), STR(""), link, &err), OK);
    access_set_keys(access_, keys, 1);
    assert_int_equal(access_sign_in(access_, &visitor, token, &told, &wait_ms, &err), ERR_DENIED);
    for (int more = 0; more < 3 * ACCESS_LINKS; more++)
        assert_int_equal(access_make_link(access_, STR("sk_1"), STR(""), link, &err), OK);
}

static void ten_failures_a_minute_from_an_address_and_a_net_of_ipv6_is_one(void **state)
{
    (void)state;
    for (int at = 0; at < ACCESS_ATTEMPTS; at++) assert_int_equal(try_key(STR("no"), STR("2001:db8::1")), ERR_DENIED);
    assert_int_equal(try_key(STR("sk_1"), STR("2001:db8::2")), ERR_RATE);
    assert_int_equal(try_key(STR("sk_1"), STR("2001:db8:0:1::1")), OK);
    assert_int_equal(try_key(STR("sk_1"), STR("203.0.113.9")), OK);
    fake_clock_advance(&time_now, ACCESS_ATTEMPT_MS);
    assert_int_equal(try_key(STR("sk_1"), STR("2001:db8::2")), OK);
    fake_clock_jump(&time_now, -ACCESS_LIFE_MS);
    assert_int_equal(try_key(STR("no"), STR("2001:db8::2")), ERR_DENIED);
}

static void keys_that_ask_and_sign_ins_are_counted_together(void **state)
{
    (void)state;
    for (int at = 0; at < ACCESS_ATTEMPTS / 2; at++) {
        assert_int_equal(ask_by(STR("no"), STR("203.0.113.7")), ERR_DENIED);
        assert_int_equal(try_key(STR("no"), STR("203.0.113.7")), ERR_DENIED);
        assert_int_equal(ask_by(STR(""), STR("203.0.113.7")), ERR_DENIED);             /* no key is no guess */
    }
    assert_int_equal(ask_by(STR("no"), STR("203.0.113.7")), ERR_RATE);
    assert_int_equal(ask_by(STR("sk_1"), STR("203.0.113.7")), ERR_RATE);
    assert_int_equal(try_key(STR("sk_1"), STR("203.0.113.7")), ERR_RATE);
    assert_int_equal(ask_by(STR("sk_1"), STR("203.0.113.8")), OK);
    fake_clock_advance(&time_now, ACCESS_ATTEMPT_MS);
    assert_int_equal(ask_by(STR("sk_1"), STR("203.0.113.7")), OK);
}

/* Behind a proxy that is not trusted everybody has one address: who guesses there must not keep others out. */
static void who_came_with_the_right_key_before_is_let_in(void **state)
{
    (void)state;
    assert_int_equal(ask_by(STR("rd_1"), STR("127.0.0.1")), OK);
    for (int minute = 0; minute < 100; minute++) {
        for (int at = 0; at < ACCESS_ATTEMPTS; at++) assert_int_equal(ask_by(STR("no"), STR("127.0.0.1")), ERR_DENIED);
        assert_int_equal(ask_by(STR("no"), STR("127.0.0.1")), ERR_RATE);
        assert_int_equal(ask_by(STR("rd_1"), STR("127.0.0.1")), OK);
        assert_int_equal(try_key(STR("rd_1"), STR("127.0.0.1")), OK);
        assert_int_equal(ask_by(STR("an_1"), STR("127.0.0.1")), ERR_RATE);     /* not from there: it may be a guess */
        fake_clock_advance(&time_now, ACCESS_ATTEMPT_MS);
    }
    access_set_keys(access_, keys, 2);                      /* rd_1 was taken out */
    assert_int_equal(ask_by(STR("rd_1"), STR("127.0.0.1")), ERR_DENIED);
}

static void strangers_make_nobody_forgotten(void **state)
{
    char address[32];
    (void)state;
    assert_int_equal(ask_by(STR("rd_1"), STR("127.0.0.1")), OK);
    for (int at = 0; at < 20 * ACCESS_ADDRESSES; at++) {
        snprintf(address, sizeof address, "10.0.%d.%d", at / 256, at % 256);
        assert_int_equal(ask_by(STR("no"), str_from(address)), ERR_DENIED);
    }
    for (int at = 0; at < ACCESS_ATTEMPTS; at++) assert_int_equal(ask_by(STR("no"), STR("127.0.0.1")), ERR_DENIED);
    assert_int_equal(ask_by(STR("rd_1"), STR("127.0.0.1")), OK);
    /* of those who come in, the one who did not for longest makes room */
    for (int at = 0; at < ACCESS_KNOWN; at++) {
        snprintf(address, sizeof address, "10.1.%d.%d", at / 256, at % 256);
        assert_int_equal(ask_by(STR("sk_1"), str_from(address)), OK);
    }
    assert_int_equal(ask_by(STR("rd_1"), STR("127.0.0.1")), ERR_RATE);
}

static void a_link_comes_in_whoever_guesses_beside_it(void **state)
{
    char link[ACCESS_TOKEN_CHARS], token[ACCESS_TOKEN_CHARS];
    Millis wait_ms;
    Err err;
    (void)state;
    assert_int_equal(access_make_link(access_, STR("sk_1"), STR(""), link, &err), OK);
    for (int at = 0; at < ACCESS_ATTEMPTS; at++) assert_int_equal(try_key(STR("no"), STR("::1")), ERR_DENIED);
    AccessVisitor visitor = { .link = STR("x"), .address = STR("::1") };
    assert_int_equal(access_sign_in(access_, &visitor, token, &told, &wait_ms, &err), ERR_RATE);
    visitor.link = str_of(link, sizeof link);
    assert_int_equal(access_sign_in(access_, &visitor, token, &told, &wait_ms, &err), OK);
}

static void thousands_of_addresses_take_no_more_room(void **state)
{
    char address[32];
    (void)state;
    for (int at = 0; at < 20 * ACCESS_ADDRESSES; at++) {
        snprintf(address, sizeof address, "10.0.%d.%d", at / 256, at % 256);
        assert_int_equal(try_key(STR("no"), str_from(address)), ERR_DENIED);
    }
}

static void the_one_that_was_not_used_for_longest_makes_room(void **state)
{
    static char tokens[ACCESS_SESSIONS + 1][ACCESS_TOKEN_CHARS];
    (void)state;
    for (size_t at = 0; at < ACCESS_SESSIONS; at++) {
        sign_in_by(STR("sk_1"), tokens[at]);
        fake_clock_advance(&time_now, 1);
    }
    assert_true(access_find(access_, str_of(tokens[0], ACCESS_TOKEN_CHARS), &told));
    sign_in_by(STR("sk_1"), tokens[ACCESS_SESSIONS]);
    for (size_t at = 0; at <= ACCESS_SESSIONS; at++)
        assert_int_equal(access_find(access_, str_of(tokens[at], ACCESS_TOKEN_CHARS), &told), at != 1);
    static AccessSession list[ACCESS_SESSIONS];
    assert_int_equal(access_list(access_, list), ACCESS_SESSIONS);
    assert_true(list[0].created_at_ms >= list[1].created_at_ms);
}

static void what_the_disk_has_is_there_again(void **state)
{
    char tokens[2][ACCESS_TOKEN_CHARS];
    (void)state;
    Str kept = sign_in_by(STR("an_1"), tokens[0]), ended = sign_in_by(STR("sk_1"), tokens[1]);
    assert_true(access_is_alive(access_, str_from(told.id)));
    assert_true(access_end(access_, str_from(told.id)));
    assert_false(access_end(access_, str_from(told.id)));
    assert_false(access_is_alive(access_, str_from(told.id)));
    write_now();
    fake_clock_advance(&time_now, 3600 * 1000);
    assert_true(access_find(access_, kept, &told));
    write_now();
    fake_disk_die(&disk);
    fake_disk_restart(&disk, true);
    again();
    assert_string_equal(damage, "");
    assert_false(access_find(access_, ended, &told));
    AccessSession list[ACCESS_SESSIONS];
    assert_int_equal(access_list(access_, list), 1);
    assert_int_equal(list[0].seen_at_ms, time_now.now_ms);
    assert_string_equal(list[0].agent, "Firefox");
    assert_string_equal(list[0].key_name, "ann");
    assert_true(access_find(access_, kept, &told));
}

/* One call after the other fails, in each way: who was signed out stays out once access_write has said so, and who was
 * signed in before stays in whatever it said. */
static void whatever_call_fails_nobody_who_was_signed_out_comes_back(void **state)
{
    (void)state;
    for (int fault = 0; fault < DISK_FAULT_COUNT; fault++)
        for (uint64_t at = 1; at < 40; at++) {
            char tokens[2][ACCESS_TOKEN_CHARS];
            Err err;
            Str kept = sign_in_by(STR("an_1"), tokens[0]), ended = sign_in_by(STR("sk_1"), tokens[1]);
            write_now();
            assert_true(access_end(access_, str_from(told.id)));
            disk.fault = (DiskFault)fault;
            disk.fail_at_call = disk.calls + at;
            Status s = access_write(access_, false, &err);
            bool has_failed = disk.calls >= disk.fail_at_call;
            assert_false(access_find(access_, ended, &told));
            if (s && !disk.is_dead) {                       /* it is tried again */
                disk.fail_at_call = 0;
                write_now();
                s = OK;
            }
            fake_disk_die(&disk);
            fake_disk_restart(&disk, true);
            again();
            assert_string_equal(damage, "");
            if (!s) assert_false(access_find(access_, ended, &told));
            assert_true(access_find(access_, kept, &told));
            if (!has_failed) break;
        }
}

static void any_bit_that_flips_is_told_and_signs_everybody_out(void **state)
{
    char token[ACCESS_TOKEN_CHARS];
    Err err;
    (void)state;
    Str own = sign_in_by(STR("sk_1"), token);
    write_now();
    size_t bytes = fake_disk_peek(&disk, "data/sessions").len;
    for (uint64_t at = 0; at < bytes; at++) {
        unsigned char mask = (unsigned char)(1 << at % 8);
        fake_disk_flip(&disk, "data/sessions", at, mask);
        assert_int_equal(access_verify(&disk.disk, "data/sessions", &err), ERR_DAMAGED);
        assert_non_null(strstr(err.text, "data/sessions"));
        again();
        assert_string_not_equal(damage, "");
        assert_false(access_find(access_, own, &told));
        fake_disk_flip(&disk, "data/sessions", at, mask);
    }
    again();
    assert_true(access_find(access_, own, &told));
    for (uint64_t cut = 0; cut < bytes; cut++) {
        fake_disk_cut(&disk, "data/sessions", bytes - 1 - cut);
        assert_int_equal(access_verify(&disk.disk, "data/sessions", &err), ERR_DAMAGED);
    }
    again();
    write_now();                                            /* a new one, which is whole */
    assert_int_equal(access_verify(&disk.disk, "data/sessions", &err), OK);
    fake_disk_drop(&disk, "data/sessions");
    assert_int_equal(access_verify(&disk.disk, "data/sessions", &err), OK);
}

static void a_look_costs_no_write_and_ten_minutes_of_them_one(void **state)
{
    char token[ACCESS_TOKEN_CHARS];
    Err err;
    (void)state;
    Str own = sign_in_by(STR("sk_1"), token);
    write_now();
    uint64_t calls = disk.calls;
    for (int minute = 0; minute < 10; minute++) {
        fake_clock_advance(&time_now, 60000);
        assert_true(access_find(access_, own, &told));
        assert_int_equal(access_write(access_, true, &err), OK);
    }
    assert_int_equal(disk.calls, calls);
    fake_clock_advance(&time_now, 60000);
    assert_true(access_find(access_, own, &told));
    disk.fail_at_call = disk.calls + 1;
    assert_int_not_equal(access_write(access_, true, &err), OK);
    calls = disk.calls;
    assert_int_equal(access_write(access_, true, &err), OK);     /* not at once */
    assert_int_equal(disk.calls, calls);
    fake_clock_advance(&time_now, 60000);
    assert_int_equal(access_write(access_, true, &err), OK);
    assert_true(disk.calls > calls);
}

static void what_is_held_is_hashes(void **state)
{
    char token[ACCESS_TOKEN_CHARS], name[ACCESS_NAME_BYTES + 1];
    (void)state;
    sign_in_by(STR("sk_1"), token);
    write_now();
    Str file = fake_disk_peek(&disk, "data/sessions"), memory = str_of(access_, sizeof *access_);
    assert_false(str_contains(file, str_of(token, ACCESS_TOKEN_CHARS)));
    assert_false(str_contains(memory, str_of(token, ACCESS_TOKEN_CHARS)));
    assert_false(str_contains(memory, STR("sk_1")));
    assert_int_equal(access_judge_key(access_, STR("rd_1"), name), ACCESS_READER);
    assert_string_equal(name, "grafana");
    assert_int_equal(access_judge_key(access_, STR("rd_"), name), ACCESS_NOBODY);
    assert_int_equal(access_judge_key(access_, STR(""), name), ACCESS_NOBODY);
    AccessKey none = { STR("secret_key"), STR(""), ACCESS_ADMIN };
    access_set_keys(access_, &none, 1);
    assert_int_equal(access_judge_key(access_, STR(""), name), ACCESS_NOBODY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_session_ends_twelve_hours_after_it_was_used_and_thirty_days_after_it_began),
        TEST(a_clock_that_is_set_back_lengthens_no_life),
        TEST(a_session_ends_with_its_key_its_role_or_the_secret_key),
        TEST(a_link_is_good_once_and_for_a_minute),
        TEST(ten_failures_a_minute_from_an_address_and_a_net_of_ipv6_is_one),
        TEST(keys_that_ask_and_sign_ins_are_counted_together),
        TEST(who_came_with_the_right_key_before_is_let_in),
        TEST(strangers_make_nobody_forgotten),
        TEST(a_link_comes_in_whoever_guesses_beside_it),
        TEST(thousands_of_addresses_take_no_more_room),
        TEST(the_one_that_was_not_used_for_longest_makes_room),
        TEST(what_the_disk_has_is_there_again),
        TEST(whatever_call_fails_nobody_who_was_signed_out_comes_back),
        TEST(any_bit_that_flips_is_told_and_signs_everybody_out),
        TEST(a_look_costs_no_write_and_ten_minutes_of_them_one),
        TEST(what_is_held_is_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
