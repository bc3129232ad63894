/* The tracking plan's file: read into a tree, and compiled by plan/, whose complaints become problems with places.
 * A plan may name files of JSON Schema, in the directory of the plan. */
#include "config_private.h"

#include <stdio.h>

enum { PATH_BYTES = 4096, TREE_ARENA_LEAST = 8 * 1024 * 1024 };

struct plan_reading {
    struct config_walk walk;
    struct disk *disk;
    Str dir;                               /* the plan's, with its slash; empty: the working directory */
    Str inner;                             /* the schema's file that is compiled right now; empty: the plan itself */
    bool is_broken;                        /* a file could not be read */
};

/* With its slash; empty if the path has no directory. */
static Str directory_of(Str path)
{
    while (path.len && path.bytes[path.len - 1] != '/') path.len--;
    return path;
}

static bool is_json(Str name) { return str_ends(name, STR(".json")); }

static void complain(void *context, const Node *at, bool is_warning, Str field, const char *text)
{
    struct plan_reading *reading = context;
    struct config_walk *walk = &reading->walk;
    if (reading->inner.len) {
        void (*tell)(struct config_walk *, const Node *, Str, const char *, ...) = is_warning ? config_warn
            : config_complain;
        tell(walk, NULL, field, "%.*s:%u:%u: %s", STR_FORMAT(reading->inner), at ? at->line : 0, at ? at->column : 0,
             text);
    } else if (is_warning) {
        config_warn(walk, at, field, "%s", text);
    } else {
        config_complain(walk, at, field, "%s", text);
    }
}

static const Node *read_tree(struct plan_reading *reading, Str path, Str *ret_text, Err *err)
{
    struct config_walk *walk = &reading->walk;
    const Node *root = NULL;
    char file[PATH_BYTES];
    *ret_text = (Str){ 0 };
    if ((size_t)snprintf(file, sizeof file, "%.*s", STR_FORMAT(path)) >= sizeof file) {
        err_set(err, ERR_INPUT, "the path is too long");
        return NULL;
    }
    if (disk_read_file(reading->disk, file, TRACKING_FILE_BYTES, walk->arena, ret_text, err)) return NULL;
    if (is_json(path)) return tracking_tree_of_json(*ret_text, walk->arena, &root, err) ? NULL : root;
    size_t before = walk->problems->error_count;
    root = config_read_yaml(walk, *ret_text);
    if (root) return root;
    if (walk->problems->error_count > before) err_set(err, ERR_INPUT, "it is no YAML that can be read");
    else err_set(err, ERR_INPUT, "it is empty");
    return NULL;
}

static const Node *read_schema(void *context, const Node *at, Str name, Arena *ignored)
{
    struct plan_reading *reading = context;
    Err err;
    Str text, path = arena_printf(reading->walk.arena, "%.*s%.*s", STR_FORMAT(reading->dir), STR_FORMAT(name));
    (void)ignored;
    if (str_starts(name, STR("/"))) path = name;
    const Node *root = read_tree(reading, path, &text, &err);
    if (root) reading->inner = path;
    else config_complain(&reading->walk, at, at->key, "%.*s: %s", STR_FORMAT(name), err.text);
    return root;
}

static void leave_schema(void *context) { ((struct plan_reading *)context)->inner = (Str){ 0 }; }

static struct plan_reading begin(const char *file, struct disk *disk, Arena *arena, struct config_problems *problems)
{
    *problems = (struct config_problems){ .file = arena_copy(arena, str_from(file)) };
    return (struct plan_reading){ .walk = { arena, problems, NULL, true }, .disk = disk,
                                  .dir = directory_of(problems->file) };
}

Status config_read_plan_tree(const char *file, struct disk *disk, Arena *arena, const Node **ret,
                             struct config_problems *problems, Err *err)
{
    struct plan_reading reading = begin(file, disk, arena, problems);
    Str text;
    *ret = read_tree(&reading, problems->file, &text, err);
    if (*ret) return config_sum_up(problems, err);
    return problems->error_count ? config_sum_up(problems, err) : err_wrap(err, err->code, "%s", file);
}

Status config_read_plan(const char *file, struct disk *disk, Arena *arena, struct tracking_plan **ret,
                        struct config_problems *problems, Err *err)
{
    struct plan_reading reading = begin(file, disk, arena, problems);
    TrackingSource source = { .context = &reading, .complain = complain, .read = read_schema, .leave = leave_schema };
    check(arena_left(arena) > TREE_ARENA_LEAST);
    *ret = NULL;
    const Node *root = read_tree(&reading, problems->file, &source.text, err);
    if (!root) return problems->error_count ? config_sum_up(problems, err) : err_wrap(err, err->code, "%s", file);
    Status s = problems->error_count ? ERR_INPUT : tracking_plan_open(root, &source, ret, err);
    return s ? config_sum_up(problems, err) : OK;
}

Status config_load_plan(const struct config *config, struct disk *disk, Arena *arena, struct tracking_plan **ret,
                        struct config_problems *problems, Err *err)
{
    Str named = config->plan, dir = directory_of(config->file);
    *ret = NULL;
    *problems = (struct config_problems){ 0 };
    if (!named.len && !config->file.len) return OK;
    Str path = arena_printf(arena, "%.*s%s", STR_FORMAT(dir), "plan.yaml");
    if (named.len) path = str_starts(named, STR("/")) ? arena_copy(arena, named)
                                                      : arena_printf(arena, "%.*s%.*s", STR_FORMAT(dir),
                                                                     STR_FORMAT(named));
    Status s = config_read_plan(path.bytes, disk, arena, ret, problems, err);
    return s == ERR_NOT_FOUND && !named.len ? OK : s;
}
