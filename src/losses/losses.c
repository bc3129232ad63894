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
        losses_note(losses, &(LossesMessage){ event.json, event.source, received_ms, event.from_import }, scratch);
    } else if (record_kind(bytes) == RECORD_REJECTED && !rejected_decode(bytes, &rejected, &err)) {
        received_ms = rejected.received_at_ms;         /* it came, whatever was wrong with it */
        losses_note(losses, &(LossesMessage){ rejected.json, rejected.source, received_ms, rejected.from_import },
                    scratch);
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
    Status s = journal_reader_open(journal, journal_find_time(journal, losses->from_ms - DAY_MS), &reader, err);
    if (s == ERR_NOT_FOUND) return OK;
    if (s) return s;
    for (uint64_t count = 0; !s; count++) {
        if (count % CANCEL_EVERY == 0 && is_cancelled && atomic_load_explicit(is_cancelled, memory_order_relaxed))
            s = err_set(err, ERR_CLOSED, "the client went away");
        if (!s) s = journal_read_whole(reader, &record, err);
        if (!s && record.pos >= end) break;
        if (!s) note_record(losses, record.bytes, scratch, &first_ms);
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
    if (left->of.missing != right->of.missing) return left->of.missing > right->of.missing ? -1 : 1;
    if (left->of.visits != right->of.visits) return left->of.visits > right->of.visits ? -1 : 1;
    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

typedef void Finish(struct losses *losses, const LossesRange *range, void *context);

/* finish: with all counted and in order. */
static Status count(struct journal *journal, const LossesRange *range, const atomic_bool *is_cancelled, Finish *finish,
                    void *context, Err *err)
{
    struct region region;
    size_t visit_bytes = LOSSES_VISITS_MAX * sizeof(struct visit) + slots_bytes(LOSSES_VISITS_MAX);
    region_open(&region, visit_bytes + sizeof(struct losses) + LOSSES_TEXT_BYTES + SCRATCH_BYTES + 4096);
    Arena own = region_arena(&region);
    struct losses *losses = arena_new(&own, struct losses, 1);
    /* Names are anybody's: a seed of the day's keeps nobody from choosing ones that collide for long. */
    losses->seed = hash_64(STR("losses"), (uint64_t)range->until_ms);
    losses->from_ms = range->from_ms, losses->group_count = 1;
    losses->visits = arena_new(&own, struct visit, LOSSES_VISITS_MAX);
    slots_lay(&losses->slots, &own, LOSSES_VISITS_MAX);
    losses->groups[LOSSES_OTHER_GROUP].of = (LossesGroup){
        .browser = STR("(others)"), .page = STR("(others)"), .first_ms = INT64_MAX, .last_ms = INT64_MIN,
    };
    char *texts = arena_bytes(&own, LOSSES_TEXT_BYTES);
    losses->arena = (Arena){ texts, texts + LOSSES_TEXT_BYTES };
    Status s = read_journal(journal, losses, is_cancelled, own, err);
    if (!s) {
        losses_sum_up(losses, range->until_ms);
        qsort(losses->groups, losses->group_count, sizeof *losses->groups, most_missing_first);
        finish(losses, range, context);
    }
    region_close(&region);
    return s;
}

/* ---- As JSON ---- */

static void put_counts(struct buf *out, const LossesGroup *group)
{
    json_uint(out, "visits", group->visits);
    json_uint(out, "visits_with_gaps", group->broken);
    json_uint(out, "calls", group->calls);
    json_uint(out, "missing", group->missing);
}

static void put_answer(struct losses *losses, const LossesRange *range, void *context)
{
    struct buf *out = context;
    LossesGroup all = { 0 };
    for (uint32_t at = 0; at < losses->group_count; at++) {
        const LossesGroup *group = &losses->groups[at].of;
        all.visits += group->visits, all.calls += group->calls;
        all.missing += group->missing, all.broken += group->broken;
    }
    json_object(out, NULL);
    json_instant(out, "from", losses->from_ms);
    json_instant(out, "to", range->until_ms);
    put_counts(out, &all);
    json_uint(out, "visits_under_way", losses->open);
    json_uint(out, "messages_left_out", losses->left_out);
    json_array(out, "by");
    for (uint32_t at = 0; at < losses->group_count; at++) {
        const LossesGroup *group = &losses->groups[at].of;
        if (!group->visits) continue;
        json_object(out, NULL);
        json_string_or_null(out, "source", group->source);
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
    return count(journal, range, is_cancelled, put_answer, out, err);
}

/* ---- For who reads on ---- */

struct listing {
    LossesVisit *visit;
    void *context;
};

static void list_groups(struct losses *losses, const LossesRange *range, void *context)
{
    const struct listing *listing = context;
    (void)range;
    for (uint32_t at = 0; at < losses->group_count; at++)
        if (losses->groups[at].of.visits) listing->visit(listing->context, &losses->groups[at].of);
}

Status losses_list(struct journal *journal, const LossesRange *range, const atomic_bool *is_cancelled,
                   LossesVisit *visit, void *context, Err *err)
{
    struct listing listing = { visit, context };
    return count(journal, range, is_cancelled, list_groups, &listing, err);
}
