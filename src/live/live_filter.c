/* live_filter: which rows a stream was asked for. What was kept of a rejected message may be cut JSON: then a value is
 * searched for as a JSON string anywhere in it. */
#include "live_private.h"

static LiveValues copy_values(const LiveValues *values, Arena *arena)
{
    LiveValues copy = { .count = values->count };
    for (size_t at = 0; at < values->count; at++) copy.items[at] = arena_copy(arena, values->items[at]);
    return copy;
}

void live_filter_copy(const LiveFilter *filter, Arena *arena, LiveFilter *ret)
{
    *ret = (LiveFilter){ .types = filter->types, .fates = filter->fates, .breaks_plan = filter->breaks_plan };
    ret->events = copy_values(&filter->events, arena);
    ret->sources = copy_values(&filter->sources, arena);
    ret->ids = copy_values(&filter->ids, arena);
    ret->texts = copy_values(&filter->texts, arena);
}

static bool has_value(const LiveValues *values, Str text)
{
    for (size_t at = 0; at < values->count; at++)
        if (str_equal(values->items[at], text)) return true;
    return false;
}

static char fold(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

/* ---- Text ---- */

static bool read_hex(Str json, size_t at, uint32_t *ret)
{
    uint32_t value = 0;
    if (at + 4 > json.len) return false;
    for (size_t digit = 0; digit < 4; digit++) {
        char c = fold(json.bytes[at + digit]);
        if (c >= '0' && c <= '9') value = value << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') value = value << 4 | (uint32_t)(c - 'a' + 10);
        else return false;
    }
    *ret = value;
    return true;
}

static size_t put_utf8(uint32_t code, char out[4])
{
    static const struct { uint32_t below; unsigned char lead; } rows[] = {
        { 0x80, 0 }, { 0x800, 0xc0 }, { 0x10000, 0xe0 }, { 0x110000, 0xf0 },
    };
    size_t more = 0;
    while (code >= rows[more].below) more++;
    out[0] = (char)(rows[more].lead | code >> 6 * more);
    for (size_t at = 1; at <= more; at++) out[at] = (char)(0x80 | (code >> 6 * (more - at) & 0x3f));
    return more + 1;
}

/* The character at a place of JSON text, as UTF-8: one byte, or what an escape means. Gives how many bytes it takes. */
static size_t read_piece(Str json, size_t at, char out[4], size_t *ret_len)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    uint32_t code, low;
    *ret_len = 1;
    out[0] = json.bytes[at];
    if (out[0] != '\\' || at + 1 == json.len) return 1;
    const char *name = memchr(names, json.bytes[at + 1], sizeof names - 1);
    out[0] = name ? values[name - names] : json.bytes[at + 1];
    if (json.bytes[at + 1] != 'u' || !read_hex(json, at + 2, &code)) return 2;
    bool is_pair = code >= 0xd800 && code < 0xdc00 && at + 8 <= json.len && json.bytes[at + 6] == '\\' &&
                   read_hex(json, at + 8, &low) && low >= 0xdc00 && low < 0xe000;
    if (is_pair) code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    *ret_len = put_utf8(code, out);
    return is_pair ? 12 : 6;
}

/* Does json go on with the needle at this place, however the client escaped it? */
static bool begins_with(Str json, size_t at, Str needle)
{
    size_t same = 0;
    while (same < needle.len && at < json.len) {
        char piece[4];
        size_t len;
        at += read_piece(json, at, piece, &len);
        for (size_t byte = 0; byte < len && same < needle.len; byte++, same++)
            if (fold(piece[byte]) != fold(needle.bytes[same])) return false;
    }
    return same == needle.len;
}

static bool contains_folded(Str json, Str needle)
{
    char piece[4];
    size_t len;
    for (size_t at = 0; at < json.len; at += read_piece(json, at, piece, &len))
        if (begins_with(json, at, needle)) return true;
    return false;
}

static bool has_text(const LiveValues *values, Str json)
{
    bool has_one = values->count == 0;
    for (size_t at = 0; !has_one && at < values->count; at++) has_one = contains_folded(json, values->items[at]);
    return has_one;
}

/* ---- Rejected messages ---- */

static bool mentions(Str json, Str value)
{
    struct buf quoted;
    buf_init(&quoted, 8 * LIMIT_ID_BYTES);
    buf_json_string(&quoted, value);
    bool is_there = buf_ok(&quoted) && str_contains(json, buf_str(&quoted));
    buf_done(&quoted);
    return is_there;
}

static bool tells(const LiveRow *row, const char *const *paths, size_t path_count, const LiveValues *values)
{
    bool has_one = values->count == 0;
    for (size_t at = 0; !has_one && !row->tree && at < values->count; at++)
        has_one = mentions(row->rejected.json, values->items[at]);
    for (size_t at = 0; !has_one && row->tree && at < path_count; at++) {
        const TreeNode *node = event_tree_find(row->tree, paths[at]);
        has_one = node && has_value(values, node->text);
    }
    return has_one;
}

static bool matches_rejected(const LiveFilter *filter, const LiveRow *row)
{
    static const char *const names[] = { "event", "name" };
    static const char *const ids[] = { "userId", "anonymousId", "previousId", "groupId" };
    bool has_type = !filter->types;
    for (int type = EVENT_NONE + 1; !has_type && type < EVENT_TYPE_COUNT; type++) {
        Str word = str_from(event_type_word((EventType)type));
        if (!(filter->types & 1u << type)) continue;
        has_type = row->tree ? str_equal(event_tree_text(row->tree, "type"), word) : mentions(row->rejected.json, word);
    }
    return has_type && (!filter->sources.count || has_value(&filter->sources, row->rejected.source)) &&
           tells(row, names, countof(names), &filter->events) && tells(row, ids, countof(ids), &filter->ids) &&
           has_text(&filter->texts, row->rejected.json);
}

/* ---- Rows ---- */

static bool has_id(const LiveFilter *filter, const Event *event)
{
    return !filter->ids.count || has_value(&filter->ids, event->user_id) ||
           has_value(&filter->ids, event->anonymous_id) || has_value(&filter->ids, event->previous_id) ||
           has_value(&filter->ids, event->group_id);
}

/* Of a suppressed message only its type and source are known, so no other condition can match it. */
static bool looks_inside(const LiveFilter *filter)
{
    return filter->events.count || filter->ids.count || filter->texts.count || filter->breaks_plan;
}

/* A message that a plan rejects is kept with one of its reasons: plan_wrong_type (docs/protocol.md). */
static bool breaks_plan(const LiveRow *row)
{
    if (row->fate == LIVE_REJECTED) return str_starts(row->rejected.reason, STR("plan_"));
    return row->fate != LIVE_SUPPRESSED && row->event.plan_check.len > 0;
}

bool live_filter_matches(const LiveFilter *filter, const LiveRow *row)
{
    const Event *event = &row->event;
    if (filter->breaks_plan && !breaks_plan(row)) return false;
    if (filter->fates && !(filter->fates & 1u << row->fate)) return false;
    if (row->fate == LIVE_REJECTED) return matches_rejected(filter, row);
    if (filter->types && !(filter->types & 1u << event->type)) return false;
    if (filter->sources.count && !has_value(&filter->sources, event->source)) return false;
    if (row->fate == LIVE_SUPPRESSED) return !looks_inside(filter);
    if (filter->events.count && !has_value(&filter->events, event->name)) return false;
    return has_id(filter, event) && has_text(&filter->texts, event->json);
}

bool live_filter_matches_note(const LiveFilter *filter, const LiveNote *note)
{
    if (filter->fates && !(filter->fates & 1u << LIVE_SUPPRESSED)) return false;
    if (filter->types && !(filter->types & 1u << note->type)) return false;
    return (!filter->sources.count || has_value(&filter->sources, note->source)) && !looks_inside(filter);
}

/* Whatever else is asked for: the person of earlier rows may have changed. */
bool live_filter_wants_claim(const LiveFilter *filter, const Event *event) { return has_id(filter, event); }
