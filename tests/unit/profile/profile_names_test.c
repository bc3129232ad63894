/* profile_names: what a message costs in comparisons, whatever the subject's row holds. While each name was looked for
 * among all entries, 2,000 traits and 16 emails cost 44,606 of them a message. */
#include "profile/profile_row.h"

static unsigned long looks;

static bool counting_equal(Str a, Str b) { return looks++, str_equal(a, b); }

#define str_equal counting_equal
#include "profile/profile_names.c"
#undef str_equal

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { SUBJECTS, GROUPS, MEMBERS, NAMES, EMAILS = 16 };

static void put(struct entries *entries, const char *key, const char *value)
{
    *profile_push(entries) = (struct entry){ .key = str_from(key), .value = str_from(value) };
}

static void names_are_compared_with_names_alone(void **state)
{
    static char keys[PROFILE_KEYS][16], values[EMAILS + 1][32];
    struct profile *profile = profile_open(&(ProfileOptions){ NULL, SUBJECTS, GROUPS, MEMBERS, NAMES });
    struct entries before = { 0 }, after = { 0 };
    (void)state;
    for (unsigned at = 0; at <= EMAILS; at++) {
        snprintf(values[at], sizeof values[at], "\"u%02u@x.example\"", at);
        if (at < EMAILS) put(&before, "temail", values[at]);
        if (at > 0) put(&after, "temail", values[at]);
    }
    for (unsigned at = 0; at < PROFILE_KEYS; at++) {
        snprintf(keys[at], sizeof keys[at], "tem%06u", at);         /* begins as a name does */
        put(&before, keys[at], "\"v\"");
        put(&after, keys[at], "\"v\"");
    }
    looks = 0;
    profile_update_names(profile, 7, &before, &after);
    unsigned long most = 2 * countof(name_traits) * (PROFILE_KEYS + EMAILS) + 2 * EMAILS * EMAILS;
    if (looks > most) fail_msg("%lu looks, %lu at most", looks, most);
    profile_entries_done(&before);
    profile_entries_done(&after);
    profile_close(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_are_compared_with_names_alone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
