/* doctor_plan: finds what breaks the tracking plan. A finding has a code of the plan, a source, an event and a field.
 *
 * Whether a message breaks the plan was judged when it arrived, and its record says so (planCheck, the stamp). Nothing
 * is judged again here, so the findings follow the plan of that day. doctor_gather reads the stamps; the pass then
 * counts those whose messages have rows, so repeats and suppressed people do not count. All items of a list are one
 * field, and a message counts once for each field. For each source and code, the hundred fields (of an event) that most
 * messages break are findings of their own; all others are one finding. */
#include "doctor_private.h"

#include "plan/plan.h"

#include <ctype.h>
#include <stdlib.h>

enum { APART = 100, SCRATCH_BYTES = 256 << 10, TEXT_BYTES = 300 };

static const DoctorCode codes[TRACKING_CODES] = {
    [TRACKING_UNPLANNED_EVENT] = DOCTOR_PLAN_UNPLANNED_EVENT, [TRACKING_WRONG_SOURCE] = DOCTOR_PLAN_WRONG_SOURCE,
    [TRACKING_MISSING_PROPERTY] = DOCTOR_PLAN_MISSING_PROPERTY, [TRACKING_WRONG_TYPE] = DOCTOR_PLAN_WRONG_TYPE,
    [TRACKING_UNPLANNED_PROPERTY] = DOCTOR_PLAN_UNPLANNED_PROPERTY,
    [TRACKING_VALUE_NOT_ALLOWED] = DOCTOR_PLAN_VALUE_NOT_ALLOWED,
    [TRACKING_DEPRECATED_EVENT] = DOCTOR_PLAN_DEPRECATED_EVENT, [TRACKING_NAME_PATTERN] = DOCTOR_PLAN_NAME_PATTERN,
};

/* ---- While rows are gathered ---- */

/* "properties.products[].price": places in lists are left out. */
static uint32_t name_field(struct exam *exam, const TrackingViolation *violation)
{
    char room[TEXT_BYTES];
    struct buf path;
    size_t len = 0;
    buf_init_fixed(&path, room, sizeof room);
    tracking_write_path(&path, violation);
    for (size_t at = 0; at < path.len; at++) {
        bool is_place = isdigit((unsigned char)room[at]) && len && (room[len - 1] == '[');
        if (!is_place) room[len++] = room[at];
    }
    return len ? doctor_name(&exam->names, str_of(room, len)) : 0;
}

/* "text, the plan wants a number"; for an unknown name, the name that was probably meant. */
static uint32_t name_value(struct exam *exam, const TrackingViolation *violation)
{
    char room[TEXT_BYTES];
    struct buf text;
    buf_init_fixed(&text, room, sizeof room);
    if (violation->near.len) buf_printf(&text, "meant, perhaps: %.*s", STR_FORMAT(str_slice(violation->near, 0, 100)));
    else if (violation->found.len) buf_str_put(&text, str_slice(violation->found, 0, 60));
    if (violation->wants.len && !violation->near.len)
        buf_printf(&text, "%sthe plan wants %.*s", text.len ? ", " : "",
                   STR_FORMAT(str_slice(violation->wants, 0, 120)));
    return text.len && buf_ok(&text) ? doctor_name(&exam->names, buf_str(&text)) : 0;
}

void doctor_note_violations(struct exam *exam, const Event *event, JournalPos pos)
{
    TrackingVerdict verdict;
    if (!exam->plan_scratch.at) {           /* its own arena: doctor_name needs the exam's meanwhile */
        char *bytes = arena_try(exam->arena, 1, 16, SCRATCH_BYTES);
        if (!bytes) return;
        exam->plan_scratch = (Arena){ bytes, bytes + SCRATCH_BYTES };
    }
    Arena scratch = exam->plan_scratch;
    if (!tracking_stamp_read(event->plan_check, &scratch, &verdict)) return;
    for (uint32_t at = 0; at < verdict.count; at++) {
        const TrackingViolation *one = &verdict.items[at];
        size_t count = exam->violation_count;
        if (!vector_reserve(exam->violations, exam->violation_capacity, count + 1, DOCTOR_VIOLATIONS_MAX)) {
            exam->is_cut = true;
            return;
        }
        exam->violations[count] = (DoctorViolation){ .pos = pos, .code = codes[one->code],
                                                     .field = name_field(exam, one), .value = name_value(exam, one) };
        exam->violation_count++;
    }
}

/* ---- The pass ---- */

struct group {                              /* violations of one code, source, event and field */
    size_t from, to;                        /* places in the sorted violations */
    uint64_t count;                         /* messages */
};

/* A call without a name is named by its type. */
static uint32_t event_of(struct exam *exam, const DoctorRow *row)
{
    static const char *const words[] = { [EVENT_IDENTIFY] = "identify", [EVENT_PAGE] = "page",
                                         [EVENT_SCREEN] = "screen", [EVENT_GROUP] = "group", [EVENT_ALIAS] = "alias" };
    if (row->name || row->type >= countof(words) || !words[row->type]) return row->name;
    return doctor_name(&exam->names, str_from(words[row->type]));
}

/* Keeps the violations of messages that have rows, and gives them the source and the event of their rows. */
static void find_rows(struct exam *exam)
{
    size_t kept = 0;
    for (size_t at = 0; at < exam->violation_count; at++) {
        DoctorViolation one = exam->violations[at];
        const DoctorRow *row = doctor_find_row(exam, one.pos);
        if (!row) continue;
        one.row = (size_t)(row - exam->rows), one.source = row->source, one.event = event_of(exam, row);
        exam->violations[kept++] = one;
    }
    exam->violation_count = kept;
}

static int by_scope(const void *a, const void *b)
{
    const DoctorViolation *x = a, *y = b;
    if (x->code != y->code) return doctor_compare(x->code, y->code);
    if (x->source != y->source) return doctor_compare(x->source, y->source);
    if (x->event != y->event) return doctor_compare(x->event, y->event);
    if (x->field != y->field) return doctor_compare(x->field, y->field);
    return doctor_compare(x->row, y->row);
}

/* The groups of most messages first; equal ones by their names, which do not depend on the order of arrival. */
static int by_count(const void *a, const void *b, void *context)
{
    const struct exam *exam = context;
    const struct group *x = a, *y = b;
    if (x->count != y->count) return doctor_compare(y->count, x->count);
    const DoctorViolation *left = &exam->violations[x->from], *right = &exam->violations[y->from];
    int order = str_compare(exam->names.texts[left->event], exam->names.texts[right->event]);
    return order ? order : str_compare(exam->names.texts[left->field], exam->names.texts[right->field]);
}

static void count_group(struct exam *exam, const struct group *group, bool is_apart)
{
    const DoctorViolation *first = &exam->violations[group->from];
    uint32_t event = is_apart ? first->event : 0, field = is_apart ? first->field : 0;
    for (size_t at = group->from; at < group->to; at++) {
        const DoctorViolation *one = &exam->violations[at];
        if (at > group->from && one->row == exam->violations[at - 1].row) continue;
        struct tally *tally = tally_case_of(exam, one->code, event, field, &exam->rows[one->row]);
        if (tally && is_apart && !tally->value) tally->value = one->value;
    }
}

static bool is_alike(const DoctorViolation *a, const DoctorViolation *b, bool is_whole)
{
    bool is_same = a->code == b->code && a->source == b->source;
    return is_same && (!is_whole || (a->event == b->event && a->field == b->field));
}

/* Counts all violations of one code and source. */
static void count_source(struct exam *exam, struct group *groups, size_t from, size_t to)
{
    size_t count = 0;
    for (size_t at = from; at < to;) {
        struct group *group = &groups[count++];
        *group = (struct group){ .from = at };
        for (; at < to && is_alike(&exam->violations[group->from], &exam->violations[at], true); at++)
            group->count += at == group->from || exam->violations[at].row != exam->violations[at - 1].row;
        group->to = at;
    }
    qsort_r(groups, count, sizeof *groups, by_count, exam);
    for (size_t at = 0; at < count; at++) count_group(exam, &groups[at], at < APART);
}

/* Counts the messages of each source and event, of which the violations are a share. */
static void count_units(struct exam *exam)
{
    uint32_t first = exam->tally_count;
    while (first > 0 && exam->tallies[first - 1]->code >= DOCTOR_PLAN_UNPLANNED_EVENT) first--;
    for (uint32_t at = first; at < exam->tally_count; at++) exam->tallies[at]->of = 0;
    uint32_t *heads = arena_try(exam->arena, sizeof *heads, 8, DOCTOR_NAMES_MAX);    /* by event: its tallies + 1 */
    uint32_t *nexts = arena_try(exam->arena, sizeof *nexts, 8, exam->tally_count + (size_t)1);
    if (heads) memset(heads, 0, DOCTOR_NAMES_MAX * sizeof *heads);
    for (uint32_t at = first; heads && nexts && at < exam->tally_count; at++) {
        nexts[at] = heads[exam->tallies[at]->event];
        heads[exam->tallies[at]->event] = at + 1;
    }
    for (size_t row = 0; heads && nexts && row < exam->row_count; row++) {
        uint32_t source = exam->rows[row].source, name = event_of(exam, &exam->rows[row]);
        for (uint32_t at = heads[name]; at; at = nexts[at - 1])
            exam->tallies[at - 1]->of += exam->tallies[at - 1]->source == source;
        for (uint32_t at = name ? heads[0] : 0; at; at = nexts[at - 1])         /* tallies of all events */
            exam->tallies[at - 1]->of += exam->tallies[at - 1]->source == source;
    }
}

Status doctor_pass_plan(struct exam *exam, Err *err)
{
    find_rows(exam);
    size_t count = exam->violation_count;
    if (!count) return OK;
    qsort(exam->violations, count, sizeof *exam->violations, by_scope);
    struct group *groups = malloc(count * sizeof *groups);
    if (!groups) return err_set(err, ERR_TOO_LARGE, "the doctor: no memory for %zu violations of the plan", count);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && is_alike(&exam->violations[from], &exam->violations[to], false);) to++;
        count_source(exam, groups, from, to);
    }
    count_units(exam);
    free(groups);
    return doctor_go_on(exam, err);
}
