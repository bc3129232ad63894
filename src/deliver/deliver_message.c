/* deliver_message: what happened to one message at each destination, as far as the store tells. The store keeps what
 * waits and what is dead; of a delivered message it knows only that the cursor is past its position. So the answer is
 * found by exclusion: is it for this destination at all; does it have a row, or a letter; is the cursor past it? */
#include "deliver_runner.h"

#include <stdio.h>

enum { POSITION_TEXT_BYTES = 40 };

typedef enum Stage { STAGE_FILTERED, STAGE_WAITING, STAGE_DELIVERED, STAGE_DEAD } Stage;

struct search {
    JournalPos pos;
    Arena *arena;
    char position_text[POSITION_TEXT_BYTES];         /* as it is in letters */
    bool has_row;
    DeliveryGlimpse row;                             /* one that is not done, if there is any */
    Str letter;                                      /* the latest */
};

static bool visit_row(void *context, Str key, Str value)
{
    struct search *search = context;
    DeliveryGlimpse row;
    (void)key;
    if (!delivery_glimpse(value, &row) || row.pos != search->pos) return true;
    if (!search->has_row || !row.is_done) search->row = row;
    search->has_row = true;
    return true;
}

/* Quotes inside a letter's texts are escaped, so this text can only be the letter's own member. */
static bool visit_letter(void *context, const DeadLetter *letter)
{
    struct search *search = context;
    bool is_of_it = str_contains(letter->json, str_from(search->position_text));
    if (is_of_it) search->letter = arena_copy(search->arena, letter->json);
    return true;
}

static Status read_cursor(const struct runner *runner, const struct outbox_rows *rows, Arena *arena, JournalPos *ret,
                          Err *err)
{
    char key[ROW_KEY_BYTES];
    uint64_t number = 0;
    Str row;
    Status s = rows->get(rows->context, row_key(runner, ROW_CURSOR, (Str){ 0 }, key), arena, &row, err);
    if (s && s != ERR_NOT_FOUND) return s;
    if (!s && row.len >= sizeof number) memcpy(&number, row.bytes, sizeof number);
    *ret = journal_position(number);
    return OK;
}

static Status look_up(const struct runner *runner, const struct outbox_rows *rows, struct search *search,
                      JournalPos *ret_cursor, Err *err)
{
    char prefix[ROW_KEY_BYTES];
    Str deliveries = row_key(runner, ROW_DELIVERY, (Str){ 0 }, prefix);
    Status s = rows->walk(rows->context, deliveries, deliveries, visit_row, search, err);
    if (!s) s = deliver_list_dead(rows, str_from(runner->name), 0, visit_letter, search, err);
    return s ? s : read_cursor(runner, rows, search->arena, ret_cursor, err);
}

/* ---- As JSON ---- */

static const struct { const char *word, *text; } stages[] = {
    [STAGE_FILTERED] = { "filtered", "its rules leave the message out" },
    [STAGE_WAITING] = { "waiting", "it has not gone yet" },
    [STAGE_DELIVERED] = { "delivered", "it neither waits nor is dead: it was delivered, or had nothing to say there, "
                          "or came before the destination; no more of it is kept" },
    [STAGE_DEAD] = { "dead", "it could not be delivered; redo tries again" },
};

static void put_stage(struct buf *out, const DeliverState *state, Stage stage, const char *text)
{
    json_object(out, NULL);
    json_word(out, "destination", state->name);
    json_word(out, "type", state->type);
    json_word(out, "state", stages[stage].word);
    json_word(out, "text", text ? text : stages[stage].text);
}

/* A delivered message has a letter, too, if there was something to report. */
static void put_found(struct buf *out, const DeliverState *state, const struct search *search, Stage stage)
{
    const TreeNode *letter = NULL;
    Arena scratch = *search->arena;
    put_stage(out, state, stage, state->condition == DELIVER_DISABLED && stage == STAGE_WAITING
                                     ? "the destination is disabled, and goes on here once it is enabled" : NULL);
    if (stage == STAGE_WAITING && state->condition == DELIVER_WAITING) json_instant(out, "time", state->until_ms);
    if (stage == STAGE_WAITING) json_string_or_null(out, "last_error", str_from(state->last_error));
    if (search->letter.len && !event_tree_read(search->letter, &scratch, &letter, NULL)) {
        if (stage == STAGE_DEAD) json_string(out, "time", event_tree_text(letter, "died_at"));
        json_raw(out, "letter", search->letter);
    }
    json_object_end(out);
}

static bool is_report(const struct search *search)
{
    const TreeNode *letter;
    Arena scratch = *search->arena;
    if (event_tree_read(search->letter, &scratch, &letter, NULL)) return false;
    return str_equal(event_tree_text(letter, "kind"), STR("report"));
}

static Stage judge(const struct search *search, const DeliverState *state, JournalPos cursor)
{
    if (search->has_row && !search->row.is_done) return STAGE_WAITING;       /* also a letter that is tried again */
    if (search->letter.len && !is_report(search)) return STAGE_DEAD;
    if (search->has_row || search->pos < cursor) return STAGE_DELIVERED;
    return search->pos < state->position && state->unfinished == 0 ? STAGE_DELIVERED : STAGE_WAITING;
}

struct telling { const Event *event; const TreeNode *json; JournalPos pos; };      /* the message */

static Status write_one(struct deliver *deliver, const DeliverState *state, const struct telling *telling, Arena *arena,
                        struct buf *out, Err *err)
{
    struct search search = { .pos = telling->pos, .arena = arena };
    struct runner *runner = NULL;
    DestinationConfig config;
    JournalPos cursor = 0;
    Status s = deliver_find_config(deliver, str_from(state->name), arena, &config, err);
    if (s == ERR_NOT_FOUND) return OK;                       /* a reload took it out meanwhile */
    if (!s) s = runner_open(NULL, &config, &runner, err);
    if (s) return s;
    if (!route_wants(runner, telling->event, telling->json)) {
        put_stage(out, state, STAGE_FILTERED, NULL);
        json_object_end(out);
    } else {
        snprintf(search.position_text, sizeof search.position_text, "\"position\":%" PRIu64 ",",
                 journal_number(telling->pos));
        s = look_up(runner, &deliver->options.rows, &search, &cursor, err);
        bool is_held = tracking_stamp_holds(telling->event->plan_check) && !search.has_row && !search.letter.len;
        if (!s && is_held) {
            put_stage(out, state, STAGE_FILTERED,
                      "the tracking plan holds it, or held it; onym plan release lets it go");
            json_object_end(out);
        } else if (!s) {
            put_found(out, state, &search, judge(&search, state, cursor));
        }
    }
    runner_close(runner);
    return s;
}

Status deliver_write_message(struct deliver *deliver, const DeliverMessage *message, Arena *arena, struct buf *out,
                             Err *err)
{
    const char *left_out = message->left_out;
    struct telling telling = { message->event, NULL, message->pos };
    DeliverState *states = arena_new(arena, DeliverState, DELIVER_STATES);
    size_t count = deliver_read_states(deliver, states, DELIVER_STATES);
    Status s = left_out ? OK : event_tree_read(message->event->json, arena, &telling.json, err);
    json_object(out, NULL);
    json_uint(out, "position", journal_number(message->pos));
    json_array(out, "deliveries");
    for (size_t at = 0; !s && at < count; at++) {
        Arena scratch = *arena;
        if (left_out) {
            put_stage(out, &states[at], STAGE_FILTERED, left_out);
            json_object_end(out);
        } else {
            s = write_one(deliver, &states[at], &telling, &scratch, out, err);
        }
    }
    json_array_end(out);
    json_object_end(out);
    return s;
}
