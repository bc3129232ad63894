/* fuzz_segment: any bytes as a segment's file, raw or sealed, alone or before another. onym verify, readers
 * that go on over damage, the start of a server, sealing and erasing: none may crash, hang or read outside
 * its buffers, and they must agree on how many records there are.
 *
 * The last byte says how the bytes are used: bit 0, sealed; bit 1, mended first (sums of the head, and of
 * frames by their lengths); bit 2, a segment follows. */
#include "segments/segments_private.h"
#include "tests/fakes/fakes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 64 * 1024 };

static const char raw_path[] = "data/00000000000000000000.journal";
static const char sealed_path[] = "data/00000000000000000000.journal.zst";

static void mend_raw(char *bytes, size_t len)
{
    if (len < SEGMENT_HEAD_BYTES) return;
    memcpy(bytes, SEGMENT_MAGIC, 8);
    put_u32(bytes + 8, SEGMENT_VERSION);
    put_u64(bytes + 16, 0);
    put_u32(bytes + 60, crc32c_of(0, str_of(bytes, 60)));
    uint32_t previous = get_u32(bytes + 60), salt = get_u32(bytes + 12);
    for (size_t at = SEGMENT_HEAD_BYTES; at + FRAME_HEAD_BYTES < len;) {
        uint32_t length = get_u32(bytes + at) & ~FRAME_IS_COMMIT;
        if (length == 0 || length > LIMIT_RECORD_BYTES || at + frame_bytes_of(length) > len) return;
        if (get_u32(bytes + at) != length && length == COMMIT_PAYLOAD_BYTES) put_u64(bytes + at + 12, at);
        segments_sum_frames(str_of(bytes + at, frame_bytes_of(length)));
        previous = segments_chain_frames(str_of(bytes + at, frame_bytes_of(length)), previous, salt);
        at += frame_bytes_of(length);
    }
}

/* A whole, empty segment after the first: its head alone. */
static void put_follower(struct fake_disk *disk, JournalPos base)
{
    char path[SEGMENTS_PATH_BYTES], bytes[SEGMENT_HEAD_BYTES];
    SegmentHead head = { .salt = 1, .has_sums = true, .base = base };
    segments_encode_head(&head, bytes);
    fake_disk_poke(disk, segment_path(path, "data", base, SEGMENT_RAW), 0, str_of(bytes, sizeof bytes));
}

/* How many records come, over all damage. */
static uint64_t read_all(struct journal *journal)
{
    struct journal_reader *reader;
    JournalRecord record;
    uint64_t count = 0, skipped, stops = 0;
    JournalPos last = 0;
    if (journal_reader_open(journal, 0, &reader, NULL)) return 0;
    for (;;) {
        Status s = journal_read(reader, &record, NULL);
        if (s == ERR_NOT_FOUND) break;
        if (s == OK) {
            check(record.bytes.len > 0 && record.bytes.len <= LIMIT_RECORD_BYTES && record.pos >= last);
            last = record.next;
            count++;
            continue;
        }
        check(s == ERR_DAMAGED && stops++ < INPUT_BYTES_MAX);
        check(journal_skip_damage(reader, &skipped, NULL) == OK);
    }
    journal_reader_close(reader);
    return count;
}

static bool is_third(void *context, Str record, JournalPos pos)
{
    (void)context, (void)record;
    return pos % 3 == 0;
}

static void hear(struct journal_append *append, Status status, JournalPos first)
{
    (void)first;
    *(Status *)append->owner = status;
}

/* Where a server would start, it must go on to work. Of a segment that overlaps the next, readers take whole commits
 * only; the erasure writes it anew up to the next, so that records which were out of reach can be read after it. */
static void serve(const SegmentsOptions *options, bool overlaps)
{
    struct journal *journal;
    struct journal_append append;
    Status heard = ERR_CLOSED;
    uint64_t erased;
    if (segments_open(options, &journal, NULL, NULL)) return;
    uint64_t before = read_all(journal);
    journal_append_init(&append, 1000);
    append.owner = &heard;
    append.on_durable = hear;
    journal_put_record(&append, STR("one more"));
    check(journal_submit(journal, &append, NULL) == OK && journal_commit(journal, NULL, NULL) == OK && heard == OK);
    check(read_all(journal) == before + 1);
    JournalErase erase = { .to = UINT64_MAX, .should_erase = is_third, .erased_first_byte = 4 };
    if (journal_erase(journal, &erase, &erased, NULL) == OK) {
        uint64_t after = read_all(journal);
        check(overlaps ? after >= before + 1 : after == before + 1);
        check(erased <= after);
    }
    journal_append_done(&append);
    journal_close(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_disk disk;
    struct fake_clock clock;
    struct fake_dice dice;
    struct journal *journal;
    SegmentsVerdict verdict;
    if (size < 2 || size > INPUT_BYTES_MAX) return 0;
    unsigned use = data[size - 1];
    char *bytes = malloc(size);
    check(bytes != NULL);
    memcpy(bytes, data, size);
    if (use & 2 && !(use & 1)) mend_raw(bytes, size - 1);
    fake_disk_init(&disk, 1);
    fake_clock_init(&clock, 1700000000000);
    fake_dice_init(&dice, 1);
    check(disk.disk.make_dir(&disk.disk, "data", NULL) == OK);
    fake_disk_poke(&disk, use & 1 ? sealed_path : raw_path, 0, str_of(bytes, size - 1));
    if (use & 4) put_follower(&disk, (JournalPos)((size - 1) & ~(size_t)3) + 4);
    SegmentsOptions options = { .dir = "data", .disk = &disk.disk, .clock = &clock.clock, .dice = &dice.dice,
                               .segment_bytes = 1 << 20, .reserve_bytes = 1 };
    check(segments_verify(&options, &(SegmentsListener){ 0 }, &verdict, NULL) == OK);
    /* One that reaches into the next, as no writer leaves it: two files claim one position, and the journal is not
     * opened unless one of them is no segment; verify counts what is in front of that, readers whole commits. */
    bool overlaps = use & 1 && use & 4;
    Err err = { 0 };
    Status s = segments_open_read_only(&options, &journal, &err);
    check(s == OK || (overlaps && s == ERR_DAMAGED && strstr(err.text, "have the same positions")));
    if (!s) {
        check(read_all(journal) == verdict.records || (overlaps && verdict.damaged_places > 0));
        journal_close(journal);
        serve(&options, overlaps);
    }
    fake_disk_done(&disk);
    free(bytes);
    return 0;
}
