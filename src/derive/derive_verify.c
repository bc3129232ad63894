/* derive_verify: checks that derived state is what was written. Reads all of it, changes nothing, and needs no journal.
 * Nobody may have it open. */
#include "derive_private.h"

#include <stdio.h>

struct verifying {
    const char *dir;
    struct disk *disk;
    DeriveFinding *found;
    void *context;
    DeriveVerdict verdict;
};

/* Reports damage and counts it. A missing part is not damage: a start makes it. */
static Status judge(struct verifying *verifying, const char *part, Status s, const Err *err)
{
    if (s != ERR_DAMAGED && s != ERR_UNSUPPORTED) return s == ERR_NOT_FOUND ? OK : s;
    verifying->verdict.damaged++;
    verifying->found(verifying->context, part, err->text);
    return OK;
}

static Status verify_format(struct verifying *verifying, Err *err)
{
    char path[PATH_BYTES + 16];
    struct region region;
    Str text;
    region_open(&region, 8192);
    Arena arena = region_arena(&region);
    snprintf(path, sizeof path, "%s/FORMAT", verifying->dir);
    Status s = disk_read_file(verifying->disk, path, 64, &arena, &text, err);
    if (s == ERR_TOO_LARGE || (!s && !str_starts(text, STR("onym-derived "))))
        s = err_set(err, ERR_DAMAGED, "%s: it is not what was written", path);
    s = judge(verifying, "derived/FORMAT", s, err);
    snprintf(path, sizeof path, "%s/DAMAGED", verifying->dir);
    Status noted = s ? s : disk_read_file(verifying->disk, path, 4096, &arena, &text, err);
    if (!noted) {
        (void)err_set(err, ERR_DAMAGED, "found while it was in use: %.*s", STR_FORMAT(text));
        s = judge(verifying, "derived", ERR_DAMAGED, err);
    }
    region_close(&region);
    return s;
}

static Status verify_index(struct verifying *verifying, Err *err)
{
    char dir[PATH_BYTES + 16];
    struct index *index = NULL;
    snprintf(dir, sizeof dir, "%s/index", verifying->dir);
    Status s = index_open(&(IndexOptions){ .dir = dir, .disk = verifying->disk, .is_read_only = true }, &index, err);
    if (!s) s = index_verify(index, &verifying->verdict.files, err);
    index_close(index);
    return judge(verifying, "derived/index", s, err);
}

Status derive_verify(const char *dir, struct disk *disk, DeriveFinding *found, void *context, DeriveVerdict *ret,
                     Err *err)
{
    struct verifying verifying = { .dir = dir, .disk = disk, .found = found, .context = context };
    char path[PATH_BYTES + 16];
    Status s = verify_format(&verifying, err);
    snprintf(path, sizeof path, "%s/state", dir);
    if (!s) {
        s = derive_check_state(path, &verifying.verdict.rows, err);
        s = judge(&verifying, "derived/state", s, err);
    }
    if (!s) s = verify_index(&verifying, err);
    snprintf(path, sizeof path, "%s/dedup", dir);
    if (!s) {
        s = dedup_verify(path, disk, err);
        s = judge(&verifying, "derived/dedup", s, err);
    }
    *ret = verifying.verdict;
    return s;
}
