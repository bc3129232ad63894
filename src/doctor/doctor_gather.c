/* doctor_gather: one pass over the journal makes a row of each message of the window. Repeats of a messageId and
 * messages of suppressed ids are left out, as everywhere; so are imports, unless the question wants them.
 *
 * Ids become numbers of identity/. The applier has to stand still for this, so it is done for some hundred messages at
 * once. When there is no room for more rows, the older half of them is dropped: the window is shorter then, and the
 * answer says so. */
#include "doctor_private.h"

#include <ctype.h>

enum { CHUNK = 512, CHUNK_BYTES = CHUNK * (3 * LIMIT_ID_BYTES + 8) };

struct pending {
    DoctorRow row;
    Str user, device, previous;
};

struct chunk {
    struct pending items[CHUNK];
    size_t count;
    struct region region;
    Arena arena;
};

/* The usual names of sign-ups and log-ins, in lower case without blanks and signs. */
static const char *const usual_signups[] = {
    "signedup", "signup", "usersignedup", "accountcreated", "usercreated", "registered", "userregistered",
    "registrationcompleted", "signupcompleted", "accountregistered", NULL
};
static const char *const usual_logins[] = { "signedin", "signin", "loggedin", "login", "usersignedin", "userloggedin",
                                            NULL };

static bool is_usual(Str name, const char *const *usual)
{
    char room[32];
    size_t len = 0;
    for (size_t at = 0; at < name.len; at++) {
        if (!isalnum((unsigned char)name.bytes[at])) continue;
        if (len == sizeof room) return false;
        room[len++] = (char)tolower((unsigned char)name.bytes[at]);
    }
    for (; *usual; usual++)
        if (str_equal(str_of(room, len), str_from(*usual))) return true;
    return false;
}

bool doctor_is_signup(const DoctorQuestion *question, Str track)
{
    if (!question->signup_count) return is_usual(track, usual_signups);
    for (size_t at = 0; at < question->signup_count; at++)
        if (str_equal(track, question->signups[at])) return true;
    return false;
}

static uint32_t name_host(struct exam *exam, Str url)
{
    char room[256];
    return doctor_name(&exam->names, doctor_host(url, room));
}


static void fill_row(struct exam *exam, const Event *event, JournalPos pos, DoctorRow *row)
{
    DoctorPeek peek;
    doctor_peek_event(event, &peek);
    bool is_named = event->type == EVENT_TRACK || event->type == EVENT_PAGE || event->type == EVENT_SCREEN;
    *row = (DoctorRow){
        .time_ms = event->timestamp_ms, .pos = pos,
        .arrival_ms = event->from_import ? event->timestamp_ms : event->received_at_ms,
        .message = hash_64(event->message_id, 0), .payload = hash_64(peek.payload, 0),
        .user = IDENTITY_NONE, .device = IDENTITY_NONE, .person = QUERY_NOBODY,
        .source = doctor_name(&exam->names, event->source), .release = doctor_release(exam, peek.library, peek.version),
        .name = is_named ? doctor_name(&exam->names, event->name) : 0,
        .agent = (uint32_t)hash_64(peek.agent, 0), .type = (uint8_t)event->type,
    };
    row->app = peek.app.len ? doctor_name(&exam->names, peek.app) : row->release;
    if (event->type == EVENT_ALIAS) {
        row->previous = IDENTITY_NONE;
    } else {
        row->host = name_host(exam, peek.url);
        row->referrer = name_host(exam, peek.referrer);
    }
    if (event->from_import) row->flags |= ROW_IMPORT;
    exam->has_visits |= peek.visit.len > 0;
    if (peek.health.len && doctor_note_troubles(exam, &peek, pos)) row->flags |= ROW_TROUBLE;
    if (event->type == EVENT_TRACK && doctor_is_signup(exam->question, event->name)) row->flags |= ROW_SIGNUP;
    if (event->type == EVENT_TRACK && is_usual(event->name, usual_logins)) row->flags |= ROW_LOGIN;
}

static bool is_wanted(const struct exam *exam, const Event *event)
{
    if (event->from_import)
        return exam->question->with_imports && event->timestamp_ms >= exam->from_ms
            && event->timestamp_ms <= exam->now_ms;
    return event->received_at_ms >= exam->from_ms;
}

static void take(struct exam *exam, struct chunk *chunk, const JournalRecord *record)
{
    Event event;
    if (record_kind(record->bytes) != RECORD_EVENT || event_decode(record->bytes, &event, NULL)) return;
    if (!is_wanted(exam, &event)) return;
    if (event.plan_check.len) doctor_note_violations(exam, &event, record->pos);
    struct pending *item = &chunk->items[chunk->count++];
    fill_row(exam, &event, record->pos, &item->row);
    item->user = arena_copy(&chunk->arena, event.user_id);
    item->device = arena_copy(&chunk->arena, event.anonymous_id);
    item->previous = event.type == EVENT_ALIAS ? arena_copy(&chunk->arena, event.previous_id) : (Str){ 0 };
}

static IdentityNode find_node(const struct exam *exam, IdentityKind kind, Str value)
{
    IdentityNode node = value.len ? identity_find(exam->identity, kind, value) : IDENTITY_NONE;
    return node < exam->people->subject_count ? node : IDENTITY_NONE;
}

static uint32_t find_person(const struct exam *exam, const DoctorRow *row)
{
    const QueryPeople *people = exam->people;
    IdentityNode subject = row->user != IDENTITY_NONE ? row->user : row->device;
    if (subject == IDENTITY_NONE) return QUERY_NOBODY;
    uint32_t slot = people->pages[subject / QUERY_PAGE_SUBJECTS][subject % QUERY_PAGE_SUBJECTS];
    if (slot != QUERY_NOBODY && slot & QUERY_SHARED)
        slot = people->find_person(people->context, subject, row->time_ms, row->pos);
    return slot < people->subject_count ? slot : QUERY_NOBODY;
}

static bool is_kept(const DoctorRow *row) { return row->message != 0; }

/* Drops the older half of the rows. */
static void shorten(struct exam *exam)
{
    size_t gone = exam->row_count / 2;
    memmove(exam->rows, exam->rows + gone, (exam->row_count - gone) * sizeof *exam->rows);
    exam->row_count -= gone;
    exam->from_ms = exam->rows[0].arrival_ms;
    exam->is_cut = true;
}

static Status flush(struct exam *exam, struct chunk *chunk, Err *err)
{
    struct applier *applier = exam->question->applier;
    derive_begin_reading(applier);
    for (size_t at = 0; at < chunk->count; at++) {
        struct pending *item = &chunk->items[at];
        if (derive_is_duplicate(applier, item->row.pos)) {
            item->row.message = 0;
            continue;
        }
        item->row.user = find_node(exam, IDENTITY_USER, item->user);
        item->row.device = find_node(exam, IDENTITY_ANONYMOUS, item->device);
        if (!item->previous.len) continue;
        item->row.previous = find_node(exam, IDENTITY_USER, item->previous);
        if (item->row.previous != IDENTITY_NONE) item->row.flags |= ROW_OF_USER;
        else item->row.previous = find_node(exam, IDENTITY_ANONYMOUS, item->previous);
    }
    derive_end_reading(applier);
    for (size_t at = 0; at < chunk->count; at++) {
        DoctorRow *row = &chunk->items[at].row;
        if (!is_kept(row)) continue;
        row->person = find_person(exam, row);
        if (exam->row_count == exam->rows_max) shorten(exam);
        if (!vector_reserve(exam->rows, exam->row_capacity, exam->row_count + 1, exam->rows_max))
            return err_set(err, ERR_TOO_LARGE, "the doctor: no memory for %zu messages", exam->row_count + 1);
        exam->has_signups |= (row->flags & ROW_SIGNUP) != 0;
        exam->has_browser |= row->type == EVENT_PAGE && row->device != IDENTITY_NONE;
        exam->rows[exam->row_count++] = *row;
    }
    chunk->count = 0;
    chunk->arena = region_arena(&chunk->region);
    return doctor_go_on(exam, err);
}

static Status read_all(struct exam *exam, struct journal_reader *reader, struct chunk *chunk, Err *err)
{
    JournalRecord record;
    Status s = OK;
    for (uint32_t count = 1; !s; count++) {
        s = journal_read_whole(reader, &record, err);
        if (s || record.pos >= exam->end) break;
        take(exam, chunk, &record);
        if (chunk->count == CHUNK || count % (CHUNK * 8) == 0) s = flush(exam, chunk, err);
    }
    if (!s || s == ERR_NOT_FOUND) s = flush(exam, chunk, err);
    return s;
}

Status doctor_gather(struct exam *exam, Err *err)
{
    struct journal *journal = exam->question->journal;
    struct journal_reader *reader;
    struct chunk *chunk = arena_new(exam->arena, struct chunk, 1);
    Status s = journal_reader_open(journal, journal_find_time(journal, exam->from_ms), &reader, err);
    if (s == ERR_NOT_FOUND) return OK;
    if (s) return s;
    region_open(&chunk->region, CHUNK_BYTES);
    chunk->arena = region_arena(&chunk->region);
    s = read_all(exam, reader, chunk, err);
    region_close(&chunk->region);
    journal_reader_close(reader);
    return s;
}
