/* plan_number: JSON's numbers exactly as written, not rounded as a double is: 0.1 is a tenth, 1.0 is whole, 1e2 is 100.
 * Private to plan/. Up to 19 significant digits are exact; a number with more is compared as a double. */
#ifndef ONYM_PLAN_NUMBER_H
#define ONYM_PLAN_NUMBER_H

#include "base/base.h"

/* (-)digits * 10^exponent, with no zero at the end of digits; zero is 0 * 10^0 and never negative. */
typedef struct Decimal {
    bool is_negative, is_long;      /* is_long: it has more digits; only the first 19 are here */
    uint8_t digit_count;
    int32_t exponent;
    uint64_t digits;
    double value;                   /* only set if it is long */
} Decimal;

/* text: a number as JSON has it. False: it is no number. */
bool decimal_read(Str text, Decimal *ret);
int decimal_compare(const Decimal *a, const Decimal *b);
bool decimal_is_whole(const Decimal *number);
bool decimal_is_multiple(const Decimal *number, const Decimal *of);      /* of: more than 0 */

#endif
