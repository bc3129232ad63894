/* segments_strays: files that have a segment's name in the journal's directory but are not its segments: a copy under
 * another name, a file of something else, half a segment that somebody unpacked next to the sealed one. They are never
 * read as a part of the journal: whoever writes the journal gives them another name (".stray" after their own) and says
 * so; nothing is removed.
 *
 * How to recognize one: a head says whose position it is, so a whole head of another position is a copy. A file without
 * a head may be a damaged segment of ours, and stays as it is; but not if the segment before it has these positions
 * itself, nor if it begins after the end that the journal has ever had. If two files with whole heads have one position
 * an operator must judge. */
#include "segments_private.h"

#include <stdio.h>

enum {
    NAMES_TRIED = 1000,
    AHEAD_FILES = 128, AHEAD_BYTES = 16 << 10,  /* these hold all that is read of a file: its head, its seek table */
};

typedef enum HeadKind {
    HEAD_OWN,                           /* or it seems so: a version that we do not know */
    HEAD_OF_ANOTHER,                    /* whole, and of another position */
    HEAD_NONE,
} HeadKind;

typedef struct Judged {
    HeadKind kind;
    uint64_t raw_bytes;                 /* 0: not known */
    uint32_t salt;
} Judged;

struct strays {
    struct segments *journal;
    struct segment_table *table;
    struct segments_source source;
    size_t expected;                    /* rows whose files the disk was told of */
    bool renames;
};

/* ---- What a file is ---- */

static bool has_head(const struct segments_source *source)
{
    return source->window_len >= SEGMENT_HEAD_BYTES && memcmp(source->window, SEGMENT_MAGIC, 8) == 0 &&
           get_u32(source->window + 60) == crc32c_of(0, str_of(source->window, 60));
}

static Status judge(struct strays *strays, JournalPos base, bool is_sealed, Judged *ret, Err *err)
{
    struct segments_source *source = &strays->source;
    Err why;
    Status s = segments_source_open(source, strays->journal->dir, base, is_sealed, &why);
    if (s && s != ERR_DAMAGED && s != ERR_IO) {
        if (err) *err = why;
        return s;
    }
    *ret = (Judged){ .kind = HEAD_OWN };                 /* if the disk cannot read it, it counts as our own */
    if (s == ERR_IO) return OK;
    bool is_readable = !s || source->is_head_damaged;
    if (!s) ret->salt = source->head.salt;
    else if (!is_readable || !has_head(source)) ret->kind = HEAD_NONE;
    else if (source->head.base != base) ret->kind = HEAD_OF_ANOTHER;
    else if (source->head.has_sums == is_sealed) ret->kind = HEAD_NONE;      /* zstd has unpacked it */
    if (is_readable) ret->raw_bytes = is_sealed ? source->raw_bytes : source->file_bytes;
    return OK;
}

/* ---- Setting aside ---- */

static bool is_free(struct disk *disk, const char *path)
{
    DiskFile file;
    Status s = disk->open(disk, path, DISK_READ, &file, NULL);
    if (!s) disk->close(disk, file);
    return s == ERR_NOT_FOUND;
}

static Status set_aside(struct strays *strays, JournalPos base, bool is_sealed, Err *err)
{
    struct segments *journal = strays->journal;
    char from[SEGMENTS_PATH_BYTES], to[SEGMENTS_PATH_BYTES + 32];
    if (!strays->renames) return OK;
    segment_path(from, journal->dir, base, is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
    snprintf(to, sizeof to, "%s.stray", from);
    for (int number = 2; !is_free(journal->disk, to) && number < NAMES_TRIED; number++)
        snprintf(to, sizeof to, "%s.stray-%d", from, number);
    segments_source_close(&strays->source);
    Status s = journal->disk->rename(journal->disk, from, to, err);
    SegmentsNotice notice = { .kind = SEGMENTS_SET_ASIDE, .pos = base, .reason = to };
    if (!s && journal->options.notice) journal->options.notice(journal->options.notice_context, &notice);
    return s;
}

/* There are both forms: sealing was not finished, or one of them is a stray. */
static Status choose_twin(struct strays *strays, Segment *row, Judged *judged, Err *err)
{
    struct segments *journal = strays->journal;
    char path[SEGMENTS_PATH_BYTES];
    Judged sealed;
    Status s = judge(strays, row->base, true, &sealed, err);
    uint64_t sealed_file_bytes = strays->source.file_bytes;
    bool is_raw_whole = judged->kind == HEAD_OWN && judged->raw_bytes >= sealed.raw_bytes;
    if (s || (judged->kind != HEAD_OWN && sealed.kind != HEAD_OWN)) return s;
    segment_path(path, journal->dir, row->base, SEGMENT_SEALED);
    if (judged->kind == HEAD_OWN && sealed.kind == HEAD_OWN && sealed.raw_bytes && judged->salt != sealed.salt)
        return err_set(err, ERR_DAMAGED, "%s and the file beside it without .zst are of two journals: move away the "
                       "one that is not of this journal", path);
    segments_source_close(&strays->source);
    if (is_raw_whole || sealed.kind != HEAD_OWN)
        return strays->renames ? journal->disk->remove(journal->disk, path, err) : OK;
    s = set_aside(strays, row->base, false, err);
    row->is_sealed = true;
    row->disk_bytes = sealed_file_bytes;
    *judged = sealed;
    return s;
}

static Status two_claim(const struct segments *journal, const Segment *before, const Segment *row, Err *err)
{
    char first[SEGMENTS_PATH_BYTES], second[SEGMENTS_PATH_BYTES];
    segment_name(first, before->base, before->is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
    segment_path(second, journal->dir, row->base, row->is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
    return err_set(err, ERR_DAMAGED, "%s: it and %s have the same positions: one of the two is not of this journal, or "
                   "was made longer; move it away", second, first);
}

/* One file after the other would wait for the disk twice for each, which is a second for a thousand segments after a
 * cold start; if it is told of many at once it fetches them together. */
static void expect_files(struct strays *strays, size_t from)
{
    struct disk *disk = strays->journal->disk;
    char path[SEGMENTS_PATH_BYTES];
    for (; disk->expect && strays->expected < strays->table->count && strays->expected < from + AHEAD_FILES;
         strays->expected++) {
        const Segment *row = &strays->table->rows[strays->expected];
        segment_path(path, strays->journal->dir, row->base, row->is_sealed ? SEGMENT_SEALED : SEGMENT_RAW);
        disk->expect(disk, path, AHEAD_BYTES);
    }
}

static Status look_at_all(struct strays *strays, Err *err)
{
    struct segments *journal = strays->journal;
    struct segment_table *table = strays->table;
    JournalPos reach = 0, known_end = journal->options.known_end;
    for (size_t at = 0; at < table->count;) {
        Segment *row = &table->rows[at];
        Judged judged;
        expect_files(strays, at);
        Status s = judge(strays, row->base, row->is_sealed, &judged, err);
        if (!s && row->has_twin) s = choose_twin(strays, row, &judged, err);
        if (s) return s;
        bool overlaps = at > 0 && row->base < reach;
        bool is_behind_all = at > 0 && row->base > reach && known_end && row->base >= known_end;
        bool is_stray = judged.kind == HEAD_OF_ANOTHER
                        || (judged.kind == HEAD_NONE && !row->has_twin && (overlaps || is_behind_all));
        if (is_stray) {
            if ((s = set_aside(strays, row->base, row->is_sealed, err))) return s;
            segment_table_drop(table, at);
            continue;
        }
        if (overlaps) return two_claim(journal, row - 1, row, err);
        row->has_twin = false;
        row->raw_bytes = judged.raw_bytes;
        reach = row->base + judged.raw_bytes;
        at++;
    }
    return OK;
}

Status segments_set_aside(struct segments *journal, struct segment_table *table, bool renames, Err *err)
{
    struct strays strays = { .journal = journal, .table = table, .renames = renames };
    segments_source_init(&strays.source, journal->disk);
    Status s = look_at_all(&strays, err);
    segments_source_done(&strays.source);
    return s;
}
