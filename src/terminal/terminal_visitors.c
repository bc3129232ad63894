/* Visitors by the hash of their anonymousId, which are forgotten when there are very many: a
 * terminal is watched by somebody who has just clicked, not by an accountant. */
#include "terminal_visitors.h"

#include <stdlib.h>

#include "base/base.h"

enum { VISITORS_MAX = 4096, ARENA_BYTES = 16 * 1024 * 1024, ID_SHOWN = 9 };

struct visitor {
    uint64_t hash;
    uint32_t anonymous_events;
    bool is_known;
};

struct visitors {
    struct visitor items[VISITORS_MAX];
    uint32_t count;
    struct slots slots;
    struct event_parser *parser;
    struct region region;
};

struct visitors *visitors_open(void)
{
    struct visitors *visitors = calloc(1, sizeof *visitors);
    if (!visitors) return NULL;
    region_open(&visitors->region, ARENA_BYTES);
    visitors->parser = event_parser_open();
    if (visitors->parser && slots_reserve(&visitors->slots, VISITORS_MAX)) return visitors;
    visitors_close(visitors);
    return NULL;
}

void visitors_close(struct visitors *visitors)
{
    if (!visitors) return;
    event_parser_close(visitors->parser);
    region_close(&visitors->region);
    slots_done(&visitors->slots);
    free(visitors);
}

static struct visitor *find(struct visitors *visitors, Str anonymous_id)
{
    uint64_t hash = hash_64(anonymous_id, 1);
    for (uint32_t at, probe = 0; (at = slots_next(&visitors->slots, hash, &probe)) != SLOTS_NONE;)
        if (visitors->items[at].hash == hash) return &visitors->items[at];
    if (visitors->count == VISITORS_MAX) {
        slots_clear(&visitors->slots);
        visitors->count = 0;
    }
    slots_put(&visitors->slots, hash, visitors->count);
    struct visitor *visitor = &visitors->items[visitors->count++];
    *visitor = (struct visitor){ .hash = hash };
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
