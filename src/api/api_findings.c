/* api_findings: /api/v1/findings: what the doctor finds, which people it concerns, and mutes. A reader gets only
 * numbers: neither examples nor people. */
#include "api_people.h"

enum { SINCE_MOST_DAYS = 90, PEOPLE_A_PAGE = 20, PEOPLE_MOST = 100, MUTE_DAYS = 30, MUTE_MOST_DAYS = 3650 };

static Status no_doctor(Err *err)
{
    return err_set(err, ERR_CONFLICT, "findings can be asked for only if the data directory can be written");
}

/* ?source=web: of that source; ?signup=Joined, which may stand there several times. */
static Status read_question(struct exchange *exchange, Arena *arena, DoctorQuestion *question, Err *err)
{
    Str since = http_parameter(exchange->query, STR("since"), arena);
    Str imports = http_parameter(exchange->query, STR("imports"), arena);
    Str signup = http_parameter(exchange->query, STR("signup"), arena);
    question->since_ms = 7 * DAY_MS;
    if (since.len && (!duration_parse(since, &question->since_ms) || question->since_ms <= 0
                      || question->since_ms > SINCE_MOST_DAYS * DAY_MS))
        return err_set_field(err, "since", "wanted a time up to 90d, as in ?since=7d");
    if (imports.len && !str_equal(imports, STR("true")) && !str_equal(imports, STR("false")))
        return err_set_field(err, "imports", "wanted true or false");
    question->with_imports = str_equal(imports, STR("true"));
    question->source = http_parameter(exchange->query, STR("source"), arena);
    const ApiOptions *options = api_options(exchange);
    for (size_t at = 0; at < options->signup_count && at < DOCTOR_SIGNUP_NAMES; at++)
        question->signups[question->signup_count++] = options->signups[at];
    if (signup.len) question->signups[0] = signup, question->signup_count = 1;
    return OK;
}

static void list_sources(struct exchange *exchange, Arena *arena, DoctorQuestion *question)
{
    struct collector *collector = api_options(exchange)->collector;
    DoctorSource *sources = arena_new(arena, DoctorSource, LIMIT_SOURCES);
    const Source *source;
    while (question->source_count < LIMIT_SOURCES
           && (source = collector_source_at(collector, question->source_count)))
        sources[question->source_count++] = (DoctorSource){ source->name, source->is_server };
    question->sources = sources;
}

typedef Status Examine(struct exchange *exchange, const DoctorQuestion *question, Arena *arena, struct buf *out,
                       Err *err);

static Status answer_of_now(struct exchange *exchange, Examine *examine, Arena *arena, struct buf *out, Err *err)
{
    const ApiOptions *options = api_options(exchange);
    struct derive_world *world;
    DeriveStats stats;
    DoctorQuestion question = { .applier = options->applier, .journal = options->journal,
                                .tells_people = exchange->role != ACCESS_READER };
    DeriveAsker asker = {
        .pool = { http_jobs_seats(options->jobs), http_jobs_share, options->jobs },
        .moment = complete_moment(exchange), .is_cancelled = &exchange->is_cancelled,
        .now_ms = clock_now_ms(options->clock), .memory_bytes = options->query_memory_bytes,
    };
    if (!options->doctor) return no_doctor(err);
    Status s = read_question(exchange, arena, &question, err);
    if (!s) s = complete_begin(exchange, err);
    if (s) return s;
    list_sources(exchange, arena, &question);
    derive_read_stats(options->applier, &stats);
    question.end = stats.applied;
    s = derive_open_world(options->applier, &asker, &world, err);
    if (s) return s;
    question.world = derive_query_world(world);
    s = examine(exchange, &question, arena, out, err);
    if (!s) s = derive_check_world(world, err);
    derive_close_world(world);
    return s;
}

static Status tell_findings(struct exchange *exchange, const DoctorQuestion *question, Arena *arena, struct buf *out,
                            Err *err)
{
    (void)arena;
    return doctor_examine(api_options(exchange)->doctor, question, out, err);
}

Status api_findings(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return answer_of_now(exchange, tell_findings, arena, out, err);
}

/* ---- Who ---- */

static Status tell_people(struct exchange *exchange, const DoctorQuestion *question, Arena *arena, struct buf *out,
                          Err *err)
{
    PageCursor cursor;
    const TreeNode *body;
    DoctorPage page = { .fingerprint = percent_decode(exchange->parameter, false, arena), .limit = PEOPLE_A_PAGE };
    Status s = people_read_body(exchange, arena, &body, err);
    if (s) return s;
    Str text = event_tree_text(body, "limit");
    int64_t limit;
    if (text.len) {
        if (!str_parse_int(text, 1, PEOPLE_MOST, &limit))
            return err_set_field(err, "limit", "must be a number from 1 to %d", PEOPLE_MOST);
        page.limit = (size_t)limit;
    }
    s = page_read(PAGE_NUMBER, UINT32_MAX, event_tree_text(body, "cursor"), "cursor", &cursor, err);
    page.from = (size_t)cursor.number;
    return s ? s : doctor_list_people(question, &page, out, err);
}

Status api_findings_people(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return answer_of_now(exchange, tell_people, arena, out, err);
}

/* ---- Against the truth ---- */

/* An instant, or a number as instant_read_number takes it. */
static Status read_account(const TreeNode *node, DoctorAccount *ret, Err *err)
{
    const TreeNode *created = event_tree_get(node, STR("created"));
    *ret = (DoctorAccount){ event_tree_text(node, "id"), event_tree_text(node, "email"), INT64_MIN };
    if (!ret->id.len || ret->id.len > LIMIT_ID_BYTES)
        return err_set_field(err, "accounts", "each wants an id, of at most %d bytes", LIMIT_ID_BYTES);
    if (ret->email.len > LIMIT_ID_BYTES)
        return err_set_field(err, "accounts", "an email has at most %d bytes", LIMIT_ID_BYTES);
    if (!event_tree_is_given(created)) return OK;
    bool is_number = event_tree_is_kind(created, FIELD_NUMBER);
    bool is_read = is_number ? instant_read_number(created->text, &ret->created_ms) == INSTANT_READ
                             : instant_parse(created->text, &ret->created_ms);
    if (!is_read) return err_set_field(err, "accounts", "created of \"%.*s\" is no instant", STR_FORMAT(ret->id));
    return OK;
}

static Status judge_accounts(struct exchange *exchange, const DoctorQuestion *question, Arena *arena, struct buf *out,
                             Err *err)
{
    const TreeNode *body;
    Status s = api_read_object(exchange, arena, &body, err);
    if (s) return s;
    const TreeNode *list = event_tree_get(body, STR("accounts"));
    if (!event_tree_is_kind(list, FIELD_ARRAY))
        return err_set_field(err, "accounts", "wanted a list of {id, email, created}");
    if (list->count > DOCTOR_ACCOUNTS)
        return err_set_field(err, "accounts", "at most %d in one question", DOCTOR_ACCOUNTS);
    DoctorAccount *accounts = arena_new(arena, DoctorAccount, list->count + (size_t)1);
    size_t count = 0;
    for (const TreeNode *node = list->first; node && !s; node = node->next)
        s = read_account(node, &accounts[count++], err);
    return s ? s : doctor_judge_accounts(question, accounts, count, out, err);
}

Status api_findings_accounts(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return answer_of_now(exchange, judge_accounts, arena, out, err);
}

/* ---- Muting ---- */

/* An instant, or how long from now; 30 days if nothing is given. */
static Status read_until(const TreeNode *body, Millis now_ms, Millis *ret, Err *err)
{
    Str text = event_tree_text(body, "until");
    int64_t span_ms = MUTE_DAYS * DAY_MS, most_ms = MUTE_MOST_DAYS * DAY_MS;
    if (text.len && !duration_parse(text, &span_ms) && instant_parse(text, ret)) span_ms = *ret - now_ms;
    else if (text.len && !duration_parse(text, &span_ms)) span_ms = 0;
    if (span_ms <= 0 || span_ms > most_ms)
        return err_set_field(err, "until", "wanted an instant, or a time from now, as in 30d; ten years at most");
    *ret = now_ms + span_ms;
    return OK;
}

static Status mute(struct exchange *exchange, bool is_muted, Arena *arena, struct buf *out, Err *err)
{
    struct doctor *doctor = api_options(exchange)->doctor;
    const TreeNode *body;
    DoctorMute how = { .is_muted = is_muted, .now_ms = clock_now_ms(api_options(exchange)->clock) };
    if (!doctor) return no_doctor(err);
    Status s = people_read_body(exchange, arena, &body, err);
    if (!s && is_muted) s = read_until(body, how.now_ms, &how.until_ms, err);
    if (s) return s;
    how.reason = event_tree_text(body, "reason");
    return doctor_mute(doctor, percent_decode(exchange->parameter, false, arena), &how, out, err);
}

Status api_findings_mute(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return mute(exchange, true, arena, out, err);
}

Status api_findings_unmute(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    return mute(exchange, false, arena, out, err);
}
