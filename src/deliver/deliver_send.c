/* deliver_send: parcels become requests, answers become verdicts.
 *
 * Before the step's commit, outlet_prepare builds what is ready and puts it together into requests; after it,
 * outlet_send hands them to the fetcher. A request takes the calls of one lane: several of one parcel in a
 * row (up to a link, behind which nothing of that person travels), and of the parcels behind it in its lines
 * when all of its own calls are aboard, so that a busy person does not take a round trip an event.
 *
 * While a request of a lane is under way, the next one waits until it would be full: a busy destination gets
 * large requests, an idle one gets its event at once.
 */
#include "deliver_outlet.h"

#include <stdlib.h>

#define IN_DOUBT "in doubt: the answer was lost, and sending it again could count it twice"
enum { PACK_BYTES = 64 * 1024 * 1024, PACK_KEPT_BYTES = 1024 * 1024 };

static void on_answer(struct fetch *fetch, const FetchAnswer *answer);
static void settle_request(struct outlet *outlet, struct request *request, const Ruling *ruling,
                           const FetchAnswer *answer);

/* ---- Parcels ---- */

static struct parcel_list *list_of(struct outlet *outlet, ParcelState state)
{
    switch (state) {
    case PARCEL_LINED: return &outlet->lined;
    case PARCEL_READY: return &outlet->ready;
    case PARCEL_WAITING: return &outlet->waiting;
    case PARCEL_UNDER_WAY: return &outlet->under_way;
    case PARCEL_FREE:
    case PARCEL_SETTLING: break;
    }
    check(!"a parcel in no list");
    return NULL;
}

static void move(struct outlet *outlet, struct parcel *parcel, ParcelState state)
{
    list_remove(list_of(outlet, parcel->state), parcel);
    parcel->state = state;
    list_append(list_of(outlet, state), parcel);
    if (state == PARCEL_WAITING && parcel->next_ms < outlet->waiting_next_ms) outlet->waiting_next_ms = parcel->next_ms;
}

void parcel_finish(struct outlet *outlet, struct parcel *parcel)
{
    if (parcel->has_row) parcel_forget(outlet, parcel);
    list_remove(list_of(outlet, parcel->state), parcel);
    order_leave(outlet, parcel);
    parcel_give_back(outlet, parcel);
}

/* Where it belongs when it is neither finished nor under way. */
static void settle_back(struct outlet *outlet, struct parcel *parcel)
{
    parcel->request = NULL;
    if (!order_is_first(parcel)) move(outlet, parcel, PARCEL_LINED);
    else move(outlet, parcel, parcel->next_ms > outlet->deliver->now_ms ? PARCEL_WAITING : PARCEL_READY);
}

/* Not now: first in line it waits for its time, else for its turn. */
static void put_off(struct outlet *outlet, struct parcel *parcel)
{
    if (order_is_first(parcel)) move(outlet, parcel, PARCEL_WAITING);
    else if (parcel->state != PARCEL_LINED) move(outlet, parcel, PARCEL_LINED);
}

static void wake_waiting(struct outlet *outlet)
{
    Millis now_ms = outlet->deliver->now_ms;
    if (now_ms < outlet->waiting_next_ms) return;
    outlet->waiting_next_ms = INT64_MAX;
    for (struct parcel *parcel = outlet->waiting.first, *next; parcel; parcel = next) {
        next = parcel->next;
        if (parcel->next_ms <= now_ms) move(outlet, parcel, PARCEL_READY);
        else if (parcel->next_ms < outlet->waiting_next_ms) outlet->waiting_next_ms = parcel->next_ms;
    }
}

/* The process died while this was under way: it may have come, and must not come twice. */
static void bury_in_doubt(struct outlet *outlet, struct parcel *parcel)
{
    dead_put(outlet, parcel, parcel->call_at, 1, STR(IN_DOUBT), NULL, NULL);
    outlet->state.refused++;
    parcel->is_lost = true;
    parcel->is_in_doubt = false;
    parcel->call_at++;
    if (parcel->call_at < parcel->call_count) parcel_save(outlet, parcel);
}

/* Builds it if it is not; true where it has calls to send now. What was refused, or is nothing, is finished. */
static bool make_ready(struct outlet *outlet, struct parcel *parcel)
{
    Built built = BUILT_READY;
    Err err = { 0 };
    Status s;
    if (parcel->is_in_doubt) bury_in_doubt(outlet, parcel);
    if (parcel->is_frozen) {
        if (parcel->call_at < parcel->call_count) return true;
        parcel_finish(outlet, parcel);          /* it only rested */
        return false;
    }
    s = parcel_build(outlet, parcel, &built, &err);
    if (s == ERR_INPUT || s == ERR_TOO_LARGE || s == ERR_NOT_FOUND || s == ERR_UNSUPPORTED) {
        dead_put(outlet, parcel, 0, 0, str_from(err.text), NULL, NULL);
        outlet->state.refused++;
        parcel->has_row = true;                 /* one dead letter is enough, whatever happens now */
        parcel_finish(outlet, parcel);
        return false;
    }
    if (s) {                                    /* the journal's or the store's trouble: later */
        outlet_fail(outlet, str_from(err.text));
        parcel->next_ms = outlet->deliver->now_ms + 1000;
        put_off(outlet, parcel);
        return false;
    }
    if (built == BUILT_NOTHING) {
        outlet->state.skipped++;
        parcel_finish(outlet, parcel);
    } else if (built == BUILT_LATER) {
        put_off(outlet, parcel);
    }
    return built == BUILT_READY;
}

/* ---- Putting together ---- */

static struct request *request_take(struct outlet *outlet)
{
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++) {
        struct request *request = &outlet->requests[at];
        if (request->state != REQUEST_FREE) continue;
        request->state = REQUEST_PREPARED;
        request->outlet = outlet;
        request->ride_count = 0;
        request->bytes = 0;
        request->has_forgotten = false;
        if (!request->region.start) region_open(&request->region, PACK_BYTES);
        return request;
    }
    check(!"more requests than there may be");
    return NULL;
}

static void request_add(struct request *request, struct parcel *parcel, uint32_t call)
{
    check(vector_reserve(request->rides, request->ride_capacity, request->ride_count + 1, UINT32_MAX));
    request->rides[request->ride_count++] = (struct ride){ parcel, call };
    request->bytes += parcel->calls[call].body.len + 64;
}

static bool fits(const struct request *request, const LaneLimits *limits, const struct parcel *parcel)
{
    uint32_t most = limits->calls_max;
    if (parcel->together_max && parcel->together_max < most) most = parcel->together_max;
    if (request->together_max < most) most = request->together_max;
    return request->ride_count == 0 || (request->ride_count < most && request->bytes < limits->bytes_max);
}

/* Takes the parcel's next calls of this lane aboard. True where all that it still has are aboard, so that the
 * ones behind it may follow. */
static bool board(struct outlet *outlet, struct request *request, const LaneLimits *limits, struct parcel *parcel)
{
    uint32_t at = parcel->call_at;
    bool was_link = false;
    for (; at < parcel->call_count && !was_link; at++) {
        const Call *call = &parcel->calls[at];
        if (call->lane != request->lane || !fits(request, limits, parcel)) break;
        if (at > parcel->call_at && (call->flags & CALL_ONCE)) break;     /* its mark is its parcel's first call's */
        request_add(request, parcel, at);
        was_link = (call->flags & CALL_LINK) || call->rest_ms > 0;
    }
    if (at == parcel->call_at) return false;
    if (parcel->together_max && parcel->together_max < request->together_max)
        request->together_max = parcel->together_max;
    if (parcel->calls[parcel->call_at].flags & CALL_ONCE) {
        parcel->is_once_sent = true;
        parcel_save(outlet, parcel);
    }
    parcel->request = request;
    move(outlet, parcel, PARCEL_UNDER_WAY);
    parcel->is_all_aboard = at == parcel->call_count && !was_link;
    return parcel->is_all_aboard;
}

static bool goes_with(struct outlet *outlet, struct request *request, const LaneLimits *limits, struct parcel *parcel)
{
    if (!make_ready(outlet, parcel)) return false;
    return parcel->calls[parcel->call_at].lane == request->lane && fits(request, limits, parcel);
}

/* The parcel, and whoever stands behind it in its lines and may travel in the same request. */
static void board_with_followers(struct outlet *outlet, struct request *request, const LaneLimits *limits,
                                 struct parcel *parcel)
{
    size_t from = request->ride_count;
    struct parcel *last = NULL;
    if (!board(outlet, request, limits, parcel)) return;
    if (limits->calls_max == 1) return;
    for (size_t at = from; at < request->ride_count && fits(request, limits, parcel); at++) {
        struct parcel *aboard = request->rides[at].parcel;
        if (aboard == last || aboard->call_count != request->rides[at].call + 1) continue;
        last = aboard;
        for (uint32_t turn = 0; turn < aboard->turn_count; turn++) {
            struct turn *newer = aboard->turns[turn].newer;
            struct parcel *behind = newer ? newer->owner : NULL;
            if (!behind || behind->state != PARCEL_LINED || behind->next_ms > outlet->deliver->now_ms) continue;
            if (!order_follows(behind, request) || !goes_with(outlet, request, limits, behind)) continue;
            (void)board(outlet, request, limits, behind);
        }
    }
}

static bool lane_is_busy(const struct outlet *outlet, uint8_t lane)
{
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++)
        if (outlet->requests[at].state == REQUEST_SENT && outlet->requests[at].lane == lane) return true;
    return false;
}

/* Who goes ahead is drawn by chance, of those who were not tried yet where there are any: who came first may be why all
 * wait. */
static void draw_first(struct outlet *outlet)
{
    size_t drawn = dice_u64(outlet->deliver->options.dice) % outlet->ready.count, at = 0;
    list_rotate(&outlet->ready, drawn);
    for (const struct parcel *parcel = outlet->ready.first; parcel; parcel = parcel->next, at++) {
        if (parcel->attempts > 0) continue;
        list_rotate(&outlet->ready, at);
        return;
    }
}

/* One request of the first ready parcel's lane. False where nothing was put together. */
static bool prepare_one(struct outlet *outlet)
{
    struct request *request = NULL;
    LaneLimits limits = { 1, 0 };
    if (outlet_is_failing(outlet)) draw_first(outlet);
    for (struct parcel *parcel = outlet->ready.first, *next; parcel; parcel = next) {
        next = parcel->next;
        if (ledger_is_full(outlet->deliver->ledger)) break;
        if (!make_ready(outlet, parcel)) continue;
        next = parcel->next;                                        /* building may have made others ready */
        if (!request) {
            uint8_t lane = parcel->calls[parcel->call_at].lane;
            limits = outlet->destination->limits(&outlet->settings, lane);
            if (lane_is_busy(outlet, lane) && outlet->ready.count + outlet->lined.count < limits.calls_max) continue;
            request = request_take(outlet);
            request->lane = lane;
            request->together_max = UINT32_MAX;
        }
        if (parcel->calls[parcel->call_at].lane != request->lane) continue;
        if (!fits(request, &limits, parcel)) break;
        board_with_followers(outlet, request, &limits, parcel);
    }
    if (request) outlet_spend(outlet);
    return request != NULL;
}

void outlet_prepare(struct outlet *outlet)
{
    wake_waiting(outlet);
    while (outlet->ready.first && outlet_may_send(outlet))
        if (!prepare_one(outlet)) break;
    ask_leave(outlet->deliver);
}

void outlet_take_apart(struct outlet *outlet)
{
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++) {
        struct request *request = &outlet->requests[at];
        if (request->state != REQUEST_PREPARED) continue;
        for (size_t ride = 0; ride < request->ride_count; ride++) {
            struct parcel *parcel = request->rides[ride].parcel;
            if (parcel->request != request) continue;           /* its first call settled it */
            if (parcel->is_once_sent) {
                parcel->is_once_sent = false;                   /* it was only about to be sent */
                parcel_save(outlet, parcel);
            }
            settle_back(outlet, parcel);
        }
        request->ride_count = 0;
        request->state = REQUEST_FREE;
        outlet_give_back(outlet);
    }
}

/* ---- Sending ---- */

static const Call **calls_of(const struct request *request, Arena *arena)
{
    const Call **calls = arena_new(arena, const Call *, request->ride_count + 1);
    for (size_t at = 0; at < request->ride_count; at++) {
        struct ride *ride = &request->rides[at];
        calls[at] = &ride->parcel->calls[ride->call];
    }
    return calls;
}

bool request_is_alone(const struct request *request)
{
    for (size_t at = 1; at < request->ride_count; at++)
        if (request->rides[at].parcel != request->rides[0].parcel) return false;
    return true;
}

/* A request that can never be made, by what is in its calls: settings were judged when they were read. Together with
 * others it is halved, to find the one; alone it is a dead letter at once. The destination has no part in it. */
static void refuse_request(struct outlet *outlet, struct request *request, const Err *why)
{
    FetchAnswer answer = { .outcome = FETCH_NOT_SENT };
    Arena arena = region_arena(&outlet->deliver->judge_region);
    Ruling ruling = { .calls = arena_new(&arena, CallVerdict, request->ride_count), .call_count = request->ride_count,
                      .halve = request->ride_count > 1 };
    memcpy(answer.error, why->text, strnlen(why->text, sizeof answer.error - 1));
    judge_all(&ruling, ruling.halve ? VERDICT_RETRY : VERDICT_REFUSED, str_from(answer.error));
    settle_request(outlet, request, &ruling, &answer);
}

static void answer_without_sending(struct request *request, FetchOutcome outcome, int status, const char *error)
{
    FetchAnswer answer = { .outcome = outcome, .status = status };
    memcpy(answer.error, error, strnlen(error, sizeof answer.error - 1));
    on_answer(&request->fetch, &answer);
}

static void send(struct outlet *outlet, struct request *request)
{
    struct fetcher *fetcher = outlet->deliver->options.fetcher;
    Arena arena = region_arena(&request->region);
    PackInput input = {
        &outlet->settings, calls_of(request, &arena), request->ride_count,
        request_is_alone(request) ? request->rides[0].parcel->facts : "", outlet->deliver->now_ms,
    };
    Err err = { 0 };
    Status s;
    request->sent = (FetchRequest){ 0 };
    s = outlet->destination->pack(&input, &arena, &request->sent, &err);
    request->state = REQUEST_SENT;
    request->fetch = (struct fetch){ .on_done = on_answer, .owner = request };
    for (size_t at = 0; at < request->ride_count; at++)
        request->sent.is_once |= (input.calls[at]->flags & CALL_ONCE) != 0;
    if (!s && request->sent.method.len == 0) {
        answer_without_sending(request, FETCH_ANSWERED, 0, "");
        return;
    }
    if (!s) s = fetcher->submit(fetcher, &request->sent, &request->fetch, &err);
    if (s == ERR_INPUT) refuse_request(outlet, request, &err);
    else if (s) answer_without_sending(request, FETCH_NOT_SENT, 0, err.text);
    else outlet->state.requests++;
}

void outlet_send(struct outlet *outlet)
{
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++) {
        struct request *request = &outlet->requests[at];
        if (request->state != REQUEST_PREPARED) continue;
        send(outlet, request);
    }
}

/* ---- Answers ---- */

static void judge(struct request *request, const Call *const *calls, const FetchAnswer *answer, Arena *arena,
                  Ruling *ruling)
{
    struct outlet *outlet = request->outlet;
    JudgeInput input = { &outlet->settings, calls, request->ride_count, answer, outlet->deliver->now_ms, arena };
    bool is_alone = request_is_alone(request);
    *ruling = (Ruling){
        .calls = arena_new(arena, CallVerdict, request->ride_count + 1), .call_count = request->ride_count,
        .facts = is_alone ? request->rides[0].parcel->facts : arena_new(arena, char, DESTINATION_FACT_BYTES),
    };
    if (request->sent.method.len == 0 && answer->outcome == FETCH_ANSWERED) judge_all(ruling, VERDICT_DONE, (Str){ 0 });
    else if (outlet->destination->judge) outlet->destination->judge(&input, ruling);
    else judge_by_status(&input, ruling);
    if (request->has_forgotten) return;                      /* nobody knows about whom it is */
    outlet_remember(outlet, ruling->remembered, ruling->remembered_count);
    if (ruling->report.len) dead_report(outlet, request->rides[0].parcel, ruling->report);
}

/* An error of the receiver's own program: it may be about the message. What stands before it (502, 503, 504) says that
 * it is down. */
static bool may_be_own(const FetchAnswer *answer)
{
    return answer->outcome == FETCH_ANSWERED && answer->status != 502 && answer->status != 503 && answer->status != 504;
}

/* What the answer means for the destination as a whole. */
static void note_answer(struct outlet *outlet, const Ruling *ruling, const FetchAnswer *answer)
{
    Millis now_ms = outlet->deliver->now_ms, wait_ms = ruling->retry_after_ms;
    bool is_trouble = ruling->calls[0].verdict == VERDICT_RETRY;
    if (ruling->halve || !is_trouble) {
        outlet->failures = outlet->own_failures = 0;
        if (!is_trouble && answer->status) outlet->state.last_success_ms = now_ms;
    }
    if (is_trouble) {
        outlet->state.retried++;
        outlet_fail(outlet, ruling->calls[0].reason);
    }
    if (ruling->halve) return;
    if (is_trouble) wait_ms = outlet_note_trouble(outlet, ruling->is_everybodys, may_be_own(answer), wait_ms);
    else if (!ruling->is_everybodys) return;
    if (wait_ms && now_ms + wait_ms > outlet->wait_until_ms) outlet->wait_until_ms = now_ms + wait_ms;
}

static bool is_given_up(const struct outlet *outlet, const struct parcel *parcel, const Ruling *ruling)
{
    if (ruling->is_everybodys) return false;            /* not the message's fault: it waits as long as it takes */
    return outlet->deliver->now_ms - parcel->first_tried_ms >= outlet->rules.retry_ms;
}

/* The call is over without success: a dead letter of it alone, and on with the message's next. */
static void bury_call(struct outlet *outlet, struct parcel *parcel, Str reason, const struct request *request,
                      const FetchAnswer *answer)
{
    dead_put(outlet, parcel, parcel->call_at, 1, reason, &request->sent, answer);
    outlet->state.refused++;
    parcel->is_lost = true;
    parcel->call_at++;
    parcel->again = 0;
}

static void retry_later(struct outlet *outlet, struct parcel *parcel, const struct request *request,
                        const Ruling *ruling, const FetchAnswer *answer, Str reason)
{
    Millis now_ms = outlet->deliver->now_ms, delay_ms = ruling->retry_after_ms;
    size_t aboard = request->ride_count;
    if (ruling->halve) {
        parcel->together_max = aboard > 1 ? (uint32_t)(aboard + 1) / 2 : 1;
        return;
    }
    parcel->attempts++;
    if (is_given_up(outlet, parcel, ruling)) {
        dead_put(outlet, parcel, parcel->call_at, parcel->call_count - parcel->call_at, reason, &request->sent, answer);
        outlet->state.refused++;
        parcel->is_lost = true;
        parcel->call_at = parcel->call_count;
        return;
    }
    /* One call that the vendor chokes on must not keep the others of its request for ever. */
    if (parcel->attempts >= 2 && aboard > 1) parcel->together_max = (uint32_t)(aboard + 1) / 2;
    if (!delay_ms) delay_ms = retry_delay(outlet->deliver->options.dice, parcel->attempts);
    parcel->next_ms = now_ms + delay_ms;
}

/* A 5xx may be said after the work was done; 503 is said instead of it. */
static bool may_have_come(const FetchAnswer *answer)
{
    return answer->outcome == FETCH_IN_DOUBT
        || (answer->outcome == FETCH_ANSWERED && answer->status >= 500 && answer->status != 503);
}

/* One call's verdict. True where the parcel's next call of the same request may be looked at. */
static bool apply(struct outlet *outlet, struct parcel *parcel, const struct request *request, const Ruling *ruling,
                  const CallVerdict *verdict, const FetchAnswer *answer)
{
    const Call *call = &parcel->calls[parcel->call_at];
    bool is_in_doubt = (call->flags & CALL_ONCE) && may_have_come(answer);
    switch (verdict->verdict) {
    case VERDICT_DONE:
        parcel->call_at++;
        parcel->again = 0;
        if (call->rest_ms) parcel->next_ms = outlet->deliver->now_ms + call->rest_ms;
        return true;
    case VERDICT_END: parcel->call_at = parcel->call_count; return false;
    case VERDICT_REFUSED: bury_call(outlet, parcel, verdict->reason, request, answer); return true;
    case VERDICT_AGAIN:
        if (++parcel->again <= AGAIN_MAX) return false;
        bury_call(outlet, parcel, STR("the vendor's answers lead in a circle"), request, answer);
        return true;
    case VERDICT_RETRY: break;
    }
    if (is_in_doubt) {
        bury_call(outlet, parcel, STR(IN_DOUBT), request, answer);
        return true;
    }
    retry_later(outlet, parcel, request, ruling, answer, verdict->reason);
    return false;
}

static void count_delivered(struct outlet *outlet, const struct parcel *parcel)
{
    if (parcel->is_lost) return;
    outlet->state.delivered++;
    if (parcel->stream == STREAM_REPLAY) outlet->state.replay_delivered++;
    outlet->rate_count++;
}

/* The parcel's calls of this request begin at ride; gives the ride behind them. */
static size_t apply_parcel(struct outlet *outlet, struct request *request, size_t ride, const Ruling *ruling,
                           const FetchAnswer *answer)
{
    struct parcel *parcel = request->rides[ride].parcel;
    uint32_t before = parcel->call_at;
    bool goes_on = !parcel->is_forgotten, was_once;
    for (; ride < request->ride_count && request->rides[ride].parcel == parcel; ride++)
        if (goes_on && parcel->call_at == request->rides[ride].call)
            goes_on = apply(outlet, parcel, request, ruling, &ruling->calls[ride], answer);
    parcel->request = NULL;
    if (parcel->is_forgotten) {
        parcel_finish(outlet, parcel);
        return ride;
    }
    was_once = parcel->is_once_sent;
    parcel->is_once_sent = false;
    if (parcel->call_at == parcel->call_count) {
        count_delivered(outlet, parcel);
        if (parcel->next_ms <= outlet->deliver->now_ms) {
            parcel_finish(outlet, parcel);
            return ride;
        }
        parcel_forget(outlet, parcel);          /* only rests */
    } else if (parcel->call_at != before || parcel->again || was_once) {
        parcel_save(outlet, parcel);
    }
    settle_back(outlet, parcel);
    return ride;
}

static void settle_request(struct outlet *outlet, struct request *request, const Ruling *ruling,
                           const FetchAnswer *answer)
{
    for (size_t ride = 0; ride < request->ride_count;) ride = apply_parcel(outlet, request, ride, ruling, answer);
    request->state = REQUEST_FREE;
    request->ride_count = 0;
    outlet->under_way_count--;
    outlet->has_more = true;
    if (request->sent.body.len > PACK_KEPT_BYTES) region_trim(&request->region, PACK_KEPT_BYTES);
}

static void on_answer(struct fetch *fetch, const FetchAnswer *answer)
{
    struct request *request = (struct request *)(void *)fetch;
    struct outlet *outlet = request->outlet;
    struct region *region = &outlet->deliver->judge_region;
    Arena arena = region_arena(region);
    Ruling ruling;
    deliver_look_at_clock(outlet->deliver);
    judge(request, calls_of(request, &arena), answer, &arena, &ruling);
    note_answer(outlet, &ruling, answer);
    settle_request(outlet, request, &ruling, answer);
}
