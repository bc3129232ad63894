/* terminal_event: golden lines, wide, narrow and in a file. */
#include "terminal/terminal_event.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static Err err;
static struct buf record;

static Str encode(EventType type, const char *name, const char *user, const char *anonymous, const char *json)
{
    Event event = {
        .type = type, .source = STR("website"), .message_id = STR("m"), .user_id = str_from(user),
        .anonymous_id = str_from(anonymous), .previous_id = type == EVENT_ALIAS ? STR("old") : STR(""),
        .group_id = type == EVENT_GROUP ? STR("acme") : STR(""), .name = str_from(name), .json = str_from(json),
        .timestamp_ms = 1700000000000, .received_at_ms = 1700000000123, .original_timestamp_ms = INSTANT_NONE,
        .sent_at_ms = INSTANT_NONE,
    };
    buf_clear(&record);
    event_encode(&record, &event);
    return buf_str(&record);
}

/* What is printed, in a pretended terminal of that width (0: a file), without colours. */
static const char *printed(Str bytes, unsigned width)
{
    static char out[LINE_BYTES];
    struct event_line *line;
    FILE *stream = fmemopen(out, sizeof out, "w");
    assert_int_equal(event_line_open(stream, &line, &err), OK);
    line->columns = !width ? plain : width < WIDE_COLUMNS ? narrow : wide;
    line->terminal.width = width;
    put_event(line, bytes);
    buf_char(&line->buf, 0);
    fclose(stream);
    memcpy(out, line->buf.bytes, line->buf.len);
    event_line_close(line);
    return out;
}

static void each_type_says_what_matters_about_it(void **state)
{
    (void)state;
    static const struct { EventType type; const char *name, *user, *anonymous, *json, *line; } rows[] = {
        { EVENT_TRACK, "Account Created", "12345", "",
          "{\"properties\":{\"plan\":\"Free\",\"value\":9.50,\"note\":\"a b\"}}",
          "22:13:20.123  track     Account Created             12345                 website     plan=Free value=9.50 "
          "note=\"a b\"" },
        { EVENT_IDENTIFY, "", "12345", "anon", "{\"traits\":{\"email\":\"kim@example.com\"}}",
          "22:13:20.123  identify                              12345                 website     "
          "email=kim@example.com" },
        { EVENT_PAGE, "", "", "8f14e45f-ceea-467f-a8d4-11aa22bb33cc",
          "{\"properties\":{\"path\":\"/pricing\",\"url\":\"https://x/pricing\",\"title\":\"Prices\"}}",
          "22:13:20.123  page      /pricing                    ~8f14e45f-ceea-467f…  website     title=Prices" },
        { EVENT_PAGE, "", "", "a", "{\"context\":{\"page\":{\"path\":\"/about\"}}}",
          "22:13:20.123  page      /about                      ~a                    website     " },
        { EVENT_TRACK, "Late", "1", "", "{\"originalTimestamp\":\"01/02/2026\",\"properties\":{\"a\":1},"
          "\"timeProblem\":\"timestamp_ambiguous\"}",
          "22:13:20.123  track     Late                        1                     website     "
          "[timestamp \"01/02/2026\" can be read as more than one time] a=1" },
        { EVENT_TRACK, "Late", "1", "", "{\"sentAt\":0,\"timeProblem\":\"sent_at_ignored\"}",
          "22:13:20.123  track     Late                        1                     website     "
          "[sentAt 0 cannot be right beside the timestamp]" },
        { EVENT_TRACK, "Late", "1", "", "{\"timeProblem\":\"nonsense\"}",
          "22:13:20.123  track     Late                        1                     website     " },
        { EVENT_ALIAS, "", "new", "", "{}",
          "22:13:20.123  alias                                 new                   website     was=old" },
        { EVENT_GROUP, "", "12345", "", "{\"traits\":{\"plan\":null,\"list\":[1,2],\"map\":{\"a\":1}}}",
          "22:13:20.123  group     acme                        12345                 website     plan=null list=[1,2] "
          "map={\"a\":1}" },
    };
    for (size_t at = 0; at < countof(rows); at++)
        assert_string_equal(printed(encode(rows[at].type, rows[at].name, rows[at].user, rows[at].anonymous,
                                           rows[at].json), 160), rows[at].line);
}

static void no_line_is_wider_than_its_terminal(void **state)
{
    (void)state;
    static const char *const jsons[] = {
        "{\"properties\":{\"a\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}}",
        "{\"properties\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10,\"k\":11}}",
        "{\"properties\":{\"text\":\"with some words in it\",\"more\":\"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\"}}",
        "{\"properties\":{\"a key that is so long that it alone is wider than all the room there is\":true}}",
        "{\"properties\":{}}", "{}", "{\"properties\":[]}",
    };
    for (unsigned width = 76; width < 240; width++)
        for (size_t at = 0; at < countof(jsons); at++) {
            Str bytes = encode(EVENT_TRACK, "An event with quite a long name", "user-0123456789-0123456789", "",
                               jsons[at]);
            const char *line = printed(bytes, width);
            assert_true(text_columns(str_from(line)) <= width);
        }
}

static void in_a_file_nothing_is_cut(void **state)
{
    (void)state;
    assert_string_equal(printed(encode(EVENT_TRACK, "An event with quite a long name indeed", "",
        "8f14e45f-ceea-467f-a8d4-11aa22bb33cc",
        "{\"properties\":{\"a\":\"01234567890123456789012345678901234567890123456789\"}}"), 0),
        "22:13:20.123Z  track     An event with quite a long name indeed  ~8f14e45f-ceea-467f-a8d4-11aa22bb33cc  "
        "website     a=01234567890123456789012345678901234567890123456789");
}

static void broken_records_print_nothing(void **state)
{
    (void)state;
    struct event_line *line;
    char out[64] = "";
    FILE *stream = fmemopen(out, sizeof out, "w");
    assert_int_equal(event_line_open(stream, &line, &err), OK);
    Str whole = encode(EVENT_TRACK, "name", "user", "", "{}");
    for (size_t len = 0; len < whole.len; len++) event_line_print(line, str_slice(whole, 0, len), stream);
    fclose(stream);
    assert_string_equal(out, "");
    event_line_close(line);
}

/* A terminal says of which zone its times are; a file has UTC, wherever it is written. */
static void times_say_of_which_zone_they_are(void **state)
{
    (void)state;
    Str bytes = encode(EVENT_TRACK, "A", "1", "", "{}");
    char zone[ZONE_BYTES], text[TIME_BYTES];
    setenv("TZ", "EST5EDT", 1);
    tzset();
    assert_memory_equal(printed(bytes, 150), "17:13:20.123  track", 19);
    assert_memory_equal(printed(bytes, 0), "22:13:20.123Z  track", 20);
    write_local(INT64_C(1700000000123), text, zone);
    assert_string_equal(text, "2023-11-14T17:13:20.123");
    assert_string_equal(zone, "EST, UTC-05:00");
    setenv("TZ", "<+0545>-5:45", 1);
    tzset();
    write_local(INT64_C(1700000000123), text, zone);
    assert_string_equal(text, "2023-11-15T03:58:20.123");
    assert_string_equal(zone, "+0545, UTC+05:45");
    setenv("TZ", "UTC", 1);
    tzset();
}

/* Once, before the first line; where nothing is printed nothing is said. */
static void the_zone_is_told_once(void **state)
{
    (void)state;
    char out[1024] = "";
    struct event_line *line;
    FILE *stream = fmemopen(out, sizeof out, "w");
    assert_int_equal(event_line_open(stream, &line, &err), OK);
    line->terminal.width = 150;
    put_event(line, encode(EVENT_TRACK, "A", "1", "", "{}"));
    for (int again = 0; again < 2; again++) tell_zone(line, stream);
    line->terminal.width = 0;
    tell_zone(line, stream);
    fclose(stream);
    assert_string_equal(out, "-- 2023-11-14, times: UTC --\n");
    event_line_close(line);
}

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    buf_init(&record, LIMIT_RECORD_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&record);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_says_what_matters_about_it),
        cmocka_unit_test(no_line_is_wider_than_its_terminal),
        cmocka_unit_test(in_a_file_nothing_is_cut),
        cmocka_unit_test(broken_records_print_nothing),
        cmocka_unit_test(times_say_of_which_zone_they_are),
        cmocka_unit_test(the_zone_is_told_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
