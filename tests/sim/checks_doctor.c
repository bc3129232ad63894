/* checks_doctor: what the doctor finds.
 *  17. the findings are the same of what is derived anew;
 *  18. those that a loop over all messages can count have just those cases, of just so many, and just those people.
 *
 * Of a source that is younger than two days the doctor tells errors alone: so it is asked once as it would be now, and
 * once as it will be in three days. */
#include "world.h"

enum { LATER_DAYS = 3 };

Str checks_examine(struct world *world, struct doctor *doctor, struct applier *applier, Millis later_ms, Arena *arena)
{
    DoctorSource sources[SOURCES];
    DeriveStats stats;
    DeriveAsker asker = questions_asker(world);
    struct derive_world *asked;
    struct buf answer;
    Err err;
    for (int at = 0; at < SOURCES; at++)
        sources[at] = (DoctorSource){ str_from(visitors_sources[at]), at == SOURCE_BACKEND };
    derive_read_stats(applier, &stats);
    asker.now_ms += later_ms;
    if (derive_open_world(applier, &asker, &asked, &err)) world_fail(world, "the moment: %s", err.text);
    DoctorQuestion question = { .applier = applier, .journal = world->journal, .world = derive_query_world(asked),
                                .end = stats.applied, .sources = sources, .source_count = SOURCES,
                                .since_ms = 7 * DAY_MS, .tells_people = true };
    buf_init(&answer, 16 << 20);
    Status s = doctor_examine(doctor, &question, &answer, &err);
    derive_close_world(asked);
    if (s) world_fail(world, "the doctor: %s", err.text);
    Str kept = arena_copy(arena, buf_str(&answer));
    buf_done(&answer);
    world->questions++;
    return kept;
}

/* By a doctor who knows nothing of before. */
static Str examine(struct world *world, struct applier *applier, Millis later_ms, Arena *arena)
{
    static const char *const path = "/data/findings-of-a-check";
    struct doctor *doctor;
    char damage[ERR_TEXT_BYTES];
    Err err;
    IGNORE(world->disk.disk.remove(&world->disk.disk, path, NULL));
    if (doctor_open(&world->disk.disk, path, &doctor, damage, &err)) world_fail(world, "the doctor: %s", err.text);
    Str kept = checks_examine(world, doctor, applier, later_ms, arena);
    doctor_close(doctor);
    return kept;
}

static void compare(struct world *world, const char *what, Str live, Str again)
{
    size_t same = 0;
    if (str_equal(live, again)) return;
    while (same < live.len && same < again.len && live.bytes[same] == again.bytes[same]) same++;
    same = same > 60 ? same - 60 : 0;
    world_fail(world, "%s: another after a rebuild:\n...%.*s\n...%.*s", what,
               STR_FORMAT(str_slice(live, same, same + 400)), STR_FORMAT(str_slice(again, same, same + 400)));
}

/* ---- The model ---- */

/* A finding as it has to be: of each source so many cases of so many, and so many people. */
struct expected {
    const char *code;
    uint64_t per_million;                   /* the share from which it is told */
    uint64_t count[SOURCES], of[SOURCES], people[SOURCES];
    bool has_people;
};

static bool is_before(const Sent *a, const Sent *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->pos < b->pos;
}

static bool is_signup(const Sent *sent)
{
    return sent->is_counted && sent->type == EVENT_TRACK && sent->user_id[0] && !strcmp(sent->name, "Account Created");
}

/* ID-3: another sign-up of the user, long enough after the person's first. */
static void count_twice(struct world *world, struct expected *expected)
{
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *first = &world->sent[at];
        bool is_first = is_signup(first), has_again = false;
        for (size_t other = 0; other < world->visitors.sent_count && is_first; other++) {
            const Sent *one = &world->sent[other];
            if (other == at || !is_signup(one) || one->person != first->person) continue;
            is_first = !is_before(one, first);
            Millis apart_ms = one->source == first->source ? 1000 : 60000;
            has_again |= !strcmp(one->user_id, first->user_id) && one->time_ms - first->time_ms > apart_ms;
        }
        expected->of[first->source] += is_first;
        expected->count[first->source] += is_first && has_again;
        expected->people[first->source] += is_first && has_again;
    }
}

static bool is_user(struct world *world, const char *value)
{
    for (size_t at = 0; at < world->visitors.sent_count; at++)
        if (world->sent[at].is_counted && !strcmp(world->sent[at].user_id, value)) return true;
    return false;
}

static bool has_signed_up(struct world *world, const char *user)
{
    for (size_t at = 0; at < world->visitors.sent_count; at++)
        if (is_signup(&world->sent[at]) && !strcmp(world->sent[at].user_id, user)) return true;
    return false;
}

/* The person had a message with a user id before the alias. */
static bool came_after_user(struct world *world, const Sent *alias)
{
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *sent = &world->sent[at];
        if (sent->is_counted && sent->user_id[0] && sent->person == alias->person && sent->time_ms < alias->time_ms)
            return true;
    }
    return false;
}

static bool is_alias(const Sent *sent)
{
    return sent->is_counted && sent->type == EVENT_ALIAS && strcmp(sent->user_id, sent->previous_id) != 0;
}

/* ID-10 and ID-11: each pair counts at its first alias. An alias of a user to a user is none of the first kind. */
static void count_aliases(struct world *world, bool is_of_users, struct expected *expected)
{
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        const Sent *alias = &world->sent[at];
        bool is_first = is_alias(alias) && is_user(world, alias->previous_id) == is_of_users;
        for (size_t other = 0; other < world->visitors.sent_count && is_first; other++) {
            const Sent *one = &world->sent[other];
            if (other == at || !is_alias(one) || strcmp(one->user_id, alias->user_id) ||
                strcmp(one->previous_id, alias->previous_id)) continue;
            is_first = !is_before(one, alias);
        }
        if (!is_first || (world->canary == CANARY_FINDING && at % 2)) continue;          /* the fault to be found */
        bool is_case = is_of_users ? has_signed_up(world, alias->user_id) && has_signed_up(world, alias->previous_id)
                                   : came_after_user(world, alias);
        expected->of[alias->source]++;
        expected->count[alias->source] += is_case;
    }
}

/* TW-4: records of a message after its first. */
static void count_repeats(struct world *world, struct expected *expected)
{
    for (size_t at = 0; at < world->history.count; at++) {
        const Entry *entry = &world->history.entries[at];
        if (entry->sent == HISTORY_COMMAND) continue;
        const Sent *sent = &world->sent[entry->sent];
        expected->of[sent->source]++;
        expected->count[sent->source] += sent->pos != entry->pos;
    }
}

/* ---- What is told ---- */

static const TreeNode *find_told(const TreeNode *tree, const char *list, const char *code, int source)
{
    for (const TreeNode *one = event_tree_get(tree, str_from(list))->first; one; one = one->next)
        if (str_equal(event_tree_text(one, "code"), str_from(code)) &&
            str_equal(event_tree_text(one, "source"), str_from(visitors_sources[source]))) return one;
    return NULL;
}

static void check_told(struct world *world, const TreeNode *tree, const struct expected *expected)
{
    Str code = str_from(expected->code);
    for (int source = 0; source < SOURCES; source++) {
        uint64_t count = expected->count[source], of = expected->of[source];
        bool is_told = count && count * 1000000 > expected->per_million * of;
        const TreeNode *told = find_told(tree, "findings", expected->code, source);
        bool is_found = told != NULL;
        if (!told) told = find_told(tree, "too_few", expected->code, source);
        if ((told != NULL) != is_told)
            world_fail(world, "%s of %s is %s told; it has %llu cases of %llu", expected->code,
                       visitors_sources[source], told ? "" : "not", (unsigned long long)count, (unsigned long long)of);
        if (!told) continue;
        questions_expect(world, code, "cases", questions_number(told, "count"), count);
        questions_expect(world, code, "all", questions_number(told, "of"), of);
        if (expected->has_people && is_found)
            questions_expect(world, code, "people", questions_number(told, "people"), expected->people[source]);
    }
}

/* What the counters of single messages have of whom an order concerned goes with the next rebuild, not at once. */
static bool has_orders(const struct world *world)
{
    for (size_t at = 0; at < world->history.count; at++)
        if (world->history.entries[at].sent == HISTORY_COMMAND && world->history.entries[at].about < 0) return true;
    return false;
}

static void check_model(struct world *world, Str findings, Arena arena)
{
    struct expected twice = { .code = "ID-3", .per_million = 10000, .has_people = true };
    struct expected late = { .code = "ID-10" }, joined = { .code = "ID-11" };
    struct expected repeats = { .code = "TW-4", .per_million = 200000 };
    const TreeNode *tree;
    uint64_t count = 0;
    Err err;
    if (world->retention.jumps) return;                  /* what the clock says came later than now is in no window */
    for (size_t at = 0; at < world->visitors.sent_count; at++) count += world->sent[at].is_counted;
    if (event_tree_read(findings, &arena, &tree, &err)) world_fail(world, "findings that are no JSON: %s", err.text);
    questions_expect(world, STR("the doctor"), "messages", questions_number(tree, "messages"), count);
    count_twice(world, &twice);
    count_aliases(world, false, &late);
    count_aliases(world, true, &joined);
    check_told(world, tree, &twice);
    check_told(world, tree, &late);
    check_told(world, tree, &joined);
    if (has_orders(world) || world->history.gone) return;
    count_repeats(world, &repeats);
    check_told(world, tree, &repeats);
}

void checks_findings(struct world *world, struct applier *again)
{
    struct region region;
    region_open(&region, 64 << 20);
    Arena arena = region_arena(&region);
    Str live = examine(world, world->applier, 0, &arena);
    Str again_now = examine(world, again, 0, &arena);
    bool has_counts = str_contains(live, STR("\"of_what\":\"messages"));
    if (!has_orders(world) || !has_counts) compare(world, "findings", live, again_now);
    live = examine(world, world->applier, LATER_DAYS * DAY_MS, &arena);
    Str anew = examine(world, again, LATER_DAYS * DAY_MS, &arena);
    if (!has_orders(world)) compare(world, "findings of old sources", live, anew);
    check_model(world, live, arena);
    check_model(world, anew, arena);
    region_close(&region);
}
