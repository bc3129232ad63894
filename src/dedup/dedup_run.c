/* dedup_run: fingerprints are uniformly distributed, so the place of one in a sorted run is guessed
 * from its leading bits and found a few entries away: no index is needed. With one cache line the filter answers
 * "certainly not" for 99 of 100 fingerprints that are not in the run. */
#include "dedup_run.h"

#include <stdio.h>
#include <stdlib.h>

enum { SUM_BYTES = 4, HEAD_BYTES = 64, BLOCK_BYTES = 64, ENTRIES_A_BLOCK = 48, PENDING_BYTES = 1024 * 1024,
       PROBES = 7 };

static const char magic[8] = "ONYMDDP2";

/* ---- The filter: 512-bit blocks, seven bits each ---- */

static uint64_t filter_block(const DedupEntry *entry, uint64_t blocks)
{
    return (uint64_t)(((unsigned __int128)(entry->high * 0x9e3779b97f4a7c15u) * blocks) >> 64);
}

static uint64_t filter_bits(const DedupEntry *entry)
{
    return ((uint64_t)entry->low << 32 | (entry->high & 0xffffffffu)) * 0xd6e8feb86659fd93u;
}

static void filter_add(unsigned char *filter, uint64_t blocks, const DedupEntry *entry)
{
    unsigned char *block = filter + filter_block(entry, blocks) * BLOCK_BYTES;
    uint64_t bits = filter_bits(entry);
    for (int probe = 0; probe < PROBES; probe++, bits >>= 9)
        block[(bits & 511) >> 3] |= (unsigned char)(1 << (bits & 7));
}

static bool filter_may_have(const unsigned char *filter, uint64_t blocks, const DedupEntry *entry)
{
    const unsigned char *block = filter + filter_block(entry, blocks) * BLOCK_BYTES;
    uint64_t bits = filter_bits(entry);
    for (int probe = 0; probe < PROBES; probe++, bits >>= 9)
        if (!(block[(bits & 511) >> 3] & (1 << (bits & 7)))) return false;
    return true;
}

/* ---- Reading ---- */

static uint64_t chunks_of(uint64_t bytes) { return (bytes + DEDUP_CHUNK_BYTES - 1) / DEDUP_CHUNK_BYTES; }

static Status run_read_head(struct dedup_run *run, Err *err)
{
    uint64_t numbers[4];
    uint32_t minutes[2], sum, sums_sum;
    memcpy(numbers, run->map + 8, sizeof numbers);
    memcpy(minutes, run->map + 40, sizeof minutes);
    memcpy(&sum, run->map + 60, sizeof sum);
    memcpy(&sums_sum, run->map + 56, sizeof sums_sum);
    if (memcmp(run->map, magic, sizeof magic) != 0) return err_set(err, ERR_DAMAGED, "it is no run of fingerprints");
    if (crc32c_of(0, str_of(run->map, 60)) != sum) return err_set(err, ERR_DAMAGED, "its head is damaged");
    run->count = numbers[0], run->from = numbers[1], run->to = numbers[2], run->filter_blocks = numbers[3];
    run->minute_least = minutes[0], run->minute_most = minutes[1];
    if (run->filter_blocks == 0 || run->filter_blocks > run->bytes / BLOCK_BYTES || run->count > run->bytes / 16)
        return err_set(err, ERR_DAMAGED, "its size is not what its head says");
    uint64_t filter_bytes = run->filter_blocks * BLOCK_BYTES, entry_bytes = run->count * sizeof(DedupEntry);
    uint64_t chunks = chunks_of(filter_bytes) + chunks_of(entry_bytes);
    if (HEAD_BYTES + filter_bytes + entry_bytes + chunks * SUM_BYTES != run->bytes)
        return err_set(err, ERR_DAMAGED, "its size is not what its head says");
    run->filter = run->map + HEAD_BYTES;
    run->entries = (const DedupEntry *)(const void *)(run->filter + filter_bytes);
    run->sums = (const unsigned char *)run->entries + entry_bytes;
    if (crc32c_of(0, str_of(run->sums, chunks * SUM_BYTES)) != sums_sum)
        return err_set(err, ERR_DAMAGED, "its sums are damaged");
    run->checked = calloc(chunks / 8 + 1, 1);
    return run->checked ? OK : err_set(err, ERR_IO, "no memory for %llu chunks", (unsigned long long)chunks);
}

/* Checks the chunk's checksum, the first time that it is used. chunk: of the filter, and after those, of the entries.
 * */
static void check_chunk(struct dedup_run *run, uint64_t chunk)
{
    if (run->checked[chunk / 8] >> chunk % 8 & 1) return;
    uint64_t filter_bytes = run->filter_blocks * BLOCK_BYTES, filter_chunks = chunks_of(filter_bytes);
    bool is_filter = chunk < filter_chunks;
    uint64_t from = (is_filter ? chunk : chunk - filter_chunks) * DEDUP_CHUNK_BYTES;
    uint64_t all = is_filter ? filter_bytes : run->count * sizeof(DedupEntry);
    const unsigned char *bytes = (is_filter ? run->filter : (const unsigned char *)run->entries) + from;
    uint32_t sum;
    memcpy(&sum, run->sums + chunk * SUM_BYTES, sizeof sum);
    if (crc32c_of(0, str_of(bytes, all - from < DEDUP_CHUNK_BYTES ? all - from : DEDUP_CHUNK_BYTES)) != sum)
        run->is_damaged = true;
    run->checked[chunk / 8] |= (unsigned char)(1 << chunk % 8);
}

void dedup_run_check(struct dedup_run *run)
{
    uint64_t chunks = chunks_of(run->filter_blocks * BLOCK_BYTES) + chunks_of(run->count * sizeof(DedupEntry));
    for (uint64_t chunk = 0; chunk < chunks; chunk++) check_chunk(run, chunk);
}

const DedupEntry *dedup_run_entry(struct dedup_run *run, uint64_t at)
{
    uint64_t filter_chunks = chunks_of(run->filter_blocks * BLOCK_BYTES);
    check_chunk(run, filter_chunks + at * sizeof(DedupEntry) / DEDUP_CHUNK_BYTES);
    return &run->entries[at];
}

Status dedup_run_open(struct disk *disk, const char *dir, const char *name, struct dedup_run *ret, Err *err)
{
    struct dedup_run run = { 0 };
    char path[4200];
    DiskFile file;
    const void *map = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(run.name, sizeof run.name, "%s", name);
    Status s = disk->open(disk, path, DISK_READ, &file, err);
    if (s) return err_wrap(err, s, "dedup run %s", path);
    s = disk->size(disk, file, &run.bytes, err);
    if (!s && run.bytes < HEAD_BYTES) s = err_set(err, ERR_DAMAGED, "it is too short");
    if (!s) s = disk->map(disk, file, run.bytes, &map, err);
    disk->close(disk, file);
    run.map = map;
    if (!s) s = run_read_head(&run, err);
    if (s) {
        dedup_run_close(disk, &run);
        return err_wrap(err, s, "dedup run %s", path);
    }
    *ret = run;
    return OK;
}

void dedup_run_close(struct disk *disk, struct dedup_run *run)
{
    if (run->map) disk->unmap(disk, run->map, run->bytes);
    free(run->checked);
    run->map = NULL;
    run->checked = NULL;
}

void dedup_run_prefetch(const struct dedup_run *run, const DedupEntry *wanted)
{
    __builtin_prefetch(run->filter + filter_block(wanted, run->filter_blocks) * BLOCK_BYTES);
}

/* The first entry that is not before wanted: a guess by the leading bits, then galloping, then bisection. */
static uint64_t run_lower_bound(struct dedup_run *run, const DedupEntry *wanted)
{
    uint64_t low = (uint64_t)(((unsigned __int128)wanted->high * run->count) >> 64), high = low, step = 64;
    while (low > 0 && !dedup_entry_before(dedup_run_entry(run, low), wanted)) {
        high = low;
        low = low > step ? low - step : 0;
        step *= 2;
    }
    for (step = 64; high < run->count && dedup_entry_before(dedup_run_entry(run, high), wanted); step *= 2) {
        low = high;
        high = run->count - high > step ? high + step : run->count;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (dedup_entry_before(dedup_run_entry(run, middle), wanted)) low = middle + 1;
        else high = middle;
    }
    return low;
}

const DedupEntry *dedup_run_find(struct dedup_run *run, const DedupEntry *wanted)
{
    const DedupEntry *latest = NULL;
    if (run->count == 0) return NULL;
    check_chunk(run, filter_block(wanted, run->filter_blocks) * BLOCK_BYTES / DEDUP_CHUNK_BYTES);
    if (!filter_may_have(run->filter, run->filter_blocks, wanted)) return NULL;
    for (uint64_t at = run_lower_bound(run, wanted); at < run->count; at++) {
        const DedupEntry *entry = dedup_run_entry(run, at);
        if (!dedup_entry_same(entry, wanted)) break;
        if (!latest || entry->minute > latest->minute) latest = entry;
    }
    return run->is_damaged ? NULL : latest;
}

/* ---- Writing ---- */

Status dedup_writer_open(struct dedup_writer *writer, const DedupWriterOptions *options, Err *err)
{
    struct disk *disk = options->disk;
    *writer = (struct dedup_writer){ .disk = disk, .most = options->most_entries, .from = options->from,
                                     .to = options->to, .minute_least = UINT32_MAX };
    snprintf(writer->final_path, sizeof writer->final_path, "%s/%s", options->dir, options->name);
    snprintf(writer->path, sizeof writer->path, "%s/%s.making", options->dir, options->name);
    writer->filter_blocks = options->most_entries / ENTRIES_A_BLOCK + 1;
    writer->filter = calloc(writer->filter_blocks, BLOCK_BYTES);
    if (!writer->filter) return err_set(err, ERR_IO, "dedup: no memory for a filter of %llu entries",
                                        (unsigned long long)options->most_entries);
    buf_init(&writer->pending, PENDING_BYTES);
    buf_init(&writer->sums, (size_t)1 << 32);
    Status s = disk->remove(disk, writer->path, err);
    if (!s) s = disk->open(disk, writer->path, DISK_CREATE, &writer->file, err);
    writer->is_open = s == OK;
    if (s) dedup_writer_drop(writer);
    return s;
}

static void end_chunk(struct dedup_writer *writer)
{
    if (!writer->chunk_bytes) return;
    buf_put(&writer->sums, &writer->chunk_sum, SUM_BYTES);
    writer->chunk_sum = writer->chunk_bytes = 0;
}

static void add_to_sums(struct dedup_writer *writer, Str bytes)
{
    while (bytes.len) {
        size_t room = DEDUP_CHUNK_BYTES - writer->chunk_bytes, count = bytes.len < room ? bytes.len : room;
        writer->chunk_sum = crc32c_of(writer->chunk_sum, str_slice(bytes, 0, count));
        writer->chunk_bytes += (uint32_t)count;
        if (writer->chunk_bytes == DEDUP_CHUNK_BYTES) end_chunk(writer);
        bytes = str_slice(bytes, count, bytes.len);
    }
}

static Status writer_flush(struct dedup_writer *writer, Err *err)
{
    Str part = buf_str(&writer->pending);
    if (part.len == 0) return OK;
    uint64_t written = writer->count * sizeof(DedupEntry) - part.len;
    uint64_t offset = HEAD_BYTES + writer->filter_blocks * BLOCK_BYTES + written;
    Status s = writer->disk->write(writer->disk, writer->file, offset, &part, 1, err);
    if (s) return s;
    add_to_sums(writer, part);
    buf_clear(&writer->pending);
    return OK;
}

/* The sums of the filter, which is whole only now, before those of the entries. */
static Status write_sums(struct dedup_writer *writer, uint32_t *ret_sum, Err *err)
{
    struct buf entry_sums = writer->sums;
    uint64_t filter_bytes = writer->filter_blocks * BLOCK_BYTES;
    buf_init(&writer->sums, (size_t)1 << 32);
    add_to_sums(writer, str_of(writer->filter, filter_bytes));
    end_chunk(writer);
    Str parts[] = { buf_str(&writer->sums), buf_str(&entry_sums) };
    *ret_sum = crc32c_of(crc32c_of(0, parts[0]), parts[1]);
    uint64_t offset = HEAD_BYTES + filter_bytes + writer->count * sizeof(DedupEntry);
    Status s = buf_ok(&writer->sums) && buf_ok(&entry_sums)
             ? writer->disk->write(writer->disk, writer->file, offset, parts, countof(parts), err)
             : err_set(err, ERR_IO, "dedup: no memory to write a run");
    buf_done(&entry_sums);
    return s;
}

Status dedup_writer_put(struct dedup_writer *writer, const DedupEntry *entries, size_t count, Err *err)
{
    for (size_t at = 0; at < count; at++) {
        const DedupEntry *entry = &entries[at];
        check(writer->count < writer->most);
        if (writer->pending.len + sizeof *entry > PENDING_BYTES) {
            Status s = writer_flush(writer, err);
            if (s) return s;
        }
        filter_add(writer->filter, writer->filter_blocks, entry);
        buf_put(&writer->pending, entry, sizeof *entry);
        if (!buf_ok(&writer->pending)) return err_set(err, ERR_IO, "dedup: no memory to write a run");
        writer->count++;
        if (entry->minute < writer->minute_least) writer->minute_least = entry->minute;
        if (entry->minute > writer->minute_most) writer->minute_most = entry->minute;
    }
    return OK;
}

Status dedup_writer_finish(struct dedup_writer *writer, Err *err)
{
    unsigned char head[HEAD_BYTES] = { 0 };
    uint64_t numbers[] = { writer->count, writer->from, writer->to, writer->filter_blocks };
    uint32_t minutes[] = { writer->count ? writer->minute_least : 0, writer->minute_most }, sums_sum = 0;
    Status s = writer_flush(writer, err);
    end_chunk(writer);
    if (!s) s = write_sums(writer, &sums_sum, err);
    memcpy(head, magic, sizeof magic);
    memcpy(head + 8, numbers, sizeof numbers);
    memcpy(head + 40, minutes, sizeof minutes);
    memcpy(head + 56, &sums_sum, sizeof sums_sum);
    uint32_t sum = crc32c_of(0, str_of(head, 60));
    memcpy(head + 60, &sum, sizeof sum);
    Str parts[] = { str_of(head, sizeof head), str_of(writer->filter, writer->filter_blocks * BLOCK_BYTES) };
    if (!s) s = writer->disk->write(writer->disk, writer->file, 0, parts, countof(parts), err);
    if (!s) s = writer->disk->sync(writer->disk, writer->file, err);
    if (!s) s = writer->disk->rename(writer->disk, writer->path, writer->final_path, err);
    return s ? err_wrap(err, s, "dedup run %s", writer->final_path) : OK;
}

void dedup_writer_drop(struct dedup_writer *writer)
{
    if (writer->is_open) {
        writer->disk->close(writer->disk, writer->file);
        (void)writer->disk->remove(writer->disk, writer->path, NULL);   /* it is gone already if the run was finished */
    }
    free(writer->filter);
    buf_done(&writer->pending);
    buf_done(&writer->sums);
    *writer = (struct dedup_writer){ 0 };
}
