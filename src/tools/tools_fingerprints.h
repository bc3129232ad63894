/* tools_fingerprints: a set of 128-bit fingerprints in bounded memory. Exact but for two texts of one
 * fingerprint, which at 128 seeded bits nobody will live to see. */
#ifndef ONYM_TOOLS_FINGERPRINTS_H
#define ONYM_TOOLS_FINGERPRINTS_H

#include "base/base.h"

enum { FINGERPRINT_SLOTS_MOST = 1 << 25 };          /* of 16 bytes: 512 MiB */
/* How many it surely takes: seven of ten slots. */
#define FINGERPRINTS_MOST ((uint64_t)FINGERPRINT_SLOTS_MOST / 10 * 7)

struct fingerprints {
    struct region region;
    Hash128 *slots;
    uint64_t slot_count, count;
};

void fingerprints_open(struct fingerprints *set);
void fingerprints_close(struct fingerprints *set);      /* accepts one never opened (all zero) */
void fingerprints_clear(struct fingerprints *set);
/* True where it was not there yet. check fails over FINGERPRINTS_MOST. */
bool fingerprints_add(struct fingerprints *set, Hash128 fingerprint);
bool fingerprints_has(const struct fingerprints *set, Hash128 fingerprint);

#endif
