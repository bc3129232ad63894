/* segments_clock: how old something in the journal is, by a wall clock that may be wrong.
 *
 * Times in the journal come from the wall clock, and retention removes for good; so such a time alone is not enough.
 * While the process runs, the wall clock must go as the monotonic clock does. If it jumps, no time has passed: the
 * jump is written down with its position, and an age is the difference of two times minus the jumps between them. So
 * a clock that is wrong for a while, from the start or later, too fast or too slow, makes nothing older.
 *
 * While the process did not run (or slept) nobody watched. If the clock is ahead of the last time by
 * more than a little, the machine was off for so long, or the clock is wrong: nothing is retired by age until the clock
 * has gone on like that for some hours or days (a quarter of the retention, three days at most), or an operator says
 * that it is right. If it goes back meanwhile, the clock was wrong.
 *
 * Times of commits never go back: after the clock was set back, they stand still until it has caught up. So at a start
 * the last commit's time is what the clock showed last only if it is later than the one that was last written down.
 *
 *   clock             seen WALL · stamp LAST COMMIT · pending POS GAP SINCE · jump POS BY, a line each; milliseconds
 *   clock-confirmed   an operator says that the wall clock is right: taken and removed by whoever writes the journal */
#include "segments_private.h"

#include <stdio.h>

static const Millis TOLERANCE_MS = MINUTE_MS;
static const Millis PLAUSIBLE_MS = 1577836800000;       /* 2020: a clock that shows less is wrong */

enum { CLOCK_FILE_BYTES = JUMPS_MOST * 64 + 256 };

static Millis clamp(Millis value, Millis least, Millis most)
{
    return value < least ? least : value > most ? most : value;
}

/* The longest gap that counts as time that passed, unless an operator says so. */
static Millis gap_most(const struct segments *journal)
{
    Millis retention_ms = journal->options.retention_ms;
    return retention_ms ? clamp(retention_ms / 32, TOLERANCE_MS, DAY_MS) : DAY_MS;
}

static Millis patience(const struct segments *journal)
{
    return clamp(journal->options.retention_ms / 4, HOUR_MS, 3 * DAY_MS);
}

static void tell(struct segments *journal, SegmentsNoticeKind kind, Millis by_ms)
{
    SegmentsNotice notice = { .kind = kind, .by_ms = by_ms, .pos = journal->end };
    if (journal->options.notice) journal->options.notice(journal->options.notice_context, &notice);
}

/* ---- Jumps and gaps ---- */

static void add_jump(struct segments_clock *clock, JournalPos pos, Millis by_ms)
{
    size_t at = clock->jump_count;
    clock->is_unsaved = true;
    if (at > 0 && clock->jumps[at - 1].pos == pos) {
        clock->jumps[at - 1].by_ms += by_ms;
        Millis sum_ms = clock->jumps[at - 1].by_ms;
        if (sum_ms > -TOLERANCE_MS && sum_ms < TOLERANCE_MS) clock->jump_count--;
        return;
    }
    if (at == JUMPS_MOST) clock->is_hopeless = true;
    else clock->jumps[clock->jump_count++] = (ClockJump){ pos, by_ms };
}

static void note_gap(struct segments *journal, Millis gap_ms, Millis wall_ms)
{
    struct segments_clock *clock = &journal->clock;
    if (!clock->pending_ms) clock->pending_pos = journal->end;
    clock->pending_ms += gap_ms;
    clock->pending_since_ms = wall_ms;
    clock->is_unsaved = true;
    tell(journal, SEGMENTS_CLOCK_GAP, gap_ms);
}

static void note_jump(struct segments *journal, Millis by_ms)
{
    struct segments_clock *clock = &journal->clock;
    if (clock->pending_ms && by_ms < 0) {                /* so there was no gap: the clock had been ahead */
        add_jump(clock, clock->pending_pos, clock->pending_ms);
        clock->pending_ms = 0;
    }
    if (clock->pending_ms) clock->pending_since_ms += by_ms;
    add_jump(clock, journal->end, by_ms);
    tell(journal, SEGMENTS_CLOCK_JUMP, by_ms);
}

Millis segments_clock_look(struct segments *journal)
{
    struct segments_clock *clock = &journal->clock;
    Millis wall_ms = clock_now_ms(journal->options.clock);
    int64_t now_ns = clock_elapsed_ns(journal->options.clock);
    if (!clock->is_begun) return wall_ms;
    Millis passed_ms = now_ns > clock->elapsed_ns ? (now_ns - clock->elapsed_ns) / 1000000 : 0;
    Millis jump_ms = wall_ms - clock->wall_ms - passed_ms;
    if (jump_ms > TOLERANCE_MS || jump_ms < -TOLERANCE_MS) note_jump(journal, jump_ms);
    if (passed_ms > gap_most(journal)) note_gap(journal, passed_ms, wall_ms);
    clock->wall_ms = wall_ms;
    clock->elapsed_ns = now_ns;
    if (clock->pending_ms && wall_ms - clock->pending_since_ms >= patience(journal)) {
        clock->pending_ms = 0;
        clock->is_unsaved = true;
        tell(journal, SEGMENTS_CLOCK_CONFIRMED, 0);
    }
    return wall_ms;
}

/* ---- Ages ---- */

bool segments_clock_is_trusted(const struct segments *journal)
{
    return !journal->clock.pending_ms && !journal->clock.is_hopeless;
}

/* If an age is not sure (a jump at this very position, or one that nobody saw), the younger answer counts. */
Millis segments_clock_age(const struct segments *journal, JournalPos pos, Millis stamp_ms)
{
    const struct segments_clock *clock = &journal->clock;
    Millis plain_ms = clock->wall_ms - stamp_ms, age_ms = plain_ms;
    for (size_t at = 0; at < clock->jump_count; at++) {
        const ClockJump *jump = &clock->jumps[at];
        if (jump->pos > pos || (jump->pos == pos && jump->by_ms > 0)) age_ms -= jump->by_ms;
    }
    return plain_ms >= 0 && plain_ms < age_ms ? plain_ms : age_ms;
}

/* ---- On disk ---- */

struct noted { Millis seen_ms, stamp_ms; };             /* what was written down last; 0: nothing was */

static void parse_line(struct segments_clock *clock, Str line, struct noted *noted)
{
    int64_t numbers[3] = { 0 };
    Str rest, word = str_cut(line, ' ', &rest);
    for (size_t at = 0; at < countof(numbers) && rest.len; at++)
        if (!str_parse_int(str_cut(rest, ' ', &rest), INT64_MIN, INT64_MAX, &numbers[at])) return;
    if (str_equal(word, STR("seen"))) noted->seen_ms = numbers[0];
    if (str_equal(word, STR("stamp"))) noted->stamp_ms = numbers[0];
    if (str_equal(word, STR("pending"))) {
        clock->pending_pos = (JournalPos)numbers[0];
        clock->pending_ms = numbers[1];
        clock->pending_since_ms = numbers[2];
    }
    if (str_equal(word, STR("jump")) && clock->jump_count < JUMPS_MOST)
        clock->jumps[clock->jump_count++] = (ClockJump){ (JournalPos)numbers[0], numbers[1] };
}

static Status load(struct segments *journal, struct noted *noted, Err *err)
{
    char path[SEGMENTS_PATH_BYTES], memory[CLOCK_FILE_BYTES + 1];
    Arena arena = { memory, memory + sizeof memory };
    Str text;
    snprintf(path, sizeof path, "%s/clock", journal->dir);
    Status s = disk_read_file(journal->disk, path, CLOCK_FILE_BYTES, &arena, &text, err);
    if (s == ERR_NOT_FOUND || s == ERR_TOO_LARGE) return OK;
    while (!s && text.len) parse_line(&journal->clock, str_cut(text, '\n', &text), noted);
    return s;
}

Status segments_clock_begin(struct segments *journal, Err *err)
{
    struct segments_clock *clock = &journal->clock;
    struct noted noted = { 0 };
    Millis wall_ms = clock_now_ms(journal->options.clock), last_ms = journal->committed_at_ms;
    Status s = load(journal, &noted, err);
    if (s) return s;
    clock->wall_ms = wall_ms;
    clock->elapsed_ns = clock_elapsed_ns(journal->options.clock);
    clock->is_begun = true;
    Millis seen_ms = noted.seen_ms;
    bool is_stamp_old = last_ms <= noted.stamp_ms || last_ms > seen_ms + 2 * HOUR_MS;
    if (seen_ms > last_ms || (seen_ms && is_stamp_old)) last_ms = seen_ms;
    if (last_ms == 0) return OK;
    if (wall_ms < last_ms - TOLERANCE_MS || (last_ms < PLAUSIBLE_MS && wall_ms >= PLAUSIBLE_MS))
        note_jump(journal, wall_ms - last_ms);
    else if (wall_ms - last_ms > gap_most(journal))
        note_gap(journal, wall_ms - last_ms, wall_ms);
    return OK;
}

static Status save(struct segments *journal, Err *err)
{
    struct segments_clock *clock = &journal->clock;
    char path[SEGMENTS_PATH_BYTES], text[CLOCK_FILE_BYTES];
    struct buf out;
    snprintf(path, sizeof path, "%s/clock", journal->dir);
    buf_init_fixed(&out, text, sizeof text);
    buf_printf(&out, "seen %" PRId64 "\nstamp %" PRId64 "\n", clock->wall_ms, journal->committed_at_ms);
    if (clock->pending_ms)
        buf_printf(&out, "pending %" PRIu64 " %" PRId64 " %" PRId64 "\n", clock->pending_pos, clock->pending_ms,
                   clock->pending_since_ms);
    for (size_t at = 0; at < clock->jump_count; at++)
        buf_printf(&out, "jump %" PRIu64 " %" PRId64 "\n", clock->jumps[at].pos, clock->jumps[at].by_ms);
    check(buf_ok(&out));
    Status s = disk_write_file(journal->disk, path, buf_str(&out), err);
    if (s) return s;
    clock->is_unsaved = false;
    clock->saved_ms = clock->wall_ms;
    return OK;
}

/* An operator has confirmed the clock: all that it showed was time that passed. */
static void take_word(struct segments *journal)
{
    struct segments_clock *clock = &journal->clock;
    char path[SEGMENTS_PATH_BYTES];
    DiskFile file;
    if (!clock->pending_ms && !clock->jump_count && !clock->is_hopeless) return;
    snprintf(path, sizeof path, "%s/clock-confirmed", journal->dir);
    if (journal->disk->open(journal->disk, path, DISK_READ, &file, NULL)) return;
    journal->disk->close(journal->disk, file);
    if (journal->disk->remove(journal->disk, path, NULL)) return;
    clock->pending_ms = 0;
    clock->jump_count = 0;
    clock->is_hopeless = false;
    clock->is_unsaved = true;
    tell(journal, SEGMENTS_CLOCK_CONFIRMED, 0);
}

Status segments_clock_keep(struct segments *journal, bool is_last, Err *err)
{
    struct segments_clock *clock = &journal->clock;
    if (!clock->is_begun) return OK;
    (void)segments_clock_look(journal);
    take_word(journal);
    while (clock->jump_count && clock->jumps[0].pos < journal->segments.rows[0].base && journal->segments.count) {
        clock->jump_count--;                             /* nothing from before it is left */
        memmove(clock->jumps, clock->jumps + 1, clock->jump_count * sizeof *clock->jumps);
    }
    Millis since_ms = clock->wall_ms - clock->saved_ms;
    bool is_time = journal->options.retention_ms && (is_last || since_ms >= HOUR_MS || since_ms < 0);
    return clock->is_unsaved || is_time ? save(journal, err) : OK;
}
