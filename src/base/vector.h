/* vector: an array that grows. Its owner keeps pointer, count and capacity as fields of his own, so that a debugger
 * shows them with their types; this file does what is easily done wrong: doubling, ceiling, overflow, no memory.
 *
 *   struct row *rows; size_t count, capacity;                                   all zero at first
 *   if (!vector_reserve(rows, capacity, count + 1, ROWS_MOST)) return err_set(err, ERR_TOO_LARGE, ...);
 *   rows[count++] = ...;
 *   free(rows);
 *
 * False: more than `most` things are wanted, or the machine has no memory. Then nothing has changed, and the
 * things are where they were. Code that cannot go on without says check(vector_reserve(...)). New room is not zeroed.
 * Pointers into the array are valid until the next vector_reserve.
 */
#ifndef ONYM_BASE_VECTOR_H
#define ONYM_BASE_VECTOR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The array, moved if necessary, with room for `wanted` things; NULL as said above. */

void *vector_grow(void *items, size_t item_bytes, size_t *capacity, size_t wanted, size_t most) MUST;

/* `capacity` may be of any unsigned type: `most` is no more than it can hold. */
#define vector_reserve(items, capacity, wanted, most) __extension__ ({ \
        size_t vector_wanted = (wanted), vector_capacity = (capacity); \
        bool vector_fits = vector_wanted <= vector_capacity; \
        if (!vector_fits) { \
            void *vector_items = vector_grow((items), sizeof *(items), &vector_capacity, vector_wanted, (most)); \
            vector_fits = vector_items != NULL; \
            if (vector_fits) (items) = (__typeof__(items))vector_items; \
            if (vector_fits) (capacity) = (__typeof__(capacity))vector_capacity; \
        } \
        vector_fits; })

#ifdef __cplusplus
}
#endif
#endif
