/* deliver_runner: a destination runner, which is one destination at work; the files of this folder share it.
 *
 * A message on its way is a delivery. The runner takes it from the journal in order of arrival. It settles for a
 * moment, so that what happened earlier can go earlier. It lines up after the other deliveries of its person. When its
 * turn has come, the runner builds it, freezes it, sends it in a request together with others, and finishes it.
 *
 *   journal -> settling (by event time) -> line (by person) -> ready -> frozen -> under way -> finished
 *                                                                ^________ retry ___|
 */
#ifndef ONYM_DELIVER_DELIVER_RUNNER_H
#define ONYM_DELIVER_DELIVER_RUNNER_H

#include <pthread.h>

#include "deliver.h"
#include "destination/destination.h"
#include "plan/plan.h"

enum {
    DELIVERY_KEYS = 4,                  /* user id, anonymous id, previous id, person */
    RUNNERS = 64,
    STREAMS = 2,
    AGAIN_MAX = 64,                     /* if one call is sent again more often, the answers lead in a circle */
};

typedef enum StreamKind { STREAM_LIVE, STREAM_REPLAY } StreamKind;

typedef enum DeliveryStage {
    DELIVERY_FREE, DELIVERY_SETTLING,
    DELIVERY_LINED,                     /* after others of its person */
    DELIVERY_READY,                     /* its turn; built or not */
    DELIVERY_WAITING,                   /* its turn, but not before next_ms */
    DELIVERY_UNDER_WAY,
} DeliveryStage;

struct delivery;

/* A delivery's place in the line of one key. */
struct turn {
    uint64_t key;
    struct delivery *owner;
    struct turn *older, *newer;         /* the same key */
    struct turn *next, *previous;       /* the same bucket */
    bool is_in_line;
};

struct delivery {
    struct delivery *next, *previous;   /* in the list of its stage */
    DeliveryStage stage;
    StreamKind stream;
    JournalPos pos;
    uint64_t order;                     /* in which deliveries lined up */
    Millis event_ms, received_ms, first_tried_ms, next_ms;
    uint32_t attempts, again, together_max;
    uint32_t tries;                     /* how often its present call was sent, halved requests included: for people */
    struct turn turns[DELIVERY_KEYS];
    uint32_t turn_count;
    struct request *request;            /* the one that carries it, from when it is put together */

    bool is_all_added;                  /* request has all calls that are left, and the last one is no link */
    bool is_frozen;                     /* built */
    bool has_row;                       /* the store has it, or will at the end of the step */
    bool is_redo;                       /* a dead letter that is tried again */
    bool is_once_sent;                  /* its next call must not be repeated, and is being sent */
    bool is_lost;                       /* at least one of its calls is a dead letter */
    bool is_forgotten;                  /* under way, its person was forgotten: any answer finishes it */
    bool is_in_doubt;                   /* it was being sent when the process died: nobody knows whether it came */
    uint32_t call_at, call_count;
    Call *calls;                        /* in frozen's bytes */
    char facts[DESTINATION_FACT_BYTES];
    struct buf record;                  /* the journal record, until it is built */
    struct buf frozen;                  /* calls and their bodies */
};

struct delivery_list {
    struct delivery *first, *last;
    size_t count;
};

struct request_slot {
    struct delivery *delivery;
    uint32_t call;
};

typedef enum RequestState { REQUEST_FREE, REQUEST_PREPARED, REQUEST_SENT } RequestState;

/* One request: calls of one lane, in the order in which they are sent. */
struct request {
    struct fetch fetch;                 /* first */
    struct runner *runner;
    RequestState state;
    uint8_t lane;
    uint32_t together_max;
    struct request_slot *slots;
    size_t slot_count, slot_capacity;
    uint64_t bytes;
    bool has_forgotten;                 /* one of its messages was forgotten after it was sent */
    FetchRequest sent;                  /* borrows from region; for the dead letters */
    struct region region;
};

struct stream {
    struct journal_reader *reader;
    JournalPos pos;                     /* where it looks for the next record */
    JournalPos kept;                    /* the cursor in the store */
    JournalPos read_until;              /* no record is between pos and it, at most the head of a segment */
    Millis watermark_ms;                /* newest receivedAt that was read */
    struct delivery_list settling;      /* in order of arrival */
    bool is_active;
    bool is_release;                    /* a replay of what the tracking plan held, and of nothing else */
    Millis from_ms, to_ms;              /* a replay's */
    JournalPos end;
};

/* A set of 64-bit fingerprints of what is known to be in the store. When it is full, it forgets all of them. */
struct known {
    uint64_t *slots;
    size_t capacity, count;
};

struct runner {
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
    bool has_more;                      /* the last step left work that can be done at once */
    bool settles_by_time;               /* settling deliveries wait only for time to pass: not for identity, nor for
                                           room in the window or among the ready */

    struct delivery *deliveries;        /* the pool */
    size_t window;
    struct delivery_list free, ready, waiting, lined, under_way;
    struct turn **buckets;
    size_t bucket_count;
    uint64_t order;                     /* of the next delivery that lines up */
    struct stream streams[STREAMS];
    uint64_t kept_order;                /* in the store */
    Millis kept_ms;                     /* when the cursor was kept last */
    bool has_new_rows;                  /* a delivery got a row since then */
    uint64_t fingerprint;               /* of its configuration */
    JournalPos begin;                   /* where it starts when it is new */
    struct overtaker {                  /* taken after the kept cursors; sorted */
        JournalPos pos;
        uint64_t order;
        StreamKind stream;
        bool is_done;
    } *overtakers;
    size_t overtaker_count, overtaker_capacity;

    struct request requests[REQUESTS_AT_ONCE];
    uint32_t under_way_count;
    Millis wait_until_ms;               /* the whole destination waits until then */
    Millis waiting_next_ms;             /* the earliest next_ms of waiting deliveries, or earlier */
    uint32_t failures;                  /* requests in a row without an answer that helps */
    uint32_t own_failures;              /* the same, where the message alone may be the reason (500) */
    double tokens;
    Millis tokens_at_ms;
    struct known links, users, asked;   /* pairs linked at the vendor; users seen; users whose links were listed */
    uint64_t dead_number;               /* the next */
    uint64_t redo_until;                /* dead letters below it are tried again; 0: none */
    Millis rate_from_ms;
    uint64_t rate_count;
    DeliverState state;
};

struct deliver {
    DeliverOptions options;
    struct runner *runners[RUNNERS];
    size_t runner_count;
    struct region region;               /* scratch of a step */
    struct region judge_region;         /* scratch of an answer */
    struct region lookup_region;        /* scratch of one look-up of external ids */
    struct event_parser *parser;        /* of the same */
    struct pending *pending;
    struct forgetting *forgetting;
    uint32_t asked_count;               /* questions to identity under the guard that is held; 0: none is */
    bool is_stopping;                   /* nothing new is sent */
    Arena *build_arena;                 /* state that a plan reads lives here while the plan is made */
    Millis now_ms, published_ms;
    int64_t seen_ns;                    /* the monotonic clock, when now_ms was read */
    pthread_mutex_t mutex;              /* of what follows */
    pthread_cond_t answered;            /* operators' requests were answered */
    DeliverState states[RUNNERS];
    size_t state_count;
    struct series *series[RUNNERS];     /* deliver_series.c */
    size_t series_count;
    struct runner *next_runners[RUNNERS];       /* configured, not yet taken over */
    size_t next_count;
    bool has_next;
    struct operator_request {
        char name[DELIVER_NAME_BYTES];
        uint64_t ticket;
        /* accepted: in the pending changes, answered once they are committed */
        bool is_redo, is_release, is_accepted;
        Millis from_ms, to_ms;
        uint64_t number;
    } operator_requests[16];
    size_t operator_request_count;
    uint64_t last_ticket;
    struct region config_region;        /* owns configs */
    DestinationConfig *configs;
    size_t config_count;
};

/* ---- deliver_row.c: keys and rows ---- */

enum {
    ROW_DELIVERY = 'p', ROW_CURSOR = 'c', ROW_STATE = 'm', ROW_DEAD = 'd', ROW_REPLAY = 'r', ROW_LINK = 'l',
    ROW_USER = 'u', ROW_REDO = 'a', ROW_MERGE = 'j',
};
enum { ROW_KEY_BYTES = 500, ROW_REST_BYTES = 300 };
/* Replaces a link's user who is forgotten: the vendor was told of one user for this anonymous id, so it is told of no
 * other. No id has this value. */
#define ROW_NOBODY "\1"
/* name, 0, kind, rest; the end of a rest that is too long is replaced by a hash. Writes into bytes. */
Str row_key(const struct runner *runner, char kind, Str rest, char bytes[ROW_KEY_BYTES]);
Str row_key_number(const struct runner *runner, char kind, uint64_t number, char bytes[ROW_KEY_BYTES]);
void delivery_save(struct runner *runner, struct delivery *delivery);
void delivery_forget(struct runner *runner, struct delivery *delivery);  /* its row: finished */
void cursor_save(struct runner *runner);
Status MUST runner_count_rows(struct runner *runner, size_t *ret, Err *err);      /* deliveries that will be loaded */
Status MUST runner_load(struct runner *runner, Err *err);
Status MUST cursor_load(struct runner *runner, Err *err);
void replay_save(struct runner *runner);
void replay_forget(struct runner *runner);                               /* it is over: drops row and overtakers */
bool replay_is_kept(struct runner *runner);         /* everything that it has read is finished, or has a row */
/* The row of a delivery with these calls only; dead letters hold such a row, too. */
void delivery_encode(struct buf *buf, const struct delivery *delivery, uint32_t first_call, uint32_t call_count);
bool delivery_decode(Str row, struct delivery *delivery);
/* Reads the beginning of a row, for code that only looks. False: the row is not valid. */
typedef struct DeliveryGlimpse {
    JournalPos pos;
    bool is_done;
} DeliveryGlimpse;
bool delivery_glimpse(Str row, DeliveryGlimpse *ret);
bool overtakers_have(const struct runner *runner, StreamKind stream, JournalPos pos);
void overtakers_add(struct runner *runner, const struct delivery *delivery, bool is_done);

/* ---- deliver_order.c: lines and lists ---- */

void list_append(struct delivery_list *list, struct delivery *delivery);
void list_remove(struct delivery_list *list, struct delivery *delivery);
void list_rotate(struct delivery_list *list, size_t count);              /* moves the first `count` to the end */
struct delivery *delivery_take(struct runner *runner);                   /* NULL: the window is full */
void delivery_give_back(struct runner *runner, struct delivery *delivery);
void order_line_up(struct runner *runner, struct delivery *delivery);    /* after the newest of each key */
bool order_is_first(const struct delivery *delivery);                    /* in all its lines */
/* The same, not counting deliveries that are in that request. */
bool order_follows(const struct delivery *delivery, const struct request *request);
void order_leave(struct runner *runner, struct delivery *delivery);      /* those that are first now get ready */

bool known_has(const struct known *known, uint64_t fingerprint);
void known_add(struct known *known, uint64_t fingerprint);
void known_remove(struct known *known, uint64_t fingerprint);
void known_forget(struct known *known);                 /* forgets all: the store is asked again */

/* ---- deliver_lookup.c: identity, under a guard that is given back before the deliverer waits for anything ---- */

void lookup_enter(struct deliver *deliver);
void lookup_leave(struct deliver *deliver);
Status MUST lookup_person(struct deliver *deliver, const Event *event, Arena *arena, MessagePerson *ret, Err *err);
Status MUST lookup_links(struct deliver *deliver, Str user_id, Arena *arena, const PersonLink **ret,
                              size_t *ret_count, Err *err);
bool lookup_is_duplicate(struct deliver *deliver, JournalPos pos);
bool lookup_is_suppressed(struct deliver *deliver, const Event *event);
void series_note(struct deliver *deliver);  /* deliver_series.c: takes note of the published states; under the mutex */

/* ---- deliver_operator.c: an operator's request is on the disk before the operator is answered ---- */

void operator_init(struct deliver *deliver);
void operator_done(struct deliver *deliver);
bool operator_accept(struct deliver *deliver);      /* before the commit; true: some must be tried again */
void operator_answer(struct deliver *deliver);                           /* after it */

/* ---- deliver_take.c: from the journal into the line ---- */

Status MUST runner_take(struct runner *runner, Err *err);
uint64_t key_of_id(Str id);         /* the line of a user, anonymous or previous id */
/* deliver_clock.c: sets now_ms; if the wall clock jumps, the times of what waits move with it. */
void deliver_look_at_clock(struct deliver *deliver);
void delivery_settle_clock(const struct runner *runner, struct delivery *delivery);  /* for one that is loaded */

void replay_begin(struct runner *runner, Millis from_ms, Millis to_ms, bool is_release);

/* ---- deliver_route.c: is a message for this runner, and what of it ---- */

bool route_wants(const struct runner *runner, const Event *event, const TreeNode *json);

/* ---- deliver_build.c: a delivery becomes frozen calls ---- */

typedef enum Built { BUILT_READY, BUILT_LATER, BUILT_NOTHING } Built;    /* later: the grace time */
Status MUST delivery_build(struct runner *runner, struct delivery *delivery, Built *ret, Err *err);
void runner_note_pair(struct runner *runner, const Event *event);
void runner_store_states(struct runner *runner, const StoredState *stored, size_t count);

/* ---- deliver_send.c: deliveries become requests, answers become verdicts ---- */

void runner_prepare(struct runner *runner);                              /* builds what is ready, before the commit */
void runner_take_apart(struct runner *runner);                           /* undoes requests that were not sent */
void runner_send(struct runner *runner);                                 /* after the commit */
bool request_is_alone(const struct request *request);                    /* all its calls are one message's */
void delivery_finish(struct runner *runner, struct delivery *delivery);

/* ---- deliver_retry.c: when to try again ---- */

Millis retry_delay(struct dice *dice, uint32_t attempts);
void runner_fail(struct runner *runner, Str reason);                     /* notes the error */
/* A request failed. Returns how long the whole destination waits; 0: not at all. */
Millis runner_note_trouble(struct runner *runner, bool is_everybodys, bool is_own, Millis asked_ms);
bool runner_is_failing(const struct runner *runner);                     /* several requests in a row failed */
bool runner_may_send(struct runner *runner);                             /* not waiting, and the rate allows one more */
void runner_spend(struct runner *runner);
void runner_give_back(struct runner *runner);                            /* undoes runner_spend: it is not sent */

/* ---- deliver_dead.c: what could not be delivered ---- */

/* Why calls of a delivery could not be delivered. */
struct death {
    uint32_t first_call, call_count;
    Str reason;
    const FetchRequest *request;            /* NULL, and no answer: the message never got so far */
    const FetchAnswer *answer;
};
void dead_put(struct runner *runner, const struct delivery *delivery, const struct death *death);
void dead_report(struct runner *runner, const struct delivery *delivery, Str text);
Status MUST dead_redo(struct runner *runner, uint64_t number, Err *err);
void dead_redo_all(struct runner *runner);                               /* all present ones, step by step */
Status MUST dead_redo_more(struct runner *runner, Err *err);             /* as many as the window has room for */
Status MUST dead_load(struct runner *runner, Err *err);
Str dead_json(Str row, Str *ret_calls);     /* of a letter's row; calls: a delivery's row, or empty */

/* ---- deliver_forget.c: removes people who were erased or suppressed ---- */

struct forgetting *forget_open(void);
void forget_close(struct forgetting *forgetting);       /* accepts NULL */
Status MUST forget_step(struct deliver *deliver, Err *err);     /* a bounded piece, between commits */
bool forget_is_at_work(const struct deliver *deliver);  /* there is more to do at once */
bool forget_lets_send(const struct deliver *deliver);   /* false: ready deliveries may be about such people */
void forget_begin_again(struct deliver *deliver);       /* rows have become deliveries */

/* ---- deliver_runner.c ---- */

Status MUST runner_open(struct deliver *deliver, const DestinationConfig *config, struct runner **ret, Err *err);
void runner_close(struct runner *runner);
Status MUST runner_start(struct runner *runner, Err *err);               /* reads its rows */
/* A deep copy. */
void config_copy(Arena *arena, const DestinationConfig *config, DestinationConfig *ret);
void runner_publish(struct runner *runner);

#endif
