/* checks_questions: numbers that somebody would look at, from the index and the view of who is who, against loops over
 * all messages that count (after checks_identity, which knows whose each is):
 *  11. trends: how many, and of how many people;
 *  12. a funnel, by the definition of docs/funnels.md: chains of different events, never backwards, within a window. */
#include "world.h"

#include <stdlib.h>

/* Two workers, one after the other: how the work is shared must not matter. */
static void run_tasks(void *pool, QueryTask *task, void *context, uint32_t count)
{
    (void)pool;
    for (uint32_t at = 0; at < count; at++) task(context, at, at % 2);
}

DeriveAsker questions_asker(const struct world *world)
{
    return (DeriveAsker){ .pool = { 2, run_tasks, NULL }, .now_ms = world->clock.now_ms,
                         .memory_bytes = (size_t)64 << 20 };
}

const TreeNode *questions_ask(struct world *world, QueryKind kind, Str question, Arena *arena)
{
    DeriveAsker asker = questions_asker(world);
    struct derive_world *asked;
    struct buf answer;
    const TreeNode *tree;
    Err err;
    if (derive_open_world(world->applier, &asker, &asked, &err)) world_fail(world, "the moment: %s", err.text);
    buf_init(&answer, 16 << 20);
    Status s = query_run(kind, question, derive_query_world(asked), &answer, &err);
    if (!s) s = derive_check_world(asked, &err);
    derive_close_world(asked);
    if (s) world_fail(world, "%.*s: %s", STR_FORMAT(question), err.text);
    Str kept = arena_copy(arena, buf_str(&answer));
    buf_done(&answer);
    if (event_tree_read(kept, arena, &tree, &err)) world_fail(world, "an answer that is no JSON: %s", err.text);
    world->questions++;
    return tree;
}

uint64_t questions_number(const TreeNode *object, const char *path)
{
    int64_t value;
    check(str_parse_int(event_tree_text(object, path), 0, INT64_MAX, &value));
    return (uint64_t)value;
}

/* ---- The reference ---- */

enum { STEPS = 3, PEOPLE_MAX = 8192 };
static const struct step steps[] = {
    { EVENT_PAGE, "Landing", "page:Landing" }, { EVENT_TRACK, "Signup Viewed", "Signup Viewed" },
    { EVENT_TRACK, "Account Created", "Account Created" }, { EVENT_TRACK, "Song Played", "Song Played" },
};

bool questions_is_step(struct world *world, size_t sent, const struct step *step)
{
    const Sent *of = &world->sent[sent];
    if (world->canary == CANARY_QUESTION && sent % 16 == 0) return false;         /* the fault to be found */
    if (!of->is_counted || of->type != step->type || strcmp(of->name, step->name) != 0) return false;
    if (of->person < 0 || of->person >= PEOPLE_MAX) world_fail(world, "%s is nobody's", of->message_id);
    return true;
}

const struct step *questions_draw_step(struct world *world)
{
    return &steps[fake_dice_below(&world->dice, countof(steps))];
}

static void check_trends(struct world *world, const struct step *step, Arena arena)
{
    bool *seen = arena_new(&arena, bool, PEOPLE_MAX);
    uint64_t rows = 0, people = 0;
    memset(seen, 0, PEOPLE_MAX);
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        if (!questions_is_step(world, at, step)) continue;
        rows++;
        people += !seen[world->sent[at].person];
        seen[world->sent[at].person] = true;
    }
    Str question = arena_printf(&arena, "{\"series\":[\"%s\",{\"event\":\"%s\",\"measure\":\"people\"}]}", step->label,
                                step->label);
    const TreeNode *series = event_tree_get(questions_ask(world, QUERY_TRENDS, question, &arena), STR("series"))->first;
    if (questions_number(series, "total") != rows || questions_number(series->next, "total") != people)
        world_fail(world, "%llu of %s by %llu people are told; there are %llu by %llu",
                   (unsigned long long)questions_number(series, "total"), step->label,
                   (unsigned long long)questions_number(series->next, "total"), (unsigned long long)rows,
                   (unsigned long long)people);
}

/* The earliest event of the person that can be the step, not before an instant; -1: none. Steps have different names,
 * so their events are different ones. */
static int find_next(struct world *world, const struct step *step, int person, Millis from_ms)
{
    int found = -1;
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *sent = &world->sent[at];
        if (sent->person != person || sent->time_ms < from_ms || !questions_is_step(world, at, step)) continue;
        if (found < 0 || sent->time_ms < world->sent[found].time_ms) found = (int)at;
    }
    return found;
}

static int chain_length(struct world *world, const struct step *const *chain, int entry, Millis window_ms)
{
    Millis start_ms = world->sent[entry].time_ms, at_ms = start_ms;
    int length = 1;
    for (; length < STEPS; length++) {
        int next = find_next(world, chain[length], world->sent[entry].person, at_ms);
        if (next < 0 || world->sent[next].time_ms - start_ms > window_ms) break;
        at_ms = world->sent[next].time_ms;
    }
    return length;
}

static void check_funnel(struct world *world, Arena arena)
{
    size_t first = fake_dice_below(&world->dice, countof(steps));
    const struct step *chain[STEPS];
    int *longest = arena_new(&arena, int, PEOPLE_MAX);
    uint64_t people[STEPS] = { 0 };
    Millis minutes = 1 + (Millis)fake_dice_below(&world->dice, 60);
    memset(longest, 0, PEOPLE_MAX * sizeof *longest);
    for (size_t at = 0; at < STEPS; at++) chain[at] = &steps[(first + at) % countof(steps)];
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        if (!questions_is_step(world, at, chain[0])) continue;
        int length = chain_length(world, chain, (int)at, minutes * 60000), *best = &longest[world->sent[at].person];
        for (; *best < length; ++*best) people[*best]++;
    }
    Str question = arena_printf(&arena, "{\"steps\":[\"%s\",\"%s\",\"%s\"],\"window\":\"%dm\"}", chain[0]->label,
                                chain[1]->label, chain[2]->label, (int)minutes);
    const TreeNode *told = event_tree_get(questions_ask(world, QUERY_FUNNEL, question, &arena), STR("steps"))->first;
    for (size_t at = 0; at < STEPS; at++, told = told->next)
        if (questions_number(told, "people") != people[at])
            world_fail(world, "step %zu of %.*s has %llu people, not %llu", at + 1, STR_FORMAT(question),
                       (unsigned long long)questions_number(told, "people"), (unsigned long long)people[at]);
}

/* Until an erasure has come through the index, numbers about everybody have the erased rows (docs/privacy.md). */
static bool is_being_erased(struct world *world)
{
    ControlErasure erasure;
    uint64_t done;
    return control_list_erasures(derive_control(world->applier), &erasure, 1, &done) > 0;
}

void checks_questions(struct world *world)
{
    if (is_being_erased(world)) return;
    unsigned faults = world->disk.fault_per_million;
    struct region region;
    world->disk.fault_per_million = 0;
    region_open(&region, 64 << 20);
    check_trends(world, questions_draw_step(world), region_arena(&region));
    check_funnel(world, region_arena(&region));
    checks_kinds(world, region_arena(&region));
    region_close(&region);
    world->disk.fault_per_million = faults;
}
