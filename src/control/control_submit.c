/* control_submit: puts a command into the journal, and finds what a command has to say. */
#include "control_private.h"

#include <stdlib.h>

/* ---- Submitting ---- */

/* A command on its way to the disk. The thread that waits or the committer frees it, whichever is last. */
struct submission {
    struct journal_append append;
    struct control_orders *orders;
    pthread_mutex_t lock;
    pthread_cond_t is_over;
    Status status;
    JournalPos first;
    bool is_durable, is_abandoned;
};

static void submission_free(struct submission *submission)
{
    journal_append_done(&submission->append);
    pthread_cond_destroy(&submission->is_over);
    pthread_mutex_destroy(&submission->lock);
    free(submission);
}

static void on_durable(struct journal_append *append, Status status, JournalPos first)
{
    struct submission *submission = append->owner;
    control_order_over(submission->orders, status);
    pthread_mutex_lock(&submission->lock);
    submission->is_durable = true;
    submission->status = status;
    submission->first = first;
    bool is_abandoned = submission->is_abandoned;
    pthread_cond_signal(&submission->is_over);
    pthread_mutex_unlock(&submission->lock);
    if (is_abandoned) submission_free(submission);
}

static struct submission *submission_make(void)
{
    struct submission *submission = calloc(1, sizeof *submission);
    pthread_condattr_t monotonic;
    check(submission && pthread_mutex_init(&submission->lock, NULL) == 0);
    check(pthread_condattr_init(&monotonic) == 0 && pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_cond_init(&submission->is_over, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    journal_append_init(&submission->append, LIMIT_APPEND_BYTES);
    submission->append.on_durable = on_durable;
    submission->append.owner = submission;
    return submission;
}

/* Writes as many records as the command's ids need. */
static void put_records(struct journal_append *append, const JournalCommand *command)
{
    size_t from = 0;
    do {
        JournalCommand part = *command;
        size_t bytes = 0, to = from;
        while (to < command->id_count && bytes + command_id_bytes(&command->ids[to]) <= COMMAND_IDS_BYTES &&
               to - from < COMMAND_IDS_MAX)
            bytes += command_id_bytes(&command->ids[to++]);
        part.ids = command->ids + from;
        part.id_count = to - from;
        size_t begun = journal_begin_record(append);
        command_encode(&append->frames, &part);
        journal_end_record(append, begun);
        from = to;
    } while (from < command->id_count);
}

static Status check_command(const JournalCommand *command, Err *err)
{
    const Str ids[] = { command->author, command->user_id, command->anonymous_id, command->previous_id };
    for (size_t at = 0; at < countof(ids); at++)
        if (ids[at].len > LIMIT_ID_BYTES)
            return err_set(err, ERR_INPUT, "an id is longer than %d bytes", LIMIT_ID_BYTES);
    if (command->message_id.len > LIMIT_MESSAGE_ID_BYTES) return err_set(err, ERR_INPUT, "the messageId is too long");
    for (size_t at = 0; at < command->id_count; at++)
        if (command->ids[at].value.len == 0
            || command->ids[at].value.len > (command->ids[at].kind == COMMAND_EXTERNAL_ID ? PEOPLE_EXTERNAL_BYTES
                                                                                         : LIMIT_ID_BYTES))
            return err_set(err, ERR_INPUT, "an id must have 1 to %d bytes", LIMIT_ID_BYTES);
    return OK;
}

struct records { JournalPos first; uint32_t count; };

static Status wait_durable(struct submission *submission, struct clock *clock, int64_t until_ns,
                           const atomic_bool *is_cancelled, struct records *ret, Err *err)
{
    struct timespec wake;
    pthread_mutex_lock(&submission->lock);
    while (!submission->is_durable && clock_may_wait(clock, until_ns, is_cancelled, &wake))
        (void)pthread_cond_timedwait(&submission->is_over, &submission->lock, &wake);
    bool is_durable = submission->is_durable;
    submission->is_abandoned = !is_durable;
    pthread_mutex_unlock(&submission->lock);
    if (!is_durable) return err_set(err, ERR_TIMEOUT, "the command is not on disk yet; it may still come into force");
    Status s = submission->status;
    *ret = (struct records){ submission->first, submission->append.record_count };
    submission_free(submission);
    return s ? err_set(err, s, "the command could not be written to the journal") : OK;
}

/* The position of the last of the records, and the position after it. The records are on the disk. If the disk cannot
 * read them back now, the end of the whole journal takes the place of the position after. */
static JournalRecord find_last(struct journal *journal, struct records records)
{
    JournalRecord last = { .pos = records.first, .next = journal_end(journal) };
    struct journal_reader *reader;
    if (journal_reader_open(journal, records.first, &reader, NULL)) return last;
    while (records.count-- > 0)
        if (journal_read(reader, &last, NULL)) break;
    journal_reader_close(reader);
    return last;
}

Status control_submit(struct control *control, const JournalCommand *command, Millis timeout_ms,
                      const atomic_bool *is_cancelled, ControlPlace *ret, Err *err)
{
    struct records records = { 0 };
    struct clock *clock = control->options.clock;
    check(clock);
    Status s = check_command(command, err);
    if (s) return s;
    int64_t until_ns = clock_monotonic_ns(clock) + timeout_ms * 1000000;
    struct submission *submission = submission_make();
    put_records(&submission->append, command);
    s = control_order(control, &submission->append, &submission->orders, err);
    if (s) {
        submission_free(submission);
        return s;
    }
    if (control->options.wake_committer) control->options.wake_committer(control->options.wake_context);
    s = wait_durable(submission, clock, until_ns, is_cancelled, &records, err);
    if (s) return s;
    JournalRecord last = find_last(control->options.journal, records);
    *ret = (ControlPlace){ records.first, last.pos };
    Millis left_ms = (until_ns - clock_monotonic_ns(clock)) / 1000000;
    if (control->options.wait_known(control->options.context, last.next, left_ms, is_cancelled)) return OK;
    return err_set(err, ERR_TIMEOUT, "the command is on disk and will come into force when it is applied");
}

/* ---- What a command says ---- */

Status control_find_evidence(struct control *control, JournalPos pos, Arena *arena, JournalCommand *ret, Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    Status s = journal_read_at(control->options.journal, pos, &reader, &record, err);
    if (s == ERR_NOT_FOUND || (!s && record_kind(record.bytes) != RECORD_EVENT))
        s = err_set(err, ERR_NOT_FOUND, "no message is kept at position %llu", (unsigned long long)pos);
    if (!s) s = event_decode(arena_copy(arena, record.bytes), &event, err);
    journal_reader_close(reader);
    if (s) return s;
    ret->position = pos;
    ret->message_id = event.message_id;
    ret->user_id = event.user_id;
    ret->anonymous_id = event.anonymous_id;
    ret->previous_id = event.previous_id;
    ret->timestamp_ms = event.timestamp_ms;
    ret->is_alias = event.type == EVENT_ALIAS;
    ret->has_source = true;
    ret->source = event.source;
    return OK;
}
