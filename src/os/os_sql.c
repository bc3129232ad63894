/* os_sql: libpq. */
#include "os.h"

#include <poll.h>
#include <postgresql/libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { CONNECT_MS = 10000, POLL_MS = 100, TEXT_BYTES = 300, PUT_BYTES = 1024 * 1024 };

struct sql {
    PGconn *connection;
    char state[SQL_STATE_BYTES];
    char *password;                  /* of the URL; NULL: none */
};

/* ---- Errors ---- */

/* One line, without the password, and without what a server quotes of rows ("DETAIL: Key (email)=(...)"). */
static void keep_text(const struct sql *sql, const char *from, char text[TEXT_BYTES])
{
    size_t len = strcspn(from ? from : "", "\n");
    snprintf(text, TEXT_BYTES, "%.*s", (int)(len < TEXT_BYTES ? len : TEXT_BYTES - 1), from ? from : "");
    size_t secret = sql->password ? strlen(sql->password) : 0;
    for (char *at = text; secret && (at = strstr(at, sql->password));) memset(at, '*', secret);
}

static Status fail(struct sql *sql, const PGresult *result, Err *err)
{
    char text[TEXT_BYTES];
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    snprintf(sql->state, sizeof sql->state, "%s", state ? state : "08000");
    keep_text(sql, primary ? primary : PQerrorMessage(sql->connection), text);
    return err_set(err, ERR_IO, "PostgreSQL: %s (%s)", text[0] ? text : "the connection broke off", sql->state);
}

const char *sql_state(const struct sql *sql) { return sql->state; }

/* ---- Connecting ---- */

static Status parse(Str url, PQconninfoOption **ret, Err *err)
{
    char *text = strndup(url.bytes ? url.bytes : "", url.len);
    check(text);
    char *why = NULL;
    *ret = url.len && !memchr(url.bytes, 0, url.len) ? PQconninfoParse(text, &why) : NULL;
    free(text);
    PQfreemem(why);                                          /* it quotes the URL, password and all */
    if (*ret) return OK;
    return err_set(err, ERR_INPUT, "is no URL of a PostgreSQL database; "
                   "wanted postgres://user:password@host:port/database");
}

Status sql_check_url(Str url, Err *err)
{
    PQconninfoOption *options;
    Status s = parse(url, &options, err);
    if (!s) PQconninfoFree(options);
    return s;
}

Str sql_describe(Str url, Arena *arena)
{
    PQconninfoOption *options;
    const char *user = "", *host = "", *port = "", *database = "";
    if (parse(url, &options, NULL)) return STR("");
    for (PQconninfoOption *option = options; option->keyword; option++) {
        if (!option->val) continue;
        if (!strcmp(option->keyword, "user")) user = option->val;
        if (!strcmp(option->keyword, "host")) host = option->val;
        if (!strcmp(option->keyword, "port")) port = option->val;
        if (!strcmp(option->keyword, "dbname")) database = option->val;
    }
    Str text = arena_printf(arena, "%.100s%s%.200s%s%.20s/%.100s", user, *user ? "@" : "", host, *port ? ":" : "", port,
                            database);
    PQconninfoFree(options);
    return text;
}

static void keep_password(struct sql *sql, const PQconninfoOption *options)
{
    for (; options->keyword; options++)
        if (!strcmp(options->keyword, "password") && options->val && options->val[0])
            sql->password = strdup(options->val);
}

/* libpq says when it wants to read or write; meanwhile somebody may want to stop. */
static Status wait_connected(struct sql *sql, const atomic_bool *is_stopping, Err *err)
{
    int64_t until_ns = clock_monotonic_ns(os_clock()) + (int64_t)CONNECT_MS * 1000000;
    PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
    while (wants != PGRES_POLLING_OK) {
        struct pollfd file = { PQsocket(sql->connection), wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0 };
        int ready = file.fd < 0 ? -1 : poll(&file, 1, POLL_MS);
        if (is_stopping && atomic_load(is_stopping)) return err_set(err, ERR_CLOSED, "PostgreSQL: stopping");
        if (clock_monotonic_ns(os_clock()) > until_ns)
            return err_set(err, ERR_TIMEOUT, "PostgreSQL: no connection within %d seconds (08000)", CONNECT_MS / 1000);
        if (ready == 0) continue;
        wants = PQconnectPoll(sql->connection);
        if (wants == PGRES_POLLING_FAILED) return fail(sql, NULL, err);
    }
    return OK;
}

/* What the server or some library has to say beside is for nobody. */
static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

Status sql_open(Str url, const atomic_bool *is_stopping, struct sql **ret, Err *err)
{
    PQconninfoOption *options;
    Status s = parse(url, &options, err);
    if (s) return s;
    struct sql *sql = calloc(1, sizeof *sql);
    char *text = strndup(url.bytes, url.len);
    check(sql && text);
    keep_password(sql, options);
    PQconninfoFree(options);
    /* The URL may change what comes before dbname, but not what comes after it. */
    const char *names[] = { "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
                            "fallback_application_name", "dbname", "client_encoding", NULL };
    const char *values[] = { "30", "10", "3", "60000", "onym", text, "UTF8", NULL };
    sql->connection = PQconnectStartParams(names, values, 1);
    free(text);
    check(sql->connection);
    PQsetNoticeReceiver(sql->connection, ignore_notice, NULL);
    s = PQstatus(sql->connection) == CONNECTION_BAD ? fail(sql, NULL, err) : wait_connected(sql, is_stopping, err);
    if (!s) s = sql_run(sql, STR("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET statement_timeout = 0; "
                                 "SET idle_in_transaction_session_timeout = 0; "
                                 "SET standard_conforming_strings = on"), err);
    if (s) sql_close(sql);
    else *ret = sql;
    return s;
}

void sql_close(struct sql *sql)
{
    if (!sql) return;
    PQfinish(sql->connection);
    if (sql->password) explicit_bzero(sql->password, strlen(sql->password));
    free(sql->password);
    free(sql);
}

bool sql_is_open(const struct sql *sql) { return PQstatus(sql->connection) == CONNECTION_OK; }

/* The descriptor stays libpq's; only the stream ends. */
void sql_interrupt(struct sql *sql)
{
    int file = PQsocket(sql->connection);
    if (file >= 0) shutdown(file, SHUT_RDWR);
}

/* ---- Statements ---- */

static PGresult *run(struct sql *sql, Str statement)
{
    char *text = strndup(statement.bytes, statement.len);
    check(text);
    sql->state[0] = 0;
    PGresult *result = PQexec(sql->connection, text);
    free(text);
    return result;
}

Status sql_run(struct sql *sql, Str statements, Err *err)
{
    PGresult *result = run(sql, statements);
    ExecStatusType status = PQresultStatus(result);
    Status s = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? OK : fail(sql, result, err);
    PQclear(result);
    return s;
}

Status sql_query(struct sql *sql, Str statement, SqlRow *row, void *context, Err *err)
{
    PGresult *result = run(sql, statement);
    Status s = PQresultStatus(result) == PGRES_TUPLES_OK ? OK : fail(sql, result, err);
    int columns = PQnfields(result);
    check(columns <= SQL_COLUMNS_MOST);
    for (int at = 0; !s && row && at < PQntuples(result); at++) {
        Str cells[SQL_COLUMNS_MOST] = { 0 };
        for (int column = 0; column < columns; column++)
            if (!PQgetisnull(result, at, column))
                cells[column] = str_of(PQgetvalue(result, at, column), (size_t)PQgetlength(result, at, column));
        row(context, cells);
    }
    PQclear(result);
    return s;
}

Status sql_copy(struct sql *sql, Str statement, Err *err)
{
    PGresult *result = run(sql, statement);
    Status s = PQresultStatus(result) == PGRES_COPY_IN ? OK : fail(sql, result, err);
    PQclear(result);
    return s;
}

Status sql_put(struct sql *sql, Str rows, Err *err)
{
    for (size_t at = 0; at < rows.len; at += PUT_BYTES) {
        size_t len = rows.len - at < PUT_BYTES ? rows.len - at : PUT_BYTES;
        if (PQputCopyData(sql->connection, rows.bytes + at, (int)len) != 1) return fail(sql, NULL, err);
    }
    return OK;
}

Status sql_end(struct sql *sql, uint64_t *ret_rows, Err *err)
{
    Status s = PQputCopyEnd(sql->connection, NULL) == 1 ? OK : fail(sql, NULL, err);
    bool is_known = false;
    for (PGresult *result; (result = PQgetResult(sql->connection)); PQclear(result)) {
        if (PQresultStatus(result) == PGRES_COMMAND_OK) *ret_rows = strtoull(PQcmdTuples(result), NULL, 10);
        else if (!is_known) s = fail(sql, result, err);
        is_known = true;
        if (PQstatus(sql->connection) == CONNECTION_BAD) {
            PQclear(result);
            break;
        }
    }
    return s || is_known ? s : fail(sql, NULL, err);
}

/* ---- Quoting ---- */

static void put_quoted(struct buf *out, Str text, char quote)
{
    buf_char(out, quote);
    for (size_t at = 0; at < text.len; at++) {
        if (text.bytes[at] == quote) buf_char(out, quote);
        if (text.bytes[at]) buf_char(out, text.bytes[at]);
        else buf_str_put(out, STR("\xef\xbf\xbd"));
    }
    buf_char(out, quote);
}

void sql_put_name(struct buf *out, Str name) { put_quoted(out, name, '"'); }
void sql_put_text(struct buf *out, Str text) { put_quoted(out, text, '\''); }
