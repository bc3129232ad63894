/* server_check: the files that a configuration names, judged as a start judges them, before one does. */
#include "server.h"

#include "os/os.h"
#include "server_tls.h"

Status server_check_tls(const struct config *config, Err *err)
{
    struct region region;
    HttpOptions options = { 0 };
    if (!config->tls.certificate.len) return OK;
    Status s = server_read_tls(config, &region, &options, err);
    bool is_read = !s;
    if (is_read) s = http_check_tls(options.tls_certificate_pem, options.tls_key_pem, err);
    if (is_read && s)
        s = err_wrap(err, s, "tls.certificate %.*s, tls.key %.*s", STR_FORMAT(config->tls.certificate),
                     STR_FORMAT(config->tls.key));
    region_close(&region);
    return s;
}

Status server_check_files(const struct config *config, Arena *arena, struct config_problems *problems,
                          struct config_problems *plan_problems, Err *err)
{
    struct tracking_plan *plan = NULL;
    struct config with_keys = *config;
    Err why;
    if (server_check_tls(config, &why))
        config_note_problem(config, os_disk(), arena, problems,
                            &(ConfigProblem){ .key = STR("tls"), .text = arena_copy(arena, str_from(why.text)) });
    Status s = config_complete_keys(&with_keys, os_disk(), os_dice(), false, arena, &why);
    if (s && s != ERR_NOT_FOUND)                             /* the first start makes them */
        config_note_problem(config, os_disk(), arena, problems,
                            &(ConfigProblem){ .key = STR("data"), .text = arena_copy(arena, str_from(why.text)) });
    s = config_load_plan(config, os_disk(), arena, &plan, plan_problems, &why);
    tracking_plan_close(plan);
    if (s && !plan_problems->error_count)
        config_note_problem(config, os_disk(), arena, problems,
                            &(ConfigProblem){ .key = STR("plan"), .text = arena_copy(arena, str_from(why.text)) });
    s = config_sum_up(problems, err);
    return s ? s : config_sum_up(plan_problems, err);
}
