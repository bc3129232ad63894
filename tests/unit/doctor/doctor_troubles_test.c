/* What the browser library says is wrong in a page: visitors, pages, names of cookies; and what anybody may write. */
#include "doctor/doctor_troubles.c"
#include "fake_exam.h"

#include <stdio.h>

enum { VISITOR = 100 };

/* A page of that visitor that says so; health NULL: it says nothing. */
static DoctorRow *page(IdentityNode visitor, const char *url, const char *health, double minute)
{
    DoctorRow *row = fake_row(EVENT_PAGE, "", IDENTITY_NONE, visitor, minute);
    DoctorPeek peek = { .url = str_from(url), .health = str_from(health ? health : "") };
    row->host = fake_name("shop.de");
    if (health && doctor_note_troubles(&fake.exam, &peek, row->pos)) row->flags |= ROW_TROUBLE;
    return row;
}

static void done(void)
{
    free(fake.exam.troubles);
    fake_end();
}

static void a_visitor_is_one_case(void **state)
{
    (void)state;
    fake_begin();
    for (IdentityNode at = 0; at < 3; at++)
        for (int n = 0; n < 4; n++) {
            DoctorRow *row = page(VISITOR + at, n ? "https://shop.de/cart" : "https://shop.de/", "[\"storage_full\"]", n);
            if (at == 2) row->release = fake_name("analytics.js 2.0");
        }
    (void)page(VISITOR + 7, "https://shop.de/", NULL, 9);
    fake_row(EVENT_TRACK, "x", 1, VISITOR + 8, 9)->host = 0;
    fake_pass(doctor_pass_troubles);
    fake_expect(DOCTOR_BR_2, 3, 4, 3);
    const struct tally *tally = tally_find(&fake.exam, DOCTOR_BR_2, fake_name("web"), 0);
    assert_int_equal(tally->release_cases, 2);
    assert_int_equal(tally->place_count, 2);
    assert_int_equal(tally->places[0].page, fake_name("shop.de/"));       /* as many; its name comes first */
    assert_int_equal(tally->places[1].page, fake_name("shop.de/cart"));
    assert_int_equal(tally->places[0].count + tally->places[1].count, 6);
    assert_true(tally->last_ms - tally->first_ms == 3 * MINUTE_MS);
    done();
}

/* One cause, one finding: all names of cookies in one, in the order of the alphabet. */
static void cookies_are_one_finding(void **state)
{
    (void)state;
    fake_begin();
    (void)page(VISITOR, "https://shop.de/", "[\"cookie_stuck:ajs_user_id\",\"cookie_stuck:ajs_anonymous_id\"]", 1);
    (void)page(VISITOR + 1, "https://shop.de/", "[\"cookie_stuck:ajs_user_id\"]", 2);
    fake_pass(doctor_pass_troubles);
    fake_expect(DOCTOR_BR_1, 2, 2, 2);
    const struct tally *tally = tally_find(&fake.exam, DOCTOR_BR_1, fake_name("web"), 0);
    assert_true(str_equal(fake.exam.names.texts[tally->value], STR("ajs_anonymous_id, ajs_user_id")));
    done();
}

static void only_its_words_are_taken(void **state)
{
    static const char *const lists[] = {
        "null", "5", "\"storage_full\"", "{\"storage_full\":1}", "[]", "[[\"storage_full\"]]", "[null,1,{}]",
        "[\"later\"]", "[\"STORAGE_FULL\"]", "[\"\"]", "[\"storage_full",
    };
    (void)state;
    fake_begin();
    for (size_t at = 0; at < countof(lists); at++)
        assert_int_equal(page(VISITOR, "", lists[at], 1)->flags & ROW_TROUBLE, 0);
    DoctorRow *odd = page(VISITOR, "", "[\"cookie_stuck:<b>x\\n\",\"cookie_stuck:\"]", 1);
    assert_true(odd->flags & ROW_TROUBLE);
    fake_pass(doctor_pass_troubles);
    fake_expect(DOCTOR_BR_1, 1, 1, 1);
    assert_int_equal(tally_find(&fake.exam, DOCTOR_BR_1, fake_name("web"), 0)->value, 0);
    done();
}

/* Who has the public key cannot take all names: then sources and events would have none. */
static void names_are_left_for_the_rest(void **state)
{
    char health[1024];
    (void)state;
    fake_begin();
    for (int at = 0; at < DOCTOR_NAMES_MAX / 8; at++) {
        DoctorPeek peek = { 0 };
        int len = 0;
        for (int n = 0; n < WORDS_MOST; n++)
            len += snprintf(health + len, sizeof health - (size_t)len, "%s\"cookie_stuck:c%d-%d\"", n ? "," : "[",
                            at, n);
        snprintf(health + len, sizeof health - (size_t)len, "]");
        peek.health = str_from(health);
        assert_true(doctor_note_troubles(&fake.exam, &peek, journal_position(1)));
    }
    assert_true(doctor_name(&fake.exam.names, STR("an event")) != 0);
    done();
}

static void a_word_counts_once_a_message(void **state)
{
    (void)state;
    fake_begin();
    (void)page(VISITOR, "", "[\"storage_full\",\"storage_full\",\"queue_full\",\"storage_full\"]", 1);
    assert_int_equal(fake.exam.trouble_count, 2);
    done();
}

/* A record that is a repeat, or of somebody suppressed, has no row. */
static void what_does_not_count_is_no_case(void **state)
{
    DoctorPeek peek = { .url = STR("https://shop.de/"), .health = STR("[\"queue_full\"]") };
    (void)state;
    fake_begin();
    (void)page(IDENTITY_NONE, "https://shop.de/", "[\"queue_full\"]", 1);
    assert_true(doctor_note_troubles(&fake.exam, &peek, journal_position(99)));
    fake_pass(doctor_pass_troubles);
    assert_null(tally_find(&fake.exam, DOCTOR_BR_3, fake_name("web"), 0));
    done();
}

static void pages_are_told_without_ids(void **state)
{
    static const struct { const char *url, *page; } cases[] = {
        { "https://Shop.DE:8080/a/b?x=1#y", "shop.de/a/b" }, { "https://shop.de", "shop.de/" },
        { "https://shop.de?mail=kim@firma.de", "shop.de/" }, { "https://shop.de/orders/12345/items/7", "shop.de/orders/#/items/#" },
        { "https://shop.de/u/b2f1c3d4-0000-4000-8000-1234567812ab/", "shop.de/u/#" },
        { "https://shop.de/p/shoes-2024", "shop.de/p/#" }, { "https://shop.de/v2/cart", "shop.de/v2/cart" },
        { "https://shop.de/kim@firma.de", "shop.de/\xe2\x80\xa6" }, { "https://shop.de/x/kim%40firma.de", "shop.de/\xe2\x80\xa6" },
        { "https://shop.de/reset/Zk3jd83jdKdk39dkeDkd93kd", "shop.de/\xe2\x80\xa6" },
    };
    (void)state;
    fake_begin();
    for (size_t at = 0; at < countof(cases); at++) {
        char room[256];
        Str url = str_from(cases[at].url);
        uint32_t name = doctor_name_page(&fake.exam, doctor_host(url, room), path_of(url));
        Str got = fake.exam.names.texts[name];
        if (!str_equal(got, str_from(cases[at].page))) fail_msg("%s: %.*s", cases[at].url, STR_FORMAT(got));
    }
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_visitor_is_one_case), cmocka_unit_test(cookies_are_one_finding),
        cmocka_unit_test(only_its_words_are_taken), cmocka_unit_test(what_does_not_count_is_no_case),
        cmocka_unit_test(pages_are_told_without_ids), cmocka_unit_test(names_are_left_for_the_rest),
        cmocka_unit_test(a_word_counts_once_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
