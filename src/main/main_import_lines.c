/* Lines of a plain or gzipped file, by zlib's gz functions, which read both. */
#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE_BYTES = 256 * 1024, BUFFER_BYTES = IMPORT_LINE_BYTES + PIECE_BYTES };

struct import_lines {
    gzFile file;
    char *buffer;                          /* BUFFER_BYTES */
    size_t from, to;                       /* what of it is not read yet */
    uint64_t offset;                       /* of from, in the unpacked bytes */
    bool is_ended;
    char beginning[1024];                  /* of a line that is too long */
};

Status import_lines_open(const char *path, struct import_lines **ret, Err *err)
{
    struct import_lines *lines = calloc(1, sizeof *lines);
    if (lines) lines->buffer = calloc(1, BUFFER_BYTES);
    if (!lines || !lines->buffer) {
        free(lines);
        return err_set(err, ERR_IO, "no memory to read %s", path);
    }
    errno = 0;
    lines->file = strcmp(path, "-") ? gzopen(path, "rbe") : gzdopen(dup(STDIN_FILENO), "rb");
    if (!lines->file) {
        Status s = errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s: there is no such file", path)
                                   : err_set_errno(err, errno ? errno : ENOMEM, "%s", path);
        import_lines_close(lines);
        return s;
    }
    (void)gzbuffer(lines->file, PIECE_BYTES);
    *ret = lines;
    return OK;
}

void import_lines_close(struct import_lines *lines)
{
    if (!lines) return;
    if (lines->file) (void)gzclose(lines->file);
    free(lines->buffer);
    free(lines);
}

/* Reads more behind what is there; the rest moves to the front first. */
static Status fill(struct import_lines *lines, Err *err)
{
    if (lines->is_ended) return OK;
    memmove(lines->buffer, lines->buffer + lines->from, lines->to - lines->from);
    lines->to -= lines->from, lines->from = 0;
    if (lines->to == BUFFER_BYTES) return OK;
    int got = gzread(lines->file, lines->buffer + lines->to, (unsigned)(BUFFER_BYTES - lines->to));
    int code = Z_OK;
    const char *text = gzerror(lines->file, &code);
    if (got < 0 || code == Z_BUF_ERROR || code == Z_DATA_ERROR) {
        if (code == Z_ERRNO) return err_set_errno(err, errno, "reading");
        return err_set(err, ERR_DAMAGED, "broken gzip behind %" PRIu64 " unpacked bytes%s%s",
                       lines->offset + (lines->to - lines->from), text[0] ? ": " : "", text);
    }
    lines->to += (size_t)got;
    lines->is_ended = got == 0;
    return OK;
}

/* The line's end within what is there: at its newline, or at the end of all; SIZE_MAX: more is needed. */
static size_t find_end(const struct import_lines *lines, size_t searched)
{
    const char *start = lines->buffer + lines->from + searched;
    const char *newline = memchr(start, '\n', lines->to - lines->from - searched);
    if (newline) return (size_t)(newline - lines->buffer);
    return lines->is_ended ? lines->to : SIZE_MAX;
}

/* Drops the rest of a line that is too long. */
static Status pass_long_line(struct import_lines *lines, Err *err)
{
    for (;;) {
        size_t end = find_end(lines, 0);
        size_t stop = end == SIZE_MAX ? lines->to : end < lines->to ? end + 1 : end;
        lines->offset += stop - lines->from;
        lines->from = stop;
        if (end != SIZE_MAX) return OK;
        Status s = fill(lines, err);
        if (s) return s;
    }
}

Status import_lines_read(struct import_lines *lines, ImportLine *ret, Err *err)
{
    size_t end, searched = 0;
    while ((end = find_end(lines, searched)) == SIZE_MAX && lines->to - lines->from <= IMPORT_LINE_BYTES) {
        searched = lines->to - lines->from;
        Status s = fill(lines, err);
        if (s) return s;
    }
    if (lines->from == lines->to && lines->is_ended) return ERR_NOT_FOUND;
    size_t len = (end == SIZE_MAX ? lines->to : end) - lines->from;
    *ret = (ImportLine){ .offset = lines->offset, .is_too_long = len > IMPORT_LINE_BYTES };
    if (ret->is_too_long) {
        memcpy(lines->beginning, lines->buffer + lines->from, sizeof lines->beginning);
        ret->text = str_of(lines->beginning, sizeof lines->beginning);
        Status s = pass_long_line(lines, err);
        ret->next = lines->offset;
        return s;
    }
    ret->text = str_of(lines->buffer + lines->from, len);
    lines->from = end < lines->to ? end + 1 : end;
    lines->offset += len + (end < lines->to ? 1 : 0);
    ret->next = lines->offset;
    return OK;
}

Status import_lines_skip(struct import_lines *lines, uint64_t offset, Err *err)
{
    while (lines->offset < offset) {
        if (lines->from == lines->to) {
            Status s = fill(lines, err);
            if (s) return s;
            if (lines->is_ended) return err_set(err, ERR_INPUT, "is shorter than what was imported of it; --restart?");
        }
        uint64_t left = offset - lines->offset, there = lines->to - lines->from;
        uint64_t some = left < there ? left : there;
        lines->from += (size_t)some;
        lines->offset += some;
    }
    return OK;
}

uint64_t import_lines_done_bytes(const struct import_lines *lines)
{
    z_off_t at = gzoffset(lines->file);
    return at > 0 ? (uint64_t)at : 0;
}
