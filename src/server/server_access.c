/* server_access: gives the configuration's keys to access/; opens the file of sessions and keeps it on disk. */
#include "server_access.h"

#include <stdio.h>

enum { PATH_BYTES = 4096 };

static void write_path(const struct config *config, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%.*s/sessions", STR_FORMAT(config->data));
}

void server_set_keys(struct access *access, Str secret_key, const struct config *config)
{
    AccessKey keys[ACCESS_KEYS] = { { STR("secret_key"), secret_key, ACCESS_ADMIN } };
    size_t count = 1;
    for (size_t at = 0; at < config->key_count && count < countof(keys); at++)
        keys[count++] = (AccessKey){ config->keys[at].name, config->keys[at].key,
                                     (AccessRole)(ACCESS_READER + config->keys[at].role) };
    access_set_keys(access, keys, count);
}

Status server_open_access(const struct config *config, bool is_kept, struct access **ret, Err *err)
{
    char path[PATH_BYTES], damage[ERR_TEXT_BYTES];
    write_path(config, path);
    AccessOptions options = { .path = path, .has_sessions = is_kept && config->has_ui, .disk = os_disk(),
                              .clock = os_clock(), .dice = os_dice() };
    Status s = access_open(&options, ret, damage, err);
    if (s) return s;
    if (damage[0])
        log_write(LOG_WARN, "the file of sessions is damaged and is empty now: everybody must sign in again",
                  LOG_TEXT("error", damage));
    server_set_keys(*ret, config->secret_key, config);
    return OK;
}

bool server_is_reading_key(void *access, Str key)
{
    char name[ACCESS_NAME_BYTES + 1];
    return access_judge_key(access, key, name) != ACCESS_NOBODY;
}

void server_keep_sessions(struct access *access)
{
    Err err;
    if (!access || access_write(access, true, &err) == OK) return;
    log_write(LOG_WARN, "sessions could not be written: after a restart their last changes are lost",
              LOG_TEXT("error", err.text));
}

Status server_check_sessions(const struct config *config, Err *err)
{
    char path[PATH_BYTES];
    write_path(config, path);
    return access_verify(os_disk(), path, err);
}

/* ---- What the dashboard keeps ---- */

static void write_dir(const struct config *config, char dir[PATH_BYTES])
{
    snprintf(dir, PATH_BYTES, "%.*s", STR_FORMAT(config->data));
}

Status server_open_desk(const struct config *config, struct collector *collector, struct desk **ret, Err *err)
{
    char dir[PATH_BYTES], trouble[ERR_TEXT_BYTES];
    write_dir(config, dir);
    DeskOptions options = { .dir = dir, .disk = os_disk(), .clock = os_clock(), .dice = os_dice(),
                            .collector = collector };
    Status s = desk_open(&options, ret, trouble, err);
    if (!s && trouble[0])
        log_write(LOG_ERROR, "a file of the dashboard cannot be read: what it keeps is not known, and cannot be "
                  "changed, until the file is repaired or removed", LOG_TEXT("error", trouble));
    return s;
}

Status server_set_sources(struct desk *desk, const struct config *config, Err *err)
{
    size_t left_out = 0;
    Status s = desk_set_sources(desk, config->sources, config->source_count, &left_out, err);
    if (!s && left_out)
        log_write(LOG_WARN, "sources that were made in the dashboard are left out: the configuration has their "
                  "names or keys", LOG_INT("count", left_out));
    return s;
}

void server_keep_notes(struct desk *desk, bool is_last)
{
    Err err;
    if (!desk || desk_keep(desk, is_last, &err) == OK) return;
    log_write(LOG_WARN, "the list of orders could not be written: after a restart its last ones are missing",
              LOG_TEXT("error", err.text));
}

Status server_check_desk(const struct config *config, Err *err)
{
    char dir[PATH_BYTES];
    write_dir(config, dir);
    return desk_verify(os_disk(), dir, err);
}
