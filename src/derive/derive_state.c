/* derive_state: where derived state is, how it is saved, and when it is made anew.
 *
 *   dir/FORMAT     text: "onym-derived VERSION NAME". The name is random, made with the directory.
 *   dir/state/     kv: identity, traits, and a table "meta":
 *                    'f'              the same text
 *                    'p'              u64: the journal position that everything in here has reached
 *                    'c'              struct counts, as in memory
 *                    's', 'e'         what commands left (control/control.c)
 *                    'd' u64          positions of duplicates (u64 each, ascending); the key is the first of them
 *                  and a table "symptoms": a row for each day (symptoms/symptoms_store.c)
 *   dir/dedup/     fingerprints (dedup.h)
 *   dir/index/     columns (index.h)
 *
 * All three begin together: rows of the index refer to nodes of identity by their numbers. So they are made
 * anew together: if FORMAT is missing, has another version, or is not what kv says (a remake was cut off, or somebody
 * removed a part); if the rules of identity have changed; if a store is damaged; and if the journal ends
 * before what was saved. Each says on disk how far it has got. The reader starts at the smallest position, which is
 * dedup's, since dedup gives up its part of the journal only after the others.
 *
 * A save is one transaction: identity, traits and the position. It is synced, so dedup and retention, which follow, may
 * rely on it. */
#include "derive_private.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FORMAT_VERSION = 4,
    SAVE_EVENTS = 250000,                   /* a save costs some tens of milliseconds, as does replaying them */
    SAVE_TRAIT_BYTES = 24 * 1024 * 1024,
    REPEATS_MOST = 1 << 20,
};
static const int64_t SAVE_NS = 600 * INT64_C(1000000000);  /* each save makes one more run of evidence to search */

struct counts { uint64_t records, events, duplicates, rejected, blocked, suppressed; };

static const char *const tables[TABLES] = {
    [TABLE_IDENTITY] = "identity", [TABLE_EVIDENCE] = "evidence", [TABLE_TRAITS] = "traits",
    [TABLE_GROUPS] = "groups", [TABLE_MEMBERS] = "members", [TABLE_NAMES] = "names", [TABLE_META] = "meta",
    [TABLE_SYMPTOMS] = "symptoms",
};

static int64_t now_ns(const struct applier *applier)
{
    return applier->options.clock ? clock_monotonic_ns(applier->options.clock) : 0;
}

/* ---- Making anew ---- */

/* There is a file where a directory must be, or the other way round, or a link to nowhere: we may not remove it. */
static Status move_away(struct disk *disk, const char *path, Err *err)
{
    char aside[PATH_BYTES + 32];
    snprintf(aside, sizeof aside, "%s.odd", path);
    Status s = disk->rename(disk, path, aside, err);
    if (s && s != ERR_NOT_FOUND) {                            /* an earlier one has that name */
        snprintf(aside, sizeof aside, "%s.odd-%llx", path, (unsigned long long)dice_u64(os_dice()));
        s = disk->rename(disk, path, aside, err);
    }
    return s;
}

static Status make_way(struct disk *disk, const char *dir, Err *err)
{
    Status s = disk->make_dir(disk, dir, err);
    if (s != ERR_DAMAGED) return s;
    s = move_away(disk, dir, err);
    return s ? s : disk->make_dir(disk, dir, err);
}

static bool is_dir(struct disk *disk, const char *path)
{
    struct region region;
    DiskEntry *entries;
    size_t count;
    region_open(&region, 64 * 1024 * 1024);
    Arena arena = region_arena(&region);
    bool is_one = disk->list(disk, path, &arena, &entries, &count, NULL) == OK;
    region_close(&region);
    return is_one;
}

static Status empty_dir(struct disk *disk, const char *dir, Err *err)
{
    struct region region;
    DiskEntry *entries;
    size_t count = 0;
    region_open(&region, 64 * 1024 * 1024);
    Arena arena = region_arena(&region);
    Status s = make_way(disk, dir, err);
    if (!s) s = disk->list(disk, dir, &arena, &entries, &count, err);
    for (size_t at = 0; !s && at < count; at++) {
        Str path = arena_printf(&arena, "%s/%.*s", dir, STR_FORMAT(entries[at].name));
        if (!entries[at].is_dir) s = disk->remove(disk, path.bytes, err);
        else if (!str_contains(entries[at].name, STR(".odd"))) s = move_away(disk, path.bytes, err);
    }
    if (!s) s = disk->sync_dir(disk, dir, err);
    region_close(&region);
    return s;
}

static Status open_kv(struct applier *applier, Err *err)
{
    char index[PATH_BYTES + 8], dedup[PATH_BYTES + 8], beside[PATH_BYTES + 8];
    const KvLife lives[] = { { beside, false }, { index, true }, { dedup, true } };
    KvOptions options = { .dir = applier->state_dir, .tables = tables, .table_count = TABLES, .is_synced = true,
                          .max_bytes = applier->options.state_bytes,
                          .lives = lives, .life_count = applier->options.state_dir ? 0 : countof(lives) };
    snprintf(beside, sizeof beside, "%s.life", applier->options.dir);
    snprintf(index, sizeof index, "%s/LIFE", applier->index_dir);
    snprintf(dedup, sizeof dedup, "%s/LIFE", applier->dedup_dir);
    return kv_open(&options, &applier->kv, err);
}

Status derive_check_state(const char *state_dir, uint64_t *ret_rows, Err *err)
{
    return kv_check(state_dir, tables, TABLES, ret_rows, err);
}

/* So that each part can be made where it belongs. */
static Status clear_way(struct applier *applier, Err *err)
{
    struct disk *disk = applier->options.disk;
    static const char *const files[] = { "FORMAT", "DAMAGED", "state/data.mdb", "state/lock.mdb" };
    Status s = make_way(disk, applier->options.dir, err);
    if (!s && !applier->options.state_dir) s = make_way(disk, applier->state_dir, err);
    for (size_t at = 0; !s && at < countof(files) && !applier->options.state_dir; at++) {
        char path[PATH_BYTES + 32];
        snprintf(path, sizeof path, "%s/%s", applier->options.dir, files[at]);
        if (is_dir(disk, path)) s = move_away(disk, path, err);
    }
    return s;
}

/* Writes kv's half of the name first and FORMAT last: while they differ, this is done again. */
static Status make_anew(struct applier *applier, Err *err)
{
    const DeriveOptions *options = &applier->options;
    char path[PATH_BYTES + 8], text[64];
    struct kv_txn *txn;
    int len = snprintf(text, sizeof text, "onym-derived %d %016llx\n", FORMAT_VERSION,
                       (unsigned long long)dice_u64(options->dice));
    Str format = str_of(text, (size_t)len);
    snprintf(path, sizeof path, "%s/FORMAT", options->dir);
    kv_close(applier->kv);
    applier->kv = NULL;
    Status s = clear_way(applier, err);
    if (!s) s = options->disk->remove(options->disk, path, err);
    if (!s) s = options->disk->sync_dir(options->disk, options->dir, err);
    if (!s) s = kv_destroy(applier->state_dir, err);
    if (!s) s = empty_dir(options->disk, applier->dedup_dir, err);
    if (!s) s = empty_dir(options->disk, applier->index_dir, err);
    if (!s) s = open_kv(applier, err);
    if (!s) s = kv_begin_write(applier->kv, &txn, err);
    if (s) return s;
    s = kv_put(txn, TABLE_META, STR("f"), format, err);
    if (s) kv_abort(txn);
    else s = kv_commit(txn, err);
    if (!s) s = disk_write_file(options->disk, path, format, err);
    return s ? s : derive_forget_damage(applier, err);
}

static void note_why(struct applier *applier, const char *why)
{
    if (!applier->remade_why[0]) snprintf(applier->remade_why, sizeof applier->remade_why, "%s", why);
}

/* A directory without FORMAT: has it been one? */
static bool has_parts(const struct applier *applier)
{
    struct disk *disk = applier->options.disk;
    char path[PATH_BYTES + 16];
    DiskFile file;
    snprintf(path, sizeof path, "%s/MANIFEST", applier->index_dir);
    bool has = disk->open(disk, path, DISK_READ, &file, NULL) == OK;
    if (has) disk->close(disk, file);
    snprintf(path, sizeof path, "%s/dedup.runs", applier->dedup_dir);
    if (has || disk->open(disk, path, DISK_READ, &file, NULL)) return has;
    disk->close(disk, file);
    return true;
}

/* Does kv say the same as FORMAT? */
static Status is_named(struct applier *applier, Str format, bool *ret, Err *err)
{
    struct kv_txn *txn;
    Str name;
    Status s = kv_begin_read(applier->kv, &txn, err);
    if (s) return s;
    s = kv_get(txn, TABLE_META, STR("f"), &name, err);
    *ret = !s && str_equal(name, format);
    kv_end_read(txn);
    return s == ERR_NOT_FOUND ? OK : s;
}

/* Which journal the state is from: the segment that it has reached, and when that was begun. State that is older than
 * this note is accepted. */
static Status save_birth(const struct applier *applier, struct kv_txn *txn, JournalPos applied, Err *err)
{
    int64_t birth[2] = { 0 };
    JournalPos base;
    struct journal *journal = applier->options.journal;
    if (!applied || journal_find_birth(journal, journal_before(applied), &base, &birth[1], NULL)) return OK;
    birth[0] = (int64_t)base;
    return kv_put(txn, TABLE_META, STR("j"), str_of(birth, sizeof birth), err);
}

static Status is_of_journal(struct applier *applier, bool *ret, Err *err)
{
    struct journal *journal = applier->options.journal;
    int64_t birth[2];
    JournalPos base;
    Millis at_ms;
    struct kv_txn *txn;
    Str value;
    Status s = kv_begin_read(applier->kv, &txn, err);
    if (s) return s;
    s = kv_get(txn, TABLE_META, STR("j"), &value, err);
    bool is_known = !s && value.len == sizeof birth;
    if (is_known) memcpy(birth, value.bytes, sizeof birth);
    kv_end_read(txn);
    if (is_known && !journal_find_birth(journal, (JournalPos)birth[0], &base, &at_ms, NULL))
        *ret = base == (JournalPos)birth[0] && at_ms == birth[1];
    return s == ERR_NOT_FOUND ? OK : s;
}

/* Do all parts belong together, and have this version? If not, remade_why says so, except for a new directory. */
static Status is_whole(struct applier *applier, bool *ret, Err *err)
{
    char path[PATH_BYTES + 8], version[32];
    struct region region;
    Str format;
    *ret = false;
    snprintf(path, sizeof path, "%s/FORMAT", applier->options.dir);
    snprintf(version, sizeof version, "onym-derived %d ", FORMAT_VERSION);
    region_open(&region, 4096);
    Arena arena = region_arena(&region);
    Status s = disk_read_file(applier->options.disk, path, 64, &arena, &format, err);
    if (s == ERR_NOT_FOUND && has_parts(applier)) note_why(applier, "FORMAT is missing");
    if (s == ERR_TOO_LARGE) note_why(applier, "FORMAT is not what was written");
    bool is_ours = !s && str_starts(format, str_from(version));
    if (!s && !is_ours)
        note_why(applier, str_starts(format, STR("onym-derived ")) ? "it was made by another version of Onym"
                                                                   : "FORMAT is not what was written");
    if (s == ERR_NOT_FOUND || s == ERR_TOO_LARGE) s = OK;
    if (is_ours) s = open_kv(applier, err);
    if (!s && is_ours) s = is_named(applier, format, ret, err);
    if (!s && is_ours && !*ret) note_why(applier, "FORMAT and state/ are not of the same making");
    bool is_whole_one = !s && is_ours && *ret;
    if (is_whole_one) s = is_of_journal(applier, ret, err);
    if (!s && is_whole_one && !*ret) note_why(applier, "it was made from another journal");
    if (s == ERR_DAMAGED || s == ERR_CONFLICT) {
        note_why(applier, err->text);
        *ret = false;
        s = OK;
    }
    region_close(&region);
    return s;
}

/* ---- Duplicates ---- */

void derive_note_repeat(struct applier *applier, JournalPos pos)
{
    if (applier->repeat_count && applier->repeats[applier->repeat_count - 1] >= pos) return;       /* a replay */
    if (applier->repeat_count == REPEATS_MOST) {             /* only a late destination needs the older half */
        size_t dropped = REPEATS_MOST / 2;
        applier->repeat_count -= dropped;
        applier->repeats_saved -= applier->repeats_saved < dropped ? applier->repeats_saved : dropped;
        memmove(applier->repeats, applier->repeats + dropped, applier->repeat_count * sizeof *applier->repeats);
    }
    check(vector_reserve(applier->repeats, applier->repeat_capacity, applier->repeat_count + 1, REPEATS_MOST));
    applier->repeats[applier->repeat_count++] = pos;
}

bool derive_is_duplicate(struct applier *applier, JournalPos pos)
{
    size_t low = 0, high = applier->repeat_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (applier->repeats[middle] < pos) low = middle + 1;
        else high = middle;
    }
    return low < applier->repeat_count && applier->repeats[low] == pos;
}

/* Adds those since the last save; drops rows that are wholly before what is remembered. */
static Status save_repeats(const struct applier *applier, struct kv_txn *txn, Err *err)
{
    size_t count = applier->repeat_count - applier->repeats_saved;
    const JournalPos *first = applier->repeats + applier->repeats_saved;
    char key[9] = "d";
    Str old_key, value;
    struct kv_cursor *cursor;
    if (count == 0) return OK;
    kv_key_u64(key + 1, *first);
    Status s = kv_put(txn, TABLE_META, str_of(key, sizeof key), str_of(first, count * sizeof *first), err);
    if (s) return s;
    do {
        s = kv_cursor_open(txn, TABLE_META, &cursor, err);
        if (s) return s;
        s = kv_find(cursor, STR("d"), &old_key, &value, err);
        bool is_old = !s && old_key.len == sizeof key && value.len >= sizeof(JournalPos);
        if (is_old) {
            JournalPos last;
            memcpy(&last, value.bytes + value.len - sizeof last, sizeof last);
            memcpy(key, old_key.bytes, sizeof key);
            is_old = last < applier->repeats[0];
        }
        kv_cursor_close(cursor);
        if (s || !is_old) return s;
        s = kv_remove(txn, TABLE_META, str_of(key, sizeof key), err);
    } while (!s);
    return s;
}

static Status load_repeats(struct applier *applier, struct kv_txn *txn, Err *err)
{
    struct kv_cursor *cursor;
    Str key, value;
    Status s = kv_cursor_open(txn, TABLE_META, &cursor, err);
    if (s) return s;
    s = kv_find(cursor, STR("d"), &key, &value, err);
    while (!s && key.bytes[0] == 'd') {
        for (size_t at = 0; at + sizeof(JournalPos) <= value.len; at += sizeof(JournalPos)) {
            JournalPos pos;
            memcpy(&pos, value.bytes + at, sizeof pos);
            derive_note_repeat(applier, pos);
        }
        s = kv_next(cursor, &key, &value, err);
    }
    kv_cursor_close(cursor);
    applier->repeats_saved = applier->repeat_count;
    return s == ERR_NOT_FOUND ? OK : s;
}

/* ---- Opening ---- */

static void load_counts(struct applier *applier, Str value)
{
    struct counts counts = { 0 };
    if (value.len == sizeof counts) memcpy(&counts, value.bytes, sizeof counts);
    atomic_store(&applier->records, counts.records);
    atomic_store(&applier->events, counts.events);
    atomic_store(&applier->duplicates, counts.duplicates);
    atomic_store(&applier->rejected, counts.rejected);
    atomic_store(&applier->blocked, counts.blocked);
    atomic_store(&applier->suppressed_events, counts.suppressed);
}

static Status save_counts(struct applier *applier, struct kv_txn *txn, Err *err)
{
    struct counts counts = {
        atomic_load(&applier->records), atomic_load(&applier->events), atomic_load(&applier->duplicates),
        atomic_load(&applier->rejected), atomic_load(&applier->blocked), atomic_load(&applier->suppressed_events),
    };
    return kv_put(txn, TABLE_META, STR("c"), str_of(&counts, sizeof counts), err);
}

static Status load_position(struct applier *applier, Err *err)
{
    struct kv_txn *txn;
    Str value;
    Status s = kv_begin_read(applier->kv, &txn, err);
    if (s) return s;
    s = kv_get(txn, TABLE_META, STR("p"), &value, err);
    applier->saved = !s && value.len == 8 ? kv_read_u64(value.bytes) : 0;
    if (s == ERR_NOT_FOUND) s = OK;
    if (!s) s = kv_get(txn, TABLE_META, STR("c"), &value, err);
    load_counts(applier, s ? (Str){ 0 } : value);
    if (s == ERR_NOT_FOUND) s = OK;
    if (!s) s = derive_load_missing(applier, txn, err);
    if (!s) s = load_repeats(applier, txn, err);
    if (!s) s = control_load(applier->control, txn, applier->saved, err);
    kv_end_read(txn);
    return s;
}

static Status open_stores(struct applier *applier, Err *err)
{
    const DeriveOptions *options = &applier->options;
    DedupOptions dedup = { .dir = applier->dedup_dir, .disk = options->disk, .dice = options->dice,
                           .window_ms = options->dedup_window_ms, .table_entries = options->dedup_table_entries };
    IdentityOptions identity = { .rules = options->rules.identity, .seed = dice_u64(options->dice),
                                 .archive = derive_archive(options->journal),
                                 .store = { applier->kv, TABLE_IDENTITY, TABLE_EVIDENCE } };
    ProfileOptions profile = { applier->kv, TABLE_TRAITS, TABLE_GROUPS, TABLE_MEMBERS, TABLE_NAMES };
    IndexOptions index = { .dir = applier->index_dir, .disk = options->disk,
                           .chunk_rows = options->index_chunk_rows, .seal_rows = options->index_seal_rows };
    Status s = load_position(applier, err);
    if (!s) s = identity_open(&identity, &applier->identity, err);
    if (!s) s = dedup_open(&dedup, &applier->dedup, err);
    if (!s) s = index_open(&index, &applier->index, err);
    if (!s) s = symptoms_open(&(SymptomsOptions){ applier->kv, TABLE_SYMPTOMS }, &applier->symptoms, err);
    if (s) return s;
    applier->profile = profile_open(&profile);
    control_use(applier->control, &(ControlStores){ applier->kv, applier->identity, applier->profile, applier->index });
    JournalPos end = journal_end(options->journal), dedup_end = dedup_position(applier->dedup);
    /* Dedup gives up its part of the journal only after the others: a store that is before it is older than the rest.
     * */
    if (applier->saved < dedup_end || index_position(applier->index) < dedup_end)
        return err_set(err, ERR_DAMAGED, "%s: its parts are not of the same time", options->dir);
    if (applier->saved <= end && index_position(applier->index) <= end && dedup_end <= end) return OK;
    return err_set(err, ERR_CONFLICT, "the journal ends at %llu, before what was derived from it",
                   (unsigned long long)end);
}

static void close_stores(struct applier *applier)
{
    symptoms_close(applier->symptoms);
    index_close(applier->index);
    profile_close(applier->profile);
    identity_close(applier->identity);
    dedup_close(applier->dedup);
    applier->index = NULL, applier->profile = NULL, applier->identity = NULL, applier->dedup = NULL;
    applier->symptoms = NULL;
    applier->repeat_count = applier->repeats_saved = 0;
    control_forget(applier->control);
    applier->saved = 0;
}

Status derive_open_state(struct applier *applier, Err *err)
{
    const DeriveOptions *options = &applier->options;
    bool is_kept = false;
    snprintf(applier->dedup_dir, PATH_BYTES, "%s/dedup", options->dir);
    snprintf(applier->index_dir, PATH_BYTES, "%s/index", options->dir);
    if (options->state_dir) snprintf(applier->state_dir, PATH_BYTES, "%s", options->state_dir);
    else snprintf(applier->state_dir, PATH_BYTES, "%s/state", options->dir);
    Status s = options->disk->make_dir(options->disk, options->dir, err);
    if (s == ERR_DAMAGED) {
        note_why(applier, err->text);
        s = OK;
    }
    if (!s && !options->makes_anew && !applier->remade_why[0]) s = derive_load_damage(applier, err);
    if (!s && !options->makes_anew && !applier->remade_why[0]) s = is_whole(applier, &is_kept, err);
    if (!s && !is_kept) s = make_anew(applier, err);
    if (!s) s = open_stores(applier, err);
    if (is_kept && (s == ERR_CONFLICT || s == ERR_DAMAGED || s == ERR_UNSUPPORTED)) {
        note_why(applier, err->text);
        close_stores(applier);
        s = make_anew(applier, err);
        if (!s) s = open_stores(applier, err);
    }
    applier->saved_at_ns = now_ns(applier);
    return s;
}

void derive_close_state(struct applier *applier)
{
    close_stores(applier);
    control_close(applier->control);
    kv_close(applier->kv);
    free(applier->repeats);
}

/* ---- Saving ---- */

bool derive_wants_save(const struct applier *applier)
{
    uint64_t most = applier->options.save_events ? applier->options.save_events : SAVE_EVENTS;
    if (applier->unsaved_events >= most) return true;
    if (control_wants_save(applier->control) || symptoms_wants_save(applier->symptoms)) return true;
    if (profile_unsaved_bytes(applier->profile) >= SAVE_TRAIT_BYTES) return true;
    return applier->unsaved_events && now_ns(applier) - applier->saved_at_ns >= SAVE_NS;
}

Status derive_save(struct applier *applier, Err *err)
{
    JournalPos applied = atomic_load_explicit(&applier->applied, memory_order_relaxed);
    char position[8];
    struct kv_txn *txn;
    bool has_changes = control_wants_save(applier->control);
    if (applied < applier->saved || (applied == applier->saved && !has_changes)) return OK;    /* or a replay */
    kv_key_u64(position, applied);
    Status s = kv_begin_write(applier->kv, &txn, err);
    if (s) return s;
    s = identity_save(applier->identity, txn, applied, err);
    if (!s) s = profile_save(applier->profile, txn, err);
    if (!s) s = symptoms_save(applier->symptoms, txn, err);
    if (!s) s = save_repeats(applier, txn, err);
    if (!s) s = save_counts(applier, txn, err);
    if (!s) s = derive_save_missing(applier, txn, err);
    if (!s) s = control_save(applier->control, txn, err);
    if (!s) s = save_birth(applier, txn, applied, err);
    if (!s) s = kv_put(txn, TABLE_META, STR("p"), str_of(position, sizeof position), err);
    if (s) kv_abort(txn);
    else s = kv_commit(txn, err);
    check(pthread_rwlock_wrlock(&applier->guard) == 0);       /* evidence leaves memory */
    identity_end_save(applier->identity, applied, !s);
    symptoms_end_save(applier->symptoms, !s);
    check(pthread_rwlock_unlock(&applier->guard) == 0);
    profile_end_save(applier->profile, !s);
    applier->saved_at_ns = now_ns(applier);
    if (s) {
        if (has_changes) control_ask_save(applier->control);
        return err_wrap(err, s, "saving derived state");
    }
    control_end_save(applier->control, applied);
    applier->saved = applied;
    applier->unsaved_events = 0;
    applier->repeats_saved = applier->repeat_count;
    derive_hold(applier);
    return control_rewrite(applier->control, err);
}

/* ---- From outside ---- */

Status derive_read_reached(const char *dir, JournalPos *ret, Err *err)
{
    char path[PATH_BYTES];
    KvOptions options = { .dir = path, .tables = tables, .table_count = TABLES, .is_read_only = true };
    struct kv *kv;
    struct kv_txn *txn;
    Str value;
    if ((size_t)snprintf(path, sizeof path, "%s/state", dir) >= sizeof path)
        return err_set(err, ERR_TOO_LARGE, "%.100s...: the path is too long", dir);
    Status s = kv_open(&options, &kv, err);
    if (s) return s;
    s = kv_begin_read(kv, &txn, err);
    if (!s) {
        s = kv_get(txn, TABLE_META, STR("p"), &value, err);
        if (!s && value.len != 8) s = err_set(err, ERR_DAMAGED, "%s: the position is none", dir);
        if (!s) *ret = kv_read_u64(value.bytes);
        kv_end_read(txn);
    }
    kv_close(kv);
    return s;
}
