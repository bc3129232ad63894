/* collect_unread: what cannot be read at all, sent where nobody reads the answer: a picture, a script, a beacon. It is
 * kept as rejected, with its reason, or nobody would ever hear of it. (docs/protocol.md#rejections)
 *
 * Such text has no fields, so two things are found by looking at its words: whose write key it has, and any
 * key that reads, which is kept nowhere (rule 5 of collect.h). A secret may hold any printable character but ":", so
 * words are cut in several ways (ways, below). This is work, and the bytes are anybody's: it comes after every refusal,
 * and a word that another way has cut likewise is not looked up again. */
#include "collect_stations.h"

#include <stdio.h>

enum { KEY_BYTES_LEAST = 8 };               /* shorter ones are no secrets (config/ warns of them), and cost time */
enum { KEYS_LOOKED_AT = 8 };

/* What ends a word. WAY_ALL has every edge of the others. */
typedef enum Way { WAY_ALL, WAY_QUOTED, WAY_QUERY, WAY_JSON, WAY_STRING, WAYS } Way;
static const struct { const char *edges; bool has_blanks; } ways[WAYS] = {
    [WAY_ALL]    = { "\"'\\=&?:,;{}[]()<>", true },
    [WAY_QUOTED] = { "\"'\n\r", false },
    [WAY_QUERY]  = { "&?\n\r", false },
    [WAY_JSON]   = { "\"'\\:,{}[]", true },
    [WAY_STRING] = { "\"", false },
};

static bool is_edge(char c, Way way)
{
    if ((unsigned char)c <= ' ' && ways[way].has_blanks) return true;
    return c && strchr(ways[way].edges, c) != NULL;
}

/* The word that begins at or after *at; empty: there is none. */
static Str next_word(Str text, size_t *at, Way way)
{
    size_t begin = *at;
    while (begin < text.len && is_edge(text.bytes[begin], way)) begin++;
    size_t end = begin;
    while (end < text.len && !is_edge(text.bytes[end], way)) end++;
    *at = end;
    return str_slice(text, begin, end);
}

/* Is it a key that reads? Without an edge in it, WAY_ALL has cut the same word. */
static bool hides(struct intake *intake, Str word, Way way)
{
    size_t at = 0;
    if (word.len < KEY_BYTES_LEAST) return false;
    while (way != WAY_ALL && at < word.len && !is_edge(word.bytes[at], WAY_ALL)) at++;
    return (way == WAY_ALL || at < word.len) && collect_is_reading_key(intake, word);
}

/* As much of the text as a record keeps, in the arena, with stars for keys that read. It is read beyond its cut, so
 * that a key is seen whole. What was decoded may end within a key, so its last word is not kept. */
static Str without_secrets(struct intake *intake, Str raw)
{
    size_t looked_at = LIMIT_REJECTED_BYTES + LIMIT_ID_BYTES;
    Str text = str_slice(raw, 0, raw.len < looked_at ? raw.len : looked_at);
    while (intake->request->unread && text.len) {
        char last = text.bytes[text.len - 1];
        if (is_edge(last, WAY_QUERY) || is_edge(last, WAY_JSON)) break;
        text.len--;
    }
    char *copy = arena_bytes(intake->arena, text.len);
    if (text.len) memcpy(copy, text.bytes, text.len);
    text.bytes = copy;
    for (Way way = 0; way < WAYS && intake->workspace->collector->options.is_reading_key; way++)
        for (size_t at = 0; at < text.len;) {
            Str rest, word = next_word(text, &at, way);
            if (way == WAY_QUERY) {                         /* name=value: only the first "=" is no part of a value */
                str_cut(word, '=', &rest);
                if (rest.len && hides(intake, rest, way)) memset(copy + (rest.bytes - copy), '*', rest.len);
            }
            if (hides(intake, word, way)) memset(copy + (word.bytes - copy), '*', word.len);
        }
    return str_slice(text, 0, text.len < LIMIT_REJECTED_BYTES ? text.len : LIMIT_REJECTED_BYTES);
}

/* The source whose write key follows the name "writeKey", however that is quoted. */
static const struct source_entry *find_named_source(struct intake *intake, Str text)
{
    static const Str name = STR("writeKey");
    for (size_t at = 0, tries = 0; at < text.len && tries < KEYS_LOOKED_AT; tries++) {
        const char *found = memmem(text.bytes + at, text.len - at, name.bytes, name.len);
        if (!found) break;
        at = (size_t)(found - text.bytes) + name.len;
        Str key = next_word(text, &at, WAY_ALL);
        const struct source_entry *source = collect_find_entry(intake->workspace->collector, key);
        if (source) return source;
    }
    return NULL;
}

/* The reason without the bytes that it quotes: they may be the middle of a secret, and what can be shown is kept. */
static void write_reason(const char *why, char text[ERR_TEXT_BYTES])
{
    const char *quote = strstr(why, " \""), *behind = quote;
    for (const char *next = quote; next && (next = strstr(next, "\" at byte ")) != NULL; next++) behind = next + 1;
    if (!quote || behind == quote) snprintf(text, ERR_TEXT_BYTES, "%s", why);
    else snprintf(text, ERR_TEXT_BYTES, "%.*s text%s", (int)(quote - why), why, behind);
}

Status collect_keep_unread(struct intake *intake, Str raw, const Err *why, Err *err)
{
    static const Rule unread = { "bad_request", "", NULL };
    const struct source_entry *source = intake->source ? intake->source : find_named_source(intake, raw);
    if (!source && intake->workspace->collector->options.refuse_unknown_keys)
        return err_set(err, ERR_DENIED, "no source has this write key");
    intake->source = source;
    intake->body = (Body){ .message_count = 1 };
    intake->has_key = true;
    if (source) {
        Status s = collect_admit(intake, err);              /* its origin, and its rate */
        if (s) return s;
    }
    char text[ERR_TEXT_BYTES];
    write_reason(why->text, text);
    const Rule *rule = source ? collect_closed(intake, source) : NULL;
    collect_reject(intake, source, rule ? rule : &unread, rule ? rule->text : text,
                   without_secrets(intake, raw));
    intake->result.unread = *why;
    return OK;
}
