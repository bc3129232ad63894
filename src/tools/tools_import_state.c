/* How far an import came: <data>/imports/<identity>.yaml, replaced whole and durably after batches that are
 * durable, so it is never ahead of the journal. */
#include "tools_import.h"
#include "config/config.h"

#include <stdio.h>
#include <sys/stat.h>

enum { IDENTITY_BYTES = 1024 * 1024, STATE_BYTES = 16 * 1024 };

/* Content names a file: its size and its first bytes. So it may be moved, and an archive of the same name
 * is not mistaken for another. */
static Status identify(const char *file, Arena *arena, uint64_t *ret_bytes, Hash128 *ret, Err *err)
{
    struct disk *disk = os_disk();
    DiskFile handle;
    size_t count = 0;
    char *bytes = arena_bytes(arena, IDENTITY_BYTES);
    Status s = disk->open(disk, file, DISK_READ, &handle, err);
    if (s) return s;
    s = disk->size(disk, handle, ret_bytes, err);
    if (!s) s = disk->read(disk, handle, 0, bytes, IDENTITY_BYTES, &count, err);
    disk->close(disk, handle);
    if (!s) *ret = hash_128(str_of(bytes, count), *ret_bytes);
    return s;
}

static uint64_t read_count(const Node *root, Str key)
{
    int64_t value = 0;
    (void)str_parse_int(node_text(root, key, STR("0")), 0, INT64_MAX, &value);
    return (uint64_t)value;
}

static Status read_state(struct import_state *state, Arena *arena, Err *err)
{
    Str text;
    Status s = disk_read_file(os_disk(), state->path, STATE_BYTES, arena, &text, err);
    if (s == ERR_NOT_FOUND) return OK;
    if (s) return s;
    struct config_problems *problems = arena_new(arena, struct config_problems, 1);
    struct config_walk walk = { arena, problems, NULL, false };
    const Node *root = config_read_yaml(&walk, text);
    if (!root) return err_set(err, ERR_DAMAGED, "%s cannot be read; --restart begins anew", state->path);
    state->offset = read_count(root, STR("offset"));
    state->lines = read_count(root, STR("lines"));
    state->accepted = read_count(root, STR("accepted"));
    state->rejected = read_count(root, STR("rejected"));
    state->is_done = str_equal(node_text(root, STR("done"), STR("")), STR("true"));
    return OK;
}

Status import_state_load(const struct config *config, const char *file, bool restart, Arena scratch,
                         struct import_state *ret, Err *err)
{
    struct stat kind;
    *ret = (struct import_state){ 0 };
    if (!strcmp(file, "-") || (stat(file, &kind) == 0 && !S_ISREG(kind.st_mode))) return OK;     /* read only once */
    char dir[4096];
    if ((size_t)snprintf(dir, sizeof dir, "%.*s/imports", STR_FORMAT(config->data)) >= sizeof dir)
        return err_set(err, ERR_INPUT, "the data directory's path is too long");
    const char *data = arena_copy(&scratch, config->data).bytes;
    Status s = os_disk()->make_dir(os_disk(), data, err);
    if (!s) s = os_disk()->make_dir(os_disk(), dir, err);
    if (!s) s = os_disk()->sync_dir(os_disk(), data, err);
    if (s) return s;
    Hash128 identity;
    s = identify(file, &scratch, &ret->file_bytes, &identity, err);
    if (s) return s;
    ret->is_kept = true;
    snprintf(ret->path, sizeof ret->path, "%s/%016" PRIx64 "%016" PRIx64 ".yaml", dir, identity.high, identity.low);
    return restart ? OK : read_state(ret, &scratch, err);
}

Status import_state_save(struct import_state *state, Err *err)
{
    char text[512];
    if (!state->is_kept) return OK;
    int len = snprintf(text, sizeof text,
        "# How far onym import came with one file; written by it.\n"
        "offset: %" PRIu64 "\nlines: %" PRIu64 "\naccepted: %" PRIu64 "\nrejected: %" PRIu64 "\ndone: %s\n",
        state->offset, state->lines, state->accepted, state->rejected, state->is_done ? "true" : "false");
    check(len > 0 && (size_t)len < sizeof text);
    Status s = disk_write_file(os_disk(), state->path, str_of(text, (size_t)len), err);
    return s ? err_wrap(err, s, "remembering how far the import came") : OK;
}
