/* ask: the fourth corridor. A question's kind picks the function that answers; each one parses, scans and writes. */
#include "ask_answer.h"

#include <stdlib.h>

Status query_run(QueryKind kind, Str question, const QueryWorld *world, struct buf *answer, Err *err)
{
    static QueryAnswer *const answers[QUERY_KIND_COUNT] = {
#define QUESTION(KIND, answer, ...) [QUERY_##KIND] = answer_##answer,
#include "questions.tbl.h"
    };
    struct region region;
    size_t before = answer->len;
    check(kind < QUERY_KIND_COUNT && world->index && world->people);
    region_open(&region, (world->memory_bytes ? world->memory_bytes : (size_t)1 << 30) / 8 + (8 << 20));
    Arena arena = region_arena(&region);
    Status s = answers[kind](question, world, &arena, answer, err);
    if (!s && !buf_ok(answer))
        s = err_set(err, ERR_TOO_LARGE, "the answer is over %zu bytes; ask for less", answer->max);
    if (s) {
        buf_clear(answer);
        answer->len = before;
    }
    region_close(&region);
    return s;
}

/* ---- What answers have in common ---- */

Status answer_go_on(const QueryWorld *world, Err *err)
{
    return query_is_given_up(world) ? err_set(err, ERR_CLOSED, "the question was given up") : OK;
}

void answer_instant(struct buf *answer, const char *name, Millis at_ms)
{
    if (at_ms == INT64_MIN || at_ms == INT64_MAX) json_null(answer, name);
    else json_instant(answer, name, at_ms);
}

void answer_share(struct buf *answer, const char *name, uint64_t part, uint64_t whole)
{
    json_double(answer, name, whole ? (double)part / (double)whole : 0);
}

void answer_moment(const QueryWorld *world, struct buf *answer)
{
    const QueryMoment *moment = world->moment;
    if (!moment) return;
    if (moment->is_complete) {
        json_bool(answer, "complete", true);
        return;
    }
    json_bool(answer, "complete", false);
    json_object(answer, "behind");
    json_double(answer, "share_applied", moment->share_applied);
    json_int(answer, "ms", moment->behind_ms);
    json_bool(answer, "is_starting", moment->is_starting);
    json_object_end(answer);
}

void answer_close(const Query *query, struct scan *scan, struct buf *answer)
{
    if (query->is_of_groups) json_word(answer, "of", "groups");
    answer_instant(answer, "from", query->from_ms);
    answer_instant(answer, "to", query->to_ms);
    json_string(answer, "timezone", query->zone_name);
    scan_write_warnings(scan, query, answer);
    json_uint(answer, "rows", scan_row_count(scan));
    json_uint(answer, "matched", scan_hit_count(scan));
    answer_moment(query->world, answer);
    json_object_end(answer);
}

static int compare_ranked(const void *a, const void *b, void *groups)
{
    const RankedGroup *left = a, *right = b;
    if (left->people != right->people) return left->people > right->people ? -1 : 1;
    return group_compare(groups, left->group, right->group);
}

void answer_rank(RankedGroup *ranked, uint32_t count, const Groups *groups)
{
    qsort_r(ranked, count, sizeof *ranked, compare_ranked, (void *)(uintptr_t)groups);
}

void *answer_take(Arena *arena, size_t size, size_t count, Status *status, Err *err)
{
    void *at = *status ? NULL : arena_try(arena, size, 16, count ? count : 1);
    if (at) return memset(at, 0, size * (count ? count : 1));
    if (!*status)
        *status = err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may; narrow it");
    return NULL;
}

void number_vector_open(struct number_vector *vector, size_t bytes)
{
    *vector = (struct number_vector){ 0 };
    region_open_large(&vector->region, bytes);
    vector->items = (uint64_t *)vector->region.start;
    vector->max = bytes / sizeof *vector->items;
}

void number_vector_close(struct number_vector *vector) { region_close(&vector->region); }

void number_vectors_open(struct number_vector *vectors, uint32_t worker_count, size_t bytes)
{
    for (uint32_t at = 0; at < worker_count; at++) number_vector_open(&vectors[at], bytes / worker_count);
}

void number_vectors_close(struct number_vector *vectors, uint32_t worker_count)
{
    for (uint32_t at = 0; at < worker_count; at++) number_vector_close(&vectors[at]);
}
