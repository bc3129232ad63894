/* ask_answer: the kinds of questions, from inside the folder, and what their answers have in common. */
#ifndef ONYM_ASK_ANSWER_H
#define ONYM_ASK_ANSWER_H

#include "ask.h"

/* Each parses the rest of the question, scans, and appends its answer. The arena is the question's. */
typedef Status QueryAnswer(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err);
#define QUESTION(KIND, answer, ...) QueryAnswer answer_##answer;
#include "questions.tbl.h"

/* ,"complete":… if the world knows it; each answer's last member. */
void answer_moment(const QueryWorld *world, struct buf *answer);
/* ,"from":"…","to":"…","timezone":"…","warnings":[…],"rows":…,"matched":… and the closing brace */
void answer_close(const Query *query, struct scan *scan, struct buf *answer);
/* ERR_CLOSED if the client has left. Called while an answer is put together, which may take as long as a scan. */
Status MUST answer_go_on(const QueryWorld *world, Err *err);
void answer_instant(struct buf *answer, const char *name, Millis at_ms);     /* null for the ends of time */
void answer_share(struct buf *answer, const char *name, uint64_t part, uint64_t whole);     /* 0 if whole is 0 */

/* A line of a breakdown, and in which order they come: most people first, equal ones by value. */
typedef struct RankedGroup {
    uint64_t people;
    uint32_t group;
} RankedGroup;
void answer_rank(RankedGroup *ranked, uint32_t count, const Groups *groups);

/* Gives zeroed memory of the question's, or sets the Err. */
void *answer_take(Arena *arena, size_t size, size_t count, Status *status, Err *err);

/* Numbers that each worker keeps until all are done: one growing array for each worker, in its own region. */
struct number_vector {
    struct region region;
    uint64_t *items;                /* pairs, triples: as the owner likes */
    size_t count, max;
    bool is_full;
};
void number_vector_open(struct number_vector *vector, size_t bytes);
void number_vector_close(struct number_vector *vector);
/* One for each of the workers; bytes: of all together. */
void number_vectors_open(struct number_vector *vectors, uint32_t worker_count, size_t bytes);
void number_vectors_close(struct number_vector *vectors, uint32_t worker_count);
static inline bool number_vector_put(struct number_vector *vector, uint64_t item)
{
    if (vector->count == vector->max) return vector->is_full = true, false;
    vector->items[vector->count++] = item;
    return true;
}

#endif
