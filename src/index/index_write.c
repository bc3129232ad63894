/* index_write: a run's bytes, one section after the other, into memory or a file.
 *
 * Sections are written strictly forwards; only the head, which says where the directory is, is written
 * last, at offset 0. So a merge needs the memory of one block and one dictionary, not of a run. An error
 * is kept: later calls do nothing, and run_writer_finish returns it.
 */
#include "index_run.h"

#include <stdlib.h>
#include <zstd.h>

enum { OUT_BYTES = 1 << 20, BLOCK_BYTES = RUN_BLOCK_ROWS * 8 };

void run_writer_init(struct run_writer *writer, struct buf *image, struct disk *disk, DiskFile file,
                     int level)
{
    *writer = (struct run_writer){ .image = image, .disk = disk, .file = file, .level = level };
    buf_init(&writer->out, OUT_BYTES + 256);
    buf_init(&writer->sections, (2 * RUN_COLUMNS_MAX + 16) * sizeof(struct run_section));
    buf_init(&writer->table, (RUN_ROWS_MAX / RUN_BLOCK_ROWS + 1) * sizeof(struct run_block));
    writer->zstd = ZSTD_createCCtx();
    writer->block = malloc(BLOCK_BYTES + RUN_SLACK_BYTES);
    writer->planes = malloc(BLOCK_BYTES);
    writer->packed_block = malloc(ZSTD_compressBound(BLOCK_BYTES));
    if (!writer->zstd || !writer->block || !writer->planes || !writer->packed_block)
        writer->status = err_set(&writer->err, ERR_TOO_LARGE, "index: no memory to write a run");
    static const char blank[RUN_HEAD_BYTES];
    run_writer_put(writer, blank, sizeof blank);
}

void run_writer_done(struct run_writer *writer)
{
    buf_done(&writer->out);
    buf_done(&writer->sections);
    buf_done(&writer->table);
    ZSTD_freeCCtx(writer->zstd);
    free(writer->block);
    free(writer->planes);
    free(writer->packed_block);
    *writer = (struct run_writer){ 0 };
}

static void writer_flush(struct run_writer *writer)
{
    if (writer->status || writer->out.len == 0) return;
    Str part = buf_str(&writer->out);
    writer->status = writer->disk->write(writer->disk, writer->file, writer->flushed, &part, 1, &writer->err);
    writer->flushed += part.len;
    buf_clear(&writer->out);
}

void run_writer_put(struct run_writer *writer, const void *bytes, size_t count)
{
    writer->section.crc = crc32c_of(writer->section.crc, str_of(bytes, count));
    writer->offset += count;
    if (writer->status) return;
    if (writer->image) {
        buf_put(writer->image, bytes, count);
        if (!buf_ok(writer->image))
            writer->status
                = err_set(&writer->err, ERR_TOO_LARGE, "index: a run in memory over %zu bytes",
                          writer->image->max);
        return;
    }
    for (const char *at = bytes; count > 0 && !writer->status;) {
        size_t part = OUT_BYTES - writer->out.len;
        if (part > count) part = count;
        buf_put(&writer->out, at, part);
        if (!buf_ok(&writer->out))
            writer->status = err_set(&writer->err, ERR_TOO_LARGE, "index: no memory to write a run");
        if (writer->out.len == OUT_BYTES) writer_flush(writer);
        at += part;
        count -= part;
    }
}

static void writer_pad(struct run_writer *writer, size_t least)
{
    static const char zeros[RUN_ALIGN + RUN_SLACK_BYTES];
    size_t pad = (RUN_ALIGN - writer->offset % RUN_ALIGN) % RUN_ALIGN;
    if (pad < least) pad += RUN_ALIGN;
    run_writer_put(writer, zeros, pad);
}

void run_writer_begin(struct run_writer *writer, RunSectionKind kind, uint32_t column)
{
    writer_pad(writer, 0);
    writer->section
        = (struct run_section){ .kind = kind, .column = column, .offset = writer->offset, .width = 1 };
    writer->is_blocks = writer->in_planes = false;
    writer->block_rows = 0;
}

void run_writer_begin_packed(struct run_writer *writer, RunSectionKind kind, uint32_t column, uint32_t width,
                             int64_t base, bool in_blocks)
{
    run_writer_begin(writer, kind, column);
    writer->section.width = writer->width = width;
    writer->section.base = base;
    writer->is_blocks = in_blocks;
    buf_clear(&writer->table);
}

void run_writer_begin_distances(struct run_writer *writer, const struct position_curve *curve)
{
    run_writer_begin(writer, SECTION_KNOTS, curve->count);
    writer->section.base = curve->first_ms;
    writer->section.width = curve->shift;
    run_writer_put(writer, curve->positions, curve->count * sizeof *curve->positions);
    run_writer_end(writer);
    run_writer_begin_packed(writer, SECTION_POSITIONS, 0, 8, 0, true);
    writer->in_planes = true;
}

/* All first bytes of the integers, then all second bytes, and so on. */
static void lay_in_planes(const unsigned char *from, uint32_t rows, uint32_t width, unsigned char *to)
{
    for (uint32_t byte = 0; byte < width; byte++)
        for (uint32_t row = 0; row < rows; row++) to[(size_t)byte * rows + row] = from[(size_t)row * width + byte];
}

static bool is_all_zero(const unsigned char *bytes, size_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

void run_writer_flush_block(struct run_writer *writer)
{
    size_t count = (size_t)writer->block_rows * writer->width;
    const unsigned char *bytes = writer->block;
    if (writer->in_planes) {
        lay_in_planes(bytes, writer->block_rows, writer->width, writer->planes);
        bytes = writer->planes;
    }
    writer->block_rows = 0;
    if (writer->status) return;
    if (!writer->is_blocks) {
        run_writer_put(writer, bytes, count);
        return;
    }
    if (is_all_zero(bytes, count)) count = 0;
    else {
        size_t packed
            = ZSTD_compressCCtx(writer->zstd, writer->packed_block, ZSTD_compressBound(BLOCK_BYTES), bytes,
                                          count, writer->level);
        if (!ZSTD_isError(packed) && packed < count - count / 16)
            bytes = writer->packed_block, count = packed;
    }
    run_writer_put(writer, bytes, count);
    struct run_block block
        = { (uint32_t)(writer->offset - writer->section.offset), crc32c_of(0, str_of(bytes, count)) };
    buf_put(&writer->table, &block, sizeof block);
}

void run_writer_end(struct run_writer *writer)
{
    if (writer->block_rows > 0) run_writer_flush_block(writer);
    if (writer->is_blocks) {
        writer->section.table_offset = writer->offset - writer->section.offset;
        /* of the table alone; blocks have their own */
        writer->section.crc = 0;
        run_writer_put(writer, writer->table.bytes, writer->table.len);
    }
    writer->section.bytes = writer->offset - writer->section.offset;
    buf_put(&writer->sections, &writer->section, sizeof writer->section);
    writer->head.section_count++;
    writer_pad(writer, RUN_SLACK_BYTES);
}

void run_writer_values(struct run_writer *writer, uint32_t column, const double *numbers,
                       uint32_t number_count,
                       const struct run_strings *strings)
{
    struct buf raw;
    buf_init(&raw, RUN_VALUE_BYTES_MAX + RUN_VALUES_MAX * sizeof(double) + 64);
    buf_put(&raw, &number_count, sizeof number_count);
    buf_put(&raw, &strings->count, sizeof strings->count);
    buf_put(&raw, numbers, number_count * sizeof *numbers);
    buf_put(&raw, strings->ends, strings->count * sizeof *strings->ends);
    buf_put(&raw, strings->bytes, strings->count ? strings->ends[strings->count - 1] : 0);
    if (!buf_ok(&raw) && !writer->status)
        writer->status = err_set(&writer->err, ERR_TOO_LARGE, "index: a dictionary over its limit");
    run_writer_begin(writer, SECTION_VALUES, column);
    writer->section.width = 0;
    writer->section.raw_bytes = raw.len;
    size_t room = ZSTD_compressBound(raw.len);
    char *packed = raw.len > 256 ? malloc(room) : NULL;            /* small ones are not worth a frame */
    size_t len = packed ? ZSTD_compressCCtx(writer->zstd, packed, room, raw.bytes, raw.len, writer->level)
        : raw.len;
    bool pays = packed && !ZSTD_isError(len) && len < raw.len - raw.len / 8;
    writer->section.width = pays;
    run_writer_put(writer, pays ? packed : raw.bytes, pays ? len : raw.len);
    free(packed);
    buf_done(&raw);
    uint64_t raw_bytes = writer->section.raw_bytes;
    run_writer_end(writer);
    check(writer->status || raw_bytes > 0);
}

Status run_writer_finish(struct run_writer *writer, Err *err)
{
    struct run_head *head = &writer->head;
    writer_pad(writer, 0);
    head->directory_offset = writer->offset;
    head->directory_crc = crc32c_of(0, buf_str(&writer->sections));
    run_writer_put(writer, writer->sections.bytes, writer->sections.len);
    writer_pad(writer, RUN_SLACK_BYTES);
    memcpy(head->magic, RUN_MAGIC, sizeof head->magic);
    head->head_crc = crc32c_of(0, str_of(head, offsetof(struct run_head, head_crc)));
    if (writer->disk) writer_flush(writer);
    if (!buf_ok(&writer->sections) && !writer->status)
        writer->status = err_set(&writer->err, ERR_TOO_LARGE, "index: no memory for a run's directory");
    if (!writer->status && writer->image) memcpy(writer->image->bytes, head, sizeof *head);
    if (!writer->status && writer->disk) {
        Str part = str_of(head, sizeof *head);
        writer->status = writer->disk->write(writer->disk, writer->file, 0, &part, 1, &writer->err);
    }
    if (writer->status && err) *err = writer->err;
    return writer->status;
}
