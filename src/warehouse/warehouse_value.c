/* warehouse_value: values are looked at, never converted: what a client wrote is what the warehouse gets. */
#include "warehouse_value.h"

enum { DIGITS_MOST = 1000, WIDE_TEXT = 24, PUT_ASIDE = 18 };

static const char *const words[] = {
    [WAREHOUSE_NULL] = "", [WAREHOUSE_BOOLEAN] = "boolean", [WAREHOUSE_BIGINT] = "bigint",
    [WAREHOUSE_NUMERIC] = "numeric", [WAREHOUSE_TIMESTAMP] = "timestamp with time zone", [WAREHOUSE_TEXT] = "text",
    [WAREHOUSE_OTHER] = "other",
};

const char *warehouse_type_word(WarehouseType type) { return words[type]; }

WarehouseType warehouse_type_from(Str word)
{
    for (WarehouseType type = WAREHOUSE_BOOLEAN; type <= WAREHOUSE_TEXT; type++)
        if (str_equal(word, str_from(words[type]))) return type;
    return str_equal(word, STR("character varying")) ? WAREHOUSE_TEXT : WAREHOUSE_OTHER;
}

/* ---- Types ---- */

/* As JSON writes numbers: -0, 12, 1.50, 1e5, 1E+5. */
static WarehouseType type_of_number(Str number)
{
    int64_t exponent = 0, whole;
    size_t digits = 0;
    bool is_whole = true;
    for (size_t at = 0; at < number.len; at++) {
        char c = number.bytes[at];
        digits += is_digit(c);
        if (c == '.') is_whole = false;
        if (c != 'e' && c != 'E') continue;
        Str rest = str_slice(number, at + 1, number.len);
        if (rest.len && rest.bytes[0] == '+') rest = str_slice(rest, 1, rest.len);
        if (!str_parse_int(rest, -DIGITS_MOST, DIGITS_MOST, &exponent)) return WAREHOUSE_TEXT;
        is_whole = false;
        break;
    }
    if (digits > DIGITS_MOST) return WAREHOUSE_TEXT;
    return is_whole && str_parse_int(number, INT64_MIN, INT64_MAX, &whole) ? WAREHOUSE_BIGINT : WAREHOUSE_NUMERIC;
}

/* "9" stands for a digit; the rest as it is. */
static bool has_shape(Str text, const char *shape)
{
    size_t len = strlen(shape);
    if (text.len < len) return false;
    for (size_t at = 0; at < len; at++)
        if (shape[at] == '9' ? !is_digit(text.bytes[at]) : text.bytes[at] != shape[at]) return false;
    return true;
}

static int two(Str text, size_t at) { return (text.bytes[at] - '0') * 10 + text.bytes[at + 1] - '0'; }

static bool is_zone(Str zone)
{
    if (str_equal(zone, STR("Z"))) return true;
    if (zone.len == 0 || (zone.bytes[0] != '+' && zone.bytes[0] != '-')) return false;
    Str rest = str_slice(zone, 1, zone.len);
    bool has_colon = has_shape(rest, "99:99") && rest.len == 5;
    if (!has_colon && !(has_shape(rest, "9999") && rest.len == 4)) return false;
    return two(rest, 0) <= 14 && two(rest, has_colon ? 3 : 2) <= 59;
}

static bool is_instant(Str text)
{
    int64_t at_ms;
    size_t at = 19;
    if (text.len > 40 || !has_shape(text, "9999-99-99T99:99:99")) return false;
    if (two(text, 11) > 23 || two(text, 14) > 59 || two(text, 17) > 59) return false;
    if (at < text.len && text.bytes[at] == '.') {
        size_t from = ++at;
        while (at < text.len && is_digit(text.bytes[at])) at++;
        if (at == from || at - from > 9) return false;
    }
    return is_zone(str_slice(text, at, text.len)) && instant_parse(text, &at_ms);
}

WarehouseType warehouse_type_of(const TreeNode *value)
{
    switch ((FieldKind)value->kind) {
    case FIELD_BOOL: return WAREHOUSE_BOOLEAN;
    case FIELD_NUMBER: return type_of_number(value->text);
    case FIELD_STRING: return is_instant(value->text) ? WAREHOUSE_TIMESTAMP : WAREHOUSE_TEXT;
    case FIELD_ARRAY: case FIELD_OBJECT: return WAREHOUSE_TEXT;
    case FIELD_ABSENT: case FIELD_NULL: break;
    }
    return WAREHOUSE_NULL;
}

Str warehouse_value_text(const TreeNode *value) { return value->kind == FIELD_STRING ? value->text : value->raw; }

WarehouseType warehouse_type_join(WarehouseType a, WarehouseType b)
{
    if (a == b || b == WAREHOUSE_NULL) return a;
    if (a == WAREHOUSE_NULL) return b;
    bool are_numbers = (a == WAREHOUSE_BIGINT && b == WAREHOUSE_NUMERIC)
        || (a == WAREHOUSE_NUMERIC && b == WAREHOUSE_BIGINT);
    return are_numbers ? WAREHOUSE_NUMERIC : WAREHOUSE_TEXT;
}

bool warehouse_type_takes(WarehouseType column, WarehouseType value)
{
    return column != WAREHOUSE_OTHER && warehouse_type_join(column, value) == column;
}

/* A short text has one byte in front; one over 24 bytes is put aside, and 18 bytes say where it is. Numbers and
 * times are aligned to 8. */
size_t warehouse_value_width(WarehouseType column, Str text)
{
    if (column != WAREHOUSE_TEXT && column != WAREHOUSE_NUMERIC) return 8;
    size_t width = text.len + (column == WAREHOUSE_TEXT ? 1 : 4);
    return width <= WIDE_TEXT ? width : PUT_ASIDE;
}

/* ---- COPY ---- */

/* How many bytes the character at the front has, which is no ASCII; 0: they are no UTF-8. */
static size_t character(Str text)
{
    size_t bytes;
    (void)point_decode(text, &bytes);
    return bytes > 1 ? bytes : 0;
}

void warehouse_put_copy(struct buf *out, Str text)
{
    size_t plain = 0, at = 0;
    while (at < text.len) {
        const unsigned char *s = (const unsigned char *)text.bytes + at;
        bool is_plain = *s >= 0x20 && *s < 0x80 && *s != '\\';
        size_t len = is_plain ? 1 : *s < 0x80 ? 0 : character(str_slice(text, at, text.len));
        if (len) {
            at += len;
            continue;
        }
        buf_put(out, text.bytes + plain, at - plain);
        plain = ++at;
        switch (*s) {
        case '\t': buf_str_put(out, STR("\\t")); break;
        case '\n': buf_str_put(out, STR("\\n")); break;
        case '\r': buf_str_put(out, STR("\\r")); break;
        case '\\': buf_str_put(out, STR("\\\\")); break;
        default:
            if (*s == 0 || *s >= 0x80) buf_str_put(out, STR("\xef\xbf\xbd"));
            else buf_char(out, (char)*s);
        }
    }
    buf_put(out, text.bytes + plain, text.len - plain);
}
