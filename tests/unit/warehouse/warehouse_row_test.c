/* warehouse_row: messages as rows of Segment's schema. */
#include "warehouse/warehouse_row.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

static struct region region;
static struct warehouse_maker *maker;
static WarehouseMessage message;
static char text[64 * 1024];

static int setup(void **state)
{
    (void)state;
    region_open(&region, WAREHOUSE_SCRATCH_BYTES);
    maker = warehouse_maker_open(WAREHOUSE_NAMING_SEGMENT);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    warehouse_maker_close(maker);
    region_close(&region);
    return 0;
}

/* Single quotes stand for double ones. */
static void make(Event event, const char *json)
{
    size_t len = strlen(json);
    Err err;
    assert_true(len < sizeof text);
    for (size_t at = 0; at < len; at++) text[at] = json[at] == '\'' ? '"' : json[at];
    event.json = str_of(text, len);
    event.message_id = STR("m1");
    event.timestamp_ms = 1000, event.received_at_ms = 2000, event.sent_at_ms = INSTANT_NONE;
    event.original_timestamp_ms = 1500;
    Arena arena = region_arena(&region);
    assert_int_equal(warehouse_make_rows(maker, &event, &arena, &message, &err), OK);
}

static const WarehouseValue *value(size_t row, const char *column)
{
    assert_true(row < message.row_count);
    for (size_t at = 0; at < message.rows[row].count; at++)
        if (str_equal(message.rows[row].values[at].column, str_from(column))) return &message.rows[row].values[at];
    return NULL;
}

static void check_value(size_t row, const char *column, WarehouseType type, const char *wanted)
{
    const WarehouseValue *found = value(row, column);
    if (!found) fail_msg("no column %s", column);
    assert_int_equal(found->type, type);
    if (!wanted) assert_null(found->text.bytes);
    else if (!str_equal(found->text, str_from(wanted))) fail_msg("%s: %.*s", column, STR_FORMAT(found->text));
}

static void check_discard(size_t at, const char *column, const char *wanted, const char *reason)
{
    assert_true(at < message.discard_count);
    const WarehouseDiscard *discard = &message.discards[at];
    assert_string_equal(discard->reason, reason);
    if (!str_equal(discard->column, str_from(column))) fail_msg("%.*s", STR_FORMAT(discard->column));
    if (!str_equal(discard->text, str_from(wanted))) fail_msg("%.*s", STR_FORMAT(discard->text));
}

static void a_track_is_two_rows(void **state)
{
    (void)state;
    make((Event){ .type = EVENT_TRACK, .name = STR("Order Completed"), .user_id = STR("u"), .anonymous_id = STR("a") },
         "{'properties':{'revenue':12.5,'address':{'Street Name':'x','zip':[1,2]},'none':null,'empty':{}},"
         "'context':{'ip':'::1','app':{'version':'1.2'}}}");
    assert_int_equal(message.row_count, 2);
    assert_true(str_equal(message.rows[0].table, STR("tracks")));
    assert_true(str_equal(message.rows[1].table, STR("order_completed")));
    for (size_t row = 0; row < 2; row++) {
        check_value(row, "id", WAREHOUSE_TEXT, "m1");
        check_value(row, "event", WAREHOUSE_TEXT, "order_completed");
        check_value(row, "event_text", WAREHOUSE_TEXT, "Order Completed");
        check_value(row, "user_id", WAREHOUSE_TEXT, "u");
        check_value(row, "anonymous_id", WAREHOUSE_TEXT, "a");
        check_value(row, "timestamp", WAREHOUSE_TIMESTAMP, "1970-01-01T00:00:01.000Z");
        check_value(row, "original_timestamp", WAREHOUSE_TIMESTAMP, "1970-01-01T00:00:01.500Z");
        check_value(row, "received_at", WAREHOUSE_TIMESTAMP, "1970-01-01T00:00:02.000Z");
        check_value(row, "sent_at", WAREHOUSE_TIMESTAMP, NULL);
        check_value(row, "context_ip", WAREHOUSE_TEXT, "::1");
        check_value(row, "context_app_version", WAREHOUSE_TEXT, "1.2");
    }
    assert_null(value(0, "revenue"));
    check_value(1, "revenue", WAREHOUSE_NUMERIC, "12.5");
    check_value(1, "address_street_name", WAREHOUSE_TEXT, "x");
    check_value(1, "address_zip", WAREHOUSE_TEXT, "[1,2]");
    assert_null(value(1, "none"));
    assert_null(value(1, "empty"));
    assert_int_equal(message.discard_count, 0);
}

static void an_identify_is_a_user(void **state)
{
    (void)state;
    make((Event){ .type = EVENT_IDENTIFY, .user_id = STR("u"), .anonymous_id = STR("a") },
         "{'traits':{'email':'k@x','id':'other'},'context':{'ip':'::1'}}");
    assert_int_equal(message.row_count, 2);
    assert_true(str_equal(message.rows[1].table, STR("users")));
    assert_true(message.rows[1].is_upsert);
    check_value(1, "id", WAREHOUSE_TEXT, "u");
    check_value(1, "email", WAREHOUSE_TEXT, "k@x");
    check_value(1, "context_ip", WAREHOUSE_TEXT, "::1");
    assert_null(value(1, "user_id"));
    assert_null(value(1, "anonymous_id"));
    assert_null(value(1, "timestamp"));
    assert_int_equal(message.discard_count, 1);              /* once, though it is in two rows */
    check_discard(0, "id", "other", "reserved");
    make((Event){ .type = EVENT_IDENTIFY, .anonymous_id = STR("a") }, "{'traits':{'email':'k@x'}}");
    assert_int_equal(message.row_count, 1);
}

static void other_calls_have_their_tables(void **state)
{
    (void)state;
    make((Event){ .type = EVENT_PAGE, .name = STR("Home"), .category = STR("Docs") },
         "{'properties':{'name':'Home','url':'/','category':'Other'}}");
    assert_int_equal(message.row_count, 1);
    assert_true(str_equal(message.rows[0].table, STR("pages")));
    check_value(0, "name", WAREHOUSE_TEXT, "Home");
    check_value(0, "category", WAREHOUSE_TEXT, "Docs");
    check_value(0, "url", WAREHOUSE_TEXT, "/");
    assert_int_equal(message.discard_count, 1);              /* the name says the same as the page's own */
    check_discard(0, "category", "Other", "reserved");
    make((Event){ .type = EVENT_SCREEN, .name = STR("S") }, "{}");
    assert_true(str_equal(message.rows[0].table, STR("screens")));
    make((Event){ .type = EVENT_GROUP, .group_id = STR("g") }, "{'traits':{'plan':'pro'}}");
    assert_int_equal(message.row_count, 2);
    assert_true(str_equal(message.rows[0].table, STR("groups")));
    assert_true(str_equal(message.rows[1].table, STR("accounts")));
    check_value(0, "group_id", WAREHOUSE_TEXT, "g");
    check_value(1, "id", WAREHOUSE_TEXT, "g");
    check_value(1, "plan", WAREHOUSE_TEXT, "pro");
    make((Event){ .type = EVENT_ALIAS, .user_id = STR("u"), .previous_id = STR("p") }, "{}");
    assert_true(str_equal(message.rows[0].table, STR("aliases")));
    check_value(0, "previous_id", WAREHOUSE_TEXT, "p");
}

static void what_has_no_place_is_told(void **state)
{
    (void)state;
    make((Event){ .type = EVENT_TRACK, .name = STR("E") },
         "{'properties':{'user_id':'x','uuid_ts':1,'context_ip':2,'Plan Name':'a','plan_name':'b','plan':{'name':'c'},"
         "'注文':5,'twice':1,'twice':2,'event':'E2','received_at':3}}");
    check_value(1, "plan_name", WAREHOUSE_TEXT, "c");
    check_value(1, "twice", WAREHOUSE_BIGINT, "2");
    check_discard(0, "user_id", "x", "reserved");
    check_discard(1, "uuid_ts", "1", "reserved");
    check_discard(2, "context_ip", "2", "reserved");
    check_discard(3, "plan_name", "a", "same_column");
    check_discard(4, "plan_name", "b", "same_column");
    check_discard(5, "注文", "5", "no_name");
    check_discard(6, "twice", "1", "same_column");
    check_discard(7, "event", "E2", "reserved");
    check_discard(8, "received_at", "3", "reserved");
    assert_int_equal(message.discard_count, 9);
    make((Event){ .type = EVENT_TRACK, .name = STR("注文") }, "{'properties':{'a':1}}");
    assert_int_equal(message.row_count, 1);
    check_value(0, "event", WAREHOUSE_TEXT, NULL);
    check_value(0, "event_text", WAREHOUSE_TEXT, "注文");
    check_discard(0, "properties", "{\"a\":1}", "no_event_name");
}

static void names_of_tables_that_are_there_are_taken(void **state)
{
    (void)state;
    static const struct { Str event; const char *table; } rows[] = {
        { STR("Users"), "_users" }, { STR("tracks"), "_tracks" }, { STR("Accounts"), "_accounts" },
        { STR("Onym Sync"), "_onym_sync" }, { STR("Onym"), "onym" }, { STR("user"), "user" },
    };
    for (size_t at = 0; at < countof(rows); at++) {
        make((Event){ .type = EVENT_TRACK, .name = rows[at].event }, "{}");
        assert_true(str_equal(message.rows[1].table, str_from(rows[at].table)));
    }
}

static void a_message_cannot_cost_much(void **state)
{
    (void)state;
    char json[40000];
    size_t len = (size_t)snprintf(json, sizeof json, "{'properties':{");
    for (int at = 0; at < 2000; at++)
        len += (size_t)snprintf(json + len, sizeof json - len, "%s'p%d':%d", at ? "," : "", at, at);
    snprintf(json + len, sizeof json - len, "}}");
    make((Event){ .type = EVENT_TRACK, .name = STR("E") }, json);
    check_value(1, "p1999", WAREHOUSE_BIGINT, "1999");
    len = (size_t)snprintf(json, sizeof json, "{'properties':{'");
    memset(json + len, 'k', 16000);
    len += 16000;
    len += (size_t)snprintf(json + len, sizeof json - len, "':{");
    for (int at = 0; at < 1000; at++)
        len += (size_t)snprintf(json + len, sizeof json - len, "%s'%d':1", at ? "," : "", at);
    snprintf(json + len, sizeof json - len, "},'after':1}}");
    make((Event){ .type = EVENT_TRACK, .name = STR("E") }, json);
    check_value(1, "after", WAREHOUSE_BIGINT, "1");
    assert_int_equal(message.discard_count, 1);
    assert_string_equal(message.discards[0].reason, "name_too_long");
    len = (size_t)snprintf(json, sizeof json, "{'properties':{");
    for (int at = 0; at < 500; at++)
        len += (size_t)snprintf(json + len, sizeof json - len, "%s'user_id':%d", at ? "," : "", at);
    snprintf(json + len, sizeof json - len, "}}");
    make((Event){ .type = EVENT_TRACK, .name = STR("E") }, json);
    assert_int_equal(message.discard_count, WAREHOUSE_DISCARDS_A_MESSAGE);
    assert_int_equal(message.untold_count, 400);
}

static void an_import_keeps_when_it_came(void **state)
{
    (void)state;
    make((Event){ .type = EVENT_SCREEN, .from_import = true }, "{'receivedAt':'2020-01-01T00:00:00.000Z'}");
    check_value(0, "received_at", WAREHOUSE_TIMESTAMP, "2020-01-01T00:00:00.000Z");
    make((Event){ .type = EVENT_SCREEN, .from_import = true }, "{}");
    check_value(0, "received_at", WAREHOUSE_TIMESTAMP, "1970-01-01T00:00:02.000Z");
}

static void a_person_is_a_row(void **state)
{
    (void)state;
    Arena arena = region_arena(&region);
    Err err;
    WarehousePerson person = { STR("u_kim"), STR(""), 1000, INSTANT_NONE,
                               STR("{\"plan\":\"Pro\",\"first_seen\":1,\"address\":{\"city\":\"Ulm\"}}") };
    assert_int_equal(warehouse_make_person(maker, &person, &arena, &message, &err), OK);
    assert_int_equal(message.row_count, 1);
    assert_true(message.rows[0].is_upsert && message.rows[0].is_whole);
    check_value(0, "person_id", WAREHOUSE_TEXT, "u_kim");
    check_value(0, "user_id", WAREHOUSE_TEXT, NULL);
    check_value(0, "first_seen", WAREHOUSE_TIMESTAMP, "1970-01-01T00:00:01.000Z");
    check_value(0, "last_seen", WAREHOUSE_TIMESTAMP, NULL);
    check_value(0, "plan", WAREHOUSE_TEXT, "Pro");
    check_value(0, "address_city", WAREHOUSE_TEXT, "Ulm");
    assert_int_equal(message.discard_count, 0);
}

/* Relations of one schema share their names, and a load that cannot make a table stops. */
static void no_table_or_column_is_called_like_the_servers_own(void **state)
{
    static const struct { Str event; const char *table; } cases[] = {
        { STR("Tracks Pkey"), "tracks_pkey_" }, { STR("Tracks Pkey12"), "tracks_pkey12_" }, { STR("Pkey"), "pkey" },
        { STR("Onym Foo Resolved"), "_onym_foo_resolved_" }, { STR("Onym Sync Pkey"), "_onym_sync_pkey_" },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        make((Event){ .type = EVENT_TRACK, .name = cases[at].event, .user_id = STR("u") }, "{}");
        assert_true(str_equal(message.rows[1].table, str_from(cases[at].table)));
    }
    make((Event){ .type = EVENT_IDENTIFY, .user_id = STR("u") }, "{'traits':{'xmin':1},'context':{'xmin':2}}");
    check_discard(0, "xmin", "1", "reserved");
    check_value(0, "context_xmin", WAREHOUSE_BIGINT, "2");
}

static void no_table_is_called_like_a_view(void **state)
{
    (void)state;
    make((Event){ .type = EVENT_TRACK, .name = STR("Ticket Resolved") }, "{}");
    assert_true(str_equal(message.rows[1].table, STR("ticket_resolved_")));
    make((Event){ .type = EVENT_TRACK, .name = STR("Resolved") }, "{}");
    assert_true(str_equal(message.rows[1].table, STR("resolved")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_track_is_two_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(an_identify_is_a_user, setup, teardown),
        cmocka_unit_test_setup_teardown(other_calls_have_their_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_no_place_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(names_of_tables_that_are_there_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_cannot_cost_much, setup, teardown),
        cmocka_unit_test_setup_teardown(an_import_keeps_when_it_came, setup, teardown),
        cmocka_unit_test_setup_teardown(a_person_is_a_row, setup, teardown),
        cmocka_unit_test_setup_teardown(no_table_is_called_like_a_view, setup, teardown),
        cmocka_unit_test_setup_teardown(no_table_or_column_is_called_like_the_servers_own, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
