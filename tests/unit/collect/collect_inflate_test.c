/* collect_inflate: gzip bodies, whole, damaged, and of those who mean harm. */
#include "collect/collect_inflate.c"
#include "tests/unit/collect/collect_world.h"

static const char message[] = "{\"userId\":\"u\",\"messageId\":\"m\"}";

/* gzip (window 31) or zlib (15) of the text. */
static Str deflate_text(Str text, int window, char *to, size_t room)
{
    z_stream stream = { 0 };
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)text.bytes;
    stream.avail_in = (uInt)text.len;
    stream.next_out = (Bytef *)to;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t len = room - stream.avail_out;
    deflateEnd(&stream);
    return (Str){ to, len };
}

static Status send_bytes(Str body, bool is_gzip)
{
    return world_send((CollectRequest){ .implied_type = EVENT_PAGE, .header_key = STR("wk_web"), .body = body,
                                        .is_gzip = is_gzip });
}

static void bodies_are_what_they_begin_with(void **state)
{
    char room[1000];
    Str plain = str_from(message), gzip = deflate_text(plain, 31, room, sizeof room);
    (void)state;
    assert_int_equal(send_bytes(gzip, true), OK);
    assert_text(world_event(0).message_id, "m");
    assert_int_equal(send_bytes(gzip, false), OK);
    assert_int_equal(send_bytes(plain, true), OK);
    assert_int_equal(send_bytes(plain, false), OK);
    assert_int_equal(send_bytes(deflate_text(plain, 15, room, sizeof room), true), OK);
}

static void deflate_is_read_in_both_of_its_meanings(void **state)
{
    char room[1000];
    (void)state;
    for (int window = -15; window <= 15; window += 30) {
        Str packed = deflate_text(str_from(message), window, room, sizeof room);
        CollectRequest request = { .implied_type = EVENT_PAGE, .header_key = STR("wk_web"), .is_deflate = true };
        for (size_t len = 1; len < packed.len; len++) {
            request.body = (Str){ room, len };
            assert_int_equal(world_send(request), ERR_INPUT);
        }
        request.body = packed;
        assert_int_equal(world_send(request), OK);
        assert_text(world_event(0).message_id, "m");
        memcpy(room + packed.len, "more", 4);
        request.body.len += 4;
        assert_int_equal(world_send(request), ERR_INPUT);
        request.body = str_from(message);                     /* a proxy has inflated it */
        assert_int_equal(world_send(request), OK);
    }
    static char spaces[1 << 20];
    memset(spaces, ' ', sizeof spaces);
    CollectRequest bomb = { .implied_type = EVENT_PAGE, .header_key = STR("wk_web"), .is_deflate = true };
    static char packed[1 << 16];
    bomb.body = deflate_text((Str){ spaces, sizeof spaces }, -15, packed, sizeof packed);
    assert_int_equal(world_send(bomb), ERR_TOO_LARGE);
}

static void two_gzip_members_are_one_body(void **state)
{
    char room[1000];
    Str first = deflate_text(str_from("{\"userId\":"), 31, room, sizeof room);
    Str second = deflate_text(str_from("\"u\"}"), 31, room + first.len, sizeof room - first.len);
    (void)state;
    assert_int_equal(send_bytes((Str){ room, first.len + second.len }, true), OK);
    assert_text(world_event(0).user_id, "u");
}

static void what_is_cut_or_damaged_or_followed_by_more_is_refused(void **state)
{
    char room[1000];
    Str gzip = deflate_text(str_from(message), 31, room, sizeof room);
    (void)state;
    for (size_t len = 0; len < gzip.len; len++) assert_int_equal(send_bytes((Str){ room, len }, true), ERR_INPUT);
    for (size_t at = 0; at < gzip.len; at++) {
        if (at >= 4 && at <= 9) continue;                  /* time and system: anything goes */
        room[at] ^= 0x55;
        assert_int_not_equal(send_bytes(gzip, true), OK);
        room[at] ^= 0x55;
    }
    memcpy(room + gzip.len, "more", 4);
    assert_int_equal(send_bytes((Str){ room, gzip.len + 4 }, true), ERR_INPUT);
    assert_int_equal(send_bytes(gzip, true), OK);
}

static void a_bomb_costs_what_a_plain_body_costs(void **state)
{
    static char spaces[50 << 20], room[1 << 20];
    (void)state;
    memset(spaces, ' ', sizeof spaces);
    Str bomb = deflate_text((Str){ spaces, sizeof spaces }, 31, room, sizeof room);
    assert_true(bomb.len < 100000);
    assert_int_equal(send_bytes(bomb, true), ERR_TOO_LARGE);
    memcpy(spaces, message, strlen(message));
    assert_int_equal(send_bytes(deflate_text((Str){ spaces, LIMIT_BODY_BYTES }, 31, room, sizeof room), true), OK);
    assert_int_equal(send_bytes(deflate_text((Str){ spaces, LIMIT_BODY_BYTES + 1 }, 31, room, sizeof room), true),
                     ERR_TOO_LARGE);
    assert_int_equal(send_bytes((Str){ spaces, LIMIT_BODY_BYTES + 1 }, false), ERR_TOO_LARGE);
    assert_int_equal(send_bytes((Str){ spaces, LIMIT_BODY_BYTES }, false), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_what_they_begin_with),
        cmocka_unit_test(deflate_is_read_in_both_of_its_meanings),
        cmocka_unit_test(two_gzip_members_are_one_body),
        cmocka_unit_test(what_is_cut_or_damaged_or_followed_by_more_is_refused),
        cmocka_unit_test(a_bomb_costs_what_a_plain_body_costs),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
