/* scan_json: recursive descent, one function a production; depth and size are bounded. */
#include "scan_json.h"

struct reader {
    const char *start, *at, *end;
    Arena *arena;
    const char *wrong;              /* what, in words; at says where */
};

static bool fail(struct reader *reader, const char *what)
{
    if (!reader->wrong) reader->wrong = what;
    return false;
}

static void pass_space(struct reader *reader)
{
    while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4)) reader->at++;
}

static bool take(struct reader *reader, char c)
{
    pass_space(reader);
    if (reader->at == reader->end || *reader->at != c) return false;
    reader->at++;
    return true;
}

static bool take_hex(struct reader *reader, uint32_t *ret)
{
    uint32_t code = 0;
    if (reader->end - reader->at < 4) return fail(reader, "an escape is cut off");
    for (int digit = 0; digit < 4; digit++) {
        char c = *reader->at++;
        int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (value < 0) return fail(reader, "an escape with a digit that is none");
        code = code << 4 | (uint32_t)value;
    }
    *ret = code;
    return true;
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) *to++ = (char)code;
    else if (code < 0x800) *to++ = (char)(0xc0 | code >> 6), *to++ = (char)(0x80 | (code & 63));
    else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12), *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    } else {
        *to++ = (char)(0xf0 | code >> 18), *to++ = (char)(0x80 | (code >> 12 & 63));
        *to++ = (char)(0x80 | (code >> 6 & 63)), *to++ = (char)(0x80 | (code & 63));
    }
    return to;
}

/* Behind a backslash. */
static bool read_escape(struct reader *reader, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    uint32_t code, low;
    if (reader->at == reader->end) return fail(reader, "a string that does not end");
    char c = *reader->at++;
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) return *(*to)++ = into[simple - from], true;
    if (c != 'u') return fail(reader, "an escape that is none");
    if (!take_hex(reader, &code)) return false;
    if (code >= 0xd800 && code < 0xdc00 && reader->end - reader->at >= 2
        && memcmp(reader->at, "\\u", 2) == 0) {
        const char *before = reader->at;
        reader->at += 2;
        if (!take_hex(reader, &low)) return false;
        if (low >= 0xdc00 && low < 0xe000) code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        else reader->at = before;
    }
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    *to = put_utf8(*to, code);
    return true;
}

/* Behind the opening quote. Unescaping never makes a string longer. */
static bool read_string(struct reader *reader, Str *ret)
{
    char *to = arena_try(reader->arena, 1, 1, (size_t)(reader->end - reader->at)), *start = to;
    if (!to) return fail(reader, "too large");
    for (;;) {
        if (reader->at == reader->end) return fail(reader, "a string that does not end");
        unsigned char c = (unsigned char)*reader->at++;
        if (c == '"') break;
        if (c < 0x20) return fail(reader, "a control character in a string");
        if (c != '\\') *to++ = (char)c;
        else if (!read_escape(reader, &to)) return false;
    }
    reader->arena->at = to;                            /* give the rest back */
    *ret = str_of(start, (size_t)(to - start));
    return true;
}

static bool read_number(struct reader *reader, Json *value)
{
    const char *start = reader->at, *at = start, *end = reader->end;
    if (at < end && *at == '-') at++;
    const char *whole = at;
    while (at < end && *at >= '0' && *at <= '9') at++;
    if (at == whole || (*whole == '0' && at - whole > 1)) return fail(reader, "no value");
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        while (at < end && *at >= '0' && *at <= '9') at++;
        if (at == fraction) return fail(reader, "a number that is none");
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (++at < end && (*at == '+' || *at == '-')) at++;
        const char *exponent = at;
        while (at < end && *at >= '0' && *at <= '9') at++;
        if (at == exponent) return fail(reader, "a number that is none");
    }
    value->text = str_of(start, (size_t)(at - start));
    if (!str_parse_double(value->text, &value->number))
        return fail(reader, "a number out of range");
    value->number += 0.0;                              /* -0 is 0 */
    reader->at = at;
    return true;
}

static bool read_word(struct reader *reader, Str word)
{
    if (!str_starts(str_of(reader->at, (size_t)(reader->end - reader->at)), word))
        return fail(reader, "no value");
    reader->at += word.len;
    return true;
}

static bool read_value(struct reader *reader, Json *value, int depth);

/* Items or members, behind the opening bracket. */
static bool read_list(struct reader *reader, Json *list, int depth)
{
    char close = list->kind == JSON_OBJECT ? '}' : ']';
    const char *start = reader->at - 1;
    const Json **link = &list->first;
    if (depth == JSON_DEPTH_MAX) return fail(reader, "nested too deep");
    if (take(reader, close)) return list->text = str_of(start, (size_t)(reader->at - start)), true;
    do {
        Json *item = arena_try(reader->arena, sizeof *item, _Alignof(Json), 1);
        if (!item) return fail(reader, "too large");
        *item = (Json){ 0 };
        if (list->kind == JSON_OBJECT) {
            if (list->count == JSON_MEMBERS_MAX) return fail(reader, "too many members");
            if (!take(reader, '"')) return fail(reader, "a member's name was expected");
            if (!read_string(reader, &item->key)) return false;
            if (json_find(list, item->key)) return fail(reader, "a name that is there twice");
            if (!take(reader, ':')) return fail(reader, "a colon was expected");
        }
        if (!read_value(reader, item, depth + 1)) return false;
        *link = item;
        link = &item->next;
        list->count++;
    } while (take(reader, ','));
    if (take(reader, close)) return list->text = str_of(start, (size_t)(reader->at - start)), true;
    return fail(reader, "a comma or the closing bracket was expected");
}

static bool read_value(struct reader *reader, Json *value, int depth)
{
    pass_space(reader);
    if (reader->at == reader->end) return fail(reader, "it ends too early");
    switch (*reader->at) {
    case '{': reader->at++, value->kind = JSON_OBJECT; return read_list(reader, value, depth);
    case '[': reader->at++, value->kind = JSON_ARRAY; return read_list(reader, value, depth);
    case '"': reader->at++, value->kind = JSON_STRING; return read_string(reader, &value->text);
    case 't': value->kind = JSON_BOOL, value->truth = true; return read_word(reader, STR("true"));
    case 'f': value->kind = JSON_BOOL; return read_word(reader, STR("false"));
    case 'n': return read_word(reader, STR("null"));
    default: value->kind = JSON_NUMBER; return read_number(reader, value);
    }
}

Status json_parse(Str text, Arena *arena, const Json **ret, Err *err)
{
    struct reader reader = { text.bytes, text.bytes, text.bytes + text.len, arena, NULL };
    if (text.len > JSON_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "a question of over %d bytes", JSON_BYTES_MAX);
    Json *root = arena_try(arena, sizeof *root, _Alignof(Json), 1);
    if (!root) return err_set(err, ERR_TOO_LARGE, "no memory for a question");
    *root = (Json){ 0 };
    bool is_good = read_value(&reader, root, 0);
    pass_space(&reader);
    if (is_good && reader.at != reader.end) fail(&reader, "something behind the end");
    if (reader.wrong)
        return err_set(err, ERR_INPUT, "not JSON at byte %zu: %s", (size_t)(reader.at - reader.start),
                       reader.wrong);
    *ret = root;
    return OK;
}

bool json_next(Str *rest, Arena scratch, Json *ret)
{
    struct reader reader = { rest->bytes, rest->bytes, rest->bytes + rest->len, &scratch, NULL };
    bool is_there = take(&reader, '[') || take(&reader, ',');
    *ret = (Json){ 0 };
    if (take(&reader, ']')) {
        *rest = (Str){ 0 };
        return false;
    }
    if (!is_there || !read_value(&reader, ret, 0)) return false;
    *rest = str_of(reader.at, (size_t)(reader.end - reader.at));
    return true;
}

bool json_scalar(Str text, Arena *arena, Json *ret)
{
    struct reader reader = { text.bytes, text.bytes, text.bytes + text.len, arena, NULL };
    *ret = (Json){ 0 };
    return read_value(&reader, ret, JSON_DEPTH_MAX) && reader.at == reader.end;
}

const Json *json_find(const Json *object, Str key)
{
    if (!object || object->kind != JSON_OBJECT) return NULL;
    for (const Json *member = object->first; member; member = member->next)
        if (str_equal(member->key, key)) return member;
    return NULL;
}
