/* arena: memory by lifetime. Everything with the same end lives in one arena and dies with its reset.
 *
 * An Arena is a pair of pointers, passed in one of two ways, so that the type shows the lifetime:
 *   Arena *arena    what is returned lives as long as the caller's arena;
 *   Arena scratch   by value: what is taken is free again after the call, since the caller's copy never moved.
 *
 * An arena reserves address space once; pages cost memory only when touched. Running out of what was
 * reserved is a bug in the arithmetic of limits.h (check fails); only arena_try returns NULL instead.
 * Not thread-safe; one arena, one thread.
 */
#ifndef ONYM_BASE_ARENA_H
#define ONYM_BASE_ARENA_H

#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct Arena {
    char *at;             /* next free byte */
    char *end;            /* one past the last */
} Arena;

/* A reservation that an owner opens and closes; region_arena gives the whole of it, empty. */
struct region {
    char *start;
    size_t bytes;
};

void region_open(struct region *region, size_t bytes);   /* if the kernel refuses, says so and ends the process */
/* The same for memory that is filled from the front and may become large: after the first 4 MiB it asks for
 * huge pages, which saves most of the page faults of a question over a hundred million events. */
void region_open_large(struct region *region, size_t bytes);
void region_close(struct region *region);                /* accepts a region never opened (all zero) */
Arena region_arena(const struct region *region);
/* Gives pages after the first keep_bytes back to the kernel; for long-lived batch arenas. */
void region_trim(const struct region *region, size_t keep_bytes);

/* Zeroed memory for count things of the type; check fails if the arena is full. */
#define arena_new(arena, type, count) \
    ((type *)arena_take((arena), sizeof(type), _Alignof(type), (count)))

void *arena_take(Arena *arena, size_t size, size_t align, size_t count);
void *arena_try(Arena *arena, size_t size, size_t align, size_t count);   /* NULL: it is full */
char *arena_bytes(Arena *arena, size_t count);                            /* not zeroed, not aligned */
Str arena_copy(Arena *arena, Str s);                                      /* adds a NUL after the copy */
Str arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline size_t arena_left(const Arena *arena) { return (size_t)(arena->end - arena->at); }

#ifdef __cplusplus
}
#endif
#endif
