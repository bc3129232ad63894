/* deliver_send: deliveries become requests, answers become verdicts.
 *
 * Before the step's commit, runner_prepare builds the ready deliveries and puts their calls together into requests;
 * after the commit, runner_send gives these to the fetcher. A request takes calls of one lane: several of one delivery
 * in a row (up to a link, after which it takes nothing more of that person). When it has all calls of a delivery, it
 * also takes those of the deliveries after it in its lines, so that a busy person does not need a round trip for each
 * event.
 *
 * While a request of a lane is under way, the next one waits until it would be full: a busy destination gets
 * large requests, an idle one gets its event at once.
 */
#include "deliver_runner.h"

#include <stdlib.h>

#define IN_DOUBT "in doubt: the answer was lost, and sending it again could count it twice"
enum { PACK_BYTES = 64 * 1024 * 1024, PACK_KEPT_BYTES = 1024 * 1024 };

static void on_answer(struct fetch *fetch, const FetchAnswer *answer);
static void settle_request(struct runner *runner, struct request *request, const Ruling *ruling,
                           const FetchAnswer *answer);

/* ---- Deliveries ---- */

static struct delivery_list *list_of(struct runner *runner, DeliveryStage stage)
{
    switch (stage) {
    case DELIVERY_LINED: return &runner->lined;
    case DELIVERY_READY: return &runner->ready;
    case DELIVERY_WAITING: return &runner->waiting;
    case DELIVERY_UNDER_WAY: return &runner->under_way;
    case DELIVERY_FREE:
    case DELIVERY_SETTLING: break;
    }
    check(!"a delivery in no list");
    return NULL;
}

static void move(struct runner *runner, struct delivery *delivery, DeliveryStage stage)
{
    list_remove(list_of(runner, delivery->stage), delivery);
    delivery->stage = stage;
    list_append(list_of(runner, stage), delivery);
    if (stage == DELIVERY_WAITING && delivery->next_ms < runner->waiting_next_ms)
        runner->waiting_next_ms = delivery->next_ms;
}

void delivery_finish(struct runner *runner, struct delivery *delivery)
{
    if (delivery->has_row) delivery_forget(runner, delivery);
    list_remove(list_of(runner, delivery->stage), delivery);
    order_leave(runner, delivery);
    delivery_give_back(runner, delivery);
}

/* Puts a delivery that is neither finished nor under way into the list where it belongs. */
static void settle_back(struct runner *runner, struct delivery *delivery)
{
    delivery->request = NULL;
    if (!order_is_first(delivery)) move(runner, delivery, DELIVERY_LINED);
    else move(runner, delivery, delivery->next_ms > runner->deliver->now_ms ? DELIVERY_WAITING : DELIVERY_READY);
}

/* The delivery does not go now. If it is first in its lines, it waits for its time; else it waits for its turn. */
static void put_off(struct runner *runner, struct delivery *delivery)
{
    if (order_is_first(delivery)) move(runner, delivery, DELIVERY_WAITING);
    else if (delivery->stage != DELIVERY_LINED) move(runner, delivery, DELIVERY_LINED);
}

static void wake_waiting(struct runner *runner)
{
    Millis now_ms = runner->deliver->now_ms;
    if (now_ms < runner->waiting_next_ms) return;
    runner->waiting_next_ms = INT64_MAX;
    for (struct delivery *delivery = runner->waiting.first, *next; delivery; delivery = next) {
        next = delivery->next;
        if (delivery->next_ms <= now_ms) move(runner, delivery, DELIVERY_READY);
        else if (delivery->next_ms < runner->waiting_next_ms) runner->waiting_next_ms = delivery->next_ms;
    }
}

/* The process died while this call was under way: it may have arrived, and must not arrive twice. */
static void bury_in_doubt(struct runner *runner, struct delivery *delivery)
{
    delivery->tries++;                              /* counts the try whose end nobody knows */
    dead_put(runner, delivery, &(struct death){ delivery->call_at, 1, STR(IN_DOUBT), NULL, NULL });
    runner->state.refused++;
    delivery->is_lost = true;
    delivery->is_in_doubt = false;
    delivery->tries = 0;
    delivery->call_at++;
    if (delivery->call_at < delivery->call_count) delivery_save(runner, delivery);
}

/* Builds the delivery if it is not built yet. True if it has calls to send now. If it is refused, or has no calls, it
 * is finished. */
static bool make_ready(struct runner *runner, struct delivery *delivery)
{
    Built built = BUILT_READY;
    Err err = { 0 };
    Status s;
    if (delivery->is_in_doubt) bury_in_doubt(runner, delivery);
    if (delivery->is_frozen) {
        if (delivery->call_at < delivery->call_count) return true;
        delivery_finish(runner, delivery);      /* all calls were done: it only rested */
        return false;
    }
    s = delivery_build(runner, delivery, &built, &err);
    if (s == ERR_INPUT || s == ERR_TOO_LARGE || s == ERR_NOT_FOUND || s == ERR_UNSUPPORTED) {
        dead_put(runner, delivery, &(struct death){ .reason = str_from(err.text) });
        runner->state.refused++;
        delivery->has_row = true;               /* one dead letter is enough, whatever happens now */
        delivery_finish(runner, delivery);
        return false;
    }
    if (s) {                                    /* the journal or the store has failed: later */
        runner_fail(runner, str_from(err.text));
        delivery->next_ms = runner->deliver->now_ms + 1000;
        put_off(runner, delivery);
        return false;
    }
    if (built == BUILT_NOTHING) {
        runner->state.skipped++;
        delivery_finish(runner, delivery);
    } else if (built == BUILT_LATER) {
        put_off(runner, delivery);
    }
    return built == BUILT_READY;
}

/* ---- Putting together ---- */

static struct request *request_take(struct runner *runner)
{
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++) {
        struct request *request = &runner->requests[at];
        if (request->state != REQUEST_FREE) continue;
        request->state = REQUEST_PREPARED;
        request->runner = runner;
        request->slot_count = 0;
        request->bytes = 0;
        request->has_forgotten = false;
        if (!request->region.start) region_open(&request->region, PACK_BYTES);
        return request;
    }
    check(!"more requests than there may be");
    return NULL;
}

static void request_add(struct request *request, struct delivery *delivery, uint32_t call)
{
    check(vector_reserve(request->slots, request->slot_capacity, request->slot_count + 1, UINT32_MAX));
    request->slots[request->slot_count++] = (struct request_slot){ delivery, call };
    request->bytes += delivery->calls[call].body.len + 64;
}

static bool fits(const struct request *request, const LaneLimits *limits, const struct delivery *delivery)
{
    uint32_t most = limits->calls_max;
    if (delivery->together_max && delivery->together_max < most) most = delivery->together_max;
    if (request->together_max < most) most = request->together_max;
    return request->slot_count == 0 || (request->slot_count < most && request->bytes < limits->bytes_max);
}

/* Adds the delivery's next calls of this lane to the request. True if the request now has all calls that the
 * delivery still has, so that the deliveries after it in its lines may follow. */
static bool request_add_delivery(struct runner *runner, struct request *request, const LaneLimits *limits,
                                 struct delivery *delivery)
{
    uint32_t at = delivery->call_at;
    bool was_link = false;
    for (; at < delivery->call_count && !was_link; at++) {
        const Call *call = &delivery->calls[at];
        if (call->lane != request->lane || !fits(request, limits, delivery)) break;
        if (at > delivery->call_at && (call->flags & CALL_ONCE)) break;   /* a row marks only its first call as sent */
        request_add(request, delivery, at);
        was_link = (call->flags & CALL_LINK) || call->rest_ms > 0;
    }
    if (at == delivery->call_at) return false;
    if (delivery->together_max && delivery->together_max < request->together_max)
        request->together_max = delivery->together_max;
    if (delivery->calls[delivery->call_at].flags & CALL_ONCE) {
        delivery->is_once_sent = true;
        delivery_save(runner, delivery);
    }
    delivery->request = request;
    move(runner, delivery, DELIVERY_UNDER_WAY);
    delivery->is_all_added = at == delivery->call_count && !was_link;
    return delivery->is_all_added;
}

static bool goes_with(struct runner *runner, struct request *request, const LaneLimits *limits,
                      struct delivery *delivery)
{
    if (!make_ready(runner, delivery)) return false;
    return delivery->calls[delivery->call_at].lane == request->lane && fits(request, limits, delivery);
}

/* Adds the delivery, and those after it in its lines that may be in the same request. */
static void request_add_with_followers(struct runner *runner, struct request *request, const LaneLimits *limits,
                                       struct delivery *delivery)
{
    size_t from = request->slot_count;
    struct delivery *last = NULL;
    if (!request_add_delivery(runner, request, limits, delivery)) return;
    if (limits->calls_max == 1) return;
    for (size_t at = from; at < request->slot_count && fits(request, limits, delivery); at++) {
        struct delivery *added = request->slots[at].delivery;
        if (added == last || added->call_count != request->slots[at].call + 1) continue;
        last = added;
        for (uint32_t turn = 0; turn < added->turn_count; turn++) {
            struct turn *newer = added->turns[turn].newer;
            struct delivery *behind = newer ? newer->owner : NULL;
            if (!behind || behind->stage != DELIVERY_LINED || behind->next_ms > runner->deliver->now_ms) continue;
            if (!order_follows(behind, request) || !goes_with(runner, request, limits, behind)) continue;
            (void)request_add_delivery(runner, request, limits, behind);
        }
    }
}

static bool lane_is_busy(const struct runner *runner, uint8_t lane)
{
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++)
        if (runner->requests[at].state == REQUEST_SENT && runner->requests[at].lane == lane) return true;
    return false;
}

/* Draws by chance which delivery is tried first; if some were not tried yet, one of those. The delivery that came first
 * may be the reason why all wait. */
static void draw_first(struct runner *runner)
{
    size_t drawn = dice_u64(runner->deliver->options.dice) % runner->ready.count, at = 0;
    list_rotate(&runner->ready, drawn);
    for (const struct delivery *delivery = runner->ready.first; delivery; delivery = delivery->next, at++) {
        if (delivery->attempts > 0) continue;
        list_rotate(&runner->ready, at);
        return;
    }
}

/* Puts together one request of the first ready delivery's lane. False if there was nothing to put together. */
static bool prepare_one(struct runner *runner)
{
    struct request *request = NULL;
    LaneLimits limits = { 1, 0 };
    if (runner_is_failing(runner)) draw_first(runner);
    for (struct delivery *delivery = runner->ready.first, *next; delivery; delivery = next) {
        next = delivery->next;
        if (pending_is_full(runner->deliver->pending)) break;
        if (!make_ready(runner, delivery)) continue;
        next = delivery->next;                                      /* building may have made others ready */
        if (!request) {
            uint8_t lane = delivery->calls[delivery->call_at].lane;
            limits = runner->destination->limits(&runner->settings, lane);
            if (lane_is_busy(runner, lane) && runner->ready.count + runner->lined.count < limits.calls_max) continue;
            request = request_take(runner);
            request->lane = lane;
            request->together_max = UINT32_MAX;
        }
        if (delivery->calls[delivery->call_at].lane != request->lane) continue;
        if (!fits(request, &limits, delivery)) break;
        request_add_with_followers(runner, request, &limits, delivery);
    }
    if (request) runner_spend(runner);
    return request != NULL;
}

void runner_prepare(struct runner *runner)
{
    wake_waiting(runner);
    while (runner->ready.first && runner_may_send(runner))
        if (!prepare_one(runner)) break;
    lookup_leave(runner->deliver);
}

void runner_take_apart(struct runner *runner)
{
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++) {
        struct request *request = &runner->requests[at];
        if (request->state != REQUEST_PREPARED) continue;
        for (size_t slot = 0; slot < request->slot_count; slot++) {
            struct delivery *delivery = request->slots[slot].delivery;
            if (delivery->request != request) continue;         /* an earlier slot has settled it */
            if (delivery->is_once_sent) {
                delivery->is_once_sent = false;                 /* it was only about to be sent */
                delivery_save(runner, delivery);
            }
            settle_back(runner, delivery);
        }
        request->slot_count = 0;
        request->state = REQUEST_FREE;
        runner_give_back(runner);
    }
}

/* ---- Sending ---- */

static const Call **calls_of(const struct request *request, Arena *arena)
{
    const Call **calls = arena_new(arena, const Call *, request->slot_count + 1);
    for (size_t at = 0; at < request->slot_count; at++) {
        struct request_slot *slot = &request->slots[at];
        calls[at] = &slot->delivery->calls[slot->call];
    }
    return calls;
}

bool request_is_alone(const struct request *request)
{
    for (size_t at = 1; at < request->slot_count; at++)
        if (request->slots[at].delivery != request->slots[0].delivery) return false;
    return true;
}

/* The request can never be made because of what is in its calls (settings were checked when they were read). If it has
 * several calls, it is halved to find the one at fault; a single call is a dead letter at once. The destination is not
 * at fault. */
static void refuse_request(struct runner *runner, struct request *request, const Err *why)
{
    FetchAnswer answer = { .outcome = FETCH_NOT_SENT };
    Arena arena = region_arena(&runner->deliver->judge_region);
    Ruling ruling = { .calls = arena_new(&arena, CallVerdict, request->slot_count), .call_count = request->slot_count,
                      .halve = request->slot_count > 1 };
    memcpy(answer.error, why->text, strnlen(why->text, sizeof answer.error - 1));
    judge_all(&ruling, ruling.halve ? VERDICT_RETRY : VERDICT_REFUSED, str_from(answer.error));
    settle_request(runner, request, &ruling, &answer);
}

static void answer_without_sending(struct request *request, FetchOutcome outcome, int status, const char *error)
{
    FetchAnswer answer = { .outcome = outcome, .status = status };
    memcpy(answer.error, error, strnlen(error, sizeof answer.error - 1));
    on_answer(&request->fetch, &answer);
}

static void send(struct runner *runner, struct request *request)
{
    struct fetcher *fetcher = runner->deliver->options.fetcher;
    Arena arena = region_arena(&request->region);
    PackInput input = {
        &runner->settings, calls_of(request, &arena), request->slot_count,
        request_is_alone(request) ? request->slots[0].delivery->facts : "", runner->deliver->now_ms,
    };
    Err err = { 0 };
    Status s;
    request->sent = (FetchRequest){ 0 };
    s = runner->destination->pack(&input, &arena, &request->sent, &err);
    request->state = REQUEST_SENT;
    request->fetch = (struct fetch){ .on_done = on_answer, .owner = request };
    for (size_t at = 0; at < request->slot_count; at++)
        request->sent.is_once |= (input.calls[at]->flags & CALL_ONCE) != 0;
    if (!s && request->sent.method.len == 0) {
        answer_without_sending(request, FETCH_ANSWERED, 0, "");
        return;
    }
    if (!s) s = fetcher->submit(fetcher, &request->sent, &request->fetch, &err);
    if (s == ERR_INPUT) refuse_request(runner, request, &err);
    else if (s) answer_without_sending(request, FETCH_NOT_SENT, 0, err.text);
    else runner->state.requests++;
}

void runner_send(struct runner *runner)
{
    for (size_t at = 0; at < REQUESTS_AT_ONCE; at++) {
        struct request *request = &runner->requests[at];
        if (request->state != REQUEST_PREPARED) continue;
        send(runner, request);
    }
}

/* ---- Answers ---- */

static void judge(struct request *request, const Call *const *calls, const FetchAnswer *answer, Arena *arena,
                  Ruling *ruling)
{
    struct runner *runner = request->runner;
    JudgeInput input = { &runner->settings, calls, request->slot_count, answer, runner->deliver->now_ms, arena };
    bool is_alone = request_is_alone(request);
    *ruling = (Ruling){
        .calls = arena_new(arena, CallVerdict, request->slot_count + 1), .call_count = request->slot_count,
        .facts = is_alone ? request->slots[0].delivery->facts : arena_new(arena, char, DESTINATION_FACT_BYTES),
    };
    if (request->sent.method.len == 0 && answer->outcome == FETCH_ANSWERED) judge_all(ruling, VERDICT_DONE, (Str){ 0 });
    else if (runner->destination->judge) runner->destination->judge(&input, ruling);
    else judge_by_status(&input, ruling);
    if (request->has_forgotten) return;                      /* the answer may be about them */
    runner_store_states(runner, ruling->stored, ruling->stored_count);
    if (ruling->report.len) dead_report(runner, request->slots[0].delivery, ruling->report);
}

/* An error of the receiver's own program may be about the message. A proxy in front of it (502, 503, 504) says that the
 * receiver is down. */
static bool may_be_own(const FetchAnswer *answer)
{
    return answer->outcome == FETCH_ANSWERED && answer->status != 502 && answer->status != 503 && answer->status != 504;
}

/* Notes what the answer means for the whole destination. */
static void note_answer(struct runner *runner, const Ruling *ruling, const FetchAnswer *answer)
{
    Millis now_ms = runner->deliver->now_ms, wait_ms = ruling->retry_after_ms;
    bool is_trouble = ruling->calls[0].verdict == VERDICT_RETRY;
    if (ruling->halve || !is_trouble) {
        runner->failures = runner->own_failures = 0;
        if (!is_trouble && answer->status) runner->state.last_success_ms = now_ms;
    }
    if (is_trouble) {
        runner->state.retried++;
        runner_fail(runner, ruling->calls[0].reason);
    }
    if (ruling->halve) return;
    if (is_trouble) wait_ms = runner_note_trouble(runner, ruling->is_everybodys, may_be_own(answer), wait_ms);
    else if (!ruling->is_everybodys) return;
    if (wait_ms && now_ms + wait_ms > runner->wait_until_ms) runner->wait_until_ms = now_ms + wait_ms;
}

static bool is_given_up(const struct runner *runner, const struct delivery *delivery, const Ruling *ruling)
{
    if (ruling->is_everybodys) return false;            /* not the message's fault: it is never given up */
    return runner->deliver->now_ms - delivery->first_tried_ms >= runner->rules.retry_ms;
}

/* The call has failed for good: it alone becomes a dead letter, and the message goes on with its next call. */
static void bury_call(struct runner *runner, struct delivery *delivery, Str reason, const struct request *request,
                      const FetchAnswer *answer)
{
    dead_put(runner, delivery, &(struct death){ delivery->call_at, 1, reason, &request->sent, answer });
    runner->state.refused++;
    delivery->is_lost = true;
    delivery->call_at++;
    delivery->again = delivery->tries = 0;
}

static void retry_later(struct runner *runner, struct delivery *delivery, const struct request *request,
                        const Ruling *ruling, const FetchAnswer *answer, Str reason)
{
    Millis now_ms = runner->deliver->now_ms, delay_ms = ruling->retry_after_ms;
    size_t call_count = request->slot_count;
    if (ruling->halve) {
        delivery->together_max = call_count > 1 ? (uint32_t)(call_count + 1) / 2 : 1;
        return;
    }
    delivery->attempts++;
    if (is_given_up(runner, delivery, ruling)) {
        uint32_t left = delivery->call_count - delivery->call_at;
        dead_put(runner, delivery, &(struct death){ delivery->call_at, left, reason, &request->sent, answer });
        runner->state.refused++;
        delivery->is_lost = true;
        delivery->call_at = delivery->call_count;
        return;
    }
    /* One call that the vendor cannot handle must not hold up the other calls of its request for ever. */
    if (delivery->attempts >= 2 && call_count > 1) delivery->together_max = (uint32_t)(call_count + 1) / 2;
    if (!delay_ms) delay_ms = retry_delay(runner->deliver->options.dice, delivery->attempts);
    delivery->next_ms = now_ms + delay_ms;
}

/* A server may answer 5xx after it has done the work; it answers 503 instead of doing it. */
static bool may_have_come(const FetchAnswer *answer)
{
    return answer->outcome == FETCH_IN_DOUBT
        || (answer->outcome == FETCH_ANSWERED && answer->status >= 500 && answer->status != 503);
}

/* Carries out one call's verdict. True if the delivery's next call of the same request may be looked at. */
static bool apply(struct runner *runner, struct delivery *delivery, const struct request *request, const Ruling *ruling,
                  const CallVerdict *verdict, const FetchAnswer *answer)
{
    const Call *call = &delivery->calls[delivery->call_at];
    bool is_in_doubt = (call->flags & CALL_ONCE) && may_have_come(answer);
    switch (verdict->verdict) {
    case VERDICT_DONE:
        delivery->call_at++;
        delivery->again = delivery->tries = 0;
        if (call->rest_ms) delivery->next_ms = runner->deliver->now_ms + call->rest_ms;
        return true;
    case VERDICT_END: delivery->call_at = delivery->call_count; return false;
    case VERDICT_REFUSED: bury_call(runner, delivery, verdict->reason, request, answer); return true;
    case VERDICT_AGAIN:
        if (++delivery->again <= AGAIN_MAX) return false;
        bury_call(runner, delivery, STR("the vendor's answers lead in a circle"), request, answer);
        return true;
    case VERDICT_RETRY: break;
    }
    if (is_in_doubt) {
        bury_call(runner, delivery, STR(IN_DOUBT), request, answer);
        return true;
    }
    retry_later(runner, delivery, request, ruling, answer, verdict->reason);
    return false;
}

static void count_delivered(struct runner *runner, const struct delivery *delivery)
{
    if (delivery->is_lost) return;
    runner->state.delivered++;
    if (delivery->stream == STREAM_REPLAY) runner->state.replay_delivered++;
    runner->rate_count++;
}

/* The delivery's calls of this request begin at slot; returns the slot after them. */
static size_t apply_delivery(struct runner *runner, struct request *request, size_t slot, const Ruling *ruling,
                             const FetchAnswer *answer)
{
    struct delivery *delivery = request->slots[slot].delivery;
    uint32_t before = delivery->call_at;
    size_t first = slot;
    bool goes_on = !delivery->is_forgotten, was_once;
    for (; slot < request->slot_count && request->slots[slot].delivery == delivery; slot++) {
        if (!goes_on || delivery->call_at != request->slots[slot].call) continue;
        if (slot > first) delivery->tries++;
        goes_on = apply(runner, delivery, request, ruling, &ruling->calls[slot], answer);
    }
    delivery->request = NULL;
    if (delivery->is_forgotten) {
        delivery_finish(runner, delivery);
        return slot;
    }
    was_once = delivery->is_once_sent;
    delivery->is_once_sent = false;
    if (delivery->call_at == delivery->call_count) {
        count_delivered(runner, delivery);
        if (delivery->next_ms <= runner->deliver->now_ms) {
            delivery_finish(runner, delivery);
            return slot;
        }
        delivery_forget(runner, delivery);      /* it only rests */
    } else if (delivery->call_at != before || delivery->again || was_once) {
        delivery_save(runner, delivery);
    }
    settle_back(runner, delivery);
    return slot;
}

static void settle_request(struct runner *runner, struct request *request, const Ruling *ruling,
                           const FetchAnswer *answer)
{
    for (size_t slot = 0; slot < request->slot_count;) slot = apply_delivery(runner, request, slot, ruling, answer);
    request->state = REQUEST_FREE;
    request->slot_count = 0;
    runner->under_way_count--;
    runner->has_more = true;
    if (request->sent.body.len > PACK_KEPT_BYTES) region_trim(&request->region, PACK_KEPT_BYTES);
}

/* Each delivery's first call in the request was tried once more; apply_delivery counts those after it. */
static void count_tries(struct request *request)
{
    for (size_t at = 0; at < request->slot_count; at++) {
        struct delivery *delivery = request->slots[at].delivery;
        if (request->slots[at].call == delivery->call_at) delivery->tries++;
    }
}

static void on_answer(struct fetch *fetch, const FetchAnswer *answer)
{
    struct request *request = (struct request *)(void *)fetch;
    struct runner *runner = request->runner;
    struct region *region = &runner->deliver->judge_region;
    Arena arena = region_arena(region);
    Ruling ruling;
    deliver_look_at_clock(runner->deliver);
    count_tries(request);
    judge(request, calls_of(request, &arena), answer, &arena, &ruling);
    note_answer(runner, &ruling, answer);
    settle_request(runner, request, &ruling, answer);
}
