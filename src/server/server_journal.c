/* server_journal: opens the journal for writing, and keeps how far it has come.
 *
 * A journal whose end is missing looks like one that was always so short. What tells them apart is outside its
 * directory: the file `reached`, which says to where it was durable a moment ago; the state that was derived from it;
 * and the destinations' places. The journal is opened with what they know, and so refuses to give a position twice.
 *
 *   DATA/reached   "onym-reached 1 ", the position and the number of records, 20 digits each, a space after each,
 *                  the CRC32C of all that in 8 hexadecimal digits, and a line feed. Written in place, and synced now
 *                  and then: after a power cut it is old, but never too new, or there is no `reached` at all.
 */
#include "server_journal.h"

#include <stdio.h>
#include <stdlib.h>

#include "derive/derive.h"
#include "deliver/deliver.h"

enum { REACHED_BYTES = 15 + 21 + 21 + 8 + 1 };
static const int64_t SYNC_NS = 10 * INT64_C(1000000000), WRITE_NS = 200 * INT64_C(1000000);

/* A store cannot know more than this beyond `reached`: if one says so it is damaged, and is made again. */
static const uint64_t AHEAD_BYTES = (uint64_t)16 << 30;

/* ---- The file ---- */

static const char *path_of(const struct config *config, Arena *arena)
{
    return arena_printf(arena, "%.*s/reached", STR_FORMAT(config->data)).bytes;
}

static void encode(JournalPos end, uint64_t records, char text[REACHED_BYTES + 1])
{
    int len = snprintf(text, REACHED_BYTES + 1, "onym-reached 1 %020" PRIu64 " %020" PRIu64 " ", end, records);
    uint32_t sum = crc32c_of(0, str_of(text, (size_t)len));
    snprintf(text + len, REACHED_BYTES + 1 - (size_t)len, "%08x\n", sum);
}

/* False if there is no such file, or it is not whole. */
static bool read_reached(const struct config *config, Arena *arena, JournalPos *ret_end, uint64_t *ret_records)
{
    char again[REACHED_BYTES + 1];
    int64_t end, records;
    Str text;
    if (disk_read_file(os_disk(), path_of(config, arena), REACHED_BYTES, arena, &text, NULL)) return false;
    if (text.len != REACHED_BYTES || !str_parse_int(str_slice(text, 15, 35), 0, INT64_MAX, &end) ||
        !str_parse_int(str_slice(text, 36, 56), 0, INT64_MAX, &records)) return false;
    encode((JournalPos)end, (uint64_t)records, again);
    if (!str_equal(text, str_of(again, REACHED_BYTES))) return false;
    *ret_end = (JournalPos)end;
    *ret_records = (uint64_t)records;
    return true;
}

/* ---- What is known ---- */

struct known {
    JournalPos end;
    uint64_t records;
    const char *by;
};

static void take_claim(struct known *known, bool has_reached, JournalPos reached, JournalPos end, const char *by)
{
    bool is_sane = journal_number(end) < INT64_MAX && (!has_reached || journal_distance(reached, end) <= AHEAD_BYTES);
    if (!is_sane || end <= known->end) return;
    *known = (struct known){ end, 0, by };
}

static struct known find_known(const struct config *config, Arena *arena)
{
    struct known known = { 0 };
    JournalPos reached = 0, end = 0;
    struct outbox *store;
    const char *path = arena_printf(arena, "%.*s/deliver", STR_FORMAT(config->data)).bytes;
    bool has_reached = read_reached(config, arena, &reached, &known.records);
    if (has_reached) known.end = reached, known.by = path_of(config, arena);
    const char *derived = arena_printf(arena, "%.*s/derived", STR_FORMAT(config->data)).bytes;
    if (derive_read_reached(derived, &end, NULL) == OK) take_claim(&known, has_reached, reached, end, derived);
    if (outbox_open(path, true, &store, NULL)) return known;
    struct outbox_rows rows = outbox_rows_of(store);
    if (deliver_read_reached(&rows, &end, NULL) == OK) take_claim(&known, has_reached, reached, end, path);
    outbox_close(store);
    return known;
}

/* ---- What happens to its files ---- */

static void log_notice(void *context, const SegmentsNotice *notice)
{
    (void)context;
    switch (notice->kind) {
    case SEGMENTS_RETIRED:
        log_write(LOG_INFO, "segment retired", LOG_TEXT("reason", notice->reason), LOG_INT("first", notice->pos),
                  LOG_INT("end", notice->end), LOG_INT("bytes", notice->disk_bytes),
                  LOG_INT("over_for_seconds", notice->by_ms / 1000));
        break;
    case SEGMENTS_CLOCK_JUMP:
        log_write(LOG_WARN, "the wall clock jumped; retention does not count that as time",
                  LOG_INT("seconds", notice->by_ms / 1000), LOG_INT("position", notice->pos));
        break;
    case SEGMENTS_CLOCK_GAP:
        log_write(LOG_WARN, "the machine was off or asleep for long, or its clock is wrong: nothing is retired by age "
                  "until the clock has gone on like that for some time, or until you confirm that it is right: "
                  "onym recover --confirm-clock",
                  LOG_INT("seconds", notice->by_ms / 1000));
        break;
    case SEGMENTS_ASTRAY:
        log_write(LOG_ERROR, "the journal's file is not where it was: nothing more is accepted",
                  LOG_TEXT("reason", notice->reason));
        break;
    case SEGMENTS_FOUND_AGAIN:
        log_write(LOG_WARN, "the journal's file is back: events are accepted again");
        break;
    case SEGMENTS_SET_ASIDE:
        log_write(LOG_ERROR, "a file with a segment's name does not belong to this journal, and was set aside: look "
                  "what it is, and remove it", LOG_TEXT("path", notice->reason));
        break;
    case SEGMENTS_PUT_BACK:
        log_write(LOG_ERROR, "the file that the journal writes was removed, and was put back: nothing is lost. Look "
                  "who removes files of the data directory", LOG_INT("position", notice->pos));
        break;
    case SEGMENTS_CLOCK_CONFIRMED:
        log_write(LOG_INFO, "the wall clock is taken as right; retention goes on");
        break;
    }
}

SegmentsOptions journal_options(const struct config *config, Arena *arena)
{
    struct known known = find_known(config, arena);
    return (SegmentsOptions){
        .dir = config_journal_dir(config, arena),
        .disk = os_disk(),
        .clock = os_clock(),
        .dice = os_dice(),
        .segment_bytes = (uint64_t)config->journal.segment_bytes,
        .seal_level = (int)config->journal.seal_level,
        .reserve_bytes = config->journal.reserve_bytes ? (uint64_t)config->journal.reserve_bytes : 1,   /* 0: default */
        .known_end = known.end,
        .known_records = known.records,
        .known_by = known.by,
        .notice = log_notice,
    };
}

/* ---- Keeping it ---- */

struct reached {
    DiskFile file;
    JournalPos end;
    int64_t written_ns, synced_ns;
};

Status reached_open(const struct config *config, struct reached **ret, Err *err)
{
    struct region region;
    struct reached *reached = calloc(1, sizeof *reached);
    check(reached);
    region_open(&region, 64 * 1024);
    Arena arena = region_arena(&region);
    Status s = os_disk()->open(os_disk(), path_of(config, &arena), DISK_OPEN_OR_CREATE, &reached->file, err);
    region_close(&region);
    if (s) {
        free(reached);
        return s;
    }
    *ret = reached;
    return OK;
}

Status reached_keep(struct reached *reached, struct journal *journal, bool is_last, Err *err)
{
    int64_t now_ns = clock_monotonic_ns(os_clock());
    char text[REACHED_BYTES + 1];
    JournalStats stats;
    if (!reached || (!is_last && reached->written_ns && now_ns - reached->written_ns < WRITE_NS)) return OK;
    JournalPos end = journal_end(journal);
    if (!is_last && end == reached->end) return OK;
    journal_read_stats(journal, &stats);
    encode(stats.end, stats.records_ever, text);
    Str bytes = str_of(text, REACHED_BYTES);
    Status s = os_disk()->write(os_disk(), reached->file, 0, &bytes, 1, err);
    if (s) return s;
    reached->end = stats.end;
    reached->written_ns = now_ns;
    if (!is_last && now_ns - reached->synced_ns < SYNC_NS) return OK;
    reached->synced_ns = now_ns;
    return os_disk()->sync(os_disk(), reached->file, err);
}

void reached_close(struct reached *reached)
{
    if (!reached) return;
    os_disk()->close(os_disk(), reached->file);
    free(reached);
}
