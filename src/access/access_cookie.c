/* access_cookie: one value of a Cookie header: "a=1; b=2". Pure; tests/fuzz/fuzz_cookie.c drives it. */
#include "access.h"

bool access_read_cookie(Str header, Str name, Str *ret)
{
    size_t found = 0;
    while (header.len) {
        Str value, pair = str_trim(str_cut(header, ';', &header));
        if (!str_equal(str_trim(str_cut(pair, '=', &value)), name)) continue;
        *ret = str_trim(value);
        found++;
    }
    return found == 1;
}
