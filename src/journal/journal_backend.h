/* journal_backend: what a back end provides: a struct of functions, and how its journals and readers begin.
 *
 * The functions promise what journal.h says of those with the same names. None may be NULL. journal.c calls them: one
 * indirect call for each submission, each commit, and each batch of records that is read.
 *
 * To add one: a folder next to segments/ with its own function to open it (with its own options) that gives a
 * `struct journal *`, and a row in tests/unit/journal/. Code that reads or writes need not change.
 */
#ifndef ONYM_JOURNAL_BACKEND_H
#define ONYM_JOURNAL_BACKEND_H

#include <stdatomic.h>

typedef struct JournalBackend {
    const char *name;
    void (*close)(struct journal *journal);
    /* writing */
    Status (*submit)(struct journal *journal, struct journal_append *append, Err *err);
    bool (*wait_submitted)(struct journal *journal, Millis timeout_ms);
    void (*wake)(struct journal *journal);
    Status (*commit)(struct journal *journal, uint64_t *ret_records, Err *err);
    Status (*maintain)(struct journal *journal, bool *ret_more, Err *err);
    void (*set_hold)(struct journal *journal, const char *name, JournalPos pos);
    JournalPos (*due)(struct journal *journal);
    Status (*erase)(struct journal *journal, const JournalErase *erase, uint64_t *ret_erased, Err *err);
    /* where it begins and ends, and following it */
    JournalPos (*first)(struct journal *journal);
    JournalPos (*end)(struct journal *journal);
    JournalPos (*find_time)(struct journal *journal, Millis received_at_ms);
    JournalPos (*find_age)(struct journal *journal, Millis age_ms);
    Status (*find_birth)(struct journal *journal, JournalPos pos, JournalPos *ret_base, Millis *ret_at_ms, Err *err);
    bool (*wait_durable)(struct journal *journal, JournalPos pos, Millis timeout_ms);
    void (*end_waits)(struct journal *journal);
    Status (*refresh)(struct journal *journal, Err *err);
    /* reading */
    Status (*reader_open)(struct journal *journal, JournalPos from, struct journal_reader **ret, Err *err);
    void (*reader_close)(struct journal_reader *reader);
    Status (*read)(struct journal_reader *reader, Err *err);
    void (*unread)(struct journal_reader *reader);
    Status (*skip_damage)(struct journal_reader *reader, uint64_t *ret_skipped_bytes, Err *err);
    uint64_t (*reader_missed)(const struct journal_reader *reader);
    JournalPos (*reader_position)(const struct journal_reader *reader);     /* after all that `read` gave */
    /* numbers */
    bool (*is_poisoned)(struct journal *journal, char *text, size_t bytes);
    void (*read_stats)(struct journal *journal, JournalStats *ret);
} JournalBackend;

/* Each back end's journal begins with this. */
struct journal {
    const JournalBackend *backend;
    _Atomic uint32_t erase_count;           /* the back end adds one for each erasure that changed something */
};

/* Each back end's reader begins with this. `read` is called when all that it gave was given out: it fills in at least
 * one record, whose bytes stay valid until the next call, or says why there is none. If an erasure came in between,
 * `unread` is called first: records[at..count) were not given out, and must be read again. */
struct journal_reader {
    struct journal *journal;
    const JournalRecord *records;           /* the back end's */
    uint32_t count, at, erase_count;
};

#endif
