/* collect_stamp: what we add to a message: ids, address, browser. Its times: collect_times.c. */
#include "collect_stations.h"

static Str quoted(Arena *arena, Str s)
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
    Millis given_ms = intake->request->received_at_ms;
    intake->received_at_ms = given_ms ? given_ms : clock_now_ms(intake->workspace->collector->options.clock);
    instant_write(intake->received_at_ms, intake->received_at);
    intake->ip_raw = quoted(intake->arena, intake->request->ip);
    intake->user_agent_raw = quoted(intake->arena, intake->request->user_agent);
}

/* ---- One message ---- */

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

/* Empty if the client's own id is kept. An id that is too long is replaced by its hash. An import's id is made from the
 * line, so it is the same when the line comes again; a live client's message without an id gets a random one, since two
 * messages that look the same may well be two. */
static Str message_id(const struct intake *intake, const Message *message, char *room)
{
    const Field *id = &message->message_id;
    size_t len = id->kind == FIELD_STRING || id->kind == FIELD_NUMBER ? id->text.len : 0;
    if (len > LIMIT_MESSAGE_ID_BYTES) return hashed_id(room, "long-", id->text);
    if (len > 0) return (Str){ 0 };
    if (intake->request->is_import) return hashed_id(room, "import-", message->raw);
    dice_uuid(intake->workspace->collector->options.dice, room);
    event_mark_made_id(room);
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
        .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE,
    };
    room->refused.reason = NULL;
    if (request->is_import) {
        collect_keep_times(intake, message, &stamps, room);
        return stamps;
    }
    collect_stamp_times(intake, message, &stamps, room->timestamp);
    const Body *body = &intake->body;
    const Field *direct = message->context_direct.kind ? &message->context_direct : &body->context_direct;
    bool is_direct = direct->kind == FIELD_BOOL && str_equal(direct->raw, STR("true"));
    if (!message->context_ip.kind && !body->context_ip.kind && (!source->source.is_server || is_direct))
        stamps.ip_raw = intake->ip_raw;
    if (!message->context_user_agent.kind && !body->context_user_agent.kind)
        stamps.user_agent_raw = intake->user_agent_raw;
    return stamps;
}
