/* deliver_runner: opens a destination by its configuration, closes it, and publishes its state. */
#include "deliver_runner.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONFIG_BYTES = 4 * 1024 * 1024, RATE_SPAN_MS = 60000 };

/* ---- Opening ---- */

/* The caller's nodes may go away; these copies live as long as the runner. */
static const Node *copy_node(Arena *arena, const Node *node)
{
    Node *copy;
    const Node **next;
    if (!node) return NULL;
    copy = arena_new(arena, Node, 1);
    *copy = *node;
    copy->key = arena_copy(arena, node->key);
    copy->text = arena_copy(arena, node->text);
    copy->next = NULL;
    next = &copy->first;
    node_each(child, node) {
        Node *made = (Node *)(uintptr_t)copy_node(arena, child);
        *next = made;
        next = &made->next;
    }
    *next = NULL;
    return copy;
}

void config_copy(Arena *arena, const DestinationConfig *config, DestinationConfig *ret)
{
    Str *sources = arena_new(arena, Str, config->source_count + 1);
    for (size_t at = 0; at < config->source_count; at++) sources[at] = arena_copy(arena, config->sources[at]);
    *ret = (DestinationConfig){
        .name = arena_copy(arena, config->name), .type = arena_copy(arena, config->type),
        .is_enabled = config->is_enabled, .settings = copy_node(arena, config->settings),
        .sources = sources, .source_count = config->source_count, .rules = copy_node(arena, config->rules),
    };
}

static void describe_node(struct buf *buf, const Node *node)
{
    if (!node) return;
    buf_printf(buf, "%d:%zu:", (int)node->kind, node->key.len);
    buf_str_put(buf, node->key);
    buf_printf(buf, "%zu:", node->text.len);
    buf_str_put(buf, node->text);
    node_each(child, node) describe_node(buf, child);
    buf_char(buf, ';');
}

/* A hash that is equal for configurations that say the same. */
static uint64_t fingerprint_of(const DestinationConfig *config)
{
    struct buf text;
    uint64_t fingerprint;
    buf_init(&text, CONFIG_BYTES);
    buf_str_put(&text, config->type);
    buf_printf(&text, "\n%d\n", config->is_enabled);
    describe_node(&text, config->settings);
    describe_node(&text, config->rules);
    for (size_t at = 0; at < config->source_count; at++) {
        buf_str_put(&text, config->sources[at]);
        buf_char(&text, '\n');
    }
    fingerprint = hash_64(buf_str(&text), 3);
    buf_done(&text);
    return fingerprint;
}

static Status read_config(struct runner *runner, const DestinationConfig *config, Err *err)
{
    Arena arena = region_arena(&runner->region);
    DestinationConfig own;
    Status s;
    if (config->name.len == 0 || config->name.len >= DELIVER_NAME_BYTES)
        return err_set_field(err, "name", "name: a destination's name has 1 to %d bytes", DELIVER_NAME_BYTES - 1);
    memcpy(runner->name, config->name.bytes, config->name.len);
    runner->destination = destination_find(config->type);
    if (!runner->destination)
        return err_set_field(err, "type", "type: \"%.*s\" is none of %.*s", STR_FORMAT(config->type),
                             STR_FORMAT(destination_names(&arena)));
    config_copy(&arena, config, &own);
    runner->sources = own.sources;
    runner->source_count = own.source_count;
    runner->is_enabled = config->is_enabled;
    runner->fingerprint = fingerprint_of(config);
    s = destination_read_settings(runner->destination, own.settings, &arena, &runner->settings, err);
    return s ? s : rules_read(own.rules, &arena, &runner->rules, err);
}

Status runner_open(struct deliver *deliver, const DestinationConfig *config, struct runner **ret, Err *err)
{
    struct runner *runner = calloc(1, sizeof *runner);
    Status s;
    check(runner);
    runner->deliver = deliver;
    region_open(&runner->region, CONFIG_BYTES);
    s = read_config(runner, config, err);
    if (s) {
        runner_close(runner);
        return err_wrap(err, s, "destination %.*s", STR_FORMAT(config->name));
    }
    snprintf(runner->state.name, sizeof runner->state.name, "%s", runner->name);
    snprintf(runner->state.type, sizeof runner->state.type, "%s", runner->destination->name);
    for (int kind = 0; kind < STREAMS; kind++) runner->streams[kind].kept = UINT64_MAX;
    runner->streams[STREAM_LIVE].watermark_ms = runner->streams[STREAM_REPLAY].watermark_ms = INT64_MIN / 2;
    runner->waiting_next_ms = INT64_MAX;
    if (deliver)
        runner->begin = runner->rules.start == DESTINATION_FROM_BEGINNING ? journal_first(deliver->options.journal)
                                                                      : journal_end(deliver->options.journal);
    *ret = runner;
    return OK;
}

static void open_window(struct runner *runner, size_t rows)
{
    runner->window = runner->rules.window > rows + 64 ? runner->rules.window : rows + 64;
    runner->bucket_count = 1024;
    while (runner->bucket_count < runner->window * 2) runner->bucket_count *= 2;
    runner->deliveries = calloc(runner->window, sizeof *runner->deliveries);
    runner->buckets = calloc(runner->bucket_count, sizeof *runner->buckets);
    check(runner->deliveries && runner->buckets);
    for (size_t at = 0; at < runner->window; at++) list_append(&runner->free, &runner->deliveries[at]);
}

Status runner_start(struct runner *runner, Err *err)
{
    size_t rows;
    Status s = runner_count_rows(runner, &rows, err);
    if (s) return s;
    open_window(runner, rows);
    runner->tokens_at_ms = runner->rate_from_ms = runner->deliver->now_ms;
    s = runner_load(runner, err);
    if (!s) s = dead_load(runner, err);
    runner->is_started = s == OK;
    forget_begin_again(runner->deliver);
    return s;
}

void runner_close(struct runner *runner)
{
    if (!runner) return;
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++) {
        struct request *request = &runner->requests[at];
        if (request->state == REQUEST_SENT && request->fetch.handle)
            runner->deliver->options.fetcher->cancel(runner->deliver->options.fetcher, &request->fetch);
        free(request->slots);
        region_close(&request->region);
    }
    for (size_t at = 0; runner->deliveries && at < runner->window; at++) {
        buf_done(&runner->deliveries[at].record);
        buf_done(&runner->deliveries[at].frozen);
    }
    for (int kind = 0; kind < STREAMS; kind++) journal_reader_close(runner->streams[kind].reader);
    free(runner->deliveries);
    free(runner->buckets);
    free(runner->overtakers);
    free(runner->links.slots);
    free(runner->users.slots);
    free(runner->asked.slots);
    region_close(&runner->region);
    free(runner);
}

/* ---- Telling ---- */

static Millis oldest_of(const struct delivery_list *list, Millis oldest_ms)
{
    for (const struct delivery *delivery = list->first; delivery; delivery = delivery->next)
        if (delivery->received_ms < oldest_ms) oldest_ms = delivery->received_ms;
    return oldest_ms;
}

static void publish_lag(struct runner *runner)
{
    struct stream *live = &runner->streams[STREAM_LIVE];
    JournalPos end = journal_end(runner->deliver->options.journal);
    JournalPos read = live->read_until > live->pos ? live->read_until : live->pos;
    Millis oldest_ms = INT64_MAX;
    DeliverState *state = &runner->state;
    state->position = live->pos;
    state->read_until = read;
    state->lag_bytes = journal_distance(read, end);
    bool is_read = !state->lag_bytes || !state->read_at_ms;
    if (is_read) state->read_at_ms = runner->deliver->now_ms ? runner->deliver->now_ms : 1;
    oldest_ms = oldest_of(&live->settling, oldest_ms);
    oldest_ms = oldest_of(&runner->ready, oldest_ms);
    oldest_ms = oldest_of(&runner->lined, oldest_ms);
    oldest_ms = oldest_of(&runner->waiting, oldest_ms);
    oldest_ms = oldest_of(&runner->under_way, oldest_ms);
    state->lag_ms = oldest_ms == INT64_MAX ? 0 : runner->deliver->now_ms - oldest_ms;
    if (oldest_ms == INT64_MAX && state->lag_bytes > 0 && live->watermark_ms > 0)
        state->lag_ms = runner->deliver->now_ms - live->watermark_ms;
    if (state->lag_ms < 0) state->lag_ms = 0;
}

static void publish_rate(struct runner *runner)
{
    Millis span_ms = runner->deliver->now_ms - runner->rate_from_ms;
    if (span_ms < 1000) return;
    runner->state.messages_per_second = (double)runner->rate_count * 1000 / (double)span_ms;
    if (span_ms < RATE_SPAN_MS) return;
    runner->rate_from_ms += span_ms / 2;        /* forget the older half */
    runner->rate_count /= 2;
}

void runner_publish(struct runner *runner)
{
    DeliverState *state = &runner->state;
    struct stream *replay = &runner->streams[STREAM_REPLAY];
    state->condition = !runner->is_enabled ? DELIVER_DISABLED
        : !runner->is_started || runner->wait_until_ms > runner->deliver->now_ms ? DELIVER_WAITING : DELIVER_RUNNING;
    state->until_ms = runner->wait_until_ms > runner->deliver->now_ms ? runner->wait_until_ms : 0;
    state->is_busy = runner->is_enabled && (!runner->is_started || runner->redo_until || replay->is_active);
    if (!runner->is_started) return;
    state->unfinished = runner->window - runner->free.count;
    state->under_way = runner->under_way_count;
    state->is_replaying = replay->is_active;
    state->replay_unfinished = 0;
    for (size_t at = 0; at < runner->window; at++) {
        const struct delivery *delivery = &runner->deliveries[at];
        state->replay_unfinished += delivery->stage != DELIVERY_FREE && delivery->stream == STREAM_REPLAY;
    }
    state->replay_left_bytes = replay->is_active ? journal_distance(replay->pos, replay->end) : 0;
    publish_lag(runner);
    publish_rate(runner);
}
