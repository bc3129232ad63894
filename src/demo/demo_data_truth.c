/* The truth about the made-up history, as JSON: counted from the table of happenings, in which each story wrote who it
 * was that did it. Where a mistake hides somebody, the truth is what can be known; what is hidden stands beside it. */
#include "demo_data.h"

static const char *const story_words[STORY_COUNT] = {
    [STORY_PLAIN] = "plain", [STORY_TWO_DEVICES] = "two_devices", [STORY_LATE_IDENTIFY] = "late_identify",
    [STORY_SHARED_WITH_RESET] = "shared_with_reset", [STORY_SHARED_NO_RESET] = "shared_no_reset",
    [STORY_ALIAS] = "alias", [STORY_NO_ANONYMOUS_ID] = "no_anonymous_id", [STORY_PLACEHOLDER] = "placeholder",
};
static const char *const mistake_words[MISTAKE_COUNT] = {
    [MISTAKE_NO_RESET] = "no_reset_at_logout", [MISTAKE_NO_ANONYMOUS_ID] = "signup_without_history",
    [MISTAKE_PLACEHOLDER] = "placeholder_id", [MISTAKE_MAGNET] = "magnet", [MISTAKE_EMAIL_AS_ID] = "id_is_email",
    [MISTAKE_SENT_TWICE] = "sent_twice", [MISTAKE_SIGNED_UP_TWICE] = "signup_twice",
    [MISTAKE_NEAR_DUPLICATE] = "near_duplicate", [MISTAKE_TYPE_DRIFT] = "type_drift",
    [MISTAKE_EMAIL_IN_URL] = "email_in_url", [MISTAKE_DEVELOPMENT] = "dev_traffic",
    [MISTAKE_EVENT_STOPPED] = "event_stopped", [MISTAKE_REJECTED] = "rejected",
};

/* What one person did, as far as the answers need it. */
struct deeds {
    Millis home_ms, signed_up_ms;          /* the first; 0: never */
    Millis last_song_day;                  /* on which a song was counted; 0: none yet */
    uint32_t landing;                      /* campaign of the first page of all */
    uint32_t campaign, referrer;           /* the first ones that it has, up to the sign-up */
    uint8_t depth;                         /* in the funnel */
    bool has_page;                         /* up to the sign-up a call of a browser: it has a referrer, be it "" */
    bool has_history;                      /* before the sign-up something without a user id */
};

struct count {
    const struct demo_data *data;
    struct deeds *deeds;                   /* a person each */
    uint32_t person_count;
    uint32_t *signups, *with_history, *songs, *song_people;        /* a day each */
    uint64_t revenue_cents, accepted;
    uint64_t mistakes[MISTAKE_COUNT];
};

static uint32_t day_of(const struct demo_data *data, Millis at_ms)
{
    return (uint32_t)((at_ms - data->begin_ms) / DAY_MS);
}

/* Happenings come in order of time, so the first that is met is the first. The window of the funnel is longer than the
 * history: a person gets as far as they ever got in order. */
static void count_deed(struct count *count, const struct happening *one)
{
    const struct demo_data *data = count->data;
    struct deeds *deeds = &count->deeds[one->person];
    uint32_t day = day_of(data, one->at_ms);
    if (!deeds->signed_up_ms && one->account == NOBODY) deeds->has_history = true;
    if (!deeds->signed_up_ms && one->is_landing) {
        const struct device *device = &data->devices[one->device];
        if (!deeds->campaign) deeds->campaign = device->campaign;
        if (!deeds->has_page) deeds->referrer = device->referrer;
        deeds->has_page = true;
    }
    switch (one->doing) {
    case DO_HOME:
        if (!deeds->home_ms) {
            deeds->home_ms = one->at_ms;
            deeds->landing = one->is_landing ? data->devices[one->device].campaign : 0;
            deeds->depth = 1;
        }
        break;
    case DO_SIGNUP_VIEWED:
        if (deeds->depth == 1) deeds->depth = 2;
        break;
    case DO_ACCOUNT_CREATED:
        if (deeds->depth == 2) deeds->depth = 3;
        if (deeds->signed_up_ms) break;
        deeds->signed_up_ms = one->at_ms;
        count->signups[day]++;
        count->with_history[day] += deeds->has_history;
        break;
    case DO_SONG_PLAYED:
        if (one->mistake == MISTAKE_NEAR_DUPLICATE) break;
        count->songs[day]++;
        if (deeds->last_song_day != day + 1) count->song_people[day]++;
        deeds->last_song_day = day + 1;
        break;
    case DO_SUBSCRIPTION_STARTED:
        count->revenue_cents += demo_plans[one->detail].cents;
        break;
    default: break;
    }
}

static void count_all(struct count *count, const struct demo_data *data, Arena *arena)
{
    *count = (struct count){ .data = data, .person_count = data->account_count + data->device_count };
    count->deeds = arena_new(arena, struct deeds, count->person_count);
    count->signups = arena_new(arena, uint32_t, data->options.days);
    count->with_history = arena_new(arena, uint32_t, data->options.days);
    count->songs = arena_new(arena, uint32_t, data->options.days);
    count->song_people = arena_new(arena, uint32_t, data->options.days);
    for (uint32_t at = 0; at < data->happening_count; at++) {
        const struct happening *one = &data->happenings[at];
        count->mistakes[one->mistake]++;
        if (one->mistake == MISTAKE_REJECTED) continue;
        count->accepted++;
        count_deed(count, one);
    }
}

/* ---- Writing ---- */

static uint64_t put_days(const struct count *count, const char *name, const uint32_t *values, struct buf *out)
{
    uint64_t all = 0;
    json_array(out, name);
    for (uint32_t day = 0; day < count->data->options.days; day++) {
        json_uint(out, NULL, values[day]);
        all += values[day];
    }
    json_array_end(out);
    return all;
}

static void put_touch(const char *value, uint64_t people, struct buf *out)
{
    if (!people) return;
    json_object(out, NULL);
    json_word(out, "value", value);
    json_uint(out, "people", people);
    json_object_end(out);
}

/* How many signed up by one of the first touches. */
static void put_campaign(const struct count *count, uint32_t row, struct buf *out)
{
    uint64_t people = 0;
    for (uint32_t person = 0; person < count->person_count; person++)
        people += count->deeds[person].signed_up_ms && count->deeds[person].campaign == row;
    put_touch(demo_campaigns[row].source, people, out);
}

static void put_referrer(const struct count *count, uint32_t row, bool has_page, struct buf *out)
{
    uint64_t people = 0;
    for (uint32_t person = 0; person < count->person_count; person++) {
        const struct deeds *deeds = &count->deeds[person];
        people += deeds->signed_up_ms && deeds->has_page == has_page && deeds->referrer == row;
    }
    put_touch(!has_page ? NULL : row ? demo_referrers[row] : "", people, out);
}

static void put_signups(const struct count *count, struct buf *out)
{
    json_object(out, "signups");
    json_string(out, "event", STR("Account Created"));
    json_uint(out, "people", put_days(count, "values", count->signups, out));
    json_uint(out, "with_history", put_days(count, "with_history_values", count->with_history, out));
    json_array(out, "campaigns");
    for (uint32_t row = 0; row < CAMPAIGNS; row++) put_campaign(count, row, out);
    json_array_end(out);
    json_array(out, "referrers");
    put_referrer(count, 0, false, out);
    for (uint32_t row = 0; row < REFERRERS; row++) put_referrer(count, row, true, out);
    json_array_end(out);
    json_object_end(out);
}

/* campaign CAMPAIGNS: all. */
static uint64_t people_at(const struct count *count, uint32_t campaign, unsigned depth)
{
    uint64_t people = 0;
    for (uint32_t person = 0; person < count->person_count; person++) {
        const struct deeds *deeds = &count->deeds[person];
        people += deeds->depth >= depth && (campaign == CAMPAIGNS || deeds->landing == campaign);
    }
    return people;
}

static void put_depths(const struct count *count, uint32_t campaign, struct buf *out)
{
    json_array(out, "people");
    for (unsigned depth = 1; depth <= 3; depth++) json_uint(out, NULL, people_at(count, campaign, depth));
    json_array_end(out);
}

static void put_funnel(const struct count *count, struct buf *out)
{
    static const char question[] = "{\"steps\":[\"page:Home\",\"Signup Viewed\",\"Account Created\"],"
                                   "\"window\":\"100d\",\"by\":\"context.campaign.source\"}";
    json_object(out, "funnel");
    json_raw(out, "question", str_from(question));
    put_depths(count, CAMPAIGNS, out);
    json_array(out, "groups");
    for (uint32_t campaign = 0; campaign < CAMPAIGNS; campaign++) {
        if (!people_at(count, campaign, 1)) continue;
        json_object(out, NULL);
        json_word(out, "value", demo_campaigns[campaign].source);
        put_depths(count, campaign, out);
        json_object_end(out);
    }
    json_array_end(out);
    json_object_end(out);
}

static void put_trends(const struct count *count, struct buf *out)
{
    json_object(out, "songs_played");
    put_days(count, "count", count->songs, out);
    put_days(count, "people", count->song_people, out);
    json_object_end(out);
    json_double(out, "revenue", (double)count->revenue_cents / 100);
}

static void put_user_id(const struct demo_data *data, uint32_t account, bool is_old, struct buf *out)
{
    char bytes[64];
    struct buf id;
    buf_init_fixed(&id, bytes, sizeof bytes);
    demo_data_user_id(data, account, is_old, &id);
    json_string(out, NULL, buf_str(&id));
}

static void put_device(const struct demo_data *data, uint32_t device, struct buf *out)
{
    char bytes[64];
    struct buf id;
    buf_init_fixed(&id, bytes, sizeof bytes);
    demo_data_anonymous_id(data, device, &id);
    json_string(out, NULL, buf_str(&id));
}

static void put_person(const struct count *count, uint32_t number, struct buf *out)
{
    const struct demo_data *data = count->data;
    const struct account *account = &data->accounts[number];
    json_object(out, NULL);
    json_array(out, "user_ids");
    put_user_id(data, number, false, out);
    if (account->story == STORY_ALIAS) put_user_id(data, number, true, out);
    json_array_end(out);
    json_array(out, "anonymous_ids");
    for (uint32_t one = 0; one < account->device_count; one++) put_device(data, account->first_device + one, out);
    if (account->lent_device != NOBODY) put_device(data, account->lent_device, out);
    json_array_end(out);
    json_array(out, "hidden_anonymous_ids");
    if (account->hidden_device != NOBODY) put_device(data, account->hidden_device, out);
    json_array_end(out);
    json_word(out, "story", account->is_robot ? "robot" : story_words[account->story]);
    if (account->is_robot) json_null(out, "signed_up_at");
    else json_instant(out, "signed_up_at", count->deeds[number].signed_up_ms);
    json_bool(out, "with_history", count->deeds[number].has_history && !account->is_robot);
    json_word(out, "campaign", demo_campaigns[count->deeds[number].campaign].source);
    json_object_end(out);
}

void demo_data_write_truth(const struct demo_data *data, struct buf *out)
{
    struct region region;
    struct count count;
    size_t people = data->account_count + data->device_count;
    region_open(&region, people * sizeof(struct deeds) + DEMO_DAYS_MOST * 4 * sizeof(uint32_t) + 4096);
    Arena arena = region_arena(&region);
    count_all(&count, data, &arena);
    json_object(out, NULL);
    json_uint(out, "seed", data->options.seed);
    json_uint(out, "users", data->options.users);
    json_uint(out, "days", data->options.days);
    json_instant(out, "from", data->begin_ms);
    json_instant(out, "to", data->options.end_ms);
    json_string(out, "website", data->options.website);
    json_string(out, "server", data->options.server);
    json_uint(out, "messages", data->happening_count);
    json_uint(out, "accepted", count.accepted);
    json_object(out, "mistakes");
    for (unsigned mistake = MISTAKE_NONE + 1; mistake < MISTAKE_COUNT; mistake++)
        json_uint(out, mistake_words[mistake], count.mistakes[mistake]);
    json_object_end(out);
    put_signups(&count, out);
    put_funnel(&count, out);
    put_trends(&count, out);
    json_array(out, "people");
    for (uint32_t number = 0; number < data->account_count; number++) put_person(&count, number, out);
    json_array_end(out);
    json_object_end(out);
    region_close(&region);
}
