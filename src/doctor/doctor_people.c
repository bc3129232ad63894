/* doctor_people: looks at one user or person at a time, and at aliases, for: ids with very many devices, two users with
 * one e-mail address, ids that change between hosts, and the same identify again and again. */
#include "doctor_private.h"

#include <stdlib.h>

enum { MAGNET_DEVICES = 50, STORM_REPEATS = 5, STORM_SOURCES = 8 };

static uint32_t key_user(const DoctorRow *row) { return row->user; }
static bool has_user(const DoctorRow *row) { return row->user != IDENTITY_NONE && row->person != QUERY_NOBODY; }
static bool has_both(const DoctorRow *row) { return has_user(row) && row->device != IDENTITY_NONE; }
static bool is_alias(const DoctorRow *row)
{
    return row->type == EVENT_ALIAS && has_user(row) && row->previous != IDENTITY_NONE && row->previous != row->user;
}

static int by_user_device(const DoctorRow *a, const DoctorRow *b)
{
    if (a->user != b->user) return doctor_compare(a->user, b->user);
    return a->device != b->device ? doctor_compare(a->device, b->device) : doctor_compare_time(a, b);
}

static int by_user_time(const DoctorRow *a, const DoctorRow *b)
{
    return a->user != b->user ? doctor_compare(a->user, b->user) : doctor_compare_time(a, b);
}

static int by_user_previous(const DoctorRow *a, const DoctorRow *b)
{
    if (a->user != b->user) return doctor_compare(a->user, b->user);
    return a->previous != b->previous ? doctor_compare(a->previous, b->previous) : doctor_compare_time(a, b);
}

/* ---- Each user's rows, in some order ---- */

typedef void JudgeUser(struct exam *exam, const uint32_t *places, size_t count);

static Status each_user(struct exam *exam, DoctorWants *wants, DoctorOrder *order, JudgeUser *judge, Err *err)
{
    uint32_t *places;
    size_t count;
    Status s = doctor_sort(exam, wants, order, &places, &count, err);
    if (s) return s;
    for (size_t from = 0, to; !s && from < count; from = to) {
        to = doctor_group(exam, places, count, from, key_user);
        judge(exam, places + from, to - from);
        s = doctor_go_on(exam, err);
    }
    free(places);
    return s;
}

/* ---- Magnets ---- */

/* The first row in time. The rows are sorted by numbers of identity/, which a rebuild changes. */
static const DoctorRow *find_earliest(const struct exam *exam, const uint32_t *places, size_t count)
{
    const DoctorRow *first = &exam->rows[places[0]];
    for (size_t at = 1; at < count; at++)
        if (doctor_compare_time(&exam->rows[places[at]], first) < 0) first = &exam->rows[places[at]];
    return first;
}

static void judge_magnet(struct exam *exam, const uint32_t *places, size_t count)
{
    const DoctorRow *first = find_earliest(exam, places, count);
    uint32_t devices = 0;
    for (size_t at = 0; at < count; at++)
        devices += !at || exam->rows[places[at]].device != exam->rows[places[at - 1]].device;
    tally_unit(exam, DOCTOR_ID_6, first->source, 0);
    if (devices > MAGNET_DEVICES) (void)tally_case(exam, DOCTOR_ID_6, 0, first);
}

/* ---- Hosts ---- */

/* One browser has the anonymous ids A1, A2 and A1 again within a day, on two hosts of one site. */
static void judge_hops(struct exam *exam, const uint32_t *places, size_t count)
{
    const DoctorRow *turns[3] = { 0 }, *guilty = NULL, *first = NULL;
    bool has_two_hosts = false;
    for (size_t at = 0; at < count; at++) {
        const DoctorRow *row = &exam->rows[places[at]];
        if (row->type == EVENT_ALIAS || !row->host) continue;
        if (!first) first = row;
        if (turns[2] && row->host != turns[2]->host)
            has_two_hosts |= doctor_is_same_site(exam->names.texts[row->host], exam->names.texts[turns[2]->host]);
        if (turns[2] && turns[2]->device == row->device) {
            turns[2] = row;
            continue;
        }
        turns[0] = turns[1], turns[1] = turns[2], turns[2] = row;
        if (guilty || !turns[0] || turns[0]->device != row->device || turns[1]->host == row->host) continue;
        bool is_one_browser = turns[0]->agent == turns[1]->agent && turns[1]->agent == row->agent;
        bool is_one_site = doctor_is_same_site(exam->names.texts[turns[1]->host], exam->names.texts[row->host]);
        if (is_one_browser && is_one_site && row->time_ms - turns[0]->time_ms <= DAY_MS) guilty = turns[1];
    }
    if (!has_two_hosts) return;
    DoctorRow row = guilty ? *guilty : *first;
    row.source = first->source;
    tally_unit(exam, DOCTOR_ID_13, row.source, 0);
    if (guilty) (void)tally_case(exam, DOCTOR_ID_13, 0, &row);
}

/* ---- Storms ---- */

/* The identify calls of one user from one source. Sources are kept apart: if a phone and a page are used at once, they
 * do not repeat each other. */
struct storm {
    const DoctorRow *first, *last;          /* first: of the session; last: the latest, also of an earlier session */
    uint32_t repeats;                       /* of the session: identify calls that say the same as the one before */
};

/* If there are more sources than places, they share the last place. */
static struct storm *find_storm(struct storm storms[STORM_SOURCES], const DoctorRow *row)
{
    size_t at = 0;
    while (at < STORM_SOURCES - 1 && storms[at].last && storms[at].last->source != row->source) at++;
    return &storms[at];
}

static void end_session(struct exam *exam, struct storm storms[STORM_SOURCES])
{
    for (size_t at = 0; at < STORM_SOURCES; at++) {
        struct storm *storm = &storms[at];
        if (storm->first) tally_unit(exam, DOCTOR_ID_15, storm->first->source, 0);
        if (storm->repeats >= STORM_REPEATS) (void)tally_case(exam, DOCTOR_ID_15, 0, storm->first);
        storm->first = NULL;
        storm->repeats = 0;
    }
}

/* The places are the user's messages in order of time. */
static void judge_storms(struct exam *exam, const uint32_t *places, size_t count)
{
    struct storm storms[STORM_SOURCES] = { { NULL, NULL, 0 } };
    for (size_t at = 0; at < count; at++) {
        const DoctorRow *row = &exam->rows[places[at]];
        if (at > 0 && row->time_ms - exam->rows[places[at - 1]].time_ms > DOCTOR_SESSION_MS) end_session(exam, storms);
        if (row->type != EVENT_IDENTIFY) continue;
        struct storm *storm = find_storm(storms, row);
        storm->repeats += storm->last && storm->last->payload == row->payload && storm->last->source == row->source;
        if (!storm->first) storm->first = row;
        storm->last = row;
    }
    end_session(exam, storms);
}

/* ---- Aliases ---- */

static bool is_signup_of_user(const DoctorRow *row) { return row->flags & ROW_SIGNUP && has_user(row); }

/* The users who signed up in the window, each once, in order. */
struct signers {
    IdentityNode *users;
    size_t count;
};

static Status list_signers(struct exam *exam, struct signers *ret, Err *err)
{
    uint32_t *places;
    size_t count, kept = 0;
    Status s = doctor_sort(exam, is_signup_of_user, by_user_time, &places, &count, err);
    if (s) return s;
    for (size_t at = 0; at < count; at++) {
        IdentityNode user = exam->rows[places[at]].user;
        if (!kept || places[kept - 1] != user) places[kept++] = user;       /* places become users */
    }
    *ret = (struct signers){ places, kept };
    return OK;
}

static bool has_signed_up(const struct signers *signers, IdentityNode user)
{
    size_t from = 0, to = signers->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (signers->users[middle] < user) from = middle + 1;
        else to = middle;
    }
    return from < signers->count && signers->users[from] == user;
}

static void judge_alias(struct exam *exam, const struct signers *signers, const DoctorRow *row)
{
    if (row->flags & ROW_OF_USER) {
        tally_unit(exam, DOCTOR_ID_11, row->source, 0);
        if (has_signed_up(signers, row->user) && has_signed_up(signers, row->previous))
            (void)tally_case(exam, DOCTOR_ID_11, 0, row);
        return;
    }
    tally_unit(exam, DOCTOR_ID_10, row->source, 0);
    if (doctor_person(exam, row->person)->first_user_ms < row->time_ms) (void)tally_case(exam, DOCTOR_ID_10, 0, row);
}

/* The first alias of each pair counts. */
static Status judge_aliases(struct exam *exam, Err *err)
{
    uint32_t *places;
    size_t count;
    struct signers signers = { 0 };
    Status s = doctor_sort(exam, is_alias, by_user_previous, &places, &count, err);
    if (s) return s;
    if (count) s = list_signers(exam, &signers, err);
    for (size_t at = 0; !s && at < count; at++) {
        const DoctorRow *row = &exam->rows[places[at]], *last = at ? &exam->rows[places[at - 1]] : NULL;
        if (!last || last->user != row->user || last->previous != row->previous) judge_alias(exam, &signers, row);
    }
    free(signers.users);
    free(places);
    return s;
}

/* ---- Many users that aliases made one ---- */

enum { ALIASED_USERS = 10 };

/* Does the alias join a user to a user? */
static bool is_alias_of_user(const DoctorRow *row)
{
    return row->type == EVENT_ALIAS && row->flags & ROW_OF_USER && row->person != QUERY_NOBODY;
}

static int by_person_previous(const DoctorRow *a, const DoctorRow *b)
{
    if (a->person != b->person) return doctor_compare(a->person, b->person);
    return a->previous != b->previous ? doctor_compare(a->previous, b->previous) : doctor_compare_time(a, b);
}

static bool is_still_joined(const struct exam *exam, const DoctorRow *row)
{
    const QueryPeople *people = exam->people;
    if (row->previous == IDENTITY_NONE || row->previous >= people->subject_count) return false;
    return people->pages[row->previous / QUERY_PAGE_SUBJECTS][row->previous % QUERY_PAGE_SUBJECTS] == row->person;
}

/* Aliases joined more than ten users to one person: no human being has so many accounts (ID-6, like other magnets).
 * Aliases that were taken back do not count. */
static Status find_alias_magnets(struct exam *exam, Err *err)
{
    uint32_t *places;
    size_t count;
    Status s = doctor_sort(exam, is_alias_of_user, by_person_previous, &places, &count, err);
    if (s) return s;
    for (size_t from = 0, to; from < count; from = to) {
        uint32_t users = 0;
        to = doctor_group(exam, places, count, from, doctor_key_person);
        for (size_t at = from; at < to; at++) {
            const DoctorRow *row = &exam->rows[places[at]];
            bool is_new = at == from || exam->rows[places[at - 1]].previous != row->previous;
            users += is_new && is_still_joined(exam, row);
        }
        const DoctorRow *first = find_earliest(exam, places + from, to - from);
        if (users > ALIASED_USERS) {
            tally_unit(exam, DOCTOR_ID_6, first->source, 0);
            (void)tally_case(exam, DOCTOR_ID_6, 0, first);
        }
    }
    free(places);
    return OK;
}

/* ---- Addresses ---- */

struct address {
    uint64_t hash;                          /* of the address in lower case */
    uint32_t place;                         /* the row of one of its people */
};

static int by_address(const void *a, const void *b)
{
    const struct address *left = a, *right = b;
    if (left->hash != right->hash) return doctor_compare(left->hash, right->hash);
    return doctor_compare(left->place, right->place);
}

static void judge_addresses(struct exam *exam, struct address *addresses, size_t count)
{
    qsort(addresses, count, sizeof *addresses, by_address);
    for (size_t from = 0, to; from < count; from = to) {
        const DoctorRow *first = &exam->rows[addresses[from].place];
        for (to = from; to < count && addresses[to].hash == addresses[from].hash;) to++;
        tally_unit(exam, DOCTOR_ID_9, first->source, 0);
        if (to - from < 2) continue;
        struct tally *tally = tally_case(exam, DOCTOR_ID_9, 0, first);
        for (size_t at = from + 1; at < to; at++)
            tally_person(tally, exam->rows[addresses[at].place].person, &exam->rows[addresses[at].place]);
    }
}

static bool read_address(struct exam *exam, const DoctorRow *row, Arena scratch, uint64_t *ret)
{
    const QueryWorld *world = exam->question->world;
    IndexValue value;
    char room[LIMIT_ID_BYTES];
    if (!world->find_trait || !world->find_trait(world->context, row->person, STR("email"), &scratch, &value)
        || value.kind != INDEX_STRING) return false;
    Str text = identity_fold_text(value.text, room);
    if (!str_contains(text, STR("@"))) return false;
    *ret = hash_64(text, 0);
    return true;
}

static int by_person_time(const DoctorRow *a, const DoctorRow *b)
{
    return a->person != b->person ? doctor_compare(a->person, b->person) : doctor_compare_time(a, b);
}

static Status find_addresses(struct exam *exam, Err *err)
{
    uint32_t *places;
    size_t count, kept = 0;
    Status s = doctor_sort(exam, has_user, by_person_time, &places, &count, err);
    if (s) return s;
    struct address *addresses = malloc((count + 1) * sizeof *addresses);
    if (!addresses) s = err_set(err, ERR_TOO_LARGE, "the doctor: no memory for %zu users", count);
    for (size_t from = 0, to; !s && from < count; from = to) {
        uint64_t hash;
        uint32_t place = places[from];                      /* the person's first identify, if there is one */
        to = doctor_group(exam, places, count, from, doctor_key_person);
        for (size_t at = to; at-- > from;)
            if (exam->rows[places[at]].type == EVENT_IDENTIFY) place = places[at];
        s = doctor_go_on(exam, err);
        if (!s && read_address(exam, &exam->rows[place], *exam->arena, &hash))
            addresses[kept++] = (struct address){ hash, place };
    }
    if (!s) judge_addresses(exam, addresses, kept);
    free(addresses);
    free(places);
    return s;
}

Status doctor_pass_people(struct exam *exam, Err *err)
{
    Status s = each_user(exam, has_both, by_user_device, judge_magnet, err);
    if (!s) s = each_user(exam, has_both, by_user_time, judge_hops, err);
    if (!s) s = each_user(exam, has_user, by_user_time, judge_storms, err);
    if (!s) s = judge_aliases(exam, err);
    if (!s) s = find_alias_magnets(exam, err);
    if (!s) s = find_addresses(exam, err);
    return s;
}
