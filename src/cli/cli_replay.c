/* replay: asks the server for a replay and shows its progress. */
#include "cli.h"
#include "cli_ask.h"
#include "tools/tools.h"
#include "terminal/terminal.h"

#include <stdio.h>

enum { LOOK_MS = 500 };

struct replay {
    const struct command_line *line;
    struct asker *asker;
    Arena *arena;
    Str name, path;
    Millis from_ms, to_ms;
    int64_t first_left_bytes;
    struct progress progress;
};

static int64_t number_at(const TreeNode *state, const char *path)
{
    int64_t number = 0;
    (void)!str_parse_int(event_tree_text(state, path), 0, INT64_MAX, &number);
    return number;
}

static bool is_under_way(const TreeNode *state)
{
    const TreeNode *truth = event_tree_find(state, "replay.is_under_way");
    return event_tree_is_kind(truth, FIELD_BOOL) && truth->truth;
}

static void show(struct replay *replay, const TreeNode *state)
{
    int64_t left = number_at(state, "replay.left_bytes");
    char count[32], note[128];
    if (left > replay->first_left_bytes) replay->first_left_bytes = left;
    snprintf(note, sizeof note, "%s delivered",
             count_text((uint64_t)number_at(state, "replay.delivered"), count, sizeof count));
    progress_show(&replay->progress, (uint64_t)(replay->first_left_bytes - left), (uint64_t)replay->first_left_bytes,
                  str_from(note));
}

static int finish(const struct replay *replay, Str answer, const TreeNode *state)
{
    char taken[32], delivered[32];
    int64_t lost = number_at(state, "replay.taken") - number_at(state, "replay.delivered");
    if (command_has(replay->line, "json")) {
        terminal_write(stdout, answer);
        putchar('\n');
        return EXIT_FINE;
    }
    printf("%.*s: %s of %s messages delivered\n", STR_FORMAT(replay->name),
           count_text((uint64_t)number_at(state, "replay.delivered"), delivered, sizeof delivered),
           count_text((uint64_t)number_at(state, "replay.taken"), taken, sizeof taken));
    if (lost > 0)
        printf("the others had nothing to send, or are dead letters: onym destinations dead %.*s\n",
               STR_FORMAT(replay->name));
    return EXIT_FINE;
}

static int follow(struct replay *replay)
{
    Str answer;
    progress_init(&replay->progress, os_clock(), "replaying");
    for (;;) {
        Arena scratch = *replay->arena;
        const TreeNode *state;
        Err err;
        int code = ask(replay->asker, STR("GET"), replay->path, (Str){ 0 }, &answer);
        if (!code && event_tree_read(answer, &scratch, &state, &err)) {
            command_complain("%s", err.text);
            code = EXIT_WRONG;
        }
        if (code) return code;
        if (!is_under_way(state)) {
            progress_clear(&replay->progress);
            return finish(replay, answer, state);
        }
        show(replay, state);
        if (ask_wait(replay->asker, LOOK_MS)) continue;
        progress_clear(&replay->progress);
        command_complain("the server goes on by itself; onym destinations %.*s shows how far it is",
                         STR_FORMAT(replay->name));
        return EXIT_WRONG;
    }
}

static int run(struct replay *replay)
{
    enum { ROOM = 128 };
    struct buf question;
    Str path, body, answer;
    replay->path = arena_printf(replay->arena, "/api/v1/destinations/%.*s",
                                STR_FORMAT(percent_encode(replay->arena, replay->name, PERCENT_URL)));
    path = arena_printf(replay->arena, "%.*s/replay", STR_FORMAT(replay->path));
    buf_init_fixed(&question, arena_bytes(replay->arena, ROOM), ROOM);
    json_object(&question, NULL);
    json_instant(&question, "from", replay->from_ms);
    json_instant(&question, "to", replay->to_ms);
    json_object_end(&question);
    body = buf_str(&question);
    int code = ask(replay->asker, STR("POST"), path, body, &answer);
    if (code) return code;
    if (!command_has(replay->line, "no-follow")) return follow(replay);
    if (command_has(replay->line, "json")) {
        terminal_write(stdout, answer);
        putchar('\n');
    }
    return EXIT_FINE;
}

int command_replay(const struct command_line *line)
{
    struct region region;
    struct replay replay = { .line = line, .from_ms = INT64_MIN, .to_ms = clock_now_ms(os_clock()) };
    if (line->operand_count != 1 || !command_has(line, "from")) {
        command_complain("replay wants a destination and a time: onym replay mixpanel --from 30d");
        return EXIT_USAGE;
    }
    int code = read_when(line, "from", &replay.from_ms);
    if (!code) code = read_when(line, "to", &replay.to_ms);
    if (code) return code;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    replay.name = str_from(line->operands[0]);
    replay.arena = &arena;
    code = ask_open(line, &arena, &replay.asker);
    if (!code) code = run(&replay);
    ask_close(replay.asker);
    region_close(&region);
    return code;
}
