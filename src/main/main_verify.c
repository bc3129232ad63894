/* verify: every byte of a journal, read and judged; for people a table, for scripts JSON. */
#include "command.h"
#include "terminal.h"

#include <stdio.h>

enum { FINDINGS_SHOWN = 1000 };            /* the rest are counted; a disk that died has millions */

struct report {
    struct buf out;
    struct progress progress;
    uint64_t findings, damaged;
    bool is_json;
};

static void put_finding_json(struct report *report, const JournalFinding *finding)
{
    buf_printf(&report->out, "%s{\"position\":%" PRIu64 ",\"segment\":", report->findings ? "," : "", finding->pos);
    buf_json_string(&report->out, finding->segment);
    buf_str_put(&report->out, STR(",\"text\":"));
    buf_json_string(&report->out, finding->text);
    buf_printf(&report->out, ",\"is_torn_tail\":%s}", finding->is_torn_tail ? "true" : "false");
}

static void take_finding(void *context, const JournalFinding *finding)
{
    struct report *report = context;
    if (report->findings < FINDINGS_SHOWN) {
        if (report->is_json) {
            put_finding_json(report, finding);
        } else {
            if (report->findings == 0)
                buf_printf(&report->out, "%-8s %14s  %-26s %s\n", "WHAT", "POSITION", "SEGMENT", "FINDING");
            buf_printf(&report->out, "%-8s %14" PRIu64 "  ", finding->is_torn_tail ? "torn" : "damaged", finding->pos);
            (void)terminal_put(&report->out, finding->segment, 26, 0);
            buf_char(&report->out, ' ');
            (void)terminal_put(&report->out, finding->text, 0, 0);
            buf_char(&report->out, '\n');
        }
    }
    report->findings++;
    report->damaged += !finding->is_torn_tail;
}

static void take_progress(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
    struct report *report = context;
    progress_show(&report->progress, done_bytes, all_bytes, STR(""));
}

static void put_verdict(struct report *report, const JournalVerdict *verdict)
{
    struct buf *out = &report->out;
    char text[32], raw[32], disk[32];
    if (report->is_json) {
        buf_printf(out, "],\"segments\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
                   ",\"disk_bytes\":%" PRIu64 ",\"damaged_places\":%" PRIu64 ",\"torn_bytes\":%" PRIu64 "}\n",
                   verdict->segments, verdict->records, verdict->bytes,
                   verdict->disk_bytes, verdict->damaged_places, verdict->torn_bytes);
        return;
    }
    if (report->findings > FINDINGS_SHOWN)
        buf_printf(out, "... and %s more\n", count_text(report->findings - FINDINGS_SHOWN, text, sizeof text));
    if (report->findings) buf_char(out, '\n');
    buf_printf(out, "%s records in %" PRIu64 " segment%s, %s (%s on disk): ",
               count_text(verdict->records, text, sizeof text), verdict->segments,
               verdict->segments == 1 ? "" : "s", bytes_text(verdict->bytes, raw, sizeof raw),
               bytes_text(verdict->disk_bytes, disk, sizeof disk));
    if (verdict->damaged_places)
        buf_printf(out, "%s damaged place%s\n", count_text(verdict->damaged_places, text, sizeof text),
                   verdict->damaged_places == 1 ? "" : "s");
    else if (verdict->torn_bytes)
        buf_printf(out, "sound; a torn tail of %s, cut at the next start\n",
                   bytes_text(verdict->torn_bytes, text, sizeof text));
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
    JournalOptions options = {
        .dir = command_journal_dir(&config, arena), .disk = os_disk(), .clock = os_clock(), .dice = os_dice(),
    };
    buf_init(&report.out, 4 * 1024 * 1024);
    progress_init(&report.progress, os_clock(), "verifying");
    if (report.is_json) buf_str_put(&report.out, STR("{\"findings\":["));
    JournalVerdict verdict = { 0 };
    Status s = journal_verify(&options, take_finding, take_progress, &report, &verdict, &err);
    progress_clear(&report.progress);
    if (s) {
        command_complain("%s", err.text);
        code = EXIT_WRONG;
    } else {
        put_verdict(&report, &verdict);
        check(buf_ok(&report.out));
        fwrite(report.out.bytes, 1, report.out.len, stdout);
        code = verdict.damaged_places || report.damaged ? EXIT_WRONG : EXIT_FINE;
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
