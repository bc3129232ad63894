/* instant_parts: what instant.c knows of the calendar, for instant_read.c and instant_number.c. Private to the
 * three. */
#ifndef ONYM_BASE_INSTANT_PARTS_H
#define ONYM_BASE_INSTANT_PARTS_H

#include "base.h"

typedef struct InstantParts {
    int64_t day;                           /* since 1970-01-01 */
    unsigned hour, minute, second, fraction_ms;
    int zone_seconds;                      /* east of UTC */
} InstantParts;

/* False if there is no such day or time, or it is outside the years 1 to 9999. Second 60 is the next minute's first;
 * 24:00 is the midnight after. */
bool instant_day_of_date(unsigned year, unsigned month, unsigned day, int64_t *ret_day);
bool instant_day_of_ordinal(unsigned year, unsigned day_of_year, int64_t *ret_day);
bool instant_day_of_week(unsigned year, unsigned week, unsigned weekday, int64_t *ret_day);
bool instant_of_parts(const InstantParts *parts, int64_t *ret_ms);

/* instant_number.c: a text of digits that is not a date. */
InstantReading instant_read_digits(Str text, int64_t *ret_ms);

#endif
