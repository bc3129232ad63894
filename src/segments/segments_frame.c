/* segments_frame: heads, frames and commit frames, to and from bytes.
 *
 * A frame is made in two steps, because only the committer knows the frame before: journal_end_record sums
 * length and payload on the submitter's thread, segments_chain_frames adds predecessor and salt (8 bytes for each
 * frame) on the committer's, in place. */
#include "segments_format.h"

/* ---- Heads ---- */

void segments_encode_head(SegmentHead *head, char *bytes)
{
    memset(bytes, 0, SEGMENT_HEAD_BYTES);
    memcpy(bytes, SEGMENT_MAGIC, 8);
    put_u16(bytes + 8, SEGMENT_VERSION);
    put_u16(bytes + 10, head->has_sums ? 0 : SEGMENT_HAS_NO_SUMS);
    put_u32(bytes + 12, head->salt);
    put_u64(bytes + 16, head->base);
    put_u64(bytes + 24, (uint64_t)head->created_at_ms);
    put_u64(bytes + 32, head->records_before);
    head->checksum = crc32c_of(0, str_of(bytes, 60));
    put_u32(bytes + 60, head->checksum);
}

const char *segments_decode_head(const char *bytes, SegmentHead *ret)
{
    if (memcmp(bytes, SEGMENT_MAGIC, 8) != 0) return "the segment's head is not there";
    if (get_u32(bytes + 60) != crc32c_of(0, str_of(bytes, 60))) return "the segment's head has a wrong checksum";
    if (get_u16(bytes + 8) != SEGMENT_VERSION) return "the segment's version is unknown";
    if (get_u16(bytes + 10) & ~SEGMENT_HAS_NO_SUMS) return "the segment's head has unknown flags";
    *ret = (SegmentHead){
        .salt = get_u32(bytes + 12), .checksum = get_u32(bytes + 60),
        .has_sums = !(get_u16(bytes + 10) & SEGMENT_HAS_NO_SUMS), .base = get_u64(bytes + 16),
        .created_at_ms = (Millis)get_u64(bytes + 24), .records_before = get_u64(bytes + 32),
    };
    return NULL;
}

/* ---- Frames ---- */

static uint32_t frame_chained_sum(uint32_t own_sum, uint32_t previous, uint32_t salt)
{
    char rest[8];
    put_u32(rest, previous);
    put_u32(rest + 4, salt);
    return crc32c_of(own_sum, str_of(rest, sizeof rest));
}

static bool is_zero(const char *bytes, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (bytes[at]) return false;
    return true;
}

FrameFound segments_decode_frame(Str bytes, const SegmentHead *head, SegmentFrame *ret)
{
    ret->bytes = FRAME_HEAD_BYTES;
    if (bytes.len < 4) return FRAME_CUT;
    uint32_t word = get_u32(bytes.bytes), length = word & ~FRAME_IS_COMMIT;
    if (bytes.len < FRAME_HEAD_BYTES) return FRAME_CUT;
    if (word == 0) return is_zero(bytes.bytes, FRAME_HEAD_BYTES) ? FRAME_BLANK : FRAME_BROKEN;
    if (length == 0 || length > LIMIT_RECORD_BYTES) return FRAME_BROKEN;
    if (length != word && length != COMMIT_PAYLOAD_BYTES) return FRAME_BROKEN;
    ret->bytes = frame_bytes_of(length);
    if (bytes.len < ret->bytes) return FRAME_CUT;
    ret->previous = get_u32(bytes.bytes + 4);
    ret->checksum = get_u32(bytes.bytes + 8);
    ret->is_commit = length != word;
    ret->payload = str_of(bytes.bytes + FRAME_HEAD_BYTES, length);
    uint32_t sum = 0;
    if (head->has_sums) sum = frame_chained_sum(frame_own_sum(bytes.bytes, ret->bytes), ret->previous, head->salt);
    else if (ret->previous != 0) return FRAME_BROKEN;
    return ret->checksum == sum ? FRAME_WHOLE : FRAME_BROKEN;
}

uint32_t segments_chain_frames(Str frames, uint32_t previous, uint32_t salt)
{
    char *at = (char *)(uintptr_t)frames.bytes, *end = at + frames.len;
    while (at < end) {
        uint32_t checksum = frame_chained_sum(get_u32(at + 8), previous, salt);
        put_u32(at + 4, previous);
        put_u32(at + 8, checksum);
        previous = checksum;
        at += frame_bytes_of(get_u32(at) & ~FRAME_IS_COMMIT);
    }
    check(at == end);
    return previous;
}

void segments_sum_frames(Str frames)
{
    char *at = (char *)(uintptr_t)frames.bytes, *end = at + frames.len;
    while (at < end) {
        uint32_t bytes = frame_bytes_of(get_u32(at) & ~FRAME_IS_COMMIT);
        put_u32(at + 8, frame_own_sum(at, bytes));
        at += bytes;
    }
    check(at == end);
}

/* ---- Commit frames ---- */

void segments_encode_commit(const SegmentCommit *commit, char *frame)
{
    memset(frame, 0, COMMIT_FRAME_BYTES);
    put_u32(frame, COMMIT_PAYLOAD_BYTES | FRAME_IS_COMMIT);
    char *payload = frame + FRAME_HEAD_BYTES;
    put_u64(payload, commit->position);
    put_u64(payload + 8, (uint64_t)commit->committed_at_ms);
    put_u64(payload + 16, commit->records_before);
    put_u32(payload + 24, commit->record_count);
    put_u32(payload + 28, commit->salt);
    segments_sum_frames(str_of(frame, COMMIT_FRAME_BYTES));
}

SegmentCommit segments_decode_commit(Str payload)
{
    check(payload.len == COMMIT_PAYLOAD_BYTES);
    return (SegmentCommit){
        get_u64(payload.bytes), (Millis)get_u64(payload.bytes + 8), get_u64(payload.bytes + 16),
        get_u32(payload.bytes + 24), get_u32(payload.bytes + 28),
    };
}

bool segments_is_commit_at(Str bytes, JournalPos position, uint32_t salt, bool any_salt)
{
    if (bytes.len < COMMIT_FRAME_BYTES) return false;
    if (get_u32(bytes.bytes) != (COMMIT_PAYLOAD_BYTES | FRAME_IS_COMMIT)) return false;
    if (get_u64(bytes.bytes + FRAME_HEAD_BYTES) != position) return false;
    SegmentHead head = { .salt = any_salt ? get_u32(bytes.bytes + FRAME_HEAD_BYTES + 28) : salt, .has_sums = true };
    SegmentFrame frame;
    return segments_decode_frame(bytes, &head, &frame) == FRAME_WHOLE;
}
