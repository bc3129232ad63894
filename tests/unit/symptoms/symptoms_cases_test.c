/* symptoms_cases: views made by hand, and the cases that must be told of each, no more. */
#include "symptoms/symptoms_cases.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

static struct region region;
static struct day_table *table;
static char told[64 * 1024];
static size_t told_len;

static int begin(void **state)
{
    (void)state;
    region_open(&region, 64 * 1024 * 1024);
    table = day_open(0, &symptoms_view_limits);
    return 0;
}

static int end(void **state)
{
    (void)state;
    day_close(table);
    region_close(&region);
    return 0;
}

static uint32_t origin(const char *source, const char *version, uint64_t messages)
{
    SymptomOrigin wanted = { .source = str_from(source), .library = STR("js"), .version = str_from(version) };
    uint32_t place = day_find_origin(table, &wanted);
    table->of.origins[place].tallies[TALLY_MESSAGES] += messages;
    table->of.origins[place].tallies[TALLY_SENT_AT] += messages;
    return place;
}

static SymptomEvent *event(uint32_t from, const char *name, uint64_t count, int first_day, uint64_t days)
{
    SymptomEvent *made = day_find_event(table, from, EVENT_TRACK, str_from(name));
    made->count += count;
    made->first_ms = first_day * DAY_MS, made->last_ms = made->first_ms;
    made->days[0] = days;
    return made;
}

static SymptomField *field(SymptomEvent *of, const char *name, SymptomType type, uint64_t count)
{
    uint32_t guess = UINT32_MAX;
    SymptomField *made = day_find_field(table, of, &guess, str_from(name));
    made->types[type] += count;
    return made;
}

static void numbers(SymptomEvent *of, const char *name, double from, double step, int count)
{
    SymptomField *made = field(of, name, TYPE_NUMBER, (uint64_t)count);
    SymptomNumbers *all = day_find_numbers(table, made);
    for (int at = 0; at < count; at++) all->buckets[symptoms_bucket(from + step * at)]++;
}

static void note(void *context, const SymptomCase *found)
{
    (void)context;
    told_len += (size_t)snprintf(told + told_len, sizeof told - told_len, "%s %.*s/%.*s %.*s|%.*s|%.*s %llu/%llu\n",
                                 found->code, STR_FORMAT(found->source), STR_FORMAT(found->version),
                                 STR_FORMAT(found->event), STR_FORMAT(found->field), STR_FORMAT(found->detail),
                                 (unsigned long long)found->count, (unsigned long long)found->of);
}

static void expect(const char *lines)
{
    Arena arena = region_arena(&region);
    told_len = 0;
    told[0] = 0;
    symptoms_list_cases(&table->of, false, &arena, note, NULL);
    assert_string_equal(told, lines);
}

static void healthy_views_have_no_cases(void **state)
{
    static const char *const names[] = { "Signed Up", "Signed In", "Product Viewed", "Product Reviewed",
        "Step 1 Completed",
                                         "Step 2 Completed", "Searched" };
    uint32_t one = origin("web", "1", 700), two = origin("web", "2", 700);
    (void)state;
    for (size_t at = 0; at < countof(names); at++)
        for (int version = 0; version < 2; version++) {
            SymptomEvent *made = event(version ? two : one, names[at], 100, version, 0x7f);
            numbers(made, "revenue", 10, 1, 100);
            field(made, "sku", TYPE_TEXT, 60);
            field(made, "sku", TYPE_TEXT_NUMBER, 40);        /* letters and digits, as it happens */
            field(made, "coupon", TYPE_NULL, 30);
        }
    expect("");
}

static void names_are_compared(void **state)
{
    uint32_t web = origin("web", "1", 0), server = origin("api", "2", 0);
    (void)state;
    event(web, "Order Completed", 90, 0, 1);
    event(server, "order_completed", 10, 0, 1);
    event(web, "Signed Up", 50, 0, 1);
    event(web, "Cart Viewd", 5, 0, 1);
    event(web, "test_click", 1, 0, 1);
    event(web, "Odd  Blanks", 1, 0, 1);
    event(web, "Item Seen", 1, 0, 1);
    event(web, "Plan Chosen", 1, 0, 1);
    event(web, "Mail Read", 1, 0, 1);
    event(web, "Tour Done", 1, 0, 1);
    expect("NM-1 api/2 order_completed||Order Completed 10/100\n"
           "NM-4 web/1 test_click||Title Case 1/10\n"
           "NM-5 web/1 Cart Viewd||Cart Viewed 5/5\n"
           "NM-3 web/1 Odd  Blanks||blanks 1/161\n"
           "NM-7 web/1 test_click|| 1/161\n");
}

static void values_in_names_are_one_case(void **state)
{
    uint32_t web = origin("web", "1", 0);
    char name[32];
    (void)state;
    for (int at = 0; at < 12; at++) {
        snprintf(name, sizeof name, "Viewed Item %d", 100 + at);
        event(web, name, 2, 0, 1);
    }
    event(web, "Viewed", 6, 0, 1);
    expect("NM-2 web/1 Viewed Item 100||Viewed Item # 24/30\n");
}

static void an_event_of_one_day_is_told_when_the_day_is_over(void **state)
{
    uint32_t web = origin("web", "1", 0);
    (void)state;
    event(web, "Viewed", 90, 0, 0x3ff);
    event(web, "Once", 3, 2, 1 << 2);
    event(web, "New", 3, 9, 1 << 9);
    expect("NM-8 web/1 Once|| 3/96\n");
}

static void types_are_compared(void **state)
{
    uint32_t one = origin("web", "1", 0), two = origin("web", "2", 0);
    (void)state;
    SymptomEvent *old = event(one, "Paid", 100, 0, 1), *now = event(two, "Paid", 50, 1, 1);
    numbers(old, "total", 5, 0.5, 100);
    field(now, "total", TYPE_TEXT_NUMBER, 30);
    numbers(now, "total", 5, 1, 20);
    field(old, "tags", TYPE_LIST, 100);
    field(now, "tags", TYPE_TEXT, 50);
    field(now, "note", TYPE_TEXT_JUNK, 4);
    field(now, "note", TYPE_EMPTY, 6);
    SymptomEvent *other = event(one, "Refused", 40, 0, 1);
    field(other, "tags", TYPE_LIST, 40);
    numbers(other, "code", 1, 0, 40);
    field(event(one, "Started", 20, 0, 1), "code", TYPE_TEXT, 20);
    expect("PR-1 web/2 Paid|properties.tags|text where list is usual 50/150\n"
           "PR-1 web/2 Paid|properties.total|number as text 30/150\n"
           "PR-4 web/2 Paid|properties.note|junk 4/10\n"
           "PR-4 web/2 Paid|properties.note|empty text 6/10\n"
           "PR-2 web/1 Started|properties.code|text; number in Refused 20/60\n");
}

static void a_version_that_loses_a_field_is_named(void **state)
{
    uint32_t one = origin("web", "1", 0), two = origin("web", "2", 0), three = origin("web", "3", 0);
    (void)state;
    field(event(one, "Paid", 300, 0, 1), "plan", TYPE_TEXT, 299);
    field(event(one, "Paid", 0, 0, 1), "coupon", TYPE_TEXT, 100);
    field(event(two, "Paid", 200, 3, 1), "plan", TYPE_TEXT, 20);
    field(event(three, "Paid", 20, 4, 1), "plan", TYPE_NULL, 20);        /* too few to say */
    expect("PR-3 web/2 Paid|properties.plan|had by 299 of 300 before 180/200\n");
}

static void cents_are_told_from_dollars(void **state)
{
    uint32_t one = origin("web", "1", 0), two = origin("web", "2", 0), server = origin("api", "9", 0);
    (void)state;
    SymptomEvent *old = event(one, "Paid", 300, 0, 1), *cents = event(two, "Paid", 200, 3, 1);
    SymptomEvent *dear = event(server, "Paid", 100, 3, 1);
    day_add_currency(old, "EUR"), day_add_currency(cents, "EUR"), day_add_currency(dear, "JPY");
    numbers(old, "revenue", 5, 0.2, 300);
    numbers(cents, "revenue", 500, 30, 200);
    numbers(dear, "revenue", 500, 30, 100);                  /* another currency */
    numbers(old, "items", 1, 0.01, 300);
    numbers(cents, "items", 1, 0.1, 200);                    /* more of them, not another scale */
    expect("PR-6 web/2 Paid|properties.revenue|x100 of web js 1 200/500\n");
}

static void keys_with_numbers_are_an_explosion(void **state)
{
    SymptomEvent *made = event(origin("web", "1", 0), "Paid", 30, 0, 1);
    char name[32];
    (void)state;
    field(made, "plan", TYPE_TEXT, 30);
    for (int at = 0; at < 12; at++) {
        snprintf(name, sizeof name, "item_%d", at);
        field(made, name, TYPE_TEXT, 1);
    }
    expect("PR-5 web/1 Paid||item_9 12/13\n");
}

static void add_users(uint32_t from, const char *shape, uint32_t first, uint32_t count)
{
    SymptomRow *row = day_find_row(table, from, SYMPTOM_ID_SHAPE, (Str){ 0 }, (Str){ 0 }, str_from(shape));
    for (uint32_t at = 0; at < count; at++) day_add_subject(table, row, first + at);
    row->count += count;
}

static void shapes_of_ids_are_compared_over_all_sources(void **state)
{
    uint32_t one = origin("web", "1", 0), two = origin("web", "2", 0), server = origin("api", "9", 0);
    (void)state;
    add_users(one, "integer", 0, 100);
    add_users(two, "integer", 50, 100);                      /* half of them are the same */
    add_users(two, "uuid", 1000, 3);
    add_users(server, "email", 2000, 40);
    add_users(server, "integer", 0, 10);
    expect("ID-8 web/2 |userId|uuid 3/153\nID-7 api/9 |userId|email 40/50\n");
}

static void a_full_set_is_estimated(void **state)
{
    uint32_t web = origin("web", "1", 0);
    (void)state;
    add_users(web, "email", 0, 100000);
    Arena arena = region_arena(&region);
    told_len = 0;
    symptoms_list_cases(&table->of, false, &arena, note, NULL);
    unsigned long long count = 0;
    assert_int_equal(sscanf(told, "ID-7 web/1 |userId|email %llu/", &count), 1);
    assert_in_range(count, 92000, 108000);
}

static void add_row(uint32_t from, SymptomCode code, const char *value, uint64_t count)
{
    day_find_row(table, from, code, (Str){ 0 }, (Str){ 0 }, str_from(value))->count += count;
}

static void a_time_zone_is_no_skew(void **state)
{
    uint32_t web = origin("web", "1", 100), phone = origin("app", "1", 50);
    (void)state;
    add_row(web, SYMPTOM_SKEW, "behind", 90);
    add_row(web, SYMPTOM_LOCAL_TIME, "-02:00", 90);
    add_row(phone, SYMPTOM_SKEW, "ahead", 9);
    add_row(phone, SYMPTOM_LOCAL_TIME, "+02:00", 1);
    expect("CL-2 web/1 ||-02:00 90/100\nCL-1 app/1 ||ahead 9/50\nCL-2 app/1 ||+02:00 1/50\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(healthy_views_have_no_cases), TEST(names_are_compared), TEST(values_in_names_are_one_case),
        TEST(an_event_of_one_day_is_told_when_the_day_is_over), TEST(types_are_compared),
        TEST(a_version_that_loses_a_field_is_named), TEST(cents_are_told_from_dollars),
        TEST(keys_with_numbers_are_an_explosion), TEST(shapes_of_ids_are_compared_over_all_sources),
        TEST(a_full_set_is_estimated), TEST(a_time_zone_is_no_skew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
