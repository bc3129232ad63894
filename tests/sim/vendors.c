#include "world.h"

#include <stdlib.h>

static const struct { const char *type; bool is_webhook; const char *pairs[8]; } kinds[VENDORS] = {
    { "webhook", true, { "url=http://0.test/", "allow_private=true", "rule.start=beginning",
                         "rule.window=200" } },
    { "webhook", true, { "url=http://1.test/", "allow_private=true", "batch_size=7", "rule.start=beginning",
                         "rule.window=64" } },
    { "mixpanel", false, { "token=T", "identity=simplified", "endpoint=http://2.test", "batch_size=9",
                           "rule.start=beginning", "rule.window=200" } },
    { "mixpanel", false, { "token=T", "identity=original", "endpoint=http://3.test", "batch_size=5",
                           "rule.start=beginning", "rule.grace_seconds=5", "rule.window=100" } },
};
const char *const vendors_names[VENDORS] = { "single", "batch", "simplified", "original" };

/* ---- Configuration ---- */

static Node *add_node(struct vendors *vendors, Node *map, Str key, Str text)
{
    check(vendors->node_count < countof(vendors->nodes));
    Node *node = &vendors->nodes[vendors->node_count++];
    *node = (Node){ .kind = map ? NODE_TEXT : NODE_MAP, .key = key, .text = text };
    if (!map) return node;
    const Node **next = &map->first;
    while (*next) next = (const Node **)(uintptr_t)&(*next)->next;
    *next = node;
    map->count++;
    return node;
}

void vendors_init(struct world *world)
{
    struct vendors *vendors = &world->vendors;
    *vendors = (struct vendors){ .dead = -1 };
    region_open(&vendors->region, 16 << 20);
    for (int at = 0; at < VENDORS; at++) {
        vendors->received[at] = calloc(SENT_MAX, sizeof **vendors->received);
        check(vendors->received[at]);
        Node *settings = add_node(vendors, NULL, STR("settings"), STR(""));
        Node *rules = add_node(vendors, NULL, STR("rules"), STR(""));
        for (const char *const *pair = kinds[at].pairs; *pair; pair++) {
            Str value, key = str_cut(str_from(*pair), '=', &value);
            bool is_rule = str_starts(key, STR("rule."));
            (void)add_node(vendors, is_rule ? rules : settings, is_rule ? str_slice(key, 5, key.len) : key, value);
        }
        vendors->configs[at] = (DestinationConfig){ .name = str_from(vendors_names[at]), .is_enabled = true,
                                                    .type = str_from(kinds[at].type), .settings = settings,
                                                    .rules = rules };
    }
    fake_fetch_init(&world->fetch, &world->outside, vendors_answer, vendors_delay, world);
}

void vendors_done(struct vendors *vendors)
{
    for (size_t at = 0; at < VENDORS; at++) free(vendors->received[at]);
    for (size_t at = 0; at < vendors->copy_count; at++) free(vendors->copies[at].body);
    region_close(&vendors->region);
}

bool vendors_want(int vendor, const Sent *sent) { return kinds[vendor].is_webhook || sent->type == EVENT_TRACK; }

/* ---- What a request says ---- */

/* Calls visit for each message of a request: webhooks' by messageId, Mixpanel's tracks by the property that has it. */
typedef void VisitMessage(struct world *world, int vendor, int sent, const TreeNode *node);

static void read_request(struct world *world, int vendor, Str body, VisitMessage *visit)
{
    Arena arena = region_arena(&world->vendors.region);
    const TreeNode *tree;
    Err err;
    if (event_tree_read(body, &arena, &tree, &err))
        world_fail(world, "%s got no JSON: %s", vendors_names[vendor], err.text);
    bool is_list = tree->kind == FIELD_ARRAY;
    for (const TreeNode *node = is_list ? tree->first : tree; node; node = is_list ? node->next : NULL) {
        Str id = event_tree_text(node, kinds[vendor].is_webhook ? "messageId" : "properties.id");
        if (!id.len && !kinds[vendor].is_webhook) continue;             /* a link, or a profile's */
        int sent = visitors_find_sent(&world->visitors, id);
        if (sent < 0 || !world->sent[sent].is_known)
            world_fail(world, "%s hears of \"%.*s\", which %s", vendors_names[vendor], STR_FORMAT(id),
                       sent < 0 ? "nobody sent" : "counts for nothing");
        visit(world, vendor, sent, node);
    }
}

static void receive(struct world *world, int vendor, int sent, const TreeNode *node)
{
    struct received *received = &world->vendors.received[vendor][sent];
    bool is_webhook = kinds[vendor].is_webhook;
    uint64_t hash = hash_64(node->raw, 5);
    uint64_t key = hash_64(event_tree_text(node, is_webhook ? "messageId" : "properties.$insert_id"), 5);
    bool may_differ = (!is_webhook && world->vendors.is_replayed[vendor]) || world->sent[sent].has_moved;
    if (received->order && received->key != key)
        world_fail(world, "%s got %s twice, under two keys: %.*s", vendors_names[vendor], world->sent[sent].message_id,
                   STR_FORMAT(node->raw));
    if (received->order && received->hash != hash && !may_differ)
        world_fail(world, "%s got %s twice, with other bytes: %.*s", vendors_names[vendor],
                   world->sent[sent].message_id, STR_FORMAT(node->raw));
    received->hash = hash;
    received->key = key;
    if (!received->order) received->order = ++world->vendors.taken;
    world_trace(world, "%s got %s", vendors_names[vendor], world->sent[sent].message_id);
}

static void refuse(struct world *world, int vendor, int sent, const TreeNode *node)
{
    (void)node;
    world->vendors.received[vendor][sent].is_out_of_turn = true;
    world_trace(world, "%s refuses %s", vendors_names[vendor], world->sent[sent].message_id);
}

static void receive_late(struct world *world, int vendor, int sent, const TreeNode *node)
{
    struct received *received = &world->vendors.received[vendor][sent];
    if (!received->order) received->is_out_of_turn = true;
    receive(world, vendor, sent, node);
}

/* A suppression is in force, and what waited of its ids has been removed: moments after the order (docs/privacy.md). */
static bool is_cleared(struct world *world, JournalPos command)
{
    Arena arena = region_arena(&world->scratch);
    ControlForget *forgets;
    DeriveStats stats;
    size_t count;
    Err err;
    derive_read_stats(world->applier, &stats);
    if (stats.applied <= command) return false;
    if (control_list_forgets(derive_control(world->applier), &arena, &forgets, &count, &err))
        world_fail(world, "who is to be forgotten: %s", err.text);
    for (size_t at = 0; at < count; at++)
        if (forgets[at].what.kind == COMMAND_SUPPRESS) return false;
    return true;
}

/* Nothing new is sent of whom the destinations have forgotten. */
static void check_not_forgotten(struct world *world, int vendor, int sent, const TreeNode *node)
{
    const struct history *history = &world->history;
    world_trace(world, "%s is sent %s, which came at %.*s", vendors_names[vendor], world->sent[sent].message_id,
                STR_FORMAT(event_tree_text(node, "receivedAt")));
    int suppressed = history_find_suppressed(world, sent);
    for (size_t at = 0; at < history->count && world->sent[sent].was_erased; at++) {
        const Entry *command = &history->entries[at];
        if (command->sent != HISTORY_COMMAND || !command->is_forgotten) continue;
        for (size_t entry = 0; entry < at; entry++)
            if (history->entries[entry].sent == sent && history->entries[entry].erased_by == command->pos)
                world_fail(world, "%s is told of %s, which was erased", vendors_names[vendor],
                           world->sent[sent].message_id);
    }
    if (suppressed < 0 || !is_cleared(world, history->suppressed[suppressed].pos)) return;
    world_fail(world, "%s is told of %s, though %s is suppressed", vendors_names[vendor], world->sent[sent].message_id,
               history->suppressed[suppressed].value);
}

/* ---- Answering ---- */

static int vendor_of(Str url) { return url.bytes[strlen("http://")] - '0'; }

static bool is_told(Str url, int vendor) { return kinds[vendor].is_webhook || str_contains(url, STR("/import")); }

static void take(struct world *world, const FetchRequest *request, VisitMessage *visit)
{
    int vendor = vendor_of(request->url);
    if (is_told(request->url, vendor)) read_request(world, vendor, request->body, visit);
}

static void keep_copy(struct world *world, const FetchRequest *request)
{
    struct vendors *vendors = &world->vendors;
    if (vendors->copy_count == COPIES_MAX || !is_told(request->url, vendor_of(request->url))) return;
    struct copy *copy = &vendors->copies[vendors->copy_count++];
    *copy = (struct copy){ vendor_of(request->url),
                           world->outside.now_ms + (Millis)fake_dice_below(&world->dice, 120000),
                           malloc(request->body.len + 1), request->body.len };
    check(copy->body);
    memcpy(copy->body, request->body.bytes, request->body.len);
}

void vendors_step(struct world *world)
{
    struct vendors *vendors = &world->vendors;
    for (size_t at = vendors->copy_count; at > 0; at--) {
        struct copy copy = vendors->copies[at - 1];
        if (copy.due_ms > world->outside.now_ms) continue;
        vendors->copies[at - 1] = vendors->copies[--vendors->copy_count];
        world_tell(world, "a request that was given up comes to %s", vendors_names[copy.vendor]);
        read_request(world, copy.vendor, str_of(copy.body, copy.len), receive_late);
        free(copy.body);
    }
}

void vendors_answer(void *owner, const FetchRequest *request, FakeAnswer *answer)
{
    struct world *world = owner;
    struct fake_dice *dice = &world->dice;
    int vendor = vendor_of(request->url);
    answer->body = STR("{\"status\":1}");
    if (vendor == world->vendors.dead) {
        answer->outcome = FETCH_NOT_SENT;
        return;
    }
    if (world->canary == CANARY_VENDOR && fake_dice_chance(dice, 20)) return;          /* the fault to be found */
    if (!fake_dice_chance(dice, world->vendors.trouble_per_thousand)) {
        take(world, request, receive);
        if (world->vendors.trouble_per_thousand && fake_dice_chance(dice, 30)) keep_copy(world, request);
        return;
    }
    switch (fake_dice_below(dice, 8)) {
    case 0: answer->outcome = FETCH_NOT_SENT; break;
    case 1: answer->outcome = FETCH_IN_DOUBT; break;                                    /* it never came */
    case 2: take(world, request, receive); answer->outcome = FETCH_IN_DOUBT; break;     /* the answer was lost */
    case 3: keep_copy(world, request); answer->outcome = FETCH_IN_DOUBT; break;         /* it comes later */
    case 4: answer->status = 503; break;
    case 5: answer->status = 429; answer->headers = "Retry-After: 2\r\n"; break;
    case 6:
        answer->status = kinds[vendor].is_webhook ? 400 : 502;
        if (kinds[vendor].is_webhook) take(world, request, refuse);
        break;
    default: answer->status = 500; take(world, request, receive); break;                /* done, then it fell over */
    }
}

Millis vendors_delay(void *owner, const FetchRequest *request)
{
    struct world *world = owner;
    take(world, request, check_not_forgotten);
    return (Millis)fake_dice_below(&world->dice, fake_dice_chance(&world->dice, 50) ? 9000 : 300);
}
