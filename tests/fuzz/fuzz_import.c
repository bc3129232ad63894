/* fuzz_import: any bytes as a file for `onym import`, plain or gzip. The lines are what the unpacked bytes are between
 * their newlines, with the places at which they stand; a file that is broken says so, and gives no line that is not
 * whole; going on at any line's place gives the rest.
 *
 * What a line means is fuzz_collect's. First byte: bit 0, the rest is packed first; bit 1, and cut off; else it is the
 * file as it is. Bits 4 to 7: at which line a second reader begins. Bit 2: each byte of the rest stands for a long
 * run. */
#include "tools/tools_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 64 * 1024, RUN_BYTES = 8 * 1024, RUNS_MAX = 256 };

static int file = -1;
static char path[64];

static void write_file(Str bytes)
{
    if (file < 0) {
        file = memfd_create("import", MFD_CLOEXEC);
        check(file >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    check(ftruncate(file, 0) == 0);
    for (size_t at = 0; at < bytes.len;) {
        ssize_t done = pwrite(file, bytes.bytes + at, bytes.len - at, (off_t)at);
        check(done > 0);
        at += (size_t)done;
    }
}

static void pack(Str bytes, struct buf *out)
{
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes.bytes, .avail_in = (uInt)bytes.len };
    check(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&stream, bytes.len);
    check(buf_reserve(out, room));
    stream.next_out = (Bytef *)out->bytes;
    stream.avail_out = (uInt)room;
    check(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out->len = stream.total_out;
    deflateEnd(&stream);
}

/* A few bytes are megabytes: lines that are too long, and such that end where the reader's buffer does. */
static void spread(Str bytes, struct buf *out)
{
    for (size_t at = 0; at < bytes.len && at < RUNS_MAX; at++) {
        size_t run = bytes.bytes[at] == '\n' ? 1 : (size_t)(unsigned char)bytes.bytes[at] * RUN_BYTES / 16 + 1;
        check(buf_reserve(out, run));
        memset(out->bytes + out->len, bytes.bytes[at], run);
        out->len += run;
    }
}

/* A JSON array: its items are the lines. */
static bool is_array(Str text)
{
    if (str_starts(text, STR("\xEF\xBB\xBF"))) text = str_slice(text, 3, text.len);
    while (text.len && memchr(" \t\r\n", text.bytes[0], 4)) text = str_slice(text, 1, text.len);
    return text.len && text.bytes[0] == '[';
}

/* Items stand where they say, without newlines; what is between them is nothing. Going on after one gives the rest. */
static Status read_items(uint64_t from, const struct buf *whole, unsigned stop, uint64_t *ret_end, uint64_t *ret_count)
{
    struct import_lines *lines;
    ImportLine line;
    Err err = { 0 };
    *ret_end = from;
    *ret_count = 0;
    check(import_lines_open(path, &lines, &err) == OK);
    Status s = from ? import_lines_skip(lines, from, &err) : OK;
    while (!s && *ret_count != stop && !(s = import_lines_read(lines, &line, &err))) {
        check(line.offset >= *ret_end && line.next > line.offset && line.text.len > 0);
        check(!memchr(line.text.bytes, '\n', line.text.len));
        check(line.text.len <= IMPORT_LINE_BYTES && line.text.len <= line.next - line.offset);
        check(line.is_too_long == (line.next - line.offset > IMPORT_LINE_BYTES));
        check(line.next <= whole->len);
        for (size_t at = 0; at < line.text.len; at++) {
            char c = whole->bytes[line.offset + at];
            check(line.text.bytes[at] == (c == '\n' || c == '\r' ? ' ' : c));
        }
        *ret_end = line.next;
        ++*ret_count;
    }
    import_lines_close(lines);
    return s;
}

static void read_array(const struct buf *whole, unsigned stop)
{
    uint64_t end, count, some_end, some_count, rest_end, rest_count;
    Status s = read_items(0, whole, UINT32_MAX, &end, &count);
    check(s == ERR_NOT_FOUND || s == ERR_DAMAGED);           /* damaged: the file is cut, or the array that no ] ends */
    if (stop == 0 || stop > count) return;
    check(read_items(0, whole, stop, &some_end, &some_count) == OK && some_count == stop);
    check(read_items(some_end, whole, UINT32_MAX, &rest_end, &rest_count) == s);
    check(rest_count == count - stop && (rest_count == 0 || rest_end == end));
}

/* *ret_end: what the last line that was read ends before. whole NULL: nobody knows what is in it. */
static Status read_lines(uint64_t from, const struct buf *whole, uint64_t *ret_end, uint64_t *ret_count)
{
    struct import_lines *lines;
    ImportLine line;
    Err err = { 0 };
    *ret_end = from;
    *ret_count = 0;
    Status s = import_lines_open(path, &lines, &err);
    check(s == OK);
    if (from) s = import_lines_skip(lines, from, &err);
    while (!s && !(s = import_lines_read(lines, &line, &err))) {
        check(line.offset >= *ret_end && line.next > line.offset);
        check(!whole || line.offset == *ret_end);
        check(!memchr(line.text.bytes ? line.text.bytes : "", '\n', line.text.len));
        check(line.text.len <= IMPORT_LINE_BYTES && line.text.len <= line.next - line.offset);
        check(!whole || line.is_too_long == (line.next - line.offset > IMPORT_LINE_BYTES + 1u)
              || line.next - line.offset == IMPORT_LINE_BYTES + 1u);    /* its newline counts, or there is none */
        if (whole) {
            check(line.next <= whole->len && memcmp(whole->bytes + line.offset, line.text.bytes, line.text.len) == 0);
            check(line.next == whole->len || whole->bytes[line.next - 1] == '\n');
        }
        *ret_end = line.next;
        ++*ret_count;
    }
    check(s == ERR_NOT_FOUND || err.text[0]);
    check(import_lines_done_bytes(lines) <= (uint64_t)lseek(file, 0, SEEK_END));
    import_lines_close(lines);
    return s;
}

static uint64_t place_of_line(const struct buf *whole, unsigned number)
{
    uint64_t at = 0;
    while (number-- > 0 && at < whole->len) {
        const char *newline = memchr(whole->bytes + at, '\n', whole->len - at);
        at = newline ? (uint64_t)(newline - whole->bytes) + 1 : whole->len;
    }
    return at;
}

static void read_known(const struct buf *whole, bool is_cut, unsigned from_line)
{
    uint64_t end, count, again_end, again_count;
    Status s = read_lines(0, whole, &end, &count);
    check(is_cut ? s == ERR_DAMAGED || s == ERR_NOT_FOUND : s == ERR_NOT_FOUND && end == whole->len);
    if (is_cut || from_line > count) return;
    check(read_lines(place_of_line(whole, from_line), whole, &again_end, &again_count) == ERR_NOT_FOUND);
    check(again_end == whole->len && again_count == count - from_line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_BYTES_MAX) return 0;
    struct buf whole, packed;
    uint64_t end, count;
    Str rest = str_of(data + 1, size - 1);
    bool is_packed = data[0] & 1, is_cut = is_packed && data[0] & 2;
    buf_init(&whole, 64 << 20);
    buf_init(&packed, 64 << 20);
    if (data[0] & 4) spread(rest, &whole);
    else buf_str_put(&whole, rest);
    bool is_gzip_itself = str_starts(buf_str(&whole), STR("\x1f\x8b"));
    if (is_packed) pack(buf_str(&whole), &packed);
    else buf_str_put(&packed, buf_str(&whole));
    if (is_cut) packed.len -= packed.len / 3 + 1;
    write_file(buf_str(&packed));
    if (!is_packed && is_gzip_itself) {
        Status s = read_lines(0, NULL, &end, &count);
        check(s == ERR_NOT_FOUND || s == ERR_DAMAGED);
    } else if (is_array(buf_str(&whole))) {
        read_array(&whole, data[0] >> 4);
    } else {
        read_known(&whole, is_cut, data[0] >> 4);
    }
    buf_done(&whole);
    buf_done(&packed);
    return 0;
}
