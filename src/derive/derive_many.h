/* derive_many: of very many people the last write of one trait, in memory that does not grow with what they wrote.
 *
 * derive_latest.h keeps what everybody wrote; whoever has a write key can make up people and values until that does not
 * fit. Here a person costs 13 bytes, and a value is kept once, whoever has it. There are at most so many different
 * values; beyond that those stay that most people have (scan_union.h), and all others read as an object, which answers
 * tell as "(not indexed)", with a warning.
 *
 * All writes are put several times over, in passes: when everybody's last write was; what it says; where that does not
 * fit, how many people have each value, and again what it says; and which value is whose. Of writes of one instant
 * messageId and value decide, as everywhere: these few, and only these, are kept whole. Where they do not fit either,
 * their people's value is told as an object, too.
 */
#ifndef ONYM_DERIVE_MANY_H
#define ONYM_DERIVE_MANY_H

#include "derive_latest.h"
#include "scan/scan.h"

enum many_pass { MANY_LAST, MANY_VALUES, MANY_COUNT, MANY_AGAIN, MANY_NUMBERS, MANY_READY };

struct many {
    enum many_pass pass;
    struct region region;
    Millis *last;                           /* of each person; INSTANT_NONE: nothing yet */
    uint32_t *numbers, people;              /* of each person's value in the union; 0: none */
    uint64_t *tied;                         /* a bit a person: more than one write at that instant */
    struct latest_table ties;
    struct groups_union values;
};

/* people: their numbers are below it. False, with nothing to close, where they alone take more than max_bytes. */
bool many_open(struct many *many, uint32_t people, size_t max_bytes);
void many_close(struct many *many);         /* accepts one never opened (all zero) */
void many_put(struct many *many, uint32_t person, const ProfileValue *value);
/* After all writes: whether they are to be put once more, in the same number of writes or more. */
bool many_next_pass(struct many *many);
/* Empty where the person wrote nothing; "{}", of which many_is_unkept is true, for a value that was not kept. Lives
 * until many_close. */
Str many_find(const struct many *many, uint32_t person);
bool many_is_unkept(Str found);             /* not of an object that somebody wrote as {} */

#endif
