/* What somebody may give to onym import that is no NDJSON: said once, by its first bytes, with the way out; not for
 * each line. */
#include "tools_import.h"

#include <stdio.h>

static bool is_csv(Str begin)
{
    Str rest, line = str_trim(str_cut(begin, '\n', &rest));
    size_t separators = 0, printable = 0;
    for (size_t at = 0; at < line.len; at++) {
        unsigned char c = (unsigned char)line.bytes[at];
        separators += c == ',' || c == ';' || c == '\t' || c == '|';
        printable += c >= ' ' || c == '\t';
    }
    return separators > 0 && printable == line.len;
}

/* How many braces and brackets of a line are open at its end; SIZE_MAX: a text is. */
static size_t open_at_end(Str line)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t at = 0; at < line.len; at++) {
        char c = line.bytes[at];
        if (in_string && c == '\\') at++;
        else if (c == '"') in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[')) depth++;
        else if (!in_string && (c == '}' || c == ']') && depth) depth--;
    }
    return in_string ? SIZE_MAX : depth;
}

/* {"batch":[{ and its like. */
static bool is_around_a_list(Str line)
{
    static const char *const names[] = { "batch", "events", "messages", "data", "items", "results" };
    Str rest = str_trim(str_slice(line, 1, line.len)), list;
    for (size_t at = 0; at < countof(names); at++) {
        char name[16];
        snprintf(name, sizeof name, "\"%s\"", names[at]);
        if (!str_starts(rest, str_from(name))) continue;
        list = str_trim(str_slice(rest, strlen(name), rest.len));
        return list.len && list.bytes[0] == ':' && str_starts(str_trim(str_slice(list, 1, list.len)), STR("["));
    }
    return false;
}

/* Of what begins with a brace. A line that breaks off is one line's fault: the others may be good. */
static const char *object_problem(Str begin)
{
    Str rest, next, line = str_trim(str_cut(begin, '\n', &rest));
    size_t open = open_at_end(line);
    if (is_around_a_list(str_trim(begin)))
        return "it is one object around a list; jq -c '.batch[]' FILE | onym import - (by the list's own name)";
    next = str_trim(rest);
    if (open && open != SIZE_MAX && next.len && next.bytes[0] != '{')
        return "its first object goes over several lines; wanted one a line: jq -c . FILE | onym import -";
    if (!open && line.len && line.bytes[line.len - 1] == ',')
        return "its lines end with commas; wanted a JSON object a line: sed 's/,[[:space:]]*$//' FILE | onym import -";
    return NULL;
}

const char *import_kind_problem(Str begin)
{
    static const struct { Str start; const char *problem; } kinds[] = {
        { STR("PK\x03\x04"), "it is a zip archive; unpack it first: unzip -p FILE | onym import -" },
        { STR("PAR1"), "it is Parquet; "
                       "duckdb -c \"COPY (FROM 'FILE') TO '/dev/stdout' (FORMAT JSON)\" | onym import -" },
        { STR("Obj\x01"), "it is Avro; wanted a JSON object a line" },
        { STR("\x28\xB5\x2F\xFD"), "it is packed by zstd; zstdcat FILE | onym import -" },
        { STR("\xFD" "7zXZ"), "it is packed by xz; xzcat FILE | onym import -" },
        { STR("BZh"), "it is packed by bzip2; bzcat FILE | onym import -" },
        { STR("\xFF\xFE"), "it is UTF-16; iconv -f UTF-16 -t UTF-8 FILE | onym import -" },
        { STR("\xFE\xFF"), "it is UTF-16; iconv -f UTF-16 -t UTF-8 FILE | onym import -" },
        { STR("<"), "it is XML or HTML; wanted a JSON object a line" },
    };
    for (size_t at = 0; at < countof(kinds); at++)
        if (str_starts(begin, kinds[at].start)) return kinds[at].problem;
    if (str_starts(begin, STR("\xEF\xBB\xBF"))) begin = str_slice(begin, 3, begin.len);
    begin = str_trim(begin);
    if (begin.len == 0 || begin.bytes[0] == '[') return NULL;
    if (begin.bytes[0] == '{') return object_problem(begin);
    if (!is_csv(begin)) return NULL;
    return "its first line looks like CSV; wanted a JSON object a line, as docs/protocol.md#imports has it: "
           "{\"type\":\"track\",\"userId\":\"1\",\"event\":\"Order\",\"timestamp\":\"2026-01-31\"}";
}
