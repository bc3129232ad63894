/* assistant_tools: makes tools from rows, and a request of the API from a tool's arguments. */
#include "assistant_tools.h"

enum { NAME_BYTES = 64, SCHEMAS_MOST = 64 };

typedef struct Operation {
    const char *method, *path, *tag, *summary, *parameters, *request, *answer;
} Operation;
static const Operation operations[] = {
#define OPERATION(method, path, tag, summary, parameters, request, status, answer, errors) \
    { #method, path, tag, summary, parameters, request, answer },
#include "openapi/openapi.tbl.h"
};
typedef struct Named { const char *name, *description, *schema; } Named;
static const Named parameters[] = {
#define PARAMETER(name, description, ...) { name, description, #__VA_ARGS__ },
#include "openapi/openapi.tbl.h"
};
static const Named schemas[] = {
#define SCHEMA(name, ...) { #name, "", #__VA_ARGS__ },
#include "openapi/openapi.tbl.h"
};

/* What the tables say about questions: the page that defines a question's numbers, and what its members are for, in the
 * words of the command that asks it. */
typedef struct Question { const char *kind, *path, *page; } Question;
static const Question questions[] = {
#define QUESTION(KIND, answer, path, word, schema, page, summary) { #KIND, "/api/v1/" path, page },
#include "ask/questions.tbl.h"
};
static const struct { const char *kind, *command; } asked[] = {
#define ASKED(KIND, command, ...) { #KIND, command },
#include "ask/questions.tbl.h"
};
static const struct { const char *command, *how, *member, *help; } members[] = {
#define MEMBER(command, letter, option, value, how, member, help) { command, #how, member, help },
#include "ask/questions.tbl.h"
};

/* ---- Which tools there are ---- */

static bool is_question(const Operation *operation) { return str_ends(str_from(operation->request), STR("Question")); }

/* An operation is a tool if it only reads, answers with an object, and tells no secret. A user's hash is such a secret:
 * it opens the user's messenger. */
static bool is_tool(const Operation *operation)
{
    static const char *const tags[] = { "questions", "people", "destinations", "live", "doctor" };
    bool is_told = false;
    if (is_question(operation)) return true;
    for (size_t at = 0; at < countof(tags); at++) is_told |= !strcmp(operation->tag, tags[at]);
    return is_told && !strcmp(operation->method, "GET") && !strchr(operation->answer, '/')
           && strcmp(operation->answer, "UserHash") != 0;
}

/* /api/v1/people/{person_id}/events: "people_events"; /api/v1/people/{person_id}: "people_one". */
static Str tool_name(const Operation *operation, char *bytes)
{
    struct buf name;
    buf_init_fixed(&name, bytes, NAME_BYTES);
    Str path = str_from(operation->path);
    check(str_starts(path, STR("/api/v1/")));
    path = str_slice(path, 8, path.len);
    while (path.len) {
        Str part = str_cut(path, '/', &path);
        bool is_star = part.bytes[0] == '{';
        if (is_star && path.len) continue;
        if (name.len) buf_char(&name, '_');
        buf_str_put(&name, is_star ? STR("one") : part);
    }
    check(buf_ok(&name));
    return buf_str(&name);
}

static const Operation *find_tool(Str name)
{
    char bytes[NAME_BYTES];
    for (size_t at = 0; at < countof(operations); at++)
        if (is_tool(&operations[at]) && str_equal(tool_name(&operations[at], bytes), name)) return &operations[at];
    return NULL;
}

bool assistant_has_tool(Str name) { return find_tool(name) != NULL; }

static const Named *find_named(const Named *all, size_t count, Str name)
{
    for (size_t at = 0; at < count; at++) {
        Str called = str_from(all[at].name);
        if (str_equal(called, name)) return &all[at];
    }
    check(false);
    return NULL;
}

static const Named *find_schema(Str name) { return find_named(schemas, countof(schemas), name); }
static const Named *find_parameter(Str name) { return find_named(parameters, countof(parameters), name); }

/* ---- Schemas ---- */

static const char reference[] = "#/components/schemas/";

/* The schemas that the schema of a tool refers to, and those that these refer to; each is listed once. */
struct used {
    const Named *schemas[SCHEMAS_MOST];
    size_t count;
};

static void use(struct used *used, const Named *schema)
{
    for (size_t at = 0; at < used->count; at++)
        if (used->schemas[at] == schema) return;
    check(used->count < SCHEMAS_MOST);
    used->schemas[used->count++] = schema;
}

/* Writes a schema for a tool: its references lead to the tool's own $defs. */
static void put_schema(struct buf *out, Str schema, struct used *used)
{
    for (const char *at; (at = memmem(schema.bytes, schema.len, reference, sizeof reference - 1));) {
        buf_put(out, schema.bytes, (size_t)(at - schema.bytes));
        buf_str_put(out, STR("#/$defs/"));
        at += sizeof reference - 1;
        schema = str_of(at, schema.len - (size_t)(at - schema.bytes));
        Str rest, name = str_cut(schema, '"', &rest);
        use(used, find_schema(name));
    }
    buf_str_put(out, schema);
}

static void put_described(struct buf *out, Str name, const char *description, Str schema, struct used *used)
{
    json_name(out, name);
    json_object(out, NULL);
    if (description) json_word(out, "description", description);
    Str inside = str_trim(str_slice(schema, 1, schema.len));           /* with its closing brace */
    if (description && !str_equal(inside, STR("}"))) buf_char(out, ',');
    put_schema(out, inside, used);
}

static void put_defs(struct buf *out, struct used *used)
{
    json_object(out, "$defs");
    for (size_t at = 0; at < used->count; at++) {                      /* put_schema may add to it */
        json_name(out, str_from(used->schemas[at]->name));
        put_schema(out, str_from(used->schemas[at]->schema), used);
    }
    json_object_end(out);
}

/* The command's help for a member, if the API takes the same values as the command. There is none for filters and for
 * times like "7d ago", and none if the help mentions other options. */
static const char *describe_member(const Operation *operation, Str member)
{
    const char *kind = NULL, *command = NULL;
    for (size_t at = 0; at < countof(questions); at++) {               /* funnels/people has the members of funnels */
        size_t length = strlen(questions[at].path);
        bool is_it = !strncmp(operation->path, questions[at].path, length)
                     && (!operation->path[length] || operation->path[length] == '/');
        if (is_it && !kind) kind = questions[at].kind;
    }
    for (size_t at = 0; kind && at < countof(asked); at++)
        if (!strcmp(asked[at].kind, kind)) command = asked[at].command;
    for (size_t at = 0; command && at < countof(members); at++) {
        Str called = str_from(members[at].member);
        bool is_same = !strcmp(members[at].how, "VALUE") && !strcmp(members[at].command, command);
        if (is_same && str_equal(called, member) && !strstr(members[at].help, "--")) return members[at].help;
    }
    return NULL;
}

static void put_question_schema(struct buf *out, const Operation *operation, Arena scratch, struct used *used)
{
    const TreeNode *root = NULL;
    Status s = event_tree_read(str_from(find_schema(str_from(operation->request))->schema), &scratch, &root, NULL);
    check(!s);
    json_object(out, "properties");
    for (const TreeNode *one = event_tree_get(root, STR("properties"))->first; one; one = one->next)
        put_described(out, one->key, describe_member(operation, one->key), one->raw, used);
    json_object_end(out);
    const TreeNode *required = event_tree_get(root, STR("required"));
    if (required) json_raw(out, "required", required->raw);
}

/* The next {name} of a path; *path becomes the rest after it. Empty: no name is left. */
static Str next_star(const char **path)
{
    const char *brace = strchr(*path, '{');
    if (!brace) return (Str){ 0 };
    const char *end = strchr(brace, '}');
    check(end != NULL);
    *path = end;
    return str_of(brace + 1, (size_t)(end - brace - 1));
}

static void put_route_schema(struct buf *out, const Operation *operation, struct used *used)
{
    const char *path = operation->path;
    Str name, query = str_from(operation->parameters);
    json_object(out, "properties");
    while ((name = next_star(&path)).len)
        put_described(out, name, find_parameter(name)->description, str_from(find_parameter(name)->schema), used);
    while (query.len) {
        name = str_cut(query, ' ', &query);
        put_described(out, name, find_parameter(name)->description, str_from(find_parameter(name)->schema), used);
    }
    json_object_end(out);
    path = operation->path;
    json_array(out, "required");
    while ((name = next_star(&path)).len) json_string(out, NULL, name);
    json_array_end(out);
    json_bool(out, "additionalProperties", false);
}

/* ---- The list ---- */

static void put_description(struct buf *out, const Operation *operation)
{
    for (size_t at = 0; at < countof(questions); at++) {
        if (strcmp(questions[at].path, operation->path)) continue;
        json_printf(out, "description",
                    "%s. Counts resolved people: what a visitor did before signing up is the user's. An event is a "
                    "text: a track's name, page:/path, screen:Name, or * for any; the tool events tells which there "
                    "are, and which properties. docs/%s defines every number.", operation->summary, questions[at].page);
        return;
    }
    json_printf(out, "description", "%s.", operation->summary);
}

static void put_tool(struct buf *out, const Operation *operation, Arena scratch)
{
    char bytes[NAME_BYTES];
    struct used used = { .count = 0 };
    json_object(out, NULL);
    json_string(out, "name", tool_name(operation, bytes));
    json_word(out, "title", operation->summary);
    put_description(out, operation);
    json_object(out, "inputSchema");
    json_word(out, "type", "object");
    if (is_question(operation)) put_question_schema(out, operation, scratch, &used);
    else put_route_schema(out, operation, &used);
    if (used.count) put_defs(out, &used);
    json_object_end(out);
    json_object(out, "annotations");
    json_bool(out, "readOnlyHint", true);
    json_bool(out, "openWorldHint", false);
    json_object_end(out);
    json_object_end(out);
}

void assistant_write_tools(AssistantMay *may, void *context, Arena scratch, struct buf *out)
{
    json_array(out, NULL);
    for (size_t at = 0; at < countof(operations); at++) {
        const Operation *operation = &operations[at];
        if (is_tool(operation) && (!may || may(context, str_from(operation->method), str_from(operation->path))))
            put_tool(out, operation, scratch);
    }
    json_array_end(out);
}

/* ---- A call ---- */

/* Writes texts and numbers as they are, true and false as words. No parameter is a list so far. */
static Status read_argument(const TreeNode *argument, Str *ret, Err *err)
{
    bool is_text = event_tree_is_kind(argument, FIELD_STRING) || event_tree_is_kind(argument, FIELD_NUMBER);
    *ret = is_text ? argument->text : argument->raw;
    if (is_text || event_tree_is_kind(argument, FIELD_BOOL)) return OK;
    return err_set(err, ERR_INPUT, "%.*s: a text or a number is wanted", STR_FORMAT(argument->key));
}

static bool has_parameter(const Operation *operation, Str name)
{
    const char *path = operation->path;
    Str star, query = str_from(operation->parameters);
    while ((star = next_star(&path)).len)
        if (str_equal(star, name)) return true;
    while (query.len)
        if (str_equal(str_cut(query, ' ', &query), name)) return true;
    return false;
}

static Status check_arguments(const Operation *operation, const TreeNode *arguments, Err *err)
{
    for (const TreeNode *one = arguments ? arguments->first : NULL; one; one = one->next)
        if (!has_parameter(operation, one->key))
            return err_set(err, ERR_INPUT, "there is no argument \"%.*s\"", STR_FORMAT(one->key));
    return OK;
}

/* Writes an argument in place of its name in the path. "." and ".." are refused, since they would change the path. */
static Status put_star(struct buf *path, const TreeNode *arguments, Str name, Err *err)
{
    const TreeNode *argument = event_tree_get(arguments, name);
    Str value;
    if (!event_tree_is_given(argument)) return err_set(err, ERR_INPUT, "%.*s: is missing", STR_FORMAT(name));
    Status s = read_argument(argument, &value, err);
    if (s) return s;
    if (!value.len || str_equal(value, STR(".")) || str_equal(value, STR("..")))
        return err_set(err, ERR_INPUT, "%.*s: is no name", STR_FORMAT(name));
    buf_percent_encode(path, value, PERCENT_URL);
    return OK;
}

static Status put_path(struct buf *out, const Operation *operation, const TreeNode *arguments, Err *err)
{
    const char *path = operation->path;
    Status s = OK;
    while (*path && !s) {
        const char *brace = strchr(path, '{');
        buf_put(out, path, brace ? (size_t)(brace - path) : strlen(path));
        if (!brace) break;
        Str name = next_star(&path);
        s = put_star(out, arguments, name, err);
        path++;
    }
    return s;
}

static Status put_query(struct buf *out, const Operation *operation, const TreeNode *arguments, Err *err)
{
    char mark = '?';
    Str value, names = str_from(operation->parameters);
    while (names.len) {
        Str name = str_cut(names, ' ', &names);
        const TreeNode *argument = event_tree_get(arguments, name);
        if (!event_tree_is_given(argument)) continue;
        Status s = read_argument(argument, &value, err);
        if (s) return s;
        buf_char(out, mark);
        buf_str_put(out, name);
        buf_char(out, '=');
        buf_percent_encode(out, value, PERCENT_URL);
        mark = '&';
    }
    return OK;
}

Status assistant_compose(Str name, const TreeNode *arguments, Arena *arena, AssistantRequest *ret, Err *err)
{
    const Operation *operation = find_tool(name);
    check(operation != NULL);
    if (is_question(operation)) {
        *ret = (AssistantRequest){ STR("POST"), arena_printf(arena, "%s?wait=30s", operation->path),
                             arguments ? arguments->raw : STR("{}") };
        return OK;
    }
    struct buf path;
    buf_init(&path, LIMIT_URL_BYTES);
    Status s = check_arguments(operation, arguments, err);
    if (!s) s = put_path(&path, operation, arguments, err);
    if (!s) s = put_query(&path, operation, arguments, err);
    if (!s && !buf_ok(&path)) s = err_set(err, ERR_INPUT, "the arguments are too long");
    if (!s) *ret = (AssistantRequest){ .method = STR("GET"), .path = arena_copy(arena, buf_str(&path)) };
    buf_done(&path);
    return s;
}
