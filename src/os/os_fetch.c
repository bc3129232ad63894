/* os_fetch: outgoing HTTP by libcurl's multi interface. One multi handle, which only step drives.
 *
 * Private addresses are kept out in two places, and both are necessary: the socket callback sees the resolved address
 * of every new connection before it is made; the pre-request callback sees the address of the connection
 * that the request is about to use, which may be one kept alive from a request that was allowed more.
 * Before the pre-request callback nothing was sent, so it also tells FETCH_NOT_SENT from FETCH_IN_DOUBT.
 *
 * curl repeats a request by itself if a kept-alive connection turns out to be dead before any answer. For
 * requests that must not be repeated (is_once) we ask for a fresh connection, where it never does so.
 */
#include "os.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

enum {
    CONNECT_MS = 10000, TIMEOUT_MS = 30000, ANSWER_BYTES = 64 * 1024, HEADERS_BYTES = 16 * 1024,
    KEPT_CONNECTIONS = 256, KEEP_IDLE_S = 55,
    GZIP_LEAST_BYTES = 1024,
    GZIP_LEVEL = 3,         /* a batch of events in 1/6.4 at 240 MB/s; level 1 is no faster, 6 makes 1/7.5 at 120 */
};

struct transfer {
    struct transfer *next, *previous;           /* under way, or in the list of free ones */
    struct curl_fetcher *fetcher;
    struct fetch *fetch;
    CURL *easy;
    struct curl_slist *headers;
    char *url;
    struct buf head, body, zipped;              /* zipped: of the request */
    bool allow_private, may_be_sent, is_cut;
    const char *forbidden;                      /* why the address was refused */
    char error[CURL_ERROR_SIZE];
};

struct curl_fetcher {
    struct fetcher fetcher;
    CURLM *multi;
    struct transfer *under_way, *free;
    char *proxy, *ca_file, *user_agent;
    FetchStats stats;
};

/* ---- What curl calls ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct transfer *transfer = owner;
    size_t room = transfer->body.max - transfer->body.len, len = size * count;
    buf_put(&transfer->body, bytes, len < room ? len : room);
    if (len <= room) return len;
    transfer->is_cut = true;
    return 0;                                   /* enough: ends the transfer, the status is known */
}

static size_t on_header(char *bytes, size_t size, size_t count, void *owner)
{
    struct transfer *transfer = owner;
    Str line = str_of(bytes, size * count);
    if (str_starts(line, STR("HTTP/"))) buf_clear(&transfer->head);     /* a 100 Continue came before */
    if (line.len <= transfer->head.max - transfer->head.len) buf_str_put(&transfer->head, line);
    return size * count;
}

static curl_socket_t on_open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = owner;
    const char *why;
    (void)purpose;
    if (!transfer->allow_private && !transfer->fetcher->proxy && !fetch_address_is_public(&address->addr, &why)) {
        transfer->forbidden = why;
        return CURL_SOCKET_BAD;
    }
    transfer->fetcher->stats.connections++;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool text_is_public(const char *text, const char **ret_why)
{
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return fetch_address_is_public((const struct sockaddr *)&four, ret_why);
    if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
        return fetch_address_is_public((const struct sockaddr *)&six, ret_why);
    *ret_why = "no internet address";
    return false;
}

static int on_before_request(void *owner, char *peer, char *local, int peer_port, int local_port)
{
    struct transfer *transfer = owner;
    const char *why;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (!transfer->allow_private && !transfer->fetcher->proxy && !text_is_public(peer, &why)) {
        transfer->forbidden = why;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->may_be_sent = true;
    return CURL_PREREQFUNC_OK;
}

/* ---- Transfers ---- */

static void transfer_clear(struct transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    free(transfer->url);
    buf_done(&transfer->head);
    buf_done(&transfer->body);
    buf_done(&transfer->zipped);
    transfer->headers = NULL;
    transfer->url = NULL;
}

static void transfer_free(struct transfer *transfer)
{
    transfer_clear(transfer);
    curl_easy_cleanup(transfer->easy);
    free(transfer);
}

static struct transfer *transfer_take(struct curl_fetcher *fetcher)
{
    struct transfer *transfer = fetcher->free;
    CURL *easy;
    if (transfer) {
        fetcher->free = transfer->next;
        easy = transfer->easy;
        curl_easy_reset(easy);
    } else {
        transfer = calloc(1, sizeof *transfer);
        easy = curl_easy_init();
        check(transfer && easy);
    }
    *transfer = (struct transfer){ .fetcher = fetcher, .easy = easy, .next = fetcher->under_way };
    if (transfer->next) transfer->next->previous = transfer;
    fetcher->under_way = transfer;
    fetcher->stats.under_way++;
    return transfer;
}

static void transfer_give_back(struct curl_fetcher *fetcher, struct transfer *transfer)
{
    if (transfer->next) transfer->next->previous = transfer->previous;
    if (transfer->previous) transfer->previous->next = transfer->next;
    else fetcher->under_way = transfer->next;
    fetcher->stats.under_way--;
    transfer_clear(transfer);
    transfer->next = fetcher->free;
    transfer->previous = NULL;
    fetcher->free = transfer;
}

static void set_transport(struct curl_fetcher *fetcher, CURL *easy, const FetchRequest *request)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, str_starts(request->url, STR("https:")) ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, fetcher->proxy ? fetcher->proxy : "");    /* "": not the environment's */
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)KEEP_IDLE_S);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->is_once ? 1L : 0L);
    if (fetcher->ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, fetcher->ca_file);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_MS));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ms ? request->timeout_ms : TIMEOUT_MS));
}

static void set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

/* False: it would not become smaller, or there is no memory: then the body is sent as it is. */
static bool zip(Str body, struct buf *out)
{
    z_stream stream = { 0 };
    if (body.len < GZIP_LEAST_BYTES || body.len > UINT32_MAX / 2) return false;
    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
    size_t room = deflateBound(&stream, body.len);
    buf_init(out, room);
    bool is_done = buf_reserve(out, room);
    if (is_done) {
        stream.next_in = (Bytef *)(uintptr_t)body.bytes;
        stream.avail_in = (uInt)body.len;
        stream.next_out = (Bytef *)out->bytes;
        stream.avail_out = (uInt)room;
        is_done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        out->len = stream.total_out;
    }
    deflateEnd(&stream);
    return is_done && out->len < body.len;
}

static void set_request(struct curl_fetcher *fetcher, struct transfer *transfer, const FetchRequest *request)
{
    CURL *easy = transfer->easy;
    Str body = request->body;
    char method[16];
    if (request->wants_gzip && zip(body, &transfer->zipped)) {
        body = buf_str(&transfer->zipped);
        transfer->headers = curl_slist_append(transfer->headers, "Content-Encoding: gzip");
    }
    curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, fetcher->user_agent);
    if (body.len > 0 || !str_equal(request->method, STR("GET"))) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.len ? body.bytes : "");
    }
    snprintf(method, sizeof method, "%.*s", STR_FORMAT(request->method));
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    for (size_t at = 0; at < request->header_count; at++) {
        const FetchHeader *header = &request->headers[at];
        char *line = NULL;
        check(asprintf(&line, header->value.len ? "%.*s: %.*s" : "%.*s;%.*s", STR_FORMAT(header->name),
                       STR_FORMAT(header->value)) >= 0);
        transfer->headers = curl_slist_append(transfer->headers, line);
        free(line);
    }
    transfer->headers = curl_slist_append(transfer->headers, "Expect:");     /* no wait for 100 Continue */
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
}

/* ---- The table ---- */

static bool is_token(Str s)
{
    for (size_t at = 0; at < s.len; at++) {
        unsigned char c = (unsigned char)s.bytes[at];
        if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c)) return false;
    }
    return s.len > 0;
}

bool fetch_is_visible(Str s)
{
    for (size_t at = 0; at < s.len; at++) {
        unsigned char c = (unsigned char)s.bytes[at];
        if ((c < ' ' && c != '\t') || c >= 0x7f) return false;
    }
    return true;
}

/* The URL is not quoted: it may hold a password. */
Status fetch_check_request(const FetchRequest *request, Err *err)
{
    bool is_http = str_starts(request->url, STR("http://")) || str_starts(request->url, STR("https://"));
    bool has_blank = str_contains(request->url, STR(" ")) || str_contains(request->url, STR("\t"));
    if (!is_http || !fetch_is_visible(request->url) || has_blank)
        return err_set(err, ERR_INPUT, "request: its URL is not an http:// or https:// URL of visible ASCII");
    if (!is_token(request->method) || request->method.len > 15)
        return err_set(err, ERR_INPUT, "request: \"%.*s\" is not a method", STR_FORMAT(request->method));
    check(request->header_count <= FETCH_HEADERS);
    for (size_t at = 0; at < request->header_count; at++) {
        const FetchHeader *header = &request->headers[at];
        if (!is_token(header->name) || !fetch_is_visible(header->value))
            return err_set(err, ERR_INPUT, "request: header %.*s: not a legal name or value", STR_FORMAT(header->name));
    }
    return OK;
}

static Status curl_submit(struct fetcher *base, const FetchRequest *request, struct fetch *fetch, Err *err)
{
    struct curl_fetcher *fetcher = (struct curl_fetcher *)base;
    struct transfer *transfer;
    CURLMcode code;
    Status s = fetch_check_request(request, err);
    if (s) return s;
    transfer = transfer_take(fetcher);
    transfer->fetch = fetch;
    transfer->allow_private = request->allow_private;
    transfer->url = strndup(request->url.bytes, request->url.len);
    check(transfer->url);
    buf_init(&transfer->head, HEADERS_BYTES);
    buf_init(&transfer->body, request->answer_bytes_max ? request->answer_bytes_max : ANSWER_BYTES);
    set_transport(fetcher, transfer->easy, request);
    set_callbacks(transfer);
    set_request(fetcher, transfer, request);
    fetch->handle = transfer;
    code = curl_multi_add_handle(fetcher->multi, transfer->easy);
    if (code != CURLM_OK) {
        transfer_give_back(fetcher, transfer);
        return err_set(err, ERR_IO, "request: %s", curl_multi_strerror(code));
    }
    fetcher->stats.submitted++;
    fetcher->stats.sent_bytes += transfer->zipped.len ? transfer->zipped.len : request->body.len;
    return OK;
}

static void curl_cancel(struct fetcher *base, struct fetch *fetch)
{
    struct curl_fetcher *fetcher = (struct curl_fetcher *)base;
    struct transfer *transfer = fetch->handle;
    if (!transfer) return;
    fetch->handle = NULL;
    curl_multi_remove_handle(fetcher->multi, transfer->easy);
    transfer_give_back(fetcher, transfer);
}

static FetchOutcome outcome_of(const struct transfer *transfer, CURLcode code, long status)
{
    if (code == CURLE_OK || (transfer->is_cut && status > 0)) return FETCH_ANSWERED;
    if (transfer->forbidden && !transfer->may_be_sent) return FETCH_FORBIDDEN;
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) return FETCH_FORBIDDEN;
    return transfer->may_be_sent ? FETCH_IN_DOUBT : FETCH_NOT_SENT;
}

static void describe_failure(const struct transfer *transfer, CURLcode code, FetchAnswer *answer)
{
    if (answer->outcome == FETCH_FORBIDDEN && transfer->forbidden)
        snprintf(answer->error, sizeof answer->error, "the address is not public (%s); allow_private lets it pass",
                 transfer->forbidden);
    else
        snprintf(answer->error, sizeof answer->error, "%s",
                 transfer->error[0] ? transfer->error : curl_easy_strerror(code));
}

static void count_outcome(FetchStats *stats, const FetchAnswer *answer)
{
    stats->received_bytes += answer->body.len;
    if (answer->outcome == FETCH_ANSWERED) stats->answered++;
    else if (answer->outcome == FETCH_FORBIDDEN) stats->forbidden++;
    else stats->failed++;
}

static void transfer_finish(struct curl_fetcher *fetcher, struct transfer *transfer, CURLcode code)
{
    FetchAnswer answer = { 0 };
    struct fetch *fetch = transfer->fetch;
    curl_off_t took_us = 0;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    answer.outcome = outcome_of(transfer, code, status);
    answer.took_ms = took_us / 1000;
    if (answer.outcome == FETCH_ANSWERED) {
        answer.status = (int)status;
        answer.headers = buf_str(&transfer->head);
        answer.body = buf_str(&transfer->body);
        answer.is_cut = transfer->is_cut;
    } else {
        describe_failure(transfer, code, &answer);
    }
    count_outcome(&fetcher->stats, &answer);
    curl_multi_remove_handle(fetcher->multi, transfer->easy);
    fetch->handle = NULL;
    fetch->on_done(fetch, &answer);
    transfer_give_back(fetcher, transfer);
}

static bool finish_all(struct curl_fetcher *fetcher)
{
    CURLMsg *message;
    bool any = false;
    int left;
    while ((message = curl_multi_info_read(fetcher->multi, &left))) {
        struct transfer *transfer = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer_finish(fetcher, transfer, code);
        any = true;
    }
    return any;
}

static Status curl_step(struct fetcher *base, Millis wait_ms, Err *err)
{
    struct curl_fetcher *fetcher = (struct curl_fetcher *)base;
    CURLMcode code;
    int running;
    code = curl_multi_perform(fetcher->multi, &running);
    if (code == CURLM_OK && !finish_all(fetcher) && wait_ms > 0) {
        code = curl_multi_poll(fetcher->multi, NULL, 0, (int)(wait_ms > 60000 ? 60000 : wait_ms), NULL);
        if (code == CURLM_OK) code = curl_multi_perform(fetcher->multi, &running);
        finish_all(fetcher);
    }
    if (code != CURLM_OK) return err_set(err, ERR_IO, "requests: %s", curl_multi_strerror(code));
    return OK;
}

static void curl_wake(struct fetcher *base) { curl_multi_wakeup(((struct curl_fetcher *)base)->multi); }

static void curl_read_stats(struct fetcher *base, FetchStats *ret) { *ret = ((struct curl_fetcher *)base)->stats; }

static void curl_close(struct fetcher *base)
{
    struct curl_fetcher *fetcher = (struct curl_fetcher *)base;
    if (!fetcher) return;
    while (fetcher->under_way) curl_cancel(base, fetcher->under_way->fetch);
    for (struct transfer *transfer = fetcher->free, *next; transfer; transfer = next) {
        next = transfer->next;
        transfer_free(transfer);
    }
    if (fetcher->multi) curl_multi_cleanup(fetcher->multi);
    free(fetcher->proxy);
    free(fetcher->ca_file);
    free(fetcher->user_agent);
    free(fetcher);
    curl_global_cleanup();
}

Status os_fetcher_open(const FetchOptions *options, struct fetcher **ret, Err *err)
{
    struct curl_fetcher *fetcher = calloc(1, sizeof *fetcher);
    check(fetcher && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    fetcher->fetcher = (struct fetcher){ curl_submit, curl_cancel, curl_step, curl_wake, curl_read_stats, curl_close };
    fetcher->multi = curl_multi_init();
    if (!fetcher->multi) {
        curl_close(&fetcher->fetcher);
        return err_set(err, ERR_IO, "requests: libcurl does not start");
    }
    curl_multi_setopt(fetcher->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long)(options->connections_per_host ? options->connections_per_host : 16));
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      (long)(options->connections_total ? options->connections_total : 128));
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    fetcher->proxy = options->proxy ? strdup(options->proxy) : NULL;
    fetcher->ca_file = options->ca_file ? strdup(options->ca_file) : NULL;
    fetcher->user_agent = strdup(options->user_agent ? options->user_agent : "Onym/1");
    *ret = &fetcher->fetcher;
    return OK;
}
