/* destination_rules: what the configuration says of a destination besides its settings, the same for every type: which
 * messages it gets, which parts of them it may see, how long Onym tries.
 */
#ifndef ONYM_DESTINATION_RULES_H
#define ONYM_DESTINATION_RULES_H

#include "event/event.h"

enum { REQUESTS_AT_ONCE = 64 };         /* most requests under way of one destination */

/* Where a destination begins in the journal when it is new. */
typedef enum DestinationStart { DESTINATION_FROM_NOW, DESTINATION_FROM_BEGINNING } DestinationStart;

typedef struct Rules {
    uint32_t types;                     /* bits of EventType; 0: all */
    const Str *events_allow, *events_deny, *properties_allow, *properties_deny, *properties_hash, *consent;
    size_t events_allow_count, events_deny_count, properties_allow_count, properties_deny_count,
        properties_hash_count, consent_count;
    Str hash_salt;
    Millis retry_ms, grace_ms, settle_ms;
    DestinationStart start;
    uint32_t window, requests_at_once, requests_per_second;
} Rules;

/* node: a map, or NULL. Texts live in the arena or in node. ERR_INPUT: err's field is the rule at fault. */
Status MUST rules_read(const Node *node, Arena *arena, Rules *ret, Err *err);
/* Properties or traits are left out or hashed. */
bool rules_have_privacy(const Rules *rules);
/* The message after the privacy rules; the tree itself if there are no rules. */
Status MUST rules_redact(const Rules *rules, const TreeNode *json, Arena *arena, const TreeNode **ret, Err *err);

#endif
