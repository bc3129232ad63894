/* doctor_lost: finds events that came on most days and now come no more, while their source still sends others. It
 * reads the index, by the times of events, over the last 37 days: such an event had none in the last seven days, and
 * some on at least twenty of the thirty days before. Only tracks count: pages come and go. */
#include "doctor_private.h"

enum { QUIET_DAYS = 7, BUSY_DAYS = 30, ALL_DAYS = BUSY_DAYS + QUIET_DAYS, BUSY_LEAST = 20, SOURCES_MOST = 64 };

struct lost {
    Millis from_ms;
    uint64_t *days;                         /* for each group, a bit for each day */
    Millis *last_ms;                        /* for each group */
};

static void see_row(void *context, uint32_t worker, const ScanRow *row)
{
    struct lost *lost = context;
    int64_t day = (row->time_ms - lost->from_ms) / DAY_MS;
    (void)worker;
    if (row->group >= GROUPS_MAX || day < 0 || day >= ALL_DAYS) return;
    __atomic_fetch_or(&lost->days[row->group], UINT64_C(1) << day, __ATOMIC_RELAXED);
    Millis last_ms = __atomic_load_n(&lost->last_ms[row->group], __ATOMIC_RELAXED);
    while (row->time_ms > last_ms
           && !__atomic_compare_exchange_n(&lost->last_ms[row->group], &last_ms, row->time_ms, true, __ATOMIC_RELAXED,
                                           __ATOMIC_RELAXED)) continue;
}

static bool has_stopped(uint64_t days)
{
    uint64_t before = days & ((UINT64_C(1) << BUSY_DAYS) - 1), quiet = days >> BUSY_DAYS;
    return !quiet && __builtin_popcountll(before) >= BUSY_LEAST;
}

/* The event is still missing, so its last case is now. */
static void judge(struct exam *exam, Str source, struct scan *scan, const struct lost *lost)
{
    const Groups *groups = scan_groups(scan);
    for (uint32_t group = 0; group < groups->count; group++) {
        const IndexValue *value = &groups->values[group];
        if (value->kind != INDEX_STRING || !value->text.len || value->text.bytes[0] != '0' + EVENT_TRACK) continue;
        if (!has_stopped(lost->days[group])) continue;
        Millis quiet_ms = exam->now_ms - lost->last_ms[group];
        (void)tally_add(exam, &(DoctorSum){
            .code = DOCTOR_LO_3, .source = source, .event = str_slice(value->text, 1, value->text.len),
            .count = (uint64_t)(quiet_ms / DAY_MS), .of = ALL_DAYS, .first_ms = lost->last_ms[group] + DAY_MS,
            .last_ms = exam->now_ms,
        });
    }
}

static void put_question(struct buf *out, Str source, Millis from_ms, Millis to_ms)
{
    json_object(out, NULL);
    json_instant(out, "from", from_ms);
    json_instant(out, "to", to_ms);
    json_array(out, "where");
    json_object(out, NULL);
    json_string(out, "field", STR("source"));
    json_string(out, "op", STR("="));
    json_string(out, "value", source);
    json_object_end(out);
    json_array_end(out);
    json_object_end(out);
}

static Status examine_source(struct exam *exam, Str source, Arena scratch, Err *err)
{
    static const char *const allowed[] = { "from", "to", "where", NULL };
    TreeNode star = { .kind = FIELD_STRING, .text = STR("*") };
    struct lost lost = { .from_ms = exam->now_ms - ALL_DAYS * DAY_MS };
    struct scan *scan = NULL;
    Query query;
    Selector any;
    char room[2048];
    struct buf question;
    buf_init_fixed(&question, room, sizeof room);
    put_question(&question, source, lost.from_ms, exam->now_ms);
    Status s = buf_ok(&question) ? query_open(&query, buf_str(&question), exam->question->world, &scratch, allowed,
                                              err)
                                 : err_set(err, ERR_TOO_LARGE, "the doctor: a source with such a name");
    if (!s) s = query_selector(&query, &star, "event", NULL, &any);
    ScanSpec spec = { .selectors = &any, .selector_count = 1, .group_bits = UINT32_MAX, .by_event = true,
                      .on_row = see_row, .context = &lost };
    if (!s) s = scan_open(&query, &spec, &scan, err);
    if (!s) {
        size_t count = scan_groups(scan)->count + (size_t)1;
        lost.days = arena_try(&scratch, sizeof *lost.days, 16, count);
        lost.last_ms = arena_try(&scratch, sizeof *lost.last_ms, 16, count);
        if (!lost.days || !lost.last_ms) s = err_set(err, ERR_TOO_LARGE, "the doctor: too many events");
    }
    if (!s) s = scan_run(scan, err);
    if (!s) judge(exam, source, scan, &lost);
    scan_close(scan);
    return s;
}

/* For each source that has sent something in the last QUIET_DAYS. */
Status doctor_pass_lost(struct exam *exam, Err *err)
{
    uint32_t told[SOURCES_MOST], count = 0;
    Status s = OK;
    if (!exam->question->applier) return OK;                /* a test made the rows */
    for (size_t at = 0; at < exam->row_count && count < SOURCES_MOST; at++) {
        const DoctorRow *row = &exam->rows[at];
        bool is_new = row->source && row->arrival_ms > exam->now_ms - QUIET_DAYS * DAY_MS;
        for (uint32_t before = 0; before < count; before++) is_new &= told[before] != row->source;
        if (is_new) told[count++] = row->source;
    }
    for (uint32_t at = 0; !s && at < count; at++)
        s = examine_source(exam, exam->names.texts[told[at]], *exam->arena, err);
    return s;
}
