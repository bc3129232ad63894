/* scan: passes each question to the back end that its world names. */
#include "scan.h"

Status scan_open(const Query *query, const ScanSpec *spec, struct scan **ret, Err *err)
{
    const ScanBackend *backend = query->world->backend ? query->world->backend : &scan_columns;
    check(!spec->like || spec->like->backend == backend);
    return backend->open(query, spec, ret, err);
}

Status scan_list(const Query *query, const CatalogueSpec *spec, struct catalogue **ret, Err *err)
{
    const ScanBackend *backend = query->world->backend ? query->world->backend : &scan_columns;
    return backend->list(query, spec, ret, err);
}

Status scan_run(struct scan *scan, Err *err) { return scan->backend->run(scan, err); }

void scan_close(struct scan *scan)
{
    if (scan) scan->backend->close(scan);
}

Groups *scan_groups(struct scan *scan) { return scan->backend->groups(scan); }

uint32_t scan_worker_count(const struct scan *scan) { return scan->backend->worker_count(scan); }

uint32_t scan_people_max(const struct scan *scan) { return scan->backend->people_max(scan); }

bool scan_time_range(const struct scan *scan, Millis *ret_first_ms, Millis *ret_last_ms)
{
    return scan->backend->time_range(scan, ret_first_ms, ret_last_ms);
}

Millis scan_last_event_ms(const struct scan *scan) { return scan->backend->last_event_ms(scan); }

Str scan_account(const struct scan *scan, uint32_t person) { return scan->backend->account(scan, person); }

uint64_t scan_row_count(const struct scan *scan) { return scan->backend->row_count(scan); }

uint64_t scan_hit_count(const struct scan *scan) { return scan->backend->hit_count(scan); }

Status scan_position(struct scan *scan, uint32_t ref, Arena scratch, JournalPos *ret, Err *err)
{
    return scan->backend->position(scan, ref, scratch, ret, err);
}

void scan_join(struct scan *scan, const struct scan *other) { scan->backend->join(scan, other); }

void scan_write_warnings(const struct scan *scan, const Query *query, struct buf *answer)
{
    scan->backend->write_warnings(scan, query, answer);
}

void scan_count_text(struct scan *scan, Str field, uint32_t number_kind)
{
    scan->backend->count_text(scan, field, number_kind);
}
