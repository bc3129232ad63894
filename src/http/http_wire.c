/* http_wire: see its header. One pass over the bytes finds a head, and refuses at once what can never become
 * one; then the head is cut into its parts. A body's framing is a small machine that can stop between any two bytes. */
#include "http_wire.h"

enum { METHOD_BYTES = 32 };

static WireStep refuse(WireRefusal *ret, unsigned status, const char *why)
{
    *ret = (WireRefusal){ status, why };
    return WIRE_REFUSED;
}

/* ---- The head ---- */

/* Letters, digits and !#$%&'*+-.^_`|~: names and methods may hold these. */
static bool is_token_char(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_token(Str s)
{
    for (size_t at = 0; at < s.len; at++)
        if (!is_token_char((unsigned char)s.bytes[at])) return false;
    return s.len > 0;
}

WireStep wire_find_head(Str bytes, size_t *scanned, size_t *ret_head_len, WireRefusal *ret_refusal)
{
    for (size_t at = *scanned; at < bytes.len; at++) {
        unsigned char c = (unsigned char)bytes.bytes[at];
        bool is_behind_cr = at > 0 && bytes.bytes[at - 1] == '\r';
        if (at >= LIMIT_HEADER_BYTES) {
            const char *line = memchr(bytes.bytes, '\n', at);
            return line ? refuse(ret_refusal, 431, "the headers are too large")
                        : refuse(ret_refusal, 414, "the URL is too long");
        }
        if (is_behind_cr != (c == '\n'))
            return refuse(ret_refusal, 400, is_behind_cr ? "a CR that no LF follows" : "a LF without CR before it");
        if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
            return refuse(ret_refusal, 400, "a control character in the head");
        if (c != '\n' || at < 3 || bytes.bytes[at - 2] != '\n') continue;
        *ret_head_len = at + 1;
        return WIRE_DONE;
    }
    *scanned = bytes.len;
    return WIRE_MORE;
}

static bool is_digits(Str s)
{
    for (size_t at = 0; at < s.len; at++)
        if (s.bytes[at] < '0' || s.bytes[at] > '9') return false;
    return s.len > 0;
}

/* "example.com", "127.0.0.1:8080", "[::1]:8080"; no user, no space, nothing that could end a URL or a JSON string. */
static bool is_authority(Str s)
{
    Str host = s, port = { 0 };
    if (str_starts(s, STR("["))) {
        const char *end = memchr(s.bytes, ']', s.len);
        if (!end) return false;
        host = str_of(s.bytes + 1, (size_t)(end - s.bytes) - 1);
        port = str_slice(s, host.len + 2, s.len);
        if (port.len && (port.bytes[0] != ':' || !is_digits(port = str_slice(port, 1, port.len)))) return false;
        for (size_t at = 0; at < host.len; at++)
            if (!memchr("0123456789abcdefABCDEF:.", host.bytes[at], 24)) return false;
        return host.len > 0 && port.len <= 5;
    }
    const char *colon = s.len ? memchr(s.bytes, ':', s.len) : NULL;
    if (colon) {
        host.len = (size_t)(colon - s.bytes);
        port = str_slice(s, host.len + 1, s.len);
        if (port.len > 5 || (port.len && !is_digits(port))) return false;
    }
    for (size_t at = 0; at < host.len; at++) {
        unsigned char c = (unsigned char)host.bytes[at];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && !(c && strchr("-._~%", c))) return false;
    }
    return host.len > 0 && host.len <= 255;
}

static WireStep parse_request_line(Str line, WireHead *head, WireRefusal *ret_refusal)
{
    Str rest, version;
    head->method = str_cut(line, ' ', &rest);
    head->target = str_cut(rest, ' ', &version);
    if (!is_token(head->method) || head->method.len > METHOD_BYTES || head->target.len == 0)
        return refuse(ret_refusal, 400, "the request line is not: method, blank, target, blank, version");
    if (version.len != 8 || !str_starts(version, STR("HTTP/")) || !is_digits(str_slice(version, 5, 6)) ||
        version.bytes[6] != '.' || !is_digits(str_slice(version, 7, 8)))
        return refuse(ret_refusal, 400, "the request line does not end in HTTP/1.1");
    head->is_1_0 = str_equal(version, STR("HTTP/1.0"));
    if (!head->is_1_0 && !str_equal(version, STR("HTTP/1.1")))
        return refuse(ret_refusal, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    head->wants_close = head->is_1_0;
    if (memchr(head->target.bytes, '\t', head->target.len))
        return refuse(ret_refusal, 400, "a tab in the target");
    if (head->target.len > LIMIT_URL_BYTES) return refuse(ret_refusal, 414, "the URL is too long");
    return WIRE_DONE;
}

static WireStep take_length(WireHead *head, Str value, WireRefusal *ret_refusal)
{
    int64_t length;
    if (head->has_length) return refuse(ret_refusal, 400, "Content-Length is given twice");
    if (!is_digits(value) || value.len > 19 || !str_parse_int(value, 0, INT64_MAX, &length))
        return refuse(ret_refusal, 400, "Content-Length is no number of bytes");
    head->has_length = true;
    head->length = (uint64_t)length;
    return WIRE_DONE;
}

static void take_connection(WireHead *head, Str value)
{
    for (Str rest = value; rest.len;)
        if (str_equal_no_case(str_trim(str_cut(rest, ',', &rest)), STR("close"))) head->wants_close = true;
}

/* Headers that say who asks, and for which host, may come once only: if there are two, a proxy may have judged the
 * other. */
struct wire_once { bool host, authorization, origin, fetch_site; };

static WireStep check_once(struct wire_once *seen, Str name, WireRefusal *ret_refusal)
{
    const struct { Str name; bool *seen; const char *refusal; } rows[] = {
        { STR("host"), &seen->host, "Host is given twice" },
        { STR("authorization"), &seen->authorization, "Authorization is given twice" },
        { STR("origin"), &seen->origin, "Origin is given twice" },
        { STR("sec-fetch-site"), &seen->fetch_site, "Sec-Fetch-Site is given twice" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        if (!str_equal_no_case(name, rows[at].name)) continue;
        if (*rows[at].seen) return refuse(ret_refusal, 400, rows[at].refusal);
        *rows[at].seen = true;
    }
    return WIRE_DONE;
}

/* Reads the headers that say how the body is sent; the caller reads the others. */
static WireStep take_framing(WireHead *head, Str name, Str value, WireRefusal *ret_refusal)
{
    if (str_equal_no_case(name, STR("content-length"))) return take_length(head, value, ret_refusal);
    if (str_equal_no_case(name, STR("transfer-encoding"))) {
        if (head->is_1_0) return refuse(ret_refusal, 400, "Transfer-Encoding in HTTP/1.0");
        if (head->is_chunked || !str_equal_no_case(value, STR("chunked")))
            return refuse(ret_refusal, 400, "Transfer-Encoding is not \"chunked\", once");
        head->is_chunked = true;
    } else if (str_equal_no_case(name, STR("host"))) {
        if (!is_authority(value)) return refuse(ret_refusal, 400, "Host is no host name with an optional port");
    } else if (str_equal_no_case(name, STR("connection"))) {
        take_connection(head, value);
    } else if (str_equal_no_case(name, STR("expect"))) {
        head->wants_continue = !head->is_1_0 && str_equal_no_case(value, STR("100-continue"));
    }
    return WIRE_DONE;
}

static Str trim_blanks(Str s)
{
    while (s.len && (s.bytes[0] == ' ' || s.bytes[0] == '\t')) s = str_slice(s, 1, s.len);
    while (s.len && (s.bytes[s.len - 1] == ' ' || s.bytes[s.len - 1] == '\t')) s.len--;
    return s;
}

/* If a target names its host, it must be the one of the Host header: a proxy may have looked at either. */
static WireStep check_target(WireHead *head, Str host, WireRefusal *ret_refusal)
{
    Str rest, ignored, scheme = str_cut(head->target, ':', &rest);
    if (head->target.bytes[0] == '/' || str_equal(head->target, STR("*"))) return WIRE_DONE;
    bool is_http = str_equal_no_case(scheme, STR("http")) || str_equal_no_case(scheme, STR("https"));
    if (is_http && str_starts(rest, STR("//"))) {
        Str authority = str_cut(str_cut(str_slice(rest, 2, rest.len), '/', &ignored), '?', &ignored);
        if (is_authority(authority) && (host.len == 0 || str_equal_no_case(authority, host))) return WIRE_DONE;
        return refuse(ret_refusal, 400, "the target names another host than Host");
    }
    return refuse(ret_refusal, 400, "the target is no path");
}

WireStep wire_parse_head(Str bytes, WireHead *head, WireRefusal *ret_refusal)
{
    Str rest, line = str_cut(bytes, '\r', &rest), host = { 0 };
    struct wire_once seen = { 0 };
    memset(head, 0, offsetof(WireHead, headers));
    WireStep step = parse_request_line(line, head, ret_refusal);
    while (step == WIRE_DONE) {
        line = str_cut(str_slice(rest, 1, rest.len), '\r', &rest);            /* after the LF */
        if (line.len == 0) break;
        Str value, name = str_cut(line, ':', &value);
        if (name.len == line.len) return refuse(ret_refusal, 400, "a header line without a colon");
        if (!is_token(name)) return refuse(ret_refusal, 400, "a header's name has a blank or another character in it");
        if (head->header_count == WIRE_HEADERS_MAX) return refuse(ret_refusal, 431, "too many headers");
        value = trim_blanks(value);
        head->headers[head->header_count++] = (WireHeader){ name, value };
        if (str_equal_no_case(name, STR("host"))) host = value;
        step = check_once(&seen, name, ret_refusal);
        if (step == WIRE_DONE) step = take_framing(head, name, value, ret_refusal);
    }
    if (step != WIRE_DONE) return step;
    if (!seen.host && !head->is_1_0) return refuse(ret_refusal, 400, "there is no Host header");
    if (head->is_chunked && head->has_length)
        return refuse(ret_refusal, 400, "Content-Length is given together with Transfer-Encoding");
    return check_target(head, host, ret_refusal);
}

/* ---- The body ---- */

enum { BODY_END, BODY_LENGTH, CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_CR, CHUNK_LF,
       TRAILER_NAME, TRAILER_VALUE, TRAILER_LF, LAST_LF };

enum { CHUNK_DIGITS = 8 };

void wire_begin_body(struct wire_body *body, const WireHead *head)
{
    *body = (struct wire_body){ .state = head->is_chunked ? CHUNK_SIZE : head->length ? BODY_LENGTH : BODY_END,
                                .left = head->length };
}

/* A byte of a trailer: it is checked like a header, and dropped. digits: of the name at hand. */
static bool take_trailer(struct wire_body *body, unsigned char c)
{
    if (++body->line_bytes > WIRE_TRAILER_BYTES) return false;
    switch (body->state) {
    case TRAILER_NAME:
        if (c == '\r' && body->digits == 0) body->state = LAST_LF;
        else if (c == ':' && body->digits > 0) body->state = TRAILER_VALUE;
        else if (is_token_char(c)) body->digits = 1;
        else return false;
        return true;
    case TRAILER_VALUE:
        if (c == '\r') body->state = TRAILER_LF;
        else return (c >= ' ' || c == '\t') && c != 0x7f;
        return true;
    case TRAILER_LF:
        body->state = TRAILER_NAME;
        body->digits = 0;
        return c == '\n';
    default:
        body->state = BODY_END;
        return c == '\n';
    }
}

static bool take_size(struct wire_body *body, unsigned char c)
{
    int digit = hex_value((char)c);
    if (digit >= 0 && body->digits < CHUNK_DIGITS) {
        body->left = body->left << 4 | (unsigned)digit;
        body->digits++;
        return true;
    }
    if (body->digits == 0 || (c != ';' && c != '\r')) return false;
    body->state = c == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
    body->line_bytes = 0;
    return true;
}

/* One byte between the data of chunks. */
static bool take_between(struct wire_body *body, unsigned char c)
{
    switch (body->state) {
    case CHUNK_SIZE:
        return take_size(body, c);
    case CHUNK_EXTENSION:
        if (c == '\r') body->state = CHUNK_SIZE_LF;
        else return (c >= ' ' || c == '\t') && c != 0x7f && ++body->line_bytes <= WIRE_EXTENSION_BYTES;
        return true;
    case CHUNK_SIZE_LF:
        body->state = body->left ? CHUNK_DATA : TRAILER_NAME;
        body->digits = 0;
        body->line_bytes = 0;
        return c == '\n';
    case CHUNK_CR:
        body->state = CHUNK_LF;
        return c == '\r';
    case CHUNK_LF:
        body->state = CHUNK_SIZE;
        body->left = 0;
        return c == '\n';
    default:
        return take_trailer(body, c);
    }
}

WireStep wire_read_body(struct wire_body *body, Str *bytes, Str *ret_piece, WireRefusal *ret_refusal)
{
    *ret_piece = (Str){ 0 };
    while (body->state != BODY_END && bytes->len) {
        if (body->state == BODY_LENGTH || body->state == CHUNK_DATA) {
            size_t count = bytes->len < body->left ? bytes->len : (size_t)body->left;
            *ret_piece = str_slice(*bytes, 0, count);
            *bytes = str_slice(*bytes, count, bytes->len);
            body->left -= count;
            if (body->left == 0) body->state = body->state == BODY_LENGTH ? BODY_END : CHUNK_CR;
            return WIRE_MORE;
        }
        unsigned char c = (unsigned char)bytes->bytes[0];
        *bytes = str_slice(*bytes, 1, bytes->len);
        if (!take_between(body, c)) return refuse(ret_refusal, 400, "the chunks are not as RFC 9112 writes them");
    }
    return body->state == BODY_END ? WIRE_DONE : WIRE_MORE;
}
