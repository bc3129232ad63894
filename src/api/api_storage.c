/* api_storage: GET /api/v1/storage: what the data directory holds, how fast it grows, and when that is too much.
 *
 * How fast: the journal knows how many bytes came since a certain time. We take the longest of some spans that it
 * covers. What a byte of it costs on disk is the size of all files of the data directory divided by the bytes of
 * messages that are kept. So one number includes the journal, compressed or not yet, and what is derived from it. */
#include "api_routes.h"

enum { DEPTH_MOST = 4, PARTS_MOST = 64, PATH_BYTES = 4096 };

typedef struct Part {
    Str name;
    uint64_t bytes;
} Part;

typedef struct Parts {
    Part items[PARTS_MOST];
    size_t count;
    uint64_t bytes;
} Parts;

/* ---- What there is ---- */

/* Files come and go while it is looked at: what is gone has no bytes. */
static uint64_t bytes_below(struct disk *disk, Str dir, int depth, Arena arena)
{
    DiskEntry *entries;
    size_t count;
    uint64_t bytes = 0;
    if (depth > DEPTH_MOST || disk->list(disk, dir.bytes, &arena, &entries, &count, NULL)) return 0;
    for (size_t at = 0; at < count; at++) {
        if (entries[at].is_file) bytes += entries[at].bytes;
        if (!entries[at].is_dir) continue;
        Arena scratch = arena;
        Str below = arena_printf(&scratch, "%s/%.*s", dir.bytes, STR_FORMAT(entries[at].name));
        bytes += bytes_below(disk, below, depth + 1, scratch);
    }
    return bytes;
}

static void put_part(Parts *parts, Str name, uint64_t bytes)
{
    if (parts->count == PARTS_MOST) name = parts->items[--parts->count].name;
    parts->items[parts->count++] = (Part){ name, bytes };
    parts->bytes += bytes;
}

/* Each directory is a part; in derived/ each directory in it. All files outside of these are one part. */
static Status list_parts(struct disk *disk, Str dir, Str prefix, Arena *arena, Parts *parts, Err *err)
{
    DiskEntry *entries;
    size_t count;
    uint64_t files = 0;
    Status s = disk->list(disk, dir.bytes, arena, &entries, &count, err);
    for (size_t at = 0; !s && at < count; at++) {
        Str name = entries[at].name;
        Str below = arena_printf(arena, "%s/%.*s", dir.bytes, STR_FORMAT(name));
        if (entries[at].is_file) files += entries[at].bytes;
        else if (entries[at].is_dir && !prefix.len && str_equal(name, STR("derived")))
            s = list_parts(disk, below, STR("derived/"), arena, parts, err);
        else if (entries[at].is_dir)
            put_part(parts, arena_printf(arena, "%.*s%.*s", STR_FORMAT(prefix), STR_FORMAT(name)),
                     bytes_below(disk, below, 0, *arena));
    }
    if (!s && files) put_part(parts, arena_printf(arena, "%.*sfiles", STR_FORMAT(prefix)), files);
    return s;
}

/* ---- How fast it grows ---- */

typedef struct Growth {
    bool is_known;
    Millis span_ms;                  /* over which it was looked at */
    double bytes_a_day;              /* in files, of all kinds */
} Growth;

static Growth find_growth(const ApiOptions *options, const JournalStats *stats, uint64_t all_bytes)
{
    static const Millis spans[] = { 28 * DAY_MS, 7 * DAY_MS, DAY_MS, 6 * HOUR_MS, HOUR_MS };
    JournalPos oldest = journal_find_time(options->journal, 0);       /* of a commit, as the others are */
    uint64_t kept = journal_distance(oldest, stats->end);
    Millis now_ms = clock_now_ms(options->clock);
    for (size_t at = 0; at < countof(spans) && kept; at++) {
        JournalPos since = journal_find_time(options->journal, now_ms - spans[at]);
        if (since <= oldest) continue;                       /* it does not reach back so far */
        double days = (double)spans[at] / (double)DAY_MS;
        double came = (double)journal_distance(since, stats->end) / days;
        return (Growth){ true, spans[at], came * (double)all_bytes / (double)kept };
    }
    return (Growth){ 0 };
}

/* With retention by age, growth ends when as much is removed each day as comes; with retention by size, at that size.
 * */
static void put_forecast(struct buf *out, const ApiOptions *options, const Growth *growth, uint64_t all_bytes,
                         uint64_t free_bytes)
{
    double a_day = growth->bytes_a_day, most = 0;
    bool is_bounded = growth->is_known && options->retention_ms > 0;
    if (is_bounded) most = a_day * (double)options->retention_ms / (double)DAY_MS;
    if (growth->is_known) json_double(out, "bytes_a_day", a_day);
    else json_null(out, "bytes_a_day");
    if (growth->is_known) json_double(out, "measured_over_days", (double)growth->span_ms / (double)DAY_MS);
    else json_null(out, "measured_over_days");
    if (is_bounded) json_double(out, "bytes_at_retention", most);
    else json_null(out, "bytes_at_retention");
    bool fits = is_bounded && most <= (double)all_bytes + (double)free_bytes;
    if (!growth->is_known || a_day <= 0 || fits) json_null(out, "full_in_days");
    else json_double(out, "full_in_days", (double)free_bytes / a_day);
}

Status api_storage(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    const ApiOptions *options = api_options(exchange);
    struct disk *disk = options->disk;
    Parts *parts = arena_new(arena, Parts, 1);
    JournalStats stats;
    uint64_t free_bytes = 0;
    if (!options->data_dir.len) return err_set(err, ERR_CONFLICT, "this is known only while onym serve runs");
    Str dir = arena_copy(arena, options->data_dir);
    Status s = list_parts(disk, dir, (Str){ 0 }, arena, parts, err);
    if (!s) s = disk->free_bytes(disk, dir.bytes, &free_bytes, err);
    if (s) return s;
    journal_read_stats(options->journal, &stats);
    Growth growth = find_growth(options, &stats, parts->bytes);
    json_object(out, NULL);
    json_array(out, "parts");
    for (size_t at = 0; at < parts->count; at++) {
        json_object(out, NULL);
        json_string(out, "name", parts->items[at].name);
        json_uint(out, "bytes", parts->items[at].bytes);
        json_object_end(out);
    }
    json_array_end(out);
    json_uint(out, "bytes", parts->bytes);
    json_uint(out, "free_bytes", free_bytes);
    if (options->retention_ms) json_double(out, "retention_days", (double)options->retention_ms / (double)DAY_MS);
    else json_null(out, "retention_days");
    if (options->retention_bytes) json_uint(out, "retention_bytes", options->retention_bytes);
    else json_null(out, "retention_bytes");
    put_forecast(out, options, &growth, parts->bytes, free_bytes);
    json_object_end(out);
    return OK;
}
