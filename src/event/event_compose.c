/* event_compose: canonical JSON (docs/protocol.md#stored-form). Values are copied as the client wrote them;
 * the fields stand in one order, whatever the client's was:
 *
 *   messageId anonymousId userId previousId groupId timestamp originalTimestamp sentAt receivedAt
 *   type event name category projectId properties traits context integrations, then the unknown ones, timeProblem
 *   unreadTimestamp planCheck
 *
 * What differs most from message to message comes first, what repeats comes last: a block of such
 * records compresses better than with the order in which clients write. The strings that a
 * record points to come in the order in which its head lists them (event_record.c).
 *
 * event_record_bytes_max reserves the room once; the functions here write without asking for more.
 */
#include "event_parser.h"
#include "event_record.h"

/* Every name, quote, comma, type word and instant that we add, and the record's head. */
enum { FIXED_BYTES = 640 };

static void put(char **to, Str s)
{
    memcpy(*to, s.bytes, s.len);
    *to += s.len;
}

#define PUT(to, literal) (memcpy(*(to), literal, sizeof(literal) - 1), *(to) += sizeof(literal) - 1)

/* ---- Defaults ---- */

Status event_list_defaults(struct event_parser *parser, const Field *field, Arena *arena, EventDefaults *ret, Err *err)
{
    *ret = (EventDefaults){ 0 };
    if (field->kind == FIELD_ABSENT || field->kind == FIELD_NULL || (field->kind == FIELD_ARRAY && !field->key_count))
        return OK;
    if (field->kind != FIELD_OBJECT) return err_set(err, ERR_INPUT, "batch: context or integrations is no object");
    if (field->key_count > EVENT_DEFAULTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "batch: over %d keys in context or integrations", EVENT_DEFAULTS_MAX);
    if (field->key_count == 0) return OK;
    ret->names = arena_new(arena, Str, field->key_count);
    ret->members = arena_new(arena, Str, field->key_count);
    const char *text = parser->walk.text;
    const uint32_t *token = parser->walk.tokens + field->token + 1;
    for (; text[*token] != '}'; token += text[*token] == ',') {
        Str name = parser_read_string(parser, token, arena);
        const uint32_t *next = walk_skip(text, token + 2);
        size_t at = 0;
        while (at < ret->count && !str_equal(ret->names[at], name)) at++;
        ret->names[at] = name;
        ret->members[at] = (Str){ text + token[0], *next - token[0] };      /* no white space before the comma */
        if (at == ret->count) ret->count++;
        token = next;
    }
    for (size_t at = 0; at < ret->count; at++) ret->bytes += ret->members[at].len + 1;
    return OK;
}

/* Marks the defaults that are not needed, because the object has a member of that name. */
static void mark_own(struct event_parser *parser, const Field *own, const EventDefaults *defaults, bool *is_own)
{
    if (own->kind != FIELD_OBJECT) return;
    const char *text = parser->walk.text;
    const uint32_t *token = parser->walk.tokens + own->token + 1;
    for (; text[*token] != '}'; token += text[*token] == ',') {
        Arena scratch = *parser->arena;
        Str name = parser_read_string(parser, token, &scratch);
        for (size_t at = 0; at < defaults->count; at++)
            if (str_equal(defaults->names[at], name)) is_own[at] = true;
        token = walk_skip(text, token + 2);
    }
}

/* ---- Fields ---- */

/* Writes an object, with defaults for the members that it lacks; writes nothing where both are absent. */
static void put_object(char **to, struct event_parser *parser, Str name_raw, const Field *own,
                       const EventDefaults *defaults, const EventStamps *context_stamps)
{
    Str ip = context_stamps ? context_stamps->ip_raw : (Str){ 0 };
    Str user_agent = context_stamps ? context_stamps->user_agent_raw : (Str){ 0 };
    bool has_defaults = defaults && defaults->count, is_object = own->kind == FIELD_OBJECT;
    if (own->kind == FIELD_ABSENT && !has_defaults && !ip.len && !user_agent.len) return;
    put(to, name_raw);
    if (!has_defaults && !ip.len && !user_agent.len) {
        if (own->kind == FIELD_ARRAY && own->key_count == 0) PUT(to, "{}");        /* PHP's empty object */
        else put(to, own->raw);
        return;
    }
    PUT(to, "{");
    if (is_object && own->key_count) {
        put(to, str_slice(own->raw, 1, own->raw.len - 1));
        PUT(to, ",");
    }
    if (has_defaults) {
        bool is_own[EVENT_DEFAULTS_MAX] = { false };
        mark_own(parser, own, defaults, is_own);
        for (size_t at = 0; at < defaults->count; at++) {
            if (is_own[at]) continue;
            put(to, defaults->members[at]);
            PUT(to, ",");
        }
    }
    if (user_agent.len) {
        PUT(to, "\"userAgent\":");
        put(to, user_agent);
        PUT(to, ",");
    }
    if (ip.len) {
        PUT(to, "\"ip\":");
        put(to, ip);
        PUT(to, ",");
    }
    if ((*to)[-1] == ',') (*to)--;
    PUT(to, "}");
}

/* Writes an id, as a string. Gives the place of its text: in what was written, unless that has escapes. */
static void put_id(char **to, Str name_raw, const Field *id, Str *ret_text)
{
    *ret_text = (Str){ 0 };
    if (id->kind == FIELD_ABSENT) return;
    put(to, name_raw);
    if (id->kind == FIELD_NUMBER) {
        PUT(to, "\"");
        *ret_text = (Str){ *to, id->text.len };
        put(to, id->text);
        PUT(to, "\"");
        return;
    }
    bool is_plain = id->text.len + 2 == id->raw.len;
    if (id->kind == FIELD_STRING) *ret_text = is_plain ? (Str){ *to + 1, id->text.len } : id->text;
    put(to, id->raw);
}

static void put_name(char **to, Str name_raw, const Field *field, Str *ret_text)
{
    *ret_text = (Str){ 0 };
    if (field->kind == FIELD_ABSENT) return;
    put(to, name_raw);
    if (field->kind == FIELD_STRING)
        *ret_text = field->text.len + 2 == field->raw.len ? (Str){ *to + 1, field->text.len } : field->text;
    put(to, field->raw);
}

static void put_raw(char **to, Str name_raw, Str raw)
{
    if (raw.len == 0) return;
    put(to, name_raw);
    put(to, raw);
}

static void put_text(char **to, Str name_raw, Str text)
{
    put(to, name_raw);
    PUT(to, "\"");
    put(to, text);
    PUT(to, "\"");
}

/* Names of pages and screens that are empty (Ruby's default) are left out. */
static bool is_dropped(EventType type, const Field *field)
{
    return (type == EVENT_PAGE || type == EVENT_SCREEN) && field->kind == FIELD_STRING && field->text.len == 0;
}

static void put_calls(char **to, const Message *message, const EventStamps *stamps, Event *event)
{
    Str event_name;
    put_text(to, STR(",\"type\":"), str_from(event_type_word(stamps->type)));
    put_name(to, STR(",\"event\":"), &message->event, &event_name);
    if (!is_dropped(stamps->type, &message->name)) put_name(to, STR(",\"name\":"), &message->name, &event->name);
    if (!is_dropped(stamps->type, &message->category))
        put_name(to, STR(",\"category\":"), &message->category, &event->category);
    if (stamps->type == EVENT_TRACK) event->name = event_name;
    else if (stamps->type != EVENT_PAGE && stamps->type != EVENT_SCREEN) event->name = (Str){ 0 };
}

/* The text of a time inside the raw JSON that was just written: a string without escapes. It is known that the
 * instant can be read. */
static Str time_inside(const char *end, Str raw, Millis ms)
{
    if (raw.len < 3 || raw.bytes[0] != '"' || ms == INSTANT_NONE || memchr(raw.bytes, '\\', raw.len)) return (Str){ 0 };
    return (Str){ end - raw.len + 1, raw.len - 2 };
}

static void put_times(char **to, const EventStamps *stamps, RecordTimes *times)
{
    put_text(to, STR(",\"timestamp\":"), stamps->timestamp);
    times->timestamp = (Str){ *to - 1 - stamps->timestamp.len, stamps->timestamp.len };
    put_raw(to, STR(",\"originalTimestamp\":"), stamps->original_timestamp_raw);
    times->original_timestamp = time_inside(*to, stamps->original_timestamp_raw, stamps->original_timestamp_ms);
    put_raw(to, STR(",\"sentAt\":"), stamps->sent_at_raw);
    times->sent_at = time_inside(*to, stamps->sent_at_raw, stamps->sent_at_ms);
    put_text(to, STR(",\"receivedAt\":"), stamps->received_at);
    if (!stamps->from_import)                    /* an import's JSON keeps the archive's own */
        times->received_at = (Str){ *to - 1 - stamps->received_at.len, stamps->received_at.len };
}

/* RudderStack's SDKs for Python and browsers put an identify's traits into its context only. In other calls
 * context.traits repeats what is known of the user anyway, so nothing is written. */
static const Field *traits_of(const Message *message, EventType type)
{
    const Field *traits = &message->traits, *known = &message->context_traits;
    bool is_there = known->kind == FIELD_OBJECT && known->raw.len > 2;
    return type == EVENT_IDENTIFY && traits->kind <= FIELD_NULL && is_there ? known : traits;
}

static void put_others(char **to, const Message *message)
{
    for (uint32_t at = 0; at < message->other_count; at++) {
        PUT(to, ",");
        put(to, message->others[at]);
    }
}

/* Of what a client sends back of ours nothing is kept, or it could say what we never said; an archive keeps its own. */
static void put_stamps(char **to, const Message *message, const EventStamps *stamps, Event *event)
{
    if (stamps->time_problem.len) {
        put_text(to, STR(",\"timeProblem\":"), stamps->time_problem);
        put_raw(to, STR(",\"unreadTimestamp\":"), stamps->unread_timestamp_raw);
    } else if (stamps->from_import) {
        put_raw(to, STR(",\"timeProblem\":"), message->time_problem);
        put_raw(to, STR(",\"unreadTimestamp\":"), message->unread_timestamp);
    }
    put_raw(to, STR(",\"planCheck\":"), stamps->plan_check_raw);
    event->plan_check = (Str){ *to - stamps->plan_check_raw.len, stamps->plan_check_raw.len };
}

static char *compose(char *to, struct event_parser *parser, const Message *message, const EventStamps *stamps,
                     Event *event, RecordTimes *times)
{
    static const Field absent;
    Field made_id = { .kind = FIELD_NUMBER, .text = stamps->message_id };      /* quoted like an id's number */
    char *start = to;
    PUT(&to, "{");
    put_id(&to, STR("\"messageId\":"), stamps->message_id.len ? &made_id : &message->message_id, &event->message_id);
    put_id(&to, STR(",\"anonymousId\":"), &message->anonymous_id, &event->anonymous_id);
    put_id(&to, STR(",\"userId\":"), &message->user_id, &event->user_id);
    put_id(&to, STR(",\"previousId\":"), &message->previous_id, &event->previous_id);
    put_id(&to, STR(",\"groupId\":"), &message->group_id, &event->group_id);
    put_times(&to, stamps, times);
    put_calls(&to, message, stamps, event);
    PUT(&to, ",\"projectId\":");
    event->source = stamps->source;
    if (stamps->source.len + 2 == stamps->source_raw.len) event->source.bytes = to + 1;
    put(&to, stamps->source_raw);
    put_object(&to, parser, STR(",\"properties\":"), &message->properties, NULL, NULL);
    put_object(&to, parser, STR(",\"traits\":"), traits_of(message, stamps->type), NULL, NULL);
    put_object(&to, parser, STR(",\"context\":"), message->context.kind == FIELD_NULL ? &absent : &message->context,
               stamps->context, stamps);
    put_object(&to, parser, STR(",\"integrations\":"),
               message->integrations.kind == FIELD_NULL ? &absent : &message->integrations, stamps->integrations, NULL);
    if (message->other_count) put_others(&to, message);
    put_stamps(&to, message, stamps, event);
    PUT(&to, "}");
    event->json = (Str){ start, (size_t)(to - start) };
    return to;
}

size_t event_record_bytes_max(const Message *message, const EventStamps *stamps)
{
    /* the message; once more its ids, as extras; what is added */
    size_t ids = message->message_id.text.len + message->user_id.text.len + message->anonymous_id.text.len +
                 message->previous_id.text.len + message->group_id.text.len + message->event.text.len +
                 message->name.text.len + message->category.text.len;
    return FIXED_BYTES + message->raw.len + ids + stamps->source.len + stamps->source_raw.len +
           stamps->message_id.len + stamps->timestamp.len + stamps->received_at.len +
           stamps->original_timestamp_raw.len + stamps->sent_at_raw.len + stamps->ip_raw.len +
           message->context_traits.raw.len +         /* may stand as traits, too */
           stamps->time_problem.len + stamps->unread_timestamp_raw.len +
           stamps->user_agent_raw.len + stamps->plan_check_raw.len + (stamps->context ? stamps->context->bytes : 0) +
           (stamps->integrations ? stamps->integrations->bytes : 0);
}

void event_encode_message(struct buf *buf, struct event_parser *parser, const Message *message,
                          const EventStamps *stamps)
{
    size_t most = event_record_bytes_max(message, stamps), start = buf->len;
    check(stamps->type > EVENT_NONE && stamps->type < EVENT_TYPE_COUNT && !message->broken);
    if (!buf_reserve(buf, most)) return;
    Event event = {
        .type = stamps->type, .from_import = stamps->from_import,
        .timestamp_ms = stamps->timestamp_ms, .original_timestamp_ms = stamps->original_timestamp_ms,
        .sent_at_ms = stamps->sent_at_ms, .received_at_ms = stamps->received_at_ms,
    };
    RecordTimes times = { 0 };
    char *end = compose(buf->bytes + start + RECORD_HEAD_BYTES, parser, message, stamps, &event, &times);
    buf->len = (size_t)(end - buf->bytes);
    record_finish(buf, start, &event, &times);
    check(!buf_ok(buf) || buf->len - start <= most);
}
