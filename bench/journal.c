/* The journal alone, on the disk where it is run: durable appends, single commits, reading, sealing.
 *
 *     make MODE=release build/release/bench/journal && build/release/bench/journal [DIRECTORY]
 *
 * Events are records as collect/ makes them: a head of 64 bytes and about 540 bytes of canonical JSON with
 * random messageIds (which no compressor can make smaller than 16 bytes each) of 20,000 visitors. */
#include "segments/segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zstd.h>

enum { VISITORS = 20000, RECORDS = 4096, IN_FLIGHT_MOST = 64, SAMPLES = 20000 };

static uint64_t chance_state = 42;

static uint64_t chance(void)
{
    uint64_t z = (chance_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double seconds(void) { return (double)clock_monotonic_ns(os_clock()) / 1e9; }

/* This process's time on a core: what counts where others share the machine. */
static double core_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void die(const char *what, const Err *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

static void write_uuid(char *text, uint64_t a, uint64_t b)
{
    snprintf(text, 37, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)a, (unsigned)(a >> 32) & 0xffff,
             (unsigned)(a >> 48) & 0xfff, (unsigned)(b & 0xfff), (unsigned long long)(b >> 16));
}

/* One event record; the time moves on by a few milliseconds. */
static Str make_record(char *bytes, size_t capacity)
{
    static const char *const names[] = { "Landing", "Product Viewed", "Plan Chosen", "Account Created", "Order Paid" };
    static int64_t now_ms = 1700000000000;
    char message_id[37], anonymous_id[37], at[INSTANT_TEXT_BYTES + 1] = "";
    uint64_t visitor = chance() % VISITORS;
    now_ms += (int64_t)(chance() % 5);
    write_uuid(message_id, chance(), chance());
    write_uuid(anonymous_id, visitor * 0x9e3779b97f4a7c15u, (visitor + 7) * 0xbf58476d1ce4e5b9u);
    instant_write(now_ms, at);
    memset(bytes, 0, 64);
    bytes[0] = 0x11;
    for (int field = 0; field < 3; field++) memcpy(bytes + 8 + field * 8, &now_ms, 8);
    int len = snprintf(bytes + 64, capacity - 64,
        "{\"messageId\":\"%s\",\"type\":\"track\",\"anonymousId\":\"%s\",\"userId\":\"user-%llu\",\"event\":\"%s\","
        "\"properties\":{\"plan\":\"%s\",\"price\":%llu,\"path\":\"/products/%llu\"},\"context\":{\"library\":{"
        "\"name\":"
        "\"@segment/analytics-node\",\"version\":\"2.1.3\"},\"ip\":\"203.0.113.%llu\"},\"timestamp\":\"%s\","
        "\"originalTimestamp\":\"%s\",\"sentAt\":\"%s\",\"receivedAt\":\"%s\",\"integrations\":{},"
        "\"projectId\":\"website\"}", message_id, anonymous_id, (unsigned long long)visitor, names[chance() % 5],
        chance() & 1 ? "Free" : "Pro", (unsigned long long)(chance() % 100), (unsigned long long)(chance() % 300),
        (unsigned long long)(visitor % 250), at, at, at, at);
    return str_of(bytes, 64 + (size_t)len);
}

/* ---- Writing ---- */

static unsigned heard;

static void hear(struct journal_append *append, Status status, JournalPos first)
{
    (void)append, (void)first;
    if (status) exit(1);
    heard++;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* in_flight appends of records_each events are submitted and committed, turns times. */
static void write_events(struct journal *journal, unsigned in_flight, unsigned records_each, unsigned turns)
{
    static struct journal_append appends[IN_FLIGHT_MOST];
    static double took[SAMPLES];
    uint64_t bytes = 0;
    Err err;
    char record[1024];
    double made = 0, core_made = 0, began = seconds(), core_began = core_seconds();
    for (unsigned at = 0; at < in_flight; at++) journal_append_init(&appends[at], LIMIT_APPEND_BYTES);
    for (unsigned turn = 0; turn < turns; turn++) {
        double making = seconds(), core_making = core_seconds();
        for (unsigned at = 0; at < in_flight; at++) {
            journal_append_clear(&appends[at]);
            appends[at].on_durable = hear;
            for (unsigned event = 0; event < records_each; event++)
                journal_put_record(&appends[at], make_record(record, sizeof record));
            bytes += appends[at].frames.len;
        }
        double from = seconds();
        made += from - making;
        core_made += core_seconds() - core_making;
        for (unsigned at = 0; at < in_flight; at++)
            if (journal_submit(journal, &appends[at], &err)) die("submit", &err);
        if (journal_commit(journal, NULL, &err)) die("commit", &err);
        took[turn % SAMPLES] = seconds() - from;
    }
    double all = seconds() - began - made, core = core_seconds() - core_began - core_made;
    unsigned samples = turns < SAMPLES ? turns : SAMPLES;
    qsort(took, samples, sizeof *took, compare_doubles);
    double events = (double)turns * in_flight * records_each;
    printf("  %3u in flight of %3u: %8.0f events/s  %6.0f commits/s  %5.0f MB/s  p50 %6.0f us  p99 %6.0f us  "
           "core time %5.0f ns an event\n", in_flight, records_each, events / all, turns / all,
           (double)bytes / all / 1e6, took[samples / 2] * 1e6, took[samples * 99 / 100] * 1e6, core / events * 1e9);
    for (unsigned at = 0; at < in_flight; at++) journal_append_done(&appends[at]);
}

/* ---- Reading ---- */

static void read_all(struct journal *journal, const char *what)
{
    struct journal_reader *reader;
    JournalRecord record;
    Err err;
    uint64_t count = 0;
    double began = seconds(), core_began = core_seconds();
    if (journal_reader_open(journal, 0, &reader, &err)) die("reader", &err);
    JournalPos first = journal_first(journal);
    Status s;
    while ((s = journal_read(reader, &record, &err)) == OK) count++;
    if (s != ERR_NOT_FOUND) die("read", &err);
    double took = seconds() - began, core = core_seconds() - core_began;
    double bytes = (double)(journal_end(journal) - first);
    printf("  %-7s %6.0f MB/s of raw bytes  %9.0f events/s  %6.0f MB in a second of core time\n", what,
           bytes / took / 1e6, (double)count / took, bytes / core / 1e6);
    journal_reader_close(reader);
}

static void seal_all(struct journal *journal)
{
    JournalStats after;
    Err err;
    bool is_more = true;
    double began = seconds(), core_began = core_seconds(), longest = 0;
    while (is_more) {
        double from = seconds();
        if (journal_maintain(journal, &is_more, &err)) die("seal", &err);
        if (seconds() - from > longest) longest = seconds() - from;
    }
    double took = seconds() - began;
    journal_read_stats(journal, &after);
    printf("  %llu segments at %.0f MB/s (%.0f MB in a second of core time), longest piece %.0f ms\n",
           (unsigned long long)after.sealed_segments, (double)after.raw_bytes / took / 1e6,
           (double)after.raw_bytes / (core_seconds() - core_began) / 1e6, longest * 1e3);
    printf("  %.1f bytes an event raw, %.1f sealed\n", (double)after.raw_bytes / (double)after.records,
           (double)after.disk_bytes / (double)after.records);
}

static bool none(void *context, Str record, JournalPos pos)
{
    (void)context, (void)record, (void)pos;
    return false;
}

/* Erasing nothing closes the open segment, so that all is sealed. */
static void close_segment(struct journal *journal)
{
    uint64_t erased;
    Err err;
    JournalErase erase = { .to = journal_end(journal), .should_erase = none };
    if (journal_erase(journal, &erase, &erased, &err)) die("close", &err);
}

static void remove_all(const char *dir)
{
    struct disk *disk = os_disk();
    struct region region;
    DiskEntry *entries;
    size_t count = 0;
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    if (disk->list(disk, dir, &arena, &entries, &count, NULL)) return;
    for (size_t at = 0; at < count; at++)
        (void)disk->remove(disk, arena_printf(&arena, "%s/%.*s", dir, STR_FORMAT(entries[at].name)).bytes, NULL);
    (void)disk->remove(disk, dir, NULL);
    region_close(&region);
}

static struct journal *begin(const char *parent, char *dir, uint64_t segment_bytes)
{
    struct journal *journal;
    Err err;
    snprintf(dir, 4000, "%s/journal-bench-XXXXXX", parent);
    if (!mkdtemp(dir)) exit(1);
    SegmentsOptions options = { .dir = dir, .disk = os_disk(), .clock = os_clock(), .dice = os_dice(),
                               .segment_bytes = segment_bytes };
    if (segments_open(&options, &journal, NULL, &err)) die("open", &err);
    return journal;
}

int main(int count, char **words)
{
    char dir[4096];
    const char *parent = count > 1 ? words[1] : ".";
    struct journal *journal = begin(parent, dir, 0);
    printf("durable batches (one append is 100 events):\n");
    write_events(journal, 1, 100, 600);
    write_events(journal, 8, 100, 150);
    write_events(journal, 64, 100, 40);
    printf("durable singles:\n");
    for (unsigned in_flight = 1; in_flight <= IN_FLIGHT_MOST; in_flight *= 4)
        write_events(journal, in_flight, 1, in_flight < 16 ? 2000 : 1000);
    journal_close(journal);
    remove_all(dir);

    journal = begin(parent, dir, 0);
    printf("600,000 events for reading and sealing:\n");
    write_events(journal, 60, 100, 100);
    printf("reading (in the page cache):\n");
    read_all(journal, "raw");
    read_all(journal, "raw");
    close_segment(journal);
    printf("sealing:\n");
    seal_all(journal);
    read_all(journal, "sealed");
    journal_close(journal);
    remove_all(dir);
    return 0;
}
