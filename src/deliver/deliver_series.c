/* deliver_series: the last day of each destination, an item for each minute, for plots.
 *
 * When a published counter has grown, the difference counts for the minute in which that is seen. Of the lag, the
 * greatest value of each minute is kept. The series begin when the process starts: nothing was counted before. */
#include "deliver_runner.h"
#include <stdlib.h>

enum { MINUTES = DELIVER_MINUTES, COUNTERS = 5, LAG = COUNTERS, ROWS };

static const char *const row_names[ROWS] = { "received", "delivered", "retried", "dead", "filtered", "lag_ms" };
struct series {
    char name[DELIVER_NAME_BYTES];
    Millis from_ms;
    int64_t newest;                                  /* minute since 1970 */
    uint64_t before[COUNTERS];
    uint32_t values[ROWS][MINUTES];                  /* a minute's place: minute % MINUTES */
};

static struct series *find(struct deliver *deliver, Str name)
{
    for (size_t at = 0; at < deliver->series_count; at++)
        if (str_equal(str_from(deliver->series[at]->name), name)) return deliver->series[at];
    return NULL;
}

static struct series *find_or_make(struct deliver *deliver, const char *name)
{
    struct series *series = find(deliver, str_from(name));
    if (series || deliver->series_count == countof(deliver->series) || !(series = calloc(1, sizeof *series)))
        return series;
    memcpy(series->name, name, sizeof series->name);
    series->from_ms = deliver->now_ms;
    series->newest = deliver->now_ms / MINUTE_MS;
    return deliver->series[deliver->series_count++] = series;
}

/* The values in a new minute's place are a day old. If the clock is set back, the newest minute goes on. */
static int64_t move_to(struct series *series, int64_t minute)
{
    if (minute - series->newest > MINUTES) series->newest = minute - MINUTES;
    for (; series->newest < minute; series->newest++)
        for (size_t row = 0; row < ROWS; row++) series->values[row][(series->newest + 1) % MINUTES] = 0;
    return series->newest;
}

static void note(struct series *series, const DeliverState *state, Millis now_ms)
{
    const uint64_t now[COUNTERS] = { state->taken, state->delivered, state->retried, state->refused, state->skipped };
    size_t place = (size_t)(move_to(series, now_ms / MINUTE_MS) % MINUTES);
    for (size_t row = 0; row < COUNTERS; row++) {
        /* Less than before: the configuration was loaded anew, and its counters began again. */
        series->values[row][place] += (uint32_t)(now[row] - (now[row] < series->before[row] ? 0 : series->before[row]));
        series->before[row] = now[row];
    }
    uint32_t *lag = &series->values[LAG][place];
    if (state->lag_ms > *lag) *lag = state->lag_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)state->lag_ms;
}

void series_note(struct deliver *deliver)
{
    for (size_t at = 0; at < deliver->state_count; at++) {
        struct series *series = find_or_make(deliver, deliver->states[at].name);
        if (series) note(series, &deliver->states[at], deliver->now_ms);
    }
}

Status deliver_write_series(struct deliver *deliver, Str name, int minutes, struct buf *out, Err *err)
{
    pthread_mutex_lock(&deliver->mutex);
    struct series *series = find(deliver, name);
    if (series) {
        int64_t from = move_to(series, clock_now_ms(deliver->options.clock) / MINUTE_MS) - minutes + 1;
        json_object(out, NULL);
        json_instant(out, "from", from * MINUTE_MS);
        json_instant(out, "counted_from", series->from_ms);
        json_object(out, "series");
        for (size_t row = 0; row < ROWS; row++) {
            json_array(out, row_names[row]);
            for (int64_t at = from; at <= series->newest; at++)
                json_uint(out, NULL, series->values[row][at % MINUTES]);
            json_array_end(out);
        }
        json_object_end(out);
        json_object_end(out);
    }
    pthread_mutex_unlock(&deliver->mutex);
    return series ? OK : err_set(err, ERR_NOT_FOUND, "there is no destination %.*s", STR_FORMAT(name));
}
