/* load: a load generator that sends Tracking API events over keep-alive connections.
 *
 * What it is. One thread, one epoll, N connections, one request in flight on each (SDKs do not
 * pipeline). Every event has its own messageId; its visitor, names and properties are a function of
 * --seed and of its number. Every event's JSON is exactly EVENT_BYTES long, so that runs compare.
 *
 * Why not wrk: its Lua costs several microseconds a request as soon as each body must differ, which is
 * as much as the servers that we measure.
 *
 * How it stays cheap: bodies are built once, into pools; a request is one copy out of the pool, a few
 * patched fields at known offsets, one send(). Connections are registered once, edge-triggered, so a
 * request costs send + recv + its share of an epoll_wait. Nothing is allocated after the start.
 *
 * Visitors. A window of --visitors people slides over an endless row of them, each making about
 * EVENTS_PER_VISITOR events. --signup PERCENT of them identify themselves at their fifth event, with
 * both ids, and carry their userId from then on: so links are made for as long as the load runs.
 *
 * --log FILE writes every request before it is sent and every answer, which is what a crash test needs:
 *     sent NUMBER BODY        kept NUMBER        refused NUMBER STATUS
 * --persist sends what was not answered again on a new connection, as SDKs do.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load_events.h"

enum {
    BATCH_EVENTS_MAX     = 2500,
    ANSWER_BYTES_MAX     = 2048,
    LOG_BYTES            = 1 << 20,
    EPOLL_EVENTS_MAX     = 1024,
    RECONNECT_AFTER_MS   = 5,
    DRAIN_MS             = 5000,       /* how long to wait for the last answers */
    HISTOGRAM_SUB_BITS   = 6,          /* 64 steps to a doubling: 1.6 % */
    HISTOGRAM_COUNT      = 64 << HISTOGRAM_SUB_BITS,
};

/* ---- Options ---- */

static const char usage_text[] =
    "usage: load --port PORT [option...]\n"
    "  --host ADDRESS      IPv4 address (127.0.0.1)\n"
    "  --key KEY           write key (wk_bench)\n"
    "  --connections N     keep-alive connections (64)\n"
    "  --batch N           events a request: 1 posts to /v1/track, more to /v1/batch (1)\n"
    "  --seconds S         measured time (5)\n"
    "  --warmup S          time before it that is not measured (0.5)\n"
    "  --requests N        stop after N requests, and measure from the first\n"
    "  --rate R            at most R requests a second (no limit)\n"
    "  --visitors N        people on the site at a time (20000)\n"
    "  --signup PERCENT    of visitors who identify themselves (0)\n"
    "  --seed N            same seed, same events (1)\n"
    "  --persist           send unanswered requests again, on a new connection\n"
    "  --log FILE          write what was sent, kept and refused\n"
    "  --json              print one JSON object\n";

static double parse_number(const char *name, const char *text, double min, double max)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || number < min || number > max)
        fail("--%s %s: a number from %.0f to %.0f", name, text, min, max);
    return number;
}

static Options parse_options(int argc, char **argv)
{
    enum { HOST, PORT, KEY, CONNECTIONS, BATCH, SECONDS, WARMUP, REQUESTS, RATE, VISITORS, SIGNUP, SEED,
           PERSIST, LOG, JSON, HELP };
    static const struct option names[] = {
        {"host", 1, 0, HOST}, {"port", 1, 0, PORT}, {"key", 1, 0, KEY},
        {"connections", 1, 0, CONNECTIONS}, {"batch", 1, 0, BATCH}, {"seconds", 1, 0, SECONDS},
        {"warmup", 1, 0, WARMUP}, {"requests", 1, 0, REQUESTS}, {"rate", 1, 0, RATE},
        {"visitors", 1, 0, VISITORS}, {"signup", 1, 0, SIGNUP}, {"seed", 1, 0, SEED},
        {"persist", 0, 0, PERSIST}, {"log", 1, 0, LOG}, {"json", 0, 0, JSON}, {"help", 0, 0, HELP}, {0},
    };
    Options o = {.host = "127.0.0.1", .write_key = "wk_bench", .connection_count = 64, .batch_count = 1,
                 .visitor_count = 20000, .duration_s = 5, .warmup_s = 0.5, .seed = 1};
    int option, index;
    while ((option = getopt_long(argc, argv, "", names, &index)) != -1) {
        const char *name = option == '?' ? "" : names[index].name;
        switch (option) {
        case HOST:        o.host = optarg; break;
        case PORT:        o.port = (int)parse_number(name, optarg, 1, 65535); break;
        case KEY:         o.write_key = optarg; break;
        case CONNECTIONS: o.connection_count = (int)parse_number(name, optarg, 1, 60000); break;
        case BATCH:       o.batch_count = (int)parse_number(name, optarg, 1, BATCH_EVENTS_MAX); break;
        case SECONDS:     o.duration_s = parse_number(name, optarg, 0.01, 86400); break;
        case WARMUP:      o.warmup_s = parse_number(name, optarg, 0, 3600); break;
        case REQUESTS:    o.request_count_max = (uint64_t)parse_number(name, optarg, 1, 1e15);
                          o.warmup_s = 0; break;
        case RATE:        o.rate = parse_number(name, optarg, 1, 1e9); break;
        case VISITORS:    o.visitor_count = (int)parse_number(name, optarg, 1, 90000000); break;
        case SIGNUP:      o.signup_percent = (int)parse_number(name, optarg, 0, 100); break;
        case SEED:        o.seed = (uint64_t)parse_number(name, optarg, 0, 9e15); break;
        case PERSIST:     o.persist = true; break;
        case LOG:         o.log_path = optarg; break;
        case JSON:        o.json = true; break;
        case HELP:        fputs(usage_text, stdout); exit(0);
        default:          fputs(usage_text, stderr); exit(2);
        }
    }
    if (optind != argc || !o.port) { fputs(usage_text, stderr); exit(2); }
    return o;
}

/* ---- Measuring ---- */

/* Latencies in log-linear steps of 1.6 %. */
typedef struct { uint64_t counts[HISTOGRAM_COUNT], total, max_ns; } Histogram;

static void histogram_add(Histogram *histogram, uint64_t ns)
{
    int log = ns < 64 ? 0 : 63 - __builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
    size_t index = ((size_t)log << HISTOGRAM_SUB_BITS) + (size_t)(ns >> log);
    histogram->counts[index < HISTOGRAM_COUNT ? index : HISTOGRAM_COUNT - 1]++;
    histogram->total++;
    if (ns > histogram->max_ns) histogram->max_ns = ns;
}

static double histogram_us(const Histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->total), seen = 0;
    for (size_t index = 0; index < HISTOGRAM_COUNT; index++) {
        seen += histogram->counts[index];
        if (seen <= wanted) continue;
        if (index < 128) return (double)index / 1e3;
        size_t log = (index >> HISTOGRAM_SUB_BITS) - 1;
        return (double)((index - (log << HISTOGRAM_SUB_BITS)) << log) / 1e3;
    }
    return (double)histogram->max_ns / 1e3;
}

typedef struct {
    Histogram latency;
    uint64_t ok_count, refused_count, broken_count, resent_count;
    int last_refused_status;
    double cpu_s, elapsed_s;
} Result;

/* ---- Connections ---- */

typedef enum { CLOSED, CONNECTING, IDLE, WRITING, READING } ConnectionState;

struct connection {
    int fd;
    ConnectionState state;
    bool unanswered;                   /* kept holds a request that has had no answer */
    uint32_t kept_bytes, sent_bytes;   /* of kept: its length, and how much of it is on its way */
    uint32_t header_bytes;
    uint32_t answer_bytes;
    uint64_t sent_at_ns;
    uint64_t reconnect_at_ns;
    uint64_t number;                   /* of the request in flight */
    char *kept;                        /* the request, if it must outlive its first send() */
    char answer[ANSWER_BYTES_MAX];
};

struct load {
    const Options *options;
    struct generator generator;
    struct connection *connections;
    struct connection **idle;          /* those that wait for --rate to let them go */
    int idle_count, open_count, closed_count, flying_count;
    int epoll;
    struct sockaddr_in address;
    uint64_t request_count;
    uint64_t begin_ns, measure_from_ns, measure_to_ns;
    bool stopping;
    Result result;
    int log;
    size_t log_used;
    char *log_bytes;
};

static void log_flush(struct load *load)
{
    for (size_t done = 0; done < load->log_used;) {
        ssize_t n = write(load->log, load->log_bytes + done, load->log_used - done);
        if (n < 0) fail("--log: %s", strerror(errno));
        done += (size_t)n;
    }
    load->log_used = 0;
}

static void log_line(struct load *load, const char *word, uint64_t number, const char *rest,
                     size_t rest_bytes)
{
    if (load->log < 0) return;
    if (load->log_used + rest_bytes + 64 > LOG_BYTES) log_flush(load);
    int n = snprintf(load->log_bytes + load->log_used, 64, "%s %" PRIu64 "%s", word, number,
                     rest_bytes ? " " : "");
    load->log_used += (size_t)n;
    memcpy(load->log_bytes + load->log_used, rest, rest_bytes);
    load->log_used += rest_bytes;
    load->log_bytes[load->log_used++] = '\n';
}

static void connection_lost(struct load *load, struct connection *connection)
{
    close(connection->fd);
    bool was_flying = connection->state == WRITING || connection->state == READING;
    if (connection->state != CONNECTING) load->open_count--;
    if (was_flying) { load->flying_count--; load->result.broken_count++; }
    if (was_flying && !load->options->persist) connection->unanswered = false;
    connection->fd = -1;
    connection->state = CLOSED;
    connection->reconnect_at_ns = now_ns() + RECONNECT_AFTER_MS * 1000000u;
    load->closed_count++;
}

static void connection_write(struct load *load, struct connection *connection, const char *bytes)
{
    while (connection->sent_bytes < connection->kept_bytes) {
        ssize_t n = send(connection->fd, bytes + connection->sent_bytes,
                         connection->kept_bytes - connection->sent_bytes, MSG_NOSIGNAL);
        if (n > 0) { connection->sent_bytes += (uint32_t)n; continue; }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) { connection_lost(load, connection); return; }
        if (bytes != connection->kept) memcpy(connection->kept, bytes, connection->kept_bytes);
        return;                        /* EPOLLOUT goes on from kept */
    }
    connection->state = READING;
}

/* Sends the next request, or the unanswered one again. */
static void connection_send(struct load *load, struct connection *connection)
{
    const Options *options = load->options;
    Request request = {.bytes = connection->kept};
    if (connection->unanswered) {
        load->result.resent_count++;
    } else {
        if (options->request_count_max && load->request_count >= options->request_count_max)
            load->stopping = true;
        if (load->stopping) {
            connection->state = IDLE;
            return;
        }
        request = generator_next(&load->generator);
        connection->number = load->request_count++;
        connection->kept_bytes = (uint32_t)request.length;
        connection->header_bytes = (uint32_t)request.header_bytes;
        log_line(load, "sent", connection->number, request.bytes + request.header_bytes,
                 request.length - request.header_bytes);
        if (options->persist) {
            memcpy(connection->kept, request.bytes, request.length);
            request.bytes = connection->kept;
        }
    }
    connection->unanswered = true;
    connection->sent_bytes = connection->answer_bytes = 0;
    connection->sent_at_ns = now_ns();
    connection->state = WRITING;
    load->flying_count++;
    connection_write(load, connection, request.bytes);
}

/* Sends if --rate allows it now; else the connection waits its turn. */
static void connection_next(struct load *load, struct connection *connection)
{
    if (load->options->rate > 0 && !connection->unanswered) {
        connection->state = IDLE;
        load->idle[load->idle_count++] = connection;
        return;
    }
    connection_send(load, connection);
}

static void connection_open(struct load *load, struct connection *connection)
{
    int one = 1;
    load->closed_count--;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connection->state = CONNECTING;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.ptr = connection};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event)) fail("epoll_ctl: %s", strerror(errno));
    int failed = connect(connection->fd, (struct sockaddr *)&load->address, sizeof load->address);
    if (failed && errno != EINPROGRESS) connection_lost(load, connection);
}

/* The length of the whole answer once its header is there; 0 until then, -1 if it is none that we know. */
static ssize_t answer_length(const struct connection *connection, int *ret_status)
{
    const char *answer = connection->answer;
    const char *end = memmem(answer, connection->answer_bytes, "\r\n\r\n", 4);
    if (!end) return connection->answer_bytes == ANSWER_BYTES_MAX ? -1 : 0;
    if (memcmp(answer, "HTTP/1.1 ", 9)) return -1;
    *ret_status = (answer[9] - '0') * 100 + (answer[10] - '0') * 10 + (answer[11] - '0');
    for (const char *line = memchr(answer, '\n', (size_t)(end - answer)); line;
         line = memchr(line, '\n', (size_t)(end - line))) {
        if (!strncasecmp(++line, "content-length:", 15))
            return end + 4 - answer + strtol(line + 15, NULL, 10);
    }
    return -1;
}

static void connection_answered(struct load *load, struct connection *connection, int status)
{
    uint64_t now = now_ns();
    load->flying_count--;
    connection->unanswered = false;
    if (now >= load->measure_from_ns && now < load->measure_to_ns) {
        if (status == 200) load->result.ok_count++;
        histogram_add(&load->result.latency, now - connection->sent_at_ns);
    }
    if (status == 200) {
        log_line(load, "kept", connection->number, "", 0);
    } else {
        char text[16];
        int n = snprintf(text, sizeof text, "%d", status);
        log_line(load, "refused", connection->number, text, (size_t)n);
        load->result.refused_count++;
        load->result.last_refused_status = status;
    }
    connection_next(load, connection);
}

static void connection_read(struct load *load, struct connection *connection)
{
    ssize_t n = recv(connection->fd, connection->answer + connection->answer_bytes,
                     ANSWER_BYTES_MAX - connection->answer_bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) { connection_lost(load, connection); return; }
    connection->answer_bytes += (uint32_t)n;
    int status = 0;
    ssize_t length = answer_length(connection, &status);
    if (length < 0 || length > ANSWER_BYTES_MAX)
        fail("an answer that is not understood: %.*s", (int)connection->answer_bytes, connection->answer);
    if (length == 0 || (uint32_t)length > connection->answer_bytes) return;
    connection_answered(load, connection, status);
}

static void connection_step(struct load *load, struct connection *connection, uint32_t events)
{
    if (connection->state == CONNECTING) {
        if (events & (EPOLLERR | EPOLLHUP)) { connection_lost(load, connection); return; }
        if (!(events & EPOLLOUT)) return;
        load->open_count++;
        connection_next(load, connection);
        return;
    }
    bool ended = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (connection->state == WRITING && events & EPOLLOUT)
        connection_write(load, connection, connection->kept);
    /* An answer may come before the whole request has left: a refusal. */
    if ((connection->state == READING || connection->state == WRITING) && (ended || events & EPOLLIN))
        connection_read(load, connection);
    if (connection->state == IDLE && ended) {
        for (int i = 0; i < load->idle_count; i++)
            if (load->idle[i] == connection) load->idle[i--] = load->idle[--load->idle_count];
        connection_lost(load, connection);
    } else if (connection->state == READING && ended) {
        connection_read(load, connection);     /* what is left, and then the end */
    }
}

/* ---- The loop ---- */

static void reopen_closed(struct load *load)
{
    uint64_t now = now_ns();
    for (int i = 0; i < load->options->connection_count && load->closed_count; i++) {
        struct connection *connection = &load->connections[i];
        if (connection->state != CLOSED || connection->reconnect_at_ns > now) continue;
        if (load->stopping && !connection->unanswered) continue;
        connection_open(load, connection);
    }
    if (!load->options->persist && !load->open_count && now - load->begin_ns > 3000000000u)
        fail("%s:%d does not accept connections", load->options->host, load->options->port);
}

static void release_by_rate(struct load *load)
{
    double elapsed_s = (double)(now_ns() - load->begin_ns) / 1e9;
    while (load->idle_count && !load->stopping
           && (double)load->request_count < load->options->rate * elapsed_s)
        connection_send(load, load->idle[--load->idle_count]);
}

static double cpu_used_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static volatile sig_atomic_t interrupted;
static void on_interrupt(int signal) { (void)signal; interrupted = 1; }

static void load_run(struct load *load)
{
    struct epoll_event events[EPOLL_EVENTS_MAX];
    double cpu_at_begin = 0;
    bool measuring = false;
    load->begin_ns = now_ns();
    load->measure_from_ns = load->begin_ns + (uint64_t)(load->options->warmup_s * 1e9);
    load->measure_to_ns = load->measure_from_ns + (uint64_t)(load->options->duration_s * 1e9);
    for (;;) {
        uint64_t now = now_ns();
        if (!measuring && now >= load->measure_from_ns) { measuring = true; cpu_at_begin = cpu_used_s(); }
        if (!load->stopping && (interrupted || now >= load->measure_to_ns)) load->stopping = true;
        bool counts_all = load->options->request_count_max && load->flying_count;  /* the last answers too */
        if (load->stopping && !counts_all && load->result.elapsed_s == 0) {
            if (now < load->measure_to_ns) load->measure_to_ns = now;
            bool was_cold = load->measure_from_ns >= load->measure_to_ns;     /* stopped while warming up */
            uint64_t from = was_cold ? load->begin_ns : load->measure_from_ns;
            load->result.elapsed_s = (double)(load->measure_to_ns - from) / 1e9;
            load->result.cpu_s = cpu_used_s() - cpu_at_begin;
        }
        bool drained = !load->flying_count || now > load->measure_to_ns + DRAIN_MS * 1000000ull;
        if (load->stopping && drained) break;
        if (load->closed_count) reopen_closed(load);
        if (load->options->rate > 0) release_by_rate(load);
        int wait_ms = load->closed_count || load->options->rate > 0 ? 1 : 100;
        int count = epoll_wait(load->epoll, events, EPOLL_EVENTS_MAX, wait_ms);
        if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < count; i++) connection_step(load, events[i].data.ptr, events[i].events);
    }
}

static void load_open(struct load *load, const Options *options)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if ((rlim_t)options->connection_count + 16 > files.rlim_cur)
        fail("%d connections: only %ju files may be open (ulimit -n)", options->connection_count,
             (uintmax_t)files.rlim_cur);
    *load = (struct load){.options = options, .log = -1};
    load->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
    if (inet_pton(AF_INET, options->host, &load->address.sin_addr) != 1)
        fail("--host %s: no IPv4 address", options->host);
    generator_open(&load->generator, options);
    size_t count = (size_t)options->connection_count, kept_bytes = load->generator.request_bytes_max;
    load->connections = take_memory(count * sizeof *load->connections);
    load->idle = take_memory(count * sizeof *load->idle);
    char *kept = take_memory(count * kept_bytes);          /* touched only where a request must wait */
    for (size_t i = 0; i < count; i++)
        load->connections[i] = (struct connection){.fd = -1, .kept = kept + i * kept_bytes};
    load->closed_count = options->connection_count;
    if (options->log_path) {
        load->log_bytes = take_memory(LOG_BYTES);
        load->log = open(options->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (load->log < 0) fail("--log %s: %s", options->log_path, strerror(errno));
        if (body_bytes_of(options) + 64 > LOG_BYTES)
            fail("--log: batches of %d are too long", options->batch_count);
    }
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll < 0) fail("epoll_create1: %s", strerror(errno));
}

/* ---- Printing ---- */

static void print_result(const struct load *load)
{
    const Options *o = load->options;
    const Result *r = &load->result;
    double rate = (double)r->ok_count / r->elapsed_s, events = rate * o->batch_count;
    double p50 = histogram_us(&r->latency, 0.50), p90 = histogram_us(&r->latency, 0.90),
           p99 = histogram_us(&r->latency, 0.99), max = (double)r->latency.max_ns / 1e3;
    if (o->json) {
        printf("{\"connections\":%d,\"batch\":%d,\"seconds\":%.3f,\"requests\":%" PRIu64 ","
               "\"requests_per_s\":%.1f,\"events_per_s\":%.1f,"
               "\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
               "\"refused\":%" PRIu64 ",\"refused_status\":%d,\"broken\":%" PRIu64 ","
               "\"resent\":%" PRIu64 ","
               "\"sent_total\":%" PRIu64 ",\"events_total\":%" PRIu64 ",\"cpu_share\":%.3f}\n",
               o->connection_count, o->batch_count, r->elapsed_s, r->ok_count, rate, events, p50, p90, p99,
               max, r->refused_count, r->last_refused_status, r->broken_count, r->resent_count,
               load->request_count, load->generator.event_number, r->cpu_s / r->elapsed_s);
        return;
    }
    printf("connections %12d   events a request %d, %d bytes each, seed %" PRIu64 "\n", o->connection_count,
           o->batch_count, EVENT_BYTES, o->seed);
    printf("requests    %12" PRIu64 "   %.0f a second for %.2f s\n", r->ok_count, rate, r->elapsed_s);
    printf("events      %12" PRIu64 "   %.0f a second\n", r->ok_count * (uint64_t)o->batch_count, events);
    printf("latency     p50 %.0f us   p90 %.0f us   p99 %.0f us   max %.0f us\n", p50, p90, p99, max);
    printf("refused     %12" PRIu64 "   last status %d\n", r->refused_count, r->last_refused_status);
    printf("broken      %12" PRIu64 "   sent again %" PRIu64 "\n", r->broken_count, r->resent_count);
    printf("load's CPU  %10.0f %%   of one core\n", 100 * r->cpu_s / r->elapsed_s);
}

int main(int argc, char **argv)
{
    static struct load load;
    Options options = parse_options(argc, argv);
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    load_open(&load, &options);
    load_run(&load);
    if (load.log >= 0) log_flush(&load);
    print_result(&load);
    return 0;
}
