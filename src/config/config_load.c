/* What the configuration has on the disk: its file, and the keys of a first start, which are made once,
 * kept in <data>/keys.yaml, and used if the configuration gives none. keys.yaml is written whole
 * (temporary file, sync, rename), for its owner alone. */
#include "config_private.h"

#include <stdio.h>

enum { WRITE_KEY_RANDOM = 29, SECRET_KEY_RANDOM = 40 };    /* wk_ + 29 = 32: as long as Segment's */

Status config_load(const ConfigOptions *request, Arena *arena, struct config *ret, struct config_problems *problems,
                   Err *err)
{
    Str text = STR(""), name = str_from(request->file);
    *problems = (struct config_problems){ .file = name };
    if (request->file) {
        check(request->disk != NULL);
        Status s = disk_read_file(request->disk, request->file, CONFIG_FILE_BYTES, arena, &text, err);
        if (s) return err_wrap(err, s, "the configuration cannot be read");
    }
    return config_parse((ConfigText){ text, name }, request, arena, ret, problems, err);
}

/* A new directory is durable once its parent is synced: without that, a power cut removes it, with the keys. */
static Status make_data_dir(struct disk *disk, const char *dir, Arena *arena, Err *err)
{
    Str path = str_from(dir);
    while (path.len > 1 && path.bytes[path.len - 1] == '/') path.len--;
    while (path.len && path.bytes[path.len - 1] != '/') path.len--;
    Status s = disk->make_dir(disk, dir, err);
    return s ? s : disk->sync_dir(disk, path.len ? arena_copy(arena, path).bytes : ".", err);
}

static Str make_keys(struct dice *dice, Arena *arena)
{
    char write_key[WRITE_KEY_RANDOM], secret_key[SECRET_KEY_RANDOM];
    dice_key(dice, write_key, sizeof write_key);
    dice_key(dice, secret_key, sizeof secret_key);
    return arena_printf(arena,
        "# Keys that Onym made at its first start. Used where the configuration gives none.\n"
        "# Keep this file to yourself: secret_key reads and administers everything.\n"
        "write_key: wk_%.*s\n"
        "secret_key: sk_%.*s\n", WRITE_KEY_RANDOM, write_key, SECRET_KEY_RANDOM, secret_key);
}

static Status write_keys(struct disk *disk, const char *dir, const char *path, Str text, Arena *arena, Err *err)
{
    Status s = make_data_dir(disk, dir, arena, err);
    return s ? s : disk_write_secret_file(disk, path, text, err);
}

Status config_complete_keys(struct config *config, struct disk *disk, struct dice *dice, bool may_make, Arena *arena,
                            Err *err)
{
    if (config->secret_key.len && config->source_count) return OK;
    const char *dir = arena_copy(arena, config->data).bytes;
    const char *path = arena_printf(arena, "%s/keys.yaml", dir).bytes;
    Str text;
    Status s = disk_read_file(disk, path, CONFIG_FILE_BYTES, arena, &text, err);
    if (s == ERR_NOT_FOUND && may_make) {
        text = make_keys(dice, arena);
        s = write_keys(disk, dir, path, text, arena, err);
        config->has_made_keys = s == OK;
    }
    if (s) return err_wrap(err, s, "keys");
    struct config_problems *problems = arena_new(arena, struct config_problems, 1);
    *problems = (struct config_problems){ .file = str_from(path) };
    struct config_walk walk = { arena, problems, NULL, false };
    const Node *root = config_read_yaml(&walk, text);
    if (problems->error_count) return config_sum_up(problems, err);
    Str write_key = node_text(root, STR("write_key"), STR(""));
    Str secret_key = node_text(root, STR("secret_key"), STR(""));
    if (!write_key.len || !secret_key.len)
        return err_set(err, ERR_INPUT, "%s has no write_key or no secret_key; give both in the configuration, "
                       "or remove the file and new ones are made", path);
    if (!config->secret_key.len) config->secret_key = secret_key;
    if (config->source_count == 0) {
        config->sources[0] = (Source){ .name = STR("default"), .write_key = write_key, .is_enabled = true };
        config->source_count = 1;
        config->has_kept_source = true;
    }
    return OK;
}

void config_note_problem(const struct config *config, struct disk *disk, Arena *arena, struct config_problems *problems,
                         const ConfigProblem *problem)
{
    struct config_problems *others = arena_new(arena, struct config_problems, 1);
    struct config_walk reading = { arena, others, NULL, false }, walk = { arena, problems, NULL, false };
    const Node *place = NULL;
    Str text;
    *others = (struct config_problems){ 0 };
    if (config->file.len
        && !disk_read_file(disk, arena_copy(arena, config->file).bytes, CONFIG_FILE_BYTES, arena, &text, NULL))
        place = node_find(config_read_yaml(&reading, text), problem->key);
    config_complain(&walk, place, problem->key, "%.*s", STR_FORMAT(problem->text));
}
