/* export: accepted messages in journal order, each once.
 *
 * A duplicate is a message whose (source, messageId) was written before. The set that knows them is exact
 * and bounded: it holds at most FINGERPRINTS_MOST fingerprints. A journal that may hold more messages is
 * counted first, then read in passes: each pass looks at one part of all fingerprints and marks the
 * duplicates among them, one bit a message; a last pass writes what is not marked. A small journal needs
 * only the last pass, with the set in it.
 *
 * The end is taken at the start, so an export beside a running server ends, and every pass sees the same.
 */
#include "tools.h"
#include "tools_fingerprints.h"
#include "tools_flat.h"
#include "tools_output.h"
#include "tools_record_filter.h"
#include "terminal/terminal.h"

#include <stdio.h>

enum { FLAT_ARENA_BYTES = 64 * 1024 * 1024 };
enum { RECORD_BYTES_LEAST = 64 };          /* no frame with an event is smaller: bounds the count by the size */

struct export {
    struct record_filter filter;
    struct config config;
    struct journal *journal;
    struct output *output;
    struct progress progress;
    JournalPos start, end;
    uint64_t pass_bytes, pass_count;       /* for the progress */
    uint64_t seed;
    bool is_raw, is_flat, is_damaged;
    struct buf flat;                       /* a row */
    struct region flat_region;

    uint64_t set_most;                     /* FINGERPRINTS_MOST; tests make it small */
    struct fingerprints seen;
    unsigned part, part_count;             /* which of the fingerprints this pass looks at */
    struct region marks_region;            /* a bit a matching message: a duplicate; not there: nothing is marked */
    uint64_t written, duplicates;
    Arena arena;
};

/* One pass: calls take for every matching message with its number. */
typedef Status Take(struct export *export, const Event *event, uint64_t number, Err *err);

static Status pass(struct export *export, Take *take, Err *err)
{
    struct journal_reader *reader = NULL;
    uint64_t number = 0, records = 0;
    Status s = journal_reader_open(export->journal, export->start, &reader, err);
    while (!s) {
        JournalRecord record;
        Event event;
        s = journal_read(reader, &record, err);
        if (s == ERR_DAMAGED) {
            uint64_t skipped = 0;
            if (!export->is_damaged) command_complain("%s; what can be read is exported", err->text);
            export->is_damaged = true;
            s = journal_skip_damage(reader, &skipped, err);
            continue;
        }
        if (s || record.pos >= export->end) break;
        if (++records % 4096 == 0)
            progress_show(&export->progress,
                          export->pass_bytes * export->pass_count + journal_distance(export->start, record.pos),
                          export->pass_bytes * (export->part_count > 1 ? export->part_count + 2 : 1), STR(""));
        bool matches;
        if (record_filter_read(&export->filter, record.bytes, &event, &matches, err)) {
            if (!export->is_damaged) command_complain("the record at %" PRIu64 " cannot be read: %s; the others are "
                                                      "exported", record.pos, err->text);
            export->is_damaged = true;
        } else if (matches) {
            s = take(export, &event, number++, err);
        }
    }
    journal_reader_close(reader);
    export->pass_count++;
    return s == ERR_NOT_FOUND ? OK : s;
}

static Hash128 fingerprint_of(const struct export *export, const Event *event)
{
    Hash128 source = hash_128(event->source, export->seed), id = hash_128(event->message_id, export->seed);
    return (Hash128){ id.low ^ (source.high << 1 | source.high >> 63), id.high ^ source.low };
}

static Status take_count(struct export *export, const Event *event, uint64_t number, Err *err)
{
    (void)event, (void)err;
    export->written = number + 1;          /* for now: how many there are */
    return OK;
}

static Status take_mark(struct export *export, const Event *event, uint64_t number, Err *err)
{
    (void)err;
    Hash128 fingerprint = fingerprint_of(export, event);
    if (fingerprint.high % export->part_count != export->part) return OK;
    if (!fingerprints_add(&export->seen, fingerprint))
        export->marks_region.start[number / 8] = (char)(export->marks_region.start[number / 8] | 1 << number % 8);
    return OK;
}

static Status take_write(struct export *export, const Event *event, uint64_t number, Err *err)
{
    bool is_duplicate = false;
    if (export->marks_region.start) is_duplicate = export->marks_region.start[number / 8] >> number % 8 & 1;
    else if (!export->is_raw) is_duplicate = !fingerprints_add(&export->seen, fingerprint_of(export, event));
    if (is_duplicate) {
        export->duplicates++;
        return OK;
    }
    export->written++;
    if (export->is_flat) {
        buf_clear(&export->flat);
        Status flat = flat_write(event, region_arena(&export->flat_region), &export->flat, err);
        return flat ? flat : output_put(export->output, buf_str(&export->flat), err);
    }
    Status s = output_put(export->output, event->json, err);
    return s ? s : output_put(export->output, STR("\n"), err);
}

/* The passes that a journal too large for one set needs. */
static Status mark_duplicates(struct export *export, Err *err)
{
    Status s = pass(export, take_count, err);
    uint64_t count = export->written;
    export->written = 0;
    if (s || count <= export->set_most) return s;
    /* Parts are even by chance only: an eighth of room keeps every one of them within the set. */
    export->part_count = (unsigned)(count / (export->set_most - export->set_most / 8) + 1);
    region_open(&export->marks_region, count / 8 + 1);
    for (export->part = 0; !s && export->part < export->part_count; export->part++) {
        fingerprints_clear(&export->seen);
        s = pass(export, take_mark, err);
    }
    return s;
}

static Status run(struct export *export, Err *err)
{
    bool may_be_many = export->pass_bytes / RECORD_BYTES_LEAST > export->set_most;
    fingerprints_open(&export->seen);
    Status s = may_be_many && !export->is_raw ? mark_duplicates(export, err) : OK;
    if (!s) s = pass(export, take_write, err);
    if (!s) s = output_finish(export->output, err);
    progress_clear(&export->progress);
    return s;
}

static Status export_open(struct export *export, const char *path, Err *err)
{
    Status s = open_journal_to_read(&export->config, &export->arena, &export->journal, err);
    if (s) return s;
    export->start = journal_first(export->journal);
    export->end = journal_end(export->journal);
    if (export->filter.received_from_ms != INT64_MIN)
        export->start = journal_find_time(export->journal, export->filter.received_from_ms);
    if (export->start > export->end) export->start = export->end;
    export->pass_bytes = journal_distance(export->start, export->end);
    export->seed = dice_u64(os_dice());
    progress_init(&export->progress, os_clock(), "exporting");
    return output_open(path, os_disk(), &export->output, err);
}

static int read_options(struct export *export, const struct command_line *line)
{
    int code = record_filter_init(&export->filter, line);
    if (!code) code = read_when(line, "from", &export->filter.from_ms);
    if (!code) code = read_when(line, "to", &export->filter.to_ms);
    if (!code) code = read_when(line, "received-from", &export->filter.received_from_ms);
    export->is_raw = command_has(line, "raw");
    export->is_flat = command_has(line, "flat");
    buf_init(&export->flat, 16 * LIMIT_RECORD_BYTES);
    region_open(&export->flat_region, FLAT_ARENA_BYTES);
    return code ? code : command_load_config(line, &export->arena, &export->config);
}

static void sum_up(const struct export *export, const char *path)
{
    char written[32], duplicates[32];
    if (!path || !strcmp(path, "-")) return;
    fprintf(stderr, "%s messages to %s", count_text(export->written, written, sizeof written), path);
    if (export->duplicates)
        fprintf(stderr, "; %s duplicates left out", count_text(export->duplicates, duplicates, sizeof duplicates));
    fputc('\n', stderr);
}

int command_export(const struct command_line *line)
{
    Err err;
    struct region region;
    struct export export = { .part_count = 1, .set_most = FINGERPRINTS_MOST };
    const char *path = command_option(line, "output");
    region_open(&region, CONFIG_ARENA_BYTES);
    export.arena = region_arena(&region);
    int code = read_options(&export, line);
    if (!code) {
        Status s = export_open(&export, path, &err);
        if (!s) s = run(&export, &err);
        if (s) command_complain("%s", err.text);
        else sum_up(&export, path);
        code = s || export.is_damaged ? EXIT_WRONG : EXIT_FINE;
    }
    fingerprints_close(&export.seen);
    region_close(&export.marks_region);
    region_close(&export.flat_region);
    buf_done(&export.flat);
    output_close(export.output);
    journal_close(export.journal);
    region_close(&region);
    return code;
}
