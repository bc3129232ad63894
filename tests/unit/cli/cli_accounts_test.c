/* A table of accounts as other programs write it. */
#include "cli/cli_accounts.c"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

static char room[8 << 20];

static Status read_text(Str text, AccountTable *ret, Err *err)
{
    Arena arena = { room, room + sizeof room };
    TableColumns none = { 0 };
    return cli_read_accounts(text, &none, &arena, ret, err);
}

static void columns_are_guessed_by_names_then_by_what_stands_there(void **state)
{
    static const struct { const char *text, *id, *email, *created; char separator; } cases[] = {
        { "id,email,created_at\n1,a@b.example,2026-11-02\n", "id", "email", "created_at", ',' },
        { "User ID;E-Mail;Signed-Up At\r\n1;a@b.example;1793000000\r\n", "User ID", "E-Mail", "Signed-Up At", ';' },
        { "account_id\tid\tuser_id\n1\t2\t3", "user_id", "", "", '\t' },
        { "uuid|contact|when\nx|a@b.example|2026-11-02T10:00:00Z\ny|c@d.example|2026-11-03 11:00\n", "uuid", "contact",
          "when", '|' },
        { "\xEF\xBB\xBFid\n1", "id", "", "", ',' },
        { "\"id, of a user\",id,\"mail\"\n9,1,\"a@b.example\"\n", "id", "mail", "", ',' },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        AccountTable table;
        Err err;
        assert_int_equal(read_text(str_from(cases[at].text), &table, &err), OK);
        assert_true(str_equal(table.id_column, str_from(cases[at].id)));
        assert_true(str_equal(table.email_column, str_from(cases[at].email)));
        assert_true(str_equal(table.created_column, str_from(cases[at].created)));
        assert_int_equal(table.separator, cases[at].separator);
        free(table.items);
    }
}

static void times_are_read_as_the_whole_column_is_written(void **state)
{
    static const struct { const char *created, *more; Millis ms; } cases[] = {
        { "2026-11-02T10:31:00Z", "", 1793615460000 },
        { "2026-11-02 10:31", "", 1793615460000 },
        { "2026-11-02 11:31:00+01:00", "", 1793615460000 },
        { "1793615460", "", 1793615460000 },
        { "1793615460000", "", 1793615460000 },
        { "02.11.2026 10:31", "\ny,31.12.2026", 1793615460000 },
        { "2/11/2026 10:31:00", "\ny,31/12/2026", 1793615460000 },
        { "11/02/2026 10:31:00", "\ny,12/31/2026", 1793615460000 },
        { "soon", "", INT64_MIN },
        { "", "", INT64_MIN },
    };
    (void)state;
    for (size_t at = 0; at < countof(cases); at++) {
        AccountTable table;
        Err err;
        char text[200];
        snprintf(text, sizeof text, "id,created\nx,%s%s\n", cases[at].created, cases[at].more);
        assert_int_equal(read_text(str_from(text), &table, &err), OK);
        assert_true(table.items[0].created_ms == cases[at].ms);
        assert_int_equal(table.no_time_count, !strcmp(cases[at].created, "soon"));
        free(table.items);
    }
}

static void quotes_are_as_rfc_4180_has_them(void **state)
{
    AccountTable table;
    Err err;
    (void)state;
    Str text = STR("id,note,email\n\"a\"\"b\",\"x\r\n\"\"y\"\",z\",\"q@r.example\"\n\n\r\n\"\",,\nc\n");
    assert_int_equal(read_text(text, &table, &err), OK);
    assert_int_equal(table.row_count, 3);
    assert_int_equal(table.no_id_count, 1);
    assert_int_equal(table.count, 2);
    assert_true(str_equal(table.items[0].id, STR("a\"b")));
    assert_true(str_equal(table.items[0].email, STR("q@r.example")));
    free(table.items);
}

static void an_id_counts_once_with_its_first_time(void **state)
{
    AccountTable table;
    Err err;
    (void)state;
    assert_int_equal(read_text(STR("id,created\nx,2026-11-03\ny,\nx,2026-11-02\nx,\n"), &table, &err), OK);
    assert_int_equal(table.count, 2);
    assert_int_equal(table.again_count, 2);
    assert_true(table.items[0].created_ms == 1793577600000);
    free(table.items);
}

static void whatever_the_bytes_are_it_ends(void **state)
{
    static const char alphabet[] = ",;\t|\"\"\"\r\n\n ab1/.@-id:\xEF\xBB\xBF";
    (void)state;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        char text[96] = "id,email,created\n";
        size_t len = seed % 3 ? 17 : 0, most = len + seed % 79;
        uint64_t dice = hash_64(STR("dice"), seed);
        for (; len < most; len++, dice = dice * 6364136223846793005u + 1442695040888963407u)
            text[len] = dice >> 40 & 15 ? alphabet[(dice >> 33) % (sizeof alphabet - 1)] : (char)(dice >> 50);
        char *exact = malloc(len + 1);                       /* so that a byte too far is seen */
        memcpy(exact, text, len);
        AccountTable table;
        Err err;
        if (!read_text(str_of(exact, len), &table, &err)) {
            assert_true(table.count + table.again_count + table.no_id_count == table.row_count);
            free(table.items);
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_guessed_by_names_then_by_what_stands_there),
        cmocka_unit_test(times_are_read_as_the_whole_column_is_written),
        cmocka_unit_test(quotes_are_as_rfc_4180_has_them),
        cmocka_unit_test(an_id_counts_once_with_its_first_time), cmocka_unit_test(whatever_the_bytes_are_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
