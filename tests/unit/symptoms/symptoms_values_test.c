/* symptoms_values: what a text is, and above all what it is not. */
#include "symptoms/symptoms_values.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void texts_have_types(void **state)
{
    static const struct { const char *text; SymptomType type; } rows[] = {
        { "", TYPE_EMPTY }, { "29.90", TYPE_TEXT_NUMBER }, { "-3", TYPE_TEXT_NUMBER }, { "1e6", TYPE_TEXT_NUMBER },
        { "007", TYPE_TEXT_NUMBER }, { "+49", TYPE_TEXT_NUMBER }, { "1.", TYPE_TEXT }, { "1.2.3", TYPE_TEXT },
        { "1e", TYPE_TEXT }, { "12 kg", TYPE_TEXT }, { "-", TYPE_TEXT }, { "true", TYPE_TEXT_BOOLEAN },
        { "FALSE", TYPE_TEXT_BOOLEAN }, { "truely", TYPE_TEXT }, { "2026-11-30", TYPE_TEXT_DATE },
        { "2026-11-30T10:00:00Z", TYPE_TEXT_DATE }, { "30.11.2026", TYPE_TEXT_DATE }, { "11/30/2026", TYPE_TEXT_DATE },
        { "2026-11-30x", TYPE_TEXT }, { "2026-11/30", TYPE_TEXT }, { "10.0.0.1", TYPE_TEXT },
        { "undefined", TYPE_TEXT_JUNK }, { "null", TYPE_TEXT_JUNK }, { "NaN", TYPE_TEXT_JUNK },
        { "[object Object]", TYPE_TEXT_JUNK }, { "Invalid Date", TYPE_TEXT_JUNK }, { "None", TYPE_TEXT_JUNK },
        { "none", TYPE_TEXT }, { "Nancy", TYPE_TEXT }, { "nullable", TYPE_TEXT }, { "Invoice", TYPE_TEXT },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++)
        if (symptoms_text_type(str_from(rows[at].text)) != rows[at].type)
            fail_msg("%s: %d", rows[at].text, symptoms_text_type(str_from(rows[at].text)));
}

static void numbers_fall_into_buckets_of_their_size(void **state)
{
    static const struct { const char *raw; double value; } rows[] = {
        { "0", 0 }, { "29.90", 29.9 }, { "-29.90", -29.9 }, { "1e3", 1000 }, { "123456789012345678",
            123456789012345678.0 },
        { "0.000001", 0.000001 },
    };
    double value;
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        assert_true(symptoms_read_number(str_from(rows[at].raw), &value));
        assert_true(value == rows[at].value);
    }
    assert_false(symptoms_read_number(STR("1e999"), &value));
    assert_int_equal(symptoms_bucket(0), 0);
    assert_int_equal(symptoms_bucket(0.000001), 0);
    assert_int_equal(symptoms_bucket(-29.9), symptoms_bucket(29.9));
    assert_int_equal(symptoms_bucket(1e300), SYMPTOM_BUCKETS - 1);
    for (double amount = 0.00002; amount < 1e13; amount *= 1.01) {
        uint32_t bucket = symptoms_bucket(amount);
        assert_in_range(bucket, 1, SYMPTOM_BUCKETS - 1);
        assert_true(symptoms_bucket(amount * 1.3) > bucket);
    }
}

static void secrets_are_seen_and_numbers_are_not(void **state)
{
    static const struct { const char *text, *kind; } rows[] = {
        { "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U", "jwt" },
        { "eyJhbGciOiJIUzI1NiJ9.not-a-payload.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9", NULL },
        { "eyJust a sentence. With dots. And more of them, a lot", NULL },
        { "4111111111111111", "card" }, { "4111 1111 1111 1111", "card" }, { "5500-0000-0000-0004", "card" },
        { "340000000000009", "card" }, { "30000000000004", "card" }, { "6011000000000004", "card" },
        { "4111111111111112", NULL },                   /* no Luhn */
        { "1795942800123", NULL },                      /* milliseconds */
        { "1795942800", NULL }, { "9999999999999999", NULL }, { "4444444444444444", NULL },
        { "1234567812345670", NULL },                   /* passes Luhn, and nobody issues it */
        { "4111111111111111111", NULL },                /* 19 digits: an id of a chat */
        { "+49 30 1234567", NULL }, { "4111.1111.1111.1111", NULL },
    };
    (void)state;
    for (size_t at = 0; at < countof(rows); at++) {
        const char *kind = symptoms_secret(str_from(rows[at].text));
        if ((kind == NULL) != (rows[at].kind == NULL) || (kind && strcmp(kind, rows[at].kind)))
            fail_msg("%s: %s", rows[at].text, kind ? kind : "none");
    }
    assert_string_equal(symptoms_secret(STR("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA")), "pem");
    assert_null(symptoms_secret(STR("-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEAAAAAAAAAAAA")));
}

static void keys_are_read_without_their_spelling(void **state)
{
    static const char *const secret[] = { "password", "Password", "api_key", "apiKey", "API-KEY", "client_secret",
        "ssn",
                                          "access_token", "Authorization", "cvv" };
    static const char *const plain[] = { "token_count", "tokens", "has_password", "password_length", "keyboard",
                                         "secretary", "api", "passenger", "card_type", "" };
    (void)state;
    for (size_t at = 0; at < countof(secret); at++) assert_true(symptoms_is_secret_key(str_from(secret[at])));
    for (size_t at = 0; at < countof(plain); at++)
        if (symptoms_is_secret_key(str_from(plain[at]))) fail_msg("%s", plain[at]);
    assert_true(symptoms_is_id_key(STR("order_id")) && symptoms_is_id_key(STR("productId"))
        && symptoms_is_id_key(STR("SKU")));
    assert_false(symptoms_is_id_key(STR("card")));
    assert_true(symptoms_key_traits(STR("first_name")) & TRAIT_NAME_KEY);
    assert_false(symptoms_key_traits(STR("name")) & TRAIT_NAME_KEY);
}

static void people_have_addresses_and_support_has_none(void **state)
{
    static const char *const whole[] = { "kim@firma.de", "kim.b+shop@mail.firma.co.uk", "Kim@Firma.De", "o'neil@x.io" };
    static const char *const none[] = { "support@firma.de", "NoReply@firma.de", "kim@example.com", "@user", "a@b",
        "kim@",
                                        "unpkg.com/react@18.2.0", "logo@2x.png", "kim@localhost", "kim@shop.test",
                                        "kim@firma..de", "pkg@latest", "" };
    static const char *const within[] = { "write to kim@firma.de.", "<kim@firma.de>", "a@b, kim@firma.de" };
    (void)state;
    for (size_t at = 0; at < countof(whole); at++) assert_true(symptoms_is_email(str_from(whole[at])));
    for (size_t at = 0; at < countof(none); at++)
        if (symptoms_is_email(str_from(none[at])) || symptoms_has_email(str_from(none[at]))) fail_msg("%s", none[at]);
    for (size_t at = 0; at < countof(within); at++) {
        assert_false(symptoms_is_email(str_from(within[at])));
        assert_true(symptoms_has_email(str_from(within[at])));
    }
}

static void phones_have_a_plus_or_separators(void **state)
{
    static const char *const phones[] = { "+493012345678", "+49 30 12345678", "(030) 123-45678", "555-123-4567" };
    static const char *const none[] = { "493012345678", "10012345", "2026-11-30", "1-2", "-5-5-5-5-5", "ORDER-123-4567",
                                        "12.345.678", "4711 0815" };
    (void)state;
    for (size_t at = 0; at < countof(phones); at++) assert_true(symptoms_is_phone(str_from(phones[at])));
    for (size_t at = 0; at < countof(none); at++)
        if (symptoms_is_phone(str_from(none[at]))) fail_msg("%s", none[at]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_types),
        cmocka_unit_test(numbers_fall_into_buckets_of_their_size),
        cmocka_unit_test(secrets_are_seen_and_numbers_are_not),
        cmocka_unit_test(keys_are_read_without_their_spelling),
        cmocka_unit_test(people_have_addresses_and_support_has_none),
        cmocka_unit_test(phones_have_a_plus_or_separators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
