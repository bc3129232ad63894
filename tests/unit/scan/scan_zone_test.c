/* scan_zone beside libc, which reads the same database in its own way: offsets, and where units begin. */
#include "scan/scan_zone.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

/* Berlin and New York have summer time; Kolkata half an hour; Lord Howe a summer of half an hour; Sao Paulo and Cairo
 * once changed at midnight; Apia left a Friday out, Kiritimati the last day of 1994; Casablanca's summer is
 * negative; Troll changes by two hours. */
static const char *const zones[] = {
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
    "Africa/Cairo", "Pacific/Apia", "Africa/Casablanca", "Antarctica/Troll", "America/Havana", "Europe/Dublin",
    "Pacific/Kiritimati",
};

static Zone use_zone(const char *name, Arena *arena)
{
    Zone zone;
    Err err = { 0 };
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
    if (zone_open(os_disk(), NULL, str_from(name), arena, &zone, &err)) fail_msg("%s: %s", name, err.text);
    return zone;
}

static Millis random_instant(struct fake_dice *dice)
{
    /* until 2099 */
    return (Millis)fake_dice_below(dice, UINT64_C(4102444800)) * 1000 + (Millis)fake_dice_below(dice, 1000);
}

static struct tm local_at(Millis at_ms)
{
    time_t at = (time_t)calendar_floor(at_ms, 1000);
    struct tm local;
    assert_non_null(localtime_r(&at, &local));
    return local;
}

/* The calendar day, as a number that grows. */
static int64_t day_at(Millis at_ms)
{
    struct tm local = local_at(at_ms);
    return calendar_day_of(local.tm_year + 1900, (unsigned)local.tm_mon + 1, (unsigned)local.tm_mday);
}

static int64_t unit_at(const Zone *zone, ZoneUnit unit, Millis at_ms)
{
    struct tm local = local_at(at_ms);
    if (unit == ZONE_MONTH) return (int64_t)local.tm_year * 12 + local.tm_mon;
    if (unit == ZONE_QUARTER) return (int64_t)local.tm_year * 4 + local.tm_mon / 3;
    if (unit == ZONE_WEEK) return calendar_floor(day_at(at_ms) + 3 - zone->week_start, 7);
    return day_at(at_ms);
}

static void offsets_are_those_of_libc(void **state)
{
    struct fake_dice dice;
    struct region region;
    (void)state;
    fake_dice_init(&dice, fake_seed("zone_offsets"));
    region_open(&region, 64 << 20);
    for (size_t at = 0; at < countof(zones); at++) {
        Arena arena = region_arena(&region);
        Zone zone = use_zone(zones[at], &arena);
        for (int round = 0; round < 2000; round++) {
            Millis at_ms = random_instant(&dice);
            assert_int_equal(zone_offset_s(&zone, calendar_floor(at_ms, 1000)), local_at(at_ms).tm_gmtoff);
        }
    }
    region_close(&region);
}

/* A unit holds its instant, all of it is one calendar unit, and the instant before it is another one. */
static void units_begin_where_the_calendar_turns(void **state)
{
    struct fake_dice dice;
    struct region region;
    (void)state;
    fake_dice_init(&dice, fake_seed("zone_units"));
    region_open(&region, 64 << 20);
    for (size_t at = 0; at < countof(zones); at++) {
        Arena arena = region_arena(&region);
        Zone zone = use_zone(zones[at], &arena);
        for (int round = 0; round < 1500; round++) {
            Millis at_ms = random_instant(&dice);
            /* near a change as often as not */
            if (zone.count && round % 2)
                at_ms = zone.at_s[fake_dice_below(&dice, zone.count)] * 1000 + (Millis)fake_dice_below(&dice, 172800000)
                    - 86400000;
            ZoneUnit unit = (ZoneUnit)(ZONE_DAY + fake_dice_below(&dice, 4));
            zone.week_start = (int)fake_dice_below(&dice, 7);
            Millis start = zone_floor(&zone, unit, at_ms), next = zone_next(&zone, unit, start);
            assert_true(start <= at_ms && at_ms < next);
            assert_int_equal(zone_floor(&zone, unit, start), start);
            assert_int_equal(zone_floor(&zone, unit, next), next);
            assert_int_equal(zone_floor(&zone, unit, next - 1), start);
            assert_int_equal(unit_at(&zone, unit, start), unit_at(&zone, unit, at_ms));
            assert_true(unit_at(&zone, unit, next) > unit_at(&zone, unit, at_ms));
            assert_true(unit_at(&zone, unit, start - 1) != unit_at(&zone, unit, at_ms)
                        || local_at(start - 1).tm_hour > local_at(start).tm_hour);       /* midnight came twice */
        }
    }
    region_close(&region);
}

static void hours_follow_each_other_through_every_change(void **state)
{
    struct region region;
    (void)state;
    region_open(&region, 64 << 20);
    for (size_t at = 0; at < countof(zones); at++) {
        Arena arena = region_arena(&region);
        Zone zone = use_zone(zones[at], &arena);
        for (uint32_t change = 0; change < zone.count; change++) {
            Millis hour = zone_floor(&zone, ZONE_HOUR, zone.at_s[change] * 1000 - 7200000);
            for (int step = 0; step < 6; step++) {
                Millis next = zone_next(&zone, ZONE_HOUR, hour);
                assert_true(next > hour && next - hour <= 2 * 3600000);
                assert_int_equal(zone_floor(&zone, ZONE_HOUR, hour), hour);
                hour = next;
            }
        }
    }
    region_close(&region);
}

static void a_name_that_is_no_zone_is_refused(void **state)
{
    static const char *const names[] = { "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe/Berlin\n", "." };
    struct region region;
    (void)state;
    region_open(&region, 1 << 20);
    for (size_t at = 0; at < countof(names); at++) {
        Arena arena = region_arena(&region);
        Zone zone;
        Err err = { 0 };
        assert_int_equal(zone_open(os_disk(), NULL, str_from(names[at]), &arena, &zone, &err), ERR_INPUT);
        assert_string_equal(err.field, "timezone");
    }
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_libc),
        cmocka_unit_test(units_begin_where_the_calendar_turns),
        cmocka_unit_test(hours_follow_each_other_through_every_change),
        cmocka_unit_test(a_name_that_is_no_zone_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
