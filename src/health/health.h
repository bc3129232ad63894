/* health: what we counted.
 *
 * Counters are relaxed atomics in one struct that server/ owns and hands to whoever counts; the table in
 * counters.tbl.h names each with one sentence. Low layers (journal, index) keep plain statistics of
 * their own, which are read here when /metrics is asked. Any thread may count and read.
 */
#ifndef ONYM_HEALTH_HEALTH_H
#define ONYM_HEALTH_HEALTH_H

#include <stdatomic.h>

#include "base/base.h"
#include "journal/journal.h"

typedef enum Counter {
#define COUNTER(name, label, metric, help) name,
#include "counters.tbl.h"
#undef COUNTER
    COUNTER_COUNT
} Counter;

struct health {
    _Atomic uint64_t counts[COUNTER_COUNT];
    Millis started_at_ms;
};

static inline void health_add(struct health *health, Counter counter, uint64_t by)
{
    atomic_fetch_add_explicit(&health->counts[counter], by, memory_order_relaxed);
}

uint64_t health_get(const struct health *health, Counter counter);

/* The counters and the journal's statistics in Prometheus' text format 0.0.4. */
void health_write_metrics(const struct health *health, const JournalStats *journal, struct buf *out);

/* HELP and TYPE of a family of samples. kind: "gauge" or "counter". */
void health_write_head(struct buf *out, const char *metric, const char *kind, const char *help);
/* One sample of a family: metric{label="name"} value. name: of letters, digits, ". _ -", as configured names are. */
void health_write_labelled(struct buf *out, const char *metric, const char *label, Str name, double value);
/* One sample with its HELP and TYPE, for statistics that live elsewhere. kind: "gauge" or "counter". */
void health_write_sample(struct buf *out, const char *metric, const char *kind, const char *help, double value);

#endif
