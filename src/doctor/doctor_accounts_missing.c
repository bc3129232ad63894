/* doctor_accounts_missing: finds why accounts may never have arrived. Sure reasons come first: the rules say that the
 * id names nobody; the id was suppressed; it arrived in another spelling, or another id arrived in its place; or its
 * message was rejected. Then come reasons that the account's time suggests: it is before all tracking, or in hours
 * in which nothing arrived at all, or a visitor was there at that moment whom nobody ever identified. */
#include "doctor_accounts.h"

#include "symptoms/symptoms.h"

#include <stdlib.h>

enum {
    LEFT_BEFORE_MS = 10 * MINUTE_MS, LEFT_AFTER_MS = 2 * MINUTE_MS,     /* a visitor's last message, to the account */
    LEFT_MOST = 3,                          /* if there are more, they are the site's usual visitors */
    OUTAGE_LEAST_MS = HOUR_MS, OUTAGE_GAPS = 20, OUTAGE_ROWS = 100,
};

static bool is_missing(const struct account *account)
{
    return account->node == IDENTITY_NONE && account->missing == MISSING_UNKNOWN;
}

static void settle(struct account *account, DoctorMissing missing, Str other)
{
    account->missing = missing;
    account->other = other;
}

/* ---- Sure: from identity and from operators' orders ---- */

/* True if a person with a user id has the account's e-mail address as a trait. */
static bool find_by_email(struct accounts *accounts, const People *people, struct account *account)
{
    Arena scratch = *accounts->exam->arena;
    PersonId *ids;
    IdentityPerson person;
    bool is_shared;
    size_t count;
    if (people_find_email(people, account->given->email, &scratch, &person, &is_shared, NULL)) return false;
    if (people_list_ids(people, person, &scratch, &ids, &count, NULL)) return false;
    for (size_t at = 0; at < count; at++) {
        if (!str_equal(ids[at].type, STR("user_id"))) continue;
        settle(account, MISSING_OTHER_ID, arena_copy(accounts->exam->arena, ids[at].id));
        return true;
    }
    return false;
}

static void look_up(struct accounts *accounts, const People *people, struct control *control, struct account *account)
{
    Str id = account->given->id, email = account->given->email;
    struct identity *identity = accounts->exam->identity;
    if (!id.len || identity_is_blocked(identity, id)) settle(account, MISSING_BLOCKED, id);
    else if (control_is_suppressed(control, COMMAND_USER_ID, id)) settle(account, MISSING_SUPPRESSED, id);
    else if (email.len && !str_equal(email, id) && identity_find(identity, IDENTITY_USER, email) != IDENTITY_NONE)
        settle(account, MISSING_EMAIL_IS_ID, email);
    else if (email.len) (void)find_by_email(accounts, people, account);
}

static Status look_up_all(struct accounts *accounts, Err *err)
{
    struct applier *applier = accounts->exam->question->applier;
    People people = derive_people(applier);
    Status s = OK;
    for (size_t at = 0; at < accounts->count && !s; at++) {
        if (!is_missing(&accounts->items[at])) continue;
        derive_begin_reading(applier);      /* for one at a time: the applier waits */
        look_up(accounts, &people, derive_control(applier), &accounts->items[at]);
        derive_end_reading(applier);
        s = doctor_go_on(accounts->exam, err);
    }
    return s;
}

/* ---- Sure: in another spelling ---- */

static struct account *find_fold(struct accounts *accounts, Str id)
{
    uint64_t fold = symptoms_fold_id(id, 0);
    for (uint32_t at, probe = 0; (at = slots_next(&accounts->by_id, fold, &probe)) != SLOTS_NONE;)
        if (symptoms_fold_id(accounts->items[at].given->id, 0) == fold) return &accounts->items[at];
    return NULL;
}

/* Keeps the smallest of several ids, so that the order of users does not matter. */
static void take_spelling(struct accounts *accounts, struct account *account, DoctorMissing how, Str id)
{
    bool is_better = is_missing(account)
        || (account->missing == how && str_compare(id, account->other) < 0);
    if (account->node == IDENTITY_NONE && is_better)
        settle(account, how, arena_copy(accounts->exam->arena, id));
}

static void see_user(void *context, Subject subject, Str id)
{
    struct accounts *accounts = context;
    size_t prefix;
    (void)subject;
    struct account *account = find_fold(accounts, id);
    if (account) {
        take_spelling(accounts, account, MISSING_SPELLING, id);
    } else if ((void)symptoms_id_shape(id, &prefix), prefix) {
        account = find_fold(accounts, str_slice(id, prefix, id.len));
        if (account) take_spelling(accounts, account, MISSING_PREFIX, id);
    }
}

static Status compare_spellings(struct accounts *accounts, Err *err)
{
    const QueryPeople *people = accounts->exam->people;
    if (!slots_reserve(&accounts->by_id, (uint32_t)accounts->count))
        return err_set(err, ERR_TOO_LARGE, "the doctor: no memory for %zu accounts", accounts->count);
    for (size_t at = 0; at < accounts->count; at++)
        if (accounts->items[at].node == IDENTITY_NONE)
            slots_put(&accounts->by_id, symptoms_fold_id(accounts->items[at].given->id, 0), (uint32_t)at);
    if (people->visit_users && accounts->by_id.count) people->visit_users(people->context, see_user, accounts);
    return doctor_go_on(accounts->exam, err);
}

/* ---- Sure: rejected ---- */

/* The user id of a rejected message, which may not even be JSON: the value after "userId". */
static Str read_user_id(Str json)
{
    static const char name[] = "\"userId\"";
    const char *found = json.len ? memmem(json.bytes, json.len, name, sizeof name - 1) : NULL;
    if (!found) return (Str){ 0 };
    Str rest = str_trim(str_slice(json, (size_t)(found - json.bytes) + sizeof name - 1, json.len));
    if (!rest.len || rest.bytes[0] != ':') return (Str){ 0 };
    rest = str_trim(str_slice(rest, 1, rest.len));
    if (rest.len && rest.bytes[0] == '"') return str_cut(str_slice(rest, 1, rest.len), '"', &rest);
    size_t len = 0;
    while (len < rest.len && rest.bytes[len] >= '0' && rest.bytes[len] <= '9') len++;
    return str_slice(rest, 0, len);
}

static void take_rejected(struct accounts *accounts, Str bytes)
{
    Rejected rejected;
    if (record_kind(bytes) != RECORD_REJECTED || rejected_decode(bytes, &rejected, NULL)) return;
    Str id = read_user_id(rejected.json);
    struct account *account = id.len ? find_fold(accounts, id) : NULL;
    if (account && is_missing(account))
        settle(account, MISSING_REJECTED, arena_copy(accounts->exam->arena, rejected.reason));
}

static Status read_rejected(struct accounts *accounts, Err *err)
{
    struct exam *exam = accounts->exam;
    struct journal *journal = exam->question->journal;
    struct journal_reader *reader;
    JournalRecord record;
    Status s = journal_reader_open(journal, journal_find_time(journal, exam->from_ms), &reader, err);
    if (s) return s == ERR_NOT_FOUND ? OK : s;
    for (uint32_t count = 1; !s; count++) {
        s = journal_read_whole(reader, &record, err);
        if (s || record.pos >= exam->end) break;
        take_rejected(accounts, record.bytes);
        if (count % 4096 == 0) s = doctor_go_on(exam, err);
    }
    journal_reader_close(reader);
    return s == ERR_NOT_FOUND ? OK : s;
}

/* ---- Likely: from the account's time ---- */

static int by_time(const void *a, const void *b)
{
    const Millis *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Was the account made while no message came for an hour or more, on a site that usually has messages all the time? */
static void find_outages(struct accounts *accounts)
{
    struct exam *exam = accounts->exam;
    size_t count = exam->row_count;
    if (count < OUTAGE_ROWS) return;
    Millis *times = malloc((count + 1) * sizeof *times);
    if (!times) return;                     /* then this reason is not found */
    for (size_t at = 0; at < count; at++) times[at] = exam->rows[at].time_ms;
    qsort(times, count, sizeof *times, by_time);
    Millis usual_ms = (times[count * 99 / 100] - times[count / 100]) / (Millis)count;
    for (size_t n = 0; n < accounts->count; n++) {
        struct account *account = &accounts->items[n];
        if (!is_missing(account) || !account_has_time(account)) continue;
        Millis at_ms = account_at(accounts, account);
        size_t from = 0, to = count;
        while (from < to) {
            size_t middle = from + (to - from) / 2;
            if (times[middle] < at_ms) from = middle + 1;
            else to = middle;
        }
        if (!from) continue;
        account->silent_from_ms = times[from - 1];
        account->silent_to_ms = from < count ? times[from] : exam->now_ms;
        Millis gap_ms = account->silent_to_ms - account->silent_from_ms;
        if (gap_ms >= OUTAGE_LEAST_MS && gap_ms >= OUTAGE_GAPS * usual_ms) settle(account, MISSING_OUTAGE, (Str){ 0 });
    }
    free(times);
}

static int by_account_time(const void *a, const void *b, void *context)
{
    const struct accounts *accounts = context;
    Millis x = account_at(accounts, &accounts->items[*(const uint32_t *)a]);
    Millis y = account_at(accounts, &accounts->items[*(const uint32_t *)b]);
    return (x > y) - (x < y);
}

/* `last` is the last message of a visitor who was never identified. Notes it at all accounts made around that time. */
static void see_visitor(struct accounts *accounts, const uint32_t *places, size_t count, const DoctorRow *last)
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (account_at(accounts, &accounts->items[places[middle]]) < last->time_ms - LEFT_AFTER_MS) from = middle + 1;
        else to = middle;
    }
    for (; from < count; from++) {
        struct account *account = &accounts->items[places[from]];
        if (account_at(accounts, account) > last->time_ms + LEFT_BEFORE_MS) break;
        if (!account->visitors++) account->visitor = last->device;
    }
}

static void find_visitors(struct accounts *accounts)
{
    struct exam *exam = accounts->exam;
    uint32_t *places = arena_new(exam->arena, uint32_t, accounts->count + 1);
    size_t count = 0;
    for (size_t n = 0; n < accounts->count; n++)
        if (is_missing(&accounts->items[n]) && account_has_time(&accounts->items[n])) places[count++] = (uint32_t)n;
    qsort_r(places, count, sizeof *places, by_account_time, accounts);
    for (size_t from = 0, to; from < exam->device_row_count; from = to) {
        to = doctor_group(exam, exam->by_device, exam->device_row_count, from, doctor_key_device);
        const DoctorRow *last = &exam->rows[exam->by_device[to - 1]];
        if (last->person == last->device) see_visitor(accounts, places, count, last);
    }
    for (size_t n = 0; n < count; n++) {
        struct account *account = &accounts->items[places[n]];
        if (account->visitors && account->visitors <= LEFT_MOST) settle(account, MISSING_LEFT, (Str){ 0 });
    }
}

Status accounts_find_missing(struct accounts *accounts, Err *err)
{
    struct exam *exam = accounts->exam;
    Status s = look_up_all(accounts, err);
    if (!s) s = compare_spellings(accounts, err);
    if (!s && accounts->by_id.count) s = read_rejected(accounts, err);
    if (s) return s;
    for (size_t at = 0; at < accounts->count; at++) {
        struct account *account = &accounts->items[at];
        if (is_missing(account) && account_has_time(account) && account_at(accounts, account) < exam->first_ms)
            settle(account, MISSING_BEFORE, (Str){ 0 });
    }
    find_outages(accounts);
    find_visitors(accounts);
    return OK;
}
