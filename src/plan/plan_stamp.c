/* plan_stamp: writes a verdict as JSON for the record, and as text for people.
 *
 *   {"version":"7","rung":"omit","violations":[{"code":"wrong_type","path":["properties","revenue"],"found":"text",
 *    "wants":"a number","rung":"omit"}],"more":true}
 *
 * The path is a list, since names of properties may have dots. A stamp never has the value itself: the message has it,
 * and loses it when it is erased. "near", "found", "wants" and "more" are left out if there is nothing to say. */
#include "plan_rules.h"

static void write_violation(struct buf *out, const TrackingViolation *violation)
{
    json_object(out, NULL);
    json_word(out, "code", tracking_code_word(violation->code));
    if (violation->path_count) json_array(out, "path");
    for (uint32_t at = 0; at < violation->path_count; at++) {
        if (violation->path[at].is_index) json_uint(out, NULL, violation->path[at].index);
        else json_string(out, NULL, violation->path[at].name);
    }
    if (violation->path_count) json_array_end(out);
    if (violation->found.len) json_string(out, "found", violation->found);
    if (violation->wants.len) json_string(out, "wants", violation->wants);
    if (violation->near.len) json_string(out, "near", violation->near);
    json_word(out, "rung", tracking_rung_word(violation->rung));
    json_object_end(out);
}

/* A part that is not in the stamp cannot be left out for destinations, so the message waits. */
static TrackingRung rung_of(const TrackingVerdict *verdict, bool has_more)
{
    return has_more && verdict->rung == TRACKING_OMIT ? TRACKING_HOLD : verdict->rung;
}

static bool write_violations(struct buf *out, const TrackingVerdict *verdict)
{
    bool has_more = verdict->has_more;
    for (uint32_t at = 0; at < verdict->count; at++) {
        size_t before = out->len;
        write_violation(out, &verdict->items[at]);
        if (buf_ok(out) && out->len <= TRACKING_STAMP_BYTES - 256) continue;
        out->len = before, out->failed = false;
        has_more = true;
    }
    return has_more;
}

Str tracking_stamp_write(const TrackingVerdict *verdict, Arena *arena)
{
    struct buf list, out;
    if (!verdict->count || arena_left(arena) < 2 * TRACKING_STAMP_BYTES) return (Str){ 0 };
    buf_init_fixed(&list, arena_bytes(arena, TRACKING_STAMP_BYTES), TRACKING_STAMP_BYTES);
    buf_init_fixed(&out, arena_bytes(arena, TRACKING_STAMP_BYTES), TRACKING_STAMP_BYTES);
    json_array(&list, NULL);
    bool has_more = write_violations(&list, verdict);
    json_array_end(&list);
    json_object(&out, NULL);
    json_string(&out, "version", verdict->version);
    json_word(&out, "rung", tracking_rung_word(rung_of(verdict, has_more)));
    json_raw(&out, "violations", buf_str(&list));
    if (has_more) json_bool(&out, "more", true);
    json_object_end(&out);
    check(buf_ok(&list) && buf_ok(&out));
    return buf_str(&out);
}

/* ---- Reading ---- */

static void read_path(const TreeNode *list, Arena *arena, TrackingViolation *ret)
{
    if (!event_tree_is_kind(list, FIELD_ARRAY)) return;
    TrackingStep *path = arena_try(arena, sizeof *path, _Alignof(TrackingStep), list->count);
    if (!path) return;
    for (const TreeNode *step = list->first; step; step = step->next) {
        int64_t index = 0;
        bool is_index = step->kind == FIELD_NUMBER && str_parse_int(step->text, 0, UINT32_MAX - 1, &index);
        path[ret->path_count++] = (TrackingStep){ .name = is_index ? (Str){ 0 } : step->text, .index = (uint32_t)index,
                                                  .is_index = is_index };
    }
    ret->path = path;
}

static bool read_violation(const TreeNode *node, Arena *arena, TrackingViolation *ret)
{
    *ret = (TrackingViolation){ 0 };
    if (!tracking_code_from(event_tree_text(node, "code"), &ret->code) ||
        !tracking_rung_from(event_tree_text(node, "rung"), &ret->rung))
        return false;
    ret->found = event_tree_text(node, "found");
    ret->wants = event_tree_text(node, "wants");
    ret->near = event_tree_text(node, "near");
    read_path(event_tree_get(node, STR("path")), arena, ret);
    return true;
}

/* A violation with a code that only a later version knows is passed over: the rung of the whole message counts. */
bool tracking_stamp_read(Str stamp, Arena *arena, TrackingVerdict *ret)
{
    const TreeNode *root, *list;
    *ret = (TrackingVerdict){ 0 };
    if (event_tree_read(stamp, arena, &root, NULL) || !tracking_rung_from(event_tree_text(root, "rung"),
                                                                          &ret->rung)) return false;
    ret->version = event_tree_text(root, "version");
    list = event_tree_get(root, STR("violations"));
    if (!event_tree_is_kind(list, FIELD_ARRAY)) return false;
    for (const TreeNode *item = list->first; item && ret->count < TRACKING_VIOLATIONS; item = item->next)
        ret->count += read_violation(item, arena, &ret->items[ret->count]);
    const TreeNode *more = event_tree_get(root, STR("more"));
    ret->has_more = event_tree_is_kind(more, FIELD_BOOL) && more->truth;
    return true;
}

bool tracking_stamp_holds(Str stamp) { return str_contains(str_slice(stamp, 0, 2 * TRACKING_VERSION_BYTES),
                                                           STR("\"rung\":\"hold\"")); }

/* ---- For people ---- */

void tracking_write_path(struct buf *out, const TrackingViolation *violation)
{
    for (uint32_t at = 0; at < violation->path_count; at++) {
        const TrackingStep *step = &violation->path[at];
        if (step->is_index) {
            buf_printf(out, "[%u]", step->index);
            continue;
        }
        if (at) buf_char(out, '.');
        buf_str_put(out, str_slice(step->name, 0, 100));
        if (step->name.len > 100) buf_str_put(out, STR("…"));
    }
}

static void write_found(struct buf *out, const TrackingViolation *violation, Str value)
{
    buf_str_put(out, STR(" is "));
    buf_str_put(out, violation->found);
    if (value.len) buf_printf(out, " (%.*s%s)", (int)(value.len < 60 ? value.len : 60), value.bytes, value.len > 60
                              ? "…" : "");
}

static void write_wants(struct buf *out, Str wants)
{
    if (!wants.len) return;
    buf_str_put(out, STR(", the plan wants "));
    buf_str_put(out, wants);
}

static void write_near(struct buf *out, Str near)
{
    if (near.len) buf_printf(out, "; \"%.*s\" is", STR_FORMAT(str_slice(near, 0, 100)));
}

void tracking_write_text(struct buf *out, const TrackingViolation *violation, Str value)
{
    tracking_write_path(out, violation);
    switch (violation->code) {
    case TRACKING_UNPLANNED_EVENT:
        buf_str_put(out, STR("is not in the plan"));
        write_near(out, violation->near);
        return;
    case TRACKING_UNPLANNED_PROPERTY:
        buf_str_put(out, STR(" is not in the plan"));
        write_near(out, violation->near);
        return;
    case TRACKING_WRONG_SOURCE:     buf_str_put(out, STR("does not come from this source by the plan")); return;
    case TRACKING_DEPRECATED_EVENT: buf_str_put(out, STR("is deprecated")); return;
    case TRACKING_NAME_PATTERN:     buf_str_put(out, STR("is named otherwise than the others")); break;
    case TRACKING_MISSING_PROPERTY: buf_str_put(out, STR(" is missing")); break;
    case TRACKING_WRONG_TYPE:
    case TRACKING_VALUE_NOT_ALLOWED: write_found(out, violation, value); break;
    case TRACKING_CODES: break;
    }
    write_wants(out, violation->wants);
}
