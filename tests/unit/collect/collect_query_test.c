/* collect_query: pixels, JSONP and Authorization headers. */
#include "collect/collect_query.c"
#include "tests/unit/collect/collect_world.h"

static void queries_become_the_body_of_a_post(void **state)
{
    static const struct { const char *query, *body, *callback; } rows[] = {
        { "", "{}", "" },
        { "data=eyJ1c2VySWQiOiJ1In0=", "{\"userId\":\"u\"}", "" },
        { "data=eyJ1c2VySWQiOiJ1In0", "{\"userId\":\"u\"}", "" },
        { "data=eyJ1c2VySWQiOiJ1In0%3D&callback=cb_1$", "{\"userId\":\"u\"}", "cb_1$" },
        { "callback=alert(1)&data=eyJ1c2VySWQiOiJ1In0", "{\"userId\":\"u\"}", "" },
        { "callback=1a&data=e30", "{}", "" },
        { "callback=a.b&data=e30", "{}", "" },
        { "data=eyJhIjoiPz8_Pz8-In0", "{\"a\":\"????\?>\"}", "" },          /* URL-safe alphabet */
        { "data=eyJhIjoiPz8/Pz8+In0", "{\"a\":\"????\?>\"}", "" },          /* plus arrives as a space */
        { "data=eyJhIjoiPz8%2FPz8%2BIn0", "{\"a\":\"????\?>\"}", "" },
        { "data=", "", "" },
        { "userId=u&event=Email+Opened&properties.subject=A%20%22b%22&properties.campaign.id=7&writeKey=k",
          "{\"userId\":\"u\",\"event\":\"Email Opened\",\"properties\":{\"subject\":\"A \\\"b\\\"\","
            "\"campaign\":{\"id\":\"7\"}},"
          "\"writeKey\":\"k\"}", "" },
        { "a.b=1&c=2&a.d=3", "{\"a\":{\"b\":\"1\",\"d\":\"3\"},\"c\":\"2\"}", "" },
        { "a=1&a.b=2&a=3", "{\"a\":\"1\"}", "" },
        { "a.b=1&a=2", "{\"a\":{\"b\":\"1\"}}", "" },
        { "ab.c=1&a.c=2", "{\"ab\":{\"c\":\"1\"},\"a\":{\"c\":\"2\"}}", "" },
        { "a", "{\"a\":\"\"}", "" },
        { "=1&&a=%zz%4", "{\"a\":\"%zz%4\"}", "" },
        { "a=%FF%00", "{\"a\":\"\xEF\xBF\xBD\\u0000\"}", "" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&world.region);
        Str body, callback;
        assert_int_equal(collect_decode_query(str_from(rows[at].query), &arena, &body, &callback, &world.err), OK);
        assert_text(body, rows[at].body);
        assert_text(callback, rows[at].callback);
    }
}

static void queries_that_cannot_be_read_are_refused(void **state)
{
    Str body, callback;
    struct buf many;
    (void)state;
    Arena arena = region_arena(&world.region);
    assert_int_equal(collect_decode_query(STR("data=%00"), &arena, &body, &callback, &world.err), ERR_INPUT);
    assert_int_equal(collect_decode_query(STR("data=a*b"), &arena, &body, &callback, &world.err), ERR_INPUT);
    assert_int_equal(collect_decode_query(STR("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t=1"), &arena, &body, &callback,
                                          &world.err), ERR_INPUT);
    buf_init(&many, 1 << 20);
    for (int at = 0; at < 257; at++) buf_printf(&many, "k%d=1&", at);
    assert_int_equal(collect_decode_query(buf_str(&many), &arena, &body, &callback, &world.err), ERR_INPUT);
    while (many.len <= LIMIT_URL_BYTES) buf_printf(&many, "more");
    assert_int_equal(collect_decode_query(buf_str(&many), &arena, &body, &callback, &world.err), ERR_TOO_LARGE);
    buf_done(&many);
}

static void keys_are_read_from_authorization(void **state)
{
    static const struct { const char *header, *key; } rows[] = {
        { "Basic d2tfd2ViOg==", "wk_web" },
        { "basic d2tfd2ViOg", "wk_web" },
        { "Basic d2tfd2Vi", "wk_web" },                   /* without the colon */
        { "Basic d2tfd2ViOnBhc3M=", "wk_web" },           /* with a password */
        { " BASIC   d2tfd2ViOg== ", "wk_web" },
        { "Bearer a.b-c", "a.b-c" },
        { "Basic", "" }, { "Basic !", "" }, { "Digest a", "" }, { "", "" }, { "Bearer", "" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = region_arena(&world.region);
        assert_text(collect_key_of_authorization(str_from(rows[at].header), &arena), rows[at].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_become_the_body_of_a_post),
        cmocka_unit_test(queries_that_cannot_be_read_are_refused),
        cmocka_unit_test(keys_are_read_from_authorization),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
