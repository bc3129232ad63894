/* scan_union: the different values of many dictionaries, in bounded memory. Anybody can make up values without end, so
 * there is a limit for their number, and one for the bytes of their texts. Beyond it those stay that are in the most
 * rows, and all others are one value: answers call it "(not indexed)".
 *
 * Which ones stay. First all values are put. If they do not fit, a sketch counts how many rows each is in. It is
 * a million counters; each value has two of them, shares them with other values, and the smaller one counts.
 * So a value in many rows is never taken for rare. Then all are put again, and whenever they do not fit, the least
 * number of rows is raised until half of them are below it. This depends on the events alone: two scans of the same
 * events agree.
 */
#ifndef ONYM_SCAN_UNION_H
#define ONYM_SCAN_UNION_H

#include "index/index.h"

enum { GROUPS_TEXT_BYTES = 32 << 20, GROUPS_SKETCH = 1 << 20 };

struct groups_union {
    struct region region;
    IndexValue *values;                 /* 0: nothing; 1, if it is folded: not indexed */
    uint32_t *slots, *sketch[2];
    char *text;
    size_t text_len;
    uint32_t count, max, slot_count, bar;
    bool is_folded, is_full;            /* is_full: count rows, then groups_union_fold, then put all again */
};

void groups_union_open(struct groups_union *self, uint32_t max);        /* max: of numbers, 0 and 1 included */
void groups_union_close(struct groups_union *self);                     /* accepts one never opened (all zero) */
/* Copies what it keeps. If is_full, it keeps nothing. */
void groups_union_put(struct groups_union *self, const IndexValue *value);
/* Counts that many more rows with the value. */
void groups_union_count(struct groups_union *self, const IndexValue *value, uint32_t rows);
/* Begins again, and uses what was counted. */
void groups_union_fold(struct groups_union *self);
/* Puts the values in order, as qsort compares; nothing may be put afterwards. */
void groups_union_sort(struct groups_union *self);
/* The value's number; 0 for one that was never put; if folded, 1 for one that was not kept. */
uint32_t groups_union_find(const struct groups_union *self, const IndexValue *value);

#endif
