/* instant: a point in time as text. Instants are Millis since 1970-01-01 UTC. */
#ifndef ONYM_BASE_INSTANT_H
#define ONYM_BASE_INSTANT_H

#include "str.h"
#include "buf.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { INSTANT_TEXT_BYTES = 24 };      /* "2026-11-23T12:28:40.123Z" without a NUL */

/* Every shape that SDKs send (docs/protocol.md#times): RFC 3339 with 0 to 9 fraction digits, "Z", "+01:00",
 * "+0100" or no zone (UTC), "T" or a space, a date alone, months and days of one digit. Fractions are
 * cut to the millisecond. False where it is no such text or is outside 0001-01-01..9999-12-31. */
bool instant_parse(Str text, int64_t *ret_ms);

/* Writes exactly INSTANT_TEXT_BYTES bytes: "2026-11-23T12:28:40.123Z". Years outside 1..9999 are clamped. */
void instant_write(int64_t instant_ms, char *text);
void buf_instant(struct buf *buf, int64_t instant_ms);      /* the same, appended, without quotes */

/* "90s", "15m", "36h", "7d", "2w", "500ms", "0" as milliseconds. False on anything else or overflow. */
bool duration_parse(Str text, int64_t *ret_ms);

#ifdef __cplusplus
}
#endif
#endif
