/* scan_catalogue: the catalogue of the index (scan_catalogue.h).
 *
 * A run knows how many rows a column has. To find when a field was last seen, the runs with the latest times are looked
 * at first; nearly always it is in the first one. A field's values are counted code by code; each run is a task.
 */
#include "scan.h"

#include <pthread.h>
#include <stdlib.h>

/* Room for a dictionary, for the counts of each of its codes, and for a block of codes. */
enum { DICTIONARY_BYTES = 64 << 20 };
enum { STRETCH_ROWS = 1 << 20, LEAF_BYTES = 512 };

/* A column is in one run; a field is all columns of that name. */
struct column {
    Str name;
    uint32_t run, number;
};
struct field {
    CatalogueField told;                /* it must be the first member */
    char *bytes;                        /* room for its texts, LEAF_BYTES each */
    char digits[CATALOGUE_NUMBERS][40]; /* the digits of integers over 2^53 */
};

struct listing {
    struct catalogue told;              /* it must be the first member */
    const Query *query;
    const CatalogueSpec *spec;
    struct index_snapshot *snapshot;
    bool is_mine;                       /* we opened the snapshot, and close it */
    uint32_t run_count;
    uint32_t *by_time;                  /* runs, the latest first */
    struct groups_union all;            /* all events, or all values of the field */
    CatalogueValue *entries;            /* first by the value's number in all, then sorted */
    struct region entries_region;
    pthread_mutex_t lock;               /* protects these three and rest_types */
    int pass;
    struct field *fields;
    uint32_t field_count;
    struct region *scratch;             /* one for each worker */
    atomic_flag is_told;
    Status status;
    Err *err;
};

/* ---- Common ---- */

/* Gives zeroed memory that the question owns, or sets the Err. */
static void *take(struct listing *listing, size_t size, size_t count, Status *status, Err *err)
{
    size_t room = count ? count : 1;
    void *at = *status ? NULL : arena_try(listing->query->arena, size, 16, room);
    if (at) return memset(at, 0, size * room);
    if (!*status) *status = err_set(err, ERR_TOO_LARGE, "the question needs more memory than it may; narrow it");
    return NULL;
}

static void fail(struct listing *listing, Status status, const Err *err)
{
    if (atomic_flag_test_and_set(&listing->is_told)) return;
    listing->status = status;
    if (listing->err) *listing->err = *err;
}

static bool is_cancelled(struct listing *listing)
{
    const atomic_bool *flag = listing->query->world->is_cancelled;
    Err err = { 0 };
    if (!flag || !atomic_load_explicit(flag, memory_order_relaxed)) return false;
    fail(listing, err_set(&err, ERR_CLOSED, "the question was given up"), &err);
    return true;
}

static void run_tasks(struct listing *listing, QueryTask *task, uint32_t count)
{
    const QueryPool *pool = listing->query->world->pool;
    if (pool) pool->run(pool->pool, task, listing, count);
    for (uint32_t at = 0; !pool && at < count; at++) task(listing, at, 0);
}

static const IndexRun *run_at(const struct listing *listing, uint32_t at)
{
    return index_snapshot_run(listing->snapshot, at);
}

/* ---- Counting values ---- */

/* What a code of the run means: for events the type digit and the name, otherwise a value. False: the row has no value.
 * */
static bool code_entry(const IndexValues *values, uint32_t code, Arena *scratch, IndexValue *ret)
{
    static const char digits[EVENT_TYPE_COUNT + 1] = "0123456";
    if (!values->is_events) {
        *ret = value_settle(index_values_get(values, code), scratch);
        return code != INDEX_ABSENT;
    }
    uint32_t name = code - INDEX_FIRST_EVENT, start = code > INDEX_FIRST_EVENT ? values->ends[name - 1] : 0;
    *ret = (IndexValue){ .kind = INDEX_OTHER, .text = str_of(digits + code % 7, 1) };
    if (code >= INDEX_FIRST_EVENT)
        *ret = (IndexValue){ .kind = INDEX_STRING,
                             .text = str_of(values->bytes + start, values->ends[name] - start) };
    return true;
}

struct counted { uint32_t count; Millis last_ms; };

/* How many rows of the run have each code; for events also the time of the last one. NULL: it failed. */
static struct counted *count_run(struct listing *listing, const IndexRun *run, uint32_t column, uint32_t code_count,
                                 Arena *scratch, Err *err)
{
    struct counted *counted = arena_new(scratch, struct counted, code_count);
    IndexCodes codes;
    if (column == INDEX_EVENTS) {
        for (uint32_t row = 0; row < run->row_count; row++) {
            if (row % STRETCH_ROWS == 0 && is_cancelled(listing)) return NULL;
            struct counted *to = &counted[index_packed_get(&run->events, row)];
            Millis time_ms = (Millis)((uint64_t)run->times.base + index_packed_get(&run->times, row));
            to->last_ms = to->count++ && to->last_ms > time_ms ? to->last_ms : time_ms;
        }
        return counted;
    }
    index_codes_init(&codes, run, column, code_count, arena_new(scratch, unsigned char, INDEX_CODES_BYTES), NULL);
    for (uint32_t row = 0; row < run->row_count; row++) {
        if (!index_codes_has(&codes, row)) {
            Status s = is_cancelled(listing) ? ERR_CLOSED : index_codes_load(&codes, row, err);
            if (s) return fail(listing, s, err), NULL;
        }
        counted[index_codes_get(&codes, row)].count++;
    }
    return counted;
}

/* The first pass puts all values into the union and counts them. If they are too many, a second pass counts their rows
 * in the sketch, a third puts the frequent values, and a fourth counts these. So the count of each listed value is
 * exact. */
enum { PUT_AND_COUNT, SKETCH, PUT, COUNT };

static void add_entry(struct listing *listing, uint32_t number, const struct counted *counted)
{
    CatalogueValue *entry = &listing->entries[number];
    bool is_later = !entry->count || counted->last_ms > entry->last_ms;
    entry->last_ms = is_later ? counted->last_ms : entry->last_ms;
    entry->count += counted->count;
}

static void count_values(void *context, uint32_t task, uint32_t worker)
{
    struct listing *listing = context;
    const IndexRun *run = run_at(listing, task);
    Arena scratch = region_arena(&listing->scratch[worker]);
    IndexValues values;
    Err err = { 0 };
    uint32_t column = INDEX_EVENTS;
    if (listing->spec->field.len) column = index_run_find_column(run, listing->spec->field);
    if ((listing->spec->field.len && column == UINT32_MAX) || is_cancelled(listing)) return;
    Status s = index_values_read(run, column, &scratch, &values, &err);
    if (s) return fail(listing, s, &err);
    struct counted *counted = count_run(listing, run, column, values.code_count, &scratch, &err);
    if (!counted) return;
    pthread_mutex_lock(&listing->lock);
    for (uint32_t code = 0; code < values.code_count; code++) {
        Arena arena = scratch;
        IndexValue value;
        if (!counted[code].count || !code_entry(&values, code, &arena, &value)) continue;
        struct groups_union *all = &listing->all;
        if (listing->pass == SKETCH) groups_union_count(all, &value, counted[code].count);
        if (listing->pass == PUT || listing->pass == PUT_AND_COUNT) groups_union_put(all, &value);
        if (all->is_full) continue;
        if (listing->pass != COUNT && listing->pass != PUT_AND_COUNT) continue;
        uint32_t number = groups_union_find(all, &value);
        add_entry(listing, number, &counted[code]);
        if (all->values[number].kind == INDEX_OTHER && values.is_events)
            listing->told.rest_types |= 1u << (value.text.bytes[0] - '0');
    }
    pthread_mutex_unlock(&listing->lock);
}

static int compare_entries(const void *a, const void *b)
{
    return group_compare_values(&((const CatalogueValue *)a)->value, &((const CatalogueValue *)b)->value);
}

static int compare_counts(const void *a, const void *b)
{
    const CatalogueValue *left = a, *right = b;
    if (left->count != right->count) return left->count > right->count ? -1 : 1;
    return compare_entries(a, b);
}

/* Events, or the field's values, most frequent first. */
static Status list_entries(struct listing *listing)
{
    const QueryWorld *world = listing->query->world;
    uint32_t max = world->group_max ? world->group_max : (uint32_t)GROUPS_MAX, kept = 0;
    struct groups_union *all = &listing->all;
    groups_union_open(all, max);
    region_open(&listing->entries_region, (size_t)max * sizeof *listing->entries);
    listing->entries = (CatalogueValue *)(void *)listing->entries_region.start;
    for (listing->pass = PUT_AND_COUNT; listing->pass <= COUNT && !listing->status; listing->pass++) {
        if (listing->pass == SKETCH && !all->is_full) break;
        if (listing->pass == SKETCH) memset(listing->entries, 0, (size_t)max * sizeof *listing->entries);
        if (listing->pass == COUNT) listing->told.rest_types = 0;
        if (listing->pass == PUT) groups_union_fold(all);
        run_tasks(listing, count_values, listing->run_count);
    }
    if (listing->status || is_cancelled(listing)) return listing->status;
    for (uint32_t at = 0; at < all->count; at++) {
        if (!listing->entries[at].count) continue;
        CatalogueValue entry = listing->entries[at];
        entry.value = all->values[at];
        listing->entries[kept++] = entry;
    }
    qsort(listing->entries, kept, sizeof *listing->entries, compare_counts);
    listing->told.values = listing->entries;
    listing->told.value_count = kept;
    return OK;
}

/* ---- Fields ---- */

static int compare_columns(const void *a, const void *b)
{
    const struct column *left = a, *right = b;
    int order = str_compare(left->name, right->name);
    return order ? order : (left->run > right->run) - (left->run < right->run);
}

static Status find_fields(struct listing *listing, Err *err)
{
    size_t all = 0, count = 0;
    Status s = OK;
    for (uint32_t at = 0; at < listing->run_count; at++) all += run_at(listing, at)->column_count;
    struct column *columns = take(listing, sizeof *columns, all, &s, err);
    listing->fields = take(listing, sizeof *listing->fields, all, &s, err);
    for (uint32_t run = 0; !s && run < listing->run_count && !is_cancelled(listing); run++)
        for (uint32_t number = 0; number < run_at(listing, run)->column_count; number++) {
            Str name = index_run_column_name(run_at(listing, run), number);
            if (listing->spec->field.len ? str_equal(name, listing->spec->field)
                                         : catalogue_matches(listing->spec->search, name))
                columns[count++] = (struct column){ name, run, number };
        }
    if (s) return s;
    qsort(columns, count, sizeof *columns, compare_columns);
    for (size_t at = 0; at < count; at++) {
        struct field *field = listing->field_count ? &listing->fields[listing->field_count - 1] : NULL;
        if (!field || !str_equal(field->told.name, columns[at].name)) {
            field = &listing->fields[listing->field_count++];
            field->told = (CatalogueField){ .name = columns[at].name, .last_ms = INT64_MIN };
        }
        field->told.count += index_run_column_rows(run_at(listing, columns[at].run), columns[at].number);
        field->told.other += index_run_column_unindexed(run_at(listing, columns[at].run), columns[at].number);
    }
    return OK;
}

/* The latest time of a row that has the column. */
static Status find_last(struct listing *listing, const IndexRun *run, uint32_t column, Arena scratch, Millis *last_ms,
                        Err *err)
{
    IndexCodes codes;
    index_codes_init(&codes, run, column, 0, arena_new(&scratch, unsigned char, INDEX_CODES_BYTES), NULL);
    for (uint32_t row = 0; row < run->row_count && *last_ms < run->time_max_ms; row++) {
        if (!index_codes_has(&codes, row)) {
            if (is_cancelled(listing)) return OK;
            Status s = index_codes_load(&codes, row, err);
            if (s) return s;
        }
        Millis time_ms = (Millis)((uint64_t)run->times.base + index_packed_get(&run->times, row));
        if (time_ms > *last_ms && index_codes_get(&codes, row) != INDEX_ABSENT) *last_ms = time_ms;
    }
    return OK;
}

static void put_number(struct field *field, uint32_t at, const IndexValue *value)
{
    field->told.numbers[at] = *value;
    if (!value->text.len) return;
    memcpy(field->digits[at], value->text.bytes, value->text.len);             /* up to 39 digits */
    field->told.numbers[at].text.bytes = field->digits[at];
}

static void take_number(struct field *field, const IndexValue *value)
{
    bool is_first = field->told.number_count == 0;
    if (is_first || value_compare_numbers(value, &field->told.numbers[0]) < 0) put_number(field, 0, value);
    if (is_first || value_compare_numbers(value, &field->told.numbers[1]) > 0) put_number(field, 1, value);
    field->told.number_count = value_compare_numbers(&field->told.numbers[0], &field->told.numbers[1]) < 0 ? 2 : 1;
}

/* Keeps the texts that come first in order; each has its own place in the field's bytes. */
static void take_text(struct field *field, Str text)
{
    IndexValue *texts = field->told.texts;
    uint32_t to = field->told.text_count;
    while (to > 0 && str_compare(text, texts[to - 1].text) < 0) to--;
    if (to == CATALOGUE_TEXTS || (to > 0 && str_equal(texts[to - 1].text, text))) return;
    char *bytes = field->bytes + (size_t)field->told.text_count * LEAF_BYTES;
    if (field->told.text_count == CATALOGUE_TEXTS)                                  /* in place of the last one */
        bytes = field->bytes + (texts[CATALOGUE_TEXTS - 1].text.bytes - field->bytes);
    else field->told.text_count++;
    memmove(texts + to + 1, texts + to, (field->told.text_count - to - 1) * sizeof *texts);
    memcpy(bytes, text.bytes, text.len);
    texts[to] = (IndexValue){ .kind = INDEX_STRING, .text = str_of(bytes, text.len) };
}

/* Takes values from the dictionary as examples of the field. */
static void take_examples(struct field *field, const IndexValues *values)
{
    for (uint32_t at = 0; at < 2 && values->number_count; at++) {
        IndexValue value = { .kind = INDEX_NUMBER, .number = values->numbers[at ? values->number_count - 1 : 0] };
        take_number(field, &value);
    }
    for (uint32_t at = 0, texts = 0; at < values->string_count && texts < CATALOGUE_TEXTS; at++) {
        IndexValue value = index_values_get(values, INDEX_FIRST_VALUE + values->number_count + at);
        if (value.kind == INDEX_NUMBER) take_number(field, &value);
        else if (value.kind == INDEX_LIST) field->told.has_list = true;
        else take_text(field, value.text), texts++;
    }
}

/* Finds when the field was last seen, and examples of its values. */
static void look_at_field(void *context, uint32_t task, uint32_t worker)
{
    struct listing *listing = context;
    struct field *field = &listing->fields[task];
    Status s = OK;
    Err err = { 0 };
    for (uint32_t at = 0; at < listing->run_count && !s && !is_cancelled(listing); at++) {
        const IndexRun *run = run_at(listing, listing->by_time[at]);
        uint32_t column = index_run_find_column(run, field->told.name);
        Arena scratch = region_arena(&listing->scratch[worker]);
        IndexValues values;
        if (column == UINT32_MAX) continue;
        if (run->time_max_ms > field->told.last_ms)
            s = find_last(listing, run, column, scratch, &field->told.last_ms, &err);
        if (!s) s = index_values_read(run, column, &scratch, &values, &err);
        if (!s) take_examples(field, &values);
    }
    if (s) fail(listing, s, &err);
}

static int compare_fields(const void *a, const void *b)
{
    const CatalogueField *left = a, *right = b;
    if (left->count != right->count) return left->count > right->count ? -1 : 1;
    return str_compare(left->name, right->name);
}

static Status look_at_fields(struct listing *listing, Err *err)
{
    Status s = OK;
    qsort(listing->fields, listing->field_count, sizeof *listing->fields, compare_fields);
    uint32_t told = listing->field_count < listing->spec->field_max ? listing->field_count : listing->spec->field_max;
    char *bytes = take(listing, CATALOGUE_TEXTS * LEAF_BYTES, told, &s, err);
    for (uint32_t at = 0; !s && at < told; at++)
        listing->fields[at].bytes = bytes + (size_t)at * CATALOGUE_TEXTS * LEAF_BYTES;
    if (!s) run_tasks(listing, look_at_field, told);
    CatalogueField *all = take(listing, sizeof *all, told, &s, err);
    for (uint32_t at = 0; !s && at < told; at++) all[at] = listing->fields[at].told;
    listing->told.fields = all;
    listing->told.field_count = told;
    return listing->status ? listing->status : s;
}

/* ---- The whole ---- */

static int compare_runs_by_time(const void *a, const void *b, void *context)
{
    const IndexRun *left = run_at(context, *(const uint32_t *)a), *right = run_at(context, *(const uint32_t *)b);
    return (left->time_max_ms < right->time_max_ms) - (left->time_max_ms > right->time_max_ms);
}

static Status listing_open(struct listing *listing, Err *err)
{
    const QueryWorld *world = listing->query->world;
    Status s = OK;
    uint32_t workers = world->pool ? world->pool->worker_count : 1;
    size_t memory = (world->memory_bytes ? world->memory_bytes : (size_t)1 << 30) / 4 / workers;
    listing->snapshot = world->snapshot;
    listing->is_mine = !world->snapshot;
    if (listing->is_mine) s = index_snapshot_open(world->index, &listing->snapshot, err);
    if (s) return s;
        listing->run_count = index_snapshot_run_count(listing->snapshot);
    listing->by_time = take(listing, sizeof(uint32_t), listing->run_count, &s, err);
    listing->scratch = take(listing, sizeof *listing->scratch, workers, &s, err);
    for (uint32_t at = 0; !s && at < workers; at++)
        region_open(&listing->scratch[at], memory + DICTIONARY_BYTES);
    for (uint32_t at = 0; !s && at < listing->run_count; at++) listing->by_time[at] = at;
    if (!s) qsort_r(listing->by_time, listing->run_count, sizeof(uint32_t), compare_runs_by_time, listing);
    return s;
}

static void list_close(struct catalogue *told)
{
    struct listing *listing = (struct listing *)(void *)told;
    const QueryPool *pool = listing->query->world->pool;
    for (uint32_t at = 0; listing->scratch && at < (pool ? pool->worker_count : 1); at++)
        region_close(&listing->scratch[at]);
    groups_union_close(&listing->all);
    region_close(&listing->entries_region);
    pthread_mutex_destroy(&listing->lock);
    if (listing->is_mine) index_snapshot_close(listing->snapshot);
    free(listing);
}

static Status list(struct listing *listing, Err *err)
{
    Status s = listing_open(listing, err);
    if (!s) s = list_entries(listing);
    if (!s) s = find_fields(listing, err);
    if (!s) s = look_at_fields(listing, err);
    if (!s && is_cancelled(listing)) s = listing->status;
    return s;
}

Status catalogue_columns(const Query *query, const CatalogueSpec *spec, struct catalogue **ret, Err *err)
{
    struct listing *listing = calloc(1, sizeof *listing);
    check(listing);
    listing->told = (struct catalogue){ .close = list_close };
    listing->query = query;
    listing->spec = spec;
    listing->err = err;
    atomic_flag_clear(&listing->is_told);
    check(pthread_mutex_init(&listing->lock, NULL) == 0);
    Status s = list(listing, err);
    if (s) list_close(&listing->told);
    else *ret = &listing->told;
    return s;
}
