/* destination_mixpanel: what the four files of the Mixpanel destination say to each other. */
#ifndef ONYM_DESTINATION_MIXPANEL_H
#define ONYM_DESTINATION_MIXPANEL_H

#include "destination.h"
#include "destination_text.h"

/* In the order of mixpanel_options. */
enum {
    MIXPANEL_TOKEN, MIXPANEL_IDENTITY, MIXPANEL_REGION, MIXPANEL_ENDPOINT, MIXPANEL_SECRET,
    MIXPANEL_ACCOUNT, MIXPANEL_ACCOUNT_SECRET, MIXPANEL_PROJECT, MIXPANEL_STRICT, MIXPANEL_GZIP, MIXPANEL_BATCH,
    MIXPANEL_PAGES, MIXPANEL_PAGE_EVENT, MIXPANEL_SCREEN_EVENT, MIXPANEL_PRODUCT_EVENTS,
    MIXPANEL_PEOPLE, MIXPANEL_ANONYMOUS_PROFILES, MIXPANEL_PROFILE_CONTEXT, MIXPANEL_SET_ONCE,
    MIXPANEL_UNION, MIXPANEL_APPEND, MIXPANEL_INCREMENTS, MIXPANEL_INCREMENT_FROM,
    MIXPANEL_TRANSACTIONS, MIXPANEL_GROUP_KEY, MIXPANEL_GROUP_PROFILES, MIXPANEL_SOURCE_NAME,
};

typedef enum MixpanelMode { MIXPANEL_SIMPLIFIED, MIXPANEL_ORIGINAL, MIXPANEL_LEGACY } MixpanelMode;
enum { LANE_IMPORT, LANE_ENGAGE, LANE_GROUPS };
enum { KIND_EVENT, KIND_LINK, KIND_UPDATE };

/* Who a message is about, in Mixpanel's words. */
typedef struct MixpanelWho {
    Str user_id;                    /* $user_id; empty: anonymous */
    Str device_id;                  /* $device_id; empty: none */
    Str distinct_id;                /* empty: nobody, left out of Mixpanel's people */
} MixpanelWho;

static inline MixpanelMode mixpanel_mode(const struct plan *plan)
{
    return (MixpanelMode)setting_number(plan->settings, MIXPANEL_IDENTITY);
}

MixpanelWho mixpanel_who(struct plan *plan, const Outgoing *message);
bool mixpanel_is_banned(Str id);            /* Mixpanel refuses the id: it counts as absent */

/* destination_mixpanel_event.c: messages as events. */
Status MUST mixpanel_plan_event(struct plan *plan, const Outgoing *message, Err *err);
/* $os, $browser and so on, but those that the object has already. */
void mixpanel_put_context(struct plan *plan, struct buf *out, const TreeNode *context, const TreeNode *except);

/* destination_mixpanel_people.c: profiles of people and groups. */
Status MUST mixpanel_plan_traits(struct plan *plan, const Outgoing *message, Err *err);
Status MUST mixpanel_plan_counts(struct plan *plan, const Outgoing *message, Err *err);
Status MUST mixpanel_plan_group(struct plan *plan, const Outgoing *message, Err *err);
/* Sends traits that were kept while the device had no user to the user whom it got. */
Status MUST mixpanel_plan_kept_traits(struct plan *plan, Str anonymous_id, Str user_id, Err *err);

/* destination_mixpanel_link.c: who is who, in the three modes of a project. */
Status MUST mixpanel_plan_links(struct plan *plan, const Outgoing *message, Err *err);
Status MUST mixpanel_plan_alias(struct plan *plan, const Outgoing *message, Err *err);

#endif
