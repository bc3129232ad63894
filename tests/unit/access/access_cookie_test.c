/* access_cookie: the value of one cookie, or nothing. */
#include "access/access_cookie.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void one_value_is_found_and_two_are_none(void **state)
{
    static const struct { const char *header, *value; } rows[] = {
        { "s=1", "1" }, { "a=2; s=1; b=3", "1" }, { " s = 1 ", "1" }, { "s=", "" }, { "s", "" }, { "s=a=b", "a=b" },
        { ";;s=1;", "1" }, { "s=\"1\"", "\"1\"" },
        { "", NULL }, { "=", NULL }, { "ss=1", NULL }, { "S=1", NULL }, { "a=s=1", NULL }, { "a=1,s=1", NULL },
        { "s=1; s=2", NULL }, { "s=1; s=1", NULL }, { "s; s=1", NULL },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Str value = { 0 };
        bool is_found = access_read_cookie(str_from(rows[at].header), STR("s"), &value);
        assert_int_equal(is_found, rows[at].value != NULL);
        if (is_found) assert_true(str_equal(value, str_from(rows[at].value)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_value_is_found_and_two_are_none) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
