/* segments_seal: a closed segment becomes a compressed one, a few MiB in each call.
 *
 *     walk the frames (checking each) -> blocks of whole frames -> compress -> unpack and compare -> write
 *     ... seek table -> sync -> rename -> sync the directory -> only then remove the raw file, sync again
 *
 * Until the raw file is gone it counts, so after a crash anywhere sealing only begins again. A segment with
 * damage in it is not sealed: it stays as it is for onym verify. Every packed block is unpacked again and
 * compared before it may replace the only other copy.
 *
 * The same code rewrites segments for segments_erase, and changes records while it does; then the source may
 * be sealed already, and the rename replaces it.
 *
 * Blocks of 512 KiB, level 3 (bench/journal.c, events of 549 bytes with random ids): see docs/journal.md. */
#include "segments_private.h"

#include <stdlib.h>
#include <zstd.h>

enum {
    STEP_BYTES = 4 << 20,           /* raw bytes in each call */
    PACKED_BYTES = ZSTD_COMPRESSBOUND(SEALED_BLOCK_BYTES),
    SEEK_TABLE_BYTES_MAX = SEEK_HEAD_BYTES + SEALED_BLOCKS_MAX * SEEK_ENTRY_BYTES + SEEK_FOOT_BYTES,
};

struct segments_seal {
    struct region self;
    Segment segment;
    SealChange *change;             /* borrowed from segments_erase; NULL: sealing */
    struct segments_source source;
    struct segments_walk walk;
    DiskFile file;
    bool is_open, is_done;
    uint64_t written;
    char *block, *packed, *again;
    size_t block_len;
    struct buf seek;                /* the entries */
    uint32_t block_count;
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
};

static void seal_free(struct segments_seal *seal)
{
    segments_source_done(&seal->source);
    ZSTD_freeCCtx(seal->packer);
    ZSTD_freeDCtx(seal->unpacker);
    buf_done(&seal->seek);
    struct region self = seal->self;
    region_close(&self);
}

void segments_seal_abort(struct segments *journal)
{
    char path[SEGMENTS_PATH_BYTES];
    struct segments_seal *seal = journal->seal;
    if (!seal) return;
    if (seal->is_open) journal->disk->close(journal->disk, seal->file);
    segment_path(path, journal->dir, seal->segment.base, SEGMENT_TEMPORARY);
    if (!seal->is_done) (void)journal->disk->remove(journal->disk, path, NULL); /* else the next start */
    seal_free(seal);
    journal->seal = NULL;
}

static struct segments_seal *seal_new(struct segments *journal, const Segment *segment, SealChange *change)
{
    struct region self;
    region_open(&self, sizeof(struct segments_seal) + SEALED_BLOCK_BYTES * 2 + PACKED_BYTES);
    Arena arena = region_arena(&self);
    struct segments_seal *seal = arena_new(&arena, struct segments_seal, 1);
    *seal = (struct segments_seal){ .self = self, .segment = *segment, .change = change };
    seal->block = arena_bytes(&arena, SEALED_BLOCK_BYTES);
    seal->again = arena_bytes(&arena, SEALED_BLOCK_BYTES);
    seal->packed = arena_bytes(&arena, PACKED_BYTES);
    buf_init(&seal->seek, SEEK_TABLE_BYTES_MAX);
    segments_source_init(&seal->source, journal->disk);
    seal->packer = ZSTD_createCCtx();
    seal->unpacker = ZSTD_createDCtx();
    check(seal->packer && seal->unpacker);
    size_t set = ZSTD_CCtx_setParameter(seal->packer, ZSTD_c_compressionLevel, journal->options.seal_level);
    if (!ZSTD_isError(set)) set = ZSTD_CCtx_setParameter(seal->packer, ZSTD_c_checksumFlag, 1);
    check(!ZSTD_isError(set));
    return seal;
}

/* ---- Blocks ---- */

static Status seal_write(struct segments *journal, struct segments_seal *seal, Str bytes, Err *err)
{
    Status s = journal->disk->write(journal->disk, seal->file, seal->written, &bytes, 1, err);
    if (!s) seal->written += bytes.len;
    return s;
}

/* Packs what was collected, checks that it unpacks to the same, writes it, and notes it in the seek table. */
static Status put_block(struct segments *journal, struct segments_seal *seal, Err *err)
{
    if (seal->block_len == 0) return OK;
    size_t packed = ZSTD_compress2(seal->packer, seal->packed, PACKED_BYTES, seal->block, seal->block_len);
    if (ZSTD_isError(packed)) return err_set(err, ERR_IO, "zstd: %s", ZSTD_getErrorName(packed));
    size_t back = ZSTD_decompressDCtx(seal->unpacker, seal->again, SEALED_BLOCK_BYTES, seal->packed, packed);
    if (back != seal->block_len || memcmp(seal->again, seal->block, back) != 0)
        return err_set(err, ERR_IO, "a packed block does not unpack to what it was made of; is the memory faulty?");
    char entry[SEEK_ENTRY_BYTES];
    put_u32(entry, (uint32_t)packed);
    put_u32(entry + 4, (uint32_t)seal->block_len);
    buf_put(&seal->seek, entry, sizeof entry);
    if (!buf_ok(&seal->seek) || ++seal->block_count > SEALED_BLOCKS_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d blocks", SEALED_BLOCKS_MAX);
    seal->block_len = 0;
    return seal_write(journal, seal, str_of(seal->packed, packed), err);
}

static void change_record(SealChange *change, const SegmentFrame *frame, JournalPos pos, char *copy)
{
    if (frame->is_commit || pos < change->from || pos >= change->to) return;
    if (!change->should_erase(change->context, frame->payload, pos)) return;
    memset(copy + FRAME_HEAD_BYTES, 0, frame->payload.len);
    copy[FRAME_HEAD_BYTES] = (char)change->erased_first_byte;
    change->erased++;
}

static Status put_frame(struct segments *journal, struct segments_seal *seal, const SegmentFrame *frame, Err *err)
{
    if (seal->block_len + frame->bytes > SEALED_BLOCK_BYTES) {
        Status s = put_block(journal, seal, err);
        if (s) return s;
    }
    char *copy = seal->block + seal->block_len;
    memcpy(copy, frame->payload.bytes - FRAME_HEAD_BYTES, frame->bytes);
    put_u32(copy + 4, 0);
    put_u32(copy + 8, 0);
    if (seal->change)
        change_record(seal->change, frame, seal->segment.base + seal->walk.offset - frame->bytes, copy);
    seal->block_len += frame->bytes;
    return OK;
}

static Status put_head(struct segments *journal, struct segments_seal *seal, Err *err)
{
    SegmentHead head = seal->source.head;
    head.has_sums = false;
    segments_encode_head(&head, seal->block);
    seal->block_len = SEGMENT_HEAD_BYTES;
    return put_block(journal, seal, err);
}

static Status put_seek_table(struct segments *journal, struct segments_seal *seal, Err *err)
{
    char head[SEEK_HEAD_BYTES], foot[SEEK_FOOT_BYTES];
    put_u32(head, SEEK_HEAD_MAGIC);
    put_u32(head + 4, (uint32_t)seal->seek.len + SEEK_FOOT_BYTES);
    put_u32(foot, seal->block_count);
    foot[4] = 0;
    put_u32(foot + 5, SEEK_FOOT_MAGIC);
    Status s = seal_write(journal, seal, str_of(head, sizeof head), err);
    if (!s) s = seal_write(journal, seal, buf_str(&seal->seek), err);
    if (!s) s = seal_write(journal, seal, str_of(foot, sizeof foot), err);
    return s;
}

/* ---- From beginning to end ---- */

/* When erasing comes to a broken place: nobody can read what was there, and it may be what is to be erased. It becomes
 * zeros of the same length, which still count as damage. */
static Status wipe_damage(struct segments *journal, struct segments_seal *seal, Err *err)
{
    uint64_t from = seal->walk.offset, limit = seal->walk.limit;
    bool is_found = false;
    Status s = put_block(journal, seal, err);
    if (!s) s = segments_walk_resume(&seal->walk, true, &is_found, err);
    uint64_t to = is_found ? seal->walk.offset : limit;
    while (!s && from < to) {
        seal->block_len = to - from < SEALED_BLOCK_BYTES ? (size_t)(to - from) : SEALED_BLOCK_BYTES;
        memset(seal->block, 0, seal->block_len);
        from += seal->block_len;
        s = put_block(journal, seal, err);
    }
    seal->walk.offset = to;
    return s;
}

static void mark_unsealable(struct segments *journal, JournalPos base)
{
    pthread_mutex_lock(&journal->lock);
    size_t at = segment_table_find(&journal->segments, base);
    if (at < journal->segments.count && journal->segments.rows[at].base == base)
        journal->segments.rows[at].is_unsealable = true;
    pthread_mutex_unlock(&journal->lock);
}

static Status seal_damaged(struct segments *journal, struct segments_seal *seal, const char *why, Err *err)
{
    mark_unsealable(journal, seal->segment.base);
    return err_set(err, ERR_DAMAGED, "position %" PRIu64 ": %s; the segment stays unsealed; run onym verify",
                   seal->segment.base + seal->walk.offset, why);
}

Status segments_seal_begin(struct segments *journal, const Segment *segment, SealChange *change, Err *err)
{
    char path[SEGMENTS_PATH_BYTES];
    struct disk *disk = journal->disk;
    Err why;
    check(!journal->seal);
    struct segments_seal *seal = journal->seal = seal_new(journal, segment, change);
    seal->source.passes_bad_blocks = change && change->passes_bad_blocks;
    Status s = segments_source_open(&seal->source, journal->dir, segment->base, segment->is_sealed, &why);
    if (s == ERR_DAMAGED) s = seal_damaged(journal, seal, why.text, err);
    else if (s && err) *err = why;
    segment_path(path, journal->dir, segment->base, SEGMENT_TEMPORARY);
    if (!s) s = disk->open(disk, path, DISK_OPEN_OR_CREATE, &seal->file, err);
    if (!s) {
        seal->is_open = true;
        s = disk->truncate(disk, seal->file, 0, err);
    }
    segments_walk_start(&seal->walk, &seal->source, 0, segment->end - segment->base);
    if (!s) s = put_head(journal, seal, err);
    if (s) segments_seal_abort(journal);
    return s;
}

/* The new file takes the segment's place. If a sync fails nobody knows which names are on disk: then
 * nothing more is replaced or removed until the next start has looked. */
static Status seal_replace(struct segments *journal, struct segments_seal *seal, Err *err)
{
    char from[SEGMENTS_PATH_BYTES], to[SEGMENTS_PATH_BYTES], raw[SEGMENTS_PATH_BYTES];
    struct disk *disk = journal->disk;
    JournalPos base = seal->segment.base;
    segment_path(from, journal->dir, base, SEGMENT_TEMPORARY);
    segment_path(to, journal->dir, base, SEGMENT_SEALED);
    segment_path(raw, journal->dir, base, SEGMENT_RAW);
    Status s = disk->rename(disk, from, to, err);
    if (s) return s;
    seal->is_done = true;
    s = disk->sync_dir(disk, journal->dir, err);
    journal->is_maintenance_stopped = s != OK;
    if (s) return s;
    pthread_mutex_lock(&journal->lock);
    size_t at = segment_table_find(&journal->segments, base);
    check(at < journal->segments.count && journal->segments.rows[at].base == base);
    Segment *row = &journal->segments.rows[at];
    row->is_sealed = true;
    row->version++;
    row->disk_bytes = seal->written;
    pthread_mutex_unlock(&journal->lock);
    if (seal->segment.is_sealed) return OK;
    s = disk->remove(disk, raw, err);
    if (!s) s = disk->sync_dir(disk, journal->dir, err);
    journal->is_maintenance_stopped = s != OK;           /* a raw twin that may stand there would count */
    return s;
}

static Status seal_finish(struct segments *journal, struct segments_seal *seal, Err *err)
{
    struct disk *disk = journal->disk;
    Status s = put_block(journal, seal, err);
    if (!s) s = put_seek_table(journal, seal, err);
    if (!s) s = disk->sync(disk, seal->file, err);
    if (s) return s;
    disk->close(disk, seal->file);
    seal->is_open = false;
    return seal_replace(journal, seal, err);
}

Status segments_seal_step(struct segments *journal, bool *ret_more, Err *err)
{
    struct segments_seal *seal = journal->seal;
    uint64_t until = seal->walk.offset + STEP_BYTES;
    WalkFound found = WALK_FRAME;
    Status s = OK;
    while (!s && found == WALK_FRAME && seal->walk.offset < until) {
        SegmentFrame frame;
        s = segments_walk_next(&seal->walk, &frame, &found, err);
        if (!s && found == WALK_FRAME) s = put_frame(journal, seal, &frame, err);
        if (s || found == WALK_FRAME || found == WALK_LIMIT || !seal->change) continue;
        s = wipe_damage(journal, seal, err);
        found = WALK_FRAME;
    }
    *ret_more = !s && found == WALK_FRAME;
    if (*ret_more) return OK;
    if (!s && found != WALK_LIMIT) s = seal_damaged(journal, seal, seal->walk.why, err);
    if (!s) s = seal_finish(journal, seal, err);
    segments_seal_abort(journal);                         /* done: frees; after a failure removes what is left */
    return s;
}

/* ---- Housekeeping ---- */

/* The oldest closed segment that can be sealed. */
static bool find_unsealed(struct segments *journal, Segment *ret)
{
    bool is_found = false;
    pthread_mutex_lock(&journal->writing);               /* so that no other segment becomes the open one */
    pthread_mutex_lock(&journal->lock);
    size_t closed = journal->segments.count - (journal->tail.is_open ? 1 : 0);
    for (size_t at = 0; at < closed && !is_found; at++) {
        *ret = journal->segments.rows[at];
        is_found = !ret->is_sealed && !ret->is_unsealable;
    }
    pthread_mutex_unlock(&journal->lock);
    pthread_mutex_unlock(&journal->writing);
    return is_found;
}

static Status maintain_piece(struct segments *journal, bool *ret_more, Err *err)
{
    Segment segment;
    bool did_retire = false;
    Status s = segments_retire_one(journal, &did_retire, err);
    *ret_more = did_retire;
    if (s || did_retire) return s;
    if (!journal->seal) {
        if (!find_unsealed(journal, &segment)) return OK;
        s = segments_seal_begin(journal, &segment, NULL, err);
        if (s) return s;
    }
    s = segments_seal_step(journal, ret_more, err);
    if (!s && !*ret_more) *ret_more = find_unsealed(journal, &segment);
    return s;
}

Status segments_maintain(struct segments *journal, bool *ret_more, Err *err)
{
    enum { TROUBLE_PAUSE_MS = 10 * 1000, PLACE_LOOK_MS = 1000 };
    int64_t now_ns = clock_monotonic_ns(journal->options.clock);
    Status s = OK;
    *ret_more = false;
    check(!journal->is_read_only);
    if (now_ns - journal->place_looked_ns >= PLACE_LOOK_MS * 1000000LL) {    /* needed if nothing is written */
        journal->place_looked_ns = now_ns;
        pthread_mutex_lock(&journal->writing);
        IGNORE(segments_look_at_place(journal, journal->tail.used, NULL));    /* a notice tells about it */
        pthread_mutex_unlock(&journal->writing);
    }
    pthread_mutex_lock(&journal->maintaining);
    if (!journal->is_maintenance_stopped && now_ns >= journal->maintain_after_ns) {
        s = maintain_piece(journal, ret_more, err);
        if (s) journal->maintain_after_ns = now_ns + TROUBLE_PAUSE_MS * 1000000LL;
    }
    pthread_mutex_unlock(&journal->maintaining);
    if (!s) return OK;
    *ret_more = false;
    return err_wrap(err, s, "journal %s: housekeeping", journal->dir);
}
