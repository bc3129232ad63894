/* Who does what, and when. A visitor's way to an account has one of eight stories, most of them without a mistake in
 * them; around it are those who never sign up, a robot that tries the log-in, and a developer at work. */
#include "demo_data.h"

const DemoCampaign demo_campaigns[CAMPAIGNS] = {
    { NULL, NULL, NULL }, { "google", "cpc", "spring" }, { "newsletter", "email", "issue-12" },
    { "facebook", "social", "lookalike" }, { "partner", "referral", "radio" },
};
const char *const demo_referrers[REFERRERS] = { NULL, "www.google.com", "news.ycombinator.com", "t.co" };
const DemoPlan demo_plans[PLANS] = { { "Free", 0 }, { "Web", 499 }, { "Unlimited", 999 } };

/* Of a thousand accounts; the rest are STORY_PLAIN. */
static const unsigned story_shares[STORY_COUNT] = {
    [STORY_TWO_DEVICES] = 140, [STORY_LATE_IDENTIFY] = 60, [STORY_SHARED_WITH_RESET] = 60, [STORY_SHARED_NO_RESET] = 30,
    [STORY_ALIAS] = 40, [STORY_NO_ANONYMOUS_ID] = 40, [STORY_PLACEHOLDER] = 30,
};

/* ---- Dice ---- */

static uint64_t roll(struct demo_data *data)                     /* splitmix64 */
{
    uint64_t z = data->dice += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t below(struct demo_data *data, uint64_t most) { return roll(data) % most; }
static bool one_in(struct demo_data *data, unsigned count) { return below(data, count) == 0; }
static Millis between(struct demo_data *data, Millis least, Millis most)
{
    return least + (Millis)below(data, (uint64_t)(most - least));
}

/* More towards the end, fewer at weekends, most in the afternoon. */
static Millis some_moment(struct demo_data *data, Millis from_ms, Millis to_ms)
{
    for (;;) {
        Millis at_ms = between(data, from_ms, to_ms);
        Millis day = at_ms / DAY_MS, hour = at_ms % DAY_MS / HOUR_MS;
        bool is_weekend = (day + 4) % 7 == 0 || (day + 4) % 7 == 6;
        uint64_t weight = 60 + 40 * (uint64_t)(at_ms - data->begin_ms) / (uint64_t)(data->options.days * DAY_MS);
        if (is_weekend) weight = weight * 2 / 3;
        if (hour < 7) weight /= 4;
        else if (hour > 12 && hour < 19) weight = weight * 3 / 2;
        if (below(data, 150) < weight) return at_ms;
    }
}

/* ---- Happenings ---- */

/* Whose ids a call carries, and who that is. */
typedef struct Actor {
    uint32_t device, account, person;
    Mistake mistake;
    bool is_old_id;
} Actor;

/* Nothing is told of the last two hours. */
static Millis last_moment(const struct demo_data *data) { return data->options.end_ms - 2 * HOUR_MS; }

static struct happening *happen(struct demo_data *data, const Actor *who, Millis at_ms, Doing doing, uint32_t detail)
{
    struct happening *one = arena_new(&data->happening_arena, struct happening, 1);
    *one = (struct happening){
        .at_ms = at_ms, .number = data->happening_count++, .device = who->device, .account = who->account,
        .person = who->person, .detail = detail, .doing = (uint8_t)doing, .mistake = (uint8_t)who->mistake,
        .is_old_id = who->is_old_id,
    };
    return one;
}

static uint32_t new_device(struct demo_data *data, bool is_phone)
{
    struct device *device = &data->devices[data->device_count];
    bool is_paid = one_in(data, 3);
    device->campaign = is_paid ? (uint8_t)(1 + below(data, CAMPAIGNS - 1)) : 0;
    device->referrer = is_paid ? 0 : (uint8_t)below(data, REFERRERS);
    device->is_phone = is_phone;
    return data->device_count++;
}

static Actor visitor_of(const struct demo_data *data, uint32_t device, uint32_t person)
{
    uint32_t unclaimed = data->account_count + device;
    return (Actor){ .device = device, .account = NOBODY, .person = person == NOBODY ? unclaimed : person };
}

static Actor user_of(uint32_t account, uint32_t device)
{
    return (Actor){ .device = device, .account = account, .person = account };
}

static void play(struct demo_data *data, const Actor *who, Millis at_ms)
{
    bool is_old_page = who->device != NOBODY && data->devices[who->device].is_phone && one_in(data, 30);
    struct happening *one = happen(data, who, at_ms, DO_SONG_PLAYED, (uint32_t)below(data, SONGS));
    if (is_old_page && !one->mistake) one->mistake = MISTAKE_NEAR_DUPLICATE;
}

/* A visit; gives when it ended. is_first: it came by the campaign or from the page that the device has. */
static Millis visit(struct demo_data *data, const Actor *who, Millis at_ms, bool is_first)
{
    happen(data, who, at_ms, DO_HOME, 0)->is_landing = is_first;
    uint64_t more = 1 + below(data, 4);
    for (uint64_t step = 0; step < more; step++) {
        at_ms += between(data, 15 * 1000, 3 * MINUTE_MS);
        if (one_in(data, 5)) {
            happen(data, who, at_ms, DO_PRICING, 0);
            if (who->mistake || !one_in(data, 5)) continue;
            struct happening *twice = happen(data, who, at_ms + 30, DO_PRICING, 0);
            twice->mistake = MISTAKE_SENT_TWICE;
        } else if (one_in(data, 3)) {
            happen(data, who, at_ms, DO_BROWSE, 0);
        } else {
            play(data, who, at_ms);
        }
    }
    return at_ms;
}

/* Up to three visits in the five days before; none is later than an hour before. */
static void visits_before(struct demo_data *data, const Actor *who, Millis before_ms)
{
    Millis to_ms = before_ms - HOUR_MS, from_ms = to_ms - 5 * DAY_MS;
    if (from_ms < data->begin_ms) from_ms = data->begin_ms;
    uint64_t count = below(data, 4);
    Millis at_ms = from_ms;
    for (uint64_t one = 0; one < count && at_ms + HOUR_MS < to_ms; one++) {
        at_ms = between(data, at_ms, to_ms - HOUR_MS);
        at_ms = visit(data, who, at_ms, one == 0) + HOUR_MS;
    }
}

/* Days on which somebody comes back, ever fewer. */
static void visits_after(struct demo_data *data, const Actor *who, Millis from_ms)
{
    unsigned rarely = 3;
    for (Millis day_ms = from_ms + DAY_MS; day_ms < last_moment(data) - DAY_MS; day_ms += DAY_MS) {
        if (!one_in(data, rarely)) continue;
        rarely += rarely < 20 ? 2 : 0;
        Millis at_ms = visit(data, who, day_ms + between(data, 0, 10 * HOUR_MS), false);
        if (one_in(data, 6)) happen(data, who, at_ms + MINUTE_MS, DO_PLAYLIST_CREATED, 0);
    }
}

/* ---- The way to an account ---- */

/* The pages before the form is sent. */
static void see_form(struct demo_data *data, const Actor *who, Millis at_ms, bool is_first)
{
    happen(data, who, at_ms - 6 * MINUTE_MS, DO_HOME, 0)->is_landing = is_first;
    happen(data, who, at_ms - 4 * MINUTE_MS, DO_SIGNUP_VIEWED, 0);
}

/* The server's own call, and perhaps the same once more. */
static void create_account(struct demo_data *data, const Actor *who, Millis at_ms)
{
    happen(data, who, at_ms, DO_ACCOUNT_CREATED, data->accounts[who->account].plan);
    if (who->mistake || !one_in(data, 100)) return;
    struct happening *twice = happen(data, who, at_ms + 2000, DO_ACCOUNT_CREATED, data->accounts[who->account].plan);
    twice->mistake = MISTAKE_SIGNED_UP_TWICE;
}

static void welcome(struct demo_data *data, const Actor *who, Millis at_ms)
{
    happen(data, who, at_ms, DO_IDENTIFY, 0);
    struct happening *page = happen(data, who, at_ms + 900, DO_WELCOME, 0);
    if (!page->mistake && one_in(data, 50)) page->mistake = MISTAKE_EMAIL_IN_URL;
    if (one_in(data, 10)) happen(data, who, at_ms + 1800, DO_GROUP, who->account % 40);
}

/* What servers send, who know nothing but the user id. */
static void server_calls(struct demo_data *data, uint32_t number)
{
    const struct account *account = &data->accounts[number];
    Actor server = user_of(number, NOBODY);
    Millis at_ms = account->signed_up_ms + DAY_MS;
    if (at_ms < data->options.end_ms - 7 * DAY_MS) {
        Actor reminder = server;
        reminder.mistake = MISTAKE_EVENT_STOPPED;
        happen(data, &reminder, at_ms, DO_REMINDER_SENT, 0);
    }
    at_ms = account->signed_up_ms + between(data, DAY_MS, 12 * DAY_MS);
    if (demo_plans[account->plan].cents == 0 || at_ms >= last_moment(data)) return;
    struct happening *paid = happen(data, &server, at_ms, DO_SUBSCRIPTION_STARTED, account->plan);
    if (one_in(data, 20)) paid->mistake = MISTAKE_TYPE_DRIFT;
}

/* An earlier account whose device somebody else now uses; NOBODY: there is none to be had. */
static uint32_t find_lender(struct demo_data *data, uint32_t number)
{
    for (uint32_t tries = 0; tries < 200 && number > 0; tries++) {
        uint32_t other = (uint32_t)below(data, number);
        struct account *lender = &data->accounts[other];
        if (lender->story == STORY_PLAIN && !lender->is_lent
            && lender->signed_up_ms + 2 * HOUR_MS < data->accounts[number].signed_up_ms) return other;
    }
    return NOBODY;
}

/* The lender's browser still has the lender's user id when the other one looks around; the form changes it. */
static void sign_up_on_lent(struct demo_data *data, uint32_t number, uint32_t lender)
{
    struct account *account = &data->accounts[number];
    account->lent_device = data->accounts[lender].first_device;
    data->accounts[lender].is_lent = true;
    Actor mistaken = user_of(lender, account->lent_device), user = user_of(number, account->lent_device);
    mistaken.mistake = MISTAKE_NO_RESET;
    see_form(data, &mistaken, account->signed_up_ms, false);
    create_account(data, &user, account->signed_up_ms);
    welcome(data, &user, account->signed_up_ms + 3000);
}

/* The account's own browser, from the first visit to the last. */
static void sign_up(struct demo_data *data, uint32_t number)
{
    struct account *account = &data->accounts[number];
    Millis at_ms = account->signed_up_ms, known_ms = at_ms + 3000;
    bool is_hidden = account->story == STORY_NO_ANONYMOUS_ID;
    uint32_t device = new_device(data, one_in(data, 3));
    Actor before = visitor_of(data, device, is_hidden ? NOBODY : number), user = user_of(number, device);
    Actor server = user;
    if (account->story == STORY_LATE_IDENTIFY) {
        server.device = NOBODY;
        known_ms = at_ms + between(data, DAY_MS, 3 * DAY_MS);
    } else if (is_hidden) {
        server.device = NOBODY;
        server.mistake = MISTAKE_NO_ANONYMOUS_ID;
        account->hidden_device = device;
    } else if (account->story == STORY_ALIAS) {
        user.is_old_id = server.is_old_id = true;
        user.mistake = server.mistake = MISTAKE_EMAIL_AS_ID;
    }
    if (!is_hidden) account->first_device = device, account->device_count = 1;
    uint32_t count = data->happening_count;
    visits_before(data, &before, at_ms);
    see_form(data, &before, at_ms, count == data->happening_count);
    if (account->story == STORY_PLACEHOLDER) {
        Actor confused = before;
        confused.mistake = MISTAKE_PLACEHOLDER;
        happen(data, &confused, at_ms - 5 * MINUTE_MS, DO_IDENTIFY_UNDEFINED, 0);
    }
    create_account(data, &server, at_ms);
    if (is_hidden) {
        visits_after(data, &before, at_ms);
        return;
    }
    welcome(data, &user, known_ms);
    if (account->story == STORY_ALIAS) {
        Actor numbered = user_of(number, NOBODY);
        happen(data, &numbered, known_ms + 6 * HOUR_MS, DO_ALIAS, number);
        user = user_of(number, device);
        happen(data, &user, known_ms + 7 * HOUR_MS, DO_IDENTIFY, 0);
    }
    visits_after(data, &user, known_ms + 8 * HOUR_MS);
}

/* A phone on which the same person looked around before, and logs in days later. */
static void use_second_device(struct demo_data *data, uint32_t number)
{
    struct account *account = &data->accounts[number];
    uint32_t device = new_device(data, true);
    check(device == account->first_device + 1);
    Actor before = visitor_of(data, device, number), user = user_of(number, device);
    account->device_count = 2;
    visits_before(data, &before, account->signed_up_ms - 2 * HOUR_MS);
    Millis known_ms = account->signed_up_ms + between(data, DAY_MS, 3 * DAY_MS);
    happen(data, &user, known_ms, DO_IDENTIFY, 0);
    visits_after(data, &user, known_ms);
}

static Story choose_story(struct demo_data *data, Millis signed_up_ms)
{
    uint64_t roll_of_thousand = below(data, 1000);
    bool is_late = signed_up_ms + 4 * DAY_MS >= last_moment(data);         /* too late for what takes days */
    for (unsigned story = STORY_TWO_DEVICES; story < STORY_COUNT; story++) {
        if (roll_of_thousand >= story_shares[story]) {
            roll_of_thousand -= story_shares[story];
            continue;
        }
        bool takes_days = story == STORY_TWO_DEVICES || story == STORY_LATE_IDENTIFY || story == STORY_ALIAS;
        return takes_days && is_late ? STORY_PLAIN : (Story)story;
    }
    return STORY_PLAIN;
}

static void tell_account(struct demo_data *data, uint32_t number)
{
    struct account *account = &data->accounts[number];
    Millis from_ms = data->begin_ms + DAY_MS, to_ms = data->options.end_ms - DAY_MS;
    account->hidden_device = account->lent_device = NOBODY;
    account->signed_up_ms = some_moment(data, from_ms, to_ms);
    account->plan = (uint8_t)(one_in(data, 2) ? 0 : below(data, PLANS));
    account->story = (uint8_t)choose_story(data, account->signed_up_ms);
    uint32_t lender = account->story == STORY_SHARED_NO_RESET ? find_lender(data, number) : NOBODY;
    if (account->story == STORY_SHARED_NO_RESET && lender == NOBODY) account->story = STORY_PLAIN;
    if (lender != NOBODY) sign_up_on_lent(data, number, lender);
    else sign_up(data, number);
    if (account->story == STORY_TWO_DEVICES) use_second_device(data, number);
    server_calls(data, number);
}

/* ---- Those around ---- */

static void tell_passer_by(struct demo_data *data)
{
    uint32_t device = new_device(data, one_in(data, 2));
    Actor who = visitor_of(data, device, NOBODY);
    Millis at_ms = some_moment(data, data->begin_ms, last_moment(data) - DAY_MS);
    uint64_t count = 1 + below(data, 2);
    for (uint64_t one = 0; one < count; one++) {
        Millis end_ms = visit(data, &who, at_ms, one == 0);
        if (one_in(data, 4)) happen(data, &who, end_ms + MINUTE_MS, DO_SIGNUP_VIEWED, 0);
        at_ms = end_ms + between(data, HOUR_MS, 10 * HOUR_MS);
    }
}

/* Twice a day a test logs in, always as the same user, always in a fresh browser. */
static void tell_robot(struct demo_data *data, uint32_t number)
{
    struct account *robot = &data->accounts[number];
    *robot = (struct account){ .first_device = data->device_count, .hidden_device = NOBODY, .lent_device = NOBODY,
                               .is_robot = true };
    for (Millis at_ms = data->begin_ms + 4 * HOUR_MS; at_ms < last_moment(data); at_ms += 12 * HOUR_MS) {
        uint32_t device = data->device_count++;              /* neither campaign nor referrer */
        Actor before = visitor_of(data, device, number), user = user_of(number, device);
        before.mistake = user.mistake = MISTAKE_MAGNET;
        robot->device_count++;
        happen(data, &before, at_ms, DO_HOME, 0);
        happen(data, &user, at_ms + 1500, DO_IDENTIFY, 0);
    }
}

static void tell_developer(struct demo_data *data)
{
    Actor who = visitor_of(data, data->device_count++, NOBODY);
    who.mistake = MISTAKE_DEVELOPMENT;
    for (Millis day_ms = data->begin_ms; day_ms < last_moment(data) - DAY_MS; day_ms += DAY_MS)
        for (unsigned one = 0; one < 5; one++)
            happen(data, &who, day_ms + 9 * HOUR_MS + between(data, 0, 8 * HOUR_MS), one ? DO_BROWSE : DO_HOME, 0);
}

static void tell_refused(struct demo_data *data)
{
    Actor who = { .device = NOBODY, .account = NOBODY, .person = NOBODY, .mistake = MISTAKE_REJECTED };
    for (uint32_t one = 0; one < 10 + data->options.users / 100; one++) {
        Actor nameless = who;
        nameless.device = (uint32_t)below(data, data->device_count);
        happen(data, &nameless, some_moment(data, data->begin_ms, last_moment(data)), DO_NAMELESS, 0);
    }
}

void demo_data_tell(struct demo_data *data)
{
    data->account_count = data->options.users + 1;
    for (uint32_t number = 0; number < data->options.users; number++) tell_account(data, number);
    for (uint32_t one = 0; one < 2 * data->options.users; one++) tell_passer_by(data);
    tell_robot(data, data->options.users);
    tell_developer(data);
    tell_refused(data);
}
