/* The stories that the design was written for, and the edges that a random history would not say aloud. */
#include "identity/identity_apply.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { MINUTE = 60000, SAID_MAX = 64 };

struct world {
    struct identity *identity;
    struct region region;
    Arena arena;
    char ids[SAID_MAX][8];              /* messageIds by position */
    int said, reads;
};

typedef struct Say {                    /* a message, as a test writes it; left out: not there */
    Millis at;
    const char *user, *anonymous, *previous, *email, *id;
} Say;

static Status read_id(void *context, uint64_t position, char text[LIMIT_MESSAGE_ID_BYTES], size_t *ret_len, Err *err)
{
    struct world *world = context;
    (void)err;
    world->reads++;
    *ret_len = strlen(world->ids[position]);
    memcpy(text, world->ids[position], *ret_len);
    return OK;
}

static bool folds_email;
static uint32_t placeholders, most_owners;

static void open_world(struct world *world, uint32_t email_limit)
{
    static const Str blocked[] = { { "test-user", 9 } };
    IdentityExternal email = { .name = STR("email"), .limit = email_limit, .folds = folds_email };
    IdentityOptions options = {
        .rules = { .blocked = blocked, .blocked_count = 1, .externals = &email, .external_count = 1,
                   .placeholders = placeholders, .max_owners = most_owners },
        .archive = { world, read_id }, .seed = 42,
    };
    Err err;
    *world = (struct world){ 0 };
    region_open(&world->region, 1 << 22);
    world->arena = region_arena(&world->region);
    assert_int_equal(identity_open(&options, &world->identity, &err), OK);
}

static void close_world(struct world *world)
{
    identity_close(world->identity);
    region_close(&world->region);
}

static IdentityMessage message_of(struct world *world, const Say *say, int position, IdentityValue *email)
{
    *email = (IdentityValue){ IDENTITY_EXTERNAL, str_from(say->email) };
    return (IdentityMessage){
        .message_id = str_from(world->ids[position]), .time_ms = say->at, .position = (uint64_t)position,
        .is_alias = say->previous != NULL, .user_id = str_from(say->user), .anonymous_id = str_from(say->anonymous),
        .previous_id = str_from(say->previous), .externals = email, .external_count = say->email ? 1 : 0,
    };
}

/* Applies; gives the subject. Positions count up; the messageId is "m<position>" where none is given. */
static uint32_t say_it(struct world *world, Say say)
{
    IdentityValue email;
    IdentityNode subject;
    Err err;
    int position = world->said++;
    snprintf(world->ids[position], sizeof world->ids[0], say.id ? "%s" : "m%s%d", say.id ? say.id : "", position);
    IdentityMessage m = message_of(world, &say, position, &email);
    assert_int_equal(identity_apply(world->identity, &m, &subject, &err), OK);
    return subject;
}
#define SAY(...) say_it(&world, (Say){ __VA_ARGS__ })

static void take_back(struct world *world, int position, Say say)
{
    IdentityValue email;
    Err err;
    IdentityMessage m = message_of(world, &say, position, &email);
    assert_int_equal(identity_unmerge(world->identity, &m, &err), OK);
}

static const char *name_of(struct world *world, IdentityPerson person)
{
    if (person == IDENTITY_NONE) return "nobody";
    struct buf buf;
    char *text = arena_bytes(&world->arena, IDENTITY_PERSON_ID_BYTES + 1);
    buf_init_fixed(&buf, text, IDENTITY_PERSON_ID_BYTES);
    identity_write_person_id(world->identity, person, &buf);
    text[buf.len] = 0;
    return text;
}

static const char *who(struct world *world, IdentityKind kind, const char *value)
{
    uint32_t node = identity_find(world->identity, kind, str_from(value));
    return node == IDENTITY_NONE ? "unseen" : name_of(world, identity_person_now(world->identity, node));
}
#define USER(value) who(&world, IDENTITY_USER, value)
#define ANON(value) who(&world, IDENTITY_ANONYMOUS, value)

static const char *whose(struct world *world, uint32_t subject, Millis at)
{
    return name_of(world, identity_find_owner(world->identity, subject, at, STR("zzz")));
}
#define WHOSE(subject, at) whose(&world, subject, at)

/* ---- The seed stories ---- */

static void the_sign_up_of_user_12345_keeps_what_the_visitor_did_before(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, 0);
    uint32_t landing = SAY(1 * MINUTE, .anonymous = "507f191e810c19729de860ea");
    SAY(2 * MINUTE, .anonymous = "507f191e810c19729de860ea");
    assert_string_equal(WHOSE(landing, 1 * MINUTE), "a_507f191e810c19729de860ea");
    uint32_t identify = SAY(3 * MINUTE, .user = "12345", .anonymous = "507f191e810c19729de860ea");
    uint32_t created = SAY(3 * MINUTE, .user = "12345", .anonymous = "507f191e810c19729de860ea");
    assert_int_equal(identify, created);
    assert_string_equal(WHOSE(landing, 1 * MINUTE), "u_12345");
    assert_string_equal(WHOSE(created, 3 * MINUTE), "u_12345");
    assert_string_equal(ANON("507f191e810c19729de860ea"), "u_12345");
    close_world(&world);
}

static void traits_sent_later_from_the_server_are_the_same_user(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, 0);
    uint32_t landing = SAY(1 * MINUTE, .anonymous = "anon");
    uint32_t server = SAY(9 * MINUTE, .user = "12345");
    assert_string_equal(WHOSE(landing, 1 * MINUTE), "a_anon");
    SAY(3 * MINUTE, .user = "12345", .anonymous = "anon");            /* the browser's identify, delayed */
    assert_string_equal(WHOSE(landing, 1 * MINUTE), "u_12345");
    assert_string_equal(WHOSE(server, 9 * MINUTE), "u_12345");
    close_world(&world);
}

static void a_server_side_identify_before_the_browsers_alias_loses_nothing(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, 0);
    uint32_t landing = SAY(1 * MINUTE, .anonymous = "anon");
    SAY(2 * MINUTE, .user = "12345");                                  /* server: identify */
    SAY(3 * MINUTE, .user = "12345", .previous = "anon");              /* browser: alias */
    assert_string_equal(WHOSE(landing, 1 * MINUTE), "u_12345");
    assert_string_equal(ANON("anon"), "u_12345");
    close_world(&world);
}

static void a_log_out_without_reset_gives_each_user_their_own_time(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, 0);
    uint32_t device = SAY(1 * MINUTE, .anonymous = "device");
    SAY(10 * MINUTE, .user = "ann", .anonymous = "device");
    SAY(20 * MINUTE, .anonymous = "device");
    SAY(30 * MINUTE, .user = "ben", .anonymous = "device");
    assert_string_equal(WHOSE(device, 1 * MINUTE), "u_ann");           /* first claim */
    assert_string_equal(WHOSE(device, 20 * MINUTE), "u_ann");
    assert_string_equal(WHOSE(device, 40 * MINUTE), "u_ben");
    assert_string_equal(ANON("device"), "u_ben");
    assert_string_equal(USER("ann"), "u_ann");
    SAY(35 * MINUTE, .user = "ann", .anonymous = "device");
    assert_string_equal(WHOSE(device, 34 * MINUTE), "u_ben");
    assert_string_equal(ANON("device"), "u_ann");
    close_world(&world);
}

static void the_return_on_a_second_device_is_the_same_person(void **state)
{
    struct world world;
    (void)state;
    IdentityMember *members;
    size_t count;
    Err err;
    open_world(&world, 0);
    SAY(1 * MINUTE, .user = "12345", .anonymous = "laptop");
    uint32_t phone = SAY(500 * MINUTE, .anonymous = "phone");
    assert_string_equal(WHOSE(phone, 500 * MINUTE), "a_phone");
    SAY(510 * MINUTE, .user = "12345", .anonymous = "phone");
    assert_string_equal(WHOSE(phone, 500 * MINUTE), "u_12345");
    IdentityPerson person = identity_find_person(world.identity, STR("a_phone"));     /* an old person id */
    assert_string_equal(name_of(&world, person), "u_12345");
    assert_int_equal(identity_list_members(world.identity, person, &world.arena, &members, &count, &err), OK);
    assert_int_equal(count, 3);
    assert_int_equal(members[0].kind, IDENTITY_USER);
    close_world(&world);
}

/* ---- Aliases ---- */

static void an_alias_changes_its_meaning_when_the_value_turns_out_to_be_a_user(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, 0);
    SAY(1 * MINUTE, .user = "new", .previous = "old");
    assert_string_equal(ANON("old"), "u_new");
    assert_string_equal(USER("old"), "unseen");
    SAY(0, .user = "old", .anonymous = "phone");                       /* arrives late, happened before */
    assert_string_equal(ANON("old"), "unseen");
    assert_string_equal(USER("old"), "u_new");
    assert_string_equal(ANON("phone"), "u_new");
    close_world(&world);
}

static void an_alias_of_users_can_be_taken_back(void **state)
{
    struct world world;
    (void)state;
    Say alias = { 5 * MINUTE, .user = "b", .previous = "a" };
    open_world(&world, 0);
    SAY(1 * MINUTE, .user = "a", .anonymous = "phone");
    SAY(2 * MINUTE, .user = "b", .anonymous = "laptop");
    say_it(&world, alias);
    assert_string_equal(ANON("laptop"), "u_a");
    take_back(&world, 2, alias);
    assert_string_equal(ANON("laptop"), "u_b");
    assert_string_equal(ANON("phone"), "u_a");
    say_it(&world, alias);                                             /* said anew, under a new messageId */
    assert_string_equal(ANON("laptop"), "u_a");
    close_world(&world);
}

static void aliases_in_a_circle_and_to_oneself_do_no_harm(void **state)
{
    struct world world;
    (void)state;
    Say back = { 3, .user = "a", .previous = "c" };
    open_world(&world, 0);
    SAY(1, .user = "b", .previous = "a");
    SAY(2, .user = "c", .previous = "b");
    say_it(&world, back);
    SAY(4, .user = "a", .previous = "a");
    assert_string_equal(USER("c"), "u_a");
    take_back(&world, 2, back);                                        /* the other way round still joins them */
    assert_string_equal(USER("c"), "u_a");
    assert_string_equal(ANON("a"), "unseen");
    close_world(&world);
}

/* ---- Blocked, ties, external ids, erasing ---- */

static void blocked_values_link_nobody(void **state)
{
    static const char *values[] = {
        "null", " NULL ", "undefined", "0", "-1", "guest", "Anonymous", "anonymousId", "unknown", "none", "", "  ",
        "0000", "00000000-0000-0000-0000-000000000000", "[object Object]", "--", "Test-User",
        "NaN", "nil", "<nil>", "(null)", "TRUE", "false", "N/A", "<NA>", "#N/A", "\"null\"", "'undefined'", "`None`",
            "\"\"",
        "'0'", "\\\"null\\\"", "\"'nil'\"", "{}", "[]", "[object Undefined]", "{{user.id}}", "{{ user_id }}",
            "${userId}",
        "#{user.id}", "<%= user.id %>", "<user_id>", "%s", "%(user_id)s", "%!s(<nil>)", "%!d(string=)", "[[id]]",
        "distinct_id", "User_Id", "not_authenticated", "(not set)", "Optional(nil)", "\\N", "'test-user'",
        "[\"null\"]", "[undefined]", "(missing)", "\u200bnull", "null\u200b", "\u00a0None\ufeff", "\u200b", "\x01",
        "_", "?", "...", "***", "0.0", "%USER_ID%", "__user_id__", "$userId", "{userId}", ":id", "undefined undefined",
        "null-null", "None_None", "nil|undefined", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "Optional.empty",
        "Logged Out", "no-id",
    };
    struct world world;
    (void)state;
    open_world(&world, 0);
    for (size_t i = 0; i < countof(values); i++) {
        assert_true(identity_is_blocked(world.identity, str_from(values[i])));
        uint32_t subject = SAY(1, .user = values[i], .anonymous = "device");
        assert_int_equal(subject, identity_find(world.identity, IDENTITY_ANONYMOUS, STR("device")));
        SAY(2, .user = "ann", .anonymous = values[i]);
        SAY(3, .user = "ben", .previous = values[i]);
        assert_int_equal(SAY(4, .user = values[i], .anonymous = values[i]), IDENTITY_NONE);
        world.said = 0;
    }
    assert_string_equal(ANON("device"), "a_device");
    assert_string_equal(USER("ben"), "u_ben");
    static const char *fine[] = {
        "1", "-2", "00a", "nobody", "null2", "guest1", "0x0", "test", "user", "id", "email", "Nan Goldin", "truely",
        "<ann@example.com>", "{ann}", "$ann", "%ann", "'ann'", "\"ann\"", "\\", "\"", "<", "<>1", "[ann]",
        "Nil Admirari", "00-1", "nano", "anon", "na", "%a1%", "__init__2", "_ann", "ann\u200bmarie", "null-1",
        "none.of.us", "(ann)", "$ally", ":ann", "{\"id\":1}", "ffffffff-ffff-ffff-ffff-fffffffffffe",
        "\u00e9", "\u3042", "\u2014",
    };
    for (size_t i = 0; i < countof(fine); i++) assert_false(identity_is_blocked(world.identity, str_from(fine[i])));
    close_world(&world);
}

static void an_id_that_nobody_can_see_names_nobody(void **state)
{
    static const char *const unseen[] = {
        "\u115f", "\u1160\u3164", "\uffa0", "\u2800", "\u2800 \u2800", "\u180e", "\ufe0f", "\U000e0001\U000e0041",
        "\U000e0100", "\ufff9\ufffa\ufffb", "\u2061\u2064", "\u061c", "\u034f", "\u17b4", "\U0001d173", "\u206a",
        "\u1680", "\xc2\x85", "\u3164null\u2800", "\"\u2800\"", "\u2066\u2069", "[\u3164]", "\u205f\u2003",
    };
    static const char *const seen[] = {
        "\u2801", "\u3165", "ann\u3164", "\u3164ann", "\U0001f600\ufe0f", "\ud55c\uae00", "\u0627", "\U00020000",
        "\xe1\x85", "\xf3\xa0\x80", "\xcd", "\u1161", "a\xa0",
    };
    struct world world;
    (void)state;
    for (placeholders = 2; placeholders <= 3; placeholders++) {
        open_world(&world, 0);
        for (size_t i = 0; i < countof(unseen); i++) {
            if (identity_is_blocked(world.identity, str_from(unseen[i])) != (placeholders == 3))
                fail_msg("list %u, row %zu", placeholders, i);
            assert_true(identity_is_placeholder(str_from(unseen[i])));
        }
        for (size_t i = 0; i < countof(seen); i++) {
            assert_false(identity_is_blocked(world.identity, str_from(seen[i])));
            assert_false(identity_is_placeholder(str_from(seen[i])));
        }
        close_world(&world);
    }
    placeholders = 0;
}

/* The list of the first release still is what it was: a new one parts nobody before it is taken over. */
static void an_older_list_of_placeholders_blocks_what_it_did(void **state)
{
    static const char *const blocked[] = { "null", " Undefined ", "guest", "0-0", "[object Object]", "", "Test-User" };
    static const char *const fine[] = { "NaN", "nil", "true", "N/A", "\"null\"", "{{id}}", "<nil>",
        "[object Promise]" };
    struct world world;
    (void)state;
    placeholders = 1;
    open_world(&world, 0);
    for (size_t i = 0; i < countof(blocked); i++)
        assert_true(identity_is_blocked(world.identity, str_from(blocked[i])));
    for (size_t i = 0; i < countof(fine); i++) {
        assert_false(identity_is_blocked(world.identity, str_from(fine[i])));
        assert_true(identity_is_placeholder(str_from(fine[i])));
        assert_false(identity_is_placeholder(STR("anonymous coward")));
    }
    close_world(&world);
    placeholders = 0;
}

static void folded_external_ids_are_one_whatever_their_case_and_blanks(void **state)
{
    static const char *const spellings[] = {
        "kim@example.com", " Kim@Example.COM ", "KIM@example.com",
        "kim @example.com" };
    struct world world;
    (void)state;
    folds_email = true;
    open_world(&world, 0);
    for (size_t i = 0; i < countof(spellings); i++) SAY((int)i, .anonymous = "visitor", .email = spellings[i]);
    SAY(5, .user = "kim", .email = "KIM@EXAMPLE.COM");
    for (size_t i = 0; i < countof(spellings); i++)
        assert_string_equal(who(&world, IDENTITY_EXTERNAL, spellings[i]), "u_kim");
    assert_string_equal(ANON("visitor"), "u_kim");
    SAY(6, .user = "Kim", .email = " NULL ");
    assert_string_equal(USER("Kim"), "u_Kim");                     /* user ids never fold */
    close_world(&world);
    folds_email = false;
}

static void instants_that_tie_are_ordered_by_message_id(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, 0);
    SAY(5, .user = "ann", .anonymous = "device", .id = "k");
    SAY(5, .user = "ben", .anonymous = "device", .id = "g");
    uint32_t device = SAY(5, .anonymous = "device", .id = "h");
    assert_string_equal(ANON("device"), "u_ann");
    assert_string_equal(name_of(&world, identity_find_owner(world.identity, device, 5, STR("h"))), "u_ben");
    assert_string_equal(name_of(&world, identity_find_owner(world.identity, device, 5, STR("k"))), "u_ben");
    assert_string_equal(name_of(&world, identity_find_owner(world.identity, device, 5, STR("l"))), "u_ann");
    close_world(&world);
}

static void an_email_moves_between_users_and_merges_none(void **state)
{
    struct world world;
    (void)state;
    open_world(&world, 2);
    uint32_t form = SAY(1, .anonymous = "visitor", .email = "x@example.com");
    assert_string_equal(WHOSE(form, 1), "x_email:x~40example.com");
    SAY(5, .user = "ann", .email = "x@example.com");
    assert_string_equal(WHOSE(form, 1), "u_ann");
    SAY(9, .user = "ben", .email = "x@example.com");
    assert_string_equal(USER("ann"), "u_ann");
    assert_string_equal(WHOSE(form, 6), "u_ann");
    assert_string_equal(WHOSE(form, 10), "u_ben");
    SAY(20, .user = "ann", .email = "second@example.com");
    SAY(21, .user = "ann", .email = "third@example.com");              /* over the limit of two */
    assert_string_equal(who(&world, IDENTITY_EXTERNAL, "second@example.com"), "u_ann");
    assert_string_equal(who(&world, IDENTITY_EXTERNAL, "third@example.com"), "x_email:third~40example.com");
    close_world(&world);
}

static void an_erased_identifier_is_forgotten_with_its_links(void **state)
{
    struct world world;
    (void)state;
    Err err;
    char text[LIMIT_ID_BYTES];
    open_world(&world, 0);
    SAY(1, .user = "ann", .anonymous = "phone");
    SAY(2, .user = "ann", .previous = "old-ann");
    SAY(3, .user = "old-ann");
    SAY(4, .user = "ben", .anonymous = "phone");
    uint32_t ann = identity_find(world.identity, IDENTITY_USER, STR("ann"));
    assert_int_equal(identity_erase(world.identity, ann, &err), OK);
    assert_string_equal(USER("ann"), "unseen");
    assert_int_equal(identity_read_value(world.identity, ann, text).len, 0);
    assert_string_equal(ANON("phone"), "u_ben");
    assert_string_equal(USER("old-ann"), "u_old-ann");
    assert_null(memmem(world.identity->values, world.identity->value_end * (size_t)VALUE_UNIT, "\3ann", 4));
    uint32_t phone = identity_find(world.identity, IDENTITY_ANONYMOUS, STR("phone"));
    assert_int_equal(identity_erase(world.identity, phone, &err), OK);
    assert_string_equal(ANON("phone"), "unseen");
    SAY(9, .user = "ann", .anonymous = "phone");                       /* they come back as somebody new */
    assert_string_equal(ANON("phone"), "u_ann");
    close_world(&world);
}

static void why_two_are_one_or_two_is_told_by_their_links(void **state)
{
    struct world world;
    (void)state;
    IdentityWhy why;
    IdentityLinks links;
    Err err;
    open_world(&world, 0);
    SAY(1, .user = "ann", .anonymous = "phone");
    SAY(2, .user = "ann", .anonymous = "laptop");
    SAY(3, .user = "ben", .anonymous = "laptop");
    uint32_t phone = identity_find(world.identity, IDENTITY_ANONYMOUS, STR("phone"));
    uint32_t ann = identity_find(world.identity, IDENTITY_USER, STR("ann"));
    uint32_t ben = identity_find(world.identity, IDENTITY_USER, STR("ben"));
    uint32_t laptop = identity_find(world.identity, IDENTITY_ANONYMOUS, STR("laptop"));
    assert_int_equal(identity_explain(world.identity, phone, ann, &world.arena, &why, &err), OK);
    assert_int_equal(why.reason, IDENTITY_SAME);
    assert_int_equal(why.link_count, 1);
    assert_int_equal(why.links[0].position, 0);
    assert_int_equal(identity_explain(world.identity, ann, ben, &world.arena, &why, &err), OK);
    assert_int_equal(why.reason, IDENTITY_APART_SHARED);
    assert_int_equal(why.at, laptop);
    assert_int_equal(why.link_count, 2);
    assert_int_equal(identity_list_links(world.identity, ann, 10, &world.arena, &links, &err), OK);
    assert_int_equal(links.count, 2);
    assert_int_equal(links.items[1].position, 1);
    assert_int_equal(identity_list_links(world.identity, laptop, 1, &world.arena, &links, &err), OK);
    assert_int_equal(links.count, 1);
    assert_int_equal(links.more, 1);
    close_world(&world);
}

/* All at one instant: their order is told by their messageIds, which stand in the journal, a read for each. Anybody can
 * send as many as he likes, so nothing is read of an id that is given up for its many owners. */
static void an_id_of_too_many_owners_is_given_up_unread(void **state)
{
    struct world world;
    (void)state;
    most_owners = 20;
    open_world(&world, 0);
    most_owners = 0;
    char user[8];
    for (int at = 0; at < 20; at++) {
        snprintf(user, sizeof user, "u%d", at);
        SAY(MINUTE, .user = user, .anonymous = "kiosk");
    }
    assert_string_not_equal(ANON("kiosk"), "a_kiosk");
    int reads = world.reads;
    SAY(MINUTE, .user = "one-more", .anonymous = "kiosk");
    assert_int_equal(world.reads, reads);
    assert_string_equal(ANON("kiosk"), "a_kiosk");
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sign_up_of_user_12345_keeps_what_the_visitor_did_before),
        cmocka_unit_test(traits_sent_later_from_the_server_are_the_same_user),
        cmocka_unit_test(a_server_side_identify_before_the_browsers_alias_loses_nothing),
        cmocka_unit_test(a_log_out_without_reset_gives_each_user_their_own_time),
        cmocka_unit_test(the_return_on_a_second_device_is_the_same_person),
        cmocka_unit_test(an_alias_changes_its_meaning_when_the_value_turns_out_to_be_a_user),
        cmocka_unit_test(an_alias_of_users_can_be_taken_back),
        cmocka_unit_test(aliases_in_a_circle_and_to_oneself_do_no_harm),
        cmocka_unit_test(blocked_values_link_nobody),
        cmocka_unit_test(an_id_that_nobody_can_see_names_nobody),
        cmocka_unit_test(an_older_list_of_placeholders_blocks_what_it_did),
        cmocka_unit_test(folded_external_ids_are_one_whatever_their_case_and_blanks),
        cmocka_unit_test(instants_that_tie_are_ordered_by_message_id),
        cmocka_unit_test(an_email_moves_between_users_and_merges_none),
        cmocka_unit_test(an_erased_identifier_is_forgotten_with_its_links),
        cmocka_unit_test(why_two_are_one_or_two_is_told_by_their_links),
        cmocka_unit_test(an_id_of_too_many_owners_is_given_up_unread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
