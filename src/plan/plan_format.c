/* plan_format: texts that must have a format. It is as strict as the standard, if there is one (RFC 3339, RFC 4122,
 * RFC 3986's characters). For e-mail it checks what every address has: only sending a message would tell more. */
#include "plan_schema.h"

static const struct { const char *word, *text; } formats[FORMAT_COUNT] = {
    [FORMAT_NONE] = { "", "" },
    [FORMAT_DATE_TIME] = { "date-time", "an instant like 2026-11-30T08:00:00Z" },
    [FORMAT_DATE] = { "date", "a date like 2026-11-30" },
    [FORMAT_EMAIL] = { "email", "an e-mail address" },
    [FORMAT_UUID] = { "uuid", "a UUID" },
    [FORMAT_URI] = { "uri", "a URL with its scheme" },
};

SchemaFormat schema_format_from(Str word)
{
    for (int format = FORMAT_NONE + 1; format < FORMAT_COUNT; format++)
        if (str_equal(word, str_from(formats[format].word))) return (SchemaFormat)format;
    return FORMAT_NONE;
}

const char *schema_format_text(SchemaFormat format) { return formats[format].text; }

static bool is_alnum(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

/* Takes so many digits from the start of the text; their number must be in the range. */
static bool take_number(Str *text, size_t digits, int least, int most, int *ret)
{
    int value = 0;
    if (text->len < digits) return false;
    for (size_t at = 0; at < digits; at++) {
        if (!is_digit(text->bytes[at])) return false;
        value = value * 10 + (text->bytes[at] - '0');
    }
    *text = str_slice(*text, digits, text->len);
    *ret = value;
    return value >= least && value <= most;
}

static bool take_char(Str *text, char lower, char other)
{
    if (!text->len || (text->bytes[0] != lower && text->bytes[0] != other)) return false;
    *text = str_slice(*text, 1, text->len);
    return true;
}

static bool take_date(Str *text)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year, month, day;
    if (!take_number(text, 4, 0, 9999, &year) || !take_char(text, '-', '-') || !take_number(text, 2, 1, 12, &month) ||
        !take_char(text, '-', '-') || !take_number(text, 2, 1, 31, &day))
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && is_leap);
}

/* A leap second is the last one of a day by UTC. */
static bool take_time(Str *text)
{
    int hour, minute, second, away_hour = 0, away_minute = 0;
    if (!take_number(text, 2, 0, 23, &hour) || !take_char(text, ':', ':') || !take_number(text, 2, 0, 59, &minute) ||
        !take_char(text, ':', ':') || !take_number(text, 2, 0, 60, &second))
        return false;
    if (take_char(text, '.', '.')) {
        size_t digits = 0;
        while (digits < text->len && is_digit(text->bytes[digits])) digits++;
        if (digits == 0) return false;
        *text = str_slice(*text, digits, text->len);
    }
    bool is_utc = take_char(text, 'Z', 'z');
    int sign = !is_utc && text->len && text->bytes[0] == '-' ? 1 : -1;
    if (!is_utc && (!take_char(text, '+', '-') || !take_number(text, 2, 0, 23, &away_hour) ||
                    !take_char(text, ':', ':') || !take_number(text, 2, 0, 59, &away_minute)))
        return false;
    int at = (hour * 60 + minute + sign * (away_hour * 60 + away_minute) + 2 * 1440) % 1440;
    return second < 60 || at == 1439;
}

static bool is_uuid(Str text)
{
    if (text.len != 36) return false;
    for (size_t at = 0; at < text.len; at++) {
        bool is_dash = at == 8 || at == 13 || at == 18 || at == 23;
        char c = text.bytes[at];
        if (is_dash ? c != '-' : !(is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))) return false;
    }
    return true;
}

static bool is_host(Str host)
{
    bool begins = true;
    if (!host.len || host.bytes[host.len - 1] == '.' || host.bytes[host.len - 1] == '-') return false;
    for (size_t at = 0; at < host.len; at++) {
        char c = host.bytes[at];
        bool is_fine = is_alnum(c) || (unsigned char)c >= 0x80 || (c == '-' && !begins) || (c == '.' && !begins);
        if (!is_fine) return false;
        begins = c == '.';
    }
    return true;
}

/* [127.0.0.1], or [IPv6:...], where the rest is not checked. */
static bool is_address_literal(Str host)
{
    Str rest = str_slice(host, 1, host.len - 1);
    int parts = 0;
    int64_t part;
    if (str_starts(rest, STR("IPv6:"))) return rest.len > 7;
    for (; rest.len; parts++)
        if (!str_parse_int(str_cut(rest, '.', &rest), 0, 255, &part)) return false;
    return parts == 4;
}

static bool is_email(Str text)
{
    size_t at = text.len;
    while (at > 0 && text.bytes[at - 1] != '@') at--;
    if (at < 2) return false;
    Str local = str_slice(text, 0, at - 1), host = str_slice(text, at, text.len);
    bool is_quoted = local.len > 2 && local.bytes[0] == '"' && local.bytes[local.len - 1] == '"';
    bool is_literal = host.len > 2 && host.bytes[0] == '[' && host.bytes[host.len - 1] == ']';
    for (size_t place = 0; !is_quoted && place < local.len; place++) {
        char c = local.bytes[place];
        bool is_dot = c == '.', at_end = place == 0 || place + 1 == local.len;
        if (is_dot && (at_end || local.bytes[place + 1] == '.')) return false;
        if (!is_dot && !is_alnum(c) && (unsigned char)c < 0x80 && !memchr("!#$%&'*+/=?^_`{|}~-", c, 19)) return false;
    }
    return is_literal ? is_address_literal(host) : is_host(host);
}

/* A scheme, and after it only characters that RFC 3986 allows; brackets only around the host. */
static bool is_uri(Str text)
{
    size_t at = 0;
    while (at < text.len && (is_alnum(text.bytes[at]) || memchr("+-.", text.bytes[at], 3))) at++;
    if (at == 0 || at == text.len || text.bytes[at] != ':' || is_digit(text.bytes[0])
        || !is_alnum(text.bytes[0])) return false;
    Str rest = str_slice(text, at + 1, text.len);
    size_t host_end = 0;
    if (str_starts(rest, STR("//"))) {
        host_end = 2;
        while (host_end < rest.len && !memchr("/?#", rest.bytes[host_end], 3)) host_end++;
    }
    for (size_t place = 0, marks = 0; place < rest.len; place++) {
        char c = rest.bytes[place];
        bool is_bracket = c == '[' || c == ']';
        if (c == '%') {
            int hex;
            Str digits = str_slice(rest, place + 1, place + 3);
            char both[2] = { 0 };
            if (digits.len < 2) return false;
            memcpy(both, digits.bytes, 2);
            for (hex = 0; hex < 2; hex++)
                if (!is_digit(both[hex]) && !((both[hex] | 0x20) >= 'a' && (both[hex] | 0x20) <= 'f')) return false;
            continue;
        }
        if (c == '#' && marks++) return false;
        if (is_bracket && place >= host_end) return false;
        if (!is_bracket && !is_alnum(c) && !memchr("-._~:/?#@!$&'()*+,;=", c, 20)) return false;
    }
    return true;
}

bool schema_format_fits(SchemaFormat format, Str text)
{
    switch (format) {
    case FORMAT_DATE_TIME: return take_date(&text) && take_char(&text, 'T', 't') && take_time(&text) && !text.len;
    case FORMAT_DATE:      return take_date(&text) && !text.len;
    case FORMAT_EMAIL:     return is_email(text);
    case FORMAT_UUID:      return is_uuid(text);
    case FORMAT_URI:       return is_uri(text);
    case FORMAT_NONE: case FORMAT_COUNT: break;
    }
    return true;
}
