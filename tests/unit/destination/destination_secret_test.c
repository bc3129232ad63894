/* destination_secret: what the settings keep secret is in nothing that is shown, in none of the forms that it takes. */
#include "tests/unit/deliver/deliver_fixture.h"
#include "src/deliver/deliver_runner.h"

/* Settings and a text, and what must not be in it afterwards. */
static const struct { const char *setting, *text, *hidden, *kept; } rows[] = {
    { "url=https://kim:pa55word@hooks.example.com/in",
      "to https://kim:pa55word@hooks.example.com/in",
      "pa55", "hooks.example.com/in" },
    { "url=https://kim:pa55word@hooks.example.com/in",
      "you sent Basic a2ltOnBhNTV3b3Jk",
      "a2ltOnBhNTV3b3Jk", "you sent" },
    { "url=https://kim:p%4055word@h.example/", "password p@55word is wrong", "55word", "is wrong" },
    { "url=https://kim:p%4055word@h.example/", "Basic a2ltOnBANTV3b3Jk", "a2ltOnBANTV3b3Jk", "Basic" },
    { "url=https://t0k3nt0k3n@h.example/", "who is t0k3nt0k3n", "t0k3n", "who" },
    { "url=https://h.example/in?key=abcdefgh1&team=x",
      "at https://h.example/in?key=abcdefgh1&team=x",
      "abcdefgh1", "key=***&team=" },
    { "url=https://h.example/in?abcdefgh1", "GET https://h.example/in?abcdefgh1", "abcdefgh1", "h.example/in?***" },
    { "url=https://h.example/services/T0000001/B0000001/XXXXXXXXXXXXXXXXXXXXXXXX",
      "no such hook: /services/T0000001/B0000001/XXXXXXXXXXXXXXXXXXXXXXXX",
      "XXXX", "no such hook: /services/" },
    { "url=https://h.example/v1/events", "at https://h.example/v1/events", "***", "https://h.example/v1/events" },
    { "secret=s3cr3t\"x", "{\"a\":\"s3cr3t\\\"x\"}", "s3cr3t", "{\"a\":\"***\"}" },
    { "secret=s3 cr3t", "?k=s3%20cr3t&b=1", "cr3t", "&b=1" },
};

static void no_form_of_a_secret_is_shown(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        bool has_url = str_starts(str_from(rows[at].setting), STR("url"));
        const char *const pairs[] = { rows[at].setting, has_url ? "secret=" : "url=https://h.example/", NULL };
        Arena arena;
        Str shown;
        teardown(NULL);
        setup(NULL);
        start("hook", "webhook", pairs);
        world_step(world);
        arena = region_arena(&world->region);
        shown = secret_hide(&world->deliver->runners[0]->settings, str_from(rows[at].text), &arena);
        if (str_contains(shown, str_from(rows[at].hidden)) || !str_contains(shown, str_from(rows[at].kept)))
            fail_msg("row %zu: %.*s", at, STR_FORMAT(shown));
    }
}

static void add_headers(Node *headers, Node *authorization, Node *team)
{
    *headers = (Node){ .kind = NODE_MAP, .key = STR("headers") };
    *authorization = (Node){ .kind = NODE_TEXT, .key = STR("X-Api-Key"), .text = STR("0123456789abcdef") };
    *team = (Node){ .kind = NODE_TEXT, .key = STR("X-Team"), .text = STR("growth") };
    world_add_node(headers, authorization);
    world_add_node(headers, team);
    world_add_node((Node *)(uintptr_t)world->configs[0].settings, headers);
}

/* A receiver that quotes what it was sent, as echo services and proxies do. */
static void what_a_vendor_quotes_is_hidden_in_letters_and_states(void **state)
{
    static const char *const pairs[] = { "url=http://kim:pa55word@0.test/in?sig=abcdefgh1", "allow_private=true",
                                         "rule.start=beginning", "secret=sign-me", NULL };
    static const char *const secrets[] = { "pa55word", "abcdefgh1", "0123456789abcdef", "sign-me", "a2ltOnBhNTV3b3Jk" };
    struct letters letters = { 0 };
    Node headers, authorization, team;
    DeliverState seen;
    Err err;
    (void)state;
    world_add_destination(world, "hook", "webhook", pairs);
    add_headers(&headers, &authorization, &team);
    world_start(world);
    vendor.status = 400;
    vendor.body = STR("bad: {\"url\":\"http://kim:pa55word@0.test/in?sig=abcdefgh1\",\"x-api-key\":\"0123456789abcdef\","
                      "\"authorization\":\"Basic a2ltOnBhNTV3b3Jk\",\"secret\":\"sign-me\",\"team\":\"growth\"}");
    fake_fetch_init(&world->fetch, &world->clock, vendor_answer, NULL, NULL);
    say(EVENT_TRACK, "u", "", -1000);
    pass(2000, 100);
    seen = state_of(0);
    assert_int_equal(deliver_list_dead(&world->rows.rows, STR("hook"), 0, note_letter, &letters, &err), OK);
    assert_int_equal(letters.count, 1);
    assert_non_null(strstr(letters.text, "http://***@0.test/in?sig=***"));
    assert_non_null(strstr(letters.text, "growth"));
    assert_non_null(strstr(seen.last_error, "HTTP 400"));
    for (size_t at = 0; at < countof(secrets); at++) {
        if (strstr(letters.text, secrets[at])) fail_msg("%s in %s", secrets[at], letters.text);
        assert_null(strstr(seen.last_error, secrets[at]));
    }
}

static void a_letter_of_before_is_shown_without_its_password(void **state)
{
    static const struct { const char *json, *shown; } letters[] = {
        { "{\"request\":{\"method\":\"POST\",\"url\":\"https://kim:pw@h.example/a@b\",\"body\":\"x\"}}",
          "{\"request\":{\"method\":\"POST\",\"url\":\"https://***@h.example/a@b\",\"body\":\"x\"}}" },
        { "{\"reason\":\"\\\"url\\\":\\\"https://kim:pw@h/\\\"\"}", NULL },
        { "{\"request\":{\"url\":\"https://h.example/a@b\"}}", NULL },
        { "{\"request\":{\"url\":\"https://***@h.example/\"}}", NULL },
        { "{}", NULL },
        { "", NULL },
    };
    (void)state;
    for (size_t at = 0; at < countof(letters); at++) {
        struct buf out;
        buf_init(&out, 4096);
        bool is_hidden = secret_hide_in_letter(str_from(letters[at].json), &out);
        assert_int_equal(is_hidden, letters[at].shown != NULL);
        if (is_hidden) assert_true(str_equal(buf_str(&out), str_from(letters[at].shown)));
        buf_done(&out);
    }
}

static void settings_that_are_wrong_are_not_quoted(void **state)
{
    static const char *const urls[] = { "url=htps://kim:pa55word@h/", "url=https://kim:pa55 word@h/",
                                        "url=https://kim:pa55w\xc3\xb6rd@h/", "url=https://kim:pa55word@h/\n" };
    (void)state;
    for (size_t at = 0; at < countof(urls); at++) {
        const char *const pairs[] = { urls[at], NULL };
        Err err = { 0 };
        world_add_destination(world, "hook", "webhook", pairs);
        assert_int_equal(deliver_check_config(&world->configs[at], &err), ERR_INPUT);
        assert_string_equal(err.field, "url");
        assert_null(strstr(err.text, "pa55"));
    }
    world->config_count = 0;
    world_start(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(no_form_of_a_secret_is_shown),
        with_world(what_a_vendor_quotes_is_hidden_in_letters_and_states),
        with_world(a_letter_of_before_is_shown_without_its_password),
        with_world(settings_that_are_wrong_are_not_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
