/* fake_fetch: keeps every request until its time has come by the fake clock, then lets the world answer. */
#include "fake_fetch.h"

#include <stdio.h>
#include <stdlib.h>

struct fake_pending {
    struct fake_pending *next;
    struct fetch *fetch;
    FetchRequest request;
    Millis due_ms;
    char *bytes;                    /* owns what the request borrows */
};

static Str keep(char **at, Str s)
{
    Str kept = str_of(*at, s.len);
    if (s.len) memcpy(*at, s.bytes, s.len);
    *at += s.len;
    return kept;
}

static Status fake_submit(struct fetcher *base, const FetchRequest *request, struct fetch *fetch, Err *err)
{
    struct fake_fetch *fake = (struct fake_fetch *)base;
    struct fake_pending *pending = calloc(1, sizeof *pending), **end = &fake->pending;
    size_t bytes = request->method.len + request->url.len + request->body.len + 1;
    char *at;
    Status s = fetch_check_request(request, err);
    if (s) {
        free(pending);
        return s;
    }
    for (size_t header = 0; header < request->header_count; header++)
        bytes += request->headers[header].name.len + request->headers[header].value.len;
    at = pending->bytes = malloc(bytes);
    pending->fetch = fetch;
    pending->request = *request;
    pending->request.method = keep(&at, request->method);
    pending->request.url = keep(&at, request->url);
    pending->request.body = keep(&at, request->body);
    for (size_t header = 0; header < request->header_count; header++) {
        pending->request.headers[header].name = keep(&at, request->headers[header].name);
        pending->request.headers[header].value = keep(&at, request->headers[header].value);
    }
    pending->due_ms = fake->clock->now_ms + (fake->delay ? fake->delay(fake->owner, request) : 0);
    fetch->handle = pending;
    while (*end) end = &(*end)->next;
    *end = pending;
    fake->stats.submitted++;
    fake->stats.under_way++;
    if (fake->stats.under_way > fake->under_way_max) fake->under_way_max = fake->stats.under_way;
    return OK;
}

static void fake_forget(struct fake_fetch *fake, struct fake_pending *pending)
{
    struct fake_pending **at = &fake->pending;
    while (*at != pending) at = &(*at)->next;
    *at = pending->next;
    free(pending->bytes);
    free(pending);
    fake->stats.under_way--;
}

static void fake_cancel(struct fetcher *base, struct fetch *fetch)
{
    if (fetch->handle) fake_forget((struct fake_fetch *)base, fetch->handle);
    fetch->handle = NULL;
}

static struct fake_pending *first_due(struct fake_fetch *fake)
{
    struct fake_pending *first = NULL;
    for (struct fake_pending *at = fake->pending; at; at = at->next)
        if (at->due_ms <= fake->clock->now_ms && (!first || at->due_ms < first->due_ms)) first = at;
    return first;
}

static Status fake_step(struct fetcher *base, Millis wait_ms, Err *err)
{
    struct fake_fetch *fake = (struct fake_fetch *)base;
    struct fake_pending *pending;
    (void)err;
    fake->wait_ms = wait_ms;
    while ((pending = first_due(fake))) {
        FakeAnswer given = { FETCH_ANSWERED, 200, "", { 0 } };
        FetchAnswer answer = { 0 };
        struct fetch *fetch = pending->fetch;
        fake->world(fake->owner, &pending->request, &given);
        answer.outcome = given.outcome;
        answer.status = given.outcome == FETCH_ANSWERED ? given.status : 0;
        answer.headers = str_from(given.headers);
        answer.body = given.body;
        if (given.outcome != FETCH_ANSWERED) snprintf(answer.error, sizeof answer.error, "the fake world broke it");
        fake_forget(fake, pending);
        fetch->handle = NULL;
        fetch->on_done(fetch, &answer);
    }
    return OK;
}

static void fake_wake(struct fetcher *base) { (void)base; }

static void fake_read_stats(struct fetcher *base, FetchStats *ret) { *ret = ((struct fake_fetch *)base)->stats; }

static void fake_close(struct fetcher *base) { fake_fetch_done((struct fake_fetch *)base); }

void fake_fetch_init(struct fake_fetch *fake, struct fake_clock *clock, FakeWorld *world, FakeDelay *delay,
                     void *owner)
{
    *fake = (struct fake_fetch){
        .fetcher = { fake_submit, fake_cancel, fake_step, fake_wake, fake_read_stats, fake_close },
        .clock = clock, .world = world, .delay = delay, .owner = owner,
    };
}

void fake_fetch_crash(struct fake_fetch *fake, struct fake_dice *dice, unsigned per_thousand)
{
    while (fake->pending) {
        FakeAnswer unheard = { FETCH_ANSWERED, 200, "", { 0 } };
        if (fake_dice_chance(dice, per_thousand)) fake->world(fake->owner, &fake->pending->request, &unheard);
        fake->pending->fetch->handle = NULL;
        fake_forget(fake, fake->pending);
    }
}

Millis fake_fetch_next_ms(const struct fake_fetch *fake)
{
    Millis next = INT64_MAX;
    for (struct fake_pending *at = fake->pending; at; at = at->next)
        if (at->due_ms < next) next = at->due_ms;
    return next;
}

void fake_fetch_done(struct fake_fetch *fake)
{
    while (fake->pending) fake_forget(fake, fake->pending);
}
