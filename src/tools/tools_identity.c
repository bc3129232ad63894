/* identity: what other rules of who is who would do to the stored history. Reads the journal beside a running server,
 * and touches nothing but a directory of its own. */
#include "tools.h"
#include "command/command.h"
#include "server/server.h"
#include "tools_record_filter.h"
#include "terminal/terminal.h"

#include <stdio.h>
#include <unistd.h>

enum { OUT_BYTES = 4 * 1024 * 1024, EXAMPLES_SHOWN = 5 };

/* ---- The other rules ---- */

/* What is wrong elsewhere in the file does not matter, but it should be said. */
static int load_rules(const char *file, Arena *arena, struct config *ret)
{
    ConfigOptions request = { .file = file, .disk = os_disk() };
    struct config_problems *problems = arena_new(arena, struct config_problems, 1);
    struct buf buf;
    Err err;
    Status s = config_load(&request, arena, ret, problems, &err);
    buf_init(&buf, CONFIG_FILE_BYTES);
    for (size_t at = 0; at < problems->count; at++)
        if (!problems->items[at].is_warning) config_write_problem(&buf, problems, &problems->items[at]);
    fwrite(buf.bytes ? buf.bytes : "", 1, buf.len, stderr);
    buf_done(&buf);
    if (s && problems->error_count == 0) command_complain("%s", err.text);
    return s ? EXIT_USAGE : EXIT_FINE;
}

/* ---- Telling ---- */

static void put_list_json(struct buf *out, const char *name, const DryParting *parting, const char *whole,
                          const char *parts)
{
    json_array(out, name);
    for (size_t at = 0; at < parting->example_count; at++) {
        const DryExample *example = &parting->examples[at];
        json_object(out, NULL);
        json_string(out, whole, example->whole);
        json_array(out, parts);
        for (size_t part = 0; part < example->part_count; part++) json_string(out, NULL, example->parts[part]);
        json_array_end(out);
        json_uint(out, "count", example->all_count);
        json_object_end(out);
    }
    json_array_end(out);
}

static void put_json(struct buf *out, const DryRun *dry)
{
    json_object(out, NULL);
    json_uint(out, "messages", dry->messages);
    json_uint(out, "identifiers", dry->identifiers);
    json_uint(out, "people_before", dry->people_before);
    json_uint(out, "people_after", dry->people_after);
    json_uint(out, "merged", dry->merged.wholes);
    json_uint(out, "merging", dry->merged.parts);
    json_uint(out, "split", dry->split.wholes);
    json_uint(out, "parts", dry->split.parts);
    put_list_json(out, "merges", &dry->merged, "after", "before");
    put_list_json(out, "splits", &dry->split, "before", "after");
    json_object_end(out);
    buf_char(out, '\n');
}

static void put_people(struct buf *out, const DryExample *example)
{
    for (size_t part = 0; part < example->part_count; part++) {
        if (part) buf_str_put(out, STR(", "));
        (void)terminal_put(out, example->parts[part], 0, 0);
    }
    if (example->all_count > example->part_count)
        buf_printf(out, " and %zu more", example->all_count - example->part_count);
}

static void put_text(struct buf *out, const DryRun *dry)
{
    char texts[4][32];
    buf_printf(out, "%s people now, %s under the new rules; %s ids, %s messages looked at\n",
               count_text(dry->people_before, texts[0], sizeof texts[0]),
               count_text(dry->people_after, texts[1], sizeof texts[1]),
               count_text(dry->identifiers, texts[2], sizeof texts[2]),
               count_text(dry->messages, texts[3], sizeof texts[3]));
    if (dry->merged.wholes == 0 && dry->split.wholes == 0) buf_str_put(out, STR("nobody would merge or split\n"));
    if (dry->merged.wholes)
        buf_printf(out, "\n%s people would merge into %s:\n", count_text(dry->merged.parts, texts[0], sizeof texts[0]),
                   count_text(dry->merged.wholes, texts[1], sizeof texts[1]));
    for (size_t at = 0; at < dry->merged.example_count && at < EXAMPLES_SHOWN; at++) {
        buf_str_put(out, STR("  "));
        put_people(out, &dry->merged.examples[at]);
        buf_str_put(out, STR(" -> "));
        (void)terminal_put(out, dry->merged.examples[at].whole, 0, 0);
        buf_char(out, '\n');
    }
    if (dry->split.wholes)
        buf_printf(out, "\n%s people would split into %s:\n", count_text(dry->split.wholes, texts[0], sizeof texts[0]),
                   count_text(dry->split.parts, texts[1], sizeof texts[1]));
    for (size_t at = 0; at < dry->split.example_count && at < EXAMPLES_SHOWN; at++) {
        buf_str_put(out, STR("  "));
        (void)terminal_put(out, dry->split.examples[at].whole, 0, 0);
        buf_str_put(out, STR(" -> "));
        put_people(out, &dry->split.examples[at]);
        buf_char(out, '\n');
    }
}

/* ---- Running ---- */

static void show_progress(void *context, JournalPos done, JournalPos all)
{
    progress_show(context, done, all, STR(""));
}

static Status run_dry(const struct config *config, const struct config *rules, struct journal *journal, Arena *arena,
                      DryRun *ret, Err *err)
{
    struct progress progress;
    progress_init(&progress, os_clock(), "comparing");
    DryRunOptions options = {
        .journal = journal, .before = derived_rules(config, arena), .after = derived_rules(rules, arena),
        .scratch_dir = arena_printf(arena, "%.*s/dry-run-%d", STR_FORMAT(config->data), (int)getpid()).bytes,
        .progress = show_progress, .context = &progress,
    };
    Status s = derive_dry_run(&options, arena, ret, err);
    progress_clear(&progress);
    (void)rmdir(options.scratch_dir);
    return s;
}

static int compare(const struct command_line *line, const char *file, Arena *arena)
{
    struct config config, rules;
    struct journal *journal;
    struct buf out;
    DryRun dry;
    Err err;
    int code = command_load_config(line, arena, &config);
    if (!code) code = load_rules(file, arena, &rules);
    if (code) return code;
    Status s = open_journal_to_read(&config, arena, &journal, &err);
    if (!s) {
        s = run_dry(&config, &rules, journal, arena, &dry, &err);
        journal_close(journal);
    }
    if (s) {
        command_complain("%s", err.text);
        return s == ERR_INPUT ? EXIT_USAGE : EXIT_WRONG;
    }
    buf_init(&out, OUT_BYTES);
    if (command_has(line, "json")) put_json(&out, &dry);
    else put_text(&out, &dry);
    if (command_has(line, "json")) terminal_write(stdout, buf_str(&out));
    else fwrite(out.bytes, 1, out.len, stdout);
    buf_done(&out);
    return EXIT_FINE;
}

int command_identity(const struct command_line *line)
{
    const char *file = command_option(line, "dry-run");
    struct region region;
    if (!file || line->operand_count) {
        command_complain("identity wants rules to try: onym identity --dry-run new-rules.yaml");
        return EXIT_USAGE;
    }
    region_open(&region, (size_t)4 * CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    int code = compare(line, file, &arena);
    region_close(&region);
    return code;
}
