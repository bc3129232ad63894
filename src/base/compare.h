/* compare: numbers as qsort and bsearch compare them, the least first. */
#ifndef ONYM_BASE_COMPARE_H
#define ONYM_BASE_COMPARE_H

#ifdef __cplusplus
extern "C" {
#endif

int compare_u32(const void *a, const void *b);
int compare_u64(const void *a, const void *b);

#ifdef __cplusplus
}
#endif
#endif
