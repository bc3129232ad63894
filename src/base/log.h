/* log: one line, one event, fields. Only main/, the thread loops and http/ call it; every other
 * folder returns its errors. Thread-safe: a line is one write(2) to standard error.
 *
 *   log_write(LOG_WARN, "journal: cut a torn tail", LOG_STR("segment", name), LOG_INT("bytes", cut));
 *   time=2026-11-23T12:28:40.123Z level=warn event="journal: cut a torn tail" segment=… bytes=812
 *
 * Secrets are never fields. Values are quoted and cut at 1 KiB, so no input can forge a line.
 */
#ifndef ONYM_BASE_LOG_H
#define ONYM_BASE_LOG_H

#include "str.h"

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_NONE } LogLevel;
typedef enum LogFormat { LOG_LOGFMT, LOG_JSON } LogFormat;

typedef struct LogField {
    const char *name;
    Str text;
    int64_t number;
    bool is_text;
} LogField;

#define LOG_STR(name, value) ((LogField){ (name), (value), 0, true })
#define LOG_TEXT(name, value) ((LogField){ (name), str_from(value), 0, true })
#define LOG_INT(name, value) ((LogField){ (name), { 0, 0 }, (int64_t)(value), false })
#define log_write(level, event, ...) \
    log_write_fields((level), (event), (LogField[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })

/* At any time, from any thread; defaults are LOG_INFO and LOG_LOGFMT. */
void log_configure(LogLevel least, LogFormat format);
bool log_is_on(LogLevel level);      /* call it before work that is needed for a log line only */
void log_write_fields(LogLevel level, const char *event, const LogField *fields);   /* ends at name NULL */

#endif
