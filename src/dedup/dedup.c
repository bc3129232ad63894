/* dedup: the table in memory, and how a full table becomes a run.
 *
 * The table is open addressing without wrap-around: the home slot is the leading bits of the fingerprint,
 * and after the last home slot there is spare room. So the used slots, read in order and sorted within
 * each cluster, are the run: no other sort is necessary.
 *
 * The manifest ("dedup.runs") is text, a line for each run, oldest first, so that a person can read and repair it:
 *   onym-dedup-runs 2
 *   seed 9f86d081884c7d65
 *   clock 1795942800123 1795942800123
 *   0000000000000040-00000000000c6579.run
 *   crc 1c291ca3
 * clock: the time of the clock after the last run, and the receivedAt that it used last, in milliseconds. If that
 * line is missing (an older version wrote the file) the clock goes on from the runs' last minute.
 */
#include "dedup.h"

#include <stdio.h>
#include <stdlib.h>

#include "dedup_run.h"

enum {
    SPARE_SLOTS = 1024,             /* after the last home slot; the longest cluster stays far below */
    FIRST_SLOTS = 1 << 12,
    STEP_ENTRIES = 64 * 1024,       /* written in one step: 1 MiB */
    RUNS_MAX = 256,
    MERGE_FAN = 4,
    MANIFEST_BYTES = 64 * 1024,
    LEAP_SHARE = 32,                /* of the window: at most this much time passes between two messages */
};
static const Millis CLOCK_SLACK_MS = DAY_MS, STAMP_MOST_MS = (Millis)1 << 48;

struct table {
    struct region region;           /* of the slots: random look-ups are faster with huge pages */
    DedupEntry *slots;
    size_t slot_count, count;       /* slot_count: home slots, a power of two */
    unsigned shift;                 /* 64 - log2(slot_count) */
    JournalPos from, to;
};

/* How much time has passed, as the messages tell. */
struct dedup_clock {
    Millis now_ms;                  /* never goes back; 0: nothing was seen yet */
    Millis stamp_ms;                /* the receivedAt that it used last; 0: none */
};

enum activity { IDLE, FREEZING, FROZEN_DONE, MERGING };

struct dedup {
    DedupOptions options;
    uint32_t window_minutes;
    uint64_t seed;
    struct table active, frozen;
    struct dedup_run runs[RUNS_MAX];            /* oldest first */
    bool is_suspect;                            /* a run is damaged */
    char damage[ERR_TEXT_BYTES];                /* empty: none was found */
    size_t run_count;
    enum activity activity;
    struct dedup_writer writer;
    char writer_name[48];
    size_t frozen_slot;                         /* freezing: the next slot to write */
    size_t merge_first, merge_count;            /* merging: which runs */
    uint64_t merge_at[MERGE_FAN];
    JournalPos position;                        /* end of the newest run in the manifest */
    bool makes_way;                             /* what is in memory is to be written, though the table is not full */
    struct dedup_clock clock, frozen_clock, saved_clock;     /* now; after the frozen table; after position */
};

/* ---- The table ---- */

static void table_open(struct table *table, size_t slot_count)
{
    *table = (struct table){ .slot_count = slot_count, .shift = 64 - (unsigned)__builtin_ctzll(slot_count) };
    region_open_large(&table->region, (slot_count + SPARE_SLOTS) * sizeof *table->slots);
    table->slots = (DedupEntry *)(void *)table->region.start;       /* zeros, as the kernel gives them */
}

static void table_close(struct table *table)
{
    region_close(&table->region);
    *table = (struct table){ 0 };
}

/* The entry of the fingerprint, or the empty slot where it belongs; NULL: no room before the end. */
static DedupEntry *table_slot(const struct table *table, const DedupEntry *wanted)
{
    DedupEntry *slot = table->slots + (wanted->high >> table->shift);
    DedupEntry *end = table->slots + table->slot_count + SPARE_SLOTS;
    while (slot < end && slot->minute && !dedup_entry_same(slot, wanted)) slot++;
    return slot < end ? slot : NULL;
}

static void table_grow(struct table *table)
{
    struct table larger;
    table_open(&larger, table->slot_count * 2);
    for (size_t at = 0; at < table->slot_count + SPARE_SLOTS; at++) {
        if (!table->slots[at].minute) continue;
        DedupEntry *slot = table_slot(&larger, &table->slots[at]);
        check(slot != NULL);
        *slot = table->slots[at];
    }
    larger.count = table->count;
    larger.from = table->from;
    larger.to = table->to;
    table_close(table);
    *table = larger;
}

static void table_put(struct table *table, const DedupEntry *entry)
{
    if (table->count * 10 >= table->slot_count * 7) table_grow(table);
    DedupEntry *slot;
    while (!(slot = table_slot(table, entry))) table_grow(table);
    if (!slot->minute) table->count++;
    *slot = *entry;
}

/* ---- Asking ---- */

Hash128 dedup_fingerprint(const struct dedup *dedup, Str source, Str message_id)
{
    return hash_128(message_id, hash_64(source, dedup->seed));
}

static uint32_t minute_of(const struct dedup_clock *clock)
{
    int64_t minute = clock->now_ms / MINUTE_MS;
    return minute < UINT32_MAX - 1 ? (uint32_t)minute + 1 : UINT32_MAX;
}

/* receivedAt comes from a wall clock, which may be wrong. If it is later than the last one, so much time has passed,
 * but at most a share of the window; if it is earlier by more than slow uploads explain, the clock goes on from
 * there. */
void dedup_pass_time(struct dedup *dedup, Millis received_at_ms)
{
    struct dedup_clock *clock = &dedup->clock;
    Millis stamp_ms = received_at_ms < STAMP_MOST_MS ? received_at_ms : STAMP_MOST_MS;
    Millis leap_ms = (Millis)dedup->window_minutes * MINUTE_MS / LEAP_SHARE;
    if (stamp_ms <= 0) return;                               /* none, or before 1970: it tells nothing */
    if (!clock->now_ms) clock->now_ms = stamp_ms;
    if (!clock->stamp_ms) clock->stamp_ms = stamp_ms;
    Millis ahead_ms = stamp_ms - clock->stamp_ms;
    if (ahead_ms > 0) clock->now_ms += ahead_ms < leap_ms ? ahead_ms : leap_ms;
    if (ahead_ms > 0 || ahead_ms < -CLOCK_SLACK_MS) clock->stamp_ms = stamp_ms;
}

void dedup_prefetch(const struct dedup *dedup, Hash128 fingerprint)
{
    DedupEntry wanted = { fingerprint.high, (uint32_t)fingerprint.low, 0 };
    __builtin_prefetch(dedup->active.slots + (wanted.high >> dedup->active.shift));
    if (dedup->frozen.slots) __builtin_prefetch(dedup->frozen.slots + (wanted.high >> dedup->frozen.shift));
    for (size_t at = 0; at < dedup->run_count; at++) dedup_run_prefetch(&dedup->runs[at], &wanted);
}

static bool is_within_window(const struct dedup *dedup, const DedupEntry *found)
{
    return minute_of(&dedup->clock) <= (uint64_t)found->minute + dedup->window_minutes;
}

bool dedup_add(struct dedup *dedup, Hash128 fingerprint, Millis received_at_ms, JournalPos pos)
{
    dedup_pass_time(dedup, received_at_ms);
    DedupEntry entry = { fingerprint.high, (uint32_t)fingerprint.low, minute_of(&dedup->clock) };
    const DedupEntry *found = table_slot(&dedup->active, &entry);
    if (found && found->minute && is_within_window(dedup, found)) return false;
    if (dedup->frozen.slots) {
        found = table_slot(&dedup->frozen, &entry);
        if (found && found->minute && is_within_window(dedup, found)) return false;
    }
    for (size_t at = dedup->run_count; at-- > 0;) {
        found = dedup_run_find(&dedup->runs[at], &entry);
        dedup->is_suspect |= dedup->runs[at].is_damaged;
        if (found && is_within_window(dedup, found)) return false;
    }
    if (dedup->active.count == 0) dedup->active.from = pos;
    table_put(&dedup->active, &entry);
    return true;
}

/* ---- The manifest ---- */

static void manifest_path(const struct dedup *dedup, char *path, size_t bytes)
{
    snprintf(path, bytes, "%s/dedup.runs", dedup->options.dir);
}

static Status manifest_write(struct dedup *dedup, Err *err)
{
    char path[4200];
    struct buf text;
    buf_init(&text, MANIFEST_BYTES);
    buf_printf(&text, "onym-dedup-runs 2\nseed %016llx\n", (unsigned long long)dedup->seed);
    if (dedup->saved_clock.now_ms)
        buf_printf(&text, "clock %lld %lld\n", (long long)dedup->saved_clock.now_ms,
                   (long long)dedup->saved_clock.stamp_ms);
    for (size_t at = 0; at < dedup->run_count; at++) buf_printf(&text, "%s\n", dedup->runs[at].name);
    buf_printf(&text, "crc %08x\n", crc32c_of(0, buf_str(&text)));
    check(buf_ok(&text));
    manifest_path(dedup, path, sizeof path);
    Status s = disk_write_file(dedup->options.disk, path, buf_str(&text), err);
    buf_done(&text);
    return s;
}

/* Reads the clock's line, if the next line is one. */
static Status parse_clock(struct dedup *dedup, Str *text, Err *err)
{
    Str rest, now, stamp, line = str_cut(*text, '\n', &rest);
    if (!str_starts(line, STR("clock "))) return OK;
    *text = rest;
    now = str_cut(str_slice(line, 6, line.len), ' ', &stamp);
    if (str_parse_int(now, 0, INT64_MAX / 2, &dedup->clock.now_ms) &&
        str_parse_int(stamp, 0, STAMP_MOST_MS, &dedup->clock.stamp_ms)) return OK;
    return err_set(err, ERR_DAMAGED, "its clock is no pair of numbers");
}

static Status manifest_parse(struct dedup *dedup, Str text, Err *err)
{
    char name[48], seed[17] = "", crc[16];
    size_t crc_at = text.len > 13 ? text.len - 13 : 0;       /* "crc 01234567\n" */
    snprintf(crc, sizeof crc, "crc %08x\n", crc32c_of(0, str_slice(text, 0, crc_at)));
    if (!str_equal(str_slice(text, crc_at, text.len), str_from(crc)))
        return err_set(err, ERR_DAMAGED, "it is not what was written");
    text = str_slice(text, 0, crc_at);
    Str line = str_cut(text, '\n', &text);
    if (!str_equal(line, STR("onym-dedup-runs 2"))) return err_set(err, ERR_DAMAGED, "it is no list of runs");
    line = str_cut(text, '\n', &text);
    if (!str_starts(line, STR("seed ")) || line.len != 21) return err_set(err, ERR_DAMAGED, "it has no seed");
    memcpy(seed, line.bytes + 5, 16);
    dedup->seed = strtoull(seed, NULL, 16);
    Status s = parse_clock(dedup, &text, err);
    if (s) return s;
    while ((line = str_cut(text, '\n', &text)).len) {
        if (dedup->run_count == RUNS_MAX || line.len >= sizeof name || memchr(line.bytes, '/', line.len))
            return err_set(err, ERR_DAMAGED, "a line of it is no run");
        memcpy(name, line.bytes, line.len);
        name[line.len] = 0;
        struct dedup_run *run = &dedup->runs[dedup->run_count];
        s = dedup_run_open(dedup->options.disk, dedup->options.dir, name, run, err);
        if (s) return s == ERR_NOT_FOUND ? err_wrap(err, ERR_DAMAGED, "a run is missing") : s;
        dedup->run_count++;
        char stretch[40];
        snprintf(stretch, sizeof stretch, "%016llx-%016llx.run", (unsigned long long)run->from,
                 (unsigned long long)run->to);
        if (!str_equal(line, str_from(stretch))) return err_set(err, ERR_DAMAGED, "a run is not what its name says");
        dedup->position = run->to;
        if (run->minute_most > minute_of(&dedup->clock))
            dedup->clock = (struct dedup_clock){ .now_ms = (run->minute_most - 1) * (Millis)MINUTE_MS };
    }
    dedup->saved_clock = dedup->clock;
    return OK;
}

/* ERR_NOT_FOUND: there is none. */
static Status manifest_read(struct dedup *dedup, Err *err)
{
    char path[4200];
    struct region region;
    Str text;
    manifest_path(dedup, path, sizeof path);
    region_open(&region, 2 * MANIFEST_BYTES);
    Arena arena = region_arena(&region);
    Status s = disk_read_file(dedup->options.disk, path, MANIFEST_BYTES, &arena, &text, err);
    if (s == ERR_TOO_LARGE) s = err_set(err, ERR_DAMAGED, "%s: it is not what was written", path);
    if (!s) {
        s = manifest_parse(dedup, text, err);
        if (s) s = err_wrap(err, s, "%s: onym rebuild makes it again", path);
    }
    region_close(&region);
    return s;
}

Status dedup_verify(const char *dir, struct disk *disk, Err *err)
{
    struct dedup *dedup = calloc(1, sizeof *dedup);
    check(dedup);
    dedup->options = (DedupOptions){ .dir = dir, .disk = disk };
    Status s = manifest_read(dedup, err);
    for (size_t at = 0; !s && at < dedup->run_count; at++) {
        dedup_run_check(&dedup->runs[at]);
        dedup->is_suspect |= dedup->runs[at].is_damaged;
    }
    if (!s && dedup_damage(dedup)) s = err_set(err, ERR_DAMAGED, "%s", dedup_damage(dedup));
    dedup_close(dedup);
    return s;
}

/* Removes files that no manifest names: a crash left an unfinished run, or one that was merged already. */
static Status remove_strays(struct dedup *dedup, Err *err)
{
    struct disk *disk = dedup->options.disk;
    struct region region;
    DiskEntry *entries;
    size_t count;
    region_open(&region, 16 * 1024 * 1024);
    Arena arena = region_arena(&region);
    Status s = disk->list(disk, dedup->options.dir, &arena, &entries, &count, err);
    for (size_t at = 0; !s && at < count; at++) {
        bool is_ours = str_ends(entries[at].name, STR(".run")) || str_ends(entries[at].name, STR(".making"));
        for (size_t run = 0; run < dedup->run_count; run++)
            if (str_equal(entries[at].name, str_from(dedup->runs[run].name))) is_ours = false;
        if (!is_ours) continue;
        Str path = arena_printf(&arena, "%s/%.*s", dedup->options.dir, STR_FORMAT(entries[at].name));
        s = disk->remove(disk, path.bytes, err);
    }
    region_close(&region);
    return s;
}

/* ---- Freezing: a full table becomes a run ---- */

/* Begins the file of a run that holds at most so many entries, from one position to before another. */
static Status open_writer(struct dedup *dedup, uint64_t most_entries, JournalPos from, JournalPos to, Err *err)
{
    DedupWriterOptions options = { .disk = dedup->options.disk, .dir = dedup->options.dir, .name = dedup->writer_name,
                                   .most_entries = most_entries, .from = from, .to = to };
    return dedup_writer_open(&dedup->writer, &options, err);
}

static Status freeze_begin(struct dedup *dedup, JournalPos next, Err *err)
{
    dedup->frozen = dedup->active;
    dedup->frozen.to = next;
    dedup->frozen_clock = dedup->clock;
    table_open(&dedup->active, dedup->frozen.slot_count);     /* it will be as full, so it need not grow */
    snprintf(dedup->writer_name, sizeof dedup->writer_name, "%016llx-%016llx.run",
             (unsigned long long)dedup->position, (unsigned long long)next);
    dedup->frozen_slot = 0;
    dedup->activity = FREEZING;
    return open_writer(dedup, dedup->frozen.count, dedup->position, next, err);
}

static int compare_entries(const void *a, const void *b)
{
    return dedup_entry_before(a, b) ? -1 : dedup_entry_before(b, a);
}

/* Writes clusters until STEP_ENTRIES are written. *ret_done: that was the table's end. */
static Status freeze_some(struct dedup *dedup, bool *ret_done, Err *err)
{
    struct table *table = &dedup->frozen;
    size_t end = table->slot_count + SPARE_SLOTS, at = dedup->frozen_slot, written = 0;
    while (at < end && written < STEP_ENTRIES) {
        if (!table->slots[at].minute) {
            at++;
            continue;
        }
        size_t cluster = at;
        while (at < end && table->slots[at].minute) at++;
        /* The slots stay where lookups expect them: the cluster is sorted in a copy. */
        DedupEntry sorted[SPARE_SLOTS];
        for (size_t from = cluster; from < at;) {
            size_t count = at - from;
            check(count <= countof(sorted));
            memcpy(sorted, table->slots + from, count * sizeof *sorted);
            qsort(sorted, count, sizeof *sorted, compare_entries);
            Status s = dedup_writer_put(&dedup->writer, sorted, count, err);
            if (s) return s;
            from += count;
        }
        written += at - cluster;
    }
    dedup->frozen_slot = at;
    *ret_done = at == end;
    return OK;
}

static Status adopt_run(struct dedup *dedup, size_t first, size_t replaced, Err *err)
{
    struct dedup_run run, old[MERGE_FAN];
    struct disk *disk = dedup->options.disk;
    if (dedup->run_count - replaced == RUNS_MAX) return err_set(err, ERR_TOO_LARGE, "dedup: too many runs");
    Status s = dedup_run_open(disk, dedup->options.dir, dedup->writer_name, &run, err);
    if (s) return s;
    memcpy(old, dedup->runs + first, replaced * sizeof *old);
    size_t behind = dedup->run_count - first - replaced;
    memmove(dedup->runs + first + 1, dedup->runs + first + replaced, behind * sizeof *dedup->runs);
    dedup->runs[first] = run;
    dedup->run_count = dedup->run_count + 1 - replaced;
    s = manifest_write(dedup, err);                     /* the directory is synced with it */
    if (s) {                                            /* as before: the file is not used, and made again */
        memmove(dedup->runs + first + replaced, dedup->runs + first + 1, behind * sizeof *dedup->runs);
        memcpy(dedup->runs + first, old, replaced * sizeof *old);
        dedup->run_count = dedup->run_count + replaced - 1;
        dedup_run_close(disk, &run);
        return s;
    }
    for (size_t at = 0; at < replaced; at++) {
        char path[4300];
        snprintf(path, sizeof path, "%s/%s", dedup->options.dir, old[at].name);
        dedup_run_close(disk, &old[at]);
        (void)disk->remove(disk, path, NULL);           /* if this fails, the next start removes it */
    }
    return OK;
}

/* ---- Merging: four runs of like size become one ---- */

/* By the clock at the place where a replay would begin, not by the present one: what made a replayed message a
 * duplicate must still be there. */
static bool has_expired(const struct dedup *dedup, uint32_t minute)
{
    uint32_t clock = dedup->run_count ? dedup->runs[dedup->run_count - 1].minute_most : 0;
    return (uint64_t)minute + dedup->window_minutes < clock;
}

static unsigned tier_of(const struct dedup *dedup, const struct dedup_run *run)
{
    unsigned tier = 0;
    for (uint64_t size = dedup->options.table_entries; run->count > size; size *= MERGE_FAN) tier++;
    return tier;
}

/* Finds four neighbours, newest first, so that runs stay in the order of positions. */
static bool merge_find(struct dedup *dedup)
{
    for (size_t end = dedup->run_count; end >= MERGE_FAN; end--) {
        unsigned tier = tier_of(dedup, &dedup->runs[end - 1]);
        size_t first = end - MERGE_FAN, same = 0;
        for (size_t at = first; at < end; at++) same += tier_of(dedup, &dedup->runs[at]) == tier;
        if (same != MERGE_FAN) continue;
        dedup->merge_first = first;
        dedup->merge_count = MERGE_FAN;
        return true;
    }
    return false;
}

static Status merge_begin(struct dedup *dedup, Err *err)
{
    uint64_t most = 0;
    const struct dedup_run *first = &dedup->runs[dedup->merge_first], *last = first + dedup->merge_count - 1;
    for (size_t at = 0; at < dedup->merge_count; at++) most += first[at].count;
    memset(dedup->merge_at, 0, sizeof dedup->merge_at);
    snprintf(dedup->writer_name, sizeof dedup->writer_name, "%016llx-%016llx.run",
             (unsigned long long)first->from, (unsigned long long)last->to);
    dedup->activity = MERGING;
    return open_writer(dedup, most, first->from, last->to, err);
}

static Status merge_some(struct dedup *dedup, bool *ret_done, Err *err)
{
    struct dedup_run *runs = &dedup->runs[dedup->merge_first];
    for (size_t written = 0; written < STEP_ENTRIES; written++) {
        const DedupEntry *least = NULL;
        size_t from = 0;
        for (size_t at = 0; at < dedup->merge_count; at++) {
            if (dedup->merge_at[at] == runs[at].count) continue;
            const DedupEntry *entry = dedup_run_entry(&runs[at], dedup->merge_at[at]);
            dedup->is_suspect |= runs[at].is_damaged;
            if (runs[at].is_damaged) return err_set(err, ERR_DAMAGED, "%s", dedup_damage(dedup));
            if (!least || dedup_entry_before(entry, least)) least = entry, from = at;
        }
        *ret_done = !least;
        if (!least) return OK;
        dedup->merge_at[from]++;
        if (has_expired(dedup, least->minute)) continue;
        Status s = dedup_writer_put(&dedup->writer, least, 1, err);
        if (s) return s;
    }
    *ret_done = false;
    return OK;
}

/* Drops runs whose entries are all out of the window: they change no answer any more. */
static Status drop_expired(struct dedup *dedup, Err *err)
{
    size_t dropped = 0;
    while (dropped + 1 < dedup->run_count && has_expired(dedup, dedup->runs[dropped].minute_most)) dropped++;
    if (dropped == 0) return OK;
    struct dedup_run old[RUNS_MAX];
    memcpy(old, dedup->runs, dropped * sizeof *old);
    memmove(dedup->runs, dedup->runs + dropped, (dedup->run_count - dropped) * sizeof *old);
    dedup->run_count -= dropped;
    Status s = manifest_write(dedup, err);
    for (size_t at = 0; at < dropped; at++) {
        char path[4300];
        snprintf(path, sizeof path, "%s/%s", dedup->options.dir, old[at].name);
        dedup_run_close(dedup->options.disk, &old[at]);
        if (!s) (void)dedup->options.disk->remove(dedup->options.disk, path, NULL);
    }
    return s;
}

/* ---- The step ---- */

static Status step_idle(struct dedup *dedup, JournalPos next, bool *ret_more, Err *err)
{
    *ret_more = true;
    bool is_full = dedup->active.count >= dedup->options.table_entries;
    bool is_wanted = is_full || (dedup->makes_way && next > dedup->position);
    if (!dedup->frozen.slots && dedup->active.count && is_wanted) {
        dedup->makes_way = false;
        return freeze_begin(dedup, next, err);
    }
    Status s = drop_expired(dedup, err);
    if (!s && merge_find(dedup)) return merge_begin(dedup, err);
    *ret_more = false;
    return s;
}

static Status step_writing(struct dedup *dedup, Err *err)
{
    bool done;
    Status s = dedup->activity == FREEZING ? freeze_some(dedup, &done, err) : merge_some(dedup, &done, err);
    if (s || !done) return s;
    s = dedup_writer_finish(&dedup->writer, err);
    if (s) return s;
    dedup_writer_drop(&dedup->writer);
    if (dedup->activity == FREEZING) {
        dedup->activity = FROZEN_DONE;
        return OK;
    }
    dedup->activity = IDLE;
    return adopt_run(dedup, dedup->merge_first, dedup->merge_count, err);
}

/* After a failed write a later step begins the run again; nothing in memory is lost. */
static void step_failed(struct dedup *dedup)
{
    dedup_writer_drop(&dedup->writer);
    if (dedup->activity == MERGING) dedup->activity = IDLE;
    if (dedup->activity == FREEZING) {
        dedup->frozen_slot = 0;
        Status s = open_writer(dedup, dedup->frozen.count, dedup->position, dedup->frozen.to, NULL);
        if (s) dedup->writer.is_open = false;
    }
}

Status dedup_step(struct dedup *dedup, JournalPos safe_pos, JournalPos next, bool *ret_more, Err *err)
{
    Status s = OK;
    *ret_more = true;
    switch (dedup->activity) {
    case IDLE:
        s = step_idle(dedup, next, ret_more, err);
        break;
    case FREEZING:
        if (!dedup->writer.is_open)
            s = open_writer(dedup, dedup->frozen.count, dedup->position, dedup->frozen.to, err);
        if (!s) s = step_writing(dedup, err);
        break;
    case MERGING:
        s = step_writing(dedup, err);
        break;
    case FROZEN_DONE:
        if (safe_pos < dedup->frozen.to) {              /* after a crash now, what is in it must be replayed */
            *ret_more = false;
            return OK;
        }
        dedup->saved_clock = dedup->frozen_clock;
        s = adopt_run(dedup, dedup->run_count, 0, err);
        if (s) break;
        dedup->position = dedup->frozen.to;
        table_close(&dedup->frozen);
        dedup->activity = IDLE;
        break;
    }
    if (s) step_failed(dedup);
    return s;
}

/* ---- Opening and closing ---- */

Status dedup_open(const DedupOptions *options, struct dedup **ret, Err *err)
{
    struct dedup *dedup = calloc(1, sizeof *dedup);
    if (!dedup) return err_set(err, ERR_IO, "dedup: no memory");
    dedup->options = *options;
    if (!dedup->options.table_entries) dedup->options.table_entries = DEDUP_TABLE_ENTRIES;
    Millis minutes = options->window_ms / MINUTE_MS;
    dedup->window_minutes = minutes > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)minutes;
    table_open(&dedup->active, FIRST_SLOTS);
    Status s = options->disk->make_dir(options->disk, options->dir, err);
    if (!s) s = manifest_read(dedup, err);
    if (s == ERR_NOT_FOUND) {
        dedup->seed = dice_u64(options->dice);
        s = manifest_write(dedup, err);
    }
    if (!s) s = remove_strays(dedup, err);
    if (s) {
        dedup_close(dedup);
        return s;
    }
    *ret = dedup;
    return OK;
}

void dedup_close(struct dedup *dedup)
{
    if (!dedup) return;
    dedup_writer_drop(&dedup->writer);
    table_close(&dedup->active);
    table_close(&dedup->frozen);
    for (size_t at = 0; at < dedup->run_count; at++) dedup_run_close(dedup->options.disk, &dedup->runs[at]);
    free(dedup);
}

const char *dedup_damage(struct dedup *dedup)
{
    if (!dedup->is_suspect && !guard_any_cut()) return NULL;
    for (size_t at = 0; at < dedup->run_count && !dedup->damage[0]; at++)
        if (dedup->runs[at].is_damaged || guard_was_cut(dedup->runs[at].map))
            snprintf(dedup->damage, sizeof dedup->damage, "%s/%s: its fingerprints are not what was written",
                     dedup->options.dir, dedup->runs[at].name);
    return dedup->damage[0] ? dedup->damage : NULL;
}

JournalPos dedup_position(const struct dedup *dedup) { return dedup->position; }

JournalPos dedup_needed(const struct dedup *dedup)
{
    return dedup->active.count || dedup->frozen.count ? dedup->position : UINT64_MAX;
}

JournalPos dedup_make_way(struct dedup *dedup)
{
    if (dedup->frozen.slots) return dedup->frozen.to;
    dedup->makes_way = dedup->active.count > 0;
    return 0;
}

void dedup_read_stats(const struct dedup *dedup, DedupStats *ret)
{
    *ret = (DedupStats){ .in_memory = dedup->active.count + dedup->frozen.count, .runs = dedup->run_count };
    for (size_t at = 0; at < dedup->run_count; at++) {
        ret->in_runs += dedup->runs[at].count;
        ret->run_bytes += dedup->runs[at].bytes;
    }
}
