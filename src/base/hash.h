/* hash: fingerprints (XXH3; it does not resist an attacker who chooses inputs: where there may be one, callers add a
 * random seed) and CRC32C for stored bytes. */
#ifndef ONYM_BASE_HASH_H
#define ONYM_BASE_HASH_H

#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct Hash128 {
    uint64_t low, high;
} Hash128;

uint64_t hash_64(Str s, uint64_t seed);
Hash128 hash_128(Str s, uint64_t seed);
static inline bool hash_128_equal(Hash128 a, Hash128 b) { return a.low == b.low && a.high == b.high; }

/* CRC32C (Castagnoli), continued: crc32c_of(crc32c_of(0, a), b) is that of a and b together. */
uint32_t crc32c_of(uint32_t before, Str s);

#ifdef __cplusplus
}
#endif
#endif
