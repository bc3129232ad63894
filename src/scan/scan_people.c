/* scan_people: brings together each person's hits and hands them over.
 *
 * Most subjects are alone: the slice has all their hits. The hits of other subjects are spilled: each worker appends
 * them, in blocks, to its own bucket for their person.
 */
#include "scan_work.h"

/* ---- Spilling ---- */

static void give_back_spills(struct columns *scan, struct worker *worker)
{
    for (uint32_t bucket = atomic_load(&scan->bucket_to); bucket < scan->bucket_count; bucket++)
        while (worker->buckets[bucket]) {
            struct spill *spill = worker->buckets[bucket];
            worker->buckets[bucket] = spill->next;
            spill->next = worker->free_spills;
            worker->free_spills = spill;
        }
}

static struct spill *take_spill(struct columns *scan, struct worker *worker)
{
    struct spill *spill = NULL;
    while (!worker->free_spills && !(spill = arena_try(&worker->spill_arena, sizeof *spill, 8, 1))) {
        uint32_t to = atomic_load(&scan->bucket_to), from = scan->bucket_from;
        give_back_spills(scan, worker);
        if (worker->free_spills) break;
        if (to - from < 2) return scan_fail_memory(scan), NULL;
        atomic_compare_exchange_strong(&scan->bucket_to, &to, from + (to - from) / 2);
    }
    if (!spill) {
        spill = worker->free_spills;
        worker->free_spills = spill->next;
    }
    return spill;
}

/* Keeps hits of one person for later. */
void scan_spill(struct columns *scan, struct worker *worker, uint32_t person, const Hit *hits,
                       uint32_t count)
{
    uint32_t bucket = person >> scan->bucket_shift;
    if (bucket < scan->bucket_from || bucket >= atomic_load_explicit(&scan->bucket_to, memory_order_relaxed))
        return;
    for (uint32_t at = 0; at < count; at++) {
        struct spill *spill = worker->buckets[bucket];
        if (__builtin_expect(!spill || spill->count == SPILL_HITS, 0)) {
            struct spill *fresh = take_spill(scan, worker);
            if (!fresh) return;
            /* by now a later pass has to do this bucket */
            if (bucket >= atomic_load(&scan->bucket_to)) {
                fresh->next = worker->free_spills;
                worker->free_spills = fresh;
                return;
            }
            fresh->next = worker->buckets[bucket];
            fresh->count = 0;
            worker->buckets[bucket] = spill = fresh;
        }
        Hit *to = &spill->hits[spill->count++];
        *to = hits[at];
        to->key = person;
    }
}

/* ---- Handing over ---- */

/* A person's trait, or an account's. */
IndexValue scan_ask_trait(struct columns *scan, uint32_t person, Str name, Arena *arena)
{
    const QueryWorld *world = scan->world;
    IndexValue value = { 0 };
    if (person == QUERY_NOBODY) return value;
    bool is_there = scan->query->is_of_groups
        ? world->find_group_trait(world->context, columns_account(scan, person), name, arena, &value)
        : world->find_trait(world->context, person, name, arena, &value);
    return is_there ? value : (IndexValue){ 0 };
}

/* Finds by the person's traits which selectors they allow, and which group the person is in. */
static uint32_t ask_traits(struct columns *scan, struct worker *worker, uint32_t person, uint32_t steps,
                           uint32_t *ret_group)
{
    const ScanSpec *spec = scan->spec;
    IndexValue value;
    for (uint32_t at = 0; at < spec->selector_count; at++) {
        const Selector *selector = &spec->selectors[at];
        for (uint32_t filter = 0; steps >> at & 1 && filter < selector->traits.count; filter++) {
            Arena scratch = worker->reader_arena;
            value = scan_ask_trait(scan, person, selector->traits.items[filter].field, &scratch);
            if (value.kind == INDEX_OTHER && selector->traits.items[filter].op != OP_EXISTS)
                columns_warn(scan, selector->traits.items[filter].label);
            if (filter_reads_text(&selector->traits.items[filter], &value))
                columns_count_text(scan, selector->traits.items[filter].label, NUMBER_OF_TEXT);
            if (!filter_passes(&selector->traits.items[filter], &value)) steps &= ~(1u << at);
        }
    }
    if (steps && spec->by.is_given && spec->by.is_trait) {
        Arena scratch = worker->reader_arena;
        value = scan_ask_trait(scan, person, spec->by.field, &scratch);
        if (value.kind == INDEX_OTHER) columns_warn(scan, spec->by.label);
        value = value_settle(value, &scratch);
        *ret_group = groups_intern(&scan->plan.groups, &value, &scan->groups_arena);
        if (*ret_group == GROUP_NO_MEMORY) scan_fail_memory(scan);
        if (*ret_group == GROUP_NO_MEMORY) return *ret_group = GROUP_NOTHING, 0;
    }
    return steps;
}

struct own_hits { Hit *items; uint32_t count, steps; };      /* one person's; steps: those of all hits, or-ed */

/* Removes the hits that the person's traits do not allow. */
static void keep_allowed(struct columns *scan, struct worker *worker, uint32_t person, struct own_hits *own)
{
    uint32_t group = 0, kept = 0;
    Hit *hits = own->items;
    own->steps = ask_traits(scan, worker, person, own->steps, &group);
    for (uint32_t at = 0; at < own->count; at++) {
        if (!(hits[at].steps & own->steps)) continue;
        hits[kept] = hits[at];
        hits[kept].steps &= own->steps;
        if (scan->spec->by.is_trait) hits[kept].group = group;
        kept++;
    }
    own->count = kept;
}

/* Hands over all hits of one person; spare has room for as many. */
static void hand_over(struct columns *scan, uint32_t worker_index, uint32_t person, struct own_hits own, Hit *spare)
{
    const ScanSpec *spec = scan->spec;
    struct worker *worker = &scan->workers[worker_index];
    if (scan->asks_traits) {
        keep_allowed(scan, worker, person, &own);
        if (!(own.steps & spec->needed_bits)) return;
    }
    bool has_ties = hits_sort_by_time(own.items, own.count, spare);
    Hits all = { own.items, own.count, own.steps, has_ties };
    spec->on_person(spec->context, worker_index, person, &all, worker->reader_arena);
}

/* The hits are sorted by person. */
void scan_hand_over_persons(struct columns *scan, uint32_t worker_index, Hit *hits, uint32_t count, Hit *spare)
{
    uint32_t needed = scan->spec->needed_bits;
    for (uint32_t first = 0, end; first < count && !scan_is_over(scan); first = end) {
        uint32_t steps = hits[first].steps, key = hits[first].key;
        for (end = first + 1; end < count && hits[end].key == key; end++) steps |= hits[end].steps;
        struct own_hits own = { hits + first, end - first, steps };
        if (steps & needed) hand_over(scan, worker_index, key, own, spare);
    }
}

/* The hits are sorted by subject. Those of subjects that are alone are handed over, the others are spilled. */
void scan_hand_over_subjects(struct columns *scan, uint32_t worker_index, Hit *hits, uint32_t count,
                               Hit *spare)
{
    const QueryPeople *people = scan->world->people;
    struct worker *worker = &scan->workers[worker_index];
    const uint64_t *joined = scan->joined;
    /* in later passes they have been handed over already */
    uint32_t needed = scan->bucket_from == 0 ? scan->spec->needed_bits : 0;
    uint32_t people_max = scan->people_max;
    for (uint32_t first = 0, end; first < count && !scan_is_over(scan); first = end) {
        uint32_t steps = hits[first].steps, subject = hits[first].key, person = slot_of(people, subject);
        for (end = first + 1; end < count && hits[end].key == subject; end++) steps |= hits[end].steps;
        if (person >= people_max) continue;
        if (person != subject || joined[person / 64] >> person % 64 & 1)
            scan_spill(scan, worker, person, hits + first, end - first);
        else if (steps & needed)
            hand_over(scan, worker_index, subject, (struct own_hits){ hits + first, end - first, steps }, spare);
    }
}

void scan_hand_over_row(struct columns *scan, uint32_t worker_index, const ScanRow *found)
{
    struct worker *worker = &scan->workers[worker_index];
    ScanRow row = *found;
    if (scan->asks_traits) {
        if (row.person != worker->trait_person || row.person == QUERY_NOBODY) {
            worker->trait_group = GROUP_NOTHING;
            worker->trait_steps = ask_traits(scan, worker, row.person, UINT32_MAX, &worker->trait_group);
            worker->trait_person = row.person;
        }
        row.steps &= worker->trait_steps;
        if (scan->spec->by.is_trait) row.group = worker->trait_group;
        if (!row.steps) return;
    }
    scan->spec->on_row(scan->spec->context, worker_index, &row);
}
