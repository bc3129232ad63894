/* THE FIRST CORRIDOR. Bytes come in at the top, one station after the other judges them or adds to them, and at the
 * bottom there are records in an append. collect_request is the whole way.
 *
 * Memory. The arena of a workspace holds, for a body of B = LIMIT_BODY_BYTES at most: the inflated body (B),
 * a copy without white space (B), a repaired copy (3 B), and while it is parsed six times the last of these
 * (18 B): 23 B = 12 MiB. An import may bring 4 MiB of lines, and each line is at most B. Address space that is not
 * used costs nothing, so WORKSPACE_BYTES is generous. */
#include "collect_stations.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_KEEP_BYTES = 512 * 1024 };         /* how much of its arena a workspace keeps after a large body */
enum { READING_KEYS_LOOKED_AT = 8 };            /* in one rejected message */

static_assert(WORKSPACE_BYTES > LIMIT_APPEND_BYTES + 24 * LIMIT_BODY_BYTES, "the sum above");

/* ---- Workers ---- */

Status collect_workspace_open(struct collector *collector, struct collect_workspace **ret, Err *err)
{
    struct collect_workspace *workspace = calloc(1, sizeof *workspace);
    if (workspace) {
        workspace->collector = collector;
        workspace->parser = event_parser_open();
        workspace->inflater = inflater_open();
        region_open(&workspace->region, WORKSPACE_BYTES);
        if (workspace->parser && workspace->inflater) {
            *ret = workspace;
            return OK;
        }
    }
    collect_workspace_close(workspace);
    return err_set(err, ERR_FULL, "collect: no memory for a workspace");
}

void collect_workspace_close(struct collect_workspace *workspace)
{
    if (!workspace) return;
    region_close(&workspace->region);
    inflater_close(workspace->inflater);
    event_parser_close(workspace->parser);
    free(workspace);
}

/* ---- What is kept ---- */

/* The byte that an escape stands for, of JSON (\u003d, \/) or of a URL (%3D). Returns the escape's length; 0: none. */
static size_t read_escape(Str text, char *ret)
{
    size_t name = text.bytes[0] == '%' ? 1 : text.len > 1 && text.bytes[1] == 'u' ? 2 : 0, digits = 2 * name;
    unsigned value = 0;
    if (!name && text.bytes[0] != '\\') return 0;
    if (!name) return *ret = text.len > 1 ? text.bytes[1] : 0, text.len > 1 ? 2 : 1;
    if (text.len < name + digits) return 0;
    for (size_t at = name; at < name + digits; at++) {
        int digit = hex_value(text.bytes[at]);
        if (digit < 0) return 0;
        value = value << 4 | (unsigned)digit;
    }
    *ret = value < 128 ? (char)value : 0;
    return name + digits;
}

/* The key as it is meant, where it is written with escapes; empty: it has none, or is too long for a key. */
static Str without_escapes(Str key, char plain[LIMIT_ID_BYTES])
{
    Str text = { plain, 0 };
    bool has_some = false;
    for (size_t at = 0, length; at < key.len; at += length) {
        char byte = key.bytes[at];
        length = byte == '%' || byte == '\\' ? read_escape(str_slice(key, at, key.len), &byte) : 0;
        has_some |= length > 0;
        if (!length) length = 1;
        if (!byte || (byte == '\\' && at + length == key.len)) continue;      /* the last one belongs to what follows */
        if (text.len == LIMIT_ID_BYTES) return (Str){ 0 };
        plain[text.len++] = byte;
    }
    return has_some ? text : (Str){ 0 };
}

bool collect_is_reading_key(const struct intake *intake, Str key)
{
    const CollectOptions *options = &intake->workspace->collector->options;
    char plain[LIMIT_ID_BYTES];
    if (!options->is_reading_key || !key.len) return false;
    if (key.len <= LIMIT_ID_BYTES && options->is_reading_key(options->reading_key_context, key)) return true;
    Str meant = without_escapes(key, plain);
    return meant.len && options->is_reading_key(options->reading_key_context, meant);
}

/* Stars for the key wherever it stands in the text; a copy of it where it does. */
static Str without_key(struct intake *intake, Str text, Str key)
{
    char *copy = NULL;
    for (size_t at = 0; at + key.len <= text.len; at++) {
        const char *found = memmem(text.bytes + at, text.len - at, key.bytes, key.len);
        if (!found) break;
        at = (size_t)(found - text.bytes) + key.len - 1;
        if (!copy) copy = memcpy(arena_bytes(intake->arena, text.len), text.bytes, text.len);
        memset(copy + (found - text.bytes), '*', key.len);
    }
    return copy ? (Str){ copy, text.len } : text;
}

/* What of a rejected message may be kept, by rule 5. Keys are looked for where clients send them, as "writeKey",
 * "write_key", "apiKey" and the like, at any depth: of a message that is broken no field is known. */
static Str without_reading_keys(struct intake *intake, Str raw)
{
    static const Str name = STR("ey\":\"");
    if (!intake->workspace->collector->options.is_reading_key) return raw;
    for (size_t at = 0, tries = 0; at < raw.len && tries < READING_KEYS_LOOKED_AT; tries++) {
        const char *found = memmem(raw.bytes + at, raw.len - at, name.bytes, name.len);
        if (!found) break;
        at = (size_t)(found - raw.bytes) + name.len;
        const char *end = memchr(raw.bytes + at, '"', raw.len - at);
        Str key = str_slice(raw, at, end ? (size_t)(end - raw.bytes) : raw.len);
        if (collect_is_reading_key(intake, key)) raw = without_key(intake, raw, key);
    }
    return raw;
}

static bool came_with_reading_key(const struct intake *intake)
{
    return collect_is_reading_key(intake, intake->request->header_key)
        || collect_is_reading_key(intake, intake->request->query_key)
        || collect_is_reading_key(intake, intake->body.write_key.text);
}

static const Rule large = { "message_too_large", "", NULL };
static const Rule foreign = { "origin_not_allowed", "writeKey", "the source is not open to this page" };

static void keep_rejected(struct intake *intake, const Rejected *rejected)
{
    size_t begun = journal_begin_record(intake->append);
    rejected_encode(&intake->append->frames, rejected);
    journal_end_record(intake->append, begun);
}

void collect_reject_whole(struct intake *intake, const struct source_entry *source, const Rule *rule, Str raw)
{
    Arena before = *intake->arena;
    Rejected rejected = {
        .source = source->source.name, .reason = str_from(rule->reason), .field = str_from(rule->field),
        .text = str_from(rule->text), .received_at_ms = intake->received_at_ms, .is_whole = true,
        .json = without_reading_keys(intake, raw), .from_import = intake->request->is_import,
    };
    intake->result.rejected++;
    keep_rejected(intake, &rejected);
    *intake->arena = before;
}

void collect_reject(struct intake *intake, const struct source_entry *source, const Rule *rule, const char *text,
                    Str raw)
{
    struct collector *collector = intake->workspace->collector;
    char line_text[300];
    Millis ignored;
    Arena before = *intake->arena;
    intake->result.rejected++;
    if ((!source || rule == &foreign) && !intake->request->is_import &&                   /* anybody can send these */
        !collect_take_rate(&collector->unknown, COLLECT_UNKNOWN_PER_SECOND, 0, 1,
                           clock_monotonic_ns(collector->options.clock), &ignored))
        return;
    Str kept = without_reading_keys(intake, raw);
    if (!source && (kept.bytes != raw.bytes || came_with_reading_key(intake)))
        text = "this key reads, and stands where a write key belongs: whoever saw it can read; change it";
    if (intake->line) {
        snprintf(line_text, sizeof line_text, "line %" PRIu64 ": %s", intake->line, text);
        text = line_text;
    }
    Rejected rejected = {
        .source = source ? source->source.name : (Str){ 0 }, .reason = str_from(rule->reason),
        .field = str_from(rule->field), .text = str_from(text), .received_at_ms = intake->received_at_ms, .json = kept,
        .from_import = intake->request->is_import,
    };
    keep_rejected(intake, &rejected);
    *intake->arena = before;
}

/* A record that may be over the limit is made in a buffer of its own first: only from there can it be taken back. */
static bool fits_record(struct intake *intake, const Message *message, const EventStamps *stamps)
{
    if (event_record_bytes_max(message, stamps) <= LIMIT_RECORD_BYTES) return true;
    Arena scratch = *intake->arena;
    struct buf aside;
    size_t room = event_record_bytes_max(message, stamps);
    if (room > arena_left(&scratch)) return false;
    buf_init_fixed(&aside, arena_bytes(&scratch, room), room);
    event_encode_message(&aside, intake->workspace->parser, message, stamps);
    return buf_ok(&aside) && aside.len <= LIMIT_RECORD_BYTES;
}

static bool looks_inside(const CollectOptions *options)
{
    return options->has_suppressed_external && options->has_suppressed_external(options->suppressed_context);
}

static bool is_suppressed(const struct intake *intake, const Message *message, EventType type)
{
    const CollectOptions *options = &intake->workspace->collector->options;
    if (options->is_suppressed && options->is_suppressed(options->suppressed_context, type, message->user_id.text,
                                                         message->anonymous_id.text, message->previous_id.text))
        return true;
    return looks_inside(options)
        && options->carries_suppressed(options->suppressed_context, intake->workspace->parser, message->raw,
                                       *intake->arena);
}

/* Asks of the message as it would be stored: with the batch's context, and an identify's traits from its context. */
static bool is_suppressed_as_kept(const struct intake *intake, const Message *message, const EventStamps *stamps)
{
    const CollectOptions *options = &intake->workspace->collector->options;
    if (!looks_inside(options)) return false;
    Arena scratch = *intake->arena;
    struct buf aside;
    Event event;
    size_t room = event_record_bytes_max(message, stamps);
    if (room > arena_left(&scratch)) return false;           /* then the applier leaves it out */
    buf_init_fixed(&aside, arena_bytes(&scratch, room), room);
    event_encode_message(&aside, intake->workspace->parser, message, stamps);
    return buf_ok(&aside) && event_decode(buf_str(&aside), &event, NULL) == OK
        && options->carries_suppressed(options->suppressed_context, intake->workspace->parser, event.json, scratch);
}

static void count_suppressed(struct intake *intake, EventType type)
{
    intake->result.suppressed++;
    intake->result.suppressed_types[type]++;
}

/* A message that keeps all rules is stamped, compared with the plan, and encoded. The arena is afterwards as it was
 * before: the stamps lie in it only until they are copied into the record. */
static void accept_message(struct intake *intake, const struct source_entry *source, const Message *message,
                           EventType type)
{
    struct stamp_room room;
    Arena before = *intake->arena;
    EventStamps stamps = collect_stamp(intake, source, message, type, &room);
    if (room.refused.reason) {
        collect_reject(intake, source, &room.refused, room.refused.text, message->raw);
        return;
    }
    if (!collect_check_plan(intake, source, message, &stamps)) {
        *intake->arena = before;
        return;
    }
    if (!fits_record(intake, message, &stamps)) {
        collect_reject(intake, source, &large, "too large with the batch's context merged", message->raw);
    } else if (is_suppressed_as_kept(intake, message, &stamps)) {
        count_suppressed(intake, type);
    } else {
        size_t begun = journal_begin_record(intake->append);
        event_encode_message(&intake->append->frames, intake->workspace->parser, message, &stamps);
        journal_end_record(intake->append, begun);
        intake->result.accepted++;
        collect_count_problem(&intake->result, &stamps);
    }
    *intake->arena = before;
}

const Rule *collect_closed(const struct intake *intake, const struct source_entry *source)
{
    static const Rule disabled = { "source_disabled", "writeKey", "the source is disabled" },
                      rotated = { "key_rotated", "writeKey", "the source has another write key now" };
    if (!source->source.is_enabled) return &disabled;
    return source->is_old && intake->received_at_ms >= source->source.old_key_until_ms ? &rotated : NULL;
}

static void keep_message(struct intake *intake, const Message *message)
{
    static const Rule broken = { "bad_request", "", NULL }, unknown = { "project_not_found", "writeKey", NULL };
    const struct source_entry *source = collect_source_of(intake, message);
    size_t most = intake->request->is_import ? LIMIT_RECORD_BYTES : LIMIT_MESSAGE_BYTES;
    EventType type = intake->request->implied_type;
    const Rule *rule;
    if (type == EVENT_NONE) type = event_type_from(message->type.text);
    if (is_suppressed(intake, message, type)) {
        count_suppressed(intake, type);
    } else if (!source) {
        collect_reject(intake, NULL, &unknown, "no source has this write key", message->raw);
    } else if (collect_is_foreign(intake, source)) {
        collect_reject(intake, source, &foreign, foreign.text, message->raw);
    } else if ((rule = collect_closed(intake, source)) != NULL) {
        collect_reject(intake, source, rule, rule->text, message->raw);
    } else if (message->broken) {
        collect_reject(intake, source, &broken, message->broken, message->raw);
    } else if (message->raw.len > most) {
        collect_reject(intake, source, &large, "the message is too large", message->raw);
    } else if ((rule = collect_validate(message, type)) != NULL) {
        collect_reject(intake, source, rule, rule->text, message->raw);
    } else {
        accept_message(intake, source, message, type);
    }
}

/* ---- The corridor ---- */

Status collect_keep_body(struct intake *intake, Err *err)
{
    struct event_parser *parser = intake->workspace->parser;
    Body *body = &intake->body;
    Status s = collect_admit(intake, err);
    if (s) return s;
    if (!body->is_batch && !intake->request->is_import && body->messages[0].raw.len > LIMIT_MESSAGE_BYTES)
        return err_set(err, ERR_TOO_LARGE, "message: over %d bytes", LIMIT_MESSAGE_BYTES);
    s = event_list_defaults(parser, &body->context, intake->arena, &intake->context, err);
    if (s) return s;
    s = event_list_defaults(parser, &body->integrations, intake->arena, &intake->integrations, err);
    if (s) return s;
    for (size_t at = 0; at < body->message_count; at++) keep_message(intake, &body->messages[at]);
    if (buf_ok(&intake->append->frames)) return OK;
    return err_set(err, ERR_TOO_LARGE, "batch: too large once its context is merged");
}

/* From bytes to a Body. What could not be read is in *ret_raw. */
static Status read_body(struct intake *intake, Str *ret_raw, Err *err)
{
    const CollectRequest *request = intake->request;
    *ret_raw = (Str){ 0 };                                  /* of broken gzip nothing is text */
    if (request->unread) {
        *ret_raw = request->body;
        return err_set(err, ERR_INPUT, "%s", request->unread);
    }
    Status s = collect_inflate(intake, ret_raw, err);
    if (s || request->is_import) return s;
    return event_parse_body(intake->workspace->parser, *ret_raw, LIMIT_BATCH_EVENTS, intake->arena, &intake->body, err);
}

static Status collect_body(struct intake *intake, Err *err)
{
    Str body;
    Status s = collect_authorize(intake, err);
    if (s) return s;
    collect_stamp_request(intake);
    s = read_body(intake, &body, err);
    if (s && intake->request->keeps_unread) {
        Err why = *err;
        return collect_keep_unread(intake, body, &why, err);
    }
    if (s) return s;
    if (intake->request->is_import) return collect_import_lines(intake, body, err);
    return collect_keep_body(intake, err);
}

Status collect_request(struct collect_workspace *workspace, const CollectRequest *request,
                       struct journal_append *append, CollectResult *ret, Err *err)
{
    Arena arena = region_arena(&workspace->region);
    struct intake intake = { .workspace = workspace, .request = request, .append = append, .arena = &arena };
    Status s = collect_body(&intake, err);
    *ret = intake.result;
    if (request->body.len > ARENA_KEEP_BYTES / 4) region_trim(&workspace->region, ARENA_KEEP_BYTES);
    if (s) journal_append_clear(append);
    return s;
}
