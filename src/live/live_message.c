/* live_message: one message, with what Onym put into it. The stored JSON has the client's members and Onym's together,
 * so this recognizes each of Onym's stamps by its form; if the client may have sent the same, the answer says so. */
#include "live_private.h"

enum { KNOWN_WAIT_MS = 2000 };

/* ---- Stamps ---- */

static void put_stamp(struct buf *out, const char *path, const char *change, const TreeNode *value, const TreeNode *was)
{
    json_object(out, NULL);
    json_word(out, "path", path);
    json_word(out, "change", change);
    live_put_raw(out, "value", value->raw);
    if (was) live_put_raw(out, "was", was->raw);
    json_object_end(out);
}

/* The time that counts is the corrected one; beside it is what the client said. */
static void put_timestamp(struct buf *out, const TreeNode *message)
{
    const TreeNode *value = event_tree_find(message, "timestamp"), *was = event_tree_find(message, "originalTimestamp");
    const TreeNode *unread = event_tree_find(message, "unreadTimestamp");
    Millis value_ms, was_ms;
    bool is_same = value && was && instant_parse(value->text, &value_ms) && instant_parse(was->text, &was_ms) &&
                   value_ms == was_ms;
    if (value && !was && !unread) put_stamp(out, "timestamp", "added", value, NULL);
    else if (value && !is_same) put_stamp(out, "timestamp", "changed", value, was ? was : unread);
}

static bool is_hashed(Str id, Str prefix) { return str_starts(id, prefix) && id.len == prefix.len + 32; }

static void put_message_id(struct buf *out, const TreeNode *message)
{
    const TreeNode *id = event_tree_find(message, "messageId");
    if (!id) return;
    if (is_hashed(id->text, STR("long-"))) put_stamp(out, "messageId", "changed", id, NULL);
    else if (is_hashed(id->text, STR("import-"))) put_stamp(out, "messageId", "added", id, NULL);
    else if (id->text.len == 36) put_stamp(out, "messageId", "maybe_added", id, NULL);
}

static Status put_stamps(const Event *event, Arena *arena, struct buf *out, Err *err)
{
    static const struct { const char *path, *change; } rows[] = {
        { "receivedAt", "added" }, { "projectId", "added" }, { "timeProblem", "added" }, { "unreadTimestamp", "added" },
        { "context.ip", "maybe_added" }, { "context.userAgent", "maybe_added" },
    };
    const TreeNode *message;
    Status s = event_tree_read(event->json, arena, &message, err);
    json_array(out, "stamped");
    if (!s) put_message_id(out, message);
    if (!s) put_timestamp(out, message);
    for (size_t at = 0; !s && at < countof(rows); at++) {
        const TreeNode *value = event_tree_find(message, rows[at].path);
        bool is_given = event->from_import && rows[at].change[0] == 'm';     /* an import's context is as it was */
        if (value && !is_given) put_stamp(out, rows[at].path, rows[at].change, value, NULL);
    }
    json_array_end(out);
    return s;
}

/* ---- A message ---- */

/* Under the guard. */
static Status write_judged(struct live *live, struct event_parser *parser, LiveRow *row, Arena *arena, struct buf *out,
                           Err *err)
{
    struct buf person;
    People people = derive_people(live->options.applier);
    live_row_judge(live->options.applier, &people, parser, *arena, row);
    if (row->is_hidden) return err_set(err, ERR_NOT_FOUND, "the message was erased");
    bool has_message = row->fate == LIVE_ACCEPTED || row->fate == LIVE_REPEATED;
    buf_init(&person, LIMIT_ANSWER_BYTES);
    Status s = OK;
    if (row->person == IDENTITY_NONE) {
        buf_str_put(&person, STR("null"));
    } else {
        Arena scratch = *arena;
        s = people_write_person(&people, row->person, &scratch, &person, err);
    }
    if (!s && !buf_ok(&person)) s = err_set(err, ERR_TOO_LARGE, "the person is too large for an answer");
    if (!s) live_row_begin(row, buf_str(&person), out);
    buf_done(&person);
    if (!s && has_message) s = put_stamps(&row->event, arena, out, err);
    if (!s && has_message) {
        json_name(out, STR("links"));
        s = people_write_message_links(&people, &row->event, row->pos, arena, out, err);
    }
    if (!s && !has_message) {
        json_array(out, "stamped");
        json_array_end(out);
        json_array(out, "links");
        json_array_end(out);
    }
    if (!s) json_object_end(out);
    return s;
}

static Status write_row(struct live *live, LiveRow *row, Arena *arena, struct buf *out, Err *err)
{
    struct event_parser *parser = event_parser_open();
    check(parser != NULL);
    derive_begin_reading(live->options.applier);
    Status s = write_judged(live, parser, row, arena, out, err);
    derive_end_reading(live->options.applier);
    event_parser_close(parser);
    return s;
}

/* Reads the row when it and all before it are applied. */
static Status read_row(struct live *live, JournalPos pos, const atomic_bool *is_cancelled, Arena *arena, LiveRow *ret,
                       Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    bool is_message;
    Status s = journal_read_at(live->options.journal, pos, &reader, &record, err);
    if (s == ERR_DAMAGED)                                    /* mostly somebody made the number up */
        return err_set(err, ERR_NOT_FOUND, "no message that can be read begins at %" PRIu64 "; onym verify tells "
                       "whether that is damage", journal_number(pos));
    if (s) return s;
    Str copy = arena_copy(arena, record.bytes);
    journal_reader_close(reader);
    s = live_row_read(copy, pos, arena, ret, &is_message, err);
    if (!s && !is_message)
        s = err_set(err, ERR_NOT_FOUND, record_kind(copy) == RECORD_ERASED ? "the message was erased"
                                                                          : "a command is there, not a message");
    if (!s && !derive_wait_known(live->options.applier, record.next, KNOWN_WAIT_MS, is_cancelled))
        s = err_set(err, ERR_TIMEOUT, "the message is on disk and not applied yet; try again in a moment");
    return s;
}

Status live_write_message(struct live *live, JournalPos pos, const atomic_bool *is_cancelled, Arena *arena,
                          struct buf *out, Err *err)
{
    LiveRow row;
    Status s = read_row(live, pos, is_cancelled, arena, &row, err);
    return s ? s : write_row(live, &row, arena, out, err);
}

Status live_read_message(struct live *live, JournalPos pos, const atomic_bool *is_cancelled, Arena *arena,
                         LiveMessage *ret, Err *err)
{
    LiveRow row;
    Status s = read_row(live, pos, is_cancelled, arena, &row, err);
    if (s) return s;
    struct event_parser *parser = event_parser_open();
    check(parser != NULL);
    derive_begin_reading(live->options.applier);
    People people = derive_people(live->options.applier);
    live_row_judge(live->options.applier, &people, parser, *arena, &row);
    derive_end_reading(live->options.applier);
    event_parser_close(parser);
    if (row.is_hidden) return err_set(err, ERR_NOT_FOUND, "the message was erased");
    *ret = (LiveMessage){ row.event, row.fate };
    return OK;
}
