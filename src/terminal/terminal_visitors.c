/* Visitors by the hash of their anonymousId, in an open table that is emptied when it is nearly full: a
 * terminal is watched by somebody who has just clicked, not by an accountant. */
#include "terminal_visitors.h"

#include <stdlib.h>

#include "base/base.h"

enum { SLOTS = 8192, FILL_MAX = SLOTS / 2, ARENA_BYTES = 16 * 1024 * 1024, ID_SHOWN = 9 };

struct visitor {
    uint64_t hash;                    /* 0: free */
    uint32_t anonymous_events;
    bool is_known;
};

struct visitors {
    struct visitor slots[SLOTS];
    size_t count;
    struct event_parser *parser;
    struct region region;
};

struct visitors *visitors_open(void)
{
    struct visitors *visitors = calloc(1, sizeof *visitors);
    if (!visitors) return NULL;
    region_open(&visitors->region, ARENA_BYTES);
    if ((visitors->parser = event_parser_open())) return visitors;
    visitors_close(visitors);
    return NULL;
}

void visitors_close(struct visitors *visitors)
{
    if (!visitors) return;
    event_parser_close(visitors->parser);
    region_close(&visitors->region);
    free(visitors);
}

static struct visitor *find(struct visitors *visitors, Str anonymous_id)
{
    uint64_t hash = hash_64(anonymous_id, 1);
    if (hash == 0) hash = 1;
    size_t at = hash % SLOTS;
    while (visitors->slots[at].hash && visitors->slots[at].hash != hash) at = (at + 1) % SLOTS;
    struct visitor *visitor = &visitors->slots[at];
    if (visitor->hash) return visitor;
    if (visitors->count == FILL_MAX) {
        memset(visitors->slots, 0, sizeof visitors->slots);
        visitors->count = 0;
    }
    visitor->hash = hash;
    visitors->count++;
    return visitor;
}

/* traits.name of an identify: who that is to a person who reads. */
static Str find_name(struct visitors *visitors, const Event *event, Arena *arena)
{
    Field field = { 0 };
    if (event->type != EVENT_IDENTIFY) return STR("");
    if (event_find_field(visitors->parser, event->json, STR("traits.name"), arena, &field, NULL)) return STR("");
    return field.kind == FIELD_STRING ? field.text : STR("");
}

bool visitors_note(struct visitors *visitors, Str record, struct buf *out)
{
    Event event;
    if (record_kind(record) != RECORD_EVENT || event_decode(record, &event, NULL)) return false;
    if (!event.anonymous_id.len || event.type == EVENT_ALIAS) return false;
    struct visitor *visitor = find(visitors, event.anonymous_id);
    if (!event.user_id.len) {
        visitor->anonymous_events += !visitor->is_known;
        return false;
    }
    bool is_news = !visitor->is_known && visitor->anonymous_events > 0;
    visitor->is_known = true;
    if (!is_news) return false;
    Arena arena = region_arena(&visitors->region);
    Str name = find_name(visitors, &event, &arena), id = event.anonymous_id;
    buf_printf(out, "= ~%.*s%s is now user %.*s", STR_FORMAT(str_slice(id, 0, ID_SHOWN)),
               id.len > ID_SHOWN ? "…" : "", STR_FORMAT(event.user_id));
    if (name.len) buf_printf(out, " (%.*s)", STR_FORMAT(name));
    buf_printf(out, " · %u earlier event%s kept", visitor->anonymous_events,
               visitor->anonymous_events == 1 ? "" : "s");
    return true;
}
