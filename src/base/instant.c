/* instant: the texts that instant.h names, read and written. Days are counted by calendar.h, never by libc. */
#include "base.h"
#include "instant_parts.h"

#include <assert.h>

/* Reads between min_digits and max_digits decimal digits off the front of *text. */
static bool take_number(Str *text, size_t min_digits, size_t max_digits, unsigned *ret)
{
    size_t count = 0;
    unsigned value = 0;
    while (count < max_digits && count < text->len && text->bytes[count] >= '0' && text->bytes[count] <= '9')
        value = value * 10 + (unsigned)(text->bytes[count++] - '0');
    if (count < min_digits) return false;
    *text = str_slice(*text, count, text->len);
    *ret = value;
    return true;
}

static bool take_char(Str *text, const char *any)
{
    if (text->len == 0 || !strchr(any, text->bytes[0]) || text->bytes[0] == 0) return false;
    *text = str_slice(*text, 1, text->len);
    return true;
}

static bool take_fraction(Str *text, unsigned *ret_ms)
{
    *ret_ms = 0;
    if (!take_char(text, ".,")) return true;
    unsigned scale = 100;
    size_t count = 0;
    for (; count < text->len && text->bytes[count] >= '0' && text->bytes[count] <= '9'; count++) {
        *ret_ms += (unsigned)(text->bytes[count] - '0') * scale;
        scale /= 10;
    }
    *text = str_slice(*text, count, text->len);
    return count > 0 && count <= 9;
}

static bool take_zone(Str *text, int *ret_minutes)
{
    *ret_minutes = 0;
    if (text->len == 0 || take_char(text, "Zz")) return true;
    bool west = text->bytes[0] == '-';
    unsigned hours, minutes = 0;
    if (!take_char(text, "+-") || !take_number(text, 2, 2, &hours)) return false;
    bool colon = take_char(text, ":");
    if (!take_number(text, 2, 2, &minutes) && colon) return false;
    if (hours > 23 || minutes > 59) return false;
    *ret_minutes = (int)(hours * 60 + minutes) * (west ? -1 : 1);
    return true;
}

static bool is_date(unsigned year, unsigned month, unsigned day)
{
    static const unsigned char month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > month_days[month - 1]) return false;
    return month != 2 || day != 29 || calendar_is_leap(year);
}

static bool take_date(Str *text, int64_t *ret_day)
{
    unsigned year, month, day;
    if (!take_number(text, 4, 4, &year) || !take_char(text, "-") || !take_number(text, 1, 2, &month) ||
        !take_char(text, "-") || !take_number(text, 1, 2, &day))
        return false;
    if (!is_date(year, month, day)) return false;
    *ret_day = calendar_day_of(year, month, day);
    return true;
}

/* ---- For the other shapes (instant_read.c) ---- */

bool instant_day_of_date(unsigned year, unsigned month, unsigned day, int64_t *ret_day)
{
    if (!is_date(year, month, day)) return false;
    *ret_day = calendar_day_of(year, month, day);
    return true;
}

bool instant_day_of_ordinal(unsigned year, unsigned day_of_year, int64_t *ret_day)
{
    if (year < 1 || year > 9999 || day_of_year < 1 || day_of_year > 365u + calendar_is_leap(year)) return false;
    *ret_day = calendar_day_of(year, 1, 1) + day_of_year - 1;
    return true;
}

/* Week 1 is the one that holds 4 January; weeks begin on Monday (weekday 1). 1970-01-01 was a Thursday. */
bool instant_day_of_week(unsigned year, unsigned week, unsigned weekday, int64_t *ret_day)
{
    if (year < 1 || year > 9999 || week < 1 || week > 53 || weekday < 1 || weekday > 7) return false;
    int64_t fourth = calendar_day_of(year, 1, 4), since_monday = ((fourth + 3) % 7 + 7) % 7;
    int64_t first_monday = fourth - since_monday, next_fourth = calendar_day_of((int64_t)year + 1, 1, 4);
    int64_t next_monday = next_fourth - ((next_fourth + 3) % 7 + 7) % 7;
    *ret_day = first_monday + 7 * (int64_t)(week - 1) + weekday - 1;
    return *ret_day < next_monday;                          /* a year without a week 53 has none */
}

bool instant_of_parts(const InstantParts *parts, int64_t *ret_ms)
{
    bool is_midnight_after = parts->hour == 24 && !parts->minute && !parts->second && !parts->fraction_ms;
    if ((parts->hour > 23 && !is_midnight_after) || parts->minute > 59 || parts->second > 60) return false;
    int64_t seconds = (int64_t)parts->hour * 3600 + (int64_t)parts->minute * 60 + parts->second - parts->zone_seconds;
    int64_t ms = parts->day * DAY_MS + seconds * 1000 + parts->fraction_ms;
    if (ms < calendar_day_of(1, 1, 1) * DAY_MS || ms >= calendar_day_of(10000, 1, 1) * DAY_MS) return false;
    *ret_ms = ms;
    return true;
}

/* Compares eight characters with a pattern of zeros and separators, all at once. Gives each digit's value in its
 * byte; sets *bad if a digit is missing or a separator is another. (A digit's value plus 6 stays below 16.) */
static uint64_t eight_digits(const char *text, const char *pattern, uint64_t is_digit, uint64_t *bad)
{
    uint64_t value, zeros;
    memcpy(&value, text, sizeof value);
    memcpy(&zeros, pattern, sizeof zeros);
    value ^= zeros;
    *bad |= (value & ~is_digit) | ((value | (value + (is_digit & 0x0606060606060606))) & 0xF0F0F0F0F0F0F0F0);
    return value;
}

/* The number that the digits in two neighbouring bytes make. */
static unsigned pair(uint64_t digits, unsigned at)
{
    return (unsigned)((digits * 10 + (digits >> 8)) >> 8 * at & 0xFF);
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte 0 of eight is the lowest");

static const uint8_t days_of_month[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

/* "2015-02-23T22:28:55.387Z", which nearly all are, in one straight line. False on anything else. */
static bool parse_usual(const char *text, int64_t *ret_ms)
{
    uint64_t bad = 0;
    uint64_t date = eight_digits(text, "0000-00-", 0x00FFFF00FFFFFFFF, &bad);
    uint64_t middle = eight_digits(text + 8, "00T00:00", 0xFFFF00FFFF00FFFF, &bad);
    uint64_t end = eight_digits(text + 16, ":00.000Z", 0x00FFFFFF00FFFF00, &bad);
    unsigned year = pair(date, 0) * 100 + pair(date, 2), month = pair(date, 5), day = pair(middle, 0);
    unsigned hour = pair(middle, 3), minute = pair(middle, 6), second = pair(end, 1);
    unsigned fraction_ms = pair(end, 4) * 10 + (unsigned)(end >> 48 & 0xFF);
    if (bad || year < 1 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return false;
    if (day < 1 || day > days_of_month[month]) return false;    /* 29 February needs another check */
    int64_t seconds = hour * 3600LL + minute * 60 + second;
    *ret_ms = calendar_day_of(year, month, day) * DAY_MS + seconds * SECOND_MS + fraction_ms;
    return true;
}

bool instant_parse(Str text, int64_t *ret_ms)
{
    if (text.len == INSTANT_TEXT_BYTES && parse_usual(text.bytes, ret_ms)) return true;

    int64_t day;
    unsigned hour = 0, minute = 0, second = 0, fraction_ms = 0;
    int zone_minutes = 0;
    text = str_trim(text);
    if (!take_date(&text, &day)) return false;
    if (text.len) {
        if (!take_char(&text, "Tt ") || !take_number(&text, 2, 2, &hour) || !take_char(&text, ":") ||
            !take_number(&text, 2, 2, &minute))
            return false;
        if (take_char(&text, ":") && !take_number(&text, 2, 2, &second)) return false;
        if (!take_fraction(&text, &fraction_ms) || !take_zone(&text, &zone_minutes) || text.len) return false;
    }
    if (hour > 23 || minute > 59 || second > 60) return false;      /* 60: a leap second, counted on */
    *ret_ms = day * DAY_MS + ((int64_t)hour * 3600 + (int64_t)minute * 60 + second - zone_minutes * 60LL) * 1000 +
              fraction_ms;
    return true;
}

static void put_digits(char *at, unsigned count, unsigned value)
{
    while (count--) {
        at[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

void instant_write(int64_t instant_ms, char *text)
{
    int64_t first = calendar_day_of(1, 1, 1) * DAY_MS, last = calendar_day_of(10000, 1, 1) * DAY_MS - 1;
    if (instant_ms < first) instant_ms = first;
    if (instant_ms > last) instant_ms = last;
    int64_t days = calendar_floor(instant_ms, DAY_MS), rest = instant_ms - days * DAY_MS;
    CalendarDate date = calendar_date_of(days);
    memcpy(text, "0000-00-00T00:00:00.000Z", INSTANT_TEXT_BYTES);
    put_digits(text, 4, (unsigned)date.year);
    put_digits(text + 5, 2, date.month);
    put_digits(text + 8, 2, date.day);
    put_digits(text + 11, 2, (unsigned)(rest / HOUR_MS));
    put_digits(text + 14, 2, (unsigned)(rest / MINUTE_MS % 60));
    put_digits(text + 17, 2, (unsigned)(rest / SECOND_MS % 60));
    put_digits(text + 20, 3, (unsigned)(rest % SECOND_MS));
}

void instant_write_http(int64_t instant_ms, char *text)
{
    static const char weekdays[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char iso[INSTANT_TEXT_BYTES];
    int64_t day = calendar_floor(instant_ms, DAY_MS);
    instant_write(instant_ms, iso);                      /* its digits, which it has clamped */
    memcpy(text, "Thu, 01 Jan 1970 00:00:00 GMT", INSTANT_HTTP_BYTES);
    memcpy(text, weekdays + 3 * calendar_weekday(day), 3);
    memcpy(text + 5, iso + 8, 2);
    memcpy(text + 8, months + 3 * (calendar_date_of(day).month - 1), 3);
    memcpy(text + 12, iso, 4);
    memcpy(text + 17, iso + 11, 8);
}

void buf_instant(struct buf *buf, int64_t instant_ms)
{
    if (!buf_reserve(buf, INSTANT_TEXT_BYTES)) return;
    instant_write(instant_ms, buf->bytes + buf->len);
    buf->len += INSTANT_TEXT_BYTES;
}

bool duration_parse(Str text, int64_t *ret_ms)
{
    static const struct { Str unit; int64_t ms; } units[] = {
        { STR("ms"), 1 }, { STR("s"), SECOND_MS }, { STR("m"), MINUTE_MS }, { STR("h"), HOUR_MS },
        { STR("d"), DAY_MS }, { STR("w"), 7 * DAY_MS },
    };
    size_t digits = 0;
    while (digits < text.len && text.bytes[digits] >= '0' && text.bytes[digits] <= '9') digits++;
    int64_t count;
    if (!str_parse_int(str_slice(text, 0, digits), 0, INT64_MAX, &count)) return false;
    Str unit = str_slice(text, digits, text.len);
    if (unit.len == 0 && count == 0) return *ret_ms = 0, true;
    for (size_t at = 0; at < countof(units); at++)
        if (str_equal(unit, units[at].unit)) return !__builtin_mul_overflow(count, units[at].ms, ret_ms);
    return false;
}
