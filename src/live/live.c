/* live: what streams share: how many there are, and the notes of what collection left out. */
#include "live_private.h"

#include <stdlib.h>

static const char *const fate_words[LIVE_FATES] = {
    [LIVE_ACCEPTED] = "accepted", [LIVE_REJECTED] = "rejected", [LIVE_REPEATED] = "repeated",
    [LIVE_SUPPRESSED] = "suppressed",
};

const char *live_fate_word(LiveFate fate) { return fate_words[fate]; }

bool live_fate_from(Str word, LiveFate *ret)
{
    for (int fate = 0; fate < LIVE_FATES; fate++)
        if (str_equal(word, str_from(fate_words[fate]))) return *ret = (LiveFate)fate, true;
    return false;
}

/* Serials go on from the time of the start: so they are larger than those of any run before, which noted less than a
 * thousand messages a millisecond. */
struct live *live_open(const LiveOptions *options)
{
    struct live *live = calloc(1, sizeof *live);
    check(live != NULL && pthread_mutex_init(&live->lock, NULL) == 0);
    live->options = *options;
    live->counts = live_counts_open();
    live->first_serial = (uint64_t)clock_now_ms(options->clock) * 1000;
    atomic_init(&live->serial, live->first_serial);
    return live;
}

void live_close(struct live *live)
{
    if (!live) return;
    if (atomic_load(&live->stream_count)) return;  /* a piece still runs after the grace time */
    live_counts_close(live->counts);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

/* Its place is taken under the lock: whoever lists the notes knows that later notes get a place after all that
 * was durable when he listed them. */
void live_note_suppressed(struct live *live, Str source, const uint32_t counts[EVENT_TYPE_COUNT],
                          Millis received_at_ms)
{
    pthread_mutex_lock(&live->lock);
    uint64_t serial = atomic_load_explicit(&live->serial, memory_order_relaxed);
    JournalPos place = journal_end(live->options.journal);
    for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
        if (!counts[type]) continue;
        serial += counts[type];
        live_counts_note(live->counts, source, (EventType)type, counts[type], received_at_ms);
        live->notes[live->noted++ % LIVE_NOTES] = (LiveNote){
            .serial = serial, .place = place, .source = source, .type = (EventType)type, .count = counts[type],
            .received_at_ms = received_at_ms,
        };
    }
    atomic_store_explicit(&live->serial, serial, memory_order_release);
    pthread_mutex_unlock(&live->lock);
}

size_t live_list_notes(struct live *live, uint64_t serial, LiveNote *notes)
{
    size_t count = 0;
    if (atomic_load_explicit(&live->serial, memory_order_acquire) == serial) return 0;
    pthread_mutex_lock(&live->lock);
    for (uint64_t at = live->noted > LIVE_NOTES ? live->noted - LIVE_NOTES : 0; at < live->noted; at++)
        if (live->notes[at % LIVE_NOTES].serial > serial) notes[count++] = live->notes[at % LIVE_NOTES];
    pthread_mutex_unlock(&live->lock);
    return count;
}
