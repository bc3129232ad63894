/* losses: a pass over the journal from a day before, so that a visit which was under way when the range begins is known
 * as such, and its first calls are not taken for lost ones. */
#include "losses_private.h"

#include <stdlib.h>

enum { SCRATCH_BYTES = 64 * LIMIT_RECORD_BYTES, CANCEL_EVERY = 1024 };

static void note_record(struct losses *losses, Str bytes, Arena scratch, Millis *first_ms)
{
    Event event;
    Rejected rejected;
    Err err;
    Millis received_ms;
    if (record_kind(bytes) == RECORD_EVENT && !event_decode(bytes, &event, &err)) {
        received_ms = event.received_at_ms;
        losses_note(losses, event.json, event.source, received_ms, scratch);
    } else if (record_kind(bytes) == RECORD_REJECTED && !rejected_decode(bytes, &rejected, &err)) {
        received_ms = rejected.received_at_ms;         /* it came, whatever was wrong with it */
        losses_note(losses, rejected.json, rejected.source, received_ms, scratch);
    } else {
        return;
    }
    if (*first_ms == INSTANT_NONE) *first_ms = received_ms;
}

static Status read_journal(struct journal *journal, struct losses *losses, const atomic_bool *is_cancelled,
                           Arena scratch, Err *err)
{
    struct journal_reader *reader;
    JournalRecord record;
    JournalPos end = journal_end(journal);
    Millis first_ms = INSTANT_NONE;
    uint64_t skipped;
    Status s = journal_reader_open(journal, journal_find_time(journal, losses->from_ms - DAY_MS), &reader, err);
    if (s == ERR_NOT_FOUND) return OK;
    if (s) return s;
    for (uint64_t count = 0; !s; count++) {
        if (count % CANCEL_EVERY == 0 && is_cancelled && atomic_load_explicit(is_cancelled, memory_order_relaxed))
            s = err_set(err, ERR_CLOSED, "the client went away");
        if (!s) s = journal_read(reader, &record, err);
        if (s == ERR_DAMAGED) s = journal_skip_damage(reader, &skipped, err);
        else if (!s && record.pos >= end) break;
        else if (!s) note_record(losses, record.bytes, scratch, &first_ms);
    }
    journal_reader_close(reader);
    /* What came before is gone: a visit of the first day may have begun then. */
    if (journal_first(journal) > JOURNAL_OLDEST && first_ms != INSTANT_NONE && first_ms + DAY_MS > losses->from_ms)
        losses->from_ms = first_ms + DAY_MS;
    return s == ERR_NOT_FOUND ? OK : s;
}

static int most_missing_first(const void *a, const void *b)
{
    const struct loss_group *left = a, *right = b;
    if (left->missing != right->missing) return left->missing > right->missing ? -1 : 1;
    if (left->visits != right->visits) return left->visits > right->visits ? -1 : 1;
    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

static void put_counts(struct buf *out, const struct loss_group *group)
{
    json_uint(out, "visits", group->visits);
    json_uint(out, "visits_with_gaps", group->broken);
    json_uint(out, "calls", group->calls);
    json_uint(out, "missing", group->missing);
}

static void put_answer(struct losses *losses, Millis until_ms, struct buf *out)
{
    struct loss_group all = { 0 };
    for (uint32_t at = 0; at < losses->group_count; at++) {
        const struct loss_group *group = &losses->groups[at];
        all.visits += group->visits, all.calls += group->calls;
        all.missing += group->missing, all.broken += group->broken;
    }
    qsort(losses->groups, losses->group_count, sizeof *losses->groups, most_missing_first);
    json_object(out, NULL);
    json_instant(out, "from", losses->from_ms);
    json_instant(out, "to", until_ms);
    put_counts(out, &all);
    json_uint(out, "visits_under_way", losses->open);
    json_uint(out, "messages_left_out", losses->left_out);
    json_array(out, "by");
    for (uint32_t at = 0; at < losses->group_count; at++) {
        const struct loss_group *group = &losses->groups[at];
        if (!group->visits) continue;
        json_object(out, NULL);
        json_string(out, "library", group->library);
        json_string(out, "browser", group->browser);
        json_string(out, "page", group->page);
        put_counts(out, group);
        json_object_end(out);
    }
    json_array_end(out);
    json_object_end(out);
}

Status losses_write(struct journal *journal, const LossesRange *range, const atomic_bool *is_cancelled,
                    struct buf *out, Err *err)
{
    struct region region;
    size_t visit_bytes = LOSSES_SLOTS * sizeof(struct visit);
    region_open(&region, visit_bytes + sizeof(struct losses) + LOSSES_TEXT_BYTES + SCRATCH_BYTES + 4096);
    Arena own = region_arena(&region);
    struct losses *losses = arena_new(&own, struct losses, 1);
    /* Names are anybody's: a seed of the day's keeps nobody from choosing ones that collide for long. */
    losses->seed = hash_64(STR("losses"), (uint64_t)range->until_ms);
    losses->from_ms = range->from_ms, losses->group_count = 1;
    losses->visits = arena_new(&own, struct visit, LOSSES_SLOTS);
    losses->groups[LOSSES_OTHER_GROUP].browser = losses->groups[LOSSES_OTHER_GROUP].page = STR("(others)");
    char *texts = arena_bytes(&own, LOSSES_TEXT_BYTES);
    losses->arena = (Arena){ texts, texts + LOSSES_TEXT_BYTES };
    Status s = read_journal(journal, losses, is_cancelled, own, err);
    if (!s) {
        losses_sum_up(losses, range->until_ms);
        put_answer(losses, range->until_ms, out);
    }
    region_close(&region);
    return s;
}
