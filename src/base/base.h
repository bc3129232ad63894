/* base: the words that every other folder speaks.
 *
 * Strings that know their length (str.h), memory by lifetime (arena.h), bounded builders (buf.h), errors as values
 * (err.h), log lines (log.h), hashes (hash.h), days as dates (calendar.h), instants as text (instant.h), JSON that is
 * written (json_out.h), likely words (nearest.h), names that are one (alike.h), what nobody sees (unseen.h),
 * settings as a tree (node.h), where a next page begins (page.h), bytes in URLs (percent.h),
 * hosts (url.h), arrays that grow (vector.h), places by hash (slots.h), every ceiling of the program (limits.h) and its
 * version (version.h). It calls nothing but libc, ISA-L and xxhash, and it holds no state but the log's settings.
 *
 * check(condition) states what must be true unless we wrote a bug. It is always compiled in; when it
 * fails the process prints where and aborts, which the journal makes safe.
 */
#ifndef ONYM_BASE_H
#define ONYM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <string.h>

#define MUST __attribute__((warn_unused_result))
#define FORMAT(string_index, first) __attribute__((format(printf, string_index, first)))
/* Says that a Status does not matter here; a comment says why. */
#define IGNORE(call) ((void)((call) == 0))
#define countof(array) (sizeof(array) / sizeof((array)[0]))

#define check(condition) \
    ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

/* An instant in milliseconds since 1970-01-01 UTC, or a duration; the name says which. */
typedef int64_t Millis;

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((noreturn, cold)) void check_failed(const char *condition, const char *file, int line,
                                                  const char *function);
#ifdef __cplusplus
}
#endif

#include "str.h"
#include "arena.h"
#include "alike.h"
#include "err.h"
#include "buf.h"
#include "log.h"
#include "hash.h"
#include "calendar.h"
#include "compare.h"
#include "instant.h"
#include "json_out.h"
#include "limits.h"
#include "nearest.h"
#include "node.h"
#include "page.h"
#include "percent.h"
#include "unseen.h"
#include "url.h"
#include "slots.h"
#include "vector.h"
#include "version.h"

#endif
