/* api_desk: what people keep with the dashboard: saved questions, and the list of who ordered what. Sources have a file
 * of their own. */
#include <stdio.h>

#include "api_routes.h"

enum { NOTES_A_PAGE = 100 };

Status api_desk(struct exchange *exchange, struct desk **ret, Err *err)
{
    *ret = api_options(exchange)->desk;
    return *ret ? OK : err_set(err, ERR_CONFLICT, "this is kept only while onym serve runs");
}

const char *api_who(const struct exchange *exchange)
{
    if (exchange->session.key_name[0]) return exchange->session.key_name;
    return str_starts(str_from(exchange->who), STR("key ")) ? exchange->who + strlen("key ") : exchange->who;
}

Status api_read_object(const struct exchange *exchange, Arena *arena, const TreeNode **ret, Err *err)
{
    Str body = str_trim(buf_str(&exchange->body));
    Status s = event_tree_read(body.len ? body : STR("{}"), arena, ret, err);
    if (!s && !event_tree_is_kind(*ret, FIELD_OBJECT)) s = err_set(err, ERR_INPUT, "wanted a JSON object");
    return s;
}

/* ---- Who ordered what ---- */

/* Keeps of a hostile text only what a list and a terminal show unchanged. */
void api_note_about(struct exchange *exchange, Str about)
{
    size_t len = 0;
    for (size_t at = 0; at < about.len && len + 1 < sizeof exchange->about; at++)
        if (about.bytes[at] > ' ' && about.bytes[at] < 0x7f) exchange->about[len++] = about.bytes[at];
    exchange->about[len] = 0;
}

/* The list names no people: the journal has what was ordered about whom. */
static bool names_nobody(const Route *route)
{
    static const char *const begins[] = { "/api/v1/sources/", "/api/v1/destinations/", "/api/v1/sessions/",
                                          "/api/v1/saved/", "/api/v1/erasures/" };
    for (size_t at = 0; at < countof(begins); at++)
        if (str_starts(str_from(route->path), str_from(begins[at]))) return true;
    return false;
}

void api_note_order(struct exchange *exchange)
{
    struct desk *desk = api_options(exchange)->desk;
    const Route *route = exchange->route;
    if (!desk || exchange->role == ACCESS_NOBODY) return;    /* somebody who guesses keys must not fill the list */
    if (!exchange->about[0] && names_nobody(route)) api_note_about(exchange, exchange->parameter);
    DeskNote note = { .at_ms = clock_now_ms(api_options(exchange)->clock), .status = exchange->reply.status };
    snprintf(note.who, sizeof note.who, "%s%s%s", exchange->who, exchange->session.key_name[0] ? " of " : "",
             exchange->session.key_name);
    snprintf(note.role, sizeof note.role, "%s", access_role_word(exchange->role));
    snprintf(note.method, sizeof note.method, "%.*s", STR_FORMAT(exchange->method_text));
    snprintf(note.path, sizeof note.path, "%s", route->path);
    snprintf(note.about, sizeof note.about, "%s", exchange->about);
    desk_note(desk, &note);
}

Status api_audit(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct desk *desk;
    int64_t limit = NOTES_A_PAGE, before = 0;
    uint64_t next = 0;
    Str limit_text = http_parameter(exchange->query, STR("limit"), arena);
    Str before_text = http_parameter(exchange->query, STR("before"), arena);
    if (limit_text.len && !str_parse_int(limit_text, 1, LIMIT_PAGE_ITEMS, &limit))
        return err_set_field(err, "limit", "must be a number from 1 to %d", LIMIT_PAGE_ITEMS);
    if (before_text.len && !str_parse_int(before_text, 1, INT64_MAX, &before))
        return err_set_field(err, "before", "must be `next` of the page before");
    Status s = api_desk(exchange, &desk, err);
    if (s) return s;
    json_object(out, NULL);
    json_array(out, "entries");
    desk_write_notes(desk, (uint64_t)before, (size_t)limit, out, &next);
    json_array_end(out);
    if (next) json_uint(out, "next", next);
    else json_null(out, "next");
    json_object_end(out);
    return OK;
}

/* ---- Saved questions ---- */

static bool is_kind(Str kind)
{
    static const char *const kinds[] = {
#define QUESTION(KIND, answer, path, ...) path,
#include "ask/questions.tbl.h"
    };
    for (size_t at = 0; at < countof(kinds); at++)
        if (str_equal(kind, str_from(kinds[at]))) return true;
    return false;
}

static Status read_question(struct exchange *exchange, Arena *arena, DeskQuestion *ret, Err *err)
{
    const TreeNode *body;
    Status s = api_read_object(exchange, arena, &body, err);
    if (s) return s;
    const TreeNode *question = event_tree_get(body, STR("question")), *view = event_tree_get(body, STR("view"));
    *ret = (DeskQuestion){ .id = event_tree_text(body, "id"), .name = event_tree_text(body, "name"),
                           .kind = event_tree_text(body, "kind"), .by = api_who(exchange) };
    if (!is_kind(ret->kind))
        return err_set_field(err, "kind", "must be the end of a question's path: funnels, trends, paths, signups, ...");
    if (!event_tree_is_kind(question, FIELD_OBJECT)) return err_set_field(err, "question", "must be a JSON object");
    if (event_tree_is_given(view) && !event_tree_is_kind(view, FIELD_OBJECT))
        return err_set_field(err, "view", "must be a JSON object");
    ret->question = question->raw;
    if (event_tree_is_given(view)) ret->view = view->raw;
    return OK;
}

/* Readers are not shown a question that they may not ask: it names people. */
static bool may_see(const struct exchange *exchange, const TreeNode *row)
{
    Err ignored;
    const TreeNode *question = event_tree_get(row, STR("question"));
    return exchange->role != ACCESS_READER || (question && api_check_reader(question, &ignored) == OK);
}

Status api_saved(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct desk *desk;
    struct buf rows;
    const TreeNode *root = NULL;
    Status s = api_desk(exchange, &desk, err);
    if (s) return s;
    buf_init(&rows, LIMIT_ANSWER_BYTES);
    json_array(&rows, NULL);
    s = desk_write_saved(desk, STR(""), &rows, err);
    json_array_end(&rows);
    if (!s) s = event_tree_read(buf_str(&rows), arena, &root, err);
    json_object(out, NULL);
    json_array(out, "saved");
    for (const TreeNode *row = root ? root->first : NULL; row; row = row->next)
        if (may_see(exchange, row)) json_raw(out, NULL, row->raw);
    json_array_end(out);
    json_object_end(out);
    buf_done(&rows);
    return s;
}

Status api_saved_one(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct desk *desk;
    const TreeNode *row;
    Status s = api_desk(exchange, &desk, err);
    if (!s) s = desk_write_saved(desk, percent_decode(exchange->parameter, false, arena), out, err);
    if (!s) s = event_tree_read(buf_str(out), arena, &row, err);
    if (s || may_see(exchange, row)) return s;
    buf_clear(out);
    return err_set(err, ERR_DENIED, "not for the role reader: the question names people");
}

Status api_saved_add(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct desk *desk;
    DeskQuestion question;
    Status s = api_desk(exchange, &desk, err);
    if (!s) s = read_question(exchange, arena, &question, err);
    return s ? s : desk_save(desk, &question, out, err);
}

Status api_saved_remove(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    struct desk *desk;
    Str id = percent_decode(exchange->parameter, false, arena);
    Status s = api_desk(exchange, &desk, err);
    if (!s) s = desk_forget_saved(desk, id, err);
    if (s) return s;
    json_object(out, NULL);
    json_string(out, "deleted", id);
    json_object_end(out);
    return OK;
}
