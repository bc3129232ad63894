/* scan_union: the different values of many dictionaries, in bounded memory. Anybody can make up values without end, so
 * there is a limit for their number, and one for the bytes of their texts. If there are more, the values that are in
 * the most rows stay, and all others become one value, which answers call "(not indexed)".
 *
 * Which ones stay. First all values are put. If they do not fit, a sketch counts how many rows each value is in. The
 * sketch has a million counters. Each value has two of them, which it shares with other values, and the smaller one
 * counts; so a value in many rows is never taken for a rare one. Then all values are put again, and whenever they do
 * not fit, the least number of rows is raised until half of them are below it. The result depends on the events alone:
 * two scans of the same events give the same.
 */
#ifndef ONYM_SCAN_UNION_H
#define ONYM_SCAN_UNION_H

#include "index/index.h"

enum { GROUPS_TEXT_BYTES = 32 << 20, GROUPS_SKETCH = 1 << 20 };

struct groups_union {
    struct region region;
    IndexValue *values;                 /* 0: nothing; 1: if is_folded, not indexed */
    uint32_t *slots, *sketch[2];
    char *text;
    size_t text_len;
    uint32_t count, max, slot_count, bar;
    bool is_folded, is_full;            /* is_full: count rows, then groups_union_fold, then put all again */
};

void groups_union_open(struct groups_union *self, uint32_t max);        /* at most max values, with 0 and 1 */
void groups_union_close(struct groups_union *self);                     /* accepts one never opened (all zero) */
/* Adds a value, and copies what it keeps of it. If is_full, it adds nothing. */
void groups_union_put(struct groups_union *self, const IndexValue *value);
/* Counts so many more rows for the value, in the sketch. */
void groups_union_count(struct groups_union *self, const IndexValue *value, uint32_t rows);
/* Begins again with no values; from now on the counts decide which values stay. */
void groups_union_fold(struct groups_union *self);
/* Puts the values in order, as qsort compares; nothing may be put afterwards. */
void groups_union_sort(struct groups_union *self);
/* The value's number. A value that was never put has 0; if is_folded, a value that was not kept has 1. */
uint32_t groups_union_find(const struct groups_union *self, const IndexValue *value);

#endif
