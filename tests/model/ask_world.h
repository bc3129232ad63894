/* ask_world: random little worlds to put questions to, and what a reference needs to answer them by itself:
 * the plain list of events, each with its person. Included by the model tests of ask/. */
#ifndef ONYM_TESTS_ASK_WORLD_H
#define ONYM_TESTS_ASK_WORLD_H

#include "ask/ask.h"
#include "tests/fakes/fakes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORLD_EVENTS_MAX = 160, WORLD_SUBJECTS_MAX = 24, WORLD_SPANS_MAX = 3 };

#define WORLD_START_MS INT64_C(1767225600000)           /* 2026-01-01T00:00:00Z */
#define WORLD_PLAUSIBLE_MS INT64_C(946684800000)        /* 2000-01-01T00:00:00Z: what is before has a wrong clock */

struct world_event {
    Subject subject;
    Millis time_ms;
    JournalPos pos;
    EventType type;
    const char *name, *plan, *path, *city, *referrer, *campaign;           /* NULL: absent */
    bool has_price, has_flag, flag;
    double price;
    uint32_t person;                                    /* worked out by the reference */
    char json[480];
};

/* Whose a subject is: one person, or by time. */
struct world_subject {
    uint32_t span_count;
    struct { Millis from_ms; uint32_t person; } spans[WORLD_SPANS_MAX];
};

struct world {
    struct fake_dice dice;
    char dir[64];
    struct index *index;
    struct world_event events[WORLD_EVENTS_MAX];
    uint32_t event_count, subject_count;
    Millis span_ms, now_ms;                             /* now: 0 where nobody knows */
    struct world_subject subjects[WORLD_SUBJECTS_MAX];
    uint32_t slots[WORLD_SUBJECTS_MAX];
    const uint32_t *pages[1];
    QueryPeople people;
    QueryWorld query;
    QueryPool pool;
    unsigned asked;                                     /* questions so far: each back end is asked in its turn */
};

static const char *const world_names[] = { "A", "B", "C", "D" };
static const char *const world_plans[] = { "free", "pro", "team", "Pro" };
static const char *const world_referrers[] = { "https://a.example/x?y", "http://a.example",
                                               "https://u@b.example:8080/z" };
static const char *const world_hosts[] = { "a.example", "a.example", "b.example" };
static const char *const world_campaigns[] = { "google", "news" };
static const char *const world_paths[] = { "/", "/signup", "A" };

static uint32_t world_person_at(const struct world *world, Subject subject, Millis time_ms)
{
    if (subject == SUBJECT_NONE) return QUERY_NOBODY;
    if (subject >= world->subject_count) return subject;
    const struct world_subject *about = &world->subjects[subject];
    uint32_t person = about->spans[0].person;
    for (uint32_t at = 1; at < about->span_count; at++)
        if (about->spans[at].from_ms <= time_ms) person = about->spans[at].person;
    return person;
}

static uint32_t world_find_person(void *context, Subject subject, Millis time_ms, JournalPos pos)
{
    const struct world *world = context;
    bool is_there = false;
    for (uint32_t at = 0; at < world->event_count; at++)
        is_there |= world->events[at].pos == pos && world->events[at].subject == subject
            && world->events[at].time_ms == time_ms;
    check(is_there);                                    /* the position that is told is the event's */
    return world_person_at(world, subject, time_ms);
}

static inline void world_mark_owners(void *context, Subject subject, uint64_t *bits)
{
    const struct world *world = context;
    for (uint32_t at = 0; at < world->subjects[subject].span_count; at++) {
        uint32_t person = world->subjects[subject].spans[at].person;
        bits[person / 64] |= UINT64_C(1) << person % 64;
    }
}

/* Every third subject is a user id. */
static inline bool world_is_user(const struct world *world, Subject subject)
{
    return subject < world->subject_count && subject % 3 == 0;
}

static inline void world_mark_users(void *context, uint64_t *bits)
{
    const struct world *world = context;
    for (Subject subject = 0; subject < world->subject_count; subject++)
        bits[subject / 64] |= (uint64_t)world_is_user(world, subject) << subject % 64;
}

/* Persons have a plan, by their number; every fourth has none. */
static inline bool world_find_trait(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret)
{
    (void)context, (void)arena;
    if (!str_equal(name, STR("plan")) || person % 4 == 3) return false;
    *ret = (IndexValue){ .kind = INDEX_STRING, .text = str_from(world_plans[person % 4]) };
    return true;
}

/* Two workers' worth of tasks in a shuffled order, on one thread: the order must not matter. */
static inline void world_pool_run(void *pool, QueryTask *task, void *context, uint32_t count)
{
    struct world *world = pool;
    uint32_t first = count ? (uint32_t)fake_dice_below(&world->dice, count) : 0;
    for (uint32_t at = 0; at < count; at++)
        task(context, (first + at) % count, at % world->pool.worker_count);
}

/* Clusters of subjects, a person's number being one of its subjects'; some subjects change hands. */
static inline void world_make_people(struct world *world)
{
    struct fake_dice *dice = &world->dice;
    world->subject_count = 1 + (uint32_t)fake_dice_below(dice, WORLD_SUBJECTS_MAX);
    for (Subject subject = 0; subject < world->subject_count; subject++) {
        uint32_t person = fake_dice_chance(dice, 500) ? subject
            : (uint32_t)fake_dice_below(dice, world->subject_count);
        while (person != subject && world->slots[person] != person && person < subject)
            person = world->slots[person] & ~QUERY_SHARED;
        if (person > subject) person = subject;
        world->slots[subject] = person;
        world->subjects[subject]
            = (struct world_subject){ .span_count = 1, .spans = { { INT64_MIN, person } } };
    }
    for (Subject subject = 0; subject < world->subject_count; subject++) {
        struct world_subject *about = &world->subjects[subject];
        if (!fake_dice_chance(dice, 100)) continue;
        Millis from_ms = WORLD_START_MS;
        while (about->span_count < WORLD_SPANS_MAX) {
            uint32_t owner = (uint32_t)fake_dice_below(dice, world->subject_count);
            from_ms += (Millis)fake_dice_below(dice, 20);
            about->spans[about->span_count].from_ms = from_ms;
            about->spans[about->span_count++].person = world->subjects[owner].spans[0].person;
        }
        world->slots[subject] = QUERY_SHARED | subject;
    }
    world->pages[0] = world->slots;
    world->people
        = (QueryPeople){ .subject_count = world->subject_count, .pages = world->pages, .context = world,
                                   .find_person = world_find_person, .mark_owners = world_mark_owners,
                                   .mark_users = world_mark_users };
}

static inline void world_make_event(struct world *world, struct world_event *event, Millis span_ms)
{
    struct fake_dice *dice = &world->dice;
    struct buf json;
    *event = (struct world_event){
        .subject = fake_dice_chance(dice, 15) ? SUBJECT_NONE
                 : (Subject)fake_dice_below(dice,
                                            world->subject_count + (fake_dice_chance(dice, 100) ? 3 : 0)),
        .time_ms = WORLD_START_MS + (Millis)fake_dice_below(dice, (uint64_t)span_ms),
        .pos = world->event_count * 100 + 4096,
        .type = fake_dice_chance(dice, 800) ? EVENT_TRACK : fake_dice_chance(dice, 600) ? EVENT_PAGE
            : EVENT_IDENTIFY,
        .plan = fake_dice_chance(dice, 700) ? world_plans[fake_dice_below(dice, countof(world_plans))] : NULL,
        .path = fake_dice_chance(dice, 500) ? world_paths[fake_dice_below(dice, countof(world_paths))] : NULL,
        .city = fake_dice_chance(dice, 300) ? "Oslo" : NULL,
        .referrer = fake_dice_chance(dice, 200) ? world_referrers[fake_dice_below(dice, 3)] : NULL,
        .campaign = fake_dice_chance(dice, 200) ? world_campaigns[fake_dice_below(dice, 2)] : NULL,
        .has_price = fake_dice_chance(dice, 400), .price = (double)fake_dice_below(dice, 9) / 2,
        .has_flag = fake_dice_chance(dice, 300), .flag = fake_dice_chance(dice, 500),
    };
    event->name = event->type == EVENT_IDENTIFY || (event->type == EVENT_PAGE && fake_dice_chance(dice, 250)) ? ""
        : world_names[fake_dice_below(dice, countof(world_names))];
    if (fake_dice_chance(dice, 6))
        event->time_ms = fake_dice_chance(dice, 500) || !world->now_ms ? (Millis)fake_dice_below(dice, 86400000 * 2)
            : INT64_C(3786912000000) + (Millis)fake_dice_below(dice, 86400000);               /* 1970, 2090 */
    event->person = world_person_at(world, event->subject, event->time_ms);
    buf_init_fixed(&json, event->json, sizeof event->json);
    buf_str_put(&json, STR("{\"properties\":{\"x\":null"));
    if (event->plan) buf_printf(&json, ",\"plan\":\"%s\"", event->plan);
    if (event->has_price) buf_printf(&json, ",\"price\":%.17g", event->price);
    if (event->has_flag) buf_printf(&json, ",\"flag\":%s", event->flag ? "true" : "false");
    buf_str_put(&json, STR("},\"context\":{\"page\":{"));
    if (event->path) buf_printf(&json, "\"path\":\"%s\"", event->path);
    if (event->referrer) buf_printf(&json, "%s\"referrer\":\"%s\"", event->path ? "," : "", event->referrer);
    buf_str_put(&json, STR("}"));
    if (event->campaign) buf_printf(&json, ",\"campaign\":{\"source\":\"%s\"}", event->campaign);
    if (event->city) buf_printf(&json, ",\"city\":\"%s\"", event->city);
    buf_str_put(&json, STR("}}"));
    buf_char(&json, 0);
    check(buf_ok(&json));
}

static inline void world_append(struct world *world, const struct world_event *event)
{
    Event made
        = { .type = event->type, .name = str_from(event->name), .source = STR("web"), .timestamp_ms
            = event->time_ms,
                   .json = str_from(event->json) };
    check(index_append(world->index, event->subject, &made, event->pos, event->pos + 100, NULL) == OK);
}

/* A world of its own directory; span_ms: within what time it all happens. */
static inline void world_open(struct world *world, uint64_t seed, Millis span_ms)
{
    memset(world, 0, sizeof *world);
    fake_dice_init(&world->dice, seed);
    snprintf(world->dir, sizeof world->dir, "/tmp/onym-world-XXXXXX");
    check(mkdtemp(world->dir) != NULL);
    world->span_ms = span_ms;
    world->now_ms = fake_dice_chance(&world->dice, 700) ? WORLD_START_MS + span_ms : 0;
    /* a file costs a sync: not in every world */
    bool has_files = fake_dice_chance(&world->dice, 10);
    IndexOptions options
        = { .dir = world->dir, .disk = os_disk(), .chunk_rows
            = 3 + (uint32_t)fake_dice_below(&world->dice, 40),
                             .seal_rows = 30, .merge_fan = 2 };
    check(index_open(&options, &world->index, NULL) == OK);
    world_make_people(world);
    uint32_t count = (uint32_t)fake_dice_below(&world->dice, WORLD_EVENTS_MAX);
    for (; world->event_count < count; world->event_count++) {
        bool more;
        world_make_event(world, &world->events[world->event_count], span_ms);
        world_append(world, &world->events[world->event_count]);
        if (has_files && fake_dice_chance(&world->dice, 100))
            check(index_maintain(world->index, &more, NULL) == OK);
    }
    world->pool = (QueryPool){ 1 + (uint32_t)fake_dice_below(&world->dice, 3), world_pool_run, world };
    world->query
        = (QueryWorld){ .index = world->index, .people = &world->people, .find_trait = world_find_trait,
                                 .context = world, .pool = fake_dice_chance(&world->dice, 800) ? &world->pool
                                     : NULL,
                                 .disk = os_disk(), .memory_bytes = (size_t)64 << 20,
                                 .now_ms = world->now_ms };
}

static inline void world_close(struct world *world)
{
    struct region region;
    DiskEntry *entries;
    size_t count;
    index_close(world->index);
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    check(os_disk()->list(os_disk(), world->dir, &arena, &entries, &count, NULL) == OK);
    for (size_t at = 0; at < count; at++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%.*s", world->dir, STR_FORMAT(entries[at].name));
        unlink(path);
    }
    rmdir(world->dir);
    region_close(&region);
}

/* The times that an answer is about where the question does not say. */
static inline Millis world_first_ms(Millis from_ms) { return from_ms == INT64_MIN ? WORLD_PLAUSIBLE_MS : from_ms; }
static inline Millis world_end_ms(const struct world *world, Millis to_ms)
{
    return to_ms == INT64_MAX && world->now_ms ? world->now_ms + 86400000 : to_ms;
}

#include "ask_naive.h"

/* ---- Answers ---- */

/* Asks, and parses the answer; fails the test with the question where there is none. */
static inline const TreeNode *world_ask(struct world *world, QueryKind kind, Str question, Arena *arena)
{
    struct buf answer;
    const TreeNode *json;
    Err err = { 0 };
    buf_init(&answer, 16 << 20);
    world->query.backend = world->asked++ % 2 ? &naive_backend : NULL;
    if (query_run(kind, question, &world->query, &answer, &err))
        fail_msg("%s (%s)\n%.*s", err.text, err.field, STR_FORMAT(question));
    Str kept = arena_copy(arena, buf_str(&answer));
    if (event_tree_read(kept, arena, &json, &err)) fail_msg("%s\n%.*s", err.text, STR_FORMAT(kept));
    buf_done(&answer);
    return json;
}

static inline double number_of(const TreeNode *json)
{
    double number = 0;
    assert_true(event_tree_number(json, &number));
    return number;
}

static inline double world_number(const TreeNode *object, const char *member)
{
    return number_of(event_tree_get(object, str_from(member)));
}

static inline const TreeNode *world_list(const TreeNode *object, const char *member)
{
    const TreeNode *json = event_tree_get(object, str_from(member));
    assert_non_null(json);
    assert_int_equal(json->kind, FIELD_ARRAY);
    return json->first;
}

/* ---- Filters, by the reference ---- */

/* A field's value as text that compares: "sfree", "n1.5", "btrue"; empty where absent. */
static inline Str world_field(const struct world_event *event, const char *field, char text[40])
{
    *text = 0;
    if (strcmp(field, "properties.plan") == 0 && event->plan) snprintf(text, 40, "s%s", event->plan);
    if (strcmp(field, "properties.price") == 0 && event->has_price)
        snprintf(text, 40, "n%.17g", event->price);
    if (strcmp(field, "properties.flag") == 0 && event->has_flag)
        snprintf(text, 40, "b%s", event->flag ? "true" : "false");
    if (strcmp(field, "context.city") == 0 && event->city) snprintf(text, 40, "s%s", event->city);
    return str_from(text);
}

/* What an event is called. */
static inline Str world_label(const struct world_event *event, char text[40])
{
    if (event->type == EVENT_PAGE)
        snprintf(text, 40, "page:%s", *event->name ? event->name : event->path ? event->path : "");
    else snprintf(text, 40, "%s", *event->name ? event->name : "identify");
    return str_from(text);
}

/* The group of an event: as text that sorts as values do. With traits, the person's; "event": what it is. */
static inline Str world_group(const char *by, const struct world_event *event, uint32_t person, char text[40])
{
    char label[40];
    if (strcmp(by, "event") == 0) {
        world_label(event, label);
        snprintf(text, 40, "s%.38s", label);
        return str_from(text);
    }
    if (strcmp(by, "traits.plan") != 0) return world_field(event, by, text);
    bool has_trait = person != QUERY_NOBODY && person % 4 != 3;
    snprintf(text, 40, "%s%s", has_trait ? "s" : "", has_trait ? world_plans[person % 4] : "");
    return str_from(text);
}

/* Nothing, booleans, numbers, strings. */
static inline int world_compare_groups(Str a, Str b)
{
    static const char order[] = "bns";
    int left = a.len ? 1 + (int)(strchr(order, a.bytes[0]) - order) : 0;
    int right = b.len ? 1 + (int)(strchr(order, b.bytes[0]) - order) : 0;
    if (left != right) return left - right;
    if (left == 2) return strtod(a.bytes + 1, NULL) < strtod(b.bytes + 1, NULL) ? -1 : !str_equal(a, b);
    return str_compare(a, b);
}

/* Labels of events come by type, then by name. */
static inline int world_compare_labels(Str a, Str b)
{
    EventType types[2];
    Str labels[2] = { a, b };
    for (int at = 0; at < 2; at++) {
        types[at] = str_equal(labels[at], STR("identify")) ? EVENT_IDENTIFY
            : str_starts(labels[at], STR("page:")) ? EVENT_PAGE : EVENT_TRACK;
    }
    return types[0] != types[1] ? (int)types[0] - (int)types[1] : str_compare(a, b);
}

/* A label that is written exactly, as it is written where no other page is meant by it: "page=/" and "page:/". */
static inline bool world_label_is(Str told, Str label)
{
    if (!str_starts(told, STR("page=")) || !str_starts(label, STR("page:"))) return str_equal(told, label);
    return str_equal(str_slice(told, 5, told.len), str_slice(label, 5, label.len));
}

static inline bool world_value_is(const TreeNode *value, const char *group)
{
    switch (value->kind) {
    case FIELD_NULL: return *group == 0;
    case FIELD_BOOL: return strcmp(group, value->truth ? "btrue" : "bfalse") == 0;
    case FIELD_NUMBER: return *group == 'n' && strtod(group + 1, NULL) == number_of(value);
    case FIELD_STRING: return *group == 's' && world_label_is(value->text, str_from(group + 1));
    case FIELD_ARRAY:
    case FIELD_OBJECT: break;
    }
    return false;
}

/* A random filter: as JSON, and as a function of an event. */
struct world_filter {
    int kind;
    const char *plan;
    double price;
};

static inline const char *world_filter_make(struct world *world, struct world_filter *filter, char *json,
                                     size_t bytes)
{
    static const char *const shapes[] = {
        "{\"field\":\"properties.plan\",\"op\":\"=\",\"value\":\"%s\"}",
        "{\"field\":\"properties.plan\",\"op\":\"!=\",\"value\":\"%s\"}",
        "{\"field\":\"properties.plan\",\"op\":\"in\",\"value\":[\"%s\",\"team\",7]}",
        "{\"field\":\"properties.plan\",\"op\":\"contains\",\"value\":\"ro\"}",
        "{\"field\":\"properties.plan\",\"op\":\"exists\"}",
        "{\"field\":\"context.city\",\"op\":\"not exists\"}",
        "{\"field\":\"properties.flag\",\"op\":\"=\",\"value\":true}",
        "{\"field\":\"properties.nowhere\",\"op\":\"!=\",\"value\":1}",
        "{\"field\":\"properties.price\",\"op\":\"<\",\"value\":%.17g}",
        "{\"field\":\"properties.price\",\"op\":\">=\",\"value\":%.17g}",
        "{\"field\":\"properties.price\",\"op\":\">\",\"value\":%.17g}",
        "{\"field\":\"properties.plan\",\"op\":\">\",\"value\":\"%s\"}",
        "{\"field\":\"traits.plan\",\"op\":\"=\",\"value\":\"%s\"}",
        "{\"field\":\"traits.plan\",\"op\":\"not exists\"}",
    };
    *filter = (struct world_filter){ .kind = (int)fake_dice_below(&world->dice, countof(shapes)),
                                     .plan = world_plans[fake_dice_below(&world->dice, countof(world_plans))],
                                     .price = (double)fake_dice_below(&world->dice, 9) / 2 };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (filter->kind >= 8 && filter->kind <= 10) snprintf(json, bytes, shapes[filter->kind], filter->price);
    else snprintf(json, bytes, shapes[filter->kind], filter->plan);
#pragma GCC diagnostic pop
    return json;
}

static inline bool world_filter_holds(const struct world_filter *filter, const struct world_event *event,
                               uint32_t person)
{
    const char *plan = event->plan;
    bool has_trait = person != QUERY_NOBODY && person % 4 != 3;
    switch (filter->kind) {
    case 0: return plan && strcmp(plan, filter->plan) == 0;
    case 1: return !(plan && strcmp(plan, filter->plan) == 0);
    case 2: return plan && (strcmp(plan, filter->plan) == 0 || strcmp(plan, "team") == 0);
    case 3: return plan && strstr(plan, "ro");
    case 4: return plan != NULL;
    case 5: return event->city == NULL;
    case 6: return event->has_flag && event->flag;
    case 7: return true;
    case 8: return event->has_price && event->price < filter->price;
    case 9: return event->has_price && event->price >= filter->price;
    case 10: return event->has_price && event->price > filter->price;
    case 11: return plan && strcmp(plan, filter->plan) > 0;
    case 12: return has_trait && strcmp(world_plans[person % 4], filter->plan) == 0;
    default: return !has_trait;
    }
}

/* A random event to look for: as JSON, and as a function. */
struct world_selector {
    int kind;
    const char *name;
    struct world_filter filters[2];
    uint32_t filter_count;
    char label[16], json[400];
};

static inline void world_selector_make(struct world *world, struct world_selector *selector)
{
    struct fake_dice *dice = &world->dice;
    char filter[160];
    struct buf json;
    *selector = (struct world_selector){ .kind = fake_dice_chance(dice, 700) ? 0 : 1 + (int)fake_dice_below(dice, 3),
                                         .name = world_names[fake_dice_below(dice, countof(world_names))] };
    static const char *const labels[] = { "%s", "page:%s", "*", "page:/signup" };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(selector->label, sizeof selector->label, labels[selector->kind], selector->name);
#pragma GCC diagnostic pop
    buf_init_fixed(&json, selector->json, sizeof selector->json);
    buf_printf(&json, "{\"event\":\"%s\"", selector->label);
    if (fake_dice_chance(dice, 300)) {
        buf_str_put(&json, STR(",\"where\":["));
        selector->filter_count = 1 + fake_dice_chance(dice, 300);
        for (uint32_t at = 0; at < selector->filter_count; at++)
            buf_printf(&json, "%s%s", at ? "," : "",
                       world_filter_make(world, &selector->filters[at], filter, sizeof filter));
        buf_char(&json, ']');
    }
    buf_char(&json, '}');
    buf_char(&json, 0);
    check(buf_ok(&json));
}

static inline bool world_selector_holds(const struct world_selector *selector, const struct world_event *event,
                                 uint32_t person)
{
    for (uint32_t at = 0; at < selector->filter_count; at++)
        if (!world_filter_holds(&selector->filters[at], event, person)) return false;
    const char *name = selector->kind == 3 ? "/signup" : selector->name;
    if (selector->kind == 2) return true;
    if (selector->kind == 0) return event->type == EVENT_TRACK && strcmp(event->name, name) == 0;
    return event->type == EVENT_PAGE
        && (strcmp(event->name, name) == 0 || (event->path && strcmp(event->path, name) == 0));
}

#endif
