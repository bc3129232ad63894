/* wire: sockets in the file system, which a single thread serves in a known order: so one seed is one world. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE_PER_THOUSAND = 150, CUT_PER_THOUSAND = 15, LEAVE_PER_THOUSAND = 15, CHUNKED_PER_THOUSAND = 300,
       GZIP_PER_THOUSAND = 200, CHUNK_MOST = 700, ANSWER_BYTES = 64 * 1024, WORK_BYTES = 64 * 1024 * 1024 };
static const Str secret = STR("sk_simulator");

static struct sockaddr_un address_of(const struct world *world)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    check(snprintf(address.sun_path, sizeof address.sun_path, "%s/http", world->state_dir) <
          (int)sizeof address.sun_path);
    return address;
}

void wire_open(struct world *world)
{
    struct wire *wire = &world->wire;
    struct sockaddr_un address = address_of(world);
    Err err;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlink(address.sun_path);
    check(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    check(listen(listener, 64) == 0);
    check(wire->jobs = http_jobs_open(1, 1));
    wire->api = (ApiOptions){ .collector = world->collector, .journal = world->journal, .health = &wire->health,
                              .jobs = wire->jobs, .applier = world->applier, .deliver = world->deliver,
                              .outbox_rows = world->rows.rows, .disk = &world->disk.disk,
                              .clock = &world->clock.clock, .secret_key = secret };
    HttpOptions options = { .app = &api_app, .context = &wire->api, .collector = world->collector,
                            .journal = world->journal, .health = &wire->health, .jobs = wire->jobs,
                            .clock = &world->clock.clock, .secret_key = secret };
    if (http_server_open(&options, listener, &wire->server, &err)) world_fail(world, "listening: %s", err.text);
}

/* ---- The clients' end ---- */

static void hang_up(struct flight *flight)
{
    if (flight->socket >= 0) close(flight->socket);
    flight->socket = -1;
}

static void flight_end(struct flight *flight)
{
    flight->is_used = flight->is_submitted = flight->has_left = false;
    flight->sent = 0;
}

void wire_close(struct world *world)
{
    struct wire *wire = &world->wire;
    for (size_t at = 0; at < FLIGHTS_MAX; at++) {
        struct flight *flight = &world->flights[at];
        if (world->canary == CANARY_LOSS && flight->is_submitted && !flight->has_left)       /* the bug to be found */
            visitors_acknowledge(&world->visitors, flight->visitor, flight->indices, flight->count);
        hang_up(flight);
        if (flight->is_used) flight_end(flight);
    }
    http_server_close(wire->server);
    http_jobs_close(wire->jobs);
    wire->server = NULL;
    wire->jobs = NULL;
}

static int connect_to(struct world *world)
{
    struct sockaddr_un address = address_of(world);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    check(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    return client;
}

static void zip(struct buf *body)
{
    z_stream stream = { 0 };
    size_t most = compressBound(body->len) + 64;
    char *bytes = malloc(most);
    check(bytes && deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    stream.next_in = (Bytef *)body->bytes;
    stream.avail_in = (uInt)body->len;
    stream.next_out = (Bytef *)bytes;
    stream.avail_out = (uInt)most;
    check(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    buf_clear(body);
    buf_str_put(body, str_of(bytes, stream.total_out));
    deflateEnd(&stream);
    free(bytes);
}

static void put_chunks(struct world *world, Str body, struct buf *out)
{
    while (body.len) {
        size_t piece = 1 + (size_t)fake_dice_below(&world->dice, CHUNK_MOST);
        if (piece > body.len) piece = body.len;
        buf_printf(out, "%zx\r\n", piece);
        buf_str_put(out, str_slice(body, 0, piece));
        buf_str_put(out, STR("\r\n"));
        body = str_slice(body, piece, body.len);
    }
    buf_str_put(out, STR("0\r\n\r\n"));
}

/* As SDKs write it: some in chunks, some gzipped; most leave the connection open. */
static void write_request(struct world *world, struct flight *flight)
{
    struct buf *out = &flight->out;
    bool is_chunked = fake_dice_chance(&world->dice, CHUNKED_PER_THOUSAND);
    bool is_zipped = fake_dice_chance(&world->dice, GZIP_PER_THOUSAND);
    buf_clear(out);
    buf_printf(out, "POST /v1/%s HTTP/1.1\r\nHost: onym\r\nContent-Type: application/json\r\n",
               fake_dice_chance(&world->dice, 500) ? "batch" : "import");
    if (is_zipped) {
        zip(&flight->body);
        buf_str_put(out, STR("Content-Encoding: gzip\r\n"));
    }
    if (fake_dice_chance(&world->dice, 200)) buf_str_put(out, STR("Connection: close\r\n"));
    if (is_chunked) buf_str_put(out, STR("Transfer-Encoding: chunked\r\n\r\n"));
    else buf_printf(out, "Content-Length: %zu\r\n\r\n", flight->body.len);
    if (is_chunked) put_chunks(world, buf_str(&flight->body), out);
    else buf_str_put(out, buf_str(&flight->body));
    check(buf_ok(out));
}

/* ---- Answers ---- */

static void take_answer(struct world *world, struct flight *flight, Str text)
{
    Str rest, line = str_cut(text, '\r', &rest);
    int64_t status = 0;
    if (!str_starts(line, STR("HTTP/1.1 ")) || !str_parse_int(str_slice(line, 9, 12), 100, 599, &status))
        world_fail(world, "no answer of HTTP: %.*s", STR_FORMAT(text));
    bool is_lost = fake_dice_chance(&world->dice, 100);
    world_tell(world, "answer to %zu messages: %lld%s", flight->count, (long long)status, is_lost ? ", lost" : "");
    if (status == 200) {
        if (!str_ends(text, STR("{\"success\":true}")))
            world_fail(world, "a 200 that SDKs do not know: %.*s", STR_FORMAT(text));
        if (!flight->is_submitted) world_fail(world, "a request was answered 200 before all of it had been sent");
        world->wire.suppressed += flight->suppressed;
        if (!is_lost) visitors_acknowledge(&world->visitors, flight->visitor, flight->indices, flight->count);
    } else if (status != 408 && status != 429 && status < 500) {
        world_fail(world, "a good request was refused: %.*s", STR_FORMAT(text));
    }
    if (str_contains(text, STR("\r\nConnection: close\r\n"))) hang_up(flight);
    flight_end(flight);
}

/* An answer is short, so it comes whole or not at all. */
static void hear(struct world *world, struct flight *flight)
{
    char bytes[4096];
    if (flight->socket < 0) return;
    ssize_t got = recv(flight->socket, bytes, sizeof bytes, 0);
    if (got > 0 && flight->is_used) {
        take_answer(world, flight, str_of(bytes, (size_t)got));
    } else if (got == 0 || (got < 0 && errno != EAGAIN)) {              /* it was open for too long without a word */
        hang_up(flight);
        if (!flight->is_used) return;
        if (flight->is_submitted) world_fail(world, "a connection was closed on a request that waits for its answer");
        world_tell(world, "a connection broke");
        flight_end(flight);
    }
}

static void hear_all(struct world *world)
{
    for (size_t at = 0; at < FLIGHTS_MAX; at++) hear(world, &world->flights[at]);
    uint64_t counted = health_get(&world->wire.health, COUNT_SUPPRESSED);
    if (counted != world->wire.suppressed)
        world_fail(world, "%llu messages were left out, not %llu", (unsigned long long)world->wire.suppressed,
                   (unsigned long long)counted);
    if (health_get(&world->wire.health, COUNT_REJECTED)) world_fail(world, "a good message was rejected");
}

void wire_answer(struct world *world)
{
    for (size_t at = 0; at < FLIGHTS_MAX; at++)              /* what was submitted is on disk, or never will be */
        if (world->flights[at].has_left) flight_end(&world->flights[at]);
    http_server_step(world->wire.server, 0);
    hear_all(world);
}

/* ---- Requests ---- */

/* Which messages of the request collection will leave out. */
static uint32_t note_dropped(struct world *world, const struct flight *flight)
{
    struct control *control = derive_control(world->applier);
    uint32_t dropped = 0;
    for (size_t at = 0; at < flight->count; at++) {
        Sent *sent = &world->sent[flight->indices[at]];
        Arena arena = region_arena(&world->scratch);
        bool is_suppressed = control_suppresses(control, sent->type, str_from(sent->user_id),
                                                str_from(sent->anonymous_id), str_from(sent->previous_id));
        for (int external = 0; external < EXTERNALS; external++)
            is_suppressed |= control_is_suppressed(control, COMMAND_EXTERNAL_ID,
                                                   world_spell_external(world, sent, external, &arena));
        if (!is_suppressed) continue;
        sent->was_dropped = true;
        dropped++;
    }
    return dropped;
}

static bool write_piece(struct world *world, struct flight *flight)
{
    size_t left = flight->out.len - flight->sent;
    /* At least a byte: the time of a request is that of its first, so what is sent again keeps the message's time. */
    bool is_whole = !fake_dice_chance(&world->dice, PIECE_PER_THOUSAND);
    size_t piece = is_whole ? left : 1 + (size_t)fake_dice_below(&world->dice, left);
    if (flight->socket < 0) flight->socket = connect_to(world);
    ssize_t put = send(flight->socket, flight->out.bytes + flight->sent, piece, MSG_NOSIGNAL);
    if (put < 0 && flight->sent == 0) {                      /* it was left open, and closed at the other end */
        hang_up(flight);
        flight->socket = connect_to(world);
        put = send(flight->socket, flight->out.bytes, piece, MSG_NOSIGNAL);
    }
    if (put != (ssize_t)piece) return false;
    flight->sent += piece;
    return true;
}

static void send_piece(struct world *world, struct flight *flight)
{
    bool is_cut = world->has_faults && fake_dice_chance(&world->dice, CUT_PER_THOUSAND);
    if (!write_piece(world, flight)) {
        hear(world, flight);                                 /* why */
        return;
    }
    if (flight->sent == flight->out.len) {
        flight->is_submitted = true;
        flight->suppressed = note_dropped(world, flight);
        for (size_t at = 0; at < flight->count; at++) world->sent[flight->indices[at]].is_submitted = true;
    } else if (is_cut) {
        world_tell(world, "a request is cut off in its midst");
        http_server_step(world->wire.server, 0);
        hang_up(flight);
        flight_end(flight);
    }
    http_server_step(world->wire.server, 0);
    hear_all(world);
    bool leaves = world->has_faults && fake_dice_chance(&world->dice, LEAVE_PER_THOUSAND);
    if (!leaves || !flight->is_submitted || flight->suppressed) return;
    world_tell(world, "a client leaves before its answer");
    hang_up(flight);
    flight->has_left = true;
}

/* One that is on its way goes on first, mostly. */
static struct flight *find_flight(struct world *world, bool is_begun)
{
    for (size_t at = 0; at < FLIGHTS_MAX; at++) {
        struct flight *flight = &world->flights[at];
        if (is_begun ? flight->is_used && !flight->is_submitted : !flight->is_used) return flight;
    }
    return NULL;
}

void wire_send(struct world *world)
{
    struct flight *flight = find_flight(world, true);
    if (!flight || fake_dice_chance(&world->dice, 300)) {
        if (!(flight = find_flight(world, false))) return;
        flight->count = visitors_make_request(&world->visitors, &flight->body, flight->indices, &flight->visitor);
        if (flight->count == 0) return;
        write_request(world, flight);
        flight->is_used = true;
        world_tell(world, "request of %zu messages", flight->count);
    }
    send_piece(world, flight);
}

/* ---- Questions ---- */

unsigned wire_get(struct world *world, const char *path, struct buf *out)
{
    static char bytes[ANSWER_BYTES];
    struct region region;
    Str text = { bytes, 0 }, rest;
    int64_t status = 0;
    int client = connect_to(world);
    region_open(&region, WORK_BYTES);
    int len = snprintf(bytes, sizeof bytes, "GET %s HTTP/1.1\r\nHost: onym\r\nConnection: close\r\n"
                       "Authorization: Bearer %.*s\r\n\r\n", path, STR_FORMAT(secret));
    check(send(client, bytes, (size_t)len, MSG_NOSIGNAL) == len);
    http_server_step(world->wire.server, 0);
    http_jobs_step(world->wire.jobs, region_arena(&region), 0);
    http_server_step(world->wire.server, 0);
    for (ssize_t got; (got = recv(client, bytes + text.len, sizeof bytes - text.len, 0)) > 0;) text.len += (size_t)got;
    close(client);
    region_close(&region);
    if (text.len < 12 || text.len == sizeof bytes || !str_parse_int(str_slice(text, 9, 12), 100, 599, &status))
        world_fail(world, "no answer to GET %s: %.*s", path, STR_FORMAT(text));
    const char *end = memmem(text.bytes, text.len, "\r\n\r\n", 4);
    check(end);
    rest = str_slice(text, (size_t)(end + 4 - text.bytes), text.len);
    buf_clear(out);
    buf_str_put(out, rest);
    return (unsigned)status;
}
