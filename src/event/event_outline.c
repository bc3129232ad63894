/* event_outline: see its header. One loop, no recursion: what is open stands in a short list of places. */
#include "event.h"

#include <stdlib.h>

struct event_outline *event_outline_open(void)
{
    struct event_outline *outline = malloc(sizeof *outline);
    if (outline) outline->count = 0, outline->is_cut = false;
    return outline;
}

void event_outline_close(struct event_outline *outline) { free(outline); }

static OutlineKind kind_of(char first)
{
    switch (first) {
    case '"': return OUTLINE_TEXT;
    case '{': return OUTLINE_OBJECT;
    case '[': return OUTLINE_LIST;
    case 't':
    case 'f': return OUTLINE_BOOL;
    case 'n': return OUTLINE_NULL;
    default: return OUTLINE_NUMBER;
    }
}

/* What is being read: members that are open, the innermost last. */
struct reading {
    OutlineMember *members;
    uint32_t count, depth;
    uint32_t open[OUTLINE_DEPTH];
};

/* The name and its colon. Gives the place after them; NULL: there is none. */
static inline const char *take_key(const char *at, const char *end, OutlineMember *member)
{
    if (*at != '"') return NULL;
    const char *quote = event_text_end(at + 1, end, &member->has_key_escape);
    member->key = (Str){ at + 1, (size_t)(quote - at - 1) };
    if (end - quote >= 2 && quote[1] == ':') return event_pass_space(quote + 2, end);
    if (quote == end) return NULL;
    at = event_pass_space(quote + 1, end);
    return at < end && *at == ':' ? event_pass_space(at + 1, end) : NULL;
}

/* Ends what is open; false where the bracket is of the other kind. */
static inline bool close_one(struct reading *reading, const char *at)
{
    OutlineMember *member = &reading->members[reading->open[reading->depth - 1]];
    if (*at != (member->kind == OUTLINE_OBJECT ? '}' : ']')) return false;
    member->raw.len = (size_t)(at + 1 - member->raw.bytes);
    member->next = reading->count;
    reading->depth--;
    return true;
}

/* Reads a value into the member, which is the next one. Gives the place after it, or after the bracket that it opens
 * with. */
static inline const char *take_value(struct reading *reading, const char *at, const char *end, OutlineMember *member)
{
    if (at == end) return NULL;
    const char *behind;
    uint32_t place = reading->count;
    member->raw.bytes = at;
    member->kind = (uint8_t)kind_of(*at);
    member->has_escape = member->is_nested = false;
    if (member->kind >= OUTLINE_LIST) {
        if (reading->depth) reading->members[reading->open[reading->depth - 1]].is_nested = true;
        if (reading->depth < OUTLINE_DEPTH) {
            reading->open[reading->depth++] = place;
            reading->count++;
            return at + 1;
        }
        behind = event_bracket_end(at, end);
        member->is_nested = true;                           /* as far as anybody knows */
    } else {
        behind = event_value_end(at, end, &member->has_escape);
    }
    if (!behind) return NULL;
    member->raw.len = (size_t)(behind - at);
    member->next = ++reading->count;
    return behind;
}

/* Begins after the message's brace, or after a comma in it. */
static void read_members(struct event_outline *outline, const char *at, const char *end)
{
    struct reading reading = { .members = outline->members, .count = 0, .depth = 0 };
    while (at && (at = event_pass_space(at, end)) < end) {
        if (*at == ',') {
            at++;
            continue;
        }
        if (*at == '}' || *at == ']') {
            if (!reading.depth || !close_one(&reading, at)) break;
            at++;
            continue;
        }
        outline->is_cut = reading.count == OUTLINE_MEMBERS;
        if (outline->is_cut) break;
        OutlineMember *member = &reading.members[reading.count];
        bool is_item = reading.depth && reading.members[reading.open[reading.depth - 1]].kind == OUTLINE_LIST;
        if (!is_item) at = take_key(at, end, member);
        else member->key = (Str){ 0 }, member->has_key_escape = false;
        if (at) at = take_value(&reading, at, end, member);
    }
    for (; reading.depth; reading.depth--) {                /* it was malformed, or cut */
        OutlineMember *member = &reading.members[reading.open[reading.depth - 1]];
        member->raw.len = (size_t)(end - member->raw.bytes);
        member->next = reading.count;
    }
    outline->count = reading.count;
}

void event_outline_read(struct event_outline *outline, Str json)
{
    EventMembers members;
    outline->count = 0, outline->is_cut = false;
    if (event_members_open(&members, json) && members.at[-1] == '{') read_members(outline, members.at, members.end);
}

bool event_members_of(const Event *event, EventMembers *ret)
{
    const char *begin = event->json.bytes, *end = begin + event->json.len;
    const char *behind = event->source.bytes + event->source.len;
    if (!event->source.len || behind <= begin || behind >= end || *behind != '"')
        return event_members_open(ret, event->json) && ret->at[-1] == '{';
    *ret = (EventMembers){ behind + 1, end };
    return true;
}

const struct event_outline *event_outline_of(const Event *event, struct event_outline *room)
{
    EventMembers members;
    if (event->outline) return event->outline;
    room->count = 0, room->is_cut = false;
    if (event_members_of(event, &members)) read_members(room, members.at, members.end);
    return room;
}
