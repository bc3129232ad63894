/* cli_accounts: a table of accounts as other programs write it: which column is which, and what its times mean.
 *
 * Understood: CSV as RFC 4180 has it, with comma, semicolon or tab (the one that splits the first line most), a BOM,
 * both ends of line, quotes. The first line has the names of columns. Which column is which
 * is guessed from its name, then from its values; if the guess is wrong, options say it. The guess is printed before
 * anything is asked.
 *
 * Times: whatever instant_read reads without doubt (RFC 3339, ISO 8601, seconds to nanoseconds since 1970), and days as
 * 31.12.2026, 31/12/2026 or 12/31/2026 with or without a time of day, if the whole column leaves no doubt which of
 * the two is the month. Without a zone they are UTC.
 */
#ifndef ONYM_CLI_ACCOUNTS_H
#define ONYM_CLI_ACCOUNTS_H

#include "base/base.h"

enum { ACCOUNTS_FILE_BYTES = 512 << 20, ACCOUNTS_COLUMNS = 200, ACCOUNTS_ROWS = 5000000 };

typedef struct TableAccount {
    Str id, email;
    Millis created_ms;                      /* INT64_MIN: none, or it cannot be read */
} TableAccount;

typedef enum TableTimes { TIMES_NONE, TIMES_READ, TIMES_DAY_FIRST, TIMES_MONTH_FIRST } TableTimes;

typedef struct AccountTable {
    TableAccount *items;                    /* each user id once, by id */
    size_t count;
    size_t row_count;                       /* lines but the first; they may be more than accounts: */
    size_t no_id_count, again_count, no_time_count;     /* rows without an id, ids that came before, unreadable times */
    char separator;
    Str id_column, email_column, created_column;        /* their names; empty: there is none */
    Str id_example, email_example, created_example;
    TableTimes times;
} AccountTable;

/* Names of columns that the operator gave; empty: guess. */
typedef struct TableColumns { Str id, email, created; } TableColumns;

/* text: of the whole file; fields with quotes are unquoted in the arena, all others borrow. ERR_INPUT: no such column,
 * no column that could be the id, a quote that does not end, days that may be months; the field of err is the option
 * that helps ("id", "created"). Free items. */
Status MUST cli_read_accounts(Str text, const TableColumns *columns, Arena *arena, AccountTable *ret, Err *err);

#endif
