/* collect_plan: compares messages with the tracking plan as they arrive. A violation is stamped (plan/), and nothing of
 * the message is changed; deliver/ reads the stamp and decides what destinations get. An import
 * brings the stamp of its own day: a valid stamp is kept, and today's plan is not asked. */
#include "collect_stations.h"

#include <stdatomic.h>
#include <stdlib.h>

/* ---- Which plan ---- */

struct old_plan {
    struct tracking_plan *plan;
    struct old_plan *next;
};

void collector_set_plan(struct collector *collector, struct tracking_plan *plan)
{
    struct tracking_plan *before = atomic_load(&collector->plan);
    struct old_plan *kept = plan ? calloc(1, sizeof *kept) : NULL;
    if (plan && before && tracking_plan_is_same(plan, before)) {
        tracking_plan_close(plan);
        free(kept);
        return;
    }
    if (plan) {
        check(kept != NULL);
        *kept = (struct old_plan){ plan, collector->plans };
        collector->plans = kept;
    }
    atomic_store(&collector->plan, plan);
}

void collect_close_plans(struct collector *collector)
{
    for (struct old_plan *plan = collector->plans, *next; plan; plan = next) {
        next = plan->next;
        tracking_plan_close(plan->plan);
        free(plan);
    }
}

/* ---- One message ---- */

static void count(CollectResult *result, const TrackingVerdict *verdict)
{
    for (uint32_t at = 0; at < verdict->count; at++) result->plan_codes[verdict->items[at].code]++;
    result->plan_rungs[verdict->rung]++;
}

/* The reason is the violation that led to the rejection. */
static void reject(struct intake *intake, const struct source_entry *source, const Message *message,
                   const TrackingVerdict *verdict)
{
    const TrackingViolation *violation = verdict->items;
    char field[128], text[TRACKING_TEXT_BYTES * 2];
    struct buf path, sentence;
    while (violation->rung != verdict->rung) violation++;
    buf_init_fixed(&path, field, sizeof field - 1);
    tracking_write_path(&path, violation);
    buf_init_fixed(&sentence, text, sizeof text - 1);
    buf_str_put(&sentence, STR("by the plan (version "));
    buf_str_put(&sentence, verdict->version);
    buf_str_put(&sentence, violation->path_count ? STR("): ") : STR("): the event "));
    tracking_write_text(&sentence, violation, (Str){ 0 });
    field[buf_ok(&path) ? path.len : 0] = text[sentence.len] = 0;
    Rule rule = { tracking_code_reason(violation->code), field, text };
    collect_reject_whole(intake, source, &rule, message->raw);
}

static void take_imported(struct intake *intake, const Message *message, EventStamps *stamps)
{
    Arena scratch = *intake->arena;
    TrackingVerdict verdict;
    Str brought = message->plan_check;
    if (brought.len && brought.len <= TRACKING_STAMP_BYTES && tracking_stamp_read(brought, &scratch, &verdict))
        stamps->plan_check_raw = brought;
}

bool collect_check_plan(struct intake *intake, const struct source_entry *source, const Message *message,
                        EventStamps *stamps)
{
    const struct tracking_plan *plan = atomic_load_explicit(&intake->workspace->collector->plan, memory_order_acquire);
    TrackingVerdict verdict;
    if (stamps->from_import) take_imported(intake, message, stamps);
    if (!plan || stamps->from_import) return true;
    TrackingMessage given = { intake->workspace->parser, message, stamps->type, source->source.name };
    bool is_broken = tracking_plan_judge(plan, &given, intake->arena, &verdict);
    if (verdict.is_undecided) intake->result.plan_undecided++;
    if (!is_broken) return true;
    count(&intake->result, &verdict);
    if (verdict.rung == TRACKING_REJECT) {
        reject(intake, source, message, &verdict);
        return false;
    }
    stamps->plan_check_raw = tracking_stamp_write(&verdict, intake->arena);
    return true;
}
