/* segments: opening, submitting and the group commit.
 *
 * A commit is one gathered write, straight from the submitters' buffers, and one fdatasync:
 *
 *     [commit frame] [append 1's frames] [append 2's frames] ... [zeros ahead]
 *
 * The zeros: if commits are small, every 256 KiB one of them also writes 256 KiB of zeros after itself.
 * The commits after it overwrite blocks that exist already, so that fdatasync has no new size and no new
 * blocks to make durable. Measured here (ext4, a virtual disk, one commit at a time, mean of two runs):
 *     600 bytes: plain append 305 us, fallocate'd 220 us, zeros ahead 186 us
 *     6,000:     plain append 316 us, fallocate'd 300 us, zeros ahead 167 us
 *     54,000:    plain append 381 us, fallocate'd 413 us, zeros ahead 285 us
 *     1 MiB:     no difference; so large commits do without. */
#include "segments_private.h"

#include <stdio.h>

enum {
    AHEAD_BYTES = 256 * 1024,
    AHEAD_COMMIT_BYTES_MAX = 128 * 1024,
    FULL_PAUSE_MS = 1000, FAILING_MS = 10000,
    FREE_CHECK_MS = 100,
    CLOCK_JUMP_MS = DAY_MS,
};

/* ---- Opening and closing ---- */

static void set_defaults(SegmentsOptions *options)
{
    if (options->segment_bytes == 0) options->segment_bytes = 128 << 20;
    if (options->segment_bytes > LIMIT_SEGMENT_BYTES) options->segment_bytes = LIMIT_SEGMENT_BYTES;
    if (options->seal_level == 0) options->seal_level = 3;
    if (options->reserve_bytes == 0) options->reserve_bytes = 64 << 20;
}

static void init_locks(struct segments *journal)
{
    pthread_condattr_t monotonic;
    check(pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_mutex_init(&journal->lock, NULL) == 0);
    check(pthread_mutex_init(&journal->writing, NULL) == 0);
    check(pthread_mutex_init(&journal->maintaining, NULL) == 0);
    check(pthread_cond_init(&journal->submitted, &monotonic) == 0);
    check(pthread_cond_init(&journal->durable, &monotonic) == 0);
    check(pthread_cond_init(&journal->resting, &monotonic) == 0);
    check(pthread_condattr_destroy(&monotonic) == 0);
}

Status segments_create(const SegmentsOptions *options, struct segments **ret, Err *err)
{
    if (strlen(options->dir) + NAME_BYTES + sizeof "/.journal.zst.tmp" > SEGMENTS_PATH_BYTES)
        return err_set(err, ERR_TOO_LARGE, "journal %.100s...: the path is too long", options->dir);
    struct region self;
    region_open(&self, sizeof(struct segments));          /* zeroed */
    struct segments *journal = (struct segments *)(void *)self.start;
    journal->base.backend = &segments_backend;
    journal->self = self;
    journal->options = *options;
    set_defaults(&journal->options);
    journal->disk = options->disk;
    journal->dir = options->dir;
    journal->pending_end = &journal->pending;
    init_locks(journal);
    segment_table_open(&journal->segments);
    *ret = journal;
    return OK;
}

/* "a/b" becomes "a", "a" becomes ".". */
static void cut_to_parent(char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') path[--len] = 0;
    char *slash = strrchr(path, '/');
    if (slash) slash[slash == path] = 0;
    else memcpy(path, ".", 2);
}

/* Makes the directory, and its name in its parent, durable before anything in it counts; and the parent's name, since
 * the data directory may be as new. That one lies in a directory which is not Onym's, and which it may not be allowed
 * to open: then whoever made it has seen to it. */
static Status make_dir(struct segments *journal, Err *err)
{
    char parent[SEGMENTS_PATH_BYTES];
    struct disk *disk = journal->disk;
    Status s = disk->make_dir(disk, journal->dir, err);
    if (s) return s;
    snprintf(parent, sizeof parent, "%s", journal->dir);
    cut_to_parent(parent);
    s = disk->sync_dir(disk, parent, err);
    if (s) (void)disk->remove(disk, journal->dir, NULL);     /* if it is new and empty, so that it is made again */
    if (s || !strcmp(parent, ".")) return s;
    cut_to_parent(parent);
    IGNORE(disk->sync_dir(disk, parent, NULL));
    return OK;
}

Status segments_take_lock(struct segments *journal, Err *err)
{
    char path[SEGMENTS_PATH_BYTES];
    struct disk *disk = journal->disk;
    Status s = make_dir(journal, err);
    if (s) return s;
    snprintf(path, sizeof path, "%s/lock", journal->dir);
    s = disk->open(disk, path, DISK_OPEN_OR_CREATE, &journal->lock_file, err);
    if (s) return s;
    journal->has_lock_file = true;
    return disk->lock(disk, journal->lock_file, err);
}

Status segments_open(const SegmentsOptions *options, struct journal **ret, SegmentsRecovery *ret_recovery, Err *err)
{
    struct segments *journal;
    SegmentsRecovery recovery = { 0 };
    Status s = segments_create(options, &journal, err);
    if (s) return s;
    region_open(&journal->buffers, AHEAD_BYTES + (GROUP_APPENDS_MAX + 2) * sizeof(Str));
    journal->zeros = journal->buffers.start;
    journal->parts = (Str *)(void *)(journal->buffers.start + AHEAD_BYTES);
    s = segments_take_lock(journal, err);
    if (!s) s = segments_recover(journal, &recovery, err);
    if (!s) s = segments_clock_begin(journal, err);
    if (s) {
        segments_close(journal);
        return err_wrap(err, s, "journal %s", options->dir);
    }
    if (ret_recovery) *ret_recovery = recovery;
    *ret = &journal->base;
    return OK;
}

static void fail_pending(struct segments *journal, Status status)
{
    pthread_mutex_lock(&journal->lock);
    struct journal_append *append = journal->pending;
    journal->pending = NULL;
    journal->pending_end = &journal->pending;
    pthread_mutex_unlock(&journal->lock);
    while (append) {
        struct journal_append *next = append->next;     /* the callback may free it */
        append->on_durable(append, status, 0);
        append = next;
    }
}

static Status commit_write(struct segments *journal, struct journal_append *group, Err *err);
static Status cut_back(struct segments *journal, Err *err);

/* Writes a mark: an empty commit, which proves at the next start that all before it had been synced. If it fails,
 * only that proof is lost. */
static void close_tail(struct segments *journal)
{
    struct disk *disk = journal->disk;
    struct segments_tail *tail = &journal->tail;
    if (!tail->is_open) return;
    tail->is_last = true;
    Status s = journal->is_poisoned ? ERR_CLOSED : tail->needs_cut ? cut_back(journal, NULL) : OK;
    if (!s && tail->has_commits) s = commit_write(journal, NULL, NULL);
    if (!s && tail->ahead > tail->used) s = disk->truncate(disk, tail->file, tail->used, NULL);
    if (!s && tail->ahead > tail->used) s = disk->sync(disk, tail->file, NULL);
    disk->close(disk, tail->file);
    tail->is_open = false;
}

void segments_close(struct segments *journal)
{
    if (!journal) return;
    pthread_mutex_lock(&journal->lock);
    journal->is_closing = true;
    pthread_cond_broadcast(&journal->submitted);
    pthread_cond_broadcast(&journal->durable);
    pthread_cond_broadcast(&journal->resting);
    pthread_mutex_unlock(&journal->lock);
    fail_pending(journal, ERR_CLOSED);
    segments_seal_abort(journal);
    if (journal->has_lock_file) IGNORE(segments_clock_keep(journal, true, NULL));
    close_tail(journal);
    segments_source_done(&journal->follow.source);
    if (journal->has_lock_file) journal->disk->close(journal->disk, journal->lock_file);
    segment_table_close(&journal->segments);
    region_close(&journal->buffers);
    pthread_cond_destroy(&journal->resting);
    pthread_cond_destroy(&journal->durable);
    pthread_cond_destroy(&journal->submitted);
    pthread_mutex_destroy(&journal->maintaining);
    pthread_mutex_destroy(&journal->writing);
    pthread_mutex_destroy(&journal->lock);
    struct region self = journal->self;
    region_close(&self);
}

/* ---- Submitting ---- */

Status segments_submit(struct segments *journal, struct journal_append *append, Err *err)
{
    check(!journal->is_read_only);
    append->next = NULL;
    pthread_mutex_lock(&journal->lock);
    Status s = OK;
    if (journal->is_poisoned)
        s = err_set(err, ERR_CLOSED, "journal %s: a sync failed; start again to recover", journal->dir);
    else if (journal->is_closing)
        s = err_set(err, ERR_CLOSED, "journal %s: Onym is stopping; try again when it runs", journal->dir);
    else if (journal->is_astray && clock_monotonic_ns(journal->options.clock) < journal->astray_until_ns)
        s = err_set(err, ERR_CLOSED, "the journal's file was moved, removed or replaced under the server: nothing is "
                    "kept until it is back; the log says more");
    else if (journal->is_full && clock_monotonic_ns(journal->options.clock) < journal->full_until_ns)
        s = err_set(err, ERR_FULL, "journal %s: the disk is full; writes resume by themselves when there is room",
                    journal->dir);
    if (!s) {
        *journal->pending_end = append;
        journal->pending_end = &append->next;
        if (journal->is_committer_waiting) pthread_cond_signal(&journal->submitted);
    }
    pthread_mutex_unlock(&journal->lock);
    return s;
}

static struct timespec deadline_after(struct segments *journal, Millis timeout_ms)
{
    int64_t at_ns = clock_monotonic_ns(journal->options.clock) + timeout_ms * 1000000;
    return (struct timespec){ at_ns / 1000000000, at_ns % 1000000000 };
}

bool segments_wait_submitted(struct segments *journal, Millis timeout_ms)
{
    struct timespec deadline = timeout_ms > 0 ? deadline_after(journal, timeout_ms) : (struct timespec){ 0 };
    pthread_mutex_lock(&journal->lock);
    journal->is_committer_waiting = true;
    while (timeout_ms > 0 && !journal->pending && !journal->is_woken && !journal->is_closing)
        if (pthread_cond_timedwait(&journal->submitted, &journal->lock, &deadline) != 0) break;
    journal->is_committer_waiting = journal->is_woken = false;
    bool is_work = journal->pending != NULL;
    pthread_mutex_unlock(&journal->lock);
    return is_work;
}

void segments_wake(struct segments *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->is_woken = true;
    pthread_cond_broadcast(&journal->submitted);
    pthread_mutex_unlock(&journal->lock);
}

/* ---- The group commit ---- */

Millis segments_stamp(struct segments *journal)
{
    Millis now_ms = segments_clock_look(journal);
    bool went_back = now_ms < journal->committed_at_ms && now_ms > journal->committed_at_ms - CLOCK_JUMP_MS;
    return went_back ? journal->committed_at_ms : now_ms;
}

void segments_poison(struct segments *journal, const Err *why)
{
    pthread_mutex_lock(&journal->lock);
    journal->is_poisoned = true;
    if (!journal->poisoned_why[0])
        snprintf(journal->poisoned_why, sizeof journal->poisoned_why, "%s", why ? why->text : "a sync failed");
    journal->stats.sync_failures++;
    pthread_mutex_unlock(&journal->lock);
}

/* Takes what one commit may hold; the rest stays for the next. */
static struct journal_append *take_group(struct segments *journal)
{
    uint64_t bytes = 0;
    size_t count = 0;
    pthread_mutex_lock(&journal->lock);
    struct journal_append *group = journal->pending, **end = &group;
    const uint64_t most = LIMIT_COMMIT_BYTES - COMMIT_FRAME_BYTES;
    while (*end && count < GROUP_APPENDS_MAX && bytes + (*end)->frames.len <= most) {
        bytes += (*end)->frames.len;
        count++;
        end = &(*end)->next;
    }
    journal->pending = *end;
    if (!*end) journal->pending_end = &journal->pending;
    else *end = NULL;
    pthread_mutex_unlock(&journal->lock);
    return group;
}

/* What the group adds to the open segment. */
struct commit {
    char frame[COMMIT_FRAME_BYTES];
    size_t part_count;              /* of journal->parts, without the zeros */
    uint64_t bytes, record_count, record_bytes;
    uint32_t chain;
    Millis committed_at_ms;
};

static void commit_measure(const struct journal_append *group, struct commit *commit)
{
    commit->bytes = COMMIT_FRAME_BYTES;
    for (; group; group = group->next) {
        commit->bytes += group->frames.len;
        commit->record_count += group->record_count;
    }
    commit->record_bytes = commit->bytes - COMMIT_FRAME_BYTES;
}

/* Fills in every checksum of the group, in place, and lists what is to be written. */
static void commit_chain(struct segments *journal, const struct journal_append *group, struct commit *commit)
{
    struct segments_tail *tail = &journal->tail;
    Str *part = journal->parts;
    commit->committed_at_ms = segments_stamp(journal);
    segments_encode_commit(&(SegmentCommit){
        .position = tail->base + tail->used, .committed_at_ms = commit->committed_at_ms,
        .records_before = journal->records, .record_count = (uint32_t)commit->record_count, .salt = tail->salt,
    }, commit->frame);
    *part++ = str_of(commit->frame, COMMIT_FRAME_BYTES);
    commit->chain = segments_chain_frames(journal->parts[0], tail->chain, tail->salt);
    for (; group; group = group->next) {
        if (group->frames.len == 0) continue;
        *part = buf_str(&group->frames);
        commit->chain = segments_chain_frames(*part++, commit->chain, tail->salt);
    }
    commit->part_count = (size_t)(part - journal->parts);
}

/* Asks for the free space from time to time, and always while it is short. */
static Status commit_check_room(struct segments *journal, Err *err)
{
    uint64_t free_bytes;
    int64_t now_ns = clock_monotonic_ns(journal->options.clock);
    if (!journal->is_full && journal->free_checked_ns && now_ns - journal->free_checked_ns < FREE_CHECK_MS * 1000000LL)
        return OK;
    if (journal->disk->free_bytes(journal->disk, journal->dir, &free_bytes, NULL)) return OK;  /* the write tells */
    journal->free_checked_ns = now_ns;
    if (free_bytes >= journal->options.reserve_bytes) return OK;
    return err_set(err, ERR_FULL, "%" PRIu64 " bytes are free, %" PRIu64 " are kept in reserve; free space, then "
                   "writes resume by themselves", free_bytes, journal->options.reserve_bytes);
}

/* Cuts off what a failed write may have left after the end. It need not be synced: the next sync covers
 * it, and until then only the remains of this commit can be there (README, point 6). */
static Status cut_back(struct segments *journal, Err *err)
{
    struct segments_tail *tail = &journal->tail;
    Status s = journal->disk->truncate(journal->disk, tail->file, tail->used, err);
    tail->needs_cut = s != OK;
    tail->was_cut = true;
    tail->ahead = tail->used;
    return s;
}

/* Closes the open segment if the group does not fit into it, and makes sure that one is open. */
static Status commit_prepare(struct segments *journal, uint64_t bytes, Err *err)
{
    struct segments_tail *tail = &journal->tail;
    Status s = OK;
    if (tail->is_open && tail->needs_cut) s = cut_back(journal, err);
    bool is_too_much = tail->is_open && tail->used > SEGMENT_HEAD_BYTES && !tail->is_last &&
                       tail->used + bytes > journal->options.segment_bytes;
    if (!s && is_too_much) s = segments_roll(journal, err);
    if (!s && !tail->is_open) s = segments_begin_segment(journal, err);
    return s;
}

static Status commit_put(struct segments *journal, const struct commit *commit, Err *err)
{
    struct segments_tail *tail = &journal->tail;
    struct disk *disk = journal->disk;
    uint64_t behind = tail->used + commit->bytes;
    size_t part_count = commit->part_count;
    bool writes_ahead = behind > tail->ahead && commit->bytes <= AHEAD_COMMIT_BYTES_MAX && !tail->is_last &&
                        behind + AHEAD_BYTES <= journal->options.segment_bytes;
    if (writes_ahead) journal->parts[part_count++] = str_of(journal->zeros, AHEAD_BYTES);
    Status s = disk->write(disk, tail->file, tail->used, journal->parts, part_count, err);
    if (s) {
        (void)cut_back(journal, NULL);                   /* remembered, and tried again before the next write */
        return s;
    }
    if (writes_ahead) tail->ahead = behind + AHEAD_BYTES;
    else if (tail->ahead < behind) tail->ahead = behind;
    Err why = { 0 };
    s = disk->sync(disk, tail->file, &why);
    if (s && err) *err = why;
    if (s) segments_poison(journal, &why);
    else tail->was_cut = false;
    return s;
}

/* Only this moves the end, so readers see only what is durable. */
static void commit_publish(struct segments *journal, const struct commit *commit, int64_t began_ns)
{
    struct segments_tail *tail = &journal->tail;
    uint64_t took_ns = (uint64_t)(clock_monotonic_ns(journal->options.clock) - began_ns);
    tail->chain = commit->chain;
    tail->has_commits = commit->record_count > 0 || tail->has_commits;
    journal->committed_at_ms = commit->committed_at_ms;
    tail->used += commit->bytes;
    pthread_mutex_lock(&journal->lock);
    journal->records += commit->record_count;
    journal->end = tail->base + tail->used;
    Segment *row = &journal->segments.rows[journal->segments.count - 1];
    row->end = journal->end;
    row->disk_bytes = tail->ahead;
    journal->is_full = false;
    journal->failing_until_ns = 0;
    JournalStats *stats = &journal->stats;
    stats->commits++;
    stats->records += commit->record_count;
    stats->record_bytes += commit->record_bytes;
    stats->commit_ns_total += took_ns;
    if (stats->commit_ns_max < took_ns) stats->commit_ns_max = took_ns;
    if (journal->durable_waiters) pthread_cond_broadcast(&journal->durable);
    pthread_mutex_unlock(&journal->lock);
}

static Status commit_write(struct segments *journal, struct journal_append *group, Err *err)
{
    struct commit commit = { 0 };
    int64_t began_ns = clock_monotonic_ns(journal->options.clock);
    commit_measure(group, &commit);
    if (journal->is_poisoned)
        return err_set(err, ERR_CLOSED, "journal %s: a sync failed; start again to recover", journal->dir);
    Status s = commit_check_room(journal, err);
    if (!s && journal->is_astray) s = segments_look_at_place(journal, journal->tail.used, err);
    if (!s) s = commit_prepare(journal, commit.bytes, err);
    if (s) return s;
    commit_chain(journal, group, &commit);
    s = commit_put(journal, &commit, err);
    if (!s) {
        s = segments_look_at_place(journal, journal->tail.used + commit.bytes, err);
        if (s) (void)cut_back(journal, NULL);            /* nobody was told of it, as with a failed write */
    }
    if (!s) commit_publish(journal, &commit, began_ns);
    else for (; group; group = group->next) segments_sum_frames(buf_str(&group->frames));   /* to be submitted again */
    return s;
}

static void note_full(struct segments *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->is_full = true;
    journal->full_until_ns = clock_monotonic_ns(journal->options.clock) + FULL_PAUSE_MS * 1000000LL;
    journal->stats.full_failures++;
    pthread_mutex_unlock(&journal->lock);
}

/* Nothing tells when the trouble is over, and a server that gets no events cannot notice: so it counts for a while. */
static void note_failing(struct segments *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->failing_until_ns = clock_monotonic_ns(journal->options.clock) + FAILING_MS * 1000000LL;
    pthread_mutex_unlock(&journal->lock);
}

Status segments_commit(struct segments *journal, uint64_t *ret_records, Err *err)
{
    uint64_t records = 0;
    Status s = OK;
    pthread_mutex_lock(&journal->writing);
    struct journal_append *group = take_group(journal);
    if (group) s = commit_write(journal, group, err);
    if (s == ERR_FULL) note_full(journal);
    else if (s) note_failing(journal);
    bool is_other = s && s != ERR_FULL && s != ERR_CLOSED;
    if (is_other) s = ERR_IO;                           /* a directory that is gone is not "not found": come back */
    JournalPos end = journal->end, first = end;         /* the group ends at the journal's end */
    if (!s) for (struct journal_append *append = group; append; append = append->next) first -= append->frames.len;
    pthread_mutex_unlock(&journal->writing);
    while (group) {
        struct journal_append *append = group;
        group = append->next;                           /* the callback may free or submit it again */
        size_t bytes = append->frames.len;
        if (!s) records += append->record_count;
        append->on_durable(append, s, s ? 0 : first);
        first += bytes;
    }
    if (ret_records) *ret_records = records;
    return s ? err_wrap(err, s, "journal %s: commit at %" PRIu64, journal->dir, end) : OK;
}

/* ---- Segments begin and end ---- */

Status segments_roll(struct segments *journal, Err *err)
{
    struct segments_tail *tail = &journal->tail;
    struct disk *disk = journal->disk;
    if (!tail->is_open) return OK;
    if (tail->ahead > tail->used || tail->was_cut) {     /* a closed segment has nothing after its frames */
        Status s = cut_back(journal, err);
        if (s) return s;
        Err why = { 0 };
        s = disk->sync(disk, tail->file, &why);
        if (s && err) *err = why;
        if (s) {
            segments_poison(journal, &why);
            return s;
        }
    }
    disk->close(disk, tail->file);
    tail->is_open = false;
    pthread_mutex_lock(&journal->lock);
    journal->segments.rows[journal->segments.count - 1].disk_bytes = tail->used;
    pthread_mutex_unlock(&journal->lock);
    return OK;
}

/* Uses a temporary name, so that nobody ever sees a segment without a whole head, and so that a name which
 * an earlier, failed sync may have lost is made once more. The head is durable before a commit is written
 * after it: recovery relies on that. */
static Status begin_file(struct segments *journal, const char *from, const char *to, Str head, DiskFile *ret, Err *err)
{
    struct disk *disk = journal->disk;
    Status s = disk->open(disk, from, DISK_OPEN_OR_CREATE, ret, err), synced = OK;
    if (s) return s;
    s = disk->truncate(disk, *ret, 0, err);              /* what an earlier try may have left */
    if (!s) s = disk->write(disk, *ret, 0, &head, 1, err);
    if (!s) synced = disk->sync(disk, *ret, err);
    if (!s && !synced) s = disk->rename(disk, from, to, err);
    if (!s && !synced) synced = disk->sync_dir(disk, journal->dir, err);
    if (synced) segments_poison(journal, err);
    if (!s && !synced) return OK;
    disk->close(disk, *ret);
    (void)disk->remove(disk, from, NULL);                /* if this fails, the next try or start removes it */
    return s ? s : synced;
}

Status segments_begin_segment(struct segments *journal, Err *err)
{
    char from[SEGMENTS_PATH_BYTES], to[SEGMENTS_PATH_BYTES], bytes[SEGMENT_HEAD_BYTES];
    DiskFile file;
    SegmentHead head = {
        .has_sums = true, .base = journal->end, .created_at_ms = segments_stamp(journal),
        .records_before = journal->records,
    };
    journal->options.dice->fill(journal->options.dice, &head.salt, sizeof head.salt);
    segments_encode_head(&head, bytes);
    segment_path(from, journal->dir, head.base, SEGMENT_BEGUN);
    segment_path(to, journal->dir, head.base, SEGMENT_RAW);
    Status s = begin_file(journal, from, to, str_of(bytes, sizeof bytes), &file, err);
    if (s) return s;
    journal->tail = (struct segments_tail){
        .file = file, .is_open = true, .base = head.base, .used = SEGMENT_HEAD_BYTES, .ahead = SEGMENT_HEAD_BYTES,
        .chain = head.checksum, .salt = head.salt, .created_at_ms = head.created_at_ms,
    };
    pthread_mutex_lock(&journal->lock);
    segment_table_insert(&journal->segments, (Segment){
        .base = head.base, .end = head.base, .disk_bytes = SEGMENT_HEAD_BYTES, .created_at_ms = head.created_at_ms,
    });
    pthread_mutex_unlock(&journal->lock);
    return OK;
}

/* ---- Numbers ---- */

bool segments_is_poisoned(struct segments *journal, char *text, size_t bytes)
{
    pthread_mutex_lock(&journal->lock);
    bool is_poisoned = journal->is_poisoned || journal->is_maintenance_stopped;
    snprintf(text, bytes, "%s", journal->poisoned_why[0] ? journal->poisoned_why : "a sync of the directory failed");
    pthread_mutex_unlock(&journal->lock);
    return is_poisoned;
}

void segments_read_stats(struct segments *journal, JournalStats *ret)
{
    pthread_mutex_lock(&journal->lock);
    *ret = journal->stats;
    ret->is_poisoned = journal->is_poisoned;
    ret->is_full = journal->is_full;
    ret->is_astray = journal->is_astray;
    ret->is_failing = clock_monotonic_ns(journal->options.clock) < journal->failing_until_ns;
    ret->segments = journal->segments.count;
    for (size_t at = 0; at < journal->segments.count; at++) {
        const Segment *row = &journal->segments.rows[at];
        ret->sealed_segments += row->is_sealed;
        ret->disk_bytes += row->disk_bytes;
        ret->raw_bytes += row->end - row->base;
    }
    ret->first = journal->segments.count ? journal->segments.rows[0].base : journal->end;
    ret->end = journal->end;
    ret->records_ever = journal->records;
    pthread_mutex_unlock(&journal->lock);
}
