/* page: where the next page of a list begins, as a text that a client sends back: `cursor.next` of an answer becomes
 * ?cursor=, ?next= or ?after= of the next request, or a question's "cursor". Every such text is written and read here.
 * (One is not: traits come in the order of their names, so a page of the Profile API's traits begins with a
 * plain name. And a dead letter's `next` is a JSON number, not a text; when it comes back it is read here.)
 *
 * To a client a cursor is a word without a meaning; docs/compatibility.md says how long one is valid. What comes back
 * may be anything: page_read accepts nothing but what page_write may have written. No state, any thread.
 */
#ifndef ONYM_BASE_PAGE_H
#define ONYM_BASE_PAGE_H

#include "buf.h"
#include "hash.h"
#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum PageKind {
    PAGE_NUMBER,            /* "25": how many items came before, or the number of the last one */
    PAGE_EVENT,             /* "1767225600000-4711": time and position (number) of the last event of the page */
    PAGE_NEXT_EVENT,        /* "4711.1767225600000": position (number) and time of the first event of the next page */
    PAGE_PERSON,            /* "1767225600000.17": when the page's last person began, and that person's number */
    PAGE_HASH,              /* "m" and 32 hexadecimal digits: the last one's hash, the upper half first */
    PAGE_KINDS
} PageKind;

typedef struct PageCursor {
    uint64_t number;        /* at most INT64_MAX */
    int64_t time_ms;        /* may be before 1970 */
    Hash128 hash;
} PageCursor;

enum { PAGE_CURSOR_BYTES = 48 };

/* most: the greatest number that is possible here. Members that the kind does not have become 0; an empty text means
 * the first page, and every member is 0. ERR_INPUT, with the field: no page gave this text. */
Status MUST page_read(PageKind kind, uint64_t most, Str text, const char *field, PageCursor *ret, Err *err);
/* Writes into the room; the result borrows it. */
Str page_write(PageKind kind, PageCursor cursor, char room[PAGE_CURSOR_BYTES]);
/* ,"cursor":{"has_more":true,"next":"…"} of a list; next empty: it was the last page, and "next" is null. */
void page_put(struct buf *out, Str next);

#ifdef __cplusplus
}
#endif
#endif
