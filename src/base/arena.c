/* arena: a bump pointer over reserved address space; MAP_NORESERVE makes an unused reservation free. */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096 };

void region_open(struct region *region, size_t bytes)
{
    bytes = (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        fprintf(stderr, "onym: the kernel gives no %zu MiB of address space. Most of it is only reserved, never used: "
                "raise ulimit -v (LimitAS), or set vm.overcommit_memory to 0 or 1; docs/operating.md#memory\n",
                (bytes + (1 << 20) - 1) >> 20);                   /* no small piece is "0 MiB" */
        fflush(stderr);
        _exit(1);
    }
    *region = (struct region){ start, bytes };
}

void region_open_large(struct region *region, size_t bytes)
{
    enum { SMALL_BYTES = 4 << 20 };
    region_open(region, bytes);
    if (region->bytes > SMALL_BYTES)        /* only a wish: else the kernel gives small pages */
        (void)madvise(region->start + SMALL_BYTES, region->bytes - SMALL_BYTES, MADV_HUGEPAGE);
}

void region_close(struct region *region)
{
    if (region->start) check(munmap(region->start, region->bytes) == 0);
    *region = (struct region){ 0 };
}

Arena region_arena(const struct region *region) { return (Arena){ region->start, region->start + region->bytes }; }

void region_trim(const struct region *region, size_t keep_bytes)
{
    keep_bytes = (keep_bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    if (keep_bytes < region->bytes)
        check(madvise(region->start + keep_bytes, region->bytes - keep_bytes, MADV_DONTNEED) == 0);
}

void *arena_try(Arena *arena, size_t size, size_t align, size_t count)
{
    size_t padding = -(uintptr_t)arena->at & (align - 1), bytes;
    if (__builtin_mul_overflow(size, count, &bytes)) return NULL;
    if (padding > arena_left(arena) || bytes > arena_left(arena) - padding) return NULL;
    char *at = arena->at + padding;
    arena->at = at + bytes;
    return at;
}

void *arena_take(Arena *arena, size_t size, size_t align, size_t count)
{
    void *at = arena_try(arena, size, align, count);
    check(at != NULL);
    return memset(at, 0, size * count);
}

char *arena_bytes(Arena *arena, size_t count)
{
    char *at = arena_try(arena, 1, 1, count);
    check(at != NULL);
    return at;
}

Str arena_copy(Arena *arena, Str s)
{
    char *copy = arena_bytes(arena, s.len + 1);
    if (s.len) memcpy(copy, s.bytes, s.len);
    copy[s.len] = 0;
    return (Str){ copy, s.len };
}

Str arena_printf(Arena *arena, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int len = vsnprintf(NULL, 0, format, list);
    va_end(list);
    check(len >= 0);
    char *text = arena_bytes(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return (Str){ text, (size_t)len };
}
