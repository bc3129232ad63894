/* tools_plan_read: reads what came, message by message, for commands that learn a plan or try one. In the order of
 * arrival, from --from (by default 30 days ago) to where the journal ended at the start. Imports are left out, unless
 * --imports says so, since a plan is for what will come. */
#include "tools_plan.h"

#include <stdio.h>

enum { READ_ARENA_BYTES = 8 * 1024 * 1024, DAYS = 30 };

static Status read_one(struct plan_reader *reader, const JournalRecord *record, Err *err)
{
    Event event;
    Body body;
    Arena scratch = region_arena(&reader->region);
    if (record_kind(record->bytes) != RECORD_EVENT) return OK;
    Status s = event_decode(record->bytes, &event, err);
    if (s) return s;
    if (event.received_at_ms < reader->from_ms || (event.from_import && !reader->takes_imports)) return OK;
    s = event_parse_message(reader->parser, event.json, &scratch, &body, err);
    if (s || body.messages[0].broken) return s;
    reader->count++;
    reader->visit(reader->context, reader->parser, &event, &body.messages[0], &scratch);
    return OK;
}

static Status read_all(struct plan_reader *reader, struct journal *journal, Err *err)
{
    struct journal_reader *records = NULL;
    JournalPos end = journal_end(journal);
    JournalRecord record;
    uint64_t skipped;
    Status s = journal_reader_open(journal, journal_find_time(journal, reader->from_ms), &records, err);
    while (!s) {
        s = journal_read(records, &record, err);
        if (!s && record.pos >= end) break;
        if (!s) s = read_one(reader, &record, err);
        else if (s == ERR_DAMAGED) {
            reader->unread++;
            s = journal_skip_damage(records, &skipped, err);
            continue;
        }
        if (s == ERR_DAMAGED || s == ERR_UNSUPPORTED || s == ERR_INPUT) reader->unread++, s = OK;
    }
    journal_reader_close(records);
    return s == ERR_NOT_FOUND ? OK : s;
}

int tools_plan_read(const struct command_line *line, struct plan_reader *reader, Arena *arena)
{
    Err err;
    struct config config;
    struct journal *journal = NULL;
    reader->from_ms = clock_now_ms(os_clock()) - DAYS * DAY_MS;
    reader->takes_imports = command_has(line, "imports");
    int code = read_when(line, "from", &reader->from_ms);
    if (!code) code = command_load_config(line, arena, &config);
    if (code) return code;
    reader->parser = event_parser_open();
    region_open(&reader->region, READ_ARENA_BYTES);
    Status s = reader->parser ? open_journal_to_read(&config, arena, &journal, &err)
        : err_set(&err, ERR_IO, "no memory");
    if (!s) s = read_all(reader, journal, &err);
    if (s) command_complain("%s", err.text);
    if (reader->unread)
        command_complain("%" PRIu64 " records or places cannot be read; onym verify tells more", reader->unread);
    journal_close(journal);
    region_close(&reader->region);
    event_parser_close(reader->parser);
    return s ? EXIT_WRONG : EXIT_FINE;
}
