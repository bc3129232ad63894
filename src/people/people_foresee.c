/* people_foresee: what would change if the evidence of some messages were taken back, or given again.
 *
 * Who is who is a pure function of the evidence (identity.h), so nothing has to be guessed. All evidence that is
 * connected with the messages goes into two new engines, into one as it counts now and into the other as it would
 * count. Both are asked whom each event of these ids belongs to. Other evidence cannot matter: it is about ids that are
 * not connected with these. */
#include "people.h"

#include <stdlib.h>

enum { NODES_MOST = 2000, LINKS_MOST = 200000, NODE_LINKS_MOST = 100000, MOVES_MOST = 1000, ROWS_A_LOOK = 4096 };

struct foresight {
    const People *people;
    const PeopleForesight *asked;
    Arena *arena;
    uint64_t *positions;                    /* the positions that are asked about, in order */
    size_t position_count;
    IdentityNode *nodes;                    /* of people's engine: all that are connected */
    size_t node_count;
    struct slots node_slots;
    IdentityLink *links;                    /* each once, the oldest first */
    size_t link_count;
    struct identity *now, *then;
    size_t messages;                        /* how many of them gave evidence */
    struct move *moves;
    size_t move_count;
    uint64_t events, left_out;
};

/* Events of an id that would belong to another person. from, to: the person now, and the one then. */
struct move {
    IdentityNode node;
    IdentityPerson from, to;
    uint64_t events;
};

/* ---- The evidence ---- */

static Status add_node(struct foresight *told, IdentityNode node, Err *err)
{
    if (node == IDENTITY_NONE) return OK;
    uint64_t hash = hash_64(str_of(&node, sizeof node), 0);
    for (uint32_t at, probe = 0; (at = slots_next(&told->node_slots, hash, &probe)) != SLOTS_NONE;)
        if (told->nodes[at] == node) return OK;
    if (told->node_count == NODES_MOST)
        return err_set(err, ERR_TOO_LARGE, "these ids hang together with more than %d others: what would move is not "
                       "foreseen", NODES_MOST);
    slots_put(&told->node_slots, hash, (uint32_t)told->node_count);
    told->nodes[told->node_count++] = node;
    return OK;
}

static Status add_links(struct foresight *told, IdentityNode node, Err *err)
{
    IdentityLinks found;
    Arena scratch = *told->arena;
    Status s = identity_list_links(told->people->identity, node, NODE_LINKS_MOST, &scratch, &found, err);
    if (!s && found.more)
        s = err_set(err, ERR_TOO_LARGE, "an id has more than %d pieces of evidence: what would move is not foreseen",
                    NODE_LINKS_MOST);
    for (size_t at = 0; !s && at < found.count; at++) {
        const IdentityLink *link = &found.items[at];
        s = add_node(told, link->from, err);
        if (!s) s = add_node(told, link->to, err);
        if (s || link->from != node) continue;          /* each stands at both of its ends */
        if (told->link_count == LINKS_MOST)
            return err_set(err, ERR_TOO_LARGE, "these ids have more than %d pieces of evidence: what would move is not "
                           "foreseen", LINKS_MOST);
        told->links[told->link_count++] = *link;
    }
    return s;
}

static bool is_asked(const struct foresight *told, uint64_t position)
{
    return bsearch(&position, told->positions, told->position_count, sizeof position, compare_u64) != NULL;
}

static int compare_links(const void *a, const void *b)
{
    const IdentityLink *left = a, *right = b;
    if (left->time_ms != right->time_ms) return left->time_ms < right->time_ms ? -1 : 1;
    return left->position < right->position ? -1 : left->position > right->position;
}

static Status begin_at(struct foresight *told, JournalPos pos, Err *err)
{
    Event event;
    Arena scratch = *told->arena;
    Status s = people_read_event(told->people, pos, &scratch, &event, err);
    if (s) return err_wrap(err, s, "position %" PRIu64, journal_number(pos));
    const struct { IdentityKind kind; Str id; } ends[] = {
        { IDENTITY_USER, event.user_id }, { IDENTITY_ANONYMOUS, event.anonymous_id },
        { IDENTITY_USER, event.previous_id }, { IDENTITY_ANONYMOUS, event.previous_id },
    };
    for (size_t at = 0; !s && at < countof(ends); at++)
        if (ends[at].id.len)
            s = add_node(told, identity_find(told->people->identity, ends[at].kind, ends[at].id), err);
    return s;
}

static Status begin_with(struct foresight *told, Err *err)
{
    IdentityNode node;
    Status s = people_find_node(told->people, told->asked->a, &node, err);
    if (!s) s = add_node(told, node, err);
    if (!s) s = people_find_node(told->people, told->asked->b, &node, err);
    if (!s && node == told->nodes[0]) s = err_set_field(err, "b", "a and b are one id");
    return s ? s : add_node(told, node, err);
}

/* In order: those asked about, or of all messages that link the two ids. */
static void list_positions(struct foresight *told)
{
    const IdentityNode a = told->nodes[0], b = told->node_count > 1 ? told->nodes[1] : told->nodes[0];
    told->positions = arena_new(told->arena, uint64_t, told->asked->count + told->link_count + 1);
    for (size_t at = 0; at < told->asked->count; at++)
        told->positions[told->position_count++] = journal_number(told->asked->positions[at]);
    for (size_t at = 0; told->asked->a.len && at < told->link_count; at++) {
        const IdentityLink *link = &told->links[at];
        bool is_between = (link->from == a && link->to == b) || (link->from == b && link->to == a);
        if (is_between && link->is_removed == told->asked->restores)
            told->positions[told->position_count++] = link->position;
    }
    qsort(told->positions, told->position_count, sizeof *told->positions, compare_u64);
}

static Status gather(struct foresight *told, Err *err)
{
    Status s = OK;
    uint64_t last = UINT64_MAX;
    told->nodes = arena_new(told->arena, IdentityNode, NODES_MOST);
    slots_lay(&told->node_slots, told->arena, NODES_MOST);
    told->links = arena_new(told->arena, IdentityLink, LINKS_MOST);
    told->moves = arena_new(told->arena, struct move, MOVES_MOST);
    if (told->asked->a.len) s = begin_with(told, err);
    for (size_t at = 0; !s && at < told->asked->count; at++) s = begin_at(told, told->asked->positions[at], err);
    for (size_t at = 0; !s && at < told->node_count; at++) s = add_links(told, told->nodes[at], err);
    if (s) return s;
    qsort(told->links, told->link_count, sizeof *told->links, compare_links);
    list_positions(told);
    for (size_t at = 0; at < told->link_count; at++) {
        const IdentityLink *link = &told->links[at];
        if (!is_asked(told, link->position) || link->is_removed != told->asked->restores) continue;
        told->messages += link->position != last;
        last = link->position;
    }
    if (told->messages) return OK;
    return err_set(err, ERR_NOT_FOUND, "no link %s: %s", told->asked->restores ? "was taken back by these messages"
                   : "comes from these messages", ".../links tells the positions of those that do");
}

/* ---- Two engines ---- */

static Status read_message_id(void *context, uint64_t position, char text[LIMIT_MESSAGE_ID_BYTES], size_t *ret_len,
                              Err *err)
{
    const struct foresight *told = context;
    Arena scratch = *told->arena;
    Event event;
    *ret_len = 0;
    Status s = people_read_event(told->people, journal_position(position), &scratch, &event, err);
    if (s == ERR_NOT_FOUND) return OK;                  /* retired: nobody can tell it any more */
    if (s || event.message_id.len > LIMIT_MESSAGE_ID_BYTES) return s;
    memcpy(text, event.message_id.bytes, event.message_id.len);
    *ret_len = event.message_id.len;
    return OK;
}

static void put_end(const struct foresight *told, IdentityNode node, char *room, IdentityMessage *message,
                    IdentityValue *externals)
{
    const struct identity *identity = told->people->identity;
    IdentityKind kind = identity_kind_of(identity, node);
    Str value = identity_read_value(identity, node, room);
    if (kind == IDENTITY_USER) message->user_id = value;
    else if (kind == IDENTITY_ANONYMOUS) message->anonymous_id = value;
    else externals[message->external_count++] = (IdentityValue){ kind, value };
}

/* The messageId decides only between equal times. */
static bool needs_id(const struct foresight *told, const IdentityLink *link)
{
    size_t at = (size_t)(link - told->links);
    return (at && link[-1].time_ms == link->time_ms)
        || (at + 1 < told->link_count && link[1].time_ms == link->time_ms);
}

/* Applies what the message said, but only this pair of ids. */
static Status apply_link(const struct foresight *told, struct identity *into, const IdentityLink *link, Err *err)
{
    char from[LIMIT_ID_BYTES], to[LIMIT_ID_BYTES], id[LIMIT_MESSAGE_ID_BYTES];
    IdentityValue externals[2];
    IdentityNode subject;
    size_t len = 0;
    IdentityMessage message = { .time_ms = link->time_ms, .position = link->position, .source = link->source,
                                .externals = externals, .is_alias = link->rule != IDENTITY_BY_MESSAGE };
    Status s = needs_id(told, link) ? read_message_id((void *)(uintptr_t)told, link->position, id, &len, err) : OK;
    if (s) return s;
    message.message_id = str_of(id, len);
    put_end(told, link->to, to, &message, externals);
    if (message.is_alias) {
        message.previous_id = identity_read_value(told->people->identity, link->from, from);
        if (link->rule == IDENTITY_BY_ALIAS_OF_USER) {  /* seen as a user id, which makes it one in an alias */
            IdentityMessage seen = { .user_id = message.previous_id, .time_ms = link->time_ms,
                                     .position = link->position, .message_id = message.message_id };
            s = identity_apply(into, &seen, &subject, err);
        }
    } else {
        put_end(told, link->from, from, &message, externals);
    }
    return s ? s : identity_apply(into, &message, &subject, err);
}

static Status apply_all(const struct foresight *told, struct identity *into, bool is_then, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < told->link_count; at++) {
        const IdentityLink *link = &told->links[at];
        bool counts = is_then && is_asked(told, link->position) ? told->asked->restores : !link->is_removed;
        if (people_is_given_up(told->people)) return err_set(err, ERR_CLOSED, "the client went away");
        if (counts) s = apply_link(told, into, link, err);
    }
    for (size_t at = 0; !s && at < told->node_count; at++) {    /* who has no link is somebody, too */
        char room[LIMIT_ID_BYTES];
        IdentityValue externals[2];
        IdentityMessage message = { .externals = externals };
        IdentityNode subject;
        put_end(told, told->nodes[at], room, &message, externals);
        s = identity_apply(into, &message, &subject, err);
    }
    return s;
}

static Status make_engines(struct foresight *told, Err *err)
{
    IdentityOptions options = { .rules = told->people->rules->identity, .seed = 1,
                                .archive = { .context = told, .read_message_id = read_message_id } };
    Status s = identity_open(&options, &told->now, err);
    if (!s) s = identity_open(&options, &told->then, err);
    if (!s) s = apply_all(told, told->now, false, err);
    return s ? s : apply_all(told, told->then, true, err);
}

static IdentityNode node_in(const struct foresight *told, const struct identity *identity, IdentityNode node)
{
    char room[LIMIT_ID_BYTES];
    const struct identity *ours = told->people->identity;
    return identity_find(identity, identity_kind_of(ours, node), identity_read_value(ours, node, room));
}

/* ---- What moves ---- */

static bool is_same_person(const struct foresight *told, IdentityPerson now, IdentityPerson then)
{
    char a[IDENTITY_PERSON_ID_BYTES], b[IDENTITY_PERSON_ID_BYTES];
    if (now == IDENTITY_NONE || then == IDENTITY_NONE) return now == then;
    return str_equal(identity_person_id(told->now, now, a), identity_person_id(told->then, then, b));
}

static void note_move(struct foresight *told, IdentityNode node, IdentityPerson from, IdentityPerson to,
                      uint64_t events)
{
    struct move *move = told->moves, *end = told->moves + told->move_count;
    while (move < end && (move->node != node || move->from != from || move->to != to)) move++;
    if (move == end && told->move_count == MOVES_MOST) told->left_out++;
    else if (move == end) told->moves[told->move_count++] = (struct move){ node, from, to, events };
    else move->events += events;
    told->events += events;
}

static Status look_at_run(struct foresight *told, const IndexRun *run, IdentityNode node, Err *err)
{
    uint32_t ordinal, row = index_run_row_of(run, node, 0, &ordinal);
    IdentityNode now = node_in(told, told->now, node), then = node_in(told, told->then, node);
    IdentityPerson same_now = IDENTITY_NONE, same_then = IDENTITY_NONE;
    if (ordinal == run->subject_count || run->subjects[ordinal] != node) return OK;
    do {
        Millis time_ms = run->times.base + (Millis)index_packed_get(&run->times, row);
        IdentityPerson from = identity_find_owner(told->now, now, time_ms, STR(""));
        IdentityPerson to = identity_find_owner(told->then, then, time_ms, STR(""));
        if (row % ROWS_A_LOOK == 0 && people_is_given_up(told->people))
            return err_set(err, ERR_CLOSED, "the client went away");
        bool is_known = from == same_now && to == same_then && from != IDENTITY_NONE;
        if (!is_known && is_same_person(told, from, to)) same_now = from, same_then = to, is_known = true;
        if (!is_known) note_move(told, node, from, to, 1);
        row++;
    } while (row < run->row_count && !(run->starts[row / 64] >> (row % 64) & 1));
    return OK;
}

/* An id that would belong to another person is listed even if it has no event. */
static Status find_moves(struct foresight *told, Err *err)
{
    struct index_snapshot *snapshot;
    Status s = index_snapshot_open(told->people->index, &snapshot, err);
    if (s) return s;
    for (size_t at = 0; at < told->node_count; at++) {
        IdentityPerson from = identity_person_now(told->now, node_in(told, told->now, told->nodes[at]));
        IdentityPerson to = identity_person_now(told->then, node_in(told, told->then, told->nodes[at]));
        if (!is_same_person(told, from, to)) note_move(told, told->nodes[at], from, to, 0);
    }
    for (uint32_t at = 0; !s && at < index_snapshot_run_count(snapshot); at++)
        for (size_t node = 0; !s && node < told->node_count; node++)
            s = look_at_run(told, index_snapshot_run(snapshot, at), told->nodes[node], err);
    if (!s) s = index_snapshot_check(snapshot, err);
    index_snapshot_close(snapshot);
    return s;
}

/* ---- As JSON ---- */

static void put_person(struct buf *out, const char *name, const struct identity *identity, IdentityPerson person)
{
    char room[IDENTITY_PERSON_ID_BYTES];
    if (person == IDENTITY_NONE) json_null(out, name);
    else json_string(out, name, identity_person_id(identity, person, room));
}

static int most_events_first(const void *a, const void *b)
{
    const struct move *left = a, *right = b;
    if (left->events != right->events) return left->events > right->events ? -1 : 1;
    return left->node < right->node ? -1 : left->node > right->node;
}

static void write(struct foresight *told, struct buf *out)
{
    qsort(told->moves, told->move_count, sizeof *told->moves, most_events_first);
    json_object(out, NULL);
    json_uint(out, "messages", told->messages);
    json_uint(out, "events", told->events);
    json_array(out, "moves");
    for (size_t at = 0; at < told->move_count; at++) {
        const struct move *move = &told->moves[at];
        json_object(out, NULL);
        json_name(out, STR("id"));
        people_put_node(out, told->people, move->node);
        put_person(out, "from", told->now, move->from);
        put_person(out, "to", told->then, move->to);
        json_uint(out, "events", move->events);
        json_object_end(out);
    }
    json_array_end(out);
    json_uint(out, "moves_left_out", told->left_out);
    json_object_end(out);
}

Status people_write_foresight(const People *people, const PeopleForesight *asked, Arena *arena, struct buf *out,
                              Err *err)
{
    struct foresight told = { .people = people, .asked = asked, .arena = arena };
    Status s = gather(&told, err);
    if (!s) s = make_engines(&told, err);
    if (!s) s = find_moves(&told, err);
    if (!s) write(&told, out);
    identity_close(told.then);
    identity_close(told.now);
    return s;
}
