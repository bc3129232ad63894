/* doctor: the frame: gathers rows, looks up history, runs every pass, and writes findings. */
#include "doctor_private.h"

#include <stdlib.h>

enum { ROWS_LEAST = 100000 };
static const size_t arena_bytes_of_names = (size_t)DOCTOR_NAMES_MAX * 64;

const DoctorFinding doctor_findings[DOCTOR_CODE_COUNT] = {
#define PASS DOCTOR_PASS
#define SYMPTOM DOCTOR_SYMPTOM
#define LATER DOCTOR_LATER
#define INFO DOCTOR_INFO
#define WARNING DOCTOR_WARNING
#define ERROR DOCTOR_ERROR
#define FINDING(NAME, code, by, least, ppm, error_ppm, floor, base, title, of, why, effect) \
    [DOCTOR_##NAME] = { code, by, least, ppm, error_ppm, floor, base, title, of, why, effect },
#include "findings.tbl.h"
#undef PASS
#undef SYMPTOM
#undef LATER
#undef INFO
#undef WARNING
#undef ERROR
};

/* ---- What passes share ---- */

Status doctor_go_on(const struct exam *exam, Err *err)
{
    return query_is_given_up(exam->question->world) ? err_set(err, ERR_CLOSED, "the question was given up") : OK;
}

struct sorting {
    const DoctorRow *rows;
    DoctorOrder *order;
};

static int compare_places(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    return sorting->order(&sorting->rows[*(const uint32_t *)a], &sorting->rows[*(const uint32_t *)b]);
}

Status doctor_sort(const struct exam *exam, DoctorWants *wants, DoctorOrder *order, uint32_t **ret,
                   size_t *ret_count, Err *err)
{
    uint32_t *places = malloc((exam->row_count + 1) * sizeof *places);
    struct sorting sorting = { exam->rows, order };
    size_t count = 0;
    if (!places) return err_set(err, ERR_TOO_LARGE, "the doctor: no memory to sort %zu messages", exam->row_count);
    for (size_t at = 0; at < exam->row_count; at++)
        if (wants(&exam->rows[at])) places[count++] = (uint32_t)at;
    qsort_r(places, count, sizeof *places, compare_places, &sorting);
    *ret = places, *ret_count = count;
    return OK;
}

uint32_t doctor_key_device(const DoctorRow *row) { return row->device; }
uint32_t doctor_key_person(const DoctorRow *row) { return row->person; }

size_t doctor_group(const struct exam *exam, const uint32_t *places, size_t count, size_t from, DoctorKey *key)
{
    size_t to = from + 1;
    while (to < count && key(&exam->rows[places[to]]) == key(&exam->rows[places[from]])) to++;
    return to;
}

const DoctorRow *doctor_find_row(const struct exam *exam, JournalPos pos)
{
    size_t from = 0, to = exam->row_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (journal_number(exam->rows[middle].pos) < journal_number(pos)) from = middle + 1;
        else to = middle;
    }
    return from < exam->row_count && exam->rows[from].pos == pos ? &exam->rows[from] : NULL;
}

bool doctor_is_server(const struct exam *exam, uint32_t source)
{
    const DoctorQuestion *question = exam->question;
    for (size_t at = 0; at < question->source_count; at++)
        if (str_equal(question->sources[at].name, exam->names.texts[source])) return question->sources[at].is_server;
    return false;
}

static bool has_device(const DoctorRow *row) { return row->device != IDENTITY_NONE; }

static int by_device(const DoctorRow *a, const DoctorRow *b)
{
    return a->device != b->device ? doctor_compare(a->device, b->device) : doctor_compare_time(a, b);
}

Status doctor_sort_devices(struct exam *exam, Err *err)
{
    return doctor_sort(exam, has_device, by_device, &exam->by_device, &exam->device_row_count, err);
}

const DoctorRow *doctor_first_page_of(const struct exam *exam, IdentityNode device)
{
    size_t from = 0, to = exam->device_row_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (exam->rows[exam->by_device[middle]].device < device) from = middle + 1;
        else to = middle;
    }
    for (; from < exam->device_row_count; from++) {
        const DoctorRow *row = &exam->rows[exam->by_device[from]];
        if (row->device != device) return NULL;
        if (row->type != EVENT_ALIAS && row->host) return row;
    }
    return NULL;
}

/* Seconds or milliseconds since 1970, or an instant as text. */
static bool read_created(const IndexValue *value, Millis *ret)
{
    if (value->kind == INDEX_STRING) return instant_parse(value->text, ret);
    if (value->kind != INDEX_NUMBER || value->number < 0 || value->number > 9e15) return false;
    *ret = (Millis)(value->number < 1e11 ? value->number * 1000 : value->number);
    return true;
}

bool doctor_is_old_account(const struct exam *exam, uint32_t person, Millis at_ms)
{
    static const char *const names[] = { "created_at", "createdAt" };
    const QueryWorld *world = exam->question->world;
    IndexValue value;
    Millis created_ms;
    for (size_t at = 0; at < countof(names) && world->find_trait; at++) {
        Arena scratch = *exam->arena;
        if (world->find_trait(world->context, person, str_from(names[at]), &scratch, &value)
            && read_created(&value, &created_ms)) return created_ms < at_ms - DAY_MS;
    }
    return false;
}

/* ---- Examining ---- */

static Status examine(struct exam *exam, Err *err)
{
    static DoctorPass *const passes[] = { doctor_pass_devices, doctor_pass_signups, doctor_pass_people,
                                          doctor_pass_twice, doctor_pass_symptoms, doctor_pass_spellings,
                                          doctor_pass_lost, doctor_pass_troubles, doctor_pass_losses,
                                          doctor_pass_plan, doctor_pass_versions };
    Status s = doctor_gather(exam, err);
    if (!s) s = doctor_find_history(exam, err);
    if (!s) s = doctor_sort_devices(exam, err);
    for (size_t at = 0; !s && at < countof(passes); at++) s = passes[at](exam, err);
    for (uint32_t at = 0; !s && at < exam->tally_count; at++) tally_settle(exam, exam->tallies[at]);
    return s;
}

static size_t memory_of(const DoctorQuestion *question)
{
    return question->world->memory_bytes ? question->world->memory_bytes : (size_t)1 << 30;
}

void doctor_open_exam(struct exam *exam, const DoctorQuestion *question, struct region *region, Arena *arena)
{
    size_t memory = memory_of(question), people = question->world->people->subject_count;
    region_open(region, memory / 8 + people * 32 + arena_bytes_of_names + ((size_t)16 << 20));
    *arena = region_arena(region);
    *exam = (struct exam){
        .question = question, .people = question->world->people, .identity = derive_identity(question->applier),
        .arena = arena, .now_ms = question->world->now_ms, .from_ms = question->world->now_ms - question->since_ms,
        .end = question->end, .rows_max = memory / 2 / sizeof(DoctorRow),
    };
    if (exam->rows_max < ROWS_LEAST) exam->rows_max = ROWS_LEAST;
    exam->names.arena = arena;
    (void)doctor_name(&exam->names, STR("-"));              /* so that texts[0] is there */
}

void doctor_close_exam(struct exam *exam, struct region *region)
{
    tally_close(exam);
    free(exam->by_device);
    free(exam->rows);
    free(exam->violations);
    free(exam->troubles);
    free(exam->names.texts);
    slots_done(&exam->names.slots);
    region_close(region);
}

Status doctor_examine(struct doctor *doctor, const DoctorQuestion *question, struct buf *out, Err *err)
{
    struct exam exam;
    struct region region;
    Arena arena;
    size_t before = out->len;
    struct doctor_cache *cache = doctor_cache_of(doctor);
    if (!question->is_periodic && doctor_cache_find(cache, question, out)) return OK;
    uint64_t age = doctor_cache_age(cache);
    doctor_summary_run(doctor_summary_of(doctor), 1);
    doctor_open_exam(&exam, question, &region, &arena);
    Status s = examine(&exam, err);
    if (!s) doctor_write(&exam, doctor, out);
    if (!s) s = doctor_keep(doctor, err);
    if (s) out->len = before;
    else if (buf_ok(out) && !question->is_periodic)
        doctor_cache_put(cache, question, str_slice(buf_str(out), before, out->len), age);
    doctor_close_exam(&exam, &region);
    doctor_summary_run(doctor_summary_of(doctor), -1);
    return s;
}

/* ---- The people of one finding ---- */

static void write_people(const struct exam *exam, const struct tally *tally, const DoctorPage *page, struct buf *out)
{
    char room[PAGE_CURSOR_BYTES];
    size_t count = tally->person_count, from = page->from < count ? page->from : count;
    size_t to = count - from > page->limit ? from + page->limit : count;
    json_object(out, NULL);
    json_array(out, "people");
    const QueryWorld *world = exam->question->world;
    for (size_t at = from; at < to; at++) {
        if (at > from) buf_char(out, ',');
        world->write_person(world->context, tally->persons[at], out);
    }
    json_array_end(out);
    json_uint(out, "total", count);
    page_put(out, to < count ? page_write(PAGE_NUMBER, (PageCursor){ .number = to }, room) : (Str){ 0 });
    json_object_end(out);
}

Status doctor_list_people(const DoctorQuestion *question, const DoctorPage *page, struct buf *out, Err *err)
{
    struct exam exam;
    struct region region;
    Arena arena;
    const struct tally *found = NULL;
    char text[DOCTOR_FINGERPRINT_BYTES + 1];
    DoctorSeverity severity;
    doctor_open_exam(&exam, question, &region, &arena);
    Status s = examine(&exam, err);
    for (uint32_t at = 0; !s && at < exam.tally_count && !found; at++) {
        doctor_fingerprint(&exam, exam.tallies[at], text);
        if (str_equal(str_from(text), page->fingerprint)
            && doctor_judge(&exam, exam.tallies[at], &severity) == DOCTOR_FOUND) found = exam.tallies[at];
    }
    if (!s && !found)
        s = err_set(err, ERR_NOT_FOUND, "no finding has this fingerprint now; GET /api/v1/findings lists all");
    if (!s) write_people(&exam, found, page, out);
    doctor_close_exam(&exam, &region);
    return s;
}
