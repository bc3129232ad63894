/* segments_walk: a segment's frames in order, each checked by itself, against its predecessor, and (commit
 * frames) against its place; and the search for the next good frame after a broken place. */
#include "segments_private.h"

void segments_walk_start(struct segments_walk *walk, struct segments_source *source, uint64_t offset, uint64_t limit)
{
    *walk = (struct segments_walk){ .source = source, .offset = offset, .limit = limit };
    if (offset < SEGMENT_HEAD_BYTES) {
        walk->offset = SEGMENT_HEAD_BYTES;
        walk->chain = source->head.checksum;
        walk->has_chain = source->head.has_sums;
    }
}

static WalkFound walk_broken(struct segments_walk *walk, const char *why)
{
    walk->why = why;
    return WALK_BROKEN;
}

/* Decodes what the window has; loads more if the frame goes on after it. */
static Status walk_decode(struct segments_walk *walk, SegmentFrame *ret, FrameFound *ret_found, Err *err)
{
    struct segments_source *source = walk->source;
    size_t need = FRAME_HEAD_BYTES;
    for (int turn = 0; turn < 2; turn++) {
        Status s = segments_source_load(source, walk->offset, need, walk->limit, err);
        if (s) return s;
        Str bytes = segments_source_bytes(source, walk->offset, walk->limit);
        *ret_found = segments_decode_frame(bytes, &source->head, ret);
        if (*ret_found != FRAME_CUT || ret->bytes > walk->limit - walk->offset) break;
        need = ret->bytes;
    }
    return OK;
}

static WalkFound walk_check_place(struct segments_walk *walk, const SegmentFrame *frame)
{
    if (walk->has_chain && frame->previous != walk->chain)
        return walk_broken(walk, "a whole frame, but the one before it is not its predecessor");
    if (frame->is_commit && get_u64(frame->payload.bytes) != walk->source->base + walk->offset)
        return walk_broken(walk, "a commit frame of another position");
    return WALK_FRAME;
}

static void walk_step(struct segments_walk *walk, const SegmentFrame *frame)
{
    walk->offset += frame->bytes;
    walk->chain = frame->checksum;
    walk->has_chain = walk->source->head.has_sums;
}

Status segments_walk_next(struct segments_walk *walk, SegmentFrame *ret, WalkFound *ret_found, Err *err)
{
    FrameFound found = FRAME_CUT;
    if (walk->offset >= walk->limit) return *ret_found = WALK_LIMIT, OK;
    Err why;
    Status s = walk_decode(walk, ret, &found, &why);
    if (s == ERR_DAMAGED) {
        *ret_found = walk_broken(walk, "the stored block does not unpack, or the file ends");
        return OK;
    }
    if (s) {
        if (err) *err = why;
        return s;
    }
    switch (found) {
    case FRAME_WHOLE: *ret_found = walk_check_place(walk, ret); break;
    case FRAME_BLANK: *ret_found = WALK_BLANK; walk->why = "zeros where a frame must be"; break;
    case FRAME_CUT: *ret_found = walk_broken(walk, "the frame goes on after the end"); break;
    case FRAME_BROKEN: *ret_found = walk_broken(walk, "the frame's checksum or length is wrong"); break;
    }
    if (*ret_found == WALK_FRAME) walk_step(walk, ret);
    return OK;
}

bool segments_walk_next_loaded(struct segments_walk *walk, SegmentFrame *ret)
{
    if (walk->offset >= walk->limit) return false;
    Str bytes = segments_source_bytes(walk->source, walk->offset, walk->limit);
    if (segments_decode_frame(bytes, &walk->source->head, ret) != FRAME_WHOLE) return false;
    if (walk_check_place(walk, ret) != WALK_FRAME) return false;
    walk_step(walk, ret);
    return true;
}

/* ---- After a broken place ---- */

/* Sealed: frames go on where the next block that unpacks begins. */
static Status resume_sealed(struct segments_walk *walk, bool *ret_is_found, Err *err)
{
    struct segments_source *source = walk->source;
    for (size_t at = 0; at < source->block_count; at++) {
        const SealedBlock *block = &source->blocks[at];
        if (block->raw_at <= walk->offset || block->raw_at >= walk->limit) continue;
        Status s = segments_source_load(source, block->raw_at, FRAME_HEAD_BYTES, walk->limit, err);
        if (s == ERR_DAMAGED) continue;
        if (s) return s;
        Str bytes = segments_source_bytes(source, block->raw_at, walk->limit);
        if (bytes.len < FRAME_HEAD_BYTES || get_u32(bytes.bytes) == 0) continue;         /* an erasure made it zeros */
        segments_walk_start(walk, source, block->raw_at, walk->limit);
        return *ret_is_found = true, OK;
    }
    return *ret_is_found = false, OK;
}

/* Is there a frame at offset from which the walk can go on? */
static Status resume_try(struct segments_walk *walk, uint64_t offset, bool any_frame, bool *ret_is_found, Err *err)
{
    struct segments_source *source = walk->source;
    Status s = segments_source_load(source, offset, FRAME_BYTES_MAX, walk->limit, err);
    if (s) return s;
    Str bytes = segments_source_bytes(source, offset, walk->limit);
    SegmentFrame frame;
    *ret_is_found = segments_is_commit_at(bytes, source->base + offset, source->head.salt, source->is_head_damaged);
    if (*ret_is_found && source->is_head_damaged) source->head.salt = get_u32(bytes.bytes + FRAME_HEAD_BYTES + 28);
    if (!*ret_is_found && any_frame && !source->is_head_damaged)
        *ret_is_found = segments_decode_frame(bytes, &source->head, &frame) == FRAME_WHOLE && !frame.is_commit;
    return OK;
}

/* An offset at or after `offset`, in the loaded window, whose length could be a frame's; or the
 * window's last one. It makes the search as fast as memory. */

static uint64_t resume_pass(struct segments_walk *walk, uint64_t offset, bool any_frame)
{
    Str bytes = segments_source_bytes(walk->source, offset, walk->limit);
    size_t at = 0;
    for (; at + FRAME_BYTES_MAX < bytes.len; at += FRAME_ALIGN) {
        uint32_t word = get_u32(bytes.bytes + at);
        if (word == (COMMIT_PAYLOAD_BYTES | FRAME_IS_COMMIT)) break;
        if (any_frame && word != 0 && word <= LIMIT_RECORD_BYTES) break;
    }
    return offset + at;
}

Status segments_walk_resume(struct segments_walk *walk, bool any_frame, bool *ret_is_found, Err *err)
{
    struct segments_source *source = walk->source;
    if (source->is_sealed) return resume_sealed(walk, ret_is_found, err);
    struct segments_walk search = *walk;
    uint64_t offset = walk->offset < SEGMENT_HEAD_BYTES ? SEGMENT_HEAD_BYTES : walk->offset + FRAME_ALIGN;
    offset = (offset + FRAME_ALIGN - 1) & ~(uint64_t)(FRAME_ALIGN - 1);
    *ret_is_found = false;
    while (offset < search.limit) {
        offset = resume_pass(&search, offset, any_frame);
        Status s = resume_try(&search, offset, any_frame, ret_is_found, err);
        if (s == ERR_DAMAGED) {                                         /* the file ends before the limit */
            search.limit = source->window_at + source->window_len;
            continue;
        }
        if (s) return s;
        if (*ret_is_found) return segments_walk_start(walk, source, offset, walk->limit), OK;
        offset += FRAME_ALIGN;
    }
    return OK;
}

Status segments_walk_measure(struct segments_walk *walk, uint64_t *ret_bytes, Err *err)
{
    struct segments_source *source = walk->source;
    uint64_t last = walk->offset;
    for (uint64_t offset = walk->offset; offset < walk->limit;) {
        Status s = segments_source_load(source, offset, 1, walk->limit, err);
        if (s == ERR_DAMAGED) break;
        if (s) return s;
        Str bytes = segments_source_bytes(source, offset, walk->limit);
        for (size_t at = bytes.len; at > 0; at--)
            if (bytes.bytes[at - 1]) {
                last = offset + at;
                break;
            }
        offset += bytes.len;
    }
    *ret_bytes = last - walk->offset;
    return OK;
}
