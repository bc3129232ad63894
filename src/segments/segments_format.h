/* segments_format: the bytes on disk, precise enough to write a second reader. Private to this folder.
 *
 * All integers are little-endian. CRC32C is Castagnoli's, with both inversions (RFC 3720); "a then b" means
 * the checksum of a continued over b.
 *
 * Directory
 *   lock                                  held (fcntl OFD write lock) by the process that writes
 *   oldest                                20 digits and a line feed: the base of the oldest segment; those
 *                                         below it are retired. Missing: 0
 *   lost                                  a line for each range of positions that no segment has any more: from and
 *                                         to, 20 digits each, a space between. An operator has given them up
 *                                         (onym recover --accept-loss); the segment before a range ends
 *                                         at its from, the one after begins at its to. Missing: none
 *   clock, clock-confirmed                what the wall clock did: segments_clock.c. Missing: nothing unusual
 *   <base, 20 decimal digits>.journal     a raw segment: all but the last are closed and exactly
 *                                         (next base - base) bytes long
 *   <base>.journal.zst                    a sealed segment; if the raw one is still there, too, the raw one
 *                                         counts (sealing was not finished)
 *   <base>.journal.tmp, .journal.zst.tmp  a segment that is being begun or sealed, or was given up;
 *                                         removed at the next start
 *   The base is the position of the segment's first byte. The segments follow one another without gaps, except for
 *   those in lost.
 *   Only the oldest are ever removed, and never the newest.
 *
 * Raw segment: a head, then frames, then (in the last segment only) zeros written ahead.
 *
 * Head, 64 bytes
 *    0   8  "OnymJrnl"
 *    8   2  version, 1
 *   10   2  flags: bit 0, frames carry no checksums (only within sealed segments); the others are 0
 *   12   4  salt: random, of this segment
 *   16   8  base
 *   24   8  created_at_ms, since 1970-01-01 UTC: no commit of this segment is older, and (except for a clock
 *           that jumped back by more than a day) no commit of a segment before it is younger
 *   32   8  records_before: how many records the journal had before this segment
 *   40  20  0
 *   60   4  CRC32C of bytes 0..59
 *
 * Frame, at a multiple of 4 bytes from the segment's start
 *    0   4  length of the payload, 1..65536; bit 31 set: a commit frame
 *    4   4  previous: the checksum of the frame before; for the first frame, bytes 60..63 of the head
 *    8   4  checksum: CRC32C of bytes 0..3, then the payload and padding, then bytes 4..7, then the salt
 *   12   n  payload, and zeros up to the next multiple of 4
 *   In that order so that an append's bytes can be summed where it is made, and the commit, which alone
 *   knows the predecessor, adds 8 bytes for each frame. The salt keeps a payload that imitates a frame from
 *   passing for one; the predecessor keeps the remains of an earlier, failed write from passing for
 *   the present.
 *   A length of 0 is the end: in the last segment there are zeros after the last frame.
 *
 * Commit frame: the first frame of each commit (of each write that was followed by a sync); payload of 32:
 *    0   8  position of this frame
 *    8   8  committed_at_ms
 *   16   8  records_before: how many records the journal had before this commit
 *   24   4  record_count as submitted (a crash may have kept fewer); 0: a mark, written when the journal
 *           was closed in good order
 *   28   4  salt, again: so that the frames of a segment whose head is damaged can still be checked
 *
 * Sealed segment: independent zstd frames with content size and checksum, then the seek table of zstd's
 * seekable format (contrib/seekable_format/zstd_seekable_compression_format.md in zstd's source), so that
 * `zstdcat` gives the segment. The first zstd frame holds the head alone, each other one a run of whole
 * frames of at most SEALED_BLOCK_BYTES. The content is that of the raw segment, byte for byte, except:
 * bit 0 of the flags is set (and the head's checksum is its own), and bytes 4..11 of every frame are 0.
 * Those eight bytes are noise to a compressor (13 of 97 bytes an event, measured); the checksum of the zstd
 * frame replaces them.
 *   Seek table: 0x184D2A5E, u32 bytes that follow; for each zstd frame u32 compressed, u32 decompressed
 *   size; u32 number of them, u8 descriptor 0, 0x8F92EAB1.
 */
#ifndef ONYM_SEGMENTS_FORMAT_H
#define ONYM_SEGMENTS_FORMAT_H

#include "segments.h"

enum {
    SEGMENT_VERSION = 1,
    SEGMENT_HEAD_BYTES = 64,
    FRAME_BYTES_MAX = FRAME_HEAD_BYTES + LIMIT_RECORD_BYTES,
    COMMIT_PAYLOAD_BYTES = 32,
    COMMIT_FRAME_BYTES = FRAME_HEAD_BYTES + COMMIT_PAYLOAD_BYTES,
    SEALED_BLOCK_BYTES = 512 * 1024,          /* of raw bytes at most, where we write */
    SEALED_BLOCK_BYTES_MAX = 1024 * 1024,     /* where we read */
    SEALED_BLOCKS_MAX = 1 << 16,
    SEEK_HEAD_BYTES = 8, SEEK_ENTRY_BYTES = 8, SEEK_FOOT_BYTES = 9,
};

#define FRAME_IS_COMMIT 0x80000000u
#define SEEK_HEAD_MAGIC 0x184D2A5Eu
#define SEEK_FOOT_MAGIC 0x8F92EAB1u
#define SEGMENT_MAGIC "OnymJrnl"
#define SEGMENT_HAS_NO_SUMS 1u

_Static_assert(LIMIT_RECORD_BYTES % FRAME_ALIGN == 0, "the largest frame needs no padding");
_Static_assert(SEALED_BLOCK_BYTES >= FRAME_BYTES_MAX, "a block holds the largest frame");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored integers are little-endian; swap here");

static inline uint16_t get_u16(const char *at) { uint16_t value; memcpy(&value, at, sizeof value); return value; }
static inline uint32_t get_u32(const char *at) { uint32_t value; memcpy(&value, at, sizeof value); return value; }
static inline uint64_t get_u64(const char *at) { uint64_t value; memcpy(&value, at, sizeof value); return value; }
static inline void put_u16(char *at, uint16_t value) { memcpy(at, &value, sizeof value); }
static inline void put_u32(char *at, uint32_t value) { memcpy(at, &value, sizeof value); }
static inline void put_u64(char *at, uint64_t value) { memcpy(at, &value, sizeof value); }

typedef struct SegmentHead {
    uint32_t salt, checksum;
    bool has_sums;                  /* its frames carry checksums (raw segments) */
    JournalPos base;
    Millis created_at_ms;
    uint64_t records_before;
} SegmentHead;

/* Writes SEGMENT_HEAD_BYTES; sets head->checksum. */
void segments_encode_head(SegmentHead *head, char *bytes);
/* NULL: it is whole; else what is wrong with it, in words. */
const char *segments_decode_head(const char *bytes, SegmentHead *ret);

typedef struct SegmentFrame {
    uint32_t bytes;                 /* of the whole frame, padding included */
    uint32_t previous, checksum;
    bool is_commit;
    Str payload;                    /* borrowed from what was decoded */
} SegmentFrame;

typedef enum FrameFound {
    FRAME_WHOLE,
    FRAME_BLANK,                    /* zeros: nothing was written here */
    FRAME_CUT,                      /* the bytes end before the frame does; ret->bytes says how many it needs */
    FRAME_BROKEN,
} FrameFound;

/* Decodes the frame at the start of bytes. Does not check its place in the chain. */
FrameFound segments_decode_frame(Str bytes, const SegmentHead *head, SegmentFrame *ret);

typedef struct SegmentCommit {
    JournalPos position;
    Millis committed_at_ms;
    uint64_t records_before;
    uint32_t record_count, salt;
} SegmentCommit;

/* Writes COMMIT_FRAME_BYTES: a frame with its own sum, to be chained. */
void segments_encode_commit(const SegmentCommit *commit, char *frame);
SegmentCommit segments_decode_commit(Str payload);
/* Is there a whole commit frame that names `position` at the start of bytes? With any_salt, the salt
 * that it has is accepted (its segment's head is damaged). */
bool segments_is_commit_at(Str bytes, JournalPos position, uint32_t salt, bool any_salt);

/* Until the commit, frames of an append have their own sum (length and payload) in the checksum's place.
 * Chaining makes the checksum of it; gives the last one. Summing restores it after a failed commit. */
uint32_t segments_chain_frames(Str frames, uint32_t previous, uint32_t salt);
void segments_sum_frames(Str frames);

#endif
