/* log: the only mutable state of base; a reload changes it while others log. The time of a line is the machine's,
 * on purpose: a log line describes the world, it never feeds back into what Onym computes. */
#include "base.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static _Atomic LogLevel log_least = LOG_INFO;
static _Atomic LogFormat log_format = LOG_LOGFMT;

enum { LOG_LINE_BYTES = 8192, LOG_VALUE_BYTES = 1024 };

void log_configure(LogLevel least, LogFormat format)
{
    atomic_store_explicit(&log_least, least, memory_order_relaxed);
    atomic_store_explicit(&log_format, format, memory_order_relaxed);
}

bool log_is_on(LogLevel level)
{
    return level >= atomic_load_explicit(&log_least, memory_order_relaxed) && level < LOG_NONE;
}

static bool needs_quotes(Str s)
{
    for (size_t at = 0; at < s.len; at++) {
        unsigned char c = (unsigned char)s.bytes[at];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) return true;
    }
    return s.len == 0;
}

static void put_field(struct buf *line, const LogField *field, bool json)
{
    buf_printf(line, json ? ",\"%s\":" : " %s=", field->name);
    if (!field->is_text) {
        buf_int(line, field->number);
        return;
    }
    Str text = str_slice(field->text, 0, LOG_VALUE_BYTES);
    if (json || needs_quotes(text)) buf_json_string(line, text);
    else buf_str_put(line, text);
}

void log_write_fields(LogLevel level, const char *event, const LogField *fields)
{
    static const char *const words[] = { "debug", "info", "warn", "error" };
    if (!log_is_on(level)) return;
    char bytes[LOG_LINE_BYTES];
    struct buf line;
    buf_init_fixed(&line, bytes, sizeof bytes - 2);          /* room for the closing of a line cut short */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    bool json = atomic_load_explicit(&log_format, memory_order_relaxed) == LOG_JSON;    /* one for all of the line */
    buf_printf(&line, json ? "{\"time\":\"" : "time=");
    buf_instant(&line, now.tv_sec * 1000 + now.tv_nsec / 1000000);
    buf_printf(&line, json ? "\",\"level\":\"%s\"" : " level=%s", words[level]);
    put_field(&line, &LOG_TEXT("event", event), json);
    for (; fields->name && buf_ok(&line); fields++) {
        size_t before = line.len;
        put_field(&line, fields, json);
        if (!buf_ok(&line)) line.len = before;               /* a field that does not fit is left out whole */
    }
    if (json) bytes[line.len++] = '}';
    bytes[line.len++] = '\n';
    if (write(STDERR_FILENO, bytes, line.len) < 0) return;   /* nowhere left to complain */
}
