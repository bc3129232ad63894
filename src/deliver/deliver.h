/* deliver: journal records become calls to destinations, in order for each person.
 *
 * What it does not do: it knows no vendor (destination/ does), no socket (the fetcher of os/ does), and no rule of
 * identity (the caller that opens it says, by deliver_people, who a message's person is and which links there are). It
 * keeps everything as rows of outbox/.
 *
 * Every configured destination has its own place in the journal, its own queue and its own errors; none of
 * them can slow another, or collection. The calls of a message are frozen in the store before they are first
 * sent, with the idempotency key, the time and the person: a retry after any failure, a restart or a crash
 * sends the same, so that the vendor can tell it from a second event.
 *
 * Invariants
 *  1. A record before the kept cursor is finished (delivered, or in the dead letters with its reason), or has
 *     a row. A record after it has no row, unless it overtook another in event time.
 *  2. Nothing is sent before its frozen form is committed.
 *  3. A message starts when all earlier ones of its person are finished, or is sent after them in the same
 *     request. A link goes before anything else under its user, and is done before what follows.
 *  4. A call that must not be repeated (CALL_ONCE) is not sent again when nobody knows whether it
 *     arrived: it becomes a dead letter that says so.
 *  5. Memory is bounded: at most window messages for each destination, however many wait.
 *  6. When end_forget is called, no row is about a person who was erased, and no copy of such a row is left on the
 *     disk. The same holds for a suppressed person, except for rows that came after the suppression was taken back.
 *
 * Threads: one thread, the deliverer, calls deliver_step and everything that says so. Any thread may call deliver_wake,
 * deliver_read_states, deliver_set_config, deliver_find_config, deliver_ask_replay, deliver_ask_release,
 * deliver_ask_redo, deliver_wait_asked, deliver_user_hash and deliver_list_dead.
 */
#ifndef ONYM_DELIVER_DELIVER_H
#define ONYM_DELIVER_DELIVER_H

#include "event/event.h"
#include "journal/journal.h"
#include "os/os.h"
#include "outbox/outbox.h"
#include "people/people.h"

/* The furthest position of the journal that any destination has seen; one that is no longer configured counts, too.
 * 0: none. */
Status MUST deliver_read_reached(const struct outbox_rows *rows, JournalPos *ret, Err *err);

/* ---- People ---- */

/* Who is to be forgotten: the ids of the command. */
typedef struct DeliverForget {
    JournalPos before;                      /* COMMAND_ERASE: in records before this, which the journal has erased */
    JournalCommand what;                    /* COMMAND_SUPPRESS: with all ids that are suppressed */
    uint64_t number;                        /* for whoever asked */
} DeliverForget;

/* Who is who, from identity/. All of them are called by the deliverer's thread. */
struct deliver_people {
    void *context;
    /* find, list_links and is_duplicate are called between these two, some dozens together. NULL: no
     * guard is needed. */
    void (*begin)(void *context);
    void (*end)(void *context);
    /* Identity knows the records before this position. Later records are not delivered yet. NULL: it knows all. */
    JournalPos (*position)(void *context);
    /* NULL: nothing is known but a message's own ids. Strings are in the arena. Asked for every message. */
    Status (*find)(void *context, const Event *event, Arena *arena, MessagePerson *ret, Err *err);
    /* The anonymous ids that this user was the first to claim, and the users with whom it was joined, at most 500.
     * Asked if there may be a new link. NULL: as for find. */
    Status (*list_links)(void *context, Str user_id, Arena *arena, const PersonLink **ret, size_t *ret_count, Err *err);
    /* Values that identify nobody; a message is delivered as if it had no such id. NULL: none. */
    bool (*is_blocked)(void *context, Str id);
    /* The record's message came before, within the dedup window: it is not delivered. NULL: there are none. */
    bool (*is_duplicate)(void *context, JournalPos pos);
    /* The message names a suppressed id, or carries a suppressed external one: it is not delivered, however old it is.
     * May be called without the guard, too. parser: the caller's own. NULL: nobody is suppressed. */
    bool (*is_suppressed)(void *context, struct event_parser *parser, const Event *event, Arena scratch);
    /* Asked in every step, without the guard; in the arena. end_forget is called for each one once the
     * store has forgotten its people. Both NULL: nobody is ever to be forgotten. */
    Status (*list_forgets)(void *context, Arena *arena, DeliverForget **ret, size_t *ret_count, Err *err);
    void (*end_forget)(void *context, const DeliverForget *forget);
};

/* The applier says who is who. The deliverer then delivers no record that the applier has not applied. */
struct applier;
struct deliver_people deliver_people_of(struct applier *applier);

/* ---- Configuration ---- */

typedef struct DestinationConfig {
    Str name, type;
    bool is_enabled;                        /* false: it keeps its place in the journal and gets nothing */
    const Node *settings;                   /* the type's own, by its options table */
    const Str *sources;                     /* only events of these; none: all */
    size_t source_count;
    const Node *rules;                      /* a map, or NULL: see docs/delivery.md
                                               types, events, properties: {allow, deny, hash}, consent, hash_salt,
                                               retry_hours, grace_seconds, settle_ms, start, window,
                                               requests_at_once, requests_per_second */
} DestinationConfig;

/* ---- Opening ---- */

typedef struct DeliverOptions {
    struct journal *journal;
    struct clock *clock;
    struct dice *dice;
    struct fetcher *fetcher;                /* of the deliverer's thread */
    struct outbox_rows rows;
    struct deliver_people people;           /* all zero: of a person only the message's own ids are known */
} DeliverOptions;

struct deliver;
/* Reads nothing yet: a destination reads its unfinished messages in the first step after deliver_set_config. What the
 * options point to must live until deliver_close. */
Status MUST deliver_open(const DeliverOptions *options, struct deliver **ret, Err *err);
/* Cancels the requests under way; the next process sends their messages again (invariants 2 and 4). Accepts NULL. */
void deliver_close(struct deliver *deliver);

/* Checks a configuration: the type must exist, settings follow its table, rules. err's field says where. */
Status MUST deliver_check_config(const DestinationConfig *config, Err *err);
/* For a valid configuration: names settings that do something else than their author may expect, with the reason. */
typedef void DeliverAdvise(void *context, const char *setting, const char *text);
void deliver_advise(const DestinationConfig *config, DeliverAdvise *advise, void *context);
/* From the next step on these are the destinations; copies them. A destination that is not
 * among them keeps its place and its rows, in case it comes back. ERR_INPUT (and nothing changed) if one of them is
 * wrong. Any thread. */
Status MUST deliver_set_config(struct deliver *deliver, const DestinationConfig *configs, size_t count, Err *err);
/* One of them, copied into the arena with its secrets. ERR_NOT_FOUND: none has that name. Any thread. */
Status MUST deliver_find_config(struct deliver *deliver, Str name, Arena *arena, DestinationConfig *ret, Err *err);

/* ---- Running ---- */

/* Does everything that can be done now, then waits at most wait_ms for answers or a wake. Errors come from the store or
 * the journal; the next step tries again, and nothing else stops meanwhile. */
Status MUST deliver_step(struct deliver *deliver, Millis wait_ms, Err *err);
void deliver_wake(struct deliver *deliver);                 /* something is new in the journal. Any thread. */

/* From the next step on nothing new is sent; requests under way are answered and noted, until it is idle. Closing
 * before that is like a crash: nothing is lost, but more is repeated. The deliverer's thread. */
void deliver_begin_stop(struct deliver *deliver);
bool deliver_is_idle(const struct deliver *deliver);

/* The journal position before which every destination is finished: for journal_set_hold. Disabled ones count. 0
 * if this is not known yet. The deliverer's thread. */
JournalPos deliver_position(struct deliver *deliver);

/* ---- Asking for more ---- */

/* Sends what happened in [from_ms, to_ms) (event time) once more, or for the first time; new messages go on
 * meanwhile. Takes the place of a replay that is still under way. ERR_NOT_FOUND: no such destination; ERR_CONFLICT: it
 * is disabled. The ticket is for deliver_wait_asked: until that says OK, nothing is promised. */
Status MUST deliver_ask_replay(struct deliver *deliver, Str name, Millis from_ms, Millis to_ms, uint64_t *ret_ticket,
                               Err *err);
/* The same for messages that the tracking plan held, and for nothing else. It waits for a replay that is under way, and
 * is given up (ERR_TIMEOUT of deliver_wait_asked) if that takes too long. */
Status MUST deliver_ask_release(struct deliver *deliver, Str name, Millis from_ms, Millis to_ms, uint64_t *ret_ticket,
                                Err *err);
/* Tries dead letters again: one by its number, or all that there are now (0). */
Status MUST deliver_ask_redo(struct deliver *deliver, Str name, uint64_t number, uint64_t *ret_ticket, Err *err);
/* OK: what was asked is on the disk, and will be done whatever happens to the process; the states show it. ERR_TIMEOUT:
 * it is not, after wait_ms or once is_cancelled (may be NULL) is true; a request that was not begun by then is taken
 * back. */
Status MUST deliver_wait_asked(struct deliver *deliver, uint64_t ticket, Millis wait_ms,
                               const atomic_bool *is_cancelled, Err *err);

/* ---- Looking ---- */

typedef enum DeliverCondition {
    DELIVER_RUNNING, DELIVER_DISABLED, DELIVER_WAITING,     /* waiting: the vendor asked, or it failed; see until_ms */
} DeliverCondition;

enum { DELIVER_NAME_BYTES = 64, DELIVER_STATES = 256 };

typedef struct DeliverState {
    char name[DELIVER_NAME_BYTES], type[32];
    DeliverCondition condition;
    Millis until_ms;                        /* WAITING: the next try */
    JournalPos position;                    /* read so far */
    uint64_t lag_bytes;                     /* how much of the journal is after position at this moment */
    Millis lag_ms;                          /* age of the oldest message that is not delivered; 0: none waits */
    uint64_t unfinished;                    /* messages taken and not finished; at least 1 while there is more to do */
    uint64_t under_way;                     /* requests */
    uint64_t taken, delivered, skipped, refused, retried, requests, links, reports;     /* since the start */
    uint64_t dead_letters;                  /* in the list */
    double messages_per_second;             /* delivered, over the last minute */
    Millis last_success_ms, last_error_ms;  /* 0: never */
    char last_error[256];
    bool is_replaying;                      /* reads the journal for a replay */
    uint64_t replay_left_bytes;
    uint64_t replay_unfinished, replay_taken, replay_delivered;         /* messages of the replay */
    JournalPos read_until;                  /* unfinished counts every unfinished message before it */
    Millis read_at_ms;                      /* when it had last read all of the journal */
    bool is_busy;                           /* there is more to do than the counts say: a redo, a replay, its rows */
} DeliverState;

/* Copies the states, in the order of the configuration, and looks how far the journal is now. Durable messages that are
 * neither delivered nor given up always show in lag_bytes, lag_ms and unfinished, so that a caller who waits until one
 * of them is 0 never stops too early. Any thread. */
size_t deliver_read_states(struct deliver *deliver, DeliverState *states, size_t max);

/* Appends an item for each minute: what was done in it, and the lag (docs/delivery.md). The last minute is not over
 * yet. Nothing was counted before `counted_from`. ERR_NOT_FOUND: no such destination. Any thread. */
enum { DELIVER_MINUTES = 24 * 60 };
Status MUST deliver_write_series(struct deliver *deliver, Str name, int minutes, struct buf *out, Err *err);

typedef struct DeadLetter {
    uint64_t number;
    Str json;       /* {"number", "kind": message or report, "message_id", "type", "reason", "first_tried_at",
                       "died_at", "attempts", "request": {…}, "answer": {…}} */
} DeadLetter;
typedef bool DeadVisit(void *context, const DeadLetter *letter);
/* Visits the letters with numbers above `after`. Reads the store; any thread that its rows allow. */
Status MUST deliver_list_dead(const struct outbox_rows *rows, Str name, uint64_t after, DeadVisit *visit,
                              void *context, Err *err);

/* Appends a page of its dead letters: {"dead":[…],"next":number or null}. docs/delivery.md explains every member. */
Status MUST deliver_write_dead(const struct outbox_rows *rows, Str name, uint64_t after, size_t limit,
                               struct buf *out, Err *err);

/* {"position","deliveries":[{"destination","type","state","text",…}]}: what happened to a message at each destination
 * (docs/live.md). Any thread. */
typedef struct DeliverMessage {
    const Event *event;
    JournalPos pos;
    const char *left_out;                   /* why no destination gets it; or NULL */
} DeliverMessage;
Status MUST deliver_write_message(struct deliver *deliver, const DeliverMessage *message, Arena *arena, struct buf *out,
                                  Err *err);

/* ---- Trying out ---- */

/* Sends one message through one destination, without the store, and reports each request and answer. Waits for them. */
typedef struct DeliverExchange {
    Str method, url, headers, body;         /* headers: a line each; stars replace secrets everywhere */
    int status;
    Str answer;
    const char *error;
    Millis took_ms;
} DeliverExchange;
typedef void DeliverTell(void *context, const DeliverExchange *exchange);
/* {"request":{…},"answer":{…}} */
void deliver_write_exchange(const DeliverExchange *exchange, struct buf *out);
typedef struct DeliverTrial {
    Str message;                            /* canonical JSON; empty: a track "Onym Test" of the user onym-test */
    DeliverTell *tell;
    void *context;
    const atomic_bool *is_cancelled;        /* or NULL */
} DeliverTrial;
/* ERR_INPUT: the destination refuses the message, or its rules leave it out; ERR_DENIED: the vendor refused; ERR_RATE:
 * it asks for a later try; ERR_IO: no answer; ERR_TIMEOUT: after half a minute it is given up; ERR_CLOSED: once
 * is_cancelled is true. */
Status MUST deliver_try(const DeliverOptions *options, const DestinationConfig *config, const DeliverTrial *trial,
                        Err *err);

/* The messenger's user hash (Intercom's identity verification): hex of HMAC-SHA256, by the identity_secret of that
 * destination. ERR_NOT_FOUND: no such destination, or it has no secret. The text is in the arena. Any thread. */
Status MUST deliver_user_hash(struct deliver *deliver, Str name, Str user_id, Arena *arena, Str *ret, Err *err);

#endif
