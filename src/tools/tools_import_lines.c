/* Lines, or the items of a JSON array, of a plain or gzipped file. zlib's gz functions read both, but take a file that
 * was cut off where the output happens to be full for a whole one; so the members are inflated here, and a file ends
 * well only after one. */
#include "tools_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE_BYTES = 256 * 1024, BUFFER_BYTES = IMPORT_LINE_BYTES + PIECE_BYTES };

typedef enum Packing { PACKING_UNKNOWN, PACKING_NONE, PACKING_IN_MEMBER, PACKING_BETWEEN } Packing;

struct import_lines {
    FILE *file;
    z_stream stream;
    Packing packing;
    unsigned char *piece;                  /* PIECE_BYTES of the file; the stream's input is the rest of it */
    uint64_t piece_end;                    /* in the file */
    char *buffer;                          /* BUFFER_BYTES */
    size_t from, to;                       /* what of it is not read yet */
    uint64_t offset;                       /* of from, in the unpacked bytes */
    bool is_ended;
    bool is_looked_at, is_array;           /* a JSON array: an item is a line */
    bool is_open;                          /* inside of an array */
    char beginning[1024];                  /* of a line that is too long */
};

static FILE *open_file(const char *path)
{
    if (strcmp(path, "-")) return fopen(path, "rbe");
    int copy = dup(STDIN_FILENO);
    FILE *file = copy >= 0 ? fdopen(copy, "rb") : NULL;
    if (!file && copy >= 0) close(copy);
    return file;
}

Status import_lines_open(const char *path, struct import_lines **ret, Err *err)
{
    struct import_lines *lines = calloc(1, sizeof *lines);
    if (lines) lines->buffer = calloc(1, BUFFER_BYTES);
    if (lines) lines->piece = calloc(1, PIECE_BYTES);
    if (!lines || !lines->buffer || !lines->piece || inflateInit2(&lines->stream, 15 + 16) != Z_OK) {
        import_lines_close(lines);
        return err_set(err, ERR_IO, "no memory to read %s", path);
    }
    errno = 0;
    lines->file = open_file(path);
    if (!lines->file) {
        Status s = errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s: there is no such file", path)
                                   : err_set_errno(err, errno ? errno : ENOMEM, "%s", path);
        import_lines_close(lines);
        return s;
    }
    *ret = lines;
    return OK;
}

void import_lines_close(struct import_lines *lines)
{
    if (!lines) return;
    if (lines->file) (void)fclose(lines->file);
    (void)inflateEnd(&lines->stream);
    free(lines->buffer);
    free(lines->piece);
    free(lines);
}

/* ---- Unpacking ---- */

/* At least two bytes of input, where the file has as many. */
static Status read_piece(struct import_lines *lines, Err *err)
{
    size_t left = lines->stream.avail_in;
    if (left >= 2) return OK;
    if (left) lines->piece[0] = *lines->stream.next_in;
    lines->stream.next_in = lines->piece;
    size_t got = fread(lines->piece + left, 1, PIECE_BYTES - left, lines->file);
    lines->stream.avail_in = (uInt)(left + got);
    lines->piece_end += got;
    return ferror(lines->file) ? err_set_errno(err, errno, "reading") : OK;
}

static bool is_at_member(const struct import_lines *lines)
{
    return lines->stream.avail_in >= 2 && lines->stream.next_in[0] == 0x1f && lines->stream.next_in[1] == 0x8b;
}

/* Copies or inflates what is there, some of it. What lies after the last member is nothing, as to gzip. */
static Status unpack_some(struct import_lines *lines, char *to, size_t room, size_t *ret_len, const char **ret_problem)
{
    z_stream *stream = &lines->stream;
    *ret_len = 0;
    if (lines->packing == PACKING_UNKNOWN) lines->packing = is_at_member(lines) ? PACKING_IN_MEMBER : PACKING_NONE;
    if (lines->packing == PACKING_NONE) {
        *ret_len = stream->avail_in < room ? stream->avail_in : room;
        memcpy(to, stream->next_in, *ret_len);
        stream->next_in += *ret_len;
        stream->avail_in -= (uInt)*ret_len;
        lines->is_ended = *ret_len == 0;
        return OK;
    }
    if (lines->packing == PACKING_BETWEEN) {
        lines->is_ended = !is_at_member(lines);
        if (lines->is_ended) return OK;
        (void)inflateReset(stream);
        lines->packing = PACKING_IN_MEMBER;
    }
    stream->next_out = (Bytef *)to;
    stream->avail_out = (uInt)room;
    int code = inflate(stream, Z_NO_FLUSH);
    *ret_len = room - stream->avail_out;
    if (code == Z_STREAM_END) lines->packing = PACKING_BETWEEN;
    else if (code == Z_BUF_ERROR) *ret_problem = "it is cut off";
    else if (code != Z_OK) *ret_problem = stream->msg ? stream->msg : "inflating fails";
    return *ret_problem ? ERR_DAMAGED : OK;
}

/* Reads more after what is there; the rest moves to the front first. What comes before a damaged place is given before
 * that is said. */
static Status fill(struct import_lines *lines, Err *err)
{
    if (lines->is_ended) return OK;
    memmove(lines->buffer, lines->buffer + lines->from, lines->to - lines->from);
    lines->to -= lines->from, lines->from = 0;
    size_t before = lines->to, got;
    while (lines->to < BUFFER_BYTES && !lines->is_ended) {
        const char *problem = NULL;
        Status s = read_piece(lines, err);
        if (s) return s;
        s = unpack_some(lines, lines->buffer + lines->to, BUFFER_BYTES - lines->to, &got, &problem);
        lines->to += got;
        if (s && lines->to > before) return OK;             /* again, and then it is said */
        if (s) return err_set(err, s, "broken gzip after %" PRIu64 " unpacked bytes: %s",
                              lines->offset + (lines->to - lines->from), problem);
    }
    return OK;
}

/* ---- Lines ---- */

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

static Status read_line(struct import_lines *lines, ImportLine *ret, Err *err)
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

/* ---- The items of an array ---- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* Where in an item a scan is: the text may come in pieces. */
typedef struct Scan {
    size_t at;                             /* bytes after lines->from that were looked at */
    unsigned depth;
    bool in_string, is_escaped, is_done;
} Scan;

/* An item ends after its last brace, or before the comma or bracket after it. */
static void scan_item(const struct import_lines *lines, Scan *scan)
{
    const char *text = lines->buffer + lines->from;
    size_t len = lines->to - lines->from;
    for (; scan->at < len && !scan->is_done; scan->at++) {
        char c = text[scan->at];
        if (scan->in_string) {
            if (scan->is_escaped) scan->is_escaped = false;
            else if (c == '\\') scan->is_escaped = true;
            else if (c == '"') scan->in_string = false;
        } else if (c == '"') {
            scan->in_string = true;
        } else if (c == '{' || c == '[') {
            scan->depth++;
        } else if ((c == '}' || c == ']') && scan->depth) {
            scan->depth--;
            scan->is_done = scan->depth == 0;
        } else if ((c == ',' || c == ']') && !scan->depth) {
            scan->is_done = true;
            return;
        }
    }
    if (lines->is_ended) scan->is_done = true;
}

static void pass_bytes(struct import_lines *lines, size_t count)
{
    lines->from += count;
    lines->offset += count;
}

/* What is between items, and between one array and the next or what else comes after it; false where all is read. */
static Status find_item(struct import_lines *lines, bool *ret_there, Err *err)
{
    for (;; pass_bytes(lines, 1)) {
        if (lines->from == lines->to) {
            Status s = fill(lines, err);
            *ret_there = false;
            if (s) return s;
            bool is_end = lines->from == lines->to;
            if (is_end && lines->is_open)
                return err_set(err, ERR_DAMAGED, "its JSON array is cut off after %" PRIu64 " bytes: no ] ends it",
                               lines->offset);
            if (is_end) return OK;
        }
        char c = lines->buffer[lines->from];
        if (c == ']') lines->is_open = false;
        else if (c == '[' && !lines->is_open) lines->is_open = true;
        else if (c != ',' && !is_blank(c)) return *ret_there = true, OK;
    }
}

static Status read_item(struct import_lines *lines, ImportLine *ret, Err *err)
{
    bool is_there;
    Scan scan = { 0 };
    Status s = find_item(lines, &is_there, err);
    if (s) return s;
    if (!is_there) return ERR_NOT_FOUND;
    *ret = (ImportLine){ .offset = lines->offset };
    for (;;) {
        scan_item(lines, &scan);
        if (scan.is_done) break;
        if (scan.at > IMPORT_LINE_BYTES) {                  /* its beginning is kept; the rest is only passed over */
            if (!ret->is_too_long) memcpy(lines->beginning, lines->buffer + lines->from, sizeof lines->beginning);
            ret->is_too_long = true;
            pass_bytes(lines, scan.at);
            scan.at = 0;
        }
        s = fill(lines, err);
        if (s) return s;
    }
    if (!ret->is_too_long && scan.at > IMPORT_LINE_BYTES) {
        memcpy(lines->beginning, lines->buffer + lines->from, sizeof lines->beginning);
        ret->is_too_long = true;
    }
    ret->text = ret->is_too_long ? str_of(lines->beginning, sizeof lines->beginning)
                                 : str_of(lines->buffer + lines->from, scan.at);
    for (size_t at = 0; at < ret->text.len; at++) {         /* a batch has a line for each */
        char *c = (ret->is_too_long ? lines->beginning : lines->buffer + lines->from) + at;
        if (*c == '\n' || *c == '\r') *c = ' ';
    }
    pass_bytes(lines, scan.at);
    ret->next = lines->offset;
    return OK;
}

/* ---- Both ---- */

Status import_lines_look(struct import_lines *lines, Str *ret_begin, Err *err)
{
    check(lines->offset == 0);
    Status s = fill(lines, err);
    if (s) return s;
    Str begin = str_of(lines->buffer + lines->from, lines->to - lines->from);
    *ret_begin = begin;
    if (lines->is_looked_at) return OK;
    lines->is_looked_at = true;
    if (str_starts(begin, STR("\xEF\xBB\xBF"))) begin = str_slice(begin, 3, begin.len);
    size_t at = 0;
    while (at < begin.len && is_blank(begin.bytes[at])) at++;
    lines->is_array = lines->is_open = at < begin.len && begin.bytes[at] == '[';
    if (lines->is_array) pass_bytes(lines, (size_t)(begin.bytes - (lines->buffer + lines->from)) + at + 1);
    return OK;
}

Status import_lines_read(struct import_lines *lines, ImportLine *ret, Err *err)
{
    Str ignored;
    if (!lines->is_looked_at) {
        Status s = import_lines_look(lines, &ignored, err);
        if (s) return s;
    }
    return lines->is_array ? read_item(lines, ret, err) : read_line(lines, ret, err);
}

/* In which array the place is, and whether in one at all, is known only from what stands before it. */
static Status skip_items(struct import_lines *lines, uint64_t offset, Err *err)
{
    ImportLine line;
    while (lines->offset < offset) {
        Status s = read_item(lines, &line, err);
        if (s == ERR_NOT_FOUND) return err_set(err, ERR_INPUT, "is shorter than what was imported of it; --restart?");
        if (s) return s;
    }
    if (lines->offset == offset) return OK;
    return err_set(err, ERR_INPUT, "is not the file that was imported: no item ends after %" PRIu64 " bytes of it; "
                   "--restart?", offset);
}

Status import_lines_skip(struct import_lines *lines, uint64_t offset, Err *err)
{
    Str ignored;
    if (offset && !lines->is_looked_at) {
        Status s = import_lines_look(lines, &ignored, err);
        if (s) return s;
    }
    if (offset && lines->is_array) return skip_items(lines, offset, err);
    while (lines->offset < offset) {
        if (lines->from == lines->to) {
            Status s = fill(lines, err);
            if (s) return s;
            if (lines->from == lines->to)
                return err_set(err, ERR_INPUT, "is shorter than what was imported of it; --restart?");
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
    return lines->piece_end - lines->stream.avail_in;
}
