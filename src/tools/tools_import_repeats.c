/* How many of an import's messages had come before: within it, or within the dedup window ahead of it. Told at its
 * end, from
 * the journal, which is where a message counts once or not; the applier may be far behind, or not running at all.
 *
 * Two passes: over what the import wrote, whose fingerprints are kept (bounded: import_repeats_count says false over
 * FINGERPRINTS_MOST), then over what stood there before. The second stops after SCAN_MOST records: an import of a
 * hundred
 * lines need not read a hundred million. What is older than that is not told from new. */
#include "tools_fingerprints.h"
#include "tools_import.h"
#include "tools_record_filter.h"

enum { SCAN_MOST = 20 * 1000 * 1000 };

struct counting {
    struct journal *journal;
    struct fingerprints mine, hits;
    uint64_t imported, repeated, scanned;
};

static Hash128 fingerprint_of(const Event *event)
{
    return hash_128(event->message_id, hash_64(event->source, 0));
}

void import_repeats_begin(struct import_repeats *repeats, const struct config *config, Arena *arena)
{
    struct journal *journal;
    *repeats = (struct import_repeats){ .is_known = true };
    if (open_journal_to_read(config, arena, &journal, NULL)) return;        /* there is none yet */
    repeats->from = journal_end(journal);
    journal_close(journal);
}

static void take(struct counting *counting, const Event *event, bool is_mine)
{
    Hash128 fingerprint = fingerprint_of(event);
    if (!is_mine) {
        if (fingerprints_has(&counting->mine, fingerprint))
            counting->repeated += fingerprints_add(&counting->hits, fingerprint);
        return;
    }
    if (!event->from_import) return;                        /* a live client's, beside it */
    counting->imported++;
    counting->repeated += !fingerprints_add(&counting->mine, fingerprint);
}

/* Events from one position up to another. Damage is passed over: what cannot be read counts for nothing. */
static Status scan(struct counting *counting, JournalPos from, JournalPos to, bool is_mine, Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    uint64_t skipped;
    Status s = journal_reader_open(counting->journal, from, &reader, err);
    if (s) return s;
    while (!(s = journal_read(reader, &record, err)) || s == ERR_DAMAGED) {
        Event event;
        if (s == ERR_DAMAGED) {
            if (journal_skip_damage(reader, &skipped, err)) break;
            continue;
        }
        if (record.pos >= to || (!is_mine && counting->scanned++ == SCAN_MOST)) break;
        if (counting->mine.count + 1 >= FINGERPRINTS_MOST) break;
        if (record_kind(record.bytes) == RECORD_EVENT && !event_decode(record.bytes, &event, NULL))
            take(counting, &event, is_mine);
    }
    journal_reader_close(reader);
    return s == ERR_NOT_FOUND ? OK : s;
}

bool import_repeats_count(const struct import_repeats *repeats, const struct config *config, uint64_t accepted,
                          Arena *arena, uint64_t *ret)
{
    struct counting counting = { 0 };
    Err err;
    if (!repeats->is_known || accepted >= FINGERPRINTS_MOST) return false;
    if (open_journal_to_read(config, arena, &counting.journal, &err)) return false;
    fingerprints_open(&counting.mine);
    fingerprints_open(&counting.hits);
    JournalPos first = journal_first(counting.journal), from = repeats->from > first ? repeats->from : first;
    Status s = scan(&counting, from, UINT64_MAX, true, &err);
    bool is_here = !s && counting.imported >= accepted;     /* else a server elsewhere has it */
    JournalPos window = journal_find_time(counting.journal, clock_now_ms(os_clock()) - config->dedup.window_ms);
    if (is_here && counting.imported && window < from) s = scan(&counting, window, from, false, &err);
    fingerprints_close(&counting.mine);
    fingerprints_close(&counting.hits);
    journal_close(counting.journal);
    *ret = counting.repeated;
    return is_here && !s && counting.repeated <= accepted;
}
