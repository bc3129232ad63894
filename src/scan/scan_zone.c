/* scan_zone: TZif version 2 and later: a head, a 32-bit block that is skipped, the same head again, the
 * 64-bit block, and a line in the syntax of POSIX's TZ variable for the time after the last transition. */
#include "scan_zone.h"

#include <stdio.h>

enum { DAY_S = DAY_MS / SECOND_MS, HOUR_S = HOUR_MS / SECOND_MS, ZONE_FILE_MAX = 256 * 1024, ZONE_NAME_MAX = 64 };

/* ---- The rule after the last transition ---- */

/* The first day of a month; the 13th is the next year's first. */
static int64_t first_of(int64_t year, int month)
{
    return month > 12 ? calendar_day_of(year + 1, (unsigned)month - 12, 1) : calendar_day_of(year, (unsigned)month, 1);
}

/* The local seconds since 1970 at which the rule takes effect in a year. */
static int64_t rule_at_s(const ZoneRule *rule, int64_t year)
{
    int64_t days = calendar_day_of(year, 1, 1);
    if (rule->kind == 'J') days += rule->day - 1 + (calendar_is_leap(year) && rule->day >= 60);
    else if (rule->kind == 'N') days += rule->day;
    else {
        int64_t first = first_of(year, rule->month), next_month = first_of(year, rule->month + 1);
        days = first + (rule->day - (int)calendar_weekday(first) + 7) % 7 + (rule->week - 1) * 7;
        if (days >= next_month) days -= 7;                  /* week 5 is the last one */
    }
    return days * DAY_S + rule->time_s;
}

static int32_t rules_offset_s(const Zone *zone, int64_t at_s)
{
    int64_t year = calendar_date_of(calendar_floor(at_s + zone->standard_offset_s, DAY_S)).year;
    int64_t begins = rule_at_s(&zone->summer_begins, year) - zone->standard_offset_s;
    int64_t ends = rule_at_s(&zone->summer_ends, year) - zone->summer_offset_s;
    bool is_summer = begins < ends ? at_s >= begins && at_s < ends : at_s >= begins || at_s < ends;
    return is_summer ? zone->summer_offset_s : zone->standard_offset_s;
}

/* A place in the TZ line. Each reading function takes its part from there, and says whether it was right. */
static bool take_number(Str *text, int *ret)
{
    int value = 0, digits = 0;
    while (text->len && text->bytes[0] >= '0' && text->bytes[0] <= '9' && digits++ < 4) {
        value = value * 10 + (text->bytes[0] - '0');
        *text = str_slice(*text, 1, text->len);
    }
    *ret = value;
    return digits > 0;
}

static bool take_char(Str *text, char c)
{
    if (!text->len || text->bytes[0] != c) return false;
    *text = str_slice(*text, 1, text->len);
    return true;
}

static bool take_abbreviation(Str *text)
{
    size_t len = 0;
    if (take_char(text, '<')) {
        while (len < text->len && text->bytes[len] != '>') len++;
        *text = str_slice(*text, len, text->len);
        return take_char(text, '>');
    }
    while (len < text->len && ((text->bytes[len] | 32) >= 'a' && (text->bytes[len] | 32) <= 'z')) len++;
    *text = str_slice(*text, len, text->len);
    return len >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(Str *text, int32_t *ret_s)
{
    int hours, minutes = 0, seconds = 0;
    bool is_negative = take_char(text, '-');
    if (!is_negative) (void)take_char(text, '+');
    if (!take_number(text, &hours)) return false;
    if (take_char(text, ':') && !take_number(text, &minutes)) return false;
    if (take_char(text, ':') && !take_number(text, &seconds)) return false;
    if (hours > 167 || minutes > 59 || seconds > 59) return false;
    *ret_s = (hours * HOUR_S + minutes * 60 + seconds) * (is_negative ? -1 : 1);
    return true;
}

static bool take_rule(Str *text, ZoneRule *ret)
{
    *ret = (ZoneRule){ .kind = 'N', .time_s = 2 * HOUR_S };
    if (take_char(text, 'M')) {
        ret->kind = 'M';
        if (!take_number(text, &ret->month) || !take_char(text, '.') || !take_number(text, &ret->week)
            || !take_char(text, '.') || !take_number(text, &ret->day))
            return false;
        if (ret->month < 1 || ret->month > 12 || ret->week < 1 || ret->week > 5 || ret->day > 6) return false;
    } else {
        if (take_char(text, 'J')) ret->kind = 'J';
        if (!take_number(text, &ret->day) || ret->day > 366) return false;
    }
    return !take_char(text, '/') || take_time(text, &ret->time_s);
}

/* "CET-1CEST,M3.5.0,M10.5.0/3"; POSIX counts west of Greenwich. */
static bool zone_read_rules(Zone *zone, Str text)
{
    int32_t west_s;
    if (!take_abbreviation(&text) || !take_time(&text, &west_s)) return false;
    zone->standard_offset_s = zone->summer_offset_s = -west_s;
    if (text.len) {
        zone->summer_offset_s = -west_s + HOUR_S;
        if (!take_abbreviation(&text)) return false;
        if (text.len && text.bytes[0] != ',') {
            if (!take_time(&text, &west_s)) return false;
            zone->summer_offset_s = -west_s;
        }
        if (!take_char(&text, ',') || !take_rule(&text, &zone->summer_begins)) return false;
        if (!take_char(&text, ',') || !take_rule(&text, &zone->summer_ends) || text.len) return false;
    } else zone->summer_begins = zone->summer_ends = (ZoneRule){ .kind = 'N' };
    zone->has_rules = true;
    return true;
}

/* ---- The file ---- */

static uint64_t big_endian(const char *bytes, int count)
{
    uint64_t value = 0;
    for (int at = 0; at < count; at++) value = value << 8 | (unsigned char)bytes[at];
    return value;
}

struct tz_head {
    uint64_t is_ut, is_standard, leaps, times, types, chars;
};

static bool read_head(Str file, struct tz_head *head)
{
    if (file.len < 44 || memcmp(file.bytes, "TZif", 4) != 0 || file.bytes[4] < '2') return false;
    const char *counts = file.bytes + 20;
    *head = (struct tz_head){ big_endian(counts, 4), big_endian(counts + 4, 4), big_endian(counts + 8, 4),
                              big_endian(counts + 12, 4), big_endian(counts + 16, 4), big_endian(counts + 20, 4) };
    return head->times < 10000 && head->types > 0 && head->types < 256 && head->chars < 10000
        && head->leaps < 10000
        && head->is_ut < 256 && head->is_standard < 256;
}

static bool zone_read(Zone *zone, Str file, Arena *arena)
{
    struct tz_head head;
    if (!read_head(file, &head)) return false;
    file = str_slice(file,
                     44 + head.times * 5 + head.types * 6 + head.chars + head.leaps * 8 + head.is_standard + head.is_ut,
                     file.len);
    if (!read_head(file, &head)) return false;
    size_t body
        = head.times * 9 + head.types * 6 + head.chars + head.leaps * 12 + head.is_standard + head.is_ut;
    file = str_slice(file, 44, file.len);
    if (file.len < body) return false;
    const char *types = file.bytes + head.times * 9;
    int64_t *at_s = arena_new(arena, int64_t, head.times);
    int32_t *offset_s = arena_new(arena, int32_t, head.times);
    zone->first_offset_s = (int32_t)(uint32_t)big_endian(types, 4);
    for (size_t at = 0; at < head.times; at++) {
        unsigned type = (unsigned char)file.bytes[head.times * 8 + at];
        if (type >= head.types) return false;
        at_s[at] = (int64_t)big_endian(file.bytes + at * 8, 8);
        offset_s[at] = (int32_t)(uint32_t)big_endian(types + type * 6, 4);
        if ((at && at_s[at - 1] >= at_s[at]) || offset_s[at] < -DAY_S || offset_s[at] > DAY_S) return false;
    }
    zone->at_s = at_s, zone->offset_s = offset_s, zone->count = (uint32_t)head.times;
    if (zone->first_offset_s < -DAY_S || zone->first_offset_s > DAY_S) return false;
    Str rest, line = str_cut(str_slice(file, body + 1, file.len), '\n', &rest);
    return line.len == 0 || zone_read_rules(zone, line);
}

static bool is_zone_name(Str name)
{
    if (name.len == 0 || name.len > ZONE_NAME_MAX || name.bytes[0] == '/' || str_contains(name, STR("..")))
        return false;
    for (size_t at = 0; at < name.len; at++) {
        char c = name.bytes[at];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
              || (c && strchr("/_+-", c)))) return false;
    }
    return true;
}

Status zone_open(struct disk *disk, const char *dir, Str name, Arena *arena, Zone *ret, Err *err)
{
    char path[512];
    Str file = { 0 };
    *ret = (Zone){ 0 };
    if (name.len == 0 || str_equal(name, STR("UTC"))) return OK;
    if (!disk || !is_zone_name(name))
        return err_set_field(err, "timezone", "not a time zone; one like Europe/Berlin was expected");
    snprintf(path, sizeof path, "%s/%.*s", dir ? dir : "/usr/share/zoneinfo", STR_FORMAT(name));
    Status s = disk_read_file(disk, path, ZONE_FILE_MAX, arena, &file, NULL);
    if (s || !zone_read(ret, file, arena))
        return err_set_field(err, "timezone", "no time zone %.*s on this machine (package tzdata)",
                             STR_FORMAT(name));
    return OK;
}

/* ---- Asking ---- */

int32_t zone_offset_s(const Zone *zone, int64_t at_s)
{
    uint32_t low = 0, high = zone->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->at_s[middle] <= at_s) low = middle + 1;
        else high = middle;
    }
    if (low == zone->count && zone->has_rules) return rules_offset_s(zone, at_s);
    return low == 0 ? zone->first_offset_s : zone->offset_s[low - 1];
}

static Millis to_local(const Zone *zone, Millis at_ms)
{
    return at_ms + (Millis)zone_offset_s(zone, calendar_floor(at_ms, 1000)) * 1000;
}

/* Two offsets are possible for a local time: that of a day earlier and that of a day later. Each gives an instant, and
 * the earlier instant at which a clock really shows that time counts. If neither does, the clock jumped over that time:
 * then the instant of the jump is the first with a later time, and bisection finds it. */
Millis zone_from_local(const Zone *zone, Millis local_ms)
{
    Millis one = local_ms - (Millis)zone_offset_s(zone, calendar_floor(local_ms, 1000) - DAY_S) * 1000;
    Millis other = local_ms - (Millis)zone_offset_s(zone, calendar_floor(local_ms, 1000) + DAY_S) * 1000;
    Millis low = one < other ? one : other, high = one < other ? other : one;
    if (to_local(zone, low) == local_ms) return low;
    if (to_local(zone, high) == local_ms) return high;
    while (low < high) {
        Millis middle = low + (high - low) / 2;
        if (to_local(zone, middle) < local_ms) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The instant at which the offset changes to that of high. */
static Millis change_between(const Zone *zone, Millis low, Millis high)
{
    int32_t offset_s = zone_offset_s(zone, calendar_floor(high, SECOND_MS));
    while (high - low > 1) {
        Millis middle = low + (high - low) / 2;
        if (zone_offset_s(zone, calendar_floor(middle, SECOND_MS)) == offset_s) high = middle;
        else low = middle;
    }
    return high;
}

/* Did the minutes of the clock jump between the two, as with summer time of half an hour? Then an hour begins at the
 * jump. */
static bool minutes_move(const Zone *zone, Millis from_ms, Millis to_ms)
{
    int32_t from_s = zone_offset_s(zone, calendar_floor(from_ms, SECOND_MS));
    return (from_s - zone_offset_s(zone, calendar_floor(to_ms, SECOND_MS))) % HOUR_S != 0;
}

static Millis into_hour(const Zone *zone, Millis at_ms)
{
    Millis local = to_local(zone, at_ms);
    return local - calendar_floor(local, HOUR_MS) * HOUR_MS;
}

static int64_t days_into_week(const Zone *zone, int64_t days)
{
    return ((int)calendar_weekday(days) + 6 - zone->week_start + 7) % 7;
}

Millis zone_floor(const Zone *zone, ZoneUnit unit, Millis at_ms)
{
    Millis local = to_local(zone, at_ms), start = at_ms - into_hour(zone, at_ms);
    int64_t days = calendar_floor(local, DAY_MS);
    if (unit == ZONE_HOUR) return minutes_move(zone, start, at_ms) ? change_between(zone, start, at_ms) : start;
    if (unit == ZONE_WEEK) days -= days_into_week(zone, days);
    if (unit == ZONE_MONTH || unit == ZONE_QUARTER) {
        CalendarDate date = calendar_date_of(days);
        days = calendar_day_of(date.year, unit == ZONE_MONTH ? date.month : date.month - (date.month - 1) % 3, 1);
    }
    return zone_from_local(zone, days * DAY_MS);
}

Millis zone_next(const Zone *zone, ZoneUnit unit, Millis start_ms)
{
    Millis local = to_local(zone, start_ms);
    int64_t days = calendar_floor(local, DAY_MS);
    if (unit == ZONE_HOUR) {
        Millis end = start_ms + HOUR_MS - into_hour(zone, start_ms);
        return minutes_move(zone, start_ms, end) ? change_between(zone, start_ms, end) : end;
    }
    if (unit == ZONE_DAY) days += 1;
    if (unit == ZONE_WEEK) days += 7 - days_into_week(zone, days);      /* the zone may have skipped the first day */
    if (unit == ZONE_MONTH || unit == ZONE_QUARTER) {
        CalendarDate date = calendar_date_of(days);
        days = first_of(date.year, (int)date.month + (unit == ZONE_MONTH ? 1 : 3));
    }
    Millis next = zone_from_local(zone, days * DAY_MS);
    return next > start_ms ? next : start_ms + 1;
}
