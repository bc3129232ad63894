/* What is seen of a message without a tree, whatever it is; hosts and sites. */
#include "doctor/doctor_peek.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define assert_text(text, expected) do { \
        Str got = (text); \
        assert_int_equal(got.len, strlen(expected)); \
        assert_memory_equal(got.bytes ? got.bytes : "", (expected), got.len); \
    } while (0)

static void it_finds_what_it_looks_for(void **state)
{
    DoctorPeek peek;
    (void)state;
    doctor_peek(STR("{\"type\":\"track\",\"properties\":{\"a\":[1,{\"context\":\"}\"}],\"library\":{\"name\":\"x\"}},"
                    "\"context\":{\"a\":null,\"library\":{\"name\":\"analytics.js\",\"version\":\"2.1\"},\"page\":"
                    "{\"path\":\"/\",\"referrer\":\"https://a.example/\",\"url\":\"https://b.example/\\\"\"},"
                    "\"userAgent\":\"Mozilla\"},\"n\":-1.5e3,\"b\":true}"), &peek);
    assert_text(peek.library, "analytics.js");
    assert_text(peek.version, "2.1");
    assert_text(peek.referrer, "https://a.example/");
    assert_text(peek.url, "https://b.example/\\\"");
    assert_text(peek.agent, "Mozilla");
    assert_text(peek.payload, "{\"a\":[1,{\"context\":\"}\"}],\"library\":{\"name\":\"x\"}}");
}

static void members_of_other_kinds_are_none(void **state)
{
    DoctorPeek peek;
    (void)state;
    doctor_peek(STR("{\"context\":{\"library\":\"x\",\"page\":[1,2],\"userAgent\":7},\"properties\":{}}"), &peek);
    assert_int_equal(peek.library.len + peek.url.len + peek.agent.len, 0);
    assert_text(peek.payload, "{}");
}

/* Every beginning of a message, and every byte of it changed, ends within it. */
static void it_ends_whatever_the_bytes_are(void **state)
{
    static const char sound[] = "{\"context\":{\"library\":{\"name\":\"a\\\\\",\"version\":\"1\"}},"
        "\"traits\":{\"x\":[{}]}}";
    static const char marks[] = "{}[]\",:\\x0";
    char text[sizeof sound];
    DoctorPeek peek;
    (void)state;
    for (size_t len = 0; len < sizeof sound; len++) doctor_peek(str_of(sound, len), &peek);
    for (size_t at = 0; at < sizeof sound - 1; at++)
        for (size_t mark = 0; mark < sizeof marks - 1; mark++) {
            memcpy(text, sound, sizeof sound);
            text[at] = marks[mark];
            doctor_peek(str_of(text, sizeof sound - 1), &peek);
            assert_true(peek.payload.len <= sizeof sound);
        }
}

static void hosts_are_read_as_a_browser_does(void **state)
{
    static const struct { const char *url, *host; } cases[] = {
        { "https://www.Example.com/path?x=//y", "www.example.com" }, { "http://localhost:8080/", "localhost" },
        { "https://user:pw@shop.example.com#a", "shop.example.com" }, { "", "" }, { "/only/a/path", "" },
        { "https:////", "" },
    };
    char room[256];
    (void)state;
    for (size_t at = 0; at < countof(cases); at++)
        assert_text(doctor_host(str_from(cases[at].url), room), cases[at].host);
}

static void a_site_is_a_registrable_domain(void **state)
{
    static const struct { const char *a, *b; bool is_same; } cases[] = {
        { "www.example.com", "shop.example.com", true }, { "example.com", "www.example.com", true },
        { "www.example.com", "www.example.org", false }, { "a.example.co.uk", "b.example.co.uk", true },
        { "a.co.uk", "b.co.uk", false }, { "localhost", "localhost", true }, { "", "", false },
        { "a.com.au", "b.com.au", false }, { "x.example.de", "y.example.de", true },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++)
        assert_int_equal(doctor_is_same_site(str_from(cases[at].a), str_from(cases[at].b)), cases[at].is_same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_it_looks_for), cmocka_unit_test(members_of_other_kinds_are_none),
        cmocka_unit_test(it_ends_whatever_the_bytes_are), cmocka_unit_test(hosts_are_read_as_a_browser_does),
        cmocka_unit_test(a_site_is_a_registrable_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
