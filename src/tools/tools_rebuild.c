/* rebuild: what is derived is thrown away and made again from the journal. Also what a start does by itself where it
 * finds nothing that fits, here with a bar, and to the end. */
#include "tools.h"
#include "command/command.h"
#include "server/server.h"
#include "terminal/terminal.h"

#include <stdio.h>

static Status make_all(struct applier *applier, struct progress *progress, JournalPos first, DeriveStats *ret, Err *err)
{
    bool more = true, more_derived = true;
    Status s = OK;
    while (!s && (more || more_derived)) {
        char count[32], note[64];
        s = more ? derive_step(applier, &more, err) : OK;
        if (!s) s = derive_maintain(applier, &more_derived, err);
        derive_read_stats(applier, ret);
        snprintf(note, sizeof note, "%s messages", count_text(ret->events, count, sizeof count));
        progress_show(progress, journal_distance(first, ret->applied), journal_distance(first, ret->durable),
                      str_from(note));
    }
    return s;
}

static void print_counts(const DeriveStats *stats, struct applier *applier, bool is_json)
{
    DeriveSizes sizes;
    derive_read_sizes(applier, &sizes);
    if (is_json) {
        char bytes[512];
        struct buf out;
        buf_init_fixed(&out, bytes, sizeof bytes);
        json_object(&out, NULL);
        json_uint(&out, "messages", stats->events);
        json_uint(&out, "duplicates", stats->duplicates);
        json_uint(&out, "rejected", stats->rejected);
        json_uint(&out, "users", sizes.identity.users);
        json_uint(&out, "anonymous_ids", sizes.identity.anonymous);
        json_uint(&out, "missing_places", stats->missing_places);
        json_uint(&out, "missing_messages", stats->missing_messages);
        json_object_end(&out);
        printf("%.*s\n", STR_FORMAT(buf_str(&out)));
        return;
    }
    char texts[4][32];
    printf("%s messages applied, %s repetitions left out; %s user ids, %s anonymous ids\n",
           count_text(stats->events, texts[0], sizeof texts[0]),
           count_text(stats->duplicates, texts[1], sizeof texts[1]),
           count_text(sizes.identity.users, texts[2], sizeof texts[2]),
           count_text(sizes.identity.anonymous, texts[3], sizeof texts[3]));
    if (stats->missing_places)
        printf("the journal cannot be read in %" PRIu64 " place%s: %s message%s missing; onym verify tells where\n",
               stats->missing_places, stats->missing_places == 1 ? "" : "s",
               count_text(stats->missing_messages, texts[0], sizeof texts[0]),
               stats->missing_messages == 1 ? " is" : "s are");
}

static void tell_passed(void *context, const char *why, uint64_t bytes)
{
    struct progress *progress = context;
    progress_clear(progress);
    command_complain("%s: passed over, %" PRIu64 " bytes", why, bytes);
}

static Status rebuild(const struct config *config, bool is_json, Arena *arena, Err *err)
{
    struct journal *journal;
    struct applier *applier = NULL;
    struct progress progress;
    SegmentsRecovery recovery;
    DeriveStats stats = { 0 };
    SegmentsOptions options = journal_options(config, arena);
    Status s = segments_open(&options, &journal, &recovery, err);
    if (s) return s == ERR_CONFLICT ? err_wrap(err, s, "stop the server first") : s;
    DeriveOptions apply = derived_options(config, journal, arena);
    apply.makes_anew = true;
    apply.passed = tell_passed;
    apply.passed_context = &progress;
    progress_init(&progress, os_clock(), "rebuilding");
    s = derive_open(&apply, &applier, err);
    if (!s) s = make_all(applier, &progress, recovery.first, &stats, err);
    progress_clear(&progress);
    if (!s) print_counts(&stats, applier, is_json);
    derive_close(applier);
    journal_close(journal);
    return s;
}

int command_rebuild(const struct command_line *line)
{
    struct region region;
    struct config config;
    Err err;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    int code = command_load_config(line, &arena, &config);
    if (!code && rebuild(&config, command_has(line, "json"), &arena, &err)) {
        command_complain("%s", err.text);
        code = EXIT_WRONG;
    }
    region_close(&region);
    return code;
}
