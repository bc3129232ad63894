/* server_plan: see its header. A plan with warnings is used; each warning is a line in the log. */
#include "server_plan.h"

#include <stdlib.h>

static void log_problems(const struct config_problems *problems)
{
    for (size_t at = 0; at < problems->count; at++) {
        const ConfigProblem *problem = &problems->items[at];
        log_write(problem->is_warning ? LOG_WARN : LOG_ERROR, problem->is_warning ? "a doubt about the tracking plan"
                                                                                  : "the tracking plan is wrong",
                  LOG_STR("file", problems->file), LOG_INT("line", problem->line), LOG_STR("field", problem->key),
                  LOG_STR("problem", problem->text));
    }
}

Status server_load_plan(const struct config *config, struct collector *collector, Err *err)
{
    struct region region;
    struct tracking_plan *plan = NULL;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    struct config_problems *problems = arena_new(&arena, struct config_problems, 1);
    Status s = config_load_plan(config, os_disk(), &arena, &plan, problems, err);
    log_problems(problems);
    if (!s && plan)
        log_write(LOG_INFO, "tracking plan loaded", LOG_STR("file", problems->file),
                  LOG_STR("version", tracking_plan_version(plan)), LOG_INT("events", tracking_plan_rule_count(plan)));
    if (!s) collector_set_plan(collector, plan);
    region_close(&region);
    return s ? err_wrap(err, s, "tracking plan") : OK;
}
