/* kv_life: is this the store that was here last?
 *
 * A store that is whole may still be the wrong one: another directory's, or an older copy. So each opening for writing
 * takes a new number, its life, and writes it into the store and into files next to it. If they differ, somebody has
 * put one of them there. A life is taken in this order, so that a crash at any point leaves files that agree with the
 * store:
 *   1. each file: the new life and the store's       2. the store: the new life       3. each file: the new life
 * If the disk does not take them nothing changes: the old life goes on.
 *   file    "onym-life 1 ", one or two lives as 16 hexadecimal digits, a space before the second, a line feed
 *   store   a row "l" in this folder's own table: u64 */
#include "kv_pages.h"
#include "kv_life.h"

#include <stdio.h>

enum { LIFE_BYTES = 16, FILE_BYTES = 64 };
static const Str begin = { "onym-life 1 ", 12 };

static bool read_hex(Str text, uint64_t *ret)
{
    *ret = 0;
    if (text.len != LIFE_BYTES) return false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return false;
        *ret = *ret << 4 | (unsigned)digit;
    }
    return true;
}

struct lives { uint64_t now, before; };             /* before 0: none */

/* ERR_NOT_FOUND: there is no file. ERR_DAMAGED: it is not what was written. */
static Status read_file(const char *path, struct lives *ret, Err *err)
{
    char memory[2 * FILE_BYTES];
    Arena arena = { memory, memory + sizeof memory };
    Str text, rest;
    *ret = (struct lives){ 0 };
    Status s = disk_read_file(os_disk(), path, FILE_BYTES, &arena, &text, err);
    if (s && s != ERR_TOO_LARGE) return s;
    bool is_one = !s && str_starts(text, begin);
    if (is_one) {
        Str first = str_cut(str_trim(str_slice(text, begin.len, text.len)), ' ', &rest);
        is_one = read_hex(first, &ret->now) && (rest.len == 0 || read_hex(rest, &ret->before));
    }
    return is_one ? OK : err_set(err, ERR_DAMAGED, "%s: it is not what was written", path);
}

static Status write_file(const char *path, struct lives lives)
{
    char text[FILE_BYTES];
    int len = lives.before ? snprintf(text, sizeof text, "%s%016" PRIx64 " %016" PRIx64 "\n", begin.bytes, lives.now,
                                      lives.before)
                           : snprintf(text, sizeof text, "%s%016" PRIx64 "\n", begin.bytes, lives.now);
    return disk_write_file(os_disk(), path, str_of(text, (size_t)len), NULL);
}

static Status judge(const KvLife *life, uint64_t has, bool is_empty, Err *err)
{
    struct lives lives;
    Err why;
    Status s = read_file(life->path, &lives, &why);
    if (s == ERR_NOT_FOUND) s = life->is_part && has && !is_empty ? ERR_DAMAGED : OK;
    else if (!s) s = is_empty || (has && (lives.now == has || lives.before == has)) ? OK : ERR_DAMAGED;
    else s = life->is_part ? ERR_DAMAGED : OK;               /* nothing is known about it */
    if (s == ERR_DAMAGED)
        return err_set(err, s, "%s does not name it", life->path);
    return s;
}

Status kv_life_judge(const KvLife *lives, size_t count, uint64_t has, bool is_empty, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < count; at++) s = judge(&lives[at], has, is_empty, err);
    return s;
}

bool kv_life_begin(const KvLife *lives, size_t count, uint64_t has, uint64_t next)
{
    for (size_t at = 0; at < count; at++)
        if (write_file(lives[at].path, (struct lives){ next, has })) return false;
    return true;
}

void kv_life_settle(const KvLife *lives, size_t count, uint64_t now)
{
    for (size_t at = 0; at < count; at++)
        if (write_file(lives[at].path, (struct lives){ now, 0 })) return;
}
