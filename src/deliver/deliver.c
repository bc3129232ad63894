/* deliver: THE THIRD CORRIDOR. For every destination: take records, line them up, build, commit, send.
 *
 * One step does for all of them what can be done now. The commit in its middle is the only one: what answers
 * finished since the last step, where the cursors stand, and what will be sent next, in one act. Whatever the
 * step could not do for one destination it notes there and goes on with the others.
 */
#include "deliver_outlet.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCRATCH_BYTES = 256 * 1024 * 1024, SCRATCH_KEPT_BYTES = 4 * 1024 * 1024, PUBLISH_MS = 250,
       CONFIGS_BYTES = 64 * 1024 * 1024, TROUBLE_WAIT_MS = 1000, WISH_WAIT_MS = 50 };

/* ---- Opening ---- */

Status deliver_open(const DeliverOptions *options, struct deliver **ret, Err *err)
{
    struct deliver *deliver = calloc(1, sizeof *deliver);
    (void)err;
    check(deliver);
    wishes_init(deliver);
    deliver->options = *options;
    deliver->now_ms = clock_now_ms(options->clock);
    region_open(&deliver->region, SCRATCH_BYTES);
    region_open(&deliver->judge_region, SCRATCH_BYTES);
    deliver->ledger = ledger_open(&deliver->options.rows);
    deliver->forgetting = forget_open();
    *ret = deliver;
    return OK;
}

void deliver_close(struct deliver *deliver)
{
    if (!deliver) return;
    (void)!ledger_commit(deliver->ledger, NULL);        /* what answers finished; if it fails it is sent again */
    for (size_t at = 0; at < deliver->outlet_count; at++) outlet_close(deliver->outlets[at]);
    for (size_t at = 0; deliver->has_next && at < deliver->next_count; at++) outlet_close(deliver->next_outlets[at]);
    ledger_close(deliver->ledger);
    forget_close(deliver->forgetting);
    region_close(&deliver->region);
    region_close(&deliver->judge_region);
    region_close(&deliver->config_region);
    wishes_done(deliver);
    free(deliver);
}

/* ---- Configuration ---- */

Status deliver_check_config(const DestinationConfig *config, Err *err)
{
    struct outlet *outlet = NULL;
    Status s = outlet_open(NULL, config, &outlet, err);
    if (!s) outlet_close(outlet);
    return s;
}

void deliver_advise(const DestinationConfig *config, DeliverAdvise *advise, void *context)
{
    struct outlet *outlet = NULL;
    if (outlet_open(NULL, config, &outlet, NULL)) return;
    if (outlet->destination->advise) outlet->destination->advise(&outlet->settings, advise, context);
    outlet_close(outlet);
}

static void close_all(struct outlet **outlets, size_t count)
{
    for (size_t at = 0; at < count; at++) outlet_close(outlets[at]);
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
    struct outlet *outlets[OUTLETS];
    Status s = OK;
    size_t made = 0;
    if (count > OUTLETS) return err_set(err, ERR_TOO_LARGE, "at most %d destinations", OUTLETS);
    for (; !s && made < count; made++) {
        for (size_t at = 0; at < made; at++)
            if (str_equal(configs[at].name, configs[made].name))
                s = err_set_field(err, "name", "name: two destinations are called %.*s",
                                  STR_FORMAT(configs[made].name));
        if (!s) s = outlet_open(deliver, &configs[made], &outlets[made], err);
        if (s) break;
    }
    if (s) {
        close_all(outlets, made);
        return s;
    }
    pthread_mutex_lock(&deliver->mutex);
    if (deliver->has_next) close_all(deliver->next_outlets, deliver->next_count);
    memcpy(deliver->next_outlets, outlets, count * sizeof *outlets);
    deliver->next_count = count;
    deliver->has_next = true;
    keep_configs(deliver, configs, count);
    pthread_mutex_unlock(&deliver->mutex);
    deliver_wake(deliver);
    return OK;
}

/* The running outlet of the same name and configuration stays as it is; any other begins anew from its rows. */
static struct outlet *keep_running(struct deliver *deliver, struct outlet *next)
{
    for (size_t at = 0; at < deliver->outlet_count; at++) {
        struct outlet *running = deliver->outlets[at];
        if (!running || strcmp(running->name, next->name) != 0 || running->fingerprint != next->fingerprint) continue;
        deliver->outlets[at] = NULL;
        outlet_close(next);
        return running;
    }
    return next;
}

static void take_over_config(struct deliver *deliver)
{
    struct outlet *outlets[OUTLETS];
    size_t count;
    pthread_mutex_lock(&deliver->mutex);
    count = deliver->next_count;
    memcpy(outlets, deliver->next_outlets, count * sizeof *outlets);
    deliver->has_next = false;
    pthread_mutex_unlock(&deliver->mutex);
    for (size_t at = 0; at < count; at++) outlets[at] = keep_running(deliver, outlets[at]);
    for (size_t at = 0; at < deliver->outlet_count; at++) outlet_close(deliver->outlets[at]);
    memcpy(deliver->outlets, outlets, count * sizeof *outlets);
    deliver->outlet_count = count;
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

static Status outlet_step(struct outlet *outlet, Err *err)
{
    Status s;
    if (!outlet->is_enabled) return outlet->is_placed ? OK : cursor_load(outlet, err);
    s = outlet->is_started ? OK : outlet_start(outlet, err);
    outlet->has_more = false;
    if (!s && outlet->redo_until) s = dead_redo_more(outlet, err);
    if (!s) s = outlet_take(outlet, err);
    if (!s && forget_lets_send(outlet->deliver)) outlet_prepare(outlet);
    if (outlet->is_started) cursor_save(outlet);
    if (s) outlet_fail(outlet, str_from(err->text));
    return s;
}

/* When something can be done here again without anything new: at the latest in a minute. */
static Millis next_time(const struct outlet *outlet, Millis now_ms)
{
    Millis next_ms = now_ms + 60000, resume_ms = outlet->wait_until_ms > now_ms ? outlet->wait_until_ms : now_ms;
    const struct parcel *settling = outlet->streams[STREAM_LIVE].settling.first;
    if (outlet->has_more && resume_ms < next_ms) next_ms = resume_ms;
    if (outlet->waiting.first && outlet->waiting_next_ms < next_ms) next_ms = outlet->waiting_next_ms;
    if (outlet->ready.first && outlet->wait_until_ms > now_ms && resume_ms < next_ms) next_ms = resume_ms;
    if (outlet->ready.first && outlet->under_way_count == 0 && now_ms + 20 < next_ms)
        next_ms = resume_ms > now_ms + 20 ? resume_ms : now_ms + 20;            /* the rate allows one soon */
    if (settling && !outlet->is_behind && settling->received_ms + outlet->rules.settle_ms < next_ms)
        next_ms = settling->received_ms + outlet->rules.settle_ms;
    return next_ms;
}

static Millis time_to_wait(const struct deliver *deliver, Millis wait_ms)
{
    if (deliver->is_stopping) return wait_ms;
    if (forget_is_at_work(deliver)) return 0;
    for (size_t at = 0; at < deliver->outlet_count; at++) {
        const struct outlet *outlet = deliver->outlets[at];
        Millis left_ms;
        if (!outlet->is_enabled || !outlet->is_started) continue;
        left_ms = next_time(outlet, deliver->now_ms) - deliver->now_ms;
        if (left_ms < wait_ms) wait_ms = left_ms > 0 ? left_ms : 0;
    }
    return wait_ms;
}

/* True where it is not yet time to. */
static bool publish(struct deliver *deliver)
{
    if (deliver->published_ms && deliver->now_ms - deliver->published_ms < PUBLISH_MS
        && deliver->now_ms >= deliver->published_ms) return true;
    deliver->published_ms = deliver->now_ms;
    region_trim(&deliver->region, SCRATCH_KEPT_BYTES);
    for (size_t at = 0; at < deliver->outlet_count; at++) outlet_publish(deliver->outlets[at]);
    pthread_mutex_lock(&deliver->mutex);
    for (size_t at = 0; at < deliver->outlet_count; at++) deliver->states[at] = deliver->outlets[at]->state;
    deliver->state_count = deliver->outlet_count;
    pthread_mutex_unlock(&deliver->mutex);
    return false;
}

static Status commit_and_send(struct deliver *deliver, Err *err)
{
    Status s = ledger_commit(deliver->ledger, err);
    bool sends = !s && forget_lets_send(deliver);
    for (size_t at = 0; sends && at < deliver->outlet_count; at++)
        if (deliver->outlets[at]->is_started) outlet_send(deliver->outlets[at]);
    return s;
}

Status deliver_step(struct deliver *deliver, Millis wait_ms, Err *err)
{
    struct fetcher *fetcher = deliver->options.fetcher;
    Status s = OK, trouble = OK;
    Err other;
    deliver_look_at_clock(deliver);
    if (has_next_config(deliver) && !(s = ledger_commit(deliver->ledger, err))) take_over_config(deliver);
    Status forgotten = s || deliver->is_stopping ? OK : forget_step(deliver, &other);
    if (forgotten && err) *err = other;
    trouble = forgotten;
    if (!s && wishes_grant(deliver) && wait_ms > WISH_WAIT_MS) wait_ms = WISH_WAIT_MS;
    for (size_t at = 0; at < deliver->outlet_count && !deliver->is_stopping; at++) {
        if (outlet_step(deliver->outlets[at], &other) == OK) continue;
        trouble = other.code;                       /* of one destination: the others go on */
        if (err) *err = other;
    }
    if (!s) s = commit_and_send(deliver, err);
    if (publish(deliver) && wait_ms > PUBLISH_MS) wait_ms = PUBLISH_MS;
    if (!s) wishes_answer(deliver);
    if ((s || trouble) && wait_ms > TROUBLE_WAIT_MS) wait_ms = TROUBLE_WAIT_MS;
    Status waited = fetcher->step(fetcher, s || forgotten ? wait_ms : time_to_wait(deliver, wait_ms), &other);
    if (waited && !s && !trouble && err) *err = other;
    return s ? s : trouble ? trouble : waited;
}

void deliver_begin_stop(struct deliver *deliver) { deliver->is_stopping = true; }

bool deliver_is_idle(const struct deliver *deliver)
{
    for (size_t at = 0; at < deliver->outlet_count; at++)
        if (deliver->outlets[at]->under_way_count > 0) return false;
    return ledger_is_empty(deliver->ledger);
}

void deliver_wake(struct deliver *deliver) { deliver->options.fetcher->wake(deliver->options.fetcher); }

JournalPos deliver_position(struct deliver *deliver)
{
    JournalPos lowest = UINT64_MAX;
    for (size_t at = 0; at < deliver->outlet_count; at++) {
        const struct outlet *outlet = deliver->outlets[at];
        if (!outlet->is_placed) return 0;
        if (outlet->streams[STREAM_LIVE].kept < lowest) lowest = outlet->streams[STREAM_LIVE].kept;
        for (size_t place = 0; outlet->is_started && place < outlet->window; place++) {
            const struct parcel *parcel = &outlet->parcels[place];
            if (parcel->state != PARCEL_FREE && !parcel->is_frozen && parcel->pos < lowest) lowest = parcel->pos;
        }
    }
    return lowest;
}

/* ---- Looking ---- */

/* The published state of a configured destination. One that the deliverer has not taken over yet has none, or that of
 * before: it is busy until it has. */
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

/* A state is of a moment ago; the journal's end is of now. What lies between is counted, so that zeros mean done. */
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
