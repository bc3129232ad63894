/* health_count: the counters as Prometheus reads them. */
#include "health.h"

static const struct { const char *label, *metric, *help; } counters[] = {
#define COUNTER(name, label, metric, help) [name] = { label, metric, help },
#include "counters.tbl.h"
#undef COUNTER
};

uint64_t health_get(const struct health *health, Counter counter)
{
    return atomic_load_explicit(&health->counts[counter], memory_order_relaxed);
}

void health_write_head(struct buf *out, const char *metric, const char *kind, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, kind);
}

void health_write_labelled(struct buf *out, const char *metric, const char *label, Str name, double value)
{
    buf_printf(out, "%s{%s=\"%.*s\"} ", metric, label, STR_FORMAT(name));
    buf_json_double(out, value);
    buf_char(out, '\n');
}

void health_write_sample(struct buf *out, const char *metric, const char *kind, const char *help, double value)
{
    health_write_head(out, metric, kind, help);
    buf_printf(out, "%s ", metric);
    buf_json_double(out, value);
    buf_char(out, '\n');
}

static void write_journal(struct buf *out, const JournalStats *journal)
{
    const struct { const char *metric, *kind, *help; double value; } rows[] = {
        { "onym_journal_commits_total", "counter", "Group commits", (double)journal->commits },
        { "onym_journal_records_total", "counter", "Records made durable", (double)journal->records },
        { "onym_journal_record_bytes_total", "counter", "Bytes of records made durable",
          (double)journal->record_bytes },
        { "onym_journal_commit_seconds_total", "counter", "Time spent in write and sync",
          (double)journal->commit_ns_total / 1e9 },
        { "onym_journal_commit_seconds_max", "gauge", "Longest commit so far", (double)journal->commit_ns_max / 1e9 },
        { "onym_journal_sync_failures_total", "counter",
          "Failed syncs; after one the journal refuses all until a restart", (double)journal->sync_failures },
        { "onym_journal_full_failures_total", "counter", "Commits refused because the disk was full",
          (double)journal->full_failures },
        { "onym_journal_segments", "gauge", "Segment files", (double)journal->segments },
        { "onym_journal_sealed_segments", "gauge", "Segment files that are compressed",
          (double)journal->sealed_segments },
        { "onym_journal_disk_bytes", "gauge", "Size of all segment files", (double)journal->disk_bytes },
        { "onym_journal_raw_bytes", "gauge", "Size of the same records uncompressed", (double)journal->raw_bytes },
        { "onym_journal_retired_segments_total", "counter", "Segments removed by retention",
          (double)journal->retired_segments },
        { "onym_journal_first_position", "gauge", "Oldest position kept", (double)journal_number(journal->first) },
        { "onym_journal_end_position", "gauge", "Position after the last durable record",
          (double)journal_number(journal->end) },
        { "onym_journal_poisoned", "gauge", "1 after a failed sync: restart Onym, its recovery decides",
          journal->is_poisoned },
        { "onym_journal_astray", "gauge", "1 while the file that is being written was moved or removed",
          journal->is_astray },
        { "onym_journal_full", "gauge", "1 while the disk is full", journal->is_full },
    };
    for (size_t at = 0; at < countof(rows); at++)
        health_write_sample(out, rows[at].metric, rows[at].kind, rows[at].help, rows[at].value);
}

void health_write_metrics(const struct health *health, const JournalStats *journal, struct buf *out)
{
    const char *metric = "";
    for (size_t at = 0; at < countof(counters); at++) {
        if (strcmp(metric, counters[at].metric) != 0)
            health_write_head(out, counters[at].metric, "counter", counters[at].help);
        metric = counters[at].metric;
        buf_printf(out, counters[at].label[0] ? "%s{%s} " : "%s%s ", metric, counters[at].label);
        buf_int(out, (int64_t)health_get(health, (Counter)at));
        buf_char(out, '\n');
    }
    health_write_sample(out, "process_start_time_seconds", "gauge", "When this process started",
                        (double)health->started_at_ms / 1000);
    write_journal(out, journal);
}
