/* ask_moments: an instant for each of some people. One scan finds them, and later scans, which look only at these
 * people, ask for them. Workers put pairs of person and instant. Then the pairs are put in the order of people: a bit
 * for each person, how many people are in the words before, and the instants in order of their bits. So code that reads
 * rows in the order of people reads this in order, too, and a person who is not among them costs only a bit. */
#ifndef ONYM_ASK_MOMENTS_H
#define ONYM_ASK_MOMENTS_H

#include "ask_answer.h"

struct moments {
    struct number_vector vectors[QUERY_WORKERS_MAX];    /* person, time, person, time */
    uint32_t worker_count;
    uint64_t *people;                   /* a bit each, as ScanSpec.only_people */
    uint32_t *ranks;                    /* a word of bits: how many people are in those before it */
    Millis *times_ms;                   /* in order of the bits */
    size_t count;
};

/* bytes: of all vectors together. */
void moments_open(struct moments *moments, uint32_t worker_count, size_t bytes);
void moments_close(struct moments *moments);            /* only the vectors; when they are gathered, or not needed */
static inline void moments_put(struct moments *moments, uint32_t worker, uint32_t person, Millis time_ms)
{
    struct number_vector *vector = &moments->vectors[worker];
    (void)(number_vector_put(vector, person) && number_vector_put(vector, (uint64_t)time_ms));
}
/* Each person was put once. ERR_TOO_LARGE: there were too many; `many` is their name in the message ("sign-ups"). */
Status MUST moments_gather(struct moments *moments, uint32_t people_max, const char *many, Arena *arena, Err *err);

/* The person's place in times_ms; the person is one of them. */
static inline size_t moments_rank(const struct moments *moments, uint32_t person)
{
    uint64_t below = moments->people[person / 64] & ((UINT64_C(1) << person % 64) - 1);
    return moments->ranks[person / 64] + (size_t)__builtin_popcountll(below);
}

#endif
