/* err: trouble as a value. A fallible function returns Status (OK is 0) and is marked MUST; its last
 * parameter is an Err that the caller owns and that is written only on failure.
 *
 * The text says place, thing and way out: "journal /data: commit at 8178: No space left on device;
 * free space, writes resume by themselves". Each level that knows more adds a phrase in front with
 * err_wrap. Only main/, the thread loops and http/ log; all other code returns.
 */
#ifndef ONYM_BASE_ERR_H
#define ONYM_BASE_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum Status {
    OK = 0,
#define ERROR(name, word, meaning) name,
#include "err.tbl.h"
#undef ERROR
} Status;

enum { ERR_TEXT_BYTES = 400 };

typedef struct Err {
    Status code;
    char text[ERR_TEXT_BYTES];     /* cut, never overflowing */
    char field[64];                /* the input's field that is at fault, or empty */
} Err;

/* Fills err (may be NULL) and gives the status back, so that "return err_set(...)" does both. */
Status err_set(Err *err, Status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
Status err_set_field(Err *err, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "format: strerror(errno)"; ENOSPC and EDQUOT become ERR_FULL, the rest ERR_IO. */
Status err_set_errno(Err *err, int errno_value, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts "format: " before the text that is there. */
Status err_wrap(Err *err, Status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

const char *status_word(Status status);         /* "invalid_request" */
const char *status_meaning(Status status);

#ifdef __cplusplus
}
#endif
#endif
