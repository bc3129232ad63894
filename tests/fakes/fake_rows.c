/* fake_rows: a sorted array; a commit is made whole or not at all. */
#include "fake_rows.h"

#include <stdlib.h>

static Str key_of(const struct fake_row *row) { return str_of(row->bytes, row->key_len); }

static size_t place_of(const struct fake_rows *fake, Str key)
{
    size_t low = 0, high = fake->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (str_compare(key_of(&fake->list[middle]), key) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool is_at(const struct fake_rows *fake, size_t place, Str key)
{
    return place < fake->count && str_equal(key_of(&fake->list[place]), key);
}

static Status fake_get(void *context, Str key, Arena *arena, Str *ret, Err *err)
{
    struct fake_rows *fake = context;
    size_t place = place_of(fake, key);
    if (!is_at(fake, place, key)) return err_set(err, ERR_NOT_FOUND, "no such row");
    *ret = arena_copy(arena, str_of(fake->list[place].bytes + key.len, fake->list[place].value_len));
    return OK;
}

static Status fake_walk(void *context, Str prefix, Str from, RowVisit *visit, void *visit_context, Err *err)
{
    struct fake_rows *fake = context;
    (void)err;
    for (size_t place = place_of(fake, str_compare(from, prefix) > 0 ? from : prefix); place < fake->count; place++) {
        struct fake_row *row = &fake->list[place];
        if (!str_starts(key_of(row), prefix)) break;
        if (!visit(visit_context, key_of(row), str_of(row->bytes + row->key_len, row->value_len))) break;
    }
    return OK;
}

static void remove_at(struct fake_rows *fake, size_t place)
{
    free(fake->list[place].bytes);
    memmove(fake->list + place, fake->list + place + 1, (fake->count - place - 1) * sizeof *fake->list);
    fake->count--;
}

static void put_one(struct fake_rows *fake, const RowChange *change)
{
    size_t place = place_of(fake, change->key);
    struct fake_row row = { malloc(change->key.len + change->value.len + 1), change->key.len, change->value.len };
    if (is_at(fake, place, change->key)) remove_at(fake, place);
    if (fake->count == fake->capacity) {
        fake->capacity = fake->capacity ? fake->capacity * 2 : 256;
        fake->list = realloc(fake->list, fake->capacity * sizeof *fake->list);
    }
    memcpy(row.bytes, change->key.bytes, change->key.len);
    if (change->value.len) memcpy(row.bytes + change->key.len, change->value.bytes, change->value.len);
    memmove(fake->list + place + 1, fake->list + place, (fake->count - place) * sizeof *fake->list);
    fake->list[place] = row;
    fake->count++;
}

static Status fake_commit(void *context, const RowChange *changes, size_t count, Err *err)
{
    struct fake_rows *fake = context;
    if (fake->is_dead) return err_set(err, ERR_CLOSED, "the process is gone");
    fake->commits++;
    if (fake->commits >= fake->full_from && fake->commits < fake->full_until)
        return err_set(err, ERR_FULL, "disk full");
    fake->is_dead = fake->commits == fake->dies_at;
    if (fake->is_dead && !fake->dies_after) return err_set(err, ERR_CLOSED, "the process is gone");
    if (fake->dice && fake_dice_chance(fake->dice, fake->fail_per_thousand)) return err_set(err, ERR_FULL, "disk full");
    for (size_t at = 0; at < count; at++) {
        size_t place = place_of(fake, changes[at].key);
        check(changes[at].key.len <= 500);
        if (changes[at].value.bytes) put_one(fake, &changes[at]);
        else if (is_at(fake, place, changes[at].key)) remove_at(fake, place);
    }
    return fake->is_dead ? err_set(err, ERR_CLOSED, "the process is gone") : OK;
}

static Status fake_rewrite(void *context, Err *err)
{
    struct fake_rows *fake = context;
    if (fake->rewrites_in_vain) {
        fake->rewrites_in_vain--;
        return err_set(err, ERR_TIMEOUT, "somebody reads");
    }
    fake->rewrites++;
    return OK;
}

void fake_rows_init(struct fake_rows *fake)
{
    *fake = (struct fake_rows){ .rows = { fake, fake_get, fake_walk, fake_commit, fake_rewrite } };
}

void fake_rows_done(struct fake_rows *fake)
{
    while (fake->count) remove_at(fake, fake->count - 1);
    free(fake->list);
}

size_t fake_rows_count(const struct fake_rows *fake, const char *name, char kind)
{
    size_t len = strlen(name), count = 0;
    for (size_t at = 0; at < fake->count; at++) {
        const struct fake_row *row = &fake->list[at];
        count += row->key_len > len + 1 && memcmp(row->bytes, name, len + 1) == 0 && row->bytes[len + 1] == kind;
    }
    return count;
}
