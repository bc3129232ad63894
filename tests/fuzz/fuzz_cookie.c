/* fuzz_cookie: any bytes as a request for cookies, and as the Cookie header that comes back. Parted by NUL: Host,
 * Origin, Referer, Cookie; the rest is the body. What is set is one cookie a line, of the alphabet it promises, for
 * a domain that the host and the page are below; an id that was set is found again. The cookie of a session is found
 * where it stands once, whatever stands beside it, and never twice. */
#include "demo/demo.c"

#include "http/http_server_private.h"
#include "api/api_routes.h"
#include "tests/fakes/fakes.h"

static struct http_server server;
static ApiOptions api;
static struct region region;
static struct fake_clock time_now;
static struct fake_dice chance;

static void open_all(void)
{
    static const Str origins[] = { STR("https://shop.example.com") };
    static const Source sources[] = {
        { .name = STR("web"), .write_key = STR("k"), .is_enabled = true },
        { .name = STR("off"), .write_key = STR("o") },
        { .name = STR("shop"), .write_key = STR("s"), .is_enabled = true, .allowed_origins = origins,
          .allowed_origin_count = 1 },
    };
    Err err;
    fake_clock_init(&time_now, 1700000000000);
    fake_dice_init(&chance, 1);
    CollectOptions options = { .clock = &time_now.clock, .dice = &chance.dice };
    check(!collector_open(&options, &api.collector, &err));
    check(!collector_set_sources(api.collector, sources, countof(sources), &err));
    region_open(&region, 64 << 20);
    buf_init(&server.head, 1 << 20);
    server.options.clock = api.clock = &time_now.clock;
    server.options.app = &api_app;
    server.options.context = &api;
}

/* "name=value; Path=/; …": nothing in it ends the header, and there is one value. */
static void check_cookie_text(const struct exchange *exchange, Str cookie)
{
    Str attributes, ignored, pair = str_cut(cookie, ';', &attributes), value, name = str_cut(pair, '=', &value);
    check(str_equal(name, STR("ajs_anonymous_id")) || str_equal(name, STR("ajs_user_id")));
    check(value.len > 0 && value.len <= 3 * 256);
    for (size_t at = 0; at < value.len; at++) check(value.bytes[at] > ' ' && !strchr(";,\"\\", value.bytes[at]));
    for (size_t at = 0; at < cookie.len; at++) check(cookie.bytes[at] >= ' ' && cookie.bytes[at] < 0x7f);
    bool has_domain = false;
    while (attributes.len) {
        Str domain, attribute = str_trim(str_cut(attributes, ';', &attributes));
        if (!str_equal(str_cut(attribute, '=', &domain), STR("Domain"))) continue;
        check(!has_domain && domain.len && memchr(domain.bytes, '.', domain.len));
        has_domain = true;
        Str host = str_cut(exchange->host, ':', &ignored);
        check(host.len >= domain.len);
        check(str_equal_no_case(str_slice(host, host.len - domain.len, host.len), domain));
    }
    struct exchange next = { .cookie = arena_printf(&server.arena, "x=1; %.*s", STR_FORMAT(pair)) };
    check(str_equal(find_cookie(&next, name), value));
}

static void ask(struct exchange *exchange, Str body)
{
    buf_init(&exchange->body, LIMIT_BODY_BYTES + EVENT_PADDING_BYTES);
    buf_init(&exchange->answer, LIMIT_ANSWER_BYTES);
    buf_str_put(&exchange->body, body);
    check(buf_reserve(&exchange->body, EVENT_PADDING_BYTES));
    memset(exchange->body.bytes + exchange->body.len, 0, EVENT_PADDING_BYTES);
    server.arena = region_arena(&region);
    api_cookie(exchange);
    check(exchange->state == EXCHANGE_ANSWERED);
    for (size_t at = 0; at < exchange->reply.cookie_count; at++) {
        check(exchange->reply.status == 200 && exchange->collected.source && exchange->collected.source->is_enabled);
        check_cookie_text(exchange, str_from(exchange->answer.bytes + exchange->reply.cookie_at[at]));
    }
    answer_write_head(exchange, false);
    Str head = buf_str(&server.head), line;
    for (size_t lines = 0; head.len; lines++) {              /* no line is forged, and no line is empty but the last */
        check(lines < 24);
        line = str_cut(head, '\n', &head);
        check(line.len && line.bytes[line.len - 1] == '\r' && !memchr(line.bytes, '\r', line.len - 1));
        check((line.len == 1) == (head.len == 0));
    }
    buf_done(&exchange->body);
    buf_done(&exchange->answer);
}

static void check_session_cookie(Str header)
{
    static const Str own = STR("onym_session=0123456789abcdef");
    Str value = { 0 }, name = STR("onym_session");
    bool is_found = access_read_cookie(header, name, &value);
    check(!is_found || !value.len || str_contains(header, value));
    check(!value.len || !memchr(value.bytes, ';', value.len));
    Arena arena = server.arena;
    Str beside = arena_printf(&arena, "%.*s; %.*s", STR_FORMAT(own), STR_FORMAT(header));
    bool is_alone = !access_read_cookie(header, name, &value) && access_read_cookie(beside, name, &value);
    check(!is_found || !access_read_cookie(beside, name, &value));
    check(!is_alone || str_equal(value, STR("0123456789abcdef")));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (!api.collector) open_all();
    if (count > LIMIT_BODY_BYTES) return 0;
    char *exact = malloc(count + 1);
    memcpy(exact, bytes, count);
    static const Route route = { METHOD_POST, "/v1/cookie", api_cookie, ROUTE_COLLECT, EVENT_NONE };
    struct exchange exchange = { .server = &server, .route = &route, .method = METHOD_POST };
    Str rest = { exact, count };
    exchange.host = str_cut(rest, 0, &rest);
    exchange.origin = str_cut(rest, 0, &rest);
    exchange.referer = str_cut(rest, 0, &rest);
    exchange.cookie = str_cut(rest, 0, &rest);
    (void)find_cookie(&exchange, STR("ajs_anonymous_id"));
    ask(&exchange, rest);
    server.arena = region_arena(&region);
    check_session_cookie(exchange.cookie);
    free(exact);
    return 0;
}
