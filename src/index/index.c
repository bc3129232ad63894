/* index: the object. A list of runs, oldest first: files, then runs in memory; after them the open chunk.
 *
 * The lock guards the list and the chunk, and is held for long only while a chunk is encoded. The
 * maintainer (index_maintain, index_seal) owns the files: only it merges, writes the MANIFEST, and
 * replaces runs in the list. Readers hold runs, so a file that was merged stays mapped until its
 * last reader is gone, even if its name is gone.
 *
 * Sizes. Runs in memory are merged into a file when they hold seal_rows; merge_fan files of one level
 * (rows / seal_rows to the base of merge_fan) become one of the next. So a row is rewritten once on each level:
 * 100 M rows are rewritten 3 times, and are in some 20 runs.
 */
#include "index_chunk.h"
#include "index_merge.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUN_COUNT_MAX = 4096, MANIFEST_BYTES_MAX = 1 << 20, MEMORY_RUNS_MAX = 96, LEVEL_SEAL = 3, LEVEL_MERGE
       = 3 };

/* A merge under way, and where its result goes. */
struct work {
    struct merge *merge;
    struct run *runs[MERGE_RUNS_MAX];      /* held by the merge */
    uint32_t run_count;
    DiskFile file;
    char name[64];
};

struct index {
    IndexOptions options;
    pthread_mutex_t lock, maintaining;
    struct run **runs;                     /* lock: file_count files, then runs in memory */
    uint32_t run_count, file_count;
    struct chunk chunk;                    /* lock */
    /* lock: the open chunk's rows as a run, as far as chunk_run_rows */
    struct run *chunk_run;
    uint32_t chunk_run_rows;
    JournalPos position, end;              /* lock */
    uint64_t generation;                   /* maintaining: makes file names unique */
    struct work seal, merge, erase;        /* maintaining */
    uint64_t seals, merges, merged_rows;   /* lock */
    struct index_trouble trouble;
};

/* ---- Files ---- */

static void file_path(const struct index *index, const char *name, char *path)
{
    snprintf(path, PATH_MAX, "%s/%s", index->options.dir, name);
}

/* onym index 1 / position P / generation G / one line a run / crc: as text, so that a person can read it. */
static Status write_manifest(struct index *index, JournalPos position, struct run *const *files,
                             uint32_t file_count, Err *err)
{
    char path[PATH_MAX];
    struct buf text;
    buf_init(&text, MANIFEST_BYTES_MAX);
    buf_printf(&text, "onym index 1\nposition %" PRIu64 "\ngeneration %" PRIu64 "\n", position,
               index->generation);
    for (uint32_t at = 0; at < file_count; at++) buf_printf(&text, "run %s\n", files[at]->name);
    buf_printf(&text, "crc %08x\n", crc32c_of(0, buf_str(&text)));
    file_path(index, "MANIFEST", path);
    Status s = buf_ok(&text) ? disk_write_file(index->options.disk, path, buf_str(&text), err)
                             : err_set(err, ERR_TOO_LARGE, "index %s: too many files", index->options.dir);
    buf_done(&text);
    return s;
}

static bool take_number(Str line, Str word, uint64_t *ret)
{
    int64_t number;
    if (!str_starts(line, word) || !str_parse_int(str_slice(line, word.len, line.len), 0, INT64_MAX, &number))
        return false;
    *ret = (uint64_t)number;
    return true;
}

static Status bad_manifest(const struct index *index, Err *err)
{
    return err_set(err, ERR_DAMAGED,
                   "index %s: the MANIFEST is broken; remove the directory to have it rebuilt",
                   index->options.dir);
}

static Status open_run_named(struct index *index, Str name, Err *err)
{
    char text[64];
    struct run *run;
    if (name.len >= sizeof text || index->run_count == RUN_COUNT_MAX) return bad_manifest(index, err);
    memcpy(text, name.bytes, name.len);
    text[name.len] = 0;
    if (memchr(text, '/', name.len)) return bad_manifest(index, err);
    Status s = run_open_file(index->options.disk, index->options.dir, text, &run, err);
    if (s) return err_wrap(err, s == ERR_NOT_FOUND ? ERR_DAMAGED : s, "index %s", index->options.dir);
    index->runs[index->run_count++] = run;
    index->file_count++;
    /* A file's name says which part of the journal it has: so files whose names were exchanged are noticed. */
    char stretch[40];
    snprintf(stretch, sizeof stretch, "%016" PRIx64 "-%016" PRIx64 "-", run->view.from_pos, run->view.to_pos);
    if (!str_starts(name, str_from(stretch)))
        return err_set(err, ERR_DAMAGED, "index file %s: it is not what its name says", text);
    run->trouble = &index->trouble;
    return OK;
}

static Status read_manifest(struct index *index, Str text, Err *err)
{
    Str rest = text, line;
    size_t crc_at = text.len > 13 ? text.len - 13 : 0;             /* "crc 01234567\n" */
    char crc[16];
    snprintf(crc, sizeof crc, "crc %08x\n", crc32c_of(0, str_slice(text, 0, crc_at)));
    if (!str_equal(str_slice(text, crc_at, text.len), str_from(crc))) return bad_manifest(index, err);
    rest = str_slice(text, 0, crc_at);
    if (!str_equal(str_cut(rest, '\n', &rest), STR("onym index 1")))
        return err_set(err, ERR_UNSUPPORTED, "index %s: written by a newer version", index->options.dir);
    if (!take_number(str_cut(rest, '\n', &rest), STR("position "), &index->position))
        return bad_manifest(index, err);
    if (!take_number(str_cut(rest, '\n', &rest), STR("generation "), &index->generation))
        return bad_manifest(index, err);
    while (rest.len) {
        line = str_cut(rest, '\n', &rest);
        if (!str_starts(line, STR("run "))) return bad_manifest(index, err);
        Status s = open_run_named(index, str_slice(line, 4, line.len), err);
        if (s) return s;
    }
    return OK;
}

/* Removes what a crash left: temporary files, and runs that the MANIFEST does not name. */
static Status remove_strangers(struct index *index, Arena scratch, Err *err)
{
    DiskEntry *entries;
    size_t count;
    char path[PATH_MAX];
    Status s
        = index->options.disk->list(index->options.disk, index->options.dir, &scratch, &entries, &count, err);
    for (size_t at = 0; !s && at < count; at++) {
        bool is_known = str_equal(entries[at].name, STR("MANIFEST")) || entries[at].is_dir;
        for (uint32_t run = 0; run < index->run_count && !is_known; run++)
            is_known = str_equal(entries[at].name, str_from(index->runs[run]->name));
        if (is_known || !(str_ends(entries[at].name, STR(".run")) || str_ends(entries[at].name, STR(".tmp"))))
            continue;
        snprintf(path, sizeof path, "%s/%.*s", index->options.dir, STR_FORMAT(entries[at].name));
        s = index->options.disk->remove(index->options.disk, path, err);
    }
    return s;
}

/* ---- Opening ---- */

static Status read_directory(struct index *index, Err *err)
{
    char path[PATH_MAX];
    struct region region;
    Str text = { 0 };
    struct disk *disk = index->options.disk;
    Status s = index->options.is_read_only ? OK : disk->make_dir(disk, index->options.dir, err);
    if (s) return s;
    region_open(&region, MANIFEST_BYTES_MAX * 4);
    Arena arena = region_arena(&region);
    file_path(index, "MANIFEST", path);
    s = disk_read_file(disk, path, MANIFEST_BYTES_MAX, &arena, &text, err);
    if (s == ERR_NOT_FOUND && !index->options.is_read_only) s = OK;        /* a new index */
    else if (!s) s = read_manifest(index, text, err);
    if (!s && !index->options.is_read_only) s = remove_strangers(index, arena, err);
    region_close(&region);
    return s;
}

Status index_open(const IndexOptions *options, struct index **ret, Err *err)
{
    struct index *index = calloc(1, sizeof *index);
    struct run **runs = calloc(RUN_COUNT_MAX + MEMORY_RUNS_MAX + 2, sizeof(struct run *));
    if (!index || !runs) {
        free(index);
        free(runs);
        return err_set(err, ERR_TOO_LARGE, "index: no memory");
    }
    index->runs = runs;
    index->options = *options;
    if (!index->options.chunk_rows) index->options.chunk_rows = 16384;
    if (!index->options.seal_rows) index->options.seal_rows = 262144;
    if (!index->options.merge_fan) index->options.merge_fan = 8;
    if (!index->options.merge_rows_max) index->options.merge_rows_max = 1 << 27;
    check(index->options.merge_fan >= 2 && index->options.merge_fan <= MERGE_RUNS_MAX);
    check(index->options.merge_rows_max <= RUN_ROWS_MAX);
    pthread_mutex_init(&index->trouble.lock, NULL);
    pthread_mutex_init(&index->lock, NULL);
    pthread_mutex_init(&index->maintaining, NULL);
    chunk_open(&index->chunk, index->options.chunk_rows);
    Status s = read_directory(index, err);
    if (s) {
        index_close(index);
        return s;
    }
    index->end = index->position;
    chunk_clear(&index->chunk, index->position);
    *ret = index;
    return OK;
}

static void work_abandon(struct index *index, struct work *work)
{
    char path[PATH_MAX], name[80];
    if (!work->merge) return;
    merge_close(work->merge);
    index->options.disk->close(index->options.disk, work->file);
    snprintf(name, sizeof name, "%s.tmp", work->name);
    file_path(index, name, path);
    /* the next start removes it, too */
    (void)index->options.disk->remove(index->options.disk, path, NULL);
    *work = (struct work){ 0 };
}

void index_close(struct index *index)
{
    if (!index) return;
    work_abandon(index, &index->seal);
    work_abandon(index, &index->merge);
    work_abandon(index, &index->erase);
    for (uint32_t at = 0; at < index->run_count; at++) run_release(index->runs[at]);
    run_release(index->chunk_run);
    chunk_close(&index->chunk);
    pthread_mutex_destroy(&index->lock);
    pthread_mutex_destroy(&index->trouble.lock);
    pthread_mutex_destroy(&index->maintaining);
    free(index->runs);
    free(index);
}

const char *index_damage(struct index *index)
{
    Err err;
    if (guard_any_cut()) {
        pthread_mutex_lock(&index->lock);
        for (uint32_t at = 0; at < index->file_count; at++) IGNORE(run_refuse_cut(index->runs[at], &err));
        pthread_mutex_unlock(&index->lock);
    }
    return atomic_load(&index->trouble.is_damaged) ? index->trouble.text : NULL;
}

/* ---- Writing ---- */

JournalPos index_position(struct index *index)
{
    pthread_mutex_lock(&index->lock);
    JournalPos position = index->position;
    pthread_mutex_unlock(&index->lock);
    return position;
}

JournalPos index_end(struct index *index)
{
    pthread_mutex_lock(&index->lock);
    JournalPos end = index->end;
    pthread_mutex_unlock(&index->lock);
    return end;
}

JournalPos index_needed(struct index *index)
{
    pthread_mutex_lock(&index->lock);
    bool has_rows = index->chunk.row_count || index->run_count > index->file_count;
    JournalPos position = has_rows ? index->position : UINT64_MAX;
    pthread_mutex_unlock(&index->lock);
    return position;
}

/* Makes a run of the open chunk's rows; the caller holds the lock. */
static Status encode_chunk(struct index *index, Err *err)
{
    struct buf image;
    struct run *run;
    if (index->chunk_run && index->chunk_run_rows == index->chunk.row_count) return OK;
    buf_init(&image, (size_t)1 << 30);
    Status s = chunk_encode(&index->chunk, &image, err);
    if (!s) s = run_open_memory(&image, &run, err);
    buf_done(&image);
    if (s) return s;
    run_release(index->chunk_run);
    run->trouble = &index->trouble;
    index->chunk_run = run;
    index->chunk_run_rows = index->chunk.row_count;
    return OK;
}

/* Makes the open chunk a run in memory; the caller holds the lock. */
static Status close_chunk(struct index *index, Err *err)
{
    if (index->chunk.row_count == 0) return OK;
    if (index->run_count - index->file_count >= MEMORY_RUNS_MAX)
        return err_set(err, ERR_RATE, "index %s: %d runs wait in memory to be written", index->options.dir,
                       MEMORY_RUNS_MAX);
    Status s = encode_chunk(index, err);
    if (s) return s;
    index->runs[index->run_count++] = index->chunk_run;
    index->chunk_run = NULL;
    chunk_clear(&index->chunk, index->end);
    return OK;
}

Status index_append(struct index *index, Subject subject, const Event *event, JournalPos pos,
                    JournalPos next, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&index->lock);
    if (pos >= index->end) {
        if (chunk_is_full(&index->chunk)) s = close_chunk(index, err);
        if (!s) {
            chunk_append(&index->chunk, subject, event, pos, next);
            index->end = next;
        }
    }
    pthread_mutex_unlock(&index->lock);
    return s;
}

static uint64_t memory_rows(const struct index *index)
{
    uint64_t rows = 0;
    for (uint32_t at = index->file_count; at < index->run_count; at++)
        rows += index->runs[at]->view.row_count;
    return rows;
}

bool index_wants_maintenance(struct index *index)
{
    pthread_mutex_lock(&index->lock);
    bool wants = memory_rows(index) >= index->options.seal_rows;
    pthread_mutex_unlock(&index->lock);
    return wants;
}

/* ---- Maintaining ---- */

static Status work_begin(struct index *index, struct work *work, int level, const IndexErase *erase, Err *err)
{
    char path[PATH_MAX], name[80];
    struct disk *disk = index->options.disk;
    const IndexRun *first = &work->runs[0]->view, *last = &work->runs[work->run_count - 1]->view;
    snprintf(work->name, sizeof work->name, "%016" PRIx64 "-%016" PRIx64 "-%" PRIx64 ".run", first->from_pos,
             last->to_pos,
             ++index->generation & 0xffffffff);
    snprintf(name, sizeof name, "%s.tmp", work->name);
    file_path(index, name, path);
    Status s = disk->remove(disk, path, err);                      /* a crash may have left it */
    if (!s) s = disk->open(disk, path, DISK_CREATE, &work->file, err);
    if (s) return s;
    MergeOptions options
        = { .runs = work->runs, .run_count = work->run_count, .disk = disk, .file = work->file,
                             .level = level, .erase = erase };
    s = merge_open(&options, &work->merge, err);
    if (!s) return OK;
    disk->close(disk, work->file);
    (void)disk->remove(disk, path, NULL);
    *work = (struct work){ 0 };
    return s;
}

/* Puts the run in the place of the work's sources: in the list, the files, the MANIFEST and memory. NULL: nothing
 * is left of them. */
static Status work_replace(struct index *index, struct work *work, struct run *run, Err *err)
{
    uint32_t first = 0, file_count = index->file_count, made = run != NULL;  /* only the maintainer changes the files */
    bool is_seal = work == &index->seal;
    if (is_seal) first = file_count;
    else while (index->runs[first] != work->runs[0]) check(++first < file_count);
    if (work->run_count > index->run_count - first)                /* its runs are not there any more */
        return err_set(err, ERR_CONFLICT, "index %s: a piece of work is about runs that are gone",
                       index->options.dir);
    struct run **files = calloc(RUN_COUNT_MAX + 1, sizeof(struct run *));
    if (!files) return err_set(err, ERR_TOO_LARGE, "no memory");
    memcpy(files, index->runs, first * sizeof *files);
    files[first] = run;
    uint32_t behind = is_seal ? 0 : file_count - first - work->run_count;
    memcpy(files + first + made, index->runs + first + work->run_count, behind * sizeof *files);
    JournalPos position = is_seal ? run->view.to_pos : index->position;
    Status s = write_manifest(index, position, files, first + made + behind, err);
    free(files);
    if (s) return s;
    pthread_mutex_lock(&index->lock);
    memmove(index->runs + first + made, index->runs + first + work->run_count,
            (index->run_count - first - work->run_count) * sizeof *index->runs);
    if (run) index->runs[first] = run;
    index->run_count = index->run_count - work->run_count + made;
    index->file_count = first + made + behind;
    index->position = position;
    if (is_seal) index->seals++;
    else if (work == &index->merge) index->merges++, index->merged_rows += run->view.row_count;
    pthread_mutex_unlock(&index->lock);
    return OK;
}

/* The merged file is whole: make it durable under its name, name it in the MANIFEST, put it into the list. */
static Status work_publish(struct index *index, struct work *work, Err *err)
{
    char from[PATH_MAX], to[PATH_MAX], name[80];
    struct disk *disk = index->options.disk;
    struct run *run = NULL;
    snprintf(name, sizeof name, "%s.tmp", work->name);
    file_path(index, name, from);
    file_path(index, work->name, to);
    for (uint32_t at = 0; at < work->run_count; at++) {
        Status s = run_refuse_cut(work->runs[at], err);            /* else zeros would be written as values */
        if (s) return s;
    }
    if (merge_row_count(work->merge) == 0) {                       /* erasing left nothing */
        Status s = work_replace(index, work, NULL, err);
        if (!s) (void)disk->remove(disk, from, NULL);              /* the next start removes it, too */
        return s;
    }
    Status s = disk->sync(disk, work->file, err);
    if (!s) s = disk->rename(disk, from, to, err);
    if (!s) s = disk->sync_dir(disk, index->options.dir, err);
    if (!s) s = run_open_file(disk, index->options.dir, work->name, &run, err);
    if (!s) run->trouble = &index->trouble;
    if (!s) s = work_replace(index, work, run, err);
    if (s) run_release(run);
    return s;
}

/* Takes one step; after the last one it releases the sources. */
static Status work_step(struct index *index, struct work *work, Err *err)
{
    bool is_done;
    char path[PATH_MAX];
    struct disk *disk = index->options.disk;
    Status s = merge_step(work->merge, &is_done, err);
    if (!s && !is_done) return OK;
    if (!s) s = work_publish(index, work, err);
    if (s) {
        /* sources are untouched; the next try begins anew */
        work_abandon(index, work);
        return err_wrap(err, s, "index %s", index->options.dir);
    }
    merge_close(work->merge);
    disk->close(disk, work->file);
    for (uint32_t at = 0; at < work->run_count; at++) {
        if (run_is_file(work->runs[at])) {
            file_path(index, work->runs[at]->name, path);
            (void)disk->remove(disk, path, NULL);                  /* the next start removes it, too */
        }
        run_release(work->runs[at]);                               /* the list's hold */
    }
    *work = (struct work){ 0 };
    return OK;
}

static uint32_t level_of(const struct index *index, const struct run *run)
{
    uint32_t level = 0;
    for (uint64_t rows = index->options.seal_rows; run->view.row_count >= rows * index->options.merge_fan;
         level++)
        rows *= index->options.merge_fan;
    return level;
}

/* Looks in a stretch of files of at most this level for merge_fan of exactly this level. */
static bool pick_stretch(struct index *index, uint32_t level, struct work *work)
{
    uint32_t count = 0, found = 0;
    uint64_t rows = 0;
    for (uint32_t at = 0; at < index->file_count; at++) {
        struct run *run = index->runs[at];
        uint32_t here = level_of(index, run);
        if (here > level || (count == 0 && here < level) || count == MERGE_RUNS_MAX
            || rows + run->view.row_count > index->options.merge_rows_max) {
            count = found = 0, rows = 0;
            if (here != level) continue;
        }
        work->runs[count++] = run;
        rows += run->view.row_count;
        found += here == level;
        if (found == index->options.merge_fan) {
            work->run_count = count;
            return true;
        }
    }
    return false;
}

static bool pick_merge(struct index *index, struct work *work)
{
    for (uint32_t level = 0; level < 16; level++)
        if (pick_stretch(index, level, work)) return true;
    return false;
}

/* All runs in memory, if there are rows enough. */
static bool pick_seal(struct index *index, struct work *work, uint64_t least_rows)
{
    pthread_mutex_lock(&index->lock);
    bool is_due = index->run_count > index->file_count && memory_rows(index) >= least_rows
               && index->file_count < RUN_COUNT_MAX;
    work->run_count = 0;                       /* a try that failed to begin may have left its own */
    for (uint32_t at = index->file_count; is_due && at < index->run_count; at++)
        work->runs[work->run_count++] = index->runs[at];
    pthread_mutex_unlock(&index->lock);
    return is_due;
}

Status index_maintain(struct index *index, bool *ret_more, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&index->maintaining);
    struct work *work = NULL;
    if (index->seal.merge) work = &index->seal;
    else if (pick_seal(index, &index->seal, index->options.seal_rows)) s
        = work_begin(index, work = &index->seal, LEVEL_SEAL, NULL, err);
    else if (index->merge.merge) work = &index->merge;
    else if (pick_merge(index, &index->merge)) s = work_begin(index, work = &index->merge, LEVEL_MERGE, NULL, err);
    if (!s && work) s = work_step(index, work, err);
    *ret_more = !s && work;
    pthread_mutex_unlock(&index->maintaining);
    return s;
}

/* The maintainer's lock is held. */
static Status seal_all(struct index *index, Err *err)
{
    Status s = OK;
    while (!s && index->seal.merge) s = work_step(index, &index->seal, err);       /* what was under way */
    pthread_mutex_lock(&index->lock);
    if (!s) s = close_chunk(index, err);
    pthread_mutex_unlock(&index->lock);
    if (!s && pick_seal(index, &index->seal, 1)) s = work_begin(index, &index->seal, LEVEL_SEAL, NULL, err);
    while (!s && index->seal.merge) s = work_step(index, &index->seal, err);
    return s;
}

Status index_seal(struct index *index, Err *err)
{
    pthread_mutex_lock(&index->maintaining);
    Status s = seal_all(index, err);
    pthread_mutex_unlock(&index->maintaining);
    return s;
}

/* ---- Erasing ---- */

/* May the run have a row that is to be erased? */
static bool run_is_touched(const IndexRun *run, const IndexErase *erase)
{
    for (size_t at = 0; at < erase->subject_count; at++) {
        uint32_t ordinal;
        (void)index_run_row_of(run, erase->subjects[at], 0, &ordinal);
        if (ordinal < run->subject_count && run->subjects[ordinal] == erase->subjects[at]) return true;
    }
    for (size_t at = 0; at < erase->position_count; at++)
        if (erase->positions[at] >= run->from_pos && erase->positions[at] < run->to_pos) return true;
    return false;
}

Status index_erase(struct index *index, const IndexErase *erase, uint64_t *ret_rows, Err *err)
{
    *ret_rows = 0;
    pthread_mutex_lock(&index->maintaining);
    work_abandon(index, &index->merge);                            /* its sources are about to change */
    Status s = seal_all(index, err);
    for (uint32_t at = 0; !s && at < index->file_count;) {
        struct run *run = index->runs[at];
        uint32_t file_count = index->file_count;
        uint64_t rows = run->view.row_count;
        s = run_check(run, err);
        if (s || !run_is_touched(&run->view, erase)) {
            at++;
            continue;
        }
        index->erase = (struct work){ .runs = { run }, .run_count = 1 };
        s = work_begin(index, &index->erase, LEVEL_MERGE, erase, err);
        while (!s && index->erase.merge) s = work_step(index, &index->erase, err);
        if (s) break;
        bool is_gone = index->file_count < file_count;
        *ret_rows += rows - (is_gone ? 0 : index->runs[at]->view.row_count);
        at += !is_gone;
    }
    pthread_mutex_unlock(&index->maintaining);
    return s;
}

/* ---- Numbers and snapshots ---- */

void index_read_stats(struct index *index, IndexStats *ret)
{
    pthread_mutex_lock(&index->lock);
    *ret = (IndexStats){ .files = index->file_count, .memory_runs = index->run_count - index->file_count,
                         .seals = index->seals, .merges = index->merges, .merged_rows = index->merged_rows,
                         .position = index->position, .end = index->end,
                         .memory_rows = memory_rows(index) + index->chunk.row_count,
                         .unindexed = index->chunk.unindexed_count };
    for (uint32_t at = 0; at < index->run_count; at++) {
        const struct run *run = index->runs[at];
        ret->unindexed += run->view.unindexed_count;
        if (at < index->file_count) ret->file_rows += run->view.row_count, ret->disk_bytes += run->size;
        else ret->memory_bytes += run->size;
    }
    ret->rows = ret->file_rows + ret->memory_rows;
    pthread_mutex_unlock(&index->lock);
}

struct index_snapshot {
    uint32_t run_count;
    struct run *runs[];
};

Status index_snapshot_open(struct index *index, struct index_snapshot **ret, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&index->lock);
    if (index->chunk.row_count > 0) s = encode_chunk(index, err);
    uint32_t count = index->run_count + (index->chunk.row_count > 0);
    struct index_snapshot *snapshot = s ? NULL : calloc(1, sizeof *snapshot + count * sizeof(struct run *));
    if (snapshot) {
        for (uint32_t at = 0; at < count; at++) {
            snapshot->runs[at] = at < index->run_count ? index->runs[at] : index->chunk_run;
            run_hold(snapshot->runs[at]);
        }
        snapshot->run_count = count;
    }
    pthread_mutex_unlock(&index->lock);
    if (!s && !snapshot) s = err_set(err, ERR_TOO_LARGE, "index: no memory for a snapshot");
    for (uint32_t at = 0; !s && at < count; at++) s = run_check(snapshot->runs[at], err);
    if (s) index_snapshot_close(snapshot);
    else *ret = snapshot;
    return s;
}

void index_snapshot_close(struct index_snapshot *snapshot)
{
    if (!snapshot) return;
    for (uint32_t at = 0; at < snapshot->run_count; at++) run_release(snapshot->runs[at]);
    free(snapshot);
}

uint32_t index_snapshot_run_count(const struct index_snapshot *snapshot) { return snapshot->run_count; }

const IndexRun *index_snapshot_run(const struct index_snapshot *snapshot, uint32_t run_index)
{
    check(run_index < snapshot->run_count);
    return &snapshot->runs[run_index]->view;
}

Status index_snapshot_check(const struct index_snapshot *snapshot, Err *err)
{
    Status s = OK;
    for (uint32_t at = 0; !s && at < snapshot->run_count; at++) s = run_refuse_cut(snapshot->runs[at], err);
    return s;
}
