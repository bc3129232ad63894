/* api_commands: what an operator does to people: takes evidence back, gives it again, suppresses ids.
 * Each command is a record in the journal (control_submit); it is answered when every later answer knows of it. */
#include "api_people.h"

enum { COMMAND_WAIT_MS = 30000, SUPPRESS_IDS_MAX = 10000 };

Status people_read_body(struct exchange *exchange, Arena *arena, const TreeNode **ret, Err *err)
{
    Str body = str_trim(buf_str(&exchange->body));
    Status s = event_tree_read(body.len ? body : STR("{}"), arena, ret, err);
    if (s) return err_wrap(err, s, "the body");
    return event_tree_is_kind(*ret, FIELD_OBJECT) ? OK : err_set(err, ERR_INPUT, "the body must be a JSON object");
}

Status people_submit(struct exchange *exchange, JournalCommand *command, JournalPos *ret_first, JournalPos *ret_last,
                     Err *err)
{
    const ApiOptions *options = api_options(exchange);
    command->at_ms = clock_now_ms(options->clock);
    command->author = exchange->who[0] ? str_from(exchange->who) : STR("api");
    ControlPlace place = { 0 };
    Status s = control_submit(derive_control(options->applier), command, COMMAND_WAIT_MS, &exchange->is_cancelled,
                              &place, err);
    *ret_first = place.first, *ret_last = place.last;
    return s;
}

/* ---- Unmerge and restore ---- */

/* {"position"} is exact; {"message_id","id"} (and "source") is searched for among the links of the person of that id.
 * */
static Status find_position(struct exchange *exchange, const TreeNode *body, Arena *arena, JournalPos *ret, Err *err)
{
    struct applier *applier = api_options(exchange)->applier;
    People people = derive_people(applier);
    Str position = event_tree_text(body, "position");
    MessageName name = { event_tree_text(body, "message_id"), event_tree_text(body, "source") };
    Str id = event_tree_text(body, "id");
    IdentityPerson person;
    int64_t number;
    if ((position.len > 0) == (name.message_id.len > 0))
        return err_set_field(err, "position", "give either position, as .../links shows it, or message_id and id");
    if (position.len) {
        if (!str_parse_int(position, 0, INT64_MAX, &number))
            return err_set_field(err, "position", "must be a position that .../links showed");
        *ret = (JournalPos)number;
        return OK;
    }
    if (id.len == 0) return err_set_field(err, "id", "give an id of the person whose link the message made");
    derive_begin_reading(applier);
    Status s = people_find_any(&people, id, arena, &person, err);
    if (!s) s = people_find_message(&people, person, &name, arena, ret, err);
    derive_end_reading(applier);
    return s;
}

/* The people whom the ids of the message lead to from now on. */
static Status put_people(const People *people, const JournalCommand *command, Arena *arena, struct buf *out, Err *err)
{
    const struct { Str kind, value; } ids[] = {
        { STR("user_id"), command->user_id }, { STR("anonymous_id"), command->anonymous_id },
        { STR("user_id"), command->previous_id }, { STR("anonymous_id"), command->previous_id },
    };
    IdentityPerson told[countof(ids)];
    size_t count = 0;
    Status s = OK;
    for (size_t at = 0; !s && at < countof(ids); at++) {
        IdentityPerson person;
        bool is_again = !ids[at].value.len || !people_find_kind(people, ids[at].kind, ids[at].value, &person);
        for (size_t before = 0; before < count; before++) is_again |= told[before] == person;
        if (is_again) continue;
        told[count++] = person;
        Arena scratch = *arena;
        s = people_write_person(people, person, &scratch, out, err);
    }
    return s;
}

static Status take_back(struct exchange *exchange, CommandKind kind, Arena *arena, struct buf *out, Err *err)
{
    struct applier *applier = api_options(exchange)->applier;
    People people = derive_people(applier);
    JournalCommand command = { .kind = kind };
    const TreeNode *body;
    JournalPos pos = JOURNAL_OLDEST, done, last;
    Status s = people_read_body(exchange, arena, &body, err);
    if (!s) s = find_position(exchange, body, arena, &pos, err);
    if (!s) s = control_find_evidence(derive_control(applier), pos, arena, &command, err);
    if (s) return s;
    command.kind = kind;
    derive_begin_reading(applier);
    bool is_changed = people_has_evidence(&people, &command, pos, kind == COMMAND_RESTORE, *arena);
    derive_end_reading(applier);
    s = people_submit(exchange, &command, &done, &last, err);
    if (s) return s;
    json_object(out, NULL);
    json_uint(out, "position", journal_number(pos));
    json_string(out, "message_id", command.message_id);
    json_bool(out, "removed", kind == COMMAND_UNMERGE);
    json_bool(out, "changed", is_changed);
    json_array(out, "people");
    derive_begin_reading(applier);
    s = put_people(&people, &command, arena, out, err);
    derive_end_reading(applier);
    json_array_end(out);
    json_object_end(out);
    return s;
}

Status api_people_unmerge(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return take_back(exchange, COMMAND_UNMERGE, arena, out, err);
}

Status api_people_restore(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return take_back(exchange, COMMAND_RESTORE, arena, out, err);
}

/* ---- Suppression ---- */

static const struct { CommandIdKind kind; const char *name, *list; } kinds[] = {
    { COMMAND_USER_ID, "user_id", "user_ids" }, { COMMAND_ANONYMOUS_ID, "anonymous_id", "anonymous_ids" },
};

struct id_list { CommandId *items; size_t count; };         /* room for SUPPRESS_IDS_MAX */

static Status add_id(struct id_list *ids, CommandIdKind kind, const char *field, Str value, Err *err)
{
    size_t most = kind == COMMAND_EXTERNAL_ID ? LIMIT_KIND_NAME_BYTES + 1 + LIMIT_ID_BYTES : LIMIT_ID_BYTES;
    if (value.len == 0 || value.len > most)
        return err_set_field(err, field, "must be texts of 1 to %d bytes", LIMIT_ID_BYTES);
    if (ids->count == SUPPRESS_IDS_MAX) return err_set_field(err, field, "at most %d ids at a time", SUPPRESS_IDS_MAX);
    ids->items[ids->count++] = (CommandId){ .kind = kind, .value = value, .from_ms = INT64_MIN, .to_ms = INT64_MAX };
    return OK;
}

/* Takes all ids of a person, but not a shared one: it belongs to somebody else, too. */
static Status add_person(struct exchange *exchange, IdentityPerson person, struct id_list *ids, Arena *arena, Err *err)
{
    struct applier *applier = api_options(exchange)->applier;
    CommandId *own;
    size_t own_count;
    Status s = control_list_person_ids(derive_control(applier), person, arena, &own, &own_count, err);
    for (size_t at = 0; !s && at < own_count; at++)
        if (command_id_is_whole(&own[at]))
            s = add_id(ids, own[at].kind, "ids", own[at].value, err);
    return s;
}

/* Reads an id in words. An external id means itself, whether or not it was seen, and the person who has it. Without a
 * kind in front it is a user id ("auth0:1", too). If email is only a trait and no kind of the rules, it means only the
 * person who has it. Under the guard. */
static Status add_any(struct exchange *exchange, const People *people, Str id, struct id_list *ids, Arena *arena,
                      Err *err)
{
    Str value, name = str_cut(id, ':', &value);
    IdentityPerson person;
    for (size_t at = 0; at < countof(kinds); at++)
        if (str_equal(name, str_from(kinds[at].name)))
            return add_id(ids, kinds[at].kind, "ids", value, err);
    Str external;
    if (people_read_external(people, id, arena, &external, &person)) {
        Status s = person == IDENTITY_NONE ? OK : add_person(exchange, person, ids, arena, err);
        for (size_t at = 0; !s && at < ids->count; at++)
            if (ids->items[at].kind == COMMAND_EXTERNAL_ID && str_equal(ids->items[at].value, external)) return OK;
        return s ? s : add_id(ids, COMMAND_EXTERNAL_ID, "ids", external, err);
    }
    bool is_external = value.len && (people_has_kind(people, name) || str_equal(name, STR("email")));
    if (str_equal(name, STR("person_id"))) is_external = true;
    if (!is_external) return add_id(ids, COMMAND_USER_ID, "ids", id, err);
    Status s = people_find_any(people, id, arena, &person, err);
    if (s == ERR_NOT_FOUND)
        return err_set(err, s, "\"%.*s\" was never seen: an external id stands for the person who has it; a user id of "
                       "this spelling is user_id:%.*s", STR_FORMAT(id), STR_FORMAT(id));
    return s ? s : add_person(exchange, person, ids, arena, err);
}

static Status add_listed(struct exchange *exchange, const TreeNode *list, struct id_list *ids, Arena *arena, Err *err)
{
    struct applier *applier = api_options(exchange)->applier;
    People people = derive_people(applier);
    Status s = OK;
    if (list && !event_tree_is_kind(list, FIELD_ARRAY)) return err_set_field(err, "ids", "must be an array of ids");
    derive_begin_reading(applier);
    for (const TreeNode *item = list ? list->first : NULL; !s && item; item = item->next)
        s = add_any(exchange, &people, item->text, ids, arena, err);
    derive_end_reading(applier);
    return s;
}

/* {"user_id":"1"} or {"user_ids":["1","2"],"anonymous_ids":[]}; in a DELETE the query may say it.
 * {"ids":["email:a@b.c"]} has ids in words. */
static Status read_ids(struct exchange *exchange, Arena *arena, JournalCommand *command, Err *err)
{
    struct id_list ids = { .items = arena_new(arena, CommandId, SUPPRESS_IDS_MAX) };
    const TreeNode *body;
    Status s = people_read_body(exchange, arena, &body, err);
    for (size_t at = 0; !s && at < countof(kinds); at++) {
        Str asked = http_parameter(exchange->query, str_from(kinds[at].name), arena);
        const TreeNode *one = event_tree_get(body, str_from(kinds[at].name));
        const TreeNode *list = event_tree_get(body, str_from(kinds[at].list));
        if (asked.len) s = add_id(&ids, kinds[at].kind, kinds[at].name, asked, err);
        if (!s && one) s = add_id(&ids, kinds[at].kind, kinds[at].name, one->text, err);
        if (!s && list && !event_tree_is_kind(list, FIELD_ARRAY))
            s = err_set_field(err, kinds[at].list, "must be an array of ids");
        for (const TreeNode *item = list ? list->first : NULL; !s && item; item = item->next)
            s = add_id(&ids, kinds[at].kind, kinds[at].list, item->text, err);
    }
    if (!s) s = add_listed(exchange, event_tree_get(body, STR("ids")), &ids, arena, err);
    if (!s && ids.count == 0)
        s = err_set_field(err, "user_id", "give user_id, anonymous_id, user_ids, anonymous_ids, or ids in words");
    command->ids = ids.items;
    command->id_count = ids.count;
    return s;
}

void people_put_command_id(struct buf *out, const CommandId *id)
{
    Str value = id->value, type = id->kind == COMMAND_USER_ID ? STR("user_id") : STR("anonymous_id");
    if (id->kind == COMMAND_EXTERNAL_ID) type = str_cut(id->value, ':', &value);
    json_object(out, NULL);
    json_string(out, "type", type);
    json_string(out, "id", value);
    json_object_end(out);
}

static Status change_suppression(struct exchange *exchange, CommandKind kind, Arena *arena, struct buf *out, Err *err)
{
    JournalCommand command = { .kind = kind };
    JournalPos pos, last;
    struct applier *applier = api_options(exchange)->applier;
    Status s = read_ids(exchange, arena, &command, err);
    if (s) return s;
    CommandId *idle = arena_new(arena, CommandId, command.id_count);      /* those that are so already */
    size_t idle_count = 0;
    derive_begin_reading(applier);
    for (size_t at = 0; at < command.id_count; at++) {
        const CommandId *id = &command.ids[at];
        bool is_so = control_is_suppressed(derive_control(applier), id->kind, id->value);
        if (is_so == (kind == COMMAND_SUPPRESS)) idle[idle_count++] = *id;
    }
    derive_end_reading(applier);
    s = people_submit(exchange, &command, &pos, &last, err);
    if (s) return s;
    json_object(out, NULL);
    json_bool(out, "suppressed", kind == COMMAND_SUPPRESS);
    json_array(out, "ids");
    for (size_t at = 0; at < command.id_count; at++) people_put_command_id(out, &command.ids[at]);
    json_array_end(out);
    json_bool(out, "changed", idle_count < command.id_count);
    json_array(out, "unchanged");
    for (size_t at = 0; at < idle_count; at++) people_put_command_id(out, &idle[at]);
    json_array_end(out);
    json_object_end(out);
    return OK;
}

Status api_suppress(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return change_suppression(exchange, COMMAND_SUPPRESS, arena, out, err);
}

Status api_unsuppress(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return change_suppression(exchange, COMMAND_UNSUPPRESS, arena, out, err);
}

Status api_suppressed(struct exchange *exchange, const People *people, Arena *arena, struct buf *out,
                      Err *err)
{
    CommandId *ids;
    size_t count, limit, at;
    (void)people;
    Status s = people_read_limit(exchange, arena, 100, LIMIT_PAGE_ITEMS, &limit, err);
    if (!s) s = people_read_offset(exchange, arena, INT32_MAX, &at, err);
    if (!s) s = control_list_suppressed(derive_control(api_options(exchange)->applier), arena, &ids, &count, err);
    if (s) return s;
    size_t end = at + limit < count ? at + limit : count;
    json_object(out, NULL);
    json_uint(out, "count", count);
    json_array(out, "ids");
    for (; at < end; at++) people_put_command_id(out, &ids[at]);
    json_array_end(out);
    people_put_offset(out, end < count, end);
    json_object_end(out);
    return OK;
}
