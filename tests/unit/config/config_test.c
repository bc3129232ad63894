/* config: what a file of options may say, and how it is told where it went wrong. */
#include "config/config.c"
#include "server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct region region;
static struct config config;
static struct config_problems problems;
static Err err;

static const char *fake_environment(const char *name)
{
    if (!strcmp(name, "ONYM_SECRET_KEY")) return "sk_from_the_environment";
    if (!strcmp(name, "PORT")) return "9000";
    if (!strcmp(name, "EMPTY")) return "";
    if (!strcmp(name, "TRICKY")) return "${PORT}: [a, b]\n# no comment";
    return NULL;
}

static Status parse_with(const char *text, const ConfigFlag *flags, size_t flag_count)
{
    region_close(&region);
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    ConfigOptions request = { .flags = flags, .flag_count = flag_count, .get_variable = fake_environment };
    return config_parse((ConfigText){ str_from(text), STR("onym.yaml") }, &request, &arena, &config, &problems, &err);
}

static Status parse(const char *text) { return parse_with(text, NULL, 0); }

/* All complaints of a kind, as an operator reads them. */
static const char *told(bool is_warning)
{
    static char text[16384];
    struct buf buf;
    buf_init_fixed(&buf, text, sizeof text - 1);
    for (size_t at = 0; at < problems.count; at++)
        if (problems.items[at].is_warning == is_warning) config_write_problem(&buf, &problems, &problems.items[at]);
    text[buf.len] = 0;
    return text;
}

static const char *complaints(void) { return told(false); }

#define assert_str(s, literal) assert_true(str_equal(s, str_from(literal)))

static void nothing_at_all_gives_the_defaults(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", "\n", "# only a comment\n", "---\n", "~\n", "{}\n", "listen:\ndata: ~\nlog:\n",
    };
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(parse(rows[at]), OK);
        assert_int_equal(problems.count, 0);
        assert_int_equal(config.listen.count, 1);
        assert_str(config.listen.items[0].host, "127.0.0.1");
        assert_int_equal(config.listen.items[0].port, 8080);
        assert_str(config.data, "./onym-data");
        assert_int_equal(config.journal.segment_bytes, 128 << 20);
        assert_int_equal(config.journal.seal_level, 3);
        assert_int_equal(config.retention.age_ms, 0);
        assert_int_equal(config.dedup.window_ms, 28LL * 86400000);
        assert_int_equal(config.log.level, LOG_INFO);
        assert_true(config.keep_ip);
        assert_int_equal(config.source_count, 0);
        assert_int_equal(config.secret_key.len, 0);
    }
}

static void every_kind_of_value_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse(
        "listen: [\"0.0.0.0:80\", \"[::1]:${PORT}\", \":0\"]\n"
        "data: /var/lib/onym\n"
        "secret_key: ${ONYM_SECRET_KEY}\n"
        "unknown_write_keys: refuse\n"
        "keep_ip: no\n"
        "log: {level: debug, format: json}\n"
        "retention:\n  age: 30d\n  bytes: 10GB\n"
        "journal: {segment_bytes: 512MiB, seal_level: 9}\n"
        "tls:\n  certificate: a.pem\n  key: b.pem\n"
        "identity: {blocked_values: [N/A, \"\\u0041\"]}\n"
        "sources:\n"
        "  - name: website\n    write_key: wk_website\n    allowed_origins: https://www.example.com\n"
        "  - {name: api, write_key: wk_api, kind: server, enabled: false, events_per_second: 100, burst_events: 500}\n"
        "destinations:\n"
        "  - name: mixpanel\n    type: mixpanel\n    sources: [website]\n"
        "    settings: {token: \"${ONYM_SECRET_KEY}\", identity: simplified, union_traits: [1, 2]}\n"), OK);
    assert_string_equal(complaints(), "");
    assert_int_equal(config.listen.count, 3);
    assert_str(config.listen.items[1].host, "::1");
    assert_int_equal(config.listen.items[1].port, 9000);
    assert_str(config.listen.items[2].host, "");
    assert_str(config.secret_key, "sk_from_the_environment");
    assert_int_equal(config.unknown_write_keys, UNKNOWN_KEYS_REFUSE);
    assert_false(config.keep_ip);
    assert_int_equal(config.log.level, LOG_DEBUG);
    assert_int_equal(config.log.format, LOG_JSON);
    assert_int_equal(config.retention.age_ms, 30LL * 86400000);
    assert_int_equal(config.retention.bytes, 10000000000);
    assert_int_equal(config.journal.segment_bytes, 512 << 20);
    assert_int_equal(config.identity.blocked_values.count, 2);
    assert_str(config.identity.blocked_values.items[1], "A");
    assert_int_equal(config.source_count, 2);
    assert_true(config.sources[0].is_enabled && !config.sources[0].is_server);
    assert_int_equal(config.sources[0].allowed_origin_count, 1);
    assert_true(!config.sources[1].is_enabled && config.sources[1].is_server);
    assert_int_equal(config.sources[1].events_per_second, 100);
    assert_int_equal(config.destination_count, 1);
    const Node *token = node_find(config.destinations[0].settings, STR("token"));
    assert_true(token && token->is_secret);
    assert_str(token->text, "sk_from_the_environment");
}

static void variables_are_expanded_once_and_only_as_text(void **state)
{
    (void)state;
    static const struct { const char *text, *value; } rows[] = {
        { "data: ${UNSET:-/srv/onym}", "/srv/onym" },
        { "data: ${EMPTY:-/srv/onym}", "/srv/onym" },
        { "data: /srv/${PORT}/${PORT:-1}x", "/srv/9000/9000x" },
        { "data: $${PORT}", "${PORT}" },
        { "data: a$$${PORT}", "a$${PORT}" },
        { "data: $5 and $", "$5 and $" },
        { "data: '${PORT}'", "9000" },
        { "data: ${TRICKY}", "${PORT}: [a, b]\n# no comment" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(parse(rows[at].text), OK);
        assert_str(config.data, rows[at].value);
    }
}

static void destinations_are_judged_by_their_type(void **state)
{
    (void)state;
    static const struct { const char *text, *complaints; } rows[] = {
        { "destinations: [{name: a, type: webhook}]",
          "onym.yaml:1:16: error: destinations[0]: destination a: url: must be given: where the messages go\n" },
        { "destinations:\n  - {name: a, type: webhooks}",
          "onym.yaml:2:21: error: destinations[0]: destination a: type: \"webhooks\" is none of mixpanel, "
          "kissmetrics, intercom, webhook\n" },
        { "destinations:\n  - name: a\n    type: kissmetrics\n    settings: {api_key: k, pages: some}\n"
          "    rules: {types: [track]}\n",
          "onym.yaml:4:35: error: destinations[0]: destination a: pages: \"some\" is none of all|named|none\n" },
        { "destinations:\n  - name: a\n    type: kissmetrics\n    settings: {api_key: k}\n"
          "    rules: {retry_hours: never}\n",
          "onym.yaml:5:26: error: destinations[0]: destination a: retry_hours: \"never\" is no number from 0 to "
          "8760\n" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(parse(rows[at].text), ERR_INPUT);
        assert_string_equal(complaints(), rows[at].complaints);
    }
}

static void every_complaint_has_a_place_and_a_way_out(void **state)
{
    (void)state;
    static const struct { const char *text, *complaints; } rows[] = {
        { "lisen: 127.0.0.1:80", "onym.yaml:1:1: error: lisen: unknown key; did you mean listen?\n" },
        { "data: x\nlog:\n  levle: info", "onym.yaml:3:3: error: log.levle: unknown key; did you mean level?\n" },
        { "level: info", "onym.yaml:1:1: error: level: unknown key here; did you mean log.level?\n" },
        { "zzzzzzzzz: 1", "onym.yaml:1:1: error: zzzzzzzzz: unknown key\n" },
        { "data: a\nkeep_ip: no\ndata: b", "onym.yaml:3:1: error: data: given twice; it is already on line 1\n" },
        { "secret_key: ${NO_SUCH_NAME}xxxxxxxxxxxxxxxxx",
          "onym.yaml:1:13: error: secret_key: the environment has no NO_SUCH_NAME; set it, or write "
          "${NO_SUCH_NAME:-otherwise}\nonym.yaml:1:13: error: secret_key: is empty; give one, or leave the line out "
          "and one is made\n" },
        { "data: ${PORT",
          "onym.yaml:1:7: error: data: \"${\" without its \"}\"; $${ is a literal ${\n"
          "onym.yaml:1:7: error: data: is empty; wanted a directory\n" },
        { "threads: many", "onym.yaml:1:10: error: threads: \"many\" is not a whole number\n" },
        { "threads: 1000", "onym.yaml:1:10: error: threads: \"1000\" is outside 0 to 256\n" },
        { "retention: {age: 30 days}",
          "onym.yaml:1:18: error: retention.age: \"30 days\" is not a duration like 90s, 15m, 36h, 30d\n" },
        { "retention: {bytes: 10G}",
          "onym.yaml:1:20: error: retention.bytes: \"10G\" is not a size like 512MiB, 10GB\n" },
        { "journal: {segment_bytes: 2GiB}",
          "onym.yaml:1:26: error: journal.segment_bytes: \"2GiB\" is outside 1MiB to 1GiB\n" },
        { "journal: fast", "onym.yaml:1:10: error: journal: wanted a map\n" },
        { "keep_ip: maybe", "onym.yaml:1:10: error: keep_ip: \"maybe\" is neither true nor false\n" },
        { "log: {level: loud}",
          "onym.yaml:1:14: error: log.level: \"loud\" is none of debug|info|warn|error|none\n" },
        { "listen: 8080",
          "onym.yaml:1:9: error: listen: \"8080\" is no address like 127.0.0.1:8080, [::1]:8080 or :8080\n" },
        { "listen: [a:1, b:x]",
          "onym.yaml:1:15: error: listen: \"b:x\" is no address like 127.0.0.1:8080, [::1]:8080 or :8080\n" },
        { "listen: []", "onym.yaml:1:9: error: listen: no address to listen on\n" },
        { "data: [a]", "onym.yaml:1:7: error: data: wanted one value, not a list\n" },
        { "tls: {key: a}", "onym.yaml:1:6: error: tls: wants both certificate and key\n" },
        { "just text", "onym.yaml:1:1: error: wanted a map of options, such as \"listen: 127.0.0.1:8080\"\n" },
        { "sources: {name: a}",
          "onym.yaml:1:10: error: sources: wanted a list: each entry begins with \"- name: ...\"\n" },
        { "sources:\n  - website\n", "onym.yaml:2:5: error: sources[0]: wanted a map with name and write_key\n" },
        { "sources:\n  - name: a\n    wite_key: b\n",
          "onym.yaml:2:5: error: sources[0]: has no write_key\n"
          "onym.yaml:3:5: error: sources[0].wite_key: unknown key; did you mean write_key?\n" },
        { "sources: [{name: a, write_key: k}, {name: a, write_key: k}]",
          "onym.yaml:1:43: error: sources[1]: has the name of sources[0]\n"
          "onym.yaml:1:57: error: sources[1]: has the write_key of sources[0]\n" },
        { "sources: [{name: a b, write_key: k}]",
          "onym.yaml:1:18: error: sources[0]: a name is 1 to 64 letters, digits, \".\", \"_\" or \"-\"\n" },
        { "secret_key: 0123456789abcdef\nsources: [{name: a, write_key: 0123456789abcdef}]",
          "onym.yaml:2:32: error: sources[0]: its write_key is the secret_key; write keys are public\n" },
        { "sources: [{name: a, write_key: k, allowed_origins: ['*']}]",
          "onym.yaml:1:52: error: sources[0]: an origin is like https://www.example.com: scheme and host, no path, "
          "no \"*\"\n" },
        { "destinations: [{name: a, type: webhook, settings: {url: 'https://a.example'}, sources: [b]}]",
          "onym.yaml:1:88: error: destinations[0]: sources has no \"b\"\n" },
        { "a: &x 1",
          "onym.yaml:1:4: error: anchors and aliases (& and *) are not read here; write it out, or put it in "
          "quotes\n" },
        { "data: !!str 1", "onym.yaml:1:7: error: tags (!) are not read here; put the text in quotes\n" },
        { "data: a\n---\ndata: b", "onym.yaml:2:1: error: a second document; a configuration is one\n" },
        { "data: \"a\\0b\"",
          "onym.yaml:1:7: error: data: has a zero byte in it\n"
          "onym.yaml:1:7: error: data: is empty; wanted a directory\n" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(parse(rows[at].text), ERR_INPUT);
        assert_string_equal(complaints(), rows[at].complaints);
    }
}

static void a_key_that_can_be_none_is_told_with_its_place(void **state)
{
    static const struct { const char *text, *complaints; } rows[] = {
        { "keys: [{name: a}]", "onym.yaml:1:8: error: keys[0]: has no key\n" },
        { "keys: [{name: a, key: 0123456789abcdef, role: owner}]",
          "onym.yaml:1:47: error: keys[0].role: \"owner\" is none of reader|analyst|admin\n" },
        { "keys: [{name: a, key: 0123456789abcdef}, {name: a, key: 0123456789abcdef}]",
          "onym.yaml:1:49: error: keys[1]: has the name of keys[0]\n"
          "onym.yaml:1:57: error: keys[1]: has the key of keys[0]\n" },
        { "secret_key: 0123456789abcdef\nkeys: [{name: secret_key, key: 0123456789abcdef}]",
          "onym.yaml:2:15: error: keys[0]: a name is 1 to 64 letters, digits, \".\", \"_\" or \"-\", and not "
          "secret_key\n"
          "onym.yaml:2:32: error: keys[0]: is the secret_key, which has every role already\n" },
        { "sources: [{name: a, write_key: wk_0123456789abcdef}]\nkeys: [{name: a, key: wk_0123456789abcdef}]",
          "onym.yaml:2:23: error: keys[0]: is the write_key of sources[0], which is public\n" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(parse(rows[at].text), ERR_INPUT);
        assert_string_equal(complaints(), rows[at].complaints);
    }
}

/* Each of these was "fine", and then the server did not start, or did without it in silence. */
static void what_cannot_work_is_told_before_a_start(void **state)
{
    static const struct { const char *text, *complaints; } rows[] = {
        { "sources: [{name: a, write_key: ''}]", "onym.yaml:1:32: error: sources[0]: write_key is empty\n" },
        { "sources: [{name: '', write_key: k}]", "onym.yaml:1:18: error: sources[0]: name is empty\n" },
        { "keys: [{name: a, key: '${NONE_OF_THIS_NAME:-}'}]", "onym.yaml:1:23: error: keys[0]: key is empty\n" },
        { "trusted_proxies: [10.0.0.0/33]", "onym.yaml:1:18: error: trusted_proxies: \"10.0.0.0/33\" is no address or "
          "network like 127.0.0.1, 10.0.0.0/8 or ::1; names are not looked up\n" },
        { "trusted_proxies: [localhost]", "onym.yaml:1:18: error: trusted_proxies: \"localhost\" is no address or "
          "network like 127.0.0.1, 10.0.0.0/8 or ::1; names are not looked up\n" },
        { "trusted_proxies: ['::1/129', '10.0.0.0/']", "onym.yaml:1:18: error: trusted_proxies: \"::1/129\" is no "
          "address or network like 127.0.0.1, 10.0.0.0/8 or ::1; names are not looked up\n"
          "onym.yaml:1:18: error: trusted_proxies: \"10.0.0.0/\" is no address or network like 127.0.0.1, 10.0.0.0/8 "
          "or ::1; names are not looked up\n" },
        { "listen: 127.0.0.1:8080\nui_listen: 127.0.0.1:8080",
          "onym.yaml:2:12: error: ui_listen: 127.0.0.1:8080 is an address of listen, too (127.0.0.1:8080); "
          "give it another port\n" },
        { "listen: ['0.0.0.0:8080', 'localhost:8080']", "onym.yaml:1:9: error: listen: 0.0.0.0:8080 and localhost:8080 "
          "are the same address; give one of them another port\n" },
        { "identity: {externals: [user_id=traits.id]}",
          "onym.yaml:1:23: error: identity.externals: user_id is a kind of Onym's own; choose another name\n" },
        { "destinations: [{name: a, type: webhook, settings: {url: 'https://'}}]",
          "onym.yaml:1:57: error: destinations[0]: destination a: url: has no host, or a port that is none of 1 to "
          "65535\n" },
        { "destinations: [{name: a, type: webhook, settings: {url: 'https://u:p@x:99999/y'}}]",
          "onym.yaml:1:57: error: destinations[0]: destination a: url: has no host, or a port that is none of 1 to "
          "65535\n" },
        { "destinations: [{name: a, type: webhook, settings: {url: 'https://x', headers: {content-length: 5}}}]",
          "onym.yaml:1:79: error: destinations[0]: destination a: headers: content-length is set by Onym; "
          "leave it out\n" },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(parse(rows[at].text), ERR_INPUT);
        assert_string_equal(complaints(), rows[at].complaints);
    }
    assert_int_equal(parse("trusted_proxies: ['::1', 'fe80::/10', 10.1.2.3/8, 0.0.0.0/0, 127.0.0.1]\n"
                           "destinations: [{name: a, type: webhook, settings: {url: 'https://u:p@[::1]:65535'}},"
                           " {name: b, type: webhook, settings: {url: 'http://x?y:z'}}]"), OK);
}

static void broken_yaml_is_told_with_its_place(void **state)
{
    (void)state;
    assert_int_equal(parse("data: x\n  log: y\n"), ERR_INPUT);
    assert_non_null(strstr(complaints(), "onym.yaml:2:6: error: not YAML: mapping values are not allowed"));
    assert_int_equal(parse("log:\n\tlevel: info\n"), ERR_INPUT);
    assert_non_null(strstr(complaints(), "spaces, not tabs"));
    assert_int_equal(parse("data: x\nlog: \"\xff\"\n"), ERR_INPUT);
    assert_non_null(strstr(complaints(), "onym.yaml:2:7: error: not YAML"));
    assert_int_equal(parse("destinations:\n - name: a\n   type: b\n   settings: {token: ${PORT}}\n"), ERR_INPUT);
    assert_non_null(strstr(complaints(), "wants quotes"));
}

static void all_that_is_wrong_is_told_in_the_order_of_the_file(void **state)
{
    (void)state;
    assert_int_equal(parse("thread: 4\nkeep_ip: 7\nsources: [{name: a}]\nlog: {format: xml}\n"), ERR_INPUT);
    assert_string_equal(complaints(),
        "onym.yaml:1:1: error: thread: unknown key; did you mean threads?\n"
        "onym.yaml:2:10: error: keep_ip: \"7\" is neither true nor false\n"
        "onym.yaml:3:11: error: sources[0]: has no write_key\n"
        "onym.yaml:4:15: error: log.format: \"xml\" is none of logfmt|json\n");
    assert_string_equal(err.text, "onym.yaml:1:1: error: thread: unknown key; did you mean threads?");
}

static void secrets_stay_out_of_complaints(void **state)
{
    (void)state;
    assert_int_equal(parse("threads: ${ONYM_SECRET_KEY}"), ERR_INPUT);
    assert_string_equal(complaints(), "onym.yaml:1:10: error: threads: what it holds is not a whole number\n");
}

static void a_short_secret_is_a_warning_only(void **state)
{
    (void)state;
    assert_int_equal(parse("secret_key: short"), OK);
    assert_string_equal(told(true),
        "onym.yaml:1:13: warning: secret_key: is shorter than 16 characters; anybody can guess it\n");
}

static void flags_beat_the_file_and_complain_by_their_own_name(void **state)
{
    (void)state;
    static const ConfigFlag flags[] = {
        { "--listen", "listen", "127.0.0.1:1" }, { "--data", "data", "/d" }, { "--listen", "listen", "[::1]:2" },
        { "--log-level", "log.level", "warn" },
    };
    assert_int_equal(parse_with("listen: 0.0.0.0:80\ndata: /file\nlog: {format: json}\n", flags, countof(flags)), OK);
    assert_int_equal(config.listen.count, 2);
    assert_int_equal(config.listen.items[1].port, 2);
    assert_str(config.data, "/d");
    assert_int_equal(config.log.level, LOG_WARN);
    assert_int_equal(config.log.format, LOG_JSON);
    static const ConfigFlag bad = { "--listen", "listen", "nowhere" };
    assert_int_equal(parse_with("", &bad, 1), ERR_INPUT);
    assert_non_null(strstr(complaints(), "error: --listen: \"nowhere\" is no address"));
}

static void floods_of_text_are_bounded(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4 << 20);
    for (int at = 0; at < 40; at++) buf_str_put(&buf, STR("["));
    buf_char(&buf, 0);
    assert_int_equal(parse(buf.bytes), ERR_INPUT);
    assert_non_null(strstr(complaints(), "nested more than 32 deep"));
    buf_clear(&buf);
    buf_str_put(&buf, STR("["));
    for (int at = 0; at < 120000; at++) buf_str_put(&buf, STR("a,"));
    buf_str_put(&buf, STR("]\0"));
    assert_int_equal(parse(buf.bytes), ERR_INPUT);
    assert_non_null(strstr(complaints(), "more than 100000 values"));
    buf_clear(&buf);
    for (int at = 0; at < 1000; at++) buf_printf(&buf, "k%d: 1\n", at);
    buf_char(&buf, 0);
    assert_int_equal(parse(buf.bytes), ERR_INPUT);
    assert_int_equal(problems.count, CONFIG_PROBLEMS);
    assert_int_equal(problems.dropped_count, 1000 - CONFIG_PROBLEMS);
    buf_done(&buf);
}

static void a_reload_names_what_needs_a_restart(void **state)
{
    (void)state;
    Arena arena;
    struct region kept;
    region_open(&kept, CONFIG_ARENA_BYTES);
    arena = region_arena(&kept);
    struct config before;
    ConfigOptions request = { 0 };
    Str old = STR("data: a\nlog: {level: info}\n");
    assert_int_equal(config_parse((ConfigText){ old, STR("old") }, &request, &arena, &before, &problems, &err), OK);
    assert_int_equal(parse("data: b\nlog: {level: warn}\nlisten: \":1\"\n"), OK);
    assert_str(config_list_restarts(&before, &config, &arena), "listen, data");
    assert_int_equal(config_list_restarts(&before, &before, &arena).len, 0);
    region_close(&kept);
}

#define SIMPLIFIED "token: t, identity: simplified"

/* What a destination's settings say and its type cannot do: a warning that names the setting, and nothing where all is
 * well. */
static void what_settings_cannot_do_is_warned_of(void **state)
{
    static const struct { const char *settings, *words; } rows[] = {
        { "{type: mixpanel, settings: {" SIMPLIFIED ", set_once_traits: [plan, address.city]}}",
          "set_once_traits: \"address.city\" is taken as a trait of just that name" },
        { "{type: mixpanel, settings: {" SIMPLIFIED ", union_traits: [a.b.c]}}", "name \"a\"" },
        { "{type: mixpanel, settings: {" SIMPLIFIED ", append_traits: [\"tags.0\"]}}", "append_traits: \"tags.0\"" },
        { "{type: mixpanel, settings: {" SIMPLIFIED ", set_once_traits: [plan], append_traits: [plan]}}",
          "\"plan\" is in " },
        { "{type: mixpanel, settings: {token: t, identity: original, anonymous_profiles: true}}",
          "anonymous_profiles: does nothing" },
        { "{type: intercom, settings: {access_token: t, nested_of: {a.b: drop}}}",
          "nested_of: has a name with a \".\"" },
        { "{type: intercom, settings: {access_token: t, rich_links: [order.url]}}",
          "rich_links: has a name" },
        { "{type: mixpanel, settings: {" SIMPLIFIED ", set_once_traits: [plan, \"\\u00e9\"], union_traits: [tags]}}",
          NULL },
        { "{type: intercom, settings: {access_token: t, nested_of: {address: drop}}}", NULL },
        { "{type: mixpanel, settings: {" SIMPLIFIED ", set_once_traits: []}}", NULL },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        char text[600];
        snprintf(text, sizeof text, "destinations:\n  - {name: d, %s\n", rows[at].settings + 1);
        Status s = parse(text);
        if (s) fail_msg("%s: %s", text, complaints());
        if (!rows[at].words && problems.count) fail_msg("%s: %s", text, told(true));
        if (rows[at].words && !strstr(told(true), rows[at].words)) fail_msg("%s: \"%s\"", text, told(true));
        if (rows[at].words) assert_non_null(strstr(told(true), "destinations[0]"));
    }
}

static void a_reserve_of_nothing_keeps_nothing_free(void **state)
{
    static const struct { const char *text; uint64_t bytes; } rows[] = {
        { "journal: {reserve_bytes: 0}", 1 },               /* the journal's own 0 is its default */
        { "journal: {reserve_bytes: 1}", 1 }, { "journal: {reserve_bytes: 5KiB}", 5120 }, { "", 64 << 20 },
    };
    struct region kept;
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_int_equal(parse(rows[at].text), OK);
        region_open(&kept, 1 << 20);
        Arena arena = region_arena(&kept);
        config.data = STR("/nonexistent/onym");
        assert_int_equal(journal_options(&config, &arena).reserve_bytes, rows[at].bytes);
        region_close(&kept);
    }
}

static int close_region(void **state)
{
    (void)state;
    region_close(&region);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_at_all_gives_the_defaults),
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(variables_are_expanded_once_and_only_as_text),
        cmocka_unit_test(destinations_are_judged_by_their_type),
        cmocka_unit_test(every_complaint_has_a_place_and_a_way_out),
        cmocka_unit_test(a_key_that_can_be_none_is_told_with_its_place),
        cmocka_unit_test(what_cannot_work_is_told_before_a_start),
        cmocka_unit_test(broken_yaml_is_told_with_its_place),
        cmocka_unit_test(all_that_is_wrong_is_told_in_the_order_of_the_file),
        cmocka_unit_test(secrets_stay_out_of_complaints),
        cmocka_unit_test(a_short_secret_is_a_warning_only),
        cmocka_unit_test(flags_beat_the_file_and_complain_by_their_own_name),
        cmocka_unit_test(floods_of_text_are_bounded),
        cmocka_unit_test(a_reload_names_what_needs_a_restart),
        cmocka_unit_test(what_settings_cannot_do_is_warned_of),
        cmocka_unit_test(a_reserve_of_nothing_keeps_nothing_free),
    };
    return cmocka_run_group_tests(tests, NULL, close_region);
}
