/* doctor_devices: looks at one anonymous id at a time for: several users on it, sessions without its known user, ids
 * that are used for one message only, visitors who come from the site itself, and two libraries at work. */
#include "doctor_private.h"


enum {
    MAGNET_USERS = 10,                      /* if one anonymous id has more, it is a constant in somebody's code */
    ACTOR_USERS = 5,                        /* so many or more are staff who act for customers */
    ACTOR_MS = 30 * MINUTE_MS,              /* staff stay as one customer for less than this */
    ACTOR_GAP_MS = 5 * MINUTE_MS,           /* and somebody else is there so soon before and after */
    TOGETHER_MS = 2 * SECOND_MS,            /* two libraries of one page load */
};

struct device {
    struct exam *exam;
    const uint32_t *places;
    size_t count;
    const DoctorRow *first, *first_user, *second;       /* second: the first of another person */
    IdentityNode users[MAGNET_USERS + 1];
    uint32_t persons[MAGNET_USERS + 1];
    uint32_t user_count, person_count;      /* at most MAGNET_USERS + 1 */
    bool is_acting;                         /* one person, shortly another one, then the first again */
};

static const DoctorRow *row_at(const struct device *device, size_t at)
{
    return &device->exam->rows[device->places[at]];
}

static bool put_new(uint32_t *items, uint32_t *count, uint32_t item)
{
    for (uint32_t at = 0; at < *count; at++)
        if (items[at] == item) return false;
    if (*count <= MAGNET_USERS) items[(*count)++] = item;
    return true;
}

/* The last three stays: each is the time for which one person used the id. */
struct stays {
    struct { uint32_t person; Millis from_ms, to_ms; } last[3];
    uint32_t count;
};

static bool ends_a_visit(struct stays *stays, const DoctorRow *row)
{
    uint32_t at = stays->count ? (stays->count - 1) % 3 : 0;
    if (!stays->count || stays->last[at].person != row->person) {
        at = stays->count++ % 3;
        stays->last[at].person = row->person;
        stays->last[at].from_ms = row->time_ms;
    }
    stays->last[at].to_ms = row->time_ms;
    if (stays->count < 3) return false;
    uint32_t before = (stays->count - 2) % 3, first = (stays->count - 3) % 3;
    return stays->last[first].person == row->person
        && stays->last[before].to_ms - stays->last[before].from_ms < ACTOR_MS
        && stays->last[before].from_ms - stays->last[first].to_ms < ACTOR_GAP_MS
        && stays->last[at].from_ms - stays->last[before].to_ms < ACTOR_GAP_MS;
}

static void read_users(struct device *device)
{
    struct stays stays = { 0 };
    for (size_t at = 0; at < device->count; at++) {
        const DoctorRow *row = row_at(device, at);
        if (row->user == IDENTITY_NONE || row->person == QUERY_NOBODY) continue;
        if (!device->first_user) device->first_user = row;
        (void)put_new(device->users, &device->user_count, row->user);
        bool is_new = put_new(device->persons, &device->person_count, row->person);
        if (is_new && !device->second && device->person_count == 2) device->second = row;
        device->is_acting |= ends_a_visit(&stays, row);
    }
}

/* ---- Several users ---- */

static void tell_all(const struct device *device, struct tally *tally)
{
    for (uint32_t at = 0; at < device->person_count; at++)
        tally_person(tally, device->persons[at], device->second);
}

/* The release of the library that keeps the id: the last one of the id's own source before the second person came. */
static uint32_t release_of(const struct device *device)
{
    uint32_t release = device->first->release;
    for (size_t at = 0; at < device->count && row_at(device, at) != device->second; at++)
        if (row_at(device, at)->source == device->first->source) release = row_at(device, at)->release;
    return release;
}

/* An id with several people counts for one cause: a constant, else staff, else a missing reset. */
static void judge_users(const struct device *device)
{
    struct exam *exam = device->exam;
    if (!device->first_user) return;
    DoctorCode code = device->user_count > MAGNET_USERS ? DOCTOR_ID_6
        : device->is_acting || device->person_count >= ACTOR_USERS ? DOCTOR_ID_4A : DOCTOR_ID_4;
    uint32_t source = device->first->source;
    tally_unit(exam, DOCTOR_ID_4, source, 0);
    tally_unit(exam, DOCTOR_ID_4A, source, 0);
    tally_unit(exam, DOCTOR_ID_6, source, 0);
    if (device->person_count < 2) return;
    DoctorRow row = *device->second;
    row.source = source;                    /* the source for which the id was counted */
    row.release = release_of(device);
    tell_all(device, tally_case(exam, code, 0, &row));
}

/* ---- Known devices without their user ---- */

/* Since when the id belongs to one user; INT64_MAX: it belongs to nobody, or to several. */
static Status claimed_since(const struct device *device, Arena scratch, Millis *ret, Err *err)
{
    struct exam *exam = device->exam;
    IdentityNode node = device->first->device;
    uint32_t slot = exam->people->pages[node / QUERY_PAGE_SUBJECTS][node % QUERY_PAGE_SUBJECTS];
    *ret = INT64_MAX;
    if (slot == node || slot & QUERY_SHARED) return OK;
    *ret = device->first_user ? device->first_user->time_ms : INT64_MAX;
    if (device->first_user == device->first) return OK;
    IdentityLinks links;
    derive_begin_reading(exam->question->applier);
    Status s = identity_list_links(exam->identity, node, 2, &scratch, &links, err);
    derive_end_reading(exam->question->applier);
    if (!s && links.count && links.items[0].time_ms < *ret) *ret = links.items[0].time_ms;
    return s;
}

static Status judge_sessions(const struct device *device, Arena scratch, Err *err)
{
    struct exam *exam = device->exam;
    Millis since_ms;
    Status s = claimed_since(device, scratch, &since_ms, err);
    for (size_t from = 0, to; !s && since_ms != INT64_MAX && from < device->count; from = to) {
        const DoctorRow *first = row_at(device, from);
        bool has_user = false;
        for (to = from; to < device->count; to++) {
            const DoctorRow *row = row_at(device, to);
            if (to > from && row->time_ms - row_at(device, to - 1)->time_ms > DOCTOR_SESSION_MS) break;
            has_user |= row->user != IDENTITY_NONE;
        }
        if (first->time_ms <= since_ms && !(has_user && first->user != IDENTITY_NONE)) continue;
        tally_unit(exam, DOCTOR_ID_12, first->source, 0);
        if (!has_user) (void)tally_case(exam, DOCTOR_ID_12, 0, first);
    }
    return s;
}

/* ---- Others ---- */

static void judge_life(const struct device *device)
{
    struct exam *exam = device->exam;
    const DoctorRow *first = device->first;
    if (doctor_is_server(exam, first->source)) {
        tally_unit(exam, DOCTOR_ID_6A, first->source, 0);
        if (device->count == 1) (void)tally_case(exam, DOCTOR_ID_6A, 0, first);
    }
    /* Is this the person's first message, on a page that was reached from another host of the same site? (If it was
     * reached from the same host, the page has reset the id.) */
    bool is_new = first->person != QUERY_NOBODY && doctor_person(exam, first->person)->first_ms == first->time_ms;
    if (!is_new || first->type != EVENT_PAGE || !first->host) return;
    const Str *texts = exam->names.texts;
    tally_unit(exam, DOCTOR_ID_14, first->source, 0);
    if (first->host != first->referrer && doctor_is_same_site(texts[first->host], texts[first->referrer]))
        (void)tally_case(exam, DOCTOR_ID_14, 0, first);
}

static void judge_libraries(const struct device *device)
{
    struct exam *exam = device->exam;
    const DoctorRow *guilty = NULL;
    bool has_page = false;
    for (size_t at = 0; at < device->count; at++) {
        const DoctorRow *row = row_at(device, at), *last = at ? row_at(device, at - 1) : row;
        has_page |= row->type == EVENT_PAGE;
        if (!guilty && row->source == last->source && row->release && last->release && row->release != last->release
            && row->time_ms - last->time_ms <= TOGETHER_MS) guilty = row;
    }
    if (!has_page) return;
    DoctorRow row = guilty ? *guilty : *device->first;
    row.source = device->first->source;
    tally_unit(exam, DOCTOR_TW_5, row.source, 0);
    if (guilty) (void)tally_case(exam, DOCTOR_TW_5, 0, &row);
}

Status doctor_pass_devices(struct exam *exam, Err *err)
{
    Status s = OK;
    for (size_t from = 0, to; !s && from < exam->device_row_count; from = to) {
        to = doctor_group(exam, exam->by_device, exam->device_row_count, from, doctor_key_device);
        struct device device = { .exam = exam, .places = exam->by_device + from, .count = to - from };
        device.first = row_at(&device, 0);
        read_users(&device);
        judge_users(&device);
        judge_life(&device);
        judge_libraries(&device);
        s = judge_sessions(&device, *exam->arena, err);
        if (!s) s = doctor_go_on(exam, err);
    }
    return s;
}
