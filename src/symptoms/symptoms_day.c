/* symptoms_day: finds the counters of one day by hash, adds to them, and adds days up.
 *
 * Sets and examples keep the members with the smallest hashes, so that they are the same in any order of arrival. */
#include "symptoms_private.h"

#include <stdlib.h>

const DayLimits symptoms_day_limits = { SYMPTOMS_ORIGINS, DAY_EVENTS_MOST, SYMPTOMS_ROWS, DAY_FIELDS_MOST,
                                        DAY_NUMBERS_MOST, SUBJECTS_OF_DAY_MOST, DAY_TEXT_BYTES };
const DayLimits symptoms_view_limits = { 20 * SYMPTOMS_ORIGINS, 8 * DAY_EVENTS_MOST, 10 * SYMPTOMS_ROWS,
                                         10 * DAY_FIELDS_MOST, 4 * DAY_NUMBERS_MOST, 10 * SUBJECTS_OF_DAY_MOST,
                                         VIEW_TEXT_BYTES };

struct day_table *day_open(int32_t day, const DayLimits *limits)
{
    struct day_table *table = calloc(1, sizeof *table);
    check(table);
    table->of.day = day;
    table->limits = limits;
    region_open(&table->text, limits->text_bytes);
    table->arena = region_arena(&table->text);
    return table;
}

static void done_event(SymptomEvent *event)
{
    for (uint32_t field = 0; field < event->field_count; field++) free(event->fields[field].numbers);
    if (event->slots) slots_done(event->slots);
    free(event->slots);
    free(event->fields);
}

void day_close(struct day_table *table)
{
    if (!table) return;
    for (uint32_t at = 0; at < table->of.event_count; at++) done_event(&table->of.events[at]);
    for (uint32_t at = 0; at < table->of.row_count; at++) free(table->of.rows[at].subjects);
    free(table->of.origins);
    free(table->of.events);
    free(table->of.rows);
    free(table->origin_events);
    free(table->origin_rows);
    free(table->memos);
    slots_done(&table->origin_slots);
    slots_done(&table->event_slots);
    slots_done(&table->row_slots);
    region_close(&table->text);
    free(table);
}

static bool has_text_room(const struct day_table *table, size_t bytes)
{
    return arena_left(&table->arena) > bytes + 64;
}

/* ---- Origins ---- */

static bool origin_is(const SymptomOrigin *a, const SymptomOrigin *b)
{
    return a->is_import == b->is_import && str_equal(a->source, b->source) && str_equal(a->library, b->library)
        && str_equal(a->version, b->version) && str_equal(a->app_version, b->app_version);
}

static uint64_t hash_origin(const SymptomOrigin *origin)
{
    uint64_t hash = hash_64(origin->source, origin->is_import);
    hash = hash_64(origin->library, hash);
    hash = hash_64(origin->version, hash);
    return hash_64(origin->app_version, hash);
}

static void widen_origins(struct day_table *table)
{
    uint32_t wanted = table->of.origin_capacity, before = table->origin_room, room = before, rows_room = before;
    if (wanted <= before) return;
    check(vector_reserve(table->origin_events, room, wanted, UINT32_MAX));
    check(vector_reserve(table->origin_rows, rows_room, wanted, UINT32_MAX) && rows_room == room);
    memset(table->origin_events + before, 0, (room - before) * sizeof *table->origin_events);
    memset(table->origin_rows + before, 0, (room - before) * sizeof *table->origin_rows);
    table->origin_room = room;
}

uint32_t day_find_origin(struct day_table *table, const SymptomOrigin *wanted)
{
    SymptomDay *day = &table->of;
    if (day->origin_count && origin_is(&day->origins[table->last_origin], wanted)) return table->last_origin;
    uint64_t hash = hash_origin(wanted);
    for (uint32_t at, probe = 0; (at = slots_next(&table->origin_slots, hash, &probe)) != SLOTS_NONE;)
        if (origin_is(&day->origins[at], wanted)) return table->last_origin = at;
    size_t bytes = wanted->source.len + wanted->library.len + wanted->version.len + wanted->app_version.len + 8;
    if (day->origin_count == table->limits->origins || !has_text_room(table, bytes)) return SYMPTOM_NOBODY;
    check(slots_reserve(&table->origin_slots, day->origin_count + 1));
    check(vector_reserve(day->origins, day->origin_capacity, day->origin_count + 1, UINT32_MAX));
    widen_origins(table);
    day->origins[day->origin_count] = (SymptomOrigin){
        .source = arena_copy(&table->arena, wanted->source), .library = arena_copy(&table->arena, wanted->library),
        .version = arena_copy(&table->arena, wanted->version),
        .app_version = arena_copy(&table->arena, wanted->app_version), .is_import = wanted->is_import,
    };
    slots_put(&table->origin_slots, hash, day->origin_count);
    return table->last_origin = day->origin_count++;
}

/* ---- Events and fields ---- */

static bool event_is(const SymptomEvent *event, uint32_t origin, EventType type, Str name, bool is_over)
{
    return event->origin == origin && event->type == type && event->is_over == is_over && str_equal(event->name, name);
}

SymptomEvent *day_put_event(struct day_table *table, uint32_t origin, EventType type, Str name, bool is_over)
{
    SymptomDay *day = &table->of;
    uint64_t hash = hash_64(name, (uint64_t)origin << 8 | (uint64_t)type << 1 | is_over);
    for (uint32_t at, probe = 0; (at = slots_next(&table->event_slots, hash, &probe)) != SLOTS_NONE;)
        if (event_is(&day->events[at], origin, type, name, is_over))
            return &day->events[table->last_event = at];
    bool is_full = table->origin_events[origin] >= SYMPTOMS_EVENTS || day->event_count >= table->limits->events
                || !has_text_room(table, name.len);
    if (is_full && !is_over) return day_put_event(table, origin, EVENT_NONE, (Str){ 0 }, true);
    check(slots_reserve(&table->event_slots, day->event_count + 1));
    check(vector_reserve(day->events, day->event_capacity, day->event_count + 1, UINT32_MAX));
    day->events[day->event_count] = (SymptomEvent){ .origin = origin, .type = type, .is_over = is_over,
                                                    .name = is_over ? (Str){ 0 } : arena_copy(&table->arena, name) };
    slots_put(&table->event_slots, hash, day->event_count);
    table->origin_events[origin]++;
    return &day->events[table->last_event = day->event_count++];
}

SymptomEvent *day_find_event(struct day_table *table, uint32_t origin, EventType type, Str name)
{
    SymptomDay *day = &table->of;
    if (day->event_count && event_is(&day->events[table->last_event], origin, type, name, false))
        return &day->events[table->last_event];
    return day_put_event(table, origin, type, name, false);
}

/* If there are few fields, it looks at one after the other; if there are many, it uses a hash table. */
enum { FIELDS_BY_HASH = 24 };

static uint32_t seek_field(const SymptomEvent *event, Str name, uint64_t hash)
{
    if (!event->slots) {
        for (uint32_t at = 0; at < event->field_count; at++)
            if (str_equal(event->fields[at].name, name)) return at;
        return SLOTS_NONE;
    }
    for (uint32_t at, probe = 0; (at = slots_next(event->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(event->fields[at].name, name)) return at;
    return SLOTS_NONE;
}

static void index_fields(SymptomEvent *event)
{
    if (!event->slots) event->slots = calloc(1, sizeof *event->slots);
    check(event->slots && slots_reserve(event->slots, event->field_count));
    for (uint32_t at = event->slots->count; at < event->field_count; at++)
        slots_put(event->slots, hash_64(event->fields[at].name, 0), at);
}

SymptomField *day_find_field(struct day_table *table, SymptomEvent *event, uint32_t *guess, Str name)
{
    uint32_t at = *guess;
    if (at < event->field_count && str_equal(event->fields[at].name, name)) return *guess = at + 1, &event->fields[at];
    at = seek_field(event, name, event->slots ? hash_64(name, 0) : 0);
    if (at == SLOTS_NONE) {
        if (event->field_count == SYMPTOMS_FIELDS || table->fields == table->limits->fields
            || !has_text_room(table, name.len)) {
            event->over_fields++;
            table->of.over_fields++;
            return NULL;
        }
        check(vector_reserve(event->fields, event->field_capacity, event->field_count + 1, SYMPTOMS_FIELDS));
        at = event->field_count++;
        event->fields[at] = (SymptomField){ .name = arena_copy(&table->arena, name),
                                            .traits = symptoms_key_traits(name) };
        table->fields++;
        if (event->field_count > FIELDS_BY_HASH) index_fields(event);
    }
    *guess = at + 1;
    return &event->fields[at];
}

SymptomNumbers *day_find_numbers(struct day_table *table, SymptomField *field)
{
    if (field->numbers) return field->numbers;
    if (table->numbers == table->limits->numbers) return NULL;
    field->numbers = calloc(1, sizeof *field->numbers);
    check(field->numbers);
    table->numbers++;
    return field->numbers;
}

/* Keeps the SYMPTOM_CURRENCIES smallest ones, sorted, so that it does not matter which came first. */
void day_add_currency(SymptomEvent *event, const char currency[4])
{
    int at = 0;
    while (at < SYMPTOM_CURRENCIES && event->currencies[at][0] && memcmp(event->currencies[at], currency, 4) < 0) at++;
    if (at == SYMPTOM_CURRENCIES || !memcmp(event->currencies[at], currency, 4)) return;
    memmove(event->currencies[at + 1], event->currencies[at], (size_t)(SYMPTOM_CURRENCIES - 1 - at) * 4);
    memcpy(event->currencies[at], currency, 4);
}

/* ---- Rows ---- */

static bool row_is(const SymptomRow *row, uint32_t origin, SymptomCode code, Str event, Str field, Str value)
{
    return row->origin == origin && row->code == code && str_equal(row->value, value) && str_equal(row->field, field)
        && str_equal(row->event, event);
}

SymptomRow *day_find_row(struct day_table *table, uint32_t origin, SymptomCode code, Str event, Str field, Str value)
{
    SymptomDay *day = &table->of;
    uint64_t hash = hash_64(event, hash_64(field, hash_64(value, (uint64_t)origin << 8 | (uint64_t)code)));
    for (uint32_t at, probe = 0; (at = slots_next(&table->row_slots, hash, &probe)) != SLOTS_NONE;)
        if (row_is(&day->rows[at], origin, code, event, field, value)) return &day->rows[at];
    uint16_t *of_code = &table->origin_rows[origin][code];
    if (*of_code == ROWS_OF_CODE_MOST || day->row_count == table->limits->rows
        || !has_text_room(table, event.len + field.len + value.len)) {
        day->over_rows++;
        return NULL;
    }
    check(slots_reserve(&table->row_slots, day->row_count + 1));
    check(vector_reserve(day->rows, day->row_capacity, day->row_count + 1, UINT32_MAX));
    day->rows[day->row_count] = (SymptomRow){ .origin = origin, .code = code,
        .event = arena_copy(&table->arena, event), .field = arena_copy(&table->arena, field),
        .value = arena_copy(&table->arena, value) };
    slots_put(&table->row_slots, hash, day->row_count);
    ++*of_code;
    return &day->rows[day->row_count++];
}

static bool is_before(const SymptomExample *a, const SymptomExample *b)
{
    return a->hash != b->hash ? a->hash < b->hash : a->position < b->position;
}

void day_add_example(SymptomRow *row, SymptomExample example)
{
    uint32_t at = row->example_count;
    if (at == SYMPTOMS_EXAMPLES && !is_before(&example, &row->examples[at - 1])) return;
    for (uint32_t same = 0; same < row->example_count; same++)
        if (row->examples[same].position == example.position) return;
    if (at == SYMPTOMS_EXAMPLES) at--;
    else row->example_count++;
    for (; at > 0 && is_before(&example, &row->examples[at - 1]); at--) row->examples[at] = row->examples[at - 1];
    row->examples[at] = example;
}

/* ---- Whom it happened to ----
 *
 * A set is an array that is sorted by a hash of its members. No two members have the same hash. So the members with the
 * smallest hashes are the first ones. */
static uint32_t order_of(uint32_t subject)
{
    subject = (subject ^ subject >> 16) * 0x7feb352du;
    subject = (subject ^ subject >> 15) * 0x846ca68bu;
    return subject ^ subject >> 16;
}

static uint32_t place_of(const SymptomRow *row, uint32_t subject)
{
    uint32_t low = 0, high = row->subject_count, order = order_of(subject);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (order_of(row->subjects[middle]) < order) low = middle + 1;
        else high = middle;
    }
    return low;
}

void day_add_subject(struct day_table *table, SymptomRow *row, uint32_t subject)
{
    if (subject == SYMPTOM_NOBODY) return;
    uint32_t at = place_of(row, subject);
    if (at < row->subject_count && row->subjects[at] == subject) return;
    bool is_full = row->subject_count == SYMPTOMS_SUBJECTS;
    if (is_full || (table->subjects >= table->limits->subjects && row->subject_count)) {
        row->has_more_subjects = true;
        if (at == row->subject_count) return;
        row->subject_count--;                                /* the last one makes room */
        table->subjects--;
    }
    check(vector_reserve(row->subjects, row->subject_capacity, row->subject_count + 1, SYMPTOMS_SUBJECTS));
    memmove(row->subjects + at + 1, row->subjects + at, (row->subject_count - at) * sizeof *row->subjects);
    row->subjects[at] = subject;
    row->subject_count++;
    table->subjects++;
}

uint64_t day_count_subjects(const SymptomRow *row)
{
    if (!row->has_more_subjects || !row->subject_count) return row->subject_count;
    uint64_t last = order_of(row->subjects[row->subject_count - 1]);
    return (uint64_t)((double)(row->subject_count - 1) * 4294967296.0 / (double)(last + 1));
}

static bool is_among(const uint32_t *subjects, size_t count, uint32_t subject)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (subjects[middle] < subject) low = middle + 1;
        else high = middle;
    }
    return low < count && subjects[low] == subject;
}

/* ---- Who sent a name ---- */

void day_add_sender(SymptomSenders *senders, uint32_t subject)
{
    uint32_t at = 0;
    if (senders->are_many) return;
    while (at < senders->count && senders->subjects[at] < subject) at++;
    if (at < senders->count && senders->subjects[at] == subject) return;
    if (subject == SYMPTOM_NOBODY || senders->count == SYMPTOM_SENDERS) {
        *senders = (SymptomSenders){ .are_many = true };
        return;
    }
    memmove(senders->subjects + at + 1, senders->subjects + at, (senders->count - at) * sizeof *senders->subjects);
    senders->subjects[at] = subject;
    senders->count++;
}

static void add_senders(SymptomSenders *senders, const SymptomSenders *others)
{
    if (others->are_many) day_add_sender(senders, SYMPTOM_NOBODY);
    for (uint32_t at = 0; at < others->count; at++) day_add_sender(senders, others->subjects[at]);
}

/* ---- Forgetting ---- */

struct forgetting {
    const uint32_t *subjects;               /* ascending */
    size_t count;
    bool has_found, has_gone;               /* we found one of them; a name or a row has nobody left */
};

/* True: nobody is left. */
static bool forget_senders(struct forgetting *forgetting, SymptomSenders *senders)
{
    uint32_t kept = 0;
    for (uint32_t at = 0; at < senders->count; at++)
        if (!is_among(forgetting->subjects, forgetting->count, senders->subjects[at]))
            senders->subjects[kept++] = senders->subjects[at];
    bool is_gone = kept == 0 && senders->count > 0;
    forgetting->has_found |= kept < senders->count;
    forgetting->has_gone |= is_gone;
    senders->count = kept;
    return is_gone;
}

static bool forget_row(struct forgetting *forgetting, SymptomRow *row)
{
    uint32_t kept = 0, kept_examples = 0;
    for (uint32_t one = 0; one < row->subject_count; one++)
        if (!is_among(forgetting->subjects, forgetting->count, row->subjects[one]))
            row->subjects[kept++] = row->subjects[one];
    for (uint32_t one = 0; one < row->example_count; one++)
        if (!is_among(forgetting->subjects, forgetting->count, row->examples[one].subject))
            row->examples[kept_examples++] = row->examples[one];
    bool is_gone = kept == 0 && row->subject_count > 0 && !row->has_more_subjects;
    forgetting->has_found |= kept < row->subject_count || kept_examples < row->example_count;
    forgetting->has_gone |= is_gone;
    row->subject_count = kept;
    row->example_count = kept_examples;
    return is_gone;
}

static void forget_fields(struct forgetting *forgetting, SymptomEvent *event)
{
    uint32_t kept = 0;
    for (uint32_t at = 0; at < event->field_count; at++) {
        if (forget_senders(forgetting, &event->fields[at].senders)) free(event->fields[at].numbers);
        else event->fields[kept++] = event->fields[at];
    }
    event->field_count = kept;
}

/* Makes the table anew from what is left, so that the hash tables are right again, and the memory for texts has none of
 * the removed names. */
static void make_anew(struct day_table *table)
{
    struct day_table *anew = day_open(table->of.day, table->limits), old = *table;
    day_merge(anew, &old.of, 0);
    *table = *anew;
    *anew = old;
    day_close(anew);
}

bool day_forget(struct day_table *table, const uint32_t *subjects, size_t count)
{
    struct forgetting forgetting = { subjects, count, false, false };
    SymptomDay *day = &table->of;
    uint32_t events = 0, rows = 0;
    for (uint32_t at = 0; at < day->event_count; at++) {
        forget_fields(&forgetting, &day->events[at]);
        if (forget_senders(&forgetting, &day->events[at].senders)) done_event(&day->events[at]);
        else day->events[events++] = day->events[at];
    }
    for (uint32_t at = 0; at < day->row_count; at++) {
        uint32_t before = day->rows[at].subject_count;
        bool is_gone = forget_row(&forgetting, &day->rows[at]);
        table->subjects -= before - day->rows[at].subject_count;
        if (is_gone) free(day->rows[at].subjects);
        else day->rows[rows++] = day->rows[at];
    }
    day->event_count = events;
    day->row_count = rows;
    if (forgetting.has_gone) make_anew(table);
    table->is_dirty |= forgetting.has_found;
    free(table->memos);                                      /* it remembers who is in a set */
    table->memos = NULL;
    return forgetting.has_found;
}

/* ---- Adding up ---- */

static void set_day(uint64_t days[2], unsigned bit) { days[bit / 64 % 2] |= UINT64_C(1) << bit % 64; }

static void merge_field(struct day_table *table, SymptomEvent *event, uint32_t *guess, const SymptomField *other)
{
    SymptomField *field = day_find_field(table, event, guess, other->name);
    if (!field) return;
    uint64_t before = 0;
    for (int type = 0; type < SYMPTOM_TYPES; type++) before += field->types[type];
    for (int type = 0; type < SYMPTOM_TYPES; type++) field->types[type] += other->types[type];
    add_senders(&field->senders, &other->senders);
    day_see(&field->first_ms, &field->last_ms, other->first_ms, before == 0);
    day_see(&field->first_ms, &field->last_ms, other->last_ms, false);
    SymptomNumbers *numbers = other->numbers ? day_find_numbers(table, field) : NULL;
    for (int bucket = 0; numbers && bucket < SYMPTOM_BUCKETS; bucket++)
        numbers->buckets[bucket] += other->numbers->buckets[bucket];
}

static void merge_event(struct day_table *table, uint32_t origin, const SymptomEvent *other, unsigned bit)
{
    SymptomEvent *event = day_put_event(table, origin, other->type, other->name, other->is_over);
    uint32_t guess = 0;
    day_see(&event->first_ms, &event->last_ms, other->first_ms, event->count == 0);
    day_see(&event->first_ms, &event->last_ms, other->last_ms, false);
    event->count += other->count;
    add_senders(&event->senders, &other->senders);
    event->over_fields += other->over_fields;
    for (int at = 0; at < SYMPTOM_CURRENCIES && other->currencies[at][0]; at++)
        day_add_currency(event, other->currencies[at]);
    for (uint32_t at = 0; at < other->field_count; at++) merge_field(table, event, &guess, &other->fields[at]);
    set_day(event->days, bit);
}

static void merge_row(struct day_table *table, uint32_t origin, const SymptomRow *other, unsigned bit)
{
    SymptomRow *row = day_find_row(table, origin, other->code, other->event, other->field, other->value);
    if (!row) return;
    day_see(&row->first_ms, &row->last_ms, other->first_ms, row->count == 0);
    day_see(&row->first_ms, &row->last_ms, other->last_ms, false);
    row->count += other->count;
    for (uint32_t at = 0; at < other->example_count; at++) day_add_example(row, other->examples[at]);
    for (uint32_t at = 0; at < other->subject_count; at++) day_add_subject(table, row, other->subjects[at]);
    row->has_more_subjects |= other->has_more_subjects;
    set_day(row->days, bit);
}

static void merge_origin(SymptomOrigin *origin, const SymptomOrigin *other)
{
    if (other->first_ms == other->last_ms && !other->last_ms) return;
    day_see(&origin->first_ms, &origin->last_ms, other->first_ms, !origin->last_ms);
    day_see(&origin->first_ms, &origin->last_ms, other->last_ms, false);
    for (int at = 0; at < SYMPTOM_TALLIES; at++) origin->tallies[at] += other->tallies[at];
}

void day_merge(struct day_table *table, const SymptomDay *other, unsigned bit)
{
    uint32_t *origins = calloc(other->origin_count + 1, sizeof *origins);
    check(origins);
    for (uint32_t at = 0; at < other->origin_count; at++) {
        origins[at] = day_find_origin(table, &other->origins[at]);
        if (origins[at] == SYMPTOM_NOBODY) table->of.over_origins += other->origins[at].tallies[TALLY_MESSAGES];
        else merge_origin(&table->of.origins[origins[at]], &other->origins[at]);
    }
    for (uint32_t at = 0; at < other->event_count; at++) {
        uint32_t origin = origins[other->events[at].origin];
        if (origin != SYMPTOM_NOBODY) merge_event(table, origin, &other->events[at], bit);
    }
    for (uint32_t at = 0; at < other->row_count; at++) {
        uint32_t origin = origins[other->rows[at].origin];
        if (origin != SYMPTOM_NOBODY) merge_row(table, origin, &other->rows[at], bit);
    }
    table->of.over_origins += other->over_origins;
    table->of.over_events += other->over_events;
    table->of.over_fields += other->over_fields;
    table->of.over_rows += other->over_rows;
    free(origins);
}

/* ---- In order ---- */

static int compare_origins(const void *a, const void *b, void *context)
{
    const SymptomOrigin *origins = context, *x = &origins[*(const uint32_t *)a], *y = &origins[*(const uint32_t *)b];
    int by_name = str_compare(x->source, y->source);
    if (!by_name) by_name = str_compare(x->library, y->library);
    if (!by_name) by_name = str_compare(x->version, y->version);
    if (!by_name) by_name = str_compare(x->app_version, y->app_version);
    return by_name ? by_name : (int)x->is_import - (int)y->is_import;
}

static int compare_events(const void *a, const void *b)
{
    const SymptomEvent *x = a, *y = b;
    if (x->origin != y->origin) return x->origin < y->origin ? -1 : 1;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    return x->is_over != y->is_over ? (int)x->is_over - (int)y->is_over : str_compare(x->name, y->name);
}

static int compare_fields(const void *a, const void *b)
{
    return str_compare(((const SymptomField *)a)->name, ((const SymptomField *)b)->name);
}

static int compare_rows(const void *a, const void *b)
{
    const SymptomRow *x = a, *y = b;
    if (x->origin != y->origin) return x->origin < y->origin ? -1 : 1;
    if (x->code != y->code) return x->code < y->code ? -1 : 1;
    int by_name = str_compare(x->event, y->event);
    if (!by_name) by_name = str_compare(x->field, y->field);
    return by_name ? by_name : str_compare(x->value, y->value);
}

/* places gets the new place of each origin, by its old place. */
static void sort_origins(SymptomDay *day, uint32_t *places)
{
    uint32_t *order = calloc(day->origin_count, sizeof *order);
    SymptomOrigin *sorted = calloc(day->origin_count, sizeof *sorted);
    check(order && sorted);
    for (uint32_t at = 0; at < day->origin_count; at++) order[at] = at;
    qsort_r(order, day->origin_count, sizeof *order, compare_origins, day->origins);
    for (uint32_t at = 0; at < day->origin_count; at++) sorted[at] = day->origins[order[at]], places[order[at]] = at;
    memcpy(day->origins, sorted, day->origin_count * sizeof *sorted);
    free(order);
    free(sorted);
}

void day_sort(struct day_table *table)
{
    SymptomDay *day = &table->of;
    if (!day->origin_count) return;
    uint32_t *places = calloc(day->origin_count, sizeof *places);
    check(places);
    sort_origins(day, places);
    for (uint32_t at = 0; at < day->event_count; at++) {
        SymptomEvent *event = &day->events[at];
        event->origin = places[event->origin];
        if (event->field_count) qsort(event->fields, event->field_count, sizeof *event->fields, compare_fields);
    }
    for (uint32_t at = 0; at < day->row_count; at++) day->rows[at].origin = places[day->rows[at].origin];
    if (day->event_count) qsort(day->events, day->event_count, sizeof *day->events, compare_events);
    if (day->row_count) qsort(day->rows, day->row_count, sizeof *day->rows, compare_rows);
    free(places);
}
