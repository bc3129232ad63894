/* Where batches of an import go: the journal itself where no server has it, else the server. */
#include "config/config.h"
#include "tools_import.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "os/fetch.h"

/* ---- The journal ---- */

struct journal_sink {
    struct import_sink sink;               /* first */
    struct journal *journal;
    struct reached *reached;
    struct collector *collector;
    struct desk *desk;                     /* sources that were made at the page */
    struct collect_workspace *workspace;
    struct journal_append append;
    bool has_append;
    Status status;                         /* of the last commit, told by on_durable */
    const Source *source;
};

static void journal_sink_durable(struct journal_append *append, Status status, JournalPos first)
{
    (void)first;
    ((struct journal_sink *)append->owner)->status = status;
}

static Status journal_sink_send(struct import_sink *base, Str lines, uint64_t first_number, ImportSent *ret, Err *err)
{
    struct journal_sink *sink = (struct journal_sink *)base;
    CollectRequest request = { .is_import = true, .import_line = first_number, .body = lines };
    if (sink->source) request.header_key = sink->source->write_key;
    CollectResult result = { 0 };
    journal_append_clear(&sink->append);
    Status s = collect_request(sink->workspace, &request, &sink->append, &result, err);
    if (s) return s;
    if (sink->append.record_count) {
        bool has_more;
        s = journal_submit(sink->journal, &sink->append, err);
        if (!s) s = journal_commit(sink->journal, NULL, err);
        if (!s && sink->status) s = err_set(err, sink->status, "the journal did not take it");
        if (!s) s = reached_keep(sink->reached, sink->journal, false, err);
        if (!s) s = journal_maintain(sink->journal, &has_more, err);
        if (s) return s;
    }
    *ret = (ImportSent){ result.accepted, result.rejected };
    return OK;
}

static void journal_sink_close(struct import_sink *base)
{
    struct journal_sink *sink = (struct journal_sink *)base;
    collect_workspace_close(sink->workspace);
    desk_close(sink->desk);
    collector_close(sink->collector);
    if (sink->journal) IGNORE(reached_keep(sink->reached, sink->journal, true, NULL));
    reached_close(sink->reached);
    journal_close(sink->journal);
    if (sink->has_append) journal_append_done(&sink->append);
    free(sink);
}

Status import_sink_open_journal(const struct config *config, const Source *source, Arena *arena,
                                struct import_sink **ret, Err *err)
{
    struct journal_sink *sink = calloc(1, sizeof *sink);
    if (!sink) return err_set(err, ERR_IO, "no memory to import");
    sink->sink = (struct import_sink){ journal_sink_send, journal_sink_close };
    sink->source = source;
    SegmentsOptions options = journal_options(config, arena);
    CollectOptions collect = { .clock = os_clock(), .dice = os_dice(), .skew_least_ms = config->clock_skew_least_ms };
    SegmentsRecovery recovery;
    Status s = os_disk()->make_dir(os_disk(), arena_copy(arena, config->data).bytes, err);
    if (!s) s = segments_open(&options, &sink->journal, &recovery, err);
    if (!s) s = reached_open(config, &sink->reached, err);
    if (!s) s = collector_open(&collect, &sink->collector, err);
    if (!s) s = server_open_desk(config, sink->collector, &sink->desk, err);
    if (!s) s = server_set_sources(sink->desk, config, err);
    if (!s) s = collect_workspace_open(sink->collector, &sink->workspace, err);
    if (s) {
        journal_sink_close(&sink->sink);
        return s;
    }
    journal_append_init(&sink->append, LIMIT_APPEND_BYTES);
    sink->append.on_durable = journal_sink_durable;
    sink->append.owner = sink;
    sink->has_append = true;
    *ret = &sink->sink;
    return OK;
}

/* ---- The server ---- */

/* A server that is restarted is back within seconds; a full disk or a rate limit may take longer. */
enum { ABSENT_MS = 20 * 1000, PATIENCE_MS = 5 * 60 * 1000, WAIT_MOST_MS = 15000 };

struct server_sink {
    struct import_sink sink;               /* first */
    struct fetcher *fetcher;
    FetchRequest request;
    struct fetch fetch;
    bool is_answered;
    FetchOutcome outcome;
    int status;
    Millis retry_after_ms;
    ImportSent sent;
    char text[240];                        /* what the server, or the network, said */
};

/* "accepted":123 of the server's small answer. */
static uint64_t read_count(Str body, const char *key)
{
    uint64_t count = 0;
    const char *at = memmem(body.bytes ? body.bytes : "", body.len, key, strlen(key));
    if (!at) return 0;
    for (at += strlen(key); at < body.bytes + body.len && *at >= '0' && *at <= '9'; at++)
        count = count * 10 + (uint64_t)(*at - '0');
    return count;
}

static void server_sink_done(struct fetch *fetch, const FetchAnswer *answer)
{
    struct server_sink *sink = fetch->owner;
    int64_t seconds;
    sink->is_answered = true;
    sink->outcome = answer->outcome;
    sink->status = answer->status;
    sink->retry_after_ms = 0;
    if (str_parse_int(fetch_header(answer->headers, STR("Retry-After")), 0, 3600, &seconds))
        sink->retry_after_ms = seconds * 1000;
    sink->sent = (ImportSent){ read_count(answer->body, "\"accepted\":"), read_count(answer->body, "\"rejected\":") };
    Str said = answer->outcome == FETCH_ANSWERED ? answer->body : str_from(answer->error);
    snprintf(sink->text, sizeof sink->text, "%.*s", (int)(said.len < 200 ? said.len : 200), said.len ? said.bytes : "");
}

static bool may_repeat(const struct server_sink *sink)
{
    if (sink->outcome == FETCH_NOT_SENT || sink->outcome == FETCH_IN_DOUBT) return true;      /* twice is once */
    return sink->outcome == FETCH_ANSWERED && (sink->status == 429 || sink->status >= 500);
}

static void wait_ms(Millis wait)
{
    nanosleep(&(struct timespec){ .tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000L }, NULL);
}

static Status server_sink_send(struct import_sink *base, Str lines, uint64_t first_number, ImportSent *ret, Err *err)
{
    char number[24];
    struct server_sink *sink = (struct server_sink *)base;
    Millis waited_ms = 0, pause_ms = 200;
    sink->request.body = lines;
    snprintf(number, sizeof number, "%" PRIu64, first_number);
    sink->request.headers[0].value = str_from(number);
    for (;;) {
        sink->is_answered = false;
        Status s = sink->fetcher->submit(sink->fetcher, &sink->request, &sink->fetch, err);
        while (!s && !sink->is_answered) s = sink->fetcher->step(sink->fetcher, 1000, err);
        if (s) return s;
        if (sink->outcome == FETCH_ANSWERED && sink->status == 200) return *ret = sink->sent, OK;
        if (!may_repeat(sink) || waited_ms >= (sink->outcome == FETCH_ANSWERED ? PATIENCE_MS : ABSENT_MS)) break;
        Millis pause = sink->retry_after_ms > pause_ms ? sink->retry_after_ms : pause_ms;
        wait_ms(pause);
        waited_ms += pause;
        pause_ms = pause_ms * 2 < WAIT_MOST_MS ? pause_ms * 2 : WAIT_MOST_MS;
    }
    if (sink->outcome != FETCH_ANSWERED)
        return err_set(err, ERR_IO, "the server does not answer: %s (--url says where it listens)", sink->text);
    bool is_large = sink->status == 413 || strstr(sink->text, "\"too_large\"");      /* 400 where SDKs send */
    Status s = is_large ? ERR_TOO_LARGE : sink->status == 401 ? ERR_DENIED : ERR_IO;
    return err_set(err, s, "the server answered %d: %s", sink->status, sink->text);
}

static void server_sink_close(struct import_sink *base)
{
    struct server_sink *sink = (struct server_sink *)base;
    if (sink->fetcher) sink->fetcher->close(sink->fetcher);
    free(sink);
}

Status import_sink_open_server(const struct config *config, const Source *source, const char *url, Arena *arena,
                               struct import_sink **ret, Err *err)
{
    Str base = address_find(config, url, arena);
    if (!base.len) return err_set(err, ERR_IO, "a server has the data directory; --url says where it listens");
    struct server_sink *sink = calloc(1, sizeof *sink);
    if (!sink) return err_set(err, ERR_IO, "no memory to import");
    sink->sink = (struct import_sink){ server_sink_send, server_sink_close };
    sink->fetch = (struct fetch){ .on_done = server_sink_done, .owner = sink };
    sink->request = (FetchRequest){
        .method = STR("POST"), .url = arena_printf(arena, "%.*s/v1/import", STR_FORMAT(base)), .allow_private = true,
        .headers = {
            { STR("X-Onym-Import"), STR("") },             /* the number of the first line, by send */
            { STR("Authorization"), arena_printf(arena, "Bearer %.*s", STR_FORMAT(config->secret_key)) },
            { STR("Content-Type"), STR("application/x-ndjson") },
            { STR("X-Write-Key"), source ? source->write_key : STR("") },
        },
        .header_count = source ? 4 : 3,
    };
    FetchOptions options = { .user_agent = "onym-import/" ONYM_VERSION };
    if (config->tls.certificate.len) options.ca_file = arena_copy(arena, config->tls.certificate).bytes;
    Status s = os_fetcher_open(&options, &sink->fetcher, err);
    if (s) {
        server_sink_close(&sink->sink);
        return s;
    }
    *ret = &sink->sink;
    return OK;
}

/* ---- One of the two ---- */

Status import_sink_open(const struct config *config, const Source *source, const char *url, Arena *arena,
                        struct import_sink **ret, Err *err)
{
    if (!url) {
        Status s = import_sink_open_journal(config, source, arena, ret, err);
        if (s != ERR_CONFLICT) return s;
    }
    return import_sink_open_server(config, source, url, arena, ret, err);
}
