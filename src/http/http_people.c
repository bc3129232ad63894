/* http_people: /api/v1/people. Each question is answered on a worker thread, under the applier's guard. */
#include "http_exchange.h"

enum { EVENTS_A_PAGE = 100 };

typedef Status PeopleAnswer(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err);

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

static void answer(struct exchange *exchange, Arena *arena, PeopleAnswer *write)
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

static Status find_one(struct exchange *exchange, const People *people, Arena *arena, IdentityPerson *ret, Err *err)
{
    return people_find(people, percent_decode(exchange->parameter, false, arena), ret, err);
}

static Status write_resolve(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str user_id = query_parameter(exchange->query, STR("user_id"), arena);
    Str anonymous_id = query_parameter(exchange->query, STR("anonymous_id"), arena);
    IdentityPerson person;
    if ((user_id.len > 0) == (anonymous_id.len > 0))
        return err_set_field(err, "user_id", "give either user_id or anonymous_id");
    Status s = user_id.len ? people_find_user(people, user_id, &person, err)
                           : people_find_anonymous(people, anonymous_id, &person, err);
    return s ? s : people_write_person(people, person, arena, out, err);
}

static Status write_one(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    Status s = find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_person(people, person, arena, out, err);
}

static Status write_events(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    int64_t limit = EVENTS_A_PAGE;
    Str text = query_parameter(exchange->query, STR("limit"), arena);
    if (text.len && !str_parse_int(text, 1, LIMIT_PAGE_ITEMS, &limit))
        return err_set_field(err, "limit", "must be a number from 1 to %d", LIMIT_PAGE_ITEMS);
    Status s = find_one(exchange, people, arena, &person, err);
    if (s) return s;
    Str cursor = query_parameter(exchange->query, STR("cursor"), arena);
    return people_write_events(people, person, (size_t)limit, cursor, arena, out, err);
}

static Status write_links(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    Status s = find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_links(people, person, arena, out, err);
}

static Status write_why(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str b, a = str_cut(query_parameter(exchange->query, STR("ids"), arena), ',', &b);
    if (a.len == 0 || b.len == 0)
        return err_set_field(err, "ids", "give two ids with a comma between them: ?ids=12345,a-7f3e");
    return people_write_why(people, a, b, arena, out, err);
}

/* By id: the people whom the text names as a user id, an anonymous id or a person id. */
static Status write_search(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str text = query_parameter(exchange->query, STR("search"), arena);
    IdentityPerson found[3];
    size_t count = 0;
    if (text.len == 0) return err_set_field(err, "search", "give a user id, an anonymous id or a person id");
    if (people_find_user(people, text, &found[count], NULL) == OK) count++;
    if (people_find_anonymous(people, text, &found[count], NULL) == OK) count++;
    if (people_find(people, text, &found[count], NULL) == OK) count++;
    buf_str_put(out, STR("{\"people\":["));
    for (size_t at = 0, put = 0; at < count; at++) {
        bool is_again = false;
        for (size_t before = 0; before < at; before++) is_again |= found[before] == found[at];
        if (is_again) continue;
        if (put++) buf_char(out, ',');
        Status s = people_write_person(people, found[at], arena, out, err);
        if (s) return s;
    }
    buf_str_put(out, STR("]}"));
    return OK;
}

static void work_resolve(struct exchange *exchange, Arena *arena) { answer(exchange, arena, write_resolve); }
static void work_one(struct exchange *exchange, Arena *arena) { answer(exchange, arena, write_one); }
static void work_events(struct exchange *exchange, Arena *arena) { answer(exchange, arena, write_events); }
static void work_links(struct exchange *exchange, Arena *arena) { answer(exchange, arena, write_links); }
static void work_why(struct exchange *exchange, Arena *arena) { answer(exchange, arena, write_why); }
static void work_search(struct exchange *exchange, Arena *arena) { answer(exchange, arena, write_search); }

void http_people_resolve(struct exchange *exchange) { exchange_defer(exchange, work_resolve); }
void http_people_one(struct exchange *exchange) { exchange_defer(exchange, work_one); }
void http_people_events(struct exchange *exchange) { exchange_defer(exchange, work_events); }
void http_people_links(struct exchange *exchange) { exchange_defer(exchange, work_links); }
void http_people_why(struct exchange *exchange) { exchange_defer(exchange, work_why); }
void http_people_search(struct exchange *exchange) { exchange_defer(exchange, work_search); }
