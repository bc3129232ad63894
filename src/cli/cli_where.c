/* cli_where: one word of a command line becomes a filter of the API.
 *
 *     properties.plan=Free          =  !=  <  <=  >  >=    ~ contains   !~ does not contain
 *     properties.plan=Free,Pro      any of them; != none of them
 *     traits.email    !traits.email there is one; there is none
 *
 * A value that looks like a number (or true, false) may be that or a text in the events: = asks for both, unless
 * quotes say that it is a text: properties.zip="01067". */
#include "cli_question_command.h"

static const struct { const char *written, *op, *many; } operators[] = {
    { "!=", "!=", "not in" }, { "<=", "<=", NULL }, { ">=", ">=", NULL }, { "!~", "not contains", NULL },
    { "=", "=", "in" }, { "<", "<", NULL }, { ">", ">", NULL }, { "~", "contains", NULL },
};

static bool is_quoted(Str value)
{
    if (value.len < 2 || value.bytes[0] != '"') return false;
    return memchr(value.bytes + 1, '"', value.len - 1) == value.bytes + value.len - 1;
}

/* Up to the next comma that is not in quotes. */
static Str cut_item(Str values, Str *ret_rest)
{
    bool is_inside = false;
    for (size_t at = 0; at < values.len; at++) {
        if (values.bytes[at] == '"') is_inside = !is_inside;
        if (values.bytes[at] != ',' || is_inside) continue;
        *ret_rest = str_slice(values, at + 1, values.len);
        return str_trim(str_slice(values, 0, at));
    }
    *ret_rest = STR("");
    return str_trim(values);
}

/* As JSON would have it: no "1.", "+1", "0x1", "inf". */
static bool is_literal(Str value)
{
    double number;
    if (str_equal(value, STR("true")) || str_equal(value, STR("false"))) return true;
    if (value.len == 0 || !str_parse_double(value, &number)) return false;
    for (size_t at = 0; at < value.len; at++)
        if (!strchr("0123456789+-.eE", value.bytes[at])) return false;
    char first = value.bytes[0], last = value.bytes[value.len - 1];
    Str digits = first == '-' ? str_slice(value, 1, value.len) : value;
    bool is_padded = digits.len > 1 && digits.bytes[0] == '0' && digits.bytes[1] >= '0' && digits.bytes[1] <= '9';
    return first != '+' && last >= '0' && last <= '9' && digits.len && digits.bytes[0] != '.' && !is_padded;
}

static void put_text(struct buf *out, Str value)
{
    json_string(out, NULL, is_quoted(value) ? str_slice(value, 1, value.len - 1) : value);
}

/* Items of a list, or one value in each way that it can be read. */
static void put_values(struct buf *out, Str values)
{
    json_array(out, NULL);
    do {
        Str value = cut_item(values, &values);
        if (!is_quoted(value) && is_literal(value)) json_raw(out, NULL, value);
        put_text(out, value);
    } while (values.len);
    json_array_end(out);
}

static void put_filter(struct buf *out, Str field, Str op)
{
    json_object(out, NULL);
    json_string(out, "field", field);
    json_string(out, "op", op);
}

bool where_write(Str text, struct buf *out)
{
    for (size_t at = 1; at < text.len; at++)
        for (size_t one = 0; one < countof(operators); one++) {
            Str rest = str_slice(text, at, text.len), written = str_from(operators[one].written);
            if (!str_starts(rest, written)) continue;
            Str field = str_trim(str_slice(text, 0, at)), value = str_trim(str_slice(rest, written.len, rest.len));
            bool is_many = operators[one].many && !is_quoted(value)
                           && (is_literal(value) || memchr(value.bytes, ',', value.len));
            put_filter(out, field, str_from(is_many ? operators[one].many : operators[one].op));
            json_name(out, STR("value"));
            if (is_many) put_values(out, value);
            else if (!operators[one].many && is_literal(value) && written.bytes[written.len - 1] != '~')
                json_raw(out, NULL, value);
            else put_text(out, value);
            json_object_end(out);
            return field.len > 0;
        }
    bool is_negated = str_starts(text, STR("!"));
    Str field = str_trim(str_slice(text, is_negated, text.len));
    put_filter(out, field, is_negated ? STR("not exists") : STR("exists"));
    json_object_end(out);
    return field.len > 0;
}
