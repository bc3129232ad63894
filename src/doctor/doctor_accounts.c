/* doctor_accounts: compares the operator's own table of accounts, which is taken as the truth, with the messages that
 * arrived: which accounts never arrived, or came late, without a history, or twice.
 *
 * An account is found by its user id. Its first message and its sign-ups are those of the window. When its person was
 * first seen, the index says, also from before the window. For an account that never arrived, likely reasons are looked
 * for (doctor_accounts_missing.c).
 *
 * Tables are often written in local time. If the first messages of most accounts differ from the table by the same
 * multiple of half an hour, the table has another time zone: its times are moved by this, and the answer says so. */
#include "doctor_accounts.h"

#include <stdlib.h>

enum {
    BEFORE_MS = HOUR_MS, AFTER_MS = 8 * DAY_MS,     /* the window begins and ends so long around the accounts */
    ZONE_STEP_MS = 30 * MINUTE_MS, ZONE_STEPS = 28, ZONE_SLACK_MS = 2 * MINUTE_MS, ZONE_LEAST = 10,
};

/* ---- Its messages ---- */

static uint32_t person_of(const struct exam *exam, IdentityNode node)
{
    uint32_t slot = exam->people->pages[node / QUERY_PAGE_SUBJECTS][node % QUERY_PAGE_SUBJECTS];
    return slot < exam->people->subject_count ? slot : QUERY_NOBODY;
}

/* True if the person is called by another user id: aliases joined several user ids, and this one is not the name. */
static bool is_joined(const struct exam *exam, const struct account *account, Arena scratch)
{
    IdentityMember *members;                /* user ids first, the one that gives the name before all */
    size_t count;
    IdentityPerson person = identity_person_now(exam->identity, account->node);
    return person != IDENTITY_NONE && !identity_list_members(exam->identity, person, &scratch, &members, &count, NULL)
        && count > 0 && members[0].node != account->node;
}

static void find_nodes(struct accounts *accounts)
{
    struct exam *exam = accounts->exam;
    for (size_t at = 0; at < accounts->count; at++) {
        struct account *account = &accounts->items[at];
        derive_begin_reading(exam->question->applier);      /* for one at a time: the applier waits */
        IdentityNode node = identity_find(exam->identity, IDENTITY_USER, account->given->id);
        account->node = node < exam->people->subject_count ? node : IDENTITY_NONE;
        account->person = account->node == IDENTITY_NONE ? QUERY_NOBODY : person_of(exam, account->node);
        if (account->person == QUERY_NOBODY) account->node = IDENTITY_NONE;
        account->is_joined = account->node != IDENTITY_NONE && is_joined(exam, account, *exam->arena);
        derive_end_reading(exam->question->applier);
    }
}

/* Is the row a second sign-up? One call sent twice (TW-1), or by browser and server (TW-2), does not count. */
static bool is_again(const DoctorRow *row, const DoctorRow *signup)
{
    Millis apart_ms = row->time_ms - signup->time_ms;
    return row->message != signup->message && apart_ms > (row->source == signup->source ? SECOND_MS : MINUTE_MS);
}

static void take_row(struct account *account, const DoctorRow *row)
{
    if (!account->first) account->first = row;
    if (!(row->flags & ROW_SIGNUP)) return;
    if (!account->signup) account->signup = row;
    else if (!account->again && is_again(row, account->signup)) account->again = row;
}

static bool has_user(const DoctorRow *row) { return row->user != IDENTITY_NONE; }

static int by_user(const DoctorRow *a, const DoctorRow *b)
{
    return a->user != b->user ? doctor_compare(a->user, b->user) : doctor_compare_time(a, b);
}

static Status find_rows(struct accounts *accounts, Err *err)
{
    struct exam *exam = accounts->exam;
    uint32_t *places;
    size_t count;
    Status s = doctor_sort(exam, has_user, by_user, &places, &count, err);
    if (s) return s;
    for (size_t n = 0; n < accounts->count; n++) {
        struct account *account = &accounts->items[n];
        size_t from = 0, to = count;
        while (from < to) {
            size_t middle = from + (to - from) / 2;
            if (exam->rows[places[middle]].user < account->node) from = middle + 1;
            else to = middle;
        }
        for (; account->node != IDENTITY_NONE && from < count && exam->rows[places[from]].user == account->node; from++)
            take_row(account, &exam->rows[places[from]]);
    }
    free(places);
    return OK;
}

/* ---- The table's time zone ---- */

/* By how many half hours the account's sign-up, or else its first message, differs from the table; false: not by a
 * whole number of them. */
static bool find_step(const struct account *account, int *ret)
{
    const DoctorRow *row = account->signup ? account->signup : account->first;
    if (!row || !account_has_time(account)) return false;
    Millis off_ms = row->time_ms - account->given->created_ms;
    Millis step = (off_ms + (off_ms < 0 ? -ZONE_STEP_MS / 2 : ZONE_STEP_MS / 2)) / ZONE_STEP_MS;
    Millis rest_ms = off_ms - step * ZONE_STEP_MS;
    *ret = (int)step;
    return step >= -ZONE_STEPS && step <= ZONE_STEPS && rest_ms >= -ZONE_SLACK_MS && rest_ms <= ZONE_SLACK_MS;
}

static void find_zone(struct accounts *accounts)
{
    size_t counts[2 * ZONE_STEPS + 1] = { 0 }, all = 0;
    int best = 0, step;
    for (size_t at = 0; at < accounts->count; at++) {
        const struct account *account = &accounts->items[at];
        all += account->first && account_has_time(account);
        if (find_step(account, &step)) counts[step + ZONE_STEPS]++;
    }
    for (step = -ZONE_STEPS; step <= ZONE_STEPS; step++)
        if (counts[step + ZONE_STEPS] > counts[best + ZONE_STEPS]) best = step;
    accounts->moved_count = counts[best + ZONE_STEPS];
    if (best && accounts->moved_count >= ZONE_LEAST && accounts->moved_count * 5 >= all * 4)
        accounts->moved_ms = best * ZONE_STEP_MS;
}

/* ---- The whole ---- */

/* Sets the window by the accounts that have a time. */
static void set_window(struct exam *exam, const DoctorAccount *accounts, size_t count)
{
    const DoctorQuestion *question = exam->question;
    Millis first_ms = INT64_MAX, last_ms = INT64_MIN;
    for (size_t at = 0; at < count; at++) {
        if (accounts[at].created_ms == INT64_MIN) continue;
        if (accounts[at].created_ms < first_ms) first_ms = accounts[at].created_ms;
        if (accounts[at].created_ms > last_ms) last_ms = accounts[at].created_ms;
    }
    if (last_ms == INT64_MIN) return;
    /* the table may be in an unknown time zone, up to 14 hours away */
    first_ms -= BEFORE_MS + ZONE_STEPS * ZONE_STEP_MS, last_ms += AFTER_MS;
    exam->from_ms = first_ms < exam->now_ms - DAY_MS ? first_ms : exam->now_ms - DAY_MS;
    if (question->with_imports || last_ms >= exam->now_ms) return;
    JournalPos end = journal_find_time(question->journal, last_ms);
    if (end < exam->end) exam->end = end;
}

static Status ask_history(struct accounts *accounts, Err *err)
{
    struct exam *exam = accounts->exam;
    uint32_t *people = arena_new(exam->arena, uint32_t, accounts->count + 1);
    for (size_t at = 0; at < accounts->count; at++)
        if (accounts->items[at].person != QUERY_NOBODY) people[exam->other_count++] = accounts->items[at].person;
    exam->others = people;
    return doctor_find_history(exam, err);
}

static Status judge(struct accounts *accounts, Err *err)
{
    struct exam *exam = accounts->exam;
    Status s = doctor_gather(exam, err);
    if (s) return s;
    find_nodes(accounts);
    s = ask_history(accounts, err);
    if (!s) s = doctor_sort_devices(exam, err);
    if (!s) s = find_rows(accounts, err);
    if (!s) find_zone(accounts);
    return s ? s : accounts_find_missing(accounts, err);
}

Status doctor_judge_accounts(const DoctorQuestion *question, const DoctorAccount *accounts, size_t count,
                             struct buf *out, Err *err)
{
    struct exam exam;
    struct region region;
    Arena arena;
    doctor_open_exam(&exam, question, &region, &arena);
    struct accounts judged = { .exam = &exam, .items = arena_new(&arena, struct account, count + 1), .count = count };
    for (size_t at = 0; at < count; at++)
        judged.items[at] = (struct account){ .given = &accounts[at], .visitor = IDENTITY_NONE };
    set_window(&exam, accounts, count);
    Status s = judge(&judged, err);
    if (!s) accounts_write(&judged, out);
    slots_done(&judged.by_id);
    doctor_close_exam(&exam, &region);
    return s;
}
