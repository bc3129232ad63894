/* dedup_run: one immutable file of sorted fingerprints, with a Bloom filter.
 *
 * Bytes (little-endian):
 *   0   8  magic "ONYMDDP2"
 *   8   8  count of entries
 *  16   8  from: journal position of the first message in it
 *  24   8  to: the position after the last
 *  32   8  filter_blocks: 64-byte blocks of the filter
 *  40   4  least minute of receivedAt in it       (minutes since 1970, plus 1)
 *  44   4  greatest minute
 *  48   8  zeros
 *  56   4  CRC32C of the sums at the end
 *  60   4  CRC32C of bytes 0..59
 *  64      the filter, filter_blocks * 64 bytes
 *  then    the entries, 16 bytes each, ascending by (high, low)
 *  then    the sums: a CRC32C of each DEDUP_CHUNK_BYTES of the filter, then of the entries. A chunk is checked when
 *          it is first used, so that a start need not read what may be gigabytes
 * An entry: high 8 bytes, low 4 bytes of the fingerprint, minute 4 bytes.
 */
#ifndef ONYM_DEDUP_RUN_H
#define ONYM_DEDUP_RUN_H

#include "journal/journal.h"
#include "os/os.h"

enum { DEDUP_CHUNK_BYTES = 64 * 1024 };

typedef struct DedupEntry {
    uint64_t high;
    uint32_t low;
    uint32_t minute;                       /* 0: an empty slot of a table */
} DedupEntry;

_Static_assert(sizeof(DedupEntry) == 16, "an entry is 16 bytes on disk");

static inline bool dedup_entry_before(const DedupEntry *a, const DedupEntry *b)
{
    return a->high != b->high ? a->high < b->high : a->low < b->low;
}

static inline bool dedup_entry_same(const DedupEntry *a, const DedupEntry *b)
{
    return a->high == b->high && a->low == b->low;
}

/* ---- Reading ---- */

struct dedup_run {
    char name[48];
    const unsigned char *map;
    uint64_t bytes, count, filter_blocks;
    JournalPos from, to;
    uint32_t minute_least, minute_most;
    const unsigned char *filter, *sums;
    const DedupEntry *entries;
    unsigned char *checked;                /* one bit for each chunk: its sum is right */
    bool is_damaged;                       /* a chunk's sum is wrong: from then on its answers may be wrong */
};

Status MUST dedup_run_open(struct disk *disk, const char *dir, const char *name, struct dedup_run *ret, Err *err);
void dedup_run_close(struct disk *disk, struct dedup_run *run);
void dedup_run_prefetch(const struct dedup_run *run, const DedupEntry *wanted);
/* The entry of the same fingerprint, the one with the latest minute; NULL: there is none, or the run is damaged. */
const DedupEntry *dedup_run_find(struct dedup_run *run, const DedupEntry *wanted);
/* Checks all of its chunks. */
void dedup_run_check(struct dedup_run *run);
/* The entry at a place below count; any entry if it is damaged. */
const DedupEntry *dedup_run_entry(struct dedup_run *run, uint64_t at);

/* ---- Writing ---- */

/* Takes entries in ascending order and makes a run of them. Zero it before opening. */
struct dedup_writer {
    struct disk *disk;
    DiskFile file;
    bool is_open;
    char path[4200], final_path[4200];
    unsigned char *filter;
    uint64_t filter_blocks, count, most;
    JournalPos from, to;
    uint32_t minute_least, minute_most;
    struct buf pending, sums;              /* sums: of the entries; the filter's come first, at the end */
    uint32_t chunk_sum, chunk_bytes;       /* of the chunk at hand */
};

typedef struct DedupWriterOptions {
    struct disk *disk;
    const char *dir, *name;
    uint64_t most_entries;
    JournalPos from, to;
} DedupWriterOptions;
Status MUST dedup_writer_open(struct dedup_writer *writer, const DedupWriterOptions *options, Err *err);
Status MUST dedup_writer_put(struct dedup_writer *writer, const DedupEntry *entries, size_t count, Err *err);
/* Syncs and renames; whoever writes the manifest syncs the directory. */

Status MUST dedup_writer_finish(struct dedup_writer *writer, Err *err);
void dedup_writer_drop(struct dedup_writer *writer);             /* closes; removes what was not finished */

#endif
