/* api_profiles: what the two files of Segment's Profile API share. Private to api/. */
#ifndef ONYM_API_PROFILES_H
#define ONYM_API_PROFILES_H

#include "api_people.h"

/* ?limit= and ?next= of a page. */
typedef struct ProfilePage {
    size_t limit;
    Str next;                       /* empty: the first page */
} ProfilePage;

Status MUST profiles_read_page(struct exchange *exchange, Arena *arena, int64_t usual, int64_t max, ProfilePage *ret,
                               Err *err);
/* ,"cursor":{"url":...,"has_more":...,"next":"...","limit":...}} : ends the answer. */
void profiles_put_cursor(struct exchange *exchange, struct buf *out, size_t limit, Str next);
/* Is the text in a list with commas between its items? If empty_has, an empty list has everything. */
bool profiles_lists(Str list, Str text, bool empty_has);
/* "traits":{...},"cursor":{...}} of ?include=, ?verbose=, ?limit=, ?next=. */
Status MUST profiles_put_traits(struct exchange *exchange, const People *people, const ProfileValues *traits,
                                Arena *arena, struct buf *out, Err *err);
/* The source of the message at a position; empty if it is retired or erased. In the arena. */
Str profiles_source(const People *people, uint64_t position, Arena *arena);
/* {"collection","type","id","encoding", and if known "created_at","source_id","first_message_id"} */
typedef struct ProfileId {
    const char *collection;
    Str type, id;
    bool has_origin;
    Millis created_at_ms;
    Str source, message_id;
} ProfileId;
void profiles_put_id(struct buf *out, const ProfileId *id);
/* Which ids of a person an answer lists: those of the kinds that include names (all if it is empty). */
typedef struct ProfileIds {
    Str include;
    size_t from, limit;
    size_t next;                        /* set: where the next page begins; 0: there is none */
} ProfileIds;
Status MUST profiles_put_person_ids(const People *people, IdentityPerson person, ProfileIds *asked, Arena *arena,
                                    struct buf *out, Err *err);

#endif
