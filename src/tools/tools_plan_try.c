/* plan dry-run: what the plan would have done with what came. For each rung that is asked for (a plan on "report"
 * tells what "hold" would do), how many messages and people it would have met, and which violations. */
#include "tools_plan.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINES_MOST = 4096, LINES_SHOWN = 40, PEOPLE_MOST = 1 << 22 };

/* Violations of one event, code and place. */
typedef struct TryLine {
    Str event, text;
    TrackingRung rung;
    uint64_t count;
} TryLine;

/* Who sent what breaks the plan. An anonymous id counts as the user that it came with, if it came with one. */
struct try_people {
    struct slots slots;
    struct vector_of_people { uint64_t id, user; bool is_met; } *items;
    uint32_t count, capacity;
};

struct trial {
    struct plan_reader reader;
    const struct tracking_plan *plan;
    uint64_t rungs[TRACKING_RUNGS], broken, undecided;
    TryLine *lines;
    struct slots line_slots;
    uint32_t line_count;
    bool has_more_lines, has_more_people;
    struct try_people people;
    Arena *arena;
};

/* ---- People ---- */

static struct vector_of_people *person(struct trial *trial, Str id, char kind)
{
    struct try_people *people = &trial->people;
    uint64_t hash = hash_64(id, (uint64_t)kind);
    for (uint32_t at, probe = 0; (at = slots_next(&people->slots, hash, &probe)) != SLOTS_NONE;)
        if (people->items[at].id == hash) return &people->items[at];
    if (people->count == PEOPLE_MOST || !slots_reserve(&people->slots, people->count + 1)) {
        trial->has_more_people = true;
        return NULL;
    }
    check(vector_reserve(people->items, people->capacity, people->count + 1, PEOPLE_MOST));
    slots_put(&people->slots, hash, people->count);
    people->items[people->count] = (struct vector_of_people){ .id = hash };
    return &people->items[people->count++];
}

static void note_person(struct trial *trial, const Event *event, bool is_broken)
{
    uint64_t user = 0;
    if (event->user_id.len) {
        struct vector_of_people *named = person(trial, event->user_id, 'u');
        if (named) user = named->id, named->is_met |= is_broken;
    }
    struct vector_of_people *device = event->anonymous_id.len ? person(trial, event->anonymous_id, 'a') : NULL;
    if (device && user) device->user = user;
    if (device && !user) device->is_met |= is_broken;
}

static uint64_t count_people(struct trial *trial)
{
    struct try_people *people = &trial->people;
    uint64_t *met = calloc(people->count + 1, sizeof *met), count = 0, distinct = 0;
    check(met != NULL);
    for (uint32_t at = 0; at < people->count; at++)
        if (people->items[at].is_met) met[count++] = people->items[at].user ? people->items[at].user
            : people->items[at].id;
    qsort(met, count, sizeof *met, compare_u64);
    for (uint64_t at = 0; at < count; at++) distinct += at == 0 || met[at] != met[at - 1];
    free(met);
    return distinct;
}

/* ---- Messages ---- */

static void note_line(struct trial *trial, Str event, const TrackingViolation *violation)
{
    char text[TRACKING_TEXT_BYTES];
    struct buf sentence;
    buf_init_fixed(&sentence, text, sizeof text);
    tracking_write_text(&sentence, violation, (Str){ 0 });
    Str said = buf_str(&sentence);
    uint64_t hash = hash_64(said, hash_64(event, (uint64_t)violation->rung));
    for (uint32_t at, probe = 0; (at = slots_next(&trial->line_slots, hash, &probe)) != SLOTS_NONE;) {
        TryLine *line = &trial->lines[at];
        if (line->rung != violation->rung || !str_equal(line->event, event) || !str_equal(line->text, said)) continue;
        line->count++;
        return;
    }
    if (trial->line_count == LINES_MOST || !slots_reserve(&trial->line_slots, trial->line_count + 1)) {
        trial->has_more_lines = true;
        return;
    }
    slots_put(&trial->line_slots, hash, trial->line_count);
    trial->lines[trial->line_count++] = (TryLine){ arena_copy(trial->arena, event), arena_copy(trial->arena, said),
                                                   violation->rung, 1 };
}

static void judge_one(void *context, struct event_parser *parser, const Event *event, const Message *message,
                      Arena *arena)
{
    struct trial *trial = context;
    TrackingVerdict verdict;
    TrackingMessage given = { parser, message, event->type, event->source };
    bool is_broken = tracking_plan_judge(trial->plan, &given, arena, &verdict);
    Str name = event->name.len ? event->name : str_from(event_type_word(event->type));
    trial->undecided += verdict.is_undecided;
    note_person(trial, event, is_broken);
    if (!is_broken) return;
    trial->broken++;
    trial->rungs[verdict.rung]++;
    for (uint32_t at = 0; at < verdict.count; at++) note_line(trial, name, &verdict.items[at]);
}

/* ---- Telling ---- */

static int compare_lines(const void *left, const void *right)
{
    const TryLine *a = left, *b = right;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    return str_compare(a->event, b->event) ? str_compare(a->event, b->event) : str_compare(a->text, b->text);
}

static void put_json(struct trial *trial, uint64_t people, struct buf *out)
{
    json_object(out, NULL);
    json_string(out, "version", tracking_plan_version(trial->plan));
    json_instant(out, "from", trial->reader.from_ms);
    json_uint(out, "messages", trial->reader.count);
    json_uint(out, "broken", trial->broken);
    json_uint(out, "people", people);
    json_uint(out, "undecided", trial->undecided);
    json_object(out, "rungs");
    for (int rung = TRACKING_REPORT; rung < TRACKING_RUNGS; rung++)
        json_uint(out, tracking_rung_word((TrackingRung)rung), trial->rungs[rung]);
    json_object_end(out);
    json_array(out, "violations");
    for (uint32_t at = 0; at < trial->line_count; at++) {
        json_object(out, NULL);
        json_string(out, "event", trial->lines[at].event);
        json_string(out, "text", trial->lines[at].text);
        json_word(out, "rung", tracking_rung_word(trial->lines[at].rung));
        json_uint(out, "count", trial->lines[at].count);
        json_object_end(out);
    }
    json_array_end(out);
    json_object_end(out);
    buf_char(out, '\n');
}

static void put_text(struct trial *trial, uint64_t people, struct buf *out)
{
    static const char *const would[TRACKING_RUNGS] = { "", "reported", "omitted something of", "held", "rejected" };
    buf_printf(out, "%" PRIu64 " of %" PRIu64 " messages, of %" PRIu64 "%s people, break the plan (version %.*s):\n",
               trial->broken, trial->reader.count, people, trial->has_more_people ? " or more" : "",
               STR_FORMAT(tracking_plan_version(trial->plan)));
    for (int rung = TRACKING_REJECT; rung >= TRACKING_REPORT; rung--)
        if (trial->rungs[rung]) buf_printf(out, "  would have %s %" PRIu64 "\n", would[rung], trial->rungs[rung]);
    if (trial->undecided) buf_printf(out, "  undecided %" PRIu64 "\n", trial->undecided);
    for (uint32_t at = 0; at < trial->line_count && at < LINES_SHOWN; at++) {
        const TryLine *line = &trial->lines[at];
        bool is_place = str_starts(line->text, STR("properties")) || str_starts(line->text, STR("traits"));
        buf_printf(out, "%9" PRIu64 "  %-6s  %.*s%s%.*s\n", line->count, tracking_rung_word(line->rung),
                   STR_FORMAT(line->event), is_place ? ": " : " ", STR_FORMAT(line->text));
    }
    if (trial->line_count > LINES_SHOWN) buf_printf(out, "and %u more; --json has all\n", trial->line_count
                                                    - LINES_SHOWN);
}

int tools_plan_dry_run(const struct command_line *line, Arena *arena, struct buf *out)
{
    struct tracking_plan *plan = NULL;
    int code = tools_plan_open(line, arena, &plan);
    if (code) return code;
    struct trial trial = { .plan = plan, .arena = arena, .lines = arena_new(arena, TryLine, LINES_MOST) };
    trial.reader.visit = judge_one;
    trial.reader.context = &trial;
    code = tools_plan_read(line, &trial.reader, arena);
    if (!code) {
        qsort(trial.lines, trial.line_count, sizeof *trial.lines, compare_lines);
        (command_has(line, "json") ? put_json : put_text)(&trial, count_people(&trial), out);
    }
    slots_done(&trial.line_slots);
    slots_done(&trial.people.slots);
    free(trial.people.items);
    tracking_plan_close(plan);
    return code;
}
