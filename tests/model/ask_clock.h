/* ask_clock: calendar units by libc, which knows nothing of scan_zone.c. One zone for the process at a time. */
#ifndef ONYM_TESTS_ASK_CLOCK_H
#define ONYM_TESTS_ASK_CLOCK_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

static const char *const clock_zones[] = { "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata" };

static int clock_week_start;                            /* days after Monday */
static const char *const clock_weekdays[]
    = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" };

static void clock_use(const char *zone)
{
    check(setenv("TZ", zone, 1) == 0);
    tzset();
}

static Millis clock_floor(const char *unit, Millis at_ms)
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm local;
    check(at_ms >= 0 && localtime_r(&at, &local));
    if (strcmp(unit, "hour") == 0) return ((Millis)at - local.tm_min * 60 - local.tm_sec) * 1000;
    if (strcmp(unit, "week") == 0) local.tm_mday -= (local.tm_wday + 13 - clock_week_start) % 7;
    if (strcmp(unit, "quarter") == 0) local.tm_mon -= local.tm_mon % 3, local.tm_mday = 1;
    if (strcmp(unit, "month") == 0) local.tm_mday = 1;
    local.tm_hour = local.tm_min = local.tm_sec = 0;
    local.tm_isdst = -1;
    return (Millis)mktime(&local) * 1000;
}

/* How many units later. */
static inline int clock_units_between(const char *unit, Millis from_start_ms, Millis to_ms)
{
    int units = 0;
    for (Millis end = clock_floor(unit, to_ms); end > from_start_ms; units++) end = clock_floor(unit, end - 1);
    return units;
}

#endif
