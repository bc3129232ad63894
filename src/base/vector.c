/* vector: see the header. The array doubles each time, so that n pushes move each thing once on average. */
#include "base.h"

#include <stdlib.h>

enum { VECTOR_FIRST = 16 };

void *vector_grow(void *items, size_t item_bytes, size_t *capacity, size_t wanted, size_t most)
{
    size_t more = *capacity > most / 2 ? most : *capacity * 2, bytes;
    if (wanted > most) return NULL;
    if (more < VECTOR_FIRST) more = VECTOR_FIRST < most ? VECTOR_FIRST : most;
    if (more < wanted) more = wanted;
    if (__builtin_mul_overflow(more, item_bytes, &bytes)) return NULL;
    items = realloc(items, bytes);
    if (items) *capacity = more;
    return items;
}
