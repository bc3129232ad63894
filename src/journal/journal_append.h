/* journal_append: one request's records on their way into a journal, whichever back end it has.
 *
 * They are framed where they are made, on the submitter's thread, so that the committer has little to do:
 *
 *    0   4  length of the record, 1..65536
 *    4   4  0: room for the back end
 *    8   4  CRC32C of bytes 0..3, then the record and its padding
 *   12   n  the record, and zeros up to the next multiple of 4
 *
 * A back end may change bytes 4..11 of each frame while it has them (segments/ chains the frames there), and must
 * restore them if its commit fails.
 */
#ifndef ONYM_JOURNAL_APPEND_H
#define ONYM_JOURNAL_APPEND_H

#include "base/base.h"

enum { FRAME_HEAD_BYTES = 12, FRAME_ALIGN = 4 };

/* One request's records, submitted together. The caller fills frames with journal_put_record, and owns all of
 * it; journal_submit borrows it until on_durable was called, which happens exactly once. */
struct journal_append {
    struct journal_append *next;                     /* used by the journal while it is submitted */
    struct buf frames;
    uint32_t record_count;
    /* Called on the committer's thread. first is the position of the first record (OK only). */
    void (*on_durable)(struct journal_append *append, Status status, JournalPos first);
    void *owner;
};

void journal_append_init(struct journal_append *append, size_t max_bytes);     /* max_bytes <= LIMIT_APPEND_BYTES */
void journal_append_clear(struct journal_append *append);                      /* for reuse; keeps the memory */
void journal_append_done(struct journal_append *append);
/* Adds one record; check(buf_ok) by the caller after the last one, or journal_submit says ERR_TOO_LARGE. */
void journal_put_record(struct journal_append *append, Str record);
/* The same in two halves, so that a record can be encoded in place: begin, append to append->frames, end. */
size_t journal_begin_record(struct journal_append *append);
void journal_end_record(struct journal_append *append, size_t begun);

/* ---- For back ends ---- */

/* ERR_TOO_LARGE: it does not hold all that was put into it. */
Status MUST journal_append_check(const struct journal_append *append, Err *err);
/* A frame's total size, from the size of its record. */
static inline uint32_t frame_bytes_of(uint32_t record_bytes)
{
    return FRAME_HEAD_BYTES + ((record_bytes + FRAME_ALIGN - 1) & ~(uint32_t)(FRAME_ALIGN - 1));
}
/* The checksum of a frame by itself: its length, its record, its padding. */
uint32_t frame_own_sum(const char *frame, uint32_t bytes);
/* Gives each record in turn: begin with *offset 0; false after the last. */
bool journal_append_next(const struct journal_append *append, size_t *offset, Str *ret_record);

#endif
