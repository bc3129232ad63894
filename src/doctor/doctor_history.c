/* doctor_history: reads from the index what happened before the window: when each person of the rows was first seen,
 * with a user id and without one; and which sources are so young that their habits are not known yet. */
#include "doctor_private.h"

enum { ANY_BIT = 1, ANONYMOUS_BIT = 2 };

struct sources {
    struct exam *exam;
    struct scan *scan;
    const bool *is_old;
    bool *seen;                             /* for each group */
};

static Status open_query(struct exam *exam, Query *query, Selector *any, Str question, Err *err)
{
    static const char *const allowed[] = { "to", "by", NULL };
    TreeNode star = { .kind = FIELD_STRING, .text = STR("*") };
    Status s = query_open(query, question, exam->question->world, exam->arena, allowed, err);
    return s ? s : query_selector(query, &star, "event", NULL, any);
}

static void see_nothing(void *context, uint32_t worker, const ScanRow *row) { (void)context, (void)worker, (void)row; }

/* ---- People ---- */

static void mark_people(struct exam *exam, size_t word_count)
{
    uint32_t count = 0;
    for (size_t at = 0; at < exam->row_count; at++) {
        uint32_t person = exam->rows[at].person;
        if (person != QUERY_NOBODY) exam->has_person[person / 64] |= UINT64_C(1) << person % 64;
    }
    for (size_t at = 0; at < exam->other_count; at++)
        exam->has_person[exam->others[at] / 64] |= UINT64_C(1) << exam->others[at] % 64;
    for (size_t word = 0; word < word_count; word++) {
        exam->ranks[word] = count;
        count += (uint32_t)__builtin_popcountll(exam->has_person[word]);
    }
    exam->persons = arena_try(exam->arena, sizeof *exam->persons, 16, count + (size_t)1);
    for (uint32_t at = 0; exam->persons && at < count; at++)
        exam->persons[at] = (DoctorPerson){ INT64_MAX, INT64_MAX, INT64_MAX };
}

const DoctorPerson *doctor_person(const struct exam *exam, uint32_t person)
{
    uint64_t below = exam->has_person[person / 64] & ((UINT64_C(1) << person % 64) - 1);
    return &exam->persons[exam->ranks[person / 64] + (uint32_t)__builtin_popcountll(below)];
}

/* One worker gets all of a person, so no other thread writes here. */
static void see_person(void *context, uint32_t worker, uint32_t person, const Hits *hits, Arena scratch)
{
    DoctorPerson *seen = (DoctorPerson *)(uintptr_t)doctor_person(context, person);
    (void)worker, (void)scratch;
    for (uint32_t at = 0; at < hits->count; at++) {
        bool is_anonymous = hits->hits[at].steps & ANONYMOUS_BIT;
        Millis *first = is_anonymous ? &seen->first_anonymous_ms : &seen->first_user_ms;
        if (hits->hits[at].time_ms < *first) *first = hits->hits[at].time_ms;
    }
    seen->first_ms = seen->first_user_ms < seen->first_anonymous_ms ? seen->first_user_ms : seen->first_anonymous_ms;
}

static Status scan_people(struct exam *exam, Err *err)
{
    Query query;
    Selector any;
    struct scan *scan = NULL;
    Millis last_ms;
    Status s = open_query(exam, &query, &any, STR("{}"), err);
    if (s) return s;
    ScanSpec spec = { .selectors = &any, .selector_count = 1, .needed_bits = UINT32_MAX, .anonymous_bit = ANONYMOUS_BIT,
                      .only_people = exam->has_person, .on_person = see_person, .context = exam };
    s = scan_open(&query, &spec, &scan, err);
    if (!s) s = scan_run(scan, err);
    if (!s && !scan_time_range(scan, &exam->first_ms, &last_ms)) exam->first_ms = exam->now_ms;
    scan_close(scan);
    return s;
}

/* ---- Sign-ups ---- */

/* Was there ever an event with the name of a sign-up? If all of them are lost now, the window has none. */
static Status find_signups(struct exam *exam, Err *err)
{
    Query query;
    Selector any;
    struct scan *scan = NULL;
    Status s = open_query(exam, &query, &any, STR("{}"), err);
    if (s) return s;
    ScanSpec spec = { .selectors = &any, .selector_count = 1, .group_bits = UINT32_MAX, .by_event = true,
                      .on_row = see_nothing, .context = exam };
    s = scan_open(&query, &spec, &scan, err);
    const Groups *groups = s ? NULL : scan_groups(scan);
    for (uint32_t group = 0; groups && group < groups->count; group++) {
        Str text = groups->values[group].kind == INDEX_STRING ? groups->values[group].text : (Str){ 0 };
        if (!text.len || text.bytes[0] != '0' + EVENT_TRACK) continue;
        Str name = str_slice(text, 1, text.len);
        if (!doctor_is_signup(exam->question, name)) continue;
        exam->has_signups = true;
        exam->signup = doctor_name(&exam->names, name);
    }
    scan_close(scan);
    return s;
}

/* ---- Sources ---- */

static void see_source(void *context, uint32_t worker, const ScanRow *row)
{
    struct sources *sources = context;
    (void)worker;
    if (row->group < GROUPS_MAX) __atomic_store_n(&sources->seen[row->group], true, __ATOMIC_RELAXED);
}

/* The scan ends DOCTOR_YOUNG_MS ago: sources that it has seen are old. */
static void note_old(struct exam *exam, struct scan *scan, const bool *seen)
{
    const Groups *groups = scan_groups(scan);
    for (uint32_t group = 0; group < groups->count; group++)
        if (seen[group] && groups->values[group].kind == INDEX_STRING)
            exam->young[doctor_name(&exam->names, groups->values[group].text)] = SOURCE_OLD;
}

static Status scan_sources(struct exam *exam, Err *err)
{
    Query query;
    Selector any;
    struct scan *scan = NULL;
    char room[128];
    struct buf question;
    buf_init_fixed(&question, room, sizeof room);
    json_object(&question, NULL);
    json_instant(&question, "to", exam->now_ms - DOCTOR_YOUNG_MS);
    json_word(&question, "by", "source");
    json_object_end(&question);
    struct sources sources = { .exam = exam };
    Status s = open_query(exam, &query, &any, buf_str(&question), err);
    ScanSpec spec = { .selectors = &any, .selector_count = 1, .group_bits = UINT32_MAX, .on_row = see_source,
                      .context = &sources };
    if (!s) s = query_breakdown(&query, "by", false, &spec.by);
    if (!s) s = scan_open(&query, &spec, &scan, err);
    if (!s) {
        sources.seen = arena_new(exam->arena, bool, scan_groups(scan)->count + (size_t)1);
        s = scan_run(scan, err);
    }
    if (!s) note_old(exam, scan, sources.seen);
    exam->knows_old = !s;
    scan_close(scan);
    return s;
}

/* Marks the sources of the rows as young or old. True if that is enough: the window begins before DOCTOR_YOUNG_MS ago,
 * and none is left as young. Else the index is asked; symptoms/ counts whole days, so it may have sources that the rows
 * of a short window do not have. */
static bool judge_by_rows(struct exam *exam)
{
    bool is_settled = exam->row_count > 0 && exam->from_ms < exam->now_ms - DOCTOR_YOUNG_MS;
    for (size_t at = 0; at < exam->row_count; at++) exam->young[exam->rows[at].source] = SOURCE_YOUNG;
    for (size_t at = 0; at < exam->row_count; at++)
        if (exam->rows[at].arrival_ms < exam->now_ms - DOCTOR_YOUNG_MS) exam->young[exam->rows[at].source] = SOURCE_OLD;
    for (uint32_t name = 0; name < DOCTOR_NAMES_MAX; name++) is_settled &= exam->young[name] != SOURCE_YOUNG;
    return is_settled;
}

Status doctor_find_history(struct exam *exam, Err *err)
{
    size_t word_count = exam->people->subject_count / 64 + (size_t)1;
    exam->has_person = arena_try(exam->arena, sizeof(uint64_t), 16, word_count);
    exam->ranks = arena_try(exam->arena, sizeof(uint32_t), 16, word_count);
    exam->young = arena_new(exam->arena, uint8_t, DOCTOR_NAMES_MAX);
    if (!exam->has_person || !exam->ranks) return err_set(err, ERR_TOO_LARGE, "the doctor: too many people");
    memset(exam->has_person, 0, word_count * sizeof *exam->has_person);
    mark_people(exam, word_count);
    if (!exam->persons) return err_set(err, ERR_TOO_LARGE, "the doctor: too many people");
    Status s = scan_people(exam, err);
    if (!s && !exam->has_signups) s = find_signups(exam, err);
    if (!s && !judge_by_rows(exam)) s = scan_sources(exam, err);
    return s;
}
