/* The table of identifiers where a random history does not come: many segments, guests in buckets, erasures between. */
#include "identity/identity_intern.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { IDS = 150000, ERASE_EVERY = 7 };

static Str text_of(uint32_t n, char *text)
{
    int len = n % 3 == 0 ? snprintf(text, 48, "%08x-0000-4000-a000-%012x", n * 2654435761u, n)
                         : snprintf(text, 48, n % 3 == 1 ? "user_%u" : "%u", n);
    return (Str){ text, (size_t)len };
}

static uint32_t count_guests(const struct identity *identity)
{
    uint32_t guests = 0;
    for (uint32_t i = 0; i < identity->segment_count * SEGMENT_BUCKETS; i++)
        guests += (uint32_t)__builtin_popcount(bucket_at(identity, 0, i)->guests);
    return guests;
}

static void check_found(struct identity *identity, const uint32_t *nodes, uint32_t count, bool some_are_erased)
{
    char text[48];
    for (uint32_t n = 0; n < count; n++) {
        bool is_erased = some_are_erased && n % ERASE_EVERY == 0;
        assert_int_equal(identity_lookup(identity, n % 2 ? IDENTITY_USER : IDENTITY_ANONYMOUS, text_of(n, text)),
                         is_erased ? NONE : nodes[n]);
        assert_int_equal(identity_lookup(identity, n % 2 ? IDENTITY_ANONYMOUS : IDENTITY_USER, text_of(n, text)), NONE);
    }
}

static void identifiers_are_found_through_splits_erasures_and_a_rebuild(void **state)
{
    static uint32_t nodes[IDS];
    struct identity *identity;
    char text[48];
    bool is_new;
    Err err;
    (void)state;
    assert_int_equal(identity_open(&(IdentityOptions){ .seed = 42 }, &identity, &err), OK);
    for (uint32_t n = 0; n < IDS; n++) {
        if (n == IDS / 2) {                                  /* after it, segments with gaps are split */
            check_found(identity, nodes, n, false);
            for (uint32_t e = 0; e < n; e += ERASE_EVERY) identity_forget(identity, nodes[e]);
        }
        nodes[n] = identity_intern(identity, n % 2 ? IDENTITY_USER : IDENTITY_ANONYMOUS, text_of(n, text), &is_new);
        assert_true(is_new);
    }
    for (uint32_t e = IDS / 2; e < IDS; e++)
        if (e % ERASE_EVERY == 0) identity_forget(identity, nodes[e]);
    assert_true(identity->segment_count > 3 && count_guests(identity) > 100);
    check_found(identity, nodes, IDS, true);

    memset(bucket_at(identity, 0, 0), 0, (size_t)identity->segment_count * SEGMENT_BUCKETS * sizeof(struct bucket));
    identity_rebuild_table(identity);
    check_found(identity, nodes, IDS, true);
    for (uint32_t n = 0; n < IDS; n++) {
        IdentityKind kind = n % 2 ? IDENTITY_USER : IDENTITY_ANONYMOUS;
        uint32_t node = identity_intern(identity, kind, text_of(n, text), &is_new);
        assert_int_equal(is_new, n % ERASE_EVERY == 0);
        if (is_new) nodes[n] = node;
    }
    check_found(identity, nodes, IDS, false);
    identity_close(identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_are_found_through_splits_erasures_and_a_rebuild),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
