/* A journal and an applier on a fake disk, with their LMDB in a folder of its own below /tmp: what the tests of
 * records, erasures and damage stand on. One world a program; included after cmocka.h. */
#ifndef ONYM_TESTS_DERIVE_WORLD_H
#define ONYM_TESTS_DERIVE_WORLD_H

#include "derive/derive_private.h"
#include "segments/segments.h"
#include "tests/fakes/fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world {
    struct fake_clock clock;
    struct fake_dice dice;
    struct fake_disk disk;
    struct journal *journal;
    struct applier *applier;
    char state_dir[64];
    Millis retention_ms;            /* of the journal; 0: it keeps everything */
};

static struct world world;

static inline void world_begin(void)
{
    memset(&world, 0, sizeof world);
    fake_clock_init(&world.clock, 1700000000000);
    fake_dice_init(&world.dice, 5);
    fake_disk_init(&world.disk, 5);
    strcpy(world.state_dir, "/tmp/onym-derive-XXXXXX");
    assert_non_null(mkdtemp(world.state_dir));
}

/* When the applier is closed. */
static inline void world_end(void)
{
    char command[128];
    fake_disk_done(&world.disk);
    snprintf(command, sizeof command, "rm -rf %s", world.state_dir);
    assert_int_equal(system(command), 0);
}

/* `apply` says what is special in this test; the rest is filled in. */
static inline void world_open(uint64_t segment_bytes, DeriveOptions apply)
{
    SegmentsRecovery recovery;
    Err err = { 0 };
    SegmentsOptions journal = { .dir = "journal", .disk = &world.disk.disk, .clock = &world.clock.clock,
                               .dice = &world.dice.dice, .segment_bytes = segment_bytes, .seal_level = 1,
                               .reserve_bytes = 1, .retention_ms = world.retention_ms };
    if (segments_open(&journal, &world.journal, &recovery, &err)) fail_msg("%s", err.text);
    apply.journal = world.journal;
    apply.disk = &world.disk.disk;
    apply.dice = &world.dice.dice;
    apply.clock = &world.clock.clock;
    apply.dir = "derived";
    apply.state_dir = world.state_dir;
    apply.dedup_window_ms = 30 * 86400000LL;
    if (derive_open(&apply, &world.applier, &err)) fail_msg("%s", err.text);
}

static inline void world_close(bool is_crash)
{
    if (is_crash) derive_abandon(world.applier);
    else derive_close(world.applier);
    journal_close(world.journal);
}

static inline void world_note_durable(struct journal_append *append, Status status, JournalPos first)
{
    assert_int_equal(status, OK);
    *(JournalPos *)append->owner = first;
}

static inline JournalPos world_append(Str record)
{
    struct journal_append append;
    JournalPos pos = 0;
    Err err;
    journal_append_init(&append, LIMIT_APPEND_BYTES);
    append.on_durable = world_note_durable;
    append.owner = &pos;
    journal_put_record(&append, record);
    assert_int_equal(journal_submit(world.journal, &append, &err), OK);
    assert_int_equal(journal_commit(world.journal, NULL, &err), OK);
    journal_append_done(&append);
    return pos;
}

#endif
