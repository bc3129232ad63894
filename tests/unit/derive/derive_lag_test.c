/* derive_lag: how far behind, told by time; and that a lead which is bounded by it stays below two seconds whatever is
 * offered. The journal and the applier are two numbers here, moved by the test with the clock. */
#include "derive/derive_lag.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/fakes/fakes.h"

static struct applier applier;
static struct fake_clock fake;
static JournalPos journal_at, index_at;

JournalPos journal_end(struct journal *journal) { (void)journal; return journal_at; }
JournalPos index_position(struct index *index) { (void)index; return index_at; }

static void begin(JournalPos end, JournalPos saved)
{
    memset(&applier, 0, sizeof applier);
    fake_clock_init(&fake, 1795000000000);
    applier.options.clock = &fake.clock;
    journal_at = end, index_at = end;
    atomic_init(&applier.saved, saved);
    atomic_init(&applier.applied, 0);
    check(pthread_mutex_init(&applier.lock, NULL) == 0 && pthread_cond_init(&applier.was_applied, NULL) == 0);
    derive_open_lag(&applier);
}

static void end(void)
{
    derive_close_lag(&applier);
    pthread_cond_destroy(&applier.was_applied);
    pthread_mutex_destroy(&applier.lock);
}

static DeriveLag look(void)
{
    DeriveLag lag;
    derive_read_lag(&applier, &lag);
    return lag;
}

static void an_empty_journal_is_complete(void **state)
{
    (void)state;
    begin(0, 0);
    assert_true(look().is_complete);
    assert_int_equal(look().behind_ms, 0);
    end();
}

static void what_was_on_disk_at_the_start_is_missing_until_it_is_applied(void **state)
{
    (void)state;
    begin(1000, 0);
    assert_true(look().is_starting);
    assert_false(look().is_complete);
    atomic_store(&applier.applied, 999);
    assert_false(look().is_complete);
    atomic_store(&applier.applied, 1000);
    assert_true(look().is_complete);
    end();
}

static void what_was_saved_is_known_though_it_is_read_again(void **state)
{
    (void)state;
    begin(1000, 1000);
    assert_true(look().is_complete);          /* applied is 0: dedup's ten minutes are read again */
    end();
    begin(1000, 1000);
    index_at = 400;                           /* the index has less than the state */
    end();
    memset(&applier, 0, sizeof applier);
    applier.options.clock = &fake.clock;
    atomic_init(&applier.saved, 1000);
    derive_open_lag(&applier);
    assert_false(look().is_complete);
    assert_int_equal(look().applied, 400);
    derive_close_lag(&applier);
}

static void a_second_behind_is_not_complete(void **state)
{
    (void)state;
    begin(0, 0);
    assert_true(look().is_complete);
    fake_clock_advance(&fake, 25);            /* between two notes */
    journal_at = 100;
    assert_true(look().is_complete);          /* noted just now */
    fake_clock_advance(&fake, 999);
    assert_true(look().is_complete);
    fake_clock_advance(&fake, 26);
    assert_false(look().is_complete);
    assert_int_equal(look().behind_ms, 1025);
    atomic_store(&applier.applied, 100);      /* at once, not at the next note */
    assert_true(look().is_complete);
    assert_int_equal(look().behind_ms, 0);
    end();
}

static void milliseconds_behind_for_ever_is_complete(void **state)
{
    (void)state;
    begin(0, 0);
    for (int at = 0; at < 5000; at++) {
        journal_at += 1000;
        fake_clock_advance(&fake, 10);
        atomic_store(&applier.applied, journal_at - 1000);
        DeriveLag lag = look();
        assert_true(lag.is_complete);
        assert_true(lag.behind_ms <= 50);
        assert_true(lag.drain_ms <= 60);
    }
    end();
}

/* The notes are bounded; what they say of a long time stays "at least", and near. */
static void an_hour_behind_is_told(void **state)
{
    (void)state;
    begin(0, 0);
    for (int at = 0; at < 36000; at++) {
        journal_at += 10;
        fake_clock_advance(&fake, 100);
        (void)look();
    }
    assert_true(look().behind_ms > 3500 * 1000 && look().behind_ms <= 3600 * 1000);
    atomic_store(&applier.applied, journal_at / 2);
    fake_clock_advance(&fake, 100);
    (void)look();
    assert_in_range(look().behind_ms, 1700 * 1000, 2200 * 1000);
    end();
}

/* Offered many times what is applied: whoever admits by drain_ms keeps the wait of what it admits below two seconds. */
static void an_admission_by_the_wait_bounds_the_lead(void **state)
{
    static const double overloads[] = { 0.5, 0.99, 1.2, 2, 4, 8, 20 };
    (void)state;
    for (size_t at = 0; at < countof(overloads); at++) {
        const double capacity = 100000;       /* bytes a millisecond */
        double applied = 0, offered = 0, most_ms = 0, admitted = 0;
        begin(0, 0);
        for (int ms = 0; ms < 60000; ms++) {
            fake_clock_advance(&fake, 1);
            if (look().drain_ms <= 1500) offered += capacity * overloads[at], admitted += capacity * overloads[at];
            journal_at = (JournalPos)offered;
            applied = applied + capacity < offered ? applied + capacity : offered;
            atomic_store(&applier.applied, (JournalPos)applied);
            derive_note_lag(&applier);
            if ((offered - applied) / capacity > most_ms) most_ms = (offered - applied) / capacity;
        }
        assert_true(most_ms <= 2000);
        /* And nothing is refused that could have been applied. */
        assert_true(admitted >= 0.97 * capacity * 60000 * (overloads[at] < 1 ? overloads[at] : 1));
        end();
    }
}

static void who_waits_is_woken_or_gives_up(void **state)
{
    atomic_bool is_cancelled = true;
    (void)state;
    begin(0, 0);
    assert_true(derive_wait_known(&applier, 0, 0, NULL));
    assert_false(derive_wait_known(&applier, 1, 0, NULL));
    assert_false(derive_wait_known(&applier, 1, 60000, &is_cancelled));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_journal_is_complete),
        cmocka_unit_test(what_was_on_disk_at_the_start_is_missing_until_it_is_applied),
        cmocka_unit_test(what_was_saved_is_known_though_it_is_read_again),
        cmocka_unit_test(a_second_behind_is_not_complete),
        cmocka_unit_test(milliseconds_behind_for_ever_is_complete),
        cmocka_unit_test(an_hour_behind_is_told),
        cmocka_unit_test(an_admission_by_the_wait_bounds_the_lead),
        cmocka_unit_test(who_waits_is_woken_or_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
