/* checks_kinds: the other kinds of questions, from the index and the view of who is who, against loops over all
 * messages that count (after checks_identity, which knows whose each is):
 *  13. who they are: as many people as the funnel has;
 *  14. retention: people with a first event, and those with another in the same calendar day, not before it;
 *  15. sign-ups: people, and those who did something before while nobody knew who they were;
 *  16. paths: people with an anchor, and those who did something within a day after it. */
#include "world.h"

enum { PEOPLE_MAX = 8192 };

/* The first such event of each person, as the number of its message; -1: none. */
static int *find_firsts(struct world *world, const struct step *step, Arena *arena)
{
    int *firsts = arena_new(arena, int, PEOPLE_MAX);
    for (size_t at = 0; at < PEOPLE_MAX; at++) firsts[at] = -1;
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *sent = &world->sent[at];
        if (!questions_is_step(world, at, step)) continue;
        int *first = &firsts[sent->person];
        if (*first < 0 || sent->time_ms < world->sent[*first].time_ms) *first = (int)at;
    }
    return firsts;
}

static uint64_t count_people(const int *firsts)
{
    uint64_t count = 0;
    for (size_t at = 0; at < PEOPLE_MAX; at++) count += firsts[at] >= 0;
    return count;
}

void questions_expect(struct world *world, Str question, const char *what, uint64_t told, uint64_t is)
{
    if (told == is) return;
    world_fail(world, "%.*s: %s is told to be %llu, and is %llu", STR_FORMAT(question), what,
               (unsigned long long)told, (unsigned long long)is);
}

/* Of those with a first event, how many have another one that counts, by what is asked of the two. */
typedef bool Follows(const Sent *first, const Sent *other);

static uint64_t count_followed(struct world *world, const int *firsts, const struct step *step, Follows *follows)
{
    uint64_t count = 0;
    for (size_t person = 0; person < PEOPLE_MAX; person++) {
        bool has_one = false;
        if (firsts[person] < 0) continue;
        for (size_t at = 0; at < world->visitors.sent_count && !has_one; at++) {
            const Sent *other = &world->sent[at], *first = &world->sent[firsts[person]];
            if (!other->is_counted || other->person != (int)person || other == first) continue;
            has_one = (!step || questions_is_step(world, at, step)) && follows(first, other);
        }
        count += has_one;
    }
    return count;
}

static bool is_of_the_day(const Sent *first, const Sent *other)
{
    return other->time_ms >= first->time_ms && other->time_ms / DAY_MS == first->time_ms / DAY_MS;
}

static bool is_history(const Sent *first, const Sent *other)
{
    return other->time_ms < first->time_ms && !other->user_id[0];
}

/* Of the same instant, in order of type, then of name; what equals the anchor comes after it. */
static bool is_next(const Sent *first, const Sent *other)
{
    bool is_step = other->type == EVENT_TRACK || other->type == EVENT_PAGE || other->type == EVENT_SCREEN;
    if (!is_step || other->time_ms < first->time_ms || other->time_ms > first->time_ms + DAY_MS) return false;
    if (other->time_ms > first->time_ms) return true;
    return other->type != first->type ? other->type > first->type : strcmp(other->name, first->name) >= 0;
}

static void check_retention(struct world *world, const struct step *birth, const struct step *back, Arena arena)
{
    int *firsts = find_firsts(world, birth, &arena);
    Str question = arena_printf(&arena, "{\"birth\":\"%s\",\"return\":\"%s\",\"unit\":\"day\",\"periods\":1}",
                                birth->label, back->label);
    const TreeNode *total = event_tree_get(questions_ask(world, QUERY_RETENTION, question, &arena), STR("total"));
    questions_expect(world, question, "people", questions_number(total, "people"), count_people(firsts));
    const TreeNode *returned = event_tree_get(total, STR("returned"))->first;
    int64_t came = 0;
    check(!returned || str_parse_int(returned->raw, 0, INT64_MAX, &came));
    questions_expect(world, question, "who came back", (uint64_t)came,
                     count_followed(world, firsts, back, is_of_the_day));
}

static void check_signups(struct world *world, const struct step *step, Arena arena)
{
    int *firsts = find_firsts(world, step, &arena);
    Str question = arena_printf(&arena, "{\"event\":\"%s\"}", step->label);
    const TreeNode *told = questions_ask(world, QUERY_SIGNUPS, question, &arena);
    questions_expect(world, question, "people", questions_number(told, "people"), count_people(firsts));
    questions_expect(world, question, "with a history", questions_number(told, "with_history"),
           count_followed(world, firsts, NULL, is_history));
}

static void check_paths(struct world *world, const struct step *step, Arena arena)
{
    int *firsts = find_firsts(world, step, &arena);
    Str question = arena_printf(&arena, "{\"event\":\"%s\",\"depth\":1,\"limit\":100}", step->label);
    const TreeNode *told = questions_ask(world, QUERY_PATHS, question, &arena);
    const TreeNode *depth = event_tree_get(told, STR("depths"))->first;
    uint64_t next = count_followed(world, firsts, NULL, is_next);
    questions_expect(world, question, "people", questions_number(told, "people"), count_people(firsts));
    questions_expect(world, question, "who went on", depth ? questions_number(depth, "people") : 0, next);
}

static void check_people(struct world *world, const struct step *step, Arena arena)
{
    int *firsts = find_firsts(world, step, &arena);
    Str question = arena_printf(&arena, "{\"steps\":[\"%s\",\"page:Nowhere\"],\"limit\":5,\"events\":false}",
                                step->label);
    const TreeNode *told = questions_ask(world, QUERY_FUNNEL_PEOPLE, question, &arena);
    uint64_t count = count_people(firsts), shown = 0;
    for (const TreeNode *one = event_tree_get(told, STR("people"))->first; one; one = one->next) shown++;
    questions_expect(world, question, "total", questions_number(told, "total"), count);
    questions_expect(world, question, "shown", shown, count < 5 ? count : 5);
}

void checks_kinds(struct world *world, Arena arena)
{
    const struct step *step = questions_draw_step(world), *other = questions_draw_step(world);
    check_people(world, step, arena);
    if (step != other) check_retention(world, step, other, arena);
    check_signups(world, step, arena);
    check_paths(world, step, arena);
}
