/* tail: events as they arrive. Reads the journal's files itself, so it needs no server, no key, and costs
 * a running server nothing; it looks for new frames a few times a second. */
#include "tools.h"
#include "terminal/terminal.h"
#include "tools_record_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { UNREAD_TOLD = 10, LINES_DEFAULT = 10, LINES_MOST = 100000, POLL_MS = 150 };

struct tail {
    struct record_filter filter;
    struct journal *journal;
    struct journal_reader *reader;
    struct event_line *line;
    bool is_json;
    bool is_seeking;                  /* looking for where to begin: what cannot be read is only counted */
    uint64_t unread_count;            /* records and places that could not be read */
    uint64_t seek_unread_count;       /* by the last look for where to begin */
};

static void put_rejected_json(struct buf *buf, const Rejected *rejected)
{
    json_object(buf, NULL);
    json_bool(buf, "rejected", true);
    json_string(buf, "reason", rejected->reason);
    json_string(buf, "field", rejected->field);
    json_string(buf, "text", rejected->text);
    json_string(buf, "source", rejected->source);
    json_instant(buf, "receivedAt", rejected->received_at_ms);
    json_string(buf, "message", rejected->json);                  /* may be cut, so it is a text and no object */
    json_object_end(buf);
    buf_char(buf, '\n');
}

static void print_record(struct tail *tail, Str record, const Event *event)
{
    if (!tail->is_json) {
        event_line_print(tail->line, record, stdout);
        return;
    }
    if (record_kind(record) == RECORD_EVENT) {
        terminal_write(stdout, event->json);
        fputc('\n', stdout);
        return;
    }
    Rejected rejected;
    struct buf buf;
    if (rejected_decode(record, &rejected, NULL)) return;
    buf_init(&buf, 64 * 1024);
    put_rejected_json(&buf, &rejected);
    terminal_write(stdout, buf_str(&buf));
    buf_done(&buf);
}

/* Ten of them one by one: a journal that is broken all over would else drown what is not. */
static void tell_unread(struct tail *tail, const char *text)
{
    if (tail->is_seeking) {
        tail->seek_unread_count++;
        return;
    }
    if (tail->unread_count < UNREAD_TOLD) command_complain("passed over: %s", text);
    if (++tail->unread_count == UNREAD_TOLD) command_complain("there are more; onym verify tells what is damaged");
}

/* The next record that is asked for; what cannot be read is told and passed over. ERR_NOT_FOUND at the end. */
static Status read_next(struct tail *tail, JournalRecord *ret, Event *ret_event, Err *err)
{
    for (;;) {
        Status s = journal_read(tail->reader, ret, err);
        uint64_t skipped;
        bool matches;
        if (s && s != ERR_DAMAGED) return s;
        if (s == ERR_DAMAGED) {
            tell_unread(tail, err->text);
            s = journal_skip_damage(tail->reader, &skipped, err);
            if (s) return s;
        } else if ((s = record_filter_read(&tail->filter, ret->bytes, ret_event, &matches, err)) != OK) {
            err_wrap(err, s, "record at %" PRIu64, ret->pos);
            tell_unread(tail, err->text);
        } else if (matches) {
            return OK;
        }
    }
}

static Status seek(struct tail *tail, JournalPos pos, Err *err)
{
    journal_reader_close(tail->reader);
    tail->reader = NULL;
    return journal_reader_open(tail->journal, pos, &tail->reader, err);
}

/* ---- Where to begin ---- */

/* Collects the positions of the last wanted matches after a position into a ring. */
static Status find_last(struct tail *tail, JournalPos from, JournalPos *ring, size_t wanted, size_t *ret_found,
                        Err *err)
{
    JournalRecord record;
    Event event;
    *ret_found = 0;
    tail->is_seeking = true;
    tail->seek_unread_count = 0;
    Status s = seek(tail, from, err);
    while (!s && !(s = read_next(tail, &record, &event, err))) ring[(*ret_found)++ % wanted] = record.pos;
    tail->is_seeking = false;
    return s == ERR_NOT_FOUND ? OK : s;
}

/* Looks back in growing steps, so that the last ten of a large journal cost one segment and not all. */
static Status seek_last(struct tail *tail, size_t wanted, Err *err)
{
    static const Millis steps_ms[] = { 0, HOUR_MS, DAY_MS, 7 * DAY_MS, 60 * DAY_MS, INT64_MAX };
    Millis now_ms = clock_now_ms(os_clock());
    JournalPos end = journal_end(tail->journal), tried = UINT64_MAX;
    if (wanted == 0) return seek(tail, end, err);
    JournalPos *ring = calloc(wanted, sizeof *ring);
    if (!ring) return err_set(err, ERR_IO, "no memory for %zu lines", wanted);
    Status s = OK;
    size_t found = 0;
    for (size_t step = 0; !s && found < wanted && step < countof(steps_ms); step++) {
        bool is_last = steps_ms[step] == INT64_MAX;
        JournalPos from = is_last ? journal_first(tail->journal)
                                  : journal_find_time(tail->journal, now_ms - steps_ms[step]);
        if (from == tried) continue;
        tried = from;
        s = find_last(tail, from, ring, wanted, &found, err);
    }
    if (!s && found) s = seek(tail, ring[found > wanted ? found % wanted : 0], err);
    if (tail->seek_unread_count)
        command_complain("%" PRIu64 " records or places looked through cannot be read; onym verify tells more",
                         tail->seek_unread_count);
    free(ring);
    return s;
}

/* --from WHERE: start, end, a position, or a time (then the filter passes over what arrived before). */
static int seek_where(struct tail *tail, const char *where, Err *err)
{
    int64_t position;
    Millis from_ms;
    Status s;
    if (!strcmp(where, "start")) s = seek(tail, journal_first(tail->journal), err);
    else if (!strcmp(where, "end")) s = seek(tail, journal_end(tail->journal), err);
    else if (str_parse_int(str_from(where), 0, INT64_MAX, &position)) s = seek(tail, (JournalPos)position, err);
    else if (parse_when(where, clock_now_ms(os_clock()), &from_ms)) {
        tail->filter.received_from_ms = from_ms;
        s = seek(tail, journal_find_time(tail->journal, from_ms), err);
    } else {
        command_complain("--from: \"%s\" is none of start, end, a time, a time ago like 15m, or a position", where);
        return EXIT_USAGE;
    }
    if (s) command_complain("%s", err->text);
    return s ? EXIT_WRONG : EXIT_FINE;
}

static int seek_begin(struct tail *tail, const struct command_line *line, Err *err)
{
    const char *where = command_option(line, "from"), *lines = command_option(line, "lines");
    int64_t wanted = LINES_DEFAULT;
    if (where && lines) {
        command_complain("--from and --lines both say where to begin; give one");
        return EXIT_USAGE;
    }
    if (lines && !str_parse_int(str_from(lines), 0, LINES_MOST, &wanted)) {
        command_complain("--lines: \"%s\" is no number from 0 to %d", lines, LINES_MOST);
        return EXIT_USAGE;
    }
    if (where) return seek_where(tail, where, err);
    Status s = seek_last(tail, (size_t)wanted, err);
    if (s) command_complain("%s", err->text);
    return s ? EXIT_WRONG : EXIT_FINE;
}

/* ---- Following ---- */

static int follow(struct tail *tail, bool goes_on, Err *err)
{
    JournalRecord record;
    Event event;
    for (;;) {
        Status s = read_next(tail, &record, &event, err);
        if (!s) {
            print_record(tail, record.bytes, &event);
            continue;
        }
        if (fflush(stdout)) return EXIT_WRONG;
        if (s == ERR_NOT_FOUND && !goes_on) return tail->unread_count ? EXIT_WRONG : EXIT_FINE;
        if (s == ERR_NOT_FOUND) {
            nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
            s = journal_refresh(tail->journal, err);
        }
        if (s) {
            command_complain("%s", err->text);
            return EXIT_WRONG;
        }
    }
}

static int tail_open(struct tail *tail, const struct command_line *line, Arena *arena, Err *err)
{
    struct config config;
    tail->is_json = command_has(line, "json");
    int code = record_filter_init(&tail->filter, line);
    tail->filter.wants_rejected = command_has(line, "rejected") || command_has(line, "all");
    tail->filter.wants_events = !command_has(line, "rejected") || command_has(line, "all");
    if (!code) code = command_load_config(line, arena, &config);
    if (code) return code;
    Status s = open_journal_to_read(&config, arena, &tail->journal, err);
    if (!s) s = event_line_open(stdout, &tail->line, err);
    if (s) command_complain("%s", err->text);
    return s ? EXIT_WRONG : EXIT_FINE;
}

int command_tail(const struct command_line *line)
{
    Err err;
    struct tail tail = { 0 };
    struct region region;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    int code = tail_open(&tail, line, &arena, &err);
    if (!code) code = seek_begin(&tail, line, &err);
    if (!code) code = follow(&tail, !command_has(line, "no-follow"), &err);
    journal_reader_close(tail.reader);
    journal_close(tail.journal);
    event_line_close(tail.line);
    region_close(&region);
    return code;
}
