/* doctor_write: decides which tallies are findings, and writes findings as JSON. */
#include "doctor_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { NEW_MS = DAY_MS };
const char *const doctor_severities[DOCTOR_SEVERITIES] = { "info", "warning", "error" };

static const struct { DoctorCode code; const char *sdk, *text; } mends[] = {
#define MEND(NAME, sdk, text) { DOCTOR_##NAME, sdk, text },
#include "findings.tbl.h"
};
static const struct { DoctorCode code; const char *text; } data_mends[] = {
#define DATA_MEND(NAME, text) { DOCTOR_##NAME, text },
#include "findings.tbl.h"
};

/* ---- Judging ---- */

static bool is_of_signups(DoctorCode code) { return code >= DOCTOR_ID_1 && code <= DOCTOR_ID_1C; }

/* The causes of sign-ups without a history are judged together: this adds up the cases of all of them. */
static uint64_t cases_of(const struct exam *exam, const struct tally *tally)
{
    uint64_t count = 0;
    if (!is_of_signups(tally->code)) return tally->count;
    for (DoctorCode code = DOCTOR_ID_1; code <= DOCTOR_ID_1C; code++) {
        const struct tally *part = tally_find((struct exam *)(uintptr_t)exam, code, tally->source, tally->event);
        count += part ? part->count : 0;
    }
    return count;
}

DoctorVerdict doctor_judge(const struct exam *exam, const struct tally *tally, DoctorSeverity *ret)
{
    const DoctorFinding *finding = &doctor_findings[tally->code];
    const DoctorQuestion *question = exam->question;
    uint64_t count = cases_of(exam, tally);
    double bound = tally_bound(count, tally->of) * 1e6;
    *ret = finding->error_ppm && bound > finding->error_ppm ? DOCTOR_ERROR : finding->least;
    if (!tally->count || (double)count * 1e6 <= (double)finding->ppm * (double)tally->of) return DOCTOR_NOTHING;
    if (question->source.len && !str_equal(exam->names.texts[tally->source], question->source)) return DOCTOR_NOTHING;
    bool is_of_plan = tally->code >= DOCTOR_PLAN_UNPLANNED_EVENT;       /* the plan says what is right, not a habit */
    if (exam->young[tally->source] == SOURCE_YOUNG && *ret != DOCTOR_ERROR && !is_of_plan) return DOCTOR_NOTHING;
    bool is_sure = bound > finding->ppm && tally->count >= finding->floor && tally->of >= finding->base;
    return is_sure ? DOCTOR_FOUND : DOCTOR_TOO_FEW;
}

void doctor_fingerprint(const struct exam *exam, const struct tally *tally, char text[DOCTOR_FINGERPRINT_BYTES + 1])
{
    Str code = str_from(doctor_findings[tally->code].code);
    uint64_t hash = hash_64(code, 1);
    hash = hash_64(exam->names.texts[tally->source], hash);
    hash = hash_64(tally->event ? exam->names.texts[tally->event] : (Str){ 0 }, hash);
    hash = hash_64(tally->field ? exam->names.texts[tally->field] : (Str){ 0 }, hash);
    for (int at = 0; at < DOCTOR_FINGERPRINT_BYTES; at++) text[at] = "0123456789abcdef"[hash >> (60 - 4 * at) & 15];
    text[DOCTOR_FINGERPRINT_BYTES] = 0;
}

/* ---- One finding ---- */

struct found {
    struct tally *tally;
    DoctorSeverity severity;
    DoctorState state;
    char fingerprint[DOCTOR_FINGERPRINT_BYTES + 1];
};

static Str text_of(const struct exam *exam, uint32_t name) { return name ? exam->names.texts[name] : (Str){ 0 }; }
static Str event_of(const struct exam *exam, const struct tally *tally) { return text_of(exam, tally->event); }

/* "count:events are|event is": the number, then the words for several or for one. */
static void put_number(struct buf *text, Str word, const struct tally *tally)
{
    Str words, one, name = str_cut(word, ':', &words), several = str_cut(words, '|', &one);
    uint64_t number = str_equal(name, STR("people")) ? tally->person_count : tally->count;
    buf_uint(text, number);
    if (!words.len) return;
    buf_char(text, ' ');
    buf_str_put(text, number == 1 ? one : several);
}

/* Fills in the braces: "A funnel to {event} counts {people:people|person} fewer". */
static void write_effect(const struct exam *exam, const struct tally *tally, struct buf *out)
{
    char room[2048];
    struct buf text;
    Str rest = str_from(doctor_findings[tally->code].effect), event = event_of(exam, tally);
    Str field = text_of(exam, tally->field);
    buf_init_fixed(&text, room, sizeof room);
    while (rest.len) {
        buf_str_put(&text, str_cut(rest, '{', &rest));
        if (!rest.len) break;
        Str word = str_cut(rest, '}', &rest);
        if (str_equal(word, STR("event"))) buf_str_put(&text, event.len ? event : STR("the event"));
        else if (str_equal(word, STR("field"))) buf_str_put(&text, field.len ? field : STR("the field"));
        else if (str_equal(word, STR("value"))) buf_str_put(&text, text_of(exam, tally->value));
        else put_number(&text, word, tally);
    }
    json_string(out, "effect", buf_str(&text));
}

/* Is the mend written for the library that sends the cases? Such mends are shown first. */
static bool is_of_library(const char *sdk, Str library)
{
    static const struct { const char *word, *sdk; } words[] = {
        { "node", "node" }, { "python", "python" }, { "analytics.js", "browser" }, { "onym", "browser" },
        { "rudder-sdk-js", "browser" }, { "js", "browser" },
    };
    for (size_t at = 0; at < countof(words); at++)
        if (str_contains(library, str_from(words[at].word))) return !strcmp(words[at].sdk, sdk);
    return false;
}

static void write_mend(DoctorCode code, Str library, struct buf *out)
{
    json_array(out, "mend");
    for (int turn = 0; turn < 2; turn++)
        for (size_t at = 0; at < countof(mends); at++) {
            if (mends[at].code != code || is_of_library(mends[at].sdk, library) == (turn == 1)) continue;
            json_object(out, NULL);
            json_word(out, "sdk", mends[at].sdk);
            json_word(out, "code", mends[at].text);
            json_object_end(out);
        }
    json_array_end(out);
    const char *data_mend = NULL;
    for (size_t at = 0; at < countof(data_mends); at++)
        if (data_mends[at].code == code) data_mend = data_mends[at].text;
    json_word(out, "data_mend", data_mend);
}

static void write_example(const struct exam *exam, JournalPos pos, struct buf *out)
{
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    if (journal_read_at(exam->question->journal, pos, &reader, &record, NULL)) return;
    if (record_kind(record.bytes) == RECORD_EVENT && !event_decode(record.bytes, &event, NULL)) {
        json_object(out, NULL);
        json_uint(out, "position", journal_number(pos));
        json_string(out, "message_id", event.message_id);
        json_object_end(out);
    }
    journal_reader_close(reader);
}

void doctor_write_person(const struct exam *exam, uint32_t person, struct buf *out)
{
    char room[IDENTITY_PERSON_ID_BYTES];
    derive_begin_reading(exam->question->applier);
    IdentityPerson now = identity_person_now(exam->identity, person);
    if (now != IDENTITY_NONE) json_string(out, NULL, identity_person_id(exam->identity, now, room));
    derive_end_reading(exam->question->applier);
}

static void write_people(const struct exam *exam, const struct tally *tally, struct buf *out)
{
    bool is_told = exam->question->tells_people;
    json_array(out, "examples");
    for (uint32_t at = 0; is_told && at < tally->example_count; at++) write_example(exam, tally->examples[at], out);
    json_array_end(out);
    json_array(out, "persons");
    for (uint32_t at = 0; is_told && at < tally->person_count && at < DOCTOR_PERSONS; at++)
        doctor_write_person(exam, tally->persons[at], out);
    json_array_end(out);
}

/* "analytics.js 5.2.0": what comes after the last blank is the version. */
static Str split_release(Str release, Str *ret_version)
{
    size_t at = release.len;
    while (at > 0 && release.bytes[at - 1] != ' ') at--;
    *ret_version = at ? str_slice(release, at, release.len) : (Str){ 0 };
    return at ? str_slice(release, 0, at - 1) : release;
}

static void write_scope(const struct exam *exam, const struct tally *tally, Str *ret_library, struct buf *out)
{
    Str version, release = tally->release ? exam->names.texts[tally->release] : (Str){ 0 };
    *ret_library = split_release(release, &version);
    json_string_or_null(out, "source", text_of(exam, tally->source));
    json_string_or_null(out, "library", *ret_library);
    json_string_or_null(out, "version", version);
    json_string_or_null(out, "event", event_of(exam, tally));
    json_string_or_null(out, "field", text_of(exam, tally->field));
}

/* The releases with most cases first; equal ones by their names. tally_settle has sorted the cases by release. */
static void write_versions(const struct exam *exam, const struct tally *tally, struct buf *out)
{
    struct { uint32_t release; uint64_t count; } told[DOCTOR_VERSIONS];
    uint32_t kept = 0, to;
    for (size_t at = 0; at < tally->case_count;) {
        uint32_t release = tally->cases[at].release;
        uint64_t count = 0;
        for (; at < tally->case_count && tally->cases[at].release == release; at++) count += tally->cases[at].weight;
        if (!count) continue;
        for (to = kept; to > 0; to--) {
            int order = str_compare(exam->names.texts[told[to - 1].release], exam->names.texts[release]);
            if (told[to - 1].count > count || (told[to - 1].count == count && order < 0)) break;
            if (to < DOCTOR_VERSIONS) told[to] = told[to - 1];
        }
        if (to == DOCTOR_VERSIONS) continue;
        told[to].release = release, told[to].count = count;
        kept += kept < DOCTOR_VERSIONS;
    }
    json_array(out, "versions");
    for (uint32_t at = 0; at < kept; at++) {
        Str version, release = text_of(exam, told[at].release), library = split_release(release, &version);
        json_object(out, NULL);
        json_string_or_null(out, "library", library);
        json_string_or_null(out, "version", version);
        json_uint(out, "count", told[at].count);
        json_object_end(out);
    }
    json_array_end(out);
}

static void write_pages(const struct exam *exam, const struct tally *tally, struct buf *out)
{
    json_array(out, "pages");
    for (uint32_t at = 0; at < tally->place_count; at++) {
        json_object(out, NULL);
        json_string(out, "page", text_of(exam, tally->places[at].page));
        json_uint(out, "count", tally->places[at].count);
        json_object_end(out);
    }
    json_array_end(out);
}

static void write_state(const DoctorState *state, Millis now_ms, struct buf *out)
{
    bool is_muted = state->muted_until_ms > now_ms, is_new = now_ms - state->found_ms < NEW_MS && !state->is_reopened;
    json_word(out, "state", state->ended_ms ? "resolved" : is_muted ? "muted" : is_new ? "new" : "open");
    json_instant(out, "found", state->found_ms);
    json_bool(out, "reopened", state->is_reopened);
    if (!is_muted) {
        json_null(out, "muted");
        return;
    }
    json_object(out, "muted");
    json_string(out, "reason", str_from(state->reason));
    json_instant(out, "until", state->muted_until_ms);
    json_object_end(out);
}

static void write_counts(const struct tally *tally, struct buf *out)
{
    json_uint(out, "count", tally->count);
    json_uint(out, "of", tally->of);
    json_word(out, "of_what", doctor_findings[tally->code].of);
    json_double(out, "share", tally->of ? (double)tally->count / (double)tally->of : 0);
    json_double(out, "share_at_least", tally_bound(tally->count, tally->of));
    json_double(out, "threshold", doctor_findings[tally->code].ppm / 1e6);
}

/* Anchors of a page are in lower case. */
static void write_docs(const char *code, struct buf *out)
{
    char anchor[16];
    size_t at = 0;
    for (; code[at] && at < sizeof anchor - 1; at++) anchor[at] = (char)tolower((unsigned char)code[at]);
    anchor[at] = 0;
    json_printf(out, "docs", "docs/doctor.md#%s", anchor);
}

static void write_found(const struct exam *exam, const struct found *found, struct buf *out)
{
    const struct tally *tally = found->tally;
    const DoctorFinding *finding = &doctor_findings[tally->code];
    Str library;
    json_object(out, NULL);
    json_word(out, "code", finding->code);
    json_word(out, "severity", doctor_severities[found->severity]);
    json_word(out, "title", finding->title);
    write_counts(tally, out);
    json_uint(out, "people", tally->person_count);
    json_bool(out, "people_at_least", tally->is_more);
    write_scope(exam, tally, &library, out);
    json_uint(out, "cases_of_version", tally->release_cases);
    write_versions(exam, tally, out);
    write_pages(exam, tally, out);
    json_object(out, "numbers");
    if (tally->value) json_string(out, "value", exam->names.texts[tally->value]);
    json_object_end(out);
    json_instant(out, "first_seen", tally->first_ms);
    json_instant(out, "last_seen", tally->last_ms);
    write_people(exam, tally, out);
    json_word(out, "why", finding->why);
    write_effect(exam, tally, out);
    write_mend(tally->code, library, out);
    write_docs(finding->code, out);
    json_word(out, "fingerprint", found->fingerprint);
    write_state(&found->state, exam->now_ms, out);
    json_object_end(out);
}

/* ---- All findings ---- */

static int worst_first(const void *a, const void *b, void *context)
{
    const struct found *left = a, *right = b;
    const struct exam *exam = context;
    if (left->severity != right->severity) return left->severity > right->severity ? -1 : 1;
    if (left->tally->count != right->tally->count) return left->tally->count > right->tally->count ? -1 : 1;
    if (left->tally->code != right->tally->code) return left->tally->code < right->tally->code ? -1 : 1;
    const Str *texts = exam->names.texts;
    int order = str_compare(texts[left->tally->source], texts[right->tally->source]);
    if (!order) order = str_compare(texts[left->tally->event], texts[right->tally->event]);
    return order ? order : str_compare(texts[left->tally->field], texts[right->tally->field]);
}

static void copy_cut(char *room, size_t bytes, Str text)
{
    size_t len = text.len < bytes - 1 ? text.len : bytes - 1;
    while (len && len < text.len && ((unsigned char)text.bytes[len] & 0xC0) == 0x80) len--;
    memcpy(room, text.bytes ? text.bytes : "", len);
    room[len] = 0;
}

static void note(struct exam *exam, struct doctor *doctor, struct found *found)
{
    DoctorState *state = &found->state;
    const struct tally *tally = found->tally;
    doctor_fingerprint(exam, tally, found->fingerprint);
    *state = (DoctorState){ .code = tally->code, .found_ms = exam->now_ms, .told_ms = exam->now_ms,
                             .last_ms = tally->last_ms };
    memcpy(state->fingerprint, found->fingerprint, sizeof state->fingerprint);
    copy_cut(state->source, sizeof state->source, text_of(exam, tally->source));
    copy_cut(state->event, sizeof state->event, event_of(exam, tally));
    DoctorState known;
    if (doctor && doctor_note(doctor, state, &known)) *state = known;
}

/* All tallies with this verdict, worst first. The caller frees them. */
static struct found *find_judged(struct exam *exam, DoctorVerdict verdict, size_t *ret_count)
{
    struct found *found = calloc(exam->tally_count + (size_t)1, sizeof *found);
    size_t count = 0;
    check(found);
    for (uint32_t at = 0; at < exam->tally_count; at++) {
        found[count] = (struct found){ .tally = exam->tallies[at] };
        if (doctor_judge(exam, exam->tallies[at], &found[count].severity) == verdict) count++;
    }
    qsort_r(found, count, sizeof *found, worst_first, exam);
    *ret_count = count;
    return found;
}

static void write_too_few(struct exam *exam, struct buf *out)
{
    size_t count;
    struct found *found = find_judged(exam, DOCTOR_TOO_FEW, &count);
    json_array(out, "too_few");
    for (size_t at = 0; at < count; at++) {
        const struct tally *tally = found[at].tally;
        json_object(out, NULL);
        json_word(out, "code", doctor_findings[tally->code].code);
        json_word(out, "title", doctor_findings[tally->code].title);
        write_counts(tally, out);
        json_string_or_null(out, "source", text_of(exam, tally->source));
        json_string_or_null(out, "event", event_of(exam, tally));
        json_object_end(out);
    }
    json_array_end(out);
    free(found);
}

static void write_ended(void *context, const DoctorState *state)
{
    struct buf *out = context;
    json_object(out, NULL);
    json_word(out, "code", doctor_findings[state->code].code);
    json_word(out, "title", doctor_findings[state->code].title);
    json_string_or_null(out, "source", str_from(state->source));
    json_string_or_null(out, "event", str_from(state->event));
    json_word(out, "fingerprint", state->fingerprint);
    json_word(out, "state", "resolved");
    json_instant(out, "found", state->found_ms);
    json_instant(out, "last_seen", state->last_ms);
    json_instant(out, "resolved", state->ended_ms);
    json_object_end(out);
}

static void write_window(const struct exam *exam, Millis examined_ms, struct buf *out)
{
    json_instant(out, "from", exam->from_ms);
    json_instant(out, "to", exam->now_ms);
    json_bool(out, "is_cut", exam->is_cut);
    json_uint(out, "messages", exam->row_count);
    json_bool(out, "with_imports", exam->question->with_imports);
    if (examined_ms) json_instant(out, "examined", examined_ms);
    else json_null(out, "examined");
    json_array(out, "young_sources");
    for (uint32_t name = 1; name < exam->names.count; name++)
        if (exam->young[name] == SOURCE_YOUNG) json_string(out, NULL, exam->names.texts[name]);
    json_array_end(out);
}

static void keep_counts(const struct exam *exam, struct doctor *doctor, const struct found *found, size_t count)
{
    uint32_t counts[DOCTOR_CODE_COUNT][DOCTOR_SEVERITIES] = { 0 };
    for (size_t at = 0; at < count; at++) {
        const struct tally *tally = found[at].tally;
        DoctorNumbers numbers = { exam->now_ms, tally->count, tally->of, tally->person_count, tally->is_more,
                                  found[at].severity };
        doctor_note_numbers(doctor, str_from(found[at].fingerprint), &numbers);
        if (found[at].state.muted_until_ms <= exam->now_ms) counts[tally->code][found[at].severity]++;
    }
    DoctorSummary now = { .at_ms = exam->now_ms, .is_counted = true };
    doctor_summary_put(doctor_summary_of(doctor), &now, counts);
    doctor_set_examined(doctor, exam->now_ms);
}

static bool is_whole(const DoctorQuestion *question)
{
    return !question->source.len && question->since_ms >= 7 * DAY_MS;
}

void doctor_write(struct exam *exam, struct doctor *doctor, struct buf *out)
{
    size_t count;
    struct found *found = find_judged(exam, DOCTOR_FOUND, &count);
    json_object(out, NULL);
    json_array(out, "findings");
    for (size_t at = 0; at < count; at++) {
        note(exam, doctor, &found[at]);
        write_found(exam, &found[at], out);
    }
    json_array_end(out);
    write_too_few(exam, out);
    json_array(out, "resolved");
    if (doctor && exam->question->applier) {
        DeriveSizes sizes;
        derive_read_sizes(exam->question->applier, &sizes);
        doctor_forget_names(doctor, sizes.identity.erased, exam->now_ms);
    }
    if (doctor && is_whole(exam->question)) doctor_end_old(doctor, exam->now_ms);
    if (doctor) doctor_visit_ended(doctor, exam->now_ms, write_ended, out);
    json_array_end(out);
    if (doctor && exam->question->is_periodic) keep_counts(exam, doctor, found, count);
    write_window(exam, doctor ? doctor_read_summary(doctor).at_ms : 0, out);
    json_object_end(out);
    free(found);
}
