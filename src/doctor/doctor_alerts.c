/* doctor_alerts: writes messages for receivers of alerts about findings that are new or came back: as an object for a
 * program, or as a text for Slack.
 *
 * A bit of each finding's state, in the file, says whether a receiver knows of its last change. The bit is set once a
 * message has arrived. If a message does not arrive, the next examination writes its findings again, with newer ones.
 *
 * Nobody can erase a message later that has left the server. So it has only numbers, words of the table and names of
 * sources. Of the texts that clients sent it has only names of events, if these are plain words and the finding has at
 * least EVENT_PEOPLE people. */
#include "doctor_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVENT_PEOPLE = 5, EVENT_BYTES = 64, EVENT_DIGITS = 4, TEXT_FINDINGS = 20 };

/* ---- Who ---- */

static int slot_of(const struct doctor *doctor, uint64_t key)
{
    for (int at = 0; at < DOCTOR_RECEIVERS; at++)
        if (key && doctor->receivers[at] == key) return at;
    return -1;
}

void doctor_set_receivers(struct doctor *doctor, const DoctorReceiver *receivers, size_t count)
{
    uint64_t keys[DOCTOR_RECEIVERS] = { 0 };
    pthread_mutex_lock(&doctor->lock);
    for (size_t at = 0; at < count && at < DOCTOR_RECEIVERS; at++) keys[at] = receivers[at].key;
    for (size_t of = 0; of < doctor->count; of++) {
        uint8_t told = 0;
        for (size_t at = 0; at < DOCTOR_RECEIVERS; at++) {
            int before = slot_of(doctor, keys[at]);
            if (before >= 0 && doctor->states[of].alerted & 1 << before) told |= (uint8_t)(1 << at);
        }
        doctor->states[of].alerted = told;
    }
    doctor->is_changed |= memcmp(doctor->receivers, keys, sizeof keys) != 0;
    memcpy(doctor->receivers, keys, sizeof keys);
    pthread_mutex_unlock(&doctor->lock);
}

/* ---- What ---- */

static bool is_due(const struct doctor *doctor, const DoctorState *state, const DoctorReceiver *receiver, int slot)
{
    return state->numbers.at_ms && state->numbers.at_ms == doctor->examined_ms && !state->ended_ms
        && state->muted_until_ms <= doctor->examined_ms && (int)state->numbers.severity >= receiver->severity
        && !(state->alerted & 1 << slot);
}

static int worst_first(const void *a, const void *b)
{
    const DoctorState *left = *(const DoctorState *const *)a, *right = *(const DoctorState *const *)b;
    if (left->numbers.severity != right->numbers.severity)
        return left->numbers.severity > right->numbers.severity ? -1 : 1;
    if (left->numbers.people != right->numbers.people) return left->numbers.people > right->numbers.people ? -1 : 1;
    return strcmp(left->fingerprint, right->fingerprint);
}

/* A client writes an event's name: it may hold an address, an id, a mention of everybody, a link. */
static Str event_of(const DoctorState *state)
{
    Str name = str_from(state->event);
    size_t digits = 0;
    if (state->numbers.people < EVENT_PEOPLE || name.len > EVENT_BYTES) return (Str){ 0 };
    for (size_t at = 0; at < name.len; at++) {
        char c = name.bytes[at];
        bool is_letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        digits += is_digit(c);
        if (digits > EVENT_DIGITS || !(is_digit(c) || is_letter || c == ' ' || c == '_' || c == '-')) return (Str){ 0 };
    }
    return name;
}

/* ---- As an object ---- */

static void put_finding(const DoctorState *state, struct buf *out)
{
    const DoctorFinding *finding = &doctor_findings[state->code];
    const DoctorNumbers *numbers = &state->numbers;
    json_object(out, NULL);
    json_printf(out, "id", "%s-%" PRId64, state->fingerprint, state->changed_ms);
    json_word(out, "change", state->is_reopened ? "reopened" : "new");
    json_word(out, "code", finding->code);
    json_word(out, "severity", doctor_severities[numbers->severity]);
    json_word(out, "title", finding->title);
    json_string_or_null(out, "source", str_from(state->source));
    json_string_or_null(out, "event", event_of(state));
    json_uint(out, "count", numbers->count);
    json_uint(out, "of", numbers->of);
    json_word(out, "of_what", finding->of);
    json_uint(out, "people", numbers->people);
    json_bool(out, "people_at_least", numbers->is_more);
    json_instant(out, "found", state->found_ms);
    json_word(out, "fingerprint", state->fingerprint);
    json_object_end(out);
}

static void put_object(const struct doctor *doctor, const DoctorReceiver *receiver, const DoctorAlert *alert,
                       DoctorState *const *due, struct buf *out)
{
    json_object(out, NULL);
    json_word(out, "type", "onym.findings");
    json_word(out, "id", alert->id);
    json_instant(out, "examined", doctor->examined_ms);
    json_string_or_null(out, "url", receiver->url);
    json_array(out, "findings");
    for (size_t at = 0; at < alert->count; at++) put_finding(due[at], out);
    json_array_end(out);
    json_uint(out, "more", alert->more);
    json_object_end(out);
}

/* ---- As a text ---- */

/* Slack reads <...> as a link or a mention. */
static void put_escaped(struct buf *out, Str text)
{
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        if (c == '&') buf_str_put(out, STR("&amp;"));
        else if (c == '<') buf_str_put(out, STR("&lt;"));
        else if (c == '>') buf_str_put(out, STR("&gt;"));
        else buf_char(out, c);
    }
}

static void put_line(const DoctorState *state, struct buf *out)
{
    static const char *const severities[DOCTOR_SEVERITIES] = { "info", "warning", "ERROR" };
    const DoctorFinding *finding = &doctor_findings[state->code];
    const DoctorNumbers *numbers = &state->numbers;
    Str event = event_of(state), source = str_from(state->source);
    buf_printf(out, "\n\xe2\x80\xa2 *%s %s* ", severities[numbers->severity], finding->code);
    put_escaped(out, str_from(finding->title));
    if (source.len) buf_str_put(out, STR(" \xc2\xb7 ")), put_escaped(out, source);
    if (event.len) buf_str_put(out, STR(" \xc2\xb7 ")), put_escaped(out, event);
    buf_printf(out, ": %" PRIu64 " of %" PRIu64 " ", numbers->count, numbers->of);
    put_escaped(out, str_from(finding->of));
    if (numbers->people)
        buf_printf(out, ", %s%zu %s", numbers->is_more ? "at least " : "", numbers->people,
                   numbers->people == 1 ? "person" : "people");
    if (state->is_reopened) buf_str_put(out, STR(" (it was gone, and came back)"));
}

static void put_text(const DoctorReceiver *receiver, const DoctorAlert *alert, DoctorState *const *due, struct buf *out)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_printf(&text, "*Onym: %zu %s of the doctor*", alert->count + alert->more,
               alert->count + alert->more == 1 ? "new finding" : "new findings");
    for (size_t at = 0; at < alert->count; at++) put_line(due[at], &text);
    if (alert->more) buf_printf(&text, "\nand %zu more, which come with the next message", alert->more);
    buf_str_put(&text, STR("\n"));
    put_escaped(&text, receiver->url.len ? receiver->url : STR("`onym doctor` says whom, why, and how to mend it"));
    json_object(out, NULL);
    json_string(out, "text", buf_str(&text));
    json_object_end(out);
    buf_done(&text);
}

/* ---- The message ---- */

static void sum_up(DoctorState *const *due, size_t count, const DoctorReceiver *receiver, DoctorAlert *ret)
{
    size_t most = receiver->wants_text ? TEXT_FINDINGS : DOCTOR_ALERT_FINDINGS;
    uint64_t key = receiver->key;
    ret->count = count < most ? count : most;
    ret->more = count - ret->count;
    for (size_t at = 0; at < ret->count; at++) {
        memcpy(ret->fingerprints[at], due[at]->fingerprint, sizeof ret->fingerprints[at]);
        ret->changed_ms[at] = due[at]->changed_ms;
        key = hash_64(str_from(due[at]->fingerprint), key ^ (uint64_t)due[at]->changed_ms);
    }
    snprintf(ret->id, sizeof ret->id, "%016" PRIx64, key);
}

void doctor_write_alert(struct doctor *doctor, const DoctorReceiver *receiver, DoctorAlert *ret, struct buf *out)
{
    size_t count = 0;
    *ret = (DoctorAlert){ 0 };
    pthread_mutex_lock(&doctor->lock);
    DoctorState **due = calloc(doctor->count + 1, sizeof(DoctorState *));
    int slot = slot_of(doctor, receiver->key);
    check(due);
    for (size_t at = 0; slot >= 0 && at < doctor->count; at++)
        if (is_due(doctor, &doctor->states[at], receiver, slot)) due[count++] = &doctor->states[at];
    qsort(due, count, sizeof(DoctorState *), worst_first);
    sum_up(due, count, receiver, ret);
    if (count && receiver->wants_text) put_text(receiver, ret, due, out);
    else if (count) put_object(doctor, receiver, ret, due, out);
    pthread_mutex_unlock(&doctor->lock);
    free(due);
}

Status doctor_note_alert(struct doctor *doctor, uint64_t key, const DoctorAlert *alert, Err *err)
{
    pthread_mutex_lock(&doctor->lock);
    int slot = slot_of(doctor, key);
    for (size_t at = 0; slot >= 0 && at < doctor->count; at++) {
        DoctorState *state = &doctor->states[at];
        for (size_t of = 0; of < alert->count; of++)
            if (state->changed_ms == alert->changed_ms[of] && !strcmp(state->fingerprint, alert->fingerprints[of]))
                state->alerted |= (uint8_t)(1 << slot);
    }
    doctor->is_changed |= alert->count > 0;
    pthread_mutex_unlock(&doctor->lock);
    return doctor_keep(doctor, err);
}
