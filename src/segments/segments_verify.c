/* segments_verify: reads every byte of a directory and checks every rule of segments_format.h. It goes on
 * after what is damaged, so that one run tells all. It takes no lock and writes nothing; while a server
 * runs, the end may be in the middle of a write, which looks like a crash's torn tail. */
#include "segments_private.h"

#include <stdio.h>

enum { PROGRESS_BYTES = 16 << 20 };

struct verify {
    const SegmentsOptions *options;
    SegmentsListener listener;
    SegmentsVerdict verdict;
    uint64_t done_bytes, all_bytes, said_bytes;
    struct segment_table table;
    const Segment *row;
    bool is_last;
    bool has_expected;              /* how many records the journal should have had until here */
    uint64_t expected;
    struct segments_source source;
};

static void say(struct verify *verify, uint64_t offset, bool is_torn_tail, const char *text)
{
    char name[SEGMENTS_PATH_BYTES];
    if (!is_torn_tail) verify->verdict.damaged_places++;
    if (!verify->listener.report) return;
    verify->listener.report(verify->listener.context, &(SegmentsFinding){
        .pos = verify->row->base + offset, .text = str_from(text), .is_torn_tail = is_torn_tail,
        .segment = segment_name(name, verify->row->base, verify->source.is_sealed ? SEGMENT_SEALED : SEGMENT_RAW),
    });
}

/* A whole record: can this Onym read it? */
static void judge(struct verify *verify, Str record, uint64_t offset)
{
    char name[SEGMENTS_PATH_BYTES];
    const char *why = verify->listener.judge ? verify->listener.judge(verify->listener.context, record) : NULL;
    if (!why) return;
    verify->verdict.unreadable_records++;
    if (verify->listener.report) verify->listener.report(verify->listener.context, &(SegmentsFinding){
        .pos = verify->row->base + offset, .text = str_from(why), .is_unreadable = true,
        .segment = segment_name(name, verify->row->base, verify->source.is_sealed ? SEGMENT_SEALED : SEGMENT_RAW),
    });
}

static void say_progress(struct verify *verify, uint64_t offset)
{
    uint64_t done = verify->done_bytes + offset;
    if (!verify->listener.progress || done < verify->said_bytes + PROGRESS_BYTES) return;
    verify->said_bytes = done;
    verify->listener.progress(verify->listener.context, done, verify->all_bytes);
}

/* In the last segment, with nothing committed after it, a broken place is what a crash leaves. */
static Status is_torn_tail(struct verify *verify, const struct segments_walk *walk, bool *ret, Err *err)
{
    bool is_behind = true;
    Status s = OK;
    struct segments_walk ahead = *walk;
    if (verify->is_last && !verify->source.is_sealed) s = segments_walk_resume(&ahead, false, &is_behind, err);
    *ret = !is_behind;
    return s;
}

/* Reports one broken place, and goes on after it. */
static Status verify_broken(struct verify *verify, struct segments_walk *walk, bool *ret_goes_on, Err *err)
{
    bool is_torn = false;
    uint64_t from = walk->offset, torn_bytes = 0;
    const char *why = walk->why;
    *ret_goes_on = false;
    Status s = is_torn_tail(verify, walk, &is_torn, err);
    if (!s && is_torn) s = segments_walk_measure(walk, &torn_bytes, err);
    if (s) return s;
    if (is_torn) {
        if (torn_bytes) say(verify, from, true, "a torn tail, as a crash leaves it; cut at the next start");
        verify->verdict.torn_bytes += torn_bytes;
        return OK;
    }
    s = segments_walk_resume(walk, true, ret_goes_on, err);
    if (!s) say(verify, from, false, why);
    return s;
}

static void expect(struct verify *verify, uint64_t records_before)
{
    if (verify->has_expected && records_before > verify->expected)
        verify->verdict.missing_records += records_before - verify->expected;
    verify->expected = records_before;
    verify->has_expected = true;
}

static Status verify_frames(struct verify *verify, struct segments_walk *walk, Err *err)
{
    for (;;) {
        SegmentFrame frame;
        WalkFound found = WALK_LIMIT;
        Status s = segments_walk_next(walk, &frame, &found, err);
        if (s || found == WALK_LIMIT) return s;
        if (found == WALK_FRAME) {
            verify->verdict.records += !frame.is_commit;
            verify->expected += !frame.is_commit;
            if (!frame.is_commit) judge(verify, frame.payload, walk->offset - frame.bytes);
            if (frame.is_commit) expect(verify, segments_decode_commit(frame.payload).records_before);
            say_progress(verify, walk->offset);
            continue;
        }
        bool goes_on;
        s = verify_broken(verify, walk, &goes_on, err);
        if (s || !goes_on) return s;
    }
}

static Status verify_headless(struct verify *verify, struct segments_walk *walk, const char *why, Err *err)
{
    bool goes_on;
    walk->why = why;
    walk->offset = 0;
    Status s = verify_broken(verify, walk, &goes_on, err);
    return s || !goes_on ? s : verify_frames(verify, walk, err);
}

/* Opens the row's file; if it was sealed since it was listed, the sealed one. */
static Status verify_open(struct verify *verify, Err *err)
{
    const Segment *row = verify->row;
    Status s = segments_source_open(&verify->source, verify->options->dir, row->base, row->is_sealed, err);
    if (s == ERR_NOT_FOUND && !row->is_sealed)
        s = segments_source_open(&verify->source, verify->options->dir, row->base, true, err);
    return s;
}

static Status verify_segment(struct verify *verify, Err *err)
{
    const Segment *row = verify->row;
    struct segments_source *source = &verify->source;
    struct segments_walk walk;
    Err why;
    Status s = verify_open(verify, &why);
    if (s == ERR_NOT_FOUND && row == verify->table.rows) return OK;          /* retired since it was listed */
    if (s && s != ERR_DAMAGED && s != ERR_NOT_FOUND) {
        if (err) *err = why;
        return s;
    }
    verify->verdict.segments++;
    verify->verdict.disk_bytes += source->is_open ? source->file_bytes : row->disk_bytes;
    uint64_t must_bytes = verify->is_last ? source->raw_bytes : row->end - row->base;
    if (!source->is_open) return say(verify, 0, false, why.text), OK;
    verify->verdict.bytes += source->raw_bytes;
    bool is_short = source->raw_bytes < must_bytes;
    if (!s) expect(verify, source->head.records_before);
    segments_walk_start(&walk, source, 0, is_short ? source->raw_bytes : must_bytes);
    s = s == ERR_DAMAGED ? verify_headless(verify, &walk, why.text, err) : verify_frames(verify, &walk, err);
    if (s || source->raw_bytes == must_bytes) return s;
    say(verify, is_short ? source->raw_bytes : must_bytes, false,
        is_short ? "the segment ends here, before the next one begins"
                 : "the segment goes on where the next one begins");
    return OK;
}

static void verify_oldest(struct verify *verify)
{
    JournalPos oldest = verify->table.oldest, first = verify->table.count ? verify->table.rows[0].base : 0;
    if (first == oldest) return;
    verify->row = &(Segment){ .base = oldest };
    say(verify, 0, false, "the oldest segment is missing: what is older was retired, what is younger is there");
}

static void verify_lost(struct verify *verify)
{
    for (size_t at = 0; at < verify->table.lost_count; at++) {
        char text[128];
        const LostRange *lost = &verify->table.lost[at];
        if (lost->to <= verify->table.oldest) continue;
        snprintf(text, sizeof text, "missing up to position %" PRIu64 ", and given up by onym recover", lost->to);
        verify->row = &(Segment){ .base = lost->from };
        verify->verdict.given_up_places++;
        say(verify, 0, false, text);
    }
}

Status segments_verify(const SegmentsOptions *options, const SegmentsListener *listener, SegmentsVerdict *ret, Err *err)
{
    struct verify verify = { .options = options, .listener = *listener };
    segment_table_open(&verify.table);
    segments_source_init(&verify.source, options->disk);
    verify.source.passes_bad_blocks = true;
    Status s = segment_table_read(&verify.table, options->disk, options->dir, NULL, NULL, err);
    for (size_t at = 0; at < verify.table.count; at++) {
        const Segment *row = &verify.table.rows[at];
        verify.all_bytes += row->end > row->base ? row->end - row->base : row->disk_bytes;
    }
    if (!s) verify_oldest(&verify);
    if (!s) verify_lost(&verify);
    for (size_t at = 0; !s && at < verify.table.count; at++) {
        verify.row = &verify.table.rows[at];
        verify.is_last = at + 1 == verify.table.count;
        s = verify_segment(&verify, err);
        verify.done_bytes += verify.is_last ? 0 : verify.row->end - verify.row->base;
    }
    if (!s && listener->progress) listener->progress(listener->context, verify.all_bytes, verify.all_bytes);
    segments_source_done(&verify.source);
    segment_table_close(&verify.table);
    *ret = verify.verdict;
    return s ? err_wrap(err, s, "journal %s", options->dir) : OK;
}
