/* plan: numbers as what they say, and patterns as ECMA 262 has them. */
#include "plan/plan_number.c"
#include "plan/plan_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static Decimal read(const char *text)
{
    Decimal number;
    assert_true(decimal_read(str_from(text), &number));
    return number;
}

static int compare(const char *a, const char *b)
{
    Decimal x = read(a), y = read(b);
    assert_int_equal(decimal_compare(&x, &y), -decimal_compare(&y, &x));
    return decimal_compare(&x, &y);
}

static bool is_multiple(const char *a, const char *b)
{
    Decimal x = read(a), y = read(b);
    return decimal_is_multiple(&x, &y);
}

static void numbers_compare_by_what_they_say(void **state)
{
    (void)state;
    assert_int_equal(compare("1", "1.0"), 0);
    assert_int_equal(compare("1e2", "100"), 0);
    assert_int_equal(compare("-0", "0"), 0);
    assert_int_equal(compare("0.1", "0.10000000000000001"), -1);
    assert_int_equal(compare("9007199254740993", "9007199254740992"), 1);
    assert_int_equal(compare("-2", "-1"), -1);
    assert_int_equal(compare("-1", "0"), -1);
    assert_int_equal(compare("1e400", "1e399"), 1);
    assert_int_equal(compare("98249283749234923498293171823948729348710298301928331", "1e20"), 1);
}

static void whole_numbers_and_multiples_are_exact(void **state)
{
    Decimal number;
    (void)state;
    number = read("1.0"), assert_true(decimal_is_whole(&number));
    number = read("1.5e1"), assert_true(decimal_is_whole(&number));
    number = read("1.50"), assert_false(decimal_is_whole(&number));
    number = read("12345678901234567890123.0"), assert_true(decimal_is_whole(&number));
    assert_true(is_multiple("0.0075", "0.0001"));
    assert_false(is_multiple("0.00751", "0.0001"));
    assert_true(is_multiple("29.99", "0.01"));
    assert_true(is_multiple("1e308", "0.5"));
    assert_false(is_multiple("7", "2"));
    assert_true(is_multiple("0", "3"));
}

static void what_is_no_number_is_told_so(void **state)
{
    static const char *const texts[] = { "", "-", "1.", ".5", "1e", "1e+", "abc", "1x", "0x10", "--1", "1.2.3", "e5" };
    Decimal number;
    (void)state;
    for (size_t at = 0; at < countof(texts); at++) assert_false(decimal_read(str_from(texts[at]), &number));
}

static bool matches(const char *pattern, const char *text)
{
    char why[PATTERN_WHY_BYTES];
    struct pattern *opened = pattern_open(str_from(pattern), why);
    if (!opened) fail_msg("%s: %s", pattern, why);
    bool found = pattern_matches(opened, str_from(text));
    pattern_close(opened);
    return found;
}

static void patterns_are_those_of_ecma_262(void **state)
{
    (void)state;
    assert_true(matches("^[A-Z]{3}$", "EUR"));
    assert_false(matches("^[A-Z]{3}$", "EUR\n"));
    assert_true(matches("b+", "abbc"));
    assert_true(matches("^\\u00e9\\u{1F600}\\ud83d\\ude00$", "é😀😀"));
    assert_true(matches("^\\s+$", "\xc2\xa0\t\xef\xbb\xbf"));
    assert_false(matches("\\S", "\xc2\xa0 "));
    assert_true(matches("^[\\s,]$", "\xc2\xa0"));
    assert_true(matches("^\\p{Letter}+$", "aé"));
    assert_true(matches("^\\cA[\\b]\\0$", "\x01\b") == false);
    assert_false(matches("^a.b$", "a\xe2\x80\xa8" "b"));
    assert_true(matches("^(?<year>\\d{4})/x$", "2026/x"));
    assert_true(matches("^[^]$", "\n"));
    assert_false(matches("[]", "a"));
    assert_true(matches("^[[a]$", "["));
}

static void a_pattern_that_is_evil_elsewhere_is_quick_here(void **state)
{
    static char text[32 * 1024];
    (void)state;
    memset(text, 'a', sizeof text - 2);
    text[sizeof text - 2] = 'b';
    assert_false(matches("^(a+)+$", text));
    assert_false(matches("^(a|aa)*c$", text));
}

static void patterns_that_mean_two_things_are_refused(void **state)
{
    static const char *const texts[] = { "\\A", "\\Z", "\\Q", "\\C", "(?i)a", "(?=a)", "(?<!a)", "\\1", "\\u12",
                                         "\\u{}", "[a",
                                         "\\", "\\ud83d", "\\c1", "\\pL", "\\p{Nonsense}", "a{2000}", "(", "*" };
    char why[PATTERN_WHY_BYTES];
    (void)state;
    for (size_t at = 0; at < countof(texts); at++) {
        struct pattern *opened = pattern_open(str_from(texts[at]), why);
        if (opened) fail_msg("%s was taken", texts[at]);
        assert_true(why[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_compare_by_what_they_say),
        cmocka_unit_test(whole_numbers_and_multiples_are_exact),
        cmocka_unit_test(what_is_no_number_is_told_so),
        cmocka_unit_test(patterns_are_those_of_ecma_262),
        cmocka_unit_test(a_pattern_that_is_evil_elsewhere_is_quick_here),
        cmocka_unit_test(patterns_that_mean_two_things_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
