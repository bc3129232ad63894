/* demo_data: a month of a music site that never was, from a seed: the same seed, numbers and last day give the same
 * bytes. */
#include "demo_data.h"

#include <stdlib.h>

enum {
    HAPPENINGS_MOST = 6 * 1000 * 1000,
    DEVICES_A_USER = 8,                    /* its own, those of visitors who never sign up, and some to spare */
};

static Status check_options(const DemoDataOptions *options, Err *err)
{
    if (options->users < 1 || options->users > DEMO_USERS_MOST)
        return err_set(err, ERR_INPUT, "a made-up site has 1 to %d users", DEMO_USERS_MOST);
    if (options->days < DEMO_DAYS_LEAST || options->days > DEMO_DAYS_MOST)
        return err_set(err, ERR_INPUT, "its history has %d to %d days", DEMO_DAYS_LEAST, DEMO_DAYS_MOST);
    if (options->end_ms % DAY_MS || options->end_ms < DEMO_DAYS_MOST * DAY_MS)
        return err_set(err, ERR_INPUT, "it ends at the beginning of a day (UTC)");
    return OK;
}

static int compare(const void *a, const void *b)
{
    const struct happening *one = a, *other = b;
    if (one->at_ms != other->at_ms) return one->at_ms < other->at_ms ? -1 : 1;
    return one->number < other->number ? -1 : 1;
}

/* No two at the same millisecond: which of two came first is then nobody's choice. */
static void line_up(struct demo_data *data)
{
    qsort(data->happenings, data->happening_count, sizeof *data->happenings, compare);
    for (uint32_t at = 1; at < data->happening_count; at++) {
        Millis least_ms = data->happenings[at - 1].at_ms + 1;
        if (data->happenings[at].at_ms < least_ms) data->happenings[at].at_ms = least_ms;
    }
    check(data->happenings[data->happening_count - 1].at_ms < data->options.end_ms);
}

Status demo_data_open(const DemoDataOptions *options, struct demo_data **ret, Err *err)
{
    Status s = check_options(options, err);
    if (s) return s;
    struct demo_data *data = calloc(1, sizeof *data);
    if (!data) return err_set(err, ERR_IO, "no memory for a made-up history");
    size_t devices = (size_t)options->users * DEVICES_A_USER + DEMO_DAYS_MOST * 4;
    data->options = *options;
    data->begin_ms = options->end_ms - options->days * DAY_MS;
    uint64_t parts[] = { options->seed, options->users, options->days, (uint64_t)options->end_ms };
    data->name = hash_64(str_of(parts, sizeof parts), 0);
    data->dice = hash_64(str_of(&options->seed, sizeof options->seed), 1);
    region_open(&data->region, devices * sizeof *data->devices + (options->users + 2) * sizeof *data->accounts + 4096);
    region_open(&data->happening_region, HAPPENINGS_MOST * sizeof *data->happenings);
    data->arena = region_arena(&data->region);
    data->happening_arena = region_arena(&data->happening_region);
    data->accounts = arena_new(&data->arena, struct account, options->users + 1);
    data->devices = arena_new(&data->arena, struct device, devices);
    data->happenings = arena_new(&data->happening_arena, struct happening, 0);
    demo_data_tell(data);
    check(data->device_count <= devices);
    line_up(data);
    *ret = data;
    return OK;
}

void demo_data_close(struct demo_data *data)
{
    if (!data) return;
    region_close(&data->happening_region);
    region_close(&data->region);
    free(data);
}

uint64_t demo_data_count(const struct demo_data *data) { return data->happening_count; }
