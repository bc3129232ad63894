/* deliver_world: everything round deliver/ in one process and by one seed: a journal on a fake disk, visitors
 * who browse and sign up, identity as the design says it (a few lines, by scanning all messages), and vendors
 * that answer, fail, time out, lose answers. The test asks afterwards what the vendors saw.
 */
#ifndef ONYM_TESTS_DELIVER_WORLD_H
#define ONYM_TESTS_DELIVER_WORLD_H

#include "segments/segments.h"
#include "tests/fakes/fake_fetch.h"
#include "tests/fakes/fake_journal.h"
#include "tests/fakes/fake_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MESSAGES_MOST = 400, VISITORS_MOST = 12, SEEN_MOST = 8192, DESTINATIONS_MOST = 6 };

/* A message as the world made it. */
struct made {
    EventType type;
    char id[40], user[24], anonymous[40], previous[40];
    Millis at_ms, received_ms;
    JournalPos pos, end;
    bool is_later;                      /* than somebody was forgotten */
};

/* What a vendor was told, call by call, in the order in which it took them. */
struct seen {
    int destination;
    char key[80];                       /* idempotency key, or what stands for it */
    char user[40], anonymous[40];       /* as sent */
    bool is_link;
    uint64_t hash;                      /* of the whole call: a repeat must be equal */
    Millis at_ms;                       /* event time as sent */
};

struct world {
    struct fake_clock clock;
    struct fake_dice dice;
    struct fake_disk disk;
    struct fake_fetch fetch;
    struct fake_rows rows;
    struct fake_journal memory;
    struct journal *journal;
    struct deliver *deliver;
    DestinationConfig configs[DESTINATIONS_MOST];
    size_t config_count;
    Node nodes[256];
    size_t node_count;
    struct region region;               /* of what the vendors read */

    struct made made[MESSAGES_MOST];
    size_t made_count;
    struct seen seen[SEEN_MOST];
    size_t seen_count;
    JournalPos known;                   /* identity has read so far */

    unsigned trouble_per_thousand;      /* of requests */
    int dead_destination;               /* answers nothing at all; -1: none */
    bool is_asked;                      /* the guard of identity is held */
    bool is_server_first;               /* servers identify before browsers link */
    struct deliver_people forgets;      /* its functions of who is to be forgotten; or none */
};

/* ---- Settings ---- */

static inline Node *world_node(struct world *world, const char *key, const char *text)
{
    Node *node = &world->nodes[world->node_count++];
    check(world->node_count <= countof(world->nodes));
    *node = (Node){ .kind = text ? NODE_TEXT : NODE_MAP, .key = str_from(key), .text = str_from(text ? text : "") };
    return node;
}

static inline void world_add_node(Node *map, Node *child)
{
    const Node **next = &map->first;
    while (*next) next = (const Node **)(uintptr_t)&(*next)->next;
    *next = child;
    map->count++;
}

/* pairs: "name=value" texts, NULL-terminated. */
static inline void world_add_destination(struct world *world, const char *name, const char *type,
                                         const char *const *pairs)
{
    DestinationConfig *config = &world->configs[world->config_count++];
    Node *settings = world_node(world, "settings", NULL), *rules = world_node(world, "rules", NULL);
    for (; *pairs; pairs++) {
        Str value, key = str_cut(str_from(*pairs), '=', &value);
        bool is_rule = str_starts(key, STR("rule."));
        Node *node = &world->nodes[world->node_count++];
        *node = (Node){ .kind = NODE_TEXT, .key = is_rule ? str_slice(key, 5, key.len) : key, .text = value };
        world_add_node(is_rule ? rules : settings, node);
    }
    *config = (DestinationConfig){ .name = str_from(name), .type = str_from(type), .is_enabled = true,
                                   .settings = settings, .rules = rules };
}

/* ---- Messages ---- */

static inline void world_write_json(struct buf *buf, const struct made *made)
{
    char at[24], received[24];
    instant_write(made->at_ms, at);
    instant_write(made->received_ms, received);
    buf_printf(buf, "{\"type\":\"%s\",\"messageId\":\"%s\",\"timestamp\":\"%.24s\",\"receivedAt\":\"%.24s\"",
               event_type_word(made->type), made->id, at, received);
    if (made->user[0]) buf_printf(buf, ",\"userId\":\"%s\"", made->user);
    if (made->anonymous[0]) buf_printf(buf, ",\"anonymousId\":\"%s\"", made->anonymous);
    if (made->previous[0]) buf_printf(buf, ",\"previousId\":\"%s\"", made->previous);
    if (made->type == EVENT_TRACK) buf_printf(buf, ",\"event\":\"E\",\"properties\":{\"id\":\"%s\"}", made->id);
    if (made->type == EVENT_IDENTIFY) buf_printf(buf, ",\"traits\":{\"last\":\"%s\"}", made->id);
    buf_str_put(buf, STR(",\"context\":{}}"));
}

static inline void world_noop(struct journal_append *append, Status status, JournalPos first)
{
    check(status == OK);
    ((struct made *)append->owner)->pos = first;
}

static inline void world_append(struct world *world, struct made *made)
{
    struct journal_append append;
    struct buf json, record;
    Err err = { 0 };
    Event event;
    buf_init(&json, 4096);
    buf_init(&record, 8192);
    world_write_json(&json, made);
    event = (Event){
        .type = made->type, .source = STR("website"), .message_id = str_from(made->id), .user_id = str_from(made->user),
        .anonymous_id = str_from(made->anonymous), .previous_id = str_from(made->previous),
        .name = made->type == EVENT_TRACK ? STR("E") : STR(""), .timestamp_ms = made->at_ms,
        .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE, .received_at_ms = made->received_ms,
        .json = buf_str(&json),
    };
    event_encode(&record, &event);
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = world_noop;
    append.owner = made;
    journal_put_record(&append, buf_str(&record));
    assert_int_equal(journal_submit(world->journal, &append, &err), OK);
    assert_int_equal(journal_commit(world->journal, NULL, &err), OK);
    made->end = journal_end(world->journal);
    journal_append_done(&append);
    buf_done(&json);
    buf_done(&record);
}

/* ---- Identity, in the words of the design ---- */

static inline bool world_is_before(const struct made *a, const struct made *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : strcmp(a->id, b->id) < 0;
}

static inline bool world_was_user(const struct world *world, const char *value)
{
    for (size_t at = 0; at < world->made_count; at++)
        if (world->made[at].pos < world->known && strcmp(world->made[at].user, value) == 0) return true;
    return false;
}

/* The anonymous id that a message links to its user; NULL: none. */
static inline const char *world_linked_id(const struct world *world, const struct made *made)
{
    if (!made->user[0] || made->pos >= world->known) return NULL;
    if (made->type == EVENT_ALIAS)
        return made->previous[0] && !world_was_user(world, made->previous) ? made->previous : NULL;
    return made->anonymous[0] ? made->anonymous : NULL;
}

/* The first link of an anonymous id: its first claim. */
static inline const struct made *world_first_claim(const struct world *world, const char *anonymous)
{
    const struct made *first = NULL;
    for (size_t at = 0; at < world->made_count; at++) {
        const struct made *made = &world->made[at];
        const char *linked = world_linked_id(world, made);
        if (linked && strcmp(linked, anonymous) == 0 && (!first || world_is_before(made, first))) first = made;
    }
    return first;
}

static inline const struct made *world_claim_at(const struct world *world, const struct made *when)
{
    const struct made *last = NULL;
    for (size_t at = 0; at < world->made_count; at++) {
        const struct made *made = &world->made[at];
        const char *linked = world_linked_id(world, made);
        if (!linked || strcmp(linked, when->anonymous) != 0 || world_is_before(when, made)) continue;
        if (!last || world_is_before(last, made)) last = made;
    }
    return last ? last : world_first_claim(world, when->anonymous);
}

static inline void world_begin(void *context)
{
    struct world *world = context;
    check(!world->is_asked);
    world->is_asked = true;
}

static inline void world_end(void *context)
{
    struct world *world = context;
    check(world->is_asked);
    world->is_asked = false;
}

static inline JournalPos world_position(void *context) { return ((struct world *)context)->known; }

static inline Status world_find(void *context, const Event *event, Arena *arena, MessagePerson *ret, Err *err)
{
    struct world *world = context;
    const struct made *owner = NULL, *first = NULL;
    struct made when = { .at_ms = event->timestamp_ms };
    Str user = event->user_id;
    check(world->is_asked);
    (void)err;
    (void)arena;
    *ret = (MessagePerson){ 0 };
    snprintf(when.id, sizeof when.id, "%.*s", STR_FORMAT(event->message_id));
    snprintf(when.anonymous, sizeof when.anonymous, "%.*s", STR_FORMAT(event->anonymous_id));
    if (event->anonymous_id.len) first = world_first_claim(world, when.anonymous);
    if (!user.len && event->anonymous_id.len) {
        owner = world_claim_at(world, &when);
        if (owner) user = str_from(owner->user);
        if (owner && first && strcmp(owner->user, first->user) != 0) ret->owner_id = user;
    }
    ret->key = user.len ? hash_64(user, 77) : hash_64(event->anonymous_id, 78);
    if (event->previous_id.len) {
        char previous[64];
        snprintf(previous, sizeof previous, "%.*s", STR_FORMAT(event->previous_id));
        ret->previous_is_user = world_was_user(world, previous);
    }
    return OK;
}

static inline Status world_list_links(void *context, Str user_id, Arena *arena, const PersonLink **ret,
                                      size_t *ret_count, Err *err)
{
    struct world *world = context;
    PersonLink *links = arena_new(arena, PersonLink, MESSAGES_MOST);
    (void)err;
    check(world->is_asked);
    *ret = links;
    *ret_count = 0;
    for (size_t at = 0; at < world->made_count; at++) {
        const char *linked = world_linked_id(world, &world->made[at]);
        const struct made *claim = linked ? world_first_claim(world, linked) : NULL;
        if (claim != &world->made[at] || !str_equal(str_from(claim->user), user_id)) continue;
        links[(*ret_count)++] = (PersonLink){ str_from(linked), str_from(claim->user), claim->at_ms, false };
    }
    for (size_t at = 0; at < world->made_count; at++) {
        const struct made *made = &world->made[at];
        bool is_merge = made->previous[0] && made->pos < world->known && world_was_user(world, made->previous);
        if (!is_merge || !(str_equal(str_from(made->user), user_id) || str_equal(str_from(made->previous), user_id)))
            continue;
        links[(*ret_count)++] = (PersonLink){ str_from(made->previous), str_from(made->user), made->at_ms, true };
    }
    return OK;
}

/* ---- Vendors ---- */

static inline struct seen *world_see(struct world *world, int destination, Str key, Str user, Str anonymous, Str whole)
{
    struct seen *seen = &world->seen[world->seen_count++];
    check(world->seen_count <= SEEN_MOST);
    *seen = (struct seen){ .destination = destination, .hash = hash_64(whole, 5) };
    snprintf(seen->key, sizeof seen->key, "%.*s", STR_FORMAT(key));
    snprintf(seen->user, sizeof seen->user, "%.*s", STR_FORMAT(user));
    snprintf(seen->anonymous, sizeof seen->anonymous, "%.*s", STR_FORMAT(anonymous));
    return seen;
}

static inline void world_see_webhook(struct world *world, int destination, const TreeNode *body)
{
    const TreeNode *first = body->kind == FIELD_ARRAY ? body->first : body;
    for (const TreeNode *message = first; message; message = body->kind == FIELD_ARRAY ? message->next : NULL) {
        struct seen *seen = world_see(world, destination, event_tree_text(message, "messageId"),
                                      event_tree_text(message, "userId"), event_tree_text(message, "anonymousId"),
                                      message->raw);
        check(instant_parse(event_tree_text(message, "timestamp"), &seen->at_ms));
    }
}

static inline void world_see_mixpanel(struct world *world, int destination, const TreeNode *body, bool is_import)
{
    for (const TreeNode *item = body->first; item; item = item->next) {
        const TreeNode *properties = event_tree_get(item, STR("properties"));
        Str event = event_tree_text(item, "event"), user = event_tree_text(properties, "$user_id");
        Str anonymous = event_tree_text(properties, "$device_id"), key = event_tree_text(properties, "$insert_id");
        char bytes[80];
        struct seen *seen;
        if (event_tree_text(properties, "id").len) {            /* whose message it is, beside the key */
            Str id = event_tree_text(properties, "id");
            snprintf(bytes, sizeof bytes, "%.*s %.*s", STR_FORMAT(key), STR_FORMAT(id));
            key = str_from(bytes);
        }
        if (!is_import) {
            user = event_tree_text(item, "$distinct_id");
            key = item->raw.len > 60 ? str_slice(item->raw, item->raw.len - 60, item->raw.len) : item->raw;
        }
        if (str_equal(event, STR("$identify")) && !user.len) {
            user = event_tree_text(properties, "$identified_id");
            anonymous = event_tree_text(properties, "$anon_id");
        }
        if (str_equal(event, STR("$create_alias"))) {
            user = event_tree_text(properties, "alias");
            anonymous = event_tree_text(properties, "distinct_id");
        }
        if (str_equal(event, STR("$merge"))) {
            user = event_tree_find(properties, "$distinct_ids")->first->text;
            anonymous = event_tree_find(properties, "$distinct_ids")->first->next->text;
        }
        seen = world_see(world, destination, key, user, anonymous, item->raw);
        seen->is_link = str_starts(event, STR("$"));
        (void)!str_parse_int(event_tree_text(is_import ? properties : item, is_import ? "time" : "$time"), 0, INT64_MAX,
                             &seen->at_ms);
    }
}

static inline Str world_query_value(Str query, const char *key)
{
    while (query.len > 0) {
        Str value, field = str_cut(query, '&', &query);
        if (str_equal(str_cut(field, '=', &value), str_from(key))) return value;
    }
    return (Str){ 0 };
}

static inline void world_see_kissmetrics(struct world *world, int destination, Str path, Str query)
{
    bool is_alias = str_ends(path, STR("/a"));
    Str person = world_query_value(query, "_p"), name = world_query_value(query, "_n");
    Str id = world_query_value(query, str_ends(path, STR("/e")) ? "id" : "last");
    struct seen *seen = world_see(world, destination, is_alias ? query : id, person,
                                  is_alias ? name : (Str){ 0 }, query);
    int64_t seconds = 0;
    seen->is_link = is_alias;
    (void)!str_parse_int(world_query_value(query, "_t"), 0, INT64_MAX, &seconds);
    seen->at_ms = seconds * 1000;
}

/* Hosts are http://<number>.test/…: the destination's number. */
static inline int world_destination_of(Str url) { return url.bytes[7] - '0'; }

static inline void world_take(struct world *world, const FetchRequest *request)
{
    Arena arena = region_arena(&world->region);
    int destination = world_destination_of(request->url);
    Str type = world->configs[destination].type, query, path = str_cut(request->url, '?', &query);
    const TreeNode *body = NULL;
    Err err;
    if (request->body.len && event_tree_read(request->body, &arena, &body, &err)) check(!"the body is no JSON");
    if (str_equal(type, STR("webhook"))) world_see_webhook(world, destination, body);
    else if (str_equal(type, STR("kissmetrics"))) world_see_kissmetrics(world, destination, path, query);
    else world_see_mixpanel(world, destination, body, str_ends(path, STR("/import")));
}

/* What a vendor does with a request: takes it, or not, and says so, or not. */
static inline void world_answer(void *owner, const FetchRequest *request, FakeAnswer *answer)
{
    struct world *world = owner;
    uint64_t what = fake_dice_below(&world->dice, 6);
    if (world_destination_of(request->url) == world->dead_destination) {
        answer->outcome = FETCH_NOT_SENT;
        return;
    }
    if (!fake_dice_chance(&world->dice, world->trouble_per_thousand)) {
        world_take(world, request);
        answer->body = STR("{\"status\":1}");
        return;
    }
    switch (what) {
    case 0: answer->outcome = FETCH_NOT_SENT; break;
    case 1: answer->outcome = FETCH_IN_DOUBT; break;                             /* it never came */
    case 2: world_take(world, request); answer->outcome = FETCH_IN_DOUBT; break; /* it came; the answer was lost */
    case 3: answer->status = 503; break;
    case 4: answer->status = 429; answer->headers = "Retry-After: 2\r\n"; break;
    default: answer->status = 500; world_take(world, request); break;            /* done, and then it fell over */
    }
}

static inline Millis world_delay(void *owner, const FetchRequest *request)
{
    struct world *world = owner;
    (void)request;
    return (Millis)fake_dice_below(&world->dice, 300);
}

/* ---- Lives ---- */

static inline DeliverOptions world_options(struct world *world)
{
    return (DeliverOptions){
        .journal = world->journal, .clock = &world->clock.clock, .dice = &world->dice.dice,
        .fetcher = &world->fetch.fetcher, .rows = world->rows.rows,
        .people = { .context = world, .begin = world_begin, .end = world_end, .position = world_position,
                    .find = world_find, .list_links = world_list_links,
                    .is_suppressed = world->forgets.is_suppressed, .list_forgets = world->forgets.list_forgets,
                    .end_forget = world->forgets.end_forget },
    };
}

static inline void world_start(struct world *world)
{
    DeliverOptions options = world_options(world);
    Err err = { 0 };
    assert_int_equal(deliver_open(&options, &world->deliver, &err), OK);
    if (deliver_set_config(world->deliver, world->configs, world->config_count, &err)) fail_msg("%s", err.text);
}

/* kill -9: what was not committed is gone, what was under way may still arrive. */
static inline void world_crash(struct world *world)
{
    fake_fetch_crash(&world->fetch, &world->dice, 500);
    world->rows.is_dead = true;
    deliver_close(world->deliver);
    world->rows.is_dead = false;
    world_start(world);
}

static inline void world_open_on(struct world *world, uint64_t seed, bool is_in_memory)
{
    SegmentsOptions options = { .dir = "journal" };
    Err err = { 0 };
    *world = (struct world){ .dead_destination = -1 };
    fake_clock_init(&world->clock, 1700000000000);
    fake_dice_init(&world->dice, seed);
    fake_disk_init(&world->disk, seed);
    fake_rows_init(&world->rows);
    fake_fetch_init(&world->fetch, &world->clock, world_answer, world_delay, world);
    region_open(&world->region, 64 << 20);
    options.disk = &world->disk.disk;
    options.clock = &world->clock.clock;
    options.dice = &world->dice.dice;
    fake_journal_init(&world->memory, &world->clock.clock);
    if (is_in_memory) world->journal = fake_journal_open(&world->memory);
    else if (segments_open(&options, &world->journal, NULL, &err)) fail_msg("%s", err.text);
}

static inline void world_open(struct world *world, uint64_t seed) { world_open_on(world, seed, false); }

static inline void world_close(struct world *world)
{
    deliver_close(world->deliver);
    journal_close(world->journal);
    fake_journal_done(&world->memory);
    fake_fetch_done(&world->fetch);
    fake_rows_done(&world->rows);
    fake_disk_done(&world->disk);
    region_close(&world->region);
}

static inline void world_step(struct world *world)
{
    Err err = { 0 };
    Status s = deliver_step(world->deliver, 0, &err);
    check(!world->is_asked);
    if (world->rows.is_dead) world_crash(world);
    else if (s && s != ERR_FULL) fail_msg("%s", err.text);
}

#endif
