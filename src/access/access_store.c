/* access_store: sessions in a small file, written whole (temporary, sync, rename).
 *
 *   DATA/sessions, little-endian:
 *     0   8  magic "ONYMSES1"
 *     8   4  count of sessions
 *    12      the sessions, ROW_BYTES each:
 *              0  32  SHA-256 of the token     32  32  hash of what it was begun with
 *             64   8  id                       72   8  created, 80   8  last used: milliseconds since 1970
 *             88   1  role (1 reader, 2 analyst, 3 admin)
 *             89   1  length of the agent      90 120  the agent, zeros after it
 *     end 4  CRC32C of all before it
 *
 * The file's size gives the count a second time: a file that was cut is damaged, not just shorter. */
#include "access_private.h"

#include <stdlib.h>

enum { ROW_BYTES = 90 + ACCESS_AGENT_BYTES, HEAD_BYTES = 12, SUM_BYTES = 4,
       MOST_BYTES = HEAD_BYTES + ACCESS_SESSIONS * ROW_BYTES + SUM_BYTES };
static_assert((int)MOST_BYTES <= (int)ACCESS_FILE_BYTES, "a file fits");
static const Str magic = { "ONYMSES1", 8 };

static void put_number(struct buf *out, uint64_t number, size_t bytes)
{
    for (size_t at = 0; at < bytes; at++) buf_char(out, (char)(number >> (8 * at) & 255));
}

static uint64_t read_number(const char *from, size_t bytes)
{
    uint64_t number = 0;
    for (size_t at = bytes; at > 0; at--) number = number << 8 | (unsigned char)from[at - 1];
    return number;
}

static void put_row(struct buf *out, const struct access_row *row)
{
    buf_put(out, row->token.bytes, ACCESS_HASH_BYTES);
    buf_put(out, row->origin.bytes, ACCESS_HASH_BYTES);
    put_number(out, row->id, 8);
    put_number(out, (uint64_t)row->created_at_ms, 8);
    put_number(out, (uint64_t)row->seen_at_ms, 8);
    put_number(out, (uint64_t)row->role, 1);
    put_number(out, strlen(row->agent), 1);
    char agent[ACCESS_AGENT_BYTES] = { 0 };
    memcpy(agent, row->agent, strlen(row->agent));
    buf_put(out, agent, sizeof agent);
}

Status access_store_write(struct disk *disk, const char *path, const struct access_row rows[ACCESS_SESSIONS], Err *err)
{
    struct buf out;
    uint32_t count = 0;
    for (size_t at = 0; at < ACCESS_SESSIONS; at++) count += rows[at].id != 0;
    buf_init(&out, ACCESS_FILE_BYTES);
    buf_str_put(&out, magic);
    put_number(&out, count, 4);
    for (size_t at = 0; at < ACCESS_SESSIONS; at++)
        if (rows[at].id) put_row(&out, &rows[at]);
    put_number(&out, crc32c_of(0, buf_str(&out)), 4);
    Status s = buf_ok(&out) ? disk_write_file(disk, path, buf_str(&out), err)
                            : err_set(err, ERR_FULL, "%s: no memory", path);
    buf_done(&out);
    return s;
}

/* False if it cannot be a session, though the checksum is right. */
static bool read_row(const char *from, struct access_row *row)
{
    uint64_t role = read_number(from + 88, 1), len = read_number(from + 89, 1);
    memcpy(row->token.bytes, from, ACCESS_HASH_BYTES);
    memcpy(row->origin.bytes, from + 32, ACCESS_HASH_BYTES);
    row->id = read_number(from + 64, 8);
    row->created_at_ms = (Millis)read_number(from + 72, 8);
    row->seen_at_ms = row->kept_seen_at_ms = (Millis)read_number(from + 80, 8);
    row->role = (AccessRole)role;
    if (role < ACCESS_READER || role > ACCESS_ADMIN || !row->id || len > ACCESS_AGENT_BYTES) return false;
    if (row->created_at_ms < 0 || row->seen_at_ms < row->created_at_ms) return false;
    memcpy(row->agent, from + 90, len);
    return strlen(row->agent) == len;
}

static Status decode(Str text, const char *path, struct access_row rows[ACCESS_SESSIONS], Err *err)
{
    if (text.len < HEAD_BYTES + SUM_BYTES || !str_equal(str_slice(text, 0, magic.len), magic))
        return err_set(err, ERR_DAMAGED, "%s: %zu bytes that do not begin as a file of sessions does", path, text.len);
    uint64_t count = read_number(text.bytes + magic.len, 4);
    if (count > ACCESS_SESSIONS || text.len != HEAD_BYTES + count * ROW_BYTES + SUM_BYTES)
        return err_set(err, ERR_DAMAGED, "%s: %zu bytes, which is not the size of %llu sessions", path, text.len,
                       (unsigned long long)count);
    if (crc32c_of(0, str_slice(text, 0, text.len - SUM_BYTES)) != read_number(text.bytes + text.len - SUM_BYTES, 4))
        return err_set(err, ERR_DAMAGED, "%s: the checksum of its %zu bytes is wrong", path, text.len);
    for (size_t at = 0; at < count; at++)
        if (!read_row(text.bytes + HEAD_BYTES + at * ROW_BYTES, &rows[at]))
            return err_set(err, ERR_DAMAGED, "%s: session %zu, at byte %zu, is not a session", path, at,
                           (size_t)HEAD_BYTES + at * ROW_BYTES);
    return OK;
}

Status access_store_read(struct disk *disk, const char *path, struct access_row rows[ACCESS_SESSIONS], Err *err)
{
    struct region region;
    Str text;
    region_open(&region, 2 * ACCESS_FILE_BYTES);
    Arena arena = region_arena(&region);
    memset(rows, 0, ACCESS_SESSIONS * sizeof *rows);
    Status s = disk_read_file(disk, path, ACCESS_FILE_BYTES, &arena, &text, err);
    if (s == ERR_TOO_LARGE) s = err_set(err, ERR_DAMAGED, "%s: larger than a file of sessions can be", path);
    if (!s) s = decode(text, path, rows, err);
    if (s) memset(rows, 0, ACCESS_SESSIONS * sizeof *rows);
    region_close(&region);
    return s == ERR_NOT_FOUND ? OK : s;
}

Status access_verify(struct disk *disk, const char *path, Err *err)
{
    struct access_row *rows = calloc(ACCESS_SESSIONS, sizeof *rows);
    if (!rows) return err_set(err, ERR_FULL, "%s: no memory", path);
    Status s = access_store_read(disk, path, rows, err);
    free(rows);
    return s;
}
