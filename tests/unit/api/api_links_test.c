/* api_links: what is kept of the links that were redeemed goes again once it has expired long ago. Tokens and answers:
 * tests/conformance/links.py. */
#include "api/api_links.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static Link link_of(int64_t expires_s, unsigned char which)
{
    Link link = { .expires_s = expires_s };
    memset(link.digest, which, DIGEST_BYTES);
    return link;
}

static void what_expired_long_ago_is_swept_and_what_may_be_used_stays(void **state)
{
    char dir[] = "/tmp/onym-links-XXXXXX", inner[64];
    struct api_links *links;
    bool is_anew;
    Err err;
    KvStats stats;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(inner, sizeof inner, "%s/links", dir);
    assert_int_equal(api_links_open(inner, &links, &is_anew, &err), OK);
    assert_false(is_anew);
    for (unsigned char at = 0; at < 100; at++) {
        Link link = link_of(1000 + at, at);
        assert_int_equal(redeem(links, &link, 900 + at, &err), OK);
        assert_int_equal(redeem(links, &link, 900 + at, &err), ERR_CONFLICT);
    }
    Link last = link_of(1099, 99), first = link_of(1000, 0), late = link_of(200000, 7);
    assert_int_equal(redeem(links, &last, 1099 + SWEEP_AFTER_S, &err), ERR_CONFLICT);    /* a clock set back */
    assert_int_equal(redeem(links, &first, 1099, &err), ERR_CONFLICT);
    assert_int_equal(redeem(links, &late, 190000, &err), OK);
    assert_int_equal(kv_read_stats(links->kv, &stats, &err), OK);
    assert_int_equal(stats.rows[0], 100 - SWEEP_ROWS + 1);
    api_links_close(links);
    assert_int_equal(api_links_open(inner, &links, &is_anew, &err), OK);
    assert_int_equal(redeem(links, &late, 190000, &err), ERR_CONFLICT);
    api_links_close(links);
    assert_int_equal(kv_destroy(inner, &err), OK);
    rmdir(dir);
}

static void base64url_reads_what_it_wrote(void **state)
{
    (void)state;
    for (size_t len = 1; len < 40; len++) {
        char bytes[64], room[128];
        struct buf out;
        Str back;
        struct region region;
        for (size_t at = 0; at < len; at++) bytes[at] = (char)(251 * at + len);
        buf_init_fixed(&out, room, sizeof room);
        put_base64url(&out, str_of(bytes, len));
        region_open(&region, 65536);
        Arena arena = region_arena(&region);
        assert_true(read_base64url(buf_str(&out), &arena, &back));
        assert_true(str_equal(back, str_of(bytes, len)));
        region_close(&region);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_expired_long_ago_is_swept_and_what_may_be_used_stays),
        cmocka_unit_test(base64url_reads_what_it_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
