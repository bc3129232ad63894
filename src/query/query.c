/* query: the fourth corridor. A question's kind picks who answers; each parses, scans and writes for itself. */
#include "query_answer.h"

#include <stdlib.h>

Status query_run(QueryKind kind, Str question, const QueryWorld *world, struct buf *answer, Err *err)
{
    static QueryAnswer *const answers[QUERY_KIND_COUNT] = {
        [QUERY_FUNNEL] = answer_funnel, [QUERY_FUNNEL_PEOPLE] = answer_funnel_people, [QUERY_TRENDS]
            = answer_trends,
        [QUERY_RETENTION] = answer_retention, [QUERY_PATHS] = answer_paths, [QUERY_SIGNUPS] = answer_signups,
        [QUERY_EVENTS] = answer_events,
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

void answer_instant(Millis at_ms, struct buf *answer)
{
    if (at_ms == INT64_MIN || at_ms == INT64_MAX) {
        buf_str_put(answer, STR("null"));
        return;
    }
    buf_char(answer, '"');
    buf_instant(answer, at_ms);
    buf_char(answer, '"');
}

void answer_share(uint64_t part, uint64_t whole, struct buf *answer)
{
    buf_json_double(answer, whole ? (double)part / (double)whole : 0);
}

void answer_close(const Request *request, struct scan *scan, struct buf *answer)
{
    buf_str_put(answer, STR(",\"from\":"));
    answer_instant(request->from_ms, answer);
    buf_str_put(answer, STR(",\"to\":"));
    answer_instant(request->to_ms, answer);
    buf_str_put(answer, STR(",\"timezone\":"));
    buf_json_string(answer, request->zone_name);
    buf_char(answer, ',');
    scan_write_warnings(scan, answer);
    buf_printf(answer, ",\"rows\":%" PRIu64 ",\"matched\":%" PRIu64 "}", scan_row_count(scan),
               scan_hit_count(scan));
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

void pile_open(struct pile *pile, size_t bytes)
{
    *pile = (struct pile){ 0 };
    region_open_large(&pile->region, bytes);
    pile->items = (uint64_t *)pile->region.start;
    pile->max = bytes / sizeof *pile->items;
}

void pile_close(struct pile *pile) { region_close(&pile->region); }
