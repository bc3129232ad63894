/* err: building the texts, and the one place where a bug ends the process. */
#include "base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

Status err_set(Err *err, Status status, const char *format, ...)
{
    check(status != OK);
    if (!err) return status;
    va_list list;
    va_start(list, format);
    vsnprintf(err->text, sizeof err->text, format, list);
    va_end(list);
    err->code = status;
    err->field[0] = 0;
    return status;
}

Status err_set_field(Err *err, const char *field, const char *format, ...)
{
    if (!err) return ERR_INPUT;
    va_list list;
    va_start(list, format);
    vsnprintf(err->text, sizeof err->text, format, list);
    va_end(list);
    err->code = ERR_INPUT;
    snprintf(err->field, sizeof err->field, "%s", field);
    return ERR_INPUT;
}

Status err_set_errno(Err *err, int errno_value, const char *format, ...)
{
    Status status = errno_value == ENOSPC || errno_value == EDQUOT ? ERR_FULL : ERR_IO;
    if (!err) return status;
    va_list list;
    va_start(list, format);
    int len = vsnprintf(err->text, sizeof err->text, format, list);
    va_end(list);
    if (len >= 0 && (size_t)len < sizeof err->text)
        snprintf(err->text + len, sizeof err->text - (size_t)len, ": %s", strerror(errno_value));
    err->code = status;
    err->field[0] = 0;
    return status;
}

Status err_wrap(Err *err, Status status, const char *format, ...)
{
    check(status != OK);
    if (!err) return status;
    char inner[ERR_TEXT_BYTES];
    memcpy(inner, err->text, sizeof inner);
    va_list list;
    va_start(list, format);
    int len = vsnprintf(err->text, sizeof err->text, format, list);
    va_end(list);
    if (len >= 0 && (size_t)len < sizeof err->text)
        snprintf(err->text + len, sizeof err->text - (size_t)len, ": %s", inner);
    err->code = status;
    return status;
}

const char *status_word(Status status)
{
    switch (status) {
    case OK: return "ok";
#define ERROR(name, word, meaning) case name: return word;
#include "err.tbl.h"
#undef ERROR
    }
    return "unknown";
}

const char *status_meaning(Status status)
{
    switch (status) {
    case OK: return "all is well";
#define ERROR(name, word, meaning) case name: return meaning;
#include "err.tbl.h"
#undef ERROR
    }
    return "unknown";
}

void check_failed(const char *condition, const char *file, int line, const char *function)
{
    if (errno == ENOMEM) {                       /* not a bug: nothing can go on without this memory */
        fprintf(stderr,
                "onym: the machine has no more memory to give (%s:%d: %s). What was acknowledged is on the disk. "
                "Give it more (ulimit -v, MemoryMax, a container's limit), or lower queries.memory\n",
                file, line, condition);
        fflush(stderr);
        _exit(1);
    }
    fprintf(stderr, "onym: bug: %s:%d: %s: this must hold: %s\n", file, line, function, condition);
    fflush(stderr);
    abort();
}
