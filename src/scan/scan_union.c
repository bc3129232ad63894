/* scan_union: a hash table with open addressing, at most half full, over a dense array of values. The texts of the
 * values lie one after the other, in the order of the values until those are sorted; so a value that is removed leaves
 * no hole. The table is its own and not base/slots: its slots double in place, raise_bar borrows their room, and they
 * are filled anew when values are removed. */
#include "scan_union.h"

#include "scan.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 4096 };

/* ---- The table ---- */

static uint32_t slot_of(const struct groups_union *self, const IndexValue *value)
{
    uint32_t slot = (uint32_t)(group_value_hash(value) % self->slot_count), found;
    for (; (found = self->slots[slot]) != 0; slot = (slot + 1) % self->slot_count)
        if (group_compare_values(&self->values[found - 1], value) == 0) break;
    return slot;
}

static void find_places(struct groups_union *self)
{
    memset(self->slots, 0, self->slot_count * sizeof *self->slots);
    for (uint32_t at = 0; at < self->count; at++) self->slots[slot_of(self, &self->values[at])] = at + 1;
}

static void widen(struct groups_union *self)
{
    while (self->count * 2 > self->slot_count) self->slot_count *= 2;
    find_places(self);
}

static void begin(struct groups_union *self)
{
    self->values[0] = (IndexValue){ 0 };
    self->values[1] = (IndexValue){ .kind = INDEX_OTHER };
    self->count = 1 + self->is_folded;
    self->text_len = 0;
    self->is_full = false;
    find_places(self);
}

void groups_union_open(struct groups_union *self, uint32_t max)
{
    size_t slots = SLOTS_FIRST;
    check(max > 2);
    while (slots < (size_t)max * 2) slots *= 2;
    *self = (struct groups_union){ .max = max, .slot_count = SLOTS_FIRST };
    region_open(&self->region, max * sizeof *self->values + (slots + 2 * GROUPS_SKETCH) * sizeof(uint32_t)
                + GROUPS_TEXT_BYTES + 64);
    self->values = (IndexValue *)(void *)self->region.start;
    self->slots = (uint32_t *)(self->values + max);
    self->sketch[0] = self->slots + slots;
    self->sketch[1] = self->sketch[0] + GROUPS_SKETCH;
    self->text = (char *)(self->sketch[1] + GROUPS_SKETCH);
    begin(self);
}

void groups_union_close(struct groups_union *self)
{
    region_close(&self->region);
    *self = (struct groups_union){ 0 };
}

/* ---- Rows ---- */

static uint32_t *counter_of(const struct groups_union *self, const IndexValue *value, int row)
{
    uint64_t hash = group_value_hash(value);
    return &self->sketch[row][(row ? hash >> 32 : hash) % GROUPS_SKETCH];
}

static uint32_t rows_of(const struct groups_union *self, const IndexValue *value)
{
    uint32_t first = *counter_of(self, value, 0), second = *counter_of(self, value, 1);
    return first < second ? first : second;
}

void groups_union_count(struct groups_union *self, const IndexValue *value, uint32_t rows)
{
    for (int row = 0; row < 2; row++) {
        uint32_t *counter = counter_of(self, value, row);
        *counter = *counter + rows < rows ? UINT32_MAX : *counter + rows;
    }
}

void groups_union_fold(struct groups_union *self)
{
    self->is_folded = true;
    self->bar = 1;
    begin(self);
}

/* ---- Values ---- */

static bool is_text(const IndexValue *value) { return value->text.len && value->kind != INDEX_OTHER; }

static bool stays(const struct groups_union *self, const IndexValue *value)
{
    return value->kind == INDEX_NOTHING || value->kind == INDEX_OTHER || rows_of(self, value) >= self->bar;
}

/* Raises the least number of rows so that half of the values are removed. It uses the room of the slots to find it. */
static void raise_bar(struct groups_union *self)
{
    uint32_t kept = 2, *rows = self->slots, count = self->count - 2;
    size_t len = 0;
    for (uint32_t at = 0; at < count; at++) rows[at] = rows_of(self, &self->values[at + 2]);
    qsort(rows, count, sizeof *rows, compare_u32);
    self->bar = rows[count / 2] == UINT32_MAX ? UINT32_MAX : rows[count / 2] + 1;
    for (uint32_t at = 2; at < self->count; at++) {
        IndexValue value = self->values[at];
        if (!stays(self, &value)) continue;
        if (is_text(&value)) {
            memmove(self->text + len, value.text.bytes, value.text.len);
            value.text.bytes = self->text + len;
            len += value.text.len;
        }
        self->values[kept++] = value;
    }
    self->count = kept, self->text_len = len;
    find_places(self);
}

void groups_union_put(struct groups_union *self, const IndexValue *value)
{
    if (self->is_full || (self->is_folded && !stays(self, value))) return;
    uint32_t slot = slot_of(self, value);
    if (self->slots[slot]) return;
    size_t len = is_text(value) ? value->text.len : 0;
    if (self->count == self->max || len > GROUPS_TEXT_BYTES - self->text_len) {
        if (!self->is_folded) {
            self->is_full = true;
            return;
        }
        raise_bar(self);
        if (!stays(self, value) || len > GROUPS_TEXT_BYTES - self->text_len) return;
        slot = slot_of(self, value);
    }
    IndexValue *to = &self->values[self->count];
    *to = *value;
    if (!is_text(value)) to->text = (Str){ 0 };
    if (len) {
        memcpy(self->text + self->text_len, value->text.bytes, len);
        to->text.bytes = self->text + self->text_len;
        self->text_len += len;
    }
    self->slots[slot] = ++self->count;
    if (self->count * 2 > self->slot_count) widen(self);
}

void groups_union_sort(struct groups_union *self)
{
    qsort(self->values, self->count, sizeof *self->values, group_compare_values);
    find_places(self);
}

uint32_t groups_union_find(const struct groups_union *self, const IndexValue *value)
{
    uint32_t found = self->slots[slot_of(self, value)];
    return found ? found - 1 : self->is_folded;
}
