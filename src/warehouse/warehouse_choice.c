/* warehouse_choice: see the header. */
#include "warehouse_choice.h"

/* Linear but for the last star, which is tried at each place: patterns and names are short. */
static bool matches(Str pattern, Str text)
{
    size_t at = 0, in = 0, star = SIZE_MAX, from = 0;
    while (in < text.len) {
        if (at < pattern.len && pattern.bytes[at] == '*') {
            star = at++;
            from = in;
        } else if (at < pattern.len && pattern.bytes[at] == text.bytes[in]) {
            at++, in++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            in = ++from;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.bytes[at] == '*') at++;
    return at == pattern.len;
}

static bool is_of_column(Str pattern, Str *ret_table, Str *ret_column)
{
    *ret_table = str_cut(pattern, '.', ret_column);
    return ret_table->len < pattern.len;
}

bool warehouse_takes_table(const WarehouseChoice *choice, Str table)
{
    bool is_wanted = choice->only_count == 0;
    Str of, column;
    for (size_t at = 0; at < choice->only_count && !is_wanted; at++) is_wanted = matches(choice->only[at], table);
    for (size_t at = 0; at < choice->skip_count && is_wanted; at++)
        is_wanted = is_of_column(choice->skip[at], &of, &column) || !matches(choice->skip[at], table);
    return is_wanted;
}

bool warehouse_takes_column(const WarehouseChoice *choice, Str table, Str column)
{
    Str of, name;
    for (size_t at = 0; at < choice->skip_count; at++)
        if (is_of_column(choice->skip[at], &of, &name) && matches(name, column) && matches(of, table)) return false;
    return true;
}

bool warehouse_is_pattern(Str text)
{
    size_t stops = 0;
    if (!text.len || text.len > WAREHOUSE_PATTERN_BYTES || text.bytes[0] == '.' || text.bytes[text.len - 1] == '.')
        return false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        stops += c == '.';
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '*' && c != '.') return false;
    }
    return stops <= 1;
}
