/* A happening as the message that a client would have sent: analytics.js in a browser, or a server's library. */
#include "demo_data.h"

typedef struct Song { const char *title, *artist, *genre; } Song;
static const Song songs[SONGS] = {
    { "Thunderhead", "Ada Ferro", "Rock" }, { "Paper Boats", "The Lowlands", "Folk" },
    { "Neon Rain", "Kilo", "Electronic" }, { "Half Moon", "Ines Duarte", "Jazz" },
    { "Salt", "The Lowlands", "Folk" }, { "Overpass", "Kilo", "Electronic" },
    { "Slow Train", "Marlow", "Blues" }, { "Glass City", "Ada Ferro", "Rock" },
    { "Lanterns", "Ines Duarte", "Jazz" }, { "Northbound", "Marlow", "Blues" },
    { "Petrichor", "Sung", "Ambient" }, { "Signal Fire", "Sung", "Ambient" },
};
static const char *const first_names[] = {
    "Kim", "Ann", "Ben", "Cleo", "Dev", "Eve", "Finn", "Gus", "Hana", "Ivan", "Jo", "Lea", "Max", "Noor", "Ole", "Pia",
};
typedef struct Page { const char *name, *path, *title; } Page;
static const Page pages[] = {
    [DO_HOME] = { "Home", "/", "rdio: every song, one small site" }, [DO_BROWSE] = { "Browse", "/browse", "Browse" },
    [DO_PRICING] = { "Pricing", "/pricing", "Plans" }, [DO_WELCOME] = { "Welcome", "/welcome", "Welcome" },
};

static bool is_page(const struct happening *one) { return one->doing <= DO_WELCOME; }

/* Whose own program sends it. */
static bool is_server(const struct happening *one)
{
    return one->doing == DO_ACCOUNT_CREATED || one->doing == DO_SUBSCRIPTION_STARTED || one->doing == DO_REMINDER_SENT
           || one->doing == DO_ALIAS;
}

/* ---- Ids ---- */

void demo_data_anonymous_id(const struct demo_data *data, uint32_t device, struct buf *out)
{
    Hash128 hash = hash_128(str_of(&device, sizeof device), data->name);
    buf_printf(out, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(hash.low >> 32), (unsigned)(hash.low >> 16 & 0xffff),
               (unsigned)(hash.low & 0xfff), (unsigned)(hash.high >> 48 & 0x3fff) | 0x8000,
               (unsigned long long)(hash.high & UINT64_C(0xffffffffffff)));
}

static const char *first_name(uint32_t account) { return first_names[account % countof(first_names)]; }

static void put_email(uint32_t account, struct buf *out)
{
    buf_printf(out, "%s.%u@example.com", first_name(account), 10001 + account);
}

void demo_data_user_id(const struct demo_data *data, uint32_t account, bool is_old, struct buf *out)
{
    if (data->accounts[account].is_robot) buf_str_put(out, STR("qa-robot"));
    else if (is_old) put_email(account, out);
    else buf_printf(out, "%u", 10001 + account);
}

static void put_id(struct buf *out, const char *name, const struct buf *id) { json_string(out, name, buf_str(id)); }

static void put_ids(const struct demo_data *data, const struct happening *one, struct buf *out)
{
    char bytes[64];
    struct buf id;
    buf_init_fixed(&id, bytes, sizeof bytes);
    if (one->device != NOBODY) {
        demo_data_anonymous_id(data, one->device, &id);
        put_id(out, "anonymousId", &id);
        buf_clear(&id);
    }
    if (one->doing == DO_IDENTIFY_UNDEFINED) json_string(out, "userId", STR("undefined"));
    if (one->account == NOBODY) return;
    demo_data_user_id(data, one->account, one->is_old_id, &id);
    put_id(out, "userId", &id);
    if (one->doing != DO_ALIAS) return;
    buf_clear(&id);
    demo_data_user_id(data, one->account, true, &id);
    put_id(out, "previousId", &id);
}

/* ---- Context ---- */

static const char *origin_of(const struct happening *one)
{
    return one->mistake == MISTAKE_DEVELOPMENT ? "http://localhost:3000" : "https://rdio.example.com";
}

static void put_url(const struct happening *one, const char *path, struct buf *out)
{
    char bytes[160];
    struct buf url;
    buf_init_fixed(&url, bytes, sizeof bytes);
    buf_printf(&url, "%s%s", origin_of(one), path);
    if (one->mistake == MISTAKE_EMAIL_IN_URL) {
        buf_str_put(&url, STR("?email="));
        put_email(one->account, &url);
    }
    json_string(out, "url", buf_str(&url));
}

static void put_referrer(const struct demo_data *data, const struct happening *one, struct buf *out)
{
    const char *host = one->is_landing ? demo_referrers[data->devices[one->device].referrer] : NULL;
    json_printf(out, "referrer", "%s%s%s", host ? "https://" : "", host ? host : "", host ? "/" : "");
}

static void put_browser_context(const struct demo_data *data, const struct happening *one, struct buf *out)
{
    const struct device *device = &data->devices[one->device];
    const DemoCampaign *campaign = one->is_landing ? &demo_campaigns[device->campaign] : &demo_campaigns[0];
    const char *path = is_page(one) ? pages[one->doing].path
                       : one->doing == DO_SONG_PLAYED || one->doing == DO_PLAYLIST_CREATED ? "/browse"
                       : one->doing == DO_IDENTIFY || one->doing == DO_GROUP ? "/welcome" : "/signup";
    json_object(out, "library");
    json_string(out, "name", STR("analytics.js"));
    json_string(out, "version", STR("2.11.1"));
    json_object_end(out);
    json_object(out, "page");
    json_word(out, "path", path);
    put_referrer(data, one, out);
    put_url(one, path, out);
    json_object_end(out);
    if (campaign->source) {
        json_object(out, "campaign");
        json_word(out, "source", campaign->source);
        json_word(out, "medium", campaign->medium);
        json_word(out, "name", campaign->name);
        json_object_end(out);
    }
    json_word(out, "locale", one->device % 3 ? "en-GB" : "de-DE");
    json_word(out, "userAgent", device->is_phone
        ? "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/126.0.0.0 Mobile Safari/537.36"
        : "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
}

static void put_context(const struct demo_data *data, const struct happening *one, struct buf *out)
{
    json_object(out, "context");
    if (is_server(one)) {
        json_object(out, "library");
        json_string(out, "name", STR("analytics-node"));
        json_string(out, "version", STR("2.1.0"));
        json_object_end(out);
    } else {
        put_browser_context(data, one, out);
    }
    json_object_end(out);
}

/* ---- What it says ---- */

const char *demo_data_event(const struct happening *one)
{
    switch (one->doing) {
    case DO_SIGNUP_VIEWED:        return "Signup Viewed";
    case DO_ACCOUNT_CREATED:      return "Account Created";
    case DO_SONG_PLAYED:          return one->mistake == MISTAKE_NEAR_DUPLICATE ? "song_played" : "Song Played";
    case DO_PLAYLIST_CREATED:     return "Playlist Created";
    case DO_SUBSCRIPTION_STARTED: return "Subscription Started";
    case DO_REMINDER_SENT:        return "Trial Reminder Sent";
    default:                      return NULL;
    }
}

static const char *type_of(const struct happening *one)
{
    return is_page(one) ? "page" : one->doing == DO_ALIAS ? "alias" : one->doing == DO_GROUP ? "group"
           : one->doing == DO_IDENTIFY || one->doing == DO_IDENTIFY_UNDEFINED ? "identify" : "track";
}

static void put_traits(const struct demo_data *data, const struct happening *one, struct buf *out)
{
    json_object(out, "traits");
    if (one->doing == DO_GROUP) {
        json_printf(out, "name", "Company %u", one->detail);
        json_string(out, "plan", STR("Team"));
    } else if (one->account != NOBODY) {
        char bytes[64];
        struct buf email;
        buf_init_fixed(&email, bytes, sizeof bytes);
        put_email(one->account, &email);
        json_word(out, "name", first_name(one->account));
        json_string(out, "email", buf_str(&email));
        json_word(out, "plan", demo_plans[data->accounts[one->account].plan].name);
        if (!data->accounts[one->account].is_robot)
            json_instant(out, "createdAt", data->accounts[one->account].signed_up_ms);
    }
    json_object_end(out);
}

static void put_page(const struct happening *one, struct buf *out)
{
    const Page *page = &pages[one->doing];
    json_word(out, "name", page->name);
    json_object(out, "properties");
    json_word(out, "name", page->name);
    json_word(out, "path", page->path);
    json_word(out, "title", page->title);
    put_url(one, page->path, out);
    json_object_end(out);
}

static void put_track(const struct happening *one, struct buf *out)
{
    const char *event = demo_data_event(one);
    unsigned cents = demo_plans[one->detail % PLANS].cents;
    if (event) json_word(out, "event", event);
    json_object(out, "properties");
    switch (one->doing) {
    case DO_SONG_PLAYED:
        json_word(out, "song", songs[one->detail].title);
        json_word(out, "artist", songs[one->detail].artist);
        json_word(out, "genre", songs[one->detail].genre);
        break;
    case DO_ACCOUNT_CREATED:
        json_word(out, "plan", demo_plans[one->detail].name);
        break;
    case DO_SUBSCRIPTION_STARTED:
        json_word(out, "plan", demo_plans[one->detail].name);
        if (one->mistake == MISTAKE_TYPE_DRIFT) json_printf(out, "revenue", "%u.%02u", cents / 100, cents % 100);
        else json_double(out, "revenue", cents / 100.0);
        json_word(out, "currency", "USD");
        break;
    default: break;
    }
    json_object_end(out);
}

void demo_data_write_message(const struct demo_data *data, uint64_t number, struct buf *out)
{
    check(number < data->happening_count);
    const struct happening *one = &data->happenings[number];
    Str source = is_server(one) ? data->options.server : data->options.website;
    json_object(out, NULL);
    json_word(out, "type", type_of(one));
    json_printf(out, "messageId", "demo-%016llx-%llu", (unsigned long long)data->name, (unsigned long long)number);
    put_ids(data, one, out);
    if (one->doing == DO_GROUP) json_printf(out, "groupId", "company-%u", one->detail);
    if (is_page(one)) put_page(one, out);
    else if (one->doing == DO_IDENTIFY || one->doing == DO_IDENTIFY_UNDEFINED || one->doing == DO_GROUP)
        put_traits(data, one, out);
    else if (one->doing != DO_ALIAS) put_track(one, out);
    put_context(data, one, out);
    json_instant(out, "timestamp", one->at_ms);
    json_string(out, "projectId", source);
    json_object_end(out);
}
