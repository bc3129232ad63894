/* ask_moments: an instant for each of some people. */
#include "ask_moments.h"

void moments_open(struct moments *moments, uint32_t worker_count, size_t bytes)
{
    moments->worker_count = worker_count;
    number_vectors_open(moments->vectors, worker_count, bytes);
}

void moments_close(struct moments *moments)
{
    number_vectors_close(moments->vectors, moments->worker_count);
    moments->worker_count = 0;
}

static void mark_people(struct moments *moments, size_t word_count)
{
    for (uint32_t worker = 0; worker < moments->worker_count; worker++)
        for (size_t at = 0; at < moments->vectors[worker].count; at += 2) {
            uint64_t person = moments->vectors[worker].items[at];
            moments->people[person / 64] |= UINT64_C(1) << person % 64;
        }
    for (size_t word = 0; word < word_count; word++) {
        moments->ranks[word] = (uint32_t)moments->count;
        moments->count += (size_t)__builtin_popcountll(moments->people[word]);
    }
}

Status moments_gather(struct moments *moments, uint32_t people_max, const char *many, Arena *arena, Err *err)
{
    Status s = OK;
    size_t count = 0, word_count = people_max / 64 + (size_t)1;
    for (uint32_t worker = 0; worker < moments->worker_count; worker++) {
        count += moments->vectors[worker].count / 2;
        if (moments->vectors[worker].is_full)
            return err_set(err, ERR_TOO_LARGE, "too many %s for the memory that a question may use; narrow it", many);
    }
    moments->times_ms = answer_take(arena, sizeof *moments->times_ms, count, &s, err);
    moments->people = answer_take(arena, sizeof(uint64_t), word_count, &s, err);
    moments->ranks = answer_take(arena, sizeof *moments->ranks, word_count, &s, err);
    if (s) return s;
    mark_people(moments, word_count);
    check(moments->count == count);                        /* each person is in one vector, once */
    for (uint32_t worker = 0; worker < moments->worker_count; worker++)
        for (size_t at = 0; at < moments->vectors[worker].count; at += 2)
            moments->times_ms[moments_rank(moments, (uint32_t)moments->vectors[worker].items[at])]
                = (Millis)moments->vectors[worker].items[at + 1];
    return OK;
}
