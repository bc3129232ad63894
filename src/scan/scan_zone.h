/* scan_zone: time zones, from the system's tz database (TZif files, RFC 8536), so that "day" means a day in the
 * calendar of the person who asks. It reads the file once, and has no global state (libc's tzset has one for the whole
 * process). */
#ifndef ONYM_SCAN_ZONE_H
#define ONYM_SCAN_ZONE_H

#include "os/os.h"

typedef enum ZoneUnit { ZONE_HOUR, ZONE_DAY, ZONE_WEEK, ZONE_MONTH, ZONE_QUARTER } ZoneUnit;

/* When summer time begins or ends, every year: the rule after a file's last transition. */
typedef struct ZoneRule {
    char kind;
        /* 'M' month.week.day, 'J' day 1..365 without leap days, 'N' day 0..365 */
    int month, week, day;
    int32_t time_s;                     /* local time of that day */
} ZoneRule;

typedef struct Zone {
    const int64_t *at_s;                /* transitions, ascending */
    const int32_t *offset_s;            /* from each transition on, east of UTC */
    uint32_t count;
    int32_t first_offset_s;             /* before the first transition */
    bool has_rules;                     /* for the time after the last transition */
    int32_t standard_offset_s, summer_offset_s;
    ZoneRule summer_begins, summer_ends;
    int week_start;                     /* days after Monday; 6: weeks begin on Sunday */
} Zone;

/* "Europe/Berlin"; "UTC" and "" need no file. ERR_INPUT: there is no such zone (field says "timezone"). */
Status MUST zone_open(struct disk *disk, const char *dir, Str name, Arena *arena, Zone *ret, Err *err);
int32_t zone_offset_s(const Zone *zone, int64_t at_s);
/* The instant at which a local clock first shows this time (or a later one, if it jumps over it). */
Millis zone_from_local(const Zone *zone, Millis local_ms);
/* The start of the unit that holds the instant; the start of the next one. */
Millis zone_floor(const Zone *zone, ZoneUnit unit, Millis at_ms);
Millis zone_next(const Zone *zone, ZoneUnit unit, Millis start_ms);

#endif
