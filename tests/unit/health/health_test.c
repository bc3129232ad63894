/* health: what is counted is told, in a shape that Prometheus reads. */
#include "health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct buf out;

/* The lines of the text; each sample's family must have had its HELP and its TYPE before it, once. */
static void check_format(const char *text)
{
    char family[128] = "", help[128] = "", families[64 * 1024] = "";
    int samples = 0;
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        char name[128], kind[32], number[64];
        assert_non_null(strchr(line, '\n'));
        if (sscanf(line, "# HELP %127s", name) == 1) {
            snprintf(help, sizeof help, "%s", name);
            continue;
        }
        if (sscanf(line, "# TYPE %127s %31s", name, kind) == 2) {
            char quoted[160];
            assert_string_equal(name, help);
            assert_true(strcmp(kind, "counter") == 0 || strcmp(kind, "gauge") == 0);
            snprintf(quoted, sizeof quoted, "|%s|", name);
            assert_null(strstr(families, quoted));                      /* a family stands together */
            strcat(families, quoted);
            snprintf(family, sizeof family, "%s", name);
            bool is_total = strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0;
            assert_int_equal(is_total, strcmp(kind, "counter") == 0);
            continue;
        }
        size_t len = strcspn(line, "{ ");
        assert_true(len == strlen(family) && strncmp(line, family, len) == 0);
        assert_int_equal(sscanf(strchr(line, line[len] == '{' ? '}' : ' ') + (line[len] == '{'), " %63s", number), 1);
        char *end;
        (void)strtod(number, &end);
        assert_int_equal(*end, 0);
        samples++;
    }
    assert_true(samples > COUNTER_COUNT);
}

static void every_counter_and_every_number_of_the_journal_is_told(void **state)
{
    static struct health health = { .started_at_ms = 1700000000500 };
    JournalStats journal = { .commits = 7, .records = 9, .commit_ns_max = 2500000, .is_full = true };
    (void)state;
    for (int counter = 0; counter < COUNTER_COUNT; counter++)
        health_add(&health, (Counter)counter, 1000 + (uint64_t)counter);
    health_add(&health, (Counter)0, UINT64_C(1) << 40);
    buf_init(&out, 1 << 20);
    health_write_metrics(&health, &journal, &out);
    buf_char(&out, 0);
    assert_true(buf_ok(&out));
    check_format(out.bytes);
    for (int counter = 1; counter < COUNTER_COUNT; counter++) {
        char number[32];
        snprintf(number, sizeof number, " %d\n", 1000 + counter);
        assert_non_null(strstr(out.bytes, number));
        assert_int_equal(health_get(&health, (Counter)counter), 1000 + counter);
    }
    assert_non_null(strstr(out.bytes, " 1099511628776\n"));              /* larger than 32 bits, and whole */
    assert_non_null(strstr(out.bytes, "onym_journal_commits_total 7\n"));
    assert_non_null(strstr(out.bytes, "onym_journal_full 1\n"));
    assert_non_null(strstr(out.bytes, "onym_journal_poisoned 0\n"));
    assert_non_null(strstr(out.bytes, "onym_journal_commit_seconds_max 0.0025\n"));
    assert_non_null(strstr(out.bytes, "process_start_time_seconds 1700000000.5\n"));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_counter_and_every_number_of_the_journal_is_told) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
