/* funnel: a four-step funnel over resolved people, timed. Generates a history straight into an index (no HTTP,
 * no journal), then asks; --tsv also writes the history for the peers (bench/funnel-peers.mjs).
 *
 *   funnel --dir DIR [--events 20000000] [--runs 7] [--question N] [--memory MIB] [--tsv FILE --people FILE]
 *
 * An index that is in DIR already, of as many events, is used as it is.
 */
#include "funnel_events.h"

#include <getopt.h>
#include <pthread.h>
#include <time.h>

static double clock_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now_s(void) { return clock_s(CLOCK_MONOTONIC); }

static void fail(const char *what, const Err *err)
{
    fprintf(stderr, "funnel: %s: %s\n", what, err ? err->text : "");
    exit(1);
}

/* ---- Two threads, as main/ would have them ---- */

struct job {
    QueryTask *task;
    void *context;
    uint32_t count;
    atomic_uint next;
};

struct helper {
    struct job *job;
    uint32_t worker;
};

static void *help(void *argument)
{
    struct helper *helper = argument;
    for (uint32_t at; (at = atomic_fetch_add(&helper->job->next, 1)) < helper->job->count;)
        helper->job->task(helper->job->context, at, helper->worker);
    return NULL;
}

/* Threads are started for each call: some 30 us, which the times below include. */
static void pool_run(void *pool, QueryTask *task, void *context, uint32_t count)
{
    uint32_t worker_count = *(uint32_t *)pool;
    struct job job = { task, context, count, 0 };
    struct helper helpers[QUERY_WORKERS_MAX];
    pthread_t threads[QUERY_WORKERS_MAX];
    for (uint32_t at = 0; at < worker_count; at++) helpers[at] = (struct helper){ &job, at };
    for (uint32_t at = 1; at < worker_count; at++)
        if (pthread_create(&threads[at], NULL, help, &helpers[at])) fail("pthread_create", NULL);
    help(&helpers[0]);
    for (uint32_t at = 1; at < worker_count; at++) pthread_join(threads[at], NULL);
}

/* ---- People: the links of the history, as slots ---- */

struct people {
    uint32_t *slots, count;
    const uint32_t **pages;
    QueryPeople query;
};

static void people_make(struct people *people, uint64_t event_count, uint64_t seed)
{
    struct generator generator;
    struct made made;
    size_t max = event_count + QUERY_PAGE_SUBJECTS;
    generator_open(&generator, event_count, seed);
    people->slots = malloc(max * sizeof *people->slots);
    for (size_t at = 0; at < max; at++) people->slots[at] = (uint32_t)at;
    for (uint64_t at = 0; at < event_count; at++) {
        generator_next(&generator, &made);
        if (made.link_from != UINT32_MAX) people->slots[made.link_from] = made.link_to;
    }
    people->count = generator.subject_count;
    people->pages = malloc((people->count / QUERY_PAGE_SUBJECTS + 1) * sizeof *people->pages);
    for (uint32_t page = 0; page <= people->count / QUERY_PAGE_SUBJECTS; page++)
        people->pages[page] = people->slots + (size_t)page * QUERY_PAGE_SUBJECTS;
    people->query = (QueryPeople){ .subject_count = people->count, .pages = people->pages };
    generator_close(&generator);
}

/* ---- The index ---- */

static void index_fill(struct index *index, uint64_t event_count, uint64_t seed)
{
    static char bodies[BODIES][BODY_BYTES];
    struct generator generator;
    struct made made;
    Err err = { 0 };
    bool more = true;
    double started = now_s(), maintained = 0;
    static size_t lens[BODIES];
    bodies_make(bodies);
    for (int body = 0; body < BODIES; body++) lens[body] = strlen(bodies[body]);
    generator_open(&generator, event_count, seed);
    for (uint64_t at = 0; at < event_count; at++) {
        generator_next(&generator, &made);
        Event event
            = { .type = EVENT_TRACK, .name = str_from(event_names[made.name]), .source = STR("website"),
                        .timestamp_ms = made.time_ms, .json = str_of(bodies[made.body], lens[made.body]) };
        if (index_append(index, made.subject, &event, 4096 + at * 612, 4096 + (at + 1) * 612, &err))
            fail("append", &err);
        if (at % 16384 == 0 && index_wants_maintenance(index)) {
            double before = now_s();
            for (more = true; more;)
                if (index_maintain(index, &more, &err)) fail("maintain", &err);
            maintained += now_s() - before;
        }
        if (at && at % 10000000 == 0)
            fprintf(stderr, "%" PRIu64 " M events, %.0f s\n", at / 1000000, now_s() - started);
    }
    double before = now_s();
    if (index_seal(index, &err)) fail("seal", &err);
    for (more = true; more;)
        if (index_maintain(index, &more, &err)) fail("maintain", &err);
    maintained += now_s() - before;
    printf("index built: %.1f s, of which merging %.1f s: %.0f events/s\n", now_s() - started, maintained,
           (double)event_count / (now_s() - started));
    generator_close(&generator);
}

/* ---- For the peers ---- */

static void write_tsv(const char *events_path, const char *people_path, const struct people *people,
                      uint64_t event_count,
                      uint64_t seed)
{
    struct generator generator;
    struct made made;
    FILE *events = fopen(events_path, "w"), *persons = fopen(people_path, "w");
    if (!events || !persons) fail("cannot write the files for the peers", NULL);
    generator_open(&generator, event_count, seed);
    for (uint64_t at = 0; at < event_count; at++) {
        generator_next(&generator, &made);
        fprintf(events, "%u\t%" PRIi64 "\t%s\t%s\t%s\n", made.subject, made.time_ms, event_names[made.name],
                body_plan(made.body), body_campaign(made.body));
    }
    for (uint32_t subject = 0; subject < people->count; subject++)
        fprintf(persons, "%u\t%u\n", subject, people->slots[subject]);
    if (fclose(events) || fclose(persons)) fail("cannot write the files for the peers", NULL);
    generator_close(&generator);
}

/* ---- Asking ---- */

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The people of each step, of the whole. */
static void print_people(Str answer)
{
    const char *at = answer.bytes, *end = memchr(at, ']', answer.len);
    printf(", people:");
    while (end && (at = memmem(at, (size_t)(end - at), "\"people\":", 9)) != NULL)
        printf(" %ld", strtol(at += 9, NULL, 10));
}

static double ask(const QueryWorld *world, QueryKind kind, const char *label, const char *question, int runs)
{
    double times[100], cpu[100];
    struct buf answer;
    Err err = { 0 };
    buf_init(&answer, 64 << 20);
    for (int run = -1; run < runs; run++) {            /* the first one is not counted: it finds all cold */
        buf_clear(&answer);
        double before = now_s(), before_cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
        if (query_run(kind, str_from(question), world, &answer, &err)) fail(label, &err);
        double took = now_s() - before, took_cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - before_cpu;
        if (run < 0) printf("%-28s first %.3f s, ", label, took);
        else times[run] = took, cpu[run] = took_cpu;
    }
    qsort(times, (size_t)runs, sizeof *times, compare_doubles);
    qsort(cpu, (size_t)runs, sizeof *cpu, compare_doubles);
    printf("median %.3f s (%.3f .. %.3f), cpu %.3f s", times[runs / 2], times[0], times[runs - 1], cpu[runs / 2]);
    if (kind == QUERY_FUNNEL) print_people(buf_str(&answer));
    printf("\n");
    buf_done(&answer);
    return times[runs / 2];
}

#define LATER_STEPS "\"Signup Viewed\",\"Account Created\",\"Activated\"],\"window\":\"7d\""

static const struct { const char *label, *json; QueryKind kind; } questions[] = {
    { "4 steps, 7 days", "{\"steps\":[\"Landing\"," LATER_STEPS "}", QUERY_FUNNEL },
    { "the same by campaign",
      "{\"steps\":[\"Landing\"," LATER_STEPS ",\"by\":\"context.campaign.source\"}", QUERY_FUNNEL },
    { "the same, plan filtered",
      "{\"steps\":[{\"event\":\"Landing\",\"where\":[{\"field\":\"properties.plan\",\"op\":\"=\","
                                 "\"value\":\"free\"}]}," LATER_STEPS "}", QUERY_FUNNEL },
    { "people of step 3", "{\"step\":3,\"steps\":[\"Landing\"," LATER_STEPS "}", QUERY_FUNNEL_PEOPLE },
    { "trend: people a day", "{\"series\":[{\"event\":\"Order Completed\",\"measure\":\"people\"}]}", QUERY_TRENDS },
    { "trend: revenue a day by plan", "{\"by\":\"properties.plan\",\"series\":[{\"event\":\"Order Completed\","
                                      "\"measure\":\"sum\",\"property\":\"properties.revenue\"}]}", QUERY_TRENDS },
    { "retention by week", "{\"birth\":\"Account Created\",\"return\":\"Activated\",\"unit\":\"week\"}",
      QUERY_RETENTION },
    { "paths before a sign-up", "{\"event\":\"Account Created\",\"direction\":\"before\"}", QUERY_PATHS },
    { "sign-ups a day", "{\"event\":\"Account Created\"}", QUERY_SIGNUPS },
    { "events and fields", "{}", QUERY_EVENTS },
};

int main(int argc, char **argv)
{
    static const struct option options[]
        = { { "dir", 1, 0, 'd' }, { "events", 1, 0, 'e' }, { "runs", 1, 0, 'r' },
                                             { "tsv", 1, 0, 't' }, { "people", 1, 0, 'p' },
                                                 { "workers", 1, 0, 'w' },
                                             { "question", 1, 0, 'q' }, { "memory", 1, 0, 'm' }, { 0 } };
    const char *dir = NULL, *tsv = NULL, *people_path = NULL;
    uint64_t event_count = 20000000, seed = 42;
    uint32_t worker_count = 2;
    size_t memory_mib = 0;
    int runs = 7, option, question = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) switch (option) {
    case 'd': dir = optarg; break;
    case 'e': event_count = strtoull(optarg, NULL, 10); break;
    case 'r': runs = (int)strtol(optarg, NULL, 10); break;
    case 't': tsv = optarg; break;
    case 'q': question = (int)strtol(optarg, NULL, 10); break;
    case 'm': memory_mib = (size_t)strtoul(optarg, NULL, 10); break;
    case 'p': people_path = optarg; break;
    case 'w': worker_count = (uint32_t)strtoul(optarg, NULL, 10); break;
    default: return 2;
    }
    if (!dir || runs < 1 || runs > 100 || !worker_count)
        return fputs("see the top of bench/funnel.c\n", stderr), 2;
    struct people people;
    struct index *index;
    IndexStats stats;
    Err err = { 0 };
    people_make(&people, event_count, seed);
    if (tsv && people_path) write_tsv(tsv, people_path, &people, event_count, seed);
    double before = now_s();
    if (index_open(&(IndexOptions){ .dir = dir, .disk = os_disk() }, &index, &err)) fail("open", &err);
    double opened = now_s() - before;
    index_read_stats(index, &stats);
    if (stats.rows == 0) index_fill(index, event_count, seed);
    else printf("index opened: %.3f s\n", opened);
    index_read_stats(index, &stats);
    if (stats.rows != event_count) fail("the directory holds another index", NULL);
    printf("%" PRIu64 " events, %u subjects, %" PRIu64 " files, %.2f bytes an event\n", stats.rows,
           people.count, stats.files,
           (double)stats.disk_bytes / (double)stats.rows);
    QueryPool pool = { worker_count, pool_run, &worker_count };
    QueryWorld world = { .index = index, .people = &people.query, .pool = &pool, .memory_bytes = memory_mib << 20 };
    for (int at = 0; at < (int)countof(questions); at++)
        if (question == 0 || question == at + 1)
            ask(&world, questions[at].kind, questions[at].label, questions[at].json, runs);
    index_close(index);
    return 0;
}
