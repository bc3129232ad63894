/* derive_latest: each person's last write of a trait, whichever of the person's ids wrote it.
 *
 * Rows are found by person and name; texts are in one block, each at an offset: name, value, messageId. The last write
 * is found as everywhere: by event time, then messageId, then value. */
#ifndef ONYM_DERIVE_LATEST_H
#define ONYM_DERIVE_LATEST_H

#include "identity/identity.h"
#include "profile/profile.h"

struct latest {
    uint32_t person, len;                   /* len: how many bytes the value has */
    uint16_t key_len, id_len;
    uint32_t key;                           /* a part of the name's hash */
    uint64_t at;
    Millis time_ms;
};

struct latest_table {
    struct latest *rows;
    size_t count, capacity, max_bytes;
    struct slots slots;
    struct buf texts;
    bool is_full;                           /* something was left out: do not use what is in it */
};

/* False if there is no memory for the first rows. Call latest_close in either case. */
bool latest_open(struct latest_table *table, size_t max_bytes);
void latest_close(struct latest_table *table);
/* Keeps the write if it is the last so far; the name may be the table's own (empty: there is only one). False if
 * there is no memory left: the table is full from then on. */
bool latest_put(struct latest_table *table, uint32_t person, Str key, const ProfileValue *value);
/* NULL if nobody wrote it. */
const struct latest *latest_find(const struct latest_table *table, uint32_t person, Str key);
Str latest_key(const struct latest_table *table, const struct latest *row);
Str latest_json(const struct latest_table *table, const struct latest *row);

#endif
