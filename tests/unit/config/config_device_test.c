/* config_device: what device_mode may name, and the JSON that pages are given. */
#include "config/config_device.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct region region;
static struct config config;
static struct config_problems problems;

/* The source's device_mode, or the first complaint. */
static const char *read(const char *device_mode)
{
    static char text[64 * 1024];
    static const char head[] = "sources:\n  - name: a\n    write_key: wk_a\n    device_mode: ";
    Err err;
    region_close(&region);
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    ConfigOptions request = { 0 };
    snprintf(text, sizeof text, "%s%s\n", head, device_mode);
    ConfigText file = { str_from(text), STR("onym.yaml") };
    Status s = config_parse(file, &request, &arena, &config, &problems, &err);
    if (s) snprintf(text, sizeof text, "%s", err.text);
    else snprintf(text, sizeof text, "%.*s", STR_FORMAT(config.sources[0].device_mode));
    return text;
}

static void what_is_right_becomes_json_that_pages_read(void **state)
{
    (void)state;
    static const struct { const char *yaml, *json; } rows[] = {
        { "{}", "" },
        { "", "" },
        { "~", "" },
        { "{intercom: {app_id: abc123}}", "{\"intercom\":{\"app_id\":\"abc123\"}}" },
        { "{intercom: {app_id: abc123, events: yes, identity_verification: off, api_base: 'https://api-iam.eu.intercom.io'}}",
          "{\"intercom\":{\"app_id\":\"abc123\",\"events\":true,\"identity_verification\":false,"
          "\"api_base\":\"https://api-iam.eu.intercom.io\"}}" },
        { "{intercom: {app_id: abc123, events: , consent: }}", "{\"intercom\":{\"app_id\":\"abc123\"}}" },
        { "{google_tag: {ids: G-ABC}}", "{\"google_tag\":{\"ids\":[\"G-ABC\"]}}" },
        { "{google_tag: {ids: [G-A, AW-1, GT-B, DC-2], consent: [C0002, C0004]}}",
          "{\"google_tag\":{\"ids\":[\"G-A\",\"AW-1\",\"GT-B\",\"DC-2\"],\"consent\":[\"C0002\",\"C0004\"]}}" },
        { "{google_tag: {conversions: {\"Say \\\"hi\\\" </script>\": AW-1/a-b_c}, ids: AW-1}}",
          "{\"google_tag\":{\"conversions\":{\"Say \\\"hi\\\" </script>\":\"AW-1/a-b_c\"},\"ids\":[\"AW-1\"]}}" },
        { "{google_tag: {ids: G-A, consent_mode: {ad_storage: Werbung für alle}}}",
          "{\"google_tag\":{\"ids\":[\"G-A\"],\"consent_mode\":{\"ad_storage\":\"Werbung für alle\"}}}" },
        { "{meta_pixel: {pixel_id: 123456789012345}}", "{\"meta_pixel\":{\"pixel_id\":\"123456789012345\"}}" },
        { "{meta_pixel: {pixel_id: '00123'}, posthog: {api_key: phc_a-b_C1, api_host: 'https://hog.x.test:8443'}}",
          "{\"meta_pixel\":{\"pixel_id\":\"00123\"},\"posthog\":{\"api_key\":\"phc_a-b_C1\","
          "\"api_host\":\"https://hog.x.test:8443\"}}" },
    };
    for (size_t at = 0; at < countof(rows); at++) assert_string_equal(read(rows[at].yaml), rows[at].json);
}

static void what_is_wrong_is_told_with_its_place_and_a_way_out(void **state)
{
    (void)state;
    static const struct { const char *yaml, *text; } rows[] = {
        { "intercom", "wanted a map of settings" },
        { "[intercom]", "wanted a map of settings" },
        { "{intercon: {app_id: abc123}}", "device_mode.intercon: unknown tool; did you mean intercom?" },
        { "{GTAG: {}}", "did you mean google_tag?" },
        { "{facebook_pixel: {}}", "did you mean meta_pixel?" },
        { "{Posthog: {}}", "did you mean posthog?" },
        { "{segment: {}}", "unknown tool; there are intercom, google_tag, meta_pixel and posthog" },
        { "{intercom: }", "device_mode.intercom: wanted a map of settings" },
        { "{intercom: abc123}", "wanted a map of settings" },
        { "{intercom: {}}", "has no app_id: the workspace's id" },
        { "{intercom: {app_id: }}", "has no app_id" },
        { "{intercom: {app_id: 'a b'}}", "app_id: wanted the workspace's id" },
        { "{intercom: {app_id: \"abc\\n123\"}}", "wanted the workspace's id" },
        { "{intercom: {app_id: [abc123]}}", "wanted the workspace's id" },
        { "{intercom: {app_id: abc123, apibase: x}}", "unknown key; did you mean api_base?" },
        { "{intercom: {app_id: abc123, api_base: 'http://api-iam.intercom.io'}}", "another https:// host" },
        { "{intercom: {app_id: abc123, api_base: 'https://'}}", "another https:// host" },
        { "{intercom: {app_id: abc123, api_base: 'https://x.test/path'}}", "another https:// host" },
        { "{intercom: {app_id: abc123, api_base: 'https://user@x.test'}}", "another https:// host" },
        { "{intercom: {app_id: abc123, events: maybe}}", "events: \"maybe\" is neither true nor false" },
        { "{intercom: {app_id: abc123, identity_secret: s}}", "everything here is public" },
        { "{meta_pixel: {pixel_id: 12345, access_token: s}}", "everything here is public" },
        { "{google_tag: {ids: []}}", "ids: wanted 1 to 100" },
        { "{google_tag: {ids: UA-1-1}}", "UA- ids have ended" },
        { "{google_tag: {ids: [G-A, GTM-B]}}", "GTM- is a container" },
        { "{google_tag: {ids: G-}}", "wanted ids like" },
        { "{google_tag: {ids: 'G-A?x=1'}}", "wanted ids like" },
        { "{google_tag: {ids: {a: b}}}", "wanted ids like" },
        { "{google_tag: {ids: G-A, conversions: {X: AW-1/a}}}", "ids has no AW-1" },
        { "{google_tag: {ids: [AW-1, G-A], conversions: {X: AW-1}}}", "wanted a conversion like" },
        { "{google_tag: {ids: G-A, conversions: [X]}}", "wanted a map" },
        { "{google_tag: {ids: G-A, consent_mode: {ads: X}}}", "wanted analytics_storage" },
        { "{google_tag: {ids: G-A, consent: []}}", "names of consent categories" },
        { "{google_tag: {ids: G-A, consent: [[a]]}}", "names of consent categories" },
        { "{meta_pixel: {pixel_id: 1234}}", "5 to 20 digits" },
        { "{meta_pixel: {pixel_id: -12345}}", "5 to 20 digits" },
        { "{posthog: {api_key: phx_personal}}", "phx_... are personal and secret" },
        { "{posthog: {api_key: phc_}}", "the project's key" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        const char *text = read(rows[at].yaml);
        if (!strstr(text, rows[at].text)) fail_msg("%s: %s", rows[at].yaml, text);
        if (!strstr(text, "onym.yaml:")) fail_msg("%s has no place: %s", rows[at].yaml, text);
    }
}

static void floods_are_bounded(void **state)
{
    (void)state;
    char yaml[40000];
    size_t len = (size_t)snprintf(yaml, sizeof yaml, "{google_tag: {ids: [");
    for (int at = 0; at < 101; at++) len += (size_t)snprintf(yaml + len, sizeof yaml - len, "G-%d,", at);
    snprintf(yaml + len, sizeof yaml - len, "]}}");
    assert_non_null(strstr(read(yaml), "wanted 1 to 100"));
    len = (size_t)snprintf(yaml, sizeof yaml, "{google_tag: {ids: G-A, consent: [");
    for (int at = 0; at < 100; at++) len += (size_t)snprintf(yaml + len, sizeof yaml - len, "%0190d,", at);
    snprintf(yaml + len, sizeof yaml - len, "]}}");
    assert_non_null(strstr(read(yaml), "too long"));
    snprintf(yaml, sizeof yaml, "{google_tag: {ids: G-A, consent: %0201d}}", 0);
    assert_non_null(strstr(read(yaml), "names of consent categories"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_becomes_json_that_pages_read),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place_and_a_way_out),
        cmocka_unit_test(floods_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
