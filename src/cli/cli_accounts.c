/* cli_accounts: a table of accounts is read, and its columns are guessed. */
#include "cli_accounts.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOK_AT_ROWS = 200 };                /* what stands in columns is judged by so many */

typedef struct Row {
    Str fields[ACCOUNTS_COLUMNS];
    size_t count;
} Row;

struct table {
    Str rest;                               /* what is not read yet */
    char separator;
    Arena *arena;
    uint64_t line;
};

/* ---- Lines and fields ---- */

static char find_separator(Str text)
{
    static const char separators[] = { ',', ';', '\t', '|' };
    size_t counts[countof(separators)] = { 0 }, best = 0;
    bool is_quoted = false;
    for (size_t at = 0; at < text.len && (text.bytes[at] != '\n' || is_quoted); at++) {
        if (text.bytes[at] == '"') is_quoted = !is_quoted;
        for (size_t n = 0; n < countof(separators) && !is_quoted; n++) counts[n] += text.bytes[at] == separators[n];
    }
    for (size_t n = 1; n < countof(separators); n++)
        if (counts[n] > counts[best]) best = n;
    return separators[best];
}

/* A field in quotes; rest begins after the first one. */
static Status read_quoted(struct table *table, Str *ret, Err *err)
{
    Str rest = table->rest;
    char *room = NULL;
    size_t len = 0, at = 0;
    for (;; at++) {
        const char *end = at < rest.len ? memchr(rest.bytes + at, '"', rest.len - at) : NULL;
        if (!end) return err_set(err, ERR_INPUT, "line %" PRIu64 ": a quote is opened and never closed", table->line);
        size_t to = (size_t)(end - rest.bytes);
        if (!room && !(to + 1 < rest.len && rest.bytes[to + 1] == '"')) {       /* nothing to unescape */
            *ret = str_slice(rest, 0, to);
            table->rest = str_slice(rest, to + 1, rest.len);
            return OK;
        }
        if (!room && !(room = arena_try(table->arena, 1, 1, rest.len < (1 << 20) ? rest.len : (1 << 20))))
            return err_set(err, ERR_TOO_LARGE, "line %" PRIu64 ": too many fields with quotes in them", table->line);
        if (len + (to - at) + 1 > (1 << 20) - 1)
            return err_set(err, ERR_INPUT, "line %" PRIu64 ": a field of over a megabyte", table->line);
        memcpy(room + len, rest.bytes + at, to - at);
        len += to - at;
        at = to + 1;
        if (at < rest.len && rest.bytes[at] == '"') {
            room[len++] = '"';
            continue;
        }
        *ret = str_of(room, len);
        table->arena->at = room + len;      /* what is left of it is free again */
        table->rest = str_slice(rest, at, rest.len);
        return OK;
    }
}

static Status read_field(struct table *table, Str *ret, Err *err)
{
    if (table->rest.len && table->rest.bytes[0] == '"') {
        table->rest = str_slice(table->rest, 1, table->rest.len);
        return read_quoted(table, ret, err);
    }
    size_t len = 0;
    while (len < table->rest.len && table->rest.bytes[len] != table->separator && table->rest.bytes[len] != '\n'
           && table->rest.bytes[len] != '\r') len++;
    *ret = str_trim(str_slice(table->rest, 0, len));
    table->rest = str_slice(table->rest, len, table->rest.len);
    return OK;
}

/* The next line that is not empty; a row without fields: there is none. */
static Status read_row(struct table *table, Row *row, Err *err)
{
    row->count = 0;
    while (table->rest.len && (table->rest.bytes[0] == '\n' || table->rest.bytes[0] == '\r')) {
        table->line += table->rest.bytes[0] == '\n';
        table->rest = str_slice(table->rest, 1, table->rest.len);
    }
    while (table->rest.len) {
        Str field;
        Status s = read_field(table, &field, err);
        if (s) return s;
        if (row->count < ACCOUNTS_COLUMNS) row->fields[row->count++] = field;
        while (table->rest.len && table->rest.bytes[0] == ' ' && table->separator != ' ')
            table->rest = str_slice(table->rest, 1, table->rest.len);
        if (!table->rest.len || table->rest.bytes[0] != table->separator) break;
        table->rest = str_slice(table->rest, 1, table->rest.len);
        if (!table->rest.len && row->count < ACCOUNTS_COLUMNS) row->fields[row->count++] = (Str){ 0 };
    }
    if (table->rest.len && table->rest.bytes[0] != '\n' && table->rest.bytes[0] != '\r')
        return err_set(err, ERR_INPUT, "line %" PRIu64 ": text stands after a closing quote", table->line);
    return OK;
}

/* ---- Which column is which ---- */

/* In lower case, letters and digits alone. */
static Str fold_name(Str name, char room[64])
{
    size_t len = 0;
    for (size_t at = 0; at < name.len && len < 64; at++) {
        char c = name.bytes[at];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) room[len++] = c;
    }
    return str_of(room, len);
}

/* By the words, the first of them first; SIZE_MAX: no column is called so. */
static size_t find_called(const Row *names, const char *const *words)
{
    char room[64];
    for (; *words; words++)
        for (size_t at = 0; at < names->count; at++)
            if (str_equal(fold_name(names->fields[at], room), str_from(*words))) return at;
    return SIZE_MAX;
}

static Status find_given(const Row *names, Str given, const char *option, size_t *ret, Err *err)
{
    *ret = SIZE_MAX;
    if (!given.len) return OK;
    for (size_t at = 0; at < names->count && *ret == SIZE_MAX; at++)
        if (str_equal_no_case(names->fields[at], given)) *ret = at;
    if (*ret != SIZE_MAX) return OK;
    return err_set_field(err, option, "no column is called \"%.*s\"; the first line has the names", STR_FORMAT(given));
}

/* What stands in a column, in the first rows. */
typedef struct Seen { size_t filled, times, emails; } Seen;

static bool is_email(Str text)
{
    const char *at = text.len ? memchr(text.bytes, '@', text.len) : NULL;
    return at && at > text.bytes && memchr(at, '.', text.len - (size_t)(at - text.bytes));
}

static Status look(struct table table, const Row *names, Seen *seen, Err *err)
{
    Arena scratch = *table.arena;
    Row row;
    table.arena = &scratch;
    for (size_t n = 0; n < LOOK_AT_ROWS; n++) {
        Status s = read_row(&table, &row, err);
        if (s || !row.count) return s;
        for (size_t at = 0; at < row.count && at < names->count; at++) {
            Millis ms;
            Str text = row.fields[at];
            seen[at].filled += text.len > 0;
            seen[at].emails += is_email(text);
            seen[at].times += text.len >= 8 && instant_read(text, &ms) != INSTANT_UNREADABLE;
        }
    }
    return OK;
}

/* The first column of which most is so. */
static size_t find_mostly(const Seen *seen, size_t count, size_t offset)
{
    for (size_t at = 0; at < count; at++) {
        size_t so = *(const size_t *)(const void *)((const char *)&seen[at] + offset);
        if (seen[at].filled && so * 10 >= seen[at].filled * 9) return at;
    }
    return SIZE_MAX;
}

typedef struct Columns { size_t id, email, created; } Columns;

static Status find_columns(const struct table *table, const Row *names, const TableColumns *given, Columns *ret,
                           Err *err)
{
    static const char *const ids[] = { "userid", "id", "uid", "uuid", "accountid", "customerid", "memberid", "user",
                                       "account", "externalid", NULL };
    static const char *const emails[] = { "email", "emailaddress", "mail", "useremail", "login", NULL };
    static const char *const times[] = { "createdat", "created", "creationtime", "createddate", "datecreated",
                                         "createdon", "createtime", "inserted", "insertedat", "signupat",
                                         "signedupat", "signupdate",
                                         "registeredat", "registrationdate", "joinedat", "datejoined", "timestamp",
                                         "date", NULL };
    Seen seen[ACCOUNTS_COLUMNS] = { { 0 } };
    Status s = find_given(names, given->id, "id", &ret->id, err);
    if (!s) s = find_given(names, given->email, "email", &ret->email, err);
    if (!s) s = find_given(names, given->created, "created", &ret->created, err);
    if (!s) s = look(*table, names, seen, err);
    if (s) return s;
    if (ret->id == SIZE_MAX) ret->id = find_called(names, ids);
    if (ret->email == SIZE_MAX) ret->email = find_called(names, emails);
    if (ret->email == SIZE_MAX) ret->email = find_mostly(seen, names->count, offsetof(Seen, emails));
    if (ret->created == SIZE_MAX) ret->created = find_called(names, times);
    if (ret->created == SIZE_MAX) ret->created = find_mostly(seen, names->count, offsetof(Seen, times));
    if (ret->created == ret->id) ret->created = SIZE_MAX;
    if (ret->id == SIZE_MAX)
        return err_set_field(err, "id", "no column of the first line (%.*s, ...) is called like a user id",
                             STR_FORMAT(names->count ? names->fields[0] : STR("empty")));
    return OK;
}

/* ---- Times ---- */

/* "31/12/2026 10:00:00": two numbers and a year, and the rest. */
static bool split_day(Str text, int64_t parts[3], Str *ret_rest)
{
    size_t at = 0;
    for (int n = 0; n < 3; n++) {
        size_t from = at;
        while (at < text.len && text.bytes[at] >= '0' && text.bytes[at] <= '9') at++;
        if (at == from || at - from > (n == 2 ? 4u : 2u)) return false;
        if (!str_parse_int(str_slice(text, from, at), 0, 9999, &parts[n])) return false;
        if (n == 2) break;
        if (at >= text.len || !memchr("/.-", text.bytes[at], 3)) return false;
        at++;
    }
    *ret_rest = str_trim(str_slice(text, at, text.len));
    return parts[2] >= 1970;
}

static bool read_day(Str text, TableTimes times, Millis *ret)
{
    int64_t parts[3];
    char room[64];
    Str rest;
    if (!split_day(text, parts, &rest) || rest.len > 40) return false;
    bool is_day_first = times == TIMES_DAY_FIRST;
    int len = snprintf(room, sizeof room, "%04d-%02d-%02d%s%.*s", (int)parts[2], (int)parts[is_day_first ? 1 : 0],
                       (int)parts[is_day_first ? 0 : 1], rest.len ? " " : "", STR_FORMAT(rest));
    Str iso = str_of(room, (size_t)len);
    if (instant_parse(iso, ret)) return true;
    if (rest.len < 4 || rest.len > 5) return false;         /* "9:05": a time of day without seconds */
    len = snprintf(room, sizeof room, "%04d-%02d-%02d %s%.*s:00", (int)parts[2], (int)parts[is_day_first ? 1 : 0],
                   (int)parts[is_day_first ? 0 : 1], rest.len == 4 ? "0" : "", STR_FORMAT(rest));
    return instant_parse(str_of(room, (size_t)len), ret);
}

/* "2026-12-31 10:00" has no seconds, as spreadsheets write it. */
static bool read_time(Str text, TableTimes times, Millis *ret)
{
    char room[32];
    if (times == TIMES_DAY_FIRST || times == TIMES_MONTH_FIRST) return read_day(text, times, ret);
    if (instant_parse(text, ret) || instant_read(text, ret) == INSTANT_READ) return true;
    if (text.len != 16) return false;
    int len = snprintf(room, sizeof room, "%.*s:00", STR_FORMAT(text));
    return instant_parse(str_of(room, (size_t)len), ret);
}

/* Over the whole column: is there a first number that is no month, or a second one? */
static Status judge_times(struct table table, size_t column, TableTimes *ret, Err *err)
{
    Arena scratch = *table.arena;
    bool is_day_first = false, is_month_first = false, is_split = false;
    Row row;
    int64_t parts[3];
    Str rest;
    table.arena = &scratch;
    *ret = column == SIZE_MAX ? TIMES_NONE : TIMES_READ;
    for (Arena before = scratch; column != SIZE_MAX; scratch = before) {
        Status s = read_row(&table, &row, err);
        if (s) return s;
        if (!row.count) break;
        if (column >= row.count || !split_day(row.fields[column], parts, &rest)) continue;
        is_split = true;
        is_day_first |= parts[0] > 12, is_month_first |= parts[1] > 12;
    }
    if (!is_split) return OK;
    if (is_day_first == is_month_first)
        return err_set_field(err, "created", "%s: write days as 2026-12-31",
                             is_day_first ? "some rows have the day first, some the month"
                                          : "no row tells whether day or month stands first");
    *ret = is_day_first ? TIMES_DAY_FIRST : TIMES_MONTH_FIRST;
    return OK;
}

/* ---- The whole ---- */

static int by_id(const void *a, const void *b)
{
    const TableAccount *x = a, *y = b;
    int order = str_compare(x->id, y->id);
    if (order) return order;
    return (x->created_ms > y->created_ms) - (x->created_ms < y->created_ms);
}

/* Each id once: the row with the earliest time that can be read. */
static void drop_repeats(AccountTable *table)
{
    size_t kept = 0;
    if (table->count) qsort(table->items, table->count, sizeof *table->items, by_id);
    for (size_t at = 0; at < table->count; at++) {
        if (kept && str_equal(table->items[at].id, table->items[kept - 1].id)) {
            TableAccount *first = &table->items[kept - 1];
            if (first->created_ms == INT64_MIN) first->created_ms = table->items[at].created_ms;
            table->again_count++;
        } else {
            table->items[kept++] = table->items[at];
        }
    }
    table->count = kept;
}

static Str field_of(const Row *row, size_t column)
{
    return column < row->count ? row->fields[column] : (Str){ 0 };
}

static Status read_accounts(struct table *from, const Columns *columns, AccountTable *ret, Err *err)
{
    size_t capacity = 0;
    Row row;
    for (;;) {
        Status s = read_row(from, &row, err);
        if (s || !row.count) return s;
        ret->row_count++;
        TableAccount account = { field_of(&row, columns->id), field_of(&row, columns->email), INT64_MIN };
        Str created = field_of(&row, columns->created);
        if (!account.id.len) {
            ret->no_id_count++;
            continue;
        }
        if (created.len && !read_time(created, ret->times, &account.created_ms)) ret->no_time_count++;
        if (!vector_reserve(ret->items, capacity, ret->count + 1, ACCOUNTS_ROWS))
            return err_set(err, ERR_TOO_LARGE, "more than %d rows", ACCOUNTS_ROWS);
        if (!ret->count) {
            ret->id_example = account.id, ret->email_example = account.email;
            ret->created_example = created;
        }
        ret->items[ret->count++] = account;
    }
}

Status cli_read_accounts(Str text, const TableColumns *given, Arena *arena, AccountTable *ret, Err *err)
{
    Row names;
    Columns columns;
    *ret = (AccountTable){ 0 };
    if (str_starts(text, STR("\xEF\xBB\xBF"))) text = str_slice(text, 3, text.len);
    if (text.len && memchr(text.bytes, 0, text.len < 4096 ? text.len : 4096))
        return err_set(err, ERR_INPUT, "it is no text in UTF-8; save it as CSV (UTF-8)");
    struct table table = { text, find_separator(text), arena, 1 };
    Status s = read_row(&table, &names, err);
    if (!s && !names.count) s = err_set(err, ERR_INPUT, "it is empty; the first line has the names of columns");
    if (!s) s = find_columns(&table, &names, given, &columns, err);
    if (!s) s = judge_times(table, columns.created, &ret->times, err);
    if (s) return s;
    ret->separator = table.separator;
    ret->id_column = field_of(&names, columns.id);
    ret->email_column = field_of(&names, columns.email);
    ret->created_column = field_of(&names, columns.created);
    s = read_accounts(&table, &columns, ret, err);
    if (!s) drop_repeats(ret);
    if (s) free(ret->items), ret->items = NULL;
    return s;
}
