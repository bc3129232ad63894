/* destination: the plug. Each destination is a file of pure functions, which are tested without a network.
 *
 * A destination turns one message into *calls* (build), puts calls into requests (pack), and judges the
 * answers (judge). It never sends, waits, counts or stores: the framework around it (deliver.c) does.
 *
 *   message --build--> calls, frozen in the store --pack--> request --the net--> answer --judge--> verdicts
 *
 * A call is the part of a request that must not change between two attempts: it carries the event, its
 * time, its person and its idempotency key. It is written to the store before it is first sent, and a retry after
 * any failure, restart or change of settings sends the same bytes. A call does not have what may change:
 * credentials, hosts, which other calls share the request.
 *
 * Rules
 *  1. build, pack and judge depend on their arguments only. What a destination must know from earlier
 *     messages (a contact's id at the vendor, say) it stores and reads by key: plan_store, plan_state.
 *  2. A message's calls go one after the other: each when the one before is done. Calls of one lane,
 *     of different persons or of one person in order, share a request up to the lane's limits.
 *  3. Messages of one person go in order, and a link (CALL_LINK) goes before anything else under its user.
 *  4. Everything is bounded: calls of a message, bytes of a call, facts, stored values.
 * To add one, write a file destination_x.c with a struct destination, and its row in destinations.tbl.h.
 */
#ifndef ONYM_DESTINATION_DESTINATION_H
#define ONYM_DESTINATION_DESTINATION_H

#include "destination_rules.h"
#include "destination_text.h"
#include "os/os.h"

enum {
    DESTINATION_OPTIONS   = 40,             /* rows of an options table */
    DESTINATION_CALLS     = 512,            /* calls of one message: its links, what was kept for them, its products */
    DESTINATION_CALL_BYTES = 1024 * 1024,   /* one call */
    DESTINATION_FACT_BYTES = 600,           /* facts of one message */
    DESTINATION_STATE_BYTES = 16 * 1024,    /* one stored value */
    DESTINATION_STATES = 32,                /* values stored for one message */
    DESTINATION_REPORTS   = 68,             /* one for each link, and some; the last one says that there were more */
    DESTINATION_LINKS     = 64,             /* links that go with one message; more go with the next */
};

/* ---- Settings ---- */

typedef enum OptionKind {
    OPTION_TEXT, OPTION_SECRET, OPTION_URL, OPTION_BOOL, OPTION_INT,
    OPTION_WORD,                            /* one of choices, "a|b|c" */
    OPTION_TEXTS,                           /* a list */
    OPTION_MAP,                             /* names to texts */
} OptionKind;

typedef struct DestinationOption {
    const char *name;
    OptionKind kind;
    const char *fallback;                   /* as it would be written; NULL: must be given */
    const char *choices;                    /* for a word "a|b|c", for an int "least..most", otherwise NULL */
    const char *help;                       /* what it does and when to change it */
} DestinationOption;

typedef struct OptionValue {
    Str text;                               /* TEXT, SECRET, URL, WORD */
    int64_t number;                         /* INT; BOOL as 0 or 1; WORD as its place among the choices */
    bool is_given;                          /* in the settings, as opposed to the fallback */
    const Str *texts;                       /* TEXTS */
    size_t count;
    const Node *map;                        /* MAP; NULL: empty */
} OptionValue;

struct destination;
typedef struct Settings {
    const struct destination *destination;
    OptionValue values[DESTINATION_OPTIONS];    /* in the order of the destination's options */
} Settings;

/* Checks settings by the options table: unknown names, wrong kinds, missing ones; then asks the
 * destination's own validate. Texts are in the arena. err's field is the option at fault. */
Status MUST destination_read_settings(const struct destination *destination, const Node *node, Arena *arena,
                                      Settings *ret, Err *err);

/* Says of a valid setting that it does not do what one may think: in words, without a full stop. */
typedef void Advise(void *context, const char *option, const char *text);

/* ---- A message as a destination sees it ---- */

typedef struct LinkFact {                   /* this anonymous id belongs to this user, by first claim */
    Str anonymous_id, user_id;
    Millis at_ms;
    bool is_merge;                          /* anonymous_id is a user, too: an alias made the two one person */
} LinkFact;

typedef struct Outgoing {
    const Event *event;
    const TreeNode *json;                   /* the canonical JSON, after the privacy rules */
    Str user_id, anonymous_id;              /* empty: there is none, or it identifies nobody */
    Str previous_id, group_id;
    bool previous_is_user;                  /* alias: the previous id is known as a user id … */
    bool is_merge_told;                     /* … and the links have that, or had it: nothing is left to say */
    /* The user whom an anonymous message belongs to though the id's history is another user's: on a
     * shared device, after its second user signed in. Empty in every other case. */
    Str owner_id;
    const LinkFact *links;                  /* this destination does not know them yet; they go before the message */
    size_t link_count;
} Outgoing;

/* ---- Plans ---- */

enum {
    CALL_LINK = 1,                          /* makes two ids one person; the message goes on only when it is done */
    CALL_ONCE = 2,                          /* repeating it would count twice: never sent again when in doubt */
};

typedef struct Call {
    uint8_t lane;                           /* calls of one lane can share a request */
    uint8_t kind;                           /* the destination's own */
    uint8_t flags;
    uint32_t rest_ms;                       /* when it is done, the person's messages wait so long */
    Str body;
} Call;

typedef struct StoredState { Str key, value; } StoredState;

/* What build makes. Everything in it is in the arena. */
struct plan {
    Arena *arena;
    const Settings *settings;
    Str (*read_state)(void *context, Str key);          /* empty if nothing is stored under the key */
    void *context;

    Call calls[DESTINATION_CALLS];
    size_t call_count;
    StoredState stored[DESTINATION_STATES];             /* stored in the transaction that freezes the calls */
    size_t stored_count;
    Str reports[DESTINATION_REPORTS];       /* what the vendor could not be told, in words; kept for the operator */
    size_t report_count;
    size_t left_out;                        /* place + 1 of the report that plan_left_out adds to; 0: none */
    const char *skipped;                    /* why there are no calls, in a word or two; this is no failure */
    char facts[DESTINATION_FACT_BYTES];     /* "key=value\n" lines, for pack; judge adds to them */
    struct buf text;                        /* of the call being built */
};

void plan_init(struct plan *plan, const Settings *settings, Arena *arena, Str (*read_state)(void *, Str),
               void *context);
void plan_done(struct plan *plan);
/* Append to what plan_call gives, then plan_end_call. ERR_TOO_LARGE: too many calls, or one too large. */
struct buf *plan_call(struct plan *plan, uint8_t lane, uint8_t kind);
Status MUST plan_end_call(struct plan *plan, uint8_t flags, uint32_t rest_ms, Err *err);
Str plan_state(struct plan *plan, Str key);             /* sees what this plan has stored, too */
/* The user whom the anonymous id belongs to, as this message or an earlier one told this destination; empty:
 * it was not told. Any message of the user may have told it while messages under the id alone still waited: what then
 * comes under the id belongs to the user. */
#define DESTINATION_LINK_KEY "link:"
Str plan_linked_user(struct plan *plan, Str anonymous_id);
/* Was anything sent under that user before this message? Asked if wants_grace. */
#define DESTINATION_USER_KEY "user:"
bool plan_knows_user(struct plan *plan, Str user_id);
/* Keys are "what:id": after the first colon is the id of the person whom the value is about, so that an erasure finds
 * it. */
void plan_store(struct plan *plan, Str key, Str value);
/* What plan_state gives if the value was the id of somebody who was erased: there was a value, and nobody knows
 * which. */
#define DESTINATION_ERASED "(erased)"
void plan_report(struct plan *plan, const char *format, ...) FORMAT(2, 3);
/* Says which part of the message the vendor does not get, and why. One report has all of it, so that a sender cannot
 * fill the list of dead letters with a few messages. */
void plan_left_out(struct plan *plan, const char *format, ...) FORMAT(2, 3);

/* The value of a fact; empty if there is none. fact_put replaces it; false if there is no room. */
Str fact_get(const char *facts, const char *key);
bool fact_put(char facts[DESTINATION_FACT_BYTES], const char *key, Str value);

/* ---- Answers ---- */

typedef enum Verdict {
    VERDICT_DONE,
    VERDICT_RETRY,                          /* the same again, later */
    VERDICT_REFUSED,                        /* it can never work: to the dead letters, with the reason */
    VERDICT_AGAIN,                          /* the same call again at once, with the facts that were learned */
    VERDICT_END,                            /* done, and the message's other calls are not needed */
} Verdict;

typedef struct CallVerdict {
    Verdict verdict;
    Str reason;                             /* for people; in the arena of judging */
} CallVerdict;

typedef struct Ruling {
    CallVerdict *calls;                     /* one for each call of the request; judge_by_status presets it */
    size_t call_count;
    Millis retry_after_ms;                  /* what the vendor asked for; 0: use our own table */
    bool is_everybodys;                     /* these calls are not at fault (credentials, rate limit): all wait */
    bool halve;                             /* try the calls again in two requests */
    char *facts;                            /* of the message; only if the lane has one call in each request */
    StoredState stored[4];
    size_t stored_count;
    Str report;                             /* kept for the operator though the call went well */
} Ruling;

/* ---- The plug ---- */

typedef struct LaneLimits {
    uint32_t calls_max;
    uint32_t bytes_max;
} LaneLimits;

typedef struct PackInput {
    const Settings *settings;
    const Call *const *calls;               /* of one lane */
    size_t call_count;
    const char *facts;                      /* of the message; "" if several messages share the request */
    Millis now_ms;
} PackInput;

typedef struct JudgeInput {
    const Settings *settings;
    const Call *const *calls;
    size_t call_count;
    const FetchAnswer *answer;
    Millis now_ms;
    Arena *arena;
} JudgeInput;

struct destination {
    const char *name;                       /* its type in the configuration: "mixpanel" */
    const char *label;                      /* as the integrations object of a message names it: "Mixpanel" */
    const char *description;                /* one sentence */
    const DestinationOption *options;                  /* ends at name NULL */
    uint32_t requests_per_second;           /* the vendor's limit; 0: none known */
    uint32_t requests_at_once;              /* a sensible number of requests under way */
    Status (*validate)(const Settings *settings, Err *err);             /* NULL: the table says it all */
    void (*advise)(const Settings *settings, Advise *advise, void *context);    /* settings without effect; or NULL */
    bool (*wants_links)(const Settings *settings);                      /* is told who is who; NULL: no */
    bool (*wants_merges)(const Settings *settings);                     /* … which users are one; NULL: as links */
    bool (*wants_grace)(const Settings *settings);                      /* a link must not come late; NULL: it may */
    bool (*takes_whole)(const Settings *settings);      /* build reads of the message's JSON its raw text alone, and may
                                                         * get a root without members; NULL: it reads members */
    LaneLimits (*limits)(const Settings *settings, uint8_t lane);
    Status (*build)(struct plan *plan, const Outgoing *message, Err *err);      /* ERR_INPUT: refused, with why */
    /* No method: there is nothing to send, the calls are done. ERR_INPUT: no request can be made of the calls; err says
     * why, and they are a dead letter at once, as if fetch_check_request had refused the request. */
    Status (*pack)(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err);
    void (*judge)(const JudgeInput *input, Ruling *ruling);             /* NULL: the status says it all */
};

/* By status: 2xx done; 408, 423, 425, 429 and 5xx except 501 retry; no answer retry; anything else refused, with
 * the status and the beginning of the body as reason. If several calls are refused together, they are halved: one
 * person's message must not harm other people's. Reads Retry-After (seconds or a date). */
void judge_by_status(const JudgeInput *input, Ruling *ruling);
bool judge_may_pass(int status);            /* the server's trouble of the moment: the same request may do later */
void judge_all(Ruling *ruling, Verdict verdict, Str reason);

extern const struct destination *const destinations[];                  /* ends at NULL */
const struct destination *destination_find(Str name);                   /* NULL: no such type */
Str destination_names(Arena *arena);                                    /* "mixpanel, kissmetrics, …" */

/* The value of an option, by its index. */
static inline Str setting_text(const Settings *settings, int option) { return settings->values[option].text; }
static inline bool setting_is_on(const Settings *settings, int option) { return settings->values[option].number != 0; }
static inline int64_t setting_number(const Settings *settings, int option) { return settings->values[option].number; }
bool setting_has(const Settings *settings, int option, Str text);       /* a list has it */
Str setting_in_map(const Settings *settings, int option, Str name);     /* empty if the map lacks it */

void request_header(FetchRequest *request, Str name, Str value);        /* empty values are left out */

/* X-Signature and X-Onym-Signature of a webhook's body, as docs/destinations.md has them; first: the part of it that
 * the old one signs. Without a secret: none. */
void webhook_sign(Str secret, Str first, Millis now_ms, Arena *arena, FetchRequest *ret);

/* Every type with its options; an empty type: all of them, a line each. */
void destination_describe(struct buf *buf, Str type);

/* ---- Stars for what must not be seen (destination_secret.c) ---- */

bool secret_is_header(Str name);            /* its value is not shown */
Str secret_hide(const Settings *settings, Str text, Arena *arena);      /* the text itself if it has no secret */
void secret_hide_into(const Settings *settings, Str text, struct buf *out);
bool secret_hide_in_letter(Str json, struct buf *out);      /* of an older version; false: there is nothing to hide */

#endif
