/* event_tree: a recursive reader of JSON, by RFC 8259, that keeps slices instead of values.
 *
 * Written by hand because simdjson's DOM forgets the text of numbers, and its on-demand reader cannot be
 * kept; a destination wants exactly the text. Strings without escapes are borrowed, the others
 * are unescaped into the arena. Bytes above 0x7f pass as they are: whoever writes them out again
 * (buf_json_string) mends what is not UTF-8.
 */
#include "event.h"

struct tree_reader {
    const char *at, *end;
    Arena *arena;
    uint32_t depth;
    bool is_full;                   /* ran out of depth or arena, not: the text is not JSON */
    const char *wrong;              /* what is not JSON, in words; at says where */
};

static bool fail(struct tree_reader *reader, const char *what)
{
    if (!reader->wrong) reader->wrong = what;
    return false;
}

static bool read_value(struct tree_reader *reader, TreeNode *node);

static void skip_space(struct tree_reader *reader)
{
    while (reader->at < reader->end) {
        char c = *reader->at;
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
        reader->at++;
    }
}

static bool take_char(struct tree_reader *reader, char c)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != c) return false;
    reader->at++;
    return true;
}

/* Four hex digits; -1 if they are not. */
static int32_t hex_four(const char *at, const char *end)
{
    int32_t value = 0;
    if (end - at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(at[i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

static char *put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

/* Unescapes what follows "\u"; lone surrogates become U+FFFD. NULL: no four hex digits follow. */
static const char *unescape_code(const char *at, const char *end, char **out)
{
    int32_t code = hex_four(at, end);
    if (code < 0) return NULL;
    at += 4;
    if (code >= 0xd800 && code < 0xdc00) {
        int32_t low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? hex_four(at + 2, end) : -1;
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        } else {
            code = 0xfffd;
        }
    } else if (code >= 0xdc00 && code < 0xe000) {
        code = 0xfffd;
    }
    *out = put_utf8(*out, (uint32_t)code);
    return at;
}

/* from..to is the text between the quotes. The result is never longer than the escaped form. */
static bool unescape(struct tree_reader *reader, const char *from, const char *to, Str *ret)
{
    char *start = arena_try(reader->arena, 1, 1, (size_t)(to - from) + 1), *out = start;
    if (!start) {
        reader->is_full = true;
        return false;
    }
    while (from < to) {
        if (*from != '\\') {
            *out++ = *from++;
            continue;
        }
        from++;
        if (from == to) return fail(reader, "an escape is cut off");
        switch (*from++) {
        case '"': *out++ = '"'; break;
        case '\\': *out++ = '\\'; break;
        case '/': *out++ = '/'; break;
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case 'n': *out++ = '\n'; break;
        case 'r': *out++ = '\r'; break;
        case 't': *out++ = '\t'; break;
        case 'u':
            from = unescape_code(from, to, &out);
            if (!from) return fail(reader, "an escape without four hexadecimal digits");
            break;
        default: return fail(reader, "an unknown escape");
        }
    }
    reader->arena->at = out;                            /* gives the rest back */
    *ret = str_of(start, (size_t)(out - start));
    return true;
}

static bool read_string(struct tree_reader *reader, Str *ret_text, Str *ret_raw)
{
    const char *open = reader->at, *from, *at;
    bool has_escapes = false;
    if (open == reader->end || *open != '"') return fail(reader, "a member's name was expected");
    for (from = at = open + 1;; at++) {
        reader->at = at;
        if (at == reader->end) return fail(reader, "a string that does not end");
        if ((unsigned char)*at < 0x20) return fail(reader, "a control character in a string");
        if (*at == '"') break;
        if (*at == '\\') {
            has_escapes = true;
            if (++at == reader->end) return fail(reader, "a string that does not end");
        }
    }
    reader->at = at + 1;
    *ret_raw = str_of(open, (size_t)(reader->at - open));
    if (has_escapes) return unescape(reader, from, at, ret_text);
    *ret_text = str_of(from, (size_t)(at - from));
    return true;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at;
}

static bool read_number(struct tree_reader *reader, TreeNode *node)
{
    const char *at = reader->at, *end = reader->end, *digits;
    if (at < end && *at == '-') at++;
    digits = at;
    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1)) return fail(reader, "a value was expected");
    if (at < end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, end);
        if (at == digits) return fail(reader, "a number without digits after the point");
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        digits = at;
        at = skip_digits(at, end);
        if (at == digits) return fail(reader, "a number without digits in its exponent");
    }
    node->kind = FIELD_NUMBER;
    node->text = str_of(reader->at, (size_t)(at - reader->at));
    reader->at = at;
    return true;
}

static bool read_word(struct tree_reader *reader, TreeNode *node)
{
    Str rest = str_of(reader->at, (size_t)(reader->end - reader->at));
    size_t len = 4;
    if (str_starts(rest, STR("true"))) {
        node->kind = FIELD_BOOL;
        node->truth = true;
    } else if (str_starts(rest, STR("false"))) {
        node->kind = FIELD_BOOL;
        len = 5;
    } else if (str_starts(rest, STR("null"))) {
        node->kind = FIELD_NULL;
    } else {
        return fail(reader, "a value was expected");
    }
    reader->at += len;
    return true;
}

/* Reads the "key": of an object's member (an array's item has none), and then the value. */
static bool read_child(struct tree_reader *reader, TreeNode *parent, TreeNode *child)
{
    if (parent->kind == FIELD_OBJECT) {
        Str raw;
        skip_space(reader);
        if (!read_string(reader, &child->key, &raw)) return false;
        if (!take_char(reader, ':')) return fail(reader, "a colon was expected");
    }
    return read_value(reader, child);
}

/* Sets the node to zeros: an arena is used again, so what arena_try gives holds old bytes. */
static TreeNode *new_node(struct tree_reader *reader)
{
    TreeNode *node = arena_try(reader->arena, sizeof *node, _Alignof(TreeNode), 1);
    if (!node) reader->is_full = true;
    else *node = (TreeNode){ 0 };
    return node;
}

static bool read_children(struct tree_reader *reader, TreeNode *node, FieldKind kind, char close)
{
    TreeNode *last = NULL;
    node->kind = (uint8_t)kind;
    reader->at++;
    if (take_char(reader, close)) return true;
    if (++reader->depth > LIMIT_JSON_DEPTH) {
        reader->is_full = true;
        return false;
    }
    do {
        TreeNode *child = new_node(reader);
        if (!child || !read_child(reader, node, child)) return false;
        if (last) last->next = child;
        else node->first = child;
        last = child;
        node->count++;
    } while (take_char(reader, ','));
    reader->depth--;
    return take_char(reader, close) || fail(reader, "a comma or the closing bracket was expected");
}

static bool read_value(struct tree_reader *reader, TreeNode *node)
{
    const char *start;
    bool is_good;
    skip_space(reader);
    start = reader->at;
    if (start == reader->end) return fail(reader, "it ends too early");
    switch (*start) {
    case '{': is_good = read_children(reader, node, FIELD_OBJECT, '}'); break;
    case '[': is_good = read_children(reader, node, FIELD_ARRAY, ']'); break;
    case '"':
        node->kind = FIELD_STRING;
        is_good = read_string(reader, &node->text, &node->raw);
        break;
    case 't': case 'f': case 'n': is_good = read_word(reader, node); break;
    default: is_good = read_number(reader, node);
    }
    node->raw = str_of(start, (size_t)(reader->at - start));
    return is_good;
}

Status event_tree_read(Str json, Arena *arena, const TreeNode **ret, Err *err)
{
    if (!json.bytes) json = STR("");                /* so that an end can be computed */
    struct tree_reader reader = { .at = json.bytes, .end = json.bytes + json.len, .arena = arena };
    TreeNode *root = new_node(&reader);
    bool is_good;
    if (!root) return err_set(err, ERR_TOO_LARGE, "JSON: no memory left for it");
    is_good = read_value(&reader, root);
    if (is_good) {
        skip_space(&reader);
        is_good = reader.at == reader.end || fail(&reader, "something stands after the end");
    }
    if (is_good) {
        *ret = root;
        return OK;
    }
    if (reader.is_full)
        return err_set(err, ERR_TOO_LARGE, "JSON: nested over %d deep, or too large", LIMIT_JSON_DEPTH);
    return err_set(err, ERR_INPUT, "not JSON at byte %zu: %s", (size_t)(reader.at - json.bytes), reader.wrong);
}

bool event_tree_next(Str *rest, Arena scratch, TreeNode *ret)
{
    struct tree_reader reader = { .at = rest->bytes, .end = rest->bytes + rest->len, .arena = &scratch };
    *ret = (TreeNode){ 0 };
    bool is_first = take_char(&reader, '[');
    if (is_first || !take_char(&reader, ',')) {
        if (take_char(&reader, ']')) {
            skip_space(&reader);
            if (reader.at == reader.end) *rest = (Str){ 0 };
            return false;
        }
        if (!is_first) return false;
    }
    if (!read_value(&reader, ret)) return false;
    *rest = str_of(reader.at, (size_t)(reader.end - reader.at));
    return true;
}

bool event_tree_scalar(Str json, Arena *arena, TreeNode *ret)
{
    struct tree_reader reader = { .at = json.bytes, .end = json.bytes + json.len, .arena = arena };
    *ret = (TreeNode){ 0 };
    skip_space(&reader);
    if (reader.at < reader.end && (*reader.at == '{' || *reader.at == '[')) return false;
    return read_value(&reader, ret) && reader.at == reader.end;
}

bool event_tree_number(const TreeNode *node, double *ret)
{
    if (!event_tree_is_kind(node, FIELD_NUMBER) || !str_parse_double(node->text, ret)) return false;
    *ret += 0.0;                                            /* -0 is 0 */
    return true;
}

const TreeNode *event_tree_get(const TreeNode *object, Str key)
{
    if (!object || object->kind != FIELD_OBJECT) return NULL;
    for (const TreeNode *child = object->first; child; child = child->next)
        if (str_equal(child->key, key)) return child;
    return NULL;
}

const TreeNode *event_tree_find(const TreeNode *object, const char *path)
{
    Str rest = str_from(path);
    while (object && rest.len > 0) {
        Str key = str_cut(rest, '.', &rest);
        object = event_tree_get(object, key);
    }
    return object;
}

Str event_tree_text(const TreeNode *object, const char *path)
{
    const TreeNode *node = event_tree_find(object, path);
    return node ? node->text : (Str){ 0 };
}

Millis event_tree_millis(const TreeNode *object, const char *name)
{
    int64_t number = 0;
    return str_parse_int(event_tree_text(object, name), 0, INT64_MAX / 2, &number) ? number : 0;
}

bool event_tree_is_given(const TreeNode *node) { return node && node->kind > FIELD_NULL; }

bool event_tree_is_kind(const TreeNode *node, int kind) { return node && node->kind == kind; }

const TreeNode *event_tree_reach(const TreeNode *object, Str path)
{
    const TreeNode *found = event_tree_get(object, path);
    for (size_t at = path.len; at-- > 0 && !event_tree_is_given(found);) {
        if (path.bytes[at] != '.') continue;
        const TreeNode *inner = event_tree_get(object, str_slice(path, 0, at));
        if (event_tree_is_kind(inner, FIELD_OBJECT)) found = event_tree_reach(inner, str_slice(path, at + 1, path.len));
    }
    return found;
}
