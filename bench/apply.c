/* bench-apply: what the applier costs an event, and how long a start takes after a kill.
 *   build/release/bench/apply [THOUSANDS …]       events, in thousands; 1000 4000 by default
 * Ten events a visitor, of 540 bytes; a fifth of the visitors sign up with their fifth event (an identify with four
 * traits) and are known from then on. Written to a journal under TMPDIR, then applied by one thread: dedup, identity,
 * traits, index, saves; sealing and merging of the index is maintenance, another thread's in the server, and is told
 * apart. Then the process "dies" (nothing is saved), and a start is measured until everything is applied again.
 * Processor time, but for the start. Goals: <= 1 us an event, start < 2 s; exits 1 where one is missed. */
#include "derive/derive.h"
#include "segments/segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 2000, EVENTS_A_VISITOR = 10, SIGN_UP_AT = 5, EVENT_BYTES = 540, INTERLEAVED = 4096 };

static const double goal_us = 1.0, goal_start_s = 2.0;

static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- Events ---- */

struct text { char json[1024], message_id[40], anonymous_id[40], user_id[16]; };

static void write_uuid(char *to, uint64_t n)
{
    uint64_t a = mix(n), b = mix(n ^ UINT64_C(1) << 63);
    snprintf(to, 40, "%08x-%04x-4%03x-a%03x-%012" PRIx64, (uint32_t)a, (uint32_t)(a >> 32) & 0xffff,
             (uint32_t)(a >> 48) & 0xfff, (uint32_t)b & 0xfff, b >> 16);
}

/* Visitors come in groups of INTERLEAVED, each of whom does one thing in turn. */
static Event make_event(uint64_t n, struct text *text)
{
    static const char *const names[] = { "Page Viewed", "Product Added", "Searched", "Account Created", "Clicked" };
    static const char *const plans[] = { "Free", "Pro", "Team" };
    uint64_t group = n / (INTERLEAVED * EVENTS_A_VISITOR), at = n % (INTERLEAVED * EVENTS_A_VISITOR);
    uint64_t visitor = group * INTERLEAVED + at % INTERLEAVED, nth = at / INTERLEAVED;
    bool signs_up = mix(visitor) % 5 == 0, is_identify = signs_up && nth == SIGN_UP_AT;
    bool is_known = signs_up && nth >= SIGN_UP_AT;
    write_uuid(text->message_id, n | UINT64_C(1) << 60);
    write_uuid(text->anonymous_id, visitor);
    snprintf(text->user_id, sizeof text->user_id, "user_%08" PRIu64, visitor);
    int len = snprintf(text->json, sizeof text->json,
        "{\"type\":\"%s\",\"messageId\":\"%s\",\"anonymousId\":\"%s\",", is_identify ? "identify" : "track",
        text->message_id, text->anonymous_id);
    if (is_known) len += snprintf(text->json + len, 100, "\"userId\":\"%s\",", text->user_id);
    if (is_identify)
        len += snprintf(text->json + len, 300, "\"traits\":{\"email\":\"%s@example.com\",\"name\":\"N %" PRIu64 "\","
                        "\"plan\":\"%s\",\"age\":%d},", text->user_id, visitor, plans[visitor % 3],
                        (int)(visitor % 60));
    else
        len += snprintf(text->json + len, 300, "\"event\":\"%s\",\"properties\":{\"plan\":\"%s\",\"price\":%d,"
                        "\"sku\":\"sku-%d\",\"is_new\":%s},", names[mix(n) % 5], plans[mix(n) % 3],
                        (int)(mix(n) % 1000), (int)(mix(n ^ 5) % 5000), n % 2 ? "true" : "false");
    len += snprintf(text->json + len, 400, "\"context\":{\"library\":{\"name\":\"analytics.js\",\"version\":\"2.1\"},"
                    "\"page\":{\"path\":\"/p/%d\",\"url\":\"https://example.com/p/%d\"},\"locale\":\"en-US\"},",
                    (int)(mix(n ^ 9) % 500), (int)(mix(n ^ 9) % 500));
    len += snprintf(text->json + len, 600, "\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"pad\":\"%0*d\"}",
                    len + 50 < EVENT_BYTES ? EVENT_BYTES - len - 50 : 1, 0);
    return (Event){
        .type = is_identify ? EVENT_IDENTIFY : EVENT_TRACK, .source = STR("web"),
        .message_id = str_from(text->message_id), .anonymous_id = str_from(text->anonymous_id),
        .user_id = str_from(is_known ? text->user_id : ""),
        .name = is_identify ? (Str){ 0 } : str_from(names[mix(n) % 5]),
        .timestamp_ms = 1767225600000 + (Millis)(n / 50), .original_timestamp_ms = INSTANT_NONE,
        .sent_at_ms = INSTANT_NONE, .received_at_ms = 1767225600000 + (Millis)(n / 50),
        .json = { text->json, (size_t)len },
    };
}

static void on_durable(struct journal_append *append, Status status, JournalPos first)
{
    (void)append, (void)first;
    check(status == OK);
}

static void write_events(struct journal *journal, uint64_t from, uint64_t to)
{
    static struct text text;
    struct journal_append append;
    Err err;
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = on_durable;
    for (uint64_t n = from; n < to;) {
        journal_append_clear(&append);
        for (uint64_t i = 0; i < BATCH && n < to; i++, n++) {
            Event event = make_event(n, &text);
            size_t begun = journal_begin_record(&append);
            event_encode(&append.frames, &event);
            journal_end_record(&append, begun);
        }
        check(journal_submit(journal, &append, &err) == OK && journal_commit(journal, NULL, &err) == OK);
    }
    journal_append_done(&append);
}

/* ---- Measuring ---- */

struct spent { double apply, maintain, longest_step; };

static struct spent catch_up(struct applier *applier)
{
    struct spent spent = { 0 };
    bool more = true, more_derived = true;
    Err err;
    while (more || more_derived) {
        double before = seconds(CLOCK_THREAD_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
        if (more && derive_step(applier, &more, &err)) printf("%s\n", err.text), exit(1);
        double between = seconds(CLOCK_THREAD_CPUTIME_ID);
        wall = seconds(CLOCK_MONOTONIC) - wall;
        if (derive_maintain(applier, &more_derived, &err)) printf("%s\n", err.text), exit(1);
        spent.apply += between - before;
        spent.maintain += seconds(CLOCK_THREAD_CPUTIME_ID) - between;
        if (wall > spent.longest_step) spent.longest_step = wall;
    }
    return spent;
}

static struct journal *open_journal(const char *dir)
{
    static char path[300];
    struct journal *journal;
    SegmentsRecovery recovery;
    Err err;
    snprintf(path, sizeof path, "%s/journal", dir);
    SegmentsOptions options = { .dir = path, .disk = os_disk(), .clock = os_clock(), .dice = os_dice() };
    if (segments_open(&options, &journal, &recovery, &err)) printf("%s\n", err.text), exit(1);
    return journal;
}

static struct applier *open_applier(struct journal *journal, const char *dir)
{
    static char path[300];
    struct applier *applier;
    Err err;
    snprintf(path, sizeof path, "%s/derived", dir);
    DeriveOptions options = { .journal = journal, .disk = os_disk(), .dice = os_dice(), .clock = os_clock(),
                             .dir = path, .dedup_window_ms = 30 * 86400000LL, .state_bytes = UINT64_C(16) << 30 };
    if (derive_open(&options, &applier, &err)) printf("%s\n", err.text), exit(1);
    return applier;
}

static bool measure(const char *dir, uint64_t from, uint64_t to)
{
    struct journal *journal = open_journal(dir);
    bool more = true;
    Err err;
    write_events(journal, from, to);
    struct applier *applier = open_applier(journal, dir);
    struct spent spent = catch_up(applier);
    derive_abandon(applier);
    while (more) check(journal_maintain(journal, &more, &err) == OK);        /* sealed: a start reads it compressed */
    journal_close(journal);

    double before = seconds(CLOCK_MONOTONIC);
    journal = open_journal(dir);
    applier = open_applier(journal, dir);
    double opened = seconds(CLOCK_MONOTONIC) - before;
    (void)catch_up(applier);
    double start = seconds(CLOCK_MONOTONIC) - before;
    DeriveStats stats;
    derive_read_stats(applier, &stats);
    check(stats.events == to);
    derive_close(applier);
    journal_close(journal);
    double us = spent.apply / (double)(to - from) * 1e6;
    printf("%12" PRIu64 " %10.2f %14.0f %10.2f %14.0f %12.2f %10.2f\n", to, us, 1e6 / us,
           spent.maintain / (double)(to - from) * 1e6, spent.longest_step * 1e3, opened, start);
    fflush(stdout);
    return us <= goal_us && start < goal_start_s;
}

int main(int argc, char **argv)
{
    static char *usual[] = { "1000", "4000" };
    char **sizes = argc > 1 ? argv + 1 : usual;
    int size_count = argc > 1 ? argc - 1 : (int)countof(usual);
    bool is_reached = true;
    char dir[200], command[300];
    uint64_t done = 0;
    snprintf(dir, sizeof dir, "%s/onym-apply-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    check(mkdtemp(dir));
    printf("%12s %10s %14s %10s %14s %12s %10s\n", "events", "us/event", "events/s", "maintain", "longest ms",
           "open s", "start s");
    for (int i = 0; i < size_count; i++) {
        uint64_t to = strtoull(sizes[i], NULL, 10) * 1000;
        is_reached &= to <= done || measure(dir, done, to);
        if (to > done) done = to;
    }
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    check(system(command) == 0);
    printf("goals: <= %.1f us/event, start < %.0f s: %s\n", goal_us, goal_start_s, is_reached ? "reached" : "missed");
    return is_reached ? 0 : 1;
}
