/* derive_archive: what identity asks about earlier messages, read from the journal. It asks so seldom that each time
 * may have a reader of its own. A message that is retired or erased tells nothing any more. */
#include "derive_private.h"

/* ERR_NOT_FOUND: there is none. The event borrows from the reader, which the caller closes. */
static Status read_event(struct journal *journal, uint64_t position, struct journal_reader **ret_reader, Event *ret,
                         Err *err)
{
    JournalRecord record;
    Status s = journal_read_at(journal, position, ret_reader, &record, err);
    if (s) return s;
    if (record_kind(record.bytes) != RECORD_EVENT) return ERR_NOT_FOUND;
    return event_decode(record.bytes, ret, err);
}

static Status read_message_id(void *journal, uint64_t position, char text[LIMIT_MESSAGE_ID_BYTES], size_t *ret_len,
                              Err *err)
{
    struct journal_reader *reader;
    Event event;
    *ret_len = 0;
    Status s = read_event(journal, position, &reader, &event, err);
    if (!s && event.message_id.len <= LIMIT_MESSAGE_ID_BYTES) {
        *ret_len = event.message_id.len;
        memcpy(text, event.message_id.bytes, event.message_id.len);
    }
    journal_reader_close(reader);
    return s == ERR_NOT_FOUND ? OK : s;
}

static Status read_source(void *journal, uint64_t position, uint64_t *ret, Err *err)
{
    struct journal_reader *reader;
    Event event;
    *ret = IDENTITY_ANY_SOURCE;
    Status s = read_event(journal, position, &reader, &event, err);
    if (!s) *ret = identity_source(event.source);
    journal_reader_close(reader);
    return s == ERR_NOT_FOUND ? OK : s;
}

IdentityArchive derive_archive(struct journal *journal)
{
    return (IdentityArchive){ journal, read_message_id, read_source };
}
