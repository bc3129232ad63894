/* losses_visits: which numbers of which page visit came, from what messages say of themselves:
 *
 *     context.onym.visit   the page's name            context.onym.n      the number of the call in it, from 1
 *     context.onym.left    pages of the same visitor that have gone: [[visit, count, path, age of its last call in ms]]
 *
 * Whoever has the public key can write any of this: it is counted, never believed. A visit has a fixed size, there are
 * so many of them and so many groups, and what is over is told, not kept. */
#include "losses_private.h"

#include <stdio.h>

static uint64_t visit_hash(const struct losses *losses, Str source, Str visit)
{
    return hash_64(visit, hash_64(source, losses->seed));
}

static struct visit *find_visit(struct losses *losses, uint64_t hash)
{
    for (uint32_t at, probe = 0; (at = slots_next(&losses->slots, hash, &probe)) != SLOTS_NONE;)
        if (losses->visits[at].hash == hash) return &losses->visits[at];
    if (losses->visit_count == LOSSES_VISITS_MAX) {
        losses->left_out++;
        return NULL;
    }
    slots_put(&losses->slots, hash, losses->visit_count);
    struct visit *visit = &losses->visits[losses->visit_count++];
    *visit = (struct visit){ .hash = hash, .first_ms = INT64_MAX, .last_ms = INT64_MIN, .group = LOSSES_NO_GROUP };
    return visit;
}

/* "Chrome 120": the families that matter, by the words that tell them apart, the most telling first. */
static void write_browser(Str agent, char room[LOSSES_BROWSER_BYTES])
{
    static const struct { const char *word, *name; } families[] = {
        { "Edg/", "Edge" }, { "OPR/", "Opera" }, { "SamsungBrowser/", "Samsung" }, { "Firefox/", "Firefox" },
        { "FxiOS/", "Firefox" }, { "CriOS/", "Chrome" }, { "HeadlessChrome/", "Chrome" }, { "Chrome/", "Chrome" },
        { "Version/", "Safari" },
    };
    for (size_t at = 0; at < countof(families); at++) {
        Str word = str_from(families[at].word);
        for (size_t from = 0; from + word.len <= agent.len; from++) {
            if (memcmp(agent.bytes + from, word.bytes, word.len)) continue;
            int digits = 0;
            size_t to = from + word.len;
            while (digits < 4 && to < agent.len && agent.bytes[to] >= '0' && agent.bytes[to] <= '9') to++, digits++;
            snprintf(room, LOSSES_BROWSER_BYTES, "%s%s%.*s", families[at].name, digits ? " " : "", digits,
                     agent.bytes + to - digits);
            return;
        }
    }
    snprintf(room, LOSSES_BROWSER_BYTES, "other");
}

/* A cut in the middle of a sign would be no UTF-8. */
static Str cut(Str text, size_t most)
{
    if (text.len <= most) return text;
    while (most && ((unsigned char)text.bytes[most] & 0xC0) == 0x80) most--;
    return str_of(text.bytes, most);
}

static uint16_t find_group(struct losses *losses, const TreeNode *message, Str source, Str page)
{
    char browser[LOSSES_BROWSER_BYTES];
    write_browser(event_tree_text(message, "context.userAgent"), browser);
    Str library = cut(event_tree_text(message, "context.library.version"), LOSSES_LIBRARY_BYTES);
    page = cut(page, LOSSES_PAGE_BYTES);
    source = cut(source, LOSSES_SOURCE_BYTES);
    uint64_t hash = hash_64(source, hash_64(str_from(browser), losses->seed));
    hash = hash_64(page, hash_64(library, hash)) | 1;
    for (uint32_t at = 1; at < losses->group_count; at++)
        if (losses->groups[at].hash == hash) return (uint16_t)at;
    if (losses->group_count == LOSSES_GROUPS_MAX) return LOSSES_OTHER_GROUP;
    struct loss_group *group = &losses->groups[losses->group_count];
    group->hash = hash;
    group->of = (LossesGroup){
        .source = arena_copy(&losses->arena, source), .library = arena_copy(&losses->arena, library),
        .browser = arena_copy(&losses->arena, str_from(browser)), .page = arena_copy(&losses->arena, page),
        .first_ms = INT64_MAX, .last_ms = INT64_MIN,
    };
    return (uint16_t)losses->group_count++;
}

/* A whole number from 1 on; 0 where it is none. */
static uint32_t read_count(const TreeNode *node)
{
    double value = 0;
    if (!event_tree_is_kind(node, FIELD_NUMBER) || !str_parse_double(node->text, &value)) return 0;
    if (value < 1 || value > LOSSES_COUNT_MAX || value != (double)(uint32_t)value) return 0;
    return (uint32_t)value;
}

static void note_call(struct losses *losses, const LossesMessage *of, const TreeNode *message)
{
    const TreeNode *visit_name = event_tree_find(message, "context.onym.visit");
    uint32_t number = read_count(event_tree_find(message, "context.onym.n"));
    if (!number || !event_tree_is_kind(visit_name, FIELD_STRING) || !visit_name->text.len) return;
    struct visit *visit = find_visit(losses, visit_hash(losses, of->source, visit_name->text));
    if (!visit) return;
    visit->is_live |= !of->is_import;
    if (of->received_ms < visit->first_ms) visit->first_ms = of->received_ms;
    if (of->received_ms > visit->last_ms) visit->last_ms = of->received_ms;
    if (number > visit->most) visit->most = number;
    visit->came[(number - 1) / 64] |= UINT64_C(1) << (number - 1) % 64;
    if (visit->group == LOSSES_NO_GROUP)
        visit->group = find_group(losses, message, of->source, event_tree_text(message, "context.page.path"));
}

static void note_left(struct losses *losses, const LossesMessage *of, const TreeNode *message)
{
    const TreeNode *left = event_tree_find(message, "context.onym.left");
    size_t seen = 0;
    if (!event_tree_is_kind(left, FIELD_ARRAY)) return;
    for (const TreeNode *item = left->first; item && seen < LOSSES_LEFT_MAX; item = item->next, seen++) {
        if (!event_tree_is_kind(item, FIELD_ARRAY) || item->count < 4) continue;
        const TreeNode *name = item->first, *count = name->next, *path = count->next, *age = path->next;
        double age_ms = 0;
        uint32_t most = read_count(count);
        if (!event_tree_is_kind(name, FIELD_STRING) || !name->text.len || !most) continue;
        if (!event_tree_is_kind(age, FIELD_NUMBER) || !str_parse_double(age->text, &age_ms)) continue;
        if (age_ms < 0 || age_ms > (double)of->received_ms) continue;
        Millis at_ms = of->received_ms - (Millis)age_ms;
        uint64_t hash = visit_hash(losses, of->source, name->text);
        /* One of before the range: its calls are not looked at, so nothing can be said of them. */
        struct visit *visit = at_ms < losses->from_ms ? NULL : find_visit(losses, hash);
        if (!visit) continue;
        visit->is_live |= !of->is_import;
        if (at_ms < visit->first_ms) visit->first_ms = at_ms;
        if (at_ms > visit->last_ms) visit->last_ms = at_ms;
        if (most > visit->most) visit->most = most;
        if (visit->group == LOSSES_NO_GROUP) visit->group = find_group(losses, message, of->source, path->text);
    }
}

void losses_note(struct losses *losses, const LossesMessage *of, Arena scratch)
{
    const TreeNode *message;
    Err err;
    /* Cheap, and right for nearly all of them. */
    if (!str_contains(of->json, STR("\"onym\"")) || event_tree_read(of->json, &scratch, &message, &err)) return;
    note_call(losses, of, message);
    note_left(losses, of, message);
}

static void add_visit(LossesGroup *group, const struct visit *visit)
{
    uint32_t came = 0;
    for (size_t word = 0; word < countof(visit->came); word++)
        came += (uint32_t)__builtin_popcountll(visit->came[word]);
    group->visits++;
    group->calls += visit->most;
    group->missing += visit->most - came;
    if (visit->most == came) return;
    group->broken++;
    if (visit->first_ms < group->first_ms) group->first_ms = visit->first_ms;
    if (visit->last_ms > group->last_ms) group->last_ms = visit->last_ms;
}

void losses_sum_up(struct losses *losses, Millis until_ms)
{
    for (uint32_t at = 0; at < losses->visit_count; at++) {
        const struct visit *visit = &losses->visits[at];
        if (!visit->is_live || visit->first_ms < losses->from_ms) continue;
        if (visit->last_ms > until_ms) losses->open++;
        else add_visit(&losses->groups[visit->group].of, visit);
    }
}
