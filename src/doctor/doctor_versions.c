/* doctor_versions: events that a new version of an app, a site or a library has lost (LO-4): in nearly each session of
 * the version before, in less than half of its own. A version is the app's own (context.app.version), or else the
 * library's. Versions of one source follow each other by their numbers; so a roll-back says nothing.
 *
 * A version that lost many events is told by the first LOST_MOST of them.
 *
 * A session is an anonymous id's, ends with a gap, and counts if all of it is of one version. */
#include "doctor_private.h"

#include <stdlib.h>

enum { VERSIONS_MOST = 64, PAIRS_MOST = 1 << 16, SESSIONS_LEAST = 200, HAD_PERCENT = 95, HAS_PERCENT = 50,
       LOST_MOST = 20, CHECK_EVERY = 4096 };

struct version {
    uint32_t source, name;
    uint64_t sessions;
};

/* An event of a version: in how many of its sessions it was. */
struct pair {
    uint32_t version, event, last;          /* last: the number of the last session that had it */
    uint64_t sessions;
};

struct versions {
    struct exam *exam;
    struct version of[VERSIONS_MOST];
    uint32_t count;
    struct pair *pairs;
    uint32_t pair_count;
    struct slots slots;
};

static const DoctorRow *row_of(const struct exam *exam, size_t at) { return &exam->rows[exam->by_device[at]]; }

/* Where the session that begins there ends. */
static size_t end_of(const struct exam *exam, size_t from)
{
    const DoctorRow *first = row_of(exam, from), *before = first;
    for (size_t at = from + 1; at < exam->device_row_count; before = row_of(exam, at++)) {
        const DoctorRow *row = row_of(exam, at);
        if (row->device != first->device || row->time_ms - before->time_ms > DOCTOR_SESSION_MS) return at;
    }
    return exam->device_row_count;
}

/* UINT32_MAX: of several, or there are too many. */
static uint32_t version_of(struct versions *versions, size_t from, size_t to)
{
    const DoctorRow *first = row_of(versions->exam, from);
    uint32_t found = 0;
    for (size_t at = from + 1; at < to; at++) {
        const DoctorRow *row = row_of(versions->exam, at);
        if (row->app != first->app || row->source != first->source) return UINT32_MAX;
    }
    while (found < versions->count
           && (versions->of[found].source != first->source || versions->of[found].name != first->app)) found++;
    if (!first->app || found == VERSIONS_MOST) return UINT32_MAX;
    if (found == versions->count) versions->of[versions->count++] = (struct version){ first->source, first->app, 0 };
    return found;
}

static struct pair *find_pair(struct versions *versions, uint32_t version, uint32_t event, bool is_made)
{
    uint32_t key[2] = { version, event };
    uint64_t hash = hash_64(str_of(key, sizeof key), 0);
    for (uint32_t at, probe = 0; (at = slots_next(&versions->slots, hash, &probe)) != SLOTS_NONE;)
        if (versions->pairs[at].version == version && versions->pairs[at].event == event) return &versions->pairs[at];
    if (!is_made || versions->pair_count == PAIRS_MOST || !slots_reserve(&versions->slots, versions->pair_count + 1))
        return NULL;
    slots_put(&versions->slots, hash, versions->pair_count);
    versions->pairs[versions->pair_count] = (struct pair){ version, event, 0, 0 };
    return &versions->pairs[versions->pair_count++];
}

static void count_session(struct versions *versions, size_t from, size_t to, uint32_t number)
{
    uint32_t version = version_of(versions, from, to);
    if (version == UINT32_MAX) return;
    versions->of[version].sessions++;
    for (size_t at = from; at < to; at++) {
        const DoctorRow *row = row_of(versions->exam, at);
        bool is_told = row->type == EVENT_TRACK && row->name;
        struct pair *pair = is_told ? find_pair(versions, version, row->name, true) : NULL;
        if (!pair || pair->last == number) continue;
        pair->last = number;
        pair->sessions++;
    }
}

/* ---- Which follows which ---- */

/* By their numbers: "1.9" before "1.10", "2.0.0-rc1" by its numbers as well; texts between them must be the same.
 * 0: they do not follow each other. */
static int compare_versions(Str a, Str b)
{
    size_t x = 0, y = 0;
    while (x < a.len && y < b.len) {
        uint64_t left = 0, right = 0;
        size_t from_x = x, from_y = y;
        for (; x < a.len && is_digit(a.bytes[x]) && x - from_x < 18; x++)
            left = left * 10 + (uint64_t)(a.bytes[x] - '0');
        for (; y < b.len && is_digit(b.bytes[y]) && y - from_y < 18; y++)
            right = right * 10 + (uint64_t)(b.bytes[y] - '0');
        if ((x == from_x) != (y == from_y)) return 0;
        if (x > from_x && left != right) return left < right ? -1 : 1;
        if (x == from_x && a.bytes[x++] != b.bytes[y++]) return 0;
    }
    return (x < a.len) - (y < b.len);
}

/* The version before it, of those with enough sessions. UINT32_MAX: none. */
static uint32_t before(const struct versions *versions, uint32_t version)
{
    const Str *texts = versions->exam->names.texts;
    uint32_t best = UINT32_MAX;
    for (uint32_t at = 0; at < versions->count; at++) {
        const struct version *other = &versions->of[at];
        if (other->source != versions->of[version].source || other->sessions < SESSIONS_LEAST
            || compare_versions(texts[other->name], texts[versions->of[version].name]) >= 0) continue;
        if (best == UINT32_MAX || compare_versions(texts[versions->of[best].name], texts[other->name]) < 0) best = at;
    }
    return best;
}

/* ---- Telling ---- */

static bool has_lost(struct versions *versions, const struct pair *had, uint32_t version)
{
    const struct pair *has = find_pair(versions, version, had->event, false);
    return had->sessions * 100 >= versions->of[had->version].sessions * HAD_PERCENT
        && (has ? has->sessions : 0) * 100 < versions->of[version].sessions * HAS_PERCENT;
}

static bool has_event(const struct exam *exam, size_t from, size_t to, uint32_t event)
{
    for (size_t at = from; at < to; at++)
        if (row_of(exam, at)->type == EVENT_TRACK && row_of(exam, at)->name == event) return true;
    return false;
}

/* Each of its sessions without the event is a case. */
static Status tell(struct versions *versions, const struct pair *had, uint32_t version, Err *err)
{
    struct exam *exam = versions->exam;
    uint32_t number = 0;
    for (size_t from = 0, to; from < exam->device_row_count; from = to) {
        to = end_of(exam, from);
        Status s = number++ % CHECK_EVERY == 0 ? doctor_go_on(exam, err) : OK;
        if (s) return s;
        if (version_of(versions, from, to) != version) continue;
        const DoctorRow *last = row_of(exam, to - 1);
        for (size_t at = from; at < to && last->person == QUERY_NOBODY; at++) last = row_of(exam, at);
        tally_unit(exam, DOCTOR_LO_4, versions->of[version].source, had->event);
        if (has_event(exam, from, to, had->event)) continue;
        struct tally *tally = tally_case(exam, DOCTOR_LO_4, had->event, last);
        if (tally) tally->value = versions->of[version].name;
    }
    return OK;
}

Status doctor_pass_versions(struct exam *exam, Err *err)
{
    struct versions *versions = calloc(1, sizeof *versions);
    struct pair *pairs = calloc(PAIRS_MOST, sizeof *pairs);
    uint32_t number = 0, told = 0;
    Status s = versions && pairs ? OK : err_set(err, ERR_TOO_LARGE, "the doctor: no memory for versions");
    if (!s) {
        versions->exam = exam;
        versions->pairs = pairs;
    }
    for (size_t from = 0, to; !s && from < exam->device_row_count; from = to) {
        to = end_of(exam, from);
        count_session(versions, from, to, ++number);
        if (number % CHECK_EVERY == 0) s = doctor_go_on(exam, err);
    }
    for (uint32_t version = 0; !s && version < versions->count; version++) {
        uint32_t old = versions->of[version].sessions < SESSIONS_LEAST ? UINT32_MAX : before(versions, version);
        for (uint32_t at = 0; !s && old != UINT32_MAX && at < versions->pair_count && told < LOST_MOST; at++) {
            if (pairs[at].version != old || !has_lost(versions, &pairs[at], version)) continue;
            s = tell(versions, &pairs[at], version, err);
            told++;
        }
    }
    if (versions) slots_done(&versions->slots);
    free(versions);
    free(pairs);
    return s;
}
