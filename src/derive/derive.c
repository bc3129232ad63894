/* derive: the corridor is apply_record; everything else opens, batches and remembers how far it is.
 *
 * Records are taken in small groups, so that the fingerprints of the whole group are on their way from
 * memory before the first is asked about. */
#include "derive_private.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Opening ---- */

static void begin_reading(void *context) { derive_begin_reading(context); }
static void end_reading(void *context) { derive_end_reading(context); }
static void tell_passed(void *context, const char *why, uint64_t bytes) { derive_tell_passed(context, why, bytes); }

static bool wait_known(void *context, JournalPos pos, Millis timeout_ms, const atomic_bool *is_cancelled)
{
    return derive_wait_known(context, pos, timeout_ms, is_cancelled);
}

static void open_waiting(struct applier *applier)
{
    pthread_condattr_t monotonic;
    check(pthread_condattr_init(&monotonic) == 0 && pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_mutex_init(&applier->lock, NULL) == 0 && pthread_cond_init(&applier->was_applied, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

Status derive_open(const DeriveOptions *options, struct applier **ret, Err *err)
{
    struct applier *applier = calloc(1, sizeof *applier);
    if (!applier) return err_set(err, ERR_IO, "apply: no memory");
    applier->options = *options;
    pthread_rwlockattr_t attributes;
    check(pthread_rwlockattr_init(&attributes) == 0);
    check(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
    check(pthread_rwlock_init(&applier->guard, &attributes) == 0);
    pthread_rwlockattr_destroy(&attributes);
    region_open(&applier->region, GROUP_BYTES);
    region_open(&applier->traits_region, TRAITS_BYTES);
    applier->parser = event_parser_open();
    applier->outline = event_outline_open();
    check(applier->parser && applier->outline);
    open_waiting(applier);
    applier->control = control_open(&(ControlOptions){
        .journal = options->journal, .clock = options->clock, .rules = options->rules,
        .has_destinations = options->has_destinations, .may_append = options->may_append, .table = TABLE_META,
        .wake_committer = options->wake_committer, .wake_context = options->wake_context,
        .context = applier, .begin_reading = begin_reading, .end_reading = end_reading, .wait_known = wait_known,
        .passed = tell_passed,
    });
    Status s = derive_open_state(applier, err);
    JournalPos from = s ? 0 : dedup_position(applier->dedup);
    if (from <= journal_first(options->journal)) from = 0;    /* the oldest that is kept */
    if (!s) s = journal_reader_open(options->journal, from, &applier->reader, err);
    atomic_init(&applier->applied, from);
    if (!s) derive_hold(applier);
    if (!s) derive_open_lag(applier);
    applier->read_until = from ? from : journal_first(options->journal);
    if (s) {
        derive_abandon(applier);
        return err_wrap(err, s, "derived state in %s", options->dir);
    }
    *ret = applier;
    return OK;
}

void derive_abandon(struct applier *applier)
{
    if (!applier) return;
    journal_reader_close(applier->reader);
    derive_close_state(applier);
    derive_close_lag(applier);
    event_parser_close(applier->parser);
    event_outline_close(applier->outline);
    region_close(&applier->region);
    region_close(&applier->traits_region);
    pthread_rwlock_destroy(&applier->guard);
    pthread_cond_destroy(&applier->was_applied);
    pthread_mutex_destroy(&applier->lock);
    free(applier);
}

const char *derive_remade_why(const struct applier *applier)
{
    return applier->remade_why[0] ? applier->remade_why : NULL;
}

void derive_close(struct applier *applier)
{
    if (!applier) return;
    IGNORE(derive_save(applier, NULL));                       /* both save the next start some work */
    IGNORE(index_seal(applier->index, NULL));
    derive_abandon(applier);
}

/* ---- The corridor ---- */

static IdentityMessage identity_message(const struct waiting_record *waiting)
{
    const Event *event = &waiting->event;
    return (IdentityMessage){
        .message_id = event->message_id,
        .time_ms = event->timestamp_ms,
        .position = waiting->pos,
        .source = identity_source(event->source),
        .is_alias = event->type == EVENT_ALIAS,
        .user_id = event->user_id,
        .anonymous_id = event->anonymous_id,
        .previous_id = event->previous_id,
    };
}

static IdentityNode find_id(const struct identity *identity, IdentityKind kind, Str id)
{
    return id.len && !identity_is_blocked(identity, id) ? identity_find(identity, kind, id) : IDENTITY_NONE;
}

static bool has_usable_id(const struct identity *identity, const Event *event)
{
    return (event->user_id.len && !identity_is_blocked(identity, event->user_id)) ||
           (event->anonymous_id.len && !identity_is_blocked(identity, event->anonymous_id));
}

/* Applies who is who, and what people said of themselves. Skips messages that the saved state has already: applied
 * again, a message could give a new number to an identifier that was erased since, and every later identifier would get
 * another number than the index knows. *ret_erased: the message names somebody who is not known any more, so no store
 * gets it. */
static Status apply_to_people(struct applier *applier, const struct waiting_record *waiting, IdentityNode *ret_subject,
                              bool *ret_erased, Err *err)
{
    const Event *event = &waiting->event;
    if (waiting->pos < applier->saved) {
        *ret_subject = IDENTITY_NONE;
        if (waiting->pos < index_position(applier->index)) return OK;
        *ret_subject = find_id(applier->identity, IDENTITY_USER, event->user_id);
        if (*ret_subject == IDENTITY_NONE)
            *ret_subject = find_id(applier->identity, IDENTITY_ANONYMOUS, event->anonymous_id);
        *ret_erased = *ret_subject == IDENTITY_NONE && has_usable_id(applier->identity, event);
        return OK;
    }
    IdentityMessage message = identity_message(waiting);
    PeopleExternals found = { .count = 0 };
    Arena arena = region_arena(&applier->traits_region);
    Status s = OK;
    if (applier->options.rules.identity.external_count)
        s = people_find_externals(applier->parser, event->json, &applier->options.rules, &arena, &found, err);
    message.externals = found.items;
    message.external_count = found.count;
    if (!s) s = identity_apply(applier->identity, &message, ret_subject, err);
    return s ? s : derive_write_profile(applier, event, waiting->pos, *ret_subject, err);
}

/* Counts are saved with the state: messages that a start replays were counted before. One thread counts, others read.
 * */
static void count(struct applier *applier, JournalPos pos, _Atomic uint64_t *counter)
{
    if (pos < applier->saved) return;
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* One record through all stations. */
static Status apply_record(struct applier *applier, struct waiting_record *waiting, Err *err)
{
    const Event *event = &waiting->event;
    Status s = OK;
    if (waiting->unreadable) return derive_pass_record(applier, waiting, err);
    if (waiting->is_rejected) {
        s = derive_count_rejected(applier, waiting, err);
        if (s) return s;
        count(applier, waiting->pos, &applier->rejected);
    }
    if (waiting->command.len && waiting->pos >= applier->saved) {
        derive_forget_symptoms(applier, waiting->command);
        s = control_run(applier->control, waiting->command, waiting->pos, err);
        return s ? err_wrap(err, s, "the command at %llu", (unsigned long long)waiting->pos) : OK;
    }
    if (!waiting->is_event) return OK;
    dedup_pass_time(applier->dedup, event->received_at_ms);
    /* Onym knows which messages it left out before; an id that is suppressed now may not have been suppressed then. */
    if (waiting->pos < applier->saved && derive_is_duplicate(applier, waiting->pos)) return OK;
    if (waiting->pos >= applier->saved
        && control_suppresses_message(applier->control, applier->parser, event,
                                      region_arena(&applier->traits_region))) {
        count(applier, waiting->pos, &applier->suppressed_events);
        derive_note_repeat(applier, waiting->pos);           /* destinations leave it out, too */
        control_note_late(applier->control, waiting->pos);
        return OK;
    }
    if (!waiting->is_judged &&
        !dedup_add(applier->dedup, waiting->fingerprint, event->received_at_ms, waiting->pos)) {
        s = derive_refuse_damage(applier, err);              /* a repetition, or what damage took for one? */
        if (!s) s = derive_count_repeat(applier, waiting, err);
        if (s) return s;
        count(applier, waiting->pos, &applier->duplicates);
        derive_note_repeat(applier, waiting->pos);
        return OK;
    }
    waiting->is_judged = true;
    if (!s && dedup_damage(applier->dedup)) s = derive_refuse_damage(applier, err);
    if (s) return s;
    IdentityNode subject;
    bool is_erased = false;
    s = apply_to_people(applier, waiting, &subject, &is_erased, err);
    if (is_erased) return OK;
    waiting->event.outline = NULL;                           /* at another try it may be that of a later message */
    waiting->event.outline = event_outline_of(event, applier->outline);
    if (!s) s = index_append(applier->index, subject, event, waiting->pos, waiting->next, err);
    if (!s) s = derive_count_symptoms(applier, waiting, subject, err);
    if (s) return err_wrap(err, s, "applying the record at %llu", (unsigned long long)waiting->pos);
    if (subject == IDENTITY_NONE) count(applier, waiting->pos, &applier->blocked);
    count(applier, waiting->pos, &applier->events);
    applier->unsaved_events += waiting->pos >= applier->saved;
    return OK;
}

/* ---- Groups ---- */

/* Copies and decodes one record. The event borrows from the copy. */
static void take_record(struct applier *applier, const JournalRecord *record, Arena *arena)
{
    struct waiting_record *waiting = &applier->group[applier->group_count];
    *waiting = (struct waiting_record){ .pos = record->pos, .next = record->next };
    waiting->is_event = record_kind(record->bytes) == RECORD_EVENT;
    waiting->is_rejected = record_kind(record->bytes) == RECORD_REJECTED;
    Str copy = arena_copy(arena, record->bytes);
    if (waiting->is_rejected) waiting->rejected = copy;
    derive_judge_record(applier, copy, waiting, arena);
    if (record_kind(record->bytes) == RECORD_COMMAND) {
        waiting->command = copy;
    } else if (waiting->is_event && !waiting->unreadable) {
        waiting->fingerprint = dedup_fingerprint(applier->dedup, waiting->event.source, waiting->event.message_id);
        dedup_prefetch(applier->dedup, waiting->fingerprint);
        IdentityMessage message = identity_message(waiting);
        identity_prefetch(applier->identity, &message, &waiting->ahead);
    }
    applier->group_count++;
}

/* Reads up to a group. ERR_NOT_FOUND: there is nothing more. */
static Status fill_group(struct applier *applier, Err *err)
{
    Arena arena = region_arena(&applier->region);
    JournalRecord record;
    applier->group_count = applier->group_at = 0;
    while (applier->group_count < GROUP_RECORDS) {
        Status s = derive_read(applier, &record, err);
        if (s == ERR_NOT_FOUND && applier->group_count) return OK;
        if (s) return s;
        take_record(applier, &record, &arena);
    }
    return OK;
}

static Status apply_group(struct applier *applier, Err *err)
{
    enum { AHEAD = 4 };
    for (; applier->group_at < applier->group_count; applier->group_at++) {
        struct waiting_record *waiting = &applier->group[applier->group_at];
        size_t left = applier->group_count - applier->group_at;
        if (left > 2 * AHEAD) identity_prefetch_nodes(applier->identity, &waiting[2 * AHEAD].ahead);
        if (left > AHEAD) identity_prefetch_rest(applier->identity, &waiting[AHEAD].ahead);
        Status s = apply_record(applier, waiting, err);
        if (s) return s;
        atomic_store_explicit(&applier->applied, waiting->next, memory_order_release);
        count(applier, waiting->pos, &applier->records);
    }
    return OK;
}

Status derive_step(struct applier *applier, bool *ret_more, Err *err)
{
    Status s = OK;
    JournalPos end = journal_end(applier->options.journal);
    *ret_more = true;
    check(pthread_rwlock_wrlock(&applier->guard) == 0);
    for (int group = 0; !s && group < STEP_GROUPS; group++) {
        if (applier->group_at == applier->group_count) s = fill_group(applier, err);
        if (!s) s = apply_group(applier, err);
    }
    identity_publish(applier->identity);
    check(pthread_rwlock_unlock(&applier->guard) == 0);
    if (s == ERR_NOT_FOUND) {
        /* After the last record there may be the head of a segment, which is nothing to wait for. */
        s = OK, *ret_more = false;
        if (end > atomic_load_explicit(&applier->applied, memory_order_relaxed))
            atomic_store_explicit(&applier->applied, end, memory_order_release);
    }
    derive_note_lag(applier);
    bool more = false;
    derive_tell_applied(applier);
    if (!s && derive_wants_save(applier)) s = derive_save(applier, err);
    JournalPos safe = index_position(applier->index);
    if (safe > applier->saved) safe = applier->saved;
    /* Every message that dedup has is in the index, too, so its runs end there, and never after the index. While a
     * start reads again, the index is ahead of dedup: a run must not claim what dedup has yet to see. */
    JournalPos next = index_end(applier->index);
    JournalPos applied = atomic_load_explicit(&applier->applied, memory_order_relaxed);
    if (next > applied) next = applied;
    if (!s) s = dedup_step(applier->dedup, safe, next, &more, err);
    return s ? s : derive_make_way(applier, err);
}

bool derive_wait(struct applier *applier, Millis timeout_ms)
{
    JournalPos applied = atomic_load_explicit(&applier->applied, memory_order_acquire);
    return journal_wait_durable(applier->options.journal, applied, timeout_ms);
}

Status derive_maintain(struct applier *applier, bool *ret_more, Err *err)
{
    Status s = control_maintain(applier->control, ret_more, err);
    if (s || *ret_more) return s;
    s = derive_seal_way(applier, err);
    if (s || !index_wants_maintenance(applier->index)) return s;
    return index_maintain(applier->index, ret_more, err);
}

/* ---- Reading ---- */

struct identity *derive_identity(struct applier *applier) { return applier->identity; }
struct index *derive_index(struct applier *applier) { return applier->index; }
struct control *derive_control(struct applier *applier) { return applier->control; }
void derive_begin_reading(struct applier *applier) { check(pthread_rwlock_rdlock(&applier->guard) == 0); }
void derive_end_reading(struct applier *applier) { check(pthread_rwlock_unlock(&applier->guard) == 0); }

void derive_read_sizes(struct applier *applier, DeriveSizes *ret)
{
    index_read_stats(applier->index, &ret->index);
    derive_begin_reading(applier);
    identity_read_stats(applier->identity, &ret->identity);
    derive_end_reading(applier);
}

void derive_read_stats(struct applier *applier, DeriveStats *ret)
{
    *ret = (DeriveStats){
        .applied = atomic_load_explicit(&applier->applied, memory_order_acquire),
        .durable = journal_end(applier->options.journal),
        .records = atomic_load_explicit(&applier->records, memory_order_relaxed),
        .events = atomic_load_explicit(&applier->events, memory_order_relaxed),
        .duplicates = atomic_load_explicit(&applier->duplicates, memory_order_relaxed),
        .rejected = atomic_load_explicit(&applier->rejected, memory_order_relaxed),
        .blocked = atomic_load_explicit(&applier->blocked, memory_order_relaxed),
        .suppressed = atomic_load_explicit(&applier->suppressed_events, memory_order_relaxed),
        .missing_places = atomic_load_explicit(&applier->missing_places, memory_order_relaxed),
        .missing_bytes = atomic_load_explicit(&applier->missing_bytes, memory_order_relaxed),
        .missing_messages = atomic_load_explicit(&applier->missing_messages, memory_order_relaxed),
    };
}
