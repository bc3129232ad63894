/* derive_many: the last write of one trait of very many people, in memory that does not grow with what they wrote.
 *
 * derive_latest.h keeps what everybody wrote; anybody with a write key can make up people and values until that does
 * not fit. Here a person costs 13 bytes, and a value is kept once, however many people have it. The number of different
 * values is limited; beyond it those stay that most people have (scan_union.h), and all others read as an object, which
 * answers show as "(not indexed)", with a warning.
 *
 * The caller puts all writes several times, in passes. The first pass finds when everybody's last write was, the second
 * what it says. If that does not fit, a pass counts how many people have each value, and another again finds what it
 * says. The last one notes who has which value. Between writes of one instant messageId and value decide, as
 * everywhere: only these few writes are kept whole. If they do not fit either, the value of their people reads as an
 * object, too.
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
    uint64_t *tied;                         /* a bit for each person: several writes at that instant */
    struct latest_table ties;
    struct groups_union values;
};

/* people: their numbers are below it. False, with nothing to close, if they alone take more than max_bytes. */
bool many_open(struct many *many, uint32_t people, size_t max_bytes);
void many_close(struct many *many);         /* accepts one never opened (all zero) */
void many_put(struct many *many, uint32_t person, const ProfileValue *value);
/* Call it after all writes: must they be put once more, in the same number of writes or more? */
bool many_next_pass(struct many *many);
/* Empty if the person wrote nothing; "{}", of which many_is_unkept is true, for a value that was not kept. Valid
 * until many_close. */
Str many_find(const struct many *many, uint32_t person);
bool many_is_unkept(Str found);             /* false for an object that somebody wrote as {} */

#endif
