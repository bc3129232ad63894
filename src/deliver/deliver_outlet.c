/* deliver_outlet: opening a destination by its configuration, closing it, and what is told of it. */
#include "deliver_outlet.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONFIG_BYTES = 4 * 1024 * 1024, RATE_SPAN_MS = 60000 };

/* ---- Opening ---- */

/* Nodes are the caller's; ours live as long as the outlet. */
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

/* Equal for configurations that say the same. */
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

static Status read_config(struct outlet *outlet, const DestinationConfig *config, Err *err)
{
    Arena arena = region_arena(&outlet->region);
    DestinationConfig own;
    Status s;
    if (config->name.len == 0 || config->name.len >= DELIVER_NAME_BYTES)
        return err_set_field(err, "name", "name: a destination's name has 1 to %d bytes", DELIVER_NAME_BYTES - 1);
    memcpy(outlet->name, config->name.bytes, config->name.len);
    outlet->destination = destination_find(config->type);
    if (!outlet->destination)
        return err_set_field(err, "type", "type: \"%.*s\" is none of mixpanel, kissmetrics, intercom, webhook",
                             STR_FORMAT(config->type));
    config_copy(&arena, config, &own);
    outlet->sources = own.sources;
    outlet->source_count = own.source_count;
    outlet->is_enabled = config->is_enabled;
    outlet->fingerprint = fingerprint_of(config);
    s = destination_read_settings(outlet->destination, own.settings, &arena, &outlet->settings, err);
    return s ? s : rules_read(own.rules, &arena, &outlet->rules, err);
}

Status outlet_open(struct deliver *deliver, const DestinationConfig *config, struct outlet **ret, Err *err)
{
    struct outlet *outlet = calloc(1, sizeof *outlet);
    Status s;
    check(outlet);
    outlet->deliver = deliver;
    region_open(&outlet->region, CONFIG_BYTES);
    s = read_config(outlet, config, err);
    if (s) {
        outlet_close(outlet);
        return err_wrap(err, s, "destination %.*s", STR_FORMAT(config->name));
    }
    snprintf(outlet->state.name, sizeof outlet->state.name, "%s", outlet->name);
    snprintf(outlet->state.type, sizeof outlet->state.type, "%s", outlet->destination->name);
    for (int kind = 0; kind < STREAMS; kind++) outlet->streams[kind].kept = UINT64_MAX;
    outlet->streams[STREAM_LIVE].watermark_ms = outlet->streams[STREAM_REPLAY].watermark_ms = INT64_MIN / 2;
    outlet->waiting_next_ms = INT64_MAX;
    if (deliver)
        outlet->begin = outlet->rules.start == DESTINATION_FROM_BEGINNING ? journal_first(deliver->options.journal)
                                                                      : journal_end(deliver->options.journal);
    *ret = outlet;
    return OK;
}

static void open_window(struct outlet *outlet, size_t rows)
{
    outlet->window = outlet->rules.window > rows + 64 ? outlet->rules.window : rows + 64;
    outlet->bucket_count = 1024;
    while (outlet->bucket_count < outlet->window * 2) outlet->bucket_count *= 2;
    outlet->parcels = calloc(outlet->window, sizeof *outlet->parcels);
    outlet->buckets = calloc(outlet->bucket_count, sizeof *outlet->buckets);
    check(outlet->parcels && outlet->buckets);
    for (size_t at = 0; at < outlet->window; at++) list_append(&outlet->free, &outlet->parcels[at]);
}

Status outlet_start(struct outlet *outlet, Err *err)
{
    size_t rows;
    Status s = outlet_count_rows(outlet, &rows, err);
    if (s) return s;
    open_window(outlet, rows);
    outlet->tokens_at_ms = outlet->rate_from_ms = outlet->deliver->now_ms;
    s = outlet_load(outlet, err);
    if (!s) s = dead_load(outlet, err);
    outlet->is_started = s == OK;
    forget_begin_again(outlet->deliver);
    return s;
}

void outlet_close(struct outlet *outlet)
{
    if (!outlet) return;
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++) {
        struct request *request = &outlet->requests[at];
        if (request->state == REQUEST_SENT && request->fetch.handle)
            outlet->deliver->options.fetcher->cancel(outlet->deliver->options.fetcher, &request->fetch);
        free(request->rides);
        region_close(&request->region);
    }
    for (size_t at = 0; outlet->parcels && at < outlet->window; at++) {
        buf_done(&outlet->parcels[at].record);
        buf_done(&outlet->parcels[at].frozen);
    }
    for (int kind = 0; kind < STREAMS; kind++) journal_reader_close(outlet->streams[kind].reader);
    free(outlet->parcels);
    free(outlet->buckets);
    free(outlet->overtakers);
    free(outlet->links.slots);
    free(outlet->users.slots);
    free(outlet->asked.slots);
    region_close(&outlet->region);
    free(outlet);
}

/* ---- Telling ---- */

static Millis oldest_of(const struct parcel_list *list, Millis oldest_ms)
{
    for (const struct parcel *parcel = list->first; parcel; parcel = parcel->next)
        if (parcel->received_ms < oldest_ms) oldest_ms = parcel->received_ms;
    return oldest_ms;
}

static void publish_lag(struct outlet *outlet)
{
    struct stream *live = &outlet->streams[STREAM_LIVE];
    JournalPos end = journal_end(outlet->deliver->options.journal);
    JournalPos read = live->read_until > live->pos ? live->read_until : live->pos;
    Millis oldest_ms = INT64_MAX;
    DeliverState *state = &outlet->state;
    state->position = live->pos;
    state->read_until = read;
    state->lag_bytes = journal_distance(read, end);
    bool is_read = !state->lag_bytes || !state->read_at_ms;
    if (is_read) state->read_at_ms = outlet->deliver->now_ms ? outlet->deliver->now_ms : 1;
    oldest_ms = oldest_of(&live->settling, oldest_ms);
    oldest_ms = oldest_of(&outlet->ready, oldest_ms);
    oldest_ms = oldest_of(&outlet->lined, oldest_ms);
    oldest_ms = oldest_of(&outlet->waiting, oldest_ms);
    oldest_ms = oldest_of(&outlet->under_way, oldest_ms);
    state->lag_ms = oldest_ms == INT64_MAX ? 0 : outlet->deliver->now_ms - oldest_ms;
    if (oldest_ms == INT64_MAX && state->lag_bytes > 0 && live->watermark_ms > 0)
        state->lag_ms = outlet->deliver->now_ms - live->watermark_ms;
    if (state->lag_ms < 0) state->lag_ms = 0;
}

static void publish_rate(struct outlet *outlet)
{
    Millis span_ms = outlet->deliver->now_ms - outlet->rate_from_ms;
    if (span_ms < 1000) return;
    outlet->state.messages_per_second = (double)outlet->rate_count * 1000 / (double)span_ms;
    if (span_ms < RATE_SPAN_MS) return;
    outlet->rate_from_ms += span_ms / 2;        /* forget the older half */
    outlet->rate_count /= 2;
}

void outlet_publish(struct outlet *outlet)
{
    DeliverState *state = &outlet->state;
    struct stream *replay = &outlet->streams[STREAM_REPLAY];
    state->condition = !outlet->is_enabled ? DELIVER_DISABLED
        : !outlet->is_started || outlet->wait_until_ms > outlet->deliver->now_ms ? DELIVER_WAITING : DELIVER_RUNNING;
    state->until_ms = outlet->wait_until_ms > outlet->deliver->now_ms ? outlet->wait_until_ms : 0;
    state->is_busy = outlet->is_enabled && (!outlet->is_started || outlet->redo_until || replay->is_active);
    if (!outlet->is_started) return;
    state->unfinished = outlet->window - outlet->free.count;
    state->under_way = outlet->under_way_count;
    state->is_replaying = replay->is_active;
    state->replay_unfinished = 0;
    for (size_t at = 0; at < outlet->window; at++) {
        const struct parcel *parcel = &outlet->parcels[at];
        state->replay_unfinished += parcel->state != PARCEL_FREE && parcel->stream == STREAM_REPLAY;
    }
    state->replay_left_bytes = replay->is_active ? journal_distance(replay->pos, replay->end) : 0;
    publish_lag(outlet);
    publish_rate(outlet);
}
