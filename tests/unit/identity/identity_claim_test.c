/* identity_claim: an identifier that several owners share, with a hundred thousand pieces of evidence at one instant.
 * What a new piece and a question cost is counted in looks at messageIds: a few, or as many as halving takes. */
#include "identity/identity_state.h"

static unsigned long looks;

static int counting_compare(Str a, Str b) { return looks++, str_compare(a, b); }

#define str_compare counting_compare
#include "identity/identity_claim.c"
#undef str_compare

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { TIES = 20000, LOOKS_MOST = 40, AT_MS = 1000000 };

struct world {
    struct identity *identity;
    unsigned said, reads, step;             /* step: how far messageIds are apart; they fall where it is odd */
};

static size_t write_id(const struct world *world, unsigned position, char text[LIMIT_MESSAGE_ID_BYTES])
{
    unsigned number = world->step ? position * world->step % 1000003 : 2000000 - position;
    return (size_t)snprintf(text, LIMIT_MESSAGE_ID_BYTES, "m%07u", number);
}

static Status read_id(void *context, uint64_t position, char text[LIMIT_MESSAGE_ID_BYTES], size_t *ret_len, Err *err)
{
    struct world *world = context;
    (void)err;
    world->reads++;
    *ret_len = write_id(world, (unsigned)position, text);
    return OK;
}

static void say(struct world *world, const char *user, Millis at_ms)
{
    char id[LIMIT_MESSAGE_ID_BYTES];
    IdentityNode subject;
    Err err;
    IdentityMessage message = { .message_id = { id, write_id(world, world->said, id) }, .time_ms = at_ms,
                                .position = world->said, .user_id = str_from(user), .anonymous_id = STR("device") };
    world->said++;
    assert_int_equal(identity_apply(world->identity, &message, &subject, &err), OK);
}

static const char *owner_at(struct world *world, Millis at_ms, const char *id, char text[LIMIT_ID_BYTES + 1])
{
    IdentityNode node = identity_find(world->identity, IDENTITY_ANONYMOUS, STR("device"));
    Str owner = identity_read_value(world->identity, identity_owner_at(world->identity, node, at_ms, str_from(id)),
                                    text);
    static char told[LIMIT_ID_BYTES + 1];
    memcpy(told, owner.bytes, owner.len);
    told[owner.len] = 0;
    return told;
}

/* Ties of one owner, of two in turns, of two with an instant between; messageIds that rise, fall, and jump about. */
static void neither_a_tie_nor_a_question_looks_at_all_of_them(void **state)
{
    static const struct { const char *owners[2]; unsigned step; bool alternates; } rows[] = {
        { { "b", "b" }, 1, false }, { { "b", "b" }, 0, false }, { { "b", "b" }, 7919, false },
        { { "b", "c" }, 1, false }, { { "b", "c" }, 0, false }, { { "b", "c" }, 7919, false },
        { { "b", "b" }, 7919, true }, { { "b", "c" }, 7919, true },
    };
    char text[LIMIT_ID_BYTES + 1];
    (void)state;
    for (size_t row = 0; row < countof(rows); row++) {
        struct world world = { .step = rows[row].step };
        Err err;
        IdentityOptions options = { .archive = { &world, read_id }, .seed = 42 };
        assert_int_equal(identity_open(&options, &world.identity, &err), OK);
        say(&world, "a", AT_MS - 1000);
        say(&world, "b", AT_MS - 500);                       /* shared from here on */
        for (unsigned at = 0; at < TIES; at++)
            say(&world, rows[row].owners[at % 2], AT_MS + (rows[row].alternates ? at % 2 : 0));
        looks = 0, world.reads = 0;
        for (unsigned at = 0; at < 100; at++) {
            say(&world, rows[row].owners[at % 2], AT_MS + (rows[row].alternates ? at % 2 : 0));
            (void)owner_at(&world, AT_MS, "m0500000", text);
            (void)owner_at(&world, AT_MS + 1, "m0500000", text);
        }
        if (looks > 100 * LOOKS_MOST || world.reads > 100)
            fail_msg("row %zu: %lu looks and %u reads a message", row, looks / 100, world.reads / 100);
        assert_string_equal(owner_at(&world, AT_MS - 1, "m", text), "b");
        assert_string_equal(owner_at(&world, AT_MS - 501, "m", text), "a");
        assert_string_equal(owner_at(&world, AT_MS, "", text), "b");
        identity_close(world.identity);
    }
}

/* Of the same instant: before the least messageId it is still the one before's, whatever came first. */
static void the_least_message_id_of_an_instant_decides(void **state)
{
    char text[LIMIT_ID_BYTES + 1];
    (void)state;
    for (unsigned step = 0; step < 3; step++) {
        struct world world = { .step = step == 2 ? 7919 : step };
        char least[LIMIT_MESSAGE_ID_BYTES] = "z", id[LIMIT_MESSAGE_ID_BYTES];
        Err err;
        IdentityOptions options = { .archive = { &world, read_id }, .seed = 42 };
        assert_int_equal(identity_open(&options, &world.identity, &err), OK);
        say(&world, "b", AT_MS - 500);
        say(&world, "a", AT_MS - 400);
        for (unsigned at = 0; at < 300; at++) {
            id[write_id(&world, world.said, id)] = 0;
            if (strcmp(id, least) < 0) memcpy(least, id, sizeof id);
            say(&world, "b", AT_MS);
            assert_string_equal(owner_at(&world, AT_MS, least, text), "a");
            least[strlen(least) + 1] = 0, least[strlen(least)] = 'x';
            assert_string_equal(owner_at(&world, AT_MS, least, text), "b");
            least[strlen(least) - 1] = 0;
        }
        identity_close(world.identity);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_a_tie_nor_a_question_looks_at_all_of_them),
        cmocka_unit_test(the_least_message_id_of_an_instant_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
