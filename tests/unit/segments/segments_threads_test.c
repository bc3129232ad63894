/* All who may touch a journal at once do: submitters, the committer, housekeeping, an eraser, readers that
 * follow. On the real disk and clock, for the thread sanitizer (make tsan T=journal) and for us. */
#include "segments/segments.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SUBMITTERS = 4, APPENDS_EACH = 600, RECORDS_EACH = 3, READERS = 2 };

struct shared {
    struct journal *journal;
    char dir[64];
    SegmentsOptions options;
    atomic_uint submitters_left;
    atomic_bool is_over;
    atomic_uint trouble;
};

struct submitter {
    struct shared *shared;
    pthread_t thread;
    unsigned number;
    struct journal_append append;
    pthread_mutex_t lock;
    pthread_cond_t heard;
    bool has_heard;
    Status status;
};

static void hear(struct journal_append *append, Status status, JournalPos first)
{
    struct submitter *submitter = append->owner;
    (void)first;
    pthread_mutex_lock(&submitter->lock);
    submitter->has_heard = true;
    submitter->status = status;
    pthread_cond_signal(&submitter->heard);
    pthread_mutex_unlock(&submitter->lock);
}

static void *submit(void *context)
{
    struct submitter *submitter = context;
    struct shared *shared = submitter->shared;
    journal_append_init(&submitter->append, LIMIT_APPEND_BYTES);
    submitter->append.on_durable = hear;
    submitter->append.owner = submitter;
    for (unsigned turn = 0; turn < APPENDS_EACH; turn++) {
        journal_append_clear(&submitter->append);
        for (unsigned record = 0; record < RECORDS_EACH; record++) {
            char text[300];
            int len = snprintf(text, sizeof text, "R %u %u %0*d", submitter->number, turn * RECORDS_EACH + record,
                               (int)(turn % 200), 7);
            journal_put_record(&submitter->append, str_of(text, (size_t)len));
        }
        submitter->has_heard = false;
        if (journal_submit(shared->journal, &submitter->append, NULL)) atomic_fetch_add(&shared->trouble, 1);
        pthread_mutex_lock(&submitter->lock);
        while (!submitter->has_heard) pthread_cond_wait(&submitter->heard, &submitter->lock);
        if (submitter->status) atomic_fetch_add(&shared->trouble, 1);
        pthread_mutex_unlock(&submitter->lock);
    }
    journal_append_done(&submitter->append);
    atomic_fetch_sub(&shared->submitters_left, 1);
    journal_wake(shared->journal);
    return NULL;
}

static void *commit(void *context)
{
    struct shared *shared = context;
    while (atomic_load(&shared->submitters_left) > 0) {
        (void)journal_wait_submitted(shared->journal, 1000);
        if (journal_commit(shared->journal, NULL, NULL)) atomic_fetch_add(&shared->trouble, 1);
    }
    atomic_store(&shared->is_over, true);
    return NULL;
}

static void *maintain(void *context)
{
    struct shared *shared = context;
    while (!atomic_load(&shared->is_over)) {
        bool is_more;
        if (journal_maintain(shared->journal, &is_more, NULL)) atomic_fetch_add(&shared->trouble, 1);
        if (!is_more) (void)journal_wait_durable(shared->journal, journal_end(shared->journal), 5);
    }
    return NULL;
}

static bool is_seventh(void *context, Str record, JournalPos pos)
{
    (void)context, (void)pos;
    return record.bytes[0] == 'R' && record.len % 7 == 0;
}

static void *erase(void *context)
{
    struct shared *shared = context;
    for (int turn = 0; turn < 5; turn++) {
        uint64_t erased;
        JournalPos end = journal_end(shared->journal);
        JournalErase erase = { .to = end, .should_erase = is_seventh, .erased_first_byte = 'E' };
        if (journal_erase(shared->journal, &erase, &erased, NULL))
            atomic_fetch_add(&shared->trouble, 1);
        (void)journal_wait_durable(shared->journal, end + 20000, 50);
    }
    return NULL;
}

/* Counts what it reads; numbers of one submitter must grow by one, but for erased ones. */
static void count_record(struct shared *shared, Str record, unsigned *next, uint64_t *count)
{
    char text[400];
    unsigned submitter, number;
    (*count)++;
    memcpy(text, record.bytes, record.len);
    text[record.len] = 0;
    if (text[0] == 'E') return;
    if (sscanf(text, "R %u %u", &submitter, &number) != 2 || submitter >= SUBMITTERS || number < next[submitter])
        atomic_fetch_add(&shared->trouble, 1);
    else
        next[submitter] = number + 1;
}

static void *read_along(void *context)
{
    struct shared *shared = context;
    struct journal_reader *reader;
    unsigned next[SUBMITTERS] = { 0 };
    uint64_t count = 0;
    if (journal_reader_open(shared->journal, 0, &reader, NULL)) return atomic_fetch_add(&shared->trouble, 1), NULL;
    for (;;) {
        JournalRecord record;
        JournalPos end = journal_end(shared->journal);
        bool was_over = atomic_load(&shared->is_over);
        Status s = journal_read(reader, &record, NULL);
        if (s == OK) {
            count_record(shared, record.bytes, next, &count);
            continue;
        }
        if (s != ERR_NOT_FOUND) atomic_fetch_add(&shared->trouble, 1);
        if (s != ERR_NOT_FOUND || was_over) break;
        (void)journal_wait_durable(shared->journal, end, 20);
    }
    journal_reader_close(reader);
    if (count != SUBMITTERS * APPENDS_EACH * RECORDS_EACH) atomic_fetch_add(&shared->trouble, 1);
    return NULL;
}

static void *read_beside(void *context)
{
    struct shared *shared = context;
    struct journal *journal;
    struct journal_reader *reader;
    unsigned next[SUBMITTERS] = { 0 };
    uint64_t count = 0;
    if (segments_open_read_only(&shared->options, &journal, NULL)) return atomic_fetch_add(&shared->trouble, 1), NULL;
    if (journal_reader_open(journal, 0, &reader, NULL)) atomic_fetch_add(&shared->trouble, 1);
    else for (;;) {
        JournalRecord record;
        bool was_over = atomic_load(&shared->is_over);
        if (journal_refresh(journal, NULL)) atomic_fetch_add(&shared->trouble, 1);
        Status s;
        while ((s = journal_read(reader, &record, NULL)) == OK) count_record(shared, record.bytes, next, &count);
        if (s != ERR_NOT_FOUND) atomic_fetch_add(&shared->trouble, 1);
        if (s != ERR_NOT_FOUND || was_over) break;
    }
    journal_reader_close(reader);
    journal_close(journal);
    if (count != SUBMITTERS * APPENDS_EACH * RECORDS_EACH) atomic_fetch_add(&shared->trouble, 1);
    return NULL;
}

static void remove_dir(const char *path)
{
    struct disk *disk = os_disk();
    struct region region;
    DiskEntry *entries;
    size_t count;
    region_open(&region, 1 << 20);
    Arena arena = region_arena(&region);
    assert_int_equal(disk->list(disk, path, &arena, &entries, &count, NULL), OK);
    for (size_t at = 0; at < count; at++) {
        Str name = arena_printf(&arena, "%s/%.*s", path, STR_FORMAT(entries[at].name));
        assert_int_equal(disk->remove(disk, name.bytes, NULL), OK);
    }
    assert_int_equal(disk->remove(disk, path, NULL), OK);
    region_close(&region);
}

static void everybody_at_once(void **state)
{
    static struct shared shared;
    static struct submitter submitters[SUBMITTERS];
    pthread_t others[3 + READERS + 1];
    size_t count = 0;
    (void)state;
    snprintf(shared.dir, sizeof shared.dir, "/tmp/onym-journal-XXXXXX");
    assert_non_null(mkdtemp(shared.dir));
    shared.options = (SegmentsOptions){ .dir = shared.dir, .disk = os_disk(), .clock = os_clock(), .dice = os_dice(),
                                       .segment_bytes = 100000 };
    assert_int_equal(segments_open(&shared.options, &shared.journal, NULL, NULL), OK);
    atomic_store(&shared.submitters_left, SUBMITTERS);
    assert_int_equal(pthread_create(&others[count++], NULL, commit, &shared), 0);
    assert_int_equal(pthread_create(&others[count++], NULL, maintain, &shared), 0);
    assert_int_equal(pthread_create(&others[count++], NULL, erase, &shared), 0);
    for (int at = 0; at < READERS; at++)
        assert_int_equal(pthread_create(&others[count++], NULL, read_along, &shared), 0);
    assert_int_equal(pthread_create(&others[count++], NULL, read_beside, &shared), 0);
    for (unsigned at = 0; at < SUBMITTERS; at++) {
        submitters[at] = (struct submitter){ .shared = &shared, .number = at, .lock = PTHREAD_MUTEX_INITIALIZER,
                                             .heard = PTHREAD_COND_INITIALIZER };
        assert_int_equal(pthread_create(&submitters[at].thread, NULL, submit, &submitters[at]), 0);
    }
    for (unsigned at = 0; at < SUBMITTERS; at++) pthread_join(submitters[at].thread, NULL);
    for (size_t at = 0; at < count; at++) pthread_join(others[at], NULL);
    assert_int_equal(atomic_load(&shared.trouble), 0);
    JournalStats stats;
    journal_read_stats(shared.journal, &stats);
    assert_int_equal(stats.records, SUBMITTERS * APPENDS_EACH * RECORDS_EACH);
    assert_true(stats.sealed_segments > 0);
    journal_close(shared.journal);
    SegmentsVerdict verdict;
    assert_int_equal(segments_verify(&shared.options, &(SegmentsListener){ 0 }, &verdict, NULL), OK);
    assert_int_equal(verdict.records, SUBMITTERS * APPENDS_EACH * RECORDS_EACH);
    assert_int_equal(verdict.damaged_places + verdict.torn_bytes, 0);
    remove_dir(shared.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(everybody_at_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
