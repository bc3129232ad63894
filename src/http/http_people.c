/* http_people: /api/v1/people. Each question is answered on a worker thread, under the applier's guard. */
#include "http_people.h"

enum { EVENTS_A_PAGE = 100, PEOPLE_A_PAGE = 20, PEOPLE_MOST = 100, FOUND_MAX = LIMIT_PAGE_ITEMS };

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Str percent_decode(Str text, bool plus_is_space, Arena *arena)
{
    char *bytes = arena_bytes(arena, text.len + 1), *at = bytes;
    for (size_t from = 0; from < text.len; from++) {
        char c = text.bytes[from];
        int high = from + 2 < text.len ? hex_of(text.bytes[from + 1]) : -1;
        int low = from + 2 < text.len ? hex_of(text.bytes[from + 2]) : -1;
        if (c == '%' && high >= 0 && low >= 0) {
            *at++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *at++ = c == '+' && plus_is_space ? ' ' : c;
        }
    }
    return str_of(bytes, (size_t)(at - bytes));
}

Str query_parameter(Str query, Str name, Arena *arena)
{
    while (query.len) {
        Str value, pair = str_cut(query, '&', &query), key = str_cut(pair, '=', &value);
        if (str_equal(percent_decode(key, true, arena), name)) return percent_decode(value, true, arena);
    }
    return (Str){ 0 };
}

void people_answer(struct exchange *exchange, Arena *arena, PeopleAnswer *write)
{
    struct applier *applier = exchange_options(exchange)->applier;
    People people = apply_people(applier);
    Err err;
    buf_clear(&exchange->answer);
    apply_begin_reading(applier);
    Status s = write(exchange, &people, arena, &exchange->answer, &err);
    apply_end_reading(applier);
    if (!s && !buf_ok(&exchange->answer)) s = err_set(&err, ERR_TOO_LARGE, "the answer is too large; ask for less");
    if (s) reply_error(exchange, s, &err);
    else reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}

Status people_find_one(struct exchange *exchange, const People *people, Arena *arena, IdentityPerson *ret, Err *err)
{
    return people_find(people, percent_decode(exchange->parameter, false, arena), ret, err);
}

Status people_read_limit(struct exchange *exchange, Arena *arena, int64_t usual, int64_t max, size_t *ret, Err *err)
{
    Str text = query_parameter(exchange->query, STR("limit"), arena);
    int64_t limit = usual;
    if (text.len && !str_parse_int(text, 1, max, &limit))
        return err_set_field(err, "limit", "must be a number from 1 to %d", (int)max);
    *ret = (size_t)limit;
    return OK;
}

Status people_read_offset(struct exchange *exchange, Arena *arena, size_t max, size_t *ret, Err *err)
{
    Str text = query_parameter(exchange->query, STR("cursor"), arena);
    int64_t offset = 0;
    if (text.len && !str_parse_int(text, 0, (int64_t)max, &offset))
        return err_set_field(err, "cursor", "is not one that a page gave");
    *ret = (size_t)offset;
    return OK;
}

void people_put_offset(struct buf *out, bool has_more, size_t next)
{
    if (has_more) buf_printf(out, ",\"cursor\":{\"has_more\":true,\"next\":\"%zu\"}", next);
    else buf_str_put(out, STR(",\"cursor\":{\"has_more\":false,\"next\":null}"));
}

void people_put_node(struct buf *out, const People *people, IdentityNode node)
{
    char text[LIMIT_ID_BYTES];
    buf_str_put(out, STR("{\"type\":"));
    buf_json_string(out, identity_kind_name(people->identity, identity_kind_of(people->identity, node)));
    buf_str_put(out, STR(",\"id\":"));
    buf_json_string(out, identity_read_value(people->identity, node, text));
    buf_char(out, '}');
}

static Status find_any(const People *people, Str id, IdentityPerson *ret, Err *err)
{
    IdentityNode node;
    Status s = people_find_node(people, id, &node, err);
    if (!s) *ret = identity_person_now(people->identity, node);
    return s;
}

static Status write_resolve(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    static const struct {
        const char *name;
        Status (*find)(const People *people, Str id, IdentityPerson *ret, Err *err);
    } ways[] = { { "user_id", people_find_user }, { "anonymous_id", people_find_anonymous }, { "id", find_any } };
    IdentityPerson person = IDENTITY_NONE;
    size_t given = 0, way = 0;
    Str id = { 0 };
    for (size_t at = 0; at < countof(ways); at++) {
        Str value = query_parameter(exchange->query, str_from(ways[at].name), arena);
        if (value.len == 0) continue;
        given++;
        way = at;
        id = value;
    }
    if (given != 1)
        return err_set_field(err, "user_id", "give either user_id or anonymous_id, or id, which may be any id");
    Status s = ways[way].find(people, id, &person, err);
    return s ? s : people_write_person(people, person, arena, out, err);
}

static Status write_one(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    Status s = people_find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_person(people, person, arena, out, err);
}

static Status write_events(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    size_t limit;
    Status s = people_read_limit(exchange, arena, EVENTS_A_PAGE, LIMIT_PAGE_ITEMS, &limit, err);
    if (!s) s = people_find_one(exchange, people, arena, &person, err);
    if (s) return s;
    Str cursor = query_parameter(exchange->query, STR("cursor"), arena);
    return people_write_events(people, person, limit, cursor, arena, out, err);
}

static Status write_links(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    Status s = people_find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_links(people, person, arena, out, err);
}

static Status write_why(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str b, a = str_cut(query_parameter(exchange->query, STR("ids"), arena), ',', &b);
    if (a.len == 0 || b.len == 0)
        return err_set_field(err, "ids", "give two ids with a comma between them: ?ids=12345,a-7f3e");
    return people_write_why(people, a, b, arena, out, err);
}

/* Whom the text names as an id, then those whose email or name begins with it; each person once. */
static Status list_found(struct applier *applier, const People *people, Str text, IdentityPerson *found,
                         size_t *ret_count, Err *err)
{
    size_t count = 0, named, kept = 0;
    if (people_find_user(people, text, &found[count], NULL) == OK) count++;
    if (people_find_anonymous(people, text, &found[count], NULL) == OK) count++;
    if (people_find(people, text, &found[count], NULL) == OK) count++;
    Status s = apply_find_names(applier, text, FOUND_MAX, found + count, &named, err);
    if (s) return s;
    for (size_t at = 0; at < count + named; at++) {
        size_t ids = kept < 3 ? kept : 3;                   /* names come once each: only the ids may repeat */
        bool is_again = false;
        for (size_t before = 0; before < ids; before++) is_again |= found[before] == found[at];
        if (!is_again) found[kept++] = found[at];
    }
    *ret_count = kept;
    return OK;
}

static Status write_search(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str text = str_trim(query_parameter(exchange->query, STR("search"), arena));
    IdentityPerson *found = arena_new(arena, IdentityPerson, FOUND_MAX + 3);
    size_t count = 0, limit, at;
    if (text.len == 0 || text.len > LIMIT_ID_BYTES)
        return err_set_field(err, "search", "give an id, or how an email or a name begins: 1 to %d bytes",
                             LIMIT_ID_BYTES);
    Status s = people_read_limit(exchange, arena, PEOPLE_A_PAGE, PEOPLE_MOST, &limit, err);
    if (!s) s = people_read_offset(exchange, arena, FOUND_MAX + 3, &at, err);
    if (!s) s = list_found(exchange_options(exchange)->applier, people, text, found, &count, err);
    if (s) return s;
    size_t end = at + limit < count ? at + limit : count;
    buf_str_put(out, STR("{\"people\":["));
    for (size_t from = at; !s && at < end; at++) {
        Arena scratch = *arena;
        if (at > from) buf_char(out, ',');
        s = people_write_person(people, found[at], &scratch, out, err);
    }
    buf_char(out, ']');
    people_put_offset(out, end < count, end);
    buf_char(out, '}');
    return s;
}

static void work_resolve(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_resolve); }
static void work_one(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_one); }
static void work_events(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_events); }
static void work_links(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_links); }
static void work_why(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_why); }
static void work_search(struct exchange *exchange, Arena *arena) { people_answer(exchange, arena, write_search); }

void http_people_resolve(struct exchange *exchange) { exchange_defer(exchange, work_resolve); }
void http_people_one(struct exchange *exchange) { exchange_defer(exchange, work_one); }
void http_people_events(struct exchange *exchange) { exchange_defer(exchange, work_events); }
void http_people_links(struct exchange *exchange) { exchange_defer(exchange, work_links); }
void http_people_why(struct exchange *exchange) { exchange_defer(exchange, work_why); }
void http_people_search(struct exchange *exchange) { exchange_defer(exchange, work_search); }
