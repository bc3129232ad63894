/* plan_learn: makes a plan from the messages that came, for people to read, correct and keep. What is nearly always so
 * becomes a rule:
 *   type      99 % of the values (null does not count) are of one kind
 *   required  there are 200 messages or more, and 99.5 % of them have it; never for traits
 *   enum      there are 200 values or more, all of them are among 20 texts, and no text looks like somebody's address;
 *             never for traits
 * Bounded: 4,000 names, 300 properties each; what is beyond is counted, and the file says so. */
#include "plan.h"

#include <stdlib.h>

enum {
    EVENTS_MOST = 4000, PROPERTIES_MOST = 300, VALUES_MOST = 20, VALUE_BYTES = 64, SOURCES_MOST = 16, NAME_BYTES = 200,
    SURE_LEAST = 200, LEARN_BYTES = 1024 * 1024 * 1024,
};

typedef struct LearnedValue { Str text; } LearnedValue;

typedef struct LearnedProperty {
    struct LearnedProperty *next;
    Str name;
    uint64_t count, nulls, kinds[FIELD_ARRAY + 1], whole;
    LearnedValue values[VALUES_MOST];
    uint32_t value_count;
    bool has_many;                          /* values: too many, too long, or about a person */
} LearnedProperty;

typedef struct LearnedEvent {
    EventType type;
    Str name;
    uint64_t count;
    Str sources[SOURCES_MOST];
    uint32_t source_count, property_count;
    LearnedProperty *first, **tail;
    bool has_many;
} LearnedEvent;

struct tracking_learner {
    struct region region;
    Arena arena;
    struct slots slots;
    LearnedEvent *events;
    uint32_t count;
    uint64_t left_out;
};

struct tracking_learner *tracking_learn_open(void)
{
    struct tracking_learner *learner = calloc(1, sizeof *learner);
    if (!learner) return NULL;
    region_open(&learner->region, LEARN_BYTES);
    learner->arena = region_arena(&learner->region);
    learner->events = arena_new(&learner->arena, LearnedEvent, EVENTS_MOST);
    return learner;
}

void tracking_learn_close(struct tracking_learner *learner)
{
    if (!learner) return;
    slots_done(&learner->slots);
    region_close(&learner->region);
    free(learner);
}

/* ---- Taking ---- */

static LearnedEvent *find_event(struct tracking_learner *learner, EventType type, Str name)
{
    uint64_t hash = hash_64(name, (uint64_t)type);
    for (uint32_t at, probe = 0; (at = slots_next(&learner->slots, hash, &probe)) != SLOTS_NONE;)
        if (learner->events[at].type == type && str_equal(learner->events[at].name, name)) return &learner->events[at];
    if (learner->count == EVENTS_MOST || !slots_reserve(&learner->slots, learner->count + 1)) return NULL;
    slots_put(&learner->slots, hash, learner->count);
    LearnedEvent *event = &learner->events[learner->count++];
    *event = (LearnedEvent){ .type = type, .name = arena_copy(&learner->arena, name) };
    event->tail = &event->first;
    return event;
}

/* Clients send properties in the same order each time, so the one after the last is tried first. */
static LearnedProperty *find_property(struct tracking_learner *learner, LearnedEvent *event, Str name,
                                      LearnedProperty *guess)
{
    if (guess && str_equal(guess->name, name)) return guess;
    for (LearnedProperty *property = event->first; property; property = property->next)
        if (str_equal(property->name, name)) return property;
    if (event->property_count == PROPERTIES_MOST || arena_left(&learner->arena) < sizeof(LearnedProperty) + 4096) {
        event->has_many = true;
        return NULL;
    }
    LearnedProperty *property = arena_new(&learner->arena, LearnedProperty, 1);
    property->name = arena_copy(&learner->arena, name);
    *event->tail = property, event->tail = &property->next, event->property_count++;
    return property;
}

static void note_value(struct tracking_learner *learner, LearnedProperty *property, Str text)
{
    if (property->has_many) return;
    for (uint32_t at = 0; at < property->value_count; at++)
        if (str_equal(property->values[at].text, text)) return;
    property->has_many = property->value_count == VALUES_MOST || text.len > VALUE_BYTES
        || str_contains(text, STR("@")) ||
                         arena_left(&learner->arena) < 4096;
    if (!property->has_many) property->values[property->value_count++].text = arena_copy(&learner->arena, text);
}

static void note_property(struct tracking_learner *learner, LearnedProperty *property, const char *text,
                          const uint32_t *token, Arena *scratch)
{
    FieldKind kind = event_token_kind(text, token);
    if (kind == FIELD_NULL) {
        property->nulls++;
        return;
    }
    property->count++;
    property->kinds[kind]++;
    if (kind == FIELD_STRING) note_value(learner, property, event_token_text(text, token, scratch));
    if (kind != FIELD_NUMBER) return;
    Str number = event_token_scalar(text, token);
    property->whole += !memchr(number.bytes, '.', number.len) && !memchr(number.bytes, 'e', number.len) &&
                       !memchr(number.bytes, 'E', number.len);
}

static void note_source(struct tracking_learner *learner, LearnedEvent *event, Str source)
{
    for (uint32_t at = 0; at < event->source_count; at++)
        if (str_equal(event->sources[at], source)) return;
    if (event->source_count < SOURCES_MOST) event->sources[event->source_count++] = arena_copy(&learner->arena, source);
}

void tracking_learn(struct tracking_learner *learner, const TrackingMessage *given, Arena *scratch)
{
    const Message *message = given->message;
    EventType type = given->type;
    bool has_traits = type == EVENT_IDENTIFY || type == EVENT_GROUP;
    Str name = type == EVENT_TRACK ? message->event.text : has_traits ? (Str){ 0 } : message->name.text;
    const Field *field = has_traits ? &message->traits : &message->properties;
    if (type == EVENT_ALIAS || name.len > NAME_BYTES || (!has_traits && !name.len)) return;
    LearnedEvent *event = find_event(learner, type, name);
    if (!event) {
        learner->left_out++;
        return;
    }
    event->count++;
    note_source(learner, event, given->source);
    if (field->kind != FIELD_OBJECT) return;
    EventCursor cursor = event_cursor(given->parser, field);
    LearnedProperty *guess = event->first;
    for (const uint32_t *at = cursor.token + 1; cursor.text[*at] != '}'; at += cursor.text[*at] == ',') {
        Str key = event_token_text(cursor.text, at, scratch);
        LearnedProperty *property = key.len <= NAME_BYTES ? find_property(learner, event, key, guess) : NULL;
        if (property) note_property(learner, property, cursor.text, at + 2, scratch);
        guess = property ? property->next : guess;
        at = event_token_skip(cursor.text, at + 2);
    }
}

/* ---- Telling ---- */

static bool is_nearly_all(uint64_t count, uint64_t of, unsigned per_mille) { return count * 1000 >= of * per_mille; }

static const char *type_of(const LearnedProperty *property)
{
    static const struct { FieldKind kind; const char *word; } kinds[] = {
        { FIELD_STRING, "text" }, { FIELD_NUMBER, "number" }, { FIELD_BOOL, "boolean" }, { FIELD_OBJECT, "object" },
        { FIELD_ARRAY, "list" },
    };
    for (size_t at = 0; property->count && at < countof(kinds); at++) {
        if (!is_nearly_all(property->kinds[kinds[at].kind], property->count, 990)) continue;
        if (kinds[at].kind == FIELD_NUMBER && property->whole == property->count) return "integer";
        return kinds[at].word;
    }
    return "any";
}

/* The values of traits are private, so they are not listed. */
static bool is_enum(const LearnedEvent *event, const LearnedProperty *property)
{
    if (event->type == EVENT_IDENTIFY || event->type == EVENT_GROUP) return false;
    return property->value_count && !property->has_many && property->count >= SURE_LEAST &&
           property->kinds[FIELD_STRING] == property->count;
}

static void put_property(struct buf *out, const LearnedEvent *event, const LearnedProperty *property,
                         const char *indent)
{
    bool is_sure = event->count >= SURE_LEAST && event->type != EVENT_IDENTIFY && event->type != EVENT_GROUP;
    bool is_required = is_sure && is_nearly_all(property->count + property->nulls, event->count, 995);
    buf_str_put(out, str_from(indent));
    buf_json_string(out, property->name);
    buf_printf(out, ": {type: %s", type_of(property));
    if (is_required) buf_str_put(out, STR(", required: true"));
    if (is_required && property->nulls) buf_str_put(out, STR(", nullable: true"));
    if (is_enum(event, property)) {
        buf_str_put(out, STR(", enum: ["));
        for (uint32_t at = 0; at < property->value_count; at++) {
            if (at) buf_str_put(out, STR(", "));
            buf_json_string(out, property->values[at].text);
        }
        buf_char(out, ']');
    }
    buf_str_put(out, STR("}\n"));
}

static int compare_events(const void *left, const void *right)
{
    const LearnedEvent *a = left, *b = right;
    if (a->type != b->type) return a->type < b->type ? -1 : 1;
    return a->count != b->count ? (a->count > b->count ? -1 : 1) : str_compare(a->name, b->name);
}

static void put_event(struct buf *out, const LearnedEvent *event)
{
    buf_str_put(out, STR("  "));
    buf_json_string(out, event->name);
    buf_printf(out, ":                # %" PRIu64 " came\n", event->count);
    buf_str_put(out, STR("    sources: ["));
    for (uint32_t at = 0; at < event->source_count; at++) {
        if (at) buf_str_put(out, STR(", "));
        buf_json_string(out, event->sources[at]);
    }
    buf_str_put(out, STR("]\n"));
    if (event->first) buf_str_put(out, STR("    properties:\n"));
    for (const LearnedProperty *property = event->first; property; property = property->next)
        put_property(out, event, property, "      ");
    if (event->has_many) buf_printf(out, "      # and more than %d others: are there values in the names?\n",
                                    PROPERTIES_MOST);
}

static void put_section(struct tracking_learner *learner, struct buf *out, EventType type, const char *name)
{
    bool is_begun = false;
    for (uint32_t at = 0; at < learner->count; at++) {
        const LearnedEvent *event = &learner->events[at];
        if (event->type != type) continue;
        if (!is_begun) buf_printf(out, "%s:\n", name);
        is_begun = true;
        if (type != EVENT_IDENTIFY && type != EVENT_GROUP) {
            put_event(out, event);
            continue;
        }
        for (const LearnedProperty *property = event->first; property; property = property->next)
            put_property(out, event, property, "  ");
        if (!event->first) buf_str_put(out, STR("  {}\n"));
    }
}

void tracking_learn_write(struct tracking_learner *learner, struct buf *out)
{
    qsort(learner->events, learner->count, sizeof *learner->events, compare_events);
    buf_str_put(out, STR("# Learnt from what came: read it, take out what should not be, and say which rung "
                         "(docs/plan.md).\n"
                         "enforcement: report\n"));
    put_section(learner, out, EVENT_TRACK, "events");
    put_section(learner, out, EVENT_PAGE, "pages");
    put_section(learner, out, EVENT_SCREEN, "screens");
    put_section(learner, out, EVENT_IDENTIFY, "traits");
    put_section(learner, out, EVENT_GROUP, "groups");
    if (!learner->count) buf_str_put(out, STR("events: {}\n"));
    if (learner->left_out)
        buf_printf(out, "# %" PRIu64 " messages of further names: more than %d names came\n", learner->left_out,
                   EVENTS_MOST);
}
