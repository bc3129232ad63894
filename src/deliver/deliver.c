/* deliver: THE THIRD CORRIDOR. For every destination: take records, line them up, build, commit, send.
 *
 * One step does for all of them what can be done now. In its middle it commits one transaction: the messages that
 * answers have finished since the last step, the cursors, and what will be sent next. If the step cannot do something
 * for one destination, it notes the error there and goes on with the others.
 */
#include "deliver_runner.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCRATCH_BYTES = 256 * 1024 * 1024, SCRATCH_KEPT_BYTES = 4 * 1024 * 1024, PUBLISH_MS = 250,
       CONFIGS_BYTES = 64 * 1024 * 1024, LOOKUP_BYTES = 64 * 1024 * 1024,
       TROUBLE_WAIT_MS = 1000, OPERATOR_WAIT_MS = 50 };

/* ---- Opening ---- */

Status deliver_open(const DeliverOptions *options, struct deliver **ret, Err *err)
{
    struct deliver *deliver = calloc(1, sizeof *deliver);
    (void)err;
    check(deliver);
    operator_init(deliver);
    deliver->options = *options;
    deliver->now_ms = clock_now_ms(options->clock);
    region_open(&deliver->region, SCRATCH_BYTES);
    region_open(&deliver->judge_region, SCRATCH_BYTES);
    region_open(&deliver->lookup_region, LOOKUP_BYTES);
    deliver->parser = event_parser_open();
    check(deliver->parser);
    deliver->pending = pending_open(&deliver->options.rows);
    deliver->forgetting = forget_open();
    *ret = deliver;
    return OK;
}

void deliver_close(struct deliver *deliver)
{
    if (!deliver) return;
    (void)!pending_commit(deliver->pending, NULL);      /* finished messages; if this fails, they are sent again */
    for (size_t at = 0; at < deliver->runner_count; at++) runner_close(deliver->runners[at]);
    for (size_t at = 0; deliver->has_next && at < deliver->next_count; at++) runner_close(deliver->next_runners[at]);
    pending_close(deliver->pending);
    forget_close(deliver->forgetting);
    region_close(&deliver->region);
    region_close(&deliver->judge_region);
    region_close(&deliver->lookup_region);
    event_parser_close(deliver->parser);
    region_close(&deliver->config_region);
    operator_done(deliver);
    for (size_t at = 0; at < deliver->series_count; at++) free(deliver->series[at]);
    free(deliver);
}

/* ---- Configuration ---- */

Status deliver_check_config(const DestinationConfig *config, Err *err)
{
    struct runner *runner = NULL;
    Status s = runner_open(NULL, config, &runner, err);
    if (!s) runner_close(runner);
    return s;
}

void deliver_advise(const DestinationConfig *config, DeliverAdvise *advise, void *context)
{
    struct runner *runner = NULL;
    if (runner_open(NULL, config, &runner, NULL)) return;
    if (runner->destination->advise) runner->destination->advise(&runner->settings, advise, context);
    runner_close(runner);
}

static void close_all(struct runner **runners, size_t count)
{
    for (size_t at = 0; at < count; at++) runner_close(runners[at]);
}

/* Under the mutex. */
static void keep_configs(struct deliver *deliver, const DestinationConfig *configs, size_t count)
{
    Arena arena;
    region_close(&deliver->config_region);
    region_open(&deliver->config_region, CONFIGS_BYTES);
    arena = region_arena(&deliver->config_region);
    deliver->configs = arena_new(&arena, DestinationConfig, count + 1);
    for (size_t at = 0; at < count; at++) config_copy(&arena, &configs[at], &deliver->configs[at]);
    deliver->config_count = count;
}

Status deliver_find_config(struct deliver *deliver, Str name, Arena *arena, DestinationConfig *ret, Err *err)
{
    Status s = ERR_NOT_FOUND;
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = 0; s && at < deliver->config_count; at++) {
        if (!str_equal(deliver->configs[at].name, name)) continue;
        config_copy(arena, &deliver->configs[at], ret);
        s = OK;
    }
    pthread_mutex_unlock(&deliver->mutex);
    return s ? err_set(err, s, "there is no destination %.*s", STR_FORMAT(name)) : OK;
}

Status deliver_set_config(struct deliver *deliver, const DestinationConfig *configs, size_t count, Err *err)
{
    struct runner *runners[RUNNERS];
    Status s = OK;
    size_t made = 0;
    if (count > RUNNERS) return err_set(err, ERR_TOO_LARGE, "at most %d destinations", RUNNERS);
    for (; !s && made < count; made++) {
        for (size_t at = 0; at < made; at++)
            if (str_equal(configs[at].name, configs[made].name))
                s = err_set_field(err, "name", "name: two destinations are called %.*s",
                                  STR_FORMAT(configs[made].name));
        if (!s) s = runner_open(deliver, &configs[made], &runners[made], err);
        if (s) break;
    }
    if (s) {
        close_all(runners, made);
        return s;
    }
    pthread_mutex_lock(&deliver->mutex);
    if (deliver->has_next) close_all(deliver->next_runners, deliver->next_count);
    memcpy(deliver->next_runners, runners, count * sizeof *runners);
    deliver->next_count = count;
    deliver->has_next = true;
    keep_configs(deliver, configs, count);
    pthread_mutex_unlock(&deliver->mutex);
    deliver_wake(deliver);
    return OK;
}

/* The runner of the same name and configuration stays as it is; any other begins anew from its rows. */
static struct runner *keep_running(struct deliver *deliver, struct runner *next)
{
    for (size_t at = 0; at < deliver->runner_count; at++) {
        struct runner *running = deliver->runners[at];
        if (!running || strcmp(running->name, next->name) != 0 || running->fingerprint != next->fingerprint) continue;
        deliver->runners[at] = NULL;
        runner_close(next);
        return running;
    }
    return next;
}

static void take_over_config(struct deliver *deliver)
{
    struct runner *runners[RUNNERS];
    size_t count;
    pthread_mutex_lock(&deliver->mutex);
    count = deliver->next_count;
    memcpy(runners, deliver->next_runners, count * sizeof *runners);
    deliver->has_next = false;
    pthread_mutex_unlock(&deliver->mutex);
    for (size_t at = 0; at < count; at++) runners[at] = keep_running(deliver, runners[at]);
    for (size_t at = 0; at < deliver->runner_count; at++) runner_close(deliver->runners[at]);
    memcpy(deliver->runners, runners, count * sizeof *runners);
    deliver->runner_count = count;
    deliver->published_ms = 0;
}

static bool has_next_config(struct deliver *deliver)
{
    pthread_mutex_lock(&deliver->mutex);
    bool has_next = deliver->has_next;
    pthread_mutex_unlock(&deliver->mutex);
    return has_next;
}

/* ---- The corridor ---- */

static Status runner_step(struct runner *runner, Err *err)
{
    Status s;
    if (!runner->is_enabled) return runner->is_placed ? OK : cursor_load(runner, err);
    s = runner->is_started ? OK : runner_start(runner, err);
    runner->has_more = false;
    if (!s && runner->redo_until) s = dead_redo_more(runner, err);
    if (!s) s = runner_take(runner, err);
    if (!s && forget_lets_send(runner->deliver)) runner_prepare(runner);
    if (runner->is_started) cursor_save(runner);
    if (s) runner_fail(runner, str_from(err->text));
    return s;
}

/* When this destination may have something to do even if no new message comes: in a minute at the latest. */
static Millis next_time(const struct runner *runner, Millis now_ms)
{
    Millis next_ms = now_ms + 60000, resume_ms = runner->wait_until_ms > now_ms ? runner->wait_until_ms : now_ms;
    const struct delivery *settling = runner->streams[STREAM_LIVE].settling.first;
    if (runner->has_more && resume_ms < next_ms) next_ms = resume_ms;
    if (runner->waiting.first && runner->waiting_next_ms < next_ms) next_ms = runner->waiting_next_ms;
    if (runner->ready.first && runner->wait_until_ms > now_ms && resume_ms < next_ms) next_ms = resume_ms;
    if (runner->ready.first && runner->under_way_count == 0 && now_ms + 20 < next_ms)
        next_ms = resume_ms > now_ms + 20 ? resume_ms : now_ms + 20;            /* the rate soon allows one */
    if (settling && runner->settles_by_time && settling->received_ms + runner->rules.settle_ms < next_ms)
        next_ms = settling->received_ms + runner->rules.settle_ms;
    return next_ms;
}

static Millis time_to_wait(const struct deliver *deliver, Millis wait_ms)
{
    if (deliver->is_stopping) return wait_ms;
    if (forget_is_at_work(deliver)) return 0;
    for (size_t at = 0; at < deliver->runner_count; at++) {
        const struct runner *runner = deliver->runners[at];
        Millis left_ms;
        if (!runner->is_enabled || !runner->is_started) continue;
        left_ms = next_time(runner, deliver->now_ms) - deliver->now_ms;
        if (left_ms < wait_ms) wait_ms = left_ms > 0 ? left_ms : 0;
    }
    return wait_ms;
}

/* True: it is too early, and nothing was published. */
static bool publish(struct deliver *deliver)
{
    if (deliver->published_ms && deliver->now_ms - deliver->published_ms < PUBLISH_MS
        && deliver->now_ms >= deliver->published_ms) return true;
    deliver->published_ms = deliver->now_ms;
    region_trim(&deliver->region, SCRATCH_KEPT_BYTES);
    for (size_t at = 0; at < deliver->runner_count; at++) runner_publish(deliver->runners[at]);
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = 0; at < deliver->runner_count; at++) deliver->states[at] = deliver->runners[at]->state;
    deliver->state_count = deliver->runner_count;
    series_note(deliver);
    pthread_mutex_unlock(&deliver->mutex);
    return false;
}

static Status commit_and_send(struct deliver *deliver, Err *err)
{
    Status s = pending_commit(deliver->pending, err);
    bool sends = !s && forget_lets_send(deliver);
    for (size_t at = 0; sends && at < deliver->runner_count; at++)
        if (deliver->runners[at]->is_started) runner_send(deliver->runners[at]);
    return s;
}

Status deliver_step(struct deliver *deliver, Millis wait_ms, Err *err)
{
    struct fetcher *fetcher = deliver->options.fetcher;
    Status s = OK, trouble = OK;
    Err other;
    deliver_look_at_clock(deliver);
    if (has_next_config(deliver) && !(s = pending_commit(deliver->pending, err))) take_over_config(deliver);
    Status forgotten = s || deliver->is_stopping ? OK : forget_step(deliver, &other);
    if (forgotten && err) *err = other;
    trouble = forgotten;
    if (!s && operator_accept(deliver) && wait_ms > OPERATOR_WAIT_MS) wait_ms = OPERATOR_WAIT_MS;
    for (size_t at = 0; at < deliver->runner_count && !deliver->is_stopping; at++) {
        if (runner_step(deliver->runners[at], &other) == OK) continue;
        trouble = other.code;                       /* of one destination: the others go on */
        if (err) *err = other;
    }
    if (!s) s = commit_and_send(deliver, err);
    if (publish(deliver) && wait_ms > PUBLISH_MS) wait_ms = PUBLISH_MS;
    if (!s) operator_answer(deliver);
    if ((s || trouble) && wait_ms > TROUBLE_WAIT_MS) wait_ms = TROUBLE_WAIT_MS;
    Status waited = fetcher->step(fetcher, s || forgotten ? wait_ms : time_to_wait(deliver, wait_ms), &other);
    if (waited && !s && !trouble && err) *err = other;
    return s ? s : trouble ? trouble : waited;
}

void deliver_begin_stop(struct deliver *deliver) { deliver->is_stopping = true; }

bool deliver_is_idle(const struct deliver *deliver)
{
    for (size_t at = 0; at < deliver->runner_count; at++)
        if (deliver->runners[at]->under_way_count > 0) return false;
    return pending_is_empty(deliver->pending);
}

void deliver_wake(struct deliver *deliver) { deliver->options.fetcher->wake(deliver->options.fetcher); }

JournalPos deliver_position(struct deliver *deliver)
{
    JournalPos lowest = UINT64_MAX;
    for (size_t at = 0; at < deliver->runner_count; at++) {
        const struct runner *runner = deliver->runners[at];
        if (!runner->is_placed) return 0;
        if (runner->streams[STREAM_LIVE].kept < lowest) lowest = runner->streams[STREAM_LIVE].kept;
        for (size_t place = 0; runner->is_started && place < runner->window; place++) {
            const struct delivery *delivery = &runner->deliveries[place];
            if (delivery->stage == DELIVERY_FREE || delivery->is_frozen) continue;
            if (delivery->pos < lowest) lowest = delivery->pos;
        }
    }
    return lowest;
}

/* ---- Looking ---- */

/* The published state of a configured destination. If the deliverer has not taken it over yet, it has no state or an
 * old one, and counts as busy. */
static DeliverState state_of(const struct deliver *deliver, const DestinationConfig *config)
{
    DeliverState state = { .condition = config->is_enabled ? DELIVER_WAITING : DELIVER_DISABLED };
    for (size_t at = 0; at < deliver->state_count; at++)
        if (str_equal(str_from(deliver->states[at].name), config->name)) state = deliver->states[at];
    bool is_as_configured = config->is_enabled == (state.condition != DELIVER_DISABLED);
    if (state.name[0] && (!deliver->has_next || is_as_configured)) return state;
    if (config->is_enabled && state.condition == DELIVER_DISABLED) state.condition = DELIVER_WAITING;
    state.is_busy = config->is_enabled;
    snprintf(state.name, sizeof state.name, "%.*s", STR_FORMAT(config->name));
    snprintf(state.type, sizeof state.type, "%.*s", STR_FORMAT(config->type));
    return state;
}

/* A state is a moment old, but the journal's end is read now. Bytes between them are lag, so that zeros mean done. */
static void count_unread(DeliverState *state, JournalPos end, Millis now_ms)
{
    if (state->condition == DELIVER_DISABLED) return;
    if (state->read_at_ms) state->lag_bytes = journal_distance(state->read_until, end);
    if (!state->lag_bytes && !state->is_busy) return;
    if (!state->unfinished) state->unfinished = 1;
    if (!state->lag_ms && state->lag_bytes) state->lag_ms = now_ms > state->read_at_ms ? now_ms - state->read_at_ms : 1;
}

size_t deliver_read_states(struct deliver *deliver, DeliverState *states, size_t max)
{
    JournalPos end = journal_end(deliver->options.journal);
    Millis now_ms = clock_now_ms(deliver->options.clock);
    size_t count;
    pthread_mutex_lock(&deliver->mutex);
    count = deliver->config_count < max ? deliver->config_count : max;
    for (size_t at = 0; at < count; at++) states[at] = state_of(deliver, &deliver->configs[at]);
    pthread_mutex_unlock(&deliver->mutex);
    for (size_t at = 0; at < count; at++) count_unread(&states[at], end, now_ms);
    return count;
}

Status deliver_user_hash(struct deliver *deliver, Str name, Str user_id, Arena *arena, Str *ret, Err *err)
{
    DestinationConfig config;
    Status s = deliver_find_config(deliver, name, arena, &config, err);
    if (s) return s;
    Str secret = node_text(config.settings, STR("identity_secret"), (Str){ 0 });
    if (secret.len == 0)
        return err_set(err, ERR_NOT_FOUND, "%.*s has no identity_secret in its settings", STR_FORMAT(name));
    *ret = hmac_hex(arena, HMAC_SHA256, secret, &user_id, 1);
    return OK;
}
