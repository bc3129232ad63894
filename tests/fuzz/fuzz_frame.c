/* fuzz_frame: any bytes as a segment's head and frames. What is found whole is within the bytes, and is what
 * the writer would have made; nothing is found where a byte is missing. */
#include "segments/segments_private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A whole frame, made again from its payload, is the same bytes (but for what the padding's sum covers). */
static void check_frame(Str bytes, const SegmentHead *head, const SegmentFrame *frame)
{
    check(frame->bytes <= bytes.len && frame->payload.len <= frame->bytes - FRAME_HEAD_BYTES);
    check(frame->payload.bytes == bytes.bytes + FRAME_HEAD_BYTES && frame->payload.len > 0);
    char *copy = malloc(frame->bytes);
    check(copy != NULL);
    memcpy(copy, bytes.bytes, frame->bytes);
    memset(copy + 4, 0, 8);
    segments_sum_frames(str_of(copy, frame->bytes));
    if (head->has_sums) {
        check(segments_chain_frames(str_of(copy, frame->bytes), frame->previous, head->salt) == frame->checksum);
        check(memcmp(copy, bytes.bytes, frame->bytes) == 0);
    }
    free(copy);
}

static void walk_frames(Str bytes, const SegmentHead *head)
{
    while (bytes.len > 0) {
        SegmentFrame frame;
        FrameFound found = segments_decode_frame(bytes, head, &frame);
        check(found != FRAME_CUT || frame.bytes > bytes.len);
        if (found == FRAME_WHOLE) {
            check_frame(bytes, head, &frame);
            if (frame.is_commit) (void)segments_decode_commit(frame.payload);
            bytes = str_slice(bytes, frame.bytes, bytes.len);
        } else {
            (void)segments_is_commit_at(bytes, bytes.len >= 20 ? get_u64(bytes.bytes + 12) : 0, head->salt, true);
            bytes = str_slice(bytes, FRAME_ALIGN, bytes.len);
        }
    }
}

/* Sums and chains the frames by their lengths, so that the walk gets past them. */
static void repair(char *bytes, size_t len, const SegmentHead *head)
{
    uint32_t previous = head->checksum;
    for (size_t at = 0; at + FRAME_HEAD_BYTES < len;) {
        uint32_t length = get_u32(bytes + at) & ~FRAME_IS_COMMIT;
        if (length == 0 || length > LIMIT_RECORD_BYTES) return;
        uint32_t total = frame_bytes_of(length);
        if (at + total > len) return;
        segments_sum_frames(str_of(bytes + at, total));
        if (head->has_sums) previous = segments_chain_frames(str_of(bytes + at, total), previous, head->salt);
        else memset(bytes + at + 4, 0, 8);
        at += total;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SegmentHead head = { .salt = 7, .has_sums = true };
    if (size < SEGMENT_HEAD_BYTES + 1) return 0;
    char *bytes = malloc(size);
    check(bytes != NULL);
    memcpy(bytes, data, size);
    bool is_repaired = bytes[size - 1] & 1;
    if (is_repaired) put_u32(bytes + 60, crc32c_of(0, str_of(bytes, 60)));
    if (!segments_decode_head(bytes, &head)) {
        char again[SEGMENT_HEAD_BYTES];
        SegmentHead same = head;
        segments_encode_head(&same, again);
        check(memcmp(again, bytes, 40) == 0);               /* what is behind it is not looked at */
    }
    if (is_repaired) repair(bytes + SEGMENT_HEAD_BYTES, size - SEGMENT_HEAD_BYTES, &head);
    walk_frames(str_of(bytes + SEGMENT_HEAD_BYTES, size - SEGMENT_HEAD_BYTES), &head);
    free(bytes);
    return 0;
}
