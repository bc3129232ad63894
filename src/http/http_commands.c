/* http_commands: what an operator does to people: evidence taken back and given again, ids kept out from now on.
 * Each is a record in the journal (apply_submit); it is answered once every later answer knows of it. */
#include "http_people.h"

enum { COMMAND_WAIT_MS = 30000, LINKS_LOOKED_AT = 100000, SUPPRESS_IDS_MAX = 10000 };

typedef Status CommandAnswer(struct exchange *exchange, Arena *arena, struct buf *out, Err *err);

static void run(struct exchange *exchange, Arena *arena, CommandAnswer *command)
{
    Err err = { 0 };
    buf_clear(&exchange->answer);
    Status s = command(exchange, arena, &exchange->answer, &err);
    if (!s && !buf_ok(&exchange->answer)) s = err_set(&err, ERR_TOO_LARGE, "the answer is too large");
    if (s) reply_error(exchange, s, &err);
    else reply_text(exchange, 200, NULL, buf_str(&exchange->answer));
}

Status people_read_body(struct exchange *exchange, Arena *arena, const TreeNode **ret, Err *err)
{
    Str body = str_trim(buf_str(&exchange->body));
    Status s = event_tree_read(body.len ? body : STR("{}"), arena, ret, err);
    if (s) return err_wrap(err, s, "the body");
    return event_tree_is_kind(*ret, FIELD_OBJECT) ? OK : err_set(err, ERR_INPUT, "the body must be a JSON object");
}

Status people_submit(struct exchange *exchange, JournalCommand *command, JournalPos *ret_pos, Err *err)
{
    const HttpOptions *options = exchange_options(exchange);
    command->at_ms = clock_now_ms(options->clock);
    command->author = STR("api");
    return apply_submit(options->applier, command, COMMAND_WAIT_MS, ret_pos, err);
}

/* ---- Unmerge and restore ---- */

/* Among the evidence of a person, the message of that id. Links name positions; the journal has the ids. */
static Status find_message(const People *people, IdentityPerson person, Str message_id, Arena *arena, JournalPos *ret,
                           Err *err)
{
    IdentityMember *members;
    size_t member_count, looked_at = 0;
    Status s = identity_list_members(people->identity, person, arena, &members, &member_count, err);
    for (size_t at = 0; !s && at < member_count; at++) {
        IdentityLink *links;
        size_t count;
        uint64_t more;
        Arena scratch = *arena;
        s = identity_list_links(people->identity, members[at].node, LIMIT_PAGE_ITEMS, &scratch, &links, &count, &more,
                                err);
        for (size_t link = 0; !s && link < count && looked_at < LINKS_LOOKED_AT; link++, looked_at++) {
            Arena event_scratch = scratch;
            Event event;
            if (people_read_event(people, links[link].position, &event_scratch, &event, NULL)) continue;
            if (!str_equal(event.message_id, message_id)) continue;
            *ret = links[link].position;
            return OK;
        }
    }
    if (s) return s;
    return err_set(err, ERR_NOT_FOUND, "no link of this person comes from a message \"%.*s\"; .../links lists them",
                   STR_FORMAT(message_id));
}

/* {"position"} is exact; {"message_id","id"} is searched for among the links of whom the id names. */
static Status find_position(struct exchange *exchange, const TreeNode *body, Arena *arena, JournalPos *ret, Err *err)
{
    struct applier *applier = exchange_options(exchange)->applier;
    People people = apply_people(applier);
    Str position = event_tree_text(body, "position"), message_id = event_tree_text(body, "message_id");
    Str id = event_tree_text(body, "id");
    IdentityNode node;
    int64_t number;
    if ((position.len > 0) == (message_id.len > 0))
        return err_set_field(err, "position", "give either position, as .../links tells it, or message_id and id");
    if (position.len) {
        if (!str_parse_int(position, 0, INT64_MAX, &number))
            return err_set_field(err, "position", "must be a position that .../links told");
        *ret = (JournalPos)number;
        return OK;
    }
    if (id.len == 0) return err_set_field(err, "id", "give an id of the person whose link the message made");
    apply_begin_reading(applier);
    Status s = people_find_node(&people, id, &node, err);
    if (!s)
        s = find_message(&people, identity_person_now(people.identity, node), message_id, arena, ret, err);
    apply_end_reading(applier);
    return s;
}

/* The people whom the ids of the message lead to from now on. */
static Status put_people(const People *people, const JournalCommand *command, Arena *arena, struct buf *out, Err *err)
{
    const struct { IdentityKind kind; Str value; } ids[] = {
        { IDENTITY_USER, command->user_id }, { IDENTITY_ANONYMOUS, command->anonymous_id },
        { IDENTITY_USER, command->previous_id }, { IDENTITY_ANONYMOUS, command->previous_id },
    };
    IdentityPerson told[countof(ids)];
    size_t count = 0;
    Status s = OK;
    for (size_t at = 0; !s && at < countof(ids); at++) {
        IdentityNode node = ids[at].value.len ? identity_find(people->identity, ids[at].kind, ids[at].value)
                                              : IDENTITY_NONE;
        IdentityPerson person = node == IDENTITY_NONE ? IDENTITY_NONE : identity_person_now(people->identity, node);
        bool is_again = person == IDENTITY_NONE;
        for (size_t before = 0; before < count; before++) is_again |= told[before] == person;
        if (is_again) continue;
        if (count) buf_char(out, ',');
        told[count++] = person;
        Arena scratch = *arena;
        s = people_write_person(people, person, &scratch, out, err);
    }
    return s;
}

static Status take_back(struct exchange *exchange, CommandKind kind, Arena *arena, struct buf *out, Err *err)
{
    struct applier *applier = exchange_options(exchange)->applier;
    People people = apply_people(applier);
    JournalCommand command = { .kind = kind };
    const TreeNode *body;
    JournalPos pos = 0, done;
    Status s = people_read_body(exchange, arena, &body, err);
    if (!s) s = find_position(exchange, body, arena, &pos, err);
    if (!s) s = apply_find_evidence(applier, pos, arena, &command, err);
    command.kind = kind;
    if (!s) s = people_submit(exchange, &command, &done, err);
    if (s) return s;
    buf_printf(out, "{\"position\":%llu,\"message_id\":", (unsigned long long)pos);
    buf_json_string(out, command.message_id);
    buf_printf(out, ",\"removed\":%s,\"people\":[", kind == COMMAND_UNMERGE ? "true" : "false");
    apply_begin_reading(applier);
    s = put_people(&people, &command, arena, out, err);
    apply_end_reading(applier);
    buf_str_put(out, STR("]}"));
    return s;
}

static Status unmerge(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return take_back(exchange, COMMAND_UNMERGE, arena, out, err);
}

static Status restore(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return take_back(exchange, COMMAND_RESTORE, arena, out, err);
}

/* ---- Suppression ---- */

static const struct { CommandIdKind kind; const char *name, *list; } kinds[] = {
    { COMMAND_USER_ID, "user_id", "user_ids" }, { COMMAND_ANONYMOUS_ID, "anonymous_id", "anonymous_ids" },
};

static Status add_id(CommandId *ids, size_t *count, CommandIdKind kind, const char *field, Str value, Err *err)
{
    if (value.len == 0 || value.len > LIMIT_ID_BYTES)
        return err_set_field(err, field, "must be texts of 1 to %d bytes", LIMIT_ID_BYTES);
    if (*count == SUPPRESS_IDS_MAX) return err_set_field(err, field, "at most %d ids at a time", SUPPRESS_IDS_MAX);
    ids[(*count)++] = (CommandId){ .kind = kind, .value = value, .from_ms = INT64_MIN, .to_ms = INT64_MAX };
    return OK;
}

/* {"user_id":"1"} or {"user_ids":["1","2"],"anonymous_ids":[]}; in a DELETE the query may say it. */
static Status read_ids(struct exchange *exchange, Arena *arena, JournalCommand *command, Err *err)
{
    CommandId *ids = arena_new(arena, CommandId, SUPPRESS_IDS_MAX);
    const TreeNode *body;
    size_t count = 0;
    Status s = people_read_body(exchange, arena, &body, err);
    for (size_t at = 0; !s && at < countof(kinds); at++) {
        Str asked = query_parameter(exchange->query, str_from(kinds[at].name), arena);
        const TreeNode *one = event_tree_get(body, str_from(kinds[at].name));
        const TreeNode *list = event_tree_get(body, str_from(kinds[at].list));
        if (asked.len) s = add_id(ids, &count, kinds[at].kind, kinds[at].name, asked, err);
        if (!s && one) s = add_id(ids, &count, kinds[at].kind, kinds[at].name, one->text, err);
        if (!s && list && !event_tree_is_kind(list, FIELD_ARRAY))
            s = err_set_field(err, kinds[at].list, "must be an array of ids");
        for (const TreeNode *item = list ? list->first : NULL; !s && item; item = item->next)
            s = add_id(ids, &count, kinds[at].kind, kinds[at].list, item->text, err);
    }
    if (!s && count == 0) s = err_set_field(err, "user_id", "give user_id, anonymous_id, user_ids or anonymous_ids");
    command->ids = ids;
    command->id_count = count;
    return s;
}

void people_put_command_id(struct buf *out, const CommandId *id)
{
    buf_str_put(out, id->kind == COMMAND_USER_ID ? STR("{\"type\":\"user_id\",\"id\":")
                                                 : STR("{\"type\":\"anonymous_id\",\"id\":"));
    buf_json_string(out, id->value);
    buf_char(out, '}');
}

static Status change_suppression(struct exchange *exchange, CommandKind kind, Arena *arena, struct buf *out, Err *err)
{
    JournalCommand command = { .kind = kind };
    JournalPos pos;
    Status s = read_ids(exchange, arena, &command, err);
    if (!s) s = people_submit(exchange, &command, &pos, err);
    if (s) return s;
    buf_printf(out, "{\"suppressed\":%s,\"ids\":[", kind == COMMAND_SUPPRESS ? "true" : "false");
    for (size_t at = 0; at < command.id_count; at++) {
        if (at) buf_char(out, ',');
        people_put_command_id(out, &command.ids[at]);
    }
    buf_str_put(out, STR("]}"));
    return OK;
}

static Status suppress(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return change_suppression(exchange, COMMAND_SUPPRESS, arena, out, err);
}

static Status unsuppress(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return change_suppression(exchange, COMMAND_UNSUPPRESS, arena, out, err);
}

static Status write_suppressed(struct exchange *exchange, const People *people, Arena *arena, struct buf *out,
                               Err *err)
{
    CommandId *ids;
    size_t count, limit, at;
    (void)people;
    Status s = people_read_limit(exchange, arena, 100, LIMIT_PAGE_ITEMS, &limit, err);
    if (!s) s = people_read_offset(exchange, arena, INT32_MAX, &at, err);
    if (!s) s = apply_list_suppressed(exchange_options(exchange)->applier, arena, &ids, &count, err);
    if (s) return s;
    size_t from = at, end = at + limit < count ? at + limit : count;
    buf_printf(out, "{\"count\":%zu,\"ids\":[", count);
    for (; at < end; at++) {
        if (at > from) buf_char(out, ',');
        people_put_command_id(out, &ids[at]);
    }
    buf_char(out, ']');
    people_put_offset(out, end < count, end);
    buf_char(out, '}');
    return OK;
}

static void work_unmerge(struct exchange *exchange, Arena *arena) { run(exchange, arena, unmerge); }
static void work_restore(struct exchange *exchange, Arena *arena) { run(exchange, arena, restore); }
static void work_suppress(struct exchange *exchange, Arena *arena) { run(exchange, arena, suppress); }
static void work_unsuppress(struct exchange *exchange, Arena *arena) { run(exchange, arena, unsuppress); }
static void work_suppressed(struct exchange *exchange, Arena *arena)
{
    people_answer(exchange, arena, write_suppressed);
}

void http_people_unmerge(struct exchange *exchange) { exchange_defer(exchange, work_unmerge); }
void http_people_restore(struct exchange *exchange) { exchange_defer(exchange, work_restore); }
void http_suppress(struct exchange *exchange) { exchange_defer(exchange, work_suppress); }
void http_unsuppress(struct exchange *exchange) { exchange_defer(exchange, work_unsuppress); }
void http_suppressed(struct exchange *exchange) { exchange_defer(exchange, work_suppressed); }
