/* plan_omit: leaves out of a message what breaks the tracking plan, if the plan says omit. The journal keeps the
 * message whole. The stamp of the message names what is left out. So the same parts are left out whenever the message
 * is sent, whatever today's plan says. */
#include "plan.h"

enum { OMITTED_MOST = 2 * TRACKING_VIOLATIONS };

struct omission {
    const TreeNode *nodes[OMITTED_MOST];
    size_t count;
    struct buf out;
};

/* The member to leave out. If an item of a list breaks the plan, this is the member that has the whole list. NULL: it
 * is not there. */
static const TreeNode *find_member(const TreeNode *json, const TrackingViolation *violation)
{
    const TreeNode *node = json, *member = NULL;
    for (uint32_t at = 0; node && at < violation->path_count; at++) {
        const TrackingStep *step = &violation->path[at];
        const TreeNode *child = step->is_index ? node->first : event_tree_get(node, step->name);
        for (uint32_t index = 0; step->is_index && child && index < step->index; index++) child = child->next;
        if (!step->is_index && at > 0) member = child;
        node = child;
    }
    return node ? member : NULL;
}

static bool is_omitted(const struct omission *omission, const TreeNode *node)
{
    for (size_t at = 0; at < omission->count; at++)
        if (omission->nodes[at] == node) return true;
    return false;
}

static void note_member(struct omission *omission, const TreeNode *member)
{
    if (member && !is_omitted(omission, member)) omission->nodes[omission->count++] = member;
}

/* Is something inside of it left out? */
static bool has_inside(const struct omission *omission, const TreeNode *node)
{
    for (size_t at = 0; at < omission->count; at++) {
        uintptr_t inner = (uintptr_t)omission->nodes[at]->raw.bytes, outer = (uintptr_t)node->raw.bytes;
        if (inner > outer && inner < outer + node->raw.len) return true;
    }
    return false;
}

/* It calls itself once for each level; the depth of a message is bounded. */
static void write_without(struct omission *omission, const TreeNode *node)
{
    struct buf *out = &omission->out;
    if (!has_inside(omission, node)) {
        buf_str_put(out, node->raw);
        return;
    }
    bool is_object = node->kind == FIELD_OBJECT, is_first = true;
    buf_char(out, is_object ? '{' : '[');
    for (const TreeNode *child = node->first; child; child = child->next) {
        if (is_omitted(omission, child)) continue;
        if (!is_first) buf_char(out, ',');
        is_first = false;
        if (is_object) {
            buf_json_string(out, child->key);
            buf_char(out, ':');
        }
        write_without(omission, child);
    }
    buf_char(out, is_object ? '}' : ']');
}

Status tracking_omit(const Event *event, const TreeNode *json, Arena *arena, const TreeNode **ret, Err *err)
{
    struct omission omission = { .count = 0 };
    TrackingVerdict *verdict = NULL;
    *ret = json;
    if (!event->plan_check.len) return OK;
    verdict = arena_new(arena, TrackingVerdict, 1);
    if (!tracking_stamp_read(event->plan_check, arena, verdict)) return OK;
    for (uint32_t at = 0; at < verdict->count; at++) {
        if (verdict->items[at].rung != TRACKING_OMIT) continue;
        note_member(&omission, find_member(json, &verdict->items[at]));
        /* the traits of an identify may have come from its context, and are there, too */
        if (event->type == EVENT_IDENTIFY)
            note_member(&omission, find_member(event_tree_find(json, "context"), &verdict->items[at]));
    }
    if (!omission.count) return OK;
    size_t room = 2 * event->json.len + 64;
    buf_init_fixed(&omission.out, arena_bytes(arena, room), room);
    write_without(&omission, json);
    check(buf_ok(&omission.out));
    return event_tree_read(buf_str(&omission.out), arena, ret, err);
}
