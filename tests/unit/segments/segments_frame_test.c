/* segments_frame: bytes as segments_format.h says, by offset and not by the code's own constants. */
#include "segments/segments_frame.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct journal_append append_of(Str record)
{
    struct journal_append append;
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    journal_put_record(&append, record);
    assert_true(buf_ok(&append.frames));
    return append;
}

static void a_head_is_as_the_format_says(void **state)
{
    SegmentHead head = { .salt = 0xA1B2C3D4, .has_sums = true, .base = 1000, .created_at_ms = 1700000000000,
                         .records_before = 77 }, back;
    char bytes[64];
    (void)state;
    segments_encode_head(&head, bytes);
    assert_memory_equal(bytes, "OnymJrnl\x01\x00\x00\x00\xD4\xC3\xB2\xA1\xE8\x03\x00\x00\x00\x00\x00\x00", 24);
    assert_int_equal(get_u32(bytes + 60), crc32c_of(0, str_of(bytes, 60)));
    assert_null(segments_decode_head(bytes, &back));
    assert_memory_equal(&back.base, &head.base, 8);
    assert_true(back.salt == head.salt && back.created_at_ms == head.created_at_ms && back.records_before == 77);
    assert_true(back.has_sums && back.checksum == head.checksum);
    for (size_t bit = 0; bit < 64 * 8; bit++) {              /* no flipped bit goes unnoticed */
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        assert_non_null(segments_decode_head(bytes, &back));
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    put_u16(bytes + 8, 2);                                   /* a version of the future, whole */
    put_u32(bytes + 60, crc32c_of(0, str_of(bytes, 60)));
    assert_string_equal(segments_decode_head(bytes, &back), "the segment's version is unknown");
}

static void a_frame_is_as_the_format_says(void **state)
{
    struct journal_append append = append_of(STR("hello"));
    const char *bytes = append.frames.bytes;
    char order[16];
    (void)state;
    assert_int_equal(append.frames.len, 12 + 8);
    uint32_t checksum = segments_chain_frames(buf_str(&append.frames), 0x11223344, 0x55667788);
    assert_memory_equal(bytes, "\x05\0\0\0\x44\x33\x22\x11", 8);
    assert_memory_equal(bytes + 12, "hello\0\0\0", 8);
    memcpy(order, "\x05\0\0\0hello\0\0\0", 12);              /* length, payload and padding; predecessor; salt */
    uint32_t expected = crc32c_of(crc32c_of(0, str_of(order, 12)), STR("\x44\x33\x22\x11\x88\x77\x66\x55"));
    assert_int_equal(checksum, expected);
    assert_int_equal(get_u32(bytes + 8), expected);
    journal_append_done(&append);
}

static void frames_are_found_whole_cut_blank_or_broken(void **state)
{
    struct journal_append append = append_of(STR("some record or other"));
    SegmentHead head = { .salt = 99, .has_sums = true };
    SegmentFrame frame;
    (void)state;
    (void)segments_chain_frames(buf_str(&append.frames), 5, 99);
    Str whole = buf_str(&append.frames);
    assert_int_equal(segments_decode_frame(whole, &head, &frame), FRAME_WHOLE);
    assert_true(str_equal(frame.payload, STR("some record or other")) && frame.previous == 5 && !frame.is_commit);
    assert_int_equal(frame.bytes, whole.len);
    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(segments_decode_frame(str_slice(whole, 0, len), &head, &frame), FRAME_CUT);
    for (size_t bit = 0; bit < whole.len * 8; bit++) {
        append.frames.bytes[bit / 8] ^= (char)(1 << bit % 8);
        FrameFound found = segments_decode_frame(whole, &head, &frame);
        assert_true(found == FRAME_BROKEN || (found == FRAME_CUT && bit < 32));      /* a longer length */
        append.frames.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    SegmentHead other = { .salt = 98, .has_sums = true };
    assert_int_equal(segments_decode_frame(whole, &other, &frame), FRAME_BROKEN);
    static const char zeros[64];
    assert_int_equal(segments_decode_frame(str_of(zeros, 64), &head, &frame), FRAME_BLANK);
    journal_append_done(&append);
}

static void every_length_survives(void **state)
{
    static char bytes[LIMIT_RECORD_BYTES], copy[LIMIT_RECORD_BYTES];
    SegmentHead head = { .salt = 7, .has_sums = true };
    struct journal_append append;
    struct fake_dice dice;
    (void)state;
    fake_dice_init(&dice, 1);
    dice.dice.fill(&dice.dice, bytes, sizeof bytes);
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    for (uint32_t len = 1; len <= LIMIT_RECORD_BYTES; len += len < 70 ? 1 : 997) {
        SegmentFrame frame;
        journal_append_clear(&append);
        journal_put_record(&append, str_of(bytes, len));
        (void)segments_chain_frames(buf_str(&append.frames), 1, 7);
        assert_int_equal(append.frames.len % 4, 0);
        assert_int_equal(segments_decode_frame(buf_str(&append.frames), &head, &frame), FRAME_WHOLE);
        memcpy(copy, frame.payload.bytes, frame.payload.len);
        assert_true(str_equal(str_of(copy, frame.payload.len), str_of(bytes, len)));
    }
    journal_append_clear(&append);
    journal_put_record(&append, str_of(bytes, LIMIT_RECORD_BYTES));
    assert_true(buf_ok(&append.frames) && append.record_count == 1);
    size_t begun = journal_begin_record(&append);
    buf_put(&append.frames, bytes, LIMIT_RECORD_BYTES);
    buf_char(&append.frames, '!');
    journal_end_record(&append, begun);
    assert_false(buf_ok(&append.frames));                    /* one byte too long */
    assert_int_equal(append.record_count, 1);
    journal_append_done(&append);
}

static void records_can_be_encoded_in_place(void **state)
{
    struct journal_append append, same = append_of(STR("12345 and more"));
    (void)state;
    journal_append_init(&append, 1000);
    size_t begun = journal_begin_record(&append);
    buf_int(&append.frames, 12345);
    buf_str_put(&append.frames, STR(" and more"));
    journal_end_record(&append, begun);
    assert_true(str_equal(buf_str(&append.frames), buf_str(&same.frames)));
    journal_append_done(&append);
    journal_append_done(&same);
}

static void frames_can_be_summed_again_after_a_failed_commit(void **state)
{
    struct journal_append append = append_of(STR("first")), fresh = append_of(STR("first"));
    (void)state;
    journal_put_record(&append, STR("second one"));
    journal_put_record(&fresh, STR("second one"));
    (void)segments_chain_frames(buf_str(&append.frames), 1, 2);
    segments_sum_frames(buf_str(&append.frames));
    uint32_t again = segments_chain_frames(buf_str(&append.frames), 3, 4);
    assert_int_equal(again, segments_chain_frames(buf_str(&fresh.frames), 3, 4));
    assert_true(str_equal(buf_str(&append.frames), buf_str(&fresh.frames)));
    journal_append_done(&append);
    journal_append_done(&fresh);
}

static void a_commit_frame_knows_its_place_and_its_salt(void **state)
{
    SegmentCommit commit = { 5000, 1700000000000, 12, 3, 0xCAFE };
    char frame[44];
    (void)state;
    segments_encode_commit(&commit, frame);
    (void)segments_chain_frames(str_of(frame, 44), 17, 0xCAFE);
    Str bytes = str_of(frame, 44);
    assert_int_equal(get_u32(frame), 0x80000020);
    assert_true(segments_is_commit_at(bytes, 5000, 0xCAFE, false));
    assert_true(segments_is_commit_at(bytes, 5000, 0, true));
    assert_false(segments_is_commit_at(bytes, 5004, 0xCAFE, false));
    assert_false(segments_is_commit_at(bytes, 5000, 0xCAFF, false));
    assert_false(segments_is_commit_at(str_slice(bytes, 0, 43), 5000, 0xCAFE, false));
    SegmentCommit back = segments_decode_commit(str_of(frame + 12, 32));
    assert_true(back.position == 5000 && back.committed_at_ms == 1700000000000 && back.records_before == 12 &&
                back.record_count == 3 && back.salt == 0xCAFE);
}

static void frames_without_sums_must_say_so(void **state)
{
    struct journal_append append = append_of(STR("sealed"));
    SegmentHead head = { .has_sums = false };
    SegmentFrame frame;
    (void)state;
    assert_int_equal(segments_decode_frame(buf_str(&append.frames), &head, &frame), FRAME_BROKEN);
    memset(append.frames.bytes + 4, 0, 8);
    assert_int_equal(segments_decode_frame(buf_str(&append.frames), &head, &frame), FRAME_WHOLE);
    append.frames.bytes[4] = 1;
    assert_int_equal(segments_decode_frame(buf_str(&append.frames), &head, &frame), FRAME_BROKEN);
    journal_append_done(&append);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_as_the_format_says),
        cmocka_unit_test(a_frame_is_as_the_format_says),
        cmocka_unit_test(frames_are_found_whole_cut_blank_or_broken),
        cmocka_unit_test(every_length_survives),
        cmocka_unit_test(records_can_be_encoded_in_place),
        cmocka_unit_test(frames_can_be_summed_again_after_a_failed_commit),
        cmocka_unit_test(a_commit_frame_knows_its_place_and_its_salt),
        cmocka_unit_test(frames_without_sums_must_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
