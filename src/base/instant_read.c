/* instant_read: times as other programs print them. instant_parse reads the usual form; the others are read here, token
 * by token, since they are the same few parts in different orders:
 *
 *   a date      2026-11-29  2026/11/29  20261129  2026-W48-7  2026-333  29 Nov 2026  Nov 29, 2026  29/11/2026
 *   a time      07:00  07:00:00.123  070000 after a date  7:00 AM
 *   a zone      Z  +01:00  +0100  GMT+0100  UTC  CET
 *
 * Who writes the forms that are read: ISO 8601; RFC 822, 850, 1123, 2822, 3339; C's asctime and date; JavaScript's
 * toString, toUTCString and toLocaleString; Java's Date, Instant and ZonedDateTime; Python's str; Ruby's to_s; Go's
 * String; PHP's DATE_ constants; .NET's "/Date(…)/" and formats; SQL databases; Apache's log; Twitter.
 *
 * Names are English. A date without a zone is UTC, as with instant_parse. A text that can be read in two ways is
 * ambiguous: 01/02/2026, a year of two digits among numbers, CST (America's or China's), a zone's name that we do not
 * know. */
#include "base.h"
#include "instant_parts.h"

enum { TEXT_MAX = 96 };

typedef struct Reading {
    Str rest;
    InstantParts parts;
    unsigned year, month, day;             /* 0: not met yet */
    bool has_date, has_time, is_afternoon, has_half;
    bool has_zone, is_zone_a_name, is_zone_unknown;
    bool is_ambiguous;
} Reading;

/* ---- Characters ---- */

static bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
static char at(Str text, size_t index) { return index < text.len ? text.bytes[index] : 0; }

static size_t digits_at(Str text, size_t index)
{
    size_t count = 0;
    while (is_digit(at(text, index + count))) count++;
    return count;
}

static unsigned number_at(Str text, size_t index, size_t count)
{
    unsigned value = 0;
    while (count--) value = value * 10 + (unsigned)(text.bytes[index++] - '0');
    return value;
}

static void pass(Reading *reading, size_t count) { reading->rest = str_slice(reading->rest, count, reading->rest.len); }

/* Makes all spaces one kind, all minus signs one kind, and drops names in brackets after it ("(CET)",
 * "[Europe/Paris]"). False: it is too long to be a time. */
static bool normalise(Str text, char *room, Str *ret)
{
    static const struct { const char *bytes; size_t len; char plain; } odd[] = {
        { "\xC2\xA0", 2, ' ' }, { "\xE2\x80\xAF", 3, ' ' }, { "\xE2\x80\x8E", 3, 0 }, { "\xE2\x80\x8F", 3, 0 },
        { "\xE2\x88\x92", 3, '-' }, { "\xEF\xBB\xBF", 3, 0 },
    };
    size_t len = 0;
    text = str_trim(text);
    if (text.len && text.bytes[text.len - 1] == ')' && memchr(text.bytes, '(', text.len)
        && !str_contains(text, STR("Date(")))
        text = str_slice(text, 0, (size_t)((const char *)memchr(text.bytes, '(', text.len) - text.bytes));
    if (text.len && text.bytes[text.len - 1] == ']' && memchr(text.bytes, '[', text.len)) {
        text = str_slice(text, 0, (size_t)((const char *)memchr(text.bytes, '[', text.len) - text.bytes));
        if (!text.len || is_digit(text.bytes[text.len - 1])) {
            bool has_offset = false;                        /* a zone's name alone would need a table of zones */
            for (size_t i = 11; i < text.len; i++) has_offset |= text.bytes[i] == '+' || text.bytes[i] == '-';
            if (!has_offset) return false;
        }
    }
    for (size_t i = 0; i < text.len;) {
        char c = text.bytes[i];
        size_t taken = 1;
        for (size_t row = 0; row < countof(odd); row++)
            if (str_starts(str_slice(text, i, text.len), (Str){ odd[row].bytes, odd[row].len }))
                c = odd[row].plain, taken = odd[row].len;
        i += taken;
        if (c == '\t') c = ' ';
        if (c == 0 && taken > 1) continue;
        if (c == ' ' && (len == 0 || room[len - 1] == ' ')) continue;
        if (len == TEXT_MAX) return false;
        room[len++] = c;
    }
    *ret = str_trim((Str){ room, len });
    return ret->len > 0;
}

/* ---- Dates ---- */

static bool set_date(Reading *reading, unsigned year, unsigned month, unsigned day)
{
    reading->has_date = instant_day_of_date(year, month, day, &reading->parts.day);
    return reading->has_date;
}

/* 2026-W48-7, 2026W487, 2026-333 */
static bool take_week_or_ordinal(Reading *reading)
{
    Str rest = reading->rest;
    size_t index = 4 + (at(rest, 4) == '-');
    bool has_dash = index == 5;
    unsigned year = number_at(rest, 0, 4);
    if ((at(rest, index) | 0x20) == 'w') {
        size_t digits = digits_at(rest, index + 1);
        if (digits != (has_dash ? 2u : 3u) || (has_dash && (at(rest, index + 3) != '-'
            || digits_at(rest, index + 4) != 1)))
            return false;
        unsigned week = number_at(rest, index + 1, 2), weekday = number_at(rest, index + 3 + has_dash, 1);
        reading->has_date = instant_day_of_week(year, week, weekday, &reading->parts.day);
        pass(reading, index + 4 + has_dash);
        return reading->has_date;
    }
    if (!has_dash || digits_at(rest, 5) != 3) return false;
    reading->has_date = instant_day_of_ordinal(year, number_at(rest, 5, 3), &reading->parts.day);
    pass(reading, 8);
    return reading->has_date;
}

/* The year first: 2026-11-29, 2026/11/29, 2026.11.29, 2026:11:29, +002026-11-29. */
static bool take_year_first(Reading *reading, size_t year_at, size_t year_digits)
{
    Str rest = reading->rest;
    size_t index = year_at + year_digits;
    char separator = at(rest, index);
    if (separator == 0 || !strchr("-/.:", separator)) return false;
    size_t months = digits_at(rest, index + 1), days = digits_at(rest, index + 2 + months);
    if (months < 1 || months > 2 || days < 1 || days > 2 || at(rest, index + 1 + months) != separator) return false;
    if (year_digits > 6) return false;
    pass(reading, index + 2 + months + days);
    return set_date(reading, number_at(rest, year_at, year_digits), number_at(rest, index + 1, months),
                    number_at(rest, index + 2 + months, days));
}

/* 29/11/2026, 11/29/2026: a number over 12 must be the day. False: it is not such a date. */
static bool take_year_last(Reading *reading)
{
    Str rest = reading->rest;
    size_t one = digits_at(rest, 0), two = digits_at(rest, one + 1), years = digits_at(rest, one + two + 2);
    char separator = at(rest, one);
    if (one < 1 || one > 2 || two < 1 || two > 2 || separator == 0 || !strchr("-/.", separator)
        || at(rest, one + two + 1) != separator || (years != 4 && years != 2))
        return false;
    unsigned first = number_at(rest, 0, one), second = number_at(rest, one + 1, two);
    unsigned year = number_at(rest, one + two + 2, years);
    pass(reading, one + two + years + 2);
    if (years == 2 || (first <= 12 && second <= 12 && first != second)) {
        reading->is_ambiguous = reading->has_date = true;
        return first >= 1 && second >= 1 && (first <= 31 && second <= 31);
    }
    return first > 12 ? set_date(reading, year, second, first) : set_date(reading, year, first, second);
}

/* Reads a date at the front. True also if there is none: its parts may come one by one, or be words. False: there
 * is something like a date that is not a day. */
static bool take_date_in_front(Reading *reading)
{
    Str rest = reading->rest;
    size_t digits = digits_at(rest, 0);
    if (at(rest, 0) == '+' && digits_at(rest, 1) == 6) return take_year_first(reading, 1, 6);
    if (digits == 4 && ((at(rest, 4) | 0x20) == 'w' || (at(rest, 4) == '-' && (at(rest, 5) | 0x20) == 'w')))
        return take_week_or_ordinal(reading);
    if (digits == 4 && at(rest, 4) == '-' && digits_at(rest, 5) == 3) return take_week_or_ordinal(reading);
    if (digits == 4 && at(rest, 4) && strchr("-/.:", at(rest, 4))) {
        if (!is_digit(at(rest, 5))) return true;
        return take_year_first(reading, 0, 4);
    }
    if (digits == 8 || (digits >= 14 && digits <= 17)) {
        if (!set_date(reading, number_at(rest, 0, 4), number_at(rest, 4, 2), number_at(rest, 6, 2))) return false;
        pass(reading, 8);
        return true;
    }
    bool is_numeric = digits >= 1 && digits <= 2 && at(rest, digits) && strchr("-/.", at(rest, digits))
                      && is_digit(at(rest, digits + 1));
    return !is_numeric || take_year_last(reading);
}

/* ---- Times ---- */

static size_t take_fraction(Reading *reading, Str rest, size_t index)
{
    if (at(rest, index) != '.' && at(rest, index) != ',') return index;
    size_t digits = digits_at(rest, index + 1);
    unsigned scale = 100;
    for (size_t i = 0; i < digits && scale; i++, scale /= 10)
        reading->parts.fraction_ms += scale * number_at(rest, index + 1 + i, 1);
    return digits ? index + 1 + digits : index;
}

/* h:mm, hh:mm:ss, hh.mm.ss; if the last part is the second it may have a fraction. */
static bool take_time(Reading *reading, char separator)
{
    Str rest = reading->rest;
    size_t hours = digits_at(rest, 0), index = hours + 1;
    if (hours < 1 || hours > 2 || digits_at(rest, index) != 2) return false;
    reading->parts.hour = number_at(rest, 0, hours);
    reading->parts.minute = number_at(rest, index, 2);
    index += 2;
    if (at(rest, index) == separator && digits_at(rest, index + 1) == 2) {
        reading->parts.second = number_at(rest, index + 1, 2);
        index = take_fraction(reading, rest, index + 3);
    }
    reading->has_time = true;
    pass(reading, index);
    return true;
}

/* hh, hhmm, hhmmss and, with the milliseconds directly after, hhmmssSSS. */
static bool take_basic_time(Reading *reading, size_t digits)
{
    Str rest = reading->rest;
    if (digits != 2 && digits != 4 && digits != 6 && digits != 9) return false;
    reading->parts.hour = number_at(rest, 0, 2);
    if (digits >= 4) reading->parts.minute = number_at(rest, 2, 2);
    if (digits >= 6) reading->parts.second = number_at(rest, 4, 2);
    if (digits == 9) reading->parts.fraction_ms = number_at(rest, 6, 3);
    reading->has_time = true;
    pass(reading, digits == 6 ? take_fraction(reading, rest, digits) : digits);
    return true;
}

/* +01:00, +0100, +01, +1, +01:00:00; the sign is not taken yet. A second offset is skipped (Go's "+0300 +03"). */
static bool take_offset(Reading *reading)
{
    Str rest = reading->rest;
    int sign = at(rest, 0) == '-' ? -1 : 1;
    size_t digits = digits_at(rest, 1), index = 1 + digits;
    if (digits != 1 && digits != 2 && digits != 4) return false;
    unsigned hours = number_at(rest, 1, digits > 2 ? 2 : digits), minutes = digits == 4 ? number_at(rest, 3, 2) : 0;
    unsigned seconds = 0;
    if (digits <= 2 && at(rest, index) == ':') {
        if (digits_at(rest, index + 1) != 2) return false;
        minutes = number_at(rest, index + 1, 2);
        index += 3;
        if (at(rest, index) == ':') {
            if (digits_at(rest, index + 1) != 2) return false;
            seconds = number_at(rest, index + 1, 2);
            index += 3;
        }
    }
    if (hours > 23 || minutes > 59 || seconds > 59) return false;
    if (!reading->has_zone || reading->is_zone_a_name)
        reading->parts.zone_seconds = sign * (int)(hours * 3600 + minutes * 60 + seconds);
    reading->has_zone = true;
    reading->is_zone_a_name = reading->is_zone_unknown = false;
    pass(reading, index);
    return true;
}

/* ---- Words ---- */

static const struct { Str name; int minutes; } zones[] = {
    { STR("z"), 0 }, { STR("utc"), 0 }, { STR("gmt"), 0 }, { STR("ut"), 0 },
    { STR("est"), -300 }, { STR("edt"), -240 }, { STR("cdt"), -300 }, { STR("mst"), -420 }, { STR("mdt"), -360 },
    { STR("pst"), -480 }, { STR("pdt"), -420 }, { STR("akst"), -540 }, { STR("akdt"), -480 }, { STR("hst"), -600 },
    { STR("wet"), 0 }, { STR("west"), 60 }, { STR("cet"), 60 }, { STR("cest"), 120 }, { STR("eet"), 120 },
    { STR("eest"), 180 }, { STR("msk"), 180 }, { STR("jst"), 540 }, { STR("kst"), 540 }, { STR("aest"), 600 },
    { STR("aedt"), 660 }, { STR("nzst"), 720 }, { STR("nzdt"), 780 },
};

/* The number, from 1, of the name that the word is in full or by its first three or four letters; 0: none. */
static unsigned find_name(Str word, const char *const *names, unsigned count)
{
    for (unsigned name = 0; name < count; name++) {
        Str whole = str_from(names[name]);
        if (str_equal_no_case(word, whole) || str_equal_no_case(word, str_slice(whole, 0, 3))
            || (word.len == 4 && str_equal_no_case(word, str_slice(whole, 0, 4))))
            return name + 1;
    }
    return 0;
}

static bool take_zone_name(Reading *reading, Str word)
{
    char next = at(reading->rest, 0);
    bool has_offset = (next == '+' || next == '-') && is_digit(at(reading->rest, 1));
    if (reading->has_zone) return word.len <= 5;           /* Go's "+0100 CET": the number has said it */
    reading->is_zone_a_name = true;
    for (size_t row = 0; row < countof(zones); row++) {
        if (!str_equal_no_case(word, zones[row].name)) continue;
        if (has_offset && row < 4) return take_offset(reading);
        reading->parts.zone_seconds = zones[row].minutes * 60;
        return reading->has_zone = true;
    }
    for (size_t i = 0; i < word.len; i++)
        if (word.bytes[i] > 'Z') return false;              /* abbreviations are written in capitals */
    reading->is_zone_unknown = reading->has_zone = true;
    return word.len >= 3 && word.len <= 5;
}

static bool take_word(Reading *reading)
{
    static const char *const months[] = { "january", "february", "march", "april", "may", "june", "july", "august",
                                          "september", "october", "november", "december" };
    static const char *const days[] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" };
    Str rest = reading->rest;
    size_t len = 0;
    while (is_letter(at(rest, len))) len++;
    if (len == 1 && (at(rest, 0) | 0x20) != 'z' && at(rest, 1) == '.' && (at(rest, 2) | 0x20) == 'm') {
        pass(reading, 3 + (at(rest, 3) == '.'));            /* a.m. */
    } else {
        pass(reading, len);
    }
    Str word = str_slice(rest, 0, len);
    char first = (char)(at(word, 0) | 0x20);
    bool is_half = (first == 'a' || first == 'p') && ((len == 2 && (at(word, 1) | 0x20) == 'm') || len == 1);
    if (is_half && reading->has_time && !reading->has_half) {
        reading->is_afternoon = first == 'p';
        return reading->has_half = true;
    }
    if (len == 1 && first == 't' && reading->has_date && !reading->has_time) {
        size_t digits = digits_at(reading->rest, 0);
        if (digits && at(reading->rest, digits) != ':') return take_basic_time(reading, digits);
        return digits > 0 && take_time(reading, ':');
    }
    if (find_name(word, days, countof(days))) {
        while (at(reading->rest, 0) == ' ' || at(reading->rest, 0) == ',') pass(reading, 1);
        bool is_first = !reading->has_date && !reading->year && !reading->month && !reading->day;
        return !is_first || take_date_in_front(reading);
    }
    unsigned month = find_name(word, months, countof(months));
    if (month && !reading->month) return reading->month = month, true;
    if (str_equal_no_case(word, STR("at")) || str_equal_no_case(word, STR("of"))) return true;
    if (reading->day && !reading->year && !reading->has_time && len == 2
        && (str_equal_no_case(word, STR("st")) || str_equal_no_case(word, STR("nd"))
            || str_equal_no_case(word, STR("rd")) || str_equal_no_case(word, STR("th"))))
        return true;                                        /* 29th */
    return reading->has_time && take_zone_name(reading, word);
}

/* A number that is not a time: a day, a year. RFC 850's year has two digits, after a month that is a word. */
static bool take_number(Reading *reading, size_t digits)
{
    unsigned value = number_at(reading->rest, 0, digits < 9 ? digits : 9);
    if (reading->has_date) return !reading->has_time && take_basic_time(reading, digits);
    if (digits == 4 && !reading->year && value) reading->year = value;
    else if (digits <= 2 && !reading->day && value) reading->day = value;
    else if (digits == 2 && !reading->year && reading->month) reading->year = value + (value < 70 ? 2000 : 1900);
    else return false;
    pass(reading, digits);
    return true;
}

static bool take_token(Reading *reading)
{
    Str rest = reading->rest;
    char c = rest.bytes[0];
    size_t digits = digits_at(rest, 0);
    bool has_day = reading->has_date || (reading->day && reading->month);
    bool is_dated = reading->has_date || (has_day && reading->year);
    if (digits) {
        char next = at(rest, digits);
        if (digits <= 2 && next == ':' && !reading->has_time) return take_time(reading, ':');
        if (digits <= 2 && next == '.' && is_dated && !reading->has_time) return take_time(reading, '.');
        return take_number(reading, digits);
    }
    if (is_letter(c)) return take_word(reading);
    bool is_sign = (c == '+' || c == '-') && is_digit(at(rest, 1));
    if (is_sign && reading->has_time && has_day) return take_offset(reading);
    bool is_between = c == ' ' || c == ',' || ((c == '-' || c == '/' || c == '.') && !reading->has_time)
                      || (c == '_' && has_day) || (c == ':' && is_dated && !reading->has_time);
    if (!is_between) return false;
    pass(reading, 1);
    return true;
}

static InstantReading finish(Reading *reading, int64_t *ret_ms)
{
    if (!reading->has_date && !(reading->year && set_date(reading, reading->year, reading->month, reading->day)))
        return INSTANT_UNREADABLE;
    if (reading->has_half) {
        if (reading->parts.hour < 1 || reading->parts.hour > 12) return INSTANT_UNREADABLE;
        reading->parts.hour = reading->parts.hour % 12 + (reading->is_afternoon ? 12 : 0);
    }
    int64_t ms;
    if (!instant_of_parts(&reading->parts, &ms)) return INSTANT_UNREADABLE;
    if (reading->is_ambiguous || reading->is_zone_unknown) return INSTANT_AMBIGUOUS;
    *ret_ms = ms;
    return INSTANT_READ;
}

static InstantReading read_tokens(Str text, int64_t *ret_ms)
{
    Reading reading = { .rest = text };
    if (!take_date_in_front(&reading)) return INSTANT_UNREADABLE;
    while (reading.rest.len) {
        if (str_starts(reading.rest, STR("m=")) && reading.has_time) break;      /* Go's monotonic clock */
        if (!take_token(&reading)) return INSTANT_UNREADABLE;
    }
    return finish(&reading, ret_ms);
}

/* ---- All ---- */

/* "/Date(1795436920123+0100)/" and "@1795436920": the number inside; the offset changes nothing. */
static Str unwrap(Str text, bool *ret_is_number)
{
    Str whole = text;
    *ret_is_number = false;
    if (at(text, 0) == '@') return *ret_is_number = true, str_slice(text, 1, text.len);
    if (str_starts(text, STR("/")) && str_ends(text, STR("/"))) text = str_slice(text, 1, text.len - 1);
    if (!str_starts(text, STR("Date(")) || !str_ends(text, STR(")"))) return whole;
    text = str_slice(text, 5, text.len - 1);
    for (size_t i = 1; i < text.len; i++)
        if (text.bytes[i] == '+' || text.bytes[i] == '-') text = str_slice(text, 0, i);
    *ret_is_number = true;
    return text;
}

/* .NET counts milliseconds, even if there are few of them. */
static InstantReading read_wrapped(Str text, bool is_date, int64_t *ret_ms)
{
    int64_t ms;
    if (!is_date) return instant_read_number(text, ret_ms);
    if (!str_parse_int(text, -62135596800000, 253402300799999, &ms)) return INSTANT_UNREADABLE;
    *ret_ms = ms;
    return INSTANT_READ;
}

static bool is_all_number(Str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.bytes[i]) && !strchr("+-.eE", text.bytes[i])) return false;
    return text.len > 0;
}

InstantReading instant_read(Str text, int64_t *ret_ms)
{
    char room[TEXT_MAX];
    int64_t ms, as_number;
    bool is_number;
    if (instant_parse(text, ret_ms)) return INSTANT_READ;
    if (memchr(text.bytes ? text.bytes : "", 0, text.len) || !normalise(text, room, &text)) return INSTANT_UNREADABLE;
    Str inner = unwrap(text, &is_number);
    if (is_number) return read_wrapped(inner, text.bytes[0] != '@', ret_ms);
    InstantReading reading = read_tokens(text, &ms);
    if (!is_all_number(text)) {
        if (reading == INSTANT_READ) *ret_ms = ms;
        return reading;
    }
    /* Digits alone: 20261129070000 is a date of our time without separators; 202611290700 may be that, or
     * milliseconds. */
    size_t digits = digits_at(text, 0);
    if (digits == text.len && digits == 12) {
        char padded[14];
        memcpy(padded, text.bytes, 12);
        memcpy(padded + 12, "00", 2);
        if (read_tokens((Str){ padded, 14 }, &ms) == INSTANT_READ && ms >= 0 && ms < 4102444800000)
            return INSTANT_AMBIGUOUS;
    }
    if (reading == INSTANT_READ && ms >= -2208988800000 && ms < 4102444800000) return *ret_ms = ms, INSTANT_READ;
    if (reading == INSTANT_AMBIGUOUS) return reading;
    reading = instant_read_digits(text, &as_number);
    if (reading == INSTANT_READ) *ret_ms = as_number;
    return reading;
}
