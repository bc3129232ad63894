/* symptoms_count: counts one message in its day. The applier's thread does this for every message. So what is the same
 * in most messages (the page, the browser, the user) is judged once, and the verdict is remembered by the hash of the
 * text (struct day_memos). The verdict depends only on the bytes of that text. */
#include "symptoms_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMBERS_MOST = 2 * SYMPTOMS_FIELDS, DEEP_MOST = 200, DEPTH_MOST = 8, LATE_MS = DAY_MS, SKEW_MS = 5 * MINUTE_MS,
       OLD_MS = HOUR_MS, HALF_HOUR_MS = 30 * MINUTE_MS, ZONE_SLACK_MS = 2 * MINUTE_MS, ZONES_MOST = 28,
       FREE_TEXT_BYTES = 200 };

enum { NO_FIELDS = UINT32_MAX };

/* The parts of a message that are looked at. Texts are as the JSON has them. */
struct parts {
    uint32_t fields;                        /* the properties, or the traits, in the outline; NO_FIELDS: it has none */
    Str library, app, page, agent, webdriver, time_problem;
};

struct adding {
    struct day_table *table;
    const SymptomMessage *message;
    const OutlineMember *members;           /* of the message's outline */
    Arena scratch;
    uint32_t origin;
    uint64_t id_hash;                       /* of the messageId, for examples; 0: not computed yet */
    Str event;                              /* the name as it is kept */
    bool is_silent;                         /* an import: counted, but no symptoms */
};

/* ---- What is in a message ---- */

static inline bool is_key(Str key, const char *name, size_t len)
{
    return key.len == len && !memcmp(key.bytes, name, len);
}
#define IS_KEY(key, literal) is_key(key, literal, sizeof(literal) - 1)

/* The length of a name decides first which one it can be. */
static void take_context(const OutlineMember *members, uint32_t context, struct parts *parts)
{
    for (uint32_t at = context + 1; at < members[context].next; at = members[at].next) {
        Str key = members[at].key;
        switch (key.len) {
        case 3: if (IS_KEY(key, "app")) parts->app = members[at].raw; break;
        case 4: if (IS_KEY(key, "page")) parts->page = members[at].raw; break;
        case 7: if (IS_KEY(key, "library")) parts->library = members[at].raw; break;
        case 9:
            if (IS_KEY(key, "userAgent")) parts->agent = event_raw_text(members[at].raw);
            else if (IS_KEY(key, "webdriver")) parts->webdriver = members[at].raw;
            break;
        default: break;
        }
    }
}

static void take_parts(const SymptomMessage *message, struct parts *parts)
{
    EventType type = message->event->type;
    bool has_traits = type == EVENT_IDENTIFY || type == EVENT_GROUP;
    const OutlineMember *members = message->outline->members;
    *parts = (struct parts){ .fields = NO_FIELDS };
    for (uint32_t at = 0; at < message->outline->count; at = members[at].next) {
        Str key = members[at].key;
        bool is_object = members[at].kind == OUTLINE_OBJECT;
        switch (key.len) {
        case 6: if (has_traits && is_object && IS_KEY(key, "traits")) parts->fields = at; break;
        case 7: if (is_object && IS_KEY(key, "context")) take_context(members, at, parts); break;
        case 10: if (!has_traits && is_object && IS_KEY(key, "properties")) parts->fields = at; break;
        case 11: if (IS_KEY(key, "timeProblem")) parts->time_problem = event_raw_text(members[at].raw); break;
        default: break;
        }
    }
}

/* A member of the object; false if there is none. */
static bool find_member(Str object, const char *name, EventMember *ret)
{
    EventMembers members;
    size_t len = strlen(name);
    if (!object.len || object.bytes[0] != '{' || !event_members_open(&members, object)) return false;
    while (event_members_next(&members, ret))
        if (is_key(ret->key, name, len)) return true;
    return false;
}

/* The text of a member of the object; empty if there is none. */
static Str find_text(Str object, const char *name)
{
    EventMember member;
    return find_member(object, name, &member) ? event_raw_text(member.raw) : (Str){ 0 };
}

/* ---- Names as they are kept ---- */

static Str cut(Str text, size_t most)
{
    if (text.len <= most) return text;
    text.len = most;
    while (text.len > 0 && (text.bytes[text.len] & 0xC0) == 0x80) text.len--;
    return text;
}

static bool is_blank(char c) { return (unsigned char)c <= ' '; }

/* A word with an @ in it is somebody's address: it becomes "#". */
static Str without_addresses(Str name, Arena *arena)
{
    name = cut(name, SYMPTOMS_NAME_BYTES);
    if (!name.len || !memchr(name.bytes, '@', name.len)) return name;
    char *kept = arena_bytes(arena, name.len);
    size_t len = 0, word = 0;
    bool has_at = false;
    for (size_t at = 0; at <= name.len; at++) {
        if (at < name.len && !is_blank(name.bytes[at])) {
            has_at |= name.bytes[at] == '@';
            continue;
        }
        if (has_at) kept[len++] = '#';
        else memcpy(kept + len, name.bytes + word, at - word), len += at - word;
        if (at < name.len) kept[len++] = ' ';
        word = at + 1;
        has_at = false;
    }
    return (Str){ kept, len };
}

static Str unescaped(Str raw, bool has_escape, Arena *arena)
{
    TreeNode node;
    if (!has_escape || raw.len > LIMIT_RECORD_BYTES / 2) return event_raw_text(raw);
    return event_tree_scalar(raw, arena, &node) ? node.text : event_raw_text(raw);
}

/* ---- Origins ---- */

/* Texts that an SDK writes here have no escapes; if somebody else's have, they are kept with them. */
static void read_origin(const struct parts *parts, Str source, bool is_import, SymptomOrigin *ret)
{
    *ret = (SymptomOrigin){
        .source = cut(source, VALUE_BYTES), .is_import = is_import,
        .library = cut(find_text(parts->library, "name"), VALUE_BYTES),
        .version = cut(find_text(parts->library, "version"), VALUE_BYTES),
        .app_version = cut(find_text(parts->app, "version"), VALUE_BYTES),
    };
}

/* Are source, library and app, byte by byte, the same as in the last message? */
static bool is_last_origin(const struct day_memos *memos, const Str texts[3], bool is_import)
{
    const char *at = memos->origin_text;
    if (!memos->has_origin || memos->is_import != is_import) return false;
    for (int text = 0; text < 3; at += texts[text++].len) {
        if (memos->origin_lens[text] != texts[text].len) return false;
        if (texts[text].len && memcmp(at, texts[text].bytes, texts[text].len) != 0) return false;
    }
    return true;
}

static void note_origin(struct day_memos *memos, const Str texts[3], bool is_import, uint32_t origin)
{
    char *at = memos->origin_text;
    memos->has_origin = texts[0].len + texts[1].len + texts[2].len <= sizeof memos->origin_text;
    memos->is_import = is_import;
    memos->origin = origin;
    for (int text = 0; text < 3 && memos->has_origin; at += texts[text++].len) {
        memos->origin_lens[text] = texts[text].len;
        if (texts[text].len) memcpy(at, texts[text].bytes, texts[text].len);
    }
}

static uint32_t find_origin(struct day_table *table, const struct parts *parts, Str source, bool is_import,
                            Millis at_ms)
{
    struct day_memos *memos = table->memos;
    const Str texts[3] = { source, parts->library, parts->app };
    if (!is_last_origin(memos, texts, is_import)) {
        SymptomOrigin wanted;
        read_origin(parts, source, is_import, &wanted);
        uint32_t found = day_find_origin(table, &wanted);
        if (found == SYMPTOM_NOBODY) return found;
        note_origin(memos, texts, is_import, found);
    }
    SymptomOrigin *origin = &table->of.origins[memos->origin];
    day_see(&origin->first_ms, &origin->last_ms, at_ms, !origin->last_ms);
    return memos->origin;
}

/* ---- Symptoms ---- */

/* It is computed only when it is needed: most messages show nothing, and so they are no examples. */
static uint64_t id_hash(struct adding *adding)
{
    if (!adding->id_hash) adding->id_hash = hash_64(adding->message->event->message_id, 0);
    return adding->id_hash;
}

static SymptomRow *note(struct adding *adding, SymptomCode code, Str event, Str field, Str value)
{
    const SymptomMessage *message = adding->message;
    if (adding->is_silent) return NULL;
    SymptomRow *row = day_find_row(adding->table, adding->origin, code, event, field, value);
    if (!row) return NULL;
    Millis at_ms = message->event->received_at_ms;
    day_see(&row->first_ms, &row->last_ms, at_ms, row->count == 0);
    row->count++;
    day_add_example(row, (SymptomExample){ id_hash(adding), message->position, message->subject });
    day_add_subject(adding->table, row, message->subject);
    return row;
}

static void note_value(struct adding *adding, SymptomCode code, const char *field, const char *value)
{
    if (value) (void)note(adding, code, (Str){ 0 }, str_from(field), str_from(value));
}

static Str path_of(struct adding *adding, Str name)
{
    EventType type = adding->message->event->type;
    return arena_printf(&adding->scratch, "%s%.*s", type == EVENT_IDENTIFY || type == EVENT_GROUP ? "traits."
                        : "properties.", STR_FORMAT(name));
}

static void note_field(struct adding *adding, SymptomCode code, Str field, const char *value)
{
    Arena before = adding->scratch;
    (void)note(adding, code, adding->event, path_of(adding, field), str_from(value));
    adding->scratch = before;
}

/* ---- Ids ---- */

/* The same user sends many messages, so the shape of the id is remembered. */
static void count_shape(struct adding *adding, Str user)
{
    struct day_table *table = adding->table;
    uint64_t hash = hash_64(user, adding->origin);
    struct day_memo *memo = &table->memos->users[hash >> 32 & (MEMO_USERS - 1)];
    const SymptomMessage *message = adding->message;
    if (adding->is_silent) return;
    if (memo->hash == hash && memo->subject == message->subject && hash) {
        SymptomRow *row = &table->of.rows[memo->verdict];
        day_see(&row->first_ms, &row->last_ms, message->event->received_at_ms, false);
        row->count++;
        day_add_example(row, (SymptomExample){ id_hash(adding), message->position, message->subject });
        return;
    }
    size_t prefix = 0;
    const char *shape = symptoms_id_shape(user, &prefix);
    Arena scratch = adding->scratch;
    Str value = prefix ? arena_printf(&scratch, "%s %.*s", shape, (int)prefix, user.bytes) : str_from(shape);
    const SymptomRow *row = note(adding, SYMPTOM_ID_SHAPE, (Str){ 0 }, (Str){ 0 }, value);
    if (row) *memo = (struct day_memo){ hash, (uint32_t)(row - table->of.rows), message->subject };
}

/* Nearly every anonymous id is a uuid that does not begin with zeros; symptoms_odd_id finds nothing odd in such an
 * id. */
static inline bool is_usual_id(Str id)
{
    return id.len == 36 && id.bytes[8] == '-' && id.bytes[13] == '-' && !is_blank(id.bytes[0])
        && !is_blank(id.bytes[35]) && memcmp(id.bytes, "00000000", 8) != 0 && !memchr(id.bytes, '{', 36);
}

static void count_ids(struct adding *adding)
{
    const Event *event = adding->message->event;
    const char *odd_user = event->user_id.len ? symptoms_odd_id(event->user_id) : NULL;
    if (event->user_id.len && !odd_user) count_shape(adding, event->user_id);
    note_value(adding, SYMPTOM_PLACEHOLDER_ID, "userId", odd_user);
    if (event_is_made_id(event->message_id)) note_value(adding, SYMPTOM_NO_MESSAGE_ID, "", "");
    if (event->user_id.len && (is_blank(event->user_id.bytes[0])
        || is_blank(event->user_id.bytes[event->user_id.len - 1])))
        note_value(adding, SYMPTOM_ID_SPELLING, "userId", "blanks");
    if (event->anonymous_id.len && !is_usual_id(event->anonymous_id))
        note_value(adding, SYMPTOM_PLACEHOLDER_ID, "anonymousId", symptoms_odd_id(event->anonymous_id));
    if (event->previous_id.len)
        note_value(adding, SYMPTOM_PLACEHOLDER_ID, "previousId", symptoms_odd_id(event->previous_id));
    if (event->group_id.len)
        note_value(adding, SYMPTOM_PLACEHOLDER_ID, "groupId", symptoms_odd_id(event->group_id));
}

/* ---- Clocks ---- */

/* How many half hours the client's clock is ahead (below 0: late), give or take two minutes; 0: the difference is no
 * multiple of half an hour. */
static int half_hours_ahead(Millis skew_ms)
{
    Millis ahead_ms = -skew_ms, nearest = calendar_floor(ahead_ms + HALF_HOUR_MS / 2, HALF_HOUR_MS);
    Millis off_ms = ahead_ms - nearest * HALF_HOUR_MS;
    bool is_near = off_ms <= ZONE_SLACK_MS && off_ms >= -ZONE_SLACK_MS;
    return is_near && nearest >= -ZONES_MOST && nearest <= ZONES_MOST ? (int)nearest : 0;
}

static void count_skew(struct adding *adding, const Event *event)
{
    char zone[16];
    Millis skew_ms = event->received_at_ms - event->sent_at_ms;
    if (skew_ms <= SKEW_MS && skew_ms >= -SKEW_MS) return;
    int ahead = half_hours_ahead(skew_ms), minutes = abs(ahead) * 30;
    if (ahead) {
        int len = snprintf(zone, sizeof zone, "%c%02d:%02d", ahead < 0 ? '-' : '+', minutes / 60, minutes % 60);
        (void)note(adding, SYMPTOM_LOCAL_TIME, (Str){ 0 }, (Str){ 0 }, str_of(zone, (size_t)len));
    }
    if (!ahead && skew_ms > OLD_MS && event->original_timestamp_ms == event->sent_at_ms)
        note_value(adding, SYMPTOM_OLD_AS_NEW, "", "");
    else note_value(adding, SYMPTOM_SKEW, "", skew_ms < 0 ? "ahead" : "behind");
}

static void count_clocks(struct adding *adding, const struct parts *parts)
{
    const Event *event = adding->message->event;
    if (event->sent_at_ms != INSTANT_NONE) count_skew(adding, event);
    if (event->received_at_ms - event->timestamp_ms > LATE_MS) note_value(adding, SYMPTOM_LATE, "", "");
    if (parts->time_problem.len)
        (void)note(adding, SYMPTOM_REPLACED_TIME, (Str){ 0 }, (Str){ 0 }, cut(parts->time_problem, VALUE_BYTES));
}

/* ---- Pages and browsers ---- */

static const char *const leaks[] = { NULL, "email", "secret", "token path" };
static const char *const hosts[] = { NULL, "localhost", "private address", "file", "staging", "preview", "test" };

static uint32_t number_of(const char *const *words, size_t count, const char *word)
{
    for (uint32_t at = 1; word && at < count; at++)
        if (!strcmp(words[at], word)) return at;
    return 0;
}

enum { PAGE_URL_LEAK = 0, PAGE_REFERRER_LEAK = 4, PAGE_PATH_LEAK = 8, PAGE_SEARCH_LEAK = 12, PAGE_HOST = 16,
       PAGE_HAS_URL = 1 << 20, PAGE_HAS_PATH = 1 << 21 };

static Str page_text(Str page, const char *name, Arena *arena)
{
    EventMember member;
    return find_member(page, name, &member) ? unescaped(member.raw, member.has_escape, arena) : (Str){ 0 };
}

static uint32_t leak_of(Str text) { return number_of(leaks, countof(leaks),
    text.len ? symptoms_url_leak(text) : NULL); }

static uint32_t judge_page(Str page, Arena scratch)
{
    Str url = page_text(page, "url", &scratch), path = page_text(page, "path", &scratch);
    uint32_t verdict = leak_of(url) << PAGE_URL_LEAK;
    verdict |= leak_of(page_text(page, "referrer", &scratch)) << PAGE_REFERRER_LEAK;
    if (!verdict) {
        verdict |= leak_of(path) << PAGE_PATH_LEAK;
        verdict |= leak_of(page_text(page, "search", &scratch)) << PAGE_SEARCH_LEAK;
    }
    if (url.len) verdict |= number_of(hosts, countof(hosts), symptoms_dev_host(url)) << PAGE_HOST | PAGE_HAS_URL;
    return path.len ? verdict | PAGE_HAS_PATH : verdict;
}

static uint32_t page_verdict(struct adding *adding, Str page)
{
    if (!page.len) return 0;
    uint64_t hash = hash_64(page, 0);
    struct day_memo *memo = adding->table->memos->pages[hash >> 32 & (MEMO_PAGES - 1)];
    if (memo[0].hash == hash && hash) return memo[0].verdict;
    struct day_memo found = memo[1];
    if (found.hash != hash || !hash) found = (struct day_memo){ hash, judge_page(page, adding->scratch), 0 };
    memo[1] = memo[0];
    memo[0] = found;
    return found.verdict;
}

static void count_page(struct adding *adding, const struct parts *parts, uint64_t *tallies)
{
    const Event *event = adding->message->event;
    uint32_t verdict = page_verdict(adding, parts->page);
    bool is_page = event->type == EVENT_PAGE || event->type == EVENT_SCREEN;
    tallies[TALLY_URLS] += (verdict & PAGE_HAS_URL) != 0;
    if (verdict & ((1 << PAGE_HOST) - 1)) {
        note_value(adding, SYMPTOM_PERSONAL_URL, "context.page.url", leaks[verdict >> PAGE_URL_LEAK & 3]);
        note_value(adding, SYMPTOM_PERSONAL_URL, "context.page.referrer", leaks[verdict >> PAGE_REFERRER_LEAK & 3]);
        note_value(adding, SYMPTOM_PERSONAL_URL, "context.page.path", leaks[verdict >> PAGE_PATH_LEAK & 3]);
        note_value(adding, SYMPTOM_PERSONAL_URL, "context.page.search", leaks[verdict >> PAGE_SEARCH_LEAK & 3]);
    }
    if (verdict >> PAGE_HOST & 7) note_value(adding, SYMPTOM_DEV_TRAFFIC, "", hosts[verdict >> PAGE_HOST & 7]);
    if (!is_page) return;
    tallies[TALLY_PAGES]++;
    if (event->name.len || verdict & PAGE_HAS_PATH) return;
    const OutlineMember *members = adding->members;
    for (uint32_t at = parts->fields + 1; parts->fields != NO_FIELDS && at < members[parts->fields].next;
         at = members[at].next)
        if (IS_KEY(members[at].key, "path") && event_raw_text(members[at].raw).len) return;
    note_value(adding, SYMPTOM_PAGE_NAMELESS, "", "");
}

static void count_bots(struct adding *adding, const struct parts *parts)
{
    if (parts->webdriver.len == 4 && parts->webdriver.bytes[0] == 't') note_value(adding, SYMPTOM_BOT, "", "webdriver");
    if (!parts->agent.len) return;
    uint64_t hash = hash_64(parts->agent, 0);
    struct day_memo *memo = &adding->table->memos->agents[hash >> 32 & (MEMO_AGENTS - 1)];
    if (memo->hash != hash || !hash)
        *memo = (struct day_memo){ hash, symptoms_find_bot(parts->agent).len > 0, 0 };
    if (!memo->verdict) return;
    Str name = cut(symptoms_find_bot(parts->agent), VALUE_BYTES);
    (void)note(adding, SYMPTOM_BOT, (Str){ 0 }, (Str){ 0 }, name);
}

/* ---- Fields ---- */

static bool is_secret_value(Str text)
{
    if (text.len < 6 || symptoms_text_type(text) != TYPE_TEXT) return text.len >= 8 && symptoms_is_number(text);
    for (size_t at = 0; at < text.len; at++)
        if (text.bytes[at] != '*' && text.bytes[at] != 'x' && text.bytes[at] != 'X' && text.bytes[at] != '.')
            return text.bytes[0] != '[' && text.bytes[0] != '<';
    return false;                                            /* nothing but stars */
}

/* Tells by the length and the first byte whether symptoms_secret could find anything. */
static inline bool may_be_secret(Str text)
{
    char c = text.len >= 14 ? text.bytes[0] : 0;
    return (c >= '0' && c <= '9') || c == 'e' || c == 'B' || c == 'b' || c == '-' || text.len >= 200;
}

/* Judges a text of a field, at any depth. It looks for secrets in every message, and for personal data outside of
 * traits. */
static void judge_text(struct adding *adding, Str field, uint8_t traits, Str text)
{
    EventType type = adding->message->event->type;
    const char *secret = may_be_secret(text) ? symptoms_secret(text) : NULL;
    if (secret && !(strcmp(secret, "card") == 0 && symptoms_is_id_key(field)))
        note_field(adding, SYMPTOM_SECRET, field, secret);
    else if (traits & TRAIT_SECRET_KEY && is_secret_value(text)) note_field(adding, SYMPTOM_SECRET, field, "key");
    if (type == EVENT_IDENTIFY || type == EVENT_GROUP) return;
    bool has_at = memchr(text.bytes, '@', text.len) != NULL;
    if (has_at && symptoms_is_email(text)) note_field(adding, SYMPTOM_PERSONAL_FIELD, field, "email");
    else if (has_at && text.len > FREE_TEXT_BYTES && symptoms_has_email(text))
        note_field(adding, SYMPTOM_PERSONAL_TEXT, field, "email");
    else if (traits & TRAIT_NAME_KEY) note_field(adding, SYMPTOM_PERSONAL_FIELD, field, "name");
    else if ((traits & TRAIT_PHONE_KEY || text.bytes[0] == '+') && symptoms_is_phone(text))
        note_field(adding, SYMPTOM_PERSONAL_FIELD, field, "phone");
}

/* Judges the texts within an object or a list; they are not counted as fields. of: its place in the outline. */
static void judge_deep(struct adding *adding, Str field, uint32_t of, int depth, int *left)
{
    const OutlineMember *members = adding->members;
    bool is_object = members[of].kind == OUTLINE_OBJECT;
    for (uint32_t at = of + 1; at < members[of].next && --*left > 0; at = members[at].next) {
        const OutlineMember *member = &members[at];
        Arena before = adding->scratch;
        Str name = is_object ? arena_printf(&adding->scratch, "%.*s.%.*s", STR_FORMAT(cut(field,
            SYMPTOMS_NAME_BYTES / 2)),
                                            STR_FORMAT(cut(member->key, SYMPTOMS_NAME_BYTES / 2))) : field;
        if (member->kind >= OUTLINE_LIST && depth < DEPTH_MOST) judge_deep(adding, name, at, depth + 1, left);
        if (member->kind == OUTLINE_TEXT && member->raw.len > 2)
            judge_text(adding, name, is_object ? symptoms_key_traits(member->key) : 0,
                       unescaped(member->raw, member->has_escape, &adding->scratch));
        adding->scratch = before;
    }
}

/* Calls judge_deep, unless the object or list is empty or the message is an import. */
static void judge_inside(struct adding *adding, Str field, const OutlineMember *member)
{
    int left = DEEP_MOST;
    if (member->raw.len > 2 && !adding->is_silent)
        judge_deep(adding, field, (uint32_t)(member - adding->members), 1, &left);
}

static void add_number(struct adding *adding, SymptomField *field, Str raw)
{
    double value;
    SymptomNumbers *numbers = day_find_numbers(adding->table, field);
    if (numbers && symptoms_read_number(raw, &value)) numbers->buckets[symptoms_bucket(value)]++;
    if (raw.len >= 14 && raw.len <= 19 && !symptoms_is_id_key(field->name) && symptoms_secret(raw))
        note_field(adding, SYMPTOM_SECRET, field->name, "card");
}

/* A text that begins with none of these bytes is plain TYPE_TEXT for symptoms_text_type. */
static inline SymptomType type_of_text(Str text)
{
    static const bool begins_more[256] = {
        ['-'] = 1, ['+'] = 1, ['.'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1,
        ['7'] = 1, ['8'] = 1, ['9'] = 1, ['t'] = 1, ['f'] = 1, ['T'] = 1, ['F'] = 1, ['u'] = 1, ['n'] = 1, ['N'] = 1,
        ['I'] = 1, ['['] = 1, ['('] = 1, ['<'] = 1,
    };
    return text.len && !begins_more[(unsigned char)text.bytes[0]] ? TYPE_TEXT : symptoms_text_type(text);
}

static SymptomType count_text(struct adding *adding, SymptomField *field, const OutlineMember *member)
{
    Arena before = adding->scratch;
    Str text = event_raw_text(member->raw);
    if (member->has_escape) text = unescaped(member->raw, true, &adding->scratch);
    SymptomType type = type_of_text(text);
    if (text.len && !adding->is_silent && (text.len >= 6 || field->traits & (TRAIT_NAME_KEY | TRAIT_SECRET_KEY)))
        judge_text(adding, field->name, field->traits, text);
    if (text.len > LIMIT_INDEXED_TEXT_BYTES) note_field(adding, SYMPTOM_LONG_TEXT, field->name, "text over 508 bytes");
    adding->scratch = before;
    return type;
}

static SymptomType count_value(struct adding *adding, SymptomField *field, const OutlineMember *member)
{
    switch (member->raw.bytes[0]) {
    case '"': return count_text(adding, field, member);
    case '{': judge_inside(adding, field->name, member); return TYPE_OBJECT;
    case '[': judge_inside(adding, field->name, member); return TYPE_LIST;
    case 't': case 'f': return TYPE_BOOLEAN;
    case 'n': return TYPE_NULL;
    default: add_number(adding, field, member->raw); return TYPE_NUMBER;
    }
}

/* Money without a currency, or an amount that is text in place of a number. */
static void count_money(struct adding *adding, const OutlineMember *money, SymptomType type, Str field,
                        const OutlineMember *currency)
{
    bool is_refund = str_contains(adding->event, STR("efund")) || str_contains(adding->event, STR("ancel"))
                  || str_contains(adding->event, STR("eturn"));
    if (type == TYPE_NULL) return;
    if (type != TYPE_NUMBER) note_field(adding, SYMPTOM_MONEY, field, "text");
    else if (money->raw.bytes[0] == '-' && !is_refund) note_field(adding, SYMPTOM_MONEY, field, "negative");
    if (!currency) note_field(adding, SYMPTOM_MONEY, field, "no currency");
}

static const OutlineMember *add_currency(struct adding *adding, SymptomEvent *event, const OutlineMember *member)
{
    Str text = event_raw_text(member->raw);
    char currency[4] = { 0 };
    bool is_one = text.len == 3;
    for (size_t at = 0; is_one && at < 3; at++) {
        char c = (char)(text.bytes[at] & ~0x20);
        is_one = c >= 'A' && c <= 'Z';
        currency[at] = c;
    }
    if (is_one) day_add_currency(event, currency);
    else note_field(adding, SYMPTOM_MONEY, STR("currency"), "odd currency");
    return member;
}

/* Nearly all messages of an event have the same fields in the same order. */
static SymptomField *find_field(struct adding *adding, SymptomEvent *event, uint32_t *guess, Str key)
{
    if (*guess < event->field_count && str_equal_inline(event->fields[*guess].name, key))
        return &event->fields[(*guess)++];
    return day_find_field(adding->table, event, guess, without_addresses(key, &adding->scratch));
}

static void count_fields(struct adding *adding, SymptomEvent *event, const struct parts *parts)
{
    const OutlineMember *money = NULL, *currency = NULL;
    SymptomType money_type = TYPE_NUMBER;
    uint32_t guess = 0;
    Millis at_ms = adding->message->event->received_at_ms;
    Str money_name = { 0 };
    uint32_t end = parts->fields == NO_FIELDS ? 0 : adding->members[parts->fields].next, count = 0, over = 0;
    for (uint32_t at = parts->fields + 1; at < end; at = adding->members[at].next) {
        const OutlineMember *member = &adding->members[at];
        if (count++ >= MEMBERS_MOST) {
            over++;
            continue;
        }
        SymptomField *field = find_field(adding, event, &guess, member->key);
        if (!field) continue;
        SymptomType type = count_value(adding, field, member);
        field->types[type]++;
        day_add_sender(&field->senders, adding->message->subject);
        day_see(&field->first_ms, &field->last_ms, at_ms, !field->last_ms);
        if (field->traits & TRAIT_MONEY_KEY) money = member, money_type = type, money_name = field->name;
        if (field->traits & TRAIT_CURRENCY_KEY) currency = add_currency(adding, event, member);
    }
    event->over_fields += over;
    adding->table->of.over_fields += over;
    if (money && adding->message->event->type == EVENT_TRACK)
        count_money(adding, money, money_type, money_name, currency);
}

/* ---- A message ---- */

static void count_tallies(const Event *event, uint64_t *tallies)
{
    tallies[TALLY_MESSAGES]++;
    tallies[TALLY_USER] += event->user_id.len > 0;
    tallies[TALLY_ANONYMOUS] += event->anonymous_id.len > 0;
    tallies[TALLY_SENT_AT] += event->sent_at_ms != INSTANT_NONE;
    tallies[TALLY_IDENTIFY] += event->type == EVENT_IDENTIFY;
    tallies[TALLY_TRACK] += event->type == EVENT_TRACK;
}

static bool begin_message(struct adding *adding, struct parts *parts)
{
    const Event *event = adding->message->event;
    struct day_table *table = adding->table;
    if (!table->memos) table->memos = calloc(1, sizeof *table->memos);
    check(table->memos);
    take_parts(adding->message, parts);
    adding->members = adding->message->outline->members;
    adding->is_silent = event->from_import;
    adding->origin = find_origin(table, parts, event->source, event->from_import, event->received_at_ms);
    return adding->origin != SYMPTOM_NOBODY;
}

/* Finds the message's event. The same names come again and again. A name without an address in it is kept as it came,
 * and is found by its length and its first and last byte. */
static SymptomEvent *find_event(struct adding *adding, const Event *from)
{
    struct day_table *table = adding->table;
    Str name = from->name;
    uint32_t key = (uint32_t)name.len + (uint32_t)from->type * 31;
    if (name.len) key += (unsigned char)name.bytes[0] * 7u + (unsigned char)name.bytes[name.len - 1] * 13u;
    uint32_t *memo = &table->memos->events[key % MEMO_EVENTS];
    SymptomEvent *found = *memo ? &table->of.events[*memo - 1] : NULL;
    if (found && found->origin == adding->origin && found->type == from->type && !found->is_over
        && str_equal_inline(found->name, name)) {
        adding->event = name;
        return found;
    }
    adding->event = without_addresses(name, &adding->scratch);
    found = day_find_event(table, adding->origin, from->type, adding->event);
    *memo = (uint32_t)(found - table->of.events) + 1;
    return found;
}

void day_count(struct day_table *table, const SymptomMessage *message, Arena scratch)
{
    struct adding adding = { .table = table, .message = message, .scratch = scratch };
    struct parts parts;
    const Event *from = message->event;
    if (!begin_message(&adding, &parts)) {
        table->of.over_origins++;
        return;
    }
    SymptomEvent *event = find_event(&adding, from);
    table->of.over_events += event->is_over;
    day_see(&event->first_ms, &event->last_ms, from->received_at_ms, event->count == 0);
    event->count++;
    day_add_sender(&event->senders, message->subject);
    uint64_t *tallies = table->of.origins[adding.origin].tallies;
    count_tallies(from, tallies);
    count_page(&adding, &parts, tallies);
    count_ids(&adding);
    if (!from->from_import) count_clocks(&adding, &parts);
    count_bots(&adding, &parts);
    count_fields(&adding, event, &parts);
}

void day_count_repeat(struct day_table *table, const SymptomMessage *message, Arena scratch)
{
    struct adding adding = { .table = table, .message = message, .scratch = scratch };
    struct parts parts;
    if (!begin_message(&adding, &parts)) return;
    table->of.origins[adding.origin].tallies[TALLY_REPEATS]++;
    note_value(&adding, SYMPTOM_REPEAT, "", "");
}

/* A rejected message may be cut off, and is no JSON then. So a library is believed only if all of it is there. */
static void find_library(Str json, struct parts *parts)
{
    static const char name[] = "\"library\":{";
    const char *found = json.len ? memmem(json.bytes, json.len, name, sizeof name - 1) : NULL;
    if (!found) return;
    const char *object = found + sizeof name - 2;
    const char *behind = event_bracket_end(object, json.bytes + json.len);
    if (behind) parts->library = (Str){ object, (size_t)(behind - object) };
}

void day_count_rejected(struct day_table *table, const Rejected *rejected, uint64_t position)
{
    Event none = { .received_at_ms = rejected->received_at_ms };
    SymptomMessage message = { &none, NULL, position, SYMPTOM_NOBODY };
    struct adding adding = { .table = table, .message = &message, .id_hash = hash_64(rejected->json, position) };
    struct parts parts;
    parts.library = parts.app = (Str){ 0 };
    if (!table->memos) table->memos = calloc(1, sizeof *table->memos);
    check(table->memos);
    find_library(rejected->json, &parts);
    adding.origin = find_origin(table, &parts, rejected->source, rejected->from_import,
                                rejected->received_at_ms);
    if (adding.origin == SYMPTOM_NOBODY) return;
    table->of.origins[adding.origin].tallies[TALLY_REJECTED]++;
    (void)note(&adding, SYMPTOM_REJECTED, (Str){ 0 }, cut(rejected->field, VALUE_BYTES), cut(rejected->reason,
        VALUE_BYTES));
}
