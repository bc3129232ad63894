/* funnel_events: the generated history that funnel.c puts into Onym's index, ClickHouse and DuckDB: the same
 * events, number by number, for the same seed. Included by funnel.c only.
 *
 * Visitors come one after the other and stay for some days; each makes ten events on average. The first is
 * mostly a Landing, some view the sign-up page, a quarter of all visitors sign up at their fifth event: from
 * then on their events carry the user id (another subject), and the link joins the two into one person. One in
 * ten of those had browsed on a second device before: three subjects, one person.
 */
#pragma once

#include "index/index.h"
#include "ask/ask.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    EVENTS_A_VISITOR = 10, SIGNUP_EVENT = 5, BODIES = 4096, BODY_BYTES = 1024, NAMES = 20, DAYS = 60,
        STAY_DAYS = 5,
};

static const char *const event_names[NAMES] = {
    "Landing", "Signup Viewed", "Account Created", "Activated", "Product Viewed", "Product Added",
        "Checkout Started",
    "Order Completed", "Plan Selected", "Invite Sent", "Report Opened", "Search Performed", "Video Played",
    "Form Submitted", "Trial Started", "Settings Opened", "File Uploaded", "Comment Added", "Export Started",
    "Help Opened",
};
static const char *const campaigns[]
    = { "google", "newsletter", "facebook", "partner", "direct", "linkedin", "blog", "podcast" };
static const char *const plans[] = { "free", "starter", "growth", "business" };

#define FIRST_MS INT64_C(1767225600000)         /* 2026-01-01T00:00:00Z */

/* splitmix64's finaliser. */
static uint64_t scatter(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

struct made {
    uint32_t subject;
    int name;
    Millis time_ms;
    uint32_t body;                              /* which body: decides plan and campaign */
    uint32_t link_from, link_to;                /* this event links the two; UINT32_MAX: none */
};

/* Subjects are numbered as identity/ would: at first appearance. */
struct generator {
    uint64_t event_count, number, seed;
    uint64_t window, visitor_first;
    uint8_t *made_count;                        /* by visitor in the window */
    /* likewise: their subjects, UINT32_MAX before the first event */
    uint32_t *anonymous, *user;
    uint32_t *second;                           /* the second device */
    uint32_t subject_count;
};

static void generator_open(struct generator *generator, uint64_t event_count, uint64_t seed)
{
    uint64_t window = event_count / EVENTS_A_VISITOR * STAY_DAYS / DAYS + 16;
    *generator = (struct generator){ .event_count = event_count, .seed = seed, .window = window };
    generator->made_count = calloc(window, 1);
    generator->anonymous = malloc(window * 4), generator->user = malloc(window * 4), generator->second
        = malloc(window * 4);
    memset(generator->anonymous, 0xff, window * 4);
    memset(generator->user, 0xff, window * 4);
    memset(generator->second, 0xff, window * 4);
}

static void generator_close(struct generator *generator)
{
    free(generator->made_count), free(generator->anonymous), free(generator->user), free(generator->second);
}

static uint32_t generator_subject(struct generator *generator, uint32_t *subject)
{
    if (*subject == UINT32_MAX) *subject = generator->subject_count++;
    return *subject;
}

static void generator_next(struct generator *generator, struct made *ret)
{
    uint64_t number = generator->number++, window = generator->window;
    uint64_t dice = scatter(generator->seed ^ scatter(number)), more = scatter(dice);
    for (; generator->visitor_first < number / EVENTS_A_VISITOR; generator->visitor_first++) {
        uint64_t place = generator->visitor_first % window;                  /* one leaves, one comes */
        generator->made_count[place] = 0;
        generator->anonymous[place] = generator->user[place] = generator->second[place] = UINT32_MAX;
    }
    uint64_t visitor = generator->visitor_first + dice % window, place = visitor % window;
    uint64_t who = scatter(generator->seed * 2 + 1 + scatter(visitor));
    bool signs_up = who % 100 < 25, has_second = signs_up && who / 100 % 10 == 0;
    int nth = generator->made_count[place] < 255 ? ++generator->made_count[place] : 255;
    *ret = (struct made){ .time_ms = FIRST_MS + (Millis)((double)number * DAYS * 86400e3 / (double)generator->event_count)
                                   + (Millis)(more % 2000),
                          .body = (uint32_t)(more >> 20) % BODIES, .link_from = UINT32_MAX, .link_to
                              = UINT32_MAX };
    int chance = (int)(more >> 40) % 100, other = 4 + (int)(more >> 50) % (NAMES - 4);
    ret->name = nth == 1 && chance < 70 ? 0 : nth > 1 && nth < SIGNUP_EVENT && chance < 25 ? 1 : other;
    if (signs_up && nth >= SIGNUP_EVENT) {
        ret->subject = generator_subject(generator, &generator->user[place]);
        if (nth == SIGNUP_EVENT) {
            ret->name = 2;
            ret->link_from = generator_subject(generator, &generator->anonymous[place]), ret->link_to
                = ret->subject;
        } else if (chance < 20) ret->name = 3;
        if (has_second && nth == SIGNUP_EVENT + 1 && generator->second[place] != UINT32_MAX)
            ret->link_from = generator->second[place], ret->link_to = ret->subject;
        return;
    }
    uint32_t *device = has_second && nth % 2 == 0 ? &generator->second[place] : &generator->anonymous[place];
    ret->subject = generator_subject(generator, device);
}

/* Bodies: what a track of analytics.js says in properties and context, some 400 bytes. */
static const char *body_plan(uint32_t body) { return plans[scatter(body) % countof(plans)]; }
static const char *body_campaign(uint32_t body) { return campaigns[scatter(body + 77) % countof(campaigns)]; }

static void bodies_make(char (*bodies)[BODY_BYTES])
{
    static const char *const paths[]
        = { "/", "/pricing", "/docs/start", "/blog/launch", "/signup", "/cart", "/account/billing",
                                         "/products/42", "/products/1337", "/compare", "/changelog",
                                             "/app/reports" };
    static const char *const agents[] = { "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0",
                                          "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15",
                                          "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Mobile/15E148",
                                          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0" };
    static const char *const locales[] = { "en-US", "en-GB", "de-DE", "fr-FR", "pt-BR", "ja-JP" };
    for (uint32_t body = 0; body < BODIES; body++) {
        uint64_t dice = scatter(body * 31 + 7);
        snprintf(bodies[body], BODY_BYTES,
                 "{\"type\":\"track\",\"messageId\":\"ajs-next-%016llx\",\"anonymousId\":\"%016llx-%016llx\","
                 "\"properties\":{\"plan\":\"%s\",\"revenue\":%d.%02d,\"quantity\":%d},"
                 "\"context\":{\"library\":{\"name\":\"analytics.js\",\"version\":\"next-1.84.3\"},\"page\":{\"path\":\"%s\"},"
                 "\"userAgent\":\"%s\",\"locale\":\"%s\",\"campaign\":{\"source\":\"%s\",\"name\":\"summer-%d\"}}}",
                 (unsigned long long)dice, (unsigned long long)dice, (unsigned long long)scatter(dice),
                     body_plan(body),
                 (int)(dice % 300), (int)(dice / 300 % 100), (int)(dice / 30000 % 9) + 1,
                     paths[dice >> 20 & 7],
                 agents[dice >> 30 & 3], locales[(dice >> 33) % 6], body_campaign(body),
                     (int)(dice >> 40) % 20);
    }
}
