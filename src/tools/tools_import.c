/* import: files of NDJSON into the journal, at the pace of the disk, resumable at any moment. */
#include "tools.h"
#include "tools_import.h"
#include "terminal/terminal.h"

#include <signal.h>
#include <stdio.h>

enum { SAVE_NS = 1000000000 };

static volatile sig_atomic_t is_interrupted;               /* the one thing that a signal may touch */

static void on_signal(int number)
{
    (void)number;
    is_interrupted = 1;
}

struct import {
    struct config config;
    const Source *source;                  /* NULL: each line's own */
    struct import_sink *sink;
    struct buf lines_buf;                  /* the batch: lines with their newlines */
    struct region scratch_region;
    struct progress progress;
    bool is_json;
    struct import_state total;             /* the counts of this run */
    struct import_repeats repeats;
    uint64_t repeated;                     /* of the accepted */
    bool knows_repeated;
    /* the file at hand */
    struct import_lines *lines;
    struct import_state state;
    uint64_t batch_lines;                  /* in lines_buf */
    uint64_t batch_first;                  /* the number of its first */
    uint64_t batch_next;                   /* where it ends in the file */
    int64_t saved_ns;
};

/* ---- A batch ---- */

static void count_sent(struct import *import, const ImportSent *sent)
{
    import->state.accepted += sent->accepted, import->total.accepted += sent->accepted;
    import->state.rejected += sent->rejected, import->total.rejected += sent->rejected;
}

/* A batch that is too large as a whole goes line by line; a line that is too large alone is told and left
 * out (a batch of thousands on one line, say). */
static Status send_lines_singly(struct import *import, Err *err)
{
    uint64_t number = import->batch_first;
    for (Str rest = buf_str(&import->lines_buf); rest.len; number++) {
        ImportSent sent = { 0 };
        Str line = str_cut(rest, '\n', &rest);
        Status s = line.len ? import->sink->send(import->sink, line, number, &sent, err) : OK;
        if (s && s != ERR_TOO_LARGE) return s;
        if (s) {
            progress_clear(&import->progress);
            command_complain("line %" PRIu64 " is left out: %s", number, err->text);
            sent.rejected = 1;
        }
        count_sent(import, &sent);
    }
    return OK;
}

static Status send_batch(struct import *import, Err *err)
{
    ImportSent sent = { 0 };
    Status s = OK;
    check(buf_ok(&import->lines_buf));
    if (import->batch_lines)
        s = import->sink->send(import->sink, buf_str(&import->lines_buf), import->batch_first, &sent, err);
    if (s == ERR_TOO_LARGE) s = send_lines_singly(import, err);
    buf_clear(&import->lines_buf);
    if (s) return s;
    count_sent(import, &sent);
    import->state.offset = import->batch_next;
    import->state.lines += import->batch_lines, import->total.lines += import->batch_lines;
    import->batch_lines = 0;
    int64_t now_ns = clock_monotonic_ns(os_clock());
    if (now_ns - import->saved_ns < SAVE_NS) return OK;
    import->saved_ns = now_ns;
    return import_state_save(&import->state, err);
}

/* A line that is too long goes as its beginning, made to be no JSON: it is kept as rejected, as all others
 * that are no message. */
static void take_line(struct import *import, const ImportLine *line)
{
    if (import->batch_lines == 0) import->batch_first = import->state.lines + 1;
    buf_str_put(&import->lines_buf, line->text);
    if (line->is_too_long) buf_str_put(&import->lines_buf, STR(" (cut: the line is too long)"));
    buf_char(&import->lines_buf, '\n');
    import->batch_lines++;
    import->batch_next = line->next;
}

/* ---- A file ---- */

static void show(struct import *import)
{
    char count[32], note[64];
    snprintf(note, sizeof note, "%s lines", count_text(import->state.lines, count, sizeof count));
    progress_show(&import->progress, import_lines_done_bytes(import->lines), import->state.file_bytes, str_from(note));
}

static Status read_lines(struct import *import, Err *err)
{
    ImportLine line;
    Status s = OK;
    while (!s && !is_interrupted) {
        s = import_lines_read(import->lines, &line, err);
        if (s) break;
        if (import->batch_lines == IMPORT_BATCH_LINES
            || import->lines_buf.len + line.text.len + 64 > IMPORT_BATCH_BYTES) {
            s = send_batch(import, err);
            show(import);
        }
        if (!s) take_line(import, &line);
    }
    bool is_ended = s == ERR_NOT_FOUND || s == ERR_DAMAGED || !s;
    if (!is_ended) return s;
    Err send_err;                                              /* what was read before damage still goes */
    Status sent = send_batch(import, &send_err);
    if (sent) return *err = send_err, sent;
    return s == ERR_NOT_FOUND ? OK : s;
}

static Status import_file(struct import *import, const char *file, bool restart, Err *err)
{
    Arena scratch = region_arena(&import->scratch_region);
    Status s = import_state_load(&import->config, file, restart, scratch, &import->state, err);
    if (s) return err_wrap(err, s, "%s", file);
    if (import->state.is_done) {
        char count[32];
        fprintf(stderr, "%s: imported before (%s lines); --restart does it again\n", file,
                count_text(import->state.lines, count, sizeof count));
        return OK;
    }
    s = import_lines_open(file, &import->lines, err);
    if (s) return s;
    import->batch_next = import->state.offset;
    if (!import->state.offset) {
        Str begin;
        s = import_lines_look(import->lines, &begin, err);
        const char *problem = s ? NULL : import_kind_problem(begin);
        if (problem) s = err_set(err, ERR_INPUT, "%s: nothing was imported of it: %s", file, problem);
        if (problem) import_lines_close(import->lines), import->lines = NULL;
        if (problem) return s;
    }
    if (!s && import->state.offset) {
        char bytes[32];
        fprintf(stderr, "%s: goes on after %s\n", file, bytes_text(import->state.offset, bytes, sizeof bytes));
        s = import_lines_skip(import->lines, import->state.offset, err);
    }
    if (!s) s = read_lines(import, err);
    import_lines_close(import->lines);
    import->lines = NULL;
    if (s) err_wrap(err, s, "%s", file);
    import->state.is_done = !s && !is_interrupted;
    Status saved = import_state_save(&import->state, s ? NULL : err);
    return s ? s : saved;
}

/* ---- The command ---- */

/* --source, or the only one there is, or (NULL) each line's own by its projectId. */
static int find_source(struct import *import, const char *name)
{
    const struct config *config = &import->config;
    for (size_t at = 0; at < config->source_count; at++)
        if (name ? str_equal(config->sources[at].name, str_from(name)) : config->source_count == 1)
            import->source = &config->sources[at];
    if (import->source || !name) return EXIT_FINE;
    command_complain("--source: there is no source \"%s\"", name);
    return EXIT_USAGE;
}

static void sum_up(const struct import *import)
{
    const struct import_state *total = &import->total;
    uint64_t fresh = total->accepted - import->repeated;
    char lines[32], accepted[32], repeated[32], rejected[32];
    if (import->is_json) {
        char bytes[256];
        struct buf out;
        buf_init_fixed(&out, bytes, sizeof bytes);
        json_object(&out, NULL);
        json_uint(&out, "lines", total->lines);
        json_uint(&out, "accepted", fresh);
        if (import->knows_repeated) json_uint(&out, "repeated", import->repeated);
        else json_null(&out, "repeated");
        json_uint(&out, "rejected", total->rejected);
        json_bool(&out, "interrupted", is_interrupted);
        json_object_end(&out);
        printf("%.*s\n", STR_FORMAT(buf_str(&out)));
        return;
    }
    printf("%s lines: %s accepted", count_text(total->lines, lines, sizeof lines),
           count_text(fresh, accepted, sizeof accepted));
    if (import->repeated)
        printf(", %s repeated (they count once)", count_text(import->repeated, repeated, sizeof repeated));
    if (!import->knows_repeated && total->accepted) printf(" (how many of them repeat is not known here)");
    if (total->rejected)
        printf(", %s rejected (onym tail --rejected --from 1h shows why)",
               count_text(total->rejected, rejected, sizeof rejected));
    printf("%s\n", is_interrupted ? "; interrupted, the same command goes on from here" : "");
}

static int run(struct import *import, const struct command_line *line, Arena *arena)
{
    Err err;
    int code = command_load_config(line, arena, &import->config);
    Status s = OK;
    if (code) return code;
    s = config_complete_keys(&import->config, os_disk(), os_dice(), true, arena, &err);
    if (!s) code = find_source(import, command_option(line, "source"));
    if (code) return code;
    if (!s) import_repeats_begin(&import->repeats, &import->config, arena);
    const char *url = command_option(line, "url");
    if (!s) s = import_sink_open(&import->config, import->source, url, arena, &import->sink, &err);
    progress_init(&import->progress, os_clock(), "importing");
    (void)sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    (void)sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    for (size_t at = 0; !s && !is_interrupted && at < line->operand_count; at++) {
        progress_clear(&import->progress);
        s = import_file(import, line->operands[at], command_has(line, "restart"), &err);
    }
    progress_clear(&import->progress);
    if (s) command_complain("%s", err.text);
    if (import->sink)
        import->knows_repeated = import_repeats_count(&import->repeats, &import->config, import->total.accepted, arena,
                                                      &import->repeated);
    if (!import->knows_repeated) import->repeated = 0;
    if (import->sink) sum_up(import);
    return s || is_interrupted || import->total.rejected ? EXIT_WRONG : EXIT_FINE;
}

int command_import(const struct command_line *line)
{
    struct region region;
    struct import import = { .is_json = command_has(line, "json") };
    if (line->operand_count == 0) {
        command_complain("import wants files: onym import events.ndjson.gz; - is standard input");
        return EXIT_USAGE;
    }
    region_open(&region, CONFIG_ARENA_BYTES);
    region_open(&import.scratch_region, CONFIG_ARENA_BYTES);
    buf_init(&import.lines_buf, LIMIT_BODY_BYTES);
    Arena arena = region_arena(&region);
    int code = run(&import, line, &arena);
    if (import.sink) import.sink->close(import.sink);
    buf_done(&import.lines_buf);
    region_close(&import.scratch_region);
    region_close(&region);
    return code;
}
