/* profile_traits: what one message costs a full row, in comparisons of texts, not in time. A row is read and written as
 * a whole, so the cost is at best in proportion to its keys; putting them in order anew for each message was ten times
 * that. */
#include "profile/profile_row.h"

static unsigned long looks;

static int counting_compare(Str a, Str b) { return looks++, str_compare(a, b); }
static bool counting_equal(Str a, Str b) { return looks++, str_equal(a, b); }

#define str_compare counting_compare
#define str_equal counting_equal
#include "profile/profile_traits.c"
#undef str_compare
#undef str_equal

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { SUBJECTS, GROUPS, MEMBERS, NAMES, LOOKS_A_KEY = 5 };

static struct profile *open_profile(void)
{
    struct profile *profile = profile_open(&(ProfileOptions){ NULL, SUBJECTS, GROUPS, MEMBERS, NAMES });
    assert_non_null(profile);
    return profile;
}

/* All at one time: then the messageIds have to be compared, too. */
static void join(struct profile *profile, unsigned group, unsigned at)
{
    char id[32], message[32];
    Err err;
    snprintf(id, sizeof id, "group-%u", group);
    snprintf(message, sizeof message, "m-%u", at);
    ProfileWrite write = { .time_ms = 1, .message_id = str_from(message), .position = at };
    ProfileWriter writer = { .subject = 7, .member = { 1, 2 } };
    assert_int_equal(profile_join_group(profile, &writer, &write, str_from(id), &err), OK);
}

static size_t count_groups(struct profile *profile)
{
    struct profile_reader *reader;
    struct region region;
    ProfileValues values;
    ProfileSubject subject = { .subject = 7 };
    region_open(&region, 64 << 20);
    Arena arena = region_arena(&region);
    assert_int_equal(profile_begin_reading(profile, &reader, NULL), OK);
    assert_int_equal(profile_read_groups(reader, (ProfileSubjects){ &subject, 1 }, &arena, &values, NULL), OK);
    profile_end_reading(reader);
    size_t count = values.count;
    region_close(&region);
    return count;
}

static void a_message_costs_a_full_row_a_look_or_two_at_each_key(void **state)
{
    static const struct { const char *what; unsigned from, step; } rows[] = {
        { "new groups, each of which an old one goes for", 10 * PROFILE_KEYS, 1 },
        { "one group again and again", 20 * PROFILE_KEYS, 0 },
    };
    struct profile *profile = open_profile();
    (void)state;
    for (unsigned at = 0; at < PROFILE_KEYS; at++) join(profile, at, at);
    for (size_t row = 0; row < countof(rows); row++) {
        looks = 0;
        for (unsigned at = 0; at < 50; at++) join(profile, rows[row].from + at * rows[row].step, 100000 + at);
        if (looks > 50 * LOOKS_A_KEY * PROFILE_KEYS) fail_msg("%s: %lu looks a message", rows[row].what, looks / 50);
    }
    assert_int_equal(count_groups(profile), PROFILE_KEYS);
    profile_close(profile);
}

/* By keys, by bytes, by both; by a few and by many at once: what was written last stays. */
static void what_was_written_last_stays_however_many_go(void **state)
{
    static const struct { unsigned keys, bytes, added, added_bytes, left; } rows[] = {
        { PROFILE_KEYS, 8, 1, 8, PROFILE_KEYS }, { PROFILE_KEYS, 8, 3, 8, PROFILE_KEYS },
        { PROFILE_KEYS, 8, 50, 8, PROFILE_KEYS }, { 30, 30000, 1, 30000, 31 }, { 34, 30000, 1, 30000, 34 },
        { 34, 30000, 10, 30000, 34 }, { 100, 8000, 1, 1040000, 2 }, { 1999, 400, 1, 400000, 1610 },
    };
    (void)state;
    for (size_t row = 0; row < countof(rows); row++) {
        struct profile *profile = open_profile();
        struct entries entries = { 0 };
        char *value = malloc(2 << 20);
        Err err;
        memset(value, 'z', 2 << 20);
        for (unsigned round = 0, at = 0; round < 2; round++) {
            unsigned count = round ? rows[row].added : rows[row].keys;
            size_t bytes = round ? rows[row].added_bytes : rows[row].bytes;
            ProfileTrait *traits = calloc(count, sizeof *traits);
            char (*names)[16] = calloc(count, sizeof *names);
            for (unsigned trait = 0; trait < count; trait++, at++) {
                snprintf(names[trait], sizeof *names, "k%06u", at);
                traits[trait] = (ProfileTrait){ str_from(names[trait]), { value, bytes } };
            }
            ProfileWrite write = { .time_ms = round + 1, .message_id = STR("m"), .position = round };
            ProfileWriter writer = { .subject = 7 };
            assert_int_equal(profile_set_traits(profile, &writer, &write, traits, count, &err), OK);
            free(traits), free(names);
        }
        char room[4];
        assert_int_equal(profile_read_row(profile, NULL, subject_place(profile, 7, room), &entries, &err), OK);
        if (labs((long)entries.count - (long)rows[row].left) > (long)rows[row].left / 50)
            fail_msg("row %zu: %zu keys are left, wanted about %u", row, entries.count, rows[row].left);
        size_t newer = 0;
        for (size_t at = 0; at < entries.count; at++) newer += entries.items[at].time_ms == 2;
        assert_int_equal(newer, rows[row].added < rows[row].left ? rows[row].added : rows[row].left);
        free(value);
        profile_entries_done(&entries);
        profile_close(profile);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_costs_a_full_row_a_look_or_two_at_each_key),
        cmocka_unit_test(what_was_written_last_stays_however_many_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
