/* ask_weekdays: on which days of the week an event happens, by UTC. The example of tests/questions: a kind of question
 * in one file. */
#include "ask_answer.h"

enum { DAYS = 7, FIRST_DAY = 3 };        /* 1970 began on a Thursday, and weeks on a Monday */

struct weekdays {
    Query query;
    Selector selector;
    uint64_t counts[QUERY_WORKERS_MAX][DAYS];
};

static void count_row(void *context, uint32_t worker, const ScanRow *row)
{
    struct weekdays *weekdays = context;
    Millis day = calendar_floor(row->time_ms, DAY_MS);
    weekdays->counts[worker][((day + FIRST_DAY) % DAYS + DAYS) % DAYS]++;
}

static void write_days(const struct weekdays *weekdays, struct buf *answer)
{
    static const char *const names[DAYS] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
                                             "Sunday" };
    buf_str_put(answer, STR("{\"days\":["));
    for (size_t day = 0; day < DAYS; day++) {
        uint64_t count = 0;
        for (size_t worker = 0; worker < QUERY_WORKERS_MAX; worker++) count += weekdays->counts[worker][day];
        buf_printf(answer, "%s{\"day\":\"%s\",\"events\":%" PRIu64 "}", day ? "," : "", names[day], count);
    }
    buf_char(answer, ']');
}

Status answer_weekdays(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    static const char *const allowed[] = { "event", "from", "to", "timezone", "where", NULL };
    Status s = OK;
    struct weekdays *weekdays = answer_take(arena, sizeof *weekdays, 1, &s, err);
    struct scan *scan = NULL;
    if (!s) s = query_open(&weekdays->query, question, world, arena, allowed, err);
    if (!s) s = query_event(&weekdays->query, "event", "*", &weekdays->selector);
    if (s) return s;
    ScanSpec spec = { .selectors = &weekdays->selector, .selector_count = 1, .needed_bits = 1, .on_row = count_row,
                      .context = weekdays };
    s = scan_open(&weekdays->query, &spec, &scan, err);
    if (!s) s = scan_run(scan, err);
    if (!s) write_days(weekdays, answer);
    if (!s) answer_close(&weekdays->query, scan, answer);
    scan_close(scan);
    return s;
}
