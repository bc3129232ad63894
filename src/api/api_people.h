/* api_people: what the files of /api/v1/people and of the Profile API share. Private to api/. */
#ifndef ONYM_API_PEOPLE_H
#define ONYM_API_PEOPLE_H

#include "api_routes.h"

/* The person whom the path names. */
Status MUST people_find_one(struct exchange *exchange, const People *people, Arena *arena, IdentityPerson *ret,
                            Err *err);
/* ?limit=: from 1 to max; `usual` if it is not given. */
Status MUST people_read_limit(struct exchange *exchange, Arena *arena, int64_t usual, int64_t max, size_t *ret,
                              Err *err);
/* ?cursor= as a number that a page gave (PAGE_NUMBER); 0 if it is not given. */
Status MUST people_read_offset(struct exchange *exchange, Arena *arena, size_t max, size_t *ret, Err *err);
/* ,"cursor":{"has_more":...,"next":...} */
void people_put_offset(struct buf *out, bool has_more, size_t next);
/* {"history":[...],"cursor"}, all of it; {"groups":[...]}. */
Status MUST people_write_history(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err);
Status MUST people_write_groups(const People *people, IdentityPerson person, Arena *arena, struct buf *out, Err *err);
/* The request's JSON object; an empty body is an empty one. */
Status MUST people_read_body(struct exchange *exchange, Arena *arena, const TreeNode **ret, Err *err);
/* Signs the command and waits until it is in force. Without the guard. */
Status MUST people_submit(struct exchange *exchange, JournalCommand *command, JournalPos *ret_first,
                          JournalPos *ret_last, Err *err);
void people_put_command_id(struct buf *out, const CommandId *id);

#endif
