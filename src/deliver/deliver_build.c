/* deliver_build: a delivery becomes frozen calls.
 *
 * The links of the message's user that this destination was not told yet are sent with the message, before it. The
 * transaction that freezes them notes them as told, so each is told once.
 *
 * The grace time: a message names a user but no anonymous id, nothing was sent to this destination under that user
 * before, and identity knows no anonymous id of the user. Then a server was probably faster than the browser. The
 * message waits for a moment, since the link should go first.
 */
#include "deliver_runner.h"

#include <stdlib.h>

enum { GRACE_LOOK_MS = 200 };

static Str read_state(void *context, Str key)
{
    struct runner *runner = context;
    struct deliver *deliver = runner->deliver;
    char kind = ROW_STATE, bytes[ROW_KEY_BYTES];
    Str value = { 0 };
    if (str_starts(key, STR(DESTINATION_LINK_KEY))) {
        kind = ROW_LINK;
        key = str_slice(key, sizeof DESTINATION_LINK_KEY - 1, key.len);
    } else if (str_starts(key, STR(DESTINATION_USER_KEY))) {
        kind = ROW_USER;
        key = str_slice(key, sizeof DESTINATION_USER_KEY - 1, key.len);
    }
    key = row_key(runner, kind, key, bytes);
    if (pending_get(deliver->pending, key, deliver->build_arena, &value, NULL))
        return (Str){ 0 };
    return kind == ROW_LINK && str_equal(value, STR(ROW_NOBODY)) ? (Str){ 0 } : value;
}

void runner_store_states(struct runner *runner, const StoredState *stored, size_t count)
{
    struct pending *pending = runner->deliver->pending;
    char bytes[ROW_KEY_BYTES];
    for (size_t at = 0; at < count; at++) {
        Str key = row_key(runner, ROW_STATE, stored[at].key, bytes);
        if (stored[at].value.len) pending_put(pending, key, stored[at].value);
        else pending_remove(pending, key);
    }
}

/* ---- The record ---- */

/* A delivery that was loaded from the store has no copy of its record, so the record is read from the journal. */
static Status read_record(struct runner *runner, struct delivery *delivery, Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    if (delivery->record.len) return OK;
    Status s = journal_read_at(runner->deliver->options.journal, delivery->pos, &reader, &record, err);
    if (!s && record_kind(record.bytes) != RECORD_EVENT)
        s = err_set(err, ERR_NOT_FOUND, "its record was erased");
    if (!s) {
        buf_init(&delivery->record, LIMIT_RECORD_BYTES * 2);
        buf_str_put(&delivery->record, record.bytes);
    }
    journal_reader_close(reader);
    return s;
}

/* ---- Users ---- */

/* True if something was sent to this destination under that user. */
static bool is_heard_of(struct runner *runner, Str user_id, Arena *arena)
{
    uint64_t fingerprint = hash_64(user_id, 2);
    char bytes[ROW_KEY_BYTES];
    Str value, key = row_key(runner, ROW_USER, user_id, bytes);
    if (known_has(&runner->users, fingerprint)) return true;
    if (pending_get(runner->deliver->pending, key, arena, &value, NULL)) return false;
    known_add(&runner->users, fingerprint);
    return true;
}

/* ---- Links ---- */

static bool wants_links(const struct runner *runner)
{
    return runner->destination->wants_links && runner->destination->wants_links(&runner->settings);
}

static bool wants_merges(const struct runner *runner)
{
    const struct destination *destination = runner->destination;
    return destination->wants_merges ? destination->wants_merges(&runner->settings) : wants_links(runner);
}

struct known_links {
    const PersonLink *links;
    size_t count;
};

static Str usable(struct runner *runner, Str id)
{
    const struct deliver_people *people = &runner->deliver->options.people;
    return people->is_blocked && people->is_blocked(people->context, id) ? (Str){ 0 } : id;
}

/* Each pair of users is told once, in whichever order they come. The row has the hashes of both. */
static Status note_merge(struct runner *runner, const PersonLink *link, Arena *arena, bool *ret_is_new, Err *err)
{
    uint64_t one = key_of_id(link->anonymous_id), other = key_of_id(link->user_id), fingerprint;
    uint64_t pair[2] = { one < other ? one : other, one < other ? other : one };
    char bytes[ROW_KEY_BYTES];
    Str rest = str_of(pair, sizeof pair), key = row_key(runner, ROW_MERGE, rest, bytes), told;
    Status s;
    *ret_is_new = false;
    fingerprint = hash_64(rest, 'j');
    if (known_has(&runner->links, fingerprint)) return OK;
    s = pending_get(runner->deliver->pending, key, arena, &told, err);
    if (s && s != ERR_NOT_FOUND) return s;
    known_add(&runner->links, fingerprint);
    if (!s) return OK;
    pending_put(runner->deliver->pending, key, STR("1"));
    *ret_is_new = true;
    runner->state.links++;
    return OK;
}

/* True if the link was not told yet; notes it as told. */
static Status note_link(struct runner *runner, const PersonLink *link, struct delivery *delivery, Arena *arena,
                        bool *ret_is_new, Err *err)
{
    struct pending *pending = runner->deliver->pending;
    uint64_t fingerprint = hash_64(link->anonymous_id, hash_64(link->user_id, 1));
    char bytes[ROW_KEY_BYTES];
    Str key = row_key(runner, ROW_LINK, link->anonymous_id, bytes), told = { 0 };
    Status s;
    *ret_is_new = false;
    if (known_has(&runner->links, fingerprint)) return OK;
    s = pending_get(pending, key, arena, &told, err);
    if (s && s != ERR_NOT_FOUND) return s;
    known_add(&runner->links, fingerprint);
    if (s == ERR_NOT_FOUND) {
        pending_put(pending, key, link->user_id);
        *ret_is_new = true;
        runner->state.links++;
    } else if (!str_equal(told, link->user_id) && !str_equal(told, STR(ROW_NOBODY))) {
        Str text = arena_printf(arena, "%.*s was joined to %.*s before it was known to be %.*s's; "
                                "that cannot be undone", STR_FORMAT(link->anonymous_id), STR_FORMAT(told),
                                STR_FORMAT(link->user_id));
        dead_report(runner, delivery, text);
    }
    return OK;
}

/* A link goes only with a message in its user's line, so that nothing under that user can
 * overtake it. The message that made the link is in that line, so there is one for every link. */
static bool stands_in_line_of(const struct delivery *delivery, Str user_id)
{
    uint64_t key = key_of_id(user_id);
    for (uint32_t at = 0; at < delivery->turn_count; at++)
        if (delivery->turns[at].key == key) return true;
    return false;
}

/* A merge may go with a message of either of its users. It goes with one of the first user only if something was sent
 * under the second; until then a message of the second brings it, with the earlier links (in legacy mode a new id
 * becomes another name of one id only). */
static bool may_go_along(struct runner *runner, const struct delivery *delivery, const PersonLink *link, Arena *arena)
{
    if (!link->is_merge && !wants_links(runner)) return false;
    if (stands_in_line_of(delivery, link->user_id)) return true;
    if (!link->is_merge || !stands_in_line_of(delivery, link->anonymous_id)) return false;
    return !runner->destination->wants_grace || is_heard_of(runner, link->user_id, arena);
}

/* Earlier links go first: if a vendor takes only one (legacy), it is that of the first device. */
static int compare_links(const void *left, const void *right)
{
    const PersonLink *a = left, *b = right;
    if (a->at_ms != b->at_ms) return a->at_ms < b->at_ms ? -1 : 1;
    return str_compare(a->anonymous_id, b->anonymous_id);
}

static Status choose_links(struct runner *runner, struct delivery *delivery, const struct known_links *known,
                           Arena *arena, Outgoing *outgoing, Err *err)
{
    LinkFact *links = arena_new(arena, LinkFact, known->count + 1);
    PersonLink *sorted = arena_new(arena, PersonLink, known->count + 1);
    Status s = OK;
    if (known->count > 0) memcpy(sorted, known->links, known->count * sizeof *sorted);
    qsort(sorted, known->count, sizeof *sorted, compare_links);
    for (size_t at = 0; !s && at < known->count && outgoing->link_count < DESTINATION_LINKS; at++) {
        const PersonLink *link = &sorted[at];
        bool is_new;
        if (!may_go_along(runner, delivery, link, arena)) continue;
        s = link->is_merge ? note_merge(runner, link, arena, &is_new, err)
                           : note_link(runner, link, delivery, arena, &is_new, err);
        if (s || !is_new) continue;
        links[outgoing->link_count++] = (LinkFact){ link->anonymous_id, link->user_id, link->at_ms, link->is_merge };
    }
    outgoing->links = links;
    return s;
}

/* The message that should have brought the links was refused: the user's next message brings them. */
static void unnote_links(struct runner *runner, const Outgoing *outgoing)
{
    for (size_t at = 0; at < outgoing->link_count; at++) {
        const LinkFact *link = &outgoing->links[at];
        uint64_t one = key_of_id(link->anonymous_id), other = key_of_id(link->user_id);
        uint64_t pair[2] = { one < other ? one : other, one < other ? other : one };
        char bytes[ROW_KEY_BYTES];
        Str rest = str_of(pair, sizeof pair);
        Str key = link->is_merge ? row_key(runner, ROW_MERGE, rest, bytes)
                                 : row_key(runner, ROW_LINK, link->anonymous_id, bytes);
        pending_remove(runner->deliver->pending, key);
        known_remove(&runner->links, link->is_merge ? hash_64(rest, 'j')
                                                    : hash_64(link->anonymous_id, hash_64(link->user_id, 1)));
        runner->state.links--;
    }
    if (outgoing->link_count) known_remove(&runner->asked, hash_64(outgoing->user_id, 2));
}

/* The anonymous id that a message itself names beside its user. */
static Str own_pair(const Outgoing *outgoing)
{
    return outgoing->event->type == EVENT_ALIAS ? outgoing->previous_id : outgoing->anonymous_id;
}

static uint64_t pair_fingerprint(const Outgoing *outgoing)
{
    return hash_64(own_pair(outgoing), hash_64(outgoing->user_id, 1));
}

/* Listing a user's links reads evidence, so it is done only if there may be new ones: if it was not done for this user
 * since the start, if a pair of ids is new, or if this destination did not get a message that had a pair. */
static bool may_have_new_links(struct runner *runner, const Outgoing *outgoing)
{
    if (!outgoing->user_id.len) return false;
    if (!known_has(&runner->asked, hash_64(outgoing->user_id, 2))) return true;
    return own_pair(outgoing).len > 0 && !known_has(&runner->links, pair_fingerprint(outgoing));
}

/* Without identity, a message's own two ids are a link, unless the anonymous id already belongs to somebody. */
static Status list_known_links(struct runner *runner, const Outgoing *outgoing, Arena *arena, struct known_links *ret,
                               Err *err)
{
    const struct deliver_people *people = &runner->deliver->options.people;
    PersonLink *link;
    if (people->list_links)
        return lookup_links(runner->deliver, outgoing->user_id, arena, &ret->links, &ret->count, err);
    if (!outgoing->anonymous_id.len) return OK;
    link = arena_new(arena, PersonLink, 1);
    *link = (PersonLink){ outgoing->anonymous_id, outgoing->user_id, outgoing->event->timestamp_ms, false };
    *ret = (struct known_links){ link, 1 };
    return OK;
}

/* The user's links need not be listed again, unless there were too many: then the next message brings the rest. */
static void note_asked(struct runner *runner, const Outgoing *outgoing)
{
    if (outgoing->link_count < DESTINATION_LINKS) known_add(&runner->asked, hash_64(outgoing->user_id, 2));
    if (own_pair(outgoing).len) known_add(&runner->links, pair_fingerprint(outgoing));
}

/* This destination does not get the message, but its two ids may have given the user a new link. */
void runner_note_pair(struct runner *runner, const Event *event)
{
    bool has_pair = event->user_id.len && (event->anonymous_id.len || event->previous_id.len);
    if (has_pair) known_remove(&runner->asked, hash_64(event->user_id, 2));
}

/* ---- Grace ---- */

static void note_user(struct runner *runner, Str user_id, Arena *arena)
{
    char bytes[ROW_KEY_BYTES];
    if (!user_id.len || is_heard_of(runner, user_id, arena)) return;
    known_add(&runner->users, hash_64(user_id, 2));
    pending_put(runner->deliver->pending, row_key(runner, ROW_USER, user_id, bytes), STR("1"));
}

static bool waits_for_grace(struct runner *runner, struct delivery *delivery, const Outgoing *outgoing,
                            const struct known_links *known, Arena *arena)
{
    const struct destination *destination = runner->destination;
    Millis until_ms = delivery->received_ms + runner->rules.grace_ms, now_ms = runner->deliver->now_ms;
    if (!destination->wants_grace || !destination->wants_grace(&runner->settings)) return false;
    if (delivery->stream != STREAM_LIVE || outgoing->event->from_import || until_ms <= now_ms) return false;
    if (!outgoing->user_id.len || outgoing->anonymous_id.len || outgoing->event->type == EVENT_ALIAS) return false;
    if (known->count > 0 || is_heard_of(runner, outgoing->user_id, arena)) return false;
    delivery->next_ms = until_ms < now_ms + GRACE_LOOK_MS ? until_ms : now_ms + GRACE_LOOK_MS;
    return true;
}

/* ---- Building ---- */

static void freeze(struct delivery *delivery, const struct plan *plan)
{
    size_t bytes = plan->call_count * sizeof(Call);
    char *bodies;
    for (size_t at = 0; at < plan->call_count; at++) bytes += plan->calls[at].body.len;
    buf_init(&delivery->frozen, bytes + 16);
    check(buf_reserve(&delivery->frozen, bytes + 1));
    delivery->calls = (Call *)(void *)delivery->frozen.bytes;
    bodies = delivery->frozen.bytes + plan->call_count * sizeof(Call);
    for (size_t at = 0; at < plan->call_count; at++) {
        delivery->calls[at] = plan->calls[at];
        delivery->calls[at].body.bytes = bodies;
        memcpy(bodies, plan->calls[at].body.bytes, plan->calls[at].body.len);
        bodies += plan->calls[at].body.len;
    }
    delivery->call_count = (uint32_t)plan->call_count;
    delivery->call_at = 0;
    memcpy(delivery->facts, plan->facts, sizeof delivery->facts);
    delivery->is_frozen = true;
    buf_done(&delivery->record);
}

static Status build_plan(struct runner *runner, struct delivery *delivery, Outgoing *outgoing, struct plan *plan,
                         Built *ret, Err *err)
{
    Status s = runner->destination->build(plan, outgoing, err);
    if (s) return s;
    runner_store_states(runner, plan->stored, plan->stored_count);
    for (size_t at = 0; at < plan->report_count; at++) dead_report(runner, delivery, plan->reports[at]);
    if (plan->call_count == 0) {
        *ret = BUILT_NOTHING;
        return OK;
    }
    freeze(delivery, plan);
    delivery->first_tried_ms = runner->deliver->now_ms;
    delivery_save(runner, delivery);
    *ret = BUILT_READY;
    return OK;
}

/* The message as the destination may see it. If it is sent whole and unchanged, nobody needs its members: reading
 * them is a twentieth of what an event costs in a list of 1,000. runner_take has checked that it is JSON. */
static Status read_json(const struct runner *runner, const Event *event, Arena *arena, const TreeNode **ret, Err *err)
{
    const struct destination *destination = runner->destination;
    if (destination->takes_whole && destination->takes_whole(&runner->settings) && !event->plan_check.len
        && !rules_have_privacy(&runner->rules)) {
        TreeNode *whole = arena_new(arena, TreeNode, 1);
        *whole = (TreeNode){ .kind = FIELD_OBJECT, .raw = event->json };
        *ret = whole;
        return OK;
    }
    Status s = event_tree_read(event->json, arena, ret, err);
    if (!s) s = tracking_omit(event, *ret, arena, ret, err);
    return s ? s : rules_redact(&runner->rules, *ret, arena, ret, err);
}

static Status prepare_outgoing(struct runner *runner, const Event *event, Arena *arena, Outgoing *outgoing,
                               MessagePerson *person, Err *err)
{
    const TreeNode *json;
    Status s = read_json(runner, event, arena, &json, err);
    if (!s) s = lookup_person(runner->deliver, event, arena, person, err);
    if (s) return s;
    *outgoing = (Outgoing){
        .event = event, .json = json, .user_id = usable(runner, event->user_id),
        .anonymous_id = usable(runner, event->anonymous_id), .previous_id = usable(runner, event->previous_id),
        .group_id = usable(runner, event->group_id), .previous_is_user = person->previous_is_user,
        .owner_id = person->owner_id,
    };
    return OK;
}

Status delivery_build(struct runner *runner, struct delivery *delivery, Built *ret, Err *err)
{
    const struct destination *destination = runner->destination;
    Arena arena = region_arena(&runner->deliver->region);
    struct plan *plan = arena_new(&arena, struct plan, 1);
    bool is_told = wants_links(runner) || wants_merges(runner), asks = false;
    struct known_links known = { NULL, 0 };
    MessagePerson person = { 0 };
    Outgoing outgoing;
    Event event;
    Status s = read_record(runner, delivery, err);
    if (!s) s = event_decode(buf_str(&delivery->record), &event, err);
    if (!s) s = prepare_outgoing(runner, &event, &arena, &outgoing, &person, err);
    if (!s && is_told) asks = may_have_new_links(runner, &outgoing);
    if (asks) s = list_known_links(runner, &outgoing, &arena, &known, err);
    if (s) return s;
    if (waits_for_grace(runner, delivery, &outgoing, &known, &arena)) {
        *ret = BUILT_LATER;
        return OK;
    }
    s = choose_links(runner, delivery, &known, &arena, &outgoing, err);
    if (s) return s;
    if (asks) note_asked(runner, &outgoing);
    outgoing.is_merge_told = outgoing.previous_is_user && wants_merges(runner)
        && runner->deliver->options.people.list_links;
    Str user_id = arena_copy(&arena, outgoing.user_id);         /* freezing frees the record, which holds it */
    runner->deliver->build_arena = &arena;
    plan_init(plan, &runner->settings, &arena, read_state, runner);
    s = build_plan(runner, delivery, &outgoing, plan, ret, err);
    plan_done(plan);
    if (s) unnote_links(runner, &outgoing);
    if (!s && destination->wants_grace) note_user(runner, user_id, &arena);
    return s;
}
