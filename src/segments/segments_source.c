/* segments_source: one segment file as raw bytes by offset. A raw file is read in pieces of a MiB; a sealed
 * one is unpacked block by block. Blocks end where frames do, so that a damaged block costs only its own
 * frames, and no frame is ever in two blocks. */
#include "segments_private.h"

#include <zstd.h>

enum {
    RAW_WINDOW_BYTES = 1 << 20,
    PIECE_BYTES = 4096,
    PACKED_BYTES = ZSTD_COMPRESSBOUND(SEALED_BLOCK_BYTES_MAX),
    WINDOW_BYTES = RAW_WINDOW_BYTES > SEALED_BLOCK_BYTES_MAX ? RAW_WINDOW_BYTES : SEALED_BLOCK_BYTES_MAX,
};
_Static_assert(PACKED_BYTES >= SEALED_BLOCKS_MAX * SEEK_ENTRY_BYTES, "the seek table is read into the same buffer");

void segments_source_init(struct segments_source *source, struct disk *disk)
{
    *source = (struct segments_source){ .disk = disk };
    region_open(&source->region, WINDOW_BYTES + PACKED_BYTES + SEALED_BLOCKS_MAX * sizeof *source->blocks + 64);
    Arena arena = region_arena(&source->region);
    source->window = arena_bytes(&arena, WINDOW_BYTES);
    source->packed = arena_bytes(&arena, PACKED_BYTES);
    source->blocks = arena_try(&arena, sizeof *source->blocks, _Alignof(SealedBlock), SEALED_BLOCKS_MAX);
    check(source->blocks != NULL);
}

void segments_source_close(struct segments_source *source)
{
    if (source->is_open) source->disk->close(source->disk, source->file);
    source->is_open = source->is_head_damaged = false;
    segments_source_forget(source);
}

void segments_source_done(struct segments_source *source)
{
    if (!source->region.start) return;
    segments_source_close(source);
    ZSTD_freeDCtx(source->unpacker);
    region_close(&source->region);
    *source = (struct segments_source){ 0 };
}

void segments_source_forget(struct segments_source *source)
{
    source->window_len = 0;
    source->window_at = 0;
    source->block_index = SIZE_MAX;
}

/* ---- Bad blocks ---- */

/* For a raw segment: what the disk cannot read becomes zeros, which are never a frame. */
static Status read_pieces(struct segments_source *source, uint64_t offset, char *bytes, size_t count, size_t *ret_got,
                          Err *err)
{
    if (offset >= source->file_bytes) return *ret_got = 0, OK;
    if (count > source->file_bytes - offset) count = source->file_bytes - offset;
    for (size_t at = 0, piece, got; at < count; at += piece) {
        piece = count - at < PIECE_BYTES ? count - at : PIECE_BYTES;
        Status s = source->disk->read(source->disk, source->file, offset + at, bytes + at, piece, &got, err);
        if (s && s != ERR_IO) return s;
        if (s) got = 0;
        memset(bytes + at + got, 0, piece - got);
    }
    *ret_got = count;
    return OK;
}

static Status read_file(struct segments_source *source, uint64_t offset, char *bytes, size_t count, size_t *ret_got,
                        Err *err)
{
    Err why;
    Status s = source->disk->read(source->disk, source->file, offset, bytes, count, ret_got, &why);
    if (s == ERR_IO && source->passes_bad_blocks) {
        if (!source->is_sealed) return read_pieces(source, offset, bytes, count, ret_got, err);
        return err_set(err, ERR_DAMAGED, "the disk cannot read it: %s", why.text);
    }
    if (s && err) *err = why;
    return s;
}

/* ---- The seek table of a sealed segment ---- */

static Status read_exactly(struct segments_source *source, uint64_t offset, char *bytes, size_t count, Err *err)
{
    size_t got;
    Status s = read_file(source, offset, bytes, count, &got, err);
    if (!s && got != count) s = err_set(err, ERR_DAMAGED, "the file ends at %" PRIu64, offset + got);
    return s;
}

/* Checks the zstd frame around the table; gives the number of its entries. */
static Status seek_table_measure(struct segments_source *source, uint32_t *ret_count, Err *err)
{
    char foot[SEEK_FOOT_BYTES], head[SEEK_HEAD_BYTES];
    if (source->file_bytes < SEEK_HEAD_BYTES + SEEK_ENTRY_BYTES + SEEK_FOOT_BYTES)
        return err_set(err, ERR_DAMAGED, "%" PRIu64 " bytes are no sealed segment", source->file_bytes);
    Status s = read_exactly(source, source->file_bytes - SEEK_FOOT_BYTES, foot, sizeof foot, err);
    if (s) return s;
    uint32_t count = get_u32(foot);
    uint64_t bytes = (uint64_t)count * SEEK_ENTRY_BYTES + SEEK_FOOT_BYTES;
    if (get_u32(foot + 5) != SEEK_FOOT_MAGIC || foot[4] != 0 || count == 0 || count > SEALED_BLOCKS_MAX ||
        bytes + SEEK_HEAD_BYTES > source->file_bytes)
        return err_set(err, ERR_DAMAGED, "the seek table's end is not there");
    s = read_exactly(source, source->file_bytes - bytes - SEEK_HEAD_BYTES, head, sizeof head, err);
    if (s) return s;
    if (get_u32(head) != SEEK_HEAD_MAGIC || get_u32(head + 4) != bytes)
        return err_set(err, ERR_DAMAGED, "the seek table's beginning is not there");
    *ret_count = count;
    return OK;
}

static Status seek_table_read(struct segments_source *source, Err *err)
{
    uint32_t count = 0;
    Status s = seek_table_measure(source, &count, err);
    if (s) return s;
    uint64_t entries_bytes = (uint64_t)count * SEEK_ENTRY_BYTES;
    uint64_t table_at = source->file_bytes - SEEK_FOOT_BYTES - entries_bytes;
    s = read_exactly(source, table_at, source->packed, entries_bytes, err);
    if (s) return s;
    uint64_t raw_at = 0, file_at = 0;
    for (uint32_t at = 0; at < count; at++) {
        uint32_t file_bytes = get_u32(source->packed + at * SEEK_ENTRY_BYTES);
        uint32_t raw_bytes = get_u32(source->packed + at * SEEK_ENTRY_BYTES + 4);
        if (file_bytes == 0 || file_bytes > PACKED_BYTES || raw_bytes == 0 || raw_bytes > SEALED_BLOCK_BYTES_MAX)
            return err_set(err, ERR_DAMAGED, "entry %u of the seek table is out of range", at);
        source->blocks[at] = (SealedBlock){ raw_at, file_at, raw_bytes, file_bytes };
        raw_at += raw_bytes;
        file_at += file_bytes;
    }
    if (file_at + SEEK_HEAD_BYTES != table_at || source->blocks[0].raw_bytes != SEGMENT_HEAD_BYTES)
        return err_set(err, ERR_DAMAGED, "the seek table does not add up");
    source->block_count = count;
    source->raw_bytes = raw_at;
    return OK;
}

/* ---- Loading ---- */

static size_t find_block(const struct segments_source *source, uint64_t offset)
{
    size_t low = 0, high = source->block_count;         /* the last one that begins at or before offset */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (source->blocks[middle].raw_at <= offset) low = middle;
        else high = middle;
    }
    return low;
}

static Status load_block(struct segments_source *source, size_t block_index, Err *err)
{
    const SealedBlock *block = &source->blocks[block_index];
    segments_source_forget(source);
    Status s = read_exactly(source, block->file_at, source->packed, block->file_bytes, err);
    if (s) return s;
    if (!source->unpacker) source->unpacker = ZSTD_createDCtx();
    check(source->unpacker != NULL);
    unsigned long long says = ZSTD_getFrameContentSize(source->packed, block->file_bytes);
    if (says != block->raw_bytes)
        return err_set(err, ERR_DAMAGED, "a sealed block has not the size that the seek table says");
    size_t got = ZSTD_decompressDCtx(source->unpacker, source->window, block->raw_bytes, source->packed,
                                     block->file_bytes);
    if (ZSTD_isError(got) || got != block->raw_bytes)
        return err_set(err, ERR_DAMAGED, "a sealed block does not unpack: %s",
                       ZSTD_isError(got) ? ZSTD_getErrorName(got) : "too short");
    source->block_index = block_index;
    source->window_at = block->raw_at;
    source->window_len = got;
    return OK;
}

Str segments_source_bytes(const struct segments_source *source, uint64_t offset, uint64_t limit)
{
    uint64_t end = source->window_at + source->window_len;
    if (end > limit) end = limit;
    if (offset < source->window_at || offset >= end) return (Str){ source->window, 0 };
    return str_of(source->window + (offset - source->window_at), end - offset);
}

Status segments_source_load(struct segments_source *source, uint64_t offset, size_t need, uint64_t limit, Err *err)
{
    check(source->is_open && need <= RAW_WINDOW_BYTES);
    if (source->is_sealed && limit > source->raw_bytes) limit = source->raw_bytes;
    if (offset >= limit) return OK;
    if (need > limit - offset) need = limit - offset;
    if (source->is_sealed) {
        size_t block_index = find_block(source, offset);
        return block_index == source->block_index ? OK : load_block(source, block_index, err);
    }
    if (offset >= source->window_at && offset + need <= source->window_at + source->window_len) return OK;
    size_t want = limit - offset < RAW_WINDOW_BYTES ? limit - offset : RAW_WINDOW_BYTES, got = 0;
    segments_source_forget(source);
    Status s = read_file(source, offset, source->window, want, &got, err);
    if (s) return s;
    source->window_at = offset;
    source->window_len = got;
    if (got < need) return err_set(err, ERR_DAMAGED, "the file ends at %" PRIu64, offset + got);
    return OK;
}

/* ---- Opening ---- */

static Status open_check_head(struct segments_source *source, Err *err)
{
    if (source->is_sealed) {
        Status s = seek_table_read(source, err);
        if (s) return s;
    }
    /* Not further than the head: what comes after it may not be written yet, and a window is not read twice. */
    uint64_t limit = source->raw_bytes;
    if (!source->is_sealed && limit > SEGMENT_HEAD_BYTES) limit = SEGMENT_HEAD_BYTES;
    Status s = segments_source_load(source, 0, SEGMENT_HEAD_BYTES, limit, err);
    if (s == ERR_DAMAGED) source->is_head_damaged = true;
    if (s) return s;
    const char *why = source->raw_bytes < SEGMENT_HEAD_BYTES ? "the segment's head is cut off"
                    : segments_decode_head(source->window, &source->head);
    if (!why && source->head.base != source->base) why = "the segment's head belongs to another position";
    if (!why && source->head.has_sums == source->is_sealed) why = "the segment's head belongs to the other form";
    if (!why) return OK;
    source->is_head_damaged = true;                     /* what is after it can still be read */
    return err_set(err, ERR_DAMAGED, "%s", why);
}

Status segments_source_open(struct segments_source *source, const char *dir, JournalPos base, bool is_sealed, Err *err)
{
    char path[SEGMENTS_PATH_BYTES];
    struct disk *disk = source->disk;
    segments_source_close(source);
    source->base = base;
    source->is_sealed = is_sealed;
    source->block_count = 0;
    source->head = (SegmentHead){ .base = base, .has_sums = !is_sealed };
    segment_path(path, dir, base, is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
    Status s = disk->open(disk, path, DISK_READ, &source->file, err);
    if (s) return s;
    source->is_open = true;
    s = disk->size(disk, source->file, &source->file_bytes, err);
    source->raw_bytes = source->file_bytes;
    if (!s) s = open_check_head(source, err);
    if (s && !source->is_head_damaged) segments_source_close(source);
    return s ? err_wrap(err, s, "%s", path) : OK;
}
