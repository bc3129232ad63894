/* deliver_forget: removes people who are erased or suppressed from the store.
 *
 * deliver_people.list_forgets says what to forget. For an erasure these are its ids in records before its command,
 * which the journal has erased by then; for suppressed ids all messages. Then each step does a bounded piece of this:
 *   1. deliveries in memory, with their rows. One that is under way finishes with its answer, whatever that is
 *   2. every row of the store, of destinations that are not configured any more, too
 *   3. the store is rewritten, since it keeps in free pages what was removed
 * After a crash all of it is done again. A row tells whom it is about in one of these ways:
 *   a record's place      the journal says whether the record is erased, or which ids it has
 *   the lines it was in   if the journal no longer has the record; hashes of ids (key_of_id)
 *   ids in its key        links, users, memory ("what:id", see plan_store)
 *   its text              another person's dead letter may quote a vendor's answer that names somebody
 * If somebody else's row names a person who is gone, a word that names nobody takes the place of the name.
 * Until it is known which deliveries in memory are about these people, nothing is sent. If a record cannot be read from
 * the disk after some tries, it counts as one that the journal no longer has.
 * In this file "theirs" means: about the people who are to be forgotten.
 */
#include "deliver_runner.h"

#include <stdlib.h>

enum {
    FORGET_BYTES = 1 << 30,                 /* of address space: commands and their ids */
    ROWS_A_STEP = 20000,
    TRIES = 10,
    TEXT_LEAST = 4,                         /* shorter ids are in every text by chance, so they prove nothing */
    LETTER_MOST = 32 * 1024 * 1024,
};

typedef enum Stage { STAGE_NONE, STAGE_ROWS, STAGE_REWRITE } Stage;

struct named {
    Str value;
    CommandIdKind kind;
    bool is_whole, is_suppressed;
    Millis from_ms, to_ms;
};

/* An id as dead letters may spell it. */
struct text {
    Str bytes;
    size_t shorter;                         /* place + 1 of the longest other text that it begins with; 0: none */
};

struct forgetting {
    struct region region;
    Arena arena;
    Stage stage;
    bool has_changed;                       /* a delivery or a row was theirs */
    bool has_ended;                         /* once since the start, so work that a crash cut off is done */
    bool has_external;                      /* some suppressed ids are external: only the message has those */
    bool is_unsure;                         /* which deliveries in memory are theirs is not known yet */
    unsigned tries;                         /* steps that failed, one after the other */
    bool begins_again;                      /* a destination's start or a redo has turned rows into deliveries */
    DeliverForget *forgets;
    size_t count;
    struct named *named;                    /* sorted by value */
    uint64_t *lines;                        /* of all of them, ascending */
    size_t named_count;
    struct text *texts;                     /* sorted by bytes */
    size_t text_count;
    uint8_t heads[65536 / 8];               /* a bit for each two bytes with which a text begins */
    struct delivery row;                    /* what a row is read into */
    char at[ROW_KEY_BYTES + 1];             /* rows below it are done */
    size_t at_len;
};

struct forgetting *forget_open(void)
{
    struct forgetting *forgetting = calloc(1, sizeof *forgetting);
    check(forgetting);
    region_open(&forgetting->region, FORGET_BYTES);
    return forgetting;
}

void forget_close(struct forgetting *forgetting)
{
    if (!forgetting) return;
    region_close(&forgetting->region);
    free(forgetting);
}

bool forget_is_at_work(const struct deliver *deliver) { return deliver->forgetting->stage != STAGE_NONE; }

bool forget_lets_send(const struct deliver *deliver)
{
    const struct forgetting *forgetting = deliver->forgetting;
    return !forgetting->is_unsure && !(forgetting->stage != STAGE_NONE && forgetting->begins_again);
}

void forget_begin_again(struct deliver *deliver) { deliver->forgetting->begins_again = true; }

/* ---- Who ---- */

static int compare_named(const void *a, const void *b)
{
    return str_compare(((const struct named *)a)->value, ((const struct named *)b)->value);
}

static int compare_texts(const void *a, const void *b)
{
    return str_compare(((const struct text *)a)->bytes, ((const struct text *)b)->bytes);
}

/* The ids of that value: *ret_count of them. */
static const struct named *find_named(const struct forgetting *forgetting, Str value, size_t *ret_count)
{
    size_t low = 0, high = forgetting->named_count, end;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (str_compare(forgetting->named[middle].value, value) < 0) low = middle + 1;
        else high = middle;
    }
    for (end = low; end < forgetting->named_count && str_equal(forgetting->named[end].value, value);) end++;
    *ret_count = value.len ? end - low : 0;
    return forgetting->named + low;
}

static bool is_whole(const struct forgetting *forgetting, CommandIdKind kind, Str value)
{
    size_t count;
    const struct named *named = find_named(forgetting, value, &count);
    for (size_t at = 0; at < count; at++)
        if (named[at].is_whole && named[at].kind == kind) return true;
    return false;
}

static bool is_suppressed(const struct forgetting *forgetting, CommandIdKind kind, Str value)
{
    size_t count;
    const struct named *named = find_named(forgetting, value, &count);
    for (size_t at = 0; at < count; at++)
        if (named[at].is_suppressed && named[at].kind == kind) return true;
    return false;
}

static bool is_named(const struct forgetting *forgetting, Str value)
{
    size_t count;
    (void)find_named(forgetting, value, &count);
    return count > 0;
}

static bool has_suppressed(const struct forgetting *forgetting, const Event *event)
{
    return is_suppressed(forgetting, COMMAND_USER_ID, event->user_id)
        || is_suppressed(forgetting, COMMAND_ANONYMOUS_ID, event->anonymous_id)
        || (event->type == EVENT_ALIAS && (is_suppressed(forgetting, COMMAND_USER_ID, event->previous_id)
                                           || is_suppressed(forgetting, COMMAND_ANONYMOUS_ID, event->previous_id)));
}

/* Is a message that could be read theirs? */
static bool takes_event(struct deliver *deliver, Event event, JournalPos pos)
{
    const struct deliver_people *people = &deliver->options.people;
    const struct forgetting *forgetting = deliver->forgetting;
    if (forgetting->has_external && lookup_is_suppressed(deliver, &event)) return true;
    if (!is_named(forgetting, event.user_id) && !is_named(forgetting, event.anonymous_id)
        && !is_named(forgetting, event.previous_id)) return false;
    if (has_suppressed(forgetting, &event)) return true;
    if (people->is_blocked && people->is_blocked(people->context, event.user_id)) event.user_id = (Str){ 0 };
    for (size_t at = 0; at < forgetting->count; at++) {
        const DeliverForget *forget = &forgetting->forgets[at];
        if (forget->what.kind == COMMAND_ERASE && pos < forget->before && command_names_event(&forget->what, &event))
            return true;
    }
    return false;
}

static bool has_line(const struct forgetting *forgetting, const struct delivery *delivery)
{
    for (uint32_t at = 0; at < delivery->turn_count; at++)
        if (bsearch(&delivery->turns[at].key, forgetting->lines, forgetting->named_count, sizeof *forgetting->lines,
                    compare_u64)) return true;
    return false;
}

/* Decides by the lines, if the journal no longer has the record: in doubt we rather lose somebody else's delivery. */
static bool takes_lines(const struct forgetting *forgetting, const struct delivery *delivery)
{
    for (size_t at = 0; at < forgetting->named_count; at++) {
        const struct named *named = &forgetting->named[at];
        uint64_t line = key_of_id(named->value);
        bool is_then = named->is_whole || (delivery->event_ms >= named->from_ms && delivery->event_ms < named->to_ms);
        for (uint32_t turn = 0; is_then && turn < delivery->turn_count; turn++)
            if (delivery->turns[turn].key == line) return true;
    }
    return false;
}

typedef enum Found { FOUND_THEIRS, FOUND_ANOTHERS, FOUND_NOTHING } Found;

/* What the journal has at that position. */
static Status look_up(struct deliver *deliver, JournalPos pos, Found *ret, Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    Event event;
    *ret = FOUND_NOTHING;
    Status s = journal_read_at(deliver->options.journal, pos, &reader, &record, err);
    if (!s && record_kind(record.bytes) == RECORD_ERASED) *ret = FOUND_THEIRS;
    if (!s && record_kind(record.bytes) == RECORD_EVENT
        && event_decode(record.bytes, &event, NULL) == OK)
        *ret = takes_event(deliver, event, pos) ? FOUND_THEIRS : FOUND_ANOTHERS;
    journal_reader_close(reader);
    bool is_gone = s == ERR_NOT_FOUND || s == ERR_DAMAGED || s == ERR_CONFLICT || deliver->forgetting->tries >= TRIES;
    return is_gone ? OK : s;
}

/* Is a delivery theirs? Its record is read only if one of its lines is theirs, or if external ids are suppressed. */
static Status takes_delivery(struct deliver *deliver, const struct delivery *delivery, bool *ret, Err *err)
{
    Found found;
    *ret = false;
    if (!deliver->forgetting->has_external && !has_line(deliver->forgetting, delivery)) return OK;
    Status s = look_up(deliver, delivery->pos, &found, err);
    *ret = !s && (found == FOUND_THEIRS || (found == FOUND_NOTHING && takes_lines(deliver->forgetting, delivery)));
    return s;
}

/* ---- Deliveries in memory ---- */

static void drop_delivery(struct runner *runner, struct delivery *delivery)
{
    if (delivery->stage == DELIVERY_SETTLING) {
        list_remove(&runner->streams[delivery->stream].settling, delivery);
        delivery_give_back(runner, delivery);
    } else if (delivery->stage == DELIVERY_UNDER_WAY) {
        if (delivery->has_row) delivery_forget(runner, delivery);
        delivery->is_forgotten = delivery->request->has_forgotten = true;
    } else {
        delivery_finish(runner, delivery);
    }
}

/* Readers let go of files that the journal has replaced. */
static void close_readers(struct runner *runner)
{
    for (int kind = 0; kind < STREAMS; kind++) {
        journal_reader_close(runner->streams[kind].reader);
        runner->streams[kind].reader = NULL;
    }
}

static Status drop_deliveries(struct runner *runner, Err *err)
{
    Status s = OK;
    runner_take_apart(runner);
    for (size_t at = 0; !s && at < runner->window; at++) {
        struct delivery *delivery = &runner->deliveries[at];
        bool is_theirs = false;
        Event event;
        if (delivery->stage == DELIVERY_FREE || delivery->is_forgotten) continue;
        if (!delivery->record.len) s = takes_delivery(runner->deliver, delivery, &is_theirs, err);
        else if (event_decode(buf_str(&delivery->record), &event, NULL) == OK)
            is_theirs = takes_event(runner->deliver, event, delivery->pos);
        if (is_theirs) drop_delivery(runner, delivery);
        runner->deliver->forgetting->has_changed |= is_theirs;
    }
    close_readers(runner);
    known_forget(&runner->links);
    known_forget(&runner->users);
    known_forget(&runner->asked);
    runner->state.last_error[0] = 0;                /* it may quote somebody */
    return s;
}

/* ---- Rows ---- */

struct row {
    struct deliver *deliver;
    Str key, name, rest, value;             /* name 0 kind rest */
    char kind;
};

/* Is this the id after the first colon of the key's rest ("what:id")? */
static bool rest_is(Str rest, Str what, Str id)
{
    char bytes[ROW_KEY_BYTES], full[ROW_KEY_BYTES + LIMIT_ID_BYTES];
    struct runner nameless = { 0 };
    struct buf text;
    buf_init_fixed(&text, full, sizeof full);
    buf_str_put(&text, what);
    buf_str_put(&text, id);
    Str key = buf_ok(&text) ? row_key(&nameless, 0, buf_str(&text), bytes) : (Str){ 0 };
    return key.len >= 2 && str_equal(str_slice(key, 2, key.len), rest);
}

/* Does a key name one of the ids? *ret_whole: one that is forgotten for all time, not for a span. A key has only a
 * hash of a long id, so each id is tried. */
static bool rest_names(const struct forgetting *forgetting, Str rest, Str what, CommandIdKind kind, bool *ret_whole)
{
    Str id = str_slice(rest, what.len, rest.len);
    size_t count, found = 0;
    const struct named *named = find_named(forgetting, id, &count);
    bool is_hashed = rest.len > ROW_REST_BYTES;
    *ret_whole = false;
    if (is_hashed) named = forgetting->named, count = forgetting->named_count;
    for (size_t at = 0; at < count; at++) {
        if ((kind && named[at].kind != kind) || (is_hashed && !rest_is(rest, what, named[at].value))) continue;
        found++;
        *ret_whole |= named[at].is_whole;
    }
    return found > 0;
}

static void forget_link(const struct row *row)
{
    struct pending *pending = row->deliver->pending;
    const struct forgetting *forgetting = row->deliver->forgetting;
    bool whole;
    (void)rest_names(forgetting, row->rest, (Str){ 0 }, COMMAND_ANONYMOUS_ID, &whole);
    if (whole) pending_remove(pending, row->key);
    else if (is_whole(forgetting, COMMAND_USER_ID, row->value)) pending_put(pending, row->key, STR(ROW_NOBODY));
}

static void forget_user(const struct row *row)
{
    bool whole;
    (void)rest_names(row->deliver->forgetting, row->rest, (Str){ 0 }, COMMAND_USER_ID, &whole);
    if (whole) pending_remove(row->deliver->pending, row->key);
}

/* Without the row, the merge is told again if these people ever come back. */
static void forget_merge(const struct row *row)
{
    const struct forgetting *forgetting = row->deliver->forgetting;
    uint64_t pair[2];
    if (row->rest.len != sizeof pair) return;
    memcpy(pair, row->rest.bytes, sizeof pair);
    for (size_t at = 0; at < countof(pair); at++)
        if (bsearch(&pair[at], forgetting->lines, forgetting->named_count, sizeof *forgetting->lines, compare_u64))
            pending_remove(row->deliver->pending, row->key);
}

/* The state of a shared device may be from the time when the device was this person's, so all of it goes. */
static void forget_memory(const struct row *row)
{
    struct pending *pending = row->deliver->pending;
    const struct forgetting *forgetting = row->deliver->forgetting;
    Str rest, what = str_cut(row->rest, ':', &rest);
    bool whole;
    what.len += what.len < row->rest.len;
    if (rest_names(forgetting, row->rest, what, (CommandIdKind)0, &whole)) pending_remove(pending, row->key);
    else if (is_whole(forgetting, COMMAND_USER_ID, row->value)
             || is_whole(forgetting, COMMAND_ANONYMOUS_ID, row->value))
        pending_put(pending, row->key, STR(DESTINATION_ERASED));
}

static struct runner *find_started(const struct row *row)
{
    for (size_t at = 0; at < row->deliver->runner_count; at++) {
        struct runner *runner = row->deliver->runners[at];
        if (runner->is_started && str_equal(str_from(runner->name), row->name)) return runner;
    }
    return NULL;
}

static Status takes_row(struct deliver *deliver, Str bytes, bool *ret, Err *err)
{
    struct delivery *delivery = &deliver->forgetting->row;
    *delivery = (struct delivery){ 0 };
    bool is_one = delivery_decode(bytes, delivery);
    *ret = false;
    Status s = is_one ? takes_delivery(deliver, delivery, ret, err) : OK;
    buf_done(&delivery->frozen);
    return s;
}

/* A started destination has its rows in memory, where drop_deliveries has dealt with them. */
static Status forget_delivery(const struct row *row, Err *err)
{
    bool is_theirs;
    if (find_started(row)) return OK;
    Status s = takes_row(row->deliver, row->value, &is_theirs, err);
    if (!s && is_theirs) pending_remove(row->deliver->pending, row->key);
    return s;
}

/* ---- Dead letters ---- */

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c & 0x80);
}

static unsigned head_of(Str text) { return (unsigned)(unsigned char)text.bytes[0] << 8 | (unsigned char)text.bytes[1]; }

/* Does the rest begin with one of the texts? Only the last text that does not sort after it can be that one, or a text
 * with which that text itself begins. */
static bool begins_with_one(const struct forgetting *forgetting, Str rest)
{
    size_t low = 0, high = forgetting->text_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (str_compare(forgetting->texts[middle].bytes, rest) <= 0) low = middle + 1;
        else high = middle;
    }
    for (size_t at = low; at > 0; at = forgetting->texts[at - 1].shorter) {
        Str text = forgetting->texts[at - 1].bytes;
        if (str_starts(rest, text) && (rest.len == text.len || !is_word(rest.bytes[text.len]))) return true;
    }
    return false;
}

static bool names_in_text(const struct forgetting *forgetting, Str text)
{
    for (size_t at = 0; at + TEXT_LEAST <= text.len; at++) {
        Str rest = str_slice(text, at, text.len);
        unsigned head = head_of(rest);
        if ((at && is_word(text.bytes[at - 1])) || !(forgetting->heads[head / 8] >> head % 8 & 1)) continue;
        if (begins_with_one(forgetting, rest)) return true;
    }
    return false;
}

static bool names_in_tree(const struct forgetting *forgetting, const TreeNode *node)
{
    bool names = node->kind == FIELD_STRING && names_in_text(forgetting, node->text);
    for (const TreeNode *child = node->first; !names && child; child = child->next)
        names = names_in_text(forgetting, child->key) || names_in_tree(forgetting, child);
    return names;
}

static Event event_of_letter(const TreeNode *json)
{
    Event event = { .type = event_type_from(event_tree_text(json, "type")), .user_id = event_tree_text(json, "user_id"),
                    .anonymous_id = event_tree_text(json, "anonymous_id"), .timestamp_ms = INT64_MIN };
    (void)!instant_parse(event_tree_text(json, "happened_at"), &event.timestamp_ms);
    return event;
}

/* A letter has its user id and its anonymous id; an alias's previous id is only among the lines of its calls; a report
 * has no calls. */
static Status takes_letter(struct deliver *deliver, const TreeNode *json, Str calls, bool *ret, Err *err)
{
    Event event = event_of_letter(json);
    int64_t pos = 0;
    Found found = FOUND_NOTHING;
    Status s = takes_row(deliver, calls, ret, err);
    if (s || *ret || !str_parse_int(event_tree_text(json, "position"), 0, INT64_MAX, &pos)) return s;
    s = look_up(deliver, (JournalPos)pos, &found, err);
    *ret = !s && (found == FOUND_THEIRS || (found == FOUND_NOTHING && takes_event(deliver, event, (JournalPos)pos)));
    return s;
}

#define QUOTED "it quoted somebody who was erased"

/* Another person's letter quotes somebody who is gone: removes what was sent and said, and keeps the rest. */
static void put_without_texts(const struct row *row, const TreeNode *json, Str calls)
{
    struct buf text, bytes;
    buf_init(&text, LETTER_MOST);
    buf_init(&bytes, LETTER_MOST);
    json_object(&text, NULL);
    for (const TreeNode *child = json->first; child; child = child->next) {
        if (str_equal(child->key, STR("request")) || str_equal(child->key, STR("answer"))) continue;
        if (str_equal(child->key, STR("reason"))) member_text(&text, child->key, STR(QUOTED));
        else member_raw(&text, child->key, child->raw);
    }
    json_object_end(&text);
    uint64_t len = text.len;
    buf_put(&bytes, &len, sizeof len);
    buf_str_put(&bytes, buf_str(&text));
    buf_str_put(&bytes, calls);
    if (buf_ok(&text) && buf_ok(&bytes)) pending_put(row->deliver->pending, row->key, buf_str(&bytes));
    else pending_remove(row->deliver->pending, row->key);
    buf_done(&text);
    buf_done(&bytes);
}

static Status forget_letter(const struct row *row, Err *err)
{
    Arena scratch = region_arena(&row->deliver->region);
    struct runner *runner = find_started(row);
    const TreeNode *json;
    Str calls, text = dead_json(row->value, &calls);
    bool is_theirs = false;
    if (event_tree_read(text, &scratch, &json, NULL)) return OK;
    Status s = takes_letter(row->deliver, json, calls, &is_theirs, err);
    if (s) return s;
    if (!is_theirs) {
        if (names_in_tree(row->deliver->forgetting, json)) put_without_texts(row, json, calls);
        return OK;
    }
    pending_remove(row->deliver->pending, row->key);
    if (runner && runner->state.dead_letters) runner->state.dead_letters--;
    return OK;
}

/* ---- The walk ---- */

struct walking {
    struct deliver *deliver;
    size_t rows;
    bool has_more;
    Status status;
    Err err;
};

static Status forget_row(const struct row *row, Err *err)
{
    switch (row->kind) {
    case ROW_LINK: forget_link(row); return OK;
    case ROW_USER: forget_user(row); return OK;
    case ROW_MERGE: forget_merge(row); return OK;
    case ROW_STATE: forget_memory(row); return OK;
    case ROW_DELIVERY: return forget_delivery(row, err);
    case ROW_DEAD: return forget_letter(row, err);
    default: return OK;                     /* cursors and replays name nobody */
    }
}

static bool visit_row(void *context, Str key, Str value)
{
    struct walking *walking = context;
    struct forgetting *forgetting = walking->deliver->forgetting;
    Str rest, name = str_cut(key, 0, &rest);
    struct row row = { walking->deliver, key, name, str_slice(rest, 1, rest.len), value, rest.len ? rest.bytes[0] : 0 };
    if (walking->rows++ == ROWS_A_STEP || pending_is_full(walking->deliver->pending)) {
        walking->has_more = true;
        return false;
    }
    walking->status = forget_row(&row, &walking->err);
    forgetting->has_changed |= !pending_is_empty(walking->deliver->pending);
    if (walking->status || key.len > ROW_KEY_BYTES) return false;
    memcpy(forgetting->at, key.bytes, key.len);
    forgetting->at[key.len] = 0;            /* the smallest key after this one */
    forgetting->at_len = key.len + 1;
    return true;
}

static Status walk(struct deliver *deliver, Err *err)
{
    const struct outbox_rows *rows = &deliver->options.rows;
    struct forgetting *forgetting = deliver->forgetting;
    struct walking walking = { .deliver = deliver };
    Str from = str_of(forgetting->at, forgetting->at_len);
    Status s = rows->walk(rows->context, (Str){ "", 0 }, from, visit_row, &walking, err);
    if (!s && walking.status && err) *err = walking.err;
    if (!s) s = walking.status;
    if (!s && !walking.has_more) forgetting->stage = STAGE_REWRITE;
    return s;
}

/* ---- Beginning and ending ---- */

static void add_text(struct forgetting *forgetting, Str text)
{
    unsigned head;
    if (text.len < TEXT_LEAST) return;
    head = head_of(text);
    forgetting->heads[head / 8] |= (uint8_t)(1u << head % 8);
    forgetting->texts[forgetting->text_count++].bytes = arena_copy(&forgetting->arena, text);
}

/* Adds the id in three spellings: raw, JSON-escaped, percent-encoded. */
static void add_texts(struct forgetting *forgetting, Str id)
{
    char bytes[6 * LIMIT_ID_BYTES + 16];
    struct buf text;
    add_text(forgetting, id);
    buf_init_fixed(&text, bytes, sizeof bytes);
    buf_json_string(&text, id);
    Str quoted = buf_str(&text), inner = str_slice(quoted, 1, quoted.len - 1);
    if (buf_ok(&text) && !str_equal(inner, id)) add_text(forgetting, inner);
    buf_init_fixed(&text, bytes, sizeof bytes);
    buf_percent_encode(&text, id, PERCENT_URL);
    if (buf_ok(&text) && !str_equal(buf_str(&text), id)) add_text(forgetting, buf_str(&text));
}

static void sort_texts(struct forgetting *forgetting)
{
    struct text *texts = forgetting->texts;
    if (forgetting->text_count) qsort(texts, forgetting->text_count, sizeof *texts, compare_texts);
    for (size_t at = 1; at < forgetting->text_count; at++) {
        size_t shorter = at;                /* the text that it begins with sorts before it, on the chain */
        while (shorter && !str_starts(texts[at].bytes, texts[shorter - 1].bytes)) shorter = texts[shorter - 1].shorter;
        texts[at].shorter = shorter;
    }
}

/* Counts the ids, and says whether the arena has room for them. Suppressed ids may be very many, so letters are not
 * searched for their texts. */
static bool count_ids(const struct forgetting *forgetting, size_t *ret_count)
{
    size_t bytes = 4096, count = 0;
    for (size_t at = 0; at < forgetting->count; at++) {
        const JournalCommand *what = &forgetting->forgets[at].what;
        count += what->id_count;
        bytes += what->id_count * (sizeof(struct named) + sizeof(uint64_t) + 3 * sizeof(struct text));
        for (size_t id = 0; what->kind == COMMAND_ERASE && id < what->id_count; id++)
            bytes += 10 * what->ids[id].value.len + 16;      /* in JSON at most six bytes for one, in an URL three */
    }
    *ret_count = count;
    return bytes < arena_left(&forgetting->arena);
}

static Status name_all(struct forgetting *forgetting, Err *err)
{
    size_t count;
    if (!count_ids(forgetting, &count)) return err_set(err, ERR_TOO_LARGE, "%zu ids to forget at once", count);
    forgetting->named = arena_new(&forgetting->arena, struct named, count + 1);
    forgetting->lines = arena_new(&forgetting->arena, uint64_t, count + 1);
    forgetting->texts = arena_new(&forgetting->arena, struct text, 3 * count + 1);
    forgetting->named_count = forgetting->text_count = 0;
    forgetting->has_external = false;
    memset(forgetting->heads, 0, sizeof forgetting->heads);
    for (size_t at = 0; at < forgetting->count; at++) {
        const JournalCommand *what = &forgetting->forgets[at].what;
        for (size_t id = 0; id < what->id_count; id++) {
            const CommandId *one = &what->ids[id];
            bool whole = command_id_is_whole(one);
            Str external;
            if (one->kind == COMMAND_EXTERNAL_ID) {          /* in no row's key, but letters may quote it */
                (void)str_cut(one->value, ':', &external);
                forgetting->has_external |= what->kind == COMMAND_SUPPRESS;
                if (what->kind == COMMAND_ERASE) add_texts(forgetting, external);
                continue;
            }
            forgetting->lines[forgetting->named_count] = key_of_id(one->value);
            forgetting->named[forgetting->named_count++] = (struct named){
                one->value, one->kind, whole, what->kind == COMMAND_SUPPRESS, one->from_ms, one->to_ms };
            if (whole && what->kind == COMMAND_ERASE) add_texts(forgetting, one->value);
        }
    }
    count = forgetting->named_count;
    if (count) qsort(forgetting->named, count, sizeof *forgetting->named, compare_named);
    if (count) qsort(forgetting->lines, count, sizeof *forgetting->lines, compare_u64);
    sort_texts(forgetting);
    return OK;
}

static Status begin(struct deliver *deliver, Err *err)
{
    struct forgetting *forgetting = deliver->forgetting;
    const struct deliver_people *people = &deliver->options.people;
    forgetting->arena = region_arena(&forgetting->region);
    forgetting->is_unsure = true;
    Status s = people->list_forgets(people->context, &forgetting->arena, &forgetting->forgets, &forgetting->count, err);
    if (!s && !forgetting->count) forgetting->stage = STAGE_NONE;
    if (!s && !forgetting->count) forgetting->is_unsure = false;
    if (s || !forgetting->count) return s;
    s = name_all(forgetting, err);
    if (!s) s = pending_commit(deliver->pending, err);
    for (size_t at = 0; !s && at < deliver->runner_count; at++)
        if (deliver->runners[at]->is_started) s = drop_deliveries(deliver->runners[at], err);
    if (s) return s;                                /* the next step begins again */
    forgetting->is_unsure = forgetting->begins_again = false;
    forgetting->stage = STAGE_ROWS;
    forgetting->at_len = 0;
    deliver->published_ms = 0;
    return OK;
}

/* An erasure must also remove copies of rows that were removed long ago. A suppression counts from now on, so a store
 * that had no row of these ids need not be rewritten. */
static bool wants_rewrite(const struct forgetting *forgetting)
{
    bool wants = forgetting->has_changed || !forgetting->has_ended;
    for (size_t at = 0; at < forgetting->count; at++) wants |= forgetting->forgets[at].what.kind == COMMAND_ERASE;
    return wants;
}

static void end(struct deliver *deliver)
{
    struct forgetting *forgetting = deliver->forgetting;
    const struct deliver_people *people = &deliver->options.people;
    for (size_t at = 0; at < forgetting->count; at++) people->end_forget(people->context, &forgetting->forgets[at]);
    forgetting->stage = STAGE_NONE;
    forgetting->has_ended = true;
    forgetting->has_changed = false;
    region_trim(&forgetting->region, 64 * 1024);
}

Status forget_step(struct deliver *deliver, Err *err)
{
    const struct outbox_rows *rows = &deliver->options.rows;
    struct forgetting *forgetting = deliver->forgetting;
    Status s;
    if (!deliver->options.people.list_forgets) return OK;
    if (forgetting->stage == STAGE_NONE || forgetting->begins_again) s = begin(deliver, err);
    else s = pending_commit(deliver->pending, err);
    if (!s && forgetting->stage == STAGE_ROWS) s = walk(deliver, err);
    else if (!s && forgetting->stage == STAGE_REWRITE) {
        if (rows->rewrite && wants_rewrite(forgetting)) s = rows->rewrite(rows->context, err);
        if (s == ERR_TIMEOUT) return OK;                        /* somebody reads the store: later */
        if (!s) end(deliver);
    }
    forgetting->tries = s ? forgetting->tries + 1 : 0;
    return s ? err_wrap(err, s, "destinations: forgetting who was erased") : OK;
}
