/* rebuild: what is derived is thrown away and made again from the journal. Also what a start does by itself where it
 * finds nothing that fits, here with a bar, and to the end. */
#include "command.h"
#include "derived.h"
#include "terminal.h"

#include <stdio.h>

static Status make_all(struct applier *applier, struct progress *progress, JournalPos first, ApplyStats *ret, Err *err)
{
    bool more = true, more_derived = true;
    Status s = OK;
    while (!s && (more || more_derived)) {
        char count[32], note[64];
        s = more ? apply_step(applier, &more, err) : OK;
        if (!s) s = apply_maintain(applier, &more_derived, err);
        apply_read_stats(applier, ret);
        snprintf(note, sizeof note, "%s messages", count_text(ret->events, count, sizeof count));
        progress_show(progress, ret->applied > first ? ret->applied - first : 0, ret->durable - first,
                      str_from(note));
    }
    return s;
}

static void print_counts(const ApplyStats *stats, struct applier *applier, bool is_json)
{
    IdentityStats identity;
    identity_read_stats(apply_identity(applier), &identity);
    if (is_json) {
        printf("{\"messages\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"users\":%u,"
               "\"anonymous_ids\":%u}\n", stats->events, stats->duplicates, stats->rejected, identity.users,
               identity.anonymous);
        return;
    }
    char texts[4][32];
    printf("%s messages applied, %s repetitions left out; %s user ids, %s anonymous ids\n",
           count_text(stats->events, texts[0], sizeof texts[0]),
           count_text(stats->duplicates, texts[1], sizeof texts[1]),
           count_text(identity.users, texts[2], sizeof texts[2]),
           count_text(identity.anonymous, texts[3], sizeof texts[3]));
}

static Status rebuild(const struct config *config, const char *journal_dir, bool is_json, Arena *arena, Err *err)
{
    struct journal *journal;
    struct applier *applier = NULL;
    struct progress progress;
    JournalRecovery recovery;
    ApplyStats stats = { 0 };
    JournalOptions options = {
        .dir = journal_dir, .disk = os_disk(), .clock = os_clock(), .dice = os_dice(),
        .segment_bytes = (uint64_t)config->journal.segment_bytes, .seal_level = (int)config->journal.seal_level,
        .reserve_bytes = (uint64_t)config->journal.reserve_bytes,
    };
    Status s = journal_open(&options, &journal, &recovery, err);
    if (s) return s == ERR_CONFLICT ? err_wrap(err, s, "stop the server first") : s;
    ApplyOptions apply = derived_options(config, journal, arena);
    apply.makes_anew = true;
    progress_init(&progress, os_clock(), "rebuilding");
    s = apply_open(&apply, &applier, err);
    if (!s) s = make_all(applier, &progress, recovery.first, &stats, err);
    progress_clear(&progress);
    if (!s) print_counts(&stats, applier, is_json);
    apply_close(applier);
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
    if (!code && rebuild(&config, command_journal_dir(&config, &arena), command_has(line, "json"), &arena, &err)) {
        command_complain("%s", err.text);
        code = EXIT_WRONG;
    }
    region_close(&region);
    return code;
}
