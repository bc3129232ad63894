/* instant_number: instants as numbers since 1970. The count of digits before the point tells the unit:
 *
 *   up to 11   seconds         (to the year 5138)
 *   12 to 14   milliseconds    (from 1973)
 *   15 to 17   microseconds
 *   18 or 19   nanoseconds
 *
 * Two ranges could be nanoseconds of 1974 and 1990, or our time by another clock: .NET's ticks since the year 1 and
 * Windows' since 1601. Those are ambiguous. Digits are counted, never rounded: a double would lose the milliseconds of
 * nanoseconds. */
#include "base.h"
#include "instant_parts.h"

enum { DIGITS_KEPT = 19, DIGITS_MAX = 64, EXPONENT_MAX = 400 };

static const int64_t FIRST_MS = -62135596800000;          /* the year 1 */

typedef struct Decimal {
    bool is_negative, has_point, has_exponent;
    uint64_t digits;                       /* value: digits * 10^exponent */
    int exponent;
    int whole;                             /* digits before the point; 0 and less: below 1 */
    size_t written;                        /* digits as written, before the point */
} Decimal;

static bool take_exponent(Str *rest, int *ret)
{
    bool is_negative = rest->len && rest->bytes[0] == '-';
    if (rest->len && (rest->bytes[0] == '-' || rest->bytes[0] == '+')) *rest = str_slice(*rest, 1, rest->len);
    int64_t value;
    if (!str_parse_int(*rest, 0, EXPONENT_MAX, &value)) return false;
    *ret = is_negative ? -(int)value : (int)value;
    return true;
}

static bool read_decimal(Str text, Decimal *ret)
{
    Decimal decimal = { 0 };
    int counted = 0, dropped = 0, behind = 0, exponent = 0;
    size_t at = 0, digit_count = 0;
    if (at < text.len && (text.bytes[at] == '-'
        || text.bytes[at] == '+')) decimal.is_negative = text.bytes[at++] == '-';
    for (; at < text.len; at++) {
        char c = text.bytes[at];
        if (c == '.' && !decimal.has_point && digit_count) {
            decimal.has_point = true;
            continue;
        }
        if (c < '0' || c > '9') break;
        if (++digit_count > DIGITS_MAX) return false;
        if (decimal.has_point) behind++;
        else decimal.written++;
        if (counted == DIGITS_KEPT) {
            dropped++;
            continue;
        }
        decimal.digits = decimal.digits * 10 + (uint64_t)(c - '0');
        if (decimal.digits) counted++;
    }
    if (!digit_count || text.bytes[at - 1] == '.') return false;
    if (at < text.len && (text.bytes[at] | 0x20) == 'e') {
        Str rest = str_slice(text, at + 1, text.len);
        decimal.has_exponent = true;
        if (!take_exponent(&rest, &exponent)) return false;
        at = text.len;
    }
    if (at < text.len) return false;
    decimal.exponent = dropped - behind + exponent;
    decimal.whole = decimal.digits ? counted + decimal.exponent : 0;
    *ret = decimal;
    return true;
}

/* digits * 10^power, rounded down, towards the past. */
static int64_t scale(const Decimal *decimal, int power)
{
    uint64_t value = decimal->digits;
    bool has_rest = false;
    for (; power > 0; power--) value *= 10;                /* the caller has counted the digits */
    for (; power < 0 && value; power++) {
        has_rest |= value % 10 != 0;
        value /= 10;
    }
    return decimal->is_negative ? -(int64_t)value - has_rest : (int64_t)value;
}

static InstantReading read_number(const Decimal *decimal, int64_t *ret_ms)
{
    if (decimal->whole > 19) return INSTANT_UNREADABLE;
    int shift = decimal->whole <= 11 ? 3 : decimal->whole <= 14 ? 0 : decimal->whole <= 17 ? -3 : -6;
    if (decimal->whole == 18 && !decimal->is_negative) {
        int64_t ten_seconds = scale(decimal, decimal->exponent - 10);          /* of nanoseconds */
        if ((ten_seconds >= 12000000 && ten_seconds < 14000000) ||             /* 1.2e17: Windows, 1981 to 2044 */
            (ten_seconds >= 62000000 && ten_seconds < 66000000))               /* 6.2e17: .NET, 1965 to 2092 */
            return INSTANT_AMBIGUOUS;
    }
    int64_t ms = scale(decimal, decimal->exponent + shift);
    if (ms < FIRST_MS) return INSTANT_UNREADABLE;
    *ret_ms = ms;
    return INSTANT_READ;
}

InstantReading instant_read_number(Str number, int64_t *ret_ms)
{
    Decimal decimal;
    return read_decimal(number, &decimal) ? read_number(&decimal, ret_ms) : INSTANT_UNREADABLE;
}

/* As a text a number of eight or more digits may also be a date without its separators: 20261129070000. */
InstantReading instant_read_digits(Str text, int64_t *ret_ms)
{
    Decimal decimal;
    if (!read_decimal(text, &decimal)) return INSTANT_UNREADABLE;
    if (decimal.whole < 9 || (decimal.written < 9 && !decimal.has_exponent)) return INSTANT_UNREADABLE;
    return read_number(&decimal, ret_ms);
}
