/* control_unread: an erasure over what nobody can read. The person's bytes are gone, or the answer says which place
 * could not be looked into; the erasure ends, and what is not damaged is as it was. */
#include "control/control_unread.c"
#include "segments/segments_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>
#include <zstd.h>

#include "tests/unit/derive/derive_world.h"

#define PERSON "user-77é\"x"                     /* as JSON it is spelled otherwise */
#define PERSON_JSON "user-77é\\\"x"

/* ---- A disk with a bad block ---- */

static struct {
    Status (*open)(struct disk *disk, const char *path, DiskMode mode, DiskFile *ret, Err *err);
    Status (*read)(struct disk *disk, DiskFile file, uint64_t offset, void *bytes, size_t count, size_t *ret_count,
                   Err *err);
    char file[128];                                           /* what the disk does not give back */
    int handle;
    uint64_t from, to;
} bad;

static Status open_noted(struct disk *disk, const char *path, DiskMode mode, DiskFile *ret, Err *err)
{
    Status s = bad.open(disk, path, mode, ret, err);
    if (!s && bad.handle == ret->handle) bad.handle = -1;
    if (!s && strcmp(path, bad.file) == 0) bad.handle = ret->handle;
    return s;
}

static Status read_bad(struct disk *disk, DiskFile file, uint64_t offset, void *bytes, size_t count, size_t *ret_count,
                       Err *err)
{
    bool is_bad = file.handle == bad.handle && offset < bad.to && offset + count > bad.from;
    return is_bad ? err_set(err, ERR_IO, "read: Input/output error")
                  : bad.read(disk, file, offset, bytes, count, ret_count, err);
}

/* ---- The world ---- */

static void open_applier(void) { world_open(8192, (DeriveOptions){ .passes_newer = true }); }

static void begin(void)
{
    memset(&bad, 0, sizeof bad);
    world_begin();
    bad.handle = -1;
    bad.open = world.disk.disk.open;
    bad.read = world.disk.disk.read;
    world.disk.disk.open = open_noted;
    world.disk.disk.read = read_bad;
    open_applier();
}

static void end(void)
{
    world_close(false);
    world_end();
}

static void put_event(struct buf *buf, Str user, int number)
{
    char id[24], json[160];
    struct buf quoted;
    buf_init(&quoted, 200);
    buf_json_string(&quoted, user);
    int id_len = snprintf(id, sizeof id, "m-%d", number);
    int json_len = snprintf(json, sizeof json, "{\"secret\":\"of %d\",\"userId\":%.*s}", number,
                            STR_FORMAT(buf_str(&quoted)));
    Event event = { .type = EVENT_TRACK, .source = STR("s"), .message_id = str_of(id, (size_t)id_len), .user_id = user,
                    .name = STR("Done"), .timestamp_ms = 1700000000000 + number,
                    .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = INSTANT_NONE,
                    .received_at_ms = 1700000000000, .json = str_of(json, (size_t)json_len) };
    event_encode(buf, &event);
    buf_done(&quoted);
}

static void say(Str user, int number)
{
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    put_event(&buf, user, number);
    (void)world_append(buf_str(&buf));
    buf_done(&buf);
}

static JournalPos erase(Str user)
{
    struct buf buf;
    CommandId id = { COMMAND_USER_ID, user, INT64_MIN, INT64_MAX, false };
    buf_init(&buf, LIMIT_RECORD_BYTES);
    command_encode(&buf, &(JournalCommand){ .kind = COMMAND_ERASE, .ids = &id, .id_count = 1 });
    JournalPos pos = world_append(buf_str(&buf));
    buf_done(&buf);
    return pos;
}

/* A disk in trouble is tried again, as maintenance does. */
static void work(void)
{
    ControlErasure erasure;
    uint64_t done;
    Err err = { 0 };
    bool more = true;
    for (int turn = 0; turn < 60; turn++) {
        Status s = derive_step(world.applier, &more, &err);
        if (s && s != ERR_IO) fail_msg("%s", err.text);
        s = derive_maintain(world.applier, &more, &err);
        if (s && s != ERR_IO) fail_msg("%s", err.text);
        fake_clock_advance(&world.clock, 1000);
    }
    assert_int_equal(control_list_erasures(derive_control(world.applier), &erasure, 1, &done), 0);
}

static void seal_all(void)
{
    Err err = { 0 };
    bool more = true;
    while (more)
        if (journal_maintain(world.journal, &more, &err)) fail_msg("%s", err.text);
}

/* ---- What is left ---- */

/* Everything that a sealed file says, and that all of it can be said. */
static void unpack(Str file, struct buf *to, bool is_whole)
{
    static char room[1 << 16];
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    ZSTD_inBuffer in = { file.bytes, file.len, 0 };
    while (in.pos < in.size) {
        ZSTD_outBuffer out = { room, sizeof room, 0 };
        size_t left = ZSTD_decompressStream(unpacker, &out, &in);
        buf_put(to, room, out.pos);
        if (!ZSTD_isError(left)) continue;
        assert_false(is_whole);
        break;
    }
    ZSTD_freeDCtx(unpacker);
}

/* In how many files of the journal the text stands. */
static size_t count_files_with(const char *text, bool is_whole)
{
    size_t count = 0;
    for (size_t at = 0; at < segments_of(world.journal)->segments.count; at++) {
        const Segment *row = &segments_of(world.journal)->segments.rows[at];
        struct buf buf;
        char path[4096];
        Str file = fake_disk_peek(&world.disk, segment_path(path, "journal", row->base,
                                                            row->is_sealed ? SEGMENT_SEALED : SEGMENT_RAW));
        buf_init(&buf, 64 << 20);
        if (row->is_sealed) unpack(file, &buf, is_whole);
        else buf_str_put(&buf, file);
        count += str_contains(buf_str(&buf), str_from(text));
        buf_done(&buf);
    }
    return count;
}

static ControlUnread *find_unread(JournalPos command, size_t *ret_count)
{
    static ControlUnread places[CONTROL_UNREAD_MOST];
    *ret_count = control_list_unread(derive_control(world.applier), command, command, places, CONTROL_UNREAD_MOST);
    return places;
}

static uint64_t count_events(void)
{
    DeriveStats stats;
    derive_read_stats(world.applier, &stats);
    return stats.events;
}

/* ---- Records ---- */

typedef void PutRow(struct buf *buf);
static void put_of_person(struct buf *buf) { put_event(buf, STR(PERSON), 500); }
static void put_of_other(struct buf *buf) { put_event(buf, STR("stranger"), 500); }
static void put_rejected(struct buf *buf)
{
    rejected_encode(buf, &(Rejected){ .source = STR("s"), .reason = STR("no"), .field = STR("f"), .text = STR("t"),
                                      .json = STR("{\"userId\":\"" PERSON_JSON "\",\"secret\":\"of 500\"}") });
}
static void put_suppression(struct buf *buf)
{
    CommandId id = { COMMAND_USER_ID, STR(PERSON), INT64_MIN, INT64_MAX, false };
    command_encode(buf, &(JournalCommand){ .kind = COMMAND_SUPPRESS, .ids = &id, .id_count = 1 });
}
static void put_unmerge(struct buf *buf)
{
    command_encode(buf, &(JournalCommand){ .kind = COMMAND_UNMERGE, .user_id = STR(PERSON), .message_id = STR("of 500"),
                                           .anonymous_id = STR("device"), .timestamp_ms = 1700000000000 });
}
static void put_text(struct buf *buf) { buf_str_put(buf, STR("\x1f" "in a form to come: " PERSON ", of 500")); }

/* The byte at `at` is replaced; cut: only so many bytes are left of the end. */
static const struct {
    const char *what;
    PutRow *put;
    int at, byte, cut;
    bool is_told;                                             /* it stays, and the answer says where */
} rows[] = {
    { "an event of no type", put_of_person, 1, 0, 0, false },
    { "an event whose parts lie beyond its end", put_of_person, 2, 0xff, 0, false },
    { "an event that is cut", put_of_person, -1, 0, 3, false },
    { "an event of another version", put_of_person, 0, 0x21, 0, false },
    { "an event of a type to come", put_of_person, 1, 0x0f, 0, false },
    { "a kind of record to come", put_of_person, 0, 0x1f, 0, false },
    { "a record that never was one", put_text, -1, 0, 0, false },
    { "a rejected message that is cut", put_rejected, -1, 0, 1, false },
    { "a suppression of another version", put_suppression, 0, 0x23, 0, false },
    { "a suppression of a kind to come", put_suppression, 1, 0x7f, 0, false },
    { "an unmerge, whole", put_unmerge, -1, 0, 0, false },
    { "an unmerge that is cut", put_unmerge, -1, 0, 2, false },
    { "somebody else's event of no type", put_of_other, 1, 0, 0, true },
    { "somebody else's event of another version", put_of_other, 0, 0x21, 0, true },
};

static JournalPos append_row(size_t row)
{
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    rows[row].put(&buf);
    assert_true(buf_ok(&buf) && buf.len > 20);
    if (rows[row].at >= 0) buf.bytes[rows[row].at] = (char)rows[row].byte;
    JournalPos pos = world_append(str_slice(buf_str(&buf), 0, buf.len - (size_t)rows[row].cut));
    buf_done(&buf);
    return pos;
}

static void records_that_say_nothing_are_erased_where_they_name_the_person(void **state)
{
    (void)state;
    for (size_t row = 0; row < countof(rows); row++) {
        size_t count;
        begin();
        say(STR(PERSON), 1);
        say(STR("stranger"), 2);
        JournalPos odd = append_row(row);
        say(STR("stranger"), 3);
        JournalPos command = erase(STR(PERSON));
        work();
        if (count_files_with("user-77", true)) fail_msg("%s: it is still there", rows[row].what);
        if (!rows[row].is_told && count_files_with("of 500", true)) fail_msg("%s: not all is gone", rows[row].what);
        const ControlUnread *places = find_unread(command, &count);
        if (count != rows[row].is_told) fail_msg("%s: %zu places told", rows[row].what, count);
        if (count && (places[0].from != odd || places[0].to <= odd)) fail_msg("%s: another place", rows[row].what);
        world_close(row % 2);                               /* and told after a start */
        open_applier();
        (void)find_unread(command, &count);
        assert_int_equal(count, rows[row].is_told);
        assert_int_equal(count_files_with("of 2", true), 1);
        end();
    }
}

/* "7" stands in many records by chance; as JSON it stands there on purpose. */
static void a_short_id_is_looked_for_as_json(void **state)
{
    size_t count;
    (void)state;
    begin();
    struct buf buf;
    buf_init(&buf, LIMIT_RECORD_BYTES);
    put_event(&buf, STR("7"), 500);
    buf.bytes[1] = 0;
    (void)world_append(buf_str(&buf));
    buf_clear(&buf);
    put_event(&buf, STR("71"), 717);
    buf.bytes[1] = 0;
    JournalPos other = world_append(buf_str(&buf));
    buf_done(&buf);
    JournalPos command = erase(STR("7"));
    work();
    assert_int_equal(count_files_with("of 500", true), 0);
    assert_int_equal(count_files_with("of 717", true), 1);
    assert_int_equal(find_unread(command, &count)[0].from, other);
    assert_int_equal(count, 1);
    end();
}

static void places_have_a_ceiling(void **state)
{
    size_t count;
    (void)state;
    begin();
    for (int at = 0; at < 3 * CONTROL_UNREAD_PLACES; at++) append_row(countof(rows) - 1);
    JournalPos command = 0;
    for (int at = 0; at < CONTROL_UNREAD_MOST / CONTROL_UNREAD_PLACES + 2; at++) {
        say(STR(PERSON), at);
        command = erase(STR(PERSON));
        work();
        const ControlUnread *places = find_unread(command, &count);
        assert_int_equal(count, CONTROL_UNREAD_PLACES);
        assert_true(places[count - 1].to + 2 * 8192 > command);              /* the last one stands for the rest */
        assert_non_null(strstr(places[count - 1].why, "onym verify"));
    }
    assert_int_equal(derive_control(world.applier)->unread_count, CONTROL_UNREAD_MOST);
    world_close(false);
    open_applier();
    assert_int_equal(derive_control(world.applier)->unread_count, CONTROL_UNREAD_MOST);
    (void)find_unread(command, &count);
    assert_int_equal(count, CONTROL_UNREAD_PLACES);
    end();
}

/* ---- Segments ---- */

enum { PEOPLE = 200 };

static void fill(void)
{
    for (int number = 0; number < PEOPLE; number++) say(number % 3 ? STR("stranger") : STR(PERSON), number);
    seal_all();
    assert_true(segments_of(world.journal)->segments.count > 4);
}

static const char *second_segment(char path[4096], Segment *ret)
{
    *ret = segments_of(world.journal)->segments.rows[1];
    assert_true(ret->is_sealed);
    return segment_path(path, "journal", ret->base, SEGMENT_SEALED);
}

/* From damage before anything was applied, or after all of it was; told where nothing can be done about it. */
static const struct { const char *what; bool is_told, is_gone; } harms[] = {
    { "a bit in a block", false, false },
    { "a block of zeros", false, false },
    { "the table of blocks cut off", true, false },
    { "the file gone", true, true },
    { "the file empty", true, true },
    { "a bad block of the disk", false, false },
    { "a disk that gives nothing of the file back", true, false },
};

static void harm(size_t which)
{
    char path[4096];
    Segment segment;
    const char *file = second_segment(path, &segment);
    Str bytes = fake_disk_peek(&world.disk, file);
    static const char zeros[64];
    switch (which) {
    case 0: fake_disk_flip(&world.disk, file, bytes.len / 2, 4); break;
    case 1: fake_disk_poke(&world.disk, file, bytes.len / 2, str_of(zeros, sizeof zeros)); break;
    case 2: fake_disk_cut(&world.disk, file, bytes.len - 5); break;
    case 3: fake_disk_drop(&world.disk, file); break;
    case 4: fake_disk_cut(&world.disk, file, 0); break;
    default:
        snprintf(bad.file, sizeof bad.file, "%s", file);
        bad.from = which == 5 ? bytes.len / 2 : 0;
        bad.to = which == 5 ? bad.from + 1 : UINT64_MAX;
        break;
    }
}

static void an_erasure_over_damage_ends_and_says_what_it_left(void **state)
{
    (void)state;
    for (size_t which = 0; which < countof(harms); which++)
        for (int applies_first = 0; applies_first < 2; applies_first++) {
            Segment segment;
            char path[4096];
            size_t count;
            begin();
            fill();
            if (applies_first) work();
            second_segment(path, &segment);
            harm(which);
            JournalPos command = erase(STR(PERSON));
            work();
            bad.file[0] = 0;                            /* what lies on the disk, whatever it gives back */
            bad.handle = -1;
            const ControlUnread *places = find_unread(command, &count);
            if (count != harms[which].is_told) fail_msg("%s: %zu places told", harms[which].what, count);
            if (count && (places[0].from != segment.base || places[0].to != segment.end || !places[0].why[0]))
                fail_msg("%s: another place", harms[which].what);
            bool is_left = harms[which].is_told && !harms[which].is_gone;
            if (count_files_with("user-77", !harms[which].is_told) != is_left)
                fail_msg("%s: the person is still there", harms[which].what);
            say(STR("stranger"), 1000);                       /* and everything else goes on */
            uint64_t before = count_events();
            work();
            assert_int_equal(count_events(), before + 1);
            assert_true(before > PEOPLE / 2);
            end();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_say_nothing_are_erased_where_they_name_the_person),
        cmocka_unit_test(a_short_id_is_looked_for_as_json),
        cmocka_unit_test(places_have_a_ceiling),
        cmocka_unit_test(an_erasure_over_damage_ends_and_says_what_it_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
