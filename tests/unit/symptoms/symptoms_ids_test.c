/* symptoms_ids: shapes of ids, and values that name nobody. */
#include "symptoms/symptoms_ids.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void ids_have_shapes(void **state)
{
    static const struct { const char *id, *shape; size_t prefix; } rows[] = {
        { "42", "integer", 0 }, { " 42 ", "integer", 0 }, { "12345678901234567890123", "other", 0 },
        { "b2f1c3d4-0000-4000-8000-123456789abc", "uuid", 0 }, { "b2f1c3d4-0000-4000-8000-123456789abz", "other", 0 },
        { "01ARZ3NDEKTSV4RRFFQ69G5FAV", "ulid", 0 }, { "81ARZ3NDEKTSV4RRFFQ69G5FAV", "other", 0 },
        { "507f1f77bcf86cd799439011", "24 hex", 0 }, { "d41d8cd98f00b204e9800998ecf8427e", "32 hex", 0 },
        { "da39a3ee5e6b4b0d3255bfef95601890afd80709", "40 hex", 0 },
        { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "64 hex", 0 },
        { "kim@firma.de", "email", 0 }, { "info@example.com", "email", 0 }, { "kim@localhost", "other", 0 },
        { "+493012345678", "phone", 0 }, { "https://x.de/u/1", "url", 0 },
        { "user_123", "prefix", 5 }, { "auth0|5f7c8ec7c33c6c004bbafe82", "prefix", 6 },
        { "google-oauth2|kim", "prefix", 14 }, { "cus_NffrFeUfNV2Hib", "prefix", 4 },
        { "kim_smith", "other", 0 }, { "kim", "other", 0 }, { "_x1", "other", 0 }, { "", "other", 0 },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        size_t prefix = 99;
        const char *shape = symptoms_id_shape(str_from(rows[at].id), &prefix);
        if (strcmp(shape, rows[at].shape) || prefix != rows[at].prefix)
            fail_msg("%s: %s, %zu", rows[at].id, shape, prefix);
    }
}

static void placeholders_are_odd_and_people_are_not(void **state)
{
    static const struct { const char *id, *kind; } rows[] = {
        { "null", "null" }, { "NULL", "null" }, { " undefined ", "undefined" }, { "-1", "-1" }, { "Guest", "guest" },
        { "NaN", "nan" }, { "(null)", "(null)" }, { "<nil>", "<nil>" }, { "[object Object]", "[object object]" },
        { "0", "zeros" }, { "00000000-0000-0000-0000-000000000000", "zeros" }, { "---", "zeros" }, { "   ", "blank" },
        { "\"null\"", "quoted" }, { "'undefined'", "quoted" }, { "{{user.id}}", "template" }, { "${id}", "template" },
        { "user-{{id}}", "template" }, { "%s", "template" }, { ":id", "template" }, { "<user_id>", "<user_id>" },
        { "<your id here>", "template" }, { "{\"id\":1}", "json" }, { "https://x.de/u/1", "url" },
        { "42", NULL }, { "guests", NULL }, { "kim", NULL }, { "true-north", NULL }, { "7", NULL }, { "\"kim\"", NULL },
        { "b2f1c3d4-0000-4000-8000-123456789abc", NULL }, { "e3b0c442", NULL }, { "hannah", NULL }, { "10", NULL },
        { "[kim", NULL },
    };
    char long_id[300];
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        const char *kind = symptoms_odd_id(str_from(rows[at].id));
        if ((kind == NULL) != (rows[at].kind == NULL) || (kind && strcmp(kind, rows[at].kind)))
            fail_msg("%s: %s", rows[at].id, kind ? kind : "none");
    }
    memset(long_id, 'a', sizeof long_id);
    assert_string_equal(symptoms_odd_id(str_of(long_id, 201)), "long");
    assert_null(symptoms_odd_id(str_of(long_id, 200)));
}

static void folding_knows_no_case_and_no_blanks(void **state)
{
    (void)state;
    assert_true(symptoms_fold_id(STR("Kim"), 1) == symptoms_fold_id(STR(" kim\n"), 1));
    assert_false(symptoms_fold_id(STR("Kim"), 1) == symptoms_fold_id(STR("kim"), 2));
    assert_false(symptoms_fold_id(STR("kim"), 1) == symptoms_fold_id(STR("ki m"), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_have_shapes),
        cmocka_unit_test(placeholders_are_odd_and_people_are_not),
        cmocka_unit_test(folding_knows_no_case_and_no_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
