/* collect_stamp: what we add to a message, and when it happened by our clock. (docs/protocol.md#times)
 *
 *   timestamp = original + (receivedAt - sentAt)        sentAt: the message's own, else the envelope's
 *
 *   no sentAt that can be read                           timestamp = original
 *   no original, one that cannot be read, or one that
 *   ends up before 1970 or over a day in the future      timestamp = receivedAt
 *
 * Imports keep timestamp and receivedAt of their JSON; only what they lack is filled in.
 */
#include "collect_stations.h"

enum { AHEAD_MS_MAX = 24 * 3600 * 1000 };

static bool is_present(const Field *field) { return field->kind > FIELD_NULL; }

/* A string in any shape that SDKs write, or a number: seconds or, when too large for those, milliseconds. */
static bool read_instant(const Field *field, Millis *ret_ms)
{
    int64_t number;
    *ret_ms = INSTANT_NONE;
    if (field->kind == FIELD_STRING) return instant_parse(field->text, ret_ms);
    if (field->kind != FIELD_NUMBER || !str_parse_int(field->text, 0, 253402300799999, &number)) return false;
    *ret_ms = number < 100000000000 ? number * 1000 : number;
    return true;
}

static Str json_string(Arena *arena, Str s)
{
    struct buf buf;
    size_t room = 6 * s.len + 2;
    if (s.len == 0 || s.len > 4096) return (Str){ 0 };
    buf_init_fixed(&buf, arena_bytes(arena, room), room);
    buf_json_string(&buf, s);
    check(buf_ok(&buf));
    return buf_str(&buf);
}

void collect_stamp_request(struct intake *intake)
{
    intake->received_at_ms = clock_now_ms(intake->worker->collector->options.clock);
    instant_write(intake->received_at_ms, intake->received_at);
    intake->ip_raw = json_string(intake->arena, intake->request->ip);
    intake->user_agent_raw = json_string(intake->arena, intake->request->user_agent);
}

void collect_stamp_body(struct intake *intake)
{
    (void)read_instant(&intake->body.sent_at, &intake->sent_at_ms);        /* sets it to none where it fails */
}

/* ---- One message ---- */

static Str sent_at_raw(const struct intake *intake, const Message *message, bool is_own_readable)
{
    const Field *envelope = &intake->body.sent_at;
    bool is_envelope_fit = is_present(envelope) && envelope->raw.len <= 64;
    if (is_own_readable || !is_envelope_fit) return is_present(&message->sent_at) ? message->sent_at.raw : (Str){ 0 };
    return envelope->raw;
}

static void stamp_times(const struct intake *intake, const Message *message, EventStamps *stamps, char *text)
{
    Millis now_ms = intake->received_at_ms, original_ms, sent_ms;
    const Field *original = is_present(&message->timestamp) ? &message->timestamp : &message->original_timestamp;
    bool is_own_readable = is_present(&message->sent_at) && read_instant(&message->sent_at, &sent_ms);
    if (!is_own_readable) sent_ms = intake->sent_at_ms;
    bool is_readable = read_instant(original, &original_ms) && original_ms >= 0;

    Millis skew_ms = sent_ms == INSTANT_NONE ? 0 : now_ms - sent_ms;
    Millis least_ms = intake->worker->collector->options.skew_least_ms;
    if (skew_ms < least_ms && skew_ms > -least_ms) skew_ms = 0;
    Millis happened_ms = is_readable ? original_ms + skew_ms : now_ms;
    if (happened_ms < 0 || happened_ms > now_ms + AHEAD_MS_MAX) happened_ms = now_ms;

    stamps->timestamp_ms = happened_ms;
    stamps->original_timestamp_ms = original_ms;
    stamps->sent_at_ms = sent_ms;
    stamps->original_timestamp_raw = is_present(original) ? original->raw : (Str){ 0 };
    stamps->sent_at_raw = sent_at_raw(intake, message, is_own_readable);
    stamps->received_at = (Str){ intake->received_at, INSTANT_TEXT_BYTES };
    stamps->timestamp = (Str){ text, INSTANT_TEXT_BYTES };
    if (happened_ms == now_ms) stamps->timestamp = stamps->received_at;
    else instant_write(happened_ms, text);
}

static void keep_times(const struct intake *intake, const Message *message, EventStamps *stamps,
                       struct stamp_room *room)
{
    Millis now_ms = intake->received_at_ms, happened_ms, received_ms;
    if (!read_instant(&message->received_at, &received_ms) || received_ms < 0 || received_ms > now_ms)
        received_ms = now_ms;
    bool has_original = read_instant(&message->original_timestamp, &stamps->original_timestamp_ms);
    if (!read_instant(&message->timestamp, &happened_ms))
        happened_ms = has_original ? stamps->original_timestamp_ms : received_ms;
    if (happened_ms < 0 || happened_ms > now_ms + AHEAD_MS_MAX) happened_ms = received_ms;
    (void)read_instant(&message->sent_at, &stamps->sent_at_ms);
    stamps->timestamp_ms = happened_ms;
    if (is_present(&message->original_timestamp)) stamps->original_timestamp_raw = message->original_timestamp.raw;
    if (is_present(&message->sent_at)) stamps->sent_at_raw = message->sent_at.raw;
    instant_write(happened_ms, room->timestamp);
    instant_write(received_ms, room->received_at);
    stamps->timestamp = (Str){ room->timestamp, INSTANT_TEXT_BYTES };
    stamps->received_at = (Str){ room->received_at, INSTANT_TEXT_BYTES };
}

static Str hashed_id(char *to, const char *prefix, Str of)
{
    static const char hex[] = "0123456789abcdef";
    Hash128 hash = hash_128(of, 0);
    size_t len = strlen(prefix);
    memcpy(to, prefix, len);
    for (size_t digit = 0; digit < 32; digit++) {
        uint64_t half = digit < 16 ? hash.high : hash.low;
        to[len + digit] = hex[half >> (60 - 4 * (digit % 16)) & 15];
    }
    return (Str){ to, len + 32 };
}

/* Empty where the client's own will do. One that is made from what was sent is the same when the client
 * sends it again; a message of a live client without any gets a random one, since two that look the same
 * may well be two. */
static Str message_id(const struct intake *intake, const Message *message, char *room)
{
    const Field *id = &message->message_id;
    size_t len = id->kind == FIELD_STRING || id->kind == FIELD_NUMBER ? id->text.len : 0;
    if (len > LIMIT_MESSAGE_ID_BYTES) return hashed_id(room, "long-", id->text);
    if (len > 0) return (Str){ 0 };
    if (intake->request->is_import) return hashed_id(room, "import-", message->raw);
    dice_uuid(intake->worker->collector->options.dice, room);
    return (Str){ room, UUID_BYTES };
}

EventStamps collect_stamp(struct intake *intake, const struct source_entry *source, const Message *message,
                          EventType type, struct stamp_room *room)
{
    const CollectRequest *request = intake->request;
    EventStamps stamps = {
        .type = type, .from_import = request->is_import,
        .source = source->source.name, .source_raw = source->name_raw,
        .message_id = message_id(intake, message, room->message_id), .received_at_ms = intake->received_at_ms,
        .context = &intake->context, .integrations = &intake->integrations,
    };
    if (request->is_import) {
        keep_times(intake, message, &stamps, room);
        return stamps;
    }
    stamp_times(intake, message, &stamps, room->timestamp);
    const Body *body = &intake->body;
    const Field *direct = message->context_direct.kind ? &message->context_direct : &body->context_direct;
    bool is_direct = direct->kind == FIELD_BOOL && str_equal(direct->raw, STR("true"));
    if (!message->context_ip.kind && !body->context_ip.kind && (!source->source.is_server || is_direct))
        stamps.ip_raw = intake->ip_raw;
    if (!message->context_user_agent.kind && !body->context_user_agent.kind)
        stamps.user_agent_raw = intake->user_agent_raw;
    return stamps;
}
