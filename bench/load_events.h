/* load_events.h: the events and requests that load.c sends. Included by load.c only.
 *
 * Event number n of a seed is always the same event but for its times: pools of prebuilt bodies, and
 * fields at known offsets that are patched in a copy. Every event is EVENT_BYTES of JSON.
 */
#pragma once

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define countof(array) (sizeof(array) / sizeof((array)[0]))

enum {
    EVENT_BYTES          = 540,
    EVENTS_PER_VISITOR   = 10,
    SIGNUP_AT_EVENT      = 5,
    POOL_COUNT           = 512,        /* different bodies of each kind */
    HEADER_BYTES_MAX     = 512,
    UUID_CHARS           = 36,
    USER_ID_CHARS        = 13,         /* user_00000000 */
    TIME_CHARS           = 24,         /* 2026-11-23T12:00:00.000Z */
};

/* ---- Options ---- */

typedef struct {
    const char *host;
    int port;
    const char *write_key;
    const char *log_path;
    int connection_count;
    int batch_count;                   /* events a request; 1 is a plain track */
    int visitor_count;
    int signup_percent;
    double duration_s;
    double warmup_s;
    double rate;                       /* requests a second over all connections; 0 is as fast as it goes */
    uint64_t request_count_max;        /* 0: no limit but the time */
    uint64_t seed;
    bool persist;
    bool json;
} Options;

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

/* ---- Small things ---- */

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *take_memory(size_t bytes)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED) fail("no memory for %zu bytes", bytes);
    return memory;
}

/* splitmix64's finaliser: a bijection that scatters its input over all 64 bits. */
static uint64_t scatter(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void write_hex(char *to, uint64_t value, int digits)
{
    static const char hex[16] = "0123456789abcdef";
    for (int i = digits - 1; i >= 0; i--, value >>= 4) to[i] = hex[value & 15];
}

/* A version 4 UUID out of 128 bits that were scattered already. */
static void write_uuid(char *to, uint64_t high, uint64_t low)
{
    write_hex(to, high >> 32, 8);
    write_hex(to + 9, high >> 16 & 0xffff, 4);
    write_hex(to + 14, (high & 0x0fff) | 0x4000, 4);
    write_hex(to + 19, (low >> 48 & 0x3fff) | 0x8000, 4);
    write_hex(to + 24, low & 0xffffffffffffu, 12);
    to[8] = to[13] = to[18] = to[23] = '-';
}

static void write_decimal(char *to, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10) to[i] = (char)('0' + value % 10);
}

/* ---- Bodies ---- */

enum { TRACK_ANONYMOUS, TRACK_KNOWN, IDENTIFY, KIND_COUNT };

/* One prebuilt event and where its changing fields are; 0 where it has none. */
typedef struct {
    char bytes[EVENT_BYTES];
    uint16_t message_id_at, anonymous_id_at, user_id_at, timestamp_at, sent_at_at;
} Body;

typedef struct { char *bytes; size_t used, max; } Text;

static void text_add(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void text_add(Text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text->bytes + text->used, text->max - text->used, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= text->max - text->used) fail("text too long: %s", format);
    text->used += (size_t)n;
}

/* Adds a field whose value is filled in later, and says where that value is. */
static uint16_t text_add_blank(Text *text, const char *name, int chars)
{
    text_add(text, "\"%s\":\"", name);
    uint16_t at = (uint16_t)text->used;
    text_add(text, "%0*d\",", chars, 0);
    return at;
}

static const char *const event_names[] = {
    "Product Viewed", "Product Added", "Checkout Started", "Order Completed", "Signed Up", "Plan Selected",
    "Invite Sent", "Report Opened", "Search Performed", "Video Played", "Form Submitted", "Trial Started",
};
static const char *const paths[] = {
    "/", "/pricing", "/docs/start", "/blog/launch", "/signup", "/cart", "/account/billing", "/products/42",
    "/products/1337", "/compare", "/changelog", "/app/reports",
};
static const char *const agents[] = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0",
};
static const char *const locales[] = {"en-US", "en-GB", "de-DE", "fr-FR", "pt-BR", "ja-JP"};
static const char *const plans[]   = {"free", "starter", "growth", "business"};
static const char *const words[]   = {
    "summer", "launch", "brand", "search", "retarget", "partner", "newsletter", "webinar", "spring", "q4",
    "video", "social", "blog", "review", "compare", "demo", "trial", "winback", "onboard", "referral",
};
#define PICK(list, dice) ((list)[scatter(dice) % countof(list)])

/* Fills a campaign name up to exactly EVENT_BYTES, from words so that it compresses as real text does. */
static void body_close(Text *text, uint64_t dice)
{
    static const char tail[] = "\"}}}";
    size_t room = EVENT_BYTES - sizeof tail + 1;
    if (text->used > room) fail("an event of %zu bytes does not fit %d", text->used, EVENT_BYTES);
    while (text->used < room) {
        const char *word = PICK(words, dice++);
        size_t left = room - text->used, length = strlen(word);
        if (length > left) length = left;
        text_add(text, "%.*s", (int)length, word);
        if (text->used < room) text_add(text, "-");
    }
    text_add(text, "%s", tail);
}

static void body_build(Body *body, int kind, bool with_sent_at, uint64_t dice)
{
    char bytes[EVENT_BYTES + 1];
    Text text = {bytes, 0, sizeof bytes};
    const char *path = PICK(paths, dice + 1), *plan = PICK(plans, dice + 2);
    text_add(&text, "{\"type\":\"%s\",", kind == IDENTIFY ? "identify" : "track");
    body->message_id_at   = text_add_blank(&text, "messageId", UUID_CHARS);
    body->anonymous_id_at = text_add_blank(&text, "anonymousId", UUID_CHARS);
    body->user_id_at      = kind == TRACK_ANONYMOUS ? 0 : text_add_blank(&text, "userId", USER_ID_CHARS);
    body->timestamp_at    = text_add_blank(&text, "timestamp", TIME_CHARS);
    body->sent_at_at      = with_sent_at ? text_add_blank(&text, "sentAt", TIME_CHARS) : 0;
    if (kind == IDENTIFY)
        text_add(&text, "\"traits\":{\"plan\":\"%s\",\"logins\":%d,\"company\":{\"employee_count\":%d}},",
                 plan, (int)(dice % 90), (int)(scatter(dice) % 5000));
    else
        text_add(&text, "\"event\":\"%s\","
                        "\"properties\":{\"plan\":\"%s\",\"revenue\":%d.%02d,\"quantity\":%d},",
                 PICK(event_names, dice), plan, (int)(scatter(dice + 3) % 300),
                 (int)(scatter(dice + 4) % 100), (int)(scatter(dice + 5) % 9 + 1));
    text_add(&text, "\"context\":{\"library\":{\"name\":\"analytics.js\",\"version\":\"next-1.84.3\"},"
                    "\"page\":{\"path\":\"%s\"},\"userAgent\":\"%s\",\"locale\":\"%s\","
                    "\"campaign\":{\"name\":\"",
             path, PICK(agents, dice + 6), PICK(locales, dice + 7));
    body_close(&text, dice + 8);
    memcpy(body->bytes, bytes, EVENT_BYTES);
}

/* ---- The generator: numbers become requests ---- */

struct generator {
    const Options *options;
    Body (*pool)[POOL_COUNT];          /* pool[kind] */
    uint8_t *visitor_events;           /* how many events each visitor in the window has made, up to 255 */
    uint64_t visitor_first;
    uint64_t event_number;
    uint64_t time_ms;                  /* what time_text says */
    char time_text[TIME_CHARS];
    char header[KIND_COUNT][HEADER_BYTES_MAX];
    size_t header_bytes[KIND_COUNT];
    size_t request_bytes_max;
    char *scratch;                     /* the request being made */
};

static const char batch_head[] = "{\"batch\":[";
static const char batch_middle[] = "],\"sentAt\":\"";
static const char batch_tail[] = "\"}";

static size_t body_bytes_of(const Options *options)
{
    size_t count = (size_t)options->batch_count;
    if (count == 1) return EVENT_BYTES;
    return sizeof batch_head - 1 + count * EVENT_BYTES + count - 1
         + sizeof batch_middle - 1 + TIME_CHARS + sizeof batch_tail - 1;
}

static void encode_basic(const char *key, char *to, size_t max)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char plain[128];
    int n = snprintf(plain, sizeof plain - 3, "%s:", key);
    if (n < 0 || n >= (int)sizeof plain - 3 || (size_t)n * 2 + 8 > max) fail("--key is too long");
    memset(plain + n, 0, 3);
    char *at = to;
    for (int i = 0; i < n; i += 3) {
        unsigned bits = (unsigned)(uint8_t)plain[i] << 16 | (unsigned)(uint8_t)plain[i + 1] << 8
                      | (unsigned)(uint8_t)plain[i + 2];
        *at++ = digits[bits >> 18];
        *at++ = digits[bits >> 12 & 63];
        *at++ = i + 1 < n ? digits[bits >> 6 & 63] : '=';
        *at++ = i + 2 < n ? digits[bits & 63] : '=';
    }
    *at = 0;
}

static void generator_open(struct generator *generator, const Options *options)
{
    static const char *const single_paths[KIND_COUNT] = {"/v1/track", "/v1/track", "/v1/identify"};
    char basic[256];
    encode_basic(options->write_key, basic, sizeof basic);
    *generator = (struct generator){.options = options};
    generator->pool = take_memory(KIND_COUNT * sizeof *generator->pool);
    generator->visitor_events = take_memory((size_t)options->visitor_count);
    size_t body_bytes = body_bytes_of(options);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        for (int i = 0; i < POOL_COUNT; i++)
            body_build(&generator->pool[kind][i], kind, options->batch_count == 1,
                       scatter(options->seed * 64 + (uint64_t)kind) + (uint64_t)i * 1000);
        Text header = {generator->header[kind], 0, HEADER_BYTES_MAX};
        text_add(&header, "POST %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: onym-load\r\n"
                          "Authorization: Basic %s\r\nContent-Type: application/json\r\n"
                          "Content-Length: %zu\r\n\r\n",
                 options->batch_count == 1 ? single_paths[kind] : "/v1/batch", options->host, options->port,
                 basic, body_bytes);
        generator->header_bytes[kind] = header.used;
    }
    generator->request_bytes_max = HEADER_BYTES_MAX + body_bytes;
    generator->scratch = take_memory(generator->request_bytes_max);
}

static void generator_set_time(struct generator *generator)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    if (ms == generator->time_ms) return;
    if (ms / 1000 != generator->time_ms / 1000) {
        struct tm tm;
        char text[TIME_CHARS + 1];
        gmtime_r(&t.tv_sec, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
        memcpy(generator->time_text, text, TIME_CHARS);
    }
    write_decimal(generator->time_text + 20, ms % 1000, 3);
    generator->time_ms = ms;
}

/* Writes the next event and says of which kind it is. */
static int generator_write_event(struct generator *generator, char *to)
{
    const Options *options = generator->options;
    uint64_t number = generator->event_number++;
    uint64_t dice = scatter(options->seed ^ scatter(number)), more = scatter(dice);
    uint64_t window = (uint64_t)options->visitor_count;

    for (; generator->visitor_first < number / EVENTS_PER_VISITOR; generator->visitor_first++)
        generator->visitor_events[generator->visitor_first % window] = 0;     /* one leaves, one comes */
    uint64_t visitor = generator->visitor_first + dice % window;
    uint8_t *events = &generator->visitor_events[visitor % window];
    uint64_t who = scatter(options->seed * 2 + 1 + scatter(visitor));
    bool signs_up = (int)(who % 100) < options->signup_percent;
    if (*events < UINT8_MAX) ++*events;

    int kind = !signs_up || *events < SIGNUP_AT_EVENT ? TRACK_ANONYMOUS
             : *events == SIGNUP_AT_EVENT ? IDENTIFY : TRACK_KNOWN;
    const Body *body = &generator->pool[kind][more % POOL_COUNT];
    memcpy(to, body->bytes, EVENT_BYTES);
    write_uuid(to + body->message_id_at, dice, more);
    write_uuid(to + body->anonymous_id_at, who, scatter(who));
    if (body->user_id_at) {
        memcpy(to + body->user_id_at, "user_", 5);
        write_decimal(to + body->user_id_at + 5, visitor, USER_ID_CHARS - 5);
    }
    memcpy(to + body->timestamp_at, generator->time_text, TIME_CHARS);
    if (body->sent_at_at) memcpy(to + body->sent_at_at, generator->time_text, TIME_CHARS);
    return kind;
}

typedef struct { char *bytes; size_t length, header_bytes; } Request;

static void add(char **at, const void *bytes, size_t count)
{
    memcpy(*at, bytes, count);
    *at += count;
}

/* The next request, in the generator's scratch: good until the next call. */
static Request generator_next(struct generator *generator)
{
    generator_set_time(generator);
    Request request = {.bytes = generator->scratch};
    if (generator->options->batch_count == 1) {
        /* The header depends on the kind, which the event decides: write the event behind the longest. */
        char *event = generator->scratch + HEADER_BYTES_MAX;
        int kind = generator_write_event(generator, event);
        request.header_bytes = generator->header_bytes[kind];
        request.bytes  = event - request.header_bytes;
        request.length = request.header_bytes + EVENT_BYTES;
        memcpy(request.bytes, generator->header[kind], request.header_bytes);
        return request;
    }
    char *at = generator->scratch;
    request.header_bytes = generator->header_bytes[TRACK_ANONYMOUS];
    add(&at, generator->header[TRACK_ANONYMOUS], request.header_bytes);
    add(&at, batch_head, sizeof batch_head - 1);
    for (int i = 0; i < generator->options->batch_count; i++) {
        if (i) *at++ = ',';
        generator_write_event(generator, at);
        at += EVENT_BYTES;
    }
    add(&at, batch_middle, sizeof batch_middle - 1);
    add(&at, generator->time_text, TIME_CHARS);
    add(&at, batch_tail, sizeof batch_tail - 1);
    request.length = (size_t)(at - request.bytes);
    return request;
}
