/* live_row: a record of the journal becomes a row: what was sent, what became of it, whose it is. */
#include "live_private.h"

Status live_row_read(Str record, JournalPos pos, Arena *arena, LiveRow *ret, bool *ret_is_message, Err *err)
{
    *ret = (LiveRow){ .pos = pos, .person = IDENTITY_NONE };
    *ret_is_message = false;
    switch (record_kind(record)) {
    case RECORD_EVENT:
        *ret_is_message = true;
        return event_decode(record, &ret->event, err);
    case RECORD_REJECTED:
        *ret_is_message = true;
        ret->fate = LIVE_REJECTED;
        Status s = rejected_decode(record, &ret->rejected, err);
        if (!s && event_tree_read(ret->rejected.json, arena, &ret->tree, NULL)) ret->tree = NULL;
        return s;
    case RECORD_COMMAND:
    case RECORD_ERASED:
        return OK;
    }
    return err_set(err, ERR_DAMAGED, "no known kind of record");
}

/* The index leaves out both repeated and suppressed messages; the present set of suppressed ids tells which it was. */
void live_row_judge(struct applier *applier, const People *people, struct event_parser *parser, Arena scratch,
                    LiveRow *row)
{
    struct control *control = derive_control(applier);
    bool is_erased;
    if (row->fate == LIVE_REJECTED) return;
    if (derive_is_duplicate(applier, row->pos)) {
        bool is_suppressed = control_suppresses_message(control, parser, &row->event, scratch);
        row->fate = is_suppressed ? LIVE_SUPPRESSED : LIVE_REPEATED;
    }
    if (row->fate == LIVE_SUPPRESSED) return;
    row->person = people_find_sender(people, &row->event, &is_erased);
    row->is_hidden = is_erased;
}

/* ---- As JSON ---- */

/* Puts JSON text on one line, whatever counts as a line end to the reader: between tokens a line end becomes a
 * space; inside strings only these two can occur unescaped. */
static void put_line(struct buf *out, Str json)
{
    size_t begun = 0;
    for (size_t at = 0; at < json.len; at++) {
        const unsigned char *c = (const unsigned char *)json.bytes + at;
        bool is_separator = at + 2 < json.len && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9);
        if (!is_separator && c[0] >= ' ') continue;
        buf_str_put(out, str_slice(json, begun, at));
        buf_str_put(out, !is_separator ? STR(" ") : c[2] == 0xa8 ? STR("\\u2028") : STR("\\u2029"));
        if (is_separator) at += 2;
        begun = at + 1;
    }
    buf_str_put(out, str_slice(json, begun, json.len));
}

void live_put_raw(struct buf *out, const char *name, Str json)
{
    json_name(out, str_from(name));
    put_line(out, json);
}

static void put_text(struct buf *out, const char *name, Str text)
{
    struct buf quoted;
    buf_init(&quoted, 8 * LIMIT_RECORD_BYTES);
    buf_json_string(&quoted, text);
    live_put_raw(out, name, buf_ok(&quoted) ? buf_str(&quoted) : STR("null"));
    buf_done(&quoted);
}

static void put_begin(struct buf *out, uint64_t position, LiveFate fate)
{
    json_object(out, NULL);
    json_uint(out, "position", position);
    json_word(out, "fate", live_fate_word(fate));
}

static void put_end(struct buf *out, Str source, Millis received_at_ms)
{
    if (source.len) put_text(out, "source", source);
    else json_null(out, "source");
    json_instant(out, "received_at", received_at_ms);
}

/* Of a suppressed message only its type is told. */
static void put_kind(struct buf *out, EventType type)
{
    json_object(out, "message");
    if (type != EVENT_NONE) json_word(out, "type", event_type_word(type));
    json_object_end(out);
}

static void put_suppressed(struct buf *out, Str source, EventType type, uint32_t count, Millis received_at_ms)
{
    json_word(out, "reason", "suppressed_id");
    put_kind(out, type);
    json_uint(out, "count", count);
    put_end(out, source, received_at_ms);
    json_null(out, "person");
}

static void put_rejected(const LiveRow *row, struct buf *out)
{
    const Rejected *rejected = &row->rejected;
    put_text(out, "reason", rejected->reason);
    if (rejected->field.len) put_text(out, "field", rejected->field);
    put_text(out, "text", rejected->text);
    if (row->tree) live_put_raw(out, "message", rejected->json);
    else put_text(out, "message", rejected->json);
    put_end(out, rejected->source, rejected->received_at_ms);
    json_null(out, "person");
}

void live_row_begin(const LiveRow *row, Str person, struct buf *out)
{
    const Event *event = &row->event;
    put_begin(out, journal_number(row->pos), row->fate);
    if (row->fate == LIVE_REJECTED) {
        put_rejected(row, out);
        return;
    }
    if (row->fate == LIVE_SUPPRESSED) {
        put_suppressed(out, event->source, event->type, 1, event->received_at_ms);
        return;
    }
    if (row->fate == LIVE_REPEATED) json_word(out, "reason", "repeats_message_id");
    live_put_raw(out, "message", event->json);
    if (event->plan_check.len) live_put_raw(out, "plan", event->plan_check);
    put_end(out, event->source, event->received_at_ms);
    live_put_raw(out, "person", person);
}

void live_row_write(const LiveRow *row, Str person, struct buf *out)
{
    live_row_begin(row, person, out);
    json_object_end(out);
}

/* Its position is one between those of records: so it differs from them, and sorts where it came. */
void live_note_write(const LiveNote *note, struct buf *out)
{
    put_begin(out, journal_number(journal_before(note->place)), LIVE_SUPPRESSED);
    put_suppressed(out, note->source, note->type, note->count, note->received_at_ms);
    json_object_end(out);
}
