/* deliver_outlet: a destination at work, shared by the files of this folder.
 *
 * A message on its way is a parcel. It is taken from the journal in order of arrival, settles for a moment so
 * that what happened earlier can go earlier, lines up behind its person's parcels (order), is built and frozen
 * when its turn has come, sent in a request with others, and finished.
 *
 *   journal -> settling (by event time) -> line (by person) -> ready -> frozen -> under way -> finished
 *                                                                ^________ retry ___|
 */
#ifndef ONYM_DELIVER_DELIVER_OUTLET_H
#define ONYM_DELIVER_DELIVER_OUTLET_H

#include <pthread.h>

#include "deliver.h"
#include "destination/destination.h"

enum {
    PARCEL_KEYS = 4,                    /* user id, anonymous id, previous id, person */
    OUTLETS = 64,
    STREAMS = 2,
    AGAIN_MAX = 64,                     /* steps of one call without an end: a vendor that goes in circles */
    PENDING_BYTES = 64 * 1024 * 1024,   /* changes of one step */
};

typedef enum StreamKind { STREAM_LIVE, STREAM_REPLAY } StreamKind;

typedef enum ParcelState {
    PARCEL_FREE, PARCEL_SETTLING,
    PARCEL_LINED,                       /* behind others of its person */
    PARCEL_READY,                       /* its turn; built or not */
    PARCEL_WAITING,                     /* its turn, but not before next_ms */
    PARCEL_UNDER_WAY,
} ParcelState;

struct parcel;

/* A parcel's place in the line of one key. */
struct turn {
    uint64_t key;
    struct parcel *owner;
    struct turn *older, *newer;         /* the same key */
    struct turn *next, *previous;       /* the same bucket */
    bool is_in_line;
};

struct parcel {
    struct parcel *next, *previous;     /* of the list that its state says */
    ParcelState state;
    StreamKind stream;
    JournalPos pos;
    uint64_t order;                     /* of release */
    Millis event_ms, received_ms, first_tried_ms, next_ms;
    uint32_t attempts, again, together_max;
    struct turn turns[PARCEL_KEYS];
    uint32_t turn_count;
    struct request *request;            /* it travels in, while being put together or under way */

    bool is_all_aboard;                 /* request has all that it still has, and no link is last */
    bool is_frozen;                     /* built */
    bool has_row;                       /* the store has it, or will at the end of the step */
    bool is_redo;                       /* a dead letter on its second way */
    bool is_once_sent;                  /* its next call must not be repeated, and is being sent */
    bool is_lost;                       /* at least one of its calls is a dead letter */
    bool is_forgotten;                  /* under way, and finished with its answer, whatever that is; has no row */
    bool is_in_doubt;                   /* … and was, in a former life: nobody knows whether it came */
    uint32_t call_at, call_count;
    Call *calls;                        /* in frozen's bytes */
    char facts[DESTINATION_FACT_BYTES];
    struct buf record;                  /* the journal record, until it is built */
    struct buf frozen;                  /* calls and their bodies */
};

struct parcel_list {
    struct parcel *first, *last;
    size_t count;
};

struct ride {
    struct parcel *parcel;
    uint32_t call;
};

typedef enum RequestState { REQUEST_FREE, REQUEST_PREPARED, REQUEST_SENT } RequestState;

/* One request: calls of one lane, in the order in which they are sent. */
struct request {
    struct fetch fetch;                 /* first */
    struct outlet *outlet;
    RequestState state;
    uint8_t lane;
    uint32_t together_max;
    struct ride *rides;
    size_t ride_count, ride_capacity;
    uint64_t bytes;
    bool has_forgotten;                 /* one of its messages is forgotten since */
    FetchRequest sent;                  /* borrows from region; for the dead letters */
    struct region region;
};

struct stream {
    struct journal_reader *reader;
    JournalPos pos;                     /* where the next record is looked for */
    JournalPos kept;                    /* the cursor in the store */
    JournalPos read_until;              /* nothing lies before it but, perhaps, the head of a segment behind pos */
    Millis watermark_ms;                /* newest receivedAt that was read */
    struct parcel_list settling;        /* in order of arrival */
    bool is_active;
    Millis from_ms, to_ms;              /* a replay's */
    JournalPos end;
};

/* A set of 64-bit fingerprints: what is known to be in the store. Forgets all when full. */
struct known {
    uint64_t *slots;
    size_t capacity, count;
};

struct outlet {
    struct deliver *deliver;
    char name[DELIVER_NAME_BYTES];
    struct region region;               /* owns the configuration's texts */
    const struct destination *destination;
    Settings settings;
    Rules rules;
    const Str *sources;
    size_t source_count;
    bool is_enabled, is_started;
    bool is_placed;                     /* its cursor is known */
    bool has_more;                      /* the last step left something that could be done at once */
    bool is_behind;                     /* identity was: what settles waits for it, not for a time */

    struct parcel *parcels;             /* the pool */
    size_t window;
    struct parcel_list free, ready, waiting, lined, under_way;
    struct turn **buckets;
    size_t bucket_count;
    uint64_t order;                     /* the next */
    struct stream streams[STREAMS];
    uint64_t kept_order;                /* in the store */
    Millis kept_ms;                     /* when the cursor was kept last */
    bool has_new_rows;                  /* of parcels, since then */
    uint64_t fingerprint;               /* of its configuration */
    JournalPos begin;                   /* where it starts when it is new */
    struct overtaker {                  /* taken behind the kept cursors; sorted */
        JournalPos pos;
        uint64_t order;
        StreamKind stream;
        bool is_done;
    } *overtakers;
    size_t overtaker_count, overtaker_capacity;

    struct request requests[REQUESTS_AT_ONCE];
    uint32_t under_way_count;
    Millis wait_until_ms;               /* all of it */
    Millis waiting_next_ms;             /* the least next_ms of those that wait; or less */
    uint32_t failures;                  /* requests in a row without an answer that helps */
    uint32_t own_failures;              /* … whose answer may be about their messages alone (500) */
    double tokens;
    Millis tokens_at_ms;
    struct known links, users, asked;   /* told or settled pairs; users heard of; users whose links were listed */
    uint64_t dead_number;               /* the next */
    uint64_t redo_until;                /* dead letters below it are tried again; 0: none */
    Millis rate_from_ms;
    uint64_t rate_count;
    DeliverState state;
};

struct deliver {
    DeliverOptions options;
    struct outlet *outlets[OUTLETS];
    size_t outlet_count;
    struct region region;               /* scratch of a step */
    struct region judge_region;         /* scratch of an answer */
    struct ledger *ledger;
    struct forgetting *forgetting;
    uint32_t asked_count;               /* identity was asked, under the guard that is held */
    bool is_stopping;                   /* nothing new is sent */
    Arena *build_arena;                 /* what is recalled lives here, while a plan is made */
    Millis now_ms, published_ms;
    int64_t seen_ns;                    /* the monotonic clock, when now_ms was read */
    pthread_mutex_t mutex;              /* of what follows */
    pthread_cond_t answered;            /* wishes were */
    DeliverState states[OUTLETS];
    size_t state_count;
    struct outlet *next_outlets[OUTLETS];       /* configured, not yet taken over */
    size_t next_count;
    bool has_next;
    struct wish {
        char name[DELIVER_NAME_BYTES];
        uint64_t ticket;
        bool is_redo, is_granted;       /* granted: in the ledger, answered when that is committed */
        Millis from_ms, to_ms;
        uint64_t number;
    } wishes[16];
    size_t wish_count;
    uint64_t last_ticket;
    struct region config_region;        /* owns configs */
    DestinationConfig *configs;
    size_t config_count;
};

/* ---- deliver_ledger.c: what a step will change in the store ---- */

struct ledger;
struct ledger *ledger_open(const struct deliver_rows *rows);
void ledger_close(struct ledger *ledger);
bool ledger_is_empty(const struct ledger *ledger);
void ledger_put(struct ledger *ledger, Str key, Str value);
void ledger_remove(struct ledger *ledger, Str key);
/* Sees what will be changed. ERR_NOT_FOUND where there is none. */
Status MUST ledger_get(struct ledger *ledger, Str key, Arena *arena, Str *ret, Err *err);
bool ledger_is_full(const struct ledger *ledger);
bool ledger_removes(const struct ledger *ledger, Str key);               /* … which the store still has */
/* On failure the changes stay for the next try. */
Status MUST ledger_commit(struct ledger *ledger, Err *err);

/* ---- deliver_row.c: keys and rows ---- */

enum {
    ROW_PARCEL = 'p', ROW_CURSOR = 'c', ROW_MEMORY = 'm', ROW_DEAD = 'd', ROW_REPLAY = 'r', ROW_LINK = 'l',
    ROW_USER = 'u', ROW_REDO = 'a', ROW_MERGE = 'j',
};
enum { ROW_KEY_BYTES = 500, ROW_REST_BYTES = 300 };
/* The user of a link who is forgotten: the vendor was told of one, so it is told of no other. No id is so. */
#define ROW_NOBODY "\1"
/* name, 0, kind, rest: rest is hashed where the key would grow too long. Writes into bytes. */
Str row_key(const struct outlet *outlet, char kind, Str rest, char bytes[ROW_KEY_BYTES]);
Str row_key_number(const struct outlet *outlet, char kind, uint64_t number, char bytes[ROW_KEY_BYTES]);
void parcel_save(struct outlet *outlet, struct parcel *parcel);
void parcel_forget(struct outlet *outlet, struct parcel *parcel);        /* its row: finished */
void cursor_save(struct outlet *outlet);
Status MUST outlet_count_rows(struct outlet *outlet, size_t *ret, Err *err);      /* parcels that will be loaded */
Status MUST outlet_load(struct outlet *outlet, Err *err);
Status MUST cursor_load(struct outlet *outlet, Err *err);
void replay_save(struct outlet *outlet);
void replay_forget(struct outlet *outlet);                               /* it is over: its row, and what it overtook */
bool replay_is_kept(struct outlet *outlet);         /* all that was read of it is finished, or has a row */
/* The row of a parcel that begins with its call_at; for the dead letters. */
void parcel_encode(struct buf *buf, const struct parcel *parcel, uint32_t first_call, uint32_t call_count);
bool parcel_decode(Str row, struct parcel *parcel);
bool overtakers_have(const struct outlet *outlet, StreamKind stream, JournalPos pos);
void overtakers_add(struct outlet *outlet, const struct parcel *parcel, bool is_done);

/* ---- deliver_order.c: lines and lists ---- */

void list_append(struct parcel_list *list, struct parcel *parcel);
void list_remove(struct parcel_list *list, struct parcel *parcel);
void list_rotate(struct parcel_list *list, size_t count);                /* the first so many go to the end */
struct parcel *parcel_take(struct outlet *outlet);                       /* NULL: the window is full */
void parcel_give_back(struct outlet *outlet, struct parcel *parcel);
void order_line_up(struct outlet *outlet, struct parcel *parcel);        /* behind its keys' newest */
bool order_is_first(const struct parcel *parcel);                        /* in all its lines */
/* … but for parcels that travel in that request */
bool order_follows(const struct parcel *parcel, const struct request *request);
void order_leave(struct outlet *outlet, struct parcel *parcel);          /* who comes next becomes ready */

bool known_has(const struct known *known, uint64_t fingerprint);
void known_add(struct known *known, uint64_t fingerprint);
void known_remove(struct known *known, uint64_t fingerprint);
void known_forget(struct known *known);                 /* all: the store is asked again */

/* ---- deliver_ask.c: identity, under a guard that is left before anything is waited for ---- */

void ask_enter(struct deliver *deliver);
void ask_leave(struct deliver *deliver);
Status MUST ask_person(struct deliver *deliver, const Event *event, Arena *arena, MessagePerson *ret, Err *err);
Status MUST ask_links(struct deliver *deliver, Str user_id, Arena *arena, const PersonLink **ret,
                              size_t *ret_count, Err *err);
bool ask_is_duplicate(struct deliver *deliver, JournalPos pos);

/* ---- deliver_wish.c: what is asked for is on the disk before it is answered ---- */

void wishes_init(struct deliver *deliver);
void wishes_done(struct deliver *deliver);
bool wishes_grant(struct deliver *deliver);         /* before the step's commit; true: not all could be, try again */
void wishes_answer(struct deliver *deliver);                             /* after it */

/* ---- deliver_take.c: from the journal into the line ---- */

Status MUST outlet_take(struct outlet *outlet, Err *err);
uint64_t key_of_id(Str id);         /* the line of a user, anonymous or previous id */
/* deliver_clock.c: sets now_ms; jumps of the wall clock move what waits by it. */
void deliver_look_at_clock(struct deliver *deliver);
void parcel_settle_clock(const struct outlet *outlet, struct parcel *parcel);        /* one that is loaded */

void replay_begin(struct outlet *outlet, Millis from_ms, Millis to_ms);

/* ---- deliver_route.c: is a message for this outlet, and what of it ---- */

bool route_wants(const struct outlet *outlet, const Event *event, const TreeNode *json);

/* ---- deliver_build.c: a parcel becomes frozen calls ---- */

typedef enum Built { BUILT_READY, BUILT_LATER, BUILT_NOTHING } Built;    /* later: the grace time */
Status MUST parcel_build(struct outlet *outlet, struct parcel *parcel, Built *ret, Err *err);
void outlet_note_pair(struct outlet *outlet, const Event *event);
void outlet_remember(struct outlet *outlet, const Remembered *remembered, size_t count);

/* ---- deliver_send.c: parcels become requests, answers become verdicts ---- */

void outlet_prepare(struct outlet *outlet);                              /* builds what is ready, before the commit */
void outlet_take_apart(struct outlet *outlet);                           /* what was prepared and not sent */
void outlet_send(struct outlet *outlet);                                 /* after it */
bool request_is_alone(const struct request *request);                    /* all its calls are one message's */
void parcel_finish(struct outlet *outlet, struct parcel *parcel);

/* ---- deliver_retry.c: when again ---- */

Millis retry_delay(struct dice *dice, uint32_t attempts);
void outlet_fail(struct outlet *outlet, Str reason);                     /* notes the error */
/* A request failed: how long the whole destination waits for it; 0: not at all. */
Millis outlet_note_trouble(struct outlet *outlet, bool is_everybodys, bool is_own, Millis asked_ms);
bool outlet_is_failing(const struct outlet *outlet);                     /* several requests in a row did */
bool outlet_may_send(struct outlet *outlet);                             /* not waiting, and the rate allows one more */
void outlet_spend(struct outlet *outlet);
void outlet_give_back(struct outlet *outlet);                            /* what a request took that is not sent */

/* ---- deliver_dead.c: what could not be delivered ---- */

/* request and answer may be NULL: the message never got so far. */
void dead_put(struct outlet *outlet, const struct parcel *parcel, uint32_t first_call, uint32_t call_count, Str reason,
              const FetchRequest *request, const FetchAnswer *answer);
void dead_report(struct outlet *outlet, const struct parcel *parcel, Str text);
Status MUST dead_redo(struct outlet *outlet, uint64_t number, Err *err);
void dead_redo_all(struct outlet *outlet);                               /* all that there are now, step by step */
Status MUST dead_redo_more(struct outlet *outlet, Err *err);             /* as many as the window has room for */
Status MUST dead_load(struct outlet *outlet, Err *err);
Str dead_json(Str row, Str *ret_calls);     /* of a letter's row; calls: a parcel's row, or empty */

/* ---- deliver_forget.c: who was erased or suppressed ---- */

struct forgetting *forget_open(void);
void forget_close(struct forgetting *forgetting);       /* accepts NULL */
Status MUST forget_step(struct deliver *deliver, Err *err);     /* a bounded piece, between commits */
bool forget_is_at_work(const struct deliver *deliver);  /* there is more to do at once */
bool forget_lets_send(const struct deliver *deliver);   /* false: what is ready may be theirs */
void forget_begin_again(struct deliver *deliver);       /* rows have become parcels */

/* ---- deliver_outlet.c ---- */

Status MUST outlet_open(struct deliver *deliver, const DestinationConfig *config, struct outlet **ret, Err *err);
void outlet_close(struct outlet *outlet);
Status MUST outlet_start(struct outlet *outlet, Err *err);               /* reads its rows */
/* A deep copy. */
void config_copy(Arena *arena, const DestinationConfig *config, DestinationConfig *ret);
void outlet_publish(struct outlet *outlet);

#endif
