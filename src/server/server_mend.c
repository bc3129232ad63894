/* server_mend: the time of the last restart is in an environment variable, which execv passes on to the next program.
 * */
#include "server_mend.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"

enum { ARGUMENTS_MOST = 256, ARGUMENTS_BYTES = 256 * 1024, REST_MS = 10 * 60 * 1000 };
static const char variable[] = "ONYM_MENDED_AT_MS";

bool mend_may_restart(const struct config *config)
{
    const char *text = getenv(variable);
    int64_t mended_at_ms, now_ms = clock_now_ms(os_clock());
    for (size_t at = 0; at < config->listen.count; at++)
        if (str_ends(config->listen.items[at].text, STR(":0"))) return false;
    if (!text || !str_parse_int(str_from(text), 0, INT64_MAX, &mended_at_ms)) return true;
    return now_ms < mended_at_ms || now_ms - mended_at_ms > REST_MS;
}

/* The size of /proc's file is 0, so it is read until it ends. */
static Status read_arguments(Arena *arena, Str *ret, Err *err)
{
    struct disk *disk = os_disk();
    char *bytes = arena_new(arena, char, ARGUMENTS_BYTES);
    size_t count = 0;
    DiskFile file;
    Status s = disk->open(disk, "/proc/self/cmdline", DISK_READ, &file, err);
    if (s) return s;
    s = disk->read(disk, file, 0, bytes, ARGUMENTS_BYTES, &count, err);
    disk->close(disk, file);
    *ret = (Str){ bytes, count };
    return s;
}

void mend_restart(void)
{
    struct region region;
    char *arguments[ARGUMENTS_MOST + 1], now[32];
    size_t count = 0;
    Str text, argument;
    Err err;
    region_open(&region, 2 * ARGUMENTS_BYTES);
    Arena arena = region_arena(&region);
    Status s = read_arguments(&arena, &text, &err);
    while (!s && text.len && count < ARGUMENTS_MOST) {
        argument = str_cut(text, 0, &text);
        arguments[count++] = (char *)(uintptr_t)arena_copy(&arena, argument).bytes;
    }
    arguments[count] = NULL;
    snprintf(now, sizeof now, "%lld", (long long)clock_now_ms(os_clock()));
    check(setenv(variable, now, 1) == 0);
    if (!s && count && text.len == 0) (void)execv("/proc/self/exe", arguments);
    log_write(LOG_ERROR, "could not start again by itself; start it", LOG_TEXT("error", s ? err.text : "execv"));
    region_close(&region);
}
