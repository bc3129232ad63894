/* doctor_accounts_write: writes each account's problem, with its likely cause, as JSON. */
#include "doctor_accounts.h"

#include <stdio.h>

enum { LATE_MS = HOUR_MS };

typedef enum State { NEVER, LATE, NO_HISTORY, TWICE, STATES } State;
static const char *const state_words[STATES] = { "never", "late", "no_history", "twice" };

/* code: the finding with the same cause; NULL: there is none. */
static const struct { const char *word, *code; } missing_causes[DOCTOR_MISSING] = {
    [MISSING_UNKNOWN] = { "unknown", NULL },        [MISSING_BLOCKED] = { "blocked_id", "ID-5" },
    [MISSING_SUPPRESSED] = { "suppressed", NULL },  [MISSING_SPELLING] = { "other_spelling", "ID-16" },
    [MISSING_PREFIX] = { "prefix", "ID-8" },        [MISSING_EMAIL_IS_ID] = { "email_is_id", "ID-7" },
    [MISSING_OTHER_ID] = { "other_id", "ID-9" },    [MISSING_REJECTED] = { "rejected", "LO-1" },
    [MISSING_BEFORE] = { "before_tracking", NULL }, [MISSING_OUTAGE] = { "nothing_arrived", NULL },
    [MISSING_LEFT] = { "never_identified", "ID-2" },
};
static const struct { const char *word, *text; } history_causes[] = {
    [DOCTOR_ID_1 - DOCTOR_ID_1] = { "no_page", "no page call came before the sign-up" },
    [DOCTOR_ID_1A - DOCTOR_ID_1] = { "no_anonymous_id", "a server sent the sign-up without the visitor's anonymous "
                                      "id" },
    [DOCTOR_ID_1B - DOCTOR_ID_1] = { "new_anonymous_id", "the anonymous id began on the way: the page before it was "
                                      "one of the same site" },
    [DOCTOR_ID_1C - DOCTOR_ID_1] = { "claimed_before", "the device had been claimed by somebody else before" },
};

static const char *type_word(const DoctorRow *row)
{
    static const char *const words[] = { [EVENT_IDENTIFY] = "identify", [EVENT_TRACK] = "track", [EVENT_PAGE] = "page",
                                         [EVENT_SCREEN] = "screen", [EVENT_GROUP] = "group", [EVENT_ALIAS] = "alias" };
    return row->type < countof(words) && words[row->type] ? words[row->type] : "message";
}

static void begin_problem(const struct account *account, State state, const char *cause, const char *code,
                          struct buf *out)
{
    json_object(out, NULL);
    json_string(out, "id", account->given->id);
    json_word(out, "state", state_words[state]);
    json_word(out, "cause", cause);
    json_word(out, "code", code);
    if (account_has_time(account)) json_instant(out, "created", account->given->created_ms);
    else json_null(out, "created");
}

/* null: there is no person, or the person was erased meanwhile. */
static void write_person(const struct exam *exam, const struct account *account, struct buf *out)
{
    char room[IDENTITY_PERSON_ID_BYTES];
    Str id = { 0 };
    derive_begin_reading(exam->question->applier);
    IdentityPerson now = IDENTITY_NONE;
    if (account->person != QUERY_NOBODY) now = identity_person_now(exam->identity, account->person);
    if (now != IDENTITY_NONE) id = identity_person_id(exam->identity, now, room);
    derive_end_reading(exam->question->applier);
    json_string_or_null(out, "person_id", id);
}

static void end_problem(const struct exam *exam, const struct account *account, const DoctorRow *row, struct buf *out)
{
    write_person(exam, account, out);
    if (row) json_instant(out, "seen", row->time_ms);
    else json_null(out, "seen");
    if (row) json_uint(out, "position", journal_number(row->pos));
    else json_null(out, "position");
    json_object_end(out);
}

/* ---- Never ---- */

static void write_text_of_missing(const struct accounts *accounts, const struct account *account, struct buf *out)
{
    char from[INSTANT_TEXT_BYTES], to[INSTANT_TEXT_BYTES], room[LIMIT_ID_BYTES];
    Str other = account->other;
    switch (account->missing) {
    case MISSING_BLOCKED: json_word(out, "text", "this id names nobody by the rules (identity.blocked_values)"); return;
    case MISSING_SUPPRESSED: json_word(out, "text", "this id is suppressed: nothing of it is taken"); return;
    case MISSING_SPELLING: case MISSING_PREFIX:
        json_printf(out, "text", "arrived as \"%.*s\"", STR_FORMAT(other));
        return;
    case MISSING_EMAIL_IS_ID: json_word(out, "text", "arrived with its e-mail address as the user id"); return;
    case MISSING_OTHER_ID:
        json_printf(out, "text", "its e-mail address is that of user \"%.*s\"", STR_FORMAT(other));
        return;
    case MISSING_REJECTED:
        json_printf(out, "text", "a message with this user id was rejected: %.*s", STR_FORMAT(other));
        return;
    case MISSING_BEFORE: json_word(out, "text", "made before the first event that Onym has"); return;
    case MISSING_OUTAGE:
        instant_write(account->silent_from_ms, from), instant_write(account->silent_to_ms, to);
        json_printf(out, "text", "nothing at all arrived between %.16sZ and %.16sZ", from, to);
        return;
    case MISSING_LEFT:
        derive_begin_reading(accounts->exam->question->applier);
        other = identity_read_value(accounts->exam->identity, account->visitor, room);
        json_printf(out, "text", "a visitor was there just then whom nobody identified (~%.*s): the page left before "
                    "the call had left, or does not make it", STR_FORMAT(other));
        derive_end_reading(accounts->exam->question->applier);
        return;
    case MISSING_UNKNOWN: case DOCTOR_MISSING: default:
        json_word(out, "text", "no message has this id: a blocker, a page without the snippet, or a server that "
                  "does not send it");
        return;
    }
}

static void write_never(const struct accounts *accounts, const struct account *account, struct buf *out)
{
    begin_problem(account, NEVER, missing_causes[account->missing].word, missing_causes[account->missing].code, out);
    write_text_of_missing(accounts, account, out);
    end_problem(accounts->exam, account, NULL, out);
}

/* ---- Late, without a history, twice ---- */

/* "30 s", "3 min", "26 h", "12 d". */
static const char *span_text(Millis span_ms, char text[24])
{
    if (span_ms < 2 * MINUTE_MS) snprintf(text, 24, "%lld s", (long long)(span_ms / SECOND_MS));
    else if (span_ms < 2 * HOUR_MS) snprintf(text, 24, "%lld min", (long long)(span_ms / MINUTE_MS));
    else if (span_ms < 2 * DAY_MS) snprintf(text, 24, "%lld h", (long long)(span_ms / HOUR_MS));
    else snprintf(text, 24, "%lld d", (long long)(span_ms / DAY_MS));
    return text;
}

/* True if the account's first message ever is among the rows, not before the window. */
static bool has_first(const struct accounts *accounts, const struct account *account)
{
    const DoctorPerson *known = doctor_person(accounts->exam, account->person);
    return account->first && (account->is_joined || account->first->time_ms <= known->first_user_ms);
}

static bool write_late(const struct accounts *accounts, const struct account *account, struct buf *out)
{
    char after[24], name[DOCTOR_NAME_BYTES + 16];
    if (!account_has_time(account)) return false;
    const DoctorRow *row = has_first(accounts, account) ? account->first : NULL;
    Millis at_ms = account_at(accounts, account);
    Millis seen_ms = row ? row->arrival_ms : doctor_person(accounts->exam, account->person)->first_user_ms;
    if (seen_ms == INT64_MAX || seen_ms - at_ms < LATE_MS) return false;
    span_text(seen_ms - at_ms, after);
    if (row && row->time_ms - at_ms < LATE_MS) {
        begin_problem(account, LATE, "sent_late", "CL-5", out);
        json_printf(out, "text", "it happened in time and arrived %s after: a queue of the client", after);
    } else if (row && row->flags & ROW_SIGNUP) {
        begin_problem(account, LATE, "signup_late", NULL, out);
        json_printf(out, "text", "the sign-up itself is %s after the account: a job, or a step that comes later",
                    after);
    } else {
        Str called = row && row->name ? accounts->exam->names.texts[row->name] : (Str){ 0 };
        snprintf(name, sizeof name, "%s%s%.*s", row ? type_word(row) : "message", called.len ? " " : "",
                 STR_FORMAT(called));
        begin_problem(account, LATE, "no_signup", "ID-2", out);
        json_printf(out, "text", "the sign-up never arrived; the first that came is a %s, %s after", name, after);
    }
    end_problem(accounts->exam, account, row, out);
    return true;
}

static bool write_history(const struct accounts *accounts, const struct account *account, struct buf *out)
{
    const struct exam *exam = accounts->exam;
    const DoctorPerson *known = doctor_person(exam, account->person);
    const DoctorRow *row = account->signup ? account->signup : account->first;
    Millis signup_ms = row ? row->time_ms : known->first_user_ms;
    if (!exam->has_browser || signup_ms == INT64_MAX || known->first_anonymous_ms < signup_ms) return false;
    if (!row) {
        begin_problem(account, NO_HISTORY, "unknown", "ID-1", out);
        json_word(out, "text", "nothing without a user id came before; the messages lie outside of what was looked at");
    } else {
        DoctorCode code = doctor_find_cause(exam, row);
        begin_problem(account, NO_HISTORY, history_causes[code - DOCTOR_ID_1].word, doctor_findings[code].code, out);
        json_word(out, "text", history_causes[code - DOCTOR_ID_1].text);
    }
    end_problem(exam, account, row, out);
    return true;
}

static bool write_twice(const struct accounts *accounts, const struct account *account, struct buf *out)
{
    char after[24];
    if (!account->again) return false;
    span_text(account->again->time_ms - account->signup->time_ms, after);
    bool is_one = account->again->source == account->signup->source;
    begin_problem(account, TWICE, is_one ? "sent_again" : "two_sources", "ID-3", out);
    json_printf(out, "text", "two sign-ups under two message ids, %s apart, %s", after,
                is_one ? "from one source" : "from two sources");
    end_problem(accounts->exam, account, account->again, out);
    return true;
}

/* ---- All ---- */

static void write_joined(const struct accounts *accounts, struct buf *out)
{
    json_array(out, "joined");
    for (size_t at = 0; at < accounts->count; at++) {
        const struct account *account = &accounts->items[at];
        if (!account->is_joined) continue;
        json_object(out, NULL);
        json_string(out, "id", account->given->id);
        write_person(accounts->exam, account, out);
        json_object_end(out);
    }
    json_array_end(out);
}

void accounts_write(struct accounts *accounts, struct buf *out)
{
    size_t counts[STATES] = { 0 }, fine = 0;
    json_object(out, NULL);
    json_array(out, "problems");
    for (size_t at = 0; at < accounts->count; at++) {
        const struct account *account = &accounts->items[at];
        if (account->node == IDENTITY_NONE) {
            write_never(accounts, account, out);
            counts[NEVER]++;
            continue;
        }
        bool is_late = write_late(accounts, account, out), is_new = write_history(accounts, account, out);
        bool is_twice = write_twice(accounts, account, out);
        counts[LATE] += is_late, counts[NO_HISTORY] += is_new, counts[TWICE] += is_twice;
        fine += !is_late && !is_new && !is_twice;
    }
    json_array_end(out);
    json_uint(out, "accounts", accounts->count);
    json_uint(out, "fine", fine);
    for (State state = 0; state < STATES; state++) json_uint(out, state_words[state], counts[state]);
    write_joined(accounts, out);
    json_int(out, "moved_minutes", accounts->moved_ms / MINUTE_MS);
    json_uint(out, "moved_by", accounts->moved_ms ? accounts->moved_count : 0);
    json_uint(out, "messages", accounts->exam->row_count);
    json_instant(out, "from", accounts->exam->from_ms);
    json_bool(out, "is_cut", accounts->exam->is_cut);
    json_object_end(out);
}
