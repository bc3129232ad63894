/* openapi: from two tables to a document. Both are constant, so the document is, too. */
#include "openapi.h"

#include <ctype.h>
#include <stdio.h>

enum { PATH_BYTES_MAX = 128 };

typedef struct Tag { const char *name, *description; } Tag;
typedef struct Operation {
    Method method;
    const char *path, *tag, *summary, *parameters, *request;
    unsigned status;
    const char *answer, *errors;
} Operation;
typedef struct Same { Method method; const char *path, *as; } Same;
typedef struct Named { const char *name, *description, *schema; } Named;

static const Tag tags[] = {
#define TAG(name, description) { name, description },
#include "openapi.tbl.h"
};
static const Operation operations[] = {
#define OPERATION(method, path, tag, summary, parameters, request, status, answer, errors) \
    { METHOD_##method, path, tag, summary, parameters, request, status, answer, errors },
#include "openapi.tbl.h"
};
static const Same sames[] = {
#define SAME(method, path, as) { METHOD_##method, path, as },
#include "openapi.tbl.h"
};
static const Named parameters[] = {
#define PARAMETER(name, description, ...) { name, description, #__VA_ARGS__ },
#include "openapi.tbl.h"
};
static const Named schemas[] = {
#define SCHEMA(name, ...) { #name, "", #__VA_ARGS__ },
#include "openapi.tbl.h"
};

/* ---- From a route to what is said of it ---- */

/* Are these one path, once with names and once with stars? */
static bool is_path(const char *named, const char *stars)
{
    while (*named && *stars) {
        if (*stars == '*' && *named == '{') {
            named = strchr(named, '}');
            check(named != NULL);
        } else if (*named != *stars) {
            return false;
        }
        named++, stars++;
    }
    return *named == *stars;
}

static const Operation *operation_at(Method method, const char *named)
{
    for (size_t at = 0; at < countof(operations); at++)
        if (operations[at].method == method && !strcmp(operations[at].path, named)) return &operations[at];
    return NULL;
}

/* What is said of a route, and its path with names; NULL: nothing is. */
static const Operation *describe(const Route *route, const char **ret_path)
{
    for (size_t at = 0; at < countof(operations); at++) {
        if (operations[at].method != route->method || !is_path(operations[at].path, route->path)) continue;
        *ret_path = operations[at].path;
        return &operations[at];
    }
    for (size_t at = 0; at < countof(sames); at++) {
        if (sames[at].method != route->method || !is_path(sames[at].path, route->path)) continue;
        *ret_path = sames[at].path;
        return operation_at(route->method, sames[at].as);
    }
    return NULL;
}

static const Named *parameter_find(Str name)
{
    for (size_t at = 0; at < countof(parameters); at++) {
        Str called = str_from(parameters[at].name);
        if (str_equal(called, name)) return &parameters[at];
    }
    return NULL;
}

/* ---- The document ---- */

static const char *method_word(Method method)
{
    return method == METHOD_GET ? "get" : method == METHOD_POST ? "post" : "delete";
}

/* getPeopleByPersonIdEvents, of GET /api/v1/people/{person_id}/events. */
static void put_operation_id(struct buf *out, Method method, const char *path)
{
    char text[2 * PATH_BYTES_MAX];
    struct buf id;
    bool is_start = true;
    if (!strncmp(path, "/api/v1/", 8)) path += 7;
    buf_init_fixed(&id, text, sizeof text);
    buf_str_put(&id, str_from(method_word(method)));
    for (; *path; path++) {
        if (*path == '{') buf_str_put(&id, STR("By"));
        if (!isalnum((unsigned char)*path)) {
            is_start = true;
            continue;
        }
        buf_char(&id, is_start ? (char)toupper((unsigned char)*path) : *path);
        is_start = false;
    }
    check(buf_ok(&id));
    json_string(out, "operationId", buf_str(&id));
}

static void put_parameter(struct buf *out, Str name, const char *in)
{
    const Named *parameter = parameter_find(name);
    check(parameter != NULL);
    /* ?id= gives a question its name. Elsewhere id is that of a person, or one that a message has. */
    bool is_id = str_equal(name, STR("question_id")) || str_equal(name, STR("message_ids"));
    json_object(out, NULL);
    json_string(out, "name", is_id ? STR("id") : name);
    json_word(out, "in", in);
    if (!strcmp(in, "path")) json_bool(out, "required", true);
    json_word(out, "description", parameter->description);
    json_raw(out, "schema", str_from(parameter->schema));
    json_object_end(out);
}

static void put_parameters(struct buf *out, const Operation *operation, const char *path)
{
    Str query = str_from(operation->parameters);
    json_array(out, "parameters");
    for (const char *brace = strchr(path, '{'); brace; brace = strchr(brace + 1, '{'))
        put_parameter(out, str_of(brace + 1, (size_t)(strchr(brace, '}') - brace - 1)), "path");
    while (query.len) put_parameter(out, str_cut(query, ' ', &query), "query");
    json_array_end(out);
}

static void put_content(struct buf *out, Str answer)
{
    Str schema, type = str_cut(answer, ' ', &schema);
    if (!memchr(type.bytes, '/', type.len)) schema = type, type = STR("application/json");
    json_object(out, "content");
    json_name(out, type);
    json_object(out, NULL);
    if (schema.len) {
        json_object(out, "schema");
        json_printf(out, "$ref", "#/components/schemas/%.*s", STR_FORMAT(schema));
        json_object_end(out);
    }
    json_object_end(out);
    json_object_end(out);
}

static void put_refusal(struct buf *out, Str status, bool is_health, const char *refusal)
{
    json_name(out, status);
    json_object(out, NULL);
    if (is_health) {
        json_word(out, "description", "Not now; status says why");
        put_content(out, STR("Health"));
    } else {
        json_printf(out, "$ref", "#/components/responses/%s", refusal);
    }
    json_object_end(out);
}

static void put_answers(struct buf *out, const Operation *operation, int flags)
{
    const char *errors = flags & ROUTE_COLLECT ? "400 401 408 429 503" : flags & ROUTE_SECRET ? "401 403 429" : "";
    Str lists[] = { str_from(errors), str_from(operation->errors) };
    char status[16];
    snprintf(status, sizeof status, "%u", operation->status);
    json_object(out, "responses");
    json_object(out, status);
    json_word(out, "description", operation->status == 202 ? "It is under way" : "The answer");
    put_content(out, str_from(operation->answer));
    json_object_end(out);
    for (size_t list = 0; list < countof(lists); list++)
        while (lists[list].len)
            put_refusal(out, str_cut(lists[list], ' ', &lists[list]), !strncmp(operation->path, "/readyz", 7),
                        flags & ROUTE_COLLECT ? "Problem" : "Error");
    json_object_end(out);
}

static void put_security(struct buf *out, int flags)
{
    static const char *const secret[] = { "secretBearer", "secretBasic", "session" };
    static const char *const write[] = { "writeBasic", "writeBearer", "writeHeader", "writeQuery" };
    bool is_secret = flags & ROUTE_SECRET, is_collect = !is_secret && flags & ROUTE_COLLECT;
    size_t count = is_secret ? countof(secret) : is_collect ? countof(write) : 0;
    json_array(out, "security");
    for (size_t at = 0; at < count; at++) {
        json_object(out, NULL);
        json_array(out, is_secret ? secret[at] : write[at]);
        json_array_end(out);
        json_object_end(out);
    }
    if (is_collect) json_raw(out, NULL, STR("{}"));          /* the key may stand in the body */
    json_array_end(out);
}

static void put_operation(struct buf *out, const Route *route, const Operation *operation, const char *path)
{
    json_object(out, method_word(route->method));
    json_array(out, "tags");
    json_word(out, NULL, operation->tag);
    json_array_end(out);
    put_operation_id(out, route->method, path);
    json_word(out, "summary", operation->summary);
    if (strcmp(path, operation->path)) json_printf(out, "description", "Another spelling of %s", operation->path);
    put_security(out, route->flags);
    put_parameters(out, operation, path);
    if (operation->request[0]) {
        json_object(out, "requestBody");
        json_bool(out, "required", route->flags & ROUTE_COLLECT || strstr(operation->request, "Question"));
        put_content(out, str_from(operation->request));
        json_object_end(out);
    }
    put_answers(out, operation, route->flags);
    json_object_end(out);
}

/* The row of that number; each begins with a Route. */
static const Route *route_at(RouteTable routes, size_t number)
{
    return (const Route *)(const void *)((const char *)routes.rows + number * routes.stride);
}

/* Paths in the order of the table; all methods of a path together. */
static void put_paths(RouteTable routes, struct buf *out)
{
    for (size_t at = 0; at < routes.count; at++) {
        const Route *route = route_at(routes, at);
        const char *path;
        bool is_again = false;
        for (size_t before = 0; before < at; before++) is_again |= !strcmp(route_at(routes, before)->path, route->path);
        if (is_again || !describe(route, &path)) continue;
        json_object(out, path);
        for (size_t same = at; same < routes.count; same++) {
            const Route *other = route_at(routes, same);
            if (strcmp(other->path, route->path)) continue;
            const Operation *operation = describe(other, &path);
            if (operation) put_operation(out, other, operation, path);
        }
        json_object_end(out);
    }
}

static const char head[] =
    "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Onym\",\"version\":\"" ONYM_VERSION "\","
    "\"license\":{\"name\":\"MIT\",\"identifier\":\"MIT\"},"
    "\"description\":\"A self-hosted customer-data platform. Paths and members of answers may be added; what is there "
    "stays (docs/compatibility.md).\"},\"servers\":[{\"url\":\"/\"}],\"tags\":[";

static const char security[] =
    "{\"secretBearer\":{\"type\":\"http\",\"scheme\":\"bearer\","
    "\"description\":\"The secret key, or one of keys whose role is enough\"},"
    "\"secretBasic\":{\"type\":\"http\",\"scheme\":\"basic\",\"description\":\"The key as user name\"},"
    "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"onym_session\","
    "\"description\":\"Of the dashboard; over TLS __Host-onym_session\"},"
    "\"writeBasic\":{\"type\":\"http\",\"scheme\":\"basic\","
    "\"description\":\"A source's write key as user name; it may also stand in the body\"},"
    "\"writeBearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
    "\"writeHeader\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-Write-Key\"},"
    "\"writeQuery\":{\"type\":\"apiKey\",\"in\":\"query\",\"name\":\"writeKey\"}}";

#define REFUSAL(name, description) \
    "\"" name "\":{\"description\":\"" description "\",\"content\":{\"application/json\":{\"schema\":" \
    "{\"$ref\":\"#/components/schemas/" name "\"}}}}"
static const char refusals[] =
    "{" REFUSAL("Error", "Refused; error.code says what kind, error.field where") ","
    REFUSAL("Problem", "Refused; nothing of it was kept") "}";

void openapi_write(RouteTable routes, struct buf *out)
{
    buf_str_put(out, str_from(head));
    for (size_t at = 0; at < countof(tags); at++) {
        json_object(out, NULL);
        json_word(out, "name", tags[at].name);
        json_word(out, "description", tags[at].description);
        json_object_end(out);
    }
    json_array_end(out);
    json_object(out, "paths");
    put_paths(routes, out);
    json_object_end(out);
    json_object(out, "components");
    json_raw(out, "securitySchemes", str_from(security));
    json_raw(out, "responses", str_from(refusals));
    json_object(out, "schemas");
    for (size_t at = 0; at < countof(schemas); at++) json_raw(out, schemas[at].name, str_from(schemas[at].schema));
    json_object_end(out);
    json_object_end(out);
    json_object_end(out);
    buf_char(out, '\n');
}
