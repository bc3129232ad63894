/* sql: a connection to a PostgreSQL server, by libpq. One statement after the other; each call waits for its answer.
 *
 * What it is not: it knows no table and no retry. Whoever holds it decides by the SQLSTATE of what failed.
 *
 * Rules
 *  1. After a failure within a transaction the server refuses everything until ROLLBACK (or ROLLBACK TO a savepoint).
 *  2. A connection that broke stays broken (sql_is_open is false): close it and open another. What was not committed is
 *     gone then; whether a COMMIT that was under way took place nobody knows, but the server.
 *  3. No text that this gives names the password of the URL, whatever libpq or the server says.
 *  4. Texts are UTF-8, times UTC and ISO 8601, whatever the server's defaults are.
 *  5. A peer that is gone without a word is noticed within a minute.
 * Threads: one, but sql_interrupt.
 */
#ifndef ONYM_OS_SQL_H
#define ONYM_OS_SQL_H

#include <stdatomic.h>

#include "base/base.h"

enum { SQL_STATE_BYTES = 6, SQL_COLUMNS_MOST = 16 };

struct sql;

/* A URL as libpq reads it (postgres://user:password@host:port/database?sslmode=verify-full), or "key=value ...".
 * What it leaves out comes from libpq's own places: PGPASSWORD, ~/.pgpass. ERR_INPUT: it can be none; the text says
 * nothing of what stands in it. */
Status MUST sql_check_url(Str url, Err *err);
/* "onym@127.0.0.1:5432/analytics": whom, where and what, without any secret. Empty where it is no URL. */
Str sql_describe(Str url, Arena *arena);
/* Connects; gives up after ten seconds, or when *is_stopping (may be NULL) becomes true. ERR_INPUT, ERR_IO; err tells
 * the SQLSTATE, too, where the server gave one. */
Status MUST sql_open(Str url, const atomic_bool *is_stopping, struct sql **ret, Err *err);
void sql_close(struct sql *sql);                             /* accepts NULL */
bool sql_is_open(const struct sql *sql);

/* One or several statements whose rows nobody wants. */
Status MUST sql_run(struct sql *sql, Str statements, Err *err);
/* One statement; row is called for each row, with its cells: bytes is NULL for a null. They die with the call. */
typedef void SqlRow(void *context, const Str *cells);
Status MUST sql_query(struct sql *sql, Str statement, SqlRow *row, void *context, Err *err);
/* A COPY ... FROM STDIN, its rows in any pieces, and its end; *ret_rows: how many the server took. After a failure of
 * sql_put call sql_end all the same: it says why. */
Status MUST sql_copy(struct sql *sql, Str statement, Err *err);
Status MUST sql_put(struct sql *sql, Str rows, Err *err);
Status MUST sql_end(struct sql *sql, uint64_t *ret_rows, Err *err);
/* The SQLSTATE of what failed last ("23505"); "08000" where the connection did; empty: nothing. */
const char *sql_state(const struct sql *sql);
/* Breaks the connection: a call that waits comes back with an error. From any thread. */
void sql_interrupt(struct sql *sql);

/* "name" and 'text' as a statement has them. */
void sql_put_name(struct buf *out, Str name);
void sql_put_text(struct buf *out, Str text);

#endif
