/* scan_values: values of questions, events and traits, and which of them pass a filter.
 *
 * Numbers compare exactly: an integer that is not exact as a double keeps its digits. A text with a number in it counts
 * as a number only if a question compares it with a number, or adds it up. */
#include "scan.h"

#include <stdlib.h>

enum { DIGITS_MAX = 38, SURELY_EXACT = 15 };

/* ---- Numbers ---- */

/* Only digits, with or without a sign. */
static bool is_integer(Str text)
{
    size_t at = text.len && text.bytes[0] == '-';
    if (at == text.len) return false;
    while (at < text.len && is_digit(text.bytes[at])) at++;
    return at == text.len;
}

static __int128 integer_of(Str digits)
{
    __int128 value = 0;
    bool is_negative = digits.bytes[0] == '-';
    for (size_t at = is_negative; at < digits.len; at++) value = value * 10 + (digits.bytes[at] - '0');
    return is_negative ? -value : value;
}

IndexValue value_of_number(Str text, double number)
{
    IndexValue value = { .kind = INDEX_NUMBER, .number = number + 0.0 };
    size_t digits = text.len - (text.len && text.bytes[0] == '-');
    if (digits <= SURELY_EXACT || digits > DIGITS_MAX || !is_integer(text)) return value;
    if ((__int128)number != integer_of(text)) value.text = text;
    return value;
}

int value_compare_numbers(const IndexValue *a, const IndexValue *b)
{
    if (a->number != b->number || (!a->text.len && !b->text.len))
        return (a->number > b->number) - (a->number < b->number);
    __int128 left = a->text.len ? integer_of(a->text) : (__int128)a->number;
    __int128 right = b->text.len ? integer_of(b->text) : (__int128)b->number;
    return (left > right) - (left < right);
}

/* Reads "12.50", " +3 ", "-1e3", as programs write numbers into texts; "1,234" and "5 EUR" are no numbers. */
bool value_read_number(Str text, IndexValue *ret)
{
    double number;
    size_t at = 0, digits = 0;
    while (text.len && text.bytes[0] == ' ') text = str_slice(text, 1, text.len);
    while (text.len && text.bytes[text.len - 1] == ' ') text = str_slice(text, 0, text.len - 1);
    if (text.len && text.bytes[0] == '+') text = str_slice(text, 1, text.len);
    else at = text.len && text.bytes[0] == '-';
    for (; at < text.len && is_digit(text.bytes[at]); at++) digits++;
    if (at < text.len && text.bytes[at] == '.')
        for (at++; at < text.len && is_digit(text.bytes[at]); at++) digits++;
    if (digits == 0) return false;
    if (at < text.len && (text.bytes[at] == 'e' || text.bytes[at] == 'E')) {
        at++;
        if (at < text.len && (text.bytes[at] == '+' || text.bytes[at] == '-')) at++;
        for (digits = 0; at < text.len && is_digit(text.bytes[at]); at++) digits++;
        if (digits == 0) return false;
    }
    if (at < text.len || !str_parse_double(text, &number)) return false;
    *ret = value_of_number(text, number);
    return true;
}

/* ---- Lists ---- */

bool value_of_scalar(const TreeNode *json, IndexValue *ret)
{
    double number;
    *ret = (IndexValue){ 0 };
    if (json->kind == FIELD_STRING) *ret = (IndexValue){ .kind = INDEX_STRING, .text = json->text };
    else if (event_tree_number(json, &number)) *ret = value_of_number(json->text, number);
    else if (json->kind == FIELD_BOOL) *ret = (IndexValue){ .kind = INDEX_BOOL, .number = json->truth };
    return ret->kind != INDEX_NOTHING;
}

/* Reads the next item of a list if it is a scalar or null; false if it is not. After the last, rest->bytes is NULL. */
static bool next_scalar(Str *rest, Arena scratch, IndexValue *ret)
{
    Str before = *rest;
    TreeNode item;
    if (!event_tree_next(rest, scratch, &item)) return false;
    if (value_of_scalar(&item, ret) || item.kind == FIELD_NULL) return true;
    *rest = before;                                             /* a list, an object, a number too large for a double */
    return false;
}

/* Compares by kind, then by value. */
int value_order(const void *a, const void *b)
{
    const IndexValue *left = a, *right = b;
    if (left->kind != right->kind) return left->kind < right->kind ? -1 : 1;
    return left->kind == INDEX_NUMBER ? value_compare_numbers(left, right)
         : left->kind == INDEX_BOOL ? (left->number > right->number) - (left->number < right->number)
         : str_compare(left->text, right->text);
}

/* Writes "[1.0, \"\\u00e9\"]" as "[1,\"é\"]": each item as answers write it. False if it is no list of scalars. */
static bool settle_list(Str list, Arena *arena, Str *ret)
{
    size_t room = 8 * list.len + 64;
    char *bytes = arena_try(arena, 1, 1, room);
    struct buf text;
    IndexValue value;
    if (!bytes) return false;
    buf_init_fixed(&text, bytes, room);
    for (char before = '['; next_scalar(&list, *arena, &value); before = ',') {
        buf_char(&text, before);
        value_write(&value, &text);                             /* null is INDEX_NOTHING */
    }
    if (!text.len) buf_char(&text, '[');
    buf_char(&text, ']');
    if (list.bytes || !buf_ok(&text)) return false;
    arena->at = bytes + text.len;
    *ret = buf_str(&text);
    return true;
}

IndexValue value_settle(IndexValue value, Arena *arena)
{
    if (value.kind == INDEX_STRING && str_equal(value.text, STR(VALUE_NOT_INDEXED)))
        return (IndexValue){ .kind = INDEX_OTHER };
    if (value.kind == INDEX_LIST) (void)settle_list(value.text, arena, &value.text);
    return value;
}

bool value_of_question(const TreeNode *json, Arena *arena, IndexValue *ret)
{
    if (json->kind == FIELD_OBJECT) return false;
    if (json->kind == FIELD_ARRAY) *ret = (IndexValue){ .kind = INDEX_LIST };
    if (json->kind == FIELD_ARRAY) return settle_list(json->raw, arena, &ret->text);
    (void)value_of_scalar(json, ret);
    *ret = value_settle(*ret, arena);
    return true;
}

static bool is_one_of(const Filter *filter, const IndexValue *value)
{
    return bsearch(value, filter->values, filter->value_count, sizeof *value, value_order);
}

static bool list_holds(const Filter *filter, Str list)
{
    char memory[LIMIT_MESSAGE_BYTES + 4096];
    Arena scratch = { memory, memory + sizeof memory };
    IndexValue value;
    while (next_scalar(&list, scratch, &value))
        if (value.kind != INDEX_NOTHING && is_one_of(filter, &value)) return true;
    return false;
}

IndexValue query_value(Str json, Arena *arena)
{
    IndexValue value = { .kind = INDEX_OTHER };
    Str rest = json;
    TreeNode scalar;
    if (json.len && json.bytes[0] == '[') {
        IndexValue item;
        while (next_scalar(&rest, *arena, &item)) {}
        return rest.bytes ? value : (IndexValue){ .kind = INDEX_LIST, .text = json };
    }
    if (!json.len || json.bytes[0] == '{') return value;
    if (json.bytes[0] == '"' && !memchr(json.bytes, '\\', json.len))
        return (IndexValue){ .kind = INDEX_STRING, .text = str_slice(json, 1, json.len - 1) };
    if (!event_tree_scalar(json, arena, &scalar)) return value;
    IndexValue found;
    return value_of_scalar(&scalar, &found) || scalar.kind == FIELD_NULL ? found : value;
}

/* ---- Does a value pass? ---- */

/* Compares values as answers show them: lists by their items; and "(not indexed)" equals every value that answers show
 * so, also a text that is spelt so. Lists and "(not indexed)" come last among the filter's values. */
static bool equals_one(const Filter *filter, const IndexValue *value)
{
    IndexKind last = filter->values[filter->value_count - 1].kind;
    char memory[LIMIT_MESSAGE_BYTES + 4096];
    Arena scratch = { memory, memory + sizeof memory };
    IndexValue settled = *value;
    if (value->kind == INDEX_LIST ? last >= INDEX_LIST : value->kind == INDEX_STRING && last == INDEX_OTHER)
        settled = value_settle(*value, &scratch);
    return is_one_of(filter, &settled);
}

static bool asks_for_number(const Filter *filter)
{
    bool compares = filter->op == OP_LESS || filter->op == OP_LESS_OR_EQUAL || filter->op == OP_GREATER
                 || filter->op == OP_GREATER_OR_EQUAL;
    return compares && filter->values[0].kind == INDEX_NUMBER;
}

bool filter_reads_text(const Filter *filter, const IndexValue *value)
{
    IndexValue number;
    return asks_for_number(filter) && value->kind == INDEX_STRING && value_read_number(value->text, &number);
}

/* ret is less than 0, 0, or more than 0; false: the two cannot be compared. */
static bool compare_with(const Filter *filter, const IndexValue *value, int *ret)
{
    const IndexValue *wanted = &filter->values[0];
    IndexValue number;
    if (asks_for_number(filter) && value->kind == INDEX_STRING) {
        if (!value_read_number(value->text, &number)) return false;
        value = &number;
    }
    if (value->kind != wanted->kind || (value->kind != INDEX_NUMBER && value->kind != INDEX_STRING)) return false;
    *ret = value_order(value, wanted);
    return true;
}

static bool contains(const Filter *filter, const IndexValue *value)
{
    if (value->kind == INDEX_LIST) return list_holds(filter, value->text);
    for (uint32_t at = 0; value->kind == INDEX_STRING && at < filter->value_count; at++)
        if (filter->values[at].kind == INDEX_STRING && str_contains(value->text, filter->values[at].text)) return true;
    return false;
}

static bool passes_plainly(const Filter *filter, const IndexValue *value)
{
    int order = 0;
    switch (filter->op) {
    case OP_EXISTS: return value->kind != INDEX_NOTHING;
    case OP_EQUAL: return equals_one(filter, value);
    case OP_CONTAINS: return contains(filter, value);
    case OP_LESS: return compare_with(filter, value, &order) && order < 0;
    case OP_LESS_OR_EQUAL: return compare_with(filter, value, &order) && order <= 0;
    case OP_GREATER: return compare_with(filter, value, &order) && order > 0;
    case OP_GREATER_OR_EQUAL: return compare_with(filter, value, &order) && order >= 0;
    case OP_EMPTY: return value->kind == INDEX_NOTHING || (value->kind == INDEX_STRING && !value->text.len);
    case OP_NO_TEXT: return value->kind != INDEX_NOTHING && value->kind != INDEX_STRING;
    }
    return false;
}

bool filter_passes(const Filter *filter,
                   const IndexValue *value) { return passes_plainly(filter, value) != filter->is_negated; }
