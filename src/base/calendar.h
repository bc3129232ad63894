/* calendar: days as dates, and back, in the one calendar that all of Onym counts in: the proleptic Gregorian, whose
 * days are numbered from 1970-01-01 (0) in both directions. scan_zone.h knows when a day begins in a time zone,
 * and instant.h writes instants as text. No other file counts days: tools/tidy refuses gmtime, timegm and mktime.
 *
 * The formulas are Howard Hinnant's public ones ("chrono-compatible low-level date algorithms"): a year that begins in
 * March ends with the leap day. They hold for every year that fits; callers bound them. No state, any thread.
 */
#ifndef ONYM_BASE_CALENDAR_H
#define ONYM_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

typedef struct CalendarDate {
    int64_t year;
    unsigned month, day;                    /* from 1 */
} CalendarDate;

static inline bool calendar_is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

/* Rounds down, of negative numbers too: the day in which an instant lies is calendar_floor(at_ms, DAY_MS). by > 0. */
static inline int64_t calendar_floor(int64_t value, int64_t by) { return value / by - (value % by < 0); }

/* The number of a day. month: 1 to 12. A day past the month's end counts on into the next. */
static inline int64_t calendar_day_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

static inline CalendarDate calendar_date_of(int64_t number)
{
    int64_t shifted = number + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned day_of_era = (unsigned)(shifted - era * 146097);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned from_march = (5 * day_of_year + 2) / 153;
    CalendarDate date;
    date.day = day_of_year - (153 * from_march + 2) / 5 + 1;
    date.month = from_march < 10 ? from_march + 3 : from_march - 9;
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

/* 0 is Sunday, as POSIX counts. 1970-01-01 was a Thursday. */
static inline unsigned calendar_weekday(int64_t number) { return (unsigned)(((number + 4) % 7 + 7) % 7); }

#endif
