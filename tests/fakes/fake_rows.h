/* fake_rows: the store of deliver/ in memory. Survives what the process does not. */
#ifndef ONYM_TESTS_FAKE_ROWS_H
#define ONYM_TESTS_FAKE_ROWS_H

#include "deliver/deliver.h"
#include "fakes.h"

struct fake_rows {
    struct outbox_rows rows;           /* what production code gets */
    struct fake_row { char *bytes; size_t key_len, value_len; } *list;     /* sorted by key */
    size_t count, capacity;
    bool is_dead;                       /* every commit fails */
    struct fake_dice *dice;
    unsigned fail_per_thousand;         /* commits that fail, as of a full disk */
    uint64_t commits;                   /* made, or tried in vain */
    uint64_t full_from, full_until;     /* these, by that count, find the disk full */
    uint64_t dies_at;                   /* at this one the process dies: is_dead; made before it or not */
    bool dies_after;
    unsigned rewrites, rewrites_in_vain;    /* made; so many more find somebody reading */
};
void fake_rows_init(struct fake_rows *fake);
void fake_rows_done(struct fake_rows *fake);
size_t fake_rows_count(const struct fake_rows *fake, const char *name, char kind);

#endif
