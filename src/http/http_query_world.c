/* http_query_world: what query/ asks of its world, answered by the applier's stores. */
#include "http_query.h"

/* ---- Who is who ---- */

/* The messageId decides between links and events of the same millisecond, and lies in the journal only. */
static uint32_t find_person(void *context, Subject subject, Millis time_ms, JournalPos pos)
{
    struct question *question = context;
    const struct identity_view *view = question->view;
    IdentityPerson person;
    if (!identity_view_needs_id(view, subject, time_ms)) {
        person = identity_view_find_person(view, subject, time_ms, STR(""));
    } else {
        struct region region;
        Event event;
        region_open(&region, 4 * LIMIT_RECORD_BYTES);
        Arena arena = region_arena(&region);
        Status s = people_read_event(&question->people, pos, &arena, &event, NULL);
        /* a message that is erased or retired is taken as the first of its millisecond */
        person = identity_view_find_person(view, subject, time_ms, s ? STR("") : event.message_id);
        region_close(&region);
    }
    return person == IDENTITY_NONE ? QUERY_NOBODY : person;
}

static void mark_owners_of(const struct identity_view *view, uint32_t slot, uint64_t *bits)
{
    if (slot == IDENTITY_NONE) return;
    if (!identity_is_shared(slot)) {
        __atomic_fetch_or(&bits[slot / 64], UINT64_C(1) << slot % 64, __ATOMIC_RELAXED);
        return;
    }
    const struct identity_spans *spans = identity_view_spans(view, slot);
    for (uint32_t at = 0; at < spans->count; at++)
        mark_owners_of(view, identity_view_slot(view, spans->spans[at].owner), bits);
}

static void mark_owners(void *context, Subject subject, uint64_t *bits)
{
    const struct question *question = context;
    mark_owners_of(question->view, identity_view_slot(question->view, subject), bits);
}

static void mark_users(void *context, uint64_t *bits)
{
    const struct question *question = context;
    apply_begin_reading(question->applier);
    for (IdentityNode node = 0; node < question->view->node_count; node++)
        bits[node / 64] |= (uint64_t)(identity_kind_of(question->people.identity, node) == IDENTITY_USER) << node % 64;
    apply_end_reading(question->applier);
}

/* ---- What is told of them ---- */

/* Persons are of the question's moment; meanwhile one may have merged with another, who is told then. */
static void write_person(void *context, uint32_t person, struct buf *buf)
{
    struct question *question = context;
    struct region region;
    region_open(&region, (size_t)1 << 30);
    Arena arena = region_arena(&region);
    size_t before = buf->len;
    apply_begin_reading(question->applier);
    IdentityPerson now = identity_person_now(question->people.identity, person);
    Status s = now == IDENTITY_NONE ? ERR_NOT_FOUND : people_write_person(&question->people, now, &arena, buf, NULL);
    apply_end_reading(question->applier);
    if (s) {
        buf->len = before;
        buf_str_put(buf, STR("null"));
    }
    region_close(&region);
}

/* ---- Traits ---- */

static const struct trait_table *trait_of(struct question *question, Str name)
{
    size_t count = atomic_load_explicit(&question->trait_count, memory_order_acquire);
    for (size_t at = 0; at < count; at++)
        if (str_equal(question->traits[at].name, name)) return question->traits[at].table;
    return NULL;
}

/* Another thread may have made it meanwhile. A failure is kept, and ends the question when it is done. */
static const struct trait_table *make_trait(struct question *question, Str name)
{
    pthread_mutex_lock(&question->traits_lock);
    const struct trait_table *known = trait_of(question, name);
    size_t count = atomic_load_explicit(&question->trait_count, memory_order_relaxed);
    if (!known && !question->trait_status && count == QUESTION_TRAITS)
        question->trait_status = err_set(&question->trait_err, ERR_TOO_LARGE, "more than %d traits in one question",
                                         QUESTION_TRAITS);
    if (!known && !question->trait_status) {
        struct trait_table *table;
        question->trait_status = apply_open_trait(question->applier, question->view, name,
                                                  question->world.memory_bytes / 4, &table, &question->trait_err);
        if (!question->trait_status) {
            question->traits[count].name = name;
            question->traits[count].table = table;
            known = table;
            atomic_store_explicit(&question->trait_count, count + 1, memory_order_release);
        }
    }
    pthread_mutex_unlock(&question->traits_lock);
    return known;
}

/* A trait's JSON as a value to compare. */
static IndexValue value_of(Str json, Arena *arena)
{
    IndexValue value = { .kind = INDEX_OTHER };
    const TreeNode *node;
    char first = json.len ? json.bytes[0] : 0;
    if (first == 't' || first == 'f') return (IndexValue){ .kind = INDEX_BOOL, .number = first == 't' };
    if (first == '-' || (first >= '0' && first <= '9')) {
        if (str_parse_double(json, &value.number)) value.kind = INDEX_NUMBER;
    } else if (first == '"' && !memchr(json.bytes, '\\', json.len)) {
        value = (IndexValue){ .kind = INDEX_STRING, .text = str_slice(json, 1, json.len - 1) };
    } else if (first == '"' && event_tree_read(json, arena, &node, NULL) == OK) {
        value = (IndexValue){ .kind = INDEX_STRING, .text = node->text };
    }
    return value;
}

static bool find_trait(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret)
{
    struct question *question = context;
    Str json;
    const struct trait_table *table = trait_of(question, name);
    if (!table && !(table = make_trait(question, name))) return false;
    if (person >= question->view->node_count || !apply_find_trait(table, person, &json)) return false;
    *ret = value_of(json, arena);
    return true;
}

/* ---- Events ---- */

static Status read_event(void *context, JournalPos pos, Arena *arena, Str *ret_json, Err *err)
{
    const struct question *question = context;
    Event event;
    Status s = people_read_event(&question->people, pos, arena, &event, err);
    if (!s) *ret_json = event.json;
    return s;
}

static void progress(void *context, uint32_t done, uint32_t all)
{
    struct exchange *exchange = ((struct question *)context)->exchange;
    atomic_store_explicit(&exchange->progress_done, done, memory_order_relaxed);
    atomic_store_explicit(&exchange->progress_all, all, memory_order_relaxed);
}

/* ---- The moment ---- */

/* The first snapshot checks what was never read before, which may take a while, outside the guard; the second
 * one finds all of it checked. */
static Status take_moment(struct question *question, Err *err)
{
    struct index *index = apply_index(question->applier);
    struct index_snapshot *warm;
    Status s = index_snapshot_open(index, &warm, err);
    if (s) return s;
    apply_begin_reading(question->applier);
    s = index_snapshot_open(index, &question->snapshot, err);
    if (!s) question->view = identity_take_view(apply_identity(question->applier));
    apply_end_reading(question->applier);
    index_snapshot_close(warm);
    return s;
}

Status question_open(struct question *question, struct exchange *exchange, Err *err)
{
    const HttpOptions *options = exchange_options(exchange);
    *question = (struct question){ .exchange = exchange, .applier = options->applier,
                                   .people = apply_people(options->applier) };
    check(pthread_mutex_init(&question->traits_lock, NULL) == 0);
    Status s = take_moment(question, err);
    if (s) return s;
    question->resolved = (QueryPeople){
        .subject_count = question->view->node_count, .pages = question->view->pages,
        .find_person = find_person, .mark_owners = mark_owners, .mark_users = mark_users, .context = question,
    };
    question->pool = (QueryPool){ http_jobs_seats(options->jobs), http_jobs_share, options->jobs };
    question->world = (QueryWorld){
        .index = apply_index(options->applier), .snapshot = question->snapshot, .people = &question->resolved,
        .find_trait = find_trait, .write_person = write_person, .read_event = read_event, .progress = progress,
        .context = question,
        .pool = &question->pool, .is_cancelled = &exchange->is_cancelled, .disk = os_disk(),
        .memory_bytes = options->query_memory_bytes ? options->query_memory_bytes : (size_t)1 << 30,
    };
    return OK;
}

Status question_run(struct question *question, QueryKind kind, Str text, struct buf *answer, Err *err)
{
    Status s = query_run(kind, text, &question->world, answer, err);
    if (s || !question->trait_status) return s;
    *err = question->trait_err;
    return question->trait_status;
}

void question_close(struct question *question)
{
    size_t count = atomic_load_explicit(&question->trait_count, memory_order_relaxed);
    for (size_t at = 0; at < count; at++) apply_close_trait(question->traits[at].table);
    pthread_mutex_destroy(&question->traits_lock);
    if (question->view) identity_give_view(apply_identity(question->applier), question->view);
    index_snapshot_close(question->snapshot);
}
