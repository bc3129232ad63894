/* output: bytes are gathered into pieces, compressed where asked, and written to "<name>.part", which is
 * synced and renamed at the end: who finds the file finds all of it. */
#include "tools_output.h"
#include "terminal/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

enum { PIECE_BYTES = 256 * 1024, PATH_BYTES = 4096, GZIP_WINDOW = 15 + 16 };

struct output {
    struct disk *disk;
    char path[PATH_BYTES], part[PATH_BYTES + 8];
    bool is_file, is_gzip, is_finished;
    DiskFile file;
    uint64_t offset;
    z_stream deflater;
    struct buf piece;
    unsigned char packed[PIECE_BYTES];
};

/* The file is put in the place of what had its name: of a device, /dev/null say, nothing would be left. */
static Status refuse_device(const char *path, Err *err)
{
    struct stat found;
    if (stat(path, &found) || S_ISREG(found.st_mode)) return OK;
    return err_set(err, ERR_INPUT, "%s is no file: leave -o out and send standard output there (> %s)", path, path);
}

Status output_open(const char *path, struct disk *disk, struct output **ret, Err *err)
{
    struct output *output = calloc(1, sizeof *output);
    if (!output) return err_set(err, ERR_IO, "no memory for the output");
    output->disk = disk;
    output->is_file = path && strcmp(path, "-");
    output->is_gzip = output->is_file && str_ends(str_from(path), STR(".gz"));
    buf_init(&output->piece, PIECE_BYTES);
    Status s = OK;
    if (output->is_gzip && deflateInit2(&output->deflater, 6, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        output->is_gzip = false;
        s = err_set(err, ERR_IO, "no memory to compress");
    }
    if (!s && output->is_file) {
        if ((size_t)snprintf(output->path, sizeof output->path, "%s", path) >= sizeof output->path)
            s = err_set(err, ERR_INPUT, "the output's path is too long");
        snprintf(output->part, sizeof output->part, "%s.part", output->path);
        if (!s) s = refuse_device(output->path, err);
        if (!s) s = disk->remove(disk, output->part, err);
        if (!s) s = disk->open(disk, output->part, DISK_CREATE, &output->file, err);
        if (s) output->is_file = false;                      /* nothing to close or to remove */
    }
    if (s) {
        output_close(output);
        return s;
    }
    *ret = output;
    return OK;
}

static Status write_out(struct output *output, Str bytes, Err *err)
{
    if (bytes.len == 0) return OK;
    if (output->is_file) {
        Status s = output->disk->write(output->disk, output->file, output->offset, &bytes, 1, err);
        output->offset += bytes.len;
        return s;
    }
    terminal_write(stdout, bytes);
    if (!ferror(stdout)) return OK;
    return err_set_errno(err, errno, "standard output");
}

/* What was gathered goes out; flush is zlib's. */
static Status write_piece(struct output *output, int flush, Err *err)
{
    Str piece = buf_str(&output->piece);
    Status s = OK;
    if (!output->is_gzip) {
        s = write_out(output, piece, err);
    } else {
        output->deflater.next_in = (unsigned char *)(uintptr_t)piece.bytes;
        output->deflater.avail_in = (unsigned)piece.len;
        do {
            output->deflater.next_out = output->packed;
            output->deflater.avail_out = sizeof output->packed;
            check(deflate(&output->deflater, flush) != Z_STREAM_ERROR);
            s = write_out(output, str_of(output->packed, sizeof output->packed - output->deflater.avail_out), err);
        } while (!s && output->deflater.avail_out == 0);
    }
    buf_clear(&output->piece);
    return s;
}

Status output_put(struct output *output, Str bytes, Err *err)
{
    while (bytes.len) {
        size_t room = PIECE_BYTES - output->piece.len;
        Str head = str_slice(bytes, 0, room);
        buf_str_put(&output->piece, head);
        check(buf_ok(&output->piece));
        bytes = str_slice(bytes, head.len, bytes.len);
        if (output->piece.len < PIECE_BYTES) continue;
        Status s = write_piece(output, Z_NO_FLUSH, err);
        if (s) return s;
    }
    return OK;
}

/* The directory of a path; "." where it names none. */
static const char *directory_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash) return ".";
    slash[slash == path ? 1 : 0] = 0;
    return path;
}

Status output_finish(struct output *output, Err *err)
{
    Status s = write_piece(output, Z_FINISH, err);
    if (!output->is_file) {
        if (!s && fflush(stdout)) s = err_set_errno(err, errno, "standard output");
        return s;
    }
    struct disk *disk = output->disk;
    if (!s) s = disk->sync(disk, output->file, err);
    if (!s) s = disk->rename(disk, output->part, output->path, err);
    if (s) return s;
    output->is_finished = true;
    char dir[PATH_BYTES];
    snprintf(dir, sizeof dir, "%s", output->path);
    return disk->sync_dir(disk, directory_of(dir), err);
}

void output_close(struct output *output)
{
    if (!output) return;
    if (output->is_gzip) (void)deflateEnd(&output->deflater);
    if (output->is_file) {
        output->disk->close(output->disk, output->file);
        if (!output->is_finished && output->disk->remove(output->disk, output->part, NULL))
            fprintf(stderr, "onym: %s could not be removed\n", output->part);
    }
    buf_done(&output->piece);
    free(output);
}
