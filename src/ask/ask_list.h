/* ask_list: a page of a list of people. A first scan finds who they are: its workers put each person with the
 * instant at which their way began. The page is cut out of that, the latest first. A second scan of the same events
 * then looks only at the people of the page. */
#ifndef ONYM_ASK_LIST_H
#define ONYM_ASK_LIST_H

#include "ask_answer.h"

typedef struct AskMember {
    Millis entry_ms;
    uint32_t person;
} AskMember;

struct ask_list {
    uint32_t limit;
    bool has_cursor;
    Millis cursor_ms;
    uint32_t cursor_person;
    struct number_vector vectors[QUERY_WORKERS_MAX];    /* pairs: entry's time, person */
    uint32_t worker_count;
    uint64_t total;                     /* of all pages */
    AskMember *members;                 /* the page, in order */
    uint32_t member_count;
    bool has_more;
    uint64_t *only_people;              /* a bit each of the page's, as ScanSpec.only_people */
};

/* Reads "cursor" of the question; the caller reads limit. ERR_INPUT: no page gave this cursor. */
Status MUST ask_list_read(struct ask_list *list, const Query *query, Err *err);
/* bytes: of what the workers keep until the page is cut. */
void ask_list_open(struct ask_list *list, uint32_t worker_count, size_t bytes);
void ask_list_close(struct ask_list *list);             /* only the workers' part */
static inline void ask_list_put(struct ask_list *list, uint32_t worker, Millis entry_ms, uint32_t person)
{
    struct number_vector *vector = &list->vectors[worker];
    (void)(number_vector_put(vector, (uint64_t)entry_ms) && number_vector_put(vector, person));
}
/* ERR_TOO_LARGE: there were too many. people_max: of the scan. */
Status MUST ask_list_cut(struct ask_list *list, uint32_t people_max, Arena *arena, Err *err);
/* The person's place on the page; member_count: not on it. */
uint32_t ask_list_find(const struct ask_list *list, uint32_t person);
/* "person":{…}, as the world tells it, or the account that it is. */
void ask_list_write_person(const Query *query, struct scan *scan, uint32_t person, struct buf *answer);
/* "time","position" of a row, and with tells_message "message", null where it was retired or erased since. ref: as hits
 * have it, of this scan; 0: there is no such row. */
typedef struct AskRow {
    Millis time_ms;
    uint32_t ref;
    bool tells_message;
} AskRow;
Status MUST ask_list_write_row(const Query *query, struct scan *scan, AskRow row, struct buf *answer, Err *err);
/* "cursor":{"next","has_more"} */
void ask_list_write_cursor(const struct ask_list *list, struct buf *answer);

#endif
