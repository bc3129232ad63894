/* fake_disk: every file twice, as it is read back (live) and as the disk surely holds it (durable), and
 * between the two the list of changes that no sync has covered; the same for names. */
#include "fakes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECTOR_BYTES = 512, PATH_MAX_BYTES = 4096 };

struct bytes {
    char *at;
    size_t len, capacity;
};

struct change {                     /* of a file's bytes */
    struct change *next;
    bool is_truncate;
    uint64_t offset;                /* truncate: the new length */
    size_t len;
    char bytes[];
};

struct inode {
    struct inode *next;
    bool is_dir;
    struct bytes live, durable;
    struct change *first, **end;    /* not synced */
    uint64_t changed_at;            /* by the count of calls */
};

struct name {
    struct name *next;
    struct inode *inode;
    char path[];
};

struct name_change {                /* not synced: `to` is inode; `from` (may be empty) is none any more */
    struct name_change *next;
    struct inode *inode;
    char *from, *to;
};

struct handle {
    struct inode *inode;            /* NULL: closed */
    bool can_write, has_lock;
};

struct fake_disk_state {
    pthread_mutex_t lock;
    struct inode *inodes;
    struct name *live, *durable;
    struct name_change *first, **end;
    struct handle *handles;
    size_t handle_count;
};

static void *must(void *memory)
{
    check(memory != NULL);
    return memory;
}

/* ---- Bytes ---- */

static void bytes_resize(struct bytes *bytes, size_t len)
{
    if (len > bytes->capacity) {
        bytes->capacity = len < 4096 ? 4096 : len * 2;
        bytes->at = must(realloc(bytes->at, bytes->capacity));
    }
    if (len > bytes->len) memset(bytes->at + bytes->len, 0, len - bytes->len);
    bytes->len = len;
}

static void bytes_put(struct bytes *bytes, uint64_t offset, const char *from, size_t len)
{
    if (len == 0) return;
    if (bytes->len < offset + len) bytes_resize(bytes, offset + len);
    memcpy(bytes->at + offset, from, len);
}

static void change_apply(struct bytes *bytes, const struct change *change)
{
    if (change->is_truncate) bytes_resize(bytes, change->offset);
    else bytes_put(bytes, change->offset, change->bytes, change->len);
}

static void change_add(struct inode *inode, bool is_truncate, uint64_t offset, const char *bytes, size_t len)
{
    struct change *change = must(malloc(sizeof *change + len));
    *change = (struct change){ .is_truncate = is_truncate, .offset = offset, .len = len };
    if (len) memcpy(change->bytes, bytes, len);
    *inode->end = change;
    inode->end = &change->next;
    change_apply(&inode->live, change);
}

static struct change *change_take(struct inode *inode)
{
    struct change *change = inode->first;
    if (!change) return NULL;
    inode->first = change->next;
    if (!inode->first) inode->end = &inode->first;
    return change;
}

/* ---- Names ---- */

static struct name **name_find(struct name **list, const char *path)
{
    while (*list && strcmp((*list)->path, path) != 0) list = &(*list)->next;
    return list;
}

static void name_remove(struct name **list, const char *path)
{
    struct name **at = name_find(list, path), *gone = *at;
    if (!gone) return;
    *at = gone->next;
    free(gone);
}

static void name_set(struct name **list, const char *path, struct inode *inode)
{
    name_remove(list, path);
    size_t len = strlen(path) + 1;
    struct name *name = must(malloc(sizeof *name + len));
    name->inode = inode;
    name->next = *list;
    memcpy(name->path, path, len);
    *list = name;
}

static void name_change_apply(struct name **list, const struct name_change *change)
{
    if (*change->from) name_remove(list, change->from);
    if (*change->to) name_set(list, change->to, change->inode);
}

static void name_change_free(struct name_change *change)
{
    free(change->from);
    free(change->to);
    free(change);
}

static void name_change_add(struct fake_disk_state *state, const char *from, const char *to, struct inode *inode)
{
    struct name_change *change = must(malloc(sizeof *change));
    *change = (struct name_change){ NULL, inode, must(strdup(from)), must(strdup(to)) };
    *state->end = change;
    state->end = &change->next;
    name_change_apply(&state->live, change);
}

static void dir_of(const char *path, char *dir)
{
    snprintf(dir, PATH_MAX_BYTES, "%s", path);
    char *slash = strrchr(dir, '/');
    if (!slash) memcpy(dir, ".", 2);
    else slash[slash == dir] = 0;
}

static bool is_in_dir(const char *path, const char *dir)
{
    char own[PATH_MAX_BYTES];
    dir_of(path, own);
    return strcmp(own, dir) == 0;
}

static bool is_root(const char *dir) { return strcmp(dir, "/") == 0 || strcmp(dir, ".") == 0; }

static struct inode *inode_at(struct fake_disk_state *state, const char *path)
{
    struct name *name = *name_find(&state->live, path);
    return name ? name->inode : NULL;
}

static struct inode *inode_new(struct fake_disk_state *state, bool is_dir)
{
    struct inode *inode = must(calloc(1, sizeof *inode));
    inode->is_dir = is_dir;
    inode->end = &inode->first;
    inode->next = state->inodes;
    state->inodes = inode;
    return inode;
}

static void inode_free(struct inode *inode)
{
    for (struct change *change; (change = change_take(inode));) free(change);
    free(inode->live.at);
    free(inode->durable.at);
    free(inode);
}

static bool is_named(const struct name *list, const struct inode *inode)
{
    for (; list; list = list->next)
        if (list->inode == inode) return true;
    return false;
}

static bool is_used(const struct fake_disk_state *state, const struct inode *inode)
{
    for (size_t at = 0; at < state->handle_count; at++)
        if (state->handles[at].inode == inode) return true;
    return is_named(state->live, inode);
}

/* Forgets files that nothing can bring back. */
static void sweep(struct fake_disk_state *state)
{
    for (struct inode **at = &state->inodes; *at;) {
        struct inode *inode = *at;
        bool is_wanted = is_used(state, inode) || is_named(state->durable, inode);
        for (struct name_change *change = state->first; change; change = change->next)
            is_wanted |= change->inode == inode;
        if (is_wanted) {
            at = &inode->next;
            continue;
        }
        *at = inode->next;
        inode_free(inode);
    }
}

/* ---- Trouble ---- */

static struct fake_disk_state *enter(struct disk *disk)
{
    struct fake_disk_state *state = ((struct fake_disk *)disk)->state;
    pthread_mutex_lock(&state->lock);
    return state;
}

static Status leave(struct disk *disk, Status s)
{
    pthread_mutex_unlock(&((struct fake_disk *)disk)->state->lock);
    return s;
}

/* Counts the call. True where it shall fail, and how. */
static bool is_to_fail(struct fake_disk *fake, DiskFault *ret)
{
    *ret = DISK_FAULT_IO;
    if (fake->is_dead) return true;
    uint64_t call = ++fake->calls, count = fake->fail_count ? fake->fail_count : 1;
    if (fake->fail_at_call && call >= fake->fail_at_call && call - fake->fail_at_call < count) *ret = fake->fault;
    else if (fake->fault_per_million && fake_dice_below(&fake->dice, 1000000) < fake->fault_per_million)
        *ret = (DiskFault)fake_dice_below(&fake->dice, DISK_FAULT_CRASH);
    else return false;
    fake->faults++;
    if (*ret == DISK_FAULT_CRASH) fake->is_dead = true;
    return true;
}

static Status trouble(DiskFault fault, bool needs_room, const char *what, Err *err)
{
    if (needs_room && (fault == DISK_FAULT_FULL || fault == DISK_FAULT_SHORT_FULL))
        return err_set(err, ERR_FULL, "%s: the fake disk is full", what);
    return err_set(err, ERR_IO, "%s: the fake disk says no", what);
}

static uint64_t used_bytes(const struct fake_disk_state *state)
{
    uint64_t bytes = 0;
    for (const struct inode *inode = state->inodes; inode; inode = inode->next)
        if (is_used(state, inode)) bytes += inode->live.len;
    return bytes;
}

static uint64_t room_for(const struct fake_disk *fake)
{
    uint64_t used = used_bytes(fake->state);
    if (fake->capacity_bytes == 0) return UINT64_MAX / 4;
    return used < fake->capacity_bytes ? fake->capacity_bytes - used : 0;
}

/* ---- The table: files ---- */

static struct handle *handle_get(struct fake_disk_state *state, DiskFile file)
{
    check(file.handle >= 0 && (size_t)file.handle < state->handle_count);
    struct handle *handle = &state->handles[file.handle];
    check(handle->inode != NULL);
    return handle;
}

static Status fake_open(struct disk *disk, const char *path, DiskMode mode, DiskFile *ret, Err *err)
{
    struct fake_disk *fake = (struct fake_disk *)disk;
    struct fake_disk_state *state = enter(disk);
    DiskFault fault;
    char dir[PATH_MAX_BYTES];
    struct inode *inode = inode_at(state, path);
    bool creates = !inode && mode != DISK_READ && mode != DISK_WRITE;
    if (is_to_fail(fake, &fault)) return leave(disk, trouble(fault, creates, path, err));
    if (!inode && !creates) return leave(disk, err_set(err, ERR_NOT_FOUND, "open %s: no such file", path));
    if (inode && mode == DISK_CREATE) return leave(disk, err_set(err, ERR_CONFLICT, "open %s: it exists", path));
    if (inode && inode->is_dir) return leave(disk, err_set(err, ERR_IO, "open %s: a directory", path));
    dir_of(path, dir);
    if (creates && !is_root(dir) && !inode_at(state, dir))
        return leave(disk, err_set(err, ERR_NOT_FOUND, "open %s: no such directory", path));
    if (creates) {
        inode = inode_new(state, false);
        name_change_add(state, "", path, inode);
    }
    size_t at = 0;
    while (at < state->handle_count && state->handles[at].inode) at++;
    if (at == state->handle_count) {
        state->handles = must(realloc(state->handles, (at + 1) * sizeof *state->handles));
        state->handle_count++;
    }
    state->handles[at] = (struct handle){ inode, mode != DISK_READ, false };
    *ret = (DiskFile){ (int)at };
    return leave(disk, OK);
}

static void fake_close(struct disk *disk, DiskFile file)
{
    struct fake_disk_state *state = enter(disk);
    *handle_get(state, file) = (struct handle){ 0 };
    sweep(state);
    (void)leave(disk, OK);
}

static Status fake_read(struct disk *disk, DiskFile file, uint64_t offset, void *bytes, size_t count,
                        size_t *ret_count, Err *err)
{
    struct fake_disk_state *state = enter(disk);
    const struct bytes *live = &handle_get(state, file)->inode->live;
    DiskFault fault;
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, false, "read", err));
    *ret_count = offset >= live->len ? 0 : live->len - offset < count ? live->len - offset : count;
    if (*ret_count) memcpy(bytes, live->at + offset, *ret_count);
    return leave(disk, OK);
}

/* As much of the parts as `most` allows, as one change. */
static void put_parts(struct inode *inode, uint64_t offset, const Str *parts, size_t part_count, uint64_t most)
{
    size_t len = 0, at = 0;
    for (size_t part = 0; part < part_count; part++) len += parts[part].len;
    if (len > most) len = most;
    char *all = must(malloc(len + 1));
    for (size_t part = 0; part < part_count && at < len; part++) {
        size_t count = parts[part].len < len - at ? parts[part].len : len - at;
        if (count) memcpy(all + at, parts[part].bytes, count);
        at += count;
    }
    if (len) change_add(inode, false, offset, all, len);
    free(all);
}

static Status fake_write(struct disk *disk, DiskFile file, uint64_t offset, const Str *parts, size_t part_count,
                         Err *err)
{
    struct fake_disk *fake = (struct fake_disk *)disk;
    struct fake_disk_state *state = enter(disk);
    struct handle *handle = handle_get(state, file);
    struct inode *inode = handle->inode;
    uint64_t len = 0, room;
    DiskFault fault;
    for (size_t part = 0; part < part_count; part++) len += parts[part].len;
    bool was_dead = fake->is_dead;
    if (is_to_fail(fake, &fault)) {
        bool is_part = fault == DISK_FAULT_SHORT || fault == DISK_FAULT_SHORT_FULL || fault == DISK_FAULT_CRASH;
        if (!was_dead && is_part && len)
            put_parts(inode, offset, parts, part_count, fake_dice_below(&fake->dice, len + 1));
        return leave(disk, trouble(fault, true, "write", err));
    }
    check(handle->can_write);
    inode->changed_at = fake->calls;
    room = room_for(fake);
    uint64_t has = inode->live.len > offset ? inode->live.len - offset : 0;      /* overwriting needs no room */
    put_parts(inode, offset, parts, part_count, room + has);
    return leave(disk, len > room + has ? err_set(err, ERR_FULL, "write: the fake disk is full") : OK);
}

static void sync_inode(struct fake_disk *fake, struct inode *inode, bool loses)
{
    for (struct change *change; (change = change_take(inode)); free(change))
        if (!loses || fake_dice_chance(&fake->dice, 300)) change_apply(&inode->durable, change);
}

static Status fake_sync(struct disk *disk, DiskFile file, Err *err)
{
    struct fake_disk *fake = (struct fake_disk *)disk;
    struct inode *inode = handle_get(enter(disk), file)->inode;
    DiskFault fault;
    bool was_dead = fake->is_dead;
    if (is_to_fail(fake, &fault)) {
        if (!was_dead && fault == DISK_FAULT_SYNC_LOST) sync_inode(fake, inode, true);
        return leave(disk, trouble(fault, false, "sync", err));
    }
    sync_inode(fake, inode, false);
    return leave(disk, OK);
}

static Status resize(struct disk *disk, DiskFile file, uint64_t bytes, bool only_grows, Err *err)
{
    struct fake_disk *fake = (struct fake_disk *)disk;
    struct inode *inode = handle_get(enter(disk), file)->inode;
    DiskFault fault;
    if (is_to_fail(fake, &fault)) return leave(disk, trouble(fault, bytes > inode->live.len, "resize", err));
    if (only_grows && bytes <= inode->live.len) return leave(disk, OK);
    if (bytes > inode->live.len && bytes - inode->live.len > room_for(fake))
        return leave(disk, err_set(err, ERR_FULL, "resize: the fake disk is full"));
    change_add(inode, true, bytes, NULL, 0);
    inode->changed_at = fake->calls;
    return leave(disk, OK);
}

static Status fake_truncate(struct disk *disk, DiskFile file, uint64_t bytes, Err *err)
{
    return resize(disk, file, bytes, false, err);
}

static Status fake_reserve(struct disk *disk, DiskFile file, uint64_t bytes, Err *err)
{
    return resize(disk, file, bytes, true, err);
}

static Status fake_size(struct disk *disk, DiskFile file, uint64_t *ret_bytes, Err *err)
{
    struct fake_disk_state *state = enter(disk);
    DiskFault fault;
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, false, "size", err));
    *ret_bytes = handle_get(state, file)->inode->live.len;
    return leave(disk, OK);
}

static Status fake_lock(struct disk *disk, DiskFile file, Err *err)
{
    struct fake_disk_state *state = enter(disk);
    struct handle *own = handle_get(state, file);
    DiskFault fault;
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, false, "lock", err));
    for (size_t at = 0; at < state->handle_count; at++) {
        const struct handle *other = &state->handles[at];
        if (other != own && other->inode == own->inode && other->has_lock)
            return leave(disk, err_set(err, ERR_CONFLICT, "another process has the lock"));
    }
    own->has_lock = true;
    return leave(disk, OK);
}

static Status fake_map(struct disk *disk, DiskFile file, uint64_t bytes, const void **ret, Err *err)
{
    const struct bytes *live = &handle_get(enter(disk), file)->inode->live;
    DiskFault fault;
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, false, "map", err));
    check(bytes <= live->len);
    char *copy = must(malloc(bytes + 1));
    if (bytes) memcpy(copy, live->at, bytes);
    *ret = copy;
    return leave(disk, OK);
}

static void fake_unmap(struct disk *disk, const void *at, uint64_t bytes)
{
    (void)disk, (void)bytes;
    free((void *)(uintptr_t)at);
}

/* ---- The table: names ---- */

static Status fake_rename(struct disk *disk, const char *from, const char *to, Err *err)
{
    struct fake_disk_state *state = enter(disk);
    DiskFault fault;
    struct inode *inode = inode_at(state, from);
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, false, from, err));
    if (!inode) return leave(disk, err_set(err, ERR_NOT_FOUND, "rename %s: no such file", from));
    name_change_add(state, from, to, inode);
    return leave(disk, OK);
}

static Status fake_remove(struct disk *disk, const char *path, Err *err)
{
    struct fake_disk_state *state = enter(disk);
    DiskFault fault;
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, false, path, err));
    for (struct name *name = state->live; name; name = name->next)
        if (is_in_dir(name->path, path)) return leave(disk, err_set(err, ERR_IO, "remove %s: not empty", path));
    if (inode_at(state, path)) name_change_add(state, path, "", NULL);
    return leave(disk, OK);
}

static Status fake_make_dir(struct disk *disk, const char *path, Err *err)
{
    struct fake_disk_state *state = enter(disk);
    struct inode *inode = inode_at(state, path);
    char dir[PATH_MAX_BYTES];
    DiskFault fault;
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, !inode, path, err));
    if (inode) return leave(disk, inode->is_dir ? OK : err_set(err, ERR_CONFLICT, "%s: a file", path));
    dir_of(path, dir);
    if (!is_root(dir) && !inode_at(state, dir))
        return leave(disk, err_set(err, ERR_NOT_FOUND, "make %s: no such directory", path));
    name_change_add(state, "", path, inode_new(state, true));
    return leave(disk, OK);
}

static void sync_names(struct fake_disk *fake, const char *dir, bool loses)
{
    struct fake_disk_state *state = fake->state;
    for (struct name_change **at = &state->first; *at;) {
        struct name_change *change = *at;
        if (!is_in_dir(*change->to ? change->to : change->from, dir)) {
            at = &change->next;
            continue;
        }
        if (!loses || fake_dice_chance(&fake->dice, 300)) name_change_apply(&state->durable, change);
        *at = change->next;
        name_change_free(change);
    }
    state->end = &state->first;
    while (*state->end) state->end = &(*state->end)->next;
    sweep(state);
}

static Status fake_sync_dir(struct disk *disk, const char *path, Err *err)
{
    struct fake_disk *fake = (struct fake_disk *)disk;
    struct fake_disk_state *state = enter(disk);
    DiskFault fault;
    bool was_dead = fake->is_dead;
    if (is_to_fail(fake, &fault)) {
        if (!was_dead && fault == DISK_FAULT_SYNC_LOST) sync_names(fake, path, true);
        return leave(disk, trouble(fault, false, path, err));
    }
    if (!is_root(path) && !inode_at(state, path))
        return leave(disk, err_set(err, ERR_NOT_FOUND, "sync %s: no such directory", path));
    sync_names(fake, path, false);
    return leave(disk, OK);
}

static int compare_entries(const void *a, const void *b)
{
    return str_compare(((const DiskEntry *)a)->name, ((const DiskEntry *)b)->name);
}

static Status fake_list(struct disk *disk, const char *path, Arena *arena, DiskEntry **ret_entries, size_t *ret_count,
                        Err *err)
{
    struct fake_disk_state *state = enter(disk);
    DiskFault fault;
    size_t count = 0, filled = 0;
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, false, path, err));
    if (!is_root(path) && !inode_at(state, path))
        return leave(disk, err_set(err, ERR_NOT_FOUND, "list %s: no such directory", path));
    for (struct name *name = state->live; name; name = name->next) count += is_in_dir(name->path, path);
    DiskEntry *entries = arena_new(arena, DiskEntry, count);
    for (struct name *name = state->live; name; name = name->next) {
        if (!is_in_dir(name->path, path)) continue;
        const char *slash = strrchr(name->path, '/');
        entries[filled++] = (DiskEntry){
            .name = arena_copy(arena, str_from(slash ? slash + 1 : name->path)), .is_dir = name->inode->is_dir,
            .is_file = !name->inode->is_dir,
            .bytes = name->inode->live.len, .modified_at_ms = (Millis)name->inode->changed_at,
        };
    }
    qsort(entries, count, sizeof *entries, compare_entries);
    *ret_entries = entries;
    *ret_count = count;
    return leave(disk, OK);
}

static Status fake_free_bytes(struct disk *disk, const char *path, uint64_t *ret_bytes, Err *err)
{
    (void)enter(disk);
    DiskFault fault;
    if (is_to_fail((struct fake_disk *)disk, &fault)) return leave(disk, trouble(fault, false, path, err));
    *ret_bytes = room_for((struct fake_disk *)disk);
    return leave(disk, OK);
}

/* Never fails: who asks believes the best where nobody can say. */
static Status fake_is_at(struct disk *disk, DiskFile file, const char *path, bool *ret, Err *err)
{
    struct fake_disk_state *state = enter(disk);
    (void)err;
    *ret = inode_at(state, path) == handle_get(state, file)->inode;
    return leave(disk, OK);
}

void fake_disk_init(struct fake_disk *fake, uint64_t seed)
{
    *fake = (struct fake_disk){ .disk = {
        .open = fake_open, .close = fake_close, .read = fake_read, .write = fake_write, .sync = fake_sync,
        .truncate = fake_truncate, .reserve = fake_reserve, .size = fake_size, .rename = fake_rename,
        .remove = fake_remove, .make_dir = fake_make_dir, .sync_dir = fake_sync_dir, .list = fake_list,
        .free_bytes = fake_free_bytes, .lock = fake_lock, .is_at = fake_is_at,
        .map = fake_map, .unmap = fake_unmap,
    } };
    fake_dice_init(&fake->dice, seed);
    fake->state = must(calloc(1, sizeof *fake->state));
    fake->state->end = &fake->state->first;
    check(pthread_mutex_init(&fake->state->lock, NULL) == 0);
}

static void forget_names(struct name **list)
{
    while (*list) name_remove(list, (*list)->path);
}

void fake_disk_done(struct fake_disk *fake)
{
    struct fake_disk_state *state = fake->state;
    for (struct name_change *change; (change = state->first); name_change_free(change)) state->first = change->next;
    state->end = &state->first;
    forget_names(&state->live);
    forget_names(&state->durable);
    free(state->handles);
    state->handles = NULL;
    state->handle_count = 0;
    sweep(state);
    pthread_mutex_destroy(&state->lock);
    free(state);
    fake->state = NULL;
}

/* ---- Life and death ---- */

void fake_disk_die(struct fake_disk *fake)
{
    (void)enter(&fake->disk);
    fake->is_dead = true;
    (void)leave(&fake->disk, OK);
}

/* How a power cut treats what was not synced: all reaches the disk, nothing does, the first so many changes
 * do, or each sector as it comes. */
typedef enum CutMood { CUT_KEEPS, CUT_DROPS, CUT_PREFIX, CUT_MIXES, CUT_MOODS } CutMood;

/* One sector's share of an unsynced write: kept, dropped, cut within, or garbled where it changed. */
static void cut_sector(struct fake_disk *fake, struct bytes *durable, uint64_t offset, const char *bytes, size_t len)
{
    uint64_t chance = fake_dice_below(&fake->dice, 100);
    if (chance < 50) bytes_put(durable, offset, bytes, len);
    else if (chance < 80) return;
    else if (chance < 90) bytes_put(durable, offset, bytes, fake_dice_below(&fake->dice, len));
    else for (size_t at = 0; at < len; at++) {
        bool is_same = offset + at < durable->len && durable->at[offset + at] == bytes[at];
        char noise = (char)fake_dice_below(&fake->dice, 256);
        bytes_put(durable, offset + at, is_same ? &bytes[at] : &noise, 1);
    }
}

static void cut_change(struct fake_disk *fake, struct bytes *durable, const struct change *change)
{
    if (change->is_truncate) {
        if (fake_dice_chance(&fake->dice, 500)) change_apply(durable, change);
        return;
    }
    for (size_t at = 0; at < change->len;) {
        size_t len = SECTOR_BYTES - (change->offset + at) % SECTOR_BYTES;
        if (len > change->len - at) len = change->len - at;
        cut_sector(fake, durable, change->offset + at, change->bytes + at, len);
        at += len;
    }
}

static void cut_inode(struct fake_disk *fake, struct inode *inode, CutMood mood)
{
    uint64_t count = 0, keeps;
    for (struct change *change = inode->first; change; change = change->next) count++;
    keeps = mood == CUT_KEEPS ? count : mood == CUT_PREFIX ? fake_dice_below(&fake->dice, count + 1) : 0;
    for (struct change *change; (change = change_take(inode)); free(change)) {
        if (keeps) change_apply(&inode->durable, change), keeps--;
        else if (mood == CUT_MIXES) cut_change(fake, &inode->durable, change);
        else if (mood == CUT_PREFIX && count) cut_change(fake, &inode->durable, change), count = 0;
    }
    bytes_resize(&inode->live, 0);
    bytes_put(&inode->live, 0, inode->durable.at, inode->durable.len);
}

static void cut_names(struct fake_disk *fake, CutMood mood)
{
    struct fake_disk_state *state = fake->state;
    for (struct name_change *change; (change = state->first); name_change_free(change)) {
        state->first = change->next;
        bool is_kept = mood == CUT_KEEPS || (mood != CUT_DROPS && fake_dice_chance(&fake->dice, 500));
        if (is_kept) name_change_apply(&state->durable, change);
    }
    state->end = &state->first;
    forget_names(&state->live);
    for (struct name *name = state->durable; name; name = name->next) {
        char dir[PATH_MAX_BYTES];
        dir_of(name->path, dir);
        if (is_root(dir) || *name_find(&state->durable, dir)) name_set(&state->live, name->path, name->inode);
    }
}

void fake_disk_restart(struct fake_disk *fake, bool power_lost)
{
    struct fake_disk_state *state = enter(&fake->disk);
    for (size_t at = 0; at < state->handle_count; at++) state->handles[at] = (struct handle){ 0 };
    if (power_lost) {
        CutMood mood = (CutMood)fake_dice_below(&fake->dice, CUT_MOODS);
        for (struct inode *inode = state->inodes; inode; inode = inode->next) cut_inode(fake, inode, mood);
        cut_names(fake, mood);
    }
    sweep(state);
    fake->is_dead = false;
    fake->fail_at_call = 0;
    (void)leave(&fake->disk, OK);
}

/* ---- What the program does not know of ---- */

Str fake_disk_peek(struct fake_disk *fake, const char *path)
{
    struct inode *inode = inode_at(enter(&fake->disk), path);
    (void)leave(&fake->disk, OK);
    if (!inode) return (Str){ NULL, 0 };
    return str_of(inode->live.at ? inode->live.at : "", inode->live.len);
}

void fake_disk_poke(struct fake_disk *fake, const char *path, uint64_t offset, Str bytes)
{
    struct fake_disk_state *state = enter(&fake->disk);
    struct inode *inode = inode_at(state, path);
    if (!inode) {
        inode = inode_new(state, false);
        name_set(&state->live, path, inode);
        name_set(&state->durable, path, inode);
    }
    bytes_put(&inode->live, offset, bytes.bytes, bytes.len);
    bytes_put(&inode->durable, offset, bytes.bytes, bytes.len);
    (void)leave(&fake->disk, OK);
}

void fake_disk_flip(struct fake_disk *fake, const char *path, uint64_t offset, unsigned char mask)
{
    Str bytes = fake_disk_peek(fake, path);
    check(offset < bytes.len);
    char changed = (char)(bytes.bytes[offset] ^ mask);
    fake_disk_poke(fake, path, offset, str_of(&changed, 1));
}

void fake_disk_cut(struct fake_disk *fake, const char *path, uint64_t bytes)
{
    struct inode *inode = inode_at(enter(&fake->disk), path);
    check(inode && bytes <= inode->live.len);
    bytes_resize(&inode->live, bytes);
    bytes_resize(&inode->durable, bytes);
    (void)leave(&fake->disk, OK);
}

void fake_disk_drop(struct fake_disk *fake, const char *path)
{
    struct fake_disk_state *state = enter(&fake->disk);
    name_remove(&state->live, path);
    name_remove(&state->durable, path);
    sweep(state);
    (void)leave(&fake->disk, OK);
}
