/* hash: a thin door to xxhash and Intel's ISA-L, both of which pick the CPU's instructions. */
#include "base.h"

#include <isa-l/crc.h>
#include <xxhash.h>

uint64_t hash_64(Str s, uint64_t seed) { return XXH3_64bits_withSeed(s.bytes, s.len, seed); }

Hash128 hash_128(Str s, uint64_t seed)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(s.bytes, s.len, seed);
    return (Hash128){ h.low64, h.high64 };
}

/* ISA-L calls CRC32C by iSCSI's name, leaves both inversions to its caller, and never writes its input. */
uint32_t crc32c_of(uint32_t before, Str s)
{
    check(s.len <= INT32_MAX);
    return ~crc32_iscsi((unsigned char *)(uintptr_t)s.bytes, (int)s.len, ~before);
}
