/* warehouse_name: Segment's own samples (go-snakecase), RudderStack's for PostgreSQL, and what is cut stays apart. */
#include "warehouse/warehouse_name.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct region region;
static Arena arena;

static int setup(void **state)
{
    (void)state;
    region_open(&region, 1 << 20);
    arena = region_arena(&region);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    region_close(&region);
    return 0;
}

typedef struct Vector { const char *text, *name; } Vector;

static void check_all(WarehouseNaming naming, const Vector *vectors, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        Str name = warehouse_name_words(naming, str_from(vectors[at].text), &arena);
        if (!str_equal(name, str_from(vectors[at].name)))
            fail_msg("%s: %.*s instead of %s", vectors[at].text, STR_FORMAT(name), vectors[at].name);
    }
}

static void names_are_segments(void **state)
{
    (void)state;
    static const Vector vectors[] = {
        { "@49L0S145_¬fwHƒ0TSLNVp", "49l0s145_fw_h_0tslnvp" }, { "lk0B@bFmjrLQ_Z6YL", "lk0_b_b_fmjr_lq_z6yl" },
        { "samPLE text", "sam_ple_text" }, { "sample text", "sample_text" }, { "sample-text", "sample_text" },
        { "sample_text", "sample_text" }, { "sample___text", "sample_text" }, { "sampleText", "sample_text" },
        { "inviteYourCustomersAddInvites", "invite_your_customers_add_invites" },
        { "sample 2 Text", "sample_2_text" }, { "   sample   2    Text   ", "sample_2_text" },
        { "   $#$sample   2    Text   ", "sample_2_text" }, { "SAMPLE 2 TEXT", "sample_2_text" },
        { "___$$Base64Encode", "base64_encode" }, { "FOO:BAR$BAZ", "foo_bar_baz" }, { "FOO#BAR#BAZ", "foo_bar_baz" },
        { "something.com", "something_com" }, { "$something%", "something" }, { "•¶§ƒ˚foo˙∆˚¬", "foo" },
        { "CStringRef", "cstring_ref" }, { "5test", "5test" }, { "test5", "test5" }, { "THE5r", "the5r" },
        { "5TEst", "5test" }, { "_5TEst", "5test" }, { "@%#&5TEst", "5test" }, { "edf_6N", "edf_6n" },
        { "f_pX9", "f_p_x9" }, { "p_z9Rg", "p_z9_rg" }, { "2FA Enabled", "2fa_enabled" },
        { "Enabled 2FA", "enabled_2fa" },
        { "", "" }, { "注文", "" }, { "___", "" }, { "a_", "a" }, { "_a", "a" }, { "a_5B", "a_5b" },
        { "a5B", "a5_b" },
        { "a_5b6C", "a_5b6_c" }, { "users", "users" }, { "address_Street Name", "address_street_name" },
    };
    check_all(WAREHOUSE_NAMING_SEGMENT, vectors, countof(vectors));
}

static void names_are_rudderstacks(void **state)
{
    (void)state;
    static const Vector vectors[] = {
        { "&4yasdfa(84224_fs9##_____*3q", "_4yasdfa_84224_fs9_3q" }, { "omega", "omega" }, { "omega v2", "omega_v2" },
        { "9mega", "_9mega" }, { "mega&", "mega" }, { "ome$ga", "ome_ga" }, { "omega$", "omega" },
        { "ome_ ga", "ome_ga" },
        { "9mega________-________90", "_9mega_90" }, { "Cízǔ", "c_z" }, { "CamelCase123Key", "camel_case123_key" },
        { "path to $1,00,000", "path_to_1_00_000" }, { "@#$%", "" }, { "test123", "test123" },
        { "abc123def456", "abc123_def456" }, { "abc_123_def_456", "abc_123_def_456" },
        { "__abc_123_def_456", "__abc_123_def_456" }, { "_abc_123_def_456", "_abc_123_def_456" },
        { "fooBar", "foo_bar" }, { "FOO BAR", "foo_bar" }, { "--foo-bar--", "foo_bar" }, { "XMLHttp", "xml_http" },
        { "user", "_user" }, { "Order", "_order" }, { "order_id", "order_id" }, { "When", "_when" }, { "all", "_all" },
        { "_user", "_user" },
    };
    check_all(WAREHOUSE_NAMING_RUDDERSTACK, vectors, countof(vectors));
}

/* By names alone: a name's name is itself, or other bytes would part columns at each reading. */
static void a_name_is_its_own_name(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 200000; round++) {
        static const char letters[] = "abzABZ059_ .-\xc3\xa9$";
        char text[24];
        size_t len = (size_t)rand() % sizeof text;
        for (size_t at = 0; at < len; at++) text[at] = letters[(size_t)rand() % (sizeof letters - 1)];
        Arena scratch = arena;
        for (WarehouseNaming naming = WAREHOUSE_NAMING_SEGMENT; naming <= WAREHOUSE_NAMING_RUDDERSTACK; naming++) {
            Str name = warehouse_name_words(naming, str_of(text, len), &scratch);
            Str again = warehouse_name_words(WAREHOUSE_NAMING_SEGMENT, name, &scratch);
            assert_true(name.len <= 2 * len + 1);
            for (size_t at = 0; at < name.len; at++)
                assert_true(is_lower(name.bytes[at]) || is_digit(name.bytes[at]) || name.bytes[at] == '_');
            if (naming == WAREHOUSE_NAMING_SEGMENT) assert_true(str_equal(name, again));
        }
    }
}

static void long_names_stay_apart(void **state)
{
    (void)state;
    char long_name[100], other[100];
    memset(long_name, 'a', sizeof long_name);
    memcpy(other, long_name, sizeof other);
    other[99] = 'b';
    Str name = warehouse_name(WAREHOUSE_NAMING_SEGMENT, str_of(long_name, 100), &arena);
    Str second = warehouse_name(WAREHOUSE_NAMING_SEGMENT, str_of(other, 100), &arena);
    assert_int_equal(name.len, 63);
    assert_int_equal(second.len, 63);
    assert_false(str_equal(name, second));
    assert_true(str_equal(str_slice(name, 0, 54), str_of(long_name, 54)));
    assert_int_equal(name.bytes[54], '_');
    assert_int_equal(warehouse_name_fit(str_of(long_name, 63), &arena).len, 63);
    assert_true(str_equal(warehouse_name_fit(str_of(long_name, 63), &arena), str_of(long_name, 63)));
    assert_true(str_equal(warehouse_name_fit(name, &arena), name));
    assert_true(str_equal(warehouse_name_view(STR("tracks"), &arena), STR("tracks_resolved")));
    Str views[] = { warehouse_name_view(str_of(long_name, 54), &arena),
                    warehouse_name_view(str_of(long_name, 55), &arena),
                    warehouse_name_view(str_of(long_name, 63), &arena) };
    for (size_t at = 0; at < countof(views); at++) {
        assert_int_equal(views[at].len, 63);
        assert_true(str_ends(views[at], STR("_resolved")));
        assert_false(str_equal(views[at], views[(at + 1) % countof(views)]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_rudderstacks, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_is_its_own_name, setup, teardown),
        cmocka_unit_test_setup_teardown(long_names_stay_apart, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
