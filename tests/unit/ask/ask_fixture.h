/* ask_fixture: a world with many people and one shared subject, which counts how often it is asked. A rich one has a
 * name, a plan and a long trait of its own for each, and long events after the positions. */
#ifndef ONYM_TESTS_ASK_FIXTURE_H
#define ONYM_TESTS_ASK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "ask/ask.h"

enum {
    PEOPLE = 12000, SHARED_EVENTS = 60000, SHARED = 1, START_MS = 86400000,
    RICH_TRAIT_BYTES = 3000, RICH_EVENT_BYTES = 4000, RICH_TRAITS = 20000,
};
#define RICH_START_MS INT64_C(1767225600000)

struct world {
    char dir[64];
    struct index *index;
    uint32_t slots[QUERY_PAGE_SUBJECTS];
    const uint32_t *pages[1];
    QueryPeople people;
    QueryWorld query;
    atomic_bool is_cancelled;
    uint64_t looks, leaves_after;
    bool is_rich;
};

/* The client leaves while this is answered. */
static void look(struct world *world)
{
    if (world->looks++ == world->leaves_after) atomic_store(&world->is_cancelled, true);
}

static bool find_trait(void *context, uint32_t person, Str name, Arena *arena, IndexValue *ret)
{
    struct world *world = context;
    (void)name;
    look(world);
    *ret = (IndexValue){ .kind = INDEX_STRING, .text = STR("pro") };
    if (!world->is_rich) return true;
    char *text = arena_try(arena, 1, 1, RICH_TRAIT_BYTES);
    if (!text) return false;
    memset(text, 'x', RICH_TRAIT_BYTES);
    memcpy(text, &person, sizeof person);
    ret->text = (Str){ text, RICH_TRAIT_BYTES };
    return true;
}

static bool find_group_trait(void *context, Str group_id, Str name, Arena *arena, IndexValue *ret)
{
    return find_trait(context, (uint32_t)hash_64(group_id, 0), name, arena, ret);
}

static uint32_t find_person(void *context, Subject subject, Millis time_ms, JournalPos pos)
{
    (void)time_ms, (void)pos;
    look(context);
    return subject;
}

static void write_person(void *context, uint32_t person, struct buf *buf)
{
    (void)person;
    look(context);
    buf_str_put(buf, STR("{}"));
}

static Status read_event(void *context, JournalPos pos, Arena *arena, Str *ret_json, Err *err)
{
    struct world *world = context;
    (void)pos;
    look(world);
    *ret_json = STR("{}");
    if (!world->is_rich) return OK;
    char *text = arena_try(arena, 1, 1, RICH_EVENT_BYTES);
    if (!text) return err_set(err, ERR_TOO_LARGE, "an event does not fit");
    memset(text, ' ', RICH_EVENT_BYTES);
    text[0] = '{', text[RICH_EVENT_BYTES - 1] = '}';
    *ret_json = (Str){ text, RICH_EVENT_BYTES };
    return OK;
}

static Status list_traits(void *context, Arena *arena, QueryTrait **ret, size_t *ret_count, Err *err)
{
    struct world *world = context;
    look(world);
    *ret_count = 0;
    if (!world->is_rich) return OK;
    QueryTrait *traits = arena_try(arena, sizeof *traits, _Alignof(QueryTrait), RICH_TRAITS);
    char *names = traits ? arena_try(arena, 1, 1, RICH_TRAITS * 16) : NULL;
    if (!names) return err_set(err, ERR_TOO_LARGE, "too many traits for the memory of a question");
    for (size_t at = 0; at < RICH_TRAITS; at++) {
        int len = snprintf(names + at * 16, 16, "trait%zu", at);
        traits[at] = (QueryTrait){ { names + at * 16, (size_t)len }, 1 };
    }
    *ret = traits, *ret_count = RICH_TRAITS;
    return OK;
}

static void mark_owners(void *context, Subject subject, uint64_t *bits)
{
    (void)context;
    bits[subject / 64] |= UINT64_C(1) << subject % 64;
}

static void append(struct world *world, Subject subject, const char *name, JournalPos pos)
{
    char json[600] = "{\"properties\":{\"plan\":\"pro\",\"n\":1}}", own[32], account[32];
    Event event = { .type = EVENT_TRACK, .name = str_from(name), .source = STR("web"),
                    .timestamp_ms = START_MS + (Millis)pos };
    if (world->is_rich) {
        event.timestamp_ms = RICH_START_MS + (Millis)pos * 60000;        /* in 2026: weeks of them */
        snprintf(json, sizeof json, "{\"properties\":{\"plan\":\"%0400llu\",\"n\":%llu.5,\"tags\":[\"a%llu\",\"b\"]}}",
                 (unsigned long long)pos, (unsigned long long)pos, (unsigned long long)pos);
        snprintf(own, sizeof own, "E%llu", (unsigned long long)pos);
        if (pos % 3 == 2) event.name = str_from(own);
        snprintf(account, sizeof account, "account-%u", subject);
        event.group_id = str_from(account);
    }
    event.json = str_from(json);
    assert_int_equal(index_append(world->index, subject, &event, pos, pos + 1, NULL), OK);
}

static void open_world(struct world *world, bool is_rich)
{
    JournalPos pos = 4096;
    memset(world, 0, sizeof *world);
    world->is_rich = is_rich;
    snprintf(world->dir, sizeof world->dir, "/tmp/onym-ask-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    IndexOptions options = { .dir = world->dir, .disk = os_disk(), .chunk_rows = 1 << 17 };     /* one run */
    assert_int_equal(index_open(&options, &world->index, NULL), OK);
    for (uint32_t at = 0; at < PEOPLE; at++) {
        world->slots[at] = at == SHARED ? QUERY_SHARED | at : at;
        append(world, at, "A", pos++);
        append(world, at, "B", pos++);
    }
    for (uint32_t at = 0; at < SHARED_EVENTS; at++) append(world, SHARED, at % 2 ? "A" : "B", pos++);
    world->pages[0] = world->slots;
    world->people = (QueryPeople){ .subject_count = PEOPLE, .pages = world->pages, .find_person = find_person,
                                   .mark_owners = mark_owners, .context = world };
    world->query = (QueryWorld){ .index = world->index, .people = &world->people, .find_trait = find_trait,
                                 .find_group_trait = find_group_trait,
                                 .list_traits = list_traits, .write_person = write_person, .read_event = read_event,
                                 .context = world, .is_cancelled = &world->is_cancelled, .disk = os_disk(),
                                 .memory_bytes = (size_t)64 << 20 };
}

static void close_world(struct world *world)
{
    struct region region;
    DiskEntry *entries;
    size_t count;
    index_close(world->index);
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    assert_int_equal(os_disk()->list(os_disk(), world->dir, &arena, &entries, &count, NULL), OK);
    for (size_t at = 0; at < count; at++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%.*s", world->dir, STR_FORMAT(entries[at].name));
        unlink(path);
    }
    rmdir(world->dir);
    region_close(&region);
}

#endif
