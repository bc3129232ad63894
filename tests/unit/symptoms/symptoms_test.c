/* symptoms: what is counted of messages, in any order; saved, loaded, forgotten, bounded. */
#include "symptoms/symptoms.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

enum { TABLE = 0 };
static const Millis DAY_ONE = 1700000000000;
static char dir[64];
static struct kv *kv;

/* ---- A store of its own ---- */

static int open_store(void **state)
{
    static const char *const tables[] = { "symptoms" };
    KvOptions options = { .dir = dir, .tables = tables, .table_count = 1 };
    Err err;
    (void)state;
    strcpy(dir, "/tmp/onym-symptoms-XXXXXX");
    assert_non_null(mkdtemp(dir));
    if (kv_open(&options, &kv, &err)) fail_msg("%s", err.text);
    return 0;
}

static int close_store(void **state)
{
    char command[128];
    (void)state;
    kv_close(kv);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static struct symptoms *open_symptoms(bool is_stored)
{
    struct symptoms *symptoms;
    Err err;
    SymptomsOptions options = { is_stored ? kv : NULL, TABLE };
    if (symptoms_open(&options, &symptoms, &err)) fail_msg("%s", err.text);
    return symptoms;
}

static void save(struct symptoms *symptoms)
{
    struct kv_txn *txn;
    Err err;
    assert_int_equal(kv_begin_write(kv, &txn, &err), OK);
    if (symptoms_save(symptoms, txn, &err)) fail_msg("%s", err.text);
    assert_int_equal(kv_commit(txn, &err), OK);
    symptoms_end_save(symptoms, true);
}

/* ---- Messages ---- */

typedef struct Sent {
    EventType type;
    const char *name, *body, *user;         /* body: properties, context and so on as members, without braces */
    Millis at_ms;
    uint32_t subject;
    Millis skew_ms;                         /* receivedAt - sentAt; 0: no sentAt */
    bool is_import;
} Sent;

static void send(struct symptoms *symptoms, const Sent *sent, unsigned n)
{
    char json[4096], id[32];
    Err err;
    snprintf(json, sizeof json, "{\"projectId\":\"web\",%s}", sent->body ? sent->body : "\"x\":1");
    snprintf(id, sizeof id, "message-%u", n);
    Millis at_ms = sent->at_ms ? sent->at_ms : DAY_ONE;
    Event event = {
        .type = sent->type ? sent->type : EVENT_TRACK, .source = STR("web"), .message_id = str_from(id),
        .user_id = str_from(sent->user), .anonymous_id = STR("a1"), .name = str_from(sent->name), .timestamp_ms = at_ms,
        .received_at_ms = at_ms, .original_timestamp_ms = INSTANT_NONE, .json = str_from(json),
        .sent_at_ms = sent->skew_ms ? at_ms - sent->skew_ms : INSTANT_NONE, .from_import = sent->is_import,
    };
    if (symptoms_add(symptoms, &event, 64 + n * 100, sent->subject, &err)) fail_msg("%s", err.text);
}

static const SymptomDay *view_all(struct symptoms *symptoms, struct symptoms_view **view)
{
    int32_t day = (int32_t)(DAY_ONE / DAY_MS);
    Err err;
    if (symptoms_begin_view(symptoms, day - 2, day + 80, view, &err)) fail_msg("%s", err.text);
    if (symptoms_read_view(*view, &err)) fail_msg("%s", err.text);
    return symptoms_view_day(*view);
}

static const SymptomRow *find(const SymptomDay *day, SymptomCode code, const char *field, const char *value)
{
    for (uint32_t at = 0; at < day->row_count; at++) {
        const SymptomRow *row = &day->rows[at];
        if (row->code == code && str_equal(row->field, str_from(field)) && str_equal(row->value,
            str_from(value))) return row;
    }
    return NULL;
}

/* ---- What a message shows ---- */

#define PAGE(url, rest) "\"context\":{\"page\":{\"path\":\"/p\",\"url\":\"" url "\"" rest "}}"

static const struct { Sent sent; SymptomCode code; const char *field, *value; } shown[] = {
    { { .user = "null" }, SYMPTOM_PLACEHOLDER_ID, "userId", "null" },
    { { .user = "user_1" }, SYMPTOM_ID_SHAPE, "", "prefix user_" },
    { { .user = " kim" }, SYMPTOM_ID_SPELLING, "userId", "blanks" },
    { { .skew_ms = 2 * HOUR_MS + 1000 }, SYMPTOM_LOCAL_TIME, "", "-02:00" },
    { { .skew_ms = -(5 * HOUR_MS + 31 * MINUTE_MS) }, SYMPTOM_LOCAL_TIME, "", "+05:30" },
    { { .skew_ms = 17 * MINUTE_MS }, SYMPTOM_SKEW, "", "behind" },
    { { .skew_ms = -17 * MINUTE_MS }, SYMPTOM_SKEW, "", "ahead" },
    { { .body = "\"x\":1,\"timeProblem\":\"timestamp_before_1970\"" }, SYMPTOM_REPLACED_TIME, "",
        "timestamp_before_1970" },
    { { .body = PAGE("http://localhost:3000/", "") }, SYMPTOM_DEV_TRAFFIC, "", "localhost" },
    { { .body = PAGE("https://x.de/?m=kim%40firma.de", "") }, SYMPTOM_PERSONAL_URL, "context.page.url", "email" },
    { { .body = PAGE("https:\\/\\/x.de\\/?m=kim@firma.de", "") }, SYMPTOM_PERSONAL_URL, "context.page.url", "email" },
    { { .body = PAGE("https://x.de/", ",\"referrer\":\"https://x.de/?token=abc123def\"") }, SYMPTOM_PERSONAL_URL,
      "context.page.referrer", "secret" },
    { { .body = "\"context\":{\"userAgent\":\"AhrefsBot/7.0\"}" }, SYMPTOM_BOT, "", "AhrefsBot" },
    { { .body = "\"context\":{\"webdriver\":true}" }, SYMPTOM_BOT, "", "webdriver" },
    { { .type = EVENT_PAGE }, SYMPTOM_PAGE_NAMELESS, "", "" },
    { { .body = "\"properties\":{\"password\":\"hunter22\"}" }, SYMPTOM_SECRET, "properties.password", "key" },
    { { .body = "\"properties\":{\"pay\":{\"list\":[{\"cvv\":\"123456\"},{\"n\":\"4111111111111111\"}]}}" },
        SYMPTOM_SECRET,
      "properties.pay.list.n", "card" },
    { { .body = "\"properties\":{\"n\":4111111111111111}" }, SYMPTOM_SECRET, "properties.n", "card" },
    { { .type = EVENT_IDENTIFY, .body = "\"traits\":{\"api_key\":\"sk_live_abcdef1234\"}" }, SYMPTOM_SECRET,
      "traits.api_key", "key" },
    { { .body = "\"properties\":{\"who\":\"kim@firma.de\"}" }, SYMPTOM_PERSONAL_FIELD, "properties.who", "email" },
    { { .body = "\"properties\":{\"who\":\"kim\\u0040firma.de\"}" }, SYMPTOM_PERSONAL_FIELD, "properties.who",
        "email" },
    { { .body = "\"properties\":{\"first_name\":\"Kim\"}" }, SYMPTOM_PERSONAL_FIELD, "properties.first_name", "name" },
    { { .body = "\"properties\":{\"p\":\"+493012345678\"}" }, SYMPTOM_PERSONAL_FIELD, "properties.p", "phone" },
    { { .body = "\"properties\":{\"revenue\":\"29.90\",\"currency\":\"EUR\"}" }, SYMPTOM_MONEY, "properties.revenue",
        "text" },
    { { .body = "\"properties\":{\"revenue\":-3,\"currency\":\"EUR\"}" }, SYMPTOM_MONEY, "properties.revenue",
        "negative" },
    { { .body = "\"properties\":{\"revenue\":3}" }, SYMPTOM_MONEY, "properties.revenue", "no currency" },
    { { .body = "\"properties\":{\"revenue\":3,\"currency\":\"Euro\"}" }, SYMPTOM_MONEY, "properties.currency",
        "odd currency" },
};

static void each_symptom_is_shown(void **state)
{
    (void)state;
    for (size_t at = 0; at < countof(shown); at++) {
        struct symptoms *symptoms = open_symptoms(false);
        struct symptoms_view *view;
        Sent sent = shown[at].sent;
        sent.subject = 7;
        send(symptoms, &sent, 3);
        const SymptomRow *row = find(view_all(symptoms, &view), shown[at].code, shown[at].field, shown[at].value);
        if (!row) fail_msg("row %zu: %s %s", at, shown[at].field, shown[at].value);
        assert_int_equal(row->count, 1);
        assert_true(row->first_ms == DAY_ONE && row->last_ms == DAY_ONE);
        assert_int_equal(row->example_count, 1);
        assert_int_equal(row->examples[0].position, 364);
        assert_int_equal(row->subject_count, 1);
        assert_int_equal(row->subjects[0], 7);
        symptoms_close_view(view);
        symptoms_close(symptoms);
    }
}

static const Sent healthy[] = {
    { .user = "42", .name = "Order Completed", .skew_ms = 900, .subject = 1,
      .body = "\"properties\":{\"revenue\":29.9,\"currency\":\"EUR\",\"order_id\":4111111111111111,"
              "\"note\":\"a, b - c\","
              "\"items\":[{\"sku\":\"A-1\",\"price\":3}],\"password\":\"\",\"token\":\"********\"},"
              PAGE("https://x.de/", "") },
    { .name = "Refunded", .subject = 2, .body = "\"properties\":{\"revenue\":-29.9,\"currency\":\"usd\"}" },
    { .type = EVENT_IDENTIFY, .user = "42", .subject = 1,
      .body = "\"traits\":{\"email\":\"kim@firma.de\",\"phone\":\"+493012345678\",\"first_name\":\"Kim\"}" },
    { .type = EVENT_PAGE, .subject = 1, .body = "\"properties\":{\"path\":\"/x\"}" },
    { .type = EVENT_PAGE, .name = "Home", .subject = 1 },
    { .type = EVENT_PAGE, .subject = 1, .is_import = true, .user = "null", .skew_ms = 3 * HOUR_MS,
      .body = "\"properties\":{\"password\":\"hunter22\"}" },
};

static void healthy_messages_show_nothing(void **state)
{
    struct symptoms *symptoms = open_symptoms(false);
    struct symptoms_view *view;
    (void)state;
    for (unsigned at = 0; at < countof(healthy); at++) send(symptoms, &healthy[at], at);
    const SymptomDay *day = view_all(symptoms, &view);
    for (uint32_t at = 0; at < day->row_count; at++)
        if (day->rows[at].code != SYMPTOM_ID_SHAPE)
            fail_msg("%s %.*s %.*s", symptoms_code(day->rows[at].code), STR_FORMAT(day->rows[at].field),
                     STR_FORMAT(day->rows[at].value));
    assert_int_equal(day->origin_count, 2);                  /* what was imported stands apart */
    assert_int_equal(day->origins[0].tallies[TALLY_MESSAGES], 5);
    symptoms_close_view(view);
    symptoms_close(symptoms);
}

static void count_cases(void *context, const SymptomCase *found)
{
    uint64_t *counts = context;
    if (strcmp(found->code, "LO-1") != 0) return;
    counts[0] += found->count;
    counts[1] += found->of;
}

/* As its accepted lines, which are not counted where nobody asks for imports. */
static void what_an_import_had_rejected_is_the_imports(void **state)
{
    struct symptoms *symptoms = open_symptoms(false);
    struct symptoms_view *view;
    struct region region;
    Err err;
    Rejected rejected = { .source = STR("web"), .reason = STR("no_user_anon_id"), .field = STR("userId"),
                          .received_at_ms = DAY_ONE, .json = STR("{}"), .from_import = true };
    (void)state;
    for (unsigned at = 0; at < 7; at++) send(symptoms, &(Sent){ .name = "E", .is_import = true }, at);
    for (uint64_t at = 0; at < 3; at++) assert_int_equal(symptoms_add_rejected(symptoms, &rejected, at, &err), OK);
    const SymptomDay *day = view_all(symptoms, &view);
    region_open(&region, 1 << 20);
    for (int with_imports = 0; with_imports < 2; with_imports++) {
        uint64_t counts[2] = { 0, 0 };
        Arena arena = region_arena(&region);
        symptoms_list_cases(day, with_imports, &arena, count_cases, counts);
        assert_int_equal(counts[0], with_imports ? 3 : 0);
        assert_int_equal(counts[1], with_imports ? 10 : 0);
    }
    region_close(&region);
    symptoms_close_view(view);
    symptoms_close(symptoms);
}

/* ---- Fields ---- */

static void fields_count_their_types(void **state)
{
    static const char *const bodies[] = {
        "\"properties\":{\"f\":1}", "\"properties\":{\"f\":\"1\"}", "\"properties\":{\"f\":true}",
        "\"properties\":{\"f\":null}", "\"properties\":{\"f\":\"\"}", "\"properties\":{\"f\":[1]}",
        "\"properties\":{\"f\":{\"a\":{}}}", "\"properties\":{\"f\":\"x\"}", "\"properties\":{\"f\":\"undefined\"}",
        "\"properties\":{\"g\":2,\"f\":\"2026-01-01\"}", "\"properties\":{\"g\":200,\"f\":\"false\"}",
    };
    struct symptoms *symptoms = open_symptoms(false);
    struct symptoms_view *view;
    (void)state;
    for (unsigned at = 0; at < countof(bodies); at++) send(symptoms, &(Sent){ .name = "E", .body = bodies[at] }, at);
    const SymptomDay *day = view_all(symptoms, &view);
    assert_int_equal(day->event_count, 1);
    assert_int_equal(day->events[0].count, countof(bodies));
    assert_int_equal(day->events[0].field_count, 2);
    for (int type = 0; type < SYMPTOM_TYPES; type++) assert_int_equal(day->events[0].fields[0].types[type], 1);
    const SymptomNumbers *numbers = day->events[0].fields[1].numbers;
    assert_int_equal(symptoms_number_count(numbers), 2);
    assert_true(symptoms_median(numbers) > 170 && symptoms_median(numbers) < 230);
    symptoms_close_view(view);
    symptoms_close(symptoms);
}

static void names_are_kept_without_addresses(void **state)
{
    struct symptoms *symptoms = open_symptoms(false);
    struct symptoms_view *view;
    (void)state;
    send(symptoms, &(Sent){ .name = "Viewed kim@firma.de today", .body = "\"properties\":{\"a@b.de\":1}" }, 1);
    const SymptomDay *day = view_all(symptoms, &view);
    assert_true(str_equal(day->events[0].name, STR("Viewed # today")));
    assert_true(str_equal(day->events[0].fields[0].name, STR("#")));
    symptoms_close_view(view);
    symptoms_close(symptoms);
}

/* ---- Order, saving, loading ---- */

enum { MANY = 3000 };

static Sent made(unsigned n)
{
    static const char *const bodies[] = {
        "\"properties\":{\"f\":1,\"password\":\"hunter22\"}," PAGE("http://localhost/", ""),
        "\"properties\":{\"f\":\"1\",\"g\":17,\"who\":\"kim@firma.de\"},"
        "\"context\":{\"library\":{\"name\":\"l\",\"version\":\"2\"}}",
        "\"properties\":{\"g\":99,\"f\":null,\"currency\":\"EUR\"},"
        "\"context\":{\"library\":{\"name\":\"l\",\"version\":\"3\"}}",
    };
    static const char *const users[] = { "1", "null", "u_7", "", "kim@firma.de" };
    static const char *const names[] = { "A", "B", "C" };
    return (Sent){ .name = names[n % 3], .body = bodies[n % 7 % 3], .user = users[n % 5], .subject = n % 1500,
                   .at_ms = DAY_ONE + (Millis)(n % 11) * 9 * HOUR_MS, .skew_ms = n % 4 ? 0 : 3 * HOUR_MS };
}

static void send_many(struct symptoms *symptoms, bool is_backwards, bool saves)
{
    for (unsigned n = 0; n < MANY; n++) {
        unsigned at = is_backwards ? MANY - 1 - n : n;
        Sent sent = made(at);
        send(symptoms, &sent, at);
        if (saves && n % 500 == 250) save(symptoms);
    }
}

static int compare_texts(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* All that a view has, a line each, sorted: what came first is no matter. */
static char *describe(struct symptoms *symptoms)
{
    struct symptoms_view *view;
    const SymptomDay *day = view_all(symptoms, &view);
    size_t count = 0, most = 100000;
    char **lines = calloc(most, sizeof *lines), *all = NULL;
    for (uint32_t at = 0; at < day->row_count; at++) {
        const SymptomRow *row = &day->rows[at];
        const SymptomOrigin *origin = &day->origins[row->origin];
        uint64_t examples = 0, subjects = 0;
        for (uint32_t one = 0; one < row->example_count; one++) examples = examples * 31 + row->examples[one].position;
        for (uint32_t one = 0; one < row->subject_count; one++) subjects += hash_64(str_of(&row->subjects[one], 4), 0);
        assert_true(asprintf(&lines[count++], "%.*s %s %.*s|%.*s|%.*s %llu %lld %lld %llx %u %llx %d %llx\n",
                             STR_FORMAT(origin->version), symptoms_code(row->code), STR_FORMAT(row->event),
                             STR_FORMAT(row->field), STR_FORMAT(row->value), (unsigned long long)row->count,
                             (long long)row->first_ms, (long long)row->last_ms, (unsigned long long)examples,
                             row->subject_count, (unsigned long long)subjects, row->has_more_subjects,
                             (unsigned long long)row->days[0]) > 0);
    }
    for (uint32_t at = 0; at < day->event_count; at++)
        for (uint32_t field = 0; field < day->events[at].field_count; field++) {
            const SymptomField *one = &day->events[at].fields[field];
            uint64_t types = 0;
            for (int type = 0; type < SYMPTOM_TYPES; type++) types = types * 31 + one->types[type];
            assert_true(asprintf(&lines[count++], "%.*s %.*s %.*s %llu %llx %f %s %lld\n",
                                 STR_FORMAT(day->origins[day->events[at].origin].version),
                                 STR_FORMAT(day->events[at].name), STR_FORMAT(one->name),
                                 (unsigned long long)day->events[at].count, (unsigned long long)types,
                                 symptoms_median(one->numbers), day->events[at].currencies[0],
                                 (long long)one->first_ms) > 0);
        }
    qsort(lines, count, sizeof *lines, compare_texts);
    size_t len = 0;
    FILE *out = open_memstream(&all, &len);
    for (size_t at = 0; at < count; at++) fputs(lines[at], out), free(lines[at]);
    fclose(out);
    free(lines);
    symptoms_close_view(view);
    return all;
}

static void any_order_and_any_save_give_the_same(void **state)
{
    struct symptoms *forwards = open_symptoms(false), *backwards = open_symptoms(false), *stored = open_symptoms(true);
    (void)state;
    send_many(forwards, false, false);
    send_many(backwards, true, false);
    send_many(stored, false, true);
    save(stored);
    symptoms_close(stored);
    stored = open_symptoms(true);
    char *expected = describe(forwards), *other = describe(backwards), *loaded = describe(stored);
    assert_true(strlen(expected) > 1000);
    assert_string_equal(expected, other);
    assert_string_equal(expected, loaded);
    free(expected), free(other), free(loaded);
    symptoms_close(forwards), symptoms_close(backwards), symptoms_close(stored);
}

static void every_flipped_bit_is_damage(void **state)
{
    struct symptoms *symptoms = open_symptoms(false);
    struct buf buf;
    Err err;
    (void)state;
    for (unsigned n = 0; n < 40; n++) {
        Sent sent = made(n);
        sent.at_ms = DAY_ONE;
        send(symptoms, &sent, n);
    }
    buf_init(&buf, 1 << 20);
    day_encode(&symptoms->days[0]->of, &buf);
    for (size_t bit = 0; bit < 8 * buf.len; bit++) {
        struct day_table *table = day_open((int32_t)(DAY_ONE / DAY_MS), &symptoms_day_limits);
        buf.bytes[bit / 8] ^= (char)(1 << bit % 8);
        if (day_decode(buf_str(&buf), table, &err) != ERR_DAMAGED) fail_msg("bit %zu", bit);
        buf.bytes[bit / 8] ^= (char)(1 << bit % 8);
        day_close(table);
    }
    /* ... and after a right checksum, too, nothing is believed */
    for (size_t at = (size_t)8; at < buf.len; at++) {
        struct day_table *table = day_open((int32_t)(DAY_ONE / DAY_MS), &symptoms_day_limits);
        char before = buf.bytes[at];
        buf.bytes[at] = (char)(before ^ (0x5a + at));
        uint32_t sum = crc32c_of(0, str_of(buf.bytes + 8, buf.len - 8));
        memcpy(buf.bytes + 4, &sum, sizeof sum);
        Status s = day_decode(buf_str(&buf), table, &err);
        assert_true(s == OK || s == ERR_DAMAGED);
        buf.bytes[at] = before;
        day_close(table);
    }
    buf_done(&buf);
    symptoms_close(symptoms);
}

/* ---- Forgetting ---- */

static bool knows(struct symptoms *symptoms, uint32_t subject)
{
    struct symptoms_view *view;
    const SymptomDay *day = view_all(symptoms, &view);
    bool found = false;
    for (uint32_t at = 0; at < day->row_count; at++) {
        for (uint32_t one = 0; one < day->rows[at].subject_count; one++)
            found |= day->rows[at].subjects[one] == subject;
        for (uint32_t one = 0; one < day->rows[at].example_count; one++)
            found |= day->rows[at].examples[one].subject == subject;
    }
    symptoms_close_view(view);
    return found;
}

static void who_is_erased_is_in_no_set(void **state)
{
    struct symptoms *symptoms = open_symptoms(true);
    uint32_t subject = 3;
    (void)state;
    for (int day = 0; day < 3; day++)
        for (uint32_t who = 2; who < 5; who++)
            send(symptoms, &(Sent){ .user = "null", .at_ms = DAY_ONE + day * DAY_MS, .subject = who },
                 (unsigned)day * 10 + who);
    save(symptoms);                                          /* two of the days are in the store only */
    assert_true(knows(symptoms, 3));
    symptoms_forget(symptoms, &subject, 1);
    assert_true(symptoms_wants_save(symptoms));
    assert_false(knows(symptoms, 3));
    save(symptoms);
    symptoms_close(symptoms);
    symptoms = open_symptoms(true);
    assert_false(knows(symptoms, 3));
    assert_true(knows(symptoms, 2) && knows(symptoms, 4));
    send(symptoms, &(Sent){ .user = "null", .subject = 3 }, 99);     /* what comes later is not forgotten */
    assert_true(knows(symptoms, 3));
    symptoms_close(symptoms);
}

/* Names and fields as one text. */
static bool names(struct symptoms *symptoms, const char *wanted)
{
    struct symptoms_view *view;
    const SymptomDay *day = view_all(symptoms, &view);
    bool found = false;
    for (uint32_t at = 0; at < day->event_count; at++) {
        found |= str_equal(day->events[at].name, str_from(wanted));
        for (uint32_t field = 0; field < day->events[at].field_count; field++)
            found |= str_equal(day->events[at].fields[field].name, str_from(wanted));
    }
    symptoms_close_view(view);
    return found;
}

static void what_only_the_erased_sent_is_gone(void **state)
{
    struct symptoms *symptoms = open_symptoms(true);
    const uint32_t erased[] = { 3, 8 };
    (void)state;
    for (uint32_t day = 0; day < 3; day++) {
        Millis at_ms = DAY_ONE + day * DAY_MS;
        for (uint32_t who = 2; who < 9; who++)               /* seven people */
            send(symptoms, &(Sent){ .name = "Of All", .body = "\"properties\":{\"all\":1}", .at_ms = at_ms,
                                    .subject = who }, day * 100 + who);
        for (uint32_t who = 3; who < 9; who += 5)            /* two that are erased, on two of their devices */
            send(symptoms, &(Sent){ .name = "Anns Visit", .body = "\"properties\":{\"anns\":2.5}", .at_ms = at_ms,
                                    .subject = who }, day * 100 + 20 + who);
        send(symptoms, &(Sent){ .name = "Of All", .body = "\"properties\":{\"all\":1,\"anns own\":1}", .at_ms = at_ms,
                                .subject = 3 }, day * 100 + 40);
        send(symptoms, &(Sent){ .name = "Of Two", .at_ms = at_ms, .subject = 3 }, day * 100 + 41);
        send(symptoms, &(Sent){ .name = "Of Two", .at_ms = at_ms, .subject = 4 }, day * 100 + 42);
    }
    save(symptoms);
    assert_true(names(symptoms, "Anns Visit") && names(symptoms, "anns") && names(symptoms, "anns own"));
    symptoms_forget(symptoms, erased, countof(erased));
    for (int again = 0; again < 2; again++) {
        assert_false(names(symptoms, "Anns Visit") || names(symptoms, "anns") || names(symptoms, "anns own"));
        assert_true(names(symptoms, "Of All") && names(symptoms, "all") && names(symptoms, "Of Two"));
        save(symptoms);
        symptoms_close(symptoms);
        symptoms = open_symptoms(true);
    }
    /* Nor do their bytes lie in a day that is written again, and counting goes on. */
    send(symptoms, &(Sent){ .name = "Of All", .body = "\"properties\":{\"all\":1}", .subject = 2 }, 999);
    struct buf buf;
    buf_init(&buf, 1024 * 1024);
    for (size_t at = 0; at < symptoms->day_count; at++) day_encode(&symptoms->days[at]->of, &buf);
    assert_false(str_contains(buf_str(&buf), STR("nns")));
    buf_done(&buf);
    symptoms_close(symptoms);
}

/* ---- Ceilings ---- */

static void days_beyond_ninety_go(void **state)
{
    struct symptoms *symptoms = open_symptoms(true);
    (void)state;
    for (int day = 0; day < 100; day++) {
        send(symptoms, &(Sent){ .user = "null", .at_ms = DAY_ONE + day * DAY_MS }, (unsigned)day);
        if (day % 30 == 29) save(symptoms);
    }
    save(symptoms);
    symptoms_close(symptoms);
    symptoms = open_symptoms(true);
    assert_int_equal(symptoms->kept_count, SYMPTOMS_DAYS);
    assert_int_equal(symptoms->kept[0], DAY_ONE / DAY_MS + 10);
    send(symptoms, &(Sent){ .user = "null" }, 1);            /* too old to be counted */
    assert_int_equal(symptoms->kept_count, SYMPTOMS_DAYS);
    symptoms_close(symptoms);
}

static void what_is_over_a_ceiling_is_told(void **state)
{
    struct symptoms *symptoms = open_symptoms(false);
    struct symptoms_view *view;
    char name[32], body[64];
    (void)state;
    for (unsigned n = 0; n < SYMPTOMS_EVENTS + 50; n++) {
        snprintf(name, sizeof name, "Event %u", n);
        send(symptoms, &(Sent){ .name = name }, n);
    }
    for (unsigned n = 0; n < SYMPTOMS_FIELDS + 20; n++) {
        snprintf(body, sizeof body, "\"properties\":{\"f%u\":1}", n);
        send(symptoms, &(Sent){ .name = "Event 0", .body = body }, n);
    }
    const SymptomDay *day = view_all(symptoms, &view);
    assert_int_equal(day->over_events, 50);
    assert_int_equal(day->over_fields, 20);
    uint64_t all = 0, over = 0;
    for (uint32_t at = 0; at < day->event_count; at++) {
        all += day->events[at].count;
        if (day->events[at].is_over) over += day->events[at].count;
    }
    assert_int_equal(over, 50);
    assert_int_equal(all, SYMPTOMS_EVENTS + 50 + SYMPTOMS_FIELDS + 20);
    symptoms_close_view(view);
    symptoms_close(symptoms);
}

static void a_full_set_says_so(void **state)
{
    struct symptoms *symptoms = open_symptoms(false), *backwards = open_symptoms(false);
    struct symptoms_view *view;
    unsigned most = SYMPTOMS_SUBJECTS + 300;
    (void)state;
    for (unsigned n = 0; n < most; n++) {
        send(symptoms, &(Sent){ .user = "null", .subject = n }, n);
        send(backwards, &(Sent){ .user = "null", .subject = most - 1 - n }, most - 1 - n);
    }
    const SymptomRow *row = find(view_all(symptoms, &view), SYMPTOM_PLACEHOLDER_ID, "userId", "null");
    assert_int_equal(row->count, most);
    assert_int_equal(row->subject_count, SYMPTOMS_SUBJECTS);
    assert_true(row->has_more_subjects);
    symptoms_close_view(view);
    char *one = describe(symptoms), *other = describe(backwards);
    assert_string_equal(one, other);
    free(one), free(other);
    symptoms_close(symptoms), symptoms_close(backwards);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_symptom_is_shown),
        cmocka_unit_test(healthy_messages_show_nothing),
        cmocka_unit_test(what_an_import_had_rejected_is_the_imports),
        cmocka_unit_test(fields_count_their_types),
        cmocka_unit_test(names_are_kept_without_addresses),
        cmocka_unit_test_setup_teardown(any_order_and_any_save_give_the_same, open_store, close_store),
        cmocka_unit_test(every_flipped_bit_is_damage),
        cmocka_unit_test_setup_teardown(who_is_erased_is_in_no_set, open_store, close_store),
        cmocka_unit_test_setup_teardown(what_only_the_erased_sent_is_gone, open_store, close_store),
        cmocka_unit_test_setup_teardown(days_beyond_ninety_go, open_store, close_store),
        cmocka_unit_test(what_is_over_a_ceiling_is_told),
        cmocka_unit_test(a_full_set_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
