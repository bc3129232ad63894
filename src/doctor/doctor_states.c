/* doctor_states: keeps what cannot be derived of findings: since when each is known, until when it is muted, and why.
 * That is one small file of JSON in the data directory, written whole (temporary, sync, rename):
 *
 *   {"version":1,"examined":0,"receivers":["00000000000000ff"],"findings":[
 *     {"fingerprint","code","source","found","last","ended","muted","reason","reopened","changed","alerted"}]}
 *
 * The file has no name of an event: an erased person may have been the only one who sent that event. Names are only in
 * memory, until somebody is erased (doctor_forget_names). If an older Onym wrote names, the file is rewritten without
 * them when it is opened.
 *
 * Times are milliseconds since 1970, 0 is never. If the file cannot be read, it begins anew: only mutes and ages are
 * lost. A finding ends when it had no case for ended_ms; it is forgotten kept_ms later. If it comes again before that,
 * it is reopened and keeps its age. */
#include "doctor_private.h"

#include <stdio.h>
#include <stdlib.h>

/* CODE_MAX: findings of one code. Clients choose names of events and the like: a client that makes new ones without end
 * can only fill the places of one code. */
enum { STATES_MAX = 10000, CODE_MAX = STATES_MAX / 8, FILE_BYTES = 16 << 20, VERSION = 1 };
static const Millis ended_ms = 7 * DAY_MS, kept_ms = 30 * DAY_MS, same_ms = HOUR_MS;

/* ---- The file ---- */

static void put_state(struct buf *out, const DoctorState *state)
{
    json_object(out, NULL);
    json_word(out, "fingerprint", state->fingerprint);
    json_word(out, "code", doctor_findings[state->code].code);
    json_string(out, "source", str_from(state->source));
    json_int(out, "found", state->found_ms);
    json_int(out, "last", state->last_ms);
    json_int(out, "ended", state->ended_ms);
    json_int(out, "muted", state->muted_until_ms);
    json_string(out, "reason", str_from(state->reason));
    json_bool(out, "reopened", state->is_reopened);
    json_int(out, "changed", state->changed_ms);
    json_uint(out, "alerted", state->alerted);
    json_object_end(out);
}

static Status write_file(const struct doctor *doctor, Err *err)
{
    struct buf out;
    buf_init(&out, FILE_BYTES);
    json_object(&out, NULL);
    json_int(&out, "version", VERSION);
    json_int(&out, "examined", doctor->examined_ms);
    json_array(&out, "receivers");
    for (size_t at = 0; at < DOCTOR_RECEIVERS; at++) json_printf(&out, NULL, "%016" PRIx64, doctor->receivers[at]);
    json_array_end(&out);
    json_array(&out, "findings");
    for (size_t at = 0; at < doctor->count; at++) put_state(&out, &doctor->states[at]);
    json_array_end(&out);
    json_object_end(&out);
    Status s = buf_ok(&out) ? disk_write_file(doctor->disk, doctor->path, buf_str(&out), err)
                            : err_set(err, ERR_FULL, "%s: no memory", doctor->path);
    buf_done(&out);
    return s;
}

static bool read_text(const TreeNode *object, const char *name, char *room, size_t bytes)
{
    Str text = event_tree_text(object, name);
    if (text.len >= bytes) return false;
    memcpy(room, text.bytes ? text.bytes : "", text.len);
    room[text.len] = 0;
    return strlen(room) == text.len;
}

/* False: this is no finding, or this Onym does not know its code. */
static bool read_state(const TreeNode *object, DoctorState *ret)
{
    Str code = event_tree_text(object, "code");
    *ret = (DoctorState){ .code = DOCTOR_CODE_COUNT };
    for (DoctorCode at = 0; at < DOCTOR_CODE_COUNT; at++)
        if (str_equal(str_from(doctor_findings[at].code), code)) ret->code = at;
    ret->found_ms = event_tree_millis(object, "found");
    ret->last_ms = event_tree_millis(object, "last");
    ret->ended_ms = event_tree_millis(object, "ended");
    ret->muted_until_ms = event_tree_millis(object, "muted");
    const TreeNode *reopened = event_tree_get(object, STR("reopened"));
    ret->is_reopened = event_tree_is_kind(reopened, FIELD_BOOL) && reopened->truth;
    ret->changed_ms = event_tree_millis(object, "changed");
    if (!ret->changed_ms) ret->changed_ms = ret->found_ms;          /* an older Onym wrote it */
    Millis alerted = event_tree_millis(object, "alerted");
    ret->alerted = alerted > 0 && alerted <= UINT8_MAX ? (uint8_t)alerted : 0;
    return ret->code != DOCTOR_CODE_COUNT
        && read_text(object, "fingerprint", ret->fingerprint, sizeof ret->fingerprint)
        && strlen(ret->fingerprint) == DOCTOR_FINGERPRINT_BYTES
        && read_text(object, "source", ret->source, sizeof ret->source)
        && read_text(object, "reason", ret->reason, sizeof ret->reason);
}

static void read_receivers(const TreeNode *list, struct doctor *doctor)
{
    size_t at = 0;
    for (const TreeNode *key = list ? list->first : NULL; key && at < DOCTOR_RECEIVERS; key = key->next, at++) {
        char text[17] = { 0 };
        if (event_tree_is_kind(key, FIELD_STRING) && key->text.len == 16) memcpy(text, key->text.bytes, 16);
        doctor->receivers[at] = strtoull(text, NULL, 16);
    }
}

static Status read_file(struct doctor *doctor, Err *err)
{
    struct region region;
    Str text;
    const TreeNode *root, *list;
    region_open(&region, 8 * (size_t)FILE_BYTES);
    Arena arena = region_arena(&region);
    Status s = disk_read_file(doctor->disk, doctor->path, FILE_BYTES, &arena, &text, err);
    if (!s) s = event_tree_read(text, &arena, &root, err);
    list = s ? NULL : event_tree_get(root, STR("findings"));
    if (!s && !event_tree_is_kind(list, FIELD_ARRAY))
        s = err_set(err, ERR_DAMAGED, "%s: no file of findings", doctor->path);
    if (!s && event_tree_is_given(event_tree_get(root, STR("examined"))))
        doctor->examined_ms = event_tree_millis(root, "examined");
    if (!s) read_receivers(event_tree_get(root, STR("receivers")), doctor);
    for (const TreeNode *object = list ? list->first : NULL; !s && object; object = object->next) {
        if (!vector_reserve(doctor->states, doctor->capacity, doctor->count + 1, STATES_MAX)) break;
        if (read_state(object, &doctor->states[doctor->count])) doctor->count++;
        doctor->is_changed |= event_tree_get(object, STR("event")) != NULL;
    }
    region_close(&region);
    return s;
}

Status doctor_open(struct disk *disk, const char *path, struct doctor **ret, char damage[ERR_TEXT_BYTES], Err *err)
{
    struct doctor *doctor = calloc(1, sizeof *doctor);
    Err why;
    damage[0] = 0;
    if (doctor) doctor->path = strdup(path);
    if (!doctor || !doctor->path) {
        free(doctor);
        return err_set(err, ERR_FULL, "%s: no memory", path);
    }
    check(pthread_mutex_init(&doctor->lock, NULL) == 0);
    doctor_cache_init(&doctor->cache);
    doctor_summary_init(&doctor->summary);
    doctor->disk = disk;
    Status s = read_file(doctor, &why);
    if (s && s != ERR_NOT_FOUND) {
        doctor->count = 0;
        snprintf(damage, ERR_TEXT_BYTES, "%s", why.text);
    }
    if (!s && doctor->is_changed) doctor->is_changed = write_file(doctor, &why) != OK;      /* else later */
    doctor_summary_put(&doctor->summary, &(DoctorSummary){ .at_ms = doctor->examined_ms }, NULL);
    *ret = doctor;
    return OK;
}

void doctor_close(struct doctor *doctor)
{
    if (!doctor) return;
    pthread_mutex_destroy(&doctor->lock);
    doctor_cache_done(&doctor->cache);
    doctor_summary_done(&doctor->summary);
    free(doctor->states);
    free(doctor->path);
    free(doctor);
}

struct doctor_summary *doctor_summary_of(struct doctor *doctor) { return &doctor->summary; }

struct doctor_cache *doctor_cache_of(struct doctor *doctor) { return &doctor->cache; }

void doctor_set_examined(struct doctor *doctor, Millis at_ms)
{
    pthread_mutex_lock(&doctor->lock);
    doctor->examined_ms = at_ms;
    doctor->is_changed = true;
    pthread_mutex_unlock(&doctor->lock);
}

Status doctor_keep(struct doctor *doctor, Err *err)
{
    if (!doctor) return OK;
    pthread_mutex_lock(&doctor->lock);
    Status s = doctor->is_changed ? write_file(doctor, err) : OK;
    if (!s) doctor->is_changed = false;
    pthread_mutex_unlock(&doctor->lock);
    return s;
}

/* ---- Noting ---- */

static DoctorState *find(struct doctor *doctor, Str fingerprint)
{
    for (size_t at = 0; at < doctor->count; at++)
        if (str_equal(str_from(doctor->states[at].fingerprint), fingerprint)) return &doctor->states[at];
    return NULL;
}

/* Makes a place for one more finding of this code. If the code has its full share, the finding that ended first is
 * dropped, but never a muted one. */
static DoctorState *make_room(struct doctor *doctor, DoctorCode code, Millis now_ms)
{
    DoctorState *oldest = NULL;
    size_t of_code = 0;
    for (size_t at = 0; at < doctor->count; at++) {
        DoctorState *state = &doctor->states[at];
        if (state->code != code) continue;
        of_code++;
        bool may_go = state->ended_ms && state->muted_until_ms < now_ms;
        if (may_go && (!oldest || state->ended_ms < oldest->ended_ms)) oldest = state;
    }
    if (of_code >= CODE_MAX) return oldest;
    if (!vector_reserve(doctor->states, doctor->capacity, doctor->count + 1, STATES_MAX)) return NULL;
    return &doctor->states[doctor->count++];
}

bool doctor_note(struct doctor *doctor, const DoctorState *now, DoctorState *ret)
{
    pthread_mutex_lock(&doctor->lock);
    DoctorState *state = find(doctor, str_from(now->fingerprint));
    if (!state && (state = make_room(doctor, now->code, now->told_ms))) {
        *state = *now;
        state->changed_ms = now->found_ms;
        doctor->is_changed = true;
    }
    bool is_kept = state != NULL;
    if (is_kept) {
        if (state->ended_ms) state->changed_ms = now->told_ms, state->alerted = 0;
        doctor->is_changed |= state->ended_ms != 0 || now->last_ms > state->last_ms + same_ms;
        state->is_reopened |= state->ended_ms != 0;
        state->ended_ms = 0;
        if (now->last_ms > state->last_ms) state->last_ms = now->last_ms;
        state->told_ms = now->told_ms;
        memcpy(state->event, now->event, sizeof state->event);
        *ret = *state;
    }
    pthread_mutex_unlock(&doctor->lock);
    return is_kept;
}

void doctor_note_numbers(struct doctor *doctor, Str fingerprint, const DoctorNumbers *numbers)
{
    pthread_mutex_lock(&doctor->lock);
    DoctorState *state = find(doctor, fingerprint);
    if (state) state->numbers = *numbers;
    pthread_mutex_unlock(&doctor->lock);
}

void doctor_end_old(struct doctor *doctor, Millis now_ms)
{
    pthread_mutex_lock(&doctor->lock);
    for (size_t at = 0; at < doctor->count; at++) {
        DoctorState *state = &doctor->states[at];
        if (state->ended_ms || state->told_ms >= now_ms || state->last_ms >= now_ms - ended_ms) continue;
        state->ended_ms = now_ms;
        doctor->is_changed = true;
    }
    pthread_mutex_unlock(&doctor->lock);
}

void doctor_visit_ended(struct doctor *doctor, Millis now_ms, void (*visit)(void *context, const DoctorState *state),
                        void *context)
{
    size_t kept = 0;
    pthread_mutex_lock(&doctor->lock);
    for (size_t at = 0; at < doctor->count; at++) {
        DoctorState *state = &doctor->states[at];
        bool is_forgotten = state->ended_ms && state->ended_ms < now_ms - kept_ms && state->muted_until_ms < now_ms;
        if (is_forgotten) {
            doctor->is_changed = true;
            continue;
        }
        if (state->ended_ms) visit(context, state);
        doctor->states[kept++] = *state;
    }
    doctor->count = kept;
    pthread_mutex_unlock(&doctor->lock);
}

void doctor_forget_names(struct doctor *doctor, uint32_t erased, Millis now_ms)
{
    pthread_mutex_lock(&doctor->lock);
    for (size_t at = 0; erased != doctor->erased && at < doctor->count; at++)
        if (doctor->states[at].told_ms < now_ms) doctor->states[at].event[0] = 0;
    doctor->erased = erased;
    pthread_mutex_unlock(&doctor->lock);
}

/* ---- Muting ---- */

static Status mute(struct doctor *doctor, Str fingerprint, const DoctorMute *mute, struct buf *out, Err *err)
{
    DoctorState *state = find(doctor, fingerprint), before;
    if (!state) return err_set(err, ERR_NOT_FOUND, "no finding has this fingerprint; GET /api/v1/findings lists all");
    before = *state;
    state->muted_until_ms = mute->is_muted ? mute->until_ms : 0;
    memcpy(state->reason, mute->reason.bytes ? mute->reason.bytes : "", mute->is_muted ? mute->reason.len : 0);
    state->reason[mute->is_muted ? mute->reason.len : 0] = 0;
    Status s = write_file(doctor, err);
    if (s) {
        *state = before;
        return s;
    }
    json_object(out, NULL);
    json_word(out, "fingerprint", state->fingerprint);
    json_word(out, "code", doctor_findings[state->code].code);
    json_bool(out, "muted", mute->is_muted);
    if (mute->is_muted) json_instant(out, "until", state->muted_until_ms);
    json_string(out, "reason", str_from(state->reason));
    json_object_end(out);
    return OK;
}

Status doctor_mute(struct doctor *doctor, Str fingerprint, const DoctorMute *how, struct buf *out, Err *err)
{
    if (how->is_muted && (how->reason.len > DOCTOR_REASON_BYTES || memchr(how->reason.bytes ? how->reason.bytes : "", 0,
                                                                         how->reason.len)))
        return err_set_field(err, "reason", "must be a text of at most %d bytes", DOCTOR_REASON_BYTES);
    if (how->is_muted && how->until_ms <= how->now_ms) return err_set_field(err, "until", "must be later than now");
    pthread_mutex_lock(&doctor->lock);
    Status s = mute(doctor, fingerprint, how, out, err);
    pthread_mutex_unlock(&doctor->lock);
    doctor_cache_forget(&doctor->cache);
    return s;
}
