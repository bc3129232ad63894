/* desk: opening, and what its files have in common: a JSON object with one list, written whole. */
#include "desk_private.h"

#include <stdio.h>
#include <stdlib.h>

void desk_path(const char *dir, const char *name, char path[DESK_PATH_BYTES])
{
    snprintf(path, DESK_PATH_BYTES, "%s/%s", dir, name);
}

Status desk_read_list(struct disk *disk, const char *dir, struct desk_list of, Arena *arena, const TreeNode **ret,
                      Err *err)
{
    char path[DESK_PATH_BYTES];
    const TreeNode *root;
    Err why;
    Str text;
    desk_path(dir, of.file, path);
    *ret = NULL;
    Status s = disk_read_file(disk, path, DESK_FILE_BYTES, arena, &text, err);
    if (s == ERR_NOT_FOUND) return OK;
    if (s == ERR_TOO_LARGE) return err_set(err, ERR_DAMAGED, "%s: larger than such a file can be", path);
    if (s) return s;
    if (event_tree_read(text, arena, &root, &why)) return err_set(err, ERR_DAMAGED, "%s: %s", path, why.text);
    *ret = event_tree_get(root, str_from(of.list));
    if (event_tree_is_kind(*ret, FIELD_ARRAY)) return OK;
    return err_set(err, ERR_DAMAGED, "%s: it has no list \"%s\"", path, of.list);
}

Status desk_write_file(struct desk *desk, const char *file, const struct buf *out, Err *err)
{
    char path[DESK_PATH_BYTES];
    desk_path(desk->dir, file, path);
    if (!buf_ok(out)) return err_set(err, ERR_FULL, "%s: no memory", path);
    /* Write keys are secrets, as those in keys.yaml. */
    return disk_write_secret_file(desk->options.disk, path, buf_str(out), err);
}

/* A file that is damaged, or that the disk does not give (a directory or a pipe in its place, a bad block), keeps
 * nothing else from starting: it is told, left as it is, and not written. */
static Status bear(Status s, const Err *why, char trouble[ERR_TEXT_BYTES])
{
    if (s != ERR_DAMAGED && s != ERR_IO) return s;
    snprintf(trouble, ERR_TEXT_BYTES, "%s", why->text);
    return OK;
}

static Status read_files(struct desk *desk, char trouble[ERR_TEXT_BYTES], Err *err)
{
    struct region region;
    Err why = { 0 };
    region_open(&region, DESK_REGION_BYTES);
    Arena arena = region_arena(&region);
    Status s = desk_sources_read(desk->options.disk, desk->dir, &arena, &desk->sources, &why);
    s = bear(s, &why, desk->sources_trouble);
    if (!s) s = bear(desk_saved_read(desk, &arena, &why), &why, desk->saved_trouble);
    if (!s) s = bear(desk_notes_read(desk, &arena, &why), &why, desk->notes_trouble);
    region_close(&region);
    const char *first = desk->sources_trouble[0] ? desk->sources_trouble : desk->saved_trouble;
    snprintf(trouble, ERR_TEXT_BYTES, "%s", first[0] ? first : desk->notes_trouble);
    return s ? err_set(err, s, "%s", why.text) : OK;
}

Status desk_open(const DeskOptions *options, struct desk **ret, char trouble[ERR_TEXT_BYTES], Err *err)
{
    struct desk *desk = calloc(1, sizeof *desk);
    trouble[0] = 0;
    if (!desk) return err_set(err, ERR_FULL, "desk: no memory");
    desk->options = *options;
    snprintf(desk->dir, sizeof desk->dir, "%s", options->dir);
    desk->options.dir = desk->dir;
    check(pthread_mutex_init(&desk->lock, NULL) == 0 && pthread_mutex_init(&desk->notes_lock, NULL) == 0);
    check(pthread_mutex_init(&desk->keep_lock, NULL) == 0);
    Status s = read_files(desk, trouble, err);
    if (s) desk_close(desk);
    else *ret = desk;
    return s;
}

void desk_close(struct desk *desk)
{
    if (!desk) return;
    desk_saved_done(desk);
    pthread_mutex_destroy(&desk->lock);
    pthread_mutex_destroy(&desk->notes_lock);
    pthread_mutex_destroy(&desk->keep_lock);
    free(desk);
}

Status desk_verify(struct disk *disk, const char *dir, Err *err)
{
    char trouble[ERR_TEXT_BYTES];
    struct desk *desk = NULL;
    Status s = desk_open(&(DeskOptions){ .dir = dir, .disk = disk }, &desk, trouble, err);
    desk_close(s ? NULL : desk);
    if (!s && trouble[0]) s = err_set(err, ERR_DAMAGED, "%s", trouble);
    return s;
}
