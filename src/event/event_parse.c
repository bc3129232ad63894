/* event_parse: a body's messages, and each message's fields, in one walk.
 *
 * A single message and a batch envelope look the same until "batch" is met, so the outermost object is
 * read as a message whose "batch", if it has one, is a list of messages. The envelope's own fields may
 * come before or after the list (Go writes them after it), so nothing is judged before the walk's end.
 *
 * The walk wants strict text without white space. Most bodies are; for the others it stops at the first
 * place that is not, the text is made strict, and the walk starts again (parse_whole).
 */
#include "event_parser.h"

#include <stdlib.h>

/* ---- Opening ---- */

static unsigned field_slot(const char *name, size_t len)
{
    return ((unsigned)len + 2u * (unsigned char)name[0] + 7u * (unsigned char)name[len - 1]) % FIELD_SLOTS;
}

static void table_add(struct field_table *table, const char *name, size_t offset)
{
    size_t len = strlen(name);
    unsigned slot = field_slot(name, len);
    check(table->count + 1 < FIELD_ROWS_MAX);
    check(table->slots[slot] == 0);                       /* two names in one slot: find other factors */
    table->slots[slot] = (uint8_t)++table->count;
    struct field_row *row = &table->rows[table->count];
    *row = (struct field_row){ .name = name, .len = (uint16_t)len, .offset = (uint16_t)offset };
    char mask[16];
    for (size_t at = 0; at < sizeof mask; at++) mask[at] = at < len ? (char)0xFF : 0;
    memcpy(&row->first_mask, mask, 8);
    memcpy(&row->second_mask, mask + 8, 8);
    memcpy(&row->first, name, len < 8 ? len : 8);
    if (len > 8) memcpy(&row->second, name + 8, len < 16 ? len - 8 : 8);
}

struct event_parser *event_parser_open(void)
{
    struct event_parser *parser = calloc(1, sizeof *parser);
    if (!parser) return NULL;
    parser->json = event_json_open();
    parser->others = calloc(EVENT_OTHERS_MAX, sizeof *parser->others);
    parser->other_names = calloc(EVENT_OTHERS_MAX, sizeof *parser->other_names);
    if (!parser->json || !parser->others || !parser->other_names
        || !slots_reserve(&parser->other_slots, EVENT_OTHERS_MAX)) {
        event_parser_close(parser);
        return NULL;
    }
    parser->message_bytes = sizeof(Message);
    parser->fields.rows[0].len = parser->context_fields.rows[0].len = UINT16_MAX;      /* so that no guess is right */
    region_open(&parser->messages, EVENT_MESSAGES_MAX * sizeof(Message));
#define FIELD(member, name, section) table_add(&parser->fields, name, offsetof(Message, member));
#include "fields.tbl.h"
#undef FIELD
    table_add(&parser->context_fields, "ip", offsetof(Message, context_ip));
    table_add(&parser->context_fields, "direct", offsetof(Message, context_direct));
    table_add(&parser->context_fields, "userAgent", offsetof(Message, context_user_agent));
    table_add(&parser->context_fields, "traits", offsetof(Message, context_traits));
    return parser;
}

void event_parser_close(struct event_parser *parser)
{
    if (!parser) return;
    region_close(&parser->messages);
    free(parser->other_names);
    slots_done(&parser->other_slots);
    free(parser->others);
    event_json_close(parser->json);
    free(parser);
}

/* ---- Values ---- */

/* An id that a client sent as a number, written as every client that sends the same number would write it:
 * 42, 42.0 and 4.2e1 are one id. A number that is not whole, or is beyond 2^53, stays the text that it is. */
static Str number_text(Str raw, Arena *arena)
{
    bool is_plain = !memchr(raw.bytes, '.', raw.len) && !memchr(raw.bytes, 'e', raw.len) &&
                    !memchr(raw.bytes, 'E', raw.len);
    double value;
    if (is_plain && !str_equal(raw, STR("-0"))) return raw;
    if (!str_parse_double(raw, &value) || value > 9007199254740992.0 || value < -9007199254740992.0 ||
        value != (double)(int64_t)value || arena_left(arena) < 32)
        return raw;
    return arena_printf(arena, "%" PRId64, (int64_t)value);
}

/* Unescapes into the arena. Unescaped strings are shorter than in the body, and event_parse_body has made sure
 * that the arena has room for the body once more. */
static Str unescape(Str inside, Arena *arena)
{
    char *to = arena_bytes(arena, inside.len);
    return (Str){ to, walk_unescape(inside, to) };
}

Str parser_read_string(const struct event_parser *parser, const uint32_t *token, Arena *arena)
{
    Str inside = { parser->walk.text + token[0] + 1, token[1] - token[0] - 2 };
    return inside.len && memchr(inside.bytes, '\\', inside.len) ? unescape(inside, arena) : inside;
}

static Str inside_of(const struct event_parser *parser, const uint32_t *token)
{
    return (Str){ parser->walk.text + token[0] + 1, token[1] - token[0] - 2 };
}

void parser_read_value(struct event_parser *parser, const uint32_t *token, const uint32_t *next, bool has_escapes,
                       Field *ret)
{
    const char *text = parser->walk.text;
    ret->token = (uint32_t)(token - parser->walk.tokens);
    ret->raw = (Str){ text + token[0], next == token + 1 ? token[1] - token[0] : next[-1] + 1 - token[0] };
    ret->text = (Str){ 0 };
    ret->key_count = 0;
    switch (text[token[0]]) {
    case '"':
        ret->kind = FIELD_STRING;
        ret->text = has_escapes ? parser_read_string(parser, token, parser->arena) : inside_of(parser, token);
        break;
    case '{': ret->kind = FIELD_OBJECT; break;
    case '[': ret->kind = FIELD_ARRAY; break;
    case 'n': ret->kind = FIELD_NULL; break;
    case 't':
    case 'f':
        ret->kind = FIELD_BOOL;
        ret->text = ret->raw;
        break;
    default:
        ret->kind = FIELD_NUMBER;
        ret->text = number_text(ret->raw, parser->arena);
        break;
    }
}

/* ---- Messages ---- */

static uint64_t load_8(const char *at) { uint64_t value; memcpy(&value, at, sizeof value); return value; }

static bool is_named(const struct field_row *row, Str name)
{
    uint64_t differs = ((load_8(name.bytes) ^ row->first) & row->first_mask) |
                       ((load_8(name.bytes + 8) ^ row->second) & row->second_mask);
    return row->len == name.len && differs == 0;
}

/* The row of a name that is in the text; member_index says which member of its object it is. A client
 * writes its fields in the same order each time, so the row that the message before had here is tried
 * first: such a guess costs no wait, while a look-up loads the slot's and then the row's address (20 ns for each
 * message, measured). It compares the name's first 16 bytes; bytes after the name are masked. Near the text's
 * end, and for longer names, memcmp compares. */
static const struct field_row *find_row(const struct walk *walk, struct field_table *table, Str name,
                                        uint32_t member_index)
{
    size_t readable = (uintptr_t)walk->text + walk->len - (uintptr_t)name.bytes;
    bool is_short = name.len <= 16 && readable >= 16 && readable <= walk->len;     /* unescaped: not in the text */
    uint8_t *guess = &table->guesses[member_index % FIELD_ROWS_MAX];
    if (is_short && is_named(&table->rows[*guess], name)) return &table->rows[*guess];
    if (name.len == 0) return NULL;
    unsigned found = table->slots[field_slot(name.bytes, name.len)];
    const struct field_row *row = &table->rows[found];
    if (found == 0 || row->len != name.len) return NULL;
    if (is_short ? !is_named(row, name) : memcmp(row->name, name.bytes, name.len) != 0) return NULL;
    *guess = (uint8_t)found;
    return row;
}

/* Whatever way its name is spelt: "planChe\u0063k" is read as planCheck by whoever reads what is stored. */
static Str *stamp_named(Message *message, Str name)
{
    if (str_equal(name, STR("planCheck"))) return &message->plan_check;
    if (str_equal(name, STR("timeProblem"))) return &message->time_problem;
    return str_equal(name, STR("unreadTimestamp")) ? &message->unread_timestamp : NULL;
}

enum { OTHERS_FEW = 16 };

static void forget_others(struct event_parser *parser)
{
    parser->other_count = 0;
    if (parser->other_slots.count) slots_clear(&parser->other_slots);
}

/* Names are anybody's: where the parser lies keeps them from being chosen so that all have one hash. */
static uint64_t hash_other(const struct event_parser *parser, Str name)
{
    return hash_64(name, (uint64_t)(uintptr_t)parser->other_names);
}

/* Where the name stands among the unknown ones, other_count where it is new; a few are compared one by one. */
static size_t find_other(struct event_parser *parser, Str name)
{
    size_t count = parser->other_count, place = 0;
    if (count <= OTHERS_FEW) {
        while (place < count && !str_equal(parser->other_names[place], name)) place++;
        return place;
    }
    for (place = parser->other_slots.count; place < count; place++)
        slots_put(&parser->other_slots, hash_other(parser, parser->other_names[place]), (uint32_t)place);
    uint64_t hash = hash_other(parser, name);
    for (uint32_t at, probe = 0; (at = slots_next(&parser->other_slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(parser->other_names[at], name)) return at;
    return count;
}

static void keep_other(struct event_parser *parser, Message *message, Str name, Str member)
{
    size_t at = find_other(parser, name);
    if (at == EVENT_OTHERS_MAX) {
        message->broken = "more than 1000 fields beside the known ones";
        return;
    }
    parser->other_names[at] = name;
    parser->others[at] = member;
    if (at == parser->other_count) parser->other_count++;
}

static Field *field_at(Message *message, const struct field_row *row)
{
    return (Field *)((char *)message + row->offset);
}

/* What parse_member is asked to do with the "batch" of an envelope; NULL elsewhere. */
struct envelope {
    size_t max_messages, message_count;
    uint32_t defaults_depth;        /* deepest nesting in the envelope's context and integrations */
    bool is_batch, is_too_many, is_bad_batch;
};

/* A member whose name was walked over. */
typedef struct Member {
    Str name;                       /* unescaped */
    const uint32_t *token;          /* of the name; its value is at token + 2 */
    uint32_t index;                 /* how many came before it */
} Member;

static const uint32_t *parse_batch(struct event_parser *parser, const uint32_t *token, struct envelope *envelope);

static const uint32_t *parse_context(struct event_parser *parser, const uint32_t *token, Message *message,
                                     uint32_t *ret_count);

/* Checks one member's value and notes where it is. */
static const uint32_t *parse_member(struct event_parser *parser, Member member, Message *message,
                                    struct envelope *envelope)
{
    struct walk *walk = &parser->walk;
    const uint32_t *token = member.token + 2, *next;
    const struct field_row *row = find_row(walk, &parser->fields, member.name, member.index);
    uint32_t count = 0;
    if (!row && envelope && str_equal(member.name, STR("batch"))) return parse_batch(parser, token, envelope);

    uint32_t deepest_before = walk->deepest, escapes_before = walk->escapes;
    walk->deepest = 0;
    if (row && row->offset == offsetof(Message, context)) next = parse_context(parser, token, message, &count);
    else next = walk_value(walk, token, 2, &count);
    if (!next) return NULL;
    if (envelope && row && walk->deepest > envelope->defaults_depth) envelope->defaults_depth = walk->deepest;
    if (walk->deepest < deepest_before) walk->deepest = deepest_before;
    if (row) {
        Field *field = field_at(message, row);
        parser_read_value(parser, token, next, walk->escapes != escapes_before, field);
        field->key_count = count & 0xFFFFFF;
    } else if (!envelope || !envelope->is_batch) {
        uint32_t end = next == token + 1 ? token[1] : next[-1] + 1;
        Str *stamp = stamp_named(message, member.name);
        if (stamp) *stamp = (Str){ walk->text + *token, end - *token };
        else keep_other(parser, message, member.name, (Str){ walk->text + *member.token, end - *member.token });
    }
    return next;
}

/* Walks over the object at the token, and calls what for each member. */
typedef const uint32_t *MemberReader(struct event_parser *parser, Member member, Message *message,
                                     struct envelope *envelope);

static inline __attribute__((always_inline)) const uint32_t *
read_members(struct event_parser *parser, const uint32_t *token, MemberReader *read, Message *message,
             struct envelope *envelope, uint32_t *ret_count)
{
    struct walk *walk = &parser->walk;
    const char *text = walk->text;
    uint32_t count = 0, escapes = walk->escapes;
    if (token[1] - token[0] != 1) return walk_fail(walk, WALK_SPACED, token[0]);
    token++;
    if (text[*token] == '}') goto closed;
    for (;;) {
        if (text[token[0]] != '"' || text[token[1]] != ':') return walk_fail(walk, WALK_MALFORMED, token[0]);
        if (!walk_string(walk, token)) return NULL;
        if (token[2] - token[1] != 1) return walk_fail(walk, WALK_SPACED, token[1]);
        bool has_escapes = walk->escapes != escapes;
        Member member = { inside_of(parser, token), token, count++ };
        if (has_escapes) member.name = unescape(member.name, parser->arena);
        token = read(parser, member, message, envelope);
        escapes = walk->escapes;
        if (!token) return NULL;
        if (token == walk->end) return walk_fail(walk, WALK_MALFORMED, (uint32_t)walk->len - 1);
        if (text[*token] == '}') break;
        if (text[*token] != ',') return walk_fail(walk, WALK_MALFORMED, *token);
        if (token[1] - token[0] != 1) return walk_fail(walk, WALK_SPACED, token[0]);
        token++;
    }
closed:
    if (walk->gap | (token[1] - token[0] - 1)) return walk_fail(walk, WALK_SPACED, token[0]);
    *ret_count = count;
    return token + 1;
}

static const uint32_t *parse_context_member(struct event_parser *parser, Member member, Message *message,
                                            struct envelope *envelope)
{
    (void)envelope;
    uint32_t ignored;
    struct walk *walk = &parser->walk;
    const struct field_row *row = find_row(walk, &parser->context_fields, member.name, member.index);
    const uint32_t *token = member.token + 2, *next = walk_value(walk, token, 3, &ignored);
    if (next && row) parser_read_value(parser, token, next, true, field_at(message, row));
    return next;
}

/* If there are two contexts the last one counts, so what was noted of the first is forgotten. */
static const uint32_t *parse_context(struct event_parser *parser, const uint32_t *token, Message *message,
                                     uint32_t *ret_count)
{
    uint32_t count = 0;
    message->context_ip.kind = message->context_direct.kind = message->context_user_agent.kind = FIELD_ABSENT;
    message->context_traits.kind = FIELD_ABSENT;
    if (parser->walk.text[*token] != '{') return walk_value(&parser->walk, token, 2, ret_count);
    parser->walk.deepest = 2;
    const uint32_t *next = read_members(parser, token, parse_context_member, message, NULL, &count);
    *ret_count = count;
    return next;
}

static const uint32_t *parse_message(struct event_parser *parser, const uint32_t *token, Message *message,
                                     struct envelope *envelope)
{
    struct walk *walk = &parser->walk;
    uint32_t ignored;
    forget_others(parser);
    walk->deepest = 1;
    const uint32_t *next = read_members(parser, token, parse_member, message, envelope, &ignored);
    if (!next) return NULL;
    message->raw = (Str){ walk->text + token[0], next[-1] + 1 - token[0] };
    message->depth = walk->deepest;
    if (message->depth > LIMIT_JSON_DEPTH) message->broken = "nested deeper than 64 levels";
    if (parser->other_count) {
        Str *others = arena_new(parser->arena, Str, parser->other_count);
        memcpy(others, parser->others, parser->other_count * sizeof *others);
        message->others = others;
        message->other_count = (uint32_t)parser->other_count;
    }
    return next;
}

static Message *new_message(struct event_parser *parser, size_t index)
{
    Message *message = (Message *)parser->messages.start + index;
    return memset(message, 0, parser->message_bytes);
}

static const uint32_t *parse_item(struct event_parser *parser, const uint32_t *token, Message *message)
{
    struct walk *walk = &parser->walk;
    uint32_t ignored;
    if (walk->text[*token] == '{') return parse_message(parser, token, message, NULL);
    const uint32_t *next = walk_value(walk, token, 1, &ignored);
    if (!next) return NULL;
    Field value;
    parser_read_value(parser, token, next, false, &value);
    message->raw = value.raw;
    message->broken = "not an object";
    return next;
}

/* The list of messages. The first Message of the region is the envelope's, and those of the list come after it. */
static const uint32_t *parse_batch(struct event_parser *parser, const uint32_t *token, struct envelope *envelope)
{
    struct walk *walk = &parser->walk;
    if (walk->text[*token] != '[') {
        envelope->is_bad_batch = true;
        return walk_fail(walk, WALK_MALFORMED, *token);
    }
    envelope->is_batch = true;
    envelope->message_count = 0;
    if (token[1] - token[0] != 1) return walk_fail(walk, WALK_SPACED, token[0]);
    token++;
    if (walk->text[*token] != ']') for (;;) {
        if (envelope->message_count == envelope->max_messages) {
            envelope->is_too_many = true;
            return walk_fail(walk, WALK_MALFORMED, *token);
        }
        Message *message = new_message(parser, ++envelope->message_count);
        token = parse_item(parser, token, message);
        if (!token) return NULL;
        if (token == walk->end) return walk_fail(walk, WALK_MALFORMED, (uint32_t)walk->len - 1);
        if (walk->text[*token] == ']') break;
        if (walk->text[*token] != ',') return walk_fail(walk, WALK_MALFORMED, *token);
        if (token[1] - token[0] != 1) return walk_fail(walk, WALK_SPACED, token[0]);
        token++;
    }
    if (token[1] - token[0] != 1) return walk_fail(walk, WALK_SPACED, token[0]);
    forget_others(parser);                                /* the last item's; nobody asks for the envelope's */
    return token + 1;
}

/* ---- Bodies ---- */

static Str trim_body(Str text)
{
    static const char space[] = " \t\r\n";
    if (str_starts(text, STR("\xEF\xBB\xBF"))) text = str_slice(text, 3, text.len);
    while (text.len && strchr(space, text.bytes[text.len - 1]) && text.bytes[text.len - 1]) text.len--;
    while (text.len && strchr(space, text.bytes[0]) && text.bytes[0]) text = str_slice(text, 1, text.len);
    return text;
}

static bool is_bare(char c) { return c != '"' && c != ':' && c != ',' && c != '{' && c != '}' && c != '[' && c != ']'; }

/* Without its white space "1 2" would become 12, so this looks first for two numbers or words in a row. */
static bool minify(struct walk *walk, Arena *arena, Str *ret)
{
    Str text = { walk->text, walk->len };
    for (const uint32_t *token = walk->tokens; token + 1 < walk->end; token++)
        if (is_bare(text.bytes[token[0]]) && is_bare(text.bytes[token[1]]))
            return walk_fail(walk, WALK_MALFORMED, token[1]);
    if (arena_left(arena) < text.len + EVENT_PADDING_BYTES) return false;
    char *to = arena_bytes(arena, text.len + EVENT_PADDING_BYTES);
    *ret = (Str){ to, event_json_minify(text, to) };
    return ret->len != SIZE_MAX;
}

static Status body_error(const struct walk *walk, const struct envelope *envelope, Err *err)
{
    if (envelope && envelope->is_too_many)
        return err_set(err, ERR_TOO_LARGE, "batch: more than %zu messages", envelope->max_messages);
    if (envelope && envelope->is_bad_batch) return err_set_field(err, "batch", "batch: not an array");
    if (walk->len == 0) return err_set(err, ERR_INPUT, "body: empty");
    if (!walk->tokens)
        return err_set(err, ERR_INPUT, "body: not JSON: a string has no end or holds a control character");
    if (walk->trouble == WALK_DEEP)
        return err_set(err, ERR_INPUT, "body: nested deeper than %d levels", WALK_DEPTH_MAX);
    size_t at = walk->trouble_at, len = walk->len - at < 24 ? walk->len - at : 24;
    return err_set(err, ERR_INPUT, "body: not a JSON object: unexpected \"%.*s\" at byte %zu", (int)len,
                   walk->text + at, at);
}

static Status parse_strict(struct event_parser *parser, Str text, struct envelope *envelope, WalkTrouble *ret)
{
    const uint32_t *tokens;
    size_t count;
    struct walk *walk = &parser->walk;
    *walk = (struct walk){ .text = text.bytes, .len = text.len, .trouble = WALK_MALFORMED };
    *ret = WALK_MALFORMED;
    switch (event_json_index(parser->json, text, &tokens, &count)) {
    case JSON_FINE:      break;
    case JSON_BAD_UTF8:  return *ret = WALK_LENIENT, OK;
    case JSON_BROKEN:    return OK;
    case JSON_NO_MEMORY: return ERR_TOO_LARGE;
    }
    if (walk_begin(walk, text, tokens, count)) {
        const uint32_t *next = parse_message(parser, tokens, new_message(parser, 0), envelope);
        if (next && next != walk->end) walk_fail(walk, WALK_MALFORMED, *next);
    }
    *ret = walk->trouble;
    return OK;
}

static void give_body(struct event_parser *parser, const struct envelope *envelope, Body *ret)
{
    Message *first = (Message *)parser->messages.start;
    *ret = (Body){ .is_batch = envelope->is_batch, .messages = first, .message_count = 1 };
    if (!envelope->is_batch) return;
    ret->messages = first + 1;
    ret->message_count = envelope->message_count;
    ret->write_key = first->write_key;
    ret->sent_at = first->sent_at;
    ret->context = first->context;
    ret->integrations = first->integrations;
    ret->message_id = first->message_id;
    ret->timestamp = first->timestamp;
    ret->context_ip = first->context_ip;
    ret->context_direct = first->context_direct;
    ret->context_user_agent = first->context_user_agent;
}

/* Reads the text, and makes it strict if it is not; if envelope is NULL, "batch" is a field like any other. */
static Status parse_whole(struct event_parser *parser, Str text, struct envelope *envelope, Arena *arena, Err *err)
{
    bool was_repaired = false;
    const struct envelope fresh = envelope ? *envelope : (struct envelope){ 0 };
    parser->arena = arena;
    text = trim_body(text);
    for (;;) {
        WalkTrouble trouble;
        if (envelope) *envelope = fresh;
        /* unescaped strings, and the list of unknown members: 16 bytes for each 4 of text at most */
        if (arena_left(arena) / 6 < text.len + 64)
            return err_set(err, ERR_TOO_LARGE, "body: too large to be read");
        if (parse_strict(parser, text, envelope, &trouble))
            return err_set(err, ERR_TOO_LARGE, "body: no memory to read it");
        if (trouble == WALK_FINE) return OK;
        if (trouble == WALK_SPACED && !was_repaired) {
            if (!minify(&parser->walk, arena, &text)) return body_error(&parser->walk, envelope, err);
        } else if (trouble == WALK_LENIENT && !was_repaired) {
            was_repaired = true;
            if (!event_repair(text, arena, &text)) return err_set(err, ERR_TOO_LARGE, "body: too large to be read");
        } else {
            return body_error(&parser->walk, envelope, err);
        }
    }
}

Status event_parse_message(struct event_parser *parser, Str text, Arena *arena, Body *ret, Err *err)
{
    Status s = parse_whole(parser, text, NULL, arena, err);
    if (!s) *ret = (Body){ .messages = (Message *)parser->messages.start, .message_count = 1 };
    return s;
}

Status event_parse_body(struct event_parser *parser, Str text, size_t max_messages, Arena *arena, Body *ret, Err *err)
{
    if (max_messages > EVENT_MESSAGES_MAX - 1) max_messages = EVENT_MESSAGES_MAX - 1;
    struct envelope envelope = { .max_messages = max_messages };
    Status s = parse_whole(parser, text, &envelope, arena, err);
    if (s) return s;
    if (envelope.is_batch && envelope.defaults_depth > LIMIT_JSON_DEPTH)
        return err_set(err, ERR_INPUT, "body: nested deeper than %d levels", LIMIT_JSON_DEPTH);
    give_body(parser, &envelope, ret);
    return OK;
}

Status parser_begin(struct event_parser *parser, Str text, Arena *arena, Err *err)
{
    const uint32_t *tokens;
    size_t count;
    parser->arena = arena;
    if (arena_left(arena) / 6 < text.len + 64) return err_set(err, ERR_TOO_LARGE, "json: too large to be read");
    if (event_json_index(parser->json, text, &tokens, &count) != JSON_FINE ||
        !walk_begin(&parser->walk, text, tokens, count))
        return err_set(err, ERR_DAMAGED, "json: not a strict object");
    return OK;
}
