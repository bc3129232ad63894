/* api_people: /api/v1/people. Each question is answered on a worker thread, under the applier's guard. */
#include "api_people.h"

enum { EVENTS_A_PAGE = 100, PEOPLE_A_PAGE = 20, PEOPLE_MOST = 100, FOUND_MAX = LIMIT_PAGE_ITEMS };

Status people_find_one(struct exchange *exchange, const People *people, Arena *arena, IdentityPerson *ret, Err *err)
{
    return people_find(people, percent_decode(exchange->parameter, false, arena), ret, err);
}

Status people_read_limit(struct exchange *exchange, Arena *arena, int64_t usual, int64_t max, size_t *ret, Err *err)
{
    Str text = http_parameter(exchange->query, STR("limit"), arena);
    int64_t limit = usual;
    if (text.len && !str_parse_int(text, 1, max, &limit))
        return err_set_field(err, "limit", "must be a number from 1 to %d", (int)max);
    *ret = (size_t)limit;
    return OK;
}

Status people_read_offset(struct exchange *exchange, Arena *arena, size_t max, size_t *ret, Err *err)
{
    PageCursor cursor;
    Str text = http_parameter(exchange->query, STR("cursor"), arena);
    Status s = page_read(PAGE_NUMBER, max, text, "cursor", &cursor, err);
    if (!s) *ret = cursor.number;
    return s;
}

void people_put_offset(struct buf *out, bool has_more, size_t next)
{
    char room[PAGE_CURSOR_BYTES];
    page_put(out, has_more ? page_write(PAGE_NUMBER, (PageCursor){ .number = next }, room) : (Str){ 0 });
}

Status api_people_resolve(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str user_id = http_parameter(exchange->query, STR("user_id"), arena);
    Str anonymous_id = http_parameter(exchange->query, STR("anonymous_id"), arena);
    Str id = http_parameter(exchange->query, STR("id"), arena);
    IdentityPerson person = IDENTITY_NONE;
    if ((user_id.len > 0) + (anonymous_id.len > 0) + (id.len > 0) != 1)
        return err_set_field(err, "user_id", "give either user_id or anonymous_id, or id, which may be any id");
    Status s;
    if (user_id.len) s = people_find_user(people, user_id, &person, err);
    else if (anonymous_id.len) s = people_find_anonymous(people, anonymous_id, &person, err);
    else s = people_find_any(people, id, arena, &person, err);
    return s ? s : people_write_person(people, person, arena, out, err);
}

Status api_people_one(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    Status s = people_find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_person(people, person, arena, out, err);
}

Status api_people_events(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    PeoplePage page = { .cursor = http_parameter(exchange->query, STR("cursor"), arena), .field = "cursor" };
    Status s = people_read_limit(exchange, arena, EVENTS_A_PAGE, LIMIT_PAGE_ITEMS, &page.limit, err);
    if (!s) s = people_find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_events(people, person, &page, arena, out, err);
}

Status api_people_links(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    IdentityPerson person;
    Status s = people_find_one(exchange, people, arena, &person, err);
    return s ? s : people_write_links(people, person, arena, out, err);
}

Status api_people_why(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str b, a = str_cut(http_parameter(exchange->query, STR("ids"), arena), ',', &b);
    if (a.len == 0 || b.len == 0)
        return err_set_field(err, "ids", "give two ids with a comma between them: ?ids=12345,a-7f3e");
    return people_write_why(people, a, b, arena, out, err);
}

enum { FORESEEN_MOST = 100 };

static Status read_positions(struct exchange *exchange, Arena *arena, PeopleForesight *ret, Err *err)
{
    Str text = http_parameter(exchange->query, STR("positions"), arena);
    JournalPos *positions = arena_new(arena, JournalPos, FORESEEN_MOST);
    ret->positions = positions;
    while (text.len) {
        int64_t number;
        if (!str_parse_int(str_cut(text, ',', &text), 0, (int64_t)JOURNAL_NUMBER_MOST, &number) ||
            ret->count == FORESEEN_MOST)
            return err_set_field(err, "positions", "wanted positions as .../links shows them, with commas between, %d "
                                 "at most", FORESEEN_MOST);
        positions[ret->count++] = journal_position((uint64_t)number);
    }
    return OK;
}

/* Reads and changes nothing: what unmerge or restore would do. */
Status api_people_foresee(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str restore = http_parameter(exchange->query, STR("restore"), arena);
    PeopleForesight asked = { .a = http_parameter(exchange->query, STR("a"), arena),
                              .b = http_parameter(exchange->query, STR("b"), arena),
                              .restores = str_equal(restore, STR("true")) };
    if (restore.len && !asked.restores && !str_equal(restore, STR("false")))
        return err_set_field(err, "restore", "true or false was expected");
    Status s = read_positions(exchange, arena, &asked, err);
    if (s) return s;
    if ((asked.a.len > 0) != (asked.b.len > 0) || (asked.a.len > 0) == (asked.count > 0))
        return err_set_field(err, "a", "give either a and b, two ids whose links are meant, or positions of messages");
    return people_write_foresight(people, &asked, arena, out, err);
}

/* First the person whom the text names as an id, then those whose email or name begins with it; each person once. */
static Status list_found(const People *people, Str text, IdentityPerson *found,
                         size_t *ret_count, Err *err)
{
    size_t count = 0, named, kept = 0;
    if (people_find_user(people, text, &found[count], NULL) == OK) count++;
    if (people_find_anonymous(people, text, &found[count], NULL) == OK) count++;
    if (people_find(people, text, &found[count], NULL) == OK) count++;
    Status s = people_find_names(people, text, FOUND_MAX, found + count, &named, err);
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

static Status write_found(struct exchange *exchange, const People *people, Arena *arena, struct buf *out, Err *err)
{
    Str text = str_trim(http_parameter(exchange->query, STR("search"), arena));
    IdentityPerson *found = arena_new(arena, IdentityPerson, FOUND_MAX + 3);
    size_t count = 0, limit, at;
    if (text.len > LIMIT_ID_BYTES)
        return err_set_field(err, "search", "give an id, or how an email or a name begins: 1 to %d bytes",
                             LIMIT_ID_BYTES);
    Status s = people_read_limit(exchange, arena, PEOPLE_A_PAGE, PEOPLE_MOST, &limit, err);
    if (!s) s = people_read_offset(exchange, arena, FOUND_MAX + 3, &at, err);
    if (!s) s = list_found(people, text, found, &count, err);
    if (s) return s;
    size_t end = at + limit < count ? at + limit : count;
    json_object(out, NULL);
    json_array(out, "people");
    for (; !s && at < end; at++) {
        Arena scratch = *arena;
        s = people_write_person(people, found[at], &scratch, out, err);
    }
    json_array_end(out);
    people_put_offset(out, end < count, end);
    json_object_end(out);
    return s;
}

static Status write_latest(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct live *live = api_options(exchange)->live;
    LivePage page = { .is_cancelled = &exchange->is_cancelled };
    size_t before;
    if (!live) return err_set(err, ERR_CONFLICT, "who sent something last is known only while onym serve runs");
    Status s = people_read_limit(exchange, arena, PEOPLE_A_PAGE, PEOPLE_MOST, &page.limit, err);
    if (!s) s = people_read_offset(exchange, arena, JOURNAL_NUMBER_MOST, &before, err);
    if (s) return s;
    page.before = journal_position(before);
    json_object(out, NULL);
    json_array(out, "people");
    s = live_write_people(live, &page, arena, out, err);
    json_array_end(out);
    if (s) return s;
    if (page.since_ms) json_instant(out, "since", page.since_ms);
    else json_null(out, "since");
    people_put_offset(out, page.next != JOURNAL_OLDEST, journal_number(page.next));
    json_object_end(out);
    return OK;
}

Status api_people_list(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    if (!str_trim(http_parameter(exchange->query, STR("search"), arena)).len)
        return write_latest(exchange, arena, out, err);
    Status s = api_refuse_reader(exchange, "search", err);
    return s ? s : api_answer_of_people(exchange, write_found, arena, out, err);
}
