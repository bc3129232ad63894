/* query_funnel: what the funnel and its people lists share: the question's shape. */
#ifndef ONYM_QUERY_FUNNEL_H
#define ONYM_QUERY_FUNNEL_H

#include "query_answer.h"

typedef enum Attribution { ATTRIBUTION_FIRST, ATTRIBUTION_ANY } Attribution;

typedef struct FunnelQuestion {
    Request request;
    Selector selectors[CHAIN_STEPS_MAX + CHAIN_EXCLUSIONS_MAX];     /* steps, then exclusions */
    ChainRules rules;
    Breakdown by;
    uint32_t attribution, group_limit;
} FunnelQuestion;

/* allowed: the members of this kind of question, NULL-ended. */
Status MUST funnel_parse(FunnelQuestion *funnel, Str question, const QueryWorld *world, Arena *arena,
                         const char *const *allowed, Err *err);
/* The chain that counts for a person: in the whole, or (value not NULL) in the group of that value; depth 0: none. */
void funnel_find(const FunnelQuestion *funnel, const Groups *groups, const IndexValue *value, const Hits *hits,
                 Arena scratch, Chain *ret);
/* The scan's specification; the caller adds who hears. */
ScanSpec funnel_spec(const FunnelQuestion *funnel);

#endif
