/* derive_lag: how far derived state is behind what is durable, in time.
 *
 * Positions alone do not tell it: a million bytes may be a moment or a minute. So callers that ask or apply note the
 * journal's end with the time, at most every 25 ms. The oldest note past what is applied says since when, at
 * least, the oldest message that is not applied yet has waited. A message that comes now waits for all messages before
 * it: the bytes that wait, divided by the bytes that the applier did in a second while it always had work, say how
 * long.
 *
 * If r times as much comes as the applier can do, the age of the oldest message that waits grows by 1 - 1/r each
 * second, and the wait of a message that comes now by r - 1. So to slow collection by the age alone would be late, by
 * four times at r = 4.
 *
 * Memory is bounded: when it is full, every second note is dropped. The others tell a long wait less exactly, rather
 * too long than too short. */
#include "derive_private.h"

enum { NOTE_EVERY_NS = 25 * 1000000, RATE_OVER_NS = 200 * 1000000, RATE_FIRST_OVER_NS = 50 * 1000000 };

void derive_open_lag(struct applier *applier)
{
    struct lag *lag = &applier->lag;
    check(pthread_mutex_init(&lag->lock, NULL) == 0);
    lag->start_end = journal_end(applier->options.journal);
    /* What was saved is known already, though the applier reads it again for dedup and the index. */
    lag->known_at_start = applier->saved;
    if (lag->known_at_start > index_position(applier->index)) lag->known_at_start = index_position(applier->index);
}

void derive_close_lag(struct applier *applier) { pthread_mutex_destroy(&applier->lag.lock); }

JournalPos derive_known(const struct applier *applier)
{
    JournalPos applied = atomic_load_explicit(&applier->applied, memory_order_acquire);
    return applied > applier->lag.known_at_start ? applied : applier->lag.known_at_start;
}

/* Makes one note of every two: the time of the earlier one, the end of the later one. From now on notes are made half
 * as often, so that all are for equally long times. */
static void thin(struct lag *lag)
{
    for (size_t at = 0; at + 1 < lag->count; at += 2)
        lag->notes[at / 2] = (struct lag_note){ lag->notes[at + 1].end, lag->notes[at].at_ns };
    lag->count /= 2;
    lag->every_ns *= 2;
}

/* Only a time in which the applier always had work shows how fast it can be. */
static void measure(struct lag *lag, JournalPos applied, JournalPos end, int64_t now_ns)
{
    bool was_busy = lag->rate_from_ns && applied < lag->rate_end;
    double before = atomic_load_explicit(&lag->bytes_a_ns, memory_order_relaxed);
    if (was_busy && now_ns - lag->rate_from_ns < (before > 0 ? RATE_OVER_NS : RATE_FIRST_OVER_NS)) return;
    if (was_busy && applied > lag->rate_from) {
        double rate = (double)journal_distance(lag->rate_from, applied) / (double)(now_ns - lag->rate_from_ns);
        atomic_store_explicit(&lag->bytes_a_ns, before > 0 ? (before + rate) / 2 : rate, memory_order_relaxed);
    }
    lag->rate_from = applied, lag->rate_end = end, lag->rate_from_ns = now_ns;
}

static void note(struct lag *lag, JournalPos applied, JournalPos end, int64_t now_ns)
{
    size_t done = 0;
    while (done < lag->count && lag->notes[done].end <= applied) done++;
    memmove(lag->notes, lag->notes + done, (lag->count - done) * sizeof *lag->notes);
    lag->count -= done;
    if (lag->count == 0) lag->every_ns = NOTE_EVERY_NS;
    measure(lag, applied, end, now_ns);
    const struct lag_note *last = lag->count ? &lag->notes[lag->count - 1] : NULL;
    if (end <= (last ? last->end : applied) || (last && now_ns - last->at_ns < lag->every_ns)) return;
    if (lag->count == countof(lag->notes)) thin(lag);
    lag->notes[lag->count++] = (struct lag_note){ end, now_ns };
}

/* How long the applier needs at its pace for what waits; at least as long as the oldest message has waited. */
static Millis drain_of(const struct lag *lag, JournalPos applied, JournalPos durable, Millis behind_ms)
{
    double bytes_a_ns = atomic_load_explicit(&lag->bytes_a_ns, memory_order_relaxed);
    double drain = bytes_a_ns > 0 ? (double)journal_distance(applied, durable) / bytes_a_ns / 1e6 : 0;
    return drain > (double)behind_ms ? (Millis)(drain < 1e12 ? drain : 1e12) : behind_ms;
}

static void work_out(struct applier *applier, struct lag *lag, int64_t now_ns)
{
    JournalPos known = derive_known(applier), end = journal_end(applier->options.journal);
    note(lag, known, end, now_ns);
    bool is_behind = known < end && lag->count;
    Millis behind = is_behind ? (now_ns - lag->notes[0].at_ns) / 1000000 : 0;
    atomic_store_explicit(&lag->behind_ms, behind, memory_order_relaxed);
    atomic_store_explicit(&lag->noted_drain_ms, drain_of(lag, known, end, behind), memory_order_relaxed);
}

void derive_note_lag(struct applier *applier)
{
    struct lag *lag = &applier->lag;
    if (!applier->options.clock) return;
    int64_t now_ns = clock_monotonic_ns(applier->options.clock);
    if (now_ns < atomic_load_explicit(&lag->next_ns, memory_order_relaxed)) return;
    pthread_mutex_lock(&lag->lock);
    if (now_ns >= atomic_load_explicit(&lag->next_ns, memory_order_relaxed)) {
        work_out(applier, lag, now_ns);
        atomic_store_explicit(&lag->next_ns, now_ns + NOTE_EVERY_NS, memory_order_relaxed);
    }
    pthread_mutex_unlock(&lag->lock);
}

Millis derive_noted_drain(struct applier *applier)
{
    derive_note_lag(applier);
    return atomic_load_explicit(&applier->lag.noted_drain_ms, memory_order_relaxed);
}

void derive_read_lag(struct applier *applier, DeriveLag *ret)
{
    struct lag *lag = &applier->lag;
    derive_note_lag(applier);
    ret->applied = derive_known(applier);
    ret->durable = journal_end(applier->options.journal);
    ret->is_starting = ret->applied < lag->start_end;
    bool is_behind = ret->applied < ret->durable;
    ret->behind_ms = is_behind ? atomic_load_explicit(&lag->behind_ms, memory_order_relaxed) : 0;
    /* Uses the journal's end of this moment: between two notes a source may send more than a second's work. */
    ret->drain_ms = drain_of(lag, ret->applied, ret->durable, ret->behind_ms);
    ret->is_complete = !ret->is_starting && ret->behind_ms < DERIVE_COMPLETE_MS;
}

void derive_tell_applied(struct applier *applier)
{
    pthread_mutex_lock(&applier->lock);
    if (applier->waiting_count) pthread_cond_broadcast(&applier->was_applied);
    pthread_mutex_unlock(&applier->lock);
}

bool derive_wait_known(struct applier *applier, JournalPos pos, Millis timeout_ms, const atomic_bool *is_cancelled)
{
    struct clock *clock = applier->options.clock;
    struct timespec wake;
    check(clock);
    int64_t until_ns = clock_monotonic_ns(clock) + timeout_ms * 1000000;
    bool is_known;
    pthread_mutex_lock(&applier->lock);
    applier->waiting_count++;
    while (!(is_known = derive_known(applier) >= pos) && clock_may_wait(clock, until_ns, is_cancelled, &wake))
        (void)pthread_cond_timedwait(&applier->was_applied, &applier->lock, &wake);
    applier->waiting_count--;
    pthread_mutex_unlock(&applier->lock);
    return is_known;
}
