/* journal_position: where something is in the journal. Opaque: only the back end knows what a position is made of.
 *
 * Compare positions of one journal with <, == and the like; ask how far apart they are; keep and print the number of
 * one, and take it back. Never add to a position, never use its bits: `make tidy` compiles everything
 * outside the journal's folders with a type that does not allow it (tools/positions).
 */
#ifndef ONYM_JOURNAL_POSITION_H
#define ONYM_JOURNAL_POSITION_H

#include "base/base.h"

#ifdef ONYM_POSITIONS_ARE_OPAQUE
typedef const struct journal_place *JournalPos;
#else
typedef uint64_t JournalPos;
#endif

#define JOURNAL_OLDEST ((JournalPos)0)              /* not after any record: the oldest that is kept */
#define JOURNAL_NEVER ((JournalPos)UINT64_MAX)      /* after every record that will ever be */

/* A position as a number, to print or keep, and back. Numbers compare as their positions do, begin at 0, and are below
 * 2^48: code that keeps many may keep them in so many bits. */
enum { JOURNAL_NUMBER_BITS = 48 };
#define JOURNAL_NUMBER_MOST ((UINT64_C(1) << JOURNAL_NUMBER_BITS) - 1)
static inline uint64_t journal_number(JournalPos pos) { return (uint64_t)pos; }
static inline JournalPos journal_position(uint64_t number) { return (JournalPos)number; }

/* Bounds: what is before pos is at or before the first; what is after pos is at or after the
 * second. A record need not begin there. */
static inline JournalPos journal_before(JournalPos pos)
{
    return pos ? journal_position(journal_number(pos) - 1) : pos;
}
static inline JournalPos journal_after(JournalPos pos) { return journal_position(journal_number(pos) + 1); }

/* A position about so many bytes after `from`, but not after `end`: to go over a long way in steps. */
static inline JournalPos journal_stride(JournalPos from, uint64_t bytes, JournalPos end)
{
    return journal_number(end) > journal_number(from) + bytes ? journal_position(journal_number(from) + bytes) : end;
}

/* About how many bytes of journal are between the two; 0 if `to` is not after `from`. For progress and limits. */
static inline uint64_t journal_distance(JournalPos from, JournalPos to)
{
    return journal_number(to) > journal_number(from) ? journal_number(to) - journal_number(from) : 0;
}

#endif
