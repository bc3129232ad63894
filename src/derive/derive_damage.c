/* derive_damage: a reader may find derived state damaged while it is in use.
 *
 * The reader gets its error. The first such damage is noted here on the disk (dir/DAMAGED says what was found), so that
 * the next start makes everything anew from the journal. It is also said once to the code that can start Onym anew. */
#include "derive_private.h"

#include <stdio.h>

enum { DAMAGE_BYTES = 1024 };

static const char *find_damage(const struct applier *applier)
{
    const char *damage = kv_damage(applier->kv);
    if (!damage) damage = index_damage(applier->index);
    return damage ? damage : dedup_damage(applier->dedup);
}

static void damage_path(const struct applier *applier, char path[PATH_BYTES + 8])
{
    snprintf(path, PATH_BYTES + 8, "%s/DAMAGED", applier->options.dir);
}

const char *derive_find_damage(struct applier *applier)
{
    char path[PATH_BYTES + 8];
    Err err;
    const char *damage = find_damage(applier);
    if (!damage || applier->is_damage_told) return NULL;
    applier->is_damage_told = true;
    damage_path(applier, path);
    if (disk_write_file(applier->options.disk, path, str_from(damage), &err))
        log_write(LOG_WARN, "what was found damaged could not be noted; the next start may find it again",
                  LOG_TEXT("error", err.text));
    return damage;
}

Status derive_refuse_damage(const struct applier *applier, Err *err)
{
    const char *damage = find_damage(applier);
    return damage ? err_set(err, ERR_DAMAGED, "%s", damage) : OK;
}

Status derive_load_damage(struct applier *applier, Err *err)
{
    char path[PATH_BYTES + 8];
    struct region region;
    Str text;
    damage_path(applier, path);
    region_open(&region, 2 * DAMAGE_BYTES);
    Arena arena = region_arena(&region);
    Status s = disk_read_file(applier->options.disk, path, DAMAGE_BYTES, &arena, &text, err);
    if (!s || s == ERR_TOO_LARGE || s == ERR_DAMAGED)
        snprintf(applier->remade_why, sizeof applier->remade_why, "found while it was in use: %.*s",
                 STR_FORMAT(s ? STR("?") : text));
    region_close(&region);
    return s == ERR_NOT_FOUND || s == ERR_TOO_LARGE || s == ERR_DAMAGED ? OK : s;
}

Status derive_forget_damage(struct applier *applier, Err *err)
{
    char path[PATH_BYTES + 8];
    damage_path(applier, path);
    return applier->options.disk->remove(applier->options.disk, path, err);
}
