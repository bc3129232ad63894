/* demo_data: what the files of the made-up month share. The month is a table of happenings, each of which is one
 * message; demo_data_stories.c makes them, demo_data_messages.c writes them as a client would have sent them, and
 * demo_data_truth.c counts them.
 *
 * A happening knows who it will be for Onym: the story says so while it makes it, from what the ids on it can tell
 * (docs/identity.md), never by working it out again. So the truth is not a second engine, and can be held against one.
 */
#ifndef ONYM_DEMO_DEMO_DATA_H
#define ONYM_DEMO_DEMO_DATA_H

#include "demo.h"

#define NOBODY UINT32_MAX

typedef enum Doing {
    DO_HOME, DO_BROWSE, DO_PRICING, DO_WELCOME,                                    /* pages */
    DO_SIGNUP_VIEWED, DO_ACCOUNT_CREATED, DO_SONG_PLAYED, DO_PLAYLIST_CREATED,     /* tracks */
    DO_SUBSCRIPTION_STARTED, DO_REMINDER_SENT,
    DO_NAMELESS,                           /* a track without a name: refused */
    DO_IDENTIFY, DO_IDENTIFY_UNDEFINED, DO_ALIAS, DO_GROUP,
    DOING_COUNT,
} Doing;

/* What a happening has that it should not have, or the other way round. */
typedef enum Mistake {
    MISTAKE_NONE,
    MISTAKE_NO_RESET,                      /* under the user who forgot to leave the device */
    MISTAKE_NO_ANONYMOUS_ID,               /* the server's call lacks it, and nothing else brings the two together */
    MISTAKE_PLACEHOLDER,                   /* userId "undefined" */
    MISTAKE_MAGNET,                        /* a robot that tries the log-in, each time in a new browser */
    MISTAKE_EMAIL_AS_ID,                   /* until an alias brings the number */
    MISTAKE_SENT_TWICE,
    MISTAKE_SIGNED_UP_TWICE,               /* the server tried again, under a new messageId */
    MISTAKE_NEAR_DUPLICATE,                /* song_played */
    MISTAKE_TYPE_DRIFT,                    /* revenue as a text */
    MISTAKE_EMAIL_IN_URL,
    MISTAKE_DEVELOPMENT,                   /* localhost:3000 */
    MISTAKE_EVENT_STOPPED,                 /* the reminders: none in the last week */
    MISTAKE_REJECTED,
    MISTAKE_COUNT,
} Mistake;

typedef enum Story {
    STORY_PLAIN, STORY_TWO_DEVICES, STORY_LATE_IDENTIFY, STORY_SHARED_WITH_RESET, STORY_SHARED_NO_RESET, STORY_ALIAS,
    STORY_NO_ANONYMOUS_ID, STORY_PLACEHOLDER, STORY_COUNT,
} Story;

struct happening {
    Millis at_ms;
    uint32_t number;                       /* in the order in which it was made up */
    uint32_t device, account;              /* whose ids are on it; NOBODY: it has none */
    uint32_t person;                       /* who that is for Onym: an account, or account_count + a device */
    uint32_t detail;                       /* which song, plan; the account of an alias */
    uint8_t doing, mistake;
    bool is_landing;                       /* the first page of a visit: with campaign and referrer */
    bool is_old_id;                        /* of the account: its email */
};

struct account {
    Millis signed_up_ms;
    uint32_t first_device;                 /* it has device_count of its own from there */
    uint32_t device_count;
    uint32_t hidden_device;                /* its own, too, but no message says so; NOBODY: none */
    uint32_t lent_device;                  /* of another account, used without a reset; NOBODY: none */
    uint8_t story, plan;
    bool is_robot, is_lent;                /* has lent its device to somebody */
};

struct device {
    uint8_t campaign, referrer;            /* what brought its owner at first: rows of the tables below */
    bool is_phone;
};

struct demo_data {
    DemoDataOptions options;
    Millis begin_ms;
    uint64_t dice;                         /* the state of the seeded ones */
    uint64_t name;                         /* of this set of messages: stands in their ids */
    struct region region, happening_region;
    Arena arena, happening_arena;
    struct happening *happenings;
    uint32_t happening_count;
    struct account *accounts;              /* options.users, and the robot */
    uint32_t account_count;
    struct device *devices;
    uint32_t device_count;
};

typedef struct DemoCampaign { const char *source, *medium, *name; } DemoCampaign;
typedef struct DemoPlan { const char *name; unsigned cents; } DemoPlan;
enum { CAMPAIGNS = 5, REFERRERS = 4, PLANS = 3, SONGS = 12 };
extern const DemoCampaign demo_campaigns[CAMPAIGNS];                   /* the first is none */
extern const char *const demo_referrers[REFERRERS];                /* hosts; the first is none */
extern const DemoPlan demo_plans[PLANS];

/* demo_data_stories.c: fills the tables; the happenings stand in no order. */
void demo_data_tell(struct demo_data *data);

/* demo_data_messages.c. Texts that messages and the truth have in common. */
void demo_data_anonymous_id(const struct demo_data *data, uint32_t device, struct buf *out);
void demo_data_user_id(const struct demo_data *data, uint32_t account, bool is_old, struct buf *out);
const char *demo_data_event(const struct happening *happening);    /* "Account Created"; NULL: no track */

#endif
