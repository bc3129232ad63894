/* http_parameter: the values of a query string. */
#include "http_exchange.h"

Str http_parameter(Str query, Str name, Arena *arena)
{
    while (query.len) {
        Str value, pair = str_cut(query, '&', &query), key = str_cut(pair, '=', &value);
        if (str_equal(percent_decode(key, true, arena), name)) return percent_decode(value, true, arena);
    }
    return (Str){ 0 };
}
