/* ask_funnel: what the funnel and its people lists share: the question's shape. */
#ifndef ONYM_ASK_FUNNEL_H
#define ONYM_ASK_FUNNEL_H

#include "ask_answer.h"
#include "chain/chain.h"

typedef enum Attribution { ATTRIBUTION_FIRST, ATTRIBUTION_ANY } Attribution;
/* What from and to cut: entries alone, or all events of a chain. */
typedef enum FunnelRange { RANGE_ENTRIES, RANGE_ALL } FunnelRange;

typedef struct FunnelQuestion {
    Query query;
    Selector selectors[CHAIN_STEPS_MAX + CHAIN_EXCLUSIONS_MAX + 1];  /* steps, exclusions, strict: all that users do */
    ChainRules rules;
    Breakdown by;
    uint32_t attribution, group_limit, range;
    Millis to_ms;                       /* as the question says; events are looked at for one window longer */
    atomic_bool lacks_memory;
} FunnelQuestion;

/* allowed: the members of this kind of question, NULL-ended. */
Status MUST funnel_parse(FunnelQuestion *funnel, Str question, const QueryWorld *world, Arena *arena,
                         const char *const *allowed, Err *err);
/* The chain that counts for a person: in the whole, or (value not NULL) in the group of that value; depth 0: none. */
void funnel_find(const FunnelQuestion *funnel, const Groups *groups, const IndexValue *value, const Hits *hits,
                 Arena scratch, Chain *ret);
/* The person's hits, without the entry's bit on hits that are no entries; scratch stays in use with them. */
const Hits *funnel_trim(const FunnelQuestion *funnel, const Hits *hits, Arena *scratch, Hits *ret);
/* Writes "range", "order"; from and to are then written as the question has them. */
void funnel_write_rules(FunnelQuestion *funnel, struct buf *answer);
/* The scan's specification; the caller adds the callbacks. */
ScanSpec funnel_spec(const FunnelQuestion *funnel);

#endif
