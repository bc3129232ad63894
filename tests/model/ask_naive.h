/* ask_naive: a second back end of questions (scan/scan_backend.h): a loop over the plain list of a world's events, one
 * person after the other, without an index. What it finds goes the same way as what the index finds: so the models hold
 * both to the definitions. Included by ask_world.h. */
#ifndef ONYM_TESTS_ASK_NAIVE_H
#define ONYM_TESTS_ASK_NAIVE_H

struct naive {
    struct scan base;
    const Query *query;
    const ScanSpec *spec;
    const struct world *world;
    Groups groups;
    IndexValue values[WORLD_EVENTS_MAX + 1];
    char texts[WORLD_EVENTS_MAX][40];
    uint32_t group_of[WORLD_EVENTS_MAX];                /* by event */
    uint32_t refs[WORLD_EVENTS_MAX + 1], ref_count;     /* events that were handed over with a reference, from 1 */
    uint64_t row_count, hit_count;
    struct region region;
};

static inline struct naive *naive_of(const struct scan *scan) { return (struct naive *)(uintptr_t)scan; }

/* ---- What an event says ---- */

static inline IndexValue naive_text(const char *text)
{
    return text ? (IndexValue){ .kind = INDEX_STRING, .text = str_from(text) } : (IndexValue){ 0 };
}

/* A column of the event. Those that no world has are nowhere. */
static inline IndexValue naive_column(const struct world_event *event, Str field)
{
    if (str_equal(field, STR("properties.plan"))) return naive_text(event->plan);
    if (str_equal(field, STR("context.city"))) return naive_text(event->city);
    if (str_equal(field, STR("context.page.path"))) return naive_text(event->path);
    if (str_equal(field, STR("context.campaign.source"))) return naive_text(event->campaign);
    if (str_equal(field, STR("properties.price")) && event->has_price)
        return (IndexValue){ .kind = INDEX_NUMBER, .number = event->price };
    if (str_equal(field, STR("properties.flag")) && event->has_flag)
        return (IndexValue){ .kind = INDEX_BOOL, .number = event->flag };
    for (size_t at = 0; event->referrer && at < countof(world_referrers); at++)
        if (str_equal(field, STR("context.page.referrer")) && strcmp(event->referrer, world_referrers[at]) == 0)
            return naive_text(world_hosts[at]);
    return (IndexValue){ 0 };
}

static inline bool naive_is_named(const Selector *selector, const struct world_event *event)
{
    Str name = str_from(event->name), path = str_from(event->path ? event->path : "");
    if (selector->is_done && event->type == EVENT_IDENTIFY) return false;
    if (selector->type != EVENT_NONE && selector->type != event->type) return false;
    if (selector->is_unindexed) return false;
    if (selector->is_any_name) return true;
    if (selector->is_called && event->type == EVENT_PAGE && !name.len) return str_equal(path, selector->name);
    return str_equal(selector->name, name) || (selector->is_path && event->path && str_equal(path, selector->name));
}

static inline IndexValue naive_trait(const struct naive *naive, uint32_t person, Str name)
{
    const QueryWorld *world = naive->query->world;
    IndexValue value = { 0 };
    if (person == QUERY_NOBODY || !world->find_trait(world->context, person, name, NULL, &value))
        return (IndexValue){ 0 };
    return value;
}

/* A bit for each selector that means the event. */
static inline uint32_t naive_steps(const struct naive *naive, const struct world_event *event, uint32_t person)
{
    uint32_t steps = 0;
    for (uint32_t at = 0; at < naive->spec->selector_count; at++) {
        const Selector *selector = &naive->spec->selectors[at];
        bool holds = naive_is_named(selector, event);
        for (uint32_t filter = 0; holds && filter < selector->filters.count; filter++) {
            IndexValue value = naive_column(event, selector->filters.items[filter].field);
            check(selector->filters.items[filter].of == OF_COLUMN);
            holds = filter_passes(&selector->filters.items[filter], &value);
        }
        for (uint32_t filter = 0; holds && filter < selector->traits.count; filter++) {
            IndexValue value = naive_trait(naive, person, selector->traits.items[filter].field);
            holds = filter_passes(&selector->traits.items[filter], &value);
        }
        steps |= (uint32_t)holds << at;
    }
    return steps;
}

/* ---- Groups ---- */

static inline IndexValue naive_group(struct naive *naive, uint32_t at)
{
    const struct world_event *event = &naive->world->events[at];
    const ScanSpec *spec = naive->spec;
    if (spec->by_event) {
        const char *name = *event->name || event->type != EVENT_PAGE ? event->name : event->path ? event->path : "";
        snprintf(naive->texts[at], sizeof naive->texts[at], "%d%s", event->type, name);
        return naive_text(naive->texts[at]);
    }
    if (!spec->by.is_given) return (IndexValue){ 0 };
    return spec->by.is_trait ? naive_trait(naive, event->person, spec->by.field) : naive_column(event, spec->by.field);
}

/* Numbered in the order of their values. */
static inline void naive_number_groups(struct naive *naive)
{
    Groups *groups = &naive->groups;
    *groups = (Groups){ .values = naive->values, .max = countof(naive->values), .is_events = naive->spec->by_event };
    for (uint32_t at = 0; at < naive->world->event_count; at++) naive->values[1 + at] = naive_group(naive, at);
    qsort(naive->values + 1, naive->world->event_count, sizeof *naive->values, group_compare_values);
    groups->count = 1;
    for (uint32_t at = 1; at <= naive->world->event_count; at++)
        if (group_compare_values(&naive->values[at], &naive->values[groups->count - 1]))
            naive->values[groups->count++] = naive->values[at];
    for (uint32_t at = 0; at < naive->world->event_count; at++) {
        IndexValue value = naive_group(naive, at);
        uint32_t group = 0;
        while (group_compare_values(&naive->values[group], &value)) group++;
        naive->group_of[at] = group;
    }
}

/* ---- A scan ---- */

static inline Status naive_open(const Query *query, const ScanSpec *spec, struct scan **ret, Err *err)
{
    struct naive *naive = calloc(1, sizeof *naive);
    (void)err;
    check(naive && !query->is_of_groups);
    naive->base.backend = query->world->backend;
    naive->query = query, naive->spec = spec, naive->world = query->world->context;
    naive_number_groups(naive);
    region_open(&naive->region, 1 << 20);
    *ret = &naive->base;
    return OK;
}

static inline void naive_close(struct scan *scan)
{
    region_close(&naive_of(scan)->region);
    free(scan);
}

static inline int naive_compare_hits(const void *a, const void *b)
{
    return chain_hit_is_before(a, b) ? -1 : chain_hit_is_before(b, a);
}

/* Is the event one that the question is about, and of whom, and how? */
static inline bool naive_find(struct naive *naive, uint32_t at, Hit *ret, uint32_t *ret_person)
{
    const ScanSpec *spec = naive->spec;
    const struct world_event *event = &naive->world->events[at];
    uint32_t person = event->person;
    if (event->time_ms < naive->query->from_ms || event->time_ms >= naive->query->to_ms) return false;
    *ret = (Hit){ .time_ms = event->time_ms, .steps = naive_steps(naive, event, person) };
    bool is_user = event->subject != SUBJECT_NONE && world_is_user(naive->world, event->subject);
    bool is_wanted = !spec->only_people ||
                     (person != QUERY_NOBODY && spec->only_people[person / 64] >> person % 64 & 1);
    if (is_wanted && spec->only_people && spec->wants)
        is_wanted = spec->wants(spec->context, person, event->time_ms);
    if (!ret->steps || !is_wanted || (spec->users_only && !is_user)) return false;
    if (spec->by.is_trait || ret->steps & spec->group_bits) ret->group = naive->group_of[at];
    if (!is_user && event->subject != SUBJECT_NONE) ret->steps |= spec->anonymous_bit;
    *ret_person = person;
    return true;
}

static inline void naive_give_rows(struct naive *naive)
{
    Hit hit;
    for (uint32_t at = 0; at < naive->world->event_count; at++) {
        ScanRow row = { .person = QUERY_NOBODY };
        if (!naive_find(naive, at, &hit, &row.person)) continue;
        IndexValue number = naive_column(&naive->world->events[at], naive->spec->number_field);
        bool has_number = number.kind == INDEX_NUMBER;
        row.time_ms = hit.time_ms, row.steps = hit.steps, row.group = hit.group;
        row.number = has_number ? number.number : (double)NAN;
        row.number_kind = has_number ? NUMBER_PLAIN : number.kind == INDEX_NOTHING ? NUMBER_NONE : NUMBER_UNREAD;
        naive->hit_count++;
        naive->spec->on_row(naive->spec->context, 0, &row);
    }
}

static inline void naive_give_person(struct naive *naive, uint32_t person)
{
    Hit hits[WORLD_EVENTS_MAX];
    Hits all = { .hits = hits };
    uint32_t whose = QUERY_NOBODY;
    for (uint32_t at = 0; at < naive->world->event_count; at++) {
        Hit *hit = &hits[all.count];
        if (naive->world->events[at].person != person || !naive_find(naive, at, hit, &whose)) continue;
        if (naive->spec->wants_refs) naive->refs[hit->ref = ++naive->ref_count] = at;
        all.steps |= hit->steps;
        all.count++;
    }
    if (!all.count) return;
    qsort(hits, all.count, sizeof *hits, naive_compare_hits);
    for (uint32_t at = 1; at < all.count; at++) all.has_ties |= hits[at].time_ms == hits[at - 1].time_ms;
    naive->hit_count += all.count;
    if (all.steps & naive->spec->needed_bits)
        naive->spec->on_person(naive->spec->context, 0, person, &all, region_arena(&naive->region));
}

enum { NAIVE_PEOPLE = WORLD_SUBJECTS_MAX + 4 };

static inline Status naive_run(struct scan *scan, Err *err)
{
    struct naive *naive = naive_of(scan);
    (void)err;
    naive->row_count = naive->world->event_count;
    if (naive->spec->on_row) naive_give_rows(naive);
    for (uint32_t person = 0; naive->spec->on_person && person < NAIVE_PEOPLE; person++)
        naive_give_person(naive, person);
    return OK;
}

/* ---- What is asked of one ---- */

static inline Groups *naive_groups(struct scan *scan) { return &naive_of(scan)->groups; }
static inline uint32_t naive_worker_count(const struct scan *scan) { return scan ? 1 : 0; }
static inline uint32_t naive_people_max(const struct scan *scan) { return scan ? NAIVE_PEOPLE : 0; }
static inline uint64_t naive_row_count(const struct scan *scan) { return naive_of(scan)->row_count; }
static inline uint64_t naive_hit_count(const struct scan *scan) { return naive_of(scan)->hit_count; }

static inline Millis naive_last(const struct naive *naive, Millis most_ms)
{
    Millis last_ms = INT64_MIN;
    for (uint32_t at = 0; at < naive->world->event_count; at++) {
        Millis time_ms = naive->world->events[at].time_ms;
        if (time_ms > last_ms && time_ms <= most_ms) last_ms = time_ms;
    }
    return last_ms;
}

static inline Millis naive_last_event_ms(const struct scan *scan)
{
    const struct naive *naive = naive_of(scan);
    return naive_last(naive, naive->query->world->now_ms ? naive->query->world->now_ms : INT64_MAX);
}

static inline bool naive_time_range(const struct scan *scan, Millis *ret_first_ms, Millis *ret_last_ms)
{
    const struct naive *naive = naive_of(scan);
    *ret_last_ms = naive_last(naive, naive->query->to_ms - 1);
    *ret_first_ms = INT64_MAX;
    for (uint32_t at = 0; at < naive->world->event_count; at++) {
        Millis time_ms = naive->world->events[at].time_ms;
        if (time_ms < *ret_first_ms && time_ms >= naive->query->from_ms) *ret_first_ms = time_ms;
    }
    return *ret_first_ms <= *ret_last_ms;
}

static inline Str naive_account(const struct scan *scan, uint32_t person)
{
    (void)scan, (void)person;
    return (Str){ 0 };
}

static inline Status naive_position(struct scan *scan, uint32_t ref, Arena scratch, JournalPos *ret, Err *err)
{
    const struct naive *naive = naive_of(scan);
    (void)scratch, (void)err;
    check(ref > 0 && ref <= naive->ref_count);
    *ret = naive->world->events[naive->refs[ref]].pos;
    return OK;
}

static inline void naive_join(struct scan *scan, const struct scan *other)
{
    naive_of(scan)->row_count += naive_of(other)->row_count;
    naive_of(scan)->hit_count += naive_of(other)->hit_count;
}

static inline void naive_write_warnings(const struct scan *scan, const Query *query, struct buf *answer)
{
    (void)scan, (void)query;
    json_array(answer, "warnings");
    json_array_end(answer);
}

static inline void naive_count_text(struct scan *scan, Str field, uint32_t number_kind)
{
    (void)scan, (void)field, (void)number_kind;
}

/* ---- Which events, fields and values there are ---- */

struct naive_catalogue {
    struct catalogue told;
    CatalogueValue values[WORLD_EVENTS_MAX];
    CatalogueField fields[16];
    char texts[WORLD_EVENTS_MAX][40];
};

static inline void naive_catalogue_close(struct catalogue *told) { free(told); }

static inline void naive_count_value(struct catalogue *told, const IndexValue *value, Millis time_ms)
{
    uint32_t at = 0;
    if (value->kind == INDEX_NOTHING) return;
    while (at < told->value_count && group_compare_values(&told->values[at].value, value)) at++;
    CatalogueValue *entry = &told->values[at];
    if (at == told->value_count) told->values[told->value_count++] = (CatalogueValue){ *value, 0, time_ms };
    entry->count++;
    if (time_ms > entry->last_ms) entry->last_ms = time_ms;
}

static inline void naive_add_field(struct catalogue *told, const struct world *world, const char *name)
{
    CatalogueField field = { .name = str_from(name), .last_ms = INT64_MIN };
    struct naive_catalogue *values = calloc(1, sizeof *values);
    values->told.values = values->values;
    for (uint32_t at = 0; at < world->event_count; at++) {
        bool is_source = str_equal(field.name, STR("source"));
        IndexValue value = is_source ? naive_text("web") : naive_column(&world->events[at], field.name);
        naive_count_value(&values->told, &value, world->events[at].time_ms);
    }
    for (uint32_t at = 0; at < values->told.value_count; at++) {
        const CatalogueValue *entry = &values->told.values[at];
        bool is_number = entry->value.kind == INDEX_NUMBER;
        field.count += entry->count;
        if (entry->last_ms > field.last_ms) field.last_ms = entry->last_ms;
        if (is_number && (!field.number_count || entry->value.number < field.numbers[0].number))
            field.numbers[0] = entry->value;
        if (is_number && (!field.number_count || entry->value.number > field.numbers[1].number))
            field.numbers[1] = entry->value;
        if (is_number) field.number_count = field.numbers[0].number < field.numbers[1].number ? 2 : 1;
        if (entry->value.kind == INDEX_STRING && field.text_count < CATALOGUE_TEXTS)
            field.texts[field.text_count++] = entry->value;
    }
    free(values);
    if (field.count) told->fields[told->field_count++] = field;
}

static inline int naive_compare_values(const void *a, const void *b)
{
    const CatalogueValue *left = a, *right = b;
    return (left->count < right->count) - (left->count > right->count);
}

static inline int naive_compare_fields(const void *a, const void *b)
{
    const CatalogueField *left = a, *right = b;
    return (left->count < right->count) - (left->count > right->count);
}

static inline Status naive_list(const Query *query, const CatalogueSpec *spec, struct catalogue **ret, Err *err)
{
    static const char *const names[] = {
        "source", "properties.plan", "properties.price", "properties.flag", "context.page.path", "context.city",
        "context.page.referrer", "context.campaign.source",
    };
    const struct world *world = query->world->context;
    struct naive_catalogue *naive = calloc(1, sizeof *naive);
    struct catalogue *told = &naive->told;
    (void)err;
    *told = (struct catalogue){ naive_catalogue_close, .values = naive->values, .fields = naive->fields };
    for (uint32_t at = 0; at < world->event_count; at++) {
        const struct world_event *event = &world->events[at];
        const char *name = *event->name || event->type != EVENT_PAGE ? event->name : event->path ? event->path : "";
        snprintf(naive->texts[at], sizeof naive->texts[at], "%d%s", event->type, name);
        IndexValue value = spec->field.len ? naive_column(event, spec->field) : naive_text(naive->texts[at]);
        naive_count_value(told, &value, event->time_ms);
    }
    for (size_t at = 0; at < countof(names); at++)
        if (spec->field.len ? str_equal(spec->field, str_from(names[at]))
                            : catalogue_matches(spec->search, str_from(names[at])))
            naive_add_field(told, world, names[at]);
    qsort(told->values, told->value_count, sizeof *told->values, naive_compare_values);
    qsort(told->fields, told->field_count, sizeof *told->fields, naive_compare_fields);
    if (told->field_count > spec->field_max) told->field_count = spec->field_max;
    *ret = told;
    return OK;
}

static const ScanBackend naive_backend = {
    .name = "naive", .open = naive_open, .run = naive_run, .close = naive_close, .groups = naive_groups,
    .worker_count = naive_worker_count, .people_max = naive_people_max, .time_range = naive_time_range,
    .last_event_ms = naive_last_event_ms, .account = naive_account, .row_count = naive_row_count,
    .hit_count = naive_hit_count, .position = naive_position, .join = naive_join,
    .write_warnings = naive_write_warnings, .count_text = naive_count_text, .list = naive_list,
};

#endif
