/* api_warehouses: the states of the warehouses, with the destinations, and as rows of /metrics. */
#include "api_routes.h"

#include "warehouse/warehouse.h"

typedef struct Seen {
    WarehouseStatus status;
    uint64_t lag_bytes;
    Millis lag_ms;                           /* since the last load, while there is something to load */
} Seen;

static size_t look(const ApiOptions *options, Seen seen[WAREHOUSES_MOST])
{
    JournalPos end = journal_end(options->journal);
    Millis now_ms = clock_now_ms(options->clock);
    for (size_t at = 0; at < options->warehouse_count; at++) {
        WarehouseStatus *status = &seen[at].status;
        warehouse_read_status(options->warehouses[at], status);
        Millis since_ms = status->loaded_at_ms ? status->loaded_at_ms : options->health->started_at_ms;
        bool is_behind = status->position < end;
        seen[at].lag_bytes = is_behind ? journal_distance(status->position, end) : 0;
        seen[at].lag_ms = is_behind && now_ms > since_ms ? now_ms - since_ms : 0;
    }
    return options->warehouse_count;
}

void api_warehouses_write(const ApiOptions *options, struct buf *out)
{
    Seen seen[WAREHOUSES_MOST];
    size_t count = look(options, seen);
    json_array(out, "warehouses");
    for (size_t at = 0; at < count; at++) {
        const WarehouseStatus *status = &seen[at].status;
        json_object(out, NULL);
        json_string(out, "name", status->name);
        json_string(out, "type", status->type);
        json_string(out, "schema", status->schema);
        json_word(out, "state", status->has_failed ? "waiting" : "running");
        json_uint(out, "position", status->position);
        json_uint(out, "lag_bytes", seen[at].lag_bytes);
        json_int(out, "lag_ms", seen[at].lag_ms);
        json_uint(out, "loads", status->loads);
        json_uint(out, "rows", status->rows);
        json_uint(out, "discards", status->discards);
        json_uint(out, "refused", status->refused);
        json_uint(out, "repeated", status->repeated);
        if (status->loaded_at_ms) json_instant(out, "last_success_at", status->loaded_at_ms);
        else json_null(out, "last_success_at");
        json_string_or_null(out, "last_error", str_from(status->has_failed ? status->error : status->trouble));
        json_object_end(out);
    }
    json_array_end(out);
}

static double running_of(const Seen *seen) { return !seen->status.has_failed; }
static double lag_of(const Seen *seen) { return (double)seen->lag_ms / 1000; }
static double lag_bytes_of(const Seen *seen) { return (double)seen->lag_bytes; }
static double loads_of(const Seen *seen) { return (double)seen->status.loads; }
static double rows_of(const Seen *seen) { return (double)seen->status.rows; }
static double discards_of(const Seen *seen) { return (double)seen->status.discards; }
static double refused_of(const Seen *seen) { return (double)seen->status.refused; }

void api_warehouses_metrics(const ApiOptions *options, struct buf *out)
{
    static const struct {
        const char *metric, *kind, *help;
        double (*value)(const Seen *seen);
    } rows[] = {
        { "onym_warehouse_running", "gauge", "0 while it waits after an error", running_of },
        { "onym_warehouse_lag_seconds", "gauge", "Time since the last load, while there is something to load", lag_of },
        { "onym_warehouse_lag_bytes", "gauge", "Journal bytes that are not loaded", lag_bytes_of },
        { "onym_warehouse_loads_total", "counter", "Loads that were committed", loads_of },
        { "onym_warehouse_rows_total", "counter", "Rows that were loaded", rows_of },
        { "onym_warehouse_discards_total", "counter", "Values that found no column", discards_of },
        { "onym_warehouse_refused_total", "counter", "Rows that the server refused", refused_of },
    };
    Seen seen[WAREHOUSES_MOST];
    size_t count = look(options, seen);
    for (size_t row = 0; count && row < countof(rows); row++) {
        health_write_head(out, rows[row].metric, rows[row].kind, rows[row].help);
        for (size_t at = 0; at < count; at++)
            health_write_labelled(out, rows[row].metric, "warehouse", seen[at].status.name, rows[row].value(&seen[at]));
    }
}
