/* index: whatever is appended, sealed, merged, reopened: every row is there once, with all its values. */
#include "index/index.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

enum { EVENTS_MAX = 4000 };

/* What an event should look like when it is read back. */
struct expected {
    Subject subject;
    Millis time_ms;
    JournalPos pos;
    EventType type;
    char name[24], plan[24], json[400];
    double price;
    bool has_price, has_flag, flag, is_found;
};

struct fixture {
    char dir[64];
    IndexOptions options;
    struct index *index;
    struct expected events[EVENTS_MAX];
    uint32_t event_count;
    JournalPos next;
    struct fake_dice dice;
};

static void fixture_open(struct fixture *fixture)
{
    Err err = { 0 };
    if (index_open(&fixture->options, &fixture->index, &err)) fail_msg("%s", err.text);
}

static struct fixture *fixture_new(uint64_t seed)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->dir, sizeof fixture->dir, "/tmp/onym-index-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    fake_dice_init(&fixture->dice, seed);
    fixture->options
        = (IndexOptions){ .dir = fixture->dir, .disk = os_disk(), .chunk_rows = 32, .seal_rows = 100,
                          .merge_fan = 3 };
    fixture->next = 4096;
    fixture_open(fixture);
    return fixture;
}

static void remove_dir(const char *dir)
{
    struct region region;
    DiskEntry *entries;
    size_t count;
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    assert_int_equal(os_disk()->list(os_disk(), dir, &arena, &entries, &count, NULL), OK);
    for (size_t at = 0; at < count; at++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%.*s", dir, STR_FORMAT(entries[at].name));
        unlink(path);
    }
    rmdir(dir);
    region_close(&region);
}

static void fixture_free(struct fixture *fixture)
{
    index_close(fixture->index);
    remove_dir(fixture->dir);
    free(fixture);
}

static void append(struct fixture *fixture, const struct expected *expected)
{
    Err err = { 0 };
    Event event = { .type = expected->type, .name = str_from(expected->name), .source = STR("website"),
                    .timestamp_ms = expected->time_ms, .json = str_from(expected->json) };
    if (index_append(fixture->index, expected->subject, &event, expected->pos, expected->pos + 100, &err))
        fail_msg("%s", err.text);
}

static void append_random(struct fixture *fixture)
{
    static const char *const names[] = { "Landing", "Signup", "Buy", "" };
    struct expected *made = &fixture->events[fixture->event_count++];
    struct fake_dice *dice = &fixture->dice;
    *made = (struct expected){
        .subject = fake_dice_chance(dice, 20) ? SUBJECT_NONE
            : (Subject)fake_dice_below(dice, 50) * 1000003u % 4000000000u,
        .time_ms
            = 1700000000000 + (Millis)fake_dice_below(dice, 5000) * (fake_dice_chance(dice, 10) ? 100000000
                                                                     : 1),
        .pos = fixture->next, .type = (EventType)(1 + fake_dice_below(dice, 6)),
        .has_price = fake_dice_chance(dice, 500), .price = (double)fake_dice_below(dice, 100) / 4 - 3,
        .has_flag = fake_dice_chance(dice, 300), .flag = fake_dice_chance(dice, 500),
    };
    fixture->next += 100 + fake_dice_below(dice, 3) * 50;
    snprintf(made->name, sizeof made->name, "%s", names[fake_dice_below(dice, countof(names))]);
    snprintf(made->plan, sizeof made->plan, "plan %d", (int)fake_dice_below(dice, 40));
    struct buf json;
    buf_init_fixed(&json, made->json, sizeof made->json);
    buf_printf(&json, "{\"messageId\":\"m\",\"properties\":{\"plan\":\"%s\"", made->plan);
    if (made->has_price) buf_printf(&json, ",\"price\":%.17g", made->price);
    buf_printf(&json, "},\"context\":{\"n%d\":{\"list\":[]}", (int)fake_dice_below(dice, 5));
    if (made->has_flag) buf_printf(&json, ",\"flag\":%s", made->flag ? "true" : "false");
    buf_str_put(&json, STR("}}\0"));
    append(fixture, made);
}

/* One column's value of one row, whatever the run. */
static IndexValue read_value(const IndexRun *run, const char *name, uint32_t row, Arena *arena)
{
    uint32_t column = index_run_find_column(run, str_from(name));
    IndexValues values;
    IndexCodes codes;
    if (column == UINT32_MAX) return (IndexValue){ 0 };
    assert_int_equal(index_values_read(run, column, arena, &values, NULL), OK);
    index_codes_init(&codes, run, column, values.code_count,
                     arena_new(arena, unsigned char, INDEX_CODES_BYTES), NULL);
    assert_int_equal(index_codes_load(&codes, row, NULL), OK);
    return index_values_get(&values, (uint32_t)index_codes_get(&codes, row));
}

static void verify_row(struct fixture *fixture, const IndexRun *run, uint32_t row, Arena scratch)
{
    IndexCodes positions;
    IndexValues events;
    Str name;
    index_codes_init(&positions, run, INDEX_POSITIONS, 0,
                     arena_new(&scratch, unsigned char, INDEX_CODES_BYTES), NULL);
    assert_int_equal(index_codes_load(&positions, row, NULL), OK);
    JournalPos pos = index_codes_get(&positions, row);
    uint32_t low = 0, high = fixture->event_count;
    while (high - low > 1) *(fixture->events[(low + high) / 2].pos <= pos ? &low : &high) = (low + high) / 2;
    struct expected *expected = &fixture->events[low];
    assert_int_equal(expected->pos, pos);
    assert_false(expected->is_found);
    expected->is_found = true;
    assert_int_equal(run->subjects[index_run_ordinal(run, row)], expected->subject);
    assert_int_equal(run->times.base + (Millis)index_packed_get(&run->times, row), expected->time_ms);
    assert_int_equal(index_values_read(run, INDEX_EVENTS, &scratch, &events, NULL), OK);
    assert_int_equal(index_values_event(&events, (uint32_t)index_packed_get(&run->events, row), &name),
                     expected->type);
    assert_true(str_equal(name, str_from(expected->name)));
    IndexValue plan = read_value(run, "properties.plan", row, &scratch), price
        = read_value(run, "properties.price", row, &scratch);
    assert_true(plan.kind == INDEX_STRING && str_equal(plan.text, str_from(expected->plan)));
    assert_int_equal(price.kind, expected->has_price ? INDEX_NUMBER : INDEX_NOTHING);
    if (expected->has_price) assert_true(price.number == expected->price);
    IndexValue flag = read_value(run, "context.flag", row, &scratch), source
        = read_value(run, "source", row, &scratch);
    assert_int_equal(flag.kind, expected->has_flag ? INDEX_BOOL : INDEX_NOTHING);
    if (expected->has_flag) assert_int_equal(flag.number, expected->flag);
    assert_true(source.kind == INDEX_STRING && str_equal(source.text, STR("website")));
}

/* Rows lie in order, and the subject index leads to them. */
static void verify_order(const IndexRun *run)
{
    for (uint32_t at = 0, from = 0; at < run->subject_count; at++) {
        uint32_t ordinal, to = at + 1 < run->subject_count
            ? index_run_row_of(run, run->subjects[at + 1], at, NULL) : run->row_count;
        assert_int_equal(index_run_row_of(run, run->subjects[at], 0, &ordinal), from);
        assert_int_equal(ordinal, at);
        for (uint32_t row = from; row < to; row++) {
            assert_int_equal(index_run_ordinal(run, row), at);
            if (row > from)
                assert_true(index_packed_get(&run->times, row - 1) <= index_packed_get(&run->times, row));
        }
        from = to;
    }
}

static void verify(struct fixture *fixture)
{
    struct index_snapshot *snapshot;
    struct region region;
    Err err = { 0 };
    if (index_snapshot_open(fixture->index, &snapshot, &err)) fail_msg("%s", err.text);
    region_open(&region, 64 << 20);
    uint32_t rows = 0;
    JournalPos reached = 0;
    for (uint32_t at = 0; at < fixture->event_count; at++) fixture->events[at].is_found = false;
    for (uint32_t at = 0; at < index_snapshot_run_count(snapshot); at++) {
        const IndexRun *run = index_snapshot_run(snapshot, at);
        assert_true(run->from_pos >= reached);
        reached = run->to_pos;
        verify_order(run);
        for (uint32_t row = 0; row < run->row_count; row++)
            verify_row(fixture, run, row, region_arena(&region));
        rows += run->row_count;
    }
    assert_int_equal(rows, fixture->event_count);
    region_close(&region);
    index_snapshot_close(snapshot);
}

static void maintain_all(struct fixture *fixture)
{
    bool more = true;
    Err err = { 0 };
    while (more)
        if (index_maintain(fixture->index, &more, &err)) fail_msg("%s", err.text);
}

/* A crash: what was not sealed is gone, and comes again from the journal. */
static void reopen(struct fixture *fixture)
{
    index_close(fixture->index);
    fixture_open(fixture);
    JournalPos position = index_position(fixture->index);
    for (uint32_t at = 0; at < fixture->event_count; at++)
        if (fixture->events[at].pos >= position || fake_dice_chance(&fixture->dice, 100))
            append(fixture, &fixture->events[at]);
}

static void every_row_survives_seals_merges_and_restarts(void **state)
{
    uint64_t seed = fake_seed("index_test");
    (void)state;
    for (int round = 0; round < 6; round++) {
        struct fixture *fixture = fixture_new(seed + (uint64_t)round);
        uint32_t target = 1 + (uint32_t)fake_dice_below(&fixture->dice, round < 4 ? 300 : EVENTS_MAX / 2);
        while (fixture->event_count < target) {
            append_random(fixture);
            bool more;
            if (fake_dice_chance(&fixture->dice, 200))
                assert_int_equal(index_maintain(fixture->index, &more, NULL), OK);
            if (fake_dice_chance(&fixture->dice, 5)) assert_int_equal(index_seal(fixture->index, NULL), OK);
            if (fake_dice_chance(&fixture->dice, 5)) reopen(fixture);
            if (fake_dice_chance(&fixture->dice, 2)) verify(fixture);
        }
        verify(fixture);
        maintain_all(fixture);
        verify(fixture);
        assert_int_equal(index_seal(fixture->index, NULL), OK);
        maintain_all(fixture);
        assert_int_equal(index_position(fixture->index), fixture->events[fixture->event_count - 1].pos + 100);
        reopen(fixture);
        verify(fixture);
        fixture_free(fixture);
    }
}

/* Takes events out of what is expected, as index_erase should. */
static uint64_t forget(struct fixture *fixture, const IndexErase *erase)
{
    uint32_t kept = 0, before = fixture->event_count;
    for (uint32_t at = 0; at < before; at++)
        if (!merge_erases_subject(erase, fixture->events[at].subject)
            && !merge_erases_position(erase, fixture->events[at].pos))
            fixture->events[kept++] = fixture->events[at];
    fixture->event_count = kept;
    return before - kept;
}

static int compare_subjects(const void *a, const void *b)
{
    Subject left = *(const Subject *)a, right = *(const Subject *)b;
    return (left > right) - (left < right);
}

/* No dictionary of a file has a value that no row has. */
static void verify_dictionaries(struct fixture *fixture)
{
    struct index_snapshot *snapshot;
    struct region region;
    assert_int_equal(index_snapshot_open(fixture->index, &snapshot, NULL), OK);
    region_open(&region, 64 << 20);
    for (uint32_t at = 0; at < index_snapshot_run_count(snapshot); at++) {
        const IndexRun *run = index_snapshot_run(snapshot, at);
        uint32_t column = index_run_find_column(run, STR("properties.plan"));
        Arena arena = region_arena(&region);
        IndexValues values;
        IndexCodes codes;
        assert_int_equal(index_values_read(run, column, &arena, &values, NULL), OK);
        uint32_t *counts = arena_new(&arena, uint32_t, values.code_count);
        index_codes_init(&codes, run, column, values.code_count,
                         arena_new(&arena, unsigned char, INDEX_CODES_BYTES), NULL);
        for (uint32_t row = 0; row < run->row_count; row++) {
            assert_int_equal(index_codes_load(&codes, row, NULL), OK);
            counts[index_codes_get(&codes, row)]++;
        }
        for (uint32_t code = INDEX_FIRST_VALUE; code < values.code_count; code++) assert_true(counts[code] > 0);
    }
    region_close(&region);
    index_snapshot_close(snapshot);
}

static void what_is_erased_is_gone_from_every_file(void **state)
{
    uint64_t seed = fake_seed("index_erase");
    (void)state;
    for (int round = 0; round < 12; round++) {
        struct fixture *fixture = fixture_new(seed + (uint64_t)round);
        struct fake_dice *dice = &fixture->dice;
        uint32_t target = 1 + (uint32_t)fake_dice_below(dice, 700);
        Subject subjects[60];
        JournalPos positions[40];
        size_t subject_count = 0, position_count = 0;
        uint64_t rows;
        bool more;
        while (fixture->event_count < target) {
            append_random(fixture);
            if (fake_dice_chance(dice, 200)) assert_int_equal(index_maintain(fixture->index, &more, NULL), OK);
        }
        uint32_t share = round == 11 ? 1000 : (uint32_t)fake_dice_below(dice, 300);
        for (uint32_t number = 0; number < 50; number++)
            if (fake_dice_chance(dice, share)) subjects[subject_count++] = number * 1000003u % 4000000000u;
        if (round == 11) subjects[subject_count++] = SUBJECT_NONE;
        qsort(subjects, subject_count, sizeof *subjects, compare_subjects);
        for (uint32_t at = 0; at < fixture->event_count && position_count < countof(positions); at++)
            if (fake_dice_chance(dice, 40)) positions[position_count++] = fixture->events[at].pos;
        IndexErase erase = { subjects, subject_count, positions, position_count };
        JournalPos end = fixture->events[fixture->event_count - 1].pos + 100;
        uint64_t expected = forget(fixture, &erase);
        assert_int_equal(index_erase(fixture->index, &erase, &rows, NULL), OK);
        assert_int_equal(rows, expected);
        verify(fixture);
        if (expected) verify_dictionaries(fixture);
        assert_int_equal(index_erase(fixture->index, &erase, &rows, NULL), OK);
        assert_int_equal(rows, 0);
        assert_int_equal(index_position(fixture->index), end);
        reopen(fixture);
        verify(fixture);
        for (int at = 0; at < 200; at++) append_random(fixture);
        maintain_all(fixture);
        verify(fixture);
        fixture_free(fixture);
    }
}

static void a_snapshot_stays_as_it_was(void **state)
{
    struct index_snapshot *snapshot;
    struct fixture *fixture = fixture_new(1);
    (void)state;
    for (int at = 0; at < 250; at++) append_random(fixture);
    maintain_all(fixture);
    assert_int_equal(index_snapshot_open(fixture->index, &snapshot, NULL), OK);
    for (int at = 0; at < 500; at++) append_random(fixture);
    assert_int_equal(index_seal(fixture->index, NULL), OK);
    maintain_all(fixture);
    uint32_t rows = 0;
    for (uint32_t at = 0; at < index_snapshot_run_count(snapshot); at++) {
        verify_order(index_snapshot_run(snapshot, at));
        rows += index_snapshot_run(snapshot, at)->row_count;
    }
    assert_int_equal(rows, 250);
    index_snapshot_close(snapshot);
    fixture_free(fixture);
}

static void files_of_one_level_become_one_of_the_next(void **state)
{
    IndexStats stats;
    struct fixture *fixture = fixture_new(2);
    (void)state;
    for (int at = 0; at < EVENTS_MAX; at++) {
        append_random(fixture);
        maintain_all(fixture);
    }
    index_read_stats(fixture->index, &stats);
    assert_int_equal(stats.rows, EVENTS_MAX);
    /* levels of 100, 300, 900, 2,700 rows; at most two files each */
    assert_true(stats.files <= 12);
    assert_true(stats.merges > 10);
    fixture_free(fixture);
}

static void damage_is_found_and_named(void **state)
{
    struct fixture *fixture = fixture_new(fake_seed("damage_is_found"));
    struct index_snapshot *snapshot;
    char path[PATH_MAX];
    uint64_t bytes;
    DiskFile file;
    Err err = { 0 };
    (void)state;
    for (int at = 0; at < 300; at++) append_random(fixture);
    assert_int_equal(index_seal(fixture->index, NULL), OK);
    snprintf(path, sizeof path, "%s/%s", fixture->dir, fixture->index->runs[0]->name);
    assert_int_equal(os_disk()->open(os_disk(), path, DISK_WRITE, &file, NULL), OK);
    assert_int_equal(os_disk()->size(os_disk(), file, &bytes, NULL), OK);
    for (int round = 0; round < 300; round++) {
        uint64_t at = fake_dice_below(&fixture->dice, bytes);
        unsigned char byte, wrong;
        size_t count;
        Str part = { (const char *)&wrong, 1 };
        assert_int_equal(os_disk()->read(os_disk(), file, at, &byte, 1, &count, NULL), OK);
        wrong = byte ^ (unsigned char)(1 + fake_dice_below(&fixture->dice, 255));
        assert_int_equal(os_disk()->write(os_disk(), file, at, &part, 1, NULL), OK);
        struct index *index = NULL;
        Status s = index_open(&fixture->options, &index, &err);
        if (!s) s = index_snapshot_open(index, &snapshot, &err);
        if (s) assert_true(s == ERR_DAMAGED && strstr(err.text, ".run"));
        /* padding, or a column that nobody has asked for yet */
        else index_snapshot_close(snapshot);
        index_close(index);
        part = (Str){ (const char *)&byte, 1 };
        assert_int_equal(os_disk()->write(os_disk(), file, at, &part, 1, NULL), OK);
    }
    os_disk()->close(os_disk(), file);
    verify(fixture);
    fixture_free(fixture);
}

/* ---- Strangers' names ---- */

static void append_json(struct fixture *fixture, const char *name, Str json)
{
    Err err = { 0 };
    Event event = { .type = EVENT_TRACK, .name = str_from(name), .source = STR("website"), .group_id = STR("acme"),
                    .timestamp_ms = 1700000000000, .json = json };
    JournalPos next = fixture->next + 100;
    if (index_append(fixture->index, 7, &event, fixture->next, next, &err)) fail_msg("%s", err.text);
    fixture->next = next;
}

/* 500 names from a number on, each with the value "x". */
static void append_flood(struct fixture *fixture, int from)
{
    static char text[32768];
    struct buf json;
    buf_init_fixed(&json, text, sizeof text);
    buf_str_put(&json, STR("{\"properties\":{"));
    for (int name = from; name < from + 500; name++)
        buf_printf(&json, "%s\"flood%d\":\"x\"", name == from ? "" : ",", name);
    buf_str_put(&json, STR("}}"));
    append_json(fixture, "Flood", buf_str(&json));
}

static uint64_t rows_of_field(const IndexRun *run, const char *field)
{
    uint32_t column = index_run_find_column(run, str_from(field));
    return column == UINT32_MAX ? 0 : index_run_column_rows(run, column);
}

/* Events with hundreds of names of their own, some of them again and again, cost nobody else a field. */
static void fields_that_come_often_have_columns_whatever_strangers_send(void **state)
{
    struct fixture *fixture = fixture_new(1);
    (void)state;
    fixture->options.chunk_rows = 2048;
    reopen(fixture);
    append_flood(fixture, 0);
    append_flood(fixture, 0);
    for (int at = 0; at < 1000; at++) {
        char json[256];
        snprintf(json, sizeof json, "{\"properties\":{\"plan\":\"plan %d\",\"path\":\"/\"},\"context\":{\"library\":"
                 "{\"name\":\"js\"},\"n\":%d}}", at % 5, at);
        append_json(fixture, "Order", str_from(json));
        if (at % 10 == 0) append_flood(fixture, at % 100 ? at * 500 : 0);
    }
    struct index_snapshot *snapshot;
    assert_int_equal(index_snapshot_open(fixture->index, &snapshot, NULL), OK);
    assert_int_equal(index_snapshot_run_count(snapshot), 1);
    const IndexRun *run = index_snapshot_run(snapshot, 0);
    assert_int_equal(rows_of_field(run, "properties.path"), 1000);
    assert_int_equal(rows_of_field(run, "context.library.name"), 1000);
    assert_int_equal(rows_of_field(run, "groupId"), run->row_count);
    assert_in_range(rows_of_field(run, "properties.plan"), 980, 1000);
    assert_in_range(rows_of_field(run, "context.n"), 980, 1000);
    assert_true(run->unindexed_count > 0);
    /* nothing of the name that had the column before */
    struct region region;
    region_open(&region, 1 << 26);
    Arena arena = region_arena(&region);
    IndexValues values;
    uint32_t plan = index_run_find_column(run, STR("properties.plan"));
    assert_int_equal(index_values_read(run, plan, &arena, &values, NULL), OK);
    assert_int_equal(values.number_count, 0);
    assert_int_equal(values.string_count, 5);
    for (uint32_t at = 0; at < 5; at++)
        assert_true(str_starts(index_values_get(&values, INDEX_FIRST_VALUE + at).text, STR("plan ")));
    for (uint32_t at = 1; at < run->column_count; at++)
        assert_true(str_compare(index_run_column_name(run, at - 1), index_run_column_name(run, at)) < 0);
    region_close(&region);
    index_snapshot_close(snapshot);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_survives_seals_merges_and_restarts),
        cmocka_unit_test(what_is_erased_is_gone_from_every_file),
        cmocka_unit_test(a_snapshot_stays_as_it_was),
        cmocka_unit_test(files_of_one_level_become_one_of_the_next),
        cmocka_unit_test(damage_is_found_and_named),
        cmocka_unit_test(fields_that_come_often_have_columns_whatever_strangers_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
