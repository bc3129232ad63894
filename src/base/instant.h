/* instant: a point in time as text. Instants are Millis since 1970-01-01 UTC. */
#ifndef ONYM_BASE_INSTANT_H
#define ONYM_BASE_INSTANT_H

#include "str.h"
#include "buf.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { INSTANT_TEXT_BYTES = 24, INSTANT_HTTP_BYTES = 29 };      /* "2026-11-23T12:28:40.123Z" without a NUL */

/* Reads the forms in which requests give an instant, and in which nearly all SDKs send one: RFC 3339 with 0 to 9
 * fraction digits, "Z", "+01:00", "+0100" or no zone (UTC), "T" or a space, a date alone, months and days of one
 * digit. Fractions are cut to the millisecond. False: it is not such a text, or is outside 0001-01-01..9999-12-31. */
bool instant_parse(Str text, int64_t *ret_ms);

/* Reads what other programs write (docs/protocol.md#times): the above; all of ISO 8601 that means one instant; what
 * programming languages print; numbers of seconds, milli-, micro- or nanoseconds since 1970, as text, too. It never
 * guesses: a text that is one instant by one habit and another by a second is ambiguous. ret_ms is set if it was
 * read. */
typedef enum InstantReading { INSTANT_READ, INSTANT_UNREADABLE, INSTANT_AMBIGUOUS } InstantReading;
InstantReading instant_read(Str text, int64_t *ret_ms);
InstantReading instant_read_number(Str number, int64_t *ret_ms);       /* as JSON writes it: 1.7954e9 */

/* Writes exactly INSTANT_TEXT_BYTES bytes: "2026-11-23T12:28:40.123Z". Years outside 1..9999 are clamped. */
void instant_write(int64_t instant_ms, char *text);
/* In the form of HTTP headers (RFC 9110, 5.6.7), exactly INSTANT_HTTP_BYTES bytes: "Sun, 06 Nov 1994 08:49:37 GMT".
 * For the years 1 to 9999. */
void instant_write_http(int64_t instant_ms, char *text);
void buf_instant(struct buf *buf, int64_t instant_ms);      /* the same, appended, without quotes */

/* "90s", "15m", "36h", "7d", "2w", "500ms", "0" as milliseconds. False on anything else or overflow. */
bool duration_parse(Str text, int64_t *ret_ms);

#ifdef __cplusplus
}
#endif
#endif
