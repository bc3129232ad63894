/* collect_authorize: finds the source of a write key. Sources are kept in immutable tables; replacing them makes a new
 * table and swaps a pointer, and old tables stay until the end (a reload costs a few KiB), so nobody ever
 * waits and no source vanishes during a request.
 *
 * A key is looked up by a seeded hash and then compared in constant time: the time that it takes does not tell
 * how much of a key was right. */
#include "collect_stations.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct source_table {
    struct source_table *older;
    struct region region;           /* holds this struct and all that it points to */
    struct source_entry *entries;
    size_t count;
    struct slots slots;             /* of the entries, by the key's hash; of equal keys the first is found first */
};

/* ---- Opening ---- */

Status collector_open(const CollectOptions *options, struct collector **ret, Err *err)
{
    struct collector *collector = calloc(1, sizeof *collector);
    pthread_mutex_t *lock = calloc(1, sizeof *lock);
    if (!collector || !lock) {
        free(lock);
        free(collector);
        return err_set(err, ERR_FULL, "collect: no memory");
    }
    check(pthread_mutex_init(lock, NULL) == 0);
    collector->options = *options;
    collector->seed = dice_u64(options->dice);
    collector->lock = lock;
    *ret = collector;
    Status s = collector_set_sources(collector, NULL, 0, err);
    if (s) collector_close(collector);
    return s;
}

static void free_table(struct source_table *table)
{
    struct region region = table->region;         /* holds the table itself */
    region_close(&region);
}

void collector_close(struct collector *collector)
{
    if (!collector) return;
    for (struct source_table *table = collector->tables, *older; table; table = older) {
        older = table->older;
        free_table(table);
    }
    for (struct rate_bucket *bucket = collector->buckets, *next; bucket; bucket = next) {
        next = bucket->next;
        free(bucket->name);
        free(bucket);
    }
    collect_close_plans(collector);
    pthread_mutex_destroy(collector->lock);
    free(collector->lock);
    free(collector);
}

/* ---- Sources ---- */

static struct rate_bucket *find_bucket(struct collector *collector, Str name)
{
    for (struct rate_bucket *bucket = collector->buckets; bucket; bucket = bucket->next)
        if (str_equal(str_from(bucket->name), name)) return bucket;
    struct rate_bucket *bucket = calloc(1, sizeof *bucket);
    char *copy = calloc(1, name.len + 1);
    if (!bucket || !copy) {
        free(copy);
        free(bucket);
        return NULL;
    }
    memcpy(copy, name.bytes, name.len);
    bucket->name = copy;
    bucket->next = collector->buckets;
    return collector->buckets = bucket;
}

static Status check_sources(const Source *sources, size_t count, Err *err)
{
    if (count > LIMIT_SOURCES) return err_set(err, ERR_INPUT, "sources: more than %d", LIMIT_SOURCES);
    for (size_t at = 0; at < count; at++) {
        const Source *source = &sources[at];
        if (source->name.len == 0 || source->name.len > 256)
            return err_set_field(err, "name", "sources: a name must have 1 to 256 bytes");
        if (source->write_key.len == 0 || source->write_key.len > LIMIT_WRITE_KEY_BYTES)
            return err_set_field(err, "write_key", "source %.*s: its write key must have 1 to %d bytes",
                                 STR_FORMAT(source->name), LIMIT_WRITE_KEY_BYTES);
        if (source->own_path.len && !source_is_own_path(source->own_path))
            return err_set_field(err, "own_path", "source %.*s: an own_path is 3 to 40 letters, digits, \"-\" or "
                                 "\"_\", no word of Onym's other paths", STR_FORMAT(source->name));
        for (size_t other = 0; other < at; other++) {
            if (source->own_path.len && str_equal(sources[other].own_path, source->own_path))
                return err_set_field(err, "own_path", "sources: %.*s and %.*s have the same own_path",
                                     STR_FORMAT(sources[other].name), STR_FORMAT(source->name));
            if (str_equal(sources[other].name, source->name))
                return err_set_field(err, "name", "sources: two have the name %.*s", STR_FORMAT(source->name));
            if (str_equal(sources[other].write_key, source->write_key))
                return err_set_field(err, "write_key", "sources: %.*s and %.*s have the same write key",
                                     STR_FORMAT(sources[other].name), STR_FORMAT(source->name));
        }
    }
    return OK;
}

static size_t table_bytes(const Source *sources, size_t count)
{
    size_t bytes = sizeof(struct source_table) + slots_bytes((uint32_t)(2 * count)) + 4096;
    bytes += count * sizeof(struct source_entry);
    for (size_t at = 0; at < count; at++) {
        size_t twice = sources[at].old_key.len ? 2 : 1;
        bytes += twice * (sizeof(struct source_entry) + 7 * sources[at].name.len + 64);
        bytes += twice * (sources[at].write_key.len + sources[at].old_key.len + sources[at].own_path.len);
        bytes += twice * sources[at].device_mode.len;
        for (size_t origin = 0; origin < sources[at].allowed_origin_count; origin++)
            bytes += twice * (sizeof(Str) + sources[at].allowed_origins[origin].len + 1);
    }
    return bytes;
}

static Str quoted(Arena *arena, Str s)
{
    struct buf buf;
    size_t room = 6 * s.len + 2;
    buf_init_fixed(&buf, arena_bytes(arena, room), room);
    buf_json_string(&buf, s);
    check(buf_ok(&buf));
    return buf_str(&buf);
}

static void copy_source(Arena *arena, const Source *source, struct source_entry *entry)
{
    entry->source = *source;
    entry->source.name = arena_copy(arena, source->name);
    entry->source.write_key = arena_copy(arena, source->write_key);
    entry->source.old_key = arena_copy(arena, source->old_key);
    entry->source.own_path = arena_copy(arena, source->own_path);
    entry->source.device_mode = arena_copy(arena, source->device_mode);
    entry->name_raw = quoted(arena, source->name);
    Str *origins = arena_new(arena, Str, source->allowed_origin_count);
    for (size_t at = 0; at < source->allowed_origin_count; at++)
        origins[at] = arena_copy(arena, source->allowed_origins[at]);
    entry->source.allowed_origins = origins;
}

static void put_slot(const struct collector *collector, struct source_table *table, size_t at)
{
    slots_put(&table->slots, hash_64(table->entries[at].source.write_key, collector->seed), (uint32_t)at);
}

/* Comes after the present keys, so that a source's present key is never taken for another's old one. */
static void put_old_keys(struct collector *collector, struct source_table *table, Arena *arena, const Source *sources)
{
    size_t place = table->count;
    for (size_t at = 0; at < table->count; at++) {
        if (!sources[at].old_key.len) continue;
        struct source_entry *entry = &table->entries[place];
        copy_source(arena, &sources[at], entry);
        entry->source.write_key = entry->source.old_key;
        entry->is_old = true;
        entry->bucket = table->entries[at].bucket;
        put_slot(collector, table, place++);
    }
}

static struct source_table *make_table(struct collector *collector, const Source *sources, size_t count)
{
    struct region region;
    region_open(&region, table_bytes(sources, count));
    Arena arena = region_arena(&region);
    struct source_table *table = arena_new(&arena, struct source_table, 1);
    table->region = region;
    table->count = count;
    table->entries = arena_new(&arena, struct source_entry, 2 * count);
    slots_lay(&table->slots, &arena, (uint32_t)(2 * count));      /* each may have an old key */
    for (size_t at = 0; at < count; at++) {
        struct source_entry *entry = &table->entries[at];
        copy_source(&arena, &sources[at], entry);
        entry->bucket = find_bucket(collector, entry->source.name);
        put_slot(collector, table, at);
        if (!entry->bucket) {
            free_table(table);
            return NULL;
        }
    }
    put_old_keys(collector, table, &arena, sources);
    return table;
}

Status collector_set_sources(struct collector *collector, const Source *sources, size_t count, Err *err)
{
    Status s = check_sources(sources, count, err);
    if (s) return s;
    pthread_mutex_lock(collector->lock);
    struct source_table *table = make_table(collector, sources, count);
    if (table) {
        table->older = collector->tables;
        collector->tables = table;
        atomic_store_explicit(&collector->table, table, memory_order_release);
    }
    pthread_mutex_unlock(collector->lock);
    return table ? OK : err_set(err, ERR_FULL, "collect: no memory");
}

const struct source_entry *collect_find_entry(struct collector *collector, Str write_key)
{
    const struct source_table *table = atomic_load_explicit(&collector->table, memory_order_acquire);
    if (write_key.len == 0 || write_key.len > LIMIT_WRITE_KEY_BYTES) return NULL;
    uint64_t hash = hash_64(write_key, collector->seed);
    for (uint32_t at, probe = 0; (at = slots_next(&table->slots, hash, &probe)) != SLOTS_NONE;) {
        const struct source_entry *entry = &table->entries[at];
        if (str_equal_constant_time(entry->source.write_key, write_key)) return entry;
    }
    return NULL;
}

const struct source_entry *collect_find_entry_named(struct collector *collector, Str name)
{
    const struct source_table *table = atomic_load_explicit(&collector->table, memory_order_acquire);
    for (size_t at = 0; at < table->count; at++)
        if (str_equal(table->entries[at].source.name, name)) return &table->entries[at];
    return NULL;
}

const Source *collector_find_source(struct collector *collector, Str write_key)
{
    const struct source_entry *entry = collect_find_entry(collector, write_key);
    return entry ? &entry->source : NULL;
}

const Source *collector_source_at(struct collector *collector, size_t at)
{
    const struct source_table *table = atomic_load_explicit(&collector->table, memory_order_acquire);
    return at < table->count ? &table->entries[at].source : NULL;
}

bool source_is_own_path(Str word)
{
    /* the first parts of the paths in http/'s table, so that a source's own word never hides one of them */
    static const char *const taken[] = {
        "api", "analytics", "batch", "beacon", "cookie", "healthz", "identify", "track", "page", "screen", "group",
        "alias", "import", "pixel", "projects", "metrics", "readyz", "sourceConfig", "assets", "mcp", "live",
    };
    if (word.len < 3 || word.len > 40) return false;
    for (size_t at = 0; at < word.len; at++) {
        char c = word.bytes[at];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') return false;
    }
    for (size_t at = 0; at < countof(taken); at++)
        if (str_equal_no_case(word, str_from(taken[at]))) return false;
    return true;
}

const Source *collector_find_own(struct collector *collector, Str own_path)
{
    const struct source_table *table = atomic_load_explicit(&collector->table, memory_order_acquire);
    if (!source_is_own_path(own_path)) return NULL;
    for (size_t at = 0; at < table->count; at++)
        if (str_equal(table->entries[at].source.own_path, own_path)) return &table->entries[at].source;
    return NULL;
}

bool source_allows_origin(const Source *source, Str origin)
{
    if (source->allowed_origin_count == 0) return true;
    for (size_t at = 0; at < source->allowed_origin_count; at++)
        if (str_equal_no_case(source->allowed_origins[at], origin)) return true;
    return false;
}

/* ---- The stations ---- */

static void try_key(struct intake *intake, Str key)
{
    if (key.len == 0) return;
    intake->has_key = true;
    if (!intake->source) intake->source = collect_find_entry(intake->workspace->collector, key);
}

Status collect_authorize(struct intake *intake, Err *err)
{
    try_key(intake, intake->request->header_key);
    try_key(intake, intake->request->query_key);
    if (intake->request->is_import && intake->has_key && !intake->source)
        return err_set(err, ERR_DENIED, "import: no source has this write key");
    return OK;
}

const struct source_entry *collect_source_of(struct intake *intake, const Message *message)
{
    if (intake->source) return intake->source;
    if (intake->request->is_import && !intake->has_key)
        return collect_find_entry_named(intake->workspace->collector, message->project_id.text);
    return collect_find_entry(intake->workspace->collector, message->write_key.text);
}

bool collect_is_foreign(const struct intake *intake, const struct source_entry *source)
{
    const CollectRequest *request = intake->request;
    return !request->is_import && request->origin.len && !source_allows_origin(&source->source, request->origin);
}

/* How many of a body's messages belong to one source: each message may name its own. */
struct share {
    const struct source_entry *entry;
    uint32_t count;
    bool is_foreign;
};

static size_t find_shares(struct intake *intake, struct share *shares)
{
    const Body *body = &intake->body;
    size_t count = 0;
    if (intake->source) {
        shares[0] = (struct share){ intake->source, (uint32_t)body->message_count, false };
        return 1;
    }
    for (size_t at = 0, found = 0; at < body->message_count; at++) {
        const struct source_entry *entry = collect_source_of(intake, &body->messages[at]);
        if (!entry) continue;
        if (found >= count || shares[found].entry != entry) /* mostly it is the one before */
            for (found = 0; found < count && shares[found].entry != entry;) found++;
        if (found == count) shares[count++] = (struct share){ entry, 0, false };
        shares[found].count++;
    }
    return count;
}

/* All sources have room, or none gives any: an answer of 429 makes the client send the whole body again. */
static Status take_rates(struct intake *intake, const struct share *shares, size_t count, Err *err)
{
    int64_t now_ns = clock_monotonic_ns(intake->workspace->collector->options.clock);
    for (size_t at = 0; at < count; at++) {
        const Source *source = &shares[at].entry->source;
        if (shares[at].is_foreign) continue;
        if (collect_take_rate(shares[at].entry->bucket, source->events_per_second, source->burst_events,
                              shares[at].count, now_ns, &intake->result.retry_after_ms))
            continue;
        for (size_t taken = 0; taken < at; taken++)
            if (!shares[taken].is_foreign)
                collect_give_rate(shares[taken].entry->bucket, shares[taken].entry->source.events_per_second,
                                  shares[taken].count);
        intake->result.source = source;
        return err_set(err, ERR_RATE, "source %.*s: over %u events a second; try again in %" PRId64 " ms",
                       STR_FORMAT(source->name), source->events_per_second, intake->result.retry_after_ms);
    }
    return OK;
}

/* If none of the request's sources is open to its page, the request is refused; else only the messages for a source
 * that is not open are rejected. */
static Status admit_sources(struct intake *intake, Err *err)
{
    struct collector *collector = intake->workspace->collector;
    struct share *shares = arena_new(intake->arena, struct share, intake->body.message_count + 1);
    const struct source_entry *open = NULL;
    size_t count = find_shares(intake, shares);
    if (count == 0)
        return collector->options.refuse_unknown_keys ? err_set(err, ERR_DENIED, "no source has this write key") : OK;
    for (size_t at = 0; at < count; at++) {
        shares[at].is_foreign = collect_is_foreign(intake, shares[at].entry);
        if (!shares[at].is_foreign && !open) open = shares[at].entry;
    }
    intake->result.source = open ? &open->source : &shares[0].entry->source;
    if (!open)
        return err_set(err, ERR_DENIED, "source %.*s: not open to this origin",
                       STR_FORMAT(intake->result.source->name));
    return take_rates(intake, shares, count, err);
}

/* What can be judged only once the body is known: keys that are in it, its origin, its rate. */
Status collect_admit(struct intake *intake, Err *err)
{
    const Body *body = &intake->body;
    if (!intake->request->is_import) try_key(intake, body->write_key.text);      /* its lines have their own keys */
    bool has_key = intake->has_key || intake->request->is_import;
    for (size_t at = 0; at < body->message_count && !has_key; at++)
        has_key = body->messages[at].write_key.text.len > 0;
    if (!has_key) return err_set(err, ERR_DENIED, "no write key in header, query or body");
    if (!intake->request->is_import) return admit_sources(intake, err);
    const struct source_entry *entry = intake->source;
    if (!entry && body->message_count) entry = collect_source_of(intake, &body->messages[0]);
    intake->result.source = entry ? &entry->source : NULL;
    return OK;
}
