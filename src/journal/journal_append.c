/* journal_append: records become frames, each with the sum that its maker can know. */
#include "journal.h"

uint32_t frame_own_sum(const char *frame, uint32_t bytes)
{
    uint32_t sum = crc32c_of(0, str_of(frame, sizeof(uint32_t)));
    return crc32c_of(sum, str_of(frame + FRAME_HEAD_BYTES, bytes - FRAME_HEAD_BYTES));
}

void journal_append_init(struct journal_append *append, size_t max_bytes)
{
    check(max_bytes <= LIMIT_APPEND_BYTES);
    *append = (struct journal_append){ 0 };
    buf_init(&append->frames, max_bytes);
}

void journal_append_clear(struct journal_append *append)
{
    buf_clear(&append->frames);
    append->record_count = 0;
    append->next = NULL;
}

void journal_append_done(struct journal_append *append) { buf_done(&append->frames); }

size_t journal_begin_record(struct journal_append *append)
{
    static const char head[FRAME_HEAD_BYTES];
    size_t begun = append->frames.len;
    buf_put(&append->frames, head, sizeof head);
    return begun;
}

void journal_end_record(struct journal_append *append, size_t begun)
{
    static const char padding[FRAME_ALIGN];
    struct buf *frames = &append->frames;
    if (!buf_ok(frames)) return;
    check(frames->len > begun + FRAME_HEAD_BYTES);               /* a length of 0 is the end of a segment */
    size_t length = frames->len - begun - FRAME_HEAD_BYTES;
    if (length > LIMIT_RECORD_BYTES) {
        frames->failed = true;
        return;
    }
    uint32_t word = (uint32_t)length, bytes = frame_bytes_of(word);
    buf_put(frames, padding, begun + bytes - frames->len);
    if (!buf_ok(frames)) return;
    memcpy(frames->bytes + begun, &word, sizeof word);
    uint32_t sum = frame_own_sum(frames->bytes + begun, bytes);
    memcpy(frames->bytes + begun + 8, &sum, sizeof sum);
    append->record_count++;
}

void journal_put_record(struct journal_append *append, Str record)
{
    size_t begun = journal_begin_record(append);
    buf_str_put(&append->frames, record);
    journal_end_record(append, begun);
}

Status journal_append_check(const struct journal_append *append, Err *err)
{
    if (buf_ok(&append->frames)) return OK;
    return err_set(err, ERR_TOO_LARGE, "a record over %d bytes, or over %zu in all, or no memory for them",
                   LIMIT_RECORD_BYTES, append->frames.max);
}

bool journal_append_next(const struct journal_append *append, size_t *offset, Str *ret_record)
{
    uint32_t length;
    if (*offset >= append->frames.len) return false;
    const char *frame = append->frames.bytes + *offset;
    memcpy(&length, frame, sizeof length);
    *ret_record = str_of(frame + FRAME_HEAD_BYTES, length);
    *offset += frame_bytes_of(length);
    return true;
}
