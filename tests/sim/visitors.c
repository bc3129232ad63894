/* visitors: the stories of the sign-up, told by dice. */
#include "visitors.h"

#include <stdio.h>
#include <stdlib.h>

const char *const visitors_plans[4] = { "", "free", "pro", "team" };
const char *const visitors_externals[EXTERNALS] = { "email", "phone" };
const char *const visitors_sources[SOURCES] = { "site", "app", "backend" };

static void new_id(struct visitors *visitors, const char *prefix, char *id)
{
    snprintf(id, ID_BYTES, "%s-%08x-%u", prefix, (unsigned)dice_u64(&visitors->dice->dice), visitors->ids_made++);
}

void visitors_init(struct visitors *visitors, struct fake_dice *dice, struct fake_clock *clock, Sent *sent)
{
    *visitors = (struct visitors){ .dice = dice, .clock = clock, .sent = sent };
    visitors->sent_of = calloc(IDS_MAX, sizeof *visitors->sent_of);
    check(visitors->sent_of);
    visitors->count = 2 + fake_dice_below(dice, VISITORS_MAX - 2);
    for (size_t at = 0; at < visitors->count; at++) {
        struct visitor *visitor = &visitors->all[at];
        new_id(visitors, "anon", visitor->anonymous_id);
        visitor->source = (int)(at % SOURCE_BACKEND);
        if (fake_dice_chance(dice, 200)) visitor->skew_ms = (Millis)fake_dice_below(dice, 7200000) - 3600000;
    }
}

/* Mostly the user's own; some have two, families share one, and who has none yet leaves one for the newsletter. */
static void pick_email(struct visitors *visitors, Sent *sent)
{
    uint64_t number = visitors->users_made ? fake_dice_below(visitors->dice, visitors->users_made) : 0;
    int64_t user;
    if (fake_dice_chance(visitors->dice, 700) && str_parse_int(str_from(sent->user_id), 12345, INT64_MAX, &user))
        number = (uint64_t)user - 12345;
    snprintf(sent->externals[EXTERNAL_EMAIL], ID_BYTES, "kim%llu@x%s", (unsigned long long)number,
             fake_dice_chance(visitors->dice, 100) ? "-work" : "");
}

static void pick_phone(struct visitors *visitors, Sent *sent)
{
    snprintf(sent->externals[EXTERNAL_PHONE], ID_BYTES, "49-%d", (int)fake_dice_below(visitors->dice, 12));
}

static Sent *make_message(struct visitors *visitors, struct visitor *visitor, EventType type, const char *name)
{
    if (visitor->outbox_count == OUTBOX_MAX || visitors->sent_count == SENT_MAX) return NULL;
    if (visitors->ids_made == IDS_MAX) return NULL;
    Sent *sent = &visitors->sent[visitors->sent_count];
    *sent = (Sent){ .type = type, .source = visitor->source,
                    .happened_at_ms = visitors->clock->now_ms + visitor->skew_ms };
    visitors->sent_of[visitors->ids_made] = (uint32_t)visitors->sent_count;
    new_id(visitors, "m", sent->message_id);
    snprintf(sent->anonymous_id, ID_BYTES, "%s", visitor->anonymous_id);
    snprintf(sent->user_id, ID_BYTES, "%s", visitor->user_id);
    snprintf(sent->name, ID_BYTES, "%s", name);
    if (type == EVENT_IDENTIFY) sent->plan = (int)fake_dice_below(visitors->dice, countof(visitors_plans));
    if (type == EVENT_IDENTIFY && fake_dice_chance(visitors->dice, 400)) pick_email(visitors, sent);
    if (fake_dice_chance(visitors->dice, 50)) pick_phone(visitors, sent);
    visitor->outbox[visitor->outbox_count++] = (uint32_t)visitors->sent_count++;
    return sent;
}

/* An existing user, or a new one. */
static void pick_user(struct visitors *visitors, char *user_id)
{
    bool is_new = visitors->users_made == 0 || fake_dice_chance(visitors->dice, 500);
    uint64_t number = is_new ? visitors->users_made++ : fake_dice_below(visitors->dice, visitors->users_made);
    snprintf(user_id, ID_BYTES, "%llu", (unsigned long long)(12345 + number));
}

static void sign_up(struct visitors *visitors, struct visitor *visitor)
{
    bool server_first = fake_dice_chance(visitors->dice, 300);
    char user_id[ID_BYTES];
    pick_user(visitors, user_id);
    if (server_first) {
        Sent *sent = make_message(visitors, visitor, EVENT_IDENTIFY, "");
        if (sent) {
            sent->anonymous_id[0] = 0;
            sent->is_server = true;
            sent->source = SOURCE_BACKEND;
            snprintf(sent->user_id, ID_BYTES, "%s", user_id);
        }
    }
    snprintf(visitor->user_id, ID_BYTES, "%s", user_id);
    (void)make_message(visitors, visitor, EVENT_IDENTIFY, "");
    (void)make_message(visitors, visitor, EVENT_TRACK, "Account Created");
}

/* Somebody whom nobody knows leaves an email. */
static void subscribe(struct visitors *visitors, struct visitor *visitor)
{
    Sent *sent = make_message(visitors, visitor, EVENT_IDENTIFY, "");
    if (sent && !sent->externals[EXTERNAL_EMAIL][0]) pick_email(visitors, sent);
}

static void make_alias(struct visitors *visitors, struct visitor *visitor)
{
    Sent *sent = make_message(visitors, visitor, EVENT_ALIAS, "");
    if (!sent) return;
    if (!sent->user_id[0]) pick_user(visitors, sent->user_id);
    if (fake_dice_chance(visitors->dice, 700)) snprintf(sent->previous_id, ID_BYTES, "%s", visitor->anonymous_id);
    else pick_user(visitors, sent->previous_id);
}

void visitors_act(struct visitors *visitors)
{
    struct visitor *visitor = &visitors->all[fake_dice_below(visitors->dice, visitors->count)];
    uint64_t choice = fake_dice_below(visitors->dice, 100);
    if (choice < 40) {
        (void)make_message(visitors, visitor, EVENT_PAGE, "Landing");
    } else if (choice < 65) {
        (void)make_message(visitors, visitor, EVENT_TRACK, choice < 55 ? "Song Played" : "Signup Viewed");
    } else if (choice < 78) {
        sign_up(visitors, visitor);
    } else if (choice < 84) {
        make_alias(visitors, visitor);
    } else if (choice < 86) {
        subscribe(visitors, visitor);
    } else if (choice < 90) {                                          /* log out, properly */
        visitor->user_id[0] = 0;
        new_id(visitors, "anon", visitor->anonymous_id);
    } else if (choice < 94) {                                          /* log out without reset: a shared device */
        visitor->user_id[0] = 0;
    } else if (choice < 97) {                                          /* the same person on another device */
        struct visitor *other = &visitors->all[fake_dice_below(visitors->dice, visitors->count)];
        memmove(other->user_id, visitor->user_id, ID_BYTES);
    } else {
        (void)make_message(visitors, visitor, EVENT_SCREEN, "Home");
    }
}

static void put_member(struct buf *body, const char *name, const char *value)
{
    if (!value[0]) return;
    buf_printf(body, ",\"%s\":", name);
    buf_json_string(body, str_from(value));
}

static void put_traits(struct buf *body, const Sent *sent)
{
    const char *email = sent->externals[EXTERNAL_EMAIL];
    buf_str_put(body, STR(",\"traits\":{"));
    if (sent->plan) buf_printf(body, "\"plan\":\"%s\"%s", visitors_plans[sent->plan], email[0] ? "," : "");
    if (email[0]) buf_printf(body, "\"email\":\"%s\"", email);
    buf_char(body, '}');
}

static void put_message(struct buf *body, const Sent *sent)
{
    buf_printf(body, "{\"type\":\"%s\"", event_type_word(sent->type));
    put_member(body, "messageId", sent->message_id);
    buf_printf(body, ",\"writeKey\":\"wk_%s\"", visitors_sources[sent->source]);
    put_member(body, "userId", sent->user_id);
    put_member(body, "anonymousId", sent->anonymous_id);
    put_member(body, "previousId", sent->previous_id);
    if (sent->type == EVENT_TRACK) put_member(body, "event", sent->name);
    if (sent->type == EVENT_PAGE || sent->type == EVENT_SCREEN) put_member(body, "name", sent->name);
    if (sent->type == EVENT_TRACK) buf_printf(body, ",\"properties\":{\"id\":\"%s\"}", sent->message_id);
    if (sent->type == EVENT_IDENTIFY) put_traits(body, sent);
    const char *phone = sent->externals[EXTERNAL_PHONE];
    if (phone[0]) buf_printf(body, ",\"context\":{\"phone\":\"%s\"}", phone);
    buf_str_put(body, STR(",\"timestamp\":\""));
    buf_instant(body, sent->happened_at_ms);
    buf_str_put(body, STR("\"}"));
}

size_t visitors_make_request(struct visitors *visitors, struct buf *body, uint32_t *ret_indices, size_t *ret_visitor)
{
    size_t who = fake_dice_below(visitors->dice, visitors->count);
    struct visitor *visitor = &visitors->all[who];
    if (visitor->outbox_count == 0) return 0;
    size_t count = 1 + fake_dice_below(visitors->dice, visitor->outbox_count);
    buf_clear(body);
    buf_str_put(body, STR("{\"batch\":["));
    for (size_t at = 0; at < count; at++) {
        if (at) buf_char(body, ',');
        ret_indices[at] = visitor->outbox[at];
        put_message(body, &visitors->sent[visitor->outbox[at]]);
    }
    buf_str_put(body, STR("],\"sentAt\":\""));
    buf_instant(body, visitors->clock->now_ms + visitor->skew_ms);
    buf_str_put(body, STR("\"}"));
    check(buf_ok(body));
    *ret_visitor = who;
    return count;
}

static void leave_outbox(struct visitor *visitor, size_t place)
{
    memmove(visitor->outbox + place, visitor->outbox + place + 1,
            (visitor->outbox_count - place - 1) * sizeof *visitor->outbox);
    visitor->outbox_count--;
}

void visitors_acknowledge(struct visitors *visitors, size_t who, const uint32_t *indices, size_t count)
{
    struct visitor *visitor = &visitors->all[who];
    for (size_t at = 0; at < count; at++) {
        visitors->sent[indices[at]].is_acknowledged = true;
        for (size_t place = 0; place < visitor->outbox_count; place++) {
            if (visitor->outbox[place] != indices[at]) continue;
            leave_outbox(visitor, place);
            break;
        }
    }
}

int visitors_find_sent(const struct visitors *visitors, Str message_id)
{
    size_t dash = message_id.len;
    int64_t number;
    while (dash > 0 && message_id.bytes[dash - 1] != '-') dash--;
    if (!str_parse_int(str_slice(message_id, dash, message_id.len), 0, IDS_MAX - 1, &number)) return -1;
    uint32_t sent = visitors->sent_of[number];
    return str_equal(str_from(visitors->sent[sent].message_id), message_id) ? (int)sent : -1;
}

void visitors_forget_erased(struct visitors *visitors)
{
    for (size_t who = 0; who < visitors->count; who++)
        for (size_t place = visitors->all[who].outbox_count; place > 0; place--)
            if (visitors->sent[visitors->all[who].outbox[place - 1]].was_erased)
                leave_outbox(&visitors->all[who], place - 1);
}

void visitors_done(struct visitors *visitors) { free(visitors->sent_of); }
