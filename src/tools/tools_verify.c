/* verify: every byte of a data directory, read and judged: the journal; and, where no server has them open, what is
 * derived from it and the destinations' store. For people a table, for scripts JSON. */
#include "tools.h"
#include "command/command.h"
#include "derive/derive.h"
#include "deliver/deliver.h"
#include "server/server.h"
#include "terminal/terminal.h"

#include <stdio.h>

enum { FINDINGS_SHOWN = 1000 };            /* the rest are counted; a disk that died has millions */

struct report {
    struct buf out;
    struct progress progress;
    uint64_t findings, damaged;
    DeriveVerdict derived;
    uint64_t deliver_rows, links_rows;
    char why[ERR_TEXT_BYTES];
    bool is_json, is_in_use;                   /* is_in_use: by a server, so only the journal was read */
};

static void put_finding_json(struct report *report, const SegmentsFinding *finding)
{
    json_object(&report->out, NULL);
    json_uint(&report->out, "position", finding->pos);
    json_string(&report->out, "segment", finding->segment);
    json_string(&report->out, "text", finding->text);
    json_bool(&report->out, "is_torn_tail", finding->is_torn_tail);
    json_bool(&report->out, "is_unreadable", finding->is_unreadable);
    json_object_end(&report->out);
}

static const char *name_of(const SegmentsFinding *finding)
{
    return finding->is_torn_tail ? "torn" : finding->is_unreadable ? "unread" : "damaged";
}

static void take_finding(void *context, const SegmentsFinding *finding)
{
    struct report *report = context;
    if (report->findings < FINDINGS_SHOWN) {
        if (report->is_json) {
            put_finding_json(report, finding);
        } else {
            if (report->findings == 0)
                buf_printf(&report->out, "%-8s %14s  %-26s %s\n", "WHAT", "POSITION", "SEGMENT", "FINDING");
            buf_printf(&report->out, "%-8s %14" PRIu64 "  ", name_of(finding), finding->pos);
            (void)terminal_put(&report->out, finding->segment, 26, 0);
            buf_char(&report->out, ' ');
            (void)terminal_put(&report->out, finding->text, 0, 0);
            buf_char(&report->out, '\n');
        }
    }
    report->findings++;
    report->damaged += !finding->is_torn_tail;
}

/* A record whose checksum is right, and that says nothing that this Onym knows: nothing counts or delivers it. */
static const char *judge_record(void *context, Str record)
{
    struct report *report = context;
    static char memory[2 * LIMIT_RECORD_BYTES];
    Err err;
    if (!record_check(record, (Arena){ memory, memory + sizeof memory }, &err)) return NULL;
    snprintf(report->why, sizeof report->why, "%s", err.text);
    return report->why;
}

/* Of a part that is no segment. */
static void take_part(void *context, const char *part, const char *text)
{
    struct report *report = context;
    if (report->is_json) {
        json_object(&report->out, NULL);
        json_word(&report->out, "part", part);
        json_string(&report->out, "text", str_from(text));
        json_object_end(&report->out);
    } else {
        if (report->findings == 0)
            buf_printf(&report->out, "%-8s %14s  %-26s %s\n", "WHAT", "POSITION", "SEGMENT", "FINDING");
        buf_printf(&report->out, "%-8s %14s  %-26s ", "damaged", "", part);
        (void)terminal_put(&report->out, str_from(text), 0, 0);
        buf_char(&report->out, '\n');
    }
    report->findings++;
}

static Status note_part(struct report *report, const char *part, Status s, const Err *err)
{
    if (s != ERR_DAMAGED) return s;
    take_part(report, part, err->text);
    report->derived.damaged++;
    return OK;
}

/* Nobody else may have it open: LMDB's file, above all, is another one a moment later. */
static Status verify_others(struct report *report, const struct config *config, Arena *arena, Err *err)
{
    struct disk *disk = os_disk();
    const char *lock = arena_printf(arena, "%.*s/journal/lock", STR_FORMAT(config->data)).bytes;
    const char *derived = arena_printf(arena, "%.*s/derived", STR_FORMAT(config->data)).bytes;
    const char *deliver = arena_printf(arena, "%.*s/deliver", STR_FORMAT(config->data)).bytes;
    const char *links = arena_printf(arena, "%.*s/links", STR_FORMAT(config->data)).bytes;
    DiskFile file;
    Status s = disk->open(disk, lock, DISK_WRITE, &file, err);
    bool has_lock = !s;
    if (has_lock) s = disk->lock(disk, file, err);
    report->is_in_use = s == ERR_CONFLICT;
    if (s == ERR_NOT_FOUND) s = OK;                           /* a copy */
    if (!s) s = derive_verify(derived, disk, take_part, report, &report->derived, err);
    if (!s) s = outbox_verify(deliver, &report->deliver_rows, err);
    s = note_part(report, "deliver", s, err);
    if (!s) s = server_check_links(links, &report->links_rows, err);
    s = note_part(report, "links", s, err);
    if (!s) s = server_check_sessions(config, err);
    s = note_part(report, "sessions", s, err);
    if (!s) s = server_check_desk(config, err);
    s = note_part(report, "what is kept by the page", s, err);
    if (has_lock) disk->close(disk, file);
    return report->is_in_use ? OK : s;
}

static void take_progress(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
    struct report *report = context;
    progress_show(&report->progress, done_bytes, all_bytes, STR(""));
}

static void put_verdict(struct report *report, const SegmentsVerdict *verdict)
{
    struct buf *out = &report->out;
    char text[32], raw[32], disk[32];
    if (report->is_json) {
        json_array_end(out);
        json_uint(out, "segments", verdict->segments);
        json_uint(out, "records", verdict->records);
        json_uint(out, "bytes", verdict->bytes);
        json_uint(out, "disk_bytes", verdict->disk_bytes);
        json_uint(out, "damaged_places", verdict->damaged_places);
        json_uint(out, "given_up_places", verdict->given_up_places);
        json_uint(out, "missing_records", verdict->missing_records);
        json_uint(out, "unreadable_records", verdict->unreadable_records);
        json_uint(out, "torn_bytes", verdict->torn_bytes);
        json_object(out, "derived");
        json_bool(out, "is_in_use", report->is_in_use);
        json_uint(out, "rows", report->derived.rows + report->deliver_rows + report->links_rows);
        json_uint(out, "files", report->derived.files);
        json_uint(out, "damaged_parts", report->derived.damaged);
        json_object_end(out);
        json_object_end(out);
        buf_char(out, '\n');
        return;
    }
    if (report->findings > FINDINGS_SHOWN)
        buf_printf(out, "... and %s more\n", count_text(report->findings - FINDINGS_SHOWN, text, sizeof text));
    if (report->findings) buf_char(out, '\n');
    buf_printf(out, "%s records in %" PRIu64 " segment%s, %s (%s on disk): ",
               count_text(verdict->records, text, sizeof text), verdict->segments,
               verdict->segments == 1 ? "" : "s", bytes_text(verdict->bytes, raw, sizeof raw),
               bytes_text(verdict->disk_bytes, disk, sizeof disk));
    if (verdict->damaged_places) {
        buf_printf(out, "%s damaged place%s", count_text(verdict->damaged_places, text, sizeof text),
                   verdict->damaged_places == 1 ? "" : "s");
        if (verdict->missing_records)
            buf_printf(out, ", %s record%s missing", count_text(verdict->missing_records, text, sizeof text),
                       verdict->missing_records == 1 ? "" : "s");
        buf_char(out, '\n');
    } else if (verdict->torn_bytes) {
        buf_printf(out, "sound; a torn tail of %s, cut at the next start\n",
                   bytes_text(verdict->torn_bytes, text, sizeof text));
    } else {
        buf_str_put(out, STR("sound\n"));
    }
    if (verdict->unreadable_records)
        buf_printf(out, "%s record%s whole, and this Onym cannot read it: a newer one, or faulty memory, wrote it\n",
                   count_text(verdict->unreadable_records, text, sizeof text),
                   verdict->unreadable_records == 1 ? " is" : "s are");
    if (report->is_in_use) {
        buf_str_put(out, STR("what is derived, and the destinations' store: in use by a server, not read; it reads "
                             "them at its start\n"));
        return;
    }
    buf_printf(out, "%s rows and %" PRIu64 " file%s of what is derived, %s rows of destinations and links: ",
               count_text(report->derived.rows, text, sizeof text), report->derived.files,
               report->derived.files == 1 ? "" : "s",
               count_text(report->deliver_rows + report->links_rows, raw, sizeof raw));
    if (report->derived.damaged)
        buf_printf(out, "%" PRIu64 " damaged part%s; the next start makes derived/, links/ and sessions anew\n",
                   report->derived.damaged,
                   report->derived.damaged == 1 ? "" : "s");
    else
        buf_str_put(out, STR("sound\n"));
}

static int verify(const struct command_line *line, Arena *arena)
{
    Err err;
    struct config config;
    struct report report = { .is_json = command_has(line, "json") };
    int code = command_load_config(line, arena, &config);
    if (code) return code;
    SegmentsOptions options = {
        .dir = config_journal_dir(&config, arena), .disk = os_disk(), .clock = os_clock(), .dice = os_dice(),
    };
    buf_init(&report.out, 4 * 1024 * 1024);
    progress_init(&report.progress, os_clock(), "verifying");
    if (report.is_json) {
        json_object(&report.out, NULL);
        json_array(&report.out, "findings");
    }
    SegmentsVerdict verdict = { 0 };
    SegmentsListener listener = { take_finding, judge_record, take_progress, &report };
    Status s = segments_verify(&options, &listener, &verdict, &err);
    progress_clear(&report.progress);
    if (!s) s = verify_others(&report, &config, arena, &err);
    if (s) {
        command_complain("%s", err.text);
        code = EXIT_WRONG;
    } else {
        put_verdict(&report, &verdict);
        check(buf_ok(&report.out));
        fwrite(report.out.bytes, 1, report.out.len, stdout);
        code = verdict.damaged_places || report.damaged || report.derived.damaged ? EXIT_WRONG : EXIT_FINE;
    }
    buf_done(&report.out);
    return code;
}

int command_verify(const struct command_line *line)
{
    struct region region;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    int code = verify(line, &arena);
    region_close(&region);
    return code;
}
