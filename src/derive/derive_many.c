/* derive_many: arrays by person, a union of values, and a table of the few whose writes tie. */
#include "derive_many.h"

/* A different value takes up to 3 x this with its slots, in the worst case. */
enum { VALUE_BYTES = 256, VALUES_LEAST = 64, VALUES_MOST = 1 << 20, TIES_LEAST = 64 << 10 };

static const char unkept[] = "{}";

bool many_open(struct many *many, uint32_t people, size_t max_bytes)
{
    size_t words = (size_t)people / 64 + 1, values = max_bytes / VALUE_BYTES;
    size_t bytes = people * (sizeof *many->last + sizeof *many->numbers) + words * sizeof *many->tied;
    *many = (struct many){ .people = people };
    if (bytes > max_bytes || !latest_open(&many->ties, max_bytes / 4 + TIES_LEAST)) {
        latest_close(&many->ties);
        return false;
    }
    region_open(&many->region, bytes + 64);                 /* all zero */
    many->last = (Millis *)(void *)many->region.start;
    many->tied = (uint64_t *)(void *)(many->last + people);
    many->numbers = (uint32_t *)(void *)(many->tied + words);
    for (uint32_t at = 0; at < people; at++) many->last[at] = INSTANT_NONE;
    groups_union_open(&many->values, (uint32_t)(values < VALUES_LEAST ? VALUES_LEAST
                                                : values > VALUES_MOST ? VALUES_MOST : values));
    return true;
}

void many_close(struct many *many)
{
    if (!many->region.start) return;
    latest_close(&many->ties);
    groups_union_close(&many->values);
    region_close(&many->region);
    *many = (struct many){ 0 };
}

static bool is_tied(const struct many *many, uint32_t person) { return many->tied[person / 64] >> person % 64 & 1; }

static void note_last(struct many *many, uint32_t person, Millis time_ms)
{
    Millis *last = &many->last[person];
    uint64_t bit = UINT64_C(1) << person % 64;
    if (*last == time_ms) many->tied[person / 64] |= bit;
    else if (*last == INSTANT_NONE || *last < time_ms) *last = time_ms, many->tied[person / 64] &= ~bit;
}

/* Notes what the person's last write says, in this pass. */
static void take_value(struct many *many, uint32_t person, Str json)
{
    IndexValue value = { .kind = INDEX_STRING, .text = json };
    if (many->pass == MANY_COUNT) groups_union_count(&many->values, &value, 1);
    else if (many->pass == MANY_NUMBERS) many->numbers[person] = groups_union_find(&many->values, &value);
    else groups_union_put(&many->values, &value);
}

void many_put(struct many *many, uint32_t person, const ProfileValue *value)
{
    if (person >= many->people || many->pass == MANY_READY) return;
    if (many->pass == MANY_LAST) note_last(many, person, value->time_ms);
    else if (many->last[person] != value->time_ms) return;
    else if (!is_tied(many, person)) take_value(many, person, value->json);
    else if (many->pass == MANY_VALUES) (void)latest_put(&many->ties, person, STR(""), value);
}

/* For tied people the last write is known once all writes of MANY_VALUES were put. If the table is full, nobody knows
 * which of its entries are right. */
static void take_ties(struct many *many)
{
    for (size_t at = 0; at < many->ties.count && !many->ties.is_full; at++) {
        const struct latest *row = &many->ties.rows[at];
        take_value(many, row->person, latest_json(&many->ties, row));
    }
}

bool many_next_pass(struct many *many)
{
    if (many->pass != MANY_LAST && many->pass != MANY_READY) take_ties(many);
    switch (many->pass) {
    case MANY_LAST: many->pass = MANY_VALUES; break;
    case MANY_VALUES: many->pass = many->values.is_full ? MANY_COUNT : MANY_NUMBERS; break;
    case MANY_COUNT: groups_union_fold(&many->values), many->pass = MANY_AGAIN; break;
    case MANY_AGAIN: many->pass = MANY_NUMBERS; break;
    case MANY_NUMBERS: case MANY_READY: many->pass = MANY_READY; break;
    }
    return many->pass != MANY_READY;
}

Str many_find(const struct many *many, uint32_t person)
{
    if (person >= many->people || many->last[person] == INSTANT_NONE) return (Str){ 0 };
    uint32_t number = is_tied(many, person) && many->ties.is_full ? 0 : many->numbers[person];
    const IndexValue *value = &many->values.values[number];
    return value->kind == INDEX_STRING ? value->text : str_from(unkept);
}

bool many_is_unkept(Str found) { return found.bytes == unkept; }
