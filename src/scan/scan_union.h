/* scan_union: the different values of many dictionaries, in bounded memory. Anybody can make up values without end, so
 * there are at most so many of them, and of all their texts so many bytes; beyond that those stay that are in the most
 * rows, and all others are one: what answers call "(not indexed)".
 *
 * Which ones stay. First all values are put. Where they do not fit, how many rows each is in is counted into a sketch:
 * a million counters, each shared by the values that fall into it, of which each value has two and believes the lesser.
 * So whoever is in many rows is never taken for rare. Then all are put again, and whenever they do not fit, the bar is
 * raised until half of them are below it. It depends on the events alone: two scans of the same ones agree.
 */
#ifndef ONYM_SCAN_UNION_H
#define ONYM_SCAN_UNION_H

#include "index/index.h"

enum { GROUPS_TEXT_BYTES = 32 << 20, GROUPS_SKETCH = 1 << 20 };

struct groups_union {
    struct region region;
    IndexValue *values;                 /* 0: nothing; 1, where it is folded: not indexed */
    uint32_t *slots, *sketch[2];
    char *text;
    size_t text_len;
    uint32_t count, max, slot_count, bar;
    bool is_folded, is_full;            /* is_full: count rows, then groups_union_fold, then put all again */
};

void groups_union_open(struct groups_union *self, uint32_t max);        /* max: of numbers, 0 and 1 included */
void groups_union_close(struct groups_union *self);                     /* accepts one never opened (all zero) */
/* Copies what it keeps. Where is_full: nothing. */
void groups_union_put(struct groups_union *self, const IndexValue *value);
/* So many rows more have the value. */
void groups_union_count(struct groups_union *self, const IndexValue *value, uint32_t rows);
/* Begins again, with what was counted. */
void groups_union_fold(struct groups_union *self);
/* In order, as qsort compares; nothing is put afterwards. */
void groups_union_sort(struct groups_union *self);
/* The value's number; 0 for one that was never put; folded: 1 for one that was not kept. */
uint32_t groups_union_find(const struct groups_union *self, const IndexValue *value);

#endif
