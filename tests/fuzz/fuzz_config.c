/* Any bytes as a configuration: no crash, no leak, and always an answer. */
#include "config/config_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const char *fake_environment(const char *name)
{
    return name[0] == 'A' ? "value" : name[0] == 'B' ? "" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    Err err;
    struct region region;
    struct config config;
    static struct config_problems problems;
    static const ConfigFlag flags[] = { { "--listen", "listen", "127.0.0.1:1" } };
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    ConfigOptions request = { .flags = flags, .flag_count = count % 2, .get_variable = fake_environment };
    ConfigText file = { str_of(bytes, count), STR("fuzz.yaml") };
    Status s = config_parse(file, &request, &arena, &config, &problems, &err);
    check(s == OK || s == ERR_INPUT);
    check((s == OK) == (problems.error_count == 0));
    check(config.listen.count > 0);
    struct buf buf;
    buf_init(&buf, 1024 * 1024);
    for (size_t at = 0; at < problems.count; at++) config_write_problem(&buf, &problems, &problems.items[at]);
    check(buf_ok(&buf));
    for (size_t at = 0; at < buf.len; at++) check((unsigned char)buf.bytes[at] >= ' ' || buf.bytes[at] == '\n');
    buf_done(&buf);
    region_close(&region);
    return 0;
}
