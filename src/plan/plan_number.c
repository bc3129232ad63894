#include "plan_number.h"

#include <stdlib.h>

enum { DIGITS_MOST = 19, EXPONENT_MOST = 100000 };

struct reading {
    Decimal number;
    int64_t exponent;               /* the power of ten of the last digit that counts */
    uint32_t zeros;                 /* zeros after it, which count only if another digit follows */
    bool is_behind_dot;
};

static void take_digit(struct reading *reading, unsigned digit)
{
    Decimal *number = &reading->number;
    if (reading->is_behind_dot) reading->exponent--;
    if (digit == 0) {
        if (number->digit_count) reading->zeros++;
        return;
    }
    for (; reading->zeros && !number->is_long; reading->zeros--) {
        if (number->digit_count == DIGITS_MOST) number->is_long = true;
        else number->digits *= 10, number->digit_count++;
    }
    reading->zeros = 0;
    if (number->digit_count == DIGITS_MOST) number->is_long = true;
    if (number->is_long) return;
    number->digits = number->digits * 10 + digit;
    number->digit_count++;
}

/* The value of the exponent's text; larger ones than anybody can mean are cut to the limit. */
static bool read_exponent(Str text, int64_t *ret)
{
    bool is_negative = str_starts(text, STR("-"));
    int64_t value = 0;
    size_t at = is_negative || str_starts(text, STR("+")) ? 1 : 0;
    if (at == text.len) return false;
    for (; at < text.len; at++) {
        if (!is_digit(text.bytes[at])) return false;
        if (value < EXPONENT_MOST) value = value * 10 + (text.bytes[at] - '0');
    }
    *ret = is_negative ? -value : value;
    return true;
}

bool decimal_read(Str text, Decimal *ret)
{
    struct reading reading = { 0 };
    size_t at = str_starts(text, STR("-")) ? 1 : 0, first = at;
    int64_t power = 0;
    for (; at < text.len && text.bytes[at] != 'e' && text.bytes[at] != 'E'; at++) {
        if (text.bytes[at] == '.' && !reading.is_behind_dot && at > first) reading.is_behind_dot = true;
        else if (is_digit(text.bytes[at])) take_digit(&reading, (unsigned)(text.bytes[at] - '0'));
        else return false;
    }
    if (at == first || !is_digit(text.bytes[at - 1])) return false;
    if (at < text.len && !read_exponent(str_slice(text, at + 1, text.len), &power)) return false;
    *ret = reading.number;
    if (ret->digits == 0) return true;
    int64_t exponent = reading.exponent + reading.zeros + power;
    ret->exponent = (int32_t)(exponent > 2 * EXPONENT_MOST ? 2 * EXPONENT_MOST
                              : exponent < -2 * EXPONENT_MOST ? -2 * EXPONENT_MOST : exponent);
    ret->is_negative = first == 1;
    if (!ret->is_long) return true;
    char copy[512];
    if (text.len >= sizeof copy) text.len = sizeof copy - 1;
    memcpy(copy, text.bytes, text.len);
    copy[text.len] = 0;
    ret->value = strtod(copy, NULL);
    return true;
}

static double as_double(const Decimal *number)
{
    char text[64];
    struct buf buf;
    if (number->is_long) return number->value;
    buf_init_fixed(&buf, text, sizeof text - 1);
    buf_printf(&buf, "%s%" PRIu64 "e%d", number->is_negative ? "-" : "", number->digits, number->exponent);
    text[buf.len] = 0;
    return strtod(text, NULL);
}

static unsigned __int128 scaled(uint64_t digits, unsigned powers)
{
    unsigned __int128 value = digits;
    while (powers--) value *= 10;
    return value;
}

/* Compares two numbers that are not long, without their signs. */
static int compare_sizes(const Decimal *a, const Decimal *b)
{
    if (a->digits == 0 || b->digits == 0) return (a->digits != 0) - (b->digits != 0);
    int32_t top_a = a->digit_count + a->exponent, top_b = b->digit_count + b->exponent;
    if (top_a != top_b) return top_a < top_b ? -1 : 1;
    unsigned most = a->digit_count > b->digit_count ? a->digit_count : b->digit_count;
    unsigned __int128 x = scaled(a->digits, most - a->digit_count), y = scaled(b->digits, most - b->digit_count);
    return x < y ? -1 : x > y;
}

int decimal_compare(const Decimal *a, const Decimal *b)
{
    if (a->is_long || b->is_long) {
        double x = as_double(a), y = as_double(b);
        return x < y ? -1 : x > y;
    }
    if (a->is_negative != b->is_negative) return a->is_negative ? -1 : 1;
    return a->is_negative ? -compare_sizes(a, b) : compare_sizes(a, b);
}

bool decimal_is_whole(const Decimal *number) { return number->exponent >= 0; }

/* digits * 10^powers modulo modulus. */
static uint64_t power_rest(uint64_t digits, int64_t powers, uint64_t modulus)
{
    unsigned __int128 rest = digits % modulus, ten = 10 % modulus;
    for (; powers > 0; powers >>= 1) {
        if (powers & 1) rest = rest * ten % modulus;
        ten = ten * ten % modulus;
    }
    return (uint64_t)rest;
}

bool decimal_is_multiple(const Decimal *number, const Decimal *of)
{
    if (number->digits == 0) return true;
    if (of->digits == 0) return false;
    int64_t powers = (int64_t)number->exponent - of->exponent;
    if (number->is_long || of->is_long) {
        double quotient = as_double(number) / as_double(of);
        return quotient <= 9e15 && quotient >= -9e15 ? quotient == (double)(int64_t)quotient : true;
    }
    if (powers >= 0) return power_rest(number->digits, powers, of->digits) == 0;
    if (powers < -DIGITS_MOST) return false;                   /* the digits cannot be divided by ten */
    unsigned __int128 step = scaled(of->digits, (unsigned)-powers);
    return step <= number->digits && number->digits % (uint64_t)step == 0;
}
